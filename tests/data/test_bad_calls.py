"""What a new user gets wrong is refused by name, with the cure."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import custvalue as cv
from custvalue.data import summary_sql
from custvalue.exceptions import DataContractError, TimeUnitError

NAMES = {"customer": "who", "time": "when", "amount": "paid", "as_of": "2024-03-01"}


@pytest.fixture
def log():
    when = pd.to_datetime(["2024-01-01", "2024-01-05", "2024-02-01"])
    return pd.DataFrame({"who": ["a", "a", "b"], "when": when, "paid": [1.0, 2.0, 3.0]})


@pytest.mark.parametrize("thing", [None, "log.csv", {"who": [1]}, [1, 2], np.ones((2, 2))])
def test_what_is_no_table_is_refused_with_the_kinds_that_are(thing):
    with pytest.raises(TypeError, match="pass a table: pandas, polars"):
        cv.summarize(thing, **NAMES)


@pytest.mark.parametrize(
    "paid",
    [
        [True, False, True],
        ["1", "2", "x"],
        np.array([1 + 1j, 2, 3]),
        pd.to_datetime(["2024-01-01"] * 3),
        pd.Categorical(["1", "2", "3"]),
    ],
    ids=["bool", "text", "complex", "date", "category"],
)
def test_an_amount_that_is_no_number_is_refused(log, paid):
    with pytest.raises(DataContractError, match="not-numeric: column 'paid'"):
        cv.summarize(log.assign(paid=paid), **NAMES)


def test_time_and_amount_swapped_are_both_named(log):
    with pytest.raises(DataContractError) as error:
        cv.summarize(log, **{**NAMES, "time": "paid", "amount": "when"})
    assert [p.code for p in error.value.problems] == ["time-not-a-date", "not-numeric"]


@pytest.mark.parametrize(
    ("call", "name"), [(cv.summarize, "frequency"), (cv.summarize, "T"), (cv.panel, "period")]
)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas, duckdb.from_df])
def test_a_customer_column_named_as_a_figure_is_refused_not_overwritten(log, call, name, kind):
    renamed = kind(log.rename(columns={"who": name}))
    with pytest.raises(DataContractError, match=f"reserved-name: .*'{name}'"):
        call(renamed, **{**NAMES, "customer": name})


@pytest.mark.parametrize("margin", [30, True, np.inf, np.nan])
def test_a_margin_that_is_no_share_is_refused(log, margin):
    with pytest.raises(ValueError, match=r"must be a share, .* 0\.3"):
        cv.summarize(log, **NAMES, margin=margin)


def test_a_unit_or_period_that_is_none_is_called_by_its_own_name(log):
    with pytest.raises(TimeUnitError, match="unit='fortnight'"):
        cv.summarize(log, **NAMES, unit="fortnight")
    with pytest.raises(TimeUnitError, match="period='1Q'"):
        cv.panel(log, **NAMES, period="1Q")
    with pytest.raises(TimeUnitError, match="period=7 is a number"):
        cv.panel(log, **NAMES, period=7)


def test_an_unknown_time_zone_is_refused(log):
    with pytest.raises(ValueError, match="time_zone='Mars/Olympus' is no time zone"):
        cv.summarize(log, **NAMES, time_zone="Mars/Olympus")


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas, lambda t: pl.from_pandas(t).lazy()])
def test_a_format_that_reads_nothing_is_refused(log, kind):
    text = kind(log.assign(when=["01/02/2024", "13/02/2024", "05/05/2024"]))
    with pytest.raises(DataContractError, match=r"time-format: .*'%Y-%d' does not read"):
        cv.summarize(text, **NAMES, time_format="%Y-%d")


def test_ids_that_cannot_be_keys_are_refused(log):
    with pytest.raises(DataContractError, match="customer-no-id: column 'who'"):
        cv.summarize(log.assign(who=[[1], [2], [3]]), **NAMES)


def test_an_empty_table_without_types_is_an_empty_log():
    empty = pd.DataFrame({"who": [], "when": [], "paid": []})
    assert cv.summarize(empty, **NAMES).shape == (0, 18)


def test_an_amount_beyond_all_money_is_added_without_a_warning(log):
    table = cv.summarize(log.assign(paid=[1e307, 1e307, 3.0]), **NAMES)
    assert table["total_value"].tolist() == [2e307, 3.0]


def test_sql_refuses_an_as_of_that_is_no_date():
    with pytest.raises(ValueError, match="as_of='soon' is no date"):
        summary_sql("duckdb", table="x", customer="a", time="b", amount="c", as_of="soon")


@pytest.mark.parametrize("kind", [lambda t: pl.from_pandas(t).lazy(), duckdb.from_df])
def test_a_lazy_ledger_counts_customers_and_occasions_when_asked(log, kind):
    for made in (cv.summarize(kind(log), **NAMES), cv.panel(kind(log), **NAMES)):
        book = cv.ledger(made)
        assert (book.customers, book.occasions) == (None, None)
        assert "Rows of the log" in book._repr_html_()
        book = cv.ledger(made, count=True)
        assert (book.customers, book.occasions) == (2, 3)


@pytest.mark.parametrize("step", [1, 2**20, 2**45, 2**58])
@pytest.mark.parametrize("paid", ["cents", "floats"])
def test_ids_far_apart_change_no_figure(rng, step, paid):
    n = 2000
    who = rng.integers(0, 16, n)
    when = np.datetime64("2024-01-01", "s") + rng.integers(0, 60 * 86_400, n)
    money = rng.integers(1, 10_000, n) / 100 if paid == "cents" else rng.gamma(2.0, size=n)
    near = pd.DataFrame({"who": who, "when": when, "paid": money})
    far = near.assign(who=who * step)
    one, other = cv.summarize(near, **NAMES), cv.summarize(far, **NAMES)
    pd.testing.assert_series_equal(one["who"] * step, other["who"])
    pd.testing.assert_frame_equal(one.drop(columns="who"), other.drop(columns="who"))
