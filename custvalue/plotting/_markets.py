"""Markets in the nine cells of attractiveness and fit: the directional policy matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from custvalue._words import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display

if TYPE_CHECKING:
    import pandas as pd

# tints light enough for words on them; the cell's word says the same as its colour
_TINT = {"invest": "#e0f0ea", "select": "#fdf3dc", "harvest": "#f1f3f5"}


def market_matrix_table(
    markets: Any, attractiveness: Any, resource_fit: Any, size: Any = None
) -> pd.DataFrame:
    """Return what a market matrix draws: one row a market.

    Parameters
    ----------
    markets : array-like of shape (n_markets,)
        Names.
    attractiveness, resource_fit : array-like of shape (n_markets,)
        From 0 to 1.
    size : array-like of shape (n_markets,), optional
        Size of each market, not negative; the area of its circle.

    Returns
    -------
    DataFrame
        ``market``, ``attractiveness``, ``resource_fit`` and, with ``size``, ``size``.

    Raises
    ------
    ValueError
        If a score is not between 0 and 1, or a size is negative or missing.

    Examples
    --------
    >>> market_matrix_table(["auto", "retail"], [0.4, 0.7], [0.9, 0.6])
       market  attractiveness  resource_fit
    0    auto             0.4           0.9
    1  retail             0.7           0.6
    """
    import pandas as pd

    table = pd.DataFrame(
        {
            "market": [str(name) for name in markets],
            "attractiveness": np.asarray(attractiveness, dtype=float),
            "resource_fit": np.asarray(resource_fit, dtype=float),
        }
    )
    for side in ("attractiveness", "resource_fit"):
        bad = table.loc[~table[side].between(0.0, 1.0), "market"]
        if len(bad):
            raise ValueError(f"{side} must lie between 0 and 1; it does not of {list(bad)[:5]}.")
    if size is not None:
        table["size"] = np.asarray(size, dtype=float)
        bad = table.loc[~(table["size"] >= 0) | np.isinf(table["size"]), "market"]
        if len(bad):
            raise ValueError(f"size must be finite and not negative; see {list(bad)[:5]}.")
    return table


class MarketMatrixDisplay(Display):
    """Markets by attractiveness and fit, in nine cells that say what to do.

    Parameters
    ----------
    table : DataFrame
        What `market_matrix_table` returns.
    cuts : pair of float, default=(1/3, 2/3)
        Where medium and high begin.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import MarketMatrixDisplay
    >>> display = MarketMatrixDisplay.from_predictions(["auto", "retail"], [0.4, 0.7], [0.9, 0.6])
    >>> display.table["market"].tolist()
    ['auto', 'retail']
    """

    _size = (6.4, 5.2)

    def __init__(
        self, table: Any, *, cuts: tuple[float, float] = (1 / 3, 2 / 3), language: Language = "en"
    ) -> None:
        super().__init__(table, language=language)
        self.cuts = cuts

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, size: Any = None, *, language: Language = "en", ax: Any = None
    ) -> Self:
        """From a fitted ``TargetMarketRanker``: its ``rank_table(X)``, and sizes where given."""
        ranked = estimator.rank_table(X, language="en")
        names, first, second = (
            list(ranked[name]) for name in ("market", "attractiveness", "resource_fit")
        )
        low, high = estimator.cuts
        table = market_matrix_table(names, first, second, size)
        return cls(table, cuts=(float(low), float(high)), language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        markets: Any,
        attractiveness: Any,
        resource_fit: Any,
        size: Any = None,
        *,
        cuts: tuple[float, float] = (1 / 3, 2 / 3),
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From names, both scores and (optionally) sizes."""
        table = market_matrix_table(markets, attractiveness, resource_fit, size)
        return cls(table, cuts=cuts, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        from matplotlib.patches import Rectangle

        table = self.table
        edges = [0.0, *self.cuts, 1.0]
        for i in range(3):  # fit, low to high
            for j in range(3):  # attractiveness, low to high
                word = _advice(i, j)
                corner = (edges[i], edges[j])
                wide, high = edges[i + 1] - edges[i], edges[j + 1] - edges[j]
                ax.add_patch(
                    Rectangle(
                        corner, wide, high, facecolor=_TINT[word], edgecolor="white", linewidth=2
                    )
                )
                ax.text(
                    edges[i] + 0.012,
                    edges[j + 1] - 0.015,
                    self._word(word),
                    va="top",
                    fontsize=8,
                    color=_style.MUTED,
                )
        area = np.full(len(table), 90.0)
        if "size" in table:
            top = float(table["size"].max())
            area = 30.0 + 870.0 * table["size"].to_numpy() / top if top > 0 else area
        ax.scatter(
            table["resource_fit"],
            table["attractiveness"],
            s=area,
            color=_style.BLUE,
            alpha=0.75,
            edgecolor="white",
            linewidth=1.2,
            zorder=3,
        )
        names, fit, attractive = (
            table[name].tolist() for name in ("market", "resource_fit", "attractiveness")
        )
        height = ax.get_window_extent().height / ax.figure.dpi * 72.0 / 1.04  # points a unit
        placed: list[tuple[float, float]] = []
        for i in np.argsort(-table["attractiveness"].to_numpy(), kind="stable").tolist():
            name, x, y, spot = names[i], fit[i], attractive[i], area[i]
            right = x <= 0.75
            away = float(np.sqrt(spot / np.pi)) + 3.0
            at = y * height
            while near := [o for z, o in placed if abs(z - x) < 0.25 and abs(o - at) < 11.0]:
                at = min(near) - 11.5  # below the labels that it would lie on
            placed.append((x, at))
            ax.annotate(
                name,
                (x, y),
                xytext=(away if right else -away, at - y * height),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=9,
                color=_style.INK,
                zorder=4,
            )
        _style.quiet_axes(ax, grid=None)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        ax.set_xlabel(self._word("resource fit"))
        ax.set_ylabel(self._word("attractiveness"))
        if "size" in table:
            ax.set_title(
                self._word("Area of a circle: size of the market"),
                fontsize=9,
                color=_style.MUTED,
                loc="left",
            )


def _advice(fit: int, attractiveness: int) -> str:
    """Say what a cell advises: by the sum of both levels, 0 to 4."""
    return ("harvest", "harvest", "select", "invest", "invest")[fit + attractiveness]
