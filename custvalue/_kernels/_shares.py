"""Intervals of shares: one, and the ratio of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._typing import Floats


def wilson(share: Any, n: Any, level: float) -> tuple[Floats, Floats]:
    """Interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22); 0 to 1 where n is 0.

    Examples
    --------
    >>> from custvalue._kernels import wilson
    >>> [round(float(end), 6) for end in wilson(0.65, 40, 0.95)]
    [0.495059, 0.778655]
    """
    from scipy.special import ndtri

    p = np.asarray(share, dtype=np.float64)
    z2 = float(ndtri(0.5 + level / 2.0)) ** 2
    size = np.maximum(np.asarray(n, dtype=np.float64), 1e-150)
    middle = (p + z2 / (2.0 * size)) / (1.0 + z2 / size)
    reach = np.sqrt(z2 * (p * (1.0 - p) / size + z2 / (4.0 * size**2))) / (1.0 + z2 / size)
    # the share itself is always inside, also where rounding would put it out
    return np.clip(middle - reach, 0.0, p), np.clip(middle + reach, p, 1.0)


def repeated_shares(
    code: Any, who: Any, hit: Floats, n: int, level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Share of hits in each of ``n`` groups whose members were seen several times; its interval.

    Deviations of one member are summed first, so that who was seen at three dates counts once; the
    interval is Wilson's, at the size that independent ones with that error would have.

    Parameters
    ----------
    code, who : ndarray of int, shape (n_seen,)
        Group and member.
    hit : ndarray of shape (n_seen,)
        1 or 0.

    Returns
    -------
    size, share, low, high : ndarray of shape (n,)
        NaN where nobody was seen.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import repeated_shares, wilson
    >>> once = repeated_shares(np.zeros(40, int), np.arange(40), np.arange(40) < 26, 1, 0.95)
    >>> round(float(once[2][0]), 6), round(float(wilson(0.65, 40, 0.95)[0]), 6)
    (0.495059, 0.495059)
    """
    size = np.bincount(code, minlength=n).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.bincount(code, hit, minlength=n) / size
        many = int(np.max(who, initial=0)) + 1
        pair, place = np.unique(code * many + who, return_inverse=True)
        owner = pair // many
        off = np.bincount(place.ravel(), hit - share[code], minlength=len(pair))
        noise = np.bincount(owner, off**2, minlength=n) / size**2
        alone = np.bincount(owner, minlength=n).astype(np.float64)
        low, high = wilson(share, np.where(noise > 0, share * (1 - share) / noise, alone), level)
    nobody = size == 0
    return size, share, np.where(nobody, np.nan, low), np.where(nobody, np.nan, high)


def share_ratio(
    p: Any, n: Any, other_p: Any, other_n: Any, level: float
) -> tuple[Floats, Floats, Floats]:
    """Ratio of two independent shares and its interval from the two Wilson intervals.

    The variances needed at each end are recovered from the nearer ends of the shares' own intervals
    (Donner & Zou 2012, Statistical Methods in Medical Research 21). NaN where both
    shares are 0, infinite where the other may be.

    Examples
    --------
    >>> from custvalue._kernels import share_ratio
    >>> [round(float(one), 3) for one in share_ratio(0.3, 100, 0.1, 900, 0.95)]
    [3.0, 2.076, 4.221]
    """
    p1, p2 = np.asarray(p, dtype=np.float64), np.asarray(other_p, dtype=np.float64)
    (l1, u1), (l2, u2) = wilson(p1, n, level), wilson(p2, other_n, level)

    def end(one: Floats, two: Floats, sign: float) -> Floats:
        inside = (p1 * p2) ** 2 - one * two * (2 * p1 - one) * (2 * p2 - two)
        root = np.sqrt(np.maximum(inside, 0.0))
        below = two * (2 * p2 - two)
        return np.where(
            below != 0, (p1 * p2 + sign * root) / np.where(below != 0, below, 1), np.inf
        )

    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = p1 / p2
    return ratio, np.where(p1 > 0, end(l1, u2, -1.0), 0.0), end(u1, l2, 1.0)
