"""A transaction log as a light handle, and its rows cut at dates so that nothing leaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from custvalue._dates import read_date
from custvalue._frames import column, column_names, eager, rows_where, wall_times
from custvalue._units import Span, span_days
from custvalue._warn import warn_caller
from custvalue.data._api import panel, summarize
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, no_column

if TYPE_CHECKING:
    import pandas as pd

    FloatArray = npt.NDArray[np.float64]

_DAY = np.timedelta64(1, "D")
_MICROSECOND = np.timedelta64(1, "us")


class TransactionLog:
    """A log, the names of its columns and the policies it is read with, shared by reference.

    Nothing is copied when scikit-learn clones an estimator that holds it, and every view of it
    (:meth:`until`, :meth:`between`) has only the rows of its own time: what an estimator gets at
    a cutoff cannot hold the future.

    Parameters
    ----------
    log : frame
        One row an order line or order, any table that :func:`custvalue.summarize` takes; lazy
        tables are collected once.
    customer, time, amount : str
        Names of the columns.
    unit : str, default="D"
        Unit of ``recency``, ``T`` and ``silence`` in summaries.
    as_of : str, datetime64 or None, default=None
        End of observation; None is the day of the last row.
    **policies
        Passed to :func:`custvalue.summarize` and :func:`custvalue.panel` as they stand
        (``refunds=``, ``zero_amounts=``, ...).

    Attributes
    ----------
    frame : frame
        The rows.
    as_of : numpy.datetime64
        End of observation; a date without a time of day includes the whole day.

    Raises
    ------
    DataContractError
        If columns are missing, there is no row, or times cannot be read.

    Warns
    -----
    DataWarning
        Once, with counts, if rows without a customer, a readable time or an amount are left out
        (``invalid="error"`` refuses them instead).

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> log
    TransactionLog(3 rows, 2024-01-01 to 2024-01-20)
    >>> log.until("2024-01-10").summary()["frequency"].tolist()
    [1]
    """

    def __init__(
        self,
        log: Any,
        *,
        customer: str,
        time: str,
        amount: str,
        unit: str = "D",
        as_of: Any = None,
        **policies: Any,
    ) -> None:
        self.frame = eager(log)
        have = column_names(self.frame) or []
        problems = [
            no_column(
                name, have, "the log", "Name the log's own columns in customer=, time=, amount=."
            )
            for name in (customer, time, amount)
            if name not in have
        ]
        if problems:
            raise DataContractError(problems)
        self.customer, self.time, self.amount = customer, time, amount
        self.unit = unit
        self.policies = policies
        self._times = wall_times(
            self.frame,
            time,
            time_format=policies.get("time_format"),
            time_zone=policies.get("time_zone"),
        )
        if policies.get("invalid") != "error":
            self._leave_out_unusable()
        known = self._times[~np.isnat(self._times)]
        if len(known) == 0:
            raise DataContractError(
                ContractProblem("empty", "the log has no row with a time", "Pass a log with rows.")
            )
        self.first = known.min()
        self.as_of = (
            known.max().astype("datetime64[D]") if as_of is None else instant(as_of, "as_of")
        )
        self._tables: dict[Any, Any] = {}

    def _leave_out_unusable(self) -> None:
        """Once, here, so that each of many summaries need not warn of the same rows."""
        import pandas as pd

        amount = np.asarray(column(self.frame, self.amount))
        finite = np.isfinite(amount) if amount.dtype.kind == "f" else ~pd.isna(amount)
        missing = {  # in the words of summarize, which would say the same of the same rows
            "customer id is missing": pd.isna(column(self.frame, self.customer)),
            "time is missing or unreadable": np.isnat(self._times),
            "amount is missing or not finite": ~finite,
        }
        bad = np.zeros(len(self._times), dtype=bool)
        told = []
        for reason, mask in missing.items():
            mine = np.asarray(mask, dtype=bool) & ~bad
            bad |= mine
            if mine.any():
                told.append(f"{reason}: {int(mine.sum()):,}")
        if told:
            warn_caller(
                f"rows left out: {'; '.join(told)}. They are in the row ledger; invalid='error' "
                "refuses them.",
                DataWarning,
            )
            self.frame = rows_where(self.frame, ~bad)
            self._times = self._times[~bad]

    def __repr__(self) -> str:
        first = np.datetime_as_string(self.first, unit="D")
        last = np.datetime_as_string(self.as_of, unit="D")
        return f"TransactionLog({len(self._times):,} rows, {first} to {last})"

    def __len__(self) -> int:
        return len(self._times)

    def __sklearn_clone__(self) -> TransactionLog:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TransactionLog:
        return self

    def until(self, cutoff: Any) -> TransactionLog:
        """Rows up to ``cutoff`` as a log whose observation ends there.

        Parameters
        ----------
        cutoff : str or datetime64
            A date includes its whole day.

        Returns
        -------
        TransactionLog
        """
        end = instant(cutoff)
        return self._view(self._times < after(end), end)

    def between(self, start: Any, end: Any) -> TransactionLog:
        """Rows after ``start`` up to ``end`` (which belongs to the view).

        Parameters
        ----------
        start, end : str or datetime64
            Dates include their whole day.

        Returns
        -------
        TransactionLog
        """
        last = instant(end, "end")
        inside = (self._times >= after(instant(start, "start"))) & (self._times < after(last))
        return self._view(inside, last)

    def summary(self, unit: str | None = None) -> Any:
        """:func:`custvalue.summarize` of these rows at :attr:`as_of`.

        Parameters
        ----------
        unit : str or None
            None: the log's own.

        Returns
        -------
        frame of the kind of :attr:`frame`, one row a customer
        """
        key = ("summary", unit or self.unit)
        if key not in self._tables:
            self._tables[key] = summarize(unit=unit or self.unit, **self._arguments())
        return self._tables[key]

    def panel(self, period: str = "4W") -> Any:
        """:func:`custvalue.panel` of these rows at :attr:`as_of`.

        Parameters
        ----------
        period : str
            Length of a period.

        Returns
        -------
        frame of the kind of :attr:`frame`, one row a customer-period
        """
        key = ("panel", period)
        if key not in self._tables:
            self._tables[key] = panel(period=period, **self._arguments())
        return self._tables[key]

    def customers(self) -> npt.NDArray[Any]:
        """Ids of the summary's rows, in its order.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return column(self.summary(), self.customer)

    def of(self, customers: npt.ArrayLike) -> TransactionLog:
        """Rows of some customers alone, observed as long as before.

        Parameters
        ----------
        customers : array-like of shape (k,)
            Ids, as :meth:`customers` says them.

        Returns
        -------
        TransactionLog

        Raises
        ------
        DataContractError
            If none of them has a row.
        """
        mine = positions(np.asarray(customers), column(self.frame, self.customer)) >= 0
        if not mine.any():
            raise DataContractError(
                ContractProblem(
                    "unknown-customer",
                    "none of these customers has a row in the log",
                    "Take ids from log.customers().",
                )
            )
        return self._view(mine, self.as_of)

    def last_known(self, name: str) -> npt.NDArray[Any]:
        """Say what the newest row of each customer holds in a column.

        Parameters
        ----------
        name : str
            A column of the log beside customer, time and amount, such as a country.

        Returns
        -------
        ndarray of shape (n_customers,)
            In the order of :meth:`customers`; of rows at the same time the last one counts.

        Raises
        ------
        DataContractError
            If the log has no such column.
        """
        have = column_names(self.frame) or []
        if name not in have:
            raise DataContractError(
                no_column(name, have, "the log", "Name columns of the log in keep=.")
            )
        place = positions(self.customers(), column(self.frame, self.customer))
        order = np.argsort(self._times, kind="stable")
        order = order[place[order] >= 0]
        newest = np.zeros(len(self.customers()), dtype=np.intp)
        newest[place[order]] = order  # of several the last assignment stays
        return np.asarray(column(self.frame, name))[newest]

    def totals(self, customers: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Money and orders of each customer asked for within these rows, 0 where there is none.

        Parameters
        ----------
        customers : array-like of shape (n_customers,)

        Returns
        -------
        value, orders : ndarray of shape (n_customers,)
        """
        value, orders = np.zeros(len(customers)), np.zeros(len(customers))
        if len(self._times) == 0:
            return value, orders
        here = self.summary()
        place = positions(column(here, self.customer), customers)
        found = place >= 0
        value[found] = np.asarray(column(here, "total_value"), float)[place[found]]
        orders[found] = np.asarray(column(here, "n_orders"), float)[place[found]]
        return value, orders

    @property
    def span_days(self) -> float:
        """Days from the first row to :attr:`as_of`."""
        return float((self.as_of - self.first) / _DAY)

    def before(self, span: Span) -> np.datetime64:
        """Return the instant that lies ``span`` before :attr:`as_of`.

        Parameters
        ----------
        span : str or timedelta

        Returns
        -------
        numpy.datetime64
        """
        return shifted(self.as_of, -span_days(span))

    def _arguments(self) -> dict[str, Any]:
        names = {"customer": self.customer, "time": self.time, "amount": self.amount}
        return {"log": self.frame, **names, "as_of": _readable(self.as_of), **self.policies}

    def _view(self, mask: npt.NDArray[np.bool_], as_of: np.datetime64) -> TransactionLog:
        view = object.__new__(TransactionLog)
        view.__dict__ = {
            **self.__dict__,
            "frame": rows_where(self.frame, mask),
            "_times": self._times[mask],
            "as_of": as_of,
            "_tables": {},
        }
        return view


def cutoffs(log: TransactionLog, dates: Sequence[Any]) -> pd.DataFrame:
    """List the samples to learn and predict on: every customer known at each date.

    Parameters
    ----------
    log : TransactionLog
    dates : sequence of str or datetime64
        Ends of observation; a date includes its whole day.

    Returns
    -------
    DataFrame
        One row a customer and date: the customer column under its own name, ``as_of``.

    Raises
    ------
    DataContractError
        If nobody is known at a date.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog, cutoffs
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> cutoffs(log, ["2024-01-05", "2024-01-25"])["who"].tolist()
    [1, 1, 2]
    """
    import pandas as pd

    parts = []
    for date in dates:
        known = known_at(log, date)
        parts.append(pd.DataFrame({log.customer: known.customers(), "as_of": known.as_of}))
    return pd.concat(parts, ignore_index=True)


def known_at(log: TransactionLog, cutoff: Any) -> TransactionLog:
    """``log.until(cutoff)``, refused where nobody is known by then."""
    known = log.until(cutoff)
    if len(known) == 0 or len(known.customers()) == 0:
        raise DataContractError(
            ContractProblem(
                "nobody-known",
                f"no customer has an order up to {_readable(known.as_of)}; the log begins on "
                f"{_readable(log.first.astype('datetime64[D]'))}",
                "Choose a later cutoff.",
            )
        )
    return known


def future_value(log: TransactionLog, X: Any, *, horizon: Span) -> FloatArray:
    """Sum what each (customer, date) row brought within ``horizon`` after its date.

    Parameters
    ----------
    log : TransactionLog
    X : frame
        Made by :func:`cutoffs`: the customer column and ``as_of``.
    horizon : str or timedelta

    Returns
    -------
    ndarray of shape (n_rows,)
        Money, after the log's policies; 0 for customers who did not buy.

    Raises
    ------
    DataContractError
        If a horizon ends after the log does: its value would be cut short.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog, cutoffs, future_value
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> log = TransactionLog(rows, customer="who", time="when", amount="paid")
    >>> future_value(log, cutoffs(log, ["2024-01-05"]), horizon="1W").tolist()
    [7.0]
    """
    dates = np.asarray(column(X, "as_of"), dtype="datetime64[us]")
    ids = column(X, log.customer)
    y = np.zeros(len(ids))
    for date in np.unique(dates):
        rows = dates == date
        y[rows] = log.between(date, horizon_end(log, date, horizon)).totals(ids[rows])[0]
    return y


def horizon_end(log: TransactionLog, cutoff: Any, horizon: Span) -> np.datetime64:
    """End of the horizon after ``cutoff``; refused where the log does not reach it."""
    end = shifted(instant(cutoff), span_days(horizon))
    if after(end) > after(log.as_of):
        raise DataContractError(
            ContractProblem(
                "unfinished-horizon",
                f"cutoff {_readable(instant(cutoff))} plus {horizon} ends on {_readable(end)}, "
                f"the log on {_readable(log.as_of)}",
                "Choose an earlier cutoff or a shorter horizon; if the shop was open and sold "
                "nothing until then, pass as_of=.",
            )
        )
    return end


def positions(ids: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Row of each wanted id in ``ids``, -1 where it is not there."""
    import pandas as pd

    return pd.Index(ids).get_indexer(pd.Index(wanted))


def instant(date: Any, name: str = "cutoff") -> np.datetime64:
    """Read a date or time that is given as an argument as ``datetime64[us]``."""
    stamp = read_date(date, name)
    if stamp.tz is not None:
        stamp = stamp.tz_localize(None)
    return stamp.to_datetime64().astype("datetime64[us]")


def after(end: np.datetime64) -> np.datetime64:
    """First instant past ``end``; a date without a time of day lasts until midnight."""
    whole_day = end == end.astype("datetime64[D]")
    return end.astype("datetime64[us]") + (_DAY if whole_day else _MICROSECOND)


def shifted(date: np.datetime64, days: float) -> np.datetime64:
    """``date`` moved by days; whole days keep a date a date."""
    if days == int(days):
        return date + int(days) * _DAY
    moved = date + np.timedelta64(round(days * 86_400e6), "us")
    return moved.astype("datetime64[D]").astype("datetime64[us]")


def _readable(date: np.datetime64) -> str:
    return str(np.datetime_as_string(date, unit="auto"))
