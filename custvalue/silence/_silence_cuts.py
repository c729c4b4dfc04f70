"""Where silence begins: the cut that costs least, with the whole curve behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue.silence._learning import has_ordered

MOST_POINTS = 200


@dataclass(frozen=True)
class ThresholdChoice:
    """A chosen cut and the curve that it was chosen from.

    Parameters
    ----------
    cut : float
        Customers whose score reaches it are called silent.
    watch, deep : float
        The cuts at which a miss (for ``watch``) or a false alarm (for ``deep``) costs three times
        as much as stated.
    false_alarm_rate, miss_rate : float
        At ``cut``: share of those who ordered that were called silent, share of those who did not
        order that were not.
    cost : float
        Mean cost a customer at ``cut``.
    curve : pandas.DataFrame
        One row a possible cut: ``cut``, ``silent_share``, ``false_alarm_rate``, ``miss_rate``,
        ``cost``.

    Examples
    --------
    >>> from custvalue.silence import choose_threshold
    >>> choice = choose_threshold([0.2, 0.4, 0.9, 1.5, 2.0], [1, 1, 0, 1, 0])
    >>> choice.cut, choice.cuts
    (0.9, (0.9, 0.9, 2.0))
    """

    cut: float
    watch: float
    deep: float
    false_alarm_rate: float
    miss_rate: float
    cost: float
    curve: Any

    @property
    def cuts(self) -> tuple[float, float, float]:
        """Watch, silent and deeply silent, for ``SilenceScorer(cuts=...)``."""
        return self.watch, self.cut, self.deep


def choose_threshold(
    score: npt.ArrayLike,
    ordered: npt.ArrayLike,
    *,
    cost_false_alarm: float = 1.0,
    cost_miss: float = 1.0,
) -> ThresholdChoice:
    """Choose the cut on a silence score that costs least.

    A false alarm is a customer called silent who ordered within the window after all; a miss is
    one not called silent who did not order.

    Parameters
    ----------
    score : array-like of shape (n,)
        Higher is more silent, as known at an earlier date.
    ordered : array-like of shape (n,)
        Whether the customer ordered within the window after that date: True or False, or orders
        or money in the window, of which anything above 0 is an order.
    cost_false_alarm, cost_miss : float, default=1
        Cost of one of each; only their ratio moves the cut.

    Returns
    -------
    ThresholdChoice
        Where several cuts cost the same, the lowest one.

    Raises
    ------
    ValueError
        If lengths differ, a value is missing, or a cost is negative or both are 0.

    Examples
    --------
    >>> from custvalue.silence import choose_threshold
    >>> choose_threshold([0.2, 0.4, 0.9, 1.5, 2.0], [1, 1, 0, 1, 0], cost_false_alarm=5).cut
    2.0
    """
    s = np.asarray(score, dtype=np.float64)
    if s.ndim != 1 or not len(s) or not np.isfinite(s).all():
        raise ValueError(f"score, of shape {s.shape}, must hold finite numbers, one a customer.")
    y = has_ordered(ordered, len(s))
    costs = np.array([cost_false_alarm, cost_miss], dtype=np.float64)
    if not (np.isfinite(costs).all() and (costs >= 0).all() and costs.any()):
        raise ValueError(
            f"cost_false_alarm={cost_false_alarm} and cost_miss={cost_miss} must be finite, "
            "not negative, and not both 0."
        )
    cuts, alarms, misses = _errors_by_cut(s, y)
    n, came = len(s), int(y.sum())

    def best(false_alarm: float, miss: float) -> int:
        return int(np.argmin(alarms * false_alarm + misses * miss))

    at = best(cost_false_alarm, cost_miss)
    watch = best(cost_false_alarm, 3 * cost_miss)
    deep = best(3 * cost_false_alarm, cost_miss)
    cost = (alarms * cost_false_alarm + misses * cost_miss) / n
    return ThresholdChoice(
        cut=float(cuts[at]),
        watch=float(cuts[watch]),
        deep=float(cuts[deep]),
        false_alarm_rate=float(alarms[at] / max(came, 1)),
        miss_rate=float(misses[at] / max(n - came, 1)),
        cost=float(cost[at]),
        curve=_curve(cuts, alarms, misses, cost, n, came, keep=(at, watch, deep)),
    )


def _errors_by_cut(s: Floats, came: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Count both errors at every possible cut, the last of which calls nobody silent."""
    cuts, where = np.unique(s, return_inverse=True)
    came_at = np.bincount(where, weights=came)
    gone_at = np.bincount(where, weights=~came)
    alarms = np.append(came_at[::-1].cumsum()[::-1], 0.0)
    misses = np.append(0.0, gone_at.cumsum())
    return np.append(cuts, np.nextafter(cuts[-1], np.inf)), alarms, misses


def _curve(
    cuts: Floats,
    alarms: Floats,
    misses: Floats,
    cost: Floats,
    n: int,
    came: int,
    keep: tuple[int, ...],
) -> Any:
    import pandas as pd

    even = np.linspace(0, len(cuts) - 1, min(len(cuts), MOST_POINTS)).round().astype(np.intp)
    at = np.union1d(even, keep)
    gone = n - came
    return pd.DataFrame(
        {
            "cut": cuts[at],
            "silent_share": (alarms[at] + gone - misses[at]) / n,
            "false_alarm_rate": alarms[at] / max(came, 1),
            "miss_rate": misses[at] / max(gone, 1),
            "cost": cost[at],
        }
    )
