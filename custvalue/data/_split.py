"""What was known at a date, and what happened next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._frames import TableFacts, with_facts
from custvalue._typing import ByName
from custvalue._units import Span, span_days
from custvalue._warn import warn_caller
from custvalue.data._build import build_table, dates
from custvalue.data._intake import Intake, take_in
from custvalue.data._ledger import Dropped, RowLedger
from custvalue.data._money import sums
from custvalue.data._occasions import Folded, Occasions, find, fold
from custvalue.data._options import DAY, LogOptions
from custvalue.data._summary import summary_of
from custvalue.data._times import End, read_end, tick_date
from custvalue.exceptions import AsOfWarning, ContractProblem, DataContractError


class DateSplit(NamedTuple):
    """What ``split_by_date`` returns.

    ``known`` is the summary as of the cutoff; ``future`` has one row for each of its rows, in the
    same order: ``<customer>``, ``orders`` and ``spend`` (and ``profit`` with ``margin`` or
    ``cost``) within the horizon, zero where nothing happened; ``new`` has the customers whose first
    purchase lies within the horizon: ``<customer>``, ``first_order``, ``orders``, ``spend``
    (``profit``).

    Examples
    --------
    >>> DateSplit._fields
    ('known', 'future', 'new')
    """

    known: Any
    future: Any
    new: Any


def log_end(rows: Intake) -> int | None:
    """Last tick (that rows are cut by) of the log's usable rows up to the as-of date."""
    return int(rows.fine.max()) if len(rows.tick) else None


def horizon_ticks(cutoff: Any, horizon: Span, options: LogOptions) -> int:
    """Grains that rows are cut by in the horizon, to the nearest whole one.

    Raises
    ------
    ValueError
        If there is no cutoff, or less than one grain.
    """
    seconds = span_days(horizon) * DAY
    if cutoff is None or round(seconds / options.grain) < 1:
        raise ValueError("split_by_date needs a cutoff and a horizon of at least one occasion.")
    return round(seconds / options.fine)


def check_end(
    last: int | None, end: End, as_of: Any, options: LogOptions, zone: str | None
) -> None:
    """Refuse a horizon that ends after the log was observed; warn where that is not known."""
    stop = end.date
    seen = read_end(as_of, options, zone)
    if seen is not None and seen.last < end.last:
        raise DataContractError(
            ContractProblem(
                "horizon-past-log",
                f"the horizon ends on {stop}, after as_of {seen.date}",
                "Choose an earlier cutoff or a shorter horizon.",
            )
        )
    if seen is None and (last is None or last < end.last):
        when = "no order" if last is None else tick_date(last, options.fine)
        warn_caller(
            f"the horizon ends on {stop}, the last order up to then is of {when}; if the log ends "
            "before the horizon does, the future looks too small. Write as_of= to say how far the "
            "log was observed.",
            AsOfWarning,
        )


def future_facts(
    options: LogOptions, unit: str, cutoff: End, end: End, book: RowLedger
) -> TableFacts:
    """Write down what the future part of a split says of itself."""
    return TableFacts(
        kind="future",
        customer=options.customer,
        unit=unit,
        as_of=end.date,
        ledger=book.to_dict(),
        extra={
            "cutoff": cutoff.date,
            "horizon_days": (end.last - cutoff.last) * options.fine / DAY,
            "occasion_seconds": options.grain,
        },
    )


def _part(rows: Intake, mask: npt.NDArray[np.bool_]) -> Intake:
    """Rows of an intake in ``mask``."""
    at = np.flatnonzero(mask)
    profit = rows.profit
    return replace(
        rows,
        code=rows.code[at],
        tick=rows.tick[at],
        money=rows.money._replace(values=rows.money.values[at]),
        profit=None if profit is None else profit._replace(values=profit.values[at]),
        order=None if rows.order is None else rows.order[at],
        day=None if rows.day is None else rows.day[at],
    )


def _future(rows: Intake, cutoff: End) -> Intake:
    early = rows.fine <= cutoff.last
    spent = float(rows.money.values[early].sum()) / rows.money.scale
    part = replace(_part(rows, ~early), gone=np.empty(0, dtype=np.int64))
    if early.any():
        part.dropped = [*rows.dropped, Dropped("before_cutoff", int(early.sum()), spent)]
    return part


def _figures(later: Folded, rows: Intake) -> ByName:
    """First order, orders, spend and profit of each customer."""
    counts = [len(part.start) for part in later.parts]
    names = ["first_order", "orders", "spend"] + ([] if rows.profit is None else ["profit"])
    columns: ByName = {name: np.empty(sum(counts)) for name in names}
    columns.update({name: np.empty(sum(counts), dtype=np.int64) for name in names[:2]})

    def figures(part: Occasions) -> ByName:
        made: ByName = {
            "first_order": part.tick[part.start],
            "orders": part.size,
            "spend": rows.money.worth(sums(part.spend, part.start)),
        }
        if part.profit is not None and rows.profit is not None:
            made["profit"] = rows.profit.worth(sums(part.profit, part.start))
        return made

    later.fill(columns, counts, figures)
    return columns


def split_eager(
    log: Any,
    options: LogOptions,
    cutoff: Any,
    horizon: Span,
    as_of: Any,
    unit: str,
    *,
    quiet: bool = False,
) -> DateSplit:
    """Split a log in memory."""
    length = horizon_ticks(cutoff, horizon, options)
    past = take_in(log, options, cutoff, quiet=quiet)
    known_end = past.end
    end = End.at(known_end.last + length, options)
    everything = take_in(log, options, end, quiet=True)
    if not quiet:
        check_end(log_end(everything), end, as_of, options, everything.zone)

    known, folded = summary_of(log, past, options, unit, start=not quiet)
    customers, _ = fold(_part(everything, everything.fine <= known_end.last), options)
    later, book = fold(_future(everything, known_end), options)
    figures = _figures(later, everything)
    place, old = find(later.code, customers.code)
    columns = {}
    for key in list(figures)[1:]:
        columns[key] = np.zeros(len(customers.code), dtype=figures[key].dtype)
        columns[key][place[old]] = figures[key][old]
    future = build_table(log, options.customer, past.ids(folded.code), columns)
    fresh = {key: values[~old] for key, values in figures.items()}
    fresh["first_order"] = dates(fresh["first_order"], options.grain)
    new = build_table(log, options.customer, everything.ids(later.code[~old]), fresh)
    facts = future_facts(options, unit, known_end, end, book)
    return DateSplit(known, with_facts(future, facts), with_facts(new, replace(facts, kind="new")))
