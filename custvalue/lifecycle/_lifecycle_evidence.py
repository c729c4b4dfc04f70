"""From a customer table to the evidence that stage rules read, with every problem collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._open_table import Table
from custvalue._sklearn import read_columns
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.lifecycle._stages import CRM_FLAGS, Evidence, StageThresholds

# the summary's column name -> the field of Evidence; arrays are read in this order
ORDER_COLUMNS = {
    "n_orders": "n_orders",
    "recency": "span",
    "silence": "silence",
    "gap_max": "gap_max",
    "gap_mean": "gap_mean",
    "gap_std": "gap_std",
    "total_value": "total_value",
}
NEEDED = ("n_orders", "recency", "silence", "gap_max")
CRM_COLUMNS = (*CRM_FLAGS, "satisfaction", "return_chance")
KNOWN = (*ORDER_COLUMNS, *CRM_COLUMNS)

_MADE_BY = "custvalue.summarize makes it; map other names with columns={%r: 'your name'}."


def check_mapping(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return the full mapping from known names to the table's names.

    Raises
    ------
    ValueError
        If ``columns`` maps a name that no rule reads.
    """
    given = dict(columns or {})
    unknown = sorted(set(given) - set(KNOWN))
    if unknown:
        raise ValueError(f"columns= maps {unknown}, which no rule reads; known are {list(KNOWN)}.")
    return {name: given.get(name, name) for name in KNOWN}


def present_columns(table: Table, mapping: Mapping[str, str]) -> tuple[str, ...] | None:
    """Known names that a frame has; None where it has to be read by position."""
    found = tuple(name for name in KNOWN if table.has(mapping[name]))
    return found or None


def check_needed(found: Sequence[str], mapping: Mapping[str, str]) -> None:
    """Refuse a table that lacks a column without which no rule can decide.

    Raises
    ------
    DataContractError
        Naming every missing column.
    """
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise DataContractError(
            [
                ContractProblem(
                    "missing-column",
                    f"the stage rules need column {mapping[name]!r}",
                    _MADE_BY % name,
                )
                for name in missing
            ]
        )


def read_named(
    estimator: Any,
    table: Table,
    names: Sequence[str],
    mapping: Mapping[str, str],
    *,
    reset: bool,
) -> npt.NDArray[np.float64]:
    """Values of the known ``names``, one column each, missing values left as NaN."""
    theirs = [mapping[name] for name in names]
    values, _ = read_columns(estimator, table, theirs, reset=reset, allow_missing=theirs)
    return values


def to_evidence(values: npt.NDArray[np.float64], names: Sequence[str]) -> Evidence:
    """Evidence from the columns ``names``; a customer without orders has ``n_orders`` 0."""
    fields: dict[str, Any] = {}
    for j, name in enumerate(names):
        fields[ORDER_COLUMNS.get(name, name)] = np.ascontiguousarray(values[:, j])
    fields["n_orders"] = np.nan_to_num(fields["n_orders"], nan=0.0)
    return Evidence(**fields)


def check_evidence(evidence: Evidence, mapping: Mapping[str, str]) -> None:
    """Refuse evidence that no history can give.

    Raises
    ------
    DataContractError
        Listing every column with values below zero, spans missing where there are orders, and
        flags that are neither true nor false.
    """
    problems: list[ContractProblem] = []

    def note(bad: npt.NDArray[np.bool_], code: str, message: str, cure: str) -> None:
        if bad.any():
            problems.append(ContractProblem.at(code, message, cure, np.flatnonzero(bad)))

    for name in NEEDED:
        column = getattr(evidence, ORDER_COLUMNS[name])
        note(
            column < 0,
            "negative",
            f"column {mapping[name]!r} is below zero",
            "Counts and spans of time start at 0; check the as-of date and the unit.",
        )
    ordered = evidence.n_orders > 0
    repeat = evidence.n_orders > 1
    for name, expected in (("recency", ordered), ("silence", ordered), ("gap_max", repeat)):
        column = getattr(evidence, ORDER_COLUMNS[name])
        note(
            np.isnan(column) & expected,
            "missing-span",
            f"column {mapping[name]!r} is missing for customers with orders",
            "Make the table with custvalue.summarize; only customers without orders may lack it.",
        )
    for name in CRM_FLAGS:
        flag = getattr(evidence, name)
        if flag is not None:
            note(
                ~(np.isnan(flag) | (flag == 0) | (flag == 1)),
                "not-a-flag",
                f"column {mapping[name]!r} has values other than true and false",
                "Use True and False (or 1 and 0), and leave it empty where it is not known.",
            )
    chance = evidence.return_chance
    if chance is not None:
        note(
            (chance < 0) | (chance > 1),
            "not-a-chance",
            f"column {mapping['return_chance']!r} is outside 0 to 1",
            "Use a chance, such as predict_proba_any of a purchase model.",
        )
    if problems:
        raise DataContractError(problems)


