"""The ways to judge silence, each a frozen value that measures any customers.

To add one: write its class below, and name it in ``METHODS``. What a class must say is
:class:`SilenceMethod`; everything else (reading, cuts, words, drift) is the scorer's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue._units import in_units
from custvalue._warn import heard
from custvalue.exceptions import BoundaryFitWarning
from custvalue.silence._gap_prior import GapPrior, choose_regularity, fit_gap_prior, prob_longer_gap
from custvalue.silence._return_chance import ReturnChance, learn_return_chance
from custvalue.silence._silence import (
    GapFacts,
    gap_digest,
    pooled_survival,
    population_silence,
    rank_ratio,
    silence_score,
)
from custvalue.silence._silence_cuts import choose_threshold


class Lesson(NamedTuple):
    """What a method may learn from, read once.

    Parameters
    ----------
    facts : GapFacts
        Of the customers.
    gaps : ndarray of shape (n_gaps,) or None
        Everybody's gaps, where the method needs them.
    ordered : array-like of shape (n,) or None
        What each customer did in the window afterwards.
    unit : str or None
        Of the gaps.
    """

    facts: GapFacts
    gaps: Floats | None = None
    ordered: npt.ArrayLike | None = None
    unit: str | None = None


@dataclass(frozen=True)
class SilenceMethod:
    """A way to judge silence, and what it has learned: a few numbers, no customers.

    Parameters
    ----------
    longest_gaps : tuple of float
        Quantiles of the repeat customers' longest gaps (at most 201): what a one-time buyer is
        held against.

    Notes
    -----
    A subclass says what it gives (``names``), where its grades are cut (``cuts``: lower ends of
    watch, silent and deeply silent on ``score``), what an answer rests on by number of own gaps
    (``bases``: none, one, more), what of the scorer's parameters it needs (``check``,
    ``needs_gaps``, ``needs_outcome``), and how it learns and measures.
    """

    longest_gaps: tuple[float, ...]

    names: ClassVar[tuple[str, ...]] = ("silence_score", "rank_ratio")
    bases: ClassVar[tuple[str, str, str]] = ("population", "one own gap", "own gaps")
    cuts: ClassVar[tuple[float, float, float]] = (0.75, 1.0, 2.0)

    @classmethod
    def check(cls, scorer: Any) -> None:
        """Refuse a scorer that lacks a parameter this method needs."""

    @classmethod
    def needs_gaps(cls, scorer: Any) -> bool:
        """Whether it learns from everybody's gaps, which a summary does not hold."""
        return False

    @classmethod
    def needs_outcome(cls, scorer: Any) -> bool:
        """Whether it learns from what customers did next."""
        return False

    @classmethod
    def learn(cls, lesson: Lesson, scorer: Any) -> SilenceMethod:
        """Learn from customers, with the parameters of a scorer."""
        return cls(longest_of(lesson.facts))

    def measures(self, facts: GapFacts) -> dict[str, Floats]:
        """Every measure by name, and ``score``, the one that grades are cut on.

        Parameters
        ----------
        facts : GapFacts

        Returns
        -------
        dict of str to ndarray of shape (n,)
        """
        found = self.ratios(facts)
        return {**found, "score": found["silence_score"]}

    def ratios(self, facts: GapFacts) -> dict[str, Floats]:
        """S and TrF: against the own gaps where there are some, else against everybody's."""
        S, TrF = population_silence(facts.silence, self.longest_gaps)
        own = facts.n_gaps > 0
        S[own] = silence_score(facts.silence[own], facts.gap_max[own])
        TrF[own] = rank_ratio(facts.n_gaps[own], facts.n_shorter[own])
        return {"silence_score": S, "rank_ratio": TrF}

    def check_learned(self) -> None:
        """Refuse what no log teaches, as only a file that was made by hand has it."""
        _check_ascending(self.longest_gaps, "longest_gaps")

    def anew(self, facts: GapFacts) -> SilenceMethod:
        """Learn usual gaps and rates from other customers; what was learned of outcomes stays."""
        return replace(self, longest_gaps=longest_of(facts))

    def begins(self) -> float | None:
        """Where silence begins for everybody, if there is such a length."""
        return None

    def return_chance(self) -> ReturnChance | None:
        """Give the learned chance of an order, if there is one."""
        return None


@dataclass(frozen=True)
class OwnGaps(SilenceMethod):
    """Against the customer's own gaps: the source's S and TrF."""


