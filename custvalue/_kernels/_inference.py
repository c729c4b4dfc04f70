"""Standard errors, intervals and JSON of a model whose parameters are positive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._kernels._fit_report import FitReport


class LogScaleInference:
    """Mixin: what follows from ``params_`` (a NamedTuple) and the covariance of its logs.

    The class also has ``get_params`` and ``from_params`` (parameters and settings by name).
    """

    _schema = 1

    params_: Any
    _cov: tuple[tuple[float, ...], ...]
    _report: FitReport

    def covariance(self) -> pd.DataFrame:
        """Return the covariance of the logs of the parameters; NaN where the fit is on a boundary.

        Returns
        -------
        DataFrame of shape (n_params, n_params)
        """
        names = list(self.params_._fields)
        return pd.DataFrame(np.asarray(self._cov), index=names, columns=names)

    def standard_errors(self) -> pd.Series:
        """Return the standard errors of the parameters from the observed information.

        Returns
        -------
        Series
            NaN where ``fit_report().undefined`` names the parameter.
        """
        errors = np.sqrt(np.diag(self.covariance())) * np.asarray(self.params_)
        return pd.Series(errors, index=list(self.params_._fields), name="standard_error")

    def confidence_interval(self, level: float = 0.95) -> pd.DataFrame:
        """Return intervals of the parameters, symmetric in logs so that they stay positive.

        Parameters
        ----------
        level : float, default=0.95

        Returns
        -------
        DataFrame
            ``estimate``, ``lower``, ``upper`` by parameter.
        """
        from scipy.special import ndtri

        wide = float(ndtri(0.5 + check_level(level) / 2.0)) * np.sqrt(np.diag(self.covariance()))
        values = np.asarray(self.params_)
        return pd.DataFrame(
            {
                "estimate": values,
                "lower": values * np.exp(-wide),
                "upper": values * np.exp(wide),
            },
            index=list(self.params_._fields),
        )

    def parameter_draws(
        self, n: int, random_state: int | np.random.Generator | None = None
    ) -> npt.NDArray[np.float64]:
        """Draw parameters from their large-sample law (normal in logs).

        Parameters
        ----------
        n : int
        random_state : int, Generator or None, default=None

        Returns
        -------
        ndarray of shape (n, n_params)
            Parameters without a standard error stay at their estimate.
        """
        rng = np.random.default_rng(random_state)
        spread = np.nan_to_num(self.covariance().to_numpy())
        centre = np.log(np.asarray(self.params_, dtype=float))
        return np.exp(rng.multivariate_normal(centre, spread, size=n, method="eigh"))

    def fit_report(self) -> FitReport:
        """How the fit ended: status, what was left out, gradient norm, data facts.

        Returns
        -------
        FitReport
        """
        return self._report

    def to_dict(self) -> dict[str, Any]:
        """Write the fitted model as plain JSON values; it holds no customer's row.

        Returns
        -------
        dict
        """
        return {
            "model": type(self).__name__,
            "schema": self._schema,
            "settings": self.get_params(),  # type: ignore[attr-defined]
            "params": self.params_._asdict(),
            "log_covariance": [[None if v != v else v for v in row] for row in self._cov],
            "report": self._report.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what ``to_dict`` wrote.

        Parameters
        ----------
        plain : dict

        Returns
        -------
        estimator

        Raises
        ------
        ValueError
            If it holds another model or another schema.
        """
        if plain.get("model") != cls.__name__ or plain.get("schema") != cls._schema:
            raise ValueError(
                f"this holds {plain.get('model')!r}, schema {plain.get('schema')!r}; expected "
                f"{cls.__name__!r}, schema {cls._schema}."
            )
        model = cls.from_params(**plain["params"], **plain["settings"])  # type: ignore[attr-defined]
        model._cov = tuple(
            tuple(np.nan if v is None else float(v) for v in row) for row in plain["log_covariance"]
        )
        model._report = FitReport.from_dict(plain["report"])
        return model


def check_level(level: float) -> float:
    """Return the level of an interval, or say what one looks like."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level={level!r} must lie in (0, 1), such as 0.8 or 0.95.")
    return float(level)
