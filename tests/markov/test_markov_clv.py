from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import custvalue as cv
from custvalue import RFMTransformer
from custvalue._frames import TableFacts, with_facts
from custvalue.exceptions import DataContractError, TimeUnitError
from custvalue.markov import MarkovCLVEstimator


def hand_panel(n_customers=60, n_periods=12, seed=3):
    """A panel as custvalue.panel makes it, from a small simulated log."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(n_customers):
        rate, ticket = rng.gamma(1.0, 0.5), rng.gamma(4.0, 5.0)
        birth = int(rng.integers(0, 4))
        n_orders, total, last, span = 0, 0.0, birth, 0
        for period in range(birth, n_periods):
            orders = max(int(rng.poisson(rate)), int(period == birth))
            spend = float(rng.gamma(3.0, ticket / 3.0, orders).sum())
            n_orders, total = n_orders + orders, total + spend
            last = period if orders else last
            span = last - birth
            rows.append(
                (
                    customer,
                    period,
                    period - birth,
                    orders,
                    spend,
                    0.5 * spend,
                    period - last,
                    n_orders,
                    total,
                    total / n_orders,
                    n_orders - 1,
                    0.0 if n_orders == 1 else max(float(span), 0.3),
                    period - birth + 0.5,
                )
            )
    names = [
        "customer_id",
        "period",
        "age",
        "orders",
        "spend",
        "profit",
        "silence",
        "n_orders",
        "total_value",
        "mean_value",
        "frequency",
        "recency",
        "T",
    ]
    frame = pd.DataFrame(rows, columns=names)
    facts = TableFacts("panel", "customer_id", "4W", "2000-01-01", period="4W")
    return with_facts(frame, facts)


def panel_of(log, period="4W"):
    return cv.panel(
        log, customer="customer_id", time="date", amount="amount", as_of="1997-09-30", period=period
    )


@pytest.fixture(scope="module")
def panel():
    return hand_panel()


def test_every_customer_gets_a_finite_value_that_grows_with_the_horizon(panel):
    model = MarkovCLVEstimator(annual_discount_rate=0.1, margin=0.3).fit(panel)
    last = panel.groupby("customer_id").tail(1)
    near = model.predict(last, horizon="12W")
    far = model.predict(last, horizon="52W")
    assert near.shape == (60,)
    assert np.all(near > 0)
    assert np.all(far > near)
    assert np.all(np.isfinite(model.predict(last)))


def test_a_horizon_without_a_unit_is_refused(panel):
    model = MarkovCLVEstimator(horizon=13).fit(panel)
    with pytest.raises(TimeUnitError, match="no unit"):
        model.predict(panel)


def test_margin_is_taken_of_spend_and_profit_is_taken_as_it_is(panel):
    own = MarkovCLVEstimator(horizon="24W").fit(panel).predict(panel)
    half = MarkovCLVEstimator(horizon="24W", margin=0.5).fit(panel).predict(panel)
    np.testing.assert_allclose(own, half)


def test_row_order_does_not_matter(panel):
    mixed = panel.sample(frac=1.0, random_state=1)
    mixed.attrs = panel.attrs
    a = MarkovCLVEstimator(horizon="24W").fit(panel).predict(panel)
    b = MarkovCLVEstimator(horizon="24W").fit(mixed).predict(panel)
    np.testing.assert_allclose(a, b)


def test_a_missing_period_is_refused_or_skipped(panel):
    broken = panel.drop(index=panel.index[2])
    broken.attrs = panel.attrs
    with pytest.raises(DataContractError, match=r"gap.*first: 0"):
        MarkovCLVEstimator().fit(broken)
    whole = MarkovCLVEstimator(gaps="skip").fit(panel).counts_.n_moves
    assert MarkovCLVEstimator(gaps="skip").fit(broken).counts_.n_moves == whole - 2


def test_a_repeated_period_is_refused(panel):
    twice = pd.concat([panel, panel.tail(1)])
    twice.attrs = panel.attrs
    with pytest.raises(DataContractError, match="repeated-period"):
        MarkovCLVEstimator().fit(twice)


def test_a_panel_without_a_customer_is_refused(panel):
    bare = pd.DataFrame(panel)
    bare.attrs = {}
    with pytest.raises(DataContractError, match="missing-customer"):
        MarkovCLVEstimator(unit="4W").fit(bare)
    named = MarkovCLVEstimator(unit="4W", customer="customer_id").fit(bare)
    grouped = MarkovCLVEstimator(unit="4W").fit(bare, groups=bare["customer_id"])
    assert named.chain_ == grouped.chain_


def test_no_customer_moves_from_its_last_row_to_the_next_customer(panel):
    model = MarkovCLVEstimator().fit(panel)
    assert model.counts_.n_moves == len(panel) - panel["customer_id"].nunique()


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
def test_the_promised_pipeline_runs_on_a_real_log(cdnow_sample):
    history = panel_of(cdnow_sample)
    model = make_pipeline(
        RFMTransformer(), MarkovCLVEstimator(horizon="52W", annual_discount_rate=0.10, margin=0.3)
    )
    last = history.groupby("customer_id").tail(1)
    value = model.fit(history).predict(last)
    assert value.shape == (2349,)
    assert np.all(value > 0)
    assert model[-1].chain_.n_states > 20
    plain = MarkovCLVEstimator(horizon="52W", annual_discount_rate=0.10, margin=0.3).fit(history)
    np.testing.assert_allclose(plain.predict(last), value)
