"""Whether intervals of perceived value hold: ``python -m benchmarks.survey [surveys]``.

Surveys of three brands in which some respondents are kind to everybody; weights are learned from
how much a brand is liked. What is true is what a survey of 60,000 respondents says. Printed: how
often intervals of 95 % hold the value of each brand, its advantage on the map, the gaps between
two brands and the weights.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd

from custvalue.survey import PerceivedValue

MEANS = {"us": (4.2, 3.3, 2.6), "Alpha": (3.4, 3.6, 3.2), "Beta": (2.8, 3.0, 4.1)}
SIZES = (60, 200)


def survey(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Ratings of ``n`` respondents, each of every brand."""
    halo = rng.normal(0.0, 0.7, n)
    parts = []
    for brand, means in MEANS.items():
        rated = np.clip(np.round(rng.normal(means, 0.8, (n, 3)) + halo[:, None]), 1, 5)
        liking = rated @ [0.6, 0.2, 0.3] + rng.normal(0.0, 0.5, n)
        table = pd.DataFrame(rated, columns=["quality", "service", "price"])
        parts.append(table.assign(id=np.arange(n), brand=brand, liking=liking))
    return pd.concat(parts, ignore_index=True)


def intervals(ratings: pd.DataFrame, n_draws: int) -> dict[str, pd.DataFrame]:
    """Estimate, lower and upper end of each quantity, by what it is."""
    model = PerceivedValue(
        benefits=["quality", "service"],
        sacrifices=["price"],
        scale=(1, 5),
        respondent="id",
        outcome="liking",
        weights="derived",
        n_draws=n_draws,
    ).fit(ratings)
    tables = {
        "value": (model.value_table(), "net_value"),
        "advantage": (model.value_map_table(), "advantage"),
        "gaps": (model.gap_table("us", "Alpha"), "contribution"),
        "weights": (model.weight_table().iloc[:2], "weight"),
    }
    found = {}
    for name, (table, column) in tables.items():
        low = f"{column}_low" if f"{column}_low" in table else "low"
        ends = table[[column, low, low.replace("low", "high")]]
        found[name] = ends.set_axis(["estimate", "low", "high"], axis=1).reset_index(drop=True)
    return found


def main(surveys: int = 200) -> None:
    warnings.simplefilter("ignore")
    truth = intervals(survey(60_000, np.random.default_rng(0)), 20)
    print(f"{surveys} surveys a line\n| respondents | {' | '.join(truth)} |")
    print("|---|" + "---|" * len(truth))
    for n in SIZES:
        held: dict[str, list[float]] = {name: [] for name in truth}
        for seed in range(surveys):
            for name, told in intervals(survey(n, np.random.default_rng([n, seed])), 500).items():
                true = truth[name]["estimate"]
                held[name] += ((told["low"] <= true) & (true <= told["high"])).tolist()
        print(f"| {n} | " + " | ".join(f"{np.mean(each):.0%}" for each in held.values()) + " |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
