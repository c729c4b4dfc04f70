"""Likelihood-ratio tests of a chain: its order, and whether it stays the same over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, xlogy

from custvalue.markov._counts import TransitionCounts
from custvalue.markov._sparse import row_sums

Ints = npt.NDArray[np.int64]


class ChainTest(NamedTuple):
    """A likelihood-ratio test.

    Attributes
    ----------
    statistic : float
        2 (log-likelihood of the larger model - of the smaller), about chi-square.
    df : int
        Free chances that only the larger model has, counted over cells that were seen.
    p_value : float
    """

    statistic: float
    df: int
    p_value: float


def order_zero(counts: TransitionCounts) -> ChainTest:
    """Order 0 (states drawn afresh each period) against order 1 (Anderson & Goodman 1957)."""
    seen = counts.moves.tocoo()
    out = row_sums(counts.moves)
    into = np.asarray(counts.moves.sum(axis=0)).ravel()
    total = counts.n_moves
    one = xlogy(seen.data, seen.data / out[seen.row]).sum()
    zero = xlogy(into, into / total).sum()
    used_from, used_to = int((out > 0).sum()), int((into > 0).sum())
    return _ratio(one - zero, (used_from - 1) * (used_to - 1))


def order_one_against_two(place: Ints, before: Ints, after: Ints) -> ChainTest:
    """Order 1 against order 2, on all triples of periods in a row."""
    follows = np.full(len(place), -1)
    follows[before] = after
    second = follows[after]
    whole = second >= 0
    triple = np.column_stack([place[before[whole]], place[after[whole]], place[second[whole]]])
    return _conditional(triple[:, 0], triple[:, 1], triple[:, 2])


def homogeneity(before: Ints, after: Ints, period: Ints) -> ChainTest:
    """One matrix for all periods against a matrix for each (Anderson & Goodman 1957)."""
    return _conditional(period, before, after)


def _conditional(given: Ints, here: Ints, there: Ints) -> ChainTest:
    """Test whether ``there`` depends on ``given``, once ``here`` is known."""
    if len(here) == 0:
        return ChainTest(0.0, 0, 1.0)
    large = _log_likelihood(np.column_stack([given, here]), there)
    small = _log_likelihood(here[:, None], there)
    df = 0
    for state in np.unique(here):
        mine = here == state
        df += (len(np.unique(given[mine])) - 1) * (len(np.unique(there[mine])) - 1)
    return _ratio(large - small, df)


def _log_likelihood(context: Ints, there: Ints) -> float:
    _, which = np.unique(context, axis=0, return_inverse=True)
    which = which.ravel()
    cells, n = np.unique(np.column_stack([which, there]), axis=0, return_counts=True)
    total = np.bincount(which)
    return float(xlogy(n, n / total[cells[:, 0]]).sum())


def _ratio(gain: float, df: int) -> ChainTest:
    statistic = 2.0 * max(float(gain), 0.0)
    return ChainTest(statistic, int(df), float(chdtrc(df, statistic)) if df else 1.0)
