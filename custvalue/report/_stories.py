"""The first customers one by one: value, chance, range, why, what moved, what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._words import EXPLAIN
from custvalue.evaluation._for_rooms import NAMES
from custvalue.report._blocks import Block, section
from custvalue.report._words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from custvalue._typing import Places
    from custvalue.evaluation._for_rooms import CustomerStory
    from custvalue.report._playbooks import Playbook

FIRST = 50
ROUNDING = 1e-9  # of the largest figure of a customer: a difference below it is rounding


def first_places(customers: pd.DataFrame) -> Places:
    """Places of the customers of most worth: of what winning them back brings, or of their value.

    Parameters
    ----------
    customers : DataFrame
        With ``at_stake`` and ``future_value``.
    """
    most = np.maximum(customers["at_stake"].to_numpy(), customers["future_value"].to_numpy())
    return np.argsort(-most, kind="stable")[:FIRST]


def stories_facts(
    stories: Sequence[CustomerStory], customers: pd.DataFrame, playbook: Playbook, w: Words
) -> list[dict[str, Any]]:
    """Plain JSON values of each story, its sentences in the page's language.

    What to do is what the playbook says of the customer's segment, as in the table of segments; of
    one that is called by its scores alone, what the story itself says.
    """
    segments = customers["segment"].to_numpy()[first_places(customers)]
    told = []
    for story, segment in zip(stories, segments, strict=True):
        one = advised(story, segment, playbook, w)
        told.append({**one.to_dict(w.language), "known": list(one.known(w.language))})
    return told


def advised(story: CustomerStory, segment: str, playbook: Playbook, w: Words) -> CustomerStory:
    """Story with what the playbook says of the customer's segment, where it knows it."""
    if segment not in playbook.segments:
        return story
    return replace(story, todo=w.advice(playbook.segment(segment)))


def stories_section(facts: dict[str, Any], w: Words) -> Block:
    """List customers that open: a line each, and behind it why."""
    stories = facts["stories"]
    since = stories[0]["since"]
    lead = w(
        "The first customers ({n}) by value or worth of winning back. The parts of each add up to "
        "the value less the mean of all customers, {mean}.",
        n=len(stories),
        mean=w.money(stories[0]["mean"]),
    )
    if since is not None:
        lead += w(" ") + w("In brackets: what moved since {since}.", since=since)
    notes = [
        w(
            "Parts are shares of the mean values of customers alike in number of orders, silence "
            "against their own rhythm and spend per order; they say what a value goes with, not "
            "what would happen if the customer did otherwise."
        )
    ]
    blocks: list[Block] = [
        {"type": "stories", "stories": [_story(one, w) for one in stories]},
        {"type": "notes", "notes": notes},
    ]
    return section("one-by-one", w("One by one"), w("Customers one by one, and why"), lead, blocks)


def _story(one: dict[str, Any], w: Words) -> dict[str, Any]:
    line = w(
        "{value} ({low} to {high}), chance of an order {chance}",
        value=w.money(one["value"]),
        low=w.cell(one["low"], "money"),
        high=w.cell(one["high"], "money"),
        chance=w.cell(one["chance"], "share"),
    )
    moves = one["moves"]
    names = list(one["parts"])
    figures = (one["value"], one["mean"], one["value_then"] or 0.0, *one["parts"].values())
    nothing = ROUNDING * max(map(abs, figures))

    def more(value: float) -> str:
        return signed(value if abs(value) > nothing else 0.0, w)

    parts = [
        {
            "name": EXPLAIN(NAMES[name], w.language),
            "part": more(one["parts"][name]),
            "moved": more(moves[name]) if moves else "",
            "known": known,
        }
        for name, known in zip(names, one["known"], strict=True)
    ]
    parts.append(
        {
            "name": EXPLAIN("value", w.language),
            "part": w.money(one["value"]),
            "moved": more(one["value"] - one["value_then"]) if moves else "",
            "known": "" if "mean" not in moves else w("no order yet on {date}", date=one["since"]),
        }
    )
    return {"customer": one["customer"], "line": line, "parts": parts, "todo": one["advice"]}


def signed(value: float, w: Words) -> str:
    """Money with its sign, also where it is more."""
    text = w.money(value)
    return text if text.startswith("−") else f"+{text}"
