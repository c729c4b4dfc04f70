"""BG/BB, shifted beta-geometric, beta-binomial: published digits, laws, long histories."""

from __future__ import annotations

import json
import pickle

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.datasets import load_donations
from custvalue.exceptions import BoundaryFitWarning, DataContractError
from custvalue.purchase import BGBB, BetaBinomialResponse, ShiftedBetaGeometric
from custvalue.purchase import _bgbb as bgbb

wide = st.floats(1e-3, 1e4)
PARAMS = {
    BGBB: {"alpha": 1.204, "beta": 0.75, "gamma": 0.657, "delta": 2.783},
    ShiftedBetaGeometric: {"alpha": 0.668, "beta": 3.806},
    BetaBinomialResponse: {"alpha": 0.5, "beta": 4.5},
}
MODELS = list(PARAMS)


@pytest.fixture(scope="module")
def donations():
    return load_donations()


@pytest.fixture(scope="module")
def donors(donations):
    return BGBB().fit(donations, sample_weight=donations["weight"])


def test_the_published_donation_parameters_come_out(donors):
    np.testing.assert_allclose(donors.params_, [1.204, 0.750, 0.657, 2.783], atol=5.1e-4)
    assert donors.fit_report().status == "interior"


def test_the_published_cell_likelihoods_come_out(donors, reference):
    entry = reference("discrete")["bgbb.logp.excel"]
    x, t_x = entry["inputs"]["x"], entry["inputs"]["t_x"]
    found = donors.score_samples(pd.DataFrame({"frequency": x, "recency": t_x, "T": 6}))
    np.testing.assert_allclose(found, entry["value"], atol=entry["tolerance"])


@pytest.mark.parametrize(("name", "horizon"), [("CET1", 1), ("CET3", 3)])
def test_the_published_expectations_come_out(reference, name, horizon):
    entry = reference("discrete")[f"bgbb.pymc22.{name}"]
    X = np.column_stack([entry["inputs"]["cells"], np.full(22, 6)])
    model = BGBB.from_params(**dict(zip(PARAMS[BGBB], entry["inputs"]["params"], strict=True)))
    np.testing.assert_allclose(
        model.predict(X, horizon=horizon), entry["value"], atol=entry["tolerance"]
    )


@pytest.mark.parametrize("ahead", [1, 3, 6])
def test_the_published_chances_of_being_alive_come_out(reference, ahead):
    entry = reference("discrete")[f"bgbb.pymc22.palive{ahead}"]
    X = np.column_stack([entry["inputs"]["cells"], np.full(22, 6)])
    model = BGBB.from_params(**dict(zip(PARAMS[BGBB], entry["inputs"]["params"], strict=True)))
    np.testing.assert_allclose(
        model.predict_alive(X, at=ahead), entry["value"], atol=entry["tolerance"]
    )


def test_the_published_totals_and_forecasts_come_out(donors, donations, reference):
    published = reference("discrete")
    total = float((donors.predict(donations, horizon=5) * donations["weight"]).sum())
    assert total == pytest.approx(published["bgbb.sum_E5"]["value"], abs=0.05)
    for name, history in (("bgbb.CET.A", [0, 0, 6]), ("bgbb.CET.B", [4, 5, 6])):
        found = donors.predict(pd.DataFrame([history], columns=["frequency", "recency", "T"]), 10)
        # the walk-through's parameters are short of the optimum in the fifth digit
        assert found[0] == pytest.approx(published[name]["value"], rel=5e-5)
    tracked = [11_104 * donors.new_customer(horizon=t) for t in range(1, 12)]
    np.testing.assert_allclose(tracked, published["bgbb.track_cum"]["value"], rtol=5e-5)


def test_a_new_donors_first_six_years_are_as_published(donors, reference):
    new = pd.DataFrame({"frequency": [0], "recency": [0], "T": [0]})
    found = 11_104 * donors.predict_pmf(new, horizon=6, n_max=6)[0]
    np.testing.assert_allclose(
        found[[0, 6]], reference("discrete")["bgbb.hist06"]["value"], atol=0.06
    )


