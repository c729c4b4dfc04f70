"""LifecycleClassifier keeps scikit-learn's contract whole."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.segment import LifecycleClassifier


@parametrize_with_checks([LifecycleClassifier()])
def test_the_lifecycle_classifier_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)
