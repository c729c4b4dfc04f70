"""Rows sorted by customer and time through one packed integer.

Sorting int64 values is several times faster than sorting indices or hashing groups, so customer,
time and cents (or row position) are packed into one integer, sorted in place, and unpacked.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats, Ints
from custvalue.data._intake import Intake
from custvalue.data._threads import each, row_blocks


class Sorted(NamedTuple):
    """Sorted rows: ``key`` is customer, ``tick_bits`` of the tick from ``low`` on, ``cent_bits``.

    Where cents are not in the key, ``cent_bits`` is 0 and ``money`` has them.
    """

    key: Ints
    tick_bits: int
    cent_bits: int
    low: int
    least: int
    money: Ints | Floats | None
    profit: Ints | Floats | None

    def cuts(self) -> list[int]:
        """Bounds of blocks of whole customers."""
        bits = self.tick_bits + self.cent_bits
        near = self.key[[some.start for some in row_blocks(len(self.key))]]
        begin = np.searchsorted(self.key, near >> bits << bits)
        return [int(at) for at in np.unique([*begin, len(self.key)])]

    def block(self, begin: int, end: int) -> tuple[Ints, Ints | Floats, Ints | Floats | None]:
        """Keys (customer and tick), money and profit of some rows."""
        key = self.key[begin:end]
        profit = None if self.profit is None else self.profit[begin:end]
        if self.money is not None:
            return key, self.money[begin:end], profit
        cents = key & ((1 << self.cent_bits) - 1)
        cents += self.least
        return key >> self.cent_bits, cents, profit


def sort_rows(rows: Intake) -> Sorted:
    """Sort by customer and tick, in the memory of the rows' codes.

    Cents themselves travel in the key where they fit, which saves fetching them in random order
    afterwards; else the row does, and money is fetched by it.
    """
    low, bits = rows.low, rows.tick_bits
    room = 63 - bits - int(rows.code.max()).bit_length()
    money, profit, tick, key = rows.money, rows.profit, rows.tick, rows.code
    rows.code = rows.tick = np.empty(0, dtype=np.int64)
    rows.money = money._replace(values=money.values[:0].copy())
    rows.profit = None if profit is None else profit._replace(values=profit.values[:0].copy())
    if money.exact and profit is None:
        least, cent_bits = int(money.low), money.bits
        if cent_bits <= room:
            _pack_in_place(key, bits, tick, low)
            _pack_in_place(key, cent_bits, money.values.view(np.int64), least)
            del money, tick
            _sort_in_place(key)
            return Sorted(key, bits, cent_bits, low, least, None, None)
    _pack_in_place(key, bits, tick, low)
    del tick
    row_bits = (len(key) - 1).bit_length()
    if row_bits > room:
        order = np.argsort(key, kind="stable")
        key = key[order]
    else:
        _pack_in_place(key, row_bits, np.arange(len(key)), 0)
        _sort_in_place(key)
        order = key & ((1 << row_bits) - 1)
        key >>= row_bits
    gain = None if profit is None else profit.values[order]
    return Sorted(key, bits, 0, low, 0, money.values[order], gain)


def _pack_in_place(key: Ints, bits: int, values: npt.NDArray[np.int64], low: int) -> None:
    """Append the low ``bits`` of ``values - low`` to every key, in place."""

    def work(some: slice) -> None:
        part = key[some]
        part <<= bits
        part += values[some]
        part -= low

    each(work, row_blocks(len(key)))


def _sort_in_place(key: Ints) -> None:
    """Sort in place, each half on its own once the middle is found."""
    if len(row_blocks(len(key))) < 3:
        key.sort()
        return
    middle = len(key) // 2
    key.partition(middle)
    each(np.ndarray.sort, [key[:middle], key[middle:]])


def changes(values: Ints) -> Ints:
    """Positions at which sorted values change, the first included."""
    new = np.empty(len(values), dtype=bool)
    new[:1] = True
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return np.flatnonzero(new)
