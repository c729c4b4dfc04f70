"""The folder of a report: one run's files, exact, and harmless to whoever opens them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue.exceptions import DataWarning
from custvalue.report import make_report


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_no_list_of_an_earlier_run_stays_beside_a_new_page(report, tmp_path):
    plan = report.customers[["customer_id"]].head(3)
    replace(report, campaign=plan).write(tmp_path)
    assert "campaign.csv" in names(tmp_path)
    replace(report, campaign=None).write(tmp_path)
    left = ["customers.csv", "ledger.json", "report.html", "segments.csv", "transitions.csv"]
    assert names(tmp_path) == left
    report.write(tmp_path, tables="parquet")
    assert not [name for name in names(tmp_path) if name.endswith(".csv")]


def test_the_ledger_lists_the_files_beside_its_rows(report, tmp_path):
    report.write(tmp_path)
    book = json.loads((tmp_path / "ledger.json").read_text("utf-8"))
    assert book["rows_in"] == report.ledger["rows_in"]
    assert sorted([*book["files"], "ledger.json"]) == names(tmp_path)


def test_the_table_of_customers_read_back_is_the_table(report, tmp_path):
    report.write(tmp_path)
    # before pandas 3 the default parser of numbers was off in the last digit
    exact = {"float_precision": "round_trip"} if pd.__version__ < "3" else {}
    dates = ["first_order", "last_order"]
    back = pd.read_csv(tmp_path / "customers.csv", parse_dates=dates, **exact)
    want = report.customers.reset_index(drop=True)
    assert back["customer_id"].tolist() == want["customer_id"].tolist()
    for name in want.columns:
        if want[name].dtype.kind == "f":
            np.testing.assert_allclose(back[name], want[name], rtol=1e-15, err_msg=name)
        else:
            assert back[name].tolist() == want[name].tolist(), name


def test_long_ids_that_came_as_floats_and_cents_of_large_totals_are_written_whole(tmp_path, rng):
    n = 80
    ids = 6_940_095_564_000 + rng.integers(0, 10, n)
    log = pd.DataFrame(
        {
            "c": ids.astype(float),
            "t": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
            "a": 123456.78,
        }
    )
    made = make_report(log, customer="c", time="t", amount="a", as_of="2023-11-01")
    made.write(tmp_path)
    back = pd.read_csv(tmp_path / "customers.csv", dtype=str)
    assert sorted(back["c"]) == sorted({str(i) for i in ids})
    spent = pd.Series(123456.78, index=[str(i) for i in ids]).groupby(level=0).sum().round(2)
    got = back.set_index("c")["total_value"].astype(float).round(2)
    assert got[spent.index].tolist() == spent.tolist()


def test_ids_that_a_spreadsheet_would_run_are_escaped_and_it_is_said(report, tmp_path):
    customers = report.customers.head(4).assign(customer_id=["=1+1", "+1", "-2", "@SUM"])
    plan = customers[["customer_id"]]
    made = replace(report, customers=customers, campaign=plan)
    with pytest.warns(DataWarning, match=r"4 cells of (customers|campaign)\.csv"):
        made.write(tmp_path / "safe")
    for name in ("customers", "campaign"):
        text = pd.read_csv(tmp_path / "safe" / f"{name}.csv", dtype=str)["customer_id"]
        assert text.tolist() == ["'=1+1", "'+1", "'-2", "'@SUM"]
    made.write(tmp_path / "raw", formulas="keep")
    raw = pd.read_csv(tmp_path / "raw" / "customers.csv", dtype=str)["customer_id"]
    assert raw.tolist() == ["=1+1", "+1", "-2", "@SUM"]


def test_the_command_line_refuses_before_the_work_and_writes_with_force(
    monkeypatch, tmp_path, capsys, report
):
    log, out = tmp_path / "orders.csv", tmp_path / "out"
    log.write_text("customer_id,date,amount\n1,2024-01-01,5\n")
    out.mkdir()
    (out / "customers.csv").write_text("mine")
    worked = []

    def make(*_, **__):
        worked.append(1)
        return report

    monkeypatch.setattr("custvalue.report.make_report", make)
    call = ["--customer=customer_id", "--time=date", "--amount=amount", f"--out={out}"]
    monkeypatch.setattr(sys, "argv", ["custvalue", "report", str(log), *call])
    assert cli.run() == 2
    error = capsys.readouterr().err
    assert "customers.csv" in error
    assert "--force" in error
    assert not worked
    assert (out / "customers.csv").read_text() == "mine"
    monkeypatch.setattr(sys, "argv", ["custvalue", "report", str(log), *call, "--force"])
    assert cli.run() == 0
    assert "customer_id" in (out / "customers.csv").read_text()
