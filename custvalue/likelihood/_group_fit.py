"""Empirical Bayes: parameters of a law by group, drawn to the common ones.

The logs of a group's parameters are a draw from Normal(mu, Sigma) over groups. Sigma and mu are
those of restricted maximum likelihood of the Laplace approximation: around the group's present best
logs the likelihood is a parabola with the group's own information matrix, so that what groups say
is a normal random-effects model with known, different precisions (DerSimonian & Laird 1986 in
several dimensions), whose mu and Sigma have a closed likelihood. The best logs under that prior are
looked for again in the likelihood itself, until nothing moves (Breslow & Clayton 1993). Sigma has a
Wishart prior of d + 1 degrees of freedom (Chung et al. 2015) by which groups usually differ by a
factor of one and a half: in directions of which most groups say next to nothing the likelihood
alone would let a few of them run away.

DerSimonian, R. & Laird, N. (1986), Meta-analysis in clinical trials, Controlled Clinical Trials
7(3), 177-188. Breslow, N. E. & Clayton, D. G. (1993), Approximate inference in generalized linear
mixed models, Journal of the American Statistical Association 88(421), 9-25. Chung, Y., Gelman, A.,
Rabe-Hesketh, S., Liu, J. & Dorie, V. (2015), Weakly informative prior for point estimation of
covariance matrices in hierarchical models, Journal of Educational and Behavioral Statistics 40(2),
136-157.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from custvalue._kernels import Objective, maximise
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue.exceptions import ConvergenceWarning, FitFailedError
from custvalue.likelihood._fit import FittedLaw, Penalty, fit_law
from custvalue.likelihood._groups import FittedGroups, RowsByGroup
from custvalue.likelihood._law import Law

FIRST_SPREAD = 0.3  # between groups, in logs: where the search for Sigma begins
USUAL = 0.4  # standard deviation between groups, in logs: a factor of one and a half
WIDEST = 3.0  # one that is not thinkable: twentyfold either way
MOST_ROUNDS = 60
STILL = 1e-4  # change of the logs between rounds at which the search ends
REACH = 12.0  # standard deviations of Sigma within which a group's logs are looked for
KNOWN = 1.0  # information on a direction of the logs below which groups do not differ in it


class Parabolas(NamedTuple):
    """What groups say of their logs: log-likelihoods ``b'v - v'J v / 2`` but for a constant.

    Parameters
    ----------
    b : ndarray of shape (n_groups, d)
    J : ndarray of shape (n_groups, d, d)
    """

    b: Floats
    J: Floats


class RandomEffects(NamedTuple):
    """Normal random effects: their mean and spread, and each group's own.

    Parameters
    ----------
    m : ndarray of shape (d,)
        Mean over groups.
    L : ndarray of shape (d, d)
        Lower triangle with L L' = Sigma.
    C : ndarray of shape (d, d)
        Covariance of ``m``.
    V : ndarray of shape (n_groups, d, d)
        Covariance of each group's effect, ``m`` given.
    pull : ndarray of shape (n_groups, d, d)
        ``I - V J``: how far a group's effect follows ``m``.
    """

    m: Floats
    L: Floats
    C: Floats
    V: Floats
    pull: Floats


def fit_groups(
    law: Law,
    rows: Any,
    grouping: RowsByGroup,
    parts: Sequence[Any],
    *,
    penalty: Penalty | None = None,
    unit: str | None = None,
    notes: Sequence[str] = (),
) -> FittedLaw:
    """Fit a law by group.

    Parameters
    ----------
    law : Law
    rows : Rows
        All of them.
    grouping : RowsByGroup
    parts : sequence of Rows or None
        Those of each group; None where a group has none that the law reads.
    penalty, unit, notes
        As for ``fit_law``; a prior speaks of the common parameters.

    Returns
    -------
    FittedLaw
        The common parameters, those of a group of which nothing is known; ``groups`` has the rest.
        Of one group its parameters and the common ones are those of ``fit_law``.

    Raises
    ------
    FitFailedError
        If the fit of all rows, or of a group, ends without an answer.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import compress
    >>> from custvalue.likelihood._group_fit import fit_groups
    >>> from custvalue.likelihood._groups import RowsByGroup
    >>> from custvalue.purchase import NBD
    >>> x, T = np.arange(400.0) % 5, np.full(400, 10.0)
    >>> often = np.where(np.arange(400) < 200, x, 3.0 * x)
    >>> both = np.arange(200), np.arange(200, 400)
    >>> rows = [compress(often[i], np.minimum(often[i], T[i]), T[i]) for i in both]
    >>> whole = compress(often, np.minimum(often, T), T)
    >>> laws = fit_groups(NBD.law, whole, RowsByGroup("g", ("a", "b"), both), rows).groups.laws
    >>> [round(law.params.r / law.params.alpha, 2) for law in laws.values()]
    [0.2, 0.59]
    """
    pooled = fit_law(law, rows, penalty=penalty, unit=unit, notes=notes)
    if len(parts) == 1:
        return _of_one(pooled, grouping)
    centre = np.log(np.asarray(pooled.params, dtype=float))
    each = [None if part is None else _in_logs(law, part) for part in parts]
    n = np.array([0.0 if part is None else part.n for part in parts])
    axes = _known_axes(each, n, centre)
    effects, said, at, evaluations = _search(each, n, centre, axes, penalty)
    aside = np.eye(len(centre)) - axes @ axes.T  # in which groups do not differ
    fixed = aside @ pooled.spread @ aside

    def fitted(v: Floats, spread: Floats, **seen: Any) -> FittedLaw:
        params = law.params(*map(float, np.exp(centre + axes @ v)))
        told = _rows(axes @ spread @ axes.T + fixed)
        return replace(pooled, params=params, report=replace(pooled.report, log_covariance=told,
                                                            **seen))  # fmt: skip

    laws, pulls, own = {}, {}, {}
    spreads = effects.V + effects.pull @ effects.C @ effects.pull.swapaxes(1, 2)
    for g, (name, part) in enumerate(zip(grouping.names, parts, strict=True)):
        law_of_group = fitted(at[g], spreads[g], notes=())
        laws[name] = replace(law_of_group, report=replace(
            law_of_group.report, **_seen(law, part, law_of_group.params)))  # fmt: skip
        pulls[name] = axes @ effects.pull[g] @ axes.T + aside
        own[name] = 1.0 - float(np.trace(effects.pull[g])) / len(effects.m)
    between = axes @ effects.L @ effects.L.T @ axes.T
    groups = FittedGroups(grouping.by, laws, between, pulls, own, grouping.unseen)
    used = float(np.einsum("gij,gji->", spreads, said.J)) + len(centre) - len(effects.m)
    common = fitted(
        effects.m,
        effects.C,
        log_likelihood=sum(law.report.log_likelihood for law in laws.values()),
        evaluations=pooled.report.evaluations + evaluations,
        n_parameters=round(used),
        notes=(*pooled.report.notes, *_told(groups, law.names)),
    )
    return replace(common, groups=groups)


def _of_one(pooled: FittedLaw, grouping: RowsByGroup) -> FittedLaw:
    """One group is everybody: its law is that of the plain fit."""
    (name,), k = grouping.names, len(pooled.names)
    none = np.zeros((k, k))
    groups = FittedGroups(
        grouping.by, {name: pooled}, none, {name: np.eye(k)}, {name: 1.0}, grouping.unseen
    )
    return replace(pooled, groups=groups)


def _in_logs(law: Law, part: Any) -> Objective:
    """Mean log-likelihood of a group in the logs of the parameters, in the user's units."""
    units = law.units(part)
    shift = np.log(law.factors(units))
    objective = law.objective_of(law.counted(part, units))
    back = np.eye(len(law.names)) if law.basis is None else np.linalg.inv(law.basis)

    def evaluate(logs: Floats) -> tuple[float, Floats, Floats]:
        value, g, h = objective(law.from_logs(logs - shift))
        return value, back.T @ g, back.T @ h @ back

    return evaluate


