"""What new customers are worth by six levers, and which lever a change of it is due to."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from custvalue._typing import Floats
from custvalue._units import check_share
from custvalue._words import INDICATORS, Language
from custvalue.value._shared_change import share_out

LEVERS = ("lead_cost", "cost_to_sell", "cost_to_serve", "close_rate", "order_size", "retention")
COSTS = ("lead_cost", "cost_to_sell", "cost_to_serve", "leads", "orders", "order_size")


@dataclass(frozen=True)
class CustomerEconomics:
    """Six levers of what new customers bring, and what they need to be counted.

    Parameters
    ----------
    lead_cost : float
        Cost to win a lead.
    cost_to_sell : float
        Cost to sell an order.
    cost_to_serve : float
        Cost to serve a customer for a period.
    close_rate : float
        Share of leads that become customers.
    order_size : float
        Revenue of an order.
    retention : float
        Share of customers that stay from one period to the next.
    leads : float
    orders : float
        A customer and period.
    margin : float
        Share of revenue that is kept before these costs.
    discount_rate : float
        A period.

    Examples
    --------
    >>> from custvalue.value import customer_economics
    >>> found = customer_economics(leads=1000, lead_cost=40, close_rate=0.10, orders=4,
    ...                            order_size=250, margin=0.4, cost_to_sell=15, cost_to_serve=60,
    ...                            retention=0.7, discount_rate=0.1)
    >>> round(found.value, 6), round(found.customer_value, 6)
    (37000.0, 770.0)
    """

    lead_cost: float
    cost_to_sell: float
    cost_to_serve: float
    close_rate: float
    order_size: float
    retention: float
    leads: float
    orders: float
    margin: float
    discount_rate: float

    def __post_init__(self) -> None:
        numbers = {f.name: getattr(self, f.name) for f in fields(self)}
        check_share(self.close_rate, "close_rate")
        check_share(self.retention, "retention")
        check_share(self.margin, "margin", low=-np.inf)
        negative = [n for n in COSTS if not (np.isfinite(numbers[n]) and numbers[n] >= 0)]
        if negative:
            told = ", ".join(f"{name}={numbers[name]!r}" for name in negative)
            raise ValueError(f"{told} must be finite and 0 or more.")
        if not (np.isfinite(self.discount_rate) and -1 < self.discount_rate <= 1):
            raise ValueError(
                f"discount_rate={self.discount_rate!r} must be a rate a period; 10 % is 0.1."
            )
        if not self.retention < 1 + self.discount_rate:
            raise ValueError(
                f"retention={self.retention!r} with discount_rate={self.discount_rate!r} has no "
                "end: customers stay for ever and money does not lose value."
            )

    @property
    def multiple(self) -> float:
        """Discounted periods of a customer, the first one in full: ``(1 + d)/(1 + d - r)``."""
        return (1 + self.discount_rate) / (1 + self.discount_rate - self.retention)

    @property
    def margin_a_period(self) -> float:
        """What a customer leaves in a period after selling and serving."""
        earned = self.order_size * self.margin - self.cost_to_sell
        return self.orders * earned - self.cost_to_serve

    @property
    def customer_value(self) -> float:
        """What a customer is worth when won, without the cost of the leads."""
        return self.margin_a_period * self.multiple

    @property
    def break_even_lead_cost(self) -> float:
        """Cost of a lead at which nothing is left."""
        return self.close_rate * self.customer_value

    @property
    def value(self) -> float:
        """What the leads bring: ``L [c ((o s g - o k_sell) - k_serve) M - k_lead]``."""
        return self.leads * (self.break_even_lead_cost - self.lead_cost)


def customer_economics(
    *,
    leads: float,
    lead_cost: float,
    close_rate: float,
    orders: float,
    order_size: float,
    margin: float,
    cost_to_sell: float,
    cost_to_serve: float,
    retention: float,
    discount_rate: float = 0.0,
) -> CustomerEconomics:
    """Work out what leads are worth: cost to win, sell and serve, close rate, order, retention.

    Parameters
    ----------
    leads : float
    lead_cost : float
        Of each lead, won or not.
    close_rate : float
        Share of leads that become customers.
    orders : float
        A customer and period.
    order_size : float
        Revenue of an order.
    margin : float
        Share of revenue that is kept before the costs named here.
    cost_to_sell : float
        Of each order.
    cost_to_serve : float
        Of each customer and period.
    retention : float
        Share of customers that stay from one period to the next.
    discount_rate : float, default=0
        A period.

    Returns
    -------
    CustomerEconomics

    Raises
    ------
    ValueError
        If a cost is negative, a share is none, or the sum over periods has no end.

    Examples
    --------
    >>> from custvalue.value import customer_economics
    >>> customer_economics(leads=1, lead_cost=5, close_rate=0.5, orders=1, order_size=100,
    ...                    margin=0.4, cost_to_sell=10, cost_to_serve=10, retention=0.5).value
    15.0
    """
    return CustomerEconomics(
        lead_cost=lead_cost,
        cost_to_sell=cost_to_sell,
        cost_to_serve=cost_to_serve,
        close_rate=close_rate,
        order_size=order_size,
        retention=retention,
        leads=leads,
        orders=orders,
        margin=margin,
        discount_rate=discount_rate,
    )


def lever_contributions(
    before: CustomerEconomics, after: CustomerEconomics, *, language: Language = "en"
) -> pd.DataFrame:
    """Share a change of value out among the levers that moved.

    Parameters
    ----------
    before, after : CustomerEconomics
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame
        ``name``, ``start``, ``end``, ``contribution``, ``share`` of the change. The six levers, and
        of the number of leads, orders, margin and discount rate what moved too. Contributions add
        up to ``after.value - before.value`` whatever moved.

    References
    ----------
    Shorrocks, A. F. (2013), Decomposition procedures for distributional analysis: a unified
    framework based on the Shapley value, Journal of Economic Inequality 11, 99-126.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from custvalue.value import customer_economics, lever_contributions
    >>> before = customer_economics(leads=1, lead_cost=5, close_rate=0.5, orders=1, order_size=100,
    ...                             margin=0.4, cost_to_sell=10, cost_to_serve=10, retention=0.5)
    >>> table = lever_contributions(before, replace(before, lead_cost=4, close_rate=0.6))
    >>> table.loc[table["contribution"] != 0, ["name", "contribution"]].round(6).to_numpy().tolist()
    [['lead_cost', 1.0], ['close_rate', 4.0]]
    """
    names = [f.name for f in fields(CustomerEconomics)]
    one, two = (np.array([getattr(v, n) for n in names], dtype=float) for v in (before, after))
    found = share_out(lambda rows: _values(rows, names), one, two)
    total = after.value - before.value
    rows = [
        (name, one[i], two[i], found.share[i], found.share[i] / total if total else 0.0)
        for i, name in enumerate(names)
        if name in LEVERS or one[i] != two[i]
    ]
    table = pd.DataFrame(rows, columns=["name", "start", "end", "contribution", "share"])
    return INDICATORS.table(table, language, cells=("name",))


def _values(rows: Floats, names: list[str]) -> Floats:
    v = dict(zip(names, rows.T, strict=True))
    multiple = (1 + v["discount_rate"]) / (1 + v["discount_rate"] - v["retention"])
    margin = v["orders"] * (v["order_size"] * v["margin"] - v["cost_to_sell"]) - v["cost_to_serve"]
    return np.asarray(v["leads"] * (v["close_rate"] * margin * multiple - v["lead_cost"]))
