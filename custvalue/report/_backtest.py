"""The forecast tested on the past: the last part of the log is held back and forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._frames import facts_of
from custvalue._typing import Floats
from custvalue._units import span_days
from custvalue.data import summarize
from custvalue.evaluation import backtest
from custvalue.metrics import calibration_table
from custvalue.plotting._for_rooms import tracking_table
from custvalue.purchase import MBGNBD
from custvalue.value import CustomerValue

if TYPE_CHECKING:
    import pandas as pd

LEAST_PERIODS = 3
GROUPS = 10
OURS = "orders x spend per order"


@dataclass(frozen=True)
class Tested:
    """Forecast and outcome of the held-back part.

    Parameters
    ----------
    cutoff : str
        Last day that the methods saw.
    span : str
        Length of what was held back.
    forecast, actual : ndarray of shape (n_customers,)
        Undiscounted spend of each customer known at the cutoff.
    scores : DataFrame
        One row a method, as `custvalue.evaluation.backtest` scores them.
    tracking, groups : DataFrame
        What the pictures show.
    """

    cutoff: str
    span: str
    forecast: Floats
    actual: Floats
    scores: pd.DataFrame
    tracking: pd.DataFrame
    groups: pd.DataFrame


def model_of(horizon: str, rate: float, margin: float) -> CustomerValue:
    """Make the estimator that says all of a customer's future, here and in the report alike."""
    return CustomerValue(
        purchases=MBGNBD(), horizon=horizon, annual_discount_rate=rate, margin=margin
    )


def hold_back(
    log: Any, names: dict[str, Any], history: pd.DataFrame, horizon: str
) -> Tested | None:
    """Forecast the end of the log from its beginning.

    Parameters
    ----------
    log : frame
    names : dict
        Columns and policies, as `custvalue.summarize` takes them.
    history : DataFrame
        The panel of the whole log.
    horizon : str
        As in the report; at most half of the periods are held back.

    Returns
    -------
    Tested or None
        None where the log is too short to hold back anything, or no known customer bought in
        the part held back: there is nothing to compare with.
    """
    facts = facts_of(history)
    assert facts is not None  # panel always states them
    assert facts.period is not None
    last = int(history["period"].max())
    length = round(span_days(facts.period))
    held = min(round(span_days(horizon) / length), (last + 1) // 2)
    cut = last - held
    if held < LEAST_PERIODS or cut + 1 < LEAST_PERIODS:
        return None
    early = history.loc[history["period"] <= cut, facts.customer].unique()
    later = history[(history["period"] > cut) & history[facts.customer].isin(early)]
    if not later["spend"].sum() > 0:
        return None
    cutoff = np.datetime64(facts.as_of, "D") - np.timedelta64(held * length, "D")
    days = f"{held * length}D"
    result = backtest(
        {OURS: model_of(days, 0.0, 1.0)},
        log,
        **{**names, "as_of": facts.as_of},  # the shop was open until then, orders or not
        cutoffs=[str(cutoff)],
        horizon=days,
        period=facts.period,
    )
    forecast = result.predictions[OURS].to_numpy(dtype=float)
    actual = result.predictions["actual"].to_numpy(dtype=float)

    seen = summarize(log, **{**names, "as_of": str(cutoff)}, unit="D")
    model = model_of(days, 0.0, 1.0).fit(seen)
    ahead = model.value_by_period(seen, period=f"{length}D")
    expected = np.full(last + 1, np.nan)
    expected[cut + 1 :] = ahead["expected"]
    known = history[history[facts.customer].isin(early)]
    spent = known.groupby("period")["spend"].sum().reindex(range(last + 1), fill_value=0.0)
    first = np.datetime64(facts.as_of, "D") - np.timedelta64(last * length, "D")
    ends = first + np.arange(last + 1) * np.timedelta64(length, "D")
    return Tested(
        cutoff=str(cutoff),
        span=f"{held * length // 7}W" if held * length % 7 == 0 else days,
        forecast=forecast,
        actual=actual,
        scores=result.table,
        tracking=tracking_table(ends, spent.to_numpy(), expected),
        groups=calibration_table(actual, forecast, n_groups=GROUPS),
    )
