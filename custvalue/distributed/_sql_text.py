"""Parts of which a statement of :func:`custvalue.distributed.score_sql` is put together.

Everything is written in DuckDB's words. Inner names begin with ``cv_`` and share no name with a
column of the user's, which is called by its own name only where it is read and where it is given
back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

FAR = 600.0  # exponents are held within this, so that no engine over- or underflows
HUGE = 1e300  # what is beyond, or no number, is not finite


def digits(value: float) -> str:
    """Write a number so that every engine reads a double, to its last digit."""
    plain = repr(float(value))
    return f"({plain})" if "e" in plain else f"({plain}e0)"


def sql_text(text: str) -> str:
    """Write a text constant."""
    return "'" + text.replace("'", "''") + "'"


def name_of(column: str) -> str:
    """Write the name of a column or a table, whatever stands in it."""
    return '"' + column.replace('"', '""') + '"'


def exp(power: str) -> str:
    """Write the exponential of what may be far from 0."""
    return f"EXP(GREATEST(LEAST({power}, {digits(FAR)}), {digits(-FAR)}))"


def total(terms: Iterable[str]) -> str:
    """Add terms, in pairs of pairs: a long chain of sums is too deep for some parsers."""
    parts = list(terms)
    while len(parts) > 1:
        parts = [
            f"({' + '.join(parts[i : i + 8])})" if i + 1 < len(parts) else parts[i]
            for i in range(0, len(parts), 8)
        ]
    return parts[0]


def bin_of(value: str, cuts: Sequence[float], *, upto: bool) -> str:
    """Write how many of the ascending cuts lie below a value (``upto``: or at it)."""
    sign = "<" if upto else "<="
    at = {float(cut): j for j, cut in reversed(list(enumerate(cuts)))}  # the first of equal ones
    if not at:
        return "0"
    cases = " ".join(f"WHEN {value} {sign} {digits(cut)} THEN {j}" for cut, j in sorted(at.items()))
    return f"CASE {cases} ELSE {len(cuts)} END"


def chosen(code: str, words: Sequence[str]) -> str:
    """Write the word whose place a code is."""
    cases = " ".join(f"WHEN {j} THEN {sql_text(text)}" for j, text in enumerate(words))
    return f"CASE {code} {cases} END"


class Read(NamedTuple):
    """A column that is read: its name in the table, as what, and whether it may be missing."""

    column: str
    kind: str = "number"  # "number", "flag" or "text"
    may_lack: bool = False


class Small(NamedTuple):
    """A small table that is joined: the step it is looked up by, names of columns, rows."""

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass
class Score:
    """What a model says of every row, as parts of one statement.

    Parameters
    ----------
    reads : dict of str to Read
        Inner name (without ``cv_``) and the column behind it.
    reasons : list of (code, condition)
        Why there is no answer for a row; the first that holds is told. Conditions are over the
        inner names ``cv_<name>``.
    steps : list of (name, expression)
        Worked out one after the other, as ``cv_<name>``; each may use those before.
    small : Small or None
        Its columns ``cv_<name>`` are there for ``columns``.
    columns : dict of str to str
        What is answered.
    notes : list of str
        Said above the statement.
    """

    reads: dict[str, Read] = field(default_factory=dict)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    small: Small | None = None
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def statement(self, table: str, keep: Sequence[str], *, fenced: bool = False) -> str:
        """Put the parts together in DuckDB's words.

        ``fenced`` for an engine that writes a step's text wherever its name stands, so that steps
        upon steps would grow without end (Postgres): ``OFFSET 0`` keeps it from that.
        """
        fence = " OFFSET 0" if fenced else ""
        kept = [f"cv_keep_{j}" for j in range(len(keep))]
        given = [f"{name_of(c)} AS {k}" for c, k in zip(keep, kept, strict=True)]
        given += [f"{_raw(read)} AS cv_{name}" for name, read in self.reads.items()]
        source = ".".join(name_of(part) for part in table.split("."))
        parts = [f"cv_read AS (SELECT {', '.join(given)} FROM {source}{fence})"]
        parts.append(
            f"cv_checked AS (SELECT cv_read.*, {self._reason()} AS cv_reason FROM cv_read{fence})"
        )
        # a bad row is worked out on nothing, so that no engine stumbles over it
        good = [*kept, "cv_reason"]
        good += [f"CASE WHEN cv_reason IS NULL THEN cv_{n} END AS cv_{n}" for n in self.reads]
        parts.append(f"cv_step_0 AS (SELECT {', '.join(good)} FROM cv_checked{fence})")
        for j, (name, text) in enumerate(self.steps):
            parts.append(f"cv_step_{j + 1} AS (SELECT cv_step_{j}.*, {text} AS cv_{name} "
                         f"FROM cv_step_{j}{fence})")  # fmt: skip
        last = f"cv_step_{len(self.steps)}"
        joined = last
        if self.small is not None:
            names = ", ".join(f"cv_{c}" for c in ("entry", *self.small.columns))
            rows = ", ".join(f"({', '.join(map(_cell, row))})" for row in self.small.rows)
            parts.append(f"cv_small AS (SELECT * FROM (VALUES {rows}) AS cv_rows({names}))")
            joined += f" LEFT JOIN cv_small ON cv_small.cv_entry = {last}.cv_{self.small.key}"
        told = [f"{k} AS {name_of(c)}" for c, k in zip(keep, kept, strict=True)]
        told += [
            f"CASE WHEN cv_reason IS NULL THEN {text} END AS {name_of(name)}"
            for name, text in self.columns.items()
        ]
        told.append("cv_reason AS reason")
        return f"WITH {', '.join(parts)} SELECT {', '.join(told)} FROM {joined}"

    def _reason(self) -> str:
        cases = [
            (f"not-finite: {read.column}", f"cv_{name} IS NULL")
            for name, read in self.reads.items()
            if not read.may_lack
        ]
        cases += [
            (f"not-a-flag: {read.column}", f"cv_{name} = 2")
            for name, read in self.reads.items()
            if read.kind == "flag"
        ]
        cases += self.reasons
        if not cases:
            return "CAST(NULL AS VARCHAR)"
        return f"CASE {' '.join(f'WHEN {when} THEN {sql_text(code)}' for code, when in cases)} END"


def _raw(read: Read) -> str:
    """Write a column as it is worked with; what is no finite number is missing."""
    column = name_of(read.column)
    if read.kind == "text":
        return column
    if read.kind == "flag":  # engines do not agree on how a truth becomes a number
        text = f"LOWER(CAST({column} AS VARCHAR))"
        return (f"CASE WHEN {column} IS NULL OR {text} = 'nan' THEN NULL "
                f"WHEN {text} IN ('true', 't', '1', '1.0') THEN 1 "
                f"WHEN {text} IN ('false', 'f', '0', '0.0') THEN 0 ELSE 2 END")  # fmt: skip
    value = f"CAST({column} AS DOUBLE)"
    return f"CASE WHEN {value} >= {digits(-HUGE)} AND {value} <= {digits(HUGE)} THEN {value} END"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return sql_text(value)
    return str(value) if isinstance(value, int) else digits(value)
