"""A funnel of a million deals from a shuffled event log: fit, and resampling of the deals."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._race import Job
from custvalue.funnel import FunnelChain

DEALS = int(float(os.environ.get("CUSTVALUE_BENCH_DEALS", "1e6")))
DRAWS = int(os.environ.get("CUSTVALUE_BENCH_DRAWS", "200"))
STAGES = ["lead", "qualified", "need", "proposal", "negotiation", "contract"]
AS_OF = "2021-12-31"


def log() -> pd.DataFrame:
    """Deals through up to six stages, five events a deal, two outcomes, some open."""
    rng = np.random.default_rng(0)
    k = len(STAGES)
    day = np.column_stack([np.zeros(DEALS, int), rng.geometric(0.05, (DEALS, k)).cumsum(axis=1)])
    day += rng.integers(0, 600, DEALS)[:, None]
    length = rng.choice(np.arange(2, k + 2), DEALS, p=[0.1, 0.1, 0.2, 0.2, 0.2, 0.2])
    there = np.arange(k + 1) < length[:, None]
    stage = np.broadcast_to(np.arange(k + 1), there.shape).copy()
    ends = (rng.random(DEALS) < 0.8) | (length == k + 1)
    at = length[ends] - 1
    stage[np.flatnonzero(ends), at] = k + (rng.random(int(ends.sum())) < 0.6)
    names = np.array([*STAGES, "won", "lost"])
    deal = np.broadcast_to(np.arange(DEALS)[:, None], there.shape)[there]
    order = rng.permutation(len(deal))
    events = pd.DataFrame({"deal": deal[order], "stage": names[stage[there][order]]})
    events["time"] = np.datetime64("2020-01-01") + day[there][order]
    return events


def fit(events: Any) -> FunnelChain:
    return FunnelChain(STAGES, age_classes=8).fit(events, as_of=AS_OF)


def resample(given: Any) -> Any:
    events, funnel = given
    return funnel.bootstrap(events, n_draws=DRAWS, random_state=0)


def both() -> Any:
    events = log()
    return events, fit(events)


def habit(events: Any) -> pd.Series:
    """What is mostly done: share won of all deals that were ever in a stage."""
    won = set(events.loc[events["stage"] == "won", "deal"])
    pairs = events[events["stage"].isin(STAGES)].drop_duplicates(["deal", "stage"])
    return pairs["deal"].isin(won).groupby(pairs["stage"]).mean()


JOBS = [
    Job(
        name=f"fit of {DEALS:,} deals",
        prepare=log,
        methods={"custvalue": fit, "stage rates in pandas": habit},
        repeats=3,
    ),
    Job(
        name=f"bootstrap of {DRAWS} draws of {DEALS:,} deals",
        prepare=both,
        methods={"custvalue": resample},
        repeats=1,
    ),
]
