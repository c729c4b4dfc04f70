"""One search for every law: from rows to parameters, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from custvalue._fitted import FitReport
from custvalue._kernels import Objective, Optimum, covariance, maximise, pseudo_covariance
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue.exceptions import ConvergenceWarning, FitFailedError
from custvalue.likelihood._effects import Effects
from custvalue.likelihood._law import CLOSE, Dimension, Law, Plan, Units

ROUGH = 1e-8  # decrement at which a maximise ends of which only the height is asked
TIE = 1e-9  # of the mean log-likelihood: ends of searches that differ by less are equal
HALVINGS = 16  # of the bracket of an interval's end
_HOLD: WeakSet[Law] = WeakSet()  # laws whose dimensions are known to hold
Penalty = Callable[[Floats], tuple[float, Floats, Floats]]


@dataclass(frozen=True)
class FittedLaw:
    """Parameters and what is known of them: the one value that a fitted law leaves; no data.

    Parameters
    ----------
    params : NamedTuple
        In the user's units.
    dimensions : dict of str to str
        Of each parameter: ``"time"``, ``"1/time"``, ``"money"`` or ``"none"``.
    report : FitReport
        How the fit ended: status, boundaries, log-likelihood, covariance of the log parameters.
    unit : str or None, default=None
        Unit of time.
    effects : Effects or None, default=None
        What columns of customers do to the parameters, which then are those of a customer whose
        numbers are 0 and whose categories are the base levels.
    groups : FittedGroups or None, default=None
        Parameters by group, where the fit was one by group; ``params`` are then the common ones.

    Examples
    --------
    >>> from custvalue.purchase import NBD
    >>> fitted = NBD.from_params(r=1.0, alpha=5.0, unit="W").fitted_
    >>> fitted.params, fitted.dimensions["alpha"], fitted.unit, fitted.boundary
    (NBDParams(r=1.0, alpha=5.0), 'time', 'W', ())
    """

    params: Any
    dimensions: Mapping[str, Dimension]
    report: FitReport
    unit: str | None = None
    effects: Effects | None = None
    groups: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order; then of the factors of columns."""
        return (*self.params._fields, *(() if self.effects is None else self.effects.names))

    @property
    def values(self) -> Floats:
        """The parameters, then by what factor a unit of each column moves its process."""
        factors = () if self.effects is None else self.effects.values
        return np.concatenate([np.asarray(self.params, dtype=np.float64), np.exp(factors)])

    @property
    def log_likelihood(self) -> float:
        """Total over customers, natural log; NaN where the parameters were given."""
        return self.report.log_likelihood

    @property
    def covariance(self) -> Floats:
        """Covariance of the log parameters, shape (k, k); NaN where it is not defined."""
        spread = np.array(self.report.log_covariance, dtype=float)
        out = np.isin(self.names, self.report.undefined)
        spread[out, :] = spread[:, out] = np.nan
        return spread

    @property
    def spread(self) -> Floats:
        """Covariance of the log parameters for the error of a forecast, shape (k, k).

        Where a fit ended on a boundary, the parameters on it have no standard error, yet what they
        make together is as uncertain as ever: with one drop-out rate s / beta for all customers, s
        and beta are anything large, and their ratio is an estimate. This is the covariance of the
        others given the parameters that the search held at the edge.
        """
        return np.nan_to_num(np.asarray(self.report.log_covariance, dtype=float))

    @property
    def boundary(self) -> tuple[str, ...]:
        """Each boundary on which the fit ended, in words."""
        return self.report.boundary


