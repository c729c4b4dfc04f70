"""Chains: counting moves, posterior draws, values of many customers."""

from __future__ import annotations

import numpy as np

from benchmarks._race import Job
from custvalue.markov import Chain, TransitionCounts
from custvalue.markov._counts import count_moves
from custvalue.markov._uncertainty import draw_values


def moves():
    rng = np.random.default_rng(0)
    n, states = 10_000_000, 125
    before = rng.integers(0, states, n).astype(np.int32)
    after = rng.integers(0, states, n).astype(np.int32)
    return before, after, states, before * states + after


def count(data):
    before, after, states, _ = data
    return count_moves(before, after, states)


def bincount(data):
    _, _, states, key = data
    return np.bincount(key, minlength=states * states)


def same_counts(results):
    ours = results["custvalue"].toarray().ravel()
    np.testing.assert_array_equal(ours, results["numpy.bincount of ready keys"])


def posterior():
    rng = np.random.default_rng(1)
    n = 125
    before, after = rng.integers(0, n, 200_000), rng.integers(0, n, 200_000)
    counts = TransitionCounts.of(before, after, n_states=n, reward=rng.gamma(2.0, 5.0, 200_000))
    dense = counts.moves.toarray() + 0.1
    return Chain(range(n), dense / dense.sum(axis=1, keepdims=True)), counts


def draws(data):
    chain, counts = data
    reward = counts.money / counts.n_out
    rng = np.random.default_rng(2)
    return draw_values(chain, counts, 1.0, reward, 1000, None, 0.99, False, rng)


def naive_draws(data):
    chain, counts = data
    reward = counts.money / counts.n_out
    rng = np.random.default_rng(2)
    alpha = counts.moves.toarray() + 0.1
    n = chain.n_states
    out = np.empty((1000, n))
    for d in range(1000):
        matrix = np.stack([rng.dirichlet(row) for row in alpha])
        out[d] = 0.99 * np.linalg.solve(np.eye(n) - 0.99 * matrix, reward)
    return out


def many_customers():
    rng = np.random.default_rng(3)
    n = 125
    dense = rng.random((n, n))
    chain = Chain(range(n), dense / dense.sum(axis=1, keepdims=True))
    return chain, rng.random(n), rng.integers(0, n, 1_000_000)


def gather(data):
    chain, reward, place = data
    return chain.value(reward, discount_rate=0.01)[place]


def merge(data):
    import pandas as pd

    chain, reward, place = data
    value = pd.Series(chain.value(reward, discount_rate=0.01), name="value")
    return pd.DataFrame({"state": place}).merge(value, left_on="state", right_index=True)


JOBS: list[Job] = [
    Job(
        "count 10^7 moves over 125 states",
        moves,
        {"custvalue": count, "numpy.bincount of ready keys": bincount},
        agree=same_counts,
        against="numpy.bincount of ready keys",
        ask=1 / 3,
    ),
    Job(
        "1,000 posterior draws of a 125-state chain, with values",
        posterior,
        {"custvalue": draws, "numpy dirichlet and solve": naive_draws},
        repeats=3,
        repeats_of={"numpy dirichlet and solve": 1},
    ),
    Job(
        "value of 10^6 customers",
        many_customers,
        {"custvalue": gather, "pandas merge": merge},
    ),
]
