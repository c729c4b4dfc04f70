"""The first customers one by one: the page's row and the story are one, and parts add up."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.evaluation import BestValue
from custvalue.report import make_report
from custvalue.report._words import Words

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1998-06-30"}


@pytest.fixture(scope="module")
def made(cdnow_sample, law_alone):
    return make_report(cdnow_sample, **NAMES, models=law_alone)


def test_the_first_fifty_are_those_of_most_value_or_worth_of_winning_back(made):
    table = made.customers
    most = np.maximum(table["at_stake"], table["future_value"])
    stories = made.facts["stories"]
    assert len(stories) == 50
    told = most[table["customer_id"].astype(str).isin([one["customer"] for one in stories])]
    assert told.min() >= np.sort(most)[-50]


def test_a_story_has_the_numbers_of_the_customer_s_row_and_adds_up(made):
    rows = made.customers.assign(who=made.customers["customer_id"].astype(str)).set_index("who")
    mean = made.customers["future_value"].mean()
    for one in made.facts["stories"]:
        row = rows.loc[one["customer"]]
        assert one["value"] == row["future_value"]
        assert (one["low"], one["high"]) == (row["future_value_low"], row["future_value_high"])
        assert one["chance"] == row["chance_of_order"]
        assert (one["n_orders"], one["silence"]) == (row["n_orders"], row["silence_days"])
        assert one["mean"] == pytest.approx(mean)
        assert abs(one["mean"] + sum(one["parts"].values()) - one["value"]) < 1e-9
        assert abs(sum(one["moves"].values()) - one["value"] + one["value_then"]) < 1e-9


def test_the_page_s_story_is_that_of_explain_customer(made, cdnow_sample, law_alone):
    log = cv.TransactionLog(cdnow_sample, **NAMES)
    model = BestValue(law_alone, horizon="52W", annual_discount_rate=0.10, margin=1.0).fit(log)
    one = made.facts["stories"][7]
    story = cv.explain_customer(model, log, one["customer"], since=one["since"])
    story = replace(story, todo=one["advice"])  # the page says what to do by the playbook
    said = {**story.to_dict(), "known": list(story.known())}
    assert said.keys() == one.keys()
    for name, value in said.items():
        # a sum over customers that were read anew may differ in its last digit
        assert one[name] == (
            pytest.approx(value)
            if name in ("parts", "moves") or isinstance(value, float)
            else value
        )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("trade", ["grocery", {"lost": "Ring at 5 o'clock."}])
def test_what_to_do_with_a_customer_is_what_to_do_with_its_segment(
    cdnow_sample, law_alone, trade, language
):
    made = make_report(cdnow_sample, **NAMES, models=law_alone, playbook=trade, language=language)
    words = Words(language)
    of_segment = {row["segment"]: words.advice(row["advice"]) for row in made.facts["segments"]}
    who = made.customers["customer_id"].astype(str)
    segment = dict(zip(who, made.customers["segment"], strict=True))
    for one in made.facts["stories"]:
        assert one["advice"] == of_segment[segment[one["customer"]]]
        assert one["text"].endswith(one["advice"])


def test_the_page_lists_them_behind_a_line_each(made):
    page = made.html[made.html.index('<section id="one-by-one"') :]
    page = page[: page.index("</section>")]
    assert page.count("<details>") == page.count("<summary>") == 50
    first = made.facts["stories"][0]
    assert f"<b>{first['customer']}</b>" in page
    assert first["advice"].replace("'", "&#39;") in page


def test_what_is_odd_stands_first_in_the_data_section(made):
    assert [one["code"] for one in made.facts["examine"]["findings"]] == [
        "no-newcomers", "zero-amounts"
    ]  # fmt: skip
    data = made.html[made.html.index('<section id="ledger"') :]
    assert data.index("examine-table") < data.index("ledger-table")
    assert "there are hardly newcomers later" in re.sub(r"\s+", " ", data)


def test_a_log_of_a_day_has_stories_without_a_past(law_alone):
    rows = pd.DataFrame({"who": range(40), "when": "2024-01-05", "paid": np.arange(40) + 1.5})
    made = make_report(rows, customer="who", time="when", amount="paid", as_of="2024-01-06",
                       models=law_alone)  # fmt: skip
    assert made.facts["stories"][0]["since"] is None
    assert "In brackets" not in made.html
