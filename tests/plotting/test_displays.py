"""Every picture: from an estimator and from numbers, on any axes, in both languages."""

from __future__ import annotations

import inspect
import re
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from custvalue import plotting
from custvalue.plotting import _style
from custvalue.segment import SegmentMap

DAYS = np.arange("1998-01-01", "1998-07-01", 30, dtype="datetime64[D]")
EVERY = sorted(n for n in plotting.__all__ if n.endswith("Display"))

# name -> (from an estimator, from numbers)
WAYS = {
    "CalibrationDisplay": (
        lambda d, b, **k: d.from_estimator(Spend(), b.first, b.spent, **k),
        lambda d, b, **k: d.from_predictions(b.spent, b.first["total_value"], **k),
    ),
    "CohortDisplay": (
        lambda d, b, **k: d.from_estimator(b.panel_law, b.history, width=2, **k),
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
    "GapCurveDisplay": (
        lambda d, b, **k: d.from_estimator(b.scorer, b.first, b.returned, **k),
        lambda d, b, **k: d.from_predictions([0.1, 0.4, 1.5, 2.0], [1, 1, 0, 0], **k),
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
    "WhaleCurveDisplay": (
        lambda d, b, **k: d.from_estimator(Spend(), b.now, **k),
        lambda d, b, **k: d.from_predictions([10.0, 5.0, 0.0, -5.0], **k),
    ),
}
HALVES = SegmentMap(
    {"new customers": {"R": 5, "F": 1}, "champions": {"R": 5, "F": (2, 3)}, "lost": {"R": (1, 4)}},
    n_bins={"R": 5, "F": 3, "M": 5},
)


class Spend:
    """An estimator whose prediction is the spend so far."""

    def predict(self, X):
        return X["total_value"].to_numpy()


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


@pytest.mark.parametrize("name", EVERY)
def test_words_are_in_the_language_asked_for(base, name):
    display = getattr(plotting, name)
    english = " ".join(texts(WAYS[name][1](display, base)))
    chinese = " ".join(texts(WAYS[name][1](display, base, labels="zh")))
    assert not re.search(r"[\u4e00-\u9fff]", english)
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    # names of the user's own ("a", "b"), units and dates stay; English words of ours do not
    left = re.findall(r"[A-Za-z]{4,}", re.sub(r"\d{4}|Jan|Feb|Mar|Apr|May|Jun|Jul", "", chinese))
    assert left == []


@pytest.mark.parametrize("name", EVERY)
def test_both_axes_say_what_they_show(base, name):
    display = WAYS[name][1](getattr(plotting, name), base)
    if display.ax_.axison:
        assert display.ax_.get_xlabel()
        assert display.ax_.get_ylabel() or [t.get_text() for t in display.ax_.get_yticklabels()]


@pytest.mark.parametrize("name", EVERY)
def test_an_unknown_language_is_refused(base, name):
    with pytest.raises(ValueError, match="'en' or 'zh'"):
        WAYS[name][1](getattr(plotting, name), base, labels="fr")


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
    table = plotting.flow_table(before, after, [1, 2, 3, 4, 5])
    assert table.groupby("from")["customers"].sum().to_dict() == {"a": 2, "b": 3}
    assert table.groupby("from")["share"].sum().to_numpy() == pytest.approx(1.0)
    assert table["value"].sum() == 15
    with pytest.raises(ValueError, match="before has 2 customers and after 1"):
        plotting.flow_table(["a", "b"], ["a"])


def test_a_forecast_goes_on_from_what_was_so_far():
    table = plotting.tracking_table(DAYS[:4], [1, 2, 3, np.nan], [np.nan, np.nan, 4, 5])
    assert table["cumulative_actual"].iloc[:3].tolist() == [1, 3, 6]
    assert table["cumulative_forecast"].iloc[2:].tolist() == [7, 12]


def test_forecasts_by_period_add_up_to_the_forecast_of_the_whole(base):
    days = np.array(["1997-09-30", "1997-10-28", "1997-11-25"], dtype="datetime64[D]")
    display = plotting.TrackingDisplay.from_estimator(
        base.law, base.first, days, [0.0] * 3, split="1997-09-30"
    )
    whole = base.law.predict(base.first, horizon="8W").sum()
    assert display.table["forecast"].sum() == pytest.approx(whole)


# every display that takes a value a customer; the others take one a state, a date or a cell
MILLION = {
    "CalibrationDisplay": lambda d, m, **k: d.from_predictions(m.value, m.value, **k),
    "ConcentrationDisplay": lambda d, m, **k: d.from_predictions(m.value, **k),
    "FlowDisplay": lambda d, m, **k: d.from_predictions(m.names, m.names[::-1], **k),
    "GapCurveDisplay": lambda d, m, **k: d.from_predictions(m.value, m.returned, **k),
    "RFMHeatmapDisplay": lambda d, m, **k: d.from_predictions(m.scores, m.value, **k),
    "SegmentTreemapDisplay": lambda d, m, **k: d.from_predictions(m.names, m.value, **k),
    "WhaleCurveDisplay": lambda d, m, **k: d.from_predictions(m.value - 20.0, **k),
}


@pytest.fixture(scope="module")
def million():
    n, draw = 1_000_000, np.random.default_rng(20261121)
    return SimpleNamespace(
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
        MILLION[name](getattr(plotting, name), million, ax=figure.subplots())
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
        display = plotting.ConcentrationDisplay.from_predictions([1.0, 2.0], labels="zh", ax=axes)
    text = _style.svg_text(display.figure_)
    assert "价值占比" in text
    assert "Noto Sans CJK SC" in text


def test_pictures_leave_the_style_of_others_alone(base):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    display = plotting.ConcentrationDisplay.from_predictions([1.0, 2.0], ax=Figure().subplots())
    _style.svg_text(display.figure_)
    assert dict(mpl.rcParams) == before


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
    assert repr(display) == "ConcentrationDisplay(101 rows, labels='en')"
    for name in EVERY:
        made = inspect.signature(getattr(plotting, name).from_predictions).parameters
        assert {"labels", "ax"} <= set(made)
