"""Expected future value of each customer: orders x spend x margin, discounted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue import _frames, _sklearn
from custvalue._kernels import legendre
from custvalue._open_table import Table, open_table
from custvalue._row_scorer import OneRow, one_row
from custvalue._typing import Floats, Ints
from custvalue._units import Span, days_per
from custvalue._value_model import Terms, Timing, ValueModel
from custvalue._warn import heard
from custvalue.exceptions import (
    BoundaryFitWarning,
    ConvergenceWarning,
    DataContractError,
    FitFailedError,
    HorizonError,
    NotSupportedError,
)
from custvalue.likelihood import LawModel
from custvalue.likelihood._for_rooms import Unseen
from custvalue.spend import GammaGamma, OwnMean
from custvalue.value import _interval
from custvalue.value._discounting import orders_in, stretches

ALL = ("n_orders", "mean_value")
HISTORY = ("frequency", "recency", "T")
MANY = 20_000  # rows from which histories that are alike are looked for


class ValuedCustomers(NamedTuple):
    """A table to be valued, how many rows it has, and its distinct histories where rows share them.

    ``few`` has each history that a purchase law tells apart, ``place`` where each row's stands.
    """

    table: Table
    n: int
    few: Table | None = None
    place: Ints | None = None

    def part(self, at: Ints) -> ValuedCustomers:
        """Take some of the rows, with what the table says of itself."""
        some = _frames.rows_at(self.table.given, at)
        return ValuedCustomers(open_table(_frames.keep_facts(self.table.given, some)), len(at))


@dataclass(frozen=True, eq=False)
class CustomerForecast:
    """What a fitted ``CustomerValue`` knows.

    Parameters
    ----------
    unit : str or None
        Unit of time of the data.
    purchases, spend : fitted estimators
    margin : float
        Profit over spend of all customers together; 1 where the table knew no profit.
    margin_weight : float
        Orders of the group's margin that are put to a customer's own; inf where the table knew no
        profit, or customers do not differ.
    """

    unit: str | None
    purchases: Any
    spend: Any
    margin: float = 1.0
    margin_weight: float = float("inf")

    @property
    def knows_no_profit(self) -> bool:
        """Whether the table told no profit, or spend is all of it."""
        return self.margin == 1.0 and not np.isfinite(self.margin_weight)


class CustomerValue(ValueModel):
    """What each customer is expected to bring over a horizon.

    ``margin x spend per order x discounted expected orders``, with orders from any purchase
    estimator and spend from any spend estimator, taken to be independent.

    Parameters
    ----------
    purchases : estimator or None, default=None
        Answers ``fit(X)`` and ``predict(X, horizon=)`` with expected orders; None is
        ``custvalue.purchase.ParetoNBD`` with the belief, worth one customer, that rates of leaving
        differ by as much as their mean (``Prior(1.0, dropout_spread=1.0)``).
    spend : estimator or None, default=None
        Answers ``fit(X)`` and ``predict(X)`` with expected spend per order. None lets the log say
        how far a customer's mean is to be believed: ``GammaGamma()``, or ``OwnMean()`` where first
        orders foretell the later ones better unshrunk, or where the Gamma-Gamma law has no mean.
    orders : {"all", "repeat"}, default="all"
        Which orders the spend estimator learns from and is asked with: all of them (``n_orders``,
        ``mean_value``), or repeat orders only (``frequency``, ``monetary_value``), as in Fader,
        Hardie & Lee (2005).
    horizon : str, timedelta, number or None, default=None
        For example ``"52W"``; ``"forever"`` has no end; a method may be given another. A bare
        number only where the unit of the data is not known.
    annual_discount_rate : float, default=0.0
        0.10 is 10 % a year.
    margin : float, str or None, default=None
        Share of spend that is profit, or the name of a column of ``X`` that holds each customer's.
        None: the customer's own ``total_profit`` over ``total_value``, shrunk to that of all by the
        number of orders, where the table knows profit; else 1, which leaves revenue.
    contact_cost : float, default=0.0
        Cost of a ``period`` of keeping in touch, paid while the customer is one (维持成本).
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
        When an order's money counts: on its day, or at that point of its ``period``.
    period : str, default="1M"
        What ``contact_cost`` is paid for, and the step of the other timings.

    Attributes
    ----------
    forecast_ : CustomerForecast
        All that was learned: frozen, and without a customer.
    purchases_, spend_ : estimators
        Fitted.
    unit_ : str or None
        Unit of time of the data.

    See Also
    --------
    custvalue.markov.MarkovCLVEstimator : value by state instead of purchase laws.

    Notes
    -----
    With continuous timing, the discounted orders of a horizon h are the integral of exp(-d t) dE(t)
    = exp(-d h) E(h) + d * (integral of exp(-d t) E(t) dt from 0 to h), E(t) the orders expected by
    time t and d the continuous rate; a Gauss rule of six nodes a year (more for longer) takes the
    integral, and likewise the sums over steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.purchase import NBD
    >>> from custvalue.spend import GammaGamma
    >>> from custvalue.value import CustomerValue
    >>> table = pd.DataFrame({"frequency": [4, 0], "recency": [300.0, 0.0], "T": [365.25, 365.25],
    ...                       "n_orders": [5, 1], "mean_value": [40.0, 20.0]})
    >>> orders = NBD.from_params(r=0.5, alpha=100.0, unit="D")
    >>> spend = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44)
    >>> model = CustomerValue.from_fitted(orders, spend, margin=0.3, annual_discount_rate=0.10)
    >>> model.predict(table, horizon="12M").round(2)
    array([40.05,  2.77])
    """

    reads_table: ClassVar[str] = "summary"
    _learned = CustomerForecast

    def __init__(
        self,
        *,
        purchases: Any = None,
        spend: Any = None,
        orders: Literal["all", "repeat"] = "all",
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
    ) -> None:
        self.purchases = purchases
        self.spend = spend
        self.orders = orders
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period

    @property
    def purchases_(self) -> Any:
        """The fitted purchase estimator."""
        _sklearn.check_is_fitted(self, "forecast_")
        return self.forecast_.purchases

    @property
    def spend_(self) -> Any:
        """The fitted spend estimator."""
        _sklearn.check_is_fitted(self, "forecast_")
        return self.forecast_.spend

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        *,
        by: str | None = None,
        unseen: Unseen = "raise",
    ) -> CustomerValue:
        """Fit clones of both parts on the same customers.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            A customer summary: ``frequency``, ``recency``, ``T``, and ``n_orders``,
            ``mean_value`` (or ``monetary_value`` with ``orders="repeat"``); ``total_profit`` and
            ``total_value`` where margins are to be learned.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None
        by : str, optional
            Column of ``X`` that names each customer's group: both laws then have parameters by
            group, as their own ``fit`` says.
        unseen : {"raise", "common"}, default="raise"
            What a group does afterwards that is not in ``X``.

        Returns
        -------
        self : CustomerValue
        """
        self._check_orders()
        # a compressed table brings its own, which the plain numbers handed to a spend law lose
        table = open_table(X)
        given = _sklearn.weights_of(sample_weight, table.n, table)
        weights = {} if given is None else {"sample_weight": given}
        purchases = self.purchases
        if purchases is None:
            from custvalue.purchase import ParetoNBD, Prior

            # where few have left, their spread is hardly known: without a belief the summit is
            # often at its edge, and a total is then stated too surely
            purchases = ParetoNBD(prior=Prior(1.0, dropout_spread=1.0))
        purchases = clone(purchases)
        purchases.fit(_handed(purchases, table), **weights, **_by_group(purchases, by, unseen))
        spend = self._spend_as_the_log_says(table, weights) if self.spend is None else self.spend
        if self.spend is not None or (by is not None and not isinstance(spend, OwnMean)):
            spend = clone(spend)
            grouped = _by_group(spend, by, unseen)
            spend = spend.fit(self._priced(table, spend, grouped.get("by")), **weights, **grouped)
        margin, weight = _learn_margin(table, given)
        unit = getattr(purchases, "unit_", None)
        self.forecast_ = CustomerForecast(unit, purchases, spend, margin, weight)
        return self

    @classmethod
    def from_fitted(cls, purchases: Any, spend: Any, **settings: Any) -> CustomerValue:
        """Join parts that are fitted already, or built with ``from_params``.

        Parameters
        ----------
        purchases, spend : fitted estimators
        **settings
            As in the constructor.

        Returns
        -------
        CustomerValue
        """
        model = cls(purchases=purchases, spend=spend, **settings)
        model._check_orders()
        model.forecast_ = CustomerForecast(getattr(purchases, "unit_", None), purchases, spend)
        return model

    def _check_orders(self) -> None:
        if self.orders not in ("all", "repeat"):
            raise ValueError(f"orders={self.orders!r} must be 'all' or 'repeat'.")

    def _priced(self, table: Table, spend: Any, by: str | None = None) -> Any:
        """Numbers of orders and their mean, as the spend estimator takes them."""
        groups = _interval.groups_in(spend)
        by = by if groups is None else groups.by
        if self.orders == "repeat":
            return _handed(spend, table)
        if table.names is None:
            raise ValueError(
                f"{type(self).__name__} takes a customer summary, a table with named columns."
            )
        if isinstance(spend, OwnMean):  # it tells first orders from later ones
            return table
        orders, mean = table.floats(ALL, caller="CustomerValue's X")
        more = [*(getattr(spend, "spend_columns", None) or ()), *([] if by is None else [by])]
        if isinstance(table, OneRow) and isinstance(spend, LawModel):  # by name is quicker
            priced = {"frequency": orders[0], "monetary_value": mean[0]}
            return one_row({**table.given, **priced}, None)
        if not more and not hasattr(spend, "feature_names_in_"):  # a law of one group has them
            return np.array([orders, mean]).T
        import pandas as pd

        known = {name: table.column(name) for name in more if table.has(name)}
        return pd.DataFrame({"frequency": orders, "monetary_value": mean, **known})

    def _spend_as_the_log_says(self, table: Table, weights: dict[str, Any]) -> Any:
        own = OwnMean().fit(table, **weights)
        priced = self._priced(table, GammaGamma())
        try:
            with heard(BoundaryFitWarning, ConvergenceWarning):
                shrunk = GammaGamma().fit(priced, **weights)
        except (FitFailedError, DataContractError):
            return own
        if shrunk.params_.q <= 1.0:  # the law of everybody's spend has no mean
            return own
        first, later, times = own.first_and_later(table)
        if len(first) == 0:
            return shrunk
        once: Any = np.column_stack([np.ones(len(first)), first])
        if hasattr(shrunk, "feature_names_in_"):  # scikit-learn warns where names are missed
            import pandas as pd

            once = pd.DataFrame(once, columns=list(shrunk.feature_names_in_))
        miss = _gamma_deviance(later, shrunk.predict(once), times)
        return own if _gamma_deviance(later, first, times) < miss else shrunk

    # ---- what is expected -----------------------------------------------------------------------

    def _read(self, X: Any) -> ValuedCustomers:
        table = open_table(X)
        return ValuedCustomers(table, table.n, *_distinct(self.purchases_, table))

    def _once(self, rows: ValuedCustomers, ask: Callable[[Any], Any]) -> Floats:
        """Ask the purchase estimator, of many rows once for each distinct history."""
        if rows.few is None:
            return np.asarray(ask(self._asked(rows)), dtype=np.float64)
        return np.asarray(ask(rows.few), dtype=np.float64)[rows.place]

    def _asked(self, rows: ValuedCustomers) -> Any:
        """Give the table as the purchase estimator takes it."""
        return _handed(self.purchases_, rows.table)

    def _time_scale_holder(self) -> Any:
        return self.purchases_ if hasattr(self.purchases_, "unit_") else self

    def _share(self, rows: ValuedCustomers, terms: Terms) -> Floats:
        """Profit over spend of each row."""
        if isinstance(terms.margin, str):
            return rows.table.floats([terms.margin], caller="CustomerValue's X")[0]
        if terms.margin is not None:
            return np.full(rows.n, float(terms.margin))
        group, weight = self.forecast_.margin, self.forecast_.margin_weight
        names = ("total_profit", "total_value", "n_orders")
        if not np.isfinite(weight) or not rows.table.has(*names):
            return np.full(rows.n, group)
        profit, total, n = rows.table.floats(names, caller="CustomerValue's X")
        own = np.where(total > 0.0, profit / np.where(total > 0.0, total, 1.0), group)
        return np.asarray((n * own + weight * group) / (n + weight))

    def _price(self, rows: ValuedCustomers) -> Floats:
        return np.asarray(
            self.spend_.predict(self._priced(rows.table, self.spend_)), dtype=np.float64
        )

    def _gross(self, rows: ValuedCustomers, terms: Terms) -> Floats:
        return self._counted(rows, terms) * self._price(rows) * self._share(rows, terms)

    def _value(self, rows: ValuedCustomers, terms: Terms) -> Floats:
        return np.asarray(self._gross(rows, terms) - self._cost(rows, terms))

    def _counted(self, rows: ValuedCustomers, terms: Terms) -> Floats:
        """Sum up expected orders, each counted by its discount factor."""
        if not np.isfinite(terms.until):
            if not terms.rate > 0.0:
                raise HorizonError(
                    "a value without end needs annual_discount_rate above 0: its sum does not "
                    "converge. Give a rate, or a horizon that ends."
                )
            annual = float(self.annual_discount_rate)
            return self._once(rows, lambda X: self.purchases_.dert(X, annual_discount_rate=annual))
        law = getattr(self.purchases_, "law", None)
        discrete = bool(getattr(law, "discrete", False))
        ends, factors = stretches(terms, self._month(terms), opportunities=discrete)
        if hasattr(self.purchases_, "weighted_orders"):

            def orders() -> Floats:
                return self._once(rows, lambda X: self.purchases_.weighted_orders(X, ends, factors))

            same = _told_by_histories(self.purchases_)
            if isinstance(rows.table, OneRow) and same:
                law = self.purchases_.law.name, self.purchases_.params_
                return rows.table.once((*law, ends.tobytes(), factors.tobytes()), orders)
            return orders()
        return orders_in(lambda t: self._orders(rows, t), ends, factors)

    def _month(self, terms: Terms) -> float:
        return terms.period if self.unit_ is None else days_per("M") / days_per(self.unit_)

    def _cost(self, rows: ValuedCustomers, terms: Terms) -> Any:
        if isinstance(terms.contact_cost, dict):
            raise ValueError("contact_cost by state is for MarkovCLVEstimator; give one number.")
        if terms.contact_cost == 0.0:
            return 0.0
        each = terms.contact_cost / terms.period
        if not hasattr(self.purchases_, "weighted_lifetime"):
            return np.full(rows.n, each * terms.annuity())
        nodes = _lifetime_nodes(terms)
        return each * self._once(rows, lambda X: self.purchases_.weighted_lifetime(X, *nodes))

    def _orders(self, rows: ValuedCustomers, time: float) -> Floats:
        span = self._span(time)
        return self._once(rows, lambda X: self.purchases_.predict(X, horizon=span))

    def _span(self, time: float) -> Span:
        # 17 digits: the number comes back as it was
        return time if self.unit_ is None else f"{time * days_per(self.unit_):.17g}D"

    def _chance(self, rows: ValuedCustomers, terms: Terms) -> Floats:
        if not hasattr(self.purchases_, "predict_proba_any"):
            raise NotSupportedError(
                f"{type(self.purchases_).__name__} states no chance of an order; a law of "
                "custvalue.purchase does."
            )
        if not np.isfinite(terms.until):
            return 1.0 - np.asarray(self.purchases_.predict_next_order(self._asked(rows))["never"])
        span = self._span(terms.until)
        return self._once(rows, lambda X: self.purchases_.predict_proba_any(X, horizon=span))

    def _spread(self, rows: ValuedCustomers, terms: Terms) -> tuple[Floats, Floats]:
        variance = _interval.outcome_variance(self, rows, terms)
        return variance, 1.0 - self._chance(rows, terms)

    def _outcome_interval(self, rows: ValuedCustomers, terms: Terms, tail: float) -> Floats:
        return _interval.outcome_interval(self, rows, terms, tail)

    def _outcome_draws(
        self, rows: ValuedCustomers, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        return _interval.outcome_draws(self, rows, terms, n_draws, rng)

    def _parameter_draws(
        self, rows: ValuedCustomers, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        return _interval.parameter_draws(self, rows, terms, n_draws, rng)

    def _parameter_interval(self, rows: ValuedCustomers, terms: Terms, tail: float) -> Floats:
        return _interval.parameter_interval(self, rows, terms, tail)

    def _total_error(self, rows: ValuedCustomers, terms: Terms, at: Ints, n_groups: int) -> Floats:
        return _interval.total_error(self, rows, terms, at, n_groups)

    def _with_parts(self, purchases: Any, spend: Any) -> CustomerValue:
        """Return the same model with other parts."""
        other = type(self)(**self.get_params(deep=False))
        other.forecast_ = replace(self.forecast_, purchases=purchases, spend=spend)
        return other

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        if not np.isfinite(terms.until):
            raise NotSupportedError("the value of a new customer needs a horizon that ends.")
        first, second = (_interval.groups_in(p) for p in (self.purchases_, self.spend_))
        if first is not None and second is not None and first.by == second.by:
            return self._newcomer_of_groups(terms, first.laws)
        share = self.forecast_.margin if terms.margin is None else float(terms.margin)
        ends, factors = stretches(terms, self._month(terms))
        orders = orders_in(
            lambda t: np.asarray(self.purchases_.new_customer(horizon=self._span(t))), ends, factors
        )
        price = float(self.spend_.new_customer()) * share
        return price, float(orders) * price - terms.contact_cost / terms.period * terms.annuity()

    def _newcomer_of_groups(self, terms: Terms, laws: Any) -> tuple[float, float]:
        """Mean over groups: who orders more may also pay more."""
        each = []
        for name in laws:
            parts = self.purchases_.of_group(name), self.spend_.of_group(name)
            each.append(self._with_parts(*parts)._newcomer(terms))
        size = [law.report.n_customers for law in laws.values()]
        first, later = np.average(each, axis=0, weights=size)
        return float(first), float(later)

    def _parts(self, rows: ValuedCustomers, terms: Terms) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        if np.isfinite(terms.until):
            columns["expected_orders"] = self._orders(rows, terms.until)
        return {
            **columns,
            "discounted_orders": self._counted(rows, terms),
            "expected_spend": self._price(rows),
            "margin": self._share(rows, terms),
            "contact_cost": self._cost(rows, terms),
        }

    def _facts(self) -> dict[str, Any]:
        forecast = self.forecast_
        return {
            "purchases": type(forecast.purchases).__name__,
            "spend": type(forecast.spend).__name__,
            "orders priced": self.orders,
            "unit": forecast.unit,
            "margin of all": forecast.margin,
            "orders of that margin put to each customer's own": forecast.margin_weight,
        }

    def _settings(self) -> dict[str, Any]:
        # the parts are written as they were fitted
        own = self.get_params(deep=False)
        return {k: v for k, v in own.items() if k not in ("purchases", "spend")}


def _handed(estimator: Any, table: Table) -> Any:
    """Give our own laws the open table, anybody else's estimator what was given."""
    return table if isinstance(estimator, LawModel) else table.given


