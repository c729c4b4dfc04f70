"""scikit-learn's own estimator checks, whole."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.segment import RFMTransformer, SilenceScorer


# constant and tiny columns have too few values for five bins, which is worth a warning
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BoundaryFitWarning")
@parametrize_with_checks(
    [
        RFMTransformer(),
        RFMTransformer(n_bins=3, method="nested"),
        SilenceScorer(),
        SilenceScorer(method="pooled_gap"),
        SilenceScorer(method="shrunk"),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)
