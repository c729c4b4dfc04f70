"""Every picture: from an estimator and from numbers, on any axes, in both languages."""

from __future__ import annotations

import inspect
import re
import tracemalloc
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.linear_model import LinearRegression

import custvalue as cv
from custvalue import plotting
from custvalue._frames import with_time_scale
from custvalue.campaign import UpliftModel
from custvalue.funnel import FunnelChain
from custvalue.market import TargetMarketRanker
from custvalue.plotting import _style
from custvalue.plotting._forecast import tracking_table
from custvalue.plotting._transitions import flow_table
from custvalue.purchase import MBGCNBD, MBGNBD
from custvalue.rfm import SegmentMap
from custvalue.survey import PerceivedValue
from custvalue.value import IndicatorTree

DAYS = np.arange("1998-01-01", "1998-07-01", 30, dtype="datetime64[D]")
DAY = np.timedelta64(1, "D")
COLUMNS = {"customer": "customer_id", "time": "date", "amount": "amount"}
EVERY = sorted(n for n in plotting.__all__ if n.endswith("Display"))


def a_funnel():
    """Two stages; three deals, one of each fate."""
    rows = [(1, "lead", 0), (1, "offer", 20), (1, "won", 41), (2, "lead", 0), (2, "lost", 30)]
    events = pd.DataFrame([*rows, (3, "lead", 0)], columns=["deal", "stage", "day"])
    events["time"] = np.datetime64("2024-01-01") + events.pop("day").to_numpy()
    return FunnelChain(["lead", "offer"], age_classes=3).fit(events, as_of="2024-02-20")


