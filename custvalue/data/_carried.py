"""The gaps of every customer, carried in one column of the summary so that it can be continued.

A cell holds the customer's gaps between occasions, oldest first, as whole numbers of the occasion's
grain: a list where a kind of table has lists (pyarrow, polars, DuckDB, Spark), else (pandas, Dask)
eight bytes a gap, which a Parquet file keeps too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._typing import Ints
from custvalue.data._occasions import Folded
from custvalue.data._place import Places, put_between
from custvalue.data._threads import each
from custvalue.exceptions import ContractProblem, DataContractError

GAPS = "gaps"
_BLOCK = 1 << 15  # customers


class GapLists(NamedTuple):
    """Gaps of all customers one after the other; those of row i lie from ``ends[i]`` on.

    Parameters
    ----------
    ends : ndarray of shape (n_customers + 1,)
    gaps : ndarray of shape (n_gaps,)
    """

    ends: Ints
    gaps: Ints

    @classmethod
    def of_log(cls, folded: Folded) -> GapLists:
        """Gaps of the customers of a log."""
        sizes, gaps = [np.zeros(1, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for part in folded.parts:
            later = np.ones(len(part.tick), dtype=bool)
            later[part.start] = False
            sizes.append(part.size - 1)
            gaps.append(np.diff(part.tick, prepend=part.tick[:1])[later])
        return cls(np.cumsum(np.concatenate(sizes)), np.concatenate(gaps))

    @classmethod
    def of_column(cls, column: Any) -> GapLists:
        """Read a column of a summary, a narwhals series.

        Raises
        ------
        DataContractError
            If it holds anything but gaps.
        """
        native = column.to_native()
        lists = native.to_arrow() if column.implementation.is_polars() else native
        if hasattr(lists, "combine_chunks"):
            lists = lists.combine_chunks()
        if hasattr(lists, "chunks"):  # no row at all, or an older pyarrow
            lists = lists.chunk(0) if lists.num_chunks else lists.type.wrap_array([])
        begin = lists.offsets[0].as_py() if len(lists) else 0
        ends = lists.offsets.to_numpy().astype(np.int64) - begin
        gaps = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
        return cls(ends, _sound(gaps))

    def cells(self) -> GapCells:
        """Bytes of each customer's gaps."""
        whole = self.gaps.astype("<i8").tobytes()
        made = np.empty(len(self.ends) - 1, dtype=object)
        made[:] = [whole[a:b] for a, b in pairwise((self.ends * 8).tolist())]
        return GapCells(made)

    def column(self, like: Any, name: str = GAPS) -> Any:
        """Write a column for a table of the kind of ``like``, as a narwhals series."""
        frame = nw.from_native(like, eager_only=True)
        if frame.implementation.is_pandas_like():
            return self.cells().column(like, name)
        import pyarrow as pa

        lists = pa.LargeListArray.from_arrays(pa.array(self.ends), pa.array(self.gaps))
        if frame.implementation.is_polars():
            import polars as pl

            return nw.from_native(pl.Series(name, pl.from_arrow(lists)), series_only=True)
        lists = lists.cast(pa.list_(pa.int64())) if len(self.gaps) < 2**31 else lists
        return nw.from_native(pa.chunked_array([lists]), series_only=True)

    def up_to(self, silent: Ints) -> Ints:
        """How many gaps of each customer are not longer than ``silent``, one entry a customer."""
        counts = np.empty(len(silent), dtype=np.int64)

        def work(begin: int) -> None:
            end = min(begin + _BLOCK, len(silent))
            ends = self.ends[begin : end + 1]
            gaps = self.gaps[ends[0] : ends[-1]]
            within = gaps <= np.repeat(silent[begin:end], np.diff(ends))
            running = np.append(0, np.cumsum(within))
            counts[begin:end] = np.diff(running[ends - ends[0]])

        each(work, range(0, len(silent), _BLOCK))
        return counts

    def longer(self, places: Places, known: Ints, more: GapLists) -> GapLists:
        """Gaps with those of a batch, one entry a customer of it, behind them.

        ``known`` are those customers of the batch who are in the table.
        """
        batch, count = len(places.row), np.diff(more.ends)
        final, behind = np.empty(batch, dtype=np.int64), np.empty(batch, dtype=np.int64)
        row, fresh = places.row[known], places.fresh
        final[known], final[fresh] = places.moved(row), places.moved_fresh()
        behind[known], behind[fresh] = self.ends[row + 1], self.ends[places.before]
        by = np.argsort(final, kind="stable")
        gaps = put_between([self.gaps], np.repeat(behind[by], count[by]), more.of(by).gaps)
        ends = np.zeros(places.size + len(fresh) + 1, dtype=np.int64)
        ends[1:] = places.spread(np.diff(self.ends), count[fresh])
        ends[1:][final[known]] += count[known]
        return GapLists(np.cumsum(ends, out=ends), gaps)

    def of(self, row: Ints) -> GapLists:
        """Gaps of some customers."""
        size = self.ends[row + 1] - self.ends[row]
        ends = np.append(0, np.cumsum(size))
        at = np.repeat(self.ends[row] - ends[:-1], size) + np.arange(int(ends[-1]))
        return GapLists(ends, self.gaps[at])

    def squares(self) -> Ints:
        """Sum of the squares of each customer's gaps, as long as 64 bits hold it."""
        running = np.append(0, np.cumsum(self.gaps * self.gaps))
        return np.diff(running[self.ends])