def _told_by_histories(purchases: Any) -> bool:
    """Whether (x, t_x, T) and its parameters say all of a law: no groups and columns, no others."""
    if not isinstance(purchases, LawModel) or tuple(purchases.columns) != HISTORY:
        return False
    return purchases.fitted_.groups is None and purchases.fitted_.effects is None


def _distinct(purchases: Any, table: Table) -> tuple[Table | None, Ints | None]:
    """Distinct histories of many rows, and where each row's stands; None where it would not pay.

    In whole days a million customers have some hundred thousand histories (x, t_x, T). Groups and
    columns of customers make a law tell more apart than these, and so do other laws' columns.
    """
    if table.n < MANY or not _told_by_histories(purchases) or not table.has(*HISTORY):
        return None, None
    import pandas as pd

    # the law's own reading: rows that are none are told of by their place in the whole table
    columns = dict(zip(HISTORY, purchases._read(table, reset=False), strict=True))
    key = np.zeros(table.n, dtype=np.int64)
    for values in columns.values():
        code, kinds = pd.factorize(values)
        key = pd.factorize(key * len(kinds) + code)[0]
    first = np.flatnonzero(np.diff(np.maximum.accumulate(key), prepend=-1) > 0)
    if 2 * len(first) > table.n:
        return None, None
    few = pd.DataFrame({name: values[first] for name, values in columns.items()})
    return open_table(_frames.keep_facts(table.given, few)), key


