"""Chains: counting moves, fitting a large panel, values of many customers."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

import custvalue as cv
from benchmarks._race import Job
from custvalue._frames import rows_where
from custvalue.chains import Chain
from custvalue.chains._counts import count_moves
from custvalue.markov import MarkovCLVEstimator
from custvalue.purchase import ParetoNBD
from custvalue.value import CustomerValue

BIG = bool(os.environ.get("CUSTVALUE_BENCH_BIG"))


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


def large_shop():
    """10^7 orders of 1.2 x 10^6 customers (10^6 of 1.2 x 10^5 without CUSTVALUE_BENCH_BIG)."""
    rng = np.random.default_rng(1)
    n, span = (1_200_000 if BIG else 120_000), 840
    born = rng.integers(0, 600, n)
    rate = rng.gamma(0.9, 1 / 45.0, n) + 0.0005
    life = rng.exponential(1.0, n) / rng.gamma(0.6, 1 / 300.0, n)
    stays = np.minimum(span, born + life) - born
    repeats = rng.poisson(rate * stays)
    owner = np.repeat(np.arange(n), repeats + 1)
    day = np.floor(born[owner] + rng.random(len(owner)) * stays[owner]).astype(int)
    day[np.append(0, np.cumsum(repeats + 1)[:-1])] = born
    usual = rng.gamma(4.0, 8.0, n)
    log = pd.DataFrame(
        {
            "who": owner,
            "day": np.datetime64("2020-01-01") + day.astype("timedelta64[D]"),
            "paid": np.round(rng.gamma(5.0, usual[owner] / 5.0) + 0.01, 2),
        }
    )
    panel = panel_of(log)
    return log, panel, rows_where(panel, np.append(np.diff(panel["who"].to_numpy()) != 0, True))


def panel_of(log):
    return cv.panel(log, customer="who", time="day", amount="paid", as_of="2022-04-19", period="4W")


def chain_fit(data):
    return MarkovCLVEstimator(horizon="52W").fit(data[1])


def panel_and_law(data):
    return panel_of(data[0]), ParetoNBD().fit(data[2])


def fitted_on_a_large_shop():
    data = large_shop()
    rows = data[2]
    law = CustomerValue(purchases=ParetoNBD(), horizon="52W").fit(rows)
    return chain_fit(data), law, rows


def chain_predict(fitted):
    chain, _, rows = fitted
    return chain.predict(rows), chain.predict_interval(rows)


def law_predict(fitted):
    _, law, rows = fitted
    return law.predict(rows)


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
        f"fit of a chain, {'10^7' if BIG else '10^6'} orders",
        large_shop,
        {"custvalue": chain_fit, "panel and ParetoNBD.fit": panel_and_law},
        against="panel and ParetoNBD.fit",
        ask=1 / 4,
        repeats=1,
    ),
    Job(
        f"values and intervals of {'1,200,000' if BIG else '120,000'} customers",
        fitted_on_a_large_shop,
        {"custvalue": chain_predict, "CustomerValue, values alone": law_predict},
        repeats=3,
    ),
    Job(
        "value of 10^6 customers",
        many_customers,
        {"custvalue": gather, "pandas merge": merge},
    ),
]
