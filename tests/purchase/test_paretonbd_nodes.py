"""A Pareto/NBD row by row has its digits whatever number of nodes its integrand was given."""

from __future__ import annotations

import numpy as np
import pytest

from custvalue.purchase._paretonbd_fit import ENOUGH, _form, derivatives

mpmath = pytest.importorskip("mpmath")

# r, alpha, s, beta, x, t_x, T: near the edges at which a row is given more nodes, and far from them
ROWS = np.array(
    [
        [0.6, 40.0, 0.7, 80.0, 0.0, 0.0, 100.0],
        [0.6, 40.0, 0.7, 80.0, 0.0, 0.0, 254.0],
        [0.6, 40.0, 0.7, 80.0, 0.0, 0.0, 260.0],
        [0.6, 40.0, 0.7, 80.0, 0.0, 0.0, 700.0],
        [0.6, 40.0, 0.7, 80.0, 6.0, 100.0, 330.0],
        [0.6, 40.0, 0.7, 80.0, 9.0, 100.0, 700.0],
        [0.6, 40.0, 0.7, 80.0, 40.0, 300.0, 700.0],
        [2.0, 90.0, 5.0, 20.0, 3.0, 30.0, 120.0],
        [2.0, 900.0, 0.1, 0.5, 1.0, 0.4, 20.0],
        [0.1, 0.5, 5.0, 900.0, 12.0, 3.0, 90.0],
    ]
)


def log_density(r, alpha, s, beta, x, t_x, T):
    """Log density of a row by mpmath, without the factorial of no parameter."""
    r, alpha, s, beta, x, t_x, T = map(mpmath.mpf, (r, alpha, s, beta, x, t_x, T))
    stays = (alpha + T) ** -(r + x) * (beta + T) ** -s
    ends = [t_x + (T - t_x) * mpmath.mpf(k) ** 3 / 12**3 for k in range(13)]  # it falls at once
    leaves = mpmath.quad(lambda u: s * (alpha + u) ** -(r + x) * (beta + u) ** -(s + 1), ends)
    return mpmath.log(mpmath.rf(r, x) * alpha**r * beta**s * (stays + leaves))


def test_every_number_of_nodes_is_asked_for():
    form = _form(*ROWS.T)
    first = [
        next(n for n, long, deep in ENOUGH if stop <= long and fall <= deep)
        for stop, fall in zip(form.stop, form.fall, strict=True)
    ]
    assert set(first) == {n for n, _, _ in ENOUGH}


def test_the_value_is_that_of_mpmath():
    value, _, _ = derivatives(*ROWS.T)
    with mpmath.workdps(30):
        true = [float(log_density(*row)) for row in ROWS]
    np.testing.assert_allclose(value, true, rtol=1e-12)


@pytest.mark.parametrize("k", range(4))
def test_slopes_are_those_of_mpmath(k):
    _, slopes, _ = derivatives(*ROWS.T)
    for i, row in enumerate(ROWS):
        with mpmath.workdps(30):
            up, down = (
                log_density(*row[:k], mpmath.mpf(float(row[k])) * (1 + step), *row[k + 1 :])
                for step in (mpmath.mpf("1e-8"), -mpmath.mpf("1e-8"))
            )
            true = float((up - down) / (2 * mpmath.mpf(float(row[k])) * mpmath.mpf("1e-8")))
        assert slopes[k][i] == pytest.approx(true, rel=1e-10, abs=1e-13)
