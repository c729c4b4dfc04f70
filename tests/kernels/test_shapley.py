"""Shapley's value: the three axioms that make it, and a game worked out by hand."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from custvalue._kernels import coalitions, shapley


def by_all_orders(worth, n):
    """The definition itself: what each adds, averaged over the n! orders."""
    place = {tuple(row): i for i, row in enumerate(coalitions(n))}
    total = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        inside = [False] * n
        for player in order:
            before = worth[place[tuple(inside)]]
            inside[player] = True
            total[player] += worth[place[tuple(inside)]] - before
    return total / len(orders)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_it_is_the_mean_over_all_orders(n):
    worth = np.random.default_rng(n).normal(size=2**n)
    assert shapley(worth) == pytest.approx(by_all_orders(worth, n), abs=1e-12)


def test_it_shares_out_all_there_is_and_separate_games_stay_separate():
    worth = np.random.default_rng(0).normal(size=(4, 3, 32))
    shares = shapley(worth)
    assert shares.shape == (4, 3, 5)
    assert shares.sum(axis=-1) == pytest.approx(worth[..., -1] - worth[..., 0], abs=1e-12)
    assert shares[2, 1] == pytest.approx(shapley(worth[2, 1]), abs=1e-12)


def test_the_glove_game():
    """One left glove, two right gloves; a pair is worth 1: 2/3, 1/6, 1/6."""
    inside = coalitions(3)
    worth = (inside[:, 0] & (inside[:, 1] | inside[:, 2])).astype(float)
    assert shapley(worth) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_nobody_shares_nothing():
    assert shapley(np.array([3.0])).shape == (0,)


def test_a_number_of_coalitions_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="6 coalitions are no power of two"):
        shapley(np.zeros(6))
