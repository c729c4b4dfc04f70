"""Effect learners of other libraries, told by how they are fitted: econml's and causalml's."""

from __future__ import annotations

from inspect import signature
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue._typing import Floats

Kind = Literal["econml", "causalml"]


def foreign_kind(learner: Any) -> Kind | None:
    """Which library's manner a learner of effects has; None for a learner of outcomes.

    econml: ``fit(Y, T, *, X)`` and ``effect(X)``. causalml: ``fit(X, treatment, y)`` and
    ``predict(X)``.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from custvalue.campaign._foreign import foreign_kind
    >>> foreign_kind(Ridge()) is None
    True
    """
    names = list(signature(learner.fit).parameters) if hasattr(learner, "fit") else []
    if {"Y", "T", "X"} <= set(names) and hasattr(learner, "effect"):
        return "econml"
    return "causalml" if names[:3] == ["X", "treatment", "y"] else None


def fit_foreign(learner: Any, X: Floats, y: Floats, treated: npt.NDArray[np.bool_]) -> Any:
    """Fit a copy on one arm (1) and the control group (0)."""
    fresh = clone(learner, safe=False)
    arm = treated.astype(np.int64)
    if foreign_kind(learner) == "econml":
        fresh.fit(y, arm, X=X)
        return fresh
    control = getattr(fresh, "control_name", 0)
    if isinstance(control, str):  # causalml's uplift trees count words
        fresh.fit(X, np.where(treated, "treated", control), y)
    else:
        fresh.fit(X, np.where(treated, control + 1, control), y)
    return fresh


def effect_of(learner: Any, X: Floats) -> Floats:
    """Effect that a fitted foreign learner predicts, shape (n,)."""
    found = learner.effect(X) if foreign_kind(learner) == "econml" else learner.predict(X)
    return np.asarray(found, dtype=np.float64).reshape(len(X))
