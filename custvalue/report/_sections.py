"""The report's numbers as sections of sentences, cards, tables and pictures."""

from __future__ import annotations

from typing import Any

from custvalue.report._blocks import Block, Column, fact, figure, section, span, table, tile
from custvalue.report._by import by_section
from custvalue.report._evidence import (
    counted_on,
    forecast_section,
    ledger_section,
    moves_section,
)
from custvalue.report._limits import limit_notes
from custvalue.report._names import name_notes, segments_lead, stage_notes
from custvalue.report._quiet import quiet_section
from custvalue.report._short import came_over_said, in_short, total_holds
from custvalue.report._stories import stories_section
from custvalue.report._words import Words


def page(facts: dict[str, Any], pictures: dict[str, str], words: Words) -> dict[str, Any]:
    """Everything the template shows.

    Parameters
    ----------
    facts : dict
        What `custvalue.report._collect` found, plain JSON values.
    pictures : dict
        SVG text by name.
    words : Words
        Language and currency.
    """
    about = facts["about"]
    w = words
    margin = w("not given: value is spend")
    if about["profit_from"] is not None:
        margin = w(
            "{share} so far, by column {column}",
            share=w.cell(facts["base"]["margin"], "share"),
            column=about["profit_from"][1],
        )
    elif about["margin"] is not None:
        margin = w.cell(about["margin"], "share")
    return {
        "title": about["title"] or w("Customer value report: {source}", source=about["source"]),
        "facts": [
            {"label": w("As of"), "text": about["as_of"]},
            {"label": w("Looking ahead"), "text": span(about["horizon"], w)},
            {"label": w("Margin"), "text": margin},
            {
                "label": w("Discount rate a year"),
                "text": w.cell(about["annual_discount_rate"], "share"),
            },
            {"label": w("Orders since"), "text": about["first_date"]},
            *_offer(facts["quiet"], w),
        ],
        "sections": [
            _base(facts, pictures, w),
            *([] if facts["by"] is None else [by_section(facts, w)]),
            _segments(facts, pictures, w),
            quiet_section(facts, pictures, w),
            stories_section(facts, w),
            _stages(facts, pictures, w),
            forecast_section(facts, pictures, w),
            moves_section(facts, pictures, w),
            ledger_section(facts, w),
        ],
        "footer": w(
            "Made by custvalue {version}. The tables beside this page hold every customer; numbers "
            "here are sums and means of them.",
            version=about["version"],
        ),
    }


def _offer(quiet: dict[str, Any], w: Words) -> list[dict[str, str]]:
    given = {}
    if quiet["response"] is not None:
        share = w.cell(quiet["response"], "share")
        given[w("Response")] = w("{share}, mean of all quiet", share=share)
    if quiet["measured"] is not None:
        given[w("Response")] = w(
            "{share}, measured ({low} to {high})",
            share=w.cell(quiet["response"], "share"),
            low=w.cell(quiet["measured"]["low"], "share"),
            high=w.cell(quiet["measured"]["high"], "share"),
        )
    if quiet["contact_cost"] is not None:
        given[w("Contact cost")] = w.money(quiet["contact_cost"])
    return [{"label": label, "text": text} for label, text in given.items()]


def frame_words(words: Words) -> dict[str, str]:
    """Words of the page's frame."""
    return {
        "lang": "en" if words.language == "en" else "zh-CN",
        "sort": words("sort by this column"),
        "skip": words("skip to the report"),
        "contents": words("contents"),
    }


