"""What a purchase law says of every history: the frequency-recency matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from custvalue._frames import with_time_scale
from custvalue._words import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display

if TYPE_CHECKING:
    import pandas as pd


def history_table(
    model: Any,
    *,
    T: float,
    max_frequency: int = 20,
    n_recencies: int = 40,
    what: Literal["alive", "expected"] = "alive",
    horizon: str | float | None = None,
) -> pd.DataFrame:
    """Answer of a fitted purchase law for a grid of histories.

    Parameters
    ----------
    model : purchase estimator
        With ``predict_alive`` or ``predict``.
    T : float
        Age of all customers in the grid, in the model's unit.
    max_frequency : int, default=20
        Most repeat orders.
    n_recencies : int, default=40
        Number of times of the last order between 0 and ``T``.
    what : {"alive", "expected"}, default="alive"
        Chance of still being a customer, or expected orders within ``horizon``.
    horizon : str or float, optional
        Needed for ``"expected"``.

    Returns
    -------
    DataFrame
        ``frequency``, ``recency``, ``T``, ``value``.

    Examples
    --------
    >>> import numpy as np
    >>> class Law:
    ...     def predict_alive(self, X):
    ...         return np.asarray(X["recency"] / X["T"])
    >>> history_table(Law(), T=10.0, max_frequency=2, n_recencies=3)["value"].round(3).tolist()
    [0.0, 0.5, 1.0, 0.0, 0.5, 1.0]
    """
    import pandas as pd

    if what not in ("alive", "expected"):
        raise ValueError(f"what={what!r} must be 'alive' or 'expected'.")
    # a customer without repeats has recency 0, so the grid starts at one repeat
    x = np.repeat(np.arange(1, max_frequency + 1), n_recencies).astype(float)
    t_x = np.tile(np.linspace(0.0, T, n_recencies), max_frequency)
    # some laws have no history with repeats at time 0; the first column stands for "just after"
    asked = np.maximum(t_x, T * 1e-6)
    rows = pd.DataFrame({"frequency": x, "recency": asked, "T": np.full(len(x), float(T))})
    rows = with_time_scale(rows, getattr(model, "unit_", None))
    value = model.predict_alive(rows) if what == "alive" else model.predict(rows, horizon=horizon)
    rows["recency"] = t_x
    rows["value"] = np.asarray(value, dtype=float)
    return rows


class FrequencyRecencyDisplay(Display):
    """Matrix over repeat orders and time of the last one: chance alive, or expected orders.

    Parameters
    ----------
    table : DataFrame
        What `history_table` returns.
    what : {"alive", "expected"}, default="alive"
    unit : str, default="D"
        Unit of time.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.plotting import FrequencyRecencyDisplay
    >>> display = FrequencyRecencyDisplay.from_predictions([1, 2], [5.0, 5.0], [0.4, 0.6])
    >>> display.table["value"].tolist()
    [0.4, 0.6]
    """

    _size = (6.0, 4.4)

    def __init__(
        self,
        table: Any,
        *,
        what: Literal["alive", "expected"] = "alive",
        unit: str = "D",
        language: Language = "en",
    ) -> None:
        super().__init__(table, language=language)
        self.what = what
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        T: float,
        max_frequency: int = 20,
        what: Literal["alive", "expected"] = "alive",
        horizon: str | float | None = None,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted purchase model, for customers of age ``T`` (in the model's unit)."""
        table = history_table(
            estimator, T=T, max_frequency=max_frequency, what=what, horizon=horizon
        )
        unit = getattr(estimator, "unit_", None) or ""
        return cls(table, what=what, unit=unit, language=language).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        frequency: Any,
        recency: Any,
        value: Any,
        *,
        what: Literal["alive", "expected"] = "alive",
        unit: str = "D",
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From histories on a grid and the answer for each."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "frequency": np.asarray(frequency, dtype=float),
                "recency": np.asarray(recency, dtype=float),
                "value": np.asarray(value, dtype=float),
            }
        )
        return cls(table, what=what, unit=unit, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        grid = self.table.pivot(index="recency", columns="frequency", values="value")
        x, y = grid.columns.to_numpy(dtype=float), grid.index.to_numpy(dtype=float)
        top = 1.0 if self.what == "alive" else float(np.nanmax(grid.to_numpy()))
        mesh = ax.pcolormesh(
            x, y, grid.to_numpy(), cmap=_style.SEQUENTIAL, vmin=0.0, vmax=top, shading="nearest"
        )
        mesh.set_rasterized(True)  # a page with many cells stays small
        bar = ax.figure.colorbar(mesh, ax=ax, fraction=0.05, pad=0.02)
        said = "chance of still being a customer" if self.what == "alive" else "expected orders"
        bar.set_label(self._word(said), color=_style.INK)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=0, colors=_style.MUTED)
        ax.set_xlabel(self._word("repeat orders"))
        ax.xaxis.get_major_locator().set_params(integer=True)
        unit = _style.UNITS.get(self.unit, self.unit)
        text = self._word("last order, time since the first one")
        ax.set_ylabel(f"{text} ({self._word(unit)})" if unit else text)
        _style.quiet_axes(ax, grid=None)
