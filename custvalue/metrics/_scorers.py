"""The metrics as scikit-learn scorers, for ``cross_val_score`` and ``GridSearchCV``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from custvalue.metrics._calibration import decile_calibration_error
from custvalue.metrics._errors import (
    absolute_total_bias_error,
    mean_absolute_error,
    mean_tweedie_error,
    root_mean_squared_error,
)
from custvalue.metrics._ranking import normalized_gini_score, spearman_score, top_share_score

_BY_NAME: dict[str, Callable[..., float]] = {
    "normalized_gini": normalized_gini_score,
    "spearman": spearman_score,
    "top_share": top_share_score,
    "neg_absolute_total_bias": absolute_total_bias_error,
    "neg_decile_calibration": decile_calibration_error,
    "neg_mean_absolute_error": mean_absolute_error,
    "neg_mean_tweedie": mean_tweedie_error,
    "neg_root_mean_squared_error": root_mean_squared_error,
}


def value_scorer(name: str, **parameters: Any) -> Callable[..., float]:
    """One metric as a scikit-learn scorer.

    Parameters
    ----------
    name : str
        ``"normalized_gini"``, ``"spearman"``, ``"top_share"``, ``"neg_absolute_total_bias"``,
        ``"neg_decile_calibration"``, ``"neg_mean_absolute_error"``,
        ``"neg_mean_tweedie"`` or ``"neg_root_mean_squared_error"``; ``neg_`` because
        scikit-learn maximises.
    **parameters
        Passed to the metric, e.g. ``top=0.05``.

    Returns
    -------
    callable
        ``scorer(estimator, X, y, sample_weight=None)``.

    Raises
    ------
    ValueError
        If no metric has this name.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from custvalue.metrics import value_scorer
    >>> X = np.arange(20.0)[:, None]
    >>> scores = cross_val_score(LinearRegression(), X, X[:, 0], cv=2,
    ...                          scoring=value_scorer("normalized_gini"))
    >>> scores.round(6).tolist()
    [1.0, 1.0]
    """
    from sklearn.metrics import make_scorer

    if name not in _BY_NAME:
        raise ValueError(f"name={name!r} must be one of {sorted(_BY_NAME)}.")
    return make_scorer(_BY_NAME[name], greater_is_better=not name.startswith("neg_"), **parameters)
