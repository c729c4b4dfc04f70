"""Kano's classes of a feature from paired questions, and how clear they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._fitted import check_level
from custvalue._sklearn import weights_of
from custvalue._words import SURVEY, Language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.survey._estimate import effective_size, wilson_share

ANSWERS = ("like", "must", "neutral", "tolerate", "dislike")
CATEGORIES = {
    "A": "attractive",
    "O": "one-dimensional",
    "M": "must-be",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
# functional answer down, dysfunctional across (Kano et al. 1984; Berger et al. 1993)
TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")


@dataclass(frozen=True)
class KanoClasses:
    """What a feature is to those asked.

    ``category`` (its letter, or ``"mixed"`` where ``strength`` is below the cut), ``counts`` by
    letter (sums of weights where these were given), ``better`` and ``worse`` with their intervals,
    ``strength``: largest less second share, ``n`` pairs of answers, ``n_eff`` their effective
    size.

    Examples
    --------
    >>> from custvalue.survey import kano_classes
    >>> kano_classes(["must"] * 3, ["dislike"] * 3).category
    'M'
    """

    category: str
    counts: dict[str, float]
    better: float
    worse: float
    better_interval: tuple[float, float] = field(repr=False)
    worse_interval: tuple[float, float] = field(repr=False)
    strength: float
    n: int
    n_eff: float

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row a category: how many answers, which share.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``category``, ``answers``, ``share``.
        """
        counts = list(self.counts.values())
        rows = {
            "category": [CATEGORIES[letter] for letter in self.counts],
            "answers": counts,
            "share": np.array(counts) / sum(counts),
        }
        return SURVEY.table(pd.DataFrame(rows), language, cells=("category",))


def kano_classes(
    functional: Any,
    dysfunctional: Any,
    *,
    sample_weight: npt.ArrayLike | None = None,
    mixed_below: float = 0.06,
    level: float = 0.95,
) -> KanoClasses:
    """Class of a feature by Kano's 5 x 5 table of paired answers.

    Parameters
    ----------
    functional, dysfunctional : array-like of shape (n,) of str
        How a respondent would feel with, and without, the feature: ``"like"``, ``"must"`` (it must
        be so), ``"neutral"``, ``"tolerate"``, ``"dislike"``. None is no answer.
    sample_weight : array-like of shape (n,), optional
        As from `rake`; intervals then go by the effective size.
    mixed_below : float, default=0.06
        Category strength below which the class is called mixed; the usual cut, recalled from
        reviews of the method and not looked up.
    level : float, default=0.95

    Returns
    -------
    KanoClasses
        ``better = (A + O) / (A + O + M + I)`` and ``worse = -(O + M) / (A + O + M + I)`` (Berger et
        al. 1993), with Wilson's intervals.

    Raises
    ------
    DataContractError
        If an answer is none of the five words.
    ValueError
        If nobody answered both questions, or nobody in a way that better and worse count.

    Examples
    --------
    >>> from custvalue.survey import kano_classes
    >>> found = kano_classes(["like", "must", "must"], ["neutral", "dislike", "dislike"])
    >>> found.category, round(found.better, 3), round(found.worse, 3)
    ('M', 0.333, -0.667)
    """
    codes, problems = [], []
    for name, words in (("functional", functional), ("dysfunctional", dysfunctional)):
        given = pd.Series(list(words), dtype=object)
        code = given.map({word: i for i, word in enumerate(ANSWERS)})
        bad = (code.isna() & given.notna()).to_numpy()
        if bad.any():
            seen = ", ".join(map(repr, list(dict.fromkeys(given[bad]))[:5]))
            problems.append(
                ContractProblem(
                    "unknown-answer",
                    f"{name} has answers that are none of {', '.join(ANSWERS)}: {seen}",
                    "Map the questionnaire's codes to these words.",
                    int(bad.sum()),
                    first_ids(np.flatnonzero(bad)),
                )
            )
        codes.append(code.to_numpy(dtype=np.float64))
    if problems:
        raise DataContractError(problems)
    f, d = codes
    if len(f) != len(d):
        raise ValueError(f"{len(f)} functional and {len(d)} dysfunctional answers are no pairs.")
    checked = weights_of(sample_weight, len(f))
    weight = np.ones(len(f)) if checked is None else checked
    known = ~np.isnan(f) & ~np.isnan(d) & (weight > 0)
    if not known.any():
        raise ValueError("nobody answered both questions.")
    pairs = zip(f[known].astype(int), d[known].astype(int), strict=True)
    letters = np.array([TABLE[i][j] for i, j in pairs])
    weight = weight[known]
    counts = {letter: float(weight[letters == letter].sum()) for letter in CATEGORIES}
    if checked is None:
        counts = {letter: int(count) for letter, count in counts.items()}
    n = len(letters)
    counted = np.isin(letters, list("AOMI"))
    base = sum(counts[letter] for letter in "AOMI")
    if not base:
        raise ValueError(
            f"all {n} pairs of answers are reversed or questionable; check which way the questions "
            "were asked."
        )
    better, worse = (counts["A"] + counts["O"]) / base, (counts["O"] + counts["M"]) / base
    order = sorted(counts, key=lambda letter: -counts[letter])
    strength = (counts[order[0]] - counts[order[1]]) / float(weight.sum())
    size = effective_size(weight[counted])
    high, low = wilson_share(worse, size, check_level(level))
    return KanoClasses(
        order[0] if strength >= mixed_below else "mixed",
        counts,
        better,
        -worse,
        wilson_share(better, size, level),
        (-low, -high),
        strength,
        n,
        effective_size(weight),
    )
