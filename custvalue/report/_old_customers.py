"""Whether a log begins in the middle of a shop's life."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from custvalue._warn import warn_caller
from custvalue.exceptions import DataWarning

if TYPE_CHECKING:
    import pandas as pd


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
        warn_caller(
            f"{int(counts[0]):,} customers have their first order in the log's first four weeks, "
            f"against {usual:,.0f} in four later ones: the log seems to begin in the middle, and "
            "most of them had bought before. They are called new, their T is too short, and the "
            "laws take them for a rush of newcomers; take an earlier log, or leave out who was "
            "there before.",
            DataWarning,
        )
