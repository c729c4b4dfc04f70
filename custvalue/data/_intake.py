"""An eager table of any kind -> codes, ticks and money as numpy arrays, with what was dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custvalue._frames import NOTHING, missing_ids, opened
from custvalue._typing import Ints, Mask
from custvalue._warn import warn_caller
from custvalue.data._far_dates import Alone, alone, days_of
from custvalue.data._ids import encode, id_codes, order_codes
from custvalue.data._ledger import WORDS, Dropped
from custvalue.data._money import Money, difference, minor_units, money_facts, net
from custvalue.data._options import DAY, LogOptions
from custvalue.data._times import (
    End,
    last_order_text,
    read_end,
    read_times,
    tick_date,
    to_ticks,
)
from custvalue.exceptions import (
    AsOfWarning,
    ContractProblem,
    DataContractError,
    DataWarning,
    first_ids,
    no_column,
)


class _RowsLeft:
    """Which rows are left out and why; a row belongs to the first reason that applies."""

    def __init__(self) -> None:
        self.each: list[tuple[str, Mask]] = []
        self.alive: Mask | None = None  # None: every row, and no memory for saying so

    def drop(self, reason: str, mask: Mask) -> None:
        """Leave out the rows in ``mask`` that are still there."""
        mine = self.still(mask)
        if mine.any():
            self.each.append((reason, mine))
            self.alive = self.still(~mine)

    def still(self, mask: Mask) -> Mask:
        """Rows in ``mask`` that were not left out."""
        return mask if self.alive is None else mask & self.alive


@dataclass
class Intake:
    """Rows of a log that count, as arrays.

    ``code`` are non-negative integers that sort as the customer ids do; ``tick`` is time in grains
    since 1970, at least ``low``, from where on it takes ``tick_bits``; ``ids`` gives the customer
    ids that codes stand for, as a series of the log's kind.
    ``gone`` are the codes of customers who lost a row (not counting rows after the as-of date);
    ``day`` is given where an occasion is longer than a day. ``row`` are the positions of these rows
    in the log (None: all of it), ``kept`` its whole columns of ``keep``.
    """

    code: Ints
    tick: Ints
    low: int
    tick_bits: int
    money: Money
    profit: Money | None
    ids: Callable[[Ints], Any]
    gone: Ints
    end: End
    zone: str | None
    rows_in: int
    amount_in: float
    dropped: list[Dropped] = field(default_factory=list)
    order: Ints | None = None
    day: Ints | None = None
    alone: Alone | None = None
    row: npt.NDArray[np.intp] | None = None
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def as_of(self) -> int:
        """Tick of the end of observation."""
        return self.end.tick

    def money_facts(self) -> list[list[float] | None]:
        """How large amounts and profits are, before the rows are given up for occasions."""
        return money_facts(*(some.seen() for some in (self.money, self.profit) if some is not None))

    @property
    def fine(self) -> Ints:
        """Ticks that rows are cut by: days where an occasion is longer than a day."""
        return self.tick if self.day is None else self.day


def missing_columns(have: list[str], options: LogOptions) -> list[ContractProblem]:
    """One problem for every column that the call names and the log lacks."""
    return [
        no_column(name, have, "the log", "Name the log's own columns in customer=, time=, amount=.")
        for name in options.columns
        if name not in have
    ]


def take_in(
    log: Any, options: LogOptions, as_of: Any, *, quiet: bool = False, codes: Ints | None = None
) -> Intake:
    """Read an eager log; ``quiet`` where the same rows were warned about already.

    ``codes`` are those of ``codes_of``, where somebody has them already.

    Raises
    ------
    DataContractError
        With every problem of the call.
    """
    native = nw.to_native(log, pass_through=True)
    frame = opened(log, eager_only=True)
    problems = missing_columns(list(frame.columns), options)
    if problems:
        raise DataContractError(problems)
    ids = frame[options.customer]
    line = _lines(native)
    when, no_time, zone = read_times(frame[options.time], options, problems, line)
    amount = _numbers(frame, options.amount, problems)
    profit = _profit(frame, amount, options, problems)
    if problems:
        raise DataContractError(problems)
    assert when is not None
    assert amount is not None

    no_id = _missing(ids) if codes is None else codes < 0
    unusable = [("missing_customer", no_id)]
    if no_time is not None:
        unusable.append(("missing_time", no_time))
    # a minimum and a maximum see NaN and infinity without a temporary array
    least, most = (amount.min(), amount.max()) if len(amount) else (1.0, 1.0)
    finite = None if np.isfinite(least) and np.isfinite(most) else np.isfinite(amount)
    if finite is not None:
        unusable.append(("bad_amount", ~finite))
    if profit is not None:
        unusable.append(("bad_profit", ~np.isfinite(profit)))
    left = _RowsLeft()
    while unusable:  # a mask that is done with gives its memory back
        reason, mask = unusable.pop(0)
        left.drop(reason, mask)
        if options.invalid == "error" and mask.any():
            problems.append(_invalid_problem(reason, mask, options, line))
    del no_id, mask
    if options.duplicates != "keep":
        again = left.still(_repeated(frame))
        if options.duplicates == "error" and again.any():
            problems.append(
                ContractProblem(
                    "duplicates",
                    "rows repeat an earlier one in every column",
                    "Choose duplicates='drop' or 'keep'.",
                    int(again.sum()),
                    _names(ids, again),
                )
            )
        left.drop("duplicate", again)

    tick = to_ticks(when, options.grain)
    fine = tick if options.fine == options.grain else to_ticks(when, options.fine)
    end = read_end(as_of, options, zone)
    usable = fine if left.alive is None else fine[left.alive]
    last = int(usable.max()) if len(usable) else None
    del when, usable
    if end is not None:
        if last is not None and last > end.last:
            left.drop("after_as_of", fine > end.last)
    elif last is None:
        problems.append(
            ContractProblem(
                "no-rows", "the log has no usable row to take the as-of date from", "Give as_of=."
            )
        )
    else:
        end = End.at(last, options)
        if not quiet:
            warn_caller(last_order_text(end), AsOfWarning)
    if not least > 0:  # nor is NaN
        _amount_policies(amount, ids, options, left, problems)
    if problems:
        raise DataContractError(problems)
    assert end is not None

    book = _book(left, amount, ids, line)
    odd = None
    if not quiet:
        warn_invalid(book)
        here = fine if left.alive is None else fine[left.alive]
        odd = alone(*days_of(here if options.fine == DAY else here // (DAY // options.fine)))
        warn_dates(odd, None if last is None else min(last, end.last), end)
    row = None if left.alive is None else np.flatnonzero(left.alive)
    amount_in = None
    if row is not None:
        amount_in = net(amount if finite is None else amount[finite])
        tick, fine, amount = tick[row], fine[row], amount[row]
        profit = None if profit is None else profit[row]
    money = minor_units(amount)
    if amount_in is None:
        amount_in = money.total()
    low = int(tick.min()) if len(tick) else end.tick
    bits = (int(tick.max() if len(tick) else low) - low).bit_length()
    room = 63 - bits - _bits_beside(money, profit)
    code, ids_of, gone = id_codes(ids, left.alive, left.each, room, codes)
    return Intake(
        code=code,
        tick=tick,
        low=low,
        tick_bits=bits,
        money=money,
        profit=None if profit is None else minor_units(profit),
        ids=ids_of,
        gone=gone,
        end=end,
        zone=zone,
        rows_in=len(frame),
        amount_in=amount_in,
        dropped=book,
        order=order_codes(frame, options, row),
        day=None if options.fine == options.grain else fine,
        alone=odd,
        row=row,
        kept={name: frame[name] for name in options.keep},
    )


def codes_of(log: Any, customer: str) -> Ints | None:
    """Whole numbers that sort as the ids do, one a row, -1 for nobody; None where ids are such."""
    ids = opened(log, eager_only=True)[customer]
    if ids.dtype.is_integer():
        return None
    at = np.flatnonzero(~_missing(ids))
    codes = np.full(len(ids), -1, dtype=np.int64)
    codes[at] = encode(ids, at, 0)[0]
    return codes


def _missing(ids: Any) -> Mask:
    """Rows without a customer: missing ids, and text that means nothing, as in files."""
    no_id = np.asarray(ids.is_null().to_numpy(), dtype=bool)
    if ids.dtype.is_float():
        return no_id | np.isnan(ids.to_numpy().astype(np.float64))
    if any(ids.dtype == kind for kind in _WORDS):
        said = ids.is_in(NOTHING) if ids.dtype == nw.String else ids.cast(nw.String).is_in(NOTHING)
        no_id = no_id | np.asarray(said.fill_null(False).to_numpy(), dtype=bool)
    elif ids.dtype == nw.Object:
        no_id = no_id | missing_ids(ids.to_numpy())
    return no_id


_WORDS = (nw.String, nw.Categorical, nw.Enum)


def _bits_beside(money: Money, profit: npt.NDArray[np.float64] | None) -> int:
    """Bits that must travel with customer and time when rows are sorted: cents, or the row."""
    row = len(money.values).bit_length()
    return min(row, money.bits) if money.exact and profit is None else row


def _numbers(
    frame: Any, name: str, problems: list[ContractProblem]
) -> npt.NDArray[np.float64] | None:
    series = frame[name]
    if not len(series):
        return np.empty(0)
    dtype = series.dtype
    words = (nw.String, nw.Categorical, nw.Enum, nw.Boolean)
    if not (dtype.is_temporal() or any(dtype == word for word in words)):
        values = series.to_numpy()
        try:
            if values.dtype.kind != "c":
                return np.ascontiguousarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            pass
    problems.append(
        ContractProblem(
            "not-numeric", f"column {name!r} is not numeric", "Convert it to numbers first."
        )
    )
    return None


def _profit(
    frame: Any,
    amount: npt.NDArray[np.float64] | None,
    options: LogOptions,
    problems: list[ContractProblem],
) -> npt.NDArray[np.float64] | None:
    """Profit of each row, None where it is the amount itself."""
    if not options.has_profit or amount is None:
        return None
    if options.cost is not None:
        cost = _numbers(frame, options.cost, problems)
        return None if cost is None else difference(amount, cost)
    if options.profit is not None:
        return _numbers(frame, options.profit, problems)
    if isinstance(options.margin, str):
        share = _numbers(frame, options.margin, problems)
        if share is not None and len(share) and np.nanmax(share, initial=0.0) > 1.0:
            problems.append(share_problem(options.margin, float(np.nanmax(share))))
        return None if share is None else amount * share
    assert options.margin is not None
    return amount * float(options.margin)


def _amount_policies(
    amount: npt.NDArray[np.float64],
    ids: Any,
    options: LogOptions,
    left: _RowsLeft,
    problems: list[ContractProblem],
) -> None:
    """Refunds and zero amounts."""
    negative = left.still(amount < 0)
    if options.refunds == "error" and negative.any():
        problems.append(refund_problem(options, int(negative.sum()), _names(ids, negative)))
    elif options.refunds == "drop":
        left.drop("refund", negative)
    if options.zero_amounts == "drop":
        left.drop("zero_amount", amount == 0)


def share_problem(name: str, most: float) -> ContractProblem:
    """Say that a column of margins is in per cent."""
    return ContractProblem(
        "margin-share",
        f"column {name!r} has margins up to {most:g}, and a margin is a share of the amount",
        "Divide per cents by 100: 30 % is 0.3.",
    )


def refund_problem(options: LogOptions, count: int, first: tuple[str, ...]) -> ContractProblem:
    """Say that negative amounts need a policy."""
    return ContractProblem(
        "refunds",
        f"column {options.amount!r} has negative amounts, which would count as purchases",
        "Choose refunds='net_occasion', 'net_order' (with order=) or 'drop'.",
        count,
        first,
    )


def _lines(native: Any) -> Any:
    """Names of rows for errors: the lines of a file where the log's index says so, else None."""
    if not nw.dependencies.is_pandas_dataframe(native) or native.index.name != "line":
        return None
    return native.index


