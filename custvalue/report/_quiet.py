"""Who is quiet, what winning them back is worth, and whether a contact pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue.report._blocks import Block, Column, figure, section, table, tile
from custvalue.report._campaign import QUIET, WINDOW, planned, too_many
from custvalue.report._collect import GRADES, TOP, Asked, Collected
from custvalue.report._names import nobody_quiet, quiet_rule
from custvalue.report._words import Words

if TYPE_CHECKING:
    import pandas as pd

USUAL = (0.005, 0.01, 0.02, 0.05, 0.1)  # responses to look at where none was given


def quiet_facts(got: Collected, asked: Asked) -> dict[str, Any]:
    """Numbers of the section, plain JSON values."""
    customers = got.customers
    chance = f"chance_of_order_{WINDOW}d"
    grouped = customers.groupby("silence_grade")
    grades = [
        {
            "grade": grade,
            "customers": len(part),
            "customer_share": len(part) / len(customers),
            "value": float(part["total_value"].sum()),
            "silence": float(part["silence_days"].median()),
            "chance": float(part[chance].mean()),
            "future_value": float(part["future_value"].sum()),
            "advice": asked.playbook.grade(grade),
        }
        for grade in GRADES
        if grade in grouped.groups
        for part in [grouped.get_group(grade)]
    ]
    quiet = customers[customers["silence_grade"].isin(QUIET)]
    return {
        "window": WINDOW,
        "grades": grades,
        "customers": len(quiet),
        "share": len(quiet) / len(customers),
        "spend": float(quiet["total_value"].sum()),
        "at_stake": float(quiet["at_stake"].sum()),
        "response": asked.response,
        "anyway": None if asked.response is None else too_many(customers, asked.response),
        "measured": None if asked.measured is None else asked.measured._asdict(),
        "contact_cost": asked.contact_cost,
        "top": _first(quiet, got.campaign, asked, chance),
        "plan": None if got.campaign is None else _plan_facts(got.campaign, asked),
        "what_if": [] if asked.contact_cost is None else _what_if(customers, asked),
    }


def _first(
    quiet: pd.DataFrame, plan: pd.DataFrame | None, asked: Asked, chance: str
) -> list[dict[str, Any]]:
    """Choose customers by expected gain, by worth, or by worth times chance."""
    customer = str(quiet.columns[0])
    if plan is not None:
        rows = quiet.set_index(customer, drop=False).loc[plan["customer"].head(TOP)]
        rows = rows.assign(group=plan["group"].head(TOP).to_numpy())
        rows["gain"] = plan["expected_gain"].head(TOP).to_numpy()
        rows["response"] = plan["response"].head(TOP).to_numpy()
    else:
        # without a response, a customer who may still answer comes before one who surely will not
        by = quiet["at_stake"] * (1.0 if asked.contact_cost is not None else quiet[chance])
        worth = by[quiet["at_stake"] > 0.0]  # nobody is worth winning back for nothing
        rows = quiet.loc[worth.sort_values(ascending=False, kind="stable").index[:TOP]]
        rows = rows.assign(group="", gain=np.nan, response=np.nan)
    cost = asked.contact_cost or 0.0
    return [
        {
            "customer": str(row[customer]),
            "n_orders": int(row["n_orders"]),
            "total_value": float(row["total_value"]),
            "last_order": str(row["last_order"])[:10],
            "usual_gap": float(row["usual_gap_days"]),
            "silence": float(row["silence_days"]),
            "chance": float(row[chance]),
            "future_value": float(row["future_value"]),
            "at_stake": float(row["at_stake"]),
            "break_even": cost / row["at_stake"] if row["at_stake"] > 0 else None,
            "response": float(row["response"]),
            "gain": float(row["gain"]),
            "group": row["group"],
        }
        for row in rows.to_dict("records")
    ]


def _plan_facts(plan: pd.DataFrame, asked: Asked) -> dict[str, Any]:
    treated, control = plan[plan["group"] == "treat"], plan[plan["group"] == "control"]
    return {
        "treated": len(treated),
        "cost": float(treated["contact_cost"].sum()),
        "gain": float(treated["expected_gain"].sum()),
        "control": len(control),
        "not_worth_it": int((plan["group"] == "not worth it").sum()),
        "out_of_budget": int((plan["group"] == "out of budget").sum()),
        "responding": float(treated["response"].mean()) if len(treated) else None,
        "worth_each": float(treated["value"].mean() * asked.scale) if len(treated) else None,
        "cost_assumed": asked.contact_cost is None,
        "budget": asked.budget,
        "holdout": asked.holdout,
    }


def _what_if(customers: pd.DataFrame, asked: Asked) -> list[dict[str, Any]]:
    """Contacts that pay, their cost and gain, for responses about the one given."""
    given = asked.response
    responses = USUAL if given is None else [given * f for f in (0.2, 0.5, 1.0, 2.0)]
    if asked.measured is not None:  # what the interval holds
        responses = [r for r in (asked.measured.low, given, asked.measured.high) if r and r > 0]
    rows = []
    quiet = customers["silence_grade"].isin(QUIET)
    most = 1.0 - float(customers.loc[quiet, f"chance_of_order_{WINDOW}d"].mean())
    for response in responses:
        if response < most:
            plan = planned(customers, asked, response, asked.budget, asked.holdout)
            treated = plan[plan["group"] == "treat"]
            rows.append(
                {
                    "response": float(response),
                    "customers": len(treated),
                    "responding": float(treated["response"].mean()) if len(treated) else None,
                    "cost": float(treated["contact_cost"].sum()),
                    "gain": float(treated["expected_gain"].sum()),
                }
            )
    return rows


def quiet_section(facts: dict[str, Any], pictures: dict[str, str], w: Words) -> Block:
    """Grades of silence, and the customers to win back first."""
    quiet = facts["quiet"]
    columns: list[Column] = [
        ("grade", w("Grade"), "name"),
        ("customers", w("Customers"), "int"),
        ("customer_share", w("Share"), "bar"),
        ("value", w("Spend so far"), "money"),
        ("silence", w("Usual silence"), "days"),
        ("chance", w("Chance of an order in {days} days", days=quiet["window"]), "share"),
        ("future_value", w("Future value"), "money"),
        ("advice", w("What to do"), "advice"),
    ]
    blocks: list[Block] = [
        {
            "type": "figures",
            "figures": [
                figure(
                    pictures,
                    "silence",
                    w("Customers by time since their last order, and how many order again."),
                ),
                figure(
                    pictures,
                    "silence_value",
                    w("Money spent so far by customers of each grade of silence."),
                ),
            ],
        },
        table("silence-table", w("Grades of silence"), columns, quiet["grades"], w),
    ]
    if quiet["plan"] is not None:
        blocks.append({"type": "tiles", "tiles": _plan_tiles(quiet, w)})
    if quiet["what_if"]:
        what_if: list[Column] = [
            ("response", w("Response, mean of all quiet"), "share"),
            ("customers", w("Contacted"), "int"),
            ("responding", w("Respond, of those contacted"), "share"),
            ("cost", w("Cost"), "money"),
            ("gain", w("Expected gain"), "money"),
        ]
        caption = w(
            "What if another share responds?"
            if quiet["measured"] is None
            else "At both ends of what was measured, and between"
        )
        blocks.append(table("whatif-table", caption, what_if, quiet["what_if"], w))
    if quiet["top"]:
        caption = w("Quiet customers worth winning back first (the first {n})", n=len(quiet["top"]))
        blocks.append(table("winback-table", caption, _top_columns(quiet, w), quiet["top"], w))
    blocks.append({"type": "notes", "notes": _notes(facts, w)})
    return section(
        "quiet",
        w("Who is quiet"),
        w("Who is quiet, and what winning them back is worth"),
        quiet_lead(facts, w),
        blocks,
    )


def quiet_lead(facts: dict[str, Any], w: Words) -> str:
    """How many are quiet and what is at stake, in a sentence."""
    quiet = facts["quiet"]
    if not quiet["customers"]:
        return nobody_quiet(w)
    return w(
        "{n} customers ({share}) are quiet by their own rhythm. Together they have spent "
        "{spend} so far; as active customers they would be worth {worth} more.",
        n=w.cell(quiet["customers"], "int"),
        share=w.cell(quiet["share"], "share"),
        spend=w.money(quiet["spend"]),
        worth=w.money(quiet["at_stake"]),
    )


def _top_columns(quiet: dict[str, Any], w: Words) -> list[Column]:
    columns: list[Column] = [
        ("customer", w("Customer"), "text"),
        ("n_orders", w("Orders"), "int"),
        ("total_value", w("Spend so far"), "money"),
        ("last_order", w("Last order"), "date"),
        ("usual_gap", w("Usual gap"), "days"),
        ("silence", w("Silence"), "days"),
    ]
    worth: Column = ("at_stake", w("Worth of winning back"), "money")
    needed: Column = ("break_even", w("Response needed"), "share")
    if quiet["plan"] is None:
        columns += [
            ("chance", w("Chance of an order"), "share"),
            ("future_value", w("Future value"), "money"),
            worth,
        ]
        return columns if quiet["contact_cost"] is None else [*columns, needed]
    return [
        *columns,
        worth,
        ("response", w("Response assumed" if quiet["measured"] is None else "Response"), "share"),
        needed,
        ("gain", w("Expected gain"), "money"),
        ("group", w("Group"), "name"),
    ]


def _plan_tiles(quiet: dict[str, Any], w: Words) -> list[dict[str, str]]:
    plan = quiet["plan"]
    cost = w.money(quiet["contact_cost"] or 0.0)
    return [
        tile(
            w("To contact"),
            w.cell(plan["treated"], "int"),
            w(
                "at {cost} each: {total} in all",
                cost=cost,
                total=w.money(plan["cost"]),
            ),
        ),
        tile(
            w("Expected gain"),
            w.money(plan["gain"]),
            w(
                "after contacts, if {share} of those contacted respond",
                share=w.cell(plan["responding"], "share"),
            )
            if plan["treated"]
            else w("nobody is contacted"),
        ),
        tile(
            w("Control group"),
            w.cell(plan["control"], "int"),
            w("drawn at random: do not contact, compare later"),
        ),
    ]


def _notes(facts: dict[str, Any], w: Words) -> list[str]:
    quiet = facts["quiet"]
    notes = [
        quiet_rule(facts["names"]["cuts"], w),
        w(
            "Worth of winning back: the future value of an active customer with the same "
            "frequency and money scores, less the customer's own; 0 where nobody alike is active."
        ),
    ]
    plan = quiet["plan"]
    if quiet["anyway"] is not None:
        notes.append(
            w(
                "A response of {share} cannot be: {chance} of the quiet customers are expected to "
                "order without a contact, so fewer than that are left to be won. No campaign is "
                "planned.",
                share=w.cell(quiet["response"], "share"),
                chance=w.cell(quiet["anyway"], "share"),
            )
        )
        return notes
    if quiet["contact_cost"] is not None:
        notes.append(
            w(
                "Response needed: cost of a contact divided by the worth of winning back. The "
                "contact pays where more respond than that who would not have come anyway."
            )
        )
    if plan is None:
        notes.append(
            w(
                "No response was given, so nobody is called worth a contact. The list starts with "
                "the customers of most worth, who pay at the lowest response."
            )
            if quiet["contact_cost"] is not None
            else w(
                "No response and no cost of a contact were given. The list assumes that who is "
                "more likely to order anyway is also easier to win back: worth times chance of an "
                "order. With response and cost (--response, --contact-cost) the report says whom "
                "to contact, what that brings, and draws a control group."
            )
        )
        return notes
    notes.append(_response(quiet, w))
    if plan["cost_assumed"]:
        notes.append(w("No cost of a contact was given: contacts count as free."))
    if plan["budget"] is not None:
        notes.append(_budget(plan, w))
    notes.append(
        w(
            "The table campaign has every quiet customer with the group drawn; {share} of those "
            "worth a contact are held out. {n} customers are not worth a contact.",
            share=w.cell(plan["holdout"], "share"),
            n=w.cell(plan["not_worth_it"], "int"),
        )
    )
    return notes


def _budget(plan: dict[str, Any], w: Words) -> str:
    """Say whether the budget ends the list, which it only does where somebody is left out."""
    if plan["out_of_budget"]:
        return w(
            "The budget of {money} ends the list: {n} more would pay.",
            money=w.money(plan["budget"]),
            n=w.cell(plan["out_of_budget"], "int"),
        )
    return w(
        "The budget of {money} does not end the list: {cost} of it is spent, and nobody else is "
        "worth a contact.",
        money=w.money(plan["budget"]),
        cost=w.money(plan["cost"]),
    )


def _response(quiet: dict[str, Any], w: Words) -> str:
    """Say where the response comes from, how it is spread, and what it is of those contacted."""
    text = _response_from(quiet, w)
    if not quiet["plan"]["treated"]:
        return text
    return (
        text
        + w(" ")
        + w(
            "A mean of {share} over all quiet customers is one of {more} over those contacted, who "
            "are the likelier ones.",
            share=w.cell(quiet["response"], "share"),
            more=w.cell(quiet["plan"]["responding"], "share"),
        )
    )


def _response_from(quiet: dict[str, Any], w: Words) -> str:
    share, known = w.cell(quiet["response"], "share"), quiet["measured"]
    if known is None:
        return w(
            "Assumed, not measured: a contact wins back {share} of the quiet customers who would "
            "not have come anyway. It raises everybody's odds of an order by the same factor, so "
            "that who is all but gone responds less. Expected gain is response times worth, less "
            "the contact; measure it with the control group.",
            share=share,
        )
    text = w(
        "Measured in a past campaign with {n} treated customers: {share} more of them ordered than "
        "of the control group ({low} to {high}). That holds for customers and a contact like those "
        "of that campaign. It raises everybody's odds of an order by the same factor; expected "
        "gain is response times worth, less the contact.",
        n=w.cell(known["n_treated"], "int"),
        share=share,
        low=w.cell(known["low"], "share"),
        high=w.cell(known["high"], "share"),
    )
    if known["low"] > 0:
        return text
    return text + w(" ") + w("The interval holds none as well: the contact may bring nothing.")
