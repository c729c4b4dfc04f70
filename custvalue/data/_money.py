"""Money summed exactly: decimal amounts become whole minor units, which float64 adds without error.

A float64 holds every integer up to 2^53 exactly. So if all amounts of a log are decimals with at
most four digits behind the point (as cents are), and the absolute amounts add up to less than 2^53
minor units, every sum of them is exact, whatever the order of rows; the result is the float nearest
to the true decimal. Amounts that are no decimals (rates of exchange, simulated money) are added in
float64, with a relative error below n * 2^-53 of the absolute amounts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK = 1 << 14
_EXACT = 2.0**53
# quantity x price has an error of half a unit in the last place or two; a decimal is still meant
_SLACK = 4.0 * np.finfo(np.float64).eps


class Money(NamedTuple):
    """``values / scale`` is money; where ``exact``, values are whole and every sum is exact."""

    values: Floats
    scale: float
    exact: bool

    def worth(self, values: Floats) -> Floats:
        """Turn sums of ``self.values`` into money, in place where they are fresh."""
        return np.divide(values, self.scale, out=values) if self.scale > 1.0 else values

    def total(self) -> float:
        """Sum of all values, as money."""
        return float(self.values.sum()) / self.scale


def minor_units(amount: Floats) -> Money:
    """Amounts as whole minor units (1, 1/100 or 1/10000) where they are such decimals.

    Parameters
    ----------
    amount : ndarray of shape (n,), finite

    Returns
    -------
    Money
        Scale 1, 100 or 10000; ``values`` is ``amount`` itself where nothing was to scale.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._money import minor_units
    >>> minor_units(np.array([0.1, 0.2, 3 * 0.1])).values
    array([10., 20., 30.])
    >>> minor_units(np.array([np.pi])).exact
    False
    """
    for scale in (1.0, 100.0, 10_000.0):
        whole = _scaled(amount, scale)
        if whole is not None:
            return Money(whole, scale, True)
    return Money(amount, 1.0, False)


def _scaled(amount: Floats, scale: float) -> Floats | None:
    """Whole numbers amount * scale, or None where some amount is no such decimal."""
    out = np.empty_like(amount)
    size = 0.0
    for start in range(0, len(amount), _BLOCK):
        block = amount[start : start + _BLOCK]
        whole = out[start : start + _BLOCK]
        np.multiply(block, scale, out=whole)
        error = whole.copy()
        np.rint(whole, out=whole)
        error -= whole
        np.abs(error, out=error)
        room = np.abs(whole)
        size += float(room.sum())
        room *= _SLACK
        if (error > room).any() or size >= _EXACT:
            return None
    return out


def sums(values: Floats, start: npt.NDArray[np.int64], exact: bool) -> Floats:
    """Sum of each run of ``values``, which begin at ``start`` and cover it.

    Whole numbers are summed by one running sum and differences of it, which is exact and several
    times faster than ``np.add.reduceat`` on short runs; other floats would lose digits that way.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._money import sums
    >>> sums(np.array([1.0, 2.0, 3.0]), np.array([0, 2]), exact=True)
    array([3., 3.])
    """
    if not exact:
        return np.add.reduceat(values, start)
    ends = np.cumsum(values)[np.append(start[1:], len(values)) - 1]
    ends[1:] -= ends[:-1].copy()
    return ends


def net(amount: Floats) -> float:
    """Sum of finite amounts, exact where they are decimals."""
    return minor_units(amount).total()
