"""The data doctor: what was put wrong is found, with its rows and money, and nothing else is."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._words import EXAMINE, FINDINGS
from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError

COLUMNS = {"customer": "who", "time": "when", "amount": "paid"}
TODAY = "2024-06-30"


def shop(n=6_000, customers=400, days=730, seed=3):
    """Make a steady shop that ends with a whole month and has nothing odd about it."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, customers, n)
    # customers join evenly over the first part, so that the log does not begin in the middle
    joined = np.linspace(0, 0.8 * days, customers)
    day = joined[who] + rng.random(n) * (days - joined[who])
    # the money of each month is alike: a customer's pace is higher, the later the first order
    when = np.datetime64("2024-05-31") - (days - 1 - day.astype(int))
    paid = np.round(rng.lognormal(3.0, 0.7, n), 2)
    return pd.DataFrame({"who": 1001 + who, "when": when, "paid": paid})


def look(log, **more):
    return cv.examine(log, **{**COLUMNS, "today": TODAY, **more})


@pytest.fixture
def log():
    return shop()


def bad(found):
    return [one.code for one in found if one.severity != "note"]


def test_a_sound_log_has_no_error_and_no_warning(log):
    assert bad(look(log)) == []


def test_a_duplicate_row_is_found_with_its_money(log):
    twice = pd.concat([log, log.iloc[:7]])
    one = look(twice)["duplicate-rows"]
    assert one.rows == 7
    assert one.money == pytest.approx(log["paid"].iloc[:7].sum())


def test_dates_in_the_future_are_counted_and_not_looked_at_further(log):
    log.loc[:4, "when"] = pd.Timestamp("2031-01-05")
    found = look(log)
    one = found["future-dates"]
    assert one.severity == "error"
    assert one.rows == 5
    assert one.money == pytest.approx(log["paid"].iloc[:5].sum())
    assert "2031-01-05" in one.what()
    assert set(one.first) == set(log["who"].iloc[:5].astype(str))
    assert "gaps-in-dates" not in found


def test_a_date_that_programs_write_for_none_stands_alone(log):
    log.loc[:2, "when"] = pd.Timestamp("1970-01-01")
    found = look(log)
    assert found["odd-dates"].rows == 3
    assert "gaps-in-dates" not in found
    assert "log-cut" not in found


def test_an_unfinished_last_month_is_told_with_its_days_and_the_date_before_it(log):
    cut = log[log["when"] <= "2024-05-12"]
    one = look(cut)["unfinished-period"]
    of_may = cut[cut["when"] >= "2024-05-01"]
    assert (one.rows, one.customers) == (len(of_may), of_may["who"].nunique())
    assert one.money == pytest.approx(of_may["paid"].sum())
    assert "12 of 31 days" in one.what()
    assert "2024-04-30" in one.cure()


def test_a_whole_last_month_is_not_unfinished(log):
    assert "unfinished-period" not in look(log)


def test_a_customer_who_holds_the_money_is_named(log):
    log.loc[0, ["who", "paid"]] = [1234, log["paid"].sum()]
    one = look(log)["customer-holds-money"]
    assert one.first[0] == "1234"
    mine = log[log["who"] == 1234]
    assert one.rows == len(mine)
    assert one.money == pytest.approx(mine["paid"].sum())


def test_a_month_that_holds_the_money_is_named(log):
    january = (log["when"] >= "2024-01-01") & (log["when"] < "2024-02-01")
    log.loc[january, "paid"] *= 12
    one = look(log)["period-holds-money"]
    assert one.first == ("2024-01",)
    assert one.rows == int(january.sum())
    assert one.money == pytest.approx(log.loc[january, "paid"].sum())


def test_a_day_of_import_is_named(log):
    log.loc[log.sample(frac=0.3, random_state=1).index, "when"] = pd.Timestamp("2023-11-11")
    one = look(log)["day-holds-rows"]
    assert one.first == ("2023-11-11",)
    assert one.rows == int((log["when"] == "2023-11-11").sum())


def test_orders_far_above_all_others_are_named_with_their_customers(log):
    log.loc[[10, 20], "paid"] = [50_000.0, 91_000.0]
    one = look(log)["outlier-orders"]
    assert one.first[0].startswith(f"{log['who'].iloc[20]}: 91,0")
    assert dict(one.values)["n"] == 2


