"""The few public errors and warnings, each with one meaning.

An error is raised where the number would be wrong, a warning where it may be biased. Every
warning has its own class, so that a service can turn one of them into an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

__all__ = [
    "ArtefactError",
    "AsOfWarning",
    "BinWarning",
    "BoundaryFitWarning",
    "ContractProblem",
    "ConvergenceWarning",
    "CustvalueWarning",
    "DataContractError",
    "DataWarning",
    "EmptySegmentWarning",
    "FitFailedError",
    "FontWarning",
    "HorizonError",
    "InSampleWarning",
    "IndependenceWarning",
    "InterruptedWarning",
    "NotSupportedError",
    "OneTimeBuyerWarning",
    "ProblemShareWarning",
    "RateWarning",
    "SelectionWarning",
    "SignWarning",
    "SmallSampleWarning",
    "TimeUnitError",
    "TimeUnitWarning",
    "UndefinedMeanError",
    "UndefinedMetricError",
]


@dataclass(frozen=True)
class ContractProblem:
    """One thing that is wrong with a table.

    Parameters
    ----------
    code : str
        Stable short name, e.g. ``"missing-column"`` or ``"refunds"``.
    message : str
        What is wrong, naming the column.
    cure : str
        One sentence: what to do about it.
    count : int, default=0
        Number of rows (or customers) at fault; 0 where rows do not apply.
    ids : tuple of str, default=()
        The first five customer ids or row positions at fault.
    rows : sequence of int, default=()
        Positions of all rows at fault, where the fault is one of rows: without them the rest of
        the table is sound.

    Examples
    --------
    >>> from custvalue.exceptions import ContractProblem
    >>> print(ContractProblem("refunds", "'amount' has negative values",
    ...                       "Choose refunds='net_occasion'.", 2, ("7", "9")))
    refunds: 'amount' has negative values (2 rows, first: 7, 9). Choose refunds='net_occasion'.
    """

    code: str
    message: str
    cure: str
    count: int = 0
    ids: tuple[str, ...] = ()
    rows: Any = field(default=(), repr=False, compare=False)

    @classmethod
    def at(cls, code: str, message: str, cure: str, rows: Any) -> ContractProblem:
        """Say what is wrong with some rows of a table, of which the first five are named.

        Parameters
        ----------
        code, message, cure : str
        rows : array of int
            Positions of the rows, counted from 0.

        Examples
        --------
        >>> from custvalue.exceptions import ContractProblem
        >>> print(ContractProblem.at("negative-spend", "'spend' is negative", "Net refunds.", [4]))
        negative-spend: 'spend' is negative (1 row, first: 4). Net refunds.
        """
        return cls(code, message, cure, len(rows), first_ids(rows), rows)

    def __str__(self) -> str:
        where = ""
        if self.count:
            where = f" ({self.count:,} row{'s' if self.count != 1 else ''}"
            where += f", first: {', '.join(self.ids)})" if self.ids else ")"
        return f"{self.code}: {self.message}{where}. {self.cure}"


class DataContractError(ValueError):
    """A table breaks the contract; all its problems are collected and raised together.

    Parameters
    ----------
    problems : sequence of ContractProblem
        What is wrong, one entry a problem.

    Attributes
    ----------
    problems : tuple of ContractProblem

    Examples
    --------
    >>> from custvalue.exceptions import ContractProblem, DataContractError
    >>> error = DataContractError([ContractProblem("empty", "the log has no rows", "Pass a log.")])
    >>> [p.code for p in error.problems]
    ['empty']
    """

    def __init__(self, problems: Sequence[ContractProblem] | ContractProblem) -> None:
        if isinstance(problems, ContractProblem):
            problems = [problems]
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            text = str(self.problems[0])
        else:
            text = f"{len(self.problems)} problems:\n" + "\n".join(
                f"  {i}. {p}" for i, p in enumerate(self.problems, 1)
            )
        super().__init__(text)

    def __reduce__(self) -> tuple[type, tuple[tuple[ContractProblem, ...]]]:
        return type(self), (self.problems,)


class TimeUnitError(ValueError):
    """A span of time has no unit, an unknown unit, or one that does not fit."""


class ArtefactError(ValueError):
    """A written model (JSON) is broken, changed or of another kind; the text says how."""


class HorizonError(ValueError):
    """A value is asked without saying how far to look, or for ever where its sum has no end."""


class FitFailedError(RuntimeError):
    """A fit ended without an answer; the text has gradient norm, starts tried and data facts."""


class UndefinedMeanError(ValueError):
    """The fitted law has an infinite mean; the text lists the options."""


class UndefinedMetricError(ValueError):
    """The truth gives a metric no value: no total to be a share of, or no order that is right."""


class NotSupportedError(NotImplementedError):
    """A model does not define the quantity asked for; the text says why and names one that does."""


class CustvalueWarning(UserWarning):
    """Base of the library's warnings."""


