"""Customer-base audits: everything adds up to the ledger, and is what plain pandas counts."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custvalue as cv
from custvalue.audit import (
    activity_grid,
    base_flow,
    cohort_audit,
    cohort_layers,
    payback,
    period_audit,
    period_bridge,
    reorder_table,
    repeat_rates,
)
from custvalue.exceptions import DataContractError

NAMES = {"customer": "id", "time": "day", "amount": "paid"}


def log_of(rows, as_of="2024-12-31", **more):
    table = pd.DataFrame(rows, columns=["id", "day", "paid"])
    return cv.TransactionLog(table, **NAMES, as_of=as_of, **more)


def days_of(numbers):
    return np.datetime64("2023-01-01") + np.asarray(numbers)


rows_of_logs = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 699), st.integers(1, 50)), min_size=2, max_size=40
).map(lambda rows: [(who, days_of(day), float(paid)) for who, day, paid in rows])


def plain(rows):
    """The orders: one a customer and day."""
    table = pd.DataFrame(rows, columns=["id", "day", "paid"])
    table["day"] = pd.to_datetime(table["day"])
    return table.groupby(["id", "day"], as_index=False)["paid"].sum()


@settings(max_examples=25)
@given(rows_of_logs)
def test_the_base_of_a_period_is_that_before_with_new_returned_and_without_lost(rows):
    table = base_flow(log_of(rows), "month")
    before = np.r_[0, table["customers"][:-1]]
    assert (table["customers"] == before + table["new"] + table["returned"] - table["lost"]).all()
    orders = plain(rows)
    assert table["new"].sum() == orders["id"].nunique()
    assert table["orders"].sum() == len(orders)
    assert np.isclose(table["spend"].sum(), orders["paid"].sum())
    month = orders["day"].dt.strftime("%Y-%m")
    counted = orders.groupby(month)["id"].nunique()
    assert table.set_index("period")["customers"].loc[counted.index].tolist() == counted.tolist()


@settings(max_examples=25)
@given(rows_of_logs)
def test_layers_of_cohorts_add_up_to_every_period(rows):
    orders = plain(rows)
    for value, wanted in (("spend", orders["paid"].sum()), ("orders", len(orders))):
        layers = cohort_layers(log_of(rows), "quarter", value=value)
        assert np.isclose(layers.to_numpy().sum(), wanted)
    first = orders.groupby("id")["day"].transform("min")
    quarter = [f"{d.year}-Q{d.quarter}" for d in orders["day"]]
    born = [f"{d.year}-Q{d.quarter}" for d in first]
    counted = orders.groupby([np.array(quarter), np.array(born)])["id"].nunique()
    layers = cohort_layers(log_of(rows), "quarter", value="customers")
    for (period, cohort), n in counted.items():
        assert layers.loc[period, cohort] == n
    assert layers.to_numpy().sum() == counted.sum()


@settings(max_examples=25)
@given(rows_of_logs)
def test_both_views_of_a_bridge_add_up_to_the_difference(rows):
    orders = plain(rows)
    spans = ("2023-01-01", "2023-10-31"), ("2023-12-01", "2024-12-01")
    inside = [orders["day"].between(*span) for span in spans]
    if not inside[0].any() or not inside[1].any():
        return
    table = period_bridge(log_of(rows, margin=0.25), *spans)
    was, now = (0.25 * orders["paid"][mask].sum() for mask in inside)
    totals = table[table["part"] == "total"]
    assert np.allclose(totals[["before", "after", "effect"]], [was, now, now - was])
    for _, view in table[table["part"] != "total"].groupby("view"):
        assert np.isclose(view["effect"].sum(), now - was)
    levers = table[(table["view"] == "levers") & (table["part"] != "total")]
    assert np.isclose(levers["before"].prod(), was)
    assert np.isclose(levers["after"].prod(), now)
    two = set(orders["id"][inside[0]]) & set(orders["id"][inside[1]])
    kept = table[table["part"] == "kept"].iloc[0]
    assert np.isclose(
        kept["before"], 0.25 * orders["paid"][inside[0] & orders["id"].isin(two)].sum()
    )


def test_effects_of_levers_are_the_mean_over_all_orders_of_moving_them():
    # 2 customers x 1 order x 10 before; 3 customers x 2 orders x 5 after
    rows = [(1, "2024-01-05", 10.0), (2, "2024-01-06", 10.0)]
    rows += [(who, f"2024-02-{d:02d}", 5.0) for who in (1, 2, 3) for d in (1, 9)]
    table = period_bridge(log_of(rows), ("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-02-29"))
    was, now = (2.0, 1.0, 10.0), (3.0, 2.0, 5.0)
    wanted = np.zeros(3)
    for order in permutations(range(3)):
        value = list(was)
        for k in order:
            old = np.prod(value)
            value[k] = now[k]
            wanted[k] += (np.prod(value) - old) / 6
    assert np.allclose(table["effect"][:3], wanted)
    assert wanted.sum() == pytest.approx(10.0)
    who = table[table["view"] == "who"].set_index("part")["effect"]
    assert who.to_dict() == {"kept": 0.0, "lost": 0.0, "returned": 0.0, "new": 10.0, "total": 10.0}


def test_a_bridge_holds_where_the_margin_turns_negative():
    table = pd.DataFrame(
        {
            "id": [1, 1],
            "day": ["2024-01-05", "2024-02-05"],
            "paid": [10.0, 10.0],
            "gain": [4.0, -2.0],
        }
    )
    log = cv.TransactionLog(table, **NAMES, as_of="2024-12-31", profit="gain")
    got = period_bridge(log, ("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-02-29"))
    effect = got[got["view"] == "levers"].set_index("part")["effect"]
    assert effect["margin"] == effect["total"] == pytest.approx(-6.0)


def test_tenths_are_those_of_plain_pandas():
    rng = np.random.default_rng(0)
    rows = [(i, "2024-03-01", float(paid)) for i, paid in enumerate(rng.permutation(100) + 1)]
    table = period_audit(log_of(rows), "2024-01-01", "2024-06-30")
    assert table["customers"].tolist() == [10] * 10 + [100]
    assert table["spend"].iloc[0] == sum(range(91, 101))
    assert table["spend"].iloc[-1] == 5050
    assert table["share"].iloc[:-1].sum() == pytest.approx(1.0)
    assert (table["orders_each"] * table["basket"] * table["customers"]).iloc[3] == pytest.approx(
        table["spend"].iloc[3]
    )


def test_a_cohort_month_by_month_by_hand():
    rows = [
        (1, "2024-01-05", 10.0), (1, "2024-01-20", 10.0), (1, "2024-03-02", 4.0),
        (2, "2024-01-31", 6.0), (2, "2024-02-01", 6.0),
        (3, "2024-02-02", 99.0),
    ]  # fmt: skip
    table = cohort_audit(log_of(rows, "2024-03-15"), "2024-01-01", "2024-01-31")
    assert table["customers"].tolist() == [2, 1, 1]
    assert table["orders"].tolist() == [3, 1, 1]
    assert table["spend_to_date"].tolist() == [13.0, 16.0, 18.0]
    assert table["finished"].tolist() == [True, True, False]


def test_a_month_pays_back_when_the_profit_of_all_of_the_cohort_reaches_the_cost():
    rows = [(1, "2024-01-01", 10.0), (1, "2024-02-15", 10.0), (2, "2024-01-10", 4.0)]
    log = log_of(rows, "2024-04-30", margin=0.5)
    # a customer: 3.5 in month 1, 6.0 from month 2 (day 45 is in the second month)
    found = {c: payback(log, c).iloc[0] for c in (3.5, 3.6, 6.0, 6.1)}
    assert [found[c]["payback_month"] for c in (3.5, 3.6, 6.0)] == [1, 2, 2]
    assert found[6.1]["state"] == "not yet"
    assert found[6.1]["payback_month"] is pd.NA
    assert found[6.1]["months_known"] == 3  # of the younger: 2024-01-10 to 2024-04-30
    assert found[6.1]["profit_to_date"] == 6.0
    assert payback(log, {"2024-01": 6.0}).loc[0, "payback_month"] == 2


def test_repeat_and_repurchase_rates_by_hand():
    rows = [
        (1, "2024-01-05", 1.0), (1, "2024-01-20", 1.0), (1, "2024-02-02", 1.0),
        (2, "2024-01-31", 1.0), (3, "2024-02-01", 1.0), (3, "2024-03-01", 1.0),
    ]  # fmt: skip
    table = repeat_rates(log_of(rows, "2024-03-20")).set_index("period")
    assert table["repeat_rate"].tolist() == [0.5, 0.0, 0.0]
    assert table["repurchase_rate"].iloc[0] == 0.5
    assert table["repurchase_rate"].iloc[1:].isna().all()  # March is not over
    assert table["finished"].tolist() == [True, True, False]


def test_a_share_that_orders_again_follows_those_who_can_still_come():
    # after the first order: one back after 10 days, one after 40, one followed for 20 days only
    rows = [
        (1, "2024-01-01", 1.0), (1, "2024-01-11", 1.0),
        (2, "2024-01-01", 1.0), (2, "2024-02-10", 1.0),
        (3, "2024-03-01", 1.0),
    ]  # fmt: skip
    table = reorder_table(log_of(rows, "2024-03-21"), within=(30, 40, 90), up_to=1).iloc[0]
    assert table["within_30"] == pytest.approx(1 / 3)  # 1 - 2/3
    assert table["within_40"] == pytest.approx(1.0)  # 1 - 2/3 * 0/1: the third is out by day 20
    assert np.isnan(table["within_90"])  # nobody was followed so long
    assert (table["customers"], table["reordered"]) == (3, 2)
    assert (table["gap_25"], table["gap_50"]) == (10.0, 40.0)


def test_without_censoring_shares_are_plain_shares():
    rng = np.random.default_rng(1)
    gaps = rng.integers(1, 100, 200)
    rows = [(i, days_of(0), 1.0) for i in range(300)]
    rows += [(i, days_of(int(g)), 1.0) for i, g in enumerate(gaps)]
    table = reorder_table(log_of(rows), within=(30, 99), up_to=1).iloc[0]
    assert table["within_30"] == pytest.approx((gaps <= 30).sum() / 300)
    assert table["within_99"] == pytest.approx(200 / 300)


@settings(max_examples=25)
@given(rows_of_logs)
def test_every_customer_has_one_place_in_the_grid(rows):
    orders = plain(rows)
    if len(orders) == orders["id"].nunique():
        with pytest.raises(DataContractError, match="nobody ordered twice"):
            activity_grid(log_of(rows))
        return
    grid = activity_grid(log_of(rows))
    assert grid["customers"].sum() == orders["id"].nunique()
    assert grid["share"].sum() == pytest.approx(1.0)
    assert grid["spend"].sum() == pytest.approx(orders["paid"].sum())
    counts = orders.groupby("id").size()
    ones = grid[grid["orders_from"] == 1]
    assert ones["customers"].sum() == (counts == 1).sum()


def test_silence_is_held_to_the_gaps_after_an_order_of_that_number():
    # after the first order everybody returns within 1 to 100 days; after the second nobody does
    rows = [(i, days_of(0), 1.0) for i in range(101)]
    rows += [(i, days_of(i), 1.0) for i in range(1, 101)]
    grid = activity_grid(log_of(rows, str(days_of(60))), quantiles=(0.25, 0.5, 0.75))
    first = grid[grid["orders_from"] == 1].set_index("activity")
    gaps = np.arange(1, 61)  # those known by then
    assert first["silence_up_to"].tolist()[:3] == np.quantile(gaps, [0.25, 0.5, 0.75]).tolist()
    assert first.loc["likely gone", "customers"] == 41  # ids 0 and 61 to 100, silent for 60 days


def test_tables_are_said_in_chinese():
    rows = [(1, "2024-01-05", 1.0), (1, "2024-01-20", 1.0), (2, "2024-02-02", 1.0)]
    log = log_of(rows, margin=0.5)
    spans = ("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-02-29")
    tables = [
        period_audit(log, *spans[0], groups=1, language="zh"),
        period_bridge(log, *spans, language="zh"),
        cohort_audit(log, *spans[0], language="zh"),
        base_flow(log, language="zh"),
        payback(log, 1.0, language="zh"),
        repeat_rates(log, language="zh"),
        reorder_table(log, language="zh"),
        activity_grid(log, language="zh"),
    ]
    for table in tables:
        assert not [name for name in table.columns if name.isascii()]
        for name in table.select_dtypes(["object", "string"]):
            assert not [v for v in table[name] if str(v)[:1].isalpha() and str(v).isascii()]


WRONG = [
    (
        lambda log: period_audit(pd.DataFrame(), "2024-01-01", "2024-02-01"),
        TypeError,
        "TransactionLog",
    ),
    (lambda log: period_audit(log, "2024-03-01", "2024-02-01"), ValueError, "before it begins"),
    (lambda log: period_audit(log, "2024-01-01", "2025-06-01"), DataContractError, "is not known"),
    (lambda log: period_audit(log, "2024-11-01", "2024-12-01"), DataContractError, "no order from"),
    (lambda log: period_audit(log, "2024-01-01", "2024-12-01"), ValueError, "groups=10"),
    (lambda log: period_bridge(log, "2024", ("2024-01-01", "2024-02-01")), ValueError, "two dates"),
    (
        lambda log: period_bridge(log, ("2024-01-01", "2024-01-31"), ("2024-01-15", "2024-02-20")),
        DataContractError,
        "before ends on",
    ),
    (lambda log: cohort_audit(log, "2024-01-10", "2024-01-25"), DataContractError, "first time"),
    (lambda log: base_flow(log, "day"), ValueError, "week, month, quarter, year"),
    (lambda log: cohort_layers(log, value="margin"), ValueError, "'customers'"),
    (lambda log: cohort_layers(log, value="profit"), ValueError, "says no profit"),
    (lambda log: payback(log, 5.0), ValueError, "says no profit"),
    (lambda log: reorder_table(log, within=(0.5,)), ValueError, "whole numbers of days"),
    (lambda log: reorder_table(log, up_to=0), ValueError, "up_to=0"),
    (lambda log: activity_grid(log, quantiles=(0.5, 0.4, 0.9)), ValueError, "three ascending"),
]


@pytest.mark.parametrize(("call", "error", "words"), WRONG)
def test_what_cannot_be_audited_is_refused_with_its_cure(call, error, words):
    rows = [(1, "2024-01-05", 1.0), (1, "2024-01-20", 1.0), (2, "2024-02-02", 1.0)]
    with pytest.raises(error, match=words):
        call(log_of(rows))


def test_a_cost_that_no_cohort_has_is_refused():
    rows = [(1, "2024-01-05", 1.0), (2, "2024-02-02", 1.0)]
    with pytest.raises(ValueError, match="cohort 2024-02 costs None"):
        payback(log_of(rows, margin=0.5), {"2024-01": 3.0})
