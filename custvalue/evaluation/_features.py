"""Features of customers at a date, from what was known then: tables that any regressor reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue._dates import shifted
from custvalue._frames import column, column_names, places_of
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._units import Span, span_days
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import (
    SUMMARY_FEATURES,
    WINDOWS,
    cutoffs,
    future_value,
    history_frame,
    known_at,
)
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

if TYPE_CHECKING:
    import pandas as pd

    from custvalue._typing import Floats


def supervised_frame(
    log: TransactionLog,
    cutoff: Any,
    horizon: Span,
    *,
    unit: str | None = None,
    windows: Sequence[str] = WINDOWS,
) -> tuple[pd.DataFrame, Floats]:
    """Features known at ``cutoff`` and what each customer brought within ``horizon`` after it.

    Nothing after the cutoff enters the features, nothing before it the target.

    Parameters
    ----------
    log : TransactionLog
    cutoff : str or datetime64
        End of observation; a date includes its whole day.
    horizon : str or timedelta
    unit : str or None, default=None
        Unit of ``recency``, ``T`` and ``silence``; None is the log's.
    windows : sequence of str, default=("28D", "91D")
        See :func:`history_frame`.

    Returns
    -------
    X : DataFrame of shape (n_customers, n_features)
        One row a customer known at the cutoff, in the order of ``log.until(cutoff).customers()``.
    y : ndarray of shape (n_customers,)

    Raises
    ------
    DataContractError
        If the horizon ends after the log, or nobody is known at the cutoff.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.evaluation import supervised_frame
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> X, y = supervised_frame(log, "2024-01-05", "1W")
    >>> X["T"].tolist(), y.tolist()
    ([4.0], [7.0])
    """
    known = known_at(log, cutoff)
    X = history_frame(known, unit=unit, windows=windows)
    return X, future_value(log, cutoffs(log, [cutoff]), horizon=horizon)


class HistoryFeatures(DocLink, TransformerMixin, BaseEstimator):
    """Rows (customer, as-of date) in, features known at that date out.

    The step that makes a summary's own parameters searchable: the log is a light handle, so
    ``clone`` does not copy it, and for each row only what lies before its date is read. Keep the
    log's rows to those of the time you may learn from; the dates do the rest.

    Parameters
    ----------
    log : TransactionLog
    unit : str or None, default=None
        Unit of ``recency``, ``T`` and ``silence``; None is the log's.
    windows : sequence of str, default=("28D", "91D")
        See :func:`history_frame`.

    Attributes
    ----------
    feature_names_out_ : ndarray of str
    n_features_in_ : int
        2: the customer column and ``as_of``.

    Notes
    -----
    A fitted transformer is pickled without the log, so that a saved pipeline carries no
    customer's rows; after loading, give it one again: ``pipeline.set_params(history__log=log)``.
    One that is not fitted travels with it, which is what the workers of a parallel search need.

    Examples
    --------
    >>> import custvalue as cv
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import Pipeline
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.evaluation import HistoryFeatures, cutoffs, future_value
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                      time="date", amount="amount")
    >>> X = cutoffs(log, ["1997-06-30", "1997-09-30"])
    >>> y = future_value(log, X, horizon="90D")
    >>> model = Pipeline([("history", HistoryFeatures(log)), ("ridge", Ridge())]).fit(X, y)
    >>> model.predict(X).shape == y.shape
    True
    """

    def __init__(
        self,
        log: TransactionLog | None = None,
        *,
        unit: str | None = None,
        windows: Sequence[str] = WINDOWS,
    ) -> None:
        self.log = log
        self.unit = unit
        self.windows = windows

    def fit(self, X: Any, y: Any = None) -> HistoryFeatures:
        """Check that the rows can be looked up; nothing is learned.

        Parameters
        ----------
        X : frame of shape (n_rows, n_columns)
            The log's customer column and ``as_of``; see :func:`cutoffs`.
        y : None
        """
        log = self._log()
        have = column_names(X)
        missing = [name for name in (log.customer, "as_of") if have is None or name not in have]
        if missing:
            raise DataContractError(
                ContractProblem(
                    "missing-column",
                    f"X must be a frame with the columns {log.customer!r} and 'as_of'; "
                    f"missing: {', '.join(missing)}",
                    "cutoffs(log, dates) makes one.",
                )
            )
        self.n_features_in_ = 2
        self.feature_names_in_ = np.asarray([log.customer, "as_of"], dtype=object)
        recent = [f"{what}_{w}" for w in self.windows for what in ("orders", "value")]
        self.feature_names_out_ = np.asarray([*SUMMARY_FEATURES, *recent], dtype=object)
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """Features of each row.

        Parameters
        ----------
        X : frame of shape (n_rows, n_columns)

        Returns
        -------
        DataFrame of shape (n_rows, n_features)
            With the index of ``X`` where it is a pandas frame.

        Raises
        ------
        DataContractError
            If a customer was not known at the row's date.
        """
        import pandas as pd

        check_is_fitted(self)
        log = self._log()
        dates = np.asarray(column(X, "as_of"), dtype="datetime64[us]")
        ids = column(X, log.customer)
        out = np.empty((len(ids), len(self.feature_names_out_)))
        for date in np.unique(dates):
            rows = np.flatnonzero(dates == date)
            known = log.until(date)
            place = places_of(known.customers(), ids[rows])
            if (place < 0).any():
                raise DataContractError(
                    ContractProblem(
                        "unknown-customer",
                        f"customers without an order up to {str(date)[:10]}",
                        "Leave them out, or take another log.",
                        int((place < 0).sum()),
                        first_ids(ids[rows][place < 0]),
                    )
                )
            table = history_frame(known, unit=self.unit, windows=self.windows)
            out[rows] = table.to_numpy()[place]
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(out, columns=self.feature_names_out_, index=index)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of the features.

        Parameters
        ----------
        input_features : None

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return self.feature_names_out_

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "feature_names_out_" in state:
            state["log"] = None
        return state

    def _log(self) -> TransactionLog:
        if self.log is None:
            raise ValueError(
                "HistoryFeatures has no log (a saved one is stored without it): "
                "set_params(log=TransactionLog(...))."
            )
        return self.log


def supervised_sample(known: TransactionLog, horizon: Span) -> tuple[pd.DataFrame, Floats, float]:
    """Rows to learn from within ``known``, and the days their target spans.

    The earlier cutoff lies one horizon before the end; where that would leave less than half a
    horizon of history, it lies in the middle, and the shorter target is scaled up by the caller.
    """
    days = span_days(horizon)
    window = days if known.span_days >= 1.5 * days else float(int(known.span_days / 2.0))
    if window < 1:
        raise DataContractError(
            ContractProblem(
                "short-history",
                f"the log spans {known.span_days:g} days up to the cutoff, too few to learn from "
                "an earlier one",
                "Choose a later cutoff.",
            )
        )
    X, y = supervised_frame(known, shifted(known.as_of, -window), f"{window}D")
    return X, y, window
