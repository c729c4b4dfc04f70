"""One row a customer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import TableFacts, with_facts
from custvalue._units import days_per
from custvalue.data._build import build, dates
from custvalue.data._intake import Intake, take_in, tick_date
from custvalue.data._ledger import RowLedger
from custvalue.data._occasions import Occasions, fold
from custvalue.data._options import (
    DAY,
    Duplicates,
    Invalid,
    LogOptions,
    Refunds,
    Unit,
    ZeroAmounts,
    unit_name,
)

Columns = dict[str, npt.NDArray[Any]]


def summarize(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    unit: Unit = "D",
    occasion: Any = "1d",
    refunds: Refunds = "error",
    zero_amounts: ZeroAmounts = "drop",
    duplicates: Duplicates = "keep",
    invalid: Invalid = "drop",
    order: str | None = None,
    margin: float | str | None = None,
    cost: str | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
) -> Any:
    """One row a customer from a transaction log.

    All net spend of a customer within one ``occasion`` (a calendar day unless said otherwise) is
    one purchase occasion; an occasion counts if its net spend is positive.

    Parameters
    ----------
    log : frame
        One row an order or order line. pandas, polars or pyarrow.
    customer, time, amount : str
        Names of the columns with the customer's id (any kind), the time and the money.
    as_of : date, datetime or ISO str, optional
        End of observation, read at the grain of ``occasion``: its whole day is seen, later rows are
        not. Without it the last order's date is used, with a warning.
    unit : {"D", "W", "M", "Y"}, span or timedelta, default="D"
        Unit of all times. A month is 365.25/12 days, a year 365.25 days.
    occasion : str or timedelta, default="1d"
        Grain of time within which rows are one purchase: days, weeks, or a part that divides a day.
    refunds : {"error", "net_occasion", "net_order", "drop"}, default="error"
        Negative amounts: refuse; net within the occasion; net within the order given by ``order``;
        leave out.
    zero_amounts : {"drop", "keep"}, default="drop"
        Whether a row of amount zero is left out, or makes an occasion.
    duplicates : {"keep", "drop", "error"}, default="keep"
        Rows that repeat an earlier one in every column of the log.
    invalid : {"drop", "error"}, default="drop"
        Rows without a customer, a readable time or a finite amount: left out with a warning that
        counts them, or refused.
    order : str, optional
        Column with the order's id, for ``refunds="net_order"``.
    margin : float or str, optional
        Share of the amount that is profit, or the column that has it. Adds ``total_profit``.
    cost : str, optional
        Column with the cost of the row; profit is amount less cost. Adds ``total_profit``.
    time_format : str, optional
        How to read times that are text and not ISO 8601, e.g. ``"%d/%m/%Y"``.
    time_zone : str, optional
        Zone in which days are cut, where times have a zone; without it their own.

    Returns
    -------
    frame of the same kind, one row a customer, sorted by customer
        ``<customer>`` (as in the log), ``frequency`` (repeat occasions), ``recency`` (first to last
        occasion), ``T`` (first occasion to ``as_of``), ``silence`` (last occasion to ``as_of``),
        ``monetary_value`` (mean spend of repeat occasions, missing where there is none),
        ``n_orders``, ``total_value``, ``mean_value``, ``n_gaps``, ``gap_mean``, ``gap_max``,
        ``gap_sum``, ``gap_std`` (population standard deviation), ``n_gaps_shorter`` (own gaps not
        longer than the silence), ``first_order``, ``last_order``; with ``margin`` or ``cost`` also
        ``total_profit``. Gap figures are missing where there is no gap. Its ``ledger`` and its
        facts (unit, as-of date) travel with it.

    Raises
    ------
    DataContractError
        With all problems of the call: missing columns, refunds under ``refunds="error"``, times
        that are no dates, mixed time zones, amounts that are no numbers.
    ValueError
        If an option is unknown or options contradict each other.

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
    options = LogOptions(
        customer=customer,
        time=time,
        amount=amount,
        occasion=occasion,
        refunds=refunds,
        zero_amounts=zero_amounts,
        duplicates=duplicates,
        invalid=invalid,
        order=order,
        margin=margin,
        cost=cost,
        time_format=time_format,
        time_zone=time_zone,
    )
    name = unit_name(unit)
    rows = take_in(log, options, as_of)
    occasions, book = fold(rows, options)
    columns = summary_columns(occasions, rows, options, days_per(name))
    table = build(log, customer, rows.take_ids(occasions.row), columns)
    return with_facts(table, summary_facts(options, name, rows.as_of, book))


