"""Where every row and every deal of an event log went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from custvalue._html import html_table
from custvalue._portable import check_names, number, reading, texts
from custvalue.exceptions import ArtefactError

# reason -> what it says, and what to do about it
REASONS: dict[str, tuple[str, str]] = {
    "missing_deal": ("deal id is missing", "Give every event its deal."),
    "missing_stage": ("stage is missing", "Give every event its stage."),
    "missing_time": (
        "date is missing or unreadable",
        "Fill it in; a deal without a date of entry has no age.",
    ),
    "closed_before_opened": (
        "the outcome is dated before the first stage",
        "Correct the dates.",
    ),
    "never_opened": (
        "there is an outcome, but no stage was entered",
        "Add the event with which the deal began.",
    ),
    "after_outcome": (
        "there are events after the outcome",
        "Give a deal that was opened again an id of its own.",
    ),
    "out_of_order": (
        "a later stage is dated before an earlier one",
        "Correct the dates, or write an event log, in which stages may be entered again.",
    ),
    "unclear_outcome": (
        "won or lost without a date, or a date of closing without either",
        "Fill in what is missing.",
    ),
    "after_as_of": ("after the as-of date", ""),
}
LEFT_OUT = "Or leave these deals out with bad='drop'; the ledger counts them."


class DroppedDeals(NamedTuple):
    """Rows left out for one reason, and the deals they belong to.

    Examples
    --------
    >>> DroppedDeals("missing_time", 3, 2, ("17", "23")).deals
    2
    """

    reason: str
    rows: int
    deals: int
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class FunnelLedger:
    """Rows in = rows used + rows repeated + rows dropped.

    Parameters
    ----------
    rows_in, rows_used : int
    repeated : int
        Rows that name the stage a deal is in already: they may bring a new amount, but no move.
    deals : int
        Deals with a stage entered by the as-of date.
    dropped : tuple of DroppedDeals
        One entry a reason. A deal with a fault is left out whole; rows after the as-of date are
        the future, and their deals stay.

    Examples
    --------
    >>> FunnelLedger(10, 7, 1, 3, (DroppedDeals("missing_time", 2, 1, ("17",)),)).adds_up
    True
    """

    rows_in: int
    rows_used: int
    repeated: int
    deals: int
    dropped: tuple[DroppedDeals, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether every row is accounted for."""
        return self.rows_in == self.rows_used + self.repeated + sum(d.rows for d in self.dropped)

    def __add__(self, other: FunnelLedger) -> FunnelLedger:
        """Ledger of two disjoint sets of deals."""
        if not isinstance(other, FunnelLedger):
            return NotImplemented
        both = {d.reason: d for d in self.dropped}
        for d in other.dropped:
            had = both.get(d.reason, DroppedDeals(d.reason, 0, 0))
            first = (*had.first, *d.first)[:5]
            both[d.reason] = DroppedDeals(d.reason, had.rows + d.rows, had.deals + d.deals, first)
        return FunnelLedger(
            self.rows_in + other.rows_in,
            self.rows_used + other.rows_used,
            self.repeated + other.repeated,
            self.deals + other.deals,
            tuple(both.values()),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain = asdict(self)
        plain["dropped"] = [{**d._asdict(), "first": list(d.first)} for d in self.dropped]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FunnelLedger:
        """Read back what ``to_dict`` wrote.

        Raises
        ------
        ArtefactError
            If a name is missing or unknown, or a value is not of its kind.
        """
        with reading("funnel ledger"):
            check_names(plain, [f.name for f in fields(cls)], "the funnel ledger")
            counts = {k: _count(v, k) for k, v in plain.items() if k != "dropped"}
            dropped = []
            for entry in plain["dropped"]:
                check_names(entry, DroppedDeals._fields, "a reason of the funnel ledger")
                if entry["reason"] not in REASONS:
                    raise ArtefactError(f"reason {entry['reason']!r:.80} is none of a ledger.")
                numbers = {k: _count(entry[k], k) for k in ("rows", "deals")}
                first = texts(entry["first"], "first")
                dropped.append(DroppedDeals(reason=entry["reason"], first=first, **numbers))
            return cls(dropped=tuple(dropped), **counts)

    def _repr_html_(self) -> str:
        rows: list[tuple[Any, ...]] = [("in", self.rows_in, "", "")]
        rows += [(REASONS[d.reason][0], -d.rows, d.deals, ", ".join(d.first)) for d in self.dropped]
        rows += [("repeats", -self.repeated, "", ""), ("used", self.rows_used, self.deals, "")]
        return html_table("Rows of the event log", ["", "rows", "deals", "first"], rows)


def _count(value: Any, name: str) -> int:
    found = number(value, name)
    if found < 0 or found % 1:
        raise ArtefactError(f"{name}={value!r} must be a count.")
    return int(found)
