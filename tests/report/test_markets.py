"""The section about target markets: the ranker's numbers, in both languages, only where asked."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from custvalue.market import TargetMarketRanker
from custvalue.report import make_report
from custvalue.report._markets import markets_section
from custvalue.report._words import Words

MARKETS = pd.DataFrame(
    {
        "market": ["auto", "<b>retail</b>", "medical"],
        "size": [120, 300, 40],
        "growth": [0.12, 0.03, 0.18],
        "channel": [4, 5, 2],
    }
)
RANKER = TargetMarketRanker(
    attractiveness={"size": 0.5, "growth": 0.5},
    resource_fit={"channel": 1.0},
    anchors={"size": (0, 400), "growth": (0, 0.3), "channel": (1, 5)},
    market="market",
).fit(MARKETS)


def test_the_section_has_the_rankers_numbers():
    made = markets_section(RANKER, MARKETS, Words("en"))
    table = made["blocks"][1]
    ranked = RANKER.rank_table(MARKETS).sort_values("rank")
    assert [row[0]["text"] for row in table["rows"]] == ranked["market"].tolist()
    assert [row[2]["sort"] for row in table["rows"]] == ranked["priority"].tolist()
    assert ranked["market"].iloc[0] in made["lead"]
    assert sum(row[6]["sort"] for row in table["rows"]) == pytest.approx(1.0)


def test_a_leader_by_any_weights_is_said_to_be_one():
    best = MARKETS.assign(size=[400, 1, 1], growth=[0.3, 0.0, 0.0], channel=[5, 1, 1])
    assert "almost any weights" in markets_section(RANKER, best, Words("en"))["lead"]
    assert "auto" in markets_section(RANKER, best, Words("en"))["lead"].split(".")[1]
    bad = MARKETS.assign(size=1, growth=0.0, channel=1)
    assert "No market" in markets_section(RANKER, bad, Words("en"))["lead"]


def test_a_market_table_stands_below_its_ranks_and_any_other_does_not():
    assert [block.get("id") for block in markets_section(RANKER, MARKETS, Words("en"))["blocks"]] \
        == [None, "market-ranks"]  # fmt: skip
    numbers = MARKETS.assign(our_share=[0.1, 0.2, 0.3])
    made = markets_section(RANKER, numbers, Words("en"))
    assert made["blocks"][-1]["id"] == "market-numbers"
    assert [row[0]["text"] for row in made["blocks"][-1]["rows"]] == [
        "<b>retail</b>", "auto", "medical"
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.FontWarning")
def test_the_section_speaks_chinese():
    made = markets_section(RANKER, MARKETS, Words("zh"))
    assert re.search("居首", made["lead"])
    heads = [column["label"] for column in made["blocks"][1]["columns"]]
    assert heads == ["市场", "名次", "优先级得分", "吸引力", "资源匹配度", "建议", "任意权重下居首"]
    assert {row[5]["text"] for row in made["blocks"][1]["rows"]} <= {
        "重点开发", "选择发展", "收获或放弃"
    }  # fmt: skip


def test_the_page_has_it_where_it_is_asked_for_and_a_ranker_needs_markets(cdnow_sample, law_alone):
    names = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
    with pytest.raises(ValueError, match="ranker needs markets"):
        make_report(cdnow_sample, **names, ranker=RANKER)
    page = make_report(cdnow_sample, **names, markets=MARKETS, ranker=RANKER, models=law_alone).html
    assert "Which markets first" in page
    assert "<b>retail</b>" not in page  # names of the user's own are text
    assert page.index("Which markets first") < page.index("Row ledger")
