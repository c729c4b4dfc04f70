"""Cohorts month by month: a triangle whose unfinished part is marked, not drawn as a fall."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from custvalue._words import Language
from custvalue.data import summarize
from custvalue.data._for_rooms import CohortTable
from custvalue.plotting import _style
from custvalue.plotting._display import Display
from custvalue.value import cohort_table

WHAT = {
    "customers": "customers with an order",
    "share": "customers with an order (%)",
    "orders": "orders",
    "money": "money",
    "orders_each": "orders per customer",
    "money_each": "money per customer",
}
FEW = 14  # cohorts or months: so many cells still have room for their number


class CohortDisplay(Display):
    """Cohort triangle: a row a month of first order, a column a month since; dotted: not over.

    Parameters
    ----------
    table : DataFrame
        ``CohortTable.long()`` of `custvalue.value.cohort_table`; a column ``forecast`` (True) marks
        cells that a model filled in.
    what : str, default="share"
        What is counted, as ``value`` of `custvalue.value.cohort_table`; any other text is the
        picture's own.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import CohortDisplay
    >>> CohortDisplay.from_predictions(["a", "a", "b"], [0, 1, 0], [1.0, 0.5, 1.0]).table.shape
    (3, 4)
    """

    _size = (6.8, 4.2)

    def __init__(self, table: Any, *, what: str = "share", language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.what = what

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        log: Any,
        *,
        customer: str,
        time: str,
        amount: str,
        as_of: Any = None,
        language: Language = "en",
        ax: Any = None,
        **policies: Any,
    ) -> Self:
        """From a fitted purchase model: orders per customer of ``log``, months to come filled in.

        The running month is what came plus what is expected of its rest. Cells with a forecast
        have ``forecast`` True. ``policies`` are those of `custvalue.value.cohort_table`; without
        ``refunds=`` days that net to nothing or less are no orders.
        """
        import pandas as pd

        policies = {"refunds": "net_occasion", **policies}
        columns = {"customer": customer, "time": time, "amount": amount, **policies}
        found = cohort_table(log, as_of=as_of, value="orders_each", **columns)
        customers = summarize(
            log,
            as_of=found.as_of,
            unit=getattr(estimator, "unit_", None) or "D",
            **columns,
        )
        expected = _expected(estimator, customers, found)
        known = found.table.fillna(found.unfinished).to_numpy()
        ahead = pd.DataFrame(expected, found.table.index, found.table.columns)
        filled = CohortTable(
            found.table.where(found.table.notna(), ahead + np.nan_to_num(known)),
            found.unfinished * np.nan,
            found.size,
            found.as_of,
            found.value,
        )
        table = filled.long()
        cell = found.table.index.get_indexer(pd.Index(table["cohort"])), table["month"].to_numpy()
        table["finished"] = found.table.notna().to_numpy()[cell]
        table["forecast"] = ~table["finished"]
        return cls(table, what=found.value, language=language).plot(ax)

    @classmethod
    def from_log(
        cls,
        log: Any,
        *,
        customer: str,
        time: str,
        amount: str,
        as_of: Any = None,
        value: Any = "share",
        language: Language = "en",
        ax: Any = None,
        **policies: Any,
    ) -> Self:
        """From a transaction log: `custvalue.value.cohort_table` (and its policies), drawn."""
        columns = {"customer": customer, "time": time, "amount": amount, **policies}
        found = cohort_table(log, as_of=as_of, value=value, **columns)
        return cls(found.long(), what=value, language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        cohort: Any,
        month: Any,
        value: Any,
        *,
        finished: Any = True,
        what: str = "share",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From one value a cohort and month since its first order."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "cohort": [str(c) for c in cohort],
                "month": np.asarray(month, dtype=int),
                "value": np.asarray(value, dtype=float),
            }
        )
        table["finished"] = finished
        return cls(table, what=what, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        from matplotlib.colors import Normalize
        from matplotlib.patches import Rectangle

        table = self.table
        scale = 100.0 if self.what == "share" else 1.0
        wide = scale * table.pivot(index="cohort", columns="month", values="value")
        grid = wide.to_numpy(dtype=float)
        # the first month holds everybody's first order and would hide all that follows
        later = scale * table.loc[table["month"] > 0, "value"].to_numpy(dtype=float)
        top = float(np.nanmax(later, initial=0.0)) or 1.0
        colours = Normalize(0.0, top)
        image = ax.imshow(
            np.ma.masked_invalid(grid), cmap=_style.SEQUENTIAL, norm=colours, aspect="auto"
        )
        if max(grid.shape) <= FEW:
            for (i, j), value in np.ndenumerate(grid):
                if np.isfinite(value):
                    ink = _style.ink_on(image.cmap(colours(value))[:3])
                    text = f"{value:,.0f}" if top >= 10 else f"{value:.2f}"
                    ax.text(j, i, text, ha="center", va="center", fontsize=8, color=ink)
        rows = {name: i for i, name in enumerate(wide.index)}
        columns = {month: j for j, month in enumerate(wide.columns)}
        marked = table[~table["finished"].to_numpy(dtype=bool)]
        for name, month in marked[["cohort", "month"]].to_numpy():
            at = (columns[month] - 0.5, rows[name] - 0.5)
            box = Rectangle(at, 1, 1, fill=False)
            box.set(edgecolor=_style.INK, linestyle=":", linewidth=1.2)
            ax.add_patch(box)
        if len(marked):
            said = "Dotted: forecast" if "forecast" in table else "Dotted: the month is not over"
            ax.set_title(self._word(said), loc="left", fontsize=9, color=_style.MUTED)
        few = max(1, -(-len(rows) // FEW))
        ax.set_yticks(range(0, len(rows), few), list(rows)[::few])
        far = max(1, -(-len(columns) // FEW))
        ax.set_xticks(range(0, len(columns), far), [str(c) for c in columns][::far])
        ax.set_xlabel(self._word("months since the first order"))
        ax.set_ylabel(self._word("cohort: month of the first order"))
        bar = ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.02, extend="max")
        bar.set_label(self._word(WHAT.get(self.what, self.what)), color=_style.INK)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0, colors=_style.MUTED)
        _style.quiet_axes(ax, grid=None)


def _expected(estimator: Any, customers: Any, found: CohortTable) -> npt.NDArray[np.float64]:
    """Orders per customer that each cohort is expected to place in each month from the as-of date.

    Rows and columns as in ``found.table``; NaN beyond the age of the oldest cohort is never asked.
    """
    first = np.asarray(customers["first_order"]).astype("datetime64[M]")
    cohorts = np.asarray(found.table.index, dtype="datetime64[M]")
    code = np.searchsorted(cohorts, first)
    n_months = found.table.shape[1]
    today = np.datetime64(found.as_of, "D")
    out = np.zeros(found.table.shape)
    before = np.zeros(len(cohorts))
    for month in today.astype("datetime64[M]") + np.arange(n_months):
        end = (month + 1).astype("datetime64[D]") - 1
        days = int((end - today) / np.timedelta64(1, "D"))
        age = (month - cohorts).astype(int)
        reached = (age >= 0) & (age < n_months)
        if days < 1 or not reached.any():
            continue
        orders = np.asarray(estimator.predict(customers, horizon=f"{days}D"), dtype=float)
        running = np.bincount(code, orders, minlength=len(cohorts)) / found.size.to_numpy()
        out[np.flatnonzero(reached), age[reached]] = (running - before)[reached]
        before = running
    return out
