"""The API reference lists every public name, where scikit-learn's diagrams link to it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference_pages() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("api_pages", ROOT / "docs/_ext/api_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


def test_every_public_name_of_every_room_is_in_the_reference(reference_pages):
    import pkgutil

    import custvalue

    for info in pkgutil.iter_modules(custvalue.__path__):
        if info.name.startswith("_") or info.name == "cli":
            continue
        names = importlib.import_module(f"custvalue.{info.name}").__all__
        for name in names:
            lines = reference_pages[f"{info.name}.rst"].splitlines()
            assert f"   {name}" in lines, f"{info.name}.{name}"


def test_the_reference_has_no_name_that_is_not_public(reference_pages):
    for page, text in reference_pages.items():
        if page == "index.rst":
            continue
        room = importlib.import_module(f"custvalue.{page.removesuffix('.rst')}")
        inside = [line[3:] for line in text.splitlines() if line.startswith("   ")]
        for name in (line for line in inside if not line.startswith(":")):
            assert name in room.__all__


def test_diagrams_link_to_a_page_that_the_reference_makes(reference_pages):
    from custvalue._sklearn import DocLink

    for page in reference_pages:
        if page == "index.rst":
            continue
        room = importlib.import_module(f"custvalue.{page.removesuffix('.rst')}")
        for name in room.__all__:
            thing = getattr(room, name)
            if inspect.isclass(thing) and issubclass(thing, DocLink):
                address = thing._doc_link_template.fget(thing.__new__(thing))
                # a class that two rooms export is documented in the room that defines it
                assert address.rsplit("/", 1)[1] == (
                    ".".join(thing.__module__.split(".")[:2]) + f".{name}.html"
                )
