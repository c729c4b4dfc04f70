"""Tell the time from first to last order (BTYD recency) from the time since the last one."""

from __future__ import annotations

import numpy as np

from custvalue._typing import Floats


def silence_instead_of_recency(
    x: Floats, t_x: Floats, T: Floats, weight: Floats | None = None
) -> tuple[float, float] | None:
    """Mean of t_x / T for few and for many repeat orders, where it falls; None where all is well.

    More repeat orders mean a later last one, so the share of the observation that ``t_x`` covers
    rises with ``x``. It falls where the column is the time since the last order. Judged on
    customers with two repeat orders or more, of whom there must be 50 (`customers_in`).

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels._recency import silence_instead_of_recency
    >>> x = np.repeat([2.0, 9.0], 40)
    >>> since = np.repeat([20.0, 2.0], 40)
    >>> silence_instead_of_recency(x, since, np.full(80, 30.0))
    (0.6667, 0.0667)
    >>> silence_instead_of_recency(x, 30.0 - since, np.full(80, 30.0)) is None
    True
    """
    many = np.flatnonzero((x >= 2) & (T > 0))
    w = np.ones(len(many)) if weight is None else weight[many]
    total = float(w.sum())
    if customers_in(w) < 50:
        return None
    x, share = x[many], t_x[many]
    share /= T[many]
    upper = (x > np.dot(w, x) / total).astype(np.float64)
    upper *= w
    above = float(upper.sum())
    if above == 0.0 or above == total:
        return None
    high = float(upper @ share)
    low = (float(w @ share) - high) / (total - above)
    high /= above
    return (round(low, 4), round(high, 4)) if high < low - 0.1 else None


def customers_in(weight: Floats) -> float:
    """How many customers weights stand for, whatever they are counted in.

    The sum, in units of the usual weight where that is no 1: weights of 10^9 for everybody make
    ten customers no evidence of ten billion.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels._recency import customers_in
    >>> [customers_in(np.array(w)) for w in ([1.0] * 10, [1e9] * 10, [1.0, 1.0, 8.0])]
    [10.0, 10.0, 10.0]
    """
    return float(weight.sum()) / float(np.median(weight)) if len(weight) else 0.0
