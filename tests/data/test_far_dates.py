"""A date that stands alone is named, and a panel it would blow up is refused before the work."""

from __future__ import annotations

import warnings

import dask
import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError, DataWarning

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
ENGINES = {
    "pandas": lambda log: log,
    "polars lazy": lambda log: pl.from_pandas(log).lazy(),
    "duckdb": duckdb.from_df,
    "dask": lambda log: dd.from_pandas(log, npartitions=3),
}
ALL = pytest.mark.parametrize("engine", list(ENGINES))


@pytest.fixture(autouse=True)
def dask_in_one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def shop(*odd, n=3000):
    rng = np.random.default_rng(5)
    when = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 500, n), "D")
    log = pd.DataFrame({"who": rng.integers(0, 800, n), "when": when, "paid": 1.0})
    more = pd.DataFrame({"who": -1, "when": [pd.Timestamp(o) for o in odd], "paid": 1.0})
    return pd.concat([log, more], ignore_index=True) if odd else log


@ALL
@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (["1900-01-01"], r"1 row is dated 1900-01-01 \(what Excel and SQL Server .* 123 years"),
        (["1970-01-01"] * 3, r"3 rows are dated 1970-01-01 \(what Unix time 0 is\), 53 years"),
        (["2206-05-01"], "1 row is dated 2206-05-01, 182 years away"),
    ],
)
def test_rows_that_stand_alone_are_named(engine, odd, says):
    with pytest.warns(DataWarning, match=says):
        cv.summarize(ENGINES[engine](shop(*odd)), **NAMES, as_of="2206-12-31" if "2206" in odd[0]
                     else "2024-06-30")  # fmt: skip


@ALL
def test_a_long_quiet_log_and_an_ordinary_one_are_not_told_off(engine):
    cv.summarize(ENGINES[engine](shop()), **NAMES, as_of="2024-06-30")
    # half the shop's years before a pause of five: that is its history
    log = shop()
    old = log.assign(when=log["when"] - pd.Timedelta(days=2500))
    both = pd.concat([log, old], ignore_index=True)
    cv.summarize(ENGINES[engine](both), **NAMES, as_of="2024-06-30")


@ALL
@pytest.mark.parametrize(
    ("span", "gap", "odd", "said"),
    [
        # a gap stands out that is longer than two years and than all the rest of the log
        (10, 730, 1, False),
        (10, 731, 1, True),
        (1000, 1000, 1, False),
        (1000, 1001, 1, True),
        # few is three rows, or one of a hundred
        (10, 900, 3, True),
        (10, 900, 4, False),
    ],
)
@pytest.mark.parametrize("side", ["before", "after"])
def test_rows_stand_alone_where_few_lie_past_a_gap_longer_than_all_else(
    engine, side, span, gap, odd, said
):
    days = np.r_[np.linspace(0, span, 36).round(), np.full(odd, span + gap)]
    if side == "before":
        days = days.max() - days
    first = pd.Timestamp("2015-01-01")
    log = pd.DataFrame({"who": 1, "when": first + pd.to_timedelta(days, "D"), "paid": 1.0})
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        cv.summarize(ENGINES[engine](log), **NAMES, as_of="2021-12-31")
    assert any("away from all others" in str(w.message) for w in seen) == said


def test_of_600_rows_six_are_few_and_of_699_seven_are_not():
    for rows, odd, said in ((600, 6, True), (699, 7, False), (700, 7, True)):
        days = np.r_[np.zeros(odd), 1000 + np.arange(rows - odd) % 30]
        when = pd.Timestamp("2015-01-01") + pd.to_timedelta(days, "D")
        log = pd.DataFrame({"who": 1, "when": when, "paid": 1.0})
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            cv.summarize(log, **NAMES, as_of="2021-12-31")
        assert any("away from all others" in str(w.message) for w in seen) == said


@ALL
def test_an_as_of_date_far_past_the_log_is_said(engine):
    with pytest.warns(DataWarning, match="as_of=2250-12-31 lies 22. years after the last order"):
        cv.summarize(ENGINES[engine](shop()), **NAMES, as_of="2250-12-31")


@ALL
@pytest.mark.parametrize("odd", ["1900-01-01", "2206-05-01"])
def test_a_panel_that_one_date_blows_up_is_refused_before_it_is_made(engine, odd):
    log = pd.concat([shop(odd)] + [shop().assign(who=lambda t, i=i: t["who"] + 1000 * i)
                                   for i in range(1, 8)], ignore_index=True)  # fmt: skip
    as_of = "2206-05-01" if odd > "2000" else "2024-06-30"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        if engine == "pandas" and odd < "2000":
            # only the one customer is old: the panel stays small, and is made
            assert len(cv.panel(log, **NAMES, as_of=as_of, period="1D")) < 5_000_000
        else:
            with pytest.raises(DataContractError, match=f"panel-too-long: .*{odd}"):
                cv.panel(ENGINES[engine](log), **NAMES, as_of=as_of, period="1D")


def test_a_far_as_of_date_is_refused_by_the_panel():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(DataContractError, match=r"panel-too-long: .*2250-12-31"):
            cv.panel(shop(), **NAMES, as_of="2250-12-31", period="1D")
