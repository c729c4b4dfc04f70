"""A purchase law: the handful of pure functions from which everything else follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories, Objective

Floats = npt.NDArray[np.float64]
_UPPER = np.tri(8, dtype=bool).T


class Mixing(NamedTuple):
    """How one trait varies over customers: a gamma or a beta law and its two parameters.

    A gamma's second parameter is a rate, so it carries the unit of time.

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


@dataclass(frozen=True)
class PurchaseLaw:
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
    mixing : tuple of Mixing
        What the parameters mean, the ordering process first: gives starting values, boundary
        names and prior scales.
    log_likelihood : callable (params..., x, t_x, T)
        Log density of a history.
    prob_alive : callable (params..., x, t_x, T)
    alive : callable (params..., x, T) -> params
        Parameters of the future of a customer who is alive at T.
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
    prob_alive_of_rows : callable (params, rows) -> (n,), or None
        ``prob_alive`` of many rows at once where they share work; None takes them in blocks.
    discrete : bool
        Whether time counts opportunities (whole numbers, no unit).

    Examples
    --------
    >>> from custvalue.purchase import BGNBD
    >>> BGNBD.law.name, BGNBD.law.params._fields
    ('BG/NBD', ('r', 'alpha', 'a', 'b'))
    """

    name: str
    params: Any
    mixing: tuple[Mixing, ...]
    log_likelihood: Callable[..., Floats]
    prob_alive: Callable[..., Floats]
    alive: Callable[..., tuple[Floats, ...]]
    expected_orders: Callable[..., Floats]
    log_prob_none: Callable[..., Floats]
    survival: Callable[..., Floats]
    pmf: Callable[..., Floats]
    simulate: Callable[..., Orders]
    objective: Callable[[Histories], Objective] | None = None
    prob_alive_of_rows: Callable[[Any, Histories], Floats] | None = None
    discrete: bool = False

    @property
    def time_params(self) -> frozenset[str]:
        """Names of the parameters that are lengths of time."""
        if self.discrete:
            return frozenset()
        return frozenset(m.second for m in self.mixing if m.kind == "gamma")

    def rescaled(self, params: Any, factor: float) -> Any:
        """Parameters with every length of time multiplied by ``factor``."""
        times = self.time_params
        return self.params(
            **{k: v * factor if k in times else v for k, v in params._asdict().items()}
        )


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


def in_logs(p: Floats, g: Floats, h: Floats) -> tuple[Floats, Floats]:
    """Turn derivatives in parameters ``p`` (``h``: upper half) into derivatives in their logs."""
    slope, k = p * g, len(p)
    full = np.where(_UPPER[:k, :k], h, h.T) * p * p[:, None]
    full.flat[:: k + 1] += slope
    return slope, full
