"""What was collected -> the page's pictures, each an SVG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from custvalue._warn import heard
from custvalue._words import Language
from custvalue.exceptions import FontWarning
from custvalue.plotting import (
    CalibrationDisplay,
    ConcentrationDisplay,
    FlowDisplay,
    SegmentTreemapDisplay,
    StateValueDisplay,
    TrackingDisplay,
    TransitionDisplay,
    svg_text,
)
from custvalue.report._advice import TODO
from custvalue.report._campaign import WINDOW
from custvalue.report._collect import GRADES, Collected
from custvalue.report._facts import NORMAL_80, STAGES
from custvalue.report._words import Words

SIZE = (5.2, 3.5)


def pictures(got: Collected, words: Words) -> dict[str, str]:
    """SVG text of every picture, by name.

    Parameters
    ----------
    got : Collected
    words : Words
        Language and currency.
    """
    table, language = got.customers, words.language
    money = words.currency or "money"
    per_period = words("spend per period ({currency})", currency=words.name(money))
    # segments that are empty today were not always
    order = sorted(_names(got.moves), key=lambda s: [*TODO, s].index(s))
    drawn = {
        "concentration": draw(
            "concentration",
            words("Concentration of spend"),
            lambda ax: ConcentrationDisplay.from_predictions(
                table["total_value"], language=language, ax=ax
            ),
        ),
        "spend": draw(
            "spend",
            words("Spend by period and forecast"),
            lambda ax: TrackingDisplay(got.upcoming, what=per_period, language=language).plot(ax),
        ),
        "segments": draw(
            "segments",
            words("Segments by size and spend"),
            lambda ax: SegmentTreemapDisplay.from_predictions(
                table["segment"], table["total_value"], language=language, ax=ax
            ),
        ),
        "segment_value": draw(
            "segment_value",
            words("Future value by segment"),
            lambda ax: _segment_value(got, money, language, ax),
        ),
        "silence": draw(
            "silence", words("Customers by silence"), lambda ax: _silence(got, words, ax)
        ),
        "silence_value": draw(
            "silence_value",
            words("Spend by grade of silence"),
            lambda ax: _grade_value(got, words, ax),
        ),
        "stages": draw(
            "stages",
            words("Stages then and now"),
            lambda ax: FlowDisplay(
                got.flow,
                order=[*(s for s in STAGES if s in _names(got.flow)), "not yet a customer"],
                dates=(got.flow_date, got.as_of),
                language=language,
            ).plot(ax),
            size=(5.8, 4.4),
        ),
    }
    if len(got.moves):
        drawn["moves"] = draw(
            "moves",
            words("Moves between segments"),
            lambda ax: TransitionDisplay(got.moves, order=order, language=language).plot(ax),
            size=(5.8, 4.8),
        )
    if len(got.groups):
        drawn["calibration"] = draw(
            "calibration",
            words("Forecast against outcome by group"),
            lambda ax: CalibrationDisplay(
                got.groups,
                what=words("spend per customer ({currency})", currency=words.name(money)),
                language=language,
            ).plot(ax),
        )
    return drawn


def draw(
    name: str, title: str, make: Callable[[Any], Any], *, size: tuple[float, float] = SIZE
) -> str:
    """Draw on a figure of its own, so that nothing global is touched, and return its SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    with heard(FontWarning):  # the page leaves the letters to the reader's browser
        make(figure.subplots())
    return svg_text(figure, name=name, title=title)


def _names(moves: Any) -> set[str]:
    return {*moves["from"], *moves["to"]}


def _segment_value(got: Collected, money: str, language: Language, ax: Any) -> None:
    grouped = got.customers.groupby("segment")["future_value"]
    mean = grouped.mean()
    error: Any = NORMAL_80 * grouped.std().fillna(0.0) / np.sqrt(grouped.size())
    StateValueDisplay.from_predictions(
        mean.index, mean, mean - error, mean + error, unit=money, language=language, ax=ax
    )


def _silence(got: Collected, words: Words, ax: Any) -> None:
    from custvalue.plotting._for_rooms import (
        BAR,
        BLUE,
        ORANGE,
        plain_numbers,
        quiet_axes,
        set_letters,
    )

    days = got.customers["silence_days"].to_numpy(dtype=float)
    chance = got.customers[f"chance_of_order_{WINDOW}d"].to_numpy(dtype=float)
    edges = np.linspace(0.0, max(days.max(), 1.0), 25)
    place = np.clip(np.digitize(days, edges) - 1, 0, len(edges) - 2)
    counts = np.bincount(place, minlength=len(edges) - 1)
    total = np.bincount(place, chance, minlength=len(edges) - 1)
    mean = np.divide(total, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    middle = (edges[:-1] + edges[1:]) / 2
    ax.bar(middle, counts, width=0.9 * np.diff(edges), color=BAR)
    ax.set_xlabel(words("days since the last order"))
    ax.set_ylabel(words("customers"))
    ax.locator_params(axis="y", integer=True)  # there is no half a customer
    plain_numbers(ax.xaxis)
    plain_numbers(ax.yaxis)
    quiet_axes(ax)
    ax.yaxis.label.set_color(BLUE)
    right = ax.twinx()
    right.plot(middle, 100 * mean, color=ORANGE, marker="o", markersize=3)
    right.set_ylim(0, None)
    right.set_ylabel(words("chance of an order in {days} days (%)", days=WINDOW), color=ORANGE)
    for side in right.spines.values():
        side.set_visible(False)
    right.tick_params(colors=ORANGE, length=0)
    set_letters(ax, words.language)
    set_letters(right, words.language)


def _grade_value(got: Collected, words: Words, ax: Any) -> None:
    from custvalue.plotting._for_rooms import BLUE, INK, plain_numbers, quiet_axes, set_letters

    spend = got.customers.groupby("silence_grade")["total_value"].sum()
    grades = [grade for grade in GRADES if grade in spend.index]
    y = np.arange(len(grades))[::-1]
    ax.barh(y, spend[grades], height=0.6, color=BLUE)
    for at, grade in zip(y, grades, strict=True):
        ax.annotate(
            words.money(float(spend[grade])),
            (spend[grade], at),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    ax.set_yticks(y, [words.name(grade) for grade in grades])
    ax.set_xlim(0, 1.35 * float(spend.max()))
    ax.locator_params(axis="x", nbins=5)
    plain_numbers(ax.xaxis)
    ax.set_xlabel(
        words("spend so far ({currency})", currency=words.name(words.currency or "money"))
    )
    quiet_axes(ax, grid="x")
    set_letters(ax, words.language)
