"""BG/BB: orders at discrete opportunities, after each of which a customer may leave.

Story: while alive, a customer takes each opportunity with chance p; before each opportunity the
customer leaves with chance theta. p ~ Beta(alpha, beta), theta ~ Beta(gamma, delta). Source: Fader,
P. S., Hardie, B. G. S. & Shang, J. (2010), Customer-base analysis in a discrete-time
noncontractual setting, Marketing Science 29(6), 1086-1108; equation numbers are theirs.

Every ratio of beta functions at whole arguments is a sum of logs of positive terms, and every
likelihood a sum of such ratios: nothing overflows, cancels or needs a floor, whatever the number
of opportunities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from custvalue._kernels import (
    Histories,
    Objective,
    legendre,
    log_beta_ratio,
    log_rising,
    rising_rows,
)
from custvalue._typing import Floats, Ints, Values
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._law import Mixing, Orders, PurchaseLaw

CELLS = 200_000  # histories x opportunities computed at once
LONG = 512  # opportunities summed one by one before the tail is integrated


class BGBBParams(NamedTuple):
    """Order chance p ~ Beta(alpha, beta), leaving theta ~ Beta(gamma, delta)."""

    alpha: float
    beta: float
    gamma: float
    delta: float


def whole(t: Values) -> Floats:
    """Count the opportunities that have come by time ``t``."""
    return np.floor(np.asarray(t, float) + 1e-9)


def log_stayed(gamma: Values, delta: Values, n: Values) -> Floats:
    """Log P(alive at the n-th opportunity): B(gamma, delta + n) / B(gamma, delta)."""
    return log_beta_ratio(gamma, delta, n)


def log_left_after(gamma: Values, delta: Values, n: Values) -> Floats:
    """Log P(alive at the n-th opportunity, not at the next one)."""
    leaves = np.log(gamma) - np.log(np.add(gamma, delta) + n)
    return np.asarray(log_stayed(gamma, delta, n) + leaves)


def log_took(alpha: Values, beta: Values, x: Values, n: Values) -> Floats:
    """Log P(x given opportunities taken, n - x not): B(alpha+x, beta+n-x) / B(alpha, beta)."""
    rest = np.subtract(n, x)
    return np.asarray(
        log_beta_ratio(alpha, beta, rest) + log_beta_ratio(np.add(beta, rest), alpha, x)
    )


def _parts(
    alpha: Values, beta: Values, gamma: Values, delta: Values, x: Values, t_x: Values, T: Values
) -> tuple[Floats, Floats]:
    """Split the likelihood (5) in logs: alive at T, and left somewhere before."""
    alive_still = log_took(alpha, beta, x, T) + log_stayed(gamma, delta, T)
    silent = np.asarray(np.subtract(T, t_x))
    first = log_took(alpha, beta, x, t_x) + log_left_after(gamma, delta, t_x)
    # sum over the opportunity i after t_x at which the customer was already gone, i = 0, 1, ...
    shape = np.broadcast(first, silent).shape
    term, total = np.ones(shape), np.zeros(shape)
    for i in range(int(silent.max(initial=0.0))):
        total += np.where(i < silent, term, 0.0)
        term = term * (
            (np.subtract(np.add(beta, t_x), x) + i)
            / (np.add(np.add(alpha, beta), t_x) + i)
            * ((np.add(delta, t_x) + i) / (np.add(np.add(gamma, delta), t_x) + i + 1.0))
        )
    with np.errstate(divide="ignore"):
        return alive_still, np.asarray(first + np.log(total))


def log_likelihood(
    alpha: Values, beta: Values, gamma: Values, delta: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """Log-probability of a history (5)."""
    alive_still, left = _parts(alpha, beta, gamma, delta, x, t_x, T)
    return np.asarray(np.logaddexp(alive_still, left))


def prob_alive(
    alpha: Values, beta: Values, gamma: Values, delta: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """P(alive at opportunity T) given the history; equation (11) is this times survival(1)."""
    alive_still, left = _parts(alpha, beta, gamma, delta, x, t_x, T)
    return np.exp(-np.logaddexp(0.0, left - alive_still))


def alive(
    alpha: Values, beta: Values, gamma: Values, delta: Values, x: Values, t_x: Values, T: Values
) -> tuple[Floats, ...]:
    """Give the posteriors Beta(alpha + x, beta + T - x) and Beta(gamma, delta + T)."""
    zero = np.zeros(np.broadcast(x, T).shape)
    return (
        np.add(alpha, x),
        np.add(beta, np.subtract(T, x)),
        np.add(gamma, zero),
        np.add(delta, T),
    )


def expected_orders(alpha: Values, beta: Values, gamma: Values, delta: Values, t: Values) -> Floats:
    """Expect these orders at the next t opportunities if alive now (13), regular at gamma = 1."""
    m = whole(t)
    over = np.asarray(gamma, float) - 1.0
    rise = log_rising(np.add(delta, 1.0), m) - log_rising(np.add(gamma, delta), m)
    near = np.abs(over) < 1e-4
    stays = -np.expm1(rise) / np.where(near, 1.0, over)
    if near.any():
        from scipy.special import psi, zeta

        d1 = psi(np.add(delta, 1.0) + m) - psi(np.add(delta, 1.0))
        d2 = zeta(2.0, np.add(delta, 1.0) + m) - zeta(2.0, np.add(delta, 1.0))
        d3 = 2.0 * (zeta(3.0, np.add(delta, 1.0)) - zeta(3.0, np.add(delta, 1.0) + m))
        second, third = (d2 - d1 * d1) / 2.0, (d3 - 3.0 * d1 * d2 + d1**3) / 6.0
        stays = np.where(near, d1 + over * (second + over * third), stays)
    return np.asarray(np.divide(alpha, np.add(alpha, beta)) * delta * stays)


def log_prob_none(alpha: Values, beta: Values, gamma: Values, delta: Values, t: Values) -> Floats:
    """Log P(no order at the next t opportunities | alive now); t = inf: never again."""
    alpha, beta, gamma, delta, m = np.broadcast_arrays(alpha, beta, gamma, delta, whole(t))
    a, b, c, d = (np.asarray(v, float) for v in (alpha, beta, gamma, delta))
    some = _some_within(a, b, c, d, m)
    return np.log1p(-np.minimum(some, 1.0 - 1e-16))


def _some_within(alpha: Floats, beta: Floats, gamma: Floats, delta: Floats, m: Floats) -> Floats:
    """P(an order at one of m opportunities): sum over the opportunity of the first order."""
    stay, skip, both = delta / (gamma + delta), alpha / (alpha + beta), np.zeros(m.shape)
    term = stay * skip  # the first order comes at opportunity 1
    longest = int(min(m.max(initial=0.0), LONG))
    for j in range(1, longest + 1):
        both += np.where(j <= m, term, 0.0)
        term = term * ((beta + j - 1.0) / (alpha + beta + j)) * ((delta + j) / (gamma + delta + j))
    if not (m > LONG).any():
        return both
    if m.min() == m.max():
        beyond = _tail_exact(alpha, beta, gamma, delta, float(m.flat[0]))
    else:
        beyond = _tail_power(alpha, beta, gamma, delta, m, term)
    return both + np.where(m > LONG, beyond, 0.0)


def _tail_exact(alpha: Floats, beta: Floats, gamma: Floats, delta: Floats, m: float) -> Floats:
    """Sum the terms of opportunities LONG + 1 to m by an integral over the log of their number."""
    top = min(m + 0.5, 1e10 * float(max(1.0, beta.max(), delta.max())))
    low, width = np.log(LONG + 0.5), np.log(top / (LONG + 0.5))
    total = np.zeros(alpha.shape)

    def term(j: float) -> Floats:
        first = log_rising(beta, j - 1.0) - log_rising(alpha + beta, j) + np.log(alpha)
        return np.exp(first + log_stayed(gamma, delta, j))

    for node, weight in zip(*legendre(16, 8), strict=True):
        j = float(np.exp(low + width * node))
        total += width * weight * j * term(j)
    # midpoint sums differ from integrals by a 24th of the change of slope
    for end, sign in ((LONG + 0.5, 1.0), (top, -1.0)):
        step = end * 1e-3
        total += sign * (term(end + step) - term(end - step)) / (48.0 * step)
    if m > top:  # far beyond every scale the terms are a power law
        total += term(top) * top / (alpha + gamma)
    return total


def _tail_power(
    alpha: Floats, beta: Floats, gamma: Floats, delta: Floats, m: Floats, term: Floats
) -> Floats:
    """Sum the same terms as a power law matched to the first one's size and slope."""
    from scipy.special import psi

    z = LONG + 1.0
    slope = psi(beta + z - 1.0) - psi(alpha + beta + z) + psi(delta + z) - psi(gamma + delta + z)
    s = 1.0 + alpha + gamma
    shift = s / -slope
    with np.errstate(over="ignore"):
        low = np.exp((1.0 - s) * np.log1p(-0.5 / shift))
        high = np.exp((1.0 - s) * np.log1p(np.maximum(m - z + 0.5, 0.0) / shift))
    return np.asarray(term * (shift / (s - 1.0) * (low - high) - s / (24.0 * shift)))


