"""Two periods: where the difference comes from, by levers and by customers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from custvalue._kernels import coalitions, shapley
from custvalue._typing import Floats
from custvalue._words import AUDIT, Language
from custvalue.audit._orders import BaseOrders, check_known, orders_of, read_range
from custvalue.audit._period import by_customer
from custvalue.exceptions import ContractProblem, DataContractError


def effects_of(before: Floats, after: Floats) -> Floats:
    """Share the change of a product out among its factors, whatever their signs (Sun 1998)."""
    mixed = np.where(coalitions(len(before)), after, before)
    return shapley(mixed.prod(axis=1))


def period_bridge(log: Any, before: Any, after: Any, *, language: Language = "en") -> pd.DataFrame:
    """Say where the difference of two periods comes from; every view adds up to it.

    Parameters
    ----------
    log : TransactionLog
    before, after : pair of dates
        First and last day of each period, both whole: ``("1997-01-01", "1997-03-31")``.
    language : {"en", "zh"}, default="en"
        Of column and row names.

    Returns
    -------
    DataFrame
        Columns ``view``, ``part``, ``before``, ``after``, ``effect``. The view ``levers`` has
        customers, orders each, basket (spend an order) and, where the log says a profit, margin:
        their product is the period's money, and their effects are Shapley's, which do not depend
        on the order in which levers are moved. The view ``who`` has the money of those who
        bought in both periods (``kept``), in the first alone (``lost``), whose first order lies in
        the second period (``new``) and all others (``returned``). Each ends with its ``total``.

    Raises
    ------
    DataContractError
        If a period holds no order or is not over, or if the periods overlap.

    Notes
    -----
    Periods of different length are compared as they are. Money is profit where the log says one.

    References
    ----------
    Fader, P., Hardie, B. & Ross, M. (2022), *The Customer-Base Audit*, lens 2.
    Shapley, L. S. (1953), A value for n-person games. Sun, J. W. (1998), Changes in energy
    consumption and energy intensity, *Energy Economics* 20, 85-100.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1997-09-30")
    >>> cv.audit.period_bridge(log, ("1997-04-01", "1997-06-30"), ("1997-07-01", "1997-09-30")
    ...                        ).round(2)
         view         part    before     after    effect
    0  levers    customers    524.00    418.00  -6823.56
    1  levers  orders_each      1.76      1.73   -369.53
    2  levers       basket     36.55     37.22    550.77
    3  levers        total  33629.63  26987.31  -6642.32
    4     who         kept  17023.20  16586.98   -436.22
    5     who         lost  16606.43      0.00 -16606.43
    6     who     returned      0.00  10400.33  10400.33
    7     who          new      0.00      0.00      0.00
    8     who        total  33629.63  26987.31  -6642.32
    """
    orders = orders_of(log)
    spans = [read_range(before, "before"), read_range(after, "after")]
    for span, name in zip(spans, ("before", "after"), strict=True):
        check_known(*span, orders, name)
    if spans[0][1] >= spans[1][0]:
        raise DataContractError(
            ContractProblem(
                "overlapping-ranges",
                f"after begins on {spans[1][0]}, before ends on {spans[0][1]}",
                "Let the second period begin when the first is over.",
            )
        )
    was, now = (by_customer(orders, _inside(orders, span)) for span in spans)
    levers, told = _levers(was, orders.has_profit), _levers(now, orders.has_profit)
    effects = effects_of(np.array(list(levers.values())), np.array(list(told.values())))
    sums = was["profit"].sum(), now["profit"].sum()
    rows: list[tuple[str, str, float, float, float]] = [
        ("levers", name, levers[name], told[name], effect)
        for name, effect in zip(levers, effects, strict=True)
    ]
    rows.append(("levers", "total", *sums, sums[1] - sums[0]))
    born = orders.day[orders.number == 1]
    in_both = now.index.isin(was.index)
    is_new = born[now.index] >= spans[1][0]
    parts = {
        "kept": (was["profit"][was.index.isin(now.index)], now["profit"][in_both]),
        "lost": (was["profit"][~was.index.isin(now.index)], now["profit"][:0]),
        "returned": (was["profit"][:0], now["profit"][~in_both & ~is_new]),
        "new": (was["profit"][:0], now["profit"][is_new]),
    }
    for name, (had, has) in parts.items():
        rows.append(("who", name, had.sum(), has.sum(), has.sum() - had.sum()))
    rows.append(("who", "total", *sums, sums[1] - sums[0]))
    table = pd.DataFrame(rows, columns=["view", "part", "before", "after", "effect"])
    return AUDIT.table(table, language, cells=["view", "part"])


def _inside(orders: BaseOrders, span: tuple[np.datetime64, np.datetime64]) -> Any:
    return (orders.day >= span[0]) & (orders.day <= span[1])


def _levers(each: pd.DataFrame, has_profit: bool) -> dict[str, float]:
    """Levers whose product is the money of a period."""
    n, count, spend = len(each), each["orders"].sum(), each["spend"].sum()
    found = {"customers": float(n), "orders_each": count / n, "basket": spend / count}
    return found | ({"margin": each["profit"].sum() / spend} if has_profit else {})
