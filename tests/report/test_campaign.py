"""What winning back is worth: with a response and a cost, with a cost alone, with neither."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custvalue.report as room
from custvalue import cli
from custvalue._words import REPORT
from custvalue.campaign import campaign_effect
from custvalue.campaign._result import CampaignEffects
from custvalue.exceptions import DataContractError
from custvalue.report import make_report
from custvalue.report._advice import REASON, TODO
from custvalue.report._campaign import responses

CHANCES = st.lists(st.floats(0.0, 0.95), min_size=1, max_size=30)


@given(CHANCES, st.floats(0.001, 0.04))
def test_responses_average_to_what_was_given_and_nobody_passes_certainty(chance, mean):
    each = responses(chance, mean)
    assert each.mean() == pytest.approx(mean, rel=1e-6)
    assert (each >= 0).all()
    assert (each + np.array(chance) <= 1 + 1e-12).all()


@given(CHANCES.filter(lambda c: min(c) > 1e-6), st.floats(0.001, 0.04))
def test_a_contact_changes_all_odds_by_one_factor(chance, mean):
    p = np.array(chance)
    raised = p + responses(p, mean)
    factor = raised / (1 - raised) / (p / (1 - p))
    assert factor == pytest.approx(np.full(len(p), factor[0]), rel=1e-4)


def test_more_responses_than_customers_to_be_won_are_refused():
    with pytest.raises(ValueError, match="60% of the quiet customers"):
        responses([0.6, 0.6], 0.5)
    assert len(responses([], 0.5)) == 0


def test_the_campaign_is_in_the_table_and_on_the_page(chinese_report):
    plan, facts = chinese_report.campaign, chinese_report.facts["quiet"]
    assert len(plan) == facts["customers"]
    assert plan["response"].mean() == pytest.approx(0.05)
    gain = plan["response"] * plan["value"] * 0.3 - 0.5
    assert plan["expected_gain"].to_numpy() == pytest.approx(gain)
    treated = plan[plan["group"] == "treat"]
    assert len(treated) == facts["plan"]["treated"] == 80  # 40 of budget, half a coin each
    assert facts["plan"]["gain"] == pytest.approx(treated["expected_gain"].sum())
    assert (plan["group"] == "control").sum() == facts["plan"]["control"] > 0
    assert [row["customer"] for row in facts["top"]] == plan["customer"].head(25).tolist()
    said = [row["response"] for row in facts["what_if"]]
    assert said == pytest.approx([0.01, 0.025, 0.05, 0.1])
    gains = [row["gain"] for row in facts["what_if"]]
    assert gains == sorted(gains)
    for word in ("对照组", "假定响应率", "要点"):
        assert word in chinese_report.html


def test_without_a_response_the_page_says_what_the_list_assumes(report):
    assert report.campaign is None
    assert "No response and no cost of a contact were given." in report.html
    assert "To contact" not in report.html
    top = report.facts["quiet"]["top"]
    score = [row["at_stake"] * row["chance"] for row in top]
    assert score == sorted(score, reverse=True)


def test_the_plan_and_the_same_response_in_the_table_beside_it_are_one(chinese_report):
    quiet = chinese_report.facts["quiet"]
    same = [row for row in quiet["what_if"] if row["response"] == quiet["response"]]
    assert len(same) == 1
    assert same[0]["customers"] == quiet["plan"]["treated"]
    assert same[0]["cost"] == pytest.approx(quiet["plan"]["cost"])
    assert same[0]["gain"] == pytest.approx(quiet["plan"]["gain"])


def test_the_gain_on_the_page_is_that_of_the_response_it_names(chinese_report):
    plan, quiet = chinese_report.campaign, chinese_report.facts["quiet"]
    treated = plan[plan["group"] == "treat"]
    worth = treated["response"] * treated["value"] * 0.3
    said = quiet["plan"]["responding"]
    assert said == pytest.approx(treated["response"].mean())
    assert said > quiet["response"]  # the likelier are contacted
    # what is gained is what those who respond bring: their share of the contacted, and their worth
    each = worth.sum() / treated["response"].sum()
    gain = said * len(treated) * each - 0.5 * len(treated)
    assert quiet["plan"]["gain"] == pytest.approx(gain)
    same = [row for row in quiet["what_if"] if row["response"] == quiet["response"]]
    assert same[0]["responding"] == pytest.approx(said)
    share = f"{100 * said:.{1 if said < 0.0995 else 0}f}%"
    assert f"若被联系者有 {share} 回应" in chinese_report.html


CDNOW = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1998-06-30"}


@pytest.mark.parametrize(
    ("budget", "ends"), [(0.25, True), (1e6, False)], ids=["for nobody", "for everybody"]
)
def test_a_budget_ends_the_list_only_where_somebody_is_left_out(
    cdnow_sample, budget, ends, law_alone
):
    offer = {"response": 0.05, "contact_cost": 0.5, "budget": budget, "margin": 0.3}
    made = make_report(cdnow_sample, **CDNOW, **offer, models=law_alone)
    left = int((made.campaign["group"] == "out of budget").sum())
    assert (left > 0) == ends
    assert ("ends the list" in made.html) == ends
    assert ("does not end the list" in made.html) != ends
    assert made.campaign["cost_so_far"].max() <= budget


def test_with_a_cost_alone_the_response_that_pays_is_said():
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(60) * 5, unit="D")
    log = pd.DataFrame({"who": np.arange(60) % 12, "day": days, "paid": 10.0 + np.arange(60)})
    log = log[(log["who"] % 4 != 0) | (log["day"] < "2024-04-01")]
    made = make_report(
        log, customer="who", time="day", amount="paid", margin=0.5, contact_cost=2.0, horizon="26W"
    )
    assert made.campaign is None
    quiet = made.facts["quiet"]
    for row in quiet["top"]:
        if row["at_stake"]:
            assert row["break_even"] == pytest.approx(2.0 / row["at_stake"])
    assert [row["response"] for row in quiet["what_if"]] == [0.005, 0.01, 0.02, 0.05, 0.1]
    assert "No response was given" in made.html
    assert "Response needed" in made.html


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"response": 0.1}, "need a margin"),
        ({"contact_cost": 1.0}, "need a margin"),
        ({"response": 5.0, "margin": 0.3}, "5 % is 0.05"),
        ({"contact_cost": -1.0, "margin": 0.3}, "0 or more"),
        ({"budget": 10.0, "margin": 0.3}, "needs a response"),
        ({"budget": -1.0, "response": 0.1, "margin": 0.3}, "0 or more"),
        ({"holdout": 1.0, "margin": 0.3}, "below 1"),
    ],
)
def test_an_offer_that_cannot_be_is_refused_before_any_work(asked, says):
    with pytest.raises(ValueError, match=says):
        make_report(None, customer="c", time="t", amount="a", **asked)


def shop():
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(60) * 5, unit="D")
    log = pd.DataFrame({"who": np.arange(60) % 12, "day": days, "paid": 10.0 + np.arange(60)})
    return log[(log["who"] % 4 != 0) | (log["day"] < "2024-04-01")]


SHOP = {"customer": "who", "time": "day", "amount": "paid", "margin": 0.5, "horizon": "26W"}


def past(treated, control):
    """What 1,000 treated and 500 control customers did, of whom so many ordered."""
    return campaign_effect(
        np.repeat([1.0, 0.0], [treated, 1000 - treated]),
        np.repeat([1.0, 0.0], [control, 500 - control]),
    )


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.FontWarning")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_was_measured_is_the_response_and_its_interval_is_shown(language):
    known = past(130, 40)  # 13 % and 8 %
    made = make_report(shop(), **SHOP, contact_cost=0.5, measured=known, language=language)
    quiet = made.facts["quiet"]
    assert quiet["response"] == pytest.approx(0.05)
    assert made.campaign["response"].mean() == pytest.approx(0.05)
    assert [row["response"] for row in quiet["what_if"]] == [known.low, known.effect, known.high]
    low, high = (f"{100 * end:.{1 if end < 0.0995 else 0}f}" for end in (known.low, known.high))
    if language == "en":
        assert "Measured in a past campaign with 1,000 treated customers: 5.0 % more" in made.html
        assert f"5.0 %, measured ({low} % to {high} %)" in made.html
        assert "Assumed, not measured" not in made.html
        assert "Response assumed" not in made.html
    else:
        assert f"5.0%，实测（{low}% 至 {high}%）" in made.html


def test_an_interval_that_holds_none_is_said():
    made = make_report(shop(), **SHOP, contact_cost=0.5, measured=past(85, 40))
    assert "the contact may bring nothing" in made.html
    assert len(made.facts["quiet"]["what_if"]) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_campaign_measure_wrote_is_read_by_the_report(tmp_path, monkeypatch, capsys, language):
    found = CampaignEffects((("mail", past(130, 40)),))
    found.table(language).to_csv(tmp_path / "effect.csv", index=False)
    shop().to_csv(tmp_path / "log.csv", index=False)
    call = [
        "custvalue", "report", tmp_path / "log.csv", "--customer", "who", "--time", "day",
        "--amount", "paid", "--margin", 0.5, "--horizon", "26W", "--contact-cost", 0.5,
        "--measured", tmp_path / "effect.csv", "--out", tmp_path / "out",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [*map(str, call)])
    assert cli.run() == 0, capsys.readouterr().err
    plan = pd.read_csv(tmp_path / "out" / "campaign.csv")
    assert plan["response"].mean() == pytest.approx(0.05)
    monkeypatch.setattr(sys, "argv", [*map(str, call), "--response", "0.02", "--force"])
    assert cli.run() == 2
    assert "not both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (past(70, 40), ValueError, "no gain"),
        (campaign_effect(np.arange(100.0), np.arange(50.0)), ValueError, "brought 49.5 each"),
        (past(130, 40).effect, TypeError, "not float"),
        (pd.DataFrame({"effect": [0.1]}), DataContractError, "'low'"),
        (
            CampaignEffects((("a", past(130, 40)), ("b", past(140, 40)))).table(),
            DataContractError,
            "2 rows",
        ),
    ],
)
def test_what_is_no_response_is_refused_before_any_work(given, error, says):
    with pytest.raises(error, match=says):
        make_report(None, customer="c", time="t", amount="a", margin=0.3, measured=given)


def sentences():
    """Every English text that the report's code says."""
    for path in sorted(Path(room.__file__).parent.glob("_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if called and node.func.id in ("w", "words") and node.args:
                first = node.args[0]
                for part in (first, getattr(first, "body", None), getattr(first, "orelse", None)):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_every_sentence_has_its_chinese_with_the_same_numbers_in_it():
    said = set(sentences()) | set(TODO.values()) | set(REASON.values())
    missing = sorted(text for text in said if text not in REPORT.zh)
    assert missing == []
    for english, chinese in REPORT.zh.items():
        holes = [sorted(re.findall(r"\{(\w*)", text)) for text in (english, chinese)]
        assert holes[0] == holes[1], english
