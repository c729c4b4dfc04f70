"""The traps of real logs: ids, clocks, order of rows, refunds, and what each error says."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custvalue as cv
from custvalue._frames import facts_of
from custvalue.exceptions import AsOfWarning, DataContractError, DataWarning

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
AT = {**NAMES, "as_of": "2024-03-31"}


def a_log(**columns):
    made = {
        "who": [1, 1, 2],
        "when": pd.to_datetime(["2024-01-01", "2024-01-11", "2024-02-01"]),
        "paid": [10.0, 20.0, 5.0],
    }
    return pd.DataFrame({**made, **columns})


def codes(log, **options):
    with pytest.raises(DataContractError) as caught:
        cv.summarize(log, **{**AT, **options})
    return [p.code for p in caught.value.problems]


IDS = {
    "small int": [7, 7, 9],
    "huge int": [2**62, 2**62, -(2**62)],
    "unsigned": np.array([2**64 - 1, 2**64 - 1, 5], dtype=np.uint64),
    "float": [17850.0, 17850.0, 12346.0],
    "text": ["b", "b", "a"],
    "object": pd.Series(["b", "b", "a"], dtype=object),
    "category": pd.Categorical(["b", "b", "a"], categories=["z", "b", "a"]),
    "uuid": [uuid.UUID(int=5), uuid.UUID(int=5), uuid.UUID(int=1)],
    "mixed": pd.Series([1, 1, "one"], dtype=object),
    "nullable": pd.array([5, 5, 3], dtype="Int32"),
    "date": [dt.date(2024, 1, 2), dt.date(2024, 1, 2), dt.date(2023, 1, 1)],
}


@pytest.mark.parametrize("kind", list(IDS))
def test_any_kind_of_id_comes_back_as_it_was(kind):
    log = a_log(who=IDS[kind])
    table = cv.summarize(log, **AT)
    assert table["who"].dtype == log["who"].dtype
    assert table.set_index("who")["n_orders"].to_dict() == {log["who"][0]: 2, log["who"][2]: 1}
    rows = cv.panel(log, **AT)
    assert rows["who"].nunique() == 2
    if kind != "mixed":
        assert list(table["who"].astype(object)) == sorted(set(log["who"].astype(object)))


def test_polars_categories_and_enums_are_ids_too():
    for kind in (pl.Categorical, pl.Enum(["x", "b", "a"])):
        log = pl.from_pandas(a_log(who=["b", "b", "a"])).with_columns(pl.col("who").cast(kind))
        table = cv.summarize(log, **AT)
        assert table.schema["who"] == log.schema["who"]
        assert dict(zip(table["who"], table["n_orders"], strict=True)) == {"a": 1, "b": 2}


@settings(max_examples=20)
@given(st.permutations(range(12)), st.data())
def test_row_order_index_labels_and_other_columns_never_matter(order, data):
    n = 12
    cents = data.draw(st.lists(st.integers(-500, 5000), min_size=n, max_size=n))
    log = pd.DataFrame(
        {
            "who": [i % 4 for i in range(n)],
            "when": [dt.datetime(2024, 1, 1) + dt.timedelta(days=7 * (i // 4)) for i in range(n)],
            "paid": np.array(cents) / 100,
        }
    )
    shuffled = log.iloc[list(order)].assign(note="x")[["note", "paid", "who", "when"]]
    shuffled.index = pd.Index([0] * n)
    for make in (cv.summarize, cv.panel):
        pd.testing.assert_frame_equal(
            make(log, **AT, refunds="net_occasion"), make(shuffled, **AT, refunds="net_occasion")
        )


@pytest.mark.parametrize(("unit", "days"), [("W", 7.0), ("M", 365.25 / 12), ("Y", 365.25)])
def test_units_differ_by_their_length_and_nothing_else(cdnow_sample, unit, days):
    names = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1998-06-30"}
    in_days = cv.summarize(cdnow_sample, **names)
    other = cv.summarize(cdnow_sample, **names, unit=unit)
    times = ["recency", "T", "silence", "gap_mean", "gap_max", "gap_sum", "gap_std"]
    np.testing.assert_allclose(other[times] * days, in_days[times], rtol=1e-12)
    logs = in_days["litt"] - in_days["n_gaps"] * np.log(days)  # a gap's log has its unit in it
    np.testing.assert_allclose(other["litt"], logs, atol=1e-7)
    rest = [c for c in in_days.columns if c not in (*times, "litt")]
    pd.testing.assert_frame_equal(other[rest], in_days[rest])
    assert facts_of(other).unit == unit


def test_a_time_near_midnight_falls_on_the_day_of_its_own_zone():
    late = pd.to_datetime(["2024-01-01 23:30", "2024-01-02 00:30", "2024-02-01 00:00"])
    shanghai = a_log(when=late.tz_localize("Asia/Shanghai"))
    assert cv.summarize(shanghai, **AT)["n_orders"].tolist() == [2, 1]
    utc = a_log(when=late.tz_localize("Asia/Shanghai").tz_convert("UTC"))
    assert cv.summarize(utc, **AT)["n_orders"].tolist() == [1, 1]
    back = cv.summarize(utc, **AT, time_zone="Asia/Shanghai")
    pd.testing.assert_frame_equal(back, cv.summarize(shanghai, **AT))


def test_mixed_zones_are_refused():
    mixed = ["2024-01-01T10:00:00+08:00", "2024-01-01T10:00:00", "2024-01-01T10:00:00"]
    assert codes(a_log(when=mixed)) == ["mixed-time-zones"]
    stamps = [pd.Timestamp("2024-01-01", tz="UTC"), *pd.to_datetime(["2024-01-02"] * 2)]
    assert codes(a_log(when=pd.Series(stamps, dtype=object))) == ["mixed-time-zones"]


def test_an_as_of_with_a_zone_is_read_in_the_zone_of_the_log():
    log = a_log(when=pd.to_datetime(["2024-01-01"] * 3).tz_localize("Asia/Shanghai"))
    end = pd.Timestamp("2024-01-10 20:00", tz="UTC")  # the 11th in Shanghai
    assert cv.summarize(log, **NAMES, as_of=end)["T"].tolist() == [10.0, 10.0]


def test_a_leap_day_is_a_day():
    log = a_log(when=pd.to_datetime(["2024-02-28", "2024-03-01", "2023-02-28"]))
    table = cv.summarize(log, **NAMES, as_of="2024-03-01")
    assert table["recency"].tolist() == [2.0, 0.0]
    assert table["T"].tolist() == [2.0, 367.0]


def test_times_before_1970_count_like_others():
    log = a_log(when=pd.to_datetime(["1969-12-30 23:00", "1970-01-01 01:00", "1960-02-29 00:00"]))
    table = cv.summarize(log, **NAMES, as_of="1970-01-02")
    assert table["recency"].tolist() == [2.0, 0.0]
    assert table["first_order"].tolist() == [pd.Timestamp("1969-12-30"), pd.Timestamp("1960-02-29")]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_clock_s_resolution_does_not_matter(unit):
    log = a_log()
    pd.testing.assert_frame_equal(
        cv.summarize(log.assign(when=log["when"].astype(f"datetime64[{unit}]")), **AT),
        cv.summarize(log, **AT),
    )


def test_dates_are_times_too():
    log = a_log()
    pd.testing.assert_frame_equal(
        cv.summarize(log.assign(when=log["when"].dt.date), **AT), cv.summarize(log, **AT)
    )


def test_the_grain_of_an_occasion_decides_what_is_one_purchase():
    log = a_log(when=pd.to_datetime(["2024-01-01 09:00", "2024-01-01 15:00", "2024-02-01 00:00"]))
    assert cv.summarize(log, **AT)["n_orders"].tolist() == [1, 1]
    assert cv.summarize(log, **AT, occasion="1h")["n_orders"].tolist() == [2, 1]
    assert cv.summarize(log, **AT, occasion="1h")["recency"].tolist() == [0.25, 0.0]
    assert cv.summarize(log, **AT, occasion="12h")["n_orders"].tolist() == [2, 1]
    with pytest.raises(ValueError, match="divides a day"):
        cv.summarize(log, **AT, occasion="7h")


def test_one_customer_with_a_million_rows_is_right():
    n = 1_000_000
    when = np.datetime64("2000-01-01", "s") + (np.arange(n) * 360).astype("timedelta64[s]")
    log = pd.DataFrame({"who": 1, "when": when, "paid": 0.1})
    table = cv.summarize(log, **NAMES, as_of=when[-1])
    assert table["total_value"].tolist() == [100_000.0]
    assert table["n_orders"].tolist() == [math.ceil(n * 360 / 86_400)]
    assert table["gap_std"].tolist() == [0.0]


def test_an_empty_log_gives_empty_tables_with_every_column():
    empty = a_log().iloc[:0]
    full = cv.summarize(a_log(), **AT)
    table = cv.summarize(empty, **AT)
    assert table.empty
    assert (table.dtypes == full.dtypes).all()
    assert cv.ledger(table).adds_up
    assert list(cv.panel(empty, **AT).dtypes) == list(cv.panel(a_log(), **AT).dtypes)
    with pytest.raises(DataContractError, match="no-rows"):
        cv.summarize(empty, **NAMES)


def test_a_log_of_one_row_gives_one_customer():
    with pytest.warns(AsOfWarning):
        table = cv.summarize(a_log().iloc[:1], **NAMES)
    assert table["frequency"].tolist() == [0]
    assert table["T"].tolist() == [0.0]
    assert table["monetary_value"].isna().all()
    assert len(cv.panel(a_log().iloc[:1], **AT, period="1W")) == 13


def test_unusable_rows_are_counted_said_and_booked():
    log = a_log(
        who=[1.0, np.nan, 2.0],
        when=pd.to_datetime(["2024-01-01", "2024-01-02", None]),
    )
    with pytest.warns(DataWarning, match="customer id is missing: 1; time is missing or unread"):
        book = cv.ledger(cv.summarize(log, **AT))
    assert [(d.reason, d.rows, d.amount) for d in book.dropped] == [
        ("missing_customer", 1, 20.0),
        ("missing_time", 1, 5.0),
    ]
    assert book.adds_up
    assert codes(log, invalid="error") == ["missing-customer", "missing-time"]
    with pytest.warns(DataWarning, match="amount is missing or not finite: 2"):
        book = cv.ledger(cv.summarize(a_log(paid=[np.nan, np.inf, 1.0]), **AT))
    assert book.rows_used == 1


def test_a_log_without_a_usable_row_gives_an_empty_table_and_says_why():
    with pytest.warns(DataWarning, match="amount is missing or not finite: 3"):
        table = cv.summarize(a_log(paid=[np.nan] * 3), **AT)
    assert table.empty
    assert cv.ledger(table).adds_up


def test_all_problems_of_a_call_come_together():
    log = a_log(when=["03/04/2024"] * 3, paid=["x"] * 3)
    assert codes(log) == ["time-not-iso", "not-numeric"]
    assert codes(log, customer="id", cost="cost") == ["missing-column", "missing-column"]
    log = a_log(who=[1.0, np.nan, 2.0], paid=[-1.0, 2.0, 3.0])
    assert codes(log, invalid="error") == ["missing-customer", "refunds"]


def test_repeated_lines_follow_the_policy():
    log = pd.concat([a_log(), a_log().iloc[:1]], ignore_index=True)
    assert cv.summarize(log, **AT)["total_value"].tolist() == [40.0, 5.0]
    assert cv.summarize(log, **AT, duplicates="drop")["total_value"].tolist() == [30.0, 5.0]
    assert codes(log, duplicates="error") == ["duplicates"]


def test_decimal_amounts_are_added_as_written():
    log = a_log(paid=[Decimal("0.10"), Decimal("0.20"), Decimal("5")])
    assert cv.summarize(log, **AT)["total_value"].tolist() == [0.3, 5.0]


def test_profit_comes_from_a_margin_or_a_cost():
    log = a_log(cost=[1.0, 2.0, 3.0], share=[0.5, 0.1, 0.2])
    assert cv.summarize(log, **AT, margin=0.5)["total_profit"].tolist() == [15.0, 2.5]
    assert cv.summarize(log, **AT, margin="share")["total_profit"].tolist() == [7.0, 1.0]
    assert cv.summarize(log, **AT, cost="cost")["total_profit"].tolist() == [27.0, 2.0]
    assert "total_profit" not in cv.summarize(log, **AT)
    assert cv.panel(log, **AT, cost="cost")["profit"].sum() == 29.0
    for ways in ({"cost": "cost", "margin": 0.5}, {"cost": "cost", "profit": "share"}):
        with pytest.raises(ValueError, match="not both"):
            cv.summarize(log, **AT, **ways)


def test_a_loss_is_a_loss_and_its_order_an_order():
    log = a_log(gain=[4.0, -9.0, 0.5])
    plain, table = cv.summarize(log, **AT), cv.summarize(log, **AT, profit="gain")
    assert table["total_profit"].tolist() == [-5.0, 0.5]
    assert table[list(plain.columns)].equals(plain)
    assert cv.panel(log, **AT, profit="gain")["profit"].sum() == -4.5


def test_a_refund_after_the_cutoff_does_not_leak_into_what_was_known():
    log = pd.DataFrame(
        {
            "who": [1, 1],
            "when": pd.to_datetime(["2024-01-01", "2024-02-01"]),
            "paid": [10.0, -10.0],
            "bill": ["a", "a"],
        }
    )
    options = {**AT, "refunds": "net_order", "order": "bill"}
    assert cv.summarize(log, **options).empty
    parts = cv.split_by_date(log, "2024-01-15", "30D", **options)
    assert parts.known["total_value"].tolist() == [10.0]
    assert parts.future["orders"].tolist() == [0]
    assert parts.new.empty


def test_a_horizon_beyond_the_log_is_refused_or_said():
    with pytest.raises(DataContractError, match="horizon-past-log"):
        cv.split_by_date(a_log(), "2024-03-01", "90D", **AT)
    with pytest.warns(AsOfWarning, match="the future looks too small"):
        cv.split_by_date(a_log(), "2024-01-15", "30D", **NAMES)


def test_three_orders_of_one_day_count_once_on_both_sides_of_a_split():
    log = pd.DataFrame({"who": 1, "paid": 10.0}, index=range(5))
    log["when"] = pd.to_datetime(
        ["2024-01-01", "2024-02-01", "2024-02-01", "2024-02-01", "2024-02-02"]
    )
    parts = cv.split_by_date(log, "2024-01-15", "30D", **AT)
    assert parts.future["orders"].tolist() == [2]
    assert parts.future["spend"].tolist() == [40.0]


def test_a_misspelt_policy_is_refused():
    with pytest.raises(ValueError, match="refunds='nett' must be one of"):
        cv.summarize(a_log(), **AT, refunds="nett")
    with pytest.raises(ValueError, match="needs order="):
        cv.summarize(a_log(), **AT, refunds="net_order")
    with pytest.raises(DataContractError, match="as-of: as_of='soon' is no date"):
        cv.summarize(a_log(), **NAMES, as_of="soon")


def test_money_of_many_sizes_is_exact_in_cents_and_close_in_floats():
    rng = np.random.default_rng(4)
    cents = rng.integers(1, 10**9, 10_000)
    log = pd.DataFrame({"who": rng.integers(0, 50, 10_000), "paid": cents / 100})
    log["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 60, 10_000), "D")
    truth = pd.Series(cents).groupby(log["who"]).sum() / 100
    assert cv.summarize(log, **AT)["total_value"].tolist() == truth.tolist()
    rows = cv.panel(log, **AT, period="1W")
    last = rows[rows["period"] == rows["period"].max()]
    assert last["total_value"].tolist() == truth.tolist()
    log["paid"] *= math.pi
    made = cv.summarize(log, **AT)["total_value"]
    exact = [math.fsum(part) for _, part in log.groupby("who")["paid"]]
    np.testing.assert_allclose(made, exact, rtol=1e-13)
    last = cv.panel(log, **AT, period="1W").query("period == period.max()")
    np.testing.assert_allclose(last["total_value"], exact, rtol=1e-13)


@pytest.mark.filterwarnings("ignore:.* the log seems to begin in the middle")
class TestOnlineRetail:
    """541,909 rows of a real shop: every cent of the net amount is accounted for."""

    NAMES = {"customer": "CustomerID", "time": "InvoiceDate", "amount": "amount"}
    NET = 9_747_747.934

    def run(self, log, **options):
        with pytest.warns(DataWarning, match="customer id is missing: 135,080"):
            table = cv.summarize(log, **self.NAMES, as_of="2011-12-09", **options)
        book = cv.ledger(table)
        assert book.adds_up
        assert book.rows_in == 541_909
        assert book.amount_in == self.NET
        lost = math.fsum(d.amount for d in book.dropped)
        assert round(book.amount_used + lost, 3) == self.NET
        assert table["total_value"].sum() == pytest.approx(book.amount_used, abs=1e-6)
        return table, book, {d.reason: (d.rows, round(d.amount, 3)) for d in book.dropped}

    def test_refunds_are_refused_unless_a_policy_is_chosen(self, online_retail):
        with pytest.raises(DataContractError, match="8,905 rows, first: 14527"):
            cv.summarize(online_retail, **self.NAMES, as_of="2011-12-09")

    def test_dropping_refunds_leaves_the_documented_total(self, online_retail):
        table, book, lost = self.run(online_retail, refunds="drop")
        assert book.amount_used == 8_911_407.904
        assert len(table) == 4_338  # 4,339 with a positive quantity, one of them at price 0 alone
        assert lost["refund"] == (8_905, -611_342.09)
        assert book.customers_lost == 4_372 - 4_338
        assert lost["zero_amount"] == (40, 0.0)
        assert lost["missing_customer"] == (135_080, 1_447_682.12)

    def test_netting_within_the_day_keeps_what_a_day_leaves(self, online_retail):
        table, book, lost = self.run(online_retail, refunds="net_occasion")
        days = online_retail[online_retail["CustomerID"].notna() & (online_retail["amount"] != 0)]
        net = days.groupby(["CustomerID", days["InvoiceDate"].dt.date])["amount"].sum().round(3)
        assert book.occasions == (net > 0).sum()
        assert round(book.amount_used, 3) == round(net[net > 0].sum(), 3)
        assert lost["occasion_netted_away"][1] == round(net[net <= 0].sum(), 3)
        assert len(table) == 4_334
        assert book.customers_lost == 4_372 - 4_334

    def test_netting_within_the_order_finds_cancellations_under_their_own_number(
        self, online_retail
    ):
        # this shop books a cancellation as an order of its own ("C536379"), so nothing is netted
        _, book, lost = self.run(online_retail, refunds="net_order", order="InvoiceNo")
        assert lost["order_netted_away"] == (8_905, -611_342.09)
        assert book.amount_used == 8_911_407.904
        assert book.customers_lost == 4_372 - 4_338

    def test_the_panel_spends_what_the_summary_totals(self, online_retail):
        with pytest.warns(DataWarning):
            rows = cv.panel(online_retail, **self.NAMES, as_of="2011-12-09", refunds="net_occasion")
        _, book, _ = self.run(online_retail, refunds="net_occasion")
        assert rows["spend"].sum() == pytest.approx(book.amount_used, abs=1e-6)
        assert rows["orders"].sum() == book.occasions


def test_who_has_several_values_of_a_kept_column_is_known():
    log = pd.DataFrame(
        {
            "who": ["b", "b", "a", "a", "c", "c", None],
            "when": ["2024-01-01", "2024-01-09", "2024-01-02", "2024-01-03", "2024-01-04",
                     "2025-01-01", "2024-01-05"],
            "paid": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            "town": ["x", "y", "x", None, "x", "y", "z"],
        }
    )  # fmt: skip
    names = {"customer": "who", "time": "when", "amount": "paid", "keep": "town"}
    rows = cv.TransactionLog(log, **names, as_of="2024-06-30")
    with pytest.warns(DataWarning):
        several = rows.several("town")
    assert list(several) == ["b"]  # c moved after the as-of date
    assert rows.summary()["town"].tolist() == ["x", "y", "x"]
    with pytest.raises(ValueError, match="keep=\\['when'\\]"):
        rows.several("when")
