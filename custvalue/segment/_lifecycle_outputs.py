"""What people read from a staged customer base: tables and sentences over a fitted classifier."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from custvalue import _frames
from custvalue._labels import check_language, translate, translate_if_known
from custvalue._sklearn import check_is_fitted
from custvalue._units import Span, days_per, span_days
from custvalue.exceptions import NotSupportedError, ProblemShareWarning
from custvalue.segment import _lifecycle_evidence as reading
from custvalue.segment._drift import DriftReport, drift_report
from custvalue.segment._lifecycle_history import StageHistory, make_history
from custvalue.segment._lifecycle_words import (
    leaf_words,
    rule_words,
    stage_names,
    translated,
    unused_rules,
)
from custvalue.segment._playbook import playbook
from custvalue.segment._stage_time import SINCE_IS, TIMING, WANTS, progress, wants_words, windows
from custvalue.segment._stages import (
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
)

_FROM_CRM = np.array([rule.source == "crm" for rule in RULES])


class StageOutputs:
    """Methods of LifecycleClassifier that turn stages into tables and words."""

    labels: str
    view: str
    unit_: str | None
    problem_ceiling: float
    min_stay: Span | None
    columns: Any
    columns_: tuple[str, ...]
    classes_: npt.NDArray[Any]
    stage_shares_: npt.NDArray[np.float64]
    thresholds_: StageThresholds
    tree_: Any
    learned_from_: tuple[str, ...]
    may_lack_: frozenset[str]
    predict: Any
    _evidence: Any
    _values: Any
    _for_learning: Any
    _rule_ids: Any

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
        check_is_fitted(self, "classes_")
        language = check_language(labels or self.labels)
        columns = self._id_column(X)
        if hasattr(self, "tree_"):
            leaf = self.tree_.apply(self._for_learning(self._values(X))[0])
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, language, self.may_lack_)
            sentence = np.empty(max(words) + 1, dtype=object)
            sentence[list(words)] = list(words.values())
            place = np.argmax(self.tree_.tree_.value[leaf, 0], axis=1)
            columns["stage"] = _in_language(self.classes_, language)[place]
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
        check_is_fitted(self, "classes_")
        language = check_language(labels or self.labels)
        if hasattr(self, "tree_"):
            words = leaf_words(self.tree_, self.learned_from_, self.unit_, language, self.may_lack_)
            leaf_class = self.classes_[np.argmax(self.tree_.tree_.value[:, 0], axis=1)]
            stages = list(_in_language(leaf_class, language)[list(words)])
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
        check_is_fitted(self, "classes_")
        self._needs_rules("upgrade_table")
        language = check_language(labels or self.labels)
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
        facts = _frames.facts_of(X)
        as_of = as_of if as_of is not None else (facts.as_of if facts else None)
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
            money ``total_value``, ``value_share``, ``mean_value``.

        Warns
        -----
        ProblemShareWarning
            If problem customers are more than ``problem_ceiling`` of the present ones (with orders
            and not exited).
        """
        check_is_fitted(self, "classes_")
        language = check_language(labels or self.labels)
        codes, names = self._codes(X, view or self.view, language)
        problems, present = self._problems(X)
        _warn_of_problems(problems, present, self.problem_ceiling)
        size = np.bincount(codes, minlength=len(names))
        columns: dict[str, Any] = {
            "stage": names,
            "customers": size,
            "customer_share": size / size.sum(),
        }
        values = self._values(X)
        if "total_value" in self.columns_:
            money = np.nan_to_num(values[:, self.columns_.index("total_value")])
            total = np.bincount(codes, weights=money, minlength=len(names))
            columns["total_value"] = total
            columns["value_share"] = total / total.sum() if total.sum() else np.zeros(len(names))
            columns["mean_value"] = np.divide(total, size, out=np.zeros(len(names)), where=size > 0)
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
        check_is_fitted(self, "classes_")
        language = check_language(labels or self.labels)
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
            now, later = self.predict(X), anew.predict(X)
            shares = np.array([np.mean(now == name) for name in self.classes_])
        else:
            now, later = RULE_STAGE[self._rule_ids(X)], RULE_STAGE[anew._rule_ids(X)]
            shares = np.bincount(now, minlength=len(STAGES)) / len(now)
        moved = float(np.mean(now != later))
        return drift_report(["stage"], [self.stage_shares_], [shares], [moved], moved, len(now))

    def playbook(self, *, labels: str | None = None, view: str | None = None) -> Any:
        """Value message and next step of every stage; see :func:`custvalue.segment.playbook`.

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

    # -- helpers ---------------------------------------------------------------------------------

    def _needs_rules(self, what: str) -> None:
        if hasattr(self, "tree_"):
            raise NotSupportedError(
                f"{what} reads the written rules; this classifier learned its own from y. "
                "Fit another one without y for it."
            )

    def _names(self, view: str, labels: str) -> list[str]:
        if hasattr(self, "tree_"):
            return [str(name) for name in _in_language(self.classes_, labels)]
        return list(dict.fromkeys(stage_names(view, labels)))

    def _codes(self, X: Any, view: str, labels: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """Place of every customer's stage in the list of names, and the list."""
        names = self._names(view, labels)
        if hasattr(self, "tree_"):
            return np.searchsorted(self.classes_, self.predict(X)).astype(np.intp), names
        stage = RULE_STAGE[self._rule_ids(X)]
        return (VIEW_OF[stage] if len(names) == len(VIEW) else stage).astype(np.intp), names

    def _problems(self, X: Any) -> tuple[int, int]:
        """Numbers of problem customers and of present ones."""
        if not hasattr(self, "tree_"):
            stage = RULE_STAGE[self._rule_ids(X)]
            return int((stage == PROBLEM).sum()), int(PRESENT[stage].sum())
        stage = self.predict(X)
        named = {word: (stage == word) | (stage == translate(word, "zh")) for word in STAGES}
        absent = [named[word] for code, word in enumerate(STAGES) if not PRESENT[code]]
        return int(named[STAGES[PROBLEM]].sum()), int((~np.any(absent, axis=0)).sum())

    def _rule_ids_of(self, evidence: Evidence) -> npt.NDArray[np.int8]:
        return deciding_rule(evidence, self.thresholds_)

    def _id_column(self, X: Any) -> dict[str, Any]:
        ids = reading.customer_ids(X)
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


