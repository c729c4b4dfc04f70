"""Every law over the whole legal range against its paper's formulas in arbitrary precision.

The exact values are in ``tests/reference/law_sweeps.json``; ``make_law_sweeps.py`` beside it draws
the points (x to 10^6, T 10^-3 to 10^5, parameters 10^-3 to 10^4, a = 1, a + b < 1, b < 1) and uses
nothing of the library.
"""

from __future__ import annotations

import numpy as np
import pytest

from custvalue.purchase import _bgcnbd, _mbgcnbd
from custvalue.spend import GammaGamma
from custvalue.spend import _gamma_gamma_law as gamma_gamma
from custvalue.testing._models import PURCHASE_MODELS

# with one event an order the laws of regular buyers are those of random ones
SWEPT = {name: kind.law for name, kind in PURCHASE_MODELS.items() if "CNBD" not in name}
ONE = {"BGNBD": _bgcnbd.law_of(1), "MBGNBD": _mbgcnbd.law_of(1)}
SMALLEST = 1e-290  # below, doubles lose digits by themselves


@pytest.fixture
def sweep(reference, request):
    entry = reference("law_sweeps")[request.node.callspec.params["name"]]
    theta = np.array(entry["inputs"]["params"]).T
    past = np.array(entry["inputs"]["past"]).T
    return entry, theta, past, np.array(entry["inputs"]["t"])


def assert_digits(found, entry, what):
    np.testing.assert_allclose(
        found, entry["value"][what], rtol=entry["tolerance"], atol=SMALLEST, err_msg=what
    )


@pytest.mark.parametrize("name", SWEPT)
def test_the_likelihood_has_nine_digits(name, sweep):
    entry, theta, past, _ = sweep
    found = SWEPT[name].log_likelihood(*theta, *past)
    # a likelihood has nine digits where its logarithm has nine places
    np.testing.assert_allclose(
        found, entry["value"]["log_likelihood"], rtol=1e-9, atol=entry["tolerance"]
    )


@pytest.mark.parametrize("name", SWEPT)
def test_the_chance_of_being_alive_has_nine_digits(name, sweep):
    entry, theta, past, _ = sweep
    assert_digits(SWEPT[name].prob_alive(*theta, *past), entry, "prob_alive")


@pytest.mark.parametrize("name", SWEPT)
def test_the_chances_of_counts_have_nine_digits(name, sweep):
    entry, theta, _, t = sweep
    k = entry["inputs"]["counts"]
    found = SWEPT[name].pmf(*theta, t, max(k))[:, k]
    assert_digits(found, entry, "pmf")


@pytest.mark.parametrize("name", SWEPT)
def test_the_chance_of_no_order_has_nine_digits_on_either_side(name, sweep):
    entry, theta, _, t = sweep
    none = np.array(entry["value"]["pmf"])[:, 0]
    log_none = SWEPT[name].log_prob_none(*theta, t)
    np.testing.assert_allclose(np.exp(log_none), none, rtol=1e-9, atol=SMALLEST)


@pytest.mark.parametrize("name", SWEPT)
def test_expected_orders_have_nine_digits(name, sweep):
    entry, theta, _, t = sweep
    assert_digits(SWEPT[name].expected_orders(*theta, t), entry, "expected_orders")


@pytest.mark.parametrize("name", SWEPT)
def test_forecasts_of_histories_have_nine_digits(name, sweep):
    entry, theta, past, t = sweep
    law = SWEPT[name]
    future = law.alive(*theta, *past)
    found = law.prob_alive(*theta, *past) * law.expected_orders(*future, t)
    assert_digits(found, entry, "conditional_orders")


def test_the_spend_law_has_nine_digits(reference):
    entry = reference("law_sweeps")["GammaGamma"]
    theta, (x, z) = (
        np.array(entry["inputs"]["params"]).T,
        (np.array(entry["inputs"][k]) for k in ("x", "zbar")),
    )
    np.testing.assert_allclose(
        gamma_gamma.log_likelihood(x, z, *theta),
        entry["value"]["log_likelihood"],
        rtol=1e-9,
        atol=1e-9,
    )
    assert_digits(gamma_gamma.expected_spend(x, z, *theta), entry, "expected_spend")
    model = GammaGamma.from_params(p=theta[0][0], q=theta[1][0], gamma=theta[2][0])
    assert model.predict([[x[0], z[0]]])[0] == pytest.approx(entry["value"]["expected_spend"][0])


@pytest.mark.parametrize("name", ONE)
def test_one_event_an_order_is_the_law_of_random_buyers(name, sweep):
    entry, theta, past, t = sweep
    law, value = ONE[name], entry["value"]
    np.testing.assert_allclose(
        law.log_likelihood(*theta, *past), value["log_likelihood"], rtol=1e-9, atol=1e-9
    )
    alive = law.prob_alive(*theta, *past)
    assert_digits(alive, entry, "prob_alive")
    assert_digits(law.expected_orders(*theta, 0.0, t), entry, "expected_orders")
    future = law.alive(*theta, *past)
    assert_digits(alive * law.expected_orders(*future, t), entry, "conditional_orders")
    counts = entry["inputs"]["counts"]
    assert_digits(law.pmf(*theta, 0.0, t, max(counts))[:, counts], entry, "pmf")
