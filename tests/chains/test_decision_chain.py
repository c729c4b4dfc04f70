from __future__ import annotations

import itertools

import numpy as np
import pytest

from custvalue.chains import Chain, DecisionChain

STATES = ["r1", "r2", "r3", "r4", "gone"]
ORDER = [0.3, 0.2, 0.15, 0.05]


@pytest.fixture
def problem():
    """Pfeifer & Carraway's customers: contact costs 4, an order brings 40, no order without."""
    mail, rest = np.zeros((5, 5)), np.zeros((5, 5))
    for i, p in enumerate(ORDER):
        mail[i, 0], mail[i, i + 1] = p, 1 - p
        rest[i, i + 1] = 1.0
    mail[4, 4] = rest[4, 4] = 1.0
    return DecisionChain(
        {"mail": Chain(STATES, mail), "rest": Chain(STATES, rest)},
        {"mail": [36, -4, -4, -4, -4], "rest": [40, 0, 0, 0, 0]},
        costs={"mail": 4.0},
    )


def test_stopping_after_recency_three_comes_out_by_itself(problem, reference):
    best = problem.best(discount_rate=0.2)
    assert best.actions == ("mail", "mail", "mail", "rest", "rest")
    row = reference("markov")["pc.Vinf_stop"]
    np.testing.assert_allclose(best.value[:3], row["value"][:3], atol=row["tolerance"])


def test_no_policy_of_all_is_better_than_the_best(problem):
    best = problem.best(discount_rate=0.2).value
    for policy in itertools.product(["mail", "rest"], repeat=5):
        assert np.all(problem.value(policy, discount_rate=0.2) <= best + 1e-9)


def test_a_far_horizon_has_the_policy_and_value_of_an_infinite_one(problem):
    far = problem.best(horizon=200, discount_rate=0.2)
    ever = problem.best(discount_rate=0.2)
    assert far.actions == ever.actions
    np.testing.assert_allclose(far.value, ever.value, atol=1e-9)


def test_with_one_period_left_contact_pays_for_nobody(problem):
    last = problem.best(horizon=0, discount_rate=0.2)
    assert last.actions == ("rest",) * 5


def test_the_best_policy_within_a_budget_keeps_it_and_beats_never_contacting(problem):
    customers = [100, 80, 60, 40, 500]
    free = problem.best(discount_rate=0.2)
    tight = problem.best_within(500.0, customers, discount_rate=0.2)
    spent = sum(4 * n for n, a in zip(customers, tight.actions, strict=True) if a == "mail")
    assert spent <= 500
    never = problem.value("rest", discount_rate=0.2)
    assert customers @ free.value >= customers @ tight.value >= customers @ never
    wide = problem.best_within(1e6, customers, discount_rate=0.2)
    assert wide.actions == free.actions


def test_the_best_policy_is_compared_with_todays_and_with_never(problem):
    table = problem.compare(
        {"today": "mail", "never": "rest"}, [100, 80, 60, 40, 500], discount_rate=0.2
    )
    assert table["policy"].tolist() == ["today", "never", "best"]
    assert table["value"].idxmax() == 2
    assert table["gain"].iloc[0] == 0.0


def test_contact_that_works_half_as_well_is_worth_it_in_fewer_states(problem):
    table = problem.sensitivity("mail", "rest", (0.0, 0.5, 1.0), discount_rate=0.2)
    assert table["states"].iloc[0] == ()
    assert set(table["states"].iloc[1]) < set(table["states"].iloc[2])
    assert table["value"].is_monotonic_increasing


def test_actions_and_states_must_fit_together(problem):
    with pytest.raises(ValueError, match="same actions"):
        DecisionChain({"mail": problem.chains["mail"]}, {"rest": [0] * 5})
    with pytest.raises(ValueError, match="other states"):
        DecisionChain(
            {"a": problem.chains["mail"], "b": Chain(["x"], [[1.0]])}, {"a": [0] * 5, "b": [0]}
        )
    with pytest.raises(ValueError, match="a policy is one of"):
        problem.value("post")


# ---- built from a measured response --------------------------------------------------------------

RECENCY = ["r1", "r2", "r3", "r4", "gone"]
STILL = [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]]
MEASURED = {"r1": 0.3, "r2": 0.2, "r3": 0.15, "r4": 0.05}


def test_a_measured_response_gives_the_matrices_made_by_hand():
    """Pfeifer & Carraway (2000): nobody orders without a contact, so moves are the response."""
    made = DecisionChain.from_response(
        Chain(RECENCY, STILL),
        MEASURED,
        order_state="r1",
        reward=[40, 0, 0, 0, 0],
        contact_cost=4,
        actions=("mail", "rest"),
    )
    mail = [
        [0.3, 0.7, 0, 0, 0],
        [0.2, 0, 0.8, 0, 0],
        [0.15, 0, 0, 0.85, 0],
        [0.05, 0, 0, 0, 0.95],
        [0, 0, 0, 0, 1],
    ]
    by_hand = DecisionChain(
        {"mail": Chain(RECENCY, mail), "rest": Chain(RECENCY, STILL)},
        {"mail": [36, -4, -4, -4, -4], "rest": [40, 0, 0, 0, 0]},
        {"mail": 4.0},
    )
    np.testing.assert_allclose(made.chains["mail"].dense(), mail, atol=1e-15)
    for how in ({"discount_rate": 0.2}, {"discount_rate": 0.2, "horizon": 4}):
        ours, theirs = made.best(**how), by_hand.best(**how)
        assert ours.actions == theirs.actions
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-12)
    ours = made.best_within(8.0, [1, 1, 1, 1, 0], discount_rate=0.2)
    assert ours.actions == by_hand.best_within(8.0, [1, 1, 1, 1, 0], discount_rate=0.2).actions


def test_other_moves_become_rarer_in_proportion_and_the_order_is_paid():
    rest = Chain(["bought", "quiet", "gone"], [[0.2, 0.6, 0.2], [0.1, 0.6, 0.3], [0, 0, 1]])
    made = DecisionChain.from_response(
        rest, [0.2, -0.1, 0], order_state="bought", reward=1.0, contact_cost=2.0, order_value=30.0
    )
    # 0.8 -> 0.6 of those who do not order; 0.9 -> 1
    wanted = [[0.4, 0.45, 0.15], [0.0, 2 / 3, 1 / 3], [0, 0, 1]]
    np.testing.assert_allclose(made.chains["contact"].dense(), wanted, atol=1e-15)
    np.testing.assert_allclose(made.rewards["contact"], [1 + 6 - 2, 1 - 3 - 2, -1])
    none = DecisionChain.from_response(
        rest, 0.0, order_state="bought", reward=1.0, contact_cost=0.0
    )
    np.testing.assert_array_equal(none.chains["contact"].dense(), rest.dense())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"response": {"r9": 0.1}}, r"response names \['r9'\]"),
        ({"response": 1.2}, r"is none in 5 states: 'r1' \(0 \+ 1.2\)"),
        ({"response": -0.1}, "is none in 5 states"),
        ({"response": [0.1, np.nan, 0, 0, 0]}, "response has values that are missing"),
        ({"order_state": "r9"}, "order_state='r9' must be one of"),
        ({"contact_cost": -1}, "contact_cost=-1 must be at least 0"),
    ],
)
def test_a_response_that_makes_no_chain_is_refused(change, words):
    given = {"response": MEASURED, "order_state": "r1", "reward": 0.0, "contact_cost": 1, **change}
    with pytest.raises(ValueError, match=words):
        DecisionChain.from_response(Chain(RECENCY, STILL), given.pop("response"), **given)
