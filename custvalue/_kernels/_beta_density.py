"""The beta density in logs, without the cancellation of its gamma functions.

Loader (2000), Fast and accurate computation of binomial probabilities: Stirling's errors and
deviances instead of three large log-gammas.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats

_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_LARGE = 16.0


def stirling_error(z: npt.ArrayLike) -> Floats:
    """``log Gamma(z + 1)`` less Stirling's ``(z + 1/2) log z - z + log(2 pi) / 2``, for z > 0.

    Examples
    --------
    >>> from custvalue._kernels._beta_density import stirling_error
    >>> stirling_error([1.0, 1e6]).round(12)
    array([8.10614668e-02, 8.33330000e-08])
    """
    from scipy.special import gammaln

    z = np.asarray(z, float)
    big = np.maximum(z, _LARGE)
    w = 1.0 / (big * big)
    tail = np.zeros_like(big)
    for c in reversed(_SERIES):
        tail = tail * w + c
    small = np.minimum(z, _LARGE)
    plain = gammaln(small + 1.0) - (small + 0.5) * np.log(small) + small - 0.5 * np.log(2 * np.pi)
    return np.where(z >= _LARGE, tail / big, plain)


def deviance(d: npt.ArrayLike, log_ratio: npt.ArrayLike) -> Floats:
    """``d - log(1 + d)``, exact also where d is tiny or near -1.

    Parameters
    ----------
    d : array-like
        Above -1.
    log_ratio : array-like
        ``log(1 + d)``, computed by the caller from what ``1 + d`` is the ratio of.

    Examples
    --------
    >>> from custvalue._kernels._beta_density import deviance
    >>> deviance([1e-8, 1.0], [1e-8, 0.6931471805599453]).round(20)
    array([5.00000000e-17, 3.06852819e-01])
    """
    d, log_ratio = np.asarray(d, float), np.asarray(log_ratio, float)
    # with s = d / (2 + d): log1p(d) = 2 (s + s^3/3 + ...) and d - 2 s = s d
    is_near = np.abs(d) < 0.2
    near = np.where(is_near, d, 0.0)
    s = near / (2.0 + near)
    w = s * s
    series = np.zeros_like(s)
    for k in range(12, 0, -1):
        series = series * w + 1.0 / (2 * k + 1)
    return np.where(is_near, s * near - 2.0 * s * w * series, d - log_ratio)


def log_beta_density(a: npt.ArrayLike, b: npt.ArrayLike, odds: npt.ArrayLike) -> Floats:
    """``log(y^a (1 - y)^b / B(a, b))`` at ``y = odds / (1 + odds)``.

    The density of log odds: y ~ Beta(a, b) has this density in log(y / (1 - y)).

    Examples
    --------
    >>> from custvalue._kernels._beta_density import log_beta_density
    >>> round(float(log_beta_density(2.0, 3.0, 1.0)), 6)  # 12 / 2^5
    -0.980829
    """
    a, b, odds = np.asarray(a, float), np.asarray(b, float), np.asarray(odds, float)
    n = a + b
    log_odds, log_n = np.log(odds), np.log(n)
    log_1p = np.where(odds > 1.0, log_odds + np.log1p(1.0 / np.maximum(odds, 1.0)), np.log1p(odds))
    # n y - a = -(n (1 - y) - b), without the difference of large numbers
    surplus = np.where(odds > 1.0, b - a / np.maximum(odds, 1.0), b * odds - a)
    surplus = surplus / np.where(odds > 1.0, 1.0 + 1.0 / np.maximum(odds, 1.0), 1.0 + odds)
    high = a * deviance(surplus / a, log_n + log_odds - log_1p - np.log(a))
    low = b * deviance(-surplus / b, log_n - log_1p - np.log(b))
    half = 0.5 * (np.log(a) + np.log(b) - log_n - np.log(2 * np.pi))
    return np.asarray(half + stirling_error(n) - stirling_error(a) - stirling_error(b) - high - low)
