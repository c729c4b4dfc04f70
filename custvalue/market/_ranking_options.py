"""What a TargetMarketRanker was asked for, checked: method, weights, anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custvalue._typing import Floats
from custvalue.exceptions import nearest

METHODS = ("saw", "product", "topsis")


def check_options(ranker: Any) -> None:
    """Refuse options that do not exist."""
    if ranker.method not in METHODS:
        raise ValueError(f"method={ranker.method!r} must be one of {list(METHODS)}.")
    if not 0.0 <= ranker.attractiveness_weight <= 1.0:
        raise ValueError(
            f"attractiveness_weight={ranker.attractiveness_weight!r} must lie between 0 and 1."
        )
    cuts = np.asarray(ranker.cuts, dtype=np.float64)
    if cuts.shape != (2,) or not (np.diff([0.0, *cuts, 1.0]) > 0).all():
        raise ValueError(f"cuts={ranker.cuts!r} must be two rising numbers between 0 and 1.")


def learned_anchors(
    given: Mapping[str, tuple[float, float]], columns: Sequence[str], values: Floats
) -> dict[str, tuple[float, float]]:
    """Anchors as given, else the least and greatest value; checked together."""
    problems = [
        f"{name!r} is no criterion.{nearest(name, columns)}"
        for name in given
        if name not in columns
    ]
    problems += [
        f"{name!r} has {pair!r}; it must be two finite numbers, the lower first."
        for name, pair in given.items()
        if np.shape(pair) != (2,) or not np.isfinite(pair).all() or not pair[0] < pair[1]
    ]
    if problems:
        raise ValueError("anchors: " + " ".join(problems))
    learned = {
        name: (float(low), float(high))
        for name, low, high in zip(columns, values.min(axis=0), values.max(axis=0), strict=True)
    }
    own = {name: (float(low), float(high)) for name, (low, high) in given.items()}
    return learned | own


def checked_weights(name: str, given: Mapping[str, float] | None) -> dict[str, float]:
    """Weights as numbers, none zero."""
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"{name}={given!r} must give each criterion a weight: {{'size': 0.3}}.")
    weights, bad = {}, []
    for column, weight in (given or {}).items():
        try:
            weights[str(column)] = float(weight)
        except (TypeError, ValueError):
            weights[str(column)] = 0.0
        if weights[str(column)] == 0 or not np.isfinite(weights[str(column)]):
            bad.append(str(column))
    if bad:
        raise ValueError(
            f"{name}: {', '.join(bad)} must have a finite weight other than 0; leave a criterion "
            "that does not count out."
        )
    return weights
