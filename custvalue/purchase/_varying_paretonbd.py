"""Pareto/NBD whose rates move in time (Bachmann, Meierer & Näf 2021).

Story: while alive, customer i orders at rate lambda a(t) and leaves at rate mu b(t), where a(t) =
exp(gamma' x(t)) and b(t) = exp(delta' y(t)) go by what was told of the customer in the period of t;
lambda ~ Gamma(r, alpha) and mu ~ Gamma(s, beta) over customers, independent. Source: Bachmann, P.,
Meierer, M. & Näf, J. (2021), The role of time-varying contextual factors in latent attrition models
for customer base analysis, Marketing Science 40(4), 783-809.

With the operational times A(t) and B(t), the integrals of a and b since the first order, a history
of x repeat orders at times t_j, the last at t_x, seen to T, has the likelihood given lambda and mu

    lambda^x prod a(t_j) [exp(-lambda A(T) - mu B(T))
                          + integral over t_x < u < T of mu b(u) exp(-lambda A(u) - mu B(u)) du]

so that over customers, with p = r + x,

    (r)_x alpha^-x prod a(t_j) [(1 + A(T)/alpha)^-p (1 + B(T)/beta)^-s
                + s/beta integral of (1 + A(u)/alpha)^-p (1 + B(u)/beta)^-(s+1) dB(u)].

In a stretch in which nothing changes A and B are straight lines. The paper writes its integral as a
difference of two 2F1 functions; here it is a sum of positive terms, four Gauss-Legendre nodes in
each of as many cells as the fall of the integrand asks for, so that nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from custvalue._kernels import Objective, counts_of, legendre, log_rising, rising_sums, sigmoid
from custvalue._typing import Floats, Places
from custvalue.likelihood._for_rooms import Effects, LawByRow, Units
from custvalue.purchase._law import Orders
from custvalue.purchase._paretonbd import ParetoNBD
from custvalue.purchase._varying import VaryingModel
from custvalue.purchase._walk_rows import (
    Stretches,
    WalkRows,
    before,
    log_pace,
    sums_by,
    time_at,
)

NODES = 4
WIDEST = 0.08  # log time of a cell
STEEPEST = 0.25  # fall of the log integrand in a cell that four nodes take to eleven digits
DROP = 45.0  # exp(-45) is below the last digit
TINY = 1e-300


class Leaving(NamedTuple):
    """Nodes of the integral over the time of leaving: cells in order of customers, 4 nodes each.

    Parameters
    ----------
    at : ndarray of shape (c,)
        Stretch of each cell.
    share : ndarray of shape (4, c)
        How much of the stretch is over at the node.
    A, B : ndarray of shape (4, c)
        Operational times there.
    A_log, B_log : ndarray of shape (4, c)
        Of 1 + A / alpha and 1 + B / beta.
    log_w : ndarray of shape (4, c)
        Log of the integrand times the weight of the node.
    """

    at: Places
    share: Floats
    A: Floats
    B: Floats
    A_log: Floats
    B_log: Floats
    log_w: Floats


def leaving(
    p: Floats,
    alpha: Floats,
    s: float,
    beta: Floats,
    A: Floats,
    dA: Floats,
    B: Floats,
    dB: Floats,
    first: Places,
) -> Leaving:
    """Lay nodes over stretches that begin at operational times A and B and take dA and dB.

    Parameters
    ----------
    p, alpha, beta : ndarray of shape (k,)
        Of the customer of each stretch; all arrays have this shape.
    s : float
    A, dA, B, dB : ndarray of shape (k,)
    first : ndarray of shape (n,)
        First stretch of each customer who has one.

    Returns
    -------
    Leaving
        Stretches that add nothing to their customer's integral have no cell.
    """
    q = s + 1.0
    at_A, at_B = 1.0 / (alpha + A), 1.0 / (beta + B)
    rise_A, rise_B = dA * at_A, dB * at_B
    with np.errstate(divide="ignore"):
        top = np.log(dB) - p * np.log1p(A / alpha) - q * np.log1p(B / beta)
    fall = p * np.log1p(rise_A) + q * np.log1p(rise_B)
    size = np.diff(first, append=len(p))
    least = np.repeat(np.maximum.reduceat(top - fall, first), size) if len(first) else top
    use = np.flatnonzero(top >= least - DROP)
    rise_A, rise_B, fall = rise_A[use], rise_B[use], fall[use]
    steep = np.maximum(np.maximum(rise_A, rise_B), TINY)
    width = np.log1p(steep)
    deep = np.flatnonzero(fall > DROP)
    if len(deep):
        width[deep] = _reach(p[use][deep], q, rise_A[deep], rise_B[deep], steep[deep], width[deep])
        fall = np.minimum(fall, 1.5 * DROP)
    count = np.ceil(np.maximum(np.maximum(width / WIDEST, fall / STEEPEST), 1.0)).astype(np.intp)
    if len(count) and count.max() > 1:
        cell = np.repeat(np.arange(len(use)), count)
        rank = np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
        step = (width / count)[cell]
        low = np.expm1(step * rank) / steep[cell]
        part = np.expm1(step) * (steep[cell] * low + 1.0) / steep[cell]
        at = use[cell]
    else:
        low, part, at = np.zeros(len(use)), np.ones(len(use)), use
    nodes, weights = legendre(NODES)
    share = low + part * nodes[:, None]
    A, B = A[at] + dA[at] * share, B[at] + dB[at] * share
    log_A, log_B = np.log1p(A / alpha[at]), np.log1p(B / beta[at])
    with np.errstate(divide="ignore"):
        log_w = np.log(dB[at] * part * (s / beta[at])) + np.log(weights)[:, None]
    log_w = log_w - p[at] * log_A - q * log_B
    return Leaving(at, share, A, B, log_A, log_B, log_w)


def _reach(
    p: Floats, q: float, rise_A: Floats, rise_B: Floats, steep: Floats, width: Floats
) -> Floats:
    """Log time at which the integrand has fallen by ``DROP``: a convex fall, so from above."""
    reach = width.copy()
    for _ in range(12):
        share = np.expm1(reach) / steep
        over = p * np.log1p(rise_A * share) + q * np.log1p(rise_B * share) - DROP
        slope = p * rise_A / (1.0 + rise_A * share) + q * rise_B / (1.0 + rise_B * share)
        reach = reach - np.maximum(over, 0.0) / (slope * (steep * share + 1.0) / steep)
    return np.minimum(1.05 * reach, width)


class OwnTimes(NamedTuple):
    """Operational times: where stretches begin, what passes in them, and at each one's end."""

    A: Floats
    A_step: Floats
    B: Floats
    B_step: Floats
    A_T: Floats
    B_T: Floats


