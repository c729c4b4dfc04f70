"""Transitions that depend on age, on the season, or on any other column of the panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custvalue.markov._chain import Chain
from custvalue.markov._clock import Clock, face_of
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._roll import Roll
from custvalue.markov._sparse import Floats, csr, from_entries, row_sums, scale_rows

Ints = npt.NDArray[np.int64]

# Moves seen as expected that each factor starts from.
PRIOR_MOVES = 10.0


@dataclass(frozen=True, eq=False)
class Levels:
    """A chain for each level of a column, made from the chain of all by observed / expected.

    In one level all states of the same second class (the number of orders) have their chance of
    each first class (the recency) multiplied by moves seen / moves expected of the chain of all,
    and their reward by money seen / money expected. Within a first class moves are shared as in
    the chain of all. More than that the data of one level cannot bear: a row of its own for each
    state and level was tried, and the evidence drew it back to the chain of all.

    Age moves on by one each period, and with it a customer passes from level to level; ages past
    the last level's start stay in it. A column with a cycle goes round: a move has the level of
    the period it leads into. Every other column stays with the customer.

    Parameters
    ----------
    column : str
    cycle : int
        Periods after which the column's values repeat; 0 where it does not go round.
    starts : ndarray
        Values of the levels; of age: the age at which each level begins.
    level, after : ndarray of int, shape (n_faces,)
        As in ``Roll``. Faces are ages 0, 1, ..., or steps of the cycle, or the levels themselves.
    chains : tuple of Chain
    rewards : tuple of ndarray of shape (n_states,)
        Before contact costs.
    seen : tuple of ndarray of shape (n_alike, n_to)
        Moves behind each factor, the prior's included.
    alike, to : ndarray of int, shape (n_states,)
        Second and first class of each state, which the factors go by.
    entry : ndarray of shape (n_faces,)
        Share of new customers who begin at each face.
    """

    column: str
    cycle: int
    starts: Floats
    level: Ints
    after: Ints
    chains: tuple[Chain, ...]
    rewards: tuple[Floats, ...]
    seen: tuple[Floats, ...]
    alike: Ints
    to: Ints
    entry: Floats

    @classmethod
    def fit(
        cls,
        clock: Clock,
        moved: Ints,
        before: Ints,
        after: Ints,
        money: Floats,
        whole: Chain,
        classes: Ints,
        reward: Floats,
    ) -> Levels:
        """Learn from moves; ``moved`` is each one's level, ``classes`` has a row a state."""
        counts = [
            TransitionCounts.of(
                before[moved == k],
                after[moved == k],
                n_states=whole.n_states,
                reward=money[moved == k],
            )
            for k in range(len(clock.starts))
        ]
        matrix = whole.matrix if whole.is_sparse else csr(whole.matrix)
        to = np.unique(classes[:, 0], return_inverse=True)[1].ravel()
        alike = np.unique(classes[:, 1:2], axis=0, return_inverse=True)[1].ravel()
        n = len(classes)
        into = from_entries(np.ones(n), np.arange(n), to, n)
        group = from_entries(np.ones(n), alike, np.arange(n), n)
        expected_rows = csr(matrix @ into)
        n_alike, n_to = int(alike.max()) + 1, int(to.max()) + 1
        chains, rewards, behind = [], [], []
        for one in counts:
            seen = (group @ one.moves @ into)[:n_alike, :n_to].toarray()
            expected = (group @ scale_rows(expected_rows, one.n_out))[:n_alike, :n_to].toarray()
            factor = (seen + PRIOR_MOVES) / (expected + PRIOR_MOVES)
            mixed = csr(matrix.multiply(factor[alike][:, to]))
            mixed = scale_rows(mixed, 1.0 / row_sums(mixed))
            chains.append(Chain(whole.states, mixed if whole.is_sparse else mixed.toarray()))
            bring = group @ np.column_stack([one.money, one.n_out * reward])
            mean = max(float(one.money.sum()) / max(one.n_moves, 1.0), 1e-12)
            scale = (bring[:, 0] + PRIOR_MOVES * mean) / (bring[:, 1] + PRIOR_MOVES * mean)
            rewards.append(reward * scale[alike])
            behind.append(seen + PRIOR_MOVES)
        return cls(
            clock.column, clock.cycle, clock.starts, clock.level, clock.after, tuple(chains),
            tuple(rewards), tuple(behind), alike, to, clock.entry,
        )  # fmt: skip

    @property
    def reads(self) -> str:
        """Column of X that says where a row's clock stands."""
        return "period" if self.cycle else self.column

    def find(self, values: Floats) -> Ints:
        """Face of the clock for each value of the column ``reads``."""
        return face_of(self.column, self.cycle, self.starts, values)

    def scales(self, reward: Floats) -> tuple[Floats, ...]:
        """How many times the reward of the chain of all each level's is, by state."""
        some = reward != 0.0
        return tuple(np.where(some, own / np.where(some, reward, 1.0), 1.0) for own in self.rewards)

    def roll(self, cost: Floats) -> Roll:
        """Chains and rewards, contact costs taken off."""
        return Roll(self.chains, tuple(r - cost for r in self.rewards), self.level, self.after)
