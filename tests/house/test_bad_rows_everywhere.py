"""Every estimator that reads rows can answer the good ones of a batch: held over a registry."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import custvalue as cv
from custvalue import (
    chains,
    evaluation,
    funnel,
    grades,
    lifecycle,
    market,
    markov,
    purchase,
    rfm,
    silence,
    spend,
    survey,
    value,
)
from custvalue.exceptions import DataContractError, DataWarning

ROOMS = (
    chains, evaluation, funnel, grades, lifecycle, market, markov, purchase, rfm, silence, spend,
    survey, value,
)  # fmt: skip
ASKED = ("predict", "predict_proba", "predict_chance", "predict_alive", "predict_proba_any",
         "predict_interval", "transform", "grade")  # fmt: skip
# what they read is no table of rows but a log, whose door has policies of its own
READ_LOGS = {
    *("CalibratedTotal", "HistoryFeatures", "LastPeriodRepeated"),
    *("VaryingBGNBD", "VaryingParetoNBD"),  # walks, which are made of one
}
# parts of a chain: its own predict puts bad rows aside before they are asked
# HiddenStates: what is believed of a row follows from the rows before it
PARTS = {"ColumnStates", "HiddenStates", "PanelStates"}


def public_estimators():
    found = {
        made
        for room in ROOMS
        for made in (getattr(room, name) for name in room.__all__)
        if inspect.isclass(made) and issubclass(made, BaseEstimator)
    }
    return sorted(found, key=lambda made: made.__name__)


def test_the_registry_sees_the_estimators():
    names = {made.__name__ for made in public_estimators()}
    assert names >= {"MBGNBD", "FunnelChain", "PerceivedValue", "MixedSegments", *READ_LOGS}


@pytest.mark.parametrize("made", public_estimators(), ids=lambda made: made.__name__)
def test_every_method_that_answers_rows_can_put_bad_ones_aside(made):
    if made.__name__ in READ_LOGS | PARTS:
        return
    for method in ASKED:
        if callable(ask := getattr(made, method, None)):
            asked = inspect.signature(ask).parameters
            assert "on_invalid" in asked, f"{made.__name__}.{method}"
            assert asked["on_invalid"].default == "raise"
            assert asked["on_invalid"].kind is inspect.Parameter.KEYWORD_ONLY


def some_customers():
    rng = np.random.default_rng(0)
    orders = rng.integers(1, 9, 40).astype(float)
    return pd.DataFrame({"total_value": orders * 10.0 + rng.random(40), "n_orders": orders,
                         "silence": rng.integers(0, 90, 40).astype(float),
                         "T": np.full(40, 100.0)})  # fmt: skip


def graded():
    X = some_customers()
    return cv.ValueGrades().fit(X), X, "transform"


def placed():
    X = some_customers()
    matrix = grades.ActivityLoyaltyMatrix(activity={"n_orders": 1.0}, loyalty={"total_value": 1.0})
    return matrix.fit(X), X, "transform"


def ranked():
    X = pd.DataFrame({"size": [120.0, 300, 50, 80, 10], "rivals": [5.0, 30, 2, 9, 1],
                      "channel": [4.0, 2, 3, 1, 5]})  # fmt: skip
    ranker = market.TargetMarketRanker(
        attractiveness={"size": 0.6, "rivals": -0.4}, resource_fit={"channel": 1.0},
        anchors={"size": (0, 400), "rivals": (0, 40), "channel": (1, 5)},
    )  # fmt: skip
    return ranker.fit(X), X, "transform"


def told_apart(method):
    X = pd.DataFrame(
        {
            "industry": ["maker", "maker", "shop", "shop"] * 40,
            "size": [1.0, 2.0, 1.0, 2.0] * 40,
            "worth": [90.0, 30.0, 60.0, 50.0] * 40,
        }
    )
    made = market.MarketSegments(by=["industry", "size"], order="value", outcome="worth").fit(X)
    return made, X.drop(columns="worth").head(9), method


def mixed(method):
    X = pd.DataFrame({"age": [20.0, 22, 61, 63] * 5, "town": ["a", "a", "b", "b"] * 5})
    made = market.MixedSegments({"who": "age", "where": "town"}, n_segments=2, random_state=0)
    return made.fit(X), X.head(8), method


def open_deals(method):
    events = pd.DataFrame({
        "deal": [1, 1, 1, 2, 2, 3, 4, 5], "amount": [9.0] * 8,
        "stage": ["lead", "offer", "won", "lead", "lost", "lead", "lead", "offer"],
        "time": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-22", "2024-01-01",
                                "2024-01-15", "2024-01-08", "2024-01-08", "2024-01-15"]),
    })  # fmt: skip
    made = funnel.FunnelChain(["lead", "offer"], amount="amount", age_classes=2, horizon="8W")
    made.fit(events, as_of="2024-01-29")
    return made, made.open_deals(events), method


def covered():
    needs = {"quality": survey.Need(4, 5, "core"), "training": survey.Need(3, 2, "additional")}
    X = pd.DataFrame({"quality": [5.0, 3.0, 4.0, 1.0], "training": [3.0, None, 1.0, 2.0]})
    return survey.NeedsCoverage(needs=needs).fit(X), X, "transform"


def rated():
    X = pd.DataFrame(
        {
            "id": np.repeat(np.arange(30), 2),
            "brand": ["us", "them"] * 30,
            "quality": [5.0, 3, 4, 4, 2, 5] * 10,
            "price": [2.0, 4, 3, 5] * 15,
        }
    )
    made = survey.PerceivedValue(benefits=["quality"], sacrifices=["price"], scale=(1, 5),
                                 respondent="id", brand="brand", quality_weight=0.6)  # fmt: skip
    return made.fit(X), X, "transform"


def spent():
    rng = np.random.default_rng(1)
    n = rng.integers(1, 9, 60).astype(float)
    X = pd.DataFrame({"frequency": n, "monetary_value": rng.gamma(4.0 * n) / n * 10.0})
    return cv.GammaGamma().fit(X), X, "predict_interval"


# estimator, table and method; the column that is spoilt, how, and the code that it has then
CASES = {
    "ValueGrades": (graded, "total_value", np.nan, "not-finite"),
    "ActivityLoyaltyMatrix": (placed, "n_orders", np.inf, "not-finite"),
    "TargetMarketRanker": (ranked, "rivals", np.nan, "not-finite"),
    "MarketSegments.predict": (
        lambda: told_apart("predict"), "size", 1.5, "numbers-for-categories"),
    "MarketSegments.transform": (lambda: told_apart("transform"), "size", np.inf, "not-finite"),
    "MixedSegments.predict": (lambda: mixed("predict"), "age", np.inf, "not-finite"),
    "MixedSegments.transform": (lambda: mixed("transform"), "age", -np.inf, "not-finite"),
    "FunnelChain.predict": (lambda: open_deals("predict"), "age", 0.5, "age"),
    "FunnelChain.predict_proba": (
        lambda: open_deals("predict_proba"), "stage", "offr", "unknown-stage"),
    "NeedsCoverage": (covered, "quality", -1.0, "negative-level"),
    "PerceivedValue scale": (rated, "quality", 7.0, "outside-scale"),
    "PerceivedValue brand": (rated, "brand", "thems", "unknown-brand"),
    "PerceivedValue nobody": (rated, "id", np.nan, "missing-respondent"),
    "GammaGamma.predict_interval": (spent, "monetary_value", -5.0, "negative-spend"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_good_rows_get_what_they_get_alone(name):
    make, column, wrong, code = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator, X, method = make()
    ask, rows = getattr(estimator, method), [1, 2]
    bad = X.copy()
    if bad[column].dtype.kind in "iu":
        bad[column] = bad[column].astype(float)
    bad.iloc[rows, bad.columns.get_loc(column)] = wrong
    with pytest.raises(DataContractError, match=code):
        ask(bad)
    with pytest.warns(DataWarning, match=f"for 2 of {len(X)} rows: {code}: .*first: 1, 2") as told:
        found = pd.DataFrame(ask(bad, on_invalid="flag"))
    assert told[0].filename == __file__
    right = pd.DataFrame(ask(bad.drop(index=bad.index[rows])))
    assert found.iloc[rows].isna().all(axis=None)
    good = np.setdiff1d(np.arange(len(X)), rows)
    pd.testing.assert_frame_equal(
        found.iloc[good].reset_index(drop=True), right.reset_index(drop=True), check_dtype=False
    )
    reasons = cv.check_rows(ask, bad)
    assert np.flatnonzero(~reasons["valid"]).tolist() == rows
    assert all(code in reason for reason in reasons["reason"].iloc[rows])


def test_arrays_whose_gaps_are_legal_are_flagged_for_what_is_infinite_alone():
    X = np.array([[1.0, 2], [1.5, np.nan], [9, 8], [9.5, 8], [np.inf, 1]] * 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = market.MixedSegments(n_segments=2, random_state=0).fit(X[:4])
    with pytest.warns(DataWarning, match="3 of 15 rows: not-finite: X has infinite values"):
        found = made.predict(X, on_invalid="flag")
    assert np.flatnonzero(np.isnan(found)).tolist() == [4, 9, 14]


def test_a_batch_without_a_good_row_keeps_its_form():
    estimator, X, _ = graded()
    with pytest.warns(DataWarning, match="40 of 40"):
        found = estimator.transform(X.assign(total_value=np.nan), on_invalid="flag")
    assert np.shape(found) == (40, 1)
    assert np.isnan(np.asarray(found, dtype=float)).all()
