"""One table of the forms a time may have, and one reading of dates and ids, on every engine."""

from __future__ import annotations

import datetime as dt
import warnings
from decimal import Decimal

import dask
import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue._frames import facts_of
from custvalue.data import TransactionLog, summary_sql
from custvalue.evaluation import cutoffs
from custvalue.exceptions import AsOfWarning, DataContractError

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
ENGINES = {
    "pandas": (lambda log: log, lambda t: t),
    "polars": (pl.from_pandas, lambda t: t.to_pandas()),
    "polars lazy": (lambda log: pl.from_pandas(log).lazy(), lambda t: t.collect().to_pandas()),
    "pyarrow": (
        lambda log: pa.Table.from_pandas(log, preserve_index=False),
        lambda t: t.to_pandas(),
    ),
    "duckdb": (lambda log: duckdb.from_df(log), lambda t: t.df()),
    "dask": (lambda log: dd.from_pandas(log, npartitions=1), lambda t: t.compute()),
}
ALL = pytest.mark.parametrize("engine", list(ENGINES))


@pytest.fixture(autouse=True)
def dask_in_one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def made(engine, log, **options):
    make, back = ENGINES[engine]
    options = {"as_of": "2024-12-31", **options}
    table = back(cv.summarize(make(log), **NAMES, **options))
    return table.sort_values("who").reset_index(drop=True)


def log_of(when, who=None):
    return pd.DataFrame({"who": who or ["x"] * len(when), "when": when, "paid": 1.0})


# text -> its day as it stands, and in UTC
FORMS = {
    "2024-01-05": ("2024-01-05", None),
    "2024/01/05": ("2024-01-05", None),
    "20240105": ("2024-01-05", None),
    "2024-01-05 00:30": ("2024-01-05", None),
    "2024-01-05T00:30": ("2024-01-05", None),
    "2024/01/05 00:30:59": ("2024-01-05", None),
    "20240105 00:30:59": ("2024-01-05", None),
    "2024-01-05 00:30:59.5": ("2024-01-05", None),
    "2024-01-05T00:30:59.123456789": ("2024-01-05", None),
    "2024-01-05T00:30:00Z": ("2024-01-05", "2024-01-05"),
    "2024-01-05T00:30+02": ("2024-01-05", "2024-01-04"),
    "2024-01-05 00:30:00+0200": ("2024-01-05", "2024-01-04"),
    "2024-01-05 00:30:00 +02:00": ("2024-01-05", "2024-01-04"),
    "2024-01-04T23:30:00.25-05:30": ("2024-01-04", "2024-01-05"),
}


@ALL
@pytest.mark.parametrize("text", list(FORMS))
def test_every_form_of_a_time_is_the_same_day_on_every_engine(engine, text):
    own, utc = FORMS[text]
    assert made(engine, log_of([text]))["first_order"][0] == pd.Timestamp(own)
    assert made(engine, log_of([text]), time_zone="UTC")["first_order"][0] == pd.Timestamp(
        utc or own
    )


NO_TIMES = ["2024", "1000", "2024-03", "today", "now", "03/07/1997", "2024-1-5", "2024-02-30",
            "2024-01-05 ", "epoch", "infinity", "NaT", "", "2024.01.05",
            "2024-01-05 25:00"]  # fmt: skip


@ALL
@pytest.mark.parametrize("text", NO_TIMES)
def test_text_that_is_no_time_is_refused_on_every_engine(engine, text):
    with pytest.raises(DataContractError, match="time-not-iso: column 'when' has text"):
        made(engine, log_of(["2024-01-05", text]))


@ALL
@pytest.mark.parametrize(
    ("zone", "day"), [(None, "2024-01-05"), ("Asia/Shanghai", "2024-01-05"), ("UTC", "2024-01-04")]
)
def test_an_offset_read_by_a_format_moves_the_day_as_the_zone_says(engine, zone, day):
    options = {"time_format": "%d/%m/%Y %H:%M:%S %z", "time_zone": zone}
    table = made(engine, log_of(["05/01/2024 00:30:00 +0200"]), **options)
    assert table["first_order"][0] == pd.Timestamp(day)


@ALL
def test_offsets_that_change_with_the_season_need_a_zone_and_take_it(engine):
    winter_summer = log_of(["2024-01-05T23:30:00+01:00", "2024-07-05T23:30:00+02:00"], ["a", "b"])
    with pytest.raises(DataContractError, match=r"mixed-time-zones: .*time_zone="):
        made(engine, winter_summer)
    for zone, days in {"Europe/Berlin": ["05", "05"], "Asia/Tokyo": ["06", "06"]}.items():
        table = made(engine, winter_summer, time_zone=zone)
        assert table["first_order"].dt.strftime("%d").tolist() == days
    with pytest.raises(DataContractError, match="mixed-time-zones"):
        made(engine, log_of(["2024-01-05T23:30:00+01:00", "2024-07-05T23:30:00"]))


