"""What customers think: the value map with its fair-value line, importance and performance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from custvalue._words import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display
from custvalue.survey import importance_performance


class ValueMapDisplay(Display):
    """Brands by relative quality and relative price, with the line of fair value (Gale 1994).

    Right of and below the line a brand gives more than fair value. A bar shows the interval of its
    distance to the line: where the bar crosses the line, the two cannot be told apart.

    Parameters
    ----------
    table : DataFrame
        ``brand``, ``relative_quality``, ``relative_price``, ``fair_relative_price`` and, where
        known, ``advantage_low``, ``advantage_high``; as `custvalue.survey.PerceivedValue` makes it.
    quality_weight : float
        Weight of benefits against sacrifices: how steep the line is.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import ValueMapDisplay
    >>> display = ValueMapDisplay.from_predictions(["us", "A"], [1.2, 0.9], [1.3, 0.8])
    >>> display.table["fair_relative_price"].round(2).tolist()
    [1.2, 0.9]
    """

    _size = (6.4, 4.8)

    def __init__(self, table: Any, *, quality_weight: float, language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.quality_weight = quality_weight

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, wave: Any = None, language: Language = "en", ax: Any = None
    ) -> Self:
        """From a fitted ``PerceivedValue``: the map of one wave, the last where none is named."""
        table = estimator.value_map_table(language="en")
        if "wave" in table:
            waves = estimator.value_map_.waves
            table = table[table["wave"] == waves[estimator.value_map_.wave_of(wave)]]
        made = cls(
            table.reset_index(drop=True),
            quality_weight=estimator.quality_weight_,
            language=language,
        )
        return made.plot(ax)

    @classmethod
    def from_predictions(
        cls,
        brand: Sequence[str],
        relative_quality: Any,
        relative_price: Any,
        *,
        quality_weight: float = 0.5,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From brands, their relative quality and relative price."""
        import pandas as pd

        quality = np.asarray(relative_quality, dtype=float)
        table = pd.DataFrame(
            {
                "brand": list(brand),
                "relative_quality": quality,
                "relative_price": np.asarray(relative_price, dtype=float),
                "fair_relative_price": 1 + _slope(quality_weight) * (quality - 1),
            }
        )
        return cls(table, quality_weight=quality_weight, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table
        x = table["relative_quality"].to_numpy(dtype=float)
        y = table["relative_price"].to_numpy(dtype=float)
        if {"advantage_low", "advantage_high"} <= set(table.columns):
            fair = table["fair_relative_price"].to_numpy(dtype=float)
            reach = fair - table[["advantage_high", "advantage_low"]].to_numpy(dtype=float).T
            ax.vlines(x, *reach, color=_style.BAR, linewidth=1.5, zorder=1)
        line = np.array(_ends(x, 0.2))
        heights = 1 + _slope(self.quality_weight) * (line - 1)
        ax.plot(line, heights, color=_style.INK, linewidth=1.2, label=self._word("fair value"))
        # on the line is not below fair value, whatever the rounding
        better = y <= 1 + _slope(self.quality_weight) * (x - 1) + 1e-9
        for mask, colour, mark, said in (
            (better, _style.BLUE, "o", "more than fair value"),
            (~better, _style.ORANGE, "s", "less than fair value"),
        ):
            if mask.any():
                ax.plot(x[mask], y[mask], mark, color=colour, markersize=7, label=self._word(said))
        # the points and where the line passes them; long bars run out of the picture
        passing = 1 + _slope(self.quality_weight) * (x - 1)
        ax.set(xlim=tuple(line), ylim=_ends(np.concatenate([y, np.clip(passing, 0, 2)]), 0.15))
        _name_points(ax, x, y, list(table["brand"]))
        ax.set_xlabel(self._word("relative quality"))
        ax.set_ylabel(self._word("relative price"))
        ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=3)
        _style.quiet_axes(ax, grid="both")


