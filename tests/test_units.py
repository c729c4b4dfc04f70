"""Spans of time and rates: converted once, never guessed."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custvalue as cv
from custvalue._units import (
    DAYS_PER,
    check_annual_rate,
    check_share,
    days_per,
    in_units,
    rate_per,
    span_days,
)
from custvalue.campaign import campaign_effect
from custvalue.chains import Chain
from custvalue.exceptions import RateWarning, TimeUnitError
from custvalue.grades import pareto
from custvalue.report import make_report
from custvalue.silence import activation_plan
from custvalue.value import (
    contribution,
    migration_value,
    repeat_sale_value,
    retention_value,
)

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
LOG = pd.DataFrame(
    {"who": [1, 1, 2], "when": pd.to_datetime(["2024-01-01", "2024-01-11", "2024-02-01"]),
     "paid": [10.0, 20.0, 5.0]}
)  # fmt: skip

amounts = st.floats(1e-3, 1e4)
units = st.sampled_from(sorted(DAYS_PER))


@given(amounts, units, units)
def test_a_span_is_as_long_in_every_unit(amount, written, counted):
    span = f"{amount!r}{written}"
    assert in_units(span, counted) * DAYS_PER[counted] == pytest.approx(
        amount * DAYS_PER[written], rel=1e-12
    )


@given(st.integers(1, 5000))
def test_timedeltas_and_text_agree(days):
    assert span_days(timedelta(days=days)) == span_days(f"{days}D") == days
    assert span_days(np.timedelta64(days, "D")) == days


def test_a_month_is_a_twelfth_of_a_year():
    assert span_days("12M") == span_days("1Y") == 365.25


def test_a_span_may_be_a_unit():
    assert days_per("4W") == 28.0
    assert in_units("52W", "4W") == 13.0


@pytest.mark.parametrize("bare", [365, 1.5, np.float64(3), np.int64(2)])
def test_a_bare_horizon_is_refused_where_the_unit_is_known(bare):
    with pytest.raises(
        TimeUnitError, match=r"fitted with time in weeks; horizon=.* Write horizon="
    ):
        in_units(bare, "W")


def test_a_span_is_refused_where_the_unit_is_unknown():
    with pytest.raises(TimeUnitError, match="does not know the unit of its data"):
        in_units("52W", None)


@pytest.mark.parametrize("span", ["", "W", "52", "5 fortnights", "-3D", "nanD", True, None, -2.0])
def test_what_is_no_span_is_refused(span):
    with pytest.raises(TimeUnitError):
        span_days(span)


@pytest.mark.parametrize("unit", [7, "0D", "X", timedelta(0), 1.0, True])
def test_what_is_no_unit_is_refused(unit):
    with pytest.raises(TimeUnitError):
        days_per(unit)


@given(st.floats(0.0, 0.5), st.integers(1, 60))
def test_rates_of_periods_compound_to_the_annual_rate(annual, months):
    monthly = rate_per(annual, "M")
    assert (1 + monthly) ** 12 == pytest.approx(1 + annual, rel=1e-12)
    assert rate_per(annual, f"{months}M") == pytest.approx((1 + monthly) ** months - 1, abs=1e-12)


@pytest.mark.parametrize("rate", [0.51, 1.0, -0.01])
def test_rates_that_look_like_a_slip_warn(rate):
    with pytest.warns(RateWarning, match="10 % a year is 0.10"):
        assert check_annual_rate(rate) == rate


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf, "ten", None, 10])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ValueError, match="annual_discount_rate="):
        check_annual_rate(rate)


SHARES = {  # where a share, chance, margin or rate is taken: 30 is never 30 %
    "summarize": lambda x: cv.summarize(LOG, **NAMES, as_of="2024-03-01", margin=x),
    "panel": lambda x: cv.panel(LOG, **NAMES, as_of="2024-03-01", margin=x),
    "split": lambda x: cv.split_by_date(
        LOG, "2024-01-15", "4W", **NAMES, as_of="2024-03-01", margin=x
    ),
    "margin column": lambda x: cv.summarize(
        LOG.assign(share=float(x)), **NAMES, as_of="2024-03-01", margin="share"
    ),
    "margin column, lazy": lambda x: cv.summarize(
        pl.from_pandas(LOG.assign(share=float(x))).lazy(),
        **NAMES,
        as_of="2024-03-01",
        margin="share",
    ),
    "margin column, duckdb": lambda x: cv.summarize(
        duckdb.from_df(LOG.assign(share=float(x))), **NAMES, as_of="2024-03-01", margin="share"
    ),
    "report margin": lambda x: make_report(LOG, **NAMES, margin=x),
    "report response": lambda x: make_report(LOG, **NAMES, margin=0.3, response=x),
    "report holdout": lambda x: make_report(LOG, **NAMES, margin=0.3, response=0.1, holdout=x),
    "report rate": lambda x: make_report(LOG, **NAMES, annual_discount_rate=x),
    "plan margin": lambda x: activation_plan(
        [[1.0]], [9.0], response=0.1, margin=x, contact_cost=1.0, grades=None, seed=0
    ),
    "plan response": lambda x: activation_plan(
        [[1.0]], [9.0], response=x, margin=0.3, contact_cost=1.0, grades=None, seed=0
    ),
    "plan holdout": lambda x: activation_plan(
        [[1.0]], [9.0], response=0.1, margin=0.3, contact_cost=1.0, holdout=x, grades=None, seed=0
    ),
    "effect": lambda x: campaign_effect([1.0, 2.0] * 20, [1.0, 0.0] * 20, margin=x),
    "pareto top": lambda x: pareto([1.0, 2.0], top=x),
    "pareto value": lambda x: pareto([1.0, 2.0], of_value=x),
    "contribution": lambda x: contribution(LOG, **NAMES, as_of="2024-03-01", cost=x),
    "retention": lambda x: retention_value(100.0, x, 0.1),
    "chances": lambda x: migration_value(40, 4, [0.3, x], 0.2, n_periods=4),
    "sales": lambda x: repeat_sale_value(260, 50, x, 0.2, years=10),
    "sales rate": lambda x: repeat_sale_value(260, 50, 0.75, x, years=10),
    "rate": lambda x: rate_per(x, "W"),
    "chain rate": lambda x: Chain(["a"], [[1.0]]).value([1.0], discount_rate=x),
}


@pytest.mark.parametrize("door", list(SHARES))
def test_thirty_is_never_thirty_per_cent(door):
    with pytest.raises(ValueError, match=r"share|between 0 and 1|30 % is 0\.3|30 % a year is 0\.3"):
        SHARES[door](30)


@pytest.mark.parametrize("value", [1.0001, np.inf, np.nan, "0.3", True, None, 1j, [0.2, 30.0]])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(ValueError, match=r"margin.* must be a share"):
        check_share(value, "margin")


def test_shares_are_what_they_are():
    assert check_share(1, "margin") == 1.0
    assert check_share(0, "margin") == 0.0
    assert check_share(np.float32(0.5), "margin") == 0.5
    assert check_share(-0.2, "margin", low=-np.inf) == -0.2
    assert check_share(np.array([[0.1], [0.2]]), "margin").tolist() == [[0.1], [0.2]]
    for asked in ({"above": True}, {"low": 0.1}):
        with pytest.raises(ValueError, match="must be a share"):
            check_share(0.0, "margin", **asked)
    with pytest.raises(ValueError, match="below 1"):
        check_share(1.0, "holdout", below=True)
