"""CSV and Parquet files -> the few columns that a report needs, with errors that name the lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue._frames import NOTHING
from custvalue._warn import warn_caller
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    first_ids,
    no_column,
)
from custvalue.report._text import Lines, delimited, file_text

if TYPE_CHECKING:
    import pandas as pd

PARQUET = (".parquet", ".pq")


def read_log(
    path: str | Path,
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
) -> pd.DataFrame:
    r"""Read the columns of a transaction log from a CSV or Parquet file.

    Parameters
    ----------
    path : str or Path
        ``.parquet`` or ``.pq``; anything else is read as text with a header line (also where it is
        compressed by gzip, bzip2, xz or as the one file of a zip archive), its delimiter (comma,
        semicolon, tab or bar) taken from that line.
    customer, time, amount : str
        Names of the columns. ``amount`` may be a product of two columns, such as
        ``"Quantity*UnitPrice"``. Customer ids stay as they are written (leading zeros too), whole
        numbers become integers, exact beside missing ones as well. What means nothing (empty,
        ``NULL``, ``nan``, ``NA``, ...) is missing.
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
        ``1.234,50``.

    Returns
    -------
    DataFrame
        The columns asked for, one row a line. The index of a text file, ``line``, is the number of
        the line that an editor shows, and errors of `custvalue.summarize` name it.

    Raises
    ------
    DataContractError
        Listing every column that is missing or named twice; the lines that have more fields than
        the header, or whose amount is no number.

    Warns
    -----
    DataWarning
        If the file is read as GB 18030, repeats its header line, or writes ids in two ways.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from custvalue.report import read_log
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "log.csv"
    ...     _ = path.write_text("who;when;paid\n007;2024-01-01;9.5\n")
    ...     read_log(path, customer="who", time="when", amount="paid")
          who        when  paid
    line
    2     007  2024-01-01   9.5
    """
    path = Path(path)
    if path.suffix.lower() in PARQUET:
        have, body = _parquet(path)
    else:
        text = delimited(file_text(path, encoding), path.name)
        have = text.names
        body = _text_body(text, [customer, time, *texts], decimal, thousands)
    factors = [amount] if amount in have else [part.strip() for part in amount.split("*")]
    wanted = list(dict.fromkeys([customer, time, *factors, *more, *money, *texts]))
    _check_names(wanted, have, whole, path.name)
    frame = body(list(dict.fromkeys(have)) if whole else wanted)
    if frame.index.name == "line":
        frame = _without_headers(frame, wanted, path.name)
    if not len(frame):
        raise DataContractError(
            ContractProblem(
                "no-rows",
                f"{path.name} names its columns and has no rows",
                "Export it again with the orders in it.",
            )
        )
    for name in money:
        frame[name] = _numbers(frame[name], name, path.name)
    numbers = {name: _numbers(frame[name], name, path.name) for name in factors}
    if factors == [amount]:
        frame[amount] = numbers[amount]
    else:
        frame[amount] = math.prod(numbers.values(), start=1.0)
        read_as_text = {customer, time, *more, *money, *texts}
        for name in factors:
            if name not in read_as_text and not whole:
                frame = frame.drop(columns=name)
    frame[customer] = _ids(frame[customer], customer)
    return frame


def read_table(
    path: str | Path, *, texts: Sequence[str] = (), encoding: str | None = None
) -> pd.DataFrame:
    r"""Read every column of a CSV or Parquet file.

    Parameters
    ----------
    path : str or Path
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
    path = Path(path)
    if path.suffix.lower() in PARQUET:
        have, body = _parquet(path)
    else:
        text = delimited(file_text(path, encoding), path.name)
        have = text.names
        body = _text_body(text, texts, ".", None, words=True)
    _check_names([], have, True, path.name)
    frame: pd.DataFrame = body(have)
    if frame.index.name == "line":
        frame = _without_headers(frame, have, path.name).reset_index(drop=True)
    return frame


def read_as_written(path: str | Path, *, encoding: str | None = None) -> pd.DataFrame:
    r"""Read every column of a CSV file as text, or of a Parquet file as it is stored.

    For a look at what is written there, before anything is made of it.

    Parameters
    ----------
    path : str or Path
        As in `read_log`.
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
    >>> from custvalue.report._read import read_as_written
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "log.csv"
    ...     _ = path.write_text("who,paid\n007,$9.50\n")
    ...     read_as_written(path)
          who   paid
    line
    2     007  $9.50
    """
    path = Path(path)
    if path.suffix.lower() in PARQUET:
        have, body = _parquet(path)
    else:
        text = delimited(file_text(path, encoding), path.name)
        have = text.names
        body = _text_body(text, have, ".", None, words=True)
    _check_names([], have, True, path.name)
    frame: pd.DataFrame = body(have)
    return _without_headers(frame, have, path.name) if frame.index.name == "line" else frame


def _check_names(wanted: list[str], have: list[str], whole: bool, file: str) -> None:
    problems = [no_column(name, have, file, "Name one of these.") for name in wanted
                if name not in have]  # fmt: skip
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


