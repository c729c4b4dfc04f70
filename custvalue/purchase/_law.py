"""A purchase law: the handful of pure functions from which everything else follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories, Optimum, rising_rows
from custvalue._typing import Floats, Values
from custvalue.likelihood import Law
from custvalue.likelihood._for_rooms import ByPair, Plan, Process, Units

_UPPER = np.tri(8, dtype=bool).T
FEWEST = 1e-2  # repeat orders a customer, for a start where nobody orders
# shape of order rates, mean and size (a + b, or 3 s) of drop-out, and how often the living order
# more than everybody does on average: like, rare, diverse drop-out, a share that leaves at once
STARTS = (
    (0.7, 0.3, 3.0, 1.0),
    (2.0, 0.05, 10.0, 1.0),
    (0.2, 0.6, 1.0, 1.0),
    (4.0, 0.7, 0.8, 3.0),
    (1.0, 3.0 / 4.0, 0.2, 2.0),
    (20.0, 0.9, 1.5, 8.0),
)
FLAT = 1e4  # a shape beyond this is one value for all customers
NIL = 1e-5  # a mean below this (in scaled time) is none
SMALL = 12_000  # work of one evaluation up to which every start is tried
ROW = 10.0  # work of one row; where time is counted, one of each opportunity
WARM = 12_000  # rows from which a search starts on a sample
SAMPLE = 10_000  # customers in it
COARSE = 1e-2  # rounding of one customer's log-likelihood from which a summit is luck


class Mixing(NamedTuple):
    """How one trait varies over customers: a gamma or a beta law and its two parameters.

    A gamma's second parameter is a rate, so it carries the unit of time. An order is ``per`` events
    of the law, where that is not one.

    Examples
    --------
    >>> from custvalue.purchase import Mixing
    >>> Mixing("dropout", "beta", "a", "b").kind
    'beta'
    """

    what: Literal["order_rate", "order_chance", "dropout"]
    kind: Literal["gamma", "beta"]
    first: str
    second: str
    per: int = 1


class Orders(NamedTuple):
    """Simulated orders of n customers.

    ``owner`` is the customer's row (ascending) and ``time`` the time of each order (ascending
    within a customer); ``left`` (n,) is when each customer left, inf if not before the end.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.purchase import NBD
    >>> orders = NBD.law.simulate(1.0, 5.0, np.full(3, 10.0), np.random.default_rng(0))
    >>> len(orders.owner) == len(orders.time), len(orders.left)
    (True, 3)
    """

    owner: npt.NDArray[np.intp]
    time: Floats
    left: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class PurchaseLaw(Law):
    """The functions of one model; each takes the parameters first, arrays that broadcast.

    Three functions read a history (x repeat orders, the last at t_x, observed to T), the others
    speak of a customer who is alive now and of the time t from now on. A forecast for a history is
    ``prob_alive`` times the forecast for a living customer under the parameters ``alive`` gives.

    Parameters
    ----------
    name : str
        Short name, as in the literature.
    params : type
        NamedTuple of the parameters, all positive.
    dimensions : dict of str to {"time", "1/time", "none"}
        Of every parameter by name; see :class:`custvalue.likelihood.Law`.
    mixing : tuple of Mixing
        Which parameters say how a trait varies over customers, the ordering process first: gives
        starting values, boundary names and prior scales.
    log_likelihood : callable (params..., x, t_x, T)
        Log density of a history.
    prob_alive : callable (params..., x, t_x, T)
    alive : callable (params..., x, t_x, T) -> params
        Parameters of the future of a customer who is alive at T: what the functions below take
        before the time (with the time since the last order, where a law remembers it).
    expected_orders : callable (params..., t)
    log_prob_none : callable (params..., t)
        log P(no order within t); t = inf gives the chance of never ordering again.
    survival : callable (params..., t)
        P(still alive t from now).
    pmf : callable (params..., t, n_max) -> (..., n_max + 1)
        P(k orders within t), k = 0..n_max.
    simulate : callable (params..., t, rng) -> Orders
    objective : callable (rows) -> objective, or None
        Mean log-likelihood of weighted rows with gradient and Hessian in log parameters; None
        takes differences of ``log_likelihood``.
    limits : dict of str to (str, str), optional
        What it means that a parameter outside of ``mixing`` runs to 0, and to infinity.
    prob_alive_of_rows : callable (params, rows) -> (n,), or None
        ``prob_alive`` of many rows at once where they share work; None takes them in blocks.
    discrete : bool
        Whether time counts opportunities (whole numbers, no unit).

    Examples
    --------
    >>> from custvalue.purchase import BGNBD
    >>> BGNBD.law.name, BGNBD.law.names, BGNBD.law.dimensions["alpha"]
    ('BG/NBD', ('r', 'alpha', 'a', 'b'), 'time')
    """

    mixing: tuple[Mixing, ...]
    prob_alive: Callable[..., Floats]
    alive: Callable[..., tuple[Floats, ...]]
    expected_orders: Callable[..., Floats]
    log_prob_none: Callable[..., Floats]
    survival: Callable[..., Floats]
    pmf: Callable[..., Floats]
    simulate: Callable[..., Orders]
    prob_alive_of_rows: Callable[[Any, Histories], Floats] | None = None
    discrete: bool = False

    @cached_property
    def future_reads_recency(self) -> bool:
        """Whether the future of a living customer depends on when the last order was."""
        ones, no = np.ones((len(self.names), 1)), np.array([np.nan])
        future = self.alive(*ones, np.array([2.0]), no, np.array([5.0]))
        return any(bool(np.isnan(p).any()) for p in future)

    @property
    def processes(self) -> dict[str, Process]:
        """Ordering and leaving: the second parameter of each mixing law.

        It is the rate of a gamma law, so that the factor is one on every customer's rate (Fader &
        Hardie 2007, time-invariant covariates, eq. 1 to 4), and of a beta law that for what does
        not happen, so that the factor is one on its mean odds.
        """
        return {
            "leave" if m.what == "dropout" else "purchase": Process((m.second,), -1.0)
            for m in self.mixing
        }

    def units(self, rows: Histories) -> Units:
        """Time counts in the mean T."""
        return Units() if self.discrete else Units(time=float(rows.w @ rows.T) / rows.n or 1.0)

    def counted(self, rows: Histories, units: Units) -> Histories:
        """Histories with time counted in these units."""
        return rows if units.time == 1.0 else rows.counted(units.time)

    def columns(self, rows: Histories) -> tuple[Floats, ...]:
        """Count of repeat orders, recency, time observed."""
        return rows.x, rows.t_x, rows.T

    def log_unit(self, rows: Histories, units: Units) -> Floats:
        """Take a time for each repeat order: the density has the dimension of 1 / time^x."""
        return rows.x * np.log(units.time)

    def starts(self, rows: Histories) -> list[Floats]:
        """Log parameters to start from: the mean of the order process as seen, the rest guesses."""
        seen = max(float(rows.w @ rows.x) / rows.n, FEWEST)
        rate = seen / max(float(rows.w @ rows.T) / rows.n, FEWEST)
        starts = []
        for shape, leave, size, often in STARTS:
            values = dict.fromkeys(self.names, 1.0)
            for m in self.mixing:
                if m.kind == "gamma" and m.what == "order_rate":
                    values[m.first], values[m.second] = shape, shape / (often * rate * m.per)
                elif m.kind == "gamma":  # s and beta: few s with a small beta, some leave at once
                    values[m.first], values[m.second] = size / 3.0, size / (9.0 * leave)
                else:
                    mean = leave if m.what == "dropout" else min(often * rate, 0.9)
                    values[m.first], values[m.second] = size * mean, size * (1.0 - mean)
            starts.append(np.log([values[k] for k in self.names]))
        return starts

    def plan(self, rows: Histories) -> Plan:
        """Every start where rows are few or the end lies on a boundary; of many, a sample first."""
        work = rows.size * (float(rows.T.max()) if self.discrete else ROW)
        samples = ((SAMPLE, 1e-4),) if rows.size > WARM else ()
        return super().plan(rows)._replace(samples=samples, hurry=work > SMALL)

    def facts(self, rows: Histories) -> dict[str, float]:
        """Enough to recognise the same rows, not enough to learn anything about one of them."""
        return {
            "customers": rows.n,
            "share_without_repeat": float(rows.w @ (rows.x == 0)) / rows.n,
            "mean_frequency": float(rows.w @ rows.x) / rows.n,
            "max_frequency": float(rows.x.max()),
            "min_T": float(rows.T.min()),
            "max_T": float(rows.T.max()),
            "sum_recency": float(rows.w @ rows.t_x),
            "sum_T": float(rows.w @ rows.T),
        }

    def seen(self, facts: Mapping[str, float]) -> str:
        """How many customers, how many of them came back."""
        share = 1.0 - facts["share_without_repeat"]
        return f"{facts['customers']:,.0f} customers, {share:.0%} of them with repeat orders."

    def trouble(self, rows: Histories) -> str:
        """Say where one customer's orders are so many that rounding hides the summit."""
        rounding = float(np.finfo(float).eps * (rows.x * np.log1p(rows.x)).max())
        if rounding <= COARSE:
            return ""
        return (
            f"; so many orders round one customer's log-likelihood by {rounding:.1g}; 'frequency' "
            "is hardly a number of orders"
        )

    def boundaries(self, params: Floats, found: Optimum) -> tuple[tuple[str, ...], set[str]]:
        """Name what the mixing laws come to at the limit, then every parameter that runs away."""
        values = dict(zip(self.names, params, strict=True))
        words, undefined = [], set[str]()
        for m in self.mixing:
            said = _limit_of(m, values[m.first], values[m.second])
            if said:
                words.append(said)
                undefined |= {m.first, m.second}
        said_of = np.array([name in undefined for name in self.names])
        rest = found._replace(
            on_lower=found.on_lower & ~said_of, on_upper=found.on_upper & ~said_of
        )
        more, also = super().boundaries(params, rest)
        return (*words, *more), undefined | also


