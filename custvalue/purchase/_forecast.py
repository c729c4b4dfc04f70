"""Forecasts of a law for rows of histories: in blocks, each distinct (x, T) computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, NamedTuple

import numpy as np

from custvalue._kernels import Histories, distinct_pairs, grid_of
from custvalue._typing import Floats
from custvalue.likelihood._for_rooms import ByGroup
from custvalue.purchase._law import PurchaseLaw

BLOCK = 8192
MANY = 2048  # rows from which shared work is looked for
TIMES = 16  # of a forecast worked on at once


class Past(NamedTuple):
    """Histories of customers, a row each: repeat orders, time of the last, time observed."""

    x: Floats
    t_x: Floats
    T: Floats

    def part(self, rows: Any) -> Past:
        """Take some of the rows."""
        return Past(self.x[rows], self.t_x[rows], self.T[rows])


def own(params: Any, rows: Any) -> Any:
    """Parameters of some rows, where columns or groups of customers make them differ."""
    if isinstance(params, ByGroup):
        return params.part(rows)
    return tuple(p[rows] if _by_row(p) else p for p in params)


def _by_row(value: Any) -> bool:
    # np.ndim of a number takes longer than what is asked of it
    return isinstance(value, np.ndarray) and value.ndim > 0


def alike(params: Any) -> bool:
    """Whether all customers have the same parameters."""
    return not any(_by_row(p) for p in params)


def rowwise(params: Any) -> tuple[Any, ...]:
    """Parameters as a law's functions take them: numbers, or a column with each row's own."""
    return params.columns() if isinstance(params, ByGroup) else tuple(params)


def _each_group(answer: Callable[..., Floats]) -> Callable[..., Floats]:
    """Ask for each group's rows with its parameters, where these go by group."""

    @wraps(answer)
    def of_rows(law: PurchaseLaw, params: Any, past: Past, *more: Any) -> Floats:
        if not isinstance(params, ByGroup):
            return answer(law, params, past, *more)
        found: Floats = params.answered(lambda own, rows: answer(law, own, past.part(rows), *more))
        return found

    return of_rows


@_each_group
def alive_now(law: PurchaseLaw, params: Any, past: Past) -> Floats:
    """P(alive at T) of each row."""
    return _times_alive_in_place(np.ones(len(past.x)), law, params, past)


def _times_alive_in_place(out: Floats, law: PurchaseLaw, params: Any, past: Past) -> Floats:
    if law.prob_alive_of_rows is not None and len(out) >= MANY and alike(params):
        rows = Histories(*past, np.ones(len(out)), grid_of(past.t_x, past.T))
        out *= law.prob_alive_of_rows(params, rows)
        return out
    for lo in range(0, len(out), BLOCK):
        part = slice(lo, lo + BLOCK)
        out[part] *= law.prob_alive(*own(params, part), *past.part(part))
    return out


@_each_group
def if_alive(
    law: PurchaseLaw, params: Any, past: Past, value: Callable[..., Floats], rows: int = BLOCK
) -> Floats:
    """``value(*parameters of a living customer's future)`` of each row, once a distinct future."""
    spread = None
    if not law.future_reads_recency and alike(params):
        pairs = distinct_pairs(past.x, past.T)
        if pairs is not None:
            x, T, spread = pairs
            past = Past(x, np.full(len(x), np.nan), T)
    part = slice(0, rows)
    first = value(*law.alive(*own(params, part), *past.part(part)))
    out = np.empty((len(past.x), *np.shape(first)[1:]))
    out[:rows] = first
    for lo in range(rows, len(past.x), rows):
        part = slice(lo, lo + rows)
        out[part] = value(*law.alive(*own(params, part), *past.part(part)))
    return out if spread is None else spread(out)


@_each_group
def expected(law: PurchaseLaw, params: Any, past: Past, t: float) -> Floats:
    """Forecast the expected orders in (T, T + t]."""
    out = if_alive(law, params, past, lambda *p: law.expected_orders(*p, t))
    return _times_alive_in_place(out, law, params, past)


@_each_group
def prob_any(law: PurchaseLaw, params: Any, past: Past, t: float) -> Floats:
    """P(at least one order in (T, T + t])."""
    out = if_alive(law, params, past, lambda *p: -np.expm1(law.log_prob_none(*p, t)))
    return np.clip(_times_alive_in_place(out, law, params, past), 0.0, 1.0)


