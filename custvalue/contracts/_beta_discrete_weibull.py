"""Beta-discrete-Weibull: renewals whose chance differs by customer and changes with age.

Story: a customer makes t renewals or more with chance (1 - theta)^(t^c), the discrete Weibull law,
and theta ~ Beta(alpha, beta) over customers. At c = 1 nobody's chance changes with age (the shifted
beta-geometric); above 1 each customer grows more likely to leave, below 1 less. Retention of a
cohort may rise although each customer's falls. Source: Fader, P. S., Hardie, B. G. S., Liu, Y.,
Davin, J. & Steenburgh, T. (2018), "How to Project Customer Retention" Revisited: The Role of
Duration Dependence, Journal of Interactive Marketing 43, 1-16 (gamma, delta there are alpha, beta
here, as in the shifted beta-geometric).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from custvalue._kernels import log_beta_ratio
from custvalue._typing import Floats, Values
from custvalue.contracts._law import ContractLaw, ContractModel


class BetaDiscreteWeibullParams(NamedTuple):
    """Leaving theta ~ Beta(alpha, beta) at the first renewal; c says how that changes with age."""

    alpha: float
    beta: float
    c: float


def log_survival(alpha: Values, beta: Values, c: Values, t: Values) -> Floats:
    """Log P(t renewals or more): B(alpha, beta + t^c) / B(alpha, beta)."""
    return log_beta_ratio(alpha, beta, np.power(t, c))


def log_likelihood(alpha: Values, beta: Values, c: Values, t: Values, gone: Values) -> Floats:
    """Log P(left at renewal t + 1), S(t) - S(t + 1), or log P(still there after t renewals)."""
    here = log_survival(alpha, beta, c, t)
    step = np.minimum(log_survival(alpha, beta, c, np.add(t, 1.0)) - here, 0.0)
    with np.errstate(divide="ignore"):
        left = np.log(-np.expm1(step))
    return np.asarray(here + np.where(gone, left, 0.0))


def simulate(alpha: float, beta: float, c: float, n: int, rng: np.random.Generator) -> Floats:
    """Renewals made by n customers: the last t whose survival lies above a chance."""
    theta = np.clip(rng.beta(alpha, beta, n), 1e-300, 1.0 - 1e-16)
    return np.floor((np.log1p(-rng.random(n)) / np.log1p(-theta)) ** (1.0 / c))


def _guesses(leaving: float) -> list[tuple[float, ...]]:
    return [
        (size * leaving, size * (1.0 - leaving), c)
        for size, c in ((3.0, 1.0), (10.0, 1.0), (0.8, 1.5), (3.0, 0.7))
    ]


class BetaDiscreteWeibull(ContractModel):
    """BdW: contracts; the chance of leaving differs between customers and changes with age.

    ``frequency`` counts the renewals made, ``T`` the renewal dates that have come; a customer with
    ``frequency < T`` has left. It is :class:`~custvalue.purchase.ShiftedBetaGeometric` where
    ``c`` is 1; of few renewal dates ``c`` can hardly be told from the spread of theta.

    Parameters
    ----------
    unit : str or None, default=None
        Length of a contract period where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one; counted in whole renewals.

    Attributes
    ----------
    params_ : BetaDiscreteWeibullParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Fader, P. S., Hardie, B. G. S., Liu, Y., Davin, J. & Steenburgh, T. (2018), "How to Project
    Customer Retention" Revisited: The Role of Duration Dependence, Journal of Interactive Marketing
    43, 1-16.

    Examples
    --------
    >>> from custvalue.contracts import BetaDiscreteWeibull
    >>> model = BetaDiscreteWeibull().fit_cohorts([1000, 869, 743, 653, 593])
    >>> [round(v, 3) for v in model.params_]
    [0.259, 1.723, 1.584]
    >>> (1000 * model.survival_curve(8)).round()
    array([1000.,  869.,  742.,  655.,  593.,  547.,  510.,  481.,  457.])
    """

    columns = ("frequency", "T")
    law = ContractLaw(
        name="BdW",
        params=BetaDiscreteWeibullParams,
        dimensions={"alpha": "none", "beta": "none", "c": "none"},
        log_likelihood=log_likelihood,
        log_survival=log_survival,
        simulate=simulate,
        guesses=_guesses,
        discrete=True,
    )