class ImportancePerformanceDisplay(Display):
    """Items by how well they are done and how much they matter (Martilla & James 1977).

    Parameters
    ----------
    table : DataFrame
        ``item``, ``importance``, ``performance``, ``quadrant``.
    cross : pair of float
        Where the quadrants meet, importance first.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import ImportancePerformanceDisplay
    >>> display = ImportancePerformanceDisplay.from_predictions([9, 5], [4, 8], items=["a", "b"])
    >>> display.table["quadrant"].tolist()
    ['concentrate here', 'possible overkill']
    """

    _size = (6.4, 4.8)

    def __init__(self, table: Any, *, cross: Sequence[float], language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.cross = tuple(cross)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        focal: str,
        *,
        wave: Any = None,
        cross: str | Sequence[float] = "mean",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``PerceivedValue``: weights in the value against one brand's answers."""
        weight = estimator.weight_table(language="en")
        learned = estimator.value_map_
        means = learned.means[learned.wave_of(wave), learned.place_of(focal, "focal")]
        return cls.from_predictions(
            weight["importance"], means, cross, items=weight["attribute"], language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        importance: Any,
        performance: Any,
        cross: str | Sequence[float] = "mean",
        *,
        scale: Sequence[float] | None = None,
        items: Sequence[str] | None = None,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From one number an item, as `custvalue.survey.importance_performance` takes them."""
        found = importance_performance(importance, performance, cross, scale=scale, items=items)
        return cls(found.table(), cross=found.cross, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table
        x = table["performance"].to_numpy(dtype=float)
        y = table["importance"].to_numpy(dtype=float)
        # room for the quadrants' names in the corners
        ax.set(xlim=_ends([*x, self.cross[1]], 0.2), ylim=_ends([*y, self.cross[0]], 0.2))
        ax.axvline(self.cross[1], color=_style.MUTED, linewidth=1)
        ax.axhline(self.cross[0], color=_style.MUTED, linewidth=1)
        for name, across, up in (
            ("concentrate here", "left", "top"),
            ("keep up", "right", "top"),
            ("low priority", "left", "bottom"),
            ("possible overkill", "right", "bottom"),
        ):
            place = (0.01 if across == "left" else 0.99, 0.99 if up == "top" else 0.01)
            ax.text(
                *place,
                self._word(name),
                transform=ax.transAxes,
                ha=across,
                va=up,
                color=_style.MUTED,
                fontweight="bold",
            )
        urgent = (table["quadrant"] == "concentrate here").to_numpy()
        for mask, colour, mark in ((urgent, _style.ORANGE, "s"), (~urgent, _style.BLUE, "o")):
            ax.plot(x[mask], y[mask], mark, color=colour, markersize=7)
        _name_points(ax, x, y, list(table["item"]))
        ax.set_xlabel(self._word("performance"))
        ax.set_ylabel(self._word("importance"))
        _style.quiet_axes(ax, grid=None)


def _slope(quality_weight: float) -> float:
    """Slope of the fair-value line."""
    return quality_weight / (1.0 - quality_weight)


def _ends(values: Any, share: float) -> tuple[float, float]:
    """Return the ends of an axis that leaves room on both sides of the values."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = share * (high - low) or 0.1 * max(abs(high), 1.0)
    return low - room, high + room


def _name_points(ax: Any, x: Any, y: Any, names: Sequence[str]) -> None:
    """Write each name beside its point, on the side where it covers least of the others."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    across, up = (x - left) / (right - left), (y - low) / (high - low)
    taken = [(a - 0.012, a + 0.012, b - 0.018, b + 0.018) for a, b in zip(across, up, strict=True)]
    for i, name in enumerate(str(name) for name in names):
        wide = 0.014 * sum(1 if ch.isascii() else 2 for ch in name)  # of the axes, as drawn
        boxes = {}
        for h, v in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            middle = across[i] + h * (wide / 2 + 0.02), up[i] + v * 0.05
            box = middle[0] - wide / 2, middle[0] + wide / 2, middle[1] - 0.026, middle[1] + 0.026
            outside = max(-box[0], box[1] - 1, -box[2], box[3] - 1, 0.0)
            covered = sum(_common(box, other) for other in taken)
            away = np.hypot(
                np.maximum(np.maximum(box[0] - across, across - box[1]), 0),
                np.maximum(np.maximum(box[2] - up, up - box[3]), 0),
            )
            strange = (np.delete(away, i) < away[i] + 0.01).sum()  # nearer to another's point
            boxes[(h, v)] = (10 * covered + outside + 0.004 * strange, box)
        (h, v), (_, box) = min(boxes.items(), key=lambda item: item[1][0])
        taken.append(box)
        ax.annotate(
            name,
            (x[i], y[i]),
            xytext=(8 * h, 12 * v),
            textcoords="offset points",
            ha={1: "left", 0: "center", -1: "right"}[h],
            va="center",
            color=_style.INK,
            # a name stays readable where it must cross a line
            bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75},
        )


def _common(one: Sequence[float], other: Sequence[float]) -> float:
    """Area that two boxes (left, right, low, high) share."""
    across = min(one[1], other[1]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[2], other[2])
    return max(across, 0.0) * max(up, 0.0)
