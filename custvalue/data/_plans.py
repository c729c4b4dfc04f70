"""The lazy plans: occasions, summary, panel, split (polars and DuckDB, through narwhals)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw

from custvalue._frames import with_facts
from custvalue._units import Span, days_per
from custvalue.data._carried import GAPS
from custvalue.data._columns import SUMMARY, CustomerFigures
from custvalue.data._lazy import GAIN, KEEP, ORDER, PAID, TICK, LazyLog, Scale
from custvalue.data._ledger import Dropped, RowLedger
from custvalue.data._native import gap_lists, with_dates, with_last_days, with_periods
from custvalue.data._options import DAY, LogOptions
from custvalue.data._panel import check_panel_rows, panel_facts, panel_names, ticks_in
from custvalue.data._split import DateSplit, check_end, future_facts, horizon_ticks
from custvalue.data._summary import summary_facts, summary_names
from custvalue.data._times import End

_LEAST, _SIZE, _ROWS = "__least", "__size", "__rows"
_NOTHING = 1e-9  # as in _occasions


def occasions_of(log: LazyLog, rows: Any, book: RowLedger) -> tuple[Any, RowLedger]:
    """One row a purchase occasion: customer, tick, money; and the ledger after netting."""
    who = log.options.customer
    if log.options.refunds == "net_order":
        orders = _folded(log, rows.filter(~nw.col(ORDER).is_null()), [who, ORDER])
        alone = _prepared(rows.filter(nw.col(ORDER).is_null()))  # each an order of its own
        alone = alone.with_columns(nw.col(PAID).alias(_LEAST))
        whole = [nw.col(name).cast(nw.Int64) for name in (TICK, _ROWS)]  # sums change the type
        names = [nw.col(name) for name in (who, *log.monies, _LEAST, _SIZE)] + whole
        both = nw.concat([orders.select(names), alone.select(names)])
        rows, book = _bought(log, both, "order_netted_away", book)
    elif log.options.refunds == "net_occasion" and log.negative:
        return _bought(log, _folded(log, rows, [who, TICK]), "occasion_netted_away", book)
    return rows.group_by(who, TICK).agg(*(nw.col(name).sum() for name in log.monies)), book


def _prepared(rows: Any) -> Any:
    return rows.with_columns(nw.col(PAID).abs().alias(_SIZE), nw.lit(1).alias(_ROWS))


def _folded(log: LazyLog, rows: Any, by: list[str]) -> Any:
    first = [] if TICK in by else [nw.col(TICK).min()]
    sums = [nw.col(name).sum() for name in (*log.monies, _SIZE, _ROWS)]
    least = nw.col(PAID).min().alias(_LEAST)
    return _prepared(rows).group_by(*by).agg(*first, *sums, least)


def _bought(log: LazyLog, rows: Any, reason: str, book: RowLedger) -> tuple[Any, RowLedger]:
    """Keep what nets to more than nothing, or has no refund in it; book the rest."""
    nothing = nw.lit(0.0) if log.money.exact else nw.col(_SIZE) * _NOTHING
    keep = (nw.col(PAID) > nothing) | (nw.col(_LEAST) >= 0)
    if log.negative:
        gone = rows.filter(~keep)
        total = gone.select(nw.col(_ROWS).sum(), nw.col(PAID).sum()).collect()
        if count := int(total[_ROWS][0] or 0):
            lost = float(total[PAID][0]) / log.money.size
            book = replace(
                book,
                rows_used=book.rows_used - count,
                amount_used=book.amount_used - lost,
                dropped=(*book.dropped, Dropped(reason, count, lost, log.names_in(gone))),
            )
    return rows.filter(keep).select(log.options.customer, TICK, *log.monies), book


def _log_of(gap: Any) -> Any:
    """Natural log of a gap in ticks as a column, 0 where there is none."""
    some = nw.when(gap > 0).then(gap).otherwise(nw.lit(1)).cast(nw.Float64)
    return some.log().alias("__log")


def _worth(name: str, scale: Scale) -> Any:
    return nw.col(name) / scale.size


def _summary_plan(log: LazyLog, occasions: Any, unit: str) -> Any:
    options = log.options
    who = options.customer
    per_tick = options.grain / DAY / days_per(unit)
    tick = nw.col(TICK)
    frame = occasions.with_columns(
        (tick - tick.shift(1).over(who, order_by=TICK)).alias("__gap"),
        (log.end.tick - tick.max().over(who)).alias("__silent"),
    )
    gap = nw.col("__gap")
    frame = frame.with_columns(
        (gap.cast(nw.Float64) * gap.cast(nw.Float64)).alias("__square"),
        nw.when(gap <= nw.col("__silent")).then(nw.lit(1)).otherwise(nw.lit(0)).alias("__shorter"),
        nw.when(gap.is_null()).then(nw.lit(0.0)).otherwise(nw.col(PAID)).alias("__repeat"),
        _log_of(gap),
    )
    sums = [nw.col(n).sum() for n in (*log.monies, "__repeat", "__shorter", "__square", "__log")]
    carried = gap_lists(frame, who, "__gap", TICK, GAPS) if options.carry else None
    frame = frame.group_by(who).agg(
        nw.len().alias("n_orders"),
        nw.col("__gap").max(),
        tick.min().alias("first_order"),
        tick.max().alias("last_order"),
        *sums,
    )
    n = nw.col("n_orders").cast(nw.Float64)
    first, last = nw.col("first_order"), nw.col("last_order")
    gaps = n - 1.0
    span = (last - first).cast(nw.Float64)

    def with_gaps(value: Any) -> Any:
        return nw.when(nw.col("n_orders") > 1).then(value)

    # n * sum of squares - square of the sum: whole numbers, so regular gaps give exactly zero
    spread = (gaps * nw.col("__square") - span * span).clip(0.0).sqrt() / gaps
    figures = CustomerFigures(
        n=nw.col("n_orders").cast(nw.Int64),
        gaps=nw.col("n_orders").cast(nw.Int64) - 1,
        size=n,
        ratio=gaps,
        first=first,
        last=last,
        span=span,
        silent=(log.end.tick - last).cast(nw.Float64),
        age=(log.end.tick - first).cast(nw.Float64),
        longest=nw.col("__gap").cast(nw.Float64),
        spread=spread,
        shorter=nw.col("__shorter").cast(nw.Int64),
        logs=nw.col("__log"),
        total=_worth(PAID, log.money),
        repeat=_worth("__repeat", log.money),
        per_tick=per_tick,
        where_gaps=with_gaps,
        date=lambda tick: tick,  # made a date of by `with_dates`, once the plan stands
    )
    made = {column.name: column.of(figures) for column in SUMMARY}
    if log.gain is not None:
        made["total_profit"] = _worth(GAIN, log.gain)
    frame = frame.select(nw.col(who), *(made[x].alias(x) for x in summary_names(options)))
    for i, name in enumerate(options.keep):
        frame = frame.join(_last_values(log, f"{KEEP}{i}", name), on=who, how="left")
    if carried is not None:
        frame = frame.join(carried, on=who, how="left")
    return with_dates(frame, ["first_order", "last_order"], options.grain)


def _last_values(log: LazyLog, column: str, name: str) -> Any:
    """Value of each customer's last order that has one; the largest where its rows disagree."""
    who = log.options.customer
    told = log.rows.filter(~nw.col(column).is_null())
    last = told.with_columns(nw.col(TICK).max().over(who).alias("__last"))
    last = last.filter(nw.col(TICK) == nw.col("__last"))
    return last.group_by(who).agg(nw.col(column).max().alias(name))


