"""Spans of time and rates of interest, converted once and never guessed.

A span is a number with a unit: ``"6H"``, ``"90D"``, ``"52W"``, ``"12M"``, ``"1Y"`` or a timedelta.
A month is 365.25 / 12 days, a year 365.25 days. A bare number is refused wherever the unit is
known.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np

from custvalue._warn import warn_caller
from custvalue.exceptions import RateWarning, TimeUnitError, first_ids

Span: TypeAlias = "str | timedelta | np.timedelta64 | float | int"

DAYS_PER = {"H": 1.0 / 24.0, "D": 1.0, "W": 7.0, "M": 365.25 / 12.0, "Y": 365.25}
NAME_OF = {"H": "hours", "D": "days", "W": "weeks", "M": "months", "Y": "years"}
_SPAN = re.compile(r"^\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]+)\s*$")
_SECONDS_PER_DAY = 86_400.0


def days_per(unit: str | timedelta | np.timedelta64, name: str = "unit") -> float:
    """Days in one ``unit``: H, D, W, M, Y, a span such as ``"4W"``, or a timedelta.

    Raises
    ------
    TimeUnitError
        If the unit is unknown or not positive.

    Examples
    --------
    >>> from custvalue._units import days_per
    >>> days_per("W"), days_per("4W"), days_per("M")
    (7.0, 28.0, 30.4375)
    """
    if isinstance(unit, str) and unit.strip().upper() in DAYS_PER:
        return DAYS_PER[unit.strip().upper()]
    if isinstance(unit, (bool, int, float)):
        raise TimeUnitError(
            f"{name}={unit!r} is a number; write one of 'H', 'D', 'W', 'M', 'Y', a span such as "
            "'4W', or a timedelta."
        )
    days = span_days(unit, name)
    if not days > 0:
        raise TimeUnitError(f"{name}={unit!r} is not a positive span of time.")
    return days


def same_unit(one: str, other: str) -> bool:
    """Whether two units are equally long: ``"4W"`` is ``"28D"``.

    Examples
    --------
    >>> from custvalue._units import same_unit
    >>> same_unit("4W", "28D"), same_unit("4W", "M")
    (True, False)
    """
    return abs(days_per(one) / days_per(other) - 1.0) <= 1e-9


def span_days(span: Span, name: str = "horizon") -> float:
    """Length of ``span`` in days; a bare number is refused.

    Raises
    ------
    TimeUnitError
        If ``span`` is a bare number, has an unknown unit, or is negative or not finite.

    Examples
    --------
    >>> from custvalue._units import span_days
    >>> span_days("2W")
    14.0
    """
    if isinstance(span, timedelta):
        days = span.total_seconds() / _SECONDS_PER_DAY
    elif isinstance(span, np.timedelta64):
        days = float(span / np.timedelta64(1, "us")) / (_SECONDS_PER_DAY * 1e6)
    elif isinstance(span, str):
        match = _SPAN.match(span)
        if match is None or match.group(2).upper() not in DAYS_PER:
            raise TimeUnitError(
                f"{name}={span!r} is not a span of time; write a number with H, D, W, M or Y, "
                "such as '90D', '52W', '12M' or '1Y'."
            )
        days = float(match.group(1)) * DAYS_PER[match.group(2).upper()]
    else:
        raise TimeUnitError(
            f"{name}={span!r} has no unit; write {name}='{span}D' for days or {name}='{span}W' "
            "for weeks."
        )
    if not np.isfinite(days) or days < 0:
        raise TimeUnitError(f"{name}={span!r} must be finite and not negative.")
    return days


def plain_span(span: Span) -> str | int | float:
    """Write a span so that JSON can hold it: a timedelta becomes its days, the rest stays.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from custvalue._units import plain_span
    >>> plain_span(timedelta(days=90)), plain_span("52W")
    ('90D', '52W')
    """
    if isinstance(span, (str, int, float)):
        return span
    return f"{in_units(span, 'D'):.17g}D"


def in_units(span: Span, unit: str | None, name: str = "horizon") -> float:
    """Length of ``span`` counted in ``unit``.

    Parameters
    ----------
    span : str, timedelta or number
    unit : str or None
        Unit of the data. Where it is None (plain arrays) only a bare number makes sense and is
        taken as it stands; where it is known a bare number is refused.
    name : str
        What the span is called in the error.

    Raises
    ------
    TimeUnitError
        If the span's unit and the data's do not fit together.

    Examples
    --------
    >>> from custvalue._units import in_units
    >>> in_units("52W", "W"), in_units("14D", "W"), in_units(3, None)
    (52.0, 2.0, 3.0)
    """
    if isinstance(span, np.timedelta64):  # to NumPy it is an integer
        span = span.astype("timedelta64[us]").item()
    number: Any = span
    bare = isinstance(span, (int, float, np.integer, np.floating)) and not isinstance(span, bool)
    if unit is None:
        if not bare:
            raise TimeUnitError(
                f"{name}={span!r} has a unit, but the model does not know the unit of its data. "
                "Pass a table made by custvalue.summarize or panel, or set unit= on the estimator."
            )
        value = float(number)
        if not np.isfinite(value) or value < 0:
            raise TimeUnitError(f"{name}={span!r} must be finite and not negative.")
        return value
    if bare:
        word = NAME_OF.get(unit.upper(), f"units of {unit}")
        suffix = unit.upper() if unit.upper() in DAYS_PER else "D"
        raise TimeUnitError(
            f"this model was fitted with time in {word}; {name}={span} has no unit. "
            f'Write {name}="{span}D" or {name}="{span}{suffix if suffix != "D" else "W"}".'
        )
    return span_days(span, name) / days_per(unit)


def rate_per(annual_discount_rate: float, period: str | timedelta | np.timedelta64) -> float:
    """Discount rate of one ``period`` from an annual one: (1 + d)^(days / 365.25) - 1.

    Raises
    ------
    ValueError
        If the rate is not finite, not above -1, or above 1: 10 is meant as 10 %.

    Warns
    -----
    RateWarning
        If the rate is negative or above 0.5 a year.

    Examples
    --------
    >>> from custvalue._units import rate_per
    >>> round(rate_per(0.10, "M"), 6)
    0.007974
    """
    rate = check_annual_rate(annual_discount_rate)
    return float(np.expm1(np.log1p(rate) * days_per(period) / DAYS_PER["Y"]))


def check_annual_rate(annual_discount_rate: float) -> float:
    """Return the rate as a float; refuse what is none, warn where it looks like a slip.

    Examples
    --------
    >>> from custvalue._units import check_annual_rate
    >>> check_annual_rate(0.1)
    0.1
    """
    try:
        rate = float(annual_discount_rate)
    except (TypeError, ValueError):
        rate = np.nan
    if not np.isfinite(rate) or rate <= -1.0:
        raise ValueError(
            f"annual_discount_rate={annual_discount_rate!r} must be a finite number above -1; "
            "10 % a year is 0.10."
        )
    if rate > 1.0:
        raise ValueError(
            f"annual_discount_rate={annual_discount_rate!r} would be {rate:.0%} a year; "
            f"{rate:g} % a year is {rate / 100:g}."
        )
    if rate < 0.0 or rate > 0.5:
        warn_caller(
            f"annual_discount_rate={rate:g} means {rate:.0%} a year; 10 % a year is 0.10.",
            RateWarning,
        )
    return rate


def check_share(
    value: Any, name: str, *, low: float = 0.0, above: bool = False, below: bool = False
) -> Any:
    """Return a share, chance or margin; refuse what is none, such as 30 where 30 % is meant.

    Parameters
    ----------
    value : float or array-like
    name : str
        What it is called in the error.
    low : float, default=0.0
        Least it may be; a margin of a product sold at a loss may be ``-np.inf``.
    above, below : bool, default=False
        Whether ``low``, or 1, itself is refused.

    Returns
    -------
    float or ndarray
        A number for a number, else an array of the same shape.

    Raises
    ------
    ValueError
        Naming the first values and their positions where there are several.

    Examples
    --------
    >>> from custvalue._units import check_share
    >>> check_share(0.3, "margin"), check_share([0.1, 1], "retention_rate").tolist()
    (0.3, [0.1, 1.0])
    """
    try:
        if np.asarray(value).dtype.kind in "bcmMSU":
            raise TypeError("no number")
        shares = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r} must be a share, such as 0.3 for 30 %.") from None
    good = np.isfinite(shares) & (shares > low if above else shares >= low)
    bad = ~(good & (shares < 1.0 if below else shares <= 1.0))
    if not bad.any():
        return float(shares) if shares.ndim == 0 else shares
    least = "" if np.isneginf(low) else f"above {low:g} and " if above else f"at least {low:g} and "
    most = "below 1" if below else "at most 1"
    worst = float(shares[bad].ravel()[0])
    cure = "30 % is 0.3."
    if worst > 1.0 and np.isfinite(worst):
        cure = f"{worst:g} would be {worst:.0%}; {worst:g} % is {worst / 100:g}."
    what = f"{name}={value!r}"
    if shares.ndim:
        where = first_ids(np.flatnonzero(bad.ravel()))
        what = f"{name}: {int(bad.sum()):,} values, first {worst:g} at position {where[0]}"
    raise ValueError(f"{what} must be a share, {least}{most}; {cure}")
