"""LifecycleClassifier: where each relationship stands, by rules or learned from labelled stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from custvalue import _frames
from custvalue._drift import DriftReport, drift_report
from custvalue._group_sizes import group_sizes
from custvalue._labels import Language, check_language, translate
from custvalue._row_check import OnInvalid, flagged
from custvalue._sklearn import DocLink, check_is_fitted, validate_data
from custvalue._units import Span, days_per, in_units, span_days
from custvalue._work import check_kinds
from custvalue.exceptions import NotSupportedError
from custvalue.lifecycle import _lifecycle_evidence as reading
from custvalue.lifecycle._lifecycle_history import StageHistory, make_history
from custvalue.lifecycle._lifecycle_outputs import _FROM_CRM, _RHYTHM, _rhythm, _warn_of_problems
from custvalue.lifecycle._lifecycle_reader import in_language
from custvalue.lifecycle._lifecycle_tables import _days_before, _words
from custvalue.lifecycle._lifecycle_words import (
    leaf_words,
    rule_words,
    stage_names,
    translated,
    unused_rules,
)
from custvalue.lifecycle._playbook import playbook
from custvalue.lifecycle._stage_time import SINCE_IS, TIMING, WANTS, progress, wants_words, windows
from custvalue.lifecycle._stages import (
    POTENTIAL,
    PRESENT,
    PROBLEM,
    RULE_STAGE,
    RULES,
    STAGES,
    VIEW,
    VIEW_OF,
    Evidence,
    StageThresholds,
    deciding_rule,
    held_up,
    problem_counts,
)


def _learned(estimator: Any) -> bool:
    if not hasattr(estimator, "tree_"):
        raise AttributeError(
            "stage rules decide and give no probabilities; fit with labelled stages (y) for them."
        )
    return True


class LifecycleClassifier(DocLink, ClassifierMixin, TransformerMixin, BaseEstimator):
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
    labels : {"en", "zh"}, default="en"
        Language of stages, rules and columns.
    max_depth : int, default=6
        With ``y``: depth of the tree.
    ccp_alpha : float, default=0.001
        With ``y``: cost-complexity pruning, which keeps the tree as small as it may be.
    random_state : int, RandomState or None, default=0
        With ``y``: breaks ties between equally good splits.

    Attributes
    ----------
    classes_ : ndarray of str
        Stages that ``predict`` can give.
    thresholds_ : StageThresholds
        Frozen cuts of the rules (fitted without ``y``).
    tree_ : DecisionTreeClassifier
        The learned rules (fitted with ``y``).
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
        labels: str = "en",
        max_depth: int = 6,
        ccp_alpha: float = 0.001,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.unit = unit
        self.columns = columns
        self.new_window = new_window
        self.established_window = established_window
        self.core_window = core_window
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
        self.labels = labels
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
        check_language(self.labels)
        stage_names(self.view, self.labels)
        mapping = reading.check_mapping(self.columns)
        found = reading.present_columns(X, mapping)
        for name in ("tree_", "thresholds_"):
            if hasattr(self, name):
                delattr(self, name)
        self.unit_ = _frames.unit_of(X, self.unit, caller="LifecycleClassifier")
        if sample_weight is None:
            sample_weight = _frames.weight_column(X)
        if y is None:
            self._fit_rules(X, found, mapping, sample_weight)
        else:
            self._fit_tree(X, y, found, mapping, sample_weight)
        return self

    def _fit_rules(
        self,
        X: Any,
        found: tuple[str, ...] | None,
        mapping: dict[str, str],
        sample_weight: Any,
    ) -> None:
        if found is not None:
            reading.check_needed(found, mapping)
            values = reading.read_named(self, X, found, mapping, reset=True)
        else:
            values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
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
        self.columns_ = found
        self.by_name_ = hasattr(self, "feature_names_in_")
        self.thresholds_ = self._thresholds(evidence, sample_weight)
        stage = RULE_STAGE[deciding_rule(evidence, self.thresholds_)]
        self.stage_shares_ = np.bincount(stage, minlength=len(STAGES)) / len(stage)
        names = stage_names(self.view, self.labels)
        self.classes_ = np.array(list(dict.fromkeys(names)), dtype=object)

    def _thresholds(self, evidence: Evidence, sample_weight: Any) -> StageThresholds:
        def units(span: Span, name: str) -> float:
            return in_units(span, self.unit_, name)

        bare = StageThresholds(
            unit=self.unit_,
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
        return reading.with_usual_value(
            bare, evidence, self.core_value_quantile, sample_weight, held_up(evidence, bare)[0]
        )

    def _fit_tree(
        self,
        X: Any,
        y: Any,
        found: tuple[str, ...] | None,
        mapping: dict[str, str],
        sample_weight: Any,
    ) -> None:
        from sklearn.tree import DecisionTreeClassifier  # loads half of scikit-learn

        if found is not None:
            values = reading.read_named(self, X, found, mapping, reset=True)
            y = column_or_1d(np.asarray(y), warn=True)
        else:
            values, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.columns_ = found or ()
        self.by_name_ = found is not None
        values, names = self._for_learning(values)
        tree = DecisionTreeClassifier(
            max_depth=self.max_depth, ccp_alpha=self.ccp_alpha, random_state=self.random_state
        )
        self.tree_ = tree.fit(values, y, sample_weight=sample_weight)
        self.learned_from_ = names
        lacking = np.flatnonzero(np.isnan(values).any(axis=0))
        self.may_lack_ = frozenset(names[j] for j in lacking)
        self.classes_ = tree.classes_
        place = np.searchsorted(self.classes_, tree.predict(values))
        self.stage_shares_ = np.bincount(place, minlength=len(self.classes_)) / len(place)

    def _for_learning(
        self, values: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
        if self.columns_:
            return reading.learning_columns(values, self.columns_)
        theirs = getattr(self, "feature_names_in_", None)
        if theirs is None:
            theirs = [f"x{j}" for j in range(values.shape[1])]
        return values, tuple(map(str, theirs))

    # -- reading and deciding --------------------------------------------------------------------

    def _values(self, X: Any) -> npt.NDArray[np.float64]:
        check_is_fitted(self, "classes_")
        if self.by_name_ and _frames.is_frame(X):
            return reading.read_named(
                self, X, self.columns_, reading.check_mapping(self.columns), reset=False
            )
        _frames.check_units(self, X)
        return validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")

    def _evidence(self, X: Any) -> Evidence:
        evidence = reading.to_evidence(self._values(X), self.columns_)
        reading.check_evidence(evidence, reading.check_mapping(self.columns))
        return evidence

    def _rule_ids(self, X: Any) -> npt.NDArray[np.int8]:
        return deciding_rule(self._evidence(X), self.thresholds_)

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
        check_is_fitted(self, "classes_")
        if hasattr(self, "tree_"):
            return self.tree_.predict(self._for_learning(self._values(X))[0])
        names = np.array(stage_names(self.view, self.labels), dtype=object)
        return names[RULE_STAGE[self._rule_ids(X)]]

    @available_if(_learned)  # type: ignore[untyped-decorator]
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
        return self.tree_.predict_proba(self._for_learning(self._values(X))[0])

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
        check_is_fitted(self, "classes_")
        if hasattr(self, "tree_"):
            return self.predict_proba(X)
        stage = RULE_STAGE[self._rule_ids(X)]
        place = VIEW_OF[stage] if len(self.classes_) == len(VIEW) else stage
        return np.eye(len(self.classes_))[place]

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
        check_is_fitted(self, "classes_")
        return np.array([f"stage_{name}" for name in self.classes_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.allow_nan = True
        return tags

    def _language(self, labels: str | None) -> Language:
        """Language of a table, of a classifier that is fitted."""
        check_is_fitted(self, "classes_")
        return check_language(labels or self.labels)

    def _needs_rules(self, what: str) -> None:
        if hasattr(self, "tree_"):
            raise NotSupportedError(
                f"{what} reads the written rules; this classifier learned its own from y. "
                "Fit another one without y for it."
            )

    def _names(self, view: str, labels: str) -> list[str]:
        if hasattr(self, "tree_"):
            return [str(name) for name in in_language(self.classes_, labels)]
        return list(dict.fromkeys(stage_names(view, labels)))

    def _codes(self, X: Any, view: str, labels: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """Place of every customer's stage in the list of names, and the list."""
        names = self._names(view, labels)
        if hasattr(self, "tree_"):
            return np.searchsorted(self.classes_, self.predict(X)).astype(np.intp), names
        stage = RULE_STAGE[self._rule_ids(X)]
        return (VIEW_OF[stage] if len(names) == len(VIEW) else stage).astype(np.intp), names

    def _rule_ids_of(self, evidence: Evidence) -> npt.NDArray[np.int8]:
        return deciding_rule(evidence, self.thresholds_)

    def _id_column(self, X: Any) -> dict[str, Any]:
        ids = _frames.customer_ids(X)
        return {} if ids is None else {ids[0]: ids[1]}

    def _table_like(
        self, X: Any, columns: dict[str, Any], labels: str, *, kind: str, rows_of_X: bool = True
    ) -> Any:
        ids = self._id_column(X) if rows_of_X else {}
        named = {
            name if name in ids else translate(name, labels): values
            for name, values in columns.items()
        }
        table = _frames.frame_like(X, named) if rows_of_X else _frames.new_table(X, named)
        return _frames.keep_facts(X, table, kind=kind)

    def stage_table(self, X: Any, *, labels: str | None = None, view: str | None = None) -> Any:
        """Stage of every customer with the rule that decided.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        labels : {"en", "zh"} or None
            Language of this table; None for the estimator's own.
        view : {"eight", "four"} or None
            View of this table; None for the estimator's own.

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer column where ``X`` states one, then ``stage``, ``rule`` (in words) and
            ``source`` (orders, crm, model or learned); same rows, order and index.
        """
        language = self._language(labels)
        columns = self._id_column(X)
        if hasattr(self, "tree_"):
            leaf = self.tree_.apply(self._for_learning(self._values(X))[0])
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, language, self.may_lack_)
            sentence = np.empty(max(words) + 1, dtype=object)
            sentence[list(words)] = list(words.values())
            place = np.argmax(self.tree_.tree_.value[leaf, 0], axis=1)
            columns["stage"] = in_language(self.classes_, language)[place]
            columns["rule"] = sentence[leaf]
            columns["source"] = np.full(len(leaf), translate("learned", language), dtype=object)
        else:
            rule = self._rule_ids(X)
            names = stage_names(view or self.view, language)
            sources = _words([rule_.source for rule_ in RULES], language)
            columns["stage"] = _frames.words_at(X, names, RULE_STAGE[rule])
            columns["rule"] = _frames.words_at(X, rule_words(self.thresholds_, language), rule)
            columns["source"] = _frames.words_at(X, sources, rule)
        return self._table_like(X, columns, language, kind="stages")

    def rules_table(self, *, labels: str | None = None) -> Any:
        """Every rule in order of precedence: its stage, words, source, and whether it is used.

        Parameters
        ----------
        labels : {"en", "zh"} or None
            Language; None for the estimator's own.

        Returns
        -------
        DataFrame
            ``order``, ``stage``, ``rule``, ``source``, ``used``: a rule is not used where the table
            that was fitted lacks its column. Of a learned tree one row a leaf.
        """
        language = self._language(labels)
        if hasattr(self, "tree_"):
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, language, self.may_lack_)
            leaf_class = self.classes_[np.argmax(self.tree_.tree_.value[:, 0], axis=1)]
            stages = list(in_language(leaf_class, language)[list(words)])
            rules, sources, used = (
                list(words.values()),
                ["learned"] * len(words),
                [True] * len(words),
            )
        else:
            names = stage_names(self.view, language)
            stages = [names[rule.stage] for rule in RULES]
            rules = rule_words(self.thresholds_, language)
            sources = [rule.source for rule in RULES]
            unused = unused_rules(self.columns_)
            used = [rule.code not in unused for rule in RULES]
        return translated(
            pd.DataFrame(
                {
                    "order": np.arange(1, len(rules) + 1),
                    "stage": stages,
                    "rule": rules,
                    "source": [translate(source, language) for source in sources],
                    "used": used,
                }
            ),
            language,
        )

    def rules_text(self, *, labels: str | None = None) -> str:
        """Print the rules as sentences, one a line, in order of precedence.

        Parameters
        ----------
        labels : {"en", "zh"} or None
            Language; None for the estimator's own.

        Returns
        -------
        str
            As :meth:`rules_table`; rules without their column are marked as not used.
        """
        language = check_language(labels or self.labels)
        colon = ": " if language == "en" else "："
        note = translate(" (not used: no such column)", language)
        table = self.rules_table(labels=language)
        return "\n".join(
            f"{stage}{colon}{rule}{'' if used else note}"
            for _, stage, rule, _, used in table.itertuples(index=False)
        )

    def upgrade_table(
        self, X: Any, *, as_of: Any = None, labels: str | None = None, view: str | None = None
    ) -> Any:
        """Where each customer stands within the stage, and what is missing for the next.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        as_of : date or None
            End of observation; None for what the table states. Without one there are times in the
            stage, but no dates.
        labels : {"en", "zh"} or None
            Language of this table; None for the estimator's own.
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
        language = self._language(labels)
        self._needs_rules("upgrade_table")
        names = [*stage_names(view or self.view, language), ""]  # code -1 is the empty last
        evidence = self._evidence(X)
        rule = self._rule_ids_of(evidence)
        stage = RULE_STAGE[rule]
        at = progress(evidence, rule, self.thresholds_)
        low, high = np.full(len(STAGES), np.nan), np.full(len(STAGES), np.nan)
        for code, (start, end) in windows(self.thresholds_).items():
            low[code], high[code] = start, end
        columns = self._id_column(X)
        columns["stage"] = _frames.words_at(X, names, stage)
        clock = _frames.clock_of(X)
        as_of = as_of if as_of is not None else (clock.as_of or None if clock else None)
        if as_of is not None and self.unit_ is not None:
            columns["stage_since"] = _days_before(as_of, at.since * days_per(self.unit_))
        columns |= {
            "since_is": _frames.words_at(X, _words(SINCE_IS, language), at.since_is),
            "time_in_stage": at.since,
            "window_from": low[stage],
            "window_to": high[stage],
            "timing": _frames.words_at(X, _words(TIMING, language), at.timing),
            "next_stage": _frames.words_at(X, names, at.next_stage),
            "orders_missing": at.orders_missing,
            "span_missing": at.span_missing,
            "wants": _frames.words_at(
                X,
                wants_words(_words(WANTS, language), ", " if language == "en" else "、"),
                at.wants,
            ),
        }
        return self._table_like(X, columns, language, kind="upgrades")

    def playbook(self, *, labels: str | None = None, view: str | None = None) -> Any:
        """Value message and next step of every stage; see :func:`custvalue.lifecycle.playbook`.

        Parameters
        ----------
        labels : {"en", "zh"} or None
            Language; None for the estimator's own.
        view : {"eight", "four"} or None
            None for the estimator's own.

        Returns
        -------
        DataFrame
        """
        return playbook(labels=labels or self.labels, view=view or self.view)

    def health(self, X: Any, *, labels: str | None = None, view: str | None = None) -> Any:
        """Size and money of every stage, and a warning where problem customers are too many.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        labels : {"en", "zh"} or None
            Language of this table; None for the estimator's own.
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
        language = self._language(labels)
        codes, names = self._codes(X, view or self.view, language)
        problems, present = self._problems(X)
        _warn_of_problems(problems, present, self.problem_ceiling)
        money = None
        if "total_value" in self.columns_:
            money = self._values(X)[:, self.columns_.index("total_value")]
        columns = {"stage": names, **group_sizes(codes, len(names), money, "total_value")}
        if set(_RHYTHM) <= set(self.columns_):
            at = {name: self._values(X)[:, self.columns_.index(name)] for name in _RHYTHM}
            columns |= _rhythm(codes, len(names), at)
        return self._table_like(X, columns, language, kind="health", rows_of_X=False)

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
        check_is_fitted(self, "classes_")
        problems, present = self._problems(X)
        return problems / present if present else 0.0

    def history(
        self,
        summaries: Sequence[Any],
        *,
        dates: Sequence[Any] | None = None,
        customer: str | None = None,
        labels: str | None = None,
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
        labels : {"en", "zh"} or None
            Language of the tables; None for the estimator's own.
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
        language = self._language(labels)
        view = view or self.view

        def decide(table: Any) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
            codes, _ = self._codes(table, view, language)
            if hasattr(self, "tree_"):
                return codes, np.zeros(len(codes), dtype=bool)
            return codes, _FROM_CRM[self._rule_ids(table)]

        return make_history(
            summaries,
            dates,
            customer,
            reading.check_mapping(self.columns)["total_value"],
            decide,
            self._names(view, language),
            None if hasattr(self, "tree_") else POTENTIAL,
            0.0 if self.min_stay is None else span_days(self.min_stay, "min_stay"),
            language,
        )

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
        check_is_fitted(self, "classes_")
        learned = hasattr(self, "tree_")
        if learned and y is None:
            raise ValueError("these stages were learned; drift needs y to learn them anew.")
        anew = clone(self).fit(X, y)
        if learned:
            place = {name: code for code, name in enumerate(self.classes_)}
            now, later = (
                np.array([place.get(name, -1) for name in model.predict(X)])
                for model in (self, anew)
            )
        else:
            now, later = (RULE_STAGE[model._rule_ids(X)] for model in (self, anew))
        return drift_report(["stage"], [self.stage_shares_], now[:, None], later[:, None])

    def _problems(self, X: Any) -> tuple[int, int]:
        """Numbers of problem customers and of present ones."""
        if hasattr(self, "tree_"):
            return problem_counts(self.predict(X))
        stage = RULE_STAGE[self._rule_ids(X)]
        return int((stage == PROBLEM).sum()), int(PRESENT[stage].sum())
