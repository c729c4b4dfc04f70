"""How far forecasts lie from what came: in total, a customer, as a chance, as an interval."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._typing import Floats
from custvalue.metrics._arrays import checked, positive_total


def total_bias(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Predicted total over actual total, less one: 0 is right, 0.25 is a quarter too much.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted, in one unit (money, orders).
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float
        Signed; not below -1 for predictions that are not negative.

    Raises
    ------
    ValueError
        If the actual total is not positive, or by the arrays' shapes and values.

    Examples
    --------
    >>> from custvalue.metrics import total_bias
    >>> total_bias([10, 0, 30], [20, 10, 20])
    0.25
    """
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    positive_total(truth, weight, "total_bias")
    return float(bias_of(truth, prediction, weight))


def absolute_total_bias_error(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Size of :func:`total_bias` whatever its sign; smaller is better.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted, in one unit.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float

    Examples
    --------
    >>> absolute_total_bias_error([10, 0, 30], [10, 0, 20])
    0.25
    """
    return abs(total_bias(y_true, y_pred, sample_weight=sample_weight))


def mean_absolute_error(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean distance between forecast and truth a row, in the unit of the data.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted, in one unit.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float

    Examples
    --------
    >>> mean_absolute_error([10, 0, 30], [13, 3, 30])
    2.0
    """
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    return float(absolute_error_of(truth, prediction, weight))


def root_mean_squared_error(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Root of the mean squared distance; a few heavy buyers rule it.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted, in one unit.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float

    Examples
    --------
    >>> root_mean_squared_error([10, 0], [13, 4])
    3.5355339059327378
    """
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    return float(squared_error_of(truth, prediction, weight))


def mean_tweedie_error(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Mean Tweedie deviance of power 1.5, made for money that mostly does not come.

    ``4 (sqrt(y) - sqrt(m))^2 / sqrt(m)`` a row, truth y and forecast m: smallest in the mean where
    the forecast is the expected value, which the mean absolute error is not (where most bring
    nothing, that is smallest for a forecast of nothing). Twice the money has sqrt(2) times the
    error.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted, in one unit. A negative truth (refunds) counts as 0; a
        forecast below a thousandth of the mean truth counts as that much, for an error that ends.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the actual total is not positive.

    References
    ----------
    Jorgensen, B. (1987), Exponential dispersion models, Journal of the Royal Statistical Society B
    49(2), 127-162.

    Examples
    --------
    >>> from custvalue.metrics import mean_tweedie_error
    >>> mean_tweedie_error([0.0, 16.0], [4.0, 4.0])
    8.0
    """
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    positive_total(truth, weight, "mean_tweedie_error")
    return float(tweedie_of(truth, prediction, weight))


def brier_error(bought: Any, probability: Any, *, sample_weight: Any = None) -> float:
    """Mean squared distance between a stated chance and what happened (0 or 1).

    Parameters
    ----------
    bought : array-like of shape (n_rows,)
        1 (True) where the customer bought at all, else 0.
    probability : array-like of shape (n_rows,)
        Stated chance of at least one order.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float
        0 is perfect; always saying one half scores 0.25.

    Raises
    ------
    ValueError
        If ``bought`` is not 0 or 1, or a chance lies outside [0, 1].

    References
    ----------
    Brier, G. W. (1950), Verification of forecasts expressed in terms of probability, Monthly
    Weather Review 78(1), 1-3.

    Examples
    --------
    >>> from custvalue.metrics import brier_error
    >>> brier_error([1, 0, 0, 1], [0.5, 0.5, 0.0, 1.0])
    0.125
    """
    truth, chance, weight = checked(bought, probability, sample_weight, name="probability")
    if not np.isin(truth, (0.0, 1.0)).all():
        raise ValueError("bought must be 0 or 1; pass orders > 0, not the number of orders.")
    if ((chance < 0) | (chance > 1)).any():
        raise ValueError(
            "probability must lie in [0, 1]; expected orders are not a chance "
            "(predict_proba_any gives one)."
        )
    return float(np.average((chance - truth) ** 2, weights=weight))


def interval_coverage(y_true: Any, lower: Any, upper: Any, *, sample_weight: Any = None) -> float:
    """Share of rows whose truth lies in its interval; compare it with the level asked for.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (n_rows,)
        What came, and the ends of the intervals (which count as inside).
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If a lower end lies above its upper end.

    Examples
    --------
    >>> from custvalue.metrics import interval_coverage
    >>> interval_coverage([1, 5, 9, 0], [0, 6, 8, 0], [2, 7, 9, 3])
    0.75
    """
    truth, low, weight = checked(y_true, lower, sample_weight, name="lower")
    _, high, _ = checked(y_true, upper, name="upper")
    _check_ends(low, high)
    return float(np.average((low <= truth) & (truth <= high), weights=weight))


def interval_error(
    y_true: Any, lower: Any, upper: Any, *, level: float, sample_weight: Any = None
) -> float:
    """Interval score: mean width, plus 2 / (1 - level) times the miss; smaller is better.

    Coverage alone is cheap (wide intervals cover all); this score is smallest for the true
    quantiles.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (n_rows,)
        What came, and the ends of the intervals.
    level : float in (0, 1)
        Stated coverage, e.g. 0.8.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``level`` is outside (0, 1) or a lower end lies above its upper end.

    References
    ----------
    Gneiting, T. & Raftery, A. E. (2007), Strictly proper scoring rules, prediction, and
    estimation, Journal of the American Statistical Association 102, 359-378, equation 43.

    Examples
    --------
    >>> from custvalue.metrics import interval_error
    >>> interval_error([5, 12], [0, 0], [10, 10], level=0.5)
    14.0
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level!r} must lie strictly between 0 and 1.")
    truth, low, weight = checked(y_true, lower, sample_weight, name="lower")
    _, high, _ = checked(y_true, upper, name="upper")
    _check_ends(low, high)
    miss = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
    return float(np.average(high - low + 2.0 / (1.0 - level) * miss, weights=weight))


# Kernels: weights of shape (n_rows,) or (n_resamples, n_rows).


def bias_of(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    """Kernel of :func:`total_bias`."""
    return (weight @ prediction) / (weight @ truth) - 1.0


def absolute_bias_of(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    """Kernel of :func:`absolute_total_bias_error`."""
    return np.abs(bias_of(truth, prediction, weight))


def absolute_error_of(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    """Kernel of :func:`mean_absolute_error`."""
    return (weight @ np.abs(prediction - truth)) / weight.sum(axis=-1)


def squared_error_of(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    """Kernel of :func:`root_mean_squared_error`."""
    return np.sqrt((weight @ (prediction - truth) ** 2) / weight.sum(axis=-1))


def tweedie_of(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    """Kernel of :func:`mean_tweedie_error`."""
    came = np.maximum(truth, 0.0)
    size = weight.sum(axis=-1)
    least = 1e-3 * np.asarray(weight @ came) / size
    root = np.sqrt(np.maximum(prediction, least[..., None]))
    return np.asarray((weight * (4.0 * (np.sqrt(came) - root) ** 2 / root)).sum(axis=-1) / size)


def _check_ends(low: Floats, high: Floats) -> None:
    crossed = np.flatnonzero(low > high)
    if len(crossed):
        raise ValueError(
            f"{len(crossed):,} intervals have their lower end above the upper, the first at "
            f"position {crossed[0]}."
        )
