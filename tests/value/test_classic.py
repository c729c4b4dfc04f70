"""Textbook formulas and classic methods: published figures, limits, and what estimators learn."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import custvalue as cv
from custvalue._portable import seal
from custvalue.exceptions import ArtefactError, DataContractError, HorizonError, TimeUnitError
from custvalue.value import (
    CellMeans,
    RateForward,
    RecencyMigration,
    RetentionValue,
    SameForAll,
    migration_value,
    profit_curve_value,
    repeat_sale_value,
    retention_value,
    s_curve_profit,
)

LOG = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}


@pytest.fixture(scope="module")
def summary(cdnow_sample):
    return cv.summarize(cdnow_sample, **LOG, unit="W")


@pytest.fixture(scope="module")
def panel(cdnow_sample):
    return cv.panel(cdnow_sample, **LOG, period="4W")


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("bn.case1", {"years": 10}),
        ("bn.case2a", {"years": 4, "years_between_sales": 0.5}),
        ("bn.case2b", {"years": 9, "years_between_sales": 3}),
    ],
)
def test_regular_sales_are_worth_what_berger_and_nasr_say(reference, name, kwargs):
    entry = reference("value")[name]
    given = entry["inputs"]
    found = repeat_sale_value(given["GC"], given["M"], given["r"], given["d"], **kwargs)
    assert found == pytest.approx(entry["value"], abs=entry["tolerance"])


def test_a_profit_that_grows_and_levels_off_is_worth_what_they_say(reference):
    entry = reference("value")["bn.case3"]
    i = entry["inputs"]

    def curve(t):
        return s_curve_profit(t, h=i["h"], v=i["v"], g=i["g"], N=i["N"])

    found = profit_curve_value(curve, i["r"], i["d"], years=i["n"])
    assert found == pytest.approx(entry["value"], abs=entry["tolerance"])
    from scipy.integrate import quad

    whole = quad(lambda t: float(curve(t)) * (0.9 / 1.2) ** t, 0, 8, points=[4])[0]
    smooth = profit_curve_value(curve, 0.9, 0.2, years=8, continuous=True, bends=(4.0,))
    assert smooth == pytest.approx(whole, rel=1e-9)


def test_migration_is_worth_what_they_say_and_counts_their_buyers(reference):
    entry = reference("value")["bn.case5"]
    i = entry["inputs"]
    found = migration_value(i["GC"], i["M"], i["p"], i["d"], n_periods=i["n"])
    assert found == pytest.approx(entry["value"], abs=entry["tolerance"])
    free = [migration_value(1, 0, i["p"], 0.0, n_periods=n) for n in range(5)]
    np.testing.assert_allclose(np.diff(free), i["C_i"][1:], atol=1e-4)


def test_migration_is_the_value_of_pfeifer_and_carraways_chain_but_for_the_timing_of_mailings():
    p = np.array([0.3, 0.2, 0.15, 0.05])
    matrix = np.zeros((5, 5))
    for j in range(4):
        matrix[j, 0], matrix[j, j + 1] = p[j], 1 - p[j]
    matrix[4, 4] = 1.0
    state, value = np.eye(5)[0], 0.0
    for t in range(5):
        value += 40 * state[0] / 1.2**t
        if t < 4:
            value -= 4 * state[:4].sum() / 1.2 ** (t + 0.5)
        state = state @ matrix
    assert migration_value(40, 4, p, 0.2, n_periods=4) == pytest.approx(value, rel=1e-12)


def test_constant_retention_has_its_closed_form(reference):
    assert retention_value(3000, 10 / 11, 0.0) == pytest.approx(
        reference("value")["ret.phpoms.simple"]["value"], abs=0.1
    )
    long = retention_value(10.0, 0.8, 0.1, n_periods=500)
    assert retention_value(10.0, 0.8, 0.1) == pytest.approx(long)
    assert long == pytest.approx(10 * 0.8 / (1 + 0.1 - 0.8))
    now = retention_value(10.0, 0.8, 0.1, first="now")
    assert now - long == pytest.approx(10.0)
    varying = retention_value([5, 6, 7], [0.5, 1.0, 0.2], 0.0)
    assert varying == pytest.approx(5 * 0.5 + 6 * 0.5 + 7 * 0.1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: retention_value(1, 1.2, 0.1), "must be a share"),
        (lambda: retention_value(1, 1.0, 0.0), "no end"),
        (lambda: retention_value([1, 2], 0.5, 0.1, n_periods=3), "2 periods; 3 are asked"),
        (lambda: migration_value(1, 1, [0.5, -0.1], 0.1, n_periods=3), "must be a share"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_rate_carried_forward_repeats_the_past(summary):
    model = RateForward(margin=0.5).fit(summary)
    assert model.forecast_.min_span == pytest.approx(summary["T"].mean())
    old = summary[summary["T"] >= model.forecast_.min_span]
    np.testing.assert_allclose(
        model.predict(old, horizon="26W"), 0.5 * old["total_value"] / old["T"] * 26
    )
    assert model.unit_ == "W"
    profit = old.assign(total_profit=0.1 * old["total_value"])
    own = RateForward(horizon="26W", min_span=1.0).fit(profit)
    np.testing.assert_allclose(own.predict(profit), 0.1 * old["total_value"] / old["T"] * 26)


def test_money_is_discounted_as_it_comes_or_at_a_point_of_its_month(summary):
    old = summary[summary["T"] >= summary["T"].mean()]
    rate = old["total_value"] / old["T"]
    model = RateForward(horizon="12M", annual_discount_rate=0.1).fit(summary)
    d = np.log(1.1)
    year = 365.25 / 7
    np.testing.assert_allclose(model.predict(old), rate * year * (1 - np.exp(-d)) / d)
    months = np.arange(12)
    for timing, shift in (("start", 0.0), ("middle", 0.5), ("end", 1.0)):
        paid = (1.1 ** -((months + shift) / 12)).sum() * year / 12
        model.set_params(timing=timing)
        np.testing.assert_allclose(model.predict(old), rate * paid)
    forever = RateForward(horizon="forever", annual_discount_rate=0.1).fit(summary)
    np.testing.assert_allclose(forever.predict(old), rate * year / d)
    with pytest.raises(HorizonError, match="annual_discount_rate above 0"):
        forever.set_params(annual_discount_rate=0.0).predict(old)


def test_a_contact_cost_is_paid_for_every_month(summary):
    free = RateForward(horizon="12M").fit(summary).predict(summary)
    dear = RateForward(horizon="12M", contact_cost=2.0).fit(summary).predict(summary)
    np.testing.assert_allclose(free - dear, 24.0)


def test_a_customer_of_yesterday_is_not_taken_for_a_daily_buyer():
    table = pd.DataFrame({"n_orders": [1, 1], "total_value": [100.0, 100.0], "T": [0.0, 50.0]})
    out = RateForward(horizon=50.0).fit(table).predict(table)
    assert out[0] == pytest.approx(200.0)  # seen for the mean time of 25 at least


def test_customers_lost_for_good_are_worth_nothing_and_the_others_their_rate(summary):
    model = RetentionValue(lapse="12W").fit(summary)
    value = model.predict(summary, "52W")
    lost = summary["silence"].to_numpy() > 12
    assert (value[lost] == 0).all()
    assert (value[~lost] > 0).all()
    by_horizon = [model.predict(summary, h).sum() for h in ("4W", "26W", "52W", "520W")]
    assert (np.diff(by_horizon) > 0).all()
    discounted = clone(model).set_params(annual_discount_rate=0.2).fit(summary)
    assert (discounted.predict(summary, "52W") <= value).all()
    costly = clone(model).set_params(contact_cost=5.0).fit(summary)
    assert (costly.predict(summary, "52W")[lost] == 0).all()  # nobody writes to the lost
    # a customer who may leave is contacted for less than the whole year
    paid = (value - costly.predict(summary, "52W"))[~lost]
    assert np.ptp(paid) < 1e-9
    assert 0.0 < paid[0] < 5.0 * 52 * 7 / 30.4375
    exposure = summary["recency"] + np.minimum(summary["silence"], 12)
    assert model.forecast_.leaving_rate == pytest.approx(lost.sum() / exposure.sum())


def test_who_spent_the_same_over_twice_the_time_is_worth_half():
    table = pd.DataFrame({"silence": [2.0, 2, 9, 2], "recency": [38.0, 78, 1, 2],
                          "n_orders": [3, 3, 2, 2], "total_value": [60.0, 60, 30, 9]})  # fmt: skip
    value = RetentionValue(lapse=8.0, horizon=50.0).fit(table).predict(table)
    assert value[1] == pytest.approx(0.5 * value[0])
    # the last was seen for less than the mean time until a lapse, (40 + 80 + 1 + 8 + 4) / 4
    assert value[3] / value[0] == pytest.approx((9 / 33.25) / (60 / 40))


def test_simulated_leavers_give_back_their_rate(rng):
    n, rate, orders = 20_000, 0.02, 1.0
    life = rng.exponential(1 / rate, n)
    T = np.full(n, 60.0)
    until = np.minimum(life, T)
    last = until - np.minimum(rng.exponential(1 / orders, n), until)
    table = pd.DataFrame(
        {"silence": T - last, "recency": last, "n_orders": 1 + last * orders, "total_value": 1.0}
    )
    model = RetentionValue(lapse=8.0).fit(table)
    assert model.forecast_.leaving_rate == pytest.approx(rate, rel=0.2)


def test_chances_by_recency_are_counts_of_the_panel(panel):
    model = RecencyMigration(n_recency=6).fit(panel)
    rows = panel.sort_values(["customer_id", "period"])
    after = rows.groupby("customer_id")["orders"].shift(-1)
    for j in range(6):
        at = (rows["silence"] == j) & after.notna()
        assert model.forecast_.counts[j] == at.sum()
        assert model.forecast_.buy_chances[j] == pytest.approx((after[at] > 0).mean(), abs=0.01)


def test_migration_forecasts_follow_the_formula(panel):
    model = RecencyMigration(n_recency=4).fit(panel)
    learned = model.forecast_
    model.forecast_ = replace(learned, buy_chances=np.array([0.3, 0.2, 0.15, 0.05]))
    buyer = panel[panel["silence"] == 0].iloc[[0]]
    found = model.predict(buyer, "16W")[0]
    each = buyer["mean_value"].iloc[0] * learned.orders_per_buying_period
    expected = migration_value(1, 0, model.forecast_.buy_chances, 0.0, n_periods=4) - 1
    assert found == pytest.approx(each * expected)
    half = model.predict(buyer, "2W")[0]
    assert half == pytest.approx(each * 0.3 * 0.5)
    lost = panel[panel["silence"] >= 4].iloc[[0]]
    assert model.predict(lost, "52W")[0] == 0.0
    costly = clone(model).set_params(contact_cost=1.0).fit(panel)
    free = clone(model).fit(panel)
    assert costly.predict(buyer, "4W")[0] == pytest.approx(free.predict(buyer, "4W")[0] - 1.0)


def test_the_spread_of_migration_is_that_over_all_paths(panel):
    chances = [0.3, 0.2, 0.15, 0.05]
    model = RecencyMigration(n_recency=4, annual_discount_rate=0.0).fit(panel)
    model.forecast_ = replace(model.forecast_, buy_chances=np.array(chances), variation=0.7)
    buyer = panel[panel["silence"] == 0].iloc[[0]]
    each = buyer["mean_value"].iloc[0] * model.forecast_.orders_per_buying_period
    # every path of three periods: buying makes silence 0, else it grows; after four nobody buys
    paths = [(1.0, 0, 0)]
    for _ in range(3):
        paths = [
            step
            for chance, silence, bought in paths
            for p in [chances[silence] if silence < 4 else 0.0]
            for step in (
                (chance * p, 0, bought + 1),
                (chance * (1 - p), silence + 1, bought),
            )
        ]
    mean = sum(chance * bought for chance, _, bought in paths)
    square = sum(chance * bought**2 for chance, _, bought in paths)
    variance, none = model._spread(model._read(buyer), model.terms("12W"))
    # money of a buying period has mean `each` and variance 0.7 each^2
    assert variance[0] == pytest.approx(each**2 * (square - mean**2 + 0.7 * mean))
    assert none[0] == pytest.approx(sum(chance for chance, _, bought in paths if not bought))


def test_weights_of_any_size_mean_the_same_to_the_mean_of_all(summary):
    weight = 1.0 + np.arange(len(summary)) % 3
    large, tiny = (
        SameForAll(horizon="52W").fit(summary, sample_weight=weight * c) for c in (1.0, 1e-12)
    )
    np.testing.assert_allclose(tiny.predict(summary), large.predict(summary), rtol=1e-9)
    assert tiny.new_customer_value() == pytest.approx(large.new_customer_value(), rel=1e-9)


def test_periods_of_another_length_are_not_read(panel, cdnow_sample):
    model = RecencyMigration(horizon="52W").fit(panel)
    weekly = cv.panel(cdnow_sample, **LOG, period="1W")
    with pytest.raises(TimeUnitError, match="'4W'"):
        model.predict(weekly)


def test_a_table_that_is_no_panel_is_refused():
    with pytest.raises(DataContractError, match=r"custvalue\.panel"):
        RecencyMigration().fit(pd.DataFrame({"period": [0], "silence": [0]}))


# nested cells of a base of one-time buyers: fewer classes than asked, and said so
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
def test_cell_means_are_means_of_cells_and_shrink_to_everybodys(summary):
    y = summary["total_value"].to_numpy() * 0.5 + summary["silence"].to_numpy()
    bare = CellMeans(n_bins=3, prior_size=0.0, horizon="26W").fit(summary, y)
    out = bare.predict(summary)
    scores = bare._scores(summary)
    want = pd.Series(y).groupby([scores["R"], scores["F"], scores["M"]]).transform("mean")
    np.testing.assert_allclose(out, want)
    assert out.sum() == pytest.approx(y.sum())
    # twice the time brings twice as much
    np.testing.assert_allclose(bare.predict(summary, "52W"), 2.0 * want)
    shrunk = CellMeans(n_bins=3, prior_size=1e12, horizon="26W").fit(summary, y).predict(summary)
    np.testing.assert_allclose(shrunk, y.mean(), rtol=1e-6)
    with pytest.raises(ValueError, match="one a row"):
        CellMeans(horizon="26W").fit(summary, y[:-1])
    with pytest.raises(HorizonError, match="how far to look"):
        CellMeans().fit(summary, y)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
def test_cell_means_come_back_from_json_to_the_bit_or_not_at_all(summary):
    y = summary["total_value"].to_numpy()
    model = CellMeans(n_bins=3, horizon="26W", margin=0.4).fit(summary, y)
    plain = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    again = CellMeans.from_dict(plain)
    np.testing.assert_array_equal(again.predict(summary, "40W"), model.predict(summary, "40W"))
    assert again.to_dict() == model.to_dict()
    assert len(json.dumps(plain)) < 20_000  # cells and cuts, no customer's row
    row = summary.iloc[0].to_dict()
    assert again.scorer()(row) == model.predict(summary)[0]
    for name in ("rfm", "cells"):
        broken = {k: v for k, v in json.loads(json.dumps(plain)).items() if k != "checksum"}
        broken["learned"]["cells"][name] = None
        with pytest.raises(ArtefactError, match=r"CellMeans|a written model is a dictionary"):
            CellMeans.from_dict(seal(broken))
    with pytest.raises(ArtefactError, match="checksum"):
        CellMeans.from_dict({**plain, "features": ["x"]})


def test_weights_of_cell_means_count_as_repetition(summary):
    few = summary.head(300)
    y = few["total_value"].to_numpy()
    w = np.arange(300) % 3
    a = CellMeans(n_bins=2, horizon="26W").fit(few, y, sample_weight=w)
    assert a.forecast_.cells[:, 3].sum() == w.sum()
    assert a.forecast_.overall == pytest.approx(np.average(y, weights=w))


# nested cells of a base of one-time buyers: fewer classes than asked, and said so
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
def test_the_backtest_ranks_the_classic_methods(cdnow_sample):
    from custvalue.evaluation import backtest

    result = backtest(
        {"retention": RetentionValue(), "migration": RecencyMigration(), "cells": CellMeans()},
        cdnow_sample,
        customer="customer_id",
        time="date",
        amount="amount",
        cutoffs=["1997-09-30"],
        horizon="39W",
    )
    scores = result.table.set_index("estimator")
    for name in ("retention", "migration", "cells"):
        # each beats the rate carried forward, which counts nobody as gone
        assert scores.loc[name, "mae"] < scores.loc["rate carried forward", "mae"]
        assert np.isfinite(result.predictions[name]).all()
