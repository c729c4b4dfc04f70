"""Needs: a worked example, laws of coverage, layers, stages, complaints, needs that cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.exceptions import DataContractError, DataWarning
from custvalue.lifecycle import playbook
from custvalue.survey import (
    Need,
    NeedsCoverage,
    coder_agreement,
    complaint_kinds,
    kano_classes,
    mention_shares,
    serves_table,
    stage_needs,
    wave_change,
)
from custvalue.survey._needs import KINDS, STAGE_VALUES, VALUES

NEEDS = {
    "quality": Need(4, 5, "core", "quality"),
    "delivery": Need(4, 4, "core", "service"),
    "price moves": Need(3, 3, "additional", "information"),
    "training": Need(3, 2, "additional", "service"),
    "joint R&D": Need(3, 3, "latent", "benefit"),
}
OURS = pd.DataFrame([[4, 3, 3, 1, 2]], columns=list(NEEDS))
RIVAL = dict(zip(NEEDS, [4, 4, 2, 3, 0], strict=True))


@pytest.fixture
def coverage():
    return NeedsCoverage(needs=NEEDS).fit(OURS)


# -- the worked example --


def test_our_coverage_and_the_rivals(coverage):
    names = list(coverage.get_feature_names_out())
    assert names == [
        "core_coverage",
        "core_full",
        "additional_coverage",
        "latent_coverage",
        "coverage",
        "asked",
    ]
    assert coverage.transform(OURS)[0] == pytest.approx(
        [0.888889, 0, 0.733333, 0.666667, 0.803922, 1], abs=5e-7
    )
    assert coverage.transform(pd.DataFrame([RIVAL]))[0] == pytest.approx(
        [1, 1, 0.8, 0, 0.764706, 1], abs=5e-7
    )


def test_the_order_of_work(coverage):
    table = coverage.work_table(OURS)
    assert table["need"].to_list()[:3] == ["delivery", "training", "joint R&D"]
    unmet = table.set_index("need")["unmet"]
    assert unmet[list(NEEDS)].to_list() == pytest.approx([0, 1, 0, 1.333333, 1], abs=5e-7)


def test_what_only_we_have_and_advantages_that_add_up(coverage):
    table = coverage.advantage_table(OURS, {"rival": RIVAL})
    assert table["need"][table["only_ours"]].to_list() == ["joint R&D"]
    total = sum(need.importance for need in NEEDS.values())
    assert table["advantage"].sum() == pytest.approx((0.803922 - 0.764706) * total, abs=2e-5)


def test_latent_needs_that_no_rival_meets_come_first_among_the_latent():
    needs = NEEDS | {"insight": Need(3, 9, "latent", "information")}
    levels = OURS.assign(insight=3)
    rivals = {"rival": RIVAL | {"insight": 0.5}}
    table = NeedsCoverage(needs=needs).fit(levels).advantage_table(levels, rivals)
    latent = table[table["layer"] == "latent"]
    assert latent["need"].to_list() == ["joint R&D", "insight"]  # though it counts for less
    assert latent["advantage"].is_monotonic_increasing
    assert table["need"][table["only_ours"]].to_list() == ["joint R&D"]


def test_what_rivals_have_alone_is_not_ours():
    nothing = OURS.assign(**{"joint R&D": 0})
    table = NeedsCoverage(needs=NEEDS).fit(OURS).advantage_table(nothing, {"rival": RIVAL})
    assert not table["only_ours"].any()


# -- laws --

LEVELS = st.lists(st.floats(0, 10), min_size=5, max_size=5)


@given(LEVELS, st.integers(0, 4), st.floats(0, 5))
def test_coverage_lies_between_0_and_1_and_never_falls_when_a_level_rises(levels, which, more):
    coverage = NeedsCoverage(needs=NEEDS).fit(OURS)
    better = list(levels)
    better[which] += more
    low, high = (coverage.transform(pd.DataFrame([x], columns=list(NEEDS)))[0] for x in
                 (levels, better))  # fmt: skip
    assert ((low >= 0) & (low <= 1)).all()
    assert (high >= low).all()


def test_coverage_does_not_change_with_the_unit_of_importance():
    tenfold = {
        name: Need(need.required, 10 * need.importance, need.layer) for name, need in NEEDS.items()
    }
    one, other = (NeedsCoverage(needs=n).fit(OURS).transform(OURS) for n in (NEEDS, tenfold))
    assert one == pytest.approx(other)


def test_the_core_is_full_only_where_every_core_need_is_met(coverage):
    nearly = OURS.assign(delivery=3.999)
    assert coverage.transform(nearly)[0, 0] > 0.99
    assert coverage.transform(nearly)[0, 1] == 0
    assert coverage.transform(OURS.assign(delivery=9))[0, :2].tolist() == [1, 1]


def test_a_level_that_is_missing_was_not_asked(coverage):
    part = OURS.assign(delivery=np.nan)
    values = dict(zip(coverage.get_feature_names_out(), coverage.transform(part)[0], strict=True))
    assert values["core_coverage"] == 1
    assert values["asked"] == pytest.approx(13 / 17)
    nothing = coverage.transform(OURS.assign(quality=np.nan, delivery=np.nan))[0]
    assert np.isnan(nothing[:2]).all()


def test_without_a_core_need_there_is_no_core_coverage():
    needs = {name: need for name, need in NEEDS.items() if need.layer != "core"}
    names = NeedsCoverage(needs=needs).fit(OURS).get_feature_names_out()
    assert "core_coverage" not in names
    assert "core_full" not in names


# -- layers --


@pytest.mark.parametrize(
    ("need", "layer"),
    [
        (Need(1, kano="M"), "core"),
        (Need(1, kano="O"), "additional"),
        (Need(1, kano="A"), "latent"),
        (Need(1, voiced=True, must=True), "core"),
        (Need(1, voiced=True), "additional"),
        (Need(1, voiced=False), "latent"),
        (Need(1, kano="I"), None),
    ],
)
def test_layers_follow_from_kano_or_from_being_voiced(need, layer):
    assert need.placed() == layer


def test_needs_of_kanos_other_classes_are_dropped_and_listed():
    frame = pd.DataFrame({"need": ["a", "b", "c"], "kano": ["M", "I", "Q"], "required": [3, 3, 3]})
    levels = pd.DataFrame({"a": [3], "b": [0], "c": [0]})
    coverage = NeedsCoverage(needs=frame).fit(levels)
    assert list(coverage.needs_) == ["a"]
    assert coverage.dropped_ == {"b": "Kano class I", "c": "Kano class Q"}
    assert coverage.transform(levels)[0].tolist() == [1, 1, 1, 1]


def test_kanos_answers_lead_to_a_layer():
    found = kano_classes(["must"] * 9 + ["like"], ["dislike"] * 10)
    assert Need(3, kano=found.category).placed() == "core"


def test_a_need_nobody_voices_stays_only_where_meeting_it_raises_the_outcome():
    needs = {"a": Need(4, voiced=True, must=True), "b": Need(4, voiced=False),
             "c": Need(4, voiced=False)}  # fmt: skip
    levels = pd.DataFrame({"a": [4, 4, 4, 4], "b": [1, 2, 3, 4], "c": [4, 3, 2, 1]})
    coverage = NeedsCoverage(needs=needs).fit(levels, [1, 2, 3, 4])
    assert list(coverage.needs_) == ["a", "b"]
    assert "does not raise" in coverage.dropped_["c"]
    assert coverage.transform(levels).shape == (4, 5)


def test_without_needs_every_column_is_a_core_need_met_as_well_as_anybodys():
    coverage = NeedsCoverage().fit(pd.DataFrame({"a": [2.0, 4.0], "b": [5.0, 0.0]}))
    best = pd.DataFrame({"a": [4.0], "b": [5.0]})
    assert coverage.transform(best)[0].tolist() == [1, 1, 1, 1]
    assert {need.required for need in coverage.needs_.values()} == {4.0, 5.0}


# -- value kinds and stages --


def test_messages_speak_of_what_answers_unmet_needs(coverage):
    table = coverage.message_table(OURS).set_index("value_kind")
    serves = serves_table()
    unmet = {"service": 1 + 4 / 3, "benefit": 1.0}
    for value in VALUES:
        wanted = sum(u * serves.loc[kind, value] for kind, u in unmet.items())
        assert table.loc[value, "score"] == pytest.approx(wanted)
    early = coverage.message_table(OURS, stage="new")
    assert set(early["value_kind"]) == set(STAGE_VALUES["new"])
    assert coverage.message_table(OURS, language="zh")["价值类别"].to_list()[0] in VALUES.values()


def test_messages_of_a_stage_speak_of_the_kinds_that_the_playbook_names(coverage):
    plays = playbook().set_index("stage")["value_kinds"]
    assert {stage: set(kinds.split(", ")) for stage, kinds in plays.items()} == {
        stage: set(kinds) for stage, kinds in STAGE_VALUES.items()
    }
    with pytest.raises(ValueError, match=r"stage='cor'.*Did you mean 'core'\?"):
        coverage.message_table(OURS, stage="cor")


def test_the_map_of_kinds_can_be_edited_and_is_checked():
    mine = serves_table()
    mine.loc[:, :] = 0
    mine.loc["service", "history"] = 1
    coverage = NeedsCoverage(needs=NEEDS, serves=mine).fit(OURS)
    assert coverage.message_table(OURS)["value_kind"][0] == "history"
    with pytest.raises(ValueError, match="at odds: history"):
        NeedsCoverage(needs=NEEDS, serves=mine.drop(columns="history")).fit(OURS)


def test_stages_by_needs_what_is_missing_and_what_is_too_much(coverage):
    full = OURS.assign(delivery=4)
    rows = pd.concat(
        [
            OURS,
            full,
            full.assign(training=3),
            full.assign(**{"training": 3, "joint R&D": 3}),
            full.assign(**{"price moves": 0, "training": 0}),
        ],
        ignore_index=True,
    )
    table = coverage.stage_table(rows, ["new", "new", "strategic", "strategic", "core"])
    assert table["stage_by_needs"].to_list() == [
        "none",
        "core",
        "core",
        "strategic",
        "established",
    ]
    assert table["wants"].to_list() == [
        "delivery",
        "",
        "a latent need",
        "",
        "additional 0.00 < 0.50",
    ]
    assert table["surplus"].to_list()[:2] == ["price moves, training, joint R&D"] * 2
    assert table["surplus"].to_list()[2] == ""
    chinese = coverage.stage_table(rows, ["new"] * 5, language="zh")
    assert chinese["需求所及阶段"].to_list()[1] == "核心客户"
    with pytest.raises(ValueError, match=r"not cor. Did you mean 'core'\?"):
        coverage.stage_table(rows, ["cor"] * 5)


def test_what_stages_ask_for_is_said_in_both_languages():
    assert stage_needs()["stage"].to_list() == ["new", "established", "core", "strategic"]
    assert stage_needs(language="zh")["阶段"].to_list()[2] == "核心客户"


def test_coverage_by_wave_is_a_trend(coverage):
    before = pd.concat([OURS] * 30, ignore_index=True)
    after = before.assign(delivery=4)
    core = [coverage.transform(x)[:, 0] for x in (before, after)]
    change = wave_change(*core, scale=(0, 1), respondent=(range(30), range(30)))
    assert change.difference == pytest.approx(1 / 9)


@pytest.mark.parametrize("table", ["coverage_table", "work_table", "message_table"])
def test_tables_speak_chinese(coverage, table):
    chinese = getattr(coverage, table)(OURS, language="zh")
    assert not [c for c in chinese.columns if c.isascii()]
    assert "核心需求" in set(coverage.work_table(OURS, language="zh")["层次"])


# -- coding --


def test_eight_complaints_lead_to_kinds_of_need():
    table = complaint_kinds(language="zh").set_index("现象")
    assert len(table) == 8
    assert {k: table.loc[k].item() for k in ("质量差", "价格高", "供应不及时", "太小气")} == {
        "质量差": "质量",
        "价格高": "利益",
        "供应不及时": "服务",
        "太小气": "感情",
    }
    assert set(complaint_kinds()["kind"]) <= set(KINDS)


def test_importance_is_the_share_of_customers_who_name_a_kind():
    table = mention_shares(
        ["a", "a", "a", "b", "c"], ["quality", "quality", "service", "quality", "brand"],
        n_customers=10,
    )  # fmt: skip
    assert dict(zip(table["kind"], table["share"], strict=True)) == {
        "quality": 0.2,
        "service": 0.1,
        "brand": 0.1,
    }
    with pytest.raises(ValueError, match="3 customers have a mention"):
        mention_shares(["a", "b", "c"], ["quality"] * 3, n_customers=2)


def test_two_coders():
    assert coder_agreement("qqssbeqs", "qqssbbes") == pytest.approx(0.652174, abs=5e-7)
    with pytest.warns(DataWarning, match="kappa = 0.00, below 0.6"):
        coder_agreement("qqss", "qsqs")
    assert coder_agreement("qqq", "qqq") == 1.0


# -- bad input --


def test_everything_wrong_with_the_needs_is_told_together():
    with pytest.raises(ValueError) as caught:
        NeedsCoverage(
            needs={
                "a": Need(0, layer="core"),
                "b": Need(3, importance=-1, layer="cor"),
                "c": Need(3, kind="price"),
            }
        ).fit([[1.0, 1.0, 1.0]])
    text = str(caught.value)
    for part in ("a: required=0 must be above 0", "b: layer='cor'", "Did you mean 'core'?",
                 "b: importance=-1", "c: kind='price'", "c: say its layer"):  # fmt: skip
        assert part in text


def test_levels_below_zero_and_missing_columns_are_refused_by_name(coverage):
    with pytest.raises(DataContractError, match="'delivery' has levels below 0"):
        coverage.transform(OURS.assign(delivery=-1.0))
    with pytest.raises(DataContractError, match="no column 'delivery'"):
        NeedsCoverage(needs=NEEDS).fit(OURS.drop(columns="delivery"))


def test_thresholds_and_rivals_that_cannot_be_are_refused(coverage):
    with pytest.raises(ValueError, match=r"core_additional=0\.9"):
        NeedsCoverage(needs=NEEDS, core_additional=0.9).fit(OURS)
    with pytest.raises(ValueError, match=r"unknown need 'qualities'. Did you mean 'quality'"):
        coverage.advantage_table(OURS, {"rival": {"qualities": 3}})
    with pytest.raises(ValueError, match="rivals is empty"):
        coverage.advantage_table(OURS, {})
