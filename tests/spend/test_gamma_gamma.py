"""Gamma-Gamma: published digits, laws, edges, and data on which others fail."""

from __future__ import annotations

import json
import pickle
import tracemalloc
import warnings

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import invgamma
from sklearn.base import clone

from custvalue import summarize
from custvalue.exceptions import (
    BoundaryFitWarning,
    CustvalueWarning,
    DataContractError,
    IndependenceWarning,
    InSampleWarning,
    UndefinedMeanError,
)
from custvalue.spend import GammaGamma
from custvalue.spend import _gamma_gamma_law as law

positive = st.floats(0.05, 50.0)
money = st.floats(0.01, 1e6)


@pytest.fixture(scope="module")
def repeaters(cdnow_sample):
    """Mean spend per repeat order-day of the sample's customers, 39 weeks."""
    log = cdnow_sample[cdnow_sample["date"] <= "1997-09-30"]
    days = log.groupby(["customer_id", "date"])["amount"].sum().reset_index()
    order = days.groupby("customer_id").cumcount()
    later = days[order > 0].groupby("customer_id")["amount"].agg(["size", "mean"])
    ids = days["customer_id"].unique()
    return pd.DataFrame(
        {
            "frequency": later["size"].reindex(ids).fillna(0).to_numpy(),
            "monetary_value": later["mean"].reindex(ids).to_numpy(),
        }
    )


@pytest.fixture(scope="module")
def model(repeaters):
    return GammaGamma().fit(repeaters)


def simulate(rng, n, p, q, gamma, orders=0.3):
    x = rng.geometric(orders, n).astype(float)
    return np.column_stack([x, rng.gamma(p * x) / rng.gamma(q, 1 / gamma, n) / x])


def test_the_published_cdnow_parameters_come_out(model, reference):
    entry = reference("spend")["gg.cdnow.params"]
    np.testing.assert_allclose(model.params_, entry["value"], atol=entry["tolerance"])


def test_the_published_log_likelihood_comes_out(model, reference):
    entry = reference("spend")["gg.cdnow.LL"]
    assert model.fit_report().log_likelihood == pytest.approx(
        entry["value"], abs=entry["tolerance"]
    )


def test_the_published_shrinkage_table_comes_out(reference):
    for name, zbar in (("gg.shrink", 100.0), ("gg.shrink20", 20.0)):
        entry = reference("spend")[name]
        found = law.expected_spend([0, 1, 2, 7, 10], zbar, 6.25, 3.74, 15.44)
        np.testing.assert_allclose(found, entry["value"], atol=entry["tolerance"])


def test_the_population_mean_is_the_published_one(model, reference):
    assert model.new_customer() == pytest.approx(reference("spend")["gg.cdnow.mean"]["value"], 2e-3)


@pytest.mark.parametrize("copies", [1, 8], ids=["9,449 buyers", "75,592 buyers"])
def test_the_whole_cdnow_log_is_fitted_to_its_summit_without_a_warning(cdnow, copies):
    customers = summarize(
        cdnow, customer="customer_id", time="date", amount="amount", as_of="1997-09-30"
    )
    buyers = customers[customers["frequency"] > 0]
    model = GammaGamma().fit(pd.concat([buyers] * copies, ignore_index=True))

    def loss(logs):
        p, q, gamma = np.exp(logs)
        return -GammaGamma.from_params(p=p, q=q, gamma=gamma).score(buyers)

    tight = {"xatol": 1e-9, "fatol": 1e-13}
    closely = minimize(loss, np.log(model.params_), method="Nelder-Mead", options=tight)
    in_sample = model.fit_report().log_likelihood / (copies * len(buyers))
    assert in_sample >= -closely.fun - 1e-10
    np.testing.assert_allclose(model.params_, np.exp(closely.x), rtol=1e-4)


