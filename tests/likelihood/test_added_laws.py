"""A purchase law and a spend law of one's own: short, held to every law, right in any unit."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import types
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from custvalue.exceptions import NotSupportedError
from custvalue.purchase import NBD, Mixing, PurchaseLaw, PurchaseModel
from custvalue.spend import GammaGamma, OwnMean, SpendLaw
from custvalue.testing import check_purchase_model, check_spend_model
from custvalue.testing._models import SPEND_MODELS
from custvalue.testing._spend import SPEND_LAWS, example_spend_params

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add_a_model.md"
TRUE = {"tau": 12.0, "r": 0.6, "eta": 0.5, "alpha": 6.0}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
S = (NODES + 1.0) / 2.0


class GompertzParams(NamedTuple):
    """Hazard of leaving (eta / tau) exp(t / tau), order rate ~ Gamma(r, alpha); tau comes first."""

    tau: float
    r: float
    eta: float
    alpha: float


def hazard(tau, eta, t):
    """Cumulative hazard until t: survival is exp of minus this."""
    return eta * np.expm1(np.minimum(np.divide(t, tau), 600.0))


def leaving(tau, eta, start, end):
    """Times y of leaving from start until end, a new axis, with the chance of each at its node."""
    tau, eta, start, end = (np.asarray(a, float)[..., None] for a in (tau, eta, start, end))
    before = hazard(tau, eta, start)
    reach = np.minimum(hazard(tau, eta, end) - before, 40.0)
    v = reach * S**3  # hazard since start; nodes crowd there
    y = tau * np.log1p((before + v) / eta)
    return np.maximum(y, start), reach * 1.5 * S**2 * WEIGHTS * np.exp(-v)


def parts(tau, r, eta, alpha, x, t_x, T):
    """Likelihood of being alive at T and of having left since t_x, over that until t_x."""
    tau, r, eta, alpha, x, t_x, T = np.broadcast_arrays(tau, r, eta, alpha, x, t_x, T)
    k, until = r + x, alpha + t_x
    y, chance = leaving(tau, eta, t_x, T)
    quiet = np.exp(-k[..., None] * np.log1p((y - t_x[..., None]) / until[..., None]))
    stays = hazard(tau, eta, t_x) - hazard(tau, eta, T) - k * np.log1p((T - t_x) / until)
    shared = NBD.law.log_likelihood(r, alpha, x, t_x, t_x) - hazard(tau, eta, t_x)
    return np.exp(stays), (chance * quiet).sum(axis=-1), shared


def log_likelihood(tau, r, eta, alpha, x, t_x, T):
    stays, left, shared = parts(tau, r, eta, alpha, x, t_x, T)
    return shared + np.log(stays + left)


def prob_alive(tau, r, eta, alpha, x, t_x, T):
    stays, left, _ = parts(tau, r, eta, alpha, x, t_x, T)
    return stays / (stays + left)


def alive(tau, r, eta, alpha, x, t_x, T):
    return tau, np.add(r, x), eta * np.exp(np.minimum(np.divide(T, tau), 600.0)), np.add(alpha, T)


def expected_orders(tau, r, eta, alpha, t):
    tau, r, eta, alpha, t = np.broadcast_arrays(tau, r, eta, alpha, t)
    y, chance = leaving(tau, eta, 0.0 * tau, t)
    lives = (chance * tau[..., None] / eta[..., None] * np.exp(-y / tau[..., None])).sum(axis=-1)
    return r / alpha * lives


def log_prob_none(tau, r, eta, alpha, t):
    tau, r, eta, alpha, t = np.broadcast_arrays(tau, r, eta, alpha, t)
    y, chance = leaving(tau, eta, 0.0 * tau, t)
    left = chance * np.exp(-r[..., None] * np.log1p(y / alpha[..., None]))
    return np.log(np.exp(-hazard(tau, eta, t) - r * np.log1p(t / alpha)) + left.sum(axis=-1))


def survival(tau, r, eta, alpha, t):
    return np.exp(-hazard(tau, eta, t)) + 0.0 * np.add(r, alpha)


def pmf(tau, r, eta, alpha, t, n_max):
    tau, r, eta, alpha, t = np.broadcast_arrays(tau, r, eta, alpha, t)
    y, chance = leaving(tau, eta, 0.0 * tau, t)
    left = chance[..., None] * NBD.law.pmf(r[..., None], alpha[..., None], y, n_max)
    stays = np.exp(-hazard(tau, eta, t))[..., None] * NBD.law.pmf(r, alpha, t, n_max)
    return stays + left.sum(axis=-2)


def simulate(tau, r, eta, alpha, t, rng):
    tau, r, eta, alpha, t = np.broadcast_arrays(np.atleast_1d(tau), r, eta, alpha, t)
    lifetime = tau * np.log1p(rng.standard_exponential(tau.shape) / eta)
    orders = NBD.law.simulate(r, alpha, np.minimum(lifetime, t), rng)
    return orders._replace(left=np.where(lifetime <= t, lifetime, np.inf))


class GompertzNBD(PurchaseModel):
    """Poisson orders; the hazard of leaving grows with age."""

    law = PurchaseLaw(
        name="Gompertz/NBD",
        params=GompertzParams,
        dimensions={"tau": "time", "r": "none", "eta": "none", "alpha": "time"},
        mixing=(Mixing("order_rate", "gamma", "r", "alpha"),),
        log_likelihood=log_likelihood,
        prob_alive=prob_alive,
        alive=alive,
        expected_orders=expected_orders,
        log_prob_none=log_prob_none,
        survival=survival,
        pmf=pmf,
        simulate=simulate,
    )


# ---- the law ends here -----------------------------------------------------------------------


class Misdeclared(GompertzNBD):
    law = dataclasses.replace(
        GompertzNBD.law, dimensions={**GompertzNBD.law.dimensions, "tau": "none"}
    )


@pytest.fixture(scope="module")
def page():
    """The page's first two blocks as modules of their own, so that their classes can be pickled."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = {}
    for name, text in (("purchase", code[0]), ("spend", code[2])):
        module = types.ModuleType(f"added_{name}_model")
        sys.modules[module.__name__] = module
        exec(compile(text, str(PAGE), "exec"), module.__dict__)
        module.lines = len(text.splitlines())
        found[name] = module
    yield found
    for module in found.values():
        del sys.modules[module.__name__]


