"""Fits with columns of customers: what they cost, beside the same fit without."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from custvalue.purchase import BGNBD, MBGNBD, NBD, ParetoNBD
from custvalue.spend import GammaGamma

LAWS: dict[str, tuple[Any, dict[str, float]]] = {
    "NBD": (NBD, {"r": 0.6, "alpha": 40.0}),
    "BGNBD": (BGNBD, {"r": 0.6, "alpha": 40.0, "a": 0.8, "b": 2.5}),
    "ParetoNBD": (ParetoNBD, {"r": 0.6, "alpha": 40.0, "s": 0.7, "beta": 80.0}),
}


def people(n: int, columns: int, seed: int = 0) -> pd.DataFrame:
    """Half the columns continuous, half of them 0 or 1."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            f"c{i}": rng.normal(size=n) if i % 2 == 0 else (rng.random(n) < 0.4).astype(float)
            for i in range(columns)
        }
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of the work, and what it gave."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def table(n: int, columns: int) -> pd.DataFrame:
    """Processor seconds of fits of simulated customers, the columns moving every process."""
    who, rows = people(n, columns), []
    names = list(who)
    T = np.random.default_rng(1).integers(200, 700, n).astype(float)
    for name, (kind, params) in LAWS.items():
        effects = {p: dict.fromkeys(names, 0.1) for p in kind.law.processes}
        truth = kind.from_params(**params, effects=effects)
        X = truth.sample_histories(n, T, customers=who, random_state=2)
        X["recency"] = np.where(X["frequency"] > 0, np.maximum(np.rint(X["recency"]), 1.0), 0.0)
        how = {f"{p}_columns": names for p in kind.law.processes}
        plain, _ = timed(lambda kind=kind, X=X: kind().fit(X))
        with_columns, model = timed(lambda kind=kind, X=X, how=how: kind(**how).fit(X))
        off = np.abs(np.array(model.fitted_.effects.values) - 0.1).max()
        rows.append((name, n, columns, plain, with_columns, off))
    rng = np.random.default_rng(3)
    x = np.maximum(rng.poisson(2.0, n), 1).astype(float)
    nu = rng.gamma(3.7, 1.0 / (15.0 * np.exp(0.1 * who.sum(axis=1))))
    X = who.assign(frequency=x, monetary_value=rng.gamma(6.0 * x) / nu / x)
    plain, _ = timed(lambda: GammaGamma().fit(X))
    with_columns, model = timed(lambda: GammaGamma(spend_columns=names).fit(X))
    off = np.abs(np.array(model.fitted_.effects.values) - 0.1).max()
    rows.append(("GammaGamma", n, columns, plain, with_columns, off))
    return pd.DataFrame(
        rows, columns=["law", "customers", "columns", "plain s", "columns s", "largest error"]
    )


def held(samples: int = 150, n: int = 500) -> pd.DataFrame:
    """Share of 95 % intervals of coefficients that hold the truth, one number and one truth value.

    Customers of each sample are new; the error of a share is ``sqrt(.95 * .05 / intervals)``.
    """
    rows = []
    for name, (kind, params) in {**LAWS, "MBGNBD": (MBGNBD, LAWS["BGNBD"][1])}.items():
        inside, off = [], []
        for seed in range(samples):
            who = people(n, 2, seed)
            true = {p: {"c0": 0.3, "c1": -0.4} for p in kind.law.processes}
            truth = kind.from_params(**params, effects=true)
            T = np.random.default_rng(seed).integers(200, 700, n).astype(float)
            X = truth.sample_histories(n, T, customers=who, random_state=seed)
            model = kind(**{f"{p}_columns": list(who) for p in kind.law.processes}).fit(X)
            told = model.effect_table()
            wanted = np.where(told["column"] == "c0", 0.3, -0.4)
            inside.append((told["lower"] <= np.exp(wanted)) & (np.exp(wanted) <= told["upper"]))
            off.append(told["coefficient"].to_numpy() - wanted)
        rows.append((name, np.size(inside), np.mean(inside), np.mean(off), np.std(off)))
    columns = ["law", "intervals", "held", "mean error", "standard deviation of errors"]
    return pd.DataFrame(rows, columns=columns)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of 500 customers some fits end on a boundary
        print(held().round(3).to_string(index=False), flush=True)
    for size in ((100_000, 4), (1_000_000, 8)):
        print(table(*size).round(3).to_string(index=False), flush=True)
