"""Where the money is: value by state with intervals, concentration, whale curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from custvalue._units import Span
from custvalue._words import Language
from custvalue.grades import concentration
from custvalue.plotting import _style
from custvalue.plotting._display import Display

if TYPE_CHECKING:
    import pandas as pd


class StateValueDisplay(Display):
    """Value of each state (or stage, segment) with its interval.

    Parameters
    ----------
    table : DataFrame
        ``state``, ``value`` and, where known, ``lower``, ``upper``.
    unit : str, default="money"
        What a value is counted in, e.g. ``"USD"``.
    top : int, default=20
        Draw at most so many states, the most valuable first.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import StateValueDisplay
    >>> display = StateValueDisplay.from_predictions(["new", "core"], [5.0, 90.0], [4, 80], [6, 99])
    >>> display.table["state"].tolist()
    ['new', 'core']
    """

    def __init__(
        self, table: Any, *, unit: str = "money", top: int = 20, language: Language = "en"
    ) -> None:
        super().__init__(table, language=language)
        self.unit = unit
        self.top = top

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        horizon: Span | None = None,
        *,
        unit: str = "money",
        top: int = 20,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``MarkovCLVEstimator``: its ``state_table(horizon)``."""
        table = estimator.state_table(horizon)
        states, value = table["state"], table["value"]
        ends = (table["lower"], table["upper"])
        return cls.from_predictions(
            states, value, *ends, unit=unit, top=top, language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        states: Any,
        value: Any,
        lower: Any = None,
        upper: Any = None,
        *,
        unit: str = "money",
        top: int = 20,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From names, values and (optionally) the interval's ends."""
        import pandas as pd

        table = pd.DataFrame(
            {"state": _style.state_names(states), "value": np.asarray(value, float)}
        )
        if lower is not None and upper is not None:
            table["lower"] = np.asarray(lower, dtype=float)
            table["upper"] = np.asarray(upper, dtype=float)
        return cls(table, unit=unit, top=top, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table.sort_values("value", ascending=False, kind="stable").head(self.top)
        y = np.arange(len(table))[::-1]
        value = table["value"].to_numpy(dtype=float)
        ax.barh(y, value, height=0.62, color=_style.BAR)
        if {"lower", "upper"} <= set(table.columns):
            span = np.abs(table[["lower", "upper"]].to_numpy(dtype=float).T - value)
            ax.errorbar(value, y, xerr=span, fmt="none", ecolor=_style.INK, capsize=3, linewidth=1)
        ax.set_yticks(y, _style.words(table["state"], self.language))
        ax.set_xlabel(f"{self._word('value per customer')} ({self._word(self.unit)})")
        _style.plain_numbers(ax.xaxis)
        _style.quiet_axes(ax, grid="x")


def concentration_table(value: Any, n_points: int = 101) -> pd.DataFrame:
    """Share of all value that the best customers bring.

    Parameters
    ----------
    value : array-like of shape (n_customers,)
        Money of each customer; may be negative (then the share passes 1 and falls back).
    n_points : int, default=101
        Rows of the table, however many customers there are.

    Returns
    -------
    DataFrame of shape (n_points, 2)
        ``customer_share`` (the best first) and ``value_share``.

    Raises
    ------
    ValueError
        As `custvalue.grades.concentration`.

    Examples
    --------
    >>> concentration_table([8.0, 1.0, 1.0, 0.0], n_points=5)["value_share"].tolist()
    [0.0, 0.8, 0.9, 1.0, 1.0]
    """
    import pandas as pd

    curve = concentration(value)
    share = np.linspace(0.0, 1.0, n_points)
    at = np.interp(share, curve.customer_share, curve.value_share)
    return pd.DataFrame({"customer_share": share, "value_share": at})


class ConcentrationDisplay(Display):
    """Concentration curve: share of value that the best share of customers brings.

    Parameters
    ----------
    table : DataFrame
        What `concentration_table` returns.
    mark : float, default=0.2
        Share of customers to mark and label (the 80/20 check).
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import ConcentrationDisplay
    >>> ConcentrationDisplay.from_predictions([8.0, 1.0, 1.0, 0.0]).table.shape
    (101, 2)
    """

    _across = "share of customers, best first (%)"
    _up = "share of value (%)"
    _even = True

    def __init__(self, table: Any, *, mark: float = 0.2, language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.mark = mark

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, mark: float = 0.2, language: Language = "en", ax: Any = None
    ) -> Self:
        """From a fitted estimator whose ``predict`` gives the value of each row of ``X``."""
        return cls.from_predictions(estimator.predict(X), mark=mark, language=language, ax=ax)

    @classmethod
    def from_predictions(
        cls, value: Any, *, mark: float = 0.2, language: Language = "en", ax: Any = None
    ) -> Self:
        """From the value of each customer."""
        return cls(concentration_table(value), mark=mark, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        x = 100 * self.table["customer_share"].to_numpy(dtype=float)
        y = 100 * self.table["value_share"].to_numpy(dtype=float)
        if self._even:
            ax.plot([0, 100], [0, 100], color=_style.MUTED, linewidth=1, linestyle="--")
        else:
            ax.axhline(100, color=_style.MUTED, linewidth=1, linestyle="--")
        ax.plot(x, y, color=_style.BLUE, linewidth=2.4)
        ax.fill_between(x, y, color=_style.BLUE, alpha=0.08, linewidth=0)
        at = 100 * self.mark
        high = float(np.interp(at, x, y))
        ax.plot([at, at, 0], [0, high, high], color=_style.ORANGE, linewidth=1)
        ax.plot([at], [high], "o", color=_style.ORANGE)
        text = self._word("{customers:.0f} % of customers bring {value:.0f} %")
        ax.annotate(
            text.format(customers=at, value=high),
            (at, high),
            xytext=(10, -14),
            textcoords="offset points",
            color=_style.INK,
        )
        ax.set(xlim=(0, 100), ylim=(min(0.0, y.min()), max(102.0, 1.04 * y.max())))
        ax.set_xlabel(self._word(self._across))
        ax.set_ylabel(self._word(self._up))
        _style.quiet_axes(ax)


class WhaleCurveDisplay(ConcentrationDisplay):
    """Whale curve: cumulative profit of the best customers; above 100 % others lose money.

    Parameters
    ----------
    table : DataFrame
        What `concentration_table` returns for profits.
    mark : float, default=0.2
        Share of customers to mark and label.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import WhaleCurveDisplay
    >>> display = WhaleCurveDisplay.from_predictions([10.0, 5.0, 0.0, -5.0])
    >>> float(display.table["value_share"].max())
    1.5
    """

    _up = "cumulative share of profit (%)"
    _even = False