def _base(facts: dict[str, Any], pictures: dict[str, str], w: Words) -> Block:
    base, about = facts["base"], facts["about"]
    ahead = span(about["horizon"], w)
    worth = w("future profit") if about["is_profit"] else w("future spend")
    tiles = [
        tile(
            w("Customers"),
            w.cell(base["customers"], "int"),
            w("{share} bought only once", share=w.cell(base["one_time_share"], "share")),
        ),
        tile(
            w("Orders"),
            w.cell(base["orders"], "int"),
            w("{mean} per order on average", mean=w.money(base["mean_order"])),
        ),
        tile(
            w("Spend so far"),
            w.money(base["spend"]),
            w("the best 20 % of customers bring {share}", share=w.cell(base["top20"], "share")),
        ),
        *_profit_tile(base, w),
        tile(
            w("Bought in the last {days} days", days=base["window"]),
            w.cell(base["active"], "int"),
            w("{share} of all customers", share=w.cell(base["active_share"], "share")),
        ),
        tile(
            w("Customers expected to order, next {span}", span=ahead),
            w.cell(base["expected_buyers"], "int"),
            w(
                "of all customers known today; {orders} orders",
                orders=w.cell(base["expected_orders"], "int"),
            ),
        ),
        tile(
            w("Expected {worth}, next {span}", worth=worth, span=ahead),
            w.money(base["future_value"]),
            w(
                "80 % range {low} to {high}",
                low=w.money(base["future_low"]),
                high=w.money(base["future_high"]),
            ),
        )
        if total_holds(facts["forecast"])
        else tile(
            w("Expected {worth}, next {span}", worth=worth, span=ahead),
            w("not known"),
            w(
                "at earlier dates {ratios} of what was forecast came",
                ratios=came_over_said(facts["forecast"], w),
            ),
        ),
    ]
    figures = [
        figure(
            pictures,
            "concentration",
            w("How to read: the further the curve bends up, the fewer customers carry the base."),
        ),
        figure(
            pictures,
            "spend",
            w(
                "Spend in periods of {period}; right of the dotted line, what today's customers "
                "are expected to spend, before discount.",
                period=span(about["period"], w),
            )
            + _band_words(facts, w),
        ),
    ]
    return section(
        "base",
        w("The base"),
        w("The base on a page"),
        w(
            "Who the customers are and what they bring. Value means {meaning}, over the next "
            "{span}, discounted to {as_of}.",
            meaning=_meaning(about, w),
            span=ahead,
            as_of=about["as_of"],
        ),
        [
            {"type": "points", "title": w("In short"), "points": in_short(facts, w)},
            {"type": "tiles", "tiles": tiles},
            *_limits(facts, w),
            *_losses(base, w),
            {"type": "figures", "figures": figures},
        ],
    )


def _band_words(facts: dict[str, Any], w: Words) -> str:
    """Say what the band on the line of spend holds, and whether the line follows a season."""
    ahead, said = facts["ahead"], []
    if ahead["banded"] and facts["forecast"]["dates"]:
        said.append(
            w(
                "The band holds what comes in 8 of 10 cases: by chance, by what forecasts missed "
                "at earlier dates, and by the ups and downs of the periods so far."
            )
        )
    elif ahead["banded"]:
        said.append(
            w(
                "The band allows for chance and for the ups and downs of the periods so far, not "
                "for an error of the method, which no earlier date could test."
            )
        )
    if ahead["seasonal"]:
        said.append(
            w("The season of the past years is in the line; its sum is that of the forecast.")
        )
    return "".join(w(" ") + text for text in said)


def _limits(facts: dict[str, Any], w: Words) -> list[Block]:
    notes = limit_notes(facts["limits"], facts["about"]["horizon"], w)
    return [{"type": "notes", "notes": notes}] if notes else []


def _profit_tile(base: dict[str, Any], w: Words) -> list[dict[str, str]]:
    if base["profit"] is None:
        return []
    share = w.cell(base["margin"], "share")
    note = w("{share} of spend", share=share)
    return [tile(w("Profit so far"), w.money(base["profit"]), note)]


def _losses(base: dict[str, Any], w: Words) -> list[Block]:
    """Say who brought, or is expected to bring, a loss; orders at a loss stay orders."""
    if base["profit"] is None or not (base["loss_customers"] or base["future_loss_customers"]):
        return []
    notes = [
        w(
            "{n} customers have brought a loss so far, {loss} together. Losses count as losses, "
            "and orders at a loss as orders.",
            n=w.cell(base["loss_customers"], "int"),
            loss=w.money(base["loss"]),
        ),
        w(
            "{n} customers are expected to bring a loss: their value is below 0.",
            n=w.cell(base["future_loss_customers"], "int"),
        ),
    ]
    return [{"type": "notes", "notes": notes}]


def _meaning(about: dict[str, Any], w: Words) -> str:
    if about["profit_from"] is not None:
        return w(
            "profit: spend at the margins that the rows tell (column {column})",
            column=about["profit_from"][1],
        )
    if about["margin"] is None:
        return w("spend (no margin was given)")
    return w("spend times the margin of {margin}", margin=w.cell(about["margin"], "share"))


