"""What a fitted law knows about itself: how the fit ended, how sure it is, itself as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

import custvalue
from custvalue._html import HtmlFacts
from custvalue._portable import check_names, number, reading, seal, texts, unseal
from custvalue.exceptions import ArtefactError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
SEALED = 2  # with a checksum
UNKNOWN = float("nan")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FitReport(HtmlFacts):
    """How a fit ended and what it saw; no customer's data.

    Parameters
    ----------
    status : {"interior", "boundary", "given"}
        ``"interior"``: an ordinary maximum. ``"boundary"``: the likelihood keeps rising towards a
        simpler law, named in ``boundary``; forecasts are usable, some standard errors are not
        defined. ``"given"``: the parameters came from the user. A fit that fails raises
        ``FitFailedError`` instead.
    boundary : tuple of str, default=()
        Each boundary reached, in words.
    undefined : tuple of str, default=()
        Parameters whose standard errors are not defined.
    log_likelihood : float
        Total over customers (weighted), natural log, no constants dropped, without a prior's part.
    gradient_norm : float
        Largest slope of the mean log-likelihood in a free log parameter.
    iterations, evaluations, starts : int
    n_customers : float
        Sum of the weights.
    n_distinct : int
        Rows left after equal histories were put together.
    n_parameters : int
    facts : dict
        Data facts that matter to a fit, as plain numbers.
    notes : tuple of str, default=()
        What was left out or looked odd, in sentences.
    log_covariance : tuple of tuple of float
        Covariance of the log parameters (inverse observed information); NaN where undefined.

    Examples
    --------
    >>> from custvalue.purchase import NBD
    >>> X = NBD.from_params(r=1.0, alpha=5.0).sample_histories(500, T=20.0, random_state=0)
    >>> report = NBD().fit(X).fit_report()
    >>> report.status, report.n_customers
    ('interior', 500.0)
    """

    _not_shown = ("log_covariance",)

    status: Literal["interior", "boundary", "given"]
    boundary: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()
    log_likelihood: float = UNKNOWN
    gradient_norm: float = UNKNOWN
    iterations: int = 0
    evaluations: int = 0
    starts: int = 0
    n_customers: float = UNKNOWN
    n_distinct: int = 0
    n_parameters: int = 0
    facts: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    log_covariance: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of_given(cls, names: tuple[str, ...]) -> FitReport:
        """Report on parameters that the user gave: nothing is known of how sure they are."""
        nothing = ((UNKNOWN,) * len(names),) * len(names)
        return cls("given", undefined=names, n_parameters=len(names), log_covariance=nothing)

    @property
    def aic(self) -> float:
        """Akaike's criterion: 2 k - 2 log L."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion: k log n - 2 log L."""
        return self.n_parameters * float(np.log(self.n_customers)) - 2.0 * self.log_likelihood

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN as None."""
        plain = asdict(self)
        for name in ("log_likelihood", "gradient_norm", "n_customers"):
            plain[name] = _or_none(plain[name])
        for name in ("boundary", "undefined", "notes"):
            plain[name] = list(plain[name])
        plain["log_covariance"] = [[_or_none(v) for v in row] for row in self.log_covariance]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FitReport:
        """Inverse of ``to_dict``.

        Raises
        ------
        ArtefactError
            If a name is missing or unknown, or a value is not of its kind.
        """
        check_names(plain, [f.name for f in fields(cls)], "the fit report")
        with reading("fit report"):
            values = dict(plain)
            if values["status"] not in ("interior", "boundary", "given"):
                raise ValueError(f"status {values['status']!r:.80} is none of a fit.")
            for name in ("log_likelihood", "gradient_norm", "n_customers"):
                values[name] = number(values[name], name, none=True)
            for name in ("iterations", "evaluations", "starts", "n_distinct", "n_parameters"):
                if number(values[name], name) != int(values[name]) or values[name] < 0:
                    raise ValueError(f"{name}={values[name]!r} must be a count.")
            for name in ("boundary", "undefined", "notes"):
                values[name] = texts(values[name], name)
            values["facts"] = {str(k): number(v, f"fact {k}") for k, v in values["facts"].items()}
            rows = [
                [number(v, "log_covariance", none=True) for v in r]
                for r in values["log_covariance"]
            ]
            if any(len(row) != len(rows) or row[i] < 0 for i, row in enumerate(rows)):
                raise ValueError("log_covariance is no covariance.")
            values["log_covariance"] = tuple(map(tuple, rows))
            return cls(**values)

    def __str__(self) -> str:
        lines = [f"{self.status} fit"]
        lines += [f"  {reason}" for reason in self.boundary]
        if self.undefined:
            lines.append(f"  no standard errors for: {', '.join(self.undefined)}")
        if self.status != "given":
            lines.append(
                f"  log-likelihood {self.log_likelihood:,.4f}, gradient {self.gradient_norm:.1e}, "
                f"{self.iterations} iterations, {self.evaluations} evaluations, "
                f"{self.starts} starts"
            )
            lines.append(
                f"  {self.n_customers:,.0f} customers in {self.n_distinct:,} distinct rows"
            )
        lines += [f"  {name.replace('_', ' ')}: {value:,}" for name, value in self.facts.items()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


class FittedLaw:
    """Mixin of estimators that hold ``params_`` (a NamedTuple, all positive) and a ``FitReport``.

    The class has ``from_params``, which takes the parameters and the settings by name.
    """

    params_: Any
    _report: FitReport

    def fit_report(self) -> FitReport:
        """How the fit ended: status, boundary, log-likelihood, gradient norm, data facts.

        Returns
        -------
        FitReport
        """
        check_is_fitted(self, "params_")
        return self._report

    def covariance(self) -> pd.DataFrame:
        """Return the covariance of the logs of the parameters; NaN where it is not defined.

        Returns
        -------
        DataFrame of shape (n_parameters, n_parameters)
        """
        import pandas as pd

        table = np.asarray(self.fit_report().log_covariance)
        names = list(self.params_._fields)
        return pd.DataFrame(table, index=names, columns=names)

    def standard_errors(self) -> pd.Series:
        """Take standard errors of the parameters from the observed information.

        Returns
        -------
        Series
            By parameter; NaN for those named in ``fit_report().undefined``: on a boundary, or given
            by the user, they have none.
        """
        import pandas as pd

        errors = self._spread() * np.asarray(self.params_)
        return pd.Series(errors, index=list(self.params_._fields), name="standard_error")

    def confidence_interval(self, level: float = 0.95) -> pd.DataFrame:
        """Estimate and interval of each parameter, symmetric in logs so that it stays positive.

        It is Wald's, from the curvature at the maximum, and too short on one side where the
        likelihood is lopsided: with a few hundred customers take ``profile_interval`` (of purchase
        models) or ``bootstrap``.

        Parameters
        ----------
        level : float, default=0.95

        Returns
        -------
        DataFrame
            Index ``parameter``; columns ``estimate``, ``lower``, ``upper``, ``note`` (why there is
            no interval, else empty).
        """
        import pandas as pd
        from scipy.special import ndtri

        report = self.fit_report()
        estimate = np.array(self.params_, dtype=float)
        reach = float(ndtri(0.5 + check_level(level) / 2.0)) * self._spread()
        if report.status == "given":
            why = "given, not estimated"
        else:
            why = f"undefined at the boundary: {'; '.join(report.boundary) or 'flat likelihood'}"
        return pd.DataFrame(
            {
                "estimate": estimate,
                "lower": estimate * np.exp(-reach),
                "upper": estimate * np.exp(reach),
                "note": [why if k in report.undefined else "" for k in self.params_._fields],
            },
            index=pd.Index(self.params_._fields, name="parameter"),
        )

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
            Parameters on a boundary have no standard error and stay at their estimate.

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
        spread = np.nan_to_num(np.asarray(self._report.log_covariance))
        centre = np.log(np.asarray(self.params_, dtype=float))
        return np.exp(rng.multivariate_normal(centre, spread, size=n, method="eigh"))

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
                "report": self._report.to_dict(),
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
        model._report = report
        return model

    def _settings(self) -> dict[str, Any]:
        """Give the settings that ``from_params`` takes, as plain values."""
        raise NotImplementedError

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        """Turn plain values into the settings that ``from_params`` takes."""
        return plain

    def _spread(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(np.asarray(self.fit_report().log_covariance))))


def read_plain(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Copy plain JSON values of a schema this version reads; `_portable.unseal` checks more."""
    copy: dict[str, Any] = json.loads(json.dumps(dict(plain)))
    if copy.get("schema") not in (SCHEMA, SEALED):
        raise ArtefactError(
            f"the dictionary has schema {copy.get('schema')!r}; this version reads {SCHEMA} and "
            f"{SEALED}."
        )
    return copy


def check_level(level: float) -> float:
    """Return the level of an interval, or say what one looks like."""
    try:
        found = float(level)
    except (TypeError, ValueError):
        found = UNKNOWN
    if not 0.0 < found < 1.0:
        raise ValueError(f"level={level!r} must lie in (0, 1), such as 0.8 or 0.95.")
    return found


def _by_name(cls: Any, name: str) -> Any:
    for kind in cls.__subclasses__():
        if kind.__name__ == name:
            return kind
        found = _by_name(kind, name)
        if found is not None:
            return found
    return None


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
