"""One row a customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import TableFacts, with_facts
from custvalue._log_start import START_SEEN, warn_of_old_customers
from custvalue._typing import ByName, Floats, Ints, Mask
from custvalue._units import days_per
from custvalue.data._build import build_table, dates
from custvalue.data._carried import GAPS, GapLists
from custvalue.data._columns import DTYPES, SUMMARY, SUMMARY_NAMES, CustomerFigures
from custvalue.data._intake import Intake, take_in
from custvalue.data._keep import last_rows
from custvalue.data._ledger import RowLedger
from custvalue.data._money import sums
from custvalue.data._occasions import Folded, Occasions, fold
from custvalue.data._options import DAY, LogOptions, refuse_reserved
from custvalue.data._times import End

LOG_UNIT = 2.0**36  # of a whole number that stands for a log


def summary_facts(
    options: LogOptions,
    unit: str,
    end: End,
    book: RowLedger,
    money: list[list[float] | None],
    **extra: Any,
) -> TableFacts:
    """Write down what a summary says of itself."""
    return TableFacts(
        kind="summary",
        customer=options.customer,
        unit=unit,
        as_of=end.date,
        ledger=book.to_dict(),
        extra={"rules": options.rules, "money": money, **extra},
    )


def summary_columns(folded: Folded, rows: Intake, options: LogOptions, days: float) -> ByName:
    """Every column but the id, as arrays of shape (n_customers,)."""
    counts = [len(part.start) for part in folded.parts]
    columns = _empty(options, sum(counts))
    folded.fill(columns, counts, lambda part: _figures(part, rows, options, days))
    return columns


def _figures(occasions: Occasions, rows: Intake, options: LogOptions, days: float) -> ByName:
    """Columns of some customers."""
    tick, start = occasions.tick, occasions.start
    n = occasions.size
    last_at = start + n - 1
    first, last = tick[start], tick[last_at]
    per_tick = options.grain / DAY / days
    silent = rows.as_of - last

    gap = np.empty(len(tick), dtype=np.int64)
    np.subtract(tick[1:], tick[:-1], out=gap[1:])
    gap[start] = 0  # a first occasion ends no gap
    gap_max = np.maximum.reduceat(gap, start)
    within = gap <= np.repeat(silent, n)
    shorter = _counts(within, last_at)
    shorter -= silent >= 0  # the zero that stands for the first occasion
    logs = np.add.reduceat(log_of_gaps(gap), start)
    n_gaps = n - 1
    one = n_gaps == 0
    some = np.maximum(n_gaps, 1)
    gap_sum = last - first
    gap_std = _gap_std_in_place(gap, start, n, gap_sum, gap_max, some)

    money, spend = rows.money, occasions.spend
    first_spend = spend[start]
    if money.exact:
        repeat_spend = sums(spend, start) - first_spend
    else:  # a first order that dwarfs the rest must not take their digits with it
        spend = spend.copy()
        spend[start] = 0.0
        repeat_spend = sums(spend, start)

    def nan_in_place(values: Floats) -> Floats:
        values[one] = np.nan
        return values

    figures = CustomerFigures(
        n=n,
        gaps=n_gaps,
        size=n,
        ratio=some,
        first=first,
        last=last,
        span=gap_sum,
        silent=silent,
        age=rows.as_of - first,
        longest=gap_max,
        spread=gap_std,
        shorter=shorter,
        logs=logs / LOG_UNIT,
        total=money.worth(first_spend + repeat_spend),
        repeat=money.worth(repeat_spend),
        per_tick=per_tick,
        where_gaps=nan_in_place,
        date=lambda tick: dates(tick, options.grain),
    )
    columns: ByName = {column.name: column.of(figures) for column in SUMMARY}
    if occasions.profit is not None and rows.profit is not None:
        columns["total_profit"] = rows.profit.worth(sums(occasions.profit, start))
    return columns


def log_of_gaps(gap: Ints) -> Ints:
    """Natural logs of gaps in ticks, 0 where there is none, in whole 2^-36: exact to add up."""
    longest = int(gap.max(initial=0))
    if longest < len(gap):  # from a table where gaps are short
        table = np.arange(longest + 1.0)
        table[0] = 1.0
        return _whole_logs(table)[gap]
    return _whole_logs(np.maximum(gap, 1).astype(np.float64))


def _whole_logs(gap: Floats) -> Ints:
    return np.rint(np.log(gap) * LOG_UNIT).astype(np.int64)


def _counts(flags: npt.NDArray[np.bool_], last_at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many flags each customer's run has, which ends at ``last_at``."""
    counts = np.cumsum(flags, dtype=np.int64)[last_at]
    counts[1:] -= counts[:-1].copy()
    return counts


