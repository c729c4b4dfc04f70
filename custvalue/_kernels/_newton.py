"""Newton's method inside a box, for likelihoods with few parameters.

A law hands over value, gradient and Hessian of its mean log-likelihood in parameters that live on
the whole line (logs); the maximise is damped, so it never goes down, and ends on the box where the
likelihood keeps rising: a boundary fit, which is a result and not a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats

Objective = Callable[[Floats], tuple[float, Floats, Floats]]

LONGEST_STEP = 2.5  # in logs: a parameter changes by a factor of 12 at most in one step
FIRST_STEPS, FIRST_LONGEST = 3, 1.2  # far from the summit a parabola promises too much
FLOOR = 1e-12  # what a step promises on a mean log-likelihood is then below its rounding
FLATTEST = 1e-10  # curvature below this share of the largest counts as flat


class Optimum(NamedTuple):
    """Where a search ended.

    Attributes
    ----------
    theta : ndarray of shape (k,)
        Parameters.
    value : float
        Mean log-likelihood.
    gradient, hessian : ndarray of shape (k,), (k, k)
        Of the mean log-likelihood, at the last point at which they were computed.
    on_lower, on_upper : ndarray of shape (k,), bool
        Parameters on the box's edge with the likelihood still rising outwards.
    iterations, evaluations : int
    converged : bool
    """

    theta: Floats
    value: float
    gradient: Floats
    hessian: Floats
    on_lower: npt.NDArray[np.bool_]
    on_upper: npt.NDArray[np.bool_]
    iterations: int
    evaluations: int
    converged: bool

    @property
    def gradient_norm(self) -> float:
        """Largest absolute gradient over the parameters that are free to move."""
        free = ~(self.on_lower | self.on_upper)
        return float(np.max(np.abs(self.gradient[free]), initial=0.0))

    @property
    def promised(self) -> float:
        """Squared Newton decrement where the gradient was last computed.

        Twice what a further step would add to the mean log-likelihood; unlike the gradient it
        doesn't depend on how the parameters are scaled.
        """
        free = ~(self.on_lower | self.on_upper)
        if not free.any():
            return 0.0
        return _newton_step(self.gradient[free], self.hessian[np.ix_(free, free)])[1]


def maximise(
    objective: Objective,
    start: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    *,
    max_iter: int = 200,
    tol: float = 1e-14,
) -> Optimum:
    """Maximise from ``start`` to a local maximum inside the box.

    Parameters
    ----------
    objective : callable
        ``theta -> (value, gradient, hessian)`` of the mean log-likelihood.
    start, lower, upper : array-like of shape (k,)
    max_iter : int, default=200
    tol : float, default=1e-14
        Stop when a Newton step promises less than this (the squared Newton decrement).

    Returns
    -------
    Optimum

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels._newton import maximise
    >>> hill = lambda t: (-float((t[0] - 1) ** 2), -2 * (t - 1), np.array([[-2.0]]))
    >>> maximise(hill, [5.0], [-9.0], [9.0]).theta
    array([1.])
    """
    lo, hi = np.asarray(lower, float), np.asarray(upper, float)
    theta = np.clip(np.asarray(start, float), lo, hi)
    value, gradient, hessian = objective(theta)
    evaluations, iterations, converged = 1, 0, False
    held_low = held_high = np.zeros(theta.size, bool)
    decrement = np.inf
    for _ in range(max_iter):
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            break
        iterations += 1
        held_low = (theta <= lo) & (gradient <= 0)
        held_high = (theta >= hi) & (gradient >= 0)
        free = ~(held_low | held_high)
        if not free.any():
            converged = True
            break
        step = np.zeros_like(theta)
        step[free], decrement = _newton_step(
            gradient[free],
            hessian[np.ix_(free, free)],
            FIRST_LONGEST if iterations <= FIRST_STEPS else LONGEST_STEP,
        )
        if decrement < tol:
            # one last full step is worth taking, not worth another pass over the data
            theta = np.clip(theta + step, lo, hi)
            value, converged = value + 0.5 * decrement, True
            break
        scale, moved = 1.0, False
        for _ in range(40):
            trial = np.clip(theta + scale * step, lo, hi)
            found = objective(trial)
            evaluations += 1
            higher = found[0] > value
            # within rounding of the summit the gradient still tells which point is nearer to it
            nearer = decrement < 1e-9 and _norm(found[1], free) < _norm(gradient, free)
            if np.isfinite(found[0]) and (higher or nearer):
                theta, (value, gradient, hessian), moved = trial, found, True
                break
            scale *= 0.4
        if not moved:  # rounding hides what is left to gain
            converged = decrement < 1e-6
            break
    else:  # on a ridge so flat that rounding leads back and forth
        converged = decrement < FLOOR
    held_low = (theta <= lo) & (gradient <= 0)
    held_high = (theta >= hi) & (gradient >= 0)
    return Optimum(
        theta, value, gradient, hessian, held_low, held_high, iterations, evaluations, converged
    )


def covariance(hessian: Floats, weight: float, held: npt.NDArray[np.bool_]) -> Floats:
    """Inverse observed information in the optimiser's parameters.

    Parameters
    ----------
    hessian : ndarray of shape (k, k)
        Of the mean log-likelihood at its maximum.
    weight : float
        Number of customers behind the mean.
    held : ndarray of shape (k,), bool
        Parameters on a boundary; their rows and columns are NaN.

    Returns
    -------
    ndarray of shape (k, k)
        NaN also where the information is not positive definite.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels._newton import covariance
    >>> covariance(np.array([[-4.0]]), 100.0, np.array([False]))
    array([[0.0025]])
    """
    out = np.full(hessian.shape, np.nan)
    free = ~held
    if free.any() and weight > 0:
        information = -hessian[np.ix_(free, free)] * weight
        if not np.isfinite(information).all():
            return out
        values = np.linalg.eigvalsh(information)
        if np.isfinite(values).all() and values[0] > 1e-13 * abs(values[-1]):
            out[np.ix_(free, free)] = np.linalg.inv(information)
    return out


def pseudo_covariance(hessian: Floats, weight: float) -> Floats:
    """Inverse observed information across the directions in which the likelihood is not flat.

    Parameters
    ----------
    hessian : ndarray of shape (k, k)
        Of the mean log-likelihood.
    weight : float

    Returns
    -------
    ndarray of shape (k, k)
        Zero along a ridge, on which whatever the likelihood can tell stays the same.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels._newton import pseudo_covariance
    >>> pseudo_covariance(np.array([[-2.0, 2.0], [2.0, -2.0]]), 100.0)
    array([[ 0.00125, -0.00125],
           [-0.00125,  0.00125]])
    """
    if not (weight > 0 and np.isfinite(hessian).all()):
        return np.zeros(hessian.shape)
    curvature, axes = np.linalg.eigh(-hessian * weight)
    sharp = curvature > FLATTEST * np.abs(curvature).max(initial=0.0)
    return np.asarray((axes[:, sharp] / curvature[sharp]) @ axes[:, sharp].T)


def _newton_step(
    gradient: Floats, hessian: Floats, reach: float = LONGEST_STEP
) -> tuple[Floats, float]:
    # curvature of the wrong sign is turned round: the step then leads uphill along that axis
    curvature, axes = np.linalg.eigh(-hessian)
    size = np.abs(curvature)
    size = np.maximum(size, max(FLATTEST * float(size[-1]), 1e-300))
    along = axes.T @ gradient
    step = axes @ (along / size)
    decrement = float(np.sum(along * along / size))
    longest = float(np.max(np.abs(step)))
    if longest > reach:
        step *= reach / longest
    return step, decrement


def _norm(gradient: Floats, free: npt.NDArray[np.bool_]) -> float:
    return float(np.max(np.abs(gradient[free])))
