"""Laws of how long contracts last: published digits, identities, other libraries, recovery."""

from __future__ import annotations

import json
from functools import partial

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from custvalue.contracts import BetaDiscreteWeibull, ExponentialGamma, WeibullGamma
from custvalue.contracts import _beta_discrete_weibull as bdw
from custvalue.contracts import _exponential_gamma as eg
from custvalue.contracts import _weibull_gamma as wg
from custvalue.exceptions import DataContractError, DataWarning, NotSupportedError
from custvalue.likelihood import LawModel
from custvalue.purchase import ShiftedBetaGeometric

TRUTH = [
    BetaDiscreteWeibull.from_params(alpha=0.6, beta=2.5, c=1.4, unit="M"),
    ExponentialGamma.from_params(r=1.2, alpha=9.0, unit="M"),
    WeibullGamma.from_params(r=0.9, alpha=9.0, c=1.5, unit="M"),
]
each_law = pytest.mark.parametrize("truth", TRUTH, ids=lambda m: type(m).__name__)


@pytest.mark.parametrize("per", [1, 10])
def test_the_published_fit_and_projection_come_out(reference, per):
    published = reference("discrete")
    data = np.array(published["bdw.highend.params"]["inputs"])
    model = BetaDiscreteWeibull().fit_cohorts(per * data)
    for name, found in (
        ("params", model.params_),
        ("LL", model.fit_report().log_likelihood / per),
        ("projection", 100 * model.survival_curve(10)[1:]),
    ):
        entry = published[f"bdw.highend.{name}"]
        np.testing.assert_allclose(found, entry["value"], atol=entry["tolerance"])


@pytest.mark.parametrize("case", ["case1", "case2"])
def test_the_published_residual_lifetimes_come_out(reference, case):
    entry = reference("discrete")[f"sbg.derl.{case}"]
    a, b = entry["inputs"]["alpha"], entry["inputs"]["beta"]
    n = np.arange(1.0, 6.0)
    X = np.column_stack([n - 1.0] * 3)
    model = ShiftedBetaGeometric.from_params(alpha=a, beta=b, unit="Y")
    found = model.derl(X, annual_discount_rate=0.1)
    np.testing.assert_allclose(found, entry["value"], atol=entry["tolerance"])
    keep, d = (b + n - 1) / (a + b + n - 1), 0.1
    exact = keep * special.hyp2f1(1, b + n, a + b + n, 1 / (1 + d))  # (6)
    np.testing.assert_allclose(found, exact, rtol=1e-9)
    elastic = special.hyp2f1(1, b + n - 1, a + b + n - 1, 1 / (1 + d))  # (8)
    np.testing.assert_allclose(model.retention_elasticity(X, 0.1), elastic, rtol=1e-9)
    assert model.retention_elasticity([[1, 1, 3]], 0.1)[0] == 0.0
    # a change from age 0 on that ignores how customers differ is smaller
    alike = (1 + d) / (d + a / (a + b))
    assert elastic[0] > alike


def test_elasticity_is_the_mean_of_the_customers_own():
    model = ShiftedBetaGeometric.from_params(alpha=2.0, beta=9.0, unit="Y")
    theta = np.random.default_rng(0).beta(2.0, 9.0 + 3.0, 400_000)
    each = 1.1 / (0.1 + theta)
    found = model.retention_elasticity([[3, 3, 3]], 0.1)[0]
    assert found == pytest.approx(each.mean(), abs=5 * each.std() / 400_000**0.5)


def test_without_a_change_with_age_it_is_the_shifted_beta_geometric():
    one = BetaDiscreteWeibull.from_params(alpha=0.7, beta=1.2, c=1.0, unit="Y")
    two = ShiftedBetaGeometric.from_params(alpha=0.7, beta=1.2, unit="Y")
    X = pd.DataFrame({"frequency": [0, 3, 2, 9], "recency": [0, 3, 2, 9], "T": [4, 3, 3, 9]})
    for ask in (
        lambda m: m.score(X),
        lambda m: m.predict(X, "5Y"),
        lambda m: m.predict_alive(X, at="7Y"),
        lambda m: m.derl(X, 0.08),
        lambda m: m.survival_curve("20Y"),
        lambda m: m.retention_rate([1, 2, 9]),
    ):
        np.testing.assert_allclose(ask(one), ask(two), rtol=1e-9)


