from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import NotSupportedError
from custvalue.markov import Chain, MarkovCLVEstimator, PanelStates
from custvalue.markov._shock import shared_shock
from custvalue.purchase import NBD
from custvalue.spend import GammaGamma

NAMES = {"customer": "who", "time": "day", "amount": "paid"}
START = pd.Timestamp("2020-01-06")


def orders_of_nbd(seed, n=200, weeks=40, ahead=24):
    """What was known after ``weeks``, and what each customer spent in the weeks after."""
    rng = np.random.default_rng(seed)
    born = rng.uniform(0, 12, n)
    count = rng.poisson(rng.gamma(0.8, 1 / 10.0, n) * (weeks + ahead - born))
    who = np.repeat(np.arange(n), count)
    when = born[who] + rng.random(len(who)) * (weeks + ahead - born[who])
    who, when = np.r_[np.arange(n), who], np.r_[born, when]
    paid = rng.gamma(6.0, 1 / rng.gamma(6.0, 1 / 25.0, n)[who])
    log = pd.DataFrame(
        {"who": who, "day": START + pd.to_timedelta(np.floor(when * 7), unit="D"), "paid": paid}
    )
    end = START + pd.Timedelta(days=7 * weeks - 1)
    spent = log[log["day"] > end].groupby("who")["paid"].sum().reindex(range(n)).fillna(0.0)
    return cv.panel(log, as_of=end, period="4W", **NAMES), spent.to_numpy()


@pytest.fixture(scope="module")
def history(cdnow_sample):
    return cv.panel(
        cdnow_sample[cdnow_sample["customer_id"] % 3 == 0],
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        period="4W",
    )


@pytest.fixture(scope="module")
def factored(history):
    return MarkovCLVEstimator(horizon="24W", margin=0.3, spend=GammaGamma()).fit(history)


@pytest.fixture(scope="module")
def by_state(history):
    return MarkovCLVEstimator(horizon="24W", margin=0.3, money="state").fit(history)


@pytest.fixture(params=["factored", "by_state"])
def model(request):
    return request.getfixturevalue(request.param)


def test_totals_fall_into_their_interval_as_often_as_stated_and_outcomes_alone_do_not_suffice():
    error, stated, outcome = [], [], []
    for seed in range(20):
        known, spent = orders_of_nbd(seed)
        model = MarkovCLVEstimator(purchases=NBD(), horizon="24W", annual_discount_rate=0.0)
        rows = known.groupby("who").tail(1)
        total = model.fit(known).predict_total(rows).iloc[0]
        error.append(spent.sum() - total["value"])
        stated.append(np.hypot(total["parameter_error"], total["outcome_sd"]))
        outcome.append(total["outcome_sd"])
    z = np.asarray(error) / stated
    assert abs(z.mean()) < 0.7
    assert 0.7 < np.sqrt((z**2).mean()) < 1.35
    assert np.sqrt(np.mean((np.asarray(error) / outcome) ** 2)) > 1.1 * np.sqrt((z**2).mean())


def test_the_interval_of_the_estimate_holds_the_value_and_widens_with_the_level(model, last):
    value = model.predict(last)
    narrow = model.predict_interval(last, kind="parameter", level=0.5)
    wide = model.predict_interval(last, kind="parameter", level=0.95)
    assert np.mean((wide[:, 0] <= value) & (value <= wide[:, 1])) > 0.97
    assert np.all(wide[:, 0] <= narrow[:, 0])
    assert np.all(narrow[:, 1] <= wide[:, 1])
    # the mean is known better than what one customer will do
    outcome = model.predict_interval(last, level=0.95)
    assert np.median(np.diff(wide)) < 0.5 * np.median(np.diff(outcome))


def test_the_error_of_the_estimate_falls_with_the_customers(cdnow_sample, factored, last):
    whole = cv.panel(
        cdnow_sample, customer="customer_id", time="date", amount="amount",
        as_of="1997-09-30", period="4W",
    )  # fmt: skip
    many = MarkovCLVEstimator(horizon="24W", margin=0.3, spend=GammaGamma()).fit(whole)
    few = np.log(factored.predict_interval(last, kind="parameter"))
    more = np.log(many.predict_interval(last, kind="parameter"))
    ratio = np.median(np.diff(more)) / np.median(np.diff(few))
    assert 0.4 < ratio < 0.9  # 1 / sqrt(3), the shocks of periods kept


def test_draws_of_a_total_have_its_value_and_error_and_add_up_over_groups(model, last):
    group = last["customer_id"].to_numpy() % 2
    table = model.predict_total(last, by=group, n_draws=400)
    draws = model.draw_totals(last, 400, by=group, random_state=1)
    assert draws.shape == (400, 2)
    np.testing.assert_allclose(draws.mean(axis=0), table["value"], rtol=0.05)
    np.testing.assert_allclose(draws.std(axis=0), table["parameter_error"], rtol=0.25)
    assert table["customers"].sum() == len(last)
    assert table["value"].sum() == pytest.approx(model.predict(last).sum())
    # shared errors do not average out over groups, outcomes do
    whole = model.predict_total(last, n_draws=400).iloc[0]
    assert whole["parameter_error"] == pytest.approx(table["parameter_error"].sum(), rel=0.25)
    assert whole["outcome_sd"] < 0.95 * table["outcome_sd"].sum()
    np.testing.assert_allclose(
        model.predict_interval(last, kind="group", n_draws=400), whole[["lower", "upper"]]
    )


