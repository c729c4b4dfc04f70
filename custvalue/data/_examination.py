"""What a look at a log found: findings as values, told in English or Chinese."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from custvalue._html import html_table
from custvalue._words import EXAMINE, FINDINGS, Language, check_language

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES = ("error", "warning", "note")
# code -> how bad it is: errors make numbers wrong, warnings may bias them, notes are to be known
SEVERITY = {
    **dict.fromkeys(FINDINGS, "warning"),
    **dict.fromkeys(
        (
            "amount-is-time", "amount-is-id", "amount-is-quantity", "amount-is-price",
            "cents-and-units", "mixed-currencies", "time-as-numbers", "future-dates",
            "day-or-month",
        ),
        "error",
    ),
    **dict.fromkeys(
        (
            "unfinished-period", "columns-proposed", "midnight-only", "midnight-mixed",
            "zero-amounts", "time-not-iso", "no-newcomers", "amount-is-constant",
            "few-customers", "growth", "decline",
        ),
        "note",
    ),
}  # fmt: skip
_SPOKEN = ("looks", "why", "length")  # values that are words of ours, not names of the user's
COLUMNS = ("code", "severity", "what", "rows", "customers", "money", "first", "cure")


@dataclass(frozen=True)
class Finding:
    """One thing that is odd about a log.

    Parameters
    ----------
    code : str
        Stable short name, e.g. ``"future-dates"``.
    severity : {"error", "warning", "note"}
        Whether numbers would be wrong, may be biased, or the reader should only know.
    rows, customers : int
        How many are concerned. Of gaps in dates: how many rows seem to be missing.
    money : float
        Net amount of these rows.
    first : tuple of str
        Up to five of them: ids of customers, dates, or texts of cells.
    values : tuple of (str, object)
        What the sentences are filled with.

    Examples
    --------
    >>> from custvalue.data._examination import Finding
    >>> one = Finding("zero-amounts", "note", 3, 2, 0.0, ("7", "9"))
    >>> one.what()
    'Rows with an amount of 0: 3.'
    >>> one.what("zh")
    '3 行的金额为 0。'
    """

    code: str
    severity: str
    rows: int = 0
    customers: int = 0
    money: float = 0.0
    first: tuple[str, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()

    def what(self, language: Language = "en") -> str:
        """Say what is odd.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """
        return self._said(FINDINGS[self.code][0], language)

    def cure(self, language: Language = "en") -> str:
        """Say what to do about it.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """
        return self._said(FINDINGS[self.code][1], language)

    def _said(self, text: str, language: Language) -> str:
        values: dict[str, Any] = {
            "rows": self.rows,
            "customers": self.customers,
            "money": self.money,
        }
        for name, value in self.values:
            if isinstance(value, tuple):  # a part of the sentence, with a name in it
                values[name] = EXAMINE(value[0], language, name=value[1])
            else:
                values[name] = EXAMINE.name(value, language) if name in _SPOKEN else value
        return str(EXAMINE(text, language, **values))

    def to_dict(self, language: Language = "en") -> dict[str, Any]:
        """Plain JSON values, the sentences in one language.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        dict
        """
        return {
            "code": self.code,
            "severity": self.severity,
            "what": self.what(language),
            "rows": self.rows,
            "customers": self.customers,
            "money": self.money,
            "first": list(self.first),
            "cure": self.cure(language),
        }


@dataclass(frozen=True)
class Examination:
    """What :func:`custvalue.examine` found; ``print`` shows it, ``table()`` has it as a table.

    Parameters
    ----------
    findings : tuple of Finding
        Errors first, then warnings, then notes; among equals what concerns most rows.
    rows, customers : int
    money : float
        Net sum of all amounts that could be read.
    first, last : str
        Dates of the first and the last row that can be dated; empty where none can.
    customer, time, amount : str
        The columns that were looked at; ``amount`` may be a product.
    options : tuple of (str, str)
        What else a call on this log should say, e.g. ``("refunds", "net_occasion")``.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({"who": ["a", "b", "A"], "paid": [10.0, 0.0, 12.0],
    ...                     "when": ["2024-01-05", "2024-02-09", "2024-03-01"]})
    >>> found = cv.examine(log, customer="who", time="when", amount="paid")
    >>> [one.code for one in found]
    ['short-log', 'ids-by-spelling', 'few-customers', 'zero-amounts']
    >>> found["ids-by-spelling"].first
    ('A', 'a')
    """

    findings: tuple[Finding, ...]
    rows: int
    customers: int
    money: float
    first: str
    last: str
    customer: str
    time: str
    amount: str
    options: tuple[tuple[str, str], ...] = ()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __bool__(self) -> bool:
        return True  # also where nothing was found

    def __contains__(self, code: object) -> bool:
        return any(one.code == code for one in self.findings)

    def __getitem__(self, code: str) -> Finding:
        for one in self.findings:
            if one.code == code:
                return one
        raise KeyError(code)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the findings, in their order."""
        return tuple(one.code for one in self.findings)

    def table(self, language: Language = "en") -> pd.DataFrame:
        """Lay the findings out as a table.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
            Of headings and sentences; ``code`` stays.

        Returns
        -------
        DataFrame
            ``code``, ``severity``, ``what``, ``rows``, ``customers``, ``money``, ``first`` (the
            offenders as one text) and ``cure``; one row a finding.
        """
        import pandas as pd

        rows = [{**one.to_dict(language), "first": ", ".join(one.first)} for one in self.findings]
        return EXAMINE.table(
            pd.DataFrame(rows, columns=list(COLUMNS)), language, cells=["severity"], keep=[]
        )

    def text(self, language: Language = "en") -> str:
        """Say what was found, a paragraph a finding.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """
        lines = [self._headline(check_language(language))]
        if not self.findings:
            lines.append(EXAMINE("Nothing was found.", language))
        for one in self.findings:
            lines.append("")
            lines.append(f"[{EXAMINE(one.severity, language)}] {one.code}: {one.what(language)}")
            if one.rows:
                lines.append("    " + self._size(one, language))
            if one.first:
                lines.append(
                    "    " + EXAMINE("first: {first}", language, first=", ".join(one.first))
                )
            lines.append("    " + EXAMINE("What to do: {cure}", language, cure=one.cure(language)))
        return "\n".join(lines)

    def _headline(self, language: Language) -> str:
        return EXAMINE(
            "Examined: rows {rows:,}, customers {customers:,}, {first} to {last}, money "
            "{money:,.2f}.",
            language,
            rows=self.rows, customers=self.customers, money=self.money,
            first=self.first or "–", last=self.last or "–",
        )  # fmt: skip

    def _size(self, one: Finding, language: Language) -> str:
        return EXAMINE(
            "rows {rows:,} ({row_share:.1%}), customers {customers:,}, money {money:,.2f} "
            "({money_share:.1%})",
            language,
            rows=one.rows, customers=one.customers, money=one.money,
            row_share=one.rows / max(self.rows, 1),
            money_share=one.money / self.money if self.money else 0.0,
        )  # fmt: skip

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        table = self.table()
        return html_table(self._headline("en"), COLUMNS, table.itertuples(index=False))

    def to_dict(self, language: Language = "en") -> dict[str, Any]:
        """Plain JSON values.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
            Of the sentences.

        Returns
        -------
        dict
        """
        return {
            "rows": self.rows,
            "customers": self.customers,
            "money": self.money,
            "first": self.first,
            "last": self.last,
            "columns": {"customer": self.customer, "time": self.time, "amount": self.amount},
            "options": dict(self.options),
            "findings": [one.to_dict(language) for one in self.findings],
        }

    def next_step(self, log: str | Sequence[str], language: Language = "en", **words: str) -> str:
        """Say which command makes the report.

        Parameters
        ----------
        log : str or sequence of str
            Path of the file, or several.
        language : {"en", "zh"}, default="en"
        **words : str
            How the file was read, such as ``sheet="Orders"``.

        Returns
        -------
        str
        """
        return EXAMINE("Next: {command}", language, command=self.report_command(log, **words))

    def report_command(self, log: str | Sequence[str], **words: str) -> str:
        """Write the command that makes a report of the log, with what its rows ask for.

        Parameters
        ----------
        log : str or sequence of str
            Path of the file, or several.
        **words : str
            How the file was read, such as ``sheet="Orders"``; they go before what its rows ask for.

        Returns
        -------
        str
            For a shell, quoted where it must be.
        """
        given = {"customer": self.customer, "time": self.time, "amount": self.amount}
        files = [log] if isinstance(log, str) else list(log)
        said = ["custvalue", "report", *map(str, files)]
        for name, value in {**given, **dict(self.options), **words}.items():
            said += [f"--{name.replace('_', '-')}", value]
        return " ".join(shlex.quote(word) for word in said)
