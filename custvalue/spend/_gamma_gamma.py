"""Gamma-Gamma: what an order of each customer is expected to bring."""

from __future__ import annotations

from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from custvalue import _sklearn
from custvalue._fitted import FitReport, FittedLaw, check_level
from custvalue._portable import check_names, number
from custvalue._row_check import OnInvalid, flagged
from custvalue._warn import warn_caller
from custvalue._work import check_count, sample_size
from custvalue.exceptions import (
    BoundaryFitWarning,
    ContractProblem,
    ConvergenceWarning,
    DataContractError,
    InSampleWarning,
    UndefinedMeanError,
)
from custvalue.spend import _gamma_gamma_fit as search
from custvalue.spend import _gamma_gamma_law as law
from custvalue.spend._gamma_gamma_checks import check_rows, no_mean
from custvalue.spend._independence import Independence, independence, warn_of_totals

Array = npt.NDArray[np.float64]
NAMES = ("frequency", "monetary_value")


class GammaGammaParams(NamedTuple):
    """Parameters of the Gamma-Gamma law.

    Attributes
    ----------
    p : float
        Shape of a customer's orders: 1 / p is their squared coefficient of variation.
    q : float
        Shape of the rate over customers: large q, customers alike.
    gamma : float
        Rate of the rate, in units of money.

    Examples
    --------
    >>> from custvalue.spend import GammaGamma
    >>> p, q, gamma = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44).params_
    """

    p: float
    q: float
    gamma: float


