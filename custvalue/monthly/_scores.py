"""A table of scores: each customer's inputs, value, chance and range, and what to know of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._files import whole_file
from custvalue._frames import (
    TableFacts,
    column,
    column_names,
    eager,
    facts_of,
    keep_facts,
    rows_where,
    with_facts,
)
from custvalue._units import same_unit
from custvalue.data import TransactionLog, check_rows
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    NotSupportedError,
    TimeUnitError,
    first_ids,
    no_column,
)
from custvalue.monthly._artefact import READS, Artefact
from custvalue.monthly._inputs import INPUTS

if TYPE_CHECKING:
    import pandas as pd

KIND = "scores"
LEVEL = 0.8
# inputs that are kept beside the value: what tells, a month later, why it moved
KEPT = ("n_orders", "frequency", "recency", "T", "silence", "mean_value", "total_value")
SCORES = (*KEPT, "value", "chance", "low", "high", "status")
STATUS = ("ok", "one_order", "new_customer", "out_of_training_range", "bad_input")
_FAR = 1.5  # times the longest history that was seen


def score(artefact: Artefact, table: Any) -> pd.DataFrame:
    """Value every customer of a log or of its summary by a fitted artefact.

    Parameters
    ----------
    artefact : Artefact
    table : TransactionLog or frame
        A log; or a summary (`custvalue.summarize`, `custvalue.update_summary`), where the model
        reads one (``artefact.reads_summary``).

    Returns
    -------
    DataFrame
        One row a customer, in the order of the table: the id, ``n_orders``, ``frequency``,
        ``recency``, ``T``, ``silence``, ``mean_value``, ``total_value``; ``value`` over the
        artefact's horizon; ``chance`` of an order, ``low`` and ``high`` (8 of 10 end between them),
        NaN where the model does not say them; and ``status``: ``"ok"``, ``"one_order"`` (nothing
        is known of the customer's rhythm), ``"new_customer"`` (none when the model was fitted),
        ``"out_of_training_range"`` (more orders, a higher mean or half as long again a history as
        anybody the fit saw), or ``"bad_input"`` (a history that cannot be; value NaN). What the
        scores are of travels with them, through Parquet, too.

    Raises
    ------
    DataContractError
        If columns are missing, customers stand twice, or the table ends before the artefact's
        as-of date.
    TimeUnitError
        If the table is in another unit of time.
    NotSupportedError
        If the model needs the log.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> made = cv.monthly.fit(log, cv.CustomerValue(purchases=cv.MBGNBD()), horizon="26W")
    >>> scores = cv.monthly.score(made, log.summary("D"))
    >>> int((scores["status"] == "one_order").sum())
    1210
    """
    import pandas as pd

    model = artefact.model
    summary = eager(table.summary("D")) if isinstance(table, TransactionLog) else eager(table)
    as_of = _check(artefact, summary)
    n = len(column(summary, artefact.customer))
    status = np.full(n, "ok", dtype=object)
    values = {name: np.asarray(column(summary, name), dtype=np.float64) for name in KEPT}
    status[values["frequency"] == 0] = "one_order"
    far = values["T"] > _FAR * artefact.ranges["T"][1]
    for name in ("frequency", "mean_value"):
        far |= values[name] > artefact.ranges[name][1]
    status[far] = "out_of_training_range"
    if "first_order" in (column_names(summary) or ()):
        first = np.asarray(column(summary, "first_order"), dtype="datetime64[D]")
        status[first > np.datetime64(artefact.as_of, "D")] = "new_customer"
    takes_log = model.reads_table == "log" and isinstance(table, TransactionLog)
    if not takes_log and not artefact.reads_summary:
        raise NotSupportedError(
            f"{type(model).__name__} needs the log, not its summary, to score customers: pass "
            "TransactionLog(...), or fit with estimator 'law'."
        )
    good = np.ones(n, dtype=bool)
    found = {name: np.full(n, np.nan) for name in ("value", "chance", "low", "high")}
    opened = model.open(table if takes_log else summary)  # read once for all that is asked
    try:
        found["value"][good] = model.predict(opened)
    except DataContractError:
        good = np.asarray(column(check_rows(model.predict, summary), "valid"), dtype=bool)
        status[~good] = "bad_input"
        opened = model.open(keep_facts(summary, rows_where(summary, good)))
        found["value"][good] = model.predict(opened)
    with suppress(NotSupportedError):
        found["chance"][good] = model.predict_chance(opened)
    with suppress(NotSupportedError):
        ends = model.predict_interval(opened, level=LEVEL)
        found["low"][good], found["high"][good] = ends[:, 0], ends[:, 1]
    made = pd.DataFrame(
        {
            artefact.customer: pd.Series(column(summary, artefact.customer)),
            **{name: values[name] for name in KEPT},
            **found,
            "status": status,
        }
    )
    for name in ("n_orders", "frequency"):
        if np.isfinite(values[name]).all():
            made[name] = values[name].astype(np.int64)
    terms = model.get_params(deep=False)
    facts = TableFacts(
        kind=KIND,
        customer=artefact.customer,
        unit=artefact.model.unit_ or "D",
        as_of=as_of,
        extra={
            "artefact": artefact.name,
            "horizon": str(terms["horizon"]),
            "annual_discount_rate": float(terms["annual_discount_rate"]),
            "fitted": artefact.as_of,
        },
    )
    return with_facts(made, facts)


def write_scores(scores: pd.DataFrame, path: str | Path) -> Path:
    """Write scores to a Parquet file, with what they are of; it is whole or not there.

    Parameters
    ----------
    scores : DataFrame
        What `score` returned.
    path : str or Path
        Must end in ``.parquet``.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If it ends otherwise.

    Examples
    --------
    >>> import tempfile
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> made = cv.monthly.fit(log, cv.CustomerValue(purchases=cv.MBGNBD()), horizon="26W")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cv.monthly.write_scores(cv.monthly.score(made, log), f"{folder}/june.parquet")
    ...     len(cv.monthly.read_scores(path))
    2349
    """
    return write_table(scores, path)


def write_table(table: Any, path: str | Path) -> Path:
    """Write a pandas table to a Parquet file, which is whole or not there, with its facts."""
    path = Path(path)
    if path.suffix.lower() != ".parquet":
        raise ValueError(f"{path.name} must end in .parquet, which keeps ids and dates exact.")
    with whole_file(path) as half:
        table.to_parquet(half, index=False)
    return path


def says_of_itself(table: Any) -> bool:
    """Whether a table says that it is a summary."""
    facts = facts_of(table)
    return facts is not None and facts.kind == "summary"


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read scores that `write_scores` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DataFrame

    Raises
    ------
    DataContractError
        If the file is damaged or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame({"who": [1]}).to_parquet(f"{folder}/other.parquet")
    ...     cv.monthly.read_scores(f"{folder}/other.parquet")
    Traceback (most recent call last):
    ...
    custvalue.exceptions.DataContractError: no-scores: other.parquet holds no scores but a table...
    """
    frame = read_parquet(path)
    facts = facts_of(frame)
    if facts is None or facts.kind != KIND:
        raise DataContractError(
            ContractProblem(
                "no-scores",
                f"{Path(path).name} holds no scores but a {facts.kind if facts else 'table'}",
                "Give what custvalue score wrote.",
            )
        )
    return frame


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Read a Parquet file, with the facts of its table.

    Raises
    ------
    DataContractError
        If it is cut, damaged or no Parquet.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    try:
        frame: pd.DataFrame = pd.read_parquet(path)
        # what frames of older pandas or other tables say stands in the file's own metadata
        facts = facts_of(frame) or facts_of(pq.read_table(path, columns=[]))
    except (pa.ArrowInvalid, pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise DataContractError(
            ContractProblem(
                "unreadable-file",
                f"{path.name} cannot be read: {str(error).splitlines()[0]}",
                "It is no Parquet file, or was cut; take the copy that you wrote last.",
            )
        ) from None
    return frame if facts is None else with_facts(frame, facts)


def _check(artefact: Artefact, summary: Any) -> str:
    """Check a summary against the artefact; return its as-of date."""
    have = column_names(summary) or []
    needed = (artefact.customer, *(name for name, *_ in READS), "silence")
    problems = [
        no_column(name, have, "the summary", "Give what summarize returns.")
        for name in dict.fromkeys((*needed, *INPUTS))
        if name not in have
    ]
    if problems:
        raise DataContractError(problems)
    facts = facts_of(summary)
    unit = artefact.model.unit_ or "D"
    if facts is None:
        raise DataContractError(
            ContractProblem(
                "table-facts",
                "the summary does not say its unit and its as-of date",
                "Give what summarize or update_summary returned, or what it wrote to Parquet.",
            )
        )
    if facts.kind not in ("summary", KIND):
        raise DataContractError(
            ContractProblem("no-summary", f"the table is a {facts.kind}, not a summary",
                            "Give what summarize returns.")
        )  # fmt: skip
    if not same_unit(facts.unit, unit):
        raise TimeUnitError(
            f"the summary is in {facts.unit}, and the artefact was fitted in {unit}; make the "
            f"summary with unit={unit!r}."
        )
    if np.datetime64(facts.as_of[:10], "D") < np.datetime64(artefact.as_of, "D"):
        raise DataContractError(
            ContractProblem(
                "as-of-order",
                f"the table ends on {facts.as_of[:10]}, before the artefact's own as-of date, "
                f"{artefact.as_of}: the model knows what came after",
                "Score a later table, or fit on the earlier one.",
            )
        )
    ids = column(summary, artefact.customer)
    _, at, count = np.unique(ids.astype(str), return_index=True, return_counts=True)
    if (count > 1).any():
        raise DataContractError(
            ContractProblem(
                "duplicate-customer",
                "customers stand in more than one row",
                "A summary has one row a customer; were two of them put together?",
                int((count > 1).sum()),
                first_ids(ids[at[count > 1]]),
            )
        )
    return facts.as_of[:10]
