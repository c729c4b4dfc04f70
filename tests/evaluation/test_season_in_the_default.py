"""The default forecast follows a season that two years agree on; without one nothing changes."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.data import TransactionLog
from custvalue.data._season import Season, known_season, operational
from custvalue.datasets import make_shop
from custvalue.evaluation import BestValue, StackedValue
from custvalue.purchase import MBGNBD
from custvalue.testing import check_value_model
from custvalue.testing._value import Shop
from custvalue.value import CustomerValue, LearnedValue, RateForward

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
HIGH, LOW = "2024-02-29", "2024-08-31"  # the quarters after them
BAND = 0.25
SUMMER = Season((0.5,) * 5 + (2.0,) * 3 + (0.5,) * 4)


def law():
    return CustomerValue(purchases=MBGNBD())


def stack(**more):
    return BestValue({"law": law(), "rate": RateForward()}, progress=False, **more)


@pytest.fixture(scope="module")
def four_years():
    return TransactionLog(make_shop("seasonal", 1500, days=1461, random_state=3).log, **NAMES)


@pytest.fixture(scope="module")
def known(four_years):
    return {end: four_years.until(end) for end in (HIGH, LOW)}


@pytest.fixture(scope="module")
def fitted(known):
    return {end: stack().fit(log) for end, log in known.items()}


def what_came(log, end, days=91):
    """Money of the customers known then, by plain pandas."""
    frame, start = log.frame, pd.Timestamp(end)
    mine = frame["customer_id"].isin(frame.loc[frame["date"] <= start, "customer_id"])
    inside = (frame["date"] > start) & (frame["date"] <= start + pd.Timedelta(days=days))
    return float(frame.loc[mine & inside, "amount"].sum())


def plain_of(log, days):
    """Forecast of parts that know no calendar."""
    table = log.summary("D")
    return float(law().fit(table).predict(table, f"{days}D").sum())


@pytest.mark.parametrize("end", [HIGH, LOW])
def test_a_high_quarter_and_a_low_one_are_forecast_within_a_quarter_of_what_came(
    end, four_years, known, fitted
):
    came = what_came(four_years, end)
    assert fitted[end].predict(known[end], "91D").sum() / came == pytest.approx(1.0, abs=BAND)
    off = plain_of(known[end], 91) / came
    assert off < 1.0 - BAND if end == HIGH else off > 1.0 + 2.0 * BAND


def test_a_learner_of_its_own_follows_the_season_too(four_years, known):
    came = {end: what_came(four_years, end) for end in (HIGH, LOW)}
    said = {
        end: LearnedValue(law=law(), prove=False).fit(log).predict(log, "91D").sum()
        for end, log in known.items()
    }
    assert said[HIGH] / came[HIGH] == pytest.approx(1.0, abs=BAND)
    assert said[LOW] / came[LOW] == pytest.approx(1.0, abs=BAND)


@pytest.mark.parametrize("end", [HIGH, LOW])
def test_chances_of_an_order_go_with_the_season(end, four_years, known, fitted):
    frame = four_years.frame
    inside = (frame["date"] > end) & (frame["date"] <= pd.Timestamp(end) + pd.Timedelta(days=91))
    customers = known[end].customers()
    bought = np.isin(customers, frame.loc[inside, "customer_id"]).mean()
    chance = fitted[end].predict_chance(known[end], "91D").mean()
    assert chance / bought == pytest.approx(1.0, abs=BAND)
    table = known[end].summary("D")
    lift = chance / law().fit(table).predict_chance(table, "91D").mean()
    assert lift > 1.15 if end == HIGH else lift < 0.85


def test_a_year_has_as_many_days_with_a_season_as_without(fitted, known):
    season = fitted[LOW].forecast_.season
    assert season.length(known[LOW].as_of, 365.25) == pytest.approx(365.25, rel=0.01)
    assert season.length(known[LOW].as_of, 91.0) < 0.75 * 91.0


def test_the_periods_of_a_forecast_show_the_season(fitted, known):
    """Planted: highest at the end of March, seen at orders, that is a gap later; and lowest."""
    told = fitted[LOW].value_by_period(known[LOW], "364D", period="28D")
    busiest = int(np.argmax(told["expected"]))
    assert busiest * 28 in range(180, 300)  # March to June
    assert told["expected"].max() > 2.0 * told["expected"].min()
    assert told["cumulative"].iloc[-1] == pytest.approx(
        fitted[LOW].predict(known[LOW], "364D").sum()
    )


def test_money_of_a_late_season_is_discounted_to_the_day_it_comes(known):
    """By hand: each month's undiscounted money, at the middle of the month."""
    log = known[LOW]
    model = stack().fit(log)
    ends = 365.25 / 12.0 * np.arange(7)
    sums = [0.0, *(model.predict(log, f"{end:.17g}D").sum() for end in ends[1:])]
    by_hand = np.diff(sums) @ 1.1 ** (-(ends[:-1] + ends[1:]) / 2.0 / 365.25)
    model.set_params(annual_discount_rate=0.1)
    assert model.predict(log, f"{ends[-1]:.17g}D").sum() == pytest.approx(by_hand, rel=1e-9)
    parts = model.explain(log, "91D")
    assert len(parts) == len(log.customers())


