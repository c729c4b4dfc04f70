"""Who answers a mailing: laws of the learner, its figures recomputed, two public mailings."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import custvalue as cv
from custvalue.campaign import ResponseModel
from custvalue.campaign._response import gains_table
from custvalue.exceptions import (
    DataContractError,
    NotSupportedError,
    SmallSampleWarning,
    TimeUnitError,
)

FOLDER = Path(os.environ.get("CUSTVALUE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def public(name):
    path = FOLDER / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not here; set CUSTVALUE_DATA to its folder")
    return pd.read_parquet(path)


def mailing(rng, n=3000):
    """Customers whose chance of an answer is known; returns table, chance, answers."""
    X = pd.DataFrame(
        {
            "orders": rng.poisson(3, n),
            "city": rng.choice(["north", "south", "east"], n),
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(3, 1, n)),
            "noise": rng.normal(size=n),
        }
    )
    z = -3.0 + 0.4 * X["orders"] + 0.8 * (X["city"] == "north")
    chance = (1 / (1 + np.exp(-z))).to_numpy()
    return X, chance, (rng.random(n) < chance).astype(int)


@pytest.fixture(scope="module")
def fitted():
    X, chance, y = mailing(np.random.default_rng(7), 6000)
    return ResponseModel().fit(X, y), X, chance, y


# ---- scikit-learn's contract ---------------------------------------------------------------------


class AnyLabels(ResponseModel):
    """The checks send labels of any kind: the larger half is taken for answers."""

    def fit(self, X, y):
        return super().fit(X, None if y is None else halves(y))

    def score(self, X, y):
        return super().score(X, halves(y))


def halves(y):
    y = np.asarray(y)
    if y.ndim != 1 or not len(y) or y.dtype.kind not in "iufO":
        return y
    y = y.astype(float)
    if not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity.")
    found = y > np.median(y)
    return found if found.any() else y >= np.median(y)


BY_NAME = {
    "check_dataframe_column_names_consistency": "columns are found by name, in whatever order",
}


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@parametrize_with_checks(
    [
        AnyLabels(n_folds=2, n_repeats=0),
        AnyLabels(HistGradientBoostingClassifier(max_iter=3), n_folds=2, n_repeats=1),
    ],
    expected_failed_checks=lambda _: BY_NAME,
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


def test_columns_are_found_by_name_and_rows_keep_their_order(fitted):
    model, X, _, _ = fitted
    some = X.head(50)
    there = model.predict_chance(some)
    mixed = some[["noise", "city", "income", "orders"]].assign(more="x", when=pd.Timestamp("2024"))
    np.testing.assert_array_equal(model.predict_chance(mixed), there)
    np.testing.assert_array_equal(model.predict_chance(some.iloc[::-1]), there[::-1])
    np.testing.assert_allclose(model.predict_chance(pl.from_pandas(some)), there)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_chance(some), there)
    with pytest.raises(DataContractError, match="no column 'city'"):
        model.predict_chance(some.drop(columns="city"))
    with pytest.raises(DataContractError, match="'city' held words in fit and holds numbers now"):
        model.predict_chance(some.assign(city=1.0))


def test_a_series_of_answers_is_put_in_the_order_of_the_table(rng):
    X, _, y = mailing(rng, 400)
    X.index = [f"c{i}" for i in range(400)]
    answers = pd.Series(y, index=X.index)
    one = ResponseModel(n_repeats=0).fit(X, y)
    other = ResponseModel(n_repeats=0).fit(X, answers.sample(frac=1, random_state=1))
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_any_classifier_and_a_pipeline_serve(rng):
    X, _, y = mailing(rng, 1500)
    for classifier in (
        RandomForestClassifier(30, min_samples_leaf=20, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ):
        model = clone(ResponseModel(classifier, n_repeats=0)).fit(X, y)
        assert model.learned_.auc.value > 0.65
    numbers = X[["orders", "noise"]]
    piped = make_pipeline(StandardScaler(), ResponseModel(n_repeats=0))
    assert cross_val_score(piped, numbers, y, cv=3).mean() > 0.6
    with pytest.raises(ValueError, match="must have predict_proba"):
        ResponseModel(StandardScaler()).fit(X, y)


# ---- what it learns ------------------------------------------------------------------------------


def test_the_chance_is_that_of_the_truth(fitted):
    model, _, _, _ = fitted
    X, chance, _ = mailing(np.random.default_rng(8), 20_000)
    found = model.predict_chance(X)
    assert found.mean() == pytest.approx(chance.mean(), rel=0.05)
    tenth = np.argsort(found) // 2000
    for k in range(10):
        here = np.argsort(found)[k * 2000 : (k + 1) * 2000]
        assert found[here].mean() == pytest.approx(chance[here].mean(), abs=0.035)
    assert tenth.max() == 9
    assert np.corrcoef(found, chance)[0, 1] > 0.9


def test_figures_out_of_fold_are_those_of_sklearn_on_the_chances_out_of_fold(fitted):
    model, X, _, y = fitted
    chance = model.out_of_fold_chance(X, y)
    known = model.learned_
    assert known.auc.value == pytest.approx(roc_auc_score(y, chance), abs=1e-12)
    assert known.brier == pytest.approx(brier_score_loss(y, chance), abs=1e-12)
    base = y.mean() * (1 - y.mean())
    assert known.brier_gain.value == pytest.approx(base - known.brier, abs=1e-12)
    # and they are not those of the chances in sample, which flatter
    assert roc_auc_score(y, model.predict_chance(X)) > known.auc.value


def test_delongs_interval_holds_the_true_ranking_chance():
    """Scores of answers are normal around 1, of the others around 0: truth is Phi(1/sqrt(2))."""
    from scipy.stats import norm

    from custvalue.campaign._response import ranking_chance

    rng, held, n = np.random.default_rng(3), 0, 600
    for _ in range(n):
        y = np.arange(150) < 40
        found = ranking_chance(y, rng.normal(size=150) + y)
        held += found.lower < norm.cdf(1 / np.sqrt(2)) < found.upper
    assert abs(held / n - 0.95) < 5 * np.sqrt(0.05 * 0.95 / n)


def test_where_nothing_tells_who_answers_the_verdict_says_so_and_all_have_about_the_same(rng):
    said = 0
    for seed in range(12):
        r = np.random.default_rng(seed)
        X = pd.DataFrame(r.normal(size=(600, 3)), columns=list("abc"))
        y = r.random(600) < 0.2
        model = ResponseModel(n_repeats=0).fit(X, y)
        said += model.fit_report()["verdict"] == "ranks"
        assert np.ptp(model.predict_chance(X)) < 0.5
        assert model.predict_chance(X).mean() == pytest.approx(y.mean(), abs=0.05)
    assert said <= 2  # one-sided error of 2.5 % on two figures


def test_the_default_classifier_goes_by_the_answers(rng):
    X, _, y = mailing(rng, 3000)
    assert ResponseModel(n_repeats=0).fit(X, y).fit_report()["classifier"] == (
        "HistGradientBoostingClassifier"
    )
    few = ResponseModel(n_repeats=0).fit(X[:400], y[:400])
    assert few.fit_report()["classifier"] == "LogisticRegression"
    assert "LogisticRegression" in few.verdict()


def test_what_it_rests_on_is_what_it_was_made_of(fitted):
    table = fitted[0].feature_importance()
    assert table["column"].tolist()[:2] == ["orders", "city"]
    worth = table.set_index("column")["importance"]
    assert worth["orders"] > 0.05
    assert abs(worth["noise"]) < 0.01
    with pytest.raises(NotSupportedError, match="n_repeats"):
        ResponseModel(n_repeats=0).fit(*fitted[1::2]).feature_importance()


def test_ids_and_dates_are_left_out_and_told(cdnow_sample, rng):
    table = cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1997-09-30"
    )
    y = rng.random(len(table)) < 0.05 + 0.1 * (table["n_orders"] > 2)
    model = ResponseModel(n_repeats=0).fit(table, y)
    out = model.fit_report()["left out"]
    assert set(out) == {"customer_id", "first_order", "last_order"}
    weeks = cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount",
        as_of="1997-09-30", unit="W",
    )  # fmt: skip
    with pytest.raises(TimeUnitError, match="'W', but this ResponseModel was fitted in 'D'"):
        model.predict(weeks)
    names = pd.DataFrame({"name": [f"n{i}" for i in range(300)], "x": np.arange(300.0)})
    told = ResponseModel(n_repeats=0).fit(names, np.arange(300) % 3 == 0).fit_report()
    assert "no word is shared" in told["left out"]["name"]


# ---- money ---------------------------------------------------------------------------------------


def test_expected_money_is_chance_times_amount_and_its_total_is_right(rng):
    X, chance, y = mailing(rng, 8000)
    size = 20.0 * np.exp(0.3 * X["orders"].to_numpy())
    amount = np.where(y == 1, rng.gamma(4, size / 4), np.nan)
    model = ResponseModel(n_repeats=0).fit(X, y, amount=amount)
    money = model.predict(X)
    np.testing.assert_allclose(money, model.predict_chance(X) * model.predict_amount(X))
    assert money.sum() == pytest.approx(np.nansum(amount), rel=0.05)
    assert np.corrcoef(money, chance * size)[0, 1] > 0.9
    table = model.gains_table()
    assert table["amount"].sum() == pytest.approx(np.nansum(amount))


def test_amounts_that_do_not_differ_between_customers_are_the_same_for_all(rng):
    X, _, y = mailing(rng, 4000)
    amount = np.where(y == 1, rng.gamma(2, 25, len(y)), 0.0)
    model = ResponseModel(n_repeats=0).fit(X, y, amount=amount)
    assert model.learned_.regressor is None
    np.testing.assert_allclose(model.predict_amount(X), amount[y == 1].mean())
    assert "the same for all" in model.fit_report()["amount"]


def test_without_amounts_an_answer_has_no_price(fitted):
    with pytest.raises(NotSupportedError, match="without amounts"):
        fitted[0].predict_amount(fitted[1])
    np.testing.assert_array_equal(fitted[0].predict(fitted[1]), fitted[0].predict_chance(fitted[1]))


# ---- gains ---------------------------------------------------------------------------------------


def test_gains_are_those_of_plain_pandas(rng):
    chance = rng.random(1000)
    y = rng.random(1000) < chance
    table = gains_table(y, chance, amount=7.0 * y)
    rows = pd.DataFrame({"y": y, "p": chance}).sort_values("p", ascending=False)
    group = np.repeat(np.arange(10), 100)
    hits = rows["y"].groupby(group).sum()
    np.testing.assert_array_equal(table["answers"], hits)
    np.testing.assert_allclose(table["expected"], rows["p"].groupby(group).mean())
    np.testing.assert_allclose(table["lift"], hits / 100 / y.mean())
    np.testing.assert_allclose(table["answer_share"], hits.cumsum() / y.sum())
    np.testing.assert_allclose(table["amount_share"], hits.cumsum() / y.sum())
    ends = [binomtest(int(k), 100).proportion_ci(method="wilson") for k in hits]
    np.testing.assert_allclose(table[["rate_lower", "rate_upper"]], ends)
    assert (table["lift_lower"] < table["lift"]).all()
    assert (table["lift"] < table["lift_upper"]).all()


def test_the_lift_of_the_best_tenth_lies_in_its_interval():
    rng, held, n = np.random.default_rng(5), 0, 500
    chance = np.r_[np.full(100, 0.25), np.full(900, 0.05)]
    truth = 0.25 / chance.mean()
    for _ in range(n):
        first = gains_table(rng.random(1000) < chance, chance, n_groups=10).iloc[0]
        held += first["lift_lower"] < truth < first["lift_upper"]
    assert abs(held / n - 0.95) < 5 * np.sqrt(0.05 * 0.95 / n)


def test_equal_chances_stay_together_and_one_group_has_a_lift_of_1():
    table = gains_table([1, 0, 0, 1], [0.5] * 4)
    assert table[["customers", "lift", "lift_lower", "lift_upper"]].to_numpy().tolist() == [
        [4, 1, 1, 1]
    ]
    with pytest.raises(DataContractError, match="nobody answered"):
        gains_table([0, 0], [0.1, 0.2])


# ---- what is refused -----------------------------------------------------------------------------


def test_answers_that_are_none_are_refused_with_their_rows(rng):
    X, _, y = mailing(rng, 100)
    for change, code in (
        ({3: np.nan}, "missing-outcome"),
        ({5: 2.0}, "not-0-or-1"),
        ({5: -1.0}, "not-0-or-1"),
    ):
        bad = y.astype(float)
        for row, value in change.items():
            bad[row] = value
        with pytest.raises(DataContractError, match=rf"{code}: .*\(1 row, first: {row}\)"):
            ResponseModel().fit(X, bad)
    with pytest.raises(DataContractError, match="not-0-or-1: y holds no numbers"):
        ResponseModel().fit(X, np.where(y == 1, "yes", "no"))
    with pytest.raises(DataContractError, match="too-few-answers: 2 of 100 customers answered"):
        ResponseModel().fit(X, np.arange(100) < 2)
    with pytest.raises(DataContractError, match="too-few-answers: 0 of 100 customers did not"):
        ResponseModel().fit(X, np.ones(100))
    with pytest.warns(SmallSampleWarning, match="of 100 customers 20 answered"):
        ResponseModel(n_repeats=0).fit(X, np.arange(100) % 5 == 0)


def test_amounts_that_cannot_be_are_refused_together(rng):
    X, _, y = mailing(rng, 300)
    amount = np.where(y == 1, 5.0, 0.0)
    yes, no = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    amount[yes[0]], amount[yes[1]], amount[no[0]] = np.nan, -2.0, 4.0
    with pytest.raises(DataContractError) as caught:
        ResponseModel().fit(X, y, amount=amount)
    assert [p.code for p in caught.value.problems] == [
        "missing-amount",
        "negative-amount",
        "amount-without-answer",
    ]
    with pytest.raises(ValueError, match="amount has shape"):
        ResponseModel().fit(X, y, amount=[1.0])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"n_folds": 1}, "n_folds=1 must be a whole number from 2 on"),
        ({"n_repeats": -1}, "n_repeats=-1"),
        ({"columns": "orders"}, r"write columns=\['orders'\]"),
        ({"columns": ["orders", "orders"]}, "names a column twice"),
        ({"columns": ["order"]}, "no column 'order'"),
        ({"columns": []}, "no column to learn from"),
    ],
)
def test_options_that_make_no_sense_are_refused(option, words, rng):
    X, _, y = mailing(rng, 300)
    with pytest.raises(ValueError, match=words):
        ResponseModel(**option).fit(X, y)


def test_it_says_in_both_languages_that_answers_are_not_what_was_won(fitted):
    assert "Who answers is not who is won" in fitted[0].verdict()
    zh = fitted[0].verdict(language="zh")
    assert "会响应的不等于被争取来的" in zh
    for text in (fitted[0].verdict(), zh):
        assert f"{fitted[0].learned_.auc.value:.3f}" in text


# ---- two public mailings -------------------------------------------------------------------------


def by_hand(X, y):
    """A logistic regression of scikit-learn's, out of fold: who has most, who ordered last."""
    plain = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return cross_val_predict(plain, X, y, cv=5, method="predict_proba")[:, 1]


