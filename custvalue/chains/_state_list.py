"""The states that a chain knows: rows of classes, and how to find one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Ints


@dataclass(frozen=True, eq=False)
class StateList:
    """The states of a fitted chain: rows of classes, sorted, and how to find one.

    Parameters
    ----------
    classes : ndarray of int, shape (n_states, n_columns)
        Distinct rows in lexical order.

    Examples
    --------
    >>> import numpy as np
    >>> states, place = StateList.sorted_in(np.array([[1, 0], [0, 2], [1, 0]]))
    >>> states.labels(), place.tolist()
    (((0, 2), (1, 0)), [1, 0, 1])
    """

    classes: Ints

    @classmethod
    def seen_in(cls, rows: Ints) -> StateList:
        """Distinct rows."""
        size, low = _sizes(rows)
        if float(np.prod(size.astype(np.float64))) < 2**62:
            keys = _distinct(_pack(rows, size, low), int(np.prod(size)))
            return cls(_unpack(keys, size, low))
        return cls(np.unique(rows, axis=0))

    @classmethod
    def sorted_in(cls, rows: Ints) -> tuple[StateList, Ints]:
        """Distinct rows, and the position of each row among them."""
        size, low = _sizes(rows)
        cells = float(np.prod(size.astype(np.float64)))
        if cells > 4 * len(rows) + 1000:
            states = cls.seen_in(rows)
            return states, states.find(rows)[0]
        keys = _pack(rows, size, low)
        seen = np.zeros(int(cells), dtype=bool)
        seen[keys] = True
        place = np.cumsum(seen, dtype=np.int32) - np.int32(1)
        return cls(_unpack(np.flatnonzero(seen), size, low)), place[keys]

    def __len__(self) -> int:
        return len(self.classes)

    def labels(self) -> tuple[Any, ...]:
        """Name each state: its class where there is one column, else a tuple."""
        if self.classes.shape[1] == 1:
            return tuple(int(v) for v in self.classes[:, 0])
        return tuple(tuple(int(v) for v in row) for row in self.classes)

    def locate(self, rows: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Position of each row's state, and whether it has one (else the position is void)."""
        low, size = self._frame(rows)
        keys = _pack(self.classes, size, low)
        wanted = _pack(rows, size, low)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return place, keys[place] == wanted

    def find(self, rows: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Position of each row's state and whether it was known.

        A row with classes never seen together gets the nearest known state: least sum of
        distances between classes, the earlier state on ties.
        """
        place, known = self.locate(rows)
        if not known.all():
            strange, back = np.unique(rows[~known], axis=0, return_inverse=True)
            nearest = [int(np.abs(self.classes - row).sum(axis=1).argmin()) for row in strange]
            place = place.copy()
            place[~known] = np.asarray(nearest)[back.ravel()]
        return place, known

    def _frame(self, rows: Ints) -> tuple[Ints, Ints]:
        low = np.minimum(self.classes.min(axis=0), rows.min(axis=0))
        return low, np.maximum(self.classes.max(axis=0), rows.max(axis=0)) - low + 1


def _distinct(keys: Ints, cells: int) -> Ints:
    if cells <= 4 * len(keys) + 1000:
        seen = np.zeros(cells, dtype=bool)
        seen[keys] = True
        return np.flatnonzero(seen)
    return np.unique(keys)


def _sizes(rows: Ints) -> tuple[Ints, Ints]:
    low = rows.min(axis=0)
    return rows.max(axis=0) - low + 1, low


def _pack(rows: Ints, size: Ints, low: Ints) -> Ints:
    key = np.zeros(len(rows), dtype=np.int64)
    for k in range(rows.shape[1]):
        key *= size[k]
        key += rows[:, k] - low[k]
    return key


def _unpack(keys: Ints, size: Ints, low: Ints) -> Ints:
    out = np.empty((len(keys), len(size)), dtype=np.int64)
    for k in range(len(size) - 1, -1, -1):
        keys, out[:, k] = np.divmod(keys, size[k])
    return out + low