def _known_axes(each: Sequence[Objective | None], n: Floats, centre: Floats) -> Floats:
    """Directions of the logs of which all groups together say something, shape (k, d).

    Along a ridge of the likelihood of everybody (no spread in drop-out, say) groups have nothing to
    differ by; there they keep what all have.
    """
    total = np.zeros((len(centre), len(centre)))
    for objective, weight in zip(each, n, strict=True):
        if objective is not None:
            total -= weight * objective(centre)[2]
    if not np.isfinite(total).all():
        raise FitFailedError("a group's likelihood has no curvature where that of all is highest.")
    size, axes = np.linalg.eigh(total)
    return np.asarray(axes[:, size > KNOWN])


def _search(
    each: Sequence[Objective | None],
    n: Floats,
    centre: Floats,
    axes: Floats,
    penalty: Penalty | None,
) -> tuple[RandomEffects, Parabolas, Floats, int]:
    """Find effects, and each group's best logs under them, by turns until nothing moves."""
    d, n_groups = axes.shape[1], len(each)
    m, L = np.zeros(d), FIRST_SPREAD * np.eye(d)
    u, at = np.zeros((n_groups, d)), np.zeros((n_groups, d))
    evaluations = 0
    for _ in range(MOST_ROUNDS):
        b, J = np.zeros((n_groups, d)), np.zeros((n_groups, d, d))
        for g, objective in enumerate(each):
            if objective is None:
                continue
            found = maximise(
                _under_prior(objective, n[g], centre + axes @ m, axes @ L),
                u[g], np.full(d, -REACH), np.full(d, REACH),
            )  # fmt: skip
            u[g], evaluations = found.theta, evaluations + found.evaluations + 1
            v = m + L @ u[g]
            _, slope, curve = objective(centre + axes @ v)
            size, turned = np.linalg.eigh(-n[g] * axes.T @ curve @ axes)
            J[g] = turned * np.maximum(size, 0.0) @ turned.T
            b[g] = J[g] @ v + n[g] * axes.T @ slope
        said = Parabolas(b, J)
        effects = random_effects(said, L, _prior_on(penalty, centre, axes, m))
        V = effects.V
        was, at = at, effects.m + np.einsum("gij,gj->gi", V, b - J @ effects.m)
        moved = float(np.abs(at - was).max(initial=0.0))
        if moved < STILL:
            break
        m, L = effects.m, effects.L
        u = np.einsum("ij,gj->gi", np.linalg.pinv(L), at - m)
    else:
        warn_caller(
            f"parameters by group still moved by {moved:.1e} in logs after {MOST_ROUNDS} rounds.",
            ConvergenceWarning,
        )
    return effects, said, at, evaluations


