"""What learns by default, and folds: small trees where there is enough to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._typing import Floats, Places

ENOUGH = 200  # answers, or customers who brought anything, from which on trees are grown


def _trees(n_rows: int, random_state: int) -> dict[str, Any]:
    """Small trees with large leaves, for rows that are alike."""
    return {
        "max_iter": 80,
        "learning_rate": 0.05,
        "max_leaf_nodes": 8,
        "min_samples_leaf": int(np.clip(n_rows / 40, 20, 200)),
        "l2_regularization": 1.0,
        "early_stopping": False,
        "random_state": random_state,
    }


def usual_classifier(n_rows: int, n_events: int, random_state: int) -> Any:
    """Trees, or a logistic regression where few answered (or few did not)."""
    if n_events >= ENOUGH:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(**_trees(n_rows, random_state))
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def usual_regressor(n_rows: int, n_events: int, random_state: int, loss: str) -> Any:
    """Trees, or a ridge regression where few brought anything."""
    if n_events >= ENOUGH:
        from sklearn.ensemble import HistGradientBoostingRegressor

        # half as many steps of twice the length: an experiment is learned from many times over
        few = {**_trees(n_rows, random_state), "max_iter": 40, "learning_rate": 0.1}
        return HistGradientBoostingRegressor(loss=loss, **few)
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge(alpha=max(1.0, n_rows / 20)))


def folds_of(groups: Places, n_folds: int, rng: np.random.Generator) -> Places:
    """Fold of each row, so that every group is spread evenly over the folds."""
    fold = np.empty(len(groups), dtype=np.intp)
    shuffled = rng.permutation(len(groups))
    order = shuffled[np.argsort(groups[shuffled], kind="stable")]
    fold[order] = np.arange(len(groups)) % n_folds
    return fold


def chance_of(classifier: Any, X: Floats) -> Floats:
    """Chance of class 1, never quite 0 or 1."""
    found = classifier.predict_proba(X)
    if found.shape[1] == 1:  # one class was seen
        return np.full(len(X), float(np.clip(classifier.classes_[0], 1e-6, 1.0 - 1e-6)))
    return np.asarray(np.clip(found[:, 1], 1e-6, 1.0 - 1e-6), dtype=np.float64)


def mean_of(learner: Any, X: Floats) -> Floats:
    """Mean outcome as a fitted regressor, or a classifier of 0 and 1, says it."""
    if hasattr(learner, "predict_proba"):
        return chance_of(learner, X)
    return np.asarray(learner.predict(X), dtype=np.float64).reshape(len(X))
