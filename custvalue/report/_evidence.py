"""Sections that let a reader judge the rest: forecast against truth, moves, the row ledger."""

from __future__ import annotations

from typing import Any

from custvalue._words import agree, note_in_chinese
from custvalue.report._advice import REASON
from custvalue.report._blocks import Block, Column, figure, section, span, table
from custvalue.report._words import Words

ODDITIES = 8  # findings on the page; all are in facts["examine"]


def forecast_section(facts: dict[str, Any], pictures: dict[str, str], w: Words) -> Block:
    """Say how the forecast did on the past, against simple methods."""
    test, about = facts["forecast"], facts["about"]
    blocks: list[Block] = [{"type": "notes", "notes": test["words"][1:]}]
    if test["dates"]:
        dates: list[Column] = [
            ("date", w("Known until"), "text"),
            ("days", w("Days ahead"), "int"),
            ("said", w("Forecast"), "money"),
            ("came", w("Came"), "money"),
            ("ratio", w("Forecast / actual"), "share"),
            ("gini", w("Ranking (Gini, 1 is perfect)"), "number"),
        ]
        compare: list[Column] = [
            ("method", w("Method"), "name"),
            ("ratio", w("Forecast / actual"), "share"),
            ("gini", w("Ranking (Gini, 1 is perfect)"), "number"),
            ("mae", w("Mean error each"), "money"),
            ("top_decile", w("Spend of its best tenth, of the true best"), "share"),
        ]
        columns: list[Column] = [
            ("group", w("Group, lowest forecast first"), "int"),
            ("n_customers", w("Customers"), "int"),
            ("predicted_mean", w("Forecast each"), "money"),
            ("actual_mean", w("Came each"), "money"),
        ]
        by_group = w("Customers in groups by forecast: a dot on its bar's end is a right forecast.")
        blocks.append(
            table("date-table", w("The forecast at earlier dates"), dates, test["dates"], w)
        )
        if len(test["groups"]) > 1:  # who says the same of all has one group
            shown = [figure(pictures, "calibration", by_group)]
            blocks.append({"type": "figures", "figures": shown})
        methods = w("The same test for each method")
        blocks.append(table("method-table", methods, compare, test["methods"], w))
        if len(test["groups"]) > 1:
            caption = w("Forecast against outcome")
            blocks.append(table("calibration-table", caption, columns, test["groups"], w))
    blocks.append(
        {
            "type": "notes",
            "notes": [
                w(
                    "Future value and the chance of an order are of one forecast, chosen by the "
                    "log's own past; discounted at {rate} a year.",
                    rate=w.cell(about["annual_discount_rate"], "share"),
                ),
                *_learned_before(test["learned_until"], about["as_of"], w),
                *(
                    [
                        w(
                            "Earlier dates tested the spend that was forecast. Its margins are "
                            "those of the past: each customer's own as far as the orders tell, "
                            "else everybody's."
                        )
                    ]
                    if about["profit_from"] is not None
                    else []
                ),
                w(
                    "The range of a customer holds the mean, and what will really come in 8 of 10 "
                    "such cases."
                ),
                w(
                    "The range of the total allows for chance, for the error of what was "
                    "estimated and for what the method missed at earlier dates; no range knows "
                    "that the future may differ from the past."
                )
                if test["dates"]
                else w(
                    "The range of the total allows for chance and for the error of what was "
                    "estimated, not for an error of the method, which is not known."
                ),
            ],
        }
    )
    return section(
        "forecast",
        w("Forecast"),
        w("The forecast, and how far to trust it"),
        test["words"][0],
        blocks,
    )


def _learned_before(until: str, as_of: str, w: Words) -> list[str]:
    """Say so where the forecast was fitted on an earlier log."""
    if until in ("", as_of):
        return []
    return [
        w(
            "The forecast was fitted on orders until {date} and asked of this log; its tests and "
            "its verdict are of that day.",
            date=until,
        )
    ]