def test_300_small_samples_end_without_a_failure(repeaters, rng):
    status = []
    for size in np.resize([40, 80, 120, 250, 400], 300):
        sample = repeaters.iloc[rng.choice(len(repeaters), size, replace=False)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CustvalueWarning)
            model = GammaGamma(statistic="median").fit(sample)
            spend = model.predict(sample)
        report = model.fit_report()
        status.append(report.status)
        assert np.isfinite(report.log_likelihood)
        assert np.isfinite(spend).all()
        assert (spend > 0).all()
    assert status.count("interior") > 200


def test_one_mistyped_count_takes_no_memory(rng):
    X = simulate(rng, 500, 6.0, 4.0, 15.0)
    X[0, 0] = 2.0**31
    tracemalloc.start()
    GammaGamma().fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BoundaryFitWarning")
@pytest.mark.parametrize("orders", [(50, 200), (200, 1000), (1000, 5000), (10**5, 10**6)])
def test_frequent_buyers_are_fitted_on_their_own_law(orders):
    n = 200
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.integers(*orders, n).astype(float)
        zbar = rng.gamma(6.25 * x) / rng.gamma(3.74, 1 / 15.44, n) / x
        model = GammaGamma().fit(np.column_stack([x, zbar]))
        # with so many orders a mean is p / nu: q and the population's mean are what is learned,
        # and the mean's law is the inverse gamma that scipy fits
        q, _, scale = invgamma.fit(zbar, floc=0.0)
        assert model.params_.q == pytest.approx(q, rel=0.1)
        p, gamma = model.params_.p, model.params_.gamma
        assert p * gamma == pytest.approx(scale, rel=0.1)


@pytest.mark.parametrize("theta", [(0.0, 1.0, 0.0), (8.0, 1.2, 0.3), (-2.0, 5.0, -0.4)])
def test_likelihood_and_gradient_keep_their_digits_for_frequent_buyers(theta):
    from custvalue.spend import _gamma_gamma_fit as search

    x, zbar = np.array([1.0, 40.0, 3e4, 1e6, 2.0**31]), np.array([20.0, 9.0, 31.0, 33.0, 12.0])
    rows = search.prepare(x, zbar, None)

    def exact(*logs):
        p, q, mu = (mpmath.exp(v) for v in logs)
        gamma = mu * q / p * mpmath.mpf(rows.unit)
        total = mpmath.mpf(0)
        for n, z in zip(map(mpmath.mpf, x), map(mpmath.mpf, zbar), strict=True):
            total += mpmath.loggamma(p * n + q) - mpmath.loggamma(p * n) - mpmath.loggamma(q)
            total += q * mpmath.log(gamma) + p * n * mpmath.log(n * z) - mpmath.log(z)
            total -= (p * n + q) * mpmath.log(gamma + n * z)
        return total / 5

    with mpmath.workdps(40):
        value, gradient, _ = search.objective(rows)(np.array(theta))
        assert value == pytest.approx(float(exact(*theta)), rel=1e-11)
        slopes = [
            float(mpmath.diff(exact, theta, tuple(int(i == k) for i in range(3)))) for k in range(3)
        ]
        assert gradient == pytest.approx(slopes, rel=1e-9, abs=1e-12)


def test_standard_errors_agree_with_the_bootstrap(model, repeaters):
    drawn = model.bootstrap(repeaters, 200, random_state=0)
    spread = np.log(drawn).std()
    np.testing.assert_allclose(
        model.standard_errors() / np.asarray(model.params_), spread, rtol=0.3
    )


def test_customers_without_a_repeat_order_are_left_out_and_counted(model, repeaters):
    assert "1,411 of 2,357" in model.fit_report().notes[0]
    alone = GammaGamma().fit(repeaters[repeaters["frequency"] > 0])
    np.testing.assert_allclose(alone.params_, model.params_, rtol=1e-10)
    predicted = model.predict(repeaters)
    assert predicted.shape == (2357,)
    none = repeaters["frequency"].to_numpy() == 0
    assert np.ptp(predicted[none]) == 0.0


@given(st.integers(1, 500), money, positive, st.floats(1.05, 50.0), positive)
def test_expected_spend_lies_between_the_population_and_the_customer(x, zbar, p, q, gamma):
    population = float(law.expected_spend(0, 0, p, q, gamma))
    low, high = sorted([population, zbar])
    assert low * (1 - 1e-12) <= law.expected_spend(x, zbar, p, q, gamma) <= high * (1 + 1e-12)


