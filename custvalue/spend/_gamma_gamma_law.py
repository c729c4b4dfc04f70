"""The Gamma-Gamma law of spend: pure functions of a customer's number of orders and mean spend.

Colombo & Jiang (1999); Fader, Hardie & Lee (2005); Fader & Hardie (2013), note 025. Every order of
a customer is Gamma(p, rate nu), and nu is Gamma(q, rate gamma) over customers; a customer with
``x`` orders of mean ``zbar`` has total ``S = x zbar``. Parameters and data broadcast, so that each
customer may have parameters of its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue._kernels import log_beta_density
from custvalue._typing import Floats


def log_likelihood(
    x: npt.ArrayLike, zbar: npt.ArrayLike, p: npt.ArrayLike, q: npt.ArrayLike, gamma: npt.ArrayLike
) -> Floats:
    """Log-density of the mean spend of ``x`` orders (note 025, equation 1a).

    Parameters
    ----------
    x : array-like
        Number of orders, at least 1.
    zbar : array-like
        Their mean, positive.
    p, q, gamma : array-like
        Parameters; gamma in units of money.

    Returns
    -------
    ndarray
        Log-density per unit of money.

    Examples
    --------
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> round(float(gamma_gamma.log_likelihood(2, 30.0, 6.25, 3.74, 15.44)), 4)
    -3.847
    """
    x, zbar = np.asarray(x, float), np.asarray(zbar, float)
    # S / (gamma + S) is Beta(p x, q)
    odds = x * zbar / np.asarray(gamma, float)
    return np.asarray(log_beta_density(np.asarray(p, float) * x, q, odds) - np.log(zbar))


def posterior(
    x: npt.ArrayLike, zbar: npt.ArrayLike, p: npt.ArrayLike, q: npt.ArrayLike, gamma: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Shape and rate of nu given the history: Gamma(q + p x, gamma + x zbar).

    Parameters
    ----------
    x, zbar : array-like
        ``x`` may be 0; ``zbar`` is then ignored (it may be NaN).
    p, q, gamma : array-like

    Returns
    -------
    shape, rate : ndarray

    Examples
    --------
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> [float(v) for v in gamma_gamma.posterior(2, 30.0, 6.0, 4.0, 15.0)]
    [16.0, 75.0]
    """
    x = np.asarray(x, float)
    total = np.where(x > 0, x * np.asarray(zbar, float), 0.0)
    return np.asarray(q, float) + np.asarray(p, float) * x, np.asarray(gamma, float) + total


def expected_spend(
    x: npt.ArrayLike, zbar: npt.ArrayLike, p: npt.ArrayLike, q: npt.ArrayLike, gamma: npt.ArrayLike
) -> Floats:
    """Return the expected mean spend per order given the history (note 025, equation 5).

    ``p (gamma + x zbar) / (p x + q - 1)``: between the population's mean and the customer's own;
    infinity where ``p x + q <= 1``, for there the mean does not exist.

    Parameters
    ----------
    x, zbar : array-like
        ``x`` may be 0; ``zbar`` is then ignored (it may be NaN).
    p, q, gamma : array-like

    Returns
    -------
    ndarray

    Examples
    --------
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> gamma_gamma.expected_spend([0, 1, 10], [0, 100, 100], 6.25, 3.74, 15.44).round(2)
    array([35.22, 80.26, 97.28])
    """
    shape, rate = posterior(x, zbar, p, q, gamma)
    excess = shape - 1.0
    defined = excess > 0
    out: Floats = np.where(
        defined, np.asarray(p, float) * rate / np.where(defined, excess, 1.0), np.inf
    )
    return out


def variance_of_mean(
    x: npt.ArrayLike, zbar: npt.ArrayLike, p: npt.ArrayLike, q: npt.ArrayLike, gamma: npt.ArrayLike
) -> Floats:
    """Posterior variance of a customer's mean spend p / nu; infinity where ``p x + q <= 2``.

    Parameters
    ----------
    x, zbar, p, q, gamma : array-like

    Returns
    -------
    ndarray

    Examples
    --------
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> round(float(gamma_gamma.variance_of_mean(0, 0, 6.25, 3.74, 15.44)), 1)
    712.9
    """
    shape, _ = posterior(x, zbar, p, q, gamma)
    mean = expected_spend(x, zbar, p, q, gamma)
    excess = shape - 2.0
    defined = excess > 0
    out: Floats = np.where(
        defined, np.where(defined, mean, 0.0) ** 2 / np.where(defined, excess, 1.0), np.inf
    )
    return out