def test_lost_weeks_are_a_gap_with_what_is_likely_missing(log):
    lost = log["when"].between("2023-10-01", "2023-10-21")
    one = look(log[~lost])["gaps-in-dates"]
    assert one.first == ("2023-10-01..2023-10-21",)
    assert dict(one.values)["longest"] == 21
    assert one.rows == pytest.approx(lost.sum(), rel=0.25)


def test_a_shop_that_is_shut_on_sundays_has_no_gaps(log):
    assert "gaps-in-dates" not in look(log[log["when"].dt.day_of_week < 6])


def test_an_export_that_breaks_off_leaves_a_quiet_end(log):
    late = log["when"] > "2024-05-10"
    thin = ~late | (np.arange(len(log)) % 20 == 0)
    one = look(log[thin])["quiet-end"]
    assert dict(one.values)["few"] < 0.2 * dict(one.values)["usual"]
    # nothing at all after the export broke off, looked at three weeks later
    assert look(log[~late], as_of="2024-05-31")["quiet-end"].first == ("2024-05-18",)
    assert "quiet-end" not in look(log)


@pytest.mark.parametrize(
    ("late", "code", "change"), [(30.0, "growth", "200%"), (5.0, "decline", "50%")]
)
def test_growth_and_decline_are_the_last_months_against_as_many_before(late, code, change):
    days = np.arange(np.datetime64("2022-01-01"), np.datetime64("2024-01-01"))
    rows = pd.DataFrame({"who": np.arange(730) // 10, "when": days, "paid": 10.0})
    rows.loc[365:, "paid"] = late
    one = look(rows)[code]
    assert change in one.what()
    assert (one.rows, one.money) == (365, 365 * late)


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("$1,234.50", 1234.5),
        ("€ 1.234,50", 1234.5),
        ("1234.50 USD", 1234.5),
        ("￥１２", 12.0),
        ("-$5.00", -5.0),
        ("($5.00)", -5.0),
        ("12元", 12.0),
    ],
)
def test_amounts_with_signs_are_read(log, text, money):
    frame = log.head(40).assign(paid="1")
    frame.loc[0, "paid"] = text
    found = look(frame)
    assert found["amount-as-text"].first == (text,)
    assert found.money == pytest.approx(39 + money)


def test_signs_of_several_currencies_are_mixed(log):
    texts = "$" + log["paid"].astype(str)
    texts[:9] = "€" + log["paid"].astype(str)[:9]
    one = look(log.assign(paid=texts))["mixed-currencies"]
    assert one.severity == "error"
    assert one.rows == 9
    assert one.money == pytest.approx(log["paid"].iloc[:9].sum())
    assert "USD (5,991), EUR (9)" in one.what()


@pytest.mark.parametrize("codes", [("USD", "EUR"), ("人民币", "美元"), ("¥", "$")])
def test_a_column_of_several_currencies_is_mixed(log, codes):
    money = np.where(np.arange(len(log)) < 30, codes[1], codes[0])
    one = look(log.assign(coin=money))["mixed-currencies"]
    assert one.rows == 30


def test_one_currency_is_not_mixed_and_countries_are_no_currencies(log):
    found = look(log.assign(coin="USD", country=np.where(log["who"] % 2, "US", "DE")))
    assert "mixed-currencies" not in found


@pytest.mark.parametrize(
    "name",
    ["TEST", "demo-user", "Unknown", "guest", "cash", "Cash Sale", "测试账号", "散客", "Nan"],
)
def test_ids_that_name_nobody_are_test_customers(log, name):
    ids = log["who"].astype(str)
    ids[:50] = name
    one = look(log.assign(who=ids))["test-customers"]
    assert (one.rows, one.customers, one.first) == (50, 1, (name,))
    assert one.money == pytest.approx(log["paid"].iloc[:50].sum())


@pytest.mark.parametrize("number", [0, -1, 9999, 999999])
def test_a_number_for_nobody_is_found_where_it_holds_much(log, number):
    log.loc[:800, "who"] = number
    assert look(log)["test-customers"].first == (str(number),)


def test_a_customer_number_0_among_small_numbers_is_a_customer(log):
    log["who"] -= 1001
    assert "test-customers" not in look(log)


def test_names_of_people_are_no_tests(log):
    names = np.array(["Johnny Cash", "Ann Testino", "Judith Guest", "Retailleau", "陈现", "Li Nan"])
    found = look(log.assign(who=names[log["who"] % 6]))
    assert "test-customers" not in found


