"""Faults of events and of the deals they belong to: told together, or left out and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue._typing import Ints, Mask
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.funnel._ledger import LEFT_OUT, REASONS, DroppedDeals


@dataclass(frozen=True)
class EventColumns:
    """Which columns to read, and the names of stages and outcomes.

    Parameters
    ----------
    stages : tuple of str
        In order.
    outcomes : tuple of str
        What is won first, then every way to lose.
    deal, stage, time : str
    amount : str or None
    by : tuple of str
        Columns that make a deal's group.
    bad : {"error", "drop"}
    time_format : str or None
    """

    stages: tuple[str, ...]
    outcomes: tuple[str, ...]
    deal: str = "deal"
    stage: str = "stage"
    time: str = "time"
    amount: str | None = None
    by: tuple[str, ...] = ()
    bad: str = "error"
    time_format: str | None = None


class Faults:
    """Which rows are at fault and why; a deal's first fault is its reason."""

    def __init__(self, columns: EventColumns, ids: Any, code: Ints) -> None:
        self._columns, self._ids, self._code = columns, ids, code
        self._row_why = np.zeros(len(code), dtype=np.int8)
        self._deal_why = np.zeros(len(ids), dtype=np.int8)
        self._names = [""]

    def add(self, reason: str, rows: Mask) -> None:
        """Rows at fault by themselves; their deals with them, where the deal is known."""
        self._names.append(reason)
        if rows.any():
            self._mark(len(self._names) - 1, np.flatnonzero(rows))

    def _mark(self, why: int, rows: Ints) -> None:
        fresh = rows[self._row_why[rows] == 0]
        self._row_why[fresh] = why
        deals = self._code[rows]
        deals = np.unique(deals[deals >= 0])
        self._deal_why[deals[self._deal_why[deals] == 0]] = why

    def add_sorted(self, row: Ints, code: Ints, stage: Ints, n_stages: int) -> None:
        """Mark what the order of a deal's events contradicts."""
        first = np.empty(len(row), dtype=bool)
        first[:1] = True
        np.not_equal(code[1:], code[:-1], out=first[1:])
        last = np.append(first[1:], True)
        ends = stage >= n_stages
        self._names += ["never_opened", "closed_before_opened", "after_outcome"]
        at = len(self._names)
        self._mark(at - 3, row[ends & first & last])
        self._mark(at - 2, row[ends & first & ~last])
        self._mark(at - 1, row[ends & ~first & ~last])

    @property
    def any_deal(self) -> bool:
        return bool(self._deal_why.any())

    def bad_rows(self) -> Mask:
        """Rows at fault, and all rows of deals at fault."""
        bad = self._row_why > 0
        if self.any_deal:
            bad |= (self._code >= 0) & (self._deal_why > 0)[self._code]
        return bad

    def settle(self) -> None:
        """Raise all faults together unless they are to be left out."""
        if self._columns.bad == "drop":
            return
        problems = []
        for why, reason in enumerate(self._names):
            rows = np.flatnonzero(self._row_why == why) if why else np.empty(0, dtype=np.int64)
            if not len(rows):
                continue
            said, cure = REASONS[reason]
            known = self._code[rows] >= 0
            some = self._ids[self._code[rows[known]][:200]] if known.any() else rows
            first = first_ids(dict.fromkeys(some.tolist()))
            cure = f"{cure} {LEFT_OUT}"
            problems.append(
                ContractProblem(reason.replace("_", "-"), self._column(reason, said), cure,
                                len(rows), first)
            )  # fmt: skip
        if problems:
            raise DataContractError(problems)

    def _column(self, reason: str, said: str) -> str:
        names = {
            "missing_deal": self._columns.deal,
            "missing_stage": self._columns.stage,
        }
        return f"column {names.get(reason, self._columns.time)!r}: {said}"

    def book(self, late: Mask) -> list[DroppedDeals]:
        """Rows dropped by reason; a deal's rows go under the deal's reason."""
        out = []
        why = self._row_why.copy()
        if self.any_deal:
            of_deal = np.where(self._code >= 0, self._deal_why[self._code], 0)
            why = np.where(of_deal > 0, of_deal, why)
        for k, reason in enumerate(self._names):
            rows = np.flatnonzero(why == k) if k else np.empty(0, dtype=np.int64)
            if len(rows):
                out.append(self._entry(reason, rows))
        if late.any():
            out.append(self._entry("after_as_of", np.flatnonzero(late)))
        return out

    def _entry(self, reason: str, rows: Ints) -> DroppedDeals:
        deals = np.unique(self._code[rows])
        deals = deals[deals >= 0]
        first = self._ids[deals[:5]].tolist() if len(deals) else rows[:5].tolist()
        return DroppedDeals(reason, len(rows), len(deals), first_ids(first))
