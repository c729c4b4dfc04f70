"""How far today's customers have moved from those that frozen cut points were learned on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._html import html_table


def population_stability(before: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """Compute the population stability index of two distributions over the same classes.

    ``sum((q - p) log(q / p))``, the symmetric Kullback-Leibler divergence. Below 0.1 little has
    changed, above 0.25 much has. Shares of zero count as 0.0001.

    Parameters
    ----------
    before, now : array-like of shape (k,)
        Shares, each summing to one.

    Returns
    -------
    float

    Examples
    --------
    >>> from custvalue._drift import population_stability
    >>> round(population_stability([0.5, 0.5], [0.6, 0.4]), 4)
    0.0405
    """
    p = np.maximum(np.asarray(before, dtype=np.float64), 1e-4)
    q = np.maximum(np.asarray(now, dtype=np.float64), 1e-4)
    if p.shape != q.shape:
        raise ValueError(f"before {p.shape} and now {q.shape} must be shares of the same classes.")
    return float(((q - p) * np.log(q / p)).sum())


@dataclass(frozen=True)
class DriftReport:
    """What ``drift`` found; ``print`` shows it in words.

    Parameters
    ----------
    variables : tuple of str
    stability : tuple of float
        Population stability index of each variable.
    moved : tuple of float
        Share of the rows whose class of that variable would change if cut points were learned anew.
    moved_any : float
        Share of the rows that would change in any variable.
    n_rows : int

    Examples
    --------
    >>> from custvalue._drift import DriftReport
    >>> print(DriftReport(("silence",), (0.04,), (0.11,), 0.11, 500))
    drift of 500 rows against the fitted cut points
      silence: stability index 0.040 (little change); 11.0 % would move if learned anew
      any: 11.0 % would move
    """

    variables: tuple[str, ...]
    stability: tuple[float, ...]
    moved: tuple[float, ...]
    moved_any: float
    n_rows: int

    def _repr_html_(self) -> str:
        parts = zip(self.variables, self.stability, self.moved, strict=True)
        rows = [(name, round(psi, 4), _word(psi), f"{moved:.1%}") for name, psi, moved in parts]
        head = ["variable", "stability index", "", "would move"]
        return html_table(f"Drift of {self.n_rows:,} rows", head, rows)

    def __str__(self) -> str:
        lines = [f"drift of {self.n_rows:,} rows against the fitted cut points"]
        for name, psi, moved in zip(self.variables, self.stability, self.moved, strict=True):
            lines.append(
                f"  {name}: stability index {psi:.3f} ({_word(psi)}); "
                f"{moved:.1%} would move if learned anew".replace("%", " %")
            )
        lines.append(f"  any: {self.moved_any:.1%} would move".replace("%", " %"))
        return "\n".join(lines)

    def to_frame(self) -> Any:
        """One row a variable: ``variable``, ``stability``, ``change`` (in words), ``moved``.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "variable": self.variables,
                "stability": self.stability,
                "change": [_word(psi) for psi in self.stability],
                "moved": self.moved,
            }
        )


def class_shares(classes: npt.NDArray[Any], sizes: Sequence[int]) -> tuple[tuple[float, ...], ...]:
    """Share of the rows in each class 0 to ``size - 1``, for every column of ``classes``."""
    return tuple(
        tuple((np.bincount(column, minlength=size) / len(classes)).tolist())
        for column, size in zip(classes.T, sizes, strict=True)
    )


def drift_report(
    variables: Sequence[str],
    before: Sequence[npt.ArrayLike],
    now: npt.NDArray[Any],
    anew: npt.NDArray[Any],
) -> DriftReport:
    """Compare classes by the frozen cut points with those by cut points learned anew.

    Parameters
    ----------
    variables : sequence of k str
    before : sequence of k array-like
        Shares of the fitted rows in the classes of each variable.
    now, anew : ndarray of shape (n, k), int
        Classes 0, 1, ... of the new rows: by the frozen cut points, and by new ones.

    Returns
    -------
    DriftReport

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._drift import drift_report
    >>> now, anew = np.array([[0], [1]]), np.array([[0], [0]])
    >>> drift_report(["grade"], [[0.5, 0.5]], now, anew).moved
    (0.5,)
    """
    shares = class_shares(now, [len(np.asarray(p)) for p in before])
    moved = now != anew
    return DriftReport(
        tuple(str(name) for name in variables),
        tuple(population_stability(p, q) for p, q in zip(before, shares, strict=True)),
        tuple(moved.mean(axis=0).tolist()),
        float(moved.any(axis=1).mean()),
        len(now),
    )


def _word(psi: float) -> str:
    return "little change" if psi < 0.1 else "some change" if psi < 0.25 else "much change"
