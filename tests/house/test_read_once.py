"""A method opens the table it is given once, and hands on what it found."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import custvalue as cv
from custvalue import grades, lifecycle, market, markov, purchase, spend, value
from custvalue._open_table import Table, open_table
from custvalue.exceptions import DataContractError

ROOT = Path(cv.__file__).parent
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
# behind the door: these look at a table for everybody else
FRAMES = str(ROOT / "_frames.py")
DOOR = {str(ROOT / name) for name in ("_frames.py", "_open_table.py", "_sklearn.py")}
# these take a table as the pattern of what they make, and read nothing in it
LIKENESS = {"frame_like", "keep_facts", "new_table", "words_at", "is_frame", "_is_pandas"}


class Visits:
    """Count the visits that a call pays to one table: how often it is opened, what reads it."""

    def __init__(self, table):
        self.table, self.opened, self.read = table, 0, Counter()

    def __enter__(self):
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def _seen(self, frame, event, _):
        if event != "call" or frame.f_code.co_filename not in DOOR:
            return
        code, caller = frame.f_code, frame.f_back
        if not any(value is self.table for value in frame.f_locals.values()):
            return
        if code.co_name == "open_table":
            self.opened += 1
        elif (
            code.co_filename == FRAMES
            and caller.f_code.co_filename not in DOOR
            and code.co_name not in LIKENESS
        ):
            self.read[code.co_name] += 1


@pytest.fixture(scope="module")
def summary(cdnow_sample):
    return cv.summarize(cdnow_sample.head(1500), **NAMES, as_of="1997-09-30", unit="W")


def asked(kind):
    """Estimators, and what they are asked after ``fit``."""
    law = ("predict", "predict_alive", "predict_proba_any", "predict_next_order", "score_samples",
           "score")  # fmt: skip
    worth = ("predict", "predict_interval", "explain", "predict_total")
    return {
        "NBD": (purchase.NBD(horizon="4W"), law),
        "BGNBD": (purchase.BGNBD(horizon="4W"), law),
        "GammaGamma": (spend.GammaGamma(), ("predict", "predict_interval", "score", "sample")),
        "OwnMean": (spend.OwnMean(), ("predict",)),
        "SilenceScorer": (
            cv.SilenceScorer(method="shrunk"),
            ("transform", "predict", "grade", "score_samples", "drift"),
        ),
        "RFMTransformer": (
            cv.RFMTransformer(n_bins=3),
            ("transform", "segments", "segment_table", "drift"),
        ),
        "LifecycleClassifier": (
            lifecycle.LifecycleClassifier(),
            ("predict", "stage_table", "upgrade_table", "health", "problem_share", "drift"),
        ),
        "ActivityLoyaltyMatrix": (
            grades.ActivityLoyaltyMatrix(activity={"frequency": 1.0}, loyalty={"T": 1.0}),
            ("transform", "quadrants", "drift"),
        ),
        "TargetMarketRanker": (
            market.TargetMarketRanker(attractiveness={"T": 1.0}, resource_fit={"n_orders": 1.0}),
            ("transform",),
        ),
        "ValueGrades": (grades.ValueGrades(), ("grade_table", "summary_table", "drift")),
        "RateForward": (value.RateForward(horizon="4W"), worth[:1]),
        "SameForAll": (value.SameForAll(horizon="4W"), worth[:1]),
        "RetentionValue": (value.RetentionValue(horizon="4W"), worth[:1]),
        "CustomerValue": (
            cv.CustomerValue(purchases=purchase.NBD(), spend=spend.GammaGamma(), horizon="4W"),
            worth,
        ),
    }[kind]


KINDS = [
    "NBD", "BGNBD", "GammaGamma", "OwnMean", "SilenceScorer", "RFMTransformer",
    "LifecycleClassifier", "ValueGrades", "ActivityLoyaltyMatrix", "TargetMarketRanker",
    "RateForward", "SameForAll", "RetentionValue", "CustomerValue",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # what they say of the table is not the question
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", [pd.DataFrame, pl.from_pandas], ids=["pandas", "polars"])
def test_a_method_of_an_estimator_opens_its_table_once(kind, engine, summary):
    estimator, methods = asked(kind)
    table = summary if engine is pd.DataFrame else engine(summary)
    with Visits(table) as fit:
        estimator.fit(table)
    visits = {"fit": (fit.opened, dict(fit.read))}
    for name in methods:
        with Visits(table) as there:
            getattr(estimator, name)(table)
        visits[name] = (there.opened, dict(there.read))
    assert visits == dict.fromkeys(visits, (1, {}))


@pytest.mark.filterwarnings("ignore")
def test_so_does_one_that_reads_a_panel(cdnow_sample):
    table = cv.panel(cdnow_sample.head(1500), **NAMES, as_of="1997-09-30", period="4W")
    visits = {}
    for estimator, name in (
        (value.RecencyMigration(horizon="52W"), "predict"),
        (markov.PanelStates(), "transform"),
        (markov.ColumnStates(["silence", "orders"]), "transform"),
    ):
        with Visits(table) as fit:
            estimator.fit(table)
        with Visits(table) as there:
            getattr(estimator, name)(table)
        visits[type(estimator).__name__] = [(v.opened, dict(v.read)) for v in (fit, there)]
    # a chain learns from blocks of customers, which bounds its memory; it answers like the others
    chain = cv.MarkovCLVEstimator(horizon="52W").fit(table)
    for name in ("predict", "explain"):
        with Visits(table) as there:
            getattr(chain, name)(table)
        visits[f"chain, {name}"] = [(there.opened, dict(there.read))] * 2
    assert visits == dict.fromkeys(visits, [(1, {})] * 2)


def test_an_open_table_is_what_was_given_and_turns_each_column_once(summary):
    table = open_table(summary)
    assert open_table(table) is table
    assert table.given is summary
    assert len(table) == table.n == len(summary)
    first, second = table.floats(["T", "recency"]), table.floats(["recency", "T"])
    assert first[0] is second[1]
    assert first[1] is second[0]
    np.testing.assert_array_equal(first[0], summary["T"])
    assert table.scale.unit == "W"
    assert table.ids[0] == "customer_id"
    with pytest.raises(AttributeError):
        table.names = ()


def test_a_column_that_may_miss_values_is_not_one_that_may_not():
    table = open_table(pd.DataFrame({"spend": [1.0, np.nan]}))
    assert np.isnan(table.floats(["spend"], allow_missing=["spend"])[0][1])
    with pytest.raises(DataContractError, match="column 'spend' has missing"):
        table.floats(["spend"])


def test_an_array_has_no_names_facts_or_unit():
    table = open_table([[1.0, 2.0], [3.0, 4.0]])
    assert isinstance(table, Table)
    assert (table.names, table.facts, table.scale, table.ids, table.n) == (None,) * 4 + (2,)
    assert not table.has("T")
