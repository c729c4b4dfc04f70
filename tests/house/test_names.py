"""One name, one meaning; words of the field, none of the house's own."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import custvalue

ROOT = Path(custvalue.__file__).parent
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}

# the letters of a law, one set a model: what every purchase or spend law must answer
LAWS = {
    "alive", "derivatives", "expected_orders", "expected_spend", "log_likelihood", "log_odds_left",
    "law_of", "log_prob_none", "log_survival", "objective", "pmf", "prob_alive", "simulate",
    "survival",
}  # fmt: skip
SAME = {
    "compress": "equal rows to a row and a weight: of histories, and of a table",
    "main": "the command line and the module that runs it",
    "check_choices": "of an estimator's parameters",
    "examine": "a look at a log, and its command",
    "fit": "an artefact of a log, and its command",
    "score": "values of customers by an artefact, and its command",
    "compare": "two groups of a campaign; two months, and their command",
    "blocks": "of columns, and their weights",
    "moments": "of a chain's time",
    "Estimate": "a number with its interval",
    "build": "a chain value",
    "said": "sentences of the room",
}
HOUSE_WORDS = re.compile(r"\b_?(Clock|clock_of|roll|shock|climb|fates?|freight|residual_orders)\b")


def defined():
    for path, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield path, node.name


def test_two_functions_of_one_name_have_one_meaning():
    where = defaultdict(set)
    for path, name in defined():
        where[name].add(str(path.relative_to(ROOT)))
    twice = {name: sorted(files) for name, files in where.items() if len(files) > 1}
    assert {n: f for n, f in twice.items() if n not in LAWS and n not in SAME} == {}


def test_arrays_are_called_by_what_they_hold_in_one_place():
    alias = re.compile(r"^\w+(: TypeAlias)? = [\w.\[, ]*NDArray\[", re.M)
    own = [
        str(path.relative_to(ROOT))
        for path in TREES
        if path.name != "_typing.py" and alias.search(path.read_text(encoding="utf-8"))
    ]
    assert own == []


def test_names_are_those_of_the_field():
    found = {name for _, name in defined() if HOUSE_WORDS.search(name)}
    methods = {
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and HOUSE_WORDS.fullmatch(node.name)
    }
    assert found | methods == set()


def written_arguments(function):
    """Arguments whose cells a function writes, and that it never takes a copy of by its name."""
    own = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    inner = {
        id(node)
        for nested in ast.walk(function)
        if isinstance(nested, ast.FunctionDef | ast.Lambda) and nested is not function
        for node in ast.walk(nested)
    }
    written, bound = set(), set()
    for node in ast.walk(function):
        if id(node) in inner:
            continue
        into = None
        match node:
            case ast.Name(ctx=ast.Store()):
                bound.add(node.id)
            case ast.Subscript(ctx=ast.Store(), value=into) | ast.keyword(arg="out", value=into):
                pass
            case ast.Call(func=ast.Attribute(attr="sort" | "partition", value=into)):
                pass
        if isinstance(into, ast.Name):
            written.add(into.id)
    return {arg.arg for arg in own} & written - bound


def test_a_function_that_writes_into_its_arguments_says_so_in_its_name():
    silent = {
        f"{path.relative_to(ROOT)}: {node.name} writes into {', '.join(sorted(written))}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and not node.name.endswith(("_into", "_in_place"))
        and (written := written_arguments(node))
    }
    assert silent == set()


def test_words_of_the_house_stand_in_no_text_of_the_code():
    told = re.compile(r"\b(clock_of|climb\w*|shocks?|fates?|freight|residual_orders)\b", re.I)
    found = [
        f"{path.relative_to(ROOT)}:{i}: {line.strip()}"
        for path in TREES
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if told.search(line)
    ]
    assert found == []


def test_a_date_given_as_an_argument_is_read_by_one_rule():
    """``read_date`` refuses numbers and texts that pandas would guess at."""
    guessed = []
    for path, tree in TREES.items():
        if path.name == "_dates.py":
            continue
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            own = function.args
            given = {a.arg for a in (*own.posonlyargs, *own.args, *own.kwonlyargs)}
            guessed += [
                f"{path.relative_to(ROOT)}: {function.name}({node.args[0].id})"
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
                and ast.unparse(node.func) in ("pd.Timestamp", "pd.to_datetime")
                and node.args
                and isinstance(node.args[0], ast.Name)
                and node.args[0].id in given
            ]
    assert guessed == KNOWN_DATES


# a numpy day of a checked cutoff, shown as pandas shows it
KNOWN_DATES = [
    "evaluation/_backtest.py: _one_origin(origin)",
    "evaluation/_backtest.py: _one_origin(origin)",
    "evaluation/_backtest.py: _new_customers(origin)",
]
