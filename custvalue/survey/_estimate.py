"""A number learned from answers, with its interval; effective sizes; answers on their scale."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from custvalue import _kernels
from custvalue._html import HtmlFacts
from custvalue._sklearn import weights_of
from custvalue._typing import Floats
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    NotSupportedError,
)

FEW = 20  # fewer answers than this in a cell are worth a warning
SCHEMA = 2  # of the room's models as JSON
TOO_FEW = "fewer than 2 answers"


@dataclass(frozen=True, repr=False)
class Estimate(HtmlFacts):
    """A number learned from answers.

    Parameters
    ----------
    value : float
        NaN where nobody answered.
    standard_error : float
    low, high : float
        Ends of the interval; NaN where there is none.
    n : int
        Answers counted.
    n_eff : float
        Effective size: as many equal weights would tell as much (Kish 1965).
    reason : str, default=""
        Why there is no interval.

    Examples
    --------
    >>> from custvalue.survey import top_box
    >>> found = top_box([5, 4, 3, 5, 1], scale=(1, 5))
    >>> found
    0.6 (0.2307 to 0.8824), n = 5
    >>> float(found)
    0.6
    """

    value: float
    standard_error: float
    low: float
    high: float
    n: int
    n_eff: float
    reason: str = ""

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        span = self.reason or f"{self.low:.4g} to {self.high:.4g}"
        return f"{self.value:.4g} ({span}), n = {self.n}"


@dataclass(frozen=True)
class Scores:
    """What a measure makes of each answer; the measure is their weighted mean.

    ``value`` and ``weight`` have one entry an answer, ``row`` says whose row of the input it is.
    ``spread_of`` is ``"sample"`` (a mean: n - 1, Student's t), ``"share"`` (0 or 1: Wilson) or
    ``"law"`` (a score of shares: n, normal).
    """

    value: Floats
    weight: Floats
    row: npt.NDArray[np.intp]
    spread_of: str


def effective_size(sample_weight: npt.ArrayLike) -> float:
    """Effective size of weighted answers, ``(sum w)^2 / sum w^2`` (Kish 1965).

    Parameters
    ----------
    sample_weight : array-like of shape (n,)
        Weights, not negative, some positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero.

    Examples
    --------
    >>> effective_size([2.0] * 10 + [1.0] * 10)
    18.0
    """
    weights = np.asarray(sample_weight, dtype=np.float64)
    checked = weights_of(weights, len(weights))
    assert checked is not None
    return float(checked.sum() ** 2 / (checked**2).sum())


def check_scale(scale: Any, name: str = "scale") -> tuple[float, float]:
    """Lowest and highest answer, as floats.

    Raises
    ------
    ValueError
        If it is not two rising numbers.
    """
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(
            f"{name}={scale!r} must be the lowest and the highest answer that could be given, such "
            "as (1, 5); it is stated, never guessed."
        )
    return low, high


def answer_problems(
    values: Any,
    scale: tuple[float, float],
    *,
    name: str,
    not_applicable: Sequence[float] = (),
) -> tuple[Floats, list[ContractProblem]]:
    """Answers as floats (not applicable becomes NaN), and what is wrong with them."""
    try:
        if isinstance(values, (pd.DataFrame, pd.Series)):  # nullable columns have a NA of their own
            values = values.to_numpy(dtype=np.float64, na_value=np.nan)
        x = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        problem = ContractProblem(
            "not-numeric", f"{name} is not numeric", "Code the answers as numbers on their scale."
        )
        return np.full(np.shape(values), np.nan), [problem]
    x[np.isin(x, np.asarray(not_applicable, dtype=np.float64))] = np.nan
    low, high = scale
    outside = (x < low) | (x > high) | np.isinf(x)
    if not outside.any():
        return x, []
    seen = ", ".join(f"{v:g}" for v in np.unique(x[outside])[:5])
    rows = np.unique(np.nonzero(outside)[0])
    if np.isinf([low, high]).all():  # a number without a scale, such as an outcome
        return x, [
            ContractProblem.at("not-finite", f"{name} has infinite values", "Correct them.", rows)
        ]
    problem = ContractProblem.at(
        "outside-scale",
        f"{name} has answers outside the scale {low:g} to {high:g}: {seen}",
        "State the scale that was asked, or name codes of no answer in not_applicable=.",
        rows,
    )
    return x, [problem]


def numbers(values: Any, name: str) -> Floats:
    """Any array of numbers as floats; NaN is no answer.

    Raises
    ------
    DataContractError
        If it holds text or infinite values.
    """
    x, problems = answer_problems(values, (-np.inf, np.inf), name=name)
    if problems:
        raise DataContractError(problems)
    return x


def read_answers(
    values: Any,
    scale: Any,
    *,
    name: str = "answers",
    not_applicable: Sequence[float] = (),
    columns: bool = False,
) -> Floats:
    """One column of answers (or with ``columns`` one or more), checked against their scale.

    Raises
    ------
    DataContractError
        If they are not numeric or lie outside the scale.
    ValueError
        If there are none, or the shape is another.
    """
    x, problems = answer_problems(
        values, check_scale(scale), name=name, not_applicable=not_applicable
    )
    if problems:
        raise DataContractError(problems)
    if x.ndim != (2 if columns else 1) or not x.size:
        wanted = "(n, k), one column a question" if columns else "(n,), one answer a respondent"
        raise ValueError(f"{name} has shape {x.shape}; expected {wanted}, and not empty.")
    return x


def item_scores(
    value: Floats, sample_weight: npt.ArrayLike | None, spread_of: str = "sample"
) -> Scores:
    """Scores without the missing ones and without those of weight zero."""
    weights = weights_of(sample_weight, len(value))
    w = np.ones(len(value)) if weights is None else weights
    known = np.flatnonzero(~np.isnan(value) & (w > 0))
    return Scores(value[known], w[known], known, spread_of)


def estimate(scores: Scores, level: float) -> Estimate:
    """Weighted mean of scores with its interval."""
    x, w, n = scores.value, scores.weight, len(scores.value)
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan, np.nan, 0, 0.0, "nobody answered")
    size = effective_size(w)
    mean = float(w @ x / w.sum())
    if n < 2:
        return Estimate(mean, np.nan, np.nan, np.nan, n, size, TOO_FEW)
    error = float(np.sqrt(_variance(scores, mean, size)))
    low, high = _interval(mean, error, size, scores.spread_of, level)
    return Estimate(mean, error, low, high, n, size)


def _variance(scores: Scores, mean: float, size: float) -> float:
    """Of the mean: spread of the scores over the effective size."""
    spread = scores.weight @ (scores.value - mean) ** 2 / scores.weight.sum()
    return float(spread / (size - 1.0 if scores.spread_of == "sample" else size))


def _interval(
    mean: float, error: float, size: float, spread_of: str, level: float
) -> tuple[float, float]:
    tail = 0.5 + 0.5 * level
    if spread_of == "share":
        return wilson_share(mean, size, level)
    if spread_of == "law":  # points from -100 to 100
        half = float(stats.norm.ppf(tail)) * error
        return max(mean - half, -100.0), min(mean + half, 100.0)
    half = float(stats.t.ppf(tail, size - 1.0)) * error
    return mean - half, mean + half


def wilson_share(share: float, size: float, level: float) -> tuple[float, float]:
    """Interval of a share (Wilson 1927), which never leaves 0 to 1.

    Examples
    --------
    >>> from custvalue.survey._estimate import wilson_share
    >>> [round(end, 6) for end in wilson_share(0.65, 40, 0.95)]
    [0.495059, 0.778655]
    """
    low, high = _kernels.wilson(share, size, level)
    return float(low), float(high)


def bootstrap(
    statistic: Callable[[Floats], Floats],
    n: int,
    *,
    n_draws: int,
    random_state: Any,
    room: int = 0,
) -> Floats:
    """``statistic`` of draws of n respondents' weights: the Bayesian bootstrap (Rubin 1981).

    Exponential weights instead of whole counts, so that no draw leaves a brand without any answer.

    Parameters
    ----------
    statistic : callable
        Takes weights of shape (d, n), returns an array of shape (d, ...).
    n : int
    n_draws : int
    random_state : int, Generator or None
    room : int, default=0
        Further numbers that one draw needs; draws are made in batches that fit into memory.

    Returns
    -------
    ndarray of shape (n_draws, ...)
    """
    if n_draws < 2:
        raise ValueError(f"n_draws={n_draws!r} must be 2 or more.")
    random = np.random.default_rng(random_state)
    batch = max(1, 4_000_000 // (n + room))
    made = [
        statistic(random.exponential(size=(min(batch, n_draws - done), n)))
        for done in range(0, n_draws, batch)
    ]
    return np.concatenate(made)


def quantiles(draws: Floats, level: float) -> tuple[Any, Any]:
    """Return the ends of the interval that holds ``level`` of the draws, along the first axis."""
    low, high = np.quantile(draws, [0.5 - 0.5 * level, 0.5 + 0.5 * level], axis=0)
    return low, high


def as_plain(value: Any) -> Any:
    """Arrays and tuples as plain JSON values; NaN becomes None."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            empty = np.isnan(value)
            value = value.astype(object)
            value[empty] = None
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


def settings_to_plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Write settings of an estimator as plain JSON values.

    Raises
    ------
    NotSupportedError
        Naming the settings that have no plain form, such as a random generator.
    """
    odd = []
    for name, value in settings.items():
        try:
            json.dumps(value, allow_nan=False, default=_numpys_own)
        except (TypeError, ValueError):
            odd.append(f"{name}={value!r:.80}")
    if odd:
        raise NotSupportedError(
            f"{', '.join(odd)} has no as_plain form; give as_plain values, a seed for random_state."
        )
    made: dict[str, Any] = json.loads(json.dumps(dict(settings), default=_numpys_own))
    return made


def _numpys_own(value: Any) -> Any:
    """Give numpy's numbers and arrays as Python's."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{value!r} is no JSON value")