# name -> (from an estimator, from numbers)
WAYS = {
    "CalibrationDisplay": (
        lambda d, b, **k: d.from_estimator(Spend(), b.first, b.spent, **k),
        lambda d, b, **k: d.from_predictions(b.spent, b.first["total_value"], **k),
    ),
    "CohortDisplay": (
        lambda d, b, **k: d.from_estimator(b.law, b.log, **COLUMNS, as_of="1997-09-30", **k),
        lambda d, b, **k: d.from_predictions(["a", "a", "b"], [0, 1, 0], [1, 0.5, 1], **k),
    ),
    "ConcentrationDisplay": (
        lambda d, b, **k: d.from_estimator(Spend(), b.now, **k),
        lambda d, b, **k: d.from_predictions(b.now["total_value"], **k),
    ),
    "FlowDisplay": (
        lambda d, b, **k: d.from_estimator(b.lifecycle, b.first, b.first, **k),
        lambda d, b, **k: d.from_predictions(["new", "new"], ["core", "new"], **k),
    ),
    "FrequencyRecencyDisplay": (
        lambda d, b, **k: d.from_estimator(b.law, T=39.0, **k),
        lambda d, b, **k: d.from_predictions([1, 1, 2, 2], [0, 9, 0, 9], [0.1, 0.5, 0.1, 0.9], **k),
    ),
    "ContributionDisplay": (
        lambda d, b, **k: d.from_estimator(TREE, "profit", 1, 2, **k),
        lambda d, b, **k: d.from_predictions(["orders", "margin"], [5.0, -2.0], start=9.0, **k),
    ),
    "FunnelDisplay": (
        lambda d, b, **k: d.from_estimator(a_funnel(), **k),
        lambda d, b, **k: d.from_predictions(["contract", "won"], [1.0, 0.3], [21.0, np.nan], **k),
    ),
    "GapCurveDisplay": (
        lambda d, b, **k: d.from_estimator(b.scorer, b.first, b.returned, **k),
        lambda d, b, **k: d.from_predictions([0.1, 0.4, 1.5, 2.0], [1, 1, 0, 0], **k),
    ),
    "MarketMatrixDisplay": (
        lambda d, b, **k: d.from_estimator(RANKER, MARKETS, MARKETS["big"], **k),
        lambda d, b, **k: d.from_predictions(["a", "b"], [0.2, 0.9], [0.5, 0.8], **k),
    ),
    "ImportancePerformanceDisplay": (
        lambda d, b, **k: d.from_estimator(RATED, "us", **k),
        lambda d, b, **k: d.from_predictions([9, 8, 6, 5], [6, 9, 9, 5], **k),
    ),
    "RFMHeatmapDisplay": (
        lambda d, b, **k: d.from_estimator(b.rfm, b.now, b.now["total_value"], **k),
        lambda d, b, **k: d.from_predictions(np.array([[5, 1, 2], [1, 1, 1]]), **k),
    ),
    "SegmentTreemapDisplay": (
        lambda d, b, **k: d.from_estimator(
            b.rfm, b.now, b.now["total_value"], segments=HALVES, **k
        ),
        lambda d, b, **k: d.from_predictions(["lost"] * 5 + ["champions"] * 2, **k),
    ),
    "StateValueDisplay": (
        lambda d, b, **k: d.from_estimator(b.chain[-1], **k),
        lambda d, b, **k: d.from_predictions(["new", "core"], [5, 90], [4, 80], [6, 99], **k),
    ),
    "TimelineDisplay": (
        lambda d, b, **k: d.from_estimator(
            b.law, ["1997-01-05", "1997-03-01"], as_of="1997-06-01", **k
        ),
        lambda d, b, **k: d.from_predictions(
            ["2024-01-01"], ["2024-01-01", "2024-05-01"], [0.5, 0.1], as_of="2024-03-01", **k
        ),
    ),
    "TrackingDisplay": (
        lambda d, b, **k: d.from_estimator(
            b.law, b.first, DAYS, [9.0] * len(DAYS), split="1998-03-02", **k
        ),
        lambda d, b, **k: d.from_predictions(DAYS, DAYS.astype(float), DAYS.astype(float), **k),
    ),
    "TransitionDisplay": (
        lambda d, b, **k: d.from_estimator(b.chain[-1], **k),
        lambda d, b, **k: d.from_predictions(np.array([[0.9, 0.1], [0.2, 0.8]]), ["a", "b"], **k),
    ),
    "UpliftDisplay": (
        lambda d, b, **k: d.from_estimator(moved(), **k),
        lambda d, b, **k: d.from_predictions([9, 0, 1, 1], [5, 5, 1, 1], [1, 0, 1, 0], **k),
    ),
    "ValueMapDisplay": (
        lambda d, b, **k: d.from_estimator(RATED, **k),
        lambda d, b, **k: d.from_predictions(["us", "A"], [1.2, 0.9], [1.3, 0.8], **k),
    ),
    "CountDisplay": (
        lambda d, b, **k: d.from_estimator(b.law, b.first, **k),
        lambda d, b, **k: d.from_predictions([0, 1, 2], [50, 20, 9], [48.0, 21.0, 10.0], **k),
    ),
    "HoldoutDisplay": (
        lambda d, b, **k: d.from_estimator(
            b.law, b.first, b.returned, horizon="39W", by="recency", **k
        ),
        lambda d, b, **k: d.from_predictions([0, 0, 3, 9], [0, 1, 4, 9], [0.4, 0.4, 3.5, 7], **k),
    ),
    "IsoValueDisplay": (
        lambda d, b, **k: d.from_estimator(b.law, T=39.0, horizon="39W", **k),
        lambda d, b, **k: d.from_predictions(
            np.repeat([1, 2, 3], 3), np.tile([0, 5, 9], 3), [0, 1, 2, 0, 2, 4, 0, 3, 8], **k
        ),
    ),
    "RepeatsDisplay": (
        lambda d, b, **k: d.from_estimator(b.law, until="52W", **k),
        lambda d, b, **k: d.from_predictions([0, 10, 20], [0, 0.4, 0.7], [0, 0.5, 0.6], **k),
    ),
    "SpendDisplay": (
        lambda d, b, **k: d.from_estimator(
            cv.GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44), b.first, **k
        ),
        lambda d, b, **k: d.from_predictions([0, 10, 20], [0.06, 0.04], [0.05, 0.03], **k),
    ),
    "TimingDisplay": (
        lambda d, b, **k: d.from_estimator(b.law, b.log, **COLUMNS, as_of="1997-09-30", **k),
        lambda d, b, **k: d.from_predictions(
            ["a", "b", "a"], ["2024-01-03", "2024-01-05", "2024-02-01"], as_of="2024-03-01", **k
        ),
    ),
    "TraitDisplay": (
        lambda d, b, **k: d.from_estimator(b.law, trait="dropout", **k),
        lambda d, b, **k: d.from_predictions([0.0, 0.5, 1.0], [0.5, 1.5, 0.5], **k),
    ),
    "WhaleCurveDisplay": (
        lambda d, b, **k: d.from_estimator(Spend(), b.now, **k),
        lambda d, b, **k: d.from_predictions([10.0, 5.0, 0.0, -5.0], **k),
    ),
}
TREE = IndicatorTree({"profit": "orders * size * margin"}).with_leaves(
    pd.DataFrame({"year": [1, 2], "orders": [10, 12], "size": [5.0, 4.0], "margin": 0.5}),
    period="year",
)
MARKETS = pd.DataFrame({"big": [3.0, 9.0, 1.0], "room": [0.1, 0.5, 0.9]}, index=list("abc"))
RANKER = TargetMarketRanker(attractiveness={"big": 1}, resource_fit={"room": 1}).fit(MARKETS)
HALVES = SegmentMap(
    {"new customers": {"R": 5, "F": 1}, "champions": {"R": 5, "F": (2, 3)}, "lost": {"R": (1, 4)}},
    n_bins={"R": 5, "F": 3, "M": 5},
)
RATED = PerceivedValue(
    benefits=["taste", "speed"], sacrifices=["price"], scale=(1, 5), quality_weight=0.6, n_draws=20
).fit(
    pd.DataFrame(
        {
            "brand": ["us", "A", "B"] * 20,
            "taste": [5, 3, 2, 4, 4, 3] * 10,
            "speed": [2, 4, 4, 3, 5, 3] * 10,
            "price": [2, 3, 5, 3, 4, 4] * 10,
        }
    )
)


