"""Columns of a table as they become: some cells anew, and rows of newcomers put between.

A column is read where it lies and copied once. pyarrow and polars tell missing numbers by bits
beside the values, which are carried on as bits: numpy's NaN in their place would be two more copies
of each column.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custvalue._typing import Ints, Mask
from custvalue.data._place import Places


class Cells(NamedTuple):
    """Values of a column, and of those of Arrow's layout which of them there are.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN where a number is missing, but where ``there`` tells.
    there : ndarray of bool of shape (n_rows,), optional
    kind : pyarrow.DataType, optional
        Of a column of Arrow's layout.
    """

    values: npt.NDArray[Any]
    there: Mask | None = None
    kind: Any = None

    def column(self, like: Any) -> Any:
        """Values for a table of the kind of ``like``, a narwhals frame: an array or a series."""
        if self.kind is None:
            return self.values
        import pyarrow as pa

        bits = None
        if self.there is not None:
            bits = pa.py_buffer(np.packbits(self.there, bitorder="little"))
        size = len(self.values)
        made = pa.Array.from_buffers(self.kind, size, [bits, pa.py_buffer(self.values)])
        if like.implementation.is_polars():
            import polars as pl

            return nw.from_native(pl.Series(made), series_only=True)
        return nw.from_native(pa.chunked_array([made]), series_only=True)


def numbers_like(values: npt.NDArray[np.float64], like: Cells) -> Cells:
    """Numbers, none of them missing, in the layout of another column of the table."""
    if like.kind is None:
        return Cells(values)
    import pyarrow as pa

    return Cells(values, None, pa.float64())


def some_cells(series: Any, row: Ints) -> npt.NDArray[Any]:
    """Values of some rows, NaN where one is missing; times as ``datetime64[us]``."""
    if series.implementation.is_pandas_like():  # no index is made of the rows
        return _plain(series)[row]
    return _plain(series[row])


def renewed(
    series: Any, places: Places, at: Ints, here: npt.NDArray[Any], fresh: npt.NDArray[Any]
) -> Cells:
    """Cells of a column with newcomers.

    Parameters
    ----------
    series : narwhals series of shape (n_rows,)
    places : Places
        Where the newcomers come.
    at : ndarray of shape (n_known,)
        Rows of the new table that have ``here`` for a value.
    here, fresh : ndarray of shape (n_known,), (n_fresh,)
        Values of them, and of the newcomers; NaN for a missing one.
    """
    pieces = _pieces(series)
    if pieces is None:
        whole = places.spread(_plain(series), fresh)
        whole[at] = here
        return Cells(whole)
    whole = places.spread([values for values, _ in pieces], fresh)
    whole[at] = here
    kind = _arrow_kind(series)
    lack = here.dtype.kind == "f" and (np.isnan(here).any() or np.isnan(fresh).any())
    if not lack and all(there is None for _, there in pieces):
        return Cells(whole, None, kind)
    there = places.spread(
        [np.ones(len(v), dtype=bool) if some is None else some for v, some in pieces],
        ~_missing(fresh),
    )
    there[at] = ~_missing(here)
    return Cells(whole, there, kind)


def _plain(series: Any) -> npt.NDArray[Any]:
    values = np.asarray(series.to_numpy())
    return values.astype("datetime64[us]", copy=False) if values.dtype.kind == "M" else values


def _missing(values: npt.NDArray[Any]) -> Mask:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def _arrow_kind(series: Any) -> Any:
    """Type of a column in Arrow's layout whose memory numpy reads as it is, else None."""
    if not (series.implementation.is_polars() or series.implementation.is_pyarrow()):
        return None
    import pyarrow as pa

    if series.dtype == nw.Int64:
        return pa.int64()
    if series.dtype == nw.Float64:
        return pa.float64()
    return pa.timestamp("us") if series.dtype == nw.Datetime("us") else None


def _pieces(series: Any) -> list[tuple[npt.NDArray[Any], Mask | None]] | None:
    """Values of each piece of a column of Arrow's layout, and which of them there are."""
    kind = _arrow_kind(series)
    if kind is None:
        return None
    native = series.to_native()
    if series.implementation.is_polars():
        chunks = [chunk.to_arrow() for chunk in native.get_chunks()]
    else:
        chunks = native.chunks
    is_time = series.dtype == nw.Datetime("us")
    dtype = np.dtype("datetime64[us]" if is_time else kind.to_pandas_dtype())
    made = []
    for chunk in chunks:
        bits, values = chunk.buffers()
        if not len(chunk):
            continue
        there = None
        if bits is not None and chunk.null_count:
            begin = chunk.offset // 8
            some = np.frombuffer(bits, np.uint8)[begin : (chunk.offset + len(chunk) + 7) // 8]
            some = np.unpackbits(some, bitorder="little")[chunk.offset % 8 :]
            there = some[: len(chunk)].view(bool)
        made.append((np.frombuffer(values, dtype, len(chunk), chunk.offset * 8), there))
    return made
