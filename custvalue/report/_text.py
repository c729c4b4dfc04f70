"""Bytes of a file -> UTF-8 text with a known delimiter, header and numbers of lines."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from custvalue._warn import warn_caller
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, first_ids

if TYPE_CHECKING:
    import pandas as pd

# share of double bytes that Chinese text has at least in GB 2312, and in its common characters
_COMMON = 0.7
_PAIR = re.compile(rb"[\x81-\xfe](?:[0-9][\x81-\xfe][0-9]|[\x40-\xfe])")


def contents(path: Path) -> list[tuple[str, bytes]]:
    """Read a file once, uncompressed; of an archive each file in it, by name.

    Raises
    ------
    DataContractError
        If it is a device, or compressed and broken.
    """
    if path.is_char_device() and path.resolve().name in ("zero", "full", "random", "urandom"):
        raise unreadable(path.name, "it is a device without end")
    return _uncompressed(path.read_bytes(), path.name)


def is_workbook(raw: bytes) -> bool:
    """Whether bytes are a spreadsheet's workbook, old or new, by how they begin and what is inside.

    Examples
    --------
    >>> from custvalue.report._text import is_workbook
    >>> is_workbook(b"who,when,paid")
    False
    """
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        return True
    if not raw.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
            sheet = "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype")
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return False
    return "[Content_Types].xml" in names or sheet


def _uncompressed(raw: bytes, name: str) -> list[tuple[str, bytes]]:
    """Bytes of a file that is known to be compressed by how it begins, not by its name."""
    try:
        if raw.startswith(b"\x1f\x8b"):
            return [(name, gzip.decompress(raw))]
        if raw.startswith(b"BZh"):
            return [(name, bz2.decompress(raw))]
        if raw.startswith(b"\xfd7zXZ\x00"):
            return [(name, lzma.decompress(raw))]
        if raw.startswith(b"\x28\xb5\x2f\xfd"):
            return [(name, _zstandard(raw, name))]
        if raw.startswith(b"PK\x03\x04") and not is_workbook(raw):
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                inside = [one for one in archive.namelist() if not _is_beside(one)]
                if not inside:
                    raise unreadable(name, "the archive holds no file")
                if len(inside) == 1:
                    return [(name, archive.read(inside[0]))]
                return [(f"{name}/{one}", archive.read(one)) for one in sorted(inside)]
    except (
        OSError,
        EOFError,
        RuntimeError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        raise unreadable(name, f"it is compressed and broken ({error})") from None
    return [(name, raw)]


def _is_beside(name: str) -> bool:
    """Whether an entry of an archive is a folder, or what a system keeps for itself there."""
    return name.endswith("/") or name.startswith("__MACOSX/") or Path(name).name.startswith(".")


def _zstandard(raw: bytes, name: str) -> bytes:
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        raise unreadable(name, "it is compressed by zstd, which needs pyarrow") from None
    with pa.CompressedInputStream(pa.BufferReader(raw), "zstd") as stream:
        return bytes(stream.read())


def in_utf8(raw: bytes, file: str, encoding: str | None) -> bytes:
    """Turn a text into UTF-8.

    Raises
    ------
    DataContractError
        If its encoding is not the one that was named, or is not known for sure.
    """
    if encoding is not None:
        try:
            return raw.decode(encoding).encode().removeprefix("\ufeff".encode())
        except LookupError:
            raise unreadable(file, f"encoding {encoding!r} is unknown") from None
        except UnicodeError as error:
            raise unreadable(file, f"it is not text in {encoding} ({error})") from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16").encode()
        except UnicodeError as error:
            raise unreadable(file, f"it is not text in utf-16 ({error})") from None
    if b"\0" in raw[:4096]:
        raise unreadable(
            file,
            "it has bytes of value 0, as UTF-16 without its mark has; if it is text, name its "
            "encoding, e.g. --encoding utf-16-le",
        )
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        if not likely_chinese(raw):
            raise unreadable(
                file,
                "it is not text in utf-8, nor likely Chinese in gb18030; name its encoding, e.g. "
                "--encoding cp1252 (Western Europe), cp1251 (Cyrillic), shift_jis or big5",
            ) from None
        warn_caller(
            f"{file} is no UTF-8 and was read as GB 18030 (Chinese); if its names look "
            "wrong, say encoding= (on the command line --encoding).",
            DataWarning,
        )
        return raw.decode("gb18030").encode()
    return raw.removeprefix("\ufeff".encode())


def likely_chinese(raw: bytes) -> bool:
    """Whether bytes that are no UTF-8 are Chinese text in GB 18030.

    Nearly any bytes decode. But the pairs of real Chinese text lie in the table of GB 2312, most of
    them among its common characters (rows 16 to 55, in the order of their sound, so that a text of
    some length has them from the second half too). An accented Latin letter makes a pair with an
    ASCII letter, Cyrillic ones are rare characters, Korean ones lie in the first half alone.

    Examples
    --------
    >>> from custvalue.report._text import likely_chinese
    >>> likely_chinese("张三,客户".encode("gb18030")), likely_chinese("Renée".encode("latin-1"))
    (True, False)
    """
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    pairs, table, common, late = 0, 0, 0, 0
    for found in islice(_PAIR.finditer(raw), 50_000):
        lead, trail = found[0][0], found[0][1]
        if 0xA1 <= lead <= 0xA9 and trail >= 0xA1:
            continue  # marks and foreign letters say nothing
        pairs += 1
        table += trail >= 0xA1
        common += trail >= 0xA1 and 0xB0 <= lead <= 0xD7
        late += trail >= 0xA1 and 0xC9 <= lead <= 0xD7
    if not pairs or table < 0.9 * pairs or common < _COMMON * pairs:
        return False
    return late > 0 or pairs < 20


@dataclass
class Lines:
    """Text with a header: its columns, and the lines of an editor its rows begin in."""

    raw: bytes
    file: str
    mark: str
    names: list[str]
    header_lines: int
    _starts: list[int] | None = field(default=None, repr=False)

    def _one_row_a_line(self) -> bool:
        """Whether that is so, with as many fields in each as in the header, by counts alone."""
        raw, mark, width = self.raw, self.mark.encode(), len(self.names) - 1
        if b'"' in raw or raw.count(b"\r") != raw.count(b"\r\n"):
            return False
        return width > 0 and all(line.count(mark) == width for line in raw.splitlines())

    def check(self) -> None:
        """Refuse lines with more fields than the header, which would lose the surplus.

        Raises
        ------
        DataContractError
            Naming them.
        """
        if self._one_row_a_line():
            return
        starts, long, end = [], [], 0
        reader = self._reader()
        try:
            for fields in reader:
                blank = not fields or (len(fields) == 1 and not fields[0].strip())
                if end and not blank:
                    starts.append(end + 1)
                    if any(fields[len(self.names) :]):
                        long.append(f"line {end + 1} with {len(fields)}")
                end = reader.line_num
        except csv.Error as error:
            text = f"{self.file} cannot be read: line {reader.line_num}: {error}"
            raise DataContractError(
                ContractProblem("unreadable-file", text, "Check the quotes there.")
            ) from None
        if long:
            raise DataContractError(
                ContractProblem(
                    "ragged-lines",
                    f"{self.file} has lines with more fields than the {len(self.names)} columns "
                    "of its header",
                    'Put text with the delimiter in it in quotes ("1,234.50"), or export with '
                    "another delimiter.",
                    len(long),
                    first_ids(long),
                )
            )
        self._starts = starts

    def lines(self, n: int) -> pd.Index:
        """Line in which each of ``n`` rows begins."""
        import pandas as pd

        if self._starts is None:
            return pd.RangeIndex(self.header_lines + 1, self.header_lines + 1 + n, name="line")
        if len(self._starts) != n:
            raise DataContractError(
                ContractProblem(
                    "unreadable-file",
                    f"{self.file} cannot be read: its rows cannot be told apart (a quote is open)",
                    "Check the quotes.",
                )
            )
        return pd.Index(self._starts, name="line", dtype="int64")

    def _reader(self) -> Any:
        text = io.TextIOWrapper(io.BytesIO(self.raw), "utf-8", newline="")
        return csv.reader(text, delimiter=self.mark)


def delimited(raw: bytes, file: str, names: Sequence[str] | None = None) -> Lines:
    """Find delimiter and header of a text; with ``names`` it has no header.

    Raises
    ------
    DataContractError
        If its first line names no columns, or has another number of fields than ``names``.
    """
    first = raw[: 1 << 20].split(b"\n", 1)[0].strip()
    if not first:
        raise DataContractError(
            ContractProblem(
                "unreadable-file",
                f"{file} cannot be read: its first line is empty; it must name the columns",
                "Check the file; where it has no header, say names= (--names).",
            )
        )
    mark = max(",;\t|", key=lambda m: first.count(m.encode()))
    made = Lines(raw, file, mark, [], 0)
    reader = made._reader()
    header = next(reader)
    if names is None:
        made.names, made.header_lines = header, reader.line_num
        return made
    made.names = [str(name) for name in names]
    if len(header) != len(made.names):
        raise DataContractError(
            ContractProblem(
                "names",
                f"{file} has {len(header)} fields in its first line, and names= has "
                f"{len(made.names)}",
                "Name every column of a file without a header, in its order.",
            )
        )
    return made


def unreadable(file: str, why: str) -> DataContractError:
    """Say that a file cannot be read, and why."""
    return DataContractError(
        ContractProblem("unreadable-file", f"{file} cannot be read: {why}", "Check the file.")
    )
