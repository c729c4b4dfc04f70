"""Laws of ranking by several criteria: anchored scores, TOPSIS, weights by pairs.

Robinson, S. J. Q., Hichens, R. E. & Wade, D. P. (1978), The directional policy matrix, Long Range
Planning 11(3); Hwang, C.-L. & Yoon, K. (1981), Multiple attribute decision making; Saaty, T. L.
(1980), The analytic hierarchy process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue.exceptions import DataWarning

# Saaty's mean consistency index of random matrices of order 1 to 10
RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)
MOST_INCONSISTENT = 0.10


def anchored_scores(values: Floats, low: Floats, high: Floats, signs: Floats) -> Floats:
    """Where each value stands between its anchors, 0 to 1, turned round where less is better.

    ``u = (x - low) / (high - low)``, clipped; 0.5 where the anchors coincide.
    """
    width = high - low
    some = width > 0
    place = np.where(some, (values - low) / np.where(some, width, 1.0), 0.5)
    place = np.clip(place, 0.0, 1.0)
    return np.where(signs > 0, place, 1.0 - place)


def weighted_sum(scores: Floats, weights: Floats) -> Floats:
    """``sum_j w_j u_ij``; weights of shape (..., k) give (..., n)."""
    return weights @ scores.T


def weighted_product(scores: Floats, weights: Floats) -> Floats:
    """``prod_j u_ij ^ w_j``: a zero in one criterion that counts makes the whole zero."""
    with np.errstate(divide="ignore"):
        logs = np.log(scores)
    floor = -1e6  # finite, so that a weight of zero silences it; exp of it is zero
    return np.exp(weights @ np.maximum(logs, floor).T)


class IdealPoints(NamedTuple):
    """What TOPSIS measures from: column norms, and the best and worst value of each column.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.market._ranking import ideal_points
    >>> ideal_points(np.array([[3.0], [4.0]]), np.array([1.0])).best.tolist()
    [0.8]
    """

    norm: Floats
    best: Floats
    worst: Floats


def ideal_points(values: Floats, signs: Floats) -> IdealPoints:
    """Norms of the columns, and the best and worst of each after division by its norm."""
    norm = np.sqrt((values**2).sum(axis=0))
    norm = np.where(norm > 0, norm, 1.0)
    scaled = values / norm
    high, low = scaled.max(axis=0), scaled.min(axis=0)
    return IdealPoints(norm, np.where(signs > 0, high, low), np.where(signs > 0, low, high))


def closeness(values: Floats, points: IdealPoints, weights: Floats) -> Floats:
    """TOPSIS: distance from the worst over both distances, in weighted units of the norms.

    Weights of shape (..., k) give (..., n); 0.5 where best and worst coincide.
    """
    scaled = values / points.norm
    from_best = np.sqrt(weights**2 @ ((scaled - points.best) ** 2).T)
    from_worst = np.sqrt(weights**2 @ ((scaled - points.worst) ** 2).T)
    both = from_best + from_worst
    return np.divide(from_worst, both, out=np.full_like(both, 0.5), where=both > 0)


def ranks_of(priority: Floats) -> npt.NDArray[np.intp]:
    """Rank in each row, 1 the highest; equal values share the better rank."""
    rounded = np.round(priority, 12)
    down = np.sort(-rounded, axis=1)
    ranks = [np.searchsorted(d, -p, side="left") for d, p in zip(down, rounded, strict=True)]
    return np.stack(ranks) + 1


def switching_weight(now: Floats, step: Floats, weight: float) -> tuple[float, int | None]:
    """Nearest weight in [0, 1] at which another row overtakes the first, and which row.

    The priority at weight w is ``now + (w - weight) * step``.
    """
    lead = int(np.argmax(now))
    behind, faster = now[lead] - now, step - step[lead]
    moved = np.full(len(now), np.inf)
    turns = (np.abs(faster) > 1e-12) & (np.arange(len(now)) != lead)
    moved[turns] = behind[turns] / faster[turns]
    at = weight + moved
    legal = (at >= -1e-12) & (at <= 1.0 + 1e-12)
    if not legal.any():
        return float("nan"), None
    moved[~legal] = np.inf
    who = int(np.argmin(np.abs(moved)))
    return float(np.clip(at[who], 0.0, 1.0)), who


def blocks(n_draws: int, width: int) -> list[int]:
    """Split draws so that a block holds some ten million numbers at most."""
    size = max(1, min(n_draws, 10_000_000 // max(width, 1)))
    whole, rest = divmod(n_draws, size)
    return [size] * whole + ([rest] if rest else [])


@dataclass(frozen=True)
class PairWeights:
    """Weights learned from comparisons by pairs, and how consistent these were.

    Parameters
    ----------
    weights : dict of str to float
        Adding up to one; hand them on as ``TargetMarketRanker(attractiveness=...)``, with a minus
        where less is better.
    eigenvalue : float
        The principal one; the number of criteria if the comparisons are fully consistent.
    consistency_ratio : float
        Saaty's CR: 0 fully consistent, 1 as random answers; above 0.10 ask again.

    Examples
    --------
    >>> from custvalue.market import pair_weights
    >>> pair_weights([[1, 3], [1 / 3, 1]], names=["size", "growth"]).weights
    {'size': 0.75, 'growth': 0.25}
    """

    weights: dict[str, float]
    eigenvalue: float
    consistency_ratio: float

    def __str__(self) -> str:
        listed = ", ".join(f"{name} {weight:.3f}" for name, weight in self.weights.items())
        judged = "consistent" if self.consistency_ratio <= MOST_INCONSISTENT else "inconsistent"
        return f"{listed} (consistency ratio {self.consistency_ratio:.3f}: {judged})"


def pair_weights(pairs: npt.ArrayLike, *, names: Sequence[str] | None = None) -> PairWeights:
    """Weights of criteria from comparisons by pairs (AHP).

    The principal eigenvector of the matrix of ratios, scaled to sum to one, and the consistency
    ratio ``((lambda - n) / (n - 1)) / RI_n`` with Saaty's random index ``RI``.

    Parameters
    ----------
    pairs : array-like of shape (n, n)
        How many times more important the criterion of the row is than that of the column: 1 to 9,
        or their reciprocals; ``pairs[j][i] = 1 / pairs[i][j]``. A frame lends its column names.
    names : sequence of n str, optional
        Names of the criteria.

    Returns
    -------
    PairWeights

    Raises
    ------
    ValueError
        If the matrix is not square, positive and reciprocal, or has more than ten criteria (Saaty's
        index ends there).

    Warns
    -----
    DataWarning
        If the consistency ratio is above 0.10: the answers contradict each other.

    References
    ----------
    Saaty, T. L. (1980), The analytic hierarchy process, McGraw-Hill.

    Examples
    --------
    >>> from custvalue.market import pair_weights
    >>> found = pair_weights([[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]],
    ...                      names=["size", "growth", "margin"])
    >>> print(found)
    size 0.648, growth 0.230, margin 0.122 (consistency ratio 0.003: consistent)
    """
    if names is None:
        names = [str(name) for name in getattr(pairs, "columns", [])]
    ratio = np.asarray(pairs, dtype=np.float64)
    if ratio.ndim != 2 or ratio.shape[0] != ratio.shape[1] or not ratio.size:
        raise ValueError(f"pairs, of shape {ratio.shape}, must be a square matrix of ratios.")
    n = len(ratio)
    if n > len(RANDOM_INDEX):
        raise ValueError(
            f"pairs compares {n} criteria; Saaty's random index ends at {len(RANDOM_INDEX)}. "
            "Compare groups of criteria, and the criteria within each group."
        )
    names = list(names) or [f"x{j}" for j in range(n)]
    if len(names) != n or len(set(names)) != n:
        raise ValueError(f"names={names!r} must be {n} different names, one a criterion.")
    if not (np.isfinite(ratio).all() and (ratio > 0).all()):
        raise ValueError("pairs must hold finite ratios above zero, such as 3 or 1/3.")
    bad = np.argwhere(np.abs(ratio * ratio.T - 1.0) > 1e-2)
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"pairs is not reciprocal: {names[i]} over {names[j]} is {ratio[i, j]:g}, but "
            f"{names[j]} over {names[i]} is {ratio[j, i]:g}; it must be {1 / ratio[i, j]:g}."
        )
    values, vectors = np.linalg.eig(ratio)
    first = int(np.argmax(values.real))
    weight = np.abs(vectors[:, first].real)
    weight /= weight.sum()
    eigenvalue = float(values[first].real)
    index = max(eigenvalue - n, 0.0) / (n - 1) if n > 2 else 0.0
    ratio_of = index / RANDOM_INDEX[n - 1] if n > 2 else 0.0
    if ratio_of > MOST_INCONSISTENT:
        warn_caller(
            f"the comparisons contradict each other: consistency ratio {ratio_of:.2f}, above "
            f"{MOST_INCONSISTENT:.2f}. Ask again where a chain of answers does not close.",
            DataWarning,
        )
    weights = dict(zip(names, np.round(weight, 15).tolist(), strict=True))
    return PairWeights(weights, eigenvalue, ratio_of)