class Spend:
    """An estimator whose prediction is the spend so far."""

    def predict(self, X):
        return X["total_value"].to_numpy()


def moved():
    draw = np.random.default_rng(3)
    x, arm = draw.normal(size=(200, 1)), draw.integers(0, 2, 200)
    y = 5.0 + arm * x[:, 0] + draw.normal(size=200)
    return UpliftModel(LinearRegression()).fit(x, y, treatment=arm)


def texts(display):
    return [t.get_text() for t in display.figure_.findobj(Text) if t.get_text().strip()]


def test_every_display_is_tried_here():
    assert sorted(WAYS) == EVERY


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("way", [0, 1], ids=["estimator", "predictions"])
def test_a_display_draws_on_given_axes_and_on_its_own(base, name, way):
    display = getattr(plotting, name)
    alone = WAYS[name][way](display, base)
    assert alone.figure_ is alone.ax_.figure
    assert len(alone.table) > 0
    axes = Figure().subplots()
    given = WAYS[name][way](display, base, ax=axes)
    assert given.ax_ is axes
    assert given.figure_ is axes.figure
    pd.testing.assert_frame_equal(given.table, alone.table)
    assert alone.plot(axes) is alone


@pytest.fixture
def any_font(monkeypatch):
    """Whatever fonts this machine has, and whatever matplotlib remembers of them."""
    monkeypatch.setattr(_style, "chinese_font", lambda: "DejaVu Sans")


@pytest.mark.parametrize("name", EVERY)
def test_words_are_in_the_language_asked_for(base, name, any_font):
    display = getattr(plotting, name)
    english = " ".join(texts(WAYS[name][1](display, base)))
    chinese = " ".join(texts(WAYS[name][1](display, base, language="zh")))
    assert not re.search(r"[\u4e00-\u9fff]", english)
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    # names of the user's own ("a", "b"), units and dates stay; English words of ours do not
    left = re.findall(r"[A-Za-z]{4,}", re.sub(r"\d{4}|Jan|Feb|Mar|Apr|May|Jun|Jul", "", chinese))
    assert left == []


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("way", [0, 1], ids=["estimator", "predictions"])
def test_every_chinese_word_has_a_font_that_can_draw_it(base, name, way, monkeypatch):
    monkeypatch.setattr(_style, "chinese_font", lambda: "Font of China")
    monkeypatch.setattr(_style, "new_axes", lambda size: Figure(figsize=size).subplots())
    display = WAYS[name][way](getattr(plotting, name), base, language="zh")
    words = [
        t for t in display.figure_.findobj(Text) if re.search(r"[\u4e00-\u9fff]", t.get_text())
    ]
    assert words
    for item in words:
        assert item.get_fontfamily()[0] == "Font of China", item.get_text()


def test_dates_are_written_in_the_language_asked_for(base, any_font):
    made = {}
    for language in ("en", "zh"):
        display = WAYS["TimelineDisplay"][0](plotting.TimelineDisplay, base, language=language)
        _style.svg_text(display.figure_)  # draws, whatever letters there are
        made[language] = [t.get_text() for t in display.ax_.get_xticklabels()]
        assert "90 " in display.ax_.get_ylabel()
    assert "May" in made["en"]
    assert "05月" in made["zh"]


@pytest.mark.parametrize("name", EVERY)
def test_both_axes_say_what_they_show(base, name):
    display = WAYS[name][1](getattr(plotting, name), base)
    if display.ax_.axison:
        assert display.ax_.get_xlabel()
        assert display.ax_.get_ylabel() or [t.get_text() for t in display.ax_.get_yticklabels()]


@pytest.mark.parametrize("name", EVERY)
def test_an_unknown_language_is_refused(base, name):
    with pytest.raises(ValueError, match="'en' or 'zh'"):
        WAYS[name][1](getattr(plotting, name), base, language="fr")


