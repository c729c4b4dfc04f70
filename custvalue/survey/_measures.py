"""Satisfaction, recommendation and reputation: functions of answers, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from custvalue._fitted import check_level
from custvalue._html import HtmlFacts
from custvalue._sklearn import weights_of
from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.survey._estimate import (
    Estimate,
    Scores,
    bootstrap,
    check_scale,
    estimate,
    item_scores,
    quantiles,
    read_answers,
)

MEASURES = ("mean", "index", "net_promoter", "top_box", "share")


def measure_scores(
    answers: Any,
    measure: str,
    scale: Any,
    *,
    sample_weight: npt.ArrayLike | None = None,
    not_applicable: Sequence[float] = (),
    top: float = 2,
    weights: npt.ArrayLike | None = None,
    name: str = "answers",
) -> Scores:
    """Make of each row of answers what a measure makes of it; the measure is their weighted mean.

    An index of several columns counts the rows that answer all of them.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure={measure!r} must be one of {', '.join(map(repr, MEASURES))}.")
    scale = (0, 1) if measure == "share" and scale is None else scale
    low, high = check_scale(scale)
    several = measure == "index" and np.ndim(answers) == 2
    x = read_answers(answers, scale, name=name, not_applicable=not_applicable, columns=several)
    if measure == "mean":
        return item_scores(x, sample_weight)
    if measure == "index":
        rescaled = 100.0 * (x - low) / (high - low)
        if several:
            rescaled = rescaled @ _item_weights(weights, x.shape[1])
        return item_scores(rescaled, sample_weight)
    if measure == "net_promoter":
        if high - low != 10:
            raise ValueError(
                f"scale={scale!r} has not the eleven points of the question; state (0, 10), or "
                "(1, 11) where the file counts from 1."
            )
        score = 100.0 * (x >= high - 1) - 100.0 * (x <= low + 6)
        return item_scores(np.where(np.isnan(x), np.nan, score), sample_weight, "law")
    if measure == "share":
        if (bad := ~np.isnan(x) & (x != 0) & (x != 1)).any():
            raise DataContractError(
                ContractProblem(
                    "not-0-or-1",
                    f"{name} has values other than 0 and 1",
                    "Code yes as 1 and no as 0.",
                    int(bad.sum()),
                    first_ids(np.flatnonzero(bad)),
                )
            )
        return item_scores(x, sample_weight, "share")
    if not 0 < top <= high - low:
        raise ValueError(
            f"top={top!r} must be above 0 and at most the {high - low:g} steps of the scale."
        )
    hit = np.where(np.isnan(x), np.nan, (x > high - top).astype(float))
    return item_scores(hit, sample_weight, "share")


def _item_weights(weights: Any, k: int) -> Floats:
    """Weights of k items, adding up to one; None is equal ones."""
    w = np.ones(k) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (k,) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise ValueError(f"weights={weights!r} must be {k} numbers, one an item, none negative.")
    return w / w.sum()


def net_promoter(
    answers: npt.ArrayLike,
    scale: Sequence[float] = (0, 10),
    *,
    sample_weight: npt.ArrayLike | None = None,
    not_applicable: Sequence[float] = (),
    level: float = 0.95,
) -> Estimate:
    """Net promoter score: promoters (top 2 of 11 points) less detractors (bottom 7), in points.

    The variance is ``(p + d - (p - d)^2) / n_eff`` of shares p and d of promoters and detractors.

    Parameters
    ----------
    answers : array-like of shape (n,)
        Answers to "how likely would you recommend us"; NaN is no answer.
    scale : pair of float, default=(0, 10)
        Lowest and highest answer. Files that run from 1 to 11 need ``(1, 11)``: read as 0 to 10
        they would flatter.
    sample_weight : array-like of shape (n,), optional
    not_applicable : sequence of float, default=()
        Codes of no answer.
    level : float, default=0.95
        Share of cases in which the interval holds.

    Returns
    -------
    Estimate
        From -100 to 100.

    Raises
    ------
    DataContractError
        If an answer lies outside the scale.
    ValueError
        If the scale has not eleven points.

    References
    ----------
    Reichheld, F. (2003). The one number you need to grow. Harvard Business Review 81(12).

    Examples
    --------
    >>> from custvalue.survey import net_promoter
    >>> net_promoter([10, 9, 9, 8, 7, 6, 10, 3, 9, 8])
    30 (-18.41 to 78.41), n = 10
    """
    scores = measure_scores(
        answers,
        "net_promoter",
        scale,
        sample_weight=sample_weight,
        not_applicable=not_applicable,
    )
    return estimate(scores, check_level(level))


