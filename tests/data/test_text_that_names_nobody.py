"""Text such as "nan" or "NULL" where an id should be names nobody, at every door alike."""

from __future__ import annotations

import warnings

import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError, DataWarning
from custvalue.funnel import FunnelChain, contact_paths
from custvalue.report import read_log
from custvalue.value import cohort_table, contribution

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
NOBODY = ["nan", "None", "", "NULL", "null", "NA", "N/A", "<NA>", "NaN", "NaT", "none", "(null)"]
LOG = pd.DataFrame(
    {
        "who": ["ann", *NOBODY, "bob", "ann"],
        "when": pd.date_range("2024-01-01", periods=len(NOBODY) + 3, freq="D"),
        "paid": [10.0, *[1.0] * len(NOBODY), 20.0, 30.0],
    }
)
DOORS = {
    "pandas": lambda log: log,
    "pandas, objects": lambda log: log.astype({"who": object}),
    "pandas, categories": lambda log: log.astype({"who": "category"}),
    "polars": pl.from_pandas,
    "polars, categories": lambda log: pl.from_pandas(log).with_columns(
        pl.col("who").cast(pl.Categorical)
    ),
    "polars lazy": lambda log: pl.from_pandas(log).lazy(),
    "polars lazy, categories": lambda log: (
        pl.from_pandas(log).with_columns(pl.col("who").cast(pl.Categorical)).lazy()
    ),
    "pyarrow": lambda log: pa.Table.from_pandas(log, preserve_index=False),
    "dask": lambda log: dd.from_pandas(log, npartitions=2),
    "duckdb": lambda log: duckdb.from_arrow(pa.Table.from_pandas(log, preserve_index=False)),
}


def to_pandas(table):
    for way in ("collect", "to_pandas", "df", "compute"):
        if hasattr(table, way) and not isinstance(table, pd.DataFrame):
            table = getattr(table, way)()
    return table


@pytest.mark.parametrize("door", list(DOORS))
def test_such_rows_are_left_out_told_and_in_the_ledger(door):
    with pytest.warns(DataWarning, match=f"customer id is missing: {len(NOBODY)}"):
        table = cv.summarize(DOORS[door](LOG), **NAMES, as_of="2024-02-01")
    book = cv.ledger(table)
    lost = {d.reason: (d.rows, d.amount) for d in book.dropped}
    assert lost == {"missing_customer": (len(NOBODY), float(len(NOBODY)))}
    assert book.adds_up
    found = to_pandas(table)
    assert sorted(map(str, found["who"])) == ["ann", "bob"]
    assert sorted(found["total_value"]) == [20.0, 40.0]


@pytest.mark.parametrize("door", list(DOORS))
def test_a_panel_has_nobody_of_that_name_and_they_can_be_refused(door):
    with pytest.warns(DataWarning, match="customer id is missing"):
        table = to_pandas(cv.panel(DOORS[door](LOG), **NAMES, as_of="2024-02-01", period="1W"))
    assert set(map(str, table["who"])) == {"ann", "bob"}
    with pytest.raises(DataContractError, match="missing-customer"):
        cv.summarize(DOORS[door](LOG), **NAMES, as_of="2024-02-01", invalid="error")


def test_sql_counts_the_same_customers():
    con = duckdb.connect()
    con.register("log", LOG)
    text = cv.summary_sql("duckdb", table="log", **NAMES, as_of="2024-02-01")
    found = con.sql(text).df().sort_values("who")
    assert found["who"].tolist() == ["ann", "bob"]
    assert found["total_value"].tolist() == [40.0, 20.0]
    con.register("numbers", LOG.assign(who=np.where(LOG["who"] == "ann", 1.0, np.nan)))
    text = cv.summary_sql("duckdb", table="numbers", **NAMES, as_of="2024-02-01")
    assert con.sql(text).df()["who"].tolist() == [1.0]


