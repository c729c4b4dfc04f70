"""Effect of a campaign on a million customers, adjusted by 20 covariates, beside least squares."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks._race import Job
from custvalue.campaign import campaign_effect

SIZE = int(float(os.environ.get("CUSTVALUE_BENCH_CAMPAIGN", "1e6")))


def customers() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SIZE, 20))
    y = x[:, 0] + rng.exponential(1.0, SIZE)
    half = SIZE // 2
    return y[:half], y[half:], x[:half], x[half:]


def ours(data: Any) -> float:
    """Effect and an exact interval from 5,000 shuffles."""
    a, b, x, z = data
    return campaign_effect(a, b, before=(x, z)).effect


def least_squares(data: Any) -> float:
    """Coefficient of the group alone, by numpy."""
    a, b, x, z = data
    treated = np.arange(len(a) + len(b)) < len(a)
    columns = np.column_stack([np.ones(len(treated)), treated, np.concatenate([x, z])])
    return float(np.linalg.lstsq(columns, np.concatenate([a, b]), rcond=None)[0][1])


def agree(results: dict[str, Any]) -> None:
    np.testing.assert_allclose(results["custvalue"], results["numpy, no interval"], rtol=1e-6)


JOBS = [
    Job(
        f"effect, {SIZE:.0e} customers, 20 covariates",
        customers,
        {"custvalue": ours, "numpy, no interval": least_squares},
        agree,
        repeats=3,
    )
]
