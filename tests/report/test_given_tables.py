"""Sections about tables that are given to the report: their numbers, in both languages."""

from __future__ import annotations

import html
import re
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custvalue import cli
from custvalue.exceptions import DataContractError
from custvalue.market import growth_table, market_table, profile_table, trade_profile
from custvalue.report import make_report
from custvalue.report._given import (
    growth_section,
    market_numbers_section,
    profile_section,
    trade_section,
)
from custvalue.report._indicators import indicators_section
from custvalue.report._words import Words
from custvalue.value import Goal, IndicatorTree

EN, ZH = Words("en", "USD"), Words("zh", "USD")
HOSTILE = "<script>alert(1)</script>"


def growth(detail=True, language="en"):
    rows = [
        ("a", "p", 1, 100.0), ("b", "p", 1, 50.0), ("c", "q", 1, 80.0),
        ("a", "p", 2, 110.0), ("a", "q", 2, 40.0), ("d", "p", 2, 60.0), ("d", "r", 2, 30.0),
        ("a", "r", 2, 20.0), ("c", "q", 2, 70.0), ("b", "q", 2, 15.0),
    ]  # fmt: skip
    log = pd.DataFrame(rows, columns=["customer", "product", "period", "value"])
    names = {name: name for name in log}
    return growth_table(log, **names, base=1, now=2, detail=detail, language=language)


def markets(language="en"):
    sales = pd.DataFrame(
        {
            "place": ["x", "y", HOSTILE] * 2,
            "who": ["we"] * 3 + ["they"] * 3,
            "sold": [2000.0, 3000, 5000, 6000, 15000, 49000],
        }
    )
    places = pd.DataFrame({"place": ["x", "y", HOSTILE], "people": [10, 20, 70], "depth": 0.5})
    return market_table(
        sales, places, market="place", value="sold", supplier="who", ours="we", people="people",
        language=language,
    )  # fmt: skip