class GapCells(NamedTuple):
    """Gaps as a pandas table has them, of which only those that are asked for are read.

    Parameters
    ----------
    bytes_of : ndarray of object of shape (n_customers,)
        Eight bytes a gap.
    """

    bytes_of: npt.NDArray[Any]

    @classmethod
    def of_column(cls, native: pd.Series) -> GapCells:
        """Read a column of a summary; in a file of lists that pandas read they are arrays."""
        cells = native.to_numpy(dtype=object)
        if len(cells) and not isinstance(cells[0], bytes):
            made = np.empty(len(cells), dtype=object)
            made[:] = [np.asarray(cell, dtype="<i8").tobytes() for cell in cells.tolist()]
            cells = made
        return cls(cells)

    def of(self, row: Ints) -> GapLists:
        """Gaps of some customers.

        Raises
        ------
        DataContractError
            If there is anything but gaps.
        """
        cells = self.bytes_of[row].tolist()
        ends = np.append(0, np.cumsum(np.fromiter(map(len, cells), np.int64, len(cells))))
        return GapLists(ends // 8, _sound(np.frombuffer(b"".join(cells), dtype="<i8")))

    def longer(self, places: Places, known: Ints, more: GapLists) -> GapCells:
        """Gaps with those of a batch behind them, as in :meth:`GapLists.longer`."""
        new = more.cells().bytes_of
        whole = places.spread(self.bytes_of, new[places.fresh])
        row = places.row[known]
        whole[places.moved(row)] = self.bytes_of[row] + new[known]
        return GapCells(whole)

    def column(self, like: Any, name: str = GAPS) -> Any:
        """Write a column for a pandas table, as a narwhals series."""
        made = pd.Series(self.bytes_of, dtype=object, name=name)
        return nw.from_native(made, series_only=True)


def carried(column: Any) -> GapLists | GapCells:
    """Gaps in a column of a summary, a narwhals series.

    Raises
    ------
    DataContractError
        If it holds anything but gaps.
    """
    native = column.to_native()
    return (
        GapCells.of_column(native) if isinstance(native, pd.Series) else GapLists.of_column(column)
    )


def _sound(gaps: Ints) -> Ints:
    if len(gaps) and gaps.min() <= 0:
        text = f"column {GAPS!r} has numbers that are no gaps"
        raise DataContractError(ContractProblem("bad-gaps", text, "Make the table anew."))
    return gaps
