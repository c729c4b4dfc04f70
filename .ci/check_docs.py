"""Holds the built documentation to what it promises: every method a page, every print an output."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path

from sphinx.util.inventory import InventoryFile

HTML = Path(sys.argv[1])
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

import api_pages  # noqa: E402

METADATA = re.compile(r"set_\w+_request|get_metadata_routing")


def methods() -> set[str]:
    """Every public method of every public class and of what public names return, own or not."""
    classes = [
        (f"custvalue.{room}", kind)
        for room, names in api_pages.rooms().items()
        for name in names
        if inspect.isclass(kind := getattr(importlib.import_module(f"custvalue.{room}"), name))
    ]
    classes += [(k.__module__, k) for kinds in api_pages.results().values() for k in kinds]
    return {
        f"{module}.{kind.__name__}.{name}"
        for module, kind in classes
        for name, member in inspect.getmembers(kind, callable)
        if not name.startswith("_")
        and not METADATA.fullmatch(name)
        and not inspect.isclass(member)
        and not issubclass(kind, (BaseException, tuple))
    }


def silent_pages() -> list[str]:
    """Pages whose blocks print and that show nothing."""
    wrong = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        built = HTML / page.relative_to(ROOT / "docs").with_suffix(".html")
        if any("print(" in b for b in blocks) and 'class="output' not in (
            built.read_text("utf-8") if built.exists() else ""
        ):
            wrong.append(str(page.relative_to(ROOT)))
    return wrong


def main() -> None:
    with (HTML / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, place: place)
    there = set(inventory["py:method"]) | set(inventory.get("py:attribute", {}))
    wanted = methods()
    missing = sorted(wanted - there)
    silent = silent_pages()
    told = f"{len(wanted)} public methods, {len(missing)} on no page; {len(silent)} silent pages"
    sys.stdout.write(told + "\n")
    if missing or silent:
        sys.exit("\n".join([*missing, *silent]))


if __name__ == "__main__":
    main()
