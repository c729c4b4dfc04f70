"""What follows from a transition matrix: long-run shares, visits, waiting times, moments, paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from custvalue._sparse import is_sparse, row_sums, times
from custvalue._typing import Floats, Ints, Mask

MOST_BY_HAND = 400  # states up to which a system is eliminated without subtractions


def solve(matrix: Any, right: Floats, delta: float = 1.0) -> Floats:
    """Solve (I - δP) v = right, dense or sparse."""
    n = matrix.shape[0]
    if is_sparse(matrix):
        identity: Any = sp.eye_array(n)
        return np.asarray(splu(sp.csc_array(identity - delta * matrix)).solve(right))
    return np.linalg.solve(np.eye(n) - delta * matrix, right)


def inside_solver(matrix: Any, inside: Ints) -> Callable[[Floats], Floats]:
    """Prepare to solve (I - Q) v = right, with Q the moves among ``inside``, which all get out.

    Digits of 1 - P_ii are lost where a state is hardly ever left; the chances of leaving it have
    them all. So the diagonal is the sum of the exits, and states are eliminated without a single
    subtraction (Grassmann, Taksar & Heyman 1985, Regenerative analysis and steady state
    distributions for Markov chains, Operations Research 33(5), 1107-1116).

    Returns
    -------
    callable
        Takes ``right``, of shape (n,) or (n, m), and gives v of the same shape.
    """
    n = len(inside)
    rows = matrix[inside]
    moves = _off_diagonal(rows[:, inside])
    outside = np.ones(matrix.shape[0], dtype=bool)
    outside[inside] = False
    out = row_sums(rows[:, np.flatnonzero(outside)]) if outside.any() else np.zeros(n)
    if n > MOST_BY_HAND:
        factor: Any = splu(sp.csc_array(sp.diags_array(row_sums(moves) + out) - moves))
        return lambda right: np.asarray(factor.solve(np.asarray(right, dtype=np.float64)))
    moves = moves.toarray() if is_sparse(moves) else moves
    out, exits = out.copy(), np.empty(n)
    for k in range(n - 1, -1, -1):
        exits[k] = moves[k, :k].sum() + out[k]
        moves[:k, k] /= exits[k]  # the share of moves into k that k passes on
        moves[:k, :k] += np.outer(moves[:k, k], moves[k, :k])
        out[:k] += moves[:k, k] * out[k]

    def solved(right: Floats) -> Floats:
        v = np.array(right, dtype=np.float64)
        for k in range(n - 1, -1, -1):
            v[:k] += np.multiply.outer(moves[:k, k], v[k])
        for k in range(n):
            v[k] = (v[k] + moves[k, :k] @ v[:k]) / exits[k]
        return v

    return solved


def solve_inside(matrix: Any, inside: Ints, right: Floats) -> Floats:
    """Solve (I - Q) v = right once; see `inside_solver`."""
    return inside_solver(matrix, inside)(right)


def _off_diagonal(matrix: Any) -> Any:
    """Return a copy without what stays."""
    if is_sparse(matrix):
        return sp.csr_array(matrix - sp.diags_array(matrix.diagonal()))
    return np.asarray(matrix) - np.diag(np.diagonal(matrix))


def classes(matrix: Any) -> tuple[Ints, Mask]:
    """Label the classes of states that reach each other, and say which are never left."""
    graph: Any = sp.csr_array(matrix, copy=True)  # a chain's own entries can't be written
    graph.eliminate_zeros()
    n_classes, label = connected_components(graph, directed=True, connection="strong")
    links = graph.tocoo()
    leaves = label[links.row] != label[links.col]
    closed = np.ones(n_classes, dtype=bool)
    closed[label[links.row[leaves]]] = False
    return label.astype(np.int64), closed


def stationary(matrix: Any) -> Floats:
    """Solve πP = π, Σπ = 1; the closed class must be one."""
    label, closed = classes(matrix)
    if closed.sum() != 1:
        raise ValueError(
            f"the chain has {int(closed.sum())} closed classes of states, so its long-run shares "
            "depend on where it starts; ask distribution(start, periods)."
        )
    inside = np.flatnonzero(closed[label])
    moves = _off_diagonal(matrix[inside][:, inside])
    moves = moves.toarray() if is_sparse(moves) else moves
    n, out = len(inside), np.zeros(matrix.shape[0])
    if n > MOST_BY_HAND:
        system = np.vstack([np.diag(moves.sum(axis=1)) - moves.T, np.ones(n)])
        share = np.linalg.lstsq(system, np.append(np.zeros(n), 1.0), rcond=None)[0]
        share = np.maximum(share, 0.0)
    else:  # eliminated without a subtraction, as in inside_solver
        share = np.ones(n)
        for k in range(n - 1, 0, -1):
            moves[:k, k] /= moves[k, :k].sum()
            moves[:k, :k] += np.outer(moves[:k, k], moves[k, :k])
        for k in range(1, n):
            share[k] = share[:k] @ moves[:k, k]
    out[inside] = share / share.sum()
    return out


def time_to(matrix: Any, target: Mask) -> Floats:
    """Count expected periods until a target state is entered; inf where it may never be."""
    n = matrix.shape[0]
    graph: Any = sp.csr_array(matrix)
    # who surely gets there: nobody who can reach a class that is closed and has no target
    label, closed = classes(_stop_at(graph, target))
    doomed = closed[label] & ~target
    reach = doomed.copy()
    while True:
        more = reach | ((np.asarray(graph @ reach.astype(np.float64)).ravel() > 0) & ~target)
        if np.array_equal(more, reach):
            break
        reach = more
    out = np.where(reach, np.inf, 0.0)
    go = np.flatnonzero(~reach & ~target)
    if len(go):
        out[go] = solve_inside(matrix, go, np.ones(len(go)))
    if target.any():
        # from a target state: one period, then the wait from wherever that leads
        rest = np.where(np.isinf(out), 0.0, out)
        lost = np.asarray(graph @ np.isinf(out).astype(np.float64)).ravel() > 0
        wait = 1.0 + np.asarray(graph @ np.where(target, 0.0, rest)).ravel()
        out[target] = np.where(lost, np.inf, wait)[target]
    return out.reshape(n)


def _stop_at(graph: Any, target: Mask) -> Any:
    stopped = graph.tolil(copy=True)
    for i in np.flatnonzero(target):
        stopped[i] = 0.0
        stopped[i, i] = 1.0
    return stopped.tocsr()


def moments(
    matrix: Any,
    mean: Any,
    variance: Any,
    horizon: int,
    delta: float,
) -> tuple[Floats, Floats]:
    """First and second moment of the discounted reward, G = Z + δ G' with Z paid on the move.

    E[G²] = Σ_j P_ij (S_ij + R_ij² + 2 δ R_ij v_j + δ² m_j), with R the mean and S the variance of
    the reward of a move (Sobel 1982, The variance of discounted Markov decision processes).
    """
    parts = moment_parts(matrix, mean, variance)
    first, second = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[0])
    for _ in range(horizon):
        first, second = moment_step(parts, first, second, delta)
    return first, second


class MomentParts(NamedTuple):
    """Matrix, mean and squared reward by state, and P_ij R_ij where the reward is by move."""

    matrix: Any
    mean: Floats
    square: Floats
    weighted: Any


def moment_parts(matrix: Any, mean: Any, variance: Any) -> MomentParts:
    """Prepare a step; ``mean`` is by state or by move, ``variance`` around it by state."""
    if getattr(mean, "ndim", 1) == 1:
        r = np.asarray(mean, dtype=np.float64)
        return MomentParts(matrix, r, r * r + variance, None)
    weighted = times(matrix, mean)
    return MomentParts(
        matrix, row_sums(weighted), row_sums(times(weighted, mean)) + variance, weighted
    )


def moment_step(
    parts: MomentParts, first: Floats, second: Floats, delta: float
) -> tuple[Floats, Floats]:
    """Both moments one period earlier."""
    r = parts.mean
    cross = r * (parts.matrix @ first) if parts.weighted is None else parts.weighted @ first
    square = parts.square + 2.0 * delta * cross + delta * delta * (parts.matrix @ second)
    return r + delta * (parts.matrix @ first), square


def walk(matrix: Any, start: Ints, periods: int, rng: np.random.Generator) -> Ints:
    """Draw one path a start: positions of shape (len(start), periods + 1)."""
    graph: Any = sp.csr_array(matrix)
    cumulative = np.cumsum(graph.data)
    begin = graph.indptr[:-1]
    before = np.concatenate([[0.0], cumulative])[begin]
    last = graph.indptr[1:] - 1
    path = np.empty((len(start), periods + 1), dtype=np.int64)
    path[:, 0] = start
    for h in range(periods):
        now = path[:, h]
        # rows lie behind each other in `cumulative`, so one search serves all of them
        at = np.searchsorted(cumulative, before[now] + rng.random(len(now)), side="right")
        path[:, h + 1] = graph.indices[np.clip(at, begin[now], last[now])]
    return path