def _under_prior(objective: Objective, n: float, middle: Floats, spread: Floats) -> Objective:
    """Mean log posterior of a group in u, standard normal: its logs are ``middle + spread u``."""

    def evaluate(u: Floats) -> tuple[float, Floats, Floats]:
        value, g, h = objective(middle + spread @ u)
        return (
            value - 0.5 * float(u @ u) / n,
            spread.T @ g - u / n,
            spread.T @ h @ spread - np.eye(len(u)) / n,
        )

    return evaluate


def _prior_on(
    penalty: Penalty | None, centre: Floats, axes: Floats, m: Floats
) -> tuple[Floats, Floats]:
    """Write a prior on the common logs as ``Parabolas`` writes what a group says."""
    d = axes.shape[1]
    if penalty is None:
        return np.zeros(d), np.zeros((d, d))
    _, slope, curve = penalty(centre + axes @ m)
    J = -axes.T @ curve @ axes
    return J @ m + axes.T @ slope, J


def random_effects(said: Parabolas, start: Floats, prior: tuple[Floats, Floats]) -> RandomEffects:
    """Restricted maximum likelihood (times the prior) of normal effects of known precisions.

    Parameters
    ----------
    said : Parabolas
    start : ndarray of shape (d, d)
        Lower triangle from which L is looked for.
    prior : tuple of ndarray of shape (d,) and (d, d)
        What is known of the mean beforehand, as b and J.

    Returns
    -------
    RandomEffects

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.likelihood._group_fit import Parabolas, random_effects
    >>> y, J = np.array([[0.1], [0.2], [0.6]]), np.full((3, 1, 1), 400.0)
    >>> found = random_effects(Parabolas(400.0 * y, J), np.eye(1), (np.zeros(1), np.zeros((1, 1))))
    >>> between = float(found.L[0, 0] ** 2)  # DerSimonian and Laird: 0.07 - 1 / 400
    >>> round(float(found.m[0]), 6), 0.0 < between < 0.0675
    (0.3, True)
    """
    from scipy.optimize import minimize

    d, low = len(start), np.tril_indices(len(start))

    def lost(entries: Floats) -> tuple[float, Floats]:
        L = np.zeros((d, d))
        L[low] = entries
        value, slope = _restricted(said, L, prior)
        return value + 0.5 * float(entries @ entries) / USUAL**2, slope[low] + entries / USUAL**2

    if d == 0:
        return _effects(said, start, prior)
    box = [(-WIDEST, WIDEST)] * len(low[0])
    found = minimize(lost, start[low], jac=True, method="L-BFGS-B", bounds=box,
                     options={"maxiter": 300, "ftol": 1e-10, "gtol": 1e-6})  # fmt: skip
    L = np.zeros((d, d))
    L[low] = found.x
    return _effects(said, L, prior)


