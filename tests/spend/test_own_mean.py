"""A customer's own mean, not shrunk: what it says, how far it says orders lie apart."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataContractError
from custvalue.spend import OwnMean


def bought(rng, n=4_000, p=4.0):
    """Customers of very different levels, whose orders are Gamma(p) around their own."""
    level = np.exp(rng.normal(3.0, 1.5, n))
    times = rng.integers(1, 40, n)
    first = level * rng.gamma(p, 1.0 / p, n)
    later = level * rng.gamma(p * times, 1.0 / (p * times))
    return pd.DataFrame(
        {
            "frequency": times,
            "monetary_value": later,
            "n_orders": 1 + times,
            "mean_value": (first + times * later) / (1 + times),
        }
    )


def test_everybody_is_taken_at_their_own_mean():
    table = [[1, 10.0], [3, 40.0], [0, np.nan]]
    model = OwnMean().fit(table)
    # nobody's orders: the mean order of all, (10 + 3 x 40) / 4
    assert model.predict(table).tolist() == [10.0, 40.0, 32.5]
    assert model.new_customer() == 32.5
    weighted = OwnMean().fit(table, sample_weight=[3.0, 1.0, 1.0])
    assert weighted.new_customer() == pytest.approx((3 * 10 + 120) / 6)


def test_the_spread_of_orders_is_that_of_the_customers_who_came_back(rng):
    assert OwnMean().fit(bought(rng)).params_.p == pytest.approx(4.0, rel=0.1)
    assert OwnMean().fit(bought(rng, p=1.5)).params_.p == pytest.approx(1.5, rel=0.15)


def test_the_spread_of_orders_is_the_mean_over_customers_by_hand():
    # first orders 10 and 30, later ones 20 (one) and 24 on average (three)
    table = pd.DataFrame(
        {"frequency": [1, 3], "monetary_value": [20.0, 24.0], "n_orders": [2, 4],
         "mean_value": [15.0, 25.5]}
    )  # fmt: skip
    # the difference has variance m^2 / p (1 + 1 / times) about the mean m of all own orders
    apart = [(10 / 15) ** 2 / 2, (6 / 25.5) ** 2 / (4 / 3)]
    # the larger is cut at the quantile 0.99 of both, linear between them
    cut = apart[1] + 0.99 * (apart[0] - apart[1])
    assert OwnMean().fit(table).params_.p == pytest.approx(2 / (cut + apart[1]))


@pytest.mark.parametrize("rows", [1, 2])
def test_under_two_customers_who_came_back_an_order_spreads_as_an_exponential(rows):
    table = pd.DataFrame(
        {"frequency": [1, 0], "monetary_value": [20.0, 0.0], "n_orders": [2, 1],
         "mean_value": [15.0, 9.0]}
    ).head(rows)  # fmt: skip
    assert OwnMean().fit(table).params_.p == 1.0


def test_the_law_behind_it_has_the_own_mean(rng):
    table = bought(rng, n=50)
    model = OwnMean().fit(table)
    p, shape, rate = model.posterior(table)
    np.testing.assert_allclose(p * rate / (shape - 1.0), table["mean_value"], rtol=1e-12)
    assert (np.diff(shape[np.argsort(table["n_orders"], kind="stable")]) >= 0).all()


def test_it_travels_as_json(rng):
    table = bought(rng, n=50)
    model = OwnMean().fit(table)
    again = OwnMean.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.params_ == model.params_
    np.testing.assert_array_equal(again.predict(table), model.predict(table))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[0, 0.0], [0, 0.0]], "no customer has an order with spend"),
        ([[1, -3.0], [2, 5.0]], "negative"),
        ([[1.5, 3.0], [2, 5.0]], "must count"),
    ],
)
def test_what_cannot_be_is_refused(table, words):
    with pytest.raises(DataContractError, match=words):
        OwnMean().fit(table)
    with pytest.raises(ValueError, match="mean=-1"):
        OwnMean.from_params(p=2.0, mean=-1.0)
