"""A season that all customers share, as a change of time: busy months, weeks, feasts are longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import column, eager
from custvalue._typing import Dates, Floats
from custvalue.data._feasts import AFTER, BEFORE, KNOWN, feast_days, paces_of_feasts
from custvalue.data._log import TransactionLog
from custvalue.data._options import DAY
from custvalue.exceptions import ContractProblem, DataContractError

LEAST_MONTHS = 24
EVIDENCE = 0.05  # chance of so strong a pattern where there is none
EVIDENCE_OF_WEEKS = 0.01  # beyond months, of 52 numbers
WEEKS = 52  # of seven days each, the last of eight or nine
MONTH = 365.25 / 12.0  # days


@dataclass(frozen=True)
class Season:
    """How fast each month of the year goes, and what else the months told.

    A day goes at the pace of its month, times that of its week, times that of a feast near it.

    Parameters
    ----------
    pace : tuple of float
        Orders a customer places in each month, over those of a mean day; twelve numbers whose mean
        over the days of a year is 1. Weeks and feasts move orders within a month, not its sum.
    p_value : float
        Chance of so strong a pattern by accident.
    growth : float
        Change of the log of repeat orders a known customer and year; below 0 where customers leave.
    n_months : int
        Whole months that were looked at.
    left_out_days : int
        Days of the first and last month that were not whole.
    why_none : str
        Why all months go at one pace; empty where they do not.
    weeks : tuple of float
        Pace of each week of the year over that of its month, 52 numbers; empty where months say it
        all.
    feasts : tuple of (name, pace before, pace from it on)
        Feasts that move between months: the pace of the 14 days before, and of the seven from the
        day on.
    feast_days : tuple of tuple of str
        Days of each feast; empty for one that goes by its own rule.
    others : tuple of float
        What feasts and weeks leave of each month's pace to its other days, 12 numbers; empty
        without them.

    Examples
    --------
    >>> still = Season()
    >>> still.is_identity
    True
    >>> float(still.days("2024-03-31") - still.days("2024-02-29"))
    31.0
    """

    pace: tuple[float, ...] = (1.0,) * 12
    p_value: float = 1.0
    growth: float = 0.0
    n_months: int = 0
    left_out_days: int = 0
    why_none: str = ""
    weeks: tuple[float, ...] = ()
    feasts: tuple[tuple[str, float, float], ...] = ()
    feast_days: tuple[tuple[str, ...], ...] = ()
    others: tuple[float, ...] = ()

    @property
    def is_identity(self) -> bool:
        """Whether all days go at one pace."""
        return not self.weeks and not self.feasts and all(p == 1.0 for p in self.pace)

    def days(self, dates: Any) -> Floats:
        """Operational days, stretched by the season, from 1970 to the end of each date.

        Parameters
        ----------
        dates : datetime64 or array-like of it
            Whole days.

        Returns
        -------
        ndarray of float
            A date in a busy month is more than a day after the one before it.
        """
        day = np.asarray(dates, dtype="datetime64[D]")
        year = day.astype("datetime64[Y]").astype(np.int64)
        first, passed = _clock(self, min(int(year.min(initial=0)), 0), int(year.max(initial=0)))
        return np.asarray(passed[day.astype(np.int64) - first])

    def paces(self, first: Any, n_days: int) -> Floats:
        """Pace of each day.

        Parameters
        ----------
        first : datetime64
        n_days : int

        Returns
        -------
        ndarray of shape (n_days,)
        """
        days = np.datetime64(first, "D") + np.arange(n_days)
        by_month = np.asarray(self.pace) * np.asarray(self.others or 1.0)
        return by_month[_month(days)] * self._within_months(days)

    def _within_months(self, days: Dates) -> Floats:
        """Pace of each of consecutive days over its month's."""
        found = np.ones(len(days))
        if self.weeks:
            found *= np.asarray(self.weeks)[_week(days)]
        reach = np.timedelta64(BEFORE + AFTER, "D")
        given = self.feast_days or ((),) * len(self.feasts)
        for (name, before, after), some in zip(self.feasts, given, strict=True):
            feast = (
                np.array(some, dtype="datetime64[D]")
                if some
                else feast_days(name, days[0] - reach, days[-1] + reach)
            )
            at = (feast - days[0]).astype(np.int64)
            for start, length, pace in ((at - BEFORE, BEFORE, before), (at, AFTER, after)):
                here = np.add.outer(start, np.arange(length)).ravel()
                found[here[(here >= 0) & (here < len(days))]] *= pace
        return found

    def length(self, as_of: Any, until: float) -> float:
        """Operational days within so many days after a date.

        Parameters
        ----------
        as_of : datetime64
            Its whole day is over.
        until : float
            Of a part of a day by the two days around it; inf stays what it is.

        Returns
        -------
        float
        """
        if self.is_identity or not np.isfinite(until):
            return until
        whole = int(until)
        after = np.array([0, whole, whole + 1]) * np.timedelta64(1, "D")
        ends = self.days(np.datetime64(as_of, "D") + after)
        return float(ends[1] - ends[0] + (until - whole) * (ends[2] - ends[1]))

    def terms(self, as_of: Any, terms: Any) -> Any:
        """Terms in operational days, for a model that works in them.

        Parameters
        ----------
        as_of : datetime64
        terms : Terms
            In days.

        Returns
        -------
        Terms
        """
        if self.is_identity:
            return terms
        return replace(terms, until=self.length(as_of, terms.until))

    def worth(self, as_of: Any, terms: Any, gross: Callable[[Any], Floats]) -> Floats:
        """Value by a model in operational time, discounted by the calendar.

        Parameters
        ----------
        as_of : datetime64
        terms : Terms
            In days.
        gross : callable
            Value by terms in operational days, contact cost aside.

        Returns
        -------
        ndarray of shape (n_rows,)
            Discounted by months of 30.4 days, each at its middle unless ``timing`` is ``"start"``
            or ``"end"``. Without end the season is left out: it averages out.
        """
        if self.is_identity or not np.isfinite(terms.until):
            return gross(terms)
        plain = replace(terms, rate=0.0)
        if terms.rate == 0.0:
            return gross(self.terms(as_of, plain))
        ends = np.minimum(MONTH * np.arange(1, np.ceil(terms.until / MONTH) + 1), terms.until)
        total = before = gross(self.terms(as_of, replace(plain, until=0.0)))
        for start, end in zip(np.append(0.0, ends[:-1]), ends, strict=True):
            here = gross(self.terms(as_of, replace(plain, until=float(end))))
            at = {"start": start, "end": end}.get(terms.timing, (start + end) / 2.0)
            total = total + np.exp(-terms.rate * at) * (here - before)
            before = here
        return np.asarray(total)

    def facts(self) -> dict[str, Any]:
        """Tell, for ``fit_report``, of the season, the trend beside it and unfinished months."""
        said: dict[str, Any] = {}
        if self.is_identity:
            said["no season"] = self.why_none or "none was looked for"
        else:
            said["pace of months, January first"] = self.pace
            said["chance of such a pattern by accident"] = self.p_value
            if self.weeks:
                said["pace of weeks over their months, January first"] = self.weeks
            for name, before, after in self.feasts:
                said[f"pace of two weeks before {name}, and of the week from it on"] = (
                    before,
                    after,
                )
        if self.n_months:
            said["whole months"] = self.n_months
            said["days of unfinished months left out"] = self.left_out_days
            said["growth of orders a known customer and year, in logs"] = self.growth
        return said


