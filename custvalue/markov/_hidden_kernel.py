"""Hidden Markov chains of counts: forward, backward and the steps of EM, over all customers.

Letters as in Netzer, Lattin & Srinivasan (2008): pi the chances of the states at the start, Q the
transition matrix, lambda the mean count (or the chance to order) in a state. Equal histories stand
once with a weight, and a step in time is a step of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit, gammaln, xlog1py, xlogy

from custvalue._typing import Floats, Ints
from custvalue._work import MOST_CELLS, check_work

LEAST = 1e-10  # of a mean count: a state in which nobody orders


@dataclass(frozen=True, eq=False)
class Sequences:
    """Histories of counts, the longest first.

    Parameters
    ----------
    count : ndarray of shape (n, T)
        Places in ``counts``.
    counts : ndarray of shape (c,)
        Distinct counts.
    group : ndarray of shape (n, T)
        Place of the covariates that lead into each period.
    n_groups : int
    length : ndarray of shape (n,)
        Descending, above 0.
    weight : ndarray of shape (n,)
    """

    count: Ints
    counts: Floats
    group: Ints
    n_groups: int
    length: Ints
    weight: Floats

    @property
    def n(self) -> float:
        """Number of customers."""
        return float(self.weight.sum())

    def alive(self, t: int) -> int:
        """Count the histories that reach period t, 0 the first."""
        return int(np.searchsorted(-self.length, -t, side="left"))


class Hidden(NamedTuple):
    """Parameters of a hidden chain; Q has one matrix a group of covariates."""

    pi: Floats
    rate: Floats
    Q: Floats


class Expected(NamedTuple):
    """What the E step leaves: sums over customers."""

    log_likelihood: float
    start: Floats
    periods: Floats
    orders: Floats
    moves: Floats


def log_emission(counts: Floats, rate: Floats, kind: str) -> Floats:
    """Log chance of each count in each state, shape (n_counts, n_states)."""
    y = counts[:, None]
    if kind == "poisson":
        return np.asarray(xlogy(y, rate) - rate - gammaln(y + 1.0))
    return np.asarray(xlogy(y, rate) + xlog1py(1.0 - y, -rate))


def forward(rows: Sequences, at: Hidden, kind: str) -> tuple[list[Floats], Floats]:
    """Filter the states of each period, and sum each history's log likelihood."""
    chance = np.exp(log_emission(rows.counts, at.rate, kind))
    found, total = [], np.zeros(len(rows.length))
    past = np.broadcast_to(at.pi, (len(rows.length), len(at.pi)))
    for t in range(int(rows.length[0]) if len(rows.length) else 0):
        n = rows.alive(t)
        here = past[:n] if t == 0 else _moved(past[:n], at.Q, rows.group[:n, t])
        here = here * chance[rows.count[:n, t]]
        size = here.sum(axis=1)
        past = here / np.maximum(size, 1e-300)[:, None]
        total[:n] += np.log(np.maximum(size, 1e-300))
        found.append(past)
    return found, total


def _moved(chance: Floats, Q: Floats, group: Ints) -> Floats:
    """Chances one period on."""
    if len(Q) == 1:
        return np.asarray(chance @ Q[0])
    return np.einsum("ni,nij->nj", chance, Q[group])


def expect(rows: Sequences, at: Hidden, kind: str) -> Expected:
    """E step: expected starts, periods and orders by state, and moves by group of covariates."""
    filtered, total = forward(rows, at, kind)
    chance, k = np.exp(log_emission(rows.counts, at.rate, kind)), len(at.pi)
    periods, orders, moves = np.zeros(k), np.zeros(k), np.zeros((rows.n_groups, k, k))
    back = np.ones((0, k))
    for t in range(len(filtered) - 1, -1, -1):
        n = len(filtered[t])
        beta = np.ones((n, k))
        beta[: len(back)] = back
        gamma = filtered[t] * beta
        gamma *= (rows.weight[:n] / np.maximum(gamma.sum(axis=1), 1e-300))[:, None]
        periods += gamma.sum(axis=0)
        orders += rows.counts[rows.count[:n, t]] @ gamma
        if t == 0:
            return Expected(float(rows.weight @ total), gamma.sum(axis=0), periods, orders, moves)
        ahead = chance[rows.count[:n, t]] * beta
        before, group = filtered[t - 1][:n], rows.group[:n, t]
        Q = at.Q[0] if len(at.Q) == 1 else at.Q[group]
        back = ahead @ Q.T if len(at.Q) == 1 else np.einsum("nij,nj->ni", Q, ahead)
        size = np.maximum((before * back).sum(axis=1), 1e-300)
        scaled = before * (rows.weight[:n] / size)[:, None]
        if rows.n_groups == 1:
            moves[0] += at.Q[0] * (scaled.T @ ahead)
        else:
            for i in range(k):
                for j in range(k):
                    each = scaled[:, i] * Q[..., i, j] * ahead[:, j]
                    moves[:, i, j] += np.bincount(group, each, rows.n_groups)
        back = back / np.maximum(back.max(axis=1), 1e-300)[:, None]
    raise AssertionError("no history has a period")


