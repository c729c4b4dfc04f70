"""The report cut by a column: groups add up to the page, and nobody is lost between them."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue.data import TransactionLog
from custvalue.evaluation import BestValue
from custvalue.exceptions import DataContractError
from custvalue.report import make_report, read_log
from custvalue.report._by import MOST, adding_up, as_text, by_section
from custvalue.report._campaign import QUIET
from custvalue.report._short import total_holds
from custvalue.report._words import Words

CALL = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1998-03-31"}
SUMS = (
    "customers", "orders", "value", "expected_buyers", "expected_orders", "future_value", "quiet",
    "at_stake",
)  # fmt: skip


@pytest.fixture(scope="module")
def log(cdnow_sample):
    """Regions, one customer in ten without, one in twenty-five who moved."""
    who = cdnow_sample["customer_id"].to_numpy()
    region = np.array(["North", "South", "East <b>", "West"], dtype=object)[who * 7 % 4]
    region[who % 10 == 0] = None
    moved = (who % 25 == 1) & (cdnow_sample["date"].astype(str) < "1997-06")
    region[moved] = "Islands"
    return cdnow_sample.assign(segment=region)


@pytest.fixture(scope="module")
def made(log, law_alone):
    return make_report(log, **CALL, by="segment", margin=0.3, currency="USD", models=law_alone)


def test_every_customer_is_in_one_group_and_the_sums_are_the_pages(made):
    by, base, table = made.facts["by"], made.facts["base"], made.customers
    for name in SUMS:
        assert sum(row[name] for row in by["groups"]) == pytest.approx(by["whole"][name]), name
    assert by["whole"]["customers"] == len(table) == base["customers"]
    assert by["whole"]["value"] == pytest.approx(base["spend"])
    assert by["whole"]["orders"] == base["orders"]
    assert by["whole"]["future_value"] == pytest.approx(base["future_value"])
    assert by["whole"]["expected_buyers"] == pytest.approx(base["expected_buyers"])
    assert by["whole"]["quiet"] == made.facts["quiet"]["customers"]
    ends = [by["whole"]["future_low"], by["whole"]["future_high"]]
    assert ends == [base["future_low"], base["future_high"]]


def test_groups_are_those_of_plain_pandas(made, log):
    table = made.customers
    seen = log[(log["date"].astype(str) <= "1998-03-31") & (log["amount"] > 0)]
    last = seen.dropna(subset=["segment"]).sort_values("date", kind="stable")
    value = last.groupby("customer_id")["segment"].last()
    want = value.reindex(table["customer_id"])
    assert table["log_segment"].fillna("-").tolist() == want.fillna("-").tolist()
    by_hand = table.groupby(want.fillna("-").to_numpy())
    for row in made.facts["by"]["groups"]:
        part = by_hand.get_group(row["name"] or "-")
        assert row["customers"] == len(part)
        assert row["value"] == pytest.approx(part["total_value"].sum())
        assert row["future_value"] == pytest.approx(part["future_value"].sum())
        assert row["quiet"] == part["silence_grade"].isin(QUIET).sum()
        for name, column in (("segments", "segment"), ("stages", "stage")):
            counts = part[column].value_counts()
            assert {one["name"]: one["customers"] for one in row[name]} == counts.to_dict()


def test_who_has_several_values_or_none_is_told(made, log):
    seen = log[(log["date"].astype(str) <= "1998-03-31") & (log["amount"] > 0)]
    several = int((seen.groupby("customer_id")["segment"].nunique() > 1).sum())
    missing = int((~seen.groupby("customer_id")["segment"].agg(lambda s: s.notna().any())).sum())
    by = made.facts["by"]
    assert (by["several"], by["missing"]) == (several, missing)
    assert several > 0
    assert missing > 0
    assert f"{several:,} customers have more than one value of segment" in made.html
    assert f"{missing:,} customers have no value of segment" in made.html


def test_ranges_of_groups_are_the_models(made, log, law_alone):
    rows = TransactionLog(log, **CALL)
    model = BestValue(law_alone, horizon="52W", annual_discount_rate=0.1, margin=0.3,
                      progress=False).fit(rows)  # fmt: skip
    groups = made.customers["log_segment"].fillna("-").to_numpy()
    total = model.predict_total(rows, groups=groups)
    for row in made.facts["by"]["groups"]:
        want = total.loc[row["name"] or "-"]
        assert row["future_low"] == pytest.approx(want["lower"])
        assert row["future_high"] == pytest.approx(want["upper"])


def number(text):
    return float(re.sub(r"[^\d.]", "", text)) * (-1.0 if "−" in text else 1.0)


def cells(html, id_):
    body = re.search(rf'<div class="table" id="{id_}">.*?<tbody>(.*?)</tbody>', html, re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    plain = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in plain]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_numbers_on_the_page_add_up_to_the_last_digit_shown(log, made, law_alone, language):
    page = made
    if language == "zh":
        page = make_report(
            log, **CALL, by="segment", margin=0.3, currency="USD", models=law_alone, language="zh"
        )
    *groups, whole = cells(page.html, "by-table")
    assert len(groups) == 6
    holds = total_holds(page.facts["forecast"])
    for column in (1, 3, *((4, 5) if holds else ()), -1):
        total = sum(number(row[column]) for row in groups)
        assert total == pytest.approx(number(whole[column])), column
    assert number(whole[3]) == round(page.facts["base"]["spend"])
    for k, row in enumerate(groups):
        for part in ("segments", "stages", "silence"):
            own = cells(page.html, f"by-{k}-{part}")
            assert sum(number(one[1]) for one in own) == number(row[1])
            # to what stands of the group, which was itself rounded to fit the whole
            assert sum(number(one[3]) for one in own) == pytest.approx(number(row[3]))


@pytest.mark.parametrize("total", [10.0, 1234.5, -3.0])
def test_rounded_parts_add_up_and_none_is_a_digit_off(rng, total):
    for n in (1, 2, 9):
        parts = rng.dirichlet(np.ones(n)) * total
        shown = adding_up([*parts, parts.sum()], 2)
        assert round(100 * sum(shown[:-1])) == round(100 * shown[-1])
        assert np.abs(np.array(shown[:-1]) - parts).max() < 0.01


def test_the_page_shows_every_group_and_lets_one_be_chosen(made):
    html = made.html
    groups = made.facts["by"]["groups"]
    assert html.count('<div class="panel"') == len(groups) == html.count('<option value="by-')
    assert '<p class="choose" hidden>' in html  # until the script shows it
    assert 'class="panel" hidden' not in html
    assert "East &lt;b&gt;" in html
    assert "East <b>" not in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_one_group_is_chosen_with_the_keyboard_and_all_are_on_paper(
    browser, made, tmp_path_factory
):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(made.html, encoding="utf-8")
    browser.get(path.as_uri())
    shown = (
        "return [...document.querySelectorAll('.panel')]"
        ".map((p) => getComputedStyle(p).display !== 'none')"
    )
    n = len(made.facts["by"]["groups"])
    assert browser.execute_script(shown) == [True] + [False] * (n - 1)
    browser.find_element(By.CSS_SELECTOR, ".choose select").send_keys(Keys.ARROW_DOWN)
    assert browser.execute_script(shown) == [False, True] + [False] * (n - 2)
    browser.find_element(By.CSS_SELECTOR, ".choose select").send_keys(Keys.HOME)
    assert all(browser.execute_script(shown))
    browser.find_element(By.CSS_SELECTOR, ".choose select").send_keys(Keys.END)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert all(browser.execute_script(shown))
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_of_many_values_those_with_most_money_stand_alone(log, law_alone):
    rows = log.assign(town=log["customer_id"] % 50)
    made = make_report(rows, **CALL, by="town", models=law_alone)
    by = made.facts["by"]
    assert [row["kind"] for row in by["groups"]] == ["value"] * MOST + ["others"]
    spend = made.customers.groupby("town")["total_value"].sum().sort_values(ascending=False)
    assert [row["name"] for row in by["groups"]][:MOST] == spend.index[:MOST].tolist()
    assert by["groups"][-1]["value"] == pytest.approx(spend.iloc[MOST:].sum())
    assert by["n_values"] == 50
    assert "town has 50 different values" in made.html
    assert len(made.groups) == MOST + 1


def test_the_forecast_does_not_depend_on_the_cut(log, made, law_alone):
    plain = make_report(log, **CALL, margin=0.3, models=law_alone)
    assert plain.facts["by"] is None
    assert plain.groups is None
    for name in ("future_value", "chance_of_order", "segment", "stage"):
        assert made.customers[name].equals(plain.customers[name])


def test_values_are_written_as_people_write_them():
    said = as_text(pd.Series([1.0, np.nan, 2.5])).tolist()
    assert [said[0], said[2]] == ["1", "2.5"]
    assert as_text(pd.Series(pd.to_datetime(["2024-01-01", "2024-02-03"]))).tolist() == [
        "2024-01-01",
        "2024-02-03",
    ]
    assert as_text(pd.Series(["a ", "", None], dtype=object)).isna().tolist() == [False, True, True]
    assert as_text(pd.Series([True, False])).tolist() == ["True", "False"]


@pytest.mark.parametrize(
    ("by", "error", "says"),
    [
        ("customer_id", ValueError, "tells of the customer"),
        ("amount", ValueError, "tells of the customer"),
        (["segment"], ValueError, "name of one column"),
        ("segmnt", DataContractError, "'segmnt'"),
    ],
)
def test_a_column_that_tells_of_no_customer_is_refused(log, by, error, says):
    with pytest.raises(error, match=says):
        make_report(log.head(50), **CALL, by=by)


def test_profit_by_group_adds_up_with_losses(log, law_alone):
    gain = np.where(log["customer_id"] % 4 == 0, -0.5, 0.2) * log["amount"]
    made = make_report(log.assign(gain=gain), **CALL, by="segment", profit="gain", models=law_alone)
    by = made.facts["by"]
    assert min(row["profit"] for row in by["groups"]) < 0
    assert sum(row["profit"] for row in by["groups"]) == pytest.approx(made.facts["base"]["profit"])
    *groups, whole = cells(made.html, "by-table")
    assert sum(number(row[4]) for row in groups) == pytest.approx(number(whole[4]))


def test_the_command_line_writes_the_groups(tmp_path, monkeypatch, capsys, log):
    path = tmp_path / "log.csv"
    log.assign(code=(log["customer_id"] % 3).map("00{}".format)).to_csv(path, index=False)
    call = [
        "custvalue", "report", path, "--customer", "customer_id", "--time", "date", "--amount",
        "amount", "--as-of", "1998-03-31", "--estimator", "law", "--out", tmp_path / "out",
        "--by", "code",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [*map(str, call)])
    assert cli.run() == 0, capsys.readouterr().err
    groups = pd.read_csv(tmp_path / "out" / "groups.csv", dtype={"group": str})
    assert sorted(groups["group"]) == ["000", "001", "002"]
    parts = pd.read_csv(tmp_path / "out" / "group_parts.csv", dtype={"group": str})
    for kind in ("segment", "stage", "silence_grade"):
        own = parts[parts["kind"] == kind].groupby("group")["customers"].sum()
        assert own.to_dict() == groups.set_index("group")["customers"].to_dict()
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    assert read_log(path, **names, texts=["code"])["code"].iloc[0].startswith("00")


def test_a_group_without_quiet_customers_is_not_told_what_winning_them_back_is_worth(made):

    facts = {**made.facts, "by": {**made.facts["by"]}}
    facts["by"]["groups"] = [
        {**row, "quiet": 0, "quiet_share": 0.0} for row in facts["by"]["groups"]
    ]
    told = str(by_section(facts, Words("en", "USD")))
    assert "nobody of this group" in told
    assert "active, worth" not in told
