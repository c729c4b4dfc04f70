"""The columns of a summary, each once: what it is of a customer's figures, and in SQL.

The first form is arithmetic that arrays (a log in memory) and expressions (a lazy engine) both
understand; what the two compute differently (a maximum within groups, a spread) they bring as
figures. To add a column, add a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any, NamedTuple


class CustomerFigures(NamedTuple):
    """A customer's figures, as arrays of shape (n_customers,) or as expressions over customers.

    Parameters
    ----------
    n, gaps : whole numbers
        Occasions, and gaps between them.
    size, ratio : numbers
        Of occasions, and of gaps: what means are divided by, never 0 for the latter.
    first, last, span, silent, age : whole numbers of ticks
        First and last occasion, time between them, time since the last and since the first one.
    longest, spread : numbers of ticks
        Longest gap and the gaps' standard deviation.
    shorter : whole number
        Gaps no longer than the present silence.
    logs : number
        Sum of the natural logs of the gaps in ticks; 0 without one.
    total, repeat : money
        Of all occasions, and of all but the first.
    per_tick : float
        Units of time in a tick.
    where_gaps : callable
        A value for customers who have a gap, missing for the others.
    date : callable
        Ticks as a date.
    """

    n: Any
    gaps: Any
    size: Any
    ratio: Any
    first: Any
    last: Any
    span: Any
    silent: Any
    age: Any
    longest: Any
    spread: Any
    shorter: Any
    logs: Any
    total: Any
    repeat: Any
    per_tick: float
    where_gaps: Callable[[Any], Any]
    date: Callable[[Any], Any]


class SummaryColumn(NamedTuple):
    """One column: its name, what it is of the figures, and the same in DuckDB's SQL.

    ``kind`` is "number", "whole" or "date". The SQL is over the table ``cv_customers`` of
    :func:`custvalue.data.summary_sql`; ``{days}`` are the days of a unit, ``{as_of}`` the date.
    """

    name: str
    kind: str
    of: Callable[[CustomerFigures], Any]
    sql: str


_SINCE = "CAST(DATE_DIFF('day', {0}, DATE '{{as_of}}') AS DOUBLE) / {{days}}"
_GAPS = "CASE WHEN cv_n > 1 THEN {0} END"
_SPREAD = "SQRT(GREATEST((cv_n - 1) * cv_squares - cv_span * cv_span, 0)) / (cv_n - 1) / {days}"

SUMMARY = (
    SummaryColumn("frequency", "whole", lambda f: f.gaps, "cv_n - 1"),
    SummaryColumn("recency", "number", lambda f: f.span * f.per_tick, "cv_span / {days}"),
    SummaryColumn("T", "number", lambda f: f.age * f.per_tick, _SINCE.format("cv_first")),
    SummaryColumn("silence", "number", lambda f: f.silent * f.per_tick, _SINCE.format("cv_last")),
    SummaryColumn(
        "monetary_value",
        "number",
        lambda f: f.where_gaps(f.repeat / f.ratio),
        _GAPS.format("cv_repeats / (cv_n - 1)"),
    ),
    SummaryColumn("n_orders", "whole", lambda f: f.n, "cv_n"),
    SummaryColumn("total_value", "number", lambda f: f.total, "cv_total"),
    SummaryColumn("mean_value", "number", lambda f: f.total / f.size, "cv_total / cv_n"),
    SummaryColumn("n_gaps", "whole", lambda f: f.gaps, "cv_n - 1"),
    SummaryColumn(
        "gap_mean",
        "number",
        lambda f: f.where_gaps(f.span / f.ratio * f.per_tick),
        _GAPS.format("cv_span / (cv_n - 1) / {days}"),
    ),
    SummaryColumn(
        "gap_max",
        "number",
        lambda f: f.where_gaps(f.longest * f.per_tick),
        _GAPS.format("CAST(cv_longest AS DOUBLE) / {days}"),
    ),
    SummaryColumn("gap_sum", "number", lambda f: f.span * f.per_tick, "cv_span / {days}"),
    SummaryColumn(
        "gap_std", "number", lambda f: f.where_gaps(f.spread * f.per_tick), _GAPS.format(_SPREAD)
    ),
    SummaryColumn("n_gaps_shorter", "whole", lambda f: f.shorter, "cv_shorter"),
    SummaryColumn(
        "litt",
        "number",
        lambda f: f.logs + f.gaps * log(f.per_tick),
        "cv_logs - (cv_n - 1) * LN({days})",
    ),
    SummaryColumn("first_order", "date", lambda f: f.date(f.first), "CAST(cv_first AS TIMESTAMP)"),
    SummaryColumn("last_order", "date", lambda f: f.date(f.last), "CAST(cv_last AS TIMESTAMP)"),
)
SUMMARY_NAMES = tuple(column.name for column in SUMMARY)
DTYPES = {"whole": "int64", "number": "float64", "date": "datetime64[us]"}
