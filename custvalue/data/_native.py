"""What narwhals has no common word for, said in each lazy engine's own: ticks, dates, ranges."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from custvalue._dates import (
    ISO,
    MOST_UNREAD,
    ZONE,
    format_problem,
    iso_problem,
    number_problem,
    reads_digits,
    zones_problem,
)
from custvalue.data._options import DAY, LogOptions, origin
from custvalue.data._times import End
from custvalue.exceptions import ContractProblem

# what both engines' regular expressions do to a text time, piece by piece
_DATE = "^([0-9]{4})[-/]?([0-9]{2})[-/]?([0-9]{2})[T ]?"  # -> year-month-day and a blank
_LONG = "([.][0-9]{6})[0-9]+"  # a fraction beyond microseconds
_TAIL = "(:[0-9]{2}(?:[.][0-9]+)?)" + ZONE + "$"  # a zone after a clock time
_SIGNED = " ?(Z|[+-][0-9]{2}:?[0-9]{2})$"  # what %z reads


def is_polars(frame: Any) -> bool:
    """Whether the lazy frame is polars' (else it is a DuckDB relation)."""
    return bool(frame.implementation.is_polars())


def with_ticks(
    frame: Any, name: str, day: str, options: LogOptions
) -> tuple[Any, list[ContractProblem]]:
    """Add the time as whole grains since 1970, null where missing; and what is wrong with it.

    ``day`` is the name of the ticks that rows are cut by, where an occasion is longer than a day.
    """
    column = options.time
    dtype = frame.collect_schema()[column]
    if dtype.is_integer() and reads_digits(options.time_format):
        frame = frame.with_columns(nw.col(column).cast(nw.String))
        dtype = nw.String()
    if not (dtype == nw.Datetime or dtype == nw.Date or dtype == nw.String):
        first = frame.select(nw.col(column)).filter(~nw.col(column).is_null()).head(1).collect()
        return frame, [number_problem(column, dtype, next(iter(first[column].to_list()), None))]
    zoned = dtype == nw.Datetime and dtype.time_zone is not None
    engine = _Polars() if is_polars(frame) else _Duck()
    if zoned and options.time_zone is None and isinstance(engine, _Duck):
        return frame, [
            ContractProblem(
                "time-zone-unknown",
                f"column {column!r} is a TIMESTAMPTZ, whose days follow the session's time zone",
                "Give time_zone=, e.g. 'UTC', or cast the column to TIMESTAMP or DATE.",
            )
        ]
    native = frame.to_native()
    if dtype == nw.String:
        when, problems = _read_texts(engine, native, options)
    else:
        when, problems = engine.wall(column, options.time_zone if zoned else None, zoned), []
    if problems:
        return frame, problems
    ticks = {name: options.grain}
    if options.fine != options.grain:
        ticks[day] = options.fine
    return nw.from_native(engine.with_grains(native, when, ticks)), []


def _read_texts(engine: Any, native: Any, options: LogOptions) -> tuple[Any, list[ContractProblem]]:
    """Wall-clock time of each text, by the rules of ``_dates.read_texts``.

    The zone is cut off the text and read by itself, as an engine would forget it.
    """
    column, style = options.time, options.time_format
    own_zone = style is None or style.endswith("%z")
    if style is not None and ("%Z" in style or "%z" in style[:-2]):
        text = f"time_format={style!r} has a zone that is not its end, which this engine can't read"
        return None, [ContractProblem("time-format", text, "Put %z last.")]
    tail = _TAIL if style is None else _SIGNED
    form = None if style is None else style.removesuffix("%z").rstrip()
    made = engine.texts(column, form, tail if own_zone else None)
    try:
        seen = engine.tell(native, column, made)
    except Exception as error:
        if style is None:
            raise
        why = str(error).splitlines()[0]
        text = f"time_format={style!r} is no format that this engine knows: {why}"
        return None, [ContractProblem("time-format", text, "Write it in strptime's words.")]
    given, read, zones, least, most, example = seen
    unread = given - read
    if unread and style is None:
        first = tuple(repr(value) for value in example[:5])
        return None, [iso_problem(column, repr(example[0]), unread, first)]
    if unread > MOST_UNREAD * given:
        return None, [format_problem(style, column, unread, example[:3])]
    if 0 < zones < read:
        return None, [zones_problem(column, none=True)]
    if zones and least != most and options.time_zone is None:
        return None, [zones_problem(column, none=False)]
    return engine.local(made, options.time_zone if zones else None), []


