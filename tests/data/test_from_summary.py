"""What a summary from elsewhere can get wrong, each named with its cure; and compressing one."""

from __future__ import annotations

import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue._frames import facts_of
from custvalue.exceptions import DataContractError, DataWarning, SelectionWarning


@pytest.fixture(scope="module")
def good(cdnow_sample):
    table = cv.summarize(
        cdnow_sample,
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        unit="W",
    )
    return table[["customer_id", "frequency", "recency", "T", "monetary_value"]]


def codes(frame, **options):
    options = {"unit": "W", "customer": "customer_id", **options}
    with pytest.raises(DataContractError) as caught:
        cv.from_summary(frame, **options)
    assert all(p.cure.endswith(".") for p in caught.value.problems)
    return [p.code for p in caught.value.problems]


@pytest.mark.parametrize("make", [lambda t: t, pl.from_pandas, pa.Table.from_pandas])
def test_a_right_summary_goes_through(good, make):
    made = cv.from_summary(
        make(good), unit="W", customer="customer_id", monetary_value="monetary_value"
    )
    assert type(made) is type(make(good))
    facts = facts_of(made)
    assert (facts.kind, facts.unit, facts.customer) == ("summary", "W", "customer_id")
    frame = made if isinstance(made, pd.DataFrame) else made.to_pandas()
    np.testing.assert_allclose(frame["silence"], good["T"] - good["recency"])
    assert frame["n_orders"].tolist() == (good["frequency"] + 1).tolist()


def test_a_lifetimes_table_keeps_its_customer_and_loses_its_zeros(good):
    theirs = good.set_index("customer_id").fillna({"monetary_value": 0.0})
    made = cv.from_summary(theirs, unit="W", monetary_value="monetary_value")
    assert made["customer_id"].tolist() == good["customer_id"].tolist()
    pd.testing.assert_series_equal(made["monetary_value"], good["monetary_value"])


def test_time_since_the_last_order_is_no_recency(good):
    assert codes(good.assign(recency=good["T"] - good["recency"])) == ["recency-is-silence"]
    repeat = good[good["frequency"] > 0]
    assert codes(repeat.assign(recency=repeat["T"] - repeat["recency"])) == ["recency-is-silence"]


def test_a_frequency_that_counts_the_first_order_is_refused(good):
    assert codes(good.assign(frequency=good["frequency"] + 1)) == ["frequency-counts-first-order"]


def test_a_recency_beyond_the_observation_is_refused(good):
    assert codes(good.assign(recency=good["recency"] * 7)) == ["recency-exceeds-T"]


def test_all_problems_come_together(good):
    bad = good.assign(frequency=good["frequency"] + 0.5, T=good["T"] - 30.0)
    bad.loc[5, "customer_id"] = bad.loc[4, "customer_id"]
    assert codes(bad) == [
        "frequency-not-a-count",
        "negative-time",
        "recency-exceeds-T",
        "duplicate-customer",
    ]


def test_a_total_in_place_of_a_mean_is_warned_about(good):
    total = good.assign(monetary_value=good["monetary_value"] * good["frequency"])
    with pytest.warns(DataWarning, match="looks like a total"):
        cv.from_summary(total, unit="W", customer="customer_id", monetary_value="monetary_value")


def test_a_table_without_one_time_buyers_is_warned_about(good):
    with pytest.warns(SelectionWarning, match="frequency 0"):
        cv.from_summary(good[good["frequency"] > 0], unit="W", customer="customer_id")


def test_months_in_whole_numbers_are_refused_unless_time_is_discrete(good):
    rounded = good.assign(recency=np.floor(good["recency"] / 4), T=np.floor(good["T"] / 4) + 1)
    rounded.loc[rounded["frequency"] == 0, "recency"] = 0.0
    assert codes(rounded, unit="M") == ["rounded-time"]
    assert len(cv.from_summary(rounded, unit="M", customer="customer_id", discrete=True))


KINDS = {
    "pandas": (lambda t: t, lambda t: t),
    "polars lazy": (lambda t: pl.from_pandas(t).lazy(), lambda t: t.collect().to_pandas()),
    "pyarrow": (pa.Table.from_pandas, lambda t: t.to_pandas()),
    "duckdb": (duckdb.from_df, lambda t: t.df()),
    "dask": (lambda t: dd.from_pandas(t, npartitions=2), lambda t: t.compute()),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_compressing_counts_equal_rows_and_compressing_again_changes_nothing(good, kind):
    make, back = KINDS[kind]
    small = cv.compress(make(good))
    again = cv.compress(small)
    by = ["frequency", "recency", "T"]
    wanted = good.groupby(by).size().rename("weight").reset_index()
    for made in (small, again):
        made = back(made).sort_values(by).reset_index(drop=True)
        pd.testing.assert_frame_equal(made, wanted, check_dtype=False)


def test_a_law_fitted_on_compressed_rows_has_the_same_parameters(good):
    from custvalue.purchase import MBGNBD

    small = cv.compress(good)
    assert len(small) < len(good)
    whole = MBGNBD().fit(good.drop(columns="monetary_value"))
    part = MBGNBD().fit(small, sample_weight=small["weight"])
    np.testing.assert_allclose(np.array(part.params_), np.array(whole.params_), rtol=1e-6)
