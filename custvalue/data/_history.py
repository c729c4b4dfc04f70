"""Features of customers at the end of a log, from what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from custvalue._frames import column, facts_of, with_facts
from custvalue.data._log import TransactionLog

if TYPE_CHECKING:
    import pandas as pd

    from custvalue._typing import Floats


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
    >>> from custvalue.data import TransactionLog
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> history_frame(log, windows=["7D"])[["frequency", "silence", "value_7D"]].to_numpy().tolist()
    [[1.0, 11.0, 0.0], [0.0, 0.0, 9.0]]
    """
    import pandas as pd

    summary = known.summary(unit)
    columns: dict[str, Floats] = {
        name: np.asarray(column(summary, name), dtype=np.float64) for name in SUMMARY_FEATURES
    }
    customers = known.customers()
    for window in windows:
        recent = known.between(known.before(window), known.as_of)
        value, orders = recent.totals(customers)
        columns[f"orders_{window}"], columns[f"value_{window}"] = orders, value
    table, facts = pd.DataFrame(columns), facts_of(summary)
    return table if facts is None else with_facts(table, facts)
