"""From weighted histories to parameters and an account of how the search ended."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._fitted import FitReport
from custvalue._kernels import Histories, Objective, Optimum, by_differences, climb, covariance
from custvalue.exceptions import FitFailedError
from custvalue.purchase._law import Floats, Mixing, PurchaseLaw
from custvalue.purchase._prior import Prior

LOWEST, HIGHEST = -16.0, 12.0  # log parameters in scaled time; beyond, a likelihood is flat
CLOSE = 1e-13  # squared Newton decrement of the mean log-likelihood at which a climb ends
FEWEST = 1e-2  # repeat orders a customer, for a start where nobody orders
# shape of order rates, mean and size (a + b, or 3 s) of drop-out, and how often the living order
# more than everybody does on average: like, rare, diverse drop-out, a share that leaves at once
STARTS = (
    (0.7, 0.3, 3.0, 1.0),
    (2.0, 0.05, 10.0, 1.0),
    (0.2, 0.6, 1.0, 1.0),
    (4.0, 0.7, 0.8, 3.0),
    (1.0, 3.0 / 4.0, 0.2, 2.0),
    (20.0, 0.9, 1.5, 8.0),
)
ROUGH = 1e-8  # the same, where only the height of the summit is asked
FLAT = 1e4  # a shape beyond this is one value for all customers
NIL = 1e-5  # a mean below this (in scaled time) is none
TIE = 1e-9  # of the mean log-likelihood: ends of climbs that differ by less are equal
SMALL = 12_000  # work of one evaluation up to which every start is tried
ROW = 10.0  # work of one row; where time is counted, one of each opportunity
HALVINGS = 16  # of the bracket of an interval's end
WARM = 12_000  # rows from which a search starts on a sample
SAMPLE = 10_000  # customers in it
COARSE = 1e-2  # rounding of one customer's log-likelihood from which a summit is luck


def fit_law(
    law: PurchaseLaw, rows: Histories, prior: Prior | None = None, start: Any = None
) -> tuple[Any, FitReport]:
    """Maximise the likelihood (times the prior) of ``rows``.

    Time is scaled to a mean T of 1 and parameters are searched in logs, so that neither units nor
    sizes matter. A likelihood may have several summits: a small table is searched from every start
    and the highest end is kept; over a large one, where one summit towers, the search stops at
    the first inside.

    Returns
    -------
    params : NamedTuple
    report : FitReport

    Raises
    ------
    FitFailedError
        If no start converges, or one customer has so many orders (some 10^12) that rounding hides
        the summit.
    """
    n = float(rows.w.sum())
    scale = 1.0 if law.discrete else float(np.dot(rows.w, rows.T) / n) or 1.0
    scaled = rows if scale == 1.0 else _scaled(rows, scale)
    names = law.params._fields
    objective = _objective(law, scaled, prior, n, scale)
    starts = _starts(law, scaled)
    if start is not None:
        starts = [np.log(np.array(law.rescaled(start, 1.0 / scale), dtype=float)), *starts]
    box = np.full(len(names), LOWEST), np.full(len(names), HIGHEST)
    large = len(rows.x) * (float(rows.T.max()) if law.discrete else ROW) > SMALL
    huge = len(rows.x) > WARM
    first = starts[0]
    if start is None and huge:
        first = _warm(law, scaled, prior, scale, first, box)
    best: Optimum | None = None
    evaluations = tried = 0
    for theta in [first, *starts] if huge else starts:
        # a first climb all the way; later ones need to tell only whether they lead higher
        found = climb(objective, theta, *box, tol=ROUGH if best else CLOSE)
        evaluations, tried = evaluations + found.evaluations, tried + 1
        if best is None:
            best = found
        elif _higher(found, best):
            best = climb(objective, found.theta, *box, tol=CLOSE)
            evaluations += best.evaluations
        settled = best.converged or found.gradient_norm < 1e-7
        if settled and (huge or (large and not _boundaries(law, np.exp(best.theta), best)[0])):
            break
    assert best is not None
    facts = _facts(rows)
    params = law.rescaled(law.params(*map(float, np.exp(best.theta))), scale)
    boundary, undefined = _boundaries(law, np.exp(best.theta), best)
    sound = bool(np.isfinite([best.value, best.gradient_norm, *params]).all())
    rounding = float(np.finfo(float).eps * (rows.x * np.log1p(rows.x)).max())
    if rounding > COARSE or not (sound and (best.converged or best.gradient_norm <= 1e-5)):
        shown = ", ".join(f"{k.replace('_', ' ')} {v:,.6g}" for k, v in facts.items())
        if rounding > COARSE:
            shown += (
                f"; so many orders round one customer's log-likelihood by {rounding:.1g}; "
                "'frequency' is hardly a number of orders"
            )
        raise FitFailedError(
            f"{law.name} did not converge from {tried} starts: gradient norm "
            f"{best.gradient_norm:.1e} per customer after {best.iterations} iterations, at "
            f"{params}. Data: {shown}."
        )
    total = best.value * n
    if prior is not None:
        total -= _prior_part(prior, law, best.theta, scale)[0]
    if not law.discrete:
        total -= float(np.dot(rows.w, rows.x)) * np.log(scale)  # a density has a unit
    held = best.on_lower | best.on_upper
    spread = covariance(best.hessian, n, held)
    for name in undefined:
        spread[names.index(name), :] = spread[:, names.index(name)] = np.nan
    undefined = tuple(k for i, k in enumerate(names) if np.isnan(spread[i, i]))
    report = FitReport(
        status="boundary" if boundary else "interior",
        boundary=boundary,
        undefined=undefined,
        log_likelihood=total,
        gradient_norm=best.gradient_norm,
        iterations=best.iterations,
        evaluations=evaluations,
        starts=tried,
        n_customers=n,
        n_distinct=len(rows.x),
        n_parameters=len(names),
        facts=facts,
        log_covariance=tuple(tuple(map(float, row)) for row in spread),
    )
    return params, report


def profile(
    law: PurchaseLaw, rows: Histories, prior: Prior | None, params: Any, level: float
) -> Floats:
    """Find the ends of each parameter's likelihood-ratio interval, shape (n_parameters, 2).

    A value lies inside where the best likelihood of all fits with that value is within half the
    chi-square quantile of the highest. An end beyond the search's box is 0 or infinity.
    """
    from scipy.special import chdtri

    n = float(rows.w.sum())
    scale = 1.0 if law.discrete else float(np.dot(rows.w, rows.T) / n) or 1.0
    objective = _objective(law, rows if scale == 1.0 else _scaled(rows, scale), prior, n, scale)
    top = np.log(np.array(law.rescaled(params, 1.0 / scale), dtype=float))
    highest = objective(top)[0]
    allowed = 0.5 * float(chdtri(1, 1.0 - level)) / n
    ends = np.empty((len(top), 2))
    for k in range(len(top)):
        for side, limit in enumerate((LOWEST, HIGHEST)):
            near = top.copy()  # the best others at the last value make a good start for the next
            step, inside, outside = 0.25, float(top[k]), float(top[k])
            while outside != limit:
                outside = float(np.clip(top[k] + (step if side else -step), LOWEST, HIGHEST))
                value, near = _best_others(objective, near, k, outside)
                if value < highest - allowed:
                    break
                inside, step = outside, 2.0 * step
            else:
                ends[k, side] = np.inf if side else 0.0
                continue
            for _ in range(HALVINGS):
                middle = 0.5 * (inside + outside)
                value, near = _best_others(objective, near, k, middle)
                inside, outside = (
                    (inside, middle) if value < highest - allowed else (middle, outside)
                )
            ends[k, side] = np.exp(0.5 * (inside + outside))
    scaled = np.array([scale if name in law.time_params else 1.0 for name in law.params._fields])
    return ends * scaled[:, None]


def _best_others(objective: Objective, near: Floats, k: int, value: float) -> tuple[float, Floats]:
    """Return the highest likelihood with parameter ``k`` at ``value``, and where it is reached."""
    start, low, high = near.copy(), np.full(len(near), LOWEST), np.full(len(near), HIGHEST)
    start[k] = low[k] = high[k] = value
    found = climb(objective, start, low, high, tol=CLOSE)
    return found.value, found.theta


def _higher(found: Optimum, best: Optimum) -> bool:
    """Whether an end of a climb is better: one that converged, then the higher.

    Ends of one ridge are equal but for rounding; the first of them is kept, so that the answer does
    not hang on the order of rows or the unit of time.
    """
    if found.converged != best.converged:
        return found.converged
    if not np.isfinite(found.value):
        return False
    return not np.isfinite(best.value) or found.value > best.value + TIE


def _scaled(rows: Histories, scale: float) -> Histories:
    tick = None if rows.tick is None else rows.tick / scale
    return Histories(rows.x, rows.t_x / scale, rows.T / scale, rows.w, tick)


def _objective(
    law: PurchaseLaw, rows: Histories, prior: Prior | None, n: float, scale: float
) -> Objective:
    if law.objective is not None:
        of_data = law.objective(rows)
    else:

        def mean(theta: Floats) -> float:
            ll = law.log_likelihood(*np.exp(theta), rows.x, rows.t_x, rows.T)
            return float(np.dot(rows.w, ll)) / float(rows.w.sum())

        of_data = by_differences(mean)
    if prior is None:
        return of_data

    def with_prior(theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = of_data(theta)
        v, g, h = _prior_part(prior, law, theta, scale)
        return value + v / n, gradient + g / n, hessian + h / n

    return with_prior


def _prior_part(
    prior: Prior, law: PurchaseLaw, theta: Floats, scale: float
) -> tuple[float, Floats, Floats]:
    names = law.params._fields
    shift = np.array([np.log(scale) if k in law.time_params else 0.0 for k in names])
    return prior.log_density(theta + shift, names, law.mixing)


def _starts(law: PurchaseLaw, rows: Histories) -> list[Floats]:
    """Log parameters to start from: the mean of the order process from the data, guesses else."""
    n = float(rows.w.sum())
    seen = max(float(np.dot(rows.w, rows.x)) / n, FEWEST)
    rate = seen / max(float(np.dot(rows.w, rows.T)) / n, FEWEST)
    starts = []
    for shape, leave, size, often in STARTS:
        values = dict.fromkeys(law.params._fields, 1.0)
        for m in law.mixing:
            if m.kind == "gamma" and m.what == "order_rate":
                values[m.first], values[m.second] = shape, shape / (often * rate)
            elif m.kind == "gamma":  # s and beta: few s with a small beta, and some leave at once
                values[m.first], values[m.second] = size / 3.0, size / (9.0 * leave)
            else:
                mean = leave if m.what == "dropout" else min(often * rate, 0.9)
                values[m.first], values[m.second] = size * mean, size * (1.0 - mean)
        starts.append(np.log([values[k] for k in law.params._fields]))
    return starts


def _warm(
    law: PurchaseLaw,
    rows: Histories,
    prior: Prior | None,
    scale: float,
    theta: Floats,
    box: tuple[Floats, Floats],
) -> Floats:
    """Climb on every k-th customer; from there the full search needs three evaluations."""
    total = np.cumsum(rows.w)
    # equal customers stand in one row, so that every k-th row would be a skewed sample
    every = (np.arange(SAMPLE) + 0.5) * (float(total[-1]) / SAMPLE)
    row = np.searchsorted(total, every)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    x, t_x, T = (v[row[first]] for v in rows[:3])
    times = np.diff(first, append=SAMPLE).astype(np.float64)
    part = Histories(x, t_x, T, times, rows.tick)
    found = climb(_objective(law, part, prior, float(SAMPLE), scale), theta, *box, tol=1e-4)
    return found.theta if np.isfinite(found.value) else theta


def _facts(rows: Histories) -> dict[str, float]:
    n = float(rows.w.sum())
    return {
        "customers": n,
        "share_without_repeat": float(np.dot(rows.w, rows.x == 0)) / n,
        "mean_frequency": float(np.dot(rows.w, rows.x)) / n,
        "max_frequency": float(rows.x.max()),
        "min_T": float(rows.T.min()),
        "max_T": float(rows.T.max()),
        # enough to recognise the same rows, not enough to learn anything about one of them
        "sum_recency": float(np.dot(rows.w, rows.t_x)),
        "sum_T": float(np.dot(rows.w, rows.T)),
    }


_WORDS = {
    "order_rate": ("no spread in order rates: one rate for all customers", "nobody orders again"),
    "order_chance": (
        "no spread in order chances: one chance for all customers",
        "nobody orders again",
    ),
    "dropout": ("no spread in drop-out: one value for all customers", "nobody leaves"),
}


def _boundaries(
    law: PurchaseLaw, params: Floats, found: Optimum
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the boundaries reached, and the parameters that lose their meaning there."""
    values = dict(zip(law.params._fields, params, strict=True))
    words: list[str] = []
    undefined: list[str] = []
    for m in law.mixing:
        said = _boundary_of(m, values[m.first], values[m.second])
        if said:
            words.append(said)
            undefined += [m.first, m.second]
    stuck = np.flatnonzero(found.on_lower | found.on_upper)
    for i in stuck:
        name = law.params._fields[i]
        if name not in undefined:
            words.append(f"{name} runs to {'0' if found.on_lower[i] else 'infinity'}")
            undefined.append(name)
    return tuple(words), tuple(undefined)


def _boundary_of(m: Mixing, first: float, second: float) -> str | None:
    even, none = _WORDS[m.what]
    mean = first / second if m.kind == "gamma" else first / (first + second)
    if mean < NIL:
        return none
    if m.what == "dropout" and mean > (1.0 / NIL if m.kind == "gamma" else 1.0 - NIL):
        return "everybody leaves at once"
    if (first if m.kind == "gamma" else first + second) > FLAT:
        return even
    if m.kind == "beta" and first + second < 1e-4:
        return f"{m.what}: every customer's is 0 or 1"
    return None
