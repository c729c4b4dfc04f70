"""Weeks and feasts of a season: found where they were planted, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.data import TransactionLog, season_of
from custvalue.data._feasts import KNOWN, feast_days
from custvalue.data._season import Season
from custvalue.purchase import NBD
from custvalue.spend import OwnMean
from custvalue.value import CustomerValue, SeasonalValue

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
NEW_YEARS = pd.to_datetime(["2021-02-12", "2022-02-01", "2023-01-22"])


def log_of(pace, years=3, seed=1):
    """Gamma rates, nobody leaves, and each day goes at the pace given."""
    days = pd.date_range("2021-01-01", periods=int(365.25 * years))
    rng = np.random.default_rng(seed)
    chance = rng.gamma(1.0, 1 / 40, 600)[:, None] * pace(days)
    joined = np.arange(len(days)) >= rng.integers(0, 200, 600)[:, None]
    who, at = np.nonzero((rng.random(chance.shape) < chance) & joined)
    return TransactionLog(
        pd.DataFrame({"customer_id": who, "date": days[at], "amount": 10.0}), **NAMES
    )


def near(days, feasts, first, last):
    """Whether a day lies so many days from a feast."""
    off = (days.to_numpy()[:, None] - feasts.to_numpy()).astype("timedelta64[D]").astype(int)
    return ((off >= first) & (off <= last)).any(axis=1)


def closed_at_new_year(days):
    busy = np.where(near(days, NEW_YEARS, -14, -1), 1.6, 1.0)
    return np.where(near(days, NEW_YEARS, 0, 6), 0.2, busy)


def test_easter_and_thanksgiving_are_where_calendars_have_them():
    between = "2019-01-01", "2025-12-31"
    assert feast_days("Easter", *between).astype(str).tolist() == [
        "2019-04-21", "2020-04-12", "2021-04-04", "2022-04-17", "2023-04-09", "2024-03-31",
        "2025-04-20",
    ]  # fmt: skip
    assert feast_days("Thanksgiving", "2022-01-01", "2024-12-31").astype(str).tolist() == [
        "2022-11-24", "2023-11-23", "2024-11-28",
    ]  # fmt: skip


def test_lunar_new_year_is_the_day_of_a_new_moon_in_beijing():
    """Meeus, Astronomical Algorithms, 49: the mean new moon and its largest terms, in UTC + 8."""
    days = feast_days("Lunar New Year", "1990-01-01", "2050-12-31")
    assert len(days) == 61
    mean = 2451550.09766 + 29.530588861 * np.arange(-200, 700)
    k = np.arange(-200, 700)
    T = k / 1236.85
    sun = np.radians(2.5534 + 29.1053567 * k - 0.0000014 * T**2)
    moon = np.radians(201.5643 + 385.81693528 * k + 0.0107582 * T**2)
    node = np.radians(160.7108 + 390.67050284 * k - 0.0016118 * T**2)
    true = mean + (
        -0.40720 * np.sin(moon) + 0.17241 * np.sin(sun) + 0.01608 * np.sin(2 * moon)
        + 0.01039 * np.sin(2 * node) + 0.00739 * np.sin(moon - sun) - 0.00514 * np.sin(moon + sun)
    )  # fmt: skip
    beijing = true - 2440587.5 + 8 / 24 - 69 / 86400  # days from 1970; clocks run behind by 69 s
    noon = days.astype(int) + 0.5
    nearest = np.abs(beijing - noon[:, None]).min(axis=1)
    assert (nearest < 0.5 + 0.01).all()  # the terms left out move it by minutes
    of_year = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
    assert of_year.min() >= 20  # 21 January
    assert of_year.max() <= 51  # 21 February in a year of 365 days


def test_a_feast_that_moves_is_found_and_followed_to_its_next_day():
    season = season_of(log_of(closed_at_new_year))
    ((name, before, after),) = season.feasts
    assert name == "Lunar New Year"
    assert before == pytest.approx(1.6, abs=0.2)
    assert after == pytest.approx(0.2, abs=0.1)
    assert season.weeks == ()
    # the months of the feast have orders enough: it moves them within, and the page speaks of both
    assert season.pace == (1.0,) * 12
    some = season.paces(np.datetime64("2021-01-01"), 3 * 365)
    assert some.mean() == pytest.approx(1.0, abs=0.02)
    ends = season.days(np.array(["2024-01-26", "2024-02-09", "2024-02-16", "2024-02-23"]))
    busy, slow, usual = np.diff(ends)  # 10 February 2024
    assert busy / 14 > 1.4 * usual / 7
    assert slow < 0.4 * usual


def test_a_forecast_over_a_feast_counts_it():
    log = log_of(closed_at_new_year, years=3.25)
    known = log.until("2024-02-09")
    came = log.between("2024-02-09", "2024-02-16").totals(known.customers())[0].sum()
    # in the simulation the fourth new year is a usual week: a closed one is expected, a fifth
    law = CustomerValue(purchases=NBD(), spend=OwnMean())
    follows = SeasonalValue(law).fit(known)
    left_out = SeasonalValue(law, feasts={}).fit(known)
    assert follows.predict(known, "7D").sum() < 0.4 * left_out.predict(known, "7D").sum()
    assert left_out.predict(known, "7D").sum() == pytest.approx(came, rel=0.25)
    again = SeasonalValue.from_dict(follows.to_dict())
    np.testing.assert_allclose(again.predict(known, "7D"), follows.predict(known, "7D"))
    assert any("Lunar New Year" in key for key in follows.fit_report())


def test_days_of_your_own_feast_are_taken_and_kept():
    own = {"Open day": ["2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10"]}
    season = season_of(log_of(closed_at_new_year), feasts=own)
    assert season.feasts[0][0] == "Open day"
    assert season.feast_days == (tuple(own["Open day"]),)
    week = season.paces(np.datetime64("2024-02-10"), 8)
    assert (week[:7] < 0.4).all()
    assert week[7] > 0.8


def test_a_week_that_is_busy_every_year_is_found():
    def pace(days):
        return np.where((days.day_of_year - 1) // 7 == 20, 3.0, 1.0)

    season = season_of(log_of(pace))
    assert season.feasts == ()
    assert np.argmax(season.weeks) == 20
    assert season.weeks[20] > 1.6  # of three to the 1.45 of its month
    day = season.paces(np.datetime64("2024-05-20"), 1)  # the 141st day: week 20
    assert day[0] == pytest.approx(3.0, rel=0.25)
    some = season.paces(np.datetime64("2021-01-01"), 3 * 365)
    assert some.mean() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_a_shop_without_either_has_neither(seed):
    season = season_of(log_of(lambda days: np.ones(len(days)), 2.3 + 0.4 * seed, seed))
    assert season.is_identity


def test_a_season_of_feasts_alone_is_not_the_identity():
    assert not Season(feasts=((KNOWN[0], 1.2, 0.8),)).is_identity


@pytest.mark.parametrize("days", [["no day"], ["2024-01-01", "2024-01-10"], [None]])
def test_days_that_cannot_be_a_feasts_are_refused(days):
    with pytest.raises(ValueError, match=r"feasts\['Fair'\] must be dates"):
        season_of(log_of(closed_at_new_year, years=2.1), feasts={"Fair": days})