@pytest.mark.parametrize("name", ["bgbb.long.a", "bgbb.long.b", "bgbb.long.c"])
def test_histories_beyond_thirty_periods_are_right(reference, name):
    entry = reference("discrete")[name]
    X = [entry["inputs"]["history"]]
    model = BGBB.from_params(**entry["inputs"]["params"])
    assert model.score_samples(X)[0] == pytest.approx(entry["value"][0], abs=5e-4)
    if entry["value"][1] is not None:
        assert model.predict_alive(X)[0] == pytest.approx(entry["value"][1], abs=5e-6)


def exact(alpha, beta, gamma, delta, x, t_x, n):
    with mp.workdps(50):
        a, b, c, d = (mp.mpf(float(v)) for v in (alpha, beta, gamma, delta))
        stay = mp.beta(a + x, b + n - x) / mp.beta(a, b) * mp.beta(c, d + n) / mp.beta(c, d)
        left = mp.fsum(
            mp.beta(a + x, b + i - x) / mp.beta(a, b) * mp.beta(c + 1, d + i) / mp.beta(c, d)
            for i in range(t_x, n)
        )
        return float(mp.log(stay + left)), float(stay / (stay + left))


@pytest.mark.parametrize(
    "case",
    [
        (1.204, 0.75, 0.657, 2.783, 40, 80, 400),
        (1e-3, 1e-3, 1e-3, 1e-3, 3, 7, 100),
        (1e4, 1e-3, 1e4, 1e-3, 5, 5, 60),
        (1e4, 1e4, 1e-3, 1e4, 100, 250, 300),
        (0.3, 20.0, 1.0, 5.0, 0, 0, 200),
    ],
)
def test_likelihood_and_chance_alive_agree_with_arbitrary_precision(case):
    ll, here = exact(*case)
    assert float(bgbb.log_likelihood(*case)) == pytest.approx(ll, rel=1e-10)
    assert float(bgbb.prob_alive(*case)) == pytest.approx(here, rel=1e-9, abs=1e-300)


