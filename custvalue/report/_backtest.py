"""The forecast tested on the past: the last part of the log is held back and forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from custvalue._frames import facts_of, with_facts
from custvalue._units import span_days
from custvalue.evaluation import backtest
from custvalue.markov import MarkovCLVEstimator
from custvalue.metrics import calibration_table
from custvalue.plotting import tracking_table

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
KNOTS = 13
LEAST_PERIODS = 3
GROUPS = 10
OURS = "chain over customer states"


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


def chain(horizon: str, rate: float, margin: float) -> MarkovCLVEstimator:
    """Make the estimator that values customers, here and in the report alike."""
    return MarkovCLVEstimator(horizon=horizon, annual_discount_rate=rate, margin=margin)


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
        {OURS: chain(days, 0.0, 1.0)},
        log,
        **{**names, "as_of": facts.as_of},  # the shop was open until then, orders or not
        cutoffs=[str(cutoff)],
        horizon=days,
        period=facts.period,
    )
    forecast = result.predictions[OURS].to_numpy(dtype=float)
    actual = result.predictions["actual"].to_numpy(dtype=float)

    seen = with_facts(history[history["period"] <= cut].copy(), facts)
    latest = seen.groupby(facts.customer, sort=False).tail(1)
    model = chain(days, 0.0, 1.0).fit(seen)
    expected = np.full(last + 1, np.nan)
    expected[cut + 1 :] = np.diff(running_spend(model, latest, length, held))
    known = history[history[facts.customer].isin(latest[facts.customer])]
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


def running_spend(model: Any, latest: pd.DataFrame, days: int, periods: int) -> list[float]:
    """Sum of what all rows of ``latest`` bring within 0, 1, ..., ``periods`` periods."""
    # each sum costs a roll-out as long as its horizon: of many periods the first are asked for and
    # some of the rest, between which the curve bends so little that interpolating it agrees to a
    # thousandth
    near = min(periods, KNOTS)
    far = np.rint(np.linspace(near, periods, KNOTS + 1)).astype(int)
    some = np.unique(np.concatenate([np.arange(near + 1), far]))
    sums = [0.0] + [
        float(model.predict(latest, horizon=f"{days * k}D").sum()) for k in some[1:].tolist()
    ]
    return PchipInterpolator(some, sums)(np.arange(periods + 1)).tolist() if periods else sums
