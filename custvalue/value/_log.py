"""What a log tells of money without a model: one line each over `TransactionLog`."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from custvalue.data import TransactionLog
from custvalue.data._for_rooms import Amount, CohortTable, Contribution, Value


def contribution(
    X: Any,
    *,
    customer: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    cost: Amount = None,
    cost_to_serve: Amount = None,
    acquisition_cost: Amount = None,
    by: str | npt.ArrayLike | None = None,
    as_of: Any = None,
    **policies: Any,
) -> Contribution:
    """Tell what each customer brings after cost of goods, cost to serve and acquisition.

    Parameters
    ----------
    X : frame
        A transaction log (one row an order line; name its columns), or a summary made by
        ``custvalue.summarize``.
    customer, time, amount : str, optional
        Columns of a log; a summary knows its customer, and its revenue is ``total_value``.
    cost : float or str, optional
        Cost of goods: a share of revenue (0.6 is 60 %), or a column with money. None: 0, or where
        profit is known (``margin`` of a log, ``total_profit`` of a summary): revenue less profit.
    cost_to_serve : float or str, optional
        Money an order, or a column with money; of a log it counts in every row that is not left
        out, also of an order that was returned.
    acquisition_cost : float or str, optional
        Money a customer, or a column with money (in a log: each customer's largest value counts
        once).
    by : str or array-like of shape (n_rows,), optional
        Groups to add up: a column, or one name a row of ``X``. A customer stands in one group.
    as_of : date, datetime or ISO str, optional
        End of observation of a log.
    **policies
        How a log is read, as in :class:`custvalue.data.LogOptions`.

    Returns
    -------
    Contribution
        Customers, orders and revenue are those of ``summarize``: revenue adds up to the ledger's
        amount used.

    Raises
    ------
    DataContractError
        Missing columns or values, all at once; a share of revenue outside [0, 1]; a customer
        without a group, or in two.

    Examples
    --------
    >>> import custvalue as cv
    >>> table = cv.summarize(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                      amount="amount", as_of="1998-06-30")
    >>> found = cv.value.contribution(table, cost=0.6, cost_to_serve=3.0, acquisition_cost=8.0)
    >>> print(found)
    2,349 customers contribute 58,780.78. 879 of them (37%) are below zero and lose ...
    """
    costs: dict[str, Any] = {
        "cost": cost, "cost_to_serve": cost_to_serve, "acquisition_cost": acquisition_cost
    }  # fmt: skip
    if time is None and amount is None and not policies:
        return Contribution.of_summary(X, customer=customer, by=by, **costs)
    if customer is None or time is None or amount is None:
        raise TypeError("a log needs customer=, time= and amount=; a summary none of time, amount.")
    names = {"customer": customer, "time": time, "amount": amount}
    return TransactionLog(X, **names, as_of=as_of, tell_end=True, **policies).contribution(
        by=by, **costs
    )


def cohort_table(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    value: Value = "share",
    **policies: Any,
) -> CohortTable:
    """Count what the customers of each month of first order do in the months after it.

    Parameters
    ----------
    log : frame
        One row an order line.
    customer, time, amount : str
        Its columns. A day with positive net spend is an order.
    as_of : date, datetime or ISO str, optional
        End of observation, whole day included; None takes the log's last day, with a warning.
    value : str, default="share"
        ``"customers"`` with an order in the month, their ``"share"`` of the cohort, ``"orders"``,
        net spend (``"money"``), or the last two divided by the cohort's customers
        (``"orders_each"``, ``"money_each"``).
    **policies
        How the log is read, as in :class:`custvalue.data.LogOptions`; the ledger of the result says
        what they left out.

    Returns
    -------
    CohortTable

    Raises
    ------
    DataContractError
        As in :func:`custvalue.summarize` (refunds need a policy, ``refunds="net_occasion"``), or
        if nothing is left by the as-of date.

    Warns
    -----
    AsOfWarning, DataWarning
        As in :func:`custvalue.summarize`.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.datasets.load_cdnow("sample")
    >>> found = cv.value.cohort_table(log, customer="customer_id", time="date", amount="amount",
    ...                               as_of="1997-04-30", value="customers")
    >>> found.size.tolist()
    [777, 854, 718]
    """
    names = {"customer": customer, "time": time, "amount": amount}
    return TransactionLog(log, **names, as_of=as_of, tell_end=True, **policies).cohorts(value)
