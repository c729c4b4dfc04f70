"""The chain that a fitted estimator holds: states, hidden rates, and what follows from them.

Letters: i, j states; l hidden classes of customers, each with a rate of orders λ_l and a rate of
leaving μ_l a period; π_il the share of class l among the customers of state i who are still there;
c_i the factor by which state i orders more or less than the law says; Q¹, Q⁰ where a period with,
without an order leads; s_i what an order from state i brings; δ the discount factor of a period.

An average of chains is not a chain of averages. Customers of one state order at different rates; a
single matrix E[P | i] would let every quiet customer forget its own quietness at each step, and
says 1.3 to 1.8 times what comes on the public logs. Here each hidden class has its own matrix

    P_l = P(order, stays | i, l) Q¹ + P(none, stays | i, l) Q⁰   (and to "gone" what is left),

and a state's value is the average of its classes' values: v_i = Σ_l π_il v_il, with
v_l = r_l + δ P_l v_l. A chain of counts is the case of one class that never leaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._sparse import Sparse, csr, from_entries, is_sparse
from custvalue._typing import Floats
from custvalue._value_model import Terms
from custvalue.chains import Chain
from custvalue.exceptions import HorizonError, NotSupportedError

# Up to this many states a dense matrix is smaller and faster than a sparse one.
DENSE_STATES = 400
# An infinite horizon of a larger chain is iterated until no more than this share is left.
_NOTHING = 1e-10


class Moves(NamedTuple):
    """Where a period leads, row i its entries: ``begin[i]`` to ``begin[i + 1]``."""

    begin: npt.NDArray[np.int64]
    to: npt.NDArray[np.int64]
    chance: Floats

    @classmethod
    def of(cls, matrix: Sparse) -> Moves:
        """Entries of a sparse matrix whose rows sum to one."""
        rows = csr(matrix)
        rows.sort_indices()
        return cls(rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data)

    def matrix(self, chance: Floats | None = None) -> Any:
        """Matrix of the moves (or of other numbers in their places): dense where that is faster."""
        n = len(self.begin) - 1
        rows = np.repeat(np.arange(n), np.diff(self.begin))
        sparse = from_entries(self.chance if chance is None else chance, rows, self.to, n)
        thin = n > 100 and len(self.to) < n * n / 16
        return sparse if thin or n > DENSE_STATES else sparse.toarray()


class Period(NamedTuple):
    """Chances of a stretch by state and class, shape (n_states, n_classes).

    ``order_stays``, ``none_stays``, ``order_goes``, ``none_goes`` sum to one; ``orders`` is the
    mean number, ``orders_stay`` the part of it that comes with staying, ``pairs`` = E[K (K - 1)].
    """

    order_stays: Floats
    none_stays: Floats
    order_goes: Floats
    none_goes: Floats
    orders: Floats
    orders_stay: Floats
    pairs: Floats


def hidden_period(rate: Floats, leaving: Floats, length: float = 1.0) -> Period:
    """Chances of a stretch for orders at ``rate`` until an exponential time of leaving.

    With A the time a customer is there: P(stays, none) = exp(-(λ + μ) t), P(goes, none) =
    μ / (λ + μ) (1 - exp(-(λ + μ) t)), E[K] = λ E[A], E[K (K - 1)] = λ² E[A²].
    """
    lam, mu = np.asarray(rate) * length, np.asarray(leaving) * length
    stays = np.exp(-mu)
    quiet = np.exp(-lam) * stays
    none_goes = (mu / np.maximum(lam + mu, 1e-300)) * (1.0 - quiet)
    small = mu < 1e-4
    safe = np.where(small, 1.0, mu)
    there = np.where(small, 1.0 - mu / 2.0 + mu * mu / 6.0, -np.expm1(-safe) / safe)
    square = np.where(
        small, 1.0 - 2.0 * mu / 3.0, 2.0 * (-np.expm1(-safe) - safe * np.exp(-safe)) / safe**2
    )
    return Period(
        np.maximum(stays - quiet, 0.0),
        quiet,
        np.maximum(1.0 - stays - none_goes, 0.0),
        none_goes,
        lam * there,
        lam * stays,
        lam * lam * square,
    )


@dataclass(frozen=True, eq=False)
class ChainForecast:
    """All that a fitted ``MarkovCLVEstimator`` knows; it never changes and holds no customer.

    Parameters
    ----------
    unit : str or None
        Length of a period.
    states : tuple
        Names of the n states.
    size : ndarray of shape (n,)
        Customers in each state at the end of ``fit``.
    observed : ndarray of shape (n,)
        Moves counted out of each state.
    on_order, on_none : Moves
        Q¹ and Q⁰.
    spend, profit : ndarray of shape (n,)
        Profit vectors: what an order from each state brings; in a chain of counts, a period.
    spend_error, profit_error : ndarray of shape (n,)
        Their standard errors.
    variation : ndarray of shape (n,)
        Squared coefficient of variation of an order (of a period) around that mean.
    buys : ndarray of shape (n,) or None
        Counted share of periods with an order; None where orders were not told.
    orders : ndarray of shape (n,)
        Mean orders of a period, counted.
    factor, factor_error : ndarray of shape (n,)
        c and its standard error; all 1 without a law.
    rates, leaving : ndarray of shape (k,)
        λ and μ by class; empty for a chain of counts.
    weights : ndarray of shape (n, k)
        π; a row sums to the chance of still being there.
    slopes, factor_slopes : ndarray of shape (p, n, k) and (p, n)
        How π and c move with one standard error of each of the law's (independent) directions.
    by_move : tuple of Moves or None
        Spend and profit of each move with an order, with ``reward_by="transition"``.
    absorbing : tuple
        States that are never left and bring nothing.
    entry : ndarray of shape (n,)
        Shares of the states in which customers were first seen.
    first : tuple of float
        Mean spend and profit of the period of the first order.
    transitions : str
        ``"shrunk"``, ``"counts"`` or ``"bayes"``.
    evidence : float
        Weight of the law in c, in expected orders a state; inf for ``"bayes"``.
    law : tuple
        Pairs of names and values of the purchase law, empty without one.

    Examples
    --------
    >>> import custvalue as cv
    >>> X, y = [[0], [1], [0], [0], [1], [1], [0]], [0.0, 5.0, 0.0, 0.0, 5.0, 5.0, 0.0]
    >>> model = cv.MarkovCLVEstimator(transitions="counts", horizon=2).fit(X, y)
    >>> model.forecast_.chain().dense().round(2).tolist()
    [[0.33, 0.67], [0.67, 0.33]]
    """

    unit: str | None
    states: tuple[Any, ...]
    size: Floats
    observed: Floats
    on_order: Moves
    on_none: Moves
    spend: Floats
    profit: Floats
    spend_error: Floats
    profit_error: Floats
    variation: Floats
    buys: Floats | None
    orders: Floats
    factor: Floats
    factor_error: Floats
    rates: Floats
    leaving: Floats
    weights: Floats
    slopes: Floats
    factor_slopes: Floats
    by_move: tuple[Moves, Moves] | None
    absorbing: tuple[Any, ...]
    entry: Floats
    first: tuple[float, float]
    transitions: str
    evidence: float
    law: tuple[tuple[str, float], ...] = ()

    _records: ClassVar[dict[str, Any]] = {}

    def check(self) -> None:
        """Refuse arrays that do not fit together, as a damaged file has them.

        Raises
        ------
        ValueError
            Naming the field.
        """
        n, k = self.n_states, len(self.rates)
        wanted: dict[str, tuple[int, ...]] = dict.fromkeys(
            ("size", "observed", "spend", "profit", "spend_error", "profit_error", "variation",
             "orders", "factor", "factor_error", "entry"), (n,)
        )  # fmt: skip
        wanted.update(weights=(n, k), leaving=(k,))
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found.shape != shape or not np.all(np.isfinite(found)):
                raise ValueError(f"{name} must be finite and of shape {shape}; it is damaged.")
        for moves in (self.on_order, self.on_none):
            good = (
                moves.begin.shape == (n + 1,)
                and moves.begin[0] == 0
                and bool(np.all(np.diff(moves.begin) >= 0))
                and moves.begin[-1] == len(moves.to) == len(moves.chance)
                and bool(np.all((moves.to >= 0) & (moves.to < n)))
            )
            if not good:
                raise ValueError("on_order or on_none has no legal moves; it is damaged.")

    # ---- by state and class ---------------------------------------------------------------------

    @property
    def is_counted(self) -> bool:
        """Whether it is a chain of counts: one class of customers, who never leave."""
        return not len(self.rates)

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.states)

    def shares(self) -> Floats:
        """Share of each class in each state, shape (n, k); one class for a chain of counts."""
        return np.ones((self.n_states, 1)) if self.is_counted else self.weights

    def period(self, length: float = 1.0) -> Period:
        """Chances of a stretch by state and class."""
        if not self.is_counted:
            rate = self.factor[:, None] * self.rates
            return hidden_period(rate, self.leaving[None, :], length)
        # counted: what a part of a period brings is its share of the whole
        p = (np.zeros(self.n_states) if self.buys is None else self.buys)[:, None] * length
        m = self.orders[:, None] * length
        zero = np.zeros_like(p)
        return Period(p, 1.0 - p, zero, zero, m, m, zero)

    def money(self, terms: Terms) -> tuple[Floats, Floats]:
        """Mean of an order's (or a period's) profit by state, and its standard error."""
        if terms.margin is None:
            return self.profit, self.profit_error
        return terms.margin * self.spend, abs(terms.margin) * self.spend_error

    def cost(self, terms: Terms) -> Floats:
        """Contact cost of a period by state."""
        if not isinstance(terms.contact_cost, dict):
            return np.full(self.n_states, float(terms.contact_cost))
        unknown = [state for state in terms.contact_cost if state not in self.states]
        if unknown:
            raise ValueError(f"contact_cost names states that do not exist: {unknown[:5]!r}.")
        return np.asarray([float(terms.contact_cost.get(state, 0.0)) for state in self.states])

    def reward(self, terms: Terms) -> Floats:
        """Profit expected of the next whole period by state, contact cost off, not discounted."""
        step = self.period()
        paid = (self.shares() * self._paid(step, terms, 1.0)).sum(axis=1)
        return np.asarray(paid - self.cost(terms))

    def _paid(self, step: Period, terms: Terms, length: float) -> Floats:
        """Mean profit of a stretch by state and class."""
        if self.by_move is not None:
            table = self.by_move[0 if terms.margin is not None else 1]
            scale = 1.0 if terms.margin is None else float(terms.margin)
            mean = scale * self._by_row(self.on_order.chance * table.chance)
            return np.asarray((step.order_stays + step.order_goes) * mean[:, None])
        money = self.money(terms)[0][:, None]
        return np.asarray(money * length if self.is_counted else step.orders * money)

    def _by_row(self, entries: Floats) -> Floats:
        n = self.n_states
        rows = np.repeat(np.arange(n), np.diff(self.on_order.begin))
        return np.bincount(rows, weights=entries, minlength=n).astype(np.float64)

    # ---- what is asked --------------------------------------------------------------------------

    def chain(self) -> Chain:
        """Return the matrix of one period: P(j | i) averaged over the classes of each state."""
        step = self.period()
        shares = self.shares()
        order = (shares * (step.order_stays + step.order_goes)).sum(axis=1)
        matrix = from_entries(
            np.concatenate(
                [
                    self.on_order.chance * np.repeat(order, np.diff(self.on_order.begin)),
                    self.on_none.chance * np.repeat(1.0 - order, np.diff(self.on_none.begin)),
                ]
            ),
            np.concatenate(
                [
                    np.repeat(np.arange(self.n_states), np.diff(m.begin))
                    for m in (self.on_order, self.on_none)
                ]
            ),
            np.concatenate([self.on_order.to, self.on_none.to]),
            self.n_states,
        )
        return Chain(
            self.states,
            matrix.toarray() if self.n_states <= DENSE_STATES else matrix,
            self.absorbing,
        )

    def values(self, terms: Terms) -> Floats:
        """Value of each state, shape (n,)."""
        return np.asarray(self._together(self._iterate(terms)))

    def expected_orders(self, terms: Terms) -> Floats:
        """Orders expected within the horizon by state, not discounted."""
        if self.buys is None:
            raise NotSupportedError("the rows of fit had no column 'orders'.")
        plain = replace(terms, rate=0.0, margin=1.0, contact_cost=0.0, timing="start")
        each = self.orders if self.is_counted else np.ones(self.n_states)
        return replace(self, spend=each, by_move=None).values(plain)

    def _together(self, pair: tuple[Floats, Floats]) -> Floats:
        inside, gone = pair
        shares = self.shares()
        return (shares * inside).sum(axis=1) + (1.0 - shares.sum(axis=1)) * gone

    def _steps(self, terms: Terms) -> list[float]:
        """Lengths of the horizon's stretches, the farthest first."""
        whole = math.floor(terms.until + 1e-9)
        part = terms.until - whole
        return ([part] if part > 1e-9 else []) + [1.0] * whole

    def _iterate(self, terms: Terms) -> tuple[Floats, Floats]:
        """Value by state and class, and of those who are gone (whom contact still costs)."""
        q1, q0 = self.on_order.matrix(), self.on_none.matrix()
        cost = self.cost(terms)
        if not math.isfinite(terms.until):
            return self._limit(terms, q1, q0, cost)
        inside = np.zeros_like(self.shares())
        gone = np.zeros(self.n_states)
        known: dict[float, tuple[Period, Floats]] = {}
        for length in self._steps(terms):
            if length not in known:
                step = self.period(length)
                paid = self._paid(step, terms, length) - length * cost[:, None]
                known[length] = step, terms.lead * paid
            step, paid = known[length]
            lost = q0 @ gone
            ahead = step.order_stays * (q1 @ inside) + step.none_stays * (q0 @ inside)
            ahead += step.order_goes * (q1 @ gone)[:, None] + step.none_goes * lost[:, None]
            inside = paid + terms.delta * ahead
            gone = -terms.lead * length * cost + terms.delta * lost
        return inside, gone

    def _limit(self, terms: Terms, q1: Any, q0: Any, cost: Floats) -> tuple[Floats, Floats]:
        if not terms.rate > 0.0:
            return self._undiscounted(terms, cost)
        n, delta = self.n_states, terms.delta
        step = self.period()
        paid = terms.lead * (self._paid(step, terms, 1.0) - cost[:, None])
        if n > DENSE_STATES:
            far = math.ceil(math.log(_NOTHING) / math.log(delta))
            return self._iterate(replace(terms, until=float(far)))
        q1, q0 = (q.toarray() if is_sparse(q) else q for q in (q1, q0))
        eye = np.eye(n)
        gone = np.linalg.solve(eye - delta * q0, -terms.lead * cost)
        lost = step.order_goes * (q1 @ gone)[:, None] + step.none_goes * (q0 @ gone)[:, None]
        right = paid + delta * lost
        inside = np.empty_like(right)
        for k in range(right.shape[1]):
            matrix = step.order_stays[:, k, None] * q1 + step.none_stays[:, k, None] * q0
            inside[:, k] = np.linalg.solve(eye - delta * matrix, right[:, k])
        return inside, gone

    def _undiscounted(self, terms: Terms, cost: Floats) -> tuple[Floats, Floats]:
        if not self.is_counted:
            raise HorizonError(
                "a value without end needs annual_discount_rate above 0: its sum does not "
                "converge. Give a rate, or a horizon that ends."
            )
        # a chain of counts may end by itself: Chain says which states stand in the way
        reward = terms.lead * self.reward(replace(terms, contact_cost=0.0)) - terms.lead * cost
        try:
            value = self.chain().value(reward, discount_rate=0.0)
        except ValueError as error:
            raise HorizonError(str(error)) from None
        return value[:, None], np.zeros(self.n_states)

    def none(self, terms: Terms) -> Floats:
        """Chance of no order within the horizon by state."""
        if self.buys is None:
            raise NotSupportedError(
                "no chance of an order can be said: the rows of fit had no column 'orders'."
            )
        q0 = self.on_none.matrix()
        inside = np.ones_like(self.shares())
        steps = self._steps(terms)
        known = {length: self.period(length) for length in set(steps)}
        for length in steps:
            step = known[length]
            inside = step.none_stays * (q0 @ inside) + step.none_goes
        return np.clip(self._together((inside, np.ones(self.n_states))), 0.0, 1.0)

    def variance(self, terms: Terms) -> Floats:
        """Variance of one customer's discounted profit by state, contact cost left out.

        E[G²] = E[Z²] + 2 δ E[Z G'] + δ² E[G'²], with Z the money of a period and G' what follows
        it (Sobel 1982, The variance of discounted Markov decision processes).
        """
        q1, q0 = self.on_order.matrix(), self.on_none.matrix()
        plain = replace(terms, contact_cost=0.0)
        money = self.money(terms)[0][:, None]
        spread = self.variation[:, None] * money * money
        shape = self.shares().shape
        first, second = np.zeros(shape), np.zeros(shape)
        lead, delta = terms.lead, terms.delta
        pay: Any = None
        if self.by_move is not None:
            table = self.by_move[0 if terms.margin is not None else 1]
            scale = 1.0 if terms.margin is None else float(terms.margin)
            pay = self.on_order.matrix(scale * self.on_order.chance * table.chance)
        for length in self._steps(terms):
            step = self.period(length)
            paid = self._paid(step, plain, length)
            if self.is_counted:
                square = (spread + money * money) * length
                cross = paid * ((q0 if self.buys is None else q1) @ first)
            elif pay is not None:
                ordered = step.order_stays + step.order_goes
                mean = np.where(ordered > 0.0, paid / np.where(ordered > 0.0, ordered, 1.0), 0.0)
                square = ordered * mean * mean * (1.0 + self.variation[:, None])
            else:
                square = money * money * (step.pairs + step.orders) + spread * step.orders
                cross = step.orders_stay * money * (q1 @ first)
            if pay is not None:  # what a move brings goes with where it leads
                cross = step.order_stays * (pay @ first)
            ahead = step.order_stays * (q1 @ second) + step.none_stays * (q0 @ second)
            after = step.order_stays * (q1 @ first) + step.none_stays * (q0 @ first)
            second = lead * lead * square + 2.0 * lead * delta * cross + delta * delta * ahead
            first = lead * paid + delta * after
        gone = np.zeros(self.n_states)
        mean, square = self._together((first, gone)), self._together((second, gone))
        return np.maximum(square - mean * mean, 0.0)

    def states_ahead(self, periods: int) -> Floats:
        """Chance of each state after so many whole periods, shape (n, n), rows the start."""
        q1, q0 = self.on_order.matrix(), self.on_none.matrix()
        step, shares = self.period(), self.shares()
        n = self.n_states
        there = np.zeros((n, n))
        for k in range(shares.shape[1]):
            if not shares[:, k].any():
                continue
            stays = step.order_stays[:, k, None], step.none_stays[:, k, None]
            goes = step.order_goes[:, k, None], step.none_goes[:, k, None]
            now = np.diag(shares[:, k])
            left = np.zeros((n, n))
            for _ in range(periods):
                left = (q0.T @ left.T).T + _moved(now, goes, q1, q0)
                now = _moved(now, stays, q1, q0)
            there += now + left
        gone = np.diag(1.0 - shares.sum(axis=1))
        for _ in range(periods):
            gone = (q0.T @ gone.T).T
        return np.clip(there + gone, 0.0, 1.0)

    def draws(self, terms: Terms, n_draws: int, rng: np.random.Generator) -> Floats:
        """Values by state under draws of the parameters, shape (n_draws, n).

        Rows of the moves are Dirichlet with the counts behind them; factors, money and the law are
        normal around their estimates, which the draws have as their mean.
        """
        out = np.empty((n_draws, self.n_states))
        for d in range(n_draws):
            out[d] = self._drawn(rng).values(terms)
        return out

    def _drawn(self, rng: np.random.Generator) -> ChainForecast:
        n = self.n_states
        law = rng.standard_normal(len(self.slopes))
        # both kinds of money err together
        pull = rng.standard_normal(n)
        buys = self.buys
        on_order, on_none = self.on_order, self.on_none
        if self.is_counted:
            seen = np.maximum(self.observed, 1.0)
            if buys is not None:
                buys = rng.beta(buys * seen + 1e-9, (1.0 - buys) * seen + 1e-9)
            share = self.buys if self.buys is not None else np.zeros(n)
            on_order = _drawn_rows(self.on_order, seen * share, rng)
            on_none = _drawn_rows(self.on_none, seen * (1.0 - share), rng)
        moved = self.factor + np.einsum("p,pn->n", law, self.factor_slopes)
        error = np.minimum(self.factor_error / np.maximum(self.factor, 1e-12), 1.0)
        noise = np.exp(error * rng.standard_normal(n) - 0.5 * error * error)
        return replace(
            self,
            spend=self.spend + self.spend_error * pull,
            profit=self.profit + self.profit_error * pull,
            buys=buys,
            on_order=on_order,
            on_none=on_none,
            factor=np.maximum(moved, 0.0) * noise,
            weights=self.weights + np.einsum("p,pnk->nk", law, self.slopes),
        )


def _moved(now: Floats, chance: tuple[Floats, Floats], q1: Any, q0: Any) -> Floats:
    """Masses of shape (n_starts, n_states) one period on."""
    by_order, by_none = chance
    return np.asarray((q1.T @ (now.T * by_order)).T + (q0.T @ (now.T * by_none)).T)


def _drawn_rows(moves: Moves, known: Floats, rng: np.random.Generator) -> Moves:
    alpha = moves.chance * np.repeat(np.maximum(known, 1e-9), np.diff(moves.begin))
    drawn = rng.standard_gamma(alpha)
    total = np.add.reduceat(drawn, moves.begin[:-1])
    size = np.diff(moves.begin)
    keep = np.repeat(total > 0.0, size)
    drawn = np.where(keep, drawn, moves.chance)
    total = np.where(total > 0.0, total, 1.0)
    return moves._replace(chance=drawn / np.repeat(total, size))
