"""A table with some bad rows: the rest is answered, and every bad row has its reason.

One mechanism for every fitted estimator. What is wrong with rows is said by the checks that refuse
a table (`ContractProblem.rows`); here the rows that they name are put aside, the rest is asked
again, and the answers go back to their places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._typing import Mask
from custvalue._warn import heard, warn_caller
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning

OnInvalid: TypeAlias = Literal["raise", "flag"]


class _Answer(NamedTuple):
    """Answer for the good rows, which rows these are, and what is wrong with the others."""

    given: Any
    good: Mask
    problems: tuple[ContractProblem, ...]


def check_rows(method: Callable[..., Any], X: Any, *args: Any, **options: Any) -> Any:
    """Say of every row whether a fitted estimator's method can answer for it, and why not.

    The rows that are not valid are those for which ``on_invalid="flag"`` gives NaN.

    Parameters
    ----------
    method : bound method of a fitted estimator
        Such as ``model.predict``, ``scorer.transform``.
    X : table or array of shape (n_rows, n_columns)
    *args, **options
        What else the method takes, such as a horizon.

    Returns
    -------
    table of the kind of X
        Same rows, same order, same index: the customer column where ``X`` says which it is,
        ``valid`` (True or False) and ``reason`` (empty where valid, else a code and what is wrong,
        several separated by "; ").

    Raises
    ------
    DataContractError
        If the fault is not one of rows: a missing column, text for numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue import check_rows
    >>> from custvalue.purchase import NBD
    >>> X = pd.DataFrame({"frequency": [2, -1, 0], "recency": [3.0, 0.0, 0.0], "T": [9.0] * 3})
    >>> model = NBD.from_params(r=1.0, alpha=5.0)
    >>> table = check_rows(model.predict, X, 10)
    >>> table["valid"].tolist()
    [True, False, True]
    >>> table["reason"][1]
    "frequency-not-a-count: 'frequency' must be a whole number of repeat orders, 0 or more"
    """
    X = _rows_of(X)
    found = _ask(method, X, args, options)
    reasons: list[list[str]] = [[] for _ in range(len(found.good))]
    for problem in found.problems:
        for row in problem.rows:
            reasons[row].append(f"{problem.code}: {problem.message}")
    columns: dict[str, Any] = {}
    facts = _frames.facts_of(X) if _frames.is_frame(X) else None
    if facts is not None and facts.customer in (_frames.column_names(X) or ()):
        columns[facts.customer] = _frames.native_column(X, facts.customer)
    columns["valid"] = found.good
    columns["reason"] = ["; ".join(said) for said in reasons]
    return _frames.frame_like(X, columns)


def flagged(
    method: Callable[..., Any],
    X: Any,
    *args: Any,
    on_invalid: str,
    width: int | None = None,
    **options: Any,
) -> Any:
    """Answer of ``method`` for all rows of ``X``, NaN where a row is bad.

    Parameters
    ----------
    method : bound method, called without ``on_invalid``
    X : table or array
    *args, **options
        What else the method takes.
    on_invalid : str
        ``"flag"``.
    width : int, optional
        Columns of the answer, where it is an array of two dimensions.

    Raises
    ------
    DataContractError
        If the fault is not one of rows.
    ValueError
        If ``on_invalid`` is none of its two words.

    Warns
    -----
    DataWarning
        If rows are bad: how many, why, and how to see the reason of each.
    """
    if on_invalid != "flag":
        raise ValueError(f"on_invalid={on_invalid!r} must be 'raise' or 'flag'.")
    X = _rows_of(X)
    found = _ask(method, X, args, options)
    if found.good.all():
        return found.given
    name = getattr(method, "__name__", "predict")
    owner = type(getattr(method, "__self__", None)).__name__
    n = int((~found.good).sum())
    each = "; ".join(
        f"{p.code}: {p.message} ({p.count:,} row{'s' if p.count > 1 else ''}, first: "
        f"{', '.join(p.ids)})"
        for p in found.problems
    )
    warn_caller(
        f"{owner}.{name} gives no answer (NaN) for {n:,} of {len(found.good):,} rows: {each}. "
        f"custvalue.check_rows(model.{name}, X, ...) has the reason of each row.",
        DataWarning,
    )
    return _put_back(found, X, width, method)


def _ask(
    method: Callable[..., Any], X: Any, args: tuple[Any, ...], options: dict[str, Any]
) -> _Answer:
    """Ask for all rows, and where some are named as bad, for the others."""
    n = _frames.n_rows(X) if _frames.is_frame(X) else len(X)
    place = np.arange(n)
    problems: list[ContractProblem] = []
    given: Any = None
    while len(place):
        good = np.zeros(n, dtype=bool)
        good[place] = True
        part = X if len(place) == n else _rows_where(X, good)
        with heard() as told:  # of calls that fail nothing is to be told
            try:
                given = method(part, *args, **options)
            except DataContractError as error:
                bad = [_moved(problem, place) for problem in error.problems]
                if not all(len(problem.rows) for problem in bad):
                    raise
            except ValueError as error:
                bad = _not_numbers(part, place, str(error))
                if not bad:
                    raise
            else:
                bad = []
        if not bad:
            for warning in told:
                warn_caller(str(warning), type(warning))
            break
        problems += bad
        place = np.setdiff1d(place, np.concatenate([np.asarray(p.rows) for p in bad]))
    good = np.zeros(n, dtype=bool)
    good[place] = True
    return _Answer(given, good, tuple(problems))


def _moved(problem: ContractProblem, place: npt.NDArray[np.intp]) -> ContractProblem:
    """Give a problem of some of the rows its places in the whole table."""
    rows = np.asarray(problem.rows, dtype=np.intp)
    return ContractProblem.at(problem.code, problem.message, problem.cure, place[rows])


def _not_numbers(X: Any, place: npt.NDArray[np.intp], said: str) -> list[ContractProblem]:
    """Rows of an array that scikit-learn refuses without naming them; NaN may be legal."""
    if _frames.is_frame(X) or "contains" not in said:
        return []
    try:
        values = np.ma.filled(np.ma.asarray(X, dtype=np.float64), np.nan)
    except (TypeError, ValueError):
        return []
    if values.ndim != 2:
        return []
    missing = "contains NaN" in said
    bad = (~np.isfinite(values) if missing else np.isinf(values)).any(axis=1)
    if not bad.any():
        return []
    text = f"X has {'missing (NaN) or ' if missing else ''}infinite values"
    return [ContractProblem.at("not-finite", text, "Drop or fill them.", place[bad])]


def _rows_of(X: Any) -> Any:
    """Rows of what a method takes: those of its summary, where it is a log."""
    if callable(getattr(X, "summary", None)):
        return X.summary()
    return X if _frames.is_frame(X) or hasattr(X, "shape") else np.asarray(X)


def _rows_where(X: Any, good: Mask) -> Any:
    if not _frames.is_frame(X):
        return X[good]
    return _frames.keep_facts(X, _frames.rows_where(X, good))


def _put_back(found: _Answer, X: Any, width: int | None, method: Any) -> Any:
    """Spread the answers over all rows; None stands where words are missing."""
    given, good = found.given, found.good
    if given is None:  # no row is good: nothing was asked that could show the answer's form
        if width is None and getattr(method, "__name__", "") == "transform":
            names = list(method.__self__.get_feature_names_out())
            if _frames.is_frame(X):
                return _frames.frame_like(X, {name: np.full(len(good), np.nan) for name in names})
            width = len(names)
        return np.full(len(good) if width is None else (len(good), width), np.nan)
    if not _frames.is_frame(given):
        return _spread(np.asarray(given), good)
    columns = {
        name: _spread(np.asarray(_frames.column(given, name)), good)
        for name in _frames.column_names(given) or ()
    }
    if type(given) is type(X):
        return _frames.keep_facts(X, _frames.frame_like(X, columns))
    return _frames.frame_like(given, columns, index=range(len(good)))


def _spread(values: npt.NDArray[Any], good: Mask) -> npt.NDArray[Any]:
    words = values.dtype.kind in "OUST"
    kind = object if words else np.result_type(values.dtype, np.float64)
    out: npt.NDArray[Any] = np.full((len(good), *values.shape[1:]), np.nan, dtype=kind)
    if words:
        out[~good] = None
    out[good] = values
    return out
