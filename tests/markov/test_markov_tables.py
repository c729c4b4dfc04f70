from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataContractError, NotSupportedError
from custvalue.markov import MarkovCLVEstimator, PanelStates

HOW = {"money": "state", "transitions": "counts", "horizon": "24W", "margin": 0.3}
STATES = PanelStates(recency_max=4, frequency_classes=3, monetary_classes=1)


@pytest.fixture(scope="module")
def model(history):
    return MarkovCLVEstimator(STATES, **HOW).fit(history)


@pytest.fixture(scope="module")
def aged(history):
    return MarkovCLVEstimator(STATES, by="age", **HOW).fit(history)


def changed(history, **columns):
    out = history.assign(**columns)
    out.attrs = history.attrs
    return out


def test_waiting_times_are_those_of_simulated_customers(model):
    table = model.waiting_table(silent=3)
    paths = model.chain_.simulate(np.zeros(4000, dtype=int), 400, random_state=0)
    recency = np.asarray([state[0] for state in model.chain_.states])[paths[:, 1:]]
    back = (recency == 0).argmax(axis=1) + 1
    quiet = (recency >= 3).argmax(axis=1) + 1
    assert back.mean() == pytest.approx(table["to_order"][0], rel=0.06)
    assert quiet.mean() == pytest.approx(table["to_silence"][0], rel=0.06)
    silent = np.asarray([state[0] >= 3 for state in table["state"]])
    assert np.all(table["to_silence"][silent] == 0.0)
    assert np.all(model.waiting_table()["to_silence"] >= table["to_silence"] - 1e-9)
    names = [state for state in model.chain_.states if state[0] >= 3]
    pd.testing.assert_frame_equal(model.waiting_table(silent=names), table)


def test_long_run_shares_and_visits_are_those_of_the_chain(history, model):
    table = model.long_run_table()
    np.testing.assert_allclose(table["long_run"], model.chain_.stationary())
    assert table["now"].sum() == pytest.approx(1.0)
    gone = changed(history, stage=np.where(history["silence"] >= 6, 2, history["silence"] > 0))
    once = MarkovCLVEstimator(["stage"], smoothing=0.0, **HOW)
    first_gone = gone.groupby("customer_id")["stage"].cummax() == 2
    gone["stage"] = np.where(first_gone, 2, gone["stage"])
    chain = once.set_params(absorbing=[2]).fit(gone)
    visits = chain.visits_table()
    assert set(visits["from"]) == {0, 1}
    wait = chain.waiting_table(silent=[2])["to_silence"]
    total = visits.groupby("from")["visits"].sum()
    np.testing.assert_allclose(total, wait[:2])
    assert chain.transition_table().query("`from` == 2")["to"].tolist() == [2]


def test_tables_say_which_chain_they_show(aged, history):
    assert aged.chain_at() is aged.chain_
    young, old = aged.chain_at(0), aged.chain_at(9)
    assert young != old
    for at in (0, 9):
        table = aged.transition_table(at=at)
        np.testing.assert_allclose(table.groupby("from")["probability"].sum(), 1.0)
        chain = aged.chain_at(at)
        row = table.iloc[3]
        here = chain.position(row["from"]), chain.position(row["to"])
        assert row["probability"] == chain.matrix[here]
    rows = history[history["age"] == 3]
    values = aged.state_table(at=3, n_draws=50).set_index("state")["value"]
    states = [tuple(row) for row in STATES.fit_transform(history)[history["age"] == 3].tolist()]
    np.testing.assert_allclose(aged.predict(rows), values[states])
    assert aged.waiting_table(at=0)["to_order"][0] != aged.waiting_table(at=9)["to_order"][0]
    low, high = (aged.state_table(at=3, n_draws=50)[c] for c in ("lower", "upper"))
    assert np.mean((low <= values.to_numpy()) & (values.to_numpy() <= high)) > 0.8


def test_what_a_table_cannot_say_is_refused(model):
    for call in (model.chain_at, lambda at: model.state_table(at=at)):
        with pytest.raises(ValueError, match="no by="):
            call(3)
    with pytest.raises(ValueError, match="between 1 and 4"):
        model.waiting_table(silent=9)
    with pytest.raises(ValueError, match="do not exist"):
        model.waiting_table(silent=["gone"])
    X, y = [[0], [1], [0], [0], [1]], [0.0, 5.0, 0.0, 0.0, 5.0]
    bare = MarkovCLVEstimator(transitions="counts", horizon=2).fit(X, y)
    with pytest.raises(NotSupportedError, match="silent="):
        bare.waiting_table()
    assert list(bare.waiting_table(silent=0)) == ["state", "to_silence"]


