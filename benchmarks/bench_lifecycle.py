"""Staging customers by the eight-stage rules against the same rules in a pandas apply."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks._race import Job
from custvalue.grades import ValueGrades
from custvalue.lifecycle import LifecycleClassifier

MONTH = 365.25 / 12


def simulated_customers(n: int, seed: int = 7) -> pd.DataFrame:
    """Columns of a summary in days, with two CRM flags, over every stage that they give."""
    rng = np.random.default_rng(seed)
    orders = rng.geometric(0.25, n)
    gap = rng.gamma(2.0, 25.0, n)
    repeat = orders > 1
    return pd.DataFrame({
        "n_orders": orders,
        "recency": gap * (orders - 1),
        "silence": rng.exponential(150.0, n),
        "gap_max": np.where(repeat, 2 * gap, np.nan),
        "gap_mean": np.where(repeat, gap, np.nan),
        "gap_std": np.where(repeat, gap * rng.uniform(0.3, 2.0, n), np.nan),
        "total_value": rng.gamma(2.0, 50.0, n),
        "open_dispute": rng.uniform(size=n) < 0.01,
        "terminated": rng.uniform(size=n) < 0.01,
    })  # fmt: skip


def row_by_row(frame: pd.DataFrame, value_from: float) -> pd.Series:
    """The rules as one would write them first: a function of a row."""

    def stage(row: pd.Series) -> str:
        longest = row["gap_max"] if row["n_orders"] > 1 else 0.0
        established = row["n_orders"] >= 3 and row["recency"] >= 2 * MONTH
        if row["terminated"]:
            return "exited"
        if row["open_dispute"]:
            return "problem"
        if row["silence"] >= 365.25 and row["silence"] > 3 * longest:
            return "exited"
        if established and row["silence"] >= MONTH and row["silence"] > 2 * longest:
            return "problem"
        if (
            established
            and row["n_orders"] >= 6
            and row["recency"] >= 5 * MONTH
            and row["gap_std"] <= 1.5 * row["gap_mean"]
            and row["total_value"] >= value_from
        ):
            return "core"
        return "established" if established else "new"

    return frame.apply(stage, axis=1)


def fitted(n: int) -> dict[str, object]:
    frame = simulated_customers(n)
    return {"frame": frame, "model": LifecycleClassifier(unit="D").fit(frame)}


def agree(results: dict[str, object]) -> None:
    assert (np.asarray(results["custvalue"]) == np.asarray(results["pandas apply"])).all()


JOBS = [
    Job(
        name="stages of 100,000 customers",
        prepare=lambda: fitted(100_000),
        methods={
            "custvalue": lambda d: d["model"].predict(d["frame"]),
            "pandas apply": lambda d: row_by_row(d["frame"], d["model"].thresholds_.core_value),
        },
        agree=agree,
        against="pandas apply",
        ask=50.0,
        repeats_of={"pandas apply": 1},
    ),
    Job(
        name="stages of 1,000,000 customers",
        prepare=lambda: fitted(1_000_000),
        methods={
            "custvalue": lambda d: d["model"].predict(d["frame"]),
            "stage_table with rules in words": lambda d: d["model"].stage_table(d["frame"]),
            "upgrade_table": lambda d: d["model"].upgrade_table(d["frame"]),
            "fit": lambda d: LifecycleClassifier(unit="D").fit(d["frame"]),
        },
        repeats=3,
    ),
    Job(
        name="five grades of 1,000,000 customers",
        prepare=lambda: simulated_customers(1_000_000),
        methods={
            "custvalue": lambda frame: ValueGrades().fit(frame).transform(frame),
            "pandas qcut": lambda frame: pd.qcut(frame["total_value"], 5, labels=False),
        },
        repeats=3,
    ),
]
