"""scikit-learn's own estimator checks, whole, for every estimator of the room in every manner."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import custvalue as cv
from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades
from custvalue.lifecycle import LifecycleClassifier
from custvalue.market import MarketSegments
from custvalue.rfm import RFMTransformer
from custvalue.silence import SilenceScorer
from custvalue.silence._methods import METHODS, SilenceMethod
from custvalue.testing import check_segmenter

RFM = [
    RFMTransformer(),
    RFMTransformer(n_bins=3, method="nested", weights="equal"),
    RFMTransformer(method="fixed", cuts=[0.5, 1.5, 4.0]),
    RFMTransformer(weights="learn", remainder="passthrough"),
]
SILENCE = [
    SilenceScorer(),
    SilenceScorer(cuts="learned", cost_miss=3.0),
    SilenceScorer(method="pooled_gap"),
    SilenceScorer(method="shrunk"),
    SilenceScorer(method="threshold", threshold=90.0),
    SilenceScorer(method="threshold", threshold="learned", cost_miss=2.0),
    SilenceScorer(method="shrunk", regularity="auto"),
    SilenceScorer(method="calibrated", window=1.0),
    SilenceScorer(method="calibrated", window=1.0, calibrator="isotonic", regularity=2),
]
OTHERS = [
    LifecycleClassifier(),
    LifecycleClassifier(view="four"),
    ValueGrades(),
    ValueGrades(by="value"),
    ActivityLoyaltyMatrix(),
]


# constant, tiny or one-sided columns are worth a warning, and the checks are full of them
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BoundaryFitWarning")
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@parametrize_with_checks([*RFM, *SILENCE, *OTHERS])
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def customers():
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    return cv.summarize(cv.datasets.load_cdnow("sample"), as_of="1998-06-30", **names)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.EmptySegmentWarning")
@pytest.mark.parametrize(
    "segmenter",
    [
        RFMTransformer(),
        RFMTransformer(n_bins=3),
        *(SilenceScorer(method=method) for method in ("own_gap", "shrunk")),
        SilenceScorer(method="threshold", threshold="90D"),
        LifecycleClassifier(),
        LifecycleClassifier(view="four"),
        ValueGrades(),
        ActivityLoyaltyMatrix(),
        MarketSegments(["n_orders"], min_customers=100),
    ],
    ids=repr,
)
def test_every_segmenter_classes_customers_as_promised(segmenter, customers):
    check_segmenter(segmenter, customers)


class ByTheTable(SilenceScorer):
    """Wrong: a customer's grade depends on the others in the table."""

    def grade(self, X, *, on_invalid="raise"):
        return np.where(X["silence"] > X["silence"].mean(), "silent", "active")


def test_a_segmenter_that_looks_at_the_other_rows_is_found(customers):
    with pytest.raises(AssertionError, match="alone is what it is among others"):
        check_segmenter(ByTheTable(), customers)
    with pytest.raises(ValueError, match="too few"):
        check_segmenter(SilenceScorer(), customers[:3])


class MeanGap(SilenceMethod):
    """Against the mean of the own gaps, as the how-to page has it."""

    def ratios(self, facts):
        found = super().ratios(facts)
        mean = facts.gap_sum / np.maximum(facts.n_gaps, 1)
        own = facts.n_gaps > 0
        against = np.divide(facts.silence, mean, out=found["silence_score"].copy(), where=own)
        return {**found, "silence_score": against}


def test_a_new_way_to_judge_silence_is_one_class_and_one_entry(customers, monkeypatch):
    monkeypatch.setitem(METHODS, "mean_gap", MeanGap)
    scorer = SilenceScorer(method="mean_gap")
    check_segmenter(scorer, customers)
    found = scorer.fit(customers).transform(customers)
    own = customers["n_gaps"] > 0
    by_hand = customers.loc[own, "silence"] / customers.loc[own, "gap_mean"]
    np.testing.assert_allclose(found.loc[own, "silence_score"], by_hand)
    assert set(found["grade"]) <= {"active", "watch", "silent", "deeply silent"}
    assert "silence score" in scorer.explain(customers, customers["customer_id"].iloc[0])
