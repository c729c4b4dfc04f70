"""How far the numbers can be believed: posterior draws, second moments, intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaincinv, ndtri

from custvalue.markov._chain import Chain
from custvalue.markov._chain_math import solve
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._sparse import Floats, csr


def draw_values(
    chain: Chain,
    counts: TransitionCounts,
    weight: float,
    reward: Floats,
    n_draws: int,
    periods: int | None,
    delta: float,
    at_start: bool,
    rng: np.random.Generator,
) -> Floats:
    """Values by state under posterior draws of the matrix and of the rewards.

    Only cells that have a chance are drawn. Over an infinite horizon each draw is solved by
    refining with the inverse at the posterior mean, which needs a handful of products.
    """
    n = chain.n_states
    known = np.minimum(counts.n_out + min(weight, 1e12), 1e12)
    pattern = csr(chain.matrix).copy()
    pattern.sort_indices()
    starts, cols = pattern.indptr[:-1], pattern.indices
    rows = np.repeat(np.arange(n), np.diff(pattern.indptr))
    chance = pattern.data
    alpha = chance * np.maximum(known, 1e-9)[rows]
    seen = np.maximum(counts.n_out, 1.0)
    mean = counts.money / seen
    variance = np.maximum(counts.money_squared / seen - mean * mean, 0.0)
    pooled = variance @ counts.n_out / max(counts.n_moves, 1.0)
    error = np.sqrt(np.where(counts.n_out > 1, variance, pooled) / (counts.n_out + 1.0))
    lead = 1.0 if at_start else delta
    inverse: Any = None
    if periods is None and not chain.is_sparse:
        inverse = np.linalg.inv(np.eye(n) - delta * chain.dense())
    out = np.empty((n_draws, n))
    matrix: Any = pattern.copy() if chain.is_sparse else np.zeros((n, n))
    for d in range(n_draws):
        drawn = rng.standard_gamma(alpha)
        total = np.add.reduceat(drawn, starts)
        # a row of tiny weights may draw nothing but zeros: it keeps its mean
        empty = total <= 0.0
        if empty.any():
            bad = empty[rows]
            drawn[bad] = chance[bad]
            total = np.add.reduceat(drawn, starts)
        if chain.is_sparse:
            matrix.data = drawn / total[rows]
        else:
            matrix[rows, cols] = drawn / total[rows]
        r = reward + error * rng.standard_normal(n)
        if inverse is not None:
            out[d] = lead * _refine(matrix, r, delta, inverse)
        elif periods is None:
            out[d] = lead * solve(matrix, r, delta)
        else:
            v = np.zeros(n)
            for _ in range(periods or 0):
                v = r + delta * (matrix @ v)
            out[d] = lead * v
    return out


def _refine(matrix: Floats, r: Floats, delta: float, inverse: Floats) -> Floats:
    v = inverse @ r
    scale = 1e-12 * max(float(np.abs(v).max()), 1e-300)
    for _ in range(60):
        step = inverse @ (r - (v - delta * (matrix @ v)))
        v = v + step
        size = float(np.abs(step).max())
        if size < scale:
            return v
        if not np.isfinite(size):
            break
    solved: Any = np.linalg.solve(np.eye(len(r)) - delta * matrix, r)
    return solved


def spike_and_gamma(mean: Floats, variance: Floats, none: Floats, tail: float) -> Floats:
    """Interval of an amount that is 0 with chance ``none``, else gamma; shape (n, 2).

    Where the mean is negative (contact costs) or nothing varies, normal instead.
    """
    out = np.empty((len(mean), 2))
    some = np.maximum(1.0 - none, 1e-12)
    inner = mean / some
    # Var = some (s² + inner²) - mean²
    spread = np.maximum((variance + mean * mean) / some - inner * inner, 1e-12 * (1 + inner**2))
    fits = mean > 0.0
    shape = np.where(fits, inner * inner / spread, 1.0)
    scale = np.where(fits, spread / np.where(fits, inner, 1.0), 1.0)
    for k, level in enumerate((tail, 1.0 - tail)):
        within = np.clip((level - none) / some, 0.0, 1.0)
        gamma = np.where(level <= none, 0.0, scale * gammaincinv(shape, within))
        normal = mean + ndtri(level) * np.sqrt(np.maximum(variance, 0.0))
        out[:, k] = np.where(fits, gamma, normal)
    return out


def normal_interval(mean: float, variance: float, tail: float) -> Floats:
    """Lower and upper end, shape (2,)."""
    reach = float(ndtri(1.0 - tail)) * np.sqrt(variance)
    return np.asarray([mean - reach, mean + reach])


def check_level(level: float) -> float:
    """Return a probability strictly between 0 and 1."""
    if not 0.0 < float(level) < 1.0:
        raise ValueError(f"level={level!r} must lie between 0 and 1.")
    return float(level)
