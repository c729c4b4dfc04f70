"""What a log cannot tell, and why: one customer, nobody twice, one price, one rhythm, few days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._units import span_days
from custvalue.report._blocks import span
from custvalue.report._words import Words

if TYPE_CHECKING:
    import pandas as pd

SAME = 1e-9  # of the mean: amounts that differ by less are one
STEADY = 0.15  # spread of a customer's gaps over their mean, below which they are a rhythm
FEW_GAPS = 3  # of one's own: fewer show no rhythm


def limit_facts(
    customers: pd.DataFrame, summary: pd.DataFrame, days: float, horizon: str
) -> dict[str, Any]:
    """Tell what the log has none of, plain JSON values.

    Parameters
    ----------
    customers : DataFrame
        The report's table.
    summary : DataFrame
        With ``gap_mean``, ``gap_std``, ``n_gaps``.
    days : float
        From the first order to the as-of date.
    horizon : str
    """
    mean = customers["mean_value"].to_numpy(dtype=float)
    several = summary["n_gaps"].to_numpy() >= FEW_GAPS
    steady = (summary["gap_std"] / summary["gap_mean"]).to_numpy(dtype=float)[several]
    return {
        "one_customer": len(customers) == 1,
        "nobody_twice": bool((customers["n_orders"] == 1).all()),
        "one_price": len(mean) > 1 and bool(np.ptp(mean) <= SAME * abs(mean.mean())),
        "rhythm": bool(2 * several.sum() > len(summary) and np.median(steady) <= STEADY),
        "days": days,
        "short": days < span_days(horizon) / 2.0,
    }


def limit_notes(limits: dict[str, Any], horizon: str, w: Words) -> list[str]:
    """Say it in sentences; nothing where there is nothing to say."""
    notes = []
    if limits["one_customer"]:
        notes.append(
            w(
                "There is one customer: segments, scores and shares compare with nobody, and the "
                "forecast is a law's guess."
            )
        )
    if limits["nobody_twice"]:
        notes.append(
            w(
                "Nobody has ordered twice. When customers come back, and whether they do, this log "
                "cannot tell: a forecast of no orders says that none has come back yet."
            )
        )
    if limits["one_price"]:
        notes.append(
            w(
                "All customers spend the same per order: what a customer is worth differs by the "
                "number of orders alone."
            )
        )
    if limits["rhythm"]:
        notes.append(
            w(
                "Most customers order in a fixed rhythm, as subscribers do. An order that does not "
                "come in time is more likely an end than a pause, and laws of chance purchases see "
                "the end too late."
            )
        )
    if limits["short"]:
        notes.append(
            w(
                "The log covers {n:,.0f} days, less than half of the {span} that are forecast: the "
                "forecast goes beyond what was seen, and no earlier date can test it in full.",
                n=limits["days"],
                span=span(horizon, w),
            )
        )
    return notes
