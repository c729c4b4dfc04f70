"""A change of a number shared out among the quantities that moved (Shapley's value).

What a quantity adds when it moves, averaged over all orders in which the quantities could have
moved: the shares add up to the change, no order is preferred and no logarithm is taken, so zeros
and signs do no harm (Sun 1998; Shorrocks 2013).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from custvalue._kernels import coalitions, shapley
from custvalue._typing import Floats

MOST_EXACT = 12  # quantities moved, whose 2^n mixtures of before and after are worked out
N_ORDERS = 2000


class Shared(NamedTuple):
    """Share of each quantity, and the standard error of sampling orders (0 where all were)."""

    share: Floats
    error: Floats


def share_out(
    worth: Callable[[Floats], Floats],
    before: Floats,
    after: Floats,
    random_state: int = 0,
    n_orders: int = N_ORDERS,
) -> Shared:
    """Share out ``worth(after) - worth(before)``.

    Parameters
    ----------
    worth : callable
        Takes an array of shape (n, n_quantities) and gives one of shape (n,).
    before, after : ndarray of shape (n_quantities,)
    random_state : int, default=0
        Of the orders, where more than 12 quantities moved.
    n_orders : int, default=2000

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.value._shared_change import share_out
    >>> share_out(lambda x: x.prod(axis=1), np.array([2.0, 3.0]), np.array([3.0, 5.0])).share
    array([4., 5.])
    """
    moved = np.flatnonzero(before != after)
    share, error = np.zeros((2, len(before)))
    m = len(moved)
    if m <= MOST_EXACT:
        mixed = np.tile(before, (2**m, 1))
        mixed[:, moved] = np.where(coalitions(m), after[moved], before[moved])
        share[moved] = shapley(worth(mixed))
        return Shared(share, error)
    rng = np.random.default_rng(random_state)
    added = np.empty((n_orders, m))
    for i in range(n_orders):
        order = rng.permutation(m)
        # row k has the first k of this order moved
        first = np.empty(m, dtype=np.intp)
        first[order] = np.arange(m)
        mixed = np.tile(before, (m + 1, 1))
        mixed[:, moved] = np.where(np.arange(m + 1)[:, None] > first, after[moved], before[moved])
        added[i, order] = np.diff(worth(mixed))
    share[moved] = added.mean(axis=0)
    error[moved] = added.std(axis=0, ddof=1) / np.sqrt(n_orders)
    return Shared(share, error)
