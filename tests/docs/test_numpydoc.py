"""What docstrings say of parameters and in which order, by numpydoc's own validation."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

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
