"""Columns of customers that move what an order brings, alone and in the value of a customer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._kernels import rows_by_differences
from custvalue.exceptions import DataContractError
from custvalue.purchase import NBD
from custvalue.spend import GammaGamma

TRUTH = {"p": 6.25, "q": 3.74, "gamma": 15.44}
TOLD = {"spend": {"age": 0.01, "plan": {"basic": 0.0, "pro": 0.5}}}


def spenders(n=3000, seed=0):
    """By hand: orders Gamma(p, nu), nu Gamma(q, gamma_i)."""
    rng = np.random.default_rng(seed)
    C = pd.DataFrame({"age": rng.normal(40, 10, n), "plan": rng.choice(["basic", "pro"], n)})
    gamma = TRUTH["gamma"] * np.exp(0.01 * C["age"] + 0.5 * (C["plan"] == "pro"))
    nu = rng.gamma(TRUTH["q"], 1.0 / gamma)
    x = rng.poisson(2.0, n).astype(float)
    z = rng.gamma(TRUTH["p"] * np.maximum(x, 1.0)) / nu / np.maximum(x, 1.0)
    return C.assign(frequency=x, monetary_value=np.where(x > 0, z, np.nan))


def test_derivatives_by_row_are_those_of_the_density():
    law, rng = GammaGamma.law, np.random.default_rng(0)
    x = np.array([1.0, 2.0, 40.0, 700.0, 1.0])
    z = np.array([20.0, 0.01, 35.0, 31.0, 9e4])
    for params in (
        TRUTH,
        {"p": 0.2, "q": 0.7, "gamma": 3.0},
        {"p": 300.0, "q": 90.0, "gamma": 9.0},
    ):
        logs = [np.log(v) for v in params.values()]
        logs[2] = logs[2] + rng.normal(size=5)
        value, g, h = law.derivatives_of(logs, [x, z])
        wanted = rows_by_differences(lambda *p: law.log_likelihood(*p, x, z), logs)
        np.testing.assert_allclose(value, wanted[0], rtol=1e-11)
        for one, other in zip(g, wanted[1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        for pair, other in wanted[2].items():
            np.testing.assert_allclose(h[pair], other, rtol=1e-3, atol=2e-3)


def test_a_fit_finds_what_simulated_customers_follow():
    X = spenders()
    model = GammaGamma(spend_columns=["age", "plan"]).fit(X)
    truth = GammaGamma.from_params(**TRUTH, effects=TOLD)
    assert model.fitted_.names == truth.fitted_.names
    assert model.fit_report().log_likelihood >= truth.score_samples(X).sum()
    miss = np.log(model.fitted_.values / truth.fitted_.values)
    spread = np.asarray(model.fit_report().log_covariance)
    assert miss @ np.linalg.solve(spread, miss) < 4.0 * len(miss) + 30.0
    once = X["frequency"] == 1
    assert abs((model.predict(X[once]) - X.loc[once, "monetary_value"]).mean()) < 4.0


def test_spend_is_scaled_and_nothing_else():
    X = spenders(50)
    plain, model = GammaGamma.from_params(**TRUTH), GammaGamma.from_params(**TRUTH, effects=TOLD)
    own = np.exp(0.01 * X["age"] + 0.5 * (X["plan"] == "pro")).to_numpy()
    scaled = X.assign(monetary_value=X["monetary_value"] / own)
    for ask in (lambda m, T: m.predict(T), lambda m, T: m.predict_quantile(T, 0.8)):
        np.testing.assert_allclose(ask(model, X), own * ask(plain, scaled), rtol=1e-12)
    zero = GammaGamma.from_params(**TRUTH, effects={"spend": {"age": 0.0}})
    np.testing.assert_allclose(zero.predict(X), plain.predict(X), rtol=1e-12)
    draws = model.sample(X, 4000, random_state=0).mean(axis=0)
    np.testing.assert_allclose(draws, model.predict(X), rtol=0.15)


def test_a_fitted_model_travels_and_draws():
    X = spenders(600)
    model = GammaGamma(spend_columns=["plan"], ridge=2.0, missing="encode").fit(X)
    copy = GammaGamma.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert copy.get_params()["spend_columns"] == ["plan"]
    draws = model.bootstrap(X, 4, random_state=0)
    assert list(draws) == ["p", "q", "gamma", "spend:plan=pro"]
    ends = GammaGamma(spend_columns=["plan"]).fit(X).confidence_interval(X)
    assert (ends["lower"] < ends["estimate"]).all()
    assert (ends["estimate"] < ends["upper"]).all()
    low, high = (model.predict(X.assign(frequency=0.0, plan=p))[0] for p in ("basic", "pro"))
    assert low < model.new_customer() < high


def test_what_is_made_of_orders_tells_nothing_of_spend():
    X = spenders(300)
    with pytest.raises(DataContractError, match="known-after-the-order: column 'monetary_value'"):
        GammaGamma(spend_columns=["monetary_value"]).fit(X)
    with pytest.raises(DataContractError, match=r"missing-column: .* no column 'sex'"):
        GammaGamma(spend_columns=["sex"]).fit(X)


@pytest.fixture(scope="module")
def summary():
    n = 500
    rng = np.random.default_rng(1)
    C = pd.DataFrame({"age": rng.normal(40, 10, n), "plan": rng.choice(["basic", "pro"], n)})
    told = {"purchase": {"plan": {"basic": 0.0, "pro": 0.6}}}
    X = NBD.from_params(r=1.0, alpha=8.0, effects=told).sample_histories(
        n, 40.0, customers=C.assign(frequency=0.0), random_state=1
    )
    X["age"], X["n_orders"] = C["age"], X["frequency"] + 1.0
    nu = rng.gamma(TRUTH["q"], 1.0 / (TRUTH["gamma"] * np.exp(0.5 * (C["plan"] == "pro"))))
    X["mean_value"] = rng.gamma(TRUTH["p"] * X["n_orders"]) / nu / X["n_orders"]
    return X.drop(columns="alive")


def test_the_value_of_a_customer_carries_columns_everywhere(summary):
    orders = NBD(purchase_columns=["plan", "age"], unit="W")
    spend = GammaGamma(spend_columns=["plan"])
    model = cv.CustomerValue(purchases=orders, spend=spend, horizon="26W").fit(summary)
    value = model.predict(summary)
    by_hand = model.purchases_.predict(summary, "26W") * model.spend_.predict(
        summary.assign(frequency=summary["n_orders"], monetary_value=summary["mean_value"])
    )
    np.testing.assert_allclose(value, by_hand, rtol=1e-6)
    some = summary.head(60)
    for kind in ("outcome", "parameter"):
        ends = model.predict_interval(some, kind=kind)
        assert (ends[:, 0] <= value[:60] + 1e-9).all()
        assert (value[:60] <= ends[:, 1] + 1e-9).all()
        assert model.draws(some, kind=kind, n_draws=20, random_state=0).shape == (20, 60)
    means = model.draws(some, n_draws=3000, random_state=0).mean(axis=0)
    assert means.sum() == pytest.approx(value[:60].sum(), rel=0.05)
    totals = model.predict_total(summary, groups=summary["plan"])
    assert totals["value"].sum() == pytest.approx(value.sum())
    assert (totals["parameter_error"] > 0).all()
    copy = cv.CustomerValue.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_allclose(copy.predict(summary), value, rtol=1e-12)
    assert model.new_customer_value("26W") > 0
