"""BG/NBD whose rate of ordering moves in time, by a change of time.

Story: while alive, customer i orders at rate lambda a(t), a(t) = exp(gamma' x(t)) by what was told
of the customer in the period of t; after every repeat order the customer leaves with probability p;
lambda ~ Gamma(r, alpha) and p ~ Beta(a, b exp(-delta' z)) over customers, independent. In the
operational time A(t), the integral of a since the first order, that is the BG/NBD (Fader, Hardie &
Lee 2005), as nothing but orders happens in time: every function is the plain law's at A(t_x), A(T)
and A ahead, and the density of the order times has the factor prod a(t_j) besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue._kernels import Objective, rising_rows, sigmoid, softplus
from custvalue._typing import Floats, Places
from custvalue.data._for_rooms import Walk, Walks
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.likelihood._for_rooms import Effects, LawByRow, Units
from custvalue.purchase._bgnbd import BGNBD
from custvalue.purchase._law import Orders
from custvalue.purchase._varying import VaryingModel
from custvalue.purchase._walk_rows import Stretches, WalkRows, log_pace, sums_by, time_at


def operational_history(rows: WalkRows, effects: Effects) -> tuple[Floats, Floats, Floats]:
    """Repeat orders, and the operational times of the last one and of the end of observation."""
    past = rows.past
    passed = np.exp(log_pace(past.Z, effects, "purchase")) * past.length
    at_T = sums_by(passed, past.owner, rows.size)
    at_t_x = sums_by(np.where(rows.silent, 0.0, passed), past.owner, rows.size)
    return rows.rows.x, at_t_x, at_T


def own_b(b: float, stretches: Stretches, effects: Effects) -> Floats:
    """Second parameter of each customer's law of leaving, by the columns of the first stretch."""
    n = len(stretches.start) - 1
    if not effects.of("leave")[0]:
        return np.full(n, b)
    moved = np.ones(n)
    has = stretches.sizes > 0
    first = stretches.start[:-1][has]
    moved[has] = np.exp(-log_pace(stretches.Z[first], effects, "leave"))
    return b * moved


