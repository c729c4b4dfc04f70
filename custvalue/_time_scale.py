"""Unit and as-of date of a table, read off its rows.

``summarize`` and ``panel`` write times twice: as numbers in the unit and as dates. Two dates and
the number between them give the unit, and a date and a number give the as-of date, so both are
still there when a join, a filter or a file has lost what travelled beside the table.
"""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from custvalue._typing import Dates, Floats, Places
from custvalue._units import DAYS_PER
from custvalue.exceptions import ContractProblem, DataContractError

_EXACT = 1e-11  # float arithmetic
_ROUNDED = 3e-4  # numbers rounded when written; half of what lies between 365 and 365.25 days
_SLACK = 0.0051  # of a unit: two digits behind the point are enough
_SECOND = 1.0 / 86_400.0


class TimeScale(NamedTuple):
    """What the times of a table mean.

    Parameters
    ----------
    unit : str
        Unit of its times, ``"W"`` or ``"28D"``.
    as_of : str
        End of observation, ISO date or timestamp; empty where rows end on several dates, or where
        nobody said.
    """

    unit: str
    as_of: str


def time_scale_of_summary(
    first: Dates, last: Dates, recency: Floats, T: Floats
) -> TimeScale | None:
    """Read unit and as-of date off a summary's rows; None where they cannot tell.

    The unit is what ``recency`` makes of the days from the first to the last order. Where nobody
    came back it is what ``T`` makes of the days between first orders, as all end on one date.

    Parameters
    ----------
    first, last : ndarray of datetime64, shape (n_rows,)
    recency, T : ndarray of float, shape (n_rows,)
        Rows with a missing value (of a left join) are left out.

    Returns
    -------
    TimeScale or None

    Raises
    ------
    DataContractError
        If rows contradict each other.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._time_scale import time_scale_of_summary
    >>> first = np.array(["2024-01-01", "2024-01-15"], dtype="datetime64[D]")
    >>> last = np.array(["2024-01-29", "2024-01-15"], dtype="datetime64[D]")
    >>> time_scale_of_summary(first, last, np.array([4.0, 0.0]), np.array([6.0, 4.0]))
    TimeScale(unit='W', as_of='2024-02-12')
    """
    row = _complete(first, last, recency, T)
    if row is not None:
        first, last, recency, T = first[row], last[row], recency[row], T[row]
    if not len(first):
        return None
    start, span = _days(first - first.min()), _days(last - first)
    days = _unit(span, recency, row, "recency")
    if days is None and not span.any() and not recency.any():
        days = _unit(start.max(initial=0.0) - start, T - T[np.argmax(start)], row, "T")
    if days is None:
        return None
    end = start + T * days
    low, high = float(end.min()), float(end.max())
    slack = 2 * _SLACK * days
    if high - low > slack:
        _check_ends(end, span > 0, slack, row)
        return TimeScale(_name(days), "")
    if high - low < 1.0 and _at_midnight(first) and _at_midnight(last):
        return TimeScale(_name(days), _date(first.min(), round((low + high) / 2)))
    return TimeScale(_name(days), _date(first.min(), low) if high - low < _SECOND else "")


def time_scale_of_panel(first: Dates, end: Dates, T: Floats) -> TimeScale | None:
    """Read unit and as-of date off a panel's rows; None where they cannot tell.

    The unit is what ``T`` makes of the days from the first order to the end of the row's period.

    Parameters
    ----------
    first, end : ndarray of datetime64, shape (n_rows,)
        First order, and end of the period.
    T : ndarray of float, shape (n_rows,)

    Returns
    -------
    TimeScale or None

    Raises
    ------
    DataContractError
        If rows contradict each other.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._time_scale import time_scale_of_panel
    >>> first = np.array(["2024-01-01", "2024-01-01"], dtype="datetime64[D]")
    >>> end = np.array(["2024-01-07", "2024-01-14"], dtype="datetime64[D]")
    >>> time_scale_of_panel(first, end, np.array([6 / 7, 13 / 7]))
    TimeScale(unit='W', as_of='2024-01-14')
    """
    row = _complete(first, end, T)
    if row is not None:
        first, end, T = first[row], end[row], T[row]
    days = _unit(_days(end - first), T, row, "T")
    return None if days is None else TimeScale(_name(days), _date(end.max(), 0.0))


def _unit(span: Floats, number: Floats, row: Places | None, name: str) -> float | None:
    """Days in a unit, from spans in days and the same spans as numbers."""
    total, days = float(number.sum()), float(span.sum())
    if total <= 0 and days <= 0:
        return None
    unit = _known(days / total) if total > 0 and days > 0 else None
    if unit is None or _misfit(span, number, unit).any():
        _contradict(span, number, row, name)
    return unit


