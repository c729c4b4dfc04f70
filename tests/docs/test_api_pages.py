"""The API reference lists every public name, where scikit-learn's diagrams link to it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import custvalue

ROOT = Path(__file__).parents[2]
PACKAGE = Path(custvalue.__file__).parent
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("[a-z]*/__init__.py"))


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("api_pages", ROOT / "docs/_ext/api_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference_pages(reference) -> dict[str, str]:
    return reference.pages()


def test_every_public_name_of_every_room_is_in_the_reference(reference_pages):
    import pkgutil

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
        for name in (line for line in inside if not line.startswith((":", "~"))):
            assert name in room.__all__


def test_what_public_names_return_has_its_page_and_is_explained(reference, reference_pages):
    returned = reference.results()
    for room, kinds in returned.items():
        for kind in kinds:
            where = kind.__module__.removeprefix("custvalue.")
            assert f"   ~{where}.{kind.__name__}\n" in reference_pages[f"{room}.rst"]
            for name, member in vars(kind).items():
                if inspect.isfunction(member) and not name.startswith("_"):
                    assert inspect.getdoc(getattr(kind, name)), f"{kind.__name__}.{name}"
    # by a function, by a method of an estimator, by an attribute, by another result, by a method
    # that stands outside the rooms
    for room, name in (
        ("campaign", "CampaignEffect"),
        ("markov", "ChainForecast"),
        ("survey", "ValueMap"),
        ("campaign", "GroupEffect"),
    ):
        assert name in [kind.__name__ for kind in returned[room]]
    everywhere = [kind.__name__ for kinds in returned.values() for kind in kinds]
    assert everywhere.count("FitReport") == 1  # of laws of several rooms: one page


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_has_no_name_that_it_does_not_tell(room):
    module = importlib.import_module(f"custvalue.{room}")
    taken = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert taken - {"annotations"} <= set(module.__all__)


def test_what_rooms_take_from_each_other_is_taken_and_is_no_public_name():
    imports = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    for room in ROOMS:
        if not (PACKAGE / room / "_for_rooms.py").exists():
            continue
        names = importlib.import_module(f"custvalue.{room}._for_rooms").__all__
        taken = re.findall(rf"from custvalue\.{room}\._for_rooms import (\([^)]*\)|.*)", imports)
        assert set(names) == set(re.findall(r"\w+", " ".join(taken)))
        assert not set(names) & set(importlib.import_module(f"custvalue.{room}").__all__)


@pytest.fixture(scope="module")
def used(reference):
    return reference.used_in()


def test_every_name_of_the_reference_links_to_a_page_that_explains_it(reference, used):
    names = {name for names in reference.rooms().values() for name in names}
    names |= {kind.__name__ for kinds in reference.results().values() for kind in kinds}
    assert len(names) > 300
    assert [name for name in sorted(names) if not used[name]["pages"]] == []
    for each in used.values():
        for _, place in each["pages"]:
            assert (ROOT / "docs" / f"{place[1:]}.md").exists()


def test_a_page_of_its_own_comes_first(used):
    for name, place in (
        ("ParetoNBD", "models/paretonbd"),
        ("MarkovCLVEstimator", "models/markov"),
        ("RFMTransformer", "models/rfm"),
        ("summarize", "howto/summarize_a_log"),
    ):
        assert used[name]["pages"][0][1] == f"/{place}"


def test_a_word_of_everyday_language_is_no_mention(reference, tmp_path, monkeypatch):
    (tmp_path / "docs" / "_ext").mkdir(parents=True)
    monkeypatch.setattr(reference, "__file__", str(tmp_path / "docs" / "_ext" / "x.py"))
    (tmp_path / "docs" / "a.md").write_text("# One\n\nLaw is a word, `Chain` and PanelLog names.\n")
    found = reference._mentions(("*.md",), {"Law", "Chain", "PanelLog", "examine"})
    assert found == {"Chain": [("One", "/a")], "PanelLog": [("One", "/a")]}


def test_every_display_is_in_the_gallery_and_told_by_what_it_draws(reference, used):
    displays = {name for name in reference.rooms()["plotting"] if name.endswith("Display")}
    for name in displays:
        assert any("/gallery_out/" in place for _, place in used[name]["pictures"]), name
    drawn = reference.drawn_by()
    assert displays == {display for each in drawn.values() for display in each}
    for name, draws in drawn.items():
        assert used[name]["displays"] == draws
        assert any("/gallery_out/" in place for _, place in used[name]["pictures"]), name
    assert "TraitDisplay" in drawn["NBD"]
    assert "WhaleCurveDisplay" in drawn["CustomerValue"]
    assert drawn["CustomerStory"] == ["ContributionDisplay"]
    assert drawn["FunnelChain"] == ["FunnelDisplay"]


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
