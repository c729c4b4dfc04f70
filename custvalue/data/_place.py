"""Where customers lie in a table, and columns with the rows of newcomers put between the old.

A table may have ten million customers and a batch a hundred thousand: each column is copied once,
and ids of a table that is sorted by them are found by halving, so that none of them is hashed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._typing import Ints
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

_MANY = 20_000  # newcomers between whom more time goes into cuts than into a mask of all rows


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
        _check_kinds(ids, wanted)
        self._known = _known(ids)
        self._sorted = _goes_up(self._known)
        if not self._sorted:
            _check_once(ids, self._known)
        self.row, at = self._search(wanted)
        self.fresh = np.flatnonzero(self.row < 0)
        self.new_ids = wanted[self.fresh]
        self.before = at[self.fresh] if self._sorted else np.full(len(self.fresh), self.size)

    def find(self, wanted: npt.NDArray[Any]) -> Ints:
        """Row of each customer, -1 where there is none."""
        return self._search(wanted)[0]

    def _search(self, wanted: npt.NDArray[Any]) -> tuple[Ints, Ints]:
        """Row of each customer, -1 for none; and, where ids are sorted, the row it comes before."""
        row = np.full(len(wanted), -1, dtype=np.int64)
        if not len(wanted) or not self.size:
            return row, np.zeros(len(wanted), dtype=np.int64)
        known = self._known
        if not self._sorted:
            if not isinstance(known, np.ndarray):
                known = self.ids.to_numpy()
            place = _index(wanted).get_indexer(_index(known))
            hit = np.flatnonzero(place >= 0)
            row[place[hit]] = hit
            return row, row
        if isinstance(known, np.ndarray):
            at = np.searchsorted(known, wanted)
            found = known[np.minimum(at, self.size - 1)] == wanted
        else:
            at, found = _halved(known, wanted)
        row[found] = at[found]
        return row, at

    def spread(
        self, old: npt.NDArray[Any] | list[npt.NDArray[Any]], new: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        """Put the values of newcomers between the old ones, which may lie in pieces."""
        pieces = old if isinstance(old, list) else [old]
        return put_between(pieces, self.before, new)

    def order(self) -> Ints:
        """Places in the old ids with the newcomers behind them, in the order of the new table."""
        return self.spread(np.arange(self.size), self.size + np.arange(len(self.fresh)))

    def moved(self, row: Ints) -> Ints:
        """Where rows of the old table lie in the new one."""
        return row + np.searchsorted(self.before, row, side="right")

    def origin(self, row: Ints) -> Ints:
        """Rows of the old table that rows of the new one were, newcomers left out."""
        return row - np.searchsorted(self.moved_fresh(), row)

    def moved_fresh(self) -> Ints:
        """Where the newcomers lie."""
        return self.before + np.arange(len(self.before))

    def all_ids(self) -> Any:
        """Ids of the new table, of the old ones' kind."""
        if not len(self.fresh):
            return self.ids
        at_end = bool(self.before[0] == self.size)
        return gathered(self.ids, self.new_ids, None if at_end else self.order())