def test_figures_show_the_numbers_of_their_table(base):
    curve = plotting.ConcentrationDisplay.from_predictions(base.now["total_value"])
    line = curve.ax_.lines[1]
    assert line.get_ydata() == pytest.approx(100 * curve.table["value_share"])
    bars = plotting.CalibrationDisplay.from_predictions(base.spent, base.first["total_value"])
    heights = [patch.get_height() for patch in bars.ax_.patches]
    assert heights == pytest.approx(bars.table["actual_mean"])
    tree = plotting.SegmentTreemapDisplay.from_predictions(["a"] * 6 + ["b"] * 3 + ["c"])
    areas = np.array([p.get_width() * p.get_height() for p in tree.ax_.patches])
    assert areas / areas.sum() == pytest.approx(tree.table["customer_share"])
    track = plotting.TrackingDisplay.from_predictions(
        DAYS, DAYS.astype(float), [np.nan] * len(DAYS)
    )
    assert track.ax_.lines[0].get_ydata() == pytest.approx(track.table["actual"])


def test_counts_of_a_law_add_up_and_are_those_of_its_simulation(base):
    truth = MBGNBD.from_params(r=0.6, alpha=6.0, a=0.8, b=2.5, unit="W")
    T = np.repeat([10.0, 30.0], 20_000)
    drawn = truth.sample_histories(len(T), T, random_state=0)
    table = plotting.CountDisplay.from_estimator(truth, drawn, max_count=4).table
    assert table["expected"].sum() == pytest.approx(len(T)) == table["actual"].sum()
    assert (np.abs(table["actual"] - table["expected"]) < 5 * np.sqrt(table["expected"])).all()


def test_a_holdout_has_a_group_a_count_and_even_groups_of_times():
    came, said = np.arange(12.0), np.full(12, 2.0)
    by_count = plotting.HoldoutDisplay.from_predictions(
        [0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 9], came, said, n_groups=4
    ).table
    assert by_count["n_customers"].tolist() == [3, 2, 1, 6]
    assert by_count["high"].tolist() == [0, 1, 2, 9]
    assert by_count["actual_mean"].tolist() == [1.0, 3.5, 5.0, 8.5]
    by_time = plotting.HoldoutDisplay.from_predictions(
        np.arange(12), came, said, by="T", n_groups=4
    ).table
    assert by_time["n_customers"].tolist() == [3, 3, 3, 3]


def test_a_trait_of_regular_buyers_is_that_of_orders_not_of_events():
    one, three = (
        plotting.TraitDisplay.from_estimator(
            MBGCNBD.from_params(k=k, r=2.0, alpha=6.0 / k, a=1.0, b=3.0)
        ).table
        for k in (1, 3)
    )
    pd.testing.assert_frame_equal(one, three)


def test_expected_repeats_and_iso_values_are_those_of_the_model(base):
    table = plotting.RepeatsDisplay.from_estimator(base.law, until="52W").table
    assert table["expected"].iloc[-1] == pytest.approx(base.law.new_customer("52W"))
    grid = plotting.IsoValueDisplay.from_estimator(
        base.law, T=39.0, annual_discount_rate=0.1, spend=20.0
    ).table
    row = grid[(grid["frequency"] == 3) & (grid["recency"] == 39.0)]
    asked = with_time_scale(row[["frequency", "recency"]].assign(T=39.0), "W")
    found = 20.0 * base.law.dert(asked, annual_discount_rate=0.1)
    np.testing.assert_allclose(row["value"], found)
    with pytest.raises(ValueError, match="one of the two"):
        plotting.IsoValueDisplay.from_estimator(base.law, T=39.0)


def test_thirty_customers_stand_in_the_order_of_their_chance_to_be_alive(base):
    display = plotting.TimingDisplay.from_estimator(
        base.law, base.log, **COLUMNS, as_of="1997-09-30"
    )
    table = display.table
    assert table["customer"].nunique() == 30
    alive = pd.Series(base.law.predict_alive(base.first), base.first["customer_id"])
    place = table.groupby("customer")["place"].first()
    assert (np.diff(alive[place.sort_values().index]) >= 0).all()


def test_a_cohort_picture_shows_the_public_table(base):
    from custvalue.value import cohort_table

    for as_of in ("1997-09-30", "1997-09-15"):
        display = plotting.CohortDisplay.from_log(base.log, **COLUMNS, as_of=as_of)
        found = cohort_table(base.log, **COLUMNS, as_of=as_of)
        pd.testing.assert_frame_equal(display.table, found.long())
        shown = display.ax_.images[0].get_array()
        want = 100 * found.table.fillna(found.unfinished).to_numpy()
        np.testing.assert_allclose(shown.filled(np.nan), want)
        dotted = [p for p in display.ax_.patches if p.get_linestyle() == ":"]
        assert len(dotted) == found.unfinished.notna().to_numpy().sum()
        assert len(dotted) == (3 if as_of == "1997-09-15" else 0)


