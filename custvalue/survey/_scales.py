"""How far a scale of several items can be trusted, and gaps between what is hoped for and got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from custvalue import _frames
from custvalue._fitted import check_level
from custvalue._sklearn import weights_of
from custvalue._typing import Floats
from custvalue._words import SURVEY, Language
from custvalue.survey._estimate import check_scale, numbers

SERVQUAL = ("tangibles", "reliability", "responsiveness", "assurance", "empathy")
QUADRANTS = ("concentrate here", "keep up", "low priority", "possible overkill")


@dataclass(frozen=True)
class Reliability:
    """Cronbach's ``alpha``, ``without`` each item (by name), and ``n`` who answered all items.

    Examples
    --------
    >>> from custvalue.survey import reliability
    >>> reliability([[4, 5, 4], [3, 3, 2], [5, 5, 5], [2, 3, 3]]).n
    4
    """

    alpha: float
    without: dict[str, float]
    n: int

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row an item: alpha without it, beside alpha with all.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``item``, ``alpha_without``, ``alpha``, ``n``.
        """
        rows = {
            "item": list(self.without),
            "alpha_without": list(self.without.values()),
            "alpha": self.alpha,
            "n": self.n,
        }
        return SURVEY.table(pd.DataFrame(rows), language)


def reliability(X: Any) -> Reliability:
    """Cronbach's alpha of a scale, and what it would be without each item.

    ``k / (k - 1) (1 - sum of the items' variances / variance of their sum)`` (Cronbach 1951).

    Parameters
    ----------
    X : array-like or frame of shape (n, k)
        Answers, one column an item, all the same way round. Who leaves out an item is not counted.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        With fewer than two items or complete answers, or where the sum of items does not vary.

    Examples
    --------
    >>> from custvalue.survey import reliability
    >>> answers = [[4, 5, 4], [3, 3, 2], [5, 5, 5], [2, 3, 3], [4, 4, 5], [1, 2, 1]]
    >>> round(reliability(answers).alpha, 6)
    0.955854
    """
    names = _frames.column_names(X)
    x = numbers(X, "X")
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError(f"X has shape {x.shape}; a scale needs two items or more, one a column.")
    x = x[~np.isnan(x).any(axis=1)]
    if len(x) < 2:
        raise ValueError(f"{len(x)} respondents answered every item; two or more are needed.")
    names = [f"x{j}" for j in range(x.shape[1])] if names is None else [str(n) for n in names]
    second = np.cov(x, rowvar=False)
    if not second.sum() > 0:
        raise ValueError("the sum of the items does not vary, so it has no reliability.")
    without = {}
    for j, name in enumerate(names):
        others = np.delete(np.arange(len(names)), j)
        # one item left is no scale: nothing can agree with it
        without[name] = _alpha(second[np.ix_(others, others)]) if len(others) > 1 else 0.0
    return Reliability(_alpha(second), without, len(x))


def _alpha(second: Floats) -> float:
    k, whole = len(second), second.sum()
    return float(k / (k - 1) * (1.0 - np.trace(second) / whole)) if whole > 0 else 0.0