def test_age_tells_more_than_spread_where_there_is_much_to_see():
    """Regular customers (Fader & Hardie 2007): the wider law fits no worse, and projects well."""
    seen = [1000, 631, 468, 382, 326, 289, 262, 241]
    wide, plain = BetaDiscreteWeibull().fit_cohorts(seen), ShiftedBetaGeometric().fit_cohorts(seen)
    gain = wide.fit_report().log_likelihood - plain.fit_report().log_likelihood
    assert gain > 0
    assert 1000 * wide.survival_curve(12)[12] == pytest.approx(173, abs=8)


@pytest.mark.parametrize(
    "case",
    [(0.3, 1.7, 1.6, 40.0), (1e3, 1e5, 0.5, 12.0), (1e-3, 1e-3, 2.0, 5.0), (5.0, 0.2, 1.0, 1e5)],
)
def test_survival_agrees_with_arbitrary_precision(case):
    a, b, c, t = case
    with mp.workdps(60):
        A, B, C, T = (mp.mpf(v) for v in case)
        here = mp.beta(A, B + T**C) / mp.beta(A, B)
        next_ = mp.beta(A, B + (T + 1) ** C) / mp.beta(A, B)
        stays, leaves = float(mp.log(here)), float(mp.log(here - next_))
    assert float(bdw.log_survival(a, b, c, t)) == pytest.approx(stays, rel=1e-9, abs=1e-13)
    assert float(bdw.log_likelihood(a, b, c, t, True)) == pytest.approx(leaves, rel=1e-9)


def test_continuous_laws_are_those_of_scipy():
    t = np.array([1e-6, 0.5, 3.0, 80.0, 1e6])
    np.testing.assert_allclose(
        eg.log_likelihood(1.3, 7.0, t, True), stats.lomax.logpdf(t, 1.3, scale=7.0), rtol=1e-11
    )
    np.testing.assert_allclose(
        eg.log_survival(1.3, 7.0, t), stats.lomax.logsf(t, 1.3, scale=7.0), rtol=1e-11
    )
    np.testing.assert_allclose(
        wg.log_likelihood(1.3, 7.0, 1.6, t, True),
        stats.burr12.logpdf(t, 1.6, 1.3, scale=7.0),
        rtol=1e-11,
    )
    np.testing.assert_allclose(
        wg.log_likelihood(1.3, 7.0, 1.0, t, False), eg.log_survival(1.3, 7.0, t), rtol=1e-12
    )


def test_the_summit_is_that_of_scipy_with_the_same_censoring():
    X = TRUTH[1].sample_contracts(1500, T=20.0, random_state=4)
    model = ExponentialGamma(unit="M").fit(X)
    ended = X["ended"] == 1
    data = stats.CensoredData(uncensored=X["duration"][ended], right=X["duration"][~ended])
    r, _, alpha = stats.lomax.fit(data, floc=0)
    np.testing.assert_allclose(model.params_, [r, alpha], rtol=2e-3)
    theirs = np.where(ended, stats.lomax.logpdf(X["duration"], r, scale=alpha),
                      stats.lomax.logsf(X["duration"], r, scale=alpha)).sum()  # fmt: skip
    assert model.fit_report().log_likelihood >= theirs - 1e-6


@each_law
def test_parameters_are_recovered(truth):
    X = truth.sample_contracts(6000, T=30.0, random_state=11)
    model = type(truth)(unit="M").fit(X)
    z = (np.log(model.params_) - np.log(truth.params_)) / np.sqrt(np.diag(model.covariance()))
    assert (np.abs(z) < 3.5).all()
    curve, seen = truth.survival_curve("30M"), X.iloc[:, 0]
    at = np.linspace(0.0, 30.0, len(curve))
    share = np.array([(seen >= t).mean() for t in at])
    np.testing.assert_allclose(share, curve, atol=0.025)


