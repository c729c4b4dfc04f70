"""What is read of a staged customer base as a whole: health, history, drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue._sklearn import check_is_fitted
from custvalue._units import span_days
from custvalue._warn import warn_caller
from custvalue.exceptions import ProblemShareWarning
from custvalue.segment import _lifecycle_evidence as reading
from custvalue.segment._drift import DriftReport, drift_report
from custvalue.segment._group_sizes import group_sizes
from custvalue.segment._lifecycle_history import StageHistory, make_history
from custvalue.segment._lifecycle_reader import StageReader
from custvalue.segment._stages import (
    POTENTIAL,
    PRESENT,
    PROBLEM,
    RULE_STAGE,
    RULES,
    problem_counts,
)

_RHYTHM = ("n_orders", "recency", "silence")
_FROM_CRM = np.array([rule.source == "crm" for rule in RULES])


class StageOutputs(StageReader):
    """Methods of LifecycleClassifier about the customer base as a whole."""

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


def _rhythm(
    codes: npt.NDArray[np.intp], n_groups: int, at: dict[str, npt.NDArray[np.float64]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Orders a customer, orders a customer and unit of time, and mean gap of each group."""
    buyers = np.nan_to_num(at["n_orders"]) > 0
    orders = np.where(buyers, np.nan_to_num(at["n_orders"]), 0.0)
    span = np.where(buyers, np.nan_to_num(at["recency"]), 0.0)
    seen = np.where(buyers, span + np.nan_to_num(at["silence"]), 0.0)

    def total(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(codes, weights=values, minlength=n_groups).astype(np.float64)

    def ratio(top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        below = total(bottom)
        out = np.full(n_groups, np.nan)
        return np.divide(total(top), below, out=out, where=below > 0)

    return {
        "mean_orders": ratio(orders, np.ones(len(orders))),
        "order_rate": ratio(orders, seen),
        "gap_mean": ratio(span, np.maximum(orders - 1.0, 0.0)),
    }


def _warn_of_problems(problems: int, present: int, ceiling: float) -> None:
    # counts, not shares, so that exactly 3 of 100 is not above 3 %
    if problems <= ceiling * present * (1 + 1e-12):
        return
    warn_caller(
        f"{problems:,} of {present:,} present customers ({problems / present:.1%}) are problem "
        f"customers; the ceiling is {ceiling:.1%}. upgrade_table says what each of them wants.",
        ProblemShareWarning,
    )
