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
