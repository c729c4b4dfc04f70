"""How far parameters by group help: ``python -m benchmarks.groups [worlds]``.

Simulated shops of 20 groups of 20 to 320 customers, whose log parameters differ between groups by a
normal law of the given standard deviation. Told is the root mean square error of the orders
expected of each customer in the 40 weeks to come, against those that the true parameters of the
group give, over groups and worlds: of one law for all, of a law for each group, and of
``fit(X, by="group")``. About two minutes of one processor.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd

from custvalue.purchase import BGNBD, MBGNBD, NBD, ParetoNBD

TRUTH = {
    NBD: {"r": 0.6, "alpha": 6.0},
    BGNBD: {"r": 0.6, "alpha": 6.0, "a": 0.8, "b": 2.5},
    MBGNBD: {"r": 0.6, "alpha": 6.0, "a": 0.8, "b": 2.5},
    ParetoNBD: {"r": 0.6, "alpha": 6.0, "s": 0.7, "beta": 12.0},
}
SIZES = (20, 40, 80, 160, 320)
GROUPS, HORIZON = 20, 40.0


def world(kind, spread, seed):
    """Customers with their group, and the true model of each group."""
    rng = np.random.default_rng(seed)
    params = TRUTH[kind]
    tables, models = [], {}
    for g in range(GROUPS):
        moved = np.exp(np.log(list(params.values())) + spread * rng.standard_normal(len(params)))
        model = kind.from_params(**dict(zip(params, moved, strict=True)))
        n = SIZES[g % len(SIZES)]
        table = model.sample_histories(n, rng.uniform(20, 60, n), random_state=rng)
        tables.append(table.assign(group=f"g{g:02}"))
        models[f"g{g:02}"] = model
    return pd.concat(tables, ignore_index=True), models


def errors(kind, spread, seed):
    """Mean square error of each way, a mean over groups, and the seconds of the fit by group."""
    X, models = world(kind, spread, seed)
    rows = {name: (X["group"] == name).to_numpy() for name in models}
    right, apart = np.empty(len(X)), np.empty(len(X))
    for name, at in rows.items():
        right[at] = models[name].predict(X[at], HORIZON)
        apart[at] = kind().fit(X[at]).predict(X[at], HORIZON)
    before = time.process_time()
    grouped = kind().fit(X, by="group")
    spent = time.process_time() - before
    found = {
        "one law": kind().fit(X).predict(X, HORIZON),
        "a law each": apart,
        "by group": grouped.predict(X, HORIZON),
    }
    return {
        name: np.mean([np.mean((values - right)[at] ** 2) for at in rows.values()])
        for name, values in found.items()
    }, spent


def main(worlds: int) -> None:
    print("| law | spread of the logs | one law | a law each | by group | seconds of that fit |")
    print("|---|---|---|---|---|---|")
    for kind in TRUTH:
        for spread in (0.0, 0.25, 0.5):
            with warnings.catch_warnings(action="ignore"):
                told = [errors(kind, spread, seed) for seed in range(worlds)]
            mean = pd.DataFrame([each for each, _ in told]).mean() ** 0.5
            spent = np.median([seconds for _, seconds in told])
            cells = " | ".join(f"{v:.3f}" for v in mean)
            print(f"| {kind.law.name} | {spread} | {cells} | {spent:.2f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