@given(st.integers(0, 10**6), st.floats(1e-3, 1e9), *[st.floats(1e-3, 1e4)] * 3)
def test_every_quantity_is_finite_where_it_exists(x, zbar, p, q, gamma):
    assert np.isfinite(law.spend_quantile(0.5, x, zbar, p, q, gamma))
    assert 0.0 <= law.capped_spend(1e4, x, zbar, p, q, gamma) <= 1e4
    if x > 0:
        assert np.isfinite(law.log_likelihood(x, zbar, p, q, gamma))
    mean = float(law.expected_spend(x, zbar, p, q, gamma))
    assert mean > 0
    assert np.isfinite(mean) == (p * x + q > 1)


def test_on_the_border_of_its_moments_a_mean_is_infinite_and_nothing_is_divided_by_zero():
    # p x + q: 0.5, 1, 1.5 for the mean, 1.5, 2, 2.5 for the variance; binary fractions are exact
    mean = law.expected_spend([0, 1, 2], [0.0, 8.0, 8.0], 0.5, 0.5, 4.0)
    assert mean.tolist() == [np.inf, np.inf, 0.5 * (4 + 16) / 0.5]
    spread = law.variance_of_mean([2, 3, 4], [8.0, 8.0, 8.0], 0.5, 0.5, 4.0)
    assert spread.tolist() == [np.inf, np.inf, (0.5 * (4 + 32) / 1.5) ** 2 / 0.5]


def test_a_mean_spend_beyond_the_largest_number_is_the_largest_number(rng):
    # nu ~ Gamma(k = 1/64, 1): P(nu <= y) = y^k / Gamma(k + 1) for small y, so the median is
    # (Gamma(k + 1) / 2)^64, and the quantile of 2^-53 is below every double
    with mpmath.workdps(40):
        median = (mpmath.gamma(mpmath.mpf(65) / 64) / 2) ** 64
    largest = np.finfo(float).max
    for p in (1 / 16, 20.0):
        found = law.spend_quantile([0.5, 1 - 2**-53], 0, 0.0, p, 1 / 64, 1.0)
        assert found[0] == pytest.approx(float(p / median), rel=1e-9)
        assert found[1] == largest
    drawn = law.simulate(np.zeros(4000), 0.0, 20.0, 1e-3, 1e3, rng)
    # the chance of a draw beyond it: (20 * 1000 / largest)^k / Gamma(k + 1)
    beyond = float((mpmath.mpf(2e4) / largest) ** mpmath.mpf("0.001") / mpmath.gamma("1.001"))
    assert (drawn == largest).mean() == pytest.approx(beyond, abs=0.04)


