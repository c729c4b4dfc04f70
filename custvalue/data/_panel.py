"""One row a customer-period, from the first purchase on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import TableFacts, with_facts
from custvalue._typing import ByName, Floats, Ints
from custvalue._units import days_per
from custvalue.data._build import build_table, dates
from custvalue.data._far_dates import Alone
from custvalue.data._intake import Intake, take_in
from custvalue.data._ledger import RowLedger
from custvalue.data._money import Money, sums
from custvalue.data._occasions import Folded, Occasions, fold
from custvalue.data._options import DAY, LogOptions
from custvalue.data._summary import LOG_UNIT, log_of_gaps, tell_log_start
from custvalue.data._times import End
from custvalue.exceptions import ContractProblem, DataContractError

# a row takes a hundred bytes; a million customers over five years are 40 million rows
MOST_ROWS = 200_000_000
MOST_ROWS_ODD = 5_000_000  # where dates look wrong
MOST_PERIODS = 5_000


def panel_columns(
    folded: Folded,
    rows: Intake,
    options: LogOptions,
    length: float,
    grid_start: int | None = None,
) -> tuple[Ints, ByName]:
    """Count each customer's rows, make every column but the id; ``length``: ticks in a period."""
    earliest = folded.first if grid_start is None else grid_start
    if not folded.parts or earliest is None:
        return np.empty(0, dtype=np.int64), _empty(0)
    last_period = int(periods_back(np.array([earliest]), rows.as_of, length)[0])
    repeats = [periods_back(p.tick[p.start], rows.as_of, length) + 1 for p in folded.parts]
    counts = [int(count.sum()) for count in repeats]
    check_panel_rows(sum(counts), last_period + 1, rows.alone, rows.end)
    columns = _empty(sum(counts))
    folded.fill(columns, counts, lambda part: _figures(part, rows, options, length, last_period))
    return np.concatenate(repeats), columns


def check_panel_rows(rows: int, periods: int, odd: Alone | None, end: End) -> None:
    """Refuse a panel that takes the machine, before it is made.

    Raises
    ------
    DataContractError
        Saying how many rows it would have, and which dates make it so long.
    """
    why = f"rows up to {end.date}" if odd is None else str(odd)
    if rows > (MOST_ROWS if odd is None and periods < MOST_PERIODS else MOST_ROWS_ODD):
        raise DataContractError(
            ContractProblem(
                "panel-too-long",
                f"the panel would have {rows:,} rows in {periods:,} periods ({why})",
                "Correct the dates, or give an earlier as_of or a longer period.",
            )
        )


def _figures(
    occasions: Occasions, rows: Intake, options: LogOptions, length: float, last_period: int
) -> ByName:
    """Columns of some customers; ``last_period`` is the grid's last."""
    tick, start = occasions.tick, occasions.start
    period = last_period - periods_back(tick, rows.as_of, length)
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

    made: ByName = {"orders": np.zeros(len(age), dtype=np.int64)}
    made["orders"][at] = cell_orders
    spend_of_cell = sums(occasions.spend, cell)
    made["spend"] = _scatter(spend_of_cell, rows.money, at, len(age))
    if occasions.profit is not None and rows.profit is not None:
        gain = sums(occasions.profit, cell)
        made["profit"] = _scatter(gain, rows.profit, at, len(age))
    else:
        made["profit"] = made["spend"].copy()

    gap = np.diff(tick, prepend=tick[0])
    gap[start] = 0
    logs = _running(np.add.reduceat(log_of_gaps(gap), cell), head, cells)
    orders_by = np.cumsum(cell_orders)
    orders_by -= np.repeat(orders_by[head] - cell_orders[head], cells)
    total = rows.money.worth(_running(spend_of_cell, head, cells))
    age_period = age + np.repeat(period[start], repeats)
    end = rows.as_of - np.ceil((last_period - age_period) * length - 1e-9).astype(np.int64)
    first = tick[start]
    known_from = np.repeat(first, repeats)
    return {
        "period": age_period,
        "period_end": last_days(end, rows.end),
        "age": age,
        **made,
        "silence": age_period - np.repeat(cell_period, held),
        "n_orders": np.repeat(orders_by, held),
        "total_value": np.repeat(total, held),
        "mean_value": np.repeat(total / orders_by, held),
        "frequency": np.repeat(orders_by - 1.0, held),
        "recency": np.repeat((cell_last - np.repeat(first, cells)) / length, held),
        "T": (end - known_from) / length,
        "litt": np.repeat(logs / LOG_UNIT - (orders_by - 1.0) * np.log(length), held),
        "first_order": dates(known_from, options.grain),
    }


