"""A table that goes on by new rows is the table that all rows make, to the last bit.

The right values are those of ``summarize`` and ``panel`` on the whole log, which have their own
tests. ``CUSTVALUE_APPEND_LOGS=500`` sets how many logs each engine is asked about.
"""

from __future__ import annotations

import datetime as dt
import os
import warnings
from functools import partial
from pathlib import Path

import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import custvalue as cv
from custvalue._frames import facts_of, with_facts
from custvalue.exceptions import ArtefactError, DataContractError, DataWarning, TimeUnitError

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
START = dt.datetime(2024, 1, 1)
CUT, END = "2024-01-28", "2024-02-25"  # Sundays, four weeks apart
LOGS = int(os.environ.get("CUSTVALUE_APPEND_LOGS", "0"))
PHASES = [Phase.explicit, Phase.generate]  # shrinking takes minutes
POLICIES = [
    {"refunds": "drop"},
    {"refunds": "net_occasion", "keep": "country"},
    {"refunds": "net_occasion", "zero_amounts": "keep", "unit": "W", "occasion": "1w"},
    {"refunds": "net_occasion", "duplicates": "drop", "margin": 0.5},
    {"refunds": "drop", "cost": "cost", "occasion": "6h"},
    {"refunds": "net_occasion", "profit": "cost", "occasion": "1s"},
]


@st.composite
def logs(draw):
    """Rows of eight weeks with refunds, zeros, repeated lines, and cells that are missing."""
    n = draw(st.integers(0, 30))
    minutes = draw(st.lists(st.integers(0, 60 * 24 * 56 - 1), min_size=n, max_size=n))
    cents = draw(st.lists(st.integers(-2000, 5000), min_size=n, max_size=n))
    who = draw(st.lists(st.integers(1, 6), min_size=n, max_size=n))
    text = draw(st.booleans())
    step = draw(st.sampled_from([1.0, 100.0, 1000.0]))  # digits behind the point
    log = pd.DataFrame(
        {
            "who": np.array([f"c{i}" for i in who], dtype=object) if text else np.array(who, int),
            "when": pd.to_datetime([START + dt.timedelta(minutes=m) for m in minutes]),
            "paid": np.array(cents) / step,
            "cost": draw(st.lists(st.sampled_from([0.0, 1.25, 3.0]), min_size=n, max_size=n)),
            "country": draw(st.lists(st.sampled_from(["FR", "DE"]), min_size=n, max_size=n)),
        }
    )
    if n and draw(st.booleans()):
        log = pd.concat([log, log.iloc[:2]], ignore_index=True)
        log.loc[draw(st.integers(0, n - 1)), "paid"] = np.nan
        if text:
            log.loc[draw(st.integers(0, n - 1)), "who"] = None
    return log.astype({"when": "datetime64[us]"})


def cut(log):
    late = log["when"] >= pd.Timestamp(CUT) + pd.Timedelta("1D")
    return log[~late], log[late]


