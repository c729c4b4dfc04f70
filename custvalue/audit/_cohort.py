"""One cohort month by month, all cohorts as layers of the same money, and when they pay back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from custvalue._words import AUDIT, Language
from custvalue.audit._orders import (
    BaseOrders,
    Period,
    check_known,
    check_period,
    is_over,
    orders_of,
    period_name,
    period_number,
    ratio,
    read_range,
)
from custvalue.exceptions import ContractProblem, DataContractError


def cohort_audit(log: Any, start: Any, end: Any, *, language: Language = "en") -> pd.DataFrame:
    """Follow the customers whose first order lies in a range, month by month.

    Parameters
    ----------
    log : TransactionLog
    start, end : date, datetime or ISO str
        First and last day of the range of first orders, both whole.
    language : {"en", "zh"}, default="en"
        Of the column names.

    Returns
    -------
    DataFrame
        A row a calendar month since the month of the first order (0, 1, ...): ``customers`` with
        an order, their ``share`` of the cohort, ``orders``, ``spend``, ``orders_each`` (of those
        who ordered), ``basket``, ``spend_each`` and ``spend_to_date`` (of the whole cohort), and
        whether that month is ``finished`` for all of the cohort. Months without an order have
        no ``orders_each`` and no ``basket`` (NaN).

    Raises
    ------
    DataContractError
        If nobody ordered for the first time in the range, or it is not over.

    References
    ----------
    Fader, P., Hardie, B. & Ross, M. (2022), *The Customer-Base Audit*, lens 3.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1997-06-30")
    >>> cohort = cv.audit.cohort_audit(log, "1997-01-01", "1997-01-31")
    >>> cohort[["month", "customers", "share", "orders", "spend_to_date"]].round(2).head(3)
       month  customers  share  orders  spend_to_date
    0      0        777   1.00     869          36.80
    1      1        124   0.16     174          45.81
    2      2         95   0.12     129          51.27
    """
    orders = orders_of(log)
    first, last = read_range((start, end), "start and end")
    check_known(first, last, orders, "the cohort")
    born = orders.born
    inside = (born >= first) & (born <= last)
    if not inside.any():
        raise DataContractError(
            ContractProblem(
                "empty-range",
                f"nobody ordered for the first time from {first} to {last}",
                f"First orders lie from {born.min()} to {born.max()}.",
            )
        )
    size = len(np.unique(orders.who[inside]))
    age = (period_number(orders.day, "month") - period_number(born, "month"))[inside]
    youngest = period_number(born[inside].max(), "month")
    n = int(period_number(orders.end, "month") - period_number(born[inside].min(), "month")) + 1
    count = np.bincount(age, minlength=n)
    spend = np.bincount(age, orders.spend[inside], minlength=n)
    pairs = pd.DataFrame({"who": orders.who[inside], "age": age}).drop_duplicates()
    customers = np.bincount(pairs["age"], minlength=n)
    every = np.arange(n)
    table = pd.DataFrame(
        {
            "month": every,
            "customers": customers,
            "share": customers / size,
            "orders": count,
            "spend": spend,
            "orders_each": ratio(count, customers),
            "basket": ratio(spend, count),
            "spend_each": spend / size,
            "spend_to_date": np.cumsum(spend) / size,
            "finished": is_over(youngest + every, "month", orders.end),
        }
    )
    return AUDIT.table(table, language)


def cohort_layers(
    log: Any,
    period: Period = "quarter",
    *,
    value: Literal["spend", "profit", "orders", "customers"] = "spend",
) -> pd.DataFrame:
    """Say which cohort brought the money of each period: rows add up to the period's total.

    Parameters
    ----------
    log : TransactionLog
    period : {"week", "month", "quarter", "year"}, default="quarter"
        Of the rows, and of the first orders that make a cohort.
    value : {"spend", "profit", "orders", "customers"}, default="spend"

    Returns
    -------
    DataFrame
        Index ``period``; a column a cohort, by the period of its first orders. 0 before a cohort
        was born.

    Raises
    ------
    ValueError
        If profit is asked of a log that says none.

    References
    ----------
    Fader, P., Hardie, B. & Ross, M. (2022), *The Customer-Base Audit*, lens 4.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1997-04-30")
    >>> cv.audit.cohort_layers(log, "month", value="orders")
    cohort   1997-01  1997-02  1997-03
    period
    1997-01      869        0        0
    1997-02      174      978        0
    1997-03      129      175      836
    1997-04       96      139      116
    """
    check_period(period)
    orders = orders_of(log)
    if value not in ("spend", "profit", "orders", "customers"):
        raise ValueError(f"value={value!r} must be 'spend', 'profit', 'orders' or 'customers'.")
    if value == "profit":
        _check_profit(orders)
    at, cohort = period_number(orders.day, period), period_number(orders.born, period)
    start = int(at.min())
    n = int(period_number(orders.end, period)) - start + 1
    width = int(cohort.max()) - start + 1
    cell = (at - start) * width + cohort - start
    if value == "customers":
        found = pd.DataFrame({"who": orders.who, "cell": cell}).drop_duplicates()["cell"]
        sums: Any = np.bincount(found, minlength=n * width)
    elif value == "orders":
        sums = np.bincount(cell, minlength=n * width)
    else:
        money = orders.spend if value == "spend" else orders.profit
        sums = np.bincount(cell, money, minlength=n * width)
    names = period_name(np.arange(start, start + n), period)
    table = pd.DataFrame(sums.reshape(n, width), index=pd.Index(names, name="period"))
    table.columns = pd.Index(names[:width], name="cohort")
    return table.loc[:, np.bincount(cohort - start, minlength=width) > 0]


def payback(
    log: Any,
    cost: float | Mapping[str, float],
    *,
    period: Period = "month",
    language: Language = "en",
) -> pd.DataFrame:
    """Say in which month each cohort has paid back what winning a customer cost.

    Parameters
    ----------
    log : TransactionLog
        One that says a profit: with ``margin``, ``cost`` or ``profit``.
    cost : float or mapping of cohort to float
        Acquisition cost a customer, above 0: one for all, or by name of the cohort.
    period : {"week", "month", "quarter", "year"}, default="month"
        Of the first orders that make a cohort.
    language : {"en", "zh"}, default="en"
        Of column names and states.

    Returns
    -------
    DataFrame
        A row a cohort: ``cohort``, ``customers``, ``cost`` a customer, ``months_known`` (full
        months since the own first order that all of the cohort have behind them),
        ``profit_to_date`` a customer within them, ``payback_month`` (the first of these
        months, 1, 2, ..., by whose end the profit reaches the cost) and ``state``: ``"paid back"``
        or ``"not yet"``, where the month is missing.

    Raises
    ------
    ValueError
        If the log says no profit, a cost is not above 0 or a cohort has none.

    Notes
    -----
    Months are twelfths of 365.25 days since the customer's own first order, so that a customer of
    the 1st and one of the 31st are followed as long.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30", margin=0.3)
    >>> paid = cv.audit.payback(log, 15.0)
    >>> paid[["cohort", "customers", "months_known", "payback_month", "state"]]
        cohort  customers  months_known  payback_month      state
    0  1997-01        777            16              3  paid back
    1  1997-02        854            16              2  paid back
    2  1997-03        718            15              2  paid back
    """
    check_period(period)
    orders = orders_of(log)
    _check_profit(orders)
    number = period_number(orders.born, period)
    rows = []
    for at in np.unique(number):
        mine = number == at
        name = str(period_name(at, period)[0])
        price = cost.get(name) if isinstance(cost, Mapping) else cost
        if price is None or not (np.isfinite(price) and price > 0):
            raise ValueError(
                f"cohort {name} costs {price!r} a customer: it must be a number above 0."
            )
        size = len(np.unique(orders.who[mine]))
        month = _months(orders.day[mine] - orders.born[mine])
        known = int(_months(orders.end + 1 - orders.born[mine].max()))
        gain = np.bincount(np.minimum(month, known), orders.profit[mine], minlength=known + 1)
        to_date = np.cumsum(gain[:known]) / size
        reached = np.flatnonzero(to_date >= price)
        rows.append(
            {
                "cohort": name,
                "customers": size,
                "cost": float(price),
                "months_known": known,
                "profit_to_date": float(to_date[-1]) if known else 0.0,
                "payback_month": int(reached[0]) + 1 if len(reached) else None,
                "state": "paid back" if len(reached) else "not yet",
            }
        )
    table = pd.DataFrame(rows).astype({"payback_month": "Int64"})
    return AUDIT.table(table, language, cells=["state"])


def _months(span: Any) -> Any:
    """Full months, twelfths of 365.25 days, in a span of days."""
    return (np.asarray(span).astype("timedelta64[D]").astype(np.int64) * 12 / 365.25).astype(int)


def _check_profit(orders: BaseOrders) -> None:
    if not orders.has_profit:
        raise ValueError(
            "the log says no profit: TransactionLog(..., margin=0.3), or cost= or profit= with the "
            "column that has it."
        )
