"""Doors to Dask and Spark: what ``_partitions`` asks of a distributed engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from custvalue.data._carried import GAPS
from custvalue.data._options import LogOptions
from custvalue.data._partitions import Work
from custvalue.exceptions import ContractProblem


class Dask:
    """Dask data frames: partitions are pandas frames."""

    def columns(self, log: Any) -> list[str]:
        """Names of the columns."""
        return list(log.columns)

    def check(self, log: Any, options: LogOptions) -> list[ContractProblem]:
        """No problem that pandas would not see."""
        return []

    def gather(self, log: Any, work: Callable[[Any], str], by: str | None) -> list[str]:
        """Texts of all partitions."""
        log = log if by is None else log.shuffle(on=by)
        made = log.map_partitions(_as_series, work, meta=pd.Series([], dtype=object, name="text"))
        return list(made.compute())

    def apply(self, log: Any, work: Work, options: LogOptions) -> Any:
        """Return the result as a Dask frame."""
        meta = work(log._meta.iloc[:0])
        return log.shuffle(on=options.customer).map_partitions(work, meta=meta)

    def nothing(self, table: Any) -> Any:
        """Return a table without rows, of the partitions' kind."""
        return table._meta.iloc[:0]

    def both(self, table: Any, work: Work, more: Any) -> Any:
        """Return the result of every partition with a table in memory behind."""
        import dask.dataframe as dd

        made = table.map_partitions(work, meta=table._meta)
        if not len(more):
            return made
        behind = partial(_with_more, more=more)  # as it is: Dask would make text of bytes
        last = made.partitions[made.npartitions - 1].map_partitions(behind, meta=table._meta)
        if made.npartitions == 1:
            return last
        return dd.concat([made.partitions[: made.npartitions - 1], last])


def _with_more(table: Any, more: Any) -> Any:
    return pd.concat([table, more], ignore_index=True) if len(table) else more


def _as_series(table: Any, work: Callable[[Any], str]) -> Any:
    return pd.Series([work(table)], dtype=object, name="text")


class Spark:
    """PySpark data frames: partitions come as Arrow record batches."""

    def columns(self, log: Any) -> list[str]:
        """Names of the columns."""
        return list(log.columns)

    def check(self, log: Any, options: LogOptions) -> list[ContractProblem]:
        """Refuse a TIMESTAMP without a zone: its days would follow the session's."""
        if log.schema[options.time].dataType.typeName() != "timestamp" or options.time_zone:
            return []
        return [
            ContractProblem(
                "time-zone-unknown",
                f"column {options.time!r} is a Spark TIMESTAMP, whose days follow the session's "
                "time zone",
                "Give time_zone=, e.g. 'UTC', or cast the column to timestamp_ntz or date.",
            )
        ]

    def gather(self, log: Any, work: Callable[[Any], str], by: str | None) -> list[str]:
        """Texts of all partitions."""
        log = log if by is None else log.repartition(by)
        made = log.mapInArrow(partial(_texts, work=work), "text string")
        return [row["text"] for row in made.collect()]

    def apply(self, log: Any, work: Work, options: LogOptions) -> Any:
        """Return the result as a Spark frame."""
        from pyspark.sql import types

        sample = work(_nothing(options))
        kinds = {"int64": types.LongType, "double": types.DoubleType}
        fields = [log.schema[options.customer]]
        for field in sample.schema:
            if field.name in options.keep:
                fields.append(log.schema[field.name])
            elif field.name != options.customer:
                kind = kinds.get(str(field.type), types.TimestampNTZType)()
                if field.name == GAPS:
                    kind = types.ArrayType(types.LongType())
                fields.append(types.StructField(field.name, kind))
        schema = types.StructType(fields)
        return log.repartition(options.customer).mapInArrow(partial(_tables, work=work), schema)

    def nothing(self, table: Any) -> Any:
        """Return a table without rows, of the partitions' kind."""
        from pyspark.sql.pandas.types import to_arrow_schema

        return to_arrow_schema(table.schema).empty_table()

    def both(self, table: Any, work: Work, more: Any) -> Any:
        """Return the result of every partition with a table in memory behind."""
        made = table.mapInArrow(partial(_tables, work=work), table.schema)
        rows = [tuple(row[name] for name in table.columns) for row in more.to_pylist()]
        if not rows:
            return made
        behind = table.sparkSession.createDataFrame(rows, table.schema)
        return made.unionByName(behind.coalesce(1))  # a customer's rows of a panel stay together


def _nothing(options: LogOptions) -> Any:
    """Make an Arrow table without rows that has the columns which the call reads.

    Only the names and types of the result's figures are wanted from it, so ids count as numbers.
    """
    import pyarrow as pa

    columns = {name: pa.array([], pa.float64()) for name in options.columns}
    columns[options.time] = pa.array([], pa.timestamp("us"))
    return pa.table(columns)


def _table(batches: Iterator[Any]) -> Any:
    import pyarrow as pa

    held = list(batches)
    return pa.Table.from_batches(held) if held else None


def _texts(batches: Iterator[Any], work: Callable[[Any], str]) -> Iterator[Any]:
    import pyarrow as pa

    table = _table(batches)
    if table is not None:
        yield pa.RecordBatch.from_pydict({"text": [work(table)]})


def _tables(batches: Iterator[Any], work: Work) -> Iterator[Any]:
    table = _table(batches)
    if table is not None:
        yield from work(table).to_batches()
