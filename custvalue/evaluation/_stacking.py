"""Weights, level and spread of a blend of forecasts, from what earlier origins said and got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats

POINTS = 100  # of the table of relative sizes
BUCKETS = 5  # of chance
DOUBT = 0.25  # share of a correction of the level that may not hold
SURE = 0.05  # relative error of a total below which more buyers make it no surer


@dataclass(frozen=True, eq=False)
class Origin:
    """What the parts said at an earlier date, and what came.

    Parameters
    ----------
    days_back, days : int
        Date, counted back from the log's end, and horizon.
    came : ndarray of shape (n,)
    said : ndarray of shape (n, n_parts)
    chances : ndarray of shape (n, n_parts)
        nan where a part states none.
    """

    days_back: int
    days: int
    came: Floats
    said: Floats
    chances: Floats

    @property
    def log_ratios(self) -> Floats:
        """Logarithm of what came over what each part said, in total."""
        return np.asarray(np.log(self.came.sum() / self.said.sum(axis=0)))

    @property
    def noise(self) -> float:
        """Relative standard error of the total that came: the sampling of customers."""
        return float(np.sqrt((self.came**2).sum()) / self.came.sum())


def tweedie(came: Floats, said: Floats) -> float:
    """Mean Tweedie deviance of power 1.5; a thousandth of the mean is the least forecast."""
    y = np.maximum(came, 0.0)
    root = np.sqrt(np.maximum(said, 1e-3 * y.mean()))
    return float(np.mean(4.0 * (np.sqrt(y) - root) ** 2 / root))


def convex_weights(origins: list[Origin], pull: float) -> Floats:
    """Weights of the parts: not negative, of sum 1, drawn to equal ones.

    Each part is brought to the total that came first, so that the weights answer for who brings how
    much and not for the level. What is made small is the mean over origins of the deviance over
    that of equal weights, plus ``pull`` times the squared distance from equal weights.
    """
    from scipy import optimize

    k = origins[0].said.shape[1]
    equal = np.full(k, 1.0 / k)
    if k == 1:
        return equal
    shaped = [(np.maximum(o.came, 0.0), o.said * np.exp(o.log_ratios)) for o in origins]
    base = [tweedie(y, p @ equal) for y, p in shaped]

    def loss(w: Floats) -> tuple[float, Floats]:
        value, slope = pull * float(((w - equal) ** 2).sum()), 2.0 * pull * (w - equal)
        for (y, p), unit in zip(shaped, base, strict=True):
            m = np.maximum(p @ w, 1e-3 * y.mean())
            root = np.sqrt(m)
            value += float(np.mean(4.0 * (np.sqrt(y) - root) ** 2 / root)) / unit / len(shaped)
            d = 2.0 / root - 2.0 * y / (root * m)
            slope = slope + (d @ p) / len(y) / unit / len(shaped)
        return value, slope

    minimize: Any = optimize.minimize  # its types know no objective with its slope
    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * k,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda w: np.ones(k)},
        options={"maxiter": 200, "ftol": 1e-10},
    )
    w = np.where(found.x > 0.005, found.x, 0.0)
    return np.asarray(w / w.sum())


@dataclass(frozen=True)
class Level:
    """How the total is held.

    Parameters
    ----------
    weights : ndarray of shape (n_parts,)
        Of the logarithms of the parts' totals.
    factor : float
        What the mean of the parts is multiplied by.
    error : float
        Standard error of the log of the total after that.
    """

    weights: Floats
    factor: float
    error: float


def level_of(origins: list[Origin], spread: float) -> Level:
    """Hold the level by the parts whose totals came true, and by what they missed together.

    An origin counts by how surely the total that came is known there: early ones have few buyers.
    A part's weight is the inverse of its mean squared log error, with 0.1 added in root. The factor
    is the mean of the log error of the weighted total, drawn to 0 by its own standard error against
    a prior of standard deviation ``spread``.
    """
    errors = np.stack([o.log_ratios for o in origins])
    noise = np.array([o.noise**2 for o in origins])
    sure = 1.0 / (noise + SURE**2)
    sure /= sure.sum()
    weights = 1.0 / (sure @ errors**2 + 0.1**2)
    weights /= weights.sum()
    miss = errors @ weights
    mean, n = float(sure @ miss), len(miss)
    between = float(sure @ (miss - mean) ** 2) * n / (n - 1) if n > 1 else 0.1**2
    factor = mean * spread**2 / (spread**2 + float(sure @ noise) + between)
    # two more errors of a tenth: a handful of origins that overlap says little of their spread;
    # and a correction is a forecast itself, of which a quarter is in doubt
    left = float(((miss - factor) ** 2).sum()) + 2.0 * 0.1**2
    error = np.sqrt(left / (n + 2.0) + (DOUBT * factor) ** 2)
    return Level(weights, float(np.exp(factor)), float(error))


def relative_sizes(
    came: Floats, said: Floats, chance: Floats
) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Sizes over their expected size, by bucket of chance: inner edges, and quantiles of mean 1.

    Row b of the table holds ``POINTS`` sizes of equal chance of those who brought anything, whose
    mean is 1.
    """
    some = came > 0.0
    ratio = came[some] * chance[some] / np.maximum(said[some], 1e-12)
    edges = np.unique(np.quantile(chance[some], np.arange(1, BUCKETS) / BUCKETS))
    at = np.searchsorted(edges, chance[some], side="right")
    levels = (np.arange(POINTS) + 0.5) / POINTS
    table = np.ones((len(edges) + 1, POINTS))
    for b in range(len(edges) + 1):
        own = ratio[at == b]
        if len(own) < 20:
            own = ratio
        table[b] = np.quantile(own, levels)
        table[b] /= table[b].mean()
    return edges, table


def scales_at(origin: Origin, level: Level) -> Floats:
    """Scale of each part that brings it to the level as it is held, at an origin."""
    totals = np.log(origin.said.sum(axis=0))
    return np.asarray(np.exp(level.weights @ totals - totals) * level.factor)


def size_interval(
    gross: Floats, chance: Floats, edges: Floats, sizes: Floats, tail: float
) -> Floats:
    """Interval of each outcome, shape (n, 2), from the table of :func:`relative_sizes`.

    Who most likely brings nothing is not cut off at the bottom: all that is cut off is above, and
    1 - 2 tail is held wherever more than that may come than nothing. A gross value below 0 has the
    interval of its size, mirrored.
    """
    none = 1.0 - chance
    levels = (np.arange(POINTS) + 0.5) / POINTS
    below = np.maximum(tail - none, 0.0)
    at = np.searchsorted(edges, chance, side="right")
    size = gross / chance
    ends = np.zeros((len(gross), 2))
    for side, u in enumerate((below, 1.0 - 2.0 * tail + below)):
        within = (u - none) / chance
        for b, table in enumerate(sizes):
            mine = (at == b) & (within > 0.0)
            ends[mine, side] = size[mine] * np.interp(within[mine], levels, table)
    return np.sort(ends, axis=1)
