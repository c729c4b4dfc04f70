"""MBG/NBD: customers may leave after any order, the first one too (Batislam et al. 2007).

Story: as the BG/NBD, but the coin that decides about leaving is tossed after the first order as
well, so that one-time buyers may have left. Sources: Batislam, E. P., Denizel, M. & Filiztekin, A.
(2007), Empirical validation and comparison of models for customer base analysis, International
Journal of Research in Marketing 24(3), 201-209; Hoppe, D. & Wagner, U. (2007), Customer base
analysis: the case for a central variant of the BG/NBD model, Marketing JRM 3(2), 75-90.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from custvalue._kernels import Histories, Objective
from custvalue._typing import Floats, Values
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase import _geometric
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._law import Mixing, PurchaseLaw


class MBGNBDParams(NamedTuple):
    """Order rate ~ Gamma(r, rate alpha); chance to leave after an order ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


def log_likelihood(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """Batislam et al. (2007), in logs: x repeat orders, the last at t_x, observed to T."""
    return _geometric.log_likelihood(r, alpha, a, b, x, t_x, T, np.add(x, 1.0))


def prob_alive(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """P(alive at T | x, t_x, T); below 1 for one-time buyers too."""
    return _geometric.prob_alive(r, alpha, a, b, x, t_x, T, np.add(x, 1.0))


def alive(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
) -> tuple[Floats, ...]:
    """Gamma(r + x, alpha + T) and Beta(a, b + x + 1): the first order was survived as well."""
    return np.add(r, x), np.add(alpha, T), np.asarray(a), np.add(b, x) + 1.0


def objective(rows: Histories) -> Objective:
    """Mean log-likelihood, gradient and Hessian in log parameters."""
    return _geometric.objective(rows, 1.0)


def derivatives(
    r: Values, alpha: Values, a: Values, b: Values, x: Floats, t_x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log density of each row and its derivatives in the parameters."""
    return _geometric.derivatives(r, alpha, a, b, x, t_x, T, x + 1.0)


class MBGNBD(PurchaseModel):
    """MBG/NBD: Poisson orders, customers may leave after any order, the first included.

    The everyday model for P(alive): fast as the BG/NBD, and it can doubt a one-time buyer.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of ``recency`` and ``T`` ("D", "W", ...) where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one.
    prior : Prior or None, default=None
        What is known beforehand, in plain quantities.
    purchase_columns, leave_columns : list of str or None, default=None
        Columns that tell of the customer (numbers, truth values, text) and move how often a
        customer orders, and how soon one leaves; the docs have a page on them.
    equal_columns : list of str or None, default=None
        Columns of both lists with one coefficient in both.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    params_ : MBGNBDParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Batislam, E. P., Denizel, M. & Filiztekin, A. (2007), Empirical validation and comparison of
    models for customer base analysis, Int. J. of Research in Marketing 24(3), 201-209.

    Examples
    --------
    >>> from custvalue.purchase import MBGNBD
    >>> model = MBGNBD.from_params(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="W")
    >>> model.predict_alive([[0, 0, 38.86], [2, 30.43, 38.86]]).round(4)
    array([0.3897, 0.7062])
    """

    law = PurchaseLaw(
        name="MBG/NBD",
        params=MBGNBDParams,
        dimensions={"r": "none", "alpha": "time", "a": "none", "b": "none"},
        mixing=(
            Mixing("order_rate", "gamma", "r", "alpha"),
            Mixing("dropout", "beta", "a", "b"),
        ),
        log_likelihood=log_likelihood,
        prob_alive=prob_alive,
        alive=alive,
        expected_orders=_geometric.expected_orders,
        log_prob_none=_geometric.log_prob_none,
        survival=_geometric.survival,
        pmf=_geometric.pmf,
        simulate=_geometric.simulate,
        objective=objective,
        derivatives=derivatives,
    )
