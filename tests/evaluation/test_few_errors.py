"""A difference of RMSE that hangs on a few errors says so."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from custvalue.evaluation import BacktestResult
from custvalue.exceptions import SmallSampleWarning


def result(errors):
    n = len(errors)
    rows = {"id": np.arange(n), "cutoff": 0, "actual": 100.0, "actual_orders": 1.0}
    table = pd.DataFrame({"estimator": ["one", "other"]})
    frame = pd.DataFrame({**rows, "one": 100.0 + errors, "other": 100.0 + 10.0 * np.sign(errors)})
    return BacktestResult(table, frame, "52W", "id")


def test_k_equal_errors_among_zeros_are_k_errors():
    for k, few in ((19, True), (20, False), (3, True)):
        errors = np.zeros(400)
        errors[:k] = 7.0
        found = result(np.where(errors == 0.0, 1e-12, errors))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found.differences(against="other", metrics=["rmse"], n_resamples=20)
        said = [one for one in told if one.category is SmallSampleWarning]
        assert len(said) == few
        if few:
            assert f"one ({k}.0)" in str(said[0].message)
            assert said[0].filename == __file__


def test_other_metrics_are_not_warned_of():
    errors = np.r_[1000.0, np.ones(99)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result(errors).differences(against="other", metrics=["mae"], n_resamples=20)
    with pytest.warns(SmallSampleWarning, match="Decide by 'mae'"):
        result(errors).differences(against="other", metrics=["mae", "rmse"], n_resamples=20)


def test_the_interval_of_rmse_is_the_symmetric_bootstrap_t_by_hand():
    """Two cutoffs, customers drawn whole; the draws and the delta method written out anew."""
    rng = np.random.default_rng(8)
    n = 60
    rows = pd.DataFrame(
        {
            "id": np.r_[np.arange(n), np.arange(10, n)],
            "cutoff": np.repeat([0, 1], [n, n - 10]),
            "actual": rng.gamma(2.0, 40.0, 2 * n - 10),
            "actual_orders": 1.0,
        }
    )
    rows["one"], rows["other"] = 30.0, 20.0 + 0.5 * rows["actual"] + rng.normal(0, 5, len(rows))
    table = pd.DataFrame({"estimator": ["one", "other"]})
    found = BacktestResult(table, rows, "52W", "id")
    told = found.differences(against="one", metrics=["rmse"], n_resamples=200, level=0.9).iloc[0]

    def gap_and_error(times):
        gap, move = 0.0, np.zeros(n)
        for _, part in rows.groupby("cutoff"):
            w = times[part["id"]]
            for name, sign in (("other", 0.5), ("one", -0.5)):
                square = (part[name] - part["actual"]).to_numpy() ** 2
                root = np.sqrt(np.average(square, weights=w))
                gap += sign * root
                move[part["id"]] += sign * (square - root**2) / (2 * root) / w.sum()
        return gap, np.sqrt(times @ move**2)

    gap, error = gap_and_error(np.ones(n))
    draws = np.random.default_rng(0).integers(0, n, (201, n))[1:]
    each = [gap_and_error(np.bincount(draw, minlength=n).astype(float)) for draw in draws]
    half = np.quantile([abs(g - gap) / e for g, e in each], 0.9) * error
    assert told["difference"] == pytest.approx(gap)
    assert [told["lower"], told["upper"]] == pytest.approx([gap - half, gap + half])


def test_equal_forecasts_are_tied_with_no_width():
    found = result(np.r_[np.full(50, 10.0), np.full(50, -10.0)])
    told = found.differences(against="other", metrics=["rmse"]).iloc[0]
    assert (told["lower"], told["upper"], told["verdict"]) == (0.0, 0.0, "tied")