@dataclass(frozen=True)
class Threshold(SilenceMethod):
    """Against one length of silence for all, one-time buyers too.

    Parameters
    ----------
    threshold : float
        Where silence begins, in the unit of the gaps.
    """

    threshold: float

    bases: ClassVar[tuple[str, str, str]] = ("threshold",) * 3

    @classmethod
    def check(cls, scorer: Any) -> None:
        """Refuse a scorer without a threshold."""
        if scorer.threshold is None:
            raise ValueError(
                "method='threshold' needs a threshold, e.g. threshold='90D', or "
                "threshold='learned'."
            )

    @classmethod
    def needs_outcome(cls, scorer: Any) -> bool:
        """Whether the threshold is to be learned."""
        return isinstance(scorer.threshold, str) and scorer.threshold == "learned"

    @classmethod
    def learn(cls, lesson: Lesson, scorer: Any) -> Threshold:
        """As given, or the cheapest by the two costs."""
        silence = lesson.facts.silence
        if not cls.needs_outcome(scorer):
            threshold = _length(scorer, lesson.unit, "threshold")
        else:
            assert lesson.ordered is not None
            threshold = choose_threshold(
                silence,
                lesson.ordered,
                cost_false_alarm=scorer.cost_false_alarm,
                cost_miss=scorer.cost_miss,
            ).cut
            # who orders today is never silent: the least silence seen is the lowest cut
            threshold = threshold or float(min(silence[silence > 0], default=1.0))
        return cls(longest_of(lesson.facts), threshold)

    def ratios(self, facts: GapFacts) -> dict[str, Floats]:
        """S is silence over the threshold."""
        S = silence_score(facts.silence, self.threshold)
        return {**super().ratios(facts), "silence_score": S}

    def check_learned(self) -> None:
        """Refuse a threshold that is no length."""
        super().check_learned()
        _check_ascending((self.threshold,), "threshold")

    def begins(self) -> float | None:
        """Give the threshold."""
        return self.threshold


@dataclass(frozen=True)
class PooledGaps(SilenceMethod):
    """Against everybody's gaps.

    Parameters
    ----------
    gap_quantiles : tuple of float
        Of everybody's gaps (at most 1,001).
    """

    gap_quantiles: tuple[float, ...]

    names: ClassVar[tuple[str, ...]] = (*SilenceMethod.names, "prob_longer_gap")
    bases: ClassVar[tuple[str, str, str]] = ("population",) * 3
    cuts: ClassVar[tuple[float, float, float]] = (0.75, 0.9, 0.98)

    @classmethod
    def needs_gaps(cls, scorer: Any) -> bool:
        """Take everybody's gaps."""
        return True

    @classmethod
    def learn(cls, lesson: Lesson, scorer: Any) -> PooledGaps:
        """Keep the quantiles of everybody's gaps."""
        assert lesson.gaps is not None
        return cls(longest_of(lesson.facts), gap_digest(lesson.gaps, 1001))

    def measures(self, facts: GapFacts) -> dict[str, Floats]:
        """S, TrF and the share of gaps that last longer."""
        longer = pooled_survival(facts.silence, self.gap_quantiles)
        return {**self.ratios(facts), "prob_longer_gap": longer, "score": 1.0 - longer}

    def check_learned(self) -> None:
        """Refuse gaps that fall."""
        super().check_learned()
        _check_ascending(self.gap_quantiles, "gap_quantiles")


@dataclass(frozen=True)
class ShrunkGaps(SilenceMethod):
    """Chance that a gap lasts so long, given the own gaps and the population's purchase rates.

    Parameters
    ----------
    prior : GapPrior
        Purchase rates over customers.
    """

    prior: GapPrior

    names: ClassVar[tuple[str, ...]] = (*SilenceMethod.names, "prob_longer_gap")
    bases: ClassVar[tuple[str, str, str]] = (
        "population",
        "one own gap and population",
        "own gaps and population",
    )
    cuts: ClassVar[tuple[float, float, float]] = (0.75, 0.9, 0.98)

    @classmethod
    def needs_gaps(cls, scorer: Any) -> bool:
        """Whether the regularity is to be learned."""
        return isinstance(scorer.regularity, str) and scorer.regularity == "auto"

    @classmethod
    def learn(cls, lesson: Lesson, scorer: Any) -> ShrunkGaps:
        """Fit the prior of purchase rates."""
        return cls(longest_of(lesson.facts), _prior_of(lesson, scorer))

    def measures(self, facts: GapFacts) -> dict[str, Floats]:
        """S, TrF and the chance of a longer gap."""
        longer = prob_longer_gap(facts.silence, facts.n_gaps, facts.gap_sum, self.prior)
        return {**self.ratios(facts), "prob_longer_gap": longer, "score": 1.0 - longer}

    def check_learned(self) -> None:
        """Refuse a prior that is none."""
        super().check_learned()
        self.prior.check()

    def anew(self, facts: GapFacts) -> ShrunkGaps:
        """Fit the rates of other customers."""
        with heard(BoundaryFitWarning):
            prior = fit_gap_prior(facts, self.prior.regularity)
        return replace(self, longest_gaps=longest_of(facts), prior=prior)