NO_SEASON = Season()


def season_of(log: TransactionLog, *, feasts: Mapping[str, Any] | None = None) -> Season:
    """Learn the season that all customers share from whole months of a log.

    The log of repeat orders a known customer and day is a quadratic trend and an effect of each
    month of the year, weighted by orders. The effects are tested against what the years disagree
    about (F-test) and, where they stand, shrunk by it. What is left over is held against feasts
    that move between months, and then against the 52 weeks of a year, in the same way.

    Parameters
    ----------
    log : TransactionLog
    feasts : dict of str to array-like of dates, optional
        Days of each feast, past ones and those of the horizon. None: Easter, Lunar New Year and
        Thanksgiving by their rules; ``{}``: no feast.

    Returns
    -------
    Season
        The identity where the years do not agree on a pattern.

    Raises
    ------
    DataContractError
        If the log has fewer than 24 whole months: a season cannot be told from a trend.
    ValueError
        If the days of a feast are no dates, or lie less than three weeks apart.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog, season_of
    >>> rng = np.random.default_rng(1)
    >>> days = pd.date_range("2021-01-01", "2023-12-31")
    >>> busy = np.where(days.month >= 10, 2.0, 1.0)
    >>> who, at = np.nonzero(rng.random((300, len(days))) < 0.02 * busy)
    >>> log = TransactionLog(pd.DataFrame({"who": who, "day": days[at], "paid": 1.0}),
    ...                      customer="who", time="day", amount="paid")
    >>> season = season_of(log)
    >>> bool(season.pace[10] > 1.5 * season.pace[4])
    True
    """
    days = {} if feasts is None else {name: _dates(name, given) for name, given in feasts.items()}
    first_day = log.first.astype("datetime64[D]")
    end = log.as_of.astype("datetime64[D]")
    begin = first_day.astype("datetime64[M]")
    begin = begin if begin.astype("datetime64[D]") == first_day else begin + 1
    stop = (end + 1).astype("datetime64[M]")  # first month that is not whole
    n = int((stop - begin).astype(np.int64))
    if n < LEAST_MONTHS:
        raise DataContractError(
            ContractProblem(
                "short-history",
                f"the log has {max(n, 0)} whole months, and under {LEAST_MONTHS} a season cannot "
                "be told from a trend",
                "Wait for two years, or ask for a horizon of whole years.",
            )
        )
    edges = (begin + np.arange(n + 1)).astype("datetime64[D]")
    left_out = int((edges[0] - first_day).astype(int) + (end + 1 - edges[-1]).astype(int))
    came = np.sort(column(eager(log.summary("D")), "first_order").astype("datetime64[D]"))
    each = edges[0] + np.arange((edges[-1] - edges[0]).astype(np.int64) + 1)
    daily = np.histogram(_order_days(log).astype(np.int64), each.astype(np.int64))[0]
    daily = daily - np.histogram(came.astype(np.int64), each.astype(np.int64))[0]
    each = each[:-1]
    starts = (edges[:-1] - edges[0]).astype(np.int64)
    repeat = np.add.reduceat(daily, starts)
    middle = edges[:-1] + (edges[1:] - edges[:-1]) // 2
    known = np.searchsorted(came, middle, side="right").astype(np.float64)
    length = (edges[1:] - edges[:-1]).astype(np.float64)
    used = known > 0
    if used.sum() < LEAST_MONTHS:
        why = f"customers are known in {int(used.sum())} whole months, under {LEAST_MONTHS}"
        return Season(why_none=why)
    y = np.log((repeat[used] + 0.5) / (known * length)[used])
    months = _month(edges[:-1].astype("datetime64[D]"))[used]
    season, trend = _of_months(y, repeat[used] + 0.5, months, int(used.sum()), left_out)
    some = each >= edges[:-1][used][0]
    each, daily = each[some], daily[some].astype(np.float64)
    t = (np.arange(len(each)) + 0.5) / MONTH / 12.0
    t -= used.sum() / 24.0
    rate = np.exp(np.polynomial.polynomial.polyval(t, trend) - trend[0])
    expected = np.searchsorted(came, each, side="right") * rate * season.paces(each[0], len(each))
    expected *= daily.sum() / max(expected.sum(), 1e-300)
    if feasts is None:
        days = {name: feast_days(name, each[0], each[-1]) for name in KNOWN}
    return _within(season, each, daily, expected, days, by_rule=feasts is None)


