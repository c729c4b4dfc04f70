"""What a heading of the report says is what stands below it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._warn import heard
from custvalue.exceptions import BinWarning
from custvalue.lifecycle import LifecycleClassifier
from custvalue.report import make_report
from custvalue.report._collect import segment_moves
from custvalue.report._facts import segment_rule
from custvalue.report._words import Words
from custvalue.rfm import RFMTransformer, SegmentMap

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
EN = Words("en", "USD")


def test_moves_are_counted_beside_the_customers_who_made_them(cdnow_sample):
    history = cv.panel(cdnow_sample, **NAMES, period="4W")
    cells = SegmentMap.ready(5)
    with heard(BinWarning):
        moves = segment_moves(history, "customer_id", cells).set_index(["from", "to"])
        scores = RFMTransformer(remainder="drop").fit_transform(history)
    # the same by plain pandas: each row beside the customer's next one
    scored = pd.DataFrame(
        {
            "who": history["customer_id"],
            "now": np.asarray(cells.assign(scores), dtype=str),
        }
    )
    scored["then"] = scored.groupby("who")["now"].shift(-1)
    pairs = scored.dropna().groupby(["now", "then"])["who"]
    pd.testing.assert_series_equal(
        moves["moves"].sort_index(), pairs.size(), check_names=False, check_index_type=False
    )
    pd.testing.assert_series_equal(
        moves["customers"].sort_index(), pairs.nunique(), check_names=False, check_index_type=False
    )
    assert (moves["customers"] <= history["customer_id"].nunique()).all()
    assert (moves["moves"] > moves["customers"]).any()


def test_no_table_of_the_page_names_more_customers_than_there_are(report):
    n = report.facts["base"]["customers"]
    seen = 0
    for name in ("segments", "moves"):
        for row in report.facts[name]:
            assert row["customers"] <= n
            seen += 1
    for row in (*report.facts["quiet"]["grades"], *report.facts["stages"]["rows"]):
        assert row["customers"] <= n
        seen += 1
    assert seen > 20
    # these are parts of the whole
    for rows in (report.facts["segments"], report.facts["quiet"]["grades"]):
        assert sum(row["customers"] for row in rows) == n


def test_a_tenth_of_those_present_on_the_demo_log_are_problem_customers():
    """9.6 % of the present ones; of everybody, also who left long ago, it would be 3.5 %."""
    log = cv.datasets.load_cdnow()
    summary = cv.summarize(
        log, customer="customer_id", time="date", amount="amount", as_of="1998-06-30",
        zero_amounts="keep",
    )  # fmt: skip
    stages = LifecycleClassifier().fit(summary)
    stage = stages.predict(summary)
    assert stages.problem_share(summary) == pytest.approx(0.096, abs=5e-4)
    assert (stage == "problem").mean() == pytest.approx(0.035, abs=5e-4)
    assert (stage == "problem").sum() == pytest.approx(0.096 * (stage != "exited").sum(), rel=0.01)


def test_problem_customers_are_a_share_of_the_present_ones_everywhere(report):
    stage = report.customers["stage"]
    present = ~stage.isin(["exited", "potential", "target"])
    share = (stage == "problem").sum() / present.sum()
    assert report.facts["stages"]["problem_share"] == pytest.approx(share)
    assert "of those present" in report.html


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (4.29247e-08, np.inf, "spent over USD 4.3e-08"),
        (5.06765e13, np.inf, "spent over USD 50,676,500,000,000"),
        (46.09, 80.0, "spent over USD 46.09, at most USD 80.00"),
    ],
)
def test_a_rule_keeps_its_money_in_any_currency(low, high, says):
    ends = dict.fromkeys(["silence_above", "n_orders_above"], -np.inf)
    ends |= dict.fromkeys(["silence_up_to", "n_orders_up_to"], np.inf)
    box = ends | {"total_value_above": low, "total_value_up_to": high}
    assert segment_rule(pd.DataFrame([box]), EN) == says


@pytest.mark.parametrize("scale", [2.0**-30, 2.0**40])
def test_a_report_in_another_currency_is_the_same_report(cdnow_sample, law_alone, scale):
    """Powers of two, so that every digit stays; trees of a learner turn on the last one."""

    def made(factor):
        log = cdnow_sample[cdnow_sample["customer_id"] % 3 == 0]
        return make_report(
            log.assign(amount=log["amount"] * factor),
            **NAMES,
            margin=0.5,
            response=0.05,
            contact_cost=0.5 * factor,
            budget=64.0 * factor,
            models=law_alone,
        )

    one, other = made(1.0), made(scale)
    money = ["total_value", "mean_value", "future_value", "at_stake"]
    np.testing.assert_allclose(
        other.customers[money], one.customers[money] * scale, rtol=1e-6, atol=0
    )
    for name in ("R", "F", "M", "segment", "silence_grade", "stage", "chance_of_order"):
        assert other.customers[name].tolist() == one.customers[name].tolist(), name
    assert other.campaign["group"].tolist() == one.campaign["group"].tolist()
    rules = [[row["rule"].count("spent") for row in m.facts["segments"]] for m in (one, other)]
    assert rules[0] == rules[1]


@pytest.mark.parametrize("currency", ["$$", r"$\frac{a}{b}$", "<{x}%s"])
def test_any_currency_is_written_as_it_is(cdnow_sample, currency):
    log = cdnow_sample[cdnow_sample["customer_id"] % 40 == 0]
    made = make_report(log, **NAMES, currency=currency)
    shown = currency.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"spend per period ({shown})" in made.html