def _by_group(estimator: Any, by: str | None, unseen: Unseen) -> dict[str, Any]:
    """Say what an estimator's fit is told of groups."""
    if by is None or isinstance(estimator, OwnMean):  # an own mean is drawn to nobody's
        return {}
    if not isinstance(estimator, LawModel):
        raise NotSupportedError(
            f"{type(estimator).__name__} has no parameters by group; use laws of "
            "custvalue.purchase and custvalue.spend."
        )
    return {"by": by, "unseen": unseen}


def _lifetime_nodes(terms: Terms) -> tuple[Floats, Floats]:
    if np.isfinite(terms.until):
        return terms.times()
    if not terms.rate > 0.0:
        raise HorizonError("a contact cost without end needs annual_discount_rate above 0.")
    far = replace(terms, until=40.0 / terms.rate)
    # log-spaced panels: lives end early or late
    node, weight = legendre(12, 24)
    reach = np.log1p(far.until / terms.period)
    at = terms.period * np.expm1(reach * node)
    return at, reach * weight * (at + terms.period) * np.exp(-terms.rate * at)


def _gamma_deviance(came: Floats, expected: Floats, weight: Floats) -> float:
    """Mean gamma deviance (McCullagh & Nelder): errors of money by their ratio."""
    ratio = came / np.maximum(expected, 1e-300)
    return float(np.average(2.0 * (ratio - 1.0 - np.log(ratio)), weights=weight))


