from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.markov import ColumnStates, MarkovCLVEstimator


@parametrize_with_checks([MarkovCLVEstimator(), ColumnStates()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
