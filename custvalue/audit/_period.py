"""One period: who brought how much; and every period: who came, stayed, returned and left."""

from __future__ import annotations

from typing import Any

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
    read_range,
)


def period_audit(
    log: Any, start: Any, end: Any, *, groups: int = 10, language: Language = "en"
) -> pd.DataFrame:
    """Show how unequal the customers of one period are: tenths by what they brought.

    Parameters
    ----------
    log : TransactionLog
    start, end : date, datetime or ISO str
        First and last day of the period, both whole.
    groups : int, default=10
        Groups of equal size, the best first; sizes differ by one where the number does not divide.
    language : {"en", "zh"}, default="en"
        Of the column names.

    Returns
    -------
    DataFrame
        A row a group and one of ``all``: ``customers`` with an order in the period, ``orders``,
        ``spend``, its ``share``, ``orders_each``, ``basket`` (spend an order) and, where the log
        says a profit, ``profit`` and ``margin``; groups are then by profit.

    Raises
    ------
    DataContractError
        If the period holds no order or is not over.
    ValueError
        If there are fewer customers than groups.

    References
    ----------
    Fader, P., Hardie, B. & Ross, M. (2022), *The Customer-Base Audit*, lens 1.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> audit = cv.audit.period_audit(log, "1998-01-01", "1998-03-31", groups=2)
    >>> audit[["group", "customers", "orders", "share"]].round(2)
      group  customers  orders  share
    0     1        192     448   0.83
    1     2        192     208   0.17
    2   all        384     656   1.00
    """
    orders = orders_of(log)
    first, last = read_range((start, end), "start and end")
    check_known(first, last, orders, "the period")
    inside = (orders.day >= first) & (orders.day <= last)
    each = by_customer(orders, inside)
    if not 1 <= groups <= len(each):
        raise ValueError(f"groups={groups!r} must be from 1 to the {len(each):,} customers.")
    best = np.argsort(-each["profit"].to_numpy(), kind="stable")
    group = np.empty(len(each), dtype=np.int64)
    group[best] = np.arange(len(each)) * groups // len(each)
    table = each.groupby(group).sum()
    table.loc[groups] = table.sum()
    table.insert(0, "group", [*map(str, range(1, groups + 1)), "all"])
    table["share"] = table["spend"] / table["spend"].iloc[-1]
    table["orders_each"] = table["orders"] / table["customers"]
    table["basket"] = table["spend"] / table["orders"]
    table["margin"] = table["profit"] / table["spend"]
    names = ["group", "customers", "orders", "spend", "share", "orders_each", "basket"]
    names += ["profit", "margin"] if orders.has_profit else []
    counts = {"customers": "int64", "orders": "int64"}
    told = table[names].astype(counts).reset_index(drop=True)
    return AUDIT.table(told, language, cells=["group"])


def by_customer(orders: BaseOrders, inside: Any) -> pd.DataFrame:
    """One row a customer with an order among those marked: ``customers`` (1), orders, money."""
    table = pd.DataFrame(
        {
            "who": orders.who[inside],
            "orders": 1,
            "spend": orders.spend[inside],
            "profit": orders.profit[inside],
        }
    )
    each = table.groupby("who").sum()
    each.insert(0, "customers", 1)
    return each


def base_flow(log: Any, period: Period = "quarter", *, language: Language = "en") -> pd.DataFrame:
    """Follow the whole base from period to period: who is new, stayed, returned, was lost.

    Parameters
    ----------
    log : TransactionLog
    period : {"week", "month", "quarter", "year"}, default="quarter"
    language : {"en", "zh"}, default="en"
        Of the column names.

    Returns
    -------
    DataFrame
        A row a calendar period, quiet ones too: ``customers`` with an order, of them ``new``
        (their first), ``kept`` (also in the period before) and ``returned`` (earlier, not in the
        period before); ``lost``: those of the period before without an order in this one. So
        customers = customers before + new + returned - lost. Then ``orders``, ``spend`` and
        whether the period is ``finished`` by the log's end.

    References
    ----------
    Fader, P., Hardie, B. & Ross, M. (2022), *The Customer-Base Audit*, lens 5.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1997-09-30")
    >>> cv.audit.base_flow(log).drop(columns="spend")
        period  customers   new  kept  returned  lost  orders  finished
    0  1997-Q1       2349  2349     0         0     0    3161      True
    1  1997-Q2        524     0   524         0  1825     920      True
    2  1997-Q3        418     0   214       204   310     725      True
    """
    check_period(period)
    orders = orders_of(log)
    number = period_number(orders.day, period)
    start = int(number.min())
    n = int(period_number(orders.end, period)) - start + 1
    cell = pd.DataFrame({"who": orders.who, "at": number - start}).drop_duplicates()
    same = cell["who"].to_numpy()[1:] == cell["who"].to_numpy()[:-1]
    at = cell["at"].to_numpy()
    is_new = np.r_[True, ~same]
    is_kept = np.r_[False, same & (at[1:] == at[:-1] + 1)]
    count = np.bincount(at, minlength=n)
    kept = np.bincount(at[is_kept], minlength=n)
    new = np.bincount(at[is_new], minlength=n)
    every = np.arange(start, start + n)
    table = pd.DataFrame(
        {
            "period": period_name(every, period),
            "customers": count,
            "new": new,
            "kept": kept,
            "returned": count - new - kept,
            "lost": np.r_[0, count[:-1]] - kept,
            "orders": np.bincount(number - start, minlength=n),
            "spend": np.bincount(number - start, orders.spend, minlength=n),
            "finished": is_over(every, period, orders.end),
        }
    )
    return AUDIT.table(table, language)
