"""Parquet, workbooks and JSON -> frames whose ids are exact."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from custvalue._frames import NOTHING
from custvalue._warn import warn_caller
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning
from custvalue.report._text import unreadable

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 20  # first rows of a sheet: titles stand above its header


def parquet_table(source: Any, file: str) -> tuple[list[str], Any]:
    """Columns of a Parquet file (a path, or bytes to read), and how to read some of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(source)
    except pa.ArrowInvalid as error:
        raise unreadable(file, str(error)) from None

    # what pandas used for an index is a column like others, though a range is not stored as one
    written = (schema.pandas_metadata or {}).get("index_columns", [])
    ranges = {each["name"]: each for each in written
              if isinstance(each, dict) and each.get("name") is not None}  # fmt: skip
    have = [str(name) for name in schema.names] + [str(name) for name in ranges]

    def body(names: list[str], texts: Collection[str]) -> pd.DataFrame:
        if isinstance(source, io.BytesIO):
            source.seek(0)
        try:
            table = pq.ParquetFile(source).read(
                columns=[name for name in names if name not in ranges]
            )
        except (pa.ArrowInvalid, OSError) as error:
            raise unreadable(file, str(error)) from None
        more: dict[str, Any] = {
            name: range(each["start"], each["stop"], each["step"])
            for name, each in ranges.items()
            if name in names
        }
        return frame_of_arrow(table).assign(**more)[names]

    return have, body


def frame_of_arrow(table: Any) -> pd.DataFrame:
    """Turn an Arrow table into a frame, whole numbers beside missing ones as exact as without."""
    import pandas as pd
    import pyarrow as pa

    exact: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_integer(column.type) and column.null_count:
            # by way of floats ids beyond 2^53 would fall together
            exact[name] = pd.array(column.to_pylist(), dtype=_nullable(column.type))
        elif pa.types.is_decimal(column.type):
            exact[name] = column.cast(pa.float64()).to_numpy()
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame.assign(**exact)


def _nullable(kind: Any) -> str:
    return str(kind).replace("int", "Int").replace("uInt", "UInt")


def sheet_rows(
    raw: bytes, file: str, sheet: str | None, names: Sequence[str] | None
) -> pd.DataFrame:
    """Rows of one sheet of a workbook; the index ``line`` is the row that the program shows.

    The header is the first row with two cells or more (titles may stand above it).

    Raises
    ------
    DataContractError
        If the workbook is broken or locked, has no such sheet, or the sheet is empty.
    ModuleNotFoundError
        If nothing that reads workbooks is installed.

    Warns
    -----
    DataWarning
        If no sheet was named and there are others.
    """
    import pandas as pd

    try:
        import python_calamine  # noqa: F401
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{file} is a spreadsheet's workbook, which needs python-calamine: pip install "
            "'custvalue[excel]'; or save its sheet as CSV (UTF-8)."
        ) from None
    try:
        with pd.ExcelFile(io.BytesIO(raw), engine="calamine") as book:
            sheets = [str(one) for one in book.sheet_names]
            if sheet is not None and sheet not in sheets:
                raise DataContractError(
                    ContractProblem(
                        "no-sheet",
                        f"{file} has no sheet {sheet!r}; it has {', '.join(map(repr, sheets))}",
                        "Name one of these.",
                    )
                )
            read = sheets[0] if sheet is None else sheet
            cells: pd.DataFrame = pd.read_excel(
                book,
                sheet_name=read,
                header=None,
                dtype=object,
                keep_default_na=False,
                na_values=list(NOTHING),
            )
            if sheet is None and len(sheets) > 1:
                warn_caller(
                    f"{file} has {len(sheets)} sheets and the first, {read!r}, was read; say "
                    "sheet= (--sheet) for another.",
                    DataWarning,
                )
    except DataContractError:
        raise
    except Exception as error:  # the reader has errors of its own that share no class
        raise unreadable(file, f"it is no workbook that can be read ({error})") from None
    cells = cells.where(cells.notna(), None)
    filled = cells.notna().sum(axis=1)
    if names is None:
        # titles stand above a header, in one cell
        wide = min(2, int(filled.head(_LOOKED_AT).max()) if len(filled) else 0)
        top = int((filled >= max(wide, 1)).to_numpy().argmax()) if len(filled) else 0
        if not len(filled) or not filled.iloc[top]:
            raise unreadable(file, f"its sheet {read!r} is empty")
        header = cells.iloc[top]
        used = header.notna().to_numpy()
        stray = cells.iloc[top + 1 :].loc[:, ~used].notna().any(axis=1)
        if stray.any():
            line = int(stray.index[stray.to_numpy()][0]) + 1
            raise unreadable(file, f"row {line} of its sheet {read!r} has more cells than names")
        body = cells.iloc[top + 1 :].loc[:, used]
        body.columns = pd.Index([str(one).strip() for one in header[used]])
    else:
        if cells.shape[1] != len(names):
            raise DataContractError(
                ContractProblem(
                    "names",
                    f"{file} has {cells.shape[1]} columns, and names= has {len(names)}",
                    "Name every column of a sheet without a header, in its order.",
                )
            )
        body = cells
        body.columns = pd.Index([str(name) for name in names])
    body = body[body.notna().any(axis=1)]
    body.index = pd.Index(body.index + 1, name="line")
    return typed(body)


