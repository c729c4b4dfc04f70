"""How the fit of a law ended, and what it saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import numpy as np

from custvalue._html import HtmlFacts
from custvalue._portable import check_names, number, reading, texts

UNKNOWN = float("nan")


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
        Covariance of the log parameters (inverse observed information), given those that the search
        held at the edge of its box; of those named in ``undefined`` it tells no standard error.

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


def check_level(level: float) -> float:
    """Return the level of an interval, or say what one looks like."""
    try:
        found = float(level)
    except (TypeError, ValueError):
        found = UNKNOWN
    if not 0.0 < found < 1.0:
        raise ValueError(f"level={level!r} must lie in (0, 1), such as 0.8 or 0.95.")
    return found


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
