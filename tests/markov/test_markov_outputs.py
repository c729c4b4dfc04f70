from __future__ import annotations

import numpy as np
import pytest

import custvalue as cv
from custvalue.exceptions import NotSupportedError
from custvalue.markov import Chain, MarkovCLVEstimator


@pytest.fixture(scope="module")
def history(cdnow_sample):
    return cv.panel(
        cdnow_sample,
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        period="4W",
    )


@pytest.fixture(scope="module")
def factored(history):
    return MarkovCLVEstimator(horizon="24W", margin=0.3).fit(history)


@pytest.fixture(scope="module")
def by_state(history):
    return MarkovCLVEstimator(horizon="24W", margin=0.3, money="state").fit(history)


@pytest.fixture(params=["factored", "by_state"])
def model(request):
    return request.getfixturevalue(request.param)


def test_the_parts_of_the_forecast_add_up_to_its_total(model, last):
    table = model.value_by_period(last)
    assert len(table) == 6
    assert table["cumulative"].iloc[-1] == pytest.approx(model.predict(last).sum(), rel=0.03)


def test_states_after_some_periods_are_chances(model, last):
    chance = model.predict_states(last.head(50), 3)
    assert chance.shape == (50, model.chain_.n_states)
    np.testing.assert_allclose(chance.sum(axis=1), 1.0)


def test_the_table_of_states_counts_every_customer_and_holds_the_value(model, last):
    table = model.state_table(n_draws=100)
    assert table["customers"].sum() == len(last)
    assert ((table["purchase_chance"].dropna() >= 0) & (table["purchase_chance"] <= 1)).any()
    inside = (table["lower"] <= table["value"]) & (table["value"] <= table["upper"])
    assert inside[table["observations"] > 50].mean() > 0.9


def test_the_table_of_moves_has_rows_that_sum_to_one(model):
    table = model.transition_table()
    np.testing.assert_allclose(table.groupby("from")["probability"].sum(), 1.0)
    assert table["count"].sum() == model.counts_.n_moves
    assert (table["standard_error"] >= 0).all()


def test_intervals_hold_their_mean_and_widen_with_the_level(model, last):
    some = last.head(200)
    narrow = model.predict_interval(some, level=0.5)
    wide = model.predict_interval(some, level=0.95)
    assert np.all(wide[:, 1] >= narrow[:, 1])
    assert np.all(narrow[:, 1] >= narrow[:, 0])
    group = model.predict_interval(some, kind="group")
    assert group[0] < model.predict(some).sum() < group[1]


def test_about_the_stated_share_of_customers_falls_into_their_interval(cdnow_sample):
    # forecast the 16 weeks before the as-of date from what was known then
    log = cdnow_sample
    known = cv.panel(
        log, customer="customer_id", time="date", amount="amount", as_of="1997-09-30", period="4W"
    )
    model = MarkovCLVEstimator(annual_discount_rate=0.0).fit(known)
    rows = known.groupby("customer_id").tail(1)
    low, high = model.predict_interval(rows, horizon="16W", level=0.9).T
    later = log[(log["date"] > "1997-09-30") & (log["date"] <= "1998-01-20")]
    spent = later.groupby("customer_id")["amount"].sum()
    came = spent.reindex(rows["customer_id"]).fillna(0).to_numpy()
    assert 0.85 < np.mean((low <= came) & (came <= high)) < 0.99


def test_posterior_draws_are_by_state_and_centre_on_the_value(by_state):
    draws = by_state.draw_state_values(400, random_state=1)
    assert draws.shape == (400, by_state.chain_.n_states)
    busy = by_state.counts_.n_out > 300
    error = draws.std(axis=0) / 20.0
    off = np.abs(draws.mean(axis=0) - by_state.state_values()) / error
    assert np.all(off[busy] < 5.0)


def test_draws_over_an_infinite_horizon_solve_their_own_chain(by_state):
    near = by_state.draw_state_values(20, horizon="5200W", random_state=2)
    by_state_ever = MarkovCLVEstimator(margin=0.3, money="state")
    by_state_ever.__dict__.update({k: v for k, v in vars(by_state).items() if k.endswith("_")})
    ever = by_state_ever.draw_state_values(20, random_state=2)
    np.testing.assert_allclose(near, ever, rtol=2e-3)


