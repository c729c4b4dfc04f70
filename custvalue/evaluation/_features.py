"""Features of customers at a date, from what was known then: tables that any regressor reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import column
from custvalue._units import Span, span_days
from custvalue.evaluation._log import TransactionLog, cutoffs, future_value, shifted
from custvalue.exceptions import ContractProblem, DataContractError

if TYPE_CHECKING:
    import pandas as pd

    FloatArray = npt.NDArray[np.float64]

SUMMARY_FEATURES = (
    "frequency",
    "recency",
    "T",
    "silence",
    "n_orders",
    "total_value",
    "mean_value",
)
WINDOWS = ("28D", "91D")


def history_frame(
    known: TransactionLog, *, unit: str | None = None, windows: Sequence[str] = WINDOWS
) -> pd.DataFrame:
    """Features of every customer of a log at the log's end, in the order of ``customers()``.

    Parameters
    ----------
    known : TransactionLog
    unit : str or None, default=None
        Unit of ``recency``, ``T`` and ``silence``; None is the log's.
    windows : sequence of str, default=("28D", "91D")
        For each: orders and money of this long before the end (``orders_28D``, ``value_28D``).

    Returns
    -------
    DataFrame of shape (n_customers, 7 + 2 * len(windows))
        Floats, nothing missing; a fresh index.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.evaluation import TransactionLog, history_frame
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> history_frame(log, windows=["7D"])[["frequency", "silence", "value_7D"]].to_numpy().tolist()
    [[1.0, 11.0, 0.0], [0.0, 0.0, 9.0]]
    """
    import pandas as pd

    summary = known.summary(unit)
    columns: dict[str, FloatArray] = {
        name: np.asarray(column(summary, name), dtype=np.float64) for name in SUMMARY_FEATURES
    }
    customers = known.customers()
    for window in windows:
        recent = known.between(known.before(window), known.as_of)
        value, orders = recent.totals(customers)
        columns[f"orders_{window}"], columns[f"value_{window}"] = orders, value
    return pd.DataFrame(columns)


def supervised_frame(
    log: TransactionLog,
    cutoff: Any,
    horizon: Span,
    *,
    unit: str | None = None,
    windows: Sequence[str] = WINDOWS,
) -> tuple[pd.DataFrame, FloatArray]:
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
        If the horizon ends after the log.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.evaluation import TransactionLog, supervised_frame
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> X, y = supervised_frame(log, "2024-01-05", "1W")
    >>> X["T"].tolist(), y.tolist()
    ([4.0], [7.0])
    """
    known = log.until(cutoff)
    X = history_frame(known, unit=unit, windows=windows)
    return X, future_value(log, cutoffs(log, [cutoff]), horizon=horizon)


def supervised_sample(
    known: TransactionLog, horizon: Span
) -> tuple[pd.DataFrame, FloatArray, float]:
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
