"""What a change is due to, as steps from the start to the end."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np

from custvalue._words import INDICATORS, Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display


class ContributionDisplay(Display):
    """Contributions as a waterfall: from the value at the start, step by step, to that at the end.

    Parameters
    ----------
    table : DataFrame
        ``name`` and ``contribution``, one row a step, in English.
    start : float, default=0
        Value before the first step.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import ContributionDisplay
    >>> shown = ContributionDisplay.from_predictions(["orders", "size"], [5.0, -2.0], start=10.0)
    >>> shown.ax_.get_title(loc="left")
    'from 10 to 13'
    """

    def __init__(self, table: Any, *, start: float = 0.0, language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.start = start

    @classmethod
    def from_estimator(
        cls,
        tree: Any,
        of: str,
        start: Any,
        end: Any,
        *,
        group: Any = None,
        random_state: int = 0,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a `custvalue.value.IndicatorTree` with its leaves: change of ``of`` by leaf."""
        table = tree.contributions(of, start, end, group=group, random_state=random_state)
        changes = tree.changes(start, end, group=group).set_index("indicator")
        first = float(changes.loc[of, "start"])
        return cls(table, start=first, language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        name: Any,
        contribution: Any,
        *,
        start: float = 0.0,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From names and contributions, such as those of `custvalue.value.lever_contributions`."""
        import pandas as pd

        table = pd.DataFrame(
            {"name": [str(n) for n in name], "contribution": np.asarray(contribution, dtype=float)}
        )
        return cls(table, start=start, language=language).plot(ax)

    @classmethod
    def from_story(
        cls,
        story: Any,
        of: Literal["value", "change"] = "value",
        *,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From `custvalue.explain_customer`: from the mean of all to the value, or what moved.

        Parameters
        ----------
        story : CustomerStory
        of : {"value", "change"}, default="value"
            From the mean of all customers to the value, or from the value then to that of today.
        language : {"en", "zh"}, default="en"
        ax : matplotlib Axes, optional
        """
        if of not in ("value", "change") or (of == "change" and story.then is None):
            raise ValueError(f"of={of!r} must be 'value', or 'change' of a story with since=.")
        table = story.table(language).iloc[:-1]
        if of == "value":
            names, steps, start = table.iloc[1:, 0], table.iloc[1:, 2], story.mean
        else:
            names, steps, start = table.iloc[:, 0], table.iloc[:, 4], story.then.value
            if story.then.parts:  # the mean of all is the same at both ends
                names, steps = names.iloc[1:], steps.iloc[1:]
        return cls.from_predictions(names, steps, start=start, language=language, ax=ax)

    def _draw(self, ax: Any) -> None:
        names = [str(INDICATORS.name(name, self.language)) for name in self.table["name"]]
        step = self.table["contribution"].to_numpy(dtype=float)
        after = self.start + np.cumsum(step)
        before = after - step
        end = float(after[-1]) if len(after) else self.start
        left = np.concatenate([[0.0], np.minimum(before, after), [0.0]])
        width = np.concatenate([[self.start], np.abs(step), [end]])
        colours = [_style.BAR, *(_style.GREEN if s >= 0 else _style.ORANGE for s in step),
                   _style.BAR]  # fmt: skip
        place = np.arange(len(width))
        ax.barh(place, width, left=left, color=colours, height=0.62)
        for y, at in enumerate([self.start, *after]):
            ax.plot([at, at], [y + 0.31, y + 0.69], color=_style.MUTED, linewidth=1)
        right = np.maximum(left, left + width)
        for y, x, s in zip(place[1:-1], right[1:-1], step, strict=True):
            ax.annotate(f"{s:+,.4g}", (x, y), xytext=(4, 0), textcoords="offset points",
                        va="center", color=_style.INK, fontsize=9)  # fmt: skip
        ends = [str(INDICATORS.name(word, self.language)) for word in ("start", "end")]
        ax.set_yticks(place, [ends[0], *names, ends[1]])
        ax.invert_yaxis()
        ax.margins(x=0.12)
        ax.set_title(
            INDICATORS("from {start:,.4g} to {end:,.4g}", self.language, start=self.start, end=end),
            loc="left",
            fontsize=9,
            color=_style.MUTED,
        )
        ax.set_xlabel(INDICATORS("contribution", self.language))
        _style.plain_numbers(ax.xaxis)
        _style.quiet_axes(ax, grid="x")
