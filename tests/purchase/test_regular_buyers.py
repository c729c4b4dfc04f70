"""BG/CNBD-k and MBG/CNBD-k: gaps of Erlang shape k, given or chosen."""

from __future__ import annotations

import json

import mpmath
import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import BoundaryFitWarning, DataContractError
from custvalue.purchase import BGCNBD, BGNBD, MBGCNBD, MBGNBD, Prior, next_order_dates
from custvalue.purchase import _erlang as erlang

TRUTH = {"r": 2.0, "alpha": 2.0, "a": 0.8, "b": 6.0}
X = MBGCNBD.from_params(k=3, **TRUTH).sample_histories(1500, T=40.0, random_state=1)


@pytest.fixture(scope="module")
def auto():
    return MBGCNBD(k="auto").fit(X)


def test_the_shape_of_simulated_gaps_is_found_and_so_are_the_parameters(auto):
    assert auto.k_ == 3
    assert "k = 3 has the highest log-likelihood" in auto.fit_report().notes[-1]
    truth = np.log(list(TRUTH.values()))
    miss = (np.log(auto.params_) - truth) / (auto.standard_errors() / np.array(auto.params_))
    assert (miss.abs() < 4.0).all()
    given = MBGCNBD(k=3).fit(X)
    np.testing.assert_array_equal(given.params_, auto.params_)
    # among neighbours it is the highest, all of them fitted
    others = [MBGCNBD(k=k).fit(X).fit_report().log_likelihood for k in (2, 4)]
    assert auto.fit_report().log_likelihood > max(others)
    np.testing.assert_allclose(
        auto.score_samples(X).sum(), auto.fit_report().log_likelihood, rtol=1e-10
    )


@pytest.mark.parametrize(("regular", "random"), [(BGCNBD, BGNBD), (MBGCNBD, MBGNBD)])
def test_one_event_an_order_is_the_plain_law_to_nine_digits(regular, random):
    rows = random.from_params(r=0.5, alpha=6.0, a=0.9, b=1.6).sample_histories(
        800, T=30.0, random_state=2
    )
    one, plain = regular(k=1).fit(rows), random().fit(rows)
    np.testing.assert_allclose(one.params_, plain.params_, rtol=1e-9)
    np.testing.assert_allclose(one.covariance(), plain.covariance(), rtol=1e-6)
    assert one.fit_report().log_likelihood == pytest.approx(
        plain.fit_report().log_likelihood, rel=1e-12
    )
    some = rows[rows["frequency"] > 0]  # the BG/NBD warns of the others
    for method in ("predict", "predict_proba_any"):
        for horizon in (1, 26, 2000):
            np.testing.assert_allclose(
                getattr(one, method)(some, horizon=horizon),
                getattr(plain, method)(some, horizon=horizon),
                rtol=1e-9,
            )
    np.testing.assert_allclose(one.predict_alive(some, 9), plain.predict_alive(some, 9), rtol=1e-9)
    np.testing.assert_allclose(
        one.predict_pmf(some, 26, 9), plain.predict_pmf(some, 26, 9), rtol=1e-9
    )


