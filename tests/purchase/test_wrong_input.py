"""Wrong input of every kind ends in an error that names it; fits without an answer say so."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataContractError, FitFailedError, TimeUnitError
from custvalue.purchase import BGNBD, MBGNBD, NBD, ParetoNBD
from custvalue.spend import GammaGamma
from custvalue.testing._models import PURCHASE_MODELS
from custvalue.value import CustomerValue

GOOD = pd.DataFrame(
    {
        "frequency": [0.0, 3.0, 3.0],
        "recency": [0.0, 3.0, 3.0],
        "T": [8.0, 3.0, 8.0],
        "monetary_value": [np.nan, 3.0, 4.0],
    }
)
MODEL = MBGNBD.from_params(r=0.5, alpha=6.0, a=0.9, b=1.6, unit="W")

WRONG = {
    "a negative count": (GOOD.assign(frequency=[-1, 3, 3]), "frequency-not-a-count"),
    "half an order": (GOOD.assign(frequency=[0, 2.5, 3]), "frequency-not-a-count"),
    "a missing time": (GOOD.assign(T=[8, np.nan, 8]), "not-finite"),
    "time without end": (GOOD.assign(T=[8, np.inf, 8]), "not-finite"),
    "time below 0": (GOOD.assign(T=[-1, 3, 8]), "T"),
    "words": (GOOD.assign(frequency=["none", "three", "3"]), "not-numeric"),
    "dates for times": (GOOD.assign(T=pd.Timestamp("2020-01-01")), "dates-for-numbers"),
    "durations for times": (GOOD.assign(T=pd.Timedelta(8, "D")), "dates-for-numbers"),
    "no column T": (GOOD.drop(columns="T"), "missing-column"),
    "no time at all": (GOOD.assign(frequency=0.0, recency=0.0, T=0.0), "no-time-observed"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("kind", [*PURCHASE_MODELS.values(), CustomerValue])
def test_a_wrong_table_is_refused_by_name(kind, what):
    X, words = WRONG[what]
    with pytest.raises(DataContractError, match=words):
        kind().fit(X)


@pytest.mark.parametrize("kind", PURCHASE_MODELS.values())
def test_recency_beyond_the_time_observed_is_refused_where_it_is_read(kind):
    X = GOOD.assign(frequency=[0.0, 4.0, 3.0], recency=[0.0, 4.0, 3.0])
    with pytest.raises(DataContractError, match=r"(frequency|recency)-exceeds-T"):
        kind().fit(X)


@pytest.mark.parametrize("kind", [*PURCHASE_MODELS.values(), GammaGamma])
@pytest.mark.parametrize("X", [GOOD.iloc[:0], np.empty((0, 3)), None, np.arange(3.0)])
def test_no_table_at_all_is_refused(kind, X):
    with pytest.raises(ValueError, match=r"0 sample|2D array"):
        kind().fit(X)


@pytest.mark.parametrize("horizon", [4, "4", "4Q", -4, "-4W", float("nan"), "W", True, [4]])
def test_a_horizon_that_is_no_span_is_refused(horizon):
    with pytest.raises(TimeUnitError, match="horizon="):
        MODEL.predict(GOOD, horizon=horizon)


def test_a_duration_of_numpy_is_a_span():
    week = MODEL.predict(GOOD, horizon="1W")
    np.testing.assert_array_equal(MODEL.predict(GOOD, horizon=np.timedelta64(7, "D")), week)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MODEL.predict(GOOD), "needs a horizon"),
        (lambda: MODEL.predict_pmf(GOOD, "4W", n_max=-1), "n_max=-1"),
        (lambda: MODEL.predict_pmf(GOOD, "4W", n_max=2.5), "n_max=2.5"),
        (lambda: MODEL.predict_next_order(GOOD, q=1.5), "q=1.5"),
        (lambda: MODEL.sample_future(GOOD, "4W", size=0), "size=0"),
        (lambda: MODEL.sample(-3, "4W"), "n=-3"),
        (lambda: MODEL.sample(3, "4W", births="5W"), "births must not"),
        (lambda: MODEL.sample_histories(3, -1.0), "T must be finite"),
        (lambda: MODEL.weighted_orders(GOOD, [1, 2], [1]), "one factor each"),
        (lambda: MODEL.weighted_orders(GOOD, [2, 1], [1, 1]), "must ascend"),
        (
            lambda: MODEL.discounted_orders(GOOD, "4W", annual_discount_rate=0.1, steps=0),
            "steps=0",
        ),
        (lambda: MODEL.dert(GOOD, 0.0), "need a rate above 0"),
        (lambda: MODEL.confidence_interval(GOOD, 1.5), "level=1.5"),
        (lambda: MBGNBD.from_params(r=1, alpha=1, a=1), "from_params wants"),
        (lambda: MBGNBD.from_params(r=1, alpha=1, a=1, b=-1), "positive and finite"),
        (lambda: NBD().fit(GOOD, sample_weight=[1, 2]), "shape"),
        (lambda: NBD().fit(GOOD, sample_weight=[1, -1, 1]), "not negative"),
        (lambda: NBD().fit(GOOD, sample_weight=[1e308] * 3), "in sum too"),
    ],
)
def test_a_wrong_argument_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def customers(factor=1.0):
    X = NBD.from_params(r=0.5, alpha=9.0).sample_histories(200, 30.0, random_state=1)
    return X.assign(frequency=X["frequency"] * factor)[["frequency", "recency", "T"]]


@pytest.mark.parametrize("kind", [NBD, BGNBD, MBGNBD, ParetoNBD])
def test_a_quadrillion_orders_in_a_month_fail_with_all_that_helps_to_see_why(kind):
    with pytest.raises(FitFailedError) as error:
        kind().fit(customers(1e15))
    text = str(error.value)
    for words in (kind.law.name, "gradient norm", "from 6 starts", "customers 200", "max frequency",
                  "1.4e+16", "share without repeat 0.505", "log-likelihood by 1e+02"):  # fmt: skip
        assert words in text


class NotANumber(NBD):
    law = dataclasses.replace(
        NBD.law,
        name="law of NaN",
        objective=None,
        log_likelihood=lambda r, alpha, x, t_x, T: np.full(np.shape(x), np.nan),
    )


def downhill(rows):
    right = NBD.law.objective(rows)

    def evaluate(theta):
        value, gradient, hessian = right(theta)
        return value, -gradient, hessian

    return evaluate


class Downhill(NBD):
    law = dataclasses.replace(NBD.law, name="law with a wrong gradient", objective=downhill)


@pytest.mark.parametrize(("kind", "norm"), [(NotANumber, "nan"), (Downhill, r"\d")])
def test_a_law_that_cannot_be_climbed_fails_and_is_not_called_interior(kind, norm):
    with pytest.raises(FitFailedError, match=rf"{kind.law.name} did not .* gradient norm {norm}"):
        kind().fit(customers())


def test_spend_beyond_all_numbers_fails_with_its_facts():
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(FitFailedError, match=r"gradient norm .* largest mean spend 1e\+306"),
    ):
        GammaGamma().fit(np.column_stack([np.full(50, 1000.0), np.full(50, 1e306)]))
