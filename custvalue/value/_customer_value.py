"""Expected future value of each customer: orders x spend x margin, discounted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, clone

import custvalue
from custvalue import _frames, _sklearn
from custvalue._fitted import SCHEMA, FittedLaw, read_plain
from custvalue._units import Span, check_annual_rate, days_per, in_units, plain_span
from custvalue.exceptions import NotSupportedError
from custvalue.value import _interval
from custvalue.value._discounting import TIMINGS, Timing, orders_in, rate_per_unit, stretches

Array = npt.NDArray[np.float64]


class CustomerValue(_sklearn.DocLink, BaseEstimator):
    """What each customer is expected to bring over a horizon.

    ``margin x spend per order x discounted expected orders``, with orders from any purchase
    estimator and spend from any spend estimator, taken to be independent.

    Parameters
    ----------
    purchases : estimator or None, default=None
        Answers ``fit(X)`` and ``predict(X, horizon=)`` with expected orders; None is
        ``custvalue.purchase.ParetoNBD()``.
    spend : estimator or None, default=None
        Answers ``fit(X)`` and ``predict(X)`` with expected spend per order; None is
        ``custvalue.spend.GammaGamma()``.
    margin : float or str, default=1.0
        Share of spend that is profit, or the name of a column of ``X`` that holds each customer's.
        1 leaves revenue.
    annual_discount_rate : float, default=0.0
        0.10 is 10 % a year.
    horizon : str, timedelta, number or None, default=None
        For example ``"12M"``; ``predict`` may give another. A bare number only where the unit of
        the data is not known.
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
        When an order's money counts: on its day, or at the start, middle or end of its ``step``.
    step : str, default="1M"
        Length of a discounting step; not used with ``timing="continuous"``.

    Attributes
    ----------
    purchases_, spend_ : estimators
        Fitted.
    unit_ : str or None
        Unit of time of the data.

    See Also
    --------
    custvalue.markov.MarkovCLVEstimator : value through states instead of purchase laws.

    Notes
    -----
    With continuous timing, the discounted orders of a horizon h are the integral of exp(-d t) dE(t)
    = exp(-d h) E(h) + d * (integral of exp(-d t) E(t) dt from 0 to h), E(t) the orders expected by
    time t and d the continuous rate; a Gauss rule of six nodes a year (more for longer) takes the
    integral, and likewise the sums over steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.spend import GammaGamma
    >>> from custvalue.value import CustomerValue, RateForward
    >>> table = pd.DataFrame({"n_orders": [5, 1], "T": [365.25, 365.25], "frequency": [4, 0],
    ...                       "monetary_value": [40.0, float("nan")]})
    >>> orders = RateForward(output="orders", unit="D").fit(table)
    >>> spend = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44)
    >>> model = CustomerValue.from_fitted(orders, spend, margin=0.3, annual_discount_rate=0.10)
    >>> model.predict(table, horizon="12M").round(2)
    array([56.55, 10.08])
    """

    def __init__(
        self,
        *,
        purchases: Any = None,
        spend: Any = None,
        margin: float | str = 1.0,
        annual_discount_rate: float = 0.0,
        horizon: Span | None = None,
        timing: Timing = "continuous",
        step: Span = "1M",
    ) -> None:
        self.purchases = purchases
        self.spend = spend
        self.margin = margin
        self.annual_discount_rate = annual_discount_rate
        self.horizon = horizon
        self.timing = timing
        self.step = step

    def fit(
        self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None
    ) -> CustomerValue:
        """Fit clones of both parts on the same customers.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            A customer summary: ``frequency``, ``recency``, ``T``, ``monetary_value``.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : CustomerValue
        """
        purchases, spend = self.purchases, self.spend
        if purchases is None:
            from custvalue.purchase import ParetoNBD

            purchases = ParetoNBD()
        if spend is None:
            from custvalue.spend import GammaGamma

            spend = GammaGamma()
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._join(clone(purchases).fit(X, **weights), clone(spend).fit(X, **weights))

    @classmethod
    def from_fitted(
        cls,
        purchases: Any,
        spend: Any,
        *,
        margin: float | str = 1.0,
        annual_discount_rate: float = 0.0,
        horizon: Span | None = None,
        timing: Timing = "continuous",
        step: Span = "1M",
    ) -> CustomerValue:
        """Join parts that are fitted already, or built with ``from_params``.

        Parameters
        ----------
        purchases, spend : fitted estimators
        margin, annual_discount_rate, horizon, timing, step
            As in the constructor.

        Returns
        -------
        CustomerValue
        """
        model = cls(
            purchases=purchases,
            spend=spend,
            margin=margin,
            annual_discount_rate=annual_discount_rate,
            horizon=horizon,
            timing=timing,
            step=step,
        )
        return model._join(purchases, spend)

    def predict(self, X: Any, horizon: Span | None = None) -> Array:
        """Return the expected value of each customer over the horizon, discounted.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None
            None takes the constructor's.

        Returns
        -------
        ndarray of shape (n_customers,)
            Money.
        """
        _sklearn.check_is_fitted(self)
        value: Array = self.discounted_orders(X, horizon) * self.spend_.predict(X)
        return value * self._margin_of(X)

    def discounted_orders(self, X: Any, horizon: Span | None = None) -> Array:
        """Return the expected orders over the horizon, each counted by its discount factor.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        _sklearn.check_is_fitted(self)
        ends, factors = self._stretches(self._horizon(horizon))
        if hasattr(self.purchases_, "weighted_orders"):
            return np.asarray(self.purchases_.weighted_orders(X, ends, factors), dtype=float)
        return orders_in(lambda t: self._orders(X, t), ends, factors)

    def predict_table(self, X: Any, horizon: Span | None = None) -> Any:
        """Return the value of each customer with all that it is made of.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None

        Returns
        -------
        frame of the kind of X
            The customer column (where ``X`` has one), ``expected_orders``, ``discounted_orders``,
            ``expected_spend`` per order, ``margin`` and ``future_value``; same rows, same order.
        """
        _sklearn.check_is_fitted(self)
        until = self._horizon(horizon)
        orders = self._orders(X, until)
        counted = self.discounted_orders(X, horizon)
        spend = np.asarray(self.spend_.predict(X), dtype=float)
        margin = np.broadcast_to(self._margin_of(X), orders.shape)
        columns: dict[str, Any] = {
            "expected_orders": orders,
            "discounted_orders": counted,
            "expected_spend": spend,
            "margin": margin,
            "future_value": counted * spend * margin,
        }
        facts = _frames.facts_of(X)
        if facts is not None and facts.customer in (_frames.column_names(X) or ()):
            columns = {facts.customer: _frames.column(X, facts.customer), **columns}
        return _frames.frame_like(X, columns)

    def residual_value(self, X: Any) -> Array:
        """Return the expected value of each customer from now on without end, discounted.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        ValueError
            If ``annual_discount_rate`` is not positive: the sum need not converge.
        """
        _sklearn.check_is_fitted(self)
        rate = check_annual_rate(self.annual_discount_rate)
        if rate <= 0:
            raise ValueError(
                f"annual_discount_rate={rate:g}: a value without end needs a positive rate."
            )
        orders = self.purchases_.residual_orders(X, annual_discount_rate=rate)
        value: Array = np.asarray(orders) * self.spend_.predict(X) * self._margin_of(X)
        return value

    def new_customer_value(
        self,
        horizon: Span | None = None,
        *,
        acquisition_cost: float = 0.0,
        include_first_order: bool = True,
    ) -> float:
        """Return the expected value of a customer won today.

        Parameters
        ----------
        horizon : str, timedelta, number or None, default=None
        acquisition_cost : float, default=0.0
            Money spent to win one customer; it is subtracted.
        include_first_order : bool, default=True
            Whether the order with which the customer arrives counts, at the population's spend.

        Returns
        -------
        float
            Money. Margin as given; a margin column has no new customer and is refused.
        """
        _sklearn.check_is_fitted(self)
        if isinstance(self.margin, str):
            raise ValueError(
                f"margin={self.margin!r} is a column, and a new customer has no row; set margin= "
                "to a number."
            )
        ends, factors = self._stretches(self._horizon(horizon))
        orders = orders_in(
            lambda t: np.asarray(self.purchases_.new_customer(horizon=self._span(t))), ends, factors
        )
        count = float(orders) + (1.0 if include_first_order else 0.0)
        return float(count * self.spend_.new_customer() * self.margin - acquisition_cost)

    def equity(
        self,
        X: Any,
        horizon: Span | None = None,
        *,
        new_customers: npt.ArrayLike = (),
        acquisition_cost: float = 0.0,
    ) -> pd.DataFrame:
        """Sum the value of today's customers and of those to be won.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None
            Of each customer, from today or from being won on.
        new_customers : array-like of shape (n_months,), default=()
            Customers to be won in each of the coming months (at its middle).
        acquisition_cost : float, default=0.0
            Money spent to win one of them.

        Returns
        -------
        DataFrame
            Rows ``current``, ``to be won``, ``equity``; columns ``customers``, ``value``.
        """
        plan = np.asarray(new_customers, dtype=float).ravel()
        won = 0.0
        if plan.size:
            each = self.new_customer_value(horizon, acquisition_cost=acquisition_cost)
            years = (np.arange(plan.size) + 0.5) / 12.0
            rate = float(np.log1p(check_annual_rate(self.annual_discount_rate)))
            won = float(np.sum(plan * np.exp(-rate * years)) * each)
        here = self.predict(X, horizon)
        return pd.DataFrame(
            {
                "customers": [float(here.size), plan.sum(), here.size + plan.sum()],
                "value": [here.sum(), won, here.sum() + won],
            },
            index=["current", "to be won", "equity"],
        )

    def predict_interval(
        self,
        X: Any,
        horizon: Span | None = None,
        *,
        level: float = 0.8,
        kind: Literal["prediction", "parameter"] = "prediction",
    ) -> Array:
        """Interval of each customer's value.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None
        level : float, default=0.8
        kind : {"prediction", "parameter"}, default="prediction"
            ``"prediction"``: of what the customer will bring, orders and spend being what they are
            (exact mixture, given the parameters; every order at the mean discount factor).
            ``"parameter"``: of the expected value, the parameters being estimates (delta method
            in logs).

        Returns
        -------
        ndarray of shape (n_customers, 2)

        Raises
        ------
        NotSupportedError
            If a part does not say how sure it is.
        """
        _sklearn.check_is_fitted(self)
        if kind == "parameter":
            return _interval.parameter_interval(self, X, horizon, level)
        if kind != "prediction":
            raise ValueError(f"kind={kind!r} must be 'prediction' or 'parameter'.")
        return _interval.outcome_interval(self, X, horizon, level)

    def predict_total(
        self,
        X: Any,
        horizon: Span | None = None,
        *,
        by: npt.ArrayLike | None = None,
        level: float = 0.8,
    ) -> pd.DataFrame:
        """Value of groups of customers together, with both kinds of uncertainty.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None
        by : array-like of shape (n_customers,), default=None
            Group of each customer; None is one group ``"all"``.
        level : float, default=0.8

        Returns
        -------
        DataFrame
            Index: the group; columns ``customers``, ``value``, ``parameter_error`` (shared by all
            customers, so it does not average out), ``outcome_sd`` (of what they will bring given
            the parameters), ``lower``, ``upper`` (both together, log-normal).
        """
        _sklearn.check_is_fitted(self)
        return _interval.total_interval(self, X, horizon, by, level)

    def to_dict(self) -> dict[str, Any]:
        """Everything about the fitted model and its parts as plain JSON values; no customer's row.

        Returns
        -------
        dict

        Raises
        ------
        NotSupportedError
            If a part cannot be read back: both must be of ``custvalue``, or built on its bases.
        """
        _sklearn.check_is_fitted(self)
        for part in (self.purchases_, self.spend_):
            if not isinstance(part, FittedLaw):
                raise NotSupportedError(
                    f"{type(part).__name__} has no plain form; use a model of custvalue.purchase "
                    "and GammaGamma, or pickle the estimator."
                )
        return {
            "schema": SCHEMA,
            "library": custvalue.__version__,
            "model": type(self).__name__,
            "settings": {
                "margin": self.margin if isinstance(self.margin, str) else float(self.margin),
                "annual_discount_rate": float(self.annual_discount_rate),
                "horizon": None if self.horizon is None else plain_span(self.horizon),
                "timing": self.timing,
                "step": plain_span(self.step),
            },
            "purchases": self.purchases_.to_dict(),
            "spend": self.spend_.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CustomerValue:
        """Inverse of ``to_dict``.

        Parameters
        ----------
        plain : dict

        Returns
        -------
        CustomerValue

        Raises
        ------
        ValueError
            If the dictionary holds another model or a schema this version does not read.
        """
        plain = read_plain(plain)
        if plain.get("model") != cls.__name__:
            raise ValueError(f"the dictionary holds {plain.get('model')!r}, not {cls.__name__}.")
        parts = (FittedLaw.from_dict(plain[part]) for part in ("purchases", "spend"))
        return cls.from_fitted(*parts, **plain["settings"])

    def _join(self, purchases: Any, spend: Any) -> CustomerValue:
        self.purchases_, self.spend_ = purchases, spend
        self.unit_ = getattr(purchases, "unit_", None)
        check_annual_rate(self.annual_discount_rate)
        if self.timing not in TIMINGS:
            raise ValueError(f"timing={self.timing!r} must be one of {', '.join(TIMINGS)}.")
        return self

    def _horizon(self, horizon: Span | None) -> float:
        chosen = self.horizon if horizon is None else horizon
        if chosen is None:
            raise ValueError(
                'state the horizon: predict(X, horizon="12M") or CustomerValue(horizon="12M"); '
                "residual_value(X) is the value without end."
            )
        return in_units(chosen, self.unit_)

    def _stretches(self, until: float) -> tuple[Array, Array]:
        rate = rate_per_unit(check_annual_rate(self.annual_discount_rate), self.unit_)
        law = getattr(self.purchases_, "law", None)
        return stretches(
            until,
            rate,
            timing=self.timing,
            step=self.step,
            unit=self.unit_,
            opportunities=bool(getattr(law, "discrete", False)),
        )

    def _span(self, time: float) -> Span:
        # 17 digits: the number comes back as it was
        return time if self.unit_ is None else f"{time * days_per(self.unit_):.17g}D"

    def _orders(self, X: Any, time: float) -> Array:
        return np.asarray(self.purchases_.predict(X, horizon=self._span(time)), dtype=float)

    def _margin_of(self, X: Any) -> Array:
        if isinstance(self.margin, str):
            return _frames.float_columns(X, [self.margin], caller="CustomerValue's X")[:, 0]
        return np.asarray(float(self.margin))
