"""Which engine holds a log, and who does the work there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw

from custvalue._frames import is_spark, opened
from custvalue.data._panel import panel_eager
from custvalue.data._split import split_eager
from custvalue.data._summary import summarize_eager


class Engine(NamedTuple):
    """The three jobs, done where the log is."""

    summarize: Callable[..., Any]
    panel: Callable[..., Any]
    split: Callable[..., Any]


def engine_of(log: Any) -> Engine:
    """Pick by the kind of the log.

    Raises
    ------
    TypeError
        If it is no table.
    """
    from custvalue.data import _partitions as parts
    from custvalue.data._clusters import Dask, Spark

    # narwhals warns when it wraps a Dask table, so that one is asked for first
    try:
        table = None if nw.dependencies.is_dask_dataframe(log) else opened(log)
    except TypeError:
        raise TypeError(
            f"log is a {type(log).__name__}; pass a table: pandas, polars, pyarrow, a DuckDB "
            "relation, Dask or PySpark (read a file first, e.g. with pandas.read_csv)."
        ) from None
    if table is None or is_spark(table):
        engine = Dask() if table is None else Spark()
        return Engine(
            partial(parts.summarize_parts, engine),
            partial(parts.panel_parts, engine),
            partial(parts.split_parts, engine),
        )
    if isinstance(table, nw.LazyFrame):
        from custvalue.data import _plans

        return Engine(_plans.summarize_lazy, _plans.panel_lazy, _plans.split_lazy)
    return Engine(summarize_eager, panel_eager, split_eager)