@pytest.mark.parametrize("as_of", ["1997-09-30", "1997-09-15"])
def test_a_cohort_forecast_fills_the_months_to_come_and_keeps_the_others(base, as_of):
    from custvalue.value import cohort_table

    display = plotting.CohortDisplay.from_estimator(base.law, base.log, **COLUMNS, as_of=as_of)
    found = cohort_table(base.log, **COLUMNS, as_of=as_of, value="orders_each")
    table = display.table
    assert len(table) == found.table.size
    past = table[~table["forecast"]]
    now = found.long()
    np.testing.assert_allclose(past["value"], now.loc[now["finished"], "value"])
    # the youngest cohort, whose months to come all lie ahead: they add up to one forecast
    name = found.table.index[-1]
    ahead = table[(table["cohort"] == name) & table["forecast"]]
    people = cv.summarize(base.log, **COLUMNS, as_of=as_of, unit="W")
    own = people[people["first_order"].dt.strftime("%Y-%m") == name]
    end = np.datetime64(name, "M") + int(ahead["month"].max()) + 1
    days = (end.astype("datetime64[D]") - 1 - np.datetime64(as_of)).astype(int)
    so_far = np.nansum(found.unfinished.loc[name])
    expected = base.law.predict(own, horizon=f"{days}D").mean()
    assert ahead["value"].sum() == pytest.approx(so_far + expected)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("way", [0, 1], ids=["estimator", "predictions"])
def test_words_in_a_picture_can_be_read(base, name, way, check_words_can_be_read):
    display = WAYS[name][way](getattr(plotting, name), base)
    assert check_words_can_be_read(display.figure_) >= 3


@pytest.mark.parametrize("shade", np.linspace(0, 1, 21))
def test_numbers_in_cells_can_be_read_on_every_shade(shade):
    import matplotlib as mpl

    colour = mpl.colormaps[_style.SEQUENTIAL](shade)[:3]
    assert _style.contrast(_style.ink_on(colour), colour) >= 4.5


def test_colours_that_carry_meaning_stand_out_from_white():
    for colour in (_style.INK, _style.MUTED, _style.BLUE, _style.ORANGE, _style.GREEN):
        assert _style.contrast(colour, "white") >= 4.5
    assert _style.contrast(_style.BAR, "white") >= 3.0  # a shape, not a word
    assert _style.contrast("black", "white") == pytest.approx(21.0)


def test_a_brand_above_the_line_of_fair_value_is_marked_as_worse_value():
    display = plotting.ValueMapDisplay.from_predictions(
        ["us", "A", "B"], [1.2, 0.9, 1.0], [1.3, 0.8, 1.1], quality_weight=0.6
    )
    line, *points = display.ax_.get_lines()
    (x0, x1), (y0, y1) = line.get_data()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(0.6 / 0.4)
    assert np.interp(1.0, [x0, x1], [y0, y1]) == pytest.approx(1.0)  # even quality, even price
    at = {}
    for mark in points:
        for x, y in zip(*mark.get_data(), strict=True):
            at[(float(x), float(y))] = mark.get_marker()
    # fair are 1.3, 0.85 and 1: us on the line, A below it, B above
    assert at == {(1.2, 1.3): "o", (0.9, 0.8): "o", (1.0, 1.1): "s"}


def test_bars_of_the_value_map_say_which_brands_cannot_be_told_from_the_line():
    display = plotting.ValueMapDisplay.from_estimator(RATED)
    table = RATED.value_map_table()
    bars = display.ax_.collections[0].get_segments()
    for row, ((x0, low), (x1, high)) in zip(table.itertuples(), bars, strict=True):
        assert x0 == x1 == pytest.approx(row.relative_quality)
        assert low == pytest.approx(row.fair_relative_price - row.advantage_high)
        assert high == pytest.approx(row.fair_relative_price - row.advantage_low)
        crosses = low <= row.fair_relative_price <= high
        assert crosses == (row.advantage_low <= 0 <= row.advantage_high)


def test_what_matters_and_is_not_done_well_stands_out():
    importance, performance = [9.1, 8.4, 6.0, 5.2, 7.6], [6.2, 8.8, 8.9, 5.0, 7.4]
    display = plotting.ImportancePerformanceDisplay.from_predictions(importance, performance)
    across, up, urgent, others = display.ax_.get_lines()
    assert (across.get_xdata()[0], up.get_ydata()[0]) == (pytest.approx(7.26), pytest.approx(7.26))
    assert list(zip(*urgent.get_data(), strict=True)) == [(6.2, 9.1)]
    assert len(others.get_xdata()) == 4
    corners = {"concentrate here", "keep up", "low priority", "possible overkill"}
    assert corners <= set(texts(display))


