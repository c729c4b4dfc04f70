"""A fitted estimator's answers over the partitions of an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from custvalue._frames import (
    TableFacts,
    facts_of,
    is_spark,
    time_scale_of,
    with_facts,
    with_time_scale,
)

PROBE = 100  # rows; enough that one of them tells the unit
Columns = dict[str, Any]


def predict(
    model: Any,
    frame: Any,
    *,
    method: str = "predict",
    name: str | None = None,
    keep: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Ask a fitted estimator about every row of a table, wherever the table is.

    The estimator holds no data and is a few hundred bytes, so it travels to the partitions; each
    answers for its own rows. The answers are those of the same call on the same rows in memory.

    Parameters
    ----------
    model : fitted estimator
        Any estimator that answers row by row.
    frame : frame
        pandas, polars (eager or lazy), pyarrow, Dask or PySpark (through ``mapInArrow``, batch by
        batch, never customer by customer).
    method : str, default="predict"
        Method to call: ``"predict"``, ``"predict_alive"``, ``"transform"``, ...
    name : str, optional
        Name of the new column; without it ``"prediction"``, or what follows ``predict_`` in the
        method's name. An answer of several columns gets ``<name>_0``, ``<name>_1``, ..., an answer
        that is a frame keeps its own names.
    keep : sequence of str, optional
        Columns of ``frame`` to carry along; all of them unless given.
    options : mapping, optional
        Keyword arguments of the method, e.g. ``{"horizon": "52W"}``.

    Returns
    -------
    frame of the same kind, same rows
        The columns kept and the answer. Lazy where the input is lazy; facts travel along.

    Raises
    ------
    AttributeError
        If the model has no such method.
    TypeError
        If the table is a DuckDB relation (turn it into Arrow first) or no table.

    Notes
    -----
    Lazy engines must know the answer's columns in advance, so a few rows are scored at once.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.distributed import predict
    >>> from sklearn.linear_model import LinearRegression
    >>> table = pd.DataFrame({"who": ["a", "b"], "x": [1.0, 2.0]})
    >>> model = LinearRegression().fit(table[["x"]], [10.0, 20.0])
    >>> predict(model, table, keep=["who"]).round(6)
      who  prediction
    0   a        10.0
    1   b        20.0
    """
    getattr(model, method)  # a misspelt method fails here, not in a worker
    ask = partial(
        _ask,
        model=model,
        method=method,
        name=name or (method.removeprefix("predict_") if method != "predict" else "prediction"),
        options=dict(options or {}),
        facts=facts_of(frame),
    )
    # narwhals warns when it wraps a Dask table, so that one is asked for first
    native = None if nw.dependencies.is_dask_dataframe(frame) else nw.from_native(frame)
    if native is None:
        made = _on_dask(frame, ask, list(keep or frame.columns))
    elif is_spark(native):
        made = _on_spark(frame, ask, list(keep or frame.columns))
    elif native.implementation.is_polars() and isinstance(native, nw.LazyFrame):
        made = _on_polars(frame, ask, list(keep or frame.collect_schema().names()))
    elif isinstance(native, nw.DataFrame):
        made = _in_memory(frame, ask, list(keep or native.columns))
    else:
        raise TypeError(
            "predict reads pandas, polars, pyarrow, Dask and PySpark tables; turn a DuckDB "
            "relation into one of them first, e.g. relation.pl(lazy=True)."
        )
    facts = facts_of(frame)
    return made if facts is None else with_facts(made, facts)


def _ask(
    table: Any,
    model: Any,
    method: str,
    name: str,
    options: dict[str, Any],
    facts: TableFacts | None,
) -> Columns:
    """Answer for the rows of one pandas frame: new columns as arrays."""
    scale = time_scale_of(table) if facts is None else None
    wanted = getattr(model, "feature_names_in_", None)
    if wanted is not None and set(wanted) <= set(table.columns):
        table = table[list(wanted)]
    if facts is not None:
        table = with_facts(table, facts)
    elif scale is not None:  # told by the dates, which were cut off
        table = with_time_scale(table, *scale)
    answer = getattr(model, method)(table, **options)
    if hasattr(answer, "columns"):
        frame = nw.from_native(answer, eager_only=True)
        return {column: frame[column].to_numpy() for column in frame.columns}
    values = np.asarray(answer)
    if values.ndim == 1:
        return {name: values}
    return {f"{name}_{j}": values[:, j] for j in range(values.shape[1])}


Ask = Callable[[Any], Columns]


def _in_memory(frame: Any, ask: Ask, keep: list[str]) -> Any:
    table = nw.from_native(frame, eager_only=True)
    if nw.dependencies.is_pandas_dataframe(frame):
        answer = ask(frame)
        return frame[[c for c in keep if c not in answer]].assign(**answer)
    answer = ask(table.to_pandas())
    made = [nw.new_series(c, v, backend=table.implementation) for c, v in answer.items()]
    kept = table.select([c for c in keep if c not in answer])
    return kept.with_columns(*made).to_native()


def _on_dask(frame: Any, ask: Ask, keep: list[str]) -> Any:
    work = partial(_in_memory, ask=ask, keep=keep)
    head = frame.head(PROBE, npartitions=-1)
    if len(head):
        return frame.map_partitions(work, meta=work(head).iloc[:0])
    return frame.map_partitions(work)


def _on_polars(frame: Any, ask: Ask, keep: list[str]) -> Any:
    work = partial(_in_memory, ask=ask, keep=keep)
    schema = work(frame.head(PROBE).collect()).schema
    return frame.map_batches(work, schema=schema, streamable=True)


def _on_spark(frame: Any, ask: partial[Columns], keep: list[str]) -> Any:
    import pyarrow as pa
    from pyspark.sql import types

    rows = [row.asDict() for row in frame.limit(PROBE).collect()]
    if rows:
        answer = _ask_arrow(pa.Table.from_pylist(rows), ask)
    else:  # nothing can be asked: one column of numbers is the likeliest answer
        answer = {ask.keywords["name"]: pa.array([0.0])}
    kinds = {"int64": types.LongType, "int32": types.IntegerType, "string": types.StringType}
    kinds |= {"bool": types.BooleanType, "large_string": types.StringType}
    fields = [frame.schema[c] for c in keep if c not in answer]
    for column, values in answer.items():
        kind = kinds.get(str(values.type), types.DoubleType)
        fields.append(types.StructField(column, kind()))
    schema = types.StructType(fields)
    casts = {f.name: _ARROW[f.dataType.typeName()] for f in schema if f.name in answer}
    return frame.mapInArrow(partial(_batches, ask=ask, keep=keep, casts=casts), schema)


_ARROW = {
    "long": "int64",
    "integer": "int32",
    "string": "string",
    "boolean": "bool",
    "double": "float64",
}


def _ask_arrow(table: Any, ask: Ask) -> Columns:
    import pyarrow as pa

    return {c: pa.array(v, from_pandas=True) for c, v in ask(table.to_pandas()).items()}


def _batches(
    batches: Iterator[Any], ask: Ask, keep: list[str], casts: Mapping[str, str]
) -> Iterator[Any]:
    import pyarrow as pa

    for batch in batches:
        table = pa.Table.from_batches([batch])
        if not table.num_rows:
            continue
        answer = _ask_arrow(table, ask)
        made = {c: table.column(c) for c in keep if c not in answer}
        made |= {c: v.cast(casts[c]) for c, v in answer.items()}
        yield from pa.table(made).to_batches()
