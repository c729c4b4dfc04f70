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
    with pytest.raises(DataContractError):
        estimators()[name]().fit(log, *more)


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
