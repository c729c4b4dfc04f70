"""One door: whatever is asked of a log, orders and customers are counted by one reading."""

from __future__ import annotations

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue.data import LogOptions, TransactionLog
from custvalue.data._for_rooms import numbered
from custvalue.evaluation import cutoffs
from custvalue.evaluation._facts import log_facts
from custvalue.exceptions import AsOfWarning, DataContractError, DataWarning
from custvalue.silence import silence_from_log
from custvalue.value import cohort_table, contribution

CDNOW = {"customer": "customer_id", "time": "date", "amount": "amount"}
NAMES = {"customer": "who", "time": "when", "amount": "paid"}
DIRTY = pd.DataFrame({
    "who": [1, 1, 1, 2, 2, 3, 4, None],
    "when": ["2024-01-05", "2024-01-05", "2024-02-01", "2024-01-10", "2024-01-10", "2024-03-01",
             "2024-01-20", "2024-01-07"],
    "paid": [10.0, 5.0, 20.0, 8.0, -8.0, 7.0, 0.0, 3.0],
    "land": ["de", "de", "at", None, "fr", "it", "it", "ch"],
})  # fmt: skip


def engines():
    yield "pandas", lambda f: f
    yield "polars", pl.from_pandas
    yield "polars lazy", lambda f: pl.from_pandas(f).lazy()
    yield "pyarrow", lambda f: pa.Table.from_pandas(f, preserve_index=False)
    yield "duckdb", lambda f: duckdb.from_arrow(pa.Table.from_pandas(f, preserve_index=False))


def rows(table):
    """Any table as pandas, by customer."""
    frame = table
    for step in ("collect", "to_pandas", "df"):
        if hasattr(frame, step) and not isinstance(frame, pd.DataFrame):
            frame = getattr(frame, step)()
    return frame.sort_values("who", ignore_index=True)


def test_orders_and_customers_are_one_number_wherever_they_are_counted(cdnow_sample):
    end = pd.Timestamp("1997-09-30")
    paid = cdnow_sample[(cdnow_sample["amount"] > 0) & (cdnow_sample["date"] <= end)]
    days = paid.groupby(["customer_id", "date"])["amount"].sum()  # plain pandas
    orders, customers = len(days), paid["customer_id"].nunique()
    assert (orders, customers) == (4806, 2349)
    log = TransactionLog(cdnow_sample, **CDNOW, as_of="1997-09-30")
    assert (log.ledger().occasions, log.ledger().customers) == (orders, customers)
    assert log.summary()["n_orders"].sum() == orders
    assert log.panel("4W")["orders"].sum() == orders
    assert len(log.occasions()) == orders
    assert len(log.gaps()) == orders - customers
    assert log.cohorts("orders").table.sum().sum() == orders
    assert log.contribution().table["orders"].sum() == orders
    assert log.split("1997-06-30", "92D").known["n_orders"].sum() == (
        len(days[days.index.get_level_values("date") <= "1997-06-30"])
    )
    view = TransactionLog(cdnow_sample, **CDNOW).until("1997-09-30")
    assert (log_facts(view).n_orders, log_facts(view).n_customers) == (orders, customers)
    assert len(cutoffs(log, ["1997-09-30"])) == customers
    # the module functions are the same calls
    asked = {**CDNOW, "as_of": "1997-09-30"}
    assert cv.summarize(cdnow_sample, **asked)["n_orders"].sum() == orders
    table, gaps = silence_from_log(cdnow_sample, **asked)
    assert (len(table), len(gaps)) == (customers, orders - customers)
    assert cohort_table(cdnow_sample, **asked, value="customers").size.sum() == customers
    assert contribution(cdnow_sample, **asked).table["orders"].sum() == orders


def test_money_is_one_number_wherever_it_is_counted(cdnow_sample):
    log = TransactionLog(cdnow_sample, **CDNOW, as_of="1997-09-30")
    paid = cdnow_sample.loc[cdnow_sample["date"] <= "1997-09-30", "amount"].sum()
    for total in (
        log.ledger().amount_used,
        log.summary()["total_value"].sum(),
        log.panel()["spend"].sum(),
        log.occasions()["spend"].sum(),
        log.cohorts("money").table.sum().sum(),
        log.contribution().table["revenue"].sum(),
    ):
        assert total == pytest.approx(paid, rel=1e-12)


