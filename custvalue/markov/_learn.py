"""From the rows of a panel to a ``ChainForecast``: counts, the purchase law, what states bring.

Only counts by state are kept of the rows, so that a panel of many millions is read in blocks; the
purchase law is fitted to customers' latest rows and held against a sample of customers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaln
from sklearn.base import clone

from custvalue import _frames
from custvalue._sparse import Sparse, from_entries, scale_rows
from custvalue._typing import Floats, Ints
from custvalue._warn import heard, warn_caller
from custvalue.chains import TransitionCounts
from custvalue.chains._for_rooms import StateList, fit_concentration
from custvalue.exceptions import (
    BoundaryFitWarning,
    DataContractError,
    FitFailedError,
    NotSupportedError,
    SmallSampleWarning,
)
from custvalue.markov._forecast import ChainForecast, Moves
from custvalue.markov._rows import PanelRows
from custvalue.markov._rows_of_counts import mix_rows, pooled_moves
from custvalue.purchase import NBD, ParetoNBD

LAW_COLUMNS = ("frequency", "recency", "T")
# Customers whose periods the law is held against, and by whom its own error is followed.
_SAMPLE = 10_000
# Customers that the law is fitted to; its own error says what more of them would add.
_LAW_SAMPLE = 100_000
# Hidden classes: rates of orders and rates of leaving, none of each among them.
_RATES, _LEAVING = 14, 5
# Step in log parameters by which the law's own error is followed.
_STEP = 0.1
# Pseudo-orders by which a state's money is drawn to what its customers spent so far.
_MONEY_WEIGHT = 5.0


class ChainMoney(NamedTuple):
    """Spend and profit of each row's period."""

    spend: Floats
    profit: Floats


class StateCounts(NamedTuple):
    """What was counted by state; counts of disjoint sets of customers add up (``a.plus(b)``).

    Attributes
    ----------
    with_order, without : TransitionCounts
        Moves into a period with, without an order.
    orders, spend, profit, spend_square, profit_square : ndarray of shape (n,)
        Sums over the moves out of each state, of the period that they lead into.
    rows, usual : ndarray of shape (n,)
        Customer-periods in each state, and the sum of their mean spends an order so far.
    size, entry : ndarray of shape (n,)
        Customers in each state at their last period, and at their first.
    first : ndarray of shape (3,)
        Customers whose first period was seen, its spend and its profit.
    spend_by_move, profit_by_move : sparse of shape (n, n) or None
        Money by move with an order, where it was asked for.
    """

    with_order: TransitionCounts
    without: TransitionCounts
    orders: Floats
    spend: Floats
    profit: Floats
    spend_square: Floats
    profit_square: Floats
    rows: Floats
    usual: Floats
    size: Floats
    entry: Floats
    first: Floats
    spend_by_move: Sparse | None
    profit_by_move: Sparse | None

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.rows)

    @property
    def moves(self) -> TransitionCounts:
        """All moves."""
        return self.with_order + self.without

    def plus(self, other: StateCounts) -> StateCounts:
        """Add up the counts of both."""
        pairs: Any = zip(self, other, strict=True)
        sums: Any = (None if a is None or b is None else a + b for a, b in pairs)
        return StateCounts(*sums)


class ChainLaw(NamedTuple):
    """A purchase law seen through the hidden classes, and held against the sample."""

    rates: Floats
    leaving: Floats
    weights: Floats
    slopes: Floats
    expected: Floats
    expected_slopes: Floats
    observed: Floats
    params: tuple[tuple[str, float], ...]