@ALL
def test_a_format_that_fits_some_rows_is_refused_with_examples(engine):
    days = pd.date_range("2023-01-01", periods=360).strftime("%d/%m/%Y").tolist()
    fits = made(engine, log_of(days), time_format="%d/%m/%Y")
    assert fits["n_orders"].tolist() == [360]
    with pytest.raises(DataContractError, match=r"time-format: .*e\.g\. '13/01/2023'.*216 rows"):
        made(engine, log_of(days), time_format="%m/%d/%Y")
    few = [*days[:200], "31/02/2023"]  # a slip in one row of 201 is a row, not another format
    with pytest.warns(cv.exceptions.DataWarning, match="time is missing or unreadable: 1"):
        assert made(engine, log_of(few), time_format="%d/%m/%Y")["n_orders"].tolist() == [200]


@ALL
def test_a_format_that_no_engine_knows_is_named(engine):
    with pytest.raises(DataContractError, match="time-format"):
        made(engine, log_of(["2024-01-05"]), time_format="%Q")


NO_DATES = ["03/07/1997", "2024-06", "2024", "today", "now", "", "NaT", 20240630, 20240630.0,
            np.int64(20240630), np.int8(5), np.float32(1.0), Decimal(5), True, np.bool_(True),
            pd.NaT, np.datetime64("NaT"), np.datetime64("2024-06"), pd.Period("2024-06"),
            dt.time(5), ["2024-06-30"]]  # fmt: skip
LOG = pd.DataFrame({"who": [1, 1], "when": pd.to_datetime(["2024-02-01", "2024-06-15"]), "paid": 1})


@pytest.mark.parametrize("value", NO_DATES, ids=repr)
def test_what_is_no_date_is_refused_wherever_a_date_is_an_argument(value):
    from custvalue.lifecycle import LifecycleClassifier
    from custvalue.silence import learning_set, silence_from_log
    from custvalue.value import cohort_table, stage_history

    summary = cv.summarize(LOG, **NAMES, as_of="2024-06-30")
    whole = TransactionLog(LOG, **NAMES, as_of="2024-06-30")
    doors = {
        "summarize": lambda: cv.summarize(LOG, **NAMES, as_of=value),
        "panel": lambda: cv.panel(LOG, **NAMES, as_of=value),
        "lazy": lambda: cv.summarize(pl.from_pandas(LOG).lazy(), **NAMES, as_of=value),
        "cutoff": lambda: cv.split_by_date(LOG, value, "10D", **NAMES),
        "log": lambda: TransactionLog(LOG, **NAMES, as_of=value),
        "until": lambda: whole.until(value),
        "between": lambda: whole.between("2024-01-01", value),
        "cutoffs": lambda: cutoffs(whole, [value]),
        "backtest": lambda: cv.backtest([], whole, cutoffs=[value], horizon="4W"),
        "sql": lambda: summary_sql(table="t", **NAMES, as_of=value),
        "from_summary": lambda: cv.from_summary(
            summary, frequency="frequency", recency="recency", T="T", unit="D", as_of=value
        ),
        "cohorts": lambda: cohort_table(LOG, **NAMES, as_of=value),
        "gaps": lambda: silence_from_log(LOG, **NAMES, as_of=value),
        "learning": lambda: learning_set(lambda as_of: summary, as_of=value, window="10D"),
        "stages": lambda: stage_history(LOG, [value], **NAMES),
        "history": lambda: LifecycleClassifier().fit(summary).history([summary], dates=[value]),
        "since": lambda: LifecycleClassifier().fit(summary).upgrade_table(summary, as_of=value),
    }
    if value is pd.NaT or value is None:
        doors.pop("cutoff")
    for call in doors.values():
        with pytest.raises(DataContractError, match=r"(as-of|no-date): .* is no date"):
            call()


@ALL
def test_a_date_is_its_whole_day_whatever_the_occasion(engine):
    # a Friday; what happens on the Saturday and the Wednesday after is not known on it
    when = pd.to_datetime(
        ["2024-03-01 09:00", "2024-03-08 17:45", "2024-03-09 00:00", "2024-03-13 00:00"]
    )
    log = log_of(when).assign(paid=[1.0, 2.0, 4.0, 8.0])
    for occasion in ("1h", "6h", "1d", "2d", "1w", "2w"):
        table = made(engine, log, as_of="2024-03-08", occasion=occasion)
        assert table["total_value"].tolist() == [3.0], occasion
        make, _ = ENGINES[engine]
        native = cv.summarize(make(log), **NAMES, as_of="2024-03-08", occasion=occasion)
        assert facts_of(native).as_of == "2024-03-08"
        parts = cv.split_by_date(
            make(log), "2024-03-08", "2W", **NAMES, as_of="2024-03-31", occasion=occasion
        )
        back = ENGINES[engine][1]
        assert back(parts.known)["total_value"].tolist() == [3.0], occasion
        assert back(parts.future)["spend"].tolist() == [12.0], occasion
        assert facts_of(parts.future).as_of == "2024-03-22"


