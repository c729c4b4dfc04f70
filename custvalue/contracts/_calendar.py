"""Periods of contracts by the calendar: a month ends on the day on which it began."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from custvalue._typing import Dates, Floats, Ints
from custvalue._units import Span, days_per, span_days
from custvalue.exceptions import TimeUnitError

_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_SPAN = re.compile(r"^\s*([0-9]*)\s*([A-Za-z])\s*$")


@dataclass(frozen=True)
class Calendar:
    """A period of whole months or of whole days.

    Parameters
    ----------
    months, days : int
        One of them is 0.
    unit : str
        As tables state it: ``"M"``, ``"3M"``, ``"Y"``, ``"7D"``, ...

    Examples
    --------
    >>> import numpy as np
    >>> month = Calendar.of("M")
    >>> start = np.array(["2024-01-31"], dtype="datetime64[D]")
    >>> month.after(start, np.array([1])), month.whole(start, np.datetime64("2024-03-30"))
    (array(['2024-02-29'], dtype='datetime64[D]'), array([1]))
    """

    months: int
    days: int
    unit: str

    @classmethod
    def of(cls, period: Span) -> Calendar:
        """Read a period; one that is neither whole months nor whole days is refused."""
        match = _SPAN.match(period) if isinstance(period, str) else None
        letter = match.group(2).upper() if match else ""
        count = int(match.group(1) or 1) if match else 0
        if letter in _MONTHS and count:
            months = count * _MONTHS[letter]
            unit = f"{months // 12}Y" if months % 12 == 0 else f"{months}M"
            return cls(months, 0, unit.removeprefix("1") if unit in ("1M", "1Y") else unit)
        days = span_days(period, "period") if not letter else count * days_per(letter)
        if days < 1.0 or days != round(days):
            raise TimeUnitError(
                f"period={period!r} must be whole months or days, such as 'M', '3M', 'Y', '4W'."
            )
        return cls(0, round(days), "W" if days == 7 else f"{round(days)}D")

    def after(self, start: Dates, count: Ints) -> Dates:
        """Return the day so many periods after each start, in a shorter month its last day."""
        if self.days:
            return start + self.days * count
        month = start.astype("datetime64[M]")
        day = (start - month.astype("datetime64[D]")).astype(np.int64)
        there = month + count * self.months
        first = there.astype("datetime64[D]")
        long = ((there + 1).astype("datetime64[D]") - first).astype(np.int64)
        return first + np.minimum(day, long - 1)

    def whole(self, start: Dates, end: Dates | np.datetime64) -> Ints:
        """Count the periods that are over by ``end``."""
        if self.days:
            gone = (end - start).astype("timedelta64[D]").astype(np.int64)
            return np.floor_divide(gone, self.days)
        last = np.asarray(end).astype("datetime64[M]").astype(np.int64)
        months = last - start.astype("datetime64[M]").astype(np.int64)
        count = np.floor_divide(months, self.months)
        return count - (self.after(start, count) > end)

    def length(self, start: Dates, end: Dates | np.datetime64) -> Floats:
        """Length of time in periods, the one that runs in part."""
        count = self.whole(start, end)
        here, there = self.after(start, count), self.after(start, count + 1)
        part = (np.asarray(end) - here).astype(np.int64) / (there - here).astype(np.int64)
        return np.asarray(count + part, dtype=np.float64)

    def ends(self, first: np.datetime64, last: np.datetime64) -> Dates:
        """Last days of the periods from ``first`` to ``last``; the last may lie after ``last``."""
        if self.days:
            begin = first
        elif self.months % 12 == 0:
            begin = first.astype("datetime64[Y]").astype("datetime64[D]")
        else:
            month = first.astype("datetime64[M]").astype(np.int64)
            begin = np.datetime64(int(month - month % self.months), "M").astype("datetime64[D]")
        starts = np.array([begin], dtype="datetime64[D]")
        count = int(self.whole(starts, last)[0]) + 1
        return self.after(np.repeat(starts, count), np.arange(1, count + 1)) - 1

    def names(self, ends: Dates) -> list[str]:
        """Name each period by the day, month or year in which it begins."""
        if self.days:
            return [str(v) for v in ends - self.days + 1]
        kind = "Y" if self.months == 12 else "M"
        starts = (ends + 1).astype("datetime64[M]") - self.months
        return [str(v) for v in starts.astype(f"datetime64[{kind}]")]
