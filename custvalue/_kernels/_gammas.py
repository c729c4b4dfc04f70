"""Ratios of gamma functions that neither overflow nor cancel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, psi, zeta

from custvalue._typing import Floats

LONGEST_TABLE = 100_000  # largest count up to which a table by count beats sorting
BLOCK = 8192

# B_2k / (2k (2k-1)): the tail of Stirling's series, exact to 1e-17 from 16 on
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_LARGE = 16.0
_FEW = 20_000  # counts up to which a rising factorial is cheapest factor by factor


def _stirling_tail(z: Floats) -> Floats:
    u = 1.0 / z
    w = u * u
    tail = np.zeros_like(z)
    for c in reversed(_STIRLING):
        tail = tail * w + c
    return tail * u


def log_rising(a: npt.ArrayLike, x: npt.ArrayLike) -> Floats:
    """Log of the rising factorial, ``gammaln(a + x) - gammaln(a)``, for a > 0 and x >= 0.

    The plain difference loses all digits where ``a`` is far larger than ``x`` (a ridge of the
    likelihood); from 16 on the two Stirling series are subtracted term by term instead.

    Examples
    --------
    >>> from custvalue._kernels import log_rising
    >>> float(round(log_rising(1e12, 3.0) - 3 * 27.631021115928547, 9))
    0.0
    """
    a = np.asarray(a, dtype=np.float64)
    x = np.asarray(x, dtype=np.float64)
    big = np.maximum(a, _LARGE)
    total = (big - 0.5) * np.log1p(x / big) + x * (np.log(big + x) - 1.0)
    total += _stirling_tail(big + x) - _stirling_tail(big)
    if np.all(a >= _LARGE):
        return np.asarray(total)
    plain = gammaln(a + x) - gammaln(a)
    return np.where(a >= _LARGE, total, plain)


# B_2k / 2k and B_2k: the tails of the series of psi and of its derivative
_PSI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)


def psi_rising(a: Floats, q: float | Floats) -> tuple[Floats, Floats]:
    """Return psi(a + q) - psi(a) and the difference of the trigammas, for a > 0 and q >= 0.

    Plain differences lose the digits that ``a`` has more than ``q``; from 16 on the two series are
    subtracted term by term instead.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import psi_rising
    >>> first, second = psi_rising(np.array([1.0, 1e9]), 2.0)
    >>> [float(v) for v in np.round(first * [1.0, 1e9], 6)], float(round(second[0], 6))
    ([1.5, 2.0], -1.25)
    """
    big = np.maximum(a, _LARGE)
    end = big + q
    u, v = big**-2.0, end**-2.0
    psi_tail = _series(_PSI, u) - _series(_PSI, v)
    first = np.log1p(q / big) + 0.5 * q / (big * end) + psi_tail
    tri_tail = _series(_TRIGAMMA, v) / end - _series(_TRIGAMMA, u) / big
    second = -q / (big * end) * (1.0 + 0.5 * (1.0 / big + 1.0 / end)) + tri_tail
    small = a < _LARGE
    if small.any():
        z, rest = a[small], np.broadcast_to(q, a.shape)[small]
        first[small] = psi(z + rest) - psi(z)
        second[small] = zeta(2.0, z + rest) - zeta(2.0, z)
    return first, second


def _series(coefficients: tuple[float, ...], u: Floats) -> Floats:
    total = np.zeros_like(u)
    for c in reversed(coefficients):
        total = (total + c) * u
    return total


def log_beta_ratio(a: npt.ArrayLike, b: npt.ArrayLike, m: npt.ArrayLike) -> Floats:
    """Log of ``B(a, b + m) / B(a, b)`` for a, b > 0 and m >= 0, the chance of m failures in a row.

    Rising factorials of the smaller of ``a`` and ``m`` are subtracted, so that no digits are lost
    however large the other is; ``m = inf`` gives -inf.

    Examples
    --------
    >>> from custvalue._kernels import log_beta_ratio
    >>> import numpy as np
    >>> np.exp(log_beta_ratio(1.0, 2.0, [0, 1, 1e300])).round(6)
    array([1.      , 0.666667, 0.      ])
    """
    a, b, m = (np.asarray(v, dtype=np.float64) for v in (a, b, m))
    few, many = np.minimum(a, m), np.maximum(a, m)
    ever = np.isinf(many)
    out = log_rising(b, few) - log_rising(b + np.where(ever, 1.0, many), few)
    return np.where(ever, -np.inf, np.minimum(out, 0.0))


def rising_sums(a: float, x: Floats, w: Floats) -> tuple[float, float, float]:
    """Weighted sums over ``x`` of log_rising(a, x) and its first two derivatives in ``a``.

    ``x`` is the list of distinct counts and ``w`` how often each occurs. The factor ``a + i`` is
    part of every rising factorial with ``x > i``, so that plain logs and reciprocals, each times
    the weight of all larger counts, take the place of special functions.
    """
    top = float(x.max(initial=0.0))
    if top == 0.0:
        return 0.0, 0.0, 0.0
    if top <= _FEW and np.array_equal(x, np.rint(x)):
        at = np.zeros(int(top) + 1)
        at[x.astype(np.intp)] = w
        above = at[:0:-1].cumsum()[::-1]
        factors = np.arange(top)
        factors += a
        inverse = 1.0 / factors
        first = above * inverse
        return float(above @ np.log(factors)), float(first.sum()), float(-(first @ inverse))
    if a >= 1e4:  # differences cancel there; psi and zeta are smooth enough for a midpoint series
        value = log_rising(a, x)
        z, half = a - 0.5 + x, a - 0.5
        first = np.log1p(x / half) + (1 / z**2 - 1 / half**2) / 24
        second = -x / (z * half) - (1 / z**3 - 1 / half**3) / 12
    else:
        value = gammaln(a + x) - gammaln(a)
        first = psi(a + x) - psi(a)
        second = zeta(2.0, a + x) - zeta(2.0, a)
    return float(np.dot(w, value)), float(np.dot(w, first)), float(np.dot(w, second))


def counts_of(x: Floats, w: Floats | None = None) -> tuple[Floats, Floats]:
    """Distinct counts in ``x`` and the weight of each; without ``w`` every row weighs one."""
    top = int(x.max()) if len(x) else 0
    if top > LONGEST_TABLE:
        distinct, where = np.unique(x, return_inverse=True)
        return distinct, np.bincount(where, weights=w).astype(np.float64)
    weight = np.zeros(top + 1)
    # blocks spare a whole column of integers, and pay while the table is no longer than they are
    step = BLOCK if top < BLOCK else max(len(x), 1)
    for lo in range(0, len(x), step):
        part = slice(lo, lo + step)
        count = x[part].astype(np.intp)
        weight += np.bincount(count, None if w is None else w[part], minlength=top + 1)
    values = np.flatnonzero(weight)
    return values.astype(np.float64), weight[values]


def softplus(q: Floats) -> Floats:
    """``log(1 + exp(q))`` without overflow."""
    return np.maximum(q, 0.0) + np.log1p(np.exp(-np.abs(q)))


def sigmoid(q: Floats) -> Floats:
    """``1 / (1 + exp(-q))`` without overflow."""
    e = np.exp(-np.abs(q))
    return np.where(q >= 0, 1.0, e) / (1.0 + e)


def rising_rows(a: npt.ArrayLike, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Log rising factorial of each row and its first two derivatives in ``a``.

    ``x`` counts, and ``a`` may differ from row to row: the first factors are taken one by one, each
    for the rows that have it, and what is left over by the series of large arguments.

    Parameters
    ----------
    a : float or ndarray of shape (n,)
    x : ndarray of shape (n,)

    Returns
    -------
    value, first, second : ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import rising_rows
    >>> [v.round(4).tolist() for v in rising_rows(2.0, np.array([0.0, 2.0]))]
    [[0.0, 1.7918], [0.0, 0.8333], [0.0, -0.3611]]
    """
    top = float(x.max(initial=0.0))
    if np.ndim(a) == 0 and top <= BLOCK and np.array_equal(x, np.rint(x)):
        factors = float(np.asarray(a)) + np.arange(top)
        table = np.zeros((3, len(factors) + 1))
        inverse = 1.0 / factors
        np.cumsum([np.log(factors), inverse, -inverse * inverse], axis=1, out=table[:, 1:])
        at = x.astype(np.intp)
        return table[0, at], table[1, at], table[2, at]
    z = np.broadcast_to(np.asarray(a, dtype=np.float64), x.shape)
    value, first, second = np.zeros((3, len(x)))
    rows = np.flatnonzero(x > 0.0)
    for j in range(int(min(top, _LARGE))):
        rows = rows[x[rows] > j]
        factor = z[rows] + float(j)
        value[rows] += np.log(factor)
        np.reciprocal(factor, out=factor)
        first[rows] += factor
        second[rows] -= factor * factor
    rows = np.flatnonzero(x > _LARGE)
    if len(rows):
        large, rest = z[rows] + _LARGE, x[rows] - _LARGE
        value[rows] += log_rising(large, rest)
        d, dd = psi_rising(large, rest)
        first[rows] += d
        second[rows] += dd
    return value, first, second
