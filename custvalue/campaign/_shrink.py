"""Effects of groups, drawn towards each other as far as they differ no more than chance makes them.

Each effect is normal about its group's own, and these are normal about a common one with a spread
``tau`` that is not known: all that the data say of it is used, not one value (Gelman et al. 2013,
Bayesian Data Analysis, 3rd ed., section 5.4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from custvalue._typing import Floats

N_SPREADS = 400  # values of tau, evenly spaced


class Shrunk(NamedTuple):
    """Mean and standard deviation of each group's effect, and the median spread."""

    mean: Floats
    error: Floats
    spread: float


def shrink(effect: Floats, error: Floats) -> Shrunk:
    """Posterior of every group's effect, all spreads between the groups equally likely before.

    Parameters
    ----------
    effect, error : ndarray of shape (n_groups,)
        Effects and their standard errors (above 0); three groups or more, else nothing can be
        learned of the spread.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.campaign._shrink import shrink
    >>> shrink(np.array([1.0, 2.0, 9.0]), np.array([2.0, 2.0, 2.0])).mean.round(1).tolist()
    [1.4, 2.3, 8.4]
    """
    y, s = effect[:, None], error[:, None]
    # above a few times the spread of the effects the posterior has no mass worth a point, but for
    # three or four groups, whose tail is long
    most = 20.0 * max(float(np.ptp(effect)), float(error.max()))
    tau = most * (np.arange(N_SPREADS) / (N_SPREADS - 1.0)) ** 2
    # squares of a grid: weigh each by the width of its step
    width = np.gradient(tau)
    weight = 1.0 / (s**2 + tau**2)
    common = (weight * y).sum(axis=0) / weight.sum(axis=0)
    log_p = (
        0.5 * np.log(weight).sum(axis=0)
        - 0.5 * np.log(weight.sum(axis=0))
        - 0.5 * (weight * (y - common) ** 2).sum(axis=0)
    )
    p = np.exp(log_p - log_p.max()) * width
    p /= p.sum()
    own = tau**2 * weight  # share of the own effect
    mean = own * y + (1.0 - own) * common
    variance = own * s**2 + (1.0 - own) ** 2 / weight.sum(axis=0)
    centre = mean @ p
    return Shrunk(
        centre,
        np.sqrt((variance + (mean - centre[:, None]) ** 2) @ p),
        float(tau[np.searchsorted(p.cumsum(), 0.5)]),
    )
