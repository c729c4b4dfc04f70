"""A funnel: how many deals get how far, and how long they stay."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from custvalue._words import FUNNEL, Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display


class FunnelDisplay(Display):
    """Reach of each stage as a bar, median days in it beside; what is won at the bottom.

    Parameters
    ----------
    table : DataFrame
        ``stage``, ``reach`` (0 to 1) and ``median_days``, as ``FunnelChain.stage_table`` has them
        in English; the last row may be the win, without days (NaN).
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import FunnelDisplay
    >>> FunnelDisplay.from_predictions(["lead", "offer"], [1.0, 0.3], [21.0, 9.0]).table.shape
    (2, 3)
    """

    _size = (6.4, 3.2)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        group: Any = None,
        horizon: Any = None,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted `custvalue.funnel.FunnelChain`; ``horizon`` where no loss was ever seen."""
        import pandas as pd

        stages = estimator.stage_table(group=group, horizon=horizon, language="en")
        started = estimator.counts_.started
        shares = started / started.sum() if started.sum() > 0 else np.eye(len(started))[0]
        won = float(shares @ stages["won_from_here"].to_numpy())
        name = estimator.outcomes_[0]
        last = pd.DataFrame({"stage": [name], "reach": [won], "median_days": [np.nan]})
        table = pd.concat([stages[["stage", "reach", "median_days"]], last], ignore_index=True)
        return cls(table, language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        stage: Any,
        reach: Any,
        median_days: Any,
        *,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From one reach and one time a stage."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "stage": [str(name) for name in stage],
                "reach": np.asarray(reach, dtype=float),
                "median_days": np.asarray(median_days, dtype=float),
            }
        )
        return cls(table, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        reach = 100.0 * self.table["reach"].to_numpy(dtype=float)
        days = self.table["median_days"].to_numpy(dtype=float)
        place = np.arange(len(reach))
        ends = np.isnan(days)
        colours = [_style.GREEN if end else _style.BAR for end in ends]
        ax.barh(place, reach, color=colours, height=0.72)
        for y, r, d in zip(place, reach, days, strict=True):
            if np.isnan(d):
                text = f"{r:.0f} %"
            else:
                told = "∞" if np.isinf(d) else f"{d:,.0f}"
                text = FUNNEL.name("{reach:.0f} % · {days} days", self.language).format(
                    reach=r, days=told
                )
            ax.text(r + 1.5, y, text, va="center", color=_style.INK, fontsize=9)
        ax.set_yticks(place, [FUNNEL.name(name, self.language) for name in self.table["stage"]])
        ax.invert_yaxis()
        # room for the words beside the longest bar
        ax.set_xlim(0.0, max(float(reach.max()), 1.0) * 1.28)
        ax.set_xticks([tick for tick in ax.get_xticks() if 0.0 <= tick <= 100.0])
        ax.set_xlabel(FUNNEL.name("share of deals that get this far (%)", self.language))
        ax.set_ylabel(FUNNEL.name("stage", self.language))
        ax.set_title(
            FUNNEL.name("Beside the bar: median days in the stage", self.language),
            loc="left",
            fontsize=9,
            color=_style.MUTED,
        )
        _style.quiet_axes(ax, grid="x")
