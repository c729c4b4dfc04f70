"""Roll chains forward and back where the chain in force may change from period to period.

A clock says which chain is in force: an age that grows by one a period, a season that goes round, a
channel that stays. One chain for all periods is the clock that stands still on a single face. All
tables have a row a face of the clock and a column a state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue.markov import _chain_math as _math
from custvalue.markov._chain import Chain
from custvalue.markov._sparse import Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Roll:
    """Chains by level, and how a clock leads through the levels.

    Parameters
    ----------
    chains : tuple of Chain
        One a level, over the same states.
    rewards : tuple of ndarray of shape (n_states,)
        Expected profit of the next period by state, one a level.
    level : ndarray of int, shape (n_faces,)
        The level in force for the move out of each face.
    after : ndarray of int, shape (n_faces,)
        The face that follows.
    """

    chains: tuple[Chain, ...]
    rewards: tuple[Floats, ...]
    level: Ints
    after: Ints

    @classmethod
    def of(cls, chain: Chain, reward: Floats) -> Roll:
        """One chain for all periods."""
        still = np.zeros(1, dtype=np.int64)
        return cls((chain,), (reward,), still, still)

    @property
    def shape(self) -> tuple[int, int]:
        """Faces and states."""
        return len(self.level), self.chains[0].n_states

    def values(self, periods: int | None, delta: float) -> Floats:
        """Rewards to come, the first one not discounted; shape (n_faces, n_states)."""
        if periods is None:
            return self._limit(delta)
        v = np.zeros(self.shape)
        for _ in range(periods):
            v = self._back(v, delta)
        return v

    def _back(self, v: Floats, delta: float) -> Floats:
        out = np.empty_like(v)
        for face, (level, after) in enumerate(zip(self.level, self.after, strict=True)):
            out[face] = self.rewards[level] + delta * (self.chains[level].matrix @ v[after])
        return out

    def _limit(self, delta: float) -> Floats:
        v = np.zeros(self.shape)
        rate = 1.0 / delta - 1.0
        still = self.after == np.arange(len(self.after))
        for face in np.flatnonzero(still):
            level = self.level[face]
            v[face] = self.chains[level].value(self.rewards[level], discount_rate=rate)
        if still.any():  # the others lead to a face that stands still: one more step back each
            for _ in range(len(still) - int(still.sum())):
                back = self._back(v, delta)
                v = np.where(still[:, None], v, back)
            return v
        if delta >= 1.0:
            raise ValueError(
                "an infinite horizon through a season that goes round needs a discount rate above "
                "0; give a horizon or a rate."
            )
        # one sweep against the clock takes a whole round, discounted by all its periods
        rounds = int(np.ceil(np.log(1e-13) / (len(still) * np.log(delta))))
        for _ in range(rounds):
            for at in range(len(still) - 1, -1, -1):
                now = self.level[at]
                later = self.chains[now].matrix @ v[self.after[at]]
                v[at] = self.rewards[now] + delta * later
        return v

    def moments(
        self, periods: int, delta: float, paid: tuple[Any, ...], noise: tuple[Floats, ...]
    ) -> tuple[Floats, Floats]:
        """Mean and variance of one customer's discounted money, the first not discounted.

        Parameters
        ----------
        periods : int
        delta : float
        paid : tuple of arrays of shape (n_states,) or (n_states, n_states)
            Mean money by state or by move, one a level.
        noise : tuple of ndarray of shape (n_states,)
            Variance around it.
        """
        parts = [
            _math.moment_parts(chain.matrix, mean, variance)
            for chain, mean, variance in zip(self.chains, paid, noise, strict=True)
        ]
        first, second = np.zeros(self.shape), np.zeros(self.shape)
        for _ in range(periods):
            later, later_square = first.copy(), second.copy()
            for face, (level, after) in enumerate(zip(self.level, self.after, strict=True)):
                first[face], second[face] = _math.moment_step(
                    parts[level], later[after], later_square[after], delta
                )
        return first, np.maximum(second - first * first, 0.0)

    def stay_within(self, matrices: tuple[Any, ...], periods: int) -> Floats:
        """Chance that all moves are among those of ``matrices`` (one a level, rows below one)."""
        chance = np.ones(self.shape)
        for _ in range(periods):
            later = chance.copy()
            for face, (level, after) in enumerate(zip(self.level, self.after, strict=True)):
                chance[face] = matrices[level] @ later[after]
        return np.clip(chance, 0.0, 1.0)

    def money_ahead(self, mass: Floats, periods: int) -> Floats:
        """Money expected in each coming period; ``mass`` counts customers by face and state."""
        out = np.empty(periods)
        for period in range(periods):
            out[period] = float((mass * np.stack(self.rewards)[self.level]).sum())
            moved = np.zeros_like(mass)
            for face, (level, after) in enumerate(zip(self.level, self.after, strict=True)):
                if mass[face].any():
                    moved[after] += self.chains[level].matrix.T @ mass[face]
            mass = moved
        return out

    def states_ahead(self, face: Ints, place: Ints, periods: int) -> Floats:
        """Chance of each state after ``periods`` periods, one row a pair of face and state."""
        chance = np.zeros((len(place), self.shape[1]))
        chance[np.arange(len(place)), place] = 1.0
        for _ in range(periods):
            for level in np.unique(self.level[face]):
                mine = self.level[face] == level
                chance[mine] = np.asarray(self.chains[level].matrix.T @ chance[mine].T).T
            face = self.after[face]
        return chance
