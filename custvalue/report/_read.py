"""CSV and Parquet files -> the few columns that a report needs, with errors that name the lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue.exceptions import ContractProblem, DataContractError, first_ids

if TYPE_CHECKING:
    import pandas as pd

PARQUET = (".parquet", ".pq")
NOTHING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
# what Excel writes in China when it does not write UTF-8
ENCODINGS = ("utf-8-sig", "gb18030")


def read_log(
    path: str | Path,
    *,
    customer: str,
    time: str,
    amount: str,
    more: Sequence[str] = (),
    encoding: str | None = None,
) -> pd.DataFrame:
    r"""Read the columns of a transaction log from a CSV or Parquet file.

    Parameters
    ----------
    path : str or Path
        ``.parquet`` or ``.pq``; anything else is read as text with a header line, its delimiter
        (comma, semicolon, tab or bar) taken from that line.
    customer, time, amount : str
        Names of the columns. ``amount`` may be a product of two columns, such as
        ``"Quantity*UnitPrice"``. Customer ids stay as they are written (leading zeros too), whole
        numbers become integers.
    more : sequence of str
        Further columns to read.
    encoding : str, optional
        Of a text file; default: UTF-8, else GB 18030.

    Returns
    -------
    DataFrame
        The columns asked for, one row a line.

    Raises
    ------
    DataContractError
        Listing every column that is missing, or the lines whose amount is no number.

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
    0  007  2024-01-01   9.5
    """
    path = Path(path)
    have, keep = _header(path, encoding)
    factors = [amount] if amount in have else [part.strip() for part in amount.split("*")]
    wanted = list(dict.fromkeys([customer, time, *factors, *more]))
    lost = [name for name in wanted if name not in have]
    if lost:
        raise DataContractError(
            [
                ContractProblem(
                    "missing-column",
                    f"{path.name} has no column {name!r}; it has {', '.join(map(repr, have))}",
                    "Name one of these.",
                )
                for name in lost
            ]
        )
    frame = _body(path, wanted, keep, texts=[customer, time])
    if not len(frame):
        raise DataContractError(
            ContractProblem(
                "no-rows",
                f"{path.name} names its columns and has no rows",
                "Export it again with the orders in it.",
            )
        )
    for name in factors:
        frame[name] = _numbers(frame[name], name, path)
    if factors != [amount]:
        frame[amount] = frame[factors].prod(axis=1, skipna=False)
        frame = frame.drop(columns=[f for f in factors if f not in more])
    frame[customer] = _ids(frame[customer])
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
        Of a text file; default: UTF-8, else GB 18030.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataContractError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from custvalue.report import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "events.csv"
    ...     _ = path.write_text("deal,stage,time\n007,lead,2024-01-01\n")
    ...     read_table(path, texts=["deal"])
      deal stage        time
    0  007  lead  2024-01-01
    """
    path = Path(path)
    have, keep = _header(path, encoding)
    return _body(path, have, keep, texts=[name for name in texts if name in have])


def _header(path: Path, encoding: str | None) -> tuple[list[str], dict[str, Any]]:
    import pandas as pd

    if path.suffix.lower() in PARQUET:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return [str(name) for name in pq.read_schema(path).names], {}
        except pa.ArrowInvalid as error:
            raise _unreadable(path, str(error)) from None
    for name in [encoding] if encoding else ENCODINGS:
        try:
            with path.open(encoding=name) as file:
                first = file.readline()
                for _ in file:  # a wrong encoding shows anywhere in the file, not only on top
                    pass
        except LookupError:
            raise _unreadable(path, f"encoding {name!r} is unknown") from None
        except UnicodeDecodeError:
            continue
        break
    else:
        tried = encoding or ", ".join(ENCODINGS)
        raise _unreadable(path, f"it is not text in {tried}; name its encoding with --encoding")
    if not first.strip():
        raise _unreadable(path, "its first line is empty; it must name the columns")
    keep: dict[str, Any] = {"sep": max(",;\t|", key=first.count), "encoding": name}
    return list(pd.read_csv(path, nrows=0, **keep).columns), keep


def _body(path: Path, names: list[str], keep: dict[str, Any], texts: list[str]) -> pd.DataFrame:
    import pandas as pd

    if not keep:
        return pd.read_parquet(path, columns=names)
    nothing = {name: [""] if name in texts else NOTHING for name in names}
    try:
        return pd.read_csv(
            path,
            usecols=names,
            dtype=dict.fromkeys(texts, str),
            keep_default_na=False,
            na_values=nothing,
            low_memory=False,
            **keep,
        )[names]
    except pd.errors.ParserError as error:
        raise _unreadable(path, str(error).strip().splitlines()[-1]) from None


def _numbers(values: pd.Series, name: str, path: Path) -> pd.Series:
    import pandas as pd

    if values.dtype.kind in "iuf":
        return values.astype(float)
    numbers = pd.to_numeric(values, errors="coerce")
    bad = numbers.isna() & values.notna()
    if bad.any():
        at = [f"line {i + 2}: {values.iloc[i]!r}" for i in bad.to_numpy().nonzero()[0][:5]]
        raise DataContractError(
            ContractProblem(
                "not-numeric",
                f"column {name!r} of {path.name} has values that are no numbers",
                "Write them with a point and without currency signs or thousands separators.",
                int(bad.sum()),
                first_ids(at),
            )
        )
    return numbers.astype(float)


def _ids(values: pd.Series) -> pd.Series:
    """Whole numbers as integers, where writing them back gives the same text."""
    if values.dtype.kind in "iuf" or values.isna().any() or not len(values):
        return values
    whole = values.astype(str).str.fullmatch(r"0|-?[1-9][0-9]{0,17}")
    return values.astype("int64") if whole.all() else values


def _unreadable(path: Path, why: str) -> DataContractError:
    return DataContractError(
        ContractProblem("unreadable-file", f"{path.name} cannot be read: {why}", "Check the file.")
    )
