"""Whether the chance of an order is right: ``python -m benchmarks.calibration [log ...]``.

For ``cdnow`` and ``online_retail`` (skipped where its folder is not there, see ``accuracy``):

* customers left out: each random half of the customers by a model learned on the other half, at
  the same date;
* dates left out: learned on the window before each date, checked on the window after it, so that a
  season that changes shows; mean chance, share who ordered, and the mean distance between both in
  ten groups;
* what was tried to do better across time, each free of anything after the date: two earlier dates
  stacked, and the last window's miss carried forward.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import custvalue as cv
from benchmarks.accuracy import cdnow, online_retail
from custvalue.exceptions import CustvalueWarning
from custvalue.silence._learning import ordered_between
from custvalue.silence._return_chance import reliability_table

WINDOW = 90
LOGS = ["cdnow", "online_retail"]


@dataclass(frozen=True)
class Case:
    """A log, the date for customers left out, and the dates that are forecast from."""

    summary_at: Callable[[str], Any]
    half_at: str
    dates: tuple[str, ...]


def case(name: str) -> Case:
    """Read one of the two logs."""
    scenario = {"cdnow": cdnow, "online_retail": online_retail}[name]()

    @cache
    def summary_at(day: str) -> Any:
        return cv.summarize(scenario.log, **scenario.names, as_of=day)

    if name == "cdnow":
        months = ("09-30", "10-31", "11-30", "12-31")
        dates = (*(f"1997-{m}" for m in months), "1998-01-31", "1998-02-28", "1998-03-31")
        return Case(summary_at, "1998-03-31", dates)
    dates = tuple(f"2011-{m}" for m in ("05-31", "06-30", "07-31", "08-31", "09-10"))
    return Case(summary_at, "2011-08-31", dates)


def day_before(day: str, days: int) -> str:
    """ISO date so many days earlier."""
    return str(np.datetime64(day, "D") - np.timedelta64(days, "D"))


def lesson(at: Callable[[str], Any], day: str) -> tuple[Any, Any]:
    """Customers as known on a day, and who ordered within the window after it."""
    known = at(day)
    return known, ordered_between(known, at(day_before(day, -WINDOW)))


def learned(known: Any, ordered: Any) -> cv.SilenceScorer:
    """A calibrated scorer; small halves may warn of a rough chance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CustvalueWarning)
        scorer = cv.SilenceScorer(method="calibrated", window=f"{WINDOW}D", unit="D")
        return scorer.fit(known, ordered)


def chance(model: cv.SilenceScorer, table: Any) -> Any:
    """Chance of an order of every row."""
    return 1.0 - model.score_samples(table)


def distance(ordered: Any, p: Any) -> float:
    """Mean distance between chance and share in ten groups, weighted by customers."""
    table = reliability_table(ordered, p)
    gap = (table["predicted"] - table["observed"]).abs()
    return float((gap * table["customers"]).sum() / table["customers"].sum())


def customers_left_out(one: Case, n_groups: int = 5) -> tuple[pd.DataFrame, float]:
    """Each half of the customers by a model learned on the other half; with the Brier score."""
    known, ordered = lesson(one.summary_at, one.half_at)
    half = np.random.default_rng(1).random(len(known)) < 0.5
    p = np.empty(len(known))
    for rest, out in ((half, ~half), (~half, half)):
        p[out] = chance(learned(known[rest], ordered[rest]), known[out])
    return reliability_table(ordered, p, n_groups=n_groups), float(np.mean((p - ordered) ** 2))


def dates_left_out(one: Case) -> pd.DataFrame:
    """Learn before each date, check after it, in the three manners."""
    rows = []
    for day in one.dates:
        now, came = lesson(one.summary_at, day)
        last, before = (lesson(one.summary_at, day_before(day, k * WINDOW)) for k in (1, 2))
        model = learned(*last)
        p = chance(model, now)
        both = learned(pd.concat([last[0], before[0]]), np.append(last[1], before[1]))
        ways = {
            "one date": p,
            "two dates": chance(both, now),
            "miss carried": shifted(p, miss(chance(learned(*before), last[0]), last[1])),
        }
        rows += [
            {
                "as_of": day,
                "way": way,
                "chance": q.mean(),
                "came": came.mean(),
                "distance": distance(came, q),
                "brier": np.mean((q - came) ** 2),
            }
            for way, q in ways.items()
        ]
    return pd.DataFrame(rows)


def miss(p: Any, ordered: Any) -> float:
    """Shift of the log odds that would have made the mean chance right."""
    low, high = -8.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if shifted(p, middle).mean() < ordered.mean() else (low, middle)
    return middle


def shifted(p: Any, by: float) -> Any:
    """Chances with their log odds moved."""
    odds = np.log(np.clip(p, 1e-9, 1 - 1e-9)) - np.log1p(-np.clip(p, 1e-9, 1 - 1e-9))
    return 1.0 / (1.0 + np.exp(-(odds + by)))


def main(names: list[str]) -> None:
    for name in names:
        try:
            one = case(name)
        except FileNotFoundError as reason:
            print(f"\n## {name}\nskipped: {reason}")
            continue
        left_out, brier = customers_left_out(one)
        print(f"\n## {name}, {WINDOW} days\n\nCustomers left out, as of {one.half_at}:\n")
        print(left_out.round(3).to_string(index=False))
        print(f"Brier {brier:.4f}\n\nDates left out:\n")
        dates = dates_left_out(one)
        wide = dates[dates["way"] == "one date"].drop(columns="way")
        print(wide.round(3).to_string(index=False))
        print("\nMeans over the dates:\n")
        print(dates.groupby("way", sort=False)[["distance", "brier"]].mean().round(4).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", nargs="*", metavar="log", help="cdnow, online_retail")
    main(parser.parse_args().log or LOGS)
