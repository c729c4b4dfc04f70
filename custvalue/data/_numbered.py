"""A log with whole numbers for ids."""

from __future__ import annotations

from dataclasses import replace

import narwhals.stable.v2 as nw
import numpy as np

from custvalue._frames import frame_like
from custvalue._typing import ByName
from custvalue.data._log import Held, TransactionLog


def numbered(log: TransactionLog) -> TransactionLog:
    """Log whose ids are whole numbers that sort as its own do, for work that looks them up often.

    Customers, their order and all figures stay; times are read, and columns that its options do not
    name are left behind. Row i of its summary is row i of the log's.

    Parameters
    ----------
    log : TransactionLog

    Returns
    -------
    TransactionLog

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.data._numbered import numbered
    >>> rows = pd.DataFrame({"who": ["b", "a", "b"], "paid": [5.0, 7.0, 9.0],
    ...                      "day": ["2024-01-01", "2024-01-02", "2024-01-03"]})
    >>> log = TransactionLog(rows, customer="who", time="day", amount="paid")
    >>> numbered(log).summary()[["who", "total_value"]].to_numpy().tolist()
    [[0.0, 7.0], [1.0, 14.0]]
    """
    held, options = log._rows, log.options
    known: ByName = {options.time: held.times}
    if held.codes is not None:
        known[options.customer] = held.codes
    have = nw.from_native(held.frame, eager_only=True)
    # rows that repeat another one are told by every column
    names = options.columns if options.duplicates == "keep" else have.columns
    columns = {n: known[n] if n in known else have[n].to_native() for n in names}
    frame = frame_like(held.frame, columns)
    same = log._view(np.ones(len(held.times), dtype=bool), held.as_of)
    rows = Held(
        frame, held.times, held.first, held.as_of, held.end, options.customer, held.codes
    )  # fmt: skip
    same.__dict__ |= {
        "frame": frame, "_held": rows,
        "options": replace(options, time_format=None, time_zone=None),
    }  # fmt: skip
    return same
