"""A fitted chain as plain JSON values, and back: settings and learned numbers, no rows."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator

import custvalue
from custvalue import purchase, spend
from custvalue._sklearn import check_is_fitted
from custvalue.exceptions import NotSupportedError
from custvalue.markov._chain import Chain
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._factored import FactoredForecast
from custvalue.markov._levels import Levels
from custvalue.markov._orders import Correction, LawTable, OrdersChain
from custvalue.markov._orders_fit import law_of
from custvalue.markov._shock import Shock
from custvalue.markov._sparse import is_sparse
from custvalue.markov._states import ColumnStates, PanelStates, StateList

SCHEMA = 2

_VALUES = {
    kind.__name__: kind
    for kind in (
        StateList,
        Levels,
        FactoredForecast,
        OrdersChain,
        Shock,
        TransitionCounts,
        purchase.Prior,
    )
}
_STATES = {kind.__name__: kind for kind in (ColumnStates, PanelStates)}


class MarkovPortable:
    """Writing and reading of a fitted estimator; mixed into ``MarkovCLVEstimator``."""

    def to_dict(self) -> dict[str, Any]:
        """Write the fitted estimator as plain JSON values; they hold no customer's row.

        Returns
        -------
        dict
            Settings and everything learned, with a schema number. Purchase and spend models are
            written by their own ``to_dict``; the table of the purchase law is left out, for
            ``from_dict`` asks the law again.

        Raises
        ------
        NotSupportedError
            If ``states`` is neither None, names of columns, ``PanelStates`` nor ``ColumnStates``,
            or a purchase or spend model has no ``to_dict``; pickle such an estimator.
        """
        check_is_fitted(self)
        learned = {name: v for name, v in vars(self).items() if name.endswith("_")}
        return {
            "schema": SCHEMA,
            "library": custvalue.__version__,
            "model": type(self).__name__,
            "settings": _write(self.get_params(deep=False)),  # type: ignore[attr-defined]
            "learned": _write(learned),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """Read back what ``to_dict`` wrote; it predicts the same numbers.

        Parameters
        ----------
        plain : dict
            As written, or after a journey through ``json``.

        Returns
        -------
        MarkovCLVEstimator

        Raises
        ------
        ValueError
            If the dictionary holds another model or a schema this version does not read.
        """
        plain = json.loads(json.dumps(plain))
        if plain.get("model") != cls.__name__ or plain.get("schema") != SCHEMA:
            raise ValueError(
                f"this holds {plain.get('model')!r}, schema {plain.get('schema')!r}; expected "
                f"{cls.__name__!r}, schema {SCHEMA}."
            )
        model = cls(**_read(plain["settings"]))
        vars(model).update(_read(plain["learned"]))
        return model


def _write(value: Any) -> Any:
    """Plain values as they are; anything else as ``{"is": kind, ...}``."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return number if np.isfinite(number) else {"is": "float", "text": repr(number)}
    if isinstance(value, np.timedelta64):
        value = value.astype("timedelta64[us]").item()
    if isinstance(value, timedelta):
        return {"is": "timedelta", "seconds": value.total_seconds()}
    if isinstance(value, np.ndarray):
        cells = [_write(v) for v in value.ravel().tolist()]
        return {"is": "array", "dtype": value.dtype.str, "shape": value.shape, "cells": cells}
    if is_sparse(value):
        return {
            "is": "sparse", "shape": value.shape, "data": value.data.tolist(),
            "indices": value.indices.tolist(), "indptr": value.indptr.tolist(),
        }  # fmt: skip
    if isinstance(value, list):
        return [_write(v) for v in value]
    if isinstance(value, dict):
        return {"is": "dict", "items": [[_write(k), _write(v)] for k, v in value.items()]}
    if isinstance(value, Correction):
        return {"is": "Correction", "slopes": list(value)}
    if isinstance(value, tuple):
        return {"is": "tuple", "items": [_write(v) for v in value]}
    return _write_object(value)


def _write_object(value: Any) -> dict[str, Any]:
    name = type(value).__name__
    if isinstance(value, Chain):
        return {"is": "Chain", "plain": value.to_dict()}
    if isinstance(value, LawTable):
        nodes = [_write(v) for v in (value.orders, value.silence, value.age)]
        return {"is": "LawTable", "nodes": nodes}
    if is_dataclass(value) and name in _VALUES:
        inside = {f.name: _write(getattr(value, f.name)) for f in fields(value)}
        return {"is": name, "fields": inside}
    if isinstance(value, BaseEstimator) and _kind_of_model(name) is not None:
        if name not in _STATES and hasattr(value, "params_"):
            return {"is": "fitted", "name": name, "plain": value.to_dict()}
        learned = {k: v for k, v in vars(value).items() if k.endswith("_")}
        settings = value.get_params(deep=False)
        return {
            "is": "model", "name": name,
            "settings": _write(settings), "learned": _write(learned),
        }  # fmt: skip
    raise NotSupportedError(
        f"{name} cannot be written as plain values; pickle the estimator, or use PanelStates, "
        "ColumnStates or names of columns as states and models of custvalue.purchase and "
        "custvalue.spend."
    )


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(v) for v in value]
    if not isinstance(value, dict):
        return value
    kind = value["is"]
    if kind == "float":
        return float(value["text"])
    if kind == "timedelta":
        return timedelta(seconds=value["seconds"])
    if kind == "array":
        cells = [_read(v) for v in value["cells"]]
        return np.asarray(cells, dtype=value["dtype"]).reshape(value["shape"])
    if kind == "sparse":
        parts: Any = (np.asarray(value["data"]), value["indices"], value["indptr"])
        return sp.csr_array(parts, shape=tuple(value["shape"]))
    if kind == "dict":
        return {_read(k): _read(v) for k, v in value["items"]}
    if kind == "tuple":
        return tuple(_read(v) for v in value["items"])
    return _read_object(kind, value)


def _read_object(kind: str, value: dict[str, Any]) -> Any:
    if kind == "Correction":
        return Correction(*value["slopes"])
    if kind == "Chain":
        return Chain.from_dict(value["plain"])
    if kind == "fitted":
        return _kind_of_model(value["name"]).from_dict(value["plain"])
    if kind == "model":
        model = _kind_of_model(value["name"])(**_read(value["settings"]))
        vars(model).update(_read(value["learned"]))
        return model
    if kind == "FactoredForecast":
        # the law comes first, for its table is asked of it
        inside = dict(value["fields"])
        purchases = _read(inside["purchases"])
        chain = dict(inside.pop("chain")["fields"])
        nodes = [_read(v) for v in chain.pop("law")["nodes"]]
        law = LawTable.on(law_of(purchases), *nodes)
        rest = {name: _read(v) for name, v in chain.items()}
        inside = {name: _read(v) for name, v in inside.items()}
        return FactoredForecast(**inside, chain=OrdersChain(law, **rest))
    return _VALUES[kind](**{name: _read(v) for name, v in value["fields"].items()})


def _kind_of_model(name: str) -> Any:
    for place in (_STATES, vars(purchase), vars(spend)):
        if name in place:
            return place[name]
    return None
