"""OwnMean: a customer's next orders bring what the orders so far brought."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._fitted import FitReport
from custvalue._open_table import open_table
from custvalue._sklearn import read_vectors, weights_of
from custvalue._typing import Floats, Values
from custvalue.exceptions import ContractProblem, DataContractError, NotSupportedError
from custvalue.likelihood._for_rooms import FittedLaw, Unseen
from custvalue.spend import _gamma_gamma_law as gamma_gamma
from custvalue.spend._base import SpendModel, check_spend_rows
from custvalue.spend._law import SpendLaw

PAIR = ("frequency", "monetary_value", "n_orders", "mean_value")


class OwnMeanParams(NamedTuple):
    """Orders of a customer are Gamma(p, p / own mean); ``mean`` is everybody's mean order."""

    p: float
    mean: float


def as_gamma_gamma(p: float, mean: float, x: Values, zbar: Values) -> Any:
    """History and parameters of the Gamma-Gamma law with this posterior: q = 1, gamma = 0.

    Of whom nothing is known it is as if one order of the usual size had been seen.
    """
    known = np.greater(x, 0)
    return np.where(known, x, 1.0), np.where(known, zbar, mean), p, 1.0, 0.0


def simulate(p: float, mean: float, x: Values, zbar: Values, rng: np.random.Generator) -> Floats:
    """Draw the own mean: that seen, less or more as orders differ."""
    n, seen, p, q, gamma = as_gamma_gamma(p, mean, x, zbar)
    return gamma_gamma.simulate(n, seen, p, q, gamma, rng)


def expected_spend(p: float, mean: float, x: Values, zbar: Values) -> Floats:
    """Take the own mean; the mean of all where there is no order."""
    return np.where(np.greater(x, 0), zbar, mean)


class OwnMean(SpendModel):
    """Spend per order is the customer's own mean so far, not shrunk.

    The limit of the Gamma-Gamma law in which customers differ without bound: nothing is known of a
    customer but the own orders. Right where customers' levels of spend lie far apart; on few orders
    of a customer it believes a chance.

    Attributes
    ----------
    params_ : OwnMeanParams
        ``p``: one over the squared coefficient of variation of a customer's orders, from the first
        order against the later ones; ``mean``: everybody's mean order.

    See Also
    --------
    custvalue.spend.GammaGamma : draws few orders towards the mean of all.

    Examples
    --------
    >>> from custvalue.spend import OwnMean
    >>> model = OwnMean().fit([[1, 10.0], [3, 40.0]])
    >>> model.predict([[2, 25.0]]).tolist(), model.new_customer()
    ([25.0], 32.5)
    """

    law = SpendLaw(
        name="own mean",
        params=OwnMeanParams,
        dimensions={"p": "none", "mean": "money"},
        log_likelihood=None,  # the law of means over customers has no end
        expected_spend=expected_spend,
        quantile=lambda p, mean, x, z, u: gamma_gamma.spend_quantile(
            u, *as_gamma_gamma(p, mean, x, z)
        ),
        capped_spend=lambda p, mean, x, z, cap: gamma_gamma.capped_spend(
            cap, *as_gamma_gamma(p, mean, x, z)
        ),
        simulate=simulate,
        simulate_orders=lambda p, mean, own_mean, x, rng: gamma_gamma.simulate_orders(
            p, 1.0, 0.0, own_mean, x, rng
        ),
        posterior=lambda p, mean, x, z: (p, *gamma_gamma.posterior(*as_gamma_gamma(p, mean, x, z))),
    )
    columns = ("n_orders", "mean_value")
    statistic = "mean"
    cap = None
    spend_columns = None

    def __init__(self) -> None:
        """Nothing to choose."""

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        *,
        by: str | None = None,
        unseen: Unseen = "raise",
    ) -> OwnMean:
        """Learn the spread of orders around their customer's mean, and the mean of all.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
            ``n_orders`` and ``mean_value``; a frame with ``frequency`` and ``monetary_value`` too
            also shows how far orders of one customer lie apart (else ``p`` is 1).
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None
        by : None
            Refused: a customer's own mean is drawn to nobody's, so that groups have no part in it.
        unseen : {"raise", "common"}, default="raise"
            Not read.

        Returns
        -------
        self : OwnMean

        Raises
        ------
        DataContractError
            If nobody has an order with spend.
        NotSupportedError
            If groups are asked for.
        """
        if by is not None:
            raise NotSupportedError(
                "OwnMean draws a customer's mean to nobody's, so that by= has no part in it; "
                "GammaGamma().fit(X, by=...) has parameters by group."
            )
        table = open_table(X)
        n, mean = self._read(table, reset=True)
        w = weights_of(sample_weight, len(n), table)
        orders = n if w is None else n * w
        if not float(orders @ np.where(n > 0, mean, 0.0)) > 0.0:
            raise DataContractError(
                ContractProblem(
                    "no-spend", "no customer has an order with spend", "Pass a longer history."
                )
            )
        everybody = float(orders @ np.where(n > 0, mean, 0.0)) / float(orders.sum())
        first, later, times = self.first_and_later(table)
        p = 1.0
        if len(first) > 1:
            middle = (first + times * later) / (1.0 + times)
            apart = ((first - later) / middle) ** 2 / (1.0 + 1.0 / times)
            # one pair a hundred times apart must not set everybody's interval
            apart = np.minimum(apart, np.quantile(apart, 0.99))
            p = 1.0 / max(float(apart.mean()), 1e-6)
        unknown = FitReport.of_given(self.law.names)
        report = replace(unknown, status="interior", n_customers=float(len(n)))
        params = OwnMeanParams(p, everybody)
        self.fitted_ = FittedLaw(params, self.law.dimensions, report)
        return self

    @staticmethod
    def first_and_later(X: Any) -> tuple[Floats, Floats, Floats]:
        """First order, mean of the later ones and their number, of customers who have both.

        Parameters
        ----------
        X : frame or array-like
            A customer summary; anything that does not tell first from later orders gives nothing.

        Returns
        -------
        first, later, times : ndarray of shape (n_repeat_buyers,)
        """
        table = open_table(X)
        if not table.has(*PAIR):
            return np.empty(0), np.empty(0), np.empty(0)
        times, later, n, mean = table.floats(PAIR, allow_missing=("monetary_value",))
        some = times > 0
        times, later = times[some], later[some]
        first = n[some] * mean[some] - times * later
        good = (first > 1e-9 * mean[some]) & (later > 0.0)
        return first[good], later[good], times[good]

    def _read(self, X: Any, *, reset: bool) -> tuple[Floats, Floats]:
        table = open_table(X)
        repeat = table.has("frequency") and not table.has("n_orders")
        n, mean = read_vectors(
            self,
            table,
            SpendModel.columns if repeat else self.columns,
            reset=reset,
            allow_missing=("monetary_value", "mean_value"),
        )
        check_spend_rows(n, mean)
        return n, mean
