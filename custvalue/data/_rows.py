"""Rows of a log as a look at it takes them: codes, times and money, whole or not."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Dates, Floats, Ints, Mask
from custvalue.data._examination import SEVERITY, Finding
from custvalue.data._far_dates import Alone, alone, days_of
from custvalue.data._money import Money, minor_units, net
from custvalue.exceptions import first_ids

_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, eq=False)
class LooseRows:
    """Rows of a log, read as far as they can be.

    Parameters
    ----------
    code : ndarray of shape (n_rows,)
        Place of the customer in ``ids``; -1 where the row names nobody.
    ids : ndarray of shape (n_customers,)
        Customer ids, as text unless they are whole numbers.
    when : ndarray of shape (n_rows,)
        NaT where it cannot be read.
    money : ndarray of shape (n_rows,)
        NaN where it cannot be read.
    today : datetime64
    as_of : datetime64 or None
    file_lines : ndarray of shape (n_rows,) or None
    """

    code: Ints
    ids: npt.NDArray[Any]
    when: Dates
    money: Floats
    today: np.datetime64
    as_of: np.datetime64 | None = None
    file_lines: Any = None

    @property
    def n(self) -> int:
        """Rows of the log."""
        return len(self.code)

    @cached_property
    def all_days(self) -> Ints:
        """Day since 1970 of each row; the least integer where there is none."""
        return self.when.astype("datetime64[D]").astype(np.int64)

    @cached_property
    def future(self) -> Mask:
        """Rows dated after today; a day more is a zone's."""
        return ~np.isnat(self.when) & (self.when >= self.today + 2 * _DAY)

    @cached_property
    def odd(self) -> Alone | None:
        """Rows that stand alone, years away from all others."""
        days = self.all_days[~np.isnat(self.when) & ~self.future]
        return alone(*days_of(days)) if len(days) else None

    @cached_property
    def far(self) -> Mask:
        """Which rows stand alone."""
        if self.odd is None:
            return np.zeros(self.n, dtype=bool)
        dated = ~np.isnat(self.when) & ~self.future
        return dated & (self.all_days >= self.odd.first) & (self.all_days <= self.odd.last)

    @cached_property
    def at(self) -> Ints:
        """Places of the rows that can be counted on: with customer, money and a likely date."""
        good = (self.code >= 0) & ~np.isnat(self.when) & np.isfinite(self.money)
        good &= ~self.future & ~self.far
        if self.as_of is not None:
            good &= self.when < self.as_of + _DAY
        return np.flatnonzero(good)

    @cached_property
    def c(self) -> Ints:
        """Customers of these rows."""
        return self.code[self.at]

    @cached_property
    def d(self) -> Ints:
        """Days of these rows."""
        return self.all_days[self.at]

    @cached_property
    def m(self) -> Floats:
        """Money of these rows."""
        return self.money[self.at]

    @cached_property
    def _units(self) -> Money:
        return minor_units(self.m)

    def sums(self, of: Ints, n: int = 0) -> Floats:
        """Money of these rows by whole numbers ``of``, exact where amounts are decimals."""
        return np.asarray(self._units.worth(np.bincount(of, self._units.values, minlength=n)))

    @cached_property
    def each(self) -> Floats:
        """Money of each customer."""
        return self.sums(self.c, len(self.ids))

    @cached_property
    def counts(self) -> Ints:
        """Rows of each customer."""
        return np.bincount(self.c, minlength=len(self.ids))

    @cached_property
    def total(self) -> float:
        """Money of all these rows, refunds taken off."""
        return net(self.m)

    @cached_property
    def orders(self) -> tuple[Ints, Ints, Floats, Ints]:
        """Customer, day, money and order of each row: all of a customer on a day are one."""
        if not len(self.at):
            none = np.empty(0, dtype=np.int64)
            return none, none, np.empty(0), none
        low = int(self.d.min())
        span = int(self.d.max()) - low + 1
        key = self.c * span + (self.d - low)
        order = np.argsort(key, kind="stable")
        new = np.ones(len(key), dtype=bool)
        new[1:] = key[order][1:] != key[order][:-1]
        of = np.empty(len(key), dtype=np.int64)
        of[order] = np.cumsum(new) - 1
        first = order[new]
        worth = self.sums(of)
        return self.c[first], self.d[first], worth, of

    def whole(self, mask: Mask) -> Mask:
        """Turn a mask over the rows that count into one over all."""
        out = np.zeros(self.n, dtype=bool)
        out[self.at[mask]] = True
        return out

    def of_customers(self, customers: Mask) -> Mask:
        """All rows of some customers."""
        return np.append(customers, False)[self.code]

    def places(self, mask: Mask) -> tuple[str, ...]:
        """First rows in ``mask``: lines of a file, else positions from 0."""
        where = np.flatnonzero(mask)[:5]
        if self.file_lines is None:
            return first_ids(where)
        return first_ids(f"line {self.file_lines[i]}" for i in where)

    def _most(self, who: Ints) -> tuple[str, ...]:
        """Five customers with most of these rows; among equals the first by id, not by row."""
        count = np.bincount(who, minlength=1)
        some = np.flatnonzero(count)
        if len(some) > 5:
            least = np.partition(count[some], -5)[-5]
            some = some[count[some] >= least]
        best = heapq.nsmallest(
            5, some.tolist(), key=lambda i: (-count[i], len(str(self.ids[i])), str(self.ids[i]))
        )
        return first_ids(self.ids[i] for i in best)

    def found(
        self, code: str, mask: Mask, *, first: tuple[str, ...] | None = None, **values: Any
    ) -> Finding:
        """Make a finding of the rows in ``mask``, with the customers who have most unless named."""
        who = self.code[mask]
        who = who[who >= 0]
        money = self.money[mask]
        if first is None:
            first = self._most(who)
        return Finding(
            code,
            SEVERITY[code],
            int(mask.sum()),
            int(np.count_nonzero(np.bincount(who, minlength=1))) if len(who) else 0,
            net(money[np.isfinite(money)]),
            first,
            tuple(values.items()),
        )
