"""The door's everyday calls as functions: one line each over `TransactionLog`."""

from __future__ import annotations

from typing import Any

from custvalue._units import Span
from custvalue.data._log import TransactionLog
from custvalue.data._options import Unit, names_policies
from custvalue.data._split import DateSplit


@names_policies
def summarize(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    unit: Unit = "D",
    **policies: Any,
) -> Any:
    """One row a customer from a transaction log.

    All net spend of a customer within one ``occasion`` (a calendar day unless said otherwise) is
    one purchase occasion; an occasion counts if its net spend is positive.

    Parameters
    ----------
    log : frame
        One row an order or order line: pandas, polars (eager or lazy), pyarrow, a DuckDB relation,
        Dask or PySpark. The result is of the same kind, lazy where the log is.
    customer, time, amount, as_of, unit
        As in :class:`TransactionLog`, whose method this is.
    **policies
        How the log is read, as in :class:`LogOptions`.

    Returns
    -------
    frame of the same kind, one row a customer, sorted by customer where it is in memory
        ``<customer>`` (as in the log), ``frequency`` (repeat occasions), ``recency`` (first to last
        occasion), ``T`` (first occasion to ``as_of``), ``silence`` (last occasion to ``as_of``),
        ``monetary_value`` (mean spend of repeat occasions, missing where there is none),
        ``n_orders``, ``total_value``, ``mean_value``, ``n_gaps``, ``gap_mean``, ``gap_max``,
        ``gap_sum``, ``gap_std`` (population standard deviation), ``n_gaps_shorter`` (own gaps not
        longer than the silence), ``litt`` (sum of the natural logs of the gaps), ``first_order``,
        ``last_order``; with ``margin``, ``cost`` or ``profit`` also ``total_profit``, with ``keep``
        also those columns of the log. Gap figures are missing where there is no gap; sums are 0.
        Its ``ledger`` and its facts (unit, as-of date) travel with it.

    Raises
    ------
    DataContractError
        With all problems of the call: missing columns, refunds under ``refunds="error"``, times
        that are no dates, mixed time zones, amounts that are no numbers.
    ValueError
        If a policy has an unknown value, or policies contradict each other.

    Warns
    -----
    AsOfWarning
        If ``as_of`` is not given.
    DataWarning
        If rows are left out because they cannot be used.

    Notes
    -----
    Money is exact to the cent: decimal amounts of at most four digits behind the point are added as
    whole numbers, so a total does not depend on the order of rows (``custvalue.data``'s money page
    states the bounds).

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({
    ...     "who": ["ann", "ann", "ann", "bob"],
    ...     "when": pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-11", "2024-02-01"]),
    ...     "paid": [10.0, 20.0, 5.0, 8.0],
    ... })
    >>> table = cv.summarize(log, customer="who", time="when", amount="paid", as_of="2024-03-01")
    >>> table[["who", "frequency", "recency", "T", "silence", "monetary_value", "total_value"]]
       who  frequency  recency     T  silence  monetary_value  total_value
    0  ann          1     10.0  60.0     50.0            25.0         35.0
    1  bob          0      0.0  29.0     29.0             NaN          8.0
    """
    names = {"customer": customer, "time": time, "amount": amount}
    return TransactionLog(log, **names, as_of=as_of, unit=unit, tell_end=True, **policies).summary()


@names_policies
def panel(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    period: Unit = "4W",
    **policies: Any,
) -> Any:
    """One row a customer and period, from the period of the first purchase on.

    Periods lie on one grid for all customers, and the last of them ends at ``as_of``; the first may
    be longer ago than the log begins.

    Parameters
    ----------
    log, customer, time, amount, as_of
        As in ``summarize``.
    period : span or timedelta, default="4W"
        Length of a period.
    **policies
        As in :class:`LogOptions`.

    Returns
    -------
    frame of the same kind, sorted by customer, then period where it is in memory
        ``<customer>``, ``period`` (0 = first of the grid), ``period_end`` (its last day), ``age``
        (0 in the period of the first purchase); of the period: ``orders``, ``spend``, ``profit``
        (spend unless ``margin``, ``cost`` or ``profit`` is given); and as known at its end:
        ``silence`` (whole periods since the last purchase, 0 = bought in this one), ``n_orders``,
        ``total_value``, ``mean_value``, ``frequency``, and in periods, as in ``summarize``,
        ``recency``, ``T``, ``litt``; and ``first_order``, a date.

    Raises
    ------
    DataContractError
        As in ``summarize``.

    Warns
    -----
    AsOfWarning, DataWarning
        As in ``summarize``.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({
    ...     "who": ["ann", "ann", "bob"],
    ...     "when": pd.to_datetime(["2024-01-03", "2024-01-17", "2024-01-16"]),
    ...     "paid": [10.0, 20.0, 8.0],
    ... })
    >>> rows = cv.panel(log, customer="who", time="when", amount="paid", as_of="2024-01-21",
    ...                 period="1W")
    >>> rows[["who", "period", "age", "orders", "spend", "silence", "total_value"]]
       who  period  age  orders  spend  silence  total_value
    0  ann       0    0       1   10.0        0         10.0
    1  ann       1    1       0    0.0        1         10.0
    2  ann       2    2       1   20.0        0         30.0
    3  bob       2    0       1    8.0        0          8.0
    """
    names = {"customer": customer, "time": time, "amount": amount}
    return TransactionLog(log, **names, as_of=as_of, tell_end=True, **policies).panel(period)


