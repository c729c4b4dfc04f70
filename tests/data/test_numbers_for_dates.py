"""Dates written as numbers: refused with what they look like and how to read them, everywhere."""

from __future__ import annotations

import zipfile

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError
from custvalue.report import read_log

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
DAYS = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-05"])
EPOCH = (DAYS - pd.Timestamp("1970-01-01")) / pd.Timedelta("1s")
WRITTEN = {
    "date": (DAYS.strftime("%Y%m%d").astype(int), {"format": "%Y%m%d"}),
    "seconds": (EPOCH.astype(np.int64), {"unit": "s"}),
    "milliseconds": ((EPOCH * 1e3).astype(np.int64), {"unit": "ms"}),
    "microseconds": ((EPOCH * 1e6).astype(np.int64), {"unit": "us"}),
    "nanoseconds": ((EPOCH * 1e9).astype(np.int64), {"unit": "ns"}),
    "spreadsheet": (
        (DAYS - pd.Timestamp("1899-12-30")).days.astype(int),
        {"unit": "D", "origin": "1899-12-30"},
    ),
}
ENGINES = {
    "pandas": lambda log: log,
    "polars": pl.from_pandas,
    "polars lazy": lambda log: pl.from_pandas(log).lazy(),
    "pyarrow": lambda log: pa.Table.from_pandas(log, preserve_index=False),
    "duckdb": lambda log: duckdb.from_arrow(pa.Table.from_pandas(log, preserve_index=False)),
    "handle": lambda log: log,
}


def a_log(kind):
    return pd.DataFrame({"who": [1, 2, 2], "when": WRITTEN[kind][0], "paid": [5.0, 6.0, 7.0]})


def summarized(engine, log):
    if engine == "handle":
        return TransactionLog(log, **NAMES).summary()
    return cv.summarize(ENGINES[engine](log), **NAMES, as_of="2024-12-31")


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("kind", list(WRITTEN))
def test_the_error_names_how_to_read_them_and_that_reads_them(engine, kind):
    _, how = WRITTEN[kind]
    said = ", ".join(f"{name}={value!r}" for name, value in how.items())
    said = (
        f"pandas.to_datetime(column{'.astype(int).astype(str)' if kind == 'date' else ''}, {said})"
    )
    with pytest.raises(DataContractError, match="time-not-a-date: column 'when'") as caught:
        summarized(engine, a_log(kind))
    assert said in str(caught.value)
    log = a_log(kind)
    column = log["when"].astype(int).astype(str) if kind == "date" else log["when"]
    log["when"] = pd.to_datetime(column, **how)  # the cure, taken
    assert log["when"].tolist() == DAYS.tolist()


@pytest.mark.parametrize("value", [3, 12.5, -1, 1234567, 20241301])
def test_other_numbers_are_refused_without_a_guess(value):
    log = pd.DataFrame({"who": [1], "when": [value], "paid": [5.0]})
    with pytest.raises(DataContractError, match="a number does not say what it counts"):
        cv.summarize(log, **NAMES, as_of="2024-12-31")


@pytest.mark.parametrize("kind", ["seconds", "spreadsheet"])
def test_a_file_with_numbers_for_dates_says_so_too(kind, tmp_path):
    a_log(kind).to_csv(tmp_path / "log.csv", index=False)
    log = read_log(tmp_path / "log.csv", **NAMES)
    with pytest.raises(DataContractError, match=r"It looks like .*pandas.to_datetime") as caught:
        cv.summarize(log, **NAMES, as_of="2024-12-31")
    assert "line 2" in str(caught.value)


def test_a_file_of_dates_as_numbers_is_read(tmp_path):
    a_log("date").to_csv(tmp_path / "log.csv", index=False)
    table = cv.summarize(read_log(tmp_path / "log.csv", **NAMES), **NAMES, as_of="2024-12-31")
    assert table["first_order"].tolist() == [DAYS[0], DAYS[1]]


@pytest.mark.parametrize("name", ["book.xlsx", "book.csv", "book"])
def test_a_workbook_is_refused_as_one_whatever_it_is_called(name, tmp_path):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(DataContractError, match="save its sheet as CSV"):
        read_log(tmp_path / name, **NAMES)
    old = tmp_path / f"old_{name}"
    old.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(DataContractError, match="save its sheet as CSV"):
        read_log(old, **NAMES)
