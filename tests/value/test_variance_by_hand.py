"""The spread of what a customer will bring, by the sums that the laws' moments give by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv

R, ALPHA = 0.8, 40.0  # orders: NBD, in days
P, Q, GAMMA = 1.5, 5.0, 60.0  # spend per order: Gamma-Gamma
ROWS = pd.DataFrame(
    {"frequency": [0, 2, 9], "recency": [0.0, 50.0, 170.0], "T": [90.0, 120.0, 180.0],
     "n_orders": [1, 3, 10], "mean_value": [20.0, 35.0, 12.5]}
)  # fmt: skip
DAYS = 200.0


def by_hand(row):
    """Mean and variance of K orders at a mean m each: E[K] m, and the law of total variance."""
    r, alpha = R + row["frequency"], ALPHA + row["T"]
    orders = r * DAYS / alpha
    pairs = r * (r + 1.0) * DAYS**2 / alpha**2  # E[K (K - 1)]
    shape, rate = P * row["n_orders"] + Q, GAMMA + row["n_orders"] * row["mean_value"]
    first = P * rate / (shape - 1.0)  # m = P / nu, nu gamma
    second = P**2 * rate**2 / ((shape - 1.0) * (shape - 2.0))
    one_order = second * (1.0 + 1.0 / P)  # E[Z^2] of an order of mean m, gamma of shape P
    mean = orders * first
    return mean, orders * one_order + pairs * second - mean**2


@pytest.fixture(scope="module")
def model():
    return cv.CustomerValue.from_fitted(
        cv.NBD.from_params(r=R, alpha=ALPHA, unit="D"),
        cv.GammaGamma.from_params(p=P, q=Q, gamma=GAMMA),
        horizon=f"{DAYS:g}D",
    )


def spread(model, rows):
    return model._spread(model._rows(rows), model.terms())[0]


def test_the_spread_of_each_customer(model):
    mean, variance = zip(*(by_hand(row) for _, row in ROWS.iterrows()), strict=True)
    np.testing.assert_allclose(model.predict(ROWS), mean, rtol=1e-9)
    np.testing.assert_allclose(spread(model, ROWS), variance, rtol=1e-6)


def test_drawn_outcomes_spread_as_far(model):
    drawn = model.draws(ROWS, n_draws=100_000, random_state=0)
    assert drawn.mean(axis=0) == pytest.approx(
        [by_hand(r)[0] for _, r in ROWS.iterrows()], rel=0.03
    )
    assert drawn.var(axis=0) == pytest.approx([by_hand(r)[1] for _, r in ROWS.iterrows()], rel=0.1)


def test_margin_scales_the_spread_by_its_square(model):
    third = cv.CustomerValue.from_fitted(
        model.purchases_, model.spend_, horizon=f"{DAYS:g}D", margin=0.3
    )
    np.testing.assert_allclose(spread(third, ROWS), 0.09 * spread(model, ROWS), rtol=1e-9)


def test_who_never_leaves_is_contacted_for_ever():
    # NBD: alive for good; 1 every four weeks, discounted by 1.1 a year without end
    free, costly = (
        cv.CustomerValue.from_fitted(
            cv.NBD.from_params(r=0.5, alpha=30.0, unit="D"),
            cv.GammaGamma.from_params(p=6.0, q=4.0, gamma=15.0),
            horizon="forever", annual_discount_rate=0.1, contact_cost=cost, period="4W",
        ).predict(ROWS)
        for cost in (0.0, 1.0)
    )  # fmt: skip
    np.testing.assert_allclose(free - costly, 1 / 28 / (np.log(1.1) / 365.25), rtol=1e-9)
