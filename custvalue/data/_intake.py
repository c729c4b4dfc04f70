"""An eager table of any kind -> codes, ticks and money as numpy arrays, with what was dropped."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custvalue.data._ids import coded, order_codes
from custvalue.data._ledger import WORDS, Dropped
from custvalue.data._money import Money, minor_units, net
from custvalue.data._options import LogOptions
from custvalue.data._times import as_of_tick, last_order_text, read_times, to_ticks
from custvalue.exceptions import (
    AsOfWarning,
    ContractProblem,
    DataContractError,
    DataWarning,
    first_ids,
)

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass
class Intake:
    """Rows of a log that count, as arrays.

    ``code`` are non-negative integers that sort as the customer ids do; ``tick`` is time in grains
    since 1970; ``ids`` gives the customer ids that codes stand for, as a series of the log's kind.
    ``gone`` are the codes of customers who lost a row (not counting rows after the as-of date).
    """

    code: Ints
    tick: Ints
    money: Money
    profit: Money | None
    ids: Callable[[Ints], Any]
    gone: Ints
    as_of: int
    zone: str | None
    rows_in: int
    amount_in: float
    dropped: list[Dropped] = field(default_factory=list)
    order: Ints | None = None


def missing_columns(have: list[str], options: LogOptions) -> list[ContractProblem]:
    """One problem for every column that the call names and the log lacks."""
    return [
        ContractProblem(
            "missing-column",
            f"the log has no column {name!r}; it has {sorted(map(str, have))}",
            "Name the log's own columns in customer=, time=, amount=.",
        )
        for name in options.columns
        if name not in have
    ]


def take_in(log: Any, options: LogOptions, as_of: Any, *, quiet: bool = False) -> Intake:
    """Read an eager log; ``quiet`` where the same rows were warned about already.

    Raises
    ------
    DataContractError
        With every problem of the call.
    """
    native = nw.to_native(log, pass_through=True)
    if nw.dependencies.is_pandas_dataframe(native) and native.columns.has_duplicates:
        twice = native.columns[native.columns.duplicated()].unique()
        raise DataContractError(
            ContractProblem(
                "duplicate-column",
                f"the log has several columns called {', '.join(map(repr, twice))}",
                "Rename or drop them.",
            )
        )
    frame = nw.from_native(log, eager_only=True)
    problems = missing_columns(list(frame.columns), options)
    if problems:
        raise DataContractError(problems)
    n = len(frame)
    ids = frame[options.customer]
    when, no_time, zone = read_times(frame[options.time], options, problems)
    amount = _numbers(frame, options.amount, problems)
    profit = _profit(frame, amount, options, problems)
    if problems:
        raise DataContractError(problems)
    assert when is not None
    assert amount is not None

    no_id = ids.is_null().to_numpy().astype(bool)
    if ids.dtype.is_float():
        no_id |= np.isnan(ids.to_numpy().astype(np.float64))
    finite = None if _all_finite(amount) else np.isfinite(amount)
    fates: list[tuple[str, Mask]] = []
    if no_id.any():
        fates.append(("missing_customer", no_id))
    if no_time is not None:
        fates.append(("missing_time", no_time))
    if finite is not None:
        fates.append(("bad_amount", ~finite))
    if profit is not None and not _all_finite(profit):
        fates.append(("bad_profit", ~np.isfinite(profit)))
    alive = np.ones(n, dtype=bool)
    if options.invalid == "error":
        problems += [_invalid_problem(reason, mask, options) for reason, mask in fates]
    for _, mask in fates:
        alive &= ~mask
    if options.duplicates != "keep":
        again = _repeated(frame) & alive
        if again.any():
            if options.duplicates == "error":
                problems.append(
                    ContractProblem(
                        "duplicates",
                        "rows repeat an earlier one in every column",
                        "Choose duplicates='drop' or 'keep'.",
                        int(again.sum()),
                        _names(ids, again),
                    )
                )
            fates.append(("duplicate", again))
            alive &= ~again

    tick = to_ticks(when, options.grain)
    end = as_of_tick(as_of, options, zone)
    if end is None and not alive.any():
        problems.append(
            ContractProblem(
                "no-rows", "the log has no usable row to take the as-of date from", "Give as_of=."
            )
        )
    elif end is None:
        end = int(tick.max() if alive.all() else tick[alive].max())
        if not quiet:
            warnings.warn(last_order_text(end, options), AsOfWarning, stacklevel=4)
    elif n and tick.max() > end:
        late = (tick > end) & alive
        fates.append(("after_as_of", late))
        alive &= ~late
    if n and not (np.fmin.reduce(amount) > 0):  # NaN only where all are
        _amount_policies(amount, alive, ids, options, fates, problems)
    if problems:
        raise DataContractError(problems)
    assert end is not None

    book = _book(fates, amount, ids)
    if not quiet:
        warn_invalid(book)
    row = None if alive.all() else np.flatnonzero(alive)
    amount_in = None
    if row is not None:
        amount_in = net(amount if finite is None else amount[finite])
        tick, amount = tick[row], amount[row]
        profit = None if profit is None else profit[row]
    money = minor_units(amount)
    if amount_in is None:
        amount_in = money.total()
    code, ids_of, gone = coded(ids, alive, fates, tick)
    return Intake(
        code=code,
        tick=tick,
        money=money,
        profit=None if profit is None else minor_units(profit),
        ids=ids_of,
        gone=gone,
        as_of=end,
        zone=zone,
        rows_in=n,
        amount_in=amount_in,
        dropped=book,
        order=order_codes(frame, options, row),
    )


def _numbers(
    frame: Any, name: str, problems: list[ContractProblem]
) -> npt.NDArray[np.float64] | None:
    series = frame[name]
    if not (series.dtype == nw.String or series.dtype == nw.Categorical):
        try:
            return np.ascontiguousarray(series.to_numpy(), dtype=np.float64)
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
        return None if cost is None else amount - cost
    if isinstance(options.margin, str):
        share = _numbers(frame, options.margin, problems)
        return None if share is None else amount * share
    assert options.margin is not None
    return amount * float(options.margin)


def _amount_policies(
    amount: npt.NDArray[np.float64],
    alive: Mask,
    ids: Any,
    options: LogOptions,
    fates: list[tuple[str, Mask]],
    problems: list[ContractProblem],
) -> None:
    """Refunds and zero amounts; ``alive`` is changed in place."""
    negative = (amount < 0) & alive
    if negative.any() and options.refunds == "error":
        problems.append(refund_problem(options, int(negative.sum()), _names(ids, negative)))
    elif options.refunds == "drop" and negative.any():
        fates.append(("refund", negative))
        alive &= ~negative
    if options.zero_amounts == "drop":
        zero = (amount == 0) & alive
        if zero.any():
            fates.append(("zero_amount", zero))
            alive &= ~zero


def refund_problem(options: LogOptions, count: int, first: tuple[str, ...]) -> ContractProblem:
    """Say that negative amounts need a policy."""
    return ContractProblem(
        "refunds",
        f"column {options.amount!r} has negative amounts, which would count as purchases",
        "Choose refunds='net_occasion', 'net_order' (with order=) or 'drop'.",
        count,
        first,
    )


def _invalid_problem(reason: str, mask: Mask, options: LogOptions) -> ContractProblem:
    return ContractProblem(
        reason.replace("_", "-"),
        f"the log's {WORDS[reason]}",
        "Repair these rows, or choose invalid='drop' to leave them out and count them.",
        int(mask.sum()),
        first_ids(np.flatnonzero(mask)),
    )


def _book(
    fates: list[tuple[str, Mask]], amount: npt.NDArray[np.float64], ids: Any
) -> list[Dropped]:
    """One entry a reason; a row belongs to the first reason that applies."""
    book: list[Dropped] = []
    taken: Mask | None = None
    for reason, mask in fates:
        mine = mask if taken is None else mask & ~taken
        taken = mine.copy() if taken is None else taken | mine
        if mine.any():
            lost = amount[mine]
            first = first_ids(np.flatnonzero(mine)) if reason in _BY_ROW else _names(ids, mine)
            book.append(Dropped(reason, int(mine.sum()), net(lost[np.isfinite(lost)]), first))
    return book


_BY_ROW = {"missing_customer"}  # such rows have no id to name
_INVALID = ("missing_customer", "missing_time", "bad_amount", "bad_profit")


def warn_invalid(book: list[Dropped]) -> None:
    """Say once, with counts, which unusable rows were left out."""
    lost = [d for d in book if d.reason in _INVALID]
    if lost:
        text = "; ".join(f"{WORDS[d.reason]}: {d.rows:,}" for d in lost)
        warnings.warn(
            f"rows left out: {text}. They are in the row ledger; invalid='error' refuses them.",
            DataWarning,
            stacklevel=5,
        )


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
    kept = frame.with_row_index(index).unique(subset=list(frame.columns), keep="first")
    out = np.ones(len(frame), dtype=bool)
    out[kept[index].to_numpy()] = False
    return out


def _all_finite(values: npt.NDArray[np.float64]) -> bool:
    # a minimum and a maximum see NaN and infinity without a temporary array
    return not len(values) or bool(np.isfinite(values.min()) and np.isfinite(values.max()))