class AsOfWarning(CustvalueWarning):
    """No as-of date was given, so the last order's date is used."""


class DataWarning(CustvalueWarning):
    """Rows were dropped or look wrong; the text says how many and why."""


class BinWarning(CustvalueWarning):
    """A variable has fewer distinct values than bins; the text names what remains."""


class EmptySegmentWarning(CustvalueWarning):
    """No customer can ever be in a segment; the text names it."""


class BoundaryFitWarning(CustvalueWarning):
    """The likelihood has its maximum on the boundary; forecasts stay usable."""


class ConvergenceWarning(CustvalueWarning):
    """A fit is usable, yet its gradient is larger than it should be."""


class SelectionWarning(CustvalueWarning):
    """The customers look selected (for example: no one-time buyers)."""


class SignWarning(CustvalueWarning):
    """An answer goes with the outcome the wrong way round; perhaps its scale is reversed."""


class SmallSampleWarning(CustvalueWarning):
    """Too few customers or events for the estimate to be stable."""


class OneTimeBuyerWarning(CustvalueWarning):
    """BG/NBD calls every one-time buyer alive, however long ago they bought."""


class IndependenceWarning(CustvalueWarning):
    """Spend per order goes with the number of orders, or looks like a total."""


class InSampleWarning(CustvalueWarning):
    """A model is scored on the rows it was fitted on."""


class InterruptedWarning(CustvalueWarning):
    """Long work was interrupted; the result holds what was finished, and says how much."""


class RateWarning(CustvalueWarning):
    """An annual discount rate is outside the range in which rates usually lie."""


class TimeUnitWarning(CustvalueWarning):
    """Only one of two, a table and a fitted model, says its unit of time."""


class ProblemShareWarning(CustvalueWarning):
    """Problem customers exceed the ceiling (3 % unless set otherwise)."""


class FontWarning(CustvalueWarning):
    """No installed font has the letters of a picture; the text says which font to install."""


def no_column(
    name: str,
    have: Iterable[object],
    table: str = "the table",
    cure: str = "Name the table's own columns.",
) -> ContractProblem:
    """Say that a table lacks a column, what it has, and which one was likely meant.

    Examples
    --------
    >>> from custvalue.exceptions import no_column
    >>> print(no_column("customer", ["Customer", "date"], "the log"))
    missing-column: the log has no column 'customer'; it has 'Customer', 'date'. Did you mean \
'Customer'?
    """
    names = [str(one) for one in have]
    plain = {one.strip().casefold().replace(" ", "_"): one for one in names}
    near = get_close_matches(str(name).strip().casefold().replace(" ", "_"), plain, 1, 0.75)
    if near:
        cure = f"Did you mean {plain[near[0]]!r}?"
    shown = ", ".join(map(repr, names[:20]))
    if len(names) > 20:
        shown += f" and {len(names) - 20:,} more"
    text = f"{table} has no column {name!r}; it has {shown or 'none'}"
    return ContractProblem("missing-column", text, cure)


def nearest(word: object, known: Iterable[object]) -> str:
    """Ask for the known name most like ``word``, upper or lower case; nothing where none is near.

    Examples
    --------
    >>> from custvalue.exceptions import nearest
    >>> nearest("Nigera", ["Nigeria", "Ghana"]), nearest("x", ["Nigeria"])
    (" Did you mean 'Nigeria'?", '')
    """
    names = {str(name).casefold(): str(name) for name in known}
    close = get_close_matches(str(word).casefold(), names, n=1)
    return f" Did you mean {names[close[0]]!r}?" if close else ""


def first_ids(ids: Iterable[object], n: int = 5) -> tuple[str, ...]:
    """First ``n`` ids as text, for errors and ledgers.

    Examples
    --------
    >>> from custvalue.exceptions import first_ids
    >>> first_ids(range(10))
    ('0', '1', '2', '3', '4')
    """
    out = []
    for value in ids:
        out.append(str(value))
        if len(out) == n:
            break
    return tuple(out)
