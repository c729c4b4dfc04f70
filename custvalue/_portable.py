"""Fitted models as plain JSON values: written with a checksum, read with every check.

A file that comes back may be cut, edited, made by hand or made to harm. Whatever is wrong with it
is an `ArtefactError`; nothing in it is called, imported or looked up by name outside of a registry,
no attribute is set that was not declared, and no array is made that its cells do not fill. A model
writes ``sealed(name, ...)`` and reads with ``unseal``, inside ``reading``::

    def to_dict(self):
        return sealed(type(self).__name__, settings=...)

    @classmethod
    def from_dict(cls, plain):
        with reading(cls.__name__):
            plain = unseal(plain, schemas=(2,), keys=("settings",), model=cls.__name__)
            ...

Arrays go through ``array_to_plain`` and ``array_from_plain``, matrices through ``sparse_to_plain``
and ``sparse_from_plain``, numbers through ``number``, learned attributes through ``set_learned``,
kinds of objects through ``kind_of`` and a registry. Estimators that only declare what they learn,
and of which type it is, inherit both methods from `custvalue._written`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

import custvalue
from custvalue.exceptions import ArtefactError

T = TypeVar("T")
FIRST_SEALED = 2  # schema 1 was written without a checksum, and is still read
HEAD = ("schema", "library", "model")
KINDS = "biufmMU"  # of numpy's types: no objects, no structures, nothing that runs
LONGEST_TEXT = 10_000  # letters of a cell


def checksum(plain: Mapping[str, Any]) -> str:
    """SHA-256 of plain values, whatever JSON writer they went through.

    Names may come in another order and whole numbers with or without ``.0``.

    Examples
    --------
    >>> from custvalue._portable import checksum
    >>> checksum({"a": 1.0, "b": [2]}) == checksum({"b": [2], "a": 1})
    True
    """
    rest = {key: value for key, value in plain.items() if key != "checksum"}
    text = json.dumps(_same_numbers(rest), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Add the checksum, last.

    Parameters
    ----------
    plain : mapping
        JSON values, no NaN.

    Examples
    --------
    >>> from custvalue._portable import seal
    >>> list(seal({"schema": 2}))
    ['schema', 'checksum']
    """
    return {**plain, "checksum": checksum(plain)}


def sealed(model: str, schema: int = FIRST_SEALED, /, **parts: Any) -> dict[str, Any]:
    """Head and parts of a written model, with the checksum.

    Parameters
    ----------
    model : str
        Name of its class.
    schema : int
    **parts : JSON values

    Examples
    --------
    >>> from custvalue._portable import sealed
    >>> list(sealed("NBD", params={"r": 1.0}))
    ['schema', 'library', 'model', 'params', 'checksum']
    """
    return seal({"schema": schema, "library": custvalue.__version__, "model": model, **parts})


