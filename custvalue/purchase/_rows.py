"""Histories in: three columns, checked once, all problems raised together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories, customers_in, silence_instead_of_recency
from custvalue._sklearn import read_vectors
from custvalue._warn import warn_caller
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    SelectionWarning,
)

Floats = npt.NDArray[np.float64]
COLUMNS = ("frequency", "recency", "T")
BLOCK = 8192
FAR = 2.0  # times what a fit saw: beyond it nothing was learned


def read_histories(
    estimator: Any, X: Any, *, reset: bool, discrete: bool = False
) -> tuple[Floats, Floats, Floats]:
    """Contiguous (x, t_x, T) of a table (by name) or an array (by position).

    Raises
    ------
    DataContractError
        Listing every column that breaks the meaning of frequency, recency or T.
    """
    x, t_x, T = read_vectors(estimator, X, COLUMNS, reset=reset)
    if not _legal(x, t_x, T, discrete):
        raise DataContractError(_problems(x, t_x, T, discrete))
    return x, t_x, T


def _legal(x: Floats, t_x: Floats, T: Floats, discrete: bool) -> bool:
    for lo in range(0, len(x), BLOCK):
        part = slice(lo, lo + BLOCK)
        n, last, end = x[part], t_x[part], T[part]
        good = (n >= 0) & (n == np.rint(n)) & (last <= end) & ((n > 0) == (last > 0))
        if not good.all() or last.min(initial=0.0) < 0:
            return False
        if discrete and not ((end == np.rint(end)) & (last == np.rint(last)) & (n <= last)).all():
            return False
    return True


def _problems(x: Floats, t_x: Floats, T: Floats, discrete: bool) -> list[ContractProblem]:
    rest = "custvalue.summarize makes these columns; row positions are counted from 0."
    first_order = x.min() >= 1 and bool(np.any((x == 1) & (t_x == 0)))
    cases: list[tuple[str, str, str, npt.NDArray[np.bool_]]] = [
        (
            "frequency",
            "'frequency' must be a whole number of repeat orders, 0 or more",
            rest,
            (x < 0) | (x != np.rint(x)),
        ),
        (
            "recency-negative",
            "'recency' or 'T' is negative",
            rest,
            (t_x < 0) | (T < 0),
        ),
        (
            "recency-above-T",
            "'recency' (time from first to last order) exceeds 'T' (time observed)",
            rest,
            t_x > T,
        ),
        (
            "recency-without-repeat",
            "'recency' is not 0 where 'frequency' is 0; it is never the time since the last order",
            "Use recency = T - silence.",
            (x == 0) & (t_x > 0),
        ),
    ]
    if first_order:
        cases.append(
            (
                "frequency-counts-first-order",
                "'frequency' counts the first order: it is never 0, and 1 where 'recency' is 0",
                "Subtract 1: frequency is the number of repeat orders.",
                (x == 1) & (t_x == 0),
            )
        )
    else:
        cases.append(
            (
                "repeat-without-recency",
                "'recency' is 0 where 'frequency' is not",
                "Orders at the same time are one occasion; summarize with a finer unit.",
                (x > 0) & (t_x == 0),
            )
        )
    if discrete:
        cases.append(
            (
                "not-whole-periods",
                "'recency' and 'T' must be whole, and 'frequency' at most 'recency'",
                "Count time in order opportunities, such as years.",
                (t_x != np.rint(t_x)) | (np.rint(T) != T) | (x > t_x),
            )
        )
    return [
        ContractProblem.at(code, message, cure, np.flatnonzero(bad))
        for code, message, cure, bad in cases
        if bad.any()
    ]


def check_meaning(rows: Histories, model: str) -> None:
    """Refuse RFM recency passed off as BTYD recency; warn where one-time buyers were removed.

    Raises
    ------
    DataContractError
        If, among customers with two repeat orders or more, ``recency / T`` falls with frequency:
        time since the last order does that, time from the first to the last cannot.

    Warns
    -----
    SelectionWarning
        If there are 50 customers or more and every one has a repeat order.
    """
    shares = silence_instead_of_recency(rows.x, rows.t_x, rows.T, rows.w)
    if shares is not None:
        low, high = shares
        raise DataContractError(
            ContractProblem(
                "recency-is-silence",
                "'recency' looks like the time since the last order: recency / T is "
                f"{low:.2f} for customers with few repeat orders and {high:.2f} for those "
                "with many",
                "Use recency = T - silence, the time from the first to the last order.",
            )
        )
    if customers_in(rows.w) >= 50 and not np.any(rows.x == 0):
        warn_caller(
            f"no customer of {rows.w.sum():,.0f} has frequency 0. If one-time buyers were removed, "
            f"the order rate of {model} is biased upwards; pass the whole customer base.",
            SelectionWarning,
        )


def warn_beyond(model: str, T: Floats, longest: float, unit: str | None) -> None:
    """Say that customers were observed far longer than any whom the law was fitted on.

    Warns
    -----
    DataWarning
        If some ``T`` is more than twice the longest of the fit.
    """
    if longest <= 0.0 or not len(T) or not T.max() > FAR * longest:
        return
    of = "" if unit is None else f" {unit}"
    warn_caller(
        f"{int((FAR * longest < T).sum()):,} of {len(T):,} rows have 'T' up to {T.max():,.6g}{of}, "
        f"and no customer whom this {model} was fitted on was observed for more than "
        f"{longest:,.6g}{of}: what it says of them is extrapolated. Fit it on a table as of the "
        "same date.",
        DataWarning,
    )
