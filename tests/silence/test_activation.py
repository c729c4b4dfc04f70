"""The win-back list, its control group, and what a campaign brought."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlog1py, xlogy
from scipy.stats import fisher_exact, ttest_ind

from custvalue.exceptions import SmallSampleWarning
from custvalue.silence import activation_plan, campaign_effect, detectable_response

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
    assert (plan["expected_gain"].diff().dropna() <= 0).all()
    worth = plan["group"].isin(["treat", "control", "out of budget"])
    assert (worth == (plan["expected_gain"] > 0)).all()
    even = plan["break_even_response"] * plan["value"] * 0.5
    assert np.allclose(even[plan["value"] > 0.01], plan["contact_cost"][plan["value"] > 0.01])


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
    with pytest.raises(ValueError, match="margin=nan must be a share"):
        campaign_effect(np.ones(40), np.ones(40), margin=np.nan)


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


def test_a_detectable_response_is_found_in_as_many_campaigns_as_the_power_says(rng):
    n, m, base = 2000, 600, 0.08
    response = detectable_response(n, m, base, power=0.8)
    found = np.mean(
        [
            campaign_effect(
                rng.random(n) < base + response, rng.random(m) < base, contact_cost=0.1
            ).low
            > 0
            for _ in range(400)
        ]
    )
    assert abs(found - 0.8) < 0.08


def score_ends(a, n, b, m):
    """Ends of the score interval by maximising the binomial likelihood on a grid of differences."""

    def beyond(delta):
        def against(q):
            with np.errstate(divide="ignore", invalid="ignore"):
                return -(
                    xlogy(a, q + delta)
                    + xlog1py(n - a, -(q + delta))
                    + xlogy(b, q)
                    + xlog1py(m - b, -q)
                )

        limits = max(0.0, -delta) + 1e-12, min(1.0, 1.0 - delta) - 1e-12
        q = minimize_scalar(against, bounds=limits, method="bounded", options={"xatol": 1e-12}).x
        p = q + delta
        variance = (p * (1 - p) / n + q * (1 - q) / m) * (n + m) / (n + m - 1)
        return (a / n - b / m - delta) ** 2 - 1.959963984540054**2 * variance

    seen = a / n - b / m
    return brentq(beyond, -0.9999, seen - 1e-9), brentq(beyond, seen + 1e-9, 0.9999)


@pytest.mark.parametrize(
    "hits", [(56, 70, 48, 80), (9, 40, 2, 30), (18, 900, 0, 100), (3, 9, 7, 8)]
)
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
def test_shares_have_the_score_interval_of_the_constrained_likelihood(hits):
    a, n, b, m = hits
    found = campaign_effect(np.arange(n) < a, np.arange(m) < b)
    assert (found.low, found.high) == pytest.approx(score_ends(*hits), abs=1e-6)
    money = campaign_effect(30.0 * (np.arange(n) < a), 30.0 * (np.arange(m) < b))
    assert (money.low, money.high) == pytest.approx((30 * found.low, 30 * found.high))


def test_shares_have_the_published_interval():
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, Miettinen & Nurminen, case a
    found = campaign_effect(np.arange(70) < 56, np.arange(80) < 48)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0528, 0.3382)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@pytest.mark.parametrize(
    ("a", "n", "b", "m"),
    [(18, 900, 0, 100), (5, 450, 0, 50), (9, 900, 3, 100), (30, 900, 0, 100), (60, 900, 0, 100)],
)
def test_a_gain_of_a_share_is_one_that_fishers_exact_test_sees(a, n, b, m):
    p = fisher_exact([[a, n - a], [b, m - b]]).pvalue
    found = campaign_effect(np.arange(n) < a, np.arange(m) < b)
    assert (found.low > 0 or found.high < 0) == (p < 0.05)


@pytest.mark.parametrize("sizes", [(6, 4), (4, 6), (5, 5)])
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
def test_money_is_judged_as_all_splits_of_the_customers_judge_it(rng, sizes):
    n, m = sizes
    said = right = 0
    for _ in range(16):
        x, y = rng.exponential(3.0, n) + 1.5 * (rng.random() < 0.5), rng.exponential(1.0, m)
        both = np.concatenate([x, y])
        t = []
        for pick in combinations(range(n + m), n):
            inside = np.isin(np.arange(n + m), pick)
            t.append(ttest_ind(both[inside], both[~inside], equal_var=False).statistic)
        t = np.sort(t)
        mine = ttest_ind(x, y, equal_var=False).statistic
        tails = np.minimum(np.searchsorted(t, t + 1e-9), len(t) - np.searchsorted(t, t - 1e-9))
        own = min((t <= mine + 1e-9).sum(), (t >= mine - 1e-9).sum())
        p = (tails <= own).mean()
        if abs(p - 0.1) < 0.03:
            continue  # 2,000 shuffles cannot tell
        found = campaign_effect(x, y, confidence=0.9, n_draws=2000)
        right += (found.low > 0 or found.high < 0) == (p <= 0.1)
        said += 1
    assert said > 8
    assert right == said


def spend(kind, n, rng):
    if kind == "normal":
        return rng.normal(100, 30, n)
    if kind == "one in twenty orders":
        return (rng.random(n) < 0.05) * rng.gamma(2, 30, n)
    if kind == "mostly zero, lognormal":
        return (rng.random(n) < 0.1) * rng.lognormal(3, 1.3, n)
    if kind == "infinite variance":
        return rng.pareto(1.8, n)
    return (rng.random(n) < 0.01) * rng.gamma(2, 30, n)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@pytest.mark.parametrize("method", ["auto", "bootstrap"])
@pytest.mark.parametrize(
    "kind",
    [
        "normal",
        "one in twenty orders",
        "mostly zero, lognormal",
        "infinite variance",
        "one in a hundred orders",
    ],
)
def test_a_campaign_without_effect_is_called_one_in_nineteen_of_twenty(kind, method):
    rng = np.random.default_rng(5)
    reps = 500 if method == "auto" else 120
    found = [
        campaign_effect(spend(kind, 900, rng), spend(kind, 100, rng), n_draws=199, method=method)
        for _ in range(reps)
    ]
    wrong = np.mean([f.low > 0 or f.high < 0 for f in found])
    gains = np.mean([f.low > 0 for f in found])
    error = np.sqrt(0.05 * 0.95 / reps)
    assert abs(wrong - 0.05) < 3 * error
    assert gains < 0.025 + 3 * np.sqrt(0.025 * 0.975 / reps)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@pytest.mark.parametrize(("p", "q"), [(0.1, 0.05), (0.05, 0.1), (0.01, 0.02), (0.3, 0.2)])
@pytest.mark.parametrize("sizes", [(900, 100), (100, 900), (600, 600)])
def test_the_interval_covers_the_true_effect_as_often_as_it_says(p, q, sizes):
    rng = np.random.default_rng(8)
    n, m = sizes
    missed = 0
    for i in range(200):
        x = (rng.random(n) < p) * rng.gamma(2, 30, n)
        y = (rng.random(m) < q) * rng.gamma(2, 30, m)
        found = campaign_effect(x, y, n_draws=199, seed=i)
        missed += not found.low <= 60 * (p - q) <= found.high
    assert missed / 200 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("method", ["auto", "permutation", "bootstrap", "welch"])
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
def test_the_unit_of_money_does_not_matter(rng, method):
    x, y = (spend("one in twenty orders", n, rng) for n in (300, 100))
    one, other = (campaign_effect(k * x, k * y, method=method) for k in (1.0, 4096.0))
    assert [v * 4096 for v in (one.low, one.high)] == pytest.approx([other.low, other.high])
    assert one.low < one.effect < one.high


def test_welchs_interval_is_that_of_scipy(rng):
    x, y = rng.exponential(12, 300), rng.exponential(10, 100)
    right = ttest_ind(x, y, equal_var=False).confidence_interval(0.9)
    found = campaign_effect(x, y, confidence=0.9, method="welch")
    assert (found.low, found.high) == pytest.approx((right.low, right.high))


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
def test_groups_of_equal_outcomes_and_of_zeros_have_an_interval():
    few = campaign_effect([12.0, 12.0], [9.0, 9.0])
    assert few.low < 0 < 3.0 < few.high  # three ways to pair four customers prove nothing
    none = campaign_effect(np.zeros(900), np.zeros(100))
    assert none.low < 0 < none.high


def test_a_method_that_does_not_fit_is_refused(rng):
    with pytest.raises(ValueError, match="method='score' compares shares"):
        campaign_effect(rng.exponential(1, 40), np.zeros(40), method="score")
    with pytest.raises(ValueError, match="method='t' must be one of"):
        campaign_effect(np.ones(40), np.zeros(40), method="t")


def test_few_buyers_in_a_group_are_said_however_large_it_is():
    with pytest.warns(SmallSampleWarning, match="900 treated and 100 control.*18 and 0 brought"):
        campaign_effect(np.arange(900) < 18, np.zeros(100))


def test_the_net_effect_takes_margin_and_contact_cost_off(rng):
    found = campaign_effect(np.full(40, 12.0), np.full(40, 9.0), margin=0.5, contact_cost=0.5)
    assert found.effect == found.low == found.high == 3.0
    assert found.net == (1.0, 1.0, 1.0)
    assert found.total == (40.0, 40.0, 40.0)
    with pytest.warns(SmallSampleWarning, match="5 treated and 40 control.* 5 and 40"):
        campaign_effect(np.ones(5), np.ones(40))
    with pytest.raises(ValueError, match="control must hold"):
        campaign_effect(np.ones(5), [np.nan, 1.0])
