"""The law of what one customer will bring: orders by the purchase law, spend by Gamma-Gamma.

Given k orders and the customer's spend history, the total S of the k orders has
``S / (rate + S) ~ Beta(p k, shape)``: gamma totals with the rate nu integrated out. The orders'
chances mix these. Nothing is simulated.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue.exceptions import NotSupportedError

CELLS = 400_000  # customers x counts at once
MOST = 2**16  # orders counted one by one; nobody is known to place more within a horizon
CHUNK = 512  # rows of like size, so that few counts are likely in any of them
UNLIKELY = 1e-10
MISSING = 1e-9  # chance of more orders that may be left out


def count_chances(
    pmf: Callable[[npt.NDArray[np.intp], int], Floats], expected: Floats
) -> list[tuple[npt.NDArray[np.intp], Floats]]:
    """Chances of 0, 1, 2, ... orders, rows of like size together.

    Parameters
    ----------
    pmf : callable
        ``(rows, n_max) -> (len(rows), n_max + 1)``.
    expected : ndarray of shape (n,)
        Expected orders: rows with many need a longer table.

    Returns
    -------
    list of (rows, chances)
        What a row lacks of 1 is put on its last count.
    """
    done = []
    waiting = np.argsort(expected, kind="stable")
    while waiting.size:
        # who is expected to order a thousand times is not asked about sixteen
        n_max = 1 << max(4, int(np.ceil(np.log2(1.0 + float(expected[waiting[0]])))))
        while waiting.size:
            take = waiting[: max(1, CELLS // (n_max + 1))]
            waiting = waiting[take.size :]
            chances = pmf(take, n_max)
            short = chances.sum(axis=1) < 1.0 - MISSING
            if n_max >= MOST and short.any():
                raise NotSupportedError(
                    f"{int(short.sum()):,} customers are expected to order more than {MOST:,} "
                    "times within the horizon; count in larger occasions, or ask a shorter one."
                )
            if short.any() and not short.all():
                done.append((take[~short], chances[~short]))
                take, chances = take[short], chances[short]
            if short.any():  # the rest have more orders still
                waiting = np.concatenate([take, waiting])
                n_max *= 2
                continue
            chances[:, -1] += np.maximum(1.0 - chances.sum(axis=1), 0.0)
            done.append((take, chances))
    return done


def count_moments(chances: Floats) -> tuple[Floats, Floats]:
    """Mean of the count and of its square."""
    k = np.arange(chances.shape[1], dtype=float)
    return chances @ k, chances @ (k * k)


def total_quantile(u: float, chances: Floats, p: float, shape: Floats, rate: Floats) -> Floats:
    """Quantile of total spend over the orders to come.

    Parameters
    ----------
    u : float
        Probability in (0, 1).
    chances : ndarray of shape (n, k)
        Of 0, 1, ... orders.
    p : float
        Shape of an order's spend.
    shape, rate : ndarray of shape (n,)
        Posterior of the customer's nu.

    Returns
    -------
    ndarray of shape (n,)
        0 where no order is likely enough.
    """
    out = np.empty(shape.size)
    for begin in range(0, shape.size, CHUNK):
        part = slice(begin, begin + CHUNK)
        likely = np.flatnonzero(chances[part].max(axis=0) > UNLIKELY)
        table = chances[part, : likely[-1] + 1]
        out[part] = _quantiles(u, table, p, shape[part], rate[part])
    return out


def _quantiles(u: float, chances: Floats, p: float, shape: Floats, rate: Floats) -> Floats:
    from scipy.special import betainc

    out = np.zeros(shape.size)
    rows = np.flatnonzero(chances[:, 0] < u)
    if rows.size == 0:
        return out
    k = np.arange(1.0, chances.shape[1])
    some, beta = chances[rows, 1:], shape[rows, None]
    target = u - chances[rows, 0]
    low, high = np.full(rows.size, -60.0), np.full(rows.size, 60.0)
    for _ in range(40):  # log odds of S / (rate + S)
        middle = 0.5 * (low + high)
        y = 1.0 / (1.0 + np.exp(-middle))
        below = np.einsum("ij,ij->i", some, betainc(p * k, beta, y[:, None])) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    out[rows] = rate[rows] * np.exp(0.5 * (low + high))
    return out
