"""What every Display shares: a public table in, axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from custvalue._labels import Language, check_language
from custvalue.plotting import _style

if TYPE_CHECKING:
    import pandas as pd


class Display:
    """A picture over a table, after scikit-learn's Display convention.

    Parameters
    ----------
    table : DataFrame
        The numbers drawn, one row a mark; kept as ``table``.
    labels : {"en", "zh"}, default="en"
        Language of the words in the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on, after ``plot``.
    figure_ : matplotlib Figure
        Their figure, after ``plot``.
    """

    _size = (6.4, 4.0)

    def __init__(self, table: pd.DataFrame, *, labels: Language = "en") -> None:
        self.table = table
        self.labels = check_language(labels)

    def plot(self, ax: Any = None) -> Self:
        """Draw on ``ax``, or on a new figure; sets ``ax_`` and ``figure_`` and returns itself."""
        if ax is None:
            ax = _style.new_axes(self._size)
        self._draw(ax)
        _style.set_letters(ax, self.labels)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw(self, ax: Any) -> None:
        raise NotImplementedError

    def _word(self, text: str) -> str:
        return _style.word(text, self.labels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.table)} rows, labels={self.labels!r})"