@pytest.mark.parametrize("nothing", [None, "nan", "", "NULL"])
def test_ids_that_are_missing_are_no_customer(log, nothing):
    ids = log["who"].astype(str).astype(object)
    ids[:6] = nothing
    found = look(log.assign(who=ids))
    assert found["missing-customer"].rows == 6
    assert found["missing-customer"].first == ("0", "1", "2", "3", "4")
    assert "test-customers" not in found


@pytest.mark.parametrize("other", ["{} ", "00{}", "{}.0", "ID{}", "id {}"])
def test_ids_that_differ_by_spelling_are_put_together(log, other):
    ids = "id" + log["who"].astype(str) if "i" in other.lower() else log["who"].astype(str)
    mine = log["who"] == 1007
    few = mine & (mine.cumsum() <= 3)
    ids[few] = other.format(1007)
    one = look(log.assign(who=ids))["ids-by-spelling"]
    assert one.customers == 2
    assert one.rows == int(mine.sum())
    assert one.money == pytest.approx(log.loc[mine, "paid"].sum())
    assert dict(one.values)["fewer"] == 1


def test_full_width_ids_are_a_spelling(log):
    ids = log["who"].astype(str)
    mine = ids == "1007"
    ids[mine.idxmax()] = "１００７"
    assert look(log.assign(who=ids))["ids-by-spelling"].rows == int(mine.sum())


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ("stamp", "amount-is-time"),
        ("ms", "amount-is-time"),
        ("digits", "amount-is-time"),
        ("order_no", "amount-is-id"),
        ("number", "amount-is-id"),
        ("who", "amount-is-id"),
        ("key", "amount-is-id"),
        ("qty", "amount-is-quantity"),
        ("n", "amount-is-quantity"),
        ("one", "amount-is-constant"),
        ("unit_price", "amount-is-price"),
    ],
)
def test_a_column_that_is_no_money_is_told(log, column, code):
    rng = np.random.default_rng(5)
    log = log.sort_values("when").reset_index(drop=True)
    pieces = rng.integers(1, 9, len(log))
    frame = log.assign(
        stamp=log["when"].astype("datetime64[s]").astype("int64"),
        ms=log["when"].astype("datetime64[ms]").astype("int64"),
        digits=log["when"].dt.strftime("%Y%m%d").astype(int),
        order_no=536_000 + np.arange(len(log)),
        number=10_000 + rng.permutation(len(log)),
        key=(log["who"] * 7919) % 100_003,
        qty=pieces,
        n=pieces,
        one=9.99,
        unit_price=log["paid"],
    )
    keep = ["who", "when", "paid", column] + (["qty"] if column == "unit_price" else [])
    found = look(frame[list(dict.fromkeys(keep))], amount=column)
    assert found.codes[0] == code or found[code].severity == "note"
    assert found[code].rows == len(log)


def test_money_of_whole_units_is_money(log):
    rng = np.random.default_rng(1)
    for paid in (
        np.rint(rng.lognormal(4.0, 0.8, len(log))),
        rng.integers(5, 105, len(log)),
        np.rint(rng.lognormal(9.0, 1.0, len(log))),
    ):
        assert bad(look(log.assign(paid=paid))) == []


@pytest.mark.parametrize("whole", [False, True])
def test_cents_among_units_are_found(log, whole):
    paid = np.rint(log["paid"] * 10) if whole else log["paid"].to_numpy(copy=True)
    paid = np.array(paid, dtype=float)
    some = np.arange(len(log)) % 10 == 0
    paid[some] = paid[some] * 100
    one = look(log.assign(paid=paid))["cents-and-units"]
    assert one.rows == pytest.approx(some.sum(), rel=0.05)


def test_a_log_of_two_trades_has_no_two_scales():
    """Deals of two products that cost 55 and 3,000 are no cents among units."""
    rng = np.random.default_rng(2)
    log = shop()
    dear = rng.random(len(log)) < 0.5
    log["paid"] = np.rint(
        np.where(dear, rng.normal(3000, 600, len(log)), rng.normal(55, 8, len(log)))
    )
    assert "cents-and-units" not in look(log)


def test_a_log_that_begins_in_the_middle_is_told_as_tables_tell_it(log):
    rng = np.random.default_rng(4)
    old = pd.DataFrame(
        {
            "who": rng.integers(5000, 5400, 9000),
            "when": np.datetime64("2022-06-01") + rng.integers(0, 730, 9000),
            "paid": 10.0 + rng.random(9000).round(2),
        }
    )
    both = pd.concat([log, old])
    one = look(both)["log-cut"]
    first = both.groupby("who")["when"].min()
    early = first[first < both["when"].min() + pd.Timedelta("28D")].index
    assert one.customers == len(early)
    assert one.rows == int(both["who"].isin(early).sum())


