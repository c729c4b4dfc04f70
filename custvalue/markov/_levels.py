"""Transitions that depend on age, or on any other column of the panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custvalue.markov._chain import Chain
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._orders import spread
from custvalue.markov._sparse import Floats, csr, from_entries, row_sums, scale_rows

Ints = npt.NDArray[np.int64]

AGE = "age"
# Moves seen as expected that each factor starts from.
_PRIOR_MOVES = 10.0


@dataclass(frozen=True, eq=False)
class Levels:
    """A chain for each level of a column, made from the chain of all by observed / expected.

    In one level all states of the same second class (the number of orders) have their chance of
    each first class (the recency) multiplied by moves seen / moves expected of the chain of all,
    and their reward by money seen / money expected. Within a first class moves are shared as in
    the chain of all. More than that the data of one level cannot bear: a row of its own for each
    state and level was tried, and the evidence drew it back to the chain of all.

    Age moves on by one each period, and with it a customer passes from level to level; ages past
    the last level's start stay in it. Every other column stays with the customer.

    Parameters
    ----------
    column : str
    starts : ndarray
        Values of the levels; of age: the age at which each level begins.
    chains : tuple of Chain
    rewards : tuple of ndarray of shape (n_states,)
    """

    column: str
    starts: Floats
    chains: tuple[Chain, ...]
    rewards: tuple[Floats, ...]

    @classmethod
    def fit(
        cls,
        column: str,
        values: Floats,
        before: Ints,
        after: Ints,
        money: Floats,
        whole: Chain,
        classes: Ints,
        reward: Floats,
    ) -> Levels:
        """Learn from moves: ``values`` is the column before the move, ``first`` a class a state."""
        if column == AGE:
            starts = np.asarray(spread(int(values.max()) + 1)[:-1], dtype=np.float64)
            starts = starts[starts <= values.max()]
        else:
            starts = np.unique(values)
        level = _find(starts, values, column)
        counts = [
            TransitionCounts.of(
                before[level == k],
                after[level == k],
                n_states=whole.n_states,
                reward=money[level == k],
            )
            for k in range(len(starts))
        ]
        matrix = whole.matrix if whole.is_sparse else csr(whole.matrix)
        to = np.unique(classes[:, 0], return_inverse=True)[1].ravel()
        alike = np.unique(classes[:, 1:2], axis=0, return_inverse=True)[1].ravel()
        n = len(classes)
        into = from_entries(np.ones(n), np.arange(n), to, n)
        group = from_entries(np.ones(n), alike, np.arange(n), n)
        expected_rows = csr(matrix @ into)
        chains, rewards = [], []
        for one in counts:
            seen = (group @ one.moves @ into).toarray()
            expected = (group @ scale_rows(expected_rows, one.n_out)).toarray()
            factor = (seen + _PRIOR_MOVES) / (expected + _PRIOR_MOVES)
            mixed = csr(matrix.multiply(factor[alike][:, to]))
            mixed = scale_rows(mixed, 1.0 / row_sums(mixed))
            chains.append(Chain(whole.states, mixed if whole.is_sparse else mixed.toarray()))
            bring = group @ np.column_stack([one.money, one.n_out * reward])
            mean = max(float(one.money.sum()) / max(one.n_moves, 1.0), 1e-12)
            scale = (bring[:, 0] + _PRIOR_MOVES * mean) / (bring[:, 1] + _PRIOR_MOVES * mean)
            rewards.append(reward * scale[alike])
        return cls(column, starts, tuple(chains), tuple(rewards))

    def find(self, values: Floats) -> Ints:
        """Row of ``values()`` for each value of the column."""
        if self.column == AGE:
            return np.minimum(values, self.starts[-1]).astype(np.int64)
        return _find(self.starts, values, self.column)

    def values(self, periods: int | None, delta: float, cost: Floats) -> Floats:
        """Rewards to come, the first one not discounted; shape (n_rows, n_states).

        Rows are ages 0, 1, ... up to the last level's start, or the levels of another column.
        """
        rate = 1.0 / delta - 1.0
        paid = [r - cost for r in self.rewards]
        if self.column != AGE:
            last = None if periods is None else periods - 1
            if periods == 0:
                return np.zeros((len(paid), len(cost)))
            return np.stack(
                [
                    chain.value(r, horizon=last, discount_rate=rate)
                    for chain, r in zip(self.chains, paid, strict=True)
                ]
            )
        ages = np.arange(int(self.starts[-1]) + 1)
        level = _find(self.starts, ages.astype(np.float64), AGE)
        v = np.zeros((len(ages), len(cost)))
        if periods is None:
            v[-1] = self.chains[-1].value(paid[-1], discount_rate=rate)
            for a in range(len(ages) - 2, -1, -1):
                v[a] = paid[level[a]] + delta * (self.chains[level[a]].matrix @ v[a + 1])
            return v
        for _ in range(periods):
            later = np.vstack([v[1:], v[-1:]])
            v = np.stack(
                [paid[k] + delta * (self.chains[k].matrix @ later[a]) for a, k in enumerate(level)]
            )
        return v


def _find(starts: Floats, values: Floats, column: str) -> Ints:
    place = np.searchsorted(starts, values, side="right") - 1
    if column != AGE and np.any(starts[np.clip(place, 0, None)] != values):
        strange = np.unique(values[starts[np.clip(place, 0, None)] != values])[:5]
        raise ValueError(f"column {column!r} has values that fit did not see: {strange.tolist()}.")
    return np.clip(place, 0, len(starts) - 1)
