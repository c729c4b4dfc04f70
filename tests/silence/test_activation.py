"""The win-back list and its control group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from custvalue.campaign import ResponseModel, UpliftModel, detectable_response
from custvalue.exceptions import DataWarning
from custvalue.silence import activation_plan

PLAN = {"response": 0.1, "margin": 0.4, "contact_cost": 1.5, "seed": 3}


def scores_of(n, rng):
    grades = ["active", "watch", "silent", "deeply silent"]
    return pd.DataFrame({"grade": rng.choice(grades, n)})


money = st.lists(st.floats(0, 500), min_size=1, max_size=50)


@given(money, st.floats(0, 60), st.floats(0, 0.9), st.integers(0, 99))
def test_the_plan_never_exceeds_its_budget_and_adds_up(value, budget, holdout, seed):
    n = len(value)
    cost = np.random.default_rng(seed).uniform(0, 5, n)
    plan = activation_plan(
        np.zeros((n, 1)),
        value,
        response=0.1,
        margin=0.5,
        contact_cost=cost,
        budget=budget,
        holdout=holdout,
        grades=None,
        seed=seed,
    )
    treated = plan["group"] == "treat"
    assert plan.loc[treated, "contact_cost"].sum() <= budget + 1e-9
    assert sorted(plan["customer"]) == list(range(n))
    worthy = plan[plan["expected_gain"] > 0]
    per_cost = worthy["expected_gain"] / worthy["contact_cost"]
    assert (per_cost.diff().dropna() <= 0).all()
    worth = plan["group"].isin(["treat", "control", "out of budget"])
    assert (worth == (plan["expected_gain"] > 0)).all()
    even = plan["break_even_response"] * plan["value"] * 0.5
    assert np.allclose(even[plan["value"] > 0.01], plan["contact_cost"][plan["value"] > 0.01])


@given(st.lists(st.tuples(st.floats(1, 90), st.floats(0.5, 5)), min_size=1, max_size=9),
       st.floats(0, 20))  # fmt: skip
def test_no_choice_gains_more_than_the_bound(customers, budget):
    value, cost = np.array(customers).T
    plan = activation_plan(
        np.zeros((len(value), 1)), value, response=0.1, margin=1.0, contact_cost=cost,
        budget=budget, holdout=0.0, grades=None, seed=0,
    )  # fmt: skip
    gain = 0.1 * value - cost
    chosen = (np.arange(2 ** len(value))[:, None] >> np.arange(len(value))) & 1
    best = (chosen @ gain)[chosen @ cost <= budget].max()
    ours = plan.loc[plan["group"] == "treat", "expected_gain"].sum()
    out = plan.loc[plan["group"] == "out of budget", "expected_gain"]
    assert ours - 1e-9 <= best <= ours + (out.iloc[0] if len(out) else 0.0) + 1e-9


def test_a_dear_contact_makes_way_for_cheap_ones_that_gain_more_together():
    plan = activation_plan(
        np.zeros((3, 1)), [100.0, 60.0, 60.0], response=0.5, margin=1.0,
        contact_cost=[20.0, 10.0, 10.0], budget=20.0, holdout=0.0, grades=None, seed=0,
    )  # fmt: skip
    assert plan["customer"].tolist() == [1, 2, 0]
    assert plan["group"].tolist() == ["treat", "treat", "out of budget"]


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(5)
    X = pd.DataFrame({"a": rng.normal(size=1500)})
    arm = rng.integers(0, 2, 1500)
    order = (rng.random(1500) < 0.2 + 0.2 * arm * (X["a"] > 0)).astype(float)
    line = LinearRegression()
    return {
        "X": X,
        "answers": ResponseModel(n_repeats=0).fit(X, order, amount=order * 30),
        "orders": UpliftModel(line).fit(X, order, treatment=arm),
        "money": UpliftModel(line).fit(X, 30 * order + X["a"] ** 2, treatment=arm),
    }


def test_a_model_tells_the_response_and_the_money(learned):
    X = learned["X"].head(40)
    how = {"margin": 0.5, "contact_cost": 1.0, "seed": 1, "grades": None, "known": X}
    who = np.zeros((40, 1))
    by_orders = activation_plan(who, np.full(40, 30.0), response=learned["orders"], **how)
    effect = learned["orders"].predict(X)[by_orders["customer"]]
    np.testing.assert_allclose(by_orders["expected_gain"], effect * 15 - 1)
    by_money = activation_plan(X, None, response=learned["money"], **{**how, "known": None})
    effect = learned["money"].predict(X)[by_money["customer"]]
    np.testing.assert_allclose(by_money["expected_gain"], effect * 0.5 - 1)
    with pytest.warns(DataWarning, match="some would have come anyway"):
        by_answers = activation_plan(who, None, response=learned["answers"], **how)
    money = learned["answers"].predict(X)[by_answers["customer"]]
    np.testing.assert_allclose(by_answers["expected_gain"], money * 0.5 - 1)
    with pytest.raises(ValueError, match="pass value=None"):
        activation_plan(who, np.ones(40), response=learned["money"], **how)
    with pytest.raises(ValueError, match="say by value="):
        activation_plan(who, None, response=learned["orders"], **how)
    with pytest.raises(ValueError, match="value=None needs a model"):
        activation_plan(who, None, response=0.1, **how)


def test_the_control_group_is_a_random_share_that_resembles_the_treated_one(rng):
    n = 20_000
    value = rng.lognormal(4, 1, n)
    plan = activation_plan(scores_of(n, rng), value, **PLAN)
    treat = plan[plan["group"] == "treat"]
    control = plan[plan["group"] == "control"]
    assert len(control) == round(0.1 * (len(treat) + len(control)))
    gap = treat["value"].mean() - control["value"].mean()
    assert abs(gap) < 4 * control["value"].std() / np.sqrt(len(control))
    other = activation_plan(scores_of(n, rng), value, **{**PLAN, "seed": 4})
    again = set(other.loc[other["group"] == "control", "customer"])
    assert len(again & set(control["customer"])) < 0.2 * len(again)


def test_every_worthy_customer_is_equally_likely_to_be_held_out():
    value = np.linspace(50, 500, 20)
    held = np.zeros(20)
    for seed in range(300):
        plan = activation_plan(
            np.zeros((20, 1)), value, **{**PLAN, "seed": seed}, holdout=0.2, grades=None
        )
        held[plan.loc[plan["group"] == "control", "customer"]] += 1
    assert np.all(np.abs(held / 300 - 0.2) < 0.1)


def test_only_silent_customers_are_planned_for_and_said_in_chinese(rng):
    scores = scores_of(200, rng)
    plan = activation_plan(scores, np.full(200, 100.0), **PLAN)
    assert (plan["group"] != "not silent").sum() == scores["grade"].str.contains("silent").sum()
    other = activation_plan(scores, np.full(200, 100.0), **PLAN, language="zh")
    assert (other["group"] == "激活").sum() == (plan["group"] == "treat").sum()


def test_a_polars_table_gives_a_polars_plan_with_the_customers_ids(rng):
    scores = pl.from_pandas(scores_of(30, rng))
    ids = [f"c{i}" for i in range(30)]
    plan = activation_plan(scores, np.full(30, 100.0), **PLAN, customers=ids)
    assert isinstance(plan, pl.DataFrame)
    assert set(plan["customer"]) == set(ids)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"response": 1.5}, "response must be finite and between 0 and 1; 4 rows"),
        ({"contact_cost": -1.0}, "contact_cost must be finite and at least 0"),
        ({"holdout": 1.0}, "holdout=1.0 must be a share"),
        ({"budget": -5.0}, "budget=-5.0 must be 0 or more"),
        ({"grades": ("silent",)}, "a frame with a column 'grade'"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        activation_plan(np.zeros((4, 1)), np.ones(4), **{**PLAN, "grades": None, **change})


def test_a_grade_that_does_not_exist_is_refused(rng):
    with pytest.raises(ValueError, match=r"grades has \['dormant'\]; there are \['active'"):
        activation_plan(scores_of(4, rng), np.ones(4), **PLAN, grades=("dormant", "silent"))


def test_the_plan_says_which_response_its_control_group_can_show(rng):
    plan = activation_plan(np.zeros((3000, 1)), np.full(3000, 100.0), **PLAN, grades=None)
    assert set(plan["detectable_response"]) == {detectable_response(2700, 300, 0.05)}
    with_chance = scores_of(3000, rng).assign(prob_order=rng.beta(1, 9, 3000))
    plan = activation_plan(with_chance, np.full(3000, 100.0), **PLAN)
    shown = plan["group"].isin(["treat", "control"])
    mean = with_chance["prob_order"].to_numpy()[plan.loc[shown, "customer"]].mean()
    sizes = [(plan["group"] == g).sum() for g in ("treat", "control")]
    assert plan["detectable_response"].iloc[0] == pytest.approx(detectable_response(*sizes, mean))
    given = activation_plan(with_chance, np.full(3000, 100.0), **PLAN, order_anyway=0.2)
    assert given["detectable_response"].iloc[0] > plan["detectable_response"].iloc[0]
    alone = activation_plan(np.zeros((9, 1)), np.ones(9) * 99, **PLAN, grades=None, holdout=0)
    assert np.isinf(alone["detectable_response"]).all()
