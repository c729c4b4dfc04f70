"""What narwhals has no common word for, said in each lazy engine's own: ticks, dates, ranges."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from custvalue.data._options import DAY, LogOptions
from custvalue.exceptions import ContractProblem

UNREAD = "__unread"  # 1 where the time is text that could not be read
_ISO = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")


def is_polars(frame: Any) -> bool:
    """Whether the lazy frame is polars' (else it is a DuckDB relation)."""
    return bool(frame.implementation.is_polars())


def with_ticks(frame: Any, name: str, options: LogOptions) -> tuple[Any, list[ContractProblem]]:
    """Add the time as whole grains since 1970, null where missing, and the column ``__unread``."""
    column = options.time
    dtype = frame.collect_schema()[column]
    if not (dtype == nw.Datetime or dtype == nw.Date or dtype == nw.String):
        return frame, [
            ContractProblem(
                "time-not-a-date",
                f"column {column!r} has type {dtype}, which is no date",
                "Turn it into datetimes; a number does not say what it counts.",
            )
        ]
    zoned = dtype == nw.Datetime and dtype.time_zone is not None
    if is_polars(frame):
        return _polars_ticks(frame, name, options, dtype == nw.String, zoned), []
    if zoned and options.time_zone is None:
        return frame, [
            ContractProblem(
                "time-zone-unknown",
                f"column {column!r} is a TIMESTAMPTZ, whose days follow the session's time zone",
                "Give time_zone=, e.g. 'UTC', or cast the column to TIMESTAMP or DATE.",
            )
        ]
    return _duckdb_ticks(frame, name, options, dtype == nw.String, zoned), []


def _polars_ticks(frame: Any, name: str, options: LogOptions, text: bool, zoned: bool) -> Any:
    import polars as pl

    when = pl.col(options.time)
    unread = pl.lit(0)
    if text:
        given = when
        if options.time_format is not None:
            when = when.str.to_datetime(options.time_format, strict=False)
        else:
            when = pl.coalesce(
                when.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
                *(when.str.to_datetime(style, strict=False, time_unit="us") for style in _ISO),
            )
        unread = (given.is_not_null() & when.is_null()).cast(pl.Int32)
    elif zoned:
        if options.time_zone is not None:
            when = when.dt.convert_time_zone(options.time_zone)
        when = when.dt.replace_time_zone(None)
    micro = when.cast(pl.Datetime("us")).dt.timestamp("us")
    native = frame.to_native().with_columns(
        (micro // (options.grain * 1_000_000)).alias(name), unread.alias(UNREAD)
    )
    return nw.from_native(native)


def _duckdb_ticks(frame: Any, name: str, options: LogOptions, text: bool, zoned: bool) -> Any:
    column = quoted(options.time)
    when, unread = column, "0"
    if text:
        if options.time_format is not None:
            when = f"try_strptime({column}, {literal(options.time_format)})"
        else:
            when = f"try_cast({column} AS TIMESTAMP)"
        unread = f"CAST({column} IS NOT NULL AND {when} IS NULL AS INTEGER)"
    elif zoned:
        when = f"timezone({literal(str(options.time_zone))}, {column})"
    if options.grain % DAY == 0:
        tick = f"CAST({when} AS DATE) - DATE '1970-01-01'"
        per = options.grain // DAY
    else:
        tick, per = f"epoch_us(CAST({when} AS TIMESTAMP))", options.grain * 1_000_000
    if per != 1:
        tick = f"floor(({tick}) / {per})"
    native = frame.to_native().project(
        f"*, CAST({tick} AS BIGINT) AS {quoted(name)}, {unread} AS {quoted(UNREAD)}"
    )
    return nw.from_native(native)


def with_dates(frame: Any, names: list[str], grain: int) -> Any:
    """Turn columns of ticks into datetimes, in place."""
    if is_polars(frame):
        import polars as pl

        native = frame.to_native().with_columns(
            (pl.col(name) * (grain * 1_000_000)).cast(pl.Datetime("us")) for name in names
        )
    else:
        made = ", ".join(
            f"make_timestamp({quoted(name)} * {grain * 1_000_000}) AS {quoted(name)}"
            for name in names
        )
        native = frame.to_native().project(f"* REPLACE ({made})")
    return nw.from_native(native)


def with_periods(frame: Any, start: str, stop: int, name: str) -> Any:
    """Repeat each row for every whole number from its ``start`` up to and with ``stop``."""
    if is_polars(frame):
        import polars as pl

        native = frame.to_native()
        native = native.with_columns(pl.int_ranges(start, stop + 1).alias(name)).explode(name)
    else:
        native = frame.to_native().project(
            f"*, unnest(range({quoted(start)}, {stop + 1})) AS {quoted(name)}"
        )
    return nw.from_native(native)


def quoted(name: str) -> str:
    """Write a column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text for SQL."""
    return "'" + text.replace("'", "''") + "'"