class Logit(NamedTuple):
    """Ordered logit of the next state by the state before: thresholds (k, k - 1), slopes (k, p)."""

    cut: Floats
    slope: Floats


def matrices(law: Logit, Z: Floats) -> Floats:
    """Transition matrices at rows of covariates, shape (n_rows, k, k)."""
    at = law.cut[None] - (Z @ law.slope.T)[:, :, None]
    below = expit(at)
    ends = np.concatenate(
        [np.zeros((*below.shape[:2], 1)), below, np.ones((*below.shape[:2], 1))], axis=2
    )
    made = np.maximum(np.diff(ends, axis=2), 1e-12)
    return np.asarray(made / made.sum(axis=2, keepdims=True))


def cuts_of(Q: Floats) -> Floats:
    """Thresholds that give a transition matrix without covariates."""
    below = np.clip(np.cumsum(Q, axis=1)[:, :-1], 1e-6, 1.0 - 1e-6)
    cut = np.log(below) - np.log1p(-below)
    return np.maximum.accumulate(cut + 1e-6 * np.arange(cut.shape[1]), axis=1)


def fit_logit(moves: Floats, Z: Floats, start: Logit, ridge: float) -> Logit:
    """M step of the transitions: an ordered logit a state, weighted by expected moves."""
    from scipy.optimize import minimize

    k = len(start.slope)
    cut, slope = start.cut.copy(), start.slope.copy()
    for i in range(k):
        w = moves[:, i, :]
        total = max(float(w.sum()), 1e-12)

        def loss(x: Floats, w: Floats = w, total: float = total) -> tuple[float, Floats]:
            steps = np.exp(x[1 : k - 1])
            at = np.concatenate([x[:1], x[0] + np.cumsum(steps)])
            below = expit(at - (Z @ x[k - 1 :])[:, None])
            n = len(Z)
            ends = np.column_stack([np.zeros(n), below, np.ones(n)])
            dense = np.column_stack([np.zeros(n), below * (1.0 - below), np.zeros(n)])
            made = np.maximum(np.diff(ends, axis=1), 1e-12)
            pull = w / made
            up = (pull[:, :-1] - pull[:, 1:]) * dense[:, 1:-1]  # by threshold
            by_cut = up.sum(axis=0)
            g = np.empty_like(x)
            g[0] = by_cut.sum()
            tail = np.cumsum(by_cut[::-1])[::-1]
            g[1 : k - 1] = tail[1:] * steps
            g[k - 1 :] = -(Z * up.sum(axis=1)[:, None]).sum(axis=0) - ridge * x[k - 1 :]
            value = float((w * np.log(made)).sum()) - 0.5 * ridge * float(x[k - 1 :] @ x[k - 1 :])
            return -value / total, -g / total

        first = np.concatenate([cut[i, :1], np.log(np.maximum(np.diff(cut[i]), 1e-6)), slope[i]])
        found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 30}).x
        cut[i] = np.concatenate([found[:1], found[0] + np.cumsum(np.exp(found[1 : k - 1]))])
        slope[i] = found[k - 1 :]
    return Logit(cut, slope)


class Learned(NamedTuple):
    """Where EM ended."""

    at: Hidden
    law: Logit | None
    log_likelihood: float
    iterations: int
    converged: bool


def learn_states(
    rows: Sequences,
    at: Hidden,
    kind: str,
    *,
    Z: Floats | None = None,
    law: Logit | None = None,
    ridge: float = 0.0,
    most: int = 500,
    tol: float = 1e-8,
) -> Learned:
    """EM from a start until a customer's log likelihood rises by less than ``tol``."""
    last, done = -np.inf, 0
    for done in range(1, most + 1):
        found = expect(rows, at, kind)
        if found.log_likelihood - last < tol * rows.n and done > 1:
            return Learned(at, law, found.log_likelihood, done, True)
        last = found.log_likelihood
        rate = found.orders / np.maximum(found.periods, 1e-12)
        if kind == "bernoulli":
            rate = np.minimum(rate, 1.0 - LEAST)
        rate = np.maximum(rate, LEAST)
        if Z is None:
            moves = found.moves[0]
            sums = moves.sum(axis=1, keepdims=True)
            Q = np.where(sums > 0, moves / np.maximum(sums, 1e-300), at.Q[0])[None]
        else:
            assert law is not None
            rate = _ascending(rate, found.periods)
            law = fit_logit(found.moves, Z, law, ridge)
            Q = matrices(law, Z)
        at = Hidden(found.start / found.start.sum(), rate, Q)
    return Learned(at, law, last, done, False)


