"""The row ledger: where every row and every cent of a log went."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw

from custvalue._frames import facts_of
from custvalue._html import html_table
from custvalue._portable import check_names, kind_of, number, reading, texts
from custvalue.exceptions import ArtefactError

WORDS = {
    "missing_customer": "customer id is missing",
    "missing_time": "time is missing or unreadable",
    "bad_amount": "amount is missing or not finite",
    "bad_profit": "margin, cost or profit is missing or not finite",
    "duplicate": "row repeats an earlier one in every column",
    "after_as_of": "after the as-of date",
    "refund": "negative amount (refunds='drop')",
    "zero_amount": "zero amount",
    "before_cutoff": "up to the cutoff, in the known part",
    "order_netted_away": "order nets to nothing or less",
    "occasion_netted_away": "occasion nets to nothing or less",
}


class Dropped(NamedTuple):
    """Rows left out for one reason.

    ``reason`` is a stable short name, ``rows`` and ``amount`` their number and net amount, and
    ``first`` up to five customer ids (row positions where the id is missing).

    Examples
    --------
    >>> Dropped("zero_amount", 2, 0.0, ("17", "23")).rows
    2
    """

    reason: str
    rows: int
    amount: float
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowLedger:
    """Rows in = rows used + rows dropped, and the same for the net amount.

    Parameters
    ----------
    rows_in, rows_used : int
    amount_in, amount_used : float
        Net amounts; a missing or infinite amount counts as nothing.
    dropped : tuple of Dropped
        One entry a reason, in the order in which reasons are looked for; a row has one reason.
    customers : int or None
        Customers in the result. None where a lazy engine would have to do the whole work twice;
        ``ledger(table, count=True)`` has it done.
    occasions : int or None
        Purchase occasions in the result; ``rows_used - occasions`` rows were merged into others.
    customers_lost : int or None
        Customers with rows up to the as-of date and no purchase left.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-02-01", "2024-01-05"],
    ...                     "paid": [10.0, 20.0, 0.0]})
    >>> book = cv.ledger(cv.summarize(log, customer="who", time="when", amount="paid",
    ...                               as_of="2024-03-01"))
    >>> book.rows_in, book.rows_used, book.adds_up
    (3, 2, True)
    >>> [(d.reason, d.rows) for d in book.dropped]
    [('zero_amount', 1)]
    """

    rows_in: int
    rows_used: int
    amount_in: float
    amount_used: float
    dropped: tuple[Dropped, ...] = ()
    customers: int | None = None
    occasions: int | None = None
    customers_lost: int | None = None

    @property
    def adds_up(self) -> bool:
        """Whether rows agree exactly and money within 1e-9 of what went through the books."""
        rows = self.rows_in == self.rows_used + sum(d.rows for d in self.dropped)
        parts = [self.amount_used, *(d.amount for d in self.dropped)]
        size = max(1.0, abs(self.amount_in), *(abs(p) for p in parts))
        return rows and abs(self.amount_in - math.fsum(parts)) <= 1e-9 * size

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain = asdict(self)
        plain["dropped"] = [
            {"reason": d.reason, "rows": d.rows, "amount": d.amount, "first": list(d.first)}
            for d in self.dropped
        ]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> RowLedger:
        """Read back what ``to_dict`` wrote, or the ``ledger.json`` of a report.

        Raises
        ------
        ArtefactError
            If a name is missing or unknown, or a value is not of its kind.
        """
        with reading("row ledger"):
            known = {name: value for name, value in plain.items() if name != "files"}
            check_names(known, [f.name for f in fields(cls)], "the row ledger")
            for name, value in known.items():
                if name != "dropped":
                    found = number(value, name, none=name.startswith(("customers", "occasions")))
                    if "amount" not in name and value is not None and (found < 0 or found % 1):
                        raise ArtefactError(f"{name}={value!r} must be a count.")
            dropped = []
            for entry in known["dropped"]:
                check_names(entry, Dropped._fields, "a reason in the row ledger")
                kind_of(entry["reason"], WORDS)
                number(entry["rows"], "rows")
                number(entry["amount"], "amount")
                dropped.append(Dropped(**{**entry, "first": texts(entry["first"], "first")}))
            return cls(**{**known, "dropped": tuple(dropped)})

    def _repr_html_(self) -> str:
        rows: list[tuple[Any, ...]] = [("in", self.rows_in, self.amount_in, "")]
        rows += [(WORDS[d.reason], -d.rows, -d.amount, ", ".join(d.first)) for d in self.dropped]
        rows.append(("used", self.rows_used, self.amount_used, ""))
        title = "Rows of the log"
        if self.occasions is not None and self.customers is not None:
            title = f"Rows of {self.customers:,} customers, {self.occasions:,} occasions"
        return html_table(title, ["", "rows", "net amount", "first"], rows)

    def __str__(self) -> str:
        lines = [
            f"{'rows':>14} {'net amount':>20}",
            f"{self.rows_in:>14,} {self.amount_in:>20,.2f}  in",
        ]
        for d in self.dropped:
            first = f" (first: {', '.join(d.first)})" if d.first else ""
            lines.append(f"{-d.rows:>14,} {0.0 - d.amount:>20,.2f}  {WORDS[d.reason]}{first}")
        used = f"{self.rows_used:>14,} {self.amount_used:>20,.2f}  used"
        if self.occasions is not None and self.customers is not None:
            used += f": {self.occasions:,} occasions of {self.customers:,} customers"
        lines.append(used)
        if self.customers_lost:
            some = "customer has" if self.customers_lost == 1 else "customers have"
            lines.append(f"{self.customers_lost:,} {some} no purchase left")
        return "\n".join(lines)


def merged(books: Sequence[RowLedger]) -> RowLedger:
    """One ledger for the parts of a log; customers add up only where parts share none."""
    dropped: dict[str, list[Dropped]] = {}
    for book in books:
        for entry in book.dropped:
            dropped.setdefault(entry.reason, []).append(entry)
    return RowLedger(
        rows_in=sum(b.rows_in for b in books),
        rows_used=sum(b.rows_used for b in books),
        amount_in=math.fsum(b.amount_in for b in books),
        amount_used=math.fsum(b.amount_used for b in books),
        dropped=tuple(
            Dropped(
                reason,
                sum(d.rows for d in entries),
                math.fsum(d.amount for d in entries),
                # a position in a part of the log says nothing about the log
                ()
                if reason == "missing_customer"
                else tuple(sorted({name for d in entries for name in d.first}))[:5],
            )
            for reason in WORDS
            if (entries := dropped.get(reason))
        ),
        customers=_sum(b.customers for b in books),
        occasions=_sum(b.occasions for b in books),
        customers_lost=_sum(b.customers_lost for b in books),
    )


def _sum(parts: Iterable[int | None]) -> int | None:
    known = list(parts)
    return None if None in known else sum(n for n in known if n is not None)


def ledger(table: Any, *, count: bool = False) -> RowLedger:
    """Row ledger of a table made by ``summarize``, ``panel`` or ``split_by_date``.

    Parameters
    ----------
    table : frame
        The table as it was returned (pandas keeps it through most operations, in ``attrs``).
    count : bool, default=False
        Whether to run the plan of a lazy or distributed table once, if its customers and occasions
        were not counted on the way.

    Returns
    -------
    RowLedger
        Printable: rows and net amount in, dropped by reason with first ids, used.

    Raises
    ------
    ValueError
        If the table carries no ledger.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({"who": [1, 1], "when": ["2024-01-01", "2024-05-01"], "paid": [9.5, 3]})
    >>> table = cv.summarize(log, customer="who", time="when", amount="paid", as_of="2024-03-01")
    >>> print(cv.ledger(table))
              rows           net amount
                 2                12.50  in
                -1                -3.00  after the as-of date (first: 1)
                 1                 9.50  used: 1 occasions of 1 customers
    """
    facts = facts_of(table)
    if facts is None or not facts.ledger:
        raise ValueError(
            "this table carries no row ledger; pass the table that summarize, panel or "
            "split_by_date returned, before it was joined or rebuilt."
        )
    book = RowLedger.from_dict(facts.ledger)
    if count and book.customers is None and facts.kind in _COUNTED:
        customers, occasions = _counts(table, *_COUNTED[facts.kind])
        book = replace(book, customers=customers, occasions=occasions)
    return book


# kind of table -> a column that is zero in one row of each customer (None: every row is), orders
_COUNTED = {"summary": (None, "n_orders"), "panel": ("age", "orders")}


def _counts(table: Any, zero: str | None, orders: str) -> tuple[int, int]:
    """Count customers and occasions of a lazy or distributed table."""
    if nw.dependencies.is_dask_dataframe(table):
        customers = len(table) if zero is None else int((table[zero] == 0).sum().compute())
        return customers, int(table[orders].sum().compute())
    one = nw.lit(1)
    if zero is not None:
        one = nw.when(nw.col(zero) == 0).then(one).otherwise(nw.lit(0))
    rows = nw.from_native(table).lazy().select(one.alias("who"), nw.col(orders).alias("n"))
    sums = rows.select(nw.col("who").sum(), nw.col("n").sum()).collect()
    return int(sums["who"][0] or 0), int(sums["n"][0] or 0)
