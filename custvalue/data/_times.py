"""Times of any kind -> whole grains since 1970, and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.data._options import LogOptions
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_OFFSET = r"[T ]\d.*(?:Z|[+-]\d\d(?::?\d\d)?)\s*$"  # a clock time, then a zone


def read_times(
    series: Any, options: LogOptions, problems: list[ContractProblem]
) -> tuple[npt.NDArray[np.datetime64] | None, Mask | None, str | None]:
    """Wall-clock times, which of them are missing, and the zone they had."""
    name, dtype = options.time, series.dtype
    if not len(series):  # of no type that says anything
        return np.empty(0, dtype="datetime64[us]"), None, None
    if dtype == nw.Categorical or dtype == nw.Enum:
        series = series.cast(nw.String)
        dtype = series.dtype
    if dtype == nw.String or dtype == nw.Object:
        series = _parse(series, options, problems)
        if series is None:
            return None, None, None
        dtype = series.dtype
    zone: str | None = None
    if dtype == nw.Datetime:
        zone = dtype.time_zone
        if zone is not None:
            if options.time_zone is not None:
                series = series.dt.convert_time_zone(options.time_zone)
                zone = options.time_zone
            series = series.dt.replace_time_zone(None)
        when = series.to_numpy()
    elif dtype == nw.Date:
        when = series.to_numpy()
    else:
        problems.append(
            ContractProblem(
                "time-not-a-date",
                f"column {name!r} has type {dtype}, which is no date",
                "Turn it into datetimes; a number does not say what it counts.",
            )
        )
        return None, None, None
    if when.dtype.kind != "M":
        when = when.astype("datetime64[us]")
    # a missing time is the least integer, and a minimum of integers is faster than of times
    some = len(when) and when.view(np.int64).min() == np.iinfo(np.int64).min
    missing = np.isnat(when) if some else None
    return when, missing, zone


def _parse(series: Any, options: LogOptions, problems: list[ContractProblem]) -> Any:
    """Text (or objects) -> datetimes; ISO 8601 unless ``time_format`` says otherwise."""
    values = pd.Series(series.to_numpy(), dtype=object)
    given = values.notna()
    style = options.time_format or "ISO8601"
    mixed = ContractProblem(
        "mixed-time-zones",
        f"column {options.time!r} mixes time zones, or times with and without one",
        "Convert it to one zone first, e.g. pandas.to_datetime(..., utc=True).",
    )
    try:
        parsed = pd.to_datetime(values, format=style, errors="coerce")
    except ValueError as error:
        if "time zone" not in str(error) and "timezone" not in str(error):
            raise
        problems.append(mixed)
        return None
    bad = given & parsed.isna()
    if options.time_format is not None and bad.any() and bad.sum() == given.sum():
        problems.append(format_problem(options, int(bad.sum()), f", e.g. {values[bad].iloc[0]!r}"))
        return None
    # pandas 2 lends the first zone to text without one, so look for the offsets themselves
    if getattr(parsed.dt, "tz", None) is not None and options.time_format is None:
        texts = values[given & values.map(lambda value: isinstance(value, str))]
        if not texts.astype(str).str.contains(_OFFSET).all():
            problems.append(mixed)
            return None
    # a datetime that can't be read is one whose zone does not go with the others
    if bad.any() and any(isinstance(value, datetime) for value in values[bad].head()):
        problems.append(mixed)
        return None
    if bad.any() and options.time_format is None:
        problems.append(
            ContractProblem(
                "time-not-iso",
                f"column {options.time!r} has text that is not ISO 8601, "
                f"e.g. {values[bad].iloc[0]!r}",
                "Give time_format=, e.g. '%d/%m/%Y'; day and month are not guessed.",
                int(bad.sum()),
                first_ids(np.flatnonzero(bad)),
            )
        )
        return None
    return nw.from_native(parsed, series_only=True)


def format_problem(options: LogOptions, count: int, example: str = "") -> ContractProblem:
    """Say that ``time_format`` reads nothing."""
    return ContractProblem(
        "time-format",
        f"time_format={options.time_format!r} reads no time in column {options.time!r}{example}",
        "Write it as the column does, e.g. '%d/%m/%Y' for 31/12/2024.",
        count,
    )


def to_ticks(when: npt.NDArray[np.datetime64], grain: int) -> Ints:
    """Whole grains since 1970 (weeks and other runs of days begin as 1970-01-01 does)."""
    unit, step = np.datetime_data(when.dtype)
    if unit == "D" and grain % 86_400 == 0:
        per = grain // 86_400
    else:
        if unit not in _PER_SECOND:
            when, unit, step = when.astype("datetime64[s]"), "s", 1
        per = grain * _PER_SECOND[unit] // step
    if per == 1:
        return when.view(np.int64)
    # every time that 64 bits hold is a tick of 32 bits where grains are long
    kind = np.int32 if per > 2**32 else np.int64
    made = np.empty(len(when), dtype=kind)
    return np.floor_divide(when.view(np.int64), per, out=made, casting="unsafe")


_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def as_of_tick(as_of: Any, options: LogOptions, zone: str | None) -> int | None:
    """Last grain that is seen; None where ``as_of`` is None.

    Raises
    ------
    DataContractError
        If ``as_of`` cannot be read as one date or time.
    """
    if as_of is None:
        return None
    try:
        stamp = pd.Timestamp(as_of) if not isinstance(as_of, str) else _iso(as_of)
    except (TypeError, ValueError):
        stamp = pd.NaT
    if not isinstance(stamp, pd.Timestamp) or isinstance(as_of, (int, float)):
        raise DataContractError(
            ContractProblem(
                "as-of", f"as_of={as_of!r} is no date", "Write it as '2011-12-09' or a datetime."
            )
        )
    if stamp.tzinfo is not None:
        wanted = options.time_zone or zone
        stamp = (stamp.tz_convert(wanted) if wanted else stamp).tz_localize(None)
    return int(stamp.value // 10**9 if stamp.unit == "ns" else stamp.timestamp()) // options.grain


def _iso(text: str) -> Any:
    return pd.to_datetime(text, format="ISO8601")


def tick_date(tick: int, grain: int) -> str:
    """ISO date of a tick (with the time where the grain is shorter than a day)."""
    stamp = np.datetime64(tick * grain, "s")
    return str(stamp.astype("datetime64[D]")) if grain % 86_400 == 0 else str(stamp)


def tick_time(tick: int, options: LogOptions) -> np.datetime64:
    """Tick as a time that ``as_of`` takes."""
    return np.datetime64(tick * options.grain, "s")


def last_order_text(end: int, options: LogOptions) -> str:
    """Text of the warning when no as-of date is given."""
    return (
        f"as_of not given; using the last order's date, {tick_date(end, options.grain)}. "
        "A quiet end of the log would look like activity; write as_of= to say when you looked."
    )
