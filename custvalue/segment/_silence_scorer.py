"""Who has gone quiet, as a scikit-learn estimator over a customer summary."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue._frames import column, facts_of, frame_like, keep_facts, unit_of, words_at
from custvalue._labels import check_language, translate
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted, output_template
from custvalue._units import Span, in_units
from custvalue.segment._drift import DriftReport, drift_report
from custvalue.segment._learned_silence import learn_silence, typical_gap
from custvalue.segment._return_chance import reliability_table
from custvalue.segment._rfm_law import bins_of, quantile_cuts
from custvalue.segment._silence import Floats, GapFacts
from custvalue.segment._silence_cuts import ThresholdChoice, choose_threshold
from custvalue.segment._silence_input import is_summary, read_gaps
from custvalue.segment._silence_words import SilenceFacts, sentence

GRADES = ("active", "watch", "silent", "deeply silent")
# by number of own gaps: none, one, more
BASES = {
    "own_gap": ("population", "one own gap", "own gaps"),
    "pooled_gap": ("population",) * 3,
    "shrunk": ("population", "one own gap and population", "own gaps and population"),
    "calibrated": ("population", "one own gap and population", "own gaps and population"),
}
# lower ends of watch, silent, deeply silent on score_samples
CUTS = {
    "own_gap": (0.75, 1.0, 2.0),
    "pooled_gap": (0.75, 0.9, 0.98),
    "shrunk": (0.75, 0.9, 0.98),
    "calibrated": (0.5, 0.75, 0.9),
}


class SilenceScorer(DocLink, TransformerMixin, BaseEstimator):
    """Judge every customer's silence: how long since the last order, against what is usual.

    Parameters
    ----------
    method : {"own_gap", "pooled_gap", "shrunk", "calibrated"}, default="own_gap"
        ``"own_gap"``: against the customer's own gaps (the source's S and TrF). ``"pooled_gap"``:
        against everybody's gaps. ``"shrunk"``: chance that a gap lasts so long, given the own gaps
        and the population's purchase rates. ``"calibrated"``: chance of an order within
        ``window``, learned from what customers did after an earlier date of the same log.
    window : span, optional
        For ``"calibrated"``, e.g. ``"90D"``; a bare number where the unit is not known.
    regularity : int or "auto", default=1
        Erlang shape of the gaps in ``"shrunk"`` and ``"calibrated"``: 1 is memoryless, more is
        more regular. ``"auto"`` takes the likeliest; it needs everybody's gaps.
    calibrator : {"logistic", "isotonic"}, default="logistic"
        How ``"calibrated"`` turns the other measures into a chance.
    cuts : tuple of three floats or "learned", optional
        Lower ends of the grades watch, silent and deeply silent on ``score_samples``. Default:
        0.75, 1, 2 on S for ``"own_gap"``; 0.75, 0.9, 0.98 on 1 - ``prob_longer_gap``; 0.5, 0.75,
        0.9 on 1 - ``prob_order``. ``"learned"``: the cheapest by the two costs, from ``y``.
    cost_false_alarm, cost_miss : float, default=1
        For ``cuts="learned"``; see ``choose_threshold``.
    words : bool, default=True
        Whether a named frame also gets the text columns ``basis`` and ``grade``.
    labels : {"en", "zh"}, default="en"
        Language of those columns.
    unit : str, optional
        Unit of time of tables that do not say it themselves.

    Attributes
    ----------
    learned_ : LearnedSilence
        Everything the measures need: quantiles of gaps, the prior of purchase rates, the chance
        of return with its cross-fitted Brier score.
    cuts_ : tuple of three floats
        Lower ends of the grades watch, silent and deeply silent.
    silence_cuts_, shares_ : tuple
        Tenths of silence and shares of tenths and grades at the fit, which ``drift`` compares.
    is_named_ : bool
        Whether it was fitted on a summary (by name) or on a matrix of gaps.
    unit_ : str or None

    See Also
    --------
    learning_set : An earlier date's table, what happened next, and today's table from one log.
    silence_from_log : The table and everybody's gaps from customers and dates alone.
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
        method: Literal["own_gap", "pooled_gap", "shrunk", "calibrated"] = "own_gap",
        window: Span | None = None,
        regularity: int | Literal["auto"] = 1,
        calibrator: Literal["logistic", "isotonic"] = "logistic",
        cuts: tuple[float, float, float] | Literal["learned"] | None = None,
        cost_false_alarm: float = 1.0,
        cost_miss: float = 1.0,
        words: bool = True,
        labels: Literal["en", "zh"] = "en",
        unit: str | None = None,
    ) -> None:
        self.method = method
        self.window = window
        self.regularity = regularity
        self.calibrator = calibrator
        self.cuts = cuts
        self.cost_false_alarm = cost_false_alarm
        self.cost_miss = cost_miss
        self.words = words
        self.labels = labels
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
            Whether each ordered within the window after that date; ``method="calibrated"`` and
            ``cuts="learned"`` need it, else it is ignored. See ``learning_set``.
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
        self._check_parameters(y)
        facts = read_gaps(self, X, reset=True)
        self.is_named_ = is_summary(X)
        self.unit_ = unit_of(X, self.unit, caller="unit=")
        if self.method == "calibrated":
            self.window_ = in_units(self.window, self.unit_, "window")  # type: ignore[arg-type]
        self.learned_ = learn_silence(
            self.method,
            facts,
            self._everybodys_gaps(X, gaps),
            regularity=self.regularity,
            ordered=y,
            window=getattr(self, "window_", 0.0),
            calibrator=self.calibrator,
        )
        score = self.learned_.measures(facts)["score"]
        self.cuts_ = self._learn_cuts(score, y)
        self.silence_cuts_ = tuple(float(c) for c in quantile_cuts(facts.silence, 10))
        self.shares_ = self._shares(facts.silence, score)
        return self

    def transform(self, X: Any) -> Any:
        """Judge the silence of every row.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)

        Returns
        -------
        frame or ndarray
            Columns ``silence_score`` (S), ``rank_ratio`` (TrF), ``prob_longer_gap`` (all methods
            but ``"own_gap"``), ``prob_order`` (``"calibrated"``), ``n_own_gaps`` (how many own gaps
            the answer rests on); for named frames with ``words`` also ``basis`` and ``grade``.
            Same rows, same order, same index.
        """
        check_is_fitted(self)
        facts = read_gaps(self, X, reset=False)
        measures = self.learned_.measures(facts)
        score = measures.pop("score")
        columns: dict[str, npt.NDArray[Any]] = {**measures, "n_own_gaps": facts.n_gaps}
        if not self.is_named_:
            return np.column_stack(list(columns.values()))
        template = output_template(self, X)
        if self.words:
            for name, words, places in (
                ("basis", BASES[self.method], np.minimum(facts.n_gaps, 2).astype(np.intp)),
                ("grade", GRADES, self._grade_codes(score)),
            ):
                said = [translate(word, self.labels) for word in words]
                columns[name] = words_at(template, said, places)
        return keep_facts(X, frame_like(template, columns))

    def score_samples(self, X: Any) -> Floats:
        """Give the number that grades are cut on: higher means more silent.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
            S for ``"own_gap"``, 1 - ``prob_longer_gap`` for ``"pooled_gap"`` and ``"shrunk"``,
            1 - ``prob_order`` for ``"calibrated"``.
        """
        check_is_fitted(self)
        return self.learned_.measures(read_gaps(self, X, reset=False))["score"]

    def grade(self, X: Any) -> npt.NDArray[np.object_]:
        """Active, watch, silent or deeply silent, for every row.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,) of str
        """
        said = np.asarray([translate(word, self.labels) for word in GRADES], dtype=object)
        return np.asarray(said[self._grade_codes(self.score_samples(X))], dtype=object)

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
        y : array-like of shape (n_customers,), bool or 0/1
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
        y : array-like of shape (n_customers,), bool or 0/1
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
        if self.learned_.chance is None:
            raise ValueError("only method='calibrated' learns a chance that can be checked.")
        chance = self.learned_.chance.of(read_gaps(self, X, reset=False))
        table = reliability_table(y, chance, n_groups=n_groups)
        table.attrs["brier"] = float(np.mean((chance - np.asarray(y, dtype=np.float64)) ** 2))
        return table

    def explain(self, X: Any, customer: Any, *, customer_column: str | None = None) -> str:
        """Say one customer's silence in a sentence, with the facts it rests on.

        Parameters
        ----------
        X : frame
            Summary with the customer.
        customer : object
            The customer's id.
        customer_column : str, optional
            Column of the ids; a table made by ``summarize`` knows it.

        Returns
        -------
        str
            In the language of ``labels``.

        Raises
        ------
        KeyError
            If no row, or more than one, has this id.
        ValueError
            If it was fitted on a matrix of gaps, or the id column is not known.
        """
        check_is_fitted(self)
        known = facts_of(X)
        name = customer_column or (known.customer if known is not None else None)
        if name is None or not self.is_named_:
            raise ValueError("explain needs a summary and its customer column: customer_column=.")
        at = np.flatnonzero(np.asarray(column(X, name)) == customer)
        if len(at) != 1:
            raise KeyError(f"{len(at)} rows have {name} == {customer!r}; exactly one is needed.")
        facts = GapFacts(*(part[at] for part in read_gaps(self, X, reset=False)))
        found = self.learned_.measures(facts)
        one = {key: float(value[0]) for key, value in found.items()}
        n_gaps, chance = int(facts.n_gaps[0]), self.learned_.chance
        return sentence(
            SilenceFacts(
                customer=str(customer),
                n_orders=n_gaps + 1,
                silence=float(facts.silence[0]),
                mean_gap=float(facts.gap_sum[0]) / n_gaps if n_gaps else None,
                longest_gap=float(facts.gap_max[0]) if n_gaps else None,
                typical_longest_gap=typical_gap(self.learned_.longest_gaps),
                score=one["silence_score"],
                ratio=one["rank_ratio"],
                grade=GRADES[int(self._grade_codes(found["score"])[0])],
                window=None if chance is None else chance.window,
                chance=one.get("prob_order"),
                alike=None if chance is None else chance.alike_to(one["prob_order"]),
            ),
            self.unit_,
            check_language(self.labels),
        )

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
        facts = read_gaps(self, new, reset=False)
        score = self.learned_.measures(facts)["score"]
        anew = self.learned_.anew(facts).measures(facts)["score"]
        fresh_cuts = quantile_cuts(facts.silence, 10)
        moved = np.column_stack(
            [
                self._tenths(facts.silence) != bins_of(facts.silence, fresh_cuts[None, :]),
                self._grade_codes(score) != self._grade_codes(anew),
            ]
        )
        return drift_report(
            ("silence", "grade"),
            self.shares_,
            self._shares(facts.silence, score),
            moved.mean(axis=0),
            float(moved.any(axis=1).mean()),
            len(moved),
        )

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
        tags.target_tags.required = self._needs_outcome()
        return tags

    def _needs_outcome(self) -> bool:
        return self.method == "calibrated" or isinstance(self.cuts, str)

    def _check_parameters(self, y: npt.ArrayLike | None) -> None:
        if self.method not in BASES:
            raise ValueError(f"method={self.method!r} must be one of {list(BASES)}.")
        if self.calibrator not in ("logistic", "isotonic"):
            raise ValueError(f"calibrator={self.calibrator!r} must be 'logistic' or 'isotonic'.")
        if self.regularity != "auto" and not (
            isinstance(self.regularity, (int, np.integer)) and self.regularity >= 1
        ):
            raise ValueError(f"regularity={self.regularity!r} must be 'auto' or a number >= 1.")
        check_language(self.labels)
        if isinstance(self.cuts, str) and self.cuts != "learned":
            raise ValueError(f"cuts={self.cuts!r} must be three numbers or 'learned'.")
        if self.method == "calibrated" and self.window is None:
            raise ValueError("method='calibrated' needs a window, e.g. window='90D'.")
        if self._needs_outcome() and y is None:
            raise ValueError(
                "method='calibrated' and cuts='learned' learn from an earlier date: fit(X, y) with "
                "the customers as known then and whether each ordered within the window after it "
                "(custvalue.segment.learning_set makes both). requires y to be passed, but the "
                "target y is None."
            )

    def _everybodys_gaps(self, X: Any, gaps: npt.ArrayLike | None) -> Floats | None:
        """Everybody's gaps, where the method needs them."""
        if self.method != "pooled_gap" and not (
            self.regularity == "auto" and self.method in ("shrunk", "calibrated")
        ):
            return None
        if gaps is None and self.is_named_:
            raise ValueError(
                f"method={self.method!r} with regularity={self.regularity!r} needs everybody's "
                "gaps, which a summary does not hold: fit(X, gaps=...) with the gaps of "
                "custvalue.segment.silence_from_log."
            )
        values = np.asarray(X if gaps is None else gaps, dtype=np.float64)
        if gaps is None:
            values = values[:, 1:][values[:, 1:] > 0]
        if values.ndim != 1 or not len(values) or not (np.isfinite(values) & (values > 0)).all():
            source = "gaps" if gaps is not None else f"X with n_features={self.n_features_in_}"
            raise ValueError(f"{source} must hold positive, finite gaps, at least one.")
        return values

    def _learn_cuts(self, score: Floats, y: npt.ArrayLike | None) -> tuple[float, float, float]:
        if isinstance(self.cuts, str):
            assert y is not None
            return choose_threshold(
                score, y, cost_false_alarm=self.cost_false_alarm, cost_miss=self.cost_miss
            ).cuts
        cuts = CUTS[self.method] if self.cuts is None else self.cuts
        numbers = [float(c) for c in cuts]
        if len(numbers) != 3 or not (np.diff(numbers) >= 0).all():
            raise ValueError(f"cuts={cuts!r} must be three ascending numbers.")
        return numbers[0], numbers[1], numbers[2]

    def _shares(self, silence: Floats, score: Floats) -> tuple[tuple[float, ...], ...]:
        tenths = np.bincount(self._tenths(silence), minlength=10) / len(silence)
        grades = np.bincount(self._grade_codes(score), minlength=4) / len(score)
        return tuple(map(float, tenths)), tuple(map(float, grades))

    def _tenths(self, silence: Floats) -> npt.NDArray[np.intp]:
        return bins_of(silence, np.asarray(self.silence_cuts_)[None, :])

    def _grade_codes(self, score: Floats) -> npt.NDArray[np.intp]:
        return np.searchsorted(np.asarray(self.cuts_), score, side="right")
