"""Grades and the activity x loyalty matrix keep scikit-learn's contract whole."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.segment import ActivityLoyaltyMatrix, ValueGrades


@parametrize_with_checks([ValueGrades(), ActivityLoyaltyMatrix()])
def test_grades_and_the_matrix_pass_every_check_of_scikit_learn(estimator, check):
    check(estimator)
