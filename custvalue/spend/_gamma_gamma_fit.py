"""Maximum likelihood for the Gamma-Gamma law: one pass over the customers an evaluation.

The likelihood needs each customer's ``S = x zbar`` once an evaluation (one log, one division); all
that depends on ``x`` alone is computed on the histogram of ``x``. The search is in logs of
``p``, ``q`` and ``mu = p gamma / q``: along the ridge where customers do not differ, ``q`` and
``gamma`` grow together and ``mu`` stays, so the ridge is one coordinate that runs into its bound.
"""

from __future__ import annotations

import numpy as np

from custvalue._kernels import Objective, log_beta_density, log_rising, psi_rising
from custvalue._typing import Floats, Values
from custvalue.likelihood._for_rooms import ByPair
from custvalue.spend._law import BLOCK, SpendRows, prepare

__all__ = ["TO_LOGS", "counted_objective", "derivatives", "objective", "prepare"]
FREQUENT = 50.0  # orders, or a p, beyond which sums of plain logs lose too many digits


def counted_objective(rows: SpendRows) -> Objective:
    """``objective`` with the density per geometric mean of spend instead of the user's money."""
    evaluate, lift = objective(rows), float(np.log(rows.unit))

    def counted(theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = evaluate(theta)
        return value + lift, gradient, hessian

    return counted


def objective(rows: SpendRows) -> Objective:
    """``theta = log (p, q, mu)`` -> mean log-likelihood, gradient, Hessian."""
    from scipy.special import gammaln, psi, zeta

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
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


def derivatives(
    p: Values, q: Values, gamma: Values, x: Floats, zbar: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log density of each row (note 025, eq. 1a) and its derivatives in (p, q, gamma)."""
    from scipy.special import zeta

    px = np.asarray(p * x, dtype=np.float64)
    total = x * zbar
    value = log_beta_density(px, q, total / gamma) - np.log(zbar)
    # s = gamma / (gamma + total): log s and log (1 - s) are what p x and q weigh
    share = gamma / (gamma + total)
    d_q, dd_q = psi_rising(px, q)
    d_x, dd_x = psi_rising(np.broadcast_to(np.asarray(q, dtype=np.float64), px.shape), px)
    both = -zeta(2.0, px + q)
    gradient = [
        x * (d_q + np.log1p(-share)),
        d_x + np.log(share),
        (q * (1.0 - share) - px * share) / gamma,
    ]
    hessian = {
        (0, 0): x * x * dd_q,
        (0, 1): -x * both,
        (0, 2): -x * share / gamma,
        (1, 1): dd_x,
        (1, 2): (1.0 - share) / gamma,
    }
    bend = -q * (1.0 - share) * (1.0 + share) + px * share * share
    hessian[2, 2] = bend / np.square(gamma)
    return value, gradient, hessian


# (log p, log q, log gamma) = TO_LOGS @ (log p, log q, log mu)
TO_LOGS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 1.0, 1.0]])


def _row_sums(
    rows: SpendRows, p: float, gamma: float, log_gamma: float
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
