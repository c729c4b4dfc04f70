"""What a silence scorer has learned: one immutable value that measures any customers."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._warn import heard
from custvalue.exceptions import BoundaryFitWarning
from custvalue.silence._gap_prior import GapPrior, choose_regularity, fit_gap_prior, prob_longer_gap
from custvalue.silence._return_chance import Calibrator, ReturnChance, learn_return_chance
from custvalue.silence._silence import (
    Floats,
    GapFacts,
    gap_digest,
    pooled_survival,
    population_silence,
    rank_ratio,
    silence_score,
)

Method = Literal["own_gap", "pooled_gap", "shrunk", "calibrated", "threshold"]


class LearnedSilence(NamedTuple):
    """Everything a scorer needs to measure silence: a few numbers, no customers.

    Parameters
    ----------
    method : str
    longest_gaps : tuple of float
        Quantiles of the repeat customers' longest gaps (at most 201).
    gap_quantiles : tuple of float
        Quantiles of everybody's gaps (at most 1,001); empty unless ``"pooled_gap"``.
    prior : GapPrior or None
        Purchase rates over customers, for ``"shrunk"`` and ``"calibrated"``.
    chance : ReturnChance or None
        For ``"calibrated"``.
    threshold : float or None
        For ``"threshold"``: where silence begins, in the unit of the gaps.

    Examples
    --------
    >>> from custvalue.silence._learned_silence import LearnedSilence
    >>> from custvalue.silence._silence import gap_facts
    >>> LearnedSilence("own_gap", (30.0,)).measures(gap_facts([[45.0]]))["silence_score"]
    array([1.5])
    """

    method: Method
    longest_gaps: tuple[float, ...]
    gap_quantiles: tuple[float, ...] = ()
    prior: GapPrior | None = None
    chance: ReturnChance | None = None
    threshold: float | None = None

    @property
    def names(self) -> list[str]:
        """Names of the measures, in order."""
        names = ["silence_score", "rank_ratio"]
        names += [] if self.method in ("own_gap", "threshold") else ["prob_longer_gap"]
        return [*names, "prob_order"] if self.method == "calibrated" else names

    def measures(self, facts: GapFacts) -> dict[str, Floats]:
        """Every measure by name, and ``score``, the one that grades are cut on.

        Parameters
        ----------
        facts : GapFacts

        Returns
        -------
        dict of str to ndarray of shape (n,)
        """
        S, TrF = population_silence(facts.silence, self.longest_gaps)
        own = facts.n_gaps > 0
        S[own] = silence_score(facts.silence[own], facts.gap_max[own])
        TrF[own] = rank_ratio(facts.n_gaps[own], facts.n_shorter[own])
        if self.threshold is not None:
            S = silence_score(facts.silence, self.threshold)
        found = {"silence_score": S, "rank_ratio": TrF}
        if self.method in ("own_gap", "threshold"):
            return {**found, "score": S}
        if self.prior is None:
            longer = pooled_survival(facts.silence, self.gap_quantiles)
        else:
            longer = prob_longer_gap(facts.silence, facts.n_gaps, facts.gap_sum, self.prior)
        found["prob_longer_gap"] = longer
        if self.chance is None:
            return {**found, "score": 1.0 - longer}
        chance = self.chance.of(facts)
        return {**found, "prob_order": chance, "score": 1.0 - chance}

    def anew(self, facts: GapFacts) -> LearnedSilence:
        """Learn usual gaps and rates from other customers; a learned chance keeps its weights.

        Parameters
        ----------
        facts : GapFacts

        Returns
        -------
        LearnedSilence
        """
        fresh = self._replace(longest_gaps=_longest(facts))
        if self.prior is None:
            return fresh
        with heard(BoundaryFitWarning):
            prior = fit_gap_prior(facts, self.prior.regularity)
        chance = None if self.chance is None else self.chance._replace(prior=prior)
        return fresh._replace(prior=prior, chance=chance)


def learn_silence(
    method: Method,
    facts: GapFacts,
    gaps: Floats | None = None,
    *,
    regularity: int | Literal["auto"] = 1,
    ordered: npt.ArrayLike | None = None,
    window: float = 0.0,
    calibrator: Calibrator = "logistic",
    threshold: float | None = None,
) -> LearnedSilence:
    """Learn what a method of judging silence needs.

    Parameters
    ----------
    method : {"own_gap", "pooled_gap", "shrunk", "calibrated", "threshold"}
    facts : GapFacts
    gaps : ndarray of shape (n_gaps,), optional
        Everybody's gaps: for ``"pooled_gap"`` and ``regularity="auto"``.
    regularity : int or "auto", default=1
    ordered : array-like of shape (n,), optional
        For ``"calibrated"``: who ordered within the window.
    window : float
        For ``"calibrated"``, in the unit of the gaps.
    calibrator : {"logistic", "isotonic"}, default="logistic"
    threshold : float, optional
        For ``"threshold"``: where silence begins, in the unit of the gaps.

    Returns
    -------
    LearnedSilence

    Examples
    --------
    >>> from custvalue.silence._learned_silence import learn_silence
    >>> from custvalue.silence._silence import gap_facts
    >>> learn_silence("own_gap", gap_facts([[5.0, 9.0], [5.0, 0.0]])).longest_gaps
    (9.0,)
    """
    learned = LearnedSilence(method, _longest(facts))
    if method == "own_gap":
        return learned
    if method == "threshold":
        return learned._replace(threshold=threshold)
    if method == "pooled_gap":
        assert gaps is not None
        return learned._replace(gap_quantiles=gap_digest(gaps, 1001))
    if regularity == "auto":
        assert gaps is not None
        prior = choose_regularity(facts, float(np.log(gaps).sum()))
    else:
        prior = fit_gap_prior(facts, regularity)
    if method == "shrunk":
        return learned._replace(prior=prior)
    assert ordered is not None
    chance = learn_return_chance(facts, ordered, window, prior, calibrator)
    return learned._replace(prior=prior, chance=chance)


def typical_gap(longest_gaps: tuple[float, ...]) -> float:
    """Give the longest gap of a typical repeat customer: the median.

    Parameters
    ----------
    longest_gaps : tuple of float
        Ascending.

    Returns
    -------
    float

    Examples
    --------
    >>> from custvalue.silence._learned_silence import typical_gap
    >>> typical_gap((10.0, 20.0, 90.0))
    20.0
    """
    return longest_gaps[(len(longest_gaps) - 1) // 2]


def _longest(facts: GapFacts) -> tuple[float, ...]:
    longest = facts.gap_max[facts.n_gaps > 0]
    if len(longest) == 0:  # nobody came back: the longest silence stands in
        longest = np.array([facts.silence.max() or 1.0])
    return gap_digest(longest, 201)
