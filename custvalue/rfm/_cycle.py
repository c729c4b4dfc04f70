"""The log's own cycle: how long customers with so many orders usually wait for the next one.

Letters: n orders of a customer, s the time from the first to the last of them, so that the mean gap
is s / (n - 1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels import quantile_cuts
from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

#: Customers whose gaps weigh as much as everybody's, where a class of order counts is small.
SHRINK = 20.0
#: Order counts up to this are classes of their own; beyond it each class is twice as wide.
ALONE = 8


class Cycle(NamedTuple):
    """Usual gaps between orders, by number of orders.

    Parameters
    ----------
    whole : float
        Median over repeat customers of their mean gap, in the unit of the log.
    orders : tuple of int
        Least number of orders of each class, ascending from 2.
    gaps : tuple of float
        Usual gap of each class: the median mean gap of its customers, drawn to ``whole``.
    customers : tuple of int
        Repeat customers of each class.

    Examples
    --------
    >>> Cycle(30.0, (2, 3), (40.0, 20.0), (5, 5)).whole
    30.0
    """

    whole: float
    orders: tuple[int, ...]
    gaps: tuple[float, ...]
    customers: tuple[int, ...]


def learn_cycle(n_orders: npt.ArrayLike, span: npt.ArrayLike) -> Cycle | None:
    """Usual gap by number of orders; None where nobody has two orders at two times.

    The usual gap of customers with n orders is the median of their mean gaps, drawn to the median
    of all repeat customers as if `SHRINK` more customers had that.

    Parameters
    ----------
    n_orders : array-like of shape (n,)
    span : array-like of shape (n,)
        Time from the first to the last order.

    Returns
    -------
    Cycle or None

    Examples
    --------
    >>> from custvalue.rfm._cycle import learn_cycle
    >>> learn_cycle([1, 2, 3], [0.0, 40.0, 40.0]).whole
    30.0
    """
    n, s = np.asarray(n_orders, dtype=np.float64), np.asarray(span, dtype=np.float64)
    again = (n > 1) & (s > 0)
    if not again.any():
        return None
    n, gap = n[again], s[again] / (n[again] - 1.0)
    whole = float(np.median(gap))
    level = np.where(n <= ALONE, n, ALONE * 2.0 ** np.ceil(np.log2(n / ALONE)))
    order = np.lexsort((gap, level))
    found, start = np.unique(level[order], return_index=True)
    parts = np.split(gap[order], start[1:])
    size = np.array([len(part) for part in parts])
    middle = np.array([np.median(part) for part in parts])
    drawn = (size * middle + SHRINK * whole) / (size + SHRINK)
    least = np.where(found <= ALONE, found, found / 2.0 + 1.0).astype(int)
    return Cycle(whole, tuple(least.tolist()), tuple(drawn.tolist()), tuple(size.tolist()))


def usual_gap(cycle: Cycle, n_orders: npt.ArrayLike, span: npt.ArrayLike) -> Floats:
    """Usual gap of each customer: the own mean, drawn to that of as many orders by one gap.

    A one-time buyer has no gap of the own and gets everybody's.

    Parameters
    ----------
    cycle : Cycle
    n_orders, span : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        Above 0.

    Examples
    --------
    >>> from custvalue.rfm._cycle import Cycle, usual_gap
    >>> usual_gap(Cycle(30.0, (2, 3), (40.0, 20.0), (5, 5)), [1, 2, 3], [0.0, 60.0, 10.0])
    array([30., 50., 10.])
    """
    n, s = np.asarray(n_orders, dtype=np.float64), np.asarray(span, dtype=np.float64)
    at = np.searchsorted(cycle.orders, n, side="right")  # 0: fewer than any class
    alike = np.array([cycle.whole, *cycle.gaps])[at]
    own = np.where(n > 1, s, 0.0)
    gaps = np.where((n > 1) & (s > 0), n - 1.0, 0.0)
    return np.asarray((own + alike) / (gaps + 1.0))


def check_spans(span: Floats, n_orders: Floats) -> None:
    """Refuse spans and order counts that no customer has."""
    problems = []
    for name, values, bad, must in (
        ("recency", span, span < 0, "0 or more: it is the time from the first to the last order"),
        ("n_orders", n_orders, n_orders < 1, "1 or more"),
    ):
        if bad.any():
            text = f"{name} is {values[bad][0]:g} in {int(bad.sum()):,} rows, first: row "
            text += first_ids(np.flatnonzero(bad))[0]
            cure = f"{name} must be {must}."
            problems.append(ContractProblem("impossible-history", text, cure))
    if problems:
        raise DataContractError(problems)


def cycle_cuts(n_bins: int) -> tuple[float, ...]:
    """Cut points in usual gaps: the first ``n_bins - 1`` of 1, 2, 3, 5, 8, 13, ...

    Within one usual gap nobody is late; each score further down covers a silence that is about
    half as long again.

    Examples
    --------
    >>> from custvalue.rfm._cycle import cycle_cuts
    >>> cycle_cuts(5)
    (1.0, 2.0, 3.0, 5.0)
    """
    cuts = [1.0, 2.0]
    while len(cuts) < n_bins - 1:
        cuts.append(cuts[-1] + cuts[-2])
    return tuple(cuts[: n_bins - 1])


def order_cuts(n_orders: npt.ArrayLike, n_bins: int) -> tuple[float, ...]:
    """Cut points of order counts: one order alone, then quantiles of the repeat customers.

    Every score can be had: cuts that would be tied lie one order apart.

    Parameters
    ----------
    n_orders : array-like of shape (n,)
    n_bins : int

    Returns
    -------
    tuple of float
        Ascending.

    Examples
    --------
    >>> from custvalue.rfm._cycle import order_cuts
    >>> order_cuts([1, 1, 1, 2, 2, 3, 9], 4)
    (1.0, 2.0, 3.0)
    """
    n = np.asarray(n_orders, dtype=np.float64)
    again = n[n > 1]
    if n_bins < 2:
        return ()
    rest = quantile_cuts(again, n_bins - 1) if len(again) else np.full(n_bins - 2, 1.0)
    cuts = [1.0]
    for cut in rest:
        cuts.append(float(max(cut, cuts[-1] + 1.0)))
    return tuple(cuts)