def test_a_market_lies_at_its_scores_in_a_circle_of_its_size():
    display = plotting.MarketMatrixDisplay.from_estimator(RANKER, MARKETS, MARKETS["big"])
    ranked = RANKER.rank_table(MARKETS)
    dots = display.ax_.collections[0]
    np.testing.assert_allclose(dots.get_offsets(), ranked[["resource_fit", "attractiveness"]])
    area = dots.get_sizes() - 30
    assert area / area.sum() == pytest.approx(MARKETS["big"] / MARKETS["big"].sum())
    # the cell in which a circle lies says what the table says
    from custvalue.plotting._markets import _advice

    level = {"L": 0, "M": 1, "H": 2}
    for cell, advice in zip(ranked["cell"], ranked["advice"], strict=True):
        attractive, fit = (level[letter] for letter in cell.split("-"))
        assert _advice(fit, attractive) == advice
    with pytest.raises(ValueError, match=r"between 0 and 1; it does not of \['b'\]"):
        plotting.MarketMatrixDisplay.from_predictions(["a", "b"], [0.5, 1.5], [0.5, 0.5])
    with pytest.raises(ValueError, match="size must be finite"):
        plotting.MarketMatrixDisplay.from_predictions(["a"], [0.5], [0.5], [np.nan])


def test_boxes_too_small_for_their_name_are_named_below(base):
    names = ["champions"] * 900 + ["lost"] * 95 + ["at risk"] * 4 + ["promising"]
    display = plotting.SegmentTreemapDisplay.from_predictions(names, language="en")
    said = " ".join(texts(display))
    assert "Too small to name: at risk 4, promising 1" in said


def test_boxes_of_a_tree_map_fill_it_without_overlap(rng):
    from custvalue.plotting._segments import squarify

    sizes = np.sort(rng.gamma(0.5, 1.0, 30))[::-1]
    boxes = np.array(squarify(sizes, (0.0, 0.0, 1.6, 1.0)))
    assert (boxes[:, 2] * boxes[:, 3]) == pytest.approx(1.6 * sizes / sizes.sum())
    x, y = rng.uniform(0, 1.6, 500), rng.uniform(0, 1, 500)
    inside = (
        (x[:, None] >= boxes[:, 0])
        & (x[:, None] < boxes[:, 0] + boxes[:, 2])
        & (y[:, None] >= boxes[:, 1])
        & (y[:, None] < boxes[:, 1] + boxes[:, 3])
    )
    assert (inside.sum(axis=1) == 1).all()


def test_flows_of_a_class_add_up_on_both_sides():
    before, after = ["a", "a", "b", "b", "b"], ["a", "b", "b", "b", "a"]
    table = flow_table(before, after, [1, 2, 3, 4, 5])
    assert table.groupby("from")["customers"].sum().to_dict() == {"a": 2, "b": 3}
    assert table.groupby("from")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert table["value"].sum() == 15
    with pytest.raises(ValueError, match="before has 2 customers and after 1"):
        flow_table(["a", "b"], ["a"])


def test_a_forecast_goes_on_from_what_was_so_far():
    table = tracking_table(DAYS[:4], [1, 2, 3, np.nan], [np.nan, np.nan, 4, 5])
    assert table["cumulative_actual"].iloc[:3].tolist() == [1, 3, 6]
    assert table["cumulative_forecast"].iloc[2:].tolist() == [7, 12]


def test_forecasts_by_period_add_up_to_the_forecast_of_the_whole(base):
    days = np.array(["1997-09-30", "1997-10-28", "1997-11-25"], dtype="datetime64[D]")
    display = plotting.TrackingDisplay.from_estimator(
        base.law, base.first, days, [0.0] * 3, split="1997-09-30"
    )
    whole = base.law.predict(base.first, horizon="8W").sum()
    assert display.table["forecast"].sum() == pytest.approx(whole)


