"""What the blocks of a page show: tables as tables, pictures as pictures, in order."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="outputs are shown where the manual is built")
PLACE = Path(__file__).parents[2] / "docs" / "_ext" / "outputs.py"


@pytest.fixture
def page():
    spec = importlib.util.spec_from_file_location("outputs", PLACE)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["outputs"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    if "matplotlib.pyplot" in sys.modules:  # pictures that another test left open
        sys.modules["matplotlib.pyplot"].close("all")
    return module.Page("page.md")


def kinds(outputs):
    return [output.kind for output in outputs]


def test_prints_and_tables_come_in_their_order(page):
    shown = page.run(
        "import pandas as pd\nprint(1)\nprint(2)\nprint(pd.DataFrame({'a': [3]}))\nprint(4)"
    )
    assert kinds(shown) == ["text", "table", "text"]
    assert shown[0].content == "1\n2"
    assert "<td>3</td>" in shown[1].content
    assert "<th>0</th>" not in shown[1].content  # a row's number says nothing


def test_a_name_of_one_block_is_known_in_the_next(page):
    assert page.run("x = 2") == []
    assert page.run("x + 1")[0].content == "3"


def test_rows_that_are_not_shown_are_counted(page):
    (shown,) = page.run("import pandas as pd\nprint(pd.DataFrame({'a': range(1012)}))")
    assert "and 1,000 more rows" in shown.content


def test_a_picture_is_shown_once_and_says_what_it_is(page):
    pytest.importorskip("matplotlib").use("Agg")
    shown = page.run(
        "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.set_title('a < b')"
    )
    assert kinds(shown) == ["picture"]
    assert 'alt="a &lt; b"' in shown[0].content
    assert page.run("1 + 1")[0].kind == "text"


def test_a_warning_of_the_library_is_shown_and_no_other(page):
    shown = page.run(
        "import warnings\nfrom custvalue.exceptions import DataWarning\n"
        "warnings.warn('mind', DataWarning)\nwarnings.warn('nothing of ours')"
    )
    assert [(o.kind, o.content) for o in shown] == [("warning", "DataWarning: mind")]


def test_an_error_names_the_line_of_the_page(page):
    with pytest.raises(ZeroDivisionError) as told:
        page.run("x = 1\n1 / 0", line=40)
    assert told.traceback[-1].lineno + 1 == 42


def test_columns_of_letters_are_told_from_sentences(page):
    import sys

    is_grid = sys.modules["outputs"].is_grid
    assert is_grid("name  n\na     1\nb     2")
    assert is_grid("│ who ┆ n │")
    assert not is_grid("A sentence that is long.\nAnother one.")
    assert not is_grid("  indented\n  twice")


def test_numbers_have_four_digits_and_no_powers_of_ten(page):
    import sys

    number = sys.modules["outputs"].number
    for value, said in (
        (0.174541, "0.1745"),
        (12.5, "12.5"),
        (1234.56, "1,234.6"),
        (13_750_123.4, "13,750,123"),
        (99.999, "100"),
        (-3.0, "-3"),
        (0.0, "0"),
        (0.00002, "2e-05"),
        (float("nan"), "nan"),
    ):
        assert number(value) == said


def test_a_table_on_its_side_has_no_numbers_above_it(page):
    (shown,) = page.run("import pandas as pd\nprint(pd.DataFrame({'a': [3], 'b': [4]}).T)")
    assert "<thead>" not in shown.content
    assert "<th>a</th>" in shown.content


def test_long_names_of_code_in_tables_have_places_to_break_at_and_others_none():
    spec = importlib.util.spec_from_file_location("breaks", PLACE.with_name("breaks.py"))
    breaks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(breaks)
    code = '<code><span class="pre">conditional_probability_alive(...)</span></code>'
    body = breaks.broken(f"<p>{code}</p><td>{code}</td>")
    outside, inside = body.split("<td>")
    assert "<wbr>" not in outside
    assert "conditional_<wbr>probability_<wbr>alive(" in inside
    assert inside.replace("<wbr>", "") == f"{code}</td>"
