"""What `SilenceScorer` reads of a log."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import float_columns
from custvalue.data import TransactionLog


def silence_from_log(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    unit: str = "D",
    **policies: Any,
) -> tuple[Any, npt.NDArray[np.float64]]:
    """Return the summary of a log and everybody's gaps between orders.

    Parameters
    ----------
    log, customer, time, amount, as_of, unit, **policies
        As in :class:`custvalue.data.TransactionLog`.

    Returns
    -------
    table : frame
        :meth:`custvalue.data.TransactionLog.summary`.
    gaps : ndarray of shape (n_gaps,)
        In ``unit``, for ``SilenceScorer.fit(table, gaps=gaps)``.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.silence import silence_from_log
    >>> log = pd.DataFrame({"id": ["a", "a", "a", "b"], "paid": [5.0, 8.0, 5.0, 9.0],
    ...                     "day": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-01-16",
    ...                                            "2026-01-02"])})
    >>> table, gaps = silence_from_log(log, customer="id", time="day", amount="paid",
    ...                                as_of="2026-01-31")
    >>> table[["id", "silence", "n_gaps", "gap_max"]]
      id  silence  n_gaps  gap_max
    0  a     15.0       2     10.0
    1  b     29.0       0      NaN
    >>> gaps
    array([10.,  5.])
    """
    names = {"customer": customer, "time": time, "amount": amount}
    read = TransactionLog(log, **names, as_of=as_of, unit=unit, tell_end=True, **policies)
    return read.summary(), float_columns(read.gaps(), ["gap"])[:, 0]
