"""How results show themselves in a notebook: small tables, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from html import escape
from typing import Any

_NUMBER = "text-align:right;font-variant-numeric:tabular-nums"


def html_table(title: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write rows as a table with a caption.

    Examples
    --------
    >>> from custvalue._html import html_table
    >>> "<td>a&lt;b</td>" in html_table("Title", ["what"], [["a<b"]])
    True
    """
    heads = "".join(f"<th>{escape(str(name))}</th>" for name in head)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    caption = f'<caption style="text-align:left;font-weight:bold">{escape(str(title))}</caption>'
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def html_facts(title: str, facts: Mapping[str, Any]) -> str:
    """Write names and values as a table of two columns; nested facts become rows of their own.

    Examples
    --------
    >>> from custvalue._html import html_facts
    >>> html_facts("Fit", {"status": "interior"}).count("<tr>")
    2
    """
    rows: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            rows += [(f"{name}: {inner}".replace("_", " "), v) for inner, v in value.items()]
        else:
            rows.append((name.replace("_", " "), value))
    return html_table(title, ["", ""], rows)


class HtmlFacts:
    """Mixin of dataclasses whose fields are facts: a notebook shows them as a table."""

    _not_shown: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        facts: Any = self  # a dataclass, as whoever mixes this in is
        names = [f.name for f in fields(facts) if f.name not in self._not_shown]
        return html_facts(type(self).__name__, {name: getattr(self, name) for name in names})


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        if isinstance(value, (tuple, list)):
            value = ", ".join(map(str, value)) or "none"
        return f"<td>{escape(str(value))}</td>"
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
    return f'<td style="{_NUMBER}">{text}</td>'
