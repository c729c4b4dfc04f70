from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.markov import ColumnStates, MarkovCLVEstimator


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.DataWarning")  # states of other draws
@parametrize_with_checks([MarkovCLVEstimator(horizon=1), ColumnStates()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
