"""Rows of a purchase law from histories: equal ones put together, with columns of customers too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from custvalue._kernels import Histories, kinds_of
from custvalue._typing import Floats
from custvalue.likelihood._for_rooms import RowsOfCustomers, Told
from custvalue.purchase._forecast import Past
from custvalue.purchase._law import PurchaseLaw


def distinct_customers(
    distinct: Callable[[Past, Floats | None], Histories],
    past: Past,
    weight: Floats | None,
    Z: Floats,
) -> RowsOfCustomers:
    """Put equal histories of customers with equal columns together, where kinds of them are few.

    Parameters
    ----------
    distinct : callable (past, weight) -> Histories
        Puts equal histories together.
    past : Past
    weight : ndarray of shape (n,) or None
    Z : ndarray of shape (n, n_labels)
        Encoded columns.

    Returns
    -------
    RowsOfCustomers
    """
    if weight is not None and (weight == 0).any():
        some = weight > 0
        past, weight, Z = past.part(some), weight[some], Z[some]
    kinds = kinds_of(Z)
    if kinds is None:
        w = np.ones(len(past.x)) if weight is None else weight
        return RowsOfCustomers(Histories(*past, w, None), Z)
    parts = [distinct(past.part(k), None if weight is None else weight[k]) for k in kinds]
    x, t_x, T, w = (np.concatenate([part[i] for part in parts]) for i in range(4))
    of = [np.broadcast_to(Z[k[0]], (p.size, Z.shape[1])) for k, p in zip(kinds, parts, strict=True)]
    return RowsOfCustomers(Histories(x, t_x, T, w, None), np.concatenate(of))


def told(law: PurchaseLaw, past: Past) -> dict[str, Told]:
    """Say of each customer what ordering and leaving show, to hold columns against."""
    none, every = past.x == 0, (past.x == past.T) & (past.T > 0)
    if set(law.processes) == {"leave"}:  # contracts: leaving is seen
        return {"leave": Told(every, none & (past.T > 0), None, "still there")}
    orders = Told(none, every if law.discrete else None, past.x, "without a repeat order")
    # of two seen as long, the one whose last order is older has rather left; T may be a column
    last = Told(size=past.t_x, what="the time of the last order", beside=past.T)
    return {"purchase": orders, "leave": last}
