from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError
from custvalue.markov import MarkovCLVEstimator, PanelStates

START = pd.Timestamp("2019-01-07")
CYCLE = 13
N_PERIODS = 3 * CYCLE


def factor_of(period):
    """Orders of a period, times the usual: four times as many in a month as half a year later."""
    return np.exp(0.7 * np.cos(2 * np.pi * (period % CYCLE) / CYCLE))


def seasonal_panel(seed=0, n=900):
    rng = np.random.default_rng(seed)
    born = rng.integers(0, 20, n)
    rate = rng.gamma(2.0, 0.15, n)
    periods = np.arange(N_PERIODS)
    mean = rate[:, None] * factor_of(periods) * (periods > born[:, None])
    orders = rng.poisson(mean) + (periods == born[:, None])
    who, period = np.nonzero(orders)
    times = orders[who, period]
    who, period = np.repeat(who, times), np.repeat(period, times)
    day = START + pd.to_timedelta(28 * period + rng.integers(0, 28, len(who)), unit="D")
    log = pd.DataFrame({"who": who, "day": day, "paid": rng.gamma(4.0, 5.0, len(who))})
    end = START + pd.Timedelta(days=28 * N_PERIODS - 1)
    return cv.panel(log, customer="who", time="day", amount="paid", as_of=end, period="4W"), rate


def with_column(panel, name, values):
    out = panel.assign(**{name: values})
    out.attrs = panel.attrs
    return out


@pytest.fixture(scope="module")
def made():
    panel, rate = seasonal_panel()
    return with_column(panel, "season", panel["period"] % CYCLE), rate


STATES = PanelStates(recency_max=6, frequency_classes=5, monetary_classes=1)
HOW = {"money": "state", "horizon": "52W", "annual_discount_rate": 0.0, "transitions": "counts"}


@pytest.fixture(scope="module")
def model(made):
    return MarkovCLVEstimator(STATES, by={"season": "52W"}, **HOW).fit(made[0])


@pytest.fixture(scope="module")
def last(made):
    return made[0].groupby("who").tail(1)


def test_the_forecast_follows_the_season(made, model, last):
    panel, rate = made
    coming = np.arange(panel["period"].max() + 1, panel["period"].max() + 1 + CYCLE)
    true = rate.sum() * 20.0 * factor_of(coming)
    money = model.value_by_period(last)["expected"].to_numpy()
    np.testing.assert_allclose(money / money.sum(), true / true.sum(), atol=0.016)
    assert money.sum() == pytest.approx(model.predict(last).sum())
    plain = MarkovCLVEstimator(STATES, **HOW).fit(panel).value_by_period(last)["expected"]
    # the season moves money within the year; the level stays that of the chain
    assert money.sum() == pytest.approx(plain.sum(), rel=0.1)
    assert plain.max() / plain.min() < 1.5 < 2.5 < money.max() / money.min()
    # a short horizon in the low season is worth less than one in the high season
    summer = panel[panel["period"] == 2 * CYCLE + 5].tail(200)
    winter = panel[panel["period"] == 2 * CYCLE + 11].tail(200)
    assert model.predict(summer, horizon="8W").mean() < 0.6 * (
        model.predict(winter, horizon="8W").mean()
    )


def test_the_chance_of_an_order_follows_the_season(made, model):
    panel, rate = made
    for period in (2 * CYCLE + 5, 2 * CYCLE + 11):
        rows = panel[panel["period"] == period]
        chance = model.predict_proba_any(rows, horizon="4W")
        true = 1 - np.exp(-rate[rows["who"]] * factor_of(period + 1))
        assert chance.mean() == pytest.approx(true.mean(), abs=0.03)
        roll_on = model.predict_proba_any(rows, horizon="12W")
        more = rate[rows["who"]] * factor_of(period + np.arange(1, 4)).sum()
        assert roll_on.mean() == pytest.approx((1 - np.exp(-more)).mean(), abs=0.06)


