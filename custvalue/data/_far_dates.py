"""Dates that stand alone: a program's way of writing no date, or a slip in a year."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue.data._options import DAY
from custvalue.data._times import tick_date

_FEW = 0.01  # share of the rows, and three rows
_LEAST_ROWS = 20
_YEARS = 730  # days
# what programs write where there is no date
_NOTHING = {
    "0001-01-01": "what .NET writes for no date",
    "1899-12-30": "day 0 of Excel",
    "1899-12-31": "day 0 of Excel",
    "1900-01-01": "what Excel and SQL Server write for no date",
    "1970-01-01": "what Unix time 0 is",
    "9999-12-31": "what SQL writes for no end",
    "2099-12-31": "what some systems write for no end",
}


class Alone(NamedTuple):
    """Few rows on one side of a gap that is longer than all the rest of the log."""

    rows: int
    first: int
    last: int
    gap: int
    other: int

    def __str__(self) -> str:
        dates = list(dict.fromkeys(tick_date(day, DAY) for day in (self.first, self.last)))
        known = next((f" ({_NOTHING[d]})" for d in dates if d in _NOTHING), "")
        some = f"{self.rows:,} row{' is' if self.rows == 1 else 's are'}"
        return (
            f"{some} dated {' to '.join(dates)}{known}, {self.gap / 365.25:,.0f} years away from "
            f"all others (next: {tick_date(self.other, DAY)})"
        )


def alone(day: npt.NDArray[np.int64], count: npt.NDArray[np.int64]) -> Alone | None:
    """Rows that stand alone at one end of the log; None where none do.

    Parameters
    ----------
    day, count : ndarray of shape (n_days,)
        Days with rows, ascending, and how many rows each has.
    """
    rows = int(count.sum())
    if len(day) < 2 or rows < _LEAST_ROWS or day[-1] - day[0] <= _YEARS:
        return None
    gaps = np.diff(day)
    at = int(np.argmax(gaps))
    before = int(count[: at + 1].sum())
    early = before <= rows - before
    few, whole = (before, day[at + 1 :]) if early else (rows - before, day[: at + 1])
    if few > max(3, _FEW * rows) or gaps[at] <= max(_YEARS, whole[-1] - whole[0]):
        return None
    mine = day[: at + 1] if early else day[at + 1 :]
    other = day[at + 1] if early else day[at]
    return Alone(few, int(mine[0]), int(mine[-1]), int(gaps[at]), int(other))


def days_of(day: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Different days and rows of each; nothing where the log is too short for one to stand alone.

    A log of a few years is told by two passes, so that only odd ones cost more.
    """
    none = np.empty(0, dtype=np.int64)
    if len(day) < _LEAST_ROWS:
        return none, none
    low, high = int(day.min()), int(day.max())
    if high - low <= _YEARS:
        return none, none
    if high - low > 4_000_000:
        found = np.unique(day, return_counts=True)
        return found[0].astype(np.int64), found[1]
    counts = np.bincount(day - low, minlength=high - low + 1)
    some = np.flatnonzero(counts)
    return some + low, counts[some]