@dataclass(frozen=True, kw_only=True, eq=False)
class RegularLaw(PurchaseLaw):
    """A law of gaps of Erlang shape ``k``, its density without ``prod gap^(k-1) / Gamma(k)^x``.

    Parameters
    ----------
    k : int
        Events of the Poisson process in one order.
    **functions
        As in :class:`PurchaseLaw`; those that speak of a living customer take, between parameters
        and time, how long the customer has been silent.

    Examples
    --------
    >>> from custvalue.purchase import MBGCNBD
    >>> MBGCNBD(k=3).law.k, MBGCNBD(k=3).law.future_reads_recency
    (3, True)
    """

    k: int

    def log_unit(self, rows: Histories, units: Units) -> Floats:
        """Take k times a repeat order: what is left out has the dimension of time^(x (k - 1))."""
        return self.k * super().log_unit(rows, units)


_WORDS = {
    "order_rate": ("no spread in order rates: one rate for all customers", "nobody orders again"),
    "order_chance": (
        "no spread in order chances: one chance for all customers",
        "nobody orders again",
    ),
    "dropout": ("no spread in drop-out: one value for all customers", "nobody leaves"),
}


def _limit_of(m: Mixing, first: float, second: float) -> str | None:
    even, none = _WORDS[m.what]
    mean = first / second if m.kind == "gamma" else first / (first + second)
    if mean < NIL:
        return none
    if m.what == "dropout" and mean > (1.0 / NIL if m.kind == "gamma" else 1.0 - NIL):
        return "everybody leaves at once"
    if (first if m.kind == "gamma" else first + second) > FLAT:
        return even
    if m.kind == "beta" and first + second < 1e-4:
        return f"{m.what}: every customer's is 0 or 1"
    return None


