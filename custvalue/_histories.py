"""What a legal history is: repeat orders, time to the last of them, time observed; said once.

``data.from_summary`` holds tables made elsewhere to it, the purchase laws what they are given, and
the scorer of single customers one history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories, customers_in, silence_instead_of_recency
from custvalue._typing import Floats, Mask
from custvalue._warn import warn_caller
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    SelectionWarning,
    first_ids,
)

BLOCK = 8192
FAR = 2.0  # times what a fit saw: beyond it nothing was learned
_NAMES = {"H": "hours", "D": "days", "W": "weeks", "M": "months", "Y": "years"}
MANY = 50  # customers from which a pattern is more than chance


def check_histories(x: Floats, t_x: Floats, T: Floats, *, discrete: bool = False) -> None:
    """Raise all that breaks the meaning of the three columns, at once.

    Parameters
    ----------
    x, t_x, T : ndarray of shape (n,)
        Repeat orders, time from the first to the last order, time observed since the first.
    discrete : bool, default=False
        Whether time counts opportunities.

    Raises
    ------
    DataContractError
        With a problem for each fault.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._histories import check_histories
    >>> check_histories(np.array([0.0, 2.0]), np.array([0.0, 5.0]), np.array([9.0, 9.0]))
    """
    if not _legal(x, t_x, T, discrete):
        raise DataContractError(history_problems(x, t_x, T, discrete=discrete))


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


def history_problems(
    x: Floats,
    t_x: Floats,
    T: Floats,
    *,
    ids: Sequence[Any] | None = None,
    slack: Floats | float = 0.0,
    discrete: bool = False,
    for_a_law: bool = True,
) -> list[ContractProblem]:
    """Everything about counts and times that cannot be, one code a fault.

    Parameters
    ----------
    x, t_x, T : ndarray of shape (n,)
    ids : sequence of length n, optional
        What to call the rows; their positions unless given.
    slack : float or ndarray of shape (n,), default=0.0
        Rounding of times to overlook.
    discrete : bool, default=False
        Whether time counts opportunities.
    for_a_law : bool, default=True
        Whether repeat orders at the time of the first are refused too: a law cannot read them.

    Returns
    -------
    list of ContractProblem

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._histories import history_problems
    >>> [p.code for p in history_problems(np.array([1.5]), np.array([9.0]), np.array([8.0]))]
    ['frequency-not-a-count', 'recency-exceeds-T']
    """
    zero, once, twice = np.abs(t_x) <= slack, x == 0, x == 1
    late = once & ~zero
    counts_first = bool(twice.any() and not once.any() and zero[twice].all())
    # recency as the time since the last order: that of one-time buyers is all of T
    all_of_T = late & (slack < T) & (np.abs(t_x - T) <= slack)
    silent = late.sum() >= 2 and bool((all_of_T == late).all())
    able = (t_x <= T + slack) & (t_x >= -slack)  # rows that are wrong by themselves tell no pattern
    silent |= silence_instead_of_recency(x[able], t_x[able], T[able]) is not None
    none = np.zeros(len(x), dtype=bool)
    rest = "custvalue.summarize makes these columns; row positions are counted from 0."
    cases = [
        (
            "frequency-not-a-count",
            "'frequency' must be a whole number of repeat orders, 0 or more",
            "Count repeat occasions: all occasions less the first.",
            not_counts(x),
        ),
        (
            "negative-time",
            "'recency' or 'T' is negative",
            "Measure both from the first order.",
            (t_x < -slack) | (-slack > T),
        ),
        (
            "recency-exceeds-T",
            "'recency' (time from first to last order) exceeds 'T' (time observed)",
            f"Measure both from the first order, in one unit; {rest}",
            t_x > T + slack,
        ),
        (
            "frequency-counts-first-order",
            "'frequency' counts the first order: it is never 0, and 1 where 'recency' is 0",
            "Subtract 1: frequency is the number of repeat orders.",
            twice if counts_first else none,
        ),
        (
            "recency-is-silence",
            "'recency' looks like the time since the last order",
            "Use recency = T - silence, the time from the first to the last order.",
            (late if late.any() else x >= 2) if silent else none,
        ),
        (
            "recency-without-repeat",
            "'recency' is not 0 where 'frequency' is 0; it is never the time since the last order",
            "Use recency = T - silence.",
            none if silent else late,
        ),
        (
            "repeat-without-recency",
            "'recency' is 0 where 'frequency' is not",
            "Orders at the same time are one occasion; summarize with a finer unit.",
            (x > 0) & zero if for_a_law and not counts_first else none,
        ),
        (
            "not-whole-periods",
            "'recency' and 'T' must be whole, and 'frequency' at most 'recency'",
            "Count time in order opportunities, such as years.",
            (t_x != np.rint(t_x)) | (np.rint(T) != T) | (x > t_x)
            if for_a_law and discrete
            else none,
        ),
    ]

    def problem(code: str, message: str, cure: str, at: npt.NDArray[np.intp]) -> ContractProblem:
        if ids is None:
            return ContractProblem.at(code, message, cure, at)
        return ContractProblem(code, message, cure, len(at), first_ids(ids[i] for i in at[:5]))

    return [
        problem(code, message, cure, np.flatnonzero(bad))
        for code, message, cure, bad in cases
        if bad.any()
    ]


def not_counts(x: Floats) -> Mask:
    """Tell where a number of orders is none: below 0, not whole, or missing.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._histories import not_counts
    >>> not_counts(np.array([0.0, 2.0, -1.0, 1.5, np.nan])).tolist()
    [False, False, True, True, True]
    """
    return ~(x >= 0) | (x != np.rint(x))


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
    if not np.any(rows.x == 0):
        warn_of_selection(customers_in(rows.w), f"the order rate of {model} is")


def warn_of_selection(n: float, what: str = "every estimate of the order rate is") -> None:
    """Warn that one-time buyers seem to have been left out, where customers are many.

    Warns
    -----
    SelectionWarning
    """
    if n >= MANY:
        warn_caller(
            f"no customer of {n:,.0f} has frequency 0. If one-time buyers were left out, {what} "
            "biased upwards; pass the whole customer base.",
            SelectionWarning,
        )


def warn_beyond(
    model: str, time: Floats, longest: float, unit: str | None, column: str = "T"
) -> None:
    """Say that customers were observed, or silent, far longer than any whom a fit saw.

    Parameters
    ----------
    model : str
        Name of the estimator.
    time : ndarray of shape (n_rows,)
    longest : float
        The longest of the fit; 0 where that is not known.
    unit : str or None
    column : {"T", "silence"}, default="T"

    Warns
    -----
    DataWarning
        If some ``time`` is more than twice the longest of the fit.
    """
    if longest <= 0.0 or not len(time) or not time.max() > FAR * longest:
        return
    of = "" if unit is None else f" {_NAMES.get(unit, unit)}"
    was = "observed" if column == "T" else "silent"
    warn_caller(
        f"{int((FAR * longest < time).sum()):,} of {len(time):,} rows have {column!r} up to "
        f"{time.max():,.6g}{of}, and no customer whom this {model} was fitted on was {was} for "
        f"more than {longest:,.6g}{of}: what it says of them is extrapolated. Fit it on a table as "
        "of the same date.",
        DataWarning,
    )
