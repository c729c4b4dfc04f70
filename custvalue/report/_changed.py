"""What changed since earlier scores, as a chapter of the report."""

from __future__ import annotations

from typing import Any

from custvalue._words import MONTHLY
from custvalue.monthly._for_rooms import NAMES, WhatChanged
from custvalue.report._blocks import Block, Column, section, table
from custvalue.report._words import Words

TOP = 10
PARTS = ("orders", "silence", "spend", "peers")


def changed_section(changed: Any, w: Words) -> Block:
    """Say what changed between two dates: the way between the values, what came, who moved.

    Parameters
    ----------
    changed : WhatChanged
        What `custvalue.monthly.compare` returned.
    w : Words

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not isinstance(changed, WhatChanged):
        raise TypeError(
            f"changed must be what custvalue.monthly.compare returns, not {type(changed).__name__}."
        )

    def say(text: str, **values: Any) -> str:
        return MONTHLY(text, w.language, **values)

    def name(word: str) -> str:
        return str(MONTHLY.name(word, w.language))

    blocks = [_bridge(changed, w, name)]
    if changed.came is not None:
        blocks.append(_came(changed, w, say))
    blocks += [_movers(changed, w, say, name), _drift(changed, w, say, name)]
    note = say("Values of this section are those of the model that made the earlier scores.")
    if not changed.fitted_anew:
        blocks.append({"type": "notes", "notes": [note]})
    return section("changed", say("What changed"), say("What changed since the earlier scores"),
                   changed.text(w.language), blocks)  # fmt: skip


def _bridge(changed: WhatChanged, w: Words, name: Any) -> Block:
    columns: list[Column] = [
        ("part", name("part"), "text"),
        ("customers", w("Customers"), "int"),
        ("value", name("value"), "money"),
    ]
    rows = [{**row, "part": name(row["part"])} for row in _rows(changed.bridge())]
    caption = MONTHLY("The value then, what moved it, and the value now: the sum of the rows above",
                      w.language)  # fmt: skip
    return table("changed-bridge", caption, columns, rows, w)


def _came(changed: WhatChanged, w: Words, say: Any) -> Block:
    assert changed.came is not None
    columns: list[Column] = [
        ("group", say("tenth by forecast"), "int"),
        ("n_customers", w("Customers"), "int"),
        ("predicted_total", say("expected"), "money"),
        ("actual_total", say("came"), "money"),
    ]
    rows = _rows(changed.came.groups)
    caption = say("What was expected of the customers of then, and what came, by tenths")
    return table("changed-came", caption, columns, rows, w)


def _movers(changed: WhatChanged, w: Words, say: Any, name: Any) -> Block:
    columns: list[Column] = [
        ("customer", w("Customer"), "text"),
        ("move", say("move"), "text"),
        ("value_then", name("value then"), "money"),
        ("value_now", name("value now"), "money"),
        ("change", say("change"), "money"),
        *((part, name(NAMES[part]), "money") for part in PARTS),
    ]
    rows = [
        {**row, "customer": str(row[changed.customer]), "move": name(row["move"])}
        for row in _rows(changed.movers(TOP))
    ]
    return table("changed-movers", say("Customers whose value moved most"), columns, rows, w)


def _drift(changed: WhatChanged, w: Words, say: Any, name: Any) -> Block:
    columns: list[Column] = [
        ("variable", say("input"), "text"),
        ("stability", say("stability index"), "fine"),
    ]
    rows = [{**row, "variable": name(row["variable"])} for row in _rows(changed.drift)]
    caption = say("How far inputs and value have moved: up to 0.1 is little, above 0.25 much")
    return table("changed-drift", caption, columns, rows, w)


def _rows(frame: Any) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