@given(wide, wide, wide, wide, st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_every_forecast_is_finite_and_legal(alpha, beta, gamma, delta, x, more, silent):
    t_x = x + more if x else 0
    X = [[x, t_x, t_x + silent]]
    model = BGBB.from_params(alpha=alpha, beta=beta, gamma=gamma, delta=delta)
    here = model.predict_alive(X)[0]
    assert 0.0 <= here <= 1.0
    assert np.isfinite(model.score_samples(X)[0])
    assert model.score_samples(X)[0] <= 1e-12
    orders = [model.predict(X, horizon=h)[0] for h in (0, 1, 10, 1000)]
    assert np.isfinite(orders).all()
    assert orders[0] == 0.0
    assert (np.diff(orders) >= 0).all()
    assert orders[1] <= 1.0
    chance = [model.predict_proba_any(X, horizon=h)[0] for h in (1, 10, 2000)]
    assert ((np.array(chance) >= 0) & (np.array(chance) <= 1)).all()
    assert chance[0] == pytest.approx(orders[1], rel=1e-9)


@pytest.mark.parametrize("gamma", [1.0, 1.0 + 1e-13, 1.0 - 1e-7, 1.0 + 1e-5])
def test_expected_orders_are_regular_at_gamma_one(gamma):
    stays = [np.exp(float(bgbb.log_stayed(gamma, 2.5, j))) for j in range(1, 41)]
    found = float(bgbb.expected_orders(2.0, 3.0, gamma, 2.5, 40))
    assert found == pytest.approx(0.4 * sum(stays), rel=1e-10)


@pytest.mark.parametrize("m", [700, 5_000, np.inf])
def test_the_chance_of_no_order_for_long_is_summed_right(m):
    a, b, c, d = 0.9, 40.0, 0.6, 8.0
    j = np.arange(1, min(m, 4e6) + 1)
    from scipy.special import gammaln

    log_term = (
        np.log(a)
        + gammaln(b + j - 1)
        - gammaln(b)
        - gammaln(a + b + j)
        + gammaln(a + b)
        + gammaln(d + j)
        - gammaln(d)
        - gammaln(c + d + j)
        + gammaln(c + d)
    )
    some = np.exp(log_term).sum()
    found = -np.expm1(bgbb.log_prob_none(a, b, c, d, m))
    if np.isinf(m):
        some += np.exp(log_term[-1]) * j[-1] / (a + c)  # what the sum still lacks
    assert float(found) == pytest.approx(some, rel=1e-8)
    many = -np.expm1(bgbb.log_prob_none(a, b, c, d, np.array([3.0, m])))
    assert many[1] == pytest.approx(some, rel=1e-3)


@pytest.mark.parametrize("kind", MODELS)
def test_counts_have_total_chance_one_and_the_expected_mean(kind):
    model = kind.from_params(**PARAMS[kind])
    X = model.sample_histories(30, 7.0, random_state=3)
    X = X[["frequency", "recency", "T"]]
    for horizon in (1, 4, 12):
        pmf = model.predict_pmf(X, horizon=horizon, n_max=12)
        np.testing.assert_allclose(pmf.sum(axis=1), 1.0, atol=1e-12)
        np.testing.assert_allclose(
            pmf @ np.arange(13), model.predict(X, horizon=horizon), atol=1e-11
        )
        np.testing.assert_allclose(
            1 - pmf[:, 0], model.predict_proba_any(X, horizon=horizon), atol=1e-11
        )


@pytest.mark.parametrize("kind", MODELS)
def test_forecasts_average_to_the_unconditional_forecast(kind):
    model = kind.from_params(**PARAMS[kind])
    histories = model.sample_histories(40_000, 5.0, random_state=11)
    conditional = model.predict(histories, horizon=4)
    later = model.new_customer(horizon=9) - model.new_customer(horizon=5)
    error = (conditional.mean() - later) / (conditional.std() / 200.0)
    assert abs(error) < 5


@pytest.mark.parametrize("kind", MODELS)
def test_simulated_customers_recover_their_parameters(kind):
    model = kind.from_params(**PARAMS[kind])
    found = kind().fit(model.sample_histories(30_000, 10.0, random_state=5))
    spread = np.sqrt(np.diag(np.asarray(found.fit_report().log_covariance)))
    errors = (np.log(found.params_) - np.log(model.params_)) / spread
    assert np.all(np.abs(errors) < 4.5)


@pytest.mark.parametrize("kind", MODELS)
def test_gradients_and_hessians_agree_with_differences(kind):
    from custvalue._kernels import Histories

    model = kind.from_params(**PARAMS[kind])
    h = model.sample_histories(200, 9.0, random_state=2)
    w = np.linspace(0.5, 2.0, 200)
    objective = model.law.objective(
        Histories(h["frequency"].to_numpy(), h["recency"].to_numpy(), h["T"].to_numpy(), w, 1.0)
    )
    theta = np.log(np.array(model.params_)) + 0.2
    value, gradient, hessian = objective(theta)
    ll = model.law.log_likelihood(*np.exp(theta), h["frequency"], h["recency"], h["T"])
    assert value == pytest.approx(np.average(ll, weights=w), rel=1e-12)
    for i in range(theta.size):
        step = np.zeros(theta.size)
        step[i] = 1e-5
        up, down = objective(theta + step), objective(theta - step)
        assert gradient[i] == pytest.approx((up[0] - down[0]) / 2e-5, abs=1e-8)
        np.testing.assert_allclose(hessian[i], (up[1] - down[1]) / 2e-5, atol=1e-7)


@pytest.mark.parametrize("kind", MODELS)
def test_weights_count_as_repetition(kind):
    model = kind.from_params(**PARAMS[kind])
    X = model.sample_histories(3000, 6.0, random_state=4)
    w = np.arange(3000) % 4
    weighted = kind().fit(X, sample_weight=w)
    repeated = kind().fit(X.loc[X.index.repeat(w)])
    np.testing.assert_allclose(weighted.params_, repeated.params_, rtol=1e-8)


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_survives_json_and_pickle(kind):
    model = kind.from_params(**PARAMS[kind])
    X = model.sample_histories(500, 6.0, random_state=4)
    fitted = kind().fit(X)
    again = kind.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again.params_ == fitted.params_
    assert pickle.loads(pickle.dumps(fitted)).params_ == fitted.params_


def test_the_published_retention_curves_come_out(reference):
    published = reference("discrete")
    for name, ll in (("regular", "sbg.regular.LL"), ("highend", "sbg.highend.LL1000")):
        share = published[f"sbg.{name}.data"]["value"]
        model = ShiftedBetaGeometric().fit_cohorts([1000, *(10 * v for v in share[:7])])
        assert model.fit_report().log_likelihood == pytest.approx(published[ll]["value"], abs=1e-3)
        off = abs(100 * model.survival_curve(12)[12] / share[11] - 1)
        entry = published[f"sbg.{name}.err12"]
        assert off == pytest.approx(entry["value"], abs=entry["tolerance"])
        if name == "regular":
            entry = published["sbg.regular.params"]
            np.testing.assert_allclose(model.params_, entry["value"], atol=entry["tolerance"])
    four = ShiftedBetaGeometric().fit_cohorts([1000, 631, 468, 382, 326])
    np.testing.assert_allclose(
        [*four.params_, four.fit_report().log_likelihood],
        published["sbg.regular.4yr"]["value"],
        atol=1e-3,
    )


def test_retention_rises_with_age_and_ratios_make_the_curve():
    model = ShiftedBetaGeometric.from_params(alpha=0.668, beta=3.806)
    rates = model.retention_rate(np.arange(1, 20))
    assert (np.diff(rates) > 0).all()
    np.testing.assert_allclose(np.cumprod(rates), model.survival_curve(19)[1:], rtol=1e-12)


def test_several_cohorts_of_different_age_are_one_fit():
    whole = [1000, 631, 468, 382, 326]
    young = [500, 316, 234, np.nan, np.nan]
    both = ShiftedBetaGeometric().fit_cohorts([whole, young])
    assert both.fit_report().n_customers == 1500
    alone = ShiftedBetaGeometric().fit_cohorts(whole)
    np.testing.assert_allclose(both.params_, alone.params_, rtol=0.1)
    with pytest.raises(DataContractError, match="must not grow"):
        ShiftedBetaGeometric().fit_cohorts([[1000, 600, 700]])


def simulated_cohorts(params, starts, ages, seed):
    """Survivors of cohorts of each age, drawn customer by customer."""
    rng = np.random.default_rng(seed)
    table = np.full((len(starts), max(ages) + 1), np.nan)
    for i, (n, age) in enumerate(zip(starts, ages, strict=True)):
        theta = rng.beta(*params, n)
        ends = rng.geometric(theta)  # the renewal that is not made
        table[i, : age + 1] = [(ends > k).sum() for k in range(age + 1)]
    return table


def test_cohorts_of_every_age_recover_the_law_they_share():
    table = simulated_cohorts((0.7, 3.5), [4000] * 5, [9, 7, 5, 3, 1], seed=8)
    model = ShiftedBetaGeometric().fit_cohorts(table)
    errors = (np.log(model.params_) - np.log([0.7, 3.5])) / (
        np.array(model.standard_errors()) / np.array(model.params_)
    )
    assert (np.abs(errors) < 4).all()
    # a cohort's likelihood is the product over its customers, so customers give the same fit
    rows = []
    for line in table:
        seen = line[~np.isnan(line)].astype(int)
        T = seen.size - 1
        renewals = np.repeat(np.arange(T + 1), [*-np.diff(seen), seen[-1]])
        rows.append(np.column_stack([renewals, renewals, np.full(renewals.size, T)]))
    customers = ShiftedBetaGeometric().fit(np.concatenate(rows).astype(float))
    np.testing.assert_allclose(customers.params_, model.params_, rtol=1e-9)


def test_cohorts_are_told_whether_they_may_share_one_law():
    alike = simulated_cohorts((0.7, 3.5), [3000] * 3, [6, 5, 4], seed=1)
    worse = simulated_cohorts((1.4, 3.5), [3000], [6], seed=2)
    names = ["2021", "2022", "2023"]
    same = ShiftedBetaGeometric().compare_cohorts(pd.DataFrame(alike, index=names))
    assert same.index.tolist() == [*names, "together"]
    assert same.loc["together", "p_value"] > 0.01
    assert same.loc["together", "customers"] == same["customers"].iloc[:-1].sum()
    pooled = ShiftedBetaGeometric().fit_cohorts(alike)
    assert same.loc["together", "alpha"] == pooled.params_.alpha
    mixed = ShiftedBetaGeometric().compare_cohorts(np.vstack([alike, worse]))
    assert mixed.loc["together", "p_value"] < 1e-6
    assert mixed.loc[3, "mean_leaving"] > mixed.loc[0, "mean_leaving"]
    assert np.isnan(ShiftedBetaGeometric().compare_cohorts(alike[0]).loc["together", "p_value"])


def test_differences_between_cohorts_of_one_law_are_significant_as_often_as_they_should_be():
    tables = [simulated_cohorts((0.9, 4.0), [2000] * 2, [5, 4], seed) for seed in range(60)]
    below = [
        ShiftedBetaGeometric().compare_cohorts(t).loc["together", "p_value"] < 0.2 for t in tables
    ]
    assert 2 <= sum(below) <= 24  # 12 +- 4 standard errors


def test_each_cohort_is_carried_on_from_its_own_age():
    model = ShiftedBetaGeometric.from_params(alpha=0.668, beta=3.806)
    table = [[1000, 869, 743], [500, np.nan, np.nan]]
    ahead = model.predict_survivors(table, horizon=4)
    curve = model.survival_curve(6)
    np.testing.assert_allclose(ahead[0], 743 * curve[2:] / curve[2], rtol=1e-12)
    np.testing.assert_allclose(ahead[1], 500 * curve[:5], rtol=1e-12)
    # the expected renewals of those still there are the same numbers added up
    X = [[2, 2, 2]]
    assert 743 * model.predict(X, horizon=4)[0] == pytest.approx(ahead[0, 1:].sum())


def test_a_skipped_renewal_is_no_contract():
    X = pd.DataFrame({"frequency": [2, 3], "recency": [3, 3], "T": [4, 3]})
    with pytest.raises(DataContractError, match="not-a-contract"):
        ShiftedBetaGeometric().fit(X)


def test_a_constant_leaving_rate_is_a_named_boundary():
    survivors = 1e6 * 0.8 ** np.arange(8)
    with pytest.warns(BoundaryFitWarning, match="no spread in drop-out"):
        model = ShiftedBetaGeometric().fit_cohorts(survivors)
    np.testing.assert_allclose(model.retention_rate([1, 5, 9]), 0.8, rtol=1e-3)


def test_answers_to_solicitations_need_no_recency():
    X = pd.DataFrame({"frequency": [0, 1, 2, 0, 5], "T": [5, 5, 6, 6, 7]})
    model = BetaBinomialResponse().fit(X)
    mean = model.params_.alpha / (model.params_.alpha + model.params_.beta)
    chance = model.predict(X, horizon=1)
    own = X["frequency"] / X["T"]
    low, high = np.minimum(own, mean), np.maximum(own, mean)
    assert ((chance >= low - 1e-12) & (chance <= high + 1e-12)).all()
    with pytest.raises(DataContractError, match="exceeds 'T'"):
        model.predict(pd.DataFrame({"frequency": [3], "T": [2]}), horizon=1)
