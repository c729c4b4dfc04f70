"""What the Gamma-Gamma law asks of its rows, and the words for fits on a boundary."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue._kernels._newton import Optimum
from custvalue.exceptions import ContractProblem, DataContractError

Array = npt.NDArray[np.float64]
BLOCK = 8192
MOST = 2.0**31


def check_rows(x: Array, zbar: Array) -> None:
    """Raise all that is wrong with the two columns at once."""
    if _legal(x, zbar):
        return
    problems = []
    for code, bad, message, cure in (
        (
            "frequency-not-a-count",
            ~(x >= 0) | (x != np.floor(x)) | (x > MOST),
            "'frequency' must count repeat orders: 0, 1, 2, ...",
            "custvalue.summarize counts them.",
        ),
        (
            "missing-spend",
            (x > 0) & np.isnan(zbar),
            "'monetary_value' is missing for customers with repeat orders",
            "Give the mean spend per repeat order.",
        ),
        (
            "negative-spend",
            (x > 0) & (zbar < 0),
            "'monetary_value' is negative",
            "Net refunds against their order first (custvalue.summarize, refunds=).",
        ),
    ):
        if bad.any():
            problems.append(ContractProblem.at(code, message, cure, np.flatnonzero(bad)))
    if problems:
        raise DataContractError(problems)


def _legal(x: Array, zbar: Array) -> bool:
    for begin in range(0, x.size, BLOCK):
        n, z = x[begin : begin + BLOCK], zbar[begin : begin + BLOCK]
        if not (n.min() >= 0 and n.max() <= MOST and np.array_equal(n, np.rint(n))):
            return False
        if not (z.min() >= 0 or ((z >= 0) | (n == 0)).all()):  # NaN goes with no orders only
            return False
    return True


def boundaries(best: Optimum) -> tuple[str, ...]:
    """Words for every parameter that ended on its bound."""
    reasons = []
    if best.on_upper[0]:
        reasons.append("A customer's orders do not differ from one another (p has no upper end).")
    if best.on_upper[1]:
        reasons.append("Customers do not differ from one another in spend (q has no upper end).")
    if best.on_lower[0]:
        reasons.append("A customer's orders differ beyond all measure (p falls to 0).")
    if best.on_lower[1]:
        reasons.append("Customers differ in spend beyond all measure (q falls to 0).")
    if best.on_lower[2] or best.on_upper[2]:
        reasons.append("The scale of spend runs away from the data's.")
    return tuple(reasons)


def no_mean(q: float, count: int, n: int) -> str:
    """Words for an infinite mean, with the options."""
    return (
        f"spend is so heavy-tailed that its mean is infinite (q = {q:.3g}) for {count:,} of {n:,} "
        'customers. Options: statistic="median"; statistic="capped" with cap= a high quantile of '
        "monetary_value; or fit each segment by itself."
    )
