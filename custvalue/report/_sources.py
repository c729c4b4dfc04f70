"""What a log can be read from -> tables that know their columns and how to read some of them."""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from custvalue._frames import NOTHING
from custvalue._warn import warn_caller
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, first_ids
from custvalue.report._databases import is_database, of_duckdb, of_url
from custvalue.report._tables import frame_of_arrow, json_rows, parquet_table, sheet_rows
from custvalue.report._text import (
    Lines,
    contents,
    delimited,
    in_utf8,
    is_workbook,
    unreadable,
)

if TYPE_CHECKING:
    import pandas as pd

Source: TypeAlias = "str | Path | Sequence[str | Path]"
PARQUET = (".parquet", ".pq")
JSON = (".json", ".jsonl", ".ndjson")
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]+://")
_PATTERN = re.compile(r"[*?\[]")
FEW, SOME = 10, 0.05  # so many rows, and this share of a file, are no accident


@dataclass(frozen=True)
class FileWords:
    """How a source is read, beside the columns: what `read_log` and the command line may be told.

    Parameters
    ----------
    encoding : str, optional
        Of a text.
    names : sequence of str, optional
        Columns of a text or sheet that has no header.
    sheet : str, optional
        Of a workbook.
    query : str, optional
        Of a database.

    Examples
    --------
    >>> from custvalue.report._sources import FileWords
    >>> FileWords(sheet="Orders").sheet
    'Orders'
    """

    encoding: str | None = None
    names: Sequence[str] | None = None
    sheet: str | None = None
    query: str | None = None


class Opened(NamedTuple):
    """One table of a source.

    ``body(names, texts)`` reads the columns ``names``; those in ``texts`` stay as they are written.
    ``words`` is whether texts that mean nothing stay, too.
    """

    file: str
    have: list[str]
    body: Callable[[list[str], Collection[str]], pd.DataFrame]


def source_name(source: Source) -> str:
    """Name a source for people: the file, the files, or the database without its password.

    Examples
    --------
    >>> from custvalue.report._sources import source_name
    >>> source_name("postgresql://shop:secret@db/orders"), source_name(["a/x.csv", "a/y.csv"])
    ('postgresql://shop:***@db/orders', 'x.csv and 1 more')
    """
    each = [source] if isinstance(source, (str, Path)) else list(source)
    names = [
        re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", str(one)) if is_url(one) else Path(one).name
        for one in each
    ]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def is_url(source: Any) -> bool:
    """Whether a source is the address of a database."""
    return isinstance(source, str) and _URL.match(source) is not None


def opened_tables(source: Source, how: FileWords, *, words: bool = False) -> list[Opened]:
    """Open every table of a source: one a file, a file of an archive, a database's query.

    Parameters
    ----------
    source : str, Path or sequence of them
        Files, patterns (``"orders-*.csv"``), folders, or the address of a database.
    how : FileWords
    words : bool, default=False
        Whether ``none`` and the like are answers in columns that stay as they are written.

    Raises
    ------
    DataContractError
        If something is not there, or cannot be read; if two files are the same.
    """
    found: list[Opened] = []
    given = [source] if isinstance(source, (str, Path)) else list(source)
    if not given:
        raise DataContractError(
            ContractProblem("no-file", "there is no file to read", "Name one at least.")
        )
    files: list[Path] = []
    for one in given:
        if isinstance(one, str) and _URL.match(one):
            found.append(_of_frame(source_name(one), of_url(one, source_name(one), how.query)))
        else:
            files += _files(one)
    files = list({path.resolve(): path for path in files}.values())  # one file may be named twice
    if len(files) > 1:
        _refuse_copies(files)
    for path in files:
        found += _of_file(path, how, words)
    return found


def joined(tables: list[Opened], names: list[str], texts: Collection[str]) -> pd.DataFrame:
    """Read columns of every table, one table after another."""
    import pandas as pd

    frames = [table.body(names, texts) for table in tables]
    if len(frames) == 1:
        return frames[0]
    for table, frame in zip(tables, frames, strict=True):
        word = f"{table.file}:"
        frame.index = pd.Index([f"{word}{line}" for line in frame.index], name="line", dtype=object)
    full = [frame for frame in frames if len(frame)] or frames[:1]
    whole = pd.concat(full)
    _warn_of_overlaps(whole, [table.file for table in tables], [len(frame) for frame in frames])
    return whole


def _warn_of_overlaps(whole: pd.DataFrame, files: list[str], sizes: list[int]) -> None:
    """Say which files have many rows that stand in one before them, too.

    Warns
    -----
    DataWarning
    """
    import pandas as pd

    of = pd.Series(np.repeat(np.arange(len(files)), sizes))
    try:
        same = pd.util.hash_pandas_object(whole, index=False).to_numpy()
    except TypeError:  # lists within JSON
        same = pd.util.hash_pandas_object(whole.astype(str), index=False).to_numpy()
    again = (of.groupby(same).transform("min") < of).to_numpy()
    for k, count in enumerate(np.bincount(of[again], minlength=len(files))):
        if count >= FEW and count >= SOME * sizes[k]:
            warn_caller(
                f"{count:,} of {sizes[k]:,} rows of {files[k]} stand in a file before it as well, "
                "in all columns that are read, and count twice; leave one file out, or say "
                "duplicates='drop' (--duplicates drop).",
                DataWarning,
            )


