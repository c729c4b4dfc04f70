"""What was told of each customer in each period, laid along the life of that customer.

A law whose rates move in time needs, of every customer, the stretches of time in which nothing
that moves them changed (Bachmann, Meierer & Naef 2021 call them walks): from the first order to
the last, from there to the end of observation, and from there on as far as the table reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._dates import after, instant, readable
from custvalue._frames import column, column_names, eager, missing_ids, places_of, wall_times
from custvalue._typing import ByName, Dates, Floats, Mask, Places
from custvalue._units import days_per
from custvalue.data._build import dates
from custvalue.data._options import DAY, origin
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, no_column

_SECONDS = 1_000_000  # microseconds


class Walk(NamedTuple):
    """Stretches of time of several customers, each in one row of the table of periods.

    Parameters
    ----------
    start : ndarray of shape (n_customers + 1,)
        Position of each customer's first stretch, and the number of all.
    row : ndarray of shape (n_stretches,)
        Row of the table.
    length : ndarray of shape (n_stretches,)
        In the unit of time.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._walks import Walk
    >>> Walk(np.array([0, 2, 2]), np.array([4, 5]), np.array([0.5, 1.0])).owner
    array([0, 0])
    """

    start: Places
    row: Places
    length: Floats

    @property
    def owner(self) -> Places:
        """Customer of each stretch."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))


@dataclass(frozen=True, eq=False, repr=False)
class Walks:
    """Histories of customers, and the table of periods laid along them; nothing else.

    Parameters
    ----------
    customer : str
        Name of the customer column.
    ids : ndarray of shape (n,)
        Customers, in the order of the log's summary.
    unit : str
        Of all times.
    first : ndarray of shape (n,), datetime64
        First orders.
    as_of : datetime64
        End of observation.
    grain : int
        Seconds of an occasion.
    x, t_x, T : ndarray of shape (n,)
        Repeat orders, time from the first to the last, time observed since the first.
    past : Walk
        From the first order to the end of observation, cut at the last order.
    silent : ndarray of bool
        Which stretches of ``past`` lie after the last order.
    orders : Walk
        Of each repeat order the row it lies in; without length.
    ahead : Walk
        From the end of observation as far as the table has rows without a gap.
    periods : ndarray of datetime64
        Where each period begins, and where the last one ends.
    period : ndarray of int
        Of each row of the table.
    columns : dict of str to ndarray
        What the table says, row by row.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> orders = pd.DataFrame({"who": ["a", "a", "b"], "paid": 5.0,
    ...                        "day": pd.to_datetime(["2024-01-01", "2024-01-20", "2024-01-08"])})
    >>> weeks = pd.date_range("2024-01-01", "2024-02-05", freq="7D")
    >>> mailed = pd.DataFrame({"who": ["a"] * 6 + ["b"] * 6, "week": [*weeks] * 2,
    ...                        "letters": [0, 1, 0, 0, 1, 0] * 2})
    >>> log = TransactionLog(orders, customer="who", time="day", amount="paid", as_of="2024-01-31")
    >>> walks = log.walks(mailed, period="week", unit="W")
    >>> walks
    Walks(2 customers, 6 periods from 2024-01-01 to 2024-02-11, columns letters)
    >>> walks.x.tolist(), walks.past.length.round(2).tolist()[:4]
    ([1.0, 0.0], [0.86, 1.0, 0.86, 0.14])
    """

    customer: str
    ids: npt.NDArray[Any]
    unit: str
    first: Dates
    as_of: np.datetime64
    grain: int
    x: Floats
    t_x: Floats
    T: Floats
    past: Walk
    silent: Mask
    orders: Walk
    ahead: Walk
    periods: Dates
    period: Places
    columns: ByName

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        first, end = readable(self.periods[0]), readable(self.periods[-1] - np.timedelta64(1, "us"))
        return (
            f"Walks({len(self):,} customers, {len(self.periods) - 1:,} periods from {first} to "
            f"{end[:10]}, columns {', '.join(self.columns)})"
        )

    def within(self, span: float) -> Walk:
        """Stretches of the time ahead, up to ``span`` after the end of observation.

        Parameters
        ----------
        span : float
            In the unit of time.

        Returns
        -------
        Walk

        Raises
        ------
        DataContractError
            If the table has no row for customers in a period before its end: with their number, the
            first of them, and the first period that is missing.
        """
        start, row, length = self.ahead
        owner = self.ahead.owner
        ends = np.cumsum(length)
        begin = ends - length
        before = np.append(begin, ends[-1] if len(ends) else 0.0)[start[:-1]]
        begin = begin - before[owner]
        reach = np.bincount(owner, length, minlength=len(self)).astype(np.float64)
        short = reach < span * (1.0 - 1e-12) - 1e-9
        if short.any():
            raise DataContractError(self._not_ahead(np.flatnonzero(short), reach))
        keep = begin < span
        kept = np.minimum(length, span - begin)[keep]
        count = np.bincount(owner[keep], minlength=len(self))
        return Walk(np.append(0, np.cumsum(count)), row[keep], kept)

    def _not_ahead(self, short: Places, reach: Floats) -> ContractProblem:
        worst = short[np.argmin(reach[short])]
        days = float(reach[worst]) * days_per(self.unit)
        # the end of observation is the end of its grain
        from_ = self.as_of + np.timedelta64(round(days * DAY + self.grain), "s")
        names = ", ".join(first_ids(self.ids[short]))
        return ContractProblem(
            "horizon-not-covered",
            f"the table of periods ends before the horizon does for {len(short):,} of "
            f"{len(self):,} customers (first: {names}): customer {self.ids[worst]} has no row for "
            f"{readable(from_.astype('datetime64[D]'))}",
            "Give rows of the time ahead (what is planned for it), or a shorter horizon.",
        )


