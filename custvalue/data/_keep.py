"""What a log tells of the customer besides orders: one value a customer and kept column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custvalue._typing import Ints
from custvalue.data._intake import Intake


@dataclass(frozen=True)
class LastRows:
    """For every kept column, the row of the log that has each customer's value.

    Parameters
    ----------
    code : ndarray of shape (n_customers,)
        Customers of the rows that counted, ascending.
    columns : dict of str to series
        The log's kept columns, whole.
    at : dict of str to ndarray of shape (n_customers,)
        Positions in them.
    """

    code: Ints
    columns: dict[str, Any]
    at: dict[str, Ints]

    def of(self, code: Ints) -> dict[str, Any]:
        """Values of some of the customers, as series of the log's kind."""
        place = np.searchsorted(self.code, code)
        return {name: self.columns[name][self.at[name][place]] for name in self.at}


def last_rows(rows: Intake) -> LastRows:
    """Find the value at the last order that has one; the largest where its rows disagree."""
    if not rows.kept:
        return LastRows(rows.code[:0], {}, {})
    at = {}
    code = rows.code[:0]
    for name, column in rows.kept.items():
        values = pd.Series(column.to_numpy())
        values = values if rows.row is None else values.iloc[rows.row]
        rank = _ranks(values)
        order = np.lexsort((rank, rows.tick, rank >= 0, rows.code))
        sorted_code = rows.code[order]
        last = order[np.flatnonzero(np.diff(sorted_code, append=-1))]
        code = rows.code[last]
        at[name] = last if rows.row is None else rows.row[last]
    return LastRows(code, rows.kept, at)


def _ranks(values: pd.Series) -> Ints:
    """Order of the values, missing ones at -1; of mixed kinds that of their text."""
    codes, uniques = pd.factorize(values)
    try:
        order = np.argsort(np.asarray(uniques), kind="stable")
    except TypeError:
        order = np.argsort(np.asarray(uniques).astype(str), kind="stable")
    rank = np.empty(len(uniques) + 1, dtype=np.int64)
    rank[order] = np.arange(len(uniques))
    rank[-1] = -1  # where factorize says -1
    return rank[codes]


def several_values(rows: Intake, name: str) -> Ints:
    """Codes of the customers whose rows say more than one value of a kept column, ascending."""
    values = pd.Series(rows.kept[name].to_numpy())
    rank = _ranks(values if rows.row is None else values.iloc[rows.row])
    known = rank >= 0
    pairs = np.unique(np.column_stack([rows.code[known], rank[known]]), axis=0)
    code, times = np.unique(pairs[:, 0], return_counts=True)
    return code[times > 1]
