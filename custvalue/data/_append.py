"""The door for rows that came since: a table goes on from where it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custvalue._frames import TableFacts, eager, facts_of, is_spark, opened, with_facts
from custvalue.data._append_panel import continued_panel
from custvalue.data._append_summary import continued
from custvalue.data._batch import (
    Batch,
    batch_seen,
    book_together,
    check_unit,
    facts_before,
    read_batch,
)
from custvalue.data._ledger import RowLedger
from custvalue.data._options import LogOptions, Unit, log_options, names_policies, unit_name
from custvalue.data._place import Places


@names_policies
def update_summary(
    old: Any,
    new_rows: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    unit: Unit | None = None,
    batch: str | None = None,
    **policies: Any,
) -> Any:
    """Append new rows of the log to a summary: what ``summarize`` of all rows gives, to the bit.

    Only the new rows are read; of the old ones nothing is needed but the summary. What a summary
    cannot know is refused, never guessed.

    Parameters
    ----------
    old : frame
        What ``summarize`` or this function returned, of any kind; pandas and pyarrow keep what it
        says of itself in a Parquet file.
    new_rows : frame
        Rows that came since, of any kind, with the columns that the call names. None may lie on or
        before the old as-of date.
    customer, time, amount : str
        As in ``summarize``; ``customer`` is the old table's.
    as_of : date, datetime or ISO str, optional
        New end of observation, not before the old one; without it the day of the last new row.
    unit : span or timedelta, optional
        The old table's, if it is given.
    batch : str, optional
        Name of these rows, such as the day or the file. A batch that is in the table already
        changes nothing, so that a job may run twice.
    **policies
        How the log is read, as in :class:`LogOptions`, and as the old rows were read.

    Returns
    -------
    frame of the kind of ``old``
        Sorted by customer where ``old`` is; lazy where that is.

    Raises
    ------
    DataContractError
        With its code: ``before-as-of`` (rows of an earlier batch, or late ones), ``as-of-order``,
        ``late-refund`` (of an order that is not among the new rows, with ``refunds="net_order"``),
        ``occasion-open`` (the old as-of date lies within a week that is one occasion),
        ``money-not-exact`` (more than four digits behind the point), ``gaps-not-carried``
        (``n_gaps_shorter`` needs all gaps: ``summarize(carry=True)`` keeps them),
        ``keep-not-known``, ``not-exact``, ``batch-changed``, ``other-rules``, ``table-facts``; and
        as in ``summarize``.
    TimeUnitError
        If ``unit`` is not the old table's.

    Warns
    -----
    AsOfWarning, DataWarning
        As in ``summarize``; and where the old table left out rows after its as-of date that are not
        all among the new ones.

    Notes
    -----
    With ``refunds="net_order"`` an order's number must not come again in a later batch. The ledger
    is that of all rows; ``customers_lost`` is None where somebody lost may have come back.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> names = {"customer": "who", "time": "when", "amount": "paid"}
    >>> may = pd.DataFrame({"who": ["ann", "bob"], "when": ["2024-05-03", "2024-05-20"],
    ...                     "paid": [10.0, 8.0]})
    >>> june = pd.DataFrame({"who": ["ann", "cid"], "when": ["2024-06-02", "2024-06-30"],
    ...                      "paid": [20.0, 5.0]})
    >>> table = cv.summarize(may, **names, as_of="2024-05-31")
    >>> table = cv.update_summary(table, june, **names, as_of="2024-06-30", batch="june")
    >>> table[["who", "frequency", "T", "total_value"]]
       who  frequency     T  total_value
    0  ann          1  58.0         30.0
    1  bob          0  41.0          8.0
    2  cid          0   0.0          5.0
    >>> table.equals(cv.summarize(pd.concat([may, june]), **names, as_of="2024-06-30"))
    True
    >>> again = cv.update_summary(table, june, **names, as_of="2024-06-30", batch="june")
    >>> again is table
    True
    """
    options = log_options(customer, time, amount, **policies)
    facts = facts_before(old, "summary", options)
    check_unit(facts, None if unit is None else unit_name(unit), "unit")
    return _updated(old, new_rows, options, facts, as_of, batch, continued)


@names_policies
def update_panel(
    old: Any,
    new_rows: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    period: Unit | None = None,
    batch: str | None = None,
    **policies: Any,
) -> Any:
    """Append new rows of the log to a panel: what ``panel`` of all rows gives, to the bit.

    Parameters
    ----------
    old : frame
        What ``panel`` or this function returned, of any kind.
    new_rows, customer, time, amount, batch, **policies
        As in :func:`update_summary`.
    as_of : date, datetime or ISO str
        New end of observation, a whole number of periods after the old one: periods lie on one
        grid that ends there.
    period : span or timedelta, optional
        The old table's, if it is given.

    Returns
    -------
    frame of the kind of ``old``

    Raises
    ------
    DataContractError
        As in :func:`update_summary`; ``off-grid`` where ``as_of`` is no whole number of periods
        later.
    TimeUnitError
        If ``period`` is not the old table's.

    Warns
    -----
    AsOfWarning, DataWarning
        As in :func:`update_summary`.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> names = {"customer": "who", "time": "when", "amount": "paid"}
    >>> rows = pd.DataFrame({"who": ["ann", "ann", "bob"], "paid": [10.0, 20.0, 8.0],
    ...                      "when": ["2024-01-03", "2024-01-17", "2024-01-16"]})
    >>> table = cv.panel(rows[:1], **names, as_of="2024-01-07", period="1W")
    >>> table = cv.update_panel(table, rows[1:], **names, as_of="2024-01-21")
    >>> table.equals(cv.panel(rows, **names, as_of="2024-01-21", period="1W"))
    True
    """
    options = log_options(customer, time, amount, **policies)
    facts = facts_before(old, "panel", options)
    check_unit(facts, None if period is None else unit_name(period, "period"), "period")
    return _updated(old, new_rows, options, facts, as_of, batch, continued_panel)


def _updated(
    old: Any,
    new_rows: Any,
    options: LogOptions,
    facts: TableFacts,
    as_of: Any,
    batch: str | None,
    work: Callable[..., Any],
) -> Any:
    """Continue a table where it lies."""
    rows = eager(new_rows)
    if batch is not None and batch_seen(facts, batch, rows, options):
        return old
    read = read_batch(facts, rows, options, as_of, batch)
    if nw.dependencies.is_dask_dataframe(old):
        return _in_parts("Dask", old, read, work)
    frame = opened(old)
    if is_spark(frame):
        return _in_parts("Spark", old, read, work)
    if not isinstance(frame, nw.LazyFrame):
        return work(old, read)
    made = work(in_order(eager(old), read), read)
    told = facts_of(made)
    assert told is not None
    if frame.implementation.is_polars():
        return with_facts(made.lazy(), told)
    return with_facts(old.query("cv_before", "SELECT * FROM made"), told)


def _in_parts(name: str, old: Any, batch: Batch, work: Callable[..., Any]) -> Any:
    """Let every partition continue its own customers, and put the newcomers beside them."""
    from custvalue.data import _clusters

    engine = getattr(_clusters, name)()
    told = [json.loads(text) for text in engine.gather(old, partial(_found, batch=batch), None)]
    here = np.unique(np.concatenate([np.empty(0, int), *(one["here"] for one in told)])).astype(int)
    back = {place for one in told for place in one["lost"]}
    fresh = np.setdiff1d(np.arange(len(batch.ids)), here)
    few = replace(batch, lost=np.delete(batch.lost, sorted(back)))
    if batch.facts.kind == "panel":
        known = [one["last_period"] for one in told if one["last_period"] is not None]
        work = partial(work, last_period=max(known, default=None))
    new = work(engine.nothing(old), few.of(fresh))
    mine = partial(_part, batch=batch.of(here), work=work)
    facts = facts_of(new)
    assert facts is not None
    book = RowLedger.from_dict(batch.facts.ledger)
    lost, customers = len(few.lost), (book.customers or 0) + len(fresh)
    book = book_together(book, batch, fresh=len(fresh), lost=lost, customers=customers)
    return with_facts(engine.both(old, mine, new), replace(facts, ledger=book.to_dict()))


def _found(table: Any, batch: Batch) -> str:
    """Tell which customers of a batch a partition has, as JSON."""
    frame = opened(table, eager_only=True)
    ids = frame[batch.options.customer].unique()
    periods = frame["period"].to_numpy() if "period" in frame.columns else []
    places = Places(ids, batch.ids)
    lost = places.find(batch.lost)
    return json.dumps(
        {
            "here": np.flatnonzero(places.row >= 0).tolist(),
            "lost": np.flatnonzero(lost >= 0).tolist(),
            "last_period": int(max(periods)) if len(periods) else None,
        }
    )


def _part(table: Any, batch: Batch, work: Callable[..., Any]) -> Any:
    return work(in_order(table, batch), batch, old_only=True)


def in_order(table: Any, batch: Batch) -> Any:
    """Rows of a table by customer, then period."""
    by = [batch.options.customer, *(["period"] if batch.facts.kind == "panel" else [])]
    frame = opened(table, eager_only=True)
    made = frame.sort(*by).to_native()
    return made.reset_index(drop=True) if isinstance(made, pd.DataFrame) else made
