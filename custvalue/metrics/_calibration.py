"""Whether the level is right for customers of every predicted level, not only in total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._typing import Floats
from custvalue.metrics._arrays import checked, positive_total

if TYPE_CHECKING:
    import pandas as pd


def calibration_table(y_true: Any, y_pred: Any, *, n_groups: int = 10) -> pd.DataFrame:
    """Forecast against truth in groups of customers with rising prediction.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted, in one unit.
    n_groups : int, default=10
        Groups of near-equal size asked for. Customers with equal predictions stay together, so
        fewer groups may remain.

    Returns
    -------
    DataFrame
        One row a group, lowest predictions first: ``group`` (1, 2, ...), ``n_customers``,
        ``predicted_mean``, ``actual_mean``, ``predicted_total``, ``actual_total``.

    Examples
    --------
    >>> from custvalue.metrics import calibration_table
    >>> table = calibration_table([0, 2, 5, 9], [1, 1, 4, 8], n_groups=2)
    >>> table[["n_customers", "predicted_mean", "actual_mean"]].to_numpy().tolist()
    [[2.0, 1.0, 1.0], [2.0, 6.0, 7.0]]
    """
    import pandas as pd

    truth, prediction, _ = checked(y_true, y_pred)
    group = _groups(prediction, n_groups)
    size = np.bincount(group)
    predicted = np.bincount(group, weights=prediction)
    actual = np.bincount(group, weights=truth)
    return pd.DataFrame(
        {
            "group": np.arange(1, len(size) + 1),
            "n_customers": size,
            "predicted_mean": predicted / size,
            "actual_mean": actual / size,
            "predicted_total": predicted,
            "actual_total": actual,
        }
    )


def decile_calibration_error(
    y_true: Any, y_pred: Any, *, n_groups: int = 10, sample_weight: Any = None
) -> float:
    """Sum over deciles of prediction of abs(predicted - actual), as a share of the actual total.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted, in one unit.
    n_groups : int, default=10
        Number of groups, formed as in :func:`calibration_table`.
    sample_weight : array-like of shape (n_rows,), optional
        Weights the totals; the groups stay those of the unweighted rows.

    Returns
    -------
    float
        0 is perfect; never below the size of the total bias.

    Raises
    ------
    ValueError
        If the actual total is not positive.

    Examples
    --------
    >>> from custvalue.metrics import decile_calibration_error
    >>> decile_calibration_error([0, 2, 5, 9], [1, 1, 4, 8], n_groups=2)
    0.125
    """
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    total = positive_total(truth, weight, "decile_calibration_error")
    gaps = np.bincount(_groups(prediction, n_groups), weights=weight * (prediction - truth))
    return float(np.abs(gaps).sum() / total)


def _groups(prediction: Floats, n_groups: int) -> np.ndarray:
    if n_groups < 1 or n_groups != int(n_groups):
        raise ValueError(f"n_groups={n_groups!r} must be a whole number of at least 1.")
    _, inverse, size = np.unique(prediction, return_inverse=True, return_counts=True)
    # the whole tied group goes where its middle member would
    middle = np.cumsum(size) - (size + 1) / 2.0
    wanted = np.floor(middle * n_groups / len(prediction)).astype(np.intp)
    return np.unique(wanted, return_inverse=True)[1][inverse]