@pytest.mark.parametrize("case", [(1, 5.0, 0.3, 0.4, 2.0), (7, 31.0, 6.25, 3.74, 15.44)])
def test_the_density_of_mean_spend_integrates_to_one(case):
    from scipy.integrate import quad

    x, _, p, q, gamma = case
    total = quad(
        lambda u: float(np.exp(law.log_likelihood(x, np.exp(u), p, q, gamma) + u)),
        -80,
        80,
        limit=500,
    )[0]
    assert total == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize(
    "case",
    [
        (1, 1e-3, 1e-3, 1e-3, 1e-3),
        (10**6, 1e4, 1e4, 1e4, 1e4),
        (10**6, 1e-3, 1e-3, 1e4, 1e-3),
        (3, 25.0, 6.25, 3.74, 15.44),
        (50, 1e5, 1e3, 1e-3, 1e4),
        (2, 1e-3, 1e4, 1e-2, 1e4),
    ],
)
def test_log_likelihood_agrees_with_arbitrary_precision(case):
    import mpmath as mp

    with mp.workdps(60):
        m = [mp.mpf(float(v)) for v in case]
        s = m[0] * m[1]
        exact = (
            mp.loggamma(m[2] * m[0] + m[3])
            - mp.loggamma(m[2] * m[0])
            - mp.loggamma(m[3])
            + m[3] * mp.log(m[4])
            + (m[2] * m[0] - 1) * mp.log(m[1])
            + m[2] * m[0] * mp.log(m[0])
            - (m[2] * m[0] + m[3]) * mp.log(m[4] + s)
        )
    assert float(law.log_likelihood(*case)) == pytest.approx(float(exact), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "case",
    [
        (0, 0.0, 2.0, 0.8, 15.0, 300.0),
        (1, 40.0, 2.0, 0.8, 15.0, 300.0),
        (0, 0.0, 2.0, 1.0, 15.0, 50.0),
        (5, 9.0, 0.5, 3.0, 2.0, 8.0),
    ],
)
def test_capped_spend_agrees_with_quadrature(case):
    import mpmath as mp

    x, zbar, p, q, gamma, cap = case
    k, rate = q + p * x, gamma + x * zbar
    exact = mp.quad(
        lambda nu: (
            min(p / nu, cap) * mp.mpf(rate) ** k * nu ** (k - 1) * mp.exp(-rate * nu) / mp.gamma(k)
        ),
        [0, p / cap / 2, p / cap, 2 * p / cap, 1, 5, 20, 60],
    )
    assert float(law.capped_spend(cap, x, zbar, p, q, gamma)) == pytest.approx(float(exact), 1e-5)


def test_simulated_customers_recover_their_parameters(rng):
    truth = (6.25, 3.74, 15.44)
    found = GammaGamma().fit(simulate(rng, 60_000, *truth))
    errors = (np.log(found.params_) - np.log(truth)) / np.sqrt(np.diag(found.covariance()))
    assert np.all(np.abs(errors) < 4)


def test_posterior_draws_average_to_the_expected_spend(model, rng):
    X = pd.DataFrame({"frequency": [0, 3], "monetary_value": [np.nan, 80.0]})
    draws = model.sample(X, 40_000, random_state=rng)
    errors = (draws.mean(axis=0) - model.predict(X)) / (draws.std(axis=0) / 200.0)
    assert np.all(np.abs(errors) < 5)


def test_the_money_unit_changes_gamma_only(model, repeaters):
    cents = repeaters.assign(monetary_value=repeaters["monetary_value"] * 1e4)
    scaled = GammaGamma().fit(cents)
    np.testing.assert_allclose(scaled.params_[:2], model.params_[:2], rtol=1e-7)
    assert scaled.params_.gamma == pytest.approx(1e4 * model.params_.gamma, rel=1e-7)
    np.testing.assert_allclose(scaled.predict(cents), 1e4 * model.predict(repeaters), rtol=1e-7)


def test_weights_count_as_repetition_and_order_does_not_matter(rng):
    X = simulate(rng, 400, 2.0, 2.5, 30.0)
    w = rng.integers(0, 4, 400)
    weighted = GammaGamma().fit(X, sample_weight=w)
    repeated = GammaGamma().fit(np.repeat(X, w, axis=0)[::-1])
    np.testing.assert_allclose(weighted.params_, repeated.params_, rtol=1e-7)
    np.testing.assert_allclose(weighted.standard_errors(), repeated.standard_errors(), rtol=1e-5)


def test_one_row_alone_equals_the_same_row_in_a_batch(model, repeaters):
    whole = model.predict(repeaters)
    for i in (0, 5, 100):
        assert model.predict(repeaters.iloc[[i]])[0] == whole[i]


def test_an_infinite_mean_is_an_error_with_options_and_never_negative_money(rng):
    x = rng.geometric(0.4, 800).astype(float)
    X = np.column_stack([x, np.exp(rng.normal(3, 2.2, 800))])
    X[:100] = (0, np.nan)
    heavy = GammaGamma().fit(X)
    assert heavy.params_.q < 1
    assert "infinite" in heavy.fit_report().notes[-1]
    with pytest.raises(UndefinedMeanError, match=r"100 of 800 customers.*median.*capped"):
        heavy.predict(X)
    median = GammaGamma.from_params(**heavy.params_._asdict(), statistic="median")
    capped = GammaGamma.from_params(**heavy.params_._asdict(), statistic="capped", cap=5_000.0)
    for other in (median, capped):
        assert np.all(other.predict(X) > 0)
        assert np.isfinite(other.predict(X)).all()
        assert other.new_customer() > 0
    with pytest.raises(ValueError, match="needs cap="):
        GammaGamma.from_params(**heavy.params_._asdict(), statistic="capped").predict(X)


