"""A panel continued by the periods that came after it, to the last bit what a rebuild gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._frames import opened, with_facts
from custvalue._typing import ByName, Ints
from custvalue.data._batch import Batch, book_together
from custvalue.data._build import build_table, dates
from custvalue.data._ledger import RowLedger
from custvalue.data._money import whole_sums
from custvalue.data._options import DAY
from custvalue.data._panel import last_days, panel_names, periods_back, ticks_in
from custvalue.data._place import Places, gathered
from custvalue.data._summary import LOG_UNIT, log_of_gaps
from custvalue.data._times import End, to_ticks
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

_SURE = 2.0**48


class _Now(NamedTuple):
    """Customers of the new panel in its order, as they were at the old one's end.

    ``row`` is the old row that tells their id, or beyond the old rows the newcomer's place;
    ``start`` the first period that is added.
    """

    row: Ints
    n: Ints
    total: Ints
    first: Ints
    last: Ints
    logs: Ints
    start: Ints


def continued_panel(
    old: Any, batch: Batch, *, old_only: bool = False, last_period: int | None = None
) -> Any:
    """Panel of the old rows and the new ones.

    Parameters
    ----------
    old : frame in memory
        Sorted by customer, then period.
    batch : Batch
    old_only : bool, default=False
        Leave newcomers out, where ``old`` is a part of a table.
    last_period : int, optional
        Last period of the whole table, where ``old`` is a part of it.
    """
    options = batch.options
    frame = opened(old, eager_only=True)
    length = ticks_in(str(batch.facts.period), options)
    steps = _steps(batch, length)
    ends = _last_rows(frame, batch)
    ids = frame[options.customer][ends]
    places = Places(ids, batch.ids)
    if old_only and len(places.fresh):
        batch = batch.of(np.flatnonzero(places.row >= 0))
        places = Places(ids, batch.ids)
    if last_period is None and len(ends):
        last_period = int(frame["period"].to_numpy()[ends[0]])
    if last_period is None:  # the grid begins with the first new occasion
        first = batch.tick.min(initial=batch.end.tick)
        steps, last_period = int(periods_back(np.array([first]), batch.end.tick, length)[0]), 0
    grid = (last_period, last_period + steps)
    where, columns, order = _columns(frame, batch, places, ends, length, grid)
    made: ByName = {}
    for name in panel_names():
        was = frame[name].to_numpy()
        was = was.astype("datetime64[us]", copy=False) if was.dtype.kind == "M" else was
        made[name] = np.concatenate([was, columns[name]])[order]
    told = np.concatenate([np.arange(len(frame)), where])[order]
    who = gathered(frame[options.customer], places.new_ids, told)
    table = build_table(old, options.customer, who, made)
    lost = int(np.count_nonzero(places.find(batch.lost) < 0))
    customers = len(ends) + len(places.fresh)
    book = RowLedger.from_dict(batch.facts.ledger)
    book = book_together(book, batch, fresh=len(places.fresh), lost=lost, customers=customers)
    return with_facts(table, replace(batch.facts, ledger=book.to_dict()))


def _steps(batch: Batch, length: float) -> int:
    """How many periods the end moves on."""
    then, options = batch.then, batch.options
    problems = []
    moved = (batch.end.tick - then.tick) / length
    steps = round(moved)
    if abs(moved - steps) > 1e-9:
        text = (
            f"from the old as-of date to {batch.end.date} are {moved:.6g} periods of "
            f"{batch.facts.period}, and the grid of periods ends at as_of"
        )
        cure = "Give an as_of a whole number of periods later, or make the panel anew."
        problems.append(ContractProblem("off-grid", text, cure))
    if options.grain > DAY and End.at(then.last + 1, options).tick == then.tick:
        text = f"the old as-of date lies within an occasion ({options.occasion})"
        cure = "Make the old panel at the end of an occasion (weeks end on Sunday)."
        problems.append(ContractProblem("occasion-open", text, cure))
    if problems:
        raise DataContractError(problems)
    return steps


def _last_rows(frame: Any, batch: Batch) -> Ints:
    """Last row of each customer of a panel that is whole and in order."""
    wanted = [batch.options.customer, *panel_names()]
    problems = []
    lost = [name for name in wanted if name not in frame.columns]
    more = [name for name in frame.columns if name not in wanted]
    if lost:
        text = f"the old table has no {', '.join(map(repr, lost))}"
        problems.append(ContractProblem("missing-column", text, "Pass a whole panel."))
    if more:
        text = f"the old table has {', '.join(map(repr, more))}, which no log can continue"
        problems.append(ContractProblem("strange-column", text, "Drop it, and join it later."))
    if problems:
        raise DataContractError(problems)
    period, age = frame["period"].to_numpy(), frame["age"].to_numpy()
    if not len(period):
        return np.empty(0, dtype=np.int64)
    ends = np.flatnonzero(period == period.max())
    head = np.append(0, ends[:-1] + 1)
    counted = np.arange(len(age)) - np.repeat(head, np.diff(np.append(head, len(age))))
    if (
        ends[-1] != len(period) - 1
        or (age != counted).any()
        or (np.diff(period - age)[age[1:] > 0]).any()
    ):
        text = "the old panel lacks rows of a customer, or is not sorted by customer, then period"
        cure = "Sort it so (on Spark and Dask each customer in one partition), or make it anew."
        raise DataContractError(ContractProblem("panel-order", text, cure))
    return ends


def _state(
    frame: Any, batch: Batch, places: Places, ends: Ints, length: float, grid: tuple[int, int]
) -> _Now:
    """Tell of every customer of the new panel what was known at the old one's end."""
    fresh = places.fresh

    def at_end(name: str) -> npt.NDArray[Any]:
        return np.asarray(frame[name].to_numpy()[ends])

    when = at_end("first_order").astype("datetime64[us]", copy=False)
    first = to_ticks(when, batch.options.grain).astype(np.int64)
    last = first + np.rint(at_end("recency") * length).astype(np.int64)
    scaled = at_end("total_value") * batch.old_scales[0]
    large = np.abs(scaled) >= _SURE
    if large.any():
        who = frame[batch.options.customer].to_numpy()[ends[large][:5]]
        text = "'total_value' of customers cannot be continued exactly: their money is too much"
        cure = "Make the table anew from the whole log."
        count = int(large.sum())
        raise DataContractError(ContractProblem("not-exact", text, cure, count, first_ids(who)))
    gaps = at_end("n_orders") - 1.0
    logs = np.rint((at_end("litt") + gaps * np.log(length)) * LOG_UNIT).astype(np.int64)
    total = np.rint(scaled).astype(np.int64) * int(batch.scales[0] / batch.old_scales[0])
    none = np.zeros(len(fresh), dtype=np.int64)
    born = batch.tick[batch.start[fresh]]
    start = grid[1] - periods_back(born, batch.end.tick, length)
    old_start = np.full(len(ends), grid[0] + 1)
    new = len(frame) + np.arange(len(fresh))
    return _Now(
        places.spread(ends, new),
        places.spread(at_end("n_orders"), none),
        places.spread(total, none),
        places.spread(first, born),
        places.spread(last, born),
        places.spread(logs, none),
        places.spread(old_start, start),
    )


