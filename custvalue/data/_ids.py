"""Customer ids of any kind -> integers that sort alike, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custvalue._frames import missing_ids
from custvalue._typing import Ints, Mask
from custvalue.data._options import LogOptions
from custvalue.exceptions import ContractProblem, DataContractError

_SHORT = 64  # letters: each id takes as many bytes as the longest


def id_codes(
    ids: Any,
    alive: Mask | None,
    left: list[tuple[str, Mask]],
    room: int,
    codes: Ints | None = None,
) -> tuple[Ints, Callable[[Ints], Any], Ints]:
    """Codes of the rows that count (a fresh array), their ids, and the codes that lost rows.

    ``alive`` is None where every row counts; codes of ``room`` bits are welcome; ``codes`` are
    known ones (-1 for nobody).
    """
    if alive is None:
        return *encode(ids, None, room, codes), np.empty(0, dtype=np.int64)
    known = np.ones(len(alive), dtype=bool)
    lost = np.zeros(len(alive), dtype=bool)
    for reason, mask in left:
        if reason == "missing_customer":
            known = ~mask
        elif reason != "after_as_of":
            lost |= mask
    at = np.flatnonzero(alive | (lost & known))
    code, ids_of = encode(ids, at, room, codes)
    kept = alive[at]
    return code[kept], ids_of, distinct(code[~kept])


def distinct(codes: Ints) -> Ints:
    """Each code once, in ascending order: by a sort, which takes a tenth of ``np.unique``'s hashes.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._ids import distinct
    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    made = np.sort(codes)
    return made[np.append(True, made[1:] != made[:-1])] if len(made) else made


def order_codes(frame: Any, options: LogOptions, row: Ints | None) -> Ints | None:
    """Order ids as integers, where orders are to be netted; each missing one is its own order."""
    if options.refunds != "net_order" or options.order is None:
        return None
    orders = frame[options.order]
    whole = orders.dtype.is_integer()  # as in ``encode``: not by way of floats
    values = orders.fill_null(0).to_numpy() if whole else orders.to_numpy()
    missing = orders.is_null().to_numpy().astype(bool, copy=False)
    if row is not None:
        values, missing = values[row], missing[row]
    codes = pd.factorize(values)[0].astype(np.int64)
    missing = missing | (codes < 0) | missing_ids(values)
    codes[missing] = codes.max(initial=-1) + 1 + np.arange(int(missing.sum()))
    return codes


def encode(
    ids: Any, row: Ints | None, room: int, codes: Ints | None = None
) -> tuple[Ints, Callable[[Ints], Any]]:
    """Non-negative integers that sort as the customer ids do, and the way back to the ids.

    Whole-number ids whose range takes ``room`` bits at most are taken as they stand, which saves a
    hash table over all rows; so are ``codes``, where all rows have theirs already.
    """
    if codes is not None:
        code = codes.copy() if row is None else codes[row]
        top = int(code.max(initial=0))
        if top.bit_length() <= room:
            at = np.empty(top + 1, dtype=np.int64)
            at[code] = np.arange(len(code)) if row is None else row
            return code, partial(_looked_up_ids, ids, at)
    if ids.dtype.is_integer():
        # a missing id beside whole numbers would make them floats, which are not exact; its row is
        # not among those asked for
        some = row is not None and ids.is_null().any()
        values = (ids.fill_null(0) if some else ids).to_numpy()
        values = values if row is None else values[row]
        if len(values):
            low, high = int(values.min()), int(values.max())
            if (high - low).bit_length() <= room:
                if values.dtype.kind != "u":  # a narrow type would overflow
                    values = values.astype(np.int64, copy=False)
                code = (values - values.dtype.type(low)).astype(np.int64, copy=False)
                return code, partial(_whole_ids, ids, low, values.dtype)
    else:
        values = ids.to_native()
        values = values.to_pandas() if nw.dependencies.is_pyarrow_chunked_array(values) else values
        if not isinstance(values, pd.Series):
            values = pd.Series(ids.to_numpy())
        values = values if row is None else values.iloc[row]
    try:
        codes, uniques = pd.factorize(values)
    except TypeError as error:
        raise DataContractError(
            ContractProblem(
                "customer-no-id",
                f"column {ids.name!r} has values that are no ids ({error})",
                "Use numbers, text, or anything else that can be a dictionary's key.",
            )
        ) from None
    place = np.empty(len(uniques), dtype=np.int64)
    place[_order(uniques)] = np.arange(len(uniques))
    code = place[codes]
    at = np.empty(len(uniques), dtype=np.int64)  # some row of each customer
    at[code] = np.arange(len(code)) if row is None else row
    return code, partial(_looked_up_ids, ids, at)


def _whole_ids(ids: Any, low: int, dtype: np.dtype[Any], code: Ints) -> Any:
    """Ids that were taken as they stand, less ``low``; ``code`` is given up for them."""
    kind = np.uint64 if dtype.kind == "u" else np.int64
    values = code.view(kind)
    values += kind(low)
    values = values.astype(dtype, copy=False)
    native = ids.to_native()
    if isinstance(native, pd.Series):
        made = pd.Series(values, dtype=native.dtype, name=native.name, copy=False)
        return nw.from_native(made, series_only=True)
    return nw.new_series(ids.name, values, dtype=ids.dtype, backend=ids.implementation)


def _looked_up_ids(ids: Any, at: Ints, code: Ints) -> Any:
    """Ids found again in the log, at some row of each customer."""
    return ids[at[code]]


def _order(uniques: Any) -> Ints:
    """Positions that sort ids: numbers and text as usual, mixed kinds by kind, then text."""
    values = np.asarray(uniques)
    if values.dtype == object and pd.api.types.infer_dtype(values, skipna=False) == "string":
        texts = values.tolist()
        # plain letters sort alike as bytes, five times as fast
        if max(map(len, texts)) <= _SHORT and all(map(str.isascii, texts)):
            return np.argsort(values.astype(np.bytes_), kind="stable")
    try:
        return np.argsort(values, kind="stable")
    except TypeError:
        keys = [(type(v).__name__, str(v)) for v in values]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