def summarize_lazy(log: Any, options: LogOptions, as_of: Any, unit: str) -> Any:
    """Summarize a lazy log; the plan runs when its owner asks."""
    seen = LazyLog(log, options, as_of)
    occasions, book = occasions_of(seen, seen.rows, seen.book)
    table = _summary_plan(seen, occasions, unit).to_native()
    return with_facts(table, summary_facts(options, unit, seen.end, book, seen.money_facts))


def panel_lazy(log: Any, options: LogOptions, as_of: Any, period: str) -> Any:
    """Make the panel of a lazy log; the plan runs when its owner asks."""
    length = ticks_in(period, options)
    seen = LazyLog(log, options, as_of)
    who = options.customer
    occasions, book = occasions_of(seen, seen.rows, seen.book)
    first = seen.first
    if book != seen.book:  # the first row of the log may have been netted away
        value = occasions.select(nw.col(TICK).min()).collect()[TICK][0]
        first = None if value is None else int(value)
    last_period = 0 if first is None else int((seen.end.tick - first) / length + 1e-9)

    # an upper bound of the rows: asked only where dates look wrong
    bound = 0 if seen.alone is None else seen.book.rows_used * (last_period + 1)
    check_panel_rows(bound, last_period + 1, seen.alone, seen.end)

    def period_of(tick: Any) -> Any:
        back = ((seen.end.tick - tick).cast(nw.Float64) / length + 1e-9).floor().cast(nw.Int64)
        return last_period - back

    tick = nw.col(TICK)
    gaps = occasions.with_columns((tick - tick.shift(1).over(who, order_by=TICK)).alias("__gap"))
    cells = gaps.with_columns(
        period_of(tick).alias("period"), nw.lit(1).alias("orders"), _log_of(nw.col("__gap"))
    )
    sums = [nw.col(name).sum() for name in ("orders", "__log", *seen.monies)]
    cells = cells.group_by(who, "period").agg(*sums, nw.col(TICK).max())
    heads = occasions.group_by(who).agg(nw.col(TICK).min().alias("__first"))
    heads = heads.with_columns(period_of(nw.col("__first")).alias("__start"))
    rows = with_periods(heads, "__start", last_period, "period").with_columns(
        nw.col("period").cast(nw.Int64)
    )
    rows = rows.join(cells, on=[who, "period"], how="left").with_columns(
        nw.col("orders").fill_null(0).cast(nw.Int64),
        *(nw.col(name).fill_null(0.0) for name in ("__log", *seen.monies)),
        # a period without a purchase has no tick: the first is below every later one
        nw.when(nw.col(TICK).is_null()).then(nw.col("__first")).otherwise(nw.col(TICK)).alias(TICK),
    )
    rows = rows.with_columns(
        nw.col("orders").cum_sum().over(who, order_by="period").alias("n_orders"),
        nw.col(PAID).cum_sum().over(who, order_by="period").alias("__total"),
        nw.col("__log").cum_sum().over(who, order_by="period").alias("__logs"),
        nw.col(TICK).cum_max().over(who, order_by="period").alias("__last"),
    )
    age = nw.col("period") - nw.col("__start")
    ends = (last_period - nw.col("period")).cast(nw.Float64) * length - 1e-9
    rows = rows.with_columns((seen.end.tick - ends.ceil().cast(nw.Int64)).alias("__end"))
    gain = _worth(PAID, seen.money) if seen.gain is None else _worth(GAIN, seen.gain)
    orders = nw.col("n_orders").cast(nw.Float64)
    known = nw.col("__first")
    made = {
        "period": nw.col("period"),
        "period_end": nw.col("__end"),
        "age": age,
        "orders": nw.col("orders"),
        "spend": _worth(PAID, seen.money),
        "profit": gain,
        "silence": nw.col("period") - period_of(nw.col("__last")),
        "n_orders": nw.col("n_orders").cast(nw.Int64),
        "total_value": _worth("__total", seen.money),
        "mean_value": _worth("__total", seen.money) / orders,
        "frequency": orders - 1.0,
        "recency": (nw.col("__last") - known).cast(nw.Float64) / length,
        "T": (nw.col("__end") - known).cast(nw.Float64) / length,
        "litt": nw.col("__logs") - (orders - 1.0) * math.log(length),
        "first_order": known,
    }
    rows = rows.select(nw.col(who), *(made[name].alias(name) for name in panel_names()))
    rows = with_last_days(rows, "period_end", seen.end)
    table = with_dates(rows, ["first_order"], options.grain).to_native()
    return with_facts(table, panel_facts(options, period, seen.end, book, seen.money_facts))