def top_box(
    answers: npt.ArrayLike,
    *,
    scale: Sequence[float],
    top: float = 2,
    sample_weight: npt.ArrayLike | None = None,
    not_applicable: Sequence[float] = (),
    level: float = 0.95,
) -> Estimate:
    """Share of answers among the best points of the scale, with Wilson's interval.

    Parameters
    ----------
    answers : array-like of shape (n,)
        NaN is no answer.
    scale : pair of float
        Lowest and highest answer.
    top : float, default=2
        How many points from the top count.
    sample_weight : array-like of shape (n,), optional
    not_applicable : sequence of float, default=()
        Codes of no answer.
    level : float, default=0.95

    Returns
    -------
    Estimate
        From 0 to 1.

    Raises
    ------
    DataContractError
        If an answer lies outside the scale.

    Examples
    --------
    >>> from custvalue.survey import top_box
    >>> top_box([5] * 14 + [4] * 12 + [2] * 14, scale=(1, 5))
    0.65 (0.4951 to 0.7787), n = 40
    """
    scores = measure_scores(
        answers,
        "top_box",
        scale,
        sample_weight=sample_weight,
        not_applicable=not_applicable,
        top=top,
    )
    return estimate(scores, check_level(level))


@dataclass(frozen=True, repr=False)
class SatisfactionIndex(Estimate):
    """An `Estimate` from 0 to 100, with the items' ``weights`` (adding up to one).

    ``n_draws`` and ``random_state`` say how the interval was drawn, where the weights were learned.

    Examples
    --------
    >>> from custvalue.survey import satisfaction_index
    >>> satisfaction_index([[5, 3], [4, 4], [1, 2]], scale=(1, 5)).weights
    (0.5, 0.5)
    """

    weights: tuple[float, ...] = ()
    n_draws: int | None = None
    random_state: Any = None


def satisfaction_index(
    X: Any,
    scale: Sequence[float],
    weights: Any = None,
    *,
    sample_weight: npt.ArrayLike | None = None,
    not_applicable: Sequence[float] = (),
    level: float = 0.95,
    n_draws: int = 1000,
    random_state: Any = 0,
) -> SatisfactionIndex:
    """Satisfaction from 0 to 100: the weighted mean of rescaled items, in the form of the ACSI.

    ``100 sum_i w_i (mean_i - low) / (high - low)`` (Fornell et al. 1996). The ACSI's own weights
    come from partial least squares and are proprietary; ``"pc1"`` is the usual stand-in.

    Parameters
    ----------
    X : array-like or frame of shape (n, k)
        Answers, one column an item; respondents who leave out an item are not counted.
    scale : pair of float
        Lowest and highest answer, the same for all items.
    weights : array-like of shape (k,), "pc1" or None
        Of the items, divided by their sum; ``"pc1"`` takes the first principal component of their
        covariances; None is equal.
    sample_weight : array-like of shape (n,), optional
    not_applicable : sequence of float, default=()
        Codes of no answer.
    level : float, default=0.95
    n_draws : int, default=1000
        Draws of respondents for the interval where weights are learned; else it is Student's.
    random_state : int, Generator or None, default=0

    Returns
    -------
    SatisfactionIndex

    Raises
    ------
    DataContractError
        If an answer lies outside the scale.
    ValueError
        If weights don't fit; if ``"pc1"`` has an item that runs against the others, or nothing
        varies.

    Examples
    --------
    >>> from custvalue.survey import satisfaction_index
    >>> satisfaction_index([[8, 7, 7], [9, 8, 7]], scale=(1, 10)).value.__round__(4)
    74.0741
    """
    x = read_answers(X, scale, name="X", not_applicable=not_applicable, columns=True)
    low, high = check_scale(scale)
    w = weights_of(sample_weight, len(x))
    w = np.ones(len(x)) if w is None else w
    complete = ~np.isnan(x).any(axis=1) & (w > 0)
    z, w = 100.0 * (x[complete] - low) / (high - low), w[complete]
    if not isinstance(weights, str):
        items = _item_weights(weights, x.shape[1])
        plain = estimate(item_scores(z @ items, w), check_level(level))
        return SatisfactionIndex(**vars(plain), weights=tuple(items.tolist()))
    if weights != "pc1":
        raise ValueError(f"weights={weights!r} must be numbers, 'pc1' or None.")
    if len(z) < 2:
        raise ValueError("weights='pc1' needs two respondents or more who answered every item.")
    items = _first_component(z, w[None])[0]
    if not (items > 0).all():
        raise ValueError(
            f"weights='pc1': items {np.flatnonzero(items <= 0).tolist()} (counted from 0) run "
            "against the others or do not vary; turn reversed items round or leave them out."
        )
    plain = estimate(item_scores(z @ items, w), check_level(level))

    def index(draws: Floats) -> Floats:
        drawn = draws * w
        return ((drawn @ z) * _first_component(z, drawn)).sum(axis=1) / drawn.sum(axis=1)

    drawn = bootstrap(index, len(z), n_draws=n_draws, random_state=random_state)
    ends = quantiles(drawn, level)
    changed = vars(plain) | {
        "low": float(ends[0]),
        "high": float(ends[1]),
        "standard_error": float(drawn.std(ddof=1)),
    }
    return SatisfactionIndex(
        **changed, weights=tuple(items.tolist()), n_draws=n_draws, random_state=random_state
    )