@ALL
def test_weeks_begin_on_monday(engine):
    # Monday to Sunday is one occasion; the next Monday another
    when = pd.to_datetime(
        ["2024-03-04 00:00", "2024-03-10 23:59", "2024-03-11 00:00", "1969-12-28 00:00"]
    )
    table = made(engine, log_of(when, ["a", "a", "a", "b"]), occasion="1w", as_of="2024-03-14")
    assert table["n_orders"].tolist() == [2, 1]
    assert table["first_order"].tolist() == [pd.Timestamp("2024-03-04"), pd.Timestamp("1969-12-22")]
    assert table["recency"].tolist() == [7.0, 0.0]
    make, back = ENGINES[engine]
    log = log_of(when[:3])
    rows = back(cv.panel(make(log), **NAMES, as_of="2024-03-14", occasion="1w", period="1W"))
    ends = rows.sort_values("period")["period_end"]  # the week's Sunday, and the last day seen
    assert ends.tolist() == [pd.Timestamp("2024-03-10"), pd.Timestamp("2024-03-14")]


@ALL
def test_without_an_as_of_date_the_last_day_is_seen_whatever_the_occasion(engine):
    log = log_of(pd.to_datetime(["2024-03-01", "2024-03-08"]))
    make, _ = ENGINES[engine]
    with pytest.warns(AsOfWarning, match="2024-03-08"):
        table = cv.summarize(make(log), **NAMES, occasion="1w")
    assert facts_of(table).as_of == "2024-03-08"


@ALL
@pytest.mark.parametrize("kind", ["int64", "uint64"])
def test_ids_beyond_floats_stay_apart_beside_a_missing_one(engine, kind):
    big = 2**53 if kind == "int64" else 2**63 + 2**53
    ids = [big, big + 1, big + 2, big + 3, None]
    table = pa.table(
        {
            "who": pa.array(ids, pa.int64() if kind == "int64" else pa.uint64()),
            "when": pa.array([dt.datetime(2024, 1, i + 1) for i in range(5)]),
            "paid": [1.0] * 5,
        }
    )
    tables = {
        "pandas": lambda: table.to_pandas().assign(
            who=pd.array(ids, dtype="Int64" if kind == "int64" else "UInt64")
        ),
        "polars": lambda: pl.from_arrow(table),
        "polars lazy": lambda: pl.from_arrow(table).lazy(),
        "pyarrow": lambda: table,
        "duckdb": lambda: duckdb.from_arrow(table),
        "dask": lambda: dd.from_pandas(
            table.to_pandas().assign(
                who=pd.array(ids, dtype="Int64" if kind == "int64" else "UInt64")
            ),
            npartitions=1,
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.exceptions.DataWarning)
        out = cv.summarize(tables[engine](), **NAMES, as_of="2024-12-31")
    back = out.collect() if hasattr(out, "collect") else out
    if engine == "duckdb":
        back = out.to_arrow_table() if hasattr(out, "to_arrow_table") else out.arrow()
    elif engine == "dask":
        back = out.compute()
    got = back["who"].to_pylist() if hasattr(back["who"], "to_pylist") else back["who"].tolist() \
        if hasattr(back["who"], "tolist") else back["who"].to_list()  # fmt: skip
    assert sorted(int(i) for i in got) == ids[:4]


@ALL
@pytest.mark.parametrize("unit", ["H", "h", "1h"])
def test_hours_are_a_unit_on_every_engine(engine, unit):
    when = pd.to_datetime(["2024-03-01 09:15", "2024-03-01 21:45"])
    table = made(engine, log_of(when), as_of="2024-03-02", occasion="1h", unit=unit)
    # 9 to 21 o'clock, and from 9 o'clock to the last hour of the next day
    assert table[["recency", "T"]].to_numpy().tolist() == [[12.0, 38.0]]
    make, back = ENGINES[engine]
    rows = back(cv.panel(make(log_of(when)), **NAMES, as_of="2024-03-01 23:00", occasion="1h",
                         period="6H"))  # fmt: skip
    assert rows.sort_values("period")["orders"].tolist() == [1, 0, 1]


def test_a_law_in_hours_says_what_it_says_in_days(cdnow_sample):
    names = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
    days, hours = (cv.summarize(cdnow_sample, **names, unit=unit) for unit in ("D", "H"))
    a, b = cv.MBGNBD().fit(days), cv.MBGNBD().fit(hours)
    wanted = a.predict(days, horizon="13W").sum()
    assert b.predict(hours, horizon="13W").sum() == pytest.approx(wanted, rel=1e-4)
    assert b.predict(hours, horizon="2184H").sum() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    "ids",
    [
        ["b10", "b2", "a", "B", "~", " ", "a0", "10", "9"],
        ["b10", "b2", "ä", "a", "中"],
        ["x" * 70, "x" * 69 + "y", "a"],
        ["b", 1, "a"],
    ],
)
def test_customers_stand_in_the_order_of_their_ids_however_they_are_written(ids):
    log = pd.DataFrame({"who": pd.Series(ids, dtype=object), "when": "2024-01-01", "paid": 1.0})
    found = cv.summarize(log, **NAMES, as_of="2024-02-01")["who"].tolist()
    assert found == sorted(ids, key=lambda one: (type(one).__name__, str(one)))
