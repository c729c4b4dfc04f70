"""What one customer costs a service: `python -m benchmarks.serve`.

Prints, for every estimator with a scorer, the processor time of one call, best of several hundred.
The bound that a service may count on is .3 ms.
"""

from __future__ import annotations

import time
import warnings

import custvalue as cv
from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades
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


def main():
    warnings.simplefilter("ignore")
    log = cv.datasets.load_cdnow("sample")
    table = cv.summarize(log, **NAMES, unit="W")
    panel = cv.panel(log, **NAMES, period="4W")
    y = table["total_value"].to_numpy()
    models = {
        "CustomerValue (MBG/NBD)": cv.CustomerValue(purchases=cv.MBGNBD(), horizon="26W").fit(
            table
        ),
        "CustomerValue (BG/NBD)": cv.CustomerValue(purchases=cv.BGNBD(), horizon="26W").fit(table),
        "CustomerValue (Pareto/NBD)": cv.CustomerValue(purchases=cv.ParetoNBD(), horizon="26W").fit(
            table
        ),
        "RateForward": RateForward(horizon="26W").fit(table),
        "SameForAll": SameForAll(horizon="26W").fit(table),
        "RetentionValue": RetentionValue(horizon="26W").fit(table),
        "RecencyMigration": RecencyMigration(horizon="24W").fit(panel),
        "CellMeans": CellMeans(horizon="26W").fit(table, y),
        "RFMTransformer": cv.RFMTransformer().fit(table),
        "SilenceScorer": cv.SilenceScorer().fit(table),
        "SilenceScorer (shrunk)": cv.SilenceScorer(method="shrunk").fit(table),
        "LifecycleClassifier": cv.LifecycleClassifier().fit(table),
        "ValueGrades": ValueGrades().fit(table[["total_value"]]),
        "ActivityLoyaltyMatrix": ActivityLoyaltyMatrix().fit(table),
    }
    row = table.loc[table["frequency"].to_numpy().argmax()].to_dict()
    print(f"{'one row by':<28} {'us':>8}   (bound {BOUND:.0f})")
    for name, model in models.items():
        taken = cost(model.scorer(), row)
        print(f"{name:<28} {taken:>8.0f}{'' if taken <= BOUND else '   TOO SLOW'}")


if __name__ == "__main__":
    main()
