"""How much work a report is, estimated before it begins: one wrong date must not take a machine."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from custvalue._units import span_days
from custvalue.exceptions import ContractProblem, DataContractError

if TYPE_CHECKING:
    import numpy.typing as npt

    from custvalue.report._collect import Asked

MOST_AHEAD = 400  # periods: a year of days, thirty of four weeks
MOST_SEEN = 4_000  # periods of the log: eleven years of days
MOST_ROWS = 40_000_000  # of the panel: some 5 GB


def check_ahead(asked: Asked) -> None:
    """Refuse a horizon of more periods than any report forecasts.

    Parameters
    ----------
    asked : Asked

    Raises
    ------
    ValueError
    """
    ahead = _ahead(asked)
    if ahead > MOST_AHEAD:
        raise ValueError(
            f"horizon={asked.horizon!r} is {ahead:,.0f} periods of {asked.period!r}, more than a "
            f"report forecasts; give a shorter horizon or a longer period, such as "
            f"{_enough(asked, 1.0)!r}."
        )


def check_size(
    asked: Asked, as_of: np.datetime64, days: npt.ArrayLike, most: float = math.inf
) -> None:
    """Refuse a log whose panel or chain would be larger than a machine can take.

    Parameters
    ----------
    asked : Asked
    as_of : datetime64
    days : array-like of shape (n_customers,)
        From each customer's first order to the as-of date.
    most : float
        Customers whose periods are looked at, drawn of all.

    Raises
    ------
    DataContractError
        With the first order, the as-of date, and a period that is long enough.
    """
    T = np.asarray(days, dtype=float)
    end, length, longest = as_of.astype(date), span_days(asked.period), float(T.max(initial=0.0))
    first = end - timedelta(days=longest)
    problems = []
    where = f"first order {first}, as-of date {end}"
    rows, periods = float((T // length + 1).mean()) * min(len(T), most), longest // length + 1
    if rows > MOST_ROWS or periods > MOST_SEEN:
        problems.append(
            ContractProblem(
                "too-many-periods",
                f"{where}: {periods:,.0f} periods of {asked.period!r} seen, {_ahead(asked):,.0f} "
                f"ahead, {rows:,.0f} rows of customers and periods, more than a report works "
                "through",
                "If a date is wrong, mend it (0001-01-01 and 9999-12-31 often stand for none); "
                f"else choose a longer period, such as {_enough(asked, periods, rows)!r}, or a "
                "shorter horizon.",
            )
        )
    if (date.max - end).days < span_days(asked.horizon):
        problems.append(
            ContractProblem(
                "beyond-the-calendar",
                f"the as-of date {end} plus {asked.horizon} lies beyond the year 9999",
                "Give the date until which orders are in the log.",
            )
        )
    if problems:
        raise DataContractError(problems)


def _ahead(asked: Asked) -> float:
    return max(math.ceil(span_days(asked.horizon) / span_days(asked.period)), 1)


def _enough(asked: Asked, periods: float, rows: float = 0.0) -> str:
    """Shortest period in whole weeks that is long enough."""
    longer = max(_ahead(asked) / MOST_AHEAD, periods / MOST_SEEN, rows / MOST_ROWS)
    return f"{math.ceil(longer * span_days(asked.period) / 7.0)}W"
