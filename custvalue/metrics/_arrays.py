"""What every metric does first: equal lengths, finite numbers, weights that add up to something."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._typing import Floats
from custvalue.exceptions import UndefinedMetricError


def checked(
    y_true: Any, y_pred: Any, sample_weight: Any = None, *, name: str = "y_pred"
) -> tuple[Floats, Floats, Floats]:
    """Return truth, prediction and weights as float arrays of one length.

    Raises
    ------
    ValueError
        If lengths differ, there is no row, a value is missing or infinite, or weights are
        negative or all 0.
    """
    truth = _one_dimensional(y_true, "y_true")
    prediction = _one_dimensional(y_pred, name)
    if len(truth) != len(prediction):
        raise ValueError(f"y_true has {len(truth)} rows, {name} has {len(prediction)}.")
    if len(truth) == 0:
        raise ValueError("there is no row to score.")
    if sample_weight is None:
        return truth, prediction, np.ones(len(truth))
    weight = _one_dimensional(sample_weight, "sample_weight")
    if len(weight) != len(truth):
        raise ValueError(f"sample_weight has {len(weight)} rows, y_true has {len(truth)}.")
    if (weight < 0).any() or not weight.sum() > 0:
        raise ValueError("sample_weight must not be negative, and not 0 everywhere.")
    return truth, prediction, weight


def positive_total(truth: Floats, weight: Floats, what: str) -> float:
    """Weighted total of the truth, which ``what`` divides by.

    Raises
    ------
    UndefinedMetricError
        If the total is not positive.
    """
    total = float(weight @ truth)
    if not total > 0:
        raise UndefinedMetricError(
            f"{what} is a share of the actual total, and that is {total:g}: nobody bought, or "
            "refunds outweigh sales. Choose a longer horizon or another cutoff."
        )
    return total


def _one_dimensional(values: Any, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension; its shape is {array.shape}.")
    bad = ~np.isfinite(array)
    if bad.any():
        raise ValueError(
            f"{name} has {int(bad.sum()):,} missing or infinite values, the first at position "
            f"{int(np.flatnonzero(bad)[0])}."
        )
    return array