def survival(alpha: Values, beta: Values, gamma: Values, delta: Values, t: Values) -> Floats:
    """P(alive t opportunities from now) of a customer alive now."""
    return np.exp(log_stayed(gamma, delta, whole(t))) + 0.0 * np.add(alpha, beta)


def pmf(alpha: Values, beta: Values, gamma: Values, delta: Values, t: Values, n_max: int) -> Floats:
    """P(k orders at the next t opportunities | alive now), k = 0..n_max (8)."""
    from scipy.special import gammaln

    alpha, beta, gamma, delta, m = (
        np.asarray(v, float)[..., None] for v in np.broadcast_arrays(alpha, beta, gamma, delta, t)
    )
    m, k = whole(m), np.arange(n_max + 1.0)

    def taken(i: Floats) -> Floats:
        rest = np.maximum(i - k, 0.0)
        ways = gammaln(i + 1.0) - gammaln(k + 1.0) - gammaln(rest + 1.0)
        return np.where(k <= i, np.exp(ways + log_took(alpha, beta, k, k + rest)), 0.0)

    total = taken(m) * np.exp(log_stayed(gamma, delta, m))
    for i in range(int(m.max(initial=0.0))):
        left = np.exp(log_left_after(gamma, delta, float(i)))
        total = total + np.where(i < m, taken(np.asarray(float(i))) * left, 0.0)
    return np.asarray(total)


