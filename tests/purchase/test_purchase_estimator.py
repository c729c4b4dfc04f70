"""Priors, bootstrap, samples, contract errors and warnings of purchase models."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm

from custvalue.exceptions import (
    DataContractError,
    InSampleWarning,
    OneTimeBuyerWarning,
    SelectionWarning,
    TimeUnitError,
)
from custvalue.purchase import BGNBD, MBGNBD, Prior, PurchaseModel


@pytest.fixture(scope="module")
def model():
    return MBGNBD.from_params(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="W")


@pytest.fixture(scope="module")
def X(model):
    return model.sample_histories(600, 30.0, random_state=1).drop(columns="alive")


def test_a_strong_prior_wins_and_a_weak_one_fades(X):
    def dropout(prior):
        _, _, a, b = MBGNBD(prior=prior).fit(X).params_
        return a / (a + b)

    free = dropout(None)
    assert dropout(Prior(1e7, dropout=0.4)) == pytest.approx(0.4, abs=1e-3)
    assert dropout(Prior(1e-6, dropout=0.4)) == pytest.approx(free, rel=1e-4)


def test_a_prior_is_normal_in_logs_and_in_log_odds():
    mixing, names = MBGNBD.law.mixing, MBGNBD.law.names
    prior = Prior(30, order_rate=0.2, order_rate_spread=1.5, dropout=0.3, dropout_spread=0.4)
    r, alpha, a, b = 0.5, 4.0, 0.9, 1.6
    theta = np.log([r, alpha, a, b])
    miss = [
        np.log(r / alpha / 0.2),
        np.log(1 / np.sqrt(r) / 1.5),
        np.log(a / b) - np.log(0.3 / 0.7),
        np.log(1 / (a + b)) - np.log(0.4 / 0.6),  # odds of 1 / (a + b + 1)
    ]
    sigma = 1 / np.sqrt(30)
    right = norm.logpdf(miss, scale=sigma).sum() - 4 * norm.logpdf(0.0, scale=sigma)
    value, gradient, hessian = prior.log_density(theta, names, mixing)
    assert value == pytest.approx(right)
    h = 1e-5
    for i in range(4):
        up, down = (
            prior.log_density(theta + way * h * np.eye(4)[i], names, mixing) for way in (1, -1)
        )
        assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * h), rel=1e-6)
        np.testing.assert_allclose(hessian[i], (up[1] - down[1]) / (2 * h), rtol=1e-6, atol=1e-6)


def test_the_bootstrap_is_seeded_and_spreads_like_the_standard_errors(X):
    fitted = MBGNBD().fit(X)
    one, two = (fitted.bootstrap(X, 20, random_state=3) for _ in range(2))
    assert one.equals(two)
    ratio = one["alpha"].std() / fitted.standard_errors().alpha
    assert 0.4 < ratio < 2.5


def test_a_sampled_log_starts_with_first_orders_spread_over_the_births(model):
    log = model.sample(300, "52W", births="10W", random_state=2)
    assert log["customer_id"].nunique() == 300
    assert log["date"].is_monotonic_increasing
    first = log.groupby("customer_id")["date"].min()
    assert (first.max() - first.min()).days <= 70
    assert 0 < log.drop_duplicates("customer_id")["alive"].mean() < 1


def test_broken_histories_are_all_named_together(model):
    bad = np.array([[1.5, 2, 9], [0, 3, 9], [2, 10, 9]])
    with pytest.raises(DataContractError) as error:
        model.predict(bad, "4W")
    codes = {p.code for p in error.value.problems}
    assert {"frequency-not-a-count", "recency-without-repeat", "recency-exceeds-T"} <= codes


def test_silence_passed_off_as_recency_is_refused(X):
    many = X[X["frequency"] > 0]
    wrong = many.assign(recency=np.maximum(many["T"] - many["recency"], 0.1))
    with pytest.raises(DataContractError, match="time since the last order"):
        MBGNBD().fit(wrong)


def test_each_doubt_has_its_own_warning(X, model):
    with pytest.warns(SelectionWarning, match="biased upwards"):
        BGNBD().fit(X[X["frequency"] > 0])
    with pytest.warns(InSampleWarning, match="rows it was fitted on"):
        MBGNBD().fit(X).score(X)
    once = int((X["frequency"] == 0).sum())
    with pytest.warns(OneTimeBuyerWarning, match=rf"\({once:,} of 600 here"):
        BGNBD().fit(X).predict_alive(X)
    with pytest.raises(TimeUnitError):
        model.predict(X, horizon=4)


def test_a_model_read_back_has_its_horizon_and_prior(X):
    fitted = MBGNBD(unit="W", horizon="8W", prior=Prior(40, dropout=0.3)).fit(X)
    again = PurchaseModel.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again.fit_report() == fitted.fit_report()
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    # a bootstrap refits with the same prior
    one, two = (m.bootstrap(X, 3, random_state=1) for m in (fitted, again))
    np.testing.assert_array_equal(one, two)


def test_given_parameters_have_no_standard_errors_and_say_so(model):
    report = model.fit_report()
    assert (report.status, report.undefined) == ("given", ("r", "alpha", "a", "b"))
    assert model.standard_errors().isna().all()
    assert (model.confidence_interval([[2, 5.0, 9.0]])["note"] == "given, not estimated").all()
    with pytest.raises(ValueError, match="made from parameters"):
        model.parameter_draws(5)


def test_a_file_of_another_model_is_refused(model):
    plain = model.to_dict()
    assert isinstance(PurchaseModel.from_dict(plain), MBGNBD)
    with pytest.raises(ValueError, match="holds 'MBGNBD', not BGNBD"):
        BGNBD.from_dict(plain)


def test_counts_of_many_rows_on_a_grid_are_those_of_the_rows_one_by_one(rng):
    x = rng.integers(0, 6, 5000).astype(float)
    T = rng.integers(20, 40, 5000).astype(float)
    rows = np.column_stack([x, np.where(x > 0, np.ceil(T * rng.random(5000)), 0.0), T])
    model = BGNBD.from_params(r=0.25, alpha=4.0, a=0.8, b=2.5, unit=None)
    some = rng.permutation(5000)[:50]
    np.testing.assert_allclose(
        model.predict_pmf(rows, horizon=13.0, n_max=4)[some],
        model.predict_pmf(rows[some], horizon=13.0, n_max=4),
        rtol=1e-12,
    )
