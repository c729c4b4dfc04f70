"""Learn the chain for orders from a panel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from custvalue.markov._orders import SLOPES, Correction, Ints, LawTable, OrdersChain
from custvalue.markov._shock import Shock, shared_shock
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


# Step in the log of a law's parameter by which an answer to it is measured.
LAW_STEP = 1e-3

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
    names, X, centre = _design(moves, mean, correct_by)
    beta = poisson_slopes(X, moves.orders, log_mean)
    slope = {name: float(b) for name, b in zip(names, beta, strict=True)}
    if abs(slope["level"]) < _LEVEL_ERRORS * level_error(moves, mean * np.exp(X @ beta)):
        slope["level"] = 0.0
    return Correction(
        **slope,
        mean_order=centre["order"],
        mean_cohort=centre["cohort"],
        mean_spend=centre["spend"],
    )


def _design(
    moves: Moves, mean: Floats, correct_by: tuple[str, ...]
) -> tuple[list[str], Floats, dict[str, float]]:
    """Columns of the regression, by the name of their slope, and what they are centred on."""
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
    return list(columns), np.column_stack(list(columns.values())), centre


def slope_covariance(
    law: LawTable,
    beside: list[LawTable],
    law_covariance: Floats | None,
    chain: OrdersChain,
    moves: Moves,
    correct_by: tuple[str, ...],
) -> Floats:
    """Covariance of the slopes of ``chain``, in the order of ``SLOPES``; shape (4, 4).

    The slopes see what is left of the orders once the law has been fitted to them. The law's
    estimate being efficient, the slopes' error is independent of it, and their covariance is that
    under a known law less what the law's own error J V J' takes up (Hausman 1978, Econometrica 46,
    1251-1271), J being how the slopes answer to the law's parameters.

    Parameters
    ----------
    law : LawTable
    beside : list of LawTable
        For each parameter of the law, the table with its log raised by ``LAW_STEP``.
    law_covariance : ndarray or None
        V, of the logs of the law's parameters; None takes the law as known.
    chain, moves, correct_by
        As fitted.
    """
    out = np.zeros((len(SLOPES), len(SLOPES)))
    if not correct_by:
        return out
    base = law.at(moves.n, moves.silence, moves.age)
    names, X, _ = _design(moves, np.exp(base), correct_by)
    mean = np.exp(base + chain.correction.log_factor(moves.n, moves.cohort, moves.spend))
    weight = np.full(len(names), 1.0 / _SLOPE_SPREAD**2)
    weight[0] = 1e-9
    curve = (X * mean[:, None]).T @ X + np.diag(weight)
    noise = (X * (mean * (1.0 + mean / chain.size))[:, None]).T @ X
    rises = [other.at(moves.n, moves.silence, moves.age) - base for other in beside]
    answer = [X.T @ (mean * rise) / LAW_STEP for rise in rises]
    if answer and law_covariance is not None:
        taken = np.column_stack(answer)
        noise = noise - taken @ law_covariance @ taken.T
    inner = np.linalg.solve(curve, np.linalg.solve(curve, noise).T)
    size, axes = np.linalg.eigh(0.5 * (inner + inner.T))
    inner = (axes * np.maximum(size, 0.0)) @ axes.T
    # a level left to the law has no error of its own
    used = [k for k, name in enumerate(names) if name != "level" or chain.correction.level != 0.0]
    where = [SLOPES.index(names[k]) for k in used]
    out[np.ix_(where, where)] = inner[np.ix_(used, used)]
    return out


def log_covariance(part: Any) -> Floats | None:
    """Covariance of the logs of a fitted law's parameters, 0 at a boundary; None if not known."""
    try:
        table = (
            part.covariance().to_numpy()
            if hasattr(part, "covariance")
            else np.asarray(part.fit_report().log_covariance)
        )
    except (AttributeError, ValueError):
        return None
    return np.nan_to_num(np.asarray(table, dtype=np.float64))


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


def shock_of(law: LawTable, chain: OrdersChain, moves: Moves) -> Shock:
    """Estimate what all customers' orders of a period have in common."""
    log_mean = law.at(moves.n, moves.silence, moves.age)
    mean = np.exp(log_mean + chain.correction.log_factor(moves.n, moves.cohort, moves.spend))
    return shared_shock(moves.period, moves.orders, mean, mean * (1.0 + mean / chain.size))


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
        # sorting by column is ten times as fast as np.unique over rows
        order = np.lexsort((T, t_x, x))
        new = np.append(True, (rows[order[1:]] != rows[order[:-1]]).any(axis=1))
        back = np.empty(len(rows), dtype=np.int64)
        back[order] = np.cumsum(new) - 1
        return np.asarray(purchases.predict(rows[order[new]], horizon=1.0))[back]

    return expected
