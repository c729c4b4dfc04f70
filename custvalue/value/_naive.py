"""Baselines that every model must beat: the rate carried forward, the last period repeated."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from custvalue import _frames, _sklearn
from custvalue._units import Span, in_units

Array = npt.NDArray[np.float64]


class RateForward(_sklearn.DocLink, BaseEstimator):
    """Each customer goes on as on average so far.

    ``n_orders / T`` orders a unit of time (or ``total_value x margin / T`` money), times the
    horizon. A customer seen for less than ``min_span`` counts as seen for ``min_span``, or a first
    order of yesterday would be an order a day for ever.

    Parameters
    ----------
    output : {"value", "orders"}, default="value"
    margin : float, default=1.0
        Share of spend that is profit; only with ``output="value"``.
    horizon : str, timedelta, number or None, default=None
    min_span : float or None, default=None
        In the unit of the data; None takes the mean ``T`` of the customers in ``fit``.
    unit : str or None, default=None
        Unit of ``T`` where the table does not say.

    Attributes
    ----------
    unit_ : str or None
    min_span_ : float

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.value import RateForward
    >>> table = pd.DataFrame({"n_orders": [4, 1], "T": [20.0, 10.0], "total_value": [80.0, 9.0]})
    >>> RateForward(horizon=10, min_span=10.0).fit(table).predict(table)
    array([40.,  9.])
    """

    def __init__(
        self,
        *,
        output: Literal["value", "orders"] = "value",
        margin: float = 1.0,
        horizon: Span | None = None,
        min_span: float | None = None,
        unit: str | None = None,
    ) -> None:
        self.output = output
        self.margin = margin
        self.horizon = horizon
        self.min_span = min_span
        self.unit = unit

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> RateForward:
        """Learn the unit, and the shortest span that counts.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            Columns ``n_orders``, ``T``, ``total_value`` (the last only with ``output="value"``).
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : RateForward
        """
        if self.output not in ("value", "orders"):
            raise ValueError(f"output={self.output!r} must be 'value' or 'orders'.")
        _, span = self._read(X, reset=True)
        weights = _sklearn.weights_of(sample_weight, span.size)
        self.unit_ = _frames.unit_of(X, self.unit, caller=type(self).__name__)
        shortest = np.average(span, weights=weights) if self.min_span is None else self.min_span
        self.min_span_ = float(shortest) if shortest > 0 else 1.0
        return self

    def predict(self, X: Any, horizon: Span | None = None) -> Array:
        """Value (or orders) over the horizon, not discounted.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None
            None takes the constructor's.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        _sklearn.check_is_fitted(self)
        amount, span = self._read(X, reset=False)
        until = in_units(stated(self.horizon if horizon is None else horizon), self.unit_)
        scale = self.margin if self.output == "value" else 1.0
        return np.asarray(scale * amount / np.maximum(span, self.min_span_) * until)

    def _read(self, X: Any, *, reset: bool) -> tuple[Array, Array]:
        names = ("total_value" if self.output == "value" else "n_orders", "T")
        values, _ = _sklearn.read_columns(self, X, names, reset=reset, min_columns=2)
        return values[:, 0], values[:, 1]


def stated(horizon: Span | None) -> Span:
    """Return the horizon, or an error that says how to give one."""
    if horizon is None:
        raise ValueError('state the horizon: predict(X, horizon="12M") or horizon="12M" above.')
    return horizon
