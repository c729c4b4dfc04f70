"""What no estimator may take for a table of customers, and what a compressed table brings along."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import custvalue as cv
from custvalue import purchase, segment, spend, value
from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
ROOMS = (purchase, spend, segment, value)
NO_MODEL = {"PurchaseModel"}


def estimators():
    found = {}
    for room in ROOMS:
        for name in room.__all__:
            kind = getattr(room, name)
            if inspect.isclass(kind) and hasattr(kind, "get_params") and name not in NO_MODEL:
                found[name] = kind
    return found


@pytest.fixture(scope="module")
def summary(cdnow_sample):
    return cv.summarize(cdnow_sample, **NAMES, as_of="1997-09-30", unit="W")


@pytest.fixture(scope="module")
def compressed(summary):
    dates = ("customer_id", "first_order", "last_order")
    return cv.compress(summary, by=[name for name in summary.columns if name not in dates])


@pytest.mark.parametrize("name", list(estimators()))
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_a_log_that_was_not_summarised_is_refused_in_words(name, kind, cdnow_sample):
    log = cdnow_sample if kind == "pandas" else pl.from_pandas(cdnow_sample)
    more = [np.ones(len(log))] if name == "CellMeans" else []
    asked = {"horizon": "4W", "unit": "W"} if name == "CellMeans" else {}
    with pytest.raises(DataContractError):
        estimators()[name](**asked).fit(log, *more)


LAWS = ["NBD", "BGNBD", "MBGNBD", "ParetoNBD"]


@pytest.mark.parametrize("name", LAWS)
def test_a_compressed_table_brings_its_weights(name, summary):
    table = cv.compress(summary)
    law = estimators()[name]
    whole = law().fit(summary)
    np.testing.assert_allclose(law().fit(table).params_, whole.params_, rtol=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.exceptions.InSampleWarning)
        assert whole.score(table) == pytest.approx(whole.score(summary), rel=1e-12)
    given = law().fit(table, sample_weight=table["weight"])
    assert law().fit(table).params_ == given.params_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.exceptions.BoundaryFitWarning)
        ones = law().fit(table, sample_weight=np.ones(len(table)))  # asked for outright
    assert not np.allclose(ones.params_, whole.params_, rtol=0.05)


def test_a_compressed_table_that_lost_its_facts_is_refused(summary):
    table = cv.compress(summary)
    table.attrs.clear()
    for lost in (table, pl.from_pandas(table)):
        with pytest.raises(DataContractError, match="sample_weight=X\\['weight'\\]"):
            cv.MBGNBD().fit(lost)
    assert cv.MBGNBD().fit(table.drop(columns="weight"), sample_weight=table["weight"]) is not None


def test_spend_and_stages_take_the_weights_too(summary, compressed):
    whole = cv.GammaGamma().fit(summary)
    np.testing.assert_allclose(cv.GammaGamma().fit(compressed).params_, whole.params_, rtol=1e-5)
    ours = segment.LifecycleClassifier().fit(compressed).thresholds_
    weighted = segment.LifecycleClassifier().fit(compressed, sample_weight=compressed["weight"])
    assert ours == weighted.thresholds_


@pytest.mark.parametrize("name", ["CustomerValue", "RateForward", "RetentionValue"])
def test_value_models_take_the_weights_too(name, summary):
    some = summary.head(600)
    dates = ("customer_id", "first_order", "last_order")
    table = cv.compress(some, by=[column for column in some.columns if column not in dates])
    kind = estimators()[name]
    whole = kind().fit(some).predict(some.head(20), "52W")
    np.testing.assert_allclose(kind().fit(table).predict(some.head(20), "52W"), whole, rtol=1e-4)


@pytest.mark.parametrize("name", ["RFMTransformer", "SilenceScorer", "ValueGrades"])
def test_what_counts_each_row_once_refuses_a_compressed_table(name, compressed):
    with pytest.raises(DataContractError, match="weight: rows of this compressed table stand for"):
        estimators()[name]().fit(compressed)


HISTORY = pd.DataFrame({"frequency": [1, 0, 3], "recency": [2.0, 0, 5], "T": [9.0, 9, 9]})


@pytest.mark.parametrize("column", ["frequency", "recency", "T"])
@pytest.mark.parametrize("kind", [complex, bool])
def test_complex_numbers_and_truth_values_are_no_history(column, kind):
    table = HISTORY.assign(**{column: HISTORY[column].astype(kind)})
    with pytest.raises(DataContractError, match=f"not-numeric: column '{column}'"):
        cv.NBD().fit(table)
    with pytest.raises(ValueError, match=r"sample_weight must be real|not-numeric"):
        cv.NBD().fit(HISTORY, sample_weight=np.array([1j, 1, 1]))


def test_a_masked_value_is_missing():
    rows = np.ma.masked_array(HISTORY.to_numpy(dtype=float), mask=False)
    rows[1, 2] = np.ma.masked
    with pytest.raises(ValueError, match="NaN"):
        cv.NBD().fit(rows)


TWICE = pd.DataFrame([[1, "2024-01-01", 1.0, 2.0]], columns=["c", "t", "m", "m"])
ASKED = {"customer": "c", "time": "t", "amount": "m"}
RAW = pd.DataFrame([[1, 2.0, 3.0, 3.0]], columns=["frequency", "recency", "T", "T"])
DOORS = {
    "summarize": lambda: cv.summarize(TWICE, **ASKED, as_of="2024-03-01"),
    "panel": lambda: cv.panel(TWICE, **ASKED, as_of="2024-03-01"),
    "occasions": lambda: cv.data.occasions(TWICE, **ASKED, as_of="2024-03-01"),
    "log": lambda: TransactionLog(TWICE, **ASKED),
    "cohorts": lambda: value.cohort_table(TWICE, **ASKED, as_of="2024-03-01"),
    "gaps": lambda: segment.silence_from_log(TWICE, **ASKED, as_of="2024-03-01"),
    "contribution": lambda: value.contribution(TWICE, **ASKED, as_of="2024-03-01"),
    "compress": lambda: cv.compress(RAW),
    "from_summary": lambda: cv.from_summary(RAW, unit="D"),
    "law": lambda: cv.NBD().fit(RAW),
    "spend": lambda: cv.GammaGamma().fit(RAW),
    "silence": lambda: cv.SilenceScorer().fit(RAW),
    "stages": lambda: cv.LifecycleClassifier().fit(RAW),
    "scores": lambda: cv.RFMTransformer().fit(RAW),
    "value": lambda: cv.CustomerValue().fit(RAW),
}  # fmt: skip


@pytest.mark.parametrize("door", list(DOORS))
def test_two_columns_of_one_name_are_refused_by_name_everywhere(door):
    with pytest.raises(DataContractError, match=r"duplicate-column: .*'[cmT]'"):
        DOORS[door]()


def test_weights_are_aligned_by_the_index_of_the_table(summary):
    table = cv.compress(summary)
    table.index = [f"row {i}" for i in range(len(table))]
    weight = table["weight"]
    wanted = cv.NBD().fit(table, sample_weight=weight).params_
    assert cv.NBD().fit(table, sample_weight=weight.iloc[::-1]).params_ == wanted
    assert cv.NBD().fit(table, sample_weight=weight.reset_index(drop=True)).params_ == wanted
    with pytest.raises(ValueError, match="another index than the table"):
        cv.NBD().fit(table, sample_weight=weight.rename(index={"row 0": "row x"}))


def test_a_plan_aligns_values_by_the_index_of_the_scores():
    scores = pd.DataFrame({"s": [1.0, 2.0, 3.0]}, index=["a", "b", "c"])
    worth = pd.Series({"c": 20.0, "a": 100.0, "b": 400.0})
    how = {"response": 0.1, "margin": 0.5, "contact_cost": 2.0, "grades": None, "seed": 1,
           "holdout": 0.0}  # fmt: skip
    wanted = segment.activation_plan(scores, [100.0, 400.0, 20.0], **how)
    pd.testing.assert_frame_equal(segment.activation_plan(scores, worth, **how), wanted)
    with pytest.raises(ValueError, match="value has another index"):
        segment.activation_plan(scores, worth.rename({"c": "z"}), **how)


def test_a_last_order_in_the_future_is_said():
    log = pd.DataFrame({"c": [1], "t": pd.to_datetime(["2199-01-01"]), "m": 1.0})
    for table in (log, pl.from_pandas(log).lazy()):
        with pytest.warns(cv.exceptions.AsOfWarning, match="2199-01-01, which lies in the future"):
            cv.summarize(table, **ASKED)
