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

from custvalue._fitted import FitReport
from custvalue._kernels import counts_of, log_rising, psi_rising
from custvalue._kernels._newton import Objective, Optimum, climb, covariance, maximise
from custvalue.exceptions import FitFailedError
from custvalue.spend._gamma_gamma_checks import boundaries

Array = npt.NDArray[np.float64]

BLOCK = 8192  # stays in cache, and below the size at which BLAS starts threads
FREQUENT = 50.0  # orders, or a p, beyond which sums of plain logs lose too many digits
RIDGE = 500.0  # p or q beyond this may be on their way to infinity
FIRST_SAMPLE = 1_000
SECOND_SAMPLE = 10_000
CLIMBS = 4
# promised squared Newton decrement below which one last step ends a climb over many rows
ENOUGH = 1e-7
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

    ``x`` orders, ``zbar`` their mean, ``w`` weights or None, ``unit`` the money theta counts in
    (the geometric mean of ``zbar``); ``n_x`` and ``xs`` the weighted histogram of ``x``; sums of
    ``w``, ``w x``, ``w x log(s / unit)``, ``w log zbar``.
    """

    x: Array
    zbar: Array
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
    log_z, ones = np.empty(BLOCK), np.ones(BLOCK)
    sum_w_log_z = sum_wx_log_z = 0.0
    for begin in range(0, x.size, BLOCK):
        part = slice(begin, begin + BLOCK)
        here, mean = x[part], zbar[part]
        logs = np.log(mean, out=log_z[: here.size])
        if w is None:
            sum_w_log_z += float(ones[: here.size] @ logs)
            sum_wx_log_z += float(here @ logs)
        else:
            sum_w_log_z += float(w[part] @ logs)
            sum_wx_log_z += float((w[part] * here) @ logs)
    xs, n_x = counts_of(x, w)
    sum_w, sum_wx = float(n_x.sum()), float(n_x @ xs)
    log_unit = sum_w_log_z / sum_w
    sum_wx_log_s = sum_wx_log_z - log_unit * sum_wx + float((n_x * xs) @ np.log(xs))
    unit = float(np.exp(log_unit))
    return Rows(x, zbar, w, xs, n_x, sum_w, sum_wx, sum_wx_log_s, sum_w_log_z, unit)


def objective(rows: Rows) -> Objective:
    """``theta = log (p, q, mu)`` -> mean log-likelihood, gradient, Hessian."""
    from scipy.special import gammaln, psi, zeta

    def evaluate(theta: Array) -> tuple[float, Array, Array]:
        p, q, mu = np.exp(theta)
        log_gamma = theta[2] + theta[1] - theta[0]
        a0, log_share, b0, b1, c0, c1 = _row_sums(rows, p, mu * q / p, log_gamma)
        px = p * rows.xs
        pxq = px + q
        n, nx = rows.n_x, rows.n_x * rows.xs
        # 1 / B(p x, q) by the smaller of both, so that nothing cancels
        few, many = np.minimum(px, q), np.maximum(px, q)
        log_beta = gammaln(few) - log_rising(many, few)
        value = float(-(n @ log_beta) + p * log_share - q * a0 - rows.sum_w_log_zbar)
        d_psi, d_tri = psi_rising(px, q)  # of p x + q less those of p x
        tri_pxq = zeta(2.0, pxq)  # the trigamma function
        g_p = float(nx @ d_psi) + log_share
        g_q = float(n @ psi(pxq)) - rows.sum_w * float(psi(q)) - a0
        g_w = q * rows.sum_w - (p * b1 + q * b0)
        h_pp = float((nx * rows.xs) @ d_tri)
        h_pq = float(nx @ tri_pxq)
        h_qq = float(n @ tri_pxq) - rows.sum_w * float(zeta(2.0, q))
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
    size = rows.x.size
    if start is not None:
        return climb(objective(rows), start, lower, upper), 1
    starts = [np.log([p, q, 1.0]) for p, q in STARTS]
    first = _sample(rows, FIRST_SAMPLE)
    # a part of the rows has to find the right hill only
    climbs, rough = (CLIMBS, 1e-14) if first is rows else (2, 1e-5)
    found = maximise(objective(first), starts, lower, upper, climbs=climbs, tol=rough)
    if first is rows:
        return found, len(starts)
    if size > 4 * SECOND_SAMPLE:
        second = _sample(rows, max(SECOND_SAMPLE, size // 10))
        found = climb(objective(second), found.theta, lower, upper, tol=ENOUGH)
    # from a tenth of many rows the second step of Newton's is exact to eight digits
    last = ENOUGH if size > 4 * SECOND_SAMPLE else 1e-14
    best = climb(objective(rows), found.theta, lower, upper, tol=last)
    if (best.theta[:2] > np.log(RIDGE)).any():  # nearly flat there: follow it to its end
        best = climb(objective(rows), best.theta, lower, upper)
    return best, len(starts)


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


def _row_sums(
    rows: Rows, p: float, gamma: float, log_gamma: float
) -> tuple[float, float, float, float, float, float]:
    """Sum log(1 + t), x log(t / (1 + t)), and s and s (1 - s), these also times x.

    t = S / gamma, s = 1 / (1 + t). The second sum is what is left of x log t and x log(1 + t): one
    log a customer serves both sums, except where t is large because orders are many or gamma (that
    is, 1 / p) small: there -x log(1 + 1 / t) is computed as such.
    """
    a0 = a1 = b0 = b1 = c0 = c1 = 0.0
    inverse = 1.0 / (gamma * rows.unit)
    exact = max(p, float(rows.xs[-1])) > FREQUENT
    # written in place, as fresh memory costs more; a product with ones is quicker than a sum
    up, log_up, ones = np.empty(BLOCK), np.empty(BLOCK), np.ones(BLOCK)
    for begin in range(0, rows.x.size, BLOCK):
        x = rows.x[begin : begin + BLOCK]
        u, lost = up[: x.size], log_up[: x.size]
        w = ones[: x.size]
        np.multiply(rows.zbar[begin : begin + BLOCK], x, out=u)
        if rows.w is not None:
            w = rows.w[begin : begin + BLOCK]
            x = w * x
        u *= inverse
        if exact:
            a0 += float(w @ np.log1p(u, out=lost))
            a1 += float(x @ np.log1p(np.reciprocal(u, out=lost), out=lost))
            u += 1.0
        else:
            u += 1.0
            np.log(u, out=lost)
            a0 += float(w @ lost)
            a1 += float(x @ lost)
        s = np.reciprocal(u, out=u)
        b0 += float(w @ s)
        b1 += float(x @ s)
        square = np.multiply(s, s, out=lost)
        c0 += float(w @ square)
        c1 += float(x @ square)
    log_share = -a1 if exact else rows.sum_wx_log_s - log_gamma * rows.sum_wx - a1
    return a0, log_share, b0, b1, b0 - c0, b1 - c1


def _sample(rows: Rows, size: int) -> Rows:
    n = rows.x.size
    if n <= 2 * size:
        return rows
    # a fixed draw: a fit must not depend on chance, nor on a pattern in the rows' order
    pick = np.random.default_rng(n).integers(0, n, size)
    x = rows.x[pick]
    sample = prepare(x, rows.zbar[pick], None if rows.w is None else rows.w[pick])
    # keep the money unit of all rows, so that theta means the same
    shift = float(np.log(sample.unit / rows.unit))
    log_s = sample.sum_wx_log_s + shift * sample.sum_wx
    return sample._replace(sum_wx_log_s=log_s, unit=rows.unit)


def conclude(
    best: Optimum, rows: Rows, starts: int, zbar: Array, notes: list[str]
) -> tuple[tuple[float, ...], FitReport]:
    """Parameters and the account of the fit, or the error of a search without an answer."""
    values, cov, unknown = natural(best, rows)
    facts = {
        "customers_with_repeat_orders": float(rows.sum_w),
        "repeat_orders": float(rows.sum_wx),
        "smallest_mean_spend": float(zbar.min()),
        "largest_mean_spend": float(zbar.max()),
        # enough to recognise the same rows, not enough to learn anything about one of them
        "sum_of_mean_spends": float(zbar.sum() if rows.w is None else zbar @ rows.w),
    }
    if not best.converged or not np.isfinite(values).all():
        shown = ", ".join(f"{k.replace('_', ' ')} {v:,.6g}" for k, v in facts.items())
        raise FitFailedError(
            f"Gamma-Gamma did not converge from {starts} starts: gradient norm "
            f"{best.gradient_norm:.1e} per customer after {best.iterations} iterations. "
            f"Data: {shown}."
        )
    if values[1] <= 1.0:
        infinite = (
            f"q = {values[1]:.3g} <= 1: the population's mean spend is infinite. "
            'predict offers statistic="median" and statistic="capped".'
        )
        notes = [*notes, infinite]
    reasons = boundaries(best)
    unsure = np.isnan(np.diag(cov)) | unknown
    report = FitReport(
        status="boundary" if reasons else "interior",
        boundary=reasons,
        undefined=tuple(n for n, u in zip(("p", "q", "gamma"), unsure, strict=True) if u),
        log_likelihood=float(best.value * rows.sum_w),
        gradient_norm=best.gradient_norm,
        iterations=best.iterations,
        evaluations=best.evaluations,
        starts=starts,
        n_customers=float(rows.sum_w),
        n_distinct=zbar.size,
        n_parameters=3,
        facts=facts,
        notes=tuple(notes),
        log_covariance=tuple(tuple(map(float, row)) for row in cov),
    )
    return tuple(map(float, values)), report