@dataclass(frozen=True, kw_only=True, eq=False)
class BGNBDOfWalks(LawByRow):
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
        """Log density of each customer: the plain law's in operational time, and the paces."""
        (r, alpha, a, b), effects = self.split(params)
        b_own, density = own_b(b, rows.past, effects), self.plain.log_likelihood
        assert density is not None
        paces = log_pace(rows.orders, effects, "purchase")
        return np.asarray(density(r, alpha, a, b_own, *operational_history(rows, effects)) + paces)

    def objective_of(self, rows: Any) -> Objective:
        """Mean log-likelihood with gradient and Hessian.

        A history is a constant and the log of a sum of two, of having stayed and of having left
        after the last order; both are powers of alpha + A.
        """
        used, n = rows.past.sizes > 0, rows.n  # of whom nothing was seen nothing is learned
        if not used.all():
            some = np.flatnonzero(used)
            rows = rows.taken(some, rows.w[some])
        effects, k = self.effects, self.k
        mean, spread = effects.mean, effects.spread
        (of_p, p_labels), (of_l, l_labels) = effects.of("purchase"), effects.of("leave")
        Z = (rows.past.Z - mean) / spread
        X = np.ascontiguousarray(Z[:, p_labels].T)
        z = np.ascontiguousarray(Z[rows.past.start[:-1]][:, l_labels].T)
        at_orders = (rows.orders - rows.rows.x[:, None] * mean) / spread
        at_orders = np.ascontiguousarray(at_orders[:, p_labels].T)
        x, w, start = rows.rows.x, rows.w, rows.past.start[:-1]
        again, before_last = x > 0.0, (~rows.silent).astype(np.float64)
        m, size = len(of_p), k + len(effects.terms)
        # order of the coordinates here: log r, log alpha, gamma, log a, log b, delta
        places = np.concatenate([[0, 1], k + np.array(of_p, dtype=int), [2, 3],
                                 k + np.array(of_l, dtype=int)]).astype(np.intp)  # fmt: skip
        d, at_a = len(places), 2 + m

        def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
            r, alpha, a, b = np.exp(theta[:4]).tolist()
            gamma, delta = theta[places[2:at_a]], theta[places[at_a + 2 :]]
            p, stays_b = r + x, b * np.exp(-(delta @ z))
            passed = np.exp(gamma @ X) * rows.past.length
            rise, d_rise, dd_rise = rising_rows(r, x)
            up, d_up, dd_up = rising_rows(stays_b, x)
            both, d_both, dd_both = rising_rows(a + stays_b, x)
            U = np.zeros((2, d, len(x)))  # gradients of having stayed, and of having left
            G = np.zeros((2, len(passed)))
            log_w, h = np.zeros((2, len(x))), np.zeros((d, d))
            back = 1.0 / np.where(again, stays_b + x - 1.0, 1.0)
            log_w[1] = np.where(again, np.log(a * back), -np.inf)
            for j, part in enumerate((passed, passed * before_last)):
                A = np.add.reduceat(part, start)
                over = np.log1p(A / alpha)
                log_w[j] -= p * over
                U[j, 0] = -r * over
                U[j, 1] = alpha
                U[j, 2:at_a] = np.add.reduceat(X * part, start, axis=1)
                U[j, 1:at_a] *= -p / (alpha + A)
            left = sigmoid(log_w[1] - log_w[0])
            W = w * np.stack([1.0 - left, left])
            for j, part in enumerate((passed, passed * before_last)):
                h[0, 0] += W[j] @ U[j, 0]
                cross = U[j, 1:at_a] @ (W[j] * r / p)
                h[0, 1:at_a] += cross
                h[1:at_a, 0] += cross
                h[1, 1] += W[j] @ U[j, 1]
                h[1:at_a, 1:at_a] += (U[j, 1:at_a] * (W[j] / p)) @ U[j, 1:at_a].T
                # U[j, 1] = -p alpha / (alpha + A)
                G[j] = part * np.repeat(W[j] * U[j, 1] / -alpha, rows.past.sizes)
            h[2:at_a, 2:at_a] -= (X * G.sum(axis=0)) @ X.T
            # of leaving: log b less delta' z is what moves it
            slope = -stays_b * back
            U[1, at_a] = 1.0
            U[1, at_a + 1] = slope
            U[1, at_a + 2 :] = -z * slope
            gradient = W[0] @ U[0].T + W[1] @ U[1].T
            middle = (U[0] * W[0] + U[1] * W[1]) / w
            h += (U[0] * W[0]) @ U[0].T + (U[1] * W[1]) @ U[1].T - (middle * w) @ middle.T

            gradient[0] += r * (w @ d_rise)
            h[0, 0] += r * (w @ d_rise) + r * r * (w @ dd_rise)
            total_x = float(w @ x)
            gradient[1] += r * w.sum()
            h[0, 1] += r * w.sum()
            h[1, 0] += r * w.sum()
            gradient[2:at_a] += at_orders @ w
            first_a, first_b = -a * d_both, stays_b * (d_up - d_both)
            bend_a = first_a - a * a * dd_both
            bend_b = first_b + stays_b**2 * (dd_up - dd_both)
            bend_b += left * slope * (1.0 + slope)
            bend_ab = -a * stays_b * dd_both
            D = np.vstack([np.ones(len(x)), -z])
            gradient[at_a] += w @ first_a
            gradient[at_a + 1 :] += D @ (w * first_b)
            h[at_a, at_a] += w @ bend_a
            cross = D @ (w * bend_ab)
            h[at_a, at_a + 1 :] += cross
            h[at_a + 1 :, at_a] += cross
            h[at_a + 1 :, at_a + 1 :] += (D * (w * bend_b)) @ D.T
            value = float(w @ (rise + up - both + log_w[0] + softplus(log_w[1] - log_w[0])))
            value += float((at_orders @ w) @ gamma) - total_x * float(theta[1])
            g, bend = np.zeros(size), np.zeros((size, size))
            np.add.at(g, places, gradient)
            np.add.at(bend, np.ix_(places, places), h)
            return value / n, g / n, bend / n

        return evaluate


