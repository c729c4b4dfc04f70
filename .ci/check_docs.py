"""Holds the built documentation to what it promises: every method a page, every print an output."""

from __future__ import annotations

import ast
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


def prints(block: str) -> bool:
    """Does a block print as it runs, outside of what it only defines?"""
    ahead: list[ast.AST] = list(ast.parse(block).body)
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            return True
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            ahead += ast.iter_child_nodes(node)
    return False


def silent_blocks() -> tuple[int, list[str]]:
    """How many blocks print; pages that show less outputs than they have such blocks."""
    wrong, number = [], 0
    for page in sorted((ROOT / "docs").rglob("*.md")):
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        printing = sum(map(prints, blocks))
        built = HTML / page.relative_to(ROOT / "docs").with_suffix(".html")
        html = built.read_text("utf-8") if built.exists() else ""
        shown = len(re.findall(r'class="output |class="[^"]* output ', html))
        number += printing
        if shown < printing:
            wrong.append(f"{page.relative_to(ROOT)}: {printing} blocks print, {shown} outputs")
    return number, wrong


def main() -> None:
    with (HTML / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, place: place)
    there = set(inventory["py:method"]) | set(inventory.get("py:attribute", {}))
    wanted = methods()
    missing = sorted(wanted - there)
    printing, silent = silent_blocks()
    told = f"{len(wanted)} public methods, {len(missing)} on no page; "
    told += f"{printing} blocks print, {len(silent)} pages show less"
    sys.stdout.write(told + "\n")
    if missing or silent:
        sys.exit("\n".join([*missing, *silent]))


if __name__ == "__main__":
    main()