def by_hand(k, r, alpha, a, b, x, t_x, T, chances, t):
    """P(alive), expected orders in (T, T + t] and P(none), integrating over the rate."""
    mpmath.mp.dps = 20
    silent, shape = mpmath.mpf(T - t_x), r + k * x

    def rate(lam):  # density of the order times as the rate says it, up to a constant
        return lam ** (shape - 1) * mpmath.exp(-lam * (alpha + t_x))

    def poisson(mean, most):
        return sum(mpmath.exp(-mean) * mean**i / mpmath.factorial(i) for i in range(most))

    def mean(value):
        # equal steps in the log of the rate: exact to some twenty digits
        nodes = [mpmath.exp(mpmath.mpf(i) / 5) for i in range(-65, 21)]
        return sum(lam * rate(lam) * value(lam) for lam in nodes)

    lives = mean(lambda lam: poisson(lam * silent, k))
    left = a / (b + chances - 1) * mean(lambda lam: 1) if chances else 0
    alive = lives / (lives + left)
    stay = b + chances

    def orders(lam):
        total, chance, most = 0, mpmath.exp(-lam * t), 60
        few, below = [0], mpmath.mpf(0)  # P(fewer than i events in t)
        for i in range(most):
            below += chance
            few.append(below)
            chance *= lam * t / (i + 1)
        for j in range(k):  # events in the silence
            past = mpmath.exp(-lam * silent) * (lam * silent) ** j / mpmath.factorial(j)
            for m in range(1, most // k):
                go_on = mpmath.rf(stay, m - 1) / mpmath.rf(a + stay, m - 1)
                total += past * go_on * (1 - few[k * m - j])
        return total

    expected = alive * mean(orders) / lives
    none = 1 - alive + alive * mean(lambda lam: poisson(lam * (silent + t), k)) / lives
    return float(alive), float(expected), float(none)


@pytest.mark.parametrize("kind", [BGCNBD, MBGCNBD])
@pytest.mark.parametrize(("k", "past"), [(2, (3, 20.0, 26.0)), (3, (0, 0.0, 8.0))])
def test_forecasts_are_those_of_the_integral_over_rates(kind, k, past):
    theta = {"r": 2.5, "alpha": 3.0, "a": 0.9, "b": 2.5}
    model = kind.from_params(k=k, **theta)
    chances = past[0] + (kind is MBGCNBD)
    alive, expected, none = by_hand(k, *theta.values(), *past, chances, 6)
    row = pd.DataFrame([past], columns=["frequency", "recency", "T"])
    assert float(model.law.prob_alive(*theta.values(), *map(np.array, past))) == pytest.approx(
        alive, rel=1e-9
    )
    assert model.predict(row, horizon=6)[0] == pytest.approx(expected, rel=1e-9)
    assert model.predict_proba_any(row, horizon=6)[0] == pytest.approx(1 - none, rel=1e-9)


@pytest.mark.parametrize("k", [1, 2, 3, 8])
def test_sums_and_integrals_of_expected_orders_agree(k):
    rng = np.random.default_rng(3)
    r, alpha, b = (
        0.3 + k * rng.integers(0, 30, 12),
        rng.uniform(5, 60, 12),
        rng.uniform(0.4, 40, 12),
    )
    silent, t = rng.uniform(0, 30, 12), np.geomspace(20, 600, 12)
    both = [
        method(k, r, alpha, np.full(12, 0.7), b, silent, t)
        for method in (erlang._summed, erlang._integrated)
    ]
    np.testing.assert_allclose(*both, rtol=1e-11)


def test_right_after_an_order_the_next_is_not_due_and_a_long_gap_says_more():
    regular, random = (MBGCNBD.from_params(k=k, r=4.0, alpha=1.0 * k, a=1.0, b=9.0) for k in (6, 1))
    now = pd.DataFrame({"frequency": [10.0], "recency": [40.0], "T": [40.0]})
    later = now.assign(T=55.0)
    assert regular.predict_proba_any(now, 1)[0] < 0.3 * random.predict_proba_any(now, 1)[0]
    assert regular.predict_alive(later)[0] < random.predict_alive(later)[0]


def test_compressed_rows_and_weights_choose_the_same(auto):
    rounded = X.assign(recency=X["recency"].round(1).where(X["frequency"] > 0, 0.0))
    rounded.loc[rounded["frequency"] == 1, "litt"] = np.log(
        rounded["recency"].where(rounded["frequency"] == 1, 1.0)
    )
    rounded = rounded[(rounded["frequency"] == 0) | (rounded["recency"] > 0)]
    most = rounded["frequency"] * np.log(
        (rounded["recency"] / rounded["frequency"]).where(rounded["frequency"] > 0, 1.0)
    )
    rounded["litt"] = np.minimum(rounded["litt"], most)
    whole = MBGCNBD(k="auto").fit(rounded)
    small = cv.compress(cv.compress(rounded))
    packed = MBGCNBD(k="auto").fit(small, sample_weight=small["weight"])
    assert packed.k_ == whole.k_ == 3
    np.testing.assert_allclose(packed.params_, whole.params_, rtol=1e-7)
    assert packed.fit_report().log_likelihood == pytest.approx(
        whole.fit_report().log_likelihood, rel=1e-10
    )


def test_without_logs_of_gaps_a_given_shape_is_fitted_and_an_unknown_one_refused(auto):
    bare = X[["frequency", "recency", "T"]]
    given = MBGCNBD(k=3).fit(bare)
    np.testing.assert_allclose(given.params_, auto.params_, rtol=1e-9)
    assert np.isnan(given.fit_report().log_likelihood)
    assert "'litt'" in given.fit_report().notes[-1]
    np.testing.assert_array_equal(given.predict(bare, 9), given.predict(X, 9))
    with pytest.raises(DataContractError, match=r"no column 'litt'"):
        MBGCNBD(k="auto").fit(bare)
    with pytest.raises(DataContractError, match="'litt'"):
        given.score(bare)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda t: t["litt"] + t["frequency"] * np.log(7.0),  # gaps in days, recency in weeks
        lambda t: t["litt"].where(t["frequency"] > 0, 1.0),
        lambda t: t["litt"].where(t["frequency"] != 1, -3.0),
    ],
)
def test_logs_that_cannot_be_those_of_the_gaps_are_refused(wrong):
    with pytest.raises(DataContractError, match="litt-of-no-gaps"):
        MBGCNBD(k="auto").fit(X.assign(litt=wrong(X)))


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "often", None, True, 25])
def test_a_shape_is_a_whole_number(wrong):
    with pytest.raises(ValueError, match="k="):
        BGCNBD(k=wrong).fit(X)
    with pytest.raises(ValueError, match="k"):
        BGCNBD.from_params(k=wrong, **TRUTH)


