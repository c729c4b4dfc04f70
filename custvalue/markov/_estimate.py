"""Transition matrix and reward from counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln

from custvalue.markov._counts import TransitionCounts
from custvalue.markov._sparse import Floats, Sparse, csr, empty, from_entries, row_sums, scale_rows
from custvalue.markov._states import StateList


def pooled_moves(counts: TransitionCounts, states: StateList) -> Sparse:
    """Give each state the moves of all states of its first class: rows of shape (n, n).

    A move is the first class it leads to and the change in the other classes. States with the
    same first class share their moves; a move that would leave the known states is left out. A
    state whose class was never left gets the shares of all arrivals.
    """
    coo = counts.moves.tocoo()
    classes = states.classes
    origin, target = classes[coo.row], classes[coo.col]
    move = np.column_stack([origin[:, 0], target[:, 0], target[:, 1:] - origin[:, 1:]])
    kinds, which = np.unique(move, axis=0, return_inverse=True)
    times = np.bincount(which.ravel(), weights=coo.data, minlength=len(kinds))
    rows, cols, data = [], [], []
    for first in np.unique(classes[:, 0]).tolist():
        here = np.flatnonzero(classes[:, 0] == first)
        mine = kinds[:, 0] == first
        for kind, count in zip(kinds[mine], times[mine], strict=True):
            goal = np.column_stack([np.full(len(here), kind[1]), classes[here, 1:] + kind[2:]])
            place, known = states.locate(goal)
            rows.append(here[known])
            cols.append(place[known])
            data.append(np.full(int(known.sum()), count))
    n = len(states)
    pooled = empty(n)
    if rows:
        pooled = from_entries(np.concatenate(data), np.concatenate(rows), np.concatenate(cols), n)
    nothing = np.flatnonzero(row_sums(pooled) == 0)
    if len(nothing):
        arrivals = np.asarray(counts.moves.sum(axis=0)).ravel()
        to = np.flatnonzero(arrivals)
        n_rows = len(nothing)
        pooled = pooled + from_entries(
            np.tile(arrivals[to], n_rows), np.repeat(nothing, len(to)), np.tile(to, n_rows), n
        )
    return scale_rows(pooled, 1.0 / row_sums(pooled))


def mix_rows(counts: TransitionCounts, prior: Sparse, weight: float) -> Sparse:
    """Dirichlet posterior means (n_ij + κ π_ij) / (n_i + κ); a row never left is its prior."""
    n_out = counts.n_out
    if np.isinf(weight):
        return prior
    if weight == 0.0:
        unseen = (n_out == 0).astype(np.float64)
        mixed = counts.moves + scale_rows(prior, unseen)
        return scale_rows(mixed, 1.0 / np.where(n_out == 0, 1.0, n_out))
    mixed = counts.moves + weight * prior
    return scale_rows(mixed, 1.0 / (n_out + weight))


def evidence(counts: TransitionCounts, prior: Sparse, weight: float) -> float:
    """Log probability of the counted moves when row i is Dirichlet(κ π_i), up to a constant."""
    n_out = counts.n_out
    seen = counts.moves.tocoo()
    base = np.maximum(np.asarray(prior[seen.row, seen.col]).ravel(), 1e-300) * weight
    rows = n_out[n_out > 0]
    return float(
        (gammaln(weight) - gammaln(weight + rows)).sum()
        + (gammaln(base + seen.data) - gammaln(base)).sum()
    )


def fit_concentration(parts: Sequence[TransitionCounts], prior: Sparse) -> float:
    """Concentration κ with the greatest evidence over all parts, between 0.01 and a million."""

    def total(log_weight: float) -> float:
        return sum(evidence(counts, prior, float(np.exp(log_weight))) for counts in parts)

    low, high = np.log(1e-2), np.log(1e6)
    golden = 0.5 * (np.sqrt(5.0) - 1.0)
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = (total(v) for v in (left, right))
    for _ in range(40):
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = total(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = total(right)
    return float(np.exp(0.5 * (low + high)))


def mean_reward(
    counts: TransitionCounts,
    states: StateList,
    weight: float,
    expected: Floats | None = None,
    margin: Floats | None = None,
) -> Floats:
    """Estimate the reward of the next period by state, drawn to the mean of its first class.

    ``weight`` pseudo-observations of the class mean, or of ``expected`` where given; a state never
    left has the class mean, a class never left the mean of all. With margins by state the mean is
    of money per unit of margin, and each state's own margin is put on it.
    """
    n_out = counts.n_out
    share = np.ones(len(n_out)) if margin is None else margin
    first = np.unique(states.classes[:, 0], return_inverse=True)[1].ravel()
    class_n = np.bincount(first, weights=n_out * share)
    class_money = np.bincount(first, weights=counts.money)
    size = float((n_out * share).sum())
    overall = counts.money.sum() / size if size > 0.0 else 0.0
    class_mean = np.where(class_n > 0, class_money / np.where(class_n > 0, class_n, 1.0), overall)
    prior = class_mean[first] * share if expected is None else expected
    total = n_out + weight
    return np.where(
        total > 0, (counts.money + weight * prior) / np.where(total > 0, total, 1.0), prior
    )


def mean_square(counts: TransitionCounts) -> Floats:
    """Mean squared reward of a move by state; that of all moves where fewer than two were seen."""
    n = counts.n_out
    pooled = float(counts.money_squared.sum()) / max(counts.n_moves, 1.0)
    return np.where(n > 1, counts.money_squared / np.maximum(n, 1.0), pooled)


def reward_noise(counts: TransitionCounts) -> Floats:
    """Variance of the reward of a move around its state's mean."""
    mean = counts.money / np.maximum(counts.n_out, 1.0)
    return np.maximum(mean_square(counts) - mean * mean, 0.0)


