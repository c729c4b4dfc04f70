"""A page each for logs that tell little: what can be said, and why the rest cannot."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from custvalue._words import disagreements, note_in_chinese
from custvalue.evaluation._verdict import Verdict
from custvalue.report import make_report
from custvalue.report._limits import limit_notes
from custvalue.report._words import Words

START = pd.Timestamp("2024-01-01")
RNG = np.random.default_rng(7)
DRAWN = (
    "concentration", "spend", "segments", "segment_value", "silence", "silence_value", "stages",
    "moves", "calibration",
)  # fmt: skip


def log(customers, days, amounts=10.0):
    when = START + pd.to_timedelta(np.asarray(days, dtype=float), "D")
    return pd.DataFrame({"c": customers, "t": when, "a": amounts})


MONTHS = np.round(np.arange(12) * 30.4)
LOGS = {
    "one customer": (log([1] * 12, np.cumsum(RNG.integers(5, 60, 12))), ["one customer"]),
    "one-time buyers only": (
        log(range(120), RNG.integers(0, 700, 120), RNG.gamma(2, 20, 120).round(2)),
        ["Nobody has ordered twice"],
    ),
    "equal spend": (  # each day once, or two orders would be one of twice the money
        log(np.arange(480) % 60, RNG.permutation(480) + 1),
        ["spend the same per order"],
    ),
    "subscriptions": (
        log(np.repeat(range(40), 12), np.concatenate([MONTHS + 7 * (i % 30) for i in range(40)])),
        ["fixed rhythm", "spend the same per order"],
    ),
    "twenty days": (
        log(RNG.integers(0, 40, 150), RNG.integers(0, 20, 150), RNG.gamma(2, 20, 150).round(2)),
        ["The log covers 19 days"],
    ),
    "one order a period": (
        log(np.repeat(range(30), 20), np.tile(np.arange(20) * 28.0, 30)),
        ["fixed rhythm"],
    ),
}
OFFER = {"margin": 0.3, "response": 0.05, "contact_cost": 0.5, "budget": 5.0}


@pytest.fixture(scope="module", params=LOGS)
def edge(request, law_alone):
    rows, says = LOGS[request.param]
    made = make_report(
        rows, customer="c", time="t", amount="a", as_of=rows["t"].max(), models=law_alone, **OFFER
    )
    return made, says, (rows, says)


def words_of(html):
    bare = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", bare)))


def test_the_page_says_what_the_log_cannot_tell_and_why(edge):
    made, says, _ = edge
    text = words_of(made.html)
    for part in says:
        assert part in text
    assert len(limit_notes(made.facts["limits"], "52W", Words("en"))) >= len(says)
    for nothing in (" nan ", " inf ", "None", "e-1"):
        assert nothing not in text
    assert disagreements(text + made.summary_text()) == []


def test_the_same_in_chinese_without_english_sentences(edge, law_alone):
    rows, _ = edge[2]
    made = make_report(
        rows, customer="c", time="t", amount="a", as_of=rows["t"].max(), models=law_alone,
        language="zh", **OFFER,
    )  # fmt: skip
    text = words_of(made.html)
    told = limit_notes(made.facts["limits"], "52W", Words("zh"))
    assert len(told) >= len(edge[1])
    for part in told:
        assert part in text
    left = [s for s in re.findall(r"(?:[A-Za-z']{2,} ){4,}", text) if "custvalue" not in s]
    rare = [n for n in made.facts["notes"] if note_in_chinese(n) is None]
    assert [s for s in left if not any(s.strip() in n for n in rare)] == []


def test_an_ordinary_log_lacks_nothing(report):
    assert limit_notes(report.facts["limits"], "52W", Words("en")) == []


def test_a_response_that_nobody_is_left_to_give_is_told_and_no_page_lost(law_alone):
    rows, _ = LOGS["twenty days"]
    names = {"customer": "c", "time": "t", "amount": "a", "as_of": "2024-01-21"}
    made = make_report(rows, **names, models=law_alone, **{**OFFER, "response": 0.999})
    quiet = made.facts["quiet"]
    if quiet["customers"]:
        assert made.campaign is None
        assert "A response of 100 % cannot be" in made.html
        assert quiet["anyway"] > 0


def test_an_unproven_forecast_says_why_in_chinese():
    why = "330 days of history with too few buyers to ask an earlier date"
    said = Verdict("unproven", {}, "law", (("law", 1.0),), (), 1.0, why).words("zh")[0]
    assert "330天历史中买家太少" in said
    assert "history" not in said