# the log begins in the middle of the shop's life
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.DataWarning")
def test_the_answers_of_the_retail_mailing():
    answers = public("retail_campaign_response")
    log = public("retail_transactions")
    log["trans_date"] = pd.to_datetime(log["trans_date"])
    known = cv.summarize(
        log, customer="customer_id", time="trans_date", amount="tran_amount", as_of="2015-03-16"
    )
    table = known.merge(answers, on="customer_id")
    y = table.pop("response")
    assert (len(y), int(y.sum())) == (6884, 647)
    model = ResponseModel().fit(table, y)
    plain = roc_auc_score(y, by_hand(table.select_dtypes("number").fillna(0.0), y))
    assert plain == pytest.approx(0.72, abs=0.01)
    assert plain - 0.01 < model.learned_.auc.value < plain + 0.04
    assert model.fit_report()["verdict"] == "ranks"
    first = model.gains_table().iloc[0]
    assert first["lift_lower"] > 1.5
    # the tenth of most orders answers 2.7 times as often as all
    top = y[known.merge(answers)["n_orders"].rank(method="first", ascending=False) <= 688]
    assert first["lift"] > top.mean() / y.mean() - 0.5


def test_the_answers_of_the_grocery_mailing():
    table = public("grocery_customers").drop(columns="ID")
    y = table.pop("Response")
    assert (len(y), int(y.sum())) == (2240, 334)
    model = ResponseModel().fit(table, y)
    numbers = table.select_dtypes("number").fillna(table["Income"].median())
    plain = roc_auc_score(y, by_hand(numbers, y))
    assert plain > 0.8
    assert model.learned_.auc.value > plain - 0.01
    assert model.learned_.brier_gain.lower > 0.02
    assert "Dt_Customer" in model.fit_report()["left out"]
    # days since the last purchase, and the answers to earlier campaigns, tell most
    first = model.feature_importance()["column"].tolist()[:6]
    assert "Recency" in first
    assert any(name.startswith("AcceptedCmp") for name in first)
