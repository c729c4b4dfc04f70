"""A season is a change of clock: learned from two years and more, or the law as it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.data import TransactionLog, season_of
from custvalue.data._season import Season
from custvalue.datasets import make_shop
from custvalue.exceptions import DataContractError, DataWarning
from custvalue.purchase import MBGNBD, NBD
from custvalue.spend import OwnMean
from custvalue.testing import check_value_model
from custvalue.testing._value import Shop
from custvalue.value import CustomerValue, SeasonalValue

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
AUTUMN = (0.6,) * 9 + (2.2,) * 3


def shop_log(season, days=1096, n=600, **more):
    shop = make_shop("frequent", n, days=days, season=season, random_state=1, **more)
    return TransactionLog(shop.log, **NAMES)


@pytest.fixture(scope="module")
def seasonal():
    return shop_log(0.7)


def test_the_pace_of_months_follows_the_planted_swing(seasonal):
    found = season_of(seasonal.until("2023-06-30"))
    middle = (np.arange(12) + 0.5) / 12.0
    planted = 1.0 + 0.7 * np.sin(2.0 * np.pi * middle)
    assert np.corrcoef(found.pace, planted)[0, 1] > 0.97
    assert found.p_value < 1e-6


def test_each_day_is_as_long_as_its_month_is_busy_before_1970_too():
    season = Season(pace=tuple(np.linspace(0.6, 1.4, 12)))
    days = np.arange(np.datetime64("1899-12-25"), np.datetime64("1972-03-02"))
    month = days[1:].astype("datetime64[M]").astype(int) % 12
    np.testing.assert_allclose(np.diff(season.days(days)), np.asarray(season.pace)[month])
    assert season.days("1970-01-01") == 0.6


def test_four_years_of_a_season_have_as_many_days_as_the_calendar(seasonal):
    pace = np.array(season_of(seasonal.until("2023-06-30")).pace)
    assert np.ptp(pace) > 0.5
    days = pd.date_range("2021-01-01", "2024-12-31")  # one leap day
    assert pace[days.month - 1].mean() == pytest.approx(1.0, rel=1e-12)


def test_no_season_is_the_identity():
    found = season_of(shop_log(0.0))
    assert found.is_identity
    assert found.p_value > 0.05
    assert found.growth < 0.0  # customers leave


def test_unfinished_months_are_left_out_and_counted():
    log = shop_log(0.0)
    found = season_of(log.until("2023-06-17"))
    assert str(log.first)[:7] == "2021-01"
    assert str(log.first)[:10] != "2021-01-01"
    assert found.n_months == 28  # February 2021 to May 2023
    before = pd.Timestamp("2021-02-01") - pd.Timestamp(log.first).normalize()
    assert found.left_out_days == before.days + 17


def test_under_two_years_a_season_is_refused_with_the_reason(seasonal):
    with pytest.raises(DataContractError, match="told from a trend"):
        season_of(seasonal.until("2023-01-30"))
    assert season_of(seasonal.until("2023-01-31")).n_months == 24


def test_the_clock_adds_up_to_the_calendar_over_a_year():
    season = Season(tuple(np.asarray(AUTUMN) * 12.0 / sum(AUTUMN)))
    ends = season.days(np.array(["2021-12-31", "2022-09-30", "2022-12-31"], "datetime64[D]"))
    busy, slow = ends[2] - ends[1], ends[1] - ends[0]
    assert busy / 92 == pytest.approx(season.pace[11])
    assert slow / 273 == pytest.approx(season.pace[0])
    plain = Season().days(np.array(["2022-01-01", "2024-03-01"], "datetime64[D]"))
    assert np.diff(plain) == pytest.approx(790)


def test_an_nbd_in_a_season_is_an_nbd_on_its_clock():
    """Gamma rates, no leaving, autumns of 3.7 times the pace: the mean of the gamma posterior."""
    rng = np.random.default_rng(5)
    days = pd.date_range("2020-01-01", "2022-12-31")
    pace = np.where(days.month >= 10, 2.2, 0.6)
    rate = rng.gamma(1.0, 1 / 60, 1500)
    who, at = np.nonzero(rng.random((1500, len(days))) < rate[:, None] * pace)
    frame = pd.DataFrame({"customer_id": who, "date": days[at], "amount": 10.0})
    log = TransactionLog(frame, **NAMES)
    known = log.until("2022-09-30")
    came = log.between("2022-09-30", "2022-12-30").totals(known.customers())[0].sum()
    law = CustomerValue(purchases=NBD(), spend=OwnMean())
    with pytest.warns(DataWarning, match="begin in the middle"):  # all were there before it
        told = SeasonalValue(law).fit(known).predict(known, "13W").sum()
    plain = law.fit(known.summary("D")).predict(known.summary("D"), "13W").sum()
    assert told / came == pytest.approx(1.0, abs=0.06)
    assert plain / came < 0.65


def test_without_a_season_it_is_the_law_and_says_why(seasonal):
    short = seasonal.until("2021-12-31")
    model = SeasonalValue(horizon="26W").fit(short)
    law = CustomerValue(purchases=MBGNBD(), horizon="26W").fit(short.summary("D"))
    np.testing.assert_allclose(model.predict(short), law.predict(short.summary("D")))
    assert "11 whole months" in model.fit_report()["no season"]
    steady = shop_log(0.0)
    assert "agree on none" in SeasonalValue().fit(steady).fit_report()["no season"]


def test_a_model_on_a_season_obeys_the_laws_of_its_kind():
    frame = make_shop(
        "regular", 200, days=1126, start="2018-06-01", season=0.7, random_state=2
    ).log.rename(columns={"customer_id": "who", "date": "day", "amount": "paid"})
    assert str(frame["day"].max().date()) <= "2021-06-30"
    shop = Shop("log")
    shop.log, shop.table = frame, shop._table(frame)
    shop.rows = shop.table
    assert not season_of(shop.table).is_identity
    check_value_model(SeasonalValue(), shop=shop)


def test_what_is_no_log_or_no_law_is_refused(seasonal):
    with pytest.raises(DataContractError, match="TransactionLog"):
        SeasonalValue().fit(seasonal.frame)
    with pytest.raises(ValueError, match="reads a summary"):
        SeasonalValue(law=MBGNBD()).fit(seasonal)
