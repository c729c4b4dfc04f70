"""Newton's method: never down, never out of the box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue._kernels._newton import covariance, maximise


def bowl(centre, curvature):
    def objective(theta):
        d = theta - centre
        return -0.5 * float(d @ curvature @ d), -curvature @ d, -curvature

    return objective


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=2),
    st.lists(st.floats(-8, 8), min_size=2, max_size=2),
)
def test_a_quadratic_hill_is_climbed_from_anywhere(centre, start):
    curvature = np.array([[2.0, 0.7], [0.7, 1.0]])
    found = maximise(bowl(np.array(centre), curvature), start, [-9, -9], [9, 9])
    assert found.converged
    np.testing.assert_allclose(found.theta, centre, atol=1e-9)


def test_a_summit_outside_the_box_ends_on_its_edge_and_says_so():
    found = maximise(bowl(np.array([4.0, 0.0]), np.eye(2)), [0.0, 0.5], [-1, -1], [1, 1])
    assert found.converged
    assert found.on_upper.tolist() == [True, False]
    np.testing.assert_allclose(found.theta, [1.0, 0.0], atol=1e-12)
    assert found.gradient_norm < 1e-6


def wavy(theta):
    value = float(np.cos(theta[0]) + theta[0] / 9)
    return value, 1 / 9 - np.sin(theta), -np.cos(theta)[:, None]


@given(st.floats(-9, 9))
def test_a_climb_never_goes_down(start):
    found = maximise(wavy, [start], [-9.0], [9.0])
    assert found.value >= wavy(np.array([start]))[0]


def test_a_boundary_parameter_has_no_standard_error():
    out = covariance(-np.diag([4.0, 9.0]), 10.0, np.array([False, True]))
    assert out[0, 0] == pytest.approx(1 / 40)
    assert np.isnan(out[1]).all()
    assert np.isnan(covariance(np.diag([1.0, -1.0]), 10.0, np.array([False, False]))).all()
