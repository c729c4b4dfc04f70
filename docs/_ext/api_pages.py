"""The API reference: one page a room, one page a public name, from what the rooms say is public.

What public functions and methods return is often a value that nobody constructs by hand: its class
is no public name, and yet has its page, found by the annotations.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
from collections import Counter
from pathlib import Path
from typing import Any

import custvalue

PAGES = ("models/*.md", "howto/*.md", "explain/*.md", "tutorial.md")
PICTURES = ("gallery/plot_*.py", "notebooks/*.ipynb")


def rooms() -> dict[str, list[str]]:
    """Public names of each public room."""
    found = {}
    for info in pkgutil.iter_modules(custvalue.__path__):
        if info.name.startswith("_") or info.name == "cli":
            continue
        names = sorted(importlib.import_module(f"custvalue.{info.name}").__all__)
        if names:
            found[info.name] = names
    return found


def results() -> dict[str, list[type]]:
    """Classes of what public names return or hold, of each room, that are no public names."""
    found = _returned()[0]
    return {
        room: sorted((k for k in found if found[k] == room), key=lambda k: k.__name__)
        for room in rooms()
    }


@functools.cache
def _returned() -> tuple[dict[type, str], dict[str, list[str]]]:
    """Room of each class that is returned and not public; for each class, what returns it."""
    public = [
        thing
        for room, names in rooms().items()
        for name in names
        if callable(thing := getattr(importlib.import_module(f"custvalue.{room}"), name))
    ]
    by_name: dict[str, list[type]] = {}
    for info in pkgutil.walk_packages(custvalue.__path__, "custvalue."):
        if not info.name.endswith("__main__"):
            for name, thing in vars(importlib.import_module(info.name)).items():
                if inspect.isclass(thing) and thing.__module__ == info.name:
                    by_name.setdefault(name, []).append(thing)
    found: dict[type, str] = {}
    by: dict[str, list[str]] = {}
    for thing in public:  # grows: a result's own methods return results
        room = found[thing] if thing in found else _room(thing)
        for word in sorted(set(re.findall(r"\w+", _told(thing)))):
            kinds = by_name.get(word, [])
            kind = next(
                (k for k in kinds if _room(k) == room), kinds[0] if len(kinds) == 1 else None
            )
            if kind is None or kind is thing:
                continue
            by.setdefault(kind.__name__, []).append(thing.__name__)
            if kind not in public and "Examples\n" in (inspect.getdoc(kind) or ""):
                found[kind] = room if _room(kind).startswith("_") else _room(kind)
                public.append(kind)
    return found, by


def _inside(kind: type) -> str:
    """Name of a class within the package, as autosummary wants it below a currentmodule."""
    return f"{kind.__module__.removeprefix('custvalue.')}.{kind.__name__}"


def _room(thing: Any) -> str:
    return (getattr(thing, "__module__", "") + ".").split(".")[1]


def _told(thing: Any) -> str:
    """Annotations of what a function returns, of what a class holds and its methods return."""
    if not inspect.isclass(thing):
        return str(getattr(thing, "__annotations__", {}).get("return", ""))
    words = re.findall(r"^ *\w+_ : (.*)$", thing.__doc__ or "", re.MULTILINE)
    for kind in thing.__mro__:
        if kind.__module__.startswith("custvalue."):
            words += map(str, inspect.get_annotations(kind).values())
            for name, member in vars(kind).items():
                if not name.startswith("_"):
                    inner = (getattr(member, part, None) for part in ("fget", "func", "__func__"))
                    words.append(_told(next(filter(None, inner), member)))
    return " ".join(words)


def pages() -> dict[str, str]:
    """Text of each page below ``api/``, by file name."""
    everyday = [
        f"custvalue.{room}.{name}" for name, room in sorted(custvalue._ROOM_OF.items()) if room
    ]
    out = {
        "index.rst": _title("API reference", "=")
        + "Everyday names, importable from ``custvalue`` itself:\n\n"
        + ".. autosummary::\n\n"
        + "".join(f"   ~{name}\n" for name in everyday)
        + "\nAll rooms:\n\n.. toctree::\n   :maxdepth: 1\n\n"
        + "".join(f"   {room}\n" for room in rooms())
    }
    returned = results()
    for room, names in rooms().items():
        module = importlib.import_module(f"custvalue.{room}")
        text = _title(f"custvalue.{room}", "=") + inspect.cleandoc(module.__doc__ or "") + "\n\n"
        text += f".. currentmodule:: custvalue.{room}\n\n"
        kinds = {
            "Classes": [n for n in names if inspect.isclass(getattr(module, n))],
            "Functions": [n for n in names if inspect.isroutine(getattr(module, n))],
        }
        rest = set(names) - set(kinds["Classes"]) - set(kinds["Functions"])
        kinds["Other names"] = sorted(rest)
        for kind, members in kinds.items():
            if members:
                text += _title(kind, "-") + ".. autosummary::\n   :toctree:\n\n"
                text += "".join(f"   {name}\n" for name in members) + "\n"
        if returned[room]:
            text += _title("What these return", "-") + ".. currentmodule:: custvalue\n\n"
            text += ".. autosummary::\n   :toctree:\n\n"
            text += "".join(f"   ~{_inside(k)}\n" for k in returned[room]) + "\n"
        out[f"{room}.rst"] = text
    return out


Place = tuple[str, str]  # title and address


def _mentions(kinds: tuple[str, ...], names: set[str]) -> dict[str, list[Place]]:
    """Pages that name each public name, those that tell most of it first."""
    docs = Path(__file__).parents[1]
    found: dict[str, list[tuple[int, str, str]]] = {}
    for path in [p for kind in kinds for p in sorted(docs.glob(kind)) if p.stem != "index"]:
        text = path.read_text(encoding="utf-8")
        place = "/" + path.relative_to(docs).with_suffix("").as_posix()
        place = place.replace("/gallery/", "/gallery_out/")
        title = re.search(r"(?:^|\")# (.+?)(?:\\n|\"|$)|^\"\"\"\n?(.+)$", text, re.MULTILINE)
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        # a word of everyday language is a name where it is set or used as one
        word = r"[`~.](\w+)|\b(\w+)(?=\()|\b([A-Z]+[a-z0-9]+[A-Z]\w*|[A-Z]{2,}[a-z]*)\b"
        words = Counter("".join(w) for w in re.findall(word, text))
        words += Counter(4 * ["".join(w) for w in re.findall(word, prose)])
        headline = title[1] or title[2] if title else path.stem
        about = re.sub(r"\W", "", headline).lower()
        stem = path.stem.replace("_", "")
        first = {"".join(w) for w in re.findall(word, text[:3000])}
        for name, count in words.items():  # what is told counts for more than what is called
            if name in names:
                plain = name.replace("_", "").lower()
                own = (name in first) + (plain in about) + (stem in plain) + (plain == stem)
                found.setdefault(name, []).append((-count - 40 * own, headline, place))
    return {name: [page[1:] for page in sorted(pages)] for name, pages in found.items()}


def drawn_by() -> dict[str, list[str]]:
    """Displays that draw each public name: those whose ``from_`` methods say that they take it."""
    import custvalue.plotting as plotting
    from custvalue._value_model import ValueModel
    from custvalue.purchase import PurchaseModel

    public = {
        name: getattr(importlib.import_module(f"custvalue.{room}"), name)
        for room, names in rooms().items()
        for name in names
    }
    public |= {kind.__name__: kind for kinds in results().values() for kind in kinds}
    kinds = {"purchase model": (PurchaseModel,), "fitted model": (PurchaseModel, ValueModel)}
    kinds["fitted estimator"] = (ValueModel,)
    found: dict[str, list[str]] = {}
    for display in (name for name in plotting.__all__ if name.endswith("Display")):
        told = " ".join(
            (inspect.getdoc(member) or "").split("\n\n")[0]
            + " ".join(re.findall(r"^\w+ : (\w+)$", inspect.getdoc(member) or "", re.MULTILINE))
            for name, member in inspect.getmembers(getattr(plotting, display))
            if name.startswith("from_") and name != "from_predictions"
        )
        taken = set(re.findall(r"\w+", told)) & set(public)
        for words, bases in kinds.items():
            if words in told:
                taken |= {
                    name
                    for name, thing in public.items()
                    if inspect.isclass(thing) and issubclass(thing, bases)
                }
        for name in taken:
            found.setdefault(name, []).append(display)
    return found


def used_in() -> dict[str, dict[str, list[Any]]]:
    """Of each name: pages that explain it, what returns it, Displays that draw it, pictures.

    What is returned is explained where that is which returns it, after the pages that name it.
    """
    address = {n: f"custvalue.{room}.{n}" for room, names in rooms().items() for n in names}
    for kind in (kind for kinds in results().values() for kind in kinds):
        address.setdefault(kind.__name__, f"{kind.__module__}.{kind.__name__}")
    names = set(address)
    pages, pictures = _mentions(PAGES, names), _mentions(PICTURES, names)
    returned, drawn = _returned()[1], drawn_by()

    def explained(name: str, above: tuple[str, ...] = ()) -> list[Place]:
        own = pages.get(name, [])[:5]
        if own or name in above:
            return own
        others = [explained(by, (*above, name)) for by in dict.fromkeys(returned.get(name, []))]
        return list(dict.fromkeys(place for each in others for place in each[:2]))[:5]

    out = {}
    for name in sorted(names):
        displays = drawn.get(name, [])
        shown = pictures.get(name, [])[:5]
        shown += [place for display in displays for place in pictures.get(display, [])[:1]]
        out[name] = {
            "pages": explained(name),
            "by": [address[by] for by in dict.fromkeys(returned.get(name, [])) if by in names][:5],
            "displays": displays,
            "pictures": list(dict.fromkeys(shown)),
        }
    return out


def told_attributes() -> set[tuple[str, str, str]]:
    """Module, class and name of each property that has a docstring."""
    classes = [
        (f"custvalue.{room}", getattr(importlib.import_module(f"custvalue.{room}"), name))
        for room, names in rooms().items()
        for name in names
    ]
    classes += [(kind.__module__, kind) for kinds in results().values() for kind in kinds]
    return {
        (module, kind.__name__, name)
        for module, kind in classes
        if inspect.isclass(kind)
        for name, member in inspect.getmembers_static(kind)
        if isinstance(member, (property, functools.cached_property)) and inspect.getdoc(member)
    }


def plain_references(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Say references to another project's pages in words: the manual is read offline."""
    if not str(getattr(obj, "__module__", "")).startswith("custvalue"):
        lines[:] = [re.sub(r":\w+:`~?([^`<]+?)(?: <[^`]*>)?`", r"\1", line) for line in lines]


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


def write(app: Any, config: Any) -> None:
    config.autosummary_context = {"used_in": used_in(), "told_attributes": told_attributes()}
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    named = {f"custvalue.{room}.{name}" for room, names in rooms().items() for name in names}
    named |= {f"{k.__module__}.{k.__name__}" for kinds in results().values() for k in kinds}
    for stub in folder.glob("custvalue.*.rst"):  # of names that are no longer public
        if stub.stem not in named:
            stub.unlink()
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("config-inited", write)
    app.connect("autodoc-process-docstring", plain_references, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
