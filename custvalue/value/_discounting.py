"""When money counts: stretches of a horizon and what an order in each of them is worth today."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from custvalue._units import DAYS_PER, Span, days_per, span_days
from custvalue.exceptions import TimeUnitError

Array = npt.NDArray[np.float64]
Timing = Literal["continuous", "start", "middle", "end"]
TIMINGS = ("continuous", "start", "middle", "end")
NODES = 12  # Gauss-Legendre, more for long horizons: expected orders are smooth in time


def rate_per_unit(annual_discount_rate: float, unit: str | None) -> float:
    """Return the continuous rate per unit of time; 0 where the annual rate is 0.

    Raises
    ------
    TimeUnitError
        If there is a rate and the unit is not known.
    """
    if annual_discount_rate == 0.0:
        return 0.0
    if unit is None:
        raise TimeUnitError(
            f"annual_discount_rate={annual_discount_rate:g} is a rate a year, but the unit of the "
            "data is not known. Pass a table made by custvalue.summarize, or set unit= on the "
            "purchase estimator."
        )
    return float(np.log1p(annual_discount_rate)) * days_per(unit) / DAYS_PER["Y"]


def stretches(
    until: float,
    rate: float,
    *,
    timing: Timing = "continuous",
    step: Span = "1M",
    unit: str | None = None,
    opportunities: bool = False,
) -> tuple[Array, Array]:
    """Cut the horizon into stretches whose orders, each times a factor, add up discounted.

    Parameters
    ----------
    until : float
        Horizon in units.
    rate : float
        Continuous, per unit.
    timing : {"continuous", "start", "middle", "end"}
        When an order counts: on its day, or at that point of its step.
    step : span
        Length of a step.
    unit : str or None
    opportunities : bool, default=False
        Whether orders come at 1, 2, 3, ... only.

    Returns
    -------
    ends, factors : ndarray of shape (k,)

    Examples
    --------
    >>> from custvalue.value._discounting import stretches
    >>> stretches(3.0, 0.1, opportunities=True)[1].round(3)
    array([0.905, 0.819, 0.741])
    """
    if rate == 0.0 or until == 0.0:
        return np.array([until]), np.ones(1)
    if opportunities:
        ends = np.arange(1.0, np.floor(until + 1e-9) + 1.0)
        return ends, np.exp(-rate * ends)
    if timing == "continuous":
        # by parts: exp(-rate h) E(h) + rate * integral of exp(-rate t) E(t); a weight on E(t)
        # becomes a factor on the stretches that end there or earlier
        years = until * days_per(unit) / DAYS_PER["Y"] if unit is not None else 1.0
        y, w = np.polynomial.legendre.leggauss(int(np.clip(NODES * (1.0 + years / 6.0), 14, 64)))
        ends = np.append(0.5 * until * (y + 1.0), until)
        weights = np.append(0.5 * until * rate * w, 1.0) * np.exp(-rate * ends)
        return ends, np.cumsum(weights[::-1])[::-1]
    if unit is None:
        raise TimeUnitError(f"timing={timing!r} needs the unit of the data.")
    length = span_days(step, "step") / days_per(unit)
    if not length > 0:
        raise TimeUnitError(f"step={step!r} must be longer than nothing.")
    starts = length * np.arange(max(int(np.ceil(until / length - 1e-9)), 1))
    ends = np.minimum(starts + length, until)
    shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[timing]
    return ends, np.exp(-rate * (starts + shift * (ends - starts)))