@_each_group
def pmf(law: PurchaseLaw, params: Any, past: Past, t: float, n_max: int) -> Floats:
    """P(k orders in (T, T + t]), k = 0..n_max, shape (n, n_max + 1)."""
    rows = max(1, BLOCK * 8 // (n_max + 1))
    out = if_alive(law, params, past, lambda *p: law.pmf(*p, t, n_max), min(rows, BLOCK))
    here = alive_now(law, params, past)
    out *= here[:, None]
    out[:, 0] += 1.0 - here
    return np.clip(out, 0.0, 1.0, out=out)


@_each_group
def never_again(law: PurchaseLaw, params: Any, past: Past) -> Floats:
    """P(no further order, ever)."""
    quiet = if_alive(law, params, past, lambda *p: np.exp(law.log_prob_none(*p, np.inf)))
    here = alive_now(law, params, past)
    return np.asarray(1.0 - here + here * quiet)


def next_order(law: PurchaseLaw, params: Any, past: Past, q: float | Floats) -> Floats:
    """Time until the next order has come with chance ``q``; inf where it never gets that likely."""
    if isinstance(params, ByGroup):
        level = np.broadcast_to(np.asarray(q, dtype=np.float64), past.x.shape)
        found: Floats = params.answered(
            lambda own, rows: next_order(law, own, past.part(rows), level[rows])
        )
        return found
    out = np.full(len(past.x), np.inf)
    share = np.broadcast_to(q, out.shape)
    for lo in range(0, len(out), BLOCK):
        rows = slice(lo, lo + BLOCK)
        part, mine = past.part(rows), own(params, rows)
        here = law.prob_alive(*mine, *part)
        future = law.alive(*mine, *part)
        ever = here * -np.expm1(law.log_prob_none(*future, np.inf))
        can = np.flatnonzero(ever > share[rows])
        if len(can) == 0:
            continue
        future = tuple(np.broadcast_to(p, here.shape)[can] for p in future)
        # P(none within t | alive) falls in t; bisect its log time between a blink and for ever
        wanted = np.log1p(-share[rows][can] / here[can])
        low, high = np.full(len(can), -30.0), np.full(len(can), 650.0)
        for _ in range(60):
            middle = 0.5 * (low + high)
            later = law.log_prob_none(*future, np.exp(middle)) > wanted
            low, high = np.where(later, middle, low), np.where(later, high, middle)
        out[lo + can] = np.exp(0.5 * (low + high))
    return np.rint(out) if law.discrete else out


@lru_cache(maxsize=1)
def _exponential_nodes() -> tuple[Floats, Floats]:
    """Nodes and weights of the integral of exp(-u) f(u) over (0, inf), double exponential."""
    v = np.arange(-3.9, 4.4, 0.08)
    u = np.exp(v - np.exp(-v))
    w = 0.08 * u * (1.0 + np.exp(-v)) * np.exp(-u)
    keep = w > 1e-18
    return u[keep], w[keep]


@_each_group
def residual(law: PurchaseLaw, params: Any, past: Past, delta: float) -> Floats:
    """Sum the expected orders in (T, inf), each discounted by exp(-delta t).

    By parts that is the integral of ``exp(-u) E(u / delta)``, so that any law will do.
    """
    u, w = _exponential_nodes()

    def value(*future: Floats) -> Floats:
        total = 0.0
        for node, weight in zip(u, w, strict=True):
            total = total + weight * law.expected_orders(*future, node / delta)
        return np.asarray(total)

    def opportunities(*future: Floats) -> Floats:
        # discrete time: sum over n of (E(n) - E(n-1)) d^n = (1 - d) sum of E(n) d^n
        d = np.exp(-delta)
        n = np.arange(1.0, np.ceil(40.0 / delta) + 1)
        total = 0.0
        for t in n:
            total = total + d**t * law.expected_orders(*future, t)
        return np.asarray(-np.expm1(-delta) * total)

    out = if_alive(law, params, past, opportunities if law.discrete else value)
    return _times_alive_in_place(out, law, params, past)


@_each_group
def discounted(
    law: PurchaseLaw,
    params: Any,
    past: Past,
    ends: Floats,
    factors: Floats,
) -> Floats:
    """Sum expected orders between successive ``ends``, each stretch times its factor."""
    # a factor on a stretch is a weight on the orders expected by its two ends
    weights = factors - np.append(factors[1:], 0.0)

    def value(*future: Floats) -> Floats:
        total: Any = 0.0
        for lo in range(0, len(ends), TIMES):
            part = slice(lo, lo + TIMES)
            now = law.expected_orders(*future, ends[part, None])
            total = total + np.einsum("t,tn->n", weights[part], now)
        return np.asarray(total)

    out = if_alive(law, params, past, value)
    return _times_alive_in_place(out, law, params, past)


@_each_group
def log_likelihoods(law: PurchaseLaw, params: Any, past: Past) -> Floats:
    """Log-likelihood of each row."""
    rows = Histories(*past, np.ones(len(past.x)), None)
    if alike(params):
        return law.log_likelihoods(params, rows)
    density, out = law.log_likelihood, np.empty(rows.size)
    assert density is not None
    for lo in range(0, rows.size, BLOCK):
        part = slice(lo, lo + BLOCK)
        out[part] = density(*own(params, part), *past.part(part))
    return out
