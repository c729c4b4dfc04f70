"""LifecycleClassifier: where each relationship stands, by rules or learned from labelled stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from custvalue import _frames
from custvalue._drift import DriftReport, drift_report
from custvalue._group_sizes import group_sizes
from custvalue._open_table import Table, open_table
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import RowScorer, refuse_nameless
from custvalue._sklearn import DocLink, available_if, check_is_fitted, validate_data
from custvalue._typing import Floats
from custvalue._units import Span, days_per, in_units, span_days
from custvalue._words import HOUSE, Language, check_language
from custvalue._work import check_kinds
from custvalue._written import Portable
from custvalue.data import TransactionLog
from custvalue.exceptions import NotSupportedError
from custvalue.lifecycle import _lifecycle_evidence as reading
from custvalue.lifecycle._decided import LearnedStages, StageRules
from custvalue.lifecycle._lifecycle_history import StageHistory, make_history
from custvalue.lifecycle._lifecycle_outputs import RHYTHM, days_before, rhythm, warn_of_problems
from custvalue.lifecycle._lifecycle_words import (
    stage_names,
)
from custvalue.lifecycle._playbook import playbook
from custvalue.lifecycle._stage_test import StageTest, validated
from custvalue.lifecycle._stage_time import SINCE_IS, TIMING, WANTS, progress, wants_words, windows
from custvalue.lifecycle._stages import (
    RULE_STAGE,
    STAGES,
    Evidence,
    StageThresholds,
    deciding_rule,
    held_up,
)


def _learned(estimator: Any) -> LearnedStages:
    if not isinstance(estimator.learned_, LearnedStages):
        raise AttributeError(
            "stage rules decide and give no probabilities, nor a tree; fit with labelled stages "
            "(y) for them."
        )
    return estimator.learned_


def _id_column(table: Table) -> dict[str, Any]:
    return {} if table.ids is None else dict([table.ids])


class LifecycleClassifier(Portable, DocLink, ClassifierMixin, TransformerMixin, BaseEstimator):
    """Stage of every customer relationship: by rules, or learned where stages are labelled.

    Without ``y`` the eight stages of the source follow from orders and from whatever CRM columns
    the table has; the rule that decided is a column of :meth:`stage_table`. With ``y`` a shallow
    tree learns its own thresholds, which :meth:`rules_text` prints as words.

    ======================  ==========================================================
    stage                   evidence (first match from the bottom of the table upwards)
    ======================  ==========================================================
    potential               no order
    target                  no order, ``in_plan`` or ``contacted``
    new                     orders, yet too few or over too short a span
    established             repeat orders beyond the trial's window
    core                    many regular orders of some value over a longer span
    strategic               core evidence over a year more, and ``joint_project``
    problem                 ``open_dispute``; or was established and went quiet
    exited                  ``terminated``; or silent beyond return
    ======================  ==========================================================

    Parameters
    ----------
    unit : str or None, default=None
        Unit of the spans in ``X`` (``"D"``, ``"W"``, ...) where the table does not say it itself.
    columns : dict or None, default=None
        Your names for the columns that rules read, e.g. ``{"open_dispute": "has_claim"}``. Known:
        ``n_orders``, ``recency``, ``silence``, ``gap_max`` (needed), ``gap_mean``, ``gap_std``,
        ``total_value`` (from :func:`custvalue.summarize`); ``in_plan``, ``contacted``,
        ``open_dispute``, ``terminated``, ``joint_project`` (true, false or empty),
        ``satisfaction``, ``return_chance`` (any model's chance of another order).
    new_window : pair of spans, default=("2M", "4M")
        Usual length of the trial; its lower edge is the least span of orders of an established
        customer.
    established_window : pair of spans, default=("3M", "1Y")
        Usual length of being established; its lower edge comes on top before core.
    core_window : span, default="1Y"
        Usual length of being core; it comes on top before strategic.
    learn_windows : bool, default=False
        Whether ``fit`` takes the three windows from the customers instead, where ten or more have
        ``established_orders``: how long customers took to become established (their mean gap times
        the orders it takes after the first), to become core from there, and for as many orders
        again; the middle half of the customers, and the median. The windows given stay where fewer
        have.
    established_orders, core_orders : int, default=3 and 6
        Least orders of an established and of a core customer.
    core_irregularity : float or None, default=1.5
        Largest spread of a core customer's gaps, by their mean; 1 is what chance alone gives.
    core_value_quantile : float or None, default=0.5
        A core customer's total value is at or above this quantile of all customers with the
        evidence of established ones; the value is learned in ``fit`` and frozen.
    satisfied_from : float or None, default=None
        Least ``satisfaction`` of a core customer; None means 0.5 on a scale from 0 to 1.
    quiet_ratio, quiet_after : float and span, default=2.0 and "1M"
        An established customer is a problem when silence is over ``quiet_ratio`` times the
        longest own gap and at least ``quiet_after``.
    exit_ratio, exit_after : float and span, default=3.0 and "1Y"
        A customer with orders has left when silence is over ``exit_ratio`` times the longest own
        gap and at least ``exit_after``.
    exit_chance : float, default=0.05
        Where there is a ``return_chance``: below it a customer has left.
    problem_ceiling : float, default=0.03
        Share of problem customers above which :meth:`health` warns.
    min_stay : span or None, default=None
        Least time between two changes of stage in :meth:`history`, so that stages don't flicker.
    view : {"eight", "four"}, default="eight"
        ``"four"`` shows potential, new, mature and declining.
    max_depth : int, default=6
        With ``y``: depth of the tree.
    ccp_alpha : float, default=0.001
        With ``y``: cost-complexity pruning, which keeps the tree as small as it may be.
    random_state : int, RandomState or None, default=0
        With ``y``: breaks ties between equally good splits.

    Attributes
    ----------
    learned_ : StageRules or LearnedStages
        What decides: the written rules with their frozen thresholds (fitted without ``y``), or a
        tree (fitted with ``y``). The attributes below are read off it.
    classes_ : ndarray of str
        Stages that ``predict`` can give.
    thresholds_ : StageThresholds
        Cuts of the written rules.
    tree_ : DecisionTreeClassifier
        Learned rules.
    unit_ : str or None
        Unit of the spans.
    stage_shares_ : ndarray
        Shares of the fitted customers: by the eight stages, or by ``classes_`` where learned.
    columns_ : tuple of str
        Known columns that were found in ``fit`` and are read; empty where an array of unknown
        columns was learned from.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    Moving up needs orders, not age: every upward rule reads counts and the span between first and
    last order, which stand still while a customer only gets older.

    References
    ----------
    The eight stages, their windows and the 3 % ceiling follow the source on customer upgrading
    (客户升级).

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.lifecycle import LifecycleClassifier
    >>> customers = pd.DataFrame({
    ...     "customer": ["Ann", "Ben", "Cai", "Dee"],
    ...     "n_orders": [1, 4, 8, 5], "recency": [0, 90, 400, 200],
    ...     "silence": [30, 20, 10, 90], "gap_max": [None, 40, 80, 30],
    ... })
    >>> model = LifecycleClassifier(unit="D").fit(customers)
    >>> model.predict(customers)
    array(['new', 'established', 'core', 'problem'], dtype=object)
    """

    def __init__(
        self,
        *,
        unit: str | None = None,
        columns: Mapping[str, str] | None = None,
        new_window: tuple[Span, Span] = ("2M", "4M"),
        established_window: tuple[Span, Span] = ("3M", "1Y"),
        core_window: Span = "1Y",
        learn_windows: bool = False,
        established_orders: int = 3,
        core_orders: int = 6,
        core_irregularity: float | None = 1.5,
        core_value_quantile: float | None = 0.5,
        satisfied_from: float | None = None,
        quiet_ratio: float = 2.0,
        quiet_after: Span = "1M",
        exit_ratio: float = 3.0,
        exit_after: Span = "1Y",
        exit_chance: float = 0.05,
        problem_ceiling: float = 0.03,
        min_stay: Span | None = None,
        view: str = "eight",
        max_depth: int = 6,
        ccp_alpha: float = 0.001,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.unit = unit
        self.columns = columns
        self.new_window = new_window
        self.established_window = established_window
        self.core_window = core_window
        self.learn_windows = learn_windows
        self.established_orders = established_orders
        self.core_orders = core_orders
        self.core_irregularity = core_irregularity
        self.core_value_quantile = core_value_quantile
        self.satisfied_from = satisfied_from
        self.quiet_ratio = quiet_ratio
        self.quiet_after = quiet_after
        self.exit_ratio = exit_ratio
        self.exit_after = exit_after
        self.exit_chance = exit_chance
        self.problem_ceiling = problem_ceiling
        self.min_stay = min_stay
        self.view = view
        self.max_depth = max_depth
        self.ccp_alpha = ccp_alpha
        self.random_state = random_state

    # -- fitting ---------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> LifecycleClassifier:
        """Freeze the rules' thresholds, or learn rules from labelled stages.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
            One row a customer. A frame is read by column names; an array, or a frame with none of
            the names, by position: without ``y`` as ``n_orders, recency, silence, gap_max,
            gap_mean, gap_std, total_value``, then the CRM columns in the order above (the first
            four are needed); with ``y`` whatever its columns are.
        y : array-like of shape (n_customers,) or None
            Labelled stages.
        sample_weight : array-like of shape (n_customers,) or None
            Weights of the rows.

        Returns
        -------
        LifecycleClassifier
            Itself, fitted.

        Raises
        ------
        DataContractError
            Listing every missing column and every value that no history can have.
        TimeUnitError
            If the unit of the spans is not known, or stated twice and differently.
        """
        mapping = self._check_options()
        table = open_table(X)
        found = reading.present_columns(table, mapping)
        unit = table.unit(self.unit, caller="LifecycleClassifier")
        sample_weight = table.weights(sample_weight)
        learned: StageRules | LearnedStages
        if y is None:
            learned = self._rules(table, found, mapping, unit, sample_weight)
        else:
            learned = self._tree(table, y, found, mapping, unit, sample_weight)
        self.learned_ = learned
        return self

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {"learned_": StageRules | LearnedStages}

    def _check_written(self) -> None:
        self._check_options()
        self.learned_.check()
        if self.learned_.by_name != hasattr(self, "feature_names_in_"):
            raise ValueError("columns are read by name where they have names.")

    def _check_options(self) -> dict[str, str]:
        check_kinds(
            self,
            columns="mapping or None",
            new_window="pair",
            established_window="pair",
            established_orders="number",
            core_orders="number",
            core_irregularity="number or None",
            core_value_quantile="number or None",
            satisfied_from="number or None",
            quiet_ratio="number",
            exit_ratio="number",
            exit_chance="number",
            problem_ceiling="number",
        )
        stage_names(self.view, "en")
        return reading.check_mapping(self.columns)

    def _rules(
        self,
        table: Table,
        found: tuple[str, ...] | None,
        mapping: dict[str, str],
        unit: str | None,
        sample_weight: Any,
    ) -> StageRules:
        if found is not None:
            reading.check_needed(found, mapping)
            values = reading.read_named(self, table, found, mapping, reset=True)
        else:
            values = validate_data(
                self, table.given, dtype=np.float64, ensure_all_finite="allow-nan"
            )
            k = values.shape[1]
            if not len(reading.NEEDED) <= k <= len(reading.KNOWN):
                raise ValueError(
                    f"{k} feature(s) in X, which has none of the column names. The rules read an "
                    f"array by position and need between {len(reading.NEEDED)} and "
                    f"{len(reading.KNOWN)} columns ({', '.join(reading.NEEDED)}, ...); "
                    "to learn from other columns LifecycleClassifier requires y to be passed, but "
                    "the target y is None."
                )
            found = reading.KNOWN[:k]
        evidence = reading.to_evidence(values, found)
        reading.check_evidence(evidence, mapping)
        thresholds = self._thresholds(evidence, unit, sample_weight)
        stage = RULE_STAGE[deciding_rule(evidence, thresholds)]
        shares = np.bincount(stage, minlength=len(STAGES)) / len(stage)
        return StageRules(found, hasattr(self, "feature_names_in_"), unit, thresholds, shares)

    def _thresholds(
        self, evidence: Evidence, unit: str | None, sample_weight: Any
    ) -> StageThresholds:
        def units(span: Span, name: str) -> float:
            return in_units(span, unit, name)

        bare = StageThresholds(
            unit=unit,
            new_window=(
                units(self.new_window[0], "new_window"),
                units(self.new_window[1], "new_window"),
            ),
            established_window=(
                units(self.established_window[0], "established_window"),
                units(self.established_window[1], "established_window"),
            ),
            core_window=units(self.core_window, "core_window"),
            established_orders=self.established_orders,
            core_orders=self.core_orders,
            core_irregularity=None if evidence.gap_std is None else self.core_irregularity,
            core_value=None,
            satisfied_from=reading.check_satisfaction(evidence, self.satisfied_from),
            quiet_ratio=self.quiet_ratio,
            quiet_after=units(self.quiet_after, "quiet_after"),
            exit_ratio=self.exit_ratio,
            exit_after=units(self.exit_after, "exit_after"),
            exit_chance=self.exit_chance,
        )
        if self.learn_windows:
            bare = reading.with_usual_windows(bare, evidence, sample_weight)
        return reading.with_usual_value(
            bare, evidence, self.core_value_quantile, sample_weight, held_up(evidence, bare)[0]
        )

    def _tree(
        self,
        table: Table,
        y: Any,
        found: tuple[str, ...] | None,
        mapping: dict[str, str],
        unit: str | None,
        sample_weight: Any,
    ) -> LearnedStages:
        from sklearn.tree import DecisionTreeClassifier  # loads half of scikit-learn

        if found is not None:
            values = reading.read_named(self, table, found, mapping, reset=True)
            y = column_or_1d(np.asarray(y), warn=True)
        else:
            values, y = validate_data(
                self, table.given, y, dtype=np.float64, ensure_all_finite="allow-nan"
            )
        check_classification_targets(y)
        if found is not None:
            values, names = reading.learning_columns(values, found)
        else:
            names = tuple(map(str, getattr(self, "feature_names_in_", ()))) or tuple(
                f"x{j}" for j in range(values.shape[1])
            )
        tree = DecisionTreeClassifier(
            max_depth=self.max_depth, ccp_alpha=self.ccp_alpha, random_state=self.random_state
        ).fit(values, y, sample_weight=sample_weight)
        lacking = np.flatnonzero(np.isnan(values).any(axis=0))
        place = np.searchsorted(tree.classes_, tree.predict(values))
        return LearnedStages(
            found or (),
            found is not None,
            unit,
            tree,
            names,
            frozenset(names[j] for j in lacking),
            np.bincount(place, minlength=len(tree.classes_)) / len(place),
        )

    # -- what was learned ------------------------------------------------------------------------

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Stages that ``predict`` can give."""
        return self.learned_.classes(self.view)

    @property
    def thresholds_(self) -> StageThresholds:
        """Frozen cuts of the written rules."""
        if isinstance(self.learned_, LearnedStages):
            raise AttributeError("stages that were learned from y have no thresholds_, but tree_.")
        return self.learned_.thresholds

    @property
    def tree_(self) -> Any:
        """The fitted tree, where stages were learned."""
        return _learned(self).tree

    @property
    def unit_(self) -> str | None:
        """Unit of the spans."""
        return self.learned_.unit

    @property
    def columns_(self) -> tuple[str, ...]:
        """Known columns that were found in ``fit``."""
        return self.learned_.columns

    @property
    def stage_shares_(self) -> npt.NDArray[np.float64]:
        """Shares of the fitted customers in each stage."""
        return self.learned_.shares

    # -- reading and deciding --------------------------------------------------------------------

    def _read(self, X: Any) -> tuple[Floats, dict[str, str]]:
        """Read a table: values, and what errors call the columns."""
        check_is_fitted(self, "learned_")
        mapping, table = reading.check_mapping(self.columns), open_table(X)
        if self.learned_.by_name and table.names is not None:
            columns = self.learned_.columns
            return reading.read_named(self, table, columns, mapping, reset=False), mapping
        table.check_unit(self)
        values = validate_data(
            self, table.given, reset=False, dtype=np.float64, ensure_all_finite="allow-nan"
        )
        return values, mapping

    def predict(self, X: Any, *, on_invalid: OnInvalid = "raise") -> npt.NDArray[Any]:
        """Stage of every customer.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
            As in ``fit``; the same columns, extra ones are ignored by name.
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers,)
            One of ``classes_``.
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, on_invalid=on_invalid)
        values, mapping = self._read(X)
        return self.classes_[self.learned_.codes(values, mapping, self.view)]

    def scorer(self) -> RowScorer:
        """Freeze the estimator for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a summary's row is the stage, as :meth:`predict` says it;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self, "learned_")
        refuse_nameless(self)
        return RowScorer(self.predict, self.unit_, "stage")

    @available_if(_learned)
    def predict_proba(self, X: Any, *, on_invalid: OnInvalid = "raise") -> npt.NDArray[np.float64]:
        """Chance of every stage, where stages were learned (fitted with ``y``).

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers, n_classes)
            Columns as in ``classes_``; the shares of labelled stages in the customer's leaf.
        """
        if on_invalid != "raise":
            return flagged(self.predict_proba, X, on_invalid=on_invalid, width=len(self.classes_))
        values, _ = self._read(X)
        return _learned(self).chances(values)

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Stage as columns, one a class: 1 in the customer's stage, or the learned chances.

        For Pipelines and ColumnTransformers; ``set_output`` chooses the kind of table.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers, n_classes)
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid)
        values, mapping = self._read(X)
        if isinstance(self.learned_, LearnedStages):
            return self.learned_.chances(values)
        return np.eye(len(self.classes_))[self.learned_.codes(values, mapping, self.view)]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of :meth:`transform`'s columns: ``stage_`` and the class.

        Parameters
        ----------
        input_features : array-like or None
            Not used; there for scikit-learn's contract.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "learned_")
        return np.array([f"stage_{name}" for name in self.classes_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.allow_nan = True
        return tags

    def _rules_for(self, what: str) -> StageRules:
        check_is_fitted(self, "learned_")
        if isinstance(self.learned_, LearnedStages):
            raise NotSupportedError(
                f"{what} reads the written rules; this classifier learned its own from y. "
                "Fit another one without y for it."
            )
        return self.learned_

    def _table_like(
        self,
        table: Table,
        columns: dict[str, Any],
        language: Language,
        *,
        kind: str,
        rows_of_X: bool = True,
    ) -> Any:
        ids = _id_column(table) if rows_of_X else {}
        named = HOUSE.table(columns, language, keep=ids)
        make = _frames.frame_like if rows_of_X else _frames.new_table
        return _frames.keep_facts(table.given, make(table.given, named), kind=kind)

    def stage_table(self, X: Any, *, language: Language = "en", view: str | None = None) -> Any:
        """Stage of every customer with the rule that decided.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        language : {"en", "zh"}, default="en"
        view : {"eight", "four"} or None
            View of this table; None for the estimator's own.

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer column where ``X`` states one, then ``stage``, ``rule`` (in words) and
            ``source`` (orders, crm, model or learned); same rows, order and index.
        """
        language = check_language(language)
        table = open_table(X)
        values, mapping = self._read(table)
        columns = _id_column(table)
        told = self.learned_.told(values, mapping, view or self.view, language)
        columns |= {name: _frames.words_at(X, *said) for name, said in told.items()}
        return self._table_like(table, columns, language, kind="stages")

    def rules_table(self, *, language: Language = "en") -> Any:
        """Every rule in order of precedence: its stage, words, source, and whether it is used.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``order``, ``stage``, ``rule``, ``source``, ``used``: a rule is not used where the table
            that was fitted lacks its column. Of a learned tree one row a leaf.
        """
        check_is_fitted(self, "learned_")
        listed = self.learned_.listed(self.view, check_language(language))
        table = pd.DataFrame({"order": np.arange(1, len(listed["rule"]) + 1), **listed})
        return HOUSE.table(table, language)

    def rules_text(self, *, language: Language = "en") -> str:
        """Print the rules as sentences, one a line, in order of precedence.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
            As :meth:`rules_table`; rules without their column are marked as not used.
        """
        language = check_language(language)
        colon = ": " if language == "en" else "："
        note = HOUSE(" (not used: no such column)", language)
        table = self.rules_table(language=language)
        return "\n".join(
            f"{stage}{colon}{rule}{'' if used else note}"
            for _, stage, rule, _, used in table.itertuples(index=False)
        )

    def upgrade_table(
        self, X: Any, *, as_of: Any = None, language: Language = "en", view: str | None = None
    ) -> Any:
        """Where each customer stands within the stage, and what is missing for the next.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        as_of : date or None
            End of observation; None for what the table states. Without one there are times in the
            stage, but no dates.
        language : {"en", "zh"}, default="en"
        view : {"eight", "four"} or None
            View of this table; None for the estimator's own.

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer where ``X`` states one; ``stage``; ``stage_since`` (date, missing where
            unknown) and ``since_is`` (exact, estimated, unknown: a summary does not hold the date
            of the order that made a customer established, a CRM flag has no date);
            ``time_in_stage`` and the stage's usual window ``window_from`` to ``window_to`` in the
            unit of ``X``; ``timing`` (early, due, overdue, no window); ``next_stage``;
            ``orders_missing``, ``span_missing`` (unit of ``X``); ``wants`` in words.

        Raises
        ------
        NotSupportedError
            If the stages were learned from labels: a tree has no next stage.
        """
        language = check_language(language)
        rules = self._rules_for("upgrade_table")
        names = [*stage_names(view or self.view, language), ""]  # code -1 is the empty last
        table = open_table(X)
        evidence = rules.evidence(*self._read(table))
        rule = deciding_rule(evidence, rules.thresholds)
        stage = RULE_STAGE[rule]
        at = progress(evidence, rule, rules.thresholds)
        low, high = np.full(len(STAGES), np.nan), np.full(len(STAGES), np.nan)
        for code, (start, end) in windows(rules.thresholds).items():
            low[code], high[code] = start, end
        columns = _id_column(table)
        columns["stage"] = _frames.words_at(X, names, stage)
        if as_of is None and table.scale is not None:
            as_of = table.scale.as_of or None
        if as_of is not None and self.unit_ is not None:
            columns["stage_since"] = days_before(as_of, at.since * days_per(self.unit_))
        since_is, timing, wants = (
            [HOUSE(word, language) for word in words] for words in (SINCE_IS, TIMING, WANTS)
        )
        joined = wants_words(wants, ", " if language == "en" else "、")
        columns |= {
            "since_is": _frames.words_at(X, since_is, at.since_is),
            "time_in_stage": at.since,
            "window_from": low[stage],
            "window_to": high[stage],
            "timing": _frames.words_at(X, timing, at.timing),
            "next_stage": _frames.words_at(X, names, at.next_stage),
            "orders_missing": at.orders_missing,
            "span_missing": at.span_missing,
            "wants": _frames.words_at(X, joined, at.wants),
        }
        return self._table_like(table, columns, language, kind="upgrades")

    def playbook(self, *, language: Language = "en", view: str | None = None) -> Any:
        """Value message and next step of every stage; see :func:`custvalue.lifecycle.playbook`.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        view : {"eight", "four"} or None
            None for the estimator's own.

        Returns
        -------
        DataFrame
        """
        return playbook(language=language, view=view or self.view)

    def health(self, X: Any, *, language: Language = "en", view: str | None = None) -> Any:
        """Size and money of every stage, and a warning where problem customers are too many.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        language : {"en", "zh"}, default="en"
        view : {"eight", "four"} or None
            View of this table; None for the estimator's own.

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            One row a stage: ``stage``, ``customers``, ``customer_share``, and where the table has
            money ``total_value``, ``value_share``, ``mean_value``. Where it has orders also
            ``mean_orders`` a customer, ``order_rate`` (orders a customer and unit of time since the
            first one, in the unit of ``X``) and ``gap_mean`` (mean of all gaps between orders, in
            that unit); these are NaN for a stage without an order, or without a gap.

        Warns
        -----
        ProblemShareWarning
            If problem customers are more than ``problem_ceiling`` of the present ones (with orders
            and not exited).
        """
        language, view = check_language(language), view or self.view
        table = open_table(X)
        values, mapping = self._read(table)
        codes = self.learned_.codes(values, mapping, view)
        names = list(self.learned_.classes(view, language))
        warn_of_problems(*self.learned_.problems(values, mapping), self.problem_ceiling)
        at = dict(zip(self.columns_, values.T, strict=False))
        money = at.get("total_value")
        columns = {"stage": names, **group_sizes(codes, len(names), money, "total_value")}
        if set(RHYTHM) <= set(at):
            columns |= rhythm(codes, len(names), at)
        return self._table_like(table, columns, language, kind="health", rows_of_X=False)

    def problem_share(self, X: Any) -> float:
        """Share of problem customers among the present ones (with orders and not exited).

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)

        Returns
        -------
        float
            0 where nobody is present.
        """
        values, mapping = self._read(X)
        problems, present = self.learned_.problems(values, mapping)
        return problems / present if present else 0.0

    def history(
        self,
        summaries: Sequence[Any],
        *,
        dates: Sequence[Any] | None = None,
        customer: str | None = None,
        view: str | None = None,
    ) -> StageHistory:
        """Stages at several dates, with migration in customers and money.

        :func:`custvalue.value.stage_history` makes the summaries from a log.

        Parameters
        ----------
        summaries : sequence of frames
            Summaries of the same log at several as-of dates.
        dates : sequence of dates or None
            Their as-of dates; None for what the tables state.
        customer : str or None
            The customer column; None for what the tables state.
        view : {"eight", "four"} or None
            View of the tables; None for the estimator's own.

        Returns
        -------
        StageHistory
            A stage is left after ``min_stay`` at the earliest, unless a CRM record says so.

        Raises
        ------
        DataContractError
            If a summary has customers twice; with learned stages also if it lacks customers of an
            earlier one (by rules they have no order left and are potential again).
        """
        check_is_fitted(self, "learned_")
        learned, view = self.learned_, view or self.view
        return make_history(
            summaries,
            dates,
            customer,
            reading.check_mapping(self.columns)["total_value"],
            lambda table: learned.moves(*self._read(table), view),
            [str(name) for name in learned.classes(view)],
            learned.absent,
            0.0 if self.min_stay is None else span_days(self.min_stay, "min_stay"),
        )

    def validate(
        self,
        log: TransactionLog,
        *,
        dates: int | Sequence[Any] = 3,
        horizon: Span = "90D",
        level: float = 0.8,
    ) -> StageTest:
        """Test the names of stages on earlier dates of a log: say what customers did then.

        At each date the rules are fitted anew on what was known then, customers are put into
        stages, and who ordered within ``horizon`` is counted. Stages that were learned from labels
        are asked as they were learned.

        Parameters
        ----------
        log : TransactionLog
        dates : int or sequence of dates, default=3
            That many ends of observation, one ``horizon`` apart, the last one ``horizon`` before
            the log's end; those within the first third of the log are left out. Or the dates.
        horizon : span, default="90D"
        level : float, default=0.8
            Of the intervals.

        Returns
        -------
        StageTest
            ``table()`` and ``words()``.

        Raises
        ------
        ValueError
            If an option is no such thing.
        DataContractError
            If nobody is known at a date given, or the log ends before its horizon does.

        Notes
        -----
        Shares who ordered are compared over all dates. *Exited*: at most one in ten, at most half
        as many as of those present (new to strategic), no more than of problem customers.
        *Problem*: at most four fifths as many as of established, core and strategic customers.
        *Established*, *core*, *strategic*: as many as in the stage before, or more (within a
        twentieth). A name is contradicted where the difference is larger than chance, as wide as
        the intervals say. Other stages claim nothing of orders; their shares are told. A stage with
        fewer than 20 customers over all dates counts as not tested.

        Examples
        --------
        >>> import custvalue as cv
        >>> from custvalue.lifecycle import LifecycleClassifier
        >>> names = dict(customer="customer_id", time="date", amount="amount")
        >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), **names, as_of="1998-06-30")
        >>> stages = LifecycleClassifier(learn_windows=True).fit(log.summary())
        >>> stages.validate(log).table()["stage"].tolist()
        ['new', 'established', 'core', 'problem', 'exited']
        """
        check_is_fitted(self, "learned_")
        return validated(self, log, dates, horizon, level)

    def drift(self, X: Any, y: Any = None) -> DriftReport:
        """How far new customers have moved from those that the rules were fitted on.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        y : array-like of shape (n_customers,) or None
            Labelled stages of the new customers, needed where stages were learned.

        Returns
        -------
        DriftReport
            Stability of the stages' shares, and the share of customers whose stage would change if
            thresholds were fitted anew.

        Raises
        ------
        ValueError
            If stages were learned and ``y`` is not given.
        """
        check_is_fitted(self, "learned_")
        if isinstance(self.learned_, LearnedStages):
            if y is None:
                raise ValueError("these stages were learned; drift needs y to learn them anew.")
            place = {name: code for code, name in enumerate(self.classes_)}
        else:
            place = {name: code for code, name in enumerate(self.learned_.classes("eight"))}
        table = open_table(X)
        anew = clone(self).fit(table, y)

        def places(model: LifecycleClassifier) -> npt.NDArray[np.intp]:
            values, mapping = model._read(table)
            names = model.learned_.classes("eight")
            codes = model.learned_.codes(values, mapping, "eight")
            return np.array([place.get(name, -1) for name in names[codes]], dtype=np.intp)

        return drift_report(
            ["stage"], [self.stage_shares_], places(self)[:, None], places(anew)[:, None]
        )
