"""The kernel: sorted rows folded into purchase occasions, some customers at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import ByName, Floats, Ints
from custvalue.data._intake import Intake
from custvalue.data._ledger import Dropped, RowLedger
from custvalue.data._money import sums
from custvalue.data._options import LogOptions
from custvalue.data._sort import Sorted, changes, sort_rows
from custvalue.data._threads import each
from custvalue.exceptions import first_ids

_NOTHING = 1e-9  # of the amounts that went into a net: below, a float sum is taken for zero


class Occasions(NamedTuple):
    """Purchase occasions of some customers (at least one), sorted by customer, then time.

    ``tick``, ``spend`` and ``profit`` have one entry an occasion (money in the units of the
    intake's ``Money``); one entry a customer have ``start``, the position of the first occasion,
    and ``code``, whose id the intake's ``ids`` gives.
    """

    tick: Ints
    spend: Ints | Floats
    profit: Ints | Floats | None
    start: Ints
    code: Ints

    @property
    def size(self) -> Ints:
        """Occasions of each customer."""
        return np.diff(self.start, append=len(self.tick))


@dataclass(frozen=True)
class Folded:
    """All purchase occasions of a log, in parts that hold whole customers; codes go up."""

    parts: list[Occasions]

    def fill(
        self, columns: ByName, counts: list[int], figures: Callable[[Occasions], ByName]
    ) -> None:
        """Write the figures of each part into its rows of ``columns``, ``counts`` of them."""
        ends = np.cumsum(counts).tolist()

        def work(task: tuple[int, int, Occasions]) -> None:
            begin, end, part = task
            for name, values in figures(part).items():
                columns[name][begin:end] = values

        each(work, list(zip([0, *ends], ends, self.parts, strict=False)))

    @property
    def code(self) -> Ints:
        """Codes of the customers."""
        return np.concatenate([np.empty(0, np.int64), *(part.code for part in self.parts)])

    @property
    def first(self) -> int | None:
        """Tick of the earliest occasion, None where there is none."""
        return min((int(part.tick[part.start].min()) for part in self.parts), default=None)


def fold(rows: Intake, options: LogOptions) -> tuple[Folded, RowLedger]:
    """Net the rows of each customer and grain of time; keep those that are purchases.

    The rows' arrays are given up on the way, since fresh memory costs as much as the work; what
    ``rows`` says of money, ids and the as-of date stays.
    """
    merged = 0
    if rows.order is not None:
        rows, merged = net_orders(rows)
    n = len(rows.code)
    if not n:
        return Folded([]), _ledger(rows, [], rows.dropped, 0)
    rows_sorted = sort_rows(rows)
    made = each(
        lambda cut: _fold_block(rows_sorted, *cut, options), list(pairwise(rows_sorted.cuts()))
    )
    parts = [part for part, _ in made if len(part.start)]
    lost = [gone for _, gone in made if gone is not None]
    dropped, used_rows = list(rows.dropped), n + merged
    if lost:
        netted = sum(some.rows for some in lost)
        used_rows -= netted
        who = np.concatenate([some.who for some in lost])
        amount = rows.money.worth(np.concatenate([some.spend for some in lost]).sum())
        dropped.append(
            Dropped("occasion_netted_away", netted, float(amount), _first_customers(rows, who))
        )
        rows = replace(rows, gone=np.union1d(rows.gone, who))
    return Folded(parts), _ledger(rows, parts, dropped, used_rows)


class _Lost(NamedTuple):
    """Occasions of a block that are no purchases."""

    rows: int
    spend: Ints | Floats
    who: Ints


def _fold_block(
    rows: Sorted, begin: int, end: int, options: LogOptions
) -> tuple[Occasions, _Lost | None]:
    """Fold the sorted rows of whole customers; the occasions' ticks lie where the keys were."""
    key, money, profit = rows.block(begin, end)
    first = changes(key)
    alone = len(first) == len(key)  # every occasion is one row: nothing to add up
    spend = money if alone else sums(money, first)
    gain = profit if alone or profit is None else sums(profit, first)
    size = len(key)
    key = key[first]
    who = key >> rows.tick_bits
    lost = None
    if options.refunds == "net_occasion":
        keep = _purchases(spend, money, first, options)
        if not keep.all():
            gone = int(np.diff(first, append=size)[~keep].sum())
            lost = _Lost(gone, spend[~keep], who[~keep])
            key, who, spend = key[keep], who[keep], spend[keep]
            gain = None if gain is None else gain[keep]
    start = changes(who)
    tick = rows.key[begin : begin + len(key)]
    np.bitwise_and(key, (1 << rows.tick_bits) - 1, out=tick)
    tick += rows.low
    return Occasions(tick, spend, gain, start, who[start]), lost


def net_orders(rows: Intake) -> tuple[Intake, int]:
    """Net the rows to one an order, at the order's first time; and how many rows were merged."""
    assert rows.order is not None
    by = np.lexsort((rows.tick, rows.order, rows.code))
    code, order = rows.code[by], rows.order[by]
    new = np.ones(len(by), dtype=bool)
    new[1:] = (code[1:] != code[:-1]) | (order[1:] != order[:-1])
    first = np.flatnonzero(new)
    if not len(first):
        return rows, 0
    money = rows.money.values[by]
    total = np.add.reduceat(money, first)
    size = np.diff(first, append=len(by))
    keep = total > _next_to_nothing(money, first)
    # an order of zero amounts alone was kept on purpose and is no refund
    keep |= np.minimum.reduceat(money, first) >= 0
    gone = code[first[~keep]]
    dropped = list(rows.dropped)
    if len(gone):
        dropped.append(
            Dropped(
                "order_netted_away",
                int(size[~keep].sum()),
                float(total[~keep].sum()) / rows.money.scale,
                _first_customers(rows, gone),
            )
        )
    at = by[first[keep]]
    profit = rows.profit
    if profit is not None:
        gain = np.add.reduceat(profit.values[by], first)[keep]
        profit = profit.of(gain)
    netted = replace(
        rows,
        code=rows.code[at],
        tick=rows.tick[at],
        money=rows.money.of(total[keep]),
        profit=profit,
        dropped=dropped,
        gone=np.union1d(rows.gone, gone),
        order=None,
        day=None,
    )
    return netted, int(size[keep].sum()) - int(keep.sum())


def _purchases(
    spend: Ints | Floats, money: Ints | Floats, first: Ints, options: LogOptions
) -> npt.NDArray[np.bool_]:
    """Occasions with positive net spend (and, where zeros are kept, those without a refund)."""
    keep = spend > _next_to_nothing(money, first)
    if options.zero_amounts == "keep":
        keep |= np.minimum.reduceat(money, first) >= 0
    return keep


def _next_to_nothing(money: Ints | Floats, first: Ints) -> int | Floats:
    """Bound that a net must exceed: zero where sums are exact, else what rounding may leave."""
    return 0 if money.dtype.kind == "i" else _NOTHING * np.add.reduceat(np.abs(money), first)


def _first_customers(rows: Intake, code: Ints) -> tuple[str, ...]:
    """First five different customers of the codes."""
    return first_ids(rows.ids(np.array(list(dict.fromkeys(code[:50].tolist()))[:5])))


def _ledger(
    rows: Intake, parts: list[Occasions], dropped: list[Dropped], used_rows: int
) -> RowLedger:
    here = sum(int(np.count_nonzero(find(rows.gone, part.code)[1])) for part in parts)
    return RowLedger(
        rows_in=rows.rows_in,
        rows_used=used_rows,
        amount_in=rows.amount_in,
        amount_used=float(rows.money.worth(sum(part.spend.sum() for part in parts))),
        dropped=tuple(dropped),
        customers=sum(len(part.start) for part in parts),
        occasions=sum(len(part.tick) for part in parts),
        customers_lost=len(rows.gone) - here,
    )


def find(some: Ints, code: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Where each of some codes lies among the sorted, different ``code``, and whether it does."""
    at = np.searchsorted(code, some)
    found = at < len(code)
    found[found] = code[at[found]] == some[found]
    return at, found