@dataclass(frozen=True)
class CalibratedChance(SilenceMethod):
    """Chance of an order within a window, learned from what customers did after an earlier date.

    Parameters
    ----------
    shrunk : ShrunkGaps
        Its measures, which the chance is learned on.
    chance : ReturnChance
    """

    shrunk: ShrunkGaps
    chance: ReturnChance

    names: ClassVar[tuple[str, ...]] = (*ShrunkGaps.names, "prob_order")
    bases: ClassVar[tuple[str, str, str]] = ShrunkGaps.bases
    cuts: ClassVar[tuple[float, float, float]] = (0.5, 0.75, 0.9)

    @property
    def prior(self) -> GapPrior:
        """Purchase rates over customers."""
        return self.shrunk.prior

    @classmethod
    def check(cls, scorer: Any) -> None:
        """Refuse a scorer without a window."""
        if scorer.window is None:
            raise ValueError("method='calibrated' needs a window, e.g. window='90D'.")

    @classmethod
    def needs_gaps(cls, scorer: Any) -> bool:
        """Whether the regularity is to be learned."""
        return ShrunkGaps.needs_gaps(scorer)

    @classmethod
    def needs_outcome(cls, scorer: Any) -> bool:
        """Learn from what customers did next."""
        return True

    @classmethod
    def learn(cls, lesson: Lesson, scorer: Any) -> CalibratedChance:
        """Fit the prior, then the chance on its measures."""
        assert lesson.ordered is not None
        window = _length(scorer, lesson.unit, "window")
        shrunk = ShrunkGaps.learn(lesson, scorer)
        chance = learn_return_chance(
            lesson.facts, lesson.ordered, window, shrunk.prior, scorer.calibrator
        )
        return cls(shrunk.longest_gaps, shrunk, chance)

    def measures(self, facts: GapFacts) -> dict[str, Floats]:
        """Those of ``"shrunk"``, and the chance of an order."""
        chance = self.chance.of(facts)
        return {**self.shrunk.measures(facts), "prob_order": chance, "score": 1.0 - chance}

    def check_learned(self) -> None:
        """Refuse a prior or a chance that is none."""
        self.shrunk.check_learned()
        self.chance.check()

    def anew(self, facts: GapFacts) -> CalibratedChance:
        """Fit the rates of other customers; the chance keeps its weights."""
        shrunk = self.shrunk.anew(facts)
        chance = self.chance._replace(prior=shrunk.prior)
        return CalibratedChance(shrunk.longest_gaps, shrunk, chance)

    def return_chance(self) -> ReturnChance | None:
        """Give the learned chance."""
        return self.chance


METHODS: dict[str, type[SilenceMethod]] = {
    "own_gap": OwnGaps,
    "pooled_gap": PooledGaps,
    "shrunk": ShrunkGaps,
    "calibrated": CalibratedChance,
    "threshold": Threshold,
}


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
    >>> from custvalue.silence._methods import typical_gap
    >>> typical_gap((10.0, 20.0, 90.0))
    20.0
    """
    return longest_gaps[(len(longest_gaps) - 1) // 2]


def longest_of(facts: GapFacts) -> tuple[float, ...]:
    """Quantiles of the repeat customers' longest gaps."""
    longest = facts.gap_max[facts.n_gaps > 0]
    if len(longest) == 0:  # nobody came back: the longest silence stands in
        longest = np.array([facts.silence.max() or 1.0])
    return gap_digest(longest, 201)


def _check_ascending(lengths: tuple[float, ...], name: str) -> None:
    rising = lengths and list(lengths) == sorted(lengths)
    if not rising or not 0.0 < lengths[0] <= lengths[-1] < np.inf:
        raise ValueError(f"{name} must be lengths above 0, not falling, one or more.")


def _prior_of(lesson: Lesson, scorer: Any) -> GapPrior:
    if scorer.regularity == "auto":
        assert lesson.gaps is not None
        return choose_regularity(lesson.facts, float(np.log(lesson.gaps).sum()))
    return fit_gap_prior(lesson.facts, scorer.regularity)


def _length(scorer: Any, unit: str | None, name: str) -> float:
    """Length of time that the scorer was asked for, in the table's unit."""
    asked = getattr(scorer, name)
    length = in_units(asked, unit, name)
    if not 0 < length < np.inf:
        raise ValueError(f"{name}={asked!r} must be longer than nothing, and finite.")
    return length
