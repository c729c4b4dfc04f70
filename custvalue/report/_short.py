"""The report in four sentences, each with the section that shows it."""

from __future__ import annotations

from typing import Any

from custvalue.report._blocks import span
from custvalue.report._words import Words

STANDS_OUT = 1.25  # share of the value to come over that of the customers, from which it says much


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
    if total <= 0.0 or best["future_value"] / total < STANDS_OUT * best["customer_share"]:
        return w(
            "The best 20 % of customers brought {past} of all spend so far; no segment stands out "
            "for the value to come.",
            past=w.cell(facts["base"]["top20"], "share"),
        )
    return w(
        "{segment}: {customers} of the customers, {past} of all spend so far, {future} of the "
        "value to come.",
        segment=w.name(best["segment"]).capitalize(),
        customers=w.cell(best["customer_share"], "share"),
        past=w.cell(best["value_share"], "share"),
        future=w.cell(best["future_value"] / total if total else None, "share"),
    )


def _ahead(facts: dict[str, Any], w: Words) -> str:
    base, test = facts["base"], facts["forecast"]
    ahead = span(facts["about"]["horizon"], w)
    if not total_holds(test):
        return total_refuted(test, w)
    ratios = came_over_said(test, w)
    said = [
        w(
            "Today's customers are expected to bring {value} in the next {span}.",
            value=w.money(base["future_value"]),
            span=ahead,
        )
    ]
    if base["last_value"] is not None:
        said.append(
            w(
                "In the last {span} they brought {value}.",
                value=w.money(base["last_value"]),
                span=ahead,
            )
        )
    if ratios:
        said.append(
            w("At earlier dates {ratios} of what such a forecast said came.", ratios=ratios)
        )
    else:
        said.append(w("The log is too short to test that on the past."))
    return w(" ").join(said)


def total_holds(forecast: dict[str, Any]) -> bool:
    """Whether the total of a forecast was not refuted by the log's own past."""
    return forecast["uses"]["budget"] != "no"


def total_refuted(forecast: dict[str, Any], w: Words) -> str:
    """Say instead of a total that was refuted how much of what was forecast came."""
    return w(
        "How much today's customers will bring cannot be told: at earlier dates {ratios} of what "
        "was forecast came.",
        ratios=came_over_said(forecast, w),
    )


def came_over_said(forecast: dict[str, Any], w: Words) -> str:
    """Shares of what was forecast that came, earliest date first."""
    return w(", ").join(
        w.cell(row["came"] / row["said"], "share") for row in forecast["dates"] if row["said"]
    )


def _win_back(facts: dict[str, Any], w: Words) -> str:
    quiet = facts["quiet"]
    plan = quiet["plan"]
    text = w(
        "{n} customers ({share}) are quiet; active, they would be worth {worth} more.",
        n=w.cell(quiet["customers"], "int"),
        share=w.cell(quiet["share"], "share"),
        worth=w.money(quiet["at_stake"]),
    )
    if plan is None:
        return text
    if not plan["treated"] and plan["out_of_budget"]:
        return (
            text
            + w(" ")
            + w(
                "The budget of {money} pays for none of the {n} who are worth a contact.",
                money=w.money(plan["budget"]),
                n=w.cell(plan["out_of_budget"], "int"),
            )
        )
    if not plan["treated"]:
        share = w.cell(quiet["response"], "share")
        return (
            text + w(" ") + w("If {share} respond, none of them is worth a contact.", share=share)
        )
    return (
        text
        + w(" ")
        + w(
            "Contacting {n} of them for {cost} gains {gain}, if {share} of those contacted "
            "respond.",
            share=w.cell(plan["responding"], "share"),
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
