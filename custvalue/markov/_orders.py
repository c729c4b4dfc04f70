"""A chain for orders: how many a customer will place, from how many, how long ago and since when.

The state of a customer is (n, s, a): orders so far, whole periods since the last one, age. In one
period μ orders are expected, at least one comes with chance 1 - (1 + μ/k)^-k (orders of a period
are negative binomial of size k); then n grows by the mean number of orders of a period with any,
and s starts again at 0. Otherwise s grows by one. n lies on a grid of nodes; a step that ends
between two nodes goes to both, with the chances that keep the mean.

μ is a purchase law's expected number of orders, μ0(n, s, a), times a correction that is learned
from the panel: log-linear in the orders so far, the cohort (period of the first order) and the mean
spend. It holds as far ahead as the panel reaches back, and fades from there on: a rate that grows
with its own orders must not be carried on for decades. All times are in periods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue.markov._sparse import Floats

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Expected orders per period below this are as good as none; keeps logarithms finite.
_LEAST = 1e-12

# The slopes of a correction, in the order that errors are written in.
SLOPES = ("level", "order", "cohort", "spend")


class Correction(NamedTuple):
    """log of the factor on μ0: level + order·ln(n) + cohort·c + spend·m, centred.

    c is the customer's first period as a share of the panel's span, m the log of mean spend.
    """

    level: float = 0.0
    order: float = 0.0
    cohort: float = 0.0
    spend: float = 0.0
    mean_order: float = 0.0
    mean_cohort: float = 0.0
    mean_spend: float = 0.0

    def log_factor(self, n: Floats, cohort: Floats, spend: Floats) -> Floats:
        """Log of the correction; arguments broadcast, ``spend`` is the log of mean spend."""
        order = np.log(n) - self.mean_order
        born = cohort - self.mean_cohort
        return (
            self.level
            + self.order * order
            + self.cohort * born
            + self.spend * (spend - self.mean_spend)
        )


@dataclass(frozen=True, eq=False)
class LawTable:
    """Expected orders of one period by (n, s, a) of a purchase law, on nodes.

    Parameters
    ----------
    orders, silence, age : ndarray
        Nodes; ``orders`` are those of the chain, the others are interpolated in log(1 + t).
    log_mean : ndarray of shape (len(orders), len(silence), len(age))
    """

    orders: Floats
    silence: Floats
    age: Floats
    log_mean: Floats

    @classmethod
    def of(
        cls, law: Callable[[Floats, Floats, Floats], Floats], n_max: float, span: int
    ) -> LawTable:
        """Ask ``law`` (x, t_x, T -> expected orders of the next period) at the nodes.

        A purchase of period p is taken to fall in its middle: T = a + 1/2, t_x = a - s.
        """
        times = np.asarray(spread(span), dtype=np.float64)
        return cls.on(law, nodes_up_to(1.5 * n_max + 2.0), times, times)

    @classmethod
    def on(
        cls,
        law: Callable[[Floats, Floats, Floats], Floats],
        orders: Floats,
        silence: Floats,
        age: Floats,
    ) -> LawTable:
        """Ask ``law`` at given nodes."""
        n, s, a = np.meshgrid(orders, silence, age, indexing="ij")
        T = a + 0.5
        t_x = np.where(n > 1, np.minimum(np.maximum(a - s, 0.25), T), 0.0)
        mean = law((n - 1.0).ravel(), t_x.ravel(), T.ravel()).reshape(n.shape)
        return cls(orders, silence, age, np.log(np.maximum(mean, _LEAST)))

    def asked_of(self, law: Callable[[Floats, Floats, Floats], Floats]) -> LawTable:
        """Ask another law at the same nodes."""
        return LawTable.on(law, self.orders, self.silence, self.age)

    def up_to(self, time: float) -> LawTable:
        """Leave out the nodes of silence and age that lie past ``time``."""
        i, j = (int(np.searchsorted(nodes, time)) + 2 for nodes in (self.silence, self.age))
        return LawTable(self.orders, self.silence[:i], self.age[:j], self.log_mean[:, :i, :j])

    def table(self, n_silence: int, ages: Ints) -> Floats:
        """Log μ0 at the order nodes, silence 0..n_silence - 1 and the ages, by interpolation."""
        i, u = _between(self.silence, np.arange(n_silence, dtype=np.float64))
        part = self.log_mean[:, i] * (1 - u)[:, None] + self.log_mean[:, i + 1] * u[:, None]
        j, w = _between(self.age, ages.astype(np.float64))
        mixed: Floats = part[:, :, j] * (1 - w) + part[:, :, j + 1] * w
        return mixed

    def at(self, n: Floats, s: Floats, a: Floats) -> Floats:
        """Log μ0 of single customers, interpolated in n too."""
        k, t = _between(self.orders, n, log=False)
        i, u = _between(self.silence, s)
        j, w = _between(self.age, a)
        out = np.zeros_like(n)
        for dk, pk in ((0, 1 - t), (1, t)):
            for di, pi in ((0, 1 - u), (1, u)):
                for dj, pj in ((0, 1 - w), (1, w)):
                    out += pk * pi * pj * self.log_mean[k + dk, i + di, j + dj]
        return out


class Outlook(NamedTuple):
    """What is ahead by (node, silence, group): E[G], E[G²] of discounted orders G, P(no order)."""

    first: Floats
    second: Floats
    quiet: Floats


@dataclass(frozen=True, eq=False)
class OrdersChain:
    """The chain for orders, ready to be asked.

    Parameters
    ----------
    law : LawTable
    correction : Correction
    size : float
        Size k of the negative binomial law of a period's orders.
    reach : int
        Periods ahead for which the correction holds in full.
    """

    law: LawTable
    correction: Correction
    size: float
    reach: int = 1

    def steps(self, group: Groups, n_silence: int, period: int) -> tuple[Floats, Floats, Floats]:
        """μ, the chance of none and the mean of n afterwards; shapes (nodes, silence, groups)."""
        n = self.law.orders
        log_mean = self.law.table(n_silence, group.age + period)
        fade = min(1.0, self.reach / (period + 1.0))
        log_mean = log_mean + fade * self.correction.log_factor(
            n[:, None, None], group.cohort[None, None, :], group.spend[None, None, :]
        )
        mean = np.exp(np.clip(log_mean, -30.0, 7.0))
        none = np.exp(-self.size * np.log1p(mean / self.size))
        jump = np.maximum(mean / np.maximum(1.0 - none, _LEAST), 1.0)
        return mean, none, jump

    def backward(self, group: Groups, horizon: int, delta: float, *, ever: bool = False) -> Outlook:
        """Roll back over ``horizon`` periods; an order of period h counts δ^(h-1).

        With ``ever`` the orders after ``horizon`` count too: from there on a customer's rate is
        taken to fall as one over its age.

        Returns
        -------
        Outlook
            Tables of shape (nodes, silence, groups).
        """
        n_silence = int(group.age.max()) + horizon + 1
        shape = (len(self.law.orders), n_silence, len(group.age))
        first, second, quiet = np.zeros(shape), np.zeros(shape), np.ones(shape)
        later = np.minimum(np.arange(n_silence) + 1, n_silence - 1)
        each = np.arange(len(group.age))
        if ever:
            ahead = np.arange(1.0, 20_000.0)
            old = group.age + horizon + 1.0
            fade = [float((delta**ahead * a / (a + ahead)).sum()) + 1.0 for a in old]
            first = self.steps(group, n_silence, horizon)[0] * np.asarray(fade)
        for period in range(horizon - 1, -1, -1):
            mean, none, jump = self.steps(group, n_silence, period)
            some = 1.0 - none
            k, w = self._arrive(jump)
            go1 = _mix(first[:, 0, :], k, w, each)
            go2 = _mix(second[:, 0, :], k, w, each)
            # E[orders²]; what follows a period with orders depends on their mean number only
            square = mean * (1.0 + mean / self.size) + mean * mean
            second = (
                square
                + 2.0 * delta * mean * go1
                + delta * delta * (none * second[:, later, :] + some * go2)
            )
            first = mean + delta * (none * first[:, later, :] + some * go1)
            quiet = none * quiet[:, later, :]
        return Outlook(first, second, quiet)

    def forward(self, group: Groups, start: Floats, horizon: int) -> Floats:
        """Roll forward: expected orders of each period, summed over customers.

        Parameters
        ----------
        group : Groups
        start : ndarray of shape (nodes, silence, groups)
            Customers (or their money per order) by state.
        horizon : int

        Returns
        -------
        ndarray of shape (horizon,)
        """
        mass = start
        n_silence = start.shape[1]
        out = np.empty(horizon)
        at = np.broadcast_to(np.arange(len(group.age)), start.shape)
        size = (len(self.law.orders), len(group.age))
        for period in range(horizon):
            mean, none, jump = self.steps(group, n_silence, period)
            out[period] = float((mass * mean).sum())
            k, w = self._arrive(jump)
            come = mass * (1.0 - none)
            stay = mass * none
            after = np.zeros_like(mass)
            after[:, 1:] = stay[:, :-1]
            after[:, -1] += stay[:, -1]
            flat = (k * size[1] + at).ravel()
            after[:, 0] += np.bincount(
                flat, weights=(come * (1 - w)).ravel(), minlength=size[0] * size[1]
            ).reshape(size)
            after[:, 0] += np.bincount(
                flat + size[1], weights=(come * w).ravel(), minlength=size[0] * size[1]
            ).reshape(size)
            mass = after
        return out

    def _arrive(self, jump: Floats) -> tuple[Ints, Floats]:
        n = self.law.orders
        goal = np.minimum(n[:, None, None] + jump, n[-1])
        return _between(n, goal, log=False)


@dataclass(frozen=True, eq=False)
class Groups:
    """Customers of one age, cohort and class of spend roll forward together.

    Parameters
    ----------
    age : ndarray of int, shape (n_groups,)
    cohort, spend : ndarray of float, shape (n_groups,)
        As the correction reads them.
    member : ndarray of int, shape (n_rows,)
        Group of each row.
    """

    age: Ints
    cohort: Floats
    spend: Floats
    member: Ints

    @classmethod
    def of(cls, age: Ints, cohort: Floats, spend: Floats) -> Groups:
        """Distinct rows."""
        rows = np.column_stack([age, cohort, spend])
        kinds, member = np.unique(rows, axis=0, return_inverse=True)
        return cls(kinds[:, 0].astype(np.int64), kinds[:, 1], kinds[:, 2], member.ravel())


def read(table: Floats, nodes: Floats, n: Floats, s: Ints, member: Ints) -> Floats:
    """Look rows up in a table by (node, silence, group), between nodes of n."""
    k, w = _between(nodes, np.minimum(n, nodes[-1]), log=False)
    s = np.minimum(s, table.shape[1] - 1)
    return (1 - w) * table[k, s, member] + w * table[k + 1, s, member]


def spread_on_nodes(
    nodes: Floats, n: Floats, s: Ints, member: Ints, weight: Floats, shape: tuple[int, int, int]
) -> Floats:
    """Sum ``weight`` of rows by (node, silence, group), between nodes of n."""
    k, w = _between(nodes, np.minimum(n, nodes[-1]), log=False)
    s = np.minimum(s, shape[1] - 1)
    flat = (k * shape[1] + s) * shape[2] + member
    total = int(np.prod(shape))
    low = np.bincount(flat, weights=weight * (1 - w), minlength=total)
    high = np.bincount(flat + shape[1] * shape[2], weights=weight * w, minlength=total)
    spread_out: Floats = (low + high).reshape(shape).astype(np.float64)
    return spread_out


def nodes_up_to(n_max: float) -> Floats:
    """Return 1, 2, 3, 4, 5, then steps of a quarter, past ``n_max``."""
    out = [1]
    while out[-1] < n_max:
        out.append(max(out[-1] + 1, round(out[-1] * 1.25)))
    return np.asarray(out, dtype=np.float64)


def spread(last: int) -> list[int]:
    """Return 0, 1, 2, ..., then steps of a sixth, past ``last``."""
    out = [0, 1]
    while out[-1] < last:
        out.append(max(out[-1] + 1, round(out[-1] * 1.17)))
    return out


def _between(nodes: Floats, at: Floats, *, log: bool = True) -> tuple[Ints, Floats]:
    i = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
    if log:
        low, high, value = np.log1p(nodes[i]), np.log1p(nodes[i + 1]), np.log1p(at)
    else:
        low, high, value = nodes[i], nodes[i + 1], at
    return i, np.clip((value - low) / (high - low), 0.0, 1.0)


def _mix(table: Floats, k: Ints, w: Floats, at: Ints) -> Floats:
    mixed: Floats = (1 - w) * table[k, at] + w * table[k + 1, at]
    return mixed
