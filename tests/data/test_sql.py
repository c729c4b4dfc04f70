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
            atol = 1e-8 if name == "litt" else 0.0  # a sum of logs may be nothing
            np.testing.assert_allclose(ours, wanted[name].astype(float), rtol=1e-12, atol=atol)


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


INNER = ["n", "total", "spend", "gap", "silent", "repeat_total", "longest", "squares", "shorter",
         "span", "paid", "order_day", "first_day", "last_day", "cv_n", "cv_who", "cv_day",
         "cv_paid", "customers", "occasions", "cv_occasions", "select", "a.b", "d"]  # fmt: skip


@pytest.mark.parametrize("role", ["who", "when", "amount"])
@pytest.mark.parametrize("name", INNER)
def test_no_name_of_a_column_changes_the_table(name, role):
    columns = {"who": "who", "when": "when", "amount": "amount"} | {role: name}
    if len(set(columns.values())) < 3:
        pytest.skip("one name for two columns")
    con = duckdb.connect()
    t = pd.DataFrame({"who": [1, 1, 2], "when": pd.to_datetime(["2024-01-01", "2024-01-11",
                      "2024-02-01"]), "amount": [10.0, 20.0, 5.0]})  # fmt: skip
    con.register("cv_gaps_of_mine", t.rename(columns={role: name}))
    text = cv.summary_sql(
        "duckdb", table="cv_gaps_of_mine", customer=columns["who"], time=columns["when"],
        amount=columns["amount"], as_of="2024-03-01",
    )  # fmt: skip
    made = con.sql(text).df().sort_values(columns["who"])
    assert made.columns[0] == columns["who"]
    assert made["n_orders"].tolist() == [2, 1]
    assert made["frequency"].tolist() == [1, 0]
    assert made["total_value"].tolist() == [30.0, 5.0]
    assert made["monetary_value"].fillna(-1).tolist() == [20.0, -1.0]


@pytest.mark.parametrize("name", ["frequency", "T", "t", "Recency", "first_order"])
def test_names_of_the_result_are_refused_as_summarize_does(name):
    from custvalue.exceptions import DataContractError

    with pytest.raises(DataContractError, match="reserved-name"):
        cv.summary_sql(table="t", customer=name, time="d", amount="a", as_of="2024-03-01")
    log = pd.DataFrame({name: [1], "d": pd.to_datetime(["2024-01-01"]), "a": [1.0]})
    for make in (cv.summarize, cv.panel):
        if make is cv.panel and name == "first_order":
            continue
        with pytest.raises(DataContractError, match="reserved-name"):
            make(duckdb.from_df(log), customer=name, time="d", amount="a", as_of="2024-03-01")


@pytest.mark.parametrize("name", ["__tick", "__Gap", "a.b", "*"])
def test_names_that_a_relation_cannot_carry_are_refused(name):
    from custvalue.exceptions import DataContractError

    log = pd.DataFrame({name: [1], "d": pd.to_datetime(["2024-01-01"]), "a": [1.0]})
    for make in (cv.summarize, cv.panel):
        with pytest.raises(DataContractError, match=r"reserved-name: .*Rename it first"):
            make(duckdb.from_df(log), customer=name, time="d", amount="a", as_of="2024-03-01")