class VaryingBGNBD(VaryingModel):
    """BG/NBD with columns that change in time: what moves ordering, by period.

    Reads walks: ``TransactionLog.walks`` lays a table of periods along the histories of a log. A
    customer's rate of ordering in a period is the own rate times the exponential of the weighted
    columns of that period. Columns of leaving tell of the customer and must not change in time:
    one leaves at an order here, and what moves that in time has no law that stays a BG/NBD
    (:class:`VaryingParetoNBD` has one). Columns that never change do what they do in
    :class:`BGNBD`.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of given parameters; a fit takes that of the walks.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one.
    purchase_columns, leave_columns : list of str or None, default=None
        Columns of the table of periods that move how often a customer orders, and, equal in all
        periods of a customer, how soon one leaves.
    equal_columns : list of str or None, default=None
        Columns of both lists with one coefficient in both.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    params_ : BGNBDParams
        Of a customer whose numbers are 0 and whose categories are the base levels.
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "Counting your customers" the easy way,
    Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.purchase import VaryingBGNBD
    >>> orders = pd.DataFrame({"who": [1, 1, 2], "paid": 5.0,
    ...                        "day": pd.to_datetime(["2024-01-01", "2024-01-20", "2024-01-01"])})
    >>> weeks = pd.date_range("2024-01-01", periods=8, freq="7D")
    >>> rows = pd.MultiIndex.from_product([[1, 2], weeks], names=["who", "week"])
    >>> sale = rows.to_frame(index=False)
    >>> sale["sale"] = (sale["week"] >= "2024-02-05").astype(float)
    >>> log = TransactionLog(orders, customer="who", time="day", amount="paid", as_of="2024-02-04")
    >>> walks = log.walks(sale, period="week", unit="W")
    >>> truth = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5, "unit": "W"}
    >>> [VaryingBGNBD.from_params(**truth, effects={"purchase": {"sale": effect}})
    ...  .predict(walks, horizon="3W").round(2).tolist() for effect in (0.0, 0.7)]
    [[0.29, 0.14], [0.56, 0.28]]
    """

    law = BGNBD.law
    law_by_row = BGNBDOfWalks

    def _check_constant(
        self, walks: Walks, walk: Walk, effects: Effects, Z: Floats, place: Places
    ) -> None:
        labels: Sequence[int] = sorted(set(effects.of("leave")[1]))
        if not labels or not len(walk.row):
            return
        own, owner = Z[place[walk.row]][:, labels], walk.owner
        moved = (own != own[walk.start[owner]]).any(axis=0)
        if not moved.any():
            return
        names = [label for label, on in zip(labels, moved, strict=True) if on]
        which = ", ".join(repr(effects.labels[i]) for i in names)
        who = np.unique(owner[(own != own[walk.start[owner]]).any(axis=1)])
        raise DataContractError(
            ContractProblem(
                "leaving-changes",
                f"leave_columns: {which} changes in time for {len(who):,} customers (first: "
                f"{', '.join(first_ids(walks.ids[who]))}), and leaving of a BG/NBD can't",
                "Name columns of the customer, or take VaryingParetoNBD.",
            )
        )

    def _past_and_ahead(
        self, rows: WalkRows, ahead: Stretches
    ) -> tuple[tuple[Any, ...], tuple[Any, ...], Floats]:
        """Arguments of the plain law's functions of a history, its future, and the time ahead."""
        effects, (r, alpha, a, b) = self._effects(), self.params_
        b_own = own_b(b, rows.past, effects)
        new = rows.past.sizes == 0
        b_own[new] = own_b(b, ahead, effects)[new]
        past = r, alpha, a, b_own, *operational_history(rows, effects)
        passed = np.exp(log_pace(ahead.Z, effects, "purchase")) * ahead.length
        return past, self.law.alive(*past), sums_by(passed, ahead.owner, rows.size)

    def _orders_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        past, future, time = self._past_and_ahead(rows, ahead)
        return np.asarray(self.law.prob_alive(*past) * self.law.expected_orders(*future, time))

    def _alive_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        past, future, time = self._past_and_ahead(rows, ahead)
        return np.asarray(self.law.prob_alive(*past) * self.law.survival(*future, time))

    def _any_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        past, future, time = self._past_and_ahead(rows, ahead)
        none = np.expm1(self.law.log_prob_none(*future, time))
        return np.asarray(-self.law.prob_alive(*past) * none)

    def _draw_ahead(self, rows: WalkRows, ahead: Stretches, rng: np.random.Generator) -> Any:
        past, future, time = self._past_and_ahead(rows, ahead)
        lives = rng.random(rows.size) < self.law.prob_alive(*past)
        orders = self.law.simulate(*future, time, rng)
        return np.where(lives, np.bincount(orders.owner, minlength=rows.size), 0)

    def _draw_past(self, past: Stretches, rng: np.random.Generator) -> Orders:
        effects, (r, alpha, a, b), n = self._effects(), self.params_, len(past.start) - 1
        passed = np.exp(log_pace(past.Z, effects, "purchase")) * past.length
        end = sums_by(passed, past.owner, n)
        self._check_draws(float((r / alpha * end).sum()))
        drawn = self.law.simulate(r, alpha, a, own_b(b, past, effects), end, rng)
        left, gone = drawn.left.copy(), np.flatnonzero(np.isfinite(drawn.left))
        left[gone] = time_at(drawn.left[gone], gone, passed, past)
        time = time_at(drawn.time, drawn.owner, passed, past)
        return Orders(drawn.owner, time, left)
