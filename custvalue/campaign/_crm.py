"""What a change in how customers are served brought: before and after, against those without it.

Units (branches, agents, customers) start at a date, at several, or never. Without units that have
not started there is no control, and what is found is a change, whoever or whatever made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._typing import Floats, Places
from custvalue._warn import warn_caller
from custvalue.campaign._balance import balance_of, entropy_balance
from custvalue.campaign._crm_result import CrmEffect, Estimate
from custvalue.campaign._panel import Panel, read_panel
from custvalue.campaign._shuffles import accepted, studentised
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    NotSupportedError,
    SmallSampleWarning,
)

How = Literal["permutation", "welch"]
MANY = 40  # ways to split the units: with fewer no test of 5 % on both sides exists
NO_SPREAD = "one unit a start: nothing to tell chance from"
TOO_FEW = "too few units to tell chance from"


class _Contrast(NamedTuple):
    """A sum over cohorts of the mean of ``by[cohort] @ values``.

    Parameters
    ----------
    by : ndarray of shape (n_cohorts, n_periods)
    n_treated, n_control : int
    """

    by: Floats
    n_treated: int
    n_control: int


def crm_effect(
    panel: Any,
    *,
    unit: str,
    period: str,
    metrics: Sequence[str],
    adopted: str | None = None,
    start: Any = None,
    weigh_controls: bool = False,
    confidence: float = 0.95,
    method: How = "permutation",
    seed: int = 0,
    n_draws: int = 2000,
) -> CrmEffect:
    """Compare units before and after they started something with units that had not.

    Parameters
    ----------
    panel : frame of shape (n_units * n_periods, n_columns)
        One row a unit (branch, agent, customer) and period.
    unit, period : str
        Columns; periods are sorted by their values (dates, numbers, ``"2025-03"``).
    metrics : sequence of str
        Columns of what may have changed.
    adopted : str or None, default=None
        Column with the period or date at which the unit started; missing for never. A date between
        two periods counts from the later one.
    start : object, default=None
        In place of ``adopted``: the period in which all units started. Then there is no control.
    weigh_controls : bool, default=False
        Weigh units that never started so that their means before the start are those of the
        treated (`entropy_balance`), where the start was not drawn at random. One start only.
    confidence : float, default=0.95
    method : {"permutation", "welch"}, default="permutation"
        Critical values of the overall numbers and placebos: from giving the starts to other units
        at random, or Student's t, which few units of nearly normal changes need. Single cells,
        changes and weighted controls always have Student's t.
    seed : int, default=0
    n_draws : int, default=2000

    Returns
    -------
    CrmEffect

    Raises
    ------
    DataContractError
        All together: missing columns, units with missing periods or values, two rows of one unit
        and period, units that started in or before the first period or at two dates.
    ValueError
        If neither or both of ``adopted`` and ``start`` are given.
    NotSupportedError
        If controls of several starts are to be weighted, or of no control.

    Warns
    -----
    SmallSampleWarning
        If there are so few ways to give the starts to the units that no test of 5 % exists.
    DataWarning
        If treated and other units went apart before the start already.

    Notes
    -----
    One start: the mean of a unit's periods after less that before, treated against never treated
    (the collapsed form of Bertrand, Duflo & Mullainathan 2004, whose errors are right whatever the
    periods have to do with each other).

    Several starts: for the units that start at ``g`` and each period ``t`` from then on
    ``ATT(g, t)``, the mean of ``y_t - y_(g-1)`` less that of units that have not started by ``t``
    (Callaway & Sant'Anna 2021, equation 2.8, without covariates); overall their mean weighted by
    units. For ``t`` before ``g`` the same with ``y_t - y_(t-1)`` is a placebo: there is nothing to
    find. Periods in which every unit has started have no control and do not enter.

    Errors: units are independent; each cohort has its own variance, one of a single unit that of
    all (Satterthwaite's degrees of freedom). Weights of controls are taken as they are, and what
    the pre-period means explain of the change is taken out.

    References
    ----------
    Bertrand, M., Duflo, E. & Mullainathan, S. (2004), How much should we trust
    differences-in-differences estimates?, Quarterly Journal of Economics 119(1), 249-275.
    Callaway, B. & Sant'Anna, P. (2021), Difference-in-differences with multiple time periods,
    Journal of Econometrics 225(2), 200-230. Hainmueller, J. (2012), Entropy balancing for causal
    effects, Political Analysis 20(1), 25-46.

    Examples
    --------
    Two units start in period 3, one in period 4, one never.

    >>> import numpy as np
    >>> import pandas as pd
    >>> from custvalue._warn import heard
    >>> from custvalue.campaign import crm_effect
    >>> calls = [10, 11, 15, 16, 8, 9, 13, 15, 12, 13, 14, 19, 9, 10, 11, 12]
    >>> panel = pd.DataFrame({
    ...     "branch": np.repeat(list("abcd"), 4), "month": [1, 2, 3, 4] * 4, "calls": calls,
    ...     "go_live": np.repeat([3, 3, 4, np.nan], 4)})
    >>> with heard():  # four units: a warning
    ...     found = crm_effect(panel, unit="branch", period="month", metrics=["calls"],
    ...                        adopted="go_live")
    >>> round(found["calls"].effect, 6)
    3.4
    >>> after = found.cell_table().query("since >= 0")
    >>> after[["start", "period", "estimate"]].to_numpy().tolist()
    [[3.0, 3.0, 3.0], [3.0, 4.0, 3.5], [4.0, 4.0, 4.0]]
    """
    if (adopted is None) == (start is None):
        raise ValueError("say when units started: adopted= (a column) or start= (for all of them).")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r} must lie between 0 and 1.")
    if method not in get_args(How):
        raise ValueError(f"method={method!r} must be one of {list(get_args(How))}.")
    if n_draws < 1:
        raise ValueError(f"n_draws={n_draws!r} must be 1 or more.")
    read = read_panel(panel, unit, period, list(metrics), adopted, start)
    last = len(read.periods)
    starts = np.unique(read.start)
    control = last in starts
    if starts[0] == last:
        raise DataContractError(
            ContractProblem(
                "nobody-treated",
                f"no unit started by the last period, {read.periods[-1]}",
                "There is nothing to compare yet.",
            )
        )
    cohort = np.searchsorted(starts, read.start)
    sizes = np.bincount(cohort)
    if weigh_controls and (not control or len(starts) > 2):
        raise NotSupportedError(
            "weigh_controls needs one start and units that never started; several starts are "
            "compared with units that have not started yet, as they are."
        )
    rng = np.random.default_rng(seed)
    ask = _Asked(confidence, method, n_draws, rng)
    if len(starts) == 1:
        return _changes(read, metrics, int(starts[0]), ask)
    cells = _cells(starts, sizes, last)
    after = {k: c for k, c in cells.items() if k[1] >= starts[k[0]]}
    placebo = {k: c for k, c in cells.items() if k[1] < starts[k[0]]}
    whole = (
        _collapsed(int(starts[0]), sizes, last)
        if control and len(starts) == 2
        else (_mean_of(after, sizes))
    )
    splits = _ways(sizes)
    if method == "permutation" and splits < MANY:
        warn_caller(
            f"{len(read.start):,} units can be given their starts in {splits:,} ways: too few for "
            "a test of 5 % to find anything. More units, or method='welch' where changes are "
            "nearly normal.",
            SmallSampleWarning,
        )
    rows: dict[str, list[Estimate]] = {"overall": [], "placebos": [], "cells": [], "since": []}
    weights, balance = None, None
    if control and len(starts) == 2:
        means = read.values[:, :, : starts[0]].mean(axis=2).T
        treated = cohort == 0
        if weigh_controls:
            table = pd.DataFrame(means[~treated], columns=list(metrics))
            target = dict(zip(metrics, means[treated].mean(axis=0), strict=True))
            weights = entropy_balance(table, target).weights
        if sizes.min() >= 2:
            balance = balance_of(
                tuple(metrics), means[treated], means[~treated], weights, random=weights is None
            )
    for i, metric in enumerate(metrics):
        y = read.values[i]

        def row(
            contrast: _Contrast,
            shuffled: bool,
            g: Any = None,
            t: Any = None,
            k: int | None = None,
            y: Floats = y,
            metric: str = metric,
        ) -> Estimate:
            if weights is not None:
                found = _weighted(y, cohort, contrast, weights, means, ask)
            else:
                found = _estimated(y, cohort, sizes, contrast, ask, shuffled)
            return Estimate(
                metric,
                "effect",
                g,
                t,
                k,
                *found[:4],
                contrast.n_treated,
                contrast.n_control,
                found[4],
            )

        rows["overall"].append(row(whole, method == "permutation"))
        if placebo:
            rows["placebos"].append(row(_mean_of(placebo, sizes), method == "permutation"))
        lags = sorted({t - int(starts[g]) for g, t in cells})
        for lag in lags:
            these = {k: c for k, c in cells.items() if k[1] - starts[k[0]] == lag}
            rows["since"].append(row(_mean_of(these, sizes), False, k=lag))
        for (g, t), contrast in cells.items():
            at, of = read.periods[int(starts[g])], read.periods[t]
            rows["cells"].append(row(contrast, False, at, of, t - int(starts[g])))
    apart = [p.metric for p in rows["placebos"] if p.low > 0 or p.high < 0]
    if apart:
        warn_caller(
            f"treated and other units went apart before the start already: {', '.join(apart)}. "
            "What came after may be more of the same.",
            DataWarning,
        )
    n_eff = None if weights is None else float(1.0 / (weights @ weights))
    made = {name: tuple(values) for name, values in rows.items()}
    return CrmEffect(**made, balance=balance, confidence=confidence, n_eff=n_eff)


class _Asked(NamedTuple):
    confidence: float
    method: How
    n_draws: int
    rng: np.random.Generator


def _cells(starts: Places, sizes: Places, last: int) -> dict[tuple[int, int], _Contrast]:
    """``ATT(g, t)`` of every cohort and period that has units which have not started."""
    out = {}
    for g, first in enumerate(starts):
        if first == last:
            continue
        for t in range(1, last):
            later = (starts > t) & (starts != first)
            if not later.any():
                continue
            step = np.zeros(last)
            step[t], step[min(t, first) - 1] = 1.0, -1.0
            n_control = int(sizes[later].sum())
            by = np.where(later, -sizes / n_control, 0.0)
            by[g] = 1.0
            out[g, t] = _Contrast(np.outer(by, step), int(sizes[g]), n_control)
    return out


def _collapsed(first: int, sizes: Places, last: int) -> _Contrast:
    """Mean after less mean before, treated less never treated."""
    step = np.where(np.arange(last) < first, -1.0 / first, 1.0 / (last - first))
    return _Contrast(np.outer([1.0, -1.0], step), int(sizes[0]), int(sizes[1]))


def _mean_of(cells: dict[tuple[int, int], _Contrast], sizes: Places) -> _Contrast:
    """Mean of cells, each as often as it has treated units."""
    weight = np.array([c.n_treated for c in cells.values()], dtype=float)
    by = np.tensordot(weight / weight.sum(), np.stack([c.by for c in cells.values()]), 1)
    treated = {g for g, _ in cells}
    others = {h for c in cells.values() for h in np.flatnonzero(c.by.any(axis=1))}
    only = sum(int(sizes[g]) for g in treated)
    compared = {h for h in others if any(c.by[h].any() for k, c in cells.items() if k[0] != h)}
    return _Contrast(by, only, sum(int(sizes[h]) for h in compared))


Found = tuple[float, float, float, float, str]


def _estimated(
    y: Floats, cohort: Places, sizes: Places, contrast: _Contrast, ask: _Asked, shuffled: bool
) -> Found:
    along = y @ contrast.by.T  # of every unit, as if it were of each cohort
    own = along[np.arange(len(y)), cohort]
    means = np.bincount(cohort, own) / sizes
    estimate = float(means.sum())
    used = np.asarray(contrast.by.any(axis=1))
    variance, freedom = _variances(along, own, means, cohort, sizes, used)
    if np.isnan(variance).any():
        return estimate, np.nan, np.nan, np.nan, NO_SPREAD
    error = float(np.sqrt(variance.sum()))
    if not shuffled or not error > 0:
        return (estimate, error, *_student(estimate, variance, freedom, ask.confidence), "")
    gap, spread = np.empty((2, ask.n_draws + 1))
    pooled = used & (sizes < 2)
    for i in range(ask.n_draws):
        moved = along[ask.rng.permutation(len(y))]
        taken = moved[np.arange(len(y)), cohort]
        m = np.bincount(cohort, taken) / sizes
        gap[i] = m.sum()
        if pooled.any():
            v, _ = _variances(moved, taken, m, cohort, sizes, used)
        else:
            squares = np.bincount(cohort, (taken - m[cohort]) ** 2)
            v = (squares / np.maximum(sizes - 1, 1) / sizes)[used]
        spread[i] = np.sqrt(v.sum())
    gap[-1], spread[-1] = estimate, error
    tiny = 1e-12 * float(np.abs(own).max())
    t, _ = studentised(
        np.where(np.abs(gap) <= tiny, 0.0, gap), np.where(spread <= tiny, 0.0, spread)
    )
    least, most = accepted(t, 1 - ask.confidence)
    low, high = estimate - most * error, estimate - least * error
    low = low if t[-1] > most else min(low, 0.0)
    high = high if t[-1] < least else max(high, 0.0)
    return estimate, error, float(low), float(high), ""


def _variances(
    along: Floats,
    own: Floats,
    means: Floats,
    cohort: Places,
    sizes: Places,
    used: npt.NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """Variance of the mean of each cohort in use, and its degrees of freedom."""
    squares = np.bincount(cohort, (own - means[cohort]) ** 2)
    spare = np.maximum(sizes - 1, 0)
    variance = np.full(len(sizes), np.nan)
    several = sizes > 1
    variance[several] = squares[several] / spare[several] / sizes[several]
    freedom = spare.astype(float)
    for g in np.flatnonzero(used & ~several):
        if spare.any():
            inside = along[:, g] - (np.bincount(cohort, along[:, g]) / sizes)[cohort]
            variance[g] = float(inside @ inside) / spare.sum() / sizes[g]
            freedom[g] = spare.sum()
    return variance[used], freedom[used]


def _student(
    estimate: float, variance: Floats, freedom: Floats, confidence: float
) -> tuple[float, float]:
    from scipy.stats import t as student

    total = float(variance.sum())
    if not total > 0:
        return estimate, estimate
    df = total**2 / float((variance**2 / freedom).sum())
    half = float(student.ppf(0.5 + confidence / 2, df) * np.sqrt(total))
    return estimate - half, estimate + half


def _weighted(
    y: Floats, cohort: Places, contrast: _Contrast, weights: Floats, means: Floats, ask: _Asked
) -> Found:
    """Treated less weighted controls; what the balanced means explain is no error."""
    change = y @ contrast.by[0]
    treated = cohort == 0
    estimate = float(change[treated].mean() - weights @ change[~treated])
    columns = np.column_stack([np.ones(len(y)), means])
    root = np.sqrt(weights)
    fit = np.linalg.lstsq(columns[~treated] * root[:, None], change[~treated] * root, rcond=None)[0]
    left = change - columns @ fit
    inside = left[treated] - left[treated].mean()
    spare = np.array([treated.sum() - 1, (~treated).sum() - columns.shape[1]])
    if (spare < 1).any():
        return estimate, np.nan, np.nan, np.nan, TOO_FEW
    share = (~treated).sum() / spare[1]  # degrees of freedom that the slopes took
    variance = np.array(
        [inside @ inside / spare[0] / treated.sum(), share * (weights**2 @ left[~treated] ** 2)]
    )
    worth = max(1.0 / float(weights @ weights) - columns.shape[1], 1.0)
    freedom = np.array([spare[0], min(worth, spare[1])], dtype=float)
    ends = _student(estimate, variance, freedom, ask.confidence)
    return (estimate, float(np.sqrt(variance.sum())), *ends, "")


def _changes(read: Panel, metrics: Sequence[str], first: int, ask: _Asked) -> CrmEffect:
    """Every unit started at once: what changed, and nobody knows why."""
    last = len(read.periods)
    n = len(read.start)
    step = np.where(np.arange(last) < first, -1.0 / first, 1.0 / (last - first))
    out = []
    for i, metric in enumerate(metrics):
        change = read.values[i] @ step
        estimate = float(change.mean())
        if n < 2:
            found: Found = (estimate, np.nan, np.nan, np.nan, NO_SPREAD)
        else:
            variance = np.array([change.var(ddof=1) / n])
            ends = _student(estimate, variance, np.array([n - 1.0]), ask.confidence)
            found = (estimate, float(np.sqrt(variance[0])), *ends, "no control: no effect")
        out.append(Estimate(metric, "change", None, None, None, *found[:4], n, 0, found[4]))
    return CrmEffect(tuple(out), (), (), (), None, ask.confidence, None)


def _ways(sizes: Places) -> int:
    """Count the ways to give the starts to the units."""
    out, left = 1, int(sizes.sum())
    for size in sizes:
        out *= comb(left, int(size))
        left -= int(size)
        if out >= MANY:
            return MANY
    return out