def unseal(
    plain: Any, *, schemas: Collection[int], keys: Iterable[str], model: str | None = None
) -> dict[str, Any]:
    """Copy what was written, once schema, model, checksum and names are what they should be.

    Parameters
    ----------
    plain : mapping
        What ``to_dict`` gave, or ``json.loads`` of it.
    schemas : collection of int
        Those that this version reads; from 2 on there is a checksum.
    keys : iterable of str
        Names beside ``schema``, ``library``, ``model`` and ``checksum``.
    model : str, optional
        Name that must stand under ``model``.

    Raises
    ------
    ArtefactError
    """
    if not isinstance(plain, Mapping):
        raise ArtefactError(f"a written model is a dictionary, not {type(plain).__name__}.")
    try:
        copy: dict[str, Any] = json.loads(json.dumps(dict(plain), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ArtefactError(f"the dictionary has values that are not JSON: {error}.") from None
    schema: Any = copy.get("schema")
    if isinstance(schema, bool) or schema not in schemas:
        read = " and ".join(map(str, sorted(schemas)))
        raise ArtefactError(f"the dictionary has schema {schema!r}; this version reads {read}.")
    if model is not None and copy.get("model") != model:
        raise ArtefactError(f"the dictionary holds {copy.get('model')!r}, not {model}.")
    sealed = schema >= FIRST_SEALED
    check_names(copy, {*HEAD, *keys, *(["checksum"] if sealed else [])}, "the dictionary")
    if sealed and copy.pop("checksum") != checksum(copy):
        raise ArtefactError(
            "the checksum does not fit: the file was changed or damaged after it was written. "
            "Write the model again; to change a model on purpose, build it anew (from_params)."
        )
    return copy


def check_names(plain: Any, wanted: Collection[str], what: str) -> None:
    """Refuse names that are missing or too many, each by name.

    Raises
    ------
    ArtefactError
    """
    if not isinstance(plain, Mapping):
        raise ArtefactError(f"{what} must be a dictionary, not {type(plain).__name__}.")
    lost, more = sorted({*wanted} - {*plain}), sorted(map(str, {*plain} - {*wanted}))
    if lost or more:
        wrong = [f"has no {', '.join(lost)}"] if lost else []
        wrong += [f"has {', '.join(more[:5])}, which does not belong there"] if more else []
        raise ArtefactError(f"{what} {' and '.join(wrong)}.")


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Let everything that goes wrong while a model is read be an ``ArtefactError``.

    Parameters
    ----------
    what : str
        Name of the model, for the error.
    """
    try:
        yield
    except ArtefactError:
        raise
    except (
        TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, MemoryError,
        RecursionError, AssertionError,
    ) as error:  # fmt: skip
        why = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ArtefactError(f"the written {what} is broken: {why}") from error


def number(value: Any, name: str, *, none: bool = False) -> float:
    """Read a finite number; a truth value or a text is none. With ``none`` NaN stands for null.

    Raises
    ------
    ArtefactError

    Examples
    --------
    >>> from custvalue._portable import number
    >>> number(3, "n"), number(None, "n", none=True)
    (3.0, nan)
    """
    if value is None and none:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _finite(value):
        raise ArtefactError(f"{name} must be a finite number, not {value!r:.80}.")
    return float(value)


def places(values: Any, n: int) -> npt.NDArray[np.intp]:
    """Read places among ``n`` states, 0 to ``n - 1``.

    Raises
    ------
    ArtefactError

    Examples
    --------
    >>> from custvalue._portable import places
    >>> places([0, 2], 3)
    array([0, 2])
    """
    found = [number(value, "a place in the matrix") for value in values]
    for place in found:
        if place != int(place) or not 0 <= place < n:
            raise ArtefactError(f"place {place:g} lies outside of {n} states.")
    return np.array(found, dtype=np.intp)


def array_to_plain(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Write an array of numbers, texts or times: its type, shape and cells.

    Times are whole numbers of their unit; numbers that are not finite are texts.
    """
    flat = values.ravel()
    cells = (flat.astype(np.int64) if flat.dtype.kind in "mM" else flat).tolist()
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        cells = [v if math.isfinite(v) else repr(v) for v in cells]
    return {"dtype": values.dtype.str, "shape": list(values.shape), "cells": cells}


def array_from_plain(
    plain: Any, name: str = "an array", *, finite: bool = True
) -> npt.NDArray[Any]:
    """Read an array whose type is plain, whose cells fill its shape and are of its type.

    Parameters
    ----------
    plain : dict
    name : str
        For the error.
    finite : bool, default=True
        Refuse NaN and infinity.

    Raises
    ------
    ArtefactError

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._portable import array_from_plain, array_to_plain
    >>> array_from_plain(array_to_plain(np.eye(2)))
    array([[1., 0.],
           [0., 1.]])
    """
    check_names(plain, ("dtype", "shape", "cells"), name)
    cells, shape = plain["cells"], plain["shape"]
    if not isinstance(plain["dtype"], str) or not isinstance(cells, list):
        raise ArtefactError(f"{name} needs a dtype (text) and cells (a list).")
    with reading(name):
        dtype = np.dtype(plain["dtype"])
    wide = dtype.kind == "U" and dtype.itemsize > 4 * LONGEST_TEXT
    if dtype.kind not in KINDS or wide or dtype.names or dtype.subdtype:
        raise ArtefactError(f"{name} has a dtype {plain['dtype']!r:.80} that no model writes.")
    sizes = shape if isinstance(shape, list) else [shape]
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in sizes):
        raise ArtefactError(f"{name} has no shape: {shape!r:.80}.")
    if math.prod(sizes) != len(cells):
        raise ArtefactError(f"{name} of shape {tuple(sizes)} has {len(cells)} cells.")
    if dtype.kind == "f" and not finite:
        cells = [float(v) if v in ("nan", "inf", "-inf") else v for v in cells]
    if not all(_fits(v, dtype.kind) for v in cells):
        raise ArtefactError(f"{name} has cells that are not of its dtype {dtype.str!r}.")
    if dtype.kind in "iu" and cells:  # an older numpy would wrap them around in silence
        ends = np.iinfo(dtype)
        if min(cells) < ends.min or max(cells) > ends.max:
            raise ArtefactError(f"{name} has cells beyond its dtype {dtype.str!r}.")
    with reading(name):
        if dtype.kind in "mM":
            return np.array(cells, dtype=np.int64).view(dtype.newbyteorder("=")).reshape(sizes)
        made = np.array(cells, dtype=dtype).reshape(sizes)
    if finite and dtype.kind == "f" and not np.isfinite(made).all():
        raise ArtefactError(f"{name} has cells that are no finite number.")
    return made


def _fits(value: Any, kind: str) -> bool:
    """Whether a cell is what an array of this kind holds."""
    if kind == "U":
        return isinstance(value, str)
    if kind == "b" or isinstance(value, bool):
        return kind == "b" and isinstance(value, bool)
    return isinstance(value, int) or (kind == "f" and isinstance(value, float))


def sparse_to_plain(matrix: Any) -> dict[str, Any]:
    """Write a sparse matrix by rows (CSR)."""
    return {
        "shape": [int(n) for n in matrix.shape],
        "data": array_to_plain(matrix.data),
        "indices": matrix.indices.tolist(),
        "indptr": matrix.indptr.tolist(),
    }


def sparse_from_plain(plain: Any, name: str = "a matrix") -> Any:
    """Read a CSR matrix whose indices lie inside of it: every one is checked before it is used.

    Raises
    ------
    ArtefactError

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from custvalue._portable import sparse_from_plain, sparse_to_plain
    >>> plain = sparse_to_plain(sp.csr_array([[0.0, 2.0], [0.0, 0.0]]))
    >>> sparse_from_plain(plain).toarray()
    array([[0., 2.],
           [0., 0.]])
    >>> sparse_from_plain({**plain, "indptr": [0, 10**8, 1]})
    Traceback (most recent call last):
    ...
    custvalue.exceptions.ArtefactError: a matrix cannot be: ...
    """
    check_names(plain, ("shape", "data", "indices", "indptr"), name)
    data = array_from_plain(plain["data"], f"{name}, data")
    return checked_csr(data, plain["indices"], plain["indptr"], plain["shape"], name)


def checked_csr(data: Any, indices: Any, indptr: Any, shape: Any, name: str = "a matrix") -> Any:
    """Make a CSR matrix out of its parts, or say which of them cannot be.

    scipy takes parts that point outside of the matrix, and reads foreign memory later.

    Raises
    ------
    ArtefactError
    """
    import scipy.sparse as sp

    parts = {"indices": indices, "indptr": indptr, "shape": shape}
    for part, values in parts.items():
        cells = np.asarray(values).tolist()
        if not isinstance(cells, list) or any(
            isinstance(v, bool) or not isinstance(v, int) or not 0 <= v < 2**31 for v in cells
        ):
            raise ArtefactError(f"{name} cannot be: its {part} must be whole numbers from 0 on.")
    if len(shape) != 2 or len(indptr) != shape[0] + 1 or len(indices) != len(data):
        raise ArtefactError(f"{name} cannot be: its parts do not fit shape {tuple(shape)}.")
    if indptr[0] != 0 or indptr[-1] != len(data) or (np.diff(indptr) < 0).any():
        raise ArtefactError(f"{name} cannot be: indptr must rise from 0 to its {len(data)} cells.")
    with reading(name):
        made = sp.csr_array(
            (data, np.asarray(indices, np.int32), np.asarray(indptr, np.int32)), shape=tuple(shape)
        )
        made.check_format(full_check=True)
    return made


def set_learned(model: T, learned: Any, declared: Collection[str]) -> T:
    """Set what a model has learned, and nothing else.

    Parameters
    ----------
    model : estimator
    learned : mapping of str to value
    declared : collection of str
        Every name that ``fit`` sets, each ending in ``_``.

    Raises
    ------
    ArtefactError
        If a name is missing, or is none of them.
    """
    check_names(learned, declared, f"what {type(model).__name__} has learned")
    vars(model).update(learned)
    return model


def kind_of(name: Any, registry: Mapping[str, T]) -> T:
    """Look a kind up in a registry, and nowhere else.

    Raises
    ------
    ArtefactError

    Examples
    --------
    >>> from custvalue._portable import kind_of
    >>> kind_of("int", {"int": int})
    <class 'int'>
    """
    if not isinstance(name, str) or name not in registry:
        raise ArtefactError(f"{name!r:.80} is none of {', '.join(registry)}.")
    return registry[name]


def texts(values: Any, name: str) -> tuple[str, ...]:
    """Read a list of texts.

    Raises
    ------
    ArtefactError
    """
    if not isinstance(values, Sequence) or not all(isinstance(v, str) for v in values):
        raise ArtefactError(f"{name} must be a list of texts, not {values!r:.80}.")
    if isinstance(values, str):
        raise ArtefactError(f"{name} must be a list of texts, not one text.")
    return tuple(values)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _same_numbers(value: Any) -> Any:
    """1.0 as 1: some JSON writers leave the point out."""
    if isinstance(value, Mapping):
        return {str(key): _same_numbers(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_same_numbers(v) for v in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
