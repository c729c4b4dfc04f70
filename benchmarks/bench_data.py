"""summarize and panel against lifetimes and polars on the same simulated log, side by side."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl

import custvalue as cv
from benchmarks._race import Job

AS_OF = "2025-12-31"
NAMES = {"customer": "who", "time": "when", "amount": "paid", "as_of": AS_OF}


def simulated_log(n: int, seed: int = 5) -> pd.DataFrame:
    """n rows of n/6 customers over 730 days: seconds, cents, ids of 31 bits, random order."""
    rng = np.random.default_rng(seed)
    customers = n // 6
    ids = rng.choice(2**31 - 1, size=customers, replace=False)
    rate = rng.gamma(0.7, size=customers)
    who = ids[rng.choice(customers, size=n, p=rate / rate.sum())]
    start = np.datetime64("2024-01-01", "us")
    when = start + rng.integers(0, 730 * 86_400, size=n).astype("timedelta64[s]")
    paid = np.maximum(np.round(rng.lognormal(3.0, 0.8, size=n), 2), 0.01)
    return pd.DataFrame({"who": who, "when": when, "paid": paid})


def lifetimes_summary(logs: dict[str, object]) -> pd.DataFrame:
    from lifetimes.utils import summary_data_from_transaction_data

    return summary_data_from_transaction_data(
        logs["pandas"],
        "who",
        "when",
        monetary_value_col="paid",
        observation_period_end=AS_OF,
        freq="D",
    )


def polars_group_by(logs: dict[str, object]) -> pl.DataFrame:
    """The same four columns, lazily, with whole days as integers (the fastest way found)."""
    end = int((np.datetime64(AS_OF) - np.datetime64("1970-01-01")).astype(int))
    day = pl.col("when").dt.timestamp("us") // 86_400_000_000
    return (
        logs["polars"]
        .lazy()
        .select("who", "paid", day.alias("day"))
        .filter(pl.col("day") <= end)
        .group_by("who", "day")
        .agg(pl.col("paid").sum())
        .group_by("who")
        .agg(
            (pl.len() - 1).alias("frequency"),
            (pl.col("day").max() - pl.col("day").min()).alias("recency"),
            (end - pl.col("day").min()).alias("T"),
            pl.col("paid").sum().alias("total"),
            pl.col("paid").min_by("day").alias("first"),
        )
        .with_columns(
            pl.when(pl.col("frequency") > 0)
            .then((pl.col("total") - pl.col("first")) / pl.col("frequency"))
            .alias("monetary_value")
        )
        .collect()
    )


def prepare(n: int) -> Callable[[], dict[str, object]]:
    def make() -> dict[str, object]:
        log = simulated_log(n)
        return {"pandas": log, "polars": pl.from_pandas(log)}

    return make


def agree(results: dict[str, object]) -> None:
    ours = results["custvalue"].set_index("who")
    theirs = results["polars lazy"].to_pandas().set_index("who").loc[ours.index]
    for name in ("frequency", "recency", "T", "monetary_value"):
        np.testing.assert_allclose(ours[name], theirs[name].astype(float), rtol=1e-9)
        if "lifetimes" in results and name != "monetary_value":
            np.testing.assert_allclose(ours[name], results["lifetimes"].loc[ours.index, name])


def job(n: int, ask: float, repeats: int) -> Job:
    return Job(
        name=f"summarize {n:.0e} rows ({24 * n // 10**6} MB)",
        prepare=prepare(n),
        methods={
            "custvalue": lambda logs: cv.summarize(logs["pandas"], **NAMES),
            "polars lazy": polars_group_by,
            "custvalue panel 4W": lambda logs: cv.panel(logs["pandas"], **NAMES),
            "custvalue on polars": lambda logs: cv.summarize(logs["polars"], **NAMES),
            "lifetimes": lifetimes_summary,
        },
        agree=agree,
        against="lifetimes",
        ask=ask,
        repeats=repeats,
        repeats_of={"lifetimes": 2},
    )


JOBS = [job(10**6, 15.0, 7)]
if os.environ.get("CUSTVALUE_BENCH_BIG"):  # needs about 4 GB and two minutes
    JOBS.append(job(10**7, 25.0, 3))