def known_season(
    log: TransactionLog, *, days_only: bool = False, feasts: Mapping[str, Any] | None = None
) -> Season:
    """Season of a log where one can be told; the identity, with the reason, where none can.

    Parameters
    ----------
    log : TransactionLog
        In the operational time of a season there is none left to be told.
    days_only : bool, default=False
        None either where occasions are no days, which :func:`operational` asks for.
    feasts : dict of str to array-like of dates, optional
        As for :func:`season_of`.

    Returns
    -------
    Season

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                      time="date", amount="amount")
    >>> known_season(log).why_none[:27]
    'the log has 18 whole months'
    """
    if log._is_operational:
        return Season(why_none="the log is in the operational time of a season already")
    if days_only and log.options.grain != DAY:
        return Season(why_none=f"orders are told by occasions of {log.options.occasion}, no days")
    try:
        return season_of(log, feasts=feasts)
    except DataContractError as error:
        if error.problems[0].code != "short-history":
            raise
        return Season(why_none=error.problems[0].message)


def operational(log: TransactionLog, season: Season) -> TransactionLog:
    """Log in the operational time of a season, which has none: slow months are shorter.

    Parameters
    ----------
    log : TransactionLog
        Its occasions are days.
    season : Season

    Returns
    -------
    TransactionLog
        The same rows, days and customers; the log itself where the season is the identity.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> rows = pd.DataFrame({"who": 1, "paid": 5.0,
    ...                      "day": pd.to_datetime(["2023-01-31", "2023-02-28", "2023-03-31"])})
    >>> log = TransactionLog(rows, customer="who", time="day", amount="paid")
    >>> slow = Season((1.0, 0.5, *(1.0,) * 10))
    >>> operational(log, slow).gaps()["gap"].tolist()
    [14.0, 31.0]
    """
    if season.is_identity:
        return log
    return log._moved(season.days)


