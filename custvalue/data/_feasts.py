"""Feasts that move between months: their days, and how a log says that orders go around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from custvalue._typing import Dates, Floats

BEFORE = 14  # days before a feast in which customers prepare for it
AFTER = 7  # days from it on
EVIDENCE = 0.05  # chance that any window of any feast stands out by accident
# day of the second new moon after the winter solstice in Beijing: month and day, from 1990 on
LUNAR = (
    "01-27 02-15 02-04 01-23 02-10 01-31 02-19 02-07 01-28 02-16 "
    "02-05 01-24 02-12 02-01 01-22 02-09 01-29 02-18 02-07 01-26 "
    "02-14 02-03 01-23 02-10 01-31 02-19 02-08 01-28 02-16 02-05 "
    "01-25 02-12 02-01 01-22 02-10 01-29 02-17 02-06 01-26 02-13 "
    "02-03 01-23 02-11 01-31 02-19 02-08 01-28 02-15 02-04 01-24 "
    "02-12 02-01 01-22 02-10 01-30 02-17 02-06 01-26 02-14 02-02 01-23"
)
KNOWN = ("Easter", "Lunar New Year", "Thanksgiving")


def feast_days(name: str, first: Any, last: Any) -> Dates:
    """Days of a feast by its rule.

    Parameters
    ----------
    name : {"Easter", "Lunar New Year", "Thanksgiving"}
        The western Easter; Lunar New Year from 1990 to 2050; Thanksgiving of the United States.
    first, last : datetime64
        Days between which to look.

    Returns
    -------
    ndarray of datetime64[D]

    Examples
    --------
    >>> from custvalue.data._feasts import feast_days
    >>> feast_days("Easter", "2023-01-01", "2024-12-31").astype(str).tolist()
    ['2023-04-09', '2024-03-31']
    """
    import pandas as pd
    from pandas.tseries.holiday import USThanksgivingDay

    low, high = np.datetime64(first, "D"), np.datetime64(last, "D")
    if name == "Easter":
        found = pd.date_range(str(low), str(high), freq=pd.offsets.Easter()).to_numpy()
    elif name == "Thanksgiving":
        found = USThanksgivingDay.dates(str(low), str(high)).to_numpy()
    else:
        found = np.array(
            [f"{1990 + i}-{day}" for i, day in enumerate(LUNAR.split())], "datetime64[D]"
        )
    days = found.astype("datetime64[D]")
    return np.asarray(days[(days >= low) & (days <= high)])


def paces_of_feasts(
    feasts: Mapping[str, Dates], start: Any, orders: Floats, expected: Floats
) -> list[tuple[str, float, float]]:
    """How fast the days before and from each feast on go, where its years agree.

    A window counts where what came in it differs from what was expected by more than windows of
    its length do elsewhere in the log, in the same direction every time, and is shrunk by how
    surely that is known.

    Parameters
    ----------
    feasts : dict of name to ndarray of datetime64[D]
    start : datetime64[D]
        First day of the counts.
    orders, expected : ndarray of shape (n_days,)
        Orders of each day, and by trend and months.

    Returns
    -------
    list of (name, pace before, pace from it on)
        Feasts with a window that counts; 1 is the usual pace.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._feasts import feast_days, paces_of_feasts
    >>> orders = np.full(1461, 20.0)
    >>> easter = feast_days("Easter", "2021-01-01", "2024-12-31")
    >>> at = (easter - np.datetime64("2021-01-01")).astype(int)
    >>> orders[(at[:, None] + np.arange(7)).ravel()] = 5.0
    >>> paces_of_feasts({"Easter": easter}, np.datetime64("2021-01-01"), orders, orders * 0 + 20.0)
    [('Easter', 1.0, 0.25)]
    """
    from scipy.special import ndtr

    found = []
    for name, days in feasts.items():
        paces = []
        for first, length in ((days - np.timedelta64(BEFORE, "D"), BEFORE), (days, AFTER)):
            at = (first - start).astype(np.int64)
            at = at[(at >= 0) & (at + length <= len(orders))]
            here = np.add.outer(at, np.arange(length))
            came, due = orders[here].sum(axis=1), expected[here].sum(axis=1)
            paces.append(1.0)
            if len(at) < 2 or not due.sum() > 0.0:
                continue
            spread = _spread(orders, expected, length)
            z = (came - due).sum() / np.sqrt(spread * due.sum())
            p = 2.0 * float(ndtr(-abs(z)))
            alike = bool((came > due).all() or (came < due).all())
            if alike and p <= EVIDENCE / (2.0 * len(feasts)):
                level = np.log((came.sum() + 0.5) / (due.sum() + 0.5))
                paces[-1] = round(float(np.exp(level * (1.0 - 1.0 / z**2))), 2)
        if paces != [1.0, 1.0]:
            found.append((name, paces[0], paces[1]))
    return found


def _spread(orders: Floats, expected: Floats, length: int) -> float:
    """Variance of a window's orders over their expectation, 1 for a Poisson count.

    By the median, so that the few windows that stand out, the feast's own among them, do not hide
    themselves.
    """
    n = len(orders) // length * length
    came, due = (v[:n].reshape(-1, length).sum(axis=1) for v in (orders, expected))
    some = due >= 1.0
    if not some.any():
        return 1.0
    median = float(np.median((came[some] - due[some]) ** 2 / due[some]))
    return max(median / 0.4549, 1.0)  # the median of chi-square with one degree of freedom
