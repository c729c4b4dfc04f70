"""Channels, buying centres, need windows and calls: the specification's numbers, and laws."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from custvalue.exceptions import DataContractError
from custvalue.funnel import (
    account_coverage,
    calls_needed,
    channel_attribution,
    contact_paths,
    contact_timing,
    need_window,
)
from custvalue.silence import GapPrior
from custvalue.silence._gap_prior import prob_longer_gap

TUTORIAL = pd.DataFrame(
    {"path": ["C1 > C2 > C3", "C1", "C2 > C3"], "conversions": [1, 0, 0], "nulls": [0, 1, 1]}
)
ADS = pd.DataFrame(
    {"path": ["ads", "mail", "ads > mail"], "conversions": [2, 1, 1], "nulls": [1, 0, 0]}
)


def test_the_removal_effect_of_the_tutorials():
    found = channel_attribution(TUTORIAL, order=1)
    assert found.conversion_rate == pytest.approx(1 / 3)
    np.testing.assert_allclose(found.table["removal_effect"], [0.5, 1, 1])
    np.testing.assert_allclose(found.table["markov"], [0.2, 0.4, 0.4])


def test_the_removal_effect_of_ads_and_mail():
    found = channel_attribution(ADS, order=1, value="conversions", costs={"ads": 1.2, "mail": 0.0})
    assert found.conversion_rate == pytest.approx(0.8)
    np.testing.assert_allclose(found.table["removal_effect"], [0.75, 0.5])
    np.testing.assert_allclose(found.table["markov"], [2.4, 1.6])
    np.testing.assert_allclose(found.table["return_per_cost"], [2.0, np.inf])


@pytest.mark.parametrize("order", [1, 2, 3, "auto"])
def test_every_way_to_give_credit_gives_all_conversions(order):
    table = channel_attribution(ADS, order=order, repeats="collapse").table
    for how in ("markov", "first", "last", "linear"):
        assert table[how].sum() == pytest.approx(4)


def test_one_channel_has_all_the_credit():
    one = pd.DataFrame({"path": ["ads > ads"], "conversions": [3], "nulls": [2]})
    assert channel_attribution(one).table["markov"].tolist() == [3.0]


def test_a_path_that_never_was_says_nothing():
    more = pd.concat([ADS, pd.DataFrame({"path": ["web"], "conversions": [0], "nulls": [0]})])
    pd.testing.assert_frame_equal(
        channel_attribution(more, order=1).table, channel_attribution(ADS, order=1).table
    )


def test_the_order_is_tested():
    # whether b converts hangs on what came before it: one channel back is not enough
    paths = pd.DataFrame({"path": ["a > b", "c > b"], "conversions": [90, 10], "nulls": [10, 90]})
    found = channel_attribution(paths)
    assert found.order == 2
    assert found.tests["p_value"][0] < 1e-6
    plain = pd.DataFrame({"path": ["a > b", "c > b"], "conversions": [50, 50], "nulls": [50, 50]})
    assert channel_attribution(plain).order == 1


def test_contacts_become_paths_and_a_conversion_ends_one():
    contacts = pd.DataFrame(
        {
            "customer": [1, 2, 1, 1, 2],
            "channel": ["mail", "ads", "ads", "web", "web"],
            "time": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-01", "2024-01-09",
                                    "2024-01-03"]),
            "conversion": [1, 0, 0, 0, 0],
            "paid": [50.0, 0, 0, 0, 0],
            "cost": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )  # fmt: skip
    paths = contact_paths(contacts, value="paid", cost="cost")
    assert paths["path"].tolist() == ["ads > mail", "web", "ads > web"]
    assert paths["conversions"].tolist() == [1, 0, 0]
    assert paths["value"].tolist() == [50.0, 0.0, 0.0]
    assert paths["cost"].tolist() == [4.0, 4.0, 7.0]


def test_resampled_shares_lie_around_the_estimate():
    many = ADS.assign(conversions=ADS["conversions"] * 100, nulls=ADS["nulls"] * 100)
    table = channel_attribution(many, order=1, n_draws=200, random_state=0).table
    assert (table["low"] < table["share"]).all()
    assert (table["share"] < table["high"]).all()
    assert (table["high"] - table["low"]).max() < 0.15


@pytest.mark.parametrize(
    ("change", "how", "message"),
    [
        ({"conversions": 0}, {}, "no path converted"),
        ({"path": ["ads", "", "mail"]}, {}, r"no-channel.*1 row, first: 1"),
        ({"nulls": -1}, {}, "negative-count"),
        ({}, {"order": 4}, "'auto', 1, 2 or 3"),
        ({}, {"repeats": "drop"}, "'keep' or 'collapse'"),
        ({}, {"costs": {"radio": 1.0}}, "names radio"),
        ({}, {"path": "way"}, "no column 'way'"),
    ],
)
def test_paths_that_cannot_be_are_refused(change, how, message):
    with pytest.raises(ValueError, match=message):
        channel_attribution(ADS.assign(**change), **how)


PEOPLE = pd.DataFrame(
    {
        "contact": ["Li", "Wang", "Zhao", "Sun"],
        "role": ["决策者", "influencer", "buyer", "user"],
        "influence": [0.4, 0.3, 0.2, 0.1],
        "level": [3, 1, 2, 0],
    }
)


def test_the_coverage_of_a_buying_centre():
    found = account_coverage(PEOPLE)
    assert found["coverage"][0] == pytest.approx(0.633333, abs=5e-7)
    assert not found["blocked"][0]
    assert account_coverage(PEOPLE.assign(level=[1, 3, 3, 3]))["blocked"][0]


def test_accounts_with_a_falling_level_or_a_long_silence_are_watched():
    two = pd.concat([PEOPLE.assign(account="a", before=[3, 2, 2, 0], S=0.2),
                     PEOPLE.assign(account="b", before=[3, 1, 2, 0], S=1.1),
                     PEOPLE.assign(account="c", before=[3, 1, 2, 0], S=0.9)])  # fmt: skip
    found = account_coverage(two, account="account", level_before="before", silence="S")
    assert found["watch"].tolist() == [True, True, False]
    assert account_coverage(PEOPLE.assign(owner=[*"abcd"]), keep=["owner"])["owner"][0] == "b"
    zh = account_coverage(two, account="account", language="zh")
    assert list(zh.columns) == ["客户", "联系人数", "覆盖度", "受阻", "最薄弱联系人", "需关注"]


def test_contacts_that_cannot_be_are_told_together():
    bad = PEOPLE.assign(role=["desider", "user", "user", "user"], level=[3, 4, 0, 0])
    with pytest.raises(DataContractError, match="Did you mean 'decider'") as caught:
        account_coverage(bad)
    assert len(caught.value.problems) == 2


PRIOR = GapPrior(2.0, 20.0)


def test_the_quantiles_of_the_next_gap():
    want = [1.597177, 4.441788, 11.152377, 23.963093, 43.866989]
    found = [
        need_window(PRIOR, 4, 55.0, low=0.0, high=q)[0, 1] for q in (0.1, 0.25, 0.5, 0.75, 0.9)
    ]
    np.testing.assert_allclose(found, want, atol=5e-7)
    after = [need_window(PRIOR, 4, 55.0, 15.0, low=0.0, high=q)[0, 1] for q in (0.1, 0.5, 0.9)]
    np.testing.assert_allclose(after, [16.916612, 28.382852, 67.640387], atol=5e-7)


def test_a_window_holds_the_gaps_that_its_chances_say():
    ends = need_window(PRIOR, [1, 4, 9], [0.0, 55.0, 200.0], [0.0, 15.0, 3.0], low=0.2, high=0.7)
    n, total, s = np.array([0, 3, 8]), np.array([0.0, 55.0, 200.0]), np.array([0.0, 15.0, 3.0])
    now = prob_longer_gap(s, n, total, PRIOR)
    for k, q in enumerate((0.2, 0.7)):
        later = prob_longer_gap(ends[:, k], n, total, PRIOR)
        np.testing.assert_allclose(1.0 - later / now, q, rtol=1e-12)


DAY = np.datetime64("2024-01-01")
ORDERS = pd.DataFrame({"customer": "Li", "time": DAY + np.array([0, 20, 20, 40, 55])})


def test_contacts_before_in_and_after_the_window():
    contacts = pd.DataFrame({"customer": "Li", "time": DAY + 55 + np.array([1, 5, 12, 30, 50])})
    found = contact_timing(contacts, ORDERS, PRIOR)
    assert found["contacts"].tolist() == [1, 3, 1, 0]
    assert found["share"].tolist() == [0.2, 0.6, 0.2, 0.0]


def test_a_contact_is_judged_by_the_orders_before_it_and_by_no_one_else_s():
    other = ORDERS.assign(customer="Wu", time=ORDERS["time"] + pd.Timedelta("300D"))
    both = pd.concat([other, ORDERS])
    contacts = pd.DataFrame(
        {"customer": ["Li", "Wu", "Wu", "Ma"], "time": DAY + np.array([5, 301, 100, 5])}
    )
    # after one order: e = 2, b = 20, the window is 1.08 to 43.2 days
    found = contact_timing(contacts, both, PRIOR)["contacts"]
    assert found.tolist() == [1, 1, 0, 2]
    assert contact_timing(contacts, both, PRIOR, language="zh")["时机"].tolist()[1] == "窗口期之内"


@pytest.mark.parametrize(("confidence", "calls"), [(0.5, 88), (0.8, 141), (0.9, 174)])
def test_calls_for_three_leads(confidence, calls):
    assert calls_needed(3, 1 / 33, confidence) == calls


def test_the_mean_number_of_calls_fails_on_four_days_in_ten():
    assert binom.sf(2, 99, 1 / 33) == pytest.approx(0.580, abs=5e-4)
    assert binom.sf(2, 80, 1 / 33) == pytest.approx(0.438, abs=5e-4)


@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("p", [0.01, 0.4, 1.0])
def test_one_call_less_is_not_enough(k, p):
    n = calls_needed(k, p, 0.8)
    assert binom.sf(k - 1, n, p) >= 0.8
    assert n == k or binom.sf(k - 1, n - 1, p) < 0.8


def test_figures_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="k is a whole number"):
        calls_needed(3, 0.0)
    with pytest.raises(ValueError, match="n_orders below 1"):
        need_window(PRIOR, [0], [1.0])
    with pytest.raises(ValueError, match="regularity=2"):
        need_window(GapPrior(1.0, 1.0, 2), [1], [0.0])
    with pytest.raises(ValueError, match="rise between 0 and 1"):
        need_window(PRIOR, [1], [0.0], low=0.9, high=0.1)
    with pytest.raises(DataContractError, match="has no rows"):
        contact_timing(ORDERS.iloc[:0], ORDERS, PRIOR)
    with pytest.raises(DataContractError, match="first: 0"):
        contact_timing(ORDERS, ORDERS.assign(time="soon"), PRIOR)