@names_policies
def split_by_date(
    log: Any,
    cutoff: Any,
    horizon: Span,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    unit: Unit = "D",
    **policies: Any,
) -> DateSplit:
    """Split a log at a date: the summary known then, and what each customer did next.

    Both sides count occasions by the same rule. The known side sees nothing after the cutoff, not
    even the refund of an earlier order.

    Parameters
    ----------
    log, customer, time, amount
        As in ``summarize``.
    cutoff : date, datetime or ISO str
        Last day that is known.
    horizon : span or timedelta
        Length of what comes next, e.g. ``"39W"``; the day after the cutoff is its first.
    as_of : date, datetime or ISO str, optional
        How far the log was observed. If the horizon reaches further, that is an error; without
        ``as_of`` it is a warning when the last order lies before the horizon's end.
    unit
        As in :class:`TransactionLog`.
    **policies
        As in :class:`LogOptions`.

    Returns
    -------
    DateSplit
        ``known``, ``future`` (same customers, same order) and ``new``.

    Raises
    ------
    DataContractError
        As in ``summarize``; and if the horizon ends after ``as_of``.
    TimeUnitError
        If ``horizon`` has no unit.

    Warns
    -----
    AsOfWarning
        If ``as_of`` is not given and the log may end before the horizon does.
    DataWarning
        As in ``summarize``.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({
    ...     "who": ["ann", "ann", "bob", "cid"],
    ...     "when": pd.to_datetime(["2024-01-01", "2024-03-01", "2024-01-05", "2024-03-31"]),
    ...     "paid": [10.0, 20.0, 8.0, 5.0],
    ... })
    >>> parts = cv.split_by_date(log, "2024-01-31", "60D", customer="who", time="when",
    ...                          amount="paid", as_of="2024-03-31")
    >>> parts.future
       who  orders  spend
    0  ann       1   20.0
    1  bob       0    0.0
    >>> parts.new["who"].tolist()
    ['cid']
    """
    names = {"customer": customer, "time": time, "amount": amount}
    return TransactionLog(log, **names, as_of=as_of, unit=unit, tell_end=True, **policies).split(
        cutoff, horizon
    )


@names_policies
def occasions(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    **policies: Any,
) -> Any:
    """One row a purchase occasion, read from the log as ``summarize`` reads it.

    Parameters
    ----------
    log : frame
        As in ``summarize``; lazy and distributed tables are collected.
    customer, time, amount, as_of
        As in ``summarize``.
    **policies
        As in :class:`LogOptions`.

    Returns
    -------
    frame of the same kind, sorted by customer, then date
        ``<customer>``, ``date`` (start of the occasion), ``spend`` (net), and with ``margin``,
        ``cost`` or ``profit`` ``profit``. Its ledger travels with it.

    Raises
    ------
    DataContractError
        As in ``summarize``.

    Warns
    -----
    AsOfWarning, DataWarning
        As in ``summarize``.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({"who": ["ann", "ann", "bob"], "paid": [10.0, 20.0, 8.0],
    ...                     "when": ["2024-01-03", "2024-01-03", "2024-01-16"]})
    >>> cv.data.occasions(log, customer="who", time="when", amount="paid", as_of="2024-01-31")
       who       date  spend
    0  ann 2024-01-03   30.0
    1  bob 2024-01-16    8.0
    """
    names = {"customer": customer, "time": time, "amount": amount}
    return TransactionLog(log, **names, as_of=as_of, tell_end=True, **policies).occasions()
