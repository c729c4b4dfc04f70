"""Transition counts: all that a chain has to know of the data, and it adds up over partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue.markov._sparse import Floats, Sparse, from_entries, row_sums

# Below this many cells one dense bincount is faster than sorting pairs.
_DENSE_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class TransitionCounts:
    """Moves between states, and the money that came with them.

    The sufficient statistic of a chain and its reward. Counts of disjoint sets of customers add
    up (``a + b``) to the counts of all of them, so a fit may be spread over partitions.

    Parameters
    ----------
    moves : sparse array of shape (n, n)
        ``moves[i, j]``: how often state j followed state i one period later.
    money : ndarray of shape (n,)
        Sum, over the moves out of each state, of the reward earned in the period they lead into.
    money_squared : ndarray of shape (n,)
        Sum of the squares of the same rewards.
    money_by_move : sparse array of shape (n, n) or None, default=None
        The same rewards summed by move, where they were asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.markov import TransitionCounts
    >>> one = TransitionCounts.of([0, 1, 1], [1, 1, 0], n_states=2)
    >>> (one + one).moves.toarray().tolist()
    [[0.0, 2.0], [2.0, 2.0]]
    """

    moves: Sparse
    money: Floats
    money_squared: Floats
    money_by_move: Sparse | None = None

    @classmethod
    def of(
        cls, before: Any, after: Any, *, n_states: int, reward: Any = None, by_move: bool = False
    ) -> TransitionCounts:
        """Count pairs of state positions.

        Parameters
        ----------
        before, after : array-like of int, shape (n_moves,)
            State position in a period and in the one that follows it.
        n_states : int
        reward : array-like of shape (n_moves,), optional
            Money earned in the period of ``after``.
        by_move : bool, default=False
            Also sum the money by pair of states.

        Returns
        -------
        TransitionCounts
        """
        i = np.asarray(before)
        j = np.asarray(after)
        moves = count_moves(i, j, n_states)
        if reward is None:
            return cls(moves, np.zeros(n_states), np.zeros(n_states))
        r = np.asarray(reward, dtype=np.float64)
        money = np.bincount(i, weights=r, minlength=n_states).astype(np.float64)
        squared = np.bincount(i, weights=r * r, minlength=n_states).astype(np.float64)
        return cls(moves, money, squared, from_entries(r, i, j, n_states) if by_move else None)

    def __add__(self, other: TransitionCounts) -> TransitionCounts:
        if not isinstance(other, TransitionCounts):
            return NotImplemented
        if self.n_states != other.n_states:
            raise ValueError(
                f"counts over {self.n_states} and {other.n_states} states do not add up; count "
                "both with the same states."
            )
        both: Sparse | None = None
        if self.money_by_move is not None and other.money_by_move is not None:
            both = self.money_by_move + other.money_by_move
        return TransitionCounts(
            self.moves + other.moves,
            self.money + other.money,
            self.money_squared + other.money_squared,
            both,
        )

    def __radd__(self, other: object) -> TransitionCounts:
        # so that sum(parts) works, which starts at 0
        return self if other == 0 else NotImplemented

    @property
    def n_states(self) -> int:
        """Number of states."""
        return int(self.moves.shape[0])

    @property
    def n_out(self) -> Floats:
        """Moves out of each state, shape (n,)."""
        return row_sums(self.moves)

    @property
    def n_moves(self) -> float:
        """All moves counted."""
        return float(self.moves.sum())


def count_moves(before: npt.NDArray[Any], after: npt.NDArray[Any], n_states: int) -> Sparse:
    """Count moves by pair of states into a sparse array of shape (n_states, n_states)."""
    cells = n_states * n_states
    key: npt.NDArray[Any] = before.astype(np.int32 if cells < 2**31 else np.int64)
    key = np.multiply(key, n_states, out=key)
    key = np.add(key, after, out=key, casting="unsafe")
    if cells <= _DENSE_CELLS:
        found = np.bincount(key, minlength=cells)
        where = np.flatnonzero(found)
        number = found[where]
    else:
        where, number = np.unique(key, return_counts=True)
    return from_entries(number, where // n_states, where % n_states, n_states)
