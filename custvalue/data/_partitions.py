"""Summary, panel and split over the partitions of a distributed engine.

The engine moves each customer's rows into one partition; the numpy kernel of the in-memory path
does the rest there, so the numbers are the same to the last bit. A first, cheap pass over the
unmoved rows finds what must be known of the whole log: contract problems, the last order, the
ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from custvalue._dates import zones_problem
from custvalue._frames import facts_of, with_facts
from custvalue._units import Span
from custvalue._warn import heard, warn_caller
from custvalue.data._far_dates import Alone, alone
from custvalue.data._intake import missing_columns, take_in, warn_dates, warn_invalid
from custvalue.data._ledger import RowLedger, merged
from custvalue.data._money import MoneySeen, money_facts
from custvalue.data._occasions import fold
from custvalue.data._options import DAY, LogOptions
from custvalue.data._panel import check_panel_rows, panel_eager, panel_facts, ticks_in
from custvalue.data._split import DateSplit, check_end, future_facts, horizon_ticks, split_eager
from custvalue.data._summary import summarize_eager, summary_facts
from custvalue.data._times import End, last_order_text, read_end
from custvalue.exceptions import AsOfWarning, ContractProblem, DataContractError, first_ids

Work = Callable[[Any], Any]  # a local table of one partition -> a local table


class Partitioned(Protocol):
    """What an engine must do; ``log`` is its native frame."""

    def columns(self, log: Any) -> list[str]:
        """Names of the columns."""

    def check(self, log: Any, options: LogOptions) -> list[ContractProblem]:
        """Problems that only this engine knows."""

    def gather(self, log: Any, work: Callable[[Any], str], by: str | None) -> list[str]:
        """Run ``work`` on every partition (moved together by column ``by``), collect its texts."""

    def apply(self, log: Any, work: Work, options: LogOptions) -> Any:
        """Run ``work`` on partitions that hold whole customers; the native result, lazily."""


def scan(table: Any, options: LogOptions, as_of: Any) -> str:
    """Tell what one partition knows of the log, as JSON."""
    try:
        rows = take_in(table, options, as_of, quiet=True)
    except DataContractError as error:
        return json.dumps({"problems": [asdict(p) for p in error.problems], "rows": len(table)})
    book = RowLedger(
        rows_in=rows.rows_in,
        rows_used=len(rows.tick),
        amount_in=rows.amount_in,
        amount_used=rows.money.total(),
        dropped=tuple(rows.dropped),
    )
    some = len(rows.tick) > 0
    day, count = np.unique(rows.fine // (DAY // options.fine), return_counts=True)
    return json.dumps(
        {
            "book": book.to_dict(),
            "last": rows.end.last if as_of is None else int(rows.fine.max()) if some else None,
            "first": int(rows.tick.min()) if some else None,
            "zone": rows.zone,
            "days": [day.tolist(), count.tolist()],
            "refunds": bool((rows.money.values < 0).any()),
            "money": rows.money_facts(),
        }
    )


def full_scan(table: Any, options: LogOptions, as_of: Any) -> str:
    """Tell ledger and first purchase of a partition that holds whole customers, as JSON."""
    rows = take_in(table, options, as_of, quiet=True)
    folded, book = fold(rows, options)
    return json.dumps({"book": book.to_dict(), "first": folded.first})


class Known:
    """What must be known of the whole log before the work is spread."""

    def __init__(self, engine: Partitioned, log: Any, options: LogOptions, as_of: Any) -> None:
        problems = missing_columns(engine.columns(log), options) or engine.check(log, options)
        if problems:
            raise DataContractError(problems)
        end = read_end(as_of, options, None)
        # what repeats in every column can be told only where whole customers are together
        plain = replace(options, duplicates="keep")
        parts = [
            json.loads(text)
            for text in engine.gather(log, partial(scan, options=plain, as_of=end), None)
        ]
        _raise_together([p for part in parts for p in part.get("problems", ())])
        parts = [part for part in parts if "book" in part]
        if len({part["zone"] for part in parts if part["book"]["rows_in"]}) > 1:
            raise DataContractError(zones_problem(options.time, none=False))
        if end is None:
            if not parts:
                _raise_together([asdict(_NO_ROWS)], keep_empty=True)
            end = End.at(max(part["last"] for part in parts), options)
            warn_caller(last_order_text(end), AsOfWarning)
        self.end = end
        self.money = _money([part["money"] for part in parts], options)
        self.alone = _alone([part["days"] for part in parts])
        seen = [part["last"] for part in parts if part["last"] is not None]
        if options.duplicates != "keep" or any(part["refunds"] for part in parts):
            careful = partial(_careful, options=options, as_of=end)
            texts = engine.gather(log, careful, options.customer)
            found = [json.loads(text) for text in texts]
            _raise_together([p for part in found for p in part.get("problems", ())])
            parts = found
        self.book = merged([RowLedger.from_dict(part["book"]) for part in parts])
        firsts = [part["first"] for part in parts if part["first"] is not None]
        self.first: int | None = min(firsts) if firsts else None
        self.last = max((p["last"] for p in parts if p.get("last") is not None), default=None)
        warn_invalid(list(self.book.dropped))
        warn_dates(self.alone, max(seen, default=None), end)


def _money(parts: list[list[Any]], options: LogOptions) -> list[list[float] | None]:
    """How large the money of all parts is, amounts and profits."""
    both: list[MoneySeen | None] = []
    for place in range(1 + options.has_profit):
        whole: MoneySeen | None = MoneySeen(1.0, 0)
        for part in parts:
            whole = (
                None
                if whole is None or part[place] is None
                else whole.with_more(MoneySeen(*part[place]))
            )
        both.append(whole)
    return money_facts(*both)


def _alone(days: list[list[list[int]]]) -> Alone | None:
    """Rows that stand alone in the whole log, from the days of its parts."""
    if not days:
        return None
    day = np.concatenate([np.array(each, dtype=np.int64) for each, _ in days])
    count = np.concatenate([np.array(each, dtype=np.int64) for _, each in days])
    whole, place = np.unique(day, return_inverse=True)
    return alone(whole, np.bincount(place, weights=count).astype(np.int64))


_NO_ROWS = ContractProblem(
    "no-rows", "the log has no usable row to take the as-of date from", "Give as_of=."
)


def _careful(table: Any, options: LogOptions, as_of: Any) -> str:
    try:
        return full_scan(table, options, as_of)
    except DataContractError as error:
        return json.dumps({"problems": [asdict(p) for p in error.problems]})


def _raise_together(plain: list[dict[str, Any]], *, keep_empty: bool = False) -> None:
    """Raise the partitions' problems as one error, each code once with its counts added."""
    by_code: dict[str, list[dict[str, Any]]] = {}
    for problem in plain:
        if problem["code"] != _NO_ROWS.code or keep_empty:
            by_code.setdefault(problem["code"], []).append(problem)
    if by_code:
        raise DataContractError(
            [
                ContractProblem(
                    code,
                    same[0]["message"],
                    same[0]["cure"],
                    sum(p["count"] for p in same),
                    first_ids(sorted({name for p in same for name in p["ids"]})),
                )
                for code, same in by_code.items()
            ]
        )


