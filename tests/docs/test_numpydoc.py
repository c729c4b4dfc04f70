"""What docstrings say of parameters and in which order, by numpydoc's own validation."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

import custvalue

validate = pytest.importorskip("numpydoc.validate", reason="numpydoc checks docstrings").validate
ROOMS = sorted(
    found.name
    for found in pkgutil.iter_modules(custvalue.__path__)
    if found.ispkg and not found.name.startswith("_")
)
# what says something wrong; style is ruff's, completeness the house's own tests'
WRONG = {"GL05", "GL06", "GL07", "GL09", "GL10", "PR02", "PR05", "PR10", "SA04", "SS04"}


def documented(room):
    module = importlib.import_module(f"custvalue.{room}")
    for name in module.__all__:
        thing = getattr(module, name)
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        yield f"custvalue.{room}.{name}"
        if inspect.isclass(thing):
            for method, function in vars(thing).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield f"custvalue.{room}.{name}.{method}"


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_name_what_there_is_in_numpydocs_order(room):
    wrong = [
        (name, code, text)
        for name in documented(room)
        for code, text in validate(name)["errors"]
        # the policies of a log stand in every signature; the page names them once
        if code in WRONG and text != "Unknown parameters {'**policies'}"
    ]
    assert wrong == []


DEFAULT = re.compile(r"^(\w+) : .*default=(.+)$", re.MULTILINE)


def is_said(told, default):
    """Whether the text of a docstring, ``("28D", "91D")`` or ``10,000`` or ``None``, is it."""
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", told.strip("`"))
    try:
        return eval(plain, {"__builtins__": {}}) == default  # 1/3 is no literal
    except (NameError, SyntaxError):
        return str(default) == plain


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_name_the_defaults_that_there_are(room):
    wrong = []
    for name in documented(room):
        module, *path = name.removeprefix(f"custvalue.{room}.").split(".")
        thing = getattr(importlib.import_module(f"custvalue.{room}"), module)
        for part in path:
            thing = getattr(thing, part)
        there = inspect.signature(thing).parameters
        for parameter, told in DEFAULT.findall(inspect.getdoc(thing) or ""):
            default = there[parameter].default if parameter in there else "<factory>"
            if str(default) != "<factory>" and not is_said(told, default):  # as a dataclass says
                wrong.append((name, parameter, told, default))
    assert wrong == []