def _parquet(path: Path) -> tuple[list[str], Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except pa.ArrowInvalid as error:
        raise unreadable(path.name, str(error)) from None

    # what pandas used for an index is a column like others, though a range is not stored as one
    written = (schema.pandas_metadata or {}).get("index_columns", [])
    ranges = {each["name"]: each for each in written
              if isinstance(each, dict) and each.get("name") is not None}  # fmt: skip
    have = [str(name) for name in schema.names] + [str(name) for name in ranges]

    def body(names: list[str]) -> pd.DataFrame:
        import pandas as pd

        table = pq.read_table(path, columns=[name for name in names if name not in ranges])
        exact: dict[str, Any] = {
            name: range(each["start"], each["stop"], each["step"])
            for name, each in ranges.items()
            if name in names
        }
        for name in table.column_names:
            column = table[name]
            if pa.types.is_integer(column.type) and column.null_count:
                # by way of floats ids beyond 2^53 would fall together
                exact[name] = pd.array(column.to_pylist(), dtype=_nullable(column.type))
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
        return frame.assign(**exact)[names]

    return have, body


def _nullable(kind: Any) -> str:
    return str(kind).replace("int", "Int").replace("uInt", "UInt")


def _text_body(
    text: Lines,
    texts: Sequence[str],
    decimal: str,
    thousands: str | None,
    *,
    words: bool = False,
) -> Any:
    import io

    import pandas as pd

    text.check()

    def body(names: list[str]) -> pd.DataFrame:
        place = {name: text.names.index(name) for name in names}
        as_written = texts if words else ()  # "none" is an answer too
        nothing: Any = {place[n]: [""] if n in as_written else list(NOTHING) for n in names}
        try:
            frame = pd.read_csv(
                io.BytesIO(text.raw),
                sep=text.mark,
                header=None,
                names=range(len(text.names)),
                skiprows=text.header_lines,
                usecols=list(place.values()),
                index_col=False,
                dtype={place[name]: str for name in texts if name in place},
                keep_default_na=False,
                na_values=nothing,
                low_memory=False,
                encoding="utf-8",
                decimal=decimal,
                thousands=thousands,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            if isinstance(error, pd.errors.EmptyDataError):
                frame = pd.DataFrame(columns=list(place.values()))
            else:
                raise unreadable(text.file, str(error).strip().splitlines()[-1]) from None
        frame = frame[list(place.values())]
        frame.columns = pd.Index(names)
        frame.index = text.lines(len(frame))
        return frame

    return body


def _without_headers(frame: pd.DataFrame, names: list[str], file: str) -> pd.DataFrame:
    """Leave out lines that name the columns once more, as files put one after another have."""
    again = None
    for name in names:
        values = frame[name]
        if values.dtype.kind in "iufb":  # numbers alone
            return frame
        same = (values == name).to_numpy(dtype=bool, na_value=False)
        again = same if again is None else again & same
    if again is None or not again.any():
        return frame
    shown = ", ".join(first_ids(frame.index[again]))
    warn_caller(
        f"{file} repeats its header in {int(again.sum()):,} lines (first: {shown}), as files put "
        "one after another do; they are left out.",
        DataWarning,
    )
    return frame[~again].copy()


def _numbers(values: pd.Series, name: str, file: str) -> pd.Series:
    import pandas as pd

    if values.dtype.kind in "iuf":
        return values.astype(float)
    bare = values.dtype.kind not in "bmMc"
    numbers = pd.to_numeric(values, errors="coerce") if bare else values * float("nan")
    if bare:
        truth = values.map(lambda value: isinstance(value, bool)).to_numpy(dtype=bool)
        numbers = numbers.astype(float).mask(truth)
    bad = (numbers.isna() & values.notna()).to_numpy()
    if bad.any():
        where = bad.nonzero()[0][:5]
        word = "line" if values.index.name == "line" else "row"
        at = [f"{word} {values.index[i]}: {_shown(values.iloc[i])}" for i in where]
        raise DataContractError(
            ContractProblem(
                "not-numeric",
                f"column {name!r} of {file} has values that are no numbers",
                "Write them with a point and without currency signs or thousands separators, or "
                "say which marks they have (decimal=, thousands=; on the command line --decimal, "
                "--thousands).",
                int(bad.sum()),
                first_ids(at),
            )
        )
    return numbers.astype(float)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _ids(values: pd.Series, name: str) -> pd.Series:
    """Whole numbers as integers, where writing them back gives the same text."""
    import pandas as pd

    known = values.dropna()
    if values.dtype.kind in "iuf" or not len(known) or isinstance(values.dtype, pd.Int64Dtype):
        return values
    different = pd.Series(pd.unique(known.astype(str)))
    if different.str.fullmatch(r"0|-?[1-9][0-9]{0,17}").all():
        return values.astype("int64" if len(known) == len(values) else "Int64")
    plain = different.str.strip().str.removesuffix(".0")
    double = plain.duplicated(keep=False)
    if double.any():
        first = plain[double].iloc[0]
        pair = different[plain == first].tolist()[:2]
        warn_caller(
            f"column {name!r} writes {int(plain[double].nunique()):,} ids in more than one way, "
            f"e.g. {pair[0]!r} and {pair[1]!r}, which count as different customers; write each "
            "in one way.",
            DataWarning,
        )
    return values


def unreadable(file: str, why: str) -> DataContractError:
    """Say that a file cannot be read, and why."""
    return DataContractError(
        ContractProblem("unreadable-file", f"{file} cannot be read: {why}", "Check the file.")
    )
