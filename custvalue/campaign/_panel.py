"""A panel of units and periods, read and checked once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._frames import column_names, eager, missing_ids, native_column
from custvalue._typing import Floats, Places
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, no_column


class Panel(NamedTuple):
    """Metrics by unit and period, and the period in which each unit starts.

    Parameters
    ----------
    values : ndarray of shape (n_metrics, n_units, n_periods)
    start : ndarray of shape (n_units,)
        Position among the periods; ``n_periods`` for never.
    periods : list
    """

    values: Floats
    start: Places
    periods: list[Any]


def read_panel(
    panel: Any, unit: str, period: str, metrics: list[str], adopted: str | None, start: Any
) -> Panel:
    names = [unit, period, *metrics, *([adopted] if adopted else [])]
    if not metrics:
        raise ValueError("metrics is empty: name the columns that may have changed.")
    have = column_names(panel)
    if have is None:
        raise TypeError(
            f"panel must be a table with the columns {names}, not {type(panel).__name__}."
        )
    problems = [no_column(name, have, "panel") for name in names if name not in have]
    if problems:
        raise DataContractError(problems)
    panel = eager(panel, names)
    who = pd.Series(native_column(panel, unit)).reset_index(drop=True)
    when = pd.Series(native_column(panel, period)).reset_index(drop=True)
    if not len(who):
        raise DataContractError(ContractProblem("empty", "panel has no rows", "Pass some."))
    for name, ids in ((unit, who), (period, when)):
        rows = np.flatnonzero(missing_ids(ids))
        if len(rows):
            problems.append(
                ContractProblem.at("missing", f"{name!r} is missing", "Name every row's.", rows)
            )
    if problems:
        raise DataContractError(problems)
    at, units = pd.factorize(who)
    on, periods = pd.factorize(when, sort=True)
    n, last = len(units), len(periods)
    times = np.bincount(at * last + on, minlength=n * last)
    problems += _of_units(
        "repeated-rows", "units have two rows of one period", "Sum or choose one.",
        units, np.asarray((times.reshape(n, last) > 1).any(axis=1)),
    )  # fmt: skip
    problems += _of_units(
        "missing-periods", f"units lack some of the {last:,} periods",
        "Add the rows (0 where nothing happened), or leave these units out.",
        units, np.asarray((times.reshape(n, last) == 0).any(axis=1)),
    )  # fmt: skip
    values = np.full((len(metrics), n, last), np.nan)
    for i, name in enumerate(metrics):
        column = pd.Series(native_column(panel, name)).reset_index(drop=True)
        try:
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            problems.append(
                ContractProblem(
                    "not-numeric", f"{name!r} has values that are no numbers", "Pass some."
                )
            )
            continue
        rows = np.flatnonzero(~np.isfinite(numbers))
        if len(rows):
            problems.append(
                ContractProblem.at(
                    "missing-metric",
                    f"{name!r} has missing or infinite values",
                    "Write 0 where nothing happened, or leave these units out.",
                    rows,
                )
            )
        values[i, at, on] = numbers
    if last < 2:
        problems.append(
            ContractProblem("one-period", f"there is one period, {periods[0]}", "Two are needed.")
        )
    begun = np.full(n, last, dtype=np.intp)
    if adopted is None:
        begun[:] = _place(periods, pd.Series([start]), "start")[0]
    else:
        told = pd.Series(native_column(panel, adopted)).reset_index(drop=True)
        never = missing_ids(told)
        places = np.full(len(told), last, dtype=np.intp)
        if not never.all():
            places[~never] = _place(periods, told[~never], adopted)
        begun[at] = places
        problems += _of_units(
            "two-starts", f"units have more than one {adopted!r}", "A unit starts once.",
            units, np.isin(np.arange(n), at[places != begun[at]]),
        )  # fmt: skip
    problems += _of_units(
        "no-before", f"units started in the first period, {periods[0]}, or before it: nothing is "
        "known of them before", "Add earlier periods, or leave these units out.",
        units, begun == 0,
    )  # fmt: skip
    if problems:
        raise DataContractError(problems)
    return Panel(values, begun, list(periods))


def _place(periods: Any, told: pd.Series, name: str) -> Places:
    """First period that is not before each start."""
    index = pd.Index(periods)
    try:
        if isinstance(index, pd.DatetimeIndex):
            told = pd.Series(pd.DatetimeIndex(told))
        elif index.dtype.kind in "iuf":
            told = told.astype(float)
        return np.asarray(index.searchsorted(told.to_numpy(), side="left"), dtype=np.intp)
    except (TypeError, ValueError):
        raise DataContractError(
            ContractProblem(
                "other-kind",
                f"{name} has {told.iloc[0]!r}, which is not of the kind of the periods "
                f"({periods[0]!r}, ...)",
                "Write both alike.",
            )
        ) from None


def _of_units(
    code: str, text: str, cure: str, units: Any, at_fault: npt.NDArray[np.bool_]
) -> list[ContractProblem]:
    if not at_fault.any():
        return []
    ids = np.asarray(units)[at_fault]
    return [ContractProblem(code, text, cure, len(ids), first_ids(ids))]