class Lives(NamedTuple):
    """Occasions of customers as whole grains since 1970: what a log tells of their times.

    Parameters
    ----------
    ids : ndarray of shape (n,)
    tick : ndarray of int
        Of every occasion, customer by customer, ascending.
    size : ndarray of shape (n,)
        Occasions of each customer.
    end : int
        Last tick that is seen.
    grain : int
        Seconds of a tick.
    """

    ids: npt.NDArray[Any]
    tick: npt.NDArray[np.int64]
    size: Places
    end: int
    grain: int


def walks_of(
    lives: Lives,
    table: Any,
    *,
    customer: str,
    of_table: str,
    period: str,
    columns: Sequence[str] | None,
    unit: str,
    until: Any = None,
) -> Walks:
    """Lay a table of periods along the lives of customers; see ``TransactionLog.walks``.

    Parameters
    ----------
    lives : Lives
    table : frame
    customer, of_table : str
        Name of the customer column of the log, and of the table.
    period : str
    columns : sequence of str or None
    unit : str
    until : date, optional

    Returns
    -------
    Walks

    Raises
    ------
    DataContractError
    """
    have = column_names(table)
    if have is None:
        text = f"the table of periods is {type(table).__name__}, no table"
        cure = "Pass a frame with one row a customer and period."
        raise DataContractError(ContractProblem("not-a-table", text, cure))
    table = eager(table)
    names = [n for n in have if n not in (of_table, period)] if columns is None else list(columns)
    missing = [
        no_column(name, have, "the table of periods", "")
        for name in (of_table, period, *names)
        if name not in have
    ]
    if missing:
        raise DataContractError(missing)
    if not names:
        text = f"the table has no column beside {of_table!r} and {period!r}"
        raise DataContractError(ContractProblem("no-columns", text, "Give what may move rates."))
    starts, edges, index = _periods(wall_times(table, period), until, period)
    # a tick is the time up to its end, as in a summary, where an order of the as-of day is the last
    seconds = edges.astype("datetime64[us]").astype(np.int64) / _SECONDS
    e = (seconds - origin(lives.grain)) / lives.grain - 1.0
    rows = _Rows.of(lives.ids, column(table, of_table), index, len(starts), of_table)

    begin = np.append(0, np.cumsum(lives.size))
    first, last = lives.tick[begin[:-1]], lives.tick[begin[1:] - 1]
    end = lives.end
    past, silent = _past(lives, rows, e, edges, first, last)
    later = np.ones(len(lives.tick), dtype=bool)
    later[begin[:-1]] = False
    who = np.repeat(np.arange(len(first)), lives.size)[later]
    where = np.searchsorted(e, lives.tick[later], side="left") - 1
    per_tick = lives.grain / DAY / days_per(unit)
    x = (lives.size - 1).astype(np.float64)
    orders = Walk(np.append(0, np.cumsum(lives.size - 1)), rows.at(who, where), np.zeros(len(who)))
    ahead = _ahead(rows, e, end, len(first))
    return Walks(
        customer=customer,
        ids=lives.ids,
        unit=unit,
        first=dates(first, lives.grain),
        as_of=dates(np.array([end]), lives.grain)[0],
        grain=lives.grain,
        x=x,
        t_x=(last - first) * per_tick,
        T=(end - first) * per_tick,
        past=past._replace(length=past.length * per_tick),
        silent=silent,
        orders=orders,
        ahead=ahead._replace(length=ahead.length * per_tick),
        periods=edges,
        period=index,
        columns={name: column(table, name) for name in names},
    )


