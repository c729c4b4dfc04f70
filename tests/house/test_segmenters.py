"""scikit-learn's own estimator checks, whole, for every estimator of the room in every manner."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades
from custvalue.lifecycle import LifecycleClassifier
from custvalue.rfm import RFMTransformer
from custvalue.silence import SilenceScorer

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