def test_the_report_and_the_verdict_tell_season_trend_and_unfinished_months(fitted, known):
    report = json.loads(json.dumps(fitted[LOW].fit_report()))
    assert len(report["pace of months, January first"]) == 12
    assert report["whole months"] == 43  # February 2021 to August 2024
    first = pd.Timestamp(known[LOW].first).normalize()
    assert report["days of unfinished months left out"] == (pd.Timestamp("2021-02-01") - first).days
    growth = report["growth of orders a known customer and year, in logs"]
    verdict = fitted[LOW].verdict()
    english, chinese = (verdict.words(language)[-1] for language in ("en", "zh"))
    assert "43 whole months" in english
    assert f"{np.expm1(growth):+.0%} a year" in english
    assert re.search(r"in (March|April|May) and", english)
    assert re.search("[三四五]月的", chinese)
    numbers = [re.findall(r"\d+(?:\.\d+)?", text) for text in (english, chinese)]
    assert sorted(numbers[0]) == sorted(numbers[1])


def test_a_season_survives_json(fitted, known):
    again = BestValue.from_dict(json.loads(json.dumps(fitted[LOW].to_dict())))
    assert again.forecast_.season == fitted[LOW].forecast_.season
    np.testing.assert_allclose(
        again.predict(known[LOW], "91D"), fitted[LOW].predict(known[LOW], "91D")
    )


@pytest.mark.parametrize("model", [stack, lambda: LearnedValue(law=law(), prove=False)])
def test_under_two_years_no_season_is_told_and_the_reason_is(model):
    log = TransactionLog(cv.datasets.load_cdnow("sample"), **NAMES)
    report = model().fit(log).fit_report()
    assert re.match(r"the log has 18 whole months, and under 24", report["no season"])


def test_without_a_season_a_log_horizon_and_value_are_handed_on_as_they_are():
    log = TransactionLog(make_shop("plain", 400, days=1300, random_state=2).log, **NAMES)
    season = known_season(log)
    assert season.is_identity
    assert operational(log, season) is log
    assert season.length(log.as_of, 91.3) == 91.3
    model = stack(horizon="120D", annual_discount_rate=0.1).fit(log)
    assert re.match("the years agree on none", model.fit_report()["no season"])
    assert not any("season" in line for line in model.verdict().words())
    known, terms = model.forecast_, model.terms()
    by_hand = 0.0
    for part, weight, scale in zip(known.parts, known.weights, known.scales, strict=True):
        alone = part.__class__(**part.get_params(deep=False))
        alone.set_params(annual_discount_rate=0.1).fit(log.summary("D"))
        by_hand = by_hand + weight * scale * alone.predict(log.summary("D"), "120D")
    assert terms.until == 120.0
    np.testing.assert_allclose(model.predict(log), by_hand, rtol=1e-12)


def test_an_earlier_date_that_could_not_know_the_season_is_asked_for_whole_years_only():
    """2.3 years: a half-year back nobody knew the season, and its half-year was a busy one."""
    frame = make_shop("frequent", 300, days=840, season=0.7, random_state=1).log
    log = TransactionLog(frame, **NAMES)
    assert not known_season(log).is_identity
    told = StackedValue({"law": law(), "rate": RateForward()}).fit(log).fit_report()
    asked = [(one["days back"], one["days"]) for one in told["earlier origins"]]
    assert asked == [(546, 364), (364, 364)]
    assert told["left out"] == ["182 days back: not asked, for its season was not known then"]


