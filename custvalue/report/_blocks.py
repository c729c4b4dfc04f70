"""What a section of the page is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from custvalue.report._words import Words

Block = dict[str, Any]
Column = tuple[str, str, str]  # key of the fact, heading, kind


class Shown(NamedTuple):
    """A number that its column cannot write alike in every row: its text, and itself to sort by."""

    text: str
    sort: float


def span(text: str, w: Words) -> str:
    """``"52W"`` in words."""
    number, unit = text.strip()[:-1] or "1", text.strip()[-1:].upper()
    said = {
        "H": "{n} hours",
        "D": "{n} days",
        "W": "{n} weeks",
        "M": "{n} months",
        "Y": "{n} years",
    }
    return w(said[unit], n=number.strip()) if unit in said else text


def section(id_: str, short: str, title: str, lead: str, blocks: Sequence[Block]) -> Block:
    """Put blocks below a heading and a sentence."""
    return {"id": id_, "short": short, "title": title, "lead": lead, "blocks": list(blocks)}


def tile(label: str, text: str, note: str) -> dict[str, str]:
    """Show one number with what it means."""
    return {"label": label, "text": text, "note": note}


def fact(label: str, text: str) -> dict[str, str]:
    """Name and text of one fact on a card."""
    return {"label": label, "text": text}


def figure(pictures: dict[str, str], name: str, caption: str) -> dict[str, str]:
    """Show one picture with how to read it."""
    return {"svg": pictures[name], "caption": caption}


def table(
    id_: str,
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[dict[str, Any]],
    w: Words,
) -> Block:
    """Write rows as cells that can be read and sorted."""
    heads = [
        {"label": head, "kind": "text" if kind in _TEXTS else "number"} for _, head, kind in columns
    ]
    body = []
    for row in rows:
        cells = []
        for key, _, kind in columns:
            value = row[key]
            if isinstance(value, Shown):
                cells.append({"text": value.text, "sort": value.sort, "bar": None})
                continue
            text = _said(value, kind, w)
            missing = value is None or (isinstance(value, float) and math.isnan(value))
            bar = f"{100 * value:.1f}" if kind == "bar" and not missing else None
            sort = "" if missing else (text if kind in _TEXTS else value)
            if isinstance(value, float) and math.isinf(value):
                sort = "Infinity" if value > 0 else "-Infinity"  # as a browser reads it
            cells.append({"text": text, "sort": sort, "bar": bar})
        body.append(cells)
    return {"type": "table", "id": id_, "caption": caption, "columns": heads, "rows": body}


_TEXTS = ("name", "text", "word", "advice")


def _said(value: Any, kind: str, w: Words) -> str:
    if kind in ("name", "word"):
        return w.name(value)
    if kind == "advice":
        return w.advice(value)
    return w.cell(value, "share" if kind == "bar" else kind)
