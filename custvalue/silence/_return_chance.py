"""Chance of an order within a window, learned from what customers alike did afterwards."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels import wilson
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue.exceptions import BoundaryFitWarning, SmallSampleWarning
from custvalue.likelihood._for_rooms import Plan, search
from custvalue.silence._gap_prior import GapPrior, prob_longer_gap, prob_order_if_customer
from custvalue.silence._learning import has_ordered
from custvalue.silence._silence import GapFacts

Calibrator = Literal["logistic", "isotonic"]
FOLDS = 5
GROUPS = 20
LEAST_PER_GROUP = 25
N_MEASURES = 6
LEAST_A_MEASURE = 10  # customers who ordered, and who did not
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
    >>> from custvalue.silence._return_chance import Alike
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
    >>> from custvalue.silence._return_chance import ReturnChance
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

    def check(self) -> None:
        """Refuse parts that do not belong together.

        Raises
        ------
        ValueError
        """
        self.prior.check()
        parts = (self.centre, self.scale, self.weights)
        if any(len(part) != N_MEASURES for part in parts) or not min(self.scale) > 0.0:
            raise ValueError(f"a chance has {N_MEASURES} measures, each with a scale above 0.")
        at, levels = [step[0] for step in self.steps], [step[1] for step in self.steps]
        if at != sorted(at) or levels != sorted(levels) or not all(0 <= one <= 1 for one in levels):
            raise ValueError("the steps of a chance must not fall.")
        if not self.alike or not 0.0 < self.window < np.inf:
            raise ValueError("a chance needs a window, and customers alike.")

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
        square, log orders, log silence (in windows), and the product of the last two: the same
        silence says more of those who order often.

    Notes
    -----
    The time since the first order is left out on purpose: everybody grows older between the date
    that is learned on and the date that is forecast from, so a weight on it extrapolates.

    Examples
    --------
    >>> from custvalue.silence import GapPrior
    >>> from custvalue.silence._return_chance import return_measures
    >>> from custvalue.silence._silence import gap_facts
    >>> return_measures(gap_facts([[10.0, 20.0]]), 30.0, GapPrior(1.0, 30.0)).shape
    (1, 6)
    """
    own = facts.silence, facts.n_gaps, facts.gap_sum
    orders, silence = np.log1p(facts.n_gaps), np.log1p(facts.silence / window)
    chance = np.clip(prob_order_if_customer(window, *own, prior), 1e-9, 1 - 1e-9)
    surprise = np.log(np.maximum(prob_longer_gap(*own, prior), 1e-9))
    return np.column_stack(
        [
            np.log(chance) - np.log1p(-chance),
            surprise,
            surprise**2,
            orders,
            silence,
            orders * silence,
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
    ordered : array-like of shape (n,)
        Whether the customer ordered within the window after that date: True or False, or orders
        or money in the window, of which anything above 0 is an order.
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
    ValueError
        If ``ordered`` is not one number a customer.

    Warns
    -----
    BoundaryFitWarning
        If nobody or everybody ordered, or all but one: then all have the same chance.
    SmallSampleWarning
        If fewer than 60 customers ordered, or did not: ten for each measure.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.silence import GapPrior
    >>> from custvalue.silence._return_chance import learn_return_chance
    >>> from custvalue.silence._silence import gap_facts
    >>> rng = np.random.default_rng(3)
    >>> gaps = rng.exponential(30, (400, 4))
    >>> ordered = rng.random(400) < np.exp(-gaps[:, 0] / 60)
    >>> learned = learn_return_chance(gap_facts(gaps), ordered, 30.0, GapPrior(4.0, 120.0))
    >>> learned.brier < learned.brier_of_base_rate
    True
    """
    y = has_ordered(ordered, len(facts.silence)).astype(np.intp)
    # who falls into which fold follows from the facts, not from the order of the rows: customers
    # with equal facts and outcome are one to the folds
    order = np.lexsort((y, *facts))
    facts, y = GapFacts(*(v[order] for v in facts)), y[order]
    came = int(y.sum())
    fewest = min(came, len(y) - came)
    if fewest < 2:
        return _same_chance(came, len(y), window, prior)
    measures = return_measures(facts, window, prior)
    centre = measures.mean(axis=0)
    scale = measures.std(axis=0)
    scale[scale == 0] = 1.0
    if fewest < LEAST_A_MEASURE * N_MEASURES:
        warn_caller(
            f"{came:,} of {len(y):,} customers ordered within the window: with fewer than "
            f"{LEAST_A_MEASURE * N_MEASURES} who did, or who did not, the chance is rough.",
            SmallSampleWarning,
        )
    from sklearn.model_selection import StratifiedKFold  # loads half of scikit-learn

    z = (measures - centre) / scale
    weights = _logistic_weights(z, y)
    held_out = np.empty(len(y))
    folds = StratifiedKFold(min(FOLDS, fewest), shuffle=True, random_state=0)
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


def _same_chance(came: int, n: int, window: float, prior: GapPrior) -> ReturnChance:
    """Give everybody one chance, where (nearly) all did the same: (came + 1/2) / (n + 1)."""
    chance = (came + 0.5) / (n + 1)
    warn_caller(
        f"{came:,} of {n:,} customers ordered within the window: nothing tells them apart, so all "
        f"have the same chance, {chance:.3g}. Choose another window or an earlier date.",
        BoundaryFitWarning,
    )
    brier = (came * (1 - chance) ** 2 + (n - came) * chance**2) / n
    return ReturnChance(
        window=float(window),
        prior=prior,
        centre=(0.0,) * N_MEASURES,
        scale=(1.0,) * N_MEASURES,
        weights=(0.0,) * N_MEASURES,
        intercept=float(np.log(chance / (1 - chance))),
        steps=(),
        alike=(Alike(chance, n, came),),
        brier=brier,
        brier_of_base_rate=brier,
    )


def reliability_table(ordered: npt.ArrayLike, chance: npt.ArrayLike, *, n_groups: int = 10) -> Any:
    """Compare predicted chances with what happened, in groups of rising chance.

    Parameters
    ----------
    ordered : array-like of shape (n,)
        True or False, or orders or money: anything above 0 is an order.
    chance : array-like of shape (n,)
        From 0 to 1.
    n_groups : int, default=10
        Groups of near-equal size; equal chances stay together.

    Returns
    -------
    pandas.DataFrame
        ``customers``, ``predicted`` (mean chance), ``observed`` (share who ordered), ``low`` and
        ``high`` (95 % Wilson interval of the share).

    Raises
    ------
    ValueError
        If a chance is missing or outside 0 to 1, the lengths differ, or ``n_groups`` is below 1.

    Examples
    --------
    >>> reliability_table([0, 0, 1, 1], [0.1, 0.1, 0.8, 0.9], n_groups=2)["observed"].tolist()
    [0.0, 1.0]
    """
    import pandas as pd

    p = np.asarray(chance, dtype=np.float64)
    if p.ndim != 1 or not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("chance must hold numbers from 0 to 1, one a customer, none missing.")
    if n_groups < 1:
        raise ValueError(f"n_groups={n_groups!r} must be at least 1.")
    y = has_ordered(ordered, len(p)).astype(np.float64)
    group = _rank_groups(p, n_groups)
    n = np.bincount(group).astype(np.float64)
    share = np.bincount(group, weights=y) / n
    low, high = wilson(share, n, 0.95)
    return pd.DataFrame(
        {
            "customers": n.astype(np.intp),
            "predicted": np.bincount(group, weights=p) / n,
            "observed": share,
            "low": low,
            "high": high,
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

    box = Plan(np.full(k + 1, -50.0), np.full(k + 1, 50.0), close=1e-14)
    return search(objective, [np.zeros(k + 1)], box)[0].theta


def _rising_steps(index: Floats, y: npt.NDArray[np.intp]) -> tuple[tuple[float, float], ...]:
    """Isotonic regression on groups, so that no end of the map rests on a handful of customers."""
    from sklearn.isotonic import IsotonicRegression

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
