"""Real Spark, two workers, several partitions: the local numbers, exactly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError

pytestmark = pytest.mark.filterwarnings(
    "ignore:PySpark does not yet fully support pandas:FutureWarning"
)
NAMES = {"customer": "who", "time": "when", "amount": "paid"}


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(3)
    n = 3000
    minutes = rng.integers(0, 60 * 24 * 90, n)
    return pd.DataFrame(
        {
            "who": [f"c{i}" for i in rng.integers(0, 400, n)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min"),
            "paid": np.round(rng.normal(20, 15, n), 2),
        }
    )


@pytest.fixture(scope="module")
def spark_log(spark, log, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("log") / "log.parquet")
    log.to_parquet(path)
    return spark.read.parquet(path).repartition(4)


def local(table):
    """A Spark frame as a pandas frame, in the order of the in-memory result."""
    columns = [c for c in ("who", "period") if c in table.columns]
    rows = [row.asDict() for row in table.collect()]
    frame = pd.DataFrame(rows, columns=table.columns).sort_values(columns)
    return frame.reset_index(drop=True)


def same(made, wanted):
    wanted = wanted.assign(who=wanted["who"].astype(object))
    made = local(made).assign(who=lambda f: f["who"].astype(object))
    pd.testing.assert_frame_equal(made, wanted, check_dtype=False, rtol=0, atol=0)


def test_spark_gives_the_in_memory_summary_panel_and_split(spark_log, log):
    options = {**NAMES, "as_of": "2024-03-01", "refunds": "net_occasion"}
    wanted = cv.summarize(log, **options)
    made = cv.summarize(spark_log, **options)
    assert type(made) is type(spark_log)
    assert made.rdd.getNumPartitions() > 1
    same(made, wanted)
    book, reference = cv.ledger(made), cv.ledger(wanted)
    assert book.adds_up
    assert (book.rows_in, book.rows_used) == (reference.rows_in, reference.rows_used)
    assert (book.customers, book.occasions) == (reference.customers, reference.occasions)
    same(cv.panel(spark_log, **options), cv.panel(log, **options))
    options["as_of"] = "2024-03-31"
    parts = cv.split_by_date(spark_log, "2024-02-15", "30D", **options)
    for ours, theirs in zip(
        parts, cv.split_by_date(log, "2024-02-15", "30D", **options), strict=True
    ):
        same(ours, theirs)


def test_refunds_of_all_partitions_are_counted_together(spark_log, log):
    refunds = int((log["paid"] < 0).sum())
    with pytest.raises(DataContractError, match=rf"refunds: .*\({refunds} rows, first: "):
        cv.summarize(spark_log, **NAMES, as_of="2024-04-01")


def test_a_spark_timestamp_needs_a_zone(spark_log):
    from pyspark.sql import functions

    zoned = spark_log.withColumn("when", functions.col("when").cast("timestamp"))
    with pytest.raises(DataContractError, match="time-zone-unknown"):
        cv.summarize(zoned, **NAMES, as_of="2024-04-01", refunds="drop")


def test_spark_goes_on_by_two_batches_with_newcomers(spark_log, log):
    options = {**NAMES, "refunds": "net_occasion"}
    ends = ["2024-01-27", "2024-02-24", "2024-03-30"]
    cuts = [f"`when` < date '{end}' + interval 1 day" for end in ends]
    steps = [spark_log.where(cuts[0])]
    steps += [spark_log.where(f"not ({a}) and {b}") for a, b in pairwise(cuts)]
    for make, go_on, more in (
        (cv.summarize, cv.update_summary, {"carry": True}),
        (cv.panel, cv.update_panel, {"period": "1W"}),
    ):
        table = make(steps[0], **options, **more, as_of=ends[0])
        early = table.count()
        for rows, end in zip(steps[1:], ends[1:], strict=True):
            table = go_on(table, rows, **options, as_of=end)
        wanted = make(log, **options, **more, as_of=ends[-1])
        assert early < len(wanted)
        if "gaps" in wanted:
            wanted["gaps"] = [np.frombuffer(v, "<i8").tolist() for v in wanted["gaps"]]
        same(table, wanted)
        assert cv.ledger(table).rows_used == cv.ledger(wanted).rows_used
