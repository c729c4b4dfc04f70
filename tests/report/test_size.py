"""One wrong date or period is refused before the work, with the cure."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataContractError
from custvalue.report import _collect, make_report

NAMES = {"customer": "who", "time": "when", "amount": "paid"}


@pytest.fixture
def log():
    """60 orders of 20 customers over a year."""
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "who": np.arange(60) % 20,
            "when": np.datetime64("2023-01-01") + rng.integers(0, 360, 60),
            "paid": 10.0,
        }
    )


@pytest.fixture
def no_work(monkeypatch):
    """What must not be begun."""

    def begun(*_, **__):
        raise AssertionError("the work was begun")

    monkeypatch.setattr(_collect.TransactionLog, "panel", begun)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"horizon": "1000Y"}, "13,045 periods"),
        ({"horizon": "100000Y"}, "more than a report forecasts"),
        ({"period": "1D", "horizon": "10Y"}, "3,653 periods of '1D'"),
    ],
)
def test_a_horizon_of_too_many_periods_is_refused_before_the_log_is_read(options, says):
    with pytest.raises(ValueError, match=says):
        make_report(object(), **NAMES, **options)


def test_days_as_periods_of_many_years_are_refused_with_a_period_that_is_long_enough(log, no_work):
    log.loc[0, "when"] = pd.Timestamp("2003-01-01")
    with pytest.raises(DataContractError, match="too-many-periods") as caught:
        make_report(log, **NAMES, as_of="2023-12-31", period="1D")
    assert "7,670 periods of '1D' seen" in str(caught.value)
    assert "'1W'" in str(caught.value)


@pytest.mark.parametrize(
    ("when", "as_of", "named"),
    [
        (None, "9999-12-31", "9999-12-31"),
        ("0001-01-01", "2023-12-31", "0001-01-01"),
    ],
)
def test_a_date_that_stands_for_none_is_named(log, no_work, when, as_of, named):
    if when is not None:
        log["when"] = log["when"].astype("datetime64[s]")
        log.loc[0, "when"] = np.datetime64(when, "s")
    with pytest.raises(DataContractError, match=named):
        make_report(log, **NAMES, as_of=as_of)


def test_rows_of_the_panel_are_counted_before_they_are_made(no_work, monkeypatch):
    from custvalue.report import _size

    monkeypatch.setattr(_size, "MOST_ROWS", 30)
    log = pd.DataFrame({"who": [1, 2, 2], "when": pd.to_datetime(["2023-01-01"] * 3), "paid": 1.0})
    # 13 periods of four weeks and a part of one, of each customer: 28 rows
    with pytest.raises(AssertionError, match="was begun"):
        make_report(log, **NAMES, as_of="2023-12-31")
    with pytest.raises(DataContractError, match="32 rows of customers and periods"):
        make_report(log, **NAMES, as_of="2024-03-01")


def test_of_many_customers_the_rows_of_those_who_are_followed_are_counted():
    """Six million customers over 27 periods: twenty thousand of them have 540,000 rows."""
    from types import SimpleNamespace

    from custvalue.report._size import check_size

    asked = SimpleNamespace(period="4W", horizon="52W")
    days = np.full(6_000_000, 26.5 * 28.0)
    check_size(asked, np.datetime64("2023-12-31"), days, 20_000)
    with pytest.raises(DataContractError, match="162,000,000 rows of customers and periods"):
        check_size(asked, np.datetime64("2023-12-31"), days)


def test_a_forecast_beyond_the_calendar_is_refused(log):
    from types import SimpleNamespace

    from custvalue.report._size import check_size

    asked = SimpleNamespace(period="4W", horizon="52W")
    with pytest.raises(DataContractError, match="beyond-the-calendar"):
        check_size(asked, np.datetime64("9999-12-01"), [10.0])
    check_size(asked, np.datetime64(date(9998, 12, 1)), [10.0])
