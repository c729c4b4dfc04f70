"""From counted moves to the rows of a chain: pooled by class, shrunk by evidence."""

from __future__ import annotations

import numpy as np

from custvalue._sparse import Sparse, empty, from_entries, row_sums, scale_rows
from custvalue.chains import TransitionCounts
from custvalue.chains._for_rooms import StateList


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
