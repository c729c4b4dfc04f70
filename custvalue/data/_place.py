"""Where customers lie in a table, and columns with the rows of newcomers put between the old."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._typing import Ints
from custvalue.exceptions import ContractProblem, DataContractError, first_ids


class Places:
    """Customers of a batch among those of a table.

    Parameters
    ----------
    ids : narwhals series of shape (n_rows,)
        Customers of the table, each once.
    wanted : ndarray of shape (n_customers,)
        Those of the batch, in the order of their ids.

    Attributes
    ----------
    row : ndarray of shape (n_customers,)
        Row of each in the table, -1 for a newcomer.
    fresh : ndarray
        Places of the newcomers in ``wanted``.
    before : ndarray
        Row of the table that each newcomer comes before, so that a table sorted by customer stays
        sorted; all at the end where it is not.
    """

    def __init__(self, ids: Any, wanted: npt.NDArray[Any]) -> None:
        self.ids, self.size = ids, len(ids)
        known = ids.to_numpy()
        _check_kinds(ids, known, wanted)
        self._sorted = _goes_up(known)
        self._known = known
        self.row = self.find(wanted)
        self.fresh = np.flatnonzero(self.row < 0)
        self.new_ids = wanted[self.fresh]
        self.before = np.full(len(self.fresh), self.size)
        if self._sorted and len(self.fresh):
            self.before = np.searchsorted(known, self.new_ids)

    def find(self, wanted: npt.NDArray[Any]) -> Ints:
        """Row of each customer, -1 where there is none."""
        row = np.full(len(wanted), -1, dtype=np.int64)
        if not len(wanted) or not self.size:
            return row
        if self._sorted and self._known.dtype.kind in "iu":
            at = np.searchsorted(self._known, wanted)
            found = self._known[np.minimum(at, self.size - 1)] == wanted
            row[found] = at[found]
            return row
        place = _index(wanted).get_indexer(_index(self._known))
        hit = np.flatnonzero(place >= 0)
        row[place[hit]] = hit
        return row

    def spread(self, old: npt.NDArray[Any], new: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Put the values of newcomers between the old ones, in fresh memory."""
        if not len(new):
            return old.copy()
        cuts = [0, *self.before.tolist(), self.size]
        pieces: list[npt.NDArray[Any]] = []
        for j, (begin, end) in enumerate(pairwise(cuts)):
            if end > begin:
                pieces.append(old[begin:end])
            if j < len(new):
                pieces.append(new[j : j + 1])
        return np.concatenate(pieces)

    def order(self) -> Ints:
        """Places in the old ids with the newcomers behind them, in the order of the new table."""
        return self.spread(np.arange(self.size), self.size + np.arange(len(self.fresh)))

    def moved(self, row: Ints) -> Ints:
        """Where rows of the old table lie in the new one."""
        return row + np.searchsorted(self.before, row, side="right")

    def moved_fresh(self) -> Ints:
        """Where the newcomers lie."""
        return self.before + np.arange(len(self.before))

    def all_ids(self) -> Any:
        """Ids of the new table, of the old ones' kind."""
        return gathered(self.ids, self.new_ids, self.order()) if len(self.fresh) else self.ids


def gathered(series: Any, more: npt.NDArray[Any], order: Ints) -> Any:
    """Values of a series with more behind it, by their places in ``order``."""
    native = series.to_native()
    if isinstance(native, pd.Series):
        if isinstance(native.dtype, pd.CategoricalDtype):
            strange = pd.unique(more[~pd.Series(more).isin(native.cat.categories).to_numpy()])
            native = native.cat.add_categories([v for v in strange if not pd.isna(v)])
        both = pd.concat([native, pd.Series(more, dtype=native.dtype)], ignore_index=True)
        return nw.from_native(both.take(order).reset_index(drop=True), series_only=True)
    values = [None if v is None or v != v else v for v in more.tolist()]
    if nw.dependencies.is_pyarrow_chunked_array(native):
        import pyarrow as pa

        both = pa.chunked_array([*native.chunks, pa.array(values, native.type)], native.type)
        return nw.from_native(both.take(pa.array(order)), series_only=True)
    behind = nw.new_series(series.name, values, dtype=series.dtype, backend=series.implementation)
    return nw.concat([series.to_frame(), behind.to_frame()])[series.name][order]


def _index(ids: npt.NDArray[Any]) -> pd.Index:
    """Look ids up as they are, text too, which pandas would turn into another kind."""
    return pd.Index(ids, dtype=ids.dtype)


def _goes_up(known: npt.NDArray[Any]) -> bool:
    """Whether ids rise from row to row, each once."""
    if known.dtype.kind in "iuf":
        return bool((known[1:] > known[:-1]).all())
    index = _index(known)
    return bool(index.is_monotonic_increasing and index.is_unique)


def _check_kinds(ids: Any, known: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> None:
    """Refuse ids of another kind, which would all be newcomers, and customers who come twice."""
    if len(known) and len(wanted):
        words = [isinstance(values[0], str) for values in (known, wanted)]
        if words[0] != words[1]:
            kinds = [
                "text" if is_text else type(v[0]).__name__
                for is_text, v in zip(words, (known, wanted), strict=True)
            ]
            text = f"the old table's {ids.name!r} has {kinds[0]} and the new rows' has {kinds[1]}"
            cure = "Give both one kind; else every customer would be new."
            raise DataContractError(ContractProblem("customer-kind", text, cure))
    index = _index(known)
    if not index.is_unique:
        twice = np.flatnonzero(index.duplicated())
        text, cure = "the old table has customers more than once", "A summary has one row each."
        raise DataContractError(
            ContractProblem("customer-twice", text, cure, len(twice), first_ids(known[twice]))
        )
