"""What the models of regular buyers share (BG/CNBD-k, MBG/CNBD-k).

While alive, a customer's gaps between orders are Erlang-k with rate lambda: an order is every k-th
event of a Poisson process, which starts anew with each order. lambda ~ Gamma(r, alpha); after each
order the customer leaves with probability p ~ Beta(a, b). As in ``_geometric``, ``n`` is the number
of chances to leave so far: x in the BG/CNBD-k, x + 1 in the MBG/CNBD-k; k = 1 is that file's law.

A living customer's future is (r + k x, alpha + T, a, b + n, T - t_x): unlike Poisson orders, Erlang
ones remember how long the last is ago. Source: Platzer, M. & Reutterer, T. (2016), Ticking away the
moments: timing regularity helps to better predict customer activity, Marketing Science 35(5),
779-799, and, for gaps of this shape, Chatfield & Goodhardt (1973), A consumer purchasing model with
Erlang inter-purchase times, JASA 68, 828-835. Theirs are approximate forecasts; those here are
sums over the number of events, all of whose terms are positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betainc, betaln, gammaln, xlogy

from custvalue._kernels import Histories, Objective, counts_of, log_rising, rising_sums, softplus
from custvalue._typing import Floats, Values
from custvalue.purchase._geometric import SMALLEST
from custvalue.purchase._law import Orders, in_logs, poisson_orders

BLOCK = 4096
EVERY = 16  # events between two looks at what is left of a sum
BIG = 1e100  # weight of a term at which a sum is scaled down
LEFT = 1e-15  # share of a sum that may be left out
SHORT, LONG = 128, 8192  # events up to which they are summed one by one, of one row and of many
STEP = 0.25  # of the trapezoid over the logit of p
PEAK = 0.7  # and of the width of the beta law's own peak
NEAR = 0.2  # chance to stay below which the first orders are summed one by one
FIRST = 22  # of them: NEAR ** FIRST is below the last digit


def weights(k: int, r: Values, z: Values) -> list[Floats]:
    """(r)_j / j! z^j, j = 0..k-1: how often j events have followed the last order."""
    term = np.ones(np.broadcast(r, z).shape)
    out = [term]
    for j in range(1, k):
        term = term * (np.add(r, j - 1.0) * z / j)
        out.append(term)
    return out


def _no_order(k: int, r: Values, z: Values) -> Floats:
    """Log of the sum of these weights."""
    return np.log(sum(weights(k, r, z))) if k > 1 else np.zeros(np.broadcast(r, z).shape)


def log_likelihood(
    k: int,
    r: Values,
    alpha: Values,
    a: Values,
    b: Values,
    x: Values,
    t_x: Values,
    T: Values,
    n: Values,
) -> Floats:
    """Log density of the order times without prod gap^(k-1) / Gamma(k)^x, which moves nothing."""
    events, rest = np.multiply(k, x), alpha + T
    orders = log_rising(r, events) - r * np.log1p(T / alpha) - events * np.log(rest)
    stayed = log_rising(b, n) - log_rising(np.add(a, b), n)
    quiet = _no_order(k, np.add(r, events), np.subtract(T, t_x) / rest)
    odds = _log_odds(r, alpha, a, b, events, t_x, T, n) - quiet
    return np.asarray(orders + stayed + quiet + softplus(odds))


def _log_odds(
    r: Values,
    alpha: Values,
    a: Values,
    b: Values,
    events: Values,
    t_x: Values,
    T: Values,
    n: Values,
) -> Floats:
    """Log of the density of having left over that of being alive without an event since."""
    odds = np.log(np.divide(a, np.maximum(n, 1.0) - 1.0 + b)) + np.add(r, events) * np.log1p(
        np.subtract(T, t_x) / (alpha + t_x)
    )
    return np.where(np.greater(n, 0), odds, -np.inf)


def prob_alive(
    k: int,
    r: Values,
    alpha: Values,
    a: Values,
    b: Values,
    x: Values,
    t_x: Values,
    T: Values,
    n: Values,
) -> Floats:
    """P(alive at T): the chance of so long a gap against that of having left at the last order."""
    shape, silent = np.add(r, np.multiply(k, x)), np.subtract(T, t_x)
    # the sum of k shares of a negative binomial law, each exp(-quiet) of what stands in weights
    quiet = shape * np.log1p(silent / (alpha + t_x)) - _no_order(k, shape, silent / (alpha + T))
    leave = np.divide(a, np.maximum(n, 1.0) - 1.0 + b) * np.greater(n, 0)
    stay = np.maximum(np.exp(-np.maximum(quiet, 0.0)), SMALLEST)
    return np.asarray(stay / (stay + leave))


def log_prob_none(
    k: int, r: Values, alpha: Values, a: Values, b: Values, silent: Values, t: Values
) -> Floats:
    """Log P(no order in (0, t]) of a living customer who has been silent so long at 0."""
    end = np.isinf(t)
    later = np.where(end, 1.0, np.add(silent, np.where(end, 0.0, t)) / np.add(alpha, t))
    fewer = _no_order(k, r, later) - _no_order(k, r, np.divide(silent, alpha))
    gone = -np.multiply(r, np.log1p(np.divide(t, alpha))) + fewer + 0.0 * np.add(a, b)
    return np.minimum(gone, 0.0)


def survival(
    k: int, r: Values, alpha: Values, a: Values, b: Values, silent: Values, t: Values
) -> Floats:
    """P(alive at t) of a customer alive at 0: one less the expected number of leavings."""
    leavings = np.divide(a, np.add(a, b))
    leavings = leavings * expected_orders(k, r, alpha, np.add(a, 1.0), b, silent, t)
    return np.clip(1.0 - leavings, 0.0, 1.0)


def pmf(
    k: int,
    r: Values,
    alpha: Values,
    a: Values,
    b: Values,
    silent: Values,
    t: Values,
    n_max: int,
) -> Floats:
    """P(m orders in (0, t]), m = 0..n_max, of a customer alive at 0."""
    r, alpha, a, b, silent, t = (
        np.asarray(v, float)[..., None] for v in np.broadcast_arrays(r, alpha, a, b, silent, t)
    )
    m = np.arange(n_max + 1.0)
    stay = np.exp(log_rising(b, m) - log_rising(a + b, m))
    last = np.maximum(m, 1.0)
    leave = np.exp(np.log(a) + log_rising(b, last - 1.0) - log_rising(a + b, last))
    just: Any = sum(_events(k, r, alpha, silent, t, k * m + i) for i in range(k))
    out = stay * just + np.where(m > 0, leave * _reach(k, r, alpha, silent, t, last), 0.0)
    return np.asarray(out)


def _events(k: int, r: Floats, alpha: Floats, silent: Floats, t: Floats, count: Floats) -> Floats:
    """P(count events since the last order), fewer than k of them in the silence before 0."""
    window = silent + t
    ahead = np.divide(t, window, out=np.ones_like(window), where=window > 0)
    early = np.where(count < k, 1.0, betainc(np.maximum(count - k, 0.0) + 1.0, float(k), ahead))
    both = log_rising(r, count) - gammaln(count + 1.0) - r * np.log1p(t / alpha)
    both = both + xlogy(count, window / (alpha + t)) - _no_order(k, r, silent / alpha)
    return np.asarray(np.exp(both) * early)


def _reach(k: int, r: Floats, alpha: Floats, silent: Floats, t: Floats, m: Floats) -> Floats:
    """P(at least m orders in (0, t], were there no leaving), m >= 1."""
    share = weights(k, r, silent / alpha)
    z = t / (alpha + t)
    total: Any = sum(w * betainc(k * m - j, r + j, z) for j, w in enumerate(share))
    return np.asarray(total / sum(share))


def expected_orders(
    k: int, r: Values, alpha: Values, a: Values, b: Values, silent: Values, t: Values
) -> Floats:
    """Expect these orders in (0, t] of a customer alive at 0 who has been silent so long.

    With P(K) the chance of K events since the last order, this is the sum of P(K) times the orders
    expected among K // k of which each is the last with chance p, ``sum_{i < K // k} (b)_i /
    (a + b)_i``. Where a horizon is so long that K runs into thousands, the same sum is an integral
    over p of a closed form.
    """
    # a column of times comes first, rows of customers last
    rows = np.broadcast_arrays(*(np.asarray(v, float) for v in (r, alpha, a, b, silent, t)))
    shape = rows[0].shape
    flat = [v.ravel() for v in rows]
    out = np.zeros(flat[0].shape)
    r, alpha, a, b, silent, t = flat
    until = (r + k) * t / alpha
    until = until + 10.0 * np.sqrt(until * (1.0 + t / alpha)) + 36.0 * (1.0 + t / alpha)
    few = until <= np.clip(2 * len(out), SHORT, LONG)
    for method, which, size in ((_summed, few, BLOCK), (_integrated, ~few, 16)):
        some = np.flatnonzero(which & (t > 0))
        some = some[np.argsort(until[some])] if len(some) > size else some
        for lo in range(0, len(some), size):
            part = some[lo : lo + size]
            out[part] = method(k, *(v[part] for v in flat))
    return out.reshape(shape)


def _summed(
    k: int, r: Floats, alpha: Floats, a: Floats, b: Floats, silent: Floats, t: Floats
) -> Floats:
    """Sum over K; ``u[i]`` is the weight of K events of which i lie in the silence before 0."""
    z, y = t / (alpha + t), silent / (alpha + t)
    u, spare, mass = np.zeros((k, len(r))), np.empty(len(r)), np.ones(len(r))
    u[0] = 1.0
    next_one, expect = np.ones(len(r)), np.zeros(len(r))
    total, whole = np.zeros(len(r)), np.ones(len(r))
    factor, done = np.empty(len(r)), np.zeros(len(r), dtype=bool)
    count = 0
    while True:
        last = mass.copy()
        for _ in range(EVERY):
            np.add(r, count, out=factor)
            factor /= count + 1.0
            for i in range(k - 1, -1, -1):
                u[i] *= z
                if i:
                    u[i] += np.multiply(u[i - 1], y, out=spare)
                u[i] *= factor
            count += 1
            if count % k == 0:
                expect += next_one
                so_far = count // k - 1.0
                next_one *= (b + so_far) / (a + b + so_far)
            last, mass = mass, last
            np.sum(u, axis=0, out=mass)
            whole += mass
            total += np.multiply(mass, expect, out=spare)
        # terms fall at least as fast from here on as they just did
        fall = np.divide(mass, last, out=np.zeros_like(mass), where=last > 0) * (1.0 + k / count)
        left = mass * (expect + 1.0)
        if count > 2 * k:
            done |= left <= (1.0 - fall) * (LEFT * total + SMALLEST)
        if done.all():
            return np.asarray(total / whole)
        if mass.max() > BIG:
            down = 1.0 / np.maximum(mass, 1.0)
            for v in (*u, mass, total, whole):
                v *= down


def _integrated(
    k: int, r: Floats, alpha: Floats, a: Floats, b: Floats, silent: Floats, t: Floats
) -> Floats:
    """Integrate the orders of a customer who leaves with chance p over the logit of p.

    Equal steps over the whole line; beyond its ends the integrand is an exponential, whose sum is a
    geometric series.
    """
    low = -(40.0 + np.log1p((r + k) * t / alpha) + np.log1p(b))
    high = 40.0 + np.log1p(a)
    step = np.minimum(STEP, PEAK * np.sqrt(1.0 / a + 1.0 / b))
    n = int(np.ceil(((high - low) / step).max()))
    step = (high - low) / n
    logit = low[:, None] + step[:, None] * np.arange(n + 1)
    tail = np.log1p(np.exp(-np.abs(logit)))
    log_p, log_q = np.minimum(logit, 0.0) - tail, np.minimum(-logit, 0.0) - tail
    orders = _orders_at(k, r, alpha, silent, t, log_p, log_q)
    f = np.exp(a[:, None] * log_p + b[:, None] * log_q - betaln(a, b)[:, None]) * orders
    total = f.sum(axis=1)
    for fall, end in ((a * step, f[:, 0]), (b * step, f[:, -1])):
        total += end * np.exp(-fall) / -np.expm1(-fall)
    return np.asarray(total * step)


def _orders_at(
    k: int, r: Floats, alpha: Floats, silent: Floats, t: Floats, log_p: Floats, log_q: Floats
) -> Floats:
    """Expect these orders where each is the last with chance p, shape (n_rows, n_nodes).

    With q = 1 - p and w the k-th roots of q, it is ``1 / p - sum_w w D(w) / (k q (1 - w))`` with
    ``D(w) = sum_j c_j w^j (1 + (1 - w) t / alpha)^-(r + j)``: the sum of residues of the Laplace
    transform of the expected number of events that are orders, averaged over lambda.
    """
    share = [v[:, None] for v in weights(k, r, silent / alpha)]
    every: Any = sum(share)
    tau, shape = (t / alpha)[:, None], r[:, None]
    rho, e = np.exp(log_q / k), -np.expm1(log_q / k)  # the real root, and one less it
    grow = np.log1p(tau * e)
    base: Any = sum(rho**i for i in range(k))
    bend: Any = sum((d + 1.0) * rho**d for d in range(k - 1))
    there: Any = 0.0
    gone: Any = 0.0
    for j, c in enumerate(share):
        power = j * log_q / k - (shape + j) * grow
        gone = gone - c * np.expm1(power)
        there = there + c * np.exp(power)
    near_one = log_q > np.log(NEAR)
    q = np.where(near_one, np.exp(log_q), 1.0)
    first = gone / (e * base) - there * bend / (k * base * np.where(near_one, rho, 1.0) ** (k - 1))
    rest: Any = 0.0
    for turn in range(1, k // 2 + 1):
        w = rho * np.exp(2j * np.pi * turn / k)
        log_base = np.log(1.0 + tau * (1.0 - w))
        inner: Any = sum(c * w**j * np.exp(-(shape + j) * log_base) for j, c in enumerate(share))
        pair = 1.0 if 2 * turn == k else 2.0  # a root and its conjugate
        rest = rest + pair * (w / (1.0 - w) * inner).real
    closed = (first - rest / (k * q)) / every
    orders = _reach(
        k, shape, alpha[:, None], silent[:, None], t[:, None], np.arange(1.0, FIRST + 1.0)
    )
    small, q = np.zeros_like(log_q), np.exp(log_q)
    for m in range(FIRST - 1, -1, -1):
        small = small * np.minimum(q, NEAR) + orders[:, m : m + 1]
    return np.where(near_one, closed, small)


def simulate(
    k: int,
    r: Values,
    alpha: Values,
    a: Values,
    b: Values,
    silent: Values,
    t: Values,
    rng: np.random.Generator,
) -> Orders:
    """Orders in (0, t] of customers alive at 0, and when each left."""
    r, alpha, a, b, silent, t = np.broadcast_arrays(np.atleast_1d(r), alpha, a, b, silent, t)
    share = np.cumsum(weights(k, r, silent / alpha), axis=0)
    before = (rng.random(len(r)) * share[-1] >= share).sum(axis=0)  # events since the last order
    events = poisson_orders(rng.gamma(r + before) / alpha, np.asarray(t, float), rng)
    p = np.clip(rng.beta(a, b), 1e-300, 1.0 - 1e-16)
    last = 1.0 + np.floor(np.log1p(-rng.random(len(p))) / np.log1p(-p))
    first = np.searchsorted(events.owner, np.arange(len(p)))
    count = np.arange(len(events.owner)) - first[events.owner] + 1 + before[events.owner]
    order, whole = count // k, count % k == 0
    keep = whole & (order <= last[events.owner])
    left = np.full(len(p), np.inf)
    final = whole & (order == last[events.owner])
    left[events.owner[final]] = events.time[final]
    return Orders(events.owner[keep], events.time[keep], left)


def objective(rows: Histories, k: int, extra: float) -> Objective:
    """Mean log-likelihood with gradient and Hessian in (log r, log alpha, log a, log b).

    ``extra`` is n - x. What depends on the counts alone is summed over the distinct ones; the rest
    is, with R = r + k x, ``log(A + L)`` where ``A = sum_j (R)_j / j! z^j`` with z = (T - t_x) /
    (alpha + T) speaks of the living and ``L = a / (b + n - 1) ((alpha + T) / (alpha + t_x))^R`` of
    those who left.
    """
    n = float(rows.w.sum())
    count, weight = counts_of(rows.x, rows.w)
    trials, events = count + extra, k * count
    all_x = k * float(rows.w @ rows.x)

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        r, alpha, a, b = np.exp(theta).tolist()
        g, h = np.zeros(4), np.zeros((4, 4))
        value, g[0], h[0, 0] = rising_sums(r, events, weight)
        v, d, dd = rising_sums(b, trials, weight)
        value, g[3], h[3, 3] = value + v, d, dd
        v, d, dd = rising_sums(a + b, trials, weight)
        value -= v + all_x * float(theta[1])
        g[2:] -= d
        h[2:, 2:] -= dd
        for lo in range(0, rows.size, BLOCK):
            part = slice(lo, lo + BLOCK)
            value += _row_sums_into(k, extra, r, alpha, a, b, rows, part, g, h)
        return value / n, *in_logs(np.array([r, alpha, a, b]), g / n, h / n)

    return evaluate


def _row_sums_into(
    k: int,
    extra: float,
    r: float,
    alpha: float,
    a: float,
    b: float,
    rows: Histories,
    part: slice,
    g: Floats,
    h: Floats,
) -> float:
    """Add what each row needs to ``g`` and to the upper half of ``h``."""
    x, t_x, T, w = rows.x[part], rows.t_x[part], rows.T[part], rows.w[part]
    rest, R = alpha + T, r + k * x
    near = np.log1p(T / alpha)
    # - r log(1 + T / alpha) - k x log(alpha + T), of which log alpha was taken out
    value = -float(w @ (R * near))
    g[0] -= w @ near
    g[1] += w @ (R / alpha - R / rest) - float(w @ (k * x)) / alpha
    h[0, 1] += w @ (1.0 / alpha - 1.0 / rest)
    h[1, 1] += w @ (R / rest**2) - r / alpha**2 * float(w.sum())
    # the living: A and its derivatives in r and alpha, term by term
    z = (T - t_x) / rest
    term, first = np.ones(len(x)), np.zeros(len(x))
    second = np.zeros(len(x))
    A, A_r, A_rr = term.copy(), np.zeros(len(x)), np.zeros(len(x))
    A_a, A_aa, A_ra = np.zeros(len(x)), np.zeros(len(x)), np.zeros(len(x))
    for j in range(1, k):
        term = term * ((R + j - 1.0) * z / j)
        step = 1.0 / (R + j - 1.0)
        first, second = first + step, second - step * step
        by_r, by_a = term * first, -j / rest * term
        A += term
        A_r += by_r
        A_rr += term * (first * first + second)
        A_a += by_a
        A_ra += by_a * first
        A_aa += j * (j + 1.0) / rest**2 * term
    # those who left, as a share of all
    chances = x + extra
    some = chances > 0
    back = np.where(some, chances - 1.0 + b, 1.0)
    D = np.log1p((T - t_x) / (alpha + t_x))
    E = 1.0 / rest - 1.0 / (alpha + t_x)  # dD / d alpha
    log_A = np.log(A)
    odds = np.where(some, np.log(a / back) + R * D - log_A, -np.inf)
    value += float(w @ (log_A + softplus(odds)))
    v = np.exp(-softplus(-odds))  # P(left)
    s = w * (1.0 - v)
    q = w * v
    # log(A + L): mean of the two log derivatives, plus their spread in second derivatives
    lA = (A_r / A, A_a / A)
    lL = (D, R * E, np.full(len(x), 1.0 / a), -1.0 / back)
    both = s * v  # weight of the spread
    g[0] += s @ lA[0] + q @ lL[0]
    g[1] += s @ lA[1] + q @ lL[1]
    g[2] += q @ lL[2]
    g[3] += q @ lL[3]
    gap = (lL[0] - lA[0], lL[1] - lA[1], lL[2], lL[3])
    for i in range(4):
        for m in range(i, 4):
            h[i, m] += both @ (gap[i] * gap[m])
    h[0, 0] += s @ (A_rr / A - lA[0] ** 2)
    h[0, 1] += s @ (A_ra / A - lA[0] * lA[1]) + q @ E
    h[1, 1] += s @ (A_aa / A - lA[1] ** 2) + q @ (R * (1.0 / (alpha + t_x) ** 2 - 1.0 / rest**2))
    h[2, 2] -= float(q.sum()) / a**2
    h[3, 3] += q @ (1.0 / back**2)
    return value


def log_gap_terms(k: int, x: Floats, litt: Floats) -> Floats:
    """Log of prod gap^(k-1) / Gamma(k)^x of each row; ``litt`` sums the logs of the gaps."""
    return np.asarray((k - 1.0) * litt - x * gammaln(k))
