"""Gaps with a rate of the customer's own, rates Gamma distributed over customers.

A customer's gaps are exponential (or Erlang of shape k, for regular buyers) with rate lambda, and
lambda ~ Gamma(r, alpha) over customers. The current gap T_r is one that has not ended: censored.
With k = 1 this is the likelihood of Ehrenberg (1959), The pattern of consumer purchases, Applied
Statistics 8, 26-41; for k > 1 see Herniter (1971), A probabilistic market model of purchase timing
and brand selection, Management Science 18, P102-P113.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betainc, gammaln, psi

from custvalue._warn import heard, warn_caller
from custvalue.exceptions import BoundaryFitWarning, ConvergenceWarning, FitFailedError
from custvalue.silence._silence import Floats, GapFacts

SMALLEST, LARGEST = 1e-4, 1e5  # of r, and of alpha in units of the mean age
MOST_REGULAR = 12


class GapPrior(NamedTuple):
    """Distribution of purchase rates over customers.

    Parameters
    ----------
    r : float
        Shape.
    alpha : float
        Rate of the Gamma, in the data's unit of time.
    regularity : int, default=1
        Erlang shape k of a gap: 1 is exponential (no memory), larger is more regular.

    Examples
    --------
    >>> from custvalue.silence import GapPrior
    >>> from custvalue.silence._gap_prior import prob_longer_gap
    >>> float(prob_longer_gap(30.0, 0, 0.0, GapPrior(1.0, 30.0)))
    0.5
    """

    r: float
    alpha: float
    regularity: int = 1


def prob_longer_gap(
    silence: npt.ArrayLike, n_gaps: npt.ArrayLike, gap_sum: npt.ArrayLike, prior: GapPrior
) -> Floats:
    """Chance that a gap lasts longer than the current one, given the customer's own gaps.

    For k = 1: ``((alpha + sum T_i) / (alpha + sum T_i + T_r)) ** (r + n - 1)``. In general, with
    s = r + k (n - 1) and b = alpha + sum T_i, the regularised incomplete beta function
    ``I_{b / (b + T_r)}(s, k)``.

    Parameters
    ----------
    silence : array-like of shape (n,)
        Current gap T_r >= 0.
    n_gaps, gap_sum : array-like of shape (n,)
        Number and sum of the own gaps, both 0 for a one-time buyer.
    prior : GapPrior

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> from custvalue.silence import GapPrior
    >>> from custvalue.silence._gap_prior import prob_longer_gap
    >>> prob_longer_gap([0.0, 15.0, 150.0], 3, 45.0, GapPrior(1.0, 15.0)).round(4)
    array([1.    , 0.4096, 0.0067])
    """
    t = np.asarray(silence, dtype=np.float64)
    b = prior.alpha + np.asarray(gap_sum, dtype=np.float64)
    s = prior.r + prior.regularity * np.asarray(n_gaps, dtype=np.float64)
    if prior.regularity == 1:
        return np.asarray(np.exp(-s * np.log1p(t / b)))
    return np.asarray(betainc(s, float(prior.regularity), b / (b + t)))


def prob_order_if_customer(
    window: float,
    silence: npt.ArrayLike,
    n_gaps: npt.ArrayLike,
    gap_sum: npt.ArrayLike,
    prior: GapPrior,
) -> Floats:
    """Chance of an order within ``window`` of someone who still buys as before.

    Conditional on the current gap: ``1 - P(gap > T_r + w | own gaps) / P(gap > T_r | own gaps)``.

    Parameters
    ----------
    window : float
        In the unit of the gaps.
    silence, n_gaps, gap_sum : array-like of shape (n,)
    prior : GapPrior

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> from custvalue.silence import GapPrior
    >>> from custvalue.silence._gap_prior import prob_order_if_customer
    >>> float(prob_order_if_customer(30.0, 0.0, 0, 0.0, GapPrior(1.0, 30.0)))
    0.5
    """
    t = np.asarray(silence, dtype=np.float64)
    b = prior.alpha + np.asarray(gap_sum, dtype=np.float64)
    s = prior.r + prior.regularity * np.asarray(n_gaps, dtype=np.float64)
    if prior.regularity == 1:
        return np.asarray(-np.expm1(-s * np.log1p(window / (b + t))))
    now = betainc(s, float(prior.regularity), b / (b + t))
    later = betainc(s, float(prior.regularity), b / (b + t + window))
    return np.asarray(1.0 - np.divide(later, now, out=np.ones_like(now), where=now > 0))


def gap_log_likelihood(
    facts: GapFacts, prior: GapPrior, log_gap_sum: float = 0.0
) -> tuple[float, Floats]:
    """Log-likelihood of all gaps and the censored current gaps, and its gradient.

    Parameters
    ----------
    facts : GapFacts
    prior : GapPrior
    log_gap_sum : float, default=0
        Sum of the logs of all gaps; matters only for comparing regularities.

    Returns
    -------
    value : float
    gradient : ndarray of shape (2,)
        In log r and log alpha.

    Notes
    -----
    With m gaps, G their sum, A = alpha + G + T_r, a customer contributes the log of
    ``alpha^r / Gamma(r) sum_{j<k} T_r^j / j! Gamma(r + k m + j) / A^(r + k m + j)``, and the gaps
    themselves ``prod T_i^(k-1) / Gamma(k)``.

    Examples
    --------
    >>> from custvalue.silence import GapPrior
    >>> from custvalue.silence._gap_prior import gap_log_likelihood
    >>> from custvalue.silence._silence import gap_facts
    >>> value, gradient = gap_log_likelihood(gap_facts([[10.0, 20.0, 30.0]]), GapPrior(1.0, 20.0))
    >>> round(value, 4)
    -9.4572
    """
    r, alpha, k = prior
    m, t = facts.n_gaps, facts.silence
    A = alpha + facts.gap_sum + t
    counts, where = np.unique(m, return_inverse=True)
    log_share = np.log(alpha) - np.log(A)
    with np.errstate(divide="ignore"):
        log_t = np.log(t)
    parts, by_r, by_alpha = [], [], []
    for j in range(k):
        shape = r + k * counts + j
        part = (gammaln(shape) - gammaln(r))[where] + r * log_share - (shape - r)[where] * np.log(A)
        parts.append(part if j == 0 else part + j * log_t - gammaln(j + 1))
        by_r.append((psi(shape) - psi(r))[where] + log_share)
        by_alpha.append(r / alpha - shape[where] / A)
    if k == 1:
        value, d_r, d_alpha = parts[0].sum(), by_r[0].sum(), by_alpha[0].sum()
    else:
        stack = np.stack(parts)
        top = stack.max(axis=0)
        weight = np.exp(stack - top)
        whole = weight.sum(axis=0)
        value = (top + np.log(whole)).sum()
        weight /= whole
        d_r = (weight * np.stack(by_r)).sum()
        d_alpha = (weight * np.stack(by_alpha)).sum()
    value += (k - 1) * log_gap_sum - m.sum() * gammaln(k)
    return float(value), np.array([r * d_r, alpha * d_alpha])


def fit_gap_prior(facts: GapFacts, regularity: int = 1) -> GapPrior:
    """Fit r and alpha by maximum likelihood on all gaps and the censored current ones.

    Parameters
    ----------
    facts : GapFacts
    regularity : int, default=1

    Returns
    -------
    GapPrior

    Raises
    ------
    FitFailedError
        If there is no time to learn from, or the likelihood is not finite.

    Warns
    -----
    BoundaryFitWarning
        If customers do not differ in rate (r runs away) or hardly anybody has a gap.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.silence._gap_prior import fit_gap_prior
    >>> from custvalue.silence._silence import gap_facts
    >>> rate = np.random.default_rng(1).gamma(2.0, 1 / 50.0, 3000)
    >>> gaps = np.random.default_rng(2).exponential(1 / rate, (6, 3000)).T
    >>> gaps[:, 0] *= 0.5
    >>> prior = fit_gap_prior(gap_facts(gaps))
    >>> 1.5 < prior.r < 2.5
    True
    """
    age = facts.silence + facts.gap_sum
    scale = float(age.mean())
    if not scale > 0:
        raise FitFailedError(
            f"all {len(age):,} customers bought only on the as-of date: there is no gap to learn "
            "from. Choose a later as-of date."
        )
    unit = GapFacts(
        facts.silence / scale, facts.n_gaps, facts.gap_max, facts.gap_sum / scale, facts.n_shorter
    )
    n = len(age)

    def loss(theta: Floats) -> tuple[float, Floats]:
        r, alpha = np.exp(theta)
        value, gradient = gap_log_likelihood(unit, GapPrior(float(r), float(alpha), regularity))
        return -value / n, -gradient / n

    rate = max(float(facts.n_gaps.mean()) * regularity, 1e-3)
    edges = (float(np.log(SMALLEST)), float(np.log(LARGEST)))
    found = minimize(
        loss,
        np.log([1.0, 1.0 / rate]).clip(*edges),
        jac=True,
        method="L-BFGS-B",
        bounds=[edges, edges],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 500},
    )
    if not np.isfinite(found.fun):
        raise FitFailedError(
            f"the likelihood of the gaps is not finite ({n:,} customers, "
            f"{facts.n_gaps.sum():,.0f} gaps); look for extreme gaps."
        )
    r, alpha = np.exp(found.x)
    if np.isclose(found.x, edges[0]).any() or np.isclose(found.x, edges[1]).any():
        warn_caller(
            f"the prior of purchase rates lies on its boundary (r={r:.3g}): customers hardly "
            "differ in rate, or hardly any has a gap. Scores stay usable.",
            BoundaryFitWarning,
        )
    elif np.abs(found.jac).max() > 1e-4:
        warn_caller(
            f"the prior of purchase rates is not settled: gradient {np.abs(found.jac).max():.1e} "
            f"a customer after {found.nit} steps.",
            ConvergenceWarning,
        )
    return GapPrior(float(r), float(alpha) * scale, regularity)


def choose_regularity(facts: GapFacts, log_gap_sum: float) -> GapPrior:
    """Prior with the regularity k of highest likelihood, from 1 upwards until it falls.

    Parameters
    ----------
    facts : GapFacts
    log_gap_sum : float
        Sum of the logs of all customers' gaps.

    Returns
    -------
    GapPrior

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.silence._gap_prior import choose_regularity
    >>> from custvalue.silence._silence import gap_facts
    >>> gaps = np.random.default_rng(2).gamma(4.0, 7.0, (500, 9))
    >>> gaps[:, 0] *= 0.5
    >>> prior = choose_regularity(gap_facts(gaps), float(np.log(gaps[:, 1:]).sum()))
    >>> prior.regularity
    4
    """
    best, highest = None, -np.inf
    for k in range(1, MOST_REGULAR + 1):
        with heard(BoundaryFitWarning):
            prior = fit_gap_prior(facts, k)
        value, _ = gap_log_likelihood(facts, prior, log_gap_sum)
        if value <= highest:
            break
        best, highest = prior, value
    assert best is not None, "k = 1 always has a likelihood"
    return best
