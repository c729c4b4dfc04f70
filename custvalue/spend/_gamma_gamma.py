"""Gamma-Gamma: what an order of each customer is expected to bring."""

from __future__ import annotations

from typing import NamedTuple

from custvalue.spend import _gamma_gamma_law as gamma_gamma
from custvalue.spend._base import SpendModel
from custvalue.spend._gamma_gamma_fit import TO_LOGS, counted_objective, derivatives
from custvalue.spend._law import SpendLaw

# p and q of regular and erratic buyers, alike and unlike customers; of geometric mean spend 1
GUESSES = ((6, 4), (1, 2), (0.2, 1), (0.3, 20), (30, 2), (2, 50), (300, 3), (0.5, 0.5))


class GammaGammaParams(NamedTuple):
    """Parameters of the Gamma-Gamma law.

    Attributes
    ----------
    p : float
        Shape of a customer's orders: 1 / p is their squared coefficient of variation.
    q : float
        Shape of the rate over customers: large q, customers alike.
    gamma : float
        Rate of the rate, in units of money.

    Examples
    --------
    >>> from custvalue.spend import GammaGamma
    >>> p, q, gamma = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44).params_
    """

    p: float
    q: float
    gamma: float


class GammaGamma(SpendModel):
    """Mean spend per order of each customer, shrunk towards everybody's.

    Every order of a customer is Gamma(p, rate nu); nu is Gamma(q, rate gamma) over customers. The
    expected spend of a customer with ``x`` repeat orders of mean ``zbar`` is
    ``p (gamma + x zbar) / (p x + q - 1)``: the customer's own mean, weighted by ``p x``, and the
    population's, weighted by ``q - 1``.

    Parameters
    ----------
    statistic : {"mean", "median", "capped"}, default="mean"
        What ``predict`` returns of a customer's mean spend per order. Where spend is so
        heavy-tailed that the mean is infinite (``p x + q <= 1``), ``"mean"`` raises
        `UndefinedMeanError`; ``"median"`` and ``"capped"`` always exist.
    cap : float or None, default=None
        With ``statistic="capped"``: the largest mean spend that counts, in money.
    spend_columns : list of str or None, default=None
        Columns that tell of the customer (numbers, truth values, text) and move how much an order
        brings; the docs have a page on them.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    params_ : GammaGammaParams
        ``p``, ``q``, ``gamma``.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where ``X`` had named columns.

    Raises
    ------
    UndefinedMeanError
        From ``predict`` with ``statistic="mean"``.

    See Also
    --------
    custvalue.value.CustomerValue : orders x spend x margin, discounted.

    Notes
    -----
    Customers without a repeat order (``frequency`` 0) say nothing about spend per repeat order: the
    fit leaves them out and ``fit_report()`` counts them; all customers are scored.

    References
    ----------
    Colombo, R. & Jiang, W. (1999), A stochastic RFM model, Journal of Interactive Marketing 13(3).
    Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), RFM and CLV: using iso-value curves for
    customer base analysis, Journal of Marketing Research 42(4), 415-430.
    Fader, P. S. & Hardie, B. G. S. (2013), The gamma-gamma model of monetary value, note 025.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.spend import GammaGamma
    >>> model = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44)
    >>> model.predict([[0, float("nan")], [1, 100.0], [10, 100.0]]).round(2)
    array([35.22, 80.26, 97.28])
    """

    law = SpendLaw(
        name="Gamma-Gamma",
        params=GammaGammaParams,
        dimensions={"p": "none", "q": "none", "gamma": "money"},
        log_likelihood=lambda p, q, gamma, x, z: gamma_gamma.log_likelihood(x, z, p, q, gamma),
        expected_spend=lambda p, q, gamma, x, z: gamma_gamma.expected_spend(x, z, p, q, gamma),
        quantile=lambda p, q, gamma, x, z, u: gamma_gamma.spend_quantile(u, x, z, p, q, gamma),
        capped_spend=lambda p, q, gamma, x, z, cap: gamma_gamma.capped_spend(
            cap, x, z, p, q, gamma
        ),
        simulate=lambda p, q, gamma, x, z, rng: gamma_gamma.simulate(x, z, p, q, gamma, rng),
        simulate_orders=gamma_gamma.simulate_orders,
        posterior=lambda p, q, gamma, x, z: (p, *gamma_gamma.posterior(x, z, p, q, gamma)),
        objective=counted_objective,
        derivatives=derivatives,
        guesses=tuple((p, q, q / p) for p, q in GUESSES),
        limits={
            "p": (
                "A customer's orders differ beyond all measure (p falls to 0).",
                "A customer's orders do not differ from one another (p has no upper end).",
            ),
            "q": (
                "Customers differ in spend beyond all measure (q falls to 0).",
                "Customers do not differ from one another in spend (q has no upper end).",
            ),
            "gamma": ("The scale of spend runs away from the data's.",) * 2,
        },
        basis=TO_LOGS,
        bounds=((1e-3, 1e6), (1e-3, 1e5), (1e-12, 1e12)),
    )
