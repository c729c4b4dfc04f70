"""Forecasts against what happened: tracking over time, calibration by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from custvalue._dates import read_day
from custvalue._words import Language
from custvalue.metrics import calibration_table
from custvalue.plotting import _style
from custvalue.plotting._display import Display

if TYPE_CHECKING:
    import pandas as pd


def tracking_table(
    period_end: Any, actual: Any, forecast: Any, lower: Any = None, upper: Any = None
) -> pd.DataFrame:
    """Actual and forecast of each period, and both cumulated.

    Parameters
    ----------
    period_end : array-like of datetime64, shape (n_periods,)
    actual : array-like of shape (n_periods,)
        Orders or money of the period; NaN where it has not happened yet.
    forecast : array-like of shape (n_periods,)
        NaN where there is no forecast.
    lower, upper : array-like of shape (n_periods,), optional
        Interval of the period's forecast.

    Returns
    -------
    DataFrame
        ``period_end``, ``actual``, ``forecast``, ``cumulative_actual``, ``cumulative_forecast``
        (the forecast goes on from the actual where it starts) and, if given, ``lower``, ``upper``.

    Examples
    --------
    >>> import numpy as np
    >>> days = np.array(["2024-01-31", "2024-02-29", "2024-03-31"], dtype="datetime64[D]")
    >>> table = tracking_table(days, [5, 3, 4], [np.nan, 4, 4])
    >>> table["cumulative_forecast"].tolist()
    [nan, 9.0, 13.0]
    """
    import pandas as pd

    actual = np.asarray(actual, dtype=float)
    forecast = np.asarray(forecast, dtype=float)
    known = np.isfinite(forecast)
    first = int(known.argmax()) if known.any() else len(forecast)
    base = float(np.nansum(actual[:first]))
    running = np.where(known, base + np.cumsum(np.where(known, forecast, 0.0)), np.nan)
    table = pd.DataFrame(
        {
            "period_end": np.asarray(period_end),
            "actual": actual,
            "forecast": forecast,
            "cumulative_actual": np.where(
                np.isfinite(actual), np.cumsum(np.nan_to_num(actual)), np.nan
            ),
            "cumulative_forecast": running,
        }
    )
    if lower is not None and upper is not None:
        table["lower"] = np.asarray(lower, dtype=float)
        table["upper"] = np.asarray(upper, dtype=float)
    return table


class TrackingDisplay(Display):
    """Actual against forecast over time, with a line where the forecast starts.

    Parameters
    ----------
    table : DataFrame
        What `tracking_table` returns.
    cumulative : bool, default=False
        Draw running totals instead of each period.
    what : str, default="orders"
        What is counted, with its unit, e.g. ``"orders per 4 weeks"``.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.plotting import TrackingDisplay
    >>> days = np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[D]")
    >>> TrackingDisplay.from_predictions(days, [5, 3], [np.nan, 4]).table["forecast"].tolist()
    [nan, 4.0]
    """

    def __init__(
        self,
        table: Any,
        *,
        cumulative: bool = False,
        what: str = "orders",
        language: Language = "en",
    ) -> None:
        super().__init__(table, language=language)
        self.cumulative = cumulative
        self.what = what

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        period_end: Any,
        actual: Any,
        *,
        split: Any,
        cumulative: bool = False,
        what: str = "orders",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted purchase model: expected orders of the base ``X`` in each later period.

        ``X`` is the summary as of ``split``; periods that end after it get a forecast,
        ``predict`` at the end of the period less ``predict`` at its start.
        """
        ends = np.asarray(period_end, dtype="datetime64[D]")
        start = read_day(split, "split")
        forecast = np.full(len(ends), np.nan)
        before = 0.0
        for i in np.flatnonzero(ends > start):
            days = int((ends[i] - start) / np.timedelta64(1, "D"))
            total = float(np.sum(estimator.predict(X, horizon=f"{days}D")))
            forecast[i] = total - before
            before = total
        return cls.from_predictions(
            ends, actual, forecast, cumulative=cumulative, what=what, language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        period_end: Any,
        actual: Any,
        forecast: Any,
        lower: Any = None,
        upper: Any = None,
        *,
        cumulative: bool = False,
        what: str = "orders",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From the numbers of each period."""
        table = tracking_table(period_end, actual, forecast, lower, upper)
        return cls(table, cumulative=cumulative, what=what, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table
        part = "cumulative_" if self.cumulative else ""
        when = np.asarray(table["period_end"], dtype="datetime64[D]")
        ax.plot(when, table[part + "actual"], color=_style.INK, label=self._word("actual"))
        ax.plot(
            when,
            table[part + "forecast"],
            color=_style.ORANGE,
            linestyle="--",
            label=self._word("forecast"),
        )
        if "lower" in table and not self.cumulative:
            ax.fill_between(
                when, table["lower"], table["upper"], color=_style.ORANGE, alpha=0.18, linewidth=0
            )
        known = np.flatnonzero(np.isfinite(table["forecast"].to_numpy(dtype=float)))
        if len(known) and known[0] > 0:
            ax.axvline(when[known[0] - 1], color=_style.MUTED, linestyle=":", linewidth=1)
        _style.date_axis(ax, self.language, most=7)
        ax.set_ylim(bottom=0)
        _style.plain_numbers(ax.yaxis)
        title = f"{self._word('cumulative')} {self._word(self.what)}" if part else self.what
        ax.set_ylabel(self._word(title))
        ax.set_xlabel(self._word("end of period"))
        ax.legend(frameon=False)
        _style.quiet_axes(ax)


class CalibrationDisplay(Display):
    """Forecast against outcome by group of customers with rising forecast.

    Parameters
    ----------
    table : DataFrame
        What `custvalue.metrics.calibration_table` returns.
    what : str, default="value per customer"
        What was forecast, with its unit.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import CalibrationDisplay
    >>> CalibrationDisplay.from_predictions([0, 0, 4, 6], [1, 0, 5, 4], n_groups=2).table.shape
    (2, 6)
    """

    def __init__(
        self, table: Any, *, what: str = "value per customer", language: Language = "en"
    ) -> None:
        super().__init__(table, language=language)
        self.what = what

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_groups: int = 10,
        what: str = "value per customer",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted estimator, the rows at a cut-off and what they brought afterwards."""
        return cls.from_predictions(
            y, estimator.predict(X), n_groups=n_groups, what=what, language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        n_groups: int = 10,
        what: str = "value per customer",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From outcomes and forecasts."""
        return cls(
            calibration_table(y_true, y_pred, n_groups=n_groups), what=what, language=language
        ).plot(ax)

    def _draw(self, ax: Any) -> None:
        table = self.table
        x = table["group"].to_numpy(dtype=float)
        ax.bar(x, table["actual_mean"], width=0.62, color=_style.BAR, label=self._word("actual"))
        ax.plot(
            x,
            table["predicted_mean"],
            color=_style.ORANGE,
            marker="o",
            linestyle="none",
            label=self._word("forecast"),
        )
        ax.set_xticks(x, [str(int(g)) for g in x])
        ax.set_xlabel(self._word("group of customers, lowest forecast first"))
        ax.set_ylabel(self._word(self.what))
        ax.legend(frameon=False)
        _style.quiet_axes(ax)
