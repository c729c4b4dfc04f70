"""A season that all customers share, as a change of time: busy months are longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import column, eager
from custvalue._typing import Floats
from custvalue.data._log import TransactionLog
from custvalue.data._options import DAY
from custvalue.exceptions import ContractProblem, DataContractError

LEAST_MONTHS = 24
EVIDENCE = 0.05  # chance of so strong a pattern where there is none
MONTH = 365.25 / 12.0  # days


@dataclass(frozen=True)
class Season:
    """How fast each month of the year goes, and what else the months told.

    Parameters
    ----------
    pace : tuple of float
        Orders a customer places in each month, over those of a mean day; twelve numbers whose mean
        over the days of a year is 1.
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

    @property
    def is_identity(self) -> bool:
        """Whether all months go at one pace."""
        return all(p == 1.0 for p in self.pace)

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
        month = day.astype("datetime64[M]")
        within = (day - month.astype("datetime64[D]")).astype(np.float64) + 1.0
        start = np.datetime64("1970-01", "M")
        index = (month - start).astype(np.int64)
        first, reach = int(index.min(initial=0)), int(index.max(initial=0)) + 1
        which = np.arange(first, reach)  # January of 1970 is 0
        length = np.diff((start + np.arange(first, reach + 1)).astype("datetime64[D]"))
        pace = np.asarray(self.pace, dtype=np.float64)
        before = np.concatenate([[0.0], np.cumsum(pace[which % 12] * length.astype(np.float64))])
        return np.asarray(before[index - first] - before[-first] + within * pace[index % 12])

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
        if self.n_months:
            said["whole months"] = self.n_months
            said["days of unfinished months left out"] = self.left_out_days
            said["growth of orders a known customer and year, in logs"] = self.growth
        return said


NO_SEASON = Season()


def season_of(log: TransactionLog) -> Season:
    """Learn the season that all customers share from whole months of a log.

    The log of repeat orders a known customer and day is a quadratic trend and an effect of each
    month of the year, weighted by orders. The effects are tested against what the years disagree
    about (F-test) and, where they stand, shrunk by it.

    Parameters
    ----------
    log : TransactionLog

    Returns
    -------
    Season
        The identity where the years do not agree on a pattern.

    Raises
    ------
    DataContractError
        If the log has fewer than 24 whole months: a season cannot be told from a trend.

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
    orders = _order_days(log)
    repeat = (
        np.histogram(orders.astype(np.int64), edges.astype(np.int64))[0]
        - np.histogram(came.astype(np.int64), edges.astype(np.int64))[0]
    )
    middle = edges[:-1] + (edges[1:] - edges[:-1]) // 2
    known = np.searchsorted(came, middle, side="right").astype(np.float64)
    length = (edges[1:] - edges[:-1]).astype(np.float64)
    used = known > 0
    if used.sum() < LEAST_MONTHS:
        why = f"customers are known in {int(used.sum())} whole months, under {LEAST_MONTHS}"
        return Season(why_none=why)
    month = (edges[:-1].astype("datetime64[M]").astype(np.int64) % 12)[used]
    y = np.log((repeat[used] + 0.5) / (known * length)[used])
    return _fitted(y, repeat[used] + 0.5, month, int(used.sum()), left_out)


def known_season(log: TransactionLog, *, days_only: bool = False) -> Season:
    """Season of a log where one can be told; the identity, with the reason, where none can.

    Parameters
    ----------
    log : TransactionLog
        In the operational time of a season there is none left to be told.
    days_only : bool, default=False
        None either where occasions are no days, which :func:`operational` asks for.

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
        return season_of(log)
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


def _fitted(
    y: Floats, weight: Floats, month: npt.NDArray[np.int64], n: int, left_out: int
) -> Season:
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
        return Season((1.0,) * 12, p, growth, n, left_out, why)
    s = np.append(beta[3:], -beta[3:].sum())
    cov = spread * np.linalg.inv((whole * weight[:, None]).T @ whole)[3:, 3:]
    noise = np.append(np.diag(cov), cov.sum())
    between = max(float((s**2).mean() - noise.mean()), 0.0)
    s = s * between / (between + noise)
    length = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    pace = np.exp(s)
    pace /= float(pace @ length) / length.sum()
    return Season(tuple(float(v) for v in pace), p, float(beta[1]), n, left_out)