@dataclass(frozen=True)
class ExpectationGap:
    """Gaps between perception and expectation, ``plain`` (mean) and ``weighted``.

    ``dimensions``, and for each ``expected``, ``perceived``, ``gap``, ``low``, ``high`` (NaN where
    only means were given) and ``weights`` that add up to one; ``n`` respondents, 0 for means, and
    ``n_eff``, their effective size: the least of any dimension.

    Examples
    --------
    >>> from custvalue.survey import expectation_gap
    >>> expectation_gap([6.5, 6.2], [6.1, 6.3]).plain.__round__(6)
    -0.15
    """

    dimensions: tuple[str, ...]
    expected: Floats = field(repr=False)
    perceived: Floats = field(repr=False)
    gap: Floats
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    plain: float
    weighted: float
    n: int
    n_eff: float = 0.0

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row a dimension, the widest gap first.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``item``, ``weight``, ``expected``, ``perceived``, ``gap``, ``low``, ``high``, ``n``,
            ``n_eff``, ``reason`` (why there is no interval).
        """
        short = self.n < 2
        rows = {
            "item": [SURVEY.name(name, language) for name in self.dimensions],
            "weight": self.weights,
            "expected": self.expected,
            "perceived": self.perceived,
            "gap": self.gap,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "n_eff": self.n_eff,
            "reason": SURVEY.name("means were given, not answers" if short else "", language),
        }
        table = pd.DataFrame(rows).sort_values("gap", kind="stable", ignore_index=True)
        return SURVEY.table(table, language)


def expectation_gap(
    expected: Any,
    perceived: Any,
    weights: npt.ArrayLike | None = None,
    *,
    dimensions: Sequence[str] | None = None,
    sample_weight: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> ExpectationGap:
    """Perceived less expected service by dimension (SERVQUAL), plain and weighted.

    Parameters
    ----------
    expected, perceived : array-like or frame of shape (k,) or (n, k)
        Means of the dimensions, or answers of n respondents (the same rows in both), which give
        paired intervals. NaN is no answer.
    weights : array-like of shape (k,), optional
        Of the dimensions, divided by their sum; None is equal.
    dimensions : sequence of str, optional
        Their names; default: the columns' own, or for five without names those of SERVQUAL
        (有形性、可靠性、响应性、保证性、移情性).
    sample_weight : array-like of shape (n,), optional
        Of the respondents, as from `rake`.
    level : float, default=0.95

    Returns
    -------
    ExpectationGap

    Raises
    ------
    ValueError
        If shapes or weights don't fit, or nobody answered a dimension.

    References
    ----------
    Parasuraman, A., Zeithaml, V. & Berry, L. (1988). SERVQUAL. Journal of Retailing 64(1).

    Examples
    --------
    >>> from custvalue.survey import expectation_gap
    >>> gap = expectation_gap([6.5, 6.2, 6.8, 6.0, 6.4], [6.1, 6.3, 5.9, 5.8, 6.0],
    ...                       [11, 32, 22, 19, 16])
    >>> round(gap.plain, 6), round(gap.weighted, 6)
    (-0.36, -0.312)
    """
    e, p = numbers(expected, "expected"), numbers(perceived, "perceived")
    if e.shape != p.shape or e.ndim not in (1, 2) or not e.size:
        raise ValueError(
            f"expected has shape {e.shape}, perceived {p.shape}; both must be (k,) or (n, k)."
        )
    k = e.shape[-1]
    names = list(dimensions) if dimensions is not None else _frames.column_names(expected)
    if names is None:
        names = list(SERVQUAL) if k == len(SERVQUAL) else [f"x{j}" for j in range(k)]
    if len(names) != k:
        raise ValueError(f"dimensions={names!r} must be {k} names.")
    w = np.ones(k) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (k,) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise ValueError(f"weights={weights!r} must be {k} numbers, none negative.")
    w = w / w.sum()
    low = high = np.full(k, np.nan)
    n, size = 0, 0.0
    if e.ndim == 2:
        given = weights_of(sample_weight, len(e))
        each = p - e
        known = ~np.isnan(each)
        respondent = np.where(known, (np.ones(len(e)) if given is None else given)[:, None], 0.0)
        counts, total = (respondent > 0).sum(axis=0), respondent.sum(axis=0)
        if (counts == 0).any():
            lost = [names[j] for j in np.flatnonzero(counts == 0)]
            raise ValueError(f"nobody answered {', '.join(lost)} both ways; leave it out.")
        e, p = ((respondent * np.where(known, v, 0.0)).sum(axis=0) / total for v in (e, p))
        sizes = total**2 / (respondent**2).sum(axis=0)
        n, size = int(counts.min()), float(sizes.min())
        if n > 1:
            off = np.where(known, each - (p - e), 0.0)
            error = np.sqrt((respondent * off**2).sum(axis=0) / total / (sizes - 1.0))
            half = stats.t.ppf(0.5 + 0.5 * check_level(level), sizes - 1.0) * error
            low, high = p - e - half, p - e + half
    elif sample_weight is not None:
        raise ValueError("means have no respondents to weigh: sample_weight goes with answers.")
    elif np.isnan(e).any() or np.isnan(p).any():
        raise ValueError("means with NaN: leave out the dimensions that nobody answered.")
    gap = p - e
    return ExpectationGap(
        tuple(str(name) for name in names),
        e,
        p,
        gap,
        low,
        high,
        w,
        float(gap.mean()),
        float(w @ gap),
        n,
        size,
    )


@dataclass(frozen=True)
class ImportancePerformance:
    """Where each item stands between how much it matters and how well it is done.

    ``items`` with ``importance`` and ``performance``, ``cross`` (importance, performance) where the
    quadrants meet, ``quadrant`` of each (a code; `table` says it), and ``opportunity``.

    Examples
    --------
    >>> from custvalue.survey import importance_performance
    >>> importance_performance([9, 5], [4, 8]).quadrant
    ('concentrate here', 'possible overkill')
    """

    items: tuple[str, ...]
    importance: Floats = field(repr=False)
    performance: Floats = field(repr=False)
    cross: tuple[float, float]
    quadrant: tuple[str, ...]
    opportunity: Floats = field(repr=False)

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row an item, in the order given.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``item``, ``importance``, ``performance``, ``quadrant``, ``opportunity``.
        """
        rows = {
            "item": list(self.items),
            "importance": self.importance,
            "performance": self.performance,
            "quadrant": list(self.quadrant),
            "opportunity": self.opportunity,
        }
        return SURVEY.table(pd.DataFrame(rows), language, cells=("quadrant",))


