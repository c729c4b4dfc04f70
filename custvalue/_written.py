"""Fitted estimators as plain JSON values, and back, by the types that they declare.

An estimator says what its ``fit`` sets and of which type each is; nothing else is written, and what
is read is held against these types: numbers, words, tuples, mappings, arrays, named tuples (as
lists) and frozen dataclasses (with their name). So a file that was made by hand fails where it is
read, and not in the middle of a batch. No customer's row is in it.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

import numpy as np
from sklearn.base import BaseEstimator

from custvalue._portable import (
    array_from_plain,
    array_to_plain,
    check_names,
    number,
    reading,
    sealed,
    set_learned,
    texts,
    unseal,
)
from custvalue._sklearn import check_is_fitted
from custvalue._units import days_per, plain_span
from custvalue.exceptions import ArtefactError, NotSupportedError

MOST = 2**53  # whole numbers that other readers of JSON keep
ENDLESS = {"inf": math.inf, "-inf": -math.inf}


class Portable(BaseEstimator):
    """What estimators share that are written as JSON: settings and learned values, nothing else."""

    _schema: ClassVar[int] = 2

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        """Give every attribute that ``fit`` sets, and its type."""
        raise NotImplementedError

    @classmethod
    def _may_learn(cls) -> dict[str, Any]:
        """Give those that it sets for some tables only."""
        return {}

    def _check_written(self) -> None:
        """Refuse settings and learned values that no ``fit`` leaves, with a ``ValueError``."""

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
        here = {name: kind for name, kind in self._may_learn().items() if hasattr(self, name)}
        learned = {_bare(n): to_plain(getattr(self, n)) for n in {**self._learns(), **here}}
        names = getattr(self, "feature_names_in_", None)
        learned["named"] = int(self.n_features_in_) if names is None else list(map(str, names))
        settings = self.get_params(deep=False)
        return sealed(
            type(self).__name__,
            self._schema,
            settings={name: _setting(value) for name, value in settings.items()},
            learned=learned,
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`.

        Parameters
        ----------
        plain : dict
            As written, or after a journey through ``json``.

        Returns
        -------
        the estimator
            Fitted: every answer is that of the one which was written.

        Raises
        ------
        ArtefactError
            If the dictionary holds another model, a schema that this version does not read, or
            anything that was changed after it was written. It is a ``ValueError``.
        """
        with reading(cls.__name__):
            parts = ("settings", "learned")
            plain = unseal(plain, schemas=(cls._schema,), keys=parts, model=cls.__name__)
            check_names(plain["settings"], cls._get_param_names(), "settings")
            made = cls(**{name: _read_setting(v) for name, v in plain["settings"].items()})
            got = plain["learned"]
            may = {n: k for n, k in cls._may_learn().items() if _bare(n) in got}
            kinds = {**cls._learns(), **may}
            check_names(got, {*map(_bare, kinds), "named"}, "learned")
            read = {n: from_plain(got[_bare(n)], kind, _bare(n)) for n, kind in kinds.items()}
            if isinstance(got["named"], list):
                read["feature_names_in_"] = np.array(texts(got["named"], "named"), dtype=object)
                read["n_features_in_"] = len(got["named"])
            else:
                read["n_features_in_"] = from_plain(got["named"], int, "named")
            if isinstance(read.get("unit_"), str):
                days_per(read["unit_"])
            set_learned(made, read, read)
            made._check_written()
            return made


def to_plain(value: Any) -> Any:
    """Write a learned value.

    Raises
    ------
    NotSupportedError

    Examples
    --------
    >>> from custvalue._written import from_plain, to_plain
    >>> to_plain({"a": (1.0, float("inf"))})
    [['a', [1.0, 'inf']]]
    >>> from_plain([["a", [1.0, "inf"]]], dict[str, tuple[float, ...]], "limits")
    {'a': (1.0, inf)}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, np.generic)):
        value = value.item() if isinstance(value, np.generic) else value
        return str(value) if isinstance(value, float) and math.isinf(value) else value
    if isinstance(value, np.ndarray):
        return list(map(str, value)) if value.dtype == object else array_to_plain(value)
    if hasattr(value, "to_plain"):
        return {"kind": type(value).__name__, **value.to_plain()}
    if is_dataclass(value):
        told = {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
        return {"kind": type(value).__name__, **told}
    if isinstance(value, Mapping):  # pairs, since other writers of JSON put names in order
        return [[to_plain(key), to_plain(one)] for key, one in value.items()]
    if isinstance(value, (tuple, list)):
        return [to_plain(one) for one in value]
    if isinstance(value, frozenset):
        return sorted(map(to_plain, value))
    raise NotSupportedError(f"{value!r} has no plain form.")


def from_plain(plain: Any, kind: Any, name: str) -> Any:
    """Read a learned value of a type.

    Parameters
    ----------
    plain : JSON value
    kind : type
        As a dataclass or a signature declares it.
    name : str
        For the error.

    Raises
    ------
    ArtefactError
        If it is no value of this type.

    Examples
    --------
    >>> from custvalue._written import from_plain
    >>> from_plain([1, "x"], tuple[float, ...], "cuts")
    Traceback (most recent call last):
    ...
    custvalue.exceptions.ArtefactError: cuts must be a finite number, not 'x'.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(plain, inner, name)
    if origin is np.ndarray:
        wanted = get_args(inner[1])[0]
        if wanted is np.object_:
            return np.array(texts(plain, name), dtype=object)
        made = array_from_plain(plain, name, finite=False)
        if made.dtype != wanted:
            raise ArtefactError(f"{name} must be an array of {wanted.__name__}, not {made.dtype}.")
        return made
    if origin in (tuple, list, frozenset):
        return _several(plain, origin, inner, name)
    if origin is not None:  # a mapping
        pairs = _list_of(plain, name)
        if any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
            raise ArtefactError(f"{name} must be a list of pairs.")
        keys = [from_plain(key, inner[0], name) for key, _ in pairs]
        if len(set(keys)) < len(keys):
            raise ArtefactError(f"{name} names something twice.")
        return {k: from_plain(v, inner[1], name) for k, (_, v) in zip(keys, pairs, strict=True)}
    if kind is float:
        endless = isinstance(plain, str) and plain in ENDLESS
        return ENDLESS[plain] if endless else number(plain, name)
    if kind is int and not isinstance(plain, bool) and isinstance(plain, (int, float)):
        if number(plain, name) != int(plain) or abs(plain) >= MOST:
            raise ArtefactError(f"{name} must be a whole number below 2**53, not {plain!r:.80}.")
        return int(plain)  # 1.0 of another writer
    if kind in (int, bool, str, type(None)):
        if type(plain) is not kind:
            raise ArtefactError(f"{name} must be {_called(kind)}, not {plain!r:.80}.")
        return plain
    return _record(plain, kind, name)


