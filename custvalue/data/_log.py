"""The door: a transaction log, read in one way by every part of the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custvalue._dates import after, instant, read_date, readable, shifted
from custvalue._frames import (
    TableFacts,
    column,
    column_names,
    eager,
    places_of,
    rows_where,
    with_columns,
    with_facts,
)
from custvalue._typing import ByName, Dates, Floats, Ints
from custvalue._units import Span, days_per, span_days
from custvalue._warn import warn_caller
from custvalue.data._build import build_table, dates
from custvalue.data._cohorts import CohortTable, Value, check_counted, cohorts_of
from custvalue.data._contribution import Amount, Contribution, contribution_of_rows
from custvalue.data._engines import engine_of
from custvalue.data._far_dates import alone, days_of
from custvalue.data._intake import (
    Intake,
    codes_of,
    missing_columns,
    take_in,
    warn_dates,
    warn_invalid,
)
from custvalue.data._keep import several_values
from custvalue.data._ledger import RowLedger, ledger
from custvalue.data._occasions import Folded, fold
from custvalue.data._options import (
    DAY,
    LogOptions,
    Unit,
    log_options,
    names_policies,
    refuse_reserved,
    unit_name,
)
from custvalue.data._panel import panel_eager, panel_names
from custvalue.data._split import DateSplit
from custvalue.data._summary import refuse_lost, summarize_eager, summary_names
from custvalue.data._times import End, last_order_text, read_times
from custvalue.data._walks import Lives, Walks, walks_of
from custvalue.exceptions import AsOfWarning, ContractProblem, DataContractError

_DAY = np.timedelta64(1, "D")
_MICROSECOND = np.timedelta64(1, "us")
_MINUTE = np.timedelta64(60_000_000, "us")


class TransactionLog:
    """A log, the names of its columns and the policies it is read with: the one door.

    Everything that the library tells of a log is asked of it: what an order is, who a customer is,
    which rows count. Tables are made where the log lies and only when they are asked for, and a
    table that was made once is remembered. Nothing is copied when scikit-learn clones an estimator
    that holds a log, and every view (:meth:`until`, :meth:`between`) has only the rows of its own
    time: what an estimator gets at a cutoff cannot hold the future.

    Parameters
    ----------
    frame : frame
        One row an order or order line: pandas, polars (eager or lazy), pyarrow, a DuckDB relation,
        Dask or PySpark. Views and everything but :meth:`summary`, :meth:`panel` and :meth:`split`
        need the rows in memory and fetch them once.
    customer, time, amount : str
        Names of the columns with the customer's id (any kind), the time and the money. All net
        spend of a customer within one ``occasion`` (a calendar day unless said otherwise) is one
        order.
    unit : {"H", "D", "W", "M", "Y"}, span or timedelta, default="D"
        Unit of all times. A month is 365.25/12 days, a year 365.25 days.
    as_of : date, datetime or ISO str, optional
        End of observation: of a date (and a time that is midnight) the whole day is seen, of a time
        the grain of ``occasion`` it lies in, a day at most; later rows are not. Rows are cut before
        they are netted, so a longer ``occasion`` never shows what came after. Without it the day of
        the log's last usable row.
    tell_end : bool, default=False
        Whether tables warn where ``as_of`` is not given, as the functions (``summarize``, ...) do:
        a quiet end of the log would look like activity.
    **policies
        As in :class:`LogOptions`: ``keep``, ``occasion``, ``refunds``, ``zero_amounts``,
        ``duplicates``, ``invalid``, ``order``, ``margin``, ``cost``, ``profit``,
        ``time_format``, ``time_zone``.

    Attributes
    ----------
    frame : frame
        The rows as they were given.
    options : LogOptions
    unit : str

    Raises
    ------
    DataContractError
        If columns are missing, at once; any other fault of the rows when they are read.
    TypeError
        If the log is no table, or a policy has an unknown name.
    ValueError
        If a policy has an unknown value, or policies contradict each other.

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
    >>> log.gaps()
       who   gap      until
    0    1   8.0 2024-01-09
    """

    @names_policies
    def __init__(
        self,
        frame: Any,
        *,
        customer: str,
        time: str,
        amount: str,
        unit: Unit = "D",
        as_of: Any = None,
        tell_end: bool = False,
        **policies: Any,
    ) -> None:
        self._tells_end = tell_end
        self.options = log_options(customer, time, amount, **policies)
        engine_of(frame)  # or it is no table
        have = column_names(frame)
        if have is not None and (problems := missing_columns(have, self.options)):
            raise DataContractError(problems)
        self.frame = frame
        self.unit = unit_name(unit)
        self._end = as_of if as_of is None else read_date(as_of, "as_of")
        self._tables: dict[Any, Any] = {}
        self._held: Held | None = None
        self._is_view = False
        self._is_operational = False

    @property
    def customer(self) -> str:
        """Name of the customer column."""
        return self.options.customer

    def __repr__(self) -> str:
        if self._held is None and not _in_memory(self.frame):
            return f"TransactionLog({type(self.frame).__name__}, not read yet)"
        first = np.datetime_as_string(self.first, unit="D")
        last = np.datetime_as_string(self.as_of, unit="D")
        return f"TransactionLog({len(self):,} rows, {first} to {last})"

    def __len__(self) -> int:
        return len(self._rows.times)

    def __sklearn_clone__(self) -> TransactionLog:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TransactionLog:
        return self

    # what the log is asked for

    def summary(self, unit: Unit | None = None) -> Any:
        """Return one row a customer at :attr:`as_of`; see :func:`summarize`.

        Parameters
        ----------
        unit : str, optional
            Default: the log's own.

        Returns
        -------
        frame of the kind of :attr:`frame`, lazy where that is
        """
        options, name = self.options, self.unit if unit is None else unit_name(unit)
        refuse_lost(options, summary_names(options))

        def make() -> Any:
            if self._is_told():
                rows, start = self._rows, self._tells_start()
                return summarize_eager(
                    rows.frame, options, self._end, name,
                    quiet=True, start=start, codes=rows.codes,
                )  # fmt: skip
            return engine_of(self.frame).summarize(self.frame, options, self._end, name)

        return self._made(("summary", name), make)

    def panel(self, period: Unit = "4W") -> Any:
        """Return one row a customer and period up to :attr:`as_of`; see :func:`panel`.

        Parameters
        ----------
        period : span or timedelta, default="4W"

        Returns
        -------
        frame of the kind of :attr:`frame`, lazy where that is
        """
        options, name = self.options, unit_name(period, "period")
        refuse_lost(options, panel_names())

        def make() -> Any:
            if self._is_told():
                rows, start = self._rows, self._tells_start()
                return panel_eager(
                    rows.frame, options, self._end, name,
                    quiet=True, start=start, codes=rows.codes,
                )  # fmt: skip
            return engine_of(self.frame).panel(self.frame, options, self._end, name)

        return self._made(("panel", name), make)

    def split(self, cutoff: Any, horizon: Span, unit: Unit | None = None) -> DateSplit:
        """Return what was known at a date and what came after it; see :func:`split_by_date`.

        Parameters
        ----------
        cutoff : date, datetime or ISO str
        horizon : span or timedelta
        unit : str, optional
            Default: the log's own.

        Returns
        -------
        DateSplit
        """
        options, name = self.options, self.unit if unit is None else unit_name(unit)
        refuse_lost(options, [*summary_names(options), "orders", "spend", "profit"])
        if cutoff is not None:
            read_date(cutoff, "cutoff")
        frame = self._rows.frame if self._is_view else self.frame
        return engine_of(frame).split(frame, options, cutoff, horizon, self._end, name)

    def occasions(self) -> Any:
        """Return one row a purchase occasion: what summaries, panels, gaps and cohorts are made of.

        Returns
        -------
        frame of the kind of :attr:`frame`, in memory, sorted by customer, then date
            ``<customer>``, ``date`` (start of the occasion), ``spend`` (net), and with ``margin``,
            ``cost`` or ``profit`` ``profit``.
        """
        refuse_reserved(self.customer, ["date", "spend", "profit"])
        return self._made(("occasions",), self._occasions)

    def _occasions(self) -> Any:
        rows, folded, book = self._folded()
        parts = folded.parts
        spend = [np.empty(0), *(rows.money.worth(part.spend) for part in parts)]
        columns: ByName = {
            "date": dates(_joined(part.tick for part in parts), self.options.grain),
            "spend": np.concatenate(spend),
        }
        if rows.profit is not None:
            gains = [rows.profit.worth(p.profit) for p in parts if p.profit is not None]
            columns["profit"] = np.concatenate([np.empty(0), *gains])
        who = _joined(np.repeat(part.code, part.size) for part in parts)
        return self._table("occasions", rows, book, who, columns, "D")

    def gaps(self, unit: Unit | None = None) -> Any:
        """Return one row a gap between two orders of a customer.

        Parameters
        ----------
        unit : str, optional
            Default: the log's own.

        Returns
        -------
        frame of the kind of :attr:`frame`, in memory, sorted by customer, then time
            ``<customer>``, ``gap`` (in ``unit``, above 0) and ``until``, the date of the order that
            ends it. ``SilenceScorer.fit(log.summary(), gaps=log.gaps()["gap"])`` takes them.
        """
        name = self.unit if unit is None else unit_name(unit)
        refuse_reserved(self.customer, ["gap", "until"])
        return self._made(("gaps", name), lambda: self._gaps(name))

    def _gaps(self, unit: str) -> Any:
        rows, folded, book = self._folded()
        gap, until, who = [], [], []
        for part in folded.parts:
            later = np.ones(len(part.tick), dtype=bool)
            later[part.start] = False
            later = np.flatnonzero(later)
            gap.append(part.tick[later] - part.tick[later - 1])
            until.append(part.tick[later])
            who.append(np.repeat(part.code, part.size - 1))
        per_tick = self.options.grain / DAY / days_per(unit)
        columns: ByName = {
            "gap": _joined(gap) * per_tick,
            "until": dates(_joined(until), self.options.grain),
        }
        return self._table("gaps", rows, book, _joined(who), columns, unit)

    def walks(
        self,
        table: Any,
        *,
        period: str,
        columns: Sequence[str] | None = None,
        customer: str | None = None,
        unit: Unit | None = None,
        until: Any = None,
    ) -> Walks:
        """Lay what a table tells of customers period by period along their histories.

        For laws whose rates move in time: ``VaryingParetoNBD`` and ``VaryingBGNBD``. A row holds
        from its date until the next date that the table has for anybody; order and row of one day
        go together.

        Parameters
        ----------
        table : frame
            One row a customer and period, in any order; of the time after :attr:`as_of` too, as far
            as forecasts shall go. Customers who are not in the log are passed over.
        period : str
            Column with the date on which the period begins.
        columns : list of str, optional
            What may move rates; default: all other columns.
        customer : str, optional
            Customer column of the table; default: named as in the log.
        unit : str, optional
            Default: the log's own.
        until : date, optional
            Last day of the last period; default: it is as long as the one before it, or as many
            whole months where all periods begin with a month.

        Returns
        -------
        Walks

        Raises
        ------
        DataContractError
            If columns, ids or dates are missing, a customer has two rows of a period, or none of a
            period between the first order and :attr:`as_of`.
        """
        name = self.unit if unit is None else unit_name(unit)
        rows, folded, _ = self._folded()
        lives = Lives(
            rows.ids(folded.code).to_numpy(),
            _joined(part.tick for part in folded.parts),
            _joined(part.size for part in folded.parts),
            rows.end.tick,
            self.options.grain,
        )
        of_table = self.customer if customer is None else customer
        return walks_of(
            lives, table, customer=self.customer, of_table=of_table, period=period,
            columns=columns, unit=name, until=until,
        )  # fmt: skip

    def cohorts(self, value: Value = "share") -> CohortTable:
        """Count what the customers of each month of first order do in the months after it.

        Parameters
        ----------
        value : {"customers", "share", "orders", "money", "orders_each", "money_each"}
            As in :func:`custvalue.value.cohort_table`; default ``"share"``.

        Returns
        -------
        CohortTable
        """
        check_counted(value)
        return cohorts_of(self.occasions(), self.customer, value)

    def contribution(
        self,
        *,
        cost: Amount = None,
        cost_to_serve: Amount = None,
        acquisition_cost: Amount = None,
        by: str | npt.ArrayLike | None = None,
    ) -> Contribution:
        """Tell what each customer brings after all costs; see :func:`custvalue.value.contribution`.

        Parameters
        ----------
        cost, cost_to_serve, acquisition_cost : float or str, optional
        by : str or array-like of shape (n_rows,), optional

        Returns
        -------
        Contribution
            Its revenue is the ledger's: the sum over the table is the amount used.
        """
        frame = self._read()
        return contribution_of_rows(
            frame, self.options, self._end,
            cost=cost, cost_to_serve=cost_to_serve, acquisition_cost=acquisition_cost, by=by,
        )  # fmt: skip

    def several(self, column: str) -> Any:
        """Return the customers whose rows say more than one value of a kept column.

        Parameters
        ----------
        column : str
            One of ``keep``.

        Returns
        -------
        series of the kind of :attr:`frame`
            Their ids, sorted. :meth:`summary` has the value at the last order.

        Raises
        ------
        ValueError
            If the column is not kept.
        """
        if column not in self.options.keep:
            raise ValueError(f"{column!r} is not kept; TransactionLog(..., keep=[{column!r}]).")
        rows = take_in(self._read(), self.options, self._end, quiet=True, codes=self._rows.codes)
        return nw.to_native(rows.ids(several_values(rows, column)))

    def ledger(self) -> RowLedger:
        """Return where every row and every cent of the log went.

        Returns
        -------
        RowLedger
        """
        return ledger(self.summary())

    def customers(self) -> npt.NDArray[Any]:
        """Ids of the summary's rows, in its order.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return column(eager(self.summary()), self.customer)

    def totals(self, customers: npt.NDArray[Any]) -> tuple[Floats, Floats]:
        """Money and orders of each customer asked for within these rows, 0 where there is none.

        Parameters
        ----------
        customers : array-like of shape (n_customers,)

        Returns
        -------
        value, orders : ndarray of shape (n_customers,)
        """
        value, orders = np.zeros(len(customers)), np.zeros(len(customers))
        if len(self) == 0:
            return value, orders
        here = eager(self.summary())
        place = places_of(column(here, self.customer), customers)
        found = place >= 0
        value[found] = np.asarray(column(here, "total_value"), float)[place[found]]
        orders[found] = np.asarray(column(here, "n_orders"), float)[place[found]]
        return value, orders

    # its time

    @property
    def as_of(self) -> np.datetime64:
        """End of observation; a date without a time of day includes the whole day."""
        return self._rows.as_of

    @property
    def first(self) -> np.datetime64:
        """Time of the first row that counts."""
        return self._rows.first

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
        return self._view(self._rows.times < after(end), end)

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
        last, times = instant(end, "end"), self._rows.times
        inside = (times >= after(instant(start, "start"))) & (times < after(last))
        return self._view(inside, last)

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
        mine = places_of(np.asarray(customers), column(self._rows.frame, self.customer)) >= 0
        if not mine.any():
            text = "none of these customers has a row in the log"
            cure = "Take ids from log.customers()."
            raise DataContractError(ContractProblem("unknown-customer", text, cure))
        return self._view(mine, self.as_of)

    def last_known(self, name: str) -> npt.NDArray[Any]:
        """Say what a column of the log tells of each customer, as ``keep`` does.

        Parameters
        ----------
        name : str
            A column of the log beside customer, time and amount, such as a country.

        Returns
        -------
        ndarray of shape (n_customers,)
            In the order of :meth:`customers`.

        Raises
        ------
        DataContractError
            If the log has no such column.
        """
        options = replace(self.options, keep=(name,))
        refuse_lost(options, summary_names(options))

        def make() -> Any:
            rows, end = self._rows, readable(self.as_of)
            table = summarize_eager(
                rows.frame, options, end, self.unit, quiet=True, codes=rows.codes
            )
            return column(table, name)

        return self._made(("last_known", name), make)

    # what is held

    @property
    def _rows(self) -> Held:
        """Rows in memory with their times; read, and complained of, once."""
        if self._held is None:
            self._held = Held.of(self.frame, self.options, self._end)
        return self._held

    def _is_told(self) -> bool:
        """Whether the rows are read here, so that what they lack was said; else the engine says."""
        if self._tells_end or not (self._is_view or _in_memory(self.frame)):
            return False
        return bool(self._rows)

    def _tells_start(self) -> bool:
        """Whether the table made now is the first that shows where the log begins."""
        said = any(key[0] in ("summary", "panel") for key in self._tables)
        return not (self._is_view or said)

    def _moved(self, days: Callable[[Dates], Floats]) -> TransactionLog:
        """Rows of whole days in another time, which says how many days lie before each end.

        A day is a minute there, so that two of them stay apart however short they are.
        """
        counted = self.until(self.as_of)
        held = counted._rows

        def moved(dates: Any) -> Any:
            minutes = np.floor(days(np.asarray(dates, dtype="datetime64[D]")) * 1440.0)
            return np.datetime64(0, "us") + minutes.astype(np.int64) * _MINUTE

        times = moved(held.times)
        end = moved(held.as_of) + _MINUTE - _MICROSECOND  # its minute is seen
        options = replace(self.options, occasion="1min", time_format=None, time_zone=None)
        frame = with_columns(held.frame, {options.time: times})
        rows = Held(frame, times, moved(held.first), end, held.end, self.customer, held.codes)
        counted.__dict__ |= {
            "frame": frame, "_held": rows, "_end": readable(end), "options": options,
            "_is_operational": True,
        }  # fmt: skip
        return counted

    def _read(self) -> Any:
        """Rows in memory; where the end is taken from them, that is said if it was asked for."""
        if self._tells_end and self._end is None:
            warn_caller(last_order_text(self._rows.end), AsOfWarning)
        return self._rows.frame

    def _made(self, key: Any, make: Any) -> Any:
        if key not in self._tables:
            self._tables[key] = make()
        return self._tables[key]

    def _folded(self) -> tuple[Intake, Folded, RowLedger]:
        frame = self._read()
        rows = take_in(frame, self.options, self._end, quiet=True, codes=self._rows.codes)
        return rows, *fold(rows, self.options)

    def _table(
        self, kind: str, rows: Intake, book: RowLedger, who: Any, columns: ByName, unit: str
    ) -> Any:
        table = build_table(self._rows.frame, self.customer, rows.ids(who), columns)
        facts = TableFacts(
            kind=kind,
            customer=self.customer,
            unit=unit,
            as_of=rows.end.date,
            ledger=book.to_dict(),
            extra={"occasion_seconds": self.options.grain},
        )
        return with_facts(table, facts)

    def _view(self, mask: npt.NDArray[np.bool_], as_of: np.datetime64) -> TransactionLog:
        view = object.__new__(TransactionLog)
        held = self._rows
        part = Held(
            rows_where(held.frame, mask), held.times[mask], held.first, as_of, held.end,
            self.customer, None if held.codes is None else held.codes[mask],
        )  # fmt: skip
        view.__dict__ = {
            **self.__dict__, "frame": part.frame, "_held": part, "_end": readable(as_of),
            "_tables": {}, "_is_view": True, "_tells_end": False,
        }  # fmt: skip
        return view


