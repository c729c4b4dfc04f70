"""Money as whole minor units."""

from __future__ import annotations

import numpy as np

from custvalue.data._money import minor_units


def test_other_values_in_the_same_units_know_their_own_range():
    money = minor_units(np.array([1.25, 10.0, 99.5]))
    assert (money.scale, money.low, money.high) == (100, 125, 9950)
    other = money.of(np.array([-300, 7, 12]))
    assert (other.low, other.high, other.scale) == (-300.0, 12.0, 100)
    assert other.total() == -2.81
    empty = money.of(np.array([], dtype=np.int64))
    assert (empty.low, empty.high, empty.total()) == (0.0, 0.0, 0.0)
