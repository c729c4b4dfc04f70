"""BG/NBD: customers leave after a repeat order (Fader, Hardie & Lee 2005).

Story: while alive, orders are Poisson(lambda); after every *repeat* order the customer leaves with
probability p; lambda ~ Gamma(r, alpha) and p ~ Beta(a, b) over customers, independent. Equation
numbers are those of Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "Counting your customers"
the easy way, Marketing Science 24(2), 275-284.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories, Objective
from custvalue._row_check import OnInvalid, flagged
from custvalue._typing import Floats, Values
from custvalue._warn import warn_caller
from custvalue.exceptions import OneTimeBuyerWarning
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase import _geometric
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._law import Mixing, PurchaseLaw


class BGNBDParams(NamedTuple):
    """Order rate ~ Gamma(r, rate alpha); chance to leave after an order ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


def log_likelihood(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """Eq. 6, in logs: x repeat orders, the last at t_x, observed to T."""
    return _geometric.log_likelihood(r, alpha, a, b, x, t_x, T, x)


def prob_alive(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
) -> Floats:
    """P(alive at T | x, t_x, T); 1 for every customer without a repeat order."""
    return _geometric.prob_alive(r, alpha, a, b, x, t_x, T, x)


def alive(
    r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
) -> tuple[Floats, ...]:
    """Gamma(r + x, alpha + T) and Beta(a, b + x): each repeat order was one they stayed after."""
    return np.add(r, x), np.add(alpha, T), np.asarray(a), np.add(b, x)


def objective(rows: Histories) -> Objective:
    """Mean log-likelihood, gradient and Hessian in log parameters."""
    return _geometric.objective(rows, 0.0)


def derivatives(
    r: Values, alpha: Values, a: Values, b: Values, x: Floats, t_x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log density of each row and its derivatives in the parameters."""
    return _geometric.derivatives(r, alpha, a, b, x, t_x, T, x)


class BGNBD(PurchaseModel):
    """BG/NBD: Poisson orders, customers may leave after any repeat order.

    Quick, and the reference of most papers. It cannot tell whether a customer who bought once has
    left: P(alive) is 1 for all of them. Use :class:`MBGNBD` or :class:`ParetoNBD` for activity.

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
    params_ : BGNBDParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "Counting your customers" the easy way,
    Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> from custvalue.purchase import BGNBD
    >>> model = BGNBD.from_params(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="W")
    >>> float(model.predict([[2, 30.43, 38.86]], horizon="39W")[0].round(4))
    1.226
    """

    law = PurchaseLaw(
        name="BG/NBD",
        params=BGNBDParams,
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

    def predict_alive(
        self, X: Any, at: Any = None, *, on_invalid: OnInvalid = "raise"
    ) -> npt.NDArray[np.float64]:
        """P(alive) of each row; see :meth:`PurchaseModel.predict_alive`.

        Warns
        -----
        OneTimeBuyerWarning
            If there are rows without a repeat order: the model calls them alive for certain.
        """
        if on_invalid != "raise":
            return flagged(self.predict_alive, X, at, on_invalid=on_invalid)
        past, params = self._past(X)
        once = int(np.count_nonzero(past.x == 0))
        if once:
            warn_caller(
                f"BG/NBD sets P(alive) = 1 for every customer without a repeat order ({once:,} of "
                f"{len(past.x):,} here), however long ago they bought. Use MBGNBD or ParetoNBD for "
                "activity scores.",
                OneTimeBuyerWarning,
            )
        return self._alive(past, params, at)
