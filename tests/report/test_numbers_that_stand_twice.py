"""A number that stands twice on a page is one number: walked through tables, sentences, files."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest

from custvalue.report import make_report
from custvalue.report._short import in_short
from custvalue.report._words import Words

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
OFFER = {"margin": 0.3, "response": 0.05, "contact_cost": 0.5, "budget": 40.0, "currency": "USD"}
QUIET = ("silent", "deeply silent")


@pytest.fixture(scope="module", params=["en", "zh"])
def made(request, cdnow_sample, law_alone):
    shops = np.where(cdnow_sample["customer_id"] % 3 == 0, "north", "south")
    return make_report(
        cdnow_sample.assign(shop=shops), **NAMES, **OFFER,
        models=law_alone, by="shop", language=request.param,
    )  # fmt: skip


def added(rows, name):
    return sum(row[name] for row in rows)


def test_customers_and_their_spend_are_the_same_in_every_table(made):
    facts, table = made.facts, made.customers
    base, book = facts["base"], facts["ledger"]
    parts = facts["segments"], facts["quiet"]["grades"], facts["stages"]["rows"]
    for rows in (*parts, facts["by"]["groups"]):
        assert added(rows, "customers") == base["customers"] == book["customers"] == len(table)
    for rows in parts:
        assert added(rows, "value") == pytest.approx(base["spend"], rel=1e-12)
        shares = [row["customer_share"] for row in rows]
        assert sum(shares) == pytest.approx(1.0)
        for row in rows:
            assert row["customer_share"] == pytest.approx(row["customers"] / base["customers"])
    assert base["spend"] == pytest.approx(table["total_value"].sum())
    assert base["spend"] == pytest.approx(book["amount_used"])
    assert base["orders"] == book["occasions"] == table["n_orders"].sum()
    assert facts["examine"]["rows"] == book["rows_in"]
    left_out = added(book["dropped"], "rows")
    assert book["rows_in"] == book["rows_used"] + left_out


def test_what_is_to_come_is_the_same_in_every_table(made):
    facts, table = made.facts, made.customers
    base, future = facts["base"], table["future_value"].sum()
    assert base["future_value"] == pytest.approx(future)
    assert added(facts["segments"], "future_value") == pytest.approx(future)
    assert added(facts["quiet"]["grades"], "future_value") == pytest.approx(future)
    each = ((r["customers"], r["future_each"]) for r in facts["stages"]["rows"])
    assert sum(n * one for n, one in each) == pytest.approx(future)
    assert base["expected_orders"] == pytest.approx(table["expected_orders"].sum())
    assert base["expected_buyers"] == pytest.approx(table["chance_of_order"].sum())
    for row in facts["segments"]:
        mine = table[table["segment"] == row["segment"]]
        assert row["customers"] == len(mine)
        assert row["future_each"] == pytest.approx(mine["future_value"].mean())
        assert row["orders_each"] == pytest.approx(mine["n_orders"].mean())
        assert row["silence"] == pytest.approx(mine["silence_days"].median())


def test_who_is_quiet_is_the_same_in_tiles_tables_and_files(made):
    facts, table = made.facts, made.customers
    quiet = facts["quiet"]
    silent = table[table["silence_grade"].isin(QUIET)]
    grades = [row for row in quiet["grades"] if row["grade"] in QUIET]
    assert quiet["customers"] == len(silent) == added(grades, "customers")
    assert quiet["share"] == pytest.approx(len(silent) / len(table))
    assert quiet["at_stake"] == pytest.approx(table["at_stake"].sum())
    assert quiet["spend"] == pytest.approx(silent["total_value"].sum())
    rows = table.set_index(table["customer_id"].astype(str))
    for one in quiet["top"]:
        row = rows.loc[one["customer"]]
        for name, other in (
            ("n_orders", "n_orders"),
            ("total_value", "total_value"),
            ("silence", "silence_days"),
            ("future_value", "future_value"),
            ("at_stake", "at_stake"),
        ):
            assert one[name] == pytest.approx(row[other]), (one["customer"], name)


def test_a_plan_is_the_row_of_its_response_and_the_file_of_whom_to_contact(made):
    plan, quiet = made.facts["quiet"]["plan"], made.facts["quiet"]
    (same,) = [row for row in quiet["what_if"] if row["response"] == pytest.approx(0.05)]
    assert same["customers"] == plan["treated"]
    for name in ("gain", "cost", "responding"):
        assert same[name] == pytest.approx(plan[name])
    groups = made.campaign["group"].value_counts()
    assert groups["treat"] == plan["treated"]
    assert groups["control"] == plan["control"]
    told = made.campaign[made.campaign["group"] == "treat"]
    assert told["expected_gain"].sum() == pytest.approx(plan["gain"])
    assert told["contact_cost"].sum() == pytest.approx(plan["cost"])


def test_what_is_said_of_one_customer_is_what_the_tables_say(made):
    rows = made.customers.set_index(made.customers["customer_id"].astype(str))
    for story in made.facts["stories"]:
        row = rows.loc[story["customer"]]
        assert story["value"] == row["future_value"]
        assert story["chance"] == row["chance_of_order"]
        assert story["silence"] == row["silence_days"]
        assert story["total"] == pytest.approx(row["total_value"])


def test_stages_and_upgrades_are_those_of_the_file(made):
    stages, table = made.facts["stages"], made.customers
    for row in stages["rows"]:
        mine = table[table["stage"] == row["stage"]]
        assert row["customers"] == len(mine)
        assert row["chance"] == pytest.approx(mine["chance_of_order_90d"].mean())
    present = ~table["stage"].isin(["potential", "target", "exited"])
    problem = (table["stage"] == "problem").sum()
    assert stages["problem_share"] == pytest.approx(problem / present.sum())
    for row in stages["upgrades"]:
        mine = table[table["stage"] == row["stage"]]["stage_timing"]
        for timing in ("due", "overdue"):
            if timing in row:
                assert row[timing] == (mine == timing).sum()


def test_every_number_of_the_short_version_stands_in_its_section_or_with_the_base(
    made,
):
    words = Words(made.language, made.currency)
    html = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", made.html, flags=re.S)
    for line in in_short(made.facts, words):
        text = ""
        for name in (line["section"], "base"):  # what is to come stands with the base, too
            begin = html.index(f'<section id="{name}"')
            section = html[begin : html.index("</section>", begin)]
            text += unescape(re.sub(r"<[^>]+>", " ", section))
        there = {float(v.replace(",", "")) for v in re.findall(r"\d[\d,]*\.?\d*", text)}
        told = re.sub(r"(\d+) (days|weeks|天|周)", " ", line["text"])  # lengths, not figures
        for found in re.findall(r"\d[\d,]*\.?\d*", told):
            figure = float(found.replace(",", "").rstrip("."))
            near = min(abs(v - figure) for v in there)
            # a sentence may round what its table shows with one digit more
            assert near <= 0.5, (line["section"], found, line["text"])


def test_the_terminal_says_what_the_page_says(made):
    words, base = Words(made.language, made.currency), made.facts["base"]
    lines = made.summary_text()
    for shown in (words.cell(base["customers"], "int"), words.cell(made.ledger["rows_in"], "int")):
        assert shown in lines
        assert shown in made.html