def fit_law(
    law: Law,
    rows: Any,
    *,
    penalty: Penalty | None = None,
    start: Any = None,
    unit: str | None = None,
    notes: Sequence[str] = (),
) -> FittedLaw:
    """Maximise the likelihood of ``rows`` (times a prior).

    Time and money are counted in the units of ``law.units`` and parameters are searched in logs, so
    that neither units nor ranges of parameters matter.

    Parameters
    ----------
    law : Law
    rows : Rows
        Of the kind that the law takes.
    penalty : callable, optional
        Log density of a prior with gradient and Hessian in the log parameters, in the user's units.
    start : NamedTuple, optional
        Parameters to maximise from before the law's own starts.
    unit : str, optional
        Unit of time, kept with the result.
    notes : sequence of str, optional
        Sentences for the report.

    Returns
    -------
    FittedLaw

    Raises
    ------
    FitFailedError
        If no start converges, or the rows hide the summit.
    ValueError
        If the law's declared dimensions are not those of its likelihood.

    Warns
    -----
    ConvergenceWarning
        If the search ended a little short of the summit.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import compress
    >>> from custvalue.likelihood import fit_law
    >>> from custvalue.purchase import NBD
    >>> x, t_x = np.array([0.0, 1.0, 4.0]), np.array([0.0, 5.0, 9.0])
    >>> fitted = fit_law(NBD.law, compress(x, t_x, np.full(3, 10.0)))
    >>> fitted.names, round(fitted.params.r / fitted.params.alpha, 4)
    (('r', 'alpha'), 0.1667)
    """
    units = law.units(rows)
    counted, shift = law.counted(rows, units), np.log(law.factors(units))
    objective = _penalised(law, law.objective_of(counted), penalty, shift, rows.n)
    starts, plan = list(law.starts(counted)), law.plan(counted)
    if start is None:
        _check_dimensions(law, rows, counted, units)
    else:
        plan = plan._replace(samples=())
        starts = [law.from_logs(np.log(np.asarray(start, float)) - shift), *starts]

    def edges(found: Optimum) -> tuple[tuple[str, ...], set[str]]:
        return law.boundaries(np.exp(law.to_logs(found.theta)), found)

    def sampled(size: int) -> Objective:
        part = counted.part(size)
        return _penalised(law, law.objective_of(part), penalty, shift, part.n)

    parts = [(sampled(size), tol) for size, tol in plan.samples]
    best, tried, evaluations = search(
        objective, starts, plan, parts=parts, at_edge=lambda found: bool(edges(found)[0])
    )
    logs = law.to_logs(best.theta) + shift
    params, facts = law.params(*map(float, np.exp(logs))), law.facts(rows)
    sound = bool(np.isfinite([best.value, best.gradient_norm, *params]).all())
    trouble = law.trouble(rows)
    if trouble or not (sound and (best.converged or best.gradient_norm <= 1e-5)):
        shown = ", ".join(f"{k.replace('_', ' ')} {v:,.6g}" for k, v in facts.items())
        raise FitFailedError(
            f"{law.name} did not converge from {tried} starts: gradient norm "
            f"{best.gradient_norm:.1e} per customer after {best.iterations} iterations, at "
            f"{params}. Data: {shown}{trouble}."
        )
    if start is None and best.promised > plan.enough:
        warn_caller(
            f"the gradient is {best.gradient_norm:.1e} at the best of {tried} starts.",
            ConvergenceWarning,
        )
    boundary, undefined = edges(best)
    spread, unsure = _log_covariance(law, best, rows.n, undefined)
    total = best.value * rows.n - (penalty(logs)[0] if penalty is not None else 0.0)
    lost = law.log_unit(rows, units)
    report = FitReport(
        status="boundary" if boundary else "interior",
        boundary=boundary,
        undefined=tuple(np.array(law.names)[unsure].tolist()),
        log_likelihood=total - float(lost.sum() if rows.w is None else rows.w @ lost),
        gradient_norm=best.gradient_norm,
        iterations=best.iterations,
        evaluations=evaluations,
        starts=tried,
        n_customers=rows.n,
        n_distinct=rows.size,
        n_parameters=len(law.names),
        facts=facts,
        notes=(*notes, *law.notes(params)),
        log_covariance=tuple(tuple(map(float, row)) for row in spread),
    )
    return FittedLaw(params, law.dimensions, report, unit)


