"""Effects adjusted by what was known before the campaign, of ratios, of several campaigns."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import ttest_ind

from custvalue.campaign import campaign_effect
from custvalue.exceptions import DataContractError, NotSupportedError, SmallSampleWarning

# Six treated and four control units, before and after
TREATED = (np.array([10.0, 12, 9, 11, 13, 8]), np.array([14.0, 15, 12, 15, 17, 11]))
CONTROL = (np.array([9.0, 10, 8, 11]), np.array([10.0, 11, 10, 12]))
few = pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")


def by_least_squares(y, treated, x):
    """Coefficient of the group in a regression on it and the covariates."""
    columns = np.column_stack([np.ones(len(y)), treated, x])
    return np.linalg.lstsq(columns, y, rcond=None)[0][1]


@few
def test_after_only_and_change_by_change_are_welchs():
    after = campaign_effect(TREATED[1], CONTROL[1], method="welch")
    assert (after.effect, after.standard_error) == pytest.approx((3.25, 1.014479), abs=5e-7)
    change = campaign_effect(TREATED[1] - TREATED[0], CONTROL[1] - CONTROL[0], method="welch")
    assert (change.effect, change.standard_error) == pytest.approx((2.25, 0.335410), abs=5e-7)
    assert (change.low, change.high) == pytest.approx((1.457410, 3.042590), abs=5e-7)


@few
def test_the_covariate_form_of_the_units():
    found = campaign_effect(TREATED[1], CONTROL[1], before=(TREATED[0], CONTROL[0]), method="welch")
    assert found.adjusted.slopes == pytest.approx([1.044444], abs=5e-7)
    assert found.adjusted.correlation == pytest.approx(0.957888, abs=5e-7)
    assert found.adjusted.unadjusted == 3.25
    assert (found.effect, found.standard_error) == pytest.approx((2.205556, 0.343772), abs=5e-7)
    assert (found.low, found.high) == pytest.approx((1.372902, 3.038209), abs=5e-7)


@pytest.mark.parametrize("method", ["permutation", "welch", "bootstrap"])
def test_the_effect_is_the_groups_coefficient_of_a_regression(rng, method):
    n, k = 400, 3
    x = rng.normal(size=(n, k)) @ rng.normal(size=(k, k)) + 50.0
    treated = np.arange(n) < 250
    y = x @ [1.0, -2.0, 0.5] + 3.0 * treated + rng.exponential(4.0, n)
    found = campaign_effect(
        y[treated], y[~treated], before=(x[treated], x[~treated]), method=method, n_draws=199
    )
    assert found.effect == pytest.approx(by_least_squares(y, treated, x))
    within = np.column_stack([np.ones(n), treated])
    rest = [v - within @ np.linalg.lstsq(within, v, rcond=None)[0] for v in (y, x)]
    slopes = np.linalg.lstsq(rest[1], rest[0], rcond=None)[0]
    assert found.adjusted.slopes == pytest.approx(slopes)
    left = rest[0] - rest[1] @ slopes
    assert found.adjusted.variance_left == pytest.approx((left @ left) / (rest[0] @ rest[0]))
    assert found.adjusted.customers_saved == pytest.approx(1 - found.adjusted.variance_left)


def test_covariates_that_repeat_each_other_or_never_change_do_not_matter(rng):
    x = rng.normal(1e6, 1.0, (300, 1))
    y = x[:, 0] + rng.normal(size=300)
    more = np.column_stack([x, 2 * x + 1, np.full(300, 7.0)])
    one = campaign_effect(y[:200], y[200:], before=(x[:200], x[200:]), n_draws=99)
    other = campaign_effect(y[:200], y[200:], before=(more[:200], more[200:]), n_draws=99)
    assert other.effect == pytest.approx(one.effect)
    assert (other.low, other.high) == pytest.approx((one.low, one.high))


@few
def test_an_adjusted_test_is_exact_over_all_splits_of_the_customers(rng):
    n, m = 6, 4
    said = right = 0
    for _ in range(14):
        x = rng.normal(size=n + m)
        y = 2 * x + rng.exponential(1.0, n + m) + 2.0 * (np.arange(n + m) < n)
        left = y - np.polyval(np.polyfit(x, y, 1), x)
        t = []
        for pick in combinations(range(n + m), n):
            inside = np.isin(np.arange(n + m), pick)
            t.append(ttest_ind(left[inside], left[~inside], equal_var=False).statistic)
        t = np.sort(t)
        mine = ttest_ind(left[:n], left[n:], equal_var=False).statistic
        tails = np.minimum(np.searchsorted(t, t + 1e-9), len(t) - np.searchsorted(t, t - 1e-9))
        own = min((t <= mine + 1e-9).sum(), (t >= mine - 1e-9).sum())
        p = (tails <= own).mean()
        if abs(p - 0.1) < 0.03:
            continue  # 2,000 shuffles cannot tell
        # one is negative, so the widening for few buyers does not come in
        low = y.min() + 1.0
        found = campaign_effect(
            y[:n] - low, y[n:] - low, before=(x[:n], x[n:]), confidence=0.9, n_draws=2000
        )
        right += (found.low > 0 or found.high < 0) == (p <= 0.1)
        said += 1
    assert said > 6
    assert right == said


@few
@pytest.mark.parametrize("k", [1, 8])
@pytest.mark.parametrize("sizes", [(300, 60), (60, 40)])
def test_adjusted_intervals_hold_the_effect_as_often_as_they_say(k, sizes):
    rng = np.random.default_rng(11)
    n, m = sizes
    reps, missed, gains = 200, 0, 0
    for i in range(reps):
        x = rng.gamma(1.0, 20.0, (n + m, k))
        y = (rng.random(n + m) < 0.3) * rng.gamma(2.0, 0.5 * x.mean(axis=1) + 1.0)
        shift = np.arange(n + m) < n
        found = campaign_effect(
            (y + 2.0 * shift)[:n], y[n:], before=(x[:n], x[n:]), n_draws=199, seed=i
        )
        missed += not found.low <= 2.0 <= found.high
        none = campaign_effect(y[:n], y[n:], before=(x[:n], x[n:]), n_draws=199, seed=i)
        gains += none.low > 0 or none.high < 0
    error = np.sqrt(0.05 * 0.95 / reps)
    assert missed / reps < 0.05 + 3 * error
    assert abs(gains / reps - 0.05) < 3 * error


def test_blocks_of_customers_give_the_interval_that_customers_give(rng, monkeypatch):
    x, y = rng.gamma(1.0, 20.0, 3000), rng.gamma(1.0, 19.0, 2500)
    one = campaign_effect(x, y, n_draws=4000)
    monkeypatch.setattr("custvalue.campaign._shuffles.MOST", 400)
    other = campaign_effect(x, y, n_draws=4000)
    width = one.high - one.low
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.08 * width)
    wrong = 0
    for i in range(150):
        a, b = rng.pareto(1.8, 1300), rng.pareto(1.8, 900)
        found = campaign_effect(a, b, n_draws=199, seed=i)
        wrong += found.low > 0 or found.high < 0
    assert abs(wrong / 150 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 150)


@pytest.fixture(scope="module")
def emails():
    path = Path(os.environ.get("CUSTVALUE_DATA", "")) / "email_experiment.parquet"
    if not path.is_file():
        pytest.skip("email_experiment.parquet is not beside the project")
    table = pd.read_parquet(path)
    return dict(list(table.groupby("segment")))


def test_hillstroms_mails_brought_what_was_published(emails):
    names = {"men": "Mens E-Mail", "women": "Womens E-Mail"}
    none = emails["No E-Mail"]
    spend = campaign_effect({k: emails[v]["spend"] for k, v in names.items()}, none["spend"])
    assert spend["men"].effect == pytest.approx(0.769827, abs=5e-7)
    assert spend["men"].standard_error == pytest.approx(0.145247, abs=1e-6)
    assert spend["women"].effect == pytest.approx(0.424412, abs=5e-7)
    assert spend["women"].standard_error == pytest.approx(0.130333, abs=1e-6)
    visits = campaign_effect({k: emails[v]["visit"] for k, v in names.items()}, none["visit"])
    assert visits["men"].effect == pytest.approx(0.076590, abs=5e-7)
    assert visits["women"].effect == pytest.approx(0.045233, abs=5e-7)
    assert spend.table()["verdict"].tolist() == ["gain", "gain"]


def test_past_spend_tells_nothing_of_hillstroms_two_weeks_and_the_result_says_so(emails):
    mail, none = emails["Mens E-Mail"], emails["No E-Mail"]
    found = campaign_effect(
        mail["spend"], none["spend"], before=(mail["history"], none["history"]), n_draws=499
    )
    assert found.adjusted.correlation == pytest.approx(0.02, abs=0.005)
    assert "no gain by adjusting" in str(found)
    assert "调整无益" in found.sentence("zh")


def test_a_ratio_is_all_spend_over_all_orders_with_the_error_of_the_delta_method(rng):
    n, m = 600, 300
    orders = rng.poisson(2.0, n + m).astype(float)
    spend = orders * rng.gamma(4.0, 5.0, n + m)
    t = slice(0, n), slice(n, None)
    found = campaign_effect(spend[t[0]], spend[t[1]], per=(orders[t[0]], orders[t[1]]))
    ratio = [spend[s].sum() / orders[s].sum() for s in t]
    assert (found.mean_treated, found.mean_control) == pytest.approx(ratio)
    variance = 0.0
    for s, r in zip(t, ratio, strict=True):
        c = np.cov(spend[s], orders[s])
        part = c[0, 0] - 2 * r * c[0, 1] + r * r * c[1, 1]
        variance += part / orders[s].mean() ** 2 / len(orders[s])
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    assert found.low < found.effect < found.high
    assert "a count" in str(found)
    with pytest.raises(NotSupportedError, match="fewer orders are left"):
        found.net  # noqa: B018
    with pytest.raises(ValueError, match="not of a ratio"):
        campaign_effect(spend[t[0]], spend[t[1]], per=(orders[t[0]], orders[t[1]]), margin=0.3)


def test_the_interval_of_a_ratio_holds_it_as_often_as_it_says():
    rng, missed, reps = np.random.default_rng(3), 0, 200
    for i in range(reps):
        orders = rng.poisson(0.5, 700).astype(float)
        size = rng.gamma(4.0, 5.0, 700) + 3.0 * (np.arange(700) < 500)
        spend = orders * size
        found = campaign_effect(
            spend[:500], spend[500:], per=(orders[:500], orders[500:]), n_draws=199, seed=i
        )
        missed += not found.low <= 3.0 <= found.high
    assert abs(missed / reps - 0.05) < 3 * np.sqrt(0.05 * 0.95 / reps)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
def test_a_small_group_s_ratio_is_missed_no_more_often_than_said():
    rng, missed, reps = np.random.default_rng(4), 0, 250
    for i in range(reps):
        orders = rng.poisson(0.7, 130).astype(float)
        spend = orders * rng.gamma(4.0, 5.0, 130)
        spend[:100] += 3.0 * orders[:100]
        found = campaign_effect(
            spend[:100], spend[100:], per=(orders[:100], orders[100:]), n_draws=199, seed=i
        )
        missed += not found.low <= 3.0 <= found.high
    assert abs(missed / reps - 0.05) < 2.5 * np.sqrt(0.05 * 0.95 / reps)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
def test_every_shuffle_of_a_ratio_has_its_own_error():
    a, b = np.array([8.0, 1.0, 5.0]), np.array([2.0, 0.0, 7.0])
    n, m = np.array([2.0, 1.0, 3.0]), np.array([1.0, 0.0, 2.0])
    found = campaign_effect(a, b, per=(n, m), n_draws=4000, confidence=0.6)
    y, count = np.concatenate([a, b]), np.concatenate([n, m])
    statistics = []
    for chosen in combinations(range(6), 3):
        inside = np.isin(np.arange(6), chosen)
        gap, error = 0.0, 0.0
        for sign, rows in ((1, inside), (-1, ~inside)):
            ratio = y[rows].sum() / count[rows].sum()
            gap += sign * ratio
            part = (y[rows] - ratio * count[rows]) / count[rows].mean()
            error += part.var(ddof=1) / 3
        statistics.append(gap / np.sqrt(error))
    # an end is the effect less one of the 20 statistics times the observed error
    assert found.low < 0.0
    critical = (found.effect - found.low) / found.standard_error
    assert np.isclose(statistics, critical).any()


def test_several_campaigns_hold_together_as_often_as_one():
    rng, wrong, own, reps = np.random.default_rng(4), 0, 0, 150
    for i in range(reps):
        sent = {name: rng.exponential(9.0, 120) for name in "abcd"}
        table = campaign_effect(sent, rng.exponential(9.0, 120), n_draws=499, seed=i).table()
        wrong += (table["verdict"] != "not seen").any()
        own += ((table["low"] > 0) | (table["high"] < 0)).any()
    assert wrong / reps < 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)
    assert own / reps > 0.08


def test_what_one_campaign_of_several_brought_is_what_it_brought_alone(rng):
    a, b, c = (rng.exponential(9.0, 200) for _ in range(3))
    found = campaign_effect({"a": a, "b": b}, c)
    alone = campaign_effect(a, c)
    assert (found["a"].effect, found["a"].low, found["a"].high) == (
        alone.effect,
        alone.low,
        alone.high,
    )
    low, high = found["a"].simultaneous
    assert low < alone.low < alone.high < high
    assert "2 campaigns against one control group" in str(found)
    assert list(found.table("zh").columns[:2]) == ["活动", "处理组人数"]


def test_effects_of_groups_are_drawn_towards_each_other(rng):
    n = 4000
    group = rng.choice(["north", "south", "east", "west"], n)
    treated = rng.random(n) < 0.5
    y = rng.normal(20.0, 8.0, n) + 1.0 * treated
    found = campaign_effect(
        y[treated], y[~treated], groups=(group[treated], group[~treated]), n_draws=499
    )
    table = found.group_table().set_index("group")
    inside = group == "north"
    alone = campaign_effect(y[treated & inside], y[~treated & inside], n_draws=499)
    assert table.loc["north", ["effect", "low", "high"]].tolist() == [
        alone.effect,
        alone.low,
        alone.high,
    ]
    assert np.ptp(table["shrunk"]) < 0.7 * np.ptp(table["effect"])
    width = table["high"] - table["low"], table["shrunk_high"] - table["shrunk_low"]
    assert (width[1] < width[0]).all()
    assert (table["note"] == "").all()
    with pytest.raises(NotSupportedError, match="no groups were given"):
        alone.group_table()


@pytest.mark.parametrize("before", [5.0, np.ones((40, 2, 2))])
def test_what_was_known_before_is_one_row_a_customer(before):
    y = np.arange(40.0)
    with pytest.raises(DataContractError) as caught:
        campaign_effect(y, y, before=(before, before))
    shape = np.shape(before)
    assert [str(p.message) for p in caught.value.problems] == [
        f"before of {name} has shape {shape}" for name in ("control", "treated")
    ]


def test_eight_schools_are_drawn_together_as_published():
    from custvalue.campaign._shrink import shrink

    # Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., tables 5.2 and 5.3 (medians, rounded)
    effect = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    error = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    found = shrink(effect, error)
    assert np.abs(found.mean - [10, 8, 7, 8, 5, 6, 10, 8]).max() < 1.6
    assert 3.0 < found.spread < 8.0


def test_a_shrunk_interval_holds_the_groups_effect_as_often_as_it_says():
    from custvalue.campaign._shrink import shrink

    rng, held = np.random.default_rng(6), []
    for spread in (0.0, 1.0, 4.0):
        for _ in range(400):
            truth = rng.normal(2.0, spread, 6)
            error = rng.uniform(0.7, 2.0, 6)
            found = shrink(rng.normal(truth, error), error)
            held.append(np.abs(found.mean - truth) < 1.96 * found.error)
    assert np.mean(held) > 0.94
    assert np.mean(held) < 0.985


@few
def test_a_group_of_few_buyers_is_drawn_by_the_spread_of_all_groups():
    # six customers a group; 0 and 1 in the third spread less than those of all groups
    treated = {"a": [9.0, 0, 6, 3, 0, 12], "b": [5.0, 9, 0, 0, 1, 3], "c": [1.0, 0, 0, 0, 0, 0]}
    control = {"a": [4.0, 0, 2, 0, 0, 6], "b": [0.0, 8, 3, 0, 1, 0], "c": [0.0, 0, 0, 0, 1, 0]}
    long = [
        pd.DataFrame([(name, y) for name, some in rows.items() for y in some], columns=["g", "y"])
        for rows in (treated, control)
    ]
    found = campaign_effect(
        long[0]["y"], long[1]["y"], groups=(long[0]["g"], long[1]["g"]), method="welch"
    )
    table = found.group_table().set_index("group")
    within = sum(((rows["y"] - rows["y"].mean()) ** 2).sum() for rows in long)
    pooled = np.sqrt(within / (18 + 18 - 2) * (1 / 6 + 1 / 6))
    errors = np.maximum(table["standard_error"], pooled)
    assert errors["c"] == pooled
    from custvalue.campaign._shrink import shrink

    right = shrink(table["effect"].to_numpy(), errors.to_numpy())
    assert table["shrunk"].to_numpy() == pytest.approx(right.mean)
    width = (table["shrunk_high"] - table["shrunk_low"]).to_numpy() / 2
    assert width == pytest.approx(1.959963984540054 * right.error)


@few
def test_a_group_without_two_customers_says_why_it_has_no_effect(rng):
    group = np.array(["a"] * 40 + ["b"])
    found = campaign_effect(
        rng.exponential(1, 41), rng.exponential(1, 41), groups=(group, group), n_draws=99
    )
    table = found.group_table().set_index("group")
    assert table.loc["b", "note"] == "fewer than two customers in a group"
    assert np.isnan(table.loc["b", "effect"])
    assert table.loc["a", "note"].startswith("fewer than three groups")


def test_rows_are_matched_by_the_customers_of_the_index(rng):
    ids = [f"c{i}" for i in range(60)]
    y = pd.Series(rng.exponential(5, 60), index=ids)
    x = pd.DataFrame({"past": y + rng.normal(size=60), "age": rng.normal(size=60)}, index=ids)
    one = campaign_effect(y[:30], y[30:], before=(x[:30], x[30:]), n_draws=99)
    mixed = x[:30].sample(frac=1.0, random_state=1)[["age", "past"]]
    other = campaign_effect(y[:30], y[30:], before=(mixed, x[30:]), n_draws=99)
    assert other.effect == pytest.approx(one.effect)
    assert one.adjusted.names == ("past", "age")
    third = pl.from_pandas(x[30:].reset_index(drop=True))
    again = campaign_effect(y[:30], y[30:], before=(x[:30], third), n_draws=99)
    assert again.effect == pytest.approx(one.effect)


def test_everything_wrong_with_the_groups_is_said_together():
    treated = pd.Series([1.0, np.nan, 3.0, 4.0], index=["a", "b", "c", "c"])
    control = pd.Series([1.0, 2.0, 0.0], index=["c", "d", "e"])
    with pytest.raises(DataContractError) as error:
        campaign_effect(
            treated,
            control,
            before=([1.0, 2.0, 3.0], [1.0, np.inf, 2.0]),
            groups=(["x"] * 4, ["x", None, "y"]),
        )
    codes = [p.code for p in error.value.problems]
    assert codes == [
        "missing-covariate",
        "missing-group",
        "missing-outcome",
        "length",
        "repeated-customer",
        "overlapping-groups",
    ]
    text = str(error.value)
    assert "before of treated has 3 rows, but treated 4 customers" in text
    assert "customers are in control and in treated (1 row, first: c)" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"treated": [1.0]}, "treated must hold the outcome of at least two"),
        ({"control": ["x", "y"]}, "control has values that are no numbers"),
        ({"before": np.ones(4)}, "before must be a pair"),
        ({"before": (np.ones((4, 2)), np.ones((4, 1)))}, "Pass the same covariates"),
        ({"before": ([1, 1, 1, 1], [0, 0, 0, 0])}, "tell treated from control"),
        ({"per": ([1, 1, -1, 1], [1, 1, 1, 1])}, "per of treated is negative"),
        ({"per": ([1, 1, 1, 1], [0, 0, 0, 0])}, "per of control is 0 for everybody"),
        ({"contact_cost": -1.0}, "contact_cost=-1.0 must be 0 or more"),
        ({"method": "score", "before": ([1, 2, 3, 4], [1, 2, 3, 5])}, "without covariates"),
        ({"treated": {}}, "treated has no campaign"),
        ({"treated": {"control": [1.0, 2.0]}}, "called 'control'"),
        ({"treated": {"a": [1.0, 2.0]}, "before": ([1, 2], [1, 2, 3, 4])}, "with the keys"),
    ],
)
def test_bad_input_is_named(change, words):
    good = {"treated": [1.0, 2.0, 0.0, 4.0], "control": [1.0, 2.0, 0.0, 3.0]}
    asked = {**good, **change}
    with pytest.raises(ValueError, match=words):
        campaign_effect(asked.pop("treated"), asked.pop("control"), **asked)


def test_few_buyers_of_a_campaign_are_told_by_its_name():
    with pytest.warns(SmallSampleWarning, match="letter and 40 control"):
        campaign_effect({"letter": np.zeros(40)}, np.ones(40), n_draws=99)


def test_a_forecast_saves_cdnow_45_percent_of_the_customers_and_past_spend_35(cdnow):
    import custvalue as cv

    names = {"customer": "customer_id", "time": "date", "amount": "amount", "unit": "W"}
    first = cv.summarize(cdnow, **names, as_of="1997-09-30")
    later = cv.summarize(cdnow, **names, as_of="1998-06-30").set_index("customer_id")
    spent = later["total_value"].reindex(first["customer_id"]).to_numpy() - first["total_value"]
    forecast = cv.CustomerValue(horizon="39W", margin=1.0).fit(first).predict(first)
    drawn = np.random.default_rng(0).random(len(first)) < 0.5
    left = {}
    for name, x in (("past", first["total_value"].to_numpy()), ("forecast", forecast)):
        found = campaign_effect(
            spent[drawn], spent[~drawn], before=(x[drawn], x[~drawn]), n_draws=99
        )
        left[name] = found.adjusted.variance_left
    assert left == pytest.approx({"past": 0.647, "forecast": 0.552}, abs=0.002)