def test_refunds_and_those_without_a_purchase_are_counted(log):
    refund = log.iloc[[5]].assign(paid=-1.0, when=pd.Timestamp("2024-05-31"))
    lone = log.iloc[[6]].assign(paid=-4.0, who=77)
    found = look(pd.concat([log, refund, lone]))
    assert (found["refunds"].rows, found["refunds"].money) == (2, -5.0)
    assert found["refunds-without-purchase"].first == ("77",)
    assert ("refunds", "net_occasion") in found.options


def test_a_cash_desk_that_orders_every_day_is_told(log):
    days = np.arange(np.datetime64("2022-06-02"), np.datetime64("2024-06-01"))
    desk = pd.DataFrame({"who": 31, "when": days, "paid": 5.5})
    one = look(pd.concat([log, desk]))["everyday-customer"]
    assert (one.rows, one.first) == (len(days), ("31",))


def test_midnight_beside_times_of_day_is_told(log):
    clock = log["when"] + pd.to_timedelta(np.arange(len(log)) % 86_000 + 60, unit="s")
    mixed = clock.where(np.arange(len(log)) % 5 > 0, log["when"])
    found = look(log.assign(when=mixed))
    assert found["midnight-mixed"].rows == len(log) // 5
    assert "midnight-mixed" not in look(log.assign(when=clock))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("%d.%m.%Y", "time-not-iso"),
        ("%m/%d/%Y %H:%M", "time-not-iso"),
        ("%Y年%m月%d日", "time-not-iso"),
    ],
)
def test_dates_in_other_forms_are_read_and_the_form_is_said(log, form, code):
    found = look(log.assign(when=log["when"].dt.strftime(form)))
    assert found[code].rows == len(log)
    assert ("time_format", form) in found.options
    assert (found.first, found.last) == (str(log["when"].min())[:10], "2024-05-31")


def test_days_that_could_be_months_are_said(log):
    few = log[(log["when"].dt.day <= 12)]
    found = look(few.assign(when=few["when"].dt.strftime("%d/%m/%Y")))
    assert found["day-or-month"].severity == "error"


def test_dates_as_numbers_are_read_and_said(log):
    found = look(log.assign(when=log["when"].astype("datetime64[s]").astype("int64")))
    assert found["time-as-numbers"].severity == "error"
    assert "unit='s'" in found["time-as-numbers"].cure()
    assert found.last == "2024-05-31"


@pytest.mark.parametrize(
    ("names", "more"),
    [
        (("CustomerID", "InvoiceDate", "Amount"), {}),
        (("客户编号", "下单时间", "实付金额"), {"数量": 3}),
        (("Kunde", "Datum", "Umsatz"), {"discount": 0.1}),
        (("member_no_x", "sold", "net"), {"shop": 4}),
    ],
)
def test_columns_are_chosen_by_name_and_kind_in_any_order(log, names, more):
    frame = log.rename(columns=dict(zip(COLUMNS.values(), names, strict=True))).assign(**more)
    found = cv.examine(frame[frame.columns[::-1]], today=TODAY)
    assert (found.customer, found.time, found.amount) == names
    assert "columns-proposed" in found
    assert found.money == pytest.approx(log["paid"].sum())


def test_pieces_and_their_price_are_proposed_as_a_product(log):
    frame = log.rename(columns={"paid": "UnitPrice"}).assign(Quantity=2)
    found = cv.examine(frame, customer="who", today=TODAY)
    assert found.amount == "Quantity*UnitPrice"
    assert found.money == pytest.approx(2 * log["paid"].sum())


def test_what_no_column_looks_like_is_refused_by_name():
    with pytest.raises(DataContractError, match=r"looks like a time.*time="):
        cv.examine(pd.DataFrame({"who": ["a", "b"], "paid": [1.5, 2.5]}))


def test_a_column_that_is_not_there_is_refused_with_the_nearest(log):
    with pytest.raises(DataContractError, match="Did you mean 'paid'"):
        look(log, amount="Paid")


def test_a_log_without_rows_and_what_is_no_table_are_refused(log):
    with pytest.raises(DataContractError, match="no rows"):
        look(log.head(0))
    with pytest.raises(TypeError, match="table"):
        cv.examine([1, 2, 3])