def _misfit(span: Floats, number: Floats, unit: float) -> npt.NDArray[np.bool_]:
    """Rows whose days are not their number of units, to two digits of it."""
    off = number * unit
    off -= span
    np.abs(off, out=off)
    return off > _SLACK * unit + _SECOND


def _known(days: float) -> float | None:
    """Length of the unit that measures ``days``: whole days, months or seconds, else none."""
    whole = [k * size for size in (1.0, DAYS_PER["M"]) if (k := round(days / size)) > 0]
    seconds = round(days * 86_400) / 86_400
    for unit in [*whole, seconds]:
        if abs(days - unit) <= _EXACT * unit:
            return unit
    if not whole or days > 400:
        return None
    nearest = min(whole, key=lambda unit: abs(days - unit))
    return nearest if abs(days - nearest) <= _ROUNDED * nearest else None


def _contradict(span: Floats, number: Floats, row: Places | None, name: str) -> NoReturn:
    """Refuse rows whose dates and numbers do not fit one unit, naming those of the fewest."""
    some = (span > 0) & (number > 0)
    ratio = np.divide(span, number, out=np.zeros(len(span)), where=some)
    usual = float(np.median(ratio[some])) if some.any() else 0.0
    usual = _known(usual) or usual
    bad = _misfit(span, number, usual)
    odd = ratio[bad & some]
    what = f"by most rows a unit is {_name(usual)!r}" if usual else "no row tells its unit"
    if len(odd):
        what += f", by these {_name(_known(float(odd[0])) or float(odd[0]))!r}"
    if not bad.any():
        what = f"{name!r} and the dates give units around {usual:.6g} days, none that is known"
    raise DataContractError(
        ContractProblem.at(
            "units-differ",
            f"the dates and {name!r} do not fit one unit of time: {what}",
            "Make all rows by one call of custvalue.summarize or panel; or drop the dates "
            "(first_order, last_order, period_end) and say unit= on the estimator.",
            _places(bad, row),
        )
    )


def _check_ends(end: Floats, told: npt.NDArray[np.bool_], slack: float, row: Places | None) -> None:
    """Rows that end on a date of their own, and whose unit nothing tells, may have another one."""
    known = np.sort(end[told])
    alone = np.ones(len(end), dtype=bool)
    if len(known):
        at = np.searchsorted(known, end)
        for near in (np.maximum(at - 1, 0), np.minimum(at, len(known) - 1)):
            alone &= np.abs(known[near] - end) > slack
    if alone.any():
        raise DataContractError(
            ContractProblem.at(
                "unit-unclear",
                "customers with one order end on dates on which no repeat buyer does, so their "
                "'T' may count time in another unit",
                "Make all rows by one call of custvalue.summarize; or drop the dates "
                "(first_order, last_order) and say unit= on the estimator.",
                _places(alone, row),
            )
        )


def _complete(*columns: npt.NDArray[Any]) -> Places | None:
    """Rows without a missing value; None where that is all of them."""
    missing = np.isnan(columns[0])
    for column in columns[1:]:
        missing |= np.isnan(column)
    return np.flatnonzero(~missing) if missing.any() else None


def _places(bad: npt.NDArray[np.bool_], row: Places | None) -> Places:
    """Find the bad rows, by their places in the table as it was given."""
    at = np.flatnonzero(bad)
    return at if row is None else row[at]


def _days(span: npt.NDArray[np.timedelta64]) -> Floats:
    out: Floats = span.astype("timedelta64[us]", copy=False).view(np.int64) / 86_400e6
    return out


def _at_midnight(dates: Dates) -> bool:
    """Whether dates are whole days; the first of them speak for all."""
    some = dates[:1000]
    return bool((some == some.astype("datetime64[D]")).all())


def _date(start: np.datetime64, days: float) -> str:
    """ISO date of ``days`` after ``start``, with the time where it is not midnight."""
    stamp = start.astype("datetime64[s]") + np.timedelta64(round(days / _SECOND), "s")
    day = stamp.astype("datetime64[D]")
    return str(day) if day == stamp else str(stamp)


def _name(days: float) -> str:
    """Write a unit of so many days."""
    for letter, size in DAYS_PER.items():
        if days == size:
            return letter
    for letter, size in (("Y", DAYS_PER["Y"]), ("M", DAYS_PER["M"]), ("W", DAYS_PER["W"])):
        if days >= size and days / size == round(days / size):
            return f"{round(days / size)}{letter}"
    return f"{days:.17g}D"
