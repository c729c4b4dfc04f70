"""How many files of its rooms a reader opens to follow one thing from its call to its answer.

Counted are files whose code runs, of the rooms that are about the thing. What every room uses (the
ground: tables, units, kernels) is learned once and is not counted.
"""

from __future__ import annotations

import ast
import inspect
import sys
import threading
from pathlib import Path

import pytest

import custvalue as cv
from custvalue.purchase import BGNBD

ROOT = Path(cv.__file__).parent
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
# sections and notes of a report that are there only where something is given for them
GIVEN = {"_contracts", "_funnel", "_given", "_indicators", "_markets", "_measured", "_survey"}


@pytest.fixture(scope="module")
def summary(cdnow_sample):
    return cv.summarize(cdnow_sample.head(2000), **NAMES, as_of="1997-09-30", unit="W")


def files_of(rooms, call):
    """Files of these rooms in which something runs while ``call`` does."""
    seen = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # not a body at import
            seen.add(frame.f_code.co_filename)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    inside = (Path(name) for name in seen if name.startswith(str(ROOT)))
    return {str(path.relative_to(ROOT)) for path in inside if path.parent.name in rooms}


@pytest.mark.filterwarnings("ignore")
def test_bg_nbd_is_followed_from_fit_to_predict_in_eight_files(summary):
    followed = files_of(
        {"purchase", "likelihood"}, lambda: BGNBD().fit(summary).predict(summary, "52W")
    )
    assert "purchase/_bgnbd.py" in followed
    assert len(followed) <= 8, followed


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", ["own_gap", "pooled_gap", "shrunk", "calibrated", "threshold"])
def test_a_silence_scorer_is_followed_in_eight_files(method, summary):
    ordered = summary["n_orders"] > 2
    gaps = [1.0, 2.0, 5.0] if method == "pooled_gap" else None

    def follow():
        scorer = cv.SilenceScorer(method=method, window="8W", threshold="8W")
        scorer.fit(summary, ordered, gaps=gaps).transform(summary)
        scorer.grade(summary)

    followed = files_of({"silence"}, follow)
    assert "silence/_silence_scorer.py" in followed
    assert len(followed) <= 8, followed


def imports_of(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.module.split(".")[-1]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("custvalue.report._")
    }


def test_a_report_is_followed_in_thirty_files():
    """The files that ``make_report`` of a log leads to, its templates and its words."""
    report = ROOT / "report"
    followed, ahead = set(), ["_report"]
    while ahead:
        name = ahead.pop()
        if name in followed or name in GIVEN:
            continue
        followed.add(name)
        ahead += imports_of(report / f"{name}.py")
    assert {"_report", "_facts", "_sections", "_render"} <= followed
    assert {path.stem for path in report.glob("*.py")} >= GIVEN
    templates = [path for path in (report / "templates").iterdir() if path.is_file()]
    words = ["_words/__init__.py", "_words/_house.py", "_words/_report.py"]
    assert all((ROOT / name).exists() for name in words)
    assert len(followed) + len(templates) + len(words) <= 30, sorted(followed)
