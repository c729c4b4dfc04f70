"""How many order again, how soon, and who is still within the usual gap of people like them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from custvalue._typing import Floats
from custvalue._words import AUDIT, Language
from custvalue.audit._orders import (
    BaseOrders,
    Period,
    check_period,
    is_over,
    orders_of,
    period_name,
    period_number,
    ratio,
)
from custvalue.exceptions import ContractProblem, DataContractError

ACTIVITY = ("active", "quiet", "asleep", "likely gone")
FEW = 30  # gaps; a class of customers with fewer is held to everybody's


def repeat_rates(log: Any, period: Period = "month", *, language: Language = "en") -> pd.DataFrame:
    """Show the repeat rate and the repurchase rate of each period (复购率, 回购率).

    Parameters
    ----------
    log : TransactionLog
    period : {"week", "month", "quarter", "year"}, default="month"
    language : {"en", "zh"}, default="en"
        Of the column names.

    Returns
    -------
    DataFrame
        A row a calendar period: ``customers`` with an order, ``repeat_customers`` with at least two
        orders in it, ``repeat_rate`` (their share), ``repurchase_rate`` (share of the customers who
        order in the next period, too) and whether the period is ``finished``. The repurchase rate
        is missing where the next period is not over; rates are where nobody ordered.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1997-09-30")
    >>> cv.audit.repeat_rates(log, "quarter", language="zh").round(3)
            期间   客户数  复购客户数    复购率    回购率  期间已结束
    0  1997-Q1  2349    499  0.212  0.223   True
    1  1997-Q2   524    207  0.395  0.408   True
    2  1997-Q3   418    152  0.364    NaN   True
    """
    check_period(period)
    orders = orders_of(log)
    number = period_number(orders.day, period)
    start, end = int(number.min()), int(period_number(orders.end, period))
    n = end - start + 1
    cell = pd.DataFrame({"who": orders.who, "at": number - start}).value_counts(sort=False)
    who, at = (cell.index.get_level_values(k).to_numpy() for k in (0, 1))
    again = np.r_[(who[1:] == who[:-1]) & (at[1:] == at[:-1] + 1), False]
    customers = np.bincount(at, minlength=n)
    repeaters = np.bincount(at[cell.to_numpy() > 1], minlength=n)
    every = np.arange(start, start + n)
    next_over = is_over(every + 1, period, orders.end)
    came = np.where(next_over, np.bincount(at[again], minlength=n), np.nan)
    table = pd.DataFrame(
        {
            "period": period_name(every, period),
            "customers": customers,
            "repeat_customers": repeaters,
            "repeat_rate": ratio(repeaters, customers),
            "repurchase_rate": ratio(came, customers),
            "finished": is_over(every, period, orders.end),
        }
    )
    return AUDIT.table(table, language)


def reorder_table(
    log: Any,
    *,
    within: Sequence[int] = (30, 90, 180, 365),
    up_to: int = 8,
    language: Language = "en",
) -> pd.DataFrame:
    """Show, by number of the order, how many order again and after how many days (回购周期).

    Parameters
    ----------
    log : TransactionLog
    within : sequence of int, default=(30, 90, 180, 365)
        Days within which the next order is counted.
    up_to : int, default=8
        The last order number with a row of its own.
    language : {"en", "zh"}, default="en"
        Of the column names.

    Returns
    -------
    DataFrame
        A row an order number: ``customers`` who placed that order, ``reordered`` so far,
        ``within_30`` and so on, the share that orders again within so many days, and ``gap_25``,
        ``gap_50``, ``gap_75``: days after which a quarter, half and three quarters of those who
        return within the longest of ``within`` have done so. One less the share is the churn by
        order number.

    Raises
    ------
    ValueError
        If ``within`` or ``up_to`` is not made of whole numbers above 0.

    Notes
    -----
    Shares are Kaplan-Meier's (1958): a customer who ordered last week counts for as long as known,
    neither as gone nor as returned. A share is missing (NaN) where nobody was followed that
    long, gaps are where nobody returned.

    References
    ----------
    Kaplan, E. L. & Meier, P. (1958), Nonparametric estimation from incomplete observations, *JASA*
    53, 457-481.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> table = cv.audit.reorder_table(log, within=(90, 365), up_to=3)
    >>> table[["order_number", "customers", "within_90", "within_365", "gap_50"]].round(2)
       order_number  customers  within_90  within_365  gap_50
    0             1       2349       0.29        0.46    50.0
    1             2       1139       0.43        0.67    53.0
    2             3        736       0.52        0.80    50.0
    """
    days = [int(d) for d in within]
    if not days or min(days) < 1 or days != list(within):
        raise ValueError(f"within={within!r} must be whole numbers of days above 0.")
    if not isinstance(up_to, (int, np.integer)) or up_to < 1:
        raise ValueError(f"up_to={up_to!r} must be a whole number above 0.")
    orders = orders_of(log)
    wait, came = _waits(orders)
    rows = []
    for number in range(1, min(up_to, int(orders.number.max())) + 1):
        mine = orders.number == number
        times, share = kaplan_meier(wait[mine], came[mine])
        followed = wait[mine].max()
        known = {d: _at(times, share, d) if followed >= d else np.nan for d in days}
        inside = times <= max(days)
        rows.append(
            {
                "order_number": number,
                "customers": int(mine.sum()),
                "reordered": int(came[mine].sum()),
                **{f"within_{d}": value for d, value in known.items()},
                **{
                    f"gap_{q}": _quantile(times[inside], share[inside], q / 100)
                    for q in (25, 50, 75)
                },
            }
        )
    table = AUDIT.table(pd.DataFrame(rows), language)
    if language == "zh":
        table = table.rename(columns={f"within_{d}": f"{d}天内再购率" for d in days})
    return table


def activity_grid(
    log: Any,
    *,
    quantiles: Sequence[float] = (0.5, 0.8, 0.95),
    language: Language = "en",
) -> pd.DataFrame:
    """Lay customers out by number of orders and by how unusual their silence is for that number.

    Parameters
    ----------
    log : TransactionLog
    quantiles : three ascending floats, default=(0.5, 0.8, 0.95)
        Of the gaps that followed an order of that number: silence up to the first is ``active``,
        up to the second ``quiet``, up to the third ``asleep``, beyond it ``likely gone``.
    language : {"en", "zh"}, default="en"
        Of column names and activities.

    Returns
    -------
    DataFrame
        A row a class of order numbers (1, 2, 3, 4 to 5, 6 to 10, 11 and more) and activity:
        ``orders_from``, ``orders_to`` (infinite for the last), ``activity``, ``silence_above`` and
        ``silence_up_to`` in days, ``customers``, their ``share``, ``spend``. Customers and spend
        add up to the log's.

    Raises
    ------
    ValueError
        If the quantiles are not three ascending numbers between 0 and 1.
    DataContractError
        If nobody ordered twice: the log shows no gap.

    Notes
    -----
    A class with fewer than 30 gaps is held to everybody's. Gaps are those of customers who came
    back, so beyond the last quantile 5 % of those who do come back are still to come.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> grid = cv.audit.activity_grid(log)
    >>> grid.pivot(index="orders_from", columns="activity", values="customers").iloc[:3]
    activity     active  asleep  likely gone  quiet
    orders_from
    1                 0       0         1210      0
    2                14      80          259     50
    3                22      47           94     46
    """
    cut = [float(q) for q in quantiles]
    if len(cut) != 3 or not 0 < cut[0] < cut[1] < cut[2] < 1:
        raise ValueError(f"quantiles={quantiles!r} must be three ascending numbers from 0 to 1.")
    orders = orders_of(log)
    wait, came = _waits(orders)
    if not came.any():
        raise DataContractError(
            ContractProblem(
                "no-gaps", "nobody ordered twice", "There is no usual gap to hold silence to."
            )
        )
    everybody = np.quantile(wait[came], cut)
    last = np.r_[orders.who[1:] != orders.who[:-1], True]
    spend = np.bincount(orders.who, orders.spend)[orders.who[last]]
    count, silence = orders.number[last], wait[last]
    rows = []
    for low, high in ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, np.inf)):
        inside = (orders.number >= low) & (orders.number <= high)
        gaps = wait[inside & came]
        cuts = np.quantile(gaps, cut) if len(gaps) >= FEW else everybody
        edges = np.r_[-np.inf, cuts, np.inf]
        mine = (count >= low) & (count <= high)
        at = np.searchsorted(cuts, silence[mine], side="left")
        for k, activity in enumerate(ACTIVITY):
            rows.append(
                {
                    "orders_from": low,
                    "orders_to": high,
                    "activity": activity,
                    "silence_above": edges[k] if k else 0.0,
                    "silence_up_to": edges[k + 1],
                    "customers": int((at == k).sum()),
                    "share": float((at == k).sum()) / len(count),
                    "spend": float(spend[mine][at == k].sum()),
                }
            )
    return AUDIT.table(pd.DataFrame(rows), language, cells=["activity"])


def kaplan_meier(wait: Floats, came: Any) -> tuple[Floats, Floats]:
    """Estimate the share that has come back by each time at which somebody did."""
    times, at = np.unique(wait, return_inverse=True)
    events = np.bincount(at, came, minlength=len(times))
    at_risk = len(wait) - np.r_[0, np.cumsum(np.bincount(at, minlength=len(times)))[:-1]]
    share = 1.0 - np.cumprod(1.0 - events / at_risk)
    return times[events > 0], share[events > 0]


def _waits(orders: BaseOrders) -> tuple[Floats, Any]:
    """Days from each order to the next or, where there is none, to the end; whether there is."""
    came = np.r_[orders.who[1:] == orders.who[:-1], False]
    until = np.where(came, np.r_[orders.day[1:], orders.end], orders.end)
    return (until - orders.day).astype("timedelta64[D]").astype(np.float64), came


def _at(times: Floats, share: Floats, day: float) -> float:
    k = int(np.searchsorted(times, day, side="right"))
    return float(share[k - 1]) if k else 0.0


def _quantile(times: Floats, share: Floats, q: float) -> float:
    """First time by which a part q of those who come back within the window has come."""
    return float(times[np.searchsorted(share, q * share[-1])]) if len(times) else np.nan
