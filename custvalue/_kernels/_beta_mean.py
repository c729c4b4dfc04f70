"""Expected orders when the chance of leaving varies by a beta law, right at every edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from custvalue._kernels._gammas import softplus
from custvalue._kernels._quadrature import legendre
from custvalue._typing import Floats

CELLS = 32_768  # rows x terms worked on at once
DROP = 42.0  # exp(-42) is below the last digit
STEP = 0.25  # of the trapezoid: error exp(-2 pi (pi / 2) / STEP)


def mean_over_beta(
    r: npt.ArrayLike, tau: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike
) -> Floats:
    """E[(1 - (1 + p tau)^-r) / p] for p ~ Beta(a, b).

    With ``tau = t / alpha`` this is the expected number of orders in t of a BG/NBD customer
    (Fader, Hardie & Lee 2005, eq. 9, in another form: theirs is 0/0 at a = 1 and takes logs of
    negative numbers where a + b < 1).

    Where it converges fast, ``-c expm1((a-1)L)/(a-1) - exp((a-1)L) S`` with ``z = tau/(1+tau)``,
    ``L = log(1-z)``, ``c = a+b-1`` and
    ``S = sum_k (c-r)_k (a)_{k-1} z^k / ((c+1)_{k-1} k!)``; elsewhere the integral over the logit of
    p, all of whose terms are positive.

    Parameters
    ----------
    r, tau, a, b : array-like of float, broadcast; r, a, b > 0, tau >= 0

    Returns
    -------
    ndarray

    Examples
    --------
    >>> from custvalue._kernels import mean_over_beta
    >>> float(mean_over_beta(1.0, 1.0, 1.0, 1.0).round(9))  # log(2)
    0.693147181
    """
    r, tau, a, b = (np.asarray(v, dtype=np.float64) for v in (r, tau, a, b))
    if tau.ndim == 2 and r.shape == a.shape == b.shape == tau.shape[1:]:
        several = _several(r, tau, a, b)
        if several is not None:
            return several
    if not r.shape == tau.shape == a.shape == b.shape:
        r, tau, a, b = np.broadcast_arrays(r, tau, a, b)
    shape = r.shape
    r, tau, a, b = (v.ravel() for v in (r, tau, a, b))
    c = a + b - 1.0
    easy = _easy(r, tau, tau, a, c)
    if easy.all():
        return _series(r, tau, a, c).reshape(shape)
    out = np.empty(r.shape)
    out[easy] = _series(r[easy], tau[easy], a[easy], c[easy])
    for method, rows in ((_trapezoid, ~easy & (a * b < 6.0 * (a + b))), (_panels, ~easy)):
        hard = np.flatnonzero(rows & ~easy)
        easy = easy | rows
        for lo in range(0, len(hard), 64):
            part = hard[lo : lo + 64]
            out[part] = method(r[part], tau[part], a[part], b[part])
    return out.reshape(shape)


def _easy(r: Floats, least: Floats, most: Floats, a: Floats, c: Floats) -> npt.NDArray[np.bool_]:
    """Where the series converges fast without cancelling, tau being from ``least`` to ``most``."""
    return (a < r + 2.0) & (r < c + 5.0) & (c < 100.0 * r) & (most < 19.0) & (least > 1e-300)


def _several(r: Floats, tau: Floats, a: Floats, b: Floats) -> Floats | None:
    """Several times ``tau[j]`` of the same rows, coefficients made once; None where that fails."""
    c = a + b - 1.0
    if not _easy(r, tau.min(axis=0), tau.max(axis=0), a, c).all():
        return None
    z = tau / (1.0 + tau)
    runs = _runs(r, a, c)
    shared = _in_runs(runs, r, z, a, c) if 0 < 8 * len(runs) <= len(r) else None
    return None if shared is None else _completed(-np.log1p(tau), a, c, shared)


def _completed(L: Floats, a: Floats, c: Floats, total: Floats) -> Floats:
    """Put the sum of the series and what stands before it together."""
    near = (a - 1.0) * L
    safe = np.where(near == 0.0, 1.0, near)
    first = -c * L * np.where(near == 0.0, 1.0, np.expm1(safe) / safe)
    return np.asarray(first - np.exp(near) * total)


def _series(r: Floats, tau: Floats, a: Floats, c: Floats) -> Floats:
    z = tau / (1.0 + tau)
    L = -np.log1p(tau)
    if len(r) == 1:
        one = _one_series(float(r[0]), float(z[0]), float(a[0]), float(c[0]))
        return _completed(L, a, c, np.array([one]))
    runs = _runs(r, a, c)
    if 0 < 8 * len(runs) <= len(r):
        shared = _in_runs(runs, r, z[None], a, c)
        if shared is not None:
            return _completed(L, a, c, shared[0])
    total = np.empty(len(r))
    lo = 0
    while lo < len(r):
        # terms fall at least like z^k: as many as the largest z of a block needs
        step = max(1, CELLS // _terms(float(z[lo : lo + 1024].max())))
        part = slice(lo, lo + min(step, 1024))
        k = np.arange(1.0, _terms(float(z[part].max())))
        p, a_, c_, z_ = ((c - r)[part, None], a[part, None], c[part, None], z[part, None])
        ratio = (p + k) * (a_ + k - 1.0)
        ratio /= (c_ + k) * (k + 1.0)
        ratio *= z_
        np.cumprod(ratio, axis=1, out=ratio)
        total[part] = (p * z_)[:, 0] * (1.0 + ratio.sum(axis=1))
        lo = part.stop
    return _completed(L, a, c, total)


def _runs(r: Floats, a: Floats, c: Floats) -> npt.NDArray[np.intp]:
    """First row of each stretch of rows that have ``r``, ``a`` and ``c`` in common."""
    new = np.ones(len(r), dtype=bool)
    new[1:] = (r[1:] != r[:-1]) | (a[1:] != a[:-1]) | (c[1:] != c[:-1])
    return np.flatnonzero(new)


def _in_runs(
    runs: npt.NDArray[np.intp], r: Floats, z: Floats, a: Floats, c: Floats
) -> Floats | None:
    """Sum the series with coefficients made once a run; None where they overflow without z^k.

    The distinct (x, T) of a day grid come in such runs: one for each number of orders. ``z`` has
    the shape (times, rows).
    """
    r, a, c = (v[runs, None] for v in (r, a, c))
    k = np.arange(1.0, _terms(float(z.max())))
    with np.errstate(over="ignore", invalid="ignore"):
        factors = np.cumprod((c - r + k) * (a + k - 1.0) / ((c + k) * (k + 1.0)), axis=1)
        if not np.abs(factors).max() < 1e250:
            return None
    by_power = np.ascontiguousarray(factors.T)
    run = np.zeros(z.shape[1], dtype=np.intp)
    run[runs[1:]] = 1
    np.cumsum(run, out=run)
    total = np.zeros(z.shape)
    for lo in range(0, z.shape[1], 1024):
        rows = slice(lo, lo + 1024)
        here, sums = z[:, rows], total[:, rows]
        # later times need more terms: Horner's rule takes in the earlier ones on its way down
        terms = np.maximum.accumulate([_terms(float(v)) - 1 for v in here.max(axis=1)])
        first = np.searchsorted(terms, np.arange(terms[-1]), side="right").tolist()
        times = np.bincount(run[rows] - run[lo])  # of each run from the first one here on
        some = by_power[: terms[-1], run[lo] : run[lo] + len(times)]
        table = np.repeat(some, times, axis=1)
        for j in range(len(table) - 1, -1, -1):
            later = sums[first[j] :]
            later += table[j]
            later *= here[first[j] :]
    total += 1.0
    total *= z
    total *= (c - r)[run, 0]
    return total


def _one_series(r: float, z: float, a: float, c: float) -> float:
    """Sum the series of one row: a plain loop is quicker than arrays of length one."""
    term = total = (c - r) * z
    for k in range(1, _terms(z)):
        term *= (c - r + k) * (a + k - 1.0) * z / ((c + k) * (k + 1.0))
        total += term
    return total


def _terms(z: float) -> int:
    return 12 if z <= 0 else min(12 + int(-39.0 / np.log(z)), 4000)


def _tails(r: Floats, tau: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Find the logits u beyond which the integrand is a plain exponential, and it there.

    Below ``low`` it is ``at_low exp(a (u - low))``, above ``high`` ``at_high exp(-b (u - high))``.
    """
    low = -(40.0 + np.log1p(tau * (r + 1.0)) + np.log1p(b))
    high = 40.0 + np.log1p(r + a)
    log_beta = betaln(a, b)
    full = -np.expm1(-r * np.log1p(tau))
    return low, high, r * tau * np.exp(a * low - log_beta), full * np.exp(-b * high - log_beta)


