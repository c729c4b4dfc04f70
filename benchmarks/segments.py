"""How many segments come out alike in customers drawn again: ``python -m benchmarks.segments``.

The public grocery customers (of the folder that CUSTVALUE_DATA names), in three bases: person,
basket (logarithms of spend) and channel. For each number of segments the mean adjusted Rand index
of 20 refits with the fit, and the share of the squares of log spend between the segments.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from custvalue.market import MixedSegments

PERSON = ["Year_Birth", "Income", "Kidhome", "Teenhome", "Education", "Marital_Status"]


def customers() -> pd.DataFrame:
    table = pd.read_parquet(Path(os.environ["CUSTVALUE_DATA"]) / "grocery_customers.parquet")
    odd = (table["Year_Birth"] < 1930) | (table["Income"] > 200_000)
    table = table[~odd & table["Income"].notna()].reset_index(drop=True)
    basket = [name for name in table if name.startswith("Mnt")]
    table["spend"] = np.log1p(table[basket].sum(axis=1))
    table[basket] = np.log1p(table[basket])
    return table


def main(seeds: tuple[int, ...] = (0, 1), most: int = 7) -> None:
    warnings.simplefilter("ignore")
    table = customers()
    bases = {
        "person": PERSON,
        "basket": [name for name in table if name.startswith("Mnt")],
        "channel": [name for name in table if name.startswith("Num")],
    }
    spread = ((table["spend"] - table["spend"].mean()) ** 2).sum()
    print(f"{len(table):,} customers\n| seed | segments | adjusted Rand index | eta squared |")
    print("|---|---|---|---|")
    for seed in seeds:
        options = {"n_draws": 20, "random_state": seed}
        alike = MixedSegments(bases, max_segments=most, **options).fit(table).stability_table()
        for k, index in zip(alike["segments"], alike["adjusted_rand"], strict=True):
            group = MixedSegments(bases, n_segments=k, n_draws=1, random_state=seed)
            mean = table.groupby(group.fit(table).predict(table))["spend"].transform("mean")
            between = ((mean - table["spend"].mean()) ** 2).sum() / spread
            print(f"| {seed} | {k} | {index:.2f} | {between:.2f} |", flush=True)


if __name__ == "__main__":
    main()
