"""The page about the grammar of value models says what the code does, no more and no less."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from custvalue.value import RateForward

PAGE = (Path(__file__).parents[2] / "docs/explain/one_grammar.md").read_text("utf-8")


def test_the_page_lists_every_term_with_its_default():
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    made = inspect.signature(RateForward.__init__).parameters
    terms = ("horizon", "annual_discount_rate", "margin", "contact_cost", "timing")
    assert tuple(told) == terms
    for name, default in told.items():
        assert repr(made[name].default).replace("'", '"') == default, name


def test_the_page_lists_every_question_and_no_other():
    from sklearn.base import BaseEstimator

    from custvalue._value_model import ValueModel

    told = set(
        re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| [^|`]+ \| ([^|]+) \|", PAGE, re.M)))
    )
    asked = {
        name
        for name, member in inspect.getmembers(ValueModel, inspect.isfunction)
        if not name.startswith(("_", "set_")) and not hasattr(BaseEstimator, name)
    }
    assert told == (asked | {"from_dict"}) - {"terms"}
