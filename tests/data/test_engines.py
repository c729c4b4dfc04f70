"""The same log gives the same numbers on every engine, and the same kind of table comes out."""

from __future__ import annotations

import datetime as dt
import warnings

import dask
import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import custvalue as cv
from custvalue.exceptions import AsOfWarning, DataContractError, DataWarning

START = dt.datetime(2024, 1, 1)
NAMES = {"customer": "who", "time": "when", "amount": "paid"}
POLICIES = [
    {"refunds": "drop"},
    {"refunds": "net_occasion"},
    {"refunds": "net_occasion", "zero_amounts": "keep", "unit": "W"},
    {"refunds": "net_occasion", "duplicates": "drop", "margin": 0.25},
    {"refunds": "net_order", "order": "bill", "cost": "cost"},
    {"refunds": "drop", "occasion": "6h"},
    {"refunds": "net_occasion", "profit": "cost"},
]


@st.composite
def dirty_logs(draw):
    """A log with refunds, zeros, repeated lines, text ids, and missing ids, times and amounts."""
    n = draw(st.integers(1, 40))
    minutes = draw(st.lists(st.integers(0, 60 * 24 * 50), min_size=n, max_size=n))
    cents = draw(st.lists(st.integers(-3000, 5000), min_size=n, max_size=n))
    text = draw(st.booleans())
    who = draw(st.lists(st.integers(1, 7), min_size=n, max_size=n))
    bill = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    log = pd.DataFrame(
        {
            "who": [f"c{i}" for i in who] if text else who,
            "when": pd.to_datetime([START + dt.timedelta(minutes=m) for m in minutes]),
            "paid": np.round(np.array(cents) / 100, 2),
            "bill": [f"b{i}" for i in bill],
            "cost": draw(st.lists(st.sampled_from([0.0, 1.25, 3.0]), min_size=n, max_size=n)),
        }
    )
    if draw(st.booleans()):
        log = pd.concat([log, log.iloc[: draw(st.integers(1, 3))]], ignore_index=True)
    if draw(st.booleans()):
        log.loc[draw(st.integers(0, n - 1)), "paid"] = np.nan
        log.loc[draw(st.integers(0, n - 1)), "when"] = pd.NaT
        log.loc[draw(st.integers(0, n - 1)), "bill"] = None
        if text:
            log.loc[draw(st.integers(0, n - 1)), "who"] = None
    return log


def chunked(log):
    table = pa.Table.from_pandas(log, preserve_index=False)
    half = len(log) // 2
    return pa.concat_tables([table.slice(0, half), table.slice(half)])


ENGINES = {
    "polars": (pl.from_pandas, lambda t: t.to_pandas()),
    "polars lazy": (lambda log: pl.from_pandas(log).lazy(), lambda t: t.collect().to_pandas()),
    "pyarrow": (chunked, lambda t: t.to_pandas()),
    "duckdb": (lambda log: duckdb.from_arrow(chunked(log)), lambda t: t.df()),
    "dask": (lambda log: dd.from_pandas(log, npartitions=2), lambda t: t.compute()),
}
ALL = pytest.mark.parametrize("engine", list(ENGINES))


def plain(table, back, by):
    """A pandas frame in one order and with one kind of text and of missing id."""
    frame = back(table).sort_values(by).reset_index(drop=True)
    return frame.assign(who=frame["who"].astype(object))


def tables(log, **options):
    options.setdefault("as_of", "2024-02-09")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        unit = options.pop("unit", "D")
        parts = cv.split_by_date(
            log, "2024-01-20", "20D", **NAMES, **{**options, "unit": unit, "as_of": "2024-02-09"}
        )
        return [
            cv.summarize(log, **NAMES, **options, unit=unit),
            cv.panel(log, **NAMES, **options, period="1W"),
            *parts,
        ]