def count_states(
    place: Ints,
    links: PanelRows,
    money: ChainMoney,
    n: int,
    *,
    orders: Floats | None,
    usual: Floats | None,
    by_move: bool,
) -> StateCounts:
    """Count the moves between states, with and without an order, and what came with them.

    Parameters
    ----------
    place : ndarray of shape (n_rows,)
        State of each row.
    links : PanelRows
    money : ChainMoney
        Of each row's period.
    n : int
        Number of states.
    orders, usual : ndarray of shape (n_rows,) or None
        Orders of each row's period, and the customer's mean spend an order so far.
    by_move : bool
        Whether to sum money by move too.
    """
    before, after = place[links.before], place[links.after]
    ordered = np.ones(len(before), dtype=bool) if orders is None else orders[links.after] > 0
    spend, profit = money.spend[links.after], money.profit[links.after]
    zero = np.zeros(n)

    def moved(which: npt.NDArray[np.bool_]) -> TransitionCounts:
        return TransitionCounts.of(before[which], after[which], n_states=n)

    def summed(values: Any, at: Ints = before) -> Floats:
        return np.bincount(at, weights=values, minlength=n).astype(np.float64)

    begins = np.ones(len(place), dtype=bool)
    begins[links.after] = False
    begins &= links.is_first
    return StateCounts(
        moved(ordered),
        moved(~ordered),
        zero if orders is None else summed(orders[links.after]),
        summed(spend),
        summed(profit),
        summed(spend * spend),
        summed(profit * profit),
        np.bincount(place, minlength=n).astype(np.float64),
        zero if usual is None else summed(usual, place),
        np.bincount(place[links.last], minlength=n).astype(np.float64),
        np.bincount(place[begins], minlength=n).astype(np.float64),
        np.array([begins.sum(), money.spend[begins].sum(), money.profit[begins].sum()]),
        from_entries(spend[ordered], before[ordered], after[ordered], n) if by_move else None,
        from_entries(profit[ordered], before[ordered], after[ordered], n) if by_move else None,
    )


# ---- the purchase law -----------------------------------------------------------------------


def fit_purchases(purchases: Any, latest: Floats) -> Any:
    """Fit the purchase law to customers' latest (x, t_x, T), in periods.

    Raises
    ------
    NotSupportedError
        If its rates are not gamma: hidden classes are of rates of orders and of leaving.
    """
    model = ParetoNBD() if purchases is None else clone(purchases)
    if not isinstance(model, (ParetoNBD, NBD)):
        raise NotSupportedError(
            f"purchases={type(model).__name__}: the chain's hidden classes are rates of orders and "
            "of leaving, so its law is ParetoNBD or NBD; CustomerValue takes any purchase law."
        )
    if purchases is not None:
        return model.fit(latest)
    # "nobody leaves" or "all alike" are fine laws to start from; the states correct them
    with heard(BoundaryFitWarning):
        return model.fit(latest)


def hat_shares(shape: Floats, rate: Floats, nodes: Floats) -> Floats:
    """Share a Gamma(shape, rate) out on nodes so that its mean is kept, shape (n, k).

    The share of node k is E[h_k], h_k the hat function that is 1 at the node and 0 at the others;
    hats reproduce straight lines, so that no order is won or lost within the nodes' reach.
    """
    z = np.asarray(rate)[:, None] * nodes
    below = gammainc(np.asarray(shape)[:, None], z)
    partial = gammainc(np.asarray(shape)[:, None] + 1.0, z) * (shape / rate)[:, None]
    chance, mean = np.diff(below, axis=1), np.diff(partial, axis=1)
    up = (mean - nodes[:-1] * chance) / np.diff(nodes)
    out = np.zeros((len(shape), len(nodes)))
    out[:, :-1] += chance - up
    out[:, 1:] += up
    out[:, 0] += below[:, 0]
    out[:, -1] += 1.0 - below[:, -1]
    return np.maximum(out, 0.0)


