"""Whether the forecast puts customers in the right order, whatever its level.

Equal predictions are never ordered by where their rows happen to stand: a tied group is spread
evenly, so that no metric depends on the order of rows and a constant prediction ranks nobody.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from custvalue._typing import Floats
from custvalue.exceptions import UndefinedMetricError
from custvalue.metrics._arrays import checked, positive_total


def spearman_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Spearman's rank correlation of forecast and truth, ties at their mean rank.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted; units need not agree.
    sample_weight : array-like of shape (n_rows,), optional
        A weight of 2 counts as the row twice.

    Returns
    -------
    float
        In [-1, 1]; 0 where either side is constant, since a constant orders nobody.

    Examples
    --------
    >>> from custvalue.metrics import spearman_score
    >>> spearman_score([0, 10, 20, 500], [1, 2, 3, 4])
    1.0
    >>> spearman_score([0, 10, 20, 500], [7, 7, 7, 7])
    0.0
    """
    return float(spearman_of(*checked(y_true, y_pred, sample_weight)))


def normalized_gini_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Area that the forecast's order wins over chance, as a share of what the truth's would win.

    Customers are ordered by falling prediction and their share of the actual total is
    accumulated; the area under that curve less one half is divided by the same area for
    customers in the truth's own order.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted; units need not agree.
    sample_weight : array-like of shape (n_rows,), optional
        A weight of 2 counts as the row twice.

    Returns
    -------
    float
        1 for the true order, 0 for a constant, negative for an order that is worse than none.

    Raises
    ------
    UndefinedMetricError
        If the actual total is not positive, or all actual values are equal (no order is right). It
        is a ``ValueError``.

    Examples
    --------
    >>> from custvalue.metrics import normalized_gini_score
    >>> normalized_gini_score([0, 0, 10, 30], [1, 2, 4, 3])
    0.6
    >>> normalized_gini_score([0, 0, 10, 30], [5, 5, 5, 5])
    0.0
    """
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    positive_total(truth, weight, "normalized_gini_score")
    gini = float(gini_of(truth, prediction, weight))
    if np.isnan(gini):
        raise UndefinedMetricError(
            "all actual values are equal, so that no order of customers is right."
        )
    return gini


def top_share_score(
    y_true: Any,
    y_pred: Any,
    *,
    top: float = 0.1,
    of: Literal["best", "total"] = "best",
    sample_weight: Any = None,
) -> float:
    """Actual value of the customers predicted to be the top tenth, as a share.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted.
    top : float in (0, 1), default=0.1
        Share of customers to take, best predicted first; a boundary that cuts through a
        customer, or through customers with equal predictions, takes the same part of each.
    of : {"best", "total"}, default="best"
        ``"best"``: of what the truly best customers brought (1 is perfect). ``"total"``: of all
        value.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``top`` or ``of`` is none of the above, or the actual total is not positive.

    Examples
    --------
    >>> from custvalue.metrics import top_share_score
    >>> spent, forecast = [0, 10, 30, 60], [1, 2, 9, 8]
    >>> top_share_score(spent, forecast, top=0.25)
    0.5
    >>> top_share_score(spent, forecast, top=0.25, of="total")
    0.3
    """
    if not 0 < top < 1:
        raise ValueError(f"top={top!r} must lie strictly between 0 and 1.")
    if of not in ("best", "total"):
        raise ValueError(f"of={of!r} must be 'best' or 'total'.")
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    positive_total(truth, weight, "top_share_score")
    return float(top_share_of(truth, prediction, weight, top=top, of=of))


def gain_curve(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> tuple[Floats, Floats]:
    """Share of customers, best predicted first, and the share of the actual total they hold.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        What came and what was predicted.
    sample_weight : array-like of shape (n_rows,), optional

    Returns
    -------
    customers, value : ndarray of shape (n_distinct_predictions + 1,)
        Both start at 0 and end at 1; customers with equal predictions form one straight piece.

    Raises
    ------
    ValueError
        If the actual total is not positive.

    Examples
    --------
    >>> from custvalue.metrics import gain_curve
    >>> customers, value = gain_curve([0, 30, 10, 0], [1, 4, 3, 1])
    >>> customers.tolist(), value.tolist()
    ([0.0, 0.25, 0.5, 1.0], [0.0, 0.75, 1.0, 1.0])
    """
    truth, prediction, weight = checked(y_true, y_pred, sample_weight)
    positive_total(truth, weight, "gain_curve")
    return _gains(truth, prediction, weight)


# The kernels below take weights of shape (n_rows,) or (n_resamples, n_rows): orders and ties are
# found once and every resample is a gather and two cumulative sums.


def gini_of(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    """Kernel of :func:`normalized_gini_score`; NaN where no order is right."""
    best = _gain_area(truth, truth, weight) - 0.5
    won = _gain_area(truth, prediction, weight) - 0.5
    won = np.where(np.abs(won) > 1e-14, won, 0.0)
    return np.divide(won, best, out=np.full_like(best, np.nan), where=best > 1e-14)


def top_share_of(
    truth: Floats,
    prediction: Floats,
    weight: Floats,
    *,
    top: float = 0.1,
    of: Literal["best", "total"] = "best",
) -> Floats:
    """Kernel of :func:`top_share_score`."""
    captured = _at(top, *_gains(truth, prediction, weight))
    if of == "total":
        return captured
    return captured / _at(top, *_gains(truth, truth, weight))


def spearman_of(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    """Kernel of :func:`spearman_score`."""
    mass = weight.sum(axis=-1)
    first, second = _mean_ranks(truth, weight), _mean_ranks(prediction, weight)
    first -= ((weight * first).sum(axis=-1) / mass)[..., None]
    second -= ((weight * second).sum(axis=-1) / mass)[..., None]
    spread = np.sqrt((weight * first**2).sum(axis=-1) * (weight * second**2).sum(axis=-1))
    together = (weight * first * second).sum(axis=-1)
    out = np.divide(together, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.clip(out, -1.0, 1.0)


def _gains(truth: Floats, prediction: Floats, weight: Floats) -> tuple[Floats, Floats]:
    order, starts = _tied_groups(-prediction)
    shape = (*weight.shape[:-1], len(starts) + 1)
    customers, value = np.zeros(shape), np.zeros(shape)
    sorted_weight = weight[..., order]
    np.cumsum(np.add.reduceat(sorted_weight, starts, axis=-1), axis=-1, out=customers[..., 1:])
    sorted_weight *= truth[order]
    np.cumsum(np.add.reduceat(sorted_weight, starts, axis=-1), axis=-1, out=value[..., 1:])
    customers /= customers[..., -1:]
    value /= value[..., -1:]
    return customers, value


def _gain_area(truth: Floats, prediction: Floats, weight: Floats) -> Floats:
    customers, value = _gains(truth, prediction, weight)
    middle = 0.5 * (value[..., 1:] + value[..., :-1])
    return np.asarray((np.diff(customers, axis=-1) * middle).sum(axis=-1))


def _at(top: float, customers: Floats, value: Floats) -> Floats:
    if customers.ndim == 1:
        return np.asarray(np.interp(top, customers, value))
    return np.array([np.interp(top, c, v) for c, v in zip(customers, value, strict=True)])


def _mean_ranks(values: Floats, weight: Floats) -> Floats:
    order, starts = _tied_groups(values)
    mass = np.add.reduceat(weight[..., order], starts, axis=-1)
    middle = np.cumsum(mass, axis=-1) - mass / 2.0
    ranks = np.empty(weight.shape)
    ranks[..., order] = np.repeat(middle, np.diff(np.r_[starts, len(values)]), axis=-1)
    return ranks


def _tied_groups(values: Floats) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(values, kind="stable")
    return order, np.flatnonzero(np.r_[True, np.diff(values[order]) != 0])
