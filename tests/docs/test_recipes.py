"""The recipes of services and of jobs run for real, where what they need is installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
BLOCK = re.compile(r"^```py\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(page):
    """Run every block of a page that the manual itself does not run, top to bottom."""
    path = HOWTO / page
    text = path.read_text("utf-8")
    assert "```python" not in text  # the manual is built where the extras may be absent
    space: dict = {"__name__": "page"}
    for match in BLOCK.finditer(text):
        line = text[: match.start(1)].count("\n")
        # blank lines in front, so that a traceback names the page's own line
        exec(compile("\n" * line + match.group(1), str(path), "exec"), space)
    return space


# httpx is what FastAPI's own extra brings; its successor is not asked for by anybody else
@pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`:UserWarning")
def test_the_recipe_over_http_runs(tmp_path, monkeypatch):
    pytest.importorskip("fastapi", reason="fastapi is not installed: pip install .[serve]")
    pytest.importorskip("httpx", reason="httpx is not installed: pip install .[serve]")
    monkeypatch.chdir(tmp_path)
    run("serve_over_http.md")


# it praises type hints, which would say of a row what the signature says already, and its own
# check of an input example compares a range with a column, which pandas 3 warns of
@pytest.mark.filterwarnings("ignore:Operation with range is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*Add type hints to the `predict` method:UserWarning")
def test_the_recipe_with_mlflow_runs(tmp_path, monkeypatch):
    pytest.importorskip("mlflow.pyfunc", reason="mlflow is not installed: pip install .[serve]")
    monkeypatch.chdir(tmp_path)
    run("serve_with_mlflow.md")


# mapInPandas and toPandas speak of pandas 3 and use a keyword of pandas 2; the page compares
# what they give
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_the_recipe_in_spark_runs(spark, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("score_in_spark.md")
