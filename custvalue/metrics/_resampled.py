"""One metric under many resamples of the customers: what bootstrap intervals are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from custvalue._typing import Floats
from custvalue.metrics._arrays import checked
from custvalue.metrics._errors import (
    absolute_bias_of,
    absolute_error_of,
    bias_of,
    squared_error_of,
    tweedie_of,
)
from custvalue.metrics._ranking import gini_of, spearman_of, top_share_of

_KERNELS: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "total_bias": bias_of,
    "absolute_total_bias": absolute_bias_of,
    "mae": absolute_error_of,
    "rmse": squared_error_of,
    "tweedie": tweedie_of,
    "gini": gini_of,
    "spearman": spearman_of,
    "top_decile": top_share_of,
}


def resampled_scores(metric: str, y_true: Any, y_pred: Any, weights: Any) -> Floats:
    """One metric under each of many weightings of the same rows.

    Parameters
    ----------
    metric : str
        ``"total_bias"``, ``"absolute_total_bias"``, ``"mae"``, ``"rmse"``,
        ``"tweedie"``, ``"gini"``, ``"spearman"`` or ``"top_decile"``.
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted.
    weights : array-like of shape (n_resamples, n_rows)
        How often each row was drawn in each resample.

    Returns
    -------
    ndarray of shape (n_resamples,)
        Infinite or NaN where a resample holds no value at all.

    Raises
    ------
    ValueError
        If no metric has this name, or shapes do not fit.

    Examples
    --------
    >>> resampled_scores("mae", [0, 4, 8], [1, 4, 6], [[1, 1, 1], [0, 3, 0]]).tolist()
    [1.0, 0.0]
    """
    if metric not in _KERNELS:
        raise ValueError(f"metric={metric!r} must be one of {sorted(_KERNELS)}.")
    truth, prediction, _ = checked(y_true, y_pred)
    many = np.asarray(weights, dtype=np.float64)
    if many.ndim != 2 or many.shape[1] != len(truth):
        raise ValueError(
            f"weights must have shape (n_resamples, {len(truth)}); it is {many.shape}."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_KERNELS[metric](truth, prediction, many))
