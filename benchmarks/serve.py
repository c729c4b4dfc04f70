"""What one customer costs a service: `python -m benchmarks.serve`.

Prints, for every estimator with a scorer, the processor time of one call, best of several hundred.
The bound that a service may count on is .3 ms.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd

import custvalue as cv
from custvalue.contracts import (
    BetaDiscreteWeibull,
    ContractValue,
    ExponentialGamma,
    WeibullGamma,
)
from custvalue.evaluation import StackedValue, usual_parts
from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades
from custvalue.market import MarketSegments, MixedSegments
from custvalue.markov import ColumnStates, PanelStates
from custvalue.purchase import BGCNBD, BGNBD, MBGCNBD, MBGNBD, NBD, ParetoNBD
from custvalue.spend import OwnMean
from custvalue.value import CellMeans, RateForward, RecencyMigration, RetentionValue, SameForAll

BOUND = 300.0  # microseconds
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}


def cost(call, row, times=400):
    """Microseconds of processor time of one call, best of blocks of 20."""
    call(row)
    best = float("inf")
    for _ in range(times // 20):
        begun = time.process_time_ns()
        for _ in range(20):
            call(row)
        best = min(best, (time.process_time_ns() - begun) / 20e3)
    return best


def models(log, table, panel):
    """Every estimator with a scorer, fitted, and a row for those who do not read a summary's."""
    y = table["total_value"].to_numpy()
    size = np.where(table["n_orders"] > 2, "many", "few")
    town = np.array(["a", "b", "c"])[np.arange(len(table)) % 3]
    told = table.assign(size=size, town=town)
    due = pd.DataFrame(
        {"frequency": [0, 3, 1, 5] * 9, "T": [2, 3, 4, 5] * 9, "to_renewal": 1.0, "price": 10.0}
    ).assign(recency=lambda f: f["frequency"])
    seen = ExponentialGamma.from_params(r=1.5, alpha=6.0).sample_contracts(300, 8.0, random_state=0)
    of_law = {
        f"CustomerValue ({law().law.name})": cv.CustomerValue(purchases=law(), horizon="26W")
        for law in (MBGNBD, BGNBD, ParetoNBD, MBGCNBD, BGCNBD, NBD)
    }
    dear = cv.CustomerValue(horizon="26W", annual_discount_rate=0.1, contact_cost=0.1)
    four = {k: m for k, m in usual_parts().items() if m.reads_table == "summary"}
    months = cv.TransactionLog(log, **{**NAMES, "as_of": "1998-05-31"})
    last = panel.groupby("customer_id").tail(1).iloc[0].to_dict()
    contract, life = due.iloc[1].to_dict(), seen.iloc[1].to_dict()
    row = told.loc[told["frequency"].to_numpy().argmax()].to_dict()
    yield from ((name, model.fit(table), row) for name, model in of_law.items())
    yield from (
        ("CustomerValue, discounted, contact paid", dear.fit(table), row),
        ("RateForward", RateForward(horizon="26W").fit(table), row),
        ("SameForAll", SameForAll(horizon="26W").fit(table), row),
        ("RetentionValue", RetentionValue(horizon="26W").fit(table), row),
        ("CellMeans", CellMeans(horizon="26W").fit(table, y), row),
        ("BestValue of a month's artefact", cv.monthly.fit(months, horizon="26W").model, row),
        ("StackedValue, laws and yardsticks", StackedValue(four, horizon="26W").fit(months), row),
        ("RecencyMigration", RecencyMigration(horizon="24W").fit(panel), last),
        ("MarkovCLVEstimator", cv.MarkovCLVEstimator(horizon="24W").fit(panel), last),
        ("PanelStates", PanelStates().fit(panel), last),
        ("ColumnStates", ColumnStates(["n_orders"]).fit(panel), last),
        ("ContractValue", ContractValue(horizon=12).fit(due), contract),
        ("BetaDiscreteWeibull", BetaDiscreteWeibull(horizon=12).fit(due), contract),
        ("ExponentialGamma", ExponentialGamma(horizon=12).fit(seen), life),
        ("WeibullGamma", WeibullGamma(horizon=12).fit(seen), life),
        ("GammaGamma", cv.GammaGamma().fit(table[["frequency", "monetary_value"]]), row),
        ("OwnMean", OwnMean().fit(table), row),
        ("RFMTransformer", cv.RFMTransformer().fit(table), row),
        ("SilenceScorer", cv.SilenceScorer().fit(table), row),
        ("SilenceScorer (shrunk)", cv.SilenceScorer(method="shrunk").fit(table), row),
        ("LifecycleClassifier", cv.LifecycleClassifier().fit(table), row),
        ("ValueGrades", ValueGrades().fit(table[["total_value"]]), row),
        ("ActivityLoyaltyMatrix", ActivityLoyaltyMatrix().fit(table), row),
        ("MarketSegments", MarketSegments(["size", "town"]).fit(told), row),
        ("MixedSegments", MixedSegments({"a": ["size", "T"], "b": "town"}, n_segments=3,
                                        random_state=0).fit(told), row),
    )  # fmt: skip


def main():
    warnings.simplefilter("ignore")
    log = cv.datasets.load_cdnow("sample")
    table = cv.summarize(log, **NAMES, unit="W")
    panel = cv.panel(log, **NAMES, period="4W")
    print(f"{'one row by':<40} {'us':>8}   (bound {BOUND:.0f})")
    for name, model, row in models(log, table, panel):
        taken = cost(model.scorer(), row)
        print(f"{name:<40} {taken:>8.0f}{'' if taken <= BOUND else '   TOO SLOW'}", flush=True)


if __name__ == "__main__":
    main()
