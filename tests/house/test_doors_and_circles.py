"""No file imports itself by a way round, and rooms enter each other by their two doors."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import custvalue

ROOT = Path(custvalue.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
# the top floors put everything together, the laws are tested from within
MAY_OPEN = {"testing", "datasets"}


def module_of(path: Path) -> str:
    parts = ("custvalue", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def at_import(tree: ast.Module) -> list[ast.ImportFrom]:
    """Imports that run when the file is imported: not in functions, not for type checkers."""
    found, open_ = [], list(tree.body)
    while open_:
        node = open_.pop()
        if isinstance(node, ast.ImportFrom):
            found.append(node)
        elif isinstance(node, ast.If):
            checked = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            open_ += node.orelse if checked else node.body + node.orelse
        elif isinstance(node, (ast.Try, ast.With)):
            open_ += node.body
    return found


def wanted_by(path: Path, known: set[str]) -> set[str]:
    names = set()
    for node in at_import(ast.parse(path.read_text(encoding="utf-8"))):
        base = node.module or ""
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            names.add(inner if inner in known else base)
    return names & known


def test_no_file_imports_itself_by_a_way_round():
    known = {module_of(path): path for path in FILES}
    graph = {
        name: wanted_by(path, set(known)) - {name, "custvalue"} for name, path in known.items()
    }
    # a room's face imports its files; that a file needs another room's face is no way round
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> None:
        assert name not in way, (
            f"a circle of imports: {' -> '.join([*way[way.index(name) :], name])}"
        )
        if name in done:
            return
        for other in sorted(graph[name]):
            walk(other, [*way, name])
        done.add(name)

    for name in graph:
        walk(name, [])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_enter_each_other_by_their_face_or_the_door_for_rooms(path):
    here = path.relative_to(ROOT).parts[0]
    if here in MAY_OPEN:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("custvalue."):
            continue
        parts = node.module.split(".")
        if parts[1] not in ROOMS or parts[1] == here:
            continue
        # a room's second door: what other rooms need of it and a user does not
        private = [p for p in parts[2:] if p.startswith("_") and p != "_for_rooms"]
        private += [a.name for a in node.names if a.name.startswith("_")]
        assert not private, f"{path}: {node.module} is private to the room {parts[1]}"


def test_no_room_holds_more_than_an_eighth_of_all_lines():
    lines = {}
    for path in FILES:
        room = path.relative_to(ROOT).parts[0]
        if room in ROOMS:
            lines[room] = lines.get(room, 0) + len(path.read_text(encoding="utf-8").splitlines())
    total = sum(lines.values())
    large = {room: n / total for room, n in lines.items() if n > total / 8}
    assert not large, large