def check_all(log, make, back, policy):
    wanted = tables(log, **policy)
    made = tables(make(log), **policy)
    for ours, theirs in zip(wanted, made, strict=True):
        by = ["who", "period"] if "period" in ours.columns else ["who"]
        pd.testing.assert_frame_equal(
            plain(theirs, back, by), plain(ours, lambda t: t, by), rtol=1e-12, check_dtype=len(ours)
        )
        book, reference = cv.ledger(theirs), cv.ledger(ours)
        assert book.adds_up
        assert reference.adds_up
        assert (book.rows_in, book.rows_used) == (reference.rows_in, reference.rows_used)
        assert book.amount_used == pytest.approx(reference.amount_used, abs=1e-9)
        for name in ("customers", "occasions", "customers_lost"):  # None: not counted there
            assert getattr(book, name) in (None, getattr(reference, name))
        assert [d[:2] for d in book.dropped] == [d[:2] for d in reference.dropped]
        for mine, other in zip(book.dropped, reference.dropped, strict=True):
            assert mine.amount == pytest.approx(other.amount, abs=1e-9)


@pytest.mark.parametrize("engine", ["polars", "polars lazy", "pyarrow"])
@settings(max_examples=10)
@given(dirty_logs(), st.sampled_from(POLICIES))
def test_every_engine_gives_the_same_tables_and_ledger(engine, log, policy):
    check_all(log, *ENGINES[engine], policy)


SLOW = settings(max_examples=4, phases=[Phase.explicit, Phase.generate])  # shrinking takes minutes


@SLOW
@given(dirty_logs(), st.sampled_from(POLICIES))
def test_duckdb_gives_the_same_tables_and_ledger(log, policy):
    check_all(log, *ENGINES["duckdb"], policy)


@SLOW
@given(dirty_logs(), st.sampled_from(POLICIES))
def test_dask_gives_the_same_tables_and_ledger(log, policy):
    with dask.config.set(scheduler="synchronous"):
        check_all(log, *ENGINES["dask"], policy)


@ALL
def test_the_same_kind_of_table_comes_out(engine):
    make, _ = ENGINES[engine]
    log = make(pd.DataFrame({"who": [1, 2], "when": [START, START], "paid": [1.0, 2.0]}))
    assert isinstance(cv.summarize(log, **NAMES, as_of="2024-02-01"), type(log))


@ALL
def test_a_missing_figure_is_null_where_the_table_knows_null(engine):
    make, _ = ENGINES[engine]
    log = make(pd.DataFrame({"who": [1], "when": [START], "paid": [1.0]}))
    table = cv.summarize(log, **NAMES, as_of="2024-02-01")
    if engine == "polars lazy":
        table = table.collect()
    if engine.startswith("polars"):
        assert table["monetary_value"].null_count() == 1
    elif engine == "pyarrow":
        assert table["gap_mean"].null_count == 1
    elif engine == "duckdb":
        assert table.filter("gap_std IS NULL AND monetary_value IS NULL").df().shape[0] == 1
    else:
        assert table.compute()["monetary_value"].isna().all()


@ALL
def test_refunds_are_refused_with_count_and_ids_on_every_engine(engine):
    make, _ = ENGINES[engine]
    log = pd.DataFrame({"who": [1, 2, 3], "when": [START] * 3, "paid": [5.0, -1.0, -2.0]})
    with pytest.raises(DataContractError, match=r"refunds: .*2 rows, first: 2, 3\)") as caught:
        cv.summarize(make(log), **NAMES, as_of="2024-02-01")
    assert [p.code for p in caught.value.problems] == ["refunds"]


@ALL
def test_without_an_as_of_date_the_last_order_is_used_and_said(engine):
    make, back = ENGINES[engine]
    log = pd.DataFrame({"who": [1, 2], "when": pd.to_datetime(["2024-01-01", "2024-01-31"])})
    log["paid"] = [1.0, 1.0]
    with pytest.warns(AsOfWarning, match=r"as_of not given; using the last order's date, 2024-01"):
        table = cv.summarize(make(log), **NAMES)
    assert back(table).sort_values("who")["T"].tolist() == [30.0, 0.0]


