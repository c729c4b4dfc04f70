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


@pytest.mark.parametrize("folder", ["howto", "models", "explain"])
def test_the_list_beside_a_page_has_the_order_of_its_index(folder):
    text = (ROOT / "docs" / folder / "index.md").read_text("utf-8")
    told = list(dict.fromkeys(re.findall(r"\]\((\w+)\.md\)", text)))
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    listed = [line for block in blocks for line in block.split() if re.fullmatch(r"\w+", line)]
    assert [name for name in listed if name in told] == told


@pytest.mark.parametrize("folder", ["howto", "models", "explain", "start", "zh"])
def test_every_page_has_words_by_which_it_is_searched(folder):
    for page in (ROOT / "docs" / folder).glob("*.md"):
        if page.name != "index.md" or folder == "zh":
            assert re.search(r"^```\{index\} ! \S", page.read_text("utf-8"), re.M), page.name


def test_the_page_about_installing_names_every_extra():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    told = (ROOT / "docs/start/install.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", told, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(project["optional-dependencies"])
