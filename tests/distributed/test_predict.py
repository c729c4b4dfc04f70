"""A fitted estimator answers over partitions as it does in memory."""

from __future__ import annotations

import dask.dataframe as dd
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue.distributed import predict
from custvalue.purchase import MBGNBD


@pytest.fixture(scope="module")
def table(cdnow_sample):
    return cv.summarize(
        cdnow_sample,
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        unit="W",
    )


@pytest.fixture(scope="module")
def model(table):
    return MBGNBD().fit(table)


KINDS = {
    "pandas": (lambda t: t, lambda t: t),
    "polars": (pl.from_pandas, lambda t: t.to_pandas()),
    "polars lazy": (lambda t: pl.from_pandas(t).lazy(), lambda t: t.collect().to_pandas()),
    "pyarrow": (lambda t: pa.Table.from_pandas(t), lambda t: t.to_pandas()),
    "dask": (lambda t: dd.from_pandas(t, npartitions=3), lambda t: t.compute()),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_answers_over_partitions_are_those_in_memory(kind, table, model):
    make, back = KINDS[kind]
    made = predict(model, make(table), options={"horizon": "39W"}, keep=["customer_id"])
    assert isinstance(made, type(make(table)))
    made = back(made).sort_values("customer_id")
    assert list(made.columns) == ["customer_id", "prediction"]
    wanted = model.predict(table, horizon="39W")
    np.testing.assert_allclose(made["prediction"], wanted, rtol=1e-12)  # blocks add in other orders


@pytest.mark.parametrize("kind", ["polars lazy", "dask", "pyarrow"])
def test_an_answer_of_several_columns_gets_numbered_names(kind, table, model):
    make, back = KINDS[kind]
    options = {"horizon": "4W", "n_max": 2}
    made = back(predict(model, make(table), method="predict_pmf", options=options))
    wanted = model.predict_pmf(table, **options)
    for j in range(wanted.shape[1]):
        np.testing.assert_allclose(made[f"pmf_{j}"], wanted[:, j], rtol=1e-12)
    assert "frequency" in made.columns


def test_a_misspelt_method_fails_before_any_work(table, model):
    with pytest.raises(AttributeError, match="predict_life"):
        predict(model, table, method="predict_life")


def test_a_duckdb_relation_is_refused_with_the_way_out(model):
    relation = duckdb.sql("SELECT 1 AS frequency, 2.0 AS recency, 3.0 AS T")
    with pytest.raises(TypeError, match=r"relation\.pl"):
        predict(model, relation, options={"horizon": "4W"})


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_spark_answers_as_memory_does(spark, table, model, tmp_path):
    path = str(tmp_path / "summary.parquet")
    table.to_parquet(path)  # the dates tell the unit
    frame = spark.read.parquet(path).repartition(3)
    assert frame.rdd.getNumPartitions() == 3
    made = predict(model, frame, options={"horizon": "39W"}, keep=["customer_id"])
    rows = sorted((row["customer_id"], row["prediction"]) for row in made.collect())
    assert [who for who, _ in rows] == table["customer_id"].tolist()
    wanted = model.predict(table, horizon="39W")
    np.testing.assert_allclose([v for _, v in rows], wanted, rtol=1e-12)