@each_law
def test_forecasts_follow_from_the_survival_function(truth):
    name = truth.columns[0]
    X = pd.DataFrame({name: [0.0, 4.0, 12.0, 3.0], truth.columns[1]: [0.0, 4.0, 12.0, 7.0]})
    if name == "duration":
        X["ended"] = [0.0, 0.0, 0.0, 1.0]

    def stays(age, t):
        log_survival = truth.law.log_survival
        return np.exp(log_survival(*truth.params_, age + t) - log_survival(*truth.params_, age))

    ages = X[name].to_numpy()[:3]
    expected, discounted, d = [], [], 1.1 ** (1 / 12) - 1
    for age in ages:
        if truth.law.discrete:
            k = np.arange(1.0, 6000.0)
            expected.append(stays(age, k[:9]).sum())
            discounted.append((stays(age, k) * (1 + d) ** -(k - 1)).sum())
        else:
            pull = np.log1p(d)

            def there(t, age=age, pull=0.0):
                return float(stays(age, float(t)) * np.exp(-pull * float(t)))

            expected.append(float(mp.quad(there, [0, 1, 9])))
            points = [0, 1, 10, 100, 1000, 8000]
            discounted.append(float(mp.quad(partial(there, pull=pull), points)))
    np.testing.assert_allclose(truth.predict(X, "9M")[:3], expected, rtol=1e-7)
    np.testing.assert_allclose(truth.derl(X, 0.1)[:3], discounted, rtol=1e-6)
    np.testing.assert_allclose(truth.predict_alive(X, at="5M")[:3], stays(ages, 5.0), rtol=1e-12)
    assert truth.predict_alive(X).tolist() == [1.0, 1.0, 1.0, 0.0]
    assert truth.predict(X, "9M")[3] == 0.0
    assert truth.derl(X, 0.1)[3] == 0.0
    assert truth.retention_rate([4.0])[0] == pytest.approx(float(stays(3.0, 1.0)))


@each_law
def test_a_fit_answers_what_every_law_answers(truth):
    X = truth.sample_contracts(300, T=15.0, random_state=2)
    model = type(truth)(unit="M").fit(X)
    again = LawModel.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_array_equal(again.predict(X, "6M"), model.predict(X, "6M"))
    doubled = type(truth)(unit="M").fit(pd.concat([X, X]))
    weighted = type(truth)(unit="M").fit(X, sample_weight=np.full(300, 2.0))
    np.testing.assert_allclose(weighted.params_, doubled.params_, rtol=1e-6)
    assert len(model.bootstrap(X, 3, random_state=0)) == 3
    moved = model.with_params(**{model.law.names[0]: 1.0})
    assert moved.params_[0] == 1.0
    bad = X.copy()
    bad.iloc[1, 0] = -1.0
    with pytest.warns(DataWarning, match="1 of 300 rows"):
        flagged = model.predict_alive(bad, at="3M", on_invalid="flag")
    assert np.isnan(flagged[1])
    assert not np.isnan(np.delete(flagged, 1)).any()


def test_time_in_days_or_months_is_one_law():
    X = TRUTH[2].sample_contracts(2000, T=24.0, random_state=5)
    days = X.assign(duration=X["duration"] * 365.25 / 12)
    one, two = WeibullGamma(unit="M").fit(X), WeibullGamma(unit="D").fit(days)
    np.testing.assert_allclose(one.predict(X, "26W"), two.predict(days, "26W") * 12 / 365.25,
                               rtol=1e-5)  # fmt: skip
    ratio = np.array(two.params_) / np.array(one.params_)
    np.testing.assert_allclose(ratio, [1.0, 365.25 / 12, 1.0], rtol=1e-4)


def test_what_is_no_contract_is_refused_by_its_rows():
    with pytest.raises(DataContractError, match=r"above 'T' \(1 row, first: 1\)"):
        BetaDiscreteWeibull().fit(pd.DataFrame({"frequency": [0, 3], "T": [2, 2]}))
    with pytest.raises(DataContractError) as told:
        ExponentialGamma().fit(pd.DataFrame({"duration": [0.0, 1.0, 2.0], "ended": [1, 2, 0]}))
    assert [list(p.rows) for p in told.value.problems] == [[0], [1]]
    with pytest.raises(DataContractError, match="no contract has come to a renewal date"):
        BetaDiscreteWeibull().fit(pd.DataFrame({"frequency": [0, 0], "T": [0, 0]}))
    with pytest.raises(NotSupportedError, match="law that counts renewals"):
        WeibullGamma().fit_cohorts([10, 8, 7])
    with pytest.raises(ValueError, match="needs the unit of time"):
        ExponentialGamma.from_params(r=1.0, alpha=2.0).derl([[1.0, 0.0]], 0.1)


def test_survival_is_that_of_kaplan_and_meier():
    lifelines = pytest.importorskip("lifelines", reason="lifelines is no part of every machine")
    X = TRUTH[2].sample_contracts(3000, T=np.linspace(1.0, 40.0, 3000), random_state=8)
    model = WeibullGamma(unit="M").fit(X)
    at = np.linspace(0.0, 30.0, 101)
    theirs = lifelines.KaplanMeierFitter().fit(X["duration"], X["ended"])
    np.testing.assert_allclose(
        model.survival_curve("30M"), theirs.survival_function_at_times(at), atol=0.03
    )
