"""What a report does for a log whose panel would not fit: it follows a fair sample, and says so."""

from __future__ import annotations

import numpy as np
import pytest

from custvalue.data import TransactionLog
from custvalue.report import _collect, make_report
from custvalue.report._collect import followed, spend_by_period

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def log(cdnow_sample):
    return TransactionLog(cdnow_sample, **NAMES, as_of="1998-06-30", unit="D")


@pytest.mark.parametrize("period", ["4W", "1M", "10D"])
def test_spend_by_period_is_that_of_the_panel(log, period):
    from custvalue._units import span_days

    found = spend_by_period(log, np.datetime64("1998-06-30"), span_days(period))
    panel = log.panel(period).groupby("period")
    np.testing.assert_allclose(found["spend"], panel["spend"].sum(), rtol=1e-12)
    ends = panel["period_end"].first().to_numpy().astype("datetime64[D]")
    assert (found["period_end"].to_numpy().astype("datetime64[D]") == ends).all()


def test_few_customers_are_followed_all_and_many_by_a_fair_sample(log, monkeypatch):
    assert followed(log) is log
    monkeypatch.setattr(_collect, "MOST_FOLLOWED", 500)
    few = followed(log).customers()
    assert len(set(few)) == 500
    assert {*few} < {*log.customers()}
    # fair: the mean place of 500 of 2,357 has a standard error of about 27
    place = np.flatnonzero(np.isin(log.customers(), few)).mean()
    assert abs(place - len(log.customers()) / 2) < 120


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_says_how_many_it_followed_and_counts_money_of_all(
    cdnow_sample, law_alone, monkeypatch, language
):
    whole = make_report(cdnow_sample, **NAMES, as_of="1997-09-30", models=law_alone)
    monkeypatch.setattr(_collect, "MOST_FOLLOWED", 500)
    part = make_report(
        cdnow_sample, **NAMES, as_of="1997-09-30", models=law_alone, language=language
    )
    assert whole.facts["about"]["followed"] == len(whole.customers)
    assert part.facts["about"]["followed"] == 500
    said = "counted on 500 customers" if language == "en" else "随机抽取的 500 位"
    assert part.html.count(said) == 2  # with the moves, and with the stages then and now
    assert "counted on" not in whole.html
    assert part.facts["base"] == whole.facts["base"]
    assert sum(m["customers"] for m in part.facts["moves"]) < sum(
        m["customers"] for m in whole.facts["moves"]
    )


@pytest.mark.parametrize("kind", ["polars, lazy", "duckdb"])
def test_a_log_that_is_not_in_memory_makes_the_page_of_one_that_is(cdnow_sample, law_alone, kind):
    rows = cdnow_sample.assign(other="not read")
    if kind == "duckdb":
        log = pytest.importorskip("duckdb").from_df(rows)
    else:
        log = pytest.importorskip("polars").from_pandas(rows).lazy()
    asked = {**NAMES, "as_of": "1997-09-30", "models": law_alone, "margin": 0.3}
    made, right = make_report(log, **asked), make_report(cdnow_sample, **asked)
    assert made.ledger == right.ledger
    assert made.facts["base"] == right.facts["base"]
    np.testing.assert_allclose(made.customers["future_value"], right.customers["future_value"])