def test_a_law_of_spend_adds_its_own_error(history, last, factored):
    plain = MarkovCLVEstimator(horizon="24W", margin=0.3).fit(history)
    own, priced = (
        np.diff(np.log(m.predict_interval(last, kind="parameter"))).ravel()
        for m in (plain, factored)
    )
    assert np.all(priced > own)


def test_contact_costs_move_intervals_and_do_not_widen_them(history, last):
    for money in ("auto", "state"):
        how = {"horizon": "24W", "margin": 0.3, "money": money, "annual_discount_rate": 0.0}
        free = MarkovCLVEstimator(**how).fit(history)
        paid = MarkovCLVEstimator(contact_cost=0.5, **how).fit(history)
        for kind in ("customer", "parameter"):
            np.testing.assert_allclose(
                paid.predict_interval(last, kind=kind),
                free.predict_interval(last, kind=kind) - 6 * 0.5,
                atol=1e-9,
            )


def test_between_whole_periods_intervals_lie_between_theirs(model, last):
    some = last.head(50)
    low, middle, high = (model._moments(some, model._periods(span)) for span in ("4W", "6W", "8W"))
    np.testing.assert_allclose(middle[0], (low[0] + high[0]) / 2)
    np.testing.assert_allclose(middle[0], model.predict(some, horizon="6W"))
    assert np.all((low[2] >= middle[2]) & (middle[2] >= high[2]))
    assert np.all(model.predict_interval(some, horizon="0W") == 0.0)


def test_money_that_comes_with_the_move_varies_as_simulated_customers_do(history):
    how = {"money": "state", "horizon": "24W", "annual_discount_rate": 0.0}
    states = PanelStates(recency_max=6, frequency_classes=3, monetary_classes=2)
    model = MarkovCLVEstimator(states, reward_by="transition", **how).fit(history)
    paid = model.reward_matrix_.toarray()
    n, start = 20_000, int(np.argmax(model.reward_))
    paths = model.chain_.simulate(np.full(n, start), 6, random_state=0)
    earned = paid[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    roll = model._roll()
    mean, variance = roll.moments(6, 1.0, (model.reward_matrix_,), (np.zeros(len(paid)),))
    assert earned.mean() == pytest.approx(mean[0, start], rel=0.05)
    assert earned.var() == pytest.approx(variance[0, start], rel=0.08)
    # as a mean by state the same money would vary less: an order brings more orders
    _, blunt = roll.moments(6, 1.0, (model.reward_,), model._paid_by_level(roll, 0.0)[1])
    assert blunt[0, start] < variance[0, start]
    row = history.groupby("customer_id").tail(1).head(1)
    wide = model.predict_interval(row, level=0.95)
    assert wide[0, 0] <= model.predict(row)[0] <= wide[0, 1]


def test_a_state_that_nobody_left_is_as_unsure_as_its_prior_not_as_one_customer(by_state):
    never = by_state.counts_.n_out == 0
    assert never.any()
    error = by_state._reward_error()
    one_customer = np.sqrt(by_state.counts_.money_squared.sum() / by_state.counts_.n_moves)
    assert np.all(error[never] < 0.3 * one_customer)
    busy = by_state.counts_.n_out > 300
    assert np.all(error[busy] <= error[never].max())


def test_shocks_are_what_periods_vary_beyond_their_customers():
    rng = np.random.default_rng(0)
    period = np.repeat(np.arange(200), 400)
    expected = rng.gamma(2.0, 0.5, len(period))
    calm = rng.poisson(expected).astype(float)
    assert shared_shock(period, calm, expected, expected).period < 0.03
    stirred = rng.poisson(expected * np.exp(0.2 * rng.standard_normal(200))[period]).astype(float)
    shock = shared_shock(period, stirred, expected, expected)
    assert shock.period == pytest.approx(0.2, abs=0.04)
    assert shock.level == pytest.approx(shock.period / np.sqrt(200), rel=0.05)
    assert shock.ahead(np.ones(4)) == pytest.approx(shock.period / 2)
    assert shared_shock(period * 0, stirred, expected, expected).period == 0.0


def test_a_law_that_knows_no_errors_has_no_interval_of_the_estimate(history, last):
    class Bare(NBD):
        def fit_report(self):
            raise ValueError("no report")

    model = MarkovCLVEstimator(purchases=Bare(), horizon="24W").fit(history)
    assert np.all(np.isfinite(model.predict_interval(last)))
    with pytest.raises(NotSupportedError, match="Bare does not say how sure"):
        model.predict_interval(last, kind="parameter")
    with pytest.raises(ValueError, match="by has shape"):
        model.predict_total(last, by=[1, 2])
    with pytest.raises(ValueError, match="finite horizon"):
        MarkovCLVEstimator().fit(history).predict_total(last)


def test_a_chain_of_moves_and_its_mean_reward_have_the_same_mean():
    chain = Chain(["a", "b"], [[0.5, 0.5], [0.2, 0.8]])
    by_move = np.asarray([[0.0, 4.0], [1.0, 0.0]])
    mean, _ = chain.moments(by_move, horizon=3, discount_rate=0.1)
    np.testing.assert_allclose(mean, chain.value(by_move, horizon=2, discount_rate=0.1))