def test_profit_of_each_move_stands_in_the_table_of_moves(history):
    model = MarkovCLVEstimator(STATES, reward_by="transition", **HOW).fit(history)
    table = model.transition_table()
    mean = (table["probability"] * table["profit"]).groupby(table["from"]).sum()
    np.testing.assert_allclose(mean, model.reward_)


def test_counts_without_levels_do_not_make_a_chain_with_levels(aged, model, history):
    with pytest.raises(NotSupportedError, match="level of 'age'"):
        aged.with_counts(aged.count(history))
    small = MarkovCLVEstimator(PanelStates(recency_max=1), **HOW).fit(history)
    with pytest.raises(ValueError, match="do not fit a chain"):
        small.with_counts(model.counts_)


def test_the_score_compares_a_row_with_what_came_after_it():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (400, 1))
    y = np.r_[0.0, 10.0 * X[:-1, 0]]  # state 1 pays in the period after
    groups = np.repeat(np.arange(20), 20)
    y[::20] = 7.0  # a first period's reward is nobody's future
    how = {"transitions": "counts", "smoothing": 0.0, "annual_discount_rate": 0.0}
    model = MarkovCLVEstimator(horizon=1, **how).fit(X, y, groups=groups)
    assert model.score(X, y, groups=groups) == pytest.approx(1.0)
    assert model.score(X, y, groups=groups, sample_weight=np.ones(400)) == pytest.approx(1.0)
    two = MarkovCLVEstimator(horizon=2, contact_cost=1.0, **how).fit(X, y, groups=groups)
    assert 0.3 < two.score(X, y, groups=groups) < 0.8  # the next state is a coin
    with pytest.raises(ValueError, match="have 30 periods"):
        MarkovCLVEstimator(horizon=30, **how).fit(X, y, groups=groups).score(X, y, groups=groups)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"period": 0.5}, "'period' has values that are not whole numbers"),
        ({"profit": np.nan}, r"'profit' has missing.*first: 0, 1"),
        ({"silence": -1}, "'silence' has values below 0"),
        ({"n_orders": 0}, "'n_orders' has values below 1"),
        ({"customer_id": np.nan}, "rows have no customer"),
    ],
)
def test_columns_that_cannot_be_are_refused_by_name_and_row(history, columns, words):
    with pytest.raises(DataContractError, match=words):
        MarkovCLVEstimator(horizon="24W").fit(changed(history, **columns))


def test_other_input_that_cannot_be_is_refused_with_its_cure(history, last):
    y = np.ones(len(history))
    y[5] = np.nan
    with pytest.raises(DataContractError, match=r"y has missing.*first: 5"):
        MarkovCLVEstimator(**HOW).fit(history, y)
    for rows in (history.iloc[:0], history.drop(columns="silence")):
        rows.attrs = history.attrs
        with pytest.raises(DataContractError, match=r"no rows|no column 'silence'"):
            MarkovCLVEstimator(**HOW).fit(rows)
    with pytest.raises(DataContractError, match="no column 'nope'"):
        MarkovCLVEstimator(["nope"], **HOW).fit(history)
    with pytest.raises(ValueError, match=r"annual_discount_rate above 0.*Give a horizon"):
        MarkovCLVEstimator(annual_discount_rate=0.0).fit(history).predict(last)
    with pytest.raises(ValueError, match=r"absorbing .*\(\d+ moves\)"):
        MarkovCLVEstimator(absorbing=[(0, 0, 0)], **HOW).fit(history)
    with pytest.raises(ValueError, match="absorbing names states"):
        MarkovCLVEstimator(absorbing=["gone"], **HOW).fit(history)
    for bad in ({"margin": np.nan}, {"contact_cost": np.inf}):
        with pytest.raises(ValueError, match="must be finite"):
            MarkovCLVEstimator(**{**HOW, **bad}).fit(history)
    fitted = MarkovCLVEstimator(STATES, **HOW).fit(history)
    with pytest.raises(ValueError, match="n_draws=0"):
        fitted.draw_state_values(0)
    with pytest.raises(ValueError, match="numbers of customers"):
        fitted.customer_equity(last, acquired=[-1])
