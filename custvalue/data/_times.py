"""Times of any kind -> whole grains since 1970, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._dates import number_problem, read_date, read_texts, reads_digits
from custvalue._typing import Ints, Mask
from custvalue.data._options import DAY, LogOptions, origin
from custvalue.exceptions import ContractProblem


@dataclass(frozen=True)
class End:
    """End of observation: the last grain of time that is seen.

    Rows are cut before they are gridded, by days where an occasion is longer than one.

    Parameters
    ----------
    last : int
        In ticks of ``options.fine``.
    fine, grain : int
        Seconds of a tick that rows are cut by, and of an occasion.
    """

    last: int
    fine: int
    grain: int

    @classmethod
    def at(cls, last: int, options: LogOptions) -> End:
        """End after a tick of ``options.fine``."""
        return cls(last, options.fine, options.grain)

    @property
    def tick(self) -> int:
        """Occasion in which it lies."""
        return (self.last * self.fine - origin(self.grain)) // self.grain

    @property
    def date(self) -> str:
        """ISO date where its whole day is seen, else the time at which its last grain begins."""
        return tick_date(self.last, self.fine, whole_days=True)

    def day(self) -> np.datetime64:
        """Its day."""
        return np.datetime64(self.last * self.fine, "s").astype("datetime64[D]")


def read_times(
    series: Any, options: LogOptions, problems: list[ContractProblem], line: Any = None
) -> tuple[npt.NDArray[np.datetime64] | None, Mask | None, str | None]:
    """Wall-clock times, which of them are missing, and the zone they had.

    ``line`` are the lines of a file that the rows stand in, where that is known.
    """
    name, dtype = options.time, series.dtype
    if not len(series):  # of no type that says anything
        return np.empty(0, dtype="datetime64[us]"), None, None
    digits = dtype.is_integer() and reads_digits(options.time_format)
    if digits or dtype == nw.Categorical or dtype == nw.Enum:
        series = series.cast(nw.String)
        dtype = series.dtype
    if dtype == nw.String or dtype == nw.Object:
        values = pd.Series(series.to_numpy(), dtype=object, index=line)
        parsed, problem = read_texts(values, name, options.time_format, options.time_zone)
        if problem is not None:
            problems.append(problem)
            return None, None, None
        series = nw.from_native(parsed, series_only=True)
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
            number_problem(name, dtype, next(iter(series.drop_nulls().head(1).to_list()), None))
        )
        return None, None, None
    if when.dtype.kind != "M":
        when = when.astype("datetime64[us]")
    # a missing time is the least integer, and a minimum of integers is faster than of times
    some = len(when) and when.view(np.int64).min() == np.iinfo(np.int64).min
    missing = np.isnat(when) if some else None
    return when, missing, zone


def to_ticks(when: npt.NDArray[np.datetime64], grain: int) -> Ints:
    """Whole grains since 1970; weeks begin on Monday, other runs of days as 1970-01-01 does."""
    unit, step = np.datetime_data(when.dtype)
    start = origin(grain)
    if unit == "D" and grain % DAY == 0:
        per, start = grain // DAY, start // DAY
    else:
        if unit not in _PER_SECOND or (start and step != 1):
            when, unit, step = when.astype("datetime64[s]"), "s", 1
        per = grain * _PER_SECOND[unit] // step
        start *= _PER_SECOND[unit]
    count = when.view(np.int64)
    if per == 1:
        return count
    if start:
        count = count - start
    # every time that 64 bits hold is a tick of 32 bits where grains are long
    kind = np.int32 if per > 2**32 else np.int64
    made = np.empty(len(when), dtype=kind)
    return np.floor_divide(count, per, out=made, casting="unsafe")


_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def read_end(as_of: Any, options: LogOptions, zone: str | None, name: str = "as_of") -> End | None:
    """End of observation that is given; None where ``as_of`` is None.

    A date, and a time that is midnight, is its whole day.

    Raises
    ------
    DataContractError
        If ``as_of`` cannot be read as one date or time.
    """
    if as_of is None or isinstance(as_of, End):
        return as_of
    stamp = read_date(as_of, name)
    if stamp.tzinfo is not None:
        wanted = options.time_zone or zone
        stamp = (stamp.tz_convert(wanted) if wanted else stamp).tz_localize(None)
    second = int(stamp.to_datetime64().astype("datetime64[s]").astype(np.int64))
    if second % DAY == 0 and stamp.nanosecond == 0 and stamp.microsecond == 0:
        second += DAY - 1
    return End.at(second // options.fine, options)


def tick_date(tick: int, grain: int, *, whole_days: bool = False) -> str:
    """ISO date of a tick (with the time where the grain is shorter than a day).

    ``whole_days`` writes the date alone where the tick is the last of its day.
    """
    start = tick * grain + origin(grain)
    stamp = np.datetime64(start, "s")
    dated = grain % DAY == 0 or (whole_days and (start + grain) % DAY == 0)
    return str(stamp.astype("datetime64[D]")) if dated else str(stamp)


def last_order_text(end: End) -> str:
    """Text of the warning when no as-of date is given."""
    ahead = end.day() > np.datetime64("today", "D")
    return (
        f"as_of not given; using the last order's date, {end.date}"
        + (", which lies in the future. Correct that order's date. " if ahead else ". ")
        + "A quiet end of the log would look like activity; write as_of= to say when you looked."
    )
