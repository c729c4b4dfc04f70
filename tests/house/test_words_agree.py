"""One customer is, two customers are: English agrees with the numbers that it is given."""

from __future__ import annotations

import re
from itertools import pairwise
from string import Formatter

import pytest

from custvalue._words import (
    CAMPAIGN,
    EFFECTS,
    FUNNEL,
    HOUSE,
    INDICATORS,
    MARKET,
    REPORT,
    SURVEY,
    agree,
    disagreements,
    say,
)
from custvalue._words._agreement import ONE
from custvalue.report._blocks import span
from custvalue.report._words import Words

ROOMS = {
    "house": HOUSE,
    "campaign": CAMPAIGN,
    "effects": EFFECTS,
    "funnel": FUNNEL,
    "indicators": INDICATORS,
    "market": MARKET,
    "report": REPORT,
    "survey": SURVEY,
}
# words that end in s behind a number and are not counted by it
NOT_COUNTED = {
    "brings",
    "comes",
    "deviations",
    "does",
    "ends",
    "gains",
    "gives",
    "has",
    "is",
    "less",
    "pays",
    "takes",
    "this",
    "was",
}


@pytest.mark.parametrize(
    ("template", "put_in", "said"),
    [
        ("{n} customers ({s}) are quiet", {"n": "1", "s": "5 %"}, "1 customer (5 %) is quiet"),
        ("{n} customers ({s}) are quiet", {"n": "2", "s": "1 %"}, "2 customers (1 %) are quiet"),
        ("{n:,.0f} days", {"n": 1.2}, "1 day"),
        ("{n:,.0f} days", {"n": 0.0}, "0 days"),
        ("{n} days", {"n": "21"}, "21 days"),
        ("weighed at {n} earlier dates", {"n": 1}, "weighed at 1 earlier date"),
        ("{n} orders of {m} customers", {"n": 1, "m": 11}, "1 order of 11 customers"),
        ("Half have {n} orders or more", {"n": 1}, "Half have 1 order or more"),
        ("{n} rows used make {m} orders", {"n": 1, "m": 1}, "1 row used makes 1 order"),
        ("{n} deals are overdue", {"n": 1}, "1 deal is overdue"),
    ],
)
def test_what_is_counted_is_said_of_one_or_of_many(template, put_in, said):
    assert say(template, **put_in) == said


def test_what_is_put_in_stays_as_it_is():
    source = "1 orders of 1 days.csv"
    assert say("Customer value report: {source}", source=source).endswith(source)
    assert say("{n} days of {who}", n=1, who="1 rows") == "1 day of 1 rows"


def test_a_finished_sentence_agrees_as_well():
    assert agree("1 rows have no date, 11 rows have") == "1 row has no date, 11 rows have"
    assert agree("0.1 days, 2024-01-1 days") == "0.1 days, 2024-01-1 days"
    assert disagreements("1 customers, 21 days, 432 D, 1 week") == ["1 customers", "432 D"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_counted_word_of_a_catalogue_has_its_singular(room):
    missing = set()
    for text in ROOMS[room].zh:
        parts = list(Formatter().parse(text))
        for (_, field, _, _), (behind, _, _, _) in pairwise(parts):
            found = re.match(r"^ ([a-z]+s)\b", behind) if field is not None else None
            if found and found[1] not in ONE:
                missing.add(found[1])
    assert missing <= NOT_COUNTED


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_of_a_catalogue_says_one_of_many(room):
    for text in ROOMS[room].zh:
        names = {field for _, field, _, _ in Formatter().parse(text) if field}
        wrong = disagreements(say(text, **dict.fromkeys(names, 1)))
        assert wrong == [], text


def test_a_span_of_one_period_is_said_with_its_unit():
    w = Words("en")
    assert [span(s, w) for s in ("1W", "W", "4w", "36H")] == [
        "1 week",
        "1 week",
        "4 weeks",
        "36 hours",
    ]
    assert [span(s, Words("zh")) for s in ("1W", "2Y")] == ["1 周", "2 年"]
