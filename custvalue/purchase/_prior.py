"""What is known beforehand, said in plain quantities and worth a number of customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue._typing import Floats
from custvalue.purchase._law import Mixing


@dataclass(frozen=True)
class Prior:
    """Beliefs about the customer base, each worth ``customers`` customers.

    A quantity left None is not believed anything about. The belief about a quantity is normal in
    its logarithm (a chance: in its log odds) with standard deviation ``1 / sqrt(customers)``: what
    one would know after seeing that many customers of unit variation. So the pull fades as data
    come in and does not depend on the scale of time or on which parameters a law is written in.

    Parameters
    ----------
    customers : float
        How many customers the beliefs are worth.
    order_rate : float, optional
        Mean orders per unit of time (or the mean chance to order, in discrete time).
    order_rate_spread : float, optional
        Spread of the order rate over customers: its coefficient of variation for a gamma law, the
        concentration-free share of variance 1 / (a + b + 1) for a beta law.
    dropout : float, optional
        Mean chance to leave at an order (BG/NBD, MBG/NBD, BG/BB) or rate of leaving per unit of
        time (Pareto/NBD).
    dropout_spread : float, optional
        Spread of that, measured as for the order rate.

    Raises
    ------
    ValueError
        If a quantity is not positive, or nothing is believed.

    Examples
    --------
    >>> from custvalue.purchase import MBGNBD, Prior
    >>> MBGNBD(prior=Prior(customers=50, dropout=0.2)).get_params()["prior"].dropout
    0.2
    """

    customers: float
    order_rate: float | None = None
    order_rate_spread: float | None = None
    dropout: float | None = None
    dropout_spread: float | None = None

    def __post_init__(self) -> None:
        beliefs = (self.order_rate, self.order_rate_spread, self.dropout, self.dropout_spread)
        if all(b is None for b in beliefs):
            raise ValueError("a Prior needs at least one belief, such as Prior(50, dropout=0.2).")
        if any(b is not None and not b > 0 for b in (self.customers, *beliefs)):
            raise ValueError(f"every quantity of {self} must be positive.")

    def belief(self, mixing: Mixing) -> tuple[float | None, float | None]:
        """Believed mean and spread of one mixing law."""
        if mixing.what == "dropout":
            return self.dropout, self.dropout_spread
        return self.order_rate, self.order_rate_spread

    def log_density(
        self, theta: Floats, names: tuple[str, ...], mixing: tuple[Mixing, ...]
    ) -> tuple[float, Floats, Floats]:
        """Log density with gradient and Hessian in log parameters (time in the data's unit)."""
        d = len(theta)
        value, gradient, hessian = 0.0, np.zeros(d), np.zeros((d, d))
        for m in mixing:
            i, j = names.index(m.first), names.index(m.second)
            for belief, part in zip(self.belief(m), ("mean", "spread"), strict=True):
                if belief is None:
                    continue
                q, g, h = _quantity(theta, i, j, m.kind, part)
                events = np.log(m.per) if part == "mean" else 0.0  # of the law, to one order
                miss = q - events - _target(belief, m.kind, part)
                value -= 0.5 * self.customers * miss**2
                gradient -= self.customers * miss * g
                hessian -= self.customers * (np.outer(g, g) + miss * h)
        return value, gradient, hessian


def _target(belief: float, kind: str, part: str) -> float:
    if kind == "gamma":
        return float(np.log(belief))
    if belief >= 1:
        raise ValueError(f"a {part} of {belief} is not possible for a chance between 0 and 1.")
    return float(np.log(belief / (1.0 - belief)))


def _quantity(theta: Floats, i: int, j: int, kind: str, part: str) -> Any:
    d = len(theta)
    g, h = np.zeros(d), np.zeros((d, d))
    if part == "mean":  # log(first / second): a gamma's log mean, a beta's log odds of its mean
        g[i], g[j] = 1.0, -1.0
        return theta[i] - theta[j], g, h
    if kind == "gamma":  # coefficient of variation first^-1/2
        g[i] = -0.5
        return -0.5 * theta[i], g, h
    # log odds of 1 / (a + b + 1) is -log(a + b)
    total = np.logaddexp(theta[i], theta[j])
    share = np.exp(theta[[i, j]] - total)
    g[[i, j]] = -share
    h[np.ix_([i, j], [i, j])] = share[0] * share[1] * np.array([[-1.0, 1.0], [1.0, -1.0]])
    return -total, g, h
