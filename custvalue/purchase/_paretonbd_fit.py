"""Mean log-likelihood of the Pareto/NBD with gradient and Hessian from the same 24 nodes."""

from __future__ import annotations

import numpy as np

from custvalue._kernels import Histories, Objective, bounds, counts_of, legendre, rising_sums
from custvalue._kernels._two_powers import NODES, PANEL
from custvalue.purchase._law import Floats, in_logs

ROWS = 8184 // NODES  # rows x nodes of a block stay in the processor's cache


def objective(rows: Histories) -> Objective:
    """Mean log-likelihood, gradient and Hessian in (log r, log alpha, log s, log beta).

    With ``J`` the odds of having left, a row is ``log_rising(r, x)``, logs of T, and
    ``log(1 + J)``. Derivatives of log J are moments of the integrand under itself: its first and
    second derivatives averaged over the time of leaving.
    """
    x, t_x, T, w = rows.x, rows.t_x, rows.T, rows.w
    n = float(w.sum())
    count, weight = counts_of(x, w)
    silence = T - t_x

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        r, alpha, s, beta = (float(v) for v in np.exp(theta))
        g, h = np.zeros(4), np.zeros((4, 4))
        value, g[0], h[0, 0] = rising_sums(r, count, weight)
        for lo in range(0, len(x), ROWS):
            part = slice(lo, lo + ROWS)
            value += _block(
                (r, alpha, s, beta), x[part], t_x[part], T[part], silence[part], w[part], g, h
            )
        return value / n, *in_logs(np.array([r, alpha, s, beta]), g / n, h / n)

    return evaluate


def _block(
    params: tuple[float, float, float, float],
    x: Floats,
    t_x: Floats,
    T: Floats,
    silence: Floats,
    w: Floats,
    g: Floats,
    h: Floats,
) -> float:
    """Add one block's weighted sums to ``g`` and ``h`` (upper half); return its value."""
    r, alpha, s, beta = params
    power = r + x
    end_a, end_b = 1.0 / (alpha + T), 1.0 / (beta + T)
    near_a, near_b = np.log1p(T / alpha), np.log1p(T / beta)
    value = -float(w @ (r * near_a + x * np.log(alpha + T) + s * near_b))
    wp = w * power
    g[0] -= w @ near_a
    g[1] += float(w.sum()) * r / alpha - wp @ end_a
    g[2] -= w @ near_b
    g[3] += s * (float(w.sum()) / beta - w @ end_b)
    h[0, 1] += float(w.sum()) / alpha - w @ end_a
    h[1, 1] += wp @ end_a**2 - float(w.sum()) * r / alpha**2
    h[2, 3] += float(w.sum()) / beta - w @ end_b
    h[3, 3] += s * (w @ end_b**2 - float(w.sum()) / beta**2)

    A, B = alpha + t_x, beta + t_x
    small, large = (A, B) if alpha <= beta else (B, A)
    p_small, p_large = (power, s + 1.0) if alpha <= beta else (s + 1.0, power)
    ratio = large / small
    _, stop, _ = bounds(
        np.broadcast_to(p_small, x.shape), np.broadcast_to(p_large, x.shape), ratio, silence / small
    )
    nodes, weights = legendre(NODES, max(1, int(np.ceil(stop.max(initial=0.0) / PANEL))))
    v = np.multiply.outer(nodes, stop)
    grown = np.expm1(v)
    other = np.log1p(grown / ratio)
    log_w = (1.0 - p_small) * v - p_large * other
    top = log_w.max(axis=0)
    log_w -= top
    W = np.exp(log_w, out=log_w)
    W *= weights[:, None]
    Z = W.sum(axis=0)
    W /= Z
    grown *= small
    L_a, L_b = (v, other) if alpha <= beta else (other, v)
    D_a, D_b = np.log1p(silence / A), np.log1p(silence / B)
    with np.errstate(divide="ignore"):
        log_odds = np.log(s * small * stop * Z / B)
    log_odds += top + power * D_a + s * D_b

    e = np.exp(-np.abs(log_odds))
    value += float(w @ (np.maximum(log_odds, 0.0) + np.log1p(e)))
    left = np.where(log_odds >= 0, 1.0, e) / (1.0 + e)
    in_a, in_b = grown + A, grown + B
    np.divide(1.0, in_a, out=in_a)
    np.divide(1.0, in_b, out=in_b)
    slope_a, slope_b = end_a - in_a, end_b - in_b
    U = (D_a - L_a, power * slope_a, (D_b + 1.0 / s) - L_b, s * slope_b - in_b)
    v_left = w * left
    W *= v_left  # from here on: how much each node counts in the totals
    flat = W.ravel()
    share = v_left > 0
    inverse = np.where(share, 1.0 / np.where(share, v_left, 1.0), 0.0)
    mean = []
    for i in range(4):
        WU = W * U[i]
        total = WU.sum(axis=0)
        g[i] += total.sum()
        mean.append(total * inverse)
        WU = WU.ravel()
        for j in range(i, 4):
            h[i, j] += np.dot(WU, U[j].ravel())
    out = v_left * left
    for i in range(4):
        for j in range(i, 4):
            h[i, j] -= np.dot(out * mean[i], mean[j])
    h[0, 1] += np.dot(flat, slope_a.ravel())
    h[1, 1] -= np.dot(flat, (U[1] * (end_a + in_a)).ravel())
    h[2, 2] -= float(v_left.sum()) / s**2
    h[2, 3] += np.dot(flat, slope_b.ravel())
    in_b *= in_b
    h[3, 3] += np.dot(flat, ((s + 1.0) * in_b - s * end_b**2).ravel())
    return value