def test_equal_customers_are_a_named_boundary(rng):
    x = rng.integers(1, 9, 3000).astype(float)
    X = np.column_stack([x, rng.gamma(4.0 * x) / x])
    with pytest.warns(BoundaryFitWarning, match="Customers do not differ"):
        found = GammaGamma().fit(X)
    assert found.fit_report().status == "boundary"
    assert found.fit_report().undefined == ("q", "gamma")
    np.testing.assert_allclose(found.predict(X), 4.0, rtol=0.05)
    assert np.isfinite(found.standard_errors()["p"])


def test_constant_spend_is_a_named_boundary_and_predicts_itself(rng):
    X = np.column_stack([rng.integers(1, 9, 300).astype(float), np.full(300, 9.99)])
    with pytest.warns(BoundaryFitWarning, match="do not differ from one another"):
        found = GammaGamma().fit(X)
    np.testing.assert_allclose(found.predict(X), 9.99, rtol=1e-3)
    assert found.new_customer() == pytest.approx(9.99, rel=1e-3)


def test_totals_instead_of_means_are_noticed(repeaters):
    totals = repeaters.assign(monetary_value=repeaters["monetary_value"] * repeaters["frequency"])
    with pytest.warns(IndependenceWarning, match="looks like a total"):
        GammaGamma().fit(totals)


def test_independence_is_told_in_money(model, repeaters, reference):
    found = model.check_independence(repeaters)
    entry = reference("spend")["data.cdnow.corr_mx_x"]
    assert found.correlation == pytest.approx(entry["value"], abs=1e-3)
    assert found.lower < found.correlation < found.upper
    table = found.by_frequency
    assert table["customers"].sum() == 946
    assert table["orders"].sum() == repeaters["frequency"].sum()
    total = (repeaters["frequency"] * repeaters["monetary_value"]).sum()
    assert (table["actual_spend"] * table["orders"]).sum() == pytest.approx(total)
    assert "correlation" in str(found)


def test_scoring_the_training_rows_is_said(model, repeaters):
    with pytest.warns(InSampleWarning, match="flatters"):
        model.score(repeaters)
    half = repeaters.iloc[::2]
    assert model.score(half) == pytest.approx(
        model.score_samples(half)[half["frequency"] > 0].mean()
    )


def test_a_model_survives_json_pickle_and_clone(model, repeaters):
    again = GammaGamma.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.params_ == model.params_
    assert str(again.fit_report()) == str(model.fit_report())
    np.testing.assert_array_equal(again.standard_errors(), model.standard_errors())
    np.testing.assert_array_equal(again.predict(repeaters), model.predict(repeaters))
    assert pickle.loads(pickle.dumps(model)).params_ == model.params_
    assert clone(model).get_params() == model.get_params()
    assert len(json.dumps(model.to_dict())) < 10_000
    with pytest.raises(ValueError, match="holds 'BGNBD', not GammaGamma"):
        GammaGamma.from_dict({"model": "BGNBD", "schema": 1})


def test_a_model_read_back_keeps_its_settings_and_knows_its_training_rows(model, repeaters):
    capped = GammaGamma.from_params(**model.params_._asdict(), statistic="capped", cap=50.0)
    again = GammaGamma.from_dict(capped.to_dict())
    assert (again.statistic, again.cap) == ("capped", 50.0)
    assert again.fit_report().status == "given"
    assert again.standard_errors().isna().all()
    assert (again.confidence_interval(repeaters)["note"] == "given, not estimated").all()
    with pytest.raises(ValueError, match="made from parameters"):
        again.parameter_draws(3)
    with pytest.warns(InSampleWarning, match="flatters"):
        GammaGamma.from_dict(model.to_dict()).score(repeaters)


