"""The API reference: one page a room, one page a public name, from what the rooms say is public."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import custvalue


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
        out[f"{room}.rst"] = text
    return out


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


def write(app: Any, config: Any) -> None:
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    for stub in folder.glob("custvalue.*.rst"):  # of names that are no longer public
        _, room, name = stub.stem.split(".", 2)
        if name not in rooms().get(room, []):
            stub.unlink()
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    app.connect("config-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
