"""What a campaign brought more than no campaign, and what its groups can show."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import xlog1py, xlogy
from scipy.stats import fisher_exact, ttest_ind

from custvalue.campaign import _shuffles, campaign_effect, detectable_response
from custvalue.exceptions import SmallSampleWarning


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


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@pytest.mark.parametrize(("n", "m"), [(20, 20), (40, 10)])
def test_where_nobody_orders_the_interval_is_that_of_shares(n, m):
    # with a share of 0 in the other group, all that is likely of a difference d is its own share:
    # d^2 = z^2 d (1 - d) / n (n + m) / (n + m - 1)
    found = campaign_effect(np.zeros(n), np.zeros(m))
    high, low = (1.959963984540054**2 / k * (n + m) / (n + m - 1) for k in (n, m))
    assert (found.low, found.high) == pytest.approx((-low / (1 + low), high / (1 + high)))


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@pytest.mark.parametrize("ordered", ["treated", "control"])
def test_orders_of_one_size_in_one_group_alone_are_shares(ordered):
    some, none = 30.0 * (np.arange(200) < 60), np.zeros(200)
    a, b = (some, none) if ordered == "treated" else (none, some)
    found, share = campaign_effect(a, b), campaign_effect(a > 0, b > 0)
    assert (found.low, found.high) == pytest.approx((30 * share.low, 30 * share.high))
    assert found.standard_error is None


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
def test_one_loss_for_everybody_is_money_and_no_share():
    found = campaign_effect(np.full(20, -5.0), np.full(30, -5.0))
    assert (found.low, found.effect, found.high) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="compares shares"):
        campaign_effect(np.full(20, -5.0), np.full(30, -5.0), method="score")


def test_blocks_of_large_groups_are_shuffled_whole_and_who_is_left_over_stays(monkeypatch):
    monkeypatch.setattr(_shuffles, "MOST", 2)
    # one bit a customer: 3 blocks of two and one left over, 2 blocks of two and one left over
    x, y = np.split(2.0 ** np.arange(12)[None], [7], axis=1)
    a, b = _shuffles._shuffled(x, y, 400, np.random.default_rng(0))
    assert (a + b == 2**12 - 1).all()
    assert {int(v).bit_count() for v in b[0]} == {5}
    assert len(np.unique(b)) == 10  # two of five blocks
    stayed = np.bitwise_and.reduce(a[0].astype(int)), np.bitwise_and.reduce(b[0].astype(int))
    assert [int(v).bit_count() for v in stayed] == [1, 1]
    assert stayed[0] < 2**7 <= stayed[1]


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
    with pytest.raises(ValueError, match="margin=nan must be a share"):
        campaign_effect(np.ones(40), np.ones(40), margin=np.nan)
    with pytest.raises(ValueError, match="control must hold"):
        campaign_effect(np.ones(5), [np.nan, 1.0])