class _Polars:
    """Times in polars' words."""

    def wall(self, column: str, zone: str | None, zoned: bool) -> Any:
        """Wall-clock time of a column of dates or times."""
        import polars as pl

        when = pl.col(column)
        if zoned:
            when = when if zone is None else when.dt.convert_time_zone(zone)
            when = when.dt.replace_time_zone(None)
        return when.cast(pl.Datetime("us"))

    def texts(self, column: str, style: str | None, tail: str | None) -> tuple[Any, Any]:
        """Wall-clock time of a text column, and minutes of its zone (null: none)."""
        import polars as pl

        text = pl.col(column)
        if style is None:
            text = pl.when(text.str.contains(ISO)).then(text)
        plain, minutes = text, pl.lit(None, dtype=pl.Int32)
        if tail is not None:
            zone = text.str.extract("(" + tail + ")", 1) if style is None else text
            plain = text.str.replace(tail, "$1" if style is None else "")
            sign = zone.str.extract("([+-])[0-9]{2}:?([0-9]{2})?$", 1)
            hour = zone.str.extract("[+-]([0-9]{2})(?::?[0-9]{2})?$", 1).cast(pl.Int32)
            rest = zone.str.extract("[+-][0-9]{2}:?([0-9]{2})$", 1).cast(pl.Int32).fill_null(0)
            size = hour * 60 + rest
            minutes = (
                pl.when(zone.str.ends_with("Z"))
                .then(pl.lit(0, dtype=pl.Int32))
                .when(sign == "-")
                .then(-size)
                .otherwise(size)
            )
        if style is not None:
            when = plain.str.to_datetime(style, strict=False, time_unit="us")
            if tail is not None:
                when = pl.when(minutes.is_not_null()).then(when)
            return when, minutes
        plain = plain.str.replace(_DATE, "$1-$2-$3 ").str.replace(_LONG, "$1")
        styles = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
        when = pl.coalesce(
            plain.str.strip_chars_end()
            .str.to_date("%Y-%m-%d", strict=False)
            .cast(pl.Datetime("us")),
            *(plain.str.to_datetime(style, strict=False, time_unit="us") for style in styles),
        )
        return when, minutes

    def tell(self, native: Any, column: str, made: tuple[Any, Any]) -> tuple[Any, ...]:
        """Texts given, read and zoned, least and most zone, examples of the unread."""
        import polars as pl

        when, minutes = made
        text = pl.col(column)
        bad = text.filter(text.is_not_null() & when.is_null()).head(5).implode()
        row = native.select(
            text.count().alias("given"),
            when.count().alias("read"),
            minutes.count().alias("zones"),
            minutes.min().alias("least"),
            minutes.max().alias("most"),
            bad.alias("bad"),
        ).collect()
        return (*row.row(0)[:5], row["bad"][0].to_list())

    def local(self, made: tuple[Any, Any], zone: str | None) -> Any:
        """Clock time in ``zone``, of texts that have one; without it their own."""
        import polars as pl

        when, minutes = made
        if zone is None:
            return when
        utc = when - pl.duration(minutes=minutes.cast(pl.Int64))
        return utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)

    def with_grains(self, native: Any, when: Any, ticks: dict[str, int]) -> Any:
        """Add the time as whole grains."""
        micro = when.dt.timestamp("us")
        return native.with_columns(
            ((micro - origin(grain) * 1_000_000) // (grain * 1_000_000)).alias(name)
            for name, grain in ticks.items()
        )


class _Duck:
    """Times in DuckDB's words, as SQL."""

    def wall(self, column: str, zone: str | None, zoned: bool) -> str:
        """Wall-clock time of a column of dates or times."""
        name = quoted(column)
        return f"timezone({literal(str(zone))}, {name})" if zoned else name

    def texts(self, column: str, style: str | None, tail: str | None) -> tuple[str, str]:
        """Wall-clock time of a text column, and minutes of its zone (null: none)."""
        name = quoted(column)
        if style is None:
            name = f"(CASE WHEN regexp_matches({name}, {literal(ISO)}) THEN {name} END)"
        plain, minutes = name, "CAST(NULL AS INTEGER)"
        if tail is not None:
            whole = literal("(" + tail + ")")
            zone = f"regexp_extract({name}, {whole}, 1)" if style is None else name
            plain = f"regexp_replace({name}, {literal(tail)}, '{chr(92)}1')"
            if style is not None:
                plain = f"regexp_replace({name}, {literal(tail)}, '')"
            sign = f"regexp_extract({zone}, '([+-])[0-9]{{2}}:?([0-9]{{2}})?$', 1)"
            hour = f"regexp_extract({zone}, '[+-]([0-9]{{2}})(?::?[0-9]{{2}})?$', 1)"
            rest = f"regexp_extract({zone}, '[+-][0-9]{{2}}:?([0-9]{{2}})$', 1)"
            size = f"(try_cast({hour} AS INTEGER) * 60 + coalesce(try_cast({rest} AS INTEGER), 0))"
            minutes = (
                f"(CASE WHEN {zone} LIKE '%Z' THEN 0 WHEN {sign} = '-' THEN -{size} "
                f"WHEN {sign} = '+' THEN {size} END)"
            )
        if style is not None:
            when = f"try_strptime({plain}, {literal(style)})"
            if tail is not None:
                when = f"(CASE WHEN {minutes} IS NOT NULL THEN {when} END)"
            return when, minutes
        back = chr(92)
        dated = f"regexp_replace({plain}, {literal(_DATE)}, '{back}1-{back}2-{back}3 ')"
        short = f"regexp_replace({dated}, {literal(_LONG)}, '{back}1')"
        return f"try_cast(trim({short}) AS TIMESTAMP)", minutes

    def tell(self, native: Any, column: str, made: tuple[str, str]) -> tuple[Any, ...]:
        """Texts given, read and zoned, least and most zone, examples of the unread."""
        when, minutes = made
        name = quoted(column)
        row = native.aggregate(
            f"count({name}), count({when}), count({minutes}), min({minutes}), max({minutes}), "
            f"list({name}) FILTER ({name} IS NOT NULL AND {when} IS NULL)"
        ).fetchall()[0]
        return (*row[:5], (row[5] or [])[:5])

    def local(self, made: tuple[str, str], zone: str | None) -> str:
        """Clock time in ``zone``, of texts that have one; without it their own."""
        when, minutes = made
        if zone is None:
            return when
        utc = f"({when} - to_minutes({minutes}))"
        return f"timezone({literal(zone)}, timezone('UTC', {utc}))"

    def with_grains(self, native: Any, when: str, ticks: dict[str, int]) -> Any:
        """Add the time as whole grains."""
        return native.project(
            ", ".join(
                ["*", *(f"{self._tick(when, grain)} AS {quoted(n)}" for n, grain in ticks.items())]
            )
        )

    def _tick(self, when: str, grain: int) -> str:
        start = origin(grain)
        if grain % DAY == 0:
            tick = f"(CAST({when} AS DATE) - DATE '1970-01-01') - ({start // DAY})"
            per = grain // DAY
        else:
            tick, per = f"epoch_us(CAST({when} AS TIMESTAMP))", grain * 1_000_000
        if per != 1:
            tick = f"floor(({tick}) / {per})"
        return f"CAST({tick} AS BIGINT)"


def with_dates(frame: Any, names: list[str], grain: int) -> Any:
    """Turn columns of ticks into datetimes, in place."""
    start = origin(grain) * 1_000_000
    if is_polars(frame):
        import polars as pl

        native = frame.to_native().with_columns(
            (pl.col(name) * (grain * 1_000_000) + start).cast(pl.Datetime("us")) for name in names
        )
    else:
        made = ", ".join(
            f"make_timestamp({quoted(name)} * {grain * 1_000_000} + ({start})) AS {quoted(name)}"
            for name in names
        )
        native = frame.to_native().project(f"* REPLACE ({made})")
    return nw.from_native(native)


def with_last_days(frame: Any, name: str, end: End) -> Any:
    """Turn a column of ticks into their last day that is seen (their start within a day)."""
    if end.grain <= DAY:
        return with_dates(frame, [name], end.grain)
    frame = with_dates(frame.with_columns((nw.col(name) + 1).alias(name)), [name], end.grain)
    sunday = nw.col(name).dt.offset_by("-1d")
    today = nw.lit(end.day().astype("datetime64[us]").item())
    return frame.with_columns(nw.min_horizontal(sunday, today).alias(name))


def gap_lists(frame: Any, who: str, gap: str, tick: str, name: str) -> Any:
    """Gaps of each customer as a list, oldest first; an empty one where there is none."""
    if is_polars(frame):
        import polars as pl

        gaps = pl.col(gap).sort_by(tick).drop_nulls().alias(name)
        native = frame.to_native().group_by(who).agg(gaps)
    else:
        column, when = quoted(gap), quoted(tick)
        listed = f"list({column} ORDER BY {when}) FILTER ({column} IS NOT NULL)"
        made = f"coalesce({listed}, CAST([] AS BIGINT[])) AS {quoted(name)}"
        native = frame.to_native().aggregate(f"{quoted(who)}, {made}", quoted(who))
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
