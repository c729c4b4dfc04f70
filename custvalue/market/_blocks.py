"""Mixed columns in balanced blocks: multiple factor analysis, then principal components.

Escofier, B. & Pagès, J. (1994), Multiple factor analysis (AFMULT package), Computational Statistics
& Data Analysis 18; Pagès, J. (2004), Analyse factorielle de données mixtes, Revue de statistique
appliquée 52(4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._categories import is_text
from custvalue._typing import ByName, Floats


class Stability(NamedTuple):
    """How alike segments come out when customers are drawn again.

    Parameters
    ----------
    segments : int
    adjusted_rand : float
        Mean adjusted Rand index of the refits with the fit; 1 the same, 0 as by chance.

    Examples
    --------
    >>> Stability(3, 0.94).segments
    3
    """

    segments: int
    adjusted_rand: float


class Scaling(NamedTuple):
    """Frozen scale of one column: a number's mean and deviation, or categories with their shares.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.market._blocks import scaling_of
    >>> scaling_of(np.array(["A", "A", "B", "A"], dtype=object)).share
    (0.75, 0.25)
    """

    mean: float
    deviation: float
    categories: tuple[str, ...]
    share: tuple[float, ...]

    def check(self) -> None:
        """Refuse a scale that no column has, with a ``ValueError``."""
        shares = len(self.categories) == len(self.share) and all(0 < one <= 1 for one in self.share)
        if not shares or not self.deviation > 0.0:
            raise ValueError("a column has a deviation above 0, and a share for each category.")


def scaling_of(values: npt.NDArray[Any], rare: float = 0.0) -> Scaling:
    """Learn a column's scale; missing numbers are left out.

    Categories that fewer than ``rare`` of the customers have, or have not, get no coordinate: the
    scaling would carry a handful so far away that they became a segment of their own.
    """
    if is_text(values):
        names, count = np.unique(values.astype(str), return_counts=True)
        share = count / count.sum()
        common = (share >= rare) & (share <= 1.0 - rare)
        shares = tuple(share[common].tolist())
        return Scaling(0.0, 1.0, tuple(map(str, names[common])), shares)
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if len(known) else 0.0
    deviation = float(known.std()) if len(known) else 0.0
    # what rounding leaves of a constant column is no spread
    flat = deviation <= 1e-12 * max(abs(mean), 1e-300)
    return Scaling(mean, 1.0 if flat else deviation, (), ())


def scaled(values: npt.NDArray[Any], by: Scaling) -> Floats:
    """Standardised numbers (missing ones at the mean), or ``(z - p) / sqrt(p)`` of each category.

    A category that is rare or was not learned is none of them: ``z = 0`` everywhere.
    """
    if not is_text(values):
        return np.nan_to_num((values - by.mean) / by.deviation)[:, None]
    words = values.astype(str)
    share = np.array(by.share)
    indicator = words[:, None] == np.array(by.categories)[None, :]
    return (indicator - share) / np.sqrt(share)


class Block(NamedTuple):
    """One base: scales of its columns, and the root of its largest eigenvalue.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.market._blocks import block_of
    >>> numbers = {"a": np.array([1.0, 2, 8, 9]), "b": np.array([10.0, 12, 30, 28])}
    >>> round(float(block_of(numbers).root) ** 2, 6)
    1.983895
    """

    scales: dict[str, Scaling]
    root: float

    def check(self) -> None:
        """Refuse a base that no table has, with a ``ValueError``."""
        for scale in self.scales.values():
            scale.check()
        if not self.root > 0.0:
            raise ValueError("the root of a base's largest eigenvalue is above 0.")

    def coordinates(self, columns: ByName) -> Floats:
        """Balanced coordinates: no block has more than unit variance in any direction."""
        parts = [scaled(columns[name], scale) for name, scale in self.scales.items()]
        return np.column_stack(parts) / self.root


def block_of(columns: ByName, rare: float = 0.0) -> Block:
    """Learn one base: divide it by the root of the largest eigenvalue of its covariance."""
    block = Block({name: scaling_of(values, rare) for name, values in columns.items()}, 1.0)
    raw = block.coordinates(columns)
    if not raw.shape[1]:
        raise ValueError(
            f"{', '.join(columns)}: all but a few customers have the same category, or each has "
            f"one of their own (rare={rare:g}); put rare ones together, or leave the base out."
        )
    raw = raw - raw.mean(axis=0)
    top = float(np.linalg.svd(raw, compute_uv=False)[0])
    root = top / float(np.sqrt(max(len(raw), 1)))
    return block._replace(root=root if root > 1e-12 else 1.0)


class Components(NamedTuple):
    """Frozen blocks and the principal components over all of them.

    Parameters
    ----------
    blocks : tuple of Block
    center : ndarray of shape (n_coordinates,)
    axes : ndarray of shape (n_components, n_coordinates)
    inertia : tuple of float
        Share of the whole variance of each component.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.market._blocks import components_of
    >>> found = components_of([{"a": np.array([1.0, 2.0, 3.0])}], 0.8)
    >>> found.of([{"a": np.array([2.0])}]).round(9).tolist()
    [[0.0]]
    """

    blocks: tuple[Block, ...]
    center: Floats
    axes: Floats
    inertia: tuple[float, ...]

    def of(self, bases: Sequence[ByName]) -> Floats:
        """Coordinates of customers on the components, shape (n, n_components)."""
        both = zip(self.blocks, bases, strict=True)
        raw = np.column_stack([block.coordinates(columns) for block, columns in both])
        return (raw - self.center) @ self.axes.T


def components_of(bases: Sequence[ByName], inertia: float, rare: float = 0.0) -> Components:
    """Balance the blocks and keep the components that hold ``inertia`` of the variance."""
    blocks = tuple(block_of(columns, rare) for columns in bases)
    both = zip(blocks, bases, strict=True)
    raw = np.column_stack([block.coordinates(columns) for block, columns in both])
    center = raw.mean(axis=0)
    _, singular, axes = np.linalg.svd(raw - center, full_matrices=False)
    variance = singular**2
    total = variance.sum()
    if not total > 0:
        return Components(blocks, center, axes[:1], (0.0,))
    share = variance / total
    keep = int(np.searchsorted(np.cumsum(share), inertia - 1e-12)) + 1
    axes = axes[:keep]
    # a component's sign is free: its largest entry is positive
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    return Components(blocks, center, axes, tuple(share[:keep].tolist()))
