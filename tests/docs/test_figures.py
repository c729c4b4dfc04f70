"""Measured figures on a page say which command made them, and when; the command exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(
    r"python -m (benchmarks(?:\.\w+)?)|\b(tests/[\w/]+\.py)|(?<![\w/])((?:benchmarks|\.ci)/\w+\.py)"
)
DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b|\b\d+ [A-Z][a-z]+ 20\d\d\b")
IN_TABLE = re.compile(r"(?<![\w.^])[-+]?\d*\.\d+(?![\w.])|\b\d+ (?:%|s|ms|GiB|MB|GB)(?!\w)")
IN_PROSE = re.compile(
    r"\b\d+ (?:s|ms|seconds|minutes|hours|milliseconds|GiB|MiB)\b"
    r"|\d (?:simulated )?(?:samples|surveys|shops|campaigns)\b|[Mm]easured on\b"
)
# bounds of a rule and settings, which nobody measured
SET = {("docs/models/best_value.md", "The verdict")}


def unfounded(text):
    """Headings of the sections with three figures or a time that lack the command or the date."""
    whole = re.sub(r"^```python.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    first, *rest = re.split(r"^##+ ", whole, flags=re.MULTILINE)
    for section in [first, *rest]:
        tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
        rows = [row for table in tables for row in table.splitlines()[2:]]
        cells = [cell for row in rows for cell in row.strip("|").split("|")[1:]]
        measured = sum(bool(IN_TABLE.search(re.sub(r"`[^`]*`", "", cell))) for cell in cells)
        prose = re.sub(r"^\|[^\n]*$|^```.*?^```", "", section, flags=re.MULTILINE | re.DOTALL)
        near = first + section  # what the top of a page says holds for all of it
        told = COMMAND.search(near) and DATE.search(near)
        if (measured >= 3 or IN_PROSE.search(prose)) and not told:
            yield section.split("\n")[0].strip("# ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_measured_figures_name_their_command_and_their_day(page):
    place = page.relative_to(ROOT).as_posix()
    wrong = [name for name in unfounded(page.read_text("utf-8")) if (place, name) not in SET]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_that_are_named_exist(page):
    for module, *paths in COMMAND.findall(page.read_text("utf-8")):
        for path in filter(None, [module.replace(".", "/"), *paths]):
            file = ROOT / path if path.endswith(".py") else ROOT / f"{path}.py"
            assert file.exists() or (ROOT / path / "__init__.py").exists(), path


TABLE = "| job | s |\n|---|---|\n| a | 1.2 |\n| b | 3.4 |\n| c | 5.6 |\n"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (f"# Page\n## How fast\n{TABLE}", ["How fast"]),
        (f"# Page\n## How fast\n`python -m benchmarks.peers`\n{TABLE}", ["How fast"]),
        (f"# Page\n## How fast\n`python -m benchmarks.peers`, 2026-11-30\n{TABLE}", []),
        (f"# Page\n`python -m benchmarks`, 30 November 2026\n## How fast\n{TABLE}", []),
        ("# Page\n## How fast\nIt took 17 s.\n", ["How fast"]),
        ("# Page\n## How sure\nIn 200 simulated surveys 92 % held.\n", ["How sure"]),
        (f"# Page\n## How fast\n{TABLE.replace('.', ' ')}\nIt took 17 s.\n", ["How fast"]),
        ("# Page\n## Weeks\nHorizons of 26 weeks, shares of 0.05.\n", []),
    ],
)
def test_the_rule_sees_what_is_missing(text, wrong):
    assert list(unfounded(text)) == wrong
