"""What a plan would have brought: hand sums, simulated truths and one public experiment."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custvalue.campaign import UpliftModel, policy_value
from custvalue.exceptions import DataContractError

FOLDER = Path(os.environ.get("CUSTVALUE_DATA", Path(__file__).parents[3] / "shared" / "data"))


def drawn(seed, n=400):
    """Treatment adds ``b``, whose mean over those with ``b`` above 0 is sqrt(2 / pi)."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n))
    arm = rng.integers(0, 2, n)
    y = 5 + 2 * a + arm * b + rng.normal(size=n)
    return pd.DataFrame({"a": a, "b": b}), y, arm


def named(table, policy):
    return table[table["policy"] == policy].iloc[0]


def test_everybody_less_nobody_is_the_difference_of_the_means():
    _, y, arm = drawn(0, 301)
    table = policy_value(np.ones(301, bool), y, arm, margin=0.5, contact_cost=0.1)
    plain = 0.5 * (y[arm == 1].mean() - y[arm == 0].mean()) - 0.1
    assert named(table, "nobody")["gain"] == pytest.approx(plain, abs=1e-12)
    assert named(table, "nobody")["value"] == pytest.approx(0.5 * y[arm == 0].mean())
    assert named(table, "everybody")["gain"] == named(table, "everybody")["gain_error"] == 0
    assert named(table, "random of the same size")["gain"] == pytest.approx(0, abs=1e-12)


def test_a_plan_is_weighed_by_the_chances_of_its_arms_by_hand():
    # without guesses that tell anything a score is the outcome over the chance of the arm
    y, arm = np.array([6.0, 0, 4, 2]), np.array(["mail", "none", "none", "call"])
    e = np.array([[0.5, 0.2, 0.3], [0.5, 0.2, 0.3], [0.8, 0.1, 0.1], [0.5, 0.1, 0.4]])
    e = e[:, [0, 2, 1]]  # none, call, mail
    plan = np.array(["mail", "mail", "none", "call"])
    table = policy_value(
        plan, y, arm, control="none", propensity=e, expected=np.zeros((4, 3)),
        contact_cost={"mail": 1.0, "call": 2.0},
    )  # fmt: skip
    first = (6 / 0.2 - 1) + (0 - 1) + 4 / 0.8 + (2 / 0.4 - 2)
    assert table["value"][0] == pytest.approx(first / 4)
    assert table["policy"].tolist()[1:4] == ["nobody", "everybody", "everybody"]
    assert table["arm"].tolist()[1:4] == ["none", "call", "mail"]
    assert named(table, "nobody")["value"] == pytest.approx((4 / 0.8) / 4)


@pytest.mark.parametrize("guessed", [False, True])
def test_intervals_cover_the_truth_of_a_plan(guessed):
    """Truth a customer: nobody 5, everybody 5, plan of b > 0 brings E[b; b > 0] = .3989 more."""
    n_runs, more = 600, 1 / np.sqrt(2 * np.pi)
    held = np.zeros(4)
    for seed in range(n_runs):
        X, y, arm = drawn(seed)
        guess = np.column_stack([5 + 2 * X["a"], 5 + 2 * X["a"] + X["b"]]) if guessed else None
        table = policy_value(X["b"] > 0, y, arm, expected=guess, propensity={1: 0.5})
        truth = [more, more, more]
        held[:3] += (
            (table["gain_lower"][1:] < truth) & (truth < table["gain_upper"][1:])
        ).to_numpy()
        held[3] += table["lower"][0] < 5 + more < table["upper"][0]
    assert (np.abs(held / n_runs - 0.95) < 4 * np.sqrt(0.05 * 0.95 / n_runs)).all()


def test_good_guesses_narrow_the_value():
    X, y, arm = drawn(1, 4000)
    folds = UpliftModel(LinearRegression()).out_of_fold(X, y, treatment=arm)
    wide = policy_value(X["b"] > 0, y, arm)
    narrow = policy_value(X["b"] > 0, y, arm, expected=folds.expected, propensity=folds.propensity)
    assert narrow["gain_error"][1] < 0.6 * wide["gain_error"][1]
    made = policy_value(folds.uplift > 0, y, arm, expected=folds.expected)
    assert named(made, "random of the same size")["gain_lower"] > 0


def test_the_email_experiment_gives_its_published_differences():
    path = FOLDER / "email_experiment.parquet"
    if not path.exists():
        pytest.skip("email_experiment.parquet is not beside the project")
    table = pd.read_parquet(path)
    found = policy_value(
        np.full(len(table), "No E-Mail"), table["spend"], table["segment"], control="No E-Mail"
    )
    everybody = found[found["policy"] == "everybody"].set_index("arm")
    assert everybody["gain"]["Mens E-Mail"] == pytest.approx(-0.7698, abs=5e-5)
    assert everybody["gain"]["Womens E-Mail"] == pytest.approx(-0.4244, abs=5e-5)
    assert everybody["gain_error"]["Mens E-Mail"] == pytest.approx(0.1452, rel=0.01)


def test_a_plan_is_told_in_chinese():
    X, y, arm = drawn(2)
    table = policy_value(X["b"] > 0, y, arm, language="zh")
    assert not any(str(word).isascii() for word in table["方案"])
    assert not any(name.isascii() for name in table.columns)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"plan": [2, 0, 1, 1]}, DataContractError, "plan has arms such as 2; the experiment"),
        ({"plan": [np.nan, 0, 1, 1]}, DataContractError, "plan has arms such as nan"),
        ({"plan": [1, 0]}, ValueError, "plan has shape"),
        ({"y": [1.0, np.nan, 0, 2]}, DataContractError, "missing or infinite outcomes"),
        ({"treatment": [1, 1, 1, 1]}, DataContractError, "no customer has treatment=0"),
        ({"propensity": {1: 1.0}}, DataContractError, "not strictly between 0 and 1"),
        ({"contact_cost": -1.0}, ValueError, "contact_cost=-1.0 must be finite and at least 0"),
        ({"contact_cost": {3: 1.0}}, ValueError, r"it must name each arm of \[1\]"),
        ({"expected": np.ones(4)}, ValueError, r"must be \(4, 2\) finite numbers"),
        ({"margin": 30}, ValueError, "margin"),
        ({"level": 95}, ValueError, "level=95"),
    ],
)
def test_what_tells_no_value_is_refused(change, kind, words):
    given = {"plan": [1, 0, 1, 1], "y": [1.0, 2, 3, 4], "treatment": [1, 0, 1, 0], **change}
    with pytest.raises(kind, match=words):
        policy_value(given.pop("plan"), given.pop("y"), given.pop("treatment"), **given)