# every display that takes customers or their orders; the others take states, dates or cells
MILLION = {
    "CalibrationDisplay": lambda d, m, **k: d.from_predictions(m.value, m.value, **k),
    "CohortDisplay": lambda d, m, **k: d.from_log(m.log, **COLUMNS, as_of="2024-05-15", **k),
    "CohortDisplay, forecast": lambda d, m, **k: d.from_estimator(
        m.law, m.log, **COLUMNS, as_of="2024-05-15", **k
    ),
    "ConcentrationDisplay": lambda d, m, **k: d.from_predictions(m.value, **k),
    "FlowDisplay": lambda d, m, **k: d.from_predictions(m.names, m.names[::-1], **k),
    "GapCurveDisplay": lambda d, m, **k: d.from_predictions(m.value, m.returned, **k),
    "RFMHeatmapDisplay": lambda d, m, **k: d.from_predictions(m.scores, m.value, **k),
    "SegmentTreemapDisplay": lambda d, m, **k: d.from_predictions(m.names, m.value, **k),
    "TrackingDisplay": lambda d, m, **k: d.from_estimator(
        m.law, m.customers, DAYS, DAYS.astype(float), split="1998-05-01", **k
    ),
    "WhaleCurveDisplay": lambda d, m, **k: d.from_predictions(m.value - 20.0, **k),
}


@pytest.fixture(scope="module")
def million(base):
    n, draw = 1_000_000, np.random.default_rng(20261121)
    frequency = draw.poisson(1.5, n).astype(float)
    T = draw.uniform(7.0, 70.0, n)
    customers = pd.DataFrame({"frequency": frequency, "recency": 0.5 * T, "T": T})
    customers.loc[frequency == 0, "recency"] = 0.0
    log = pd.DataFrame(
        {
            "customer_id": draw.integers(0, n // 2, n),
            "date": np.datetime64("2024-01-01", "s") + draw.integers(0, 130, n) * DAY,
            "amount": draw.gamma(2.0, 10.0, n),
        }
    )
    return SimpleNamespace(
        log=log,
        customers=customers,
        law=base.law,
        value=draw.gamma(0.5, 100.0, n),
        returned=draw.random(n) < 0.3,
        scores=draw.integers(1, 6, (n, 3)),
        names=draw.choice(np.array(["champions", "loyal customers", "lost"], dtype=object), n),
    )


@pytest.mark.parametrize("name", MILLION)
def test_a_million_customers_draw_in_bounded_memory(million, name):
    figure = Figure()
    tracemalloc.start()
    try:
        display = getattr(plotting, name.partition(",")[0])
        MILLION[name](display, million, ax=figure.subplots())
        text = _style.svg_text(figure)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 40 * million.value.nbytes
    assert len(text) < 100_000


def test_a_missing_chinese_font_is_said_and_the_svg_keeps_its_letters(monkeypatch):
    from custvalue.exceptions import FontWarning

    monkeypatch.setattr(_style, "chinese_font", lambda: None)
    axes = Figure().subplots()
    with pytest.warns(FontWarning, match="fonts-noto-cjk"):
        display = plotting.ConcentrationDisplay.from_predictions([1.0, 2.0], language="zh", ax=axes)
    text = _style.svg_text(display.figure_)
    assert "价值占比" in text
    assert "Noto Sans CJK SC" in text


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("text", ["$$", r"$\frac{a}{b}$", "US$ 5 $"])
def test_what_a_user_writes_is_drawn_as_written(base, name, text):
    display = WAYS[name][1](getattr(plotting, name), base, ax=Figure().subplots())
    drawn = [t for t in display.figure_.findobj(Text) if t.get_text().strip()]
    for item in drawn:
        item.set_text(text)  # as a label of a state, a segment or a currency would stand there
    assert text in _style.svg_text(display.figure_)


def test_states_segments_and_currencies_are_no_formulas():
    states = ["$$", r"$\frac{a}{b}$", "$^$"]
    made = [
        plotting.StateValueDisplay.from_predictions(
            states, [1.0, 2.0, 3.0], [0.5, 1.5, 2.5], [1.5, 2.5, 3.5], unit="$$",
            ax=Figure().subplots(),
        ),
        plotting.SegmentTreemapDisplay.from_predictions(
            np.repeat(states, 9), np.ones(27), ax=Figure().subplots()
        ),
        plotting.FlowDisplay.from_predictions(states, states, ax=Figure().subplots()),
    ]  # fmt: skip
    for display in made:
        text = _style.svg_text(display.figure_)
        for state in states:
            assert state in text


@pytest.mark.parametrize("name", ['x" onload="alert(1)', "", "1", "a b", "a>b", "é"])
def test_a_name_of_an_svg_cannot_become_markup(name):
    with pytest.raises(ValueError, match="name="):
        _style.svg_text(Figure(), name=name)


def test_no_figure_stays_open_that_nobody_holds_or_sees():
    import matplotlib.pyplot as plt

    plt.close("all")
    for _ in range(5):
        plotting.ConcentrationDisplay.from_predictions([1.0, 2.0])
    assert len(plt.get_fignums()) == 1  # the last one may still be saved by way of pyplot
    held = [plotting.ConcentrationDisplay.from_predictions([1.0, 2.0]) for _ in range(3)]
    assert {display.figure_ for display in held} <= set(map(plt.figure, plt.get_fignums()))
    figure = plotting.ConcentrationDisplay.from_predictions([1.0, 2.0]).figure_
    plotting.ConcentrationDisplay.from_predictions([1.0, 2.0])
    assert figure not in map(plt.figure, plt.get_fignums())
    assert "<svg" in _style.svg_text(figure)


def test_a_title_of_the_user_stays_a_formula():
    axes = Figure().subplots()
    axes.set_title("$R^2$")
    plotting.ConcentrationDisplay.from_predictions([1.0, 2.0], ax=axes)
    assert axes.title.get_parse_math()


def test_pictures_leave_the_style_of_others_alone(base):
    import matplotlib as mpl

    before, filters = dict(mpl.rcParams), list(warnings.filters)
    display = plotting.ConcentrationDisplay.from_predictions([1.0, 2.0], ax=Figure().subplots())
    _style.svg_text(display.figure_)
    assert dict(mpl.rcParams) == before
    assert warnings.filters == filters


def test_a_setting_changed_by_another_thread_meanwhile_stays_changed(monkeypatch):
    import matplotlib as mpl

    monkeypatch.setitem(mpl.rcParams, "lines.linewidth", 1.0)
    with _style._settings({"svg.fonttype": "none"}):
        mpl.rcParams["lines.linewidth"] = 7.0
    assert mpl.rcParams["lines.linewidth"] == 7.0
    assert mpl.rcParams["svg.fonttype"] == mpl.rcParamsDefault["svg.fonttype"]


def test_the_filters_of_warnings_are_touched_only_where_a_letter_has_no_font(monkeypatch):
    known, unknown = Figure(), Figure()
    known.text(0.5, 0.5, "five €")
    unknown.text(0.5, 0.5, "\U0001f9ff")
    assert not _style._letters_missing(known)
    assert _style._letters_missing(unknown)
    assert "\U0001f9ff" in _style.svg_text(unknown)


def test_svg_is_the_same_on_every_run(base):
    first, second = (
        _style.svg_text(
            plotting.FlowDisplay.from_predictions(["a"], ["b"], ax=Figure().subplots()).figure_
        )
        for _ in range(2)
    )
    assert first == second
    assert "DejaVu" in first
    assert not re.search(r"\d{4}-\d\d-\d\dT", first)


def test_colours_can_be_told_apart_without_colour():
    # luminance alone (a printed page) separates neighbours of the sequential map
    import matplotlib as mpl
    import matplotlib.colors as colors

    shades = mpl.colormaps[_style.SEQUENTIAL](np.linspace(0.15, 0.9, 6))[:, :3]
    light = shades @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) < -0.05).all()
    assert len({colors.to_hex(c) for c in _style.CYCLE}) == len(_style.CYCLE)


