"""What of a customer's value goes with orders, silence and spend, by customers alike.

The worth of knowing some of these three is the mean value of the customers who are alike in them,
drawn to what fewer of them say where they are few. What each adds, averaged over all orders of
getting to know them (Shapley 1953), are the parts; what the customer is worth beside peers who are
alike in all three is the last part. So the parts add up to the value less the mean of all, whatever
model says the values: they explain values, not a model's inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue._kernels import coalitions, shapley
from custvalue._open_table import open_table
from custvalue._typing import Floats, Ints

PARTS = ("orders", "silence", "spend", "peers")
_ORDERS = (1.5, 2.5, 3.5, 5.5, 9.5, 19.5, 49.5)  # between 1, 2, 3, 4 to 5, 6 to 9, ...
_SILENCE = (0.5, 1.0, 1.5, 2.5, 4.0, 8.0)  # times the customer's own rhythm
_SPEND = 5  # groups of equal size
_FEW = 5.0  # customers that what fewer features say counts for


@dataclass(frozen=True, eq=False)
class PeerRows:
    """Order count, silence and the span of the orders in one unit, and spend an order.

    Parameters
    ----------
    orders, silence, span, spend : ndarray of shape (n_rows,)
        ``span`` is the time from the first to the last order.
    """

    orders: Floats
    silence: Floats
    span: Floats
    spend: Floats


@dataclass(frozen=True, eq=False)
class Peers:
    """Values of customers who are alike.

    Parameters
    ----------
    gap : float
        Mean time between two orders of all customers; a customer's own mean counts it as one gap.
    spend_cuts : ndarray
        Between groups of spend an order.
    mean : float
        Value of all customers.
    worth : ndarray of shape (n_cells, 8)
        What each coalition of orders, silence and spend says of each cell.
    size : ndarray of shape (n_cells,)
        Customers in each cell.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._peers import PeerRows, Peers
    >>> known = PeerRows(np.array([1.0, 4.0]), np.array([9.0, 1.0]), np.array([0.0, 9.0]),
    ...                    np.array([5.0, 5.0]))
    >>> value = np.array([2.0, 8.0])
    >>> parts = Peers.learned(known, value).parts(known, value)
    >>> parts.sum(axis=1).round(9) + 5.0
    array([2., 8.])
    """

    gap: float
    spend_cuts: Floats
    mean: float
    worth: Floats
    size: Ints

    @classmethod
    def learned(cls, known: PeerRows, value: Floats) -> Peers:
        """Learn from all customers and their values."""
        later = np.maximum(known.orders - 1.0, 0.0)
        gap = float(known.span.sum() / later.sum()) if later.sum() > 0 else 0.0
        spend = known.spend if len(value) else np.zeros(1)
        cuts = np.unique(np.quantile(spend, np.arange(1, _SPEND) / _SPEND))
        mean = float(value.mean()) if len(value) else 0.0
        empty = cls(gap, cuts, mean, np.empty((0, 8)), np.empty(0, dtype=np.int64))
        shape = empty._shape()
        cell = empty.cells(known)
        size = np.bincount(cell, minlength=int(np.prod(shape)))
        total = np.bincount(cell, value, minlength=len(size)).reshape(shape).astype(np.float64)
        return cls(gap, cuts, mean, _worth(size.reshape(shape), total, mean), size)

    def _shape(self) -> tuple[int, int, int]:
        return len(_ORDERS) + 1, len(_SILENCE) + 1, len(self.spend_cuts) + 1

    def rhythm(self, known: PeerRows) -> Floats:
        """Usual time between two orders of each customer, everybody's mean counted as one gap."""
        later = np.maximum(known.orders - 1.0, 0.0)
        return (known.span + self.gap) / (later + 1.0)

    def ratio(self, known: PeerRows) -> Floats:
        """Silence of each customer in usual gaps; infinite where no gap of anybody is known."""
        own = self.rhythm(known)
        return np.divide(known.silence, own, out=np.full(len(own), np.inf), where=own > 0.0)

    def cells(self, known: PeerRows) -> Ints:
        """Cell of each customer."""
        places = (
            np.searchsorted(_ORDERS, known.orders),
            np.searchsorted(_SILENCE, self.ratio(known), side="right"),
            np.searchsorted(self.spend_cuts, known.spend, side="right"),
        )
        return np.ravel_multi_index(places, self._shape()).astype(np.int64)

    def parts(self, known: PeerRows, value: Floats) -> Floats:
        """Shares of orders, silence, spend and of what the customer is beside peers.

        Returns
        -------
        ndarray of shape (n_rows, 4)
            In the order of ``PARTS``; rows add up to the value less the mean of all.
        """
        share = shapley(self.worth)[self.cells(known)]
        return np.column_stack([share, value - self.mean - share.sum(axis=1)])

    def alike(self, known: PeerRows) -> tuple[Ints, Floats]:
        """How many customers are alike in all three, and what they are worth in the mean."""
        cell = self.cells(known)
        return self.size[cell], self.worth[cell, -1]


