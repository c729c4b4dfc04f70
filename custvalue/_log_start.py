"""Whether a log begins in the middle of a shop's life, told by its first weeks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._frames import TableFacts
from custvalue._warn import warn_caller
from custvalue.exceptions import DataWarning

BLOCK = 28.0  # days
_LATE = 3  # blocks from here on tell how many newcomers there usually are
_LEAST_LATER = 4  # of these, or the usual is unknown
_LEAST_FIRST = 20  # customers, or chance does it
_RUSH = 3.0  # times the usual, and twice the most of any later block
START_SEEN = {"start_seen": True}  # a fact of tables at whose making it was looked at
_FALL = 1.25  # a cohort fills its second four weeks as it does the first; old customers do not


class LogStart(NamedTuple):
    """A rush of first orders at a log's beginning: most were customers before.

    ``first`` customers have their first order in the first four weeks, ``usual`` in four later
    ones.
    """

    first: int
    usual: float


def old_customers(days: npt.NDArray[np.float64], weight: npt.ArrayLike = 1.0) -> LogStart | None:
    """Tell a log that begins in the middle of a shop's life; None where nothing says so.

    Whoever bought before the log's first day has the first order *in the log* as soon as they buy
    again, so the first four weeks have many times the first orders of later ones, and the next
    four weeks visibly fewer. A cohort, which has no newcomers later on or fills its weeks evenly,
    and a shop that is seen from its first day are none of it.

    Parameters
    ----------
    days : ndarray of shape (n_customers,)
        Days from each customer's first order to the end of observation.
    weight : float or array-like of shape (n_customers,), default=1.0
        Customers a row.

    Returns
    -------
    LogStart or None

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._log_start import old_customers
    >>> newcomers = [300, 90, 40, 20, 20, 20, 20, 20, 20]
    >>> old_customers(np.repeat(28.0 * np.arange(9, 0, -1), newcomers))
    LogStart(first=300, usual=20.0)
    >>> old_customers(np.repeat(28.0 * np.arange(9, 0, -1), [300, 280, 250, 1, 0, 1, 1, 2, 1]))
    """
    longest = float(days.max(initial=0.0))
    whole = int(longest / BLOCK + 1e-9)
    if whole < _LATE + _LEAST_LATER:
        return None
    block = ((longest - days) / BLOCK).astype(np.int64)
    each = np.broadcast_to(np.asarray(weight, dtype=np.float64), block.shape)
    counts = np.bincount(block, each, minlength=whole)[:whole]
    later = counts[_LATE:]
    first, usual = float(counts[0]), float(np.median(later))
    rush = first >= max(_LEAST_FIRST, _RUSH * usual) and first > 2.0 * float(later.max())
    if usual <= 0.0 or not rush or first < _FALL * float(counts[1]):
        return None
    return LogStart(round(first), usual)


def warn_of_old_customers(days: npt.NDArray[np.float64], weight: npt.ArrayLike = 1.0) -> None:
    """Say that a log begins in the middle of a shop's life, where `old_customers` tells.

    Warns
    -----
    DataWarning
    """
    found = old_customers(days, weight)
    if found is not None:
        warn_caller(
            f"{found.first:,} customers have their first order in the log's first four weeks, "
            f"against {found.usual:,.0f} in four later ones: the log seems to begin in the middle "
            "of the shop's life, and most of them had bought before. They are called new, their T "
            "is too short, and the laws take them for a rush of newcomers. Take an earlier log, or "
            "leave out who was there before; where a campaign or an opening brought them, all is "
            "well.",
            DataWarning,
        )


def tell_start(
    facts: TableFacts | None, days: npt.NDArray[np.float64], weight: npt.ArrayLike
) -> None:
    """Warn as `warn_of_old_customers` of a table at whose making nobody looked.

    Engines that leave the work to their owner cannot look at first orders without a pass of their
    own; whoever fits a law on such a table is told then.
    """
    if facts is None or not START_SEEN.items() <= facts.extra.items():
        warn_of_old_customers(days, weight)