def test_all_that_is_wrong_with_a_table_is_said_at_once():
    X = pd.DataFrame({"frequency": [1.5, 2, 3, 1], "monetary_value": [3.0, np.nan, -1.0, 2.0]})
    with pytest.raises(DataContractError) as caught:
        GammaGamma().fit(X)
    assert [p.code for p in caught.value.problems] == [
        "frequency-not-a-count",
        "missing-spend",
        "negative-spend",
    ]
    with pytest.raises(DataContractError, match="too-few-repeaters"):
        GammaGamma().fit([[0, np.nan], [1, 3.0]])


SCENARIOS = (
    "constant",
    "nearly_constant",
    "heavy_tail",
    "many_orders",
    "tiny",
    "whale",
    "large_money",
    "cents",
    "cents_min",
    "one_order_each",
    "plain",
)


def scenario(name, seed):
    rng = np.random.default_rng([seed, SCENARIOS.index(name)])
    n = 20 if name == "tiny" else 400
    X = simulate(rng, n, 6.25, 3.74, 15.44)
    if name == "constant":
        X[:, 1] = 20.0
    elif name == "nearly_constant":
        X[:, 1] = 20.0 * np.exp(rng.normal(0, 1e-6, n))
    elif name == "heavy_tail":
        X[:, 1] = np.exp(rng.normal(3, 2.2, n))
    elif name == "many_orders":
        X = simulate(rng, n, 6.25, 3.74, 15.44)
        X[:, 0] += 400
    elif name == "whale":
        X[0] = (300, 1e7)
    elif name == "large_money":
        X[:, 1] *= 1e6
    elif name == "cents":
        X[:, 1] = np.maximum(np.round(X[:, 1] / 100, 2), 0.01)
    elif name == "cents_min":
        X[rng.random(n) < 0.5, 1] = 0.01
    elif name == "one_order_each":
        X = simulate(rng, n, 6.25, 3.74, 15.44, orders=1.0)
    return X


@pytest.mark.parametrize("name", SCENARIOS)
def test_data_on_which_others_fail_end_with_an_answer(name):
    for seed in range(6):
        X = scenario(name, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoundaryFitWarning)
            warnings.simplefilter("ignore", IndependenceWarning)
            found = GammaGamma(statistic="median").fit(X)
        assert found.fit_report().status in ("interior", "boundary")
        assert np.isfinite(found.params_).all()
        assert np.isfinite(found.fit_report().log_likelihood)
        out = found.predict(np.vstack([X, [[0, np.nan], [1000, 5.0]]]))
        assert np.isfinite(out).all()
        assert (out > 0).all()
        report = found.fit_report()
        known = [n for n in found.params_._fields if n not in report.undefined]
        assert np.isfinite(found.standard_errors()[known]).all()


@pytest.mark.parametrize(("n", "told"), [(29, False), (30, True)])
def test_thirty_customers_are_enough_to_tell_totals_from_means(n, told, rng):
    X = simulate(rng, n, 6.0, 4.0, 15.0, orders=0.2)
    X[:, 1] *= X[:, 0]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        GammaGamma().fit(X)
    assert any("looks like a total" in str(w.message) for w in seen) == told


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_the_interval_of_a_correlation_of_few_is_fishers(n):
    X = np.array([[1.0, 20], [2, 35], [4, 22], [7, 41], [3, 28], [5, 37]])[:n]
    found = GammaGamma.from_params(p=6.0, q=4.0, gamma=15.0).check_independence(X, level=0.95)
    rho = float(np.corrcoef(X.T)[0, 1])
    assert found.correlation == pytest.approx(rho)
    if n == 3:  # Fisher's variance 1 / (n - 3) does not exist
        assert (found.lower, found.upper) == (-1.0, 1.0)
    else:
        ends = np.tanh(np.arctanh(rho) + np.array([-1, 1]) * 1.959963984540054 / np.sqrt(n - 3))
        assert (found.lower, found.upper) == pytest.approx(tuple(ends))
