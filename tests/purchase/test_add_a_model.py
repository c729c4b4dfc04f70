"""The model that the documentation adds is short, obeys every law and fits CDNOW."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

from custvalue.testing import check_purchase_model

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add_a_model.md"


@pytest.fixture
def page_module(monkeypatch):
    """The page's first block as a module of its own, so that its class can be pickled."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL).group(1)
    module = types.ModuleType("added_model")
    monkeypatch.setitem(sys.modules, "added_model", module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    module.code = code
    return module


def test_the_documented_model_takes_under_80_lines(page_module):
    assert len(page_module.code.splitlines()) < 80


def test_the_documented_model_obeys_every_law(page_module):
    check_purchase_model(page_module.HardCoreNBD())
