"""Equal rows as one row and a weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from custvalue._frames import BTYD, facts_of, keep_facts, opened, time_scale_of, with_time_scale
from custvalue.exceptions import DataContractError, no_column

LOGS, _LOGS = "litt", "__litt"


def compress(summary: Any, *, by: Sequence[str] = BTYD, weight: str = "weight") -> Any:
    """Collapse equal rows of a summary to one row and a weight.

    Purchase laws depend on a customer through ``frequency``, ``recency`` and ``T`` alone. On whole
    days few combinations occur, so a base of any size becomes a small table; fitting it with
    ``sample_weight`` gives the same parameters. Works where the summary is (polars, DuckDB, Spark,
    Dask, ...), so that only the small table has to travel; estimators that take weights find them
    in it while its facts are there, others refuse it.

    Parameters
    ----------
    summary : frame
        One row a customer.
    by : sequence of str, default=("frequency", "recency", "T")
        Columns in which rows must agree.
    weight : str, default="weight"
        Name of the new column: how many rows were alike. An existing column of this name is added
        up instead of counted, so that compressed tables can be compressed again.

    Returns
    -------
    frame of the same kind
        ``by`` and ``weight``, in no promised order, and the mean ``litt`` of each row's customers
        where the summary has it: in all that a law of regular buyers says of them it stands for
        theirs. The facts travel along.

    Raises
    ------
    DataContractError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> table = pd.DataFrame({"frequency": [0, 0, 1], "recency": [0.0, 0.0, 2.0], "T": [5.0] * 3})
    >>> cv.compress(table).sort_values("frequency")
       frequency  recency    T  weight
    0          0      0.0  5.0       2
    1          1      2.0  5.0       1
    """
    names = list(by)
    dask = nw.dependencies.is_dask_dataframe(summary)
    frame = None if dask else opened(summary)
    have = list(summary.columns) if frame is None else list(frame.collect_schema().names())
    missing = [name for name in names if name not in have]
    if missing:
        raise DataContractError(
            [
                no_column(
                    name,
                    have,
                    "the summary",
                    "custvalue.summarize makes every column that is needed.",
                )
                for name in missing
            ]
        )
    logs = LOGS in have and LOGS not in names
    facts = facts_of(summary)
    extra = {} if facts is None else {"extra": {**facts.extra, "weight": weight}}
    if frame is None:
        groups = summary.groupby(names, dropna=False)
        count = groups[weight].sum() if weight in have else groups.size().rename(weight)
        made = count.reset_index()
        if logs:
            each = summary[weight] if weight in have else 1
            sums = summary.assign(**{_LOGS: summary[LOGS] * each}).groupby(names, dropna=False)
            made = made.merge(sums[_LOGS].sum().reset_index(), on=names)
            made = made.assign(**{LOGS: made[_LOGS] / made[weight]})[[*names, weight, LOGS]]
        return keep_facts(summary, made, **extra)
    sums = [nw.col(weight).sum() if weight in have else nw.len().alias(weight)]
    if logs:
        each = nw.col(LOGS) * nw.col(weight) if weight in have else nw.col(LOGS)
        frame = frame.with_columns(each.alias(_LOGS))
        sums.append(nw.col(_LOGS).sum())
    made = frame.group_by(*names).agg(*sums)
    made = made.with_columns(nw.col(weight).cast(nw.Int64)) if weight not in have else made
    mean = [(nw.col(_LOGS) / nw.col(weight)).alias(LOGS)] if logs else []
    small = made.select(*names, weight, *mean).to_native()
    if facts is None and (scale := time_scale_of(summary)) is not None:
        return with_time_scale(small, *scale)  # told by the dates, which are gone now
    return keep_facts(summary, small, **extra)
