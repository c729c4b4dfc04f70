"""The report in four sentences, each with the section that shows it."""

from __future__ import annotations

from typing import Any

from custvalue.report._blocks import span
from custvalue.report._words import Words


def in_short(facts: dict[str, Any], w: Words) -> list[dict[str, str]]:
    """Say what a reader with one minute should know.

    Parameters
    ----------
    facts : dict
        What the page says.
    words : Words
    """
    return [
        {"section": section, "text": text}
        for section, text in (
            ("segments", _best(facts, w)),
            ("forecast", _ahead(facts, w)),
            ("quiet", _win_back(facts, w)),
            ("stages", _upgrades(facts, w)),
        )
    ]


def _best(facts: dict[str, Any], w: Words) -> str:
    best = max(facts["segments"], key=lambda row: row["future_value"])
    total = sum(row["future_value"] for row in facts["segments"])
    return w(
        "{segment}: {customers} of the customers, {past} of all spend so far, {future} of the "
        "value to come.",
        segment=w.name(best["segment"]).capitalize(),
        customers=w.cell(best["customer_share"], "share"),
        past=w.cell(best["value_share"], "share"),
        future=w.cell(best["future_value"] / total if total else None, "share"),
    )


def _ahead(facts: dict[str, Any], w: Words) -> str:
    base, test = facts["base"], facts["backtest"]
    text = w(
        "Today's customers are expected to bring {value} in the next {span}.",
        value=w.money(base["future_value"]),
        span=span(facts["about"]["horizon"], w),
    )
    if test is None or not test["actual"]:
        return text + w(" ") + w("The log is too short to test that on the past.")
    return (
        text
        + w(" ")
        + w(
            "Tested on the past, the forecast was {ratio} of what came.",
            ratio=w.cell(test["forecast"] / test["actual"], "share"),
        )
    )


def _win_back(facts: dict[str, Any], w: Words) -> str:
    quiet = facts["quiet"]
    plan = quiet["plan"]
    text = w(
        "{n} customers ({share}) are quiet; as active ones they would be worth {worth} more.",
        n=w.cell(quiet["customers"], "int"),
        share=w.cell(quiet["share"], "share"),
        worth=w.money(quiet["at_stake"]),
    )
    if plan is None:
        return text
    return (
        text
        + w(" ")
        + w(
            "If {share} respond, contacting {n} of them for {cost} gains {gain}.",
            share=w.cell(quiet["response"], "share"),
            n=w.cell(plan["treated"], "int"),
            cost=w.money(plan["cost"]),
            gain=w.money(plan["gain"]),
        )
    )


def _upgrades(facts: dict[str, Any], w: Words) -> str:
    stages = facts["stages"]
    over = stages["problem_share"] > stages["ceiling"]
    return w(
        "Upgrades due: {due}, overdue: {overdue}. Problem customers: {share}, above the ceiling "
        "of {ceiling}."
        if over
        else "Upgrades due: {due}, overdue: {overdue}. Problem customers: {share}, within the "
        "ceiling of {ceiling}.",
        due=w.cell(sum(row["due"] for row in stages["upgrades"]), "int"),
        overdue=w.cell(sum(row["overdue"] for row in stages["upgrades"]), "int"),
        share=w.cell(stages["problem_share"], "share"),
        ceiling=w.cell(stages["ceiling"], "share"),
    )
