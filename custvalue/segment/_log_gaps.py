"""From a log of purchases to silence, by one sort of packed integers and no money."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._dates import read_day
from custvalue._frames import TableFacts, column, column_names, frame_like, wall_times, with_facts
from custvalue._units import days_per
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, no_column

Ints = npt.NDArray[np.int64]

BLOCK = 1 << 16  # transactions: half a megabyte a temporary


class PackedGaps(NamedTuple):
    """What ``pack_gaps`` finds, in ticks of time; one entry a customer but for ``gaps``.

    Parameters
    ----------
    code : ndarray of shape (n,)
        Customer codes, ascending.
    first, last : ndarray of shape (n,)
        First and last purchase.
    n_gaps, gap_max, n_shorter : ndarray of shape (n,)
    gaps : ndarray of shape (n_all_gaps,)
        Everybody's gaps, customer by customer, where they were asked for.

    Examples
    --------
    >>> from custvalue.segment import PackedGaps
    >>> PackedGaps._fields[:3]
    ('code', 'first', 'last')
    """

    code: Ints
    first: Ints
    last: Ints
    n_gaps: Ints
    gap_max: Ints
    n_shorter: Ints
    gaps: Ints


def pack_gaps(
    code: npt.ArrayLike, tick: npt.ArrayLike, as_of: int, *, keep_gaps: bool = False
) -> PackedGaps:
    """Gaps between the purchases of every customer, from integer codes and ticks.

    Customer and time are packed into one 64-bit integer and sorted by value; a difference of
    neighbours is then either a gap or, being too large for one, the step to the next customer.
    Equal ticks of a customer are one purchase.

    Parameters
    ----------
    code : array-like of shape (n_transactions,), int
        Customer, at least 0.
    tick : array-like of shape (n_transactions,), int
        Time of purchase, e.g. days; none after ``as_of``.
    as_of : int
        End of observation.
    keep_gaps : bool, default=False
        Whether to keep everybody's gaps.

    Returns
    -------
    PackedGaps

    Raises
    ------
    ValueError
        If there is no row, or codes and times need more than 63 bits together.

    Examples
    --------
    >>> from custvalue.segment import pack_gaps
    >>> found = pack_gaps([7, 7, 7, 7, 9], [0, 45, 10, 15, 3], as_of=60)
    >>> found.code, found.gap_max, found.n_shorter
    (array([7, 9]), array([30,  0]), array([2, 0]))
    """
    codes = np.asarray(code, dtype=np.int64)
    ticks = np.asarray(tick, dtype=np.int64)
    if len(codes) == 0:
        raise ValueError("there is no transaction.")
    low, high = int(ticks.min()), int(ticks.max())
    # one bit more than a time needs: a step to the next customer is always longer than any gap
    bits = (high - low).bit_length() + 1
    if int(codes.max()).bit_length() + bits > 63 or int(codes.min()) < 0:
        raise ValueError(
            f"codes up to {int(codes.max())} and {high - low} ticks do not fit into 63 bits; "
            "number the customers from 0."
        )
    key = codes << bits
    key += ticks
    key -= low
    key.sort()
    parts = []
    start = 0
    while start < len(key):
        # whole customers, few enough that every temporary stays in the cache
        end = min(start + BLOCK, len(key))
        after = ((int(key[end - 1]) >> bits) + 1) << bits
        end += int(np.searchsorted(key[end:], after))
        parts.append(_customers_of(key[start:end], bits, as_of - low, keep_gaps))
        start = end
    code_, first, last, n_gaps, gap_max, n_shorter, gaps = map(
        np.concatenate, zip(*parts, strict=True)
    )
    return PackedGaps(code_, first + low, last + low, n_gaps, gap_max, n_shorter, gaps)


def _customers_of(key: Ints, bits: int, end: int, keep_gaps: bool) -> PackedGaps:
    """One block of whole customers; times count from the log's first tick."""
    gap = np.empty(len(key), dtype=np.int64)
    gap[0] = 1 << bits
    np.subtract(key[1:], key[:-1], out=gap[1:])
    head = np.flatnonzero(gap >= 1 << (bits - 1))
    size = np.diff(head, append=len(key))
    # several purchases at one tick are one: their gaps of zero are counted out
    again = np.flatnonzero(gap == 0)
    owner = np.searchsorted(head, again, side="right") - 1
    repeats = np.bincount(owner, minlength=len(head))
    gap[head] = 0
    first, last = key[head], key[head + size - 1]
    customer = first >> bits
    base = customer << bits
    first -= base
    last -= base
    gap_max = np.maximum.reduceat(gap, head)
    n_gaps = size - 1 - repeats
    short = gap <= np.repeat(end - last, size)
    # a running count, read off at each customer's end, is faster than adding up each customer
    upto = np.cumsum(short.view(np.int8), dtype=np.int32)[head + size - 1].astype(np.int64)
    n_shorter = np.diff(upto, prepend=0) - 1 - repeats
    gaps = gap[gap > 0] if keep_gaps else gap[:0]
    return PackedGaps(customer, first, last, n_gaps, gap_max, n_shorter, gaps)