def spend_quantile(
    u: npt.ArrayLike,
    x: npt.ArrayLike,
    zbar: npt.ArrayLike,
    p: npt.ArrayLike,
    q: npt.ArrayLike,
    gamma: npt.ArrayLike,
) -> Floats:
    """Quantile of a customer's mean spend p / nu given the history; always finite.

    Parameters
    ----------
    u : array-like
        Probability in (0, 1).
    x, zbar, p, q, gamma : array-like

    Returns
    -------
    ndarray

    Examples
    --------
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> round(float(gamma_gamma.spend_quantile(0.5, 0, 0, 6.25, 3.74, 15.44)), 2)
    28.28
    """
    from scipy.special import gammainccinv

    shape, rate = posterior(x, zbar, p, q, gamma)
    nu = gammainccinv(shape, np.asarray(u, float))  # small nu is high spend
    return _mean_spend(np.asarray(p, float) * rate, nu)


def _mean_spend(money: Floats, nu: Floats) -> Floats:
    """``money / nu``; the largest number where nu is too near 0 to be told from it."""
    with np.errstate(over="ignore", divide="ignore"):
        return np.minimum(money / nu, np.finfo(float).max)


def capped_spend(
    cap: float,
    x: npt.ArrayLike,
    zbar: npt.ArrayLike,
    p: npt.ArrayLike,
    q: npt.ArrayLike,
    gamma: npt.ArrayLike,
) -> Floats:
    """Return the expected mean spend with all above ``cap`` counted as ``cap``; always finite.

    ``E[min(p / nu, C)] = C P(k, y) + p rate Gamma(k - 1, y) / Gamma(k)``, with nu ~ Gamma(k, rate)
    and ``y = p rate / C``.

    Parameters
    ----------
    cap : float
        Largest mean spend that counts.
    x, zbar, p, q, gamma : array-like

    Returns
    -------
    ndarray

    Examples
    --------
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> gamma_gamma.capped_spend(300.0, [0, 1], [0, 40.0], 2.0, 0.8, 15.0).round(2)
    array([108.04,  59.31])
    """
    from scipy.special import gammainc, gammaincc, gammaln

    k, rate = np.broadcast_arrays(*posterior(x, zbar, p, q, gamma))
    # Gamma(k - 1, y) by its recurrence; at k = 1 take the mean of both sides
    k = np.where(np.abs(k - 1.0) < 1e-6, 1.0 + 1e-6, k)
    y = np.asarray(p, float) * rate / cap
    tail = (gammaincc(k, y) - np.exp((k - 1.0) * np.log(y) - y - gammaln(k))) / (k - 1.0)
    out: Floats = cap * (gammainc(k, y) + y * tail)
    return np.clip(out, 0.0, cap)


def simulate(
    x: npt.ArrayLike,
    zbar: npt.ArrayLike,
    p: float,
    q: float,
    gamma: float,
    rng: np.random.Generator,
) -> Floats:
    """Draw each customer's mean spend p / nu from its posterior.

    Parameters
    ----------
    x, zbar : array-like
        ``x = 0`` draws from the population.
    p, q, gamma : float
    rng : numpy.random.Generator

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> rng = np.random.default_rng(0)
    >>> bool((gamma_gamma.simulate(np.zeros(5), 0.0, 6.25, 3.74, 15.44, rng) > 0).all())
    True
    """
    shape, rate = posterior(x, zbar, p, q, gamma)
    return _mean_spend(np.asarray(p * rate, float), rng.gamma(shape))


def simulate_orders(
    p: npt.ArrayLike,
    q: npt.ArrayLike,
    gamma: npt.ArrayLike,
    own_mean: npt.ArrayLike,
    x: npt.ArrayLike,
    rng: np.random.Generator,
) -> Floats:
    """Draw the mean of ``x`` orders of customers whose orders bring ``own_mean`` on average.

    Parameters
    ----------
    p, q, gamma : array-like
        Only p is read: the shape of an order.
    own_mean, x : array-like
    rng : numpy.random.Generator

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.spend import _gamma_gamma_law as gamma_gamma
    >>> rng = np.random.default_rng(0)
    >>> gamma_gamma.simulate_orders(6.25, 3.74, 15.44, 30.0, [1, 10**6], rng).round(1)
    array([29.9, 30. ])
    """
    shape = np.asarray(p, float) * np.asarray(x, float)
    return np.asarray(own_mean * rng.gamma(shape) / shape)