def test_displays_say_what_they_are():
    display = plotting.ConcentrationDisplay.from_predictions([1.0, 2.0])
    assert repr(display) == "ConcentrationDisplay(101 rows, language='en')"
    for name in EVERY:
        made = inspect.signature(getattr(plotting, name).from_predictions).parameters
        assert {"language", "ax"} <= set(made)


def test_steps_of_a_waterfall_lead_from_the_start_to_the_end(any_font):
    display = plotting.ContributionDisplay.from_estimator(TREE, "profit", 1, 2, language="zh")
    bars = display.ax_.patches
    assert bars[0].get_width() == 25.0
    assert bars[-1].get_width() == pytest.approx(24.0)
    steps = [bar.get_width() for bar in bars[1:-1]]
    assert steps == pytest.approx(display.table["contribution"].abs().tolist())
    names = [t.get_text() for t in display.ax_.get_yticklabels()]
    assert names == ["期初", "每期订单数", "size", "毛利率", "期末"]


def test_a_qini_curve_is_drawn_of_its_table_with_its_random_line():
    model = moved()
    display = plotting.UpliftDisplay.from_estimator(model, unit="USD")
    table = model.qini_table()
    pd.testing.assert_frame_equal(display.table, table)
    curve, chance = display.ax_.lines
    assert curve.get_ydata() == pytest.approx(table["gain"])
    assert chance.get_ydata() == pytest.approx(table["random"])
    ends = display.ax_.collections[0].get_paths()[0].vertices[:, 1]
    assert ends.max() == pytest.approx(table["upper"].max())
    assert ends.min() == pytest.approx(table["lower"].min())
    assert "USD" in display.ax_.get_ylabel()
