"""Trees added up by columns: what scikit-learn says of every row, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from custvalue._kernels import SmallTree, sum_of_trees
from custvalue._sklearn import boosted_trees


def rows(n, seed=0):
    """Whole numbers (so that many stand at a threshold), amounts, and a column of one value."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.integers(0, 9, n), rng.gamma(1.0, 20.0, n), np.full(n, 7.0)])


@pytest.mark.parametrize("leaves", [2, 8, 9, 16])
def test_they_add_up_to_what_scikit_learn_says(leaves):
    X, usual = rows(20_000), {"max_iter": 12, "max_leaf_nodes": leaves, "early_stopping": False}
    spend = np.log1p(X[:, 1]) * X[:, 0] + np.random.default_rng(1).normal(size=len(X))
    learner = HistGradientBoostingRegressor(**usual).fit(X, spend)
    chooser = HistGradientBoostingClassifier(**usual).fit(X, spend > 8.0)
    asked = rows(40_000, seed=2)
    asked[:5, 1] = [np.inf, -np.inf, 0.0, -0.0, 1e300]
    for model, said in (
        (learner, learner.predict(asked)),
        (chooser, chooser.predict_proba(asked)[:, 1]),
    ):
        trees, start, inverse = boosted_trees(model)
        assert max(len(tree.values) for tree in trees) == leaves
        np.testing.assert_array_equal(inverse(sum_of_trees(trees, asked, start)), said)


def test_a_column_of_one_value_falls_on_one_side_of_every_split():
    X = np.column_stack([np.repeat([1.0, 2.0], 3000), np.tile([1.0, 2.0, 3.0], 2000)])
    y = X[:, 0] * 10.0 + X[:, 1]
    model = HistGradientBoostingRegressor(max_iter=5, max_leaf_nodes=4).fit(X, y)
    trees, start, inverse = boosted_trees(model)
    for fixed in (1.0, 2.0):
        asked = np.column_stack([np.full(50, fixed), np.linspace(0.0, 4.0, 50)])
        np.testing.assert_array_equal(
            inverse(sum_of_trees(trees, asked, start)), model.predict(asked)
        )


def test_a_tree_by_hand():
    # at most 3: (at most 1: 10, else 20), else 30
    tree = SmallTree(
        np.array([0, 0]),
        np.array([3.0, 1.0]),
        np.array([0b011, 0b001]),
        np.array([10.0, 20.0, 30.0]),
    )
    X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    assert sum_of_trees([tree, tree], X, 1.0).tolist() == [21.0, 21.0, 41.0, 41.0, 61.0]


def test_what_has_no_small_trees_is_left_to_scikit_learn():
    X, usual = rows(3000), {"max_iter": 3, "early_stopping": False}
    wide = HistGradientBoostingRegressor(max_leaf_nodes=31, min_samples_leaf=5, **usual)
    three = HistGradientBoostingClassifier(max_leaf_nodes=4, **usual)
    words = HistGradientBoostingRegressor(categorical_features=[0], max_leaf_nodes=8, **usual)
    assert boosted_trees(wide.fit(X, X[:, 1] * X[:, 0])) is None
    assert boosted_trees(three.fit(X, X[:, 0] % 3)) is None
    assert boosted_trees(words.fit(X, X[:, 0] % 2)) is None
    assert boosted_trees(LinearRegression().fit(X, X[:, 1])) is None