def _trapezoid(r: Floats, tau: Floats, a: Floats, b: Floats) -> Floats:
    """Equal steps in u over the whole line, exact to the last digit where no peak is sharp.

    The tails of the infinite sum are geometric series.
    """
    low, high, at_low, at_high = _tails(r, tau, a, b)
    n = int(np.ceil((high - low).max() / STEP))
    step = (high - low) / n
    u = low[:, None] + step[:, None] * np.arange(n + 1)
    e = np.exp(-np.abs(u))
    tail = np.log1p(e)
    log_p, log_q = np.minimum(u, 0.0) - tail, np.minimum(-u, 0.0) - tail
    some = -np.expm1(-r[:, None] * np.log1p(np.exp(log_p) * tau[:, None]))
    log_w = (a[:, None] - 1.0) * log_p + b[:, None] * log_q - betaln(a, b)[:, None]
    total = (np.exp(log_w) * some).sum(axis=1)
    for fall, end in ((a * step, at_low), (b * step, at_high)):
        total += end * np.exp(-fall) / -np.expm1(-fall)
    return np.where(tau > 1e-300, total * step, r * tau)


def _panels(r: Floats, tau: Floats, a: Floats, b: Floats) -> Floats:
    """Gauss-Legendre panels around the peak of the integrand, however sharp."""
    log_beta = betaln(a, b)

    def log_f(u: Floats) -> Floats:
        """Log of the integrand in the logit u of p; concave."""
        lp, lq = -softplus(-u), -softplus(u)
        some = -np.expm1(-_r * np.log1p(np.exp(lp) * _tau))
        return np.asarray(_a * lp + _b * lq + np.log(np.maximum(some, 1e-300)) - lp)

    low, high, at_low, at_high = _tails(r, tau, a, b)
    _r, _tau, _a, _b = r, tau, a, b
    mode = _peak(log_f, low, high)
    top = log_f(mode)
    left = _cut(log_f, mode, low, top - DROP)
    right = _cut(log_f, mode, high, top - DROP)
    nodes, weights = legendre(24, 16)
    _r, _tau, _a, _b = r[:, None], tau[:, None], a[:, None], b[:, None]
    total = np.zeros(len(r))
    for start, end in ((left, mode), (mode, right)):
        width = (end - start)[:, None]
        u = start[:, None] + width * nodes
        total += (np.exp(log_f(u) - top[:, None]) * weights * width).sum(axis=1)
    out = total * np.exp(top - log_beta)
    out += np.where(left <= low, at_low / a, 0.0) + np.where(right >= high, at_high / b, 0.0)
    return np.where(tau > 1e-300, out, r * tau)


def _peak(f: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    golden = 0.6180339887498949
    lo, hi = low.copy(), high.copy()
    for _ in range(70):
        x1, x2 = hi - golden * (hi - lo), lo + golden * (hi - lo)
        up = f(x1) < f(x2)
        lo, hi = np.where(up, x1, lo), np.where(up, hi, x2)
    return 0.5 * (lo + hi)


def _cut(f: Callable[[Floats], Floats], inside: Floats, outside: Floats, level: Floats) -> Floats:
    """Where the concave ``f`` falls to ``level`` between ``inside`` and ``outside``."""
    beyond = f(outside) < level
    lo, hi = inside.copy(), outside.copy()
    for _ in range(45):
        middle = 0.5 * (lo + hi)
        above = f(middle) >= level
        lo, hi = np.where(above, middle, lo), np.where(above, hi, middle)
    return np.where(beyond, hi, outside)
