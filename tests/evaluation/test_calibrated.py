"""A total calibrated on earlier origins: mended where the error repeats, else left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LinearRegression

from custvalue.data import TransactionLog
from custvalue.evaluation import CalibratedTotal, backtest
from custvalue.exceptions import DataContractError, NotSupportedError
from custvalue.markov import MarkovCLVEstimator
from custvalue.value import RateForward

NAMES = {"customer": "who", "time": "when", "amount": "paid"}


def steady_log(n=300, days=400, every=10):
    """Everybody buys for 5 on every tenth day, each with an own first day."""
    who = np.repeat(np.arange(n), days // every)
    day = np.tile(np.arange(0, days, every), n) + np.repeat(np.arange(n) % every, days // every)
    when = pd.Timestamp("2022-01-01") + pd.to_timedelta(day, unit="D")
    return pd.DataFrame({"who": who, "when": when, "paid": 5.0})


class Halved(BaseEstimator):
    """Half of a day's 50 cents, so that every origin says: twice as much came."""

    reads_table = "log"

    def __init__(self, factor=0.5):
        self.factor = factor

    def fit(self, X, y=None):
        self.n_ = len(X)
        return self

    def predict(self, X, horizon):
        days = float(str(horizon).rstrip("D"))
        return np.full(len(X.customers()), self.factor * 0.5 * days)


@pytest.fixture(scope="module")
def log():
    return TransactionLog(steady_log(), **NAMES, as_of="2023-02-04")


def test_an_error_that_repeats_is_mended(log):
    model = CalibratedTotal(Halved(), spread=10.0).fit(log)
    assert model.factor_ == pytest.approx(2.0, rel=0.05)
    np.testing.assert_allclose(model.origins_["ratio"], 2.0, rtol=0.05)
    assert model.origins_["days"].is_monotonic_decreasing
    assert len(model.origins_) == 4
    np.testing.assert_allclose(model.predict(log, horizon="100D"), model.factor_ * 25.0, rtol=1e-12)
    assert CalibratedTotal(Halved(), spread=0.0).fit(log).factor_ == 1.0


def test_the_factor_is_the_mean_log_ratio_shrunk_by_its_own_error(log):
    for spread in (0.05, 0.2):
        model = CalibratedTotal(Halved(), spread=spread).fit(log)
        weight = spread**2 / (spread**2 + model.standard_error_**2)
        mean = np.log(model.origins_["ratio"]).mean()
        assert model.factor_ == pytest.approx(np.exp(weight * mean))


class Moody(Halved):
    """Right on average, wrong by turns: the origins contradict each other."""

    def predict(self, X, horizon):
        days = float(str(horizon).rstrip("D"))
        return super().predict(X, horizon) * (3.0 if int(days) % 100 > 50 else 0.5)


def test_origins_that_contradict_each_other_leave_the_level_alone(log):
    sure, unsure = (CalibratedTotal(kind).fit(log) for kind in (Halved(), Moody(1.0)))
    assert unsure.standard_error_ > 5 * sure.standard_error_
    assert abs(np.log(unsure.factor_)) < 0.2 * abs(np.log(sure.factor_))


def test_nothing_after_the_end_of_the_log_is_read(cdnow_sample, rng):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    other = cdnow_sample.copy()
    late = (other["date"] > "1997-09-30").to_numpy()
    other.loc[late, "amount"] *= rng.uniform(0.0, 9.0, late.sum())
    settings = {"cutoffs": ["1997-09-30"], "horizon": "39W", **names}
    estimators = {"calibrated": CalibratedTotal(RateForward()), "plain": RateForward()}
    one, two = (backtest(estimators, rows, **settings) for rows in (cdnow_sample, other))
    assert one.predictions["calibrated"].equals(two.predictions["calibrated"])
    scores = one.scores()
    assert scores.loc["calibrated", "gini"] == pytest.approx(scores.loc["plain", "gini"])
    assert scores.loc["calibrated", "abs_total_bias"] < scores.loc["plain", "abs_total_bias"]


def test_chances_pass_through_where_the_estimator_states_them(cdnow_sample):
    few = cdnow_sample[cdnow_sample["customer_id"] % 4 == 0]
    known = TransactionLog(
        few, customer="customer_id", time="date", amount="amount", unit="W"
    ).until("1997-09-30")
    with pytest.raises(NotSupportedError, match="RateForward"):
        CalibratedTotal(RateForward(), horizon="26W").fit(known).predict_chance(known)
    model = CalibratedTotal(MarkovCLVEstimator(), n_origins=1, horizon="26W").fit(known)
    latest = known.panel("4W").groupby("customer_id").tail(1)
    plain = MarkovCLVEstimator(horizon="26W").fit(known.panel("4W"))
    chance = model.predict_chance(known)
    np.testing.assert_allclose(chance, plain.predict_chance(latest))


def test_a_regressor_is_calibrated_for_its_one_horizon(cdnow_sample):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    known = TransactionLog(cdnow_sample, **names).until("1997-12-31")
    model = CalibratedTotal(LinearRegression(), n_origins=2, horizon="91D").fit(known)
    assert len(model.predict(known)) == len(known.customers())
    with pytest.raises(ValueError, match="one horizon"):
        model.predict(known, horizon="50D")
    with pytest.raises(ValueError, match="one horizon"):
        CalibratedTotal(LinearRegression()).fit(known)


def test_it_is_cloned_and_its_estimator_never_changed(log):
    inner = Halved()
    model = clone(CalibratedTotal(inner, n_origins=2)).fit(log)
    assert not hasattr(inner, "n_")
    before = model.predict(log, horizon="30D")
    model.predict(log, horizon="60D")
    np.testing.assert_array_equal(before, model.predict(log, horizon="30D"))


class Nothing(Halved):
    def predict(self, X, horizon):
        return np.zeros(len(X.customers()))


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (CalibratedTotal(Halved(), n_origins=0), ValueError, "at least 1"),
        (CalibratedTotal(Halved(), spread=-1.0), ValueError, "0 or more"),
        (CalibratedTotal(Halved(), n_origins=1000), DataContractError, "fewer origins"),
        (CalibratedTotal(Nothing()), ValueError, "no level to learn"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_with_the_cure(model, error, message, log):
    with pytest.raises(error, match=message):
        model.fit(log)


def test_a_horizon_is_needed(log):
    with pytest.raises(ValueError, match="name a horizon"):
        CalibratedTotal(Halved()).fit(log).predict(log)
