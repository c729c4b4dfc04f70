"""At most one option for each row under a budget and limited places: multiple-choice knapsack.

A row has options of known gain and cost. Gains add up; costs share one budget; some options share
places. The linear relaxation splits rows between options; its dual gives the budget and each place
a price, and every price bounds what any choice can gain:

    D(price, place) = price budget + sum_l place_l room_l
                      + sum_rows max(0, max_j gain_j - price cost_j - sum_{l of j} place_l)     (1)

Where money alone is short, the relaxation is solved by taking steps along each row's upper hull of
(cost, gain) in the order of gain per cost until the budget is spent (Sinha & Zoltners 1979), and
the choice loses to it less than one step. Places take their prices from the least of (1), which is
convex and piecewise linear, by cutting planes (Kelley 1960).

Sinha, P. & Zoltners, A. A. (1979), The multiple-choice knapsack problem, Operations Research 27(3),
503-515. Kelley, J. E. (1960), The cutting-plane method for solving convex programs, Journal of the
SIAM 8(4), 703-712.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from custvalue._typing import Floats, Mask, Places

CLOSE = 1e-5  # of the least of (1): the prices are then good enough
MOST_CUTS = 80


class Limit(NamedTuple):
    """Options (a mask) that share a number of places."""

    options: Mask
    room: int


class ChosenOptions(NamedTuple):
    """Option of each row (-1: none), the same if places were without limit, and the bound (1)."""

    option: Places
    unlimited: Places
    bound: float


def choose_options(
    gain: Floats, cost: Floats, held: Mask, budget: float, limits: Sequence[Limit]
) -> ChosenOptions:
    """Choose an option of positive gain for each row, or none.

    Parameters
    ----------
    gain, cost : ndarray of shape (n, m)
        Costs at least 0.
    held : ndarray of bool, shape (n,)
        Rows that take neither money nor places; they get what they would have got.
    budget : float
        At least 0; infinite: none.
    limits : sequence of Limit
    """
    open_gain = np.where(gain > 0, gain, -np.inf)
    unlimited, price = _within_budget(open_gain, cost, held, budget)
    paid = ~held & (gain > 0).any(axis=1)
    if not any(_places(unlimited[~held], one) > one.room for one in limits):
        place = np.zeros(len(limits))
        bound = _dual(open_gain[paid], cost[paid], budget, limits, price, place)[0]
        return ChosenOptions(unlimited, unlimited, bound)
    for one in limits:
        if one.room == 0:
            open_gain[:, one.options] = -np.inf
    limits = [one for one in limits if one.room > 0]
    bound, place = _prices(open_gain[paid], cost[paid], budget, limits)
    option = _with_places(open_gain, cost, held, budget, limits, place)
    return ChosenOptions(option, unlimited, bound)


def _within_budget(gain: Floats, cost: Floats, held: Mask, budget: float) -> tuple[Places, float]:
    """Option of each row where money alone is short, and the price of money."""
    if np.isinf(budget):
        best = gain.argmax(axis=1)
        return np.where(gain.max(axis=1) > 0, best, -1), 0.0
    row, turn, option, rate, more, dearer = _steps(gain, cost)
    order = np.lexsort((row, -more, turn, -rate))
    over = np.where(held[row], 0.0, dearer)[order].cumsum() > budget
    # the budget ends at the first step that no longer fits: nobody below takes its place
    end = int(over.argmax()) if over.any() else len(order)
    chosen = np.full(len(gain), -1)
    chosen[row[order[:end]]] = option[order[:end]]  # of several steps of a row the last one stays
    return chosen, float(rate[order[end]]) if end < len(order) else 0.0


def _steps(gain: Floats, cost: Floats) -> tuple[Places, Places, Places, Floats, Floats, Floats]:
    """Rows' upper hulls as steps: row, number, option, gain per cost, gain and cost added."""
    row = np.flatnonzero((gain > 0).any(axis=1))
    have, spent, last = np.zeros(len(row)), np.zeros(len(row)), np.full(len(row), np.inf)
    found: list[tuple[Any, ...]] = []
    while len(row):
        more, dearer = gain[row] - have[:, None], cost[row] - spent[:, None]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rate = np.where(more > 0, np.where(dearer > 0, more / dearer, np.inf), 0.0)
        best = rate.argmax(axis=1)
        at = np.arange(len(row)), best
        last = np.minimum(last, rate[at])  # rounding must not put a row's second step first
        found.append((row, np.full(len(row), len(found)), best, last, more[at], dearer[at]))
        on = last > 0
        if not on.all():
            found[-1] = tuple(x[on] for x in found[-1])
        row, best, last = row[on], best[on], last[on]
        have, spent = gain[row, best], cost[row, best]
    if not found:
        return (*np.zeros((3, 0), dtype=np.intp), *np.zeros((3, 0)))
    rows, turns, options, rates, mores, dearers = map(np.concatenate, zip(*found, strict=True))
    return rows, turns, options, rates, mores, dearers


