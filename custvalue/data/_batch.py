"""Rows that came after a table was made: read by the table's own rules, or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import TableFacts, eager, facts_of, missing_ids, opened
from custvalue._typing import Ints, Mask
from custvalue._units import same_unit
from custvalue._warn import warn_caller
from custvalue.data._ids import distinct
from custvalue.data._intake import Intake, take_in
from custvalue.data._keep import last_rows
from custvalue.data._ledger import WORDS, Dropped, RowLedger
from custvalue.data._money import MoneySeen, money_facts, net
from custvalue.data._occasions import Folded, fold
from custvalue.data._options import DAY, LogOptions
from custvalue.data._times import End, read_end
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    TimeUnitError,
    first_ids,
)


@dataclass(frozen=True)
class Batch:
    """Purchase occasions that come after a table's end, in arrays that travel to a worker.

    Parameters
    ----------
    options : LogOptions
    then, end : End
        End of observation of the table as it was, and as it becomes.
    ids : ndarray of shape (n_customers,)
        Customers with an occasion, in the order of their ids.
    start : ndarray of shape (n_customers,)
        First occasion of each in ``tick``, ``spend`` and ``profit``.
    tick, spend, profit : ndarray of shape (n_occasions,)
        Times, and money in whole units of ``scales``; profit is None where it is the amount.
    scales, old_scales : tuple of float
        Minor units of money in the table as it becomes, and as it was: of amounts and profits.
    kept_ids, kept : ndarray, dict of str to ndarray
        Customers with a row that counted, and what these rows say of them.
    lost : ndarray
        Customers all of whose rows were left out.
    book : RowLedger
        Of the batch alone.
    facts : TableFacts
        What the table that is made will say of itself.
    """

    options: LogOptions
    then: End
    end: End
    ids: npt.NDArray[Any]
    start: Ints
    tick: Ints
    spend: Ints
    profit: Ints | None
    scales: tuple[float, ...]
    old_scales: tuple[float, ...]
    kept_ids: npt.NDArray[Any]
    kept: dict[str, npt.NDArray[Any]]
    lost: npt.NDArray[Any]
    book: RowLedger
    facts: TableFacts

    @property
    def size(self) -> Ints:
        """Occasions of each customer."""
        return np.diff(self.start, append=len(self.tick))

    def of(self, some: npt.NDArray[Any]) -> Batch:
        """Occasions of some of the customers, by their places in ascending order."""
        size = self.size[some]
        start = np.cumsum(size) - size
        at = np.repeat(self.start[some] - start, size) + np.arange(int(size.sum()))
        profit = None if self.profit is None else self.profit[at]
        ids, tick, spend = self.ids[some], self.tick[at], self.spend[at]
        return replace(self, ids=ids, start=start, tick=tick, spend=spend, profit=profit)


def facts_before(old: Any, kind: str, options: LogOptions) -> TableFacts:
    """Read what a table says of itself, where that is enough to continue it.

    Raises
    ------
    DataContractError
    """
    facts, maker = facts_of(old), {"summary": "summarize"}.get(kind, kind)
    if facts is None or facts.kind != kind or not {"rules", "money"} <= set(facts.extra):
        text = f"the old table does not say how its log was read, as one of {maker} does"
        cure = (
            f"Pass what {maker} returned; pandas and pyarrow keep it in a Parquet file. "
            "Otherwise make the table anew from the whole log."
        )
        raise DataContractError(ContractProblem("table-facts", text, cure))
    problems = []
    if facts.customer != options.customer:
        text = f"the old table's customers are in {facts.customer!r}, not {options.customer!r}"
        cure = "Rename the new rows' column to it."
        problems.append(ContractProblem("other-customer", text, cure))
    was, wanted = dict(facts.extra["rules"]), options.rules
    if was.get("refunds") == "error":  # there were none: every policy reads those rows alike
        was["refunds"] = wanted["refunds"]
    other = [name for name in wanted if was.get(name) != wanted[name]]
    if other:
        said = ", ".join(f"{name}={was.get(name)!r} (now {wanted[name]!r})" for name in other)
        text = f"the old table was made with {said}"
        cure = "Read the new rows as the old ones were, or make the table anew from the whole log."
        problems.append(ContractProblem("other-rules", text, cure))
    if problems:
        raise DataContractError(problems)
    return facts


def check_unit(facts: TableFacts, unit: str | None, name: str) -> None:
    """Refuse to continue a table in another unit.

    Raises
    ------
    TimeUnitError
    """
    own = facts.period or facts.unit
    if unit is not None and not same_unit(unit, own):
        raise TimeUnitError(
            f"the old table counts time in {own!r}, and {name}={unit!r} is asked for; leave "
            f"{name}= out, or make the table anew from the whole log."
        )


def end_before(facts: TableFacts, options: LogOptions) -> End:
    """End of observation of a table, as it was written down."""
    second = int(np.datetime64(facts.as_of, "s").astype(np.int64))
    if "T" not in facts.as_of:
        second += DAY - 1
    return End.at(second // options.fine, options)


def batch_seen(facts: TableFacts, batch: str, rows: Any, options: LogOptions) -> bool:
    """Whether a batch is in a table already.

    Raises
    ------
    DataContractError
        If other rows were appended under its name.
    """
    entry = next((one for one in facts.extra.get("batches", ()) if one["id"] == batch), None)
    if entry is None:
        return False
    now = _size_of(rows, options)
    if (entry["rows"], entry["amount"]) != now:
        text = (
            f"batch {batch!r} was appended before, with {entry['rows']:,} rows of together "
            f"{entry['amount']:,.2f}; now it has {now[0]:,} of {now[1]:,.2f}"
        )
        cure = "Give other rows another name; to correct rows, make the table anew."
        raise DataContractError(ContractProblem("batch-changed", text, cure))
    return True


def _size_of(rows: Any, options: LogOptions) -> tuple[int, float]:
    """Rows of a batch and their net amount."""
    frame = opened(rows, eager_only=True)
    try:
        amount = np.asarray(frame[options.amount].to_numpy(), dtype=np.float64)
    except (TypeError, ValueError, KeyError):  # told when the rows are read
        return len(frame), 0.0
    return len(frame), net(amount[np.isfinite(amount)])


def read_batch(
    facts: TableFacts, new_rows: Any, options: LogOptions, as_of: Any, batch: str | None
) -> Batch:
    """Read the rows that came since, and refuse those that would change what was counted.

    Raises
    ------
    DataContractError
        With all that is wrong.
    """
    rows = eager(new_rows)
    then = end_before(facts, options)
    given = read_end(as_of, options, None)
    if given is not None and given.last < then.last:
        text = f"as_of={given.date} lies before the old table's, {facts.as_of}"
        cure = "A table is continued, not taken back: make one of the log at that date."
        raise DataContractError(ContractProblem("as-of-order", text, cure))
    size = None if batch is None else _size_of(rows, options)
    taken = take_in(rows, options, as_of)
    money = _money_together(facts, taken)
    problems = _problems(taken, options, then, facts, money)
    if taken.order is not None:
        named = ~missing_ids(opened(rows, eager_only=True)[str(options.order)].to_numpy())
        problems += _late_refunds(taken, named if taken.row is None else named[taken.row])
    if problems:
        raise DataContractError(problems)
    kept, seen = last_rows(taken), distinct(taken.code)
    gone, ids, scales = taken.gone, _plain_ids(taken), _scales(taken)
    folded, book = fold(taken, options)
    code = folded.code
    everybody = distinct(np.append(seen, gone))
    lost = everybody[~np.isin(everybody, code, assume_unique=True)]
    new = tuple(one.scale for one in money if one is not None)
    tick, start, spend, profit = _joined(folded, scales, new)
    extra = dict(facts.extra) | {"money": money_facts(*money), "rules": options.rules}
    if batch is not None and size is not None:
        entry = {"id": batch, "rows": size[0], "amount": size[1], "as_of": taken.end.date}
        extra["batches"] = [*extra.get("batches", ()), entry]
    return Batch(
        options=options,
        then=then,
        end=taken.end,
        ids=ids(code),
        start=start,
        tick=tick,
        spend=spend,
        profit=profit,
        scales=new,
        old_scales=tuple(float(one[0]) for one in facts.extra["money"]),
        kept_ids=ids(seen),
        kept={name: values.to_numpy() for name, values in kept.of(seen).items()},
        lost=ids(lost),
        book=book,
        facts=replace(facts, as_of=taken.end.date, extra=extra),
    )


def _plain_ids(rows: Intake) -> Callable[[Ints], npt.NDArray[Any]]:
    return lambda code: np.asarray(rows.ids(code.copy()).to_numpy())


def _scales(rows: Intake) -> list[float]:
    return [some.scale for some in (rows.money, rows.profit) if some is not None]


def _money_together(facts: TableFacts, rows: Intake) -> list[MoneySeen | None]:
    """How large old and new money together are; None where sums are not exact."""
    both: list[MoneySeen | None] = []
    new = [some for some in (rows.money, rows.profit) if some is not None]
    for was, some in zip(facts.extra["money"], new, strict=True):
        seen = some.seen()
        both.append(None if was is None or seen is None else MoneySeen(*was).with_more(seen))
    return both


def _problems(
    rows: Intake, options: LogOptions, then: End, facts: TableFacts, money: list[MoneySeen | None]
) -> list[ContractProblem]:
    """Why these rows cannot be appended."""
    problems: list[ContractProblem] = []
    early = rows.fine <= then.last
    problems += _refused(
        rows,
        early,
        "before-as-of",
        f"the new rows reach back to or before the old as-of date, {facts.as_of}: the old table "
        "counted them, or did without them in what it netted and measured",
        "Leave out rows of earlier batches; for rows that came late make the table anew from the "
        "whole log.",
    )
    if options.grain > DAY and End.at(then.last + 1, options).tick == then.tick:
        problems += _refused(
            rows,
            (rows.tick == then.tick) & ~early,
            "occasion-open",
            f"the old as-of date, {facts.as_of}, lies within an occasion ({options.occasion}), "
            "which these rows belong to",
            "Make the old table at the end of an occasion (weeks end on Sunday), or anew from the "
            "whole log.",
        )
    names = [options.amount, *(["total_profit"] if rows.profit is not None else [])]
    for name, one in zip(names, money, strict=True):
        if one is None:
            text = (
                f"sums of {name!r} are not exact (amounts with more than four digits behind the "
                "point, or too large), so that they depend on the order of all rows"
            )
            cure = "Round amounts to cents before they are summarized, or make the table anew."
            problems.append(ContractProblem("money-not-exact", text, cure))
    return problems


def _refused(rows: Intake, mask: Mask, code: str, text: str, cure: str) -> list[ContractProblem]:
    """Say what is wrong with the rows in ``mask``, where there are any."""
    if not mask.any():
        return []
    who = np.array(list(dict.fromkeys(rows.code[mask].tolist()))[:5])
    return [ContractProblem(code, text, cure, int(mask.sum()), first_ids(_plain_ids(rows)(who)))]


def _late_refunds(rows: Intake, named: Mask) -> list[ContractProblem]:
    """Refund rows beyond what their order has brought by then among these rows.

    A refund that names no order is one of its own, whenever it comes.
    """
    assert rows.order is not None
    money = rows.money.values
    if not len(money):
        return []
    by = np.lexsort((-money, rows.tick, rows.order, rows.code))
    code, order = rows.code[by], rows.order[by]
    new = np.ones(len(by), dtype=bool)
    new[1:] = (code[1:] != code[:-1]) | (order[1:] != order[:-1])
    head = np.flatnonzero(new)
    running = np.cumsum(money[by])
    before = (running - money[by])[head]
    running = running - np.repeat(before, np.diff(head, append=len(by)))
    late = np.zeros(len(by), dtype=bool)
    late[by] = (running < 0) & (money[by] < 0)
    return _refused(
        rows,
        late & named,
        "late-refund",
        "refunds of orders that are not among the new rows change what was counted before",
        "Make the table anew from the whole log, or net refunds by refunds='net_occasion'.",
    )


def _joined(
    folded: Folded, scales: list[float], new: tuple[float, ...]
) -> tuple[Ints, Ints, Ints, Ints | None]:
    """All parts in one, money in whole units of the new scales."""
    none = np.empty(0, dtype=np.int64)
    parts = folded.parts
    counts = np.concatenate([none, *(part.size for part in parts)])
    tick = np.concatenate([none, *(part.tick for part in parts)])
    spend = np.concatenate([none, *(part.spend for part in parts)]) * int(new[0] / scales[0])
    gains = [part.profit for part in parts if part.profit is not None]
    profit = None
    if len(scales) > 1:
        profit = np.concatenate([none, *gains]) * int(new[1] / scales[1])
    return tick, np.cumsum(counts) - counts, spend, profit


def book_together(
    old: RowLedger, batch: Batch, *, fresh: int, lost: int, customers: int
) -> RowLedger:
    """Ledger of the old rows and the new ones.

    Parameters
    ----------
    old : RowLedger
    batch : Batch
    fresh : int
        Customers who are not in the old table.
    lost : int
        Customers all of whose new rows were left out and who are not in the old table.
    customers : int
        In the table that is made.
    """
    new = batch.book
    later = next((d for d in old.dropped if d.reason == "after_as_of"), None)
    rows, amount = (0, 0.0) if later is None else (later.rows, later.amount)
    if rows > new.rows_in:
        warn_caller(
            f"the old table left out {rows:,} rows after its as-of date, and the batch has "
            f"{new.rows_in:,}: rows that are not handed in now are lost.",
            DataWarning,
        )
    known = old.customers_lost is not None and new.customers_lost is not None
    if old.customers_lost and (fresh or lost):  # who they were is not known
        known = False
    return RowLedger(
        rows_in=old.rows_in - rows + new.rows_in,
        rows_used=old.rows_used + new.rows_used,
        amount_in=_added(old.amount_in, -amount, new.amount_in),
        amount_used=_added(old.amount_used, new.amount_used),
        dropped=tuple(_dropped_together(old, new)),
        customers=None if old.customers is None else customers,
        occasions=None
        if old.occasions is None or new.occasions is None
        else old.occasions + new.occasions,
        customers_lost=(old.customers_lost or 0) + lost if known else None,
    )


def _dropped_together(old: RowLedger, new: RowLedger) -> list[Dropped]:
    """One entry a reason; what the old table left out for coming later is now read or left out."""
    made = []
    for reason in WORDS:
        both = [d for d in old.dropped if d.reason == reason and reason != "after_as_of"]
        both += [d for d in new.dropped if d.reason == reason]
        if both:
            first = [name for d in both for name in d.first]
            if reason == "missing_customer" and len(both) > 1:  # places in two files
                first = list(both[0].first)
            rows, amount = sum(d.rows for d in both), _added(*(d.amount for d in both))
            made.append(Dropped(reason, rows, amount, tuple(dict.fromkeys(first))[:5]))
    return made


def _added(*amounts: float) -> float:
    """Sum of amounts, exact where they are decimals."""
    return net(np.array(amounts))
