"""Pareto/NBD sums over rows on a time grid: one table per count instead of 24 nodes a row.

The integral over the time of leaving depends on a row by its limits and by x alone. For each
distinct x it is taken cell by cell of the grid and cumulated from the right; a row is then the
difference of two entries. Means under the integrand are such differences too; second moments,
which are needed in total only, come the other way round: how much each cell counts in the total is
gathered first and meets the nodes once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories, legendre
from custvalue._typing import Floats, Places

BLOCK = 8192
WIDEST = 0.7  # log time of a cell: the integrand's nearest pole is pi away
STEEPEST = 1.5  # fall of the log integrand in a cell that six nodes take to the last digit
GENTLE = 0.4  # and four
DEEPEST = 1200.0  # fall of the log integrand over the grid that a double holds, half above 1
ROW_COST = 300  # a row by quadrature costs about as much as this many nodes of a table
LARGEST = 4_000_000  # nodes of a table held at once


class Grid(NamedTuple):
    """Rows that go by tables.

    Attributes
    ----------
    x : ndarray of shape (d,)
        Distinct counts.
    place : ndarray of shape (n,)
        Each row's count in ``x``.
    start, end : ndarray of shape (n,)
        Last order and end of observation, in ticks.
    w : ndarray of shape (n,)
    tick : float
    """

    x: Floats
    place: Places
    start: Places
    end: Places
    w: Floats
    tick: float


class Mesh(NamedTuple):
    """Cells in log time ``log1p(y / min(alpha, beta))``; ``at[k]`` is the edge at tick k."""

    left: Floats
    width: Floats
    at: Places
    nodes: int


def split(rows: Histories) -> tuple[Grid | None, npt.NDArray[np.bool_]]:
    """Rows for which tables pay, and which rows are left to quadrature.

    A count that few rows share doesn't repay its table. Rows without silence have no time in which
    to have left, and are in neither part.
    """
    rest = rows.t_x < rows.T
    if rows.tick is None or not rest.any():
        return None, rest
    ticks = float(rows.T.max()) / rows.tick
    if rows.x.max() > 100_000 or ticks > 100_000:
        return None, rest
    count = rows.x.astype(np.intp)
    often = np.bincount(count[rest]) >= max(4.0, ticks / 64.0)
    often = np.append(often, np.zeros(int(rows.x.max()) + 1 - len(often), dtype=bool))
    tabled = rest & often[count]
    if not tabled.any():
        return None, rest
    x = np.flatnonzero(often)
    place = np.cumsum(often) - 1
    start, end = (np.rint(t[tabled] / rows.tick).astype(np.intp) for t in (rows.t_x, rows.T))
    grid = Grid(x.astype(np.float64), place[count[tabled]], start, end, rows.w[tabled], rows.tick)
    return grid, rest & ~tabled


def mesh_of(grid: Grid, params: tuple[float, float, float, float]) -> Mesh | None:
    """Cells of the grid, cut where the integrand bends or falls fast; None if rows are cheaper."""
    r, alpha, s, beta = params
    T = grid.tick * np.arange(int(grid.end.max()) + 1)
    p, q = r + float(grid.x[-1]), s + 1.0
    fall = p * np.log1p(T / alpha) + q * np.log1p(T / beta)
    if fall[-1] > DEEPEST:
        return None
    v = np.log1p(T / min(alpha, beta))
    width = np.diff(v)
    most = min(ROW_COST * len(grid.w), LARGEST) / (4 * len(grid.x))
    steep = np.diff(fall)
    pieces = np.maximum(np.ceil(np.maximum(width / WIDEST, steep / STEEPEST)), 1.0)
    if pieces.sum() > most:
        return None
    cuts = pieces.astype(np.intp)
    at = np.concatenate(([0], np.cumsum(cuts)))
    width /= pieces
    step = np.repeat(width, cuts)
    within = np.arange(at[-1]) - np.repeat(at[:-1], cuts)
    left = np.repeat(v[:-1], cuts) + within * step
    nodes = 4 if max(float(width.max()), float((steep / pieces).max())) <= GENTLE else 6
    return Mesh(left, step, at, nodes)


def log_odds_of(grid: Grid, mesh: Mesh, params: tuple[float, float, float, float]) -> Floats:
    """Log of P(left) / P(alive) of each row: the difference of two entries of a table."""
    f, _, _, scale = _integrand(grid, mesh, params)
    C = _from_the_right(f.sum(axis=0))
    inside = C[grid.place, mesh.at[grid.start]] - C[grid.place, mesh.at[grid.end]]
    return np.asarray(np.log(inside) + scale[grid.place, grid.end])


def grid_into(
    grid: Grid, mesh: Mesh, params: tuple[float, float, float, float], g: Floats, h: Floats
) -> float:
    """Add the sums of log(1 + J) to ``g`` and ``h`` (upper half); return their value.

    The integrand is written with ``log1p(y / alpha)`` and ``y / (alpha + y)`` (beta alike), which
    keep their digits when alpha or beta is far above or below the times.
    """
    r, alpha, s, beta = params
    p = r + grid.x
    f, basis, at_ends, scale = _integrand(grid, mesh, params)
    d, edges = len(p), len(mesh.left) + 1
    by_basis = (np.einsum("ndm,nm->dm", f, phi) for phi in basis)
    C, *S = (_from_the_right(cells).ravel() for cells in (f.sum(axis=0), *by_basis))
    ticks = scale.shape[1]
    first = grid.place * edges + mesh.at[grid.start]
    last = grid.place * edges + mesh.at[grid.end]
    part_of_cell = np.empty(len(first))
    value = 0.0
    slopes = (-1.0, 1.0 / alpha, -1.0, (s + 1.0) / beta)
    for lo in range(0, len(first), BLOCK):
        part = slice(lo, lo + BLOCK)
        a, b, place, end, w = (
            first[part],
            last[part],
            grid.place[part],
            grid.end[part],
            grid.w[part],
        )
        inside = C[a] - C[b]
        log_odds = np.log(inside) + scale.ravel()[place * ticks + end]
        e = np.exp(-np.abs(log_odds))
        value += float(w @ (np.maximum(log_odds, 0.0) + np.log1p(e)))
        left = np.where(log_odds >= 0, 1.0, e) / (1.0 + e)
        v = w * left
        E = [(t[a] - t[b]) / inside for t in S]
        part_of_cell[part] = v / inside
        La, ua, Lb, ub = (t[end] for t in at_ends)
        power = p[place]
        gone_a, gone_b = E[1] - ua, E[3] - ub
        mean = (
            La - E[0],
            power * gone_a / alpha,
            Lb - E[2] + 1.0 / s,
            (s * gone_b + E[3] - 1.0) / beta,
        )
        E[1] *= power
        still = v * (1.0 - left)
        for i in range(4):
            g[i] += v @ mean[i]
            vm, vE = still * mean[i], v * E[i]
            for j in range(i, 4):
                h[i, j] += vm @ mean[j] - slopes[i] * slopes[j] * (vE @ E[j])
        h[0, 1] += (v @ gone_a) / alpha
        h[1, 1] -= ((v * power) @ (ua * (ua - 2.0))) / alpha**2
        h[2, 2] -= float(v.sum()) / s**2
        h[2, 3] += (v @ gone_b) / beta
        h[3, 3] -= s * (v @ (1.0 - ub) ** 2) / beta**2

    steps = np.bincount(first, part_of_cell, d * edges)
    steps -= np.bincount(last, part_of_cell, d * edges)
    covered = np.cumsum(steps.reshape(d, edges), axis=1)[:, :-1]
    by_power = [np.einsum("ndm,dm->nm", f, covered * p[:, None] ** k) for k in range(3)]
    for i in range(4):
        for j in range(i, 4):
            density = by_power[(i == 1) + (j == 1)]
            h[i, j] += slopes[i] * slopes[j] * float(np.sum(density * basis[i] * basis[j]))
    ua, ub = basis[1], basis[3]
    h[1, 1] += float(np.sum(by_power[1] * ua * (ua - 2.0))) / alpha**2
    h[3, 3] += (s + 1.0) * float(np.sum(by_power[0] * (1.0 - ub) ** 2)) / beta**2
    return value


class Integrand(NamedTuple):
    """Scaled integrand at (nodes, counts, cells); ``scale`` (counts, ticks) undoes it."""

    f: Floats
    basis: tuple[Floats, Floats, Floats, Floats]
    at_ends: tuple[Floats, Floats, Floats, Floats]
    scale: Floats


def _integrand(grid: Grid, mesh: Mesh, params: tuple[float, float, float, float]) -> Integrand:
    r, alpha, s, beta = params
    small = min(alpha, beta)
    p = r + grid.x
    nodes, weights = legendre(mesh.nodes)
    y = small * np.expm1(mesh.left + np.multiply.outer(nodes, mesh.width))
    basis = _basis(y, alpha, beta)
    T: Floats = grid.tick * np.arange(len(mesh.at), dtype=np.float64)
    at_ends = _basis(T, alpha, beta)
    shift = 0.5 * (p * at_ends[0][-1] + (s + 1.0) * at_ends[2][-1])
    f = np.multiply.outer(-p, basis[0]).transpose(1, 0, 2).copy()
    f += shift[:, None]
    f -= ((s + 1.0) * basis[2])[:, None, :]
    np.exp(f, out=f)
    f *= (weights[:, None] * mesh.width * (small + y))[:, None, :]
    scale = np.log(s / beta) - shift[:, None] + np.multiply.outer(p, at_ends[0]) + s * at_ends[2]
    return Integrand(f, basis, at_ends, scale)


def _from_the_right(cells: Floats) -> Floats:
    """Sum the cells from each edge on, (counts, cells) to (counts, edges)."""
    table = np.zeros((len(cells), cells.shape[1] + 1))
    np.cumsum(cells[:, ::-1], axis=1, out=table[:, -2::-1])
    return table


def _basis(y: Floats, alpha: float, beta: float) -> tuple[Floats, Floats, Floats, Floats]:
    return np.log1p(y / alpha), y / (alpha + y), np.log1p(y / beta), y / (beta + y)
