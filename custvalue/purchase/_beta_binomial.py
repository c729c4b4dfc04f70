"""Beta-binomial response: who answers a solicitation.

Story: a customer answers each mailing, call or offer with an own chance p; p ~ Beta(alpha, beta)
over customers; nobody leaves. Source: Colombo, R. & Jiang, W. (1999), A stochastic RFM model,
Journal of Interactive Marketing 13(3), 2-12.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from custvalue._histories import not_counts
from custvalue._kernels import (
    Histories,
    Objective,
    counts_of,
    log_beta_ratio,
    rising_rows,
    rising_sums,
)
from custvalue._sklearn import read_columns
from custvalue._typing import Floats, Values
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._bgbb import log_took, whole
from custvalue.purchase._forecast import Past
from custvalue.purchase._law import Mixing, Orders, PurchaseLaw


class BetaBinomialParams(NamedTuple):
    """Chance of answering, p ~ Beta(alpha, beta)."""

    alpha: float
    beta: float


def log_likelihood(alpha: Values, beta: Values, x: Values, t_x: Values, T: Values) -> Floats:
    """Log P(these x of T solicitations answered): B(alpha + x, beta + T - x) / B(alpha, beta)."""
    return np.asarray(log_took(alpha, beta, x, T) + 0.0 * np.asarray(t_x))


def prob_alive(alpha: Values, beta: Values, x: Values, t_x: Values, T: Values) -> Floats:
    """One: nobody leaves."""
    return np.ones(np.broadcast(alpha, beta, x, t_x, T).shape)


def alive(alpha: Values, beta: Values, x: Values, t_x: Values, T: Values) -> tuple[Floats, ...]:
    """Give the posterior Beta(alpha + x, beta + T - x)."""
    return np.add(alpha, x), np.add(beta, np.subtract(T, x))


def expected_orders(alpha: Values, beta: Values, t: Values) -> Floats:
    """Expect t alpha / (alpha + beta) answers."""
    return np.asarray(whole(t) * np.divide(alpha, np.add(alpha, beta)))


def log_prob_none(alpha: Values, beta: Values, t: Values) -> Floats:
    """Log B(alpha, beta + t) / B(alpha, beta)."""
    return log_beta_ratio(alpha, beta, whole(t))


def survival(alpha: Values, beta: Values, t: Values) -> Floats:
    """One: nobody leaves."""
    return np.ones(np.broadcast(alpha, beta, t).shape)


def pmf(alpha: Values, beta: Values, t: Values, n_max: int) -> Floats:
    """Beta-binomial P(k answers to t solicitations), k = 0..n_max."""
    from scipy.special import gammaln

    alpha, beta, t = (np.asarray(v, float)[..., None] for v in np.broadcast_arrays(alpha, beta, t))
    m, k = whole(t), np.arange(n_max + 1.0)
    rest = np.maximum(m - k, 0.0)
    ways = gammaln(m + 1.0) - gammaln(k + 1.0) - gammaln(rest + 1.0)
    return np.where(k <= m, np.exp(ways + log_took(alpha, beta, k, k + rest)), 0.0)


def simulate(alpha: Values, beta: Values, t: Values, rng: np.random.Generator) -> Orders:
    """Answers to the next t solicitations."""
    alpha, beta, t = np.broadcast_arrays(np.atleast_1d(alpha), beta, t)
    p, m = rng.beta(alpha, beta), whole(t).astype(np.int64)
    owner = np.repeat(np.arange(p.size), m)
    first = np.cumsum(m) - m
    time = np.arange(owner.size) - first[owner] + 1.0
    answers = rng.random(owner.size) < p[owner]
    return Orders(owner[answers], time[answers], np.full(p.size, np.inf))


def objective(rows: Histories) -> Objective:
    """Mean log-likelihood, gradient and Hessian in (log alpha, log beta)."""
    n = float(rows.w.sum())
    yes, no, all_ = (counts_of(v, rows.w) for v in (rows.x, rows.T - rows.x, rows.T))

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        alpha, beta = np.exp(theta)
        a, b, c = rising_sums(alpha, *yes), rising_sums(beta, *no), rising_sums(alpha + beta, *all_)
        g = np.array([a[1] - c[1], b[1] - c[1]])
        h = np.full((2, 2), -c[2])
        h[0, 0] += a[2]
        h[1, 1] += b[2]
        p = np.array([alpha, beta])
        value = a[0] + b[0] - c[0]
        return value / n, p * g / n, (h * np.outer(p, p) + np.diag(p * g)) / n

    return evaluate


def derivatives(
    alpha: Values, beta: Values, x: Floats, t_x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log probability of each row and its derivatives in (alpha, beta)."""
    a, b, c = rising_rows(alpha, x), rising_rows(beta, T - x), rising_rows(np.add(alpha, beta), T)
    hessian = {(0, 0): a[2] - c[2], (0, 1): -c[2], (1, 1): b[2] - c[2]}
    return a[0] + b[0] - c[0], [a[1] - c[1], b[1] - c[1]], hessian


class BetaBinomialResponse(PurchaseModel):
    """Beta-binomial: each customer answers a solicitation with an own chance.

    ``T`` counts the solicitations a customer got, ``frequency`` those answered; ``recency`` is not
    read. ``predict(X, horizon=1)`` is the chance of an answer to the next one.

    Parameters
    ----------
    unit : str or None, default=None
        Time between solicitations, such as ``"M"``, where it is regular and horizons are to be
        given as spans; usually None: solicitations are counted.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one; counted in whole solicitations.
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
    params_ : BetaBinomialParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Colombo, R. & Jiang, W. (1999), A stochastic RFM model, Journal of Interactive Marketing 13(3),
    2-12.

    Examples
    --------
    >>> from custvalue.purchase import BetaBinomialResponse
    >>> model = BetaBinomialResponse.from_params(alpha=0.5, beta=4.5)
    >>> model.predict([[0, 0, 0], [2, 2, 5]], horizon=1)  # frequency, recency (unread), T
    array([0.1 , 0.25])
    """

    law = PurchaseLaw(
        name="beta-binomial",
        params=BetaBinomialParams,
        dimensions={"alpha": "none", "beta": "none"},
        mixing=(Mixing("order_chance", "beta", "alpha", "beta"),),
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
        discrete=True,
    )

    def _read(self, X: Any, *, reset: bool) -> Past:
        # by name recency may be absent; by position it is the second of three columns
        values, named = read_columns(self, X, ("frequency", "T"), reset=reset, min_columns=3)
        x, T = values[:, 0].copy(), values[:, 1 if named else 2].copy()
        problems = []
        for code, bad, message in (
            (
                "frequency-not-a-count",
                not_counts(x),
                "'frequency' must count answers: 0, 1, ...",
            ),
            (
                "not-whole-periods",
                not_counts(T),
                "'T' must count solicitations: 0, 1, ...",
            ),
            ("frequency-exceeds-T", x > T, "'frequency' (answers) exceeds 'T' (solicitations)"),
        ):
            if bad.any():
                cure = "One row a customer: answers and solicitations as whole numbers."
                problems.append(ContractProblem.at(code, message, cure, np.flatnonzero(bad)))
        if problems:
            raise DataContractError(problems)
        return Past(x, x.copy(), T)

    def _check_meaning(self, rows: Histories) -> None:
        """Nothing to look for: recency is not read."""
