"""How far the numbers can be believed: posterior draws, second moments, intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, ndtri

from custvalue.markov._chain import Chain
from custvalue.markov._chain_math import solve
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._estimate import reward_noise
from custvalue.markov._levels import Levels
from custvalue.markov._roll import Roll
from custvalue.markov._sparse import Floats, csr, row_sums, scale_rows

Ints = npt.NDArray[np.int64]


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
    error: Floats | None = None,
    levels: Levels | None = None,
    cost: Floats | None = None,
    cells: tuple[Ints, Ints] | None = None,
) -> Floats:
    """Values by state under posterior draws of the matrix and of the rewards.

    Only moves that have a chance are drawn. Over an infinite horizon each draw is solved by
    refining with the inverse at the posterior mean, which needs a handful of products. ``error`` is
    the rewards' standard error. With
    ``levels`` each draw goes through them; ``cells`` are the faces and states that are asked for.
    """
    n = chain.n_states
    known = np.minimum(counts.n_out + min(weight, 1e12), 1e12)
    pattern = csr(chain.matrix).copy()
    pattern.sort_indices()
    starts, cols = pattern.indptr[:-1], pattern.indices
    rows = np.repeat(np.arange(n), np.diff(pattern.indptr))
    chance = pattern.data
    alpha = chance * np.maximum(known, 1e-9)[rows]
    if error is None:
        error = np.sqrt(reward_noise(counts) / (counts.n_out + 1.0))
    lead = 1.0 if at_start else delta
    inverse: Any = None
    if periods is None and not chain.is_sparse and levels is None:
        inverse = np.linalg.inv(np.eye(n) - delta * chain.dense())
    face, place = (np.zeros(n, dtype=np.int64), np.arange(n)) if cells is None else cells
    out = np.empty((n_draws, len(place)))
    beside = None if levels is None else DrawnLevels(levels, chain, reward, cost)
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
        r = reward + error * rng.standard_normal(n)
        if beside is not None:
            roll = beside.roll(drawn / total[rows], r, rng)
            out[d] = lead * roll.values(periods, delta)[face, place]
            continue
        if chain.is_sparse:
            matrix.data = drawn / total[rows]
        else:
            matrix[rows, cols] = drawn / total[rows]
        if inverse is not None:
            v = _refine(matrix, r, delta, inverse)
        elif periods is None:
            v = solve(matrix, r, delta)
        else:
            v = np.zeros(n)
            for _ in range(periods):
                v = r + delta * (matrix @ v)
        out[d] = lead * v[place]
    return out


class DrawnLevels:
    """Chains by level of a drawn chain of all; the factors of the levels are drawn too."""

    def __init__(self, levels: Levels, chain: Chain, reward: Floats, cost: Floats | None) -> None:
        self.levels = levels
        self.states = chain.states
        self.pattern = csr(chain.matrix).copy()
        self.pattern.sort_indices()
        rows = np.repeat(np.arange(chain.n_states), np.diff(self.pattern.indptr))
        self.cell = levels.alike[rows], levels.to[self.pattern.indices]
        self.cost = np.zeros(chain.n_states) if cost is None else cost
        self.scales = levels.scales(reward + self.cost)
        self.ratios = []
        for level in levels.chains:
            own = csr(level.matrix).copy()
            own.sort_indices()
            self.ratios.append(own.data / self.pattern.data)

    def roll(self, drawn: Floats, reward: Floats, rng: np.random.Generator) -> Roll:
        """Chains and rewards of one draw; ``drawn`` are the entries of its chain of all."""
        chains, rewards = [], []
        for ratio, seen, scale in zip(self.ratios, self.levels.seen, self.scales, strict=True):
            factor = rng.standard_gamma(seen) / seen
            matrix = self.pattern.copy()
            matrix.data = drawn * ratio * factor[self.cell]
            matrix = scale_rows(matrix, 1.0 / row_sums(matrix))
            chains.append(Chain(self.states, matrix))
            rewards.append((reward + self.cost) * scale - self.cost)
        return Roll(tuple(chains), tuple(rewards), self.levels.level, self.levels.after)


def draw_sums(
    value: Floats,
    scores: Floats,
    group: Ints,
    n_groups: int,
    n_draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Sum by group values that move with shared errors; shape (n_draws, n_groups)."""
    out = np.empty((n_draws, n_groups))
    # a draw's mean is the value: half the variance comes off the logarithm
    centre = value * np.exp(-0.5 * (scores**2).sum(axis=1))
    for d in range(n_draws):
        moved = centre * np.exp(scores @ rng.standard_normal(scores.shape[1]))
        out[d] = np.bincount(group, weights=moved, minlength=n_groups)
    return out


def groups_of(by: npt.ArrayLike | None, n: int) -> tuple[npt.NDArray[Any], Ints]:
    """Names of the groups, sorted, and the group of each row; one group ``"all"`` for None."""
    group = np.full(n, "all", dtype=object) if by is None else np.asarray(by)
    if group.shape != (n,):
        raise ValueError(f"by has shape {group.shape}; expected {(n,)}, a group a row.")
    names, at = np.unique(group, return_inverse=True)
    return names, at.ravel()


def cells_of(face: Ints, place: Ints) -> tuple[tuple[Ints, Ints], Ints]:
    """Distinct pairs of face and state, and the pair of each row."""
    pairs, back = np.unique(np.column_stack([face, place]), axis=0, return_inverse=True)
    return (pairs[:, 0], pairs[:, 1]), back.ravel()


def annuity(periods: int | None, delta: float) -> float:
    """Sum of δ^(h-1) over the periods."""
    if periods is None:
        if delta >= 1.0:
            raise ValueError("a contact cost for ever needs a discount rate above 0.")
        return 1.0 / (1.0 - delta)
    return float((delta ** np.arange(periods)).sum())


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


def normal_interval(mean: Floats, variance: Floats, tail: float) -> Floats:
    """Lower and upper end of each, shape (n, 2)."""
    reach = float(ndtri(1.0 - tail)) * np.sqrt(variance)
    return np.column_stack([mean - reach, mean + reach])


def log_normal_interval(value: Floats, error: Floats, tail: float) -> Floats:
    """Interval of amounts whose logs have a normal error, shape (n, 2)."""
    reach = np.exp(float(ndtri(1.0 - tail)) * error)
    return np.sort(np.column_stack([value / reach, value * reach]), axis=1)


def check_level(level: float) -> float:
    """Return a probability strictly between 0 and 1."""
    if not 0.0 < float(level) < 1.0:
        raise ValueError(f"level={level!r} must lie between 0 and 1.")
    return float(level)