def importance_performance(
    importance: Any,
    performance: Any,
    cross: str | Sequence[float] = "mean",
    *,
    scale: Sequence[float] | None = None,
    items: Sequence[str] | None = None,
) -> ImportancePerformance:
    """Importance-performance analysis (Martilla & James 1977), with Ulwick's opportunity score.

    Important and not done well: concentrate here (重点改进); important and done well: keep up
    (继续保持); neither: low priority (低优先); done well without need: possible overkill
    (过度供给). A value on the cross counts as high.

    Parameters
    ----------
    importance, performance : array-like of shape (k,)
        One number an item; a Series lends its names, and two Series are matched by them.
    cross : {"mean", "middle"} or pair of float, default="mean"
        Where the quadrants meet, importance first: at the means of the items, at the middle of
        ``scale``, or as given.
    scale : pair of float, optional
        Lowest and highest answer, for ``"middle"``.
    items : sequence of str, optional
        Names of the items.

    Returns
    -------
    ImportancePerformance
        ``opportunity`` is ``I + max(I - P, 0)`` (Ulwick 2002), meant for numbers from 0 to 10:
        ten times the shares who call it important, and are content.

    Raises
    ------
    ValueError
        If the two do not belong to the same items, or ``cross`` cannot be.

    Examples
    --------
    >>> from custvalue.survey import importance_performance
    >>> found = importance_performance([9.1, 8.4, 6.0, 5.2, 7.6], [6.2, 8.8, 8.9, 5.0, 7.4])
    >>> found.quadrant[0], found.opportunity.round(6).tolist()
    ('concentrate here', [12.0, 8.4, 6.0, 5.4, 7.8])
    """
    if isinstance(importance, pd.Series) and isinstance(performance, pd.Series):
        odd = sorted({*map(str, importance.index)} ^ {*map(str, performance.index)})
        if odd:
            raise ValueError(f"importance and performance are of other items: {', '.join(odd)}.")
        performance = performance.reindex(importance.index)
    names = items
    if names is None and isinstance(importance, pd.Series):
        names = [str(name) for name in importance.index]
    i, p = numbers(importance, "importance"), numbers(performance, "performance")
    if i.ndim != 1 or i.shape != p.shape or not len(i):
        raise ValueError(
            f"importance has shape {i.shape}, performance {p.shape}; both must be (k,)."
        )
    if not (np.isfinite(i).all() and np.isfinite(p).all()):
        raise ValueError("importance and performance must be numbers; leave out what is unknown.")
    names = [f"x{j}" for j in range(len(i))] if names is None else list(names)
    if len(names) != len(i):
        raise ValueError(f"items={names!r} must be {len(i)} names.")
    at = _cross(i, p, cross, scale)
    # a mean of equal numbers must not fall between them by rounding
    high_i, high_p = (v >= c - 1e-12 * max(1.0, abs(c)) for v, c in zip((i, p), at, strict=True))
    place = np.where(high_i, np.where(high_p, 1, 0), np.where(high_p, 3, 2))
    return ImportancePerformance(
        tuple(names), i, p, at, tuple(QUADRANTS[q] for q in place), i + np.maximum(i - p, 0.0)
    )


def _cross(i: Floats, p: Floats, cross: Any, scale: Any) -> tuple[float, float]:
    if isinstance(cross, str):
        if cross == "mean":
            return float(i.mean()), float(p.mean())
        if cross == "middle":
            middle = sum(check_scale(scale)) / 2.0
            return middle, middle
    elif np.shape(cross) == (2,) and np.isfinite(np.asarray(cross, dtype=np.float64)).all():
        return float(cross[0]), float(cross[1])
    raise ValueError(f"cross={cross!r} must be 'mean', 'middle' (with scale=) or two numbers.")
