"""``python -m benchmarks.hidden``: do hidden states forecast better than states that are seen?

The same logs and dates as ``benchmarks.accuracy``; every method gets what was known at the cutoff.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from benchmarks.accuracy import cdnow, online_retail, retail_transactions, run
from custvalue._frames import column, places_of
from custvalue._units import span_days
from custvalue.markov import HiddenStates, MarkovCLVEstimator
from custvalue.spend import OwnMean


class HiddenValue(BaseEstimator):
    """Expected orders of hidden states, each at the customer's own mean order."""

    reads_table = "log"

    def __init__(self, n_states: int = 3, period: str = "4W") -> None:
        self.n_states = n_states
        self.period = period

    def fit(self, log: Any) -> HiddenValue:
        self.model_ = HiddenStates(self.n_states, n_starts=2, tol=1e-6).fit(log.panel(self.period))
        self.spend_ = OwnMean().fit(log.summary())
        return self

    def predict(self, log: Any, horizon: str) -> Any:
        panel = log.panel(self.period)
        ids = column(panel, log.customer)
        last = np.r_[ids[1:] != ids[:-1], True]
        periods = span_days(horizon) / span_days(self.period)
        orders = self.model_.expected_orders(panel, round(periods))[last] * periods / round(periods)
        summary = log.summary()
        price = self.spend_.predict(summary)
        return orders[places_of(ids[last], column(summary, log.customer))] * price


def main(names: list[str]) -> None:
    found = {"cdnow": cdnow, "retail_transactions": retail_transactions,
             "online_retail": online_retail}  # fmt: skip
    for name in names or found:
        methods = {
            "hidden states, 2": HiddenValue(2),
            "hidden states, 3": HiddenValue(3),
            "chain": MarkovCLVEstimator(),
            "chain of counts": MarkovCLVEstimator(transitions="counts"),
        }
        table = run(found[name](), methods).table
        shown = table.groupby("estimator", sort=False)[
            ["total_bias", "mae", "tweedie", "spearman", "gini"]
        ].mean()
        print(f"\n## {name}\n\n{shown.round(3).to_string()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
