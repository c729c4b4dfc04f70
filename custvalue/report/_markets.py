"""Which markets first, as a section of the report: nine cells, ranks, and how sure the order is."""

from __future__ import annotations

from typing import Any

from custvalue.market import TargetMarketRanker
from custvalue.plotting import MarketMatrixDisplay
from custvalue.report._blocks import Block, Column, figure, section, table
from custvalue.report._given import is_market_table, market_numbers
from custvalue.report._pictures import draw
from custvalue.report._words import Words

DRAWS = 10_000
SURE = 0.9


def markets_section(ranker: TargetMarketRanker, markets: Any, w: Words) -> Block:
    """Section about target markets.

    Parameters
    ----------
    ranker : TargetMarketRanker
        Fitted.
    markets : frame
        One row a market, with the ranker's criteria.
    w : Words
    """
    ranked = ranker.rank_table(markets, language="en")
    chance = ranker.acceptability_table(markets, n_draws=DRAWS, random_state=0, language="en")
    rows = [
        {
            "market": str(market),
            "attractiveness": attractiveness,
            "fit": fit,
            "priority": priority,
            "rank": int(rank),
            "advice": advice,
            "first": first,
        }
        for market, attractiveness, fit, priority, rank, advice, first in zip(
            *(list(ranked[name]) for name in ("market", "attractiveness", "resource_fit",
                                              "priority", "rank", "advice")),
            list(chance["rank_1"]),
            strict=True,
        )
    ]  # fmt: skip
    rows.sort(key=lambda row: row["rank"])
    columns: list[Column] = [
        ("market", w("Market"), "text"),
        ("rank", w("Rank"), "int"),
        ("priority", w("Priority"), "number"),
        ("attractiveness", w("Attractiveness"), "number"),
        ("fit", w("Resource fit"), "number"),
        ("advice", w("Advice"), "word"),
        ("first", w("First by any weights"), "bar"),
    ]
    svg = draw(
        "markets",
        w("Markets by attractiveness and fit"),
        lambda ax: MarketMatrixDisplay.from_estimator(ranker, markets, language=w.language, ax=ax),
        size=(5.6, 4.6),
    )
    caption = w(
        "How to read: up is what makes a market attractive, right is how well our resources fit it."
    )
    blocks: list[Block] = [
        {"type": "figures", "figures": [figure({"markets": svg}, "markets", caption)]},
        table(
            "market-ranks",
            w(
                "Markets in order of priority, with the share of all possible weights at which "
                "each comes first"
            ),
            columns,
            rows,
            w,
        ),
    ]
    if is_market_table(markets):
        blocks.append(market_numbers(markets, w))
    return section("markets", w("Markets"), w("Which markets first"), _lead(rows, w), blocks)


def _lead(rows: list[dict[str, Any]], w: Words) -> str:
    """Say who leads, and how much of that is the weights."""
    lead = rows[0]
    share = w.cell(lead["first"], "share")
    if lead["first"] >= SURE:
        text = w("{market} comes first by almost any weights ({share}).",
                 market=lead["market"], share=share)  # fmt: skip
    else:
        text = w(
            "{market} comes first with the weights given, and with {share} of all possible "
            "weights: what counts how much decides.",
            market=lead["market"],
            share=share,
        )
    invest = [row["market"] for row in rows if row["advice"] == "invest"]
    if not invest:
        return text + w(" ") + w("No market is both attractive and fitting enough to invest in.")
    return text + w(" ") + w("To invest in: {list}.", list=w(", ").join(invest))
