from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from sklearn.cluster import KMeans

from custvalue.exceptions import NotSupportedError
from custvalue.markov import MarkovCLVEstimator
from custvalue.purchase import BGNBD, Prior
from custvalue.spend import GammaGamma

BELIEF = Prior(50, dropout=0.2)


def through_json(model):
    text = json.dumps(model.to_dict(), allow_nan=False)
    return MarkovCLVEstimator.from_dict(json.loads(text)), text


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"money": "state"},
        {"money": "state", "transitions": "counts", "contact_cost": {(0, 0, 0): 0.5}},
        {
            "money": "state",
            "transitions": "bayes",
            "purchases": BGNBD(prior=Prior(50, dropout=0.2)),
        },
        {"money": "state", "transitions": "counts", "by": "age", "horizon": timedelta(weeks=20)},
        {"spend": GammaGamma(), "correct_by": ("orders", "cohort", "spend"), "purchases": BGNBD()},
    ],
    ids=["factored", "state", "counts", "bayes", "age", "models"],
)
def test_an_estimator_that_went_through_json_says_the_same(history, last, settings):
    model = MarkovCLVEstimator(**{"horizon": "24W", "margin": 0.3, **settings}).fit(history)
    copy, text = through_json(model)
    np.testing.assert_array_equal(copy.predict(last), model.predict(last))
    np.testing.assert_array_equal(copy.predict_interval(last), model.predict_interval(last))
    np.testing.assert_array_equal(
        copy.predict(last, horizon="7W"), model.predict(last, horizon="7W")
    )
    assert copy.chain_ == model.chain_
    assert copy.state_table(n_draws=2).equals(model.state_table(n_draws=2))
    assert copy.fit_report() == model.fit_report()
    assert through_json(copy)[1] == text
    np.testing.assert_allclose(copy.fit(history).predict(last), model.predict(last))


def test_what_is_written_does_not_grow_with_the_customers(history):
    fewer = history[history["customer_id"] % 8 == 0]
    fewer.attrs = history.attrs
    size = [len(through_json(MarkovCLVEstimator().fit(rows))[1]) for rows in (fewer, history)]
    assert size[1] < 1.3 * size[0]


def test_states_from_arrays_come_back():
    X = [[0], [1], [0], [0], [1], [1], [0]]
    y = [0.0, 5.0, 0.0, 0.0, 5.0, 5.0, 0.0]
    model = MarkovCLVEstimator(horizon=2, transitions="counts").fit(X, y)
    np.testing.assert_array_equal(through_json(model)[0].predict(X), model.predict(X))


def test_states_that_json_cannot_hold_are_refused_by_name():
    X = np.arange(12.0)[:, None]
    model = MarkovCLVEstimator(KMeans(2, n_init=1), horizon=2).fit(X, np.ones(12))
    with pytest.raises(NotSupportedError, match="KMeans"):
        model.to_dict()


def test_another_schema_or_model_is_refused():
    for plain in ({"schema": 99, "model": "MarkovCLVEstimator"}, {"schema": 1, "model": "BGNBD"}):
        with pytest.raises(ValueError, match="expected 'MarkovCLVEstimator'"):
            MarkovCLVEstimator.from_dict(plain)
