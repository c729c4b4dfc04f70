"""Tests of order and homogeneity: chi-square where it holds, drawn tables where cells are thin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from custvalue.chains import TransitionCounts
from custvalue.chains._tests import homogeneity, order_one_against_two, order_zero


def moves_of(matrix, n, periods, rng):
    """Customers who walk a chain: states before, after, and the period of each move."""
    path = np.empty((n, periods), dtype=np.int64)
    path[:, 0] = rng.integers(0, len(matrix), n)
    for h in range(1, periods):
        cumulative = matrix[path[:, h - 1]].cumsum(axis=1)
        path[:, h] = (rng.random(n)[:, None] > cumulative[:, :-1]).sum(axis=1)
    return path


def flat(path):
    period = np.broadcast_to(np.arange(path.shape[1] - 1), (len(path), path.shape[1] - 1))
    return path[:, :-1].ravel(), path[:, 1:].ravel(), period.ravel()


def test_thick_tables_have_scipys_likelihood_ratio(rng):
    path = moves_of(np.array([[0.6, 0.4], [0.3, 0.7]]), 2000, 4, rng)
    before, after, _ = flat(path)
    table = np.zeros((2, 2))
    np.add.at(table, (before, after), 1.0)
    right = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    found = order_zero(TransitionCounts.of(before, after, n_states=2))
    assert found.statistic == pytest.approx(right.statistic)
    assert (found.df, found.p_value) == (1, pytest.approx(right.pvalue))
    from_one = [before == s for s in (0, 1)]
    _, _, period = flat(path)
    parts = []
    for mine in from_one:
        t = np.zeros((3, 2))
        np.add.at(t, (period[mine], after[mine]), 1.0)
        parts.append(chi2_contingency(t, correction=False, lambda_="log-likelihood"))
    found = homogeneity(before, after, period)
    assert found.statistic == pytest.approx(sum(p.statistic for p in parts))
    assert found.df == sum(p.dof for p in parts) == 4


@pytest.mark.parametrize("test", ["homogeneity", "order two"])
def test_true_homogeneity_of_many_states_is_rejected_as_rarely_as_it_says(test):
    rejected = 0
    reps = 60
    for seed in range(reps):
        rng = np.random.default_rng(seed)
        matrix = rng.dirichlet(np.full(12, 0.4), 12)
        path = moves_of(matrix, 300, 6, rng)
        before, after, period = flat(path)
        if test == "homogeneity":
            p = homogeneity(before, after, period).p_value
        else:
            at = np.arange(path.size).reshape(path.shape)
            p = order_one_against_two(path.ravel(), at[:, :-1].ravel(), at[:, 1:].ravel()).p_value
        rejected += p <= 0.05
    assert rejected / reps < 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)


def test_a_chain_that_changes_is_seen_with_thin_cells(rng):
    one, other = (rng.dirichlet(np.full(12, 0.4), 12) for _ in range(2))
    first, second = moves_of(one, 300, 3, rng), moves_of(other, 300, 3, rng)
    before = np.concatenate([flat(first)[0], flat(second)[0]])
    after = np.concatenate([flat(first)[1], flat(second)[1]])
    period = np.repeat([0, 1], 600)
    assert homogeneity(before, after, period).p_value == pytest.approx(1 / 201)
