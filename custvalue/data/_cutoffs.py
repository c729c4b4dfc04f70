"""Rows of a log cut at dates so that nothing leaks: who is known, and what came after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._dates import after, instant, readable, shifted
from custvalue._frames import column
from custvalue._units import Span, span_days
from custvalue.data._log import TransactionLog
from custvalue.exceptions import ContractProblem, DataContractError

if TYPE_CHECKING:
    import pandas as pd

    from custvalue._typing import Floats


def cutoffs(log: TransactionLog, dates: Sequence[Any]) -> pd.DataFrame:
    """List the samples to learn and predict on: every customer known at each date.

    Parameters
    ----------
    log : TransactionLog
    dates : sequence of str or datetime64
        Ends of observation; a date includes its whole day.

    Returns
    -------
    DataFrame
        One row a customer and date: the customer column under its own name, ``as_of``.

    Raises
    ------
    DataContractError
        If nobody is known at a date.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> cutoffs(log, ["2024-01-05", "2024-01-25"])["who"].tolist()
    [1, 1, 2]
    """
    import pandas as pd

    parts = []
    for date in dates:
        known = known_at(log, date)
        parts.append(pd.DataFrame({log.customer: known.customers(), "as_of": known.as_of}))
    return pd.concat(parts, ignore_index=True)


def known_at(log: TransactionLog, cutoff: Any) -> TransactionLog:
    """``log.until(cutoff)``, refused where nobody is known by then."""
    known = log.until(cutoff)
    if len(known) == 0 or len(known.customers()) == 0:
        raise DataContractError(
            ContractProblem(
                "nobody-known",
                f"no customer has an order up to {readable(known.as_of)}; the log begins on "
                f"{readable(log.first.astype('datetime64[D]'))}",
                "Choose a later cutoff.",
            )
        )
    return known


def future_value(log: TransactionLog, X: Any, *, horizon: Span) -> Floats:
    """Sum what each (customer, date) row brought within ``horizon`` after its date.

    Parameters
    ----------
    log : TransactionLog
    X : frame
        Made by :func:`cutoffs`: the customer column and ``as_of``.
    horizon : str or timedelta

    Returns
    -------
    ndarray of shape (n_rows,)
        Money, after the log's policies; 0 for customers who did not buy.

    Raises
    ------
    DataContractError
        If a horizon ends after the log does: its value would be cut short.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> future_value(log, cutoffs(log, ["2024-01-05"]), horizon="1W").tolist()
    [7.0]
    """
    dates = np.asarray(column(X, "as_of"), dtype="datetime64[us]")
    ids = column(X, log.customer)
    y = np.zeros(len(ids))
    for date in np.unique(dates):
        rows = dates == date
        y[rows] = log.between(date, horizon_end(log, date, horizon)).totals(ids[rows])[0]
    return y


def horizon_end(log: TransactionLog, cutoff: Any, horizon: Span) -> np.datetime64:
    """End of the horizon after ``cutoff``; refused where the log does not reach it."""
    end = shifted(instant(cutoff), span_days(horizon))
    if after(end) > after(log.as_of):
        raise DataContractError(
            ContractProblem(
                "unfinished-horizon",
                f"cutoff {readable(instant(cutoff))} plus {horizon} ends on {readable(end)}, "
                f"the log on {readable(log.as_of)}",
                "Choose an earlier cutoff or a shorter horizon; if the shop was open and sold "
                "nothing until then, pass as_of=.",
            )
        )
    return end