def test_a_file_and_a_frame_leave_out_the_same_rows(tmp_path):
    path = tmp_path / "log.csv"
    LOG.to_csv(path, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        from_file = cv.summarize(read_log(path, **NAMES), **NAMES, as_of="2024-02-01")
        from_frame = cv.summarize(LOG, **NAMES, as_of="2024-02-01")
    assert from_file["who"].tolist() == from_frame["who"].tolist() == ["ann", "bob"]
    assert cv.ledger(from_file).rows_used == cv.ledger(from_frame).rows_used == 3


def test_a_log_handle_and_a_cohort_table_know_nobody_of_that_name():
    with pytest.warns(DataWarning, match=f"customer id is missing: {len(NOBODY)}"):
        who = TransactionLog(LOG, **NAMES).customers()
    assert who.tolist() == ["ann", "bob"]
    with pytest.warns(DataWarning, match="customer id is missing"):
        table = cohort_table(LOG, **NAMES, as_of="2024-02-29")
    assert table.size.sum() == 2


@pytest.mark.parametrize("kind", ["pandas", "polars lazy", "duckdb"])
def test_orders_without_a_number_are_not_one_order(kind):
    log = pd.DataFrame(
        {
            "who": ["a", "a", "a", "a"],
            "when": pd.to_datetime(["2024-01-01", "2024-01-05", "2024-01-09", "2024-01-20"]),
            "paid": [10.0, 20.0, -20.0, 5.0],
            "bill": ["nan", "nan", "B1", ""],
        }
    )
    table = to_pandas(
        cv.summarize(
            DOORS[kind](log), **NAMES, order="bill", refunds="net_order", as_of="2024-02-01"
        )
    )
    # the refund of B1 has no order of its own to be netted with, so it brings nothing
    assert table["n_orders"].tolist() == [3]
    assert table["total_value"].tolist() == [35.0]


def test_tables_made_elsewhere_are_refused_by_the_same_words():
    rows = pd.DataFrame(
        {"id": ["a", "nan", "b", None], "frequency": 0, "recency": 0.0, "T": [3.0, 4.0, 5.0, 6.0]}
    )
    with pytest.raises(DataContractError, match=r"missing-customer: .* \(2 rows, first: 1, 3\)"):
        cv.from_summary(rows, unit="W", customer="id")
    table = cv.summarize(LOG[LOG["who"].isin(["ann", "bob"])], **NAMES, as_of="2024-02-01")
    bad = table.assign(who=["ann", "NULL"], margin_profit=1.0)
    with pytest.raises(DataContractError, match="missing-customer"):
        contribution(bad.rename(columns={"margin_profit": "total_profit"}), customer="who")
    panel = cv.panel(LOG.iloc[[0, -2, -1]], **NAMES, as_of="2024-02-01", period="1W")
    panel["who"] = panel["who"].replace("bob", "nan")
    with pytest.raises(DataContractError, match="missing-customer: rows have no customer"):
        cv.MarkovCLVEstimator(horizon="4W").fit(panel)


def test_deals_contacts_and_accounts_read_them_alike():
    events = pd.DataFrame(
        {
            "deal": ["d1", "nan", "d2", "d1", "d2", "NULL"],
            "stage": ["lead", "lead", "lead", "won", "lost", "won"],
            "time": pd.date_range("2024-01-01", periods=6, freq="7D"),
        }
    )
    with pytest.raises(DataContractError, match="missing-deal"):
        FunnelChain(["lead"]).fit(events, as_of="2024-02-29")
    contacts = pd.DataFrame(
        {
            "customer": ["a", "None", "a"],
            "channel": ["ads", "mail", "mail"],
            "time": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
            "conversion": [0, 0, 1],
        }
    )
    with pytest.raises(DataContractError, match=r"missing-value: .*'customer'.*first: 1"):
        contact_paths(contacts)


def test_names_that_only_look_alike_stay_customers():
    log = LOG.assign(who=[f"{name} " if name else "x" for name in LOG["who"].str.upper()])
    log = log[~log["who"].isin(["x"])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = cv.summarize(log, **NAMES, as_of="2024-02-01")
    assert "NAN " in set(table["who"])