def _ascending(rate: Floats, weight: Floats) -> Floats:
    """Keep the states in their order: means that cross are drawn together."""
    from sklearn.isotonic import isotonic_regression

    if (np.diff(rate) >= 0).all():
        return rate
    return np.asarray(isotonic_regression(rate, sample_weight=np.maximum(weight, 1e-12)))


def sorted_states(found: Learned) -> Learned:
    """States by their mean count."""
    order = np.argsort(found.at.rate, kind="stable")
    at = found.at
    Q = at.Q[:, order][:, :, order]
    return found._replace(at=Hidden(at.pi[order], at.rate[order], Q))


def without_equal(rows: Sequences) -> Sequences:
    """Put equal histories together."""
    key = np.column_stack(
        [rows.length, rows.count, rows.group if rows.n_groups > 1 else rows.length]
    )
    seen = np.ascontiguousarray(key).view([("", key.dtype)] * key.shape[1]).ravel()
    _, first, at = np.unique(seen, return_index=True, return_inverse=True)
    weight = np.bincount(at.ravel(), rows.weight).astype(np.float64)
    order = np.argsort(-rows.length[first], kind="stable")
    first = first[order]
    return replace(
        rows,
        count=rows.count[first],
        group=rows.group[first],
        length=rows.length[first],
        weight=weight[order],
    )


def longest_first(begin: Ints, n: int) -> Ints:
    """Sort customers with a period after the first, the longest history first."""
    length = np.diff(begin, append=n) - 1
    order = np.argsort(-length, kind="stable")
    return order[length[order] > 0].astype(np.int64)


def sequences_of(
    begin: Ints, orders: Floats, Z: Floats | None, kind: str
) -> tuple[Sequences, Floats | None]:
    """Histories without their first period, and the distinct rows of the covariates."""
    order = longest_first(begin, len(orders))
    length = (np.diff(begin, append=len(orders)) - 1)[order]
    T = int(length.max(initial=0))
    check_work(float(len(length)) * T, MOST_CELLS, "customer-periods", "Give fewer customers.")
    t = np.arange(T)
    row = np.minimum(begin[order][:, None] + 1 + t, len(orders) - 1)
    inside = t < length[:, None]
    seen = orders if kind == "poisson" else np.minimum(orders, 1.0)
    counts, place = np.unique(seen, return_inverse=True)
    count = np.where(inside, place.ravel()[row], 0)
    group, distinct = np.zeros(count.shape, dtype=np.int64), None
    if Z is not None:
        distinct, of = np.unique(Z, axis=0, return_inverse=True)
        group = np.where(inside, of.ravel()[row], 0)
    groups = 1 if distinct is None else len(distinct)
    weight = np.ones(len(length))
    return Sequences(count, counts, group, groups, length, weight), distinct


def ungrouped(rows: Sequences) -> Sequences:
    """Give the histories without their covariates."""
    return replace(rows, group=np.zeros_like(rows.group), n_groups=1)


def starts_of(rows: Sequences, k: int, kind: str, n: int, rng: np.random.Generator) -> list[Hidden]:
    """Means at quantiles of the customers' own, moves that mostly stay; then noise on both."""
    inside = np.arange(rows.count.shape[1]) < rows.length[:, None]
    own = np.where(inside, rows.counts[rows.count], 0.0).sum(axis=1) / rows.length
    mean = float(np.average(own, weights=rows.weight)) + 1e-3
    spread = np.linspace(0.15, 1.0, k) ** 2 * 3.0 * max(mean, float(np.quantile(own, 0.95)) / 2.0)
    out = []
    for i in range(n):
        noise = np.exp(rng.normal(0.0, 0.5, k)) if i else np.ones(k)
        rate = np.sort(spread * noise)
        if kind == "bernoulli":
            rate = np.clip(rate, 0.02, 0.9) + np.linspace(0.0, 0.05, k)
        stay = 0.8 if i == 0 else rng.uniform(0.5, 0.95)
        Q = np.full((k, k), (1.0 - stay) / (k - 1))
        np.fill_diagonal(Q, stay)
        out.append(Hidden(np.full(k, 1.0 / k), np.maximum(rate, 1e-3), Q[None]))
    return out
