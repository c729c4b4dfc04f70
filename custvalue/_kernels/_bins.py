"""Cut points at quantiles, and which bin a value lies in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats, Ints


def quantile_cuts(values: npt.ArrayLike, n_bins: int) -> Floats:
    """Ascending cut points that put values into ``n_bins`` bins of near-equal size.

    A cut is an observed value (the inverse of the empirical distribution at k / n_bins), so that
    scores do not depend on the unit of money or time. Equal values can never be told apart: a
    large group of equal values takes the place of several bins, and where it holds the largest
    value it takes the last of them, so that the smallest value is always in the first bin and the
    largest in the last (unless all are equal).

    Parameters
    ----------
    values : array-like of shape (n,)
        Finite values, n >= 1.
    n_bins : int
        At least 1.

    Returns
    -------
    ndarray of shape (n_bins - 1,)

    Examples
    --------
    >>> from custvalue._kernels import quantile_cuts
    >>> quantile_cuts([1, 1, 1, 1, 1, 1, 2, 2, 3, 9], 5)
    array([1., 1., 1., 2.])
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    # ceil(n k / n_bins) - 1 in integers: no rounding decides where a cut lies
    at = -(-n * np.arange(1, n_bins) // n_bins) - 1
    cuts = ordered[at]
    below_top = np.searchsorted(ordered, ordered[-1], side="left") - 1
    if below_top >= 0:
        np.minimum(cuts, ordered[below_top], out=cuts)
    return cuts


def bins_of(values: npt.ArrayLike, cuts: Floats, group: Ints | None = None) -> Ints:
    """Bin of each value: how many cuts lie below it.

    Parameters
    ----------
    values : array-like of shape (n,)
    cuts : ndarray of shape (n_groups, n_bins - 1)
        Ascending in each row.
    group : ndarray of shape (n,), optional
        Row of ``cuts`` that each value is held against; None: the only row.

    Returns
    -------
    ndarray of shape (n,), bins 0 to n_bins - 1

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import bins_of
    >>> bins_of([1, 2, 3, 9], np.array([[1.0, 2.0]]))
    array([0, 1, 2, 2])
    """
    x = np.asarray(values, dtype=np.float64)
    if group is None:
        return np.searchsorted(cuts[0], x, side="left").astype(np.intp)
    out = np.zeros(len(x), dtype=np.intp)
    for j in range(cuts.shape[1]):
        out += x > cuts[group, j]
    return out