def staying_shares(s: float, rate: Floats, nodes: Floats) -> Floats:
    """Share a Gamma(s, rate) of leaving out on nodes so that survival is kept, shape (n, k).

    The Pareto survival (rate / (rate + t))^s as a sum of exponentials, by non-negative least
    squares over times from a quarter of a period to forty years of them; between ages the shares
    run straight.
    """
    from scipy.optimize import lsq_linear  # nnls of some versions never ends on such tables

    knots = np.unique(np.geomspace(rate.min(), rate.max(), 24))
    t = np.append(0.0, np.geomspace(0.25, 600.0, 40))
    weight = np.ones(len(t))
    weight[0] = 1000.0  # shares add up to one
    table = weight[:, None] * np.exp(-np.outer(t, nodes))
    found = np.stack(
        [
            lsq_linear(table, weight * (b / (b + t)) ** s, (0.0, np.inf), "bvls").x.clip(0.0)
            for b in knots
        ]
    )
    found /= found.sum(axis=1, keepdims=True)
    if len(knots) == 1:
        return np.repeat(found, len(rate), axis=0)
    return np.stack([np.interp(rate, knots, share) for share in found.T], axis=1)


def see_through(
    law: Any,
    latest: Floats,
    place: Ints,
    sample: tuple[Floats, Ints, Floats],
    n: int,
) -> ChainLaw:
    """Hidden classes of the customers of each state, and what the law expects of the sample.

    Parameters
    ----------
    law : fitted ParetoNBD or NBD
    latest : ndarray of shape (n_customers, 3)
        (x, t_x, T) of each customer's latest row.
    place : ndarray of shape (n_customers,)
        The state it is in.
    sample : tuple
        (x, t_x, T), state and next period's orders of rows that moved.
    n : int
        Number of states.
    """
    history, where, came = sample
    rates, leaving = _nodes(law, latest)
    history, of = _distinct_rows(history)
    newest, mine = _distinct_rows(latest)
    observed = np.bincount(where, weights=came, minlength=n).astype(np.float64)

    def seen(one: Any, step: int) -> Floats:
        here = (
            one.predict_alive(newest)[mine] if hasattr(one, "predict_alive") else np.ones(len(mine))
        )
        return _weights(one.params_, latest[::step], here[::step], place[::step], n, rates, leaving)

    def due(one: Any) -> Floats:
        expected = one.predict(history, horizon=1.0)[of]
        return np.bincount(where, weights=expected, minlength=n).astype(np.float64)

    weights, expected = seen(law, 1), due(law)
    step = max(len(latest) // _SAMPLE, 1)
    here = weights if step == 1 else seen(law, step)
    slopes, falls = [], []
    for direction in _directions(law):
        # slopes of small steps, carried on straight: where a parameter is ill known its effect
        # bends, and a whole standard error away would look smaller than it is
        length = float(np.sqrt((direction**2).sum()))
        stretch = max(length / _STEP, 1.0)
        beside = law.with_params(
            **{
                k: float(v * np.exp(d / stretch))
                for (k, v), d in zip(law.params_._asdict().items(), direction, strict=True)
            }
        )
        slopes.append(stretch * (seen(beside, step) - here))
        falls.append(stretch * (due(beside) - expected))
    return ChainLaw(
        np.repeat(rates, len(leaving)),
        np.tile(leaving, len(rates)),
        weights,
        # errors need no more digits, and a model on paper is shorter for it
        np.round(np.asarray(slopes).reshape(len(slopes), n, len(rates) * len(leaving)), 6),
        expected,
        np.asarray(falls).reshape(len(falls), n),
        observed,
        tuple((k, float(v)) for k, v in law.params_._asdict().items()),
    )


def _nodes(law: Any, latest: Floats) -> tuple[Floats, Floats]:
    """Nodes that the posteriors of all customers lie well within."""
    p = law.params_
    x, T = latest[:, 0], latest[:, 2]
    mean = (p.r + x) / (p.alpha + T)
    spread = np.sqrt(p.r + x) / (p.alpha + T)
    high = max(float((mean + 6.0 * spread).max()), 1e-6)
    low = min(float(mean.min()) / 30.0, high / 1000.0)
    rates = np.append(0.0, np.geomspace(low, high, _RATES - 1))
    if not hasattr(p, "s"):
        return rates, np.zeros(1)
    high = min(max((p.s + 3.0 * np.sqrt(p.s)) / (p.beta + float(T.min())), 1e-6), 5.0)
    low = min(p.s / (p.beta + float(T.max())) / 10.0, high / 10.0)
    return rates, np.append(0.0, np.geomspace(low, high, _LEAVING - 1))


def _weights(
    p: Any, rows: Floats, here: Floats, place: Ints, n: int, rates: Floats, leaving: Floats
) -> Floats:
    """π: mean over the members of each state of P(there) x posterior shares, shape (n, k)."""
    x, T = rows[:, 0], rows[:, 2]
    # customers of one state, count and age share a posterior: only their P(there) is added up
    kinds, member = _distinct(place, x, np.round(T, 9))
    there = np.bincount(member, weights=here, minlength=len(kinds[0]))
    total = np.zeros((n, len(rates) * len(leaving)))
    for lo in range(0, len(there), 4096):
        part = slice(lo, lo + 4096)
        state, count, age = (v[part] for v in kinds)
        share = hat_shares(p.r + count, p.alpha + age, rates)
        if len(leaving) > 1:
            gone = staying_shares(p.s, p.beta + age, leaving)
            share = (share[:, :, None] * gone[:, None, :]).reshape(len(age), -1)
        share = share * there[part, None]
        order = np.argsort(state, kind="stable")
        names, start = np.unique(state[order], return_index=True)
        total[names] += np.add.reduceat(share[order], start, axis=0)
    size = np.bincount(place, minlength=n)
    # a state without customers today: of those who passed it nothing is known but the law's mean
    empty = size == 0
    total[empty] = total.sum(axis=0) / max(int(size.sum()), 1)
    return np.asarray(total / np.where(empty, 1, size)[:, None])


def _distinct_rows(rows: Floats) -> tuple[Floats, Ints]:
    """Rows that differ, and which each row is: in whole periods many histories are alike."""
    key = np.zeros(len(rows), dtype=np.int64)
    for values in rows.T:
        kinds, code = np.unique(values, return_inverse=True)
        key = np.unique(key * len(kinds) + code.ravel(), return_inverse=True)[1].ravel()
    first = np.unique(key, return_index=True)[1]
    return rows[first], key


def _distinct(place: Ints, x: Floats, T: Floats) -> tuple[tuple[Ints, Floats, Floats], Ints]:
    """Distinct rows of (state, count, age) and the row of each customer."""
    ages, age = np.unique(T, return_inverse=True)
    counts, count = np.unique(x, return_inverse=True)
    key = (place * len(counts) + count.ravel()) * len(ages) + age.ravel()
    keys, member = np.unique(key, return_inverse=True)
    rest, age_at = np.divmod(keys, len(ages))
    state, count_at = np.divmod(rest, len(counts))
    return (state, counts[count_at], ages[age_at]), member.ravel()


def _directions(law: Any) -> Floats:
    """Independent directions of the log parameters, one standard error long each."""
    report = law.fit_report()
    if report.status == "given":
        return np.empty((0, len(law.params_)))
    size, vectors = np.linalg.eigh(law.fitted_.spread)
    keep = size > 1e-12
    return np.asarray((vectors[:, keep] * np.sqrt(size[keep])).T)


# ---- from counts to a forecast ---------------------------------------------------------------


def gamma_poisson_weight(observed: Floats, expected: Floats) -> float:
    """Weight k with the greatest evidence when observed ~ Poisson(c expected), c ~ Gamma(k, k)."""
    some = expected > 0.0
    o, e = observed[some], expected[some]

    def total(log_weight: float) -> float:
        k = float(np.exp(log_weight))
        return float(np.sum(gammaln(k + o) - gammaln(k) + k * np.log(k) - (k + o) * np.log(k + e)))

    grid = np.linspace(np.log(0.1), np.log(1e5), 141)
    return float(np.exp(grid[int(np.argmax([total(v) for v in grid]))]))


def rows_of(
    counts: TransitionCounts, states: StateList, transitions: str, lost: Callable[[Ints], Sparse]
) -> Moves:
    """Where a period leads from each state: counted, and drawn to what states alike do.

    ``lost`` says where states lead that were never left this way.
    """
    n = counts.n_states
    never = counts.n_out == 0
    if counts.n_moves == 0:
        return Moves.of(lost(np.arange(n)))
    if transitions == "counts":
        mixed = mix_rows(counts, _identity(n), 0.0)
    else:
        prior = pooled_moves(counts, states)
        mixed = mix_rows(counts, prior, fit_concentration([counts], prior))
    if never.any():
        keep = scale_rows(mixed, (~never).astype(np.float64))
        mixed = keep + scale_rows(lost(np.arange(n)), never.astype(np.float64))
    return Moves.of(mixed)


def _identity(n: int) -> Sparse:
    each = np.arange(n)
    return from_entries(np.ones(n), each, each, n)


def build(
    counts: StateCounts,
    states: StateList,
    labels: tuple[Any, ...],
    law: ChainLaw | None,
    *,
    transitions: str,
    unit: str | None,
    has_orders: bool,
    variation: float,
    absorbing: tuple[Any, ...],
) -> ChainForecast:
    """Join what was counted and what the law says into the value that is kept."""
    n = len(labels)
    moves = counts.moves
    seen = moves.n_out

    def arrive(where: Ints) -> Sparse:
        return _after_an_order(counts.with_order, states)

    on_order = rows_of(counts.with_order, states, transitions, arrive)
    if has_orders:
        on_none = rows_of(counts.without, states, transitions, lambda _: _identity(n))
    else:
        on_none = on_order
    alike = _nearest_left(states, seen)
    factor, factor_error, factor_slopes, weight = _factors(law, transitions, n)
    buys = orders = np.zeros(n)
    if has_orders:
        bought = counts.with_order.n_out
        overall = float(bought.sum()) / max(float(seen.sum()), 1.0)
        prior = 0.0 if transitions == "counts" else 1.0
        buys = (bought + prior * overall) / np.maximum(seen + prior, 1e-300)
        per = float(counts.orders.sum()) / max(float(bought.sum()), 1.0)
        orders = (counts.orders + prior * overall * per) / np.maximum(seen + prior, 1e-300)
        buys, orders = buys[alike], orders[alike]
    tied = _never_left(absorbing, labels, moves)
    if len(tied):
        stay = _identity(n)
        free = np.ones(n)
        free[tied] = 0.0
        on_order, on_none = (
            Moves.of(scale_rows(_sparse(m), free) + scale_rows(stay, 1.0 - free))
            for m in (on_order, on_none)
        )
        buys, orders, factor = buys * free, orders * free, factor * free
    else:
        free = np.ones(n)
    if law is None:
        spend, spend_error, spread = (
            v[alike]
            for v in _money_of_counts(
                counts, states, counts.spend, counts.spend_square, transitions
            )
        )
        profit, profit_error, _ = (
            v[alike]
            for v in _money_of_counts(
                counts, states, counts.profit, counts.profit_square, transitions
            )
        )
    else:
        usual = _usual(counts)
        share = float(counts.profit.sum()) / (float(counts.spend.sum()) or 1.0)
        spend, spend_error = _money_of_orders(counts, counts.spend, usual, variation)
        profit, profit_error = _money_of_orders(counts, counts.profit, share * usual, variation)
        spread = np.full(n, variation)
    by_move = None
    if counts.spend_by_move is not None and counts.profit_by_move is not None:
        by_move = (
            _by_move(on_order, counts.with_order, counts.spend_by_move, states),
            _by_move(on_order, counts.with_order, counts.profit_by_move, states),
        )
    empty = np.empty(0)
    newcomers = max(float(counts.first[0]), 1.0)
    return ChainForecast(
        unit=unit,
        states=labels,
        size=counts.size,
        observed=seen,
        on_order=on_order,
        on_none=on_none,
        spend=spend * free,
        profit=profit * free,
        spend_error=spend_error * free,
        profit_error=profit_error * free,
        variation=spread,
        buys=buys if has_orders else None,
        orders=orders,
        factor=factor,
        factor_error=factor_error,
        rates=empty if law is None else law.rates,
        leaving=empty if law is None else law.leaving,
        weights=np.empty((n, 0)) if law is None else law.weights,
        slopes=np.empty((0, n, 0)) if law is None else law.slopes,
        factor_slopes=np.empty((0, n)) if law is None else factor_slopes,
        by_move=by_move,
        absorbing=tuple(absorbing),
        entry=counts.entry / max(float(counts.entry.sum()), 1.0),
        first=(float(counts.first[1]) / newcomers, float(counts.first[2]) / newcomers),
        transitions=transitions,
        evidence=weight,
        law=() if law is None else law.params,
    )


def _nearest_left(states: StateList, seen: Floats) -> Ints:
    """For each state itself, or the nearest state that was seen left where it was not."""
    each = np.arange(len(seen))
    left = np.flatnonzero(seen > 0)
    for i in np.flatnonzero(seen == 0):
        each[i] = left[int(np.abs(states.classes[left] - states.classes[i]).sum(axis=1).argmin())]
    return each


def _factors(
    law: ChainLaw | None, transitions: str, n: int
) -> tuple[Floats, Floats, Floats, float]:
    """C = (k + observed) / (k + expected), its error, and how it falls as the law rises."""
    if law is None or transitions == "bayes":
        slopes = np.zeros((0 if law is None else len(law.slopes), n))
        return np.ones(n), np.zeros(n), slopes, np.inf
    k = gamma_poisson_weight(law.observed, law.expected)
    due = k + law.expected
    factor = (k + law.observed) / due
    return factor, np.sqrt(k + law.observed) / due, -factor * law.expected_slopes / due, k


def _usual(counts: StateCounts) -> Floats:
    """Mean spend an order so far of each state's customers; that of all where nobody was."""
    overall = float(counts.usual.sum()) / max(float(counts.rows.sum()), 1.0)
    rows = np.where(counts.rows > 0, counts.rows, 1.0)
    return np.where(counts.rows > 0, counts.usual / rows, overall)


def _money_of_orders(
    counts: StateCounts, total: Floats, usual: Floats, variation: float
) -> tuple[Floats, Floats]:
    """Mean of an order from each state, drawn to what its customers' orders brought so far."""
    n = counts.orders + _MONEY_WEIGHT
    mean = (total + _MONEY_WEIGHT * usual) / n
    return mean, np.sqrt(variation / n) * np.abs(mean)


def _money_of_counts(
    counts: StateCounts, states: StateList, total: Floats, square: Floats, transitions: str
) -> tuple[Floats, Floats, Floats]:
    """Mean of a period from each state; states alike lend one observation to few."""
    n = counts.moves.n_out
    first = np.unique(states.classes[:, 0], return_inverse=True)[1].ravel()
    class_n, class_total = np.bincount(first, weights=n), np.bincount(first, weights=total)
    overall = float(total.sum()) / max(float(n.sum()), 1.0)
    alike = np.where(class_n > 0, class_total / np.where(class_n > 0, class_n, 1.0), overall)[first]
    weight = np.where(n > 0, 0.0, 1.0) if transitions == "counts" else np.ones(len(n))
    mean = (total + weight * alike) / (n + weight)
    pooled = float(square.sum()) / max(float(n.sum()), 1.0)
    noise = np.where(n > 1, square / np.maximum(n, 1.0), pooled) - mean * mean
    noise = np.maximum(noise, 0.0)
    spread = np.where(mean != 0.0, noise / np.where(mean != 0.0, mean * mean, 1.0), 0.0)
    return mean, np.sqrt(noise / np.maximum(n, 1.0)), spread


def _after_an_order(counts: TransitionCounts, states: StateList) -> Sparse:
    """Where an order leads from a state that was never seen to order: the commonest first class.

    The other classes stay as they are as nearly as the known states allow.
    """
    into = np.asarray(counts.moves.sum(axis=0)).ravel()
    classes = states.classes
    firsts, which = np.unique(classes[:, 0], return_inverse=True)
    best = firsts[int(np.argmax(np.bincount(which.ravel(), weights=into)))]
    goal = classes.copy()
    goal[:, 0] = best
    place = states.find(goal)[0]
    n = len(classes)
    return from_entries(np.ones(n), np.arange(n), place, n)


def _sparse(moves: Moves) -> Sparse:
    n = len(moves.begin) - 1
    rows = np.repeat(np.arange(n), np.diff(moves.begin))
    return from_entries(moves.chance, rows, moves.to, n)


def _by_move(moves: Moves, seen: TransitionCounts, total: Sparse, states: StateList) -> Moves:
    """Mean of what came with each move with an order.

    One pseudo-observation is the mean of all moves between the same first classes, or of all.
    """
    n = seen.n_states
    rows = np.repeat(np.arange(n), np.diff(moves.begin))
    first = np.unique(states.classes[:, 0], return_inverse=True)[1].ravel()
    k = int(first.max()) + 1

    def pooled(table: Sparse) -> Sparse:
        coo = table.tocoo()
        return from_entries(coo.data, first[coo.row], first[coo.col], k)

    count, money = pooled(seen.moves).toarray(), pooled(total).toarray()
    overall = float(money.sum()) / max(float(count.sum()), 1.0)
    mean = np.where(count > 0, money / np.where(count > 0, count, 1.0), overall)
    own_n = np.asarray(seen.moves[rows, moves.to]).ravel()
    own = np.asarray(total[rows, moves.to]).ravel()
    return moves._replace(chance=(own + mean[first[rows], first[moves.to]]) / (own_n + 1.0))


def _never_left(absorbing: tuple[Any, ...], labels: tuple[Any, ...], counts: Any) -> Ints:
    unknown = [state for state in absorbing if state not in labels]
    if unknown:
        raise ValueError(f"absorbing names states that do not exist: {unknown[:5]!r}.")
    place = np.asarray([labels.index(state) for state in absorbing], dtype=np.int64)
    left = counts.n_out[place] - counts.moves.diagonal()[place]
    if left.any():
        seen = ", ".join(
            f"{labels[i]!r} ({int(k)} moves)" for i, k in zip(place, left, strict=True) if k
        )
        raise ValueError(
            f"absorbing states are never left, yet these were: {seen}. Leave them out of "
            "absorbing=, or mend the rows."
        )
    return place


def variation_of(orders: Floats, spend: Floats, usual: Floats) -> float:
    """Squared coefficient of variation of single orders around what the customer usually spends."""
    single = (orders == 1) & (usual > 0.0)
    if single.sum() < 2:
        return 1.0
    ratio = spend[single] / usual[single]
    # one order of a hundred times the usual must not set everybody's interval
    ratio = np.minimum(ratio, np.quantile(ratio, 0.99))
    return float(np.mean((ratio - ratio.mean()) ** 2) / max(float(ratio.mean()) ** 2, 1e-12))


def try_law(purchases: Any, latest: Floats, *, needed: bool) -> Any | None:
    """Fit the law; where the default cannot be fitted say so and go on with counts."""
    try:
        return fit_purchases(purchases, latest)
    except (FitFailedError, DataContractError) as error:
        # histories that cannot be are mended, not worked around
        wrong = isinstance(error, DataContractError) and any(p.ids for p in error.problems)
        if needed or wrong or purchases is not None:
            raise
        warn_caller(
            f"no purchase law could be fitted to {len(latest):,} customers ({error}); the chain "
            "is one of counts (transitions='counts').",
            SmallSampleWarning,
        )
        return None


def has_columns(X: Any, names: tuple[str, ...]) -> bool:
    """Whether a frame has all of these columns."""
    return set(names) <= set(_frames.column_names(X) or ())
