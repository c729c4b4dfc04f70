"""Stages of the same customers at several dates: who moved where, with how much money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._dates import read_date
from custvalue._words import HOUSE, Language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

UNSEEN = -1  # no row yet at this date
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, eq=False, repr=False)
class StageHistory:
    """Stages and cumulated money of every customer at several dates.

    Made by :meth:`LifecycleClassifier.history` (from summaries) or
    :func:`custvalue.value.stage_history` (from a log).

    Parameters
    ----------
    customer : str
        Name of the customer column.
    customers : ndarray of shape (n_customers,)
        Ids, in order of first appearance.
    dates : ndarray of shape (n_dates,), datetime64[ns]
        As-of dates, ascending.
    stages : tuple of str
        Names of the stages, by code.
    codes : ndarray of shape (n_customers, n_dates), int8
        Stage code at each date; -1 before a customer's first row.
    value : ndarray of shape (n_customers, n_dates) or None
        Money up to each date (0 before the first row); None where the tables had none.
    template : frame
        An empty table of the kind that the tables are made in.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.lifecycle import LifecycleClassifier
    >>> march = pd.DataFrame({"customer": ["Ann", "Ben"], "n_orders": [1, 3], "recency": [0, 65],
    ...     "silence": [5, 4], "gap_max": [None, 40], "total_value": [10.0, 60.0]})
    >>> april = pd.DataFrame({"customer": ["Ann", "Ben", "Cai"], "n_orders": [3, 3, 1],
    ...     "recency": [70, 65, 0], "silence": [2, 95, 8], "gap_max": [45, 40, None],
    ...     "total_value": [45.0, 60.0, 20.0]})
    >>> model = LifecycleClassifier(unit="D").fit(march)
    >>> history = model.history([march, april], customer="customer",
    ...     dates=["2024-03-31", "2024-06-30"])
    >>> history.migration()[["from", "new", "established", "problem"]].head(3)
              from  new  established  problem
    0          new    0            1        0
    1  established    0            0        1
    2   first seen    1            0        0
    """

    customer: str
    customers: npt.NDArray[Any]
    dates: npt.NDArray[np.datetime64]
    stages: tuple[str, ...]
    codes: npt.NDArray[np.int8]
    value: npt.NDArray[np.float64] | None
    template: Any

    def __repr__(self) -> str:
        first, last = (np.datetime_as_string(d, unit="D") for d in self.dates[[0, -1]])
        return (
            f"StageHistory({len(self.customers):,} customers, {len(self.dates)} dates "
            f"from {first} to {last})"
        )

    def migration(
        self,
        start: int | None = 0,
        end: int = -1,
        *,
        show: str = "customers",
        language: Language = "en",
    ) -> Any:
        """How many customers, or how much money, went from which stage to which.

        Parameters
        ----------
        start, end : int
            Places of the two dates; ``start=None`` is the time before the first order, so that
            every customer comes from "first seen".
        show : {"customers", "money", "share"}, default="customers"
            ``"customers"`` counts, ``"money"`` adds up what came in between the two dates,
            ``"share"`` divides each row of counts by its sum (NaN in a row without customers).
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame
            Column ``from``, then one column a stage; a row a stage that has customers at
            ``start``, and one for those first seen in between. Counts add up to the customers
            known at ``end``, money to the log's between the two dates.

        Raises
        ------
        ValueError
            If ``show`` is unknown, the summaries had no money, or ``start`` is not before ``end``.
        """
        if show not in ("customers", "money", "share"):
            raise ValueError(f"show={show!r} must be 'customers', 'money' or 'share'.")
        matrix = self.migration_matrix(start, end, money=show == "money")
        present = np.flatnonzero(self.migration_matrix(start, end, money=False).sum(axis=1) > 0)
        rows = matrix[present]
        cells: npt.NDArray[Any] = rows if show != "customers" else rows.astype(np.int64)
        if show == "share":
            cells = rows / rows.sum(axis=1, keepdims=True)
        said = self._said(language)
        names = [*said, HOUSE("first seen", language)]
        columns: dict[str, Any] = {
            HOUSE("from", language): [names[i] for i in present],
        }
        for j, name in enumerate(said):
            columns[name] = cells[:, j]
        return _frames.new_table(self.template, columns)

    def migration_matrix(
        self, start: int | None = 0, end: int = -1, *, money: bool = False
    ) -> npt.NDArray[np.float64]:
        """Return the numbers of :meth:`migration` as an array.

        Parameters
        ----------
        start, end : int
            Places of the two dates; ``start=None`` is before the first order.
        money : bool, default=False
            Money that came in between, instead of customers.

        Returns
        -------
        ndarray of shape (n_stages + 1, n_stages)
            The last row is "first seen".
        """
        n = len(self.stages)
        last = range(len(self.dates))[end]
        if start is None:
            origin = np.full(len(self.customers), n)
        else:
            first = range(len(self.dates))[start]
            if first >= last:
                raise ValueError(f"start={start} is not before end={end}.")
            origin = np.where(self.codes[:, first] == UNSEEN, n, self.codes[:, first])
        known = self.codes[:, last] != UNSEEN
        cell = origin[known] * n + self.codes[known, last]
        weights = None
        if money:
            weights = self.money(start, end)[known]
        counts = np.bincount(cell.astype(np.intp), weights=weights, minlength=(n + 1) * n)
        return counts.astype(np.float64).reshape(n + 1, n)

    def money(self, start: int | None = 0, end: int = -1) -> npt.NDArray[np.float64]:
        """Return what every customer brought between two dates.

        Parameters
        ----------
        start, end : int
            Places of the two dates; ``start=None`` is before the first order.

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        ValueError
            If the summaries had no money.
        """
        if self.value is None:
            raise ValueError("the summaries have no 'total_value'; history knows no money.")
        before = 0.0 if start is None else self.value[:, start]
        return self.value[:, end] - before

    def table(self, *, language: Language = "en") -> Any:
        """Every customer at every date: stage, since when, and the money up to then.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame
            Columns: the customer, ``date``, ``stage``, ``stage_since`` (the first of the dates
            from which the stage was held without a break), ``total_value`` where known; sorted by
            customer, then date. Dates before a customer's first row are left out.
        """
        known = self.codes != UNSEEN
        who, when = np.nonzero(known)
        since = self.dates[self.since()[known]]
        names = np.array(self._said(language), dtype=object)
        columns: dict[str, Any] = {
            self.customer: self.customers[who],
            HOUSE("date", language): self.dates[when],
            HOUSE("stage", language): names[self.codes[known]],
            HOUSE("stage_since", language): since,
        }
        if self.value is not None:
            columns[HOUSE("total_value", language)] = self.value[known]
        return _frames.new_table(self.template, columns)

    def since(self) -> npt.NDArray[np.intp]:
        """Place of the date from which each stage was held without a break.

        Returns
        -------
        ndarray of shape (n_customers, n_dates)
            Meaningless where ``codes`` is -1.
        """
        out = np.zeros(self.codes.shape, dtype=np.intp)
        for j in range(1, len(self.dates)):
            same = self.codes[:, j] == self.codes[:, j - 1]
            out[:, j] = np.where(same, out[:, j - 1], j)
        return out

    def sizes(self, *, language: Language = "en") -> Any:
        """Count the customers in every stage at every date.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame
            Column ``date``, then one column a stage.
        """
        columns: dict[str, Any] = {HOUSE("date", language): self.dates}
        for code, name in enumerate(self._said(language)):
            columns[name] = (self.codes == code).sum(axis=0)
        return _frames.new_table(self.template, columns)

    def _said(self, language: Language) -> list[str]:
        return [HOUSE.name(stage, language) for stage in self.stages]


def make_history(
    summaries: Sequence[Any],
    dates: Sequence[Any] | None,
    customer: str | None,
    value_column: str,
    decide: Callable[[Any], tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]],
    stages: Sequence[str],
    absent: int | None,
    min_stay_days: float,
) -> StageHistory:
    """Line the customers of several tables up and stage them at each date.

    ``decide`` gives for a table the stage codes and whether a stage must be taken at once (a CRM
    record says so), whatever the least stay. ``absent`` is the stage of a customer whose orders
    were all taken back since (refunds of whole orders), None where there is none.
    """
    import pandas as pd

    if len(summaries) == 0:
        raise ValueError("history needs at least one summary.")
    name = customer or _customer_of(summaries[0])
    at = _dates_of(summaries, dates)
    order = np.argsort(at, kind="stable")
    if len(np.unique(at)) < len(at):
        raise ValueError("history needs summaries at different dates.")
    tables = [summaries[i] for i in order]
    at = at[order]
    ids_at = [_frames.column(table, name) for table in tables]
    place, ids = pd.factorize(np.concatenate(ids_at))
    places = np.split(place, np.cumsum([len(ids_) for ids_ in ids_at])[:-1])
    _check_rows(places, np.asarray(ids), at, may_vanish=absent is not None)

    codes = np.full((len(ids), len(tables)), UNSEEN, dtype=np.int8)
    has_value = all(value_column in (_frames.column_names(t) or []) for t in tables)
    value = np.zeros((len(ids), len(tables))) if has_value else None
    since = np.full(len(ids), at[0])
    for j, (table, rows) in enumerate(zip(tables, places, strict=True)):
        if j and absent is not None:
            codes[:, j] = np.where(codes[:, j - 1] == UNSEEN, UNSEEN, absent)
        new, at_once = decide(table)
        old = codes[rows, j - 1] if j else np.full(len(rows), UNSEEN, dtype=np.int8)
        stayed = (at[j] - since[rows]) / _DAY >= min_stay_days
        moves = (old == UNSEEN) | ((new != old) & (stayed | at_once))
        codes[rows, j] = np.where(moves, new, old)
        since[rows[moves]] = at[j]
        if value is not None:
            value[rows, j] = np.nan_to_num(
                np.asarray(_frames.column(table, value_column), dtype=np.float64)
            )
    return StageHistory(
        name,
        np.asarray(ids),
        at,
        tuple(stages),
        codes,
        value,
        _frames.empty_like(tables[0]),
    )


def _customer_of(table: Any) -> str:
    facts = _frames.facts_of(table)
    if facts is None:
        raise ValueError("the tables don't say which column is the customer; pass customer=.")
    return facts.customer


def _dates_of(summaries: Sequence[Any], dates: Sequence[Any] | None) -> Any:

    if dates is None:
        scales = [_frames.time_scale_of(table) for table in summaries]
        dates = [scale.as_of for scale in scales if scale is not None and scale.as_of]
        if len(dates) < len(scales):
            raise ValueError("some tables don't say their as-of date; pass dates=.")
    if len(dates) != len(summaries):
        raise ValueError(f"{len(dates)} dates for {len(summaries)} summaries.")
    if isinstance(dates, str):
        raise ValueError(f"dates must be a list; write dates=[{dates!r}].")
    return np.array([read_date(date, "dates").to_datetime64() for date in dates], "datetime64[ns]")


def _check_rows(
    places: list[npt.NDArray[np.intp]], ids: npt.NDArray[Any], at: Any, *, may_vanish: bool
) -> None:
    problems = []
    for rows, date in zip(places, at, strict=True):
        if len(np.unique(rows)) < len(rows):
            twice = np.flatnonzero(np.bincount(rows) > 1)
            problems.append(
                ContractProblem(
                    "customer-twice",
                    f"the summary of {np.datetime_as_string(date, unit='D')} has customers twice",
                    "Pass one row a customer; custvalue.summarize makes them.",
                    len(twice),
                    first_ids(ids[twice]),
                )
            )
    for before, after, date in zip(places[:-1], places[1:], at[1:], strict=True):
        gone = np.setdiff1d(before, after)
        if len(gone) and not may_vanish:
            problems.append(
                ContractProblem(
                    "customers-vanish",
                    "customers of an earlier summary are missing in that of "
                    f"{np.datetime_as_string(date, unit='D')}",
                    "Summarize the same log at each date; customers never leave a log.",
                    len(gone),
                    first_ids(ids[gone]),
                )
            )
    if problems:
        raise DataContractError(problems)
