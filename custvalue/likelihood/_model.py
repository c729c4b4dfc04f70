"""What every estimator of a law answers: parameters, how sure they are, scores, itself as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

import custvalue
from custvalue._fitted import SCHEMA, SEALED, FitReport, check_level
from custvalue._portable import check_names, number, reading, seal, unseal
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._typing import Floats
from custvalue._units import days_per
from custvalue._warn import warn_caller
from custvalue._work import check_count, sample_size
from custvalue.exceptions import ArtefactError, BoundaryFitWarning, InSampleWarning
from custvalue.likelihood._fit import FittedLaw, Penalty, fit_law, profile

if TYPE_CHECKING:
    import pandas as pd


class LawModel(DocLink, BaseEstimator):
    """Base of the estimators of a law: they read a table, ``fit_law`` and remember one value.

    A kind of model names its ``law`` and the ``columns`` it reads, and says in ``_rows`` how a
    table becomes the rows of the law.

    Attributes
    ----------
    fitted_ : FittedLaw
        All that a fit leaves.
    params_ : NamedTuple
        Its parameters.

    Examples
    --------
    >>> from custvalue.likelihood import LawModel
    >>> from custvalue.purchase import NBD
    >>> from custvalue.spend import GammaGamma
    >>> issubclass(NBD, LawModel), issubclass(GammaGamma, LawModel)
    (True, True)
    """

    law: ClassVar[Any]
    columns: ClassVar[tuple[str, ...]]
    fitted_: FittedLaw

    @property
    def params_(self) -> Any:
        """The fitted parameters, in the data's units."""
        return self.fitted_.params

    # ---- what a kind of model says ---------------------------------------------------------------

    def _rows(self, X: Any, sample_weight: Any = None) -> Any:
        """Rows of the law of a table that is read after ``fit``."""
        raise NotImplementedError

    def _penalty(self) -> Penalty | None:
        """Log density of what is known of the parameters beforehand."""
        return None

    def _settings(self) -> dict[str, Any]:
        """Give the settings that ``from_params`` takes, as plain values."""
        return dict(self.get_params(deep=False))

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        """Turn plain values into the settings that ``from_params`` takes."""
        check_names(plain, cls._get_param_names(), "settings")
        return plain

    # ---- fitting ---------------------------------------------------------------------------------

    def _learn(self, rows: Any, unit: str | None = None, notes: list[str] | None = None) -> Self:
        """Fit the law to rows and say where that ended on a boundary."""
        self.fitted_ = fit_law(
            self.law, rows, penalty=self._penalty(), unit=unit, notes=notes or ()
        )
        report = self.fitted_.report
        if report.boundary:
            undefined = ", ".join(report.undefined) or "no parameter"
            at = self.law.shown(self.params_)
            warn_caller(
                f"{self.law.name} ended on a boundary: {'; '.join(report.boundary)} ({at}). "
                f"Forecasts are usable; standard errors of {undefined} are undefined. "
                f"{self.law.seen(report.facts)}",
                BoundaryFitWarning,
            )
        return self

    @classmethod
    def from_params(cls, **values: Any) -> Self:
        """Make a model with given parameters, ready to forecast, for example published ones.

        Parameters
        ----------
        **values
            All parameters of the law, by name, positive; any of the constructor's settings besides
            (``unit`` is that of the parameters).

        Returns
        -------
        estimator

        Raises
        ------
        ValueError
            If a parameter is missing, unknown or not positive.
        """
        settings = {k: values.pop(k) for k in cls._get_param_names() if k in values}
        good = all(isinstance(v, Real) and 0.0 < float(v) < np.inf for v in values.values())
        if set(values) != set(cls.law.names) or not good:
            got = ", ".join(f"{k}={v!r}" for k, v in values.items())
            raise ValueError(
                f"{cls.__name__}.from_params wants {', '.join(cls.law.names)}, each positive and "
                f"finite; got {got}."
            )
        if settings.get("unit") is not None:
            days_per(settings["unit"])
        model = cls(**settings)
        params = cls.law.params(**{k: float(v) for k, v in values.items()})
        report = FitReport.of_given(cls.law.names)
        model.fitted_ = FittedLaw(params, cls.law.dimensions, report, settings.get("unit"))
        model.n_features_in_ = len(cls.columns)
        return model

    def with_params(self, **moved: float) -> Self:
        """Make the same model with some parameters moved, as given ones.

        Parameters
        ----------
        **moved : float
            By name; the others stay.

        Returns
        -------
        estimator

        Examples
        --------
        >>> from custvalue.purchase import NBD
        >>> NBD.from_params(r=1.0, alpha=5.0, unit="W").with_params(r=2.0).params_
        NBDParams(r=2.0, alpha=5.0)
        """
        check_is_fitted(self, "params_")
        settings = self.get_params(deep=False)
        if "unit" in settings:
            settings["unit"] = self.fitted_.unit
        return self.from_params(**settings, **{**self.params_._asdict(), **moved})

    # ---- how sure --------------------------------------------------------------------------------

    def fit_report(self) -> FitReport:
        """How the fit ended: status, boundary, log-likelihood, gradient norm, data facts.

        Returns
        -------
        FitReport
        """
        check_is_fitted(self, "params_")
        return self.fitted_.report

    def covariance(self) -> pd.DataFrame:
        """Return the covariance of the logs of the parameters; NaN where it is not defined.

        Returns
        -------
        DataFrame of shape (n_parameters, n_parameters)
        """
        import pandas as pd

        check_is_fitted(self, "params_")
        names = list(self.fitted_.names)
        return pd.DataFrame(self.fitted_.covariance, index=names, columns=names)

    def standard_errors(self) -> pd.Series:
        """Take standard errors of the parameters from the observed information.

        They are for large samples; how far a parameter may lie off says ``confidence_interval``.

        Returns
        -------
        Series
            By parameter; NaN for those named in ``fit_report().undefined``: on a boundary, or given
            by the user, they have none.
        """
        import pandas as pd

        errors = self._spread() * np.asarray(self.params_)
        return pd.Series(errors, index=list(self.fitted_.names), name="standard_error")

    def parameter_draws(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> Floats:
        """Draw parameters from their large-sample law (normal in logs).

        Parameters
        ----------
        n : int
        random_state : int, Generator or None, default=None

        Returns
        -------
        ndarray of shape (n, n_parameters)
            Of a fit on a boundary, given the parameters that its search held at the edge.

        Raises
        ------
        ValueError
            If the parameters were given: equal draws would pretend that they are certain.
        """
        if self.fit_report().status == "given":
            raise ValueError(
                f"this {type(self).__name__} was made from parameters, so nothing is known of how "
                "sure they are; fit it to draw them."
            )
        rng = np.random.default_rng(random_state)
        centre = np.log(np.asarray(self.params_, dtype=float))
        return np.exp(rng.multivariate_normal(centre, self.fitted_.spread, size=n, method="eigh"))

    def bootstrap(
        self,
        X: Any,
        n_draws: int = 100,
        *,
        sample_weight: npt.ArrayLike | None = None,
        random_state: int | np.random.Generator | None = None,
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

        rng, n_draws = np.random.default_rng(random_state), check_count("n_draws", n_draws, 1)
        rows, penalty = self._rows(X, sample_weight), self._penalty()
        sample_size(rows.n)
        draws = [
            fit_law(self.law, rows.drawn(rng), penalty=penalty, start=self.params_).params
            for _ in range(n_draws)
        ]
        return pd.DataFrame(draws, columns=list(self.fitted_.names))

    def confidence_interval(
        self, X: Any, level: float = 0.95, *, sample_weight: npt.ArrayLike | None = None
    ) -> pd.DataFrame:
        """Estimate and likelihood-ratio interval of each parameter.

        A value lies inside where the best likelihood of all fits with that value comes near enough
        to the highest. In small samples of MBG/NBD and Pareto/NBD the likelihood is lopsided, and
        intervals from its curvature (Wald's: estimate and some ``standard_errors``) that say 95 %
        hold the truth in 76 to 90 of 100. This one follows the likelihood itself, by some thirty
        fits a parameter.

        Parameters
        ----------
        X : table or array
            The rows the model was fitted on: a fitted model keeps none.
        level : float, default=0.95
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        DataFrame
            Index ``parameter``; columns ``estimate``, ``lower``, ``upper``, ``note``: why an end is
            0 or infinity, or why there is no interval; else empty.

        References
        ----------
        Venzon, D. J. & Moolgavkar, S. H. (1988), A method for computing profile-likelihood-based
        confidence intervals, Applied Statistics 37(1), 87-94.

        Examples
        --------
        >>> from custvalue.purchase import NBD
        >>> X = NBD.from_params(r=1.0, alpha=5.0).sample_histories(200, T=20.0, random_state=0)
        >>> NBD().fit(X).confidence_interval(X).round(2)
                   estimate  lower  upper note
        parameter
        r              1.09   0.84   1.42
        alpha          4.98   3.66   6.68
        """
        import pandas as pd

        level, report = check_level(level), self.fit_report()
        names, given = self.fitted_.names, report.status == "given"
        if given:
            ends, notes = np.full((len(names), 2), np.nan), ["given, not estimated"] * len(names)
        else:
            rows = self._rows(X, sample_weight)
            ends = profile(self.law, rows, self.params_, level, self._penalty())
            why = f"no end: {'; '.join(report.boundary) or 'the likelihood hardly falls'}"
            notes = [why if low == 0.0 or np.isinf(high) else "" for low, high in ends]
        return pd.DataFrame(
            {
                "estimate": np.array(self.params_, dtype=float),
                "lower": ends[:, 0],
                "upper": ends[:, 1],
                "note": notes,
            },
            index=pd.Index(names, name="parameter"),
        )

    def score(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Mean log-likelihood per customer of whom the law says something; higher is better.

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
        rows, facts = self._rows(X, sample_weight), self.fit_report().facts
        if facts:
            here = self.law.facts(rows)
            if all(
                np.isclose(here.get(k, np.nan), v, rtol=1e-9, atol=0.0) for k, v in facts.items()
            ):
                warn_caller(
                    "scored on the rows it was fitted on, which flatters it: it says how well the "
                    "model describes them, not how well it forecasts. Score a later period or "
                    "other customers.",
                    InSampleWarning,
                )
        values = self.law.log_likelihoods(self.params_, rows)
        return float(np.average(values, weights=rows.w))

    # ---- as JSON ---------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Everything about the fitted model as plain JSON values; no customer's row.

        Returns
        -------
        dict
        """
        check_is_fitted(self, "params_")
        return seal(
            {
                "schema": SEALED,
                "library": custvalue.__version__,
                "model": type(self).__name__,
                "settings": self._settings(),
                "params": {k: float(v) for k, v in self.params_._asdict().items()},
                "report": self.fitted_.report.to_dict(),
            }
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Inverse of ``to_dict``; called on a base class it finds the model by its name.

        Parameters
        ----------
        plain : dict

        Returns
        -------
        estimator

        Raises
        ------
        ArtefactError
            If the dictionary is broken, was changed since it was written, holds another model, or
            has a schema that this version does not read. It is a ``ValueError``.
        """
        name = plain.get("model") if isinstance(plain, Mapping) else None
        kind: Any = cls if cls.__name__ == name else _by_name(cls, str(name))
        if kind is None and isinstance(plain, Mapping):
            raise ArtefactError(f"the dictionary holds {name!r:.80}, not {cls.__name__}.")
        with reading(cls.__name__):
            plain = unseal(plain, schemas=(SCHEMA, SEALED), keys=("settings", "params", "report"))
            if not isinstance(plain["params"], dict) or not isinstance(plain["settings"], dict):
                raise ArtefactError("params and settings must be dictionaries.")
            params = {k: number(v, f"parameter {k}") for k, v in plain["params"].items()}
            settings = kind._from_settings(plain["settings"])
            if doubled := {*params} & {*settings}:
                raise ArtefactError(f"{', '.join(sorted(doubled))} stands twice.")
            model: Self = kind.from_params(**params, **settings)
            report = FitReport.from_dict(plain["report"])
            if len(report.log_covariance) != len(params):
                raise ArtefactError("log_covariance is not of these parameters.")
            if unknown := {*report.undefined} - {*params}:
                raise ArtefactError(f"the report speaks of {', '.join(sorted(unknown))}.")
            given = model.fitted_
            model.fitted_ = FittedLaw(given.params, given.dimensions, report, given.unit)
        return model

    def _spread(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.fitted_.covariance)))


def _by_name(cls: Any, name: str) -> Any:
    for kind in cls.__subclasses__():
        if kind.__name__ == name:
            return kind
        found = _by_name(kind, name)
        if found is not None:
            return found
    return None
