"""When money counts: stretches of a horizon and what an order in each of them is worth today."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from custvalue._kernels import legendre
from custvalue._typing import Floats
from custvalue._value_model import Terms


def stretches(terms: Terms, month: float, *, opportunities: bool = False) -> tuple[Floats, Floats]:
    """Cut the horizon into stretches whose orders, each times a factor, add up discounted.

    Parameters
    ----------
    terms : Terms
        With a horizon that ends.
    month : float
        Length of a month in the unit of the data: the scale on which expected orders bend.
    opportunities : bool, default=False
        Whether orders come at 1, 2, 3, ... only.

    Returns
    -------
    ends, factors : ndarray of shape (k,)

    Examples
    --------
    >>> from custvalue._value_model import Terms
    >>> from custvalue.value._discounting import stretches
    >>> stretches(Terms(3.0, 0.1), 1.0, opportunities=True)[1].round(3)
    array([0.905, 0.819, 0.741])
    """
    until, rate = terms.until, terms.rate
    if rate == 0.0 or until == 0.0:
        return np.array([until]), np.ones(1)
    ends, factors = _cut(until, rate, terms.timing, terms.period, month, opportunities)
    return ends.copy(), factors.copy()


@lru_cache(maxsize=64)  # a service asks for one row at a time, always under the same terms
def _cut(
    until: float, rate: float, timing: str, period: float, month: float, opportunities: bool
) -> tuple[Floats, Floats]:
    if opportunities:
        ends = np.arange(1.0, np.floor(until + 1e-9) + 1.0)
        return ends, np.exp(-rate * ends)
    at_end = np.exp(-rate * until)
    if timing == "continuous":
        # by parts: exp(-rate h) E(h) + rate * integral of exp(-rate t) E(t)
        y, w = legendre(8, 24)
        reach = np.log1p(until / month)
        times = month * np.expm1(reach * y)
        weights = rate * reach * w * (times + month) * np.exp(-rate * times)
    else:
        length = period
        starts = length * np.arange(max(int(np.ceil(until / length - 1e-9)), 1))
        ends = np.minimum(starts + length, until)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[timing]
        factors = np.exp(-rate * (starts + shift * (ends - starts)))
        # a factor on a stretch becomes weights on the orders expected by its two ends
        times, weights, at_end = ends[:-1], -np.diff(factors), factors[-1]
    times, weights = _fewer(times, weights, month)
    ends = np.append(times, until)
    return ends, np.cumsum(np.append(weights, at_end)[::-1])[::-1]


def _fewer(times: Floats, weights: Floats, month: float) -> tuple[Floats, Floats]:
    """Replace many weighted times by few: the Gauss rule of the same weights.

    Exact for polynomials in ``log(1 + t / month)``, in which expected orders are smooth; half a
    dozen nodes a year leave nothing to see, and each is one evaluation less for every customer.
    """
    y = np.log1p(times / month)
    n = int(np.ceil(2.0 + 1.2 * float(y.max(initial=0.0))))
    if times.size <= n or not ((weights > 0).all() or (weights < 0).all()):
        return times, weights
    # Lanczos on the diagonal matrix of the points, started from the roots of the weights
    total = float(weights.sum())
    basis = np.zeros((n + 1, y.size))
    basis[1] = np.sqrt(weights / total)
    diagonal, off = np.zeros(n), np.zeros(n)
    for j in range(n):
        here = basis[j + 1]
        diagonal[j] = here @ (y * here)
        rest = y * here - diagonal[j] * here - (off[j - 1] * basis[j] if j else 0.0)
        rest -= basis[1 : j + 2].T @ (basis[1 : j + 2] @ rest)
        off[j] = np.sqrt(rest @ rest)
        if j + 2 <= n:
            basis[j + 2] = rest / off[j]
    nodes, vectors = np.linalg.eigh(
        np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1)
    )
    return month * np.expm1(nodes), total * vectors[0] ** 2


def orders_in(orders_by: Callable[[float], Floats], ends: Floats, factors: Floats) -> Floats:
    """Sum the orders between successive ``ends``, each stretch times its factor.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.value._discounting import orders_in
    >>> orders_in(lambda t: 2.0 * np.ones(1) * t, [1.0, 3.0], [1.0, 0.5])
    array([4.])
    """
    before: Any = 0.0
    total: Any = 0.0
    for end, factor in zip(ends, factors, strict=True):
        now = orders_by(float(end))
        total, before = total + factor * (now - before), now
    return np.asarray(total, dtype=float)
