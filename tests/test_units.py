"""Spans of time and rates: converted once, never guessed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue._units import DAYS_PER, check_annual_rate, days_per, in_units, rate_per, span_days
from custvalue.exceptions import RateWarning, TimeUnitError

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


@pytest.mark.parametrize("rate", [0.51, 10, -0.01])
def test_rates_that_look_like_a_slip_warn(rate):
    with pytest.warns(RateWarning, match="10 % a year is 0.10"):
        assert check_annual_rate(rate) == rate


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf, "ten", None])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(ValueError, match="annual_discount_rate="):
        check_annual_rate(rate)
