"""Spend and discrete purchase models against lifetimes: same data, same optimum."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._race import Job
from custvalue.purchase import BGBB
from custvalue.spend import GammaGamma

BIG = bool(os.environ.get("CUSTVALUE_BENCH_BIG"))  # a million rows take lifetimes minutes


def buyers(n: int) -> pd.DataFrame:
    """Buyers of the spend recipe: p = 6.25, q = 3.74, gamma = 15.44, orders geometric."""
    rng = np.random.default_rng(3)
    x = rng.geometric(0.3, n).astype(float)
    spend = rng.gamma(6.25 * x) / rng.gamma(3.74, 1 / 15.44, n) / x
    return pd.DataFrame({"frequency": x, "monetary_value": spend})


def donors(n: int) -> pd.DataFrame:
    model = BGBB.from_params(alpha=1.204, beta=0.75, gamma=0.657, delta=2.783)
    return model.sample_histories(n, 6.0, random_state=4)[["frequency", "recency", "T"]]


def ours_spend(data: Any) -> Any:
    return GammaGamma().fit(data)


def theirs_spend(data: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import GammaGammaFitter

        return GammaGammaFitter().fit(data["frequency"], data["monetary_value"])


def ours_donors(data: Any) -> Any:
    return BGBB().fit(data)


def theirs_donors(data: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoBetaBinomFitter

        return BetaGeoBetaBinomFitter().fit(data["frequency"], data["recency"], data["T"])


def same_spend(found: dict[str, Any]) -> None:
    if "lifetimes" not in found:
        return
    ours, theirs = found["custvalue"], found["lifetimes"]
    p, q, v = (float(theirs.params_[k]) for k in ("p", "q", "v"))
    np.testing.assert_allclose(ours.params_, [p, q, v], rtol=2e-3)


def same_donors(found: dict[str, Any]) -> None:
    if "lifetimes" not in found:
        return
    theirs = [float(found["lifetimes"].params_[k]) for k in ("alpha", "beta", "gamma", "delta")]
    np.testing.assert_allclose(found["custvalue"].params_, theirs, rtol=2e-3)


JOBS = (
    [
        Job(
            f"Gamma-Gamma fit, {n:,} buyers",
            lambda n=n: buyers(n),
            {"custvalue": ours_spend, "lifetimes": theirs_spend},
            agree=same_spend,
            against="lifetimes",
            ask=ask,
            repeats_of={"lifetimes": 3},
        )
        for n, ask in ((4_000, None), (40_000, None), (400_000, 140))
    ]
    + [
        Job(
            f"BG/BB fit, {n:,} donors, 6 years",
            lambda n=n: donors(n),
            {"custvalue": ours_donors, "lifetimes": theirs_donors},
            agree=same_donors,
            against="lifetimes",
            ask=ask,
            repeats_of={"lifetimes": 1},
        )
        for n, ask in ((10_000, None), (100_000, None))
    ]
    + [
        Job(
            f"BG/BB fit, 1,000,000 donors, 6 years{'' if BIG else ' (lifetimes takes minutes)'}",
            lambda: donors(1_000_000),
            {"custvalue": ours_donors, **({"lifetimes": theirs_donors} if BIG else {})},
            agree=same_donors,
            against="lifetimes",
            ask=1000 if BIG else None,
            repeats_of={"lifetimes": 1},
        )
    ]
)