def search(
    objective: Objective,
    starts: Sequence[Floats],
    plan: Plan,
    *,
    parts: Sequence[tuple[Objective, float]] = (),
    at_edge: Callable[[Optimum], bool] | None = None,
) -> tuple[Optimum, int, int]:
    """Maximise from several starts and keep the highest summit.

    Parameters
    ----------
    objective : callable
        ``theta -> (value, gradient, hessian)``.
    starts : sequence of ndarray of shape (k,)
    plan : Plan
    parts : sequence of (callable, float), optional
        Objectives of samples of the rows, small to large, with the decrement at which each search
        ends: where they lead, the search on all rows begins.
    at_edge : callable, optional
        Whether a summit lies on a boundary, so that other starts are worth trying.

    Returns
    -------
    best : Optimum
    tried, evaluations : int

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.likelihood._law import Plan
    >>> hills = lambda t: (float(np.cos(t[0]) + t[0] / 9), 1 / 9 - np.sin(t), -np.cos(t)[:, None])
    >>> plan = Plan(np.array([-9.0]), np.array([9.0]))
    >>> best, tried, _ = search(hills, [np.array([v]) for v in (-6.0, 0.0, 6.0)], plan)
    >>> bool(best.theta[0] > 6), tried
    (True, 3)
    """
    box = plan.lower, plan.upper
    best: Optimum | None = None
    evaluations = tried = 0
    queue = list(starts)
    if parts:
        for part, tol in parts:
            some = _promising(part, queue, plan.on_sample) if best is None else [best.theta]
            ends = [maximise(part, theta, *box, tol=tol) for theta in some]
            best = max(ends, key=lambda end: end.value if np.isfinite(end.value) else -np.inf)
        assert best is not None
        queue = [best.theta, *starts] if np.isfinite(best.value) else queue
        best = None
    elif plan.searches is not None:
        queue = _promising(objective, queue, plan.searches)
    for theta in queue:
        # a first search all the way; later ones need to tell only whether they lead higher
        found = maximise(objective, theta, *box, tol=ROUGH if best else plan.close)
        evaluations, tried = evaluations + found.evaluations, tried + 1
        if best is None:
            best = found
        elif _higher(found, best):
            best = maximise(objective, found.theta, *box, tol=CLOSE)
            evaluations += best.evaluations
        settled = best.converged or found.gradient_norm < 1e-7
        if settled and (parts or (plan.hurry and not (at_edge is not None and at_edge(best)))):
            break
    assert best is not None, "at least one start"
    if plan.close > CLOSE and (best.theta > plan.ridge).any():
        best = maximise(objective, best.theta, *box, tol=CLOSE)
    return best, tried, evaluations


def profile(
    law: Law, rows: Any, params: Any, level: float, penalty: Penalty | None = None
) -> Floats:
    """Find the ends of each parameter's likelihood-ratio interval, shape (n_parameters, 2).

    A value lies inside where the best likelihood of all fits with that value is within half the
    chi-square quantile of the highest. An end beyond the search's box is 0 or infinity.

    Parameters
    ----------
    law : Law
    rows : Rows
    params : NamedTuple
        Where the likelihood is highest.
    level : float
        Of the interval, such as 0.95.
    penalty : callable, optional
        As for ``fit_law``.

    Returns
    -------
    ndarray of shape (n_parameters, 2)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import compress
    >>> from custvalue.likelihood import fit_law
    >>> from custvalue.purchase import NBD
    >>> x = np.arange(30.0) % 6
    >>> rows = compress(x, np.where(x > 0, 8.0, 0.0), np.full(30, 10.0))
    >>> params = fit_law(NBD.law, rows).params
    >>> low, high = profile(NBD.law, rows, params, 0.95)[0]
    >>> bool(low < params.r < high)
    True
    """
    from scipy.special import chdtri

    units = law.units(rows)
    counted, shift = law.counted(rows, units), np.log(law.factors(units))
    found = _penalised(law, law.objective_of(counted), penalty, shift, rows.n)
    plan = law.plan(counted)
    lower, upper, objective = plan.lower, plan.upper, found
    if law.basis is not None:  # hold a parameter itself, not what the search moves in
        back = np.linalg.inv(law.basis)
        corners = law.basis * lower, law.basis * upper
        lower, upper = np.minimum(*corners).sum(axis=1), np.maximum(*corners).sum(axis=1)

        def objective(logs: Floats) -> tuple[float, Floats, Floats]:
            value, g, h = found(back @ logs)
            return value, back.T @ g, back.T @ h @ back

    top = np.log(np.asarray(params, dtype=float)) - shift
    highest = objective(top)[0]
    allowed = 0.5 * float(chdtri(1, 1.0 - level)) / rows.n
    ends = np.empty((len(top), 2))
    for k in range(len(top)):
        for side, limit in enumerate((lower[k], upper[k])):
            near = top.copy()  # the best others at the last value make a good start for the next
            step, inside, outside = 0.25, float(top[k]), float(top[k])
            while outside != limit:
                outside = float(np.clip(top[k] + (step if side else -step), lower[k], upper[k]))
                value, near = _best_others(objective, near, k, outside, lower, upper)
                if value < highest - allowed:
                    break
                inside, step = outside, 2.0 * step
            else:
                ends[k, side] = np.inf if side else 0.0
                continue
            for _ in range(HALVINGS):
                middle = 0.5 * (inside + outside)
                value, near = _best_others(objective, near, k, middle, lower, upper)
                inside, outside = (
                    (inside, middle) if value < highest - allowed else (middle, outside)
                )
            ends[k, side] = np.exp(0.5 * (inside + outside))
    return ends * np.exp(shift)[:, None]