def _learn_margin(table: Table, sample_weight: npt.ArrayLike | None) -> tuple[float, float]:
    """Margin of all, and how many orders of it are put to a customer's own.

    Own margins differ from that of all by tau^2 + sigma^2 / n, n the number of orders; both from
    the plain and the order-weighted mean square (Buehlmann & Straub 1970). The weight is
    sigma^2 / tau^2.
    """
    names = ("total_profit", "total_value", "n_orders")
    if not table.has(*names):
        return 1.0, np.inf
    profit, total, n = table.floats(names, caller="CustomerValue's X")
    w = _sklearn.weights_of(sample_weight, len(n), table)
    w = np.ones(len(n)) if w is None else w
    if not float(w @ total) > 0.0:
        return 1.0, np.inf
    group = float(w @ profit) / float(w @ total)
    some = (total > 0.0) & (w > 0.0)
    off = (profit[some] / total[some] - group) ** 2
    n, w = n[some], w[some]
    plain, weighted = np.average(off, weights=w), np.average(off, weights=w * n)
    inverse, mean = float(np.average(1.0 / n, weights=w)), float(np.average(n, weights=w))
    gap = inverse - 1.0 / mean
    if plain <= 1e-18:
        return group, np.inf
    if gap < 1e-9:
        return group, 1.0
    noise = max(float(plain - weighted) / gap, 0.0)
    between = max(float(weighted) - noise / mean, 0.0)
    return group, (noise / between if between > 0.0 else np.inf)
