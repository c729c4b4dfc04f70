"""Cohorts over their age: a triangle whose unfinished part is marked, not drawn as a fall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from custvalue._frames import facts_of
from custvalue._labels import Language
from custvalue._units import span_days
from custvalue.plotting import _style
from custvalue.plotting._display import Display

if TYPE_CHECKING:
    import pandas as pd


def cohort_triangle(
    history: pd.DataFrame, *, what: Literal["orders", "spend"] = "orders", width: int = 1
) -> pd.DataFrame:
    """Mean orders or spend of each cohort at each age, observed ages only.

    Parameters
    ----------
    history : DataFrame
        A panel (`custvalue.panel`).
    what : {"orders", "spend"}, default="orders"
        What a customer of the cohort brings in a period.
    width : int, default=1
        Number of first-purchase periods in a cohort.

    Returns
    -------
    DataFrame
        ``cohort`` (end of its first period), ``age`` (periods since the first purchase's),
        ``customers``, ``value`` (mean a customer) and ``complete``: False where only a part of
        the cohort is old enough, so that the mean is of that part.

    Raises
    ------
    ValueError
        If ``what`` or ``width`` is not legal.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.plotting import cohort_triangle
    >>> history = cv.panel(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                    amount="amount", as_of="1997-09-30", period="4W")
    >>> cohort_triangle(history, width=2).round(2).head(2)
           cohort  age  customers  value  complete
    0  1997-01-21    0       1327   1.11      True
    1  1997-01-21    1       1327   0.22      True
    """
    import pandas as pd

    if what not in ("orders", "spend"):
        raise ValueError(f"what={what!r} must be 'orders' or 'spend'.")
    if width < 1:
        raise ValueError(f"width={width!r} must be 1 period or more.")
    first = (history["period"] - history["age"]).to_numpy(dtype=np.int64)
    cohort = first // width
    age = history["age"].to_numpy(dtype=np.int64)
    ages = int(age.max()) + 1
    key = cohort * ages + age
    size = np.bincount(key)
    total = np.bincount(key, history[what].to_numpy(dtype=float))
    seen = np.flatnonzero(size)
    place, at = seen // ages, seen % ages
    ends = history.groupby("period")["period_end"].first()
    start = ends.iloc[0] - (ends.index[0] - place * width) * (
        ends.diff().median() if len(ends) > 1 else pd.Timedelta(0)
    )
    born = dict(zip(place[at == 0], size[seen][at == 0], strict=True))
    return pd.DataFrame(
        {
            "cohort": np.asarray(start, dtype="datetime64[D]").astype(str),
            "age": at,
            "customers": size[seen],
            "value": total[seen] / size[seen],
            "complete": size[seen] == np.array([born[c] for c in place]),
        }
    )


class CohortDisplay(Display):
    """Cohort triangle: a row a cohort, a column an age; hatched where the period is unfinished.

    Parameters
    ----------
    table : DataFrame
        What `cohort_triangle` returns; a column ``forecast`` (True) marks cells that a model
        filled in.
    what : str, default="orders per customer and period"
        What the colour shows, with its unit.
    labels : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import CohortDisplay
    >>> CohortDisplay.from_predictions(["a", "a", "b"], [0, 1, 0], [1.0, 0.5, 1.0]).table.shape
    (3, 3)
    """

    _size = (6.8, 4.2)

    def __init__(
        self,
        table: Any,
        *,
        what: str = "orders per customer and period",
        labels: Language = "en",
    ) -> None:
        super().__init__(table, labels=labels)
        self.what = what

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        history: Any,
        *,
        width: int = 1,
        labels: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a purchase model fitted on the latest rows of the panel ``history``.

        Ages that a cohort has not reached are filled with the model's expected orders; these
        cells have ``forecast`` True.
        """
        import pandas as pd

        table = cohort_triangle(history, width=width)
        # an age that only a part of the cohort has reached is forecast for the rest, too
        table = table[table["complete"]].assign(forecast=False)
        facts = facts_of(history)
        length = span_days(facts.period) if facts and facts.period else 1.0
        customer = facts.customer if facts else history.columns[0]
        latest = history.groupby(customer, sort=False).tail(1)
        cohort = (latest["period"] - latest["age"]).to_numpy(dtype=np.int64) // width
        names = table.loc[table["age"] == 0, "cohort"].tolist()
        most = int(table["age"].max())
        filled = []
        for name, code in zip(names, np.unique(cohort), strict=True):
            own = latest[cohort == code]
            old = int(table.loc[table["cohort"] == name, "age"].max())
            expected = _by_period(estimator, own, most - old, length)
            filled.append(
                pd.DataFrame(
                    {
                        "cohort": name,
                        "age": np.arange(old + 1, most + 1),
                        "customers": len(own),
                        "value": expected,
                        "complete": False,
                        "forecast": True,
                    }
                )
            )
        table = pd.concat([table, *(f for f in filled if len(f))], ignore_index=True)
        return cls(table, labels=labels).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        cohort: Any,
        age: Any,
        value: Any,
        *,
        what: str = "orders per customer and period",
        labels: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From one value a cohort and age."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "cohort": [str(c) for c in cohort],
                "age": np.asarray(age, dtype=int),
                "value": np.asarray(value, dtype=float),
            }
        )
        return cls(table, what=what, labels=labels).plot(ax)

    def _draw(self, ax: Any) -> None:
        from matplotlib.patches import Rectangle

        table = self.table
        grid = table.pivot(index="cohort", columns="age", values="value")
        # the first period holds everybody's first order and would hide all that follows
        later = grid.drop(columns=0, errors="ignore").to_numpy(dtype=float)
        top = float(np.nanmax(later)) if np.isfinite(later).any() else 1.0
        image = ax.imshow(
            np.ma.masked_invalid(grid.to_numpy(dtype=float)),
            cmap=_style.SEQUENTIAL,
            vmin=0.0,
            vmax=top or 1.0,
            aspect="auto",
        )
        if "forecast" in table:
            rows = {name: i for i, name in enumerate(grid.index)}
            cols = {age: j for j, age in enumerate(grid.columns)}
            for name, age in table.loc[table["forecast"], ["cohort", "age"]].to_numpy():
                at = (cols[age] - 0.5, rows[name] - 0.5)
                ax.add_patch(
                    Rectangle(at, 1, 1, fill=False, hatch="///", edgecolor="white", linewidth=0)
                )
            ax.set_title(self._word("Hatched: forecast"), loc="left", fontsize=9)
        few = max(1, len(grid.index) // 12)
        ax.set_yticks(range(0, len(grid.index), few), list(grid.index)[::few])
        wide = max(1, len(grid.columns) // 12)
        ax.set_xticks(range(0, len(grid.columns), wide), [str(c) for c in grid.columns[::wide]])
        ax.set_xlabel(self._word("age: periods since the first order"))
        ax.set_ylabel(self._word("cohort: end of its first period"))
        bar = ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.02, extend="max")
        bar.set_label(self._word(self.what), color=_style.INK)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0, colors=_style.MUTED)
        _style.quiet_axes(ax, grid=None)


def _by_period(
    estimator: Any, rows: pd.DataFrame, periods: int, length: float
) -> npt.NDArray[np.float64]:
    """Mean expected orders of ``rows`` in each of the next periods."""
    running = [0.0] + [
        float(np.mean(estimator.predict(rows, horizon=f"{length * k:g}D")))
        for k in range(1, periods + 1)
    ]
    return np.diff(running)
