"""From ratings to a `ValueMap`: means, weights, pairs, and draws of respondents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.survey._estimate import bootstrap
from custvalue.survey._importance import (
    MOST_EXACT,
    Moments,
    check_method,
    check_outcome,
    correlations,
    shapley_shares,
    warn_of_signs,
    weighted_moments,
)
from custvalue.survey._ratings import Ratings
from custvalue.survey._value_law import on_each_side
from custvalue.survey._value_map import ValueMap


def learn(
    read: Ratings,
    attributes: list[str],
    n_benefits: int,
    *,
    scale: tuple[float, float],
    weights: str | Mapping[str, float],
    outcome: str | None,
    quality_weight: float | None,
    market_share: Mapping[str, float] | None,
    price: Mapping[str, float] | None,
    n_draws: int,
    random_state: Any,
    paired: bool,
    stacklevel: int,
) -> ValueMap:
    """Means, weights and q of the ratings, and of draws of respondents."""
    cube, row_weight = read.cube(read.answers), read.cube(read.weight[:, None])
    known = ~np.isnan(cube)
    weighted = np.where(known, row_weight, 0.0).reshape(len(cube), -1)
    total = np.where(known, cube, 0.0).reshape(len(cube), -1) * weighted
    _check_answered(known & (row_weight > 0), read, attributes)
    one = np.ones((1, len(cube)))

    needs_outcome = weights == "derived" or quality_weight is None
    sums, learned_from = None, dict[str, int]()
    if needs_outcome:
        sums, learned_from = _outcome_sums(read, attributes, outcome, stacklevel + 1)
    method = check_method("auto", len(attributes))
    stated = None if read.stated is None else _stated_sums(read)

    def statistic(draws: Floats) -> Floats:
        below = draws @ weighted
        means = np.divide(draws @ total, below, out=np.full_like(below, np.nan), where=below > 0)
        drivers = None if sums is None else shapley_shares(sums.covariances(draws), method)
        if weights == "derived":
            assert drivers is not None
            w = drivers
        elif stated is not None:
            w = (draws @ stated[0]) / (draws @ stated[1])
        else:
            given = np.ones(len(attributes))
            if not isinstance(weights, str):
                given = np.array([float(weights[name]) for name in attributes])
            w = np.tile(given, (len(draws), 1))
        q = np.full(len(draws), np.nan if quality_weight is None else quality_weight)
        if quality_weight is None:
            assert drivers is not None
            q = drivers[:, :n_benefits].sum(axis=1) / drivers.sum(axis=1)
        return np.concatenate([means, on_each_side(w, n_benefits), q[:, None]], axis=1)

    if not isinstance(weights, str):
        _check_weights(weights, attributes, n_benefits)
    room = total.shape[1] + (8 * 2 ** min(len(attributes), MOST_EXACT) if sums else 0)
    here = statistic(one)[0]
    drawn = bootstrap(statistic, len(cube), n_draws=n_draws, random_state=random_state, room=room)
    k, shape = len(attributes), cube.shape[1:]
    cells = drawn.shape[1] - k - 1
    q = float(here[-1])
    if not 0.0 < q < 1.0:
        raise ValueError(
            f"the outcome goes with one side only, so benefits would weigh {q:g}; give "
            "quality_weight= between 0 and 1."
        )
    learned = ValueMap(
        tuple(attributes),
        n_benefits,
        read.brands,
        read.waves,
        scale,
        here[:cells].reshape(shape),
        here[cells:-1],
        q,
        _respondents(known, row_weight),
        _effective(known, row_weight),
        _by_brand("market_share", market_share, read.brands, 1.0),
        None if price is None else _by_brand("price", price, read.brands, 1.0),
        np.zeros(shape[:2]),
        _in_both_waves(known),
        _paired(cube, row_weight, read, paired),
        drawn[:, :cells].reshape(-1, *shape),
        drawn[:, cells:-1],
        drawn[:, -1],
        None if sums is None else float(shapley_shares(sums.covariances(one), method).sum()),
        learned_from,
    )
    highest = _highest(read.cube(learned.of_rows(read.answers).V[:, None])[..., 0], row_weight)
    return replace(learned, highest=highest)


def _check_answered(known: npt.NDArray[np.bool_], read: Ratings, attributes: list[str]) -> None:
    """Every brand of a wave needs an answer to every attribute, or it has no value."""
    answered = np.asarray(known.any(axis=0))
    problems = []
    for i, j in np.argwhere(answered.any(axis=-1) & ~answered.all(axis=-1)):
        lost = [name for name, ok in zip(attributes, answered[i, j], strict=True) if not ok]
        wave = f" in wave {read.waves[i]}" if len(read.waves) > 1 else ""
        problems.append(
            ContractProblem(
                "no-answers",
                f"nobody rated {read.brands[j]}{wave} on {', '.join(lost)}",
                "Leave out the brand or the attribute.",
            )
        )
    if problems:
        raise DataContractError(problems)


def _check_weights(weights: Mapping[str, float], attributes: list[str], n_benefits: int) -> None:
    given = np.array([float(weights[name]) for name in attributes])
    sides = given[:n_benefits], given[n_benefits:]
    if not np.isfinite(given).all() or (given < 0).any() or not all(s.any() for s in sides):
        raise ValueError(
            f"weights={dict(weights)!r} must not be negative, and some benefit and some sacrifice "
            "must weigh more than 0."
        )


def _outcome_sums(
    read: Ratings, attributes: list[str], outcome: str | None, stacklevel: int
) -> tuple[Moments, dict[str, int]]:
    """Moments of attributes and outcome by respondent, within them where they rate several."""
    assert read.outcome is not None
    table = np.column_stack([read.answers, read.outcome])
    known = np.isfinite(table).all(axis=1) & (read.weight > 0)
    occasion = read.respondent * len(read.waves) + read.wave
    if known.sum() < 3:
        raise ValueError(
            f"{int(known.sum())} rows answer every attribute and the outcome {outcome!r}; weights "
            "need three or more. State weights and quality_weight, or leave out attributes."
        )
    rated = np.bincount(occasion[known])
    within = bool((rated > 1).any())
    sums = weighted_moments(
        table[known],
        read.weight[known],
        read.respondent[known],
        len(read.respondents),
        occasion[known] if within else None,
    )
    second = sums.covariances(np.ones((1, len(read.respondents))))[0]
    check_outcome(second, table[known, -1], outcome, within)
    warn_of_signs(attributes, correlations(second), stacklevel=stacklevel + 1)
    return sums, {
        "rows": int(known.sum()),
        "missing": int((~known).sum()),
        "respondents": len(np.unique(read.respondent[known])),
        "single": int((rated == 1).sum()) if within else 0,
    }


def _stated_sums(read: Ratings) -> tuple[Floats, Floats]:
    """Weighted sums of the importance answers, and of their weights, by respondent."""
    assert read.stated is not None
    shape = (len(read.respondents), read.stated.shape[1])
    top, below = np.zeros(shape), np.zeros(shape)
    known = ~np.isnan(read.stated)
    w = np.where(known, read.weight[:, None], 0.0)
    np.add.at(top, read.respondent, np.where(known, read.stated, 0.0) * w)
    np.add.at(below, read.respondent, w)
    # an answer is one, however many brands its respondent rated
    scale = np.divide(1.0, below, out=np.zeros(shape), where=below > 0)
    weight = np.zeros(shape[0])
    count = np.bincount(read.respondent, minlength=shape[0])
    np.add.at(weight, read.respondent, read.weight)
    mean_weight = (weight / np.maximum(count, 1))[:, None]
    return top * scale * mean_weight, (below > 0) * mean_weight


def _by_brand(
    name: str, given: Mapping[str, float] | None, brands: tuple[str, ...], default: float
) -> Floats:
    if given is None:
        return np.full(len(brands), default)
    lost = [brand for brand in brands if brand not in given]
    values = np.array([float(given.get(brand, np.nan)) for brand in brands])
    if lost or not (values > 0).all() or not np.isfinite(values).all():
        raise ValueError(
            f"{name}={dict(given)!r} must give every brand a number above 0"
            + (f"; {', '.join(lost)} missing." if lost else ".")
        )
    return values


def _respondents(known: npt.NDArray[np.bool_], weight: Floats) -> npt.NDArray[np.intp]:
    return (known.any(axis=-1) & (weight[..., 0] > 0)).sum(axis=0)


def _effective(known: npt.NDArray[np.bool_], weight: Floats) -> Floats:
    w = np.where(known.any(axis=-1), np.nan_to_num(weight[..., 0]), 0.0)
    below = (w**2).sum(axis=0)
    return np.divide(w.sum(axis=0) ** 2, below, out=np.zeros(below.shape), where=below > 0)


def _in_both_waves(known: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    there = np.asarray(known.any(axis=-1))
    both = np.zeros(there.shape[1:], dtype=np.intp)
    both[1:] = (there[:, 1:] & there[:, :-1]).sum(axis=0)
    return both


def _highest(net: Floats, weight: Floats) -> Floats:
    """Share of respondents, of those who rate a brand and another, who value it highest."""
    w = np.nan_to_num(weight[..., 0])
    known = ~np.isnan(net) & (w > 0)
    several = known & (known.sum(axis=-1, keepdims=True) > 1)
    best = np.where(several, net, -np.inf).max(axis=-1, keepdims=True)
    top = several & (np.where(several, net, -np.inf) >= best - 1e-9)
    share = top / np.maximum(top.sum(axis=-1, keepdims=True), 1)  # ties share
    below = (several * w).sum(axis=0)
    return np.divide(
        (share * w).sum(axis=0), below, out=np.full(below.shape, np.nan), where=below > 0
    )


def _paired(cube: Floats, weight: Floats, read: Ratings, paired: bool) -> Floats:
    """Mean, error, number and effective number of differences within respondents."""
    waves, brands, k = cube.shape[1:]
    out = np.full((4, waves, brands, brands + 1, k), np.nan)
    out[2:] = 0.0
    if not paired:
        return out
    w = np.nan_to_num(weight)
    counted = np.where(w > 0, cube, np.nan)
    known = ~np.isnan(counted)
    number = known.sum(axis=2)
    total = np.where(known, counted, 0.0).sum(axis=2)
    for f in range(brands):
        own = counted[:, :, f]
        others = np.divide(
            total - np.nan_to_num(own),
            number - known[:, :, f],
            out=np.full(own.shape, np.nan),
            where=(number - known[:, :, f]) > 0,
        )
        for a in range(brands + 1):
            if a == f:
                continue
            with_whom = others if a == brands else counted[:, :, a]
            both = w[:, :, f] if a == brands else np.sqrt(w[:, :, f] * w[:, :, a])
            out[:, :, f, a] = _of_differences(own - with_whom, both)
    return out


def _of_differences(difference: Floats, weight: Floats) -> Floats:
    """Along respondents: weighted mean, its error, number, effective number; (4, ...)."""
    known = ~np.isnan(difference)
    w = np.where(known, weight, 0.0)
    d = np.where(known, difference, 0.0)
    total, squares = w.sum(axis=0), (w**2).sum(axis=0)
    nothing = np.full(total.shape, np.nan)
    mean = np.divide((w * d).sum(axis=0), total, out=nothing.copy(), where=total > 0)
    n = np.divide(total**2, squares, out=np.zeros(total.shape), where=squares > 0)
    spread = (w * np.where(known, d - np.nan_to_num(mean), 0.0) ** 2).sum(axis=0)
    several = known.sum(axis=0) > 1
    variance = np.divide(spread, total * (n - 1.0), out=nothing, where=several & (n > 1.0))
    return np.stack([mean, np.sqrt(variance), known.sum(axis=0).astype(float), n])
