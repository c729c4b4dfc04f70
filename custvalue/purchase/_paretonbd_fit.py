"""Mean log-likelihood of the Pareto/NBD with gradient and Hessian, by tables or 24 nodes a row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels import (
    NODES,
    PANEL,
    Histories,
    Objective,
    bounds,
    counts_of,
    legendre,
    log_integrand,
    rising_sums,
    sigmoid,
    softplus,
)
from custvalue._typing import Floats, Places, Values
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase._law import in_logs, orders_by_row
from custvalue.purchase._paretonbd_grid import grid_into, mesh_of, split

CACHED = 8184  # rows x nodes of a block stay in the processor's cache
ROWS = CACHED // NODES
# nodes that suffice to 1e-13 where the integrand is no longer in log time, and falls no further
ENOUGH = ((12, 2.0, 6.0), (16, 3.0, 12.0), (NODES, np.inf, np.inf))
WHOLE = 8192
PAIRS = tuple((i, j) for i in range(4) for j in range(i, 4))


class Ends(NamedTuple):
    """Weight, and weight times count, of the rows that are observed to each T."""

    T: Floats
    w: Floats
    wx: Floats


def objective(rows: Histories, *, tables: bool = True) -> Objective:
    """Mean log-likelihood, gradient and Hessian in (log r, log alpha, log s, log beta).

    With ``J`` the odds of having left, a row is ``log_rising(r, x)``, logs of T, and
    ``log(1 + J)``. Derivatives of log J are moments of the integrand under itself: its first and
    second derivatives averaged over the time of leaving.
    """
    n = float(rows.w.sum())
    count, weight = counts_of(rows.x, rows.w)
    ends = _ends(rows)
    grid, rest = split(rows) if tables else (None, rows.t_x < rows.T)
    others = _taken(rows, rest)
    silent = others if grid is None else _taken(rows, rows.t_x < rows.T)

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        r, alpha, s, beta = (float(v) for v in np.exp(theta))
        params = r, alpha, s, beta
        g, h = np.zeros(4), np.zeros((4, 4))
        value, g[0], h[0, 0] = rising_sums(r, count, weight)
        for lo in range(0, len(ends.T), WHOLE):
            value += _stayed_into(params, Ends(*(v[lo : lo + WHOLE] for v in ends)), g, h)
        by_rows = silent
        if grid is not None and (mesh := mesh_of(grid, params)) is not None:
            value += grid_into(grid, mesh, params, g, h)
            by_rows = others
        for lo in range(0, len(by_rows.x), ROWS):
            x, t_x, T, w = (v[lo : lo + ROWS] for v in by_rows[:4])
            value += _block_into(params, x, t_x, T, w, g, h)
        return value / n, *in_logs(np.array([r, alpha, s, beta]), g / n, h / n)

    return evaluate


def _taken(rows: Histories, keep: npt.NDArray[np.bool_]) -> Histories:
    return Histories(rows.x[keep], rows.t_x[keep], rows.T[keep], rows.w[keep], rows.tick)


def _ends(rows: Histories) -> Ends:
    x, _, T, w, tick = rows
    if tick is None or not len(T) or T.max() > len(T) * tick:
        return Ends(T, w, w * x)
    at = np.rint(T / tick).astype(np.intp)
    total: Floats = np.bincount(at, w).astype(np.float64)
    total_x: Floats = np.bincount(at, w * x).astype(np.float64)
    return Ends(np.arange(len(total), dtype=np.float64) * tick, total, total_x)


def _stayed_into(
    params: tuple[float, float, float, float],
    ends: Ends,
    g: Floats,
    h: Floats,
) -> float:
    """Add the sums of the density of a customer who stayed, but for its rising factorial."""
    r, alpha, s, beta = params
    T, w, wx = ends
    total = float(w.sum())
    wp = r * w + wx
    end_a, end_b = 1.0 / (alpha + T), 1.0 / (beta + T)
    near_a, near_b = np.log1p(T / alpha), np.log1p(T / beta)
    g[0] -= w @ near_a
    g[1] += total * r / alpha - wp @ end_a
    g[2] -= w @ near_b
    g[3] += s * (total / beta - w @ end_b)
    h[0, 1] += total / alpha - w @ end_a
    h[1, 1] += wp @ end_a**2 - total * r / alpha**2
    h[2, 3] += total / beta - w @ end_b
    h[3, 3] += s * (w @ end_b**2 - total / beta**2)
    return -float(w @ (r * near_a + s * near_b) + wx @ np.log(alpha + T))


def derivatives(
    r: Values, alpha: Values, s: Values, beta: Values, x: Floats, t_x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log density of each row and its derivatives in (r, alpha, s, beta)."""
    value, (g_r, g_alpha), h = orders_by_row(r, alpha, x, T)
    near, end = np.log1p(T / beta), 1.0 / (beta + T)
    value = value - s * near
    gradient = [g_r, g_alpha, -near, s * (1.0 / beta - end)]
    h[2, 3] = 1.0 / beta - end
    h[3, 3] = s * (end * end - 1.0 / np.square(beta))
    rows = np.flatnonzero(t_x < T)  # without silence nobody has left
    of_r, of_alpha, of_s, of_beta = (
        np.broadcast_to(np.asarray(v, float), x.shape)[rows] for v in (r, alpha, s, beta)
    )
    total, slopes, bends = np.zeros(len(x)), np.zeros((4, len(x))), np.zeros((10, len(x)))
    form = _form(of_r, of_alpha, of_s, of_beta, x[rows], t_x[rows], T[rows])
    done = np.zeros(len(rows), dtype=bool)
    for nodes, longest, deepest in ENOUGH:
        alike = np.flatnonzero(~done & (form.stop <= longest) & (form.fall <= deepest))
        done[alike] = True
        for lo in range(0, len(alike), CACHED // nodes):
            some = alike[lo : lo + CACHED // nodes]
            own = of_r[some], of_alpha[some], of_s[some], of_beta[some]
            at = rows[some]
            total[at], slopes[:, at], by_pair = _left_by_row(*own, T[at], form.of(some), nodes)
            for k, pair in enumerate(PAIRS):
                bends[k, at] = by_pair[pair]
    for k, pair in enumerate(PAIRS):
        h[pair] = h[pair] + bends[k] if pair in h else bends[k]
    return value + total, [g + d for g, d in zip(gradient, slopes, strict=True)], h


class Form(NamedTuple):
    """What the integrand of each row is like, in log time.

    That time is log(1 + y / small), ``small`` the smaller of alpha + t_x and beta + t_x; ``first``
    says that it is alpha's. ``ratio`` is larger over smaller, ``stop`` is where nothing is left,
    and ``fall`` by how much the log of the integrand changes until there.
    """

    power: Floats
    silence: Floats
    first: npt.NDArray[np.bool_]
    small: Floats
    ratio: Floats
    p_small: Floats
    p_large: Floats
    stop: Floats
    fall: Floats

    def of(self, rows: Places) -> Form:
        """Take some rows."""
        some: Any = [v[rows] for v in self]
        return Form(*some)


def _form(
    r: Floats, alpha: Floats, s: Floats, beta: Floats, x: Floats, t_x: Floats, T: Floats
) -> Form:
    power, silence, first = r + x, T - t_x, alpha <= beta
    A, B = alpha + t_x, beta + t_x
    small, large = np.where(first, A, B), np.where(first, B, A)
    p_small, p_large = np.where(first, power, s + 1.0), np.where(first, s + 1.0, power)
    ratio = large / small
    mode, stop, _ = bounds(p_small, p_large, ratio, silence / small)
    top, end = (log_integrand(p_small, p_large, ratio, v) for v in (mode, stop))
    return Form(
        power, silence, first, small, ratio, p_small, p_large, stop, top - np.minimum(end, 0.0)
    )


def _left_by_row(
    r: Floats, alpha: Floats, s: Floats, beta: Floats, T: Floats, form: Form, n_nodes: int
) -> tuple[Floats, list[Floats], ByPair]:
    """Log(1 + J) of rows with silence, with derivatives; as ``_block_into``, each row its own."""
    power, silence, first, small, ratio, p_small, p_large, stop, _ = form
    end_a, end_b = 1.0 / (alpha + T), 1.0 / (beta + T)
    A, B = np.where(first, small, small * ratio), np.where(first, small * ratio, small)
    nodes, weights = legendre(n_nodes, max(1, int(np.ceil(stop.max(initial=0.0) / PANEL))))
    v = np.multiply.outer(nodes, stop)
    grown = np.expm1(v)
    other = np.log1p(grown / ratio)
    W = (1.0 - p_small) * v - p_large * other
    top = W.max(axis=0)
    W -= top
    np.exp(W, out=W)
    W *= weights[:, None]
    Z = W.sum(axis=0)
    W /= Z
    grown *= small
    L_a, L_b = np.where(first, v, other), np.where(first, other, v)
    D_a, D_b = np.log1p(silence / A), np.log1p(silence / B)
    with np.errstate(divide="ignore"):
        log_odds = np.log(s * small * stop * Z / B)
    log_odds += top + power * D_a + s * D_b
    left = sigmoid(log_odds)
    in_a, in_b = 1.0 / (grown + A), 1.0 / (grown + B)
    slope_a, slope_b = end_a - in_a, end_b - in_b
    U = (D_a - L_a, power * slope_a, (D_b + 1.0 / s) - L_b, s * slope_b - in_b)

    def mean(values: Floats, weights: Floats = W) -> Floats:
        return np.asarray(np.einsum("nm,nm->m", weights, values))

    weighed = [W * u for u in U]
    middle = [each.sum(axis=0) for each in weighed]
    h = {(i, j): left * (mean(U[j], weighed[i]) - left * middle[i] * middle[j]) for i, j in PAIRS}
    h[0, 1] += left * mean(slope_a)
    h[1, 1] -= left * mean(end_a + in_a, weighed[1])
    h[2, 2] -= left / s**2
    h[2, 3] += left * mean(slope_b)
    h[3, 3] += left * ((s + 1.0) * mean(in_b * in_b) - s * end_b**2)
    return softplus(log_odds), [left * m for m in middle], h


def _block_into(
    params: tuple[float, float, float, float],
    x: Floats,
    t_x: Floats,
    T: Floats,
    w: Floats,
    g: Floats,
    h: Floats,
) -> float:
    """Add the sums of log(1 + J) over one block to ``g`` and ``h`` (upper half); return theirs."""
    r, alpha, s, beta = params
    power, silence = r + x, T - t_x
    end_a, end_b = 1.0 / (alpha + T), 1.0 / (beta + T)
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
    value = float(w @ (np.maximum(log_odds, 0.0) + np.log1p(e)))
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
