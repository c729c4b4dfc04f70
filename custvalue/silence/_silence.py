"""The law of silence: one customer's current gap against the customer's own and everybody's gaps.

Letters: T_i a customer's gaps between purchases (n - 1 of them), T_r the current gap (silence), n
the number of purchases.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats


class GapFacts(NamedTuple):
    """What silence is judged on, one entry a customer.

    Parameters
    ----------
    silence : ndarray of shape (n,)
        Current gap T_r >= 0.
    n_gaps : ndarray of shape (n,)
        Number of own gaps, 0 for a one-time buyer.
    gap_max, gap_sum : ndarray of shape (n,)
        Longest own gap and the sum of all; 0 where there is none.
    n_shorter : ndarray of shape (n,)
        Own gaps not longer than the current one.

    Examples
    --------
    >>> from custvalue.silence._silence import gap_facts
    >>> facts = gap_facts([[15.0, 10.0, 5.0, 30.0]])
    >>> facts.n_gaps, facts.gap_max, facts.n_shorter
    (array([3.]), array([30.]), array([2.]))
    """

    silence: Floats
    n_gaps: Floats
    gap_max: Floats
    gap_sum: Floats
    n_shorter: Floats


def gap_facts(matrix: npt.ArrayLike) -> GapFacts:
    """Facts from a matrix whose rows are (current gap, own gaps ...), padded with zeros.

    A gap of zero is none: two purchases at the same moment are one occasion.

    Parameters
    ----------
    matrix : array-like of shape (n, 1 + most gaps)

    Returns
    -------
    GapFacts

    Examples
    --------
    >>> from custvalue.silence._silence import gap_facts
    >>> gap_facts([[20.0, 0.0], [20.0, 30.0]]).n_gaps
    array([0., 1.])
    """
    m = np.asarray(matrix, dtype=np.float64)
    gaps = m[:, 1:]
    real = gaps > 0
    return GapFacts(
        silence=m[:, 0],
        n_gaps=real.sum(axis=1).astype(np.float64),
        gap_max=gaps.max(axis=1, initial=0.0),
        gap_sum=gaps.sum(axis=1),
        n_shorter=(real & (gaps <= m[:, :1])).sum(axis=1).astype(np.float64),
    )


def silence_score(silence: npt.ArrayLike, longest_gap: npt.ArrayLike) -> Floats:
    """Silence score (沉默得分) S = T_r / max(T_i).

    Below 1: not yet silent; 1: has just entered silence; above 1: silent, and S - 1 says how
    deeply.

    Parameters
    ----------
    silence : array-like of shape (n,)
        Current gap T_r.
    longest_gap : array-like of shape (n,)
        max(T_i) > 0.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> from custvalue.silence import silence_score
    >>> silence_score([15, 30, 45], 30)
    array([0.5, 1. , 1.5])
    """
    return np.asarray(silence, dtype=np.float64) / np.asarray(longest_gap, dtype=np.float64)


def rank_ratio(n_gaps: npt.ArrayLike, n_shorter: npt.ArrayLike) -> Floats:
    """Rank ratio (秩次比) TrF = rank(T_r) / n among the own gaps and the current one.

    Ascending, ties in favour of the larger rank, so that TrF = 1 exactly when S >= 1. 1: already
    silent, near 1: on the edge, near 0: active.

    Parameters
    ----------
    n_gaps : array-like of shape (n,)
        Number of own gaps, n - 1.
    n_shorter : array-like of shape (n,)
        Own gaps not longer than the current one.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> from custvalue.silence import rank_ratio
    >>> rank_ratio([3, 3], [2, 3])
    array([0.75, 1.  ])
    """
    n = np.asarray(n_gaps, dtype=np.float64) + 1.0
    return np.asarray((np.asarray(n_shorter, dtype=np.float64) + 1.0) / n)


def population_silence(
    silence: npt.ArrayLike, longest_gaps: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """S and TrF of a customer without own gaps, against the repeat customers' longest gaps.

    The longest gap of a typical (median) repeat customer stands in for the customer's own:
    S = T_r / median. TrF is the rank of T_r among the longest gaps up to the median, so that
    TrF = 1 exactly when S >= 1 here too. Without any repeat customer the longest silence seen
    stands in.

    Parameters
    ----------
    silence : array-like of shape (n,)
    longest_gaps : array-like of shape (m,)
        Ascending, as learned; m >= 1, all above 0.

    Returns
    -------
    score, ratio : ndarray of shape (n,)

    Examples
    --------
    >>> from custvalue.silence._silence import population_silence
    >>> population_silence([5.0, 20.0, 60.0], [10.0, 20.0, 30.0])
    (array([0.25, 1.  , 3.  ]), array([0.33333333, 1.        , 1.        ]))
    """
    t = np.asarray(silence, dtype=np.float64)
    ordered = np.asarray(longest_gaps, dtype=np.float64)
    upto = ordered[: (len(ordered) + 1) // 2]
    rank = np.searchsorted(upto, t, side="right")
    below = (rank + 1.0) / (len(upto) + 1.0)
    ratio = np.where(t >= upto[-1], 1.0, below)
    return t / upto[-1], ratio


def gap_digest(gaps: npt.ArrayLike, most: int) -> tuple[float, ...]:
    """Evenly spaced order statistics of gaps: all of them, or ``most`` where there are more.

    Parameters
    ----------
    gaps : array-like of shape (n,), n >= 1
    most : int
        Odd, so that the median is among them.

    Returns
    -------
    tuple of float
        Ascending.

    Examples
    --------
    >>> from custvalue.silence._silence import gap_digest
    >>> gap_digest([5, 1, 4, 2, 3], 3)
    (1.0, 3.0, 5.0)
    """
    ordered = np.sort(np.asarray(gaps, dtype=np.float64))
    at = np.linspace(0, len(ordered) - 1, min(len(ordered), most)).round().astype(np.intp)
    return tuple(float(g) for g in ordered[at])


def pooled_survival(silence: npt.ArrayLike, gap_quantiles: npt.ArrayLike) -> Floats:
    """Share of everybody's gaps that are longer than the current one.

    With one added to both counts, for the current gap itself: never 0. Frequent buyers have most
    of the gaps, so this asks much of the others; see ``prob_longer_gap``.

    Parameters
    ----------
    silence : array-like of shape (n,)
    gap_quantiles : array-like of shape (m,)
        Ascending, as ``gap_digest`` gives them.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> from custvalue.silence._silence import pooled_survival
    >>> pooled_survival([5.0, 20.0, 99.0], [10.0, 20.0, 30.0])
    array([1.  , 0.5 , 0.25])
    """
    q = np.asarray(gap_quantiles, dtype=np.float64)
    longer = len(q) - np.searchsorted(q, np.asarray(silence, dtype=np.float64), side="right")
    return np.asarray((longer + 1.0) / (len(q) + 1.0))
