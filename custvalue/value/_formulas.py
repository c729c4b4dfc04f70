"""The textbook formulas of customer value, as functions of published quantities.

Dwyer, F. R. (1989), Customer lifetime valuation to support marketing decision making, Journal of
Direct Marketing 3(4); Berger, P. D. & Nasr, N. I. (1998), Customer lifetime value: marketing models
and applications, Journal of Interactive Marketing 12(1). Rates are per period of the formula, years
where a name says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue._units import check_annual_rate, check_share


def retention_value(
    profit: npt.ArrayLike,
    retention_rate: npt.ArrayLike,
    discount_rate: float,
    *,
    n_periods: int | None = None,
    first: Literal["now", "next"] = "next",
) -> float:
    """Value of a customer who is lost for good on leaving: sum of profit x survival x discount.

    Dwyer's customer retention model; with constants and no end it is the well-known
    ``m r / (1 + d - r)``.

    Parameters
    ----------
    profit : float or array-like of shape (n_periods,)
        Of a period while a customer.
    retention_rate : float or array-like of shape (n_periods,)
        Chance to stay from one period to the next, in [0, 1].
    discount_rate : float
        Per period.
    n_periods : int or None, default=None
        Periods that count; None: as long as the arrays, or without end where both are numbers.
    first : {"now", "next"}, default="next"
        Whether the first profit comes now, from everybody, or after one period, from those who
        stay.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a retention rate is no chance, the sum diverges, or lengths differ.

    Examples
    --------
    >>> from custvalue.value import retention_value
    >>> round(retention_value(3000, 10 / 11, 0.0), 6)
    30000.0
    >>> round(retention_value([100, 90, 80], [0.8, 0.9, 0.9], 0.1, first="now"), 2)
    213.06
    """
    m, r = (
        np.atleast_1d(np.asarray(profit, float)),
        np.atleast_1d(np.asarray(retention_rate, float)),
    )
    check_share(retention_rate, "retention_rate")
    if n_periods is None and m.size == r.size == 1:
        ratio = float(r[0]) / (1.0 + discount_rate)
        if ratio >= 1.0:
            raise ValueError(
                f"nobody leaves and discount_rate={discount_rate:g}: the sum has no end. State "
                "n_periods=, or a positive discount rate."
            )
        return float(m[0] * (1.0 if first == "now" else ratio) / (1.0 - ratio))
    n = n_periods if n_periods is not None else max(m.size, r.size)
    m, r = _per_period(m, n, "profit"), _per_period(r, n, "retention_rate")
    stayed = np.concatenate([[1.0], np.cumprod(r)])
    t = np.arange(n) if first == "now" else np.arange(1, n + 1)
    return float(np.sum(m * stayed[t] / (1.0 + discount_rate) ** t))


def repeat_sale_value(
    contribution: float,
    promotion_cost: float,
    retention_rate: float,
    annual_discount_rate: float,
    *,
    years: float,
    years_between_sales: float = 1.0,
) -> float:
    """Value of regular sales with promotion between them (Berger & Nasr cases 1, 2a, 2b).

    ``GC sum_{i=0}^{n} r^i / (1+d)^{i q} - M sum_{i=1}^{n} r^{i-1} / (1+d)^{(i-1/2) q}``.

    Parameters
    ----------
    contribution : float
        Gross contribution of a sale; the first is now.
    promotion_cost : float
        For each customer still there, in the middle between two sales.
    retention_rate : float
        From one sale to the next.
    annual_discount_rate : float
    years : float
        How long the relationship is looked at.
    years_between_sales : float, default=1.0
        1: case 1; below 1 (several sales a year): case 2a; above 1: case 2b.

    Returns
    -------
    float

    Examples
    --------
    >>> from custvalue.value import repeat_sale_value
    >>> round(repeat_sale_value(260, 50, 0.75, 0.2, years=10), 2)
    568.78
    """
    check_share(retention_rate, "retention_rate")
    check_annual_rate(annual_discount_rate)
    n = round(years / years_between_sales)
    i = np.arange(n + 1.0)
    growth = (1.0 + annual_discount_rate) ** years_between_sales
    sales = np.sum((retention_rate / growth) ** i)
    promoted = np.sum(retention_rate ** i[:-1] / growth ** (i[1:] - 0.5))
    return float(contribution * sales - promotion_cost * promoted)


def s_curve_profit(t: npt.ArrayLike, *, h: float, v: float, g: float, N: float) -> Floats:
    """Profit a year that first grows fast, then levels off (Berger & Nasr case 3).

    Parameters
    ----------
    t : array-like
        Years as a customer.
    h, v : float
        ``h t^2 + v`` up to year ``g``.
    g : float
        Year at which growth turns.
    N : float
        What is still added after it: ``h g^2 + v + N (1 - exp(g - t))``.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> from custvalue.value import s_curve_profit
    >>> s_curve_profit([0, 4, 8], h=20, v=100, g=4, N=150).round(2)
    array([100.  , 420.  , 567.25])
    """
    t = np.asarray(t, float)
    later = h * g**2 + v - N * np.expm1(np.minimum(g - t, 0.0))
    return np.where(t <= g, h * t**2 + v, later)


def profit_curve_value(
    profit: Callable[[Floats], npt.ArrayLike],
    retention_rate: float,
    annual_discount_rate: float,
    *,
    years: float,
    continuous: bool = False,
    bends: tuple[float, ...] = (),
) -> float:
    """Value of a profit that changes with the age of the relationship (cases 3 and 4).

    Parameters
    ----------
    profit : callable
        Years as a customer -> profit a year.
    retention_rate : float
        Per year.
    annual_discount_rate : float
    years : float
    continuous : bool, default=False
        False: case 3, sums at years 0, 1, 2, ...; True: case 4, the integral over time.
    bends : tuple of float, default=()
        Years at which the curve has a corner; the integral is cut there.

    Returns
    -------
    float

    Examples
    --------
    >>> from custvalue.value import profit_curve_value, s_curve_profit
    >>> curve = lambda t: s_curve_profit(t, h=20, v=100, g=4, N=150)
    >>> round(profit_curve_value(curve, 0.9, 0.2, years=8), 2)
    894.15
    """
    check_share(retention_rate, "retention_rate")
    check_annual_rate(annual_discount_rate)
    ratio = retention_rate / (1.0 + annual_discount_rate)
    if not continuous:
        t = np.arange(np.floor(years) + 1.0)
        return float(np.sum(np.asarray(profit(t), float) * ratio**t))
    y, w = np.polynomial.legendre.leggauss(32)
    edges = [0.0, *sorted(b for b in bends if 0.0 < b < years), years]
    total = 0.0
    for low, high in itertools.pairwise(edges):
        t = 0.5 * (low + high) + 0.5 * (high - low) * y
        total += 0.5 * (high - low) * float(w @ (np.asarray(profit(t), float) * ratio**t))
    return total


def migration_value(
    contribution: float,
    promotion_cost: float,
    buy_chances: npt.ArrayLike,
    discount_rate: float,
    *,
    n_periods: int,
) -> float:
    """Value of a customer who may skip periods and come back (Dwyer's migration, B&N case 5).

    Buyers of period i are ``C_i = sum_j C_{i-j} p_j prod_{k<j} (1 - p_k)``, ``C_0 = 1``; who has
    not bought for as many periods as there are chances is lost.

    Parameters
    ----------
    contribution : float
        Gross contribution of a period with a purchase; the first is now.
    promotion_cost : float
        For each customer not yet lost, in the middle of each period.
    buy_chances : array-like of shape (k,)
        Chance of buying in a period after a purchase 1, 2, ..., k periods ago.
    discount_rate : float
        Per period.
    n_periods : int

    Returns
    -------
    float

    Examples
    --------
    >>> from custvalue.value import migration_value
    >>> round(migration_value(40, 4, [0.3, 0.2, 0.15, 0.05], 0.2, n_periods=4), 4)
    52.2543
    """
    p = np.asarray(buy_chances, float)
    check_share(buy_chances, "buy_chances")
    quiet = np.concatenate([[1.0], np.cumprod(1.0 - p)])[:-1]
    buyers, promoted = np.zeros(n_periods + 1), np.zeros(n_periods + 1)
    buyers[0] = 1.0
    for i in range(1, n_periods + 1):
        back = buyers[max(i - p.size, 0) : i][::-1]
        reached = back * quiet[: back.size]  # not lost, last bought 1, 2, ... periods ago
        promoted[i] = reached.sum()
        buyers[i] = reached @ p[: back.size]
    t = np.arange(n_periods + 1.0)
    growth = 1.0 + discount_rate
    return float(
        np.sum(contribution * buyers / growth**t - promotion_cost * promoted / growth ** (t - 0.5))
    )


def _per_period(values: Floats, n: int, name: str) -> Floats:
    if values.size == 1:
        return np.full(n, values[0])
    if values.size < n:
        raise ValueError(f"{name} has {values.size} periods; {n} are asked for.")
    return values[:n]
