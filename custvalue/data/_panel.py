"""One row a customer-period, from the first purchase on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import TableFacts, with_facts
from custvalue._units import days_per
from custvalue.data._build import build, dates
from custvalue.data._intake import Intake, Ints, take_in, tick_date
from custvalue.data._money import Floats, Money
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


def panel(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    period: Unit = "4W",
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
    """One row a customer and period, from the period of the first purchase on.

    Periods lie on one grid for all customers, and the last of them ends at ``as_of``; the first may
    be longer ago than the log begins.

    Parameters
    ----------
    log, customer, time, amount, as_of
        As in ``summarize``.
    period : span or timedelta, default="4W"
        Length of a period.
    occasion, refunds, zero_amounts, duplicates, invalid, order, margin, cost, time_format, \
time_zone
        As in ``summarize``.

    Returns
    -------
    frame of the same kind, sorted by customer, then period
        ``<customer>``, ``period`` (0 = first of the grid), ``period_end`` (its last day), ``age``
        (0 in the period of the first purchase); of the period: ``orders``, ``spend``, ``profit``
        (spend unless ``margin`` or ``cost`` is given); and as known at its end: ``silence`` (whole
        periods since the last purchase, 0 = bought in this one), ``n_orders``, ``total_value``,
        ``mean_value``, and in periods, as in ``summarize``, ``frequency``, ``recency``, ``T``.

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
    name = unit_name(period)
    rows = take_in(log, options, as_of)
    occasions, book = fold(rows, options)
    length = days_per(name) * DAY / options.grain
    if length < 1:
        raise ValueError(f"period={period!r} is shorter than one occasion, {occasion!r}.")
    repeats, columns = panel_columns(occasions, rows, options, length)
    table = build(log, customer, rows.take_ids(np.repeat(occasions.row, repeats)), columns)
    facts = TableFacts(
        kind="panel",
        customer=customer,
        unit=name,
        as_of=tick_date(rows.as_of, options.grain),
        period=name,
        ledger=book.to_dict(),
        extra={"occasion_seconds": options.grain},
    )
    return with_facts(table, facts)


def panel_columns(
    occasions: Occasions, rows: Intake, options: LogOptions, length: float
) -> tuple[Ints, dict[str, npt.NDArray[Any]]]:
    """Rows of each customer, and every column but the id; ``length`` is ticks in a period."""
    tick, start, n = occasions.tick, occasions.start, occasions.size
    if not len(start):
        return n, _empty()
    back = _periods_back(tick, rows.as_of, length)
    last_period = int(back.max())
    period = last_period - back
    # a cell is a customer's period with at least one occasion
    new = np.empty(len(tick), dtype=bool)
    new[0] = True
    np.not_equal(period[1:], period[:-1], out=new[1:])
    new[start] = True
    cell = np.flatnonzero(new)
    cell_period = period[cell]
    cell_orders = np.diff(cell, append=len(tick))
    cell_last = tick[cell + cell_orders - 1]
    head = np.searchsorted(cell, start)  # each customer's first cell
    cells = np.diff(head, append=len(cell))

    repeats = last_period + 1 - period[start]
    offset = np.cumsum(repeats) - repeats
    age = np.arange(int(repeats.sum()))
    age -= np.repeat(offset, repeats)
    at = cell_period - np.repeat(period[start] - offset, cells)
    held = np.diff(at, append=len(age))  # rows that a cell's running figures last

    made: dict[str, npt.NDArray[Any]] = {"orders": np.zeros(len(age), dtype=np.int64)}
    made["orders"][at] = cell_orders
    spend_of_cell = np.add.reduceat(occasions.spend, cell)
    made["spend"] = _scatter(spend_of_cell, rows.money, at, len(age))
    if occasions.profit is not None and rows.profit is not None:
        gain = np.add.reduceat(occasions.profit, cell)
        made["profit"] = _scatter(gain, rows.profit, at, len(age))
    else:
        made["profit"] = made["spend"].copy()

    orders_by = np.cumsum(cell_orders)
    orders_by -= np.repeat(orders_by[head] - cell_orders[head], cells)
    total = rows.money.worth(_running(spend_of_cell, head, cells, rows.money.exact))
    age_period = age + np.repeat(period[start], repeats)
    end = rows.as_of - np.ceil((last_period - age_period) * length - 1e-9).astype(np.int64)
    first = tick[start]
    known_from = np.repeat(first, repeats)
    columns = {
        "period": age_period,
        "period_end": dates(end, options.grain),
        "age": age,
        **made,
        "silence": age_period - np.repeat(cell_period, held),
        "n_orders": np.repeat(orders_by, held),
        "total_value": np.repeat(total, held),
        "mean_value": np.repeat(total / orders_by, held),
        "frequency": np.repeat(orders_by - 1.0, held),
        "recency": np.repeat((cell_last - np.repeat(first, cells)) / length, held),
        "T": (end - known_from) / length,
    }
    return repeats, columns


def _periods_back(tick: Ints, as_of: int, length: float) -> Ints:
    """Whole periods between each tick's period and the last one, which ends with ``as_of``."""
    back = as_of - tick
    if length == int(length):
        back //= int(length)
        return back
    return np.floor(back / length + 1e-9).astype(np.int64)


def _scatter(values: Floats, money: Money, at: Ints, size: int) -> Floats:
    out = np.zeros(size)
    out[at] = money.worth(values.copy())
    return out


def _running(values: Floats, head: Ints, cells: Ints, exact: bool) -> Floats:
    """Sum up within each customer, keeping every step."""
    if exact:  # whole numbers: one running sum over all customers loses nothing
        total = np.cumsum(values)
        total -= np.repeat(total[head] - values[head], cells)
        return total
    # a sum over all customers would leave a whale's rounding error in everybody after it
    out = values.copy()
    for step in range(1, int(cells.max())):
        at = head[cells > step] + step
        out[at] += out[at - 1]
    return out


def _empty() -> dict[str, npt.NDArray[Any]]:
    whole = ("period", "age", "orders", "silence", "n_orders")
    names = ["period", "period_end", "age", "orders", "spend", "profit", "silence", "n_orders"]
    names += ["total_value", "mean_value", "frequency", "recency", "T"]
    return {
        name: np.empty(
            0,
            dtype="datetime64[us]"
            if name == "period_end"
            else np.int64
            if name in whole
            else np.float64,
        )
        for name in names
    }
