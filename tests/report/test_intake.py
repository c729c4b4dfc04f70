"""Any file a shop has gives the numbers of the plain CSV, by Python and by the command line."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shlex
import sqlite3
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue import cli
from custvalue.exceptions import DataContractError, DataWarning
from custvalue.report import read_log

COLUMNS = {"customer": "who", "time": "when", "amount": "paid"}
AS_OF = "2024-12-31"


@pytest.fixture(scope="module")
def orders():
    rng = np.random.default_rng(5)
    day = np.datetime64("2024-01-05") + rng.integers(0, 350, 60)
    return pd.DataFrame(
        {
            "who": rng.integers(100, 112, 60),
            "when": np.sort(day).astype(str),
            "paid": rng.integers(100, 900_000, 60) / 100,
        }
    )


def summary(frame, **policies):
    return cv.summarize(frame, **COLUMNS, as_of=AS_OF, **policies).sort_values("who")


@pytest.fixture(scope="module")
def wanted(orders):
    return summary(orders)


# ---- a file of each kind -------------------------------------------------------------------------


def csv(orders, folder, **how):
    orders.to_csv(folder / "log.csv", index=False, **how)
    return folder / "log.csv"


def money(orders, form):
    return orders.assign(paid=[form(value) for value in orders["paid"]])


def european(value):
    return f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def excel(orders, folder, sheet="Orders", **how):
    pytest.importorskip("openpyxl", reason="writes workbooks")
    pytest.importorskip("python_calamine", reason="reads workbooks")
    dated = orders.assign(when=pd.to_datetime(orders["when"]))
    dated.to_excel(folder / "log.xlsx", sheet_name=sheet, index=False, **how)
    return folder / "log.xlsx"


def excel_of_sheets(orders, folder):
    excel(orders.head(3), folder)
    with pd.ExcelWriter(folder / "two.xlsx", engine="openpyxl") as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="About", index=False)
        orders.to_excel(book, sheet_name="Sales", index=False)
    return folder / "two.xlsx"


def gz(orders, folder):
    (folder / "log.csv.gz").write_bytes(gzip.compress(csv(orders, folder).read_bytes()))
    return folder / "log.csv.gz"


def zipped(orders, folder):
    with zipfile.ZipFile(folder / "log.zip", "w") as archive:
        archive.writestr("jan.csv", orders.head(20).to_csv(index=False))
        archive.writestr("rest.csv", orders.tail(40).to_csv(index=False))
        archive.writestr("__MACOSX/._jan.csv", b"\0\1")
    return folder / "log.zip"


def several(orders, folder):
    for i in range(3):
        part = orders.iloc[20 * i : 20 * i + 20]
        part[["paid", "when", "who"]].to_csv(folder / f"part-{i}.csv", index=False)
    return folder


def json_lines(orders, folder):
    lines = orders.to_dict("records")
    text = "\n".join(json.dumps({"who": r.pop("who"), **r}) for r in lines)
    (folder / "log.jsonl").write_text(text + "\n\n")
    return folder / "log.jsonl"


def json_list(orders, folder):
    rows = [{"order": r, "at": {"when": r["when"]}} for r in orders.to_dict("records")]
    (folder / "log.json").write_text(json.dumps(rows))
    return folder / "log.json"


def sqlite(orders, folder):
    with sqlite3.connect(folder / "shop.db") as there:
        orders.to_sql("orders", there, index=False)
    there.close()
    return folder / "shop.db"


def duckdb_file(orders, folder):
    duckdb = pytest.importorskip("duckdb", reason="the file's own library")
    with duckdb.connect(str(folder / "shop.duckdb")) as there:
        there.register("rows", orders)
        there.execute("CREATE TABLE orders AS SELECT * FROM rows")
        there.execute("CREATE TABLE other AS SELECT 1 AS x")
    return folder / "shop.duckdb"


def seconds(orders, per):
    stamps = pd.to_datetime(orders["when"]) + pd.Timedelta("9h")
    return orders.assign(when=(stamps - pd.Timestamp(0)) // pd.Timedelta(1, per))


def serials(orders):
    days = pd.to_datetime(orders["when"]) - pd.Timestamp("1899-12-30")
    return orders.assign(when=days / pd.Timedelta("1D"))


def offsets(orders):
    berlin = (pd.to_datetime(orders["when"]) + pd.Timedelta("12h")).dt.tz_localize("Europe/Berlin")
    return orders.assign(when=[stamp.isoformat() for stamp in berlin])


def two_currencies(orders, folder):
    code = np.where(np.arange(60) % 3 == 0, "USD", "EUR")
    paid = np.where(code == "USD", orders["paid"] / 0.5, orders["paid"])
    return csv(orders.assign(paid=paid, currency=code), folder)


def signs(orders, folder):
    texts = [f"${v / 0.5:.4f}" if i % 3 == 0 else f"{v:.2f} €" for i, v in
             enumerate(orders["paid"])]  # fmt: skip
    return csv(orders.assign(paid=texts), folder)


def rates_file(folder):
    (folder / "rates.csv").write_text("currency,rate\nEUR,1\nUSD,0.5\n")
    return folder / "rates.csv"


KINDS = {
    "parquet": lambda o, f: o.to_parquet(f / "x.parquet") or (f / "x.parquet", {}),
    "excel": lambda o, f: (excel(o, f), {}),
    "excel with titles above": lambda o, f: (excel(o, f, startrow=3), {}),
    "excel, a sheet": lambda o, f: (excel_of_sheets(o, f), {"sheet": "Sales"}),
    "gz": lambda o, f: (gz(o, f), {}),
    "zip of several": lambda o, f: (zipped(o, f), {}),
    "utf-16": lambda o, f: (csv(o, f, encoding="utf-16", sep="\t"), {}),
    "utf-16 without its mark": lambda o, f: (
        csv(o, f, encoding="utf-16-le"), {"encoding": "utf-16-le"}),
    "a folder": lambda o, f: (several(o, f), {}),
    "a pattern": lambda o, f: (str(several(o, f) / "part-*.csv"), {}),
    "several files": lambda o, f: ([several(o, f) / f"part-{i}.csv" for i in (2, 0, 1, 0)], {}),
    "decimal comma": lambda o, f: (
        csv(money(o, european), f, sep=";"), {"decimal": ",", "thousands": "."}),
    "euros": lambda o, f: (
        csv(money(o, lambda v: f"{european(v)} €"), f, sep=";"),
        {"decimal": ",", "thousands": "."}),
    "dollars": lambda o, f: (csv(money(o, lambda v: f"${v:,.2f}"), f), {"thousands": ","}),
    "swiss": lambda o, f: (
        csv(money(o, lambda v: f"CHF {v:,.2f}".replace(",", "'")), f), {"thousands": "'"}),
    "no header": lambda o, f: (csv(o, f, header=False), {"names": ["who", "when", "paid"]}),
    "whole numbers for dates": lambda o, f: (
        csv(o.assign(when=o["when"].str.replace("-", "")), f), {}),
    "whole numbers for dates in JSON": lambda o, f: (
        json_lines(o.assign(when=o["when"].str.replace("-", "").astype(int)), f), {}),
    "unix": lambda o, f: (csv(seconds(o, "s"), f), {"time_format": "unix"}),
    "unix-ms": lambda o, f: (json_lines(seconds(o, "ms"), f), {"time_format": "unix-ms"}),
    "unix-us": lambda o, f: (csv(seconds(o, "us"), f), {"time_format": "unix-us"}),
    "excel dates": lambda o, f: (csv(serials(o), f), {"time_format": "excel"}),
    "day first": lambda o, f: (
        csv(o.assign(when=pd.to_datetime(o["when"]).dt.strftime("%d/%m/%Y")), f),
        {"time_format": "%d/%m/%Y"}),
    "summer and winter": lambda o, f: (csv(offsets(o), f), {"time_zone": "Europe/Berlin"}),
    "a column of currencies": lambda o, f: (two_currencies(o, f), {"rates": rates_file(f)}),
    "signs of currencies": lambda o, f: (signs(o, f), {"rates": rates_file(f)}),
    "JSON lines": lambda o, f: (json_lines(o, f), {}),
    "sqlite": lambda o, f: (sqlite(o, f), {}),
    "sqlite, a query": lambda o, f: (sqlite(o, f), {"query": "SELECT * FROM orders WHERE ':b'<>1"}),
    "a database URL": lambda o, f: (f"sqlite:///{sqlite(o, f)}", {}),
    "duckdb": lambda o, f: (duckdb_file(o, f), {"query": "SELECT * FROM orders"}),
}  # fmt: skip
NEEDS = {"sqlite": "sqlalchemy", "a database URL": "sqlalchemy"}


def same_summary(found, wanted):
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True),
        wanted.reset_index(drop=True),
        check_dtype=False,  # of dates: days here, microseconds there
        rtol=1e-12,
    )


def command_words(words):
    said = []
    for name, value in words.items():
        text = ",".join(value) if isinstance(value, list) else str(value)
        said += [f"--{name.replace('_', '-')}", text]
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_any_kind_gives_the_numbers_of_the_plain_csv(
    kind, orders, wanted, tmp_path, monkeypatch
):
    if kind.startswith("sqlite") or "URL" in kind:
        pytest.importorskip("sqlalchemy", reason="asks databases")
    source, words = KINDS[kind](orders, tmp_path)
    frame = read_log(source, **COLUMNS, **words)
    assert list(frame.columns) == ["who", "when", "paid"]
    same_summary(summary(frame), wanted)

    taken = {}
    monkeypatch.setattr(
        "custvalue.report.make_report", lambda log, **asked: taken.update(log=log, **asked) or _Made
    )
    files = source if isinstance(source, list) else [source]
    columns = command_words(COLUMNS)
    words = [*map(str, files), *columns, *command_words(words), "--as-of", AS_OF]
    monkeypatch.setattr(sys, "argv", ["custvalue", "report", *words, "--out", str(tmp_path / "r")])
    assert cli.run() == 0
    policies = {name: taken[name] for name in ("refunds", "zero_amounts", "duplicates", "invalid")}
    same_summary(summary(taken["log"], **policies), wanted)


class _Made:
    facts = {"notes_on_rows": []}

    @staticmethod
    def write(out, **how):
        return []

    @staticmethod
    def summary_text():
        return ""


def test_the_demo_reads_its_own_log(tmp_path, monkeypatch):
    taken = {}
    monkeypatch.setattr(
        "custvalue.report.make_report", lambda log, **asked: taken.update(log=log, **asked) or _Made
    )
    words = ["report", "--demo", "--out", str(tmp_path / "r")]
    monkeypatch.setattr(sys, "argv", ["custvalue", *words])
    assert cli.run() == 0
    assert taken["source"] == "CDNOW"
    assert len(taken["log"]) == 69_659  # the whole cohort, as published


@pytest.mark.parametrize(
    "kind",
    ["excel", "zip of several", "euros", "excel dates", "unix-ms", "JSON lines", "sqlite",
     "summer and winter", "no header", "several files", "a database URL"],
)  # fmt: skip
def test_the_command_that_examine_prints_reads_the_file(
    kind, orders, wanted, tmp_path, monkeypatch, capsys
):
    if kind == "sqlite" or "URL" in kind:
        pytest.importorskip("sqlalchemy", reason="asks databases")
    source, words = KINDS[kind](orders, tmp_path)
    told = {k: v for k, v in words.items() if k in ("names", "sheet", "query", "encoding")}
    files = source if isinstance(source, list) else [source]
    monkeypatch.setattr(
        sys, "argv", ["custvalue", "examine", *map(str, files), *command_words(told)]
    )
    assert cli.run() == 0
    line = capsys.readouterr().out.strip().splitlines()[-1]
    command = shlex.split(line.removeprefix("Next: "))
    assert command[:2] == ["custvalue", "report"]
    taken = {}
    monkeypatch.setattr(
        "custvalue.report.make_report", lambda log, **asked: taken.update(log=log, **asked) or _Made
    )
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "r")])
    assert cli.run() == 0
    assert {name: taken[name] for name in COLUMNS} == COLUMNS
    # the zone of the days is for whoever knows the shop: UTC stands for it
    same_summary(summary(taken["log"]), wanted)


# ---- what a file can be told ---------------------------------------------------------------------


def test_groups_of_digits_must_be_groups(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text('who,when,paid\na,2024-01-01,"12,50"\n')
    with pytest.raises(DataContractError, match="line 2: '12,50'"):
        read_log(path, **COLUMNS, thousands=",")
    path.write_text(
        'who,when,paid\na,2024-01-01,"1,23,456.50"\nb,2024-01-01,(7)\nc,2024-01-01,8-\n'
    )
    assert read_log(path, **COLUMNS, thousands=",")["paid"].tolist() == [123456.5, -7.0, -8.0]
    with pytest.raises(ValueError, match="must be one mark"):
        read_log(path, **COLUMNS, decimal=",", thousands=",")


def test_lines_of_an_order_are_one_purchase_at_its_first_time(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "who,when,paid,order\na,2024-01-03,5,1\na,2024-01-01,7,1\na,2024-01-03,-2,1\n"
        "b,2024-01-01,4,1\nb,2024-01-05,9,\nb,2024-01-05,1,\n"
    )
    with pytest.warns(DataWarning, match=r"6 lines of log.csv are 4 orders by column 'order'"):
        frame = read_log(path, **COLUMNS, order="order", occasion="order")
    rows = sorted(frame[["who", "when", "paid"]].itertuples(index=False, name=None))
    assert rows == [
        ("a", "2024-01-01", 10.0), ("b", "2024-01-01", 4.0),
        ("b", "2024-01-05", 1.0), ("b", "2024-01-05", 9.0),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="needs order="):
        read_log(path, **COLUMNS, occasion="order")


def test_cells_that_cannot_be_read_are_refused_or_missing_and_counted(tmp_path):
    path = tmp_path / "log.csv"
    rows = [f"c{i},2024-01-{i + 1:02d},{i}" for i in range(30)]
    path.write_text("\n".join(["who,when,paid", *rows, "x,2024-02-01,free", "y,soon,3"]) + "\n")
    with pytest.raises(DataContractError, match="line 32: 'free'"):
        read_log(path, **COLUMNS)
    with pytest.warns(DataWarning) as told:
        frame = read_log(path, **COLUMNS, invalid="drop")
    assert ["1 cells" in str(one.message) for one in told] == [True, True]
    with pytest.warns(DataWarning, match="rows left out"):
        book = cv.ledger(cv.summarize(frame, **COLUMNS, as_of=AS_OF))
    assert {d.reason: d.rows for d in book.dropped} == {
        "missing_time": 1, "bad_amount": 1, "zero_amount": 1
    }  # fmt: skip


def test_several_currencies_are_refused_without_rates(orders, tmp_path):
    for source in (two_currencies(orders, tmp_path), signs(orders, tmp_path)):
        with pytest.raises(DataContractError, match=r"several currencies \(USD, EUR\).*--rates"):
            read_log(source, **COLUMNS)
    with pytest.raises(DataContractError, match="amounts in USD, which the table of rates does"):
        read_log(source, **COLUMNS, rates={"EUR": 1.0})
    with pytest.raises(DataContractError, match="rates must be numbers above 0"):
        read_log(source, **COLUMNS, rates={"EUR": 1.0, "USD": 0.0})
    with pytest.raises(DataContractError, match=r"nothing in log.csv tells the currency"):
        read_log(csv(orders, tmp_path), **COLUMNS, rates={"EUR": 1.0})


def test_a_rate_holds_from_its_day_on(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "who,when,paid,cur\na,2024-01-31,10,usd\na,2024-02-01,10,usd\nb,2024-03-01,10,EUR\n"
    )
    rates = pd.DataFrame({"currency": ["USD", "USD", "EUR"], "rate": [0.9, 0.8, 1.0],
                          "date": ["2024-01-01", "2024-02-01", None]})  # fmt: skip
    words = {**COLUMNS, "currency_column": "cur"}
    assert read_log(path, **words, rates=rates)["paid"].tolist() == [9.0, 8.0, 10.0]
    late = rates[rates["date"] != "2024-01-01"]
    with pytest.raises(DataContractError, match="USD before 2024-02-01"):
        read_log(path, **words, rates=late)


def test_files_that_are_the_same_or_of_other_columns_are_refused(orders, tmp_path):
    csv(orders, tmp_path)
    (tmp_path / "copy.csv").write_bytes((tmp_path / "log.csv").read_bytes())
    with pytest.raises(DataContractError, match=r"count twice: log.csv = copy.csv"):
        read_log(tmp_path, **COLUMNS)
    (tmp_path / "copy.csv").write_text("who,when,price\na,2024-01-01,1\n")
    with pytest.raises(DataContractError, match=r"log.csv has no 'price' and has 'paid' besides"):
        read_log(tmp_path, **COLUMNS)
    with pytest.raises(DataContractError, match="no file fits"):
        read_log(str(tmp_path / "*.tsv"), **COLUMNS)
    with pytest.raises(FileNotFoundError, match=r"away\.csv' does not exist"):
        read_log(tmp_path / "away.csv", **COLUMNS)


def test_rows_that_two_files_share_are_said(orders, tmp_path):
    orders[:40].to_csv(tmp_path / "a.csv", index=False)
    orders[25:].to_csv(tmp_path / "b.csv", index=False)
    with pytest.warns(DataWarning, match=r"15 of 35 rows of b\.csv stand in a file before it"):
        log = read_log(tmp_path, **COLUMNS)
    assert len(log) == 75  # nothing is left out unasked
    orders[40:].to_csv(tmp_path / "b.csv", index=False)
    assert len(read_log(tmp_path, **COLUMNS)) == 60  # and no warning


def test_a_line_of_several_files_is_named_by_its_file(orders, tmp_path):
    csv(orders, tmp_path)
    (tmp_path / "more.csv").write_text("who,when,paid\na,2024-01-01,1\nb,2024-01-02,?\n")
    with pytest.raises(DataContractError, match=r"line more.csv:3: '\?'"):
        read_log(tmp_path, **COLUMNS)


def test_a_file_without_a_header_is_hinted_at(orders, tmp_path):
    path = csv(orders, tmp_path, header=False)
    with pytest.raises(DataContractError, match="no header: say names="):
        read_log(path, **COLUMNS)
    with pytest.raises(DataContractError, match="3 fields in its first line, and names= has 2"):
        read_log(path, **COLUMNS, names=["who", "when"])


@pytest.mark.parametrize(
    "write",
    [
        lambda f: f,
        lambda f: f.assign(when=pd.to_datetime(f["when"]).dt.strftime("%d.%m.%Y")),
        lambda f: f.assign(paid=[f"{int(v)},00 €" for v in f["paid"]]),
    ],
)
def test_the_wizard_sees_that_there_is_no_header(write, orders, tmp_path, monkeypatch, capsys):
    path = tmp_path / "log.csv"
    write(orders).to_csv(path, index=False, header=False, sep=";")
    monkeypatch.setattr(sys, "argv", ["custvalue", "examine", str(path)])
    assert cli.run() == 0
    said = capsys.readouterr()
    assert "the first line is a row and no header" in said.err
    assert f"Examined: rows 60, customers {orders['who'].nunique()}," in said.out
    named = "--customer column1 --time column2 --amount column3"
    assert named in said.out.splitlines()[-1]
    assert "--names column1,column2,column3" in said.out.splitlines()[-1]


def test_days_are_those_of_the_zone_that_was_said(tmp_path, monkeypatch, capsys):
    path = tmp_path / "log.csv"
    lines = ["1,2024-01-10T23:30:00+01:00,5", "1,2024-07-10T00:30:00+02:00,5"]
    path.write_text("\n".join(["who,when,paid", *lines]))
    log = read_log(path, **COLUMNS, time_zone="Europe/Berlin")
    # by hand: the second order is of 10 July in Berlin, and of the 9th in UTC
    for more in ({}, {"time_zone": "Europe/Berlin"}):
        row = cv.summarize(log, **COLUMNS, as_of=AS_OF, **more).iloc[0]
        assert (str(row["first_order"])[:10], str(row["last_order"])[:10]) == (
            "2024-01-10", "2024-07-10",
        )  # fmt: skip
    words = ["--customer", "who", "--time", "when", "--amount", "paid", "--as-of", "2024-07-31"]
    words += ["--horizon", "13W", "--estimator", "rate", "--out", str(tmp_path / "m.json")]
    words += ["--summary", str(tmp_path / "s.parquet"), "--time-zone"]
    monkeypatch.setattr(sys, "argv", ["custvalue", "fit", str(path), *words, "Europe/Berlin"])
    assert cli.run() == 0
    assert str(pd.read_parquet(tmp_path / "s.parquet")["last_order"][0])[:10] == "2024-07-10"
    for command in ("fit", "examine"):
        words = words if command == "fit" else ["--time-zone"]
        monkeypatch.setattr(sys, "argv", ["custvalue", command, str(path), *words, "Europe/Berln"])
        assert cli.run() == 2
    assert "time_zone='Europe/Berln' is no time zone" in capsys.readouterr().err
    with pytest.raises(ValueError, match="is no time zone"):
        read_log(path, **COLUMNS, time_zone="Europe/Berln")


def test_what_numbers_count_must_be_dates(orders, tmp_path):
    path = csv(seconds(orders, "ms"), tmp_path)
    with pytest.raises(DataContractError, match="no date between 1950 and 2100"):
        read_log(path, **COLUMNS, time_format="unix")


@pytest.mark.skipif(importlib.util.find_spec("python_calamine") is None, reason="reads workbooks")
def test_ids_of_a_workbook_are_exact_and_its_other_sheets_are_said(orders, tmp_path):
    pytest.importorskip("openpyxl", reason="writes workbooks")
    rows = pd.DataFrame(
        {"who": ["007", 7, "A7"], "when": ["2024-01-01"] * 3, "paid": [1, 2.5, "3"]}
    )
    with pd.ExcelWriter(tmp_path / "log.xlsx", engine="openpyxl") as book:
        rows.to_excel(book, sheet_name="Orders", index=False)
        rows.to_excel(book, sheet_name="Copy", index=False)
    with pytest.warns(DataWarning, match="2 sheets and the first, 'Orders', was read"):
        frame = read_log(tmp_path / "log.xlsx", **COLUMNS)
    assert frame["who"].tolist() == ["007", "7", "A7"]
    assert frame["paid"].tolist() == [1.0, 2.5, 3.0]
    assert frame.index.tolist() == [2, 3, 4]
    with pytest.raises(DataContractError, match="no sheet 'Sales'; it has 'Orders', 'Copy'"):
        read_log(tmp_path / "log.xlsx", **COLUMNS, sheet="Sales")
    (tmp_path / "cut.xlsx").write_bytes((tmp_path / "log.xlsx").read_bytes()[:-600])
    with pytest.raises(DataContractError, match="cannot be read"):
        read_log(tmp_path / "cut.xlsx", **COLUMNS)


def test_json_that_is_none_is_named_by_its_line(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"who": 9007199254740993, "when": "2024-01-01", "paid": 1}\n{"who": null}\n{x}\n'
    )
    with pytest.raises(DataContractError, match="line 3 is no JSON"):
        read_log(path, **COLUMNS)
    path.write_text(path.read_text().replace("{x}", ""))
    assert read_log(path, **COLUMNS)["who"].tolist()[0] == 9007199254740993


# ---- databases -----------------------------------------------------------------------------------


def test_a_database_of_several_tables_is_asked_for_one(orders, tmp_path):
    path = duckdb_file(orders, tmp_path)
    with pytest.raises(DataContractError, match=r"has the tables 'orders', 'other'.*--query"):
        read_log(path, **COLUMNS)
    with pytest.raises(DataContractError, match=r"did not answer.*Nothing was written"):
        read_log(path, **COLUMNS, query="SELECT nonsense FROM orders")


@pytest.mark.parametrize("address", ["{}", "sqlite:///{}"])
def test_a_database_is_opened_for_reading_alone(address, orders, tmp_path):
    pytest.importorskip("sqlalchemy", reason="asks databases")
    path = sqlite(orders, tmp_path)
    with pytest.raises(DataContractError, match="readonly database"):
        read_log(address.format(path), **COLUMNS, query="DROP TABLE orders")
    assert len(read_log(address.format(path), **COLUMNS)) == 60
    away = tmp_path / "away.db"
    with pytest.raises((DataContractError, FileNotFoundError)):
        read_log(address.format(away), **COLUMNS)
    assert not away.exists()


def test_a_database_that_goes_away_says_so_and_shows_no_password(orders, tmp_path, monkeypatch):
    sa = pytest.importorskip("sqlalchemy", reason="asks databases")
    path = sqlite(pd.concat([orders] * 3), tmp_path)
    monkeypatch.setattr("custvalue.report._databases.ROWS", 50)
    whole = sa.engine.Result.partitions

    def cut(self, size):
        for i, part in enumerate(whole(self, size)):
            if i == 2:
                raise sa.exc.OperationalError("", {}, Exception("server closed the connection"))
            yield part

    monkeypatch.setattr(sa.engine.CursorResult, "partitions", cut)
    with pytest.raises(DataContractError, match="after 100 rows, which were thrown away: server c"):
        read_log(f"sqlite:///{path}", **COLUMNS)
    with pytest.raises(DataContractError, match=r"did not answer") as told:
        read_log("sqlite://shop:secret@host/away/shop.db", **COLUMNS)
    assert "secret" not in str(told.value)
