"""Tables as CSV: what is read back is what was written, and no text runs in a spreadsheet."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue._csv import runs, write_csv
from custvalue._warn import heard
from custvalue.exceptions import DataWarning


def written(frame, path, **options):
    with heard(DataWarning) as told:
        write_csv(frame, path, **options)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file)), told


def test_reading_it_gives_the_frame(tmp_path, rng):
    frame = pd.DataFrame(
        {
            "who": ["007", "a,b", 'say "x"', "line\nbreak", "car\rriage", "客户"],
            "n": [1, 2, 3, 4, 5, 2**62],
            "money": [0.1 + 0.2, 1e-300, 123456.78, -5.0, np.nan, 1e22],
            "day": pd.to_datetime(["2024-01-01", "2024-02-29", None] + 3 * ["1999-12-31"]),
            "time": pd.Timestamp("2024-01-01 10:30") + pd.to_timedelta(np.arange(6), "h"),
            "yes": [True, False] * 3,
        }
    )  # fmt: skip
    path = tmp_path / "a.csv"
    write_csv(frame, path)
    back = pd.read_csv(path, dtype={"who": str, "money": str}, parse_dates=["day", "time"])
    back["money"] = back["money"].map(float)  # pandas' own reader may miss the last digit
    for name in ("day", "time"):
        back[name] = back[name].astype(frame[name].dtype)
    back["who"] = back["who"].astype(frame["who"].dtype)
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


def test_ids_are_exact_even_where_a_missing_one_made_them_floats(tmp_path):
    ids = 6_940_095_564_000.0 + np.arange(10.0)
    rows, _ = written(pd.DataFrame({"c": [*ids, np.nan], "x": 5.0}), tmp_path / "a.csv", ids=["c"])
    assert [row[0] for row in rows[1:]] == [*(str(6_940_095_564_000 + i) for i in range(10)), ""]
    assert rows[1][1] == "5.0"


def test_numbers_missing_and_objects_of_every_kind(tmp_path):
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None], dtype="Int64"),
            "text": pd.array(["a", None], dtype="string"),
            "mixed": [-1, None],
            "kind": pd.Categorical(["x", None]),
        }
    )
    rows, _ = written(frame, tmp_path / "a.csv")
    assert rows == [["whole", "text", "mixed", "kind"], ["1", "a", "-1.0", "x"], ["", "", "", ""]]


ATTACKS = [
    "=cmd|' /C calc'!A0", "+1", "-2", "@SUM(A1)", "\t=1+1", "\r=1+1", " =1+1", "\n=1",
    "'=1+1", "＝1+1", "＋1", "－1", "＠SUM",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_cell_begins_like_a_formula_and_one_apostrophe_gives_the_text_back(tmp_path, attack):
    rows, told = written(pd.DataFrame({"who": [attack, "plain"]}), tmp_path / "a.csv")
    assert rows[1] == ["'" + attack]
    assert rows[2] == ["plain"]
    assert len(told) == 1
    assert "1 cells of a.csv" in str(told[0])
    kept, told = written(pd.DataFrame({"who": [attack]}), tmp_path / "a.csv", formulas="keep")
    assert kept[1] == [attack]
    assert not told


def test_names_of_columns_run_no_formula_either(tmp_path):
    rows, _ = written(pd.DataFrame({"=1+1": [1]}), tmp_path / "a.csv")
    assert rows[0] == ["'=1+1"]


def test_a_carriage_return_begins_no_line(tmp_path):
    path = tmp_path / "a.csv"
    write_csv(pd.DataFrame({"who": ["a\r=1+1", "b"]}), path)
    assert path.read_bytes() == b'who\n"a\r=1+1"\nb\n'


def test_negative_numbers_are_numbers(tmp_path):
    rows, told = written(pd.DataFrame({"x": [-1.5], "n": [-2]}), tmp_path / "a.csv")
    assert rows[1] == ["-1.5", "-2"]
    assert not told


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_texts_come_back(tmp_path_factory, texts):
    rows, _ = written(pd.DataFrame({"a": texts, "b": 1}), tmp_path_factory.mktemp("x") / "a.csv")
    back = [row[0][1:] if runs(row[0][1:]) and row[0][:1] == "'" else row[0] for row in rows[1:]]
    assert back == texts
    assert not any(row[0][:1] in set("=+-@＝＋－＠\t\r") and runs(row[0]) for row in rows[1:])


def test_another_word_for_formulas_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'escape' or 'keep'"):
        write_csv(pd.DataFrame({"a": [1]}), tmp_path / "a.csv", formulas="drop")
