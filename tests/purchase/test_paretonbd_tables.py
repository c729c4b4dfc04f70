"""The Pareto/NBD by day-grid tables is the Pareto/NBD by quadrature of every row."""

from __future__ import annotations

import numpy as np
import pytest

from custvalue._kernels import Histories, compress
from custvalue.purchase import ParetoNBD
from custvalue.purchase._paretonbd_fit import objective
from custvalue.purchase._paretonbd_grid import mesh_of, split

# one case a line: r, alpha, s, beta in ticks; a day is one tick
PARAMS = [
    (0.55, 10.6, 0.61, 11.7),
    (0.55, 74.0, 0.61, 82.0),
    (0.55, 82.0, 0.61, 74.0),
    (0.5, 0.05, 0.6, 70.0),  # alpha far below a tick
    (0.5, 70.0, 0.6, 0.05),  # beta far below a tick
    (0.5, 1e-4, 0.6, 1e-5),
    (0.01, 1e-4, 1e-3, 7e3),
    (300.0, 4e4, 3.0, 2e3),  # no spread in rates
    (1e5, 7e6, 0.5, 70.0),
    (0.5, 70.0, 1e4, 7e6),  # no spread in drop-out
    (1e-3, 0.7, 20.0, 0.7),
    (50.0, 1e-4, 0.6, 70.0),  # over a fall of more than 750 a double holds no fixed scale
    (0.5, 70.0, 60.0, 1e-4),
]


@pytest.fixture(scope="module")
def rows() -> Histories:
    """30,000 customers on a day grid; some bought on the last day, some heavily."""
    rng = np.random.default_rng(7)
    T = rng.integers(100, 200, 30_000).astype(float)
    model = ParetoNBD.from_params(r=0.55, alpha=74.0, s=0.61, beta=82.0)
    X = model.sample_histories(len(T), T, random_state=rng)
    x = X["frequency"].to_numpy(float).copy()
    t_x = np.minimum(np.ceil(X["recency"].to_numpy(float)), T)
    x[:3], t_x[:3] = (150.0, 90.0, 61.0), (99.0, 100.0, 3.0)
    return compress(x, t_x, T, rng.uniform(0.5, 2.0, len(T)), tick=1.0)


@pytest.mark.parametrize("params", PARAMS)
def test_value_gradient_and_hessian_equal_those_of_the_row_version(rows, params):
    grid, rest = split(rows)
    assert grid is not None
    assert mesh_of(grid, params) is not None
    assert rest.sum() > 0, "counts that few rows share go by rows"
    theta = np.log(params)
    value, gradient, hessian = objective(rows)(theta)
    by_rows = objective(rows, tables=False)(theta)
    np.testing.assert_allclose(value, by_rows[0], rtol=1e-11)
    np.testing.assert_allclose(gradient, by_rows[1], rtol=1e-9, atol=1e-11)
    scale = np.abs(by_rows[2]).max()
    np.testing.assert_allclose(hessian, by_rows[2], rtol=1e-9, atol=1e-10 * scale)


@pytest.mark.parametrize("params", PARAMS)
def test_chances_of_many_rows_equal_those_of_each_row(rows, params):
    model = ParetoNBD.from_params(**dict(zip(("r", "alpha", "s", "beta"), params, strict=True)))
    X = np.column_stack([rows.x, rows.t_x, rows.T])
    assert split(rows)[0] is not None

    together = model.predict_alive(X)
    by_rows = ParetoNBD.law.prob_alive(*params, *X.T)
    np.testing.assert_allclose(together, by_rows, rtol=1e-10, atol=1e-300)


def test_first_cells_are_cut_when_alpha_or_beta_is_far_below_a_tick(rows):
    grid, _ = split(rows)
    ticks = int(grid.end.max())
    plain = mesh_of(grid, (0.55, 74.0, 0.61, 82.0))
    assert len(plain.left) == ticks
    assert plain.nodes == 4
    for params in ((0.5, 0.01, 0.6, 70.0), (0.5, 70.0, 0.6, 0.01)):
        fine = mesh_of(grid, params)
        assert fine.at[1] > 5
        assert fine.nodes == 6


def test_an_integrand_too_steep_for_the_tables_goes_by_rows(rows):
    params = (0.5, 74.0, 1e3, 1e-3)
    grid, _ = split(rows)
    assert mesh_of(grid, params) is None
    value, gradient, hessian = objective(rows)(np.log(params))
    by_rows = objective(rows, tables=False)(np.log(params))
    assert value == by_rows[0]
    np.testing.assert_array_equal(gradient, by_rows[1])
    np.testing.assert_array_equal(hessian, by_rows[2])


def test_times_off_a_grid_and_few_rows_use_no_tables(rows):
    assert split(rows._replace(tick=None))[0] is None
    few = Histories(*(v[::3000] for v in rows[:4]), rows.tick)
    assert split(few)[0] is None


def test_a_fit_ends_at_the_same_optimum_on_and_off_the_grid(rows):
    X = np.column_stack(rows[:3])
    on = ParetoNBD(unit="D").fit(X, sample_weight=rows.w)
    # an off-grid twin: all times stretched by one irrational factor
    stretch = np.pi / 3.0
    off = ParetoNBD(unit="D").fit(X * [1.0, stretch, stretch], sample_weight=rows.w)
    np.testing.assert_allclose(
        np.array(off.params_) / [1.0, stretch, 1.0, stretch], on.params_, rtol=1e-7
    )
    orders = float(rows.w @ rows.x)
    np.testing.assert_allclose(
        off.fit_report().log_likelihood + orders * np.log(stretch),
        on.fit_report().log_likelihood,
        rtol=1e-12,
    )
