"""Chance of an order within a window, learned from what customers alike did afterwards."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedKFold

from custvalue._kernels._newton import climb
from custvalue.exceptions import FitFailedError
from custvalue.segment._gap_prior import GapPrior, prob_longer_gap, prob_order_if_customer
from custvalue.segment._silence import Floats, GapFacts

Calibrator = Literal["logistic", "isotonic"]
FOLDS = 5
GROUPS = 20
LEAST_PER_GROUP = 25
MOST_STEPS = 50
RIDGE = 0.01
BLOCK = 8192  # rows at a time: large skinny products stall on busy machines


class Alike(NamedTuple):
    """Customers with a similar predicted chance, and how many of them ordered.

    Parameters
    ----------
    up_to : float
        Largest predicted chance of the group.
    customers, came_back : int

    Examples
    --------
    >>> from custvalue.segment import Alike
    >>> Alike(0.3, 88, 19).came_back
    19
    """

    up_to: float
    customers: int
    came_back: int


class ReturnChance(NamedTuple):
    """The learned chance of an order within a window: a few numbers, no customers.

    Parameters
    ----------
    window : float
        In the unit of the gaps.
    prior : GapPrior
    centre, scale, weights : tuple of float
        Of the measures (see ``return_measures``); the index is ``intercept + weights . z``.
    intercept : float
    steps : tuple of (float, float)
        Isotonic map from the index to the chance; empty with the logistic calibrator.
    alike : tuple of Alike
        What customers alike did, by groups of the cross-fitted chance.
    brier, brier_of_base_rate : float
        Mean squared error of the cross-fitted chance, and of the share who ordered.

    Examples
    --------
    >>> from custvalue.segment import ReturnChance
    >>> ReturnChance._fields[:2]
    ('window', 'prior')
    """

    window: float
    prior: GapPrior
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    steps: tuple[tuple[float, float], ...]
    alike: tuple[Alike, ...]
    brier: float
    brier_of_base_rate: float

    def of(self, facts: GapFacts) -> Floats:
        """Chance of an order within the window.

        Parameters
        ----------
        facts : GapFacts

        Returns
        -------
        ndarray of shape (n,)
        """
        z = (return_measures(facts, self.window, self.prior) - self.centre) / self.scale
        index = self.intercept + z @ np.asarray(self.weights)
        if not self.steps:
            return _logistic(index)
        at, level = np.asarray(self.steps).T
        return np.interp(index, at, level)

    def alike_to(self, chance: float) -> Alike:
        """Group of earlier customers with the nearest predicted chance.

        Parameters
        ----------
        chance : float

        Returns
        -------
        Alike
        """
        return next((a for a in self.alike if chance <= a.up_to), self.alike[-1])


def return_measures(facts: GapFacts, window: float, prior: GapPrior) -> Floats:
    """Give the measures that the chance of return is learned on; free of the unit of time.

    Parameters
    ----------
    facts : GapFacts
    window : float
    prior : GapPrior

    Returns
    -------
    ndarray of shape (n, 6)
        Log odds of an order by someone who still buys as before, log chance of a gap so long, its
        square, log orders, log age and log silence (both in windows).

    Examples
    --------
    >>> from custvalue.segment import GapPrior, gap_facts, return_measures
    >>> return_measures(gap_facts([[10.0, 20.0]]), 30.0, GapPrior(1.0, 30.0)).shape
    (1, 6)
    """
    own = facts.silence, facts.n_gaps, facts.gap_sum
    chance = np.clip(prob_order_if_customer(window, *own, prior), 1e-9, 1 - 1e-9)
    surprise = np.log(np.maximum(prob_longer_gap(*own, prior), 1e-9))
    return np.column_stack(
        [
            np.log(chance) - np.log1p(-chance),
            surprise,
            surprise**2,
            np.log1p(facts.n_gaps),
            np.log1p((facts.gap_sum + facts.silence) / window),
            np.log1p(facts.silence / window),
        ]
    )


def learn_return_chance(
    facts: GapFacts,
    ordered: npt.ArrayLike,
    window: float,
    prior: GapPrior,
    calibrator: Calibrator = "logistic",
) -> ReturnChance:
    """Learn the chance of an order within ``window`` from an earlier date of the same log.

    Parameters
    ----------
    facts : GapFacts
        As known at the earlier date.
    ordered : array-like of shape (n,), bool or 0/1
        Whether the customer ordered within the window after that date.
    window : float
    prior : GapPrior
    calibrator : {"logistic", "isotonic"}
        ``"logistic"``: logistic regression on the measures. ``"isotonic"``: on top of it a step
        function that only has to rise, learned on predictions for customers left out.

    Returns
    -------
    ReturnChance

    Raises
    ------
    FitFailedError
        If nobody or everybody ordered, or there are too few of either.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.segment import GapPrior, gap_facts, learn_return_chance
    >>> rng = np.random.default_rng(3)
    >>> gaps = rng.exponential(30, (400, 4))
    >>> ordered = rng.random(400) < np.exp(-gaps[:, 0] / 60)
    >>> learned = learn_return_chance(gap_facts(gaps), ordered, 30.0, GapPrior(4.0, 120.0))
    >>> learned.brier < learned.brier_of_base_rate
    True
    """
    y = np.asarray(ordered)
    if y.shape != facts.silence.shape or not np.isin(y, [0, 1]).all():
        raise ValueError(
            f"y must hold {len(facts.silence):,} values True/False (or 1/0): did the customer "
            f"order within the window? Got shape {y.shape}."
        )
    y = y.astype(np.intp)
    fewest = int(min(y.sum(), (1 - y).sum()))
    if fewest < FOLDS:
        raise FitFailedError(
            f"{int(y.sum()):,} of {len(y):,} customers ordered within the window; at least {FOLDS} "
            "who did and who did not are needed. Choose another window or an earlier date."
        )
    measures = return_measures(facts, window, prior)
    centre = measures.mean(axis=0)
    scale = measures.std(axis=0)
    scale[scale == 0] = 1.0
    z = (measures - centre) / scale
    weights = _logistic_weights(z, y)
    held_out = np.empty(len(y))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for rest, fold in folds.split(z, y):
        part = _logistic_weights(z[rest], y[rest])
        held_out[fold] = part[0] + z[fold] @ part[1:]
    steps: tuple[tuple[float, float], ...] = ()
    chance = _logistic(held_out)
    if calibrator == "isotonic":
        steps = _rising_steps(held_out, y)
        for rest, fold in folds.split(z, y):
            at, level = np.asarray(_rising_steps(held_out[rest], y[rest])).T
            chance[fold] = np.interp(held_out[fold], at, level)
    return ReturnChance(
        window=float(window),
        prior=prior,
        centre=tuple(float(v) for v in centre),
        scale=tuple(float(v) for v in scale),
        weights=tuple(float(v) for v in weights[1:]),
        intercept=float(weights[0]),
        steps=steps,
        alike=_groups_alike(chance, y),
        brier=float(np.mean((chance - y) ** 2)),
        brier_of_base_rate=float(np.mean((y.mean() - y) ** 2)),
    )


def reliability_table(ordered: npt.ArrayLike, chance: npt.ArrayLike, *, n_groups: int = 10) -> Any:
    """Compare predicted chances with what happened, in groups of rising chance.

    Parameters
    ----------
    ordered : array-like of shape (n,), bool or 0/1
    chance : array-like of shape (n,)
    n_groups : int, default=10
        Groups of near-equal size; equal chances stay together.

    Returns
    -------
    pandas.DataFrame
        ``customers``, ``predicted`` (mean chance), ``observed`` (share who ordered), ``low`` and
        ``high`` (95 % Wilson interval of the share).

    Examples
    --------
    >>> from custvalue.segment import reliability_table
    >>> reliability_table([0, 0, 1, 1], [0.1, 0.1, 0.8, 0.9], n_groups=2)["observed"].tolist()
    [0.0, 1.0]
    """
    import pandas as pd

    y = np.asarray(ordered, dtype=np.float64)
    p = np.asarray(chance, dtype=np.float64)
    group = _rank_groups(p, n_groups)
    n = np.bincount(group).astype(np.float64)
    share = np.bincount(group, weights=y) / n
    z = 1.959963984540054
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return pd.DataFrame(
        {
            "customers": n.astype(np.intp),
            "predicted": np.bincount(group, weights=p) / n,
            "observed": share,
            "low": np.clip(middle - half, 0.0, share),
            "high": np.clip(middle + half, share, 1.0),
        }
    )


def _logistic_weights(z: Floats, y: npt.NDArray[np.intp]) -> Floats:
    """Intercept and weights of a logistic regression by Newton's method."""
    n, k = z.shape
    design = np.column_stack([np.ones(n), z])
    # a ridge of a hundredth of a customer: it only keeps a separable sample finite
    ridge = np.full(k + 1, RIDGE / n)
    ridge[0] = 0.0

    def objective(theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = 0.0, np.zeros(k + 1), np.zeros((k + 1, k + 1))
        for start in range(0, n, BLOCK):
            part, hit = design[start : start + BLOCK], y[start : start + BLOCK]
            index = part @ theta
            chance = _logistic(index)
            value += float((hit * index - np.logaddexp(0.0, index)).sum())
            gradient += part.T @ (hit - chance)
            hessian -= (part * (chance * (1 - chance))[:, None]).T @ part
        value = value / n - 0.5 * float(ridge @ theta**2)
        return value, gradient / n - ridge * theta, hessian / n - np.diag(ridge)

    return climb(objective, np.zeros(k + 1), np.full(k + 1, -50.0), np.full(k + 1, 50.0)).theta


def _rising_steps(index: Floats, y: npt.NDArray[np.intp]) -> tuple[tuple[float, float], ...]:
    """Isotonic regression on groups, so that no end of the map rests on a handful of customers."""
    group = _rank_groups(index, max(2, min(MOST_STEPS, len(y) // LEAST_PER_GROUP)))
    size = np.bincount(group)
    at = np.bincount(group, weights=index) / size
    share = np.bincount(group, weights=y) / size
    level = IsotonicRegression().fit_transform(at, share, sample_weight=size)
    return tuple((float(a), float(b)) for a, b in zip(at, level, strict=True))


def _logistic(index: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(index, -700.0, 700.0))))


def _rank_groups(p: Floats, n_groups: int) -> npt.NDArray[np.intp]:
    """Put values into groups of near-equal size by rank; equal values go together."""
    ordered = np.sort(p)
    rank = np.searchsorted(ordered, p, side="left")
    return np.unique(rank * n_groups // len(p), return_inverse=True)[1]


def _groups_alike(chance: Floats, y: npt.NDArray[np.intp]) -> tuple[Alike, ...]:
    group = _rank_groups(chance, max(1, min(GROUPS, len(y) // LEAST_PER_GROUP)))
    size = np.bincount(group)
    back = np.bincount(group, weights=y)
    top = np.full(len(size), -np.inf)
    np.maximum.at(top, group, chance)
    return tuple(Alike(float(t), int(n), int(b)) for t, n, b in zip(top, size, back, strict=True))