def simulate(
    alpha: Values, beta: Values, gamma: Values, delta: Values, t: Values, rng: np.random.Generator
) -> Orders:
    """Orders at the next t opportunities of customers alive now."""
    alpha, beta, gamma, delta, t = np.broadcast_arrays(np.atleast_1d(alpha), beta, gamma, delta, t)
    p, theta = rng.beta(alpha, beta), np.clip(rng.beta(gamma, delta), 1e-300, 1.0 - 1e-16)
    m = whole(t)
    # alive at this many of the coming opportunities: geometric, by inversion
    stays = np.floor(np.log1p(-rng.random(p.size)) / np.log1p(-theta))
    chances = np.minimum(stays, m).astype(np.int64)
    owner = np.repeat(np.arange(p.size), chances)
    first = np.cumsum(chances) - chances
    time = np.arange(owner.size) - first[owner] + 1.0
    takes = rng.random(owner.size) < p[owner]
    return Orders(owner[takes], time[takes], np.where(stays < m, stays, np.inf))


def objective(rows: Histories) -> Objective:
    """Mean log-likelihood, gradient and Hessian in the logs of the four parameters.

    A history's likelihood is a sum over the opportunity after which the customer left; each term's
    logarithm is a difference of cumulated logs, so gradient and Hessian are moments over the terms.
    """
    n, longest = float(rows.w.sum()), int(rows.T.max())
    x, t_x, T = (v.astype(np.int64) for v in (rows.x, rows.t_x, rows.T))
    order = np.argsort(T - t_x, kind="stable")
    blocks, lo = [], 0
    while lo < order.size:
        hi = lo + 1
        while hi < order.size and (hi - lo + 1) * (T - t_x)[order[hi]] <= CELLS:
            hi += 1
        blocks.append(order[lo:hi])
        lo = hi

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        values = np.exp(theta)
        alpha, beta, gamma, delta = values
        tables = [_rising_table(v, longest + 1) for v in (*values, alpha + beta, gamma + delta)]
        value, g, h = 0.0, np.zeros(4), np.zeros((4, 4))
        for part in blocks:
            v, dg, dh = _block(tables, gamma, gamma + delta, x[part], t_x[part], T[part],
                               rows.w[part])  # fmt: skip
            value, g, h = value + v, g + dg, h + dh
        return value / n, values * g / n, (h * np.outer(values, values) + np.diag(values * g)) / n

    return evaluate