def reward_error(counts: TransitionCounts, states: StateList, weight: float | None) -> Floats:
    """Say how sure ``mean_reward`` is of each state.

    ``weight`` observations of the laws' expectation are worth that many of the state's own. Without
    laws (None) a state starts from its first class, around which states spread as far as the money
    that was seen shows beyond its noise.
    """
    n, noise = counts.n_out, reward_noise(counts)
    if weight is not None:
        return np.sqrt(noise / np.maximum(n + weight, 1.0))
    first = np.unique(states.classes[:, 0], return_inverse=True)[1].ravel()
    class_n = np.bincount(first, weights=n)
    middle = (np.bincount(first, weights=counts.money) / np.maximum(class_n, 1.0))[first]
    some = n > 0
    apart = n[some] * (counts.money[some] / n[some] - middle[some]) ** 2 - noise[some]
    between = max(float(apart.sum()) / max(float(n.sum()), 1.0), 0.0)
    pooled = float(noise @ n) / max(float(n.sum()), 1.0)
    prior = between + pooled / np.maximum(class_n, 1.0)[first]
    return np.sqrt(1.0 / (n / np.maximum(noise, 1e-300) + 1.0 / np.maximum(prior, 1e-300)))


def mean_by_move(total: Sparse, counts: TransitionCounts, states: StateList, matrix: Any) -> Sparse:
    """Mean of what came with each move that ``matrix`` gives a chance.

    One pseudo-observation is the mean of all moves between the same two first classes; where they
    were never seen, of all moves into the second, else 0.
    """
    cells = csr(matrix).tocoo()
    first = np.unique(states.classes[:, 0], return_inverse=True)[1].ravel()
    n = int(first.max()) + 1

    def by_class(table: Sparse) -> tuple[Floats, Floats]:
        coo = table.tocoo()
        pairs = from_entries(coo.data, first[coo.row], first[coo.col], n)
        pair = np.asarray(pairs[first[cells.row], first[cells.col]]).ravel()
        return pair, np.asarray(pairs.sum(axis=0)).ravel()[first[cells.col]]

    (seen, into), (sums, sums_into) = by_class(counts.moves), by_class(total)
    general = np.where(into > 0, sums_into / np.where(into > 0, into, 1.0), 0.0)
    prior = np.where(seen > 0, sums / np.where(seen > 0, seen, 1.0), general)
    own_n = np.asarray(counts.moves[cells.row, cells.col]).ravel()
    own = np.asarray(total[cells.row, cells.col]).ravel()
    return from_entries((own + prior) / (own_n + 1.0), cells.row, cells.col, counts.n_states)