def _order_days(log: TransactionLog) -> npt.NDArray[Any]:
    """Day of each purchase occasion, a day of a customer counted once."""
    return np.asarray(column(log.occasions(), "date"), dtype="datetime64[D]")


@lru_cache(maxsize=8)
def _clock(season: Season, first_year: int, last_year: int) -> tuple[int, Floats]:
    """First day of some years, and operational days from 1970 to the end of each day of them."""
    ends = np.array([first_year, max(last_year, 0) + 1], dtype="datetime64[Y]")
    first, last = ends.astype("datetime64[D]").astype(np.int64)
    passed = np.cumsum(season.paces(np.datetime64(int(first), "D"), int(last - first)))
    return int(first), passed - (passed[-first - 1] if first < 0 else 0.0)


def _month(days: Dates) -> npt.NDArray[np.int64]:
    """Month of each day, January is 0."""
    return np.asarray(days.astype("datetime64[M]").astype(np.int64) % 12)


def _week(days: Dates) -> npt.NDArray[np.int64]:
    """Week of the year of each day, counted from its first of January."""
    of_year = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    return np.minimum(of_year // 7, WEEKS - 1)


def _dates(name: str, given: Any) -> Dates:
    try:
        days = np.unique(np.asarray(given, dtype="datetime64[D]").ravel())
    except (TypeError, ValueError) as error:
        raise ValueError(f"feasts[{name!r}] must be dates such as '2024-02-10'.") from error
    if np.isnat(days).any() or (np.diff(days).astype(np.int64) < BEFORE + AFTER).any():
        raise ValueError(
            f"feasts[{name!r}] must be dates at least {BEFORE + AFTER} days apart: a feast is "
            f"looked at from {BEFORE} days before."
        )
    return days


def _of_months(
    y: Floats, weight: Floats, month: npt.NDArray[np.int64], n: int, left_out: int
) -> tuple[Season, Floats]:
    """Season by months, and the coefficients of the trend beside it."""
    from scipy.stats import f as f_law

    t = (np.arange(n) - (n - 1) / 2.0) / 12.0
    plain = np.column_stack([np.ones(n), t, t * t])
    effects = np.zeros((n, 11))
    for j in range(11):  # they sum to 0
        effects[:, j] = (month == j).astype(float) - (month == 11).astype(float)
    whole = np.hstack([plain, effects])
    root = np.sqrt(weight)[:, None]

    def misses(X: Floats) -> tuple[Floats, float]:
        beta = np.asarray(np.linalg.lstsq(X * root, y * root[:, 0], rcond=None)[0], np.float64)
        return beta, float((weight * (y - X @ beta) ** 2).sum())

    free = n - whole.shape[1]
    beta0, without = misses(plain)
    beta, left = misses(whole)
    spread = max(left / free, 1.0)  # of a Poisson count it is 1
    p = float(f_law.sf((without - left) / 11.0 / spread, 11, free))
    growth = float(beta0[1])
    if p > EVIDENCE:
        why = f"the years agree on none (p = {p:.2f})"
        return Season((1.0,) * 12, p, growth, n, left_out, why), beta0
    s = np.append(beta[3:], -beta[3:].sum())
    cov = spread * np.linalg.inv((whole * weight[:, None]).T @ whole)[3:, 3:]
    noise = np.append(np.diag(cov), cov.sum())
    between = max(float((s**2).mean() - noise.mean()), 0.0)
    s = s * between / (between + noise)
    length = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    pace = np.exp(s)
    pace /= float(pace @ length) / length.sum()
    return Season(tuple(float(v) for v in pace), p, float(beta[1]), n, left_out), beta[:3]


def _within(
    season: Season,
    each: Dates,
    orders: Floats,
    expected: Floats,
    days: Mapping[str, Dates],
    *,
    by_rule: bool,
) -> Season:
    """Add to a season by months its feasts, then its weeks; months keep what they have in all."""
    feasts = paces_of_feasts(days, each[0], orders, expected)
    given = () if by_rule else tuple(tuple(days[f[0]].astype(str).tolist()) for f in feasts)
    found = replace(season, feasts=tuple(feasts), feast_days=given)
    due = expected * found._within_months(each)
    found = replace(found, weeks=_of_weeks(each, orders, due * orders.sum() / due.sum()))
    if not found.weeks and not found.feasts:
        return season
    month, moved = _month(each), expected * found._within_months(each)
    kept = np.bincount(month, expected, 12) / np.bincount(month, moved, 12)
    return replace(found, others=tuple(kept.tolist()), why_none="")


def _of_weeks(each: Dates, orders: Floats, expected: Floats) -> tuple[float, ...]:
    """Pace of each week over its month's; nothing where the years do not agree on it."""
    from scipy.stats import f as f_law

    year = each.astype("datetime64[Y]").astype(np.int64)
    place = (year - year[0]) * WEEKS + _week(each)
    came, due = np.bincount(place, orders), np.bincount(place, expected)
    whole = np.bincount(place) >= 7
    place = np.flatnonzero(whole & (due > 0.0))
    week, came, due = place % WEEKS, came[place], due[place]
    if np.bincount(week, minlength=WEEKS).min() < 2:
        return ()
    off = np.log((came + 0.5) / (due + 0.5))
    weight = np.bincount(week, due, WEEKS)
    mean = np.bincount(week, due * off, WEEKS) / weight
    free = len(off) - WEEKS
    spread = max(float(due @ (off - mean[week]) ** 2) / free, 1.0)
    between = float(weight @ mean**2) / (WEEKS - 12)  # twelve of them were given to the months
    if f_law.sf(between / spread, WEEKS - 12, free) > EVIDENCE_OF_WEEKS:
        return ()
    noise = spread / weight
    width = max(float((mean**2 - noise).mean()), 0.0)
    return tuple(float(v) for v in np.exp(mean * width / (width + noise)))
