"""Purchase laws against lifetimes 0.11.3: same rows, same optimum, interleaved in one process."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._race import Job
from custvalue.purchase import BGNBD, MBGNBD, ParetoNBD

BG = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
PARETO = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
BIG = bool(os.environ.get("CUSTVALUE_BENCH_BIG"))  # a million rows take lifetimes minutes


def histories(kind: Any, params: dict[str, float], n: int, *, grid: bool = True) -> pd.DataFrame:
    """Histories of 27 to 39 weeks, on a day grid unless told otherwise."""
    rng = np.random.default_rng(1)
    T = rng.uniform(27, 39, n)
    T = np.rint(T * 7) / 7 if grid else T
    X = kind.from_params(**params).sample_histories(n, T, random_state=rng)
    if grid:
        X["recency"] = np.minimum(np.ceil(X["recency"] * 7) / 7, X["T"])
    return X[["frequency", "recency", "T"]]


def fitter(name: str) -> Any:
    import lifetimes

    return getattr(lifetimes, name)()


def theirs(name: str) -> Any:
    def fit(X: pd.DataFrame) -> Any:
        return fitter(name).fit(X["frequency"], X["recency"], X["T"])

    return fit


def same_optimum(kind: Any) -> Any:
    """Our log-likelihood at their parameters is never above that at ours."""

    def agree(results: dict[str, Any]) -> None:
        ours, other = results["custvalue"], results["lifetimes"]
        params = dict(zip(kind.law.params._fields, other.params_.to_numpy(), strict=True))
        there = kind.from_params(**params).score_samples(agree.data).sum()  # type: ignore[attr-defined]
        gap = ours.fit_report().log_likelihood - there
        assert gap > -1e-6, f"lifetimes is {-gap:.2g} higher"

    return agree


def fit_job(label: str, kind: Any, params: dict[str, float], n: int, name: str, ask: float,
            *, grid: bool = True, runs: int = 3) -> Job:  # fmt: skip
    agree = same_optimum(kind)

    def prepare() -> pd.DataFrame:
        agree.data = histories(kind, params, n, grid=grid)
        return agree.data

    return Job(
        f"{label} fit, {n:,} customers{'' if grid else ', continuous time'}",
        prepare,
        {"custvalue": lambda X: kind().fit(X), "lifetimes": theirs(name)},
        agree=agree,
        against="lifetimes",
        ask=ask,
        repeats=9,
        repeats_of={"lifetimes": runs},
    )


def expected(data: Any) -> Any:
    return data[0].predict(data[2], horizon=26)


def their_expected(data: Any) -> Any:
    _, peer, X = data
    orders = peer.conditional_expected_number_of_purchases_up_to_time
    return np.asarray(orders(26, X["frequency"], X["recency"], X["T"]))


def alive(data: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BG/NBD: one-time buyers count as alive
        return data[0].predict_alive(data[2])


def their_alive(data: Any) -> Any:
    _, peer, X = data
    return np.asarray(peer.conditional_probability_alive(X["frequency"], X["recency"], X["T"]))


def predict_job(
    label: str, kind: Any, params: dict[str, float], name: str, what: str, ask: float | None
) -> Job:
    ours, other = (expected, their_expected) if what == "expected orders" else (alive, their_alive)

    def prepare() -> Any:
        peer = fitter(name)
        peer.params_ = pd.Series(params)
        return kind.from_params(**params), peer, histories(kind, params, 100_000)

    def agree(results: dict[str, Any]) -> None:
        np.testing.assert_allclose(results["custvalue"], results["lifetimes"], rtol=1e-8)

    return Job(
        f"{label} {what} of 100,000 rows", prepare, {"custvalue": ours, "lifetimes": other},
        agree=agree, against="lifetimes", ask=ask,
    )  # fmt: skip


def score_one_row(_: Any) -> float:
    """Mean seconds of a row through a frozen scorer, times 1,000."""
    score = MBGNBD.from_params(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="W").scorer("26W")
    start = time.perf_counter()
    for i in range(1000):
        score(2, 30.43, 38.86 + i * 1e-9)
    return time.perf_counter() - start


JOBS = [
    fit_job("BG/NBD", BGNBD, BG, 10_000, "BetaGeoFitter", 45),
    fit_job("BG/NBD", BGNBD, BG, 100_000, "BetaGeoFitter", 90),
    fit_job("Pareto/NBD", ParetoNBD, PARETO, 2_357, "ParetoNBDFitter", 25),
    predict_job("BG/NBD", BGNBD, BG, "BetaGeoFitter", "expected orders", 10),
    predict_job("BG/NBD", BGNBD, BG, "BetaGeoFitter", "P(alive)", 10),
    predict_job("Pareto/NBD", ParetoNBD, PARETO, "ParetoNBDFitter", "expected orders", None),
    predict_job("Pareto/NBD", ParetoNBD, PARETO, "ParetoNBDFitter", "P(alive)", None),
    Job("1,000 rows one by one, frozen scorer (ms = us a row)", lambda: None,
        {"custvalue": score_one_row}),
]  # fmt: skip
if BIG:
    JOBS += [
        fit_job("Pareto/NBD", ParetoNBD, PARETO, 100_000, "ParetoNBDFitter", 190, runs=1),
        fit_job("BG/NBD", BGNBD, BG, 1_000_000, "BetaGeoFitter", 250, runs=1),
        fit_job("BG/NBD", BGNBD, BG, 1_000_000, "BetaGeoFitter", 100, grid=False, runs=1),
        fit_job("MBG/NBD", MBGNBD, BG, 1_000_000, "ModifiedBetaGeoFitter", 190, runs=1),
        fit_job("Pareto/NBD", ParetoNBD, PARETO, 1_000_000, "ParetoNBDFitter", 1000, runs=1),
    ]
