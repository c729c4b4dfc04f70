"""Intervals of a share and of a ratio of shares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from custvalue._kernels import share_ratio, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 9), (12, 12), (26, 40), (1, 5000)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_wilsons_interval_is_that_of_scipy(hits, n, level):
    right = binomtest(hits, n).proportion_ci(level, method="wilson")
    np.testing.assert_allclose(wilson(hits / n, n, level), right, atol=1e-12)


def test_nobody_asked_is_nothing_known():
    assert [float(end) for end in wilson(0.0, 0, 0.95)] == [0.0, 1.0]


def test_a_ratio_turned_round_has_the_interval_turned_round():
    one, low, high = share_ratio(0.3, 100, 0.1, 900, 0.95)
    other, least, most = share_ratio(0.1, 900, 0.3, 100, 0.95)
    np.testing.assert_allclose([other, least, most], [1 / one, 1 / high, 1 / low], rtol=1e-9)


def test_a_ratio_to_nothing_seen_is_above_something():
    ratio, low, high = share_ratio(0.2, 100, 0.0, 900, 0.95)
    assert ratio == high == np.inf
    assert 20 < low < 0.2 * 900
    none, low, high = share_ratio(0.0, 100, 0.1, 900, 0.95)
    assert none == low == 0
    assert 0.1 < high < 0.6


@pytest.mark.parametrize(("p", "q"), [(0.3, 0.08), (0.02, 0.1), (0.1, 0.1)])
def test_a_ratio_lies_within_its_interval_in_95_of_100_samples(p, q, rng):
    n = 4000
    x, y = rng.binomial(300, p, n), rng.binomial(2700, q, n)
    _, low, high = share_ratio(x / 300, 300, y / 2700, 2700, 0.95)
    held = ((low <= p / q) & (p / q <= high)).mean()
    assert abs(held - 0.95) < 5 * np.sqrt(0.05 * 0.95 / n) + 0.005
