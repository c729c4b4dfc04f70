"""Chains too large to be solved by hand: times and values by sums and by another solver."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from custvalue.chains import Chain
from custvalue.chains._chain_math import MOST_BY_HAND

N = MOST_BY_HAND + 40


def walk(seed=0):
    """States in a row that step on, back or away, and are left for good from the last."""
    rng = np.random.default_rng(seed)
    matrix = np.zeros((N + 1, N + 1))
    for k in range(N):
        on, back, gone = rng.uniform(0.1, 0.3, 3) * [1.0, k > 0, 1.0]
        matrix[k, k + 1] += on
        matrix[k, max(k - 1, 0)] += back
        matrix[k, N] += gone
        matrix[k, k] += 1.0 - matrix[k].sum()
    matrix[N, N] = 1.0
    return matrix


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_steps_to_the_end_of_a_row_of_states_add_up(kind):
    leave = np.linspace(0.05, 0.9, N)
    matrix = np.diag(np.append(1.0 - leave, 1.0)) + np.diag(leave, 1)
    chain = Chain(range(N + 1), kind(matrix), absorbing=[N])
    worth = chain.value(np.append(np.ones(N), 0.0), discount_rate=0.0)
    steps = np.cumsum((1.0 / leave)[::-1])[::-1]
    np.testing.assert_allclose(np.asarray(worth)[:N], steps, rtol=1e-12)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_values_without_discounting_are_those_of_another_solver(kind):
    matrix = walk()
    rewards = np.append(np.linspace(-1.0, 5.0, N), 0.0)
    chain = Chain(range(N + 1), kind(matrix), absorbing=[N])
    inside = np.eye(N) - matrix[:N, :N]
    right = np.linalg.solve(inside, rewards[:N])
    found = np.asarray(chain.value(rewards, discount_rate=0.0))
    np.testing.assert_allclose(found[:N], right, rtol=1e-10)
    assert found[N] == 0.0
