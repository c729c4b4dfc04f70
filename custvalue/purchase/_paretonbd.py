"""Pareto/NBD: customers may leave at any time (Schmittlein, Morrison & Colombo 1987).

Story: while alive, orders are Poisson(lambda); the lifetime is exponential(mu); lambda ~
Gamma(r, alpha) and mu ~ Gamma(s, beta) over customers, independent. Sources: Schmittlein, D. C.,
Morrison, D. G. & Colombo, R. (1987), Counting your customers: who are they and what will they do
next?, Management Science 33(1), 1-24 (SMC below); Fader, P. S. & Hardie, B. G. S. (2005), A note
on deriving the Pareto/NBD model and related expressions (FH).

The likelihood is written with the integral over the time of leaving instead of the difference of
two 2F1 functions that the papers use: all terms are positive, so nothing cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from custvalue._kernels import Histories, legendre, log_rising, log_two_powers, sigmoid, softplus
from custvalue._typing import Floats, Mask, Values
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._law import Mixing, Orders, PurchaseLaw, poisson_orders
from custvalue.purchase._paretonbd_fit import derivatives, objective
from custvalue.purchase._paretonbd_grid import BLOCK, log_odds_of, mesh_of, split

CELLS = 16_384  # customers x counts computed at once
DROP = 42.0  # exp(-42) is below the last digit
PANELS = 4  # of 24 nodes


class ParetoNBDParams(NamedTuple):
    """Order rate ~ Gamma(r, rate alpha); rate of leaving ~ Gamma(s, rate beta)."""

    r: float
    alpha: float
    s: float
    beta: float


def log_odds_left(
    r: Values, alpha: Values, s: Values, beta: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """Log of P(left) / P(alive) given the history: the integral over the time of leaving."""
    A, B, n = np.add(alpha, t_x), np.add(beta, t_x), np.add(r, x)
    silence = np.subtract(T, t_x)
    odds = log_two_powers(n, np.add(s, 1.0), A, B, silence)
    odds += np.log(s) - np.log(B)
    odds += n * np.log1p(silence / A) + s * np.log1p(silence / B)
    return odds


def log_likelihood(
    r: Values, alpha: Values, s: Values, beta: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """FH eq. 18, in logs: x repeat orders, the last at t_x, observed to T."""
    orders = log_rising(r, x) - r * np.log1p(np.divide(T, alpha)) - x * np.log(np.add(alpha, T))
    stayed = -np.multiply(s, np.log1p(np.divide(T, beta)))
    return np.asarray(orders + stayed + softplus(log_odds_left(r, alpha, s, beta, x, t_x, T)))


def prob_alive(
    r: Values, alpha: Values, s: Values, beta: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """SMC eq. 11 to 13: P(alive at T | x, t_x, T)."""
    return sigmoid(-log_odds_left(r, alpha, s, beta, x, t_x, T))


def prob_alive_of_rows(params: ParetoNBDParams, rows: Histories) -> Floats:
    """P(alive) of many histories: counts that many share on a time grid by a table each."""
    out = np.ones(len(rows.x))  # without silence nobody has left
    grid, rest = split(rows)
    mesh = None if grid is None else mesh_of(grid, params)
    if grid is None or mesh is None:
        rest = rows.t_x < rows.T
    else:
        out[(rows.t_x < rows.T) & ~rest] = sigmoid(-log_odds_of(grid, mesh, params))
    places = np.flatnonzero(rest)
    for lo in range(0, len(places), BLOCK):
        some = places[lo : lo + BLOCK]
        out[some] = prob_alive(*params, rows.x[some], rows.t_x[some], rows.T[some])
    return out


def alive(
    r: Values, alpha: Values, s: Values, beta: Values, x: Values, t_x: Values, T: Values
) -> tuple[Floats, ...]:
    """Gamma(r + x, alpha + T) and Gamma(s, beta + T): what is known of a customer alive at T."""
    return np.add(r, x), np.add(alpha, T), np.asarray(s), np.add(beta, T)


def expected_orders(r: Values, alpha: Values, s: Values, beta: Values, t: Values) -> Floats:
    """SMC eq. 17: r beta / (alpha (s - 1)) (1 - (beta / (beta + t))^(s - 1)); regular at s = 1."""
    L = np.log1p(np.divide(t, beta))
    near = (1.0 - np.asarray(s, float)) * L
    safe = np.where(near == 0.0, 1.0, near)
    lived = beta * L * np.where(near == 0.0, 1.0, np.expm1(safe) / safe)
    return np.asarray(np.divide(r, alpha) * lived)


def log_prob_none(r: Values, alpha: Values, s: Values, beta: Values, t: Values) -> Floats:
    """Log P(no order in (0, t]): alive and silent all along, or left before ordering."""
    stay = -np.multiply(r, np.log1p(np.divide(t, alpha)))
    stay = stay - np.multiply(s, np.log1p(np.divide(t, beta)))
    leave = np.log(s) - np.log(beta) + log_two_powers(r, np.add(s, 1.0), alpha, beta, t)
    return np.asarray(np.minimum(np.logaddexp(stay, leave), 0.0))


def survival(r: Values, alpha: Values, s: Values, beta: Values, t: Values) -> Floats:
    """P(alive at t): the Pareto of the second kind (beta / (beta + t))^s."""
    return np.exp(-np.multiply(s, np.log1p(np.divide(t, beta))) + 0.0 * np.add(r, alpha))


def pmf(r: Values, alpha: Values, s: Values, beta: Values, t: Values, n_max: int) -> Floats:
    """P(k orders in (0, t]), k = 0..n_max: stayed to t, or left at y < t, summed over y."""
    r, alpha, s, beta, t = (np.asarray(v, float) for v in np.broadcast_arrays(r, alpha, s, beta, t))
    out = np.empty((*r.shape, n_max + 1))
    rows = [v.ravel() for v in (r, alpha, s, beta, t)]
    flat = out.reshape(-1, n_max + 1)
    block = max(1, CELLS // (n_max + 1))
    for i in range(0, len(flat), block):
        r, alpha, s, beta, t = (v[i : i + block, None] for v in rows)
        flat[i : i + block] = _pmf_block(r, alpha, s, beta, t, n_max)
    return out


def _pmf_block(r: Floats, alpha: Floats, s: Floats, beta: Floats, t: Floats, n_max: int) -> Floats:
    k = np.arange(n_max + 1.0)
    ways = log_rising(r, k) - log_rising(1.0, k)
    t1 = np.maximum(t, 1e-300)
    stayed = k * np.log(t1 / (alpha + t1)) - r * np.log1p(t / alpha) - s * np.log1p(t / beta)
    # left at y = small (exp(v) - 1): the log of the integrand in v is concave, so that its top and
    # the stretch in which it falls by DROP from it can be bisected, and nodes spent there alone
    small = np.minimum(alpha, beta)
    end = np.log1p(t / small)

    def inside(v: Floats) -> Floats:
        y = np.maximum(np.expm1(v) * small, 1e-300)
        flow = k * np.log(y / (alpha + y)) - r * np.log1p(y / alpha)
        return np.asarray(flow - (s + 1.0) * np.log1p(y / beta) + v)

    def rises(v: Floats) -> Mask:
        y = np.maximum(np.expm1(v) * small, 1e-300)
        pull = k / y - (r + k) / (alpha + y) - (s + 1.0) / (beta + y)
        return np.asarray(1.0 + (y + small) * pull > 0.0)

    least = np.full(np.broadcast(k, end).shape, 1e-30)
    mode = _bracket(rises, least, np.maximum(end, least), 16)[1]
    top = inside(mode)
    low = _bracket(lambda v: inside(v) < top - DROP, least, mode, 12)[0]
    high = _bracket(lambda v: inside(v) > top - DROP, mode, np.maximum(end, mode), 12)[1]
    width, total = np.minimum(high, end) - low, 0.0
    for node, weight in zip(*legendre(24, PANELS), strict=True):
        total = total + weight * np.exp(inside(low + width * node) - top)
    left = np.exp(ways + top + np.log(s / beta) + np.log(small)) * width * total
    return np.asarray(np.exp(ways + stayed) + left)


def _bracket(
    holds: Callable[[Floats], Mask], low: Floats, high: Floats, steps: int
) -> tuple[Floats, Floats]:
    """Bisect, in logs, for the end of the stretch from ``low`` on in which a condition holds."""
    for _ in range(steps):
        middle = np.sqrt(low) * np.sqrt(high)
        on = holds(middle)
        low, high = np.where(on, middle, low), np.where(on, high, middle)
    return low, high


def simulate(
    r: Values, alpha: Values, s: Values, beta: Values, t: Values, rng: np.random.Generator
) -> Orders:
    """Orders in (0, t] of customers alive at 0, and when each left."""
    r, alpha, s, beta, t = np.broadcast_arrays(np.atleast_1d(r), alpha, s, beta, t)
    rate = np.maximum(rng.gamma(s) / beta, 1e-300)
    lifetime = rng.standard_exponential(len(rate)) / rate
    orders = poisson_orders(rng.gamma(r) / alpha, np.minimum(lifetime, t), rng)
    return Orders(orders.owner, orders.time, np.where(lifetime <= t, lifetime, np.inf))


class ParetoNBD(PurchaseModel):
    """Pareto/NBD: Poisson orders, customers may leave at any time.

    The classic. Leaving does not wait for an order, so that silence counts against everybody, the
    one-time buyer included.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of ``recency`` and ``T`` ("D", "W", ...) where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one.
    prior : Prior or None, default=None
        What is known beforehand, in plain quantities.
    purchase_columns, leave_columns : list of str or None, default=None
        Columns that tell of the customer (numbers, truth values, text) and move how often a
        customer orders, and how soon one leaves; the docs have a page on them.
    equal_columns : list of str or None, default=None
        Columns of both lists with one coefficient in both.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    params_ : ParetoNBDParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Schmittlein, D. C., Morrison, D. G. & Colombo, R. (1987), Counting your customers: who are they
    and what will they do next?, Management Science 33(1), 1-24.

    Examples
    --------
    >>> from custvalue.purchase import ParetoNBD
    >>> model = ParetoNBD.from_params(r=0.553, alpha=10.578, s=0.606, beta=11.669, unit="W")
    >>> model.predict_alive([[0, 0, 38.86], [2, 30.43, 38.86]]).round(4)
    array([0.2953, 0.8692])
    """

    law = PurchaseLaw(
        name="Pareto/NBD",
        params=ParetoNBDParams,
        dimensions={"r": "none", "alpha": "time", "s": "none", "beta": "time"},
        mixing=(
            Mixing("order_rate", "gamma", "r", "alpha"),
            Mixing("dropout", "gamma", "s", "beta"),
        ),
        log_likelihood=log_likelihood,
        prob_alive=prob_alive,
        prob_alive_of_rows=prob_alive_of_rows,
        alive=alive,
        expected_orders=expected_orders,
        log_prob_none=log_prob_none,
        survival=survival,
        pmf=pmf,
        simulate=simulate,
        objective=objective,
        derivatives=derivatives,
    )
