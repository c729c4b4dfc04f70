"""Binning laws of RFM: cut points from a sample, scores from cut points, the way back.

Hughes, A. M. (1994), *Strategic Database Marketing*: quantile codes, independent or nested.
Stone, B. (1995), *Successful Direct Marketing Methods*: weighted points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from custvalue._kernels import bins_of, quantile_cuts
from custvalue._typing import Floats, Places
from custvalue.exceptions import FitFailedError


class VariableCuts(NamedTuple):
    """Frozen cut points of one variable.

    Parameters
    ----------
    letter : str
        Short name of the score, e.g. ``"R"``.
    column : str
        Column that is scored, e.g. ``"silence"``.
    less_is_better : bool
    cuts : tuple of tuple of float
        One ascending row a group (a single row unless scoring is nested). A value falls in bin
        ``number of cuts below it``, so a cut is the largest value of its bin.

    Examples
    --------
    >>> VariableCuts("F", "n_orders", False, ((1.0, 3.0),)).n_bins
    3
    """

    letter: str
    column: str
    less_is_better: bool
    cuts: tuple[tuple[float, ...], ...]

    @property
    def n_bins(self) -> int:
        """Number of scores of this variable."""
        return len(self.cuts[0]) + 1

    @property
    def is_nested(self) -> bool:
        """Whether there is a row of cuts for each cell of the variables before it."""
        return len(self.cuts) > 1

    def check(self, cells: int) -> None:
        """Refuse cuts that no fit leaves: as many in each row, not falling, a row a cell."""
        if len(self.cuts) not in (1, cells) or len({len(row) for row in self.cuts}) != 1:
            raise ValueError(f"the cuts of {self.letter} must be rows of one length, a row a cell.")
        if any(list(row) != sorted(row) for row in self.cuts):
            raise ValueError(f"the cuts of {self.letter} must not fall.")


def scores_of(values: Floats, variables: Sequence[VariableCuts]) -> Places:
    """Scores 1 to n of every row, n is best.

    Parameters
    ----------
    values : ndarray of shape (n, k)
    variables : sequence of k VariableCuts

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.rfm._rfm_law import scores_of
    >>> cuts = (VariableCuts("R", "silence", True, ((30.0, 90.0),)),)
    >>> scores_of(np.array([[10.0], [30.0], [31.0], [365.0]]), cuts).ravel()
    array([3, 3, 2, 1])
    """
    out = np.empty(values.shape, dtype=np.intp)
    cell = np.zeros(len(values), dtype=np.intp)
    for k, variable in enumerate(variables):
        table = np.asarray(variable.cuts)
        found = bins_of(values[:, k], table, cell if variable.is_nested else None)
        out[:, k] = variable.n_bins - found if variable.less_is_better else found + 1
        cell = cell * variable.n_bins + out[:, k] - 1
    return out


def nested_cuts(
    values: npt.ArrayLike, n_bins: int, cell: Places, sizes: Sequence[int]
) -> tuple[tuple[float, ...], ...]:
    """Cut points of one variable within each cell of the variables before it (Hughes).

    A cell without members takes the cuts of the wider cell around it, so that later customers
    who fall there have a score.

    Parameters
    ----------
    values : array-like of shape (n,)
    n_bins : int
    cell : ndarray of shape (n,)
        Cell of each row: scores of the variables before, less one, in mixed radix ``sizes``.
    sizes : sequence of int
        Number of scores of each variable before.

    Returns
    -------
    tuple of prod(sizes) tuples of n_bins - 1 cuts

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.rfm._rfm_law import nested_cuts
    >>> nested_cuts([1, 2, 30, 40], 2, np.array([0, 0, 1, 1]), [2])
    ((1.0,), (30.0,))
    """
    x = np.asarray(values, dtype=np.float64)
    wide = np.asarray([quantile_cuts(x, n_bins)])
    inner = int(np.prod(sizes, dtype=np.int64))
    for size in sizes:
        inner //= size
        group = cell // inner
        wide = np.repeat(wide, size, axis=0)
        order = np.argsort(group, kind="stable")
        found, start = np.unique(group[order], return_index=True)
        for g, members in zip(found, np.split(x[order], start[1:]), strict=True):
            wide[g] = quantile_cuts(members, n_bins)
    return tuple(tuple(float(c) for c in row) for row in wide)


def bin_bounds(variable: VariableCuts, score: Places, cell: Places | None = None) -> Floats:
    """Range of values behind each score: above ``low``, up to and including ``high``.

    Parameters
    ----------
    variable : VariableCuts
    score : ndarray of shape (n,)
        Scores 1 to n_bins.
    cell : ndarray of shape (n,), optional
        Row of the cuts (nested scoring); None: the only row.

    Returns
    -------
    ndarray of shape (n, 2)
        -inf and inf where the range is open. An empty range (low equals high) is a score that no
        value can have.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.rfm._rfm_law import bin_bounds
    >>> bin_bounds(VariableCuts("R", "silence", True, ((30.0, 90.0),)), np.array([3, 1]))
    array([[-inf,  30.],
           [ 90.,  inf]])
    """
    table = np.asarray(variable.cuts)
    edge = np.full((len(table), 1), np.inf)
    padded = np.hstack([-edge, table, edge])
    at = np.asarray(score, dtype=np.intp)
    at = variable.n_bins - at if variable.less_is_better else at - 1
    row = np.zeros(len(at), dtype=np.intp) if cell is None else cell
    return np.column_stack([padded[row, at], padded[row, at + 1]])


def reachable_cells(variables: Sequence[VariableCuts]) -> npt.NDArray[np.bool_]:
    """Which cells of scores a customer can have at all under frozen cut points.

    Equal cut points leave a score between them that no value can have.

    Parameters
    ----------
    variables : sequence of k VariableCuts

    Returns
    -------
    ndarray of shape (n_1, ..., n_k), bool

    Examples
    --------
    >>> from custvalue.rfm._rfm_law import reachable_cells
    >>> reachable_cells([VariableCuts("F", "n_orders", False, ((1.0, 1.0, 2.0),))])
    array([ True, False,  True,  True])
    """
    reached = np.ones(1, dtype=bool)
    for v in variables:
        cell = np.repeat(np.arange(reached.size), v.n_bins)
        score = np.tile(np.arange(1, v.n_bins + 1), reached.size)
        low, high = bin_bounds(v, score, cell if v.is_nested else None).T
        reached = (reached.reshape(-1, 1) & (low < high).reshape(-1, v.n_bins)).ravel()
    return reached.reshape([v.n_bins for v in variables])


def learned_weights(scores: npt.ArrayLike, response: npt.ArrayLike) -> Floats:
    """Non-negative weights, summing to one, of the composite score that best follows a response.

    Least squares of the centred response on the centred scores with weights held at or above
    zero, so that no score can count against a customer. A single score has all the weight.

    Parameters
    ----------
    scores : array-like of shape (n, k)
    response : array-like of shape (n,)
        What the customers did afterwards: ordered or not, or money.

    Returns
    -------
    ndarray of shape (k,)

    Raises
    ------
    FitFailedError
        If the response rises with none of several scores.
    ValueError
        If there are fewer than two rows.

    Examples
    --------
    >>> from custvalue.rfm._rfm_law import learned_weights
    >>> learned_weights([[1, 1], [1, 2], [2, 1], [2, 2]], [0, 1, 3, 4])
    array([0.75, 0.25])
    """
    a = np.asarray(scores, dtype=np.float64)
    y = np.asarray(response, dtype=np.float64)
    if len(y) < 2:
        raise ValueError(f"there is {len(y)} sample; weights are learned from two rows or more.")
    if a.shape[1] == 1:
        return np.ones(1)
    weights, _ = nnls(a - a.mean(axis=0), y - y.mean())
    total = weights.sum()
    if not total > 0:
        raise FitFailedError(
            f"the response rises with none of the {a.shape[1]} scores ({len(y):,} customers, mean "
            f"response {y.mean():g}); give weights= yourself."
        )
    return weights / total


#: Points by months since the last purchase, a widely copied teaching scale.
STONE_RECENCY = {3.0: 20.0, 6.0: 10.0, 9.0: 5.0, 12.0: 3.0, 24.0: 1.0}


def stone_score(
    months_since_last: npt.ArrayLike,
    n_orders: npt.ArrayLike,
    total_value: npt.ArrayLike,
    *,
    recency_points: Mapping[float, float] | None = None,
    per_order: float = 4.0,
    order_cap: float = 20.0,
    value_share: float = 0.10,
    value_cap: float = 20.0,
    weights: tuple[float, float, float] = (5.0, 3.0, 2.0),
) -> Floats:
    """Judgement points in the manner of Stone: weighted points for recency, orders and money.

    Parameters
    ----------
    months_since_last, n_orders, total_value : array-like of shape (n,)
    recency_points : mapping of months to points, optional
        Points of customers whose silence is at most so many months; 0 beyond the last. Default:
        20 up to 3 months, 10 up to 6, 5 up to 9, 3 up to 12, 1 up to 24.
    per_order, order_cap : float
        Points for each order and their ceiling.
    value_share, value_cap : float
        Points for each unit of money and their ceiling. These depend on the currency: set them.
    weights : tuple of three floats
        Weights of recency, orders and money.

    Returns
    -------
    ndarray of shape (n,)

    References
    ----------
    Stone, B. (1995), *Successful Direct Marketing Methods*, 5th ed. The default points are those
    usually credited to it in teaching material.

    Examples
    --------
    >>> from custvalue.rfm import stone_score
    >>> float(stone_score(5, 3, 150))
    116.0
    """
    points = STONE_RECENCY if recency_points is None else recency_points
    limits = np.array(sorted(points))
    table = np.array([*(points[m] for m in limits), 0.0])
    recency = table[np.searchsorted(limits, np.asarray(months_since_last, dtype=np.float64))]
    orders = np.minimum(per_order * np.asarray(n_orders, dtype=np.float64), order_cap)
    money = np.minimum(value_share * np.asarray(total_value, dtype=np.float64), value_cap)
    return np.asarray(weights[0] * recency + weights[1] * orders + weights[2] * money)