def summary_facts(options: LogOptions, unit: str, as_of: int, book: RowLedger) -> TableFacts:
    """Write down what a summary says of itself."""
    return TableFacts(
        kind="summary",
        customer=options.customer,
        unit=unit,
        as_of=tick_date(as_of, options.grain),
        ledger=book.to_dict(),
        extra={"occasion_seconds": options.grain},
    )


def summary_columns(
    occasions: Occasions, rows: Intake, options: LogOptions, days: float
) -> Columns:
    """Every column but the id, as arrays of shape (n_customers,)."""
    tick, start = occasions.tick, occasions.start
    if not len(start):
        return _empty(options)
    n = occasions.size
    last_at = start + n - 1
    first, last = tick[start], tick[last_at]
    per_tick = options.grain / DAY / days
    silent = rows.as_of - last

    gap = np.empty(len(tick), dtype=np.int64)
    np.subtract(tick[1:], tick[:-1], out=gap[1:])
    gap[start] = 0  # a first occasion ends no gap
    gap_max = np.maximum.reduceat(gap, start)
    shorter = np.add.reduceat(gap <= np.repeat(silent, n), start, dtype=np.int64)
    shorter -= silent >= 0  # the zero that stands for the first occasion
    n_gaps = n - 1
    one = n_gaps == 0
    some = np.maximum(n_gaps, 1)
    gap_sum = last - first
    gap_mean = gap_sum / some
    gap_std = _gap_std(gap, start, n, gap_sum, gap_max, some)

    spend = occasions.spend
    first_spend = spend[start]
    spend = spend.copy()
    spend[start] = 0.0
    repeat_spend = np.add.reduceat(spend, start)
    money = rows.money
    total = money.worth(first_spend + repeat_spend)
    repeat_mean = money.worth(repeat_spend)
    repeat_mean /= some
    for values in (repeat_mean, gap_mean, gap_std):
        values[one] = np.nan
    longest = gap_max * per_tick
    longest[one] = np.nan
    columns: Columns = {
        "frequency": n_gaps,
        "recency": gap_sum * per_tick,
        "T": (rows.as_of - first) * per_tick,
        "silence": silent * per_tick,
        "monetary_value": repeat_mean,
        "n_orders": n,
        "total_value": total,
        "mean_value": total / n,
        "n_gaps": n_gaps,
        "gap_mean": gap_mean * per_tick,
        "gap_max": longest,
        "gap_sum": gap_sum * per_tick,
        "gap_std": gap_std * per_tick,
        "n_gaps_shorter": shorter,
        "first_order": dates(first, options.grain),
        "last_order": dates(last, options.grain),
    }
    if occasions.profit is not None and rows.profit is not None:
        columns["total_profit"] = rows.profit.worth(np.add.reduceat(occasions.profit, start))
    return columns


def _gap_std(
    gap: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
    n: npt.NDArray[np.int64],
    gap_sum: npt.NDArray[np.int64],
    gap_max: npt.NDArray[np.int64],
    some: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Spread of each customer's gaps in ticks: the population standard deviation."""
    if float(gap_max.max()) ** 2 * float(n.max()) ** 2 < 2.0**62:
        # whole numbers: n * sum of squares - square of the sum is exact
        squares = np.add.reduceat(np.multiply(gap, gap, out=gap), start)
        squares *= some
        squares -= gap_sum * gap_sum
        return np.sqrt(squares) / some
    away = gap - np.repeat(gap_sum / some, n)
    away[start] = 0.0
    return np.sqrt(np.add.reduceat(np.square(away, out=away), start) / some)


def _empty(options: LogOptions) -> Columns:
    whole = {"frequency", "n_orders", "n_gaps", "n_gaps_shorter"}
    when = {"first_order", "last_order"}
    return {
        name: np.empty(
            0,
            dtype=np.int64 if name in whole else "datetime64[us]" if name in when else np.float64,
        )
        for name in summary_names(options)
    }


def summary_names(options: LogOptions) -> list[str]:
    """Names of a summary's columns after the id."""
    names = [
        "frequency",
        "recency",
        "T",
        "silence",
        "monetary_value",
        "n_orders",
        "total_value",
        "mean_value",
        "n_gaps",
        "gap_mean",
        "gap_max",
        "gap_sum",
        "gap_std",
        "n_gaps_shorter",
        "first_order",
        "last_order",
    ]
    return [*names, "total_profit"] if options.has_profit else names