def put_between(
    pieces: list[npt.NDArray[Any]], before: Ints, new: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Put values between old ones, which may lie in pieces, in fresh memory.

    Parameters
    ----------
    pieces : list of ndarray
        The old values, one after the other.
    before : ndarray of shape (n_new,)
        Place of the old value that each new one comes before, in ascending order.
    new : ndarray of shape (n_new,)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._place import put_between
    >>> old = [np.array([1, 2]), np.array([5])]
    >>> put_between(old, np.array([2, 2, 3]), np.array([3, 4, 6])).tolist()
    [1, 2, 3, 4, 5, 6]
    """
    size = sum(map(len, pieces)) + len(new)
    made = np.empty(size, dtype=np.result_type(*pieces, new))
    at = before + np.arange(len(before))
    made[at] = new
    cuts = np.unique(before)
    if len(cuts) > _MANY:
        old = np.ones(len(made), dtype=bool)
        old[at] = False
        made[old] = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return made
    begun = 0
    for piece in pieces:
        inside = cuts[(cuts > begun) & (cuts < begun + len(piece))]
        runs = np.concatenate([[begun], inside, [begun + len(piece)]])
        shift = np.searchsorted(before, runs[:-1], side="right").tolist()
        for (first, end), by in zip(pairwise(runs.tolist()), shift, strict=True):
            made[first + by : end + by] = piece[first - begun : end - begun]
        begun += len(piece)
    return made


def gathered(series: Any, more: npt.NDArray[Any], order: Ints | None) -> Any:
    """Values of a series with more behind it, by their places in ``order`` where it is given."""
    native = series.to_native()
    if isinstance(native, pd.Series):
        if isinstance(native.dtype, pd.CategoricalDtype):
            strange = pd.unique(more[~pd.Series(more).isin(native.cat.categories).to_numpy()])
            native = native.cat.add_categories([v for v in strange if not pd.isna(v)])
        both = pd.concat([native, pd.Series(more, dtype=native.dtype)], ignore_index=True)
        both = both if order is None else both.take(order).reset_index(drop=True)
        return nw.from_native(both, series_only=True)
    values = [None if v is None or v != v else v for v in more.tolist()]
    if nw.dependencies.is_pyarrow_chunked_array(native):
        import pyarrow as pa

        both = pa.chunked_array([*native.chunks, pa.array(values, native.type)], native.type)
        both = both if order is None else both.take(pa.array(order))
        return nw.from_native(both, series_only=True)
    behind = nw.new_series(series.name, values, dtype=series.dtype, backend=series.implementation)
    whole = nw.concat([series.to_frame(), behind.to_frame()])[series.name]
    return whole if order is None else whole[order]


def _index(ids: npt.NDArray[Any]) -> pd.Index:
    """Look ids up as they are, text too, which pandas would turn into another kind."""
    return pd.Index(ids, dtype=ids.dtype)


def _known(ids: Any) -> Any:
    """Ids of a table as they are looked up: an Arrow array of texts where they are one, or numpy's.

    Ten million texts as objects take seconds and a gigabyte.
    """
    native = ids.to_native()
    if isinstance(native, pd.Series):
        native = _arrow_text(native)
    elif ids.implementation.is_polars():
        native = native.to_arrow() if ids.dtype == nw.String else None
    if native is None or ids.dtype != nw.String:
        return ids.to_numpy()
    if hasattr(native, "chunks"):
        native = native.chunk(0) if native.num_chunks == 1 else native.combine_chunks()
    if hasattr(native, "chunks"):  # more text than one array holds
        return ids.to_numpy()
    return native


def _arrow_text(series: pd.Series) -> Any:
    """Values that pandas keeps in Arrow's layout, else None."""
    kind = series.dtype
    if getattr(kind, "storage", "") != "pyarrow" and not isinstance(kind, pd.ArrowDtype):
        return None
    import pyarrow as pa

    return pa.array(series)


def _goes_up(known: Any) -> bool:
    """Whether ids rise from row to row, each once."""
    if not isinstance(known, np.ndarray):
        import pyarrow.compute as pc

        rises = pc.less(known.slice(0, max(len(known) - 1, 0)), known.slice(1))
        return bool(pc.all(rises, skip_nulls=False, min_count=0).as_py())
    if known.dtype.kind in "iuf":
        return bool((known[1:] > known[:-1]).all())
    index = _index(known)
    return bool(index.is_monotonic_increasing and index.is_unique)


def _halved(known: Any, wanted: npt.NDArray[Any]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Row of sorted texts that each wanted one comes before, and whether it is that row's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array(wanted.tolist(), known.type)
    low = np.zeros(len(wanted), dtype=np.int64)
    high = np.full(len(wanted), len(known))
    for _ in range(len(known).bit_length()):
        middle = (low + high) // 2  # of an empty range the end itself, which changes nothing
        there = known.take(pa.array(np.minimum(middle, len(known) - 1)))
        below = pc.less(there, texts).to_numpy(zero_copy_only=False) & (low < high)
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    there = known.take(pa.array(np.minimum(low, len(known) - 1)))
    found = pc.equal(there, texts).to_numpy(zero_copy_only=False)
    return low, found & (low < len(known))


def _check_kinds(ids: Any, wanted: npt.NDArray[Any]) -> None:
    """Refuse ids of another kind, which would all be newcomers."""
    if not len(ids) or not len(wanted):
        return
    first = [ids[:1].to_numpy()[0], wanted[0]]
    words = [isinstance(value, str) for value in first]
    if words[0] != words[1]:
        kinds = [
            "text" if is_text else type(value).__name__
            for is_text, value in zip(words, first, strict=True)
        ]
        text = f"the old table's {ids.name!r} has {kinds[0]} and the new rows' has {kinds[1]}"
        cure = "Give both one kind; else every customer would be new."
        raise DataContractError(ContractProblem("customer-kind", text, cure))


def _check_once(ids: Any, known: Any) -> None:
    """Refuse customers who come twice."""
    values = known if isinstance(known, np.ndarray) else ids.to_numpy()
    index = _index(values)
    if index.is_unique:
        return
    twice = np.flatnonzero(index.duplicated())
    text, cure = "the old table has customers more than once", "A summary has one row each."
    raise DataContractError(
        ContractProblem("customer-twice", text, cure, len(twice), first_ids(values[twice]))
    )
