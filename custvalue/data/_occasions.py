"""The kernel: rows sorted by one packed integer, then folded into purchase occasions.

Sorting int64 values is several times faster than sorting indices or hashing groups, so customer,
time and cents (or row position) are packed into one integer, sorted in place, and unpacked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue.data._intake import Intake, Ints
from custvalue.data._ledger import Dropped, RowLedger
from custvalue.data._money import Floats, sums
from custvalue.data._options import LogOptions
from custvalue.exceptions import first_ids

_BLOCK = 1 << 16  # rows worked on at a time: they stay in the processor's cache
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

    def blocks(self) -> Iterator[tuple[slice, Occasions]]:
        """Yield some customers at a time: which they are, and their occasions (views)."""
        cuts = np.searchsorted(self.start, np.arange(0, len(self.tick) + _BLOCK, _BLOCK))
        for a, b in pairwise(np.unique(cuts).tolist()):
            begin = int(self.start[a])
            end = int(self.start[b]) if b < len(self.start) else len(self.tick)
            yield (
                slice(a, b),
                Occasions(
                    self.tick[begin:end],
                    self.spend[begin:end],
                    None if self.profit is None else self.profit[begin:end],
                    self.start[a:b] - begin,
                    self.code[a:b],
                ),
            )


def fold(rows: Intake, options: LogOptions) -> tuple[Occasions, RowLedger]:
    """Net the rows of each customer and grain of time; keep those that are purchases.

    The rows' arrays are given up on the way, since fresh memory costs as much as the work; what
    ``rows`` says of money, ids and the as-of date stays.
    """
    merged = 0
    if rows.order is not None:
        rows, merged = net_orders(rows)
    n = len(rows.code)
    if not n:
        nothing = np.empty(0, dtype=np.int64)
        gain = None if rows.profit is None else np.empty(0)
        occasions = Occasions(nothing, np.empty(0), gain, nothing, nothing)
        return occasions, _ledger(rows, occasions, rows.dropped, 0)
    packed = _sorted(rows)
    pieces, lost = [], []
    for begin, end in pairwise(_cuts(packed.key, packed.who).tolist()):
        key, money, profit = packed.rows(begin, end)
        piece, gone = _fold_block(key, money, profit, packed.shift, rows, options)
        pieces.append(piece)
        lost += gone
    low, mask = packed.low, (1 << packed.shift) - 1
    del packed, key, money, profit, piece
    spend = np.concatenate([piece.spend for piece in pieces])
    gains = [piece.profit for piece in pieces if piece.profit is not None]
    when = np.concatenate([piece.key for piece in pieces])
    gain = np.concatenate(gains) if gains else None
    start = np.concatenate([piece.start for piece in pieces])
    code = np.concatenate([piece.code for piece in pieces])
    at = done = 0
    for piece in pieces:  # positions in a block become positions in the whole
        start[at : at + len(piece.start)] += done
        at, done = at + len(piece.start), done + len(piece.key)
    when &= mask
    when += low
    dropped, used_rows = list(rows.dropped), n + merged
    if lost:
        netted = sum(each.rows for each in lost)
        used_rows -= netted
        who = np.concatenate([each.who for each in lost])
        amount = float(np.concatenate([each.spend for each in lost]).sum()) / rows.money.scale
        dropped.append(Dropped("occasion_netted_away", netted, amount, _first_customers(rows, who)))
        rows = replace(rows, gone=np.union1d(rows.gone, who))
    occasions = Occasions(when, spend, gain, start, code)
    return occasions, _ledger(rows, occasions, dropped, used_rows)


class _Piece(NamedTuple):
    """Occasions of a block of customers; ``key`` is customer and tick, ``start`` in the block."""

    key: Ints
    spend: Floats
    profit: Floats | None
    start: Ints
    code: Ints


class _Lost(NamedTuple):
    """Occasions of a block that are no purchases."""

    rows: int
    spend: Floats
    who: Ints


def _fold_block(
    key: Ints,
    money: Floats,
    profit: Floats | None,
    shift: int,
    rows: Intake,
    options: LogOptions,
) -> tuple[_Piece, list[_Lost]]:
    """Fold the sorted rows of whole customers."""
    first = _changes(key)
    alone = len(first) == len(key)  # every occasion is one row: nothing to add up
    spend = money if alone else sums(money, first, rows.money.exact)
    gain = None
    if profit is not None and rows.profit is not None:
        gain = profit if alone else sums(profit, first, rows.profit.exact)
    size = len(key)
    key = key[first]
    who = key >> shift
    lost = []
    if options.refunds == "net_occasion":
        keep = _purchases(spend, money, first, rows.money.exact, options)
        if not keep.all():
            gone = int(np.diff(first, append=size)[~keep].sum())
            lost.append(_Lost(gone, spend[~keep], who[~keep]))
            key, who, spend = key[keep], who[keep], spend[keep]
            gain = None if gain is None else gain[keep]
    start = _changes(who)
    return _Piece(key, spend, gain, start, who[start]), lost


def _cuts(key: Ints, bits: int) -> Ints:
    """Bounds of blocks of whole customers, who are the bits of a sorted key above ``bits``."""
    near = key[np.arange(_BLOCK, len(key), _BLOCK)]
    inner = np.searchsorted(key, near >> bits << bits)
    return np.unique(np.concatenate(([0], inner, [len(key)])))


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


class _Packed(NamedTuple):
    """Sorted rows: ``key`` is customer, tick (and cents, where ``money`` is None).

    ``shift`` bits are a tick's, from ``low`` on; ``who`` bits of the key are not the customer's.
    """

    key: Ints
    shift: int
    who: int
    low: int
    least: int
    money: Floats | None
    profit: Floats | None

    def rows(self, begin: int, end: int) -> tuple[Ints, Floats, Floats | None]:
        """Keys (customer and tick), money and profit of some rows, as arrays of their own."""
        key = self.key[begin:end]
        profit = None if self.profit is None else self.profit[begin:end]
        if self.money is not None:
            return key, self.money[begin:end], profit
        cent_bits = self.who - self.shift
        cents = key & ((1 << cent_bits) - 1)
        cents += self.least
        return key >> cent_bits, cents.astype(np.float64), profit


def _sorted(rows: Intake) -> _Packed:
    """Sort by customer and tick, in the memory of the rows' codes.

    Cents themselves travel in the key where they fit, which saves fetching them in random order
    afterwards; else the row does, and money is fetched by it.
    """
    low = int(rows.tick.min())
    bits = (int(rows.tick.max()) - low).bit_length()
    room = 63 - bits - int(rows.code.max()).bit_length()
    money, profit = rows.money, rows.profit
    key = rows.code
    key <<= bits
    key += rows.tick
    key -= low
    rows.code = rows.tick = np.empty(0, dtype=np.int64)
    rows.money = money._replace(values=np.empty(0))
    rows.profit = None if profit is None else profit._replace(values=np.empty(0))
    if money.exact and profit is None:
        least = int(money.values.min())
        cent_bits = (int(money.values.max()) - least).bit_length()
        if cent_bits <= room:
            key <<= cent_bits
            for at in range(0, len(key), _BLOCK):
                cents = money.values[at : at + _BLOCK].astype(np.int64)
                cents -= least
                key[at : at + _BLOCK] += cents
            del money
            key.sort()
            return _Packed(key, bits, bits + cent_bits, low, least, None, None)
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
    gain = None if profit is None else profit.values[order]
    return _Packed(key, bits, bits, low, 0, money.values[order], gain)


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
