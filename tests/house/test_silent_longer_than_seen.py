"""Customers silent far longer than any whom an estimator was fitted on: said once, by one rule."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import custvalue as cv
from custvalue.exceptions import DataWarning
from custvalue.markov import PanelStates

NEW_STATES = ".* rows are in states that fit did not see"  # which a chain says beside it
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def tables(cdnow_sample):
    summary = cv.summarize(cdnow_sample, **NAMES, as_of="1997-09-30", unit="D")
    return summary, cv.panel(cdnow_sample, **NAMES, as_of="1997-09-30", period="4W")


def later(table, span):
    """The same customers, looked at ``span`` later without an order since."""
    moved = table.assign(silence=table["silence"] + span, T=table["T"] + span)
    moved.attrs = dict(table.attrs)
    return moved


def scorer(method, tables):
    summary, _ = tables
    ordered = np.arange(len(summary)) % 3 == 0
    more = {"window": "90D"} if method == "calibrated" else {}
    more |= {"threshold": "90D"} if method == "threshold" else {}
    made = cv.SilenceScorer(method=method, **more)
    return made.fit(summary, ordered, gaps=[10.0, 20.0, 40.0]), summary


def chain(tables):
    _, panel = tables
    now = panel.groupby("customer_id").tail(1).reset_index(drop=True)
    now.attrs = dict(panel.attrs)
    return cv.MarkovCLVEstimator(horizon="26W").fit(panel), now


CASES = {
    "own_gap": (lambda t: scorer("own_gap", t), ("transform", "score_samples", "grade", "predict")),
    "pooled_gap": (lambda t: scorer("pooled_gap", t), ("transform",)),
    "threshold": (lambda t: scorer("threshold", t), ("transform",)),
    "calibrated": (lambda t: scorer("calibrated", t), ("transform", "predict")),
    "RFMTransformer": (lambda t: (cv.RFMTransformer().fit(t[0]), t[0]), ("transform", "segments")),
    "PanelStates": (lambda t: (PanelStates().fit(t[1]), t[1]), ("transform",)),
    "MarkovCLVEstimator": (chain, ("predict", "predict_chance")),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_said_once_how_many_and_how_far_and_twice_the_longest_is_no_matter(name, tables):
    make, methods = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, X = make(tables)
    longest = float((tables[0] if "T" not in X or "age" not in X else tables[1])["silence"].max())
    near, far = later(X, longest), later(X, 1.5 * longest)
    count = int((far["silence"] > 2.0 * longest).sum())
    assert 0 < count < len(far)
    for method in methods:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", NEW_STATES)
            getattr(model, method)(near)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            getattr(model, method)(far)
        said = [one for one in told if "extrapolated" in str(one.message)]
        assert len(said) == 1
        assert issubclass(said[0].category, DataWarning)
        assert said[0].filename == __file__
        start = f"{count:,} of {len(far):,} rows have 'silence' up to {2.5 * longest:,.6g}"
        assert str(said[0].message).startswith(start)


def test_cut_points_that_were_given_know_no_longest(tables):
    summary, _ = tables
    cuts = {"R": [30, 60, 90, 120], "F": [1, 2, 3, 4], "M": [10, 20, 30, 40]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        rfm = cv.RFMTransformer(cuts=cuts).fit(summary)
        rfm.transform(later(summary, 10_000.0))


@pytest.mark.filterwarnings(f"ignore:{NEW_STATES}")
def test_a_written_chain_remembers_and_one_written_before_is_read(tables):
    model, now = chain(tables)
    plain = json.loads(json.dumps(model.to_dict()))
    far = later(now, 100.0)
    with pytest.warns(DataWarning, match="extrapolated"):
        again = cv.MarkovCLVEstimator.from_dict(plain).predict(far)
    del model.discretizer_.longest_silence_  # as artefacts were, which did not know it
    before = cv.MarkovCLVEstimator.from_dict(model.to_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", NEW_STATES)
        np.testing.assert_array_equal(before.predict(far), again)
