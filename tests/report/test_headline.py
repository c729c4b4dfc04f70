"""A forecast that its log's own past refuted heads no page; one that held says how well."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from custvalue._words import disagreements
from custvalue.report import _evidence, _facts, _sections
from custvalue.report._names import name_notes
from custvalue.report._short import in_short
from custvalue.report._words import Words


def changed(report, budget):
    facts = copy.deepcopy(report.facts)
    facts["forecast"]["uses"]["budget"] = budget
    facts["base"]["last_value"] = 4321.0
    return facts


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("budget", ["good", "rough", "unproven"])
def test_a_total_that_was_not_refuted_stands_with_what_came_before(report, budget, language):
    words, facts = Words(language, "USD"), changed(report, budget)
    text = in_short(facts, words)[1]["text"]
    assert words.money(facts["base"]["future_value"]) in text
    assert words.money(facts["base"]["last_value"]) in text
    for row in facts["forecast"]["dates"]:
        assert words.cell(row["came"] / row["said"], "share") in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_total_that_was_refuted_is_nowhere_on_the_first_section(report, language):
    words, facts = Words(language, "USD"), changed(report, "no")
    value = words.money(facts["base"]["future_value"])
    assert value not in in_short(facts, words)[1]["text"]
    pictures = dict.fromkeys(["concentration", "spend"], "<svg></svg>")
    told = str(_sections._base(facts, pictures, words))
    assert value not in told
    assert words("not known") in told
    for row in facts["forecast"]["dates"]:
        assert words.cell(row["came"] / row["said"], "share") in told
    lines = replace(report, facts=facts, language=language, currency="USD").summary_text()
    assert value not in lines
    assert in_short(facts, words)[1]["text"] in lines


def test_a_log_too_short_to_ask_its_past_says_so(report):
    facts = changed(report, "unproven")
    facts["forecast"]["dates"] = []
    assert "too few buyers, or too few days, to test" in in_short(facts, Words("en"))[1]["text"]


@pytest.mark.parametrize(
    ("horizon", "worth"), [("8W", 0.5 * (3 + 4 + 6)), ("16W", 9.0), ("20W", None)]
)
def test_what_they_brought_last_is_the_spend_of_the_last_horizon(horizon, worth):
    spend = pd.DataFrame({"period": [0, 1, 2, 3], "spend": [2.0, 3.0, 4.0, 9.0]})
    asked = SimpleNamespace(horizon=horizon, period="4W", scale=0.5)
    assert _facts._last_value(SimpleNamespace(spend=spend), asked) == worth


@pytest.mark.parametrize(
    ("treated", "left", "says"),
    [
        (0, 0, "If 5.0 % respond, none of them is worth a contact."),
        (0, 4, "The budget of 1.00 pays for none of the 4 who are worth a contact."),
        (3, 4, "Contacting 3 of them for 1.50 gains 2.00, if 12 % of those contacted respond."),
    ],
)
def test_a_plan_says_whom_it_contacts_and_how_many_of_them_respond(report, treated, left, says):
    facts = copy.deepcopy(report.facts)
    plan = {
        "treated": treated,
        "cost": 1.5,
        "gain": 2.0,
        "out_of_budget": left,
        "budget": 1.0,
        "responding": 0.12 if treated else None,
    }
    facts["quiet"].update(response=0.05, plan=plan)
    assert says in in_short(facts, Words("en"))[2]["text"]


def test_money_on_the_terminal_has_a_unit_and_a_meaning(report):
    line = report.summary_text().splitlines()[1]
    assert re.search(r"future profit [\d,]+ in the log's own currency$", line)
    said = replace(report, currency="USD").summary_text().splitlines()[1]
    assert re.search(r"future profit USD [\d,]+$", said)


def test_words_agree_with_their_numbers_on_the_page(report):
    bare = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", report.html, flags=re.S)
    cells = re.sub(r"</t[dh]>|</d[dt]>", " | ", bare)  # a number and the next cell are no sentence
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cells))
    assert disagreements(text + report.summary_text()) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_forecast_that_says_the_same_of_all_draws_no_groups(report, language):
    facts, words = copy.deepcopy(report.facts), Words(language)
    pictures = {"calibration": "<svg>groups</svg>"}
    several = str(_evidence.forecast_section(facts, pictures, words))
    assert "groups" in several
    assert "calibration-table" in several
    facts["forecast"]["groups"] = facts["forecast"]["groups"][:1]
    alone = str(_evidence.forecast_section(facts, pictures, words))
    assert "<svg>groups</svg>" not in alone
    assert "calibration-table" not in alone
    assert "method-table" in alone


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_slow_or_busy_time_ahead_is_said_beside_what_earlier_dates_saw(report, language):
    words, names = Words(language), report.facts["names"]
    assert names["pace"] == 1.0  # a log of nine months knows no season
    usual = name_notes(names, words)
    slow = name_notes({**names, "pace": 0.5}, words)
    busy = name_notes({**names, "pace": 1.4}, words)
    assert slow[:-1] == busy[:-1] == usual
    assert words.cell(0.5, "share") in slow[-1]
    assert {"en": "lower", "zh": "低于"}[language] in slow[-1]
    assert {"en": "higher", "zh": "高于"}[language] in busy[-1]
    assert name_notes({**names, "pace": 1.1}, words) == usual
