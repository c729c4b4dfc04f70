"""Value of stages through a chain on stages: by hand, and on CDNOW."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import SmallSampleWarning
from custvalue.lifecycle import LifecycleClassifier
from custvalue.lifecycle._lifecycle_history import StageHistory
from custvalue.value import stage_history, stage_value

QUARTERS = ["1997-09-30", "1997-12-31", "1998-03-31", "1998-06-30"]
CDNOW = {"customer": "customer_id", "time": "date", "amount": "amount"}


def made(codes, value) -> StageHistory:
    """Build a history with stages a and b at dates 100 days apart."""
    codes = np.array(codes, dtype=np.int8)
    dates = np.datetime64("2024-01-01", "ns") + np.arange(codes.shape[1]) * np.timedelta64(100, "D")
    value = np.array(value, dtype=float)
    ids = np.arange(len(codes))
    return StageHistory("id", ids, dates, ("a", "b"), codes, value, pd.DataFrame())


def test_stage_values_agree_with_the_sum_by_hand():
    # a -> a, a -> b with 10 and 0 of money; b -> b with 2
    history = made([[0, 0], [0, 1], [1, 1]], [[0, 10], [0, 0], [5, 7]])
    value = stage_value(history, annual_discount_rate=0.10, horizon="200D", margin=0.5)
    delta = 1.10 ** (-100 / 365.25)
    reward = np.array([2.5, 1.0])
    P = np.array([[0.5, 0.5], [0.0, 1.0]])
    assert value.reward == pytest.approx(reward)
    assert value.future_value == pytest.approx(delta * reward + delta**2 * P @ reward)
    assert (value.periods, value.period_days) == (2, 100.0)
    table = value.table()
    assert table["customer_periods"].tolist() == [2, 1]
    assert table["customers"].tolist() == [1, 2]


def test_without_a_horizon_the_value_is_the_limit():
    history = made([[0, 0], [0, 1], [1, 1]], [[0, 10], [0, 0], [5, 7]])
    endless = stage_value(history, annual_discount_rate=0.10).future_value
    long = stage_value(history, annual_discount_rate=0.10, horizon="100000D").future_value
    assert endless == pytest.approx(long)


def test_a_stage_reached_at_the_last_date_only_is_named():
    history = made([[0, 1], [0, 0]], [[0, 1], [0, 1]])
    with pytest.warns(SmallSampleWarning, match=r"stage\(s\) b occur at the last date only"):
        value = stage_value(history, annual_discount_rate=0.1)
    assert value.future_value[1] == 0.0


def test_uneven_dates_and_broken_horizons_are_refused():
    history = made([[0, 0]], [[0, 1]])
    with pytest.raises(ValueError, match=r"horizon='150D' is 1.50 periods"):
        stage_value(history, annual_discount_rate=0.1, horizon="150D")
    one = made([[0]], [[1]])
    with pytest.raises(ValueError, match="two dates or more"):
        stage_value(one, annual_discount_rate=0.1)
    uneven = StageHistory(
        "id", np.arange(1), np.array(["2024-01-01", "2024-02-01", "2024-06-01"], "datetime64[ns]"),
        ("a",), np.zeros((1, 3), np.int8), np.zeros((1, 3)), pd.DataFrame(),
    )  # fmt: skip
    with pytest.raises(ValueError, match="31 to 121 days apart"):
        stage_value(uneven, annual_discount_rate=0.1)


def test_a_horizon_is_a_whole_number_of_periods():
    history = made([[0, 0], [0, 1], [1, 1]], [[0, 10], [0, 0], [5, 7]])  # 100 days apart
    for horizon, periods in (("100D", 1), ("200D", 2), ("2400H", 1), ("1000D", 10)):
        value = stage_value(history, annual_discount_rate=0.1, horizon=horizon)
        assert value.periods == periods, horizon
    for horizon in ("0D", "4D", "96D", "104D", "191D", "1050D", "1001D", "1Y"):
        with pytest.raises(ValueError, match="it must be a whole number of them"):
            stage_value(history, annual_discount_rate=0.1, horizon=horizon)
    with pytest.raises(ValueError, match=r"10\.50 periods of 100\.0 days.*such as horizon='1000D'"):
        stage_value(history, annual_discount_rate=0.1, horizon="1050D")


def at_dates(dates) -> StageHistory:
    """Build a history with one stage at these dates."""
    made_of = np.zeros((2, len(dates)), np.int8), np.ones((2, len(dates)))
    days = np.array(dates, "datetime64[ns]")
    return StageHistory("id", np.arange(2), days, ("a",), *made_of, pd.DataFrame())


@pytest.mark.parametrize(
    ("dates", "good", "bad"),
    [
        (QUARTERS, {"1Y": 4, "3M": 1, "12M": 4, "91D": 1, "52W": 4}, ("90D", "13M", "365D")),
        (["2023-01-31", "2023-02-28", "2023-03-31"], {"1Y": 12, "1M": 1}, ("28D", "4W")),
        (["2022-12-30", "2023-06-30", "2023-12-30"], {"1Y": 2, "6M": 1}, ("3M", "26W")),
        (["2021-03-01", "2022-03-01", "2023-03-01"], {"1Y": 1, "365D": 1}, ("6M", "360D")),
        (["2024-02-29", "2024-05-29"], {"1Y": 4, "90D": 1}, ("1M", "91D")),
        (["2024-01-01", "2024-01-29", "2024-02-26"], {"4W": 1, "28D": 1}, ("1M", "1Y")),
    ],
)
def test_periods_between_dates_of_the_calendar_are_counted_in_months(dates, good, bad):
    history = at_dates(dates)
    for horizon, periods in good.items():
        value = stage_value(history, annual_discount_rate=0.1, horizon=horizon)
        assert value.periods == periods, horizon
    for horizon in bad:
        with pytest.raises(ValueError, match="it must be a whole number of them"):
            stage_value(history, annual_discount_rate=0.1, horizon=horizon)


def test_the_horizon_that_a_refusal_proposes_is_taken():
    for dates in (QUARTERS, ["2024-01-01", "2024-01-22", "2024-02-13", "2024-03-05"]):
        with pytest.raises(ValueError, match="such as horizon=") as said:
            stage_value(at_dates(dates), annual_discount_rate=0.1, horizon="40D")
        proposed = str(said.value).split("such as horizon='")[1].split("'")[0]
        assert stage_value(at_dates(dates), annual_discount_rate=0.1, horizon=proposed).periods


def test_the_history_of_a_log_has_the_logs_money(cdnow_sample):
    history = stage_history(cdnow_sample, QUARTERS, **CDNOW)
    total = cdnow_sample["amount"].sum()
    assert history.migration_matrix(None, -1, money=True).sum() == pytest.approx(total)
    last = cdnow_sample["date"] > pd.Timestamp(QUARTERS[-2])
    money = history.migration_matrix(-2, -1, money=True).sum()
    assert money == pytest.approx(cdnow_sample.loc[last, "amount"].sum())


def test_a_fitted_classifier_is_used_as_it_is(cdnow_sample):
    one = stage_history(cdnow_sample, QUARTERS, **CDNOW, classifier=LifecycleClassifier())
    fitted = LifecycleClassifier(core_value_quantile=None)
    fitted.fit(cv.summarize(cdnow_sample, as_of=QUARTERS[0], **CDNOW))
    other = stage_history(cdnow_sample, QUARTERS, **CDNOW, classifier=fitted)
    core = one.stages.index("core")
    assert (other.codes == core).sum() > (one.codes == core).sum()


def test_on_cdnow_core_customers_are_worth_most_and_exited_ones_least(cdnow_sample):
    history = stage_history(cdnow_sample, QUARTERS, **CDNOW)
    value = stage_value(history, annual_discount_rate=0.10, horizon="1Y")
    worth = dict(zip(value.chain.states, value.future_value, strict=True))
    assert worth["core"] == max(worth.values())
    assert worth["exited"] == min(worth.values())
    assert np.isfinite(value.future_value).all()
