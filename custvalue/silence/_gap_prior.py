"""Gaps with a rate of the customer's own, rates Gamma distributed over customers.

A customer's gaps are exponential (or Erlang of shape k, for regular buyers) with rate lambda, and
lambda ~ Gamma(r, alpha) over customers. The current gap T_r is one that has not ended: censored.
With k = 1 this is the likelihood of Ehrenberg (1959), The pattern of consumer purchases, Applied
Statistics 8, 26-41; for k > 1 see Herniter (1971), A probabilistic market model of purchase timing
and brand selection, Management Science 18, P102-P113.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammaln, psi, zeta

from custvalue._kernels import Objective
from custvalue._typing import Floats
from custvalue._warn import heard, warn_caller
from custvalue.exceptions import BoundaryFitWarning, FitFailedError
from custvalue.likelihood import Law, fit_law
from custvalue.likelihood._for_rooms import Plan, Units
from custvalue.silence._silence import GapFacts

SMALLEST, LARGEST = 1e-4, 1e5  # of r
# (log r, log alpha) = ALONG @ (log r, log of alpha / r): where customers hardly differ, r and alpha
# grow together and their ratio stays
ALONG = np.array([[1.0, 0.0], [1.0, 1.0]])
MOST_REGULAR = 12


class GapRates(NamedTuple):
    """Purchase rates over customers: Gamma(r, rate alpha)."""

    r: float
    alpha: float


class GapRows(NamedTuple):
    """Customers' gaps: how many, their sum, and the current one, which has not ended."""

    m: Floats
    total: Floats
    t: Floats
    w: None = None

    @property
    def n(self) -> float:
        """Number of customers."""
        return float(len(self.m))

    @property
    def size(self) -> int:
        """Number of customers."""
        return len(self.m)


@dataclass(frozen=True, kw_only=True, eq=False)
class GapLaw(Law):
    """Erlang gaps of shape ``regularity``, the last one censored, rates gamma over customers."""

    regularity: int

    def units(self, rows: GapRows) -> Units:
        """Time counts in the mean age."""
        return Units(time=float((rows.total + rows.t).mean()))

    def counted(self, rows: GapRows, units: Units) -> GapRows:
        """Give the gaps in this unit of time."""
        return GapRows(rows.m, rows.total / units.time, rows.t / units.time)

    def columns(self, rows: GapRows) -> tuple[Floats, ...]:
        """Give number of gaps, their sum, the current gap."""
        return rows.m, rows.total, rows.t

    def log_unit(self, rows: GapRows, units: Units) -> Floats:
        """Take k times a gap: the sum of m Erlang gaps has no part T_i^(k - 1) of theirs."""
        return self.regularity * rows.m * np.log(units.time)

    def starts(self, rows: GapRows) -> list[Floats]:
        """Exponential rates of the mean seen."""
        rate = max(float(rows.m.mean()) * self.regularity, 1e-3)
        return [self.from_logs(np.log([1.0, 1.0 / rate]))]

    def plan(self, rows: GapRows) -> Plan:
        """Maximise inside the bounds."""
        return super().plan(rows)._replace(enough=1e-6)


@lru_cache
def _gap_law(regularity: int) -> GapLaw:
    def log_likelihood(r: float, alpha: float, m: Floats, total: Floats, t: Floats) -> Floats:
        return _terms(r, alpha, regularity, m, total, t)[0]

    def objective(rows: GapRows) -> Objective:
        def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
            r, alpha = np.exp(ALONG @ theta)
            value, g, h = _sums(r, alpha, regularity, rows)
            return value / rows.n, ALONG.T @ g / rows.n, ALONG.T @ h @ ALONG / rows.n

        return evaluate

    return GapLaw(
        name="gaps with gamma rates",
        params=GapRates,
        dimensions={"r": "none", "alpha": "time"},
        log_likelihood=log_likelihood,
        objective=objective,
        basis=ALONG,
        bounds=((SMALLEST, LARGEST), (1e-9, 1e9)),
        regularity=regularity,
    )


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

    def check(self) -> None:
        """Refuse parameters that are none."""
        if not (0.0 < self.r < np.inf and 0.0 < self.alpha < np.inf and self.regularity >= 1):
            raise ValueError(f"{self} must have r and alpha above 0, and a regularity from 1 on.")


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
    rows = GapRows(facts.n_gaps, facts.gap_sum, facts.silence)
    value, gradient, _ = _sums(*prior, rows)
    k = prior.regularity
    return value + (k - 1) * log_gap_sum - float(rows.m.sum() * gammaln(k)), gradient


def _terms(
    r: float, alpha: float, k: int, m: Floats, total: Floats, t: Floats
) -> tuple[Floats, Floats, Any, Floats, Any]:
    """Log-likelihood of each customer without what no parameter moves, and what it is made of.

    A = alpha + total + t, counts of gaps and where each stands, and the shares of the k terms.
    """
    A = alpha + total + t
    counts, where = np.unique(m, return_inverse=True)
    log_share = np.log(alpha) - np.log(A)
    with np.errstate(divide="ignore"):
        log_t = np.log(t)
    parts = []
    for j in range(k):
        shape = r + k * counts + j
        part = (gammaln(shape) - gammaln(r))[where] + r * log_share - (shape - r)[where] * np.log(A)
        parts.append(part if j == 0 else part + j * log_t - gammaln(j + 1))
    if k == 1:
        return parts[0], A, (counts, where), log_share, (1.0,)
    stack = np.stack(parts)
    top = stack.max(axis=0)
    weight = np.exp(stack - top)
    whole = weight.sum(axis=0)
    return top + np.log(whole), A, (counts, where), log_share, weight / whole


def _sums(r: float, alpha: float, k: int, rows: GapRows) -> tuple[float, Floats, Floats]:
    """Sum of the log-likelihood, its gradient and Hessian in log r and log alpha."""
    values, A, (counts, where), log_share, shares = _terms(r, alpha, k, *rows[:3])
    first, second, both = 0.0, 0.0, np.zeros(3)
    for j, share in enumerate(shares):
        shape = r + k * counts + j
        d_r = (psi(shape) - psi(r))[where] + log_share
        d_a = r / alpha - shape[where] / A
        first, second = first + share * d_r, second + share * d_a
        d_rr = (zeta(2.0, shape) - zeta(2.0, r))[where]
        d_aa = shape[where] / A**2 - r / alpha**2
        for i, part in enumerate((d_rr + d_r**2, 1.0 / alpha - 1.0 / A + d_r * d_a, d_aa + d_a**2)):
            both[i] += float(np.sum(share * part))
    g = np.array([np.sum(first), np.sum(second)])
    rr, ra, aa = both - [np.sum(first**2), np.sum(first * second), np.sum(second**2)]
    scale = np.array([r, alpha])
    hessian = np.outer(scale, scale) * [[rr, ra], [ra, aa]] + np.diag(scale * g)
    return float(values.sum()), scale * g, hessian


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
    if not float(age.mean()) > 0:
        raise FitFailedError(
            f"all {len(age):,} customers bought only on the as-of date: there is no gap to learn "
            "from. Choose a later as-of date."
        )
    fitted = fit_law(_gap_law(regularity), GapRows(facts.n_gaps, facts.gap_sum, facts.silence))
    if fitted.boundary:
        warn_caller(
            f"the prior of purchase rates lies on its boundary (r={fitted.params.r:.3g}): "
            "customers hardly differ in rate, or hardly any has a gap. Scores stay usable.",
            BoundaryFitWarning,
        )
    r, alpha = fitted.params
    return GapPrior(r, alpha, regularity)


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
