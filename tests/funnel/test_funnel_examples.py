"""The examples of the specification: every number computed by independent code."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from custvalue.chains import TransitionCounts
from custvalue.funnel import FunnelChain, early_value
from custvalue.funnel._law import FunnelLaw, group_hazards, hazards, pooled_hazards, rates
from custvalue.funnel._settings import shape_of
from custvalue.funnel._tables import sales_velocity

STAGES = ["lead", "qualified", "proposal"]
WEEKLY = 1.002 ** (365.25 / 7) - 1  # .2 % a week


def states(stage, ages, amount=1.0):
    return pd.DataFrame({"stage": stage, "age": ages, "amount": amount})


def close(found, hand, atol=5e-7):
    np.testing.assert_allclose(np.asarray(found, dtype=float), hand, atol=atol)


# -- 1: the chain by hand


@pytest.fixture
def by_hand():
    """Counts in the proportions of the example's chances; one class of age."""
    moves = np.zeros((5, 5))
    moves[0, [0, 1, 4]] = 5, 3, 2
    moves[1, [1, 2, 4]] = 4, 4, 2
    moves[2, [2, 3, 4]] = 3, 4, 3
    shape = shape_of(FunnelChain(STAGES, age_classes=1))
    counts = TransitionCounts(csr_array(moves), np.zeros(5), np.zeros(5))
    return FunnelLaw.of(pooled_hazards(counts, shape), shape)


def test_a_funnel_by_hand_wins_as_its_chain_does(by_hand):
    close(by_hand.ends.chance[:3, 0], [0.228571, 0.380952, 0.571429])
    close(by_hand.ends.time[:3], [3.571429, 2.619048, 1.428571])
    close(by_hand.ends.time_given[:3, 0], [5.095238, 3.095238, 1.428571])


def test_conversion_is_the_reach_of_the_next_stage_from_entry_of_this(by_hand):
    close([by_hand.reach(k + 1)[k] for k in range(3)], [0.6, 0.666667, 0.571429])


def test_a_bottleneck_is_visits_times_what_the_next_stage_is_ahead(by_hand):
    close(by_hand.bottleneck(by_hand.entry(np.array([1.0, 0, 0]))), [0.761905, 0.571429, 0.571429])


def test_coming_early_is_worth_two_starts_apart_less_the_touches(by_hand, six_deals, at):
    # 14.9 with 14.10.1: N (2, 1), won .228571 and .571429, 1,000 on winning
    funnel = FunnelChain(STAGES, annual_discount_rate=0.0).fit(six_deals, as_of=at(8))
    funnel.law_ = by_hand
    table = early_value(funnel, "proposal", amount=1000, cost={"lead": 10, "qualified": 30})
    assert table["stage"].tolist() == ["lead", "qualified"]
    close(table["visits"], [3, 1.666667])
    close(table["cost"], [2 * 10 + 1 * 30, 1.666667 * 30], atol=2e-5)
    close(table["net_gain"], [228.571429 - 571.428571 - 50, 380.952381 - 571.428571 - 50], 1e-5)
    free = early_value(funnel, "qualified", amount=1000)
    close(free["net_gain"], [228.571429 - 380.952381], 1e-5)


def test_coming_early_discounts_as_the_funnel_does(six_deals, at):
    funnel = FunnelChain(STAGES, age_classes=2, timing="start", annual_discount_rate=WEEKLY)
    table = early_value(funnel.fit(six_deals, as_of=at(8)), "proposal", amount=100)
    close(table["value_early"], [49.503556, 49.602387])
    close(table["net_gain"], [49.503556 - 99.800797, 49.602387 - 99.800797], 1e-6)
    with pytest.raises(ValueError, match="no amount of a deal won"):
        early_value(funnel, "proposal")
    with pytest.raises(ValueError, match="late='lead' must be a stage after the first"):
        early_value(funnel, "lead", amount=1)
    with pytest.raises(ValueError, match="cost names 'proposal'; stages before 'proposal' are"):
        early_value(funnel, "proposal", amount=1, cost={"proposal": 1})
    with pytest.raises(ValueError, match="costs not below 0"):
        early_value(funnel, "proposal", amount=1, cost=-1)


def test_coming_early_has_a_row_for_each_group(six_deals, at):
    log = six_deals.assign(owner=np.where(six_deals["deal"] % 2, "ann", "bob"))
    funnel = FunnelChain(STAGES, age_classes=2, by="owner").fit(log, as_of=at(8))
    table = early_value(funnel, "qualified", amount=100, language="zh")
    assert table.columns[0] == "owner"
    assert list(table["owner"]) == ["ann", "bob"]
    ann = funnel.group_laws_["ann"].discounted(None, funnel._rate(), "end")
    assert table.iloc[0, 2] == pytest.approx(100 * ann[0])


# -- 2: censoring


def test_who_is_at_risk_at_each_age(censored, at):
    funnel = FunnelChain(["open"], age_classes=6).fit(censored, as_of=at(6))
    assert funnel.counts_.pooled.n_out[:6].tolist() == [10, 9, 7, 5, 4, 2]


def test_open_deals_are_censored_not_lost(censored, at):
    # lifelines' AalenJohansenFitter on the same ten deals gives .42 and .40
    funnel = FunnelChain(["open"], age_classes=6).fit(censored, as_of=at(6))
    found = funnel.predict_proba(states(["open"], [1]), horizon="6W")
    close(found[["won", "lost", "open"]].iloc[0], [0.42, 0.40, 0.18])


