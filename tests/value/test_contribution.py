"""Contribution adds up to the log, potential value compares like with like, cohorts are honest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custvalue as cv
from custvalue.exceptions import AsOfWarning, DataContractError, DataWarning
from custvalue.value import (
    CustomerValue,
    RateForward,
    cohort_table,
    contribution,
    potential_value,
)

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def summary(cdnow_sample):
    return cv.summarize(cdnow_sample, **NAMES, as_of="1997-09-30", unit="W")


def test_contributions_add_up_to_the_ledger(cdnow_sample):
    log = cdnow_sample.assign(goods=cdnow_sample["amount"] * 0.55 + 0.2)
    door = cv.TransactionLog(log, **NAMES, as_of="1997-09-30")
    found = door.contribution(cost="goods", cost_to_serve=1.5, acquisition_cost=7.0)
    paid = log[(log["amount"] > 0) & (log["date"] <= "1997-09-30")]
    orders, n = len(paid.drop_duplicates(["customer_id", "date"])), paid["customer_id"].nunique()
    expected = paid["amount"].sum() - paid["goods"].sum() - 1.5 * orders - 7.0 * n
    assert found.total == pytest.approx(expected)
    assert found.table["revenue"].sum() == pytest.approx(door.ledger().amount_used)
    assert found.table["orders"].sum() == orders == door.ledger().occasions
    assert found.peak + found.loss == pytest.approx(found.total)
    assert found.below_zero == (found.table["contribution"] < 0).sum()
    parts = found.table
    np.testing.assert_allclose(
        parts["gross_profit"] - parts["cost_to_serve"] - parts["acquisition_cost"],
        parts["contribution"],
    )
    same = contribution(log, **NAMES, as_of="1997-09-30", cost="goods", cost_to_serve=1.5,
                        acquisition_cost=7.0)  # fmt: skip
    pd.testing.assert_frame_equal(same.table, found.table)


def test_a_summary_and_its_log_agree(cdnow_sample, summary):
    a = contribution(summary, cost=0.6, cost_to_serve=2.0, acquisition_cost=5.0)
    b = contribution(cdnow_sample, **NAMES, as_of="1997-09-30", cost=0.6, cost_to_serve=2.0,
                     acquisition_cost=5.0)  # fmt: skip
    assert a.total == pytest.approx(b.total)
    pd.testing.assert_frame_equal(a.table, b.table)
    assert a.table.index.equals(summary.index)


def test_profit_of_the_ledger_is_taken_where_a_summary_has_it(cdnow_sample):
    log = cdnow_sample.assign(goods=cdnow_sample["amount"] * 0.25)
    summary = cv.summarize(log, **NAMES, as_of="1997-09-30", cost="goods")
    found = contribution(summary)
    assert found.total == pytest.approx(summary["total_profit"].sum())
    np.testing.assert_allclose(found.table["margin"], 0.75, rtol=1e-3)
    told = contribution(log, **NAMES, as_of="1997-09-30", margin=0.75)
    assert told.total == pytest.approx(found.total)


def rows(values, **more):
    """One order a customer, as a summary."""
    n = len(values)
    return pd.DataFrame({"id": np.arange(n), "n_orders": 1, "total_value": values, **more})


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40))
def test_the_curve_rises_to_its_peak_and_ends_at_the_total(values):
    found = contribution(rows(values), customer="id")
    running = found.curve["cumulative_contribution"].to_numpy()
    assert running[-1] == pytest.approx(found.total, abs=1e-9)
    assert running.max() == pytest.approx(found.peak if found.peak > 0 else max(values), abs=1e-9)
    assert (np.diff(running, n=2) <= 1e-9).all()
    assert found.curve["customer_share"].iloc[-1] == 1.0


def test_equal_customers_make_a_straight_curve_and_one_with_all_a_corner():
    even = contribution(rows([5.0] * 10))
    assert even.share_of(0.2) == pytest.approx(0.2)
    assert contribution(rows([50.0] + [0.0] * 9)).share_of(0.1) == pytest.approx(1.0)
    lost = contribution(rows([-5.0]))
    assert np.isnan(lost.share_of(0.2))
    assert "below zero" in str(lost)


AREAS = pd.DataFrame({"id": list("aabbcd"), "m": [50.0, 50, 30, 10, 80, 5],
                      "t": pd.date_range("2024-01-01", periods=6),
                      "area": ["n", "n", "s", "s", "n", "s"]})  # fmt: skip
SHORT = {"customer": "id", "time": "t", "amount": "m", "as_of": "2024-01-31"}


def test_groups_add_up_and_the_best_comes_first():
    costs = {"cost": 0.5, "cost_to_serve": 5.0, "acquisition_cost": 2.0}
    found = contribution(AREAS, **SHORT, **costs, by="area")
    table = found.groups.set_index("group")
    assert table.index.tolist() == ["n", "s"]
    assert table["customers"].tolist() == [2, 2]
    assert table["contribution"].tolist() == [90 - 15 - 4, 22.5 - 15 - 4]
    assert table["contribution"].sum() == pytest.approx(found.total)
    assert table["below_zero"].tolist() == [0, 1]
    np.testing.assert_allclose(table["margin"], [71 / 180, 3.5 / 45])
    assert "贡献占比" in found.group_table("zh").columns
    by_array = contribution(AREAS, **SHORT, by=AREAS["area"]).groups
    assert by_array["revenue"].tolist() == [180.0, 45.0]
    # a row that does not count has no say in whose group a customer is
    gift = pd.concat([AREAS, AREAS.tail(1).assign(m=0.0, area="n")])
    pd.testing.assert_frame_equal(contribution(gift, **SHORT, **costs, by="area").groups,
                                  found.groups)  # fmt: skip


def test_who_has_no_group_or_two_is_named():
    log = AREAS.head(3).assign(area=["n", "s", None])
    with pytest.raises(DataContractError) as caught:
        contribution(log, **SHORT, by="area")
    assert [(p.code, p.ids) for p in caught.value.problems] == [
        ("missing-group", ("b",)), ("two-groups", ("a",))
    ]  # fmt: skip
    with pytest.raises(DataContractError, match="no column 'region'"):
        contribution(log, **SHORT, by="region")
    with pytest.raises(ValueError, match="no groups"):
        contribution(log, **SHORT).group_table()


def test_the_other_eighty_percent_take_their_share_of_the_costs():
    table = rows([100.0] * 2 + [10.0] * 8, serve=[10.0] * 2 + [5.0] * 8)
    found = contribution(table, cost_to_serve="serve")
    assert found.cost_share_of(0.2) == pytest.approx(40 / 60)
    assert found.cost_share_of(0.1) == pytest.approx(50 / 60)
    assert (found.cost_share_of(0.0), found.cost_share_of(1.0)) == (1.0, pytest.approx(0.0))
    assert "The other 80 % take 67% of the cost" in str(found)
    # equal customers: the other 80 % take 80 %, in whatever order they stand
    even = contribution(rows([50.0] * 10, serve=range(10)), acquisition_cost="serve")
    assert even.cost_share_of(0.2) == pytest.approx(1 - (0 + 1) / 45)
    assert np.isnan(contribution(table).cost_share_of(0.2))


def test_lines_of_one_day_are_one_order_and_a_returned_one_was_served_all_the_same():
    log = pd.DataFrame(
        {
            "id": ["a", "a", "b", "b", "b"],
            "m": [10.0, 5.0, 8.0, 6.0, -6.0],
            "t": pd.to_datetime(["2024-01-01"] * 3 + ["2024-01-02"] * 2),
            "served": [1.0, 0.0, 1.0, 1.0, 0.5],
            "won": [3.0, 3.0, 4.0, 4.0, 4.0],
        }
    )
    found = contribution(log, **SHORT, cost_to_serve=2.0, refunds="net_occasion")
    assert found.table["orders"].tolist() == [1.0, 1.0]
    assert found.total == pytest.approx(23 - 4)
    found = contribution(log, **SHORT, cost_to_serve="served", acquisition_cost="won",
                         refunds="net_occasion")  # fmt: skip
    assert found.table["cost_to_serve"].tolist() == [1.0, 2.5]
    assert found.table["acquisition_cost"].tolist() == [3.0, 4.0]
    with pytest.raises(DataContractError, match="refunds"):
        contribution(log, **SHORT)


def test_columns_speak_chinese_on_demand(summary):
    names = contribution(summary).labelled("zh").columns
    assert "贡献度" in names
    assert "利润率" in names


def test_polars_in_polars_out():
    log = pl.from_pandas(AREAS)
    found = contribution(log, **SHORT, by="area")
    assert type(found.table) is pl.DataFrame
    pd.testing.assert_frame_equal(found.table.to_pandas(), contribution(AREAS, **SHORT).table)


def test_all_that_is_wrong_is_said_at_once(cdnow_sample, summary):
    with pytest.raises(DataContractError) as caught:
        contribution(summary, customer="who", cost=60.0)
    assert [p.code for p in caught.value.problems] == ["missing-column", "cost-share"]
    with pytest.raises(TypeError, match="a log needs customer=, time= and amount="):
        contribution(cdnow_sample, customer="customer_id", amount="amount")


@pytest.fixture(scope="module")
def model(summary):
    from custvalue.purchase import MBGNBD

    return CustomerValue(purchases=MBGNBD(), margin=0.3).fit(summary)


def test_potential_compares_the_model_with_the_run_rate_and_the_best_of_a_kind(model, summary):
    found = potential_value(model, summary, horizon="12M", margin=0.3)
    np.testing.assert_allclose(found["future_value"], model.predict(summary, "12M"))
    rate = RateForward(margin=0.3).fit(summary).predict(summary, "12M")
    np.testing.assert_allclose(found["run_rate"], rate)
    np.testing.assert_allclose(found["change"], found["future_value"] - rate)
    best = found.groupby("group")["future_value"].transform(lambda v: v.quantile(0.9))
    np.testing.assert_allclose(found["best_comparable"], best)
    assert (found["gap"] == (best - found["future_value"]).clip(lower=0)).mean() > 0.99
    assert found["group"].nunique() == 9
    assert found.index.equals(summary.index)


def test_who_is_comparable_may_be_said(model, summary):
    by = np.where(summary["n_orders"] > 1, "repeat", "once")
    found = potential_value(model, summary, horizon="12M", by=by, best=0.5)
    assert set(found["group"]) == {"repeat", "once"}
    column = potential_value(model, summary, horizon="12M", by="n_orders", language="zh")
    assert "潜在价值" in column.columns
    with pytest.raises(ValueError, match="a group a row"):
        potential_value(model, summary, horizon="12M", by=by[:3])
    with pytest.raises(ValueError, match="best="):
        potential_value(model, summary, horizon="12M", best=90)


def test_cohorts_count_by_hand():
    log = pd.DataFrame(
        {
            "id": ["a", "a", "a", "b", "b", "c", "c"],
            "on": pd.to_datetime(
                [
                    "2024-01-05",
                    "2024-01-20",
                    "2024-03-02",
                    "2024-01-31",
                    "2024-02-10",
                    "2024-02-01",
                    "2024-02-01",
                ]
            ),
            "m": [10.0, 5.0, 7.0, 4.0, 6.0, 3.0, 2.0],
        }
    )
    names = {"customer": "id", "time": "on", "amount": "m"}
    found = cohort_table(log, **names, as_of="2024-03-10", value="orders")
    assert found.size.to_dict() == {"2024-01": 2, "2024-02": 1}
    np.testing.assert_array_equal(found.table.loc["2024-01"], [3, 1, np.nan])
    np.testing.assert_array_equal(found.unfinished.loc["2024-01"], [np.nan, np.nan, 1])
    np.testing.assert_array_equal(found.table.loc["2024-02"], [1, np.nan, np.nan])
    assert found.marked(0).loc["2024-01"].tolist() == ["3", "1", "1*"]
    money = cohort_table(log, **names, as_of="2024-03-31", value="money")
    np.testing.assert_array_equal(money.table.loc["2024-01"], [19, 6, 7])
    assert money.unfinished.isna().all().all()
    each = cohort_table(log, **names, as_of="2024-03-31", value="money_each")
    np.testing.assert_array_equal(each.table.loc["2024-01"], [9.5, 3, 3.5])
    each = cohort_table(log, **names, as_of="2024-03-10", value="orders_each")
    assert each.long().to_dict("list") == {
        "cohort": ["2024-01"] * 3 + ["2024-02"] * 2,
        "month": [0, 1, 2, 0, 1],
        "customers": [2, 2, 2, 1, 1],
        "value": [1.5, 0.5, 0.5, 1, 0],
        "finished": [True, True, False, True, False],
    }
    with pytest.raises(ValueError, match="'orders_each', 'money_each'"):
        cohort_table(log, **names, value="profit")
    share = cohort_table(log, **names, as_of="2024-03-31")
    np.testing.assert_array_equal(share.table.loc["2024-01"], [1.0, 0.5, 0.5])


def test_finished_and_unfinished_cells_add_up_to_the_log(cdnow_sample):
    for as_of in ("1997-06-15", "1997-06-30"):
        found = cohort_table(cdnow_sample, **NAMES, as_of=as_of, value="money")
        known = cdnow_sample[cdnow_sample["date"] <= as_of]
        total = np.nansum(found.table) + np.nansum(found.unfinished)
        assert total == pytest.approx(known["amount"].sum())
        assert found.unfinished.notna().any().any() == (as_of == "1997-06-15")
        assert not (found.table.notna() & found.unfinished.notna()).any().any()


def test_a_return_of_the_whole_day_is_no_order():
    log = pd.DataFrame(
        {
            "id": ["a", "a", "a"],
            "on": ["2024-01-05", "2024-02-10", "2024-02-10"],
            "m": [10.0, 5.0, -5.0],
        }
    )
    found = cohort_table(
        log.assign(on=pd.to_datetime(log["on"])),
        customer="id",
        time="on",
        amount="m",
        as_of="2024-02-29",
        value="customers",
        refunds="net_occasion",
    )
    assert found.table.loc["2024-01"].tolist() == [1.0, 0.0]
    with pytest.raises(DataContractError, match="missing-column"):
        cohort_table(log, customer="who", time="on", amount="m")


def test_the_cohort_table_reads_the_log_by_the_door_and_keeps_its_books():
    log = pd.DataFrame(
        {
            "id": ["a", "a", None, "b", "b"],
            "on": ["05/01/2024", "03/02/2024", "06/01/2024", "09/01/2024", "09/02/2024"],
            "m": [10.0, 5.0, 7.0, 4.0, -1.0],
        }
    )
    names = {"customer": "id", "time": "on", "amount": "m", "time_format": "%d/%m/%Y"}
    with pytest.raises(DataContractError, match="refunds"):
        cohort_table(log, **names, as_of="2024-02-29")
    with pytest.warns(DataWarning, match="customer id is missing: 1"):
        found = cohort_table(
            log, **names, as_of="2024-02-29", value="money", refunds="net_occasion"
        )
    assert found.table.loc["2024-01"].tolist() == [14.0, 5.0]
    lost = {d.reason: (d.rows, d.amount) for d in found.ledger.dropped}
    assert lost == {"missing_customer": (1, 7.0), "occasion_netted_away": (1, -1.0)}
    assert found.ledger.adds_up
    with pytest.warns(AsOfWarning), pytest.warns(DataWarning):
        found = cohort_table(log.iloc[:4], **names)
    assert found.as_of == "2024-02-03"


@pytest.mark.parametrize("make", [pl.from_pandas, lambda t: pl.from_pandas(t).lazy()])
def test_the_cohort_table_takes_any_table(cdnow_sample, make):
    plain = cohort_table(cdnow_sample, **NAMES, as_of="1997-06-30", value="money")
    found = cohort_table(make(cdnow_sample), **NAMES, as_of="1997-06-30", value="money")
    pd.testing.assert_frame_equal(found.table, plain.table)
