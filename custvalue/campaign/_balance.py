"""Whether groups were alike before the campaign, and weights that make them so.

A draw that was random leaves covariates alike up to chance: the joint test says whether they are.
Groups that were not drawn can be weighted to the same means; what was not measured stays apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custvalue._frames import column_names, float_columns, is_frame
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue._words import CAMPAIGN, Language
from custvalue.campaign._adjust import residuals
from custvalue.exceptions import ContractProblem, DataContractError, SmallSampleWarning

ALIKE = 0.1  # of a standard deviation: the usual line between alike and not
MISMATCH = 0.001  # p-value below which the split itself is broken (Fabijan et al. 2019)


@dataclass(frozen=True)
class Balance:
    """How alike two groups are in what was known before.

    Parameters
    ----------
    names : tuple of str
    mean_treated, mean_control, difference : tuple of float
        Means of each covariate; their difference in standard deviations (root mean of the two
        groups' variances).
    n_treated, n_control : int
    p_value : float or None
        Of all differences together, where the groups were drawn at random; None for weighted ones.

    Examples
    --------
    >>> from custvalue.campaign import covariate_balance
    >>> found = covariate_balance([1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 3.0])
    >>> found.worst, found.table()["alike"].tolist()
    ('x0', [False])
    """

    names: tuple[str, ...]
    mean_treated: tuple[float, ...]
    mean_control: tuple[float, ...]
    difference: tuple[float, ...]
    n_treated: int
    n_control: int
    p_value: float | None

    @property
    def worst(self) -> str:
        """Name of the covariate that differs most."""
        return self.names[int(np.argmax(np.abs(self.difference)))]

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row a covariate.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``covariate``, ``mean_treated``, ``mean_control``, ``difference`` (standardised),
            ``alike`` (whether it is below 0.1).
        """
        table = pd.DataFrame(
            {
                "covariate": list(self.names),
                "mean_treated": self.mean_treated,
                "mean_control": self.mean_control,
                "difference": self.difference,
                "alike": np.abs(self.difference) < ALIKE,
            }
        )
        return CAMPAIGN.table(table, language)

    def sentence(self, language: Language = "en") -> str:
        """Say how alike the groups are.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        text = CAMPAIGN(
            "{k} covariates, the largest difference {d:.2f} standard deviations ({worst})", language
        )
        if self.p_value is not None:
            text += CAMPAIGN("; all together p = {p:.3g}", language)
        end = CAMPAIGN(".", language)
        return (
            text.format(
                k=len(self.names), d=np.abs(self.difference).max(), worst=self.worst, p=self.p_value
            )
            + end
        )

    def __str__(self) -> str:
        return self.sentence()


def covariate_balance(treated: Any, control: Any) -> Balance:
    """Compare what was known of treated and of control customers before the campaign.

    Parameters
    ----------
    treated, control : frame or array-like of shape (n,) or (n, n_covariates)

    Returns
    -------
    Balance

    Raises
    ------
    DataContractError
        If a value is missing, columns differ, or a group has fewer than two customers.

    Notes
    -----
    The joint test is that of Hansen & Bowers (2008): ``d' S^-1 d`` over the variance that a random
    draw gives it, ``S`` the covariance of everybody. Its distribution is taken as for normal
    covariates (a beta law, near chi squared for large groups).

    References
    ----------
    Hansen, B. B. & Bowers, J. (2008), Covariate balance in simple, stratified and clustered
    comparative studies, Statistical Science 23(2), 219-236.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.campaign import covariate_balance
    >>> rng = np.random.default_rng(1)
    >>> print(covariate_balance(rng.normal(size=(900, 3)), rng.normal(size=(100, 3))))
    3 covariates, the largest difference 0.10 standard deviations (x0); all together p = 0.838.
    """
    names, (a, b) = _tables({"treated": treated, "control": control})
    return balance_of(names, a, b)


def balance_of(
    names: tuple[str, ...], a: Floats, b: Floats, weights: Floats | None = None, random: bool = True
) -> Balance:
    """Means of treated and control customers, these weighted if need be."""
    from scipy.stats import beta

    p = None
    if random:
        x = np.concatenate([a, b])
        n = len(x)
        # any outcome does: what is asked is how the groups differ in the covariates
        found = residuals(np.zeros((1, n)), x, len(a))
        rank, told = found.rank, 1.0 - 1.0 / found.factor
        p = float(beta.sf(told, rank / 2, (n - 1 - rank) / 2)) if n - 1 > rank > 0 else 1.0
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0) if weights is None else weights @ b
    # variances as they were: weights must not make a difference look smaller
    spread = np.sqrt((a.var(axis=0, ddof=1) + b.var(axis=0, ddof=1)) / 2)
    gap = mean_a - mean_b
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(spread > 0, gap / spread, np.where(gap == 0, 0.0, np.inf * np.sign(gap)))
    of_a, of_b, of_gap = (tuple(v.tolist()) for v in (mean_a, mean_b, apart))
    return Balance(names, of_a, of_b, of_gap, len(a), len(b), p)


@dataclass(frozen=True)
class SampleRatio:
    """Whether groups are as large as they were meant to be.

    Parameters
    ----------
    names : tuple of str
    counts : tuple of int
    expected : tuple of float
    p_value : float

    Examples
    --------
    >>> from custvalue.campaign import sample_ratio_test
    >>> found = sample_ratio_test({"mail": 8210, "none": 7790}, {"mail": 0.5, "none": 0.5})
    >>> found.mismatch
    True
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    p_value: float

    @property
    def mismatch(self) -> bool:
        """Whether p is below 0.001: customers were lost or added on one side, so trust nothing."""
        return self.p_value < MISMATCH

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row a group: ``group``, ``customers``, ``expected``.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        table = pd.DataFrame(
            {"group": list(self.names), "customers": self.counts, "expected": self.expected}
        )
        return CAMPAIGN.table(table, language)


def sample_ratio_test(counts: Mapping[str, int], shares: Mapping[str, float]) -> SampleRatio:
    """Test whether the groups' sizes fit the shares that were drawn.

    Parameters
    ----------
    counts : mapping of name to int
        Customers of each group that have an outcome.
    shares : mapping of name to float
        Share of the customers that each group was meant to get; they add up to 1.

    Returns
    -------
    SampleRatio

    Raises
    ------
    ValueError
        If names differ, or shares do not add up to 1.

    References
    ----------
    Fabijan, A. et al. (2019), Diagnosing sample ratio mismatch in online controlled experiments,
    KDD, 2156-2164.

    Examples
    --------
    >>> from custvalue.campaign import sample_ratio_test
    >>> round(sample_ratio_test({"a": 60, "b": 40}, {"a": 0.5, "b": 0.5}).p_value, 6)
    0.056888
    """
    from scipy.stats import binomtest, chisquare

    if not (isinstance(counts, Mapping) and isinstance(shares, Mapping)):
        raise ValueError(
            f"counts={counts!r} and shares={shares!r} must be mappings of the groups' names, such "
            "as {'mail': 5000} and {'mail': 0.5}."
        )
    if set(counts) != set(shares) or len(counts) < 2:
        raise ValueError(
            f"counts of {sorted(counts)} and shares of {sorted(shares)} must be of "
            "the same two groups or more."
        )
    wanted = np.array([shares[name] for name in counts], dtype=float)
    have = np.array(list(counts.values()))
    if not (np.isfinite(wanted).all() and (wanted > 0).all() and abs(wanted.sum() - 1) < 1e-9):
        raise ValueError(f"shares={dict(shares)} must be above 0 and add up to 1.")
    if not (np.equal(have, np.round(have)).all() and (have >= 0).all() and have.sum() > 0):
        raise ValueError(f"counts={dict(counts)} must be numbers of customers.")
    total = int(have.sum())
    if len(have) == 2:
        p = float(binomtest(int(have[0]), total, float(wanted[0])).pvalue)
    else:
        p = float(chisquare(have, total * wanted).pvalue)
    sizes = tuple(int(v) for v in have)
    return SampleRatio(tuple(counts), sizes, tuple(float(v) for v in total * wanted), p)


@dataclass(frozen=True)
class BalancingWeights:
    """Weights of control customers that give them the means of the treated.

    Parameters
    ----------
    weights : ndarray of shape (n_control,)
        They add up to 1.
    names : tuple of str

    Examples
    --------
    >>> from custvalue.campaign import entropy_balance
    >>> found = entropy_balance([1.0, 2.0, 4.0], 3.0)
    >>> found.weights.round(6).tolist(), round(found.n_eff, 6)
    ([0.165487, 0.251769, 0.582744], 2.323615)
    """

    weights: Floats
    names: tuple[str, ...]

    @property
    def n_eff(self) -> float:
        """Number of equally weighted customers that tell as much (Kish 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights @ self.weights))


def entropy_balance(control: Any, target: Any) -> BalancingWeights:
    """Weigh control customers so that their means are those of the treated.

    Parameters
    ----------
    control : frame or array-like of shape (n_control,) or (n_control, n_covariates)
    target : mapping, number or array-like of shape (n_covariates,)
        Means to be met.

    Returns
    -------
    BalancingWeights

    Raises
    ------
    DataContractError
        If a mean lies beyond all control customers: then no weights meet it.

    Warns
    -----
    SmallSampleWarning
        If what is left is worth fewer than ten customers and fewer than a half.

    Notes
    -----
    Of all weights that meet the means these are nearest to equal ones, in relative entropy:
    ``w_i`` proportional to ``exp(lambda' x_i)`` (Hainmueller 2012, equation 8), ``lambda`` by
    Newton's method.

    References
    ----------
    Hainmueller, J. (2012), Entropy balancing for causal effects, Political Analysis 20(1), 25-46.

    Examples
    --------
    >>> from custvalue.campaign import entropy_balance
    >>> entropy_balance([1.0, 2.0, 3.0], 2.0).weights.round(6).tolist()
    [0.333333, 0.333333, 0.333333]
    """
    names, (x,) = _tables({"control": control})
    goal = _target(target, names)
    outside = [
        ContractProblem(
            "target-out-of-reach",
            f"{name} of the control customers is {low:.6g} to {high:.6g}, its target {want:.6g}",
            "Leave the column out, or compare with other customers.",
        )
        for name, low, high, want in zip(names, x.min(axis=0), x.max(axis=0), goal, strict=True)
        if not (low < want < high or low == want == high)
    ]
    if outside:
        raise DataContractError(outside)
    spread = x.std(axis=0)
    z = (x - goal)[:, spread > 0] / spread[spread > 0]
    weights = _newton(z)
    if weights is None or np.abs(weights @ z).max(initial=0.0) > 1e-7:
        raise DataContractError(
            ContractProblem(
                "target-out-of-reach",
                f"no weights of the control customers meet {', '.join(names)} together",
                "Leave a column out, or compare with other customers.",
            )
        )
    made = BalancingWeights(weights, names)
    if made.n_eff < min(10.0, len(x) / 2):
        warn_caller(
            f"the weights leave {made.n_eff:.1f} of {len(x):,} control customers: few resemble the "
            "treated.",
            SmallSampleWarning,
        )
    return made


def _newton(z: Floats) -> Floats | None:
    """Weights whose mean of ``z`` is 0: minimum of the log of the sum of ``exp(lambda' z)``."""

    def at(move: Floats) -> tuple[float, Floats]:
        score = z @ move
        top = float(score.max(initial=-np.inf))
        raw = np.exp(score - top)
        return top + float(np.log(raw.sum())), raw / raw.sum()

    move = np.zeros(z.shape[1])
    height, w = at(move)
    for _ in range(200):
        slope = w @ z
        if np.abs(slope).max(initial=0.0) < 1e-12:
            return w
        curve = (z * w[:, None]).T @ z - np.outer(slope, slope)
        step = np.linalg.lstsq(curve, -slope, rcond=1e-12)[0]
        for _ in range(40):
            lower, tried = at(move + step)
            if lower <= height + 1e-4 * float(slope @ step):
                break
            step = step / 2
        else:
            return w
        move, height, w = move + step, lower, tried
    return w


def _target(target: Any, names: tuple[str, ...]) -> Floats:
    if isinstance(target, Mapping):
        if set(target) != set(names):
            raise ValueError(f"target has {sorted(target)}, the control customers {sorted(names)}.")
        target = [target[name] for name in names]
    goal = np.atleast_1d(np.asarray(target, dtype=float))
    if goal.shape != (len(names),) or not np.isfinite(goal).all():
        raise ValueError(f"target={target!r} must have one finite mean for each of {list(names)}.")
    return goal


def _tables(groups: Mapping[str, Any]) -> tuple[tuple[str, ...], list[Floats]]:
    """Read tables or arrays of covariates with the same columns."""
    out: list[Floats] = []
    problems: list[ContractProblem] = []
    names: tuple[str, ...] | None = None
    for who, table in groups.items():
        if is_frame(table):
            names = names or tuple(str(c) for c in column_names(table) or ())
            try:
                x = float_columns(table, list(names), caller=who)
            except DataContractError as error:
                problems += error.problems
                continue
        else:
            x = np.asarray(table, dtype=float)
            x = x[:, None] if x.ndim == 1 else x
            names = names or tuple(f"x{j}" for j in range(x.shape[-1]))
        if x.ndim != 2 or x.shape[1] != len(names) or len(x) < 2:
            problems.append(
                ContractProblem(
                    "shape",
                    f"{who} has shape {x.shape}; {len(names)} columns and two customers or more "
                    "are needed",
                    "Pass the same covariates of both groups.",
                )
            )
            continue
        rows = np.flatnonzero(~np.isfinite(x).all(axis=1))
        if len(rows):
            problems.append(
                ContractProblem.at(
                    "missing-covariate",
                    f"{who} has missing or infinite values",
                    "Fill them by one rule for all groups, and add a column that says where.",
                    rows,
                )
            )
        out.append(x)
    if problems:
        raise DataContractError(problems)
    return names or (), out
