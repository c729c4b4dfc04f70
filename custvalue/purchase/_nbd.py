"""NBD: everybody keeps buying at an own rate, nobody leaves (Ehrenberg 1959).

Story: orders are Poisson(lambda) for ever; lambda ~ Gamma(r, alpha) over customers. Source:
Ehrenberg, A. S. C. (1959), The pattern of consumer purchases, Applied Statistics 8(1), 26-41.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from custvalue._kernels import Histories, Objective, counts_of, log_rising, rising_sums
from custvalue._typing import Floats, Values
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._law import (
    Mixing,
    Orders,
    PurchaseLaw,
    log_nbd,
    orders_by_row,
    poisson_orders,
)


class NBDParams(NamedTuple):
    """Order rate ~ Gamma(r, rate alpha)."""

    r: float
    alpha: float


def log_likelihood(r: Values, alpha: Values, x: Values, t_x: Values, T: Values) -> Floats:
    """Log density of the order times: Gamma(r+x)/Gamma(r) alpha^r / (alpha+T)^(r+x)."""
    orders = log_rising(r, x) - r * np.log1p(np.divide(T, alpha))
    return np.asarray(orders - x * np.log(np.add(alpha, T)) + 0.0 * np.asarray(t_x))


def prob_alive(r: Values, alpha: Values, x: Values, t_x: Values, T: Values) -> Floats:
    """One: nobody leaves."""
    return np.ones(np.broadcast(r, alpha, x, t_x, T).shape)


def alive(r: Values, alpha: Values, x: Values, t_x: Values, T: Values) -> tuple[Floats, ...]:
    """Give the posterior Gamma(r + x, alpha + T)."""
    return np.add(r, x), np.add(alpha, T)


def expected_orders(r: Values, alpha: Values, t: Values) -> Floats:
    """Expect r t / alpha orders."""
    return np.asarray(np.multiply(r, t) / alpha)


def log_prob_none(r: Values, alpha: Values, t: Values) -> Floats:
    """-r log(1 + t / alpha)."""
    return np.asarray(-np.multiply(r, np.log1p(np.divide(t, alpha))))


def survival(r: Values, alpha: Values, t: Values) -> Floats:
    """One: nobody leaves."""
    return np.ones(np.broadcast(r, alpha, t).shape)


def pmf(r: Values, alpha: Values, t: Values, n_max: int) -> Floats:
    """Negative binomial of size r and probability alpha / (alpha + t)."""
    r, alpha, t = (np.asarray(v, float)[..., None] for v in np.broadcast_arrays(r, alpha, t))
    return np.exp(log_nbd(r, alpha, t, np.arange(n_max + 1.0)))


def simulate(r: Values, alpha: Values, t: Values, rng: np.random.Generator) -> Orders:
    """Orders in (0, t] of customers with rates drawn from Gamma(r, alpha)."""
    r, alpha, t = np.broadcast_arrays(np.atleast_1d(r), alpha, t)
    return poisson_orders(rng.gamma(r) / alpha, np.asarray(t, float), rng)


def objective(rows: Histories) -> Objective:
    """Mean log-likelihood, gradient and Hessian in (log r, log alpha)."""
    n = float(rows.w.sum())
    count, weight = counts_of(rows.x, rows.w)
    T, x, w = rows.T, rows.x, rows.w

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        r, alpha = np.exp(theta)
        value, g_r, h_rr = rising_sums(r, count, weight)
        near, up = np.log1p(T / alpha), 1.0 / (alpha + T)
        total = w * (r + x) * up
        value -= float(np.sum(w * (r * near - x * np.log(up))))
        g = np.array([g_r - np.sum(w * near), n * r / alpha - total.sum()])
        h_ra = n / alpha - float(np.sum(w * up))
        h_aa = -n * r / alpha**2 + float(np.sum(total * up))
        p = np.array([r, alpha])
        h = np.array([[h_rr, h_ra], [h_ra, h_aa]])
        return value / n, p * g / n, (h * np.outer(p, p) + np.diag(p * g)) / n

    return evaluate


def derivatives(
    r: Values, alpha: Values, x: Floats, t_x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log density of each row and its derivatives in (r, alpha)."""
    return orders_by_row(r, alpha, x, T)


class NBD(PurchaseModel):
    """NBD: everybody keeps ordering at an own Poisson rate, nobody ever leaves.

    The right model where leaving is impossible or invisible, and the baseline that says what
    allowing customers to leave is worth.

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
    params_ : NBDParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Ehrenberg, A. S. C. (1959), The pattern of consumer purchases, Applied Statistics 8(1), 26-41.

    Examples
    --------
    >>> from custvalue.purchase import NBD
    >>> model = NBD.from_params(r=0.5, alpha=10.0, unit="W")
    >>> model.predict([[0, 0, 40.0], [3, 30.0, 40.0]], horizon="10W")
    array([0.1, 0.7])
    """

    law = PurchaseLaw(
        name="NBD",
        params=NBDParams,
        dimensions={"r": "none", "alpha": "time"},
        mixing=(Mixing("order_rate", "gamma", "r", "alpha"),),
        log_likelihood=log_likelihood,
        prob_alive=prob_alive,
        alive=alive,
        expected_orders=expected_orders,
        log_prob_none=log_prob_none,
        survival=survival,
        pmf=pmf,
        simulate=simulate,
        objective=objective,
        derivatives=derivatives,
    )
