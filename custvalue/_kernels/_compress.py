"""Equal rows become one row and a weight, by one value sort of a packed integer key."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# ticks tried in this order: the time unit itself, days of a week, hundredths, days of a month
TICKS = (1.0, 1.0 / 7.0, 0.01, 12.0 / 365.25)


class Histories(NamedTuple):
    """Rows of (x, t_x, T) with weights; ``tick`` is the time grid they lie on, None if none."""

    x: Floats
    t_x: Floats
    T: Floats
    w: Floats
    tick: float | None


def grid_of(t_x: Floats, T: Floats, ticks: tuple[float, ...] = TICKS) -> float | None:
    """Largest tick of ``ticks`` of which every time is a whole multiple, None if there is none."""
    probe = slice(0, 256)
    for tick in ticks:
        # a few rows first, so that a wrong tick costs nothing
        if all(_on_grid(t[probe], tick) for t in (T, t_x)) and all(
            _on_grid(t, tick) for t in (T, t_x)
        ):
            return tick
    return None


def _on_grid(t: Floats, tick: float) -> bool:
    for lo in range(0, len(t), 8192):
        n = t[lo : lo + 8192] / tick
        if float(np.abs(n - np.rint(n)).max(initial=0.0)) > 1e-6 or n.max(initial=0.0) > 2**30:
            return False
    return True


def compress(
    x: Floats, t_x: Floats, T: Floats, w: Floats | None = None, tick: float | None = None
) -> Histories:
    """Distinct rows of (x, t_x, T) with their weights.

    Rows off every time grid, or whose packed key needs more than 62 bits, come back as they are.

    Parameters
    ----------
    x, t_x, T : ndarray of shape (n,)
    w : ndarray of shape (n,) or None
        Weights; None is one each.
    tick : float or None
        Grid of time; looked for where it is None.

    Returns
    -------
    Histories

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import compress
    >>> rows = compress(np.array([2., 0., 2.]), np.array([5., 0., 5.]), np.array([9., 9., 9.]))
    >>> rows.x, rows.w
    (array([0., 2.]), array([1., 2.]))
    """
    tick = grid_of(t_x, T) if tick is None else tick
    if tick is not None and len(x):
        top_x, top_t = int(x.max()), round(float(T.max()) / tick)
        bits_x, bits_t = top_x.bit_length(), top_t.bit_length()
        if bits_x + 2 * bits_t <= 62:
            return _packed(x, t_x, T, w, tick, bits_t)
    weight = np.ones(len(x)) if w is None else w
    return Histories(x, t_x, T, weight, tick)


def _packed(
    x: Floats, t_x: Floats, T: Floats, w: Floats | None, tick: float, bits: int
) -> Histories:
    key = np.empty(len(x), dtype=np.int64)
    for lo in range(0, len(x), 8192):
        part = slice(lo, lo + 8192)
        block = x[part].astype(np.int64)
        block <<= bits
        block |= np.rint(t_x[part] / tick).astype(np.int64)
        block <<= bits
        block |= np.rint(T[part] / tick).astype(np.int64)
        key[part] = block
    weight: Floats
    if w is None:
        key.sort()
        start = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
        weight = np.diff(start, append=len(key)).astype(np.float64)
        unique = key[start]
    else:
        unique, where = np.unique(key, return_inverse=True)
        weight = np.bincount(where, weights=w).astype(np.float64)
    mask = (1 << bits) - 1
    return Histories(
        (unique >> (2 * bits)).astype(np.float64),
        ((unique >> bits) & mask).astype(np.float64) * tick,
        (unique & mask).astype(np.float64) * tick,
        weight,
        tick,
    )


def distinct_pairs(x: Floats, T: Floats) -> tuple[Floats, Floats, npt.NDArray[np.intp]] | None:
    """Distinct (x, T) pairs and each row's place among them, without a sort; None if too many.

    A forecast given "alive" depends on (x, T) only, and on a day grid a million rows have a few
    thousand such pairs.
    """
    tick = grid_of(T[:0], T)
    if tick is None or len(x) < 2048:
        return None
    top_x, top_t = int(x.max()), round(float(T.max()) / tick)
    low_t = round(float(T.min()) / tick)
    width = top_t - low_t + 1
    cells = (top_x + 1) * width
    if cells > 2 * len(x) + 100_000:
        return None
    code = np.empty(len(x), dtype=np.intp)
    for lo in range(0, len(x), 8192):
        part = slice(lo, lo + 8192)
        code[part] = x[part] * width + (np.rint(T[part] / tick) - low_t)
    used = np.zeros(cells, dtype=bool)
    used[code] = True
    cell = np.flatnonzero(used)
    place = np.empty(cells, dtype=np.intp)
    place[cell] = np.arange(len(cell))
    values = (cell // width).astype(np.float64), (cell % width + low_t).astype(np.float64)
    return values[0], values[1] * tick, place[code]
