"""What columns of customers do to a law's parameters: factors, one an encoded column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from custvalue._open_table import Table
from custvalue._portable import check_names, number
from custvalue._typing import Floats
from custvalue.exceptions import ArtefactError
from custvalue.likelihood import _columns
from custvalue.likelihood._columns import Missing, SeenColumn, Told
from custvalue.likelihood._law import Law


class Term(NamedTuple):
    """One factor: of which processes, and by which encoded column.

    Examples
    --------
    >>> Term(("purchase", "leave"), "plan=pro").name
    'purchase=leave:plan=pro'
    """

    processes: tuple[str, ...]
    label: str

    @property
    def name(self) -> str:
        """Name among the parameters."""
        return f"{'='.join(self.processes)}:{self.label}"


@dataclass(frozen=True)
class Effects:
    """Columns of customers, and by which factor each moves how often, how soon or how much.

    A customer's own value of a scale parameter is the law's times the exponential of a sum of
    columns times coefficients, with the sign at which a coefficient above 0 means more orders,
    leaving sooner, more money. So the parameters of the law itself are those of a customer whose
    numbers are 0 and whose categories are the base levels.

    Parameters
    ----------
    columns : tuple of SeenColumn
    terms : tuple of Term
    values : tuple of float
        Coefficients: logs of the factors.
    missing : {"raise", "encode"}

    Examples
    --------
    >>> from custvalue.purchase import NBD
    >>> model = NBD.from_params(r=1.0, alpha=5.0, effects={"purchase": {"age": 0.02}})
    >>> model.fitted_.effects.names, model.fitted_.effects.values
    (('purchase:age',), (0.02,))
    """

    columns: tuple[SeenColumn, ...]
    terms: tuple[Term, ...]
    values: tuple[float, ...]
    missing: Missing = "raise"

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each factor."""
        return tuple(term.name for term in self.terms)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return tuple(label for column in self.columns for label in column.labels)

    @property
    def mean(self) -> Floats:
        """Mean of the encoded columns over the customers of the fit."""
        return np.array([v for column in self.columns for v in column.mean])

    @property
    def spread(self) -> Floats:
        """Their standard deviations."""
        return np.array([v for column in self.columns for v in column.spread])

    @property
    def processes(self) -> tuple[str, ...]:
        """Processes that have a column."""
        return tuple(dict.fromkeys(p for term in self.terms for p in term.processes))

    def of(self, process: str) -> tuple[list[int], list[int]]:
        """Places among the factors, and among the encoded columns, of one process."""
        place = {label: i for i, label in enumerate(self.labels)}
        found = [i for i, term in enumerate(self.terms) if process in term.processes]
        return found, [place[self.terms[i].label] for i in found]

    def design(self, table: Table, caller: str) -> Floats:
        """Encode the columns of a table, shape (n_rows, n_labels).

        Raises
        ------
        DataContractError
            Columns or categories that the fit does not know, missing values; by row.
        """
        found = _columns.read_traits(
            table, [column.name for column in self.columns], caller, missing=self.missing
        )
        return _columns.encode_traits(self.columns, found, caller)

    def moved(self, values: Sequence[float] | Floats) -> Effects:
        """Return the same columns with other coefficients."""
        return replace(self, values=tuple(map(float, values)))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "columns": [column.to_dict() for column in self.columns],
            "terms": [[list(term.processes), term.label] for term in self.terms],
            "values": list(self.values),
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, plain: Any, law: Law) -> Effects:
        """Inverse of ``to_dict``.

        Raises
        ------
        ArtefactError
            If it is none, or not of this law.
        """
        check_names(plain, ("columns", "terms", "values", "missing"), "the effects")
        columns = []
        for one in plain["columns"]:
            check_names(one, ("name", "levels", "fill", "mean", "spread"), "a column")
            column = SeenColumn(
                str(one["name"]),
                tuple(map(str, one["levels"])),
                None if one["fill"] is None else number(one["fill"], "fill"),
                tuple(number(v, "mean") for v in one["mean"]),
                tuple(number(v, "spread") for v in one["spread"]),
            )
            if not len(column.labels) == len(column.mean) == len(column.spread):
                raise ArtefactError(f"column {column.name!r} has figures of other columns.")
            columns.append(column)
        terms = tuple(Term(tuple(map(str, p)), str(label)) for p, label in plain["terms"])
        values = tuple(number(v, "effect") for v in plain["values"])
        found = cls(tuple(columns), terms, values, plain["missing"])
        known = {*law.processes}
        if (
            plain["missing"] not in ("raise", "encode")
            or len(terms) != len(values)
            or not {t.label for t in terms} <= {*found.labels}
            or not {*found.processes} <= known
        ):
            raise ArtefactError(f"the effects are not of {law.name}.")
        return found