def _worth(size: Any, total: Any, mean: float) -> Floats:
    """Mean value of those alike in each coalition, drawn to what smaller ones say of them."""
    who = coalitions(3)
    worth = np.empty((*size.shape, len(who)))
    for i, has in enumerate(who):
        if not has.any():
            worth[..., i] = mean
            continue
        others = tuple(int(axis) for axis in np.flatnonzero(~has))
        n, money = (table.sum(axis=others, keepdims=True) for table in (size, total))
        prior = sum(
            (-1.0) ** (has.sum() - part.sum() - 1) * worth[..., j]
            for j, part in enumerate(who[:i])
            if (part <= has).all()
        )
        # main effects of a few may add up to less than anybody is worth
        prior = np.maximum(prior, 0.0) if mean >= 0.0 else prior
        worth[..., i] = (money + _FEW * prior) / (n + _FEW)
    return worth.reshape(-1, len(who))


def histories_in(table: Any) -> PeerRows | None:
    """Read what peers are told by from a summary, or rows of a panel; None where it is not there.

    Parameters
    ----------
    table : frame or Table
        ``n_orders`` (or ``frequency``), ``silence`` (or ``T``), ``recency`` and ``mean_value`` (or
        ``monetary_value``).
    """
    opened = open_table(table)

    def read(*names: str) -> Floats | None:
        for name in names:
            if opened.has(name):
                values = opened.column(name)
                if values.dtype.kind in "iufb":
                    return np.nan_to_num(np.asarray(values, dtype=np.float64))
        return None

    orders, span, age = read("n_orders"), read("recency"), read("T")
    silence, spend = read("silence"), read("mean_value", "monetary_value")
    if orders is None and (repeats := read("frequency")) is not None:
        orders = repeats + 1.0
    if silence is None and age is not None and span is not None:
        silence = np.maximum(age - span, 0.0)
    if orders is None or silence is None or span is None or spend is None:
        return None
    return PeerRows(orders, silence, span, spend)


def part_columns(table: Any, value: Floats) -> dict[str, Floats]:
    """Columns of ``explain``: the mean of all rows, and the parts that lead from it to each value.

    Parameters
    ----------
    table : frame
    value : ndarray of shape (n_rows,)

    Returns
    -------
    dict of str to ndarray
        Empty where the table does not tell orders, silence and spend.
    """
    known = histories_in(table)
    if known is None or len(value) != len(known.orders) or not len(value):
        return {}
    peers = Peers.learned(known, value)
    parts = peers.parts(known, value)
    named: Sequence[str] = [f"from_{name}" for name in PARTS]
    return {
        "mean_of_all": np.full(len(value), peers.mean),
        **{name: parts[:, j] for j, name in enumerate(named)},
    }
