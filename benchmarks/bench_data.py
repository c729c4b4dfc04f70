"""summarize and panel against lifetimes, polars and hand-written SQL, side by side.

Every rival gets the log in its own kind of table, no conversion counted. lifetimes makes its four
columns; polars and SQL are asked twice, for these four and for every column that ``summarize``
makes. polars and DuckDB use every core; custvalue uses up to four. Peak memory is the growth of the
process beside the log, the result included: 18 MB of it at 10^6 rows for every column.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import custvalue as cv
from benchmarks._race import Job

AS_OF = "2025-12-31"
END = int((np.datetime64(AS_OF) - np.datetime64("1970-01-01")).astype(int))
NAMES = {"customer": "who", "time": "when", "amount": "paid", "as_of": AS_OF}
FOUR = ("frequency", "recency", "T", "monetary_value")


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


def lifetimes_summary(logs: dict[str, Any]) -> pd.DataFrame:
    from lifetimes.utils import summary_data_from_transaction_data

    return summary_data_from_transaction_data(
        logs["pandas"],
        "who",
        "when",
        monetary_value_col="paid",
        observation_period_end=AS_OF,
        freq="D",
    )


def _polars_occasions(log: pl.LazyFrame) -> pl.LazyFrame:
    # whole days as integers: the fastest way found
    day = pl.col("when").dt.timestamp("us") // 86_400_000_000
    return (
        log.select("who", "paid", day.alias("day"))
        .filter(pl.col("day") <= END)
        .group_by("who", "day")
        .agg(pl.col("paid").sum())
    )


def polars_four(log: pl.LazyFrame) -> pl.DataFrame:
    """frequency, recency, T, monetary_value: two group-bys."""
    return (
        _polars_occasions(log)
        .group_by("who")
        .agg(
            (pl.len() - 1).alias("frequency"),
            (pl.col("day").max() - pl.col("day").min()).alias("recency"),
            (END - pl.col("day").min()).alias("T"),
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


def polars_all(log: pl.LazyFrame) -> pl.DataFrame:
    """Every column: a sort, gaps as differences of neighbours (no window), two group-bys."""
    day, gap, paid, n = pl.col("day"), pl.col("gap"), pl.col("paid"), pl.col("n_orders")
    same = pl.col("who") == pl.col("who").shift()
    figures = (
        _polars_occasions(log)
        .sort("who", "day")
        .with_columns(pl.when(same).then(day - day.shift()).alias("gap"))
        .group_by("who")
        .agg(
            pl.len().cast(pl.Int64).alias("n_orders"),
            day.min().alias("first"),
            day.max().alias("last"),
            paid.sum().alias("total_value"),
            paid.filter(gap.is_not_null()).sum().alias("repeat"),
            gap.max().alias("gap_max"),
            gap.mean().alias("gap_mean"),
            gap.std(ddof=0).alias("gap_std"),
            (gap <= END - day.max()).sum().cast(pl.Int64).alias("n_gaps_shorter"),
        )
    )
    return figures.select(
        "who",
        (n - 1).alias("frequency"),
        (pl.col("last") - pl.col("first")).cast(pl.Float64).alias("recency"),
        (END - pl.col("first")).cast(pl.Float64).alias("T"),
        (END - pl.col("last")).cast(pl.Float64).alias("silence"),
        pl.when(n > 1).then(pl.col("repeat") / (n - 1)).alias("monetary_value"),
        "n_orders",
        "total_value",
        (pl.col("total_value") / n).alias("mean_value"),
        (n - 1).alias("n_gaps"),
        "gap_mean",
        pl.col("gap_max").cast(pl.Float64),
        (pl.col("last") - pl.col("first")).cast(pl.Float64).alias("gap_sum"),
        pl.when(n > 1).then(pl.col("gap_std")).alias("gap_std"),
        "n_gaps_shorter",
        (pl.col("first") * 86_400_000_000).cast(pl.Datetime("us")).alias("first_order"),
        (pl.col("last") * 86_400_000_000).cast(pl.Datetime("us")).alias("last_order"),
    ).collect()


SQL_FOUR = f"""
WITH occasions AS (
  SELECT who, CAST("when" AS DATE) AS day, SUM(paid) AS paid
  FROM log WHERE "when" < DATE '{AS_OF}' + 1 GROUP BY ALL
)
SELECT who, COUNT(*) - 1 AS frequency, MAX(day) - MIN(day) AS recency,
  DATE '{AS_OF}' - MIN(day) AS T,
  CASE WHEN COUNT(*) > 1 THEN (SUM(paid) - ARG_MIN(paid, day)) / (COUNT(*) - 1) END
    AS monetary_value
