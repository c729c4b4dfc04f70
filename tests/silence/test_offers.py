"""A plan of several offers and channels: one budget, limited places, a control group each."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array, kron, vstack
from sklearn.linear_model import LinearRegression, LogisticRegression

from custvalue.campaign import ResponseModel, UpliftModel, detectable_response
from custvalue.exceptions import DataContractError, DataWarning
from custvalue.silence import activation_plan, plan_totals


def planned(gain, cost, budget=None, *, capacity=(), channels=None, capacities=None, **more):
    """Plan whose offers gain and cost these arrays: response 1, value gain + cost, margin 1."""
    gain, cost = np.asarray(gain, dtype=float), np.asarray(cost, dtype=float)
    offers = {
        f"o{j}": {"value": gain[:, j] + cost[:, j], "contact_cost": cost[:, j]}
        for j in range(gain.shape[1])
    }
    for j, room in enumerate(capacity):
        if room is not None:
            offers[f"o{j}"]["capacity"] = room
    for j, channel in enumerate(channels or ()):
        offers[f"o{j}"]["channel"] = channel
    how = {"holdout": 0.0, "grades": None, "seed": 0, "response": 1.0, "margin": 1.0, **more}
    return activation_plan(
        np.zeros((len(gain), 1)), None, offers=offers, budget=budget, capacities=capacities, **how
    )


def treated(plan):
    return plan[plan["group"] == "treat"]


def largest_gain(gain, cost, budget, room):
    """Best of all choices of an offer or none for each customer."""
    n, m = gain.shape
    best = 0.0
    for choice in itertools.product(range(-1, m), repeat=n):
        rows = [i for i in range(n) if choice[i] >= 0]
        options = [choice[i] for i in rows]
        if cost[rows, options].sum() <= budget and all(
            options.count(j) <= room[j] for j in range(m)
        ):
            best = max(best, gain[rows, options].sum())
    return best


def relaxed_gain(gain, cost, budget, rooms):
    """Optimum of the linear relaxation; a room is a mask of offers and its number of places."""
    n, m = gain.shape
    sums = [kron(csr_array(np.eye(n)), np.ones((1, m))), csr_array(cost.reshape(1, -1))]
    sums += [csr_array(np.tile(np.asarray(mask, dtype=float), n)[None]) for mask, _ in rooms]
    most = np.r_[np.ones(n), budget, [places for _, places in rooms]]
    return -linprog(-gain.ravel(), A_ub=vstack(sums), b_ub=most, bounds=(0, 1)).fun


@given(st.integers(0, 10_000))
def test_no_choice_gains_more_than_the_bound_nor_one_step_more_than_the_plan(seed):
    rng = np.random.default_rng(seed)
    gain, cost = rng.uniform(-1, 9, (5, 2)), rng.uniform(0.5, 4, (5, 2))
    budget = 8.0
    plan = planned(gain, cost, budget)
    ours = treated(plan)["expected_gain"].sum()
    best = largest_gain(gain, cost, budget, [5, 5])
    assert treated(plan)["contact_cost"].sum() <= budget + 1e-9
    assert ours - 1e-9 <= best <= plan["gain_bound"].iloc[0] + 1e-9
    assert best <= ours + gain.max() + 1e-9
    capped = planned(gain, cost, budget, capacity=(1, 2))
    best = largest_gain(gain, cost, budget, [1, 2])
    ours = treated(capped)
    assert ours["expected_gain"].sum() - 1e-9 <= best <= capped["gain_bound"].iloc[0] * (1 + 1e-9)
    assert (ours["offer"] == "o0").sum() <= 1
    assert (ours["offer"] == "o1").sum() <= 2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("places", [False, True])
def test_a_large_plan_gains_nearly_what_the_linear_program_gains(seed, places):
    rng = np.random.default_rng(seed)
    n, m = 1500, 4
    cost = np.tile([0.2, 0.5, 2.0, 6.0], (n, 1)) * rng.uniform(0.8, 1.2, (n, m))
    gain = rng.lognormal(0, 1, (n, m)) * [0.5, 1.0, 2.0, 5.0] - cost
    budget = 900.0
    if places:
        plan = planned(
            gain, cost, budget, capacity=(None, 400, None, 60), channels="aabb",
            capacities={"b": 150},
        )  # fmt: skip
        rooms = [((0, 1, 0, 0), 400), ((0, 0, 0, 1), 60), ((0, 0, 1, 1), 150)]
    else:
        plan, rooms = planned(gain, cost, budget), []
    best = relaxed_gain(gain, cost, budget, rooms)
    sent = treated(plan)
    assert sent["contact_cost"].sum() <= budget + 1e-9
    for mask, room in rooms:
        assert sent["offer"].isin([f"o{j}" for j in range(m) if mask[j]]).sum() <= room
    assert plan["gain_bound"].iloc[0] == pytest.approx(best, rel=2e-5)
    assert plan["gain_bound"].iloc[0] >= best * (1 - 1e-9)
    assert sent["expected_gain"].sum() >= best * 0.997


def test_customers_who_are_all_alike_fill_every_place():
    plan = planned(np.tile([5.0, 3.0, 3.0], (40, 1)), np.ones((40, 3)), capacity=(4, 10, 10))
    assert treated(plan)["offer"].value_counts().to_dict() == {"o1": 10, "o2": 10, "o0": 4}
    assert (plan["group"] == "no place left").sum() == 16
    assert plan["gain_bound"].iloc[0] == pytest.approx(80.0, rel=1e-5)
    none = planned(np.tile([5.0], (4, 1)), np.ones((4, 1)), capacity=(0,))
    assert set(none["group"]) == {"no place left"}


def test_who_loses_most_without_a_place_gets_it():
    # both gain most by o0; the first would gain nearly as much by o1
    plan = planned([[9.0, 8.0], [7.0, 1.0]], np.ones((2, 2)), capacity=(1, None))
    given_to = plan.set_index("customer")["offer"]
    assert given_to.to_dict() == {0: "o1", 1: "o0"}
    assert plan.set_index("customer")["why"].to_dict() == {
        0: "o0 gains more, but its places are taken",
        1: "gains most",
    }


def test_the_dearer_offer_waits_until_money_brings_no_more_elsewhere():
    # per money: cheap to both 4 and 3, dear instead of cheap only (8 - 4) / 4 = 1
    gain, cost = [[4.0, 8.0], [3.0, 3.5]], [[1.0, 5.0], [1.0, 5.0]]
    plan = planned(gain, cost, budget=3.0)
    assert plan["offer"].tolist() == ["o0", "o0"]
    assert plan["why"].tolist() == ["o1 gains more, but money brings more elsewhere"] * 2
    assert plan["gain_bound"].iloc[0] == pytest.approx(4 + 3 + 1)  # the last unit of money at 1
    richer = planned(gain, cost, budget=6.0)
    assert richer.set_index("customer")["offer"].to_dict() == {0: "o1", 1: "o0"}
    assert richer["gain_bound"].iloc[0] == pytest.approx(11.0)


@given(st.lists(st.floats(0, 500), min_size=1, max_size=40), st.floats(3, 60), st.integers(0, 99))
def test_one_offer_is_the_plan_without_offers(value, budget, seed):
    n = len(value)
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 4, n).astype(float)
    scores = pd.DataFrame(
        {"grade": rng.choice(["active", "silent"], n), "prob_order": rng.random(n)}
    )
    how = {"response": 0.1, "margin": 0.5, "budget": budget, "holdout": 0.2, "seed": seed}
    grades = {"grades": ("silent",)}
    plain = activation_plan(scores, value, contact_cost=cost, **how, **grades)
    named = activation_plan(
        scores, value, offers={"letter": {"contact_cost": cost}}, **how, **grades
    )
    pd.testing.assert_frame_equal(named[plain.columns], plain, check_exact=True)
    # and that plan is: the best gain per cost first, until the next one no longer fits
    gain = 0.1 * np.array(value) * 0.5 - cost
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(gain > 0, gain / cost, 0.0)
    rank = sorted(range(n), key=lambda i: (scores["grade"][i] != "silent", -rate[i], -gain[i], i))
    assert plain["customer"].tolist() == rank
    left, open_ = budget, True
    for i, group in zip(plain["customer"], plain["group"], strict=True):
        if scores["grade"][i] != "silent":
            assert group == "not silent"
        elif gain[i] <= 0:
            assert group == "not worth it"
        elif group == "treat":
            left -= cost[i]
            assert open_
            assert left >= -1e-9
        elif group == "out of budget":
            open_ = False


def test_each_offer_has_a_control_group_like_its_treated():
    rng = np.random.default_rng(8)
    n = 40_000
    cost = np.tile([0.5, 4.0], (n, 1))
    gain = rng.lognormal(0, 1, (n, 2)) * [1.0, 4.0] - cost
    plan = planned(gain, cost, budget=20_000.0, capacity=(None, 3000), holdout=0.2)
    totals = plan_totals(plan).set_index("offer")
    np.testing.assert_allclose(totals["control"] / (totals["control"] + totals["treat"]), 0.2,
                               atol=0.02)  # fmt: skip
    for offer in ("o0", "o1"):
        mine = plan[plan["offer"] == offer]
        sent, kept = (mine.loc[mine["group"] == g, "expected_gain"] for g in ("treat", "control"))
        error = np.sqrt(sent.var() / len(sent) + kept.var() / len(kept))
        assert abs(sent.mean() - kept.mean()) < 4 * error
        assert mine["detectable_response"].iloc[0] == detectable_response(
            len(sent), len(kept), 0.05
        )
    # who is held out takes neither money nor places
    assert totals.loc["o1", "treat"] == 3000
    assert totals["contact_cost"].sum() == pytest.approx(20_000.0, abs=4.0)


def test_the_totals_are_those_of_the_list():
    plan = planned(
        [[4.0, 8.0], [3.0, 3.5], [-1.0, 2.0]], np.ones((3, 2)), channels=["post", "post"]
    )
    found = plan_totals(plan, by="channel")
    assert found[["channel", "treat", "control", "contact_cost", "expected_gain"]].values.tolist() \
        == [["post", 3, 0, 3.0, 13.5]]  # fmt: skip
    chinese = planned([[4.0, 8.0]], np.ones((1, 2)), language="zh")
    assert chinese["why"].tolist() == ["预期收益最高"]
    assert plan_totals(chinese)["treat"].tolist() == [1]
    with pytest.raises(ValueError, match=r"plan has no \['offer'\]"):
        plan_totals(plan.drop(columns="offer"))


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(5)
    X = pd.DataFrame({"a": rng.normal(size=3000), "chance": 0.2})
    arm = rng.choice(["none", "call", "letter"], 3000)
    order = (rng.random(3000) < 0.1 + 0.3 * (arm == "call") * (X["a"] > 0)).astype(float)
    line = LinearRegression()
    return {
        "X": X,
        "arms": UpliftModel(line, control="none").fit(X, 40 * order, treatment=arm),
        "answers": ResponseModel(LogisticRegression(), n_repeats=0).fit(
            X, order, amount=order * 30
        ),
    }


def test_a_model_of_several_arms_tells_each_offer_that_is_called_like_one(learned):
    X, model = learned["X"].head(50), learned["arms"]
    how = {"margin": 0.5, "contact_cost": 0.1, "grades": None, "seed": 1, "holdout": 0.0}
    plan = activation_plan(
        X, None, response=model, offers={"letter": {}, "by phone": {"arm": "call"}}, **how
    )
    effect = pd.DataFrame(model.predict(X), columns=list(model.arms))[["letter", "call"]]
    told = 0.5 * effect.to_numpy() - 0.1
    column = (plan["offer"] == "by phone").astype(int)
    np.testing.assert_allclose(plan["expected_gain"], told[plan["customer"], column])
    best = treated(plan)
    np.testing.assert_allclose(best["expected_gain"], told.max(axis=1)[best["customer"]])
    with pytest.raises(ValueError, match=r"of offer 'mail' is a model of the arms \['call', 'lett"):
        activation_plan(X, None, response=model, offers={"mail": {}}, **how)
    with pytest.raises(ValueError, match="plan them by offers="):
        activation_plan(X, None, response=model, **how)


def test_each_offer_may_have_its_own_model_column_or_number(learned):
    X = learned["X"].head(30)
    offers = {"a": {"response": learned["answers"]}, "b": {"response": "chance", "value": "3.5"}}
    with pytest.warns(DataWarning, match="some would have come anyway") as heard:
        plan = activation_plan(
            X, None, offers=offers, margin=1.0, contact_cost=0.1, grades=None, seed=1
        )
    assert len(heard) == 1
    b = plan[plan["offer"] == "b"]
    assert (b["response"] == 0.2).all()
    assert (b["value"] == 3.5).all()
    money = learned["answers"].predict(X)
    a = plan[plan["offer"] == "a"]
    np.testing.assert_allclose(a["expected_gain"], money[a["customer"]] - 0.1)


def test_offers_are_read_from_a_table_of_any_kind():
    table = {
        "offer": ["letter", "call"],
        "channel": ["post", None],
        "contact_cost": [1.0, 4.0],
        "response": ["0.05", "0.2"],
        "capacity": [None, 2],
    }
    how = {"margin": 0.5, "grades": None, "seed": 1, "holdout": 0.0}
    plans = [
        activation_plan(kind({"x": [0] * 9}), 100.0, offers=kind(table), **how)
        for kind in (pd.DataFrame, pl.DataFrame)
    ]
    assert isinstance(plans[1], pl.DataFrame)
    pd.testing.assert_frame_equal(
        plans[0], pd.DataFrame({c: plans[1][c].to_list() for c in plans[1].columns})
    )
    sent = treated(plans[0]).groupby(["offer", "channel"]).size().to_dict()
    assert sent == {("call", "call"): 2, ("letter", "post"): 7}


BAD = [
    ({"offers": {}}, "no-offers: offers is empty"),
    ({"offers": {"a": {"contact_cost": -1.0}}}, "contact_cost of offer 'a' must be finite and at"),
    ({"offers": {"a": {"capacity": -1}}}, "capacity of offer 'a' is -1. A capacity is a whole"),
    ({"offers": {"a": {"capacity": 1.5}}}, "capacity of offer 'a' is 1.5"),
    ({"offers": {"a": {"capacity_": 1}}}, "offer 'a' has 'capacity_'.*Did you mean 'capacity'"),
    ({"response": None}, "offer 'a' has no response. Pass response=, for all offers or in this"),
    ({"margin": None, "offers": None}, "the plan has no margin. Pass margin=."),
    ({"contact_cost": None}, "offer 'a' has no contact_cost"),
    ({"capacities": {"phon": 3}}, "capacities has 'phon'; no offer goes by this channel"),
    ({"capacities": {"a": -3}}, r"capacities\['a'\] is -3"),
    ({"offers": {"a": {"response": "chances"}}}, "is 'chances': no number and no column.*'chance'"),
    ({"offers": {"a": {"margin": 30}}}, "margin of offer 'a'"),
    ({"offers": {"a": {"response": [0.1, 0.2]}}}, r"response of offer 'a' has shape \(2,\)"),
    ({"offers": {"a": 3}}, "offers must be a mapping of a name to what differs"),
    ({"offers": ["a"]}, "offers must be a mapping of a name to what differs"),
    ({"offers": pd.DataFrame({"name": ["a"]})}, "offers has no column 'offer'; it has 'name'"),
    ({"offers": pd.DataFrame({"offer": ["a", "b", "a"]})}, "duplicate-offer: offers has 'a' more"),
    ({"budget": -1.0}, "budget=-1.0 must be 0 or more"),
    ({"offers": {"a": {"value": None}}, "value": None}, "value of offer 'a'=None needs a model"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BAD)
def test_offers_that_make_no_sense_are_refused(change, words):
    how = {"response": 0.1, "margin": 0.5, "contact_cost": 1.0, "offers": {"a": {}}, "value": 9.0}
    how |= {"grades": None, "seed": 1, **change}
    table = pd.DataFrame({"chance": [0.1, 0.2, 0.3]})
    with pytest.raises(ValueError, match=f"(?s){words}"):
        activation_plan(table, how.pop("value"), **how)


def test_all_that_is_wrong_with_offers_is_said_together():
    offers = {"a": {"capacity": -1, "cost": 2.0}, "b": {"contact_cost": 1.0}}
    with pytest.raises(DataContractError) as error:
        activation_plan(np.zeros((2, 1)), 1.0, offers=offers, margin=0.5, seed=1, grades=None)
    assert [p.code for p in error.value.problems] == [
        "unknown-field", "no-response", "no-contact_cost", "capacity", "no-response",
    ]  # fmt: skip


def test_a_budget_that_pays_for_nobody_is_said():
    with pytest.warns(
        DataWarning, match="budget=0.5 pays for no contact: the cheapest that is wor"
    ):
        plan = planned([[4.0, 8.0]], [[1.0, 2.0]], budget=0.5)
    assert plan["group"].tolist() == ["out of budget"]
    assert plan["why"].tolist() == ["the budget ends before"]
    free = planned([[4.0, 8.0]], [[0.0, 2.0]], budget=0.0)
    assert free["offer"].tolist() == ["o0"]
    assert free["gain_bound"].tolist() == [4.0]


def test_every_row_has_a_reason_and_comes_once():
    rng = np.random.default_rng(3)
    gain = rng.normal(1, 3, (300, 3))
    plan = planned(gain, np.ones((300, 3)), 100.0, capacity=(20, 20, 20), holdout=0.1)
    assert sorted(plan["customer"]) == list(range(300))
    assert plan.notna().all().all()
    why = plan.groupby("group")["why"].unique().map(sorted).to_dict()
    assert why["not worth it"] == ["no offer gains more than it costs"]
    assert why["no place left"] == ["its places are taken by who loses more without one"]
    assert (plan["group"] == "not worth it").sum() == (gain.max(axis=1) <= 0).sum()


def test_an_offer_without_places_leaves_the_bound_to_the_money():
    gain, cost = np.array([[4.0, 9.0], [3.0, 9.0], [2.0, 9.0]]), np.ones((3, 2))
    plan = planned(gain, cost, budget=2.0, capacity=(None, 0))
    assert treated(plan)["expected_gain"].tolist() == [4.0, 3.0]
    assert plan["gain_bound"].iloc[0] == pytest.approx(7.0, rel=1e-4)