def _segments(facts: dict[str, Any], pictures: dict[str, str], w: Words) -> Block:
    rows, names = facts["segments"], facts["names"]
    days = f"{names['days']:g}"
    cards = [
        {
            "title": w.name(row["segment"]),
            "big": w(
                "{n} customers, {share}" if row["customers"] != 1 else "1 customer, {share}",
                n=w.cell(row["customers"], "int"),
                share=w.cell(row["customer_share"], "share"),
            ),
            "rule": row["rule"],
            "facts": [
                fact(w("share of spend"), w.cell(row["value_share"], "share")),
                fact(w("usual silence"), w.cell(row["silence"], "days")),
                fact(w("orders each"), w.cell(row["orders_each"], "number")),
                fact(w("future value each"), w.money(row["future_each"])),
                *(
                    [
                        fact(
                            w("ordered within {days} days, tested", days=days),
                            w.cell(row["ordered"], "share"),
                        )
                    ]
                    if names["dates"]
                    else []
                ),
            ],
            "todo": w.advice(row["advice"]),
        }
        for row in rows
    ]
    profit: list[Column] = [("profit", w("Profit so far"), "money")]
    columns: list[Column] = [
        ("segment", w("Segment"), "name"),
        ("customers", w("Customers"), "int"),
        ("customer_share", w("Share"), "bar"),
        ("value", w("Spend so far"), "money"),
        ("value_share", w("Share of spend"), "bar"),
        *(profit if facts["about"]["profit_from"] is not None else []),
        ("silence", w("Usual silence"), "days"),
        ("future_value", w("Future value"), "money"),
        ("future_each", w("Future value each"), "money"),
    ]
    if names["dates"]:
        heading = w("Ordered within {days} days, tested on the past", days=days)
        columns.append(("ordered", heading, "share"))
    caption = w("Segments by size, spend so far and future value")
    return section(
        "segments",
        w("Segments"),
        w("Segments: who is alike"),
        segments_lead(names, w),
        [
            {
                "type": "figures",
                "figures": [
                    figure(
                        pictures,
                        "segments",
                        w("Each box is a segment: its area is customers, its colour spend each."),
                    ),
                    figure(
                        pictures,
                        "segment_value",
                        w("Future value of one customer; the line is the 80 % range of the mean."),
                    ),
                ],
            },
            {"type": "cards", "cards": cards},
            table("segment-table", caption, columns, rows, w),
            {"type": "notes", "notes": name_notes(names, w)},
        ],
    )


def _stages(facts: dict[str, Any], pictures: dict[str, str], w: Words) -> Block:
    stages = facts["stages"]
    columns: list[Column] = [
        ("stage", w("Stage"), "name"),
        ("customers", w("Customers"), "int"),
        ("customer_share", w("Share"), "bar"),
        ("value", w("Spend so far"), "money"),
        ("value_share", w("Share of spend"), "bar"),
        ("chance", w("Chance of an order in {days} days", days=facts["quiet"]["window"]), "share"),
        ("future_each", w("Future value each"), "money"),
        ("message", w("Message"), "advice"),
        ("step", w("Next step"), "advice"),
    ]
    over = stages["problem_share"] > stages["ceiling"]
    text = (
        "Problem customers are {share} of those present, above the ceiling of {ceiling}: diagnose "
        "why established customers went quiet, the most valuable first."
        if over
        else "Problem customers are {share} of those present, within the ceiling of {ceiling}."
    )
    notes = [
        w(
            text,
            share=w.cell(stages["problem_share"], "share"),
            ceiling=w.cell(stages["ceiling"], "share"),
        ),
        w(
            "Potential and target customers have no order yet, strategic partners a joint project: "
            "a log of orders alone shows none of them."
        )
        if facts["about"]["trade"] == "b2b"
        else w(
            "Potential and target customers have no order yet, and strategic partners are told by "
            "more than orders: a log of orders alone shows none of them."
        ),
    ]
    then_and_now = figure(
        pictures,
        "stages",
        w("Where customers stood on the first date, and where they stand now.")
        + counted_on(facts, w),
    )
    beside: list[Block] = []
    if stages["upgrades"]:
        due: list[Column] = [
            ("stage", w("Stage"), "name"),
            ("early", w("Upgrade early"), "int"),
            ("due", w("Upgrade due"), "int"),
            ("overdue", w("Upgrade overdue"), "int"),
        ]
        caption = w("Customers by time in their stage, against its usual window")
        beside.append(table("upgrade-table", caption, due, stages["upgrades"], w))
        notes.insert(
            0,
            w(
                "Due: within the stage's usual window; overdue: longer in the stage than usual. "
                "The table customers says for each what is missing for the next stage."
            ),
        )
    notes[:0] = stage_notes(stages, w)
    blocks: list[Block] = [
        {"type": "split", "figure": then_and_now, "blocks": beside},
        table("stage-table", w("Stages of the relationship"), columns, stages["rows"], w),
        {"type": "notes", "notes": notes},
    ]
    return section(
        "stages",
        w("Stages"),
        w("Stages of the relationship, and upgrades due"),
        w("Where each relationship stands by its orders, and what to say to it."),
        blocks,
    )
