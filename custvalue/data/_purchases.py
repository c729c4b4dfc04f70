"""One row a purchase occasion: what summaries and panels are made of."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from custvalue._frames import TableFacts, eager, with_facts
from custvalue.data._build import build, dates
from custvalue.data._intake import take_in
from custvalue.data._occasions import Columns, fold
from custvalue.data._options import (
    Duplicates,
    Invalid,
    LogOptions,
    Refunds,
    ZeroAmounts,
    refuse_reserved,
)


def occasions(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    occasion: Any = "1d",
    refunds: Refunds = "error",
    zero_amounts: ZeroAmounts = "drop",
    duplicates: Duplicates = "keep",
    invalid: Invalid = "drop",
    order: str | None = None,
    margin: float | str | None = None,
    cost: str | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
) -> Any:
    """One row a purchase occasion, read from the log as ``summarize`` reads it.

    Parameters
    ----------
    log : frame
        As in ``summarize``; lazy and distributed tables are collected.
    customer, time, amount, as_of, occasion, refunds, zero_amounts, duplicates, invalid, order, \
margin, cost, time_format, time_zone
        As in ``summarize``.

    Returns
    -------
    frame of the same kind, sorted by customer, then date
        ``<customer>``, ``date`` (start of the occasion), ``spend`` (net), and with ``margin`` or
        ``cost`` ``profit``. Its ledger travels with it.

    Raises
    ------
    DataContractError
        As in ``summarize``.

    Warns
    -----
    AsOfWarning, DataWarning
        As in ``summarize``.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> log = pd.DataFrame({"who": ["ann", "ann", "bob"], "paid": [10.0, 20.0, 8.0],
    ...                     "when": ["2024-01-03", "2024-01-03", "2024-01-16"]})
    >>> cv.data.occasions(log, customer="who", time="when", amount="paid", as_of="2024-01-31")
       who       date  spend
    0  ann 2024-01-03   30.0
    1  bob 2024-01-16    8.0
    """
    options = LogOptions(
        customer=customer,
        time=time,
        amount=amount,
        occasion=occasion,
        refunds=refunds,
        zero_amounts=zero_amounts,
        duplicates=duplicates,
        invalid=invalid,
        order=order,
        margin=margin,
        cost=cost,
        time_format=time_format,
        time_zone=time_zone,
    )
    refuse_reserved(customer, ["date", "spend", "profit"])
    log = log.compute() if nw.dependencies.is_dask_dataframe(log) else eager(log)
    rows = take_in(log, options, as_of)
    folded, book = fold(rows, options)
    whole = np.empty(0, dtype=np.int64)
    parts = folded.parts
    spend = np.concatenate([np.empty(0), *(rows.money.worth(part.spend) for part in parts)])
    columns: Columns = {
        "date": dates(np.concatenate([whole, *(part.tick for part in parts)]), options.grain),
        "spend": spend,
    }
    if rows.profit is not None:
        worth = rows.profit.worth
        columns["profit"] = np.concatenate(
            [np.empty(0), *(worth(part.profit) for part in parts if part.profit is not None)]
        )
    who = np.concatenate([whole, *(np.repeat(part.code, part.size) for part in parts)])
    table = build(log, customer, rows.ids(who), columns)
    facts = TableFacts(
        kind="occasions",
        customer=customer,
        unit="D",
        as_of=rows.end.date,
        ledger=book.to_dict(),
        extra={"occasion_seconds": options.grain},
    )
    return with_facts(table, facts)