def made(work, log, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return work(log, **NAMES, **options)


def updated(old, rows, work=cv.update_summary, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return work(old, rows, **NAMES, **options)


def same(got, wanted):
    pd.testing.assert_frame_equal(got, wanted, check_exact=True, rtol=0, atol=0)


def check_book(got, wanted):
    ours, theirs = cv.ledger(got), cv.ledger(wanted)
    assert ours.adds_up
    for name in ("rows_in", "rows_used", "amount_in", "amount_used", "customers", "occasions"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.customers_lost in (None, theirs.customers_lost)
    assert [d[:3] for d in ours.dropped] == [d[:3] for d in theirs.dropped]


@settings(max_examples=LOGS or 30, phases=PHASES)
@given(logs(), st.sampled_from(POLICIES))
def test_a_summary_with_new_rows_is_that_of_all_rows(log, policy):
    early, late = cut(log)
    old = made(cv.summarize, early, as_of=CUT, carry=True, **policy)
    got = updated(old, late, as_of=END, **policy)
    wanted = made(cv.summarize, pd.concat([early, late]), as_of=END, carry=True, **policy)
    same(got, wanted)
    check_book(got, wanted)
    assert got.attrs["custvalue"]["extra"]["money"] == wanted.attrs["custvalue"]["extra"]["money"]


@settings(max_examples=LOGS or 12, phases=PHASES)
@given(logs(), st.sampled_from(POLICIES))
def test_without_carried_gaps_it_is_the_same_or_refused(log, policy):
    early, late = cut(log)
    old = made(cv.summarize, early, as_of=CUT, **policy)
    wanted = made(cv.summarize, pd.concat([early, late]), as_of=END, **policy)
    try:
        same(updated(old, late, as_of=END, **policy), wanted)
    except DataContractError as error:
        codes = {p.code for p in error.problems}
    else:
        codes = set()
    if codes:
        assert codes == {"gaps-not-carried"}
        assert (old["n_gaps"] > 3).any()
        rest = old.drop(columns="n_gaps_shorter")
        same(updated(rest, late, as_of=END, **policy), wanted.drop(columns="n_gaps_shorter"))


@settings(max_examples=LOGS or 12, phases=PHASES)
@given(logs(), st.sampled_from(POLICIES), st.sampled_from(["1W", "2W", "28D"]))
def test_a_panel_with_new_rows_is_that_of_all_rows(log, policy, period):
    policy = {k: v for k, v in policy.items() if k not in ("unit", "keep")}
    early, late = cut(log)
    old = made(cv.panel, early, as_of=CUT, period=period, **policy)
    got = updated(old, late, cv.update_panel, as_of=END, **policy)
    wanted = made(cv.panel, pd.concat([early, late]), as_of=END, period=period, **policy)
    same(got, wanted)
    check_book(got, wanted)


@settings(max_examples=LOGS or 12, phases=PHASES)
@given(logs(), st.sampled_from(POLICIES), st.integers(2, 6))
def test_day_after_day_is_one_step(log, policy, days):
    log = log[log["when"] < pd.Timestamp(CUT) + pd.Timedelta(days=days + 1)]
    policy = {**policy, "occasion": "1d"}
    early, late = cut(log)
    table = made(cv.summarize, early, as_of=CUT, carry=True, **policy)
    for day in range(1, days + 1):
        today = pd.Timestamp(CUT) + pd.Timedelta(days=day)
        rows = late[late["when"].dt.normalize() == today]
        table = updated(table, rows, as_of=str(today.date()), batch=str(today.date()), **policy)
    same(table, made(cv.summarize, pd.concat([early, late]), as_of=str(today.date()), carry=True,
                     **policy))  # fmt: skip


ENGINES = {
    "polars": (pl.from_pandas, lambda t: t.to_pandas()),
    "polars lazy": (lambda log: pl.from_pandas(log).lazy(), lambda t: t.collect().to_pandas()),
    "pyarrow": (
        lambda log: pa.Table.from_pandas(log, preserve_index=False),
        lambda t: t.to_pandas(),
    ),
    "duckdb": (
        lambda log: duckdb.from_arrow(pa.Table.from_pandas(log, preserve_index=False)),
        lambda t: t.df(),
    ),
    "dask": (lambda log: dd.from_pandas(log, npartitions=2), lambda t: t.compute()),
}


def plain(table, back):
    """A pandas frame in one order, with lists as lists and one kind of text."""
    frame = back(table)
    by = [name for name in ("who", "period") if name in frame.columns]
    frame = frame.sort_values(by).reset_index(drop=True)
    if "gaps" in frame.columns:
        kind = bytes if len(frame) and isinstance(frame["gaps"].iloc[0], bytes) else None
        lists = frame["gaps"].map(lambda v: np.frombuffer(v, "<i8") if kind else np.asarray(v))
        frame["gaps"] = lists.map(lambda v: tuple(int(gap) for gap in v)).astype(object)
    return frame.assign(who=frame["who"].astype(object))


@pytest.mark.parametrize("engine", list(ENGINES))
@settings(
    max_examples=LOGS or 3,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(logs(), st.sampled_from(POLICIES))
def test_every_engine_goes_on_where_the_table_lies(engine, log, policy):
    check_engine(engine, *ENGINES[engine], log, policy)


def check_engine(engine, make, back, log, policy):
    # polars' lazy plan divides by a number as it multiplies by its inverse: its own last digit
    slack = 1e-15 if engine == "polars lazy" else 0.0
    early, late = cut(log)
    if not len(early) or not len(late):
        return  # columns without a value have no type
    panel = {k: v for k, v in policy.items() if k not in ("unit", "keep")}
    for work, go_on, more in (
        (cv.summarize, cv.update_summary, {**policy, "carry": True}),
        (cv.panel, cv.update_panel, {**panel, "period": "2W"}),
    ):
        old = made(work, make(early), as_of=CUT, **more)
        got = updated(old, make(late), go_on, as_of=END, **more)
        assert type(got) is type(old)
        wanted = made(work, make(pd.concat([early, late])), as_of=END, **more)
        ours, theirs = plain(got, back), plain(wanted, back)
        kinds = bool(len(theirs))
        if engine in ("polars lazy", "duckdb", "dask") and "litt" in ours:  # added up as they come
            np.testing.assert_allclose(ours.pop("litt"), theirs.pop("litt"), rtol=0, atol=1e-9)
        pd.testing.assert_frame_equal(ours, theirs, rtol=slack, atol=0, check_dtype=kinds)
        assert cv.ledger(got).rows_used == cv.ledger(wanted).rows_used
        # and it goes on from there
        again = updated(got, make(late[:0]), go_on, as_of="2024-03-10", **more)
        assert len(back(again)) >= len(theirs)


def spark_frame(spark, log):
    """Rows in a few partitions, without a zone."""
    who = "long" if log["who"].dtype.kind == "i" else "string"
    kinds = f"who {who}, when timestamp_ntz, paid double, cost double, country string"
    rows = [tuple(row) for row in log.astype(object).itertuples(index=False)]
    rows = [(None if pd.isna(w) else w, when.to_pydatetime(), *more) for w, when, *more in rows]
    return spark.createDataFrame(rows, kinds).repartition(2)


def from_spark(table):
    return pd.DataFrame([row.asDict() for row in table.collect()], columns=table.columns)


@pytest.mark.skipif(not LOGS, reason="takes seconds a log; tests/data/test_spark.py has one")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_spark_goes_on_where_the_table_lies(spark):
    @settings(max_examples=LOGS, phases=PHASES)
    @given(logs(), st.sampled_from(POLICIES))
    def each(log, policy):
        check_engine("spark", partial(spark_frame, spark), from_spark, log, policy)

    each()


@pytest.mark.parametrize("engine", ["duckdb", "polars lazy"])
def test_profits_of_decimals_are_decimals_whatever_the_engine(engine):
    make, back = ENGINES[engine]
    log = pd.DataFrame({"who": ["a", "b", "a"], "paid": [1.265, 1.656, 0.3], "cost": 1.25})
    log["when"] = pd.to_datetime(["2024-01-02", "2024-01-05", "2024-01-09"])
    made_of = {"as_of": CUT, "cost": "cost"}
    got = back(made(cv.summarize, make(log), **made_of)).sort_values("who")
    # by hand: 1.265 - 1.25 + .3 - 1.25 and 1.656 - 1.25; floats give .406 less 9e-17
    slack = 1e-15 if engine == "polars lazy" else 0.0
    np.testing.assert_allclose(got["total_profit"], [-0.935, 0.406], rtol=slack, atol=0)


@settings(max_examples=LOGS or 12, phases=PHASES)
@given(logs(), st.sampled_from(POLICIES), st.sampled_from(["pyarrow", "polars"]), st.data())
def test_a_table_in_pieces_or_out_of_order_goes_on_alike(log, policy, engine, data):
    early, late = cut(log)
    if not len(early) or not len(late):
        return
    make, back = ENGINES[engine]
    old = made(cv.summarize, make(early), as_of=CUT, carry=True, **policy)
    wanted = made(cv.summarize, make(pd.concat([early, late])), as_of=END, carry=True, **policy)
    told = facts_of(old)
    if data.draw(st.booleans()):
        order = data.draw(st.permutations(range(len(old))))
        old = old[order] if engine == "polars" else old.take(order)
    size = data.draw(st.integers(1, 3))
    parts = [old[at : at + size] for at in range(0, len(old), size)] or [old]
    old = pl.concat(parts, rechunk=False) if engine == "polars" else pa.concat_tables(parts)
    got = updated(with_facts(old, told), make(late), as_of=END, **policy)
    pd.testing.assert_frame_equal(plain(got, back), plain(wanted, back), rtol=0, atol=0)


def test_newcomers_by_the_thousand_come_between(monkeypatch):
    monkeypatch.setattr("custvalue.data._place._MANY", 10)
    rng = np.random.default_rng(5)
    log = pd.DataFrame({"who": rng.permutation(3_000), "paid": 2.5})
    log["when"] = pd.to_datetime(np.where(log["who"] % 3 == 0, "2024-01-04", "2024-02-04"))
    for who in (log["who"], "c" + log["who"].astype(str)):
        for engine in ("pyarrow", "polars"):
            make, back = ENGINES[engine]
            early, late = cut(log.assign(who=who))
            old = made(cv.summarize, make(early), as_of=CUT, carry=True)
            wanted = made(cv.summarize, make(log.assign(who=who)), as_of=END, carry=True)
            got = updated(old, make(pd.concat([late, early[:0]])), as_of=END)
            pd.testing.assert_frame_equal(back(got), back(wanted), rtol=0, atol=0)


def shop(**changes):
    early = pd.DataFrame({"who": ["a", "a", "b"], "paid": [10.0, 5.0, 8.0], "bill": [1, 2, 3]})
    early["when"] = pd.to_datetime(["2024-01-02", "2024-01-20", "2024-01-09"])
    late = pd.DataFrame({"who": ["a", "c"], "paid": [4.0, 2.5], "bill": [4, 5]})
    late["when"] = pd.to_datetime(["2024-02-02", "2024-02-20"])
    return early, late.assign(**changes)


def refusal(old, rows, *, as_of=END, work=cv.update_summary, **options):
    with pytest.raises(DataContractError) as refused:
        updated(old, rows, work, as_of=as_of, **options)
    return {p.code: p for p in refused.value.problems}


def test_rows_of_an_earlier_batch_and_late_ones_are_refused_with_their_customers():
    early, late = shop()
    old = made(cv.summarize, early, as_of=CUT)
    late.loc[0, "when"] = pd.Timestamp("2024-01-28 23:59")
    problem = refusal(old, late)["before-as-of"]
    assert (problem.count, problem.ids) == (1, ("a",))
    assert refusal(old, pd.concat([early, late]))["before-as-of"].count == 4


def test_an_as_of_date_that_goes_back_another_unit_and_other_rules_are_refused():
    early, late = shop()
    old = made(cv.summarize, early, as_of=CUT, unit="W")
    assert set(refusal(old, late, as_of="2024-01-20")) == {"as-of-order"}
    with pytest.raises(TimeUnitError, match="'W'"):
        updated(old, late, as_of=END, unit="D")
    problem = refusal(old, late, occasion="6h", keep="bill")["other-rules"]
    assert "occasion_seconds" in problem.message
    assert "keep" in problem.message
    bare = pd.DataFrame({name: old[name] for name in old.columns})
    assert set(refusal(bare, late)) == {"table-facts"}
    assert set(refusal(made(cv.panel, early, as_of=CUT), late)) == {"table-facts"}
    renamed = updated(old, late, as_of=END, unit="7D", refunds="drop")  # there was no refund
    assert renamed.attrs["custvalue"]["extra"]["rules"]["refunds"] == "drop"


def test_refunds_of_orders_that_are_not_there_are_refused_and_others_are_netted():
    early, late = shop()
    policy = {"refunds": "net_order", "order": "bill"}
    old = made(cv.summarize, early, as_of=CUT, **policy)
    back = pd.DataFrame({"who": ["a", "c"], "paid": [-5.0, -1.0], "bill": [2, 5]})
    back["when"] = pd.Timestamp("2024-02-21")
    problem = refusal(old, pd.concat([late, back]), **policy)["late-refund"]
    assert (problem.count, problem.ids) == (1, ("a",))
    rows = pd.concat([late, back[1:]])
    wanted = made(cv.summarize, pd.concat([early, rows]), as_of=END, **policy)
    same(updated(old, rows, as_of=END, **policy), wanted)
    nameless = pd.concat([late, back[:1].assign(bill=np.nan)])  # nets nothing but itself
    wanted = made(cv.summarize, pd.concat([early, nameless]), as_of=END, **policy)
    same(updated(old, nameless, as_of=END, **policy), wanted)


def test_a_week_that_the_old_table_saw_in_part_is_refused():
    early, late = shop()
    old = made(cv.summarize, early, as_of="2024-01-30", occasion="1w")
    problem = refusal(old, late, occasion="1w")["occasion-open"]
    assert problem.ids == ("a",)
    rows = late[1:]
    wanted = made(cv.summarize, pd.concat([early, rows]), as_of=END, occasion="1w")
    same(updated(old, rows, as_of=END, occasion="1w"), wanted)


def test_money_that_is_no_decimal_and_ids_of_another_kind_are_refused():
    early, late = shop()
    old = made(cv.summarize, early, as_of=CUT)
    assert set(refusal(old, late.assign(paid=[np.pi, 1.0]))) == {"money-not-exact"}
    assert set(refusal(old, late.assign(who=[7, 8]))) == {"customer-kind"}
    twice = pd.concat([old, old], ignore_index=True)
    twice.attrs = dict(old.attrs)
    assert set(refusal(twice, late)) == {"customer-twice"}
    assert set(refusal(old.assign(extra=1), late)) == {"strange-column"}
    assert set(refusal(old, late, carry=True)) == {"gaps-not-carried"}


def test_a_batch_counts_once_and_under_its_name_only():
    early, late = shop()
    old = made(cv.summarize, early, as_of=CUT)
    got = updated(old, late, as_of=END, batch="feb")
    assert updated(got, late, as_of=END, batch="feb") is got
    more = pd.concat([late, late[:1]])
    assert set(refusal(got, more, batch="feb")) == {"batch-changed"}
    assert set(refusal(got, late, batch="mar")) == {"before-as-of"}


def test_a_keep_value_that_a_netted_row_may_have_had_is_refused():
    early, late = shop(country=["FR", None])
    early["country"] = "DE"
    policy = {"refunds": "net_occasion", "keep": "country"}
    gone = pd.DataFrame({"who": ["c"], "paid": [-1.0], "country": ["IT"]})
    gone["when"] = pd.Timestamp("2024-01-05")
    old = made(cv.summarize, pd.concat([early, gone]), as_of=CUT, **policy)
    assert refusal(old, late, **policy)["keep-not-known"].ids == ("c",)


def test_rows_left_out_for_coming_later_must_come():
    early, late = shop()
    old = made(cv.summarize, pd.concat([early, late]), as_of=CUT)
    got = updated(old, late, as_of=END)
    wanted = made(cv.summarize, pd.concat([early, late]), as_of=END)
    same(got, wanted)
    assert cv.ledger(got).to_dict() == cv.ledger(wanted).to_dict()
    with pytest.warns(DataWarning, match="left out 2 rows"):
        cv.update_summary(old, late[:1], **NAMES, as_of=END)


def test_a_panel_goes_on_by_whole_periods_only():
    early, late = shop()
    old = made(cv.panel, early, as_of=CUT, period="2W")
    assert set(refusal(old, late, as_of="2024-02-20", work=cv.update_panel)) == {"off-grid"}
    assert set(refusal(old[::-1], late, work=cv.update_panel)) == {"panel-order"}
    with pytest.raises(TimeUnitError):
        updated(old, late, cv.update_panel, as_of=END, period="4W")


def test_spreads_too_wide_for_whole_numbers_need_the_gaps():
    when = pd.to_datetime(["1970-01-01", "1999-05-05", "2010-01-01", "2011-02-03"])
    early = pd.DataFrame({"who": 1, "when": when, "paid": 2.0})
    late = pd.DataFrame({"who": [1], "when": pd.to_datetime(["2024-03-03"]), "paid": [2.0]})
    policy = {"as_of": "2012-01-01", "occasion": "1s", "carry": True}
    old = made(cv.summarize, early, **policy)
    wanted = made(cv.summarize, pd.concat([early, late]), **{**policy, "as_of": "2024-04-01"})
    same(updated(old, late, occasion="1s", as_of="2024-04-01"), wanted)
    bare = old.drop(columns="gaps")
    assert "not-exact" in refusal(bare, late, occasion="1s", as_of="2024-04-01")


@pytest.mark.parametrize("kind", ["pandas", "pyarrow"])
def test_a_file_goes_on_whole_or_not_at_all(kind, tmp_path, monkeypatch):
    early, late = shop()
    file = tmp_path / "customers.parquet"
    make = (lambda log: log) if kind == "pandas" else ENGINES["pyarrow"][0]
    old = made(cv.summarize, make(early), as_of=CUT, carry=True)
    old.to_parquet(file) if kind == "pandas" else pq.write_table(old, file)
    before = file.read_bytes()

    def dies(table, where, *more, **options):
        Path(where).write_bytes(b"half of it")
        raise OSError("no space left")

    home, name = (pd.DataFrame, "to_parquet") if kind == "pandas" else (pq, "write_table")
    with monkeypatch.context() as patch:
        patch.setattr(home, name, dies)
        with pytest.raises(OSError, match="no space"):
            cv.data.update_file(file, late, **NAMES, as_of=END, batch="feb")
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [file.name]
    for _ in range(2):  # the second time nothing is left to do
        cv.data.update_file(file, late, **NAMES, as_of=END, batch="feb")
    wanted = made(cv.summarize, pd.concat([early, late]), as_of=END, carry=True)
    got = pd.read_parquet(file) if kind == "pandas" else pq.read_table(file)
    ours = plain(got, lambda t: t if kind == "pandas" else t.to_pandas())
    pd.testing.assert_frame_equal(ours, plain(wanted, lambda t: t), check_dtype=False, rtol=0)
    assert cv.ledger(got).rows_used == 5


def test_a_job_that_is_killed_in_the_middle_leaves_the_old_file_and_may_run_again(
    tmp_path, monkeypatch
):
    early, late = shop()
    file = tmp_path / "customers.parquet"
    made(cv.summarize, early, as_of=CUT, carry=True).to_parquet(file)
    before = file.read_bytes()

    def killed(table, where, *more, **options):
        Path(where).write_bytes(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_parquet", killed)
        patch.setattr("custvalue._files.shutil.rmtree", lambda *_, **__: None)  # nobody tidies up
        with pytest.raises(KeyboardInterrupt):
            cv.data.update_file(file, late, **NAMES, as_of=END, batch="feb")
    assert file.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2  # what it had begun
    cv.data.update_file(file, late, **NAMES, as_of=END, batch="feb")
    wanted = made(cv.summarize, pd.concat([early, late]), as_of=END, carry=True)
    got = pd.read_parquet(file)
    pd.testing.assert_frame_equal(plain(got, lambda t: t), plain(wanted, lambda t: t), rtol=0)


def test_of_two_jobs_on_one_file_the_second_to_end_writes_nothing(tmp_path, monkeypatch):
    early, late = shop()
    file = tmp_path / "customers.parquet"
    made(cv.summarize, early, as_of=CUT).to_parquet(file)
    write = pd.DataFrame.to_parquet

    def slowly(table, where, *more, **options):
        write(table, where, *more, **options)
        if ".writing-" in str(where):  # another job ends first
            monkeypatch.setattr(pd.DataFrame, "to_parquet", write)
            cv.data.update_file(file, late[:1], **NAMES, as_of=END, batch="other")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", slowly)
    with pytest.raises(ArtefactError, match="changed by another job meanwhile"):
        cv.data.update_file(file, late, **NAMES, as_of=END, batch="feb")
    wanted = made(cv.summarize, pd.concat([early, late[:1]]), as_of=END)
    assert cv.ledger(pd.read_parquet(file)).rows_used == cv.ledger(wanted).rows_used == 4
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_a_file_that_is_none_says_so(tmp_path):
    _, late = shop()
    file = tmp_path / "customers.parquet"
    file.write_bytes(b"PAR1 cut in the mid")
    with pytest.raises(ArtefactError, match="no Parquet file"):
        cv.data.update_file(file, late, **NAMES, as_of=END)
    late.to_parquet(file)
    with pytest.raises(DataContractError, match="how its log was read"):
        cv.data.update_file(file, late, **NAMES, as_of=END)
