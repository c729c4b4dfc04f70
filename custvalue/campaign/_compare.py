"""Two groups compared by one of the methods: shares, money, ratios, adjusted or not, by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from custvalue._typing import Floats
from custvalue.campaign._adjust import Adjustment, residuals
from custvalue.campaign._customers import Customers
from custvalue.campaign._result import GroupEffect
from custvalue.campaign._shares import one_size, score_interval
from custvalue.campaign._shrink import shrink
from custvalue.campaign._shuffles import judge, judge_ratio, welch_interval
from custvalue.exceptions import ContractProblem, DataContractError

Method = Literal["auto", "score", "permutation", "bootstrap", "welch"]
FEWEST = 20  # outcomes that are not zero, in a group


class How(NamedTuple):
    """Confidences, method, seed and number of shuffles."""

    levels: Sequence[float]
    method: Method
    seed: int
    n_draws: int


class Compared(NamedTuple):
    """Means, effect, standard error, one interval a confidence, and what covariates did."""

    means: tuple[float, float]
    effect: float
    error: float | None
    ends: list[tuple[float, float]]
    adjusted: Adjustment | None


def compare(arm: Customers, base: Customers, covariates: tuple[str, ...], how: How) -> Compared:
    n = len(arm.y)
    if arm.per is None or base.per is None:
        a, b = arm.y, base.y
        null = np.concatenate([a, b])
        unit = one_size(a, b)
    else:
        (a, b), null = _ratio(arm, base), _score_of_ratio(arm, base)
        unit = None
    plain = float(a.mean() - b.mean())
    means = float(a.mean()), float(b.mean())
    if how.method == "score" and (unit is None or covariates):
        raise ValueError(
            "method='score' compares shares: every outcome must be 0 or one and the same positive "
            "number, without covariates. Use method='permutation' for money."
        )
    if unit is not None and not covariates and how.method in ("auto", "score"):
        ends = [score_interval(a, b, unit, level) for level in how.levels]
        return Compared(means, plain, None, ends, None)
    adjusted, effect, factor = None, plain, 1.0
    left = np.stack([np.concatenate([a, b]), null])
    if covariates:
        x = np.concatenate([arm.x, base.x])
        found = residuals(left, x, n)
        left, factor = found.of, found.factor
        if how.method == "welch":
            moved = np.concatenate([a, b]) - (x - x.mean(axis=0)) @ found.slopes
            a, b = moved[:n], moved[n:]
        effect = factor * float(left[0, :n].mean() - left[0, n:].mean())
        adjusted = Adjustment(covariates, tuple(found.slopes.tolist()), found.correlation, plain)
    if how.method == "welch":
        ends = [welch_interval(a, b, level) for level in how.levels]
        return Compared(means, effect, _error(a, b), ends, adjusted)
    rng = np.random.default_rng(how.seed)
    chance = how.levels, how.n_draws, rng, how.method == "bootstrap"
    if arm.per is None or base.per is None or covariates:
        judged = judge(left[1, :n], left[1, n:], *chance)
    else:
        judged = judge_ratio((arm.y, arm.per), (base.y, base.per), *chance)
    plainly = arm.per is None and not covariates
    # equal outcomes in a group: the error is rounding, which `judge` knows
    error = judged[0].error if plainly else factor * _error(left[0, :n], left[0, n:])
    ends = []
    for level, one in zip(how.levels, judged, strict=True):
        low, high = one.ends(effect, error)
        if arm.per is None and few(a, b) and min(a.min(), b.min()) >= 0:
            order = float((a @ a + b @ b) / (a.sum() + b.sum())) if a.any() or b.any() else 1.0
            wide = score_interval(a, b, order, level)
            wide = wide[0] + effect - plain, wide[1] + effect - plain
            low = min(low, wide[0]) if wide[0] > 0 or not one.gain else low
            high = max(high, wide[1]) if wide[1] < 0 or not one.loss else high
        ends.append((float(low), float(high)))
    return Compared(means, effect, error, ends, adjusted)


def few(a: Floats, b: Floats) -> bool:
    """Whether a group has too few outcomes that are not zero for its own spread to be trusted."""
    return bool(min(np.count_nonzero(a), np.count_nonzero(b)) < FEWEST)


def _error(a: Floats, b: Floats) -> float:
    return float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))


def _ratio(arm: Customers, base: Customers) -> tuple[Floats, Floats]:
    """Each customer's part in the group's ratio; the mean of them is the ratio itself."""
    out = []
    for group in (arm, base):
        assert group.per is not None
        if not group.per.any():
            raise DataContractError(
                ContractProblem(
                    "empty-count",
                    f"per of {group.name} is 0 for everybody: there is nothing to divide by",
                    "A ratio needs customers with a count in both groups.",
                )
            )
        count = float(group.per.mean())
        ratio = float(group.y.mean()) / count
        out.append(ratio + (group.y - ratio * group.per) / count)
    return out[0], out[1]


def _score_of_ratio(arm: Customers, base: Customers) -> Floats:
    """Take one ratio for both groups, as it is where the campaign did nothing."""
    assert arm.per is not None
    assert base.per is not None
    y, count = np.concatenate([arm.y, base.y]), np.concatenate([arm.per, base.per])
    return (y - y.sum() / count.sum() * count) / count.mean()


def by_group(
    arm: Customers, base: Customers, covariates: tuple[str, ...], how: How
) -> tuple[GroupEffect, ...]:
    """Effect in each group of customers; three groups or more are drawn towards each other."""
    assert arm.label is not None
    assert base.label is not None
    names = pd.unique(np.concatenate([arm.label, base.label]))
    found: list[GroupEffect] = []
    nothing = np.nan
    for name in names:
        one, other = arm.where(arm.label == name), base.where(base.label == name)
        sizes = len(one.y), len(other.y)
        if min(sizes) < 2:
            why = "fewer than two customers in a group"
            found.append(GroupEffect(name, *sizes, *(nothing,) * 7, why))
            continue
        made = compare(one, other, covariates, how)
        error = made.error if made.error is not None else _error(one.y, other.y)
        low, high = made.ends[0]
        found.append(
            GroupEffect(name, *sizes, made.effect, low, high, error, *(made.effect, low, high))
        )
    known = [i for i, g in enumerate(found) if not g.note]
    if len(known) < 3:
        why = "fewer than three groups tell nothing of how much they differ"
        return tuple(g if g.note else replace(g, note=why) for g in found)
    errors = np.array([found[i].standard_error for i in known])
    pooled = _pooled_spread(arm, base) * np.sqrt(
        [1 / found[i].n_treated + 1 / found[i].n_control for i in known]
    )
    # few buyers: the spread of all says more than the own one, which is too small with the mean
    thin = np.array(
        [few(arm.y[arm.label == names[i]], base.y[base.label == names[i]]) for i in known]
    )
    errors = np.where(thin, np.maximum(errors, pooled), errors)
    if not (errors > 0).all():
        why = "equal outcomes: nothing to tell chance from"
        return tuple(g if g.note else replace(g, note=why) for g in found)
    drawn = shrink(np.array([found[i].effect for i in known]), errors)
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + how.levels[0] / 2))
    for i, mean, error in zip(known, drawn.mean, drawn.error, strict=True):
        ends = float(mean), float(mean - z * error), float(mean + z * error)
        found[i] = replace(found[i], shrunk=ends[0], shrunk_low=ends[1], shrunk_high=ends[2])
    return tuple(found)


def _pooled_spread(arm: Customers, base: Customers) -> float:
    """Pool the standard deviation within the two groups."""
    a, b = arm.y, base.y
    within = a.var() * len(a) + b.var() * len(b)
    return float(np.sqrt(within / (len(a) + len(b) - 2)))
