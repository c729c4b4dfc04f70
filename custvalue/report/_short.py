"""The report in four sentences, each with the section that shows it."""

from __future__ import annotations

from typing import Any

from custvalue.report._blocks import span
from custvalue.report._names import first_to_do, nobody_quiet
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
            ("segments", first_to_do(facts, w)),
            ("forecast", _ahead(facts, w)),
            ("quiet", _win_back(facts, w)),
            ("stages", _upgrades(facts, w)),
        )
    ]


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
        said.append(w("The past had too few buyers, or too few days, to test that on it."))
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
    if not quiet["customers"]:
        return nobody_quiet(w)
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
    if not stages["upgrades"]:
        return w(
            "Problem customers: {share}, above the ceiling of {ceiling}."
            if over
            else "Problem customers: {share}, within the ceiling of {ceiling}.",
            share=w.cell(stages["problem_share"], "share"),
            ceiling=w.cell(stages["ceiling"], "share"),
        )
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
