"""Sum of the leaves of many small trees, tree by tree over columns instead of row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats

BLOCK = 16_384  # rows whose columns stay near the processor
MOST_LEAVES = 16


@dataclass(frozen=True, eq=False)
class SmallTree:
    """A binary tree: who is at most the threshold goes left.

    Parameters
    ----------
    feature : ndarray of shape (n_splits,)
    threshold : ndarray of shape (n_splits,)
    left : ndarray of shape (n_splits,)
        Bit j is set where leaf j, counted from the left, lies left of the split.
    values : ndarray of shape (n_leaves,)
        At most ``MOST_LEAVES``.
    """

    feature: npt.NDArray[np.int64]
    threshold: Floats
    left: npt.NDArray[np.int64]
    values: Floats

    @cached_property
    def table(self) -> Floats:
        """Value of the first leaf that is not ruled out, by the bits of those that are."""
        n = len(self.values)
        out = np.full(1 << n, self.values[-1])
        bits = np.arange(1 << n)
        for leaf in range(n - 1, -1, -1):
            out[(bits >> leaf) & 1 == 0] = self.values[leaf]
        return out


def sum_of_trees(trees: Sequence[SmallTree], X: Floats, start: float) -> Floats:
    """``start`` plus each row's leaf of every tree, added in the trees' order.

    A row that goes right at a split rules out the leaves left of it; its leaf is the first that is
    left over (Lucchese et al., 2015). A split is so one comparison of a column, and no row walks
    down a tree.

    Parameters
    ----------
    trees : sequence of SmallTree
    X : ndarray of shape (n_rows, n_features)
        Without NaN.
    start : float

    Returns
    -------
    ndarray of shape (n_rows,)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import SmallTree, sum_of_trees
    >>> stump = SmallTree(np.array([0]), np.array([2.0]), np.array([1]), np.array([5.0, 7.0]))
    >>> sum_of_trees([stump], np.array([[1.0], [2.0], [3.0]]), 100.0)
    array([105., 105., 107.])
    """
    out = np.full(len(X), start)
    for low in range(0, len(X), BLOCK):
        columns = np.ascontiguousarray(X[low : low + BLOCK].T)
        ends = columns.min(axis=1), columns.max(axis=1)
        _add_block(trees, columns, ends, out[low : low + BLOCK])
    return out


def _add_block(
    trees: Sequence[SmallTree], columns: Floats, ends: tuple[Floats, Floats], out: Floats
) -> None:
    least, most = ends
    right = np.empty(columns.shape[1], dtype=bool)
    bits = right.view(np.uint8)
    ruled: dict[type, npt.NDArray[np.unsignedinteger]] = {}
    spare: dict[type, npt.NDArray[np.unsignedinteger]] = {}
    for kind in (np.uint8, np.uint16):
        ruled[kind], spare[kind] = np.empty((2, columns.shape[1]), dtype=kind)
    for tree in trees:
        kind = np.uint8 if len(tree.values) <= 8 else np.uint16
        gone, more, none = ruled[kind], spare[kind], 0
        gone[:] = 0
        for f, at, left in zip(
            tree.feature.tolist(), tree.threshold.tolist(), tree.left.tolist(), strict=True
        ):
            if at >= most[f]:  # nobody goes right
                continue
            if at < least[f]:
                none |= left
                continue
            np.greater(columns[f], at, out=right)
            np.multiply(bits, kind(left), out=more)
            gone |= more
        gone |= kind(none)
        out += tree.table[gone]
