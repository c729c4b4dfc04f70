"""Samples are customers at cutoffs: features, targets and splits keep to their own time."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from custvalue.data import TransactionLog
from custvalue.evaluation import (
    CustomerTimeSplit,
    HistoryFeatures,
    OutOfTimeSplit,
    cutoffs,
    future_value,
    supervised_frame,
)
from custvalue.exceptions import DataContractError
from custvalue.metrics import value_scorer

DATES = ["1997-04-30", "1997-06-30", "1997-08-31", "1997-10-31"]


@pytest.fixture(scope="module")
def log(cdnow_sample):
    return TransactionLog(cdnow_sample, customer="customer_id", time="date", amount="amount")


@pytest.fixture(scope="module")
def X(log):
    return cutoffs(log, DATES)


def test_features_of_a_row_are_those_known_at_its_date(log, X):
    made = HistoryFeatures(log).fit(X).transform(X)
    for date in DATES:
        rows = X["as_of"] == date
        expected, target = supervised_frame(log, date, "60D")
        np.testing.assert_array_equal(made[rows].to_numpy(), expected.to_numpy())
        np.testing.assert_array_equal(future_value(log, X[rows], horizon="60D"), target)
    assert made.index.equals(X.index)
    assert not made.isna().any().any()


def test_the_future_of_the_log_changes_no_feature(log, X, cdnow_sample):
    early = X[X["as_of"] <= "1997-06-30"]
    past = cdnow_sample[cdnow_sample["date"] <= "1997-06-30"]
    short = TransactionLog(past, customer="customer_id", time="date", amount="amount")
    whole = HistoryFeatures(log).fit(early).transform(early)
    pd.testing.assert_frame_equal(whole, HistoryFeatures(short).fit(early).transform(early))


def test_row_order_and_shuffled_dates_do_not_matter(log, X, rng):
    features = HistoryFeatures(log).fit(X)
    order = rng.permutation(len(X))
    pd.testing.assert_frame_equal(
        features.transform(X.iloc[order]), features.transform(X).iloc[order]
    )


def test_a_log_is_shared_not_copied(log):
    features = HistoryFeatures(log, unit="W")
    assert clone(features).log is log
    assert copy.deepcopy(log) is log


def test_a_saved_pipeline_carries_no_log(log, X):
    y = future_value(log, X, horizon="60D")
    model = Pipeline([("history", HistoryFeatures(log)), ("ridge", Ridge())]).fit(X, y)
    stored = pickle.dumps(model)
    assert len(stored) < 20_000
    loaded = pickle.loads(stored)
    with pytest.raises(ValueError, match="stored without it"):
        loaded.predict(X)
    loaded.set_params(history__log=log)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    unfitted = pickle.loads(pickle.dumps(HistoryFeatures(log)))
    assert len(unfitted.log) == len(log)


def test_the_parameters_of_the_summary_can_be_searched_without_leak(log, X):
    y = future_value(log, X, horizon="60D")
    pipeline = Pipeline([("history", HistoryFeatures(log)), ("ridge", Ridge())])
    search = GridSearchCV(
        pipeline,
        {"history__windows": [(), ("28D",), ("28D", "91D")], "history__unit": ["D", "W"]},
        cv=OutOfTimeSplit(horizon="60D"),
        scoring=value_scorer("normalized_gini"),
        error_score="raise",
    ).fit(X, y)
    assert search.n_splits_ == 3
    assert 0.2 < search.best_score_ < 1.0
    names = search.best_estimator_.named_steps["history"].get_feature_names_out()
    assert names[0] == "frequency"


def test_set_output_is_obeyed(log, X):
    arrays = HistoryFeatures(log).set_output(transform="default").fit(X).transform(X)
    assert isinstance(arrays, (np.ndarray, pd.DataFrame))
    frame = HistoryFeatures(log).set_output(transform="pandas").fit(X).transform(X)
    assert list(frame.columns)[:2] == ["frequency", "recency"]


def test_no_target_of_a_training_row_reaches_past_the_test_date(X):
    for days, found in ((60, [1, 2, 3]), (90, [1, 2]), (123, [1, 2])):
        splits = list(OutOfTimeSplit(horizon=f"{days}D").split(X))
        assert [X["as_of"].iloc[train].nunique() for train, _ in splits] == found
        for train, test in splits:
            day = X["as_of"].iloc[test].unique()
            assert len(day) == 1
            assert (X["as_of"].iloc[train] + pd.Timedelta(days=days) <= day[0]).all()
    assert OutOfTimeSplit(horizon="60D", n_splits=1).get_n_splits(X) == 1
    assert OutOfTimeSplit(horizon="60D", n_splits=2).get_n_splits() == 2


def test_customers_are_learned_from_or_tested_never_both(X):
    splitter = CustomerTimeSplit("customer_id", horizon="60D", n_folds=4)
    tested = []
    for train, test in splitter.split(X):
        assert not set(X["customer_id"].iloc[train]) & set(X["customer_id"].iloc[test])
        limit = X["as_of"].iloc[test].min() - pd.Timedelta(days=60)
        assert (X["as_of"].iloc[train] <= limit).all()
        tested.append(test)
    everybody = np.concatenate(tested)
    assert len(everybody) == len(set(everybody)) == (X["as_of"] > DATES[0]).sum()
    assert splitter.get_n_splits(X) == len(tested) == 12


def test_splitters_serve_cross_val_score(log, X):
    y = future_value(log, X, horizon="60D")
    pipeline = Pipeline([("history", HistoryFeatures(log)), ("ridge", Ridge())])
    scores = cross_val_score(
        pipeline, X, y, cv=CustomerTimeSplit("customer_id", horizon="60D", n_folds=2)
    )
    assert len(scores) == 6
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda log, X: HistoryFeatures(log).fit(X[["as_of"]]), "missing: customer_id"),
        (lambda log, X: HistoryFeatures().fit(X), "has no log"),
        (
            lambda log, X: (
                HistoryFeatures(log).fit(X).transform(X.assign(as_of=pd.Timestamp("1997-01-02")))
            ),
            "unknown-customer",
        ),
        (lambda log, X: future_value(log, X, horizon="2Y"), "unfinished-horizon"),
        (lambda log, X: list(OutOfTimeSplit(horizon="2Y").split(X)), "shorten the horizon"),
        (lambda log, X: OutOfTimeSplit(horizon="9D").get_n_splits(), "pass X"),
        (lambda log, X: supervised_frame(log, "1996-01-01", "9D"), "nobody-known"),
    ],
)
def test_what_cannot_be_looked_up_is_refused_with_the_cure(call, message, log, X):
    with pytest.raises((ValueError, DataContractError), match=message):
        call(log, X)
