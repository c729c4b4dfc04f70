"""Silence: the cut with its two error rates, and one customer's time line."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from custvalue._dates import read_day
from custvalue._frames import with_time_scale
from custvalue._words import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display
from custvalue.silence import choose_threshold


class GapCurveDisplay(Display):
    """Error rates of every cut on a silence score, with the chosen cut.

    Parameters
    ----------
    table : DataFrame
        The ``curve`` of `custvalue.silence.choose_threshold`.
    cut : float
        The chosen cut.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import GapCurveDisplay
    >>> GapCurveDisplay.from_predictions([0.1, 0.4, 1.5, 2.0], [1, 1, 0, 0]).cut
    1.5
    """

    def __init__(self, table: Any, *, cut: float, language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.cut = cut

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        cost_false_alarm: float = 1.0,
        cost_miss: float = 1.0,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``SilenceScorer``, customers at an earlier date and who ordered since."""
        choice = estimator.choose_threshold(
            X, y, cost_false_alarm=cost_false_alarm, cost_miss=cost_miss
        )
        return cls(choice.curve, cut=choice.cut, language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        score: Any,
        ordered: Any,
        *,
        cost_false_alarm: float = 1.0,
        cost_miss: float = 1.0,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From the score of each customer at an earlier date and who ordered since."""
        choice = choose_threshold(
            score, ordered, cost_false_alarm=cost_false_alarm, cost_miss=cost_miss
        )
        return cls(choice.curve, cut=choice.cut, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table[np.isfinite(self.table["cut"])]
        # the far tail of the score holds few customers and would squeeze the rest
        far = table.loc[table["silent_share"] >= 0.03, "cut"].max()
        shown = table[table["cut"] <= max(far, self.cut)]
        chosen = table[table["cut"] == self.cut]
        for name, colour, style, said in (
            ("false_alarm_rate", _style.ORANGE, "-", "false alarms (of those who came back)"),
            ("miss_rate", _style.BLUE, "--", "misses (of those who stayed away)"),
        ):
            rates = 100 * shown[name]
            ax.plot(shown["cut"], rates, color=colour, linestyle=style, label=self._word(said))
            ax.plot(chosen["cut"], 100 * chosen[name], "o", color=colour)
        ax.axvline(self.cut, color=_style.INK, linewidth=1, linestyle=":")
        ax.annotate(
            f"{self._word('chosen cut')} {self.cut:.3g}",
            (self.cut, 100),
            xytext=(5, -3),
            textcoords="offset points",
            va="top",
            color=_style.INK,
        )
        ax.set(ylim=(0, 102))
        ax.set_xlabel(self._word("silence score: silent from here on"))
        ax.set_ylabel(self._word("share of customers (%)"))
        ax.legend(frameon=False, loc="center right")
        _style.quiet_axes(ax)


class TimelineDisplay(Display):
    """One customer's orders, and the chance of another one as silence grows.

    Parameters
    ----------
    table : DataFrame
        ``date`` and ``chance`` (of an order within ``window`` from that day on, had the customer
        stayed silent until then).
    orders : array-like of datetime64
        Days of the customer's orders.
    as_of : datetime64 or str
        Today.
    window : str, default="90D"
        Window of the chance.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import TimelineDisplay
    >>> display = TimelineDisplay.from_predictions(
    ...     ["2024-01-01", "2024-02-01"], ["2024-02-01", "2024-05-01"], [0.6, 0.2],
    ...     as_of="2024-03-01")
    >>> display.table["chance"].tolist()
    [0.6, 0.2]
    """

    _size = (7.0, 3.2)

    def __init__(
        self,
        table: Any,
        *,
        orders: Any,
        as_of: Any,
        window: str = "90D",
        language: Language = "en",
    ) -> None:
        super().__init__(table, language=language)
        self.orders = np.sort(np.asarray(orders, dtype="datetime64[D]"))
        self.as_of = read_day(as_of)
        self.window = window

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        orders: Any,
        *,
        as_of: Any,
        window: str = "90D",
        n_points: int = 60,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted purchase model and the days of one customer's orders.

        The chance is ``predict_proba_any`` for growing silence after the last order, up to twice
        the silence of today or the longest gap, whichever is longer.
        """
        import pandas as pd

        from custvalue._units import days_per

        days = np.unique(np.asarray(orders, dtype="datetime64[D]"))
        today = read_day(as_of)
        gaps = np.diff(days) / np.timedelta64(1, "D")
        silent = float((today - days[-1]) / np.timedelta64(1, "D"))
        far = 2.0 * max([silent, 1.0, *gaps])
        wait = np.linspace(0.0, far, n_points)
        unit = days_per(estimator.unit_)
        recency = float((days[-1] - days[0]) / np.timedelta64(1, "D"))
        rows = pd.DataFrame(
            {
                "frequency": np.full(n_points, float(len(days) - 1)),
                "recency": np.full(n_points, recency / unit),
                "T": (recency + wait) / unit,
            }
        )
        rows = with_time_scale(rows, estimator.unit_)
        chance = estimator.predict_proba_any(rows, horizon=window)
        dates = days[-1] + np.round(wait).astype("timedelta64[D]")
        return cls.from_predictions(
            days, dates, chance, as_of=today, window=window, language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        orders: Any,
        date: Any,
        chance: Any,
        *,
        as_of: Any,
        window: str = "90D",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From order days and the chance on each later date."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "date": np.asarray(date, dtype="datetime64[D]"),
                "chance": np.asarray(chance, dtype=float),
            }
        )
        made = cls(table, orders=orders, as_of=as_of, window=window, language=language)
        return made.plot(ax)

    def _draw(self, ax: Any) -> None:
        when = np.asarray(self.table["date"], dtype="datetime64[D]")
        chance = 100 * self.table["chance"].to_numpy(dtype=float)
        past = when <= self.as_of
        ax.plot(when, chance, color=_style.ORANGE, linestyle="--")
        ax.plot(when[past], chance[past], color=_style.ORANGE, linewidth=2.4)
        ax.plot(
            self.orders,
            np.zeros(len(self.orders)),
            "o",
            color=_style.BLUE,
            markersize=8,
            clip_on=False,
            label=self._word("orders"),
        )
        ax.axvline(self.as_of, color=_style.INK, linewidth=1, linestyle=":")
        ax.annotate(
            self._word("today"),
            (self.as_of, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            color=_style.INK,
        )
        ax.set_ylim(0, max(5.0, 1.1 * float(chance.max())))
        _style.date_axis(ax, self.language, most=8)
        number, unit = self.window[:-1], _style.UNITS.get(self.window[-1].upper())
        window = f"{number} {self._word(unit)}" if unit else self.window
        text = self._word("chance of an order within {window} (%)")
        ax.set_ylabel(text.format(window=window))
        ax.set_xlabel(self._word("date"))
        ax.legend(frameon=False, loc="upper left")
        _style.quiet_axes(ax)
