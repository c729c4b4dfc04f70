"""A law of spend: pure functions of a customer's number of orders and their mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from custvalue._kernels import counts_of
from custvalue._typing import Floats, Places
from custvalue.likelihood import Law
from custvalue.likelihood._for_rooms import Plan, Process, Units

BLOCK = 8192  # stays in cache, and below the size at which BLAS starts threads
RIDGE = 500.0  # a shape beyond this may be on its way to infinity
FIRST_SAMPLE = 1_000
SECOND_SAMPLE = 10_000
SEARCHES = 4
# promised squared Newton decrement below which one last step ends a search over many rows
ENOUGH = 1e-7


class SpendRows(NamedTuple):
    """Customers with orders, and sums that every likelihood of spend shares.

    ``x`` orders, ``zbar`` their mean, ``w`` weights or None, ``unit`` the money that a search
    counts in (the geometric mean of ``zbar``), ``counted`` whether columns are given in it; ``xs``
    and ``n_x`` the weighted histogram of ``x``; sums of ``w``, ``w x``, ``w x log(s / unit)``,
    ``w log zbar``.
    """

    x: Floats
    zbar: Floats
    w: Floats | None
    xs: Floats
    n_x: Floats
    sum_w: float
    sum_wx: float
    sum_wx_log_s: float
    sum_w_log_zbar: float
    unit: float
    counted: bool = False

    @property
    def n(self) -> float:
        """Number of customers: the sum of the weights."""
        return self.sum_w

    @property
    def size(self) -> int:
        """Number of rows."""
        return self.x.size

    def part(self, size: int) -> SpendRows:
        """Take a fixed random sample, in the money unit of all rows."""
        n = self.x.size
        if n <= 2 * size:
            return self
        # a fixed draw: a fit must not depend on chance, nor on a pattern in the rows' order
        pick = np.random.default_rng(n).integers(0, n, size)
        return self.taken(pick, None if self.w is None else self.w[pick])

    def taken(self, rows: Places, w: Floats | None) -> SpendRows:
        """Take some rows and what each now weighs, in the money unit of all rows."""
        sample = prepare(self.x[rows], self.zbar[rows], w)
        # so that parameters mean the same
        shift = float(np.log(sample.unit / self.unit))
        log_s = sample.sum_wx_log_s + shift * sample.sum_wx
        return sample._replace(sum_wx_log_s=log_s, unit=self.unit, counted=self.counted)

    def drawn(self, rng: np.random.Generator) -> SpendRows:
        """Draw as many customers with replacement; those drawn often have more weight."""
        w = np.ones(self.size) if self.w is None else self.w
        counts = rng.multinomial(round(self.sum_w), w / w.sum()).astype(float)
        some = counts > 0
        return prepare(self.x[some], self.zbar[some], counts[some])


def prepare(x: Floats, zbar: Floats, w: Floats | None) -> SpendRows:
    """Form the sums that every evaluation shares; spend is counted in its geometric mean."""
    log_z, ones = np.empty(BLOCK), np.ones(BLOCK)
    sum_w_log_z = sum_wx_log_z = 0.0
    for begin in range(0, x.size, BLOCK):
        part = slice(begin, begin + BLOCK)
        here, mean = x[part], zbar[part]
        logs = np.log(mean, out=log_z[: here.size])
        if w is None:
            sum_w_log_z += float(ones[: here.size] @ logs)
            sum_wx_log_z += float(here @ logs)
        else:
            sum_w_log_z += float(w[part] @ logs)
            sum_wx_log_z += float((w[part] * here) @ logs)
    xs, n_x = counts_of(x, w)
    sum_w, sum_wx = float(n_x.sum()), float(n_x @ xs)
    log_unit = sum_w_log_z / sum_w
    sum_wx_log_s = sum_wx_log_z - log_unit * sum_wx + float((n_x * xs) @ np.log(xs))
    unit = float(np.exp(log_unit))
    return SpendRows(x, zbar, w, xs, n_x, sum_w, sum_wx, sum_wx_log_s, sum_w_log_z, unit)


@dataclass(frozen=True, kw_only=True, eq=False)
class SpendLaw(Law):
    """The functions of one law of spend; each takes the parameters first, arrays that broadcast.

    They read a customer's ``x`` orders of mean ``zbar``; where ``x`` is 0 nothing is known of the
    customer, and ``zbar`` is not read. A customer's *own mean* is what an order brings on average.

    Parameters
    ----------
    name : str
        Short name, as in the literature.
    params : type
        NamedTuple of the parameters, all positive.
    dimensions : dict of str to {"money", "none"}
        Of every parameter by name; see :class:`custvalue.likelihood.Law`.
    log_likelihood : callable (params..., x, zbar), or None
        Log density of the mean of x orders. None: the model is not fitted by likelihood.
    expected_spend : callable (params..., x, zbar)
        Mean of the own mean given the history; infinity where there is none.
    quantile : callable (params..., x, zbar, u)
        Quantile of the own mean given the history.
    capped_spend : callable (params..., x, zbar, cap)
        Mean of the own mean, all above ``cap`` counted as ``cap``.
    simulate : callable (params..., x, zbar, rng)
        Draw of the own mean given the history.
    simulate_orders : callable (params..., own_mean, x, rng)
        Draw of the mean of x orders of customers with these own means.
    posterior : callable (params..., x, zbar) -> (p, shape, rate), or None
        Where orders are Gamma(p, rate nu) and nu is Gamma(shape, rate) given the history.
    guesses : tuple of tuples of float
        Parameters to start from, money counted in the geometric mean of spend; ones unless given.
    objective, limits, basis, bounds
        See :class:`custvalue.likelihood.Law`; rows are ``SpendRows``.

    Examples
    --------
    >>> from custvalue.spend import GammaGamma
    >>> GammaGamma.law.names, GammaGamma.law.scales
    (('p', 'q', 'gamma'), ('gamma',))
    >>> float(GammaGamma.law.expected_spend(6.25, 3.74, 15.44, 0, 0).round(2))
    35.22
    """

    expected_spend: Callable[..., Floats]
    quantile: Callable[..., Floats]
    capped_spend: Callable[..., Floats]
    simulate: Callable[..., Floats]
    simulate_orders: Callable[..., Floats]
    posterior: Callable[..., tuple[float, Floats, Floats]] | None = None
    guesses: tuple[tuple[float, ...], ...] = ()

    @property
    def processes(self) -> dict[str, Process]:
        """How much an order brings: every parameter that is money."""
        return {"spend": Process(self.scales, 1.0)} if self.log_likelihood is not None else {}

    def units(self, rows: SpendRows) -> Units:
        """Money counts in the geometric mean of spend."""
        return Units(money=rows.unit)

    def counted(self, rows: SpendRows, units: Units) -> SpendRows:
        """Give the same rows, columns in their own unit of money."""
        return rows._replace(counted=True)

    def columns(self, rows: SpendRows) -> tuple[Floats, ...]:
        """Give number of orders and mean spend."""
        return rows.x, rows.zbar / rows.unit if rows.counted else rows.zbar

    def log_unit(self, rows: SpendRows, units: Units) -> Floats:
        """Take one amount of money a row: the density has the dimension of 1 / money."""
        return np.full(rows.size, np.log(units.money))

    def starts(self, rows: SpendRows) -> list[Floats]:
        """Start from the law's guesses."""
        logs = [np.log(guess) for guess in self.guesses] or [np.zeros(len(self.names))]
        return [self.from_logs(v) for v in logs]

    def plan(self, rows: SpendRows) -> Plan:
        """Find the hill on 1,000 rows, rise on 10,000 or a tenth, and end on all."""
        plan, size = super().plan(rows)._replace(searches=SEARCHES, enough=ENOUGH), rows.size
        if size <= 2 * FIRST_SAMPLE:
            return plan
        # a part of the rows has to find the right hill only
        samples: tuple[tuple[int, float], ...] = ((FIRST_SAMPLE, 1e-5),)
        if size > 4 * SECOND_SAMPLE:
            # from a tenth of many rows the second step of Newton's is exact to eight digits
            plan = plan._replace(close=ENOUGH, ridge=float(np.log(RIDGE)))
            samples = (*samples, (max(SECOND_SAMPLE, size // 10), ENOUGH))
        return plan._replace(samples=samples, on_sample=2)

    def facts(self, rows: SpendRows) -> dict[str, float]:
        """Enough to recognise the same rows, not enough to learn anything about one of them."""
        return {
            "customers_with_repeat_orders": float(rows.sum_w),
            "repeat_orders": float(rows.sum_wx),
            "smallest_mean_spend": float(rows.zbar.min()),
            "largest_mean_spend": float(rows.zbar.max()),
            "sum_of_mean_spends": float(rows.zbar.sum() if rows.w is None else rows.zbar @ rows.w),
        }

    def seen(self, facts: Mapping[str, float]) -> str:
        """How many customers spoke of spend."""
        return f"{facts['customers_with_repeat_orders']:,.0f} customers with repeat orders."

    def notes(self, params: Any) -> tuple[str, ...]:
        """Say where a customer of whom nothing is known has no mean spend."""
        if np.isfinite(self.expected_spend(*params, 0.0, 0.0)):
            return ()
        note = f"the population's mean spend is infinite ({self.shown(params)}): predict offers "
        return (note + 'statistic="median" and statistic="capped".',)
