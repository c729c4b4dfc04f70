"""How much work a report will be, estimated before it is begun."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from custvalue._units import span_days
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning

if TYPE_CHECKING:
    import pandas as pd

# behind and ahead together; the chain's work grows with more than the square of it, and within this
# bound a log of thousands of customers takes seconds to a minute
MOST_PERIODS = 300


def check_work(summary: pd.DataFrame, as_of: np.datetime64, period: str, horizon: str) -> None:
    """Refuse a report whose chain would have more periods than can be worked through.

    Raises
    ------
    DataContractError
        Naming the number of periods, and the dates that make it if one order stands alone.
    """
    first = summary["first_order"].to_numpy().astype("datetime64[D]")
    length = span_days(period, "period")
    behind = math.ceil(int((as_of - first.min()) / np.timedelta64(1, "D")) / length)
    ahead = math.ceil(span_days(horizon) / length)
    if behind + ahead <= MOST_PERIODS:
        return
    usual = np.median(first.astype(np.int64))
    last = summary["last_order"].to_numpy().astype("datetime64[D]").max()
    cure = "Give a longer period or a shorter horizon."
    if (as_of - last) / np.timedelta64(1, "D") > length * MOST_PERIODS / 2:
        cure = f"The last order is of {last}: give an earlier as_of."
    elif usual - int(first.min().astype(np.int64)) > length * behind / 2:
        cure = f"Hardly any order is as old as the first, of {first.min()}: correct its date."
    raise DataContractError(
        ContractProblem(
            "too-many-periods",
            f"from {first.min()} to {as_of} there are {behind:,} periods of {period}, and "
            f"{ahead:,} in the horizon of {horizon}; a report's chain goes through "
            f"{MOST_PERIODS} at most",
            cure,
        )
    )


def warn_of_old_customers(summary: pd.DataFrame, as_of: np.datetime64) -> None:
    """Say that a log begins in the middle of a shop's life, where its first weeks tell.

    Then the first four weeks have many times the first orders of any later ones. A cohort, which
    has no first orders later, is none of it.
    """
    born = summary["first_order"].to_numpy().astype("datetime64[D]")
    block = ((born - born.min()) / np.timedelta64(28, "D")).astype(np.int64)
    whole = int((as_of - born.min()) / np.timedelta64(28, "D"))
    counts = np.bincount(block[block < whole], minlength=max(whole, 1))
    later = counts[3:]
    if len(later) < 4 or counts[0] < 20 or not np.median(later) > 0:
        return
    usual = float(np.median(later))
    if counts[0] >= 4 * usual and counts[0] > 2 * later.max():
        warnings.warn(
            f"{int(counts[0]):,} customers have their first order in the log's first four weeks, "
            f"against {usual:,.0f} in four later ones: the log seems to begin in the middle, and "
            "most of them had bought before. They are called new, their T is too short, and the "
            "laws take them for a rush of newcomers; take an earlier log, or leave out who was "
            "there before.",
            DataWarning,
            stacklevel=2,
        )
