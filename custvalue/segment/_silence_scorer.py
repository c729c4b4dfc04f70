"""Who has gone quiet, as a scikit-learn estimator over a customer summary."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_non_negative

from custvalue._frames import column_names, facts_of, frame_like, keep_facts
from custvalue._labels import check_language, translate
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted, read_columns
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.segment._silence import (
    Floats,
    GapFacts,
    gap_facts,
    population_silence,
    rank_ratio,
    silence_score,
)

COLUMNS = ("silence", "n_gaps", "gap_max", "gap_sum", "n_gaps_shorter")
MISSING_OK = ("gap_max", "n_gaps_shorter")
GRADES = ("active", "watch", "silent", "deeply silent")
BASES = ("population", "one own gap", "own gaps")
CUTS = {"own_gap": (0.75, 1.0, 2.0)}
MOST_QUANTILES = 201


class SilenceScorer(DocLink, TransformerMixin, BaseEstimator):
    """Judge every customer's silence: how long since the last order, against what is usual.

    Parameters
    ----------
    method : {"own_gap"}, default="own_gap"
        ``"own_gap"``: against the customer's own gaps, S and TrF of the source.
    cuts : tuple of three floats, optional
        Lower ends of the grades watch, silent and deeply silent on ``score_samples``. Default for
        ``"own_gap"``: 0.75, 1 and 2.
    words : bool, default=True
        Whether a named frame also gets the text columns ``basis`` and ``grade``.
    labels : {"en", "zh"}, default="en"
        Language of those columns.

    Attributes
    ----------
    longest_gaps_ : tuple of float
        Quantiles of the repeat customers' longest gaps (at most 201 of them).
    cuts_ : tuple of three floats
    unit_ : str or None
        Unit of time of the table it was fitted on.

    Notes
    -----
    A frame is read by the names ``silence``, ``n_gaps``, ``gap_max``, ``gap_sum`` and
    ``n_gaps_shorter`` of a summary. An array, and a frame without these names, is read as a matrix
    of gaps: the first column is the current gap (silence), every further column one of the
    customer's own earlier gaps, padded with zeros.

    A one-time buyer has no gap of their own and is held against the repeat customers' longest gaps
    (``basis`` is ``"population"``); a customer with one gap is judged on it (``"one own gap"``).

    Silence says who is quiet, not who left.

    Examples
    --------
    >>> from custvalue import SilenceScorer
    >>> gaps = [[15, 10, 5, 30], [30, 10, 5, 30], [45, 10, 5, 30]]     # current gap, own gaps
    >>> SilenceScorer().fit_transform(gaps)[:, :2]
    array([[0.5 , 0.75],
           [1.  , 1.  ],
           [1.5 , 1.  ]])
    """

    def __init__(
        self,
        *,
        method: Literal["own_gap"] = "own_gap",
        cuts: tuple[float, float, float] | None = None,
        words: bool = True,
        labels: Literal["en", "zh"] = "en",
    ) -> None:
        self.method = method
        self.cuts = cuts
        self.words = words
        self.labels = labels

    def fit(self, X: Any, y: npt.ArrayLike | None = None) -> SilenceScorer:
        """Learn what is usual among the customers.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        y : ignored

        Returns
        -------
        SilenceScorer

        Raises
        ------
        DataContractError
            If a column is missing, has bad values, or contradicts another.
        """
        if self.method not in CUTS:
            raise ValueError(f"method={self.method!r} must be one of {list(CUTS)}.")
        check_language(self.labels)
        self.cuts_ = self._checked_cuts()
        facts = self._read(X, reset=True)
        known = facts_of(X)
        self.unit_ = known.unit if known is not None else None
        self._named = bool(set(COLUMNS) & set(column_names(X) or []))
        longest = facts.gap_max[facts.n_gaps > 0]
        if len(longest) == 0:
            longest = np.array([facts.silence.max() or 1.0])
        levels = np.linspace(0, 1, min(len(longest), MOST_QUANTILES) | 1)
        learned = np.quantile(longest, levels, method="inverted_cdf")
        self.longest_gaps_ = tuple(float(g) for g in learned)
        return self

    def transform(self, X: Any) -> Any:
        """Silence of every row.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)

        Returns
        -------
        frame or ndarray
            Columns ``silence_score`` (S), ``rank_ratio`` (TrF), ``n_own_gaps`` (how many own gaps
            the answer rests on), and for named frames with ``words`` also ``basis`` and
            ``grade``; same rows, same order, same index.
        """
        check_is_fitted(self)
        facts = self._read(X, reset=False)
        score, ratio = self._own(facts)
        columns: dict[str, npt.NDArray[Any]] = {
            "silence_score": score,
            "rank_ratio": ratio,
            "n_own_gaps": facts.n_gaps,
        }
        if not self._named:
            return np.column_stack(list(columns.values()))
        if self.words:
            columns["basis"] = self._words(BASES, np.minimum(facts.n_gaps, 2))
            columns["grade"] = self._words(GRADES, self._grade_codes(score))
        return keep_facts(X, frame_like(X, columns))

    def score_samples(self, X: Any) -> Floats:
        """Give the number that grades are cut on: higher means more silent.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        check_is_fitted(self)
        return self._own(self._read(X, reset=False))[0]

    def grade(self, X: Any) -> npt.NDArray[np.object_]:
        """Active, watch, silent or deeply silent, for every row.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,) of str
        """
        return self._words(GRADES, self._grade_codes(self.score_samples(X)))

    def predict(self, X: Any) -> npt.NDArray[np.intp]:
        """1 for customers who are silent (or deeply so), 0 for the others.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return (self._grade_codes(self.score_samples(X)) >= 2).astype(np.intp)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns that ``transform`` gives.

        Parameters
        ----------
        input_features : array-like of str, optional
            Checked against the names seen in ``fit``; they do not change the answer.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        check_input_features(self, input_features)
        names = ["silence_score", "rank_ratio", "n_own_gaps"]
        names += ["basis", "grade"] if self._named and self.words else []
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def _checked_cuts(self) -> tuple[float, float, float]:
        cuts = CUTS[self.method] if self.cuts is None else self.cuts
        numbers = [float(c) for c in cuts]
        if len(numbers) != 3 or not (np.diff(numbers) >= 0).all():
            raise ValueError(f"cuts={cuts!r} must be three ascending numbers.")
        return numbers[0], numbers[1], numbers[2]

    def _read(self, X: Any, *, reset: bool) -> GapFacts:
        by_name = bool(set(COLUMNS) & set(column_names(X) or []))
        if not reset and by_name != self._named:
            fitted, given = (
                ("a summary", "a matrix of gaps")
                if self._named
                else ("a matrix of gaps", "a summary")
            )
            raise ValueError(
                f"SilenceScorer was fitted on {fitted}, and X is read as {given}: pass the same "
                f"kind of table. A summary is a frame with the columns {', '.join(COLUMNS)}."
            )
        values, named = read_columns(self, X, COLUMNS, reset=reset, allow_missing=MISSING_OK)
        if not named:
            assert_all_finite(values, estimator_name="SilenceScorer", input_name="X")
            check_non_negative(values, "SilenceScorer")
            return gap_facts(values)
        facts = GapFacts(
            silence=values[:, 0],
            n_gaps=values[:, 1],
            gap_max=np.nan_to_num(values[:, 2]),
            gap_sum=values[:, 3],
            n_shorter=np.nan_to_num(values[:, 4]),
        )
        _check_facts(facts)
        return facts

    def _own(self, facts: GapFacts) -> tuple[Floats, Floats]:
        score, ratio = population_silence(facts.silence, self.longest_gaps_)
        own = facts.n_gaps > 0
        score[own] = silence_score(facts.silence[own], facts.gap_max[own])
        ratio[own] = rank_ratio(facts.n_gaps[own], facts.n_shorter[own])
        return score, ratio

    def _grade_codes(self, score: Floats) -> npt.NDArray[np.intp]:
        return np.searchsorted(np.asarray(self.cuts_), score, side="right")

    def _words(self, words: tuple[str, ...], codes: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
        table = np.asarray([translate(w, self.labels) for w in words], dtype=object)
        return np.asarray(table[np.asarray(codes, dtype=np.intp)], dtype=object)


def _check_facts(facts: GapFacts) -> None:
    """Refuse gap figures that cannot belong together."""
    tests = {
        "negative-silence": (facts.silence < 0, "'silence' is negative"),
        "gap-count": (
            (facts.n_gaps < 0) | (facts.n_gaps != np.floor(facts.n_gaps)),
            "'n_gaps' is not a whole number >= 0",
        ),
        "gap-max": (
            (facts.n_gaps > 0) & ~(facts.gap_max > 0),
            "'gap_max' is missing or 0 though 'n_gaps' is not 0",
        ),
        "gap-sum": (
            (facts.n_gaps > 0) & (facts.gap_sum < facts.gap_max * (1 - 1e-9)),
            "'gap_sum' is less than 'gap_max'",
        ),
        "shorter-gaps": (
            (facts.n_shorter < 0) | (facts.n_shorter > facts.n_gaps),
            "'n_gaps_shorter' does not lie between 0 and 'n_gaps'",
        ),
    }
    cure = "custvalue.summarize makes these columns."
    problems = [
        ContractProblem(code, text, cure, int(bad.sum()), first_ids(np.flatnonzero(bad)))
        for code, (bad, text) in tests.items()
        if bad.any()
    ]
    if problems:
        raise DataContractError(problems)
