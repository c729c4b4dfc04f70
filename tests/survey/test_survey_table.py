"""One table of all numbers: each is what its own function says of the rows of its cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataContractError, SmallSampleWarning
from custvalue.survey import (
    Item,
    net_promoter,
    rake,
    satisfaction_index,
    survey_table,
    top_box,
    wave_change,
)

ITEMS = {
    "again": Item("net_promoter", (0, 10)),
    "content": Item("index", (1, 5), columns=("a", "b"), weights=(3, 1)),
    "a": Item("mean", (1, 5)),
    "pleased": Item("top_box", (1, 5), columns=["b"]),
    "knows": Item("share"),
}


@pytest.fixture
def answers():
    random = np.random.default_rng(0)
    n = 160
    return pd.DataFrame(
        {
            "id": np.tile(np.arange(80), 2),
            "year": np.repeat([2024, 2025], 80),
            "town": np.tile(["north", "south"], 80),
            "again": random.integers(0, 11, n),
            "a": random.integers(1, 6, n).astype(float),
            "b": random.integers(1, 6, n).astype(float),
            "knows": random.integers(0, 2, n),
            "w": random.uniform(0.5, 2.0, n),
        }
    )


def test_each_number_is_what_its_function_says_of_the_cell(answers):
    answers.loc[0, "a"] = np.nan
    table = survey_table(answers, ITEMS, by="town", weight="w").set_index(["item", "town"])
    north = answers[answers["town"] == "north"]
    for name, wanted in {
        "again": net_promoter(north["again"], sample_weight=north["w"]),
        "content": satisfaction_index(north[["a", "b"]], (1, 5), [3, 1], sample_weight=north["w"]),
        "pleased": top_box(north["b"], scale=(1, 5), sample_weight=north["w"]),
    }.items():
        row = table.loc[(name, "north")]
        assert row[["value", "low", "high", "n_eff"]].to_list() == pytest.approx(
            [wanted.value, wanted.low, wanted.high, wanted.n_eff]
        )
        assert row["n"] == wanted.n
    assert table.loc[("a", "north"), ["n", "missing"]].to_list() == [79, 1]


def test_waves_add_the_change_paired_by_respondent(answers):
    table = survey_table(answers, ITEMS, wave="year", respondent="id")
    row = table[(table["item"] == "again") & (table["year"] == 2025)].iloc[0]
    before, now = (answers[answers["year"] == year] for year in (2024, 2025))
    wanted = wave_change(
        before["again"],
        now["again"],
        measure="net_promoter",
        scale=(0, 10),
        respondent=(before["id"], now["id"]),
    )
    assert row[["change", "change_low", "change_high", "z", "n_both"]].to_list() == pytest.approx(
        [wanted.difference, wanted.low, wanted.high, wanted.z, 80]
    )
    first = table[(table["item"] == "again") & (table["year"] == 2024)].iloc[0]
    assert np.isnan(first["change"])


def test_weights_of_raking_bring_a_table_to_the_population(answers):
    answers["w"] = rake(answers, {"town": {"north": 0.8, "south": 0.2}}).weights
    row = survey_table(answers, {"knows": Item("share")}, weight="w").iloc[0]
    shares = answers.groupby("town")["knows"].mean()
    assert row["value"] == pytest.approx(0.8 * shares["north"] + 0.2 * shares["south"])
    assert row["n_eff"] < row["n"] == 160


def test_small_cells_are_named_and_one_answer_has_no_interval(answers):
    answers.loc[0, "town"] = "east"
    with pytest.warns(SmallSampleWarning, match=r"knows, east \(1\)"):
        table = survey_table(answers, {"knows": Item("share")}, by="town", language="zh")
    assert table.set_index("town").loc["east", "说明"] == "回答不足 2 份"


def test_headings_speak_chinese_but_for_the_users_own(answers):
    table = survey_table(answers, ITEMS, by="town", wave="year", language="zh")
    english = [c for c in table.columns if c.isascii()]
    assert english == ["town", "year"]
    assert set(table["指标"]) == {"净推荐值", "满意度指数", "均值", "高分占比", "占比"}


def test_all_that_is_wrong_is_told_together(answers):
    answers.loc[3, "again"] = 11
    answers.loc[4, "a"] = 0
    with pytest.raises(DataContractError) as caught:
        survey_table(answers, {"again": ITEMS["again"], "a": ITEMS["a"]})
    assert [p.code for p in caught.value.problems] == ["outside-scale"] * 2
    answers.loc[5, "town"] = None
    with pytest.raises(DataContractError) as caught:
        survey_table(answers, {"agan": ITEMS["again"]}, by="town")
    assert [p.code for p in caught.value.problems] == ["missing-column", "missing-key"]
    assert "Did you mean 'again'?" in str(caught.value)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({}, "items is empty"),
        ({"a": Item("median", (1, 5))}, "'median'"),
        ({"a": Item("mean")}, "stated, never guessed"),
        ({"x": Item("mean", (1, 5), columns=("a", "b"))}, "only an index"),
    ],
)
def test_items_that_cannot_be_are_refused_by_name(answers, items, message):
    with pytest.raises(ValueError, match=message):
        survey_table(answers, items)