def own_times(a: Floats, b: Floats, stretches: Stretches) -> OwnTimes:
    """Integrate the paces a and b along the stretches of each customer."""
    start, owner, n = stretches.start[:-1], stretches.owner, len(stretches.start) - 1
    has = stretches.sizes > 0
    start, place = start[has], (np.cumsum(has) - 1)[owner]
    dA, dB = a * stretches.length, b * stretches.length
    return OwnTimes(
        before(dA, start, place), dA, before(dB, start, place), dB,
        sums_by(dA, owner, n), sums_by(dB, owner, n),
    )  # fmt: skip


def log_odds_left(
    r: float, alpha: Any, s: float, beta: Any, x: Floats, times: OwnTimes, stretches: Stretches,
    silent: Any,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Log of P(stayed and silent), and of P(left and silent) over it; see the module's text.

    Parameters
    ----------
    r, s : float
    alpha, beta : float or ndarray of shape (n,)
    x : ndarray of shape (n,)
        Orders that tell of the rate.
    times : OwnTimes
    stretches : Stretches
    silent : ndarray of bool
        Stretches in which the customer may have left.

    Returns
    -------
    stayed, odds : ndarray of shape (n,)
        ``odds`` is -inf where there was no time to leave in.
    """
    n = len(x)
    alpha, beta = np.broadcast_to(alpha, (n,)), np.broadcast_to(beta, (n,))
    p = r + x
    stayed = -p * np.log1p(times.A_T / alpha) - s * np.log1p(times.B_T / beta)
    some = np.flatnonzero(silent)
    owner = stretches.owner[some]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    found = leaving(
        p[owner], alpha[owner], s, beta[owner], times.A[some], times.A_step[some], times.B[some],
        times.B_step[some], first,
    )  # fmt: skip
    whose = owner[found.at]
    top = np.full(n, -np.inf)
    np.maximum.at(top, whose, found.log_w.max(axis=0))
    high = np.where(np.isfinite(top), top, 0.0)
    total = sums_by(np.exp(found.log_w - high[whose]).sum(axis=0), whose, n)
    with np.errstate(divide="ignore"):
        return stayed, np.log(total) + high - stayed


def log_likelihood(
    r: float, alpha: float, s: float, beta: float, rows: WalkRows, effects: Effects
) -> Floats:
    """Log density of each customer's orders, the first equation over customers above."""
    stayed, odds = history(r, alpha, s, beta, rows, effects)
    x = rows.rows.x
    orders = log_rising(r, x) - x * np.log(alpha) + log_pace(rows.orders, effects, "purchase")
    return np.asarray(orders + stayed + np.logaddexp(0.0, odds))


def prob_alive(
    r: float, alpha: float, s: float, beta: float, rows: WalkRows, effects: Effects
) -> Floats:
    """P(alive at T): what is in the bracket's first term."""
    return sigmoid(-history(r, alpha, s, beta, rows, effects)[1])


def history(
    r: float, alpha: float, s: float, beta: float, rows: WalkRows, effects: Effects
) -> tuple[Floats, Floats]:
    """Log chance of having stayed, and log odds of having left, of each customer."""
    past = rows.past
    stayed, odds = np.empty(rows.size), np.empty(rows.size)
    for who, part in past.blocks():
        some = _slice(past, who, part)
        a, b = (np.exp(log_pace(some.Z, effects, p)) for p in ("purchase", "leave"))
        x = rows.rows.x[who]
        stayed[who], odds[who] = log_odds_left(
            r, alpha, s, beta, x, own_times(a, b, some), some, rows.silent[part]
        )
    return stayed, odds


def _slice(stretches: Stretches, who: slice, part: slice) -> Stretches:
    start = stretches.start[who.start : who.stop + 1] - part.start
    return Stretches(start, stretches.length[part], stretches.Z[part])


def expected_orders(
    r: Floats, alpha: Floats, s: float, beta: Floats, times: OwnTimes, stretches: Stretches
) -> Floats:
    """Orders expected along stretches by a customer who is alive where they begin.

    r / alpha times the integral of ((beta / (beta + B(u)))^s dA(u); regular at s = 1.
    """
    owner = stretches.owner
    low = beta[owner] + times.B
    rise = np.maximum(times.B_step / low, TINY)
    L = np.log1p(rise)
    near = (1.0 - s) * L
    safe = np.where(near == 0.0, 1.0, near)
    lived = L / rise * np.where(near == 0.0, 1.0, np.expm1(safe) / safe)
    lived *= np.exp(-s * np.log1p(times.B / beta[owner])) * times.A_step
    return np.asarray(r / alpha * sums_by(lived, owner, len(r)))


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoNBDOfWalks(LawByRow):
    """The law and the effects of columns that change in time, as a law of more parameters.

    Parameters
    ----------
    **fields
        As in :class:`LawByRow`.
    """

    def counted(self, rows: Any, units: Units) -> Any:
        """Give the rows in these units."""
        return rows.counted(units.time)

    def log_likelihoods(self, params: Any, rows: Any) -> Floats:
        """Log density of each customer."""
        (r, alpha, s, beta), effects = self.split(params)
        return log_likelihood(r, alpha, s, beta, rows, effects)

    def objective_of(self, rows: Any) -> Objective:
        """Mean log-likelihood with gradient and Hessian.

        A history is a constant and the log of a sum: of having stayed, and of every node at which
        one may have left. Its gradient is the mean of theirs, weighed by what they add; its Hessian
        the mean of theirs and the covariance of their gradients.
        """
        used = rows.past.sizes > 0  # of whom nothing was seen nothing is learned
        n = rows.n
        if not used.all():
            some = np.flatnonzero(used)
            rows = rows.taken(some, rows.w[some])
        effects, k = self.effects, self.k
        mean, spread = effects.mean, effects.spread
        (of_p, p_labels), (of_l, l_labels) = effects.of("purchase"), effects.of("leave")
        Z = (rows.past.Z - mean) / spread
        X, Y = (np.ascontiguousarray(Z[:, labels].T) for labels in (p_labels, l_labels))
        at_orders = (rows.orders - rows.rows.x[:, None] * mean) / spread
        at_orders = at_orders[:, p_labels]
        x, w = rows.rows.x, rows.w
        count, weight = counts_of(x, w)
        total_w, total_x, total_orders = float(w.sum()), float(w @ x), w @ at_orders
        blocks = [
            _Block.of(_slice(rows.past, who, part), rows.silent[part], x[who], w[who],
                      X[:, part], Y[:, part])
            for who, part in rows.past.blocks()
        ]  # fmt: skip
        places = np.concatenate(
            [[0, 1], k + np.array(of_p, dtype=int), [2, 3], k + np.array(of_l, dtype=int)]
        ).astype(np.intp)
        size, m = k + len(effects.terms), 2 + len(of_p)

        def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
            r, alpha, s, beta = np.exp(theta[:4]).tolist()
            gamma, delta = theta[places[2:m]], theta[places[m + 2 :]]
            g, h = np.zeros(len(places)), np.zeros((len(places), len(places)))
            value, g[0], h[0, 0] = rising_sums(r, count, weight)
            h[0, 0], g[0] = r * r * h[0, 0] + r * g[0], r * g[0]
            value += float(total_orders @ gamma) - total_x * float(theta[1])
            g[1] += r * total_w
            h[0, 1] += r * total_w
            h[1, 0] += r * total_w
            g[2:m] += total_orders
            g[m + 1] += s * total_w
            h[m, m + 1] += s * total_w
            h[m + 1, m] += s * total_w
            for block in blocks:
                value += block.add_into((r, alpha, s, beta), gamma, delta, g, h)
            slope, bend = np.zeros(size), np.zeros((size, size))
            np.add.at(slope, places, g)
            np.add.at(bend, np.ix_(places, places), h)
            return value / n, slope / n, bend / n

        return evaluate


class _Block(NamedTuple):
    """Some customers whose stretches and nodes stay in the processor's cache."""

    stretches: Stretches
    owner: Places
    silent: Places
    whose: Places
    first: Places
    x: Floats
    w: Floats
    X: Floats
    Y: Floats

    @classmethod
    def of(
        cls, stretches: Stretches, silent: Any, x: Floats, w: Floats, X: Floats, Y: Floats
    ) -> _Block:
        some, owner = np.flatnonzero(silent), stretches.owner
        first = np.flatnonzero(np.diff(owner[some], prepend=-1))
        return cls(stretches, owner, some, owner[some], first, x, w, X, Y)

    def add_into(
        self,
        params: tuple[float, float, float, float],
        gamma: Floats,
        delta: Floats,
        g: Floats,
        h: Floats,
    ) -> float:
        """Add gradient and Hessian to ``g`` and ``h``; return the sum of the logs.

        Order of the coordinates: log r, log alpha, gamma; log s, log beta, delta.
        """
        r, alpha, s, beta = params
        start, owner, w, n = self.stretches.start[:-1], self.owner, self.w, len(self.w)
        X, Y, m, d = self.X, self.Y, 2 + len(gamma), len(h)
        p, q = r + self.x, s + 1.0
        times = own_times(np.exp(gamma @ X), np.exp(delta @ Y), self.stretches)
        # derivatives of A in gamma and of B in delta: what passes in each stretch
        dX, dY = X * times.A_step, Y * times.B_step

        end_A, end_B = 1.0 / (alpha + times.A_T), 1.0 / (beta + times.B_T)
        S = np.empty((d, n))
        S[0], S[m] = -r * np.log1p(times.A_T / alpha), -s * np.log1p(times.B_T / beta)
        S[1], S[m + 1] = alpha, beta
        np.add.reduceat(dX, start, axis=1, out=S[2:m])
        np.add.reduceat(dY, start, axis=1, out=S[m + 2 :])
        S[1:m] *= -p * end_A
        S[m + 1 :] *= -s * end_B
        stayed = S[0] * (p / r) + S[m]

        one = np.ones(len(self.silent))
        A, A_step, B, B_step = (
            v[self.silent] for v in (times.A, times.A_step, times.B, times.B_step)
        )
        found = leaving(p[self.whose], alpha * one, s, beta * one, A, A_step, B, B_step, self.first)
        at = self.silent[found.at]
        whose = owner[at]
        cells = np.flatnonzero(np.diff(whose, prepend=-1))
        who, size = whose[cells], np.diff(cells, append=len(at))  # each with silence has a cell
        left = np.full(n, -np.inf)
        if len(at):
            top = np.maximum.reduceat(found.log_w.max(axis=0), cells)
            W = np.exp(found.log_w - np.repeat(top, size))
            left[who] = top + np.log(np.add.reduceat(W.sum(axis=0), cells))
        value = np.logaddexp(stayed, left)

        stays = np.exp(stayed - value)
        weight, mean = w * stays, S * stays
        _second_into(h[:m, :m], weight, S[:m], p, r, alpha * end_A)
        _second_into(h[m:, m:], weight, S[m:], s, s, beta * end_B)
        h += (S * weight) @ S.T
        # how much the second derivatives of A and of B count in each stretch
        by_A, by_B = (weight * p * end_A)[owner], (weight * s * end_B)[owner]
        if len(at):
            W *= np.repeat(np.exp(top - value[who]), size)
            mine, in_X, in_Y = p[whose], before(dX, start, owner), before(dY, start, owner)
            f_A, f_B = 1.0 / (alpha + found.A), 1.0 / (beta + found.B)
            U = np.empty((d, *W.shape))
            np.multiply(found.A_log, -r, out=U[0])
            np.multiply(found.B_log, -s, out=U[m])
            U[1], U[m + 1] = alpha, beta
            for j in range(len(gamma)):
                np.multiply(found.share, dX[j, at], out=U[2 + j])
                U[2 + j] += in_X[j, at]
            for j in range(len(delta)):
                np.multiply(found.share, dY[j, at], out=U[m + 2 + j])
                U[m + 2 + j] += in_Y[j, at]
            U[1:m] *= -mine * f_A
            U[m + 1 :] *= -q * f_B
            each = W * w[whose]
            flat, power, V = each.ravel(), np.tile(mine, NODES), U.reshape(d, -1)
            _second_into(h[:m, :m], flat, V[:m], power, r, alpha * f_A.ravel())
            _second_into(h[m:, m:], flat, V[m:], q, s, beta * f_B.ravel())
            by_A += _counted_before(each * mine * f_A, found.share, at, start, owner)
            by_B += _counted_before(each * q * f_B, found.share, at, start, owner)
            # a node's own weight goes with s, and with the pace of leaving in its stretch
            U[m] += 1.0
            for j in range(len(delta)):
                U[m + 2 + j] += Y[j, at]
            mean[:, who] += np.add.reduceat(np.einsum("dgc,gc->dc", U, W), cells, axis=1)
            h += (V * flat) @ V.T
        h -= (mean * w) @ mean.T
        g += mean @ w
        h[2:m, 2:m] -= (X * (times.A_step * by_A)) @ X.T
        h[m + 2 :, m + 2 :] -= (Y * (times.B_step * by_B)) @ Y.T
        return float(w @ value)


def _second_into(h: Floats, w: Floats, U: Floats, power: Any, shape: float, scale: Floats) -> None:
    """Add the mean second derivatives of -power log(1 + A / alpha), but for those of A itself.

    ``U`` are its first derivatives in (log r, log alpha, gamma), ``power`` is r + x or r + x + 1,
    ``scale`` is alpha / (alpha + A).
    """
    h[0, 0] += w @ U[0]
    V = U[1:]
    cross = V @ (w * (shape / power))
    h[0, 1:] += cross
    h[1:, 0] += cross
    h[1, 1] -= w @ (power * scale)
    h[1:, 1:] += (V * (w / power)) @ V.T


def _counted_before(
    counts: Floats, share: Floats, at: Places, start: Places, owner: Places
) -> Floats:
    """How much each stretch counts in nodes: in its own by their share, in later ones whole."""
    k = len(owner)
    own = sums_by((counts * share).sum(axis=0), at, k)
    whole = sums_by(counts.sum(axis=0), at, k)
    total = np.add.reduceat(whole, start)[owner]
    return np.asarray(total - before(whole, start, owner) - whole + own)


class VaryingParetoNBD(VaryingModel):
    """Pareto/NBD with columns that change in time: what moves ordering and leaving, by period.

    Reads walks: ``TransactionLog.walks`` lays a table of periods along the histories of a log. A
    customer's rate of ordering in a period is the own rate times the exponential of the weighted
    columns of that period, and so is the rate of leaving. Columns that never change in time do what
    they do in :class:`ParetoNBD`.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of given parameters; a fit takes that of the walks.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one.
    purchase_columns, leave_columns : list of str or None, default=None
        Columns of the table of periods that move how often a customer orders, and how soon one
        leaves.
    equal_columns : list of str or None, default=None
        Columns of both lists with one coefficient in both.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    params_ : ParetoNBDParams
        Of a customer whose numbers are 0 and whose categories are the base levels.
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Bachmann, P., Meierer, M. & Näf, J. (2021), The role of time-varying contextual factors in
    latent attrition models for customer base analysis, Marketing Science 40(4), 783-809.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.purchase import VaryingParetoNBD
    >>> came = pd.DataFrame({"who": np.arange(600), "paid": 1.0, "day": pd.Timestamp("2023-01-02")})
    >>> weeks = pd.date_range("2023-01-02", periods=60, freq="7D")
    >>> rows = pd.MultiIndex.from_product([range(600), weeks], names=["who", "week"])
    >>> mailed = rows.to_frame(index=False)
    >>> mailed["letters"] = np.random.default_rng(0).poisson(0.4, len(mailed))
    >>> names = {"customer": "who", "time": "day", "amount": "paid", "as_of": "2023-12-31"}
    >>> first = TransactionLog(came, **names).walks(mailed, period="week", unit="W")
    >>> truth = VaryingParetoNBD.from_params(r=1.0, alpha=12.0, s=0.8, beta=30.0, unit="W",
    ...                                      effects={"purchase": {"letters": 0.5}})
    >>> log = truth.sample(first, random_state=0).rename(columns={"date": "day"}).assign(paid=1.0)
    >>> walks = TransactionLog(log, **names).walks(mailed, period="week", unit="W")
    >>> model = VaryingParetoNBD(purchase_columns=["letters"]).fit(walks)
    >>> model.effect_table()["words"][0][:58]
    'each unit more of letters: customers order 70 % more often'
    >>> model.predict(walks, horizon="8W").shape
    (600,)
    """

    law = ParetoNBD.law
    law_by_row = ParetoNBDOfWalks

    def _alive_and_ahead(
        self, rows: WalkRows, ahead: Stretches
    ) -> tuple[Floats, tuple[Floats, Floats, float, Floats], OwnTimes]:
        """P(alive), what is then known of the customer's rates, and the operational time ahead."""
        effects, (r, alpha, s, beta) = self._effects(), self.params_
        here = prob_alive(r, alpha, s, beta, rows, effects)
        a, b = (np.exp(log_pace(rows.past.Z, effects, p)) for p in ("purchase", "leave"))
        owner = rows.past.owner
        A_T = sums_by(a * rows.past.length, owner, rows.size)
        B_T = sums_by(b * rows.past.length, owner, rows.size)
        a, b = (np.exp(log_pace(ahead.Z, effects, p)) for p in ("purchase", "leave"))
        known = r + rows.rows.x, alpha + A_T, s, beta + B_T
        return here, known, own_times(a, b, ahead)

    def _orders_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        here, known, times = self._alive_and_ahead(rows, ahead)
        return here * expected_orders(*known, times, ahead)

    def _alive_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        here, (_, _, s, beta), times = self._alive_and_ahead(rows, ahead)
        return np.asarray(here * np.exp(-s * np.log1p(times.B_T / beta)))

    def _any_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        here, (r, alpha, s, beta), times = self._alive_and_ahead(rows, ahead)
        everywhere = np.ones(len(ahead.length), dtype=bool)
        stays, odds = log_odds_left(0.0, alpha, s, beta, r, times, ahead, everywhere)
        none = np.exp(np.minimum(stays + np.logaddexp(0.0, odds), 0.0))
        return np.asarray(here * (1.0 - none))

    def _draw_ahead(self, rows: WalkRows, ahead: Stretches, rng: np.random.Generator) -> Any:
        here, (r, alpha, s, beta), times = self._alive_and_ahead(rows, ahead)
        lives = rng.random(rows.size) < here
        reach = _until_leaving(rng.standard_exponential(rows.size), rng.gamma(s, size=rows.size)
                               / beta, times, ahead)[0]  # fmt: skip
        return np.where(lives, rng.poisson(rng.gamma(r) / alpha * reach), 0)

    def _draw_past(self, past: Stretches, rng: np.random.Generator) -> Orders:
        effects, (r, alpha, s, beta), n = self._effects(), self.params_, len(past.start) - 1
        a, b = (np.exp(log_pace(past.Z, effects, p)) for p in ("purchase", "leave"))
        times = own_times(a, b, past)
        rate = rng.gamma(s, size=n) / beta
        reach, left = _until_leaving(rng.standard_exponential(n), rate, times, past)
        rate = rng.gamma(r, size=n) / alpha
        self._check_draws(float((rate * reach).sum()))
        count = rng.poisson(rate * reach)
        owner = np.repeat(np.arange(n), count)
        time = time_at(rng.random(len(owner)) * reach[owner], owner, times.A_step, past)
        by = np.lexsort((time, owner))
        return Orders(owner, time[by], left)


def _until_leaving(
    drawn: Floats, rate: Floats, times: OwnTimes, stretches: Stretches
) -> tuple[Floats, Floats]:
    """Operational time of ordering until a customer leaves or time ends, and when one left."""
    life = drawn / np.maximum(rate, TINY)
    gone = np.flatnonzero(life < times.B_T)
    left, reach = np.full(len(life), np.inf), times.A_T.copy()
    if len(gone):
        left[gone] = time_at(life[gone], gone, times.B_step, stretches)
        ends = np.cumsum(stretches.length)
        since = np.append(0.0, ends)[stretches.start[gone]]
        low, high = stretches.start[gone], stretches.start[gone + 1] - 1
        at = np.clip(np.searchsorted(ends, since + left[gone], side="left"), low, high)
        share = (since + left[gone] - (ends[at] - stretches.length[at])) / stretches.length[at]
        reach[gone] = times.A[at] + np.clip(share, 0.0, 1.0) * times.A_step[at]
    return reach, left
