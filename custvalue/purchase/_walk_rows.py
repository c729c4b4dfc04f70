"""Walks as a law takes them: stretches of time with encoded columns, and sums within customers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from custvalue._kernels import Histories
from custvalue._typing import Floats, Mask, Places

STRETCHES = 4096  # of a block: with their nodes they stay in the processor's cache


class Stretches(NamedTuple):
    """Time of several customers in which nothing that moves a rate changes.

    Parameters
    ----------
    start : ndarray of shape (n + 1,)
        Position of each customer's first stretch, and the number of all.
    length : ndarray of shape (k,)
    Z : ndarray of shape (k, n_labels)
        Encoded columns.
    """

    start: Places
    length: Floats
    Z: Floats

    @property
    def sizes(self) -> Places:
        """Stretches of each customer."""
        return np.diff(self.start)

    @property
    def owner(self) -> Places:
        """Customer of each stretch."""
        return np.repeat(np.arange(len(self.start) - 1), self.sizes)

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Cut customers, and their stretches, into parts that fit the cache."""
        n, lo = len(self.start) - 1, 0
        while lo < n:
            reach = int(np.searchsorted(self.start, self.start[lo] + STRETCHES, side="right")) - 1
            hi = min(max(reach, lo + 1), n)
            yield slice(lo, hi), slice(int(self.start[lo]), int(self.start[hi]))
            lo = hi


class WalkRows(NamedTuple):
    """Histories of customers, the stretches they are made of, and the columns at each order.

    Parameters
    ----------
    rows : Histories
    past : Stretches
        From the first order to the end of observation, cut at the last order.
    silent : ndarray of bool
        Which of them lie after the last order.
    orders : ndarray of shape (n, n_labels)
        Sum of the encoded columns over each customer's repeat orders.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import Histories
    >>> from custvalue.purchase._walk_rows import Stretches, WalkRows
    >>> past = Stretches(np.array([0, 2]), np.array([1.0, 3.0]), np.array([[0.0], [1.0]]))
    >>> one, no = np.ones(1), np.zeros(1)
    >>> history = Histories(no, no, 4.0 * one, one, None)
    >>> rows = WalkRows(history, past, np.ones(2, bool), no[:, None])
    >>> rows.taken(np.array([0, 0]), np.ones(2)).past.length
    array([1., 3., 1., 3.])
    """

    rows: Histories
    past: Stretches
    silent: Mask
    orders: Floats

    @property
    def n(self) -> float:
        """Sum of the weights."""
        return self.rows.n

    @property
    def size(self) -> int:
        """Number of customers."""
        return self.rows.size

    @property
    def w(self) -> Floats:
        """Weights."""
        return self.rows.w

    def counted(self, unit: float) -> WalkRows:
        """Give the rows with time counted in ``unit``."""
        past = self.past._replace(length=self.past.length / unit)
        return self._replace(rows=self.rows.counted(unit), past=past)

    def part(self, size: int) -> WalkRows:
        """Take a fixed random sample of the customers."""
        return self._drawn(np.random.default_rng(self.size), size)

    def drawn(self, rng: np.random.Generator) -> WalkRows:
        """Draw as many customers with replacement; those drawn often have more weight."""
        return self._drawn(rng, round(self.n))

    def _drawn(self, rng: np.random.Generator, size: int) -> WalkRows:
        counts = rng.multinomial(size, self.w / self.w.sum())
        some = np.flatnonzero(counts)
        return self.taken(some, counts[some].astype(np.float64))

    def taken(self, rows: Places, w: Floats) -> WalkRows:
        """Take some customers, and what each now weighs."""
        count = self.past.sizes[rows]
        start = np.append(0, np.cumsum(count))
        at = np.arange(start[-1]) - np.repeat(start[:-1], count)
        at += np.repeat(self.past.start[rows], count)
        past = Stretches(start, self.past.length[at], self.past.Z[at])
        return WalkRows(self.rows.taken(rows, w), past, self.silent[at], self.orders[rows])

    def merged(self) -> WalkRows:
        """Put neighbouring stretches of a customer together whose columns are equal."""
        past, Z = self.past, self.past.Z
        new = np.ones(len(Z), dtype=bool)
        new[1:] = (Z[1:] != Z[:-1]).any(axis=1) | (self.silent[1:] != self.silent[:-1])
        new[past.start[:-1][past.sizes > 0]] = True
        first = np.flatnonzero(new)
        if len(first) == len(Z):
            return self
        length = np.add.reduceat(past.length, first)
        start = np.append(0, np.cumsum(new))[past.start]
        return self._replace(
            past=Stretches(start, length, past.Z[first]), silent=self.silent[first]
        )


def before(values: Floats, start: Places, owner: Places) -> Floats:
    """Sum what lies before each stretch within its customer, along the last axis.

    Parameters
    ----------
    values : ndarray of shape (..., k)
    start : ndarray of shape (n,)
        First stretch of each customer; every one has one.
    owner : ndarray of shape (k,)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.purchase._walk_rows import before
    >>> before(np.array([1.0, 2.0, 4.0, 8.0]), np.array([0, 2]), np.array([0, 0, 1, 1]))
    array([0., 1., 0., 4.])
    """
    out = np.cumsum(values, axis=-1)
    out -= values
    out -= out[..., start][..., owner]
    return np.asarray(out)


def sums_by(values: Floats, owner: Places, n: int) -> Floats:
    """Sum of each customer's values, 0 where there are none; of shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.purchase._walk_rows import sums_by
    >>> sums_by(np.array([1.0, 2.0]), np.array([0, 2]), 3)
    array([1., 0., 2.])
    """
    return np.bincount(owner, values, minlength=n).astype(np.float64, copy=False)


def time_at(reached: Floats, owner: Places, pace: Floats, stretches: Stretches) -> Floats:
    """Time at which an operational time is reached that passes by ``pace`` in each stretch.

    Parameters
    ----------
    reached : ndarray of shape (m,)
        Operational times, within those of their customers.
    owner : ndarray of shape (m,)
    pace : ndarray of shape (k,)
        Operational time that passes in each stretch, above 0.
    stretches : Stretches

    Returns
    -------
    ndarray of shape (m,)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.purchase._walk_rows import Stretches, time_at
    >>> two = Stretches(np.array([0, 2]), np.array([1.0, 1.0]), np.zeros((2, 0)))
    >>> time_at(np.array([0.5, 2.0]), np.array([0, 0]), np.array([1.0, 4.0]), two)
    array([0.5 , 1.25])
    """
    ends, times = np.cumsum(pace), np.cumsum(stretches.length)
    begin = np.append(0.0, ends)[stretches.start[owner]]
    low, high = stretches.start[owner], stretches.start[owner + 1] - 1
    at = np.clip(np.searchsorted(ends, begin + reached, side="left"), low, high)
    share = np.clip((begin + reached - (ends[at] - pace[at])) / pace[at], 0.0, 1.0)
    since = np.append(0.0, times)[low]
    return np.asarray(times[at] - stretches.length[at] * (1.0 - share) - since)


def log_pace(Z: Floats, effects: Any, process: str) -> Floats:
    """Log of the factor on a rate of each row of encoded columns.

    Parameters
    ----------
    Z : ndarray of shape (k, n_labels)
    effects : Effects
    process : {"purchase", "leave"}

    Returns
    -------
    ndarray of shape (k,)
    """
    terms, labels = effects.of(process)
    return np.asarray(Z[:, labels] @ np.array([effects.values[i] for i in terms]))
