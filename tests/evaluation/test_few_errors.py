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
    for k, few in ((49, True), (50, False), (3, True)):
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
