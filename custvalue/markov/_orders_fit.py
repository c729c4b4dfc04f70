"""Learn the chain for orders from a panel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from custvalue.markov._orders import Correction, Ints, LawTable, OrdersChain
from custvalue.markov._sparse import Floats

# The law keeps its level unless the periods contradict it by this many standard errors.
_LEVEL_ERRORS = 2.0
# Prior standard deviation of each slope of the correction: a factor e in either direction.
_SLOPE_SPREAD = 1.0
_SIZES = (0.02, 200.0)


class Moves(NamedTuple):
    """One row a transition: the state before, what was ordered after.

    Attributes
    ----------
    n, silence, age, cohort, spend : ndarray of shape (n_moves,)
        Orders so far, periods since the last, age, cohort and log mean spend, before.
    period : ndarray of int
        The period in which ``orders`` came.
    orders : ndarray
    """

    n: Floats
    silence: Floats
    age: Floats
    cohort: Floats
    spend: Floats
    period: Ints
    orders: Floats


TERMS = ("orders", "cohort", "spend")


def fit_orders(law: LawTable, moves: Moves, *, correct_by: tuple[str, ...]) -> OrdersChain:
    """Chain with the law's own means, corrected by the columns of ``correct_by``."""
    log_mean = law.at(moves.n, moves.silence, moves.age)
    fix = correction_of(moves, log_mean, correct_by) if correct_by else Correction()
    log_mean = log_mean + fix.log_factor(moves.n, moves.cohort, moves.spend)
    reach = int(moves.period.max() - moves.period.min()) + 1
    return OrdersChain(law, fix, size_of(np.exp(log_mean), moves.orders), reach)


def correction_of(moves: Moves, log_mean: Floats, correct_by: tuple[str, ...]) -> Correction:
    """Poisson regression of orders on the customer's own columns, with the law as offset.

    The slopes have a wide normal prior. Periods have shocks that all customers share (seasons,
    promotions), so the level's standard error is taken over periods, not over customers; the level
    is changed only where it is off by more than two of them.
    """
    mean = np.exp(log_mean)
    raw = {"order": np.log(moves.n), "cohort": moves.cohort, "spend": moves.spend}
    centre = {name: float(np.average(v, weights=mean)) for name, v in raw.items()}
    order, cohort, spend = (raw[name] - centre[name] for name in ("order", "cohort", "spend"))
    columns = {"level": np.ones_like(order)}
    if "orders" in correct_by:
        columns["order"] = order
    if "cohort" in correct_by:
        columns["cohort"] = cohort
    if "spend" in correct_by:
        columns["spend"] = spend
    X = np.column_stack(list(columns.values()))
    beta = poisson_slopes(X, moves.orders, log_mean)
    slope = {name: float(b) for name, b in zip(columns, beta, strict=True)}
    if abs(slope["level"]) < _LEVEL_ERRORS * level_error(moves, mean * np.exp(X @ beta)):
        slope["level"] = 0.0
    return Correction(
        **slope,
        mean_order=centre["order"],
        mean_cohort=centre["cohort"],
        mean_spend=centre["spend"],
    )


def poisson_slopes(X: Floats, orders: Floats, offset: Floats) -> Floats:
    """Posterior mode of a log-linear Poisson regression; the first column has no prior."""
    weight = np.full(X.shape[1], 1.0 / _SLOPE_SPREAD**2)
    weight[0] = 0.0
    beta = np.zeros(X.shape[1])
    for _ in range(50):
        mean = np.exp(np.clip(offset + X @ beta, -30.0, 7.0))
        gradient = X.T @ (orders - mean) - weight * beta
        curve = (X * mean[:, None]).T @ X + np.diag(weight + 1e-9)
        step = np.linalg.solve(curve, gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    return beta


def level_error(moves: Moves, mean: Floats) -> float:
    """Estimate the standard error of log(observed / expected), over periods; infinite with one."""
    place = moves.period - moves.period.min()
    observed = np.bincount(place, weights=moves.orders)
    expected = np.bincount(place, weights=mean)
    used = expected > 0
    observed, expected = observed[used], expected[used]
    n = len(observed)
    if n < 2:
        return np.inf
    ratio = observed.sum() / expected.sum()
    spread = float(((observed - ratio * expected) ** 2).sum()) * n / (n - 1)
    return float(np.sqrt(spread) / max(observed.sum(), 1.0))


def size_of(mean: Floats, orders: Floats) -> float:
    """Size k for which as many customer-periods have no order as were seen to have none."""
    none = float((orders == 0).sum())

    def too_many(log_size: float) -> float:
        size = np.exp(log_size)
        return float(np.exp(-size * np.log1p(mean / size)).sum()) - none

    low, high = np.log(_SIZES[0]), np.log(_SIZES[1])
    # fewer orders together, more empty periods: the count falls as the size grows
    if too_many(high) >= 0.0:
        return _SIZES[1]
    if too_many(low) <= 0.0:
        return _SIZES[0]
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if too_many(middle) > 0.0 else (low, middle)
    return float(np.exp(0.5 * (low + high)))


def law_of(purchases: Any) -> Any:
    """One-period forecast of a fitted purchase model as a function of (x, t_x, T)."""

    def expected(x: Floats, t_x: Floats, T: Floats) -> Floats:
        rows = np.column_stack([x, t_x, T])
        distinct, back = np.unique(rows, axis=0, return_inverse=True)
        return np.asarray(purchases.predict(distinct, horizon=1.0))[back.ravel()]

    return expected
