"""``custvalue examine``: a file in, what is odd about it in words, and the command that is next."""

from __future__ import annotations

import json
import sys

import pandas as pd
import pytest

from custvalue import cli

ROWS = """客户编号;下单日期;实付金额
007;31.12.2023;1.234,50
7;30.12.2023;12,00
测试;13.11.2023;5,10
"""


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", "examine", *map(str, arguments)])
    return cli.run()


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "my log.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_ids_keep_their_zeros_and_the_command_has_what_the_rows_ask_for(rows, monkeypatch, capsys):
    assert run(monkeypatch, rows) == 0
    said = capsys.readouterr().out
    assert "'007' = '7'" in said
    columns = "--customer '客户编号' --time '下单日期' --amount '实付金额'"
    marks = "--time-format %d.%m.%Y --decimal , --thousands ."
    assert f"Next: custvalue report '{rows}' {columns} {marks}\n" in said


def test_words_are_chinese_where_they_are_asked_for(rows, monkeypatch, capsys):
    assert run(monkeypatch, rows, "--language", "zh") == 0
    said = capsys.readouterr().out
    assert "[警告] test-customers" in said
    assert "下一步：custvalue report" in said


def test_findings_are_written_as_csv_or_json_and_nobody_s_file_is_lost(rows, monkeypatch, tmp_path):
    assert run(monkeypatch, rows, "--out", tmp_path / "odd.csv") == 0
    table = pd.read_csv(tmp_path / "odd.csv")
    assert list(table.columns) == [
        "code", "severity", "what", "rows", "customers", "money", "first", "cure"
    ]  # fmt: skip
    assert run(monkeypatch, rows, "--out", tmp_path / "odd.json") == 0
    plain = json.loads((tmp_path / "odd.json").read_text("utf-8"))
    assert plain["money"] == 1251.6
    assert [one["code"] for one in plain["findings"]] == table["code"].tolist()
    assert run(monkeypatch, rows, "--out", tmp_path / "odd.json") == 2
    assert run(monkeypatch, rows, "--out", tmp_path / "odd.json", "--force") == 0
    assert run(monkeypatch, rows, "--out", tmp_path / "odd.xlsx") == 2


def test_a_wrong_name_or_file_is_one_line_of_error(rows, monkeypatch, capsys, tmp_path):
    assert run(monkeypatch, rows, "--customer", "客户号") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run(monkeypatch, tmp_path / "none.csv") == 2
