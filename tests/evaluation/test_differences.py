"""Bootstrap intervals of differences between estimators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.evaluation import BacktestResult


def result_of(actual, forecasts, cutoffs=1, customers=None):
    n = len(actual) // cutoffs
    ids = np.tile(np.arange(n), cutoffs) if customers is None else customers
    when = np.repeat(pd.date_range("2024-01-01", periods=cutoffs, freq="30D"), n)
    predictions = pd.DataFrame({"who": ids, "cutoff": when, "actual": actual, "actual_orders": 1.0})
    predictions = predictions.assign(**forecasts)
    return BacktestResult(
        table=pd.DataFrame(), predictions=predictions, horizon="30D", customer="who"
    )


def test_intervals_of_a_difference_cover_their_level(rng):
    # errors of "a" and "b" have known means 1.0 and 1.2 (absolute, exponential)
    hits, runs, n = 0, 150, 200
    for run in range(runs):
        actual = rng.gamma(1.0, 10.0, n) + 20
        forecasts = {
            "a": actual + rng.exponential(1.0, n),
            "b": actual + rng.exponential(1.2, n),
        }
        found = result_of(actual, forecasts).differences(
            against="a", metrics=["mae"], level=0.8, n_resamples=150, random_state=run
        )
        hits += bool(found["lower"][0] <= 0.2 <= found["upper"][0])
    assert 0.72 <= hits / runs <= 0.88


def test_equal_forecasts_tie_exactly(rng):
    actual = rng.gamma(1.0, 10.0, 60)
    forecast = rng.gamma(1.0, 10.0, 60)
    found = result_of(actual, {"a": forecast, "b": forecast}).differences(against="a")
    assert (found[["difference", "lower", "upper"]] == 0).all(axis=None)
    assert (found["verdict"] == "tied").all()


@pytest.mark.filterwarnings("ignore:differences of 'rmse' hang on a few")
def test_the_truth_beats_noise_on_every_metric(rng):
    actual = rng.gamma(0.5, 10.0, 300)
    forecasts = {"noise": rng.gamma(0.5, 20.0, 300), "truth": actual}
    metrics = ["gini", "mae", "rmse", "absolute_total_bias", "spearman", "top_decile"]
    found = result_of(actual, forecasts).differences(against="noise", metrics=metrics)
    assert (found["verdict"] == "better").all()
    other = result_of(actual, forecasts).differences(against="truth", metrics=metrics)
    assert (other["verdict"] == "worse").all()


def test_cutoffs_are_averaged_and_a_customer_is_drawn_with_all_of_them(rng):
    actual = rng.gamma(1.0, 10.0, 100)
    forecasts = {"a": actual + 1.0, "b": actual + np.repeat([2.0, 4.0], 50)}
    result = result_of(actual, forecasts, cutoffs=2)
    found = result.differences(against="a", metrics=["mae"])
    assert found["difference"][0] == pytest.approx(2.0)
    assert found["lower"][0] == pytest.approx(2.0)  # constant errors leave no spread
    order = rng.permutation(100)  # the second cutoff lists the same customers in another order
    both = np.r_[np.arange(100), order]
    doubled = result_of(actual[both], {k: v[both] for k, v in forecasts.items()}, 2, both)
    alone = result_of(actual, {k: np.asarray(v) for k, v in forecasts.items()})
    one, two = (r.differences(against="a", metrics=["gini"]) for r in (alone, doubled))
    # the same rows at two cutoffs are no new customers: intervals do not shrink
    np.testing.assert_allclose(one[["lower", "upper"]], two[["lower", "upper"]], rtol=1e-9)


def test_draws_depend_on_the_seed_alone(rng):
    actual = rng.gamma(1.0, 10.0, 80)
    result = result_of(actual, {"a": actual + 1, "b": rng.permutation(actual)})
    one, two, other = (result.differences(against="a", random_state=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"against": "c"}, "must be one of"),
        ({"metrics": ["auc"]}, "must be one of"),
        ({"level": 1.0}, "strictly between"),
    ],
)
def test_unknown_names_are_refused(changes, message):
    result = result_of(np.array([1.0, 2.0]), {"a": [1.0, 2.0], "b": [2.0, 1.0]})
    with pytest.raises(ValueError, match=message):
        result.differences(**{"against": "a", **changes})
