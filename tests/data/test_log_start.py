"""A log that begins in the middle of a shop's life says so, by every door, and no other does."""

from __future__ import annotations

import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue._log_start import LogStart, old_customers
from custvalue.data import TransactionLog
from custvalue.datasets import make_shop
from custvalue.exceptions import DataWarning

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
SAID = "the log seems to begin in the middle"


def days_of(counts, length=28):
    """Days seen of customers whose first order falls on the first day of each four weeks."""
    return np.repeat(float(length) * np.arange(len(counts), 0, -1), counts)


def test_a_rush_of_first_orders_that_falls_off_is_told_with_its_counts():
    assert old_customers(days_of([300, 90, 40, *[20] * 9])) == LogStart(300, 20.0)
    assert old_customers(days_of([60, 40, 30, *[20] * 4])) == LogStart(60, 20.0)  # three times


@pytest.mark.parametrize(
    "counts",
    [
        [300, 280, 250, *[0] * 9],  # a cohort
        [300, 280, 250, 1, 0, 1, 2, 1, 1],  # with a few that came late
        [30] * 12,  # a shop from its first day
        [59, 40, 30, *[20] * 4],  # under three times the usual
        [300, 90, 40, 20, 20, 20, 150, 20, 20],  # as many came later, in a campaign
        [19, 2, 1, *[1] * 9],  # few customers say nothing
        [300, 90, 40, 20, 20, 20],  # too short to say what is usual
        [100, 81, 50, *[20] * 9],  # newcomers who become fewer
        [],
    ],
)
def test_cohorts_new_shops_and_small_ones_are_not_taken_for_it(counts):
    assert old_customers(days_of(counts)) is None


def test_weights_stand_for_customers():
    counts = [300, 90, 40, *[20] * 9]
    days = 28.0 * np.arange(len(counts), 0, -1)
    assert old_customers(days, counts) == old_customers(days_of(counts))


@pytest.fixture(scope="module")
def cut_off():
    """The last 400 days of a shop that exists for three years."""
    log = make_shop("regular", 1500, random_state=4).log
    end = pd.Timestamp("2023-12-31")
    part = log[log["date"] > end - pd.Timedelta(days=400)].reset_index(drop=True)
    # right by plain pandas: first orders in the part's first 28 days
    first = part.groupby("customer_id")["date"].min()
    return part, int((first < first.min() + pd.Timedelta(days=28)).sum())


def test_the_truth_is_what_is_said(cut_off):
    part, rush = cut_off
    whole = make_shop("regular", 1500, random_state=4).log
    before = whole.loc[whole["date"] < part["date"].min(), "customer_id"].unique()
    first = part.groupby("customer_id")["date"].min()
    early = first[first < first.min() + pd.Timedelta(days=28)].index
    assert np.isin(early, before).mean() > 0.8  # most had bought before
    with pytest.warns(DataWarning, match=f"^{rush:,} customers have their first order") as told:
        cv.summarize(part, **NAMES, as_of="2023-12-31")
    assert told[0].filename == __file__
    assert SAID in str(told[0].message)


def once(call):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        out = call()
    said = [str(one.message) for one in told if SAID in str(one.message)]
    assert len(said) == 1
    return out


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_every_kind_of_table_in_memory_and_every_door_says_it_once(cut_off, kind):
    part, _ = cut_off
    make = {"pandas": lambda t: t, "polars": pl.from_pandas, "pyarrow": pa.Table.from_pandas}
    rows = make[kind](part)
    until = {"as_of": "2023-12-31"}
    once(lambda: cv.summarize(rows, **NAMES, **until))
    once(lambda: cv.panel(rows, **NAMES, **until))
    once(lambda: cv.split_by_date(rows, "2023-09-30", "13W", **NAMES, **until))
    log = TransactionLog(rows, **NAMES, **until)
    once(lambda: (log.summary(), log.panel(), log.summary("W"), log.gaps()))


def test_views_and_tables_that_were_told_of_are_not_told_of_again(cut_off):
    part, _ = cut_off
    log = TransactionLog(part, **NAMES, as_of="2023-12-31")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        earlier = log.until("2023-11-30")
        earlier.summary()
        earlier.panel()
        cv.MBGNBD().fit(earlier.summary("W"))


@pytest.mark.parametrize("kind", ["polars lazy", "duckdb"])
def test_where_the_engine_does_the_work_the_law_says_it(cut_off, kind):
    part, rush = cut_off
    rows = pl.from_pandas(part).lazy() if kind == "polars lazy" else duckdb.from_df(part)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        table = cv.summarize(rows, **NAMES, as_of="2023-12-31", unit="W")
    table = table.collect() if kind == "polars lazy" else table.pl()
    for law in (cv.NBD(unit="W"), cv.BGNBD(unit="W"), cv.MBGNBD(unit="W")):
        with pytest.warns(DataWarning, match=f"^{rush:,} customers have their first order"):
            law.fit(table)


@pytest.mark.parametrize("kind", ["plain", "frequent", "durable", "subscription", "heavy"])
@pytest.mark.parametrize("n", [60, 400])
@pytest.mark.parametrize("days", [230, 700])
def test_a_shop_seen_from_its_first_day_is_not_told_that_it_was_there_before(kind, n, days):
    # nominally newcomers are as many in every four weeks: 20 shops of each kind
    for seed in range(20):
        log = make_shop(kind, n, days=days, random_state=seed).log
        first = log.groupby("customer_id")["date"].min()
        end = pd.Timestamp("2021-01-01") + pd.Timedelta(days=days)
        assert old_customers((end - first).dt.days.to_numpy(float)) is None


def test_the_cohort_of_cdnow_is_a_cohort(cdnow_sample):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cv.summarize(cdnow_sample, **NAMES, as_of="1998-06-30")
        cv.panel(cdnow_sample, **NAMES, as_of="1997-09-30")


def test_online_retail_begins_in_the_middle(online_retail):
    rows = online_retail.dropna(subset="CustomerID")
    day = rows[rows["amount"] > 0].assign(day=lambda t: t["InvoiceDate"].dt.normalize())
    first = day.groupby("CustomerID")["day"].min()
    rush = int((first < first.min() + pd.Timedelta(days=28)).sum())
    names = {"customer": "CustomerID", "time": "InvoiceDate", "amount": "amount"}
    with pytest.warns(DataWarning, match=f"^{rush:,} customers have their first order") as told:
        cv.summarize(rows, **names, as_of="2011-12-09", refunds="drop", zero_amounts="drop")
    assert len(told) == 1