def _rising_table(a: float, size: int) -> Floats:
    """Log of the rising factorial of ``a`` and its two derivatives at 0, 1, ..., size."""
    k = a + np.arange(float(size))
    out = np.zeros((3, size + 1))
    np.cumsum([np.log(k), 1.0 / k, -1.0 / (k * k)], axis=1, out=out[:, 1:])
    return out


def _block(
    tables: list[Floats], gamma: float, both: float, x: Ints, t_x: Ints, T: Ints, w: Floats
) -> tuple[float, Floats, Floats]:
    a, b, _, d, ab, cd = tables
    silent = T - t_x
    i = np.arange(int(silent.max(initial=0)) + 1)
    left = i[None, :] < silent[:, None]  # else: alive at T (once) or no such term
    use = i[None, :] <= silent[:, None]
    j = np.where(use, t_x[:, None] + i, 0)
    rest = np.where(use, j - x[:, None], 0)
    gone = np.where(left, 1.0, 0.0)
    up = both + j  # leaving after j: gamma / (gamma + delta + j)
    log_term = b[0][rest] - ab[0][j] + d[0][j] - cd[0][j] + gone * (np.log(gamma) - np.log(up))
    log_term = np.where(use, log_term, -np.inf)
    top = log_term.max(axis=1, keepdims=True)
    share = np.exp(log_term - top)
    size = share.sum(axis=1, keepdims=True)
    share /= size
    value = float(w @ (a[0][x] + (top + np.log(size))[:, 0]))
    # derivatives of a term's logarithm
    s_ab, s_cd = ab[1][j], cd[1][j] + gone / up
    first = np.stack(
        [a[1][x][:, None] - s_ab, b[1][rest] - s_ab, gone / gamma - s_cd, d[1][j] - s_cd]
    )
    mean = np.einsum("pij,ij->pi", first, share)
    spread = np.einsum("pij,qij,ij,i->pq", first, first, share, w, optimize=True)
    gradient = mean @ w
    hessian = spread - (mean * w) @ mean.T
    d_ab, d_cd = ab[2][j], cd[2][j] - gone / (up * up)

    def total(values: Floats) -> float:
        return float(np.einsum("ij,ij,i->", values, share, w))

    t_ab, t_cd = total(d_ab), total(d_cd)
    hessian[:2, :2] -= t_ab
    hessian[2:, 2:] -= t_cd
    hessian[0, 0] += float(w @ a[2][x])
    hessian[1, 1] += total(b[2][rest])
    hessian[2, 2] -= total(gone) / gamma**2
    hessian[3, 3] += total(d[2][j])
    return value, gradient, hessian


