"""The SQL text makes the table that summarize makes."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.data._sql import DIALECTS

OPTIONS = {"customer": "who", "time": "when", "amount": "paid", "as_of": "2024-03-01"}


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(8)
    n = 2000
    minutes = rng.integers(0, 60 * 24 * 90, n)
    log = pd.DataFrame(
        {
            "who": rng.integers(1, 300, n),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min"),
            "paid": np.round(rng.normal(20, 15, n), 2),
        }
    )
    log.loc[::50, "paid"] = 0.0
    return log


def same(made, wanted):
    made = made.sort_values("who").reset_index(drop=True)
    assert list(made.columns) == list(wanted.columns)
    for name in made.columns:
        if name in ("first_order", "last_order"):
            assert (made[name] == wanted[name]).all()
        else:
            ours = made[name].astype(float)
            np.testing.assert_allclose(ours, wanted[name].astype(float), rtol=1e-12)


@pytest.mark.parametrize("unit", ["D", "W", "M"])
@pytest.mark.parametrize(
    "policy",
    [
        {"refunds": "net_occasion"},
        {"refunds": "drop"},
        {"refunds": "net_occasion", "zero_amounts": "keep"},
    ],
    ids=str,
)
def test_duckdb_runs_the_text_to_the_same_table(log, unit, policy):
    con = duckdb.connect()
    con.register("orders", log)
    text = cv.summary_sql("duckdb", table="orders", **OPTIONS, unit=unit, **policy)
    same(con.sql(text).df(), cv.summarize(log, **OPTIONS, unit=unit, **policy))


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_spark_runs_the_text_to_the_same_table(spark, log, tmp_path):
    path = str(tmp_path / "log.parquet")
    log.to_parquet(path)
    spark.read.parquet(path).createOrReplaceTempView("orders")
    made = spark.sql(cv.summary_sql("spark", table="orders", **OPTIONS, unit="W"))
    rows = pd.DataFrame([row.asDict() for row in made.collect()], columns=made.columns)
    same(rows, cv.summarize(log, **OPTIONS, unit="W", refunds="net_occasion"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_its_own_text_back(dialect):
    import sqlglot

    text = cv.summary_sql(dialect, table="shop.orders", **OPTIONS)
    again = sqlglot.parse_one(text, read=dialect).sql(dialect, pretty=True, identify=True)
    assert again.upper() == text.upper()  # versions differ in the case of keywords


def test_names_with_quotes_stay_names():
    text = cv.summary_sql(table='odd"table', **{**OPTIONS, "customer": 'the "who"'})
    assert '"the ""who"""' in text
    assert '"odd""table"' in text


def test_sql_cannot_refuse_a_row():
    with pytest.raises(ValueError, match="net_occasion"):
        cv.summary_sql(table="orders", **OPTIONS, refunds="error")
