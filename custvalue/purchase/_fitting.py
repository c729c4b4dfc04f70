"""The half of a purchase model that learns: fit, score, uncertainty, persistence."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from custvalue._fitted import FitReport, FittedLaw
from custvalue._kernels import Histories, compress
from custvalue._sklearn import weights_of
from custvalue._units import days_per, plain_span
from custvalue.exceptions import (
    BoundaryFitWarning,
    ContractProblem,
    DataContractError,
    InSampleWarning,
)
from custvalue.purchase._fit import fit_law
from custvalue.purchase._law import Floats, PurchaseLaw
from custvalue.purchase._prior import Prior
from custvalue.purchase._rows import check_meaning, read_histories, unit_of

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 8192


class Fitting(FittedLaw):
    """Mixin: everything about parameters; forecasts are in ``PurchaseModel``."""

    law: ClassVar[PurchaseLaw]
    unit: Any
    horizon: Any
    prior: Any

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Estimate the parameters by maximum likelihood.

        Parameters
        ----------
        X : table with columns frequency, recency, T, or array with these three columns first
            One row a customer, the one-time buyers too.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), optional
            How many customers a row stands for.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            If the columns break the meaning of frequency, recency or T.
        FitFailedError
            If the search ends without an answer.

        Warns
        -----
        BoundaryFitWarning
            If the likelihood is highest at a limit; forecasts are usable.
        SelectionWarning
            If one-time buyers seem to have been removed.
        """
        x, t_x, T = self._read(X, reset=True)
        unit = unit_of(self, X)
        weight = weights_of(sample_weight, len(x), X)
        if weight is not None and (weight == 0).any():
            some = weight > 0
            x, t_x, T, weight = x[some], t_x[some], T[some], weight[some]
        rows = compress(x, t_x, T, weight, 1.0 if self.law.discrete else None)
        if not rows.T.any():
            raise DataContractError(
                ContractProblem(
                    "no-time-observed",
                    "'T' is 0 for every customer, so nothing has been seen of them",
                    "Use an as-of date after the first orders.",
                    len(x),
                )
            )
        self._check_meaning(rows)
        self.params_, self._report = fit_law(self.law, rows, self._prior())
        self.unit_ = unit
        if self._report.boundary:
            warnings.warn(_boundary_text(self), BoundaryFitWarning, stacklevel=2)
        return self

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Mean log-likelihood per customer; higher is better.

        Parameters
        ----------
        X : table or array
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        float

        Warns
        -----
        InSampleWarning
            If these are the rows the model was fitted on.
        """
        x, t_x, T = self._histories(X)  # type: ignore[attr-defined]
        weight = weights_of(sample_weight, len(x), X)
        facts = self._report.facts
        if facts:
            w = np.ones(len(x)) if weight is None else weight
            here = [w.sum(), np.dot(w, t_x), np.dot(w, T), np.dot(w, x) / w.sum()]
            then = [facts[k] for k in ("customers", "sum_recency", "sum_T", "mean_frequency")]
            if np.allclose(here, then, rtol=1e-9, atol=0.0):
                warnings.warn(
                    "scored on the rows it was fitted on: this says how well the model describes "
                    "them, not how well it forecasts. Score a later period or other customers.",
                    InSampleWarning,
                    stacklevel=2,
                )
        return float(np.average(self.score_samples(X), weights=weight))

    def score_samples(self, X: Any) -> Floats:
        """Log-likelihood of each row.

        Parameters
        ----------
        X : table or array

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        x, t_x, T = self._histories(X)  # type: ignore[attr-defined]
        out = np.empty(len(x))
        for lo in range(0, len(x), BLOCK):
            part = slice(lo, lo + BLOCK)
            out[part] = self.law.log_likelihood(*self.params_, x[part], t_x[part], T[part])
        return out

    def _read(self, X: Any, *, reset: bool) -> tuple[Floats, Floats, Floats]:
        """Histories (x, t_x, T) of a table; models that read other columns override it."""
        return read_histories(self, X, reset=reset, discrete=self.law.discrete)

    def _check_meaning(self, rows: Histories) -> None:
        """Look for columns that do not mean what the law takes them to mean."""
        check_meaning(rows, self.law.name)

    # ---- uncertainty -------------------------------------------------------------------------

    def bootstrap(
        self, X: Any, n_draws: int = 100, *, sample_weight: Any = None, random_state: Any = None
    ) -> pd.DataFrame:
        """Refit on resampled customers; equal rows are drawn as one row with a weight.

        Parameters
        ----------
        X : table or array
            The rows the model was fitted on: a fitted model keeps none.
        n_draws : int, default=100
        sample_weight : array-like of shape (n_rows,), optional
        random_state : int or Generator, optional

        Returns
        -------
        DataFrame of shape (n_draws, n_parameters)
        """
        import pandas as pd

        rng = np.random.default_rng(random_state)
        x, t_x, T = self._histories(X)  # type: ignore[attr-defined]
        rows = compress(
            x, t_x, T, weights_of(sample_weight, len(x), X), 1.0 if self.law.discrete else None
        )
        size = round(float(rows.w.sum()))
        draws = []
        for _ in range(n_draws):
            w = rng.multinomial(size, rows.w / rows.w.sum()).astype(float)
            some = w > 0
            drawn = Histories(rows.x[some], rows.t_x[some], rows.T[some], w[some], rows.tick)
            draws.append(fit_law(self.law, drawn, self._prior(), start=self.params_)[0])
        return pd.DataFrame(draws, columns=list(self.params_._fields))

    # ---- parameters in and out ---------------------------------------------------------------

    @classmethod
    def from_params(
        cls,
        *,
        unit: str | None = None,
        horizon: Any = None,
        prior: Prior | None = None,
        **params: float,
    ) -> Self:
        """Make a model with given parameters, ready to forecast.

        Parameters
        ----------
        unit : str, optional
            Unit of time of the parameters.
        horizon : str or number, optional
        prior : Prior, optional
            For refits, such as the bootstrap's.
        **params : float
            All parameters of the law, by name, positive.

        Returns
        -------
        PurchaseModel

        Raises
        ------
        ValueError
            If a parameter is missing, unknown or not positive.
        """
        wanted = set(cls.law.params._fields)
        if set(params) != wanted or not all(0 < v < np.inf for v in params.values()):
            raise ValueError(
                f"{cls.__name__}.from_params wants {', '.join(cls.law.params._fields)}, each "
                f"positive and finite; got {params}."
            )
        if unit is not None:
            days_per(unit)
        model = cls(unit=unit, horizon=horizon, prior=prior)  # type: ignore[call-arg]
        model.params_ = cls.law.params(**{k: float(v) for k, v in params.items()})
        model._report = FitReport.of_given(cls.law.params._fields)
        model.unit_ = unit
        model.n_features_in_ = 3
        return model

    def _settings(self) -> dict[str, Any]:
        prior = self._prior()
        return {
            "unit": self.unit_,
            "horizon": None if self.horizon is None else plain_span(self.horizon),
            "prior": None if prior is None else asdict(prior),
        }

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        prior = plain["prior"]
        return {**plain, "prior": None if prior is None else Prior(**prior)}

    def _prior(self) -> Prior | None:
        if self.prior is not None and not isinstance(self.prior, Prior):
            raise TypeError(f"prior={self.prior!r} must be a custvalue.purchase.Prior or None.")
        return self.prior

    unit_: str | None
    n_features_in_: int


def _boundary_text(model: Fitting) -> str:
    report = model.fit_report()
    facts = report.facts
    shown = ", ".join(f"{k} = {v:.4g}" for k, v in model.params_._asdict().items())
    undefined = ", ".join(report.undefined) or "no parameter"
    return (
        f"{model.law.name} ended on a boundary: {'; '.join(report.boundary)} ({shown}). Forecasts "
        f"are usable; standard errors of {undefined} are undefined. {facts['customers']:,.0f} "
        f"customers, {1 - facts['share_without_repeat']:.0%} of them with repeat orders."
    )
