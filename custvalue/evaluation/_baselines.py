"""The naive forecast that needs the log itself; the other, ``RateForward``, lives in ``value``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

from custvalue._units import Span, span_days
from custvalue.data import TransactionLog
from custvalue.exceptions import HorizonError

if TYPE_CHECKING:
    from custvalue._typing import Floats


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
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.evaluation import LastPeriodRepeated
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

    def predict(self, X: TransactionLog, horizon: Span | None = None) -> Floats:
        """Money within the horizon.

        Parameters
        ----------
        X : TransactionLog
        horizon : str, timedelta or None, default=None
            None takes the constructor's.

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        HorizonError
            If no horizon is given here or in the constructor.
        """
        span = stated(self.horizon if horizon is None else horizon)
        observed = X.span_days + 1.0  # the first day counts whole
        recent, _ = X.between(X.before(span), X.as_of).totals(X.customers())
        return recent * max(span_days(span) / observed, 1.0)


def stated(horizon: Span | None) -> Span:
    """Return the horizon, or say how to give one."""
    if horizon is None:
        raise HorizonError('LastPeriodRepeated needs to know how far to look; write horizon="52W".')
    return horizon
