"""Money as orders times spend: the chain for orders priced by what each customer's order brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from custvalue import _frames
from custvalue._warn import heard
from custvalue.exceptions import (
    BoundaryFitWarning,
    ContractProblem,
    DataContractError,
    first_ids,
)
from custvalue.markov import _orders
from custvalue.markov._orders import Correction, Groups, Ints, LawTable, OrdersChain
from custvalue.markov._orders_fit import (
    LAW_STEP,
    Moves,
    fit_orders,
    law_of,
    log_covariance,
    shock_of,
    slope_covariance,
)
from custvalue.markov._shock import Shock
from custvalue.markov._sparse import Floats
from custvalue.purchase import ParetoNBD

COLUMNS = (
    "period", "age", "orders", "spend", "silence", "n_orders", "mean_value",
    "frequency", "recency", "T",
)  # fmt: skip

# Customers are put into this many classes of mean spend where the correction reads spend.
_SPEND_CLASSES = 8
# An infinite horizon is rolled this far, then taken to fade.
_FAR = 130
# The law is tabled for ages up to this many periods past the oldest customer's.
_TABLE_SPAN = 1500


class History(NamedTuple):
    """Columns of a panel, each of shape (n_rows,)."""

    period: Ints
    age: Ints
    orders: Floats
    spend: Floats
    silence: Ints
    n_orders: Floats
    mean_value: Floats
    frequency: Floats
    recency: Floats
    T: Floats

    @classmethod
    def read(cls, X: Any) -> History:
        """Read the columns of a panel frame, rows as they are."""
        values = _frames.float_columns(X, COLUMNS, caller="MarkovCLVEstimator").T
        _check_columns(values)
        whole = {"period", "age", "silence"}
        return cls(
            *(
                v.astype(np.int64) if name in whole else np.ascontiguousarray(v)
                for name, v in zip(COLUMNS, values, strict=True)
            )
        )

    def rows(self, which: Any) -> History:
        """Return some of the rows."""
        return History(*(v[which] for v in self))


@dataclass(frozen=True, eq=False)
class FactoredForecast:
    """Orders of the chain times each customer's own spend per order.

    Parameters
    ----------
    purchases : fitted purchase model, times in periods
    chain : OrdersChain
    spend : fitted spend model or None
        None prices a customer's orders at their own mean so far.
    n_periods : int
        Last period of the panel, which the cohort is measured against.
    spend_cuts, spend_means : ndarray
        Classes of log mean spend that the correction reads; empty where it does not.
    variation : float
        Squared coefficient of variation of single orders around a customer's mean.
    shock : Shock
        What all customers' orders of a period have in common.
    slope_covariance : ndarray of shape (4, 4)
        Of the correction's slopes, in the order of ``SLOPES``.
    new : tuple of float
        Mean first order and mean cohort, for customers who are not there yet.
    """

    purchases: Any
    chain: OrdersChain
    spend: Any
    n_periods: int
    spend_cuts: Floats
    spend_means: Floats
    variation: float
    shock: Shock
    slope_covariance: Floats
    new: tuple[float, float]

    @classmethod
    def fit(
        cls,
        history: History,
        before: Ints,
        after: Ints,
        last: Ints,
        *,
        purchases: Any,
        spend: Any,
        correct_by: Sequence[str],
    ) -> FactoredForecast:
        """Learn law, correction and spend; ``last`` are the positions of customers' last rows."""
        latest = history.rows(last)
        law = fit_law(purchases, latest)
        n_periods = max(int(history.period.max()), 1)
        cuts, means = np.empty(0), np.zeros(1)
        if "spend" in correct_by:
            cuts, means = _classes(np.log(np.maximum(latest.mean_value, 1e-9)))
        table = LawTable.of(
            law_of(law), float(history.n_orders.max()), int(history.age.max()) + _TABLE_SPAN
        )
        first = history.rows(before)
        moves = Moves(
            first.n_orders,
            first.silence.astype(np.float64),
            first.age.astype(np.float64),
            cohort_of(first, n_periods),
            means[np.searchsorted(cuts, np.log(np.maximum(first.mean_value, 1e-9)))],
            history.period[after],
            history.orders[after],
        )
        chain = fit_orders(table, moves, correct_by=tuple(correct_by))
        near = table.up_to(float(history.age.max()) + 1.0)
        beside = [near.asked_of(law_of(one)) for one in _laws_beside(law)]
        fitted_spend = None
        if spend is not None:
            rows = np.column_stack([latest.n_orders, latest.mean_value])
            fitted_spend = clone(spend).fit(rows)
        newcomers = history.age == 0
        first_order = history.mean_value[newcomers] if newcomers.any() else latest.mean_value
        return cls(
            law, chain, fitted_spend, n_periods, cuts, means,
            _variation(first, history.orders[after], history.spend[after]),
            shock_of(table, chain, moves),
            slope_covariance(near, beside, log_covariance(law), chain, moves, tuple(correct_by)),
            (float(first_order.mean()), float(np.mean(cohort_of(latest, n_periods)))),
        )  # fmt: skip

    def per_order(self, history: History) -> Floats:
        """Spend per order expected of each row's customer."""
        if self.spend is None:
            return history.mean_value
        rows = np.column_stack([history.n_orders, history.mean_value])
        return np.asarray(self.spend.predict(rows), dtype=np.float64)

    def groups(self, history: History) -> Groups:
        """Gather customers that roll forward together."""
        spend = self.spend_means[
            np.searchsorted(self.spend_cuts, np.log(np.maximum(history.mean_value, 1e-9)))
        ]
        return Groups.of(history.age, cohort_of(history, self.n_periods), spend)

    def orders(
        self, history: History, horizon: int | None, delta: float
    ) -> tuple[Floats, Floats, Floats]:
        """Discounted expected orders, their variance, and the chance of none; one value a row.

        The chain knows whole periods only. Where the law has a closed form for the customer's
        exact (x, t_x, T), that form gives the number of orders and the chain only what its
        correction and the discounting change, as a ratio of two roll-outs.
        """
        steps = _FAR if horizon is None else horizon
        if steps == 0:
            zero = np.zeros(len(history.age))
            return zero, zero, zero + 1.0
        group = self.groups(history)
        nodes, n, s = self.chain.law.orders, history.n_orders, history.silence
        outlook = self.chain.backward(group, steps, delta, ever=horizon is None)
        first = _orders.read(outlook.first, nodes, n, s, group.member)
        second = _orders.read(outlook.second, nodes, n, s, group.member)
        quiet = _orders.read(outlook.quiet, nodes, n, s, group.member)
        ratio = self._exact_over_rolled(history, group, steps)
        first, second = first * ratio, second * ratio * ratio
        variance = np.maximum(second - first * first, first * (1.0 - first).clip(0.0))
        return first, variance, quiet

    def _exact_over_rolled(self, history: History, group: Groups, steps: int) -> Floats:
        plain = OrdersChain(self.chain.law, Correction(), self.chain.size)
        rolled = plain.backward(group, steps, 1.0).first
        base = _orders.read(
            rolled, self.chain.law.orders, history.n_orders, history.silence, group.member
        )
        rows = np.column_stack([history.frequency, history.recency, history.T])
        exact = np.asarray(self.purchases.predict(rows, horizon=float(steps)))
        return np.where(base > 1e-9, exact / np.maximum(base, 1e-9), 1.0)

    def by_period(self, history: History, horizon: int, margin: Any) -> Floats:
        """Money expected in each period from all rows together, not discounted."""
        group = self.groups(history)
        shape = (
            len(self.chain.law.orders),
            int(group.age.max()) + horizon + 1,
            len(group.age),
        )
        start = _orders.spread_on_nodes(
            self.chain.law.orders,
            history.n_orders,
            history.silence,
            group.member,
            self.per_order(history) * margin * self._exact_over_rolled(history, group, horizon),
            shape,
        )
        return self.chain.forward(group, start, horizon)

    def newcomer(self) -> History:
        """One row: a customer who has just placed a first order of mean size."""
        money, born = self.new
        one, zero = np.ones(1), np.zeros(1)
        period = np.asarray([round(born * self.n_periods)])
        nothing = np.zeros(1, dtype=np.int64)
        return History(
            period, nothing, one, one * money, nothing, one, one * money, zero, zero, zero
        )


