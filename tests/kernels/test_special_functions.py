"""Special functions against mpmath over the whole range that a legal input can reach."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from custvalue._kernels import (
    compress,
    counts_of,
    distinct_pairs,
    grid_of,
    legendre,
    log_rising,
    log_two_powers,
    mean_over_beta,
    rising_sums,
    sigmoid,
    softplus,
)

N = 40


def spread(rng, low, high, n=N):
    return 10.0 ** rng.uniform(np.log10(low), np.log10(high), n)


def exact_mean_over_beta(r, tau, a, b):
    """The textbook 2F1 form with digits to spare; a = 1 is approached from beside."""
    with mp.workdps(60):
        r, tau, a, b = map(mp.mpf, map(float, (r, tau, a, b)))
        a = a + mp.mpf(10) ** -25 if a == 1 else a
        c, z = a + b - 1, tau / (1 + tau)
        return float(c / (a - 1) * (1 - (1 - z) ** r * mp.hyp2f1(r, b, c, z)))


@pytest.mark.parametrize(
    ("r", "tau", "a", "b"),
    [
        ((1e-3, 1e4), (1e-8, 1e8), (1e-3, 1e4), (1e-3, 1e4)),
        ((10, 1e6), (1e-6, 1e-2), (0.05, 20), (10, 1e5)),
        ((1e-3, 1e4), (1e-3, 1e8), (1.0, 1.0001), (1e-3, 1)),
        ((1e-3, 10), (1e-3, 1e3), (1e-3, 0.5), (1e-3, 0.5)),
    ],
    ids=["every parameter", "heavy buyers", "a near 1", "a + b below 1"],
)
def test_expected_orders_are_exact_to_nine_digits(r, tau, a, b, rng):
    args = [spread(rng, *bounds) for bounds in (r, tau, a, b)]
    if a == (1.0, 1.0001):
        args[2][::2] = 1.0
    got = mean_over_beta(*args)
    exact = [exact_mean_over_beta(*row) for row in zip(*args, strict=True)]
    np.testing.assert_allclose(got, exact, rtol=1e-9)


def exact_log_two_powers(p, q, A, B, span):
    with mp.workdps(25):
        p, q, A, B, span = map(mp.mpf, map(float, (p, q, A, B, span)))
        small = min(A, B)
        end = mp.log1p(span / small)

        def f(v):
            u = mp.expm1(v) * small
            return mp.exp(v - p * mp.log1p(u / A) - q * mp.log1p(u / B)) * small

        # panels that shrink towards 0, where large powers put everything
        edges = [mp.mpf(0)] + [end * mp.mpf(2) ** (-k) for k in range(26, -1, -1)]
        return float(mp.log(mp.quad(f, edges, method="gauss-legendre", maxdegree=4)))


def test_the_pareto_integral_is_exact_to_nine_digits(rng):
    n = 12
    p, q = spread(rng, 1e-3, 1e6, n), 1.0 + spread(rng, 1e-3, 1e4, n)
    A, B, span = spread(rng, 1e-3, 1e5, n), spread(rng, 1e-3, 1e5, n), spread(rng, 1e-3, 1e5, n)
    got = log_two_powers(p, q, A, B, span)
    exact = [exact_log_two_powers(*row) for row in zip(p, q, A, B, span, strict=True)]
    np.testing.assert_allclose(got, exact, rtol=1e-9, atol=1e-9)


def test_the_pareto_integral_has_a_limit_without_end():
    # int (1 + u/A)^-p (1 + u/A)^-q = A / (p + q - 1), and B -> inf leaves the other alone
    p, q, A = 0.3, 1.2, 7.0
    assert np.exp(log_two_powers(p, q, A, A, np.inf)) == pytest.approx(A / (p + q - 1), rel=1e-12)
    assert log_two_powers(p, q, A, A, 0.0) == -np.inf
    late = log_two_powers(p, q, 2.0, 900.0, [1e6, 1e9, 1e15, np.inf])
    assert (np.diff(late) > 0).all()


def test_log_rising_is_exact_to_twelve_digits(rng):
    a, x = spread(rng, 1e-3, 1e12, 60), np.floor(spread(rng, 1, 1e6, 60))
    with mp.workdps(60):
        exact = [
            float(mp.loggamma(mp.mpf(float(u)) + int(v)) - mp.loggamma(mp.mpf(float(u))))
            for u, v in zip(a, x, strict=True)
        ]
    np.testing.assert_allclose(log_rising(a, x), exact, rtol=1e-12, atol=1e-12)
    assert log_rising(3.0, 0.0) == 0.0


@pytest.mark.parametrize("a", [1e-3, 0.7, 12.0, 9_999.0, 10_001.0, 1e7])
def test_sums_of_log_rising_have_exact_derivatives(a):
    x, w = np.array([0.0, 1.0, 4.0, 300.0]), np.array([5.0, 3.0, 2.0, 1.0])
    with mp.workdps(50):
        u = mp.mpf(a)
        exact = [
            float(sum(c * (f(u + int(k)) - f(u)) for k, c in zip(x, w, strict=True)))
            for f in (mp.loggamma, lambda t: mp.psi(0, t), lambda t: mp.psi(1, t))
        ]
    np.testing.assert_allclose(rising_sums(a, x, w), exact, rtol=1e-9)
    assert rising_sums(a, x[:0], w[:0]) == (0.0, 0.0, 0.0)


def test_softplus_and_sigmoid_never_overflow():
    q = np.array([-1e300, -800.0, 0.0, 800.0, 1e300])
    np.testing.assert_array_equal(softplus(q), [0, 0, np.log(2), 800, 1e300])
    np.testing.assert_array_equal(sigmoid(q), [0, 0, 0.5, 1, 1])


def test_legendre_nodes_integrate_polynomials():
    nodes, weights = legendre(8, panels=3)
    assert weights @ nodes**15 == pytest.approx(1 / 16, rel=1e-13)
    with pytest.raises(ValueError, match="read-only"):
        nodes[0] = 0.0


@pytest.mark.parametrize("tick", [1.0, 1 / 7, 0.01, 12 / 365.25])
def test_compression_keeps_every_row_and_its_weight(tick, rng):
    n = 4000
    T = rng.integers(50, 300, n) * tick
    x = rng.integers(0, 3, n).astype(float)
    t_x = np.where(x > 0, rng.integers(1, 50, n) * tick, 0.0)
    assert grid_of(t_x, T) == pytest.approx(tick)
    rows = compress(x, t_x, T)
    assert len(rows.x) < n
    assert rows.w.sum() == n
    for power in (1.0, 2.0):
        whole = [np.sum(v**power) for v in (x, t_x, T, x * T)]
        packed = [np.sum(rows.w * v**power) for v in (rows.x, rows.t_x, rows.T, rows.x * rows.T)]
        np.testing.assert_allclose(packed, whole, rtol=1e-12)
    weight = rng.random(n)
    weighted = compress(x, t_x, T, weight)
    assert weighted.w.sum() == pytest.approx(weight.sum())
    assert len(weighted.x) == len(rows.x)


def test_rows_off_every_grid_come_back_as_they_are(rng):
    T = rng.random(100) * 30
    assert grid_of(T[:0], T) is None
    rows = compress(np.zeros(100), np.zeros(100), T)
    np.testing.assert_array_equal(rows.T, T)
    assert rows.tick is None


def test_distinct_pairs_rebuild_every_row(rng):
    x = rng.integers(0, 9, 5000).astype(float)
    T = rng.integers(100, 130, 5000) / 7.0
    px, pT, spread = distinct_pairs(x, T)
    assert len(px) <= 9 * 30
    np.testing.assert_array_equal(spread(px), x)
    np.testing.assert_allclose(spread(pT), T, rtol=1e-14)
    assert distinct_pairs(x, T + rng.random(5000)) is None


def test_counts_of_adds_weights_of_equal_counts():
    for top in (7.0, 1e6):
        values, weight = counts_of(np.array([top, 0.0, top]), np.array([1.0, 2.0, 4.0]))
        np.testing.assert_array_equal(values, [0, top])
        np.testing.assert_array_equal(weight, [2, 5])


@pytest.mark.parametrize("b", [2.5, 3000.0])
def test_expected_orders_of_rows_that_share_parameters_are_those_of_each_row_alone(b):
    # rows of a day grid: runs of equal r, a and b, more of them than one block of powers holds
    r = np.repeat([0.3, 1.3, 40.3], [900, 700, 3])
    tau = np.concatenate([np.linspace(0.0, 18.0, 900), np.geomspace(1e-6, 3.0, 703)])
    together = mean_over_beta(r, tau, 0.8, b + r)
    alone = [float(mean_over_beta(*v)) for v in zip(r, tau, 0.8 + 0 * r, b + r, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-11)
