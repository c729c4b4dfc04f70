"""A summary or a panel in a Parquet file that goes on by new rows: the whole of it, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from custvalue._files import whole_file
from custvalue._frames import facts_of
from custvalue.data._append import update_panel, update_summary
from custvalue.data._options import names_policies
from custvalue.exceptions import ArtefactError, ContractProblem, DataContractError


@names_policies
def update_file(
    path: str | Path,
    new_rows: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    batch: str | None = None,
    **policies: Any,
) -> Any:
    """Append new rows of the log to a summary or a panel that lies in a Parquet file.

    The new table is written beside the file and takes its place when it is whole, so that a job
    that dies in the middle leaves the old one, and may run again.

    Parameters
    ----------
    path : str or Path
        A table of ``summarize`` or ``panel``, written by pandas or pyarrow.
    new_rows, customer, time, amount, as_of, batch, **policies
        As in :func:`custvalue.update_summary`.

    Returns
    -------
    DataFrame or pyarrow.Table
        What the file holds now, as whoever wrote it reads it.

    Raises
    ------
    ArtefactError
        If the file cannot be read, or another job changed it meanwhile.
    DataContractError
        As in :func:`custvalue.update_summary`; the file stays as it was.

    Warns
    -----
    AsOfWarning, DataWarning
        As in :func:`custvalue.update_summary`.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> names = {"customer": "who", "time": "when", "amount": "paid"}
    >>> may = pd.DataFrame({"who": ["ann"], "when": ["2024-05-03"], "paid": [10.0]})
    >>> june = pd.DataFrame({"who": ["bob"], "when": ["2024-06-30"], "paid": [5.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = f"{folder}/customers.parquet"
    ...     cv.summarize(may, **names, as_of="2024-05-31").to_parquet(file)
    ...     made = cv.data.update_file(file, june, **names, as_of="2024-06-30", batch="june")
    ...     pd.read_parquet(file)[["who", "silence"]]
       who  silence
    0  ann     58.0
    1  bob      0.0
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = Path(path)
    seen = file.stat()
    try:
        with file.open("rb") as handle:  # by its path a folder `a=b` would be a column
            by_pandas = b"pandas" in (pq.read_schema(handle).metadata or {})
            handle.seek(0)
            old = pd.read_parquet(handle) if by_pandas else pq.read_table(handle)
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise ArtefactError(f"{file.name} is no Parquet file that can be read: {why}.") from None
    facts = facts_of(old)
    if facts is None:
        text = f"{file.name} does not say how its log was read, as a table of summarize does"
        cure = "Write the table that summarize or panel returned, by pandas or pyarrow."
        raise DataContractError(ContractProblem("table-facts", text, cure))
    work = update_panel if facts.kind == "panel" else update_summary
    names = {"customer": customer, "time": time, "amount": amount}
    made = work(old, new_rows, **names, as_of=as_of, batch=batch, **policies)
    if made is old:
        return old
    with whole_file(file) as half:
        made.to_parquet(half) if by_pandas else pq.write_table(made, half)
        now = file.stat()
        if (now.st_mtime_ns, now.st_ino) != (seen.st_mtime_ns, seen.st_ino):
            raise ArtefactError(
                f"{file.name} was changed by another job meanwhile; run this again."
            )
    return made
