"""A fitted RFMTransformer as plain JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np

import custvalue
from custvalue._portable import check_names, reading, seal, unseal
from custvalue._units import span_days
from custvalue.exceptions import NotSupportedError
from custvalue.rfm._cycle import Cycle
from custvalue.rfm._rfm_law import VariableCuts
from custvalue.rfm._rfm_options import without_cycle

SCHEMA = 2
LEARNED = ("variables", "cycle", "longest_silence", "weights", "shares", "unit", "passed", "named")


def written(model: Any) -> dict[str, Any]:
    """Seal settings and learned values of an RFMTransformer."""
    names = getattr(model, "feature_names_in_", None)
    return seal(
        {
            "schema": SCHEMA,
            "library": custvalue.__version__,
            "model": type(model).__name__,
            "settings": {k: _plain(v, k) for k, v in model.get_params(deep=False).items()},
            "learned": {
                "variables": [
                    [v.letter, v.column, v.less_is_better, [list(row) for row in v.cuts]]
                    for v in model.variables_
                ],
                "cycle": None
                if model.cycle_ is None
                else [model.cycle_.whole, *map(list, model.cycle_[1:])],
                "longest_silence": model.longest_silence_,
                "weights": None if model.weights_ is None else list(model.weights_),
                "shares": [list(row) for row in model.shares_],
                "unit": model.unit_,
                "passed": list(model.passed_),
                "named": int(model.n_features_in_) if names is None else [str(n) for n in names],
            },
        }
    )


def read_again(cls: Any, plain: Any) -> Any:
    """Make the RFMTransformer that was written."""
    with reading(cls.__name__):
        plain = unseal(plain, schemas=(SCHEMA,), keys=("settings", "learned"), model=cls.__name__)
        check_names(plain["settings"], cls._get_param_names(), "settings")
        check_names(plain["learned"], LEARNED, "learned")
        made, got = cls(**plain["settings"]), plain["learned"]
        made.variables_ = tuple(
            VariableCuts(
                str(letter), str(name), bool(less), tuple(tuple(map(float, row)) for row in cuts)
            )
            for letter, name, less, cuts in got["variables"]
        )
        made._on_cycle = without_cycle(made.cuts) is not made.cuts
        made.cycle_ = None
        if got["cycle"] is not None:
            whole, orders, gaps, customers = got["cycle"]
            made.cycle_ = Cycle(
                float(whole),
                tuple(map(int, orders)),
                tuple(map(float, gaps)),
                tuple(map(int, customers)),
            )
        made.longest_silence_ = float(got["longest_silence"])
        weights = got["weights"]
        made.weights_ = None if weights is None else tuple(map(float, weights))
        made.shares_ = tuple(tuple(map(float, row)) for row in got["shares"])
        made.unit_ = got["unit"]
        made.passed_ = list(got["passed"])
        if isinstance(got["named"], list):
            made.feature_names_in_ = np.array(got["named"], dtype=object)
            made.n_features_in_ = len(got["named"])
        else:
            made.n_features_in_ = int(got["named"])
        return made


def _plain(value: Any, name: str) -> Any:
    """Write a setting; a set of letters comes back as a list, which says the same."""
    if isinstance(value, (timedelta, np.timedelta64)):  # numpy's is one of its scalars, too
        return f"{span_days(value)!r}D"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(one, name) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(one, name) for one in value]
    raise NotSupportedError(f"{name}={value!r} has no plain form; give plain values.")