def _in_language(stages: npt.NDArray[Any], labels: str) -> npt.NDArray[Any]:
    """Known stage names in the language asked for; the user's own names as they are."""
    if labels == "en":
        return stages
    return np.array([translate_if_known(str(stage), labels) for stage in stages], dtype=object)


def _warn_of_problems(problems: int, present: int, ceiling: float) -> None:
    # counts, not shares, so that exactly 3 of 100 is not above 3 %
    if problems <= ceiling * present * (1 + 1e-12):
        return
    warnings.warn(
        f"{problems:,} of {present:,} present customers ({problems / present:.1%}) are problem "
        f"customers; the ceiling is {ceiling:.1%}. upgrade_table says what each of them wants.",
        ProblemShareWarning,
        stacklevel=3,
    )


def _words(words: Sequence[str], labels: str) -> list[str]:
    return [translate(word, labels) for word in words]


def _days_before(as_of: Any, days: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    """Dates that lie the given number of days before ``as_of``; NaT where days are NaN."""
    end = pd.Timestamp(as_of).to_datetime64().astype("datetime64[ms]")
    out = np.full(days.shape, np.datetime64("NaT"), dtype="datetime64[ms]")
    known = ~np.isnan(days)
    whole = end - np.round(days[known] * 86_400_000).astype("timedelta64[ms]")
    out[known] = whole.astype("datetime64[D]")
    return out
