"""How a fit ended: interior, on a named boundary, or failed; with the data facts that matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from custvalue._html import HtmlFacts

Status = Literal["interior", "boundary", "given"]


@dataclass(frozen=True)
class FitReport(HtmlFacts):
    """How a fit ended.

    Parameters
    ----------
    status : {"interior", "boundary", "given"}
        ``"interior"``: an ordinary maximum. ``"boundary"``: the likelihood keeps rising towards a
        simpler model, named in ``boundary``; forecasts are usable, some standard errors are not
        defined. ``"given"``: parameters came from the user.
    boundary : tuple of str, default=()
        What the boundary means, in words.
    undefined : tuple of str, default=()
        Parameters whose standard errors are not defined.
    log_likelihood : float
        Total (weighted) log-likelihood.
    gradient_norm : float
        Largest absolute gradient of the mean log-likelihood over the free parameters.
    iterations, evaluations, starts : int
    facts : dict
        Counts and ranges of the data, as plain numbers.
    notes : tuple of str, default=()
        What was left out or looked odd, in sentences.

    Examples
    --------
    >>> from custvalue._kernels._fit_report import FitReport
    >>> FitReport("given").status
    'given'
    """

    status: Status
    boundary: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()
    log_likelihood: float = float("nan")
    gradient_norm: float = float("nan")
    iterations: int = 0
    evaluations: int = 0
    starts: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; what is not known is None."""
        plain = asdict(self)
        for name in ("log_likelihood", "gradient_norm"):
            if plain[name] != plain[name]:
                plain[name] = None
        for name in ("boundary", "undefined", "notes"):
            plain[name] = list(plain[name])
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FitReport:
        """Read back what ``to_dict`` wrote."""
        values = dict(plain)
        for name in ("log_likelihood", "gradient_norm"):
            if values.get(name) is None:
                values[name] = float("nan")
        for name in ("boundary", "undefined", "notes"):
            values[name] = tuple(values.get(name, ()))
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
        lines += [f"  {name}: {value:,}" for name, value in self.facts.items()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)
