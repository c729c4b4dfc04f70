"""Segments by size and worth: a tree map, and the R x F heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from custvalue._frames import is_frame
from custvalue._words import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display
from custvalue.rfm import SegmentMap

if TYPE_CHECKING:
    import pandas as pd

Rect = tuple[float, float, float, float]
SMALLEST = 7.0  # points


def segment_table(segments: Any, value: Any = None) -> pd.DataFrame:
    """Size and worth of each segment, the largest first.

    Parameters
    ----------
    segments : array-like of str, shape (n_customers,)
        Segment of each customer.
    value : array-like of shape (n_customers,), optional
        Money of each customer.

    Returns
    -------
    DataFrame
        ``segment``, ``customers``, ``customer_share`` and, with ``value``, ``value``,
        ``value_share``, ``mean_value``.

    Examples
    --------
    >>> segment_table(["new", "loyal", "new"], [10.0, 80.0, 10.0])
      segment  customers  customer_share  value  value_share  mean_value
    0     new          2        0.666667   20.0          0.2        10.0
    1   loyal          1        0.333333   80.0          0.8        80.0
    """
    import pandas as pd

    names, codes, counts = np.unique(
        np.asarray(segments).astype(str), return_inverse=True, return_counts=True
    )
    columns: dict[str, Any] = {
        "segment": names,
        "customers": counts,
        "customer_share": counts / max(counts.sum(), 1),
    }
    if value is not None:
        money = np.bincount(codes, np.asarray(value, dtype=float), minlength=len(names))
        total = money.sum()
        columns["value"] = money
        columns["value_share"] = money / total if total else np.zeros(len(names))
        columns["mean_value"] = money / counts
    table = pd.DataFrame(columns)
    return table.sort_values("customers", ascending=False, kind="stable", ignore_index=True)


def rfm_table(scores: Any, value: Any = None) -> pd.DataFrame:
    """Count the customers of each R x F cell, with their mean M score or mean value.

    Parameters
    ----------
    scores : frame with columns R, F, M, or array of shape (n_customers, 3)
    value : array-like of shape (n_customers,), optional
        Money of each customer.

    Returns
    -------
    DataFrame
        ``R``, ``F``, ``customers``, ``customer_share``, ``mean_M`` and, with ``value``,
        ``mean_value``; only cells with customers.

    Examples
    --------
    >>> import numpy as np
    >>> rfm_table(np.array([[5, 1, 2], [5, 1, 4], [1, 1, 1]]))
       R  F  customers  customer_share  mean_M
    0  1  1          1        0.333333     1.0
    1  5  1          2        0.666667     3.0
    """
    import pandas as pd

    grid = _three_scores(scores)
    frame = pd.DataFrame({"R": grid[:, 0].astype(int), "F": grid[:, 1].astype(int)})
    frame["mean_M"] = grid[:, 2]
    if value is not None:
        frame["mean_value"] = np.asarray(value, dtype=float)
    grouped = frame.groupby(["R", "F"], sort=True)
    table = grouped.size().rename("customers").reset_index()
    table["customer_share"] = table["customers"] / len(frame)
    for name in frame.columns[2:]:
        table[name] = grouped[name].mean().to_numpy()
    return table


def _three_scores(scores: Any) -> npt.NDArray[np.float64]:
    if is_frame(scores):
        return np.column_stack([np.asarray(scores[name], dtype=float) for name in "RFM"])
    return np.asarray(scores, dtype=float)


class SegmentTreemapDisplay(Display):
    """Tree map of segments: area is customers, colour is worth per customer.

    Parameters
    ----------
    table : DataFrame
        What `segment_table` returns.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import SegmentTreemapDisplay
    >>> display = SegmentTreemapDisplay.from_predictions(["new"] * 6 + ["loyal"] * 3, range(9))
    >>> display.table["segment"].tolist()
    ['new', 'loyal']
    """

    _size = (6.4, 3.6)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        value: Any = None,
        *,
        segments: Any = None,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``RFMTransformer``: the segment that each row's scores fall in.

        ``segments`` is a `custvalue.rfm.SegmentMap`; default: the ready one for 5 scores.
        """
        cells = SegmentMap.ready(5) if segments is None else segments
        names = cells.assign(estimator.transform(X))
        return cls.from_predictions(names, value, language=language, ax=ax)

    @classmethod
    def from_predictions(
        cls, segments: Any, value: Any = None, *, language: Language = "en", ax: Any = None
    ) -> Self:
        """From the segment of each customer."""
        return cls(segment_table(segments, value), language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        import matplotlib as mpl
        from matplotlib.patches import Rectangle

        table = self.table
        shown = "mean_value" if "mean_value" in table else "customer_share"
        worth = table[shown].to_numpy(dtype=float)
        rank = worth.argsort().argsort() / max(len(worth) - 1, 1)
        colour: Any = mpl.colormaps[_style.SEQUENTIAL](0.15 + 0.75 * rank)
        boxes = squarify(table["customers"].to_numpy(dtype=float), (0.0, 0.0, 1.0, 1.0))
        place = ax.get_position()
        room = 72.0 * ax.figure.get_size_inches() * (place.width, place.height)
        unnamed = []
        for i, (x, y, w, h) in enumerate(boxes):
            ax.add_patch(
                Rectangle((x, y), w, h, facecolor=colour[i], edgecolor="white", linewidth=2)
            )
            name = self._word(table["segment"].iloc[i])
            size = f"{table['customers'].iloc[i]:,}"
            share = f"{size} ({table['customer_share'].iloc[i]:.0%})"
            each = []
            if "mean_value" in table:
                each = [f"{self._word('per customer')} {worth[i]:,.0f}"]
            found = _fit(
                [
                    [name, share, *each],
                    [*name.split(), share, *each],
                    [name, share],
                    [*name.split(), size],
                    [name],
                    name.split(),
                ],
                w * room[0],
                h * room[1],
            )
            if found is None:
                unnamed.append(f"{name} {size}")
                continue
            lines, points = found
            ax.text(
                x + w / 2,
                y + h / 2,
                "\n".join(lines),
                ha="center",
                va="center",
                fontsize=points,
                linespacing=1.3,
                color=_style.ink_on(colour[i][:3]),
            )
        ax.set(xlim=(0, 1), ylim=(0, 1))
        ax.set_axis_off()
        ax.set_title(
            self._word("Area: number of customers. Darker: worth more per customer."),
            fontsize=9,
            color=_style.MUTED,
            loc="left",
        )
        if unnamed:
            text = f"{self._word('Too small to name')}: {', '.join(unnamed)}"
            ax.text(0.0, -0.02, text, va="top", fontsize=8, color=_style.MUTED, wrap=True)


def _fit(
    ways: Sequence[Sequence[str]], width: float, height: float
) -> tuple[Sequence[str], float] | None:
    """First way to write a label that fits a box (in points) in letters large enough to read."""
    for least in (9.0, SMALLEST):
        for lines in ways:
            across = 0.9 * width / (0.6 * max(map(_width, lines)))
            points = min(11.0, across, 0.9 * height / (1.35 * len(lines)))
            if points >= least:
                return lines, points
    return None


def _width(text: str) -> float:
    """Width of ``text`` in Latin letters."""
    return max(sum(1.7 if ord(letter) > 0x2E7F else 1.0 for letter in text), 1.0)


def squarify(sizes: npt.NDArray[np.float64], box: Rect) -> list[Rect]:
    """Rectangles with areas in proportion to ``sizes`` (given largest first) that fill ``box``.

    Source: Bruls, Huizing & van Wijk (2000), Squarified treemaps: rows are filled along the
    shorter side as long as that makes the worst aspect ratio better.
    """
    x, y, w, h = box
    total = sizes.sum()
    areas = [float(s) / total * w * h for s in sizes] if total else []
    done: list[Rect] = []
    row: list[float] = []

    def worst(candidate: list[float], side: float) -> float:
        s = sum(candidate)
        return max(side**2 * max(candidate) / s**2, s**2 / (side**2 * min(candidate)))

    while areas or row:
        side = min(w, h)
        if areas and (not row or worst([*row, areas[0]], side) <= worst(row, side)):
            row.append(areas.pop(0))
            continue
        thick = sum(row) / side
        at = 0.0
        for area in row:
            length = area / thick
            if w >= h:
                done.append((x, y + at, thick, length))
            else:
                done.append((x + at, y, length, thick))
            at += length
        if w >= h:
            x, w = x + thick, w - thick
        else:
            y, h = y + thick, h - thick
        row = []
    return done


class RFMHeatmapDisplay(Display):
    """Heat map of R x F cells: numbers are customers, colour is mean M score or mean value.

    Parameters
    ----------
    table : DataFrame
        What `rfm_table` returns.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.plotting import RFMHeatmapDisplay
    >>> scores = np.array([[5, 1, 2], [5, 1, 4], [1, 1, 1]])
    >>> int(RFMHeatmapDisplay.from_predictions(scores).table["customers"].sum())
    3
    """

    _size = (6.0, 4.4)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, value: Any = None, *, language: Language = "en", ax: Any = None
    ) -> Self:
        """From a fitted ``RFMTransformer`` and the customers to score."""
        return cls.from_predictions(estimator.transform(X), value, language=language, ax=ax)

    @classmethod
    def from_predictions(
        cls, scores: Any, value: Any = None, *, language: Language = "en", ax: Any = None
    ) -> Self:
        """From scores: a frame with columns R, F, M or an array of three columns."""
        return cls(rfm_table(scores, value), language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table
        shown = "mean_value" if "mean_value" in table else "mean_M"
        title = "value per customer" if shown == "mean_value" else "mean M score"
        rows, cols = sorted(table["R"].unique(), reverse=True), sorted(table["F"].unique())
        grid = table.pivot(index="R", columns="F", values=shown).reindex(rows)[cols]
        counts = table.pivot(index="R", columns="F", values="customers").reindex(rows)[cols]
        heat_map(
            ax,
            grid.to_numpy(dtype=float),
            [[f"{n:,.0f}" if n == n else "" for n in line] for line in counts.to_numpy(float)],
            bar=self._word(title),
        )
        ax.set_xticks(range(len(cols)), [str(c) for c in cols])
        ax.set_yticks(range(len(rows)), [str(r) for r in rows])
        ax.set_xlabel(self._word("F score (1 to best)"))
        ax.set_ylabel(self._word("R score (1 to best)"))
        ax.set_title(self._word("Customers of each cell"), loc="left", fontsize=10)


def heat_map(
    ax: Any, grid: npt.NDArray[np.float64], cells: Sequence[Sequence[str]], *, bar: str
) -> None:
    """Coloured cells with their text in a colour that can be read on them."""
    from matplotlib.colors import Normalize

    low, high = float(np.nanmin(grid)), float(np.nanmax(grid))
    scale = Normalize(low, high if high > low else low + 1.0)
    image = ax.imshow(np.ma.masked_invalid(grid), cmap=_style.SEQUENTIAL, norm=scale, aspect="auto")
    small = 9.0 if max(grid.shape) <= 8 else 7.0
    for i, line in enumerate(cells):
        for j, text in enumerate(line):
            if text:
                shade = image.cmap(scale(grid[i, j]))
                ax.text(
                    j,
                    i,
                    text,
                    ha="center",
                    va="center",
                    fontsize=small,
                    color=_style.ink_on(shade[:3]),
                )
    _style.quiet_axes(ax, grid=None)
    for side in ax.spines.values():
        side.set_visible(False)
    colours = ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.02)
    colours.set_label(bar, color=_style.INK)
    colours.outline.set_visible(False)
    colours.ax.tick_params(length=0, colors=_style.MUTED)
