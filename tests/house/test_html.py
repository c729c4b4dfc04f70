"""What a notebook shows of a result: its own numbers, every text escaped."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._drift import DriftReport
from custvalue._fitted import FitReport
from custvalue._html import html_facts, html_table
from custvalue.chains import Chain
from custvalue.chains._absorption import Absorption
from custvalue.data import TransactionLog
from custvalue.data._cohorts import CohortTable
from custvalue.data._examination import Examination, Finding
from custvalue.data._ledger import WORDS, Dropped, RowLedger
from custvalue.evaluation import BacktestResult
from custvalue.evaluation._story import CustomerStory
from custvalue.evaluation._verdict import Verdict
from custvalue.funnel._backtest import FunnelBacktest
from custvalue.funnel._channels import ChannelAttribution
from custvalue.funnel._ledger import DroppedDeals, FunnelLedger
from custvalue.grades._portrait import Portrait
from custvalue.lifecycle._for_rooms import SeenStages, stages_tested
from custvalue.lifecycle._stage_test import StageTest
from custvalue.monthly._comparison import WhatChanged
from custvalue.purchase import MBGNBD
from custvalue.report._funnel import FunnelReport
from custvalue.report._report import Report
from custvalue.rfm import RFMTransformer, SegmentMap
from custvalue.rfm._segment_test import SegmentTest

COLUMNS = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def customers(cdnow_sample):
    return cv.summarize(cdnow_sample, **COLUMNS, as_of="1997-09-30", unit="W")


def test_texts_are_escaped_everywhere():
    evil = "<script>"
    for html in (
        html_table(evil, [evil], [[evil], [(evil, evil)]]),
        html_facts(evil, {evil: evil, "inner": {evil: evil}}),
        Chain((evil, "b"), [[0.5, 0.5], [0.0, 1.0]])._repr_html_(),
    ):
        assert evil not in html
        assert "&lt;script&gt;" in html


def test_every_result_that_shows_itself_escapes_every_text_in_it():
    """Every ``_repr_html_`` of the library, made from texts that are attacks."""
    evil = "<img src=x onerror=alert(1)>"

    class Said(Report):
        def summary_text(self) -> str:
            return evil

    frame = pd.DataFrame({"estimator": [evil], "cutoff": [evil], "gini": [0.5], "total_bias": 0.1})
    predictions = pd.DataFrame({evil: [1.0], "cutoff": [evil], "actual": [1.0]})
    shown = {
        BacktestResult: BacktestResult(frame, predictions, horizon=evil, customer=evil),
        Portrait: Portrait(evil, (evil,), {evil: evil}),
        RowLedger: RowLedger(1, 0, 1.0, 0.0, (Dropped(next(iter(WORDS)), 1, 1.0, (evil,)),)),
        FitReport: FitReport("interior", boundary=(evil,), notes=(evil,), facts={evil: 1.0}),
        Examination: Examination(
            (Finding("zero-amounts", "note", 1, 1, 0.0, (evil,)),),
            1, 1, 0.0, evil, evil, evil, evil, evil,
        ),
        CustomerStory: CustomerStory(
            evil, evil, "4W", 1.0, None, None, None, 0.8, 1.0, (0.0,) * 4, 1.0, 1.0, 1.0, 1.0, 1.0,
            1, 1.0,
        ),
        DriftReport: DriftReport((evil,), (0.1,), (0.1,), 0.1, 5),
        CohortTable: CohortTable(
            pd.DataFrame({evil: [1.0]}, index=[evil]), pd.DataFrame({evil: [False]}, index=[evil]),
            pd.Series([1], index=[evil]), evil, evil,
        ),
        Chain: Chain((evil, "b"), [[0.5, 0.5], [0.0, 1.0]]),
        Absorption: Chain((evil, "b"), [[0.5, 0.5], [0.0, 1.0]], ("b",)).absorption(),
        FunnelBacktest: FunnelBacktest(
            pd.DataFrame({"method": [evil], "predicted_wins": 1.0, "actual_wins": 1, "bias": 0.0,
                          "brier": 0.1}),
            pd.DataFrame(), evil,
        ),
        ChannelAttribution: ChannelAttribution(
            pd.DataFrame({"channel": [evil]}), Chain(("a",), [[1.0]]), 1, 0.5, pd.DataFrame()
        ),
        SegmentTest: SegmentMap(
            {evil: {"R": 1}, "b": {"R": 2}}, 2, ("R",), new=None
        ).validate(
            TransactionLog(
                pd.DataFrame({"who": range(60), "when": pd.date_range("2024-01-01", periods=60),
                              "paid": 1.0}),
                customer="who", time="when", amount="paid", as_of="2024-02-29", unit="D",
            ),
            RFMTransformer(columns={"R": "silence"}, n_bins=2), horizon="10D",
        ),
        StageTest: stages_tested(
            [SeenStages("2024-01-31", np.arange(1), np.array([evil]), np.array([True]))],
            [evil], 10.0, 0.8,
        ),
        FunnelLedger: FunnelLedger(1, 0, 0, 0, (DroppedDeals("missing_time", 1, 1, (evil,)),)),
        FunnelReport: FunnelReport(*[pd.DataFrame()] * 5, None, {}, html="", text=evil),
        Verdict: Verdict("unproven", {}, "law", (), (), 1.0, evil),
        WhatChanged: WhatChanged(
            evil, evil, "2024-06-30", 30, "52W",
            pd.DataFrame(
                {evil: [evil], "move": ["new"], "value_then": [0.0], "value_now": [5.0],
                 "change": [5.0], "orders": [0.0], "silence": [0.0], "spend": [0.0],
                 "peers": [0.0], "model": [0.0], "orders_since": [1], "spent_since": [5.0]}
            ),
            None, pd.DataFrame({"variable": [evil], "stability": [0.5]}), "keep", (),
        ),
        Report: Said({"about": {"as_of": evil}}, *[None] * 3, html=""),
    }  # fmt: skip
    writing = {
        path.stem
        for path in Path(cv.__file__).parent.rglob("*.py")
        if "def _repr_html_" in path.read_text(encoding="utf-8")
    }
    here = {kind.__module__.rpartition(".")[2] for kind in shown} | {"_html"}
    assert writing <= here | {"_fitted"}, "try the new one here, too"
    for result in shown.values():
        assert "<img" not in result._repr_html_(), type(result)
        assert "&lt;img" in result._repr_html_(), type(result)


def test_a_ledger_shows_rows_in_dropped_and_used(customers):
    html = cv.ledger(customers)._repr_html_()
    numbers = re.findall(r">(-?[\d,]+)</td>", html)
    assert numbers[0] == "6,919"
    assert "after the as-of date" in html


def test_a_fit_report_shows_how_the_fit_ended(customers):
    html = MBGNBD().fit(customers).fit_report()._repr_html_()
    assert "interior" in html
    assert "log likelihood" in html
    assert "covariance" not in html


def test_a_chain_shows_its_first_states():
    n = 20
    html = Chain(tuple(range(n)), np.eye(n))._repr_html_()
    assert "Chain of 20 states, the first 12 shown" in html
    assert html.count("<tr>") == 13


def test_drift_and_cohorts_show_their_tables(customers, cdnow_sample):
    drift = cv.RFMTransformer(n_bins=2).fit(customers).drift(customers)
    assert "Drift of 2,349 rows" in drift._repr_html_()
    cohorts = cv.value.cohort_table(cdnow_sample, **COLUMNS, as_of="1997-06-15")
    assert "0.16" in cohorts._repr_html_()


def test_a_backtest_shows_its_scores(cdnow_sample):
    from custvalue.evaluation import backtest

    result = backtest({}, cdnow_sample, **COLUMNS, cutoffs=["1997-09-30"], horizon="39W")
    html = result._repr_html_()
    assert "rate carried forward" in html
    assert "nan" not in html


def test_diagrams_of_estimators_link_to_our_documentation():
    html = cv.RFMTransformer()._repr_html_()
    assert "custvalue.readthedocs.io/api/custvalue.rfm.RFMTransformer.html" in html


def test_tables_of_customers_are_ordinary_frames(customers):
    assert isinstance(customers, pd.DataFrame)
    assert "<table" in customers.head()._repr_html_()
