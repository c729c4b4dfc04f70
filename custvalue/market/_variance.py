"""How much of a value segments explain, and what a segment's mean is worth knowing of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats, Places


class Variance(NamedTuple):
    """One-way analysis of variance of a value over groups.

    Parameters
    ----------
    size, mean : ndarray of shape (k,)
        Of each group; the mean of an empty one is NaN.
    grand_mean : float
    between, within : float
        Sums of squares; they add up to the total.

    Examples
    --------
    >>> from custvalue.market import variance_of
    >>> found = variance_of([1.0, 3.0, 5.0, 7.0], ["a", "a", "b", "b"])
    >>> found.between, found.within, found.eta_squared, found.f_test()
    (16.0, 4.0, 0.8, (8.0, 0.105...))
    """

    size: npt.NDArray[np.intp]
    mean: Floats
    grand_mean: float
    between: float
    within: float

    @property
    def eta_squared(self) -> float:
        """Share of the total sum of squares that lies between the groups; 0 where there is none."""
        total = self.between + self.within
        return self.between / total if total > 0 else 0.0

    @property
    def _degrees(self) -> tuple[int, int]:
        groups = int((self.size > 0).sum())
        return groups - 1, int(self.size.sum()) - groups

    def f_test(self) -> tuple[float, float]:
        """F statistic and its p value; (NaN, 1) where groups or rows are too few for one."""
        from scipy.stats import f

        between, within = self._degrees
        if between < 1 or within < 1 or self.between + self.within == 0:
            return float("nan"), 1.0
        if self.within == 0:
            return float("inf"), 0.0
        ratio = (self.between / between) / (self.within / within)
        return ratio, float(f.sf(ratio, between, within))

    def components(self) -> tuple[float, float]:
        """Variance between and within groups (random effects, by moments); the first at least 0."""
        between, within = self._degrees
        if between < 1 or within < 1:
            return 0.0, float("nan")
        inside = self.within / within
        n = float(self.size.sum())
        typical = (n - float((self.size.astype(float) ** 2).sum()) / n) / between
        return max((self.between / between - inside) / typical, 0.0), inside

    def shrunk_means(self) -> Floats:
        """Means drawn to the grand mean, ``m + tau2 / (tau2 + sigma2 / n_i) (m_i - m)``.

        The grand mean where nothing speaks for differences, and for an empty group; the means as
        they stand where no group has two rows.
        """
        tau2, sigma2 = self.components()
        if np.isnan(sigma2):
            return self.mean
        weight = tau2 + sigma2 / np.maximum(self.size, 1)
        pull = np.divide(tau2, weight, out=np.ones_like(weight), where=weight > 0)
        own = np.where(self.size > 0, pull * (self.mean - self.grand_mean), 0.0)
        return self.grand_mean + own


def variance_of(values: npt.ArrayLike, groups: npt.ArrayLike) -> Variance:
    """One-way analysis of variance of ``values`` over ``groups``.

    Parameters
    ----------
    values : array-like of shape (n,)
        Finite numbers.
    groups : array-like of shape (n,)
        Name of each row's group; sorted names are the order of the answer.

    Returns
    -------
    Variance

    Raises
    ------
    ValueError
        If values are not finite, or lengths differ.

    Examples
    --------
    >>> from custvalue.market import variance_of
    >>> variance_of([1.0, 3.0, 5.0, 7.0], ["a", "a", "b", "b"]).shrunk_means().tolist()
    [2.25, 5.75]
    """
    value = np.asarray(values, dtype=np.float64)
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    if value.ndim != 1 or value.shape != place.shape or not len(value):
        raise ValueError(f"values {value.shape} and groups {place.shape} must be one a customer.")
    if not np.isfinite(value).all():
        raise ValueError("values has missing or infinite entries; drop or fill them.")
    return variance_by_code(value, place, len(names))


def variance_by_code(value: Floats, place: Places, n_groups: int) -> Variance:
    """As ``variance_of``, for groups 0 to ``n_groups - 1``, of which some may be empty."""
    size = np.bincount(place, minlength=n_groups)
    total = np.bincount(place, weights=value, minlength=n_groups)
    mean = np.divide(total, size, out=np.full(n_groups, np.nan), where=size > 0)
    grand = float(value.mean())
    between = float((size * np.where(size > 0, mean - grand, 0.0) ** 2).sum())
    within = float(((value - mean[place]) ** 2).sum())
    return Variance(size, mean, grand, between, within)


def known_money(values: Any) -> Floats:
    """Money of each customer as numbers; missing counts as nothing."""
    return np.nan_to_num(np.asarray(values, dtype=np.float64))
