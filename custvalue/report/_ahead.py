"""Spend of the periods to come: what is expected, its band, and the season where one is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from custvalue._typing import Floats, Mask
    from custvalue.data._for_rooms import Season
    from custvalue.evaluation import BestValue

RECENT = 26  # periods whose ups and downs are looked at
FEW = 6  # of them: fewer tell no spread


def paces(season: Season, starts: Any, ends: Any) -> Floats:
    """How busy each period is by a season, 1 for a mean day.

    Parameters
    ----------
    season : Season
    starts, ends : array-like of datetime64, shape (n_periods,)
        Days after which a period begins, and its last days.
    """
    starts, ends = (np.asarray(day, dtype="datetime64[D]") for day in (starts, ends))
    days = (ends - starts).astype(np.float64)
    return np.asarray((season.days(ends) - season.days(starts)) / days)


def ups_and_downs(spend: Floats) -> float:
    """Relative spread of a period's spend about the trend of its neighbours; 0 for too few.

    Half the squared spread of the log of one period over the one before, by the median of the
    absolute deviations, so that one campaign counts once.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.report._ahead import ups_and_downs
    >>> ups_and_downs(100.0 * 1.1 ** np.arange(12))  # growth is no up and down
    0.0
    """
    recent = np.asarray(spend, dtype=float)[1:][-RECENT:]  # the first period is rarely whole
    moved = np.diff(np.log(recent[recent > 0.0]))
    if len(moved) < FEW:
        return 0.0
    off = float(np.median(np.abs(moved - np.median(moved))))
    return round(float(1.4826 * off / np.sqrt(2.0)), 12)


def band(
    model: BestValue, rows: Any, expected: Floats, length: int, spread: float, level: float
) -> tuple[Floats, Floats] | None:
    """Interval of each period's spend, as wide as the model's intervals of totals say.

    Its error is that of the whole horizon's total, which earlier dates tested, the chance of a
    period's orders, by that of the first one, and the ups and downs of the periods so far.

    Parameters
    ----------
    model : BestValue
        That speaks of spend, not discounted.
    rows : OpenedTable
    expected : ndarray of shape (n_periods,)
    length : int
        Days of a period.
    spread : float
        See `ups_and_downs`.
    level : float

    Returns
    -------
    lower, upper : ndarray of shape (n_periods,)
        None where the model says nothing of totals' errors.
    """
    from scipy.special import ndtri

    whole: Any = model.predict_total(rows, f"{length * len(expected)}D", level=level).loc["all"]
    first: Any = model.predict_total(rows, f"{length}D", level=level).loc["all"]
    if "parameter_error" not in whole or not whole["value"] > 0.0 or not first["value"] > 0.0:
        return None
    error = float(whole["parameter_error"] / whole["value"])
    chance = float(first["outcome_sd"]) * np.sqrt(expected / float(first["value"]))
    miss = np.sqrt((error * expected) ** 2 + chance**2 + (spread * expected) ** 2)
    # log-normal, as the model's own intervals of totals are: no spend is below nothing
    some: Mask = expected > 0.0
    safe = np.where(some, expected, 1.0)
    s = np.sqrt(np.log1p((miss / safe) ** 2))
    reach = float(ndtri(0.5 + level / 2.0)) * s
    centre = np.where(some, expected * np.exp(-0.5 * s * s), 0.0)
    lower, upper = centre * np.exp(-reach), centre * np.exp(reach)
    return np.minimum(lower, expected), np.maximum(upper, expected)
