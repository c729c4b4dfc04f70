"""Rows of a subscription table, checked: all that is wrong is said at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._typing import Dates, Floats, Ints, Mask
from custvalue._warn import warn_caller
from custvalue.exceptions import (
    AsOfWarning,
    ContractProblem,
    DataContractError,
    DataWarning,
    no_column,
)

Overlaps: TypeAlias = Literal["error", "add"]
Future: TypeAlias = Literal["error", "open"]
NEVER = np.datetime64("9999-12-31", "D")  # end of what has not ended
_APART = np.int64(10_000_000)  # days, more than between any two: keeps customers apart in one line
_ENDS = (
    "Correct the dates; the end is the first day without the contract, or pass last_day=True where "
    "the column has the last day with it."
)


@dataclass(frozen=True, eq=False)
class Contracts:
    """Contracts sorted by customer, then start; days as datetime64[D].

    Parameters
    ----------
    ids : ndarray of shape (n_customers,)
        Sorted.
    who : ndarray of shape (n_contracts,)
        Row in ``ids``.
    start, end : ndarray of shape (n_contracts,)
        First day with the contract, and first day without.
    money : ndarray of shape (n_contracts,)
        Of a period.
    row : ndarray of shape (n_contracts,)
        Row of the table that was given.
    """

    ids: npt.NDArray[Any]
    who: Ints
    start: Dates
    end: Dates
    money: Floats
    row: Ints

    @property
    def first(self) -> Dates:
        """First day of each customer."""
        begins = np.r_[True, self.who[1:] != self.who[:-1]]
        return self.start[begins]

    def at(self, day: np.datetime64 | Dates) -> tuple[Floats, Mask]:
        """Money a period of each customer on a day (or on one of their own), and who is there."""
        when = day[self.who] if isinstance(day, np.ndarray) else day
        on = (self.start <= when) & (self.end > when)
        n = len(self.ids)
        money = np.bincount(self.who[on], weights=self.money[on], minlength=n)
        return money.astype(np.float64), np.bincount(self.who[on], minlength=n) > 0

    def known_by(self, day: np.datetime64) -> Contracts:
        """Give what was known on a day: what began by then, with no end that lies after it."""
        seen = self.start <= day
        ids, who = np.unique(self.who[seen], return_inverse=True)
        end = np.where(self.end[seen] > day, NEVER, self.end[seen])
        return replace(
            self,
            ids=self.ids[ids],
            who=who.astype(np.int64),
            start=self.start[seen],
            end=end,
            money=self.money[seen],
            row=self.row[seen],
        )

    def spells(self) -> tuple[Ints, Ints, Dates, Dates]:
        """Stretches without a gap: first and last contract, first day and first day without."""
        n = len(self.who)
        reach = self.end.astype(np.int64)
        # the running end within a customer: a customer's days lie above all earlier customers'
        lift = self.who * _APART
        reach = np.maximum.accumulate(reach + lift) - lift
        fresh = np.ones(n, dtype=bool)
        late = self.start[1:].astype(np.int64) > reach[:-1]
        fresh[1:] = (self.who[1:] != self.who[:-1]) | late
        first = np.flatnonzero(fresh)
        last = np.r_[first[1:], n] - 1
        end = np.maximum.reduceat(self.end.astype(np.int64), first).astype("datetime64[D]")
        return first, last, self.start[first], end


def read_contracts(
    frame: Any,
    *,
    customer: str,
    start: str,
    end: str | None,
    money: str,
    others: Sequence[str],
    as_of: np.datetime64 | None,
    last_day: bool,
    overlaps: Overlaps,
    future: Future,
    time_format: str | None,
) -> tuple[Contracts, np.datetime64, dict[str, int]]:
    """Read the rows, or raise with everything that is wrong with them."""
    have = _frames.column_names(frame)
    if have is None:
        raise TypeError(f"a subscription table is a table, not {type(frame).__name__}.")
    named = [customer, start, *([end] if end else []), money, *others]
    if problems := [no_column(n, have, "the table") for n in dict.fromkeys(named) if n not in have]:
        raise DataContractError(problems)
    problems = []
    ids = np.asarray(_frames.column(frame, customer))
    nobody = _frames.missing_ids(ids)
    begun = _days(frame, start, time_format, problems)
    over = np.full(len(ids), NEVER) if end is None else _days(frame, end, time_format, problems)
    if end is not None:
        over = np.where(np.isnat(over), NEVER, over + np.timedelta64(int(last_day), "D"))
    price = _frames.float_vectors(frame, [money], allow_missing=[money], caller="the table")[0]
    if problems:
        raise DataContractError(problems)
    if not len(ids):
        raise DataContractError(
            ContractProblem("empty", "the subscription table has no rows", "Pass some.")
        )
    told = np.concatenate([begun[~np.isnat(begun)], over[over < NEVER]])
    if as_of is None:
        as_of = told.max() if len(told) else NEVER
        warn_caller(
            f"no as_of: {as_of}, the last date in the table, is taken for the end of observation; "
            "a quiet end would look like nobody leaving. Give as_of=.",
            AsOfWarning,
        )
    ending = repr(end or "end")
    late, later = begun > as_of, (over > as_of) & (over < NEVER)
    faults: list[tuple[str, str, Mask, str]] = [
        (
            "missing-customer",
            f"{customer!r} is missing",
            nobody,
            "Give every contract its customer.",
        ),
        (
            "missing-start",
            f"{start!r} is missing",
            np.isnat(begun),
            "Give every contract its start.",
        ),
        (
            "missing-money",
            f"{money!r} is missing",
            np.isnan(price),
            "Give the money of a period, 0 where it is free.",
        ),
        (
            "negative-money",
            f"{money!r} is below 0",
            price < 0.0,
            "Give what a period costs the customer; refunds are no contracts.",
        ),
        ("end-before-start", f"{ending} is not after {start!r}", over <= begun, _ENDS),
    ]
    if future == "error":
        faults += [
            (
                "start-in-future",
                f"{start!r} lies after as_of={as_of}",
                late,
                "Give a later as_of, or future='open', which leaves out what has not begun.",
            ),
            (
                "end-in-future",
                f"{ending} lies after as_of={as_of}",
                later,
                "Leave an end empty until it has come, give a later as_of, or future='open'.",
            ),
        ]
    problems = [
        ContractProblem.at(code, text, cure, np.flatnonzero(bad))
        for code, text, bad, cure in faults
        if bad.any()
    ]
    sound = ~(nobody | np.isnat(begun) | (over <= begun))
    if overlaps == "error" and (bad := _overlapping(ids, begun, over, sound)).any():
        problems.append(
            ContractProblem.at(
                "overlap",
                "contracts of one customer overlap",
                "End a contract on the day on which the next begins, drop repeated rows, or pass "
                "overlaps='add' where several contracts may run at once.",
                np.flatnonzero(bad),
            )
        )
    if problems:
        raise DataContractError(problems)
    keep = ~late
    if not keep.any():
        raise DataContractError(
            ContractProblem("empty", f"no contract begins by {as_of}", "Give a later as_of.")
        )
    names, who = np.unique(ids[keep], return_inverse=True)
    rows = np.flatnonzero(keep)
    order = np.lexsort((rows, begun[keep], who))
    found = Contracts(
        names,
        who[order].astype(np.int64),
        begun[keep][order],
        np.where(later, NEVER, over)[keep][order],
        price[keep][order],
        rows[order],
    )
    if late.any():
        warn_caller(
            f"{int(late.sum()):,} contracts begin after as_of={as_of} and are left out.",
            DataWarning,
        )
    book = {
        "rows_in": len(ids),
        "rows_used": len(rows),
        "not_begun": int(late.sum()),
        "end_not_come": int((later & keep).sum()),
    }
    return found, as_of, book


def _days(frame: Any, name: str, time_format: str | None, problems: list[ContractProblem]) -> Dates:
    try:
        return _frames.wall_times(frame, name, time_format=time_format).astype("datetime64[D]")
    except DataContractError as error:
        problems += error.problems
        return np.full(_frames.n_rows(frame), np.datetime64("NaT"), dtype="datetime64[D]")


def _overlapping(ids: npt.NDArray[Any], start: Dates, end: Dates, sound: Mask) -> Mask:
    """Mark rows that begin before an earlier contract of the same customer has ended."""
    bad = np.zeros(len(ids), dtype=bool)
    rows = np.flatnonzero(sound)
    _, who = np.unique(ids[rows], return_inverse=True)
    order = np.lexsort((rows, start[rows], who))
    rows, who = rows[order], who[order].astype(np.int64)
    lift = who * _APART
    reach = np.maximum.accumulate(end[rows].astype(np.int64) + lift) - lift
    again = who[1:] == who[:-1]
    bad[rows[1:][again & (start[rows[1:]].astype(np.int64) < reach[:-1])]] = True
    return bad
