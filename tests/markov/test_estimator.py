"""MarkovCLVEstimator: one chain whose states decide, read by every table."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline

import custvalue as cv
from custvalue import RFMTransformer
from custvalue.chains import Chain, TransitionCounts
from custvalue.chains._counts import evidence, fit_concentration
from custvalue.chains._state_list import StateList
from custvalue.exceptions import (
    DataContractError,
    DataWarning,
    HorizonError,
    NotSupportedError,
    TimeUnitError,
)
from custvalue.markov import ColumnStates, MarkovCLVEstimator, PanelStates, _clv
from custvalue.markov._rows_of_counts import mix_rows, pooled_moves
from custvalue.purchase import BGNBD, NBD

SMALL = PanelStates(recency_max=4, frequency_classes=3, monetary_classes=1)
X = [[0], [1], [0], [0], [1], [1], [0]]
Y = [0.0, 5.0, 0.0, 0.0, 5.0, 5.0, 0.0]


def changed(history, **columns):
    out = history.assign(**columns)
    out.attrs = history.attrs
    return out


@pytest.fixture(scope="module")
def model(history):
    return MarkovCLVEstimator(horizon="24W", margin=0.3).fit(history)


@pytest.fixture(scope="module")
def counted(history):
    return MarkovCLVEstimator(SMALL, transitions="counts", horizon="24W", margin=0.3).fit(history)


# ---- one truth -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
def test_other_scores_give_other_values(history, last):
    how = {"horizon": "52W", "annual_discount_rate": 0.10, "margin": 0.3}
    found = {}
    for name, steps in {
        "five": [RFMTransformer()],
        "two": [RFMTransformer(n_bins=2)],
        "none": [],
    }.items():
        fitted = make_pipeline(*steps, MarkovCLVEstimator(**how)).fit(history)
        value = fitted.predict(last)
        found[name] = value
        states = fitted[-1].forecast_.states
        rows = fitted[:-1].transform(last) if steps else last
        state = fitted[-1].explain(rows)["state"]
        # customers of one state are worth the same, of different states as a rule not
        assert pd.Series(value).groupby(state.astype(str).to_numpy()).nunique().max() == 1
        assert len(states) > 4
    assert found["five"].std() > 0
    for one, other in (("five", "two"), ("five", "none"), ("two", "none")):
        assert not np.allclose(found[one], found[other], rtol=0.02)


def test_the_documented_default_is_the_default(history, last, model):
    told = MarkovCLVEstimator(PanelStates(), horizon="24W", margin=0.3).fit(history)
    np.testing.assert_array_equal(told.predict(last), model.predict(last))


@pytest.mark.parametrize("which", ["model", "counted"])
def test_the_table_of_states_is_what_predict_says(which, request, last):
    fitted = request.getfixturevalue(which)
    table = fitted.state_table().set_index("state")
    told = fitted.explain(last)
    np.testing.assert_array_equal(told["value"], table.loc[told["state"], "value"])
    assert table["customers"].sum() == len(last)
    total = fitted.predict(last).sum()
    assert (table["value"] * table["customers"]).sum() == pytest.approx(total, rel=1e-12)
    assert fitted.predict_total(last).loc["all", "value"] == pytest.approx(total, rel=1e-12)
    busy = table["observations"] > 300
    moves = fitted.transition_table()
    np.testing.assert_allclose(moves.groupby("from")["probability"].sum(), 1.0)
    assert table.loc[busy, "purchase_chance"].between(0.0, 1.0).all()


def test_the_forecast_cannot_be_changed_and_holds_no_customer(model, history):
    with pytest.raises(FrozenInstanceError):
        model.forecast_.unit = "1W"
    fewer = history[history["customer_id"] % 8 == 0]
    fewer.attrs = history.attrs
    size = [
        len(pickle.dumps(MarkovCLVEstimator(SMALL).fit(rows).forecast_))
        for rows in (fewer, history)
    ]
    assert size[1] < 1.2 * size[0]


# ---- a chain of counts is the textbook's ---------------------------------------------------------


def test_a_chain_of_counts_is_its_shares_and_their_value():
    # moves 0>1, 1>0, 0>0, 0>1, 1>1, 1>0: from each state two thirds leave it
    fitted = MarkovCLVEstimator(transitions="counts", horizon=2).fit(X, Y)
    np.testing.assert_allclose(fitted.chain_.dense(), [[1 / 3, 2 / 3], [2 / 3, 1 / 3]])
    np.testing.assert_allclose(fitted.reward_, [10 / 3, 5 / 3])
    np.testing.assert_allclose(fitted.predict([[0], [1]]), [50 / 9, 40 / 9])


def test_a_chain_of_counts_is_worth_what_chain_value_says(counted, last):
    for timing in ("end", "start"):
        asked = clone(counted).set_params(timing=timing, annual_discount_rate=0.2)
        vars(asked).update({k: v for k, v in vars(counted).items() if k.endswith("_")})
        chain, reward = asked.chain_, asked.reward_
        rate = 1.2 ** (28 / 365.25) - 1.0
        steps = 6 if timing == "end" else 5  # so many rewards at the start of periods
        right = chain.value(reward, horizon=steps, discount_rate=rate, timing=timing)
        place = [chain.position(state) for state in asked.explain(last)["state"]]
        np.testing.assert_allclose(asked.predict(last), right[place])
        ever = chain.value(reward, discount_rate=rate, timing=timing)
        np.testing.assert_allclose(asked.predict(last, "forever"), ever[place])


def test_profit_by_move_is_that_of_the_orders_and_gives_the_value(history, last):
    how = {"horizon": "8W", "margin": 0.5, "timing": "end", "transitions": "counts"}
    by_move = MarkovCLVEstimator(SMALL, reward_by="transition", **how).fit(history)
    moves = by_move.transition_table()
    silent = np.asarray([state[0] > 0 for state in moves["to"]])
    assert np.all(moves["profit"][silent] == 0.0)
    spend = pd.pivot_table(moves, index="from", columns="to", values="spend", fill_value=0.0)
    order = by_move.forecast_.states
    matrix = spend.reindex(index=order, columns=order, fill_value=0.0).to_numpy()
    right = by_move.chain_.value(0.5 * matrix, horizon=2, discount_rate=0.0, timing="end")
    place = [order.index(state) for state in by_move.explain(last)["state"]]
    np.testing.assert_allclose(by_move.predict(last), right[place])
    by_state = MarkovCLVEstimator(SMALL, **how).fit(history)
    seen = by_state.forecast_.observed
    assert seen @ by_move.reward_ == pytest.approx(seen @ by_state.reward_, rel=0.03)


def test_counts_of_partitions_add_up_to_the_fit_of_all(counted, history, last):
    ids = history["customer_id"].to_numpy()
    parts = []
    for k in range(3):
        part = history[ids % 3 == k]
        part.attrs = history.attrs
        parts.append(counted.count(part))
    whole = parts[0].plus(parts[1]).plus(parts[2])
    np.testing.assert_allclose(counted.with_counts(whole).predict(last), counted.predict(last))
    other = MarkovCLVEstimator(PanelStates(recency_max=1), transitions="counts").fit(history)
    with pytest.raises(ValueError, match="do not fit a chain"):
        other.with_counts(whole)


def test_counts_do_not_stand_for_a_law(model, history):
    with pytest.raises(NotSupportedError, match="do not determine the purchase law"):
        model.with_counts(model.count(history))


def test_shrunk_lies_between_counts_and_prior_and_reaches_both():
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


@pytest.mark.parametrize("transitions", ["counts", "shrunk", "bayes"])
def test_the_spread_of_money_by_move_goes_with_where_the_move_leads(history, transitions):
    how = {"reward_by": "transition", "transitions": transitions, "timing": "end"}
    model = MarkovCLVEstimator(SMALL, **how).fit(history)
    forecast, terms = model.forecast_, model.terms("8W")  # two periods
    q1, q0 = (np.asarray(moves.matrix()) for moves in (forecast.on_order, forecast.on_none))
    pay = q1 * 0.0
    begin, to = forecast.on_order.begin, forecast.on_order.to
    for i in range(len(pay)):
        own = slice(begin[i], begin[i + 1])
        pay[i, to[own]] = forecast.on_order.chance[own] * forecast.by_move[1].chance[own]
    there, step = forecast.shares(), forecast.period()
    total, squares = np.zeros((2, len(pay)))
    for k in range(there.shape[1]):
        stays, none = step.order_stays[:, k], step.none_stays[:, k]
        ordered = stays + step.order_goes[:, k]
        once = ordered * pay.sum(axis=1)  # E[Z]
        square = ordered * pay.sum(axis=1) ** 2 * (1.0 + forecast.variation)  # E[Z^2]
        if transitions == "counts":  # told of a period, not of an order
            square = forecast.profit**2 * (1.0 + forecast.variation)
        both = stays * (pay @ once)  # E[Z Z'], Z' of the period after
        mean = once + stays * (q1 @ once) + none * (q0 @ once)
        second = square + 2.0 * both + stays * (q1 @ square) + none * (q0 @ square)
        total += there[:, k] * mean
        squares += there[:, k] * second
    np.testing.assert_allclose(forecast.values(terms), total)
    np.testing.assert_allclose(forecast.variance(terms), squares - total**2, rtol=1e-9)


def test_a_margin_of_money_by_move_is_the_same_told_by_profit_or_by_share(history):
    known = changed(history, profit=0.4 * history["spend"])
    how = {"reward_by": "transition", "transitions": "shrunk"}
    told = MarkovCLVEstimator(SMALL, **how).fit(known)
    by_profit = told.forecast_.variance(told.terms("24W"))
    shares = {}
    for margin in (0.4, 1.0):
        told.set_params(margin=margin)
        shares[margin] = told.forecast_.variance(told.terms("24W"))
    np.testing.assert_allclose(by_profit, shares[0.4])
    np.testing.assert_allclose(shares[0.4], 0.4**2 * shares[1.0])


def test_states_ahead_are_the_powers_of_the_chain():
    fitted = MarkovCLVEstimator(transitions="counts", horizon=2).fit(X, Y)
    P = np.array([[1 / 3, 2 / 3], [2 / 3, 1 / 3]])
    rows = [[1], [0], [1]]
    for periods in (0, 1, 2.0, 5):
        right = np.linalg.matrix_power(P, int(periods))[[1, 0, 1]]
        np.testing.assert_allclose(fitted.predict_states(rows, periods), right, atol=1e-12)
    for wrong in (-1, 1.5):
        with pytest.raises(ValueError, match=f"periods={wrong} must be a whole number, 0 or more"):
            fitted.predict_states(rows, wrong)


def test_states_of_one_first_class_share_their_moves_and_carry_the_change_of_the_others():
    states = StateList(np.array([[0, 0], [0, 1], [1, 0], [1, 1], [1, 2], [2, 0]]))
    # (0, 0) -> (1, 1) three times, (0, 1) -> (0, 1) and (2, 0) -> (0, 0) once; class 1 is not left
    counts = TransitionCounts.of([0, 0, 0, 1, 5], [3, 3, 3, 1, 0], n_states=6)
    pooled = pooled_moves(counts, states).toarray()
    right = np.zeros((6, 6))
    right[0, [3, 0]] = 3 / 4, 1 / 4
    right[1, [4, 1]] = 3 / 4, 1 / 4
    right[2:5, [0, 1, 3]] = 1 / 5, 1 / 5, 3 / 5  # the shares of all arrivals
    right[5, 0] = 1.0
    np.testing.assert_allclose(pooled, right)


def test_the_evidence_finds_the_concentration_that_made_the_rows():
    rng = np.random.default_rng(3)
    n, moves, true = 60, 400, 30.0
    centre = rng.dirichlet(np.ones(5))
    rows = rng.dirichlet(true * centre, n)
    cells = np.zeros((n, n))
    for i in range(n):
        cells[i, :5] = rng.multinomial(moves, rows[i])
    i, j = np.nonzero(cells)
    times = cells[i, j].astype(int)
    counts = TransitionCounts.of(np.repeat(i, times), np.repeat(j, times), n_states=n)
    dense = np.zeros((n, n))
    dense[:, :5] = centre
    prior = type(counts.moves)(dense)
    found = fit_concentration([counts], prior)
    assert 15 < found < 60
    assert evidence(counts, prior, found) >= evidence(counts, prior, 2 * found)
    assert evidence(counts, prior, found) >= evidence(counts, prior, found / 2)


# ---- states of every kind ------------------------------------------------------------------------


def test_states_in_words_keep_their_words(history, last):
    silence = history["silence"]
    words = np.where(silence == 0, "buys", np.where(silence < 3, "quiet", "far"))
    table = changed(history, mood=words)
    fitted = MarkovCLVEstimator(["mood"], horizon="24W").fit(table)
    assert set(fitted.forecast_.states) == {"buys", "quiet", "far"}
    rows = table.groupby("customer_id").tail(1)
    told = fitted.explain(rows)
    assert told.groupby("state")["value"].nunique().max() == 1
    assert told["state"].tolist() == rows["mood"].tolist()
    strange = rows.assign(mood="asleep")
    strange.attrs = rows.attrs
    with pytest.raises(DataContractError, match=r"'mood' has words that were not.*: asleep"):
        fitted.predict(strange)


@pytest.mark.parametrize("unit", ["D", "W", "M"])
def test_a_summary_is_valued_as_the_latest_rows_of_the_panel(cdnow_sample, last, model, unit):
    few = cdnow_sample[cdnow_sample["customer_id"] % 4 == 0]
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    table = cv.summarize(few, **names, as_of="1997-09-30", unit=unit)
    rows = last.set_index("customer_id").loc[table["customer_id"]].reset_index()
    rows.attrs = last.attrs
    np.testing.assert_array_equal(model.predict(table), model.predict(rows))
    told = model.explain(table)
    assert told["customer_id"].tolist() == table["customer_id"].tolist()


def test_a_log_is_fitted_and_valued_without_a_panel_in_hand(cdnow_sample, history, last, model):
    few = cdnow_sample[cdnow_sample["customer_id"] % 4 == 0]
    log = cv.TransactionLog(
        few, customer="customer_id", time="date", amount="amount", as_of="1997-09-30"
    )
    again = MarkovCLVEstimator(horizon="24W", margin=0.3, unit="4W").fit(log)
    np.testing.assert_allclose(again.predict(last), model.predict(last), rtol=1e-12)
    assert again.predict(log).sum() == pytest.approx(model.predict(last).sum(), rel=1e-12)


def test_scores_are_named_as_they_stand(history):
    table = changed(history, R=history["silence"].clip(upper=3) + 1, F=2, M=5)
    fitted = MarkovCLVEstimator(horizon="4W").fit(table)
    assert set(fitted.forecast_.states) == {(r, 2, 5) for r in (1, 2, 3, 4)}


def test_an_unseen_state_takes_the_nearest_and_is_named(model, last):
    strange = last.head(2).assign(silence=400, n_orders=900, mean_value=1e9)
    strange.attrs = last.attrs
    with (
        pytest.warns(DataWarning, match=r"2 rows are in states that fit did not see.*nearest"),
        pytest.warns(DataWarning, match=r"2 of 2 rows have 'silence' up to 400.*extrapolated"),
    ):
        value = model.predict(strange)
    assert np.all(np.isfinite(value))


def test_a_state_that_was_never_left_is_like_its_neighbour(history):
    fitted = MarkovCLVEstimator(transitions="counts", horizon="24W").fit(history)
    report = fitted.fit_report()
    assert report["states never left"] > 0
    table = fitted.state_table()
    bare = table[table["observations"] == 0]
    assert np.all(np.isfinite(bare["value"]))
    assert bare["value"].max() <= table["value"].max()


def test_states_that_end_bring_nothing_and_are_not_left(history, last):
    gone = (history["silence"] >= 6).groupby(history["customer_id"]).cummax()
    stage = np.where(gone, "gone", np.where(history["silence"] > 0, "quiet", "buys"))
    table = changed(history, stage=stage)
    how = {"transitions": "counts", "margin": 0.3}
    fitted = MarkovCLVEstimator(["stage"], absorbing=["gone"], **how).fit(table)
    assert fitted.transition_table().query("`from` == 'gone'")["to"].tolist() == ["gone"]
    value = fitted.state_table("forever").set_index("state")["value"]
    assert value["gone"] == 0.0
    reward = fitted.reward_
    free = [i for i, s in enumerate(fitted.forecast_.states) if s != "gone"]
    matrix = fitted.chain_.dense()[np.ix_(free, free)]
    right = np.linalg.solve(np.eye(2) - matrix, reward[free])
    np.testing.assert_allclose(value[[fitted.forecast_.states[i] for i in free]], right)
    with pytest.raises(ValueError, match="absorbing names states that do not exist"):
        MarkovCLVEstimator(absorbing=["nobody"], **how).fit(table)
    with pytest.raises(ValueError, match=r"absorbing .*\(\d+ moves\)"):
        MarkovCLVEstimator(["stage"], absorbing=["buys"], **how).fit(table)


@pytest.mark.filterwarnings(
    "ignore::custvalue.exceptions.DataWarning"
)  # customers of one fold only
def test_clusters_can_be_states_and_be_searched(history):
    numbers = history[["silence", "n_orders", "mean_value"]].to_numpy(dtype=float)
    profit, who = history["profit"].to_numpy(), history["customer_id"].to_numpy()
    fitted = MarkovCLVEstimator(KMeans(6, n_init=1, random_state=0), horizon=8).fit(
        numbers, profit, groups=who
    )
    assert fitted.chain_.n_states == 6
    assert np.all(np.isfinite(fitted.predict(numbers)))
    search = GridSearchCV(
        MarkovCLVEstimator(PanelStates(), horizon=4, transitions="counts"),
        {"states__monetary_classes": [1, 3]},
        cv=GroupKFold(3),
    )
    search.fit(numbers, profit, groups=who)
    assert search.best_params_["states__monetary_classes"] in (1, 3)


def test_blocks_of_rows_and_rows_in_any_order_give_the_same(history, last, model, monkeypatch):
    mixed = history.sample(frac=1.0, random_state=1)
    mixed.attrs = history.attrs
    how = {"horizon": "24W", "margin": 0.3}
    again = MarkovCLVEstimator(**how).fit(mixed)
    np.testing.assert_allclose(again.predict(last), model.predict(last), rtol=1e-9)
    monkeypatch.setattr(_clv, "_BLOCK", 700)
    parts = MarkovCLVEstimator(**how).fit(history)
    np.testing.assert_allclose(parts.predict(last), model.predict(last), rtol=1e-9)
    assert parts.forecast_.states == model.forecast_.states


# ---- terms ---------------------------------------------------------------------------------------


def test_profit_of_the_panel_is_taken_as_it_is_and_a_margin_of_spend(history, last):
    table = changed(history, profit=0.5 * history["spend"])
    rows = table.groupby("customer_id").tail(1)
    fitted = MarkovCLVEstimator(horizon="24W").fit(table)
    own = fitted.predict(rows)
    np.testing.assert_allclose(own, fitted.set_params(margin=0.5).predict(rows))
    share = rows.assign(share=0.25)
    share.attrs = rows.attrs
    half = fitted.set_params(margin="share").predict(share)
    np.testing.assert_allclose(half, 0.5 * own)
    spread = [
        fitted.set_params(margin=margin).predict_interval(share) for margin in ("share", 0.25)
    ]
    np.testing.assert_allclose(*spread, rtol=1e-9)


def test_contact_costs_by_state_come_off_while_there(counted, last):
    states = counted.forecast_.states
    cost = {state: 1.0 for state in states if state[0] < 2}
    asked = clone(counted).set_params(contact_cost=cost, timing="end")
    vars(asked).update({k: v for k, v in vars(counted).items() if k.endswith("_")})
    chain = asked.chain_
    each = np.asarray([cost.get(state, 0.0) for state in states])
    spent = chain.value(each, horizon=6, discount_rate=0.0, timing="end")
    place = [chain.position(state) for state in asked.explain(last)["state"]]
    np.testing.assert_allclose(counted.predict(last) - asked.predict(last), spent[place])
    with pytest.raises(ValueError, match="contact_cost names states that do not exist"):
        asked.set_params(contact_cost={"nobody": 1.0}).predict(last)


def test_a_horizon_that_ends_within_a_period_lies_between_whole_ones(model, last):
    some = last.head(80)
    value = [model.predict(some, span) for span in ("56D", "57D", "70D", "83D", "84D")]
    assert np.all(np.diff(np.stack(value), axis=0) > 0)


def test_what_cannot_be_asked_is_refused_by_name(history, last, model):
    with pytest.raises(HorizonError, match="how far to look"):
        MarkovCLVEstimator().fit(history).predict(last)
    with pytest.raises(TimeUnitError, match="no unit"):
        model.predict(last, 13)
    with pytest.raises(HorizonError, match="annual_discount_rate above 0"):
        model.predict(last, "forever")
    with pytest.raises(NotSupportedError, match="horizon that ends"):
        clone(model).set_params(annual_discount_rate=0.1).fit(history).predict_interval(
            last, "forever"
        )
    with pytest.raises(NotSupportedError, match="column 'orders'"):
        MarkovCLVEstimator(horizon=2).fit(X, Y).predict_chance(X)
    for bad, words in (
        ({"transitions": "guess"}, "transitions="),
        ({"reward_by": "day"}, "reward_by="),
        ({"margin": 30}, "margin=30 must be a share"),
        ({"contact_cost": np.inf}, "contact_cost="),
        ({"gaps": "fill"}, "gaps="),
    ):
        with pytest.raises(ValueError, match=words):
            MarkovCLVEstimator(**bad).fit(history)
    with pytest.raises(NotSupportedError, match="ParetoNBD or NBD"):
        MarkovCLVEstimator(purchases=BGNBD()).fit(history)
    with pytest.raises(ValueError, match="'bayes' needs a panel with orders"):
        MarkovCLVEstimator(transitions="bayes").fit(X, Y)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"period": 0.5}, "'period' has values that are not whole numbers"),
        ({"profit": np.nan}, r"'profit' has missing.*first: 0, 1"),
        ({"customer_id": np.nan}, "rows have no customer"),
        ({"recency": -5.0}, "recency"),
    ],
)
def test_columns_that_cannot_be_are_refused_by_name_and_row(history, columns, words):
    with pytest.raises(DataContractError, match=words):
        MarkovCLVEstimator(horizon="24W").fit(changed(history, **columns))


def test_other_input_that_cannot_be_is_refused_with_its_cure(history):
    y = np.ones(len(history))
    y[5] = np.nan
    with pytest.raises(DataContractError, match=r"y has missing.*first: 5"):
        MarkovCLVEstimator().fit(history, y)
    with pytest.raises(DataContractError, match="no column 'nope'"):
        MarkovCLVEstimator(["nope"]).fit(history)
    for rows, words in (
        (history.iloc[:0], "no rows|0 sample"),
        (history.drop(columns="silence"), "no column 'silence'"),
    ):
        rows.attrs = history.attrs
        with pytest.raises(ValueError, match=words):
            MarkovCLVEstimator().fit(rows)
    broken = history.drop(index=history.index[1])
    broken.attrs = history.attrs
    with pytest.raises(DataContractError, match="gap"):
        MarkovCLVEstimator().fit(broken)
    assert MarkovCLVEstimator(gaps="skip").fit(broken).forecast_.observed.sum() > 0
    twice = pd.concat([history, history.tail(1)])
    twice.attrs = history.attrs
    with pytest.raises(DataContractError, match="repeated-period"):
        MarkovCLVEstimator().fit(twice)


# ---- score, tests, persistence -------------------------------------------------------------------


def test_the_score_compares_a_row_with_what_came_after_it():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, (400, 1))
    y = np.r_[0.0, 10.0 * rows[:-1, 0]]  # state 1 pays in the period after
    groups = np.repeat(np.arange(20), 20)
    y[::20] = 7.0  # a first period's money is nobody's future
    how = {"transitions": "counts"}
    one = MarkovCLVEstimator(horizon=1, **how).fit(rows, y, groups=groups)
    assert one.score(rows, y, groups=groups) == pytest.approx(1.0)
    assert one.score(rows, y, groups=groups, sample_weight=np.ones(400)) == pytest.approx(1.0)
    two = MarkovCLVEstimator(horizon=2, contact_cost=1.0, **how).fit(rows, y, groups=groups)
    assert 0.3 < two.score(rows, y, groups=groups) < 0.8  # the next state is a coin
    far = MarkovCLVEstimator(horizon=30, **how).fit(rows, y, groups=groups)
    with pytest.raises(ValueError, match="have 30 periods"):
        far.score(rows, y, groups=groups)


def test_recency_states_have_order_one_and_a_memory():
    chain = Chain([0, 1, 2], [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4]])
    rng = np.random.default_rng(5)
    rows = chain.simulate(rng.integers(0, 3, 400), 20, random_state=rng).reshape(-1, 1)
    groups = np.repeat(np.arange(400), 21)
    fitted = MarkovCLVEstimator(transitions="counts", horizon=3)
    fitted.fit(rows, np.ones(len(rows)), groups=groups)
    tests = fitted.test_order(rows, groups=groups)
    assert tests["0 against 1"].p_value < 1e-6
    assert tests["1 against 2"].p_value > 0.001
    np.testing.assert_allclose(fitted.chain_.dense(), chain.matrix, atol=0.04)


def test_homogeneity_has_a_p_value(counted, history):
    result = counted.test_homogeneity(history)
    assert result.df > 0
    assert 0.0 <= result.p_value <= 1.0


def through_json(fitted):
    text = json.dumps(fitted.to_dict(), allow_nan=False)
    return MarkovCLVEstimator.from_dict(json.loads(text)), text


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"transitions": "counts", "contact_cost": {(0, 0, 0): 0.5}, "states": SMALL},
        {"transitions": "bayes", "purchases": NBD(), "states": SMALL},
        {"reward_by": "transition", "states": ["silence"]},
        {"states": ColumnStates(["silence", "n_orders"], n_classes=4), "timing": "middle"},
    ],
)
def test_an_estimator_that_went_through_json_says_the_same(history, last, settings):
    fitted = MarkovCLVEstimator(**{"horizon": "24W", "margin": 0.3, **settings}).fit(history)
    copy, text = through_json(fitted)
    np.testing.assert_array_equal(copy.predict(last), fitted.predict(last))
    np.testing.assert_array_equal(copy.predict_interval(last), fitted.predict_interval(last))
    np.testing.assert_array_equal(copy.predict(last, "7W"), fitted.predict(last, "7W"))
    assert copy.chain_ == fitted.chain_
    assert copy.state_table().equals(fitted.state_table())
    assert copy.fit_report() == fitted.fit_report()
    assert through_json(copy)[1] == text
    np.testing.assert_allclose(copy.fit(history).predict(last), fitted.predict(last))


def test_what_json_cannot_hold_and_what_is_damaged_is_refused_by_name(counted):
    numbers = np.arange(12.0)[:, None]
    fitted = MarkovCLVEstimator(KMeans(2, n_init=1), horizon=2).fit(numbers, np.ones(12))
    with pytest.raises(NotSupportedError, match="KMeans"):
        fitted.to_dict()
    with pytest.raises(ValueError, match="expected 'MarkovCLVEstimator'"):
        MarkovCLVEstimator.from_dict({"schema": 99, "model": "MarkovCLVEstimator"})
    plain = json.loads(json.dumps(counted.to_dict()))
    for path, bad in (
        (("learned", "cells", "on_none", "cells"), []),
        (("learned", "cells", "size", "cells"), [1.0]),
        (("learned",), {"is": "record", "cells": {}}),
    ):
        broken = json.loads(json.dumps(plain))
        at = broken
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = bad
        with pytest.raises(ValueError, match="damaged"):
            MarkovCLVEstimator.from_dict(broken)


def test_a_fitted_estimator_survives_pickle(model, last):
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(last), model.predict(last))


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
