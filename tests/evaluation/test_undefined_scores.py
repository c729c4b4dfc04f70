"""What came may give a metric no value: that is said, and nothing dies of it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from custvalue.evaluation import backtest, recommend
from custvalue.exceptions import UndefinedMetricError
from custvalue.metrics import decile_calibration_error, normalized_gini_score, total_bias
from custvalue.report import make_report
from custvalue.value import RateForward

NAMES = {"customer": "c", "time": "t", "amount": "a", "as_of": "2023-12-31"}
MONTHS = pd.date_range("2022-01-01", periods=24, freq="MS")
LOGS = {
    "three subscribers at one price": pd.DataFrame(
        {"c": np.repeat([0, 1, 2], 24), "t": np.tile(MONTHS, 3), "a": 9.99}
    ),
    "one customer": pd.DataFrame(
        {
            "c": 1,
            "t": pd.date_range("2022-01-03", periods=80, freq="9D"),
            "a": [10.0 + i % 7 for i in range(80)],
        }
    ),
    "one-time buyers": pd.DataFrame(
        {"c": range(100), "t": pd.date_range("2022-01-01", periods=100, freq="7D"), "a": 10.0}
    ),
}
REFUNDED = pd.DataFrame(
    {
        "c": np.repeat(np.arange(20), 4),
        "t": np.tile(pd.to_datetime(["2022-01-05", "2022-09-05", "2023-08-01", "2023-08-01"]), 20),
        "a": np.tile([50.0, 30.0, 25.0, -25.0], 20),
    }
)  # refunds eat up all that came


@pytest.fixture(params=list(LOGS))
def log(request):
    return LOGS[request.param]


def quiet(call, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **options)


@pytest.mark.filterwarnings("ignore:differences of 'rmse' hang on a few")
def test_a_backtest_says_why_a_score_is_missing(log):
    result = quiet(
        backtest, {"rate": RateForward()}, log, **NAMES, cutoffs=["2023-06-30"], horizon="26W"
    )
    rows = result.table[result.table["estimator"].isin(result.estimators)]
    scores = ["total_bias", "mae", "rmse", "spearman", "gini", "top_decile", "decile_calibration"]
    for row in rows.to_dict("records"):
        missing = {name for name in scores if np.isnan(row[name])}
        assert missing
        assert missing <= set(row["note"].replace(",", " ").split())
        assert "not defined: " in row["note"]
        assert np.isfinite(row["mae"])
        assert np.isfinite(row["rmse"])
    assert len(result.scores()) == 3
    assert "nan" not in repr(result)
    found = result.differences(
        against="rate", metrics=("gini", "mae", "rmse", "absolute_total_bias", "top_decile")
    )
    undefined = found[found["verdict"] == "not defined"]
    assert "gini" in set(undefined["metric"])
    assert undefined[["lower", "upper"]].isna().all(axis=None)
    rest = found[found["verdict"] != "not defined"]
    assert rest[["difference", "lower", "upper"]].notna().all(axis=None)
    assert {"mae", "rmse"} <= set(rest["metric"])


def test_a_recommendation_judges_by_what_has_a_value(log):
    advice = quiet(recommend, log, **NAMES, estimators={"rate": RateForward()}, n_resamples=20)
    assert advice.suggestion in advice.ranking.index
    assert len(advice.ranking) == 3
    assert "nan" not in str(advice)
    assert "none to judge: all brought the same" in str(advice)


def test_a_report_is_written_whatever_came(log):
    report = quiet(make_report, log, **NAMES)
    assert "nan" not in report.summary_text()
    assert ">nan<" not in report.html.lower()


def test_refunds_that_eat_up_what_came_leave_a_report():
    report = quiet(make_report, REFUNDED, **NAMES, refunds="net_occasion")
    assert "nan" not in report.summary_text()


def test_failed_estimators_are_named_and_undefined_scores_are_no_failure():
    class Broken(RateForward):
        def fit(self, X, y=None):
            raise ValueError("no")

    advice = quiet(
        recommend,
        LOGS["three subscribers at one price"],
        **NAMES,
        estimators={"broken": Broken(), "rate": RateForward()},
        n_resamples=20,
    )
    assert "Failed and left out: broken; see result.table." in advice.words
    assert "broken" not in advice.ranking.index


def test_one_origin_without_a_value_leaves_the_mean_of_the_others():
    rng = np.random.default_rng(3)
    early = pd.DataFrame(
        {
            "c": rng.integers(0, 40, 400),
            "t": pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 540, 400), "D"),
            "a": rng.integers(5, 50, 400).astype(float),
        }
    )  # nobody orders in the last half of 2023
    whole = quiet(
        backtest, {"rate": RateForward()}, early, **NAMES,
        cutoffs=["2022-12-31", "2023-06-30"], horizon="26W",
    )  # fmt: skip
    one = quiet(
        backtest, {"rate": RateForward()}, early, **NAMES, cutoffs=["2022-12-31"], horizon="26W"
    )
    for name in ("gini", "total_bias", "top_decile"):
        assert whole.scores().loc["rate", name] == one.scores().loc["rate", name]
    found = whole.differences(against="rate", metrics=("gini", "absolute_total_bias"))
    right = one.differences(against="rate", metrics=("gini", "absolute_total_bias"))
    for name in ("value", "reference", "difference"):
        np.testing.assert_allclose(found[name], right[name], rtol=1e-12)
    assert (found["verdict"] != "not defined").all()


def test_metrics_without_a_value_say_so_by_one_kind_of_error():
    for metric in (normalized_gini_score, total_bias, decile_calibration_error):
        with pytest.raises(UndefinedMetricError):
            metric([0.0, 0.0], [1.0, 2.0])
    with pytest.raises(UndefinedMetricError, match="all actual values are equal"):
        normalized_gini_score([5.0, 5.0], [1.0, 2.0])
    assert issubclass(UndefinedMetricError, ValueError)


def test_a_funnel_without_a_win_has_no_bias():
    from custvalue.funnel import FunnelChain, backtest_funnel

    day = np.datetime64("2024-01-01") + np.arange(200)
    events = pd.concat(
        [
            pd.DataFrame({"deal": np.arange(200), "stage": "lead", "time": day}),
            pd.DataFrame(
                {
                    "deal": np.arange(200),
                    "stage": ["won"] + ["lost"] * 199,  # one, long before the cutoff
                    "time": day + np.arange(200) % 40 + 5,
                }
            ),
        ]
    )
    test = quiet(
        backtest_funnel, FunnelChain(["lead"]), events, cutoffs=["2024-05-01"], horizon="4W"
    )
    scores = test.scores()
    assert (scores["actual_wins"] == 0).all()
    assert scores["bias"].isna().all()
