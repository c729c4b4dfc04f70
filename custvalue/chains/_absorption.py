"""Where an absorbing chain ends, and when (Kemeny & Snell 1960, Finite Markov Chains, chapter 3).

Letters: Q the moves among transient states, R those into absorbing ones, N = (I - Q)^-1.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from custvalue._html import html_table
from custvalue.chains._chain_math import inside_solver

if TYPE_CHECKING:
    import pandas as pd

    from custvalue._typing import Floats


@dataclass(frozen=True, eq=False, repr=False)
class Absorption:
    """Chance of each end, and the time to it, from every state of a chain.

    Made by `custvalue.chains.Chain.absorption`. Times count periods.

    Parameters
    ----------
    states : tuple of hashable
        The n states of the chain.
    outcomes : tuple of hashable
        The m absorbing states.
    chance : ndarray of shape (n, m)
        B = N R; an absorbing state has itself for certain.
    time, variance : ndarray of shape (n,)
        t = N 1 and (2 N - I) t - t∘t; 0 from an absorbing state.
    time_given, variance_given : ndarray of shape (n, m)
        The same of those who end there; NaN where none does.

    Examples
    --------
    >>> from custvalue.chains import Chain
    >>> ends = Chain(["lead", "won", "lost"], [[0.5, 0.2, 0.3], [0, 1, 0], [0, 0, 1]],
    ...              absorbing=["won", "lost"]).absorption()
    >>> ends.of("lead")
    {'won': 0.4, 'lost': 0.6}
    >>> float(ends.time[0]), float(ends.variance[0])
    (2.0, 2.0)
    """

    states: tuple[Hashable, ...]
    outcomes: tuple[Hashable, ...]
    chance: Floats
    time: Floats
    variance: Floats
    time_given: Floats
    variance_given: Floats

    def of(self, state: Hashable) -> dict[Hashable, float]:
        """Chance of each outcome from one state.

        Raises
        ------
        KeyError
            If the chain has no such state.
        """
        if state not in self.states:
            raise KeyError(f"no state {state!r}; the chain has {len(self.states)} states.")
        row = self.chance[self.states.index(state)]
        return {name: float(p) for name, p in zip(self.outcomes, row, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """One row a state: the chances, ``time``, ``variance``, ``time_given_X`` by outcome."""
        import pandas as pd

        columns: dict[str, Any] = {str(o): self.chance[:, j] for j, o in enumerate(self.outcomes)}
        columns |= {"time": self.time, "variance": self.variance}
        columns |= {f"time_given_{o}": self.time_given[:, j] for j, o in enumerate(self.outcomes)}
        return pd.DataFrame(columns, index=pd.Index(list(self.states), name="state"))

    def __repr__(self) -> str:
        return f"Absorption({len(self.states)} states, outcomes {list(self.outcomes)!r})"

    def _repr_html_(self) -> str:
        table = self.to_frame().iloc[:12]
        rows = [
            [str(s), *(round(float(v), 4) for v in row)]
            for s, row in zip(table.index, table.to_numpy(), strict=True)
        ]
        return html_table("Absorption", ["state", *map(str, table.columns)], rows)


def absorb(
    states: tuple[Hashable, ...], matrix: Any, absorbing: tuple[Hashable, ...]
) -> Absorption:
    """Solve (I - Q) x = y for B, t and their second moments, one factorisation for all.

    With b the chance of one outcome, E[T; outcome] = N b and E[T²; outcome] = N (2 N b - b): the
    moments of the Doob transform q_ij b_j / b_i, without dividing by a chance that may be 0.
    """
    n, m = len(states), len(absorbing)
    ends = np.array([states.index(name) for name in absorbing], dtype=np.intp)
    go = np.setdiff1d(np.arange(n), ends)
    chance, given = np.zeros((n, m)), np.full((2, n, m), np.nan)
    chance[ends, np.arange(m)] = 1.0
    given[:, ends, np.arange(m)] = 0.0
    time, variance = np.zeros(n), np.zeros(n)
    if len(go):
        graph: Any = sp.csr_array(matrix)
        solved = inside_solver(graph, go)
        into = graph[go][:, ends].toarray()
        b = np.clip(solved(into), 0.0, 1.0) + 0.0  # no -0
        t = solved(np.ones(len(go)))
        chance[go], time[go] = b, t
        variance[go] = np.maximum(solved(2.0 * t - 1.0) - t * t, 0.0)
        first = solved(b)
        second = solved(2.0 * first - b)
        mean = np.divide(first, b, out=np.full_like(b, np.nan), where=b > 0)
        square = np.divide(second, b, out=np.full_like(b, np.nan), where=b > 0)
        given[0][go] = mean
        given[1][go] = np.maximum(square - mean * mean, 0.0)
    return Absorption(states, tuple(absorbing), chance, time, variance, given[0], given[1])
