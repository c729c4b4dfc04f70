from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV, GroupKFold

import custvalue as cv
from custvalue.markov import MarkovCLVEstimator, PanelStates, TransitionCounts
from custvalue.markov._estimate import evidence, fit_concentration, mix_rows, pooled_moves
from custvalue.markov._states import StateList
from custvalue.purchase import NBD


def simulated_log(n=2000, periods=12, seed=1):
    """Orders of NBD x Gamma-Gamma customers who all come in the first four weeks."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.8, 1 / 3.0, n)
    nu = rng.gamma(4.0, 1 / 15.0, n)
    born = rng.uniform(0, 4, n)
    who, when, paid = [], [], []
    for c in range(n):
        later = born[c] + rng.uniform(
            0, periods - born[c], rng.poisson(rate[c] * (periods - born[c]))
        )
        times = np.append(born[c], later)
        who.append(np.full(len(times), c))
        when.append(times)
        paid.append(rng.gamma(6.0, 1 / nu[c], len(times)))
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        np.floor(np.concatenate(when) * 7).astype(int), unit="D"
    )
    return pd.DataFrame(
        {"who": np.concatenate(who), "day": days, "paid": np.concatenate(paid)}
    ), pd.Timestamp("2020-01-01") + pd.Timedelta(days=7 * periods - 1)


@pytest.fixture(scope="module")
def simulated():
    log, end = simulated_log()
    return cv.panel(log, customer="who", time="day", amount="paid", as_of=end, period="1W")


@pytest.fixture(scope="module")
def few(simulated):
    some = simulated[simulated["who"] < 300]
    some.attrs = simulated.attrs
    return some


def test_the_laws_matrix_is_what_their_simulated_customers_do(simulated):
    counts = MarkovCLVEstimator(
        PanelStates(recency_max=6), transitions="counts", money="state", smoothing=0.0
    ).fit(simulated)
    bayes = MarkovCLVEstimator(
        PanelStates(recency_max=6), transitions="bayes", money="state", purchases=NBD()
    ).fit(simulated)
    where = {s: i for i, s in enumerate(bayes.chain_.states)}
    n = counts.counts_.n_out
    for i, state in enumerate(counts.chain_.states):
        if n[i] < 600:
            continue
        there = dict(zip(counts.chain_.states, counts.chain_.dense()[i], strict=True))
        law = bayes.chain_.dense()[where[state]]
        for other, p in there.items():
            assert law[where[other]] == pytest.approx(p, abs=0.05), (state, other)
        assert bayes.reward_[where[state]] == pytest.approx(counts.reward_[i], rel=0.35)


def test_shrunk_lies_between_counts_and_laws_and_reaches_both():
    rng = np.random.default_rng(2)
    states = StateList(np.arange(4)[:, None])
    counts = TransitionCounts.of(rng.integers(0, 4, 500), rng.integers(0, 4, 500), n_states=4)
    prior = pooled_moves(counts, states)
    plain = mix_rows(counts, prior, 0.0).toarray()
    np.testing.assert_allclose(plain, counts.moves.toarray() / counts.n_out[:, None])
    np.testing.assert_allclose(mix_rows(counts, prior, 1e-9).toarray(), plain, atol=1e-9)
    np.testing.assert_allclose(
        mix_rows(counts, prior, 1e12).toarray(),
        mix_rows(counts, prior, np.inf).toarray(),
        atol=1e-9,
    )


def test_the_evidence_finds_the_concentration_that_made_the_rows():
    rng = np.random.default_rng(3)
    n, moves, true = 60, 400, 30.0
    centre = rng.dirichlet(np.ones(5))
    rows = rng.dirichlet(true * centre, n)
    cells = np.zeros((n, n))
    for i in range(n):
        cells[i, :5] = rng.multinomial(moves, rows[i])
    i, j = np.nonzero(cells)
    counts = TransitionCounts.of(
        np.repeat(i, cells[i, j].astype(int)), np.repeat(j, cells[i, j].astype(int)), n_states=n
    )
    prior_dense = np.zeros((n, n))
    prior_dense[:, :5] = centre
    prior = type(counts.moves)(prior_dense)
    found = fit_concentration([counts], prior)
    assert 15 < found < 60
    assert evidence(counts, prior, found) >= evidence(counts, prior, 2 * found)
    assert evidence(counts, prior, found) >= evidence(counts, prior, found / 2)


def test_age_brings_the_decay_of_a_cohort_into_the_forecast(cdnow_sample):
    history = cv.panel(
        cdnow_sample,
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        period="2W",
    )
    last = history.groupby("customer_id").tail(1)
    how = {"money": "state", "transitions": "counts", "horizon": "39W", "annual_discount_rate": 0.0}
    states = PanelStates(recency_max=15)
    plain = MarkovCLVEstimator(states, **how).fit(history).predict(last).sum()
    aged = MarkovCLVEstimator(states, by="age", **how).fit(history)
    value = aged.predict(last).sum()
    later = cdnow_sample[
        (cdnow_sample["date"] > "1997-09-30") & (cdnow_sample["date"] <= "1998-06-30")
    ]
    came = later["amount"].sum()
    assert abs(value - came) < abs(plain - came)
    ever = MarkovCLVEstimator(states, by="age", money="state", transitions="counts").fit(history)
    assert ever.predict(last).sum() == pytest.approx(
        ever.predict(last, horizon="5200W").sum(), rel=1e-3
    )


def test_a_column_that_says_nothing_changes_little_and_an_unseen_value_is_refused(simulated):
    frame = simulated.assign(channel=simulated["who"] % 2)
    frame.attrs = simulated.attrs
    last = frame.groupby("who").tail(1)
    plain = MarkovCLVEstimator(money="state", transitions="counts", horizon="8W").fit(frame)
    split = MarkovCLVEstimator(money="state", transitions="counts", horizon="8W", by="channel").fit(
        frame
    )
    assert split.predict(last).sum() == pytest.approx(plain.predict(last).sum(), rel=0.05)
    with pytest.raises(ValueError, match="did not see"):
        split.predict(last.assign(channel=7))


def test_contact_costs_and_margins_come_off_the_value(few):
    last = few.groupby("who").tail(1)
    base = MarkovCLVEstimator(horizon="8W", annual_discount_rate=0.0, margin=0.5).fit(few)
    paid = clone(base).set_params(contact_cost=0.25).fit(few)
    np.testing.assert_allclose(base.predict(last) - paid.predict(last), 8 * 0.25)
    state = next(iter(base.chain_.states))
    by_state = MarkovCLVEstimator(
        money="state", horizon="8W", margin=0.5, contact_cost={state: 1.0}
    ).fit(few)
    free = MarkovCLVEstimator(money="state", horizon="8W", margin=0.5).fit(few)
    assert np.all(by_state.state_values() <= free.state_values() + 1e-12)
    with pytest.raises(ValueError, match="do not exist"):
        MarkovCLVEstimator(money="state", contact_cost={"nobody": 1.0}).fit(few)
    column = few.assign(share=0.5)
    column.attrs = few.attrs
    own = MarkovCLVEstimator(horizon="8W", annual_discount_rate=0.0, margin="share").fit(column)
    np.testing.assert_allclose(own.predict(column.groupby("who").tail(1)), base.predict(last))


def test_a_margin_by_state_is_put_on_the_state_the_period_begins_in(few):
    how = {"money": "state", "horizon": "8W"}
    for transitions in ("counts", "shrunk"):
        whole = MarkovCLVEstimator(transitions=transitions, margin=1.0, **how).fit(few)
        states = whole.chain_.states
        same = MarkovCLVEstimator(transitions=transitions, margin=dict.fromkeys(states, 0.5), **how)
        np.testing.assert_allclose(same.fit(few).reward_, 0.5 * whole.reward_)
        share = {state: 0.1 * (k % 7) for k, state in enumerate(states)}
        own = MarkovCLVEstimator(transitions=transitions, margin=share, **how).fit(few)
        assert np.all(own.reward_[::7] == 0.0)
        np.testing.assert_allclose(own.counts_.money, whole.counts_.money * list(share.values()))
        again = own.count(few)
        np.testing.assert_allclose(again.money, own.counts_.money)


def test_a_state_without_a_margin_keeps_the_panels_profit(few):
    how = {"money": "state", "horizon": "8W", "transitions": "counts"}
    plain = MarkovCLVEstimator(**how).fit(few)
    first = plain.chain_.states[0]
    none = MarkovCLVEstimator(margin={first: 0.0}, **how).fit(few)
    assert none.reward_[0] == 0.0
    np.testing.assert_allclose(none.counts_.money[1:], plain.counts_.money[1:])
    with pytest.raises(ValueError, match="margin names states that do not exist"):
        MarkovCLVEstimator(margin={"nobody": 0.1}, **how).fit(few)
    with pytest.raises(ValueError, match="margin by state needs"):
        MarkovCLVEstimator(money="factored", margin={first: 0.1}).fit(few)


def test_profit_by_move_is_that_of_the_orders_and_gives_the_value(few):
    how = {"money": "state", "horizon": "8W", "margin": 0.5}
    model = MarkovCLVEstimator(reward_by="transition", **how).fit(few)
    silent = [state[0] > 0 for state in model.chain_.states]
    profit = model.reward_matrix_.toarray()
    assert np.all(profit[:, silent] == 0.0)
    assert profit.max() > 0.0
    delta = model._delta()
    value = model.chain_.value(profit, horizon=8, discount_rate=1 / delta - 1, timing="end")
    np.testing.assert_allclose(model.state_values(), value)
    raw = {"transitions": "counts", "smoothing": 0.0, **how}
    by_move = MarkovCLVEstimator(reward_by="transition", **raw).fit(few)
    by_state = MarkovCLVEstimator(**raw).fit(few)
    seen = by_state.counts_.n_out
    assert seen @ by_move.reward_ == pytest.approx(by_state.counts_.money.sum(), rel=0.05)
    whole = by_move.count(few) + by_move.count(few)
    doubled = by_move.with_counts(whole).reward_matrix_
    np.testing.assert_allclose(doubled.sum(), by_move.reward_matrix_.sum(), rtol=0.3)
    copy = MarkovCLVEstimator.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_array_equal(copy.reward_matrix_.toarray(), profit)
    for bad in ({"reward_by": "day"}, {"reward_by": "transition", "money": "auto"}):
        with pytest.raises(ValueError, match="reward_by="):
            MarkovCLVEstimator(**bad).fit(few)


def test_unseen_states_get_finite_values(few):
    model = MarkovCLVEstimator(money="state", horizon="8W").fit(few)
    strange = few.tail(1).assign(silence=400, n_orders=900, mean_value=1e9)
    assert np.all(np.isfinite(model.predict(strange)))


def test_clusters_can_be_states(simulated):
    numbers = simulated[["silence", "n_orders", "mean_value"]].to_numpy(dtype=float)
    model = MarkovCLVEstimator(
        KMeans(6, n_init=1, random_state=0), horizon=8, smoothing=0.0, transitions="counts"
    ).fit(numbers, simulated["profit"].to_numpy(), groups=simulated["who"].to_numpy())
    assert model.chain_.n_states == 6
    assert np.all(np.isfinite(model.predict(numbers)))


def test_the_number_of_classes_can_be_searched_by_customers(simulated):
    X = simulated[["silence", "n_orders", "mean_value"]].to_numpy(dtype=float)
    y = simulated["profit"].to_numpy()
    search = GridSearchCV(
        MarkovCLVEstimator(PanelStates(), horizon=4, transitions="counts"),
        {"states__monetary_classes": [1, 3]},
        cv=GroupKFold(3),
    )
    search.fit(X, y, groups=simulated["who"].to_numpy())
    assert search.best_params_["states__monetary_classes"] in (1, 3)


def test_a_fitted_estimator_survives_pickle_and_holds_no_rows(simulated):
    model = MarkovCLVEstimator(horizon="8W").fit(simulated)
    last = simulated.groupby("who").tail(1)
    blob = pickle.dumps(model)
    np.testing.assert_allclose(pickle.loads(blob).predict(last), model.predict(last))
    fewer = simulated[simulated["who"] < 500]
    fewer.attrs = simulated.attrs
    small = pickle.dumps(MarkovCLVEstimator(horizon="8W").fit(fewer))
    assert len(blob) < 1.5 * len(small)


def test_the_correction_finds_customers_who_differ_by_cohort():
    log, end = simulated_log(1500, seed=4)
    # every second customer of the later half never comes back
    first = log.groupby("who")["day"].transform("min")
    late = (first > log["day"].min() + pd.Timedelta(days=14)) & (log["day"] > first)
    thin = log[~(late & (log["who"] % 2 == 0))]
    panel = cv.panel(thin, customer="who", time="day", amount="paid", as_of=end, period="1W")
    model = MarkovCLVEstimator(correct_by=("orders", "cohort"), horizon="8W").fit(panel)
    assert model.forecast_.chain.correction.cohort < -0.3
    assert model.fit_report()["money"] == "factored"
    plain = MarkovCLVEstimator(horizon="8W").fit(panel)
    assert plain.forecast_.chain.correction.cohort == 0.0


def test_parameters_out_of_range_are_refused(few):
    for bad, words in (
        ({"transitions": "guess"}, "transitions="),
        ({"money": "cash"}, "money="),
        ({"smoothing": -1.0}, "smoothing="),
        ({"correct_by": ("weather",)}, "correct_by="),
        ({"money": "factored", "transitions": "counts"}, "purchase law"),
        ({"money": "factored", "contact_cost": {(0, 0, 0): 1.0}}, "contact_cost by state"),
        ({"by": "age"}, "money='state'"),
    ):
        with pytest.raises(ValueError, match=words):
            MarkovCLVEstimator(**bad).fit(few)


def test_a_chain_of_many_states_stays_sparse_and_has_tables():
    rng = np.random.default_rng(6)
    n, periods = 600, 60
    buys = rng.random((n, periods)) < rng.beta(0.8, 6.0, n)[:, None]
    buys[:, 0] = True
    at = np.arange(periods)[None, :]
    silence = at - np.maximum.accumulate(np.where(buys, at, 0), axis=1)
    orders = buys.cumsum(axis=1)
    money = rng.gamma(2.0, 10.0, (n, periods)) * buys
    mean = money.cumsum(axis=1) / orders
    X = np.column_stack([silence.ravel(), orders.ravel(), mean.ravel()])
    states = PanelStates(recency_max=40, frequency_classes=5, monetary_classes=10)
    model = MarkovCLVEstimator(states).fit(
        X, money.ravel(), groups=np.repeat(np.arange(n), periods)
    )
    assert model.chain_.is_sparse
    assert model.chain_.n_states > 800
    assert np.all(np.isfinite(model.predict(X[::periods])))
    table = model.transition_table()
    np.testing.assert_allclose(table.groupby("from")["probability"].sum(), 1.0)
    draws = model.draw_state_values(5, random_state=0)
    assert np.all(np.isfinite(draws))
