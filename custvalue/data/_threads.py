"""Work on blocks, spread over a few threads: numpy lets go of the interpreter while it computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TypeVar

_Part = TypeVar("_Part")
_Made = TypeVar("_Made")

_MOST = 4  # more threads than this wait for the interpreter and for memory
BLOCK = 1 << 15  # rows worked on at a time: they stay in a processor's cache


def each(work: Callable[[_Part], _Made], parts: Sequence[_Part]) -> list[_Made]:
    """Call ``work`` on every part and keep the order.

    Examples
    --------
    >>> from custvalue.data._threads import each
    >>> each(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    workers = min(_MOST, _cores(), len(parts))
    if workers < 2:
        return _all(work, parts)
    cuts = [len(parts) * i // workers for i in range(workers + 1)]
    shares = [parts[begin:end] for begin, end in pairwise(cuts)]
    with ThreadPoolExecutor(workers) as pool:
        return [made for share in pool.map(partial(_all, work), shares) for made in share]


def _all(work: Callable[[_Part], _Made], parts: Sequence[_Part]) -> list[_Made]:
    return [work(part) for part in parts]


def row_blocks(size: int) -> list[slice]:
    """Rows 0 to ``size`` in runs of ``BLOCK``."""
    return [slice(at, min(at + BLOCK, size)) for at in range(0, size, BLOCK)]


def _cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
