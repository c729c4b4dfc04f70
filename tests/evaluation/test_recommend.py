"""The facts of a log, and a suggestion that follows from its backtest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custvalue.data import TransactionLog
from custvalue.evaluation import recommend
from custvalue.evaluation._facts import in_words, log_facts, regularity
from custvalue.evaluation._recommend import regular_candidate
from custvalue.exceptions import DataContractError
from custvalue.purchase import MBGCNBD
from custvalue.testing._value import Shop

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 4.0])
def test_the_planted_regularity_is_recovered_whatever_the_own_rates(shape, rng):
    n = 4000
    gaps = rng.gamma(shape, rng.lognormal(2, 1, n)[:, None] / shape, (n, 4)).ravel()
    found = regularity(gaps, np.repeat(np.arange(n), 4))
    assert found.lower < shape < found.upper
    assert found.k == pytest.approx(shape, rel=0.06)
    assert found.n_customers == n


def test_regularity_agrees_with_wheat_and_morrison_by_hand():
    # M = 10/40 and 30/50: mean squared distance from 1/2 is (1/16 + 1/100) / 2
    v = (1 / 16 + 1 / 100) / 2
    found = regularity([10, 30, 99, 30, 20, 7], ["a", "a", "a", "b", "b", "c"])
    assert found.k == pytest.approx((1 - 4 * v) / (8 * v))
    assert found.n_customers == 2


def test_nobody_with_two_gaps_is_no_regularity():
    assert np.isnan(regularity([3.0], ["a"]).k)
    assert regularity([], []).n_customers == 0


def test_facts_of_a_small_log_agree_with_counting():
    rows = pd.DataFrame(
        [
            ("a", "2024-01-01", 10.0),
            ("a", "2024-01-01", 5.0),
            ("a", "2024-01-11", 5.0),
            ("b", "2024-01-05", 80.0),
            ("c", "2024-03-01", 0.0),
            ("c", "2024-03-02", 20.0),
        ],
        columns=["who", "when", "paid"],
    )
    facts = log_facts(TransactionLog(rows, customer="who", time="when", amount="paid"))
    assert (facts.n_customers, facts.n_orders, facts.span_days) == (3, 4, 61.0)
    assert facts.one_time_share == pytest.approx(2 / 3)
    assert facts.median_gap_days == 10.0
    assert facts.top_share == pytest.approx(80 / 120 * 0.03)


def test_cdnow_buys_at_random_in_an_unfinished_two_years(cdnow_sample):
    advice = recommend(
        cdnow_sample, **NAMES, estimators={"regression": LinearRegression()}, n_resamples=40
    )
    text = str(advice)
    assert "take for granted" in text
    assert "under two" in text
    assert advice.facts.regularity.lower < 1.05 < advice.facts.regularity.upper + 0.1
    assert set(advice.ranking.index) == {
        "regression",
        "rate carried forward",
        "last period repeated",
    }
    assert advice.ranking["mean_rank"].is_monotonic_increasing
    assert advice.suggestion in text


class Clairvoyant:
    """Knows the whole log; only to show that the best is suggested."""

    reads_table = "log"
    whole = None

    def fit(self, X):
        return self

    def predict(self, X, horizon):
        later = self.whole.between(X.as_of, X.as_of + np.timedelta64(364, "D"))
        return later.totals(X.customers())[0]


def regular_log(rng, years=3, shape=5.0):
    n = 250
    gaps = rng.gamma(shape, 60 / shape, (n, 40)).round().clip(1)
    days = rng.integers(0, 200, n)[:, None] + gaps.cumsum(axis=1)
    who = np.repeat(np.arange(n), 40)
    log = pd.DataFrame({"customer_id": who, "day": days.ravel(), "amount": 10.0})
    log = log[log["day"] < years * 365.25]
    return log.assign(date=pd.Timestamp("2020-01-01") + pd.to_timedelta(log["day"], unit="D"))


def test_the_truth_is_suggested_where_someone_tells_it(rng):
    log = TransactionLog(regular_log(rng), **NAMES)
    Clairvoyant.whole = log
    advice = recommend(
        log, estimators={"clairvoyant": Clairvoyant()}, horizon="52W", n_resamples=40
    )
    assert advice.suggestion == "clairvoyant"
    assert advice.ranking["against_suggestion"].iloc[1:].str.contains("worse").all()
    assert "keep a rhythm" in str(advice)
    assert "under two" not in str(advice)
    assert len(advice.result.table["cutoff"].unique()) == 2


def test_where_customers_keep_a_rhythm_the_law_of_regular_buyers_is_pointed_to(rng):
    facts = log_facts(TransactionLog(regular_log(rng), **NAMES))
    (candidate,) = regular_candidate(facts).values()
    assert isinstance(candidate.purchases, MBGCNBD)
    assert candidate.purchases.k == "auto"
    assert "MBGCNBD(k='auto')" in " ".join(in_words(facts))
    random = facts._replace(regularity=facts.regularity._replace(k=1.1, lower=1.0, upper=1.2))
    assert regular_candidate(random) == {}
    assert "MBGCNBD" not in " ".join(in_words(random))


def test_naive_forecasts_that_win_are_named_as_such(rng):
    advice = recommend(
        regular_log(rng), **NAMES, estimators={}, horizon="26W", cutoffs=["2021-06-30"]
    )
    assert "no model has shown its worth" in str(advice)


class Broken(LinearRegression):
    def fit(self, X, y, sample_weight=None):
        raise ValueError("no")


def test_what_fails_is_named_and_left_out(rng):
    advice = recommend(
        regular_log(rng), **NAMES, estimators={"broken": Broken()}, horizon="26W", n_resamples=20
    )
    assert "Failed and left out: broken" in str(advice)
    assert "broken" not in advice.ranking.index


def test_a_history_of_days_is_refused(cdnow_sample):
    first = cdnow_sample["date"].min()
    with pytest.raises(DataContractError, match="six weeks"):
        recommend(cdnow_sample[cdnow_sample["date"] < first + pd.Timedelta(days=20)], **NAMES)


def test_the_log_chooses_unless_a_method_is_better_and_worse_in_nothing(rng, monkeypatch):
    from custvalue.evaluation import BestValue, _best, _recommend, _stacked
    from custvalue.purchase import MBGNBD
    from custvalue.value import CustomerValue, SameForAll

    def parts():
        return {"law": CustomerValue(purchases=MBGNBD()), "same for all": SameForAll()}

    for module in (_recommend, _stacked):
        monkeypatch.setattr(module, "usual_parts", parts)
    log = TransactionLog(Shop("log").log, customer="who", time="day", amount="paid")
    advice = recommend(log, horizon="26W", n_resamples=60)
    assert list(advice.result.estimators[:3]) == ["chosen by its past", "law", "same for all"]
    told = advice.ranking["against_suggestion"]
    if advice.suggestion == "chosen by its past":
        assert isinstance(advice.model, BestValue)
        assert advice.verdict.words()[0] in str(advice)
        others = told.iloc[1:]
        assert not (others.str.contains("better") & ~others.str.contains("worse")).any()
        assert advice.model.predict(log).shape == (len(log.customers()),)
    else:
        assert advice.model is None
    assert _best.WORTH < _best.CLEARLY


def test_own_estimators_are_ranked_by_expected_money_and_not_by_the_median(rng):
    class Nothing:
        """Smallest mean absolute error where most bring nothing."""

        reads_table = "log"

        def fit(self, X):
            return self

        def predict(self, X, horizon):
            return np.full(len(X.customers()), 1e-3)

    log = TransactionLog(Shop("log").log, customer="who", time="day", amount="paid")
    advice = recommend(log, estimators={"nothing": Nothing()}, horizon="4W", n_resamples=40)
    assert advice.suggestion != "nothing"
    assert advice.ranking.index[-1] == "nothing"
    assert advice.ranking.loc["nothing", "mae"] == advice.ranking["mae"].min()
