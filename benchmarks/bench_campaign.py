"""Effect of a campaign on a million customers beside least squares, and what learns of campaigns.

Learners: a tenth of the customers, 20 columns, beside one fit of scikit-learn's
trees, which has neither folds nor figures.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks._race import Job
from custvalue.campaign import ResponseModel, UpliftModel, campaign_effect

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


def experiment() -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(SIZE // 10, 20))
    arm = rng.integers(0, 2, len(x))
    answered = rng.random(len(x)) < 0.05 + 0.05 * (x[:, 0] > 0)
    return x, answered, arm, answered * rng.exponential(30.0, len(x)) + arm * (x[:, 1] > 0)


def one_fit_of_answers(data: Any) -> Any:
    """scikit-learn's trees once: no folds, no figures."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=8).fit(data[0], data[1])


def two_fits_of_money(data: Any) -> Any:
    """scikit-learn's trees once an arm: no folds, no figures."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    x, _, arm, money = data
    few = {"max_iter": 40, "max_leaf_nodes": 8}
    return [HistGradientBoostingRegressor(**few).fit(x[arm == k], money[arm == k]) for k in (0, 1)]


def response(data: Any) -> ResponseModel:
    """Calibrated, with figures out of fold and every column shuffled."""
    return ResponseModel().fit(data[0], data[1])


def uplift(data: Any) -> UpliftModel:
    """Doubly robust, cross-fitted, with figures out of fold."""
    return UpliftModel().fit(data[0], data[3], treatment=data[2])


JOBS = [
    Job(
        f"effect, {SIZE:.0e} customers, 20 covariates",
        customers,
        {"custvalue": ours, "numpy, no interval": least_squares},
        agree,
        repeats=3,
    ),
    Job(
        f"response learned, {SIZE // 10:.0e} customers, 20 columns",
        experiment,
        {
            "custvalue": response,
            "scikit-learn, one fit": one_fit_of_answers,
        },
        repeats=1,
    ),
    Job(
        f"uplift learned, {SIZE // 10:.0e} customers, 20 columns",
        experiment,
        {
            "custvalue": uplift,
            "scikit-learn, two fits": two_fits_of_money,
        },
        repeats=1,
    ),
]
