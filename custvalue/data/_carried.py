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
import pandas as pd

from custvalue._typing import Ints
from custvalue.data._occasions import Folded
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
        if isinstance(native, pd.Series):
            cells = native.tolist()
            if cells and not isinstance(cells[0], bytes):  # a file of lists that pandas read
                cells = [np.asarray(cell, dtype=np.int64).tobytes() for cell in cells]
            ends = np.cumsum(np.fromiter(map(len, cells), np.int64, len(cells)))
            found = cls(np.append(0, ends) // 8, np.frombuffer(b"".join(cells), dtype="<i8"))
        else:
            lists = native.to_arrow() if column.implementation.is_polars() else native
            if hasattr(lists, "combine_chunks"):
                lists = lists.combine_chunks()
            if hasattr(lists, "chunks"):  # no row at all, or an older pyarrow
                lists = lists.chunk(0) if lists.num_chunks else lists.type.wrap_array([])
            begin = lists.offsets[0].as_py() if len(lists) else 0
            ends = lists.offsets.to_numpy().astype(np.int64) - begin
            gaps = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
            found = cls(ends, gaps)
        if len(found.gaps) and found.gaps.min() <= 0:
            text = f"column {GAPS!r} has numbers that are no gaps"
            raise DataContractError(ContractProblem("bad-gaps", text, "Make the table anew."))
        return found

    def column(self, like: Any, name: str = GAPS) -> Any:
        """Write a column for a table of the kind of ``like``, as a narwhals series."""
        frame = nw.from_native(like, eager_only=True)
        if frame.implementation.is_pandas_like():
            whole = self.gaps.astype("<i8").tobytes()
            cut = (self.ends * 8).tolist()
            cells = [whole[a:b] for a, b in pairwise(cut)]
            return nw.from_native(pd.Series(cells, dtype=object, name=name), series_only=True)
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

    def of(self, row: Ints) -> GapLists:
        """Gaps of some customers."""
        size = np.diff(self.ends)[row]
        ends = np.append(0, np.cumsum(size))
        at = np.repeat(self.ends[row] - ends[:-1], size) + np.arange(int(ends[-1]))
        return GapLists(ends, self.gaps[at])

    def squares(self) -> Ints:
        """Sum of the squares of each customer's gaps, as long as 64 bits hold it."""
        running = np.append(0, np.cumsum(self.gaps * self.gaps))
        return np.diff(running[self.ends])
