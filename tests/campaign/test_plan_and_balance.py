"""Sizes of a test before it is made, and whether groups were alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.campaign import (
    campaign_effect,
    covariate_balance,
    detectable_response,
    entropy_balance,
    plan_test,
    sample_ratio_test,
)
from custvalue.exceptions import DataContractError, SmallSampleWarning

SHARES = np.repeat([0.0, 1.0], [950, 50])


def test_shares_of_five_and_six_percent_need_8158_customers_a_group():
    # Fleiss, Levin & Paik (2003), equation 4.14: two-sided 5 %, power 80 %, equal groups
    plan = plan_test(SHARES, effect=0.01)
    assert (plan.n_treated, plan.n_control) == (8158, 8158)
    assert plan_test(SHARES, n_customers=16316).effect == pytest.approx(
        detectable_response(8158, 8158, 0.05)
    )


def test_money_needs_the_textbooks_sixteen_times_the_variance(rng):
    past = rng.exponential(30.0, 5000)
    plan = plan_test(past, effect=3.0)
    # Lehr (1992): 16 s^2 / d^2 a group at 80 % and 5 %; (1.96 + 0.8416)^2 * 2 = 15.70
    assert plan.n_control == pytest.approx(15.70 * past.var() / 9.0, rel=2e-3)
    half = plan_test(past, effect=3.0, correlation=np.sqrt(0.5))
    assert half.n_customers == pytest.approx(plan.n_customers / 2, rel=1e-3)
    uneven = plan_test(past, effect=3.0, control_share=0.1)
    assert uneven.n_customers == pytest.approx(plan.n_customers * 0.25 / 0.09, rel=1e-3)


@pytest.mark.parametrize("past", [SHARES, np.repeat([0.0, 12.0, 30.0], [800, 100, 100])])
@pytest.mark.parametrize("more", [{}, {"n_campaigns": 3, "control_share": 0.4, "correlation": 0.5}])
def test_size_effect_and_power_are_one_relation(past, more):
    plan = plan_test(past, effect=0.05, power=0.9, **more)
    again = plan_test(past, n_customers=plan.n_customers, power=0.9, **more)
    assert again.effect == pytest.approx(0.05, rel=1e-3)
    both = plan_test(past, effect=0.05, n_customers=plan.n_customers, **more)
    assert both.power == pytest.approx(0.9, abs=1e-3)


def test_a_planned_test_sees_the_effect_as_often_as_it_said():
    rng = np.random.default_rng(2)
    plan = plan_test(
        rng.normal(30.0, 30.0, 100_000), effect=8.0, control_share=0.3, correlation=0.6
    )
    seen = 0
    for i in range(300):
        x, e = rng.normal(30.0, 30.0, (2, plan.n_customers))
        y = 0.6 * x + 0.8 * e
        n = plan.n_treated
        found = campaign_effect(y[:n] + 8.0, y[n:], before=(x[:n], x[n:]), n_draws=199, seed=i)
        seen += found.low > 0
    assert abs(seen / 300 - 0.8) < 3 * np.sqrt(0.16 / 300)


def test_a_plan_is_told_in_words_of_both_languages():
    plan = plan_test(SHARES, effect=0.01)
    assert "8,158 customers a campaign and 8,158 in control" in str(plan)
    assert "20.0 % of\n0.05" in str(plan)
    assert "对照组 8,158 位客户" in plan.sentence("zh")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "say effect="),
        ({"effect": 0.0}, "effect=0.0 must be finite and not 0"),
        ({"effect": 0.99}, "would make the share that buys 1.04"),
        ({"effect": 0.01, "control_share": 1.0}, "control_share=1.0 must be a share"),
        ({"effect": 0.01, "power": 1.0}, "power=1.0"),
        ({"effect": 0.01, "correlation": 1.0}, "correlation=1.0"),
        ({"effect": 0.01, "n_campaigns": 0}, "n_campaigns=0"),
        ({"n_customers": 1}, "leaves a group empty"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(asked, words):
    with pytest.raises(ValueError, match=words):
        plan_test(SHARES, **asked)


def test_past_outcomes_that_say_nothing_are_refused():
    with pytest.raises(DataContractError, match="all past outcomes are 0"):
        plan_test(np.zeros(50), effect=1.0)
    with pytest.raises(DataContractError, match="first: 1"):
        plan_test([1.0, np.nan], effect=1.0)
    with pytest.warns(SmallSampleWarning, match="below 20 the plan is rough"):
        plan_test(SHARES, n_customers=200)


def test_a_draw_that_was_random_is_called_uneven_one_time_in_twenty():
    rng, wrong, reps = np.random.default_rng(9), 0, 1000
    for _ in range(reps):
        x = np.column_stack([rng.exponential(1.0, 150), rng.normal(size=(150, 3))])
        wrong += covariate_balance(x[:100], x[100:]).p_value < 0.05
    assert abs(wrong / reps - 0.05) < 3 * np.sqrt(0.05 * 0.95 / reps)


def test_standardised_differences_are_over_the_mean_of_the_variances():
    a = pd.DataFrame({"past": [1.0, 2.0, 3.0], "age": [30.0, 40.0, 50.0]})
    b = pd.DataFrame({"age": [30.0, 50.0, 40.0], "past": [3.0, 5.0, 7.0]})
    found = covariate_balance(a, b)
    # means 2 and 5, variances 1 and 4
    assert found.difference == pytest.approx((-3.0 / np.sqrt(2.5), 0.0))
    assert found.worst == "past"
    assert found.table()["alike"].tolist() == [False, True]
    assert found.table("zh").columns[0] == "协变量"
    assert "联合检验" in found.sentence("zh")


def test_weights_by_entropy_meet_the_mean_of_the_treated():
    found = entropy_balance([1.0, 2.0, 4.0], 3.0)
    assert found.weights == pytest.approx([0.165487, 0.251769, 0.582744], abs=5e-7)
    assert found.n_eff == pytest.approx(2.323615, abs=5e-7)


def test_weights_of_several_columns_meet_all_means_and_are_of_the_exponential_kind(rng):
    x = rng.gamma(2.0, 3.0, (200, 3))
    goal = x[:40].mean(axis=0) + 0.5
    found = entropy_balance(x, goal)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.weights @ x == pytest.approx(goal)
    columns = np.column_stack([np.ones(200), x])
    log_w = np.log(found.weights)
    fitted = columns @ np.linalg.lstsq(columns, log_w, rcond=None)[0]
    assert np.abs(log_w - fitted).max() < 1e-8


def test_means_that_no_weights_meet_are_refused_by_name():
    table = pd.DataFrame({"past": [1.0, 2.0, 3.0], "age": [3.0, 4.0, 5.0]})
    with pytest.raises(DataContractError, match="past of the control customers is 1 to 3, its"):
        entropy_balance(table, {"past": 9.0, "age": 4.0})
    with pytest.raises(DataContractError, match="meet past, age together"):
        entropy_balance(table, {"past": 1.5, "age": 4.5})
    with pytest.raises(ValueError, match="target has"):
        entropy_balance(table, {"past": 2.0})
    with pytest.warns(SmallSampleWarning, match="few resemble"):
        entropy_balance(np.linspace(0, 1, 40), 0.98)


def test_groups_of_other_sizes_than_drawn_are_seen():
    # exact: twice the lower tail of 40 or fewer of 100 fair draws
    found = sample_ratio_test({"a": 60, "b": 40}, {"a": 0.5, "b": 0.5})
    assert found.p_value == pytest.approx(0.05688793, abs=1e-8)
    assert not found.mismatch
    three = sample_ratio_test({"a": 400, "b": 300, "c": 300}, dict.fromkeys("abc", 1 / 3))
    # (66.67^2 + 2 * 33.33^2) / 333.33 = 20, exp(-20 / 2)
    assert three.p_value == pytest.approx(np.exp(-10.0))
    assert three.mismatch
    assert three.table("zh").columns.tolist() == ["分组", "客户数", "应有客户数"]
    with pytest.raises(ValueError, match="add up to 1"):
        sample_ratio_test({"a": 60, "b": 40}, {"a": 0.5, "b": 0.6})
    with pytest.raises(ValueError, match="same two groups"):
        sample_ratio_test({"a": 60}, {"a": 1.0})
    with pytest.raises(ValueError, match="numbers of customers"):
        sample_ratio_test({"a": -1, "b": 40}, {"a": 0.5, "b": 0.5})
    with pytest.raises(ValueError, match="must be mappings of the groups' names"):
        sample_ratio_test([60, 40], [0.5, 0.5])
