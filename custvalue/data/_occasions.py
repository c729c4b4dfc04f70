"""The kernel: rows sorted by one packed integer, then folded into purchase occasions.

Sorting int64 values is several times faster than sorting indices or hashing groups, so customer,
time and cents (or row position) are packed into one integer, sorted in place, and unpacked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

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
    intake's ``Money``); one entry a customer have ``start``, the position of the first occasion,
    and ``code``, whose id the intake's ``ids`` gives.
    """

    tick: Ints
    spend: Floats
    profit: Floats | None
    start: Ints
    code: Ints

    @property
    def size(self) -> Ints:
        """Occasions of each customer."""
        return np.diff(self.start, append=len(self.tick))


def fold(rows: Intake, options: LogOptions) -> tuple[Occasions, RowLedger]:
    """Net the rows of each customer and grain of time; keep those that are purchases."""
    merged = 0
    if rows.order is not None:
        rows, merged = net_orders(rows)
    n = len(rows.code)
    if not n:
        nothing = np.empty(0, dtype=np.int64)
        gain = None if rows.profit is None else np.empty(0)
        occasions = Occasions(nothing, np.empty(0), gain, nothing, nothing)
        return occasions, _ledger(rows, occasions, rows.dropped, 0)
    key, shift, low, money, profit = _sorted(rows)
    first = _changes(key)
    alone = len(first) == n  # every occasion is one row: nothing to add up
    spend = money if alone else sums(money, first, rows.money.exact)
    gain = None
    if profit is not None and rows.profit is not None:
        gain = profit if alone else sums(profit, first, rows.profit.exact)
    key = key[first]
    who = key >> shift
    dropped, used_rows = list(rows.dropped), n + merged
    if options.refunds == "net_occasion":
        keep = _purchases(spend, money, first, rows.money.exact, options)
        if not keep.all():
            gone = int(np.diff(first, append=n)[~keep].sum())
            used_rows -= gone
            amount = float(spend[~keep].sum()) / rows.money.scale
            names = _first_customers(rows, who[~keep])
            dropped.append(Dropped("occasion_netted_away", gone, amount, names))
            rows = replace(rows, gone=np.union1d(rows.gone, who[~keep]))
            key, who, spend = key[keep], who[keep], spend[keep]
            gain = None if gain is None else gain[keep]
    start = _changes(who)
    key &= (1 << shift) - 1
    key += low
    occasions = Occasions(key, spend, gain, start, who[start])
    return occasions, _ledger(rows, occasions, dropped, used_rows)


def _changes(values: Ints) -> Ints:
    """Positions at which sorted values change, the first included."""
    new = np.empty(len(values), dtype=bool)
    new[:1] = True
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return np.flatnonzero(new)


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
    keep = total > (0 if rows.money.exact else _NOTHING * np.add.reduceat(np.abs(money), first))
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
        profit = profit._replace(values=gain)
    netted = replace(
        rows,
        code=rows.code[at],
        tick=rows.tick[at],
        money=rows.money._replace(values=total[keep]),
        profit=profit,
        dropped=dropped,
        gone=np.union1d(rows.gone, gone),
        order=None,
    )
    return netted, int(size[keep].sum()) - int(keep.sum())


def _sorted(rows: Intake) -> tuple[Ints, int, int, Floats, Floats | None]:
    """Sort by customer and tick.

    Returns the sorted keys, the bits of a tick in them, the first tick, and money and profit in the
    keys' order. Cents themselves travel in the key where they fit, which saves fetching them in
    random order afterwards; else the row does, and money is fetched by it.
    """
    low = int(rows.tick.min())
    bits = (int(rows.tick.max()) - low).bit_length()
    room = 63 - bits - int(rows.code.max()).bit_length()
    key = rows.code << bits
    key += rows.tick
    key -= low
    money, profit = rows.money, rows.profit
    if money.exact and profit is None:
        least = int(money.values.min())
        cent_bits = (int(money.values.max()) - least).bit_length()
        if cent_bits <= room:
            key <<= cent_bits
            cents = money.values.astype(np.int64)
            cents -= least
            key += cents
            key.sort()
            np.bitwise_and(key, (1 << cent_bits) - 1, out=cents)
            cents += least
            key >>= cent_bits
            return key, bits, low, cents.astype(np.float64), None
    row_bits = (len(key) - 1).bit_length()
    if row_bits > room:
        order = np.argsort(key, kind="stable")
        key = key[order]
    else:
        key <<= row_bits
        key += np.arange(len(key), dtype=np.int64)
        key.sort()
        order = key & ((1 << row_bits) - 1)
        key >>= row_bits
    return key, bits, low, money.values[order], None if profit is None else profit.values[order]


def _purchases(
    spend: Floats, money: Floats, first: Ints, exact: bool, options: LogOptions
) -> npt.NDArray[np.bool_]:
    """Occasions with positive net spend (and, where zeros are kept, those without a refund)."""
    keep = spend > (0 if exact else _NOTHING * np.add.reduceat(np.abs(money), first))
    if options.zero_amounts == "keep":
        keep |= np.minimum.reduceat(money, first) >= 0
    return keep


def _first_customers(rows: Intake, code: Ints) -> tuple[str, ...]:
    """First five different customers of the codes."""
    return first_ids(rows.ids(np.array(list(dict.fromkeys(code[:50].tolist()))[:5])))


def _ledger(
    rows: Intake, occasions: Occasions, dropped: list[Dropped], used_rows: int
) -> RowLedger:
    return RowLedger(
        rows_in=rows.rows_in,
        rows_used=used_rows,
        amount_in=rows.amount_in,
        amount_used=float(occasions.spend.sum()) / rows.money.scale,
        dropped=tuple(dropped),
        customers=len(occasions.start),
        occasions=len(occasions.tick),
        customers_lost=int(np.count_nonzero(~np.isin(rows.gone, occasions.code))),
    )
