"""The line of spend ahead: its sum is the forecast, its band is tested, its season known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.data import TransactionLog, season_of
from custvalue.data._for_rooms import Season
from custvalue.evaluation import BestValue
from custvalue.report import _sections, make_report
from custvalue.report._ahead import band, paces, ups_and_downs
from custvalue.report._words import Words

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def known(cdnow_sample, law_alone):
    """What was known in September 1997: a fitted forecast, its rows, and the whole log."""
    whole = TransactionLog(cdnow_sample, **NAMES)
    log = whole.until("1997-09-30")
    model = BestValue(law_alone, horizon="36W", margin=1.0, progress=False).fit(log)
    return model, model.open(log), log, whole


def test_the_line_adds_up_to_the_forecast_before_discount(report):
    ahead = report.facts["ahead"]
    assert len(ahead["periods"]) == 13
    total = sum(row["expected"] for row in ahead["periods"])
    spend = report.customers["future_value"].sum() / 0.3
    assert spend < total < 1.1 * spend  # a year's discount at 10 %
    for row in ahead["periods"]:
        assert 0.0 < row["low"] < row["expected"] < row["high"]


def test_the_band_held_what_came_on_cdnow(known):
    """Nine periods of four weeks to June 1998, of the customers known in September 1997."""
    model, rows, log, whole = known
    expected = model.value_by_period(rows, "252D", period="28D")["expected"].to_numpy()
    before = log.occasions()
    days = pd.to_datetime(before["date"])
    so_far = [
        before.loc[(days > end - pd.Timedelta(days=28)) & (days <= end), "spend"].sum()
        for end in pd.Timestamp("1997-09-30") - pd.to_timedelta(28 * np.arange(9)[::-1], "D")
    ]
    low, high = band(model, rows, expected, 28, ups_and_downs(so_far), 0.8)
    later = whole.of(log.customers()).occasions()
    days = pd.to_datetime(later["date"]) - pd.Timestamp("1997-09-30")
    period = np.ceil(days / pd.Timedelta(days=28)).astype(int)
    came = later["spend"].groupby(period).sum().reindex(range(1, 10)).to_numpy()
    assert ((low <= came) & (came <= high)).sum() >= 6  # of 9: 8 of 10, and chance
    assert (high / low < 4).all()  # and it says something


def test_the_band_is_the_error_of_the_total_the_chance_of_a_period_and_its_ups_and_downs(known):
    model, rows, _, _ = known
    expected = model.value_by_period(rows, "252D", period="28D")["expected"].to_numpy()
    whole = model.predict_total(rows, "252D").loc["all"]
    first = model.predict_total(rows, "28D").loc["all"]
    share = expected / first["value"]
    for spread in (0.0, 0.3):
        low, high = band(model, rows, expected, 28, spread, 0.8)
        parts = (
            whole["parameter_error"] / whole["value"],
            first["outcome_sd"] * np.sqrt(share) / expected,
            spread,
        )
        s = np.sqrt(np.log1p(sum(np.asarray(part) ** 2 for part in parts)))
        np.testing.assert_allclose(np.log(high / low), 2 * 1.2815515655446004 * s)
        np.testing.assert_allclose(np.sqrt(low * high), expected * np.exp(-0.5 * s * s))


def test_ups_and_downs_are_those_about_the_trend():
    growth = 100.0 * 1.1 ** np.arange(12)
    assert ups_and_downs(growth) == 0.0
    assert ups_and_downs([5.0, 10.0, 20.0]) == 0.0  # too few
    rng = np.random.default_rng(3)
    noisy = growth.repeat(20) * np.exp(0.2 * rng.standard_normal(240))
    assert 0.1 < ups_and_downs(noisy) < 0.35
    once = growth.copy()
    once[6] *= 10.0  # one campaign
    assert ups_and_downs(once) < 0.05


@pytest.fixture(scope="module")
def busy_autumns():
    rng = np.random.default_rng(1)
    days = pd.date_range("2021-01-01", "2023-12-31")
    pace = np.where(days.month >= 10, 2.5, 1.0)
    who, at = np.nonzero(rng.random((150, len(days))) < 0.015 * pace)
    return pd.DataFrame({"customer_id": who, "date": days[at], "amount": 10.0})


def test_a_known_season_shapes_the_line_and_not_its_sum(busy_autumns, law_alone):
    made = make_report(busy_autumns, **NAMES, as_of="2023-12-31", models=law_alone)
    ahead = made.facts["ahead"]
    assert ahead["seasonal"]
    rows = pd.DataFrame(ahead["periods"])
    autumn = pd.to_datetime(rows["until"]).dt.month.isin([11, 12])
    assert rows.loc[autumn, "expected"].mean() > 1.5 * rows.loc[~autumn, "expected"].mean()
    log = TransactionLog(busy_autumns, **NAMES, as_of="2023-12-31")
    model = BestValue(law_alone, horizon="364D", progress=False, margin=1.0).fit(log)
    assert rows["expected"].sum() == pytest.approx(model.predict(log).sum())
    assert "The season of the past years is in the line" in made.html


def test_a_busy_period_is_one_with_many_of_the_season_s_days(busy_autumns):
    season = season_of(TransactionLog(busy_autumns, **NAMES, as_of="2023-12-31"))
    spring, autumn = paces(season, ["2023-02-28", "2023-09-30"], ["2023-03-31", "2023-10-31"])
    assert autumn > 1.5 * spring
    assert paces(Season(), ["2023-02-28"], ["2023-03-31"]).tolist() == [1.0]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_what_the_band_allows_for(report, language):
    w = Words(language)
    tested = {"ahead": {"banded": True, "seasonal": False}, "forecast": {"dates": [1]}}
    untested = {"ahead": {"banded": True, "seasonal": True}, "forecast": {"dates": []}}
    none = {"ahead": {"banded": False, "seasonal": False}, "forecast": {"dates": []}}
    said = [_sections._band_words(facts, w) for facts in (tested, untested, none)]
    assert said[0] != said[1]
    assert said[2] == ""
    if language == "en":
        assert "missed at earlier dates" in said[0]
        assert "no earlier date could test" in said[1]
        assert said[0] in report.html
