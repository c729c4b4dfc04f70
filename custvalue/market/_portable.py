"""Fitted estimators of this room as plain JSON values, and back; no customer's row in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator

import custvalue
from custvalue._portable import check_names, reading, seal, set_learned, unseal
from custvalue._sklearn import check_is_fitted
from custvalue.exceptions import NotSupportedError
from custvalue.market._blocks import Block, Components, Scaling, Stability
from custvalue.market._ranking import IdealPoints
from custvalue.market._segment_tree import Node

SCHEMA = 2
_KINDS: dict[str, Any] = {
    kind.__name__: kind for kind in (Block, Components, IdealPoints, Node, Scaling, Stability)
}


class Portable(BaseEstimator):
    """What estimators share that are written as JSON: settings and learned values, nothing else."""

    _learns: ClassVar[tuple[str, ...]]  # every name that ``fit`` sets
    _may_learn: ClassVar[tuple[str, ...]] = ("feature_names_in_",)  # of tables with named columns

    def to_dict(self) -> dict[str, Any]:
        """Write the fitted estimator as plain JSON values; they hold no row of the fitted table.

        Returns
        -------
        dict
            ``schema``, ``library``, ``model``, ``settings``, ``learned``, ``checksum``.

        Raises
        ------
        NotSupportedError
            If a setting has no plain form, such as a random generator: give a seed.
        """
        check_is_fitted(self)
        names = [name for name in (*self._learns, *self._may_learn) if hasattr(self, name)]
        learned = {name: getattr(self, name) for name in names}
        settings = self.get_params(deep=False)
        return seal(
            {
                "schema": SCHEMA,
                "library": custvalue.__version__,
                "model": type(self).__name__,
                "settings": {name: _plain(value) for name, value in settings.items()},
                "learned": {name: _plain(value) for name, value in learned.items()},
            }
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`.

        Parameters
        ----------
        plain : dict

        Returns
        -------
        the estimator
            Fitted: every answer is that of the one which was written.

        Raises
        ------
        ArtefactError
            If the dictionary holds another model, a schema that this version does not read, or
            anything that was changed after it was written.
        """
        with reading(cls.__name__):
            plain = unseal(
                plain, schemas=(SCHEMA,), keys=("settings", "learned"), model=cls.__name__
            )
            check_names(plain["settings"], cls._get_param_names(), "settings")
            made = cls(**{name: _read(value) for name, value in plain["settings"].items()})
            learned = {name: _read(value) for name, value in plain["learned"].items()}
            here = [name for name in cls._may_learn if name in learned]
            return set_learned(made, learned, (*cls._learns, *here))


def _plain(value: Any) -> Any:
    kind = type(value).__name__
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"array": [_plain(one) for one in value.tolist()], "text": value.dtype == object}
    if is_dataclass(value) and kind in _KINDS:
        return {"kind": kind, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, tuple) and hasattr(value, "_fields") and kind in _KINDS:
        return {"kind": kind, **dict(zip(value._fields, map(_plain, value), strict=True))}
    if isinstance(value, Mapping):  # pairs, so that a key may be any word
        return {"pairs": [[_plain(key), _plain(one)] for key, one in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(one) for one in value]}
    if isinstance(value, frozenset):
        return {"set": sorted(map(_plain, value))}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    raise NotSupportedError(f"{value!r} has no plain form; give plain values and a seed.")


def _read(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_read(one) for one in plain]
    if not isinstance(plain, Mapping):
        return plain
    if "kind" in plain:
        values = {name: _read(one) for name, one in plain.items() if name != "kind"}
        return _KINDS[plain["kind"]](**values)
    if "array" in plain:
        found = _read(plain["array"])
        return np.array(found, dtype=object) if plain["text"] else np.array(found)
    if "pairs" in plain:
        return {_read(key): _read(one) for key, one in plain["pairs"]}
    if "tuple" in plain:
        return tuple(_read(one) for one in plain["tuple"])
    return frozenset(_read(one) for one in plain["set"])