def split_lazy(
    log: Any,
    options: LogOptions,
    cutoff: Any,
    horizon: Span,
    as_of: Any,
    unit: str,
) -> DateSplit:
    """Split a lazy log; the three plans run when their owner asks."""
    length = horizon_ticks(cutoff, horizon, options)
    past = LazyLog(log, options, cutoff)
    end = End.at(past.end.last + length, options)
    whole = LazyLog(log, options, end, quiet=True)
    check_end(whole.last, end, as_of, options, options.time_zone)
    who = options.customer
    occasions, book = occasions_of(past, past.rows, past.book)
    known = _summary_plan(past, occasions, unit)
    early = whole.rows.filter(nw.col(whole.fine) <= past.end.last)
    total = early.select(nw.len().alias("rows"), nw.col(PAID).sum()).collect()
    count, spent = int(total["rows"][0]), float(total[PAID][0] or 0.0) / whole.money.size
    later_book = whole.book
    if count:
        later_book = replace(
            later_book,
            rows_used=later_book.rows_used - count,
            amount_used=later_book.amount_used - spent,
            dropped=(*later_book.dropped, Dropped("before_cutoff", count, spent)),
        )
    ahead = whole.rows.filter(nw.col(whole.fine) > past.end.last)
    later, later_book = occasions_of(whole, ahead, later_book)
    later = later.group_by(who).agg(
        nw.len().alias("orders"),
        nw.col(TICK).min().alias("first_order"),
        *(nw.col(name).sum() for name in whole.monies),
    )
    figures = {"orders": nw.col("orders").cast(nw.Int64), "spend": _worth(PAID, whole.money)}
    if whole.gain is not None:
        figures["profit"] = _worth(GAIN, whole.gain)
    made = [value.alias(name) for name, value in figures.items()]
    ids = known.select(who)
    future = ids.join(later, on=who, how="left").select(nw.col(who), *made)
    future = future.with_columns(nw.col(name).fill_null(0) for name in figures)
    new = later.join(ids, on=who, how="anti").select(nw.col(who), nw.col("first_order"), *made)
    new = with_dates(new, ["first_order"], options.grain)
    facts = future_facts(options, unit, past.end, end, later_book)
    return DateSplit(
        with_facts(
            known.to_native(), summary_facts(options, unit, past.end, book, past.money_facts)
        ),
        with_facts(future.to_native(), facts),
        with_facts(new.to_native(), replace(facts, kind="new")),
    )