def silence_from_log(
    log: Any,
    *,
    customer: str,
    time: str,
    as_of: Any = None,
    unit: str = "D",
) -> tuple[Any, npt.NDArray[np.float64]]:
    """Silence figures of every customer and everybody's gaps, from customers and dates alone.

    The short way to ``SilenceScorer`` where money does not matter; every row counts as a purchase
    and a day is an occasion. Logs with refunds or bad rows go through ``custvalue.summarize``.

    Parameters
    ----------
    log : eager frame
        One row a purchase.
    customer, time : str
        Column names; ``time`` holds dates or timestamps.
    as_of : str or date, optional
        End of observation; later rows are left out. Default: the last day in the log.
    unit : str, default="D"
        Unit of the figures.

    Returns
    -------
    table : frame
        One row a customer, ordered by id: ``<customer>``, ``silence``, ``n_orders``, ``n_gaps``,
        ``gap_mean``, ``gap_max``, ``gap_sum``, ``n_gaps_shorter``.
    gaps : ndarray of shape (n_gaps,)
        Everybody's gaps in ``unit``, for ``SilenceScorer.fit(table, gaps=gaps)``.

    Raises
    ------
    DataContractError
        If a customer or a date is missing, or no row is left.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.segment import silence_from_log
    >>> log = pd.DataFrame({"id": ["a", "a", "a", "b"],
    ...                     "day": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-01-16",
    ...                                            "2026-01-02"])})
    >>> table, gaps = silence_from_log(log, customer="id", time="day", as_of="2026-01-31")
    >>> table[["id", "silence", "n_gaps", "gap_max"]]
      id  silence  n_gaps  gap_max
    0  a     15.0       2     10.0
    1  b     29.0       0      NaN
    >>> gaps
    array([10.,  5.])
    """
    import pandas as pd

    have = column_names(log) or []
    if absent := [
        no_column(name, have, "the log") for name in (customer, time) if name not in have
    ]:
        raise DataContractError(absent)
    ids = column(log, customer)
    day = wall_times(log, time).astype("datetime64[D]")
    missing = np.isnat(day) | pd.isna(ids)
    if missing.any() or not len(day):
        text = f"{customer!r} or {time!r} is missing" if len(day) else "the log has no rows"
        where = np.flatnonzero(missing)
        problem = ContractProblem(
            "missing-value", text, "Use custvalue.summarize.", len(where), first_ids(where)
        )
        raise DataContractError(problem)
    tick = day.astype(np.int64)
    end = int(tick.max()) if as_of is None else int(read_day(as_of).astype(np.int64))
    if int(tick.max()) > end:
        kept = tick <= end
        ids, tick = ids[kept], tick[kept]
        if not len(ids):
            text = f"the log has no row up to as_of={as_of!r}"
            raise DataContractError(ContractProblem("empty", text, "Choose a later date."))
    code, names = _codes(ids)
    found = pack_gaps(code, tick, end, keep_gaps=True)
    per = days_per(unit)
    span = (found.last - found.first) / per
    some = np.maximum(found.n_gaps, 1)
    none = found.n_gaps == 0
    table = frame_like(
        log,
        {
            customer: names[found.code] if names is not None else found.code + int(ids.min()),
            "silence": (end - found.last) / per,
            "n_orders": found.n_gaps + 1,
            "n_gaps": found.n_gaps,
            "gap_mean": np.where(none, np.nan, span / some),
            "gap_max": np.where(none, np.nan, found.gap_max / per),
            "gap_sum": span,
            "n_gaps_shorter": found.n_shorter,
        },
        index=range(len(found.code)),
    )
    facts = TableFacts("summary", customer, unit, str(np.datetime64(end, "D")))
    return with_facts(table, facts), found.gaps / per


def _codes(ids: npt.NDArray[Any]) -> tuple[Ints, npt.NDArray[Any] | None]:
    """Small integers in the order of the ids; whole numbers serve as they are."""
    if ids.dtype.kind in "iu" and int(ids.max()) - int(ids.min()) < 1 << 40:
        return ids.astype(np.int64) - int(ids.min()), None
    import pandas as pd

    code, names = pd.factorize(ids, sort=True)
    return code.astype(np.int64), np.asarray(names)
