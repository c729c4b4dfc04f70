"""What a function takes and gives is written in it, and no checker is told to look away."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import custvalue

ROOT = Path(custvalue.__file__).parent
TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}

# file -> why its line cannot be written so that the checker follows; scikit-learn's untyped names
# come in by `_sklearn.py`, which gives them their types
LOOKS_AWAY: dict[str, str] = {}


def test_no_checker_is_told_to_look_away():
    told = re.compile(r"#\s*(type:\s*ignore|mypy:)")
    found = {str(path.relative_to(ROOT)) for path, text in TEXTS.items() if told.search(text)}
    assert found == set(LOOKS_AWAY)


def untyped(function: ast.FunctionDef, *, is_method: bool) -> list[str]:
    """Arguments of a function without a type, and "return" where that has none."""
    own = function.args
    named = [*own.posonlyargs, *own.args]
    static = any(
        isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list
    )
    if is_method and not static:
        named = named[1:]  # self or cls
    named += [*own.kwonlyargs, *(a for a in (own.vararg, own.kwarg) if a is not None)]
    missing = [arg.arg for arg in named if arg.annotation is None]
    return missing if function.returns is not None else [*missing, "return"]


def test_every_function_says_what_it_takes_and_gives():
    found = []
    for path, text in TEXTS.items():
        tree = ast.parse(text)
        methods = {
            id(node)
            for owner in ast.walk(tree)
            if isinstance(owner, ast.ClassDef)
            for node in owner.body
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                missing = untyped(node, is_method=id(node) in methods)
                if missing:
                    found.append(f"{path.relative_to(ROOT)}: {node.name}({', '.join(missing)})")
    assert found == []
