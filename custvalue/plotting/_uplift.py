"""Gain of treating the customers whom a campaign moves most first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Self

from custvalue._words import CAMPAIGN, Language
from custvalue.metrics import qini_table
from custvalue.plotting import _style
from custvalue.plotting._display import Display


class UpliftDisplay(Display):
    """Qini curve: gain by share of customers treated, its interval, and a random choice.

    Parameters
    ----------
    table : DataFrame
        What `custvalue.metrics.qini_table` or ``UpliftModel.qini_table`` returns.
    unit : str, default="money"
        What outcomes are counted in, e.g. ``"USD"``.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import UpliftDisplay
    >>> shown = UpliftDisplay.from_predictions([9, 0, 1, 1], [5, 5, 1, 1], [1, 0, 1, 0])
    >>> float(shown.table["gain"].iloc[-1])
    4.5
    """

    def __init__(self, table: Any, *, unit: str = "money", language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        arm: Hashable = None,
        *,
        level: float = 0.95,
        unit: str = "money",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``UpliftModel``: its ``qini_table(arm)``, out of fold."""
        table = estimator.qini_table(arm, level=level)
        return cls(table, unit=unit, language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        y: Any,
        uplift: Any,
        treatment: Any,
        *,
        propensity: Any = None,
        expected: Any = None,
        level: float = 0.95,
        unit: str = "money",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From outcomes, predicted effects and treatments of an experiment."""
        table = qini_table(
            y, uplift, treatment, propensity=propensity, expected=expected, level=level
        )
        return cls(table, unit=unit, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        share = 100 * self.table["share"].to_numpy(dtype=float)
        gain, low, high, random = (
            self.table[name].to_numpy(dtype=float) for name in ("gain", "lower", "upper", "random")
        )
        ax.fill_between(share, low, high, color=_style.BLUE, alpha=0.12, linewidth=0)
        ax.plot(
            share,
            gain,
            color=_style.BLUE,
            linewidth=2.4,
            label=CAMPAIGN("greatest predicted effect first", self.language),
        )
        ax.plot(
            share,
            random,
            color=_style.MUTED,
            linewidth=1,
            linestyle="--",
            label=CAMPAIGN("as many at random", self.language),
        )
        ax.set_xlim(0, 100)
        ax.set_xlabel(CAMPAIGN("share of customers treated (%)", self.language))
        unit = CAMPAIGN.name(self.unit, self.language)
        ax.set_ylabel(f"{CAMPAIGN('gain per customer of all', self.language)} ({unit})")
        ax.legend(frameon=False, loc="best")
        _style.plain_numbers(ax.yaxis)
        _style.quiet_axes(ax)
