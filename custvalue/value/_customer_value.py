"""Expected future value of each customer: orders x spend x margin, discounted."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone

from custvalue import _frames, _sklearn
from custvalue._units import DAYS_PER, Span, check_annual_rate, days_per, in_units, span_days
from custvalue.exceptions import TimeUnitError

Array = npt.NDArray[np.float64]
Timing = Literal["continuous", "start", "middle", "end"]
NODES = 16  # Gauss-Legendre: expected orders are smooth in time


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
    time t and d the continuous rate; the integral is taken by 16 Gauss-Legendre nodes.

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
            import custvalue.purchase as rooms

            purchases = rooms.ParetoNBD()
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
        until = self._horizon(horizon)
        return _discounted(lambda t: self._orders(X, t), until, *self._clock(until))

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
        until = self._horizon(horizon)
        orders = _discounted(
            lambda t: np.array([float(self.purchases_.new_customer(horizon=self._span(t)))]),
            until,
            *self._clock(until),
        )
        count = float(orders[0]) + (1.0 if include_first_order else 0.0)
        return count * self.spend_.new_customer() * self.margin - acquisition_cost

    def _join(self, purchases: Any, spend: Any) -> CustomerValue:
        self.purchases_, self.spend_ = purchases, spend
        self.unit_ = getattr(purchases, "unit_", None)
        check_annual_rate(self.annual_discount_rate)
        if self.timing not in ("continuous", "start", "middle", "end"):
            raise ValueError(
                f"timing={self.timing!r} must be 'continuous', 'start', 'middle' or 'end'."
            )
        return self

    def _horizon(self, horizon: Span | None) -> float:
        chosen = self.horizon if horizon is None else horizon
        if chosen is None:
            raise ValueError(
                'state the horizon: predict(X, horizon="12M") or CustomerValue(horizon="12M"); '
                "residual_value(X) is the value without end."
            )
        return in_units(chosen, self.unit_)

    def _clock(self, until: float) -> tuple[float, float | None, Timing]:
        """Continuous rate a unit of time, length of a step in units, timing."""
        rate = float(np.log1p(check_annual_rate(self.annual_discount_rate)))
        if rate == 0.0:
            return 0.0, None, "continuous"
        if self.unit_ is None:
            raise TimeUnitError(
                f"annual_discount_rate={self.annual_discount_rate:g} is a rate a year, but the "
                "unit of the data is not known. Pass a table made by custvalue.summarize, or set "
                "unit= on the purchase estimator."
            )
        rate *= days_per(self.unit_) / DAYS_PER["Y"]
        if self.timing == "continuous":
            return rate, None, "continuous"
        return rate, span_days(self.step, "step") / days_per(self.unit_), self.timing

    def _span(self, time: float) -> Span:
        # 17 digits: the number comes back as it was
        return time if self.unit_ is None else f"{time * days_per(self.unit_):.17g}D"

    def _orders(self, X: Any, time: float) -> Array:
        return np.asarray(self.purchases_.predict(X, horizon=self._span(time)), dtype=float)

    def _margin_of(self, X: Any) -> Array:
        if isinstance(self.margin, str):
            return _frames.float_columns(X, [self.margin], caller="CustomerValue's X")[:, 0]
        return np.asarray(float(self.margin))


def _discounted(
    orders_by: Any, until: float, rate: float, step: float | None, timing: Timing
) -> Array:
    """Discounted orders up to ``until``, from the orders expected by any time."""
    if rate == 0.0 or until == 0.0:
        return np.asarray(orders_by(until))
    if step is None:
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        out = np.exp(-rate * until) * orders_by(until)
        for node, weight in zip(nodes, weights, strict=True):
            t = 0.5 * until * (node + 1.0)
            out = out + rate * 0.5 * until * weight * np.exp(-rate * t) * orders_by(t)
        return np.asarray(out)
    shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[timing]
    n_steps = max(int(np.ceil(until / step - 1e-9)), 1)
    before = 0.0
    total = np.zeros(1)
    for i in range(n_steps):
        end = min((i + 1) * step, until)
        by_end = orders_by(end)
        total = total + (by_end - before) * np.exp(-rate * (i * step + shift * (end - i * step)))
        before = by_end
    return np.asarray(total)
