"""Exponential-gamma: contracts that may be ended at any time.

Story: a customer leaves at an own constant rate lambda; lambda ~ Gamma(r, alpha) over customers (a
Pareto law of the second kind). Source: Hardie, B. G. S. & Fader, P. S. (2001), Forecasting Repeat
Buying for New Products and Services, and Fader, P. S. & Hardie, B. G. S. (2009), Probability Models
for Customer-Base Analysis, Journal of Interactive Marketing 23(1), 61-69.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from custvalue._typing import Floats, Values
from custvalue.contracts._law import ContractLaw, ContractModel


class ExponentialGammaParams(NamedTuple):
    """Rate of leaving lambda ~ Gamma(r, alpha); alpha is a time."""

    r: float
    alpha: float


def log_survival(r: Values, alpha: Values, t: Values) -> Floats:
    """Log P(lasts longer than t): (alpha / (alpha + t))^r."""
    return np.asarray(-np.asarray(r) * np.log1p(np.divide(t, alpha)))


def log_likelihood(r: Values, alpha: Values, t: Values, gone: Values) -> Floats:
    """Log density r / (alpha + t) S(t) of a contract that ended at t, log S(t) of one that runs."""
    ends = np.log(r) - np.log(np.add(alpha, t))
    return np.asarray(log_survival(r, alpha, t) + np.where(gone, ends, 0.0))


def simulate(r: float, alpha: float, n: int, rng: np.random.Generator) -> Floats:
    """How long n contracts last."""
    return rng.exponential(1.0, n) / np.maximum(rng.gamma(r, 1.0 / alpha, n), 1e-300)


def _guesses(leaving: float) -> list[tuple[float, ...]]:
    return [(r, r / leaving) for r in (1.0, 4.0, 0.3)]


class ExponentialGamma(ContractModel):
    """Exponential-gamma: contracts ended at any time, at a rate that differs between customers.

    ``duration`` is the time a contract was seen to run, ``ended`` says whether it ended then;
    contracts that still run are censored. The older a contract, the rarer it ends, because those
    likely to end have ended. The continuous counterpart of the shifted beta-geometric.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of ``duration`` where the table does not say it.
    horizon : str, number or None, default=None

    Attributes
    ----------
    params_ : ExponentialGammaParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Fader, P. S. & Hardie, B. G. S. (2009), Probability Models for Customer-Base Analysis, Journal
    of Interactive Marketing 23(1), 61-69.

    Examples
    --------
    >>> from custvalue.contracts import ExponentialGamma
    >>> truth = ExponentialGamma.from_params(r=1.5, alpha=10.0, unit="M")
    >>> X = truth.sample_contracts(2000, T=24.0, random_state=1)
    >>> [round(v, 2) for v in ExponentialGamma(unit="M").fit(X).params_]
    [1.42, 9.3]
    >>> truth.predict_alive([[3.0, 0], [20.0, 0], [2.0, 1]], at="12M").round(3)
    array([0.375, 0.604, 0.   ])
    """

    columns = ("duration", "ended")
    law = ContractLaw(
        name="exponential-gamma",
        params=ExponentialGammaParams,
        dimensions={"r": "none", "alpha": "time"},
        log_likelihood=log_likelihood,
        log_survival=log_survival,
        simulate=simulate,
        guesses=_guesses,
        discrete=False,
        limits={
            "r": ("nobody leaves", "no spread in rates of leaving: one rate for all customers"),
            "alpha": ("everybody leaves at once", "one rate for all customers, or nobody leaves"),
        },
    )