def moves_section(facts: dict[str, Any], pictures: dict[str, str], w: Words) -> Block:
    """Say who moves where."""
    moves = facts["moves"]
    columns: list[Column] = [
        ("from", w("From"), "name"),
        ("to", w("To"), "name"),
        ("moves", w("Times"), "int"),
        ("customers", w("Customers"), "int"),
        ("share", w("Share"), "bar"),
    ]
    return section(
        "moves",
        w("Moves"),
        w("Who moves where"),
        w(
            "Segments one period apart ({period}), over the whole log: each row of the picture "
            "says where the customers of a segment are one period later.",
            period=span(facts["about"]["period"], w),
        )
        + counted_on(facts, w),
        [{"type": "notes", "notes": [w("No customer has two periods yet.")]}]
        if "moves" not in pictures
        else [
            {
                "type": "split",
                "figure": figure(
                    pictures, "moves", w("Per cent of a segment's customers, one period later.")
                ),
                "blocks": [table("move-table", w("The largest moves"), columns, moves, w)],
            },
        ],
    )


def counted_on(facts: dict[str, Any], w: Words) -> str:
    """Say on how many customers moves were counted, where that is not all of them."""
    n, followed = facts["base"]["customers"], facts["about"]["followed"]
    if followed == n:
        return ""
    return " " + w(
        "They are counted on {n} customers, drawn fairly of all.", n=w.cell(followed, "int")
    )


def _technical(note: str, w: Words) -> str:
    """Say a note of the library: in the page's language where it is a frequent one."""
    said = note_in_chinese(note) if w.language == "zh" else None
    if said is not None:
        return w("Note: {note}", note=said)
    return w("Technical note: {note}", note=agree(note))


def ledger_section(facts: dict[str, Any], w: Words) -> Block:
    """Account for every row, and say what was warned about."""
    book = facts["ledger"]
    rows = [{"what": w("rows in the log"), "rows": book["rows_in"], "amount": book["amount_in"]}]
    rows += [
        {"what": w(REASON[d["reason"]]), "rows": -d["rows"], "amount": -d["amount"]}
        for d in book["dropped"]
    ]
    rows.append({"what": w("rows used"), "rows": book["rows_used"], "amount": book["amount_used"]})
    columns: list[Column] = [
        ("what", w("What"), "text"),
        ("rows", w("Rows"), "int"),
        ("amount", w("Net amount"), "money"),
    ]
    notes = [
        w(
            "{rows} rows used make {orders} orders of {customers} customers: all rows of a "
            "customer on one day are one order.",
            rows=w.cell(book["rows_used"], "int"),
            orders=w.cell(book["occasions"], "int"),
            customers=w.cell(book["customers"], "int"),
        ),
        *(_technical(note, w) for note in facts["notes"]),
    ]
    return section(
        "ledger",
        w("Data"),
        w("The data: every row accounted for"),
        w("Rows in the log = rows used + rows left out, each with its reason."),
        [
            *_oddities(facts["examine"], w),
            table("ledger-table", w("Row ledger"), columns, rows, w),
            {"type": "notes", "notes": notes},
        ],
    )


def _oddities(found: dict[str, Any], w: Words) -> list[Block]:
    """List what a look at the log found before any model, the worst first."""
    if not found["findings"]:
        return [{"type": "notes", "notes": [w("A look at the log found nothing odd.")]}]
    columns: list[Column] = [
        ("severity", w("How bad"), "word"),
        ("what", w("What is odd about the log"), "text"),
        ("rows", w("Rows"), "int"),
        ("money", w("Money"), "money"),
        ("cure", w("What to do"), "text"),
    ]
    rows = [{**one, "severity": w(one["severity"])} for one in found["findings"][:ODDITIES]]
    caption = w("What is odd about the log, before any model")
    return [table("examine-table", caption, columns, rows, w)]