def _gap_std_in_place(
    gap: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
    n: npt.NDArray[np.int64],
    gap_sum: npt.NDArray[np.int64],
    gap_max: npt.NDArray[np.int64],
    some: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Spread of each customer's gaps in ticks: the population standard deviation.

    Which way it is computed depends on the customer's own gaps alone.
    """
    long = ~exact_squares(n, gap_max)
    if long.any():
        wide = wide_spread(gap, start, n, gap_sum)
    np.multiply(gap, gap, out=gap)
    # sums that run over wrap around, and so do their differences, back to what they should be
    squares = np.cumsum(gap, out=gap)[start + n - 1]
    squares[1:] -= squares[:-1].copy()
    if not long.any():
        return spread_of(squares, gap_sum, some)
    return np.where(
        long, wide, spread_of(np.where(long, 0, squares), np.where(long, 0, gap_sum), some)
    )


def wide_spread(gap: Ints, start: Ints, n: Ints, gap_sum: Ints) -> Floats:
    """Spread of gaps whose squares are too large for whole numbers."""
    some = np.maximum(n - 1, 1)
    away = gap - np.repeat(gap_sum / some, n)
    away[start] = 0.0
    return np.sqrt(np.add.reduceat(np.square(away, out=away), start) / some)


def exact_squares(n: Ints, gap_max: Ints) -> Mask:
    """Whether n times the sum of n squares of gaps is a whole number that 64 bits hold."""
    return np.square(n * gap_max.astype(np.float64)) < 2.0**62


def spread_of(squares: Ints, gap_sum: Ints, some: Ints) -> Floats:
    """Spread of gaps by their sums: n * sum of squares - square of the sum, exact but the root."""
    return np.sqrt(some * squares - gap_sum * gap_sum) / some


def _empty(options: LogOptions, size: int) -> ByName:
    dtypes = {column.name: DTYPES[column.kind] for column in SUMMARY}
    return {
        name: np.empty(size, dtype=dtypes.get(name, "float64")) for name in summary_names(options)
    }


def summary_names(options: LogOptions) -> list[str]:
    """Names of a summary's columns after the id."""
    return [*SUMMARY_NAMES, *(["total_profit"] if options.has_profit else [])]


def refuse_lost(options: LogOptions, made: Sequence[str]) -> None:
    """Raise where the customer column or a kept one would be lost among the columns made."""
    made = [*made, GAPS] if options.carry else made
    refuse_reserved(options.customer, made)
    for name in options.keep:
        refuse_reserved(name, [*made, options.customer], what="a kept column")


def summarize_eager(
    log: Any,
    options: LogOptions,
    as_of: Any,
    unit: str,
    *,
    quiet: bool = False,
    start: bool | None = None,
    codes: Ints | None = None,
) -> Any:
    """Summarize a log in memory; ``start``: say where it begins in the middle (if not quiet)."""
    rows = take_in(log, options, as_of, quiet=quiet, codes=codes)
    return summary_of(log, rows, options, unit, start=not quiet if start is None else start)[0]


def tell_log_start(folded: Folded, rows: Intake, options: LogOptions) -> None:
    """Warn where the first orders say that the log begins in the middle of the shop's life."""
    first = [part.tick[part.start] for part in folded.parts]
    if first:
        days = (rows.as_of - np.concatenate(first)) * (options.grain / DAY)
        warn_of_old_customers(days.astype(np.float64, copy=False))


def summary_of(
    log: Any, rows: Intake, options: LogOptions, unit: str, *, start: bool
) -> tuple[Any, Folded]:
    """Summary of the rows that were taken in, which are given up, and their occasions."""
    kept, money = last_rows(rows), rows.money_facts()
    folded, book = fold(rows, options)
    if start:
        tell_log_start(folded, rows, options)
    columns = summary_columns(folded, rows, options, days_per(unit))
    more = kept.of(folded.code)
    if options.carry:
        more[GAPS] = GapLists.of_log(folded).column(log)
    table = build_table(log, options.customer, rows.ids(folded.code), columns, more)
    facts = summary_facts(options, unit, rows.end, book, money, **START_SEEN)
    return with_facts(table, facts), folded