def _places(option: Places, limit: Limit) -> int:
    return int(limit.options[option[option >= 0]].sum())


def _net(
    gain: Floats, cost: Floats, limits: Sequence[Limit], price: float, place: Floats
) -> Floats:
    """Gain less the prices of money and places."""
    of_option = np.zeros(gain.shape[1])
    for one, its in zip(limits, place, strict=True):
        of_option += its * one.options
    return np.asarray(gain - price * cost - of_option)


def _dual(
    gain: Floats,
    cost: Floats,
    budget: float,
    limits: Sequence[Limit],
    price: float,
    place: Floats,
) -> tuple[float, float, Floats]:
    """Equation (1), with money and places that are left over at these prices (its slope)."""
    net = _net(gain, cost, limits, price, place)
    best = net.argmax(axis=1)
    at = np.arange(len(net)), best
    taken = net[at] > 0
    count = np.bincount(best[taken], minlength=gain.shape[1])
    room = np.array([one.room for one in limits], dtype=np.float64)
    left = room - np.array([count[one.options].sum() for one in limits])
    # without a budget, or with a price of 0, money takes no part (0 times infinity)
    money = price * budget if price > 0 else 0.0
    value = money + float(place @ room) + float(net[at][taken].sum())
    return value, budget - float(cost[at][taken].sum()), left


def _prices(
    gain: Floats, cost: Floats, budget: float, limits: Sequence[Limit]
) -> tuple[float, Floats]:
    """Least of (1) over prices of money and places; the bound, and the places' prices."""
    from scipy.optimize import linprog

    if budget == 0:
        gain, budget = np.where(cost > 0, -np.inf, gain), np.inf
    paying = np.isfinite(budget)
    whole = float(np.maximum(gain.max(axis=1, initial=0.0), 0.0).sum())
    if whole == 0 or not (paying or limits):
        return whole, np.zeros(len(limits))
    # what money or places cost all together, as a share of all gains: 0 to 1 for each
    worth = whole / np.array([budget if paying else np.inf, *(one.room for one in limits)])
    at = np.zeros(len(worth))
    best, best_at = np.inf, at
    cuts, sides = [], []
    for _ in range(MOST_CUTS):
        price = at * worth
        value, money, left = _dual(gain, cost, budget, limits, price[0], price[1:])
        slope = np.array([money if paying else 0.0, *left]) * worth / whole
        value /= whole
        if value < best:
            best, best_at = value, at
        cuts.append([*slope, -1.0])
        sides.append(slope @ at - value)
        found = linprog(
            [*np.zeros(len(at)), 1.0],
            A_ub=np.array(cuts),
            b_ub=np.array(sides),
            bounds=[(0, 1 if paying else 0)] + [(0, 1)] * len(limits) + [(0, None)],
        )
        # a program that is not solved to the end leaves the best prices so far, and their bound
        if found.x is None or best - float(found.x[-1]) <= CLOSE * best:
            break
        at = found.x[:-1]
    price = best_at * worth
    return best * whole, _eased(gain, cost, budget, limits, price[0], price[1:])


def _eased(
    gain: Floats,
    cost: Floats,
    budget: float,
    limits: Sequence[Limit],
    price: float,
    place: Floats,
) -> Floats:
    """Places' prices a hair lower, so that who is indifferent asks for one and none stays empty."""
    ease = np.full(len(limits), CLOSE)
    while True:
        lower = place * (1.0 - ease)
        left = _dual(gain, cost, budget, limits, price, lower)[2]
        short = (left > 0) & (lower > 0)
        if not short.any():
            return lower
        ease[short] = np.minimum(4.0 * ease[short], 1.0)


def _with_places(
    gain: Floats,
    cost: Floats,
    held: Mask,
    budget: float,
    limits: Sequence[Limit],
    place: Floats,
) -> Places:
    """Options at the places' prices; where more ask than fit, who would lose most is let in."""
    priced = _net(gain, cost, limits, 0.0, place)
    while True:
        option, price = _within_budget(priced, cost, held, budget)
        over = [_places(option[~held], one) - one.room for one in limits]
        if max(over, default=0) <= 0:
            return option
        full = limits[int(np.argmax(over))]
        ask = np.flatnonzero((option >= 0) & full.options[option])
        net = priced[ask] - price * cost[ask]
        other = np.where(full.options, -np.inf, net).max(axis=1)
        loss = net[np.arange(len(ask)), option[ask]] - np.maximum(other, 0.0)
        ask = ask[np.argsort(-loss, kind="stable")]
        within = (~held[ask]).cumsum() <= full.room
        out = np.ones(len(gain), dtype=bool)
        out[ask[within]] = False
        priced[np.ix_(out, full.options)] = -np.inf  # once full it is closed: no limit comes twice