def _best_others(
    objective: Objective, near: Floats, k: int, value: float, lower: Floats, upper: Floats
) -> tuple[float, Floats]:
    """Return the highest likelihood with parameter ``k`` at ``value``, and where it is reached."""
    start, low, high = near.copy(), lower.copy(), upper.copy()
    start[k] = low[k] = high[k] = value
    found = maximise(objective, start, low, high, tol=CLOSE)
    return found.value, found.theta


def _promising(objective: Objective, starts: Sequence[Floats], count: int) -> list[Floats]:
    """Keep the starts with the highest likelihood; of one, the first, which costs nothing."""
    if count == 1:
        return list(starts[:1])

    def height(theta: Floats) -> float:
        value = objective(theta)[0]
        return value if np.isfinite(value) else -np.inf

    return sorted(starts, key=height, reverse=True)[:count]


def _higher(found: Optimum, best: Optimum) -> bool:
    """Whether an end of a search is better: one that converged, then the higher.

    Ends of one ridge are equal but for rounding; the first of them is kept, so that the answer does
    not hang on the order of rows or the unit of time.
    """
    if found.converged != best.converged:
        return found.converged
    if not np.isfinite(found.value):
        return False
    return not np.isfinite(best.value) or found.value > best.value + TIE


def _penalised(
    law: Law, of_data: Objective, penalty: Penalty | None, shift: Floats, n: float
) -> Objective:
    if penalty is None:
        return of_data

    def with_prior(theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = of_data(theta)
        v, g, h = penalty(law.to_logs(theta) + shift)
        if law.basis is not None:
            g, h = law.basis.T @ g, law.basis.T @ h @ law.basis
        return value + v / n, gradient + g / n, hessian + h / n

    return with_prior


def _log_covariance(
    law: Law, best: Optimum, n: float, undefined: set[str]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Covariance of the log parameters given those at the edge, and which have no error."""
    held = best.on_lower | best.on_upper
    spread = covariance(best.hessian, n, held)
    free = np.ix_(~held, ~held)
    lost = np.array([name in undefined for name in law.names])
    if not np.isfinite(spread[free]).all():
        lost[:] = True
        spread[free] = pseudo_covariance(best.hessian[free], n)
    elif law.basis is None:
        lost |= held
    spread = np.nan_to_num(spread)
    return (spread if law.basis is None else law.basis @ spread @ law.basis.T), lost


def _check_dimensions(law: Law, rows: Any, counted: Any, units: Units) -> None:
    """Raise where counting time or money otherwise changes the likelihood of a few rows."""
    if units == Units() or law.log_likelihood is None or law in _HOLD:
        return
    some = slice(0, 16)
    theta = next(iter(law.starts(counted)))
    here = np.exp(law.to_logs(theta))
    there = here * law.factors(units)
    with np.errstate(all="ignore"):
        mine = law.log_likelihood(*here, *(v[some] for v in law.columns(counted)))
        user = law.log_likelihood(*there, *(v[some] for v in law.columns(rows)))
    mine = mine - law.log_unit(rows, units)[some]
    good = np.isfinite(mine) & np.isfinite(user)
    if not np.allclose(mine[good], user[good], rtol=1e-6, atol=1e-6):
        raise ValueError(
            f"{law.name}: its likelihood changes with the unit in which time or money is counted, "
            f"so that dimensions={dict(law.dimensions)} cannot be right: of every parameter they "
            "must say whether it is a length of time ('time'), a rate ('1/time'), money or none."
        )
    if good.any():
        _HOLD.add(law)
