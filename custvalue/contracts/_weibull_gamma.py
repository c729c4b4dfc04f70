"""Weibull-gamma: contracts that may be ended at any time, at a rate that changes with age.

Story: a contract lasts longer than t with chance exp(-lambda t^c), the Weibull law; lambda varies
over customers by a gamma law of shape r (a Burr XII law). At c = 1 it is the exponential-gamma.
Source: Hardie, B. G. S. & Fader, P. S. (2001), Forecasting Repeat Buying for New Products and
Services; Morrison, D. G. & Schmittlein, D. C. (1980), Jobs, Strikes, and Wars: Probability Models
for Duration, Organizational Behavior and Human Performance 25(2), 224-251. Their scale of the gamma
law is here ``alpha ** c``, so that ``alpha`` is a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from custvalue._kernels import softplus
from custvalue._typing import Floats, Values
from custvalue.contracts._law import ContractLaw, ContractModel


class WeibullGammaParams(NamedTuple):
    """Shape r of the rates over customers, time alpha, and c: how leaving changes with age."""

    r: float
    alpha: float
    c: float


def _power(alpha: Values, c: Values, t: Values) -> Floats:
    """Log of (t / alpha)^c."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.asarray(c) * np.log(np.divide(t, alpha)))


def log_survival(r: Values, alpha: Values, c: Values, t: Values) -> Floats:
    """Log P(lasts longer than t): (1 + (t / alpha)^c)^-r."""
    return np.asarray(-np.asarray(r) * softplus(_power(alpha, c, t)))


def log_likelihood(r: Values, alpha: Values, c: Values, t: Values, gone: Values) -> Floats:
    """Log density r c t^(c-1) / (alpha^c + t^c) S(t) of one that ended, log S(t) if it runs."""
    power = _power(alpha, c, t)
    safe = np.where(gone, t, 1.0)
    ends = np.log(r) + np.log(c) + np.where(gone, power - softplus(power), 0.0) - xlogy(1.0, safe)
    return np.asarray(log_survival(r, alpha, c, t) + np.where(gone, ends, 0.0))


def simulate(r: float, alpha: float, c: float, n: int, rng: np.random.Generator) -> Floats:
    """How long n contracts last."""
    rate = np.maximum(rng.gamma(r, 1.0, n), 1e-300)
    return np.asarray(alpha * (rng.exponential(1.0, n) / rate) ** (1.0 / c))


def _guesses(leaving: float) -> list[tuple[float, ...]]:
    return [(r, r / leaving, c) for r, c in ((1.0, 1.0), (4.0, 1.0), (0.5, 1.5), (1.0, 0.7))]


class WeibullGamma(ContractModel):
    """Weibull-gamma: contracts ended at any time, at a rate that differs and changes with age.

    ``duration`` is the time a contract was seen to run, ``ended`` says whether it ended then;
    contracts that still run are censored. With ``c`` above 1 each customer grows more likely to
    leave. The continuous counterpart of the beta-discrete-Weibull.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of ``duration`` where the table does not say it.
    horizon : str, number or None, default=None

    Attributes
    ----------
    params_ : WeibullGammaParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Morrison, D. G. & Schmittlein, D. C. (1980), Jobs, Strikes, and Wars: Probability Models for
    Duration, Organizational Behavior and Human Performance 25(2), 224-251.

    Examples
    --------
    >>> from custvalue.contracts import WeibullGamma
    >>> truth = WeibullGamma.from_params(r=1.0, alpha=10.0, c=1.6, unit="M")
    >>> X = truth.sample_contracts(2000, T=36.0, random_state=1)
    >>> model = WeibullGamma(unit="M").fit(X)
    >>> model.fit_report().status
    'interior'
    """

    columns = ("duration", "ended")
    law = ContractLaw(
        name="Weibull-gamma",
        params=WeibullGammaParams,
        dimensions={"r": "none", "alpha": "time", "c": "none"},
        log_likelihood=log_likelihood,
        log_survival=log_survival,
        simulate=simulate,
        guesses=_guesses,
        discrete=False,
        limits={
            "r": ("nobody leaves", "no spread over customers: one Weibull law for all"),
            "alpha": ("everybody leaves at once", "one Weibull law for all, or nobody leaves"),
        },
    )