def summarize_parts(
    engine: Partitioned, log: Any, options: LogOptions, as_of: Any, unit: str
) -> Any:
    """Summarize a log that lies in partitions."""
    known = Known(engine, log, options, as_of)
    work = partial(summarize_eager, options=options, as_of=known.end, unit=unit, quiet=True)
    table = engine.apply(log, work, options)
    return with_facts(table, summary_facts(options, unit, known.end, known.book, known.money))


def panel_parts(engine: Partitioned, log: Any, options: LogOptions, as_of: Any, period: str) -> Any:
    """Make the panel of a log that lies in partitions, on one grid of periods."""
    length = ticks_in(period, options)
    known = Known(engine, log, options, as_of)
    if known.alone is not None and known.first is not None:
        periods = int((known.end.tick - known.first) / length) + 1
        check_panel_rows(known.book.rows_used * periods, periods, known.alone, known.end)
    work = partial(
        panel_eager,
        options=options,
        as_of=known.end,
        period=period,
        quiet=True,
        grid_start=known.first,
    )
    table = engine.apply(log, work, options)
    return with_facts(table, panel_facts(options, period, known.end, known.book, known.money))


def split_parts(
    engine: Partitioned,
    log: Any,
    options: LogOptions,
    cutoff: Any,
    horizon: Span,
    as_of: Any,
    unit: str,
) -> DateSplit:
    """Split a log that lies in partitions."""
    length = horizon_ticks(cutoff, horizon, options)
    past = Known(engine, log, options, cutoff)
    end = End.at(past.end.last + length, options)
    with heard():  # said when the known side was read
        whole = Known(engine, log, options, end)
    check_end(whole.last, end, as_of, options, options.time_zone)
    todo = partial(
        split_eager,
        options=options,
        cutoff=past.end,
        horizon=horizon,
        as_of=None,
        unit=unit,
        quiet=True,
    )
    texts = engine.gather(log, partial(_future_book, todo=todo), options.customer)
    later = merged([RowLedger.from_dict(json.loads(text)) for text in texts])
    facts = future_facts(options, unit, past.end, end, later)
    known, future, new = (
        engine.apply(log, partial(_piece, todo=todo, which=which), options) for which in range(3)
    )
    return DateSplit(
        with_facts(known, summary_facts(options, unit, past.end, past.book, past.money)),
        with_facts(future, facts),
        with_facts(new, replace(facts, kind="new")),
    )


def _future_book(table: Any, todo: Callable[[Any], DateSplit]) -> str:
    facts = facts_of(todo(table).future)
    assert facts is not None
    return json.dumps(facts.ledger)


def _piece(table: Any, todo: Callable[[Any], DateSplit], which: int) -> Any:
    return todo(table)[which]
