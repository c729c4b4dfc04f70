"""What a notebook shows of a result: its own numbers, every text escaped."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._html import html_facts, html_table
from custvalue.markov import Chain
from custvalue.purchase import MBGNBD

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
    assert "custvalue.readthedocs.io/api/custvalue.segment.RFMTransformer.html" in html


def test_tables_of_customers_are_ordinary_frames(customers):
    assert isinstance(customers, pd.DataFrame)
    assert "<table" in customers.head()._repr_html_()
