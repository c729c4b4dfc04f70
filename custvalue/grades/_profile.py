"""How a group of customers differs from the rest: indexes, z values, false discoveries held down.

A category is read as a number, 1 or 0, so that one comparison serves shares and means.
Benjamini, Y. & Hochberg, Y. (1995), Controlling the false discovery rate, Journal of the Royal
Statistical Society B 57(1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from custvalue import _frames
from custvalue._categories import MISSING, coded, columns_of, is_text
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue._words import HOUSE, Language, check_language
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    SmallSampleWarning,
    first_ids,
)

FEW = 20


@dataclass(frozen=True)
class Comparison:
    """A group against the rest, in one column of numbers (a category: ones and zeros).

    ``difference`` is that of both means in standard deviations of the whole column; ``z`` tests
    it against none. For a category both are those of the pooled comparison of two shares.
    """

    customers: int
    inside: float
    rest: float
    everyone: float
    index: float
    difference: float
    z: float


def compared(values: Floats, place: npt.NDArray[np.intp], n_groups: int) -> list[Comparison]:
    """Compare each group 0 to ``n_groups - 1`` with the rest; missing values are left out.

    ``index = 100 m_1 / m`` and ``z = (m_1 - m_0) / (s sqrt(1/n_1 + 1/n_0))`` with the mean ``m``
    and standard deviation ``s`` of all. What cannot be told is NaN: the index where ``m`` is not
    above zero, the rest where one side has no value; ``z`` is 0 where all values are equal.
    """
    known = ~np.isnan(values)
    value, group = values[known], place[known]
    size = np.bincount(group, minlength=n_groups).astype(np.float64)
    total = np.bincount(group, weights=value, minlength=n_groups)
    n = len(value)
    mean = float(value.mean()) if n else np.nan
    spread = float(value.std()) if n else np.nan
    if spread <= 1e-12 * abs(mean):  # what rounding leaves of equal values is no spread
        spread = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        inside, rest = total / size, (total.sum() - total) / (n - size)
        difference = (inside - rest) / spread if spread else 0.0 * (inside - rest)
        z = difference / np.sqrt(1.0 / size + 1.0 / (n - size))
        index = 100.0 * inside / mean if mean > 0 else np.full(n_groups, np.nan)
    return [
        Comparison(
            int(size[g]),
            float(inside[g]),
            float(rest[g]),
            mean,
            float(index[g]),
            float(difference[g]),
            float(z[g]),
        )
        for g in range(n_groups)
    ]


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Adjust p values so that those below q hold a share of false discoveries of at most q.

    Parameters
    ----------
    p_values : array-like of shape (n,)
        NaN is no test and stays NaN.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> from custvalue.grades._profile import benjamini_hochberg
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p_values, dtype=np.float64)
    out = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    down = known[np.argsort(-p[known], kind="stable")]
    m = len(down)
    out[down] = np.minimum(1.0, np.minimum.accumulate(p[down] * m / np.arange(m, 0, -1)))
    return out


def parts_of(values: npt.NDArray[Any]) -> Iterator[tuple[str, Floats]]:
    """Give a column as columns of numbers: itself, or one of ones and zeros a category."""
    if not is_text(values):
        yield "", values
        return
    names, place = coded(values)
    for code, category in enumerate(names):
        yield category, (place == code).astype(np.float64)


def profile_table(
    X: Any, segments: Any, columns: Sequence[str] | None = None, *, language: Language = "en"
) -> Any:
    """Tell how each segment differs from the rest of the customers.

    Parameters
    ----------
    X : frame
        One row a customer.
    segments : str or array-like of shape (n_customers,)
        Segment of each customer, or the name of the column that holds it.
    columns : sequence of str, optional
        Columns to compare; default: all but that of the segments and the customer's id. Text and
        truth values are categories; a missing category is one of its own, a missing number is left
        out.
    language : {"en", "zh"}, default="en"
        Language.

    Returns
    -------
    frame of the kind of ``X``
        One row a segment and category (or number): ``segment``, ``column``, ``category`` (empty for
        a number), ``customers`` (of the segment, with a value), ``inside``, ``rest`` and
        ``everyone`` (share of the category, or mean), ``index`` (100: as in all; NaN where the mean
        of all is not above zero), ``difference`` to the rest in standard deviations, ``z``,
        ``p_adjusted`` (two-sided, Benjamini and Hochberg over the table).

    Raises
    ------
    DataContractError
        If a column is missing, or holds dates or infinite numbers; if a segment is missing.
    ValueError
        If there is one segment only, or a segment for fewer or more rows than there are.

    Warns
    -----
    SmallSampleWarning
        If a segment has fewer than 20 customers.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"region": ["north"] * 90 + ["south"] * 110 + ["north"] * 210
    ...                                     + ["south"] * 590, "group": ["a"] * 200 + ["b"] * 800})
    >>> profile_table(customers, "group").iloc[0].to_dict()["index"]
    150.0
    """
    language = check_language(language)
    facts = _frames.facts_of(X)
    have = _frames.column_names(X) or []
    named = isinstance(segments, str)
    if named:
        columns_of(X, [str(segments)], "profile_table's X")
    group = _frames.column(X, str(segments)) if named else np.asarray(segments)
    if columns is None:
        apart = {segments if isinstance(segments, str) else None, facts.customer if facts else None}
        columns = [name for name in have if name not in apart]
    found = columns_of(X, columns, "profile_table's X")
    if not found:
        raise ValueError("columns is empty: there is nothing to compare.")
    n = len(group)
    rows_have = {len(values) for values in found.values()}
    if group.ndim != 1 or rows_have - {n}:
        raise ValueError(f"segments has {n} rows; X has {max(rows_have, default=0)}.")
    lacking = np.flatnonzero(pd.isna(group))
    if len(lacking):
        raise DataContractError(
            ContractProblem(
                "missing-segment",
                "some customers have no segment",
                "Give them one, or leave them out.",
                len(lacking),
                first_ids(lacking),
            )
        )
    names, place = coded(group.astype(str).astype(object))
    if len(names) < 2:
        raise ValueError("there is one segment only: nothing to compare it with.")
    size = np.bincount(place)
    if (size < FEW).any():
        few = ", ".join(f"{names[g]} ({size[g]})" for g in np.flatnonzero(size < FEW))
        warn_caller(
            f"segments with fewer than {FEW} customers tell little: {few}.", SmallSampleWarning
        )
    told = [
        (name, category, compared(part, place, len(names)))
        for name, values in found.items()
        for category, part in parts_of(values)
    ]
    rows = [
        (names[g], name, category, each[g])
        for g in range(len(names))
        for name, category, each in told
    ]
    z = np.array([row[3].z for row in rows])
    out: dict[str, Any] = {
        "segment": [str(row[0]) for row in rows],
        "column": [row[1] for row in rows],
        "category": [HOUSE(MISSING, language) if row[2] == MISSING else row[2] for row in rows],
    }
    for part in fields(Comparison):
        out[part.name] = np.array([getattr(row[3], part.name) for row in rows])
    out["p_adjusted"] = benjamini_hochberg(2.0 * ndtr(-np.abs(z)))
    return _frames.new_table(X, {HOUSE(name, language): v for name, v in out.items()})
