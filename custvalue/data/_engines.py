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


class Kind(NamedTuple):
    """A kind of log: which tables it knows, and who works on them.

    Parameters
    ----------
    name : str
    knows : callable
        Whether a log is of this kind. It must not read the log.
    engine : callable
        Makes the engine; what it needs is imported there.
    """

    name: str
    knows: Callable[[Any], bool]
    engine: Callable[[], Engine]


def _on_parts(name: str) -> Engine:
    from custvalue.data import _clusters
    from custvalue.data import _partitions as parts

    cluster = getattr(_clusters, name)()
    return Engine(
        partial(parts.summarize_parts, cluster),
        partial(parts.panel_parts, cluster),
        partial(parts.split_parts, cluster),
    )


def _lazily() -> Engine:
    from custvalue.data import _plans

    return Engine(_plans.summarize_lazy, _plans.panel_lazy, _plans.split_lazy)


# The first that knows a log works on it. To add an engine, write its three functions and name it
# here. narwhals warns when it wraps a Dask table, so that one is asked for first.
KINDS = [
    Kind("Dask", nw.dependencies.is_dask_dataframe, lambda: _on_parts("Dask")),
    Kind("Spark", lambda log: is_spark(opened(log)), lambda: _on_parts("Spark")),
    Kind("lazy", lambda log: isinstance(opened(log), nw.LazyFrame), _lazily),
    Kind("in memory", lambda log: True, lambda: Engine(summarize_eager, panel_eager, split_eager)),
]


def engine_of(log: Any) -> Engine:
    """Pick by the kind of the log.

    Raises
    ------
    TypeError
        If it is no table.
    """
    try:
        kind = next(kind for kind in KINDS if kind.knows(log))
    except TypeError:
        raise TypeError(
            f"log is a {type(log).__name__}; pass a table: pandas, polars, pyarrow, a DuckDB "
            "relation, Dask or PySpark (read a file first, e.g. with pandas.read_csv)."
        ) from None
    return kind.engine()
