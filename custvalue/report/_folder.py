"""A page and its tables as one folder: all files or none, the page last, nobody's file lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from custvalue._csv import Formulas, write_csv
from custvalue._files import Family, Write

if TYPE_CHECKING:
    import pandas as pd


def family_of(page: str, tables: Iterable[str]) -> Family:
    """Name the files that a page, its tables and its ledger may be in."""
    named = {f"{table}.{kind}" for table in tables for kind in ("csv", "parquet")}
    return Family(names=frozenset({page, "ledger.json", *named}), manifest="ledger.json", last=page)


def write_folder(
    family: Family,
    folder: str | Path,
    html: str,
    frames: Mapping[str, pd.DataFrame],
    ledger: Mapping[str, Any],
    *,
    tables: Literal["csv", "parquet"],
    formulas: Formulas,
    force: bool,
) -> list[Path]:
    """Write a page, its tables and its ledger; return the paths."""
    if tables not in ("csv", "parquet"):
        raise ValueError(f"tables={tables!r} must be 'csv' or 'parquet'.")
    files: dict[str, Write] = {family.last: partial(_write_page, html)}
    for name, frame in frames.items():
        files[f"{name}.{tables}"] = partial(_write_table, frame, formulas)
    return family.write(Path(folder), files, ledger, force=force)


def _write_page(html: str, path: Path) -> None:
    path.write_text(html, encoding="utf-8", newline="\n")


def _write_table(frame: pd.DataFrame, formulas: Formulas, path: Path) -> None:
    if path.suffix == ".csv":
        write_csv(frame, path, ids=[str(frame.columns[0])], formulas=formulas)
    else:
        frame.to_parquet(path, index=False)
