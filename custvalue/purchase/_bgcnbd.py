"""BG/CNBD-k: regular buyers who leave after a repeat order (Platzer & Reutterer 2016).

Story: as the BG/NBD, but gaps between orders are Erlang-k instead of exponential: an order is every
k-th event of a Poisson process with rate lambda. Source: Platzer, M. & Reutterer, T. (2016),
Ticking away the moments: timing regularity helps to better predict customer activity, Marketing
Science 35(5), 779-799.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from custvalue._kernels import Histories, Objective
from custvalue._open_table import open_table
from custvalue._row_check import OnInvalid, flagged
from custvalue._typing import Floats, Values
from custvalue._warn import warn_caller
from custvalue.exceptions import OneTimeBuyerWarning
from custvalue.purchase import _erlang
from custvalue.purchase._law import Mixing, RegularLaw
from custvalue.purchase._regular import LawOfK, RegularModel


class BGCNBDParams(NamedTuple):
    """Rate of events ~ Gamma(r, rate alpha), k to an order; chance to leave ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


@lru_cache
def law_of(k: int) -> RegularLaw:
    """Give the law of gaps of shape k.

    Examples
    --------
    >>> from custvalue.purchase._bgcnbd import law_of
    >>> law_of(3).name
    'BG/CNBD-3'
    """

    def log_likelihood(
        r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
    ) -> Floats:
        """History of x repeat orders, the last at t_x, observed to T."""
        return _erlang.log_likelihood(k, r, alpha, a, b, x, t_x, T, x)

    def prob_alive(
        r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
    ) -> Floats:
        """P(alive at T | x, t_x, T); 1 for every customer without a repeat order."""
        return _erlang.prob_alive(k, r, alpha, a, b, x, t_x, T, x)

    def alive(
        r: Values, alpha: Values, a: Values, b: Values, x: Values, t_x: Values, T: Values
    ) -> tuple[Floats, ...]:
        """Gamma(r + k x, alpha + T), Beta(a, b + x), and how long the silence is."""
        return (
            np.add(r, np.multiply(k, x)),
            np.add(alpha, T),
            np.asarray(a),
            np.add(b, x),
            np.subtract(T, t_x),
        )

    def objective(rows: Histories) -> Objective:
        """Mean log-likelihood, gradient and Hessian in log parameters."""
        return _erlang.objective(rows, k, 0.0)

    return RegularLaw(
        name=f"BG/CNBD-{k}",
        params=BGCNBDParams,
        dimensions={"r": "none", "alpha": "time", "a": "none", "b": "none"},
        mixing=(
            Mixing("order_rate", "gamma", "r", "alpha", k),
            Mixing("dropout", "beta", "a", "b"),
        ),
        log_likelihood=log_likelihood,
        prob_alive=prob_alive,
        alive=alive,
        expected_orders=partial(_erlang.expected_orders, k),
        log_prob_none=partial(_erlang.log_prob_none, k),
        survival=partial(_erlang.survival, k),
        pmf=partial(_erlang.pmf, k),
        simulate=partial(_erlang.simulate, k),
        objective=objective,
        k=k,
    )


class BGCNBD(RegularModel):
    """BG/CNBD-k: Erlang-k gaps, customers may leave after any repeat order.

    The BG/NBD for buyers who keep a rhythm. As there, P(alive) is 1 for everybody who bought once;
    :class:`MBGCNBD` can doubt them.

    Parameters
    ----------
    k : int or "auto", default=2
        Shape of the gaps: 1 is the BG/NBD, 2 the condensed law, more is more regular. ``"auto"``
        takes the k of highest likelihood, from 1 upwards until it falls, 12 at most.
    unit : str or None, default=None
        Unit of ``recency`` and ``T`` ("D", "W", ...) where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one.
    prior : Prior or None, default=None
        What is known beforehand, in plain quantities (``order_rate`` is that of orders).
    purchase_columns, leave_columns : list of str or None, default=None
        Columns that tell of the customer (numbers, truth values, text) and move how often a
        customer orders, and how soon one leaves; k is chosen without them.
    equal_columns : list of str or None, default=None
        Columns of both lists with one coefficient in both.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    k_ : int
        The shape given or chosen.
    params_ : BGCNBDParams
        ``r / (k alpha)`` is the mean order rate.
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Platzer, M. & Reutterer, T. (2016), Ticking away the moments: timing regularity helps to better
    predict customer activity, Marketing Science 35(5), 779-799.

    Examples
    --------
    >>> from custvalue.purchase import BGCNBD
    >>> model = BGCNBD.from_params(k=3, r=0.7, alpha=1.5, a=0.8, b=2.4, unit="W")
    >>> model.predict_proba_any([[4, 35, 36], [4, 35, 38]], horizon="2W").round(3)
    array([0.078, 0.154])
    """

    law: ClassVar[Any] = LawOfK(law_of)

    def predict_alive(self, X: Any, at: Any = None, *, on_invalid: OnInvalid = "raise") -> Floats:
        """P(alive) of each row; see :meth:`PurchaseModel.predict_alive`.

        Warns
        -----
        OneTimeBuyerWarning
            If there are rows without a repeat order: the model calls them alive for certain.
        """
        if on_invalid != "raise":
            return flagged(self.predict_alive, X, at, on_invalid=on_invalid)
        table = open_table(X)
        found = super().predict_alive(table, at)
        x = self._histories(table).x
        once = int(np.count_nonzero(x == 0))
        if once:
            warn_caller(
                f"BG/CNBD-k sets P(alive) = 1 for every customer without a repeat order ({once:,} "
                f"of {len(x):,} here), however long ago they bought. Use MBGCNBD for activity "
                "scores.",
                OneTimeBuyerWarning,
            )
        return found