def derivatives(
    alpha: Values, beta: Values, gamma: Values, delta: Values, x: Floats, t_x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log probability of each row (5) and its derivatives in the four parameters.

    A row is a sum over the opportunity after which the customer left; derivatives of its logarithm
    are moments of those of the terms' logarithms under the terms.
    """
    alpha, beta, gamma, delta = (
        np.broadcast_to(np.asarray(v, float), x.shape)[:, None] for v in (alpha, beta, gamma, delta)
    )
    silent = T - t_x
    i = np.arange(silent.max(initial=0.0) + 1.0)
    left, use = i < silent[:, None], i <= silent[:, None]  # else: alive at T (once), or no term
    gone = left.astype(np.float64)

    def risen(a: Floats, from_: Floats) -> list[Floats]:
        """Rising factorial of ``from_`` factors and then one more a column, with derivatives."""
        start = rising_rows(a[:, 0], from_)
        factor = a + from_[:, None] + i[:-1]
        inverse = 1.0 / factor
        return [
            first[:, None] + np.cumsum(np.pad(each, ((0, 0), (1, 0))), axis=1)
            for first, each in zip(start, (np.log(factor), inverse, -(inverse**2)), strict=True)
        ]

    took = rising_rows(alpha[:, 0], x)
    b, ab = risen(beta, t_x - x), risen(alpha + beta, t_x)
    d, cd = risen(delta, t_x), risen(gamma + delta, t_x)
    up = 1.0 / (gamma + delta + t_x[:, None] + i)  # leaving: gamma / (gamma + delta + j)
    term = b[0] - ab[0] + d[0] - cd[0] + gone * (np.log(gamma) + np.log(up))
    term = np.where(use, term, -np.inf)
    top = term.max(axis=1, keepdims=True)
    share = np.exp(term - top)
    size = share.sum(axis=1, keepdims=True)
    share /= size
    value = took[0] + (top + np.log(size))[:, 0]
    s_cd = cd[1] + gone * up
    first = [took[1][:, None] - ab[1], b[1] - ab[1], gone / gamma - s_cd, d[1] - s_cd]

    def mean(values: Floats) -> Floats:
        return np.asarray(np.einsum("ij,ij->i", values, share))

    gradient = [mean(v) for v in first]
    hessian = {
        (p, q): mean(first[p] * first[q]) - gradient[p] * gradient[q]
        for p in range(4)
        for q in range(p, 4)
    }
    m_ab, m_cd = mean(ab[2]), mean(cd[2] - gone * up * up)
    for p, q in ((0, 0), (0, 1), (1, 1)):
        hessian[p, q] = hessian[p, q] - m_ab
        hessian[p + 2, q + 2] = hessian[p + 2, q + 2] - m_cd
    hessian[0, 0] = hessian[0, 0] + took[2]
    hessian[1, 1] = hessian[1, 1] + mean(b[2])
    hessian[2, 2] = hessian[2, 2] - mean(gone / (gamma * gamma))
    hessian[3, 3] = hessian[3, 3] + mean(d[2])
    return value, gradient, hessian


class BGBB(PurchaseModel):
    """BG/BB: orders at discrete opportunities (years, campaigns, events); customers may leave.

    The right model where there is at most one order an opportunity: annual donations, seasons,
    conferences. ``T`` counts the opportunities since the first order, ``frequency`` those taken,
    ``recency`` the last one taken (0: none).

    Parameters
    ----------
    unit : str or None, default=None
        Length of an opportunity's period, such as ``"Y"``, where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one; counted in whole opportunities.
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
    params_ : BGBBParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    ``predict_alive(X)`` is the chance of being alive at opportunity T. The paper's "alive at T + 1"
    is ``predict_alive(X, at=1)``.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. & Shang, J. (2010), Customer-base analysis in a discrete-time
    noncontractual setting, Marketing Science 29(6), 1086-1108.

    Examples
    --------
    >>> from custvalue.purchase import BGBB
    >>> model = BGBB.from_params(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)
    >>> model.predict([[0, 0, 6], [4, 5, 6]], horizon=10).round(3)
    array([0.13 , 3.627])
    """

    law = PurchaseLaw(
        name="BG/BB",
        params=BGBBParams,
        dimensions={"alpha": "none", "beta": "none", "gamma": "none", "delta": "none"},
        mixing=(
            Mixing("order_chance", "beta", "alpha", "beta"),
            Mixing("dropout", "beta", "gamma", "delta"),
        ),
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