class ColumnsAsked(NamedTuple):
    """Columns that an estimator was asked to read, by process; checked.

    Parameters
    ----------
    by_process : dict of str to tuple of str
    equal : tuple of str
        Columns with one coefficient in both processes.
    missing : {"raise", "encode"}
    ridge : float
    """

    by_process: dict[str, tuple[str, ...]]
    equal: tuple[str, ...] = ()
    missing: Missing = "raise"
    ridge: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Every column once."""
        return tuple(dict.fromkeys(name for names in self.by_process.values() for name in names))


def columns_asked(law: Law, options: Mapping[str, Any], caller: str) -> ColumnsAsked:
    """Check the options of an estimator that speak of columns.

    Parameters
    ----------
    law : Law
    options : mapping
        ``<process>_columns``, ``equal_columns``, ``missing``, ``ridge``.
    caller : str

    Raises
    ------
    TypeError, ValueError
        Naming the option, and what it may be.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for option, given in options.items():
        if not option.endswith("_columns"):
            continue
        names = _names(option, given)
        process = option.removesuffix("_columns")
        if names and process != "equal" and process not in law.processes:
            can = " and ".join(f"{p}_columns" for p in law.processes) or "no columns"
            raise ValueError(
                f"{option}={given!r}: {law.name} has no such process; {caller} takes {can}."
            )
        chosen[process] = names
    equal = chosen.pop("equal", ())
    wrong = [n for n in equal if any(n not in names for names in chosen.values())]
    if wrong:
        raise ValueError(
            f"equal_columns={list(equal)!r}: {', '.join(map(repr, wrong))} must stand in "
            f"{' and in '.join(f'{p}_columns' for p in chosen)}, to have one coefficient in both."
        )
    missing, ridge = options.get("missing", "raise"), options.get("ridge", 0.0)
    if missing not in ("raise", "encode"):
        raise ValueError(f"missing={missing!r} must be 'raise' or 'encode'.")
    try:
        good = not isinstance(ridge, bool) and 0.0 <= float(ridge) < np.inf
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"ridge={ridge!r} must be a number of customers, 0 or more: what the belief that the "
            "columns do nothing is worth."
        )
    used = {process: names for process, names in chosen.items() if names}
    return ColumnsAsked(used, equal, missing, float(ridge))


