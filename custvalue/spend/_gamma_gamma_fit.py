"""Maximum likelihood for the Gamma-Gamma law: one pass over the customers an evaluation.

The likelihood needs each customer's ``S = x zbar`` once an evaluation (one log, one division); all
that depends on ``x`` alone is computed on the histogram of ``x``. The climb is in logs of
``p``, ``q`` and ``mu = p gamma / q``: along the ridge where customers do not differ, ``q`` and
``gamma`` grow together and ``mu`` stays, so the ridge is one coordinate that runs into its bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels._newton import Objective, Optimum, climb, covariance, maximise

Array = npt.NDArray[np.float64]

BLOCK = 8192  # stays in cache, and below the size at which BLAS starts threads
FIRST_SAMPLE = 1_000
SECOND_SAMPLE = 10_000
CLIMBS = 4
LOWEST, HIGHEST_P, HIGHEST_Q = 1e-3, 1e6, 1e5
# (p, q) at mu = geometric mean of spend: regular and erratic buyers, alike and unlike customers
STARTS = (
    (6.0, 4.0),
    (1.0, 2.0),
    (0.2, 1.0),
    (0.3, 20.0),
    (30.0, 2.0),
    (2.0, 50.0),
    (300.0, 3.0),
    (0.5, 0.5),
)


class Rows(NamedTuple):
    """What the likelihood needs of the customers with repeat orders.

    ``x`` orders, ``s`` their total over the money unit ``unit``, ``w`` weights or None; ``n_x`` and
    ``xs`` the weighted histogram of ``x``; sums of ``w``, ``w x``, ``w x log s``, ``w log zbar``.
    """

    x: Array
    s: Array
    w: Array | None
    xs: Array
    n_x: Array
    sum_w: float
    sum_wx: float
    sum_wx_log_s: float
    sum_w_log_zbar: float
    unit: float


def prepare(x: Array, zbar: Array, w: Array | None) -> Rows:
    """Form the sums that every evaluation shares; spend is counted in its geometric mean."""
    log_z = np.log(zbar)
    sum_w = float(x.size if w is None else w.sum())
    sum_w_log_z = float(log_z.sum() if w is None else w @ log_z)
    log_unit = sum_w_log_z / sum_w
    unit = float(np.exp(log_unit))
    s = x * (zbar / unit)
    wx = x if w is None else w * x
    counts = np.bincount(x.astype(np.int64), weights=w)
    present = np.flatnonzero(counts)
    xs, n_x = present.astype(float), counts[present].astype(float)
    sum_wx = float(n_x @ xs)
    by_x_log = float((n_x * xs) @ np.log(xs))
    sum_wx_log_s = _dot(wx, log_z) - log_unit * sum_wx + by_x_log
    return Rows(x, s, w, xs, n_x, sum_w, sum_wx, sum_wx_log_s, sum_w_log_z, unit)


def objective(rows: Rows) -> Objective:
    """``theta = log (p, q, mu)`` -> mean log-likelihood, gradient, Hessian."""
    from scipy.special import betaln, polygamma, psi

    def evaluate(theta: Array) -> tuple[float, Array, Array]:
        p, q, mu = np.exp(theta)
        log_gamma = theta[2] + theta[1] - theta[0]
        a0, a1, b0, b1, c0, c1 = _row_sums(rows, mu * q / p)
        px = p * rows.xs
        pxq = px + q
        n, nx = rows.n_x, rows.n_x * rows.xs
        log_share = rows.sum_wx_log_s - log_gamma * rows.sum_wx - a1  # sum of x log(S/(gamma+S))
        value = float(-(n @ betaln(px, q)) + p * log_share - q * a0 - rows.sum_w_log_zbar)
        psi_pxq, tri_pxq = psi(pxq), polygamma(1, pxq)
        g_p = float(nx @ (psi_pxq - psi(px))) + log_share
        g_q = float(n @ psi_pxq) - rows.sum_w * float(psi(q)) - a0
        g_w = q * rows.sum_w - (p * b1 + q * b0)
        h_pp = float((nx * rows.xs) @ (tri_pxq - polygamma(1, px)))
        h_pq = float(nx @ tri_pxq)
        h_qq = float(n @ tri_pxq) - rows.sum_w * float(polygamma(1, q))
        g = np.array([p * g_p, q * g_q, g_w])
        h = np.array(
            [
                [p * p * h_pp + p * g_p, p * q * h_pq, -p * b1],
                [p * q * h_pq, q * q * h_qq + q * g_q, q * (rows.sum_w - b0)],
                [-p * b1, q * (rows.sum_w - b0), -(p * c1 + q * c0)],
            ]
        )
        n_all = rows.sum_w
        return value / n_all, (TO_LOGS.T @ g) / n_all, (TO_LOGS.T @ h @ TO_LOGS) / n_all

    return evaluate


# (log p, log q, log gamma) = TO_LOGS @ (log p, log q, log mu)
TO_LOGS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 1.0, 1.0]])


def fit(rows: Rows, start: Array | None = None) -> tuple[Optimum, int]:
    """Find the highest summit (on 1,000 rows, then 10,000, then all) and the number of starts."""
    lower = np.log([LOWEST, LOWEST, 1e-12])
    upper = np.log([HIGHEST_P, HIGHEST_Q, 1e12])
    n_starts = 1
    size = rows.x.size
    if start is None:
        starts = [np.log([p, q, 1.0]) for p, q in STARTS]
        n_starts = len(starts)
        first = _sample(rows, FIRST_SAMPLE)
        found = maximise(objective(first), starts, lower, upper, climbs=CLIMBS)
        if first is rows:
            return found, n_starts
        start = found.theta
        if size > 4 * SECOND_SAMPLE:
            second = _sample(rows, SECOND_SAMPLE)
            start = climb(objective(second), start, lower, upper).theta
    return climb(objective(rows), start, lower, upper), n_starts


def natural(best: Optimum, rows: Rows) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """Return (p, q, gamma) in the user's money, the covariance of their logs, and what is held.

    On the ridge of equal customers neither q nor gamma has a standard error, where orders of a
    customer do not differ neither p nor gamma.
    """
    logs = TO_LOGS @ best.theta
    logs[2] += np.log(rows.unit)
    held = best.on_lower | best.on_upper
    in_theta = covariance(best.hessian, rows.sum_w, held)
    free = ~held
    cov = np.full((3, 3), np.nan)
    known = free.copy()
    known[2] = bool(free.all())
    full = np.where(np.isnan(in_theta), 0.0, in_theta)
    if np.isfinite(in_theta[np.ix_(free, free)]).all():
        cov_all = TO_LOGS @ full @ TO_LOGS.T
        cov[np.ix_(known, known)] = cov_all[np.ix_(known, known)]
    return np.exp(logs), cov, ~known


def _row_sums(rows: Rows, gamma: float) -> tuple[float, float, float, float, float, float]:
    """Sum log1p(t), s and s (1 - s), each also times x; t = S / gamma, s = 1 / (1 + t)."""
    a0 = a1 = b0 = b1 = c0 = c1 = 0.0
    inverse = 1.0 / gamma
    for begin in range(0, rows.x.size, BLOCK):
        block = slice(begin, begin + BLOCK)
        x = rows.x[block]
        t = rows.s[block] * inverse
        lost = np.log1p(t)
        t += 1.0
        s = np.reciprocal(t, out=t)
        if rows.w is None:
            c = s * s
            a0 += float(np.add.reduce(lost))
            b0 += float(np.add.reduce(s))
            c0 += float(np.add.reduce(c))
        else:
            w = rows.w[block]
            x = x * w
            c = s * s
            a0 += float(w @ lost)
            b0 += float(w @ s)
            c0 += float(w @ c)
        a1 += float(x @ lost)
        b1 += float(x @ s)
        c1 += float(x @ c)
    return a0, a1, b0, b1, b0 - c0, b1 - c1


def _sample(rows: Rows, size: int) -> Rows:
    n = rows.x.size
    if n <= 2 * size:
        return rows
    # a fixed draw: a fit must not depend on chance, nor on a pattern in the rows' order
    pick = np.random.default_rng(n).integers(0, n, size)
    x, zbar = rows.x[pick], rows.s[pick] / rows.x[pick]
    sample = prepare(x, zbar, None if rows.w is None else rows.w[pick])
    # keep the money unit of all rows, so that theta means the same
    shift = np.log(sample.unit)
    return sample._replace(
        s=sample.s * sample.unit,
        sum_wx_log_s=sample.sum_wx_log_s + shift * sample.sum_wx,
        unit=rows.unit,
    )


def _dot(a: Array, b: Array) -> float:
    total = 0.0
    for begin in range(0, a.size, BLOCK):
        total += float(a[begin : begin + BLOCK] @ b[begin : begin + BLOCK])
    return total
