"""The kernel: rows sorted by one packed integer, then folded into purchase occasions.

Sorting int64 values is several times faster than sorting indices or hashing groups, so customer,
time and row position are packed into one integer, sorted in place, and unpacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue.data._intake import Intake, Ints
from custvalue.data._ledger import Dropped, RowLedger
from custvalue.data._money import Floats, sums
from custvalue.data._options import LogOptions
from custvalue.exceptions import first_ids

_NOTHING = 1e-9  # of the amounts that went into a net: below, a float sum is taken for zero


class Occasions(NamedTuple):
    """Purchase occasions sorted by customer, then time.

    ``tick``, ``spend`` and ``profit`` have one entry an occasion (money in the units of the
    intake's ``Money``). One entry a customer have ``start``, the position of the first occasion,
    ``code``, and ``row``, which finds the id through the intake's ``take_ids``.
    """

    tick: Ints
    spend: Floats
    profit: Floats | None
    start: Ints
    code: Ints
    row: Ints

    @property
    def size(self) -> Ints:
        """Occasions of each customer."""
        return np.diff(self.start, append=len(self.tick))


def fold(rows: Intake, options: LogOptions) -> tuple[Occasions, RowLedger]:
    """Net the rows of each customer and grain of time; keep those that are purchases."""
    netted_at, merged = None, 0
    if rows.order is not None:
        rows, netted_at, merged = net_orders(rows)
    code, tick, money = rows.code, rows.tick, rows.money.values
    profit = None if rows.profit is None else rows.profit.values
    if not len(code):
        nothing = np.empty(0, dtype=np.int64)
        empty = np.empty(0)
        occasions = Occasions(
            nothing, empty, None if profit is None else empty, nothing, nothing, nothing
        )
        return occasions, _ledger(rows, occasions, rows.dropped, 0, 0)
    key, order, shift, low = _sorted(code, tick)
    money = money[order]
    new = np.empty(len(key), dtype=bool)
    new[0] = True
    np.not_equal(key[1:], key[:-1], out=new[1:])
    first = np.flatnonzero(new)
    del new
    alone = len(first) == len(key)  # every occasion is one row: nothing to add up
    spend = money if alone else sums(money, first, rows.money.exact)
    gain = None
    if profit is not None and rows.profit is not None:
        gain = profit[order] if alone else sums(profit[order], first, rows.profit.exact)
    key = key[first]
    who = key >> shift
    dropped, used_rows, lost = list(rows.dropped), len(code) + merged, 0
    if options.refunds == "net_occasion":
        keep = _purchases(spend, money, first, rows.money.exact, options)
        if not keep.all():
            size = np.diff(first, append=len(money))
            gone = int(size[~keep].sum())
            used_rows -= gone
            everyone = 1 + int(np.count_nonzero(np.diff(who)))
            dropped.append(
                Dropped(
                    "occasion_netted_away",
                    gone,
                    float(spend[~keep].sum()) / rows.money.scale,
                    _first_customers(rows, order[first[~keep]]),
                )
            )
            key, who, spend, first = key[keep], who[keep], spend[keep], first[keep]
            gain = None if gain is None else gain[keep]
            lost = everyone - (1 + int(np.count_nonzero(np.diff(who))) if len(who) else 0)
    head = np.empty(len(who), dtype=bool)
    head[:1] = True
    np.not_equal(who[1:], who[:-1], out=head[1:])
    start = np.flatnonzero(head)
    key &= (1 << shift) - 1
    key += low
    row = order[first[start]]
    row = row if netted_at is None else netted_at[row]
    occasions = Occasions(key, spend, gain, start, who[start], row)
    return occasions, _ledger(rows, occasions, dropped, used_rows, lost)


def net_orders(rows: Intake) -> tuple[Intake, Ints, int]:
    """Net the rows to one an order, at the order's first time.

    Returns the netted rows, the position of each in the given ones, and how many rows were merged.
    """
    assert rows.order is not None
    by = np.lexsort((rows.tick, rows.order, rows.code))
    code, order = rows.code[by], rows.order[by]
    new = np.ones(len(by), dtype=bool)
    new[1:] = (code[1:] != code[:-1]) | (order[1:] != order[:-1])
    first = np.flatnonzero(new)
    if not len(first):
        return rows, first, 0
    money = rows.money.values[by]
    total = np.add.reduceat(money, first)
    size = np.diff(first, append=len(by))
    keep = total > (0 if rows.money.exact else _NOTHING * np.add.reduceat(np.abs(money), first))
    # an order of zero amounts alone was kept on purpose and is no refund
    keep |= np.minimum.reduceat(money, first) >= 0
    gone = by[first[~keep]]
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
        profit = profit._replace(values=gain)
    netted = replace(
        rows,
        code=rows.code[at],
        tick=rows.tick[at],
        money=rows.money._replace(values=total[keep]),
        profit=profit,
        take_ids=_taking(rows, at),
        dropped=dropped,
        order=None,
    )
    return netted, at, int(size[keep].sum()) - int(keep.sum())


def _taking(rows: Intake, at: Ints) -> Callable[[Ints], Any]:
    return lambda wanted: rows.take_ids(at[wanted])


def _sorted(code: Ints, tick: Ints) -> tuple[Ints, Ints, int, int]:
    """Sorted keys (customer, tick), the row behind each, the bits of a tick, the first tick."""
    low = int(tick.min())
    tick_bits = (int(tick.max()) - low).bit_length()
    row_bits = (len(code) - 1).bit_length()
    key = code << tick_bits
    key += tick
    key -= low
    if int(code.max()).bit_length() + tick_bits + row_bits > 63:
        order = np.argsort(key, kind="stable")
        return key[order], order, tick_bits, low
    key <<= row_bits
    key += np.arange(len(code), dtype=np.int64)
    key.sort()
    order = key & ((1 << row_bits) - 1)
    key >>= row_bits
    return key, order, tick_bits, low


def _purchases(
    spend: Floats, money: Floats, first: Ints, exact: bool, options: LogOptions
) -> npt.NDArray[np.bool_]:
    """Occasions with positive net spend (and, where zeros are kept, those without a refund)."""
    keep = spend > (0 if exact else _NOTHING * np.add.reduceat(np.abs(money), first))
    if options.zero_amounts == "keep":
        keep |= np.minimum.reduceat(money, first) >= 0
    return keep


def _first_customers(rows: Intake, at: Ints) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for i in at:
        found[first_ids(rows.take_ids(np.array([i])))[0]] = None
        if len(found) == 5:
            break
    return tuple(found)


def _ledger(
    rows: Intake, occasions: Occasions, dropped: list[Dropped], used_rows: int, lost: int
) -> RowLedger:
    return RowLedger(
        rows_in=rows.rows_in,
        rows_used=used_rows,
        amount_in=rows.amount_in,
        amount_used=float(occasions.spend.sum()) / rows.money.scale,
        dropped=tuple(dropped),
        customers=len(occasions.start),
        occasions=len(occasions.tick),
        customers_lost=lost,
    )