def _one_of(plain: Any, kinds: tuple[Any, ...], name: str) -> Any:
    """Read what is of one of several types: None, a record by its name, or the first that fits."""
    if plain is None and type(None) in kinds:
        return None
    said = plain.get("kind") if isinstance(plain, Mapping) else None
    for kind in kinds:
        named = is_dataclass(kind) and said != getattr(kind, "__name__", None)
        if named or kind is type(None):
            continue
        try:
            return from_plain(plain, kind, name)
        except ArtefactError:
            if said is not None or kind is kinds[-1]:
                raise
    raise ArtefactError(f"{name} must be {' or '.join(map(_called, kinds))}, not {plain!r:.80}.")


def _several(plain: Any, origin: Any, inner: tuple[Any, ...], name: str) -> Any:
    values = _list_of(plain, name)
    if origin is not tuple or inner[-1] is Ellipsis:
        inner = (inner[0],) * len(values)
    if len(inner) != len(values):
        raise ArtefactError(f"{name} must be {len(inner)} values, not {len(values)}.")
    return origin(from_plain(v, kind, name) for v, kind in zip(values, inner, strict=True))


def _record(plain: Any, kind: Any, name: str) -> Any:
    """Read a named tuple from a list, or a dataclass from its name and fields."""
    if issubclass(kind, tuple):
        hints = get_type_hints(kind)
        values = _list_of(plain, name)
        check_names(dict.fromkeys(kind._fields[: len(values)]), kind._fields, name)
        return kind(
            *(from_plain(v, hints[f], f) for f, v in zip(kind._fields, values, strict=True))
        )
    if not isinstance(plain, Mapping) or plain.get("kind") != kind.__name__:
        raise ArtefactError(f"{name} must be a {kind.__name__}, not {plain!r:.80}.")
    inside = {key: value for key, value in plain.items() if key != "kind"}
    if hasattr(kind, "from_plain"):
        return kind.from_plain(inside)
    hints = get_type_hints(kind)
    check_names(inside, [f.name for f in fields(kind)], name)
    return kind(**{key: from_plain(value, hints[key], key) for key, value in inside.items()})


def _list_of(plain: Any, name: str) -> list[Any]:
    if not isinstance(plain, list):
        raise ArtefactError(f"{name} must be a list, not {plain!r:.80}.")
    return plain


def _called(kind: Any) -> str:
    words = {int: "a whole number", bool: "true or false", str: "a text", float: "a number"}
    words[type(None)] = "null"
    return words.get(kind, getattr(kind, "__name__", str(kind)))


def _bare(name: str) -> str:
    return name.rstrip("_")


def _setting(value: Any) -> Any:
    """Write a setting; a set comes back as a list, which says the same."""
    if isinstance(value, (timedelta, np.timedelta64)):  # numpy's is one of its scalars, too
        return plain_span(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {"pairs": [[_setting(key), _setting(one)] for key, one in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_setting(one) for one in value]}
    if isinstance(value, (set, frozenset)):
        return sorted(map(_setting, value))
    if isinstance(value, (list, np.ndarray)):
        return [_setting(one) for one in value]
    raise NotSupportedError(f"{value!r} has no plain form; give plain values and a seed.")


def _read_setting(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_read_setting(one) for one in plain]
    if not isinstance(plain, Mapping):
        return plain
    if plain.keys() == {"tuple"}:
        return tuple(_read_setting(one) for one in plain["tuple"])
    pairs = plain["pairs"] if plain.keys() == {"pairs"} else plain.items()
    return {_read_setting(key): _read_setting(one) for key, one in pairs}
