"""Fits end with an answer and forecasts are numbers, on inputs that break other packages."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custvalue as cv
from custvalue.exceptions import BoundaryFitWarning, CustvalueWarning
from custvalue.purchase import BGNBD, MBGNBD, NBD, ParetoNBD

KINDS = [NBD, BGNBD, MBGNBD, ParetoNBD]
CDNOW = {
    BGNBD: (0.243, 4.414, 0.793, 2.426),
    MBGNBD: (0.525, 6.183, 0.891, 1.614),
    ParetoNBD: (0.553, 10.578, 0.606, 11.669),
    NBD: (0.385, 12.072),
}


def model_of(kind, params):
    return kind.from_params(**dict(zip(kind.law.params._fields, params, strict=True)))


def table(x, t_x, T):
    x, t_x, T = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x, t_x, T)))
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": T})


def assert_sound(model, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CustvalueWarning)
        for t in (0.5, 3000.0):
            orders = model.predict(X, horizon=t)
            assert np.isfinite(orders).all()
            assert (orders >= 0).all()
            chances = [model.predict_proba_any(X, horizon=t), model.predict_alive(X, at=t)]
            chances += [model.predict_alive(X), model.predict_pmf(X, horizon=t, n_max=2)]
            for chance in chances:
                assert ((chance >= 0) & (chance <= 1)).all()
        assert np.isfinite(model.score_samples(X)).all()


def fit_quietly(kind, X, **kw):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CustvalueWarning)
        return kind().fit(X, **kw)


@pytest.fixture(scope="module")
def weeks(cdnow_sample):
    return cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount",
        as_of="1997-09-30", unit="W", zero_amounts="keep",
    )[["frequency", "recency", "T"]]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_100_small_samples_end_without_a_failure(kind, weeks, rng):
    status = []
    for size in np.resize([100, 200, 300, 600, 1000], 100):
        sample = weeks.iloc[rng.choice(len(weeks), size, replace=False)]
        model = fit_quietly(kind, sample.to_numpy())
        report = model.fit_report()
        status.append(report.status)
        assert np.isfinite(report.log_likelihood)
        assert np.isfinite(model.new_customer(52))
        if report.status == "interior":
            assert report.gradient_norm < 1e-6
            assert np.isfinite(model.standard_errors()).all()
    assert status.count("interior") > 66


def scenario(name, rng):
    n = 400
    T = rng.uniform(20, 40, n)
    x = rng.poisson(rng.gamma(0.6, 2.0, n)).astype(float)
    t_x = np.where(x > 0, T * rng.beta(np.maximum(x, 1), 1), 0.0)
    if name == "everybody left at once":
        x, t_x = np.where(x > 0, 1.0, 0.0), np.where(x > 0, 0.01, 0.0)
    elif name == "identical customers":
        x, t_x, T = np.full(n, 3.0), np.full(n, 20.0), np.full(n, 30.0)
    elif name == "twenty customers":
        x, t_x, T = x[:20], t_x[:20], T[:20]
    elif name == "everybody bought today":
        t_x = np.where(x > 0, T, 0.0)
    elif name == "nobody bought again":
        x, t_x = np.zeros(n), np.zeros(n)
    elif name == "heavy buyers":
        x = x * 500
    elif name == "one enormous buyer":
        x[0], t_x[0] = 5000.0, 0.99 * T[0]
    elif name == "one customer":
        x, t_x, T = x[:1], t_x[:1], T[:1]
    elif name == "milliseconds":
        t_x, T = t_x * 6e8, T * 6e8
    elif name == "centuries":
        t_x, T = t_x / 5200, T / 5200
    elif name == "first orders today":
        T = np.where(x > 0, T, 0.0)
    return table(x, t_x, T)


SCENARIOS = [
    "a plain base", "everybody left at once", "identical customers", "twenty customers",
    "everybody bought today", "nobody bought again", "heavy buyers", "one enormous buyer",
    "one customer", "milliseconds", "centuries", "first orders today",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_fitted_and_forecast(kind, name, rng):
    X = scenario(name, rng)
    model = fit_quietly(kind, X)
    assert model.fit_report().status in {"interior", "boundary"}
    adversarial = table(
        [0, 1, 500, 1000, 5000, 30, 200],
        np.array([0, 0.5, 0.99, 1, 0.9999, 0.01, 0.3]) * X["T"].max(),
        X["T"].max(),
    )
    assert_sound(model, pd.concat([adversarial, X.iloc[:40]]))


@pytest.mark.parametrize("kind", KINDS)
@given(
    logs=st.lists(st.floats(-3, 4), min_size=4, max_size=4),
    x=st.integers(0, 10**6),
    share=st.floats(1e-6, 1),
    log_T=st.floats(-3, 5),
)
def test_every_legal_input_gives_a_legal_answer(kind, logs, x, share, log_T):
    params = 10.0 ** np.array(logs[: len(kind.law.params._fields)])
    T = 10.0**log_T
    assert_sound(model_of(kind, params), table([x], [share * T if x else 0.0], [T]))


def test_pareto_keeps_customers_alive_who_bought_on_the_last_day():
    model = model_of(ParetoNBD, CDNOW[ParetoNBD])
    X = table([180, 300, 1000], 39.0, 39.0)
    np.testing.assert_allclose(model.predict_alive(X), 1.0, atol=1e-12)
    assert model.predict(X, 26)[2] == pytest.approx(460.03, abs=0.5)
    daily = model_of(ParetoNBD, model.law.rescaled(model.params_, 7.0))
    assert daily.predict_alive(table([300], 273.0, 273.0))[0] == pytest.approx(1.0)


def test_pareto_is_finite_at_s_of_one_and_at_lifetimes_own_degenerate_fit():
    assert_sound(model_of(ParetoNBD, (0.5, 10, 1.0, 11)), table([0, 3], [0, 9], 30.0))
    assert_sound(model_of(ParetoNBD, (170.55, 2126.11, 0.2095, 0.0483)), table([0], 0.0, 37.0))


def test_mbgnbd_is_finite_for_the_heaviest_buyers():
    assert_sound(model_of(MBGNBD, CDNOW[MBGNBD]), table([1580, 10**5], 26.0, 39.0))


def test_one_time_buyers_of_the_bgnbd_have_the_poisson_chance_of_an_order():
    # a well-known package leaves a drop-out term in at x = 0 and reports 0.910
    r, alpha, _, _ = CDNOW[BGNBD]
    model = model_of(BGNBD, CDNOW[BGNBD])
    none = 1 - model.predict_proba_any([[0, 0, 38.0]], horizon=52)[0]
    assert none == pytest.approx(((alpha + 38) / (alpha + 38 + 52)) ** r, rel=1e-12)
    assert none == pytest.approx(0.823, abs=5e-4)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        # one-time buyers who left at once and others who never leave: likelier than nobody leaving
        (MBGNBD, "everybody bought today", "every customer's is 0 or 1"),
        (ParetoNBD, "everybody bought today", "nobody leaves"),
        (NBD, "identical customers", "no spread in order rates"),
        (BGNBD, "nobody bought again", "nobody orders again"),
    ],
)
def test_a_boundary_is_named_and_its_standard_errors_are_undefined(kind, name, words, rng):
    X = scenario(name, rng)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = kind().fit(X)
    text = next(str(w.message) for w in caught if w.category is BoundaryFitWarning)
    assert words in text
    assert f"{len(X):,} customers" in text
    report = model.fit_report()
    assert report.status == "boundary"
    errors = model.standard_errors().to_dict()
    assert report.undefined
    assert all(np.isnan(errors[k]) for k in report.undefined)
    assert all(np.isfinite(v) for k, v in errors.items() if k not in report.undefined)
    intervals = model.confidence_interval(X)
    open_ended = (intervals["lower"] == 0) | np.isinf(intervals["upper"])
    assert open_ended.any()
    assert (intervals.loc[open_ended, "note"] == f"no end: {'; '.join(report.boundary)}").all()


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
def test_no_spread_in_drop_out_is_a_boundary_and_not_a_failure(kind):
    # one chance to leave for all customers: a and b run off together
    rng = np.random.default_rng(4)
    X = kind.from_params(r=1.0, alpha=4.0, a=2e6, b=8e6).sample_histories(
        300, 30.0, random_state=rng
    )
    found = []
    for _ in range(12):
        model = fit_quietly(kind, X.sample(frac=1, replace=True, random_state=rng))
        found.append(model.fit_report().boundary)
        if found[-1]:
            a, b = model.params_[2:]
            assert a / (a + b) == pytest.approx(0.2, abs=0.08)
    assert any("no spread in drop-out" in " ".join(f) for f in found)
