"""What was known before the campaign takes noise out of what came after it.

The adjusted effect is that of the analysis of covariance: the difference of the groups in
``y* = y - theta (x - mean of x)`` with ``theta`` the slope of ``y`` on ``x`` within the groups,
pooled (Deng, Xu, Kohavi & Walker 2013, equation 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError

NEGLIGIBLE = 1e-10  # of the largest share of the covariates' spread: directions below it are none


@dataclass(frozen=True)
class Adjustment:
    """What covariates known before the campaign did to the effect.

    Parameters
    ----------
    names : tuple of str
        Of the covariates.
    slopes : tuple of float
        Outcome per unit of each covariate, within the groups.
    correlation : float
        Multiple correlation of the covariates with the outcome, within the groups.
    unadjusted : float
        Plain difference of the means.

    Examples
    --------
    >>> known = Adjustment(("forecast",), (0.9,), 0.67, 1.2)
    >>> round(known.variance_left, 2), round(known.customers_saved, 2)
    (0.55, 0.45)
    """

    names: tuple[str, ...]
    slopes: tuple[float, ...]
    correlation: float
    unadjusted: float

    @property
    def variance_left(self) -> float:
        """Variance of the adjusted effect over that of the plain one, ``1 - correlation**2``."""
        return 1.0 - self.correlation**2

    @property
    def customers_saved(self) -> float:
        """Share of customers that the test could do without, for the same answer."""
        return self.correlation**2


class Residuals(NamedTuple):
    """What covariates leave of an outcome, and how the groups differ in them.

    Parameters
    ----------
    of : ndarray of shape (n_outcomes, n)
        Residuals of each outcome from one regression on all customers, groups not told: shuffling
        the groups leaves them as they are, so a test by shuffles stays exact.
    factor : float
        What the difference of the residuals is multiplied by to give the adjusted effect: the
        covariates took the part of the effect that goes with the groups' imbalance.
    slopes, correlation : ndarray, float
        Of the first outcome, within the groups.
    rank : int
        How many covariates tell something that the others do not.
    """

    of: Floats
    factor: float
    slopes: Floats
    correlation: float
    rank: int


def residuals(outcomes: Floats, x: Floats, n_a: int) -> Residuals:
    """Regress each outcome on the covariates; the first ``n_a`` columns are the treated.

    With covariates ``z`` of unit spread (``z'z = 1``) and ``d`` the difference of the groups' means
    the slope within the groups is ``(1 - c d d')^-1 (z'y - c d d_y)``, ``c = n_a n_b / n``.

    Parameters
    ----------
    outcomes : ndarray of shape (n_outcomes, n)
    x : ndarray of shape (n, n_covariates)
    n_a : int

    Raises
    ------
    DataContractError
        If the covariates tell treated from control.
    """
    n = len(x)
    c = n_a * (n - n_a) / n
    centre = x.mean(axis=0)
    z = x - centre
    y = outcomes - outcomes.mean(axis=1, keepdims=True)
    moments = z.T @ z / n
    spread = np.sqrt(np.diag(moments))
    varies = spread > 1e-12 * np.abs(centre)
    scale = np.where(varies, spread, 1.0)
    share, axes = np.linalg.eigh(moments / np.outer(scale, scale) * np.outer(varies, varies))
    keep = share > NEGLIGIBLE * float(share.max(initial=0.0))
    to_unit = axes[:, keep] / np.sqrt(share[keep] * n) / scale[:, None]
    along = to_unit.T @ (z.T @ y.T)
    left = y - (z @ (to_unit @ along)).T
    d = to_unit.T @ (z[:n_a].mean(axis=0) - z[n_a:].mean(axis=0))
    told = float(c * d @ d)
    if told > 1.0 - 1e-9:
        raise DataContractError(
            ContractProblem(
                "covariate-is-the-group",
                "the covariates tell treated from control customers without error",
                "Leave out what says who was treated; a covariate is known before the draw.",
            )
        )
    factor = 1.0 / (1.0 - told)
    gap = outcomes[0, :n_a].mean() - outcomes[0, n_a:].mean()
    within = np.linalg.solve(np.eye(len(d)) - c * np.outer(d, d), along[:, 0] - c * d * gap)
    total = float(y[0] @ y[0] - c * gap**2)
    gap_left = left[0, :n_a].mean() - left[0, n_a:].mean()
    rest = float(left[0] @ left[0] - c * factor * gap_left**2)
    explained = 1.0 - rest / total if total > 0 else 0.0
    correlation = float(np.sqrt(min(max(explained, 0.0), 1.0)))
    return Residuals(left, factor, to_unit @ within, correlation, len(d))
