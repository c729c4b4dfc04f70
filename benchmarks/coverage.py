"""Do intervals hold what they say? ``python -m benchmarks.coverage [samples]``.

Customers of Pareto/NBD x Gamma-Gamma in four settings, forty weeks known and thirty-six to come:
how often the 95 % interval of the total holds what came, of twenty groups of 5 %, of the best tenth
by forecast and of the rest, and the 80 % interval of each customer; and the total said over what
came. A chain whose single matrix is applied again and again (``transitions="counts"``) stands
beside.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd

import custvalue as cv
from custvalue.markov import MarkovCLVEstimator
from custvalue.purchase import ParetoNBD
from custvalue.value import CustomerValue

SETTINGS = {
    "CDNOW": {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7},
    "busier": {"r": 1.2, "alpha": 6.0, "s": 0.6, "beta": 20.0},
    "loyal": {"r": 0.8, "alpha": 12.0, "s": 0.5, "beta": 80.0},
    "leaving": {"r": 0.8, "alpha": 5.0, "s": 1.5, "beta": 12.0},
}
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
METHODS: dict[str, Any] = {
    "MarkovCLVEstimator": MarkovCLVEstimator(horizon="36W"),
    "CustomerValue": CustomerValue(horizon="36W"),
    "chain of counts": MarkovCLVEstimator(transitions="counts", horizon="36W"),
}


def sample(params: dict[str, float], seed: int, n: int = 1000) -> tuple[pd.DataFrame, pd.Timestamp]:
    rng = np.random.default_rng([seed, 77])
    law = ParetoNBD.from_params(unit="W", **params)
    log = law.sample(n, "76W", births="12W", random_state=seed)
    nu = rng.gamma(3.74, 1 / 15.44, n)
    log["amount"] = rng.gamma(6.25, 1 / nu[log["customer_id"]])
    return log, pd.Timestamp("2020-01-01") + pd.Timedelta(weeks=40)


def measured(model: Any, known: pd.DataFrame, later: pd.Series, cut: pd.Timestamp) -> list[float]:
    end = cut - pd.Timedelta(days=1)
    if model.reads_table == "panel":
        table = cv.panel(known, **NAMES, as_of=end, period="4W")
        rows = table.groupby("customer_id").tail(1)
    else:
        table = rows = cv.summarize(known, **NAMES, as_of=end, unit="W")
    fitted = model.fit(table)
    came = later.reindex(rows["customer_id"], fill_value=0.0).to_numpy()
    value = fitted.predict(rows)
    group = np.random.default_rng(0).permutation(np.arange(len(rows)) % 20)
    best = (np.argsort(np.argsort(-value)) < len(rows) // 10).astype(int)

    def held(by: Any) -> Any:
        table = fitted.predict_total(rows, groups=by, level=0.95)
        true = np.bincount(by, weights=came)
        return ((table["lower"] <= true) & (true <= table["upper"])).to_numpy()

    low, high = fitted.predict_interval(rows, level=0.8).T
    return [
        float(value.sum() / came.sum()),
        float(held(np.zeros(len(rows), dtype=int))[0]),
        float(held(group).mean()),
        *held(best)[::-1].astype(float),
        float(np.mean((low <= came) & (came <= high))),
        float(np.mean(fitted.predict_chance(rows)) - np.mean(came > 0)),
    ]


def main(samples: int = 30) -> None:
    names = ["total / came", "total 95 %", "groups of 5 %", "best tenth", "rest", "customer 80 %",
             "chance - share"]  # fmt: skip
    rows = []
    for setting, params in SETTINGS.items():
        found: dict[str, list[list[float]]] = {name: [] for name in METHODS}
        for seed in range(samples):
            log, cut = sample(params, seed)
            later = log[log["date"] >= cut].groupby("customer_id")["amount"].sum()
            for name, model in METHODS.items():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found[name].append(measured(model, log[log["date"] < cut], later, cut))
        for name, values in found.items():
            rows.append([setting, name, *np.mean(values, axis=0)])
            print(" ".join(str(v) for v in [setting, name, *np.round(rows[-1][2:], 3)]), flush=True)
    print(pd.DataFrame(rows, columns=["setting", "method", *names]).round(3).to_string(index=False))


if __name__ == "__main__":
    main(*(int(v) for v in sys.argv[1:]))
