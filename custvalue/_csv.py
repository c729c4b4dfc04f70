"""Tables as CSV: exact numbers, and no text that a spreadsheet runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from custvalue._warn import warn_caller
from custvalue.exceptions import DataWarning

if TYPE_CHECKING:
    import pandas as pd

Formulas = Literal["escape", "keep"]
# what a spreadsheet takes for the beginning of a formula; the wide forms too, which Chinese input
# methods write; a tab or a line break before one hides it from the eye alone
STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
BLANK = " \t\r\n"
QUOTED = frozenset('",;\t\r\n')


def write_csv(
    frame: pd.DataFrame,
    path: str | Path,
    *,
    ids: Sequence[str] = (),
    formulas: Formulas = "escape",
) -> None:
    """Write a table so that reading it gives the same numbers, texts and times.

    Floats have as many digits as it takes to read the same float, times are ISO (the day alone
    where every time is midnight), missing cells are empty, lines end in a line feed, and a cell
    with a separator, a quote or any line break is quoted.

    Parameters
    ----------
    frame : DataFrame
        Written without its index.
    path : str or Path
    ids : sequence of str
        Columns of ids: whole floats in them are written as whole numbers.
    formulas : {"escape", "keep"}, default="escape"
        ``"escape"``: a text that a spreadsheet would run (it begins with ``=``, ``+``, ``-`` or
        ``@``, also behind blanks or apostrophes) gets an apostrophe in front; take that one
        apostrophe off to have the text back. ``"keep"``: texts as they are.

    Warns
    -----
    DataWarning
        How many cells were escaped.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from custvalue._csv import write_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     write_csv(pd.DataFrame({"who": [2.0**53], "paid": [0.1]}), path, ids=["who"])
    ...     print(path.read_text())
    who,paid
    9007199254740992,0.1
    <BLANKLINE>
    """
    if formulas not in ("escape", "keep"):
        raise ValueError(f"formulas={formulas!r} must be 'escape' or 'keep'.")
    text = _Text(safe=formulas == "escape")
    columns = [
        _cells(frame.iloc[:, i], text, whole=name in ids) for i, name in enumerate(frame.columns)
    ]
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(text(str(name)) for name in frame.columns) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))
    if text.escaped:
        warn_caller(
            f"{text.escaped:,} cells of {Path(path).name} begin like a formula of a spreadsheet "
            f"(first: {text.first!r}); they are written with an apostrophe in front. "
            "formulas='keep' writes them as they are.",
            DataWarning,
        )


class _Text:
    """Write a text as a cell, and count what was escaped."""

    def __init__(self, *, safe: bool) -> None:
        self.safe, self.escaped, self.first = safe, 0, ""

    def __call__(self, value: str) -> str:
        if self.safe and runs(value):
            self.first = self.first or value
            self.escaped += 1
            value = "'" + value
        if not QUOTED.isdisjoint(value):
            value = '"' + value.replace('"', '""') + '"'
        return value


def runs(text: str) -> bool:
    """Whether a spreadsheet may take ``text`` for a formula.

    Examples
    --------
    >>> from custvalue._csv import runs
    >>> [runs(text) for text in ("=1+1", " @SUM(A1)", "'-2", "a=1", "")]
    [True, True, True, False, False]
    """
    bare = text.lstrip(BLANK + "'")
    return (bare[:1] in STARTS) if bare else False


def _cells(column: pd.Series, text: _Text, *, whole: bool) -> list[str]:
    """Write a column as cells."""
    kind = column.dtype.kind
    if kind == "f":
        numbers = column.to_numpy(dtype=float)
        if (
            whole
            and (
                np.isnan(numbers) | (np.abs(numbers) < np.inf) & (numbers == np.rint(numbers))
            ).all()
        ):
            return ["" if v != v else str(int(v)) for v in numbers.tolist()]
        return ["" if v != v else repr(v) for v in numbers.tolist()]
    if kind == "M":
        return _times(column)
    if kind in "iub" and isinstance(column.dtype, np.dtype):
        return [str(v) for v in column.tolist()]
    missing = column.isna().tolist()
    return ["" if gone else text(str(v)) for v, gone in zip(column.tolist(), missing, strict=True)]


def _times(column: pd.Series) -> list[str]:
    days = column.dt.normalize()
    form = "%Y-%m-%d" if ((days == column) | column.isna()).all() else None
    if form is not None:
        return column.dt.strftime(form).fillna("").tolist()
    return ["" if v != v else v.isoformat() for v in column.tolist()]
