"""What all customers share in a period: seasons, promotions, weather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custvalue.markov._sparse import Floats


@dataclass(frozen=True)
class Shock:
    """Shocks of periods that hit all customers alike, as shares of the total.

    Parameters
    ----------
    period : float
        Standard deviation of one period's shock.
    level : float
        Standard error that such shocks leave on the level of the forecast: the mean shock of the
        periods it was learned from.
    """

    period: float = 0.0
    level: float = 0.0

    def ahead(self, money: Floats) -> float:
        """Give the standard deviation of a total, from what each coming period is to bring."""
        total = abs(float(money.sum()))
        return self.period * float(np.sqrt((money**2).sum())) / total if total > 0.0 else 0.0


def shared_shock(
    period: npt.NDArray[np.int64], observed: Floats, expected: Floats, variance: Floats
) -> Shock:
    """Estimate shocks from moves: what totals of periods vary more than customers alone explain.

    Parameters
    ----------
    period, observed, expected, variance : ndarray of shape (n_moves,)
        Period of each move; what came, what was expected, and its variance with customers
        independent of each other. A single period shows no shock.
    """
    place = np.unique(period, return_inverse=True)[1].ravel()
    came = np.bincount(place, weights=observed)
    due = np.bincount(place, weights=expected)
    n = len(came)
    if n < 2 or not due.sum() > 0.0:
        return Shock()
    due = due * came.sum() / due.sum()
    square = float((due**2).sum())
    spread = float(((came - due) ** 2).sum()) * n / (n - 1)
    if not square > 0.0:
        return Shock()
    sd = float(np.sqrt(max(spread - float(variance.sum()), 0.0) / square))
    return Shock(sd, sd * float(np.sqrt(square)) / abs(float(due.sum())))
