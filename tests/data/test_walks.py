"""A table of periods laid along the histories of a log: what a customer was told, and when."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError

NAMES = {"customer": "who", "time": "day", "amount": "paid"}


def orders(**more):
    days = ["2024-01-03", "2024-01-10", "2024-01-22", "2024-01-05", "2024-01-31"]
    made = {"who": ["a", "a", "a", "b", "c"], "day": pd.to_datetime(days), "paid": 5.0}
    return pd.DataFrame({**made, **more})


def weeks(who=("a", "b", "c"), start="2024-01-01", n=8):
    """One row a customer and week; ``k`` numbers the weeks."""
    dates = pd.date_range(start, periods=n, freq="7D")
    table = pd.MultiIndex.from_product([who, dates], names=["who", "week"]).to_frame(index=False)
    table["k"] = table.groupby("who").cumcount().astype(float)
    return table


@pytest.fixture
def log():
    return TransactionLog(orders(), **NAMES, as_of="2024-01-31")


def test_histories_are_those_of_the_summary(log):
    walks = log.walks(weeks(), period="week", unit="W")
    table = log.summary("W")
    np.testing.assert_array_equal(walks.ids, table["who"])
    for found, name in ((walks.x, "frequency"), (walks.t_x, "recency"), (walks.T, "T")):
        np.testing.assert_allclose(found, table[name], rtol=1e-12, atol=0)


def test_stretches_add_up_to_the_time_observed_and_silent_ones_to_the_silence(log):
    walks = log.walks(weeks(), period="week", unit="D")
    owner = walks.past.owner
    assert walks.past.length.min() > 0
    np.testing.assert_allclose(np.bincount(owner, walks.past.length, 3), walks.T)
    silent = np.bincount(owner, walks.past.length * walks.silent, 3)
    np.testing.assert_allclose(silent, walks.T - walks.t_x)


def test_every_day_has_the_row_of_its_own_week(log):
    table = weeks()
    walks = log.walks(table, period="week", unit="D")
    row, length = (v[walks.past.owner == 0] for v in (walks.past.row, walks.past.length))
    # of customer a every day after the first order, by hand
    days = pd.date_range("2024-01-04", "2024-01-31")
    monday = days.to_numpy() - days.day_of_week.to_numpy() * np.timedelta64(1, "D")
    told = table["week"].to_numpy()[np.repeat(row, np.rint(length).astype(int))]
    np.testing.assert_array_equal(told, monday)
    # and the orders of January 10 and 22, the second a Monday
    at = table["week"].dt.day.to_numpy()[walks.orders.row]
    assert at.tolist() == [8, 22]


def test_the_time_ahead_goes_as_far_as_rows_do(log):
    table = weeks()
    table = table[~((table["who"] == "b") & (table["k"] == 6))]  # a gap in February
    walks = log.walks(table, period="week", unit="D")
    reach = np.bincount(walks.ahead.owner, walks.ahead.length, 3)
    assert reach.tolist() == [25.0, 11.0, 25.0]  # to February 25, and to the 11th
    near = walks.within(11.0)
    assert np.bincount(near.owner, near.length, 3).tolist() == [11.0] * 3
    assert table["k"].to_numpy()[near.row].tolist() == [4, 5] * 3
    with pytest.raises(DataContractError, match="ends before the horizon does for 1 of 3") as error:
        walks.within(12.0)
    assert "customer b has no row for 2024-02-12" in str(error.value)
    assert error.value.problems[0].code == "horizon-not-covered"


def test_order_of_rows_other_customers_and_the_kind_of_frame_do_not_matter(log):
    plain = log.walks(weeks(), period="week", unit="W")
    many = weeks(("a", "b", "c", "prospect"))
    mixed = many.sample(frac=1.0, random_state=0).rename(columns={"who": "id"})
    for table in (mixed, pl.from_pandas(mixed), pl.from_pandas(mixed).lazy()):
        walks = log.walks(table, period="week", customer="id", columns=["k"], unit="W")
        for mine, other in ((walks.past, plain.past), (walks.ahead, plain.ahead)):
            np.testing.assert_array_equal(mine.start, other.start)
            np.testing.assert_allclose(mine.length, other.length)
            np.testing.assert_array_equal(
                walks.columns["k"][mine.row], plain.columns["k"][other.row]
            )


def test_months_end_with_the_month_and_until_says_otherwise(log):
    table = weeks(n=2).assign(week=np.tile(pd.to_datetime(["2024-01-01", "2024-02-01"]), 3))
    reach = [
        np.bincount(w.ahead.owner, w.ahead.length, 3)[0]
        for w in (
            log.walks(table, period="week", unit="D"),
            log.walks(table, period="week", unit="D", until="2024-03-10"),
        )
    ]
    assert reach == [29.0, 39.0]
    with pytest.raises(DataContractError, match="lies before the last period"):
        log.walks(table, period="week", until="2024-01-31")
    with pytest.raises(DataContractError, match="1 period, which does not say"):
        log.walks(table[table["week"] < "2024-02-01"], period="week")


def test_hours_are_cut_where_they_are():
    day = pd.to_datetime(["2024-01-01 08:00", "2024-01-02 20:00"])
    rows = pd.DataFrame({"who": 1, "paid": 1.0, "day": day})
    log = TransactionLog(rows, **NAMES, occasion="1h", as_of="2024-01-03 07:00", unit="H")
    table = weeks((1,), "2024-01-01", 1).iloc[[0, 0, 0]].assign(
        week=pd.date_range("2024-01-01", periods=3), k=[0.0, 1.0, 2.0]
    )  # fmt: skip
    walks = log.walks(table, period="week")
    assert walks.past.length.tolist() == [15.0, 21.0, 3.0, 8.0]
    assert walks.columns["k"][walks.past.row].tolist() == [0, 1, 1, 2]
    assert walks.columns["k"][walks.orders.row].tolist() == [1]
    np.testing.assert_allclose(walks.past.length.sum(), walks.T)


TABLE = weeks()
FAULTS = {
    "lacks a week": (
        TABLE[~((TABLE["who"] == "a") & (TABLE["k"] == 2))],
        "missing-period",
        "1 of 3 customers lack rows",
        "customer a has none for the period that begins on 2024-01-15",
    ),
    "begins late": (weeks(start="2024-01-08"), "missing-period", "before the table begins"),
    "ends early": (weeks(n=3), "missing-period", "after its last period ends"),
    "twice": (pd.concat([TABLE, TABLE.iloc[[3]]]), "duplicate-period", "1 row, first: 24"),
    "no date": (TABLE.assign(week=TABLE["week"].where(TABLE.index != 5)), "missing-date", "5"),
    "no name": (TABLE.assign(who=TABLE["who"].where(TABLE.index != 7)), "missing-customer", "7"),
    "other ids": (TABLE.assign(who=1), "unknown-customer", "against ('a', 'b')"),
    "no column": (TABLE.drop(columns="k"), "no-columns", "beside 'who' and 'week'"),
    "no period": (TABLE.rename(columns={"week": "wk"}), "missing-column", "week"),
    "no table": ([1, 2], "not-a-table", "list"),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_what_is_wrong_with_a_table_is_said_with_customers_and_rows(log, fault):
    table, code, *words = FAULTS[fault]
    with pytest.raises(DataContractError) as error:
        log.walks(table, period="week")
    assert error.value.problems[0].code == code
    for word in words:
        assert word in str(error.value)


def test_of_the_summary_of_cdnow_nothing_changes(cdnow_sample):
    log = TransactionLog(cdnow_sample, customer="customer_id", time="date", amount="amount",
                         as_of="1997-09-30")  # fmt: skip
    table = log.summary("W")
    who = np.asarray(table["customer_id"])
    dates = pd.date_range("1996-12-30", "1997-12-31", freq="7D")
    periods = pd.DataFrame({"customer_id": np.repeat(who, len(dates)),
                            "week": np.tile(dates, len(who)), "one": 1.0})  # fmt: skip
    walks = log.walks(periods, period="week", unit="W")
    for found, name in ((walks.x, "frequency"), (walks.t_x, "recency"), (walks.T, "T")):
        np.testing.assert_allclose(found, np.asarray(table[name], float), rtol=1e-12, atol=1e-12)