def test_a_law_of_either_kind_takes_under_100_lines(page):
    source = inspect.getsource(sys.modules[__name__])
    start, end = source.index("class GompertzParams"), source.index("# ---- the law ends here")
    assert len(source[start:end].strip().splitlines()) < 100
    assert page["purchase"].lines < 80
    assert page["spend"].lines < 80


def test_a_law_whose_length_of_time_stands_first_obeys_every_law():
    check_purchase_model(GompertzNBD(), TRUE)


def test_every_length_of_time_is_turned_back_into_the_unit_of_the_data():
    X = GompertzNBD.from_params(**TRUE).sample_histories(900, 40.0, random_state=0)
    weeks = GompertzNBD(unit="W").fit(X)
    in_days = X.assign(recency=7.0 * X["recency"], T=7.0 * X["T"])
    days = GompertzNBD(unit="D").fit(in_days)
    turned = np.array(days.params_) / [7.0, 1.0, 1.0, 7.0]
    np.testing.assert_allclose(turned, weeks.params_, rtol=1e-3)
    # the likelihood in the user's own unit is that of the fit: the parameters are not some others
    np.testing.assert_allclose(days.score_samples(in_days).sum(), days.fitted_.log_likelihood)
    assert 0.2 < weeks.params_.tau / TRUE["tau"] < 5.0
    assert (days.fitted_.unit, days.fitted_.dimensions["tau"]) == ("D", "time")


def test_a_dimension_that_the_likelihood_contradicts_is_refused():
    X = GompertzNBD.from_params(**TRUE).sample_histories(50, 40.0, random_state=0)
    with pytest.raises(ValueError, match=r"Gompertz/NBD: its likelihood changes with the unit"):
        Misdeclared().fit(X)
    with pytest.raises(AssertionError, match="days and weeks give the same forecast"):
        check_purchase_model(Misdeclared(), TRUE)


@pytest.mark.parametrize("dimensions", [{}, {"r": "none"}, {"r": "none", "alpha": "weeks"}])
def test_every_parameter_needs_a_dimension(dimensions):
    with pytest.raises(ValueError, match="NBD: dimensions="):
        dataclasses.replace(NBD.law, dimensions=dimensions)


def test_the_documented_models_obey_every_law(page):
    check_purchase_model(page["purchase"].HardCoreNBD())
    check_spend_model(
        page["spend"].LogNormalSpend(), {"median": 20.0, "between": 0.6, "within": 0.8}
    )


@pytest.mark.parametrize("law", SPEND_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", SPEND_MODELS)
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.CustvalueWarning")
def test_the_spend_model_obeys_the_law(name, law):
    law(SPEND_MODELS[name], example_spend_params(SPEND_MODELS[name].law))


class Generous(GammaGamma):
    law = dataclasses.replace(
        GammaGamma.law,
        expected_spend=lambda p, q, gamma, x, z: 1.05 * GammaGamma.law.expected_spend(
            p, q, gamma, x, z
        ),
    )  # fmt: skip


class Unshifted(GammaGamma):
    law = dataclasses.replace(
        GammaGamma.law,
        log_likelihood=lambda p, q, gamma, x, z: 0.1 + GammaGamma.law.log_likelihood(
            p, q, gamma, x, z
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        (Generous(), ["many orders are believed", "simulated spend agrees"]),
        (Unshifted(), ["densities add up to one", "spend derivatives are right"]),
    ],
)
def test_a_wrong_spend_model_is_told_which_laws_it_breaks(wrong, broken):
    with pytest.raises(AssertionError, match=f"{type(wrong).__name__} breaks") as error:
        check_spend_model(wrong)
    for law in broken:
        assert law in str(error.value)


def test_a_model_without_a_likelihood_says_so():
    model = OwnMean().fit([[2, 25.0], [1, 30.0], [4, 20.0]])
    for call in (model.score, model.score_samples, model.bootstrap, model.confidence_interval):
        with pytest.raises(NotSupportedError, match="OwnMean has no likelihood"):
            call([[2, 25.0]])
    assert isinstance(model.law, SpendLaw)
