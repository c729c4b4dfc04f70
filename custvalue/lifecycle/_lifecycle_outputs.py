"""What is read of a staged customer base as a whole: health, history, drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._dates import read_day
from custvalue._warn import warn_caller
from custvalue.exceptions import ProblemShareWarning

RHYTHM = ("n_orders", "recency", "silence")


def rhythm(
    codes: npt.NDArray[np.intp], n_groups: int, at: dict[str, npt.NDArray[np.float64]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Orders a customer, orders a customer and unit of time, and mean gap of each group."""
    buyers = np.nan_to_num(at["n_orders"]) > 0
    orders = np.where(buyers, np.nan_to_num(at["n_orders"]), 0.0)
    span = np.where(buyers, np.nan_to_num(at["recency"]), 0.0)
    seen = np.where(buyers, span + np.nan_to_num(at["silence"]), 0.0)

    def total(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(codes, weights=values, minlength=n_groups).astype(np.float64)

    def ratio(top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        below = total(bottom)
        out = np.full(n_groups, np.nan)
        return np.divide(total(top), below, out=out, where=below > 0)

    return {
        "mean_orders": ratio(orders, np.ones(len(orders))),
        "order_rate": ratio(orders, seen),
        "gap_mean": ratio(span, np.maximum(orders - 1.0, 0.0)),
    }


def warn_of_problems(problems: int, present: int, ceiling: float) -> None:
    """Say that problem customers are too many."""
    # counts, not shares, so that exactly 3 of 100 is not above 3 %
    if problems <= ceiling * present * (1 + 1e-12):
        return
    warn_caller(
        f"{problems:,} of {present:,} present customers ({problems / present:.1%}) are problem "
        f"customers; the ceiling is {ceiling:.1%}. upgrade_table says what each of them wants.",
        ProblemShareWarning,
    )


def days_before(as_of: Any, days: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    """Dates that lie the given number of days before ``as_of``; NaT where days are NaN."""
    end = read_day(as_of).astype("datetime64[ms]")
    out = np.full(days.shape, np.datetime64("NaT"), dtype="datetime64[ms]")
    known = ~np.isnan(days)
    whole = end - np.round(days[known] * 86_400_000).astype("timedelta64[ms]")
    out[known] = whole.astype("datetime64[D]")
    return out
