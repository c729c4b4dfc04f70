"""Who moves where: a transition heat map, and the flow between two dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from custvalue._words import Language
from custvalue.plotting import _style
from custvalue.plotting._display import Display
from custvalue.plotting._segments import heat_map

if TYPE_CHECKING:
    import pandas as pd


def flow_table(before: Any, after: Any, value: Any = None) -> pd.DataFrame:
    """Count the customers (and money) that went from each class to each class.

    Parameters
    ----------
    before, after : array-like of str, shape (n_customers,)
        Class of each customer on the earlier and the later date, in the same order.
    value : array-like of shape (n_customers,), optional
        Money of each customer.

    Returns
    -------
    DataFrame
        ``from``, ``to``, ``customers``, ``share`` (of those who were in ``from``) and, with
        ``value``, ``value``; only moves that happened.

    Raises
    ------
    ValueError
        If the two have different lengths.

    Examples
    --------
    >>> flow_table(["new", "new", "core"], ["core", "new", "core"])
       from    to  customers  share
    0  core  core          1    1.0
    1   new  core          1    0.5
    2   new   new          1    0.5
    """
    import pandas as pd

    start, names = _coded(before)
    end, ends = _coded(after)
    if len(start) != len(end):
        raise ValueError(
            f"before has {len(start)} customers and after {len(end)}; they must be the same."
        )
    move = start * len(ends) + end
    customers = np.bincount(move, minlength=len(names) * len(ends))
    seen = np.flatnonzero(customers)
    table = pd.DataFrame(
        {
            "from": names[seen // len(ends)],
            "to": ends[seen % len(ends)],
            "customers": customers[seen],
        }
    )
    table["share"] = table["customers"] / table.groupby("from")["customers"].transform("sum")
    if value is not None:
        money = np.bincount(move, np.asarray(value, dtype=float), minlength=len(customers))
        table["value"] = money[seen]
    return table


def _coded(classes: Any) -> tuple[Any, Any]:
    """Codes of ``classes`` and their names in order; only distinct ones become text."""
    import pandas as pd

    codes, found = pd.factorize(np.asarray(classes, dtype=object), use_na_sentinel=False)
    names, place = np.unique(np.asarray(found).astype(str), return_inverse=True)
    return place[codes], names


class TransitionDisplay(Display):
    """Heat map of a transition matrix, in per cent.

    Parameters
    ----------
    table : DataFrame
        One row a move: ``from``, ``to``, ``share``.
    order : sequence of str, optional
        States from top to bottom; default: as they first appear.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.plotting import TransitionDisplay
    >>> display = TransitionDisplay.from_predictions(np.array([[0.9, 0.1], [0.2, 0.8]]), ["a", "b"])
    >>> display.table["share"].tolist()
    [0.9, 0.1, 0.2, 0.8]
    """

    _size = (6.4, 4.8)

    def __init__(self, table: Any, *, order: Any = None, language: Language = "en") -> None:
        super().__init__(table, language=language)
        self.order = list(dict.fromkeys([*table["from"], *table["to"]])) if order is None else order

    @classmethod
    def from_estimator(cls, estimator: Any, *, language: Language = "en", ax: Any = None) -> Self:
        """From a fitted ``MarkovCLVEstimator`` or a ``Chain``: its states and matrix."""
        chain = getattr(estimator, "chain_", estimator)
        return cls.from_predictions(chain.matrix, chain.states, language=language, ax=ax)

    @classmethod
    def from_predictions(
        cls, matrix: Any, states: Any, *, language: Language = "en", ax: Any = None
    ) -> Self:
        """From a matrix of shape (n_states, n_states) and the states' names."""
        import pandas as pd

        dense = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix, dtype=float)
        names = _style.state_names(states)
        table = pd.DataFrame(
            {
                "from": np.repeat(names, len(names)),
                "to": np.tile(names, len(names)),
                "share": dense.ravel(),
            }
        )
        return cls(table, order=names, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        wide = self.table.pivot(index="from", columns="to", values="share")
        grid = wide.reindex(index=self.order, columns=self.order).fillna(0.0).to_numpy(dtype=float)
        few = len(self.order) <= 14
        cells = [[f"{100 * p:.0f}" if few and p >= 0.005 else "" for p in row] for row in grid]
        heat_map(ax, 100.0 * grid, cells, bar=self._word("% of customers"))
        if len(self.order) <= 40:
            names = _style.words(self.order, self.language)
            ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
            ax.set_yticks(range(len(names)), names)
        ax.set_xlabel(self._word("state one period later"))
        ax.set_ylabel(self._word("state now"))


class FlowDisplay(Display):
    """Flow of customers between classes on two dates: bands as wide as the customers in them.

    Parameters
    ----------
    table : DataFrame
        What `flow_table` returns.
    order : sequence of str, optional
        Classes from top to bottom; default: the largest first.
    dates : pair of str, default=("before", "after")
        Headings of the two columns.
    language : {"en", "zh"}, default="en"

    Examples
    --------
    >>> from custvalue.plotting import FlowDisplay
    >>> FlowDisplay.from_predictions(["new", "new"], ["core", "new"]).table["customers"].tolist()
    [1, 1]
    """

    _size = (6.4, 4.6)

    def __init__(
        self,
        table: Any,
        *,
        order: Any = None,
        dates: tuple[str, str] = ("before", "after"),
        language: Language = "en",
    ) -> None:
        super().__init__(table, language=language)
        if order is None:
            sizes = table.groupby("from")["customers"].sum()
            sizes = sizes.add(table.groupby("to")["customers"].sum(), fill_value=0)
            order = list(sizes.sort_values(ascending=False, kind="stable").index)
        self.order = list(order)
        self.dates = dates

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_before: Any,
        X_after: Any,
        *,
        dates: tuple[str, str] = ("before", "after"),
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From a fitted ``LifecycleClassifier`` and the same customers on two dates."""
        return cls.from_predictions(
            estimator.predict(X_before),
            estimator.predict(X_after),
            dates=dates,
            language=language,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        before: Any,
        after: Any,
        *,
        dates: tuple[str, str] = ("before", "after"),
        order: Any = None,
        language: Language = "en",
        ax: Any = None,
    ) -> Self:
        """From the class of each customer on two dates."""
        table = flow_table(before, after)
        return cls(table, order=order, dates=dates, language=language).plot(ax)

    def _draw(self, ax: Any) -> None:
        from matplotlib.patches import PathPatch, Rectangle
        from matplotlib.path import Path

        total = float(self.table["customers"].sum()) or 1.0
        room = 0.02 * total
        sides = [self._stack("from", room), self._stack("to", room)]
        colour = {name: _style.CYCLE[i % len(_style.CYCLE)] for i, name in enumerate(self.order)}
        at = [dict(tops) for tops, _ in sides]
        rank = {name: i for i, name in enumerate(self.order)}
        moves = sorted(
            self.table[["from", "to", "customers"]].itertuples(index=False, name=None),
            key=lambda move: (rank[move[0]], rank[move[1]]),
        )
        for start, end, n in moves:
            y0, y1 = at[0][start], at[1][end]
            at[0][start] -= n
            at[1][end] -= n
            points = [(0.04, y0), (0.5, y0), (0.5, y1), (0.96, y1)]
            points += [(0.96, y1 - n), (0.5, y1 - n), (0.5, y0 - n), (0.04, y0 - n), (0.04, y0)]
            codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.LINETO]
            ax.add_patch(
                PathPatch(Path(points, codes), facecolor=colour[start], alpha=0.45, linewidth=0)
            )
        for x, side, align in ((0.0, 0, "right"), (0.96, 1, "left")):
            tops, sizes = sides[side]
            for name, top in tops.items():
                n = sizes[name]
                box = Rectangle((x, top - n), 0.04, n, facecolor=colour[name])
                box.set(edgecolor=_style.MUTED, linewidth=0.6)
                ax.add_patch(box)
                if n >= 0.012 * total:
                    ax.text(
                        x - 0.015 if side == 0 else x + 0.055,
                        top - n / 2,
                        f"{self._word(name)}  {n / total:.0%}",
                        ha=align,
                        va="center",
                        fontsize=9,
                        color=_style.INK,
                    )
        high = max(max(tops.values(), default=0.0) for tops, _ in sides)
        low = min(min((t - s[n] for n, t in tops.items()), default=0.0) for tops, s in sides)
        for x, date, align in ((0.04, self.dates[0], "right"), (0.96, self.dates[1], "left")):
            ax.text(
                x, high + 0.03 * total, self._word(date), ha=align, weight="bold", color=_style.INK
            )
        ax.set(xlim=(-0.28, 1.28), ylim=(low, high + 0.09 * total))
        ax.set_axis_off()

    def _stack(self, side: str, room: float) -> tuple[dict[str, float], dict[str, float]]:
        sizes = {str(k): float(n) for k, n in self.table.groupby(side)["customers"].sum().items()}
        tops: dict[str, float] = {}
        y = float(sum(sizes.values())) + room * (len(sizes) - 1)
        for name in self.order:
            if name in sizes:
                tops[name] = y
                y -= sizes[name] + room
        return tops, sizes
