"""Backtests by hand, without leaks, and indifferent to what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custvalue.data import TransactionLog, split_by_date, summarize
from custvalue.evaluation import (
    Candidate,
    LastPeriodRepeated,
    backtest,
    cutoffs,
    future_value,
    supervised_frame,
)
from custvalue.evaluation._reads import reads_of
from custvalue.exceptions import BinWarning, DataContractError, DataWarning, InterruptedWarning
from custvalue.markov import MarkovCLVEstimator
from custvalue.purchase import MBGNBD
from custvalue.rfm import RFMTransformer
from custvalue.value import CellMeans, CustomerValue, RecencyMigration, RetentionValue

NAMES = {"customer": "who", "time": "when", "amount": "paid"}

# six customers known by day 100, a seventh who comes after; horizon 50 days after 2024-04-09
SIX = pd.DataFrame(
    [
        ("a", "2024-01-01", 10.0),
        ("a", "2024-03-01", 20.0),
        ("a", "2024-04-20", 30.0),
        ("b", "2024-01-10", 50.0),
        ("c", "2024-02-01", 5.0),
        ("c", "2024-02-20", 5.0),
        ("c", "2024-03-30", 5.0),
        ("c", "2024-05-29", 15.0),  # the last day of the horizon
        ("d", "2024-04-09", 40.0),  # the cutoff day itself
        ("d", "2024-05-30", 99.0),  # the day after the horizon
        ("e", "2024-03-15", 8.0),
        ("e", "2024-04-10", 8.0),  # the first day of the horizon
        ("e", "2024-05-10", 4.0),
        ("f", "2024-02-02", 1.0),
        ("g", "2024-05-01", 70.0),
    ],
    columns=["who", "when", "paid"],
)
ARGUMENTS = {**NAMES, "cutoffs": ["2024-04-09"], "horizon": "50D"}


class Oracle(BaseEstimator):
    """Predicts what it was told came."""

    reads_table = "log"

    def __init__(self, answer=None, level=1.0):
        self.answer = answer
        self.level = level

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return np.array([self.answer.get(who, 0.0) for who in X.customers()]) * self.level


class Spy(BaseEstimator):
    """Keeps the last day that it has seen."""

    reads_table = "log"
    seen: list = []

    def fit(self, X, y=None):
        self.seen.append(pd.to_datetime(X.frame["when"]).max())
        return self

    def predict(self, X, horizon=None):
        self.seen.append(pd.to_datetime(X.frame["when"]).max())
        return np.zeros(len(X.customers()))


TRUTH = {"a": 30.0, "b": 0.0, "c": 15.0, "d": 0.0, "e": 12.0, "f": 0.0}


def test_a_backtest_of_six_customers_agrees_with_one_by_hand():
    result = backtest({"oracle": Oracle(TRUTH)}, SIX, **ARGUMENTS)
    table = result.table.set_index("estimator")
    assert result.predictions["who"].tolist() == list("abcdef")
    assert result.predictions["actual"].tolist() == [30.0, 0.0, 15.0, 0.0, 12.0, 0.0]
    assert result.predictions["actual_orders"].tolist() == [1, 0, 1, 0, 2, 0]
    # observed days: a 99, b 90, c 68, d 0, e 25, f 67; at least their mean counts
    observed = np.maximum([99, 90, 68, 0, 25, 67], (99 + 90 + 68 + 0 + 25 + 67) / 6)
    rate = np.array([30, 50, 15, 40, 8, 1]) / observed * 50
    np.testing.assert_allclose(result.predictions["rate carried forward"], rate)
    # the 50 days up to 2024-04-09 begin on 2024-02-20
    again = [20.0, 0.0, 5.0, 40.0, 8.0, 0.0]
    assert result.predictions["last period repeated"].tolist() == [20.0, 0.0, 10.0, 40.0, 8.0, 0.0]
    again[2] = 10.0
    assert table.loc["last period repeated", "total_bias"] == pytest.approx(sum(again) / 57 - 1)
    assert table.loc["last period repeated", "mae"] == pytest.approx((10 + 5 + 40 + 4) / 6)
    assert table.loc["last period repeated", "rmse"] == pytest.approx(
        np.sqrt((100 + 25 + 1600 + 16) / 6)
    )
    oracle = table.loc["oracle"]
    assert oracle[["gini", "spearman", "top_decile"]].tolist() == pytest.approx([1, 1, 1])
    assert oracle[["total_bias", "mae", "rmse", "decile_calibration"]].tolist() == [0, 0, 0, 0]
    new = table.loc["(customers new in the horizon)"]
    assert (new["n_customers"], new["actual_total"], new["predicted_total"]) == (1, 70.0, 0.0)


def test_a_constant_forecast_has_gini_zero():
    result = backtest({"constant": Oracle(dict.fromkeys("abcdef", 9.5))}, SIX, **ARGUMENTS)
    row = result.table.set_index("estimator").loc["constant"]
    assert row["gini"] == 0.0
    assert row["total_bias"] == pytest.approx(0.0)


def test_nothing_after_the_cutoff_reaches_an_estimator():
    Spy.seen.clear()
    backtest({"spy": Spy()}, SIX, **{**ARGUMENTS, "cutoffs": ["2024-03-15", "2024-04-09"]})
    assert Spy.seen == [pd.Timestamp(d) for d in ["2024-03-15"] * 2 + ["2024-04-09"] * 2]


def test_another_future_changes_no_prediction(rng, cdnow_sample):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    cutoff = pd.Timestamp("1997-09-30")
    other = cdnow_sample.copy()
    late = (other["date"] > cutoff).to_numpy()
    other.loc[late, "amount"] = rng.permutation(other.loc[late, "amount"]) * 7 + 1
    other.loc[late, "customer_id"] = rng.permutation(other.loc[late, "customer_id"])
    estimators = {"regression": LinearRegression()}
    settings = {"cutoffs": [cutoff], "horizon": "39W", **names}
    one = backtest(estimators, cdnow_sample, **settings).predictions
    two = backtest(estimators, other, **settings).predictions
    forecasts = ["customer_id", "regression", "rate carried forward", "last period repeated"]
    pd.testing.assert_frame_equal(one[forecasts], two[forecasts])
    assert not one["actual"].equals(two["actual"])


class PlantedLeak(RegressorMixin, BaseEstimator):
    """A careless estimator: it kept the whole log."""

    reads_table = "log"

    def __init__(self, whole=None):
        self.whole = whole

    def fit(self, X, y=None):
        return self

    def predict(self, X, horizon=None):
        total = self.whole.groupby("who")["paid"].sum()
        return total.reindex(X.customers()).to_numpy()


def test_a_planted_leak_is_caught_by_another_future():
    other = SIX.copy()
    late = other["when"] > "2024-04-09"
    other.loc[late, "paid"] = other.loc[late, "paid"].to_numpy()[::-1]
    one = backtest({"leak": PlantedLeak(SIX)}, SIX, **ARGUMENTS).predictions
    two = backtest({"leak": PlantedLeak(other)}, other, **ARGUMENTS).predictions
    assert not one["leak"].equals(two["leak"])
    assert one["rate carried forward"].equals(two["rate carried forward"])


def test_origins_come_in_time_order_and_do_not_touch_each_other():
    both = backtest({}, SIX, **{**ARGUMENTS, "cutoffs": ["2024-04-09", "2024-03-15"]})
    alone = backtest({}, SIX, **ARGUMENTS)
    later = both.predictions[both.predictions["cutoff"] == pd.Timestamp("2024-04-09")]
    pd.testing.assert_frame_equal(later.reset_index(drop=True), alone.predictions)
    assert both.table["cutoff"].is_monotonic_increasing


def test_row_order_index_and_extra_columns_do_not_matter(rng):
    plain = backtest({"regression": LinearRegression()}, SIX, **ARGUMENTS)
    order = rng.permutation(len(SIX))
    mixed = SIX.iloc[order].set_axis([7] * len(SIX)).assign(note="x")
    again = backtest({"regression": LinearRegression()}, mixed, **ARGUMENTS)
    pd.testing.assert_frame_equal(plain.predictions, again.predictions)


@pytest.mark.parametrize("kind", ["polars", "polars lazy", "pyarrow"])
def test_the_kind_of_table_does_not_matter(kind):
    plain = backtest({"regression": LinearRegression()}, SIX, **ARGUMENTS)
    if kind == "pyarrow":
        pa = pytest.importorskip("pyarrow")
        log = pa.Table.from_pandas(SIX)
    else:
        pl = pytest.importorskip("polars")
        log = pl.DataFrame(SIX.to_dict("list"))
        log = log.lazy() if kind == "polars lazy" else log
    again = backtest({"regression": LinearRegression()}, log, **ARGUMENTS)
    np.testing.assert_allclose(
        again.predictions["regression"], plain.predictions["regression"], rtol=1e-9
    )
    assert again.table["actual_total"].tolist() == plain.table["actual_total"].tolist()


def test_interrupting_keeps_the_origins_that_were_finished():
    class Impatient(Oracle):
        calls = 0

        def predict(self, X):
            type(self).calls += 1
            if type(self).calls == 2:
                raise KeyboardInterrupt
            return super().predict(X)

    two = {**ARGUMENTS, "cutoffs": ["2024-03-15", "2024-04-09"]}
    with pytest.warns(InterruptedWarning, match="1 of 2 origins"):
        result = backtest({"impatient": Impatient(TRUTH)}, SIX, **two)
    assert not result.complete
    assert result.table["cutoff"].nunique() == 1
    Impatient.calls = 1
    with pytest.raises(KeyboardInterrupt):
        backtest({"impatient": Impatient(TRUTH)}, SIX, **two)


def test_progress_is_told_to_whoever_listens(capsys):
    told = []
    backtest({}, SIX, **ARGUMENTS, progress=lambda done, total, text: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    backtest({}, SIX, **ARGUMENTS, progress=True)
    assert "[2/2] last period repeated at 2024-04-09" in capsys.readouterr().err


def test_the_target_of_the_supervised_frame_lies_after_its_features():
    log = TransactionLog(SIX, **NAMES)
    X, y = supervised_frame(log, "2024-04-09", "50D")
    assert X["total_value"].tolist() == [30.0, 50.0, 15.0, 40.0, 8.0, 1.0]
    assert X["value_28D"].tolist() == [0.0, 0.0, 5.0, 40.0, 8.0, 0.0]
    assert y.tolist() == list(TRUTH.values())


class MeanTarget(BaseEstimator):
    """Predicts the mean target of the rows that it learned from."""

    reads_table = "supervised"

    def fit(self, X, y):
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_what_is_learned_on_a_shorter_window_is_brought_to_the_horizon():
    # 20 days known up to the cutoff, and a horizon of 30: learned on the last 10 days
    rows = [(who, f"2024-01-{day:02d}", 6.0) for who in "ab" for day in (1, 5, 15, 21)]
    log = pd.DataFrame([*rows, ("a", "2024-02-20", 1.0)], columns=["who", "when", "paid"])
    how = {**NAMES, "cutoffs": ["2024-01-21"], "horizon": "30D"}
    mean = Candidate(MeanTarget(), reads="supervised")
    told = backtest({"mean": mean}, log, **how).predictions["mean"]
    # two orders of 6 each in those 10 days: 12 x 30 / 10
    assert told.tolist() == pytest.approx([36.0, 36.0])


def test_samples_are_customers_known_at_each_date():
    log = TransactionLog(SIX, **NAMES)
    X = cutoffs(log, ["2024-01-05", "2024-02-01"])
    assert X["who"].tolist() == ["a", "a", "b", "c"]
    assert future_value(log, X, horizon="60D").tolist() == [20.0, 20.0, 0.0, 10.0]


def test_the_librarys_own_estimators_are_read_right(cdnow_sample):
    chain = make_pipeline(RFMTransformer(), MarkovCLVEstimator(horizon="52W", margin=0.3))
    value = CustomerValue(purchases=MBGNBD(), margin=0.3, annual_discount_rate=0.2)
    classic = {
        "retention": RetentionValue(),
        "migration": RecencyMigration(contact_cost=1.0),
        "cells": CellMeans(),
    }
    mix = {"chain": chain, "value": value, **classic}
    assert {name: reads_of(e) for name, e in mix.items()} == {
        "chain": "panel",
        "value": "summary",
        "retention": "summary",
        "migration": "panel",
        "cells": "supervised",
    }
    assert reads_of(MarkovCLVEstimator()) == "panel"
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    few = cdnow_sample[cdnow_sample["customer_id"] % 3 == 0]
    with pytest.warns(BinWarning):  # most of CDNOW bought once
        result = backtest(mix, few, cutoffs=["1997-09-30"], horizon="39W", **names)
    scores = result.scores()
    # margin, discount and the own horizon are switched off: money of 39 weeks for everybody
    assert (scores["predicted_total"] > 0.5 * scores["actual_total"]).all()
    assert 0.7 < scores.loc["value", "coverage"] <= 1.0
    assert 0.0 < scores.loc["value", "brier"] < 0.25  # better than a coin
    # a Pipeline hides these methods of its last step
    assert 0.7 < scores.loc["chain", "coverage"] <= 1.0
    assert 0.0 < scores.loc["chain", "brier"] < 0.25
    assert value.margin == 0.3
    assert not hasattr(value, "purchases_")


def test_what_reads_what_is_told_by_attribute_signature_or_outright():
    class WithHorizon:
        def fit(self, X): ...
        def predict(self, X, horizon): ...

    assert reads_of(WithHorizon()) == "summary"
    assert reads_of(make_pipeline(StandardScaler(), LinearRegression())) == "supervised"
    assert reads_of(Oracle()) == "log"
    assert Candidate(LinearRegression(), reads="summary").table == "summary"
    with pytest.raises(ValueError, match="must be one of"):
        Candidate(LinearRegression(), reads="table")


def test_rows_that_cannot_be_used_are_named_once_and_left_out():
    holes = pd.concat(
        [SIX, pd.DataFrame([(None, "2024-02-02", 3.0), ("a", None, 3.0), ("b", None, 1.0)],
                           columns=list(SIX.columns))]
    )  # fmt: skip
    with pytest.warns(DataWarning) as told:
        found = backtest({"regression": LinearRegression()}, holes, **ARGUMENTS)
    assert len(told) == 1
    with pytest.warns(DataWarning) as by_summarize:
        summarize(holes, **NAMES, as_of="2024-05-31")
    assert str(told[0].message) == str(by_summarize[0].message)
    assert "customer id is missing: 1; time is missing or unreadable: 2" in str(told[0].message)
    plain = backtest({"regression": LinearRegression()}, SIX, **ARGUMENTS)
    pd.testing.assert_frame_equal(found.predictions, plain.predictions)
    with pytest.raises(DataContractError):
        backtest({}, holes, **ARGUMENTS, invalid="error")
    with pytest.raises(DataContractError, match=r"time-not-iso: .*'soon'"):  # as summarize does
        backtest({}, holes.assign(when="soon"), **ARGUMENTS)


def test_time_zones_are_read_on_their_own_clock():
    zoned = SIX.assign(when=pd.to_datetime(SIX["when"] + " 23:30").dt.tz_localize("Asia/Shanghai"))
    result = backtest({}, zoned, **ARGUMENTS)
    assert result.predictions["actual"].tolist() == list(TRUTH.values())


def test_a_log_shorter_than_the_horizon_is_scaled_up():
    log = TransactionLog(SIX, **NAMES).until("2024-01-31")
    assert LastPeriodRepeated().fit(log).predict(log, horizon="62D").tolist() == [20.0, 100.0]
    assert LastPeriodRepeated(horizon="31D").fit(log).predict(log).tolist() == [10.0, 50.0]


class MeanOfTarget(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.mean_ = y.mean()
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_a_regressor_learns_one_horizon_earlier_or_from_a_scaled_half():
    # 99 days known: room for 1.5 horizons of 50, so learned from a cutoff 50 days earlier, 02-19:
    # a, b, c and f were known then; a brought 20 and c brought 10 until 04-09
    result = backtest({"mean": MeanOfTarget()}, SIX, **ARGUMENTS)
    np.testing.assert_allclose(result.predictions["mean"], 30 / 4)
    # no room for 1.5 horizons of 80: the middle, 49 days before the cutoff, 02-20; c brought 5
    longer = TransactionLog(SIX, **NAMES, as_of="2024-06-30")
    scaled = backtest({"mean": MeanOfTarget()}, longer, cutoffs=["2024-04-09"], horizon="80D")
    np.testing.assert_allclose(scaled.predictions["mean"], 25 / 4 * 80 / 49)


def test_a_result_says_what_it_is():
    result = backtest({}, SIX, **ARGUMENTS)
    assert repr(result) == "BacktestResult(2 estimators, 1 cutoff, horizon 50D)"
    assert "rate carried forward" in result._repr_html_()


class Faulty(Oracle):
    """Fails at the later cutoff only."""

    def predict(self, X, horizon=None):
        if str(X.as_of)[:10] == "2024-04-09":
            raise ZeroDivisionError("no luck")
        return np.ones(len(X.customers()))


def test_a_failure_ends_the_backtest_or_is_noted():
    two = {**ARGUMENTS, "cutoffs": ["2024-03-15", "2024-04-09"]}
    with pytest.raises(ZeroDivisionError):
        backtest({"faulty": Faulty()}, SIX, **two)
    result = backtest({"faulty": Faulty()}, SIX, on_error="note", **two)
    rows = result.table.set_index(["estimator", "cutoff"]).loc["faulty"]
    assert rows["note"].tolist() == ["", "ZeroDivisionError: no luck"]
    assert rows["gini"].isna().tolist() == [False, True]
    found = result.differences(against="last period repeated", n_resamples=5)
    assert set(found["estimator"]) == {"rate carried forward"}
    with pytest.raises(ValueError, match="failed at a cutoff"):
        result.differences(against="faulty")


def test_actual_values_are_those_of_split_by_date(cdnow_sample):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    split = split_by_date(cdnow_sample, "1997-09-30", "39W", as_of="1998-06-30", **names)
    result = backtest({}, cdnow_sample, cutoffs=["1997-09-30"], horizon="39W", **names)
    assert result.predictions["actual"].tolist() == split.future["spend"].tolist()
    assert result.predictions["actual_orders"].tolist() == split.future["orders"].tolist()
    assert result.table["n_customers"].iloc[-1] == len(split.new)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"horizon": "90D"}, DataContractError, "unfinished-horizon"),
        ({"cutoffs": ["2023-04-09"]}, DataContractError, "nobody-known"),
        ({"cutoffs": []}, ValueError, "at least one cutoff"),
        ({"cutoffs": "2024-04-09"}, ValueError, "must be a list"),
        ({"cutoffs": ["2024-04-09"] * 2}, ValueError, "are the same"),
        ({"customer": None}, ValueError, "name the log's columns"),
        ({"customer": "id"}, DataContractError, "no column 'id'"),
        ({"estimators": {"rate carried forward": Oracle(TRUTH)}}, ValueError, "every backtest has"),
        ({"estimators": [Oracle(TRUTH), Oracle(TRUTH)]}, ValueError, "pass a dict"),
        ({"on_error": "skip"}, ValueError, "'raise' or 'note'"),
        ({"log": TransactionLog(SIX, **NAMES)}, ValueError, "leave"),
    ],
)
def test_what_cannot_be_tested_is_refused_with_the_cure(changes, error, message):
    arguments = {"estimators": {}, "log": SIX, **ARGUMENTS, **changes}
    with pytest.raises(error, match=message):
        backtest(arguments.pop("estimators"), arguments.pop("log"), **arguments)
