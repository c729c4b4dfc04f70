"""Who has gone quiet, as a scikit-learn estimator over a customer summary."""

from __future__ import annotations

from typing import Any, Literal, Union

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue._drift import DriftReport, class_shares, drift_report
from custvalue._frames import frame_like, keep_facts, words_at
from custvalue._histories import warn_beyond
from custvalue._kernels import bins_of, quantile_cuts
from custvalue._open_table import Table, open_table
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import OneRow, RowScorer, refuse_nameless
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted, output_template
from custvalue._typing import Floats
from custvalue._units import Span
from custvalue._words import Language, check_language
from custvalue._written import Portable
from custvalue.silence._learning import has_ordered
from custvalue.silence._methods import METHODS, Lesson
from custvalue.silence._return_chance import reliability_table
from custvalue.silence._silence import GapFacts
from custvalue.silence._silence_cuts import ThresholdChoice, choose_threshold
from custvalue.silence._silence_input import is_summary, read_gaps
from custvalue.silence._silence_options import (
    GRADES,
    check_choices,
    everybodys_gaps,
    grade_cuts,
    method_of,
    needs_outcome,
)
from custvalue.silence._silence_words import sentence, silence_facts


class SilenceScorer(Portable, DocLink, TransformerMixin, BaseEstimator):
    """Judge every customer's silence: how long since the last order, against what is usual.

    Parameters
    ----------
    method : {"own_gap", "pooled_gap", "shrunk", "calibrated", "threshold"}, default="own_gap"
        ``"own_gap"``: against the customer's own gaps (the source's S and TrF). ``"pooled_gap"``:
        against everybody's gaps. ``"shrunk"``: chance that a gap lasts so long, given the own gaps
        and the population's purchase rates. ``"calibrated"``: chance of an order within
        ``window``, learned from what customers did after an earlier date of the same log.
        ``"threshold"``: against one ``threshold`` for all, one-time buyers too.
    window : span, optional
        For ``"calibrated"``, e.g. ``"90D"``; a bare number where the unit is not known.
    regularity : int or "auto", default=1
        Erlang shape of the gaps in ``"shrunk"`` and ``"calibrated"``: 1 is memoryless, more is
        more regular. ``"auto"`` takes the likeliest; it needs everybody's gaps.
    calibrator : {"logistic", "isotonic"}, default="logistic"
        How ``"calibrated"`` turns the other measures into a chance.
    threshold : span or "learned", optional
        For ``"threshold"``, e.g. ``"90D"``: S is silence over it. ``"learned"``: the cheapest by
        the two costs, from ``y``.
    cuts : tuple of three floats or "learned", optional
        Lower ends of the grades watch, silent and deeply silent on ``score_samples``. Default:
        0.75, 1, 2 on S for ``"own_gap"`` and ``"threshold"``; 0.75, 0.9, 0.98 on 1 -
        ``prob_longer_gap``; 0.5, 0.75, 0.9 on 1 - ``prob_order``. ``"learned"``: the cheapest by
        the two costs, from ``y``.
    cost_false_alarm, cost_miss : float, default=1
        For ``cuts="learned"`` and ``threshold="learned"``; see ``choose_threshold``.
    words : bool, default=True
        Whether a named frame also gets the text columns ``basis`` and ``grade``.
    unit : str, optional
        Unit of time of tables that do not say it themselves.

    Attributes
    ----------
    learned_ : SilenceMethod
        The method and all it needs: quantiles of gaps, the prior of purchase rates, the chance of
        return with its cross-fitted Brier score.
    cuts_ : tuple of three floats
        Lower ends of the grades watch, silent and deeply silent.
    longest_silence_ : float
        The longest silence of ``fit``; more than twice that is said (`DataWarning`).
    silence_cuts_, shares_ : tuple
        Tenths of silence and shares of tenths and grades at the fit, which ``drift`` compares.
    is_named_ : bool
        Whether it was fitted on a summary (by name) or on a matrix of gaps.
    unit_ : str or None

    See Also
    --------
    learning_set : An earlier date's table, what happened next, and today's table from one log.
    silence_from_log : The table and everybody's gaps from one log.
    activation_plan : Whom to win back under a budget.

    Notes
    -----
    A frame is read by the names ``silence``, ``n_gaps``, ``gap_max``, ``gap_sum`` and
    ``n_gaps_shorter`` of a summary. An array, and a frame without these names, is read as a matrix
    of gaps: the first column is the current gap (silence), every further column one of the
    customer's own earlier gaps, padded with zeros.

    A one-time buyer has no gap of their own and is held against the repeat customers' longest gaps
    (``basis`` is ``"population"``); a customer with one gap is judged on it, which is said too.
    Silence says who is quiet, not who left; ``"calibrated"`` says how many like them came back.

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
        method: Literal["own_gap", "pooled_gap", "shrunk", "calibrated", "threshold"] = "own_gap",
        window: Span | None = None,
        regularity: int | Literal["auto"] = 1,
        calibrator: Literal["logistic", "isotonic"] = "logistic",
        threshold: Span | Literal["learned"] | None = None,
        cuts: tuple[float, float, float] | Literal["learned"] | None = None,
        cost_false_alarm: float = 1.0,
        cost_miss: float = 1.0,
        words: bool = True,
        unit: str | None = None,
    ) -> None:
        self.method = method
        self.window = window
        self.regularity = regularity
        self.calibrator = calibrator
        self.threshold = threshold
        self.cuts = cuts
        self.cost_false_alarm = cost_false_alarm
        self.cost_miss = cost_miss
        self.words = words
        self.unit = unit

    def fit(
        self, X: Any, y: npt.ArrayLike | None = None, *, gaps: npt.ArrayLike | None = None
    ) -> SilenceScorer:
        """Learn what is usual among the customers.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
            With ``y``: the customers as known at an earlier date.
        y : array-like of shape (n_customers,), optional
            Whether each ordered within the window after that date: True or False, or orders or
            money in the window, of which anything above 0 is an order. ``method="calibrated"``,
            ``threshold="learned"`` and ``cuts="learned"`` need it, else it is ignored. See
            ``learning_set``.
        gaps : array-like of shape (n_gaps,), optional
            Everybody's gaps in the table's unit, which ``"pooled_gap"`` and
            ``regularity="auto"`` need with a summary; see ``silence_from_log``.

        Returns
        -------
        SilenceScorer

        Raises
        ------
        DataContractError
            If a column is missing, has bad values, or contradicts another.
        ValueError
            If a parameter is not legal, or ``y`` or ``gaps`` is needed and missing.
        FitFailedError
            If there is nothing to learn from.
        """
        check_choices(self, y)
        table = open_table(X)
        facts = read_gaps(self, table, reset=True)
        self.is_named_ = is_summary(table)
        self.unit_ = table.unit(self.unit, caller="unit=")
        method = method_of(self)
        lesson = Lesson(
            facts,
            everybodys_gaps(self, table, gaps, named=self.is_named_),
            y,
            self.unit_,
        )
        self.learned_ = method.learn(lesson, self)
        score = self.learned_.measures(facts)["score"]
        self.cuts_ = grade_cuts(self, score, y)
        self.silence_cuts_ = tuple(float(c) for c in quantile_cuts(facts.silence, 10))
        self.longest_silence_ = float(facts.silence.max())
        self.shares_ = class_shares(self._classes(facts.silence, score), (10, len(GRADES)))
        return self

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Judge the silence of every row.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        frame or ndarray
            Columns ``silence_score`` (S), ``rank_ratio`` (TrF), ``prob_longer_gap`` (all methods
            but ``"own_gap"`` and ``"threshold"``), ``prob_order`` (``"calibrated"``),
            ``n_own_gaps`` (how many own gaps the answer rests on); for named frames with ``words``
            also ``basis`` and ``grade``. Same rows, same order, same index.
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid)
        table = open_table(X)
        facts = self._asked(table)
        measures = self.learned_.measures(facts)
        score = measures.pop("score")
        columns: dict[str, npt.NDArray[Any]] = {**measures, "n_own_gaps": facts.n_gaps}
        if not self.is_named_:
            return np.column_stack(list(columns.values()))
        template = output_template(self, table.given)
        if self.words:
            for name, words, places in (
                ("basis", self.learned_.bases, np.minimum(facts.n_gaps, 2).astype(np.intp)),
                ("grade", GRADES, self._grade_codes(score)),
            ):
                columns[name] = words_at(template, words, places)
        return keep_facts(table.given, frame_like(template, columns))

    def _asked(self, table: Table) -> GapFacts:
        """Gaps of the rows that are judged; silences far beyond those of the fit are told."""
        check_is_fitted(self)
        facts = read_gaps(self, table, reset=False)
        longest = getattr(self, "longest_silence_", 0.0)  # of before: not known
        warn_beyond(type(self).__name__, facts.silence, longest, self.unit_, "silence")
        return facts

    def score_samples(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Floats:
        """Give the number that grades are cut on: higher means more silent.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers,)
            S for ``"own_gap"`` and ``"threshold"``, 1 - ``prob_longer_gap`` for ``"pooled_gap"``
            and ``"shrunk"``, 1 - ``prob_order`` for ``"calibrated"``.
        """
        if on_invalid != "raise":
            return flagged(self.score_samples, X, on_invalid=on_invalid)
        check_is_fitted(self)
        return self.learned_.measures(self._asked(open_table(X)))["score"]

    def grade(self, X: Any, *, on_invalid: OnInvalid = "raise") -> npt.NDArray[np.object_]:
        """Active, watch, silent or deeply silent, for every row.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers,) of str
        """
        if on_invalid != "raise":
            return flagged(self.grade, X, on_invalid=on_invalid)
        words = np.asarray(GRADES, dtype=object)
        return np.asarray(words[self._grade_codes(self.score_samples(X))], dtype=object)

    def predict(self, X: Any, *, on_invalid: OnInvalid = "raise") -> npt.NDArray[np.intp]:
        """1 for customers who are silent (or deeply so), 0 for the others.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, on_invalid=on_invalid)
        return (self._grade_codes(self.score_samples(X)) >= 2).astype(np.intp)

    def scorer(self) -> RowScorer:
        """Freeze the estimator for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a summary's row is ``grade`` and, as :meth:`predict`, ``silent``;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self)
        refuse_nameless(self)

        def answer(row: OneRow) -> dict[str, Any]:
            code = self._grade_codes(self.score_samples(row))
            return {"grade": [GRADES[code[0]]], "silent": (code >= 2).astype(np.intp)}

        return RowScorer(answer, self.unit_, "silence")

    def choose_threshold(
        self,
        X: Any,
        y: npt.ArrayLike,
        *,
        cost_false_alarm: float = 1.0,
        cost_miss: float = 1.0,
    ) -> ThresholdChoice:
        """Choose where silence begins by what the two errors cost.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
            As known at an earlier date.
        y : array-like of shape (n_customers,)
            Whether the customer ordered within the window after that date.
        cost_false_alarm : float, default=1
            Cost of calling one silent who ordered after all.
        cost_miss : float, default=1
            Cost of not calling one silent who did not order.

        Returns
        -------
        ThresholdChoice
            With the whole ``curve``; ``SilenceScorer(cuts=choice.cuts)`` uses it.
        """
        return choose_threshold(
            self.score_samples(X), y, cost_false_alarm=cost_false_alarm, cost_miss=cost_miss
        )

    def reliability(self, X: Any, y: npt.ArrayLike, *, n_groups: int = 10) -> Any:
        """Compare the learned chance with what happened to customers it was not learned on.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        y : array-like of shape (n_customers,)
            Whether each ordered within the window.
        n_groups : int, default=10

        Returns
        -------
        pandas.DataFrame
            See ``reliability_table``; ``attrs["brier"]`` has the Brier score.

        Raises
        ------
        ValueError
            If the method is not ``"calibrated"``.
        """
        check_is_fitted(self)
        learned = self.learned_.return_chance()
        if learned is None:
            raise ValueError("only method='calibrated' learns a chance that can be checked.")
        chance = learned.of(read_gaps(self, open_table(X), reset=False))
        table = reliability_table(y, chance, n_groups=n_groups)
        came = has_ordered(y, len(chance))
        table.attrs["brier"] = float(np.mean((chance - came) ** 2))
        return table

    def explain(
        self,
        X: Any,
        customer: Any,
        *,
        customer_column: str | None = None,
        language: Language = "en",
    ) -> str:
        """Say one customer's silence in a sentence, with the facts it rests on.

        Parameters
        ----------
        X : frame
            Summary with the customer.
        customer : object
            The customer's id.
        customer_column : str, optional
            Column of the ids; a table made by ``summarize`` knows it.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str

        Raises
        ------
        KeyError
            If no row, or more than one, has this id.
        ValueError
            If it was fitted on a matrix of gaps, or the id column is not known.
        """
        check_is_fitted(self)
        table = open_table(X)
        known = table.facts
        name = customer_column or (known.customer if known is not None else None)
        if name is None or not self.is_named_:
            raise ValueError("explain needs a summary and its customer column: customer_column=.")
        at = np.flatnonzero(np.asarray(table.column(name)) == customer)
        if len(at) != 1:
            raise KeyError(f"{len(at)} rows have {name} == {customer!r}; exactly one is needed.")
        facts = GapFacts(*(part[at] for part in read_gaps(self, table, reset=False)))
        found = self.learned_.measures(facts)
        grade = GRADES[int(self._grade_codes(found["score"])[0])]
        said = silence_facts(str(customer), facts, found, self.learned_, grade)
        return sentence(said, self.unit_, check_language(language))

    def drift(self, new: Any) -> DriftReport:
        """How far a newer table has moved from the one that was learned on.

        Parameters
        ----------
        new : frame or array-like
            Customers of today.

        Returns
        -------
        DriftReport
            Of ``silence`` (in tenths) and ``grade``; the share that would move is found by
            learning the usual gaps and rates anew (a learned chance keeps its weights).
        """
        check_is_fitted(self)
        facts = read_gaps(self, open_table(new), reset=False)
        score = self.learned_.measures(facts)["score"]
        anew = self.learned_.anew(facts).measures(facts)["score"]
        fresh = bins_of(facts.silence, quantile_cuts(facts.silence, 10)[None, :])
        return drift_report(
            ("silence", "grade"),
            self.shares_,
            self._classes(facts.silence, score),
            np.column_stack([fresh, self._grade_codes(anew)]),
        )

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {
            "learned_": Union[tuple(dict.fromkeys(METHODS.values()))],  # noqa: UP007
            "cuts_": tuple[float, float, float],
            "silence_cuts_": tuple[float, ...],
            "longest_silence_": float,
            "shares_": tuple[tuple[float, ...], ...],
            "is_named_": bool,
            "unit_": str | None,
        }

    def _check_written(self) -> None:
        check_choices(self, ())
        self.learned_.check_learned()
        if not list(self.cuts_) == sorted(self.cuts_):
            raise ValueError("the lower ends of the grades must not fall.")
        shares = [len(self.silence_cuts_) + 1, len(GRADES)]
        if [len(one) for one in self.shares_] != shares or len(self.silence_cuts_) != 9:
            raise ValueError("the shares are not those of tenths of silence and of grades.")
        if self.is_named_ != hasattr(self, "feature_names_in_"):
            raise ValueError("columns are read by name where they have names.")

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
        names = [*self.learned_.names, "n_own_gaps"]
        names += ["basis", "grade"] if self.is_named_ and self.words else []
        return np.asarray(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.target_tags.required = needs_outcome(self)
        return tags

    def _classes(self, silence: Floats, score: Floats) -> npt.NDArray[np.intp]:
        """Tenth of silence and grade of every row, which ``drift`` compares."""
        tenths = bins_of(silence, np.asarray(self.silence_cuts_)[None, :])
        return np.column_stack([tenths, self._grade_codes(score)])

    def _grade_codes(self, score: Floats) -> npt.NDArray[np.intp]:
        return np.searchsorted(np.asarray(self.cuts_), score, side="right")
