"""Gradient and Hessian by differences, for a law that brings none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from custvalue._typing import Floats


def by_differences(
    value_of: Callable[[Floats], float], width: float = 1e-4
) -> Callable[[Floats], tuple[float, Floats, Floats]]:
    """Value, gradient and Hessian of ``value_of`` by central differences.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import by_differences
    >>> by_differences(lambda t: float(t @ t))(np.array([1.0, 2.0]))[1].round(6)
    array([2., 4.])
    """

    def objective(theta: Floats) -> tuple[float, Floats, Floats]:
        d = len(theta)
        centre = value_of(theta)
        gradient, hessian = np.empty(d), np.empty((d, d))
        move = width * np.eye(d)
        up = [value_of(theta + move[i]) for i in range(d)]
        down = [value_of(theta - move[i]) for i in range(d)]
        for i in range(d):
            gradient[i] = (up[i] - down[i]) / (2 * width)
            hessian[i, i] = (up[i] - 2 * centre + down[i]) / width**2
            for j in range(i):
                both = value_of(theta + move[i] + move[j]) + value_of(theta - move[i] - move[j])
                ends = up[i] + down[i] + up[j] + down[j]
                hessian[i, j] = hessian[j, i] = (both - ends + 2 * centre) / (2 * width**2)
        return centre, gradient, hessian

    return objective