def _rows(mask: Mask, line: Any) -> tuple[str, ...]:
    """First five rows in ``mask``: their lines, else positions from 0."""
    where = np.flatnonzero(mask)[:5]
    return first_ids(where if line is None else (f"line {line[i]}" for i in where))


def _invalid_problem(reason: str, mask: Mask, options: LogOptions, line: Any) -> ContractProblem:
    return ContractProblem(
        reason.replace("_", "-"),
        f"the log's {WORDS[reason]}",
        "Repair these rows, or choose invalid='drop' to leave them out and count them.",
        int(mask.sum()),
        _rows(mask, line),
    )


def _book(left: _RowsLeft, amount: npt.NDArray[np.float64], ids: Any, line: Any) -> list[Dropped]:
    """One entry a reason."""
    book: list[Dropped] = []
    for reason, mask in left.each:
        lost = amount[mask]
        first = _rows(mask, line) if reason in _BY_ROW else _names(ids, mask)
        book.append(Dropped(reason, int(mask.sum()), net(lost[np.isfinite(lost)]), first))
    return book


_BY_ROW = {"missing_customer"}  # such rows have no id to name
_INVALID = ("missing_customer", "missing_time", "bad_amount", "bad_profit")


def warn_invalid(book: list[Dropped]) -> None:
    """Say once, with counts, which unusable rows were left out."""
    lost = [d for d in book if d.reason in _INVALID]
    if lost:
        text = "; ".join(f"{WORDS[d.reason]}: {d.rows:,}" for d in lost)
        warn_caller(
            f"rows left out: {text}. They are in the row ledger; invalid='error' refuses them.",
            DataWarning,
        )