def _names(option: str, given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    listed = isinstance(given, (list, tuple, np.ndarray)) or hasattr(given, "to_list")
    if not listed or not all(isinstance(name, str) for name in given):
        raise TypeError(f"{option}={given!r} must be a list of names of columns, or None.")
    names = tuple(given)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{option} names {', '.join(map(repr, twice))} twice.")
    return names


def learn_effects(
    wanted: ColumnsAsked, table: Table, told: Mapping[str, Told], weight: Floats | None, caller: str
) -> tuple[Effects, Floats]:
    """Columns as they stand in a table of ``fit``, with no effect yet, and their design.

    Parameters
    ----------
    wanted : ColumnsAsked
    table : Table
    told : mapping of str to Told
        By process.
    weight : ndarray or None
    caller : str

    Returns
    -------
    effects : Effects
    Z : ndarray of shape (n_rows, n_labels)
    """
    found = _columns.read_traits(table, wanted.names, caller, missing=wanted.missing)
    by_column = {
        name: [told[p] for p, names in wanted.by_process.items() if name in names and p in told]
        for name in wanted.names
    }
    columns, Z = _columns.learn_traits(found, by_column, weight, lenient=wanted.ridge > 0.0)
    terms = _terms(wanted, columns)
    return Effects(columns, terms, (0.0,) * len(terms), wanted.missing), Z


def _terms(wanted: ColumnsAsked, columns: Sequence[SeenColumn]) -> tuple[Term, ...]:
    terms = []
    by_name = {column.name: column for column in columns}
    done = set()
    for process, names in wanted.by_process.items():
        for name in names:
            which = tuple(wanted.by_process) if name in wanted.equal else (process,)
            if (which, name) in done:
                continue
            done.add((which, name))
            terms += [Term(which, label) for label in by_name[name].labels]
    return tuple(terms)


def stated_effects(
    law: Law, effects: Mapping[str, Mapping[str, Any]], equal: Sequence[str], missing: Missing
) -> Effects:
    """Effects that a user states: by process and column a coefficient, or one a category.

    Parameters
    ----------
    law : Law
    effects : mapping
        Such as ``{"purchase": {"age": 0.02, "plan": {"basic": 0.0, "pro": 0.4}}}``; the first
        category is the base and has 0.
    equal : sequence of str
    missing : {"raise", "encode"}

    Raises
    ------
    ValueError
        If a process is not of the law, a number is none, or a base level is not 0.
    """
    columns: dict[str, SeenColumn] = {}
    values: dict[tuple[str, str], float] = {}
    if not isinstance(effects, Mapping):
        raise TypeError(f"effects={effects!r} must be a dictionary by process.")
    for process, each in effects.items():
        if process not in law.processes:
            raise ValueError(
                f"effects of {process!r}: {law.name} has {', '.join(law.processes) or 'none'}."
            )
        for name, told in each.items():
            levels = tuple(map(str, told)) if isinstance(told, Mapping) else ()
            numbers = list(told.values()) if isinstance(told, Mapping) else [told]
            numbers = [number(v, f"effect of {name!r}") for v in numbers]
            if levels and (numbers[0] != 0.0 or len(levels) < 2):
                raise ValueError(
                    f"effects of {name!r}: the first category is the base, with 0.0; give another."
                )
            plain = (0.0,) * max(1, len(levels) - 1)
            column = SeenColumn(str(name), levels, None, plain, tuple(1.0 for _ in plain))
            if columns.setdefault(str(name), column) != column:
                raise ValueError(f"effects of {name!r}: one list of categories for all processes.")
            values.update(
                {
                    (process, s): v
                    for s, v in zip(column.labels, numbers[-len(plain) :], strict=True)
                }
            )
    wanted = ColumnsAsked(
        {p: tuple(map(str, each)) for p, each in effects.items()}, tuple(equal), missing
    )
    terms = _terms(wanted, list(columns.values()))
    coefficients = [{values[p, term.label] for p in term.processes} for term in terms]
    if any(len(each) > 1 for each in coefficients):
        raise ValueError(f"effects of {', '.join(equal)} must be equal in all processes.")
    flat = tuple(next(iter(each)) for each in coefficients)
    return Effects(tuple(columns.values()), terms, flat, missing)


def own_parameters(law: Law, params: Any, effects: Effects | None, Z: Floats | None) -> Any:
    """Give each customer's parameters: numbers, and arrays where columns move them.

    Parameters
    ----------
    law : Law
    params : NamedTuple
    effects : Effects or None
    Z : ndarray of shape (n_rows, n_labels) or None

    Returns
    -------
    tuple
    """
    if effects is None or Z is None:
        return params
    own: list[Any] = [float(v) for v in params]
    for process, (names, sign) in law.processes.items():
        terms, labels = effects.of(process)
        if not terms:
            continue
        moved = np.exp(sign * (Z[:, labels] @ np.array([effects.values[i] for i in terms])))
        for name in names:
            k = law.names.index(name)
            own[k] = own[k] * moved
    return tuple(own)
