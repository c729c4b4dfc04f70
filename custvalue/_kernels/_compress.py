"""Equal rows become one row and a weight, by one value sort of a packed integer key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats

Spread = Callable[[Floats], Floats]

# ticks tried in this order: the time unit itself, days of a week, hundredths, days of a month
TICKS = (1.0, 1.0 / 7.0, 0.01, 12.0 / 365.25)
BLOCK = 8192


class Histories(NamedTuple):
    """Rows of (x, t_x, T) with weights; ``tick`` is the time grid they lie on, None if none."""

    x: Floats
    t_x: Floats
    T: Floats
    w: Floats
    tick: float | None

    @property
    def n(self) -> float:
        """Number of customers: the sum of the weights."""
        return float(self.w.sum())

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.x)

    def counted(self, unit: float) -> Histories:
        """Give the rows with time counted in ``unit``."""
        tick = None if self.tick is None else self.tick / unit
        return Histories(self.x, self.t_x / unit, self.T / unit, self.w, tick)

    def part(self, size: int) -> Histories:
        """Take every k-th customer, ``size`` of them."""
        total = np.cumsum(self.w)
        # equal customers stand in one row, so that every k-th row would be a skewed sample
        every = (np.arange(size) + 0.5) * (float(total[-1]) / size)
        row = np.searchsorted(total, every)
        first = np.flatnonzero(np.diff(row, prepend=-1))
        return self.taken(row[first], np.diff(first, append=size).astype(np.float64))

    def drawn(self, rng: np.random.Generator) -> Histories:
        """Draw as many customers with replacement; those drawn often have more weight."""
        w = rng.multinomial(round(self.n), self.w / self.n).astype(float)
        some = np.flatnonzero(w > 0)
        return self.taken(some, w[some])

    def taken(self, rows: npt.NDArray[np.intp], w: Floats) -> Histories:
        """Take some rows, and what each now weighs."""
        return Histories(self.x[rows], self.t_x[rows], self.T[rows], w, self.tick)


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
    whole, off = np.empty((2, min(len(t), BLOCK)))
    for lo in range(0, len(t), BLOCK):
        part = t[lo : lo + BLOCK]
        if not _whole_into(part, 1.0 / tick, whole[: len(part)], off[: len(part)]):
            return False
    return True


def _whole_into(t: Floats, per: float, whole: Floats, off: Floats) -> bool:
    """Write ``t * per`` to the next whole number into ``whole``; False where one is far off it."""
    np.multiply(t, per, out=off)
    np.rint(off, out=whole)
    off -= whole
    np.abs(off, out=off)
    return bool(off.max(initial=0.0) <= 1e-6 and whole.max(initial=0.0) <= 2**30)


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
    if len(x):
        for guess in TICKS if tick is None else (tick,):
            # a few rows first, so that a wrong tick costs nothing
            if tick is not None or grid_of(t_x[:256], T[:256], (guess,)) is not None:
                found = _packed(x, t_x, T, w, guess)
                if found is not None:
                    return found
    weight = np.ones(len(x)) if w is None else w
    return Histories(x, t_x, T, weight, grid_of(t_x, T) if tick is None else tick)


def _packed(x: Floats, t_x: Floats, T: Floats, w: Floats | None, tick: float) -> Histories | None:
    """Sort one whole number a row; None where times are off the grid or need too many bits."""
    bits = round(float(T.max()) / tick).bit_length()
    size = int(x.max()).bit_length() + 2 * bits
    if size > 62:
        return None
    # short keys sort twice as fast; 53 bits are exact as floats, which are quicker to make
    key: npt.NDArray[Any] = np.empty(len(x), dtype=np.int32 if size < 32 else np.int64)
    exact = np.float64 if size <= 53 else np.int64
    whole, off = np.empty((2, min(len(x), BLOCK)))
    for lo in range(0, len(x), BLOCK):
        part = slice(lo, lo + BLOCK)
        block = x[part].astype(exact)
        at, rest = whole[: len(block)], off[: len(block)]
        for t in (t_x, T):
            if not _whole_into(t[part], 1.0 / tick, at, rest):
                return None
            block *= 1 << bits
            block += at.astype(exact, copy=False)
        key[part] = block
    weight: Floats
    unique: npt.NDArray[Any]
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


def distinct_pairs(x: Floats, T: Floats) -> tuple[Floats, Floats, Spread] | None:
    """Distinct (x, T) pairs, and what takes a value of each to its rows; None if too many.

    A forecast given "alive" depends on (x, T) only, and on a day grid a million rows have a few
    thousand such pairs. They are marked in a table of all (x, T), so that nothing is sorted.
    """
    if len(x) < 2048:
        return None
    for tick in TICKS:
        if grid_of(T[:0], T[:256], (tick,)) is not None:
            found = _marked(x, T, tick)
            if found is not None:
                return found
    return None


def _marked(x: Floats, T: Floats, tick: float) -> tuple[Floats, Floats, Spread] | None:
    low, high = round(float(T.min()) / tick), round(float(T.max()) / tick)
    width = high - low + 1
    cells = (int(x.max()) + 1) * width
    if cells > 2 * len(x) + 100_000:
        return None
    code = np.empty(len(x), dtype=np.intp)
    at, rest = np.empty((2, BLOCK))
    for lo in range(0, len(x), BLOCK):
        part = slice(lo, lo + BLOCK)
        here = slice(0, len(x[part]))
        if not _whole_into(T[part], 1.0 / tick, at[here], rest[here]):
            return None
        block = np.multiply(x[part], width, out=rest[here])
        block += at[here]
        block -= low
        code[part] = block
    used = np.zeros(cells, dtype=bool)
    used[code] = True
    cell = np.flatnonzero(used)

    def spread(values: Floats) -> Floats:
        table = np.empty((cells, *values.shape[1:]))
        table[cell] = values
        return table[code]

    values = (cell // width).astype(np.float64), (cell % width + low).astype(np.float64)
    return values[0], values[1] * tick, spread


def kinds_of(Z: Floats, most: int = 1000) -> list[npt.NDArray[np.intp]] | None:
    """Rows of each distinct row of ``Z``; None where there are so many that it does not pay.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import kinds_of
    >>> [rows.tolist() for rows in kinds_of(np.array([[0.0], [1.0], [0.0]]))]
    [[0, 2], [1]]
    """
    code: npt.NDArray[Any] = np.zeros(len(Z), dtype=np.int64)
    for column in Z.T:
        head = np.unique(column[:BLOCK])
        if len(head) > most or len(head) > max(2, len(Z) // 4):
            return None
        values, place = np.unique(column, return_inverse=True)
        if len(values) > most:
            return None
        kinds, code = np.unique(code * len(values) + place, return_inverse=True)
        if len(kinds) > most:
            return None
    order = np.argsort(code, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
