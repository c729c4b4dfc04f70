"""What a learner of campaigns reads of customers: numbers, words, gaps; any table, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._categories import as_words, columns_of, is_text
from custvalue._open_table import open_table
from custvalue._sklearn import validate_data
from custvalue._typing import ByName, Floats
from custvalue.exceptions import ContractProblem, DataContractError

MOST_WORDS = 20  # of a column: each is a feature of 0 and 1
RARE = 0.01  # share of customers below which a word is no feature
IDS = "the table's own customer column"
DATES = "dates; count them in a unit of time to use them"
RARE_WORDS = "no word is shared by 1 % of customers"


@dataclass(frozen=True)
class Column:
    """How a column becomes features.

    Parameters
    ----------
    name : str
    levels : tuple of str or None
        Frequent words, each a feature of 0 and 1; None is a column of numbers.
    middle : float
        Median of the numbers that are there.
    gaps : bool
        Whether numbers were missing in ``fit``.
    """

    name: str
    levels: tuple[str, ...] | None = None
    middle: float = 0.0
    gaps: bool = False

    @classmethod
    def of(cls, name: str, values: npt.NDArray[Any]) -> Column | None:
        """Learn it from customers; None where it tells nothing."""
        if is_text(values):
            words, count = np.unique(values.astype(str), return_counts=True)
            often = np.argsort(-count, kind="stable")[:MOST_WORDS]
            levels = sorted(str(words[i]) for i in often if count[i] >= RARE * len(values))
            # words shared by nobody are names
            return cls(name, tuple(levels)) if levels and count.max() > 1 else None
        there = values[~np.isnan(values)]
        middle = float(np.median(there)) if len(there) else 0.0
        return cls(name, None, middle, len(there) < len(values))

    def features(self, values: npt.NDArray[Any], fill: bool) -> list[Floats]:
        """One array a feature; with ``fill`` a missing number is the median, and said so."""
        if self.levels is not None:
            return [(values == word).astype(np.float64) for word in self.levels]
        if not fill:
            return [values]
        gone = np.isnan(values)
        filled = np.where(gone, self.middle, values)
        return [filled, gone.astype(np.float64)] if self.gaps else [filled]


@dataclass(frozen=True)
class Columns:
    """Columns that a learner reads, what was left out and why, and the unit of time.

    Parameters
    ----------
    columns : tuple of Column
    left_out : tuple of (str, str)
        Name of a column and the reason.
    unit : str or None
    """

    columns: tuple[Column, ...]
    left_out: tuple[tuple[str, str], ...]
    unit: str | None

    @classmethod
    def of(cls, values: ByName, left_out: Sequence[tuple[str, str]], unit: str | None) -> Columns:
        """Learn them from customers."""
        learned = {name: Column.of(name, v) for name, v in values.items() if name}
        more = [(name, RARE_WORDS) for name, column in learned.items() if column is None]
        kept = tuple(column for column in learned.values() if column is not None)
        return cls(kept, (*left_out, *more), unit)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    def matrix(self, values: ByName, fill: bool) -> Floats:
        """Features of customers, shape (n_customers, n_features)."""
        parts = [f for column in self.columns for f in column.features(values[column.name], fill)]
        n = len(next(iter(values.values())))
        return np.column_stack(parts) if parts else np.empty((n, 0))

    def places(self, fill: bool) -> list[list[int]]:
        """Positions of each column's features in the matrix."""
        found, at = [], 0
        for column in self.columns:
            n = len(column.features(np.empty(0), fill))
            found.append(list(range(at, at + n)))
            at += n
        return found


def takes_gaps(learner: Any) -> bool:
    """Whether a scikit-learn estimator says that it reads missing numbers."""
    from sklearn.utils import get_tags

    return bool(get_tags(learner).input_tags.allow_nan)


def read_to_learn(
    estimator: Any, X: Any, columns: Sequence[str] | None
) -> tuple[ByName, list[tuple[str, str]], str | None]:
    """Columns of the customers to learn from, what was left out, and the table's unit of time.

    Without ``columns`` a table's own customer column and dates are left out.
    """
    caller = type(estimator).__name__
    if isinstance(columns, str):
        raise ValueError(f"columns={columns!r} must be a list; write columns=[{columns!r}].")
    have = _frames.column_names(X)
    if have is None or not all(isinstance(name, str) for name in have):
        if columns is not None and len(columns):
            raise TypeError(f"columns= needs a frame with named columns, not {type(X).__name__}.")
        values = _by_position(estimator, X, reset=True)
        return (values if columns is None else _nothing(values)), [], None
    table = open_table(X)
    table.refuse_compressed(caller)
    left_out: list[tuple[str, str]] = []
    if columns is None:
        ids = table.ids
        left_out = [(str(ids[0]), IDS)] if ids is not None else []
        left_out += [
            (name, DATES)
            for name in have
            if table.column(name).dtype.kind in "mM" and (not ids or name != ids[0])
        ]
        out = {name for name, _ in left_out}
        columns = [name for name in have if name not in out]
    if len(set(columns)) < len(columns):
        raise ValueError(f"columns={list(columns)!r} names a column twice.")
    values = columns_of(X, columns, f"{caller}'s X")
    values = values or {"": np.zeros(_frames.n_rows(X))}
    n = len(next(iter(values.values())))
    if n < 2:
        raise ValueError(
            f"Found array with {n} sample(s) while a minimum of 2 is required by {caller}."
        )
    estimator.feature_names_in_ = np.array(list(columns), dtype=object)
    estimator.n_features_in_ = len(columns)
    return values, left_out, None if table.scale is None else table.scale.unit


def read_to_predict(estimator: Any, X: Any, columns: Columns) -> ByName:
    """Return the same columns of other customers; more columns and their order do not matter."""
    names = getattr(estimator, "feature_names_in_", None)
    if not _frames.is_frame(X) or names is None:
        values = _by_position(estimator, X, reset=False)
        return values if columns.columns else _nothing(values)
    caller = type(estimator).__name__
    table = open_table(X)
    table.unit(columns.unit, caller=f"this {caller} was fitted")
    n = table.n
    if n < 1:
        raise ValueError(
            f"Found array with 0 sample(s) (shape=(0, {len(names)})) while a minimum of 1 is "
            f"required by {caller}."
        )
    values = columns_of(X, columns.names, f"{caller}'s X")
    values = {
        name: as_words(v) if c.levels is not None and not is_text(v) and np.isnan(v).all() else v
        for c, (name, v) in zip(columns.columns, values.items(), strict=True)
    }
    changed = [c for c in columns.columns if is_text(values[c.name]) != (c.levels is not None)]
    if changed:
        raise DataContractError(
            [
                ContractProblem(
                    "changed-kind",
                    f"column {c.name!r} held {'numbers' if c.levels is None else 'words'} in fit "
                    f"and holds {'words' if c.levels is None else 'numbers'} now",
                    "Read it in the same way.",
                )
                for c in changed
            ]
        )
    return values or {"": np.zeros(n)}


def _by_position(estimator: Any, X: Any, reset: bool) -> ByName:
    values = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        ensure_min_samples=2 if reset else 1,
    )
    return {f"x{j}": column for j, column in enumerate(values.T)}


def _nothing(values: ByName) -> ByName:
    return {"": np.zeros(len(next(iter(values.values()))))}
