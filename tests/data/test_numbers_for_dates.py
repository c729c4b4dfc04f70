"""Dates written as numbers: refused with what they look like and how to read them, everywhere."""

from __future__ import annotations

import zipfile
from importlib.util import find_spec

import dask
import dask.dataframe as dd
import duckdb
import narwhals as nw
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
    "dask": lambda log: dd.from_pandas(log, npartitions=2),
    "duckdb": lambda log: duckdb.from_arrow(pa.Table.from_pandas(log, preserve_index=False)),
    "handle": lambda log: log,
}


@pytest.fixture(autouse=True)
def dask_in_one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def a_log(kind):
    return pd.DataFrame({"who": [1, 2, 2], "when": WRITTEN[kind][0], "paid": [5.0, 6.0, 7.0]})


def summarized(engine, log, **options):
    options = {**NAMES, "as_of": "2024-12-31", **options}
    if engine == "handle":
        return TransactionLog(log, **options).summary()
    return cv.summarize(ENGINES[engine](log), **options)


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("kind", list(WRITTEN))
def test_the_error_names_how_to_read_them_and_that_reads_them(engine, kind):
    _, how = WRITTEN[kind]
    said = ", ".join(f"{name}={value!r}" for name, value in how.items())
    said = f"pandas.to_datetime(column, {said})"
    if kind == "date":
        said = said.replace("column", "column.astype(int).astype(str)")
        said = f"time_format='%Y%m%d', or {said}"
    with pytest.raises(DataContractError, match="time-not-a-date: column 'when'") as caught:
        summarized(engine, a_log(kind))
    assert said in str(caught.value)
    log = a_log(kind)
    column = log["when"].astype(int).astype(str) if kind == "date" else log["when"]
    log["when"] = pd.to_datetime(column, **how)  # the cure, taken
    assert log["when"].tolist() == DAYS.tolist()


@pytest.mark.parametrize("engine", list(ENGINES))
def test_whole_numbers_are_read_by_a_format_that_begins_with_the_year(engine):
    log = a_log("date").assign(second=[20240131235959, 20240229000000, 20240305120000])
    for column, style in (("when", "%Y%m%d"), ("second", "%Y%m%d%H%M%S")):
        table = summarized(engine, log, time=column, time_format=style)
        assert cv.ledger(table).rows_used == 3
        if engine == "dask":
            table = table.compute()
        table = nw.from_native(table).lazy().collect().to_pandas()
        table = table.set_index("who").sort_index()
        assert table["first_order"].tolist() == [DAYS[0], DAYS[1]]
        assert table["last_order"].tolist() == [DAYS[0], DAYS[2]]


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize(
    ("kind", "style", "cure"),
    [
        ("spreadsheet", "%Y%m%d", "pandas.to_datetime(column, unit='D', origin='1899-12-30')"),
        ("seconds", "%Y%m%d", "pandas.to_datetime(column, unit='s')"),
        # the day first has lost its zero: 5012024 may be the 5th of January and the 50th of none
        ("date", "%d%m%Y", "time_format='%Y%m%d', or pandas.to_datetime("),
    ],
)
def test_numbers_that_the_format_does_not_read_are_refused_with_their_cure(
    engine, kind, style, cure
):
    with pytest.raises(DataContractError) as caught:
        summarized(engine, a_log(kind), time_format=style)
    assert cure in str(caught.value)


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


@pytest.mark.skipif(find_spec("python_calamine") is None, reason="reads workbooks")
@pytest.mark.parametrize("name", ["book.xlsx", "book.csv", "book"])
def test_a_broken_workbook_is_refused_as_one_whatever_it_is_called(name, tmp_path):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(DataContractError, match="it is no workbook that can be read"):
        read_log(tmp_path / name, **NAMES)
    old = tmp_path / f"old_{name}"
    old.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(DataContractError, match="it is no workbook that can be read"):
        read_log(old, **NAMES)
