"""Columns that tell of the customer, as a law takes them: numbers, and categories as 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._categories import MISSING, as_words, coded
from custvalue._open_table import Table
from custvalue._typing import Floats, Mask
from custvalue._warn import warn_caller
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, no_column

Missing: TypeAlias = Literal["raise", "encode"]
MOST_LEVELS = 100  # of a column: beyond it they name customers, not kinds of them
FAR = 1000.0  # spreads from 0, at which a number says nothing of a customer at 0
TWINS = 1e-8  # share of a column's variance that the others leave, below which it is one of them
CLOSE = 0.9  # rank correlation with what a law explains, from which a column is named
ENOUGH = 50  # rows from which such a correlation is more than chance
# what `custvalue.summarize` makes of the orders themselves
OF_ORDERS = frozenset(
    {
        "frequency", "recency", "T", "monetary_value", "n_orders", "total_value", "mean_value",
        "total_profit", "silence", "silence_ratio", "silence_rank", "gap_mean", "gap_std",
        "gap_max", "gap_sum", "litt", "n_gaps", "n_gaps_shorter", "first_order", "last_order",
        "weight",
    }
)  # fmt: skip


@dataclass(frozen=True)
class SeenColumn:
    """A column as a fit saw it.

    Parameters
    ----------
    name : str
    levels : tuple of str
        Categories, the base level first; empty for numbers.
    fill : float or None
        What a missing number counts as, beside a mark that it is missing; None: it is refused.
    mean, spread : tuple of float
        Of each encoded column, over the customers of the fit.

    Examples
    --------
    >>> SeenColumn("plan", ("basic", "pro"), None, (0.25,), (0.43,)).labels
    ('plan=pro',)
    """

    name: str
    levels: tuple[str, ...]
    fill: float | None
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its encoded columns."""
        if self.levels:
            return tuple(f"{self.name}={level}" for level in self.levels[1:])
        return (self.name,) if self.fill is None else (self.name, f"{self.name}={MISSING}")

    def encoded(self, values: npt.NDArray[Any]) -> Floats:
        """Encode what ``read_traits`` gave, shape (n_rows, n_labels); levels must be known."""
        if not self.levels:
            if self.fill is None:
                return values[:, None]
            lost = np.isnan(values)
            return np.column_stack([np.where(lost, self.fill, values), lost.astype(np.float64)])
        from sklearn.preprocessing import OneHotEncoder

        names, at = coded(values)
        encoder = OneHotEncoder(categories=[list(self.levels)], drop="first", sparse_output=False)
        table = encoder.fit(np.array([[self.levels[0]]], dtype=object)).transform(
            np.array(names, dtype=object)[:, None]
        )
        return np.asarray(table, dtype=np.float64)[at]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "levels": list(self.levels),
            "fill": self.fill,
            "mean": list(self.mean),
            "spread": list(self.spread),
        }


class Told(NamedTuple):
    """What a process says of each customer, to hold columns against.

    Parameters
    ----------
    never, ever : ndarray of bool or None
        Where the process was never seen, and where it was seen as often as can be.
    size : ndarray or None
        How often.
    words : str
        What ``never`` is, in words.
    what : str
        What ``size`` is, in words.
    beside : ndarray or None
        What ``size`` goes with of itself, and what a column may go with too: only what is left of
        both is compared.
    """

    never: Mask | None = None
    ever: Mask | None = None
    size: Floats | None = None
    words: str = ""
    what: str = "the number of orders"
    beside: Floats | None = None


