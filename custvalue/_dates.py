"""Dates and times that are written as text or given as arguments, read in one way everywhere.

A time is year first, with every digit: ``2024-01-05``, ``2024/01/05`` or ``20240105``, and after it
perhaps a clock time (``T`` or a blank before it, seconds and their fractions if there are any) and
perhaps a zone (``Z``, ``+08``, ``+0800``, ``+08:00``). Nothing else is guessed: not ``03/07/2024``,
which is a day in March or in July, not ``2024-06``, which is no day, nor ``now``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.exceptions import ContractProblem, DataContractError, first_ids

# regular expressions that Python, Rust (polars) and RE2 (DuckDB) read alike
DAY = r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|/[0-9]{2}/[0-9]{2}|[0-9]{4})"
CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
ZONE = r" ?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
ISO = rf"^{DAY}(?:[T ]{CLOCK}(?:{ZONE})?)?$"
ZONED = rf"[T ]{CLOCK}{ZONE}$"
# more unread text than this share of a column, and time_format= is not the one it was written in
MOST_UNREAD = 0.05
_TEXT, _ZONED = re.compile(ISO), re.compile(ZONED)


def read_date(value: Any, name: str = "as_of") -> pd.Timestamp:
    """Read one date or time that is given as an argument.

    Raises
    ------
    DataContractError
        If it is none: a number, text that is not a whole date written year first, a month, a
        missing value.

    Examples
    --------
    >>> from custvalue._dates import read_date
    >>> str(read_date("2024-01-05"))
    '2024-01-05 00:00:00'
    """
    made: Any = pd.NaT
    try:
        if isinstance(value, str):
            if _TEXT.match(value):
                made = pd.to_datetime(value, format="ISO8601")
        elif isinstance(value, np.datetime64):
            # a year or a month is no day, though NumPy would take its first
            if np.datetime_data(value.dtype)[0] not in ("Y", "M", "generic"):
                made = pd.Timestamp(value)
        elif isinstance(value, (date, datetime)):
            made = pd.Timestamp(value)
    except (TypeError, ValueError):
        made = pd.NaT
    if not isinstance(made, pd.Timestamp):  # NaT is none
        raise DataContractError(
            ContractProblem(
                "as-of" if name == "as_of" else "no-date",
                f"{name}={value!r} is no date",
                "Write it as '2011-12-09' or a datetime; day and month are not guessed.",
            )
        )
    return made


def read_day(value: Any, name: str = "as_of") -> np.datetime64:
    """Read the day of a date or time that is given as an argument.

    Examples
    --------
    >>> from custvalue._dates import read_day
    >>> str(read_day("2024-01-05 23:30"))
    '2024-01-05'
    """
    stamp = read_date(value, name)
    return stamp.tz_localize(None).to_datetime64().astype("datetime64[D]")


def format_problem(
    style: str | None, name: str, count: int, examples: Sequence[str]
) -> ContractProblem:
    """Say that ``time_format`` does not read a column."""
    return ContractProblem(
        "time-format",
        f"time_format={style!r} does not read column {name!r}, "
        f"e.g. {', '.join(map(repr, examples))}",
        _told_by(examples[0])
        or "Write it as the column does, e.g. '%d/%m/%Y' for 31/12/2024; where some rows are "
        "written otherwise, convert them first.",
        count,
    )


def iso_problem(name: str, example: str, count: int, first: tuple[str, ...]) -> ContractProblem:
    """Say that a column has text that is no ISO date."""
    return ContractProblem(
        "time-not-iso",
        f"column {name!r} has text that is not ISO 8601, e.g. {example}",
        _told_by(example) or "Give time_format=, e.g. '%d/%m/%Y'; day and month are not guessed.",
        count,
        first,
    )


def reads_digits(style: str | None) -> bool:
    """Whether a format reads whole numbers as their digits: a year first loses no zero before it.

    Examples
    --------
    >>> from custvalue._dates import reads_digits
    >>> reads_digits("%Y%m%d"), reads_digits("%d%m%Y"), reads_digits(None)
    (True, False, False)
    """
    return style is not None and style.startswith("%Y")


def number_problem(name: str, kind: Any, example: Any = None) -> ContractProblem:
    """Say that a column of times holds something else, and what its numbers may count."""
    shown = "" if example is None else f", e.g. {example}"
    cure = _told_by(example) or "Turn it into datetimes; a number does not say what it counts."
    return ContractProblem(
        "time-not-a-date", f"column {name!r} has type {kind}, which is no date{shown}", cure
    )


def _told_by(example: Any) -> str | None:
    """Guess what digits mean as a time, and say how to read them so.

    Examples
    --------
    >>> from custvalue._dates import _told_by
    >>> _told_by(45322)
    "It looks like a day of a spreadsheet: of a file say time_format='excel' (--time-format \
excel), else pandas.to_datetime(column, unit='D', origin='1899-12-30')."
    """
    try:
        number = float(str(example).strip().strip("'\""))
    except ValueError:
        return None
    if number != np.rint(number):
        return None
    how, short, word = None, "", ""
    day = pd.to_datetime(f"{number:.0f}", format="%Y%m%d", errors="coerce")
    if 19_000_101 <= number <= 21_001_231 and day is not pd.NaT:
        how = "a date written as a number", "column.astype(int).astype(str), format='%Y%m%d'"
        if isinstance(example, (int, np.integer)):
            short = "time_format='%Y%m%d', or "
    elif 20_000 <= number <= 80_000:
        how = "a day of a spreadsheet", "column, unit='D', origin='1899-12-30'"
        word = "excel"
    for unit, size, many in (
        ("s", 1.0, "seconds"), ("ms", 1e3, "milliseconds"), ("us", 1e6, "microseconds"),
        ("ns", 1e9, "nanoseconds"),
    ):  # fmt: skip
        if 1e8 * size <= number <= 4.2e9 * size:
            how = f"{many} since 1970", f"column, unit={unit!r}"
            word = "unix" if unit == "s" else f"unix-{unit}"
    if word:  # words of read_log
        short = f"of a file say time_format={word!r} (--time-format {word}), else "
    return None if how is None else f"It looks like {how[0]}: {short}pandas.to_datetime({how[1]})."


def check_zone(zone: Any) -> str | None:
    """Return the name of a time zone, or None.

    Raises
    ------
    ValueError
        If there is no such zone.

    Examples
    --------
    >>> from custvalue._dates import check_zone
    >>> check_zone("Europe/Berlin")
    'Europe/Berlin'
    """
    if zone is None:
        return None
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValueError(
            f"time_zone={zone!r} is no time zone; write one such as 'UTC' or 'Europe/Berlin'."
        ) from None


def zones_problem(name: str, *, none: bool) -> ContractProblem:
    """Say that times mix zones; ``none``: some have none at all."""
    return ContractProblem(
        "mixed-time-zones",
        f"column {name!r} mixes time zones, or times with and without one",
        "Give every time a zone, or none."
        if none
        else "Say in which zone days are cut with time_zone=, e.g. 'Europe/Berlin'.",
    )


def read_texts(
    values: pd.Series, name: str, style: str | None, zone: str | None
) -> tuple[pd.Series | None, ContractProblem | None]:
    """Text (or date objects) as datetimes, with a zone where they had one; or what is wrong.

    Parameters
    ----------
    values : Series of object
        Of the column ``name``. An index called ``line`` names rows by the lines of a file.
    style : str or None
        A strptime format; None is the forms of this module.
    zone : str or None
        Zone to show the times in, where they have one; without it they keep their own.
    """
    given = values.notna()
    text = given & values.map(lambda value: isinstance(value, str))
    in_utc = False
    if style is None and text.any():
        texts = values[text]
        bad = ~_fits(texts, _TEXT.match)
        if bad.any():
            where = np.flatnonzero(text.to_numpy())[bad]
            return None, _iso_problem(values, where, name)
        zoned = _fits(texts, _ZONED.search)
        if zoned.any() and not zoned.all():
            return None, zones_problem(name, none=True)
        in_utc = bool(zoned.any()) and zone is not None
    elif style is not None:
        in_utc = "%z" in style and zone is not None
    try:
        parsed = pd.to_datetime(values, format=style or "ISO8601", errors="coerce", utc=in_utc)
    except ValueError as error:
        if "time zone" in str(error) or "timezone" in str(error):
            return None, zones_problem(name, none=False)
        return None, ContractProblem(
            "time-format", f"time_format={style!r} is no format: {error}", "See strftime.org."
        )
    if parsed.dtype == object and given.any():  # pandas 2 keeps times of several zones as objects
        return None, zones_problem(name, none=False)
    bad = (given & parsed.isna()).to_numpy()
    if not bad.any():
        return parsed, None
    # a datetime that can't be read is one whose zone does not go with the others
    if any(isinstance(value, datetime) for value in values[bad].head()):
        return None, zones_problem(name, none=True)
    if style is None:
        return None, _iso_problem(values, np.flatnonzero(bad), name)
    if bad.sum() > MOST_UNREAD * given.sum():
        few = list(dict.fromkeys(values[bad].head(50)))[:3]
        return None, format_problem(style, name, int(bad.sum()), few)
    return parsed, None


def _iso_problem(values: pd.Series, where: npt.NDArray[np.intp], name: str) -> ContractProblem:
    named = values.index.name == "line"
    first = first_ids((f"line {values.index[i]}" for i in where) if named else where)
    return iso_problem(name, repr(values.iloc[where[0]]), len(where), first)


def _fits(texts: pd.Series, match: Callable[[str], Any]) -> npt.NDArray[np.bool_]:
    """Whether each text fits; a log has few different days."""
    codes, different = pd.factorize(texts)
    return np.array([match(text) is not None for text in different], dtype=bool)[codes]


def instant(date: Any, name: str = "cutoff") -> np.datetime64:
    """Read a date or time that is given as an argument as ``datetime64[us]``."""
    stamp = read_date(date, name)
    if stamp.tz is not None:
        stamp = stamp.tz_localize(None)
    return stamp.to_datetime64().astype("datetime64[us]")


def after(end: np.datetime64) -> np.datetime64:
    """First instant past ``end``; a date without a time of day lasts until midnight."""
    whole_day = end == end.astype("datetime64[D]")
    return end.astype("datetime64[us]") + (
        np.timedelta64(1, "D") if whole_day else np.timedelta64(1, "us")
    )


def shifted(date: np.datetime64, days: float) -> np.datetime64:
    """``date`` moved by days; whole days keep a date a date."""
    if days == int(days):
        return date + np.timedelta64(int(days), "D")
    moved = date + np.timedelta64(round(days * 86_400e6), "us")
    return moved.astype("datetime64[D]").astype("datetime64[us]")


def readable(date: np.datetime64) -> str:
    """Write an instant as a date, or with its time of day where it has one."""
    return str(np.datetime_as_string(date, unit="auto"))
