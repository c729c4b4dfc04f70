"""A forecast whose total is set right by what earlier origins of the same log said and got."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from custvalue._sklearn import DocLink, available_if, check_is_fitted
from custvalue._units import Span
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import known_at
from custvalue.evaluation._reads import Candidate, Forecaster, last_step
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    HorizonError,
    NotSupportedError,
)

if TYPE_CHECKING:
    import pandas as pd

    from custvalue._typing import Floats


def _states_chances(model: CalibratedTotal) -> bool:
    final = last_step(model.estimator)
    return hasattr(final, "predict_chance") or hasattr(final, "predict_proba_any")


class CalibratedTotal(DocLink, BaseEstimator):
    """Multiply all forecasts by one factor, learned on earlier origins of the known rows.

    At several earlier dates the estimator is fitted on what was known then and asked for the money
    from there to the end of the log. The factor is the mean of log(observed / expected), drawn to
    0 by its own standard error, so that a log whose origins contradict each other keeps the
    estimator's own level. The order of customers does not change, and nothing after the log's end
    is read. Forecasts are revenue: margin 1, not discounted, no contact cost.

    Parameters
    ----------
    estimator : estimator
        Anything that :func:`backtest` takes.
    n_origins : int, default=4
        Earlier dates, evenly spread over the second half of the history.
    spread : float, default=0.2
        Prior standard deviation of the log of the factor.
    period : str, default="4W"
        Period of the panel, for estimators that read one.
    horizon : str, timedelta or None, default=None
        Used where ``predict`` gets none; regressors of a supervised table need it here.

    Attributes
    ----------
    factor_ : float
    standard_error_ : float
        Of the mean of log(observed / expected): sampling of customers, and the spread between
        origins, which all end on the same day and are therefore not averaged away.
    origins_ : DataFrame
        One row an origin: ``as_of``, ``days``, ``observed``, ``expected``, ``ratio``.

    Notes
    -----
    A season or a promotion in the second half of the history is taken for the level of the
    future; see the page "The default chain" of the documentation for what that does.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.evaluation import CalibratedTotal
    >>> from custvalue.value import RateForward
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                      time="date", amount="amount").until("1997-09-30")
    >>> model = CalibratedTotal(RateForward()).fit(log)
    >>> bool(model.factor_ < 1)  # customers leave, which a rate carried forward does not know
    True
    >>> model.predict(log, horizon="39W").shape
    (2349,)
    """

    reads_table = "log"

    def __init__(
        self,
        estimator: Any,
        *,
        n_origins: int = 4,
        spread: float = 0.2,
        period: str = "4W",
        horizon: Span | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_origins = n_origins
        self.spread = spread
        self.period = period
        self.horizon = horizon

    def fit(self, X: TransactionLog, y: Any = None) -> CalibratedTotal:
        """Fit the estimator on all of the log, and the factor on its earlier dates.

        Parameters
        ----------
        X : TransactionLog
        y : None

        Returns
        -------
        self : CalibratedTotal

        Raises
        ------
        DataContractError
            If the history is too short for ``n_origins`` different days in its second half.
        ValueError
            If a parameter is out of range, or no money came after any earlier date.
        """
        import pandas as pd

        if int(self.n_origins) < 1:
            raise ValueError(f"n_origins={self.n_origins!r} must be at least 1.")
        if not float(self.spread) >= 0.0:
            raise ValueError(f"spread={self.spread!r} must be 0 or more.")
        rows = [self._look_back(X, days) for days in self._days_back(X)]
        self.origins_: pd.DataFrame = pd.DataFrame(rows)
        noise = self.origins_.pop("noise").to_numpy()
        with np.errstate(divide="ignore"):
            logs = np.log(self.origins_["ratio"].to_numpy())
        if not np.isfinite(logs).all():
            raise ValueError(
                "at an earlier date no money was expected or none came, so that there is no "
                "level to learn; use the estimator as it is."
            )
        between = float(logs.var(ddof=1)) if len(logs) > 1 else 0.0
        variance = float((noise**2).mean()) + between
        self.standard_error_ = float(np.sqrt(variance))
        prior = float(self.spread) ** 2
        weight = prior / (prior + variance) if prior else 0.0
        self.factor_ = float(np.exp(weight * logs.mean()))
        self.forecaster_ = self._forecaster(self.horizon)
        self.forecaster_.fit(X)
        return self

    def predict(self, X: TransactionLog, horizon: Span | None = None) -> Floats:
        """Money of each of ``X.customers()`` within the horizon.

        Parameters
        ----------
        X : TransactionLog
        horizon : str, timedelta or None
            Overrides the constructor's.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return self.factor_ * self._asked(horizon).predict(X)

    @available_if(_states_chances)
    def predict_chance(self, X: TransactionLog, horizon: Span | None = None) -> Floats:
        """Chance of at least one order, as the estimator states it; the factor has no say.

        Parameters
        ----------
        X : TransactionLog
        horizon : str, timedelta or None

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        NotSupportedError
            If the estimator's formula states no chance.
        """
        chance = self._asked(horizon).chance(X)
        if chance is None:
            raise NotSupportedError(
                f"{type(last_step(self.estimator)).__name__} states no chance of an order."
            )
        return chance

    def _asked(self, horizon: Span | None) -> Forecaster:
        check_is_fitted(self)
        span = self.horizon if horizon is None else horizon
        if span is None:
            raise HorizonError("name a horizon, here or in the constructor.")
        if self.forecaster_.reads == "supervised" and span != self.horizon:
            raise ValueError("a regressor learns one horizon: name it in the constructor.")
        asked = copy.copy(self.forecaster_)  # the fitted object stays as it is
        asked.horizon = span
        return asked

    def _forecaster(self, horizon: Span | None) -> Forecaster:
        candidate = Candidate(self.estimator, period=self.period)
        if horizon is None and candidate.table == "supervised":
            raise ValueError("a regressor learns one horizon: name it in the constructor.")
        return Forecaster(candidate, self.period if horizon is None else horizon, self.period)

    def _days_back(self, X: TransactionLog) -> list[int]:
        share = 0.5 - 0.5 * np.arange(int(self.n_origins)) / int(self.n_origins)
        days = np.floor(X.span_days * share).astype(int)
        if days.min() < 1 or len(set(days.tolist())) < len(days):
            raise DataContractError(
                ContractProblem(
                    "short-history",
                    f"the log spans {X.span_days:g} days, too few for {self.n_origins} earlier "
                    "dates in its second half",
                    "Take fewer origins, or a longer history.",
                )
            )
        return [int(d) for d in days]

    def _look_back(self, X: TransactionLog, days: int) -> dict[str, Any]:
        known = known_at(X, X.before(f"{days}D"))
        came, _ = X.between(known.as_of, X.as_of).totals(known.customers())
        asked = self._forecaster(f"{days}D")
        asked.fit(known)
        expected = float(asked.predict(known).sum())
        observed = float(came.sum())
        return {
            "as_of": known.as_of,
            "days": days,
            "observed": observed,
            "expected": expected,
            "ratio": observed / expected if expected > 0 else np.nan,
            "noise": float(np.sqrt((came**2).sum()) / observed) if observed > 0 else np.nan,
        }