def test_gaps_are_the_times_between_a_customers_orders():
    log = TransactionLog(DIRTY, **NAMES, refunds="net_occasion", as_of="2024-03-31", unit="W")
    with pytest.warns(DataWarning, match="customer id is missing: 1"):
        gaps = log.gaps()
    assert gaps["who"].tolist() == [1]
    assert gaps["gap"].tolist() == pytest.approx([27 / 7])
    assert gaps["until"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-01"]
    assert log.gaps("D")["gap"].tolist() == [27.0]  # and nothing is said twice
    assert log.summary()["n_orders"].tolist() == [2, 1]


def test_gaps_add_up_to_the_summary(cdnow_sample):
    log = TransactionLog(cdnow_sample, **CDNOW, as_of="1998-06-30")
    gaps, table = log.gaps(), log.summary()
    by = gaps.groupby("customer_id")["gap"]
    some = table[table["n_gaps"] > 0].set_index("customer_id")
    pd.testing.assert_series_equal(by.sum(), some["gap_sum"], check_names=False)
    pd.testing.assert_series_equal(by.max(), some["gap_max"], check_names=False)


@pytest.mark.parametrize(("kind", "make"), list(engines()))
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.DataWarning")
def test_attributes_of_customers_are_kept_on_every_engine(kind, make):
    table = rows(cv.summarize(make(DIRTY), **NAMES, refunds="drop", as_of="2024-03-31",
                              keep=["land"]))  # fmt: skip
    # customer 1 moved: the last order's; customer 2: one row of the last day says nothing
    assert table["who"].tolist() == [1, 2, 3]
    assert table["land"].iloc[0] == "at"
    assert table["land"].iloc[2] == "it"
    assert pd.isna(table["land"].iloc[1])  # the refund that said "fr" was left out
    netted = rows(cv.summarize(make(DIRTY), **NAMES, refunds="net_occasion", zero_amounts="keep",
                               as_of="2024-01-31", keep="land"))  # fmt: skip
    assert netted["land"].tolist() == ["de", "it"]


def test_what_a_customer_will_be_is_not_known_at_the_cutoff():
    log = TransactionLog(DIRTY.dropna(), **NAMES, refunds="net_occasion", keep="land")
    assert log.until("2024-01-31").summary().set_index("who").loc[1, "land"] == "de"
    assert log.split("2024-01-31", "30D").known.set_index("who").loc[1, "land"] == "de"


def test_rows_of_one_day_that_disagree_keep_the_largest_value_and_the_log_s_type():
    log = pd.DataFrame({"who": ["a", "a", "b"], "when": "2024-01-01", "paid": 1.0,
                        "score": [1, 3, 2], "shop": pd.Categorical(["x", "y", "x"])})  # fmt: skip
    table = cv.summarize(log, **NAMES, as_of="2024-01-31", keep=["score", "shop"])
    assert table["score"].tolist() == [3, 2]
    assert table["score"].dtype == log["score"].dtype
    assert table["shop"].dtype == log["shop"].dtype


@pytest.mark.parametrize("name", ["T", "who", "first_order"])
def test_a_kept_column_is_not_lost_among_those_made(name):
    log = DIRTY.dropna().rename(columns={"land": name}) if name != "who" else DIRTY.dropna()
    with pytest.raises(DataContractError, match=f"reserved-name: a kept column is called '{name}'"):
        cv.summarize(log, **NAMES, refunds="drop", as_of="2024-03-31", keep=[name])


def test_a_policy_that_is_not_there_is_named_with_the_nearest_one():
    with pytest.raises(TypeError, match=r"no option 'refund'\. Did you mean 'refunds'"):
        TransactionLog(DIRTY, **NAMES, refund="drop")
    with pytest.raises(TypeError, match=r"no option 'colour'\. There are keep, occasion"):
        cv.summarize(DIRTY, **NAMES, colour="red")


def test_missing_columns_are_named_when_the_door_is_opened():
    for make in (lambda f: f, lambda f: pl.from_pandas(f).lazy()):
        with pytest.raises(DataContractError, match="no column 'nobody'"):
            TransactionLog(make(DIRTY), customer="nobody", time="when", amount="paid")
    with pytest.raises(TypeError, match="pass a table"):
        TransactionLog([1, 2], **NAMES)


def test_a_lazy_log_is_not_read_until_it_is_asked_for_rows():
    log = TransactionLog(pl.from_pandas(DIRTY.dropna()).lazy(), **NAMES, refunds="net_occasion",
                         as_of="2024-03-31")  # fmt: skip
    assert isinstance(log.summary(), pl.LazyFrame)
    assert repr(log) == "TransactionLog(LazyFrame, not read yet)"
    assert len(log.gaps()) == 1
    assert repr(log) == "TransactionLog(6 rows, 2024-01-05 to 2024-03-31)"


def test_a_table_is_made_once(cdnow_sample):
    log = TransactionLog(cdnow_sample, **CDNOW, as_of="1998-06-30")
    assert log.summary() is log.summary("D")
    assert log.summary() is not log.summary("W")


def test_an_end_that_is_not_told_is_the_last_day_and_the_functions_say_so(cdnow_sample):
    log = TransactionLog(cdnow_sample, **CDNOW)
    assert str(log.as_of)[:10] == "1998-06-30"  # the last row's day
    assert cv.data.ledger(log.summary()).rows_in == len(cdnow_sample)
    for call in (cv.summarize, cv.panel, cv.data.occasions, cohort_table, contribution):
        with pytest.warns(AsOfWarning, match="1998-06-30"):
            call(cdnow_sample, **CDNOW)


def test_views_at_a_time_of_day_see_what_the_summary_sees():
    log = pd.DataFrame({"who": 1, "paid": 1.0,
                        "when": pd.to_datetime(["2024-01-01 08:30", "2024-01-01 10:10",
                                                "2024-01-01 10:40"])})  # fmt: skip
    door = TransactionLog(log, **NAMES, occasion="1h", unit="H", as_of="2024-01-01 10:00")
    assert door.summary()["n_orders"].tolist() == [2]  # 8 and 10 o'clock
    assert door.until(door.as_of).summary()["n_orders"].tolist() == [2]
    assert door.span_days * 24 == pytest.approx(2.5)


def test_policies_are_spelled_once_and_shown_in_every_signature():
    import inspect

    names = list(inspect.signature(LogOptions).parameters)[3:]
    for call in (cv.summarize, cv.panel, cv.split_by_date, cv.data.occasions, TransactionLog):
        shown = inspect.signature(call).parameters
        assert [n for n in shown if n in names] == names


def test_options_that_contradict_each_other_are_refused_at_the_door():
    with pytest.raises(ValueError, match="needs order="):
        TransactionLog(DIRTY, **NAMES, refunds="net_order")
    with pytest.raises(ValueError, match="not both"):
        TransactionLog(DIRTY, **NAMES, margin=0.2, cost="paid")
    with pytest.raises(ValueError, match="must be one of"):
        TransactionLog(DIRTY, **NAMES).cohorts("profit")


def test_a_log_of_nothing_that_counts_is_refused():
    log = DIRTY.assign(paid=0.0).dropna()
    with pytest.raises(DataContractError, match="no order up to 2024-03-01"):
        TransactionLog(log, **NAMES).until("2024-02-01")


def test_hypothetical_clones_share_the_rows(cdnow_sample):
    import copy

    from sklearn.base import clone

    log = TransactionLog(cdnow_sample, **CDNOW, as_of="1998-06-30")
    assert clone(log) is log
    assert copy.deepcopy(log) is log
    assert np.shares_memory(log.frame["amount"], cdnow_sample["amount"])


def test_a_month_is_over_on_its_last_day_and_not_the_day_before():
    log = pd.DataFrame({"who": [1, 1], "when": ["2024-01-05", "2024-02-20"], "paid": [1.0, 2.0]})
    for as_of, over in (("2024-02-28", False), ("2024-02-29", True), ("2024-03-01", True)):
        found = cohort_table(log, customer="who", time="when", amount="paid", as_of=as_of,
                             value="money")  # fmt: skip
        table, rest = found.table.loc["2024-01", 1], found.unfinished.loc["2024-01", 1]
        assert (table, rest)[not over] == 2.0
        assert np.isnan((rest, table)[not over])


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_whole_numbers_for_ids_change_no_figure_and_no_order_of_customers(kind):
    rows = pd.DataFrame(
        {
            "who": ["b", "Z", None, "a", "b", "ä", "a", "nan", "c"],
            "paid": [5.0, 7.0, 9.0, 2.0, -1.0, 3.0, 4.0, 8.0, 6.0],
            "when": ["2024-01-05", "2024-01-02", "2024-01-03", "2024-02-01", "2024-01-05",
                     "2024-03-01", "2024-03-02", "2024-03-03", "2024-09-01"],
            "town": list("xyzxyzxyz"),
        }
    )  # fmt: skip
    given = {"pandas": rows, "polars": pl.from_pandas(rows), "pyarrow": pa.Table.from_pandas(rows)}
    names = {"customer": "who", "time": "when", "amount": "paid", "refunds": "net_occasion"}
    log = TransactionLog(given[kind], **names, as_of="2024-06-30", keep="town")
    with pytest.warns(DataWarning):
        plain = log.summary()
    short = numbered(log)
    own, theirs = (pd.DataFrame(nw.from_native(t).to_dict(as_series=False))
                   for t in (plain, short.summary()))  # fmt: skip
    assert own["who"].tolist() == ["Z", "a", "b", "ä"]
    assert theirs["who"].is_monotonic_increasing
    pd.testing.assert_frame_equal(own.drop(columns="who"), theirs.drop(columns="who"))
    assert short.last_known("town").tolist() == log.last_known("town").tolist()
    then = [np.asarray(one.until("2024-02-15").summary()["n_orders"]).tolist()
            for one in (log, short)]  # fmt: skip
    assert then == [[1, 1, 1]] * 2


def test_rows_that_repeat_in_every_column_stay_so_with_whole_numbers_for_ids():
    rows = pd.DataFrame({"who": ["a", "a", "a"], "paid": 5.0, "when": "2024-01-05",
                         "line": [1, 1, 2]})  # fmt: skip
    log = TransactionLog(
        rows, customer="who", time="when", amount="paid", as_of="2024-06-30", duplicates="drop"
    )
    assert numbered(log).summary()["total_value"].tolist() == [10.0]
