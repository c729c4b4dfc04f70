"""Money as whole minor units."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.data._money import difference, minor_units


def test_other_values_in_the_same_units_know_their_own_range():
    money = minor_units(np.array([1.25, 10.0, 99.5]))
    assert (money.scale, money.low, money.high) == (100, 125, 9950)
    other = money.of(np.array([-300, 7, 12]))
    assert (other.low, other.high, other.scale) == (-300.0, 12.0, 100)
    assert other.total() == -2.81
    empty = money.of(np.array([], dtype=np.int64))
    assert (empty.low, empty.high, empty.total()) == (0.0, 0.0, 0.0)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7)), min_size=1),
    st.sampled_from([0, 2, 3, 4]),
)
def test_a_difference_of_decimals_is_the_decimal(pairs, digits):
    one, other = (np.array([p[k] / 10**digits for p in pairs]) for k in (0, 1))
    true = [float(Decimal(a - b) / 10**digits) for a, b in pairs]
    assert difference(one, other).tolist() == true


def test_a_difference_leaves_what_is_missing_and_what_is_no_decimal():
    one, other = np.array([np.nan, np.pi, 1.656]), np.array([1.0, 1.25, 1.25])
    np.testing.assert_array_equal(difference(one, other), one - other)
    np.testing.assert_array_equal(difference(one[[0, 2]], other[[0, 2]]), [np.nan, 0.406])
