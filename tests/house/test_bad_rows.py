"""One bad row costs its own answer, not the batch: every estimator, method and kind of table."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue.distributed import predict as predict_by_partition
from custvalue.exceptions import DataContractError, DataWarning, HorizonError, TimeUnitError
from custvalue.spend import OwnMean
from custvalue.value import CellMeans, RateForward, RecencyMigration, RetentionValue

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
BAD = [3, 7, 20]


@pytest.fixture(scope="module")
def summary(cdnow_sample):
    return cv.summarize(cdnow_sample, **NAMES, as_of="1997-09-30", unit="W").head(400)


@pytest.fixture(scope="module")
def fitted(cdnow_sample, summary):
    panel = cv.panel(cdnow_sample, **NAMES, period="4W", as_of="1997-09-30")
    weeks = {"horizon": "26W"}
    stage = np.where(summary["n_orders"] > 2, "loyal", "new")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            **{law.__name__: law().fit(summary) for law in (cv.NBD, cv.BGNBD, cv.MBGNBD)},
            "ParetoNBD": cv.ParetoNBD().fit(summary),
            "GammaGamma": cv.GammaGamma().fit(summary),
            "OwnMean": OwnMean().fit(summary),
            "CustomerValue": cv.CustomerValue(purchases=cv.MBGNBD(), **weeks).fit(summary),
            "RateForward": RateForward(**weeks).fit(summary),
            "RetentionValue": RetentionValue(**weeks).fit(summary),
            "RecencyMigration": RecencyMigration(**weeks).fit(panel),
            "MarkovCLVEstimator": cv.MarkovCLVEstimator(**weeks).fit(panel),
            "SilenceScorer": cv.SilenceScorer().fit(summary),
            "RFMTransformer": cv.RFMTransformer().fit(summary),
            "LifecycleClassifier": cv.LifecycleClassifier().fit(summary),
            "LifecycleClassifier learned": cv.LifecycleClassifier().fit(summary, stage),
            "panel": panel,
        }


# estimator, method, what else it takes, the column that is spoilt, how, and the code it has then
CASES = [
    *[
        (
            law,
            method,
            ("26W",) if method != "predict_alive" else (),
            "frequency",
            -1.0,
            "frequency-not-a-count",
        )
        for law in ("NBD", "BGNBD", "MBGNBD", "ParetoNBD")
        for method in ("predict", "predict_alive", "predict_proba_any")
    ],
    ("MBGNBD", "predict", ("26W",), "recency", 1e6, "recency-exceeds-T"),
    ("MBGNBD", "predict", ("26W",), "T", np.nan, "not-finite"),
    ("MBGNBD", "predict", ("26W",), "T", np.inf, "not-finite"),
    ("GammaGamma", "predict", (), "monetary_value", np.inf, "not-finite"),
    ("OwnMean", "predict", (), "mean_value", -5.0, "negative-spend"),
    ("CustomerValue", "predict", (), "T", np.nan, "not-finite"),
    ("CustomerValue", "predict", (), "mean_value", np.nan, "not-finite"),
    ("CustomerValue", "predict_chance", (), "frequency", 0.5, "frequency-not-a-count"),
    ("CustomerValue", "predict_interval", (), "mean_value", np.nan, "not-finite"),
    ("RateForward", "predict", (), "T", np.nan, "not-finite"),
    ("RetentionValue", "predict", (), "n_orders", np.nan, "not-finite"),
    ("SilenceScorer", "transform", (), "silence", -1.0, "negative-silence"),
    ("SilenceScorer", "score_samples", (), "n_gaps", 0.5, "gap-count"),
    ("SilenceScorer", "grade", (), "gap_sum", 0.0, "gap-sum"),
    ("SilenceScorer", "predict", (), "silence", np.nan, "not-finite"),
    ("RFMTransformer", "transform", (), "silence", np.nan, "not-finite"),
    ("LifecycleClassifier", "predict", (), "silence", -2.0, "negative"),
    ("LifecycleClassifier", "transform", (), "recency", np.nan, "missing-span"),
    ("LifecycleClassifier learned", "predict", (), "silence", np.inf, "not-finite"),
    ("LifecycleClassifier learned", "predict_proba", (), "silence", np.inf, "not-finite"),
]
IDS = [f"{case[0]}.{case[1]}-{case[3]}-{case[4]:g}" for case in CASES]


def spoilt(table, column, value):
    out = table.copy()
    out[column] = out[column].astype(float)
    repeats = np.flatnonzero(out["n_orders"] > 1)  # where a gap has a meaning
    rows = repeats[BAD]
    out.iloc[rows, out.columns.get_loc(column)] = value
    out.attrs = dict(table.attrs)
    return out, rows


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_other_rows_get_what_they_get_alone_and_the_bad_ones_none(case, fitted, summary):
    name, method, more, column, value, code = case
    ask = getattr(fitted[name], method)
    table, rows = spoilt(summary, column, value)
    with pytest.raises(DataContractError):
        ask(table, *more)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = ask(table, *more, on_invalid="flag")
    said = [str(one.message) for one in told if issubclass(one.category, DataWarning)]
    assert len(said) == 1
    assert f"for 3 of {len(table)} rows: {code}: " in said[0]
    assert f"first: {', '.join(map(str, rows))})" in said[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        right = ask(table.drop(index=table.index[rows]), *more)
    good = np.ones(len(table), dtype=bool)
    good[rows] = False
    found, right = pd.DataFrame(found), pd.DataFrame(right)
    assert len(found) == len(table)
    assert found.loc[~good].isna().all(axis=None)
    np.testing.assert_array_equal(found.loc[good].to_numpy(), right.to_numpy())


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_every_bad_row_has_its_reason_and_no_good_one_has_any(case, fitted, summary):
    name, method, more, column, value, code = case
    table, rows = spoilt(summary, column, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = cv.check_rows(getattr(fitted[name], method), table, *more)
    assert list(said.columns) == ["customer_id", "valid", "reason"]
    assert said["customer_id"].equals(table["customer_id"])
    assert np.flatnonzero(~said["valid"]).tolist() == rows.tolist()
    assert all(code in one for one in said["reason"].iloc[rows])
    assert (said["reason"][said["valid"]] == "").all()


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_every_kind_of_table_is_flagged_alike(kind, fitted, summary):
    table, rows = spoilt(summary, "T", np.nan)
    other = pl.from_pandas(table) if kind == "polars" else pa.Table.from_pandas(table)
    with pytest.warns(DataWarning, match="3 of 400 rows"):
        expected = fitted["MBGNBD"].predict(table, "26W", on_invalid="flag")
    with pytest.warns(DataWarning, match="3 of 400 rows"):
        found = fitted["MBGNBD"].predict(other, "26W", on_invalid="flag")
    np.testing.assert_array_equal(found, expected)
    said = cv.check_rows(fitted["MBGNBD"].predict, other, "26W")
    assert type(said) is type(other)
    assert np.flatnonzero(~np.asarray(said["valid"])).tolist() == rows.tolist()
    table, rows = spoilt(summary, "silence", np.nan)
    other = pl.from_pandas(table) if kind == "polars" else pa.Table.from_pandas(table)
    with pytest.warns(DataWarning, match="3 of 400 rows"):
        scores = fitted["RFMTransformer"].transform(other, on_invalid="flag")
    assert type(scores) is type(other)
    assert np.flatnonzero(np.isnan(np.asarray(scores["R"], dtype=float))).tolist() == rows.tolist()


def test_arrays_are_flagged_by_position(fitted, summary):
    X = summary[["frequency", "recency", "T"]].to_numpy(dtype=float)
    law = cv.NBD.from_params(r=1.0, alpha=5.0)
    right = law.predict(X, 10)
    bad = X.copy()
    bad[2, 1], bad[5, 0] = np.nan, -3.0
    with pytest.raises(ValueError, match="NaN"):
        law.predict(bad, 10)
    with pytest.warns(DataWarning, match="2 of 400 rows: not-finite: .*; frequency-not-a-count: "):
        found = law.predict(bad, 10, on_invalid="flag")
    assert np.flatnonzero(np.isnan(found)).tolist() == [2, 5]
    keep = ~np.isnan(found)
    np.testing.assert_array_equal(found[keep], right[keep])
    gaps = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 2.0], [-1.0, 4.0, 1.0], [np.nan, 1.0, 1.0]])
    scorer = cv.SilenceScorer().fit(gaps[:2])
    with pytest.warns(DataWarning, match="2 of 4 rows: not-finite: .*; negative-gap: "):
        scores = scorer.transform(gaps, on_invalid="flag")
    np.testing.assert_array_equal(scores[:2], scorer.transform(gaps[:2]))
    assert np.isnan(scores[2:]).all()


def test_a_panel_row_without_its_states_is_flagged(fitted):
    last = fitted["panel"].groupby("customer_id").tail(1).head(50)
    last = last.reset_index(drop=True)
    last.attrs = dict(fitted["panel"].attrs)
    chain = fitted["MarkovCLVEstimator"]
    right = chain.predict(last)
    bad = last.assign(silence=last["silence"].astype(float))
    bad.attrs = dict(last.attrs)
    bad.loc[[4, 9], "silence"] = np.nan
    with pytest.raises(DataContractError, match="silence"):
        chain.predict(bad)
    with pytest.warns(DataWarning, match="MarkovCLVEstimator.predict gives no answer .* 2 of 50"):
        found = chain.predict(bad, on_invalid="flag")
    assert np.flatnonzero(np.isnan(found)).tolist() == [4, 9]
    keep = ~np.isnan(found)
    np.testing.assert_array_equal(found[keep], right[keep])


@pytest.mark.parametrize(
    ("name", "method", "shape"),
    [
        ("MBGNBD", "predict_alive", (2,)),
        ("CustomerValue", "predict", (2,)),
        ("CustomerValue", "predict_interval", (2, 2)),
        ("SilenceScorer", "grade", (2,)),
        ("SilenceScorer", "transform", (2, 5)),
        ("RFMTransformer", "transform", (2, 3)),
        ("LifecycleClassifier learned", "predict_proba", (2, 2)),
    ],
)
def test_a_batch_of_nothing_but_bad_rows_has_an_answer_of_the_same_form(
    name, method, shape, fitted, summary
):
    some = summary.head(2)
    columns = ("T", "silence", "recency")
    bad = some.assign(**{column: np.full(2, np.inf) for column in columns})
    bad.attrs = dict(some.attrs)
    with pytest.warns(DataWarning, match="2 of 2 rows"):
        found = getattr(fitted[name], method)(bad, on_invalid="flag")
    assert np.shape(found) == shape
    assert pd.DataFrame(found).isna().all(axis=None)


def test_sound_tables_are_answered_without_a_word(fitted, summary):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fitted["MBGNBD"].predict(summary, "26W", on_invalid="flag")
    np.testing.assert_array_equal(found, fitted["MBGNBD"].predict(summary, "26W"))
    said = cv.check_rows(fitted["MBGNBD"].predict, summary, "26W")
    assert said["valid"].all()
    assert (said["reason"] == "").all()


def test_what_is_no_fault_of_a_row_is_raised_all_the_same(fitted, summary):
    law = fitted["MBGNBD"]
    with pytest.raises(DataContractError, match="missing-column"):
        law.predict(summary.drop(columns="T"), "26W", on_invalid="flag")
    with pytest.raises(DataContractError, match="not-numeric"):
        law.predict(summary.assign(T="a"), "26W", on_invalid="flag")
    with pytest.raises(TimeUnitError):
        law.predict(summary, 26, on_invalid="flag")
    with pytest.raises(HorizonError):
        cv.CustomerValue.from_fitted(law, fitted["GammaGamma"]).predict(summary, on_invalid="flag")
    with pytest.raises(ValueError, match="on_invalid='drop' must be 'raise' or 'flag'"):
        law.predict(summary, "26W", on_invalid="drop")


def test_a_row_with_two_faults_has_both_reasons(fitted, summary):
    table = summary.copy()
    table.attrs = dict(summary.attrs)
    table.loc[table.index[0], ["frequency", "recency"]] = [-1, 1e6]
    reason = cv.check_rows(fitted["MBGNBD"].predict, table, "26W")["reason"].iloc[0]
    assert reason.startswith("frequency-not-a-count: ")
    assert "; recency-exceeds-T: " in reason


def test_words_of_bad_rows_are_missing_not_the_text_nan(fitted, summary):
    table, rows = spoilt(summary, "silence", -1.0)
    with pytest.warns(DataWarning):
        grades = fitted["SilenceScorer"].grade(table, on_invalid="flag")
    assert [grades[i] for i in rows] == [None, None, None]
    with pytest.warns(DataWarning):
        told = fitted["SilenceScorer"].transform(table, on_invalid="flag")
    assert told["grade"].isna().sum() == 3
    assert told.index.equals(table.index)


def test_partitions_are_flagged_by_the_same_word(fitted, summary):
    table, rows = spoilt(summary, "T", np.nan)
    with pytest.warns(DataWarning, match="3 of 400 rows"):
        made = predict_by_partition(
            fitted["MBGNBD"],
            pl.from_pandas(table),
            options={"horizon": "26W", "on_invalid": "flag"},
        )
    assert np.flatnonzero(np.isnan(made["prediction"].to_numpy())).tolist() == rows.tolist()


def test_set_output_and_pipelines_keep_their_rows(fitted, summary):
    table, rows = spoilt(summary, "silence", np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.exceptions.BinWarning)
        rfm = cv.RFMTransformer().fit(summary).set_output(transform="pandas")
    with pytest.warns(DataWarning):
        found = rfm.transform(pl.from_pandas(table), on_invalid="flag")
    assert isinstance(found, pd.DataFrame)
    assert np.flatnonzero(found["R"].isna()).tolist() == rows.tolist()


def test_problems_name_all_their_rows_and_stay_equal_to_those_that_do_not():
    at = cv.exceptions.ContractProblem.at("code", "text", "cure", np.array([5, 6, 7, 8, 9, 10]))
    assert (at.count, at.ids) == (6, ("5", "6", "7", "8", "9"))
    assert at == cv.exceptions.ContractProblem("code", "text", "cure", 6, at.ids)
    assert json.dumps(str(at)) == '"code: text (6 rows, first: 5, 6, 7, 8, 9). cure"'


def test_cell_means_flag_too(cdnow_sample):
    known = cv.summarize(cdnow_sample, **NAMES, as_of="1997-09-30", unit="W").head(200)
    later = np.arange(200.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.exceptions.BinWarning)
        cells = CellMeans(horizon="26W").fit(known, later)
    table, rows = spoilt(known, "silence", np.nan)
    with pytest.warns(DataWarning, match="3 of 200 rows"):
        found = cells.predict(table, on_invalid="flag")
    assert np.flatnonzero(np.isnan(found)).tolist() == rows.tolist()


@pytest.mark.parametrize("wrong", [-1.0, 1.5])
@pytest.mark.parametrize("kind", ["NBD", "BGBB", "BetaBinomialResponse", "GammaGamma", "summary"])
def test_a_number_of_orders_that_is_none_has_one_code_wherever_it_is_read(kind, wrong):
    table = pd.DataFrame(
        {"frequency": [2.0, wrong, 0.0], "recency": [3.0, 3.0, 0.0], "T": [9.0] * 3,
         "monetary_value": [5.0, 5.0, np.nan]}
    )  # fmt: skip
    readers = {
        "summary": lambda: cv.from_summary(table, unit="D"),
        "GammaGamma": lambda: cv.GammaGamma().fit(table),
    }
    read = readers.get(kind, lambda: getattr(cv.purchase, kind)().fit(table))
    with pytest.raises(DataContractError) as said:
        read()
    found = {p.code: list(p.rows) for p in said.value.problems}
    assert "frequency-not-a-count" in found
    assert found["frequency-not-a-count"] in ([1], [])  # a summary names its customers
