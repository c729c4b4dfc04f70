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
