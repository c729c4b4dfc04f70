"""Silence: the cut with its two error rates, and one customer's time line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from custvalue._labels import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display

if TYPE_CHECKING:
    import pandas as pd


def threshold_table(
    score: Any,
    returned: Any,
    *,
    cost_false_alarm: float = 1.0,
    cost_miss: float = 1.0,
    n_points: int = 201,
) -> pd.DataFrame:
    """Error rates and cost of every cut on a silence score.

    Parameters
    ----------
    score : array-like of shape (n_customers,)
        Higher means more silent, judged on an earlier date.
    returned : array-like of bool, shape (n_customers,)
        Who ordered again within the window after that date.
    cost_false_alarm : float, default=1.0
        Cost of calling a customer silent who came back.
    cost_miss : float, default=1.0
        Cost of not calling a customer silent who stayed away.
    n_points : int, default=201
        Most cuts tried, at quantiles of the score.

    Returns
    -------
    DataFrame
        ``threshold`` (silent from here on), ``false_alarm_rate`` (of those who returned),
        ``miss_rate`` (of those who did not), ``cost`` per customer and ``chosen`` (True on the
        cheapest cut).

    Raises
    ------
    ValueError
        If lengths differ, or nobody or everybody returned.

    Examples
    --------
    >>> from custvalue.plotting import threshold_table
    >>> table = threshold_table([0.1, 0.4, 1.5, 2.0], [True, True, False, False])
    >>> table.loc[table["chosen"], ["threshold", "cost"]].values.tolist()
    [[1.5, 0.0]]
    """
    import pandas as pd

    score, returned = np.asarray(score, dtype=float), np.asarray(returned, dtype=bool)
    if len(score) != len(returned):
        raise ValueError(f"score has {len(score)} rows and returned {len(returned)}.")
    back, away = np.sort(score[returned]), np.sort(score[~returned])
    if len(back) == 0 or len(away) == 0:
        raise ValueError("both kinds are needed: customers who returned and who did not.")
    levels = np.linspace(0.0, 1.0, n_points)
    cuts = np.unique(np.quantile(score, levels, method="inverted_cdf"))
    alarm = 1.0 - np.searchsorted(back, cuts, side="left") / len(back)
    miss = np.searchsorted(away, cuts, side="left") / len(away)
    cost = (cost_false_alarm * alarm * len(back) + cost_miss * miss * len(away)) / len(score)
    return pd.DataFrame(
        {
            "threshold": cuts,
            "false_alarm_rate": alarm,
            "miss_rate": miss,
            "cost": cost,
            "chosen": np.arange(len(cuts)) == int(np.argmin(cost)),
        }
    )


class GapCurveDisplay(Display):
    """Error rates of every cut on a silence score, with the chosen cut.

    Parameters
    ----------
    table : DataFrame
        What `threshold_table` returns.
    labels : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import GapCurveDisplay
    >>> display = GapCurveDisplay.from_predictions([0.1, 0.4, 1.5, 2.0], [1, 1, 0, 0])
    >>> int(display.table["chosen"].sum())
    1
    """

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        returned: Any,
        *,
        cost_false_alarm: float = 1.0,
        cost_miss: float = 1.0,
        labels: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``SilenceScorer``, customers at an earlier date and who came back."""
        return cls.from_predictions(
            estimator.score_samples(X),
            returned,
            cost_false_alarm=cost_false_alarm,
            cost_miss=cost_miss,
            labels=labels,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        score: Any,
        returned: Any,
        *,
        cost_false_alarm: float = 1.0,
        cost_miss: float = 1.0,
        labels: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From the score of each customer and who came back."""
        table = threshold_table(
            score, returned, cost_false_alarm=cost_false_alarm, cost_miss=cost_miss
        )
        return cls(table, labels=labels).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table
        # the far tail of the score holds few customers and would squeeze the rest
        shown = table[table["threshold"] <= table["threshold"].quantile(0.97)]
        for name, colour, style, said in (
            ("false_alarm_rate", _style.ORANGE, "-", "false alarms (of those who came back)"),
            ("miss_rate", _style.BLUE, "--", "misses (of those who stayed away)"),
        ):
            ax.plot(
                shown["threshold"],
                100 * shown[name],
                color=colour,
                linestyle=style,
                label=self._word(said),
            )
        chosen = table[table["chosen"]].iloc[0]
        ax.axvline(chosen["threshold"], color=_style.INK, linewidth=1, linestyle=":")
        for name, colour in (("false_alarm_rate", _style.ORANGE), ("miss_rate", _style.BLUE)):
            ax.plot(chosen["threshold"], 100 * chosen[name], "o", color=colour)
        ax.annotate(
            f"{self._word('chosen cut')} {chosen['threshold']:.3g}",
            (chosen["threshold"], 100),
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
    labels : {"en", "zh"}, default="en"

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
        labels: Language = "en",
    ) -> None:
        super().__init__(table, labels=labels)
        self.orders = np.sort(np.asarray(orders, dtype="datetime64[D]"))
        self.as_of = np.datetime64(as_of, "D")
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
        labels: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted purchase model and the days of one customer's orders.

        The chance is ``predict_proba_any`` for growing silence after the last order, up to twice
        the silence of today or the longest gap, whichever is longer.
        """
        import pandas as pd

        from custvalue._units import days_per

        days = np.unique(np.asarray(orders, dtype="datetime64[D]"))
        today = np.datetime64(as_of, "D")
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
        chance = estimator.predict_proba_any(rows, horizon=window)
        dates = days[-1] + np.round(wait).astype("timedelta64[D]")
        return cls.from_predictions(
            days, dates, chance, as_of=today, window=window, labels=labels, ax=ax
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
        labels: Language = "en",
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
        made = cls(table, orders=orders, as_of=as_of, window=window, labels=labels)
        return made.plot(ax)

    def _draw(self, ax: Any) -> None:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

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
        locator = AutoDateLocator(maxticks=8)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        text = self._word("chance of an order within {window} (%)").format(window=self.window)
        ax.set_ylabel(text)
        ax.set_xlabel(self._word("date"))
        ax.legend(frameon=False, loc="upper left")
        _style.quiet_axes(ax)
