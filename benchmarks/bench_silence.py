"""Silence of every customer from a log of purchases: custvalue against pandas, same answers."""

from __future__ import annotations

import os
import time

import numpy as np
import pandas as pd

from benchmarks._race import Job
from custvalue.data import summarize
from custvalue.silence import rank_ratio, silence_score

SIZE = int(float(os.environ.get("CUSTVALUE_BENCH_SILENCE", "1e7")))
AS_OF = 730
SAMPLE = 12_000  # transactions for groupby-apply, whose time grows with the customers


def log() -> pd.DataFrame:
    """Random order, six purchases a customer, 31-bit ids with gaps, two years of days."""
    rng = np.random.default_rng(5)
    ids = np.unique(rng.integers(0, 2**31 - 1, SIZE // 6))
    share = rng.gamma(0.7, 1.0, len(ids)).cumsum()
    who = ids[np.searchsorted(share, rng.random(SIZE) * share[-1])]
    day = rng.integers(0, AS_OF, SIZE)
    when = np.datetime64("2024-01-01") + day
    return pd.DataFrame({"customer": who, "day": day, "when": when, "paid": 1.0})


def ours(data: pd.DataFrame) -> pd.DataFrame:
    """The whole door: contract, ledger, money, every gap figure of the summary."""
    table = summarize(data, customer="customer", time="when", amount="paid",
                      as_of=np.datetime64("2024-01-01") + AS_OF)  # fmt: skip
    return pd.DataFrame(
        {
            "customer": table["customer"],
            "S": silence_score(table["silence"], table["gap_max"]),
            "TrF": rank_ratio(table["n_gaps"], table["n_gaps_shorter"]),
        }
    )


def vectorised(data: pd.DataFrame) -> pd.DataFrame:
    """The usual way: drop repeats of a day, sort, group-wise difference, group-wise maximum."""
    frame = data[["customer", "day"]].drop_duplicates().sort_values(["customer", "day"])
    frame["gap"] = frame.groupby("customer")["day"].diff()
    by = frame.groupby("customer")
    table = by.agg(last=("day", "last"), n=("day", "size"), longest=("gap", "max"))
    silence = AS_OF - table["last"]
    shorter = frame["gap"] <= frame["customer"].map(silence)
    rank = shorter.groupby(frame["customer"]).sum() + 1
    return pd.DataFrame(
        {
            "customer": table.index.to_numpy(),
            "S": (silence / table["longest"]).to_numpy(),
            "TrF": (rank / table["n"]).to_numpy(),
        }
    )


def by_customer(days: pd.Series) -> pd.Series:
    """The rule as it is told, for one customer."""
    when = days.drop_duplicates().sort_values()
    gaps = when.diff().dropna()
    silence = AS_OF - when.iloc[-1]
    rank = pd.concat([gaps, pd.Series([silence])]).rank(method="max").iloc[-1]
    longest = gaps.max() if len(gaps) else np.nan
    return pd.Series({"S": silence / longest, "TrF": rank / (len(gaps) + 1)})


def applied(data: pd.DataFrame) -> pd.DataFrame:
    """groupby-apply of a sample of whole customers; its time is scaled to the whole log."""
    frame = data
    some = pd.unique(frame["customer"])[: SAMPLE // 6]
    part = frame[frame["customer"].isin(some)]
    start = time.perf_counter()
    result = part.groupby("customer")["day"].apply(by_customer).unstack().reset_index()
    result.attrs["scaled_seconds"] = (time.perf_counter() - start) * len(frame) / len(part)
    return result


def agree(results: dict[str, object]) -> None:
    pd.testing.assert_frame_equal(results["custvalue"], results["pandas vectorised"])


JOBS = [
    Job(
        name=f"silence of {SIZE:,} transactions",
        prepare=log,
        methods={"custvalue": ours, "pandas vectorised": vectorised},
        agree=agree,
        against="pandas vectorised",
        ask=18,
        repeats=3,
    ),
]

if __name__ == "__main__":
    data = log()
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        mine = ours(data)
        seconds.append(time.perf_counter() - start)
    told = applied(data)
    slow = told.attrs["scaled_seconds"]
    part = mine.set_index("customer").loc[told["customer"]].reset_index()
    np.testing.assert_allclose(part[["S", "TrF"]], told[["S", "TrF"]])
    print(
        f"groupby-apply, scaled from {len(told):,} of {len(mine):,} customers: {slow:,.0f} s; "
        f"custvalue {np.median(seconds):.2f} s -> {slow / np.median(seconds):,.0f}x "
        "(asked: 1,000x)"
    )
