"""Every heading and code that the room's tables show has its Chinese."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from custvalue.survey import (
    Item,
    Need,
    NeedsCoverage,
    PerceivedValue,
    awareness,
    derived_importance,
    dimensions,
    expectation_gap,
    importance_performance,
    kano_classes,
    reliability,
    serves_table,
    survey_table,
)
from custvalue.survey._dimensions import PRESETS

random = np.random.default_rng(0)
ANSWERS = pd.DataFrame(random.integers(1, 6, (40, 3)), columns=["甲", "乙", "丙"])
RATINGS = ANSWERS.assign(编号=np.repeat(np.arange(20), 2), 品牌=["我方", "对手"] * 20, 年=1)
RATINGS = pd.concat([RATINGS, RATINGS.assign(年=2)])
VALUE = PerceivedValue(
    benefits=["甲", "乙"], sacrifices=["丙"], scale=(1, 5), brand="品牌", respondent="编号",
    wave="年", quality_weight=0.5, n_draws=10,
)  # fmt: skip
NEEDS = {
    "甲": Need(4, layer="core"),
    "乙": Need(4, layer="additional"),
    "丙": Need(3, layer="latent"),
}


@pytest.fixture(scope="module")
def tables():
    value = VALUE.fit(RATINGS)
    needs = NeedsCoverage(needs=NEEDS).fit(ANSWERS)
    y = ANSWERS.sum(axis=1)
    found = awareness([1, 1, 0, 1], [1, 1, 0, 0], [1, 0, 0, 0])
    rivals = {"对手": {"甲": 3}}
    return {
        "value": value.value_table(language="zh"),
        "map": value.value_map_table(language="zh"),
        "gaps": value.gap_table("我方", "对手", language="zh"),
        "propositions": value.proposition_table("我方", language="zh"),
        "weights": value.weight_table(language="zh"),
        "waves": value.wave_table(language="zh"),
        "customers": value.customer_table(RATINGS, "我方", language="zh"),
        "importance": derived_importance(ANSWERS, y, n_draws=10).table("zh"),
        "reliability": reliability(ANSWERS).table("zh"),
        "expectation": expectation_gap([5, 4, 5, 4, 5], [4, 4, 4, 4, 4]).table("zh"),
        "quadrants": importance_performance(
            [9, 8, 5, 4], [4, 9, 9, 3], items=list("甲乙丙丁")
        ).table("zh"),
        "kano": kano_classes(["like"] * 5, ["neutral"] * 5).table("zh"),
        "awareness": type(found).table({"我方": found}, language="zh"),
        "survey": survey_table(
            RATINGS,
            {"甲": Item("mean", (1, 5)), "乙": Item("top_box", (1, 5))},
            by="品牌",
            wave="年",
            language="zh",
        ),
        "coverage": needs.coverage_table(ANSWERS, language="zh"),
        "work": needs.work_table(ANSWERS, language="zh"),
        "advantage": needs.advantage_table(ANSWERS, rivals, language="zh"),
        "message": needs.message_table(ANSWERS, language="zh"),
        "stage": needs.stage_table(
            ANSWERS[:4], ["new", "core", "strategic", "problem"], language="zh"
        ),
        **{kind: dimensions(kind, language="zh") for kind in PRESETS},
    }


def test_no_table_in_chinese_has_an_english_word(tables):
    for name, table in tables.items():
        words = [str(c) for c in table.columns]
        words += [cell for column in table for cell in table[column] if isinstance(cell, str)]
        left = {w for w in words if re.search(r"[A-Za-z]{2,}", w)}
        assert left == set(), name


def test_codes_stay_english_where_english_is_asked_for(tables):
    english = VALUE.gap_table("我方", "对手", language="en")
    assert english["attribute"].to_list()[-1] == "total"
    assert not re.search(r"[\u4e00-\u9fff]", " ".join(serves_table().columns))
