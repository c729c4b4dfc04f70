"""Cohorts by month of the first order: how many stay, order, spend; unfinished months marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._html import html_table
from custvalue.data._ledger import RowLedger, ledger
from custvalue.exceptions import ContractProblem, DataContractError

Value: TypeAlias = Literal["customers", "share", "orders", "money", "orders_each", "money_each"]


@dataclass(frozen=True)
class CohortTable:
    """A cohort triangle whose unfinished months are no numbers but marked.

    Parameters
    ----------
    table : DataFrame
        Rows: month of the first order (``YYYY-MM``); columns: months since (0, 1, ...). NaN where
        the month is not over by the as-of date.
    unfinished : DataFrame
        The same shape: what the running month has brought so far, NaN elsewhere. Not comparable
        with finished months.
    size : Series
        Customers of each cohort.
    as_of : str
    value : str
        What is counted: ``"customers"``, ``"share"``, ``"orders"``, ``"money"``,
        ``"orders_each"`` or ``"money_each"``.
    ledger : RowLedger, optional
        Where every row and every cent of the log went.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.datasets.load_cdnow("sample")
    >>> found = cv.value.cohort_table(log, customer="customer_id", time="date", amount="amount",
    ...                               as_of="1997-06-15")
    >>> found.table.iloc[:, :3].round(2)
    month      0     1     2
    cohort
    1997-01  1.0  0.16  0.12
    1997-02  1.0  0.16  0.13
    1997-03  1.0  0.12  0.12
    """

    table: pd.DataFrame
    unfinished: pd.DataFrame
    size: pd.Series
    as_of: str
    value: str
    ledger: RowLedger | None = None

    def _repr_html_(self) -> str:
        text = self.marked()
        rows = [
            [str(name), int(n), *line]
            for name, n, line in zip(text.index, self.size, text.to_numpy(), strict=True)
        ]
        head = ["cohort", "customers", *map(str, text.columns)]
        return html_table(f"{self.value} by month, as of {self.as_of}", head, rows)

    def long(self) -> pd.DataFrame:
        """Return the triangle with one row a cell: what `custvalue.plotting.CohortDisplay` draws.

        Returns
        -------
        DataFrame
            ``cohort``, ``month``, ``customers`` (of the cohort), ``value`` and ``finished``: False
            for the month that still runs. Months to come have no row.
        """
        cells = self.table.fillna(self.unfinished)
        at = np.argwhere(cells.notna().to_numpy())
        return pd.DataFrame(
            {
                "cohort": cells.index.to_numpy()[at[:, 0]],
                "month": at[:, 1],
                "customers": self.size.to_numpy()[at[:, 0]],
                "value": cells.to_numpy()[at[:, 0], at[:, 1]],
                "finished": self.table.notna().to_numpy()[at[:, 0], at[:, 1]],
            }
        )

    def marked(self, digits: int = 2) -> pd.DataFrame:
        """Return the table as text: unfinished cells end in ``*``, months to come are empty.

        Parameters
        ----------
        digits : int, default=2

        Returns
        -------
        DataFrame of str
        """
        done = self.table.map(lambda v: "" if np.isnan(v) else f"{v:,.{digits}f}")
        running = self.unfinished.map(lambda v: "" if np.isnan(v) else f"{v:,.{digits}f}*")
        return done + running


def check_counted(value: str) -> None:
    """Raise where a cohort table is asked for what it does not count."""
    if value not in get_args(Value):
        raise ValueError(f"value={value!r} must be one of {', '.join(map(repr, get_args(Value)))}.")


def cohorts_of(bought: Any, customer: str, value: Value) -> CohortTable:
    """Count purchase occasions by month of first order and month since."""
    facts = _frames.facts_of(bought)
    assert facts is not None  # occasions always states them
    last = np.datetime64(facts.as_of, "D")
    orders = pd.DataFrame(
        {
            "who": _frames.column(bought, customer),
            "day": _frames.column(bought, "date"),
            "money": _frames.float_columns(bought, ["spend"])[:, 0],
        }
    )
    if orders.empty:
        raise DataContractError(
            ContractProblem("no-orders", f"no order by {last}", "Check as_of= and the amounts.")
        )
    month = orders["day"].to_numpy().astype("datetime64[M]").astype(np.int64)
    first = orders.assign(m=month).groupby("who")["m"].transform("min").to_numpy()
    start, age = int(first.min()), month - first
    running = int(last.astype("datetime64[M]").astype(np.int64))
    month_over = (last + 1).astype("datetime64[M]").astype(np.int64) > running
    n_cohorts, n_ages = int(first.max()) - start + 1, running - start + 1
    cell = (first - start) * n_ages + age
    pairs = pd.DataFrame({"cell": cell, "who": orders["who"].to_numpy()}).drop_duplicates()
    size = np.bincount((first - start)[age == 0][_first_of(orders["who"], age)],
                       minlength=n_cohorts)  # fmt: skip
    weights = {
        "orders": np.bincount(cell, minlength=n_cohorts * n_ages),
        "money": np.bincount(cell, weights=orders["money"], minlength=n_cohorts * n_ages),
    }.get(value.removesuffix("_each"), np.bincount(pairs["cell"], minlength=n_cohorts * n_ages))
    table = weights.reshape(n_cohorts, n_ages).astype(float)
    if value in ("share", "orders_each", "money_each"):
        table /= np.maximum(size, 1)[:, None]
    reach = start + np.arange(n_cohorts)[:, None] + np.arange(n_ages)
    finished = reach < running + int(month_over)
    now = (reach == running) & ~finished
    some = size > 0
    index = pd.Index(
        [str(np.datetime64(int(m), "M")) for m in start + np.flatnonzero(some)], name="cohort"
    )
    columns = pd.RangeIndex(n_ages, name="month")
    return CohortTable(
        pd.DataFrame(np.where(finished, table, np.nan)[some], index, columns),
        pd.DataFrame(np.where(now, table, np.nan)[some], index, columns),
        pd.Series(size[some], index, name="customers"),
        str(last),
        value,
        ledger(bought),
    )


def _first_of(who: pd.Series, age: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Mark one row a customer among the rows of age 0."""
    return ~who[age == 0].duplicated().to_numpy()