def json_rows(text: bytes, file: str) -> pd.DataFrame:
    """Rows of JSON lines, or of one JSON list; an object inside of a row gives ``outer.inner``.

    Raises
    ------
    DataContractError
        Naming the line that is no JSON object.
    """
    import pandas as pd

    rows: list[Any] = []
    lines: list[int] = []
    if text.lstrip().startswith(b"["):
        try:
            rows = json.loads(text)
        except ValueError as error:
            raise unreadable(file, f"it is no JSON ({error})") from None
        lines = list(range(1, len(rows) + 1))
    else:
        for at, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise unreadable(file, f"line {at} is no JSON ({error})") from None
            lines.append(at)
    for at, row in zip(lines, rows, strict=True):
        if not isinstance(row, dict):
            raise unreadable(file, f"line {at} is no JSON object, which names its values")
    if not rows:
        raise unreadable(file, "it has no rows")
    if any(isinstance(value, dict) for row in rows for value in row.values()):
        frame = pd.json_normalize(rows)
    else:
        frame = pd.DataFrame.from_records(rows, columns=list({k: 0 for row in rows for k in row}))
        whole = [k for k in frame.columns if frame[k].dtype.kind == "f"]
        for name in whole:  # a missing cell beside whole numbers made floats of them
            frame[name] = pd.Series([row.get(name) for row in rows], dtype=object)
    frame.index = pd.Index(lines, name="line")
    return typed(frame)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns of objects the type of what they hold, whole numbers exact; words stay words."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        if column.dtype == object:
            column = _typed(column)
        columns[str(at)] = column
    made = pd.DataFrame(columns, index=frame.index)
    made.columns = frame.columns
    return made


def _typed(column: pd.Series) -> Any:
    import pandas as pd

    words = column.map(lambda cell: isinstance(cell, str) and cell in NOTHING)
    column = column.mask(words.to_numpy(dtype=bool), None)
    known = column.dropna()
    kind = pd.api.types.infer_dtype(known, skipna=True)
    missing = len(known) < len(column)
    try:
        if kind == "integer":
            if not missing:
                return column.astype("int64")
            return pd.Series(pd.array([None if cell is None or cell != cell else int(cell)
                                       for cell in column], dtype="Int64"),
                             index=column.index)  # fmt: skip
        if kind in ("floating", "mixed-integer-float", "decimal"):
            return column.astype("float64")
        if kind in ("datetime", "datetime64", "date"):
            return pd.Series(pd.to_datetime(column.to_numpy()), index=column.index)
    except (ValueError, TypeError, OverflowError):
        return column
    return column
