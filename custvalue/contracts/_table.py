"""The door of contracts: a table of subscriptions, read in one way by all that values them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._dates import read_day
from custvalue._typing import Floats, Ints
from custvalue._units import Span
from custvalue.contracts._bridge import Of, bridge_of, cohorts_of_starts, retention_of
from custvalue.contracts._calendar import Calendar
from custvalue.contracts._intake import NEVER, Future, Overlaps, read_contracts
from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError, no_column

if TYPE_CHECKING:
    import pandas as pd

COHORT = "cohort"
OWN = ("frequency", "recency", "T", "duration", "ended", "to_renewal", "price", "start")


class SubscriptionTable:
    """Contracts of customers, one row each: the door beside the log of orders.

    A contract runs from its ``start`` to the day before its ``end``; one without an end still runs.
    A change of plan or price is a new row that begins on the day on which the old one ends. A
    customer whose contracts leave a gap has left and come back. Days count, clock times do not.

    Parameters
    ----------
    frame : frame
        One row a contract: pandas, polars, pyarrow, ...
    customer, start, money : str
        Columns with the customer's id, the first day of the contract, and what it costs a period.
    end : str, optional
        Column with the first day without the contract, missing while it runs; without the column
        all contracts run.
    plan : str, optional
        Column with the plan, for groups.
    period : str, default="M"
        Period for which ``money`` is paid and after which a contract is renewed or not: whole
        months (``"M"``, ``"3M"``, ``"Y"``), by the calendar, or whole days.
    as_of : date, datetime or ISO str, optional
        Last day seen. Without it the last date of the table, with a warning.
    keep : sequence of str, default=()
        Further columns to hand on, such as covariates of a law: each customer's at the latest
        contract.
    last_day : bool, default=False
        Whether the column ``end`` has the last day with the contract.
    overlaps : {"error", "add"}, default="error"
        What contracts of one customer that run at once are: a fault, or several whose money adds
        up.
    future : {"error", "open"}, default="error"
        What a date after ``as_of`` is: a fault, or unknown (a contract that has not begun is left
        out, one whose end has not come still runs).
    time_format : str, optional
        Of dates as text that are not ISO 8601.

    Attributes
    ----------
    customer, plan : str
    period : str
    as_of : datetime64[D]
    ledger : dict
        ``rows_in``, ``rows_used``, ``not_begun``, ``end_not_come``.

    Raises
    ------
    DataContractError
        All problems of the rows at once: a missing customer, start or money, money below 0, an end
        that is not after its start, dates in the future, overlapping contracts.

    Warns
    -----
    AsOfWarning
        If ``as_of`` is not given.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.contracts import SubscriptionTable
    >>> rows = pd.DataFrame({
    ...     "who": ["ann", "ann", "bob", "eve"],
    ...     "from": ["2024-01-10", "2024-02-10", "2024-01-20", "2024-02-05"],
    ...     "to": ["2024-02-10", None, "2024-03-20", None],
    ...     "fee": [10.0, 15.0, 10.0, 10.0]})
    >>> table = SubscriptionTable(rows, customer="who", start="from", end="to", money="fee",
    ...                           as_of="2024-03-31")
    >>> table
    SubscriptionTable(4 contracts of 3 customers, 2 of them there on 2024-03-31)
    >>> table.bridge()[["period", "opening", "new", "expansion", "churn", "closing"]]
        period  opening   new  expansion  churn  closing
    0  2024-01      0.0  20.0        0.0    0.0     20.0
    1  2024-02     20.0  10.0        5.0    0.0     35.0
    2  2024-03     35.0   0.0        0.0   10.0     25.0
    """

    def __init__(
        self,
        frame: Any,
        *,
        customer: str,
        start: str,
        money: str,
        end: str | None = None,
        plan: str | None = None,
        period: Span = "M",
        as_of: Any = None,
        keep: Sequence[str] = (),
        last_day: bool = False,
        overlaps: Overlaps = "error",
        future: Future = "error",
        time_format: str | None = None,
    ) -> None:
        for word, known, name in (
            (overlaps, ("error", "add"), "overlaps"),
            (future, ("error", "open"), "future"),
        ):
            if word not in known:
                raise ValueError(f"{name}={word!r} must be {known[0]!r} or {known[1]!r}.")
        if isinstance(keep, str):
            raise TypeError(f"keep={keep!r} is a list of columns; write keep=[{keep!r}].")
        self.customer, self.plan, self.keep = customer, plan, tuple(keep)
        self._calendar = Calendar.of(period)
        self.period = self._calendar.unit
        others = [*([plan] if plan else []), *self.keep]
        if taken := [name for name in (customer, *others) if name in OWN]:
            raise ValueError(
                f"a column called {taken[0]!r} would stand twice in what is made of the table; "
                f"rename it ({', '.join(OWN)} are taken)."
            )
        self._frame = _frames.eager(frame) if _frames.is_frame(frame) else frame
        self._contracts, self.as_of, self.ledger = read_contracts(
            self._frame,
            customer=customer,
            start=start,
            end=end,
            money=money,
            others=others,
            as_of=None if as_of is None else read_day(as_of),
            last_day=last_day,
            overlaps=overlaps,
            future=future,
            time_format=time_format,
        )

    def __repr__(self) -> str:
        here = int(self._contracts.at(self.as_of)[1].sum())
        return (
            f"SubscriptionTable({len(self._contracts.who):,} contracts of "
            f"{len(self._contracts.ids):,} customers, {here:,} of them there on {self.as_of})"
        )

    def __len__(self) -> int:
        return len(self._contracts.who)

    def customers(self) -> npt.NDArray[Any]:
        """Return the ids, sorted: the order of :meth:`contracts`.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return self._contracts.ids

    def until(self, date: Any) -> SubscriptionTable:
        """Return the table as it was known on an earlier day.

        Parameters
        ----------
        date : date, datetime or ISO str

        Returns
        -------
        SubscriptionTable
            Contracts that had begun; ends that had not come are missing.

        Raises
        ------
        ValueError
            If the day lies after ``as_of``, or before the first contract.
        """
        day = read_day(date, "date")
        if day > self.as_of or day < self._contracts.start.min():
            raise ValueError(
                f"date={date!r} must lie from {self._contracts.start.min()}, the first start, to "
                f"as_of={self.as_of}."
            )
        view = object.__new__(SubscriptionTable)
        view.__dict__ = {k: v for k, v in self.__dict__.items() if k != "log"}
        view._contracts, view.as_of = self._contracts.known_by(day), day
        used = len(view._contracts.who)
        view.ledger = {
            "rows_in": self.ledger["rows_in"],
            "rows_used": used,
            "not_begun": self.ledger["rows_in"] - used,
            "end_not_come": int((view._contracts.end == NEVER).sum())
            - int((self._contracts.end[self._contracts.start <= day] == NEVER).sum()),
        }
        return view

    # ---- what happened ---------------------------------------------------------------------------

    def bridge(self, period: Span | None = None, *, by: str | None = None) -> pd.DataFrame:
        """Lead from the money a period at each period's start to that at its end.

        Parameters
        ----------
        period : str, optional
            By the calendar; default: that of the contracts.
        by : str, optional
            ``"cohort"`` (calendar period of the first contract), the plan's column or one of
            ``keep``, as of the first contract: customers stay in their group.

        Returns
        -------
        DataFrame
            One row a period (and group): ``period``, ``end`` (the day looked at), ``opening``,
            ``new``, ``reactivation`` (back after a gap), ``expansion``, ``contraction`` (more and
            less of those who stayed), ``churn``, ``closing``, the same in customers
            (``..._customers``), ``came_and_left`` (customers who did both between two looks),
            ``finished`` (False for a period that ``as_of`` cuts), ``gross_retention`` (opening less
            contraction and churn, over opening), ``net_retention`` (with expansion; new and
            returned customers count in neither) and ``customer_retention``. Opening + new +
            reactivation + expansion - contraction - churn = closing, and the next opening.

        Notes
        -----
        A period is looked at on its last day. A contract that ends on the first of a month was
        there on the last day of the month before, so it is lost in the month of its ``end``.
        """
        calendar = self._calendar if period is None else Calendar.of(period)
        groups = None if by is None else self._groups(by, calendar)
        return bridge_of(self._contracts, calendar, self.as_of, groups, by or "")

    def retention(
        self,
        of: Of = "money",
        *,
        by: str = COHORT,
        period: Span | None = None,
        share: bool = True,
    ) -> pd.DataFrame:
        """Say what is left of each cohort 0, 1, 2, ... periods after each customer's own start.

        Parameters
        ----------
        of : {"money", "gross", "customers", "survivors"}, default="money"
            ``"money"`` a period, with expansion and returns (net revenue retention); ``"gross"``:
            of each customer the least so far; ``"customers"`` who are there; ``"survivors"``: those
            never gone, which ``fit_cohorts`` of the laws takes with ``share=False``.
        by : str, default="cohort"
            As for :meth:`bridge`.
        period : str, optional
            Of ages and cohorts; default: that of the contracts.
        share : bool, default=True
            Over what there was at age 0.

        Returns
        -------
        DataFrame
            Index ``cohort``, columns ages; NaN where not all customers of the cohort have come to
            that age.
        """
        calendar = self._calendar if period is None else Calendar.of(period)
        groups = self._groups(by, calendar)
        return retention_of(self._contracts, calendar, self.as_of, groups, of, share)

    def _groups(self, by: str, calendar: Calendar) -> tuple[npt.NDArray[Any], Ints]:
        import pandas as pd

        if by == COHORT:
            return cohorts_of_starts(self._contracts.first, calendar)
        known = [COHORT, *([self.plan] if self.plan else []), *self.keep]
        if by not in known:
            raise DataContractError(no_column(by, known, "what groups are made of"))
        who = self._contracts.who
        begins = np.r_[True, who[1:] != who[:-1]]
        values = _frames.column(self._frame, by)[self._contracts.row[begins]]
        words = pd.Series(values).astype(object)
        at, names = pd.factorize(words.where(words.notna(), "(none)").astype(str), sort=True)
        return np.asarray(names, dtype=object), at.astype(np.int64)

    # ---- tables for laws and value models --------------------------------------------------------

    def contracts(self, *, spells: bool = False) -> pd.DataFrame:
        """Return one row a customer as of the last day: what laws and value models read.

        Parameters
        ----------
        spells : bool, default=False
            One row a stretch without a gap, earlier ones too: more to fit on where customers come
            back.

        Returns
        -------
        DataFrame
            The customer's id; ``frequency`` and ``recency`` (renewals made in the latest stretch),
            ``T`` (renewal dates that have come; more than ``frequency`` where the customer left),
            ``duration`` (periods with a contract), ``ended`` (1 or 0), ``to_renewal`` (periods to
            the next renewal date, above 0, at most 1), ``price`` (money a period, the last one
            where it ended), ``start`` of the stretch, the plan and what is kept, of its latest
            contract. It knows its unit, the period.
        """
        import pandas as pd

        c, calendar = self._contracts, self._calendar
        first, last, start, end = c.spells()
        if not spells:
            latest = np.r_[c.who[first][1:] != c.who[first][:-1], True]
            first, last, start, end = first[latest], last[latest], start[latest], end[latest]
        gone = end <= self.as_of
        until = np.where(gone, end, self.as_of)
        length = calendar.length(start, until)
        whole = np.floor(length + 1e-9)
        made = np.where(gone, np.ceil(length - 1e-9) - 1.0, whole)
        came = np.where(gone, np.maximum(calendar.whole(start, self.as_of), made + 1), whole)
        count = last - first + 1
        mine = np.repeat(np.arange(len(first)), count)
        rows = np.arange(len(mine)) + np.repeat(first - (np.cumsum(count) - count), count)
        day = np.where(gone, end - 1, self.as_of)[mine]
        runs = (c.start[rows] <= day) & (c.end[rows] > day)
        price = np.bincount(mine[runs], c.money[rows[runs]], len(first))
        paid = np.full(len(first), NEVER)
        np.minimum.at(paid, mine[runs], c.start[rows[runs]])
        columns: dict[str, Any] = {
            self.customer: c.ids[c.who[first]],
            "frequency": made,
            "recency": made,
            "T": came,
            "duration": length,
            "ended": gone.astype(np.float64),
            "to_renewal": _to_renewal(calendar, paid, self.as_of),
            "price": price,
            "start": start.astype("datetime64[us]"),
        }
        for name in dict.fromkeys([*([self.plan] if self.plan else []), *self.keep]):
            columns[name] = _frames.column(self._frame, name)[c.row[last]]
        facts = _frames.TableFacts(
            "contracts", self.customer, self.period, str(self.as_of), ledger=dict(self.ledger)
        )
        table = _frames.with_facts(pd.DataFrame(columns), facts)
        assert isinstance(table, pd.DataFrame)
        return table

    def payments(self) -> pd.DataFrame:
        """Return what was paid: the money of each period on its first day.

        Returns
        -------
        DataFrame
            The customer's id, ``date``, ``amount``; by customer, then date. A contract that ends
            within a period has paid for it.
        """
        import pandas as pd

        c, calendar = self._contracts, self._calendar
        stop = np.minimum(c.end - 1, self.as_of)
        count = calendar.whole(c.start, stop) + 1
        row = np.repeat(np.arange(len(c.who)), count)
        number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        table = pd.DataFrame(
            {
                self.customer: c.ids[c.who[row]],
                "date": calendar.after(c.start[row], number).astype("datetime64[us]"),
                "amount": c.money[row],
            }
        )
        order = np.lexsort((table["date"].to_numpy(), c.who[row]))
        return table.iloc[order].reset_index(drop=True)

    @cached_property
    def log(self) -> TransactionLog:
        """The payments as a log of orders, for all that reads one."""
        return TransactionLog(
            self.payments(),
            customer=self.customer,
            time="date",
            amount="amount",
            unit="D",
            as_of=str(self.as_of),
            zero_amounts="keep",
        )


def _to_renewal(calendar: Calendar, start: Any, as_of: np.datetime64) -> Floats:
    known = start < NEVER
    start = np.where(known, start, as_of)
    return np.where(known, 1.0 - (calendar.length(start, as_of) % 1.0), 1.0)
