"""Baselines that every model must beat: the rate so far carried forward, and the same for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue import _sklearn
from custvalue._open_table import Table, open_table
from custvalue._typing import Floats
from custvalue._units import Span
from custvalue._value_model import Terms, Timing, ValueModel


class Rates(NamedTuple):
    """What was spent a unit of time so far, and the table it stands in."""

    spend: Floats
    profit: Floats
    table: Table


@dataclass(frozen=True)
class RateForecast:
    """What a fitted ``RateForward`` knows.

    Parameters
    ----------
    unit : str or None
    min_span : float
        Customers seen for less count as seen for so long.
    new_rate : tuple of float
        Mean spend and profit a unit of time over all customers.
    first : tuple of float
        Mean spend and profit of an order.
    """

    unit: str | None
    min_span: float
    new_rate: tuple[float, float]
    first: tuple[float, float]


class RateForward(ValueModel):
    """Each customer goes on as on average so far.

    ``total_value / T`` money a unit of time, times the horizon. A customer seen for less than
    ``min_span`` counts as seen for ``min_span``, or a first order of yesterday would be an order a
    day for ever.

    Parameters
    ----------
    min_span : float or None, default=None
        In the unit of the data; None takes the mean ``T`` of the customers in ``fit``.
    horizon : str, timedelta, number or None, default=None
    annual_discount_rate : float, default=0.0
    margin : float, str or None, default=None
        Share of spend that is profit, or a column of it; None takes ``total_profit`` where the
        table has it.
    contact_cost : float, default=0.0
        Cost of a ``period`` of keeping in touch, for every customer.
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    period : str, default="1M"
    unit : str or None, default=None
        Unit of ``T`` where the table does not say.

    Attributes
    ----------
    forecast_ : RateForecast
    unit_ : str or None
        Unit of time of the data.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.value import RateForward
    >>> table = pd.DataFrame({"n_orders": [4, 1], "T": [20.0, 10.0], "total_value": [80.0, 9.0]})
    >>> RateForward(horizon=10, min_span=10.0).fit(table).predict(table)
    array([40.,  9.])
    """

    reads_table: ClassVar[str] = "summary"
    _learned = RateForecast

    def __init__(
        self,
        *,
        min_span: float | None = None,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        unit: str | None = None,
    ) -> None:
        self.min_span = min_span
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period
        self.unit = unit

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> RateForward:
        """Learn the unit, and the shortest span that counts.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            Columns ``n_orders``, ``T``, ``total_value``; ``total_profit`` where it is known.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : RateForward
        """
        table = open_table(X)
        n_orders, span, spend, profit = _columns(self, table, reset=True)
        w = _sklearn.weights_of(sample_weight, span.size, table)
        w = np.ones(span.size) if w is None else w
        unit = table.unit(self.unit, caller=type(self).__name__)
        shortest = np.average(span, weights=w) if self.min_span is None else self.min_span
        least = float(shortest) if shortest > 0 else 1.0
        seen, orders = float(w @ np.maximum(span, least)), max(float(w @ n_orders), 1e-300)
        money = float(w @ spend), float(w @ profit)
        self.forecast_ = RateForecast(
            unit,
            least,
            (money[0] / seen, money[1] / seen),
            (money[0] / orders, money[1] / orders),
        )
        return self

    def _read(self, X: Any) -> Rates:
        _sklearn.check_is_fitted(self)
        table = open_table(X)
        _, span, spend, profit = _columns(self, table, reset=False)
        span = np.maximum(span, self.forecast_.min_span)
        return Rates(spend / span, profit / span, table)

    def _gross(self, rows: Rates, terms: Terms) -> Floats:
        return _rate_of_profit(rows, terms, "RateForward")

    def _value(self, rows: Rates, terms: Terms) -> Floats:
        return np.asarray(
            self._gross(rows, terms) * terms.annuity() - flat_cost(self, terms) * terms.annuity()
        )

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        return _new_rate(self, terms)

    def _parts(self, rows: Rates, terms: Terms) -> dict[str, Any]:
        return {
            "profit_per_unit": self._gross(rows, terms),
            "discounted_units": terms.annuity(),
            "contact_cost": flat_cost(self, terms) * terms.annuity(),
        }


class SameForAll(ValueModel):
    """Every customer brings what the mean customer brought a unit of time.

    The spend of all over the time that all were seen. It ranks nobody; who loses to it on the
    money a customer brings should say the same of everybody.

    Parameters
    ----------
    horizon : str, timedelta, number or None, default=None
    annual_discount_rate : float, default=0.0
    margin : float, str or None, default=None
        Share of spend that is profit; None takes ``total_profit`` where the table has it.
    contact_cost : float, default=0.0
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    period : str, default="1M"
    unit : str or None, default=None
        Unit of ``T`` where the table does not say.

    Attributes
    ----------
    forecast_ : RateForecast
    unit_ : str or None
        Unit of time of the data.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.value import SameForAll
    >>> table = pd.DataFrame({"n_orders": [4, 1], "T": [20.0, 10.0], "total_value": [80.0, 10.0]})
    >>> SameForAll(horizon=10).fit(table).predict(table)
    array([30., 30.])
    """

    reads_table: ClassVar[str] = "summary"
    _learned = RateForecast

    def __init__(
        self,
        *,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        unit: str | None = None,
    ) -> None:
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period
        self.unit = unit

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> SameForAll:
        """Learn the mean rate and the mean order.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            Columns ``n_orders``, ``T``, ``total_value``; ``total_profit`` where it is known.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : SameForAll
        """
        table = open_table(X)
        n_orders, span, spend, profit = _columns(self, table, reset=True)
        w = _sklearn.weights_of(sample_weight, span.size, table)
        w = np.ones(span.size) if w is None else w
        unit = table.unit(self.unit, caller=type(self).__name__)
        seen, orders = max(float(w @ span), 1e-300), max(float(w @ n_orders), 1e-300)
        money = float(w @ spend), float(w @ profit)
        self.forecast_ = RateForecast(
            unit,
            0.0,
            (money[0] / seen, money[1] / seen),
            (money[0] / orders, money[1] / orders),
        )
        return self

    def _read(self, X: Any) -> Rates:
        _sklearn.check_is_fitted(self)
        table = open_table(X)
        n = len(_columns(self, table, reset=False)[0])
        spend, profit = self.forecast_.new_rate
        return Rates(np.full(n, spend), np.full(n, profit), table)

    def _value(self, rows: Rates, terms: Terms) -> Floats:
        gross = _rate_of_profit(rows, terms, "SameForAll")
        return np.asarray((gross - flat_cost(self, terms)) * terms.annuity())

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        return _new_rate(self, terms)


def flat_cost(model: ValueModel, terms: Terms) -> float:
    """Contact cost a unit of time; one number, for who has no states."""
    if isinstance(terms.contact_cost, dict):
        raise ValueError(
            f"contact_cost by state is for MarkovCLVEstimator; give {type(model).__name__} one "
            "number."
        )
    return float(terms.contact_cost) / terms.period


def _columns(model: Any, table: Table, *, reset: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """Orders, time seen, spend and profit of each row; profit is spend where it is not known."""
    names = ("n_orders", "T", "total_value")
    values, named = _sklearn.read_columns(model, table, names, reset=reset, min_columns=3)
    profit = values[:, 2]
    if named and table.has("total_profit"):
        (profit,) = table.floats(["total_profit"])
    return values[:, 0], values[:, 1], values[:, 2], profit


def _rate_of_profit(rows: Rates, terms: Terms, caller: str) -> Floats:
    if terms.margin is None:
        return rows.profit
    if isinstance(terms.margin, str):
        (share,) = rows.table.floats([terms.margin], caller=f"{caller}'s X")
        return np.asarray(rows.spend * share)
    return np.asarray(rows.spend * terms.margin)


def _new_rate(model: ValueModel, terms: Terms) -> tuple[float, float]:
    """Profit of a first order, and of the mean rate after it."""
    which = 1 if terms.margin is None else 0
    share = 1.0 if terms.margin is None else terms.margin
    rate = share * model.forecast_.new_rate[which] - flat_cost(model, terms)
    return share * model.forecast_.first[which], rate * terms.annuity()
