"""What the models that let customers leave after an order share (BG/NBD, MBG/NBD).

Orders are Poisson(lambda), lambda ~ Gamma(r, alpha); after each order the customer leaves with
probability p ~ Beta(a, b). The two models differ in ``k``, the number of chances to leave that a
customer with x repeat orders has had: x in the BG/NBD, x + 1 in the MBG/NBD, where one may also
leave right after the first order. What follows is written in k.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc

from custvalue._kernels import (
    Histories,
    Objective,
    counts_of,
    log_rising,
    mean_over_beta,
    rising_rows,
    rising_sums,
    sigmoid,
    softplus,
)
from custvalue._typing import Floats, Values
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase._law import Orders, in_logs, log_nbd, orders_by_row, poisson_orders

BLOCK = 8192
SMALLEST = 5e-324


def log_odds_left(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values, k: Values
) -> Floats:
    """Log of P(left) / P(alive) given the history; -inf where there was no chance to leave."""
    stayed = np.maximum(k, 1.0) - 1.0 + b
    odds = np.log(np.divide(a, stayed)) + np.add(r, x) * np.log1p(
        np.subtract(T, t_x) / (alpha + t_x)
    )
    return odds if np.min(k) > 0 else np.where(np.greater(k, 0), odds, -np.inf)


def log_likelihood(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values, k: Values
) -> Floats:
    """Log of the density of the order times, with the time of leaving summed out."""
    orders = log_rising(r, x) - r * np.log1p(T / alpha) - x * np.log(alpha + T)
    stayed = log_rising(b, k) - log_rising(np.add(a, b), k)
    return np.asarray(orders + stayed + softplus(log_odds_left(r, alpha, a, b, x, t_x, T, k)))


def prob_alive(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values, k: Values
) -> Floats:
    """P(alive at T), a logistic function of the log odds."""
    quiet = np.add(r, x) * np.log1p(np.subtract(T, t_x) / (alpha + t_x))
    leave = np.divide(a, np.maximum(k, 1.0) - 1.0 + b) * np.greater(k, 0)
    # never quite 0, so that who had no chance to leave is alive for certain
    stay = np.maximum(np.exp(-quiet), SMALLEST)
    return np.asarray(stay / (stay + leave))


def expected_orders(r: Values, alpha: Values, a: Values, b: Values, t: Values) -> Floats:
    """Expect (1 - (1 + p t / alpha)^-r) / p orders in (0, t], p ~ Beta(a, b), if alive at 0."""
    return mean_over_beta(r, np.divide(t, alpha), a, b)


def log_prob_none(r: Values, alpha: Values, a: Values, b: Values, t: Values) -> Floats:
    """Log P(no order in (0, t]) of a customer alive at 0: nobody leaves without an order."""
    return np.asarray(-np.multiply(r, np.log1p(np.divide(t, alpha))) + 0.0 * np.add(a, b))


def survival(r: Values, alpha: Values, a: Values, b: Values, t: Values) -> Floats:
    """P(alive at t) of a customer alive at 0: one less the expected number of leavings."""
    leavings = np.divide(a, np.add(a, b)) * expected_orders(r, alpha, np.add(a, 1.0), b, t)
    return np.clip(1.0 - leavings, 0.0, 1.0)


def pmf(r: Values, alpha: Values, a: Values, b: Values, t: Values, n_max: int) -> Floats:
    """P(k orders in (0, t]), k = 0..n_max, of a customer alive at 0 (sum of positive terms)."""
    r, alpha, a, b, t = (
        np.asarray(v, float)[..., None] for v in np.broadcast_arrays(r, alpha, a, b, t)
    )
    k = np.arange(n_max + 1.0)
    stay = np.exp(log_rising(b, k) - log_rising(a + b, k) + log_nbd(r, alpha, t, k))
    last = np.maximum(k, 1.0)
    leave = np.exp(np.log(a) + log_rising(b, last - 1.0) - log_rising(a + b, last))
    reach = betainc(last, r, t / (alpha + t))  # P(at least k events, were there no leaving)
    return np.asarray(stay + np.where(k > 0, leave * reach, 0.0))


def simulate(
    r: Values, alpha: Values, a: Values, b: Values, t: Values, rng: np.random.Generator
) -> Orders:
    """Orders in (0, t] of customers alive at 0, and when each left."""
    r, alpha, a, b, t = np.broadcast_arrays(np.atleast_1d(r), alpha, a, b, t)
    orders = poisson_orders(rng.gamma(r) / alpha, np.asarray(t, float), rng)
    p = np.clip(rng.beta(a, b), 1e-300, 1.0 - 1e-16)
    # the order after which the customer leaves: geometric, by inversion so that p -> 0 is safe
    last = 1.0 + np.floor(np.log1p(-rng.random(len(p))) / np.log1p(-p))
    first = np.searchsorted(orders.owner, np.arange(len(p)))
    rank = np.arange(len(orders.owner)) - first[orders.owner]
    keep = rank < last[orders.owner]
    left = np.full(len(p), np.inf)
    final = rank == last[orders.owner] - 1
    left[orders.owner[final]] = orders.time[final]
    return Orders(orders.owner[keep], orders.time[keep], left)


def derivatives(
    r: Values,
    alpha: Values,
    a: Values,
    b: Values,
    x: Floats,
    t_x: Floats,
    T: Floats,
    k: Floats,
) -> tuple[Floats, list[Floats], ByPair]:
    """Log density of each row and its derivatives in (r, alpha, a, b)."""
    value, (g_r, g_alpha), h = orders_by_row(r, alpha, x, T)
    rise, d_rise, dd_rise = rising_rows(b, k)
    both, d_both, dd_both = rising_rows(np.add(a, b), k)
    # softplus of q = (r + x) D + log(a / (b + k - 1)), q the log odds of having left
    once = k > 0
    inner, outer = 1.0 / (alpha + t_x), 1.0 / (alpha + T)
    D, size = np.log1p((T - t_x) * inner), r + x
    back = 1.0 / np.where(once, b + k - 1.0, 1.0)
    q = np.where(once, size * D + np.log(a * back), -np.inf)
    left = sigmoid(q)
    twice = left * (1.0 - left)
    slope = outer - inner
    E, stop, by_a = size * slope, -back, 1.0 / a
    value = value + rise - both + softplus(q)
    gradient = [
        g_r + left * D,
        g_alpha + left * E,
        left * by_a - d_both,
        d_rise - d_both + left * stop,
    ]
    h[0, 0] = h[0, 0] + twice * D * D
    h[0, 1] = h[0, 1] + twice * D * E + left * slope
    h[1, 1] = h[1, 1] + twice * E * E - left * E * (inner + outer)
    h[0, 2], h[0, 3] = twice * D * by_a, twice * D * stop
    h[1, 2], h[1, 3] = twice * E * by_a, twice * E * stop
    h[2, 2] = -dd_both - left * left * by_a * by_a
    h[2, 3] = -dd_both + twice * by_a * stop
    h[3, 3] = dd_rise - dd_both + (twice + left) * back * back
    return value, gradient, h


def objective(rows: Histories, extra: float) -> Objective:
    """Mean log-likelihood with gradient and Hessian in (log r, log alpha, log a, log b).

    ``extra`` is k - x. Gamma functions are summed over the distinct counts only; the rest is two
    logs, one exp and a few divisions a row, in blocks that stay in the processor's cache.
    """
    x, t_x, T, w = rows.x, rows.t_x, rows.T, rows.w
    n = float(w.sum())
    count, weight = counts_of(x, w)
    trials = count + extra
    w_T, s, sx = _by_time(T, w, w * x, rows.tick)
    all_s, all_x = float(s.sum()), float(sx.sum())
    if trials[0] == 0:  # no chance to leave yet
        has = np.flatnonzero(x > 0)
        x, t_x, T, w = (v[has] for v in (x, t_x, T, w))
    scratch, ends = np.empty((12, min(BLOCK, len(w)))), np.empty((3, min(BLOCK, len(w_T))))

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        r, alpha, a, b = np.exp(theta).tolist()
        g, h = np.zeros(4), np.zeros((4, 4))
        value, g[0], h[0, 0] = rising_sums(r, count, weight)
        v, d, dd = rising_sums(b, trials, weight)
        value, g[3], h[3, 3] = value + v, d, dd
        v, d, dd = rising_sums(a + b, trials, weight)
        value -= v + all_x * float(theta[1])
        g[2:] -= d
        h[2:, 2:] -= dd
        g[1] += r / alpha * all_s
        h[0, 1] += all_s / alpha
        h[1, 1] -= r / alpha**2 * all_s
        for lo in range(0, len(w_T), BLOCK):
            part = slice(lo, lo + BLOCK)
            some = s[part]
            near, inverse, both = ends[:, : len(some)]
            np.divide(w_T[part], alpha, out=near)
            np.log1p(near, out=near)
            np.add(w_T[part], alpha, out=inverse)
            np.reciprocal(inverse, out=inverse)
            np.multiply(some, r, out=both)
            both += sx[part]
            value -= float(both @ near)
            g[0] -= float(some @ near)
            h[0, 1] -= float(some @ inverse)
            both *= inverse
            g[1] -= float(both.sum())
            h[1, 1] += float(both @ inverse)
        for lo in range(0, len(w), BLOCK):
            part = slice(lo, lo + BLOCK)
            value += _leaving_into(r, alpha, a, b + extra - 1.0, x[part], t_x[part], T[part],
                                   w[part], scratch[:, : len(w[part])], g, h)  # fmt: skip
        return value / n, *in_logs(np.array([r, alpha, a, b]), g / n, h / n)

    return evaluate


def _leaving_into(
    r: float,
    alpha: float,
    a: float,
    stays: float,
    x: Floats,
    t_x: Floats,
    T: Floats,
    w: Floats,
    scratch: Floats,
    g: Floats,
    h: Floats,
) -> float:
    """Add the weighted sums of softplus(q), q the log odds of having left, to ``g`` and ``h``.

    ``q = (r + x) D + log(a back)`` with ``D = log((alpha + T) / (alpha + t_x))`` and ``back =
    1 / (stays + x)``. All is written into ``scratch``: fresh memory costs more than arithmetic.
    """
    inner, outer, D, size, back, odds, soft, v, u, E, product, over = scratch
    np.add(t_x, alpha, out=inner)
    np.reciprocal(inner, out=inner)
    np.add(T, alpha, out=outer)
    np.reciprocal(outer, out=outer)
    np.subtract(T, t_x, out=D)
    D *= inner
    np.log1p(D, out=D)
    np.add(x, r, out=size)
    np.add(x, stays, out=back)
    np.reciprocal(back, out=back)
    np.multiply(size, D, out=odds)
    beyond = odds.max() > 600.0
    if beyond:  # exp would overflow
        np.maximum(np.subtract(odds, 600.0, out=over), 0.0, out=over)
        np.minimum(odds, 600.0, out=odds)
    np.exp(odds, out=odds)
    odds *= back
    odds *= a
    np.add(odds, 1.0, out=u)
    np.log(u, out=soft)
    if beyond:
        soft += over
    np.reciprocal(u, out=u)  # P(alive), then v P(alive)
    np.multiply(odds, u, out=v)
    v *= w
    u *= v
    outer -= inner
    np.multiply(size, outer, out=E)
    total = float(v.sum())
    g[0] += v @ D
    g[1] += v @ E
    g[2] += total / a
    g[3] -= v @ back
    h[0, 1] += v @ outer
    h[0, 2] += (u @ D) / a
    h[1, 2] += (u @ E) / a
    h[2, 2] += (float(u.sum()) - total) / a**2
    h[2, 3] -= (u @ back) / a
    np.multiply(u, D, out=product)
    h[0, 0] += product @ D
    h[0, 1] += product @ E
    h[0, 3] -= product @ back
    np.multiply(u, E, out=product)
    h[1, 1] += product @ E
    h[1, 3] -= product @ back
    np.multiply(v, E, out=product)
    outer += inner
    outer += inner  # now 1 / (alpha + T) + 1 / (alpha + t_x)
    h[1, 1] -= product @ outer
    u += v
    u *= back
    h[3, 3] += u @ back
    return float(w @ soft)


def _by_time(T: Floats, s: Floats, sx: Floats, tick: float | None) -> tuple[Floats, Floats, Floats]:
    """Sum ``s`` and ``sx`` over equal T where T is on a grid; leave rows as they are elsewhere."""
    if tick is None or len(T) < 1024:
        return T, s, sx
    code = np.rint(T / tick).astype(np.intp)
    low = int(code.min())
    if int(code.max()) - low > len(T):
        return T, s, sx
    code -= low
    each, all_x = (np.bincount(code, weights=v).astype(np.float64) for v in (s, sx))
    used = np.flatnonzero(each)
    return (used + low).astype(np.float64) * tick, each[used], all_x[used]