def last_days(tick: Ints, end: End) -> npt.NDArray[np.datetime64]:
    """Last day of each tick that is seen (its start where it is shorter than a day)."""
    if end.grain <= DAY:
        return dates(tick, end.grain)
    sunday = dates(tick + 1, end.grain) - np.timedelta64(1, "D")
    return np.minimum(sunday, end.day())


def periods_back(tick: Ints, as_of: int, length: float) -> Ints:
    """Whole periods between each tick's period and the last one, which ends with ``as_of``."""
    back = as_of - tick
    if length == int(length):
        back //= int(length)
        return back
    return np.floor(back / length + 1e-9).astype(np.int64)


def _scatter(values: Ints | Floats, money: Money, at: Ints, size: int) -> Floats:
    out = np.zeros(size)
    out[at] = money.worth(values)
    return out


def _running(values: npt.NDArray[Any], head: Ints, cells: Ints) -> npt.NDArray[Any]:
    """Sum up within each customer, keeping every step."""
    if values.dtype.kind == "i":  # whole numbers: one running sum over all customers loses nothing
        total = np.cumsum(values)
        total -= np.repeat(total[head] - values[head], cells)
        return total
    # a sum over all customers would leave a whale's rounding error in everybody after it
    out = values.copy()
    for step in range(1, int(cells.max())):
        at = head[cells > step] + step
        out[at] += out[at - 1]
    return out


def panel_names() -> list[str]:
    """Names of a panel's columns after the id."""
    names = ["period", "period_end", "age", "orders", "spend", "profit", "silence", "n_orders"]
    return [*names, "total_value", "mean_value", "frequency", "recency", "T", "litt", "first_order"]


def _empty(size: int) -> ByName:
    whole = ("period", "age", "orders", "silence", "n_orders")
    when = ("period_end", "first_order")
    return {
        name: np.empty(
            size,
            dtype="datetime64[us]" if name in when else np.int64 if name in whole else np.float64,
        )
        for name in panel_names()
    }


def panel_eager(
    log: Any,
    options: LogOptions,
    as_of: Any,
    period: str,
    *,
    quiet: bool = False,
    start: bool | None = None,
    codes: Ints | None = None,
    grid_start: int | None = None,
) -> Any:
    """Make the panel of a log in memory.

    ``start``: say where it begins in the middle (if not quiet). ``grid_start`` is a tick in the
    grid's first period, where the log is part of a longer one.
    """
    length = ticks_in(period, options)
    rows = take_in(log, options, as_of, quiet=quiet, codes=codes)
    money = rows.money_facts()
    folded, book = fold(rows, options)
    if not quiet if start is None else start:
        tell_log_start(folded, rows, options)
    repeats, columns = panel_columns(folded, rows, options, length, grid_start)
    ids = rows.ids(np.repeat(folded.code, repeats))
    table = build_table(log, options.customer, ids, columns)
    return with_facts(table, panel_facts(options, period, rows.end, book, money))


def ticks_in(period: str, options: LogOptions) -> float:
    """Occasions' grains in one period.

    Raises
    ------
    ValueError
        If there is less than one.
    """
    length = days_per(period) * DAY / options.grain
    if length < 1:
        raise ValueError(f"period={period!r} is shorter than one occasion, {options.occasion!r}.")
    return length


def panel_facts(
    options: LogOptions, period: str, end: End, book: RowLedger, money: list[list[float] | None]
) -> TableFacts:
    """Write down what a panel says of itself."""
    return TableFacts(
        kind="panel",
        customer=options.customer,
        unit=period,
        as_of=end.date,
        period=period,
        ledger=book.to_dict(),
        extra={"rules": options.rules, "money": money},
    )
