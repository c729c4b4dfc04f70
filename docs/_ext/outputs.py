"""What the Python blocks of a page print and draw, run as the page is built and shown below each.

A page is one program: its blocks run from top to bottom in one namespace, in an empty folder. A
table that is printed is shown as a table, a picture as a picture, a warning of custvalue by its
words. Nothing of it is stored beside the page, so that no output can be older than the code.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import html
import io
import math
import os
import tempfile
import warnings
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

ROWS = 12  # of a table; what is left out is counted below it


@dataclass(frozen=True)
class Output:
    """One thing shown: its kind (``text``, ``table``, ``picture``, ``warning``) and its content."""

    kind: str
    content: str


def number(value: float) -> str:
    """A number as a reader wants it: four digits, thousands whole, nothing in powers of ten."""
    if abs(value) < 1e-4 or not abs(value) < 1e15:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.{_digits(value)}f}"


def _digits(value: float) -> int:
    """Digits behind the point that leave four in all, and no zeros at the end."""
    most = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    most = max(most, 1) if abs(value) >= 1000 else most
    return len(f"{value:.{most}f}".rstrip("0").partition(".")[2])


def table_html(table: Any) -> str:
    """HTML of a pandas table, its first rows and the count of the others."""
    import pandas as pd

    frame = table.to_frame() if hasattr(table, "to_frame") else table
    numbered = frame.index.name is None and pd.api.types.is_integer_dtype(frame.index)
    nameless = frame.columns.name is None and pd.api.types.is_integer_dtype(frame.columns)
    turned = nameless and list(frame.columns) == list(range(len(frame.columns))) and not numbered
    shown = frame.head(ROWS).to_html(
        border=0, index=not numbered, header=not turned, float_format=number
    )
    left = len(frame) - ROWS
    return shown + (f"<p>and {left:,} more rows</p>" if left > 0 else "")


class Page:
    """The namespace of one page, and what its blocks show."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.space: dict[str, Any] = {"__name__": "page", "print": self._print}
        self.shown: list[Output] = []

    def run(self, code: str, line: int = 0) -> list[Output]:
        """Run one block that begins at ``line``; what it shows, in the order it was shown."""
        self.shown = []
        tree = ast.parse("\n" * line + code, self.name)  # a traceback names the page's own line
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        stream = io.StringIO()
        with warnings.catch_warnings(record=True) as told, contextlib.redirect_stdout(stream):
            warnings.simplefilter("always")
            exec(compile(tree, self.name, "exec"), self.space)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), self.name, "eval"), self.space)
                if value is not None and not _is_drawing(value):
                    self._print(value if _is_table(value) else repr(value))
        if stream.getvalue().strip():  # of the command line and of what prints by itself
            self._text(stream.getvalue().rstrip("\n"))
        self._pictures()
        return [*_warned(told), *self.shown]

    def _print(self, *things: Any, **options: Any) -> None:
        if len(things) == 1 and _is_table(things[0]) and not options:
            self.shown.append(Output("table", table_html(things[0])))
            return
        stream = io.StringIO()
        print(*things, **({"file": stream} | options))
        self._text(stream.getvalue().removesuffix("\n"))

    def _text(self, text: str) -> None:
        if self.shown and self.shown[-1].kind == "text":
            text = self.shown.pop().content + "\n" + text
        self.shown.append(Output("text", text))

    def _pictures(self) -> None:
        import matplotlib.pyplot as plt

        for number in plt.get_fignums():
            figure = plt.figure(number)
            file = io.BytesIO()
            figure.savefig(file, format="png", dpi=90, bbox_inches="tight")
            said = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
            data = base64.b64encode(file.getvalue()).decode()
            alt = html.escape(
                "; ".join(filter(None, said)) or "the picture that the code above draws"
            )
            picture = f'<img alt="{alt}" src="data:image/png;base64,{data}">'
            self.shown.append(Output("picture", picture))
        plt.close("all")


def _is_table(thing: Any) -> bool:
    import pandas as pd

    return isinstance(thing, (pd.DataFrame, pd.Series))


def _is_drawing(thing: Any) -> bool:
    return type(thing).__module__.startswith("matplotlib") or type(thing).__name__.endswith(
        "Display"
    )


def _warned(told: list[warnings.WarningMessage]) -> list[Output]:
    from custvalue.exceptions import CustvalueWarning

    ours = [w for w in told if issubclass(w.category, CustvalueWarning)]
    words = dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in ours)
    return [Output("warning", text) for text in words]


def is_grid(text: str) -> bool:
    """Are these lines columns, that must not be wrapped?"""
    lines = text.splitlines()
    return any(c in text for c in "│┃") or sum("  " in line.strip() for line in lines) > 1


def node_of(output: Output) -> nodes.Node:
    """The node that shows one output."""
    if output.kind in ("text", "warning"):
        block = nodes.literal_block(output.content, output.content)
        block["language"] = "none"
        block["classes"] += ["output", f"output-{output.kind}"]
        if is_grid(output.content):
            block["classes"].append("output-grid")
        return block
    content = f'<div class="output output-{output.kind}">{output.content}</div>'
    return nodes.raw("", content, format="html")


class ShowOutputs(SphinxTransform):
    """Runs the Python blocks of a Markdown page and puts what they show below them."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        if not str(self.env.doc2path(self.env.docname)).endswith(".md"):
            return
        blocks = [
            block
            for block in self.document.findall(nodes.literal_block)
            if block.get("language") == "python"
        ]
        if not blocks:
            return
        import matplotlib as mpl

        mpl.use("Agg")
        page = Page(self.env.docname + ".md")
        with tempfile.TemporaryDirectory() as folder, _inside(folder):
            for block in blocks:
                shown = [node_of(o) for o in page.run(block.astext(), block.line or 0)]
                at = block.parent.index(block) + 1
                block.parent.insert(at, shown)


@contextlib.contextmanager
def _inside(folder: str) -> Any:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def setup(app: Any) -> dict[str, Any]:
    app.add_transform(ShowOutputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
