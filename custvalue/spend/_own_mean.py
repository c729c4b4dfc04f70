"""OwnMean: a customer's next orders bring what the orders so far brought."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from custvalue import _frames, _sklearn
from custvalue._fitted import FitReport, FittedLaw
from custvalue._row_check import OnInvalid, flagged
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.spend._gamma_gamma_checks import check_rows

Array = npt.NDArray[np.float64]
NAMES = ("n_orders", "mean_value")
PAIR = ("frequency", "monetary_value", "n_orders", "mean_value")


class OwnMeanParams(NamedTuple):
    """Orders of a customer are Gamma(p, p / own mean); ``mean`` is everybody's mean order."""

    p: float
    mean: float


class OwnMean(_sklearn.DocLink, FittedLaw, BaseEstimator):
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

    params_: OwnMeanParams

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> OwnMean:
        """Learn the spread of orders around their customer's mean, and the mean of all.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
            ``n_orders`` and ``mean_value``; a frame with ``frequency`` and ``monetary_value`` too
            also shows how far orders of one customer lie apart (else ``p`` is 1).
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : OwnMean

        Raises
        ------
        DataContractError
            If nobody has an order with spend.
        """
        n, mean = self._read(X, reset=True)
        w = _sklearn.weights_of(sample_weight, len(n), X)
        orders = n if w is None else n * w
        if not float(orders @ np.where(n > 0, mean, 0.0)) > 0.0:
            raise DataContractError(
                ContractProblem(
                    "no-spend", "no customer has an order with spend", "Pass a longer history."
                )
            )
        everybody = float(orders @ np.where(n > 0, mean, 0.0)) / float(orders.sum())
        first, later, times = self.first_and_later(X)
        p = 1.0
        if len(first) > 1:
            middle = (first + times * later) / (1.0 + times)
            apart = ((first - later) / middle) ** 2 / (1.0 + 1.0 / times)
            # one pair a hundred times apart must not set everybody's interval
            apart = np.minimum(apart, np.quantile(apart, 0.99))
            p = 1.0 / max(float(apart.mean()), 1e-6)
        self.params_ = OwnMeanParams(p, everybody)
        unknown = replace(FitReport.of_given(OwnMeanParams._fields), status="interior")
        self._report = replace(unknown, n_customers=float(len(n)))
        return self

    @classmethod
    def from_params(cls, *, p: float, mean: float) -> OwnMean:
        """Build a fitted model from known parameters.

        Parameters
        ----------
        p, mean : float
            Both positive.

        Returns
        -------
        OwnMean
        """
        for name, value in (("p", p), ("mean", mean)):
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name}={value!r} must be positive and finite.")
        model = cls()
        model.params_ = OwnMeanParams(float(p), float(mean))
        model._report = FitReport.of_given(OwnMeanParams._fields)
        model.n_features_in_ = 2
        return model

    def predict(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Array:
        """Return each customer's own mean; the mean of all where there is no order.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, on_invalid=on_invalid)
        _sklearn.check_is_fitted(self, "params_")
        n, mean = self._read(X, reset=False)
        return np.where(n > 0, mean, self.params_.mean)

    def posterior(self, X: Any) -> tuple[float, Array, Array]:
        """Shape p of an order, and shape and rate of the gamma law of p over a customer's mean.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)

        Returns
        -------
        p : float
        shape, rate : ndarray of shape (n_customers,)
            ``p rate / (shape - 1)`` is what ``predict`` says.
        """
        _sklearn.check_is_fitted(self, "params_")
        n, mean = self._read(X, reset=False)
        p = self.params_.p
        # as if one order of the usual size had been seen of who has none
        seen, usual = np.where(n > 0, n, 1.0), np.where(n > 0, mean, self.params_.mean)
        return p, 1.0 + p * seen, seen * usual

    def new_customer(self) -> float:
        """Return the expected spend per order of a customer of whom nothing is known yet."""
        _sklearn.check_is_fitted(self, "params_")
        return self.params_.mean

    @staticmethod
    def first_and_later(X: Any) -> tuple[Array, Array, Array]:
        """First order, mean of the later ones and their number, of customers who have both.

        Parameters
        ----------
        X : frame or array-like
            A customer summary; anything that does not tell first from later orders gives nothing.

        Returns
        -------
        first, later, times : ndarray of shape (n_repeat_buyers,)
        """
        if not _frames.is_frame(X) or not set(PAIR) <= set(_frames.column_names(X) or ()):
            return np.empty(0), np.empty(0), np.empty(0)
        times, later, n, mean = _frames.float_vectors(X, PAIR, allow_missing=("monetary_value",))
        some = times > 0
        times, later = times[some], later[some]
        first = n[some] * mean[some] - times * later
        good = (first > 1e-9 * mean[some]) & (later > 0.0)
        return first[good], later[good], times[good]

    def _settings(self) -> dict[str, Any]:
        return {}

    def _read(self, X: Any, *, reset: bool) -> tuple[Array, Array]:
        names = NAMES
        have = set(_frames.column_names(X) or ())
        if "n_orders" not in have and "frequency" in have:
            names = ("frequency", "monetary_value")
        n, mean = _sklearn.read_vectors(
            self, X, names, reset=reset, allow_missing=("monetary_value", "mean_value")
        )
        check_rows(n, mean)
        return n, mean
