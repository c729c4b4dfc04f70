"""Customer-periods in time order, and which rows make a transition."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._typing import Ints
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

Gaps: TypeAlias = Literal["error", "skip"]


class PanelRows(NamedTuple):
    """How the rows of one call hang together.

    Attributes
    ----------
    before, after : ndarray of int, shape (n_moves,)
        Row positions of each transition: a customer's period and the one that follows it.
    last : ndarray of int, shape (n_customers,)
        Row position of each customer's latest period.
    customer : ndarray of int, shape (n_rows,)
        Code of each row's customer.
    period : ndarray of int or None, shape (n_rows,)
        Period of each row, where the table says it.
    is_first : ndarray of bool, shape (n_rows,)
        Whether a row is its customer's first.
    """

    before: Ints
    after: Ints
    last: Ints
    customer: Ints
    period: Ints | None
    is_first: npt.NDArray[np.bool_]


def link(X: Any, groups: Any, customer: str | None, gaps: Gaps, *, like: Any = None) -> PanelRows:
    """Link each customer's rows into transitions.

    The customer comes from ``groups``, else from the column ``customer``, else from the column
    that the panel's facts name; an array without groups is one customer's rows in time order. A
    column ``period`` puts the rows in order and shows gaps. A customer's last row makes no
    transition. ``like`` is the table that X is a part of, whose facts hold for X.

    Raises
    ------
    DataContractError
        If a panel has periods but no customer, repeats a customer's period, or leaves out a
        period and ``gaps="error"``.
    """
    if gaps not in ("error", "skip"):
        raise ValueError(f"gaps={gaps!r} must be 'error' or 'skip'.")
    names = _frames.column_names(X) or []
    n = len(X) if not hasattr(X, "shape") else X.shape[0]
    if n == 0:
        raise DataContractError(
            ContractProblem("empty", "X has no rows", "Pass the rows of a panel.")
        )
    period = _periods(X) if "period" in names else None
    code, ids = _customers(
        X, groups, customer, names, n, period is not None, X if like is None else like
    )
    if period is None:
        # rows as they stand: time order within each customer
        order = np.argsort(code, kind="stable") if (np.diff(code) < 0).any() else np.arange(n)
    elif _is_sorted(code, period):
        order = np.arange(n)
    else:
        order = np.lexsort((period, code))
    same = code[order[1:]] == code[order[:-1]]
    if period is not None:
        step = period[order[1:]] - period[order[:-1]]
        _refuse(
            same & (step == 0),
            order,
            ids,
            code,
            "repeated-period",
            "customers have two rows for one period",
            "Build the panel with custvalue.panel.",
        )
        if gaps == "error":
            _refuse(
                same & (step > 1),
                order,
                ids,
                code,
                "gap",
                "customers have a period without a row",
                "Fill the missing periods, or pass gaps='skip' to make no transition there.",
            )
        same &= step == 1
    apart = code[order[1:]] != code[order[:-1]]
    first = np.zeros(n, dtype=bool)
    first[order[np.append(True, apart)]] = True
    return PanelRows(
        order[:-1][same], order[1:][same], order[np.append(apart, True)], code, period, first
    )


def _periods(X: Any) -> Ints:
    given = _frames.float_columns(X, ["period"], caller="MarkovCLVEstimator")[:, 0]
    torn = given != np.floor(given)
    if torn.any():
        raise DataContractError(
            ContractProblem.at(
                "not-whole",
                "column 'period' has values that are not whole numbers",
                "Number the periods 0, 1, 2, ...; custvalue.panel does.",
                np.flatnonzero(torn),
            )
        )
    return given.astype(np.int64)


def _customers(
    X: Any,
    groups: Any,
    customer: str | None,
    names: list[str],
    n: int,
    has_period: bool,
    like: Any,
) -> tuple[Ints, npt.NDArray[Any]]:
    if groups is None:
        facts = _frames.facts_of(like) if names else None
        name = customer or (facts.customer if facts is not None else None)
        if name is not None and name in names:
            groups = _frames.column(X, name)
        elif customer is not None or has_period:
            raise DataContractError(
                ContractProblem(
                    "missing-customer",
                    f"no customer column {name!r}" if name else "the customer column is not known",
                    "Name it with customer=, pass groups=, or use the table of custvalue.panel.",
                )
            )
    if groups is None:
        return np.zeros(n, dtype=np.int64), np.asarray(["0"])
    given = np.asarray(groups)
    if given.shape != (n,):
        raise ValueError(f"groups has shape {given.shape}; X has {n} rows.")
    if given.dtype.kind in "iu" and _compact(given):
        low = given.min()
        return (given - low).astype(np.int64), np.arange(low, given.max() + 1)
    nobody = _frames.missing_ids(given)
    if nobody.any():
        raise DataContractError(
            ContractProblem.at(
                "missing-customer",
                "rows have no customer",
                "Drop these rows, or give them a customer; row positions are counted from 0.",
                np.flatnonzero(nobody),
            )
        )
    ids, code = np.unique(given, return_inverse=True)
    return code.astype(np.int64), ids


def _compact(values: npt.NDArray[Any]) -> bool:
    return bool(len(values)) and int(values.max()) - int(values.min()) < 4 * len(values)


def _is_sorted(code: Ints, period: Ints) -> bool:
    step = np.diff(code)
    return bool(np.all((step > 0) | ((step == 0) & (np.diff(period) > 0))))


def _refuse(
    bad: npt.NDArray[np.bool_],
    order: Ints,
    ids: npt.NDArray[Any],
    code: Ints,
    name: str,
    message: str,
    cure: str,
) -> None:
    if not bad.any():
        return
    who = ids[code[order[1:][bad]]]
    raise DataContractError(
        ContractProblem(name, message, cure, int(bad.sum()), first_ids(dict.fromkeys(who)))
    )