def _first_component(z: Floats, draws: Floats) -> Floats:
    """First principal component of each draw of weights, adding up to one; shape (n_draws, k)."""
    total = draws.sum(axis=1)[:, None]
    mean = draws @ z / total
    products = (z[:, :, None] * z[:, None, :]).reshape(len(z), -1)
    second = (draws @ products / total).reshape(-1, z.shape[1], z.shape[1])
    _, vectors = np.linalg.eigh(second - mean[:, :, None] * mean[:, None, :])
    first = vectors[..., -1]
    # a vector's sign is free: most of the items count upwards
    first = first * np.where(first.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    return first / np.abs(first).sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class WaveChange(HtmlFacts):
    """Change of a measure between two waves.

    ``difference`` (after less before), ``standard_error``, ``low``, ``high``, ``z`` (difference
    over error), ``n_before``, ``n_after`` and ``n_both``: respondents who answered in both.

    Examples
    --------
    >>> from custvalue.survey import wave_change
    >>> wave_change([3, 4, 2], [4, 5, 3], scale=(1, 5)).n_both
    0
    """

    difference: float
    standard_error: float
    low: float
    high: float
    z: float
    n_before: int
    n_after: int
    n_both: int


def wave_change(
    before: Any,
    after: Any,
    *,
    measure: str = "mean",
    scale: Sequence[float] | None = None,
    respondent: tuple[Any, Any] | None = None,
    sample_weight: tuple[Any, Any] = (None, None),
    not_applicable: Sequence[float] = (),
    top: float = 2,
    level: float = 0.95,
) -> WaveChange:
    """Difference between two waves, paired as far as the same respondents answered both.

    With respondents named, the covariance of those who answered twice is taken off: all of them,
    and this is the paired test; none, and the variances add up.

    Parameters
    ----------
    before, after : array-like of shape (n,), or Estimate
        Answers of two waves; or two published estimates, then taken as independent.
    measure : {"mean", "index", "net_promoter", "top_box", "share"}, default="mean"
        What is compared; see `net_promoter`, `top_box`, `satisfaction_index`.
    scale : pair of float
        Lowest and highest answer.
    respondent : pair of array-like, optional
        Ids of the respondents of either wave, each once.
    sample_weight : pair of array-like or None
        Weights of either wave.
    not_applicable : sequence of float, default=()
        Codes of no answer.
    top : float, default=2
        Points from the top that count, for ``"top_box"``.
    level : float, default=0.95

    Returns
    -------
    WaveChange

    Raises
    ------
    DataContractError
        If an answer lies outside the scale, or an id occurs twice in a wave.
    ValueError
        If a wave has fewer than two answers.

    Examples
    --------
    >>> from custvalue.survey import wave_change
    >>> change = wave_change([3, 4, 2, 4], [4, 5, 3, 4], scale=(1, 5),
    ...                      respondent=("abcd", "abcd"))
    >>> change.difference, round(change.standard_error, 6)
    (0.75, 0.25)
    """
    check_level(level)
    if isinstance(before, Estimate) and isinstance(after, Estimate):
        variance = before.standard_error**2 + after.standard_error**2
        return _change(before, after, variance, np.inf, 0, level)
    if isinstance(before, Estimate) or isinstance(after, Estimate):
        raise ValueError("before and after must both be estimates, or both be answers.")
    waves = [
        measure_scores(
            answers,
            measure,
            scale,
            sample_weight=weight,
            not_applicable=not_applicable,
            top=top,
            name=name,
        )
        for answers, weight, name in zip(
            (before, after), sample_weight, ("before", "after"), strict=True
        )
    ]
    ids = None
    if respondent is not None:
        ids = [np.asarray(list(one), dtype=object) for one in respondent]
    return change_of(waves[0], waves[1], ids, level)


def change_of(a: Scores, b: Scores, ids: Sequence[Any] | None, level: float) -> WaveChange:
    """Change from scores ``a`` to ``b``; ``ids`` are those of all rows of either input."""
    first, second = estimate(a, level), estimate(b, level)
    if min(first.n, second.n) < 2:
        raise ValueError(
            f"a change needs two answers or more in either wave, not {first.n} and {second.n}."
        )
    covariance, common = 0.0, 0
    if ids is not None:
        at_a, at_b = _both(ids[0][a.row], ids[1][b.row])
        common = len(at_a)
        if common > 1:
            root = np.sqrt(a.weight[at_a] * b.weight[at_b])
            moves = (a.value[at_a] - first.value) * (b.value[at_b] - second.value)
            covariance = float(root @ moves / root.sum())
            covariance *= float(root @ root) / (a.weight.sum() * b.weight.sum())
            if a.spread_of == "sample":
                size = root.sum() ** 2 / (root @ root)
                covariance *= size / (size - 1.0)
    variances = first.standard_error**2, second.standard_error**2
    freedom = np.inf
    if a.spread_of == "sample" and sum(variances) > 0:  # Welch's; with all paired, n - 1
        freedom = sum(variances) ** 2 / (
            variances[0] ** 2 / (first.n_eff - 1.0) + variances[1] ** 2 / (second.n_eff - 1.0)
        )
        if common == first.n == second.n:
            freedom = first.n_eff - 1.0
    return _change(first, second, sum(variances) - 2.0 * covariance, freedom, common, level)


def _change(
    before: Estimate, after: Estimate, variance: float, freedom: float, common: int, level: float
) -> WaveChange:
    difference = after.value - before.value
    error = float(np.sqrt(max(variance, 0.0)))
    factor = float(stats.t.ppf(0.5 + 0.5 * level, freedom))
    if error > 0:
        z = difference / error
    else:  # no spread at all: any difference is beyond doubt, and none is none
        z = float(np.copysign(np.inf, difference)) if difference else 0.0
    return WaveChange(
        difference,
        error,
        difference - factor * error,
        difference + factor * error,
        z,
        before.n,
        after.n,
        common,
    )


def _both(a: Any, b: Any) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the ids that are in both."""
    first, second = pd.Index(a), pd.Index(b)
    problems = [
        ContractProblem(
            "repeated-respondent",
            f"the wave {name} has respondents more than once",
            "Keep one answer a respondent and wave.",
            int(ids.duplicated().sum()),
            first_ids(ids[ids.duplicated()]),
        )
        for name, ids in (("before", first), ("after", second))
        if not ids.is_unique
    ]
    if problems:
        raise DataContractError(problems)
    place = second.get_indexer(first)
    at = np.flatnonzero(place >= 0)
    return at, place[at]