def test_what_was_chosen_travels(auto):
    copy = MBGCNBD.from_dict(json.loads(json.dumps(auto.to_dict())))
    assert copy.k_ == copy.k == 3
    np.testing.assert_array_equal(copy.predict(X, 5), auto.predict(X, 5))
    moved = auto.with_params(a=1.5)
    assert moved.k_ == 3
    assert moved.params_ == auto.params_._replace(a=1.5)
    drawn = auto.bootstrap(X, n_draws=5, random_state=0)
    assert (drawn["r"] / drawn["alpha"]).between(0.6, 1.6).all()
    changed = auto.set_params(k=5)
    assert changed.k_ == 3  # until it is fitted again
    auto.set_params(k="auto")


def test_a_prior_speaks_of_orders_not_of_events():
    few = X.head(600)
    pulled = MBGCNBD(k=3, prior=Prior(1e7, order_rate=0.05)).fit(few)
    assert pulled.params_.r / pulled.params_.alpha / 3 == pytest.approx(0.05, rel=1e-3)


def test_nobody_came_back_says_nothing_of_the_shape():
    quiet = pd.DataFrame({"frequency": 0.0, "recency": 0.0, "T": np.arange(1.0, 60.0), "litt": 0.0})
    with pytest.warns(BoundaryFitWarning):
        assert MBGCNBD(k="auto").fit(quiet).k_ == 1


def test_cdnow_buys_at_random_so_that_the_published_law_is_found(cdnow_sample):
    week = cv.summarize(
        cdnow_sample,
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        unit="W",
        zero_amounts="keep",
    )
    model = MBGCNBD(k="auto").fit(week)
    assert model.k_ == 1
    # Platzer & Reutterer's package prints these for its MBG/CNBD-k on the same customers
    np.testing.assert_allclose(model.params_, [0.525, 6.183, 0.891, 1.614], atol=1e-3)


def test_the_date_of_the_next_order_is_a_quantile_among_those_who_order_again(cdnow_sample):
    week = cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1997-09-30",
        unit="W",
    ).head(40)  # fmt: skip
    model = MBGCNBD.from_params(k=2, r=0.9, alpha=4.0, a=0.9, b=1.6, unit="W")
    found = next_order_dates(model, week, level=0.6)
    for name, share in (("earliest", 0.2), ("next_order", 0.5), ("latest", 0.8)):
        days = (found[name] - pd.Timestamp("1997-09-30")).dt.days
        for i in (0, 7, 21):
            row, wanted = week.iloc[[i]], share * found["chance"].iloc[i]
            by, before = (model.predict_proba_any(row, f"{d}D")[0] for d in (days[i], days[i] - 1))
            assert before <= wanted <= by
    with pytest.raises(DataContractError, match="no-as-of"):
        next_order_dates(model, X.head(3))
