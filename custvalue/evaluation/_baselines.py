"""The two forecasts that need no model; whatever does not beat them is not worth its trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from custvalue._frames import float_columns
from custvalue._units import Span, span_days
from custvalue.evaluation._log import TransactionLog

if TYPE_CHECKING:
    FloatArray = npt.NDArray[np.float64]


class RateCarriedForward(BaseEstimator):
    """Each customer goes on spending at the mean rate since the first order.

    Money so far / time since the first order x horizon. A rate needs some time to be one: who
    first bought yesterday does not go on buying daily.

    Parameters
    ----------
    horizon : str, timedelta or None, default=None
        Used where ``predict`` gets none.
    shortest : str or timedelta, default="28D"
        Time that everybody counts as observed at least.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.evaluation import RateCarriedForward, TransactionLog
    >>> rows = pd.DataFrame({"who": [1, 1], "when": ["2024-01-01", "2024-02-10"],
    ...                      "paid": [5.0, 15.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> RateCarriedForward().fit(log).predict(log, horizon="30D").tolist()
    [15.0]
    """

    reads_table = "log"

    def __init__(self, *, horizon: Span | None = None, shortest: Span = "28D") -> None:
        self.horizon = horizon
        self.shortest = shortest

    def fit(self, X: TransactionLog, y: Any = None) -> RateCarriedForward:
        """Learn nothing.

        Parameters
        ----------
        X : TransactionLog
        y : None
        """
        return self

    def predict(self, X: TransactionLog, horizon: Span | None = None) -> FloatArray:
        """Money within the horizon.

        Parameters
        ----------
        X : TransactionLog
        horizon : str or timedelta

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        so_far, observed = float_columns(X.summary("D"), ["total_value", "T"]).T
        observed = np.maximum(observed, span_days(self.shortest, "shortest"))
        return so_far / observed * span_days(_stated(horizon, self.horizon))


class LastPeriodRepeated(BaseEstimator):
    """Each customer brings again what the last stretch of one horizon's length brought.

    Where the log is shorter than the horizon, all of it is taken and scaled up.

    Parameters
    ----------
    horizon : str, timedelta or None, default=None
        Used where ``predict`` gets none.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.evaluation import LastPeriodRepeated, TransactionLog
    >>> rows = pd.DataFrame({"who": [1, 1], "when": ["2024-01-01", "2024-01-11"],
    ...                      "paid": [5.0, 15.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> LastPeriodRepeated().fit(log).predict(log, horizon="5D").tolist()
    [15.0]
    """

    reads_table = "log"

    def __init__(self, *, horizon: Span | None = None) -> None:
        self.horizon = horizon

    def fit(self, X: TransactionLog, y: Any = None) -> LastPeriodRepeated:
        """Learn nothing.

        Parameters
        ----------
        X : TransactionLog
        y : None
        """
        return self

    def predict(self, X: TransactionLog, horizon: Span | None = None) -> FloatArray:
        """Money within the horizon.

        Parameters
        ----------
        X : TransactionLog
        horizon : str or timedelta

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        span = _stated(horizon, self.horizon)
        observed = X.span_days + 1.0  # the first day counts whole
        recent, _ = X.between(X.before(span), X.as_of).totals(X.customers())
        return recent * max(span_days(span) / observed, 1.0)


def _stated(given: Span | None, stored: Span | None) -> Span:
    span = given if given is not None else stored
    if span is None:
        raise ValueError('no horizon was given; write horizon="52W".')
    return span