def read_traits(
    table: Table, names: Sequence[str], caller: str, *, missing: Missing
) -> dict[str, Any]:
    """Read columns by name: numbers as floats, all else as words; problems of all together.

    Raises
    ------
    DataContractError
        Columns that are not there, hold dates, or have missing or infinite values.
    ValueError
        If the table is an array.
    """
    if table.names is None:
        raise ValueError(
            f"{caller} reads {', '.join(map(repr, names))} by name; give a table with named "
            "columns, not an array."
        )
    problems: list[ContractProblem] = []
    found: dict[str, Any] = {}
    for name in names:
        if name in OF_ORDERS:
            text = f"column {name!r} is made of the orders that the law explains"
            cure = "Name what was known of the customer before them."
            problems.append(ContractProblem("known-after-the-order", text, cure))
            continue
        if not table.has(name):
            cure = "Keep it in the summary: custvalue.summarize(log, ..., keep=[...])."
            problems.append(no_column(name, table.names, f"{caller}'s X", cure))
            continue
        values = _plain(table.column(name))
        if values.dtype.kind in "mMc":
            text = f"column {name!r} holds dates, durations or complex numbers"
            cure = "Count them in a unit, or cut them into named periods."
            problems.append(ContractProblem("not-a-trait", text, cure))
            continue
        if values.dtype.kind == "f":
            lost, bad = np.isnan(values), np.flatnonzero(np.isinf(values))
            if len(bad):
                text = f"column {name!r} has infinite values"
                problems.append(ContractProblem.at("not-finite", text, "Fill or drop them.", bad))
        else:
            lost = np.asarray(pd.isna(pd.Series(values, dtype=object)))
            values = as_words(values)
        if lost.any() and missing == "raise":
            text = f"column {name!r} has missing values"
            cure = "Fill them, or say missing='encode': customers without one are a kind of their "
            cure += "own."
            problems.append(ContractProblem.at("missing-trait", text, cure, np.flatnonzero(lost)))
        found[name] = values
    if problems:
        raise DataContractError(problems)
    return found


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers as floats whatever they are kept in; categories and truth values as they are."""
    if values.dtype.kind in "iuf":
        return values.astype(np.float64, copy=False)
    if values.dtype.kind == "O":
        kind = pd.api.types.infer_dtype(values, skipna=True)
        if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
            return np.asarray(pd.to_numeric(pd.Series(values), errors="raise"), dtype=np.float64)
        if kind in ("datetime", "date", "datetime64", "timedelta"):
            return values.astype("datetime64[ns]") if kind != "timedelta" else np.zeros(1, "m8[s]")
    return values


def learn_traits(
    found: Mapping[str, Any],
    told: Mapping[str, Sequence[Told]],
    weight: Floats | None,
    *,
    lenient: bool,
) -> tuple[tuple[SeenColumn, ...], Floats]:
    """Encode columns as they are seen in ``fit``, and refuse what no law can learn from.

    Parameters
    ----------
    found : mapping of str to ndarray
        What ``read_traits`` gave.
    told : mapping of str to sequence of Told
        By column: what the processes that it is to explain say of each customer.
    weight : ndarray of shape (n_rows,) or None
    lenient : bool
        Whether a prior holds effects that the data leave without an end.

    Returns
    -------
    columns : tuple of SeenColumn
    Z : ndarray of shape (n_rows, n_labels)

    Raises
    ------
    DataContractError

    Warns
    -----
    DataWarning
        If a column goes so closely with the orders that it may have been known only after them.
    """
    problems, columns, blocks = [], [], []
    followers: dict[str, list[str]] = {}
    for name, values in found.items():
        problem = _known_after(name, values, told[name]) or _no_trait(name, values, weight)
        follows = "" if problem is not None else _follows(values, told[name])
        if problem is None and (follows or not lenient):
            problem = _separating(name, values, told[name], weight)
            if problem is not None and follows:
                text = f"column {name!r} tells {follows} almost one to one"
                cure = "Name what was known of the customer before them."
                problem = ContractProblem("known-after-the-order", text, cure)
        if problem is not None:
            problems.append(problem)
            continue
        column, Z = _seen(name, values, weight)
        columns.append(column)
        blocks.append(Z)
        if follows:
            followers.setdefault(follows, []).append(name)
    if not problems:
        problems = _collinear(columns, blocks, weight)
    if problems:
        raise DataContractError(problems)
    for what, some in followers.items():
        names = ", ".join(map(repr, some))
        warn_caller(
            f"{names} goes with {what} almost one to one. Was it known before the orders? "
            "A column that the orders themselves made (points, a status, a total) explains nothing "
            "and spoils every forecast.",
            DataWarning,
        )
    return tuple(columns), np.ascontiguousarray(np.hstack(blocks))


def encode_traits(columns: Sequence[SeenColumn], found: Mapping[str, Any], caller: str) -> Floats:
    """Encode columns that a fit knows.

    Raises
    ------
    DataContractError
        Categories, or missing values, that the fit has not seen; by row.
    """
    problems = []
    for column in columns:
        values = found[column.name]
        if bool(column.levels) != (values.dtype.kind == "O"):
            kinds = ("categories", "numbers") if column.levels else ("numbers", "categories")
            text = f"column {column.name!r} was fitted as {kinds[0]}; here it holds {kinds[1]}"
            problems.append(ContractProblem("another-kind", text, "Give what fit was given."))
        elif column.levels:
            new = ~pd.Series(values).isin(column.levels).to_numpy()
            if new.any():
                some = ", ".join(map(repr, sorted(set(values[new]))[:3]))
                text = f"column {column.name!r} has categories that {caller} was not fitted on "
                text += f"({some})"
                known = ", ".join(map(repr, column.levels[:8]))
                cure = f"Known are {known}; put new ones to one of them, or fit again."
                problems.append(
                    ContractProblem.at("unseen-category", text, cure, np.flatnonzero(new))
                )
        elif column.fill is None and np.isnan(values).any():
            text = f"column {column.name!r} has missing values, and in fit had none"
            problems.append(
                ContractProblem.at(
                    "missing-trait", text, "Fill them.", np.flatnonzero(np.isnan(values))
                )
            )
    if problems:
        raise DataContractError(problems)
    blocks = [column.encoded(found[column.name]) for column in columns]
    return np.ascontiguousarray(np.hstack(blocks))


def _seen(name: str, values: npt.NDArray[Any], w: Floats | None) -> tuple[SeenColumn, Floats]:
    if values.dtype.kind == "O":
        some = values if w is None else values[w > 0]
        levels, fill = tuple(sorted(set(some))), None
        if w is not None:  # of rows without weight nothing is learned
            values = np.where(pd.Series(values).isin(levels), values, levels[0])
    else:
        lost, levels = np.isnan(values), ()
        fill = float(np.average(values[~lost], weights=None if w is None else w[~lost]))
        fill = fill if lost.any() else None
    column = SeenColumn(name, levels, fill, (), ())
    Z = column.encoded(values)
    mean = np.average(Z, axis=0, weights=w)
    spread = np.sqrt(np.average((Z - mean) ** 2, axis=0, weights=w))
    return SeenColumn(name, levels, fill, tuple(mean.tolist()), tuple(spread.tolist())), Z


def _no_trait(name: str, values: npt.NDArray[Any], w: Floats | None) -> ContractProblem | None:
    """Say why a column tells nothing of customers: one value, ids, far from 0."""
    some = values if w is None else values[w > 0]
    if values.dtype.kind == "O":
        n = len(set(some))
        if n > MOST_LEVELS:
            text = f"column {name!r} has {n:,} categories"
            return ContractProblem("too-many-categories", text, "Put them together into few kinds.")
    else:
        some = some[~np.isnan(some)]
        n = 2 if len(some) and some.min() < some.max() else 1
        if n == 2 and abs(some.mean()) > FAR * some.std():
            text = f"column {name!r} lies {abs(some.mean() / some.std()):,.0f} standard deviations "
            text += "from 0, where the parameters are told"
            cure = f"Subtract {some.mean():,.6g} first, in fit and predict alike."
            return ContractProblem("far-from-zero", text, cure)
    if n < 2:
        text = f"column {name!r} has one value for all customers, so it has no effect to learn"
        return ContractProblem("constant-column", text, "Leave it out.")
    return None


def _known_after(
    name: str, values: npt.NDArray[Any], told: Sequence[Told]
) -> ContractProblem | None:
    """Find a column that is missing just for those whom the process never reached."""
    lost = values == MISSING if values.dtype.kind == "O" else np.isnan(values)
    for one in told:
        if one.never is None or not one.never.any() or not np.array_equal(lost, one.never):
            continue
        text = f"column {name!r} is missing for just the customers {one.words}: it was known only "
        text += "after the order"
        cure = "Name what was known of the customer before."
        return ContractProblem("known-after-the-order", text, cure, int(lost.sum()))
    return None


def _separating(
    name: str, values: npt.NDArray[Any], told: Sequence[Told], w: Floats | None
) -> ContractProblem | None:
    """Find values whose customers are all on one side: the effect has no end."""
    use = np.ones(len(values), dtype=bool) if w is None else w > 0
    for one in told:
        for side, which in ((one.never, ""), (one.ever, "not ")):
            if side is None or side[use].all() or not side[use].any():
                continue
            where = _only_on(values[use], side[use])
            if where is None:
                continue
            text = f"column {name!r} separates customers completely: all with {where} are "
            text += f"{which}{one.words}, so its effect has no end"
            cure = "Put the category to another, leave the column out, or say ridge=10 (worth ten "
            cure += "customers without effect)."
            return ContractProblem("complete-separation", text, cure)
    return None


def _only_on(values: npt.NDArray[Any], side: Mask) -> str | None:
    if values.dtype.kind == "O":
        other = set(values[~side])
        alone = sorted(set(values[side]) - other)
        return None if not alone else f"{alone[0]!r}"
    here, there = values[side], values[~side]
    here, there = here[~np.isnan(here)], there[~np.isnan(there)]
    if len(here) and len(there):
        if here.max() < there.min():
            return f"values up to {here.max():,.6g}"
        if here.min() > there.max():
            return f"values from {here.min():,.6g} on"
    return None


def _follows(values: npt.NDArray[Any], told: Sequence[Told]) -> str:
    """Say what numbers go with almost one to one, by ranks; "" where nothing."""
    if values.dtype.kind == "O":
        return ""
    for one in told:
        if one.size is None:
            continue
        some = ~np.isnan(values) & (one.size > 0)
        both = {"a": values[some], "b": one.size[some]}
        beside = {} if one.beside is None else {"c": one.beside[some]}
        rows = pd.DataFrame({**both, **beside}).iloc[:100_000]
        if len(rows) >= ENOUGH and int(rows[["a", "b"]].nunique().min()) > 2:
            ranks = rows.rank().to_numpy()
            ranks = ranks - ranks.mean(axis=0)
            if beside and ranks[:, 2].any():  # less what both go with
                ranks = ranks[:, :2] - np.outer(ranks[:, 2], ranks[:, 2] @ ranks[:, :2]) / (
                    ranks[:, 2] @ ranks[:, 2]
                )
            size = np.linalg.norm(ranks, axis=0)
            flat = 1e-6 * len(ranks) ** 1.5  # nothing is left of a column that is the other itself
            if size[:2].min() > flat and abs(ranks[:, 0] @ ranks[:, 1]) > CLOSE * size[0] * size[1]:
                return one.what
    return ""


def _collinear(
    columns: Sequence[SeenColumn], blocks: Sequence[Floats], w: Floats | None
) -> list[ContractProblem]:
    """Name every encoded column that others make up."""
    labels = [label for column in columns for label in column.labels]
    if not labels:
        return []
    Z = np.hstack(blocks)
    mean = np.array([v for column in columns for v in column.mean])
    spread = np.array([v for column in columns for v in column.spread])
    Z = (Z - mean) / spread
    share = Z.T @ (Z if w is None else Z * w[:, None]) / (len(Z) if w is None else w.sum())
    kept: list[int] = []
    problems = []
    for j in range(len(labels)):
        weights = np.linalg.solve(share[np.ix_(kept, kept)], share[kept, j])
        if share[j, j] - share[kept, j] @ weights > TWINS:
            kept.append(j)
            continue
        made = [labels[i] for i, v in zip(kept, weights, strict=True) if abs(v) > 1e-6]
        text = f"column {labels[j]!r} is made up of {', '.join(map(repr, made))}"
        problems.append(ContractProblem("collinear-columns", text, "Leave one of them out."))
    return problems
