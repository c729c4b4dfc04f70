"""Columns of categories beside columns of numbers: text in, words out; all else stays numbers."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._row_scorer import OneRow
from custvalue.exceptions import ContractProblem, DataContractError, no_column

MISSING = "missing"


def is_text(values: npt.NDArray[Any]) -> bool:
    """Whether a column holds categories (text, truth values, anything but numbers)."""
    return values.dtype.kind not in "iuf"


def as_words(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Categories as text; a missing one is ``"missing"``."""
    words = pd.Series(values, dtype=object)
    return np.asarray(words.astype(str).where(words.notna(), MISSING), dtype=object)


def coded(words: npt.NDArray[Any]) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Sorted categories, and the place of each row's among them."""
    place, names = pd.factorize(words, sort=True)
    return [str(name) for name in names], np.asarray(place, dtype=np.intp)


def columns_of(X: Any, columns: Sequence[str], caller: str) -> dict[str, npt.NDArray[Any]]:
    """Named columns, numbers as floats and all else as words; problems of all of them together."""
    have = _frames.column_names(X)
    if have is None:
        raise TypeError(f"{caller} needs a frame with named columns, not {type(X).__name__}.")
    problems, found = [], {}
    for name in columns:
        if name not in have:
            problems.append(
                ContractProblem(
                    "missing-column",
                    f"{caller} has no column {name!r}; it has {sorted(map(str, have))}",
                    "Name one of its columns.",
                )
            )
            continue
        values = _frames.column(X, name)
        if values.dtype.kind in "mM":
            problems.append(
                ContractProblem(
                    "dates-for-categories",
                    f"column {name!r} holds dates or durations",
                    "Count them in a unit, or cut them into named periods.",
                )
            )
            continue
        if is_text(values):
            found[name] = as_words(values)
            continue
        numbers = values.astype(np.float64)
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            problems.append(
                ContractProblem.at(
                    "not-finite",
                    f"column {name!r} has infinite values",
                    "Drop these rows or fill them; row positions are counted from 0.",
                    infinite,
                )
            )
        found[name] = numbers
    if problems:
        raise DataContractError(problems)
    return found


def columns_of_row(
    row: OneRow, columns: Sequence[str], text: Container[str], caller: str
) -> dict[str, npt.NDArray[Any]]:
    """``columns_of`` one customer; ``text`` tells the kind of what is missing."""
    wanted = [name for name in columns if name not in text]
    found = dict(zip(wanted, row.floats(wanted, allow_missing=wanted, caller=caller), strict=True))
    absent = [name for name in columns if name in text and name not in row.given]
    if absent:
        raise DataContractError([no_column(name, list(row.given), caller) for name in absent])
    for name in columns:
        if name in text:
            value = row.given[name]
            gone = value is None or value != value  # NaN, NaT
            if not gone and not is_text(np.asarray(value)):
                told = f"{name!r} is {value}, a number, and was text in fit"
                raise DataContractError(ContractProblem("not-text", told, "Give its category."))
            found[name] = np.array([MISSING if gone else str(value)], dtype=object)
    return {name: found[name] for name in columns}


def category_of(row: OneRow, name: str, caller: str) -> str:
    """``category_columns`` of one of a customer's values."""
    if name not in row.given:
        raise DataContractError(no_column(name, list(row.given), caller))
    value = row.given[name]
    if isinstance(value, str):
        return value
    if value is None or value != value:  # NaN, NaT
        return MISSING
    if is_text(np.asarray(value)):
        return str(value)
    (number,) = row.floats([name], caller=caller)
    if number[0] != np.floor(number[0]):
        told = f"{name!r} is {value}, a number with a fraction"
        cure = "Cut it into named classes first, as SizeCuts.learned does with revenue."
        raise DataContractError(ContractProblem("numbers-for-categories", told, cure))
    return str(int(number[0]))


def category_columns(X: Any, columns: Sequence[str], caller: str) -> dict[str, npt.NDArray[Any]]:
    """Columns of categories as words; whole numbers are read as codes, fractions refused."""
    found = columns_of(X, columns, caller)
    problems = []
    for name, values in found.items():
        if values.dtype.kind != "f":
            continue
        known = ~np.isnan(values)
        broken = np.flatnonzero(known & (values != np.floor(values)))
        if len(broken):
            problems.append(
                ContractProblem.at(
                    "numbers-for-categories",
                    f"column {name!r} has numbers with fractions",
                    "Cut it into named classes first, as SizeCuts.learned does with revenue.",
                    broken,
                )
            )
            continue
        codes = np.full(len(values), None, dtype=object)
        codes[known] = [str(int(v)) for v in values[known]]
        found[name] = as_words(codes)
    if problems:
        raise DataContractError(problems)
    return found