def _effects(said: Parabolas, L: Floats, prior: tuple[Floats, Floats]) -> RandomEffects:
    """Mean and effects for one L L' = Sigma."""
    b, J = said
    K = np.eye(len(L)) + L.T @ J @ L
    V = L @ np.linalg.solve(K, np.broadcast_to(L.T, J.shape))
    pull = np.eye(len(L)) - V @ J
    W = J @ pull
    C = np.linalg.inv(W.sum(axis=0) + prior[1])
    m = C @ (np.einsum("gji,gj->i", pull, b) + prior[0])
    return RandomEffects(m, L, C, V, pull)


def _restricted(said: Parabolas, L: Floats, prior: tuple[Floats, Floats]) -> tuple[float, Floats]:
    """Minus the restricted log-likelihood of L, and its gradient."""
    b, J = said
    m, _, C, V, pull = _effects(said, L, prior)
    c = b - J @ m
    Vc = np.einsum("gij,gj->gi", V, c)
    K = np.eye(len(L)) + L.T @ J @ L
    value = 0.5 * float(np.linalg.slogdet(K)[1].sum() - np.linalg.slogdet(C)[1])
    value -= 0.5 * float((c * Vc).sum()) + float(b.sum(axis=0) @ m - 0.5 * m @ J.sum(axis=0) @ m)
    value -= float(prior[0] @ m - 0.5 * m @ prior[1] @ m)
    e, W = c - np.einsum("gij,gj->gi", J, Vc), J @ pull
    slope = (W - W @ C @ W).sum(axis=0) - e.T @ e
    return value, slope @ L


def _seen(law: Law, part: Any, params: Any) -> dict[str, Any]:
    """Take from a group's own rows what its report says of them."""
    if part is None:
        return {"log_likelihood": 0.0, "n_customers": 0.0, "n_distinct": 0, "facts": {}}
    values = law.log_likelihoods(params, part)
    return {
        "log_likelihood": float(values.sum() if part.w is None else part.w @ values),
        "n_customers": float(part.n),
        "n_distinct": part.size,
        "facts": law.facts(part),
    }


def _told(groups: FittedGroups, names: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences for the report on how groups differ."""
    spread = np.sqrt(np.maximum(np.diag(groups.between), 0.0))
    apart = ", ".join(f"{k} {v:.2g}" for k, v in zip(names, spread, strict=True))
    mean = float(np.mean(list(groups.own_weight.values())))
    told = f"{len(groups.laws):,} groups of {groups.by!r}; standard deviation between groups of "
    told += f"the log of {apart}; on average {mean:.0%} of a group's parameters is its own, the "
    return (told + "rest that of all.",)


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row)) for row in 0.5 * (matrix + matrix.T))
