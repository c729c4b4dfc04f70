"""Orders of a log as arrays, and the calendar they are counted by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._dates import read_date
from custvalue._typing import Floats, Ints
from custvalue.data import TransactionLog
from custvalue.exceptions import ContractProblem, DataContractError

Period: TypeAlias = Literal["week", "month", "quarter", "year"]
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class BaseOrders:
    """What a log's orders are, one row an order, sorted by customer, then date.

    Parameters
    ----------
    who : ndarray of int
        Number of the customer, 0 to ``n_customers`` - 1.
    day : ndarray of datetime64[D]
    spend, profit : ndarray of float
        Profit is spend where the log says no profit.
    number : ndarray of int
        1 for a customer's first order, 2 for the second, ...
    end : datetime64[D]
        The last day known, whole.
    has_profit : bool
    """

    who: Ints
    day: npt.NDArray[np.datetime64]
    spend: Floats
    profit: Floats
    number: Ints
    end: np.datetime64
    has_profit: bool

    @property
    def n_customers(self) -> int:
        """How many customers have an order."""
        return int(self.who[-1]) + 1 if len(self.who) else 0

    @property
    def born(self) -> npt.NDArray[np.datetime64]:
        """Day of the first order of the customer of every order."""
        return self.day[self.number == 1][self.who]


def orders_of(log: Any) -> BaseOrders:
    """Read the orders of a log.

    Raises
    ------
    TypeError
        If it is no `TransactionLog`.
    DataContractError
        If it has no order.
    """
    if not isinstance(log, TransactionLog):
        raise TypeError(
            f"an audit reads a TransactionLog, not a {type(log).__name__}: "
            "cv.TransactionLog(table, customer=..., time=..., amount=..., as_of=...)."
        )
    table = log.occasions()
    who = pd.factorize(np.asarray(_frames.column(table, log.customer)))[0].astype(np.int64)
    if not len(who):
        raise DataContractError(
            ContractProblem("no-orders", "the log has no order", "Check as_of= and the amounts.")
        )
    spend = _frames.float_columns(table, ["spend"])[:, 0]
    has_profit = "profit" in (_frames.column_names(table) or [])
    first = np.r_[True, who[1:] != who[:-1]]
    start = np.flatnonzero(first)
    return BaseOrders(
        who,
        np.asarray(_frames.column(table, "date")).astype("datetime64[D]"),
        spend,
        _frames.float_columns(table, ["profit"])[:, 0] if has_profit else spend,
        np.arange(len(who)) - start[who] + 1,
        log.as_of.astype("datetime64[D]"),
        has_profit,
    )


def period_number(day: npt.NDArray[np.datetime64] | np.datetime64, period: str) -> Any:
    """Count the calendar periods from 1970 to the one of a day; weeks begin on Monday."""
    if period == "week":
        return (np.asarray(day).astype("datetime64[D]").astype(np.int64) + 3) // 7
    months = np.asarray(day).astype("datetime64[M]").astype(np.int64)
    return months // {"month": 1, "quarter": 3, "year": 12}[period]


def period_start(number: Any, period: str) -> Any:
    """First day of a calendar period, by its number."""
    number = np.asarray(number, dtype=np.int64)
    if period == "week":
        return (number * 7 - 3).astype("datetime64[D]")
    months = number * {"month": 1, "quarter": 3, "year": 12}[period]
    return months.astype("datetime64[M]").astype("datetime64[D]")


def period_name(number: Any, period: str) -> npt.NDArray[np.object_]:
    """Names of calendar periods: ``2024``, ``2024-Q1``, ``2024-01``, or the week's Monday."""
    number = np.atleast_1d(np.asarray(number, dtype=np.int64))
    if period == "quarter":
        return np.array([f"{1970 + n // 4}-Q{n % 4 + 1}" for n in number], dtype=object)
    length = {"week": 10, "month": 7, "year": 4}[period]
    return np.array([str(d)[:length] for d in period_start(number, period)], dtype=object)


def is_over(number: Any, period: str, end: np.datetime64) -> npt.NDArray[np.bool_]:
    """Whether a calendar period lies whole before the end of what is known."""
    return np.asarray(period_start(np.asarray(number) + 1, period) <= end + DAY)


def ratio(part: Any, whole: Any) -> Floats:
    """Divide counts or money by counts; NaN where there is nothing to divide by."""
    out = np.full(len(whole), np.nan)
    return np.divide(part, whole, out=out, where=whole > 0, dtype=np.float64)


def check_period(period: str) -> None:
    """Raise where a calendar period has no name here."""
    if period not in get_args(Period):
        raise ValueError(f"period={period!r} must be one of {', '.join(get_args(Period))}.")


def read_range(span: Any, name: str) -> tuple[np.datetime64, np.datetime64]:
    """First and last day of a range given as two dates, both included.

    Raises
    ------
    ValueError
        If there are not two, or the second lies before the first.
    """
    try:
        first, last = span
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}={span!r} must be two dates, first and last day: ('2024-01-01', '2024-12-31')."
        ) from None
    start = np.datetime64(read_date(first, name), "D")
    end = np.datetime64(read_date(last, name), "D")
    if end < start:
        raise ValueError(f"{name} ends on {end}, before it begins on {start}.")
    return start, end


def check_known(start: np.datetime64, end: np.datetime64, orders: BaseOrders, name: str) -> None:
    """Raise where a range reaches beyond what the log knows, or holds no order."""
    if end > orders.end:
        raise DataContractError(
            ContractProblem(
                "unfinished-range",
                f"{name} ends on {end}, the log on {orders.end}: the rest of it is not known",
                "End it earlier, or give the log a later as_of=.",
            )
        )
    if not ((orders.day >= start) & (orders.day <= end)).any():
        raise DataContractError(
            ContractProblem(
                "empty-range",
                f"no order from {start} to {end} ({name})",
                f"Orders lie from {orders.day.min()} to {orders.day.max()}.",
            )
        )