def _periods(when: Dates, until: Any, name: str) -> tuple[Dates, Dates, Places]:
    """Distinct beginnings of periods, all edges, and the period of each row."""
    lost = np.flatnonzero(np.isnat(when))
    if len(lost):
        text = f"column {name!r} has rows without a date"
        raise DataContractError(
            ContractProblem.at("missing-date", text, "Fill them, or leave the rows out.", lost)
        )
    starts, index = np.unique(when, return_inverse=True)
    if until is not None:
        end = after(instant(until, "until"))
    elif len(starts) < 2:
        raise DataContractError(
            ContractProblem(
                "one-period",
                f"the table has {len(starts)} period{'s' * (len(starts) != 1)}, which does not say "
                "how long it is",
                "Say the last day it holds for: until='2024-12-31'.",
            )
        )
    else:
        months = starts.astype("datetime64[M]")
        if (months.astype("datetime64[us]") == starts).all():
            end = (months[-1] + (months[-1] - months[-2])).astype("datetime64[us]")
        else:
            end = starts[-1] + (starts[-1] - starts[-2])
    if end <= starts[-1]:
        raise DataContractError(
            ContractProblem(
                "until-too-early",
                f"until={until!r} lies before the last period, which begins {readable(starts[-1])}",
                "Leave it out, or give a later date.",
            )
        )
    return starts, np.append(starts, end), index.astype(np.intp).reshape(-1)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Where the row of a customer and period stands, by one sorted key."""

    ids: npt.NDArray[Any]
    n_periods: int
    key: Places
    row: Places

    @classmethod
    def of(
        cls,
        ids: npt.NDArray[Any],
        told: npt.NDArray[Any],
        index: Places,
        n_periods: int,
        name: str,
    ) -> _Rows:
        lost = np.flatnonzero(missing_ids(told))
        if len(lost):
            text = f"column {name!r} has rows that name no customer"
            cure = "Fill them, or leave the rows out."
            raise DataContractError(ContractProblem.at("missing-customer", text, cure, lost))
        place = places_of(ids, told)
        known = np.flatnonzero(place >= 0)
        if not len(known):
            shown = f"{first_ids(told, 2)} against {first_ids(ids, 2)} in the log"
            text = f"no customer of the log stands in column {name!r} ({shown})"
            cure = "Give the ids as the log has them, of the same type."
            raise DataContractError(ContractProblem("unknown-customer", text, cure))
        key = place[known] * n_periods + index[known]
        order = np.argsort(key, kind="stable")
        key, row = key[order], known[order]
        twice = np.flatnonzero(key[1:] == key[:-1]) + 1
        if len(twice):
            text = f"customers have several rows of one period (customer {told[row[twice[0]]]})"
            cure = "Put them together into one."
            raise DataContractError(
                ContractProblem.at("duplicate-period", text, cure, np.sort(row[twice]))
            )
        return cls(ids, n_periods, key, row)

    def at(self, who: Places, period: Places) -> Places:
        """Row of each customer and period asked for, -1 where there is none."""
        wanted = who * self.n_periods + period
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        inside = (period >= 0) & (period < self.n_periods) & (self.key[place] == wanted)
        return np.where(inside, self.row[place], -1)


def _past(
    lives: Lives, rows: _Rows, e: Floats, edges: Dates, first: Any, last: Any
) -> tuple[Walk, Mask]:
    """Stretches from the first order to the end, cut where a period or the last order ends."""
    end = lives.end
    low = np.where(end > first, np.searchsorted(e, first, side="right") - 1, 0)
    stop = int(np.searchsorted(e, end, side="left"))
    count = np.where(end > first, stop - low, 0)
    owner = np.repeat(np.arange(len(first)), count)
    offset = np.cumsum(count) - count
    period = np.arange(len(owner)) - offset[owner] + low[owner]
    row = rows.at(owner, period)
    lost = np.flatnonzero(row < 0)
    if len(lost):
        who, at = np.unique(owner[lost], return_index=True)
        customer, number = rows.ids[who[0]], int(period[lost[at[0]]])
        if number < 0:
            when = f"before the table begins, on {readable(edges[0])}"
        elif number >= rows.n_periods:
            when = f"after its last period ends, before {readable(edges[-1])}"
        else:
            when = f"that begins on {readable(edges[number])}"
        raise DataContractError(
            ContractProblem(
                "missing-period",
                f"{len(who):,} of {len(first):,} customers lack rows of periods since their first "
                f"order (first: {', '.join(first_ids(rows.ids[who]))}): customer {customer} has "
                f"none for the period {when}",
                "Give one row a customer and period from the first order to the as-of date; what "
                "did not happen is 0, no missing row. log.of(customers) leaves customers out.",
            )
        )
    begin, close = np.maximum(e[period], first[owner]), np.minimum(e[period + 1], end)
    cut = (begin < last[owner]) & (last[owner] < close)
    again = np.repeat(np.arange(len(owner)), 1 + cut)
    second = np.zeros(len(again), dtype=bool)
    second[1:] = again[1:] == again[:-1]
    owner, begin, close, row, cut = owner[again], begin[again], close[again], row[again], cut[again]
    begin = np.where(second, last[owner], begin)
    close = np.where(cut & ~second, last[owner], close)
    start = np.append(0, np.cumsum(np.bincount(owner, minlength=len(first))))
    return Walk(start, row, close - begin), begin >= last[owner]


def _ahead(rows: _Rows, e: Floats, end: int, n: int) -> Walk:
    """Stretches after the end of observation, of each customer up to the first missing period."""
    who, period = np.divmod(rows.key, rows.n_periods)
    low = max(int(np.searchsorted(e, end, side="right")) - 1, 0)
    later = np.flatnonzero((period >= low) & (e[0] <= end))
    who, period, row = who[later], period[later], rows.row[later]
    count = np.bincount(who, minlength=n)
    rank = np.arange(len(who)) - (np.cumsum(count) - count)[who]
    whole = period - low == rank  # beyond a missing period they fall behind
    who, period, row = who[whole], period[whole], row[whole]
    length = e[period + 1] - np.maximum(e[period], end)
    start = np.append(0, np.cumsum(np.bincount(who, minlength=n)))
    return Walk(start, row, length)
