"""A summary made elsewhere, checked before anything believes it."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._dates import read_date
from custvalue._frames import TableFacts, float_columns, missing_ids, opened, with_facts
from custvalue._histories import MANY, history_problems, warn_of_selection
from custvalue._typing import Floats
from custvalue._units import days_per
from custvalue._warn import warn_caller
from custvalue.data._options import Unit, unit_name
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    first_ids,
)

_ROUNDING = 1e-9


def from_summary(
    frame: Any,
    *,
    unit: Unit,
    customer: str | None = None,
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",
    monetary_value: str | None = None,
    as_of: Any = None,
    discrete: bool = False,
) -> Any:
    """Take a summary made by lifetimes, pymc-marketing, SQL or R, and refuse what it is not.

    Parameters
    ----------
    frame : pandas, polars or pyarrow frame
        One row a customer (or a row and a ``weight``). lifetimes' customer index becomes a column.
    unit : {"H", "D", "W", "M", "Y"}, span or timedelta
        Unit of ``recency`` and ``T``: no table says it of itself.
    customer : str, optional
        Column with the customer's id; without it rows are numbered.
    frequency, recency, T : str
        Names of the columns: repeat occasions, time from the first to the last, time from the first
        to the end of observation.
    monetary_value : str, optional
        Mean spend of the repeat occasions. Where there is none, 0 (as lifetimes has it) or missing.
    as_of : date, datetime or ISO str, optional
        End of observation, kept with the table.
    discrete : bool, default=False
        Whether time really runs in whole units (opportunities to buy). Without it months or years
        in whole numbers are refused: such dates were rounded, and the laws need the time itself.

    Returns
    -------
    frame of the same kind
        The standard columns (``frequency``, ``recency``, ``T``, ``silence``, ``n_orders``,
        ``monetary_value``; with ``as_of`` also ``first_order`` and ``last_order``, unless the
        table has its own), then every other one. Facts (the unit) travel with it.

    Raises
    ------
    DataContractError
        With all problems: missing columns or values; customers that repeat; a ``recency`` that is
        the time since the last order, or larger than ``T``; a ``frequency`` that counts the first
        order; rounded months.

    Warns
    -----
    SelectionWarning
        If nobody has ``frequency`` 0: one-time buyers were left out.
    DataWarning
        If ``monetary_value`` looks like a total, or is nothing for somebody who came back.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> made_elsewhere = pd.DataFrame({"id": [7, 8], "x": [0, 2], "t_x": [0.0, 21.5],
    ...                                "T": [30.0, 33.0]})
    >>> cv.from_summary(made_elsewhere, unit="W", customer="id", frequency="x", recency="t_x")
       id  frequency  recency     T  silence  n_orders
    0   7          0      0.0  30.0     30.0         1
    1   8          2     21.5  33.0     11.5         3
    """
    name = unit_name(unit)
    if nw.dependencies.is_pandas_dataframe(frame) and customer is None:
        index = frame.index.name
        if index is not None and index not in frame.columns:
            customer, frame = str(index), frame.reset_index()
    names = {"frequency": frequency, "recency": recency, "T": T}
    if monetary_value is not None:
        names["monetary_value"] = monetary_value
    source = opened(frame, eager_only=True)
    if customer is not None and customer not in source.columns:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"the summary has no column {customer!r}",
                "Name the column with the customer's id, or leave customer= out.",
            )
        )
    spent = [monetary_value] if monetary_value is not None else []
    values = float_columns(frame, list(names.values()), allow_missing=spent, caller="the summary")
    x, t_x, end = values[:, 0], values[:, 1], values[:, 2]
    ids: Any = range(len(x)) if customer is None else source[customer].to_list()
    problems = _problems(x, t_x, end, ids, name, discrete)
    if customer is not None:
        nobody = missing_ids(source[customer].to_numpy())
        if nobody.any():
            problems.append(
                ContractProblem.at(
                    "missing-customer",
                    f"column {customer!r} has no id",
                    "Drop these rows or give them a customer; row positions are counted from 0.",
                    np.flatnonzero(nobody),
                )
            )
        again = pd.Series(ids, dtype=object).duplicated().to_numpy()
        if again.any():
            problems.append(
                _problem(
                    "duplicate-customer",
                    f"column {customer!r} has customers more than once",
                    "Give one row a customer.",
                    again,
                    ids,
                )
            )
    if problems:
        raise DataContractError(problems)
    if not (x == 0).any():
        warn_of_selection(len(x))
    columns: dict[str, Any] = {
        "frequency": np.rint(x).astype(np.int64),
        "recency": t_x,
        "T": end,
        "silence": np.maximum(end - t_x, 0.0),
        "n_orders": np.rint(x).astype(np.int64) + 1,
    }
    if monetary_value is not None:
        columns["monetary_value"] = _money(x, values[:, 3], ids)
    if as_of is not None and not {"first_order", "last_order"} & set(source.columns):
        columns |= _dates(read_date(as_of), end, t_x, days_per(name))
    return with_facts(
        _rebuilt(source, columns, customer, list(names.values())),
        TableFacts(
            kind="summary",
            customer=customer or "",
            unit=name,
            as_of="" if as_of is None else str(read_date(as_of)),
            extra={"made_by": "from_summary"},
        ),
    )


def _problems(
    x: Floats, t_x: Floats, end: Floats, ids: Any, unit: str, discrete: bool
) -> list[ContractProblem]:
    """Everything about the three times and counts that cannot be."""
    slack = _ROUNDING * np.maximum(1.0, np.abs(end))
    found = history_problems(x, t_x, end, ids=ids, slack=slack, for_a_law=False)
    whole = len(x) >= MANY and (end == np.rint(end)).all() and (t_x == np.rint(t_x)).all()
    if whole and unit in ("M", "Y") and not discrete:
        found.append(
            ContractProblem(
                "rounded-time",
                f"'recency' and 'T' are whole numbers of {unit!r}: dates were cut to months or "
                "years, so the true times lie somewhere in an interval",
                "Summarize from dates, or say discrete=True where time really runs in such steps.",
            )
        )
    return found


def _problem(
    code: str, message: str, cure: str, bad: npt.NDArray[np.bool_], ids: Any
) -> ContractProblem:
    return ContractProblem(
        code, message, cure, int(bad.sum()), first_ids(ids[i] for i in np.flatnonzero(bad)[:5])
    )


def _dates(end: pd.Timestamp, T: Floats, recency: Floats, days: float) -> dict[str, Any]:
    """First and last order, from which the unit can be told when the facts are lost."""
    micro = np.rint(days * 86_400e6 * np.stack([T, T - recency])).astype("timedelta64[us]")
    first, last = end.to_datetime64().astype("datetime64[us]") - micro
    return {"first_order": first, "last_order": last}


def _money(x: Floats, spend: Floats, ids: Any) -> Floats:
    """Mean spend of repeat occasions, missing where there is none."""
    spend = np.where(x == 0, np.nan, spend)
    negative = spend < 0
    if negative.any():
        raise DataContractError(
            _problem(
                "negative-spend",
                "'monetary_value' is negative",
                "Net refunds within their occasion; see refunds= of custvalue.summarize.",
                negative,
                ids,
            )
        )
    nothing = (x > 0) & ~(spend > 0)
    if nothing.any():
        warn_caller(
            f"{int(nothing.sum()):,} customers came back and have no 'monetary_value' (first: "
            f"{', '.join(first_ids(ids[i] for i in np.flatnonzero(nothing)[:5]))}).",
            DataWarning,
        )
    some = spend > 0
    if some.sum() >= MANY and np.ptp(x[some]) > 0:
        slope, r = _slope(np.log(x[some]), np.log(spend[some]))
        if slope > 0.6 and r > 0.3:
            warn_caller(
                f"'monetary_value' looks like a total: it grows as frequency^{slope:.2f}. It is "
                "the mean spend of a repeat occasion; divide the total by frequency.",
                DataWarning,
            )
    return spend


def _slope(x: Floats, y: Floats) -> tuple[float, float]:
    """Least-squares slope of y on x, and their correlation."""
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y / (x @ x)), float(x @ y) / size if size > 0 else 0.0


def _rebuilt(source: Any, columns: dict[str, Any], customer: str | None, used: list[str]) -> Any:
    """Id, standard columns, then whatever else the table had."""
    made = [nw.new_series(k, v, backend=source.implementation) for k, v in columns.items()]
    if not source.implementation.is_pandas():
        made = [s.fill_nan(None) if s.dtype.is_float() else s for s in made]
    skip = {*used, *columns}
    rest = [c for c in source.columns if c not in skip and c != customer]
    native = source.to_native()
    if source.implementation.is_pandas():
        out = pd.DataFrame(columns, index=native.index)
        if customer is not None:
            out.insert(0, customer, native[customer])
        return out.assign(**{c: native[c] for c in rest})
    ids = [] if customer is None else [source[customer]]
    return source.select(*(s for s in [*ids, *made, *(source[c] for c in rest)])).to_native()