@ALL
def test_every_missing_column_is_named(engine):
    make, _ = ENGINES[engine]
    log = make(pd.DataFrame({"who": [1], "paid": [1.0]}))
    with pytest.raises(DataContractError) as caught:
        cv.summarize(log, customer="id", time="when", amount="paid")
    assert [p.code for p in caught.value.problems] == ["missing-column", "missing-column"]


@ALL
def test_iso_text_is_read_and_other_text_needs_a_format(engine):
    make, back = ENGINES[engine]
    log = pd.DataFrame({"who": [1, 1], "when": ["2024-03-04", "2024-03-05 10:00:00"]})
    log["paid"] = [1.0, 2.0]
    table = cv.summarize(make(log), **NAMES, as_of="2024-03-10")
    assert back(table)["recency"].tolist() == [1.0]
    log["when"] = ["03/04/2024", "13/04/2024"]
    with pytest.raises(DataContractError, match=r"time-not-iso.*2 rows.*Give time_format="):
        cv.summarize(make(log), **NAMES, as_of="2024-05-01")
    table = cv.summarize(make(log), **NAMES, as_of="2024-05-01", time_format="%d/%m/%Y")
    assert back(table)["recency"].tolist() == [10.0]


@ALL
def test_a_sum_of_cents_is_exact_on_every_engine(engine):
    make, back = ENGINES[engine]
    n = 1000
    log = pd.DataFrame({"who": [1] * n, "when": [START] * n, "paid": [0.1] * n})
    table = back(cv.summarize(make(log), **NAMES, as_of="2024-02-01"))
    assert table["total_value"].tolist() == [100.0]  # a plain float sum gives 99.9999999999986


@ALL
def test_a_day_that_nets_to_nothing_is_no_purchase_on_any_engine(engine):
    make, back = ENGINES[engine]
    log = pd.DataFrame({"who": [1] * 5, "when": [START] * 4 + [START + dt.timedelta(days=3)]})
    log["paid"] = [50.1, 20.2, -50.1, -20.2, 7.0]  # in floats the day leaves 3.6e-15
    table = cv.summarize(make(log), **NAMES, as_of="2024-02-01", refunds="net_occasion")
    assert back(table)["n_orders"].tolist() == [1]


def test_a_duckdb_time_with_zone_needs_a_zone():
    log = duckdb.sql("SELECT 1 AS who, TIMESTAMPTZ '2024-01-01 23:30:00+00' AS when, 1.0 AS paid")
    with pytest.raises(DataContractError, match="time-zone-unknown"):
        cv.summarize(log, **NAMES, as_of="2024-02-01")
    table = cv.summarize(log, **NAMES, as_of="2024-02-01", time_zone="Asia/Shanghai").df()
    assert table["first_order"].tolist() == [pd.Timestamp("2024-01-02")]


@pytest.mark.parametrize("engine", ["pandas", *ENGINES])
def test_gaps_of_years_in_seconds_have_the_spread_that_pandas_finds(engine):
    # of 600 gaps, n * sum of squares - square of the sum is beyond 64 bits
    rng = np.random.default_rng(3)
    gaps = [rng.integers(1, 365 * 86_400, n) for n in (600, 40, 1)] + [[86_400] * 3]
    second = np.timedelta64(1_000_000, "us")  # of nanoseconds there are too few
    log = pd.concat(
        pd.DataFrame({"who": who, "when": np.datetime64("1800-01-01", "us") + own * second})
        for who, own in zip("abcd", map(np.cumsum, gaps), strict=True)
    ).assign(paid=1.0)
    spread = [np.diff(np.cumsum(own)) / 86_400.0 for own in gaps]
    wanted = [float(np.std(own)) if len(own) else np.nan for own in spread]
    make, back = ENGINES.get(engine, (lambda t: t, lambda t: t))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        made = cv.summarize(
            make(log.reset_index(drop=True)), **NAMES, as_of="2170-01-01", occasion="1s"
        )
    found = back(made).set_index("who")["gap_std"].astype(float).sort_index()
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert found["d"] == 0.0