def test_states_ahead_and_intervals_follow_the_season(model, last):
    some = last.head(20)
    ahead = model.predict_states(some, 3)
    np.testing.assert_allclose(ahead.sum(axis=1), 1.0)
    face, place = model._where(some)
    chance = np.zeros(model.chain_.n_states)
    chance[place[0]] = 1.0
    for step in range(3):
        chance = chance @ model.levels_.chains[int(face[0] + 1 + step) % CYCLE].dense()
    np.testing.assert_allclose(ahead[0], chance)
    value = model.predict(some)
    for kind in ("customer", "parameter"):
        low, high = model.predict_interval(some, kind=kind, level=0.95, n_draws=50).T
        assert np.mean((low <= value) & (value <= high)) > 0.9
    draws = model.draw_totals(last, 50, random_state=0)
    assert draws.mean() == pytest.approx(model.predict(last).sum(), rel=0.02)


def test_a_coarse_season_has_as_many_chains_as_values(made, last):
    panel, _ = made
    half = (factor_of(panel["period"]) > 1).astype(int)
    coarse = MarkovCLVEstimator(STATES, by={"half": "52W"}, **HOW)
    coarse.fit(with_column(panel, "half", half))
    assert len(coarse.levels_.chains) == 2
    # rows are placed by their period: the column itself is not asked for any more
    money = coarse.value_by_period(last)["expected"].to_numpy()
    assert len(money) == CYCLE
    high = factor_of(panel["period"].max() + 1 + np.arange(CYCLE)) > 1
    assert money[high].min() > 1.5 * money[~high].max()


def test_for_ever_is_the_limit_of_far_horizons_and_needs_a_rate(made, last):
    panel, _ = made
    how = {**HOW, "horizon": None, "annual_discount_rate": 0.5}
    model = MarkovCLVEstimator(STATES, by={"season": "52W"}, **how).fit(panel)
    np.testing.assert_allclose(model.predict(last), model.predict(last, horizon="3900W"), rtol=1e-9)
    free = MarkovCLVEstimator(STATES, by={"season": "52W"}, **{**how, "annual_discount_rate": 0.0})
    with pytest.raises(ValueError, match="season that goes round needs a discount rate above 0"):
        free.fit(panel).predict(last)


def test_newcomers_are_valued_from_where_the_season_stands(made, model):
    # the panel ends before the high season: eight weeks then bring more than eight on average
    soon = model.value_of_new_customer(horizon="8W")
    face = np.eye(CYCLE)
    values = face @ model._rolled_values("8W") @ model.entry_
    assert soon == pytest.approx(values[(made[0]["period"].max()) % CYCLE])
    assert soon > values.mean()


def test_a_season_goes_through_json(model, last):
    copy = MarkovCLVEstimator.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_array_equal(copy.predict(last), model.predict(last))
    np.testing.assert_array_equal(
        copy.predict_interval(last, kind="parameter", n_draws=5),
        model.predict_interval(last, kind="parameter", n_draws=5),
    )


def test_columns_that_do_not_go_round_are_refused_by_name(made):
    panel, _ = made
    with pytest.raises(DataContractError, match=r"'who' does not repeat every 13 periods"):
        MarkovCLVEstimator(STATES, by={"who": "52W"}, **HOW).fit(panel)
    with pytest.raises(ValueError, match=r"whole number of periods.*13\.0446"):
        MarkovCLVEstimator(STATES, by={"season": "1Y"}, **HOW).fit(panel)
    with pytest.raises(ValueError, match="length of its cycle"):
        MarkovCLVEstimator(STATES, by=["season"], **HOW).fit(panel)
    short = panel[panel["period"] < 9]
    short.attrs = panel.attrs
    with pytest.raises(DataContractError, match="covers 9 of the 13 periods"):
        MarkovCLVEstimator(STATES, by={"season": "52W"}, **HOW).fit(short)


def test_by_state_chances_of_an_order_depend_on_the_level(made, last):
    panel, _ = made
    busy = (panel["who"] % 2 == 0) & (panel["orders"] > 0)
    kept = panel[busy | (panel["who"] % 2 == 1)]
    kept.attrs = panel.attrs
    # who is even is only seen in periods with an order: no move without one
    channel = with_column(kept, "channel", kept["who"] % 2)
    how = {**HOW, "gaps": "skip"}
    model = MarkovCLVEstimator(STATES, by="channel", **how).fit(channel)
    rows = channel.groupby("who").tail(1)
    chance = model.predict_proba_any(rows, horizon="4W")
    even = (rows["who"] % 2 == 0).to_numpy()
    plain = MarkovCLVEstimator(STATES, **how).fit(channel).predict_proba_any(rows, horizon="4W")
    assert chance[even].mean() > plain[even].mean() + 0.1
    assert chance[~even].mean() < plain[~even].mean()
