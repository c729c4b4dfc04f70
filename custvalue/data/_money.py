"""Money summed exactly: decimal amounts become whole minor units, which add without error.

If all amounts of a log are decimals with at most four digits behind the point (as cents are), they
are added as integers, exactly and whatever the order of rows. As long as the absolute amounts add
up to less than 2^53 minor units, a float64 holds every such sum, and the result is the float that
is nearest to the true decimal. Other amounts (rates of exchange, simulated money) are added in
float64, with a relative error below n * 2^-53 of the absolute amounts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats, Ints
from custvalue.data._threads import each, row_blocks

_SCALES = (1.0, 100.0, 10_000.0)
_EXACT = 2.0**53
# quantity x price has an error of half a unit in the last place or two; a decimal is still meant
_SLACK = 4.0 * np.finfo(np.float64).eps


class Money(NamedTuple):
    """``values / scale`` is money; integers, whose every sum is exact, or floats (scale 1).

    No value lies outside ``low`` to ``high``.
    """

    values: Ints | Floats
    scale: float
    low: float = 0.0
    high: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether sums lose nothing."""
        return self.values.dtype.kind == "i"

    @property
    def bits(self) -> int:
        """Bits that whole values take from ``low`` on."""
        return (int(self.high) - int(self.low)).bit_length()

    def worth(self, values: Ints | Floats) -> Floats:
        """Turn sums of ``self.values`` into money."""
        return values / self.scale

    def of(self, values: Ints | Floats) -> Money:
        """Other values in the same units."""
        low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
        return Money(values, self.scale, float(low), float(high))

    def total(self) -> float:
        """Sum of all values, as money."""
        return float(self.values.sum()) / self.scale

    def seen(self) -> MoneySeen | None:
        """How large all of it is, in whole minor units; None where sums are not exact."""
        if not self.exact:
            return None
        values = self.values if self.low >= 0 else np.abs(self.values)
        return MoneySeen(self.scale, int(values.sum()))


class MoneySeen(NamedTuple):
    """Minor units in one unit of money, and how many of them all amounts are, whatever their sign.

    What is added to such money later stays exact as long as both together do.
    """

    scale: float
    units: int

    def with_more(self, more: MoneySeen) -> MoneySeen | None:
        """Both together; None where a float can no longer hold every sum."""
        scale = max(self.scale, more.scale)
        units = sum(int(some.units * (scale / some.scale)) for some in (self, more))
        return MoneySeen(scale, units) if units < _EXACT else None


def money_facts(*seen: MoneySeen | None) -> list[list[float] | None]:
    """Write down how large amounts and, where it differs, profits are, as plain JSON values."""
    return [None if some is None else [some.scale, some.units] for some in seen]


def minor_units(amount: Floats) -> Money:
    """Amounts as whole minor units (1, 1/100 or 1/10000) where they are such decimals.

    Parameters
    ----------
    amount : ndarray of shape (n,), finite

    Returns
    -------
    Money
        Scale 1, 100 or 10000; ``values`` is ``amount`` itself where it is no such decimal.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._money import minor_units
    >>> minor_units(np.array([0.1, 0.2, 3 * 0.1])).values
    array([10, 20, 30])
    >>> minor_units(np.array([np.pi])).exact
    False
    """
    if not len(amount):
        return Money(np.empty(0, dtype=np.int64), 1.0)
    low, high = float(amount.min()), float(amount.max())
    size = max(-low, high) * len(amount)
    if size * _SCALES[-1] >= _EXACT:  # the bound was too high, or the amounts are
        with np.errstate(over="ignore"):
            size = float(np.abs(amount).sum())
    for scale in _SCALES:
        if size * scale < _EXACT and (whole := _scaled(amount, scale)) is not None:
            return Money(whole, scale, round(low * scale), round(high * scale))
    return Money(amount, 1.0, low, high)


def difference(one: Floats, other: Floats) -> Floats:
    """Subtract amounts: the floats nearest to the true decimals, where both are decimals.

    A difference of floats has the error of its larger part, and may be far from any decimal where
    little is left.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._money import difference
    >>> 1.656 - 1.25, float(difference(np.array([1.656]), np.array([1.25]))[0])
    (0.4059999999999999, 0.406)
    """
    left = one - other
    known = np.isfinite(left)
    a, b = minor_units(one[known]), minor_units(other[known])
    if a.exact and b.exact:
        scale = max(a.scale, b.scale)
        left[known] = (a.values * (scale / a.scale) - b.values * (scale / b.scale)) / scale
    return left


def _scaled(amount: Floats, scale: float) -> Ints | None:
    """Whole numbers amount * scale, or None where some amount is no such decimal."""
    out = np.empty(len(amount), dtype=np.int64)

    def fits(rows: slice) -> bool:
        part = amount[rows]
        whole = np.rint(part * scale)
        out[rows] = whole
        # the nearest float to a decimal passes at once; a rounding error away, a second look
        if not (whole / scale != part).any():
            return True
        return not (np.abs(part * scale - whole) > _SLACK * np.abs(whole)).any()

    rows = row_blocks(len(amount))
    return out if all(each(fits, rows[:1])) and all(each(fits, rows[1:])) else None


def sums(values: Ints | Floats, start: npt.NDArray[np.int64]) -> Ints | Floats:
    """Sum of each run of ``values``, which begin at ``start`` and cover it.

    Integers are summed by one running sum and differences of it, which is exact and faster than
    ``np.add.reduceat`` on short runs; floats would lose digits that way.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._money import sums
    >>> sums(np.array([1, 2, 3]), np.array([0, 2]))
    array([3, 3])
    """
    if values.dtype.kind != "i":
        return np.add.reduceat(values, start)
    return whole_sums(values.view(np.int64), start)


def whole_sums(values: Ints, start: Ints) -> Ints:
    """Sum of each run of whole numbers, which may be none at all."""
    if not len(start):
        return values[:0]
    ends = np.cumsum(values)[np.append(start[1:], len(values)) - 1]
    ends[1:] -= ends[:-1].copy()
    return ends


def net(amount: Floats) -> float:
    """Sum of finite amounts, exact where they are decimals."""
    return minor_units(amount).total()
