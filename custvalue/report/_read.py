"""Any file a shop has -> the few columns that are needed, with errors that name the lines."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from custvalue._dates import read_texts
from custvalue._frames import NOTHING
from custvalue._warn import warn_caller
from custvalue.data._for_rooms import money_text
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, no_column
from custvalue.report._cells import (
    Unread,
    check_marks,
    clock_times,
    ids_of_file,
    money_of,
    times_of_file,
)
from custvalue.report._currencies import Rates, currency_columns, exchanged, rates_of
from custvalue.report._sources import (
    FileWords,
    Opened,
    Source,
    check_same_columns,
    joined,
    opened_tables,
)

if TYPE_CHECKING:
    import pandas as pd

NO_WORDS = FileWords()
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}( |T|$)")


def read_log(
    path: Source,
    *,
    customer: str,
    time: str,
    amount: str,
    more: Sequence[str] = (),
    money: Sequence[str] = (),
    texts: Sequence[str] = (),
    whole: bool = False,
    encoding: str | None = None,
    decimal: str = ".",
    thousands: str | None = None,
    names: Sequence[str] | None = None,
    sheet: str | None = None,
    query: str | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
    currency_column: str | None = None,
    rates: Rates | None = None,
    order: str | None = None,
    occasion: str | None = None,
    invalid: Unread = "error",
) -> pd.DataFrame:
    r"""Read the columns of a transaction log from any file a shop has, or from a database.

    Parameters
    ----------
    path : str, Path or sequence of them
        Files, patterns (``"orders-*.csv"``) and folders, whose tables are one log and have the same
        columns. Each is told by how it begins: text with a header line (its delimiter, comma,
        semicolon, tab or bar, taken from that line), JSON lines or a JSON list, Parquet, a
        spreadsheet's workbook (xlsx, xls, xlsb, ods), an SQLite or DuckDB file; compressed by gzip,
        bzip2, xz or zstd, or in a zip archive. Or the address of a database, as SQLAlchemy writes
        it: ``"postgresql+psycopg://user:password@host/shop"``.
    customer, time, amount : str
        Names of the columns. ``amount`` may be a product of two columns, such as
        ``"Quantity*UnitPrice"``. Customer ids stay as they are written (leading zeros too), whole
        numbers become integers, exact beside missing ones as well. What means nothing (empty,
        ``NULL``, ``nan``, ``NA``, ...) is missing. Amounts may have the sign or code of their
        currency: ``$5``, ``12 EUR``, ``(3.00)``.
    more : sequence of str
        Further columns to read.
    money : sequence of str
        Further columns of numbers: a cost, a profit, a margin of each row.
    texts : sequence of str
        Further columns that stay as they are written, such as a region 007.
    whole : bool, default=False
        Whether to read every column: what repeats "in every column" can be told from all alone.
    encoding : str, optional
        Of a text file; default: UTF-8 (UTF-16 where its mark is there), else GB 18030 if the bytes
        are likely Chinese, which a warning says.
    decimal, thousands : str, default="." and None
        Marks in numbers. ``decimal=","`` reads ``12,50``; with ``thousands="."`` also
        ``1.234,50``. Groups must be groups: ``12,50`` is no number where ``,`` parts thousands.
    names : sequence of str, optional
        Names of all columns of a text or sheet that has no header.
    sheet : str, optional
        Of a workbook; default: the first, which a warning says where there are others.
    query : str, optional
        What to ask a database for; default: its only table.
    time_format : str, optional
        Of times that are not ISO, such as ``"%d/%m/%Y"``; of numbers ``"unix"`` (seconds since
        1970; ``"unix-ms"``, ``"unix-us"``, ``"unix-ns"``) or ``"excel"`` (days since 1899-12-30;
        ``"excel-1904"``). ``20240131`` needs none.
    time_zone : str, optional
        Zone of the days, where times have offsets (of summer and winter, too) or count from 1970.
    currency_column : str, optional
        Column with the currency of each row. A column that is called so is found, too.
    rates : mapping, frame or path, optional
        What one unit of each currency is worth, in the currency that all amounts are wanted in:
        ``{"EUR": 1.0, "USD": 0.92}``, or a table with ``currency``, ``rate`` and perhaps ``date``,
        from which day on it holds. A log of several currencies is refused without it.
    order : str, optional
        Column with the id of the order.
    occasion : {"order"}, optional
        Lines of one order become one row: its first time, the sum of its money. A line without an
        id is an order of its own.
    invalid : {"error", "drop"}, default="error"
        Cells that are no number or no time: refused, or missing, which a warning counts; a log
        then leaves such rows out and says so in its ledger.

    Returns
    -------
    DataFrame
        The columns asked for, one row a line. The index of a file, ``line``, is the number of the
        line that an editor shows (of several files ``file:line``), and errors of
        `custvalue.summarize` name it.

    Raises
    ------
    DataContractError
        Listing every column that is missing or named twice; the lines that have more fields than
        the header, or whose amount is no number; files that are the same, or have other columns; a
        database that does not answer; currencies without a rate.
    ValueError
        If an option is none.

    Warns
    -----
    DataWarning
        If the file is read as GB 18030, repeats its header line, writes ids in two ways, or has
        other sheets; how many cells are taken for missing, and how many lines orders have.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from custvalue.report import read_log
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "log.csv"
    ...     _ = path.write_text("who;when;paid\n007;2024-01-01;1.250,50 €\n")
    ...     read_log(path, customer="who", time="when", amount="paid", decimal=",", thousands=".")
          who        when    paid
    line
    2     007  2024-01-01  1250.5
    """
    check_marks(decimal, thousands)
    _check_words(invalid, occasion, order)
    tables = opened_tables(path, FileWords(encoding, names, sheet, query))
    have = check_same_columns(tables)
    file = _file(tables)
    factors = [amount] if amount in have else [part.strip() for part in amount.split("*")]
    more = [*more, *([order] if order is not None else [])]
    told = [currency_column] if currency_column is not None else []
    wanted = list(dict.fromkeys([customer, time, *factors, *more, *money, *texts, *told]))
    _check_names(wanted, have, whole, file, headless=names is None)
    coded = told or [name for name in currency_columns(have) if have.count(name) == 1]
    reads = list(dict.fromkeys([*(have if whole else wanted), *coded]))
    as_text = {customer, time, *texts, *more[len(more) - (order is not None) :], *coded}
    if decimal != "." or thousands is not None:
        as_text |= {*factors, *money}
    frame = joined(tables, reads, as_text)
    if not len(frame):
        raise DataContractError(
            ContractProblem(
                "no-rows",
                f"{file} names its columns and has no rows",
                "Export it again with the orders in it.",
            )
        )
    frame[time] = times_of_file(
        frame[time], time, file, style=time_format, zone=time_zone, unread=invalid
    )
    read = {
        name: money_of(
            frame[name], name, file, decimal=decimal, thousands=thousands, unread=invalid
        )
        for name in dict.fromkeys([*factors, *money])
    }
    worth = exchanged(frame, time, read, factors, coded, rates_of(rates), file)
    for name in money:
        frame[name] = worth[name]
    if factors == [amount]:
        frame[amount] = worth[amount]
    else:
        frame[amount] = math.prod((worth[name] for name in factors), start=1.0)
        read_as_text = {customer, time, *more, *money, *texts}
        for name in factors:
            if name not in read_as_text and not whole:
                frame = frame.drop(columns=name)
    if not whole:
        asked = {customer, time, amount, *factors, *more, *money, *texts, *told}
        frame = frame[[name for name in frame.columns if name in asked]]
    frame[customer] = ids_of_file(frame[customer], customer)
    if occasion == "order":
        assert order is not None
        return _orders(frame, customer, time, order, [amount, *money], file)
    return frame


def _check_words(invalid: Any, occasion: Any, order: Any) -> None:
    if invalid not in ("error", "drop"):
        raise ValueError(f"invalid={invalid!r} must be 'error' or 'drop'.")
    if occasion not in (None, "order"):
        raise ValueError(
            f"occasion={occasion!r} must be 'order'; spans such as '1d' are an option of the log."
        )
    if occasion == "order" and order is None:
        raise ValueError("occasion='order' needs order=, the column with the order's id.")


def _file(tables: list[Opened]) -> str:
    return tables[0].file if len(tables) == 1 else f"{tables[0].file} and {len(tables) - 1} more"


def _orders(
    frame: pd.DataFrame, customer: str, time: str, order: str, money: list[str], file: str
) -> pd.DataFrame:
    """One row an order of a customer: its first time, the sum of its money."""
    import numpy as np
    import pandas as pd

    whose = pd.factorize(frame[customer].astype(object), use_na_sentinel=True)[0]
    which = pd.factorize(frame[order].astype(object), use_na_sentinel=True)[0]
    alone = (whose < 0) | (which < 0)
    key = whose.astype(np.int64) * (int(which.max(initial=0)) + 1) + which
    key[alone] = -1 - np.arange(int(alone.sum()))
    at, codes = np.unique(key, return_index=True, return_inverse=True)[1:]
    if len(at) == len(frame):
        return frame
    when = clock_times(frame[time], time)
    # the line of an order that comes first in time stands for it
    place = np.lexsort((np.arange(len(frame)), when, codes))
    first = place[np.r_[True, np.diff(codes[place]) > 0]]
    made = frame.iloc[np.sort(first)].copy()
    rank = codes[np.sort(first)]
    for name in dict.fromkeys(money):
        made[name] = np.bincount(codes, frame[name].to_numpy(dtype=float), len(at))[rank]
    warn_caller(
        f"{len(frame):,} lines of {file} are {len(made):,} orders by column {order!r}.",
        DataWarning,
    )
    return made


def read_table(
    path: Source, *, texts: Sequence[str] = (), encoding: str | None = None
) -> pd.DataFrame:
    r"""Read every column of a file of any kind that `read_log` takes.

    Parameters
    ----------
    path : str, Path or sequence of them
        As in `read_log`.
    texts : sequence of str, default=()
        Columns that stay as they are written: ids, words, dates.
    encoding : str, optional
        Of a text file, as in `read_log`.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataContractError
        If the file cannot be read, names columns twice or has lines with more fields than names.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "events.csv"
    ...     _ = path.write_text("deal,stage,time\n007,lead,2024-01-01\n")
    ...     read_table(path, texts=["deal"])
      deal stage        time
    0  007  lead  2024-01-01
    """
    tables = opened_tables(path, FileWords(encoding), words=True)
    have = check_same_columns(tables)
    _check_names([], have, True, _file(tables))
    frame = joined(tables, have, texts)
    return frame.reset_index(drop=True) if frame.index.name == "line" else frame


def begins_with_rows(frame: pd.DataFrame) -> bool:
    """Whether the first line is no header but a row: a name is a date, and another a number.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.report._read import begins_with_rows
    >>> begins_with_rows(pd.DataFrame(columns=["17", "2024-01-31", "9.50"]))
    True
    >>> begins_with_rows(pd.DataFrame(columns=["customer", "2024-01-31", "2024-02-29"]))
    False
    """
    import pandas as pd

    dates, numbers = False, False
    for name in map(str, frame.columns):
        if _DATE.match(name) or read_texts(pd.Series([name]), name, None, "UTC")[1] is None:
            dates = True
        elif money_text(name) is not None:
            numbers = True
    return dates and numbers


def read_as_written(path: Source, how: FileWords = NO_WORDS) -> pd.DataFrame:
    r"""Read every column of a text as text, or of another file as it is stored.

    For a look at what is written there, before anything is made of it.

    Parameters
    ----------
    path : str, Path or sequence of them
        As in `read_log`.
    how : FileWords

    Returns
    -------
    DataFrame

    Raises
    ------
    DataContractError
        If the file cannot be read, names columns twice or has lines with more fields than names.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from custvalue.report._read import read_as_written
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "log.csv"
    ...     _ = path.write_text("who,paid\n007,$9.50\n")
    ...     read_as_written(path)
          who   paid
    line
    2     007  $9.50
    """
    tables = opened_tables(path, how, words=True)
    have = check_same_columns(tables)
    _check_names([], have, True, _file(tables))
    return joined(tables, have, have)


def _check_names(
    wanted: list[str], have: list[str], whole: bool, file: str, *, headless: bool = False
) -> None:
    cure = "Name one of these."
    if headless and any(_is_cell(name) for name in have):
        cure += " If its first line is an order, the file has no header: say names= (--names)."
    problems = [no_column(name, have, file, cure) for name in wanted if name not in have]
    named = set(have) if whole else set(wanted)
    twice = [name for name in dict.fromkeys(have) if have.count(name) > 1 and name in named]
    if twice:
        problems.append(
            ContractProblem(
                "duplicate-column",
                f"{file} has several columns called {', '.join(map(repr, twice))}",
                "Rename or drop all but one.",
            )
        )
    if problems:
        raise DataContractError(problems)


def _is_cell(name: str) -> bool:
    """Whether a column's name is a number or a date, as no header has."""
    return name[:1].isdigit() and name not in NOTHING and not any(c.isalpha() for c in name)
