"""The house's rules, each a short test: import directions, doors, file length, public names."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import custvalue

ROOT = Path(custvalue.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A room may import from rooms of a lower floor only; one floor has no doors sideways.
FLOOR = {
    "_typing": -2,
    "exceptions": 0,
    "_warn": 0.5,
    "_csv": 0.7,
    "_files": 0,
    "_work": 0,
    "_portable": 0.5,
    "_kernels": 0,
    "_html": -1,
    "_dates": 1,
    "_words": 0,
    "_units": 1,
    "_time_scale": 1.5,
    "_fitted": 2,
    "_frames": 2,
    "_open_table": 2.4,
    "_row_check": 2.5,
    "_row_scorer": 2.5,
    "_categories": 3,
    "_drift": 1,
    "_group_sizes": 1,
    "_sparse": 0,
    "_sklearn": 3,
    "_written": 3.1,
    "_histories": 1,
    "_peers": 3.2,
    "_log_start": 2.5,
    "likelihood": 3.3,
    "campaign": 3.4,
    "_value_model": 3.5,
    "data": 3.8,
    "purchase": 4,
    "spend": 4,
    "rfm": 4,
    "silence": 4.1,
    "lifecycle": 4.2,
    "grades": 4.3,
    "chains": 4.4,
    "markov": 5,
    "market": 5,
    "survey": 5,
    "contracts": 6,
    "audit": 6,
    "value": 6,
    "funnel": 6,
    "metrics": 1,
    "evaluation": 7,
    "plotting": 7,
    "monthly": 7.5,
    "report": 8,
    "distributed": 8,
    "_cli_page": 8.2,
    "_cli_log": 8.3,
    "_cli_campaign": 8.5,
    "_cli_examine": 8.6,
    "_cli_explain": 8.6,
    "_cli_funnel": 8.5,
    "_cli_monthly": 8.6,
    "_cli_survey": 8.5,
    "cli": 9,
    "__main__": 10,
}
SEE_ALL = {"testing", "datasets"}  # may see any room; only the top floors see them
MAY_SEE_DATASETS = {"cli", "report", "testing", "datasets"}

# third-party package -> rooms that may import it
DOORS = {
    "narwhals": {"data", "_frames", "distributed"},
    "matplotlib": {"plotting", "report"},
    "lifetimes": {"datasets"},
    "jinja2": {"report"},
    "click": {
        "cli",
        "_cli_page",
        "_cli_log",
        "_cli_campaign",
        "_cli_examine",
        "_cli_explain",
        "_cli_funnel",
        "_cli_monthly",
        "_cli_survey",
        "__main__",
    },
    "polars": {"data", "distributed"},
    "duckdb": {"data", "cli", "report", "distributed"},
    "pyspark": {"data", "distributed"},
    "dask": {"data", "distributed"},
    "sqlglot": {"data", "distributed"},
}


def room_of(path: Path) -> str:
    part = path.relative_to(ROOT).parts[0]
    return part.removesuffix(".py")


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            base = node.module or ""
            if base == "custvalue":
                names += [f"custvalue.{alias.name}" for alias in node.names]
            else:
                names.append(base)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_look_down_and_never_sideways(path):
    here = room_of(path)
    if here == "__init__":
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "custvalue" or len(parts) == 1:
            continue
        there = parts[1]
        if there == here or there == "__version__":
            continue
        if there in SEE_ALL:
            assert here in MAY_SEE_DATASETS, f"{here} must not import {there}"
        elif here not in SEE_ALL:
            assert FLOOR[there] < FLOOR[here], f"{here} must not import {there}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_third_party_packages_come_in_by_their_door(path):
    here = room_of(path)
    for name in imported(path):
        package = name.split(".")[0]
        if package in DOORS:
            assert here in DOORS[package], f"{path}: {package} is not imported here"
        if name.startswith("sklearn.") and any(p.startswith("_") for p in name.split(".")):
            assert here == "_sklearn", f"{path}: {name} is private to scikit-learn"


# results that functions return by themselves, too
MET = {("Estimate", "custvalue.survey._estimate"), ("Table", "custvalue._open_table")}


def test_no_class_is_cut_along_its_methods():
    """A base with a single heir, and never met itself, is a part of that heir in another file."""
    heirs: dict[type, set[type]] = {}
    public: set[type] = set()
    for info in pkgutil.walk_packages([str(ROOT)], "custvalue."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        public |= {
            value for name in getattr(module, "__all__", [])
            if inspect.isclass(value := getattr(module, name))
        }  # fmt: skip
        for kind in vars(module).values():
            if inspect.isclass(kind) and kind.__module__ == info.name:
                for base in kind.__bases__:
                    if base.__module__.startswith("custvalue."):
                        heirs.setdefault(base, set()).add(kind)
    cut = {
        f"{base.__name__} of {next(iter(kinds)).__name__}"
        for base, kinds in heirs.items()
        if len(kinds) == 1 and base not in public and (base.__name__, base.__module__) not in MET
    }
    assert not cut


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_library_code_leaves_global_state_alone(path):
    text = path.read_text(encoding="utf-8")
    for banned in (
        "warnings.simplefilter(",
        "warnings.filterwarnings(",
        "warnings.catch_warnings(",  # not safe in threads: see custvalue/_warn.py
        "rc_context(",
        "np.seterr(",
        "np.random.seed",
        "set_option(",
    ):
        if (path.name, banned) in GUARDED:
            continue
        for i, line in enumerate(text.splitlines(), 1):
            assert banned not in line, f"{path}:{i} changes global state"


# what cannot be avoided stands behind a lock, once
GUARDED = {
    ("cli.py", "warnings.simplefilter("),  # in `run`, whose process is the command's own
    ("_style.py", "warnings.catch_warnings("),
    ("_style.py", "warnings.filterwarnings("),
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_library_warns_in_one_way(path):
    if path.name != "_warn.py":
        assert "warnings.warn(" not in path.read_text(encoding="utf-8"), (
            "use custvalue._warn.warn_caller"
        )


def public_objects():
    seen = set()
    found = []
    for info in pkgutil.iter_modules([str(ROOT)]):
        if info.name.startswith("_") or info.name == "cli":
            continue
        module = importlib.import_module(f"custvalue.{info.name}")
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if id(value) not in seen and (inspect.isclass(value) or inspect.isfunction(value)):
                seen.add(id(value))
                found.append(pytest.param(value, id=f"{info.name}.{name}"))
    return found


@pytest.mark.parametrize("thing", public_objects())
def test_every_public_name_is_documented_with_an_example(thing):
    doc = inspect.getdoc(thing) or ""
    assert doc, f"{thing} has no docstring"
    if inspect.isclass(thing) and issubclass(thing, (Exception, Warning)):
        return
    assert "Examples\n--------" in doc, f"{thing.__qualname__} has no example"
    assert ">>>" in doc
    if inspect.isfunction(thing) and inspect.signature(thing).parameters:
        assert "Parameters\n----------" in doc
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                assert inspect.getdoc(getattr(thing, name)), f"{thing.__name__}.{name}"


def test_every_room_names_what_is_public():
    for info in pkgutil.iter_modules([str(ROOT)]):
        if info.ispkg and not info.name.startswith("_"):
            module = importlib.import_module(f"custvalue.{info.name}")
            assert hasattr(module, "__all__"), info.name
            for name in module.__all__:
                assert hasattr(module, name), f"{info.name}.{name}"


ROOMS_SINCE = {"audit", "contracts", "monthly"}  # rooms that there were not when faces were counted
# what no name did before
NAMES_SINCE = {
    *("BGCNBD", "MBGCNBD", "HiddenStates", "lr_test", "next_order_dates"),
    *("CountDisplay", "HoldoutDisplay", "IsoValueDisplay", "RepeatsDisplay"),
    *("SpendDisplay", "TimingDisplay", "TraitDisplay"),
    *("VaryingBGNBD", "VaryingParetoNBD"),
    *("score_sql", "update_file", "update_panel", "update_summary"),
}


def test_faces_stay_a_third_smaller_than_they_were():
    rooms = (
        importlib.import_module(f"custvalue.{info.name}")
        for info in pkgutil.iter_modules(custvalue.__path__)
        if info.ispkg or info.name == "exceptions"
        if not info.name.startswith("_") and info.name not in ROOMS_SINCE
    )
    names = [name for room in rooms for name in room.__all__ if name not in NAMES_SINCE]
    assert len(names) <= 353 * 2 / 3  # a new one takes another's place


def test_a_public_name_has_one_home():
    homes: dict[str, list[str]] = {}
    for info in pkgutil.iter_modules([str(ROOT)]):
        if not info.name.startswith("_") and info.name != "cli":
            for name in getattr(importlib.import_module(f"custvalue.{info.name}"), "__all__", []):
                homes.setdefault(name, []).append(info.name)
    assert {name: rooms for name, rooms in homes.items() if len(rooms) > 1} == {}
    tops = {name for name in custvalue.__all__ if name not in homes}
    assert tops <= {info.name for info in pkgutil.iter_modules([str(ROOT)])}  # rooms themselves


def test_importing_the_package_loads_no_plotting_and_changes_no_state():
    code = (
        "import sys, warnings\n"
        "before = list(warnings.filters)\n"
        "import custvalue\n"
        "for name in custvalue.__all__: getattr(custvalue, name)\n"
        "assert warnings.filters == before or all(f in warnings.filters for f in before)\n"
        "bad = [m for m in ('matplotlib', 'lifetimes', 'polars', 'duckdb', 'pyspark', 'dask',"
        " 'jinja2', 'click') if m in sys.modules]\n"
        "assert not bad, bad\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parent)


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'RFMTransfomer'"):
        custvalue.RFMTransfomer  # noqa: B018