def test_a_transaction_log_knows_its_columns(log):
    known = TransactionLog(log, **COLUMNS, as_of="2024-05-31")
    assert cv.examine(known, today=TODAY) == look(log, as_of="2024-05-31")
    with pytest.raises(TypeError, match="knows its columns"):
        cv.examine(known, customer="who")


@pytest.mark.parametrize("engine", ["polars", "pyarrow", "lazy"])
def test_every_kind_of_table_is_told_the_same(log, engine):
    pl = pytest.importorskip("polars")
    pa = pytest.importorskip("pyarrow")
    log["who"] = "c" + log["who"].astype(str)
    log.loc[3, "who"] = None
    made = {
        "polars": lambda: pl.from_pandas(log),
        "lazy": lambda: pl.from_pandas(log).lazy(),
        "pyarrow": lambda: pa.Table.from_pandas(log),
    }[engine]()
    assert look(made) == look(log)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_log_of_few_rows_is_looked_at_without_a_warning(log, n):
    found = look(log.head(n))
    assert found.rows == n
    assert "few-customers" in found


def test_a_log_of_nothing_but_faults_is_told(log):
    log["when"] = "soon"
    log["paid"] = "free"
    found = look(log)
    assert {"missing-time", "missing-amount"} <= set(found.codes)
    assert (found.first, found.money) == ("", 0.0)


def test_the_order_of_the_rows_changes_nothing(log):
    log.loc[::9, "paid"] *= -1
    log["who"] = np.where(log["who"] < 1020, "A" + log["who"].astype(str), log["who"].astype(str))
    log.loc[:40, "who"] = log.loc[:40, "who"].str.lower() + " "
    assert look(log.sample(frac=1.0, random_state=2)) == look(log)


def test_a_sum_of_money_is_that_of_plain_pandas(log):
    assert look(log).money == pytest.approx(log["paid"].sum())
    assert (look(log).rows, look(log).customers) == (len(log), log["who"].nunique())


def test_what_was_found_is_a_value(log):
    found = look(log.assign(paid=-log["paid"]))
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.rows = 3
    table = found.table()
    assert list(table["code"]) == list(found.codes)
    assert list(table.columns)[:3] == ["code", "severity", "what"]
    assert "<table>" in found._repr_html_()
    with pytest.raises(KeyError):
        found["no such code"]


def test_every_finding_speaks_both_languages():
    for code, texts in FINDINGS.items():
        for text in texts:
            said = EXAMINE(text, "zh")
            assert said != text, code
            assert set(_places(said)) == set(_places(text)), code


def _places(text):
    import string

    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


def test_a_page_is_chinese_where_it_is_asked_for(log):
    found = look(pd.concat([log, log.iloc[:3]]))
    assert found.text("zh").startswith("已检查 6,003 行")
    assert "处理办法" in found.table("zh").columns
    with pytest.raises(ValueError, match="language"):
        found.text("de")


def test_the_command_is_ready_for_a_shell(log):
    frame = log.rename(columns={"who": "Customer ID"})
    found = look(frame, customer="Customer ID")
    assert found.report_command("my log.csv") == (
        "custvalue report 'my log.csv' --customer 'Customer ID' --time when --amount paid"
    )


def test_ids_beyond_what_floats_hold_stay_apart_beside_a_missing_one(log):
    ids = (2**60 + (log["who"] - 1001)).astype("Int64")
    ids[0] = pd.NA
    found = look(log.assign(who=ids))
    assert found.customers == log["who"].iloc[1:].nunique()
    assert found["missing-customer"].rows == 1


def test_ids_that_are_no_number_name_nobody_in_polars_too(log):
    pl = pytest.importorskip("polars")
    ids = log["who"].astype(float).where(log["who"] != 1005)
    made = pl.DataFrame(
        {
            "who": ids.to_numpy(),
            "when": log["when"].to_numpy().astype("datetime64[us]"),
            "paid": log["paid"].to_numpy(),
        }
    )
    assert look(made)["missing-customer"].rows == int((log["who"] == 1005).sum())


@pytest.mark.parametrize("paid", [0.0, 7.5])
def test_a_number_for_nobody_is_told_by_money_or_rows_not_by_itself(log, paid):
    """9999 is a customer like another where it has no more than another."""
    one = pd.DataFrame({"who": [9999], "when": [pd.Timestamp("2024-01-05")], "paid": [paid]})
    assert "test-customers" not in look(pd.concat([log, one]))