def _columns(
    frame: Any, batch: Batch, places: Places, ends: Ints, length: float, grid: tuple[int, int]
) -> tuple[Ints, ByName, Ints]:
    """Rows that are added: where their ids stand, their columns, and the order of all rows."""
    options, end, last_period = batch.options, batch.end, grid[1]
    now = _state(frame, batch, places, ends, length, grid)
    repeats = last_period + 1 - now.start
    offset = np.cumsum(repeats) - repeats
    size = int(repeats.sum())
    of = np.repeat(np.arange(len(repeats)), repeats)  # customer of each row
    period = np.arange(size) - offset[of] + now.start[of]

    place = np.empty(len(places.row), dtype=np.int64)  # customers of the batch in the new order
    known = np.flatnonzero(places.row >= 0)
    place[known] = places.moved(places.row[known])
    place[places.fresh] = places.moved_fresh()
    who = np.repeat(place, batch.size)
    cell_period = last_period - periods_back(batch.tick, end.tick, length)
    new = np.ones(len(who), dtype=bool)
    new[1:] = (who[1:] != who[:-1]) | (cell_period[1:] != cell_period[:-1])
    cell = np.flatnonzero(new)
    at = offset[who[cell]] + cell_period[cell] - now.start[who[cell]]

    def put(values: Ints) -> Ints:
        made = np.zeros(size, dtype=np.int64)
        made[at] = values
        return made

    orders = put(np.diff(cell, append=len(who)))
    spend = put(whole_sums(batch.spend, cell))
    gain = None
    if batch.profit is not None:
        gain = put(whole_sums(batch.profit, cell))
    ticks = put(batch.tick[cell + np.diff(cell, append=len(who)) - 1])

    def running(values: Ints, before: Ints) -> Ints:
        whole = np.cumsum(values)
        base = np.append(0, whole)[offset]
        return whole - base[of] + before[of]

    gap = np.diff(batch.tick, prepend=batch.tick[:1])
    gap[batch.start] = batch.tick[batch.start] - now.last[place]  # 0 of who is new
    logs = running(put(np.add.reduceat(log_of_gaps(gap), cell)) if len(cell) else orders, now.logs)
    n, total = running(orders, now.n), running(spend, now.total)
    latest = np.maximum.accumulate(np.where(orders > 0, np.arange(size), -1))
    bought = latest >= offset[of]
    last = np.where(bought, ticks[latest], now.last[of])
    worth = total / batch.scales[0]
    seen = end.tick - np.ceil((last_period - period) * length - 1e-9).astype(np.int64)
    first = now.first[of]
    columns: ByName = {
        "period": period,
        "period_end": last_days(seen, end),
        "age": period - (last_period - periods_back(first, end.tick, length)),
        "orders": orders,
        "spend": spend / batch.scales[0],
        "profit": spend / batch.scales[0] if gain is None else gain / batch.scales[1],
        "silence": period - (last_period - periods_back(last, end.tick, length)),
        "n_orders": n,
        "total_value": worth,
        "mean_value": worth / n,
        "frequency": n - 1.0,
        "recency": (last - first) / length,
        "T": (seen - first) / length,
        "litt": logs / LOG_UNIT - (n - 1.0) * np.log(length),
        "first_order": dates(first, options.grain),
    }
    old_of = places.moved(np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1)))
    order = np.argsort(np.concatenate([old_of, of]), kind="stable")
    return now.row[of], columns, order