class GammaGamma(FittedLaw, _sklearn.DocLink, BaseEstimator):
    """Mean spend per order of each customer, shrunk towards everybody's.

    Every order of a customer is Gamma(p, rate nu); nu is Gamma(q, rate gamma) over customers. The
    expected spend of a customer with ``x`` repeat orders of mean ``zbar`` is
    ``p (gamma + x zbar) / (p x + q - 1)``: the customer's own mean, weighted by ``p x``, and the
    population's, weighted by ``q - 1``.

    Parameters
    ----------
    statistic : {"mean", "median", "capped"}, default="mean"
        What ``predict`` returns of a customer's mean spend per order. Where spend is so
        heavy-tailed that the mean is infinite (``p x + q <= 1``), ``"mean"`` raises
        `UndefinedMeanError`; ``"median"`` and ``"capped"`` always exist.
    cap : float or None, default=None
        With ``statistic="capped"``: the largest mean spend that counts, in money.

    Attributes
    ----------
    params_ : GammaGammaParams
        ``p``, ``q``, ``gamma``.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where ``X`` had named columns.

    Raises
    ------
    UndefinedMeanError
        From ``predict`` with ``statistic="mean"``.

    See Also
    --------
    custvalue.value.CustomerValue : orders x spend x margin, discounted.

    Notes
    -----
    Customers without a repeat order (``frequency`` 0) say nothing about spend per repeat order: the
    fit leaves them out and ``fit_report()`` counts them; all customers are scored.

    References
    ----------
    Colombo, R. & Jiang, W. (1999), A stochastic RFM model, Journal of Interactive Marketing 13(3).
    Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), RFM and CLV: using iso-value curves for
    customer base analysis, Journal of Marketing Research 42(4), 415-430.
    Fader, P. S. & Hardie, B. G. S. (2013), The gamma-gamma model of monetary value, note 025.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.spend import GammaGamma
    >>> model = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44)
    >>> model.predict([[0, float("nan")], [1, 100.0], [10, 100.0]]).round(2)
    array([35.22, 80.26, 97.28])
    """

    def __init__(
        self,
        *,
        statistic: Literal["mean", "median", "capped"] = "mean",
        cap: float | None = None,
    ) -> None:
        self.statistic = statistic
        self.cap = cap

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> GammaGamma:
        """Learn ``p``, ``q``, ``gamma`` by maximum likelihood.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
            ``frequency`` and ``monetary_value`` (mean spend per repeat order; NaN where frequency
            is 0).
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None
            A customer of weight 2 counts as two equal customers.

        Returns
        -------
        self : GammaGamma

        Raises
        ------
        DataContractError
            Missing or impossible values, by column and row.
        FitFailedError
            If no maximum was found, with gradient norm, starts and data facts.

        Warns
        -----
        BoundaryFitWarning
            The likelihood rises towards a simpler law, which the text names.
        ConvergenceWarning
            The search stopped a little short of the maximum.
        IndependenceWarning
            ``monetary_value`` looks like a total and not a mean per order.
        """
        x, zbar = self._read(X, reset=True)
        w = _sklearn.weights_of(sample_weight, x.size, X)
        repeat, positive = x > 0, zbar > 0
        use = repeat & positive if w is None else repeat & positive & (w > 0)
        if use.sum() < 2:
            raise DataContractError(
                ContractProblem(
                    "too-few-repeaters",
                    f"{int(use.sum())} of {x.size} customers have a repeat order (with spend)",
                    "Use a longer history: spend is learned from repeat orders.",
                )
            )
        whole = bool(use.all())
        xs, zs = (x, zbar) if whole else (x[use], zbar[use])
        ws = w if w is None or whole else w[use]
        n_zero_spend = int((repeat & ~positive).sum())
        notes = []
        if not repeat.all():
            notes.append(
                f"{int((~repeat).sum()):,} of {x.size:,} customers have no repeat order; they are "
                "left out of the fit and scored with the population's spend."
            )
        if n_zero_spend:
            notes.append(
                f"{n_zero_spend:,} customers with repeat orders spent nothing on them; the law has "
                "no such customer, so they are left out of the fit."
            )
        warn_of_totals(xs, zs, ws)
        rows = search.prepare(xs, zs, ws)
        best, starts = search.fit(rows)
        values, self._report = search.conclude(best, rows, starts, zs, notes)
        self.params_ = GammaGammaParams(*values)
        if best.promised > search.ENOUGH:
            warn_caller(
                f"the gradient is {best.gradient_norm:.1e} at the best of {starts} starts.",
                ConvergenceWarning,
            )
        if self._report.status == "boundary":
            warn_caller(
                f"{' '.join(self._report.boundary)} Forecasts are usable; standard errors of "
                f"{', '.join(self._report.undefined)} are not defined "
                f"({xs.size:,} customers with repeat orders).",
                BoundaryFitWarning,
            )
        return self

    def predict(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Array:
        """Return the expected mean spend per order of each customer (or median, or capped mean).

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        UndefinedMeanError
            With ``statistic="mean"``, where ``p x + q <= 1`` for some customer.
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, on_invalid=on_invalid)
        _sklearn.check_is_fitted(self)
        x, zbar = self._read(X, reset=False)
        if self.statistic == "median":
            return law.spend_quantile(0.5, x, zbar, *self.params_)
        if self.statistic == "capped":
            if self.cap is None or not self.cap > 0:
                raise ValueError(
                    f'statistic="capped" needs cap= (money, such as a high quantile of '
                    f"monetary_value); cap={self.cap!r}."
                )
            return law.capped_spend(float(self.cap), x, zbar, *self.params_)
        if self.statistic != "mean":
            raise ValueError(f"statistic={self.statistic!r} must be 'mean', 'median' or 'capped'.")
        out = law.expected_spend(x, zbar, *self.params_)
        bad = np.isinf(out)
        if bad.any():
            raise UndefinedMeanError(no_mean(self.params_.q, int(bad.sum()), x.size))
        return out

    def predict_quantile(self, X: Any, q: float = 0.5) -> Array:
        """Quantile of each customer's own mean spend per order, given the history.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        q : float, default=0.5
            Probability in (0, 1).

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        _sklearn.check_is_fitted(self)
        x, zbar = self._read(X, reset=False)
        return law.spend_quantile(check_level(q), x, zbar, *self.params_)

    def predict_interval(self, X: Any, *, level: float = 0.8) -> Array:
        """Interval of each customer's own mean spend per order, given the parameters.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        level : float, default=0.8

        Returns
        -------
        ndarray of shape (n_customers, 2)
            Lower and upper end.
        """
        tail = (1.0 - check_level(level)) / 2.0
        return np.column_stack(
            [self.predict_quantile(X, tail), self.predict_quantile(X, 1.0 - tail)]
        )

    def posterior(self, X: Any) -> tuple[float, Array, Array]:
        """Shape p of an order, and shape and rate of each customer's gamma law of nu.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)

        Returns
        -------
        p : float
        shape, rate : ndarray of shape (n_customers,)
            ``q + p x`` and ``gamma + x zbar``.
        """
        _sklearn.check_is_fitted(self)
        return self.params_.p, *law.posterior(*self._read(X, reset=False), *self.params_)

    def new_customer(self) -> float:
        """Return the expected spend per order of a customer of whom nothing is known yet.

        Returns
        -------
        float
            With ``statistic="mean"``: ``p gamma / (q - 1)``.

        Raises
        ------
        UndefinedMeanError
            With ``statistic="mean"`` and ``q <= 1``.
        """
        _sklearn.check_is_fitted(self)
        values = {**self.params_._asdict(), "statistic": self.statistic, "cap": self.cap}
        return float(type(self).from_params(**values).predict([[0.0, np.nan]])[0])

    def sample(
        self, X: Any, n_draws: int = 1, *, random_state: int | np.random.Generator | None = None
    ) -> Array:
        """Draw each customer's own mean spend per order from its posterior.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
            Rows with frequency 0 are drawn from the population.
        n_draws : int, default=1
        random_state : int, Generator or None, default=None

        Returns
        -------
        ndarray of shape (n_draws, n_customers)
        """
        _sklearn.check_is_fitted(self)
        x, zbar = self._read(X, reset=False)
        rng, n_draws = np.random.default_rng(random_state), check_count("n_draws", n_draws, 1)
        p, q, gamma = self.params_
        return np.stack([law.simulate(x, zbar, p, q, gamma, rng) for _ in range(n_draws)])

    def score_samples(self, X: Any) -> Array:
        """Log-density of each customer's mean spend; 0 where frequency is 0 (nothing was seen).

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        _sklearn.check_is_fitted(self)
        x, zbar = self._read(X, reset=False)
        out = np.zeros(x.size)
        seen = (x > 0) & (zbar > 0)
        out[seen] = law.log_likelihood(x[seen], zbar[seen], *self.params_)
        return out

    def score(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Mean log-density over the customers with repeat orders; higher is better.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        float

        Warns
        -----
        InSampleWarning
            If ``X`` is what the model was fitted on.
        """
        _sklearn.check_is_fitted(self)
        x, zbar = self._read(X, reset=False)
        w = _sklearn.weights_of(sample_weight, x.size, X)
        seen = (x > 0) & (zbar > 0)
        facts = self._report.facts
        ws = np.ones(int(seen.sum())) if w is None else w[seen]
        here = [ws.sum(), ws @ x[seen], ws @ zbar[seen]]
        names = ("customers_with_repeat_orders", "repeat_orders", "sum_of_mean_spends")
        if facts and np.allclose(here, [facts[k] for k in names], rtol=1e-9, atol=0.0):
            warn_caller(
                "these rows are the ones the model was fitted on, so the score flatters it; score "
                "customers or a period that the fit has not seen.",
                InSampleWarning,
            )
        if not seen.any():
            raise DataContractError(
                ContractProblem(
                    "no-repeaters", "no customer in X has a repeat order", "Score a longer history."
                )
            )
        values = law.log_likelihood(x[seen], zbar[seen], *self.params_)
        return float(np.average(values, weights=ws))

    def check_independence(self, X: Any, *, level: float = 0.95) -> Independence:
        """Tell how far spend per order goes with the number of orders, also in money.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        level : float, default=0.95

        Returns
        -------
        Independence
        """
        _sklearn.check_is_fitted(self)
        x, zbar = self._read(X, reset=False)
        seen = (x > 0) & (zbar > 0)
        return independence(x[seen], zbar[seen], self.params_, check_level(level))

    def bootstrap(
        self,
        X: Any,
        n_draws: int = 200,
        *,
        sample_weight: npt.ArrayLike | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> pd.DataFrame:
        """Parameters refitted on customers drawn with replacement.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        n_draws : int, default=200
        sample_weight : array-like of shape (n_customers,), default=None
        random_state : int, Generator or None, default=None

        Returns
        -------
        DataFrame of shape (n_draws, 3)
        """
        _sklearn.check_is_fitted(self)
        x, zbar = self._read(X, reset=False)
        w = _sklearn.weights_of(sample_weight, x.size, X)
        seen = (x > 0) & (zbar > 0)
        x, zbar = x[seen], zbar[seen]
        w = np.ones(x.size) if w is None else w[seen]
        rng, n_draws = np.random.default_rng(random_state), check_count("n_draws", n_draws, 1)
        draws, n = np.empty((n_draws, 3)), sample_size(w)
        for i in range(n_draws):
            counts = rng.multinomial(n, w / w.sum()).astype(float)
            drawn = counts > 0
            rows = search.prepare(x[drawn], zbar[drawn], counts[drawn])
            draws[i] = search.natural(search.fit(rows)[0], rows)[0]
        return pd.DataFrame(draws, columns=list(GammaGammaParams._fields))

    @classmethod
    def from_params(
        cls,
        *,
        p: float,
        q: float,
        gamma: float,
        statistic: Literal["mean", "median", "capped"] = "mean",
        cap: float | None = None,
    ) -> GammaGamma:
        """Build a fitted model from known parameters, for example published ones.

        Parameters
        ----------
        p, q, gamma : float
            All positive.
        statistic : {"mean", "median", "capped"}, default="mean"
        cap : float or None, default=None

        Returns
        -------
        GammaGamma
        """
        values = GammaGammaParams(p, q, gamma)
        for name, value in zip(values._fields, values, strict=True):
            if not (isinstance(value, Real) and np.isfinite(value) and value > 0):
                raise ValueError(f"{name}={value!r} must be positive and finite.")
        model = cls(statistic=statistic, cap=cap)
        model.params_ = GammaGammaParams(*map(float, values))
        model._report = FitReport.of_given(values._fields)
        model.n_features_in_ = 2
        return model

    def _settings(self) -> dict[str, Any]:
        return {"statistic": self.statistic, "cap": self.cap}

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        check_names(plain, ("statistic", "cap"), "settings")
        if plain["statistic"] not in ("mean", "median", "capped"):
            raise ValueError(f"statistic={plain['statistic']!r:.80} is unknown.")
        capped = plain["statistic"] == "capped"
        if (capped or plain["cap"] is not None) and not number(plain["cap"], "cap") > 0:
            raise ValueError(f"cap={plain['cap']!r} must be money above 0.")
        return plain

    def _read(self, X: Any, *, reset: bool) -> tuple[Array, Array]:
        x, zbar = _sklearn.read_vectors(
            self, X, NAMES, reset=reset, allow_missing=("monetary_value",)
        )
        check_rows(x, zbar)
        return x, zbar
