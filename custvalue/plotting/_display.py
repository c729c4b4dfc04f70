"""What every Display shares: a public table in, axes out."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Self

from custvalue._words import Language, check_language
from custvalue.plotting import _style

if TYPE_CHECKING:
    import pandas as pd

_opened: list[tuple[weakref.ref[Any], weakref.ref[Any]]] = []  # (display, figure of its own)


class Display:
    """A picture over a table, after scikit-learn's Display convention.

    Parameters
    ----------
    table : DataFrame
        The numbers drawn, one row a mark; kept as ``table``.
    language : {"en", "zh"}, default="en"
        Language of the words in the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on, after ``plot``.
    figure_ : matplotlib Figure
        Their figure, after ``plot``.
    """

    _size = (6.4, 4.0)

    def __init__(self, table: pd.DataFrame, *, language: Language = "en") -> None:
        self.table = table
        self.language = check_language(language)

    def plot(self, ax: Any = None) -> Self:
        """Draw on ``ax``, or on a new figure; sets ``ax_`` and ``figure_`` and returns itself.

        pyplot keeps a new figure open, so that a notebook or ``plt.show()`` shows it. Where nothing
        is ever shown (a service, a script on a server) it is closed at the next such call, once
        nobody holds its Display any more; a closed figure can still be saved.
        """
        if ax is None:
            _close_forgotten()
            ax = _style.new_axes(self._size)
            _opened.append((weakref.ref(self), weakref.ref(ax.figure)))
        self._draw(ax)
        _style.set_letters(ax, self.language)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw(self, ax: Any) -> None:
        raise NotImplementedError

    def _word(self, text: str) -> str:
        return _style.word(text, self.language)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.table)} rows, language={self.language!r})"


def _close_forgotten() -> None:
    """Close what earlier displays opened and nobody holds, where no figure is ever shown."""
    import matplotlib
    from matplotlib.backends import BackendFilter, backend_registry

    unseen = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)
    if not _opened or matplotlib.get_backend().lower() not in unseen:
        return
    import matplotlib.pyplot as plt

    for display, figure in list(_opened):
        gone = display() is None
        if gone and (drawn := figure()) is not None:
            plt.close(drawn)
        if gone or figure() is None:
            _opened.remove((display, figure))