class Held:
    """Rows of a log in memory, their times on the wall clock, and the span that they cover."""

    def __init__(
        self,
        frame: Any,
        times: Dates,
        first: np.datetime64,
        as_of: np.datetime64,
        end: End,
        customer: str,
        codes: Ints | None = None,
    ) -> None:
        self.frame, self.times, self.first, self.as_of, self.end = frame, times, first, as_of, end
        self._customer, self._codes = customer, codes

    @property
    def codes(self) -> Ints | None:
        """Whole numbers that sort as the ids do, made once for all views; None if ids are such."""
        if self._codes is None:
            self._codes = codes_of(self.frame, self._customer)
        return self._codes

    @classmethod
    def of(cls, frame: Any, options: LogOptions, end: Any) -> Held:
        """Read a log as its tables will be read, and say once what is left out."""
        frame = eager(frame)
        rows = take_in(frame, options, end, quiet=True)
        warn_invalid(rows.dropped)
        if not len(rows.tick):
            raise DataContractError(
                ContractProblem(
                    "empty",
                    f"the log has no order up to {rows.end.date}",
                    "Pass a log with orders.",
                )
            )
        day = rows.fine if options.fine == DAY else rows.fine // (DAY // options.fine)
        warn_dates(alone(*days_of(day)), int(rows.fine.max()), rows.end)
        problems: list[ContractProblem] = []
        series = nw.from_native(frame, eager_only=True)[options.time]
        when, _, _ = read_times(series, options, problems)
        assert when is not None  # or the log had been refused
        times = when.astype("datetime64[us]")
        first = times.min() if rows.row is None else times[rows.row].min()
        last = rows.end.last + 1 if options.fine < DAY else rows.end.last
        as_of = np.datetime64(last * options.fine, "s").astype("datetime64[us]")
        if options.fine < DAY:
            as_of -= _MICROSECOND
        return cls(frame, times, first, as_of, rows.end, options.customer)


def _joined(parts: Any) -> npt.NDArray[np.int64]:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def _in_memory(frame: Any) -> bool:
    dask = nw.dependencies.is_dask_dataframe(frame)
    return not dask and not isinstance(nw.from_native(frame), nw.LazyFrame)
