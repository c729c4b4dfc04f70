"""Customers side by side: orders of thirty of them, and histories that are worth the same."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from custvalue._dates import read_day
from custvalue._frames import column, with_time_scale
from custvalue._units import Span
from custvalue._warn import heard
from custvalue._words import Language
from custvalue.data import occasions, summarize
from custvalue.exceptions import DataWarning
from custvalue.plotting import _style
from custvalue.plotting._display import Display


class TimingDisplay(Display):
    """Orders of some customers over time, a line each: who keeps a rhythm, and who fell silent.

    Parameters
    ----------
    table : DataFrame
        ``customer``, ``date`` of an order, and ``place`` (0 is the lowest line).
    as_of : date or ISO str
        Where the lines end.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import TimingDisplay
    >>> display = TimingDisplay.from_predictions(
    ...     ["ann", "bob", "ann"], ["2024-01-03", "2024-01-05", "2024-02-01"], as_of="2024-03-01")
    >>> display.table["place"].tolist()
    [1, 0, 1]
    """

    _size = (6.4, 5.2)

    def __init__(self, table: Any, *, as_of: Any, language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.as_of = read_day(as_of, "as_of")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        log: Any,
        *,
        customer: str,
        time: str,
        amount: str,
        as_of: Any,
        n_customers: int = 30,
        random_state: int = 0,
        language: Language = "en",
        ax: Any = None,
        **policies: Any,
    ) -> Self:
        """From a fitted purchase model: customers of a log, those most likely alive on top.

        So many are drawn among those with two orders or more. ``policies`` as in ``summarize``.
        """
        names = {"customer": customer, "time": time, "amount": amount}
        unit = getattr(estimator, "unit_", None) or "D"
        rows = summarize(log, **names, as_of=as_of, unit=unit, **policies)
        several = np.flatnonzero(np.asarray(column(rows, "frequency")) > 0)
        rng = np.random.default_rng(random_state)
        some = rng.permutation(several)[:n_customers]
        with heard(DataWarning):  # who is drawn on top rests on it, no number does
            alive = np.asarray(estimator.predict_alive(rows), dtype=float)[some]
        who = np.asarray(column(rows, customer), dtype=object)[some]
        every = occasions(log, **names, as_of=as_of, **policies)
        bought, when = (np.asarray(column(every, name)) for name in (customer, "date"))
        of_some = np.isin(bought.astype(object), who)
        rank = dict(zip(who, alive.tolist(), strict=True))
        return cls.from_predictions(
            bought[of_some], when[of_some], rank, as_of=as_of, language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        customer: Any,
        date: Any,
        rank: Any = None,
        *,
        as_of: Any,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From customer and date of each order; ``rank``: a number of each customer, by name.

        Without ranks the customer with the latest order is on top.
        """
        import pandas as pd

        table = pd.DataFrame(
            {"customer": np.asarray(customer), "date": np.asarray(date, dtype="datetime64[ns]")}
        )
        last = table.groupby("customer", sort=False)["date"].max()
        key = last if rank is None else last.index.to_series().map(dict(rank))
        place = key.rank(method="first").astype(int) - 1
        table["place"] = table["customer"].map(place)
        return cls(table, as_of=as_of, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        when = self.table["date"].to_numpy(dtype="datetime64[D]")
        place = self.table["place"].to_numpy(dtype=float)
        ends = self.table.groupby("place")["date"].agg(["min", "max"])
        first, last = (ends[name].to_numpy(dtype="datetime64[D]") for name in ("min", "max"))
        line = ends.index.to_numpy(dtype=float)
        end = np.array(str(self.as_of)[:10], dtype="datetime64[D]")
        ax.hlines(line, first, end, color=_style.GRID, linewidth=1)
        ax.hlines(line, first, last, color=_style.BAR, linewidth=1)
        ax.plot(when, place, "|", color=_style.BLUE, markersize=8, markeredgewidth=1.6)
        ax.axvline(end, color=_style.MUTED, linestyle=":", linewidth=1)
        _style.date_axis(ax, self.language, most=7)
        ax.set_yticks([])
        ax.set_xlabel(self._word("orders"))
        ax.set_ylabel(self._word("customers"))
        _style.quiet_axes(ax, grid=None)


class IsoValueDisplay(Display):
    """Histories that are worth the same: curves of equal forecast over recency and frequency.

    Parameters
    ----------
    table : DataFrame
        ``frequency``, ``recency``, ``value`` on a grid.
    unit : str, default=""
        Unit of time.
    what : str, default="expected orders"
        What the curves are of.
    language : {"en", "zh"}, default="en"

    References
    ----------
    Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), RFM and CLV: using iso-value curves for
    customer base analysis, Journal of Marketing Research 42(4), 415-430.

    Examples
    --------
    >>> from custvalue.plotting import IsoValueDisplay
    >>> from custvalue.purchase import MBGNBD
    >>> model = MBGNBD.from_params(r=0.5, alpha=6.0, a=0.9, b=1.6, unit="W")
    >>> display = IsoValueDisplay.from_estimator(model, T=78.0, annual_discount_rate=0.15)
    >>> display.table.shape
    (820, 3)
    """

    _size = (6.0, 4.4)

    def __init__(
        self,
        table: Any,
        *,
        unit: str = "",
        what: str = "expected orders",
        language: Language = "en",
    ) -> None:
        super().__init__(table, language=language)
        self.unit = unit
        self.what = what

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        T: float,
        annual_discount_rate: float | None = None,
        horizon: Span | None = None,
        spend: float = 1.0,
        max_frequency: int = 20,
        n_recencies: int = 41,
        what: str | None = None,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted purchase model, for customers of age ``T`` (in the model's unit).

        Expected orders within ``horizon``, or all to come with ``annual_discount_rate`` (DERT),
        times ``spend``.
        """
        import pandas as pd

        if (horizon is None) == (annual_discount_rate is None):
            raise ValueError("give horizon= or annual_discount_rate=, one of the two.")
        x = np.repeat(np.arange(1.0, max_frequency + 1.0), n_recencies)
        t_x = np.tile(np.linspace(0.0, T, n_recencies), max_frequency)
        asked = np.maximum(t_x, T * 1e-6)  # "just after" stands for the time of the first order
        rows = pd.DataFrame({"frequency": x, "recency": asked, "T": np.full(len(x), float(T))})
        rows = with_time_scale(rows, getattr(estimator, "unit_", None))
        if annual_discount_rate is None:
            value = estimator.predict(rows, horizon=horizon)
        else:
            value = estimator.dert(rows, annual_discount_rate=annual_discount_rate)
        said = ("expected orders" if spend == 1.0 else "expected money") if what is None else what
        unit = getattr(estimator, "unit_", None) or ""
        return cls.from_predictions(
            x, t_x, spend * np.asarray(value), unit=unit, what=said, language=language, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        frequency: Any,
        recency: Any,
        value: Any,
        *,
        unit: str = "",
        what: str = "expected orders",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From histories on a grid and the value of each."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "frequency": np.asarray(frequency, dtype=float),
                "recency": np.asarray(recency, dtype=float),
                "value": np.asarray(value, dtype=float),
            }
        )
        return cls(table, unit=unit, what=what, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        grid = self.table.pivot(index="frequency", columns="recency", values="value")
        y, x = grid.index.to_numpy(dtype=float), grid.columns.to_numpy(dtype=float)
        value = grid.to_numpy()
        top = float(np.nanmax(value))
        # halves from the highest value down: each curve is worth twice the next
        levels = np.unique(top * 0.5 ** np.arange(7.0, 0.0, -1.0))
        if top > 0 and min(value.shape) > 1 and levels[-1] > float(np.nanmin(value)):
            lines = ax.contour(x, y, value, levels=levels, colors=_style.BLUE, linewidths=1.4)
            ax.clabel(lines, fmt=lambda v: f"{v:,.3g}", fontsize=8, colors=_style.INK)
        ax.yaxis.get_major_locator().set_params(integer=True)
        ax.set_ylabel(self._word("repeat orders"))
        unit = _style.UNITS.get(self.unit, self.unit)
        text = self._word("last order, time since the first one")
        ax.set_xlabel(f"{text} ({self._word(unit)})" if unit else text)
        ax.text(
            0.02, 0.97, self._word(self.what), transform=ax.transAxes, va="top", color=_style.MUTED
        )
        _style.quiet_axes(ax, grid=None)