def test_cumulative_incidence_is_that_of_aalen_and_johansen(events_of, at):
    path = Path(__file__).parents[1] / "reference" / "funnel.json"
    want = json.loads(path.read_text("utf-8"))["competing_outcomes"]
    deals = {}
    for k, (weeks, how) in enumerate(zip(want["weeks"], want["how"], strict=True)):
        deals[k] = [("lead", 40 - weeks), *([] if how == "open" else [(how, 40)])]
    funnel = FunnelChain(["lead"], age_classes=40).fit(events_of(deals), as_of=at(40))
    for weeks, won, lost in zip(want["at"], want["won"], want["lost"], strict=True):
        found = funnel.predict_proba(states(["lead"], [1]), horizon=f"{weeks}W")
        close(found[["won", "lost"]].iloc[0], [won, lost], atol=want["tolerance"])


@pytest.fixture
def aged(censored, at):
    return FunnelChain(["open"], age_classes=4, annual_discount_rate=0.0).fit(censored, as_of=at(6))


def test_a_deal_that_sits_loses_its_chance(aged):
    now = states(["open"] * 4, [1, 2, 3, 4])
    close(aged.predict_proba(now)["won"], [0.5, 0.444444, 0.428571, 0.333333])
    close(aged.law_.ends.time[:4], [4.8, 4.222222, 4.142857, 3.666667])
    within = [aged.predict_proba(now, horizon=h)["won"] for h in ("4W", "8W")]
    close(within[0], [0.354545, 0.326905, 0.318665, 0.240079])
    close(within[1], [0.459307, 0.411561, 0.397824, 0.307244])


def test_a_pipeline_is_expected_money_with_its_spread(aged):
    deals = states(["open"] * 3, [1, 3, 4], [100.0, 50.0, 80.0])
    total = aged.pipeline_table(deals).iloc[-1]
    close(total[["expected_money", "sd_outcome"]], [98.095238, 67.338452])
    total = aged.pipeline_table(deals, horizon="4W").iloc[-1]
    close(total[["expected_money", "sd_outcome"]], [70.594124, 63.236439])


# -- 3: an event log


@pytest.fixture
def six(six_deals, at):
    return FunnelChain(STAGES, age_classes=2).fit(six_deals, as_of=at(8))


def test_moves_of_an_event_log_by_stage_and_age(six):
    moves = six.counts_.pooled.moves.toarray()
    lead, lead2, qual, qual2, prop, prop2, won, lost = range(8)
    want = np.zeros((8, 8))
    want[lead, [qual, lead2]] = 2, 4
    want[lead2, [lost, prop, qual, lead2]] = 1, 1, 1, 3
    want[qual, qual2] = 3
    want[qual2, [prop, lost, qual2]] = 1, 1, 2
    want[prop, [won, prop2]] = 1, 1
    want[prop2, [won, prop2]] = 1, 1
    np.testing.assert_array_equal(moves, want)
    assert six.counts_.pooled.n_moves == 23


def test_chances_and_times_of_an_event_log(six):
    close(six.law_.ends.chance[:6, 0], [0.5, 0.5, 0.5, 0.5, 1, 1], atol=1e-12)
    close(six.law_.ends.time[:6], [5, 4, 4, 3, 2, 2], atol=1e-12)
    found = six.law_.next_stages(0)
    assert found == pytest.approx({"qualified": 5 / 9, "proposal": 2 / 9, "lost": 2 / 9})
    everywhere = states(np.repeat(STAGES, 2), [1, 2] * 3)
    close(
        six.predict_proba(everywhere, horizon="4W")["won"],
        [0.152778, 0.25, 0.25, 0.34375, 0.9375, 0.9375],
    )


def test_money_on_winning_is_discounted(six):
    six.set_params(annual_discount_rate=WEEKLY, timing="start")
    everywhere = states(np.repeat(STAGES, 2), [1, 2] * 3, 100.0)
    close(
        six.predict(everywhere),
        [49.503556, 49.602651, 49.602387, 49.701592, 99.800797, 99.800797],
    )


# -- 4: groups


def test_rates_of_groups_are_drawn_to_the_pooled_rate_by_a_given_weight():
    wins = np.array([8, 3, 1, 30, 0, 12.0])
    tries = np.array([10, 10, 2, 60, 4, 15.0])
    shape = shape_of(FunnelChain(["a"], age_classes=1))

    def counts(w, n):
        moves = np.zeros((3, 3))
        moves[0, 1:] = w, n - w
        return TransitionCounts(csr_array(moves), np.zeros(3), np.zeros(3))

    parts = {k: counts(w, n) for k, (w, n) in enumerate(zip(wins, tries, strict=True))}
    pooled = pooled_hazards(sum(parts.values()), shape)
    close(pooled[0, 0, 1], 0.534653)
    found, _ = group_hazards(parts, pooled, shape, 10.0)
    close(
        [found[k][0, 0, 1] for k in range(6)],
        [0.667327, 0.417327, 0.528878, 0.504950, 0.381895, 0.693861],
    )


def test_sales_velocity():
    assert sales_velocity(40, 0.25, 10_000, 60) == pytest.approx(1666.666667)


def test_reading_hazards_and_writing_rates_are_inverse(six):
    h = pooled_hazards(six.counts_.pooled, six.counts_.shape)
    np.testing.assert_allclose(hazards(rates(h, six.counts_.shape), six.counts_.shape), h)