def warn_dates(odd: Alone | None, last: int | None, end: End) -> None:
    """Say which rows stand alone, and that an as-of date lies far past the log."""
    if odd is not None:
        warn_caller(
            f"{odd}. They count as orders; correct their date, or leave them out.",
            DataWarning,
        )
    if last is not None and (end.last - last) * end.fine > FAR_DAYS * DAY:
        years = (end.last - last) * end.fine / DAY / 365.25
        warn_caller(
            f"as_of={end.date} lies {years:,.0f} years after the last order "
            f"({tick_date(last, end.fine)}): everybody has been silent that long.",
            DataWarning,
        )


FAR_DAYS = 3653  # ten years: no log is looked at that late on purpose


def _names(ids: Any, mask: Mask) -> tuple[str, ...]:
    """First five different customers of the rows in ``mask``."""
    found: dict[str, None] = {}
    for at in np.flatnonzero(mask):
        value = ids[int(at)]
        found[str(value)] = None
        if len(found) == 5:
            break
    return tuple(found)


def _repeated(frame: Any) -> Mask:
    """Rows that repeat an earlier one in every column."""
    index = "__row__"
    while index in frame.columns:
        index += "_"
    kept = frame.with_row_index(index).unique(subset=list(frame.columns), keep="first")
    out = np.ones(len(frame), dtype=bool)
    out[kept[index].to_numpy()] = False
    return out
