"""Every Python block of README.md and of the documentation runs, top to bottom, page by page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FOUND = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in FOUND if page.exists() and BLOCK.search(page.read_text("utf-8"))]


# a page may show what the library warns about; nothing else may warn
@pytest.mark.filterwarnings("default::custvalue.exceptions.CustvalueWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    text = page.read_text("utf-8")
    space: dict = {"__name__": "page"}
    for match in BLOCK.finditer(text):
        line = text[: match.start(1)].count("\n")
        # blank lines in front, so that a traceback names the page's own line
        code = compile("\n" * line + match.group(1), str(page), "exec")
        exec(code, space)
    plt.close("all")


@pytest.mark.parametrize("folder", ["howto", "models", "explain", "start", "zh"])
def test_an_index_says_what_every_page_of_its_folder_is_for(folder):
    pages = {page.name for page in (ROOT / "docs" / folder).glob("*.md")} - {"index.md"}
    told = (ROOT / "docs" / folder / "index.md").read_text("utf-8")
    assert pages == set(re.findall(r"\]\((\w+\.md)\)", told))
