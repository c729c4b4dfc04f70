"""Formulas of indicators: names, numbers, + - * / and brackets, read by the parser and never run.

Python's own parser reads the text; what is not arithmetic is refused, so a formula of a stranger
can do nothing but sums.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np

from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError

DEEPEST = 200  # levels of brackets and signs
CURE = "Write names, numbers, + - * / and brackets, such as 'customers * orders * size'."


def plain(name: str) -> str:
    """Write a name as Python's parser does (NFKC): full-width letters meet their column."""
    return unicodedata.normalize("NFKC", name)


def parsed(indicator: str, text: str) -> ast.expr:
    """Read a formula.

    Raises
    ------
    DataContractError
        If it has anything but arithmetic, or is too deep.
    """
    try:
        if not isinstance(text, str):
            raise SyntaxError("it is no text")
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree, DEEPEST)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error) or "it is too long"
        raise DataContractError(
            ContractProblem("formula", f"the formula of {indicator!r}, {text!r}: {reason}", CURE)
        ) from None
    return tree


def _check(node: ast.AST, left: int) -> None:
    if left == 0:
        raise SyntaxError(f"more than {DEEPEST} levels deep")
    if isinstance(node, ast.Name):
        return
    if isinstance(node, ast.Constant):
        value: Any = node.value
        if type(value) not in (int, float) or not np.isfinite(float(value)):
            raise SyntaxError(f"{node.value!r} is no number")
        return
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
        _check(node.left, left - 1)
        _check(node.right, left - 1)
        return
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        _check(node.operand, left - 1)
        return
    raise SyntaxError(f"{ast.unparse(node)!r} is no arithmetic")


def names_in(tree: ast.expr) -> list[str]:
    """Names that a formula reads, each once, as they stand from left to right."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in found))


def computed(indicator: str, tree: ast.expr, known: Mapping[str, Floats]) -> Floats:
    """Work a formula out on arrays.

    Raises
    ------
    DataContractError
        If it divides by 0, naming what is 0.
    """

    def at(node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return known[node.id]
        if isinstance(node, ast.Constant):
            number: Any = node.value  # `read` lets no other constant in
            return float(number)
        if isinstance(node, ast.UnaryOp):
            value = at(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        assert isinstance(node, ast.BinOp)
        one, two = at(node.left), at(node.right)
        if isinstance(node.op, ast.Add):
            return one + two
        if isinstance(node.op, ast.Sub):
            return one - two
        if isinstance(node.op, ast.Mult):
            return one * two
        if np.any(np.asarray(two) == 0):
            raise DataContractError(
                ContractProblem(
                    "division-by-zero",
                    f"{indicator!r} divides by {ast.unparse(node.right)!r}, which is 0",
                    "Leave out the periods in which it is, or correct the leaf.",
                )
            )
        return one / two

    return np.asarray(at(tree), dtype=np.float64)