FROM occasions GROUP BY who
"""
SQL_ALL = f"""
WITH occasions AS (
  SELECT who, CAST("when" AS DATE) AS day, SUM(paid) AS paid
  FROM log WHERE "when" < DATE '{AS_OF}' + 1 GROUP BY ALL
), gaps AS (
  SELECT who, day, paid, day - LAG(day) OVER (PARTITION BY who ORDER BY day) AS gap,
    DATE '{AS_OF}' - MAX(day) OVER (PARTITION BY who) AS silence
  FROM occasions
)
SELECT who, COUNT(*) - 1 AS frequency, CAST(MAX(day) - MIN(day) AS DOUBLE) AS recency,
  CAST(DATE '{AS_OF}' - MIN(day) AS DOUBLE) AS T, CAST(ANY_VALUE(silence) AS DOUBLE) AS silence,
  AVG(paid) FILTER (gap IS NOT NULL) AS monetary_value, COUNT(*) AS n_orders,
  SUM(paid) AS total_value, AVG(paid) AS mean_value, COUNT(gap) AS n_gaps,
  AVG(gap) AS gap_mean, CAST(MAX(gap) AS DOUBLE) AS gap_max,
  CAST(COALESCE(SUM(gap), 0) AS DOUBLE) AS gap_sum, STDDEV_POP(gap) AS gap_std,
  COUNT(*) FILTER (gap <= silence) AS n_gaps_shorter,
  CAST(MIN(day) AS TIMESTAMP) AS first_order, CAST(MAX(day) AS TIMESTAMP) AS last_order
FROM gaps GROUP BY who
"""


def prepare(n: int) -> Callable[[], dict[str, Any]]:
    def make() -> dict[str, Any]:
        log = simulated_log(n)
        return {"pandas": log, "polars": pl.from_pandas(log)}

    return make


def on_disk(n: int) -> Callable[[], str]:
    """Write the log to Parquet, once, and return where it is."""

    def make() -> str:
        folder = Path(os.environ.get("CUSTVALUE_BENCH_DIR", tempfile.gettempdir()))
        path = folder / f"custvalue_bench_{n}.parquet"
        if not path.exists():
            pl.from_pandas(simulated_log(n)).write_parquet(path)
        return str(path)

    return make


def by_sql(path: str, text: str) -> Any:
    con = duckdb.connect()
    con.sql(f"CREATE VIEW log AS SELECT * FROM '{path}'")
    return con.sql(text).to_arrow_table()


def by_duckdb(path: str) -> Any:
    return cv.summarize(duckdb.connect().read_parquet(path), **NAMES).to_arrow_table()


def agree(results: dict[str, Any]) -> None:
    ours = _as_pandas(results["custvalue"])
    for method, made in results.items():
        if "panel" in method:
            continue
        theirs = _as_pandas(made).loc[ours.index]
        names = set(ours.columns) & set(theirs.columns)
        assert names >= set(FOUR)
        if method == "lifetimes":  # says 0, not missing, where nobody came back
            names.discard("monetary_value")
        for name in names:
            one, other = ours[name], theirs[name]
            if name in ("first_order", "last_order"):
                one, other = (
                    c.to_numpy().astype("datetime64[D]").astype(int) for c in (one, other)
                )
            np.testing.assert_allclose(
                np.asarray(one, float), np.asarray(other, float), rtol=1e-9, atol=1e-9
            )


def _as_pandas(table: Any) -> pd.DataFrame:
    if hasattr(table, "to_pandas"):
        table = table.to_pandas()
    return table.set_index("who") if "who" in table.columns else table


def job(n: int, ask: float, repeats: int) -> Job:
    return Job(
        name=f"summarize {n:.0e} rows ({24 * n // 10**6} MB)",
        prepare=prepare(n),
        methods={
            "custvalue": lambda logs: cv.summarize(logs["pandas"], **NAMES),
            "polars lazy, same columns": lambda logs: polars_all(logs["polars"].lazy()),
            "polars lazy, four columns": lambda logs: polars_four(logs["polars"].lazy()),
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


def parquet_job(n: int, repeats: int) -> Job:
    return Job(
        name=f"summarize {n:.0e} rows from Parquet, lazily",
        prepare=on_disk(n),
        methods={
            "custvalue": by_duckdb,  # on a DuckDB relation
            "hand-written SQL, same columns": lambda path: by_sql(path, SQL_ALL),
            "hand-written SQL, four columns": lambda path: by_sql(path, SQL_FOUR),
            "custvalue on polars lazy": lambda path: cv.summarize(
                pl.scan_parquet(path), **NAMES
            ).collect(),
            "hand-written polars, same columns": lambda path: polars_all(pl.scan_parquet(path)),
        },
        agree=agree,
        against="hand-written SQL, same columns",
        ask=1 / 1.5,
        repeats=repeats,
    )


BIG = bool(os.environ.get("CUSTVALUE_BENCH_BIG"))  # needs about 4 GB and two minutes
JOBS = [job(10**6, 15.0, 7), parquet_job(10**6, 5)]
if BIG:
    JOBS += [job(10**7, 25.0, 3), parquet_job(10**7, 3)]