def trade(ours=None):
    rows = [
        ("K", "S1", "2023-01-10", 100, 1000.0), ("K", "S1", "2023-03-10", 120, 1200.0),
        ("K", "S1", "2023-05-10", 100, 1000.0), ("K", "S2", "2023-06-10", 80, 720.0),
        ("K", "S3", "2023-09-10", 100, 1100.0), ("L", "S2", "2023-02-01", 50, 475.0),
        ("L", "S2", "2023-05-01", 50, 475.0), ("L", "S2", "2023-08-01", 60, 600.0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["buyer", "supplier", "on", "pieces", "paid"])
    return trade_profile(
        table.assign(what="bolt"), buyer="buyer", supplier="supplier", product="what", time="on",
        quantity="pieces", value="paid", as_of="2023-10-10", ours=ours,
    )  # fmt: skip


def profile(language="en"):
    region = ["north"] * 90 + ["south"] * 110 + ["north"] * 210 + ["south"] * 590
    table = pd.DataFrame({"region": region, "group": ["a"] * 200 + ["b"] * 800})
    table["income"] = np.arange(1000) % 7
    return profile_table(table, "group", language=language)


def rows_of(block):
    return [[cell["text"] for cell in row] for row in block["rows"]]


def heads_of(block):
    return [column["label"] for column in block["columns"]]


# -- growth --


def test_the_growth_section_adds_up_to_the_change_by_hand():
    made = growth_section(growth(), EN)
    table = made["blocks"][0]
    assert rows_of(table)[-1][3:] == ["USD 230", "USD 345", "USD 115", "50 %"]
    changes = [row[5]["sort"] for row in table["rows"]]
    assert sum(changes[:-1]) == changes[-1] == 115
    assert [row[6]["sort"] for row in table["rows"]][-1] == pytest.approx(0.5)
    assert made["lead"] == (
        "Revenue went from USD 230 to USD 345, +50 % of the base. "
        "Most was won by market development: USD 60.00."
    )


def test_a_quadrant_that_lost_is_named():
    shrunk = growth().assign(change=lambda t: t["change"] - 100 * (t["part"] == "customer lost"))
    assert "Market penetration lost USD 95.00." in growth_section(shrunk, EN)["lead"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_growth_may_be_given_in_either_language_and_by_quadrant_alone(language):
    english, chinese = (growth_section(growth(False, language), w) for w in (EN, ZH))
    assert [row[0] for row in rows_of(english["blocks"][0])] == [
        "market penetration", "product development", "market development", "diversification", "All"
    ]  # fmt: skip
    assert [row[0] for row in rows_of(chinese["blocks"][0])] == [
        "市场渗透", "产品开发", "市场开发", "多元化", "合计"
    ]  # fmt: skip
    assert "增长最多的是市场开发" in chinese["lead"]


# -- markets --


def test_the_numbers_of_markets_are_the_tables():
    made = market_numbers_section(markets(), EN)
    table = made["blocks"][0]
    by_size = markets().sort_values("size", ascending=False)
    assert heads_of(table) == [
        "Market", "Size", "Suppliers", "HHI", "Our share", "BDI", "CDI", "depth"
    ]  # fmt: skip
    for k, name in ((1, "size"), (4, "our_share"), (5, "bdi"), (6, "cdi")):
        assert [row[k]["sort"] for row in table["rows"]] == by_size[name].tolist()
    assert "Our share is largest in x: 25 %." in made["lead"]
    assert "68 % of all" in made["lead"]
    assert len(made["blocks"][1]["notes"]) == 2


def test_markets_in_chinese_from_a_chinese_polars_table():
    made = market_numbers_section(pl.from_pandas(markets("zh")), ZH)
    assert heads_of(made["blocks"][0]) == [
        "市场", "规模", "供应商数", "HHI", "本公司份额", "BDI", "CDI", "depth"
    ]  # fmt: skip
    assert "本公司份额最高的市场是x：25%" in made["lead"]


# -- trade --


def test_buyers_by_hand():
    made = trade_section(trade(), EN)
    assert made["lead"] == ("K is the largest buyer, 76 % of the market; 64 % of it comes from S1.")
    assert [tile["text"] for tile in made["blocks"][0]["tiles"]] == ["2", "3", "8"]
    first = rows_of(made["blocks"][1])[0]
    assert first[:2] == ["K", "USD 5,020"]
    assert first[7] == "1.01"
    assert first[8:] == ["30", "2023-11-10"]
    assert [block.get("id") for block in made["blocks"]][2:] == [None]


def test_prospects_stand_there_where_we_are_a_supplier_and_a_buyer_table_alone_serves_too():
    made = trade_section(trade(ours="S3"), ZH)
    prospects = made["blocks"][2]
    assert [row[:2] for row in rows_of(prospects)] == [["L", "是"]]
    assert heads_of(prospects)[:3] == ["采购商", "即将采购", "预计下次采购"]
    for language in ("en", "zh"):
        alone = trade_section(trade().buyer_table(language=language), EN)
        assert rows_of(alone["blocks"][1]) == rows_of(trade_section(trade(), EN)["blocks"][1])


# -- segments --


@pytest.mark.parametrize("language", ["en", "zh"])
def test_only_differences_that_hold_are_shown_as_typical(language):
    made = profile_section(profile(language), EN)
    rows = rows_of(made["blocks"][0])
    assert rows[0][:5] == ["a", "region: north", "45 %", "26 %", "150"]
    assert {row[1] for row in rows} == {"region: north", "region: south"}
    assert "4 of 6 comparisons hold" in made["blocks"][1]["notes"][0]
    assert heads_of(profile_section(profile(language), ZH)["blocks"][0])[:2] == ["细分", "显著特征"]


def test_segments_that_nothing_sets_apart_are_said_to_be_so():
    alike = profile().assign(p_adjusted=1.0)
    made = profile_section(alike, EN)
    assert made["blocks"][0]["notes"][0] == "Nothing sets apart: a, b."


# -- indicators --


def indicators(**more):
    """Profit by hand: 1000 x 2 x 50 x 0.30 = 30,000; 1100 x 1.9 x 54 x 0.28 = 31,600.8."""
    table = pd.DataFrame(
        {"year": [2024, 2025], "customers": [1000, 1100], "orders": [2.0, 1.9],
         "size": [50, 54], "margin": [0.30, 0.28], **more}
    )  # fmt: skip
    tree = IndicatorTree({"profit": "revenue * margin", "revenue": "customers * orders * size"})
    return tree.with_leaves(table, period="year")


GOALS = {"profit": Goal(30_000, 32_000, owner=HOSTILE), "orders": Goal(1.8, 2.0, 2.0, "service")}


def test_the_indicators_section_shares_a_change_out_and_adds_up():
    made = indicators_section((indicators(), GOALS), EN)
    assert made["lead"] == "profit went from 30,000 to 31,601; customers moved it most (+2,939)."
    changes, pictures, parts, tiles, scores, notes = made["blocks"]
    assert rows_of(changes) == [
        ["revenue", "100,000", "112,860", "12,860"], ["profit", "30,000", "31,601", "1,601"]
    ]  # fmt: skip
    assert sum(row[3]["sort"] for row in parts["rows"]) == pytest.approx(1600.8)
    assert sum(row[4]["sort"] for row in parts["rows"]) == pytest.approx(1.0)
    assert pictures["figures"][0]["svg"].startswith("<svg")
    # (1,600.8 / 2,000 + 2 x 0.5) / 3
    assert [tile["text"] for tile in tiles["tiles"]] == ["60 %", "50 %"]
    assert [row[6]["sort"] for row in scores["rows"]] == pytest.approx([0.8004, 0.5])
    assert "Shapley" in notes["notes"][0]


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.FontWarning")
def test_indicators_in_chinese_have_their_headings_and_the_users_own_names():
    made = indicators_section((indicators(), GOALS), ZH)
    assert made["lead"] == "利润由 30,000 变为 31,601，影响最大的是顾客（+2,939）。"
    assert heads_of(made["blocks"][2]) == ["基础指标", "2024", "2025", "贡献", "占变化"]
    assert "size" in [row[0] for row in rows_of(made["blocks"][2])]


def test_indicators_of_one_period_are_scored_and_no_change_is_shown():
    tree = IndicatorTree({"rate": "won / tried"}).with_leaves(
        pd.DataFrame({"year": [2025], "won": [30.0], "tried": [100.0]}), period="year"
    )
    made = indicators_section((tree, {"rate": Goal(0.2, 0.4)}), EN)
    assert made["lead"] == "Indicators of 2025."
    assert [block["type"] for block in made["blocks"]] == ["tiles", "table", "notes"]


def test_indicators_that_cannot_be_shown_are_refused_before_the_work(cdnow_sample):
    def fail(*step):
        raise AssertionError(step)

    without = IndicatorTree({"rate": "won / tried"})
    for given, error, says in (
        (without, ValueError, "two periods"),
        ([1], TypeError, "not list"),
        ((indicators(), {"profits": Goal(0, 1)}), DataContractError, "'profits'"),
    ):
        with pytest.raises(error, match=says):
            make_report(cdnow_sample, **NAMES, progress=fail, indicators=given)
    grouped = without.with_leaves(
        pd.DataFrame({"year": [1, 2], "won": [1.0, 2], "tried": [3.0, 4], "place": ["a", "a"]}),
        period="year", group="place",
    )  # fmt: skip
    with pytest.raises(ValueError, match="one group"):
        make_report(cdnow_sample, **NAMES, progress=fail, indicators=grouped)


# -- the page --

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.FontWarning")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_sections_appear_where_their_table_is_given(cdnow_sample, law_alone, language):
    page = make_report(
        cdnow_sample, **NAMES, language=language, growth=growth(), profile=profile(),
        markets=markets(), trade=trade("S3"), indicators=(indicators(), GOALS), models=law_alone,
    ).html  # fmt: skip
    order = re.findall(r'<section id="([^"]+)"', page)
    assert order[-6:] == ["growth", "profile", "markets", "trade", "indicators", "ledger"]
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page
    if language == "zh":
        start = page.index('<section id="growth"')
        text = re.sub(
            r"<style.*?</style>|<[^>]+>",
            " ",
            page[start : page.index('<section id="ledger"')],
            flags=re.S,
        )
        left = set(re.findall(r"[A-Za-z]{3,}", html.unescape(text)))
        assert left <= {
            "HHI", "BDI", "CDI", "region", "north", "south", "depth", "script", "alert",
            "Benjamini", "Hochberg", "size", "service",
        }  # fmt: skip


def test_a_table_of_something_else_is_refused_before_the_work(cdnow_sample):
    def fail(*step):
        raise AssertionError(step)

    for name, maker in (("growth", "growth_table"), ("profile", "profile_table"),
                        ("markets", "market_table"), ("trade", "trade_profile")):  # fmt: skip
        with pytest.raises(DataContractError, match=rf"lacks .*Pass what {maker}"):
            make_report(cdnow_sample, **NAMES, progress=fail, **{name: pd.DataFrame({"x": [1]})})
        with pytest.raises(TypeError, match=f"table that {maker}"):
            make_report(cdnow_sample, **NAMES, progress=fail, **{name: [1]})


# -- command line --


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", *map(str, arguments)])
    return cli.run()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_line_takes_tables_from_files(
    cdnow_sample, tmp_path, monkeypatch, capsys, language
):
    log, out = tmp_path / "log.csv", tmp_path / "out"
    cdnow_sample.to_csv(log, index=False)
    growth(language=language).to_csv(tmp_path / "growth.csv", index=False)
    profile(language).to_csv(tmp_path / "profile.csv", index=False)
    markets(language).to_parquet(tmp_path / "markets.parquet", index=False)
    trade().buyer_table(language=language).to_csv(tmp_path / "trade-records.csv", index=False)
    given = [f"--{name}={tmp_path / name}.csv" for name in ("growth", "profile", "trade-records")]
    code = run(
        monkeypatch, "report", log, "--customer", "customer_id", "--time", "date", "--amount",
        "amount", "--as-of", "1997-09-30", "--estimator", "law", *given,
        "--markets", tmp_path / "markets.parquet", "--out", out,
    )  # fmt: skip
    assert code == 0, capsys.readouterr().err
    page = (out / "report.html").read_text(encoding="utf-8")
    for section in (
        growth_section(growth(), Words("en")),
        trade_section(trade().buyer_table(), Words("en")),
        profile_section(profile(), Words("en")),
    ):
        tables = [block for block in section["blocks"] if block["type"] == "table"]
        for row in rows_of(tables[0]):
            assert all(html.escape(text) in page for text in row)


def test_every_command_has_the_same_last_options():
    last = ["language", "tables", "out", "formulas", "force", "quiet"]
    shared = {}
    for name in ("report", "funnel", "survey"):
        options = {option.name: option for option in cli.main.commands[name].params}
        assert list(options)[-6:] == last
        shared[name] = [(options[o].help, options[o].opts) for o in ("encoding", *last)]
    assert shared["report"] == shared["funnel"] == shared["survey"]