def _check_columns(values: Floats) -> None:
    problems = []
    if values.shape[1] == 0:
        problems.append(ContractProblem("empty", "X has no rows", "Pass the rows of a panel."))
    least = {"age": 0.0, "silence": 0.0, "n_orders": 1.0, "mean_value": 0.0, "frequency": 0.0}
    for name, low in least.items():
        bad = np.flatnonzero(values[COLUMNS.index(name)] < low)
        if len(bad):
            problems.append(
                ContractProblem(
                    "out-of-range",
                    f"column {name!r} has values below {low:g}",
                    "custvalue.panel makes every column as it should be.",
                    len(bad),
                    first_ids(bad),
                )
            )
    if problems:
        raise DataContractError(problems)


def cohort_of(history: History, n_periods: int) -> Floats:
    """First period of each row's customer as a share of the panel's span, in [0, 1]."""
    return np.clip((history.period - history.age) / n_periods, 0.0, 1.0)


def fit_law(purchases: Any, latest: History) -> Any:
    """Fit the purchase law to customers' latest rows, times in periods."""
    rows = np.column_stack([latest.frequency, latest.recency, latest.T])
    model = ParetoNBD() if purchases is None else clone(purchases)
    if purchases is not None:
        return model.fit(rows)
    # "nobody leaves" is a fine law to start from; the correction takes it from there
    with heard(BoundaryFitWarning):
        return model.fit(rows)


def _laws_beside(law: Any) -> list[Any]:
    """For each parameter the law with it raised a little; none of a law that knows no errors."""
    if log_covariance(law) is None:
        return []
    return [
        type(law).from_params(**law.params_._replace(**{name: raised})._asdict())
        for name, raised in zip(
            law.params_._fields, np.asarray(law.params_) * np.exp(LAW_STEP), strict=True
        )
    ]


def _classes(values: Floats) -> tuple[Floats, Floats]:
    cuts = np.unique(np.quantile(values, np.arange(1, _SPEND_CLASSES) / _SPEND_CLASSES))
    place = np.searchsorted(cuts, values)
    size = np.bincount(place, minlength=len(cuts) + 1)
    total = np.bincount(place, weights=values, minlength=len(cuts) + 1)
    middle = np.append(cuts, cuts[-1])
    return cuts, np.where(size > 0, total / np.maximum(size, 1), middle)


def _variation(first: History, orders: Floats, spend: Floats) -> float:
    single = (orders == 1) & (first.mean_value > 0)
    if single.sum() < 2:
        return 1.0
    ratio = spend[single] / first.mean_value[single]
    # one order of a hundred times the usual must not set everybody's interval
    ratio = np.minimum(ratio, np.quantile(ratio, 0.99))
    return float(np.mean((ratio - ratio.mean()) ** 2) / max(float(ratio.mean()) ** 2, 1e-12))