def test_equity_is_the_base_and_the_plan(model, last):
    table = model.customer_equity(last, acquired=[10, 10], acquisition_cost=1.0)
    base, new, total = table["value"]
    assert base == pytest.approx(model.predict(last).sum())
    assert total == pytest.approx(base + new)
    one = model.value_of_new_customer()
    delta = model._delta()
    assert new == pytest.approx(10 * (one - 1.0) * (delta + delta**2))


def test_counts_of_partitions_add_up_to_the_counts_of_all(by_state, history):
    ids = history["customer_id"].to_numpy()
    parts = []
    for k in range(3):
        part = history[ids % 3 == k]
        part.attrs = history.attrs
        parts.append(by_state.count(part))
    whole = sum(parts)
    assert (whole.moves != by_state.counts_.moves).nnz == 0
    np.testing.assert_allclose(whole.money, by_state.counts_.money)
    again = by_state.with_counts(whole)
    np.testing.assert_allclose(again.chain_.dense(), by_state.chain_.dense())
    np.testing.assert_allclose(again.state_values(), by_state.state_values())


def test_recency_states_have_order_one_and_a_memory():
    chain = Chain([0, 1, 2], [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4]])
    rng = np.random.default_rng(5)
    paths = chain.simulate(rng.integers(0, 3, 400), 20, random_state=rng)
    X = paths.reshape(-1, 1)
    groups = np.repeat(np.arange(400), 21)
    y = np.ones(len(X))
    model = MarkovCLVEstimator(transitions="counts", horizon=3).fit(X, y, groups=groups)
    tests = model.test_order(X, groups=groups)
    assert tests["0 against 1"].p_value < 1e-6
    assert tests["1 against 2"].p_value > 0.001
    np.testing.assert_allclose(model.chain_.matrix, chain.matrix, atol=0.04)


def test_homogeneity_is_refused_where_periods_differ(by_state, history):
    result = by_state.test_homogeneity(history)
    assert result.df > 0
    assert 0.0 <= result.p_value <= 1.0


def test_the_chance_of_an_order_is_as_often_right_as_it_says(model, history, cdnow_sample):
    last = history.groupby("customer_id").tail(1)
    later = cdnow_sample[
        (cdnow_sample["date"] > "1997-09-30") & (cdnow_sample["date"] <= "1998-01-20")
    ]
    came = last["customer_id"].isin(later["customer_id"].unique()).to_numpy()
    chance = model.predict_proba_any(last, horizon="16W")
    assert np.all((chance >= 0) & (chance <= 1))
    assert chance.mean() == pytest.approx(came.mean(), abs=0.05)
    assert np.mean((chance - came) ** 2) < 0.85 * came.mean() * (1 - came.mean())


def test_the_chance_of_an_order_grows_with_the_horizon_between_periods_too(model, last):
    some = last.head(100)
    spans = ("0W", "4W", "6W", "8W")
    chance = np.stack([model.predict_proba_any(some, horizon=span) for span in spans])
    np.testing.assert_allclose(chance[0], 0.0)
    assert np.all(np.diff(chance, axis=0) > 0)
    np.testing.assert_allclose((1 - chance[1]) * (1 - chance[3]), (1 - chance[2]) ** 2)


def test_an_order_of_the_next_period_is_as_likely_as_the_table_of_states_says(by_state):
    table = by_state.state_table(n_draws=2)
    seen = (table["observations"] > 300).to_numpy()
    chance = 1.0 - by_state._no_order(1)[0]
    np.testing.assert_allclose(chance[seen], table["purchase_chance"][seen], atol=0.03)


def test_a_chance_of_an_order_without_orders_is_refused():
    X, y = [[0], [1], [0], [0], [1]], [0.0, 5.0, 0.0, 0.0, 5.0]
    model = MarkovCLVEstimator(transitions="counts", horizon=3).fit(X, y)
    with pytest.raises(NotSupportedError, match="column 'orders'"):
        model.predict_proba_any(X)
    with pytest.raises(ValueError, match="finite horizon"):
        MarkovCLVEstimator(transitions="counts").fit(X, y).predict_proba_any(X)


def test_a_backtest_scores_the_chances_and_the_intervals(cdnow_sample):
    few = cdnow_sample[cdnow_sample["customer_id"] % 4 == 0]
    result = cv.evaluation.backtest(
        {"chain": MarkovCLVEstimator()},
        few,
        customer="customer_id",
        time="date",
        amount="amount",
        cutoffs=["1997-09-30"],
        horizon="16W",
    )
    scores = result.scores().loc["chain"]
    assert 0.0 < scores["brier"] < 0.2
    assert 0.7 < scores["coverage"] < 1.0
