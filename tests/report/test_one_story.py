"""A customer has one story: segment, silence, stage and forecast do not contradict each other."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pandas as pd
import pytest

from custvalue.data import TransactionLog
from custvalue.datasets import load_cdnow, make_shop
from custvalue.evaluation import usual_parts
from custvalue.report import make_report
from custvalue.report._collect import Asked, collect
from custvalue.report._facts import facts_of_report, segment_rule
from custvalue.report._for_rooms import cuts_of_text
from custvalue.report._names import first_to_do
from custvalue.report._short import in_short
from custvalue.report._story import (
    OLD_TRIAL,
    PRESENT,
    SILENT,
    check_cuts,
    check_windows,
    name_customers,
    tell_story,
)
from custvalue.report._words import Words
from custvalue.rfm import SegmentMap

EN, ZH = Words("en"), Words("zh")
QUIET = ("silent", "deeply silent")
NAMES = ("customer_id", "date", "amount")
CLAIMS = {*SegmentMap.ready(5).segments}


def asked(as_of, **more):
    part = "law x own mean"
    settings = dict(
        zip(("customer", "time", "amount"), NAMES, strict=True),
        as_of=as_of, period="4W", horizon="52W", annual_discount_rate=0.1, margin=None,
        response=None, contact_cost=None, budget=None, holdout=0.1, policies={}, title=None,
        source="log", models={part: usual_parts()[part]},
    )  # fmt: skip
    return Asked(**{**settings, **more})


def told(log, as_of, **more):
    question = asked(as_of, **more)
    got = collect(log, question, lambda *_: None)
    return got, facts_of_report(got, question, EN), question


KINDS = ["plain", "durable", "subscription", "regular", "heavy"]


@pytest.fixture(scope="module")
def stories():
    made = {}
    for kind in KINDS:
        log = make_shop(kind, 130, days=700, random_state=2).log
        made[kind] = told(log, "2022-12-01")
    made["cdnow"] = told(load_cdnow("sample"), "1998-06-30")
    made["demo"] = told(load_cdnow(), "1998-06-30", policies={"zero_amounts": "keep"})
    return made


@pytest.fixture(scope="module", params=[*KINDS, "cdnow", "demo"])
def story(request, stories):
    return stories[request.param]


def test_who_is_called_silent_is_quiet_and_who_is_present_is_not(story):
    table = story[0].customers
    quiet = table["silence_grade"].isin(QUIET)
    assert quiet[table["segment"].isin(SILENT)].all()
    assert not quiet[table["segment"].isin([*PRESENT, "need attention"])].any()
    assert (table.loc[table["segment"].isin(PRESENT), "silence_grade"] == "active").all()
    # "9 lost and 11 cannot lose, and 0 customers quiet"
    assert quiet.sum() >= table["segment"].isin(SILENT).sum()


def test_no_quiet_grade_has_the_chance_of_an_active_one(story):
    grades = {row["grade"]: row for row in story[1]["quiet"]["grades"]}
    for name in {*QUIET, "watch"} & {*grades}:
        assert grades[name]["chance"] <= 0.9 * grades["active"]["chance"]
    if {*QUIET} <= {*grades}:
        assert grades["deeply silent"]["chance"] <= 0.9 * grades["silent"]["chance"]


def test_no_lost_segment_is_worth_more_than_a_loyal_one(story):
    rows = {row["segment"]: row for row in story[1]["segments"]}
    for name in {"loyal customers", "champions"} & {*rows}:
        if "lost" in rows:
            assert rows["lost"]["future_each"] <= rows[name]["future_each"]
    chance = story[0].customers.groupby("segment")["chance_of_order_90d"].mean()
    present = story[0].customers["segment"].isin(PRESENT)
    usual = story[0].customers.loc[present, "chance_of_order_90d"].mean()
    for name in {*SILENT, "need attention"} & {*rows}:
        assert chance[name] <= 0.8 * usual + 1e-9
        assert rows[name]["tested"] >= 20
    if "lost" in rows:
        assert chance["lost"] <= 0.1
        assert rows["lost"]["ordered"] <= 0.1


def test_stages_do_not_contradict_silence_or_the_forecast(story):
    table = story[0].customers
    quiet = table["silence_grade"].isin(QUIET)
    assert quiet[table["stage"].isin(["problem", "exited"])].all()
    assert not quiet[table["stage"].isin(["new", "established", "core"])].any()
    gone = table[table["stage"] == "exited"]
    assert (gone["chance_of_order"] < 0.05).all()
    if len(gone):
        assert gone["future_value"].mean() < table.loc[~quiet, "future_value"].mean()
    wants = table.loc[table["stage"].isin(["problem", "exited"]), "next_stage_wants"]
    assert (wants == "an order after the silence").all()


def test_new_customers_are_young(story):
    got = story[0]
    table = got.customers
    age = pd.Timestamp(got.as_of) - pd.to_datetime(table["first_order"]).dt.normalize()
    if "new customers" in set(table["segment"]):
        decided = {one.name for one in got.test.decisions if one.became == "new customers"}
        assert decided == {"new customers"}
        new = table["segment"] == "new customers"
        assert (age[new].dt.days <= 2 * got.usual_gap).all()
    assert (age[table["stage"] == "new"].dt.days <= got.windows["new"][1]).all()
    late = table["stage"].isin([OLD_TRIAL, "core", "problem", "exited"])
    assert (table.loc[late, "stage_timing"] == "no window").all()


def test_upgrades_are_spoken_of_only_where_most_are_not_late(story):
    facts = story[1]["stages"]
    for row in facts["upgrades"]:
        assert row["overdue"] <= row["early"] + row["due"]
    counted = story[0].customers["stage_timing"].isin(["early", "due", "overdue"]).sum()
    assert counted == sum(row["early"] + row["due"] + row["overdue"] for row in facts["upgrades"])


@pytest.fixture(scope="module")
def shop_named():
    made = make_shop("plain", 300, days=900, random_state=4).log
    log = TransactionLog(
        made, customer=NAMES[0], time=NAMES[1], amount=NAMES[2], as_of="2023-06-19", unit="D"
    )
    summary = log.summary()
    return summary, name_customers(log, summary, "cycle")


def test_a_forecast_that_tells_nobody_apart_leaves_nobody_quiet_or_gone(shop_named):
    summary, named = shop_named
    assert {*SILENT} <= {one.became for one in named.test.decisions}  # by the past alone
    n = len(summary)
    story = tell_story(named, summary, np.full(n, 0.04), np.ones(n), "learn")
    segment, grade = story.segment(summary), story.grade(summary)
    assert not {*segment} & {*SILENT}
    assert not {*grade} & {*QUIET}
    assert not {*story.stage(summary, grade, np.full(n, 0.04), np.ones(n))} & {"problem", "exited"}


def test_a_forecast_that_values_the_lost_most_takes_their_name(shop_named):
    summary, named = shop_named
    base = named.own.segments(summary)
    silence = np.isin(base.astype(str), SILENT)
    chance, value = np.where(silence, 0.03, 0.6), np.where(base == "champions", 90.0, 40.0)
    kept = tell_story(named, summary, chance, np.where(silence, 1.0, value), "learn")
    assert "lost" in set(kept.segment(summary))
    rich = tell_story(named, summary, chance, np.where(base == "lost", 500.0, value), "learn")
    assert "lost" not in set(rich.segment(summary))


def test_who_is_quiet_has_left_only_where_chance_and_value_say_so(shop_named):
    summary, named = shop_named
    base = named.own.segments(summary)
    silence = np.isin(base.astype(str), SILENT)
    chance, value = np.where(silence, 0.03, 0.6), np.where(silence, 1.0, 40.0)
    story = tell_story(named, summary, chance, value, "learn")
    grade = story.grade(summary)
    assert np.array_equal(np.isin(grade.astype(str), QUIET), silence)
    gone = story.stage(summary, grade, chance, value) == "exited"
    assert np.array_equal(gone, silence)
    dear = story.stage(summary, grade, chance, np.where(silence, 50.0, 40.0))
    assert "exited" not in set(dear)
    likely = story.stage(summary, grade, np.full(len(base), 0.06), value)
    assert "exited" not in set(likely)


def test_totals_of_every_table_agree(story):
    table, facts = story[0].customers, story[1]
    for rows in (facts["segments"], facts["quiet"]["grades"], facts["stages"]["rows"]):
        assert sum(row["customers"] for row in rows) == len(table)
        assert sum(row["value"] for row in rows) == pytest.approx(table["total_value"].sum())
    for rows in (facts["segments"], facts["quiet"]["grades"]):
        assert sum(row["future_value"] for row in rows) == pytest.approx(
            table["future_value"].sum()
        )


def test_the_page_says_of_every_name_what_became_of_it(story):
    got, facts, _ = story
    shown = {row["segment"] for row in facts["segments"]}
    said = {one.name for one in got.test.decisions if one.verdict != "nobody"}
    assert len(facts["names"]["words"]) == len(said)
    for one in got.test.decisions:
        if one.became in shown - {one.name}:
            assert any(one.became in line for line in facts["names"]["words"])
    assert facts["names"]["changed"] == sum(
        one.verdict in ("merged", "renamed") for one in got.test.decisions
    )


def test_the_first_bullet_names_customers_to_turn_to_and_how_such_ones_did(story):
    facts = story[1]
    line = first_to_do(facts, EN)
    assert line.startswith(("Turn first to", "Keep"))
    row = next(r for r in facts["segments"] if f"“{r['segment']}”" in line
               or f" {r['segment']}:" in line)  # fmt: skip
    assert f"{row['customers']:,}" in line
    assert EN.cell(row["ordered"], "share") in line
    assert first_to_do(facts, ZH) != line
    assert in_short(facts, EN)[0]["text"] == line


def test_nobody_is_turned_to_first_who_hardly_ever_came_back(stories):
    _, facts, _ = stories["plain"]
    facts = copy.deepcopy(facts)
    names = {row["segment"] for row in facts["segments"] if row["customers"] >= 5}
    assert names & {"cannot lose", "at risk"}
    for row in facts["segments"]:
        row["ordered"] = 0.5
    assert first_to_do(facts, EN).startswith(("Turn first to “cannot lose”", "Turn first to “at r"))
    for row in facts["segments"]:
        row["ordered"] = 0.02 if row["segment"] in ("cannot lose", "at risk") else 0.5
    assert "cannot lose" not in first_to_do(facts, EN)
    assert "at risk" not in first_to_do(facts, EN)


def test_rules_of_segments_speak_of_usual_gaps(stories):
    got, facts, _ = stories["cdnow"]
    rules = {row["segment"]: row["rule"] for row in facts["segments"]}
    assert rules["lost"] == "silent for over 5 usual gaps, at most 2 orders"
    assert rules["potential loyalists"] == "silent for at most 2 usual gaps, 2 to 3 orders"
    boxes = got.bounds[got.bounds["segment"] == "lost"]
    assert segment_rule(boxes, ZH) == "沉默超过 5 个惯常间隔，订单至多 2 次"


def test_fifths_are_called_by_their_scores_and_the_rest_of_the_story_stays(stories):
    got, facts, _ = told(load_cdnow("sample"), "1998-06-30", cuts="quintiles")
    assert not {row["segment"] for row in facts["segments"]} & CLAIMS
    whole = stories["cdnow"][0].customers
    assert got.customers["silence_grade"].tolist() == whole["silence_grade"].tolist()
    assert got.customers["stage"].tolist() == whole["stage"].tolist()
    assert {row["tested"] for row in facts["segments"]} != {0}


def test_silences_may_be_given_and_rules_say_them_in_days():
    log = make_shop("plain", 130, days=700, random_state=2).log
    _, facts, _ = told(log, "2022-12-01", cuts=check_cuts([30, 90, "180D"]))
    rules = " ".join(row["rule"] for row in facts["segments"])
    assert "last order over 180 days ago" in rules
    assert "usual gap" not in rules
    assert facts["names"]["cuts"] == [30.0, 90.0, 180.0]


@pytest.mark.parametrize(
    "cuts", ["fifths", 30, [30], [30, 20], [0, 20], [1, 2, 3, 4, 5], [1, np.inf], [True, 5], None]
)
def test_cuts_that_make_no_sense_are_refused(cuts):
    with pytest.raises(ValueError, match=r"cuts"):
        check_cuts(cuts)


def test_cuts_on_the_command_line_are_days_or_spans():
    assert check_cuts(cuts_of_text("30, 3M,1Y")) == pytest.approx((30.0, 91.3125, 365.25))


def test_windows_of_stages_are_learned_from_those_who_came_that_far(stories):
    got, facts, _ = stories["cdnow"]
    table = got.customers
    first, last = (pd.to_datetime(table[c]).dt.normalize() for c in ("first_order", "last_order"))
    n = table["n_orders"]
    far = n >= 3
    took = ((last - first).dt.days[far] / (n[far] - 1) * 2).sort_values().to_numpy()
    at = [int(np.ceil(q * len(took))) - 1 for q in (0.25, 0.75)]
    assert facts["stages"]["windows"]["new"] == pytest.approx(took[at].tolist())


def test_windows_that_do_not_fit_the_log_leave_no_upgrade_to_speak_of():
    log = make_shop("durable", 130, days=700, random_state=2).log
    windows = check_windows("1W,2W,2W,3W,1M")
    got, facts, _ = told(log, "2022-12-01", stage_windows=windows)
    assert not got.windows["fit"]
    assert facts["stages"]["upgrades"] == []
    assert (got.customers["stage_timing"] == "no window").all()
    assert in_short(facts, EN)[3]["text"].startswith("Problem customers:")


@pytest.mark.parametrize(
    "windows", ["2M,4M", "always", 5, "4M,2M,3M,1Y,1Y", "2M,4M,1Y,3M,1Y", "a,b,c,d,e", None]
)
def test_windows_that_make_no_sense_are_refused(windows):
    with pytest.raises(ValueError, match=r"stage_windows|span|length"):
        check_windows(windows)


def small(rows):
    return pd.DataFrame(rows, columns=list(NAMES)).assign(date=lambda t: pd.to_datetime(t["date"]))


def often(customers, months):
    return [
        (k, f"2023-{m:02d}-{1 + k % 28:02d}", 10.0)
        for k in range(customers)
        for m in range(1, 2 + k % months)
    ]


LOGS = {
    "one customer": small([(1, "2023-01-01", 5.0), (1, "2023-03-01", 5.0), (1, "2023-09-01", 9.0)]),
    "one-time buyers": small([(k, f"2023-{1 + k % 12:02d}-05", 5.0 + k) for k in range(60)]),
    "equal spend": small(often(40, 9)),
    "twenty days": small([(k, f"2023-01-{1 + d:02d}", 4.0 + k) for k in range(30) for d in
                          range(k % 5, 20, 4)]),
}  # fmt: skip


@pytest.mark.parametrize("which", LOGS)
def test_a_log_that_shows_little_has_a_story_that_claims_little(which):
    log = LOGS[which]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got, facts, _ = told(log, str(log["date"].max().date()))
    assert sum(row["customers"] for row in facts["segments"]) == log["customer_id"].nunique()
    if which in ("one customer", "one-time buyers"):
        assert not {*got.customers["segment"]} & {*SILENT, "champions"}
        assert not got.customers["silence_grade"].isin(QUIET).any()
    assert all(line["text"] for line in in_short(facts, EN))
    assert all(line["text"] for line in in_short(facts, ZH))


def story_of(log):
    return told(log, "2022-12-01")[0]


def test_the_page_tells_the_test_in_chinese():
    log = make_shop("plain", 130, days=700, random_state=2).log
    names = dict(zip(("customer", "time", "amount"), NAMES, strict=True), as_of="2022-12-01")
    part = {"law x own mean": usual_parts()["law x own mean"]}
    made = make_report(log, **names, models=part, language="zh")
    assert "90天内有" in made.html
    assert "检验：以往 90 天内下单" in made.html
    assert "ordered within" not in made.html
    assert made.facts["names"]["words"] == list(story_of(log).test.words("zh"))
    assert {"tested", "ordered", "ordered_low", "ordered_high"} <= {*made.segments.columns}
