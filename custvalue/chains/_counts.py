"""Transition counts: all that a chain has to know of the data, and it adds up over partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from custvalue._sparse import Sparse, from_entries, row_sums
from custvalue._typing import Floats

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
    >>> from custvalue.chains import TransitionCounts
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
    """Learn how much rows of counted moves are to be drawn to the rows of a prior.

    Row i of every part is Dirichlet(κ π_i); κ has the greatest evidence over all parts, between
    0.01 and a million.

    Parameters
    ----------
    parts : sequence of TransitionCounts
        Of one list of states.
    prior : sparse array of shape (n_states, n_states)
        Rows π_i that sum to one.

    Returns
    -------
    float
        κ, in moves.

    Examples
    --------
    Groups that move alike are drawn together, groups that don't are left alone:

    >>> import numpy as np
    >>> import scipy.sparse as sp
    >>> from custvalue.chains import TransitionCounts
    >>> from custvalue.chains._state_list import StateList
    >>> def counted(stay):
    ...     moves = sp.csr_array(np.array([[stay, 100.0 - stay], [0.0, 0.0]]))
    ...     return TransitionCounts(moves, np.zeros(2), np.zeros(2))
    >>> half = sp.csr_array(np.full((2, 2), 0.5))
    >>> alike = fit_concentration([counted(50), counted(52)], half)
    >>> apart = fit_concentration([counted(5), counted(95)], half)
    >>> alike > 1000, apart < 3
    (True, True)
    """

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
