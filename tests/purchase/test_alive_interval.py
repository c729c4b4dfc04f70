"""How sure P(alive) is: it shrinks with the sample and holds the truth."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl
import pytest

import custvalue as cv
from custvalue.purchase import alive_interval

TRUTH = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}


def fitted(n, seed):
    T = np.random.default_rng(70_000 + seed).uniform(10, 40, n)
    X = cv.MBGNBD.from_params(**TRUTH).sample_histories(n, T=T, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cv.MBGNBD().fit(X), X


def test_parameters_beyond_doubt_leave_no_error():
    model, X = fitted(300, 1)
    table = alive_interval(model, X, np.tile(np.asarray(model.params_), (5, 1)))
    assert (table["standard_error"] < 1e-15).all()
    for name in ("alive", "lower", "upper"):
        np.testing.assert_allclose(table[name], model.predict_alive(X), rtol=1e-14)


def test_two_draws_give_their_own_distance():
    model, X = fitted(300, 1)
    one, other = np.asarray(model.params_), np.asarray(model.params_) * [1.2, 1.0, 1.5, 0.9]
    table = alive_interval(model, X, [one, other], level=0.5)
    ours = model.predict_alive(X)
    r, alpha, a, b = other
    theirs = cv.MBGNBD.from_params(r=r, alpha=alpha, a=a, b=b).predict_alive(X)
    np.testing.assert_allclose(
        table["standard_error"], np.abs(ours - theirs) / np.sqrt(2.0), rtol=1e-9, atol=1e-12
    )
    low = 0.75 * np.minimum(ours, theirs) + 0.25 * np.maximum(ours, theirs)
    np.testing.assert_allclose(table["lower"], np.minimum(low, ours))


def test_a_hundred_times_the_customers_leave_a_tenth_of_the_error():
    few, many = fitted(400, 2)[0], fitted(40_000, 2)[0]
    X = fitted(500, 3)[1]
    errors = [
        alive_interval(m, X, m.parameter_draws(200, random_state=0))["standard_error"].median()
        for m in (few, many)
    ]
    assert 4.0 < errors[0] / errors[1] < 16.0  # a chance has no room for ten times the error


def test_the_interval_holds_the_true_chance_in_small_samples():
    right = cv.MBGNBD.from_params(**TRUTH)
    X = fitted(400, 99)[1]
    silent = X[(X["frequency"] > 0) & (X["recency"] < 0.5 * X["T"])]
    held = []
    for seed in range(8):
        model, sample = fitted(200, 500 + seed)
        draws = model.bootstrap(sample, n_draws=20, random_state=seed)
        table = alive_interval(model, silent, draws, level=0.9)
        truth = right.predict_alive(silent)
        held.append(((table["lower"] <= truth) & (truth <= table["upper"])).mean())
    assert np.mean(held) > 0.75  # 8 samples of 20 draws; nominally .9


def test_every_kind_of_table_comes_back_as_it_came():
    model, X = fitted(300, 1)
    draws = model.parameter_draws(10, random_state=0)
    table = alive_interval(model, pl.from_pandas(X), draws)
    assert isinstance(table, pl.DataFrame)
    assert alive_interval(model, X[X["T"] > 20.0], draws).index.equals(X[X["T"] > 20.0].index)
    for wrong in (np.ones((3, 2)), np.ones((1, 4)), np.ones(4)):
        with pytest.raises(ValueError, match="draws must have shape"):
            alive_interval(model, X, wrong)
