"""Sections that let a reader judge the rest: forecast against truth, moves, the row ledger."""

from __future__ import annotations

from typing import Any

from custvalue.report._advice import REASON
from custvalue.report._blocks import Block, Column, figure, section, span, table
from custvalue.report._words import Words


def forecast_section(facts: dict[str, Any], pictures: dict[str, str], w: Words) -> Block:
    """Say how the forecast did on the past, against simple methods."""
    test, about = facts["backtest"], facts["about"]
    blocks: list[Block] = []
    held = []
    if test is None:
        lead = w("The log is too short to hold back a part of it, so the forecast is untested.")
    else:
        lead = w(
            "Tested on the past: with the orders up to {cutoff} alone, the same method forecast "
            "{forecast} of spend for the next {span}; {actual} came, so the forecast was {ratio} "
            "of the truth.",
            cutoff=test["cutoff"],
            forecast=w.money(test["forecast"]),
            actual=w.money(test["actual"]),
            span=span(test["span"], w),
            ratio=w.cell(test["forecast"] / test["actual"] if test["actual"] else None, "share"),
        )
        figures = [
            figure(
                pictures,
                "tracking",
                w("Solid: what was spent. Dashed: what was forecast at the dotted line."),
            ),
            figure(
                pictures,
                "calibration",
                w("Customers in groups by forecast: a dot on its bar's end is a right forecast."),
            ),
        ]
        columns: list[Column] = [
            ("group", w("Group, lowest forecast first"), "int"),
            ("n_customers", w("Customers"), "int"),
            ("predicted_mean", w("Forecast each"), "money"),
            ("actual_mean", w("Came each"), "money"),
        ]
        compare: list[Column] = [
            ("method", w("Method"), "name"),
            ("ratio", w("Forecast / actual"), "share"),
            ("gini", w("Ranking (Gini, 1 is perfect)"), "number"),
            ("mae", w("Mean error each"), "money"),
            ("top_decile", w("Spend of its best tenth, of the true best"), "share"),
        ]
        rows = [{**row, "method": w(row["method"])} for row in test["methods"]]
        held.append(
            w(
                "In the test, {share} of customers ended within their range of 80 %.",
                share=w.cell(test["coverage"], "share"),
            )
        )
        blocks = [
            {"type": "figures", "figures": figures},
            table("method-table", w("The same test for simple methods"), compare, rows, w),
            table("calibration-table", w("Forecast against outcome"), columns, test["groups"], w),
        ]
    blocks.append(
        {
            "type": "notes",
            "notes": [
                w(
                    "Future value is orders x spend per order: orders by the MBG/NBD law, which "
                    "also gives the chance of an order; discounted at {rate} a year.",
                    rate=w.cell(about["annual_discount_rate"], "share"),
                ),
                w(
                    "The range of a customer holds what will really come in 8 of 10 such cases; "
                    "for one who will most likely not order it is 0 to 0, although the mean is "
                    "not."
                ),
                w(
                    "The range of the total allows for chance and for the error of what was "
                    "estimated, not for an error of the method: the test on the past shows how "
                    "large that was."
                ),
                *held,
            ],
        }
    )
    return section(
        "forecast", w("Forecast"), w("The forecast, and how far to trust it"), lead, blocks
    )


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
        ),
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
        *(w("Technical note: {note}", note=note) for note in facts["notes"]),
    ]
    return section(
        "ledger",
        w("Data"),
        w("The data: every row accounted for"),
        w("Rows in the log = rows used + rows left out, each with its reason."),
        [
            table("ledger-table", w("Row ledger"), columns, rows, w),
            {"type": "notes", "notes": notes},
        ],
    )
