"""A summary continued by the occasions that came after it, to the last bit what a rebuild gives.

What a summary says of a customer is enough to go on from: money is whole minor units, times are
whole ticks, and the spread of gaps gives back the sum of their squares. Two things are not: how
many gaps are shorter than a silence of another length, and a spread too wide for its root to give
whole numbers back. A summary that carries the gaps (``carry=True``) has both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custvalue._frames import opened, with_facts
from custvalue._typing import ByName, Floats, Ints, Mask
from custvalue._units import days_per
from custvalue.data._batch import Batch, book_together
from custvalue.data._build import build_table, dates
from custvalue.data._carried import GAPS, GapCells, GapLists, carried
from custvalue.data._cells import Cells, numbers_like, renewed, some_cells
from custvalue.data._columns import SUMMARY, CustomerFigures
from custvalue.data._ledger import RowLedger
from custvalue.data._money import whole_sums
from custvalue.data._options import DAY
from custvalue.data._place import Places, gathered
from custvalue.data._summary import (
    LOG_UNIT,
    exact_squares,
    log_of_gaps,
    spread_of,
    summary_names,
    wide_spread,
)
from custvalue.data._threads import each, row_blocks
from custvalue.data._times import to_ticks
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

_SURE = 2.0**48  # a whole number below this survives a division, a root and their way back
SHORTER = "n_gaps_shorter"


class KnownOrders(NamedTuple):
    """What a summary says of customers, in whole ticks and whole minor units, one entry each."""

    n: Ints
    first: Ints
    last: Ints
    longest: Ints
    squares: Ints
    total: Ints
    repeat: Ints
    logs: Ints
    profit: Ints | None

    @classmethod
    def nobody(cls, size: int, *, profit: bool) -> KnownOrders:
        """Tell of customers of whom nothing is known."""
        none = np.zeros(size, dtype=np.int64)
        return cls(none, none, none, none, none, none, none, none, none if profit else None)


class OldSummary:
    """A summary as it was, its columns read as numbers when they are asked for."""

    def __init__(self, table: Any, batch: Batch) -> None:
        self.batch, self.unit = batch, batch.facts.unit
        self.frame = opened(table, eager_only=True)
        _check_columns(self.frame.columns, batch)
        self.per_tick = batch.options.grain / DAY / days_per(self.unit)
        self.lists: GapLists | GapCells | None = None
        if GAPS in self.frame.columns:
            self.lists = carried(self.frame[GAPS])

    def numbers(self, name: str, row: Ints) -> npt.NDArray[Any]:
        """Values of some customers, NaN where one is missing."""
        return some_cells(self.frame[name], row)

    def ticks(self, when: npt.NDArray[Any]) -> Ints:
        """Ticks of dates."""
        return to_ticks(when, self.batch.options.grain).astype(np.int64, copy=False)

    def of(self, row: Ints) -> KnownOrders:
        """Tell what is said of some customers, as whole numbers.

        Raises
        ------
        DataContractError
            If a number is too large to be whole again.
        """
        n = self.numbers("n_orders", row).astype(np.int64)
        gaps = n - 1
        first, last = (
            self.ticks(self.numbers(name, row)) for name in ("first_order", "last_order")
        )
        scale = self.batch.old_scales
        mean = np.where(gaps > 0, self.numbers("monetary_value", row), 0.0)
        money = {
            "total_value": self.numbers("total_value", row) * scale[0],
            "monetary_value": mean * gaps * scale[0],
        }
        if self.batch.profit is not None:
            money["total_profit"] = self.numbers("total_profit", row) * scale[1]
        for name, values in money.items():
            self.check(np.abs(values) < _SURE, row, name, "money is too much")
        squares = self._squares(row, gaps, last - first)
        whole = {name: np.rint(values).astype(np.int64) for name, values in money.items()}
        more = [new / old for new, old in zip(self.batch.scales, scale, strict=True)]
        profit = whole.get("total_profit")
        return KnownOrders(
            n,
            first,
            last,
            self.whole_ticks(self.numbers("gap_max", row)),
            squares,
            whole["total_value"] * int(more[0]),
            whole["monetary_value"] * int(more[0]),
            np.rint((self.numbers("litt", row) - gaps * np.log(self.per_tick)) * LOG_UNIT).astype(
                np.int64
            ),
            None if profit is None else profit * int(more[1]),
        )

    def _squares(self, row: Ints, gaps: Ints, span: Ints) -> Ints:
        """Sum of squares of the gaps of some customers."""
        if self.lists is not None:
            return self.lists.of(row).squares()
        spread = np.where(gaps > 0, self.numbers("gap_std", row), 0.0) / self.per_tick * gaps
        self.check(spread**2 < _SURE, row, "gap_std", "gaps are too long in their grain")
        return (np.rint(spread**2).astype(np.int64) + span**2) // np.maximum(gaps, 1)

    def whole_ticks(self, lengths: Floats) -> Ints:
        """Lengths of time as whole ticks, 0 where there is none."""
        return np.rint(np.nan_to_num(lengths) / self.per_tick).astype(np.int64)

    def check(self, sure: Mask, row: Ints, name: str, why: str) -> None:
        """Refuse to go on from numbers that do not say enough."""
        if not sure.all():
            who = self.numbers(self.batch.options.customer, row[~sure][:5])
            text = f"{name!r} of customers cannot be continued exactly: their {why}"
            cure = "Make the table anew from the whole log."
            count = int(np.count_nonzero(~sure))
            raise DataContractError(ContractProblem("not-exact", text, cure, count, first_ids(who)))

    def shorter(
        self,
        read: Callable[[str], npt.NDArray[Any]],
        row_of: Callable[[Ints], Ints],
        silent: Ints,
    ) -> tuple[Ints, Mask]:
        """Count the gaps not longer than ``silent`` of some customers; and whether that is known.

        ``read`` gives a column of theirs, and ``row_of`` the rows of some of them. Most silences
        grow past no gap or past the longest alone, which other columns tell. Of up to three gaps
        number, sum, longest and spread say each; of more only those that are carried do.
        """
        n = read("n_gaps").astype(np.int64)
        before = read(SHORTER).astype(np.int64)
        longest = self.whole_ticks(read("gap_max"))
        last = self.ticks(read("last_order"))
        then = self.batch.then.tick - last
        count = np.where(silent >= longest, n, before)
        sure = (silent >= longest) | (silent == then)
        sure |= (silent > then) & (before >= n - 1)
        none = (silent == 0) & (n > 0) | (silent < then) & (before == 0)
        count[none & ~sure] = 0
        sure |= none
        if self.lists is not None:
            rest = np.flatnonzero(~sure)
            count[rest] = self.lists.of(row_of(rest)).up_to(silent[rest])
            return count, np.ones(len(n), dtype=bool)
        few = np.flatnonzero(~sure & (n <= 3))
        if len(few):
            rest = last[few] - self.ticks(read("first_order")[few]) - longest[few]
            std = read("gap_std")[few] / self.per_tick * n[few]
            squares = (std**2 + (rest + longest[few]) ** 2) / n[few] - longest[few] ** 2.0
            apart = np.sqrt(np.maximum(2.0 * squares - rest.astype(float) ** 2, 0.0))
            # of two the rest is the other gap; of three it is a larger and a smaller one
            apart = np.where(n[few] == 3, np.rint(apart), rest)
            larger = ((rest + apart) / 2 <= silent[few]) & (n[few] > 1)
            smaller = ((rest - apart) / 2 <= silent[few]) & (n[few] == 3)
            count[few] = larger.astype(np.int64) + smaller
            sure[few] = std**2 < _SURE
        return count, sure


def _check_columns(have: list[str], batch: Batch) -> None:
    options = batch.options
    wanted = [options.customer, *summary_names(options), *options.keep]
    lost = [name for name in wanted if name not in have and name != SHORTER]
    more = [name for name in have if name not in (*wanted, GAPS)]
    problems = []
    if options.carry and GAPS not in have:
        text = f"the old table has no column {GAPS!r} to carry on"
        cure = "Make it anew with carry=True, or leave carry= out."
        problems.append(ContractProblem("gaps-not-carried", text, cure))
    if lost:
        text = f"the old table has no {', '.join(map(repr, lost))}"
        problems.append(ContractProblem("missing-column", text, "Pass a whole summary."))
    if more:
        text = f"the old table has {', '.join(map(repr, more))}, which no log can continue"
        problems.append(ContractProblem("strange-column", text, "Drop it, and join it later."))
    if problems:
        raise DataContractError(problems)


def continued(old: Any, batch: Batch, *, old_only: bool = False) -> Any:
    """Summary of the old rows and the new ones.

    Parameters
    ----------
    old : frame in memory
    batch : Batch
    old_only : bool, default=False
        Leave newcomers out, where ``old`` is a part of a table.
    """
    told = OldSummary(old, batch)
    options = batch.options
    ids = told.frame[options.customer]
    places = Places(ids, batch.ids)
    if old_only and len(places.fresh):
        batch = batch.of(np.flatnonzero(places.row >= 0))
        places = Places(ids, batch.ids)
    known = np.flatnonzero(places.row >= 0)
    row = places.row[known]
    columns = _touched(told, batch, known, row)
    at = places.moved(row)
    names = [name for name in summary_names(options) if name in told.frame.columns]
    passes = batch.end.tick != batch.then.tick  # everybody is older, and silent for longer

    def of(name: str) -> Cells:
        mine = columns[name]
        return renewed(told.frame[name], places, at, mine[known], mine[places.fresh])

    since = {"T": "first_order", "silence": "last_order"} if passes else {}
    cells = {name: of(name) for name in names if name not in since}
    for name, begin in since.items():
        cells[name] = numbers_like(_since(cells[begin].values, told), cells[begin])
    if passes and SHORTER in cells:
        _pass_gaps_in_place(cells, told, places, at)
    made: ByName = {name: cells[name].column(told.frame) for name in names}
    for name in options.keep:
        made[name] = _kept(told, batch, places, name)
    if told.lists is not None:
        made[GAPS] = _longer_lists(told, batch, places, known).column(old)
    table = build_table(old, options.customer, places.all_ids(), made)
    book = RowLedger.from_dict(batch.facts.ledger)
    lost = int(np.count_nonzero(places.find(batch.lost) < 0))
    book = book_together(
        book, batch, fresh=len(places.fresh), lost=lost, customers=len(cells["T"].values)
    )
    return with_facts(table, replace(batch.facts, ledger=book.to_dict()))


def _touched(told: OldSummary, batch: Batch, known: Ints, row: Ints) -> ByName:
    """Every column of the customers of the batch."""
    size, tick, start = batch.size, batch.tick, batch.start
    m, profit = len(start), batch.profit is not None
    was = KnownOrders.nobody(m, profit=profit)
    old = told.of(row)
    before = KnownOrders(
        *(_put(mine, known, theirs) for mine, theirs in zip(was, old, strict=True))
    )
    is_old = before.n > 0
    if not m:
        return _columns(told, before, before.n, before.first, batch)
    last_at = start + size - 1
    gap = np.diff(tick, prepend=tick[:1])
    gap[start] = np.where(is_old, tick[start] - before.last, 0)
    silent = batch.end.tick - tick[last_at]
    shorter = np.add.reduceat((gap <= np.repeat(silent, size)).astype(np.int64), start) - ~is_old
    if SHORTER in told.frame.columns:
        count, sure = told.shorter(
            lambda name: told.numbers(name, row), lambda some: row[some], silent[known]
        )
        _refuse_unsure(told, row, sure)
        shorter[known] += count
    n = before.n + size
    longest = np.maximum(before.longest, np.maximum.reduceat(gap, start))
    spend = whole_sums(batch.spend, start)
    after = KnownOrders(
        n=n,
        first=np.where(is_old, before.first, tick[start]),
        last=tick[last_at],
        longest=longest,
        squares=before.squares + np.add.reduceat(gap * gap, start),
        total=before.total + spend,
        repeat=before.repeat + spend - np.where(is_old, 0, batch.spend[start]),
        logs=before.logs + np.add.reduceat(log_of_gaps(gap), start),
        profit=_gained(before.profit, batch),
    )
    wide = ~exact_squares(n, longest)
    spread = _wide_spread(told, after, row, known, gap, size) if wide.any() else None
    return _columns(told, after, shorter, silent, batch, spread, wide)


def _gained(before: Ints | None, batch: Batch) -> Ints | None:
    if before is None or batch.profit is None:
        return None
    return before + whole_sums(batch.profit, batch.start)


def _wide_spread(
    told: OldSummary, now: KnownOrders, row: Ints, known: Ints, gap: Ints, size: Ints
) -> Floats:
    """Spread of gaps whose squares no whole number holds, by all of them."""
    sizes, new_start = size.copy(), np.cumsum(size) - size
    if told.lists is None:
        wide = ~exact_squares(now.n, now.longest)
        told.check(~wide[known], row, "gap_std", "gaps are too long in their grain")
        return wide_spread(gap, new_start, size, now.last - now.first)
    mine = told.lists.of(row)
    sizes[known] += np.diff(mine.ends) + 1  # a 0 stands for the first occasion of each
    start = np.cumsum(sizes) - sizes
    whole = np.zeros(int(sizes.sum()), dtype=np.int64)
    whole[np.repeat(start + sizes - size - new_start, size) + np.arange(len(gap))] = gap
    at = np.repeat(start[known] + 1 - mine.ends[:-1], np.diff(mine.ends))
    whole[at + np.arange(len(mine.gaps))] = mine.gaps
    return wide_spread(whole, start, sizes, now.last - now.first)


def _longer_lists(
    told: OldSummary, batch: Batch, places: Places, known: Ints
) -> GapLists | GapCells:
    """Gaps of everybody in the new table: those of the batch behind the old ones."""
    assert told.lists is not None
    row = places.row[known]
    gap = np.diff(batch.tick, prepend=batch.tick[:1])
    gap[batch.start[known]] = batch.tick[batch.start[known]] - told.ticks(
        told.numbers("last_order", row)
    )
    is_gap = np.ones(len(gap), dtype=bool)
    is_gap[batch.start[places.fresh]] = False
    count = batch.size.copy()
    count[places.fresh] -= 1
    more = GapLists(np.append(0, np.cumsum(count)), gap[is_gap])
    return told.lists.longer(places, known, more)


def _put(into: Ints | None, at: Ints, values: Ints | None) -> Any:
    if into is None or values is None:
        return None
    made = into.copy()
    made[at] = values
    return made


def _columns(
    told: OldSummary,
    now: KnownOrders,
    shorter: Ints,
    silent: Ints,
    batch: Batch,
    spread: Floats | None = None,
    wide: Mask | None = None,
) -> ByName:
    gaps = now.n - 1
    one, some = gaps < 1, np.maximum(gaps, 1)
    span = now.last - now.first
    exact = np.zeros(len(one), dtype=bool) if wide is None else wide
    narrow = spread_of(np.where(exact, 0, now.squares), np.where(exact, 0, span), some)

    def where_gaps(values: Floats) -> Floats:
        return np.where(one, np.nan, values)

    figures = CustomerFigures(
        n=now.n,
        gaps=gaps,
        size=np.maximum(now.n, 1),
        ratio=some,
        first=now.first,
        last=now.last,
        span=span,
        silent=silent,
        age=batch.end.tick - now.first,
        longest=now.longest,
        spread=narrow if spread is None else np.where(exact, spread, narrow),
        shorter=shorter,
        logs=now.logs / LOG_UNIT,
        total=now.total / batch.scales[0],
        repeat=now.repeat / batch.scales[0],
        per_tick=told.per_tick,
        where_gaps=where_gaps,
        date=lambda tick: dates(tick, batch.options.grain),
    )
    made: ByName = {column.name: column.of(figures) for column in SUMMARY}
    if now.profit is not None:
        made["total_profit"] = now.profit / batch.scales[1]
    return made


def _since(when: npt.NDArray[Any], told: OldSummary) -> Floats:
    """Time from dates to the new end of observation."""
    made = np.empty(len(when))

    def work(rows: slice) -> None:
        np.multiply(told.batch.end.tick - told.ticks(when[rows]), told.per_tick, out=made[rows])

    each(work, row_blocks(len(when)))
    return made


def _pass_gaps_in_place(
    cells: dict[str, Cells], told: OldSummary, places: Places, at: Ints
) -> None:
    """Count anew the gaps that a longer silence may have passed, of those who did not order."""
    shorter, n_gaps = cells[SHORTER].values, cells["n_gaps"].values
    ordered = np.zeros(len(shorter), dtype=bool)
    ordered[at] = ordered[places.moved_fresh()] = True

    def work(rows: slice) -> Ints:
        pending = (shorter[rows] < n_gaps[rows]) & ~ordered[rows]
        where = rows.start + np.flatnonzero(pending)
        count, sure = told.shorter(
            lambda name: cells[name].values[where],
            lambda some: places.origin(where[some]),
            told.batch.end.tick - told.ticks(cells["last_order"].values[where]),
        )
        shorter[where] = count
        return where[~sure]

    unsure = [np.empty(0, dtype=np.int64), *each(work, row_blocks(len(shorter)))]
    row = places.origin(np.concatenate(unsure))
    _refuse_unsure(told, row, np.zeros(len(row), dtype=bool))


def _refuse_unsure(told: OldSummary, row: Ints, sure: Mask) -> None:
    if sure.all():
        return
    who = told.numbers(told.batch.options.customer, row[~sure][:5])
    raise DataContractError(
        ContractProblem(
            "gaps-not-carried",
            f"{SHORTER!r} of customers with four gaps and more is not known without the gaps: "
            "another silence is longer than others of them",
            "Make the old table once with carry=True, which keeps them; or drop the column, which "
            "only TrF of the silence score needs.",
            int(np.count_nonzero(~sure)),
            first_ids(who),
        )
    )


def _refuse_forgotten(batch: Batch, places: Places, name: str, said: npt.NDArray[Any]) -> None:
    """Refuse newcomers of whom a row that was netted away before may have said something."""
    book = batch.facts.ledger
    netted = any(str(d["reason"]).endswith("netted_away") for d in book.get("dropped", ()))
    silent = places.new_ids[~np.isin(places.new_ids, said)]
    if not netted or book.get("customers_lost") == 0 or not len(silent):
        return
    raise DataContractError(
        ContractProblem(
            "keep-not-known",
            f"the new rows do not say {name!r} of customers who were not in the old table, and "
            "rows that were netted away then may have said it",
            f"Fill {name!r}, or make the table anew from the whole log.",
            len(silent),
            first_ids(silent),
        )
    )


def _kept(told: OldSummary, batch: Batch, places: Places, name: str) -> Any:
    """Take what the new rows say, where they say anything, else what was said."""
    values = batch.kept[name]
    said = np.flatnonzero([v is not None and v == v for v in values.tolist()])
    ids = batch.kept_ids[said]
    _refuse_forgotten(batch, places, name, ids)
    series = told.frame[name]
    order = places.order()
    row = places.find(ids)
    found = row >= 0
    more = np.concatenate(
        [np.full(len(places.fresh), None, dtype=object), values[said].astype(object)]
    )
    order[places.moved(row[found])] = places.size + len(places.fresh) + np.flatnonzero(found)
    mine = Places(nw.new_series("id", places.new_ids, backend="pandas"), ids)
    new = np.flatnonzero(mine.row >= 0)
    order[places.moved_fresh()[mine.row[new]]] = places.size + len(places.fresh) + new
    return gathered(series, more, order)