def test_models_in_a_season_obey_the_laws_of_their_kind():
    frame = make_shop(
        "regular", 200, days=1126, start="2018-06-01", season=0.7, random_state=2
    ).log.rename(columns={"customer_id": "who", "date": "day", "amount": "paid"})
    shop = Shop("log")
    shop.log, shop.table = frame, shop._table(frame)
    shop.rows = shop.table
    assert not known_season(shop.table).is_identity
    check_value_model(StackedValue({"law": law(), "rate": RateForward()}), shop=shop)


# ---- the log in operational time ----------------------------------------------------------------


def days_log(n=40, **more):
    when = pd.date_range("2022-04-20", periods=n, freq="D")
    rows = pd.DataFrame({"customer_id": np.arange(n) % 2, "date": when, "amount": 5.0})
    return TransactionLog(rows, **NAMES, **more)


def test_no_two_days_of_a_slow_month_become_one_order():
    slow = Season((0.1,) * 12)
    log = days_log()
    moved = operational(log, slow)
    assert moved.summary("D")["n_orders"].tolist() == log.summary("D")["n_orders"].tolist()
    np.testing.assert_allclose(moved.gaps()["gap"], 0.1 * log.gaps()["gap"], atol=1 / 1440)
    np.testing.assert_allclose(
        moved.summary("D")["silence"], 0.1 * log.summary("D")["silence"], atol=1 / 1440
    )


def test_orders_of_one_day_stay_one_order_and_columns_stay_what_they_were():
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b"],
            "date": pd.to_datetime(["2023-06-01 09:00", "2023-06-01 17:00", "2023-07-02 08:00"]),
            "amount": [5.0, 7.0, 9.0],
            "cost": [1.0, 2.0, 3.0],
            "city": ["x", "y", "z"],
        }
    )
    log = TransactionLog(rows, **NAMES, cost="cost", as_of="2023-08-31")
    moved = operational(log, SUMMER)
    table = moved.summary("D")
    assert table["n_orders"].tolist() == [1, 1]
    assert table["total_value"].tolist() == [12.0, 9.0]
    assert table["total_profit"].tolist() == [9.0, 6.0]
    assert moved.last_known("city").tolist() == log.last_known("city").tolist() == ["y", "z"]
    assert table["T"].tolist() == pytest.approx([2.0 * 91, 2.0 * 60], abs=1 / 1440)


def as_text(frame):
    return frame.assign(date=frame["date"].dt.strftime("%d/%m/%Y"))


def with_zone(frame):
    return frame.assign(date=frame["date"].dt.tz_localize("UTC"))


def lazily(frame):
    return pytest.importorskip("polars").from_pandas(frame).lazy()


@pytest.mark.parametrize(
    ("form", "more"),
    [
        (as_text, {"time_format": "%d/%m/%Y"}),
        (with_zone, {"time_zone": "UTC", "unit": "W"}),
        (lazily, {"as_of": "2024-12-31"}),
    ],
)
def test_a_season_does_not_depend_on_how_the_log_is_written(form, more):
    frame = make_shop("seasonal", 300, days=1461, random_state=3).log
    plain = TransactionLog(frame, **NAMES, as_of="2024-12-31")
    other = TransactionLog(form(frame), **NAMES, **more)
    assert not known_season(plain).is_identity
    told = [StackedValue({"law": law()}).fit(log).predict(log, "91D") for log in (plain, other)]
    np.testing.assert_allclose(told[0], told[1], rtol=1e-6)


def test_days_before_1970_are_days_too():
    ends = SUMMER.days(np.array(["1965-05-31", "1965-08-31", "1971-05-31"], "datetime64[D]"))
    assert ends[1] - ends[0] == pytest.approx(2.0 * 92)
    assert np.diff(ends[[0, 2]]) == pytest.approx(6 * (2.0 * 92 + 0.5 * 273) + 0.5)  # one leap day


def test_times_of_day_keep_a_log_out_of_operational_time_and_that_is_said():
    frame = make_shop("frequent", 50, days=1096, season=0.7, random_state=1).log
    log = TransactionLog(frame, **NAMES, occasion="6h")
    assert "6h, no days" in known_season(log, days_only=True).why_none
    assert known_season(operational(TransactionLog(frame, **NAMES), SUMMER)).is_identity
