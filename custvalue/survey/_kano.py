"""Kano's classes of a feature from paired questions, and how clear they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from custvalue._labels import Language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.survey._estimate import check_level, wilson
from custvalue.survey._words import said

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
    letter, ``better`` and ``worse`` with their intervals, ``strength``: largest less second share,
    ``n`` pairs of answers.

    Examples
    --------
    >>> from custvalue.survey import kano_classes
    >>> kano_classes(["must"] * 3, ["dislike"] * 3).category
    'M'
    """

    category: str
    counts: dict[str, int]
    better: float
    worse: float
    better_interval: tuple[float, float] = field(repr=False)
    worse_interval: tuple[float, float] = field(repr=False)
    strength: float
    n: int

    def table(self, labels: Language = "en") -> pd.DataFrame:
        """One row a category: how many answers, which share.

        Parameters
        ----------
        labels : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``category``, ``answers``, ``share``.
        """
        counts = list(self.counts.values())
        rows = {
            "category": [CATEGORIES[letter] for letter in self.counts],
            "answers": counts,
            "share": np.array(counts) / self.n,
        }
        return said(pd.DataFrame(rows), labels, words=("category",))


def kano_classes(
    functional: Any, dysfunctional: Any, *, mixed_below: float = 0.06, level: float = 0.95
) -> KanoClasses:
    """Class of a feature by Kano's 5 x 5 table of paired answers.

    Parameters
    ----------
    functional, dysfunctional : array-like of shape (n,) of str
        How a respondent would feel with, and without, the feature: ``"like"``, ``"must"`` (it must
        be so), ``"neutral"``, ``"tolerate"``, ``"dislike"``. None is no answer.
    mixed_below : float, default=0.06
        Category strength below which the class is called mixed.
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
    known = ~np.isnan(f) & ~np.isnan(d)
    if not known.any():
        raise ValueError("nobody answered both questions.")
    pairs = zip(f[known].astype(int), d[known].astype(int), strict=True)
    letters = [TABLE[i][j] for i, j in pairs]
    counts = {letter: letters.count(letter) for letter in CATEGORIES}
    n = len(letters)
    base = sum(counts[letter] for letter in "AOMI")
    if not base:
        raise ValueError(
            f"all {n} pairs of answers are reversed or questionable; check which way the questions "
            "were asked."
        )
    better, worse = (counts["A"] + counts["O"]) / base, (counts["O"] + counts["M"]) / base
    order = sorted(counts, key=lambda letter: -counts[letter])
    strength = (counts[order[0]] - counts[order[1]]) / n
    high, low = wilson(worse, base, check_level(level))
    return KanoClasses(
        order[0] if strength >= mixed_below else "mixed",
        counts,
        better,
        -worse,
        wilson(better, base, level),
        (-low, -high),
        strength,
        n,
    )