def check_satisfaction(evidence: Evidence, satisfied_from: float | None) -> float | None:
    """Cut of the satisfaction column: as given, or 0.5 where the column runs from 0 to 1.

    Raises
    ------
    ValueError
        If the column has another scale and no cut was given.
    """
    if evidence.satisfaction is None or satisfied_from is not None:
        return satisfied_from
    if np.nanmax(evidence.satisfaction, initial=0.0) > 1.0:
        top = float(np.nanmax(evidence.satisfaction))
        raise ValueError(
            f"satisfaction goes up to {top:g}; its scale is not 0 to 1, so say from where a "
            "customer counts as satisfied: satisfied_from=."
        )
    return 0.5


def learning_columns(
    values: npt.NDArray[np.float64], names: Sequence[str]
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Columns that a tree learns from: those of the table and two ratios made of them.

    ``silence_ratio`` is silence by the longest own gap, ``irregularity`` the gaps' standard
    deviation by their mean; both NaN without a gap.
    """
    at = {name: values[:, j] for j, name in enumerate(names)}
    extra: dict[str, npt.NDArray[np.float64]] = {}
    if "silence" in at and "gap_max" in at:
        extra["silence_ratio"] = _ratio(at["silence"], at["gap_max"])
    if "gap_std" in at and "gap_mean" in at:
        extra["irregularity"] = _ratio(at["gap_std"], at["gap_mean"])
    if not extra:
        return values, tuple(names)
    return np.column_stack([values, *extra.values()]), (*names, *extra)


def _ratio(
    above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


FEWEST = 10  # customers from whose gaps windows are learned


def with_usual_windows(
    at: StageThresholds, evidence: Evidence, sample_weight: Any
) -> StageThresholds:
    """Take the windows from the customers who have the orders of established ones.

    A customer's time for k orders is k mean gaps; a window is the middle half of the customers.
    """
    n, span = evidence.n_orders, evidence.span
    reached = (n >= max(at.established_orders, 2)) & (span > 0)
    weight = np.ones(len(n)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    if weight[reached].sum() < FEWEST:
        return at
    gap = span[reached] / (n[reached] - 1.0)
    order = np.argsort(gap, kind="stable")
    mass = np.cumsum(weight[reached][order])
    place = np.searchsorted(mass, np.array([0.25, 0.5, 0.75]) * mass[-1] * (1 - 1e-12))
    low, middle, high = (float(g) for g in gap[order][place])
    first = max(at.established_orders - 1, 1)
    then = max(at.core_orders - at.established_orders, 1)
    return replace(
        at,
        new_window=(first * low, first * high),
        established_window=(then * low, then * high),
        core_window=at.core_orders * middle,
    )


def with_usual_value(
    at: StageThresholds,
    evidence: Evidence,
    quantile: float | None,
    sample_weight: Any,
    established: npt.NDArray[np.bool_],
) -> StageThresholds:
    """Add the value from which a customer can be core: a quantile of the established ones.

    With weights, the smallest value at or below which lies the quantile of the weight.
    """
    if quantile is None or evidence.total_value is None:
        return at
    if not 0.0 <= quantile <= 1.0:
        raise ValueError(f"core_value_quantile={quantile!r} must lie between 0 and 1, or be None.")
    weight = np.ones(len(established)) if sample_weight is None else np.asarray(sample_weight)
    value, weight = evidence.total_value[established], weight[established]
    if not weight.sum() > 0:
        return at
    order = np.argsort(value, kind="stable")
    reached = np.searchsorted(np.cumsum(weight[order]), quantile * weight.sum() * (1 - 1e-12))
    return replace(at, core_value=float(value[order[min(reached, len(order) - 1)]]))
