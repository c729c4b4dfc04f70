"""The one search: the highest summit, the same in every unit, and what a fit leaves behind."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi2

from custvalue._kernels import compress
from custvalue.exceptions import NotSupportedError
from custvalue.likelihood import fit_law
from custvalue.likelihood._fit import FittedLaw, search
from custvalue.likelihood._law import Plan
from custvalue.purchase import BGNBD, MBGNBD, NBD, ParetoNBD, PurchaseModel
from custvalue.silence import GapPrior
from custvalue.silence._gap_prior import fit_gap_prior, gap_log_likelihood
from custvalue.silence._silence import gap_facts
from custvalue.spend import GammaGamma, SpendModel
from custvalue.value import CustomerValue

BOX = Plan(np.array([-9.0]), np.array([9.0]))
STARTS = [np.array([v]) for v in (-6.0, 0.0, 6.0)]


def wavy(theta):
    value = float(np.cos(theta[0]) + theta[0] / 9)
    return value, 1 / 9 - np.sin(theta), -np.cos(theta)[:, None]


@pytest.mark.parametrize("plan", [BOX, BOX._replace(searches=1), BOX._replace(searches=2)])
def test_the_highest_of_the_climbed_summits_wins(plan):
    best, tried, _ = search(wavy, STARTS, plan)
    reached = [search(wavy, [start], BOX)[0].value for start in STARTS]
    assert tried == (plan.searches or 3)
    # the most promising start is the last; of one search the first is taken unseen
    assert best.value == pytest.approx(reached[0] if plan.searches == 1 else max(reached))


def test_a_sample_shows_the_hill_and_all_rows_its_summit():
    def shifted(theta):
        return wavy(theta - 0.05)

    plan = BOX._replace(samples=((1, 1e-6),), on_sample=2)
    best, tried, _ = search(wavy, STARTS, plan, parts=[(shifted, 1e-6)])
    assert tried == 1
    assert best.theta[0] == pytest.approx(2 * np.pi + np.arcsin(1 / 9), abs=1e-9)


def test_a_hasty_search_goes_on_while_it_stands_on_an_edge():
    plan = BOX._replace(hurry=True)
    assert search(wavy, STARTS, plan, at_edge=lambda found: found.theta[0] < 0)[1] == 2
    assert search(wavy, STARTS, plan, at_edge=lambda found: False)[1] == 1


@given(st.floats(1e-3, 1e3))
def test_parameters_in_another_unit_describe_the_same_customers(factor):
    rows = compress(np.array([0.0, 2.0, 7.0]), np.array([0.0, 5.0, 11.0]), np.full(3, 12.0))
    for law, params in ((NBD.law, (0.6, 8.0)), (BGNBD.law, (0.2, 4.0, 0.8, 2.5)),
                        (ParetoNBD.law, (0.6, 9.0, 0.5, 11.0))):  # fmt: skip
        there = law.rescaled(law.params(*params), time=factor)
        gone = rows.x * np.log(factor)
        np.testing.assert_allclose(
            law.log_likelihoods(there, rows.counted(1.0 / factor)),
            law.log_likelihoods(params, rows) - gone,
            rtol=1e-9, atol=1e-9,
        )  # fmt: skip


def test_a_fitted_law_is_one_value_that_nothing_changes():
    X = NBD.from_params(r=1.0, alpha=5.0).sample_histories(300, 20.0, random_state=0)
    model = NBD(unit="W").fit(X)
    fitted = model.fitted_
    assert isinstance(fitted, FittedLaw)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted.params = None
    assert (fitted.names, fitted.unit) == (("r", "alpha"), "W")
    assert model.params_ is fitted.params
    assert model.fit_report() is fitted.report
    rows = compress(*X[["frequency", "recency", "T"]].to_numpy().T.copy())
    again = fit_law(NBD.law, rows, start=fitted.params)
    np.testing.assert_allclose(again.params, fitted.params, rtol=1e-9)
    moved = model.with_params(alpha=50.0)
    assert moved.params_ == NBD.law.params(fitted.params.r, 50.0)
    assert (moved.unit_, moved.fit_report().status) == ("W", "given")
    assert model.fitted_ is fitted


def test_a_profile_follows_the_likelihood_of_spend_too(rng):
    x = rng.geometric(0.3, 150).astype(float)
    X = np.column_stack([x, rng.gamma(4.0 * x) / rng.gamma(3.0, 1 / 15.0, 150) / x])
    model = GammaGamma().fit(X)
    ends = model.confidence_interval(X, 0.9)
    top, allowed = model.fit_report().log_likelihood, 0.5 * chi2.ppf(0.9, 1)
    for name in ends.index:
        others = [k for k in ends.index if k != name]
        for side in ("lower", "upper"):

            def loss(logs, held=name, value=ends.loc[name, side], free=others):
                params = {held: value, **dict(zip(free, np.exp(logs), strict=True))}
                return -GammaGamma.from_params(**params).score_samples(X).sum()

            best = minimize(loss, np.log(ends.loc[others, "estimate"]), method="Nelder-Mead",
                            options={"xatol": 1e-8, "fatol": 1e-10})  # fmt: skip
            assert top + best.fun == pytest.approx(allowed, abs=2e-3)


class Remembering(NBD):
    """An NBD in which a silent customer counts as watched for longer: the future reads t_x."""

    law = dataclasses.replace(
        NBD.law, alive=lambda r, alpha, x, t_x, T: (r + x, alpha + T + (T - t_x))
    )


def test_a_future_may_depend_on_when_the_last_order_was(rng):
    model = Remembering.from_params(r=0.7, alpha=6.0)
    T = rng.integers(20, 40, 5000).astype(float)
    X = MBGNBD.from_params(r=0.5, alpha=6.0, a=0.9, b=1.6).sample_histories(5000, T, random_state=1)
    X["recency"] = np.ceil(X["recency"])
    X["T"] = np.maximum(X["T"], X["recency"])
    assert Remembering.law.future_reads_recency
    assert not NBD.law.future_reads_recency
    expected = (0.7 + X["frequency"]) / (6.0 + 2.0 * X["T"] - X["recency"]) * 13.0
    np.testing.assert_allclose(model.predict(X, 13), expected, rtol=1e-12)
    score = model.scorer(13)
    assert score(*X.iloc[0][["frequency", "recency", "T"]]) == pytest.approx(expected[0])


class Plain(SpendModel):
    law = dataclasses.replace(GammaGamma.law, posterior=None)


def test_customer_value_takes_any_model_of_spend_and_says_what_it_lacks(rng):
    x = rng.geometric(0.3, 400).astype(float)
    buyers = np.column_stack([x, rng.gamma(6.0 * x) / rng.gamma(4.0, 1 / 15.0, 400) / x])
    orders = BGNBD.from_params(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="W")
    spend, other = Plain().fit(buyers), GammaGamma().fit(buyers)
    table = pd.DataFrame({"frequency": [0, 3], "recency": [0.0, 20.0], "T": [30.0, 30.0],
                          "n_orders": [1, 4], "mean_value": [20.0, 35.0]})  # fmt: skip
    value, same = (CustomerValue.from_fitted(orders, s, horizon="26W") for s in (spend, other))
    np.testing.assert_allclose(value.predict(table), same.predict(table), rtol=1e-9)
    with pytest.raises(NotSupportedError, match="Plain"):
        value.predict_interval(table)
    assert isinstance(orders, PurchaseModel)


def test_the_rates_of_gaps_end_on_a_summit_that_scipy_cannot_raise():
    for seed in (1, 3, 33):
        rng = np.random.default_rng(seed)
        gaps = rng.exponential(1 / rng.gamma(0.5 + seed % 7, 1 / 60.0, 100), (3, 100)).T
        gaps[:, 0] *= 0.5  # the current one has not ended
        facts = gap_facts(gaps)
        prior = fit_gap_prior(facts)

        def loss(logs, facts=facts):
            return -gap_log_likelihood(facts, GapPrior(*np.exp(logs)))[0]

        start = np.log([prior.r, prior.alpha])
        best = min(
            minimize(
                loss, start + d, method="Nelder-Mead", options={"fatol": 1e-9, "xatol": 1e-7}
            ).fun
            for d in ([0.0, 0.0], [1.0, 1.0], [-1.0, 0.5])
        )
        assert loss(start) <= best + 1e-6 * abs(best)