def poisson_orders(rate: Floats, until: Floats, rng: np.random.Generator) -> Orders:
    """Orders of Poisson processes with ``rate``, each watched on (0, ``until``)."""
    count = rng.poisson(rate * until)
    owner = np.repeat(np.arange(len(count)), count)
    time = rng.random(len(owner)) * np.repeat(until, count)
    order = np.lexsort((time, owner))
    return Orders(owner, time[order], np.full(len(count), np.inf))


def log_nbd(r: Floats, alpha: Floats, t: Floats, k: Floats) -> Floats:
    """Log P(k events in t) where the rate is Gamma(r, alpha) over customers (the NBD)."""
    from scipy.special import gammaln, xlogy

    from custvalue._kernels import log_rising

    return np.asarray(
        log_rising(r, k) - gammaln(k + 1.0) - r * np.log1p(t / alpha) + xlogy(k, t / (alpha + t))
    )


def orders_by_row(
    r: Values, alpha: Values, x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log density of orders at a rate ~ Gamma(r, alpha) in (0, T], and derivatives in both."""
    rise, d_rise, dd_rise = rising_rows(r, x)
    near, up, power = np.log1p(T / alpha), 1.0 / (alpha + T), r + x
    value = rise - r * near - x * np.log(alpha + T)
    gradient = [d_rise - near, r / alpha - power * up]
    hessian = {(0, 0): dd_rise, (0, 1): 1.0 / alpha - up}
    hessian[1, 1] = power * up * up - r / (alpha * alpha) + 0.0 * x
    return value, gradient, hessian


def in_logs(p: Floats, g: Floats, h: Floats) -> tuple[Floats, Floats]:
    """Turn derivatives in parameters ``p`` (``h``: upper half) into derivatives in their logs."""
    slope, k = p * g, len(p)
    full = np.where(_UPPER[:k, :k], h, h.T) * p * p[:, None]
    full.flat[:: k + 1] += slope
    return slope, full