def check_same_columns(tables: list[Opened]) -> list[str]:
    """Give the columns that all tables have, in the order of the first.

    Raises
    ------
    DataContractError
        Naming the table that has others.
    """
    first = tables[0]
    problems = []
    for table in tables[1:]:
        if sorted(table.have) != sorted(first.have):
            more = [name for name in table.have if name not in first.have]
            lost = [name for name in first.have if name not in table.have]
            said = [f"has no {', '.join(map(repr, lost[:5]))}"] if lost else []
            said += [f"has {', '.join(map(repr, more[:5]))} besides"] if more else []
            problems.append(
                ContractProblem(
                    "other-columns",
                    f"{table.file} {' and '.join(said) or 'repeats a column'}, unlike {first.file}",
                    "Files that are one log have the same columns; rename them, or read the files "
                    "one by one.",
                )
            )
    if problems:
        raise DataContractError(problems)
    return first.have


def _files(source: str | Path) -> list[Path]:
    path = Path(source)
    if path.is_dir():
        inside = sorted(
            one for one in path.rglob("*")
            if one.is_file() and not one.name.startswith((".", "_"))
        )  # fmt: skip
        if not inside:
            raise DataContractError(
                ContractProblem("no-file", f"the folder {path} has no files", "Name another.")
            )
        return inside
    if not path.exists() and _PATTERN.search(str(source)):
        matches = sorted(glob.glob(str(source), recursive=True))
        if not matches:
            raise DataContractError(
                ContractProblem("no-file", f"no file fits {str(source)!r}", "Check the pattern.")
            )
        return [one for match in matches for one in _files(match)]
    if not path.exists():
        raise FileNotFoundError(f"{str(path)!r} does not exist.")
    return [path]


def _refuse_copies(files: list[Path]) -> None:
    """Refuse files of the same bytes, which would count every order twice."""
    seen: dict[Any, Path] = {}
    pairs = []
    for path in files:
        if not path.is_file():  # a pipe is read once
            continue
        with path.open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
        other = seen.setdefault(key, path)
        if other is not path and path.stat().st_size:
            pairs.append(f"{path.name} = {other.name}")
    if pairs:
        raise DataContractError(
            ContractProblem(
                "same-file",
                "files are the same, and their orders would count twice: " + "; ".join(pairs[:5]),
                "Leave the copies out.",
            )
        )


def _of_file(path: Path, how: FileWords, words: bool) -> list[Opened]:
    kind = is_database(path)
    if kind is not None:
        if kind == "duckdb":
            return [_of_frame(path.name, of_duckdb(path, how.query))]
        return [_of_frame(path.name, of_url(f"sqlite:///{path}", path.name, how.query))]
    if how.query is not None:
        raise unreadable(path.name, "it is no database, of which a query could be asked")
    if path.suffix.lower() in PARQUET:
        have, body = parquet_table(path, path.name)
        return [Opened(path.name, have, body)]
    return [_of_bytes(name, raw, how, words) for name, raw in contents(path)]


def _of_bytes(name: str, raw: bytes, how: FileWords, words: bool) -> Opened:
    if raw.startswith(b"PAR1"):
        import io

        have, body = parquet_table(io.BytesIO(raw), name)
        return Opened(name, have, body)
    if is_workbook(raw):
        return _of_frame(name, sheet_rows(raw, name, how.sheet, how.names))
    if how.sheet is not None:
        raise unreadable(name, "it is no workbook, which has sheets")
    text = in_utf8(raw, name, how.encoding)
    bare = Path(name.removesuffix(".gz").removesuffix(".zip")).suffix.lower()
    if bare in JSON or text.lstrip()[:2] in (b'{"', b"[{"):
        if how.names is not None:
            raise unreadable(name, "its rows name their columns, so that names= has no place")
        return _of_frame(name, json_rows(text, name))
    lines = delimited(text, name, how.names)
    return Opened(name, lines.names, _text_body(lines, words))


def _of_frame(name: str, frame: pd.DataFrame) -> Opened:
    """Table that is in memory already."""

    def body(names: list[str], texts: Collection[str]) -> pd.DataFrame:
        return frame[names].copy()

    return Opened(name, [str(column) for column in frame.columns], body)


def _text_body(text: Lines, words: bool) -> Any:
    import io

    import pandas as pd

    text.check()

    def body(names: list[str], texts: Collection[str]) -> pd.DataFrame:
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
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            if isinstance(error, pd.errors.EmptyDataError):
                frame = pd.DataFrame(columns=list(place.values()))
            else:
                raise unreadable(text.file, str(error).strip().splitlines()[-1]) from None
        frame = frame[list(place.values())]
        frame.columns = pd.Index(names)
        frame.index = text.lines(len(frame))
        return _without_headers(frame, names, text.file) if text.header_lines else frame

    return body


def _without_headers(frame: pd.DataFrame, names: list[str], file: str) -> pd.DataFrame:
    """Leave out lines that name the columns once more, as files put one after another have."""
    again: Any = None
    for name in names:
        values = frame[name]
        if values.dtype.kind in "iufb":  # numbers alone
            return frame
        same = (values == name).to_numpy(dtype=bool, na_value=False)
        again = same if again is None else again & same
    if again is None or not np.any(again):
        return frame
    shown = ", ".join(first_ids(frame.index[again]))
    warn_caller(
        f"{file} repeats its header in {int(again.sum()):,} lines (first: {shown}), as files put "
        "one after another do; they are left out.",
        DataWarning,
    )
    return frame[~again].copy()


__all__ = [
    "FileWords",
    "Opened",
    "Source",
    "check_same_columns",
    "frame_of_arrow",
    "is_url",
    "joined",
    "opened_tables",
    "source_name",
]
