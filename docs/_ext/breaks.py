"""Places where a long name in a table may be broken: after a bracket, a comma, between words.

A table is as wide as its longest word, and names of code are long words. A ``<wbr>`` is no letter:
what is copied from the page has none.
"""

from __future__ import annotations

import re
from typing import Any

CELL = re.compile(r"<t[dh]\b[^>]*>.*?</t[dh]>", re.DOTALL)
WORD = re.compile(r'(<span class="pre">)([^<]{13,})(</span>)')
JOINT = re.compile(r"(?<=[a-zA-Z0-9)\]][_(.,=/])(?=[a-zA-Z0-9\"'&({\[])|(?<=[a-z])(?=[A-Z][a-z])")


def broken(body: str) -> str:
    """HTML of a page with places to break at in the code of its tables."""
    return CELL.sub(
        lambda cell: WORD.sub(lambda w: w[1] + JOINT.sub("<wbr>", w[2]) + w[3], cell[0]), body
    )


def put(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if "body" in context:
        context["body"] = broken(context["body"])


def setup(app: Any) -> dict[str, Any]:
    app.connect("html-page-context", put)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
