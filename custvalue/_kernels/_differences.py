"""Gradient and Hessian by differences, for a law that brings none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def rows_by_differences(
    density: Callable[..., Floats], logs: Sequence[Floats], width: float = 3e-4
) -> tuple[Floats, list[Floats], dict[tuple[int, int], Floats]]:
    """Value and derivatives of a density of rows in the logs of its parameters, row by row.

    Parameters
    ----------
    density : callable (params...) -> ndarray of shape (n,)
    logs : sequence of ndarray
        Logs of the parameters, which broadcast with the rows.
    width : float

    Returns
    -------
    value : ndarray of shape (n,)
    gradient : list of ndarray of shape (n,)
    hessian : dict of (int, int) to ndarray of shape (n,)
        Upper half.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import rows_by_differences
    >>> value, g, h = rows_by_differences(lambda a: 3.0 * np.log(a) ** 2, [np.array([1.0, 2.0])])
    >>> value, g[0].round(6), h[0, 0].round(4)
    (array([ 3., 12.]), array([ 6., 12.]), array([6., 6.]))
    """

    def at(moves: dict[int, float]) -> Floats:
        return density(*(np.exp(v + moves.get(i, 0.0)) for i, v in enumerate(logs)))

    k = range(len(logs))
    centre = at({})
    up, down = [at({i: width}) for i in k], [at({i: -width}) for i in k]
    gradient = [(up[i] - down[i]) / (2 * width) for i in k]
    hessian = {(i, i): (up[i] - 2 * centre + down[i]) / width**2 for i in k}
    for i in k:
        for j in range(i + 1, len(logs)):
            both = at({i: width, j: width}) + at({i: -width, j: -width})
            ends = up[i] + down[i] + up[j] + down[j]
            hessian[i, j] = (both - ends + 2 * centre) / (2 * width**2)
    return centre, gradient, hessian
