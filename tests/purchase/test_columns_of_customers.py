"""Columns of customers that move the parameters of purchase laws: laws, recovery, refusals."""

from __future__ import annotations

import json
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import custvalue as cv
from custvalue._kernels import kinds_of, rising_rows, rows_by_differences
from custvalue.exceptions import BoundaryFitWarning, DataContractError, DataWarning
from custvalue.purchase import (
    BGBB,
    BGNBD,
    MBGNBD,
    NBD,
    ParetoNBD,
    ShiftedBetaGeometric,
    alive_interval,
)
from custvalue.testing._columns import example_effects, people
from custvalue.testing._models import PURCHASE_MODELS
from custvalue.testing._purchase import example_params, histories

AGE = {"age": 0.02}
PLAN = {"plan": {"basic": 0.0, "pro": 0.5, "trial": -0.4}}


def simulated(kind, n, seed=1, effects=None, **params):
    effects = example_effects(kind) if effects is None else effects
    truth = kind.from_params(**{**example_params(kind.law), **params}, effects=effects)
    rng = np.random.default_rng(seed)
    T = rng.integers(4, 9, n) if kind.law.discrete else rng.integers(25, 60, n)
    X = truth.sample_histories(n, T.astype(float), customers=people(n), random_state=seed)
    return truth, X


# ---- what a customer's own parameters are -------------------------------------------------------


def test_columns_scale_what_the_papers_scale():
    # Fader & Hardie (2007): alpha_i = alpha exp(-x beta), beta_i = beta exp(-x gamma)
    told = {"purchase": {"age": 0.02}, "leave": {"member": {"False": 0.0, "True": 0.7}}}
    model = ParetoNBD.from_params(r=0.6, alpha=6.0, s=0.7, beta=12.0, effects=told)
    row = pd.DataFrame({"frequency": [2.0], "recency": [9.0], "T": [30.0], "age": [35.0],
                        "member": [True]})  # fmt: skip
    own = ParetoNBD.from_params(r=0.6, alpha=6.0 * np.exp(-0.7), s=0.7, beta=12.0 * np.exp(-0.7))
    assert model.predict(row, 20)[0] == pytest.approx(own.predict(row, 20)[0], rel=1e-12)
    assert model.predict_alive(row)[0] == pytest.approx(own.predict_alive(row)[0], rel=1e-12)
    odds = BGNBD.from_params(r=0.6, alpha=6.0, a=0.8, b=2.5, effects={"leave": {"age": 0.01}})
    own = BGNBD.from_params(r=0.6, alpha=6.0, a=0.8, b=2.5 * np.exp(-0.35))
    assert odds.predict_alive(row)[0] == pytest.approx(own.predict_alive(row)[0], rel=1e-12)


@pytest.mark.parametrize("which", ["usual", "edge", "small"])
@pytest.mark.parametrize("name", PURCHASE_MODELS)
def test_derivatives_by_row_are_those_of_the_density(name, which):
    law = PURCHASE_MODELS[name].law
    X = histories(PURCHASE_MODELS[name])
    columns = list(X[["frequency", "recency", "T"]].to_numpy().T.copy())
    rng, moved = np.random.default_rng(0), {p for one in law.processes.values() for p in one[0]}
    logs = [
        np.log(v) + (0.4 * rng.normal(size=len(X)) if k in moved else 0.0)
        for k, v in example_params(law, which).items()
    ]
    value, g, h = law.derivatives_of(logs, columns)
    wanted, slopes, bends = rows_by_differences(lambda *p: law.log_likelihood(*p, *columns), logs)
    np.testing.assert_allclose(value, wanted, rtol=1e-11, atol=1e-14)
    for one, other in zip(g, slopes, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
    for pair, other in bends.items():
        np.testing.assert_allclose(h.get(pair, 0.0 * other), other, rtol=1e-4, atol=3e-5)


def test_rising_factorials_of_rows_are_those_of_mpmath():
    mpmath = pytest.importorskip("mpmath")
    a, x = np.array([1e-6, 0.4, 3.0, 1e5, 0.7]), np.array([3.0, 40.0, 0.0, 17.0, 1.0])
    for at, order in enumerate(rising_rows(a, x)):
        for i, (one, count) in enumerate(zip(a.tolist(), x.tolist(), strict=True)):
            if at == 0:
                true = mpmath.loggamma(one + count) - mpmath.loggamma(one)
            else:
                true = mpmath.psi(at - 1, one + count) - mpmath.psi(at - 1, one)
            assert order[i] == pytest.approx(float(true), rel=1e-11, abs=1e-15)


# ---- fits ---------------------------------------------------------------------------------------


def test_the_summit_is_the_one_that_scipy_finds():
    from scipy.optimize import minimize

    _, X = simulated(BGNBD, 400)
    model = BGNBD(purchase_columns=["age"], leave_columns=["member"], ridge=0.0).fit(
        X.assign(member=people(400)["member"])
    )
    x, t_x, T = X[["frequency", "recency", "T"]].to_numpy().T
    age, member = X["age"].to_numpy(), people(400)["member"].to_numpy().astype(float)

    def lost(v):
        r, alpha, a, b = np.exp(v[:4])
        own = alpha * np.exp(-v[4] * age), b * np.exp(-v[5] * member)
        return -BGNBD.law.log_likelihood(r, own[0], a, own[1], x, t_x, T).sum()

    start = np.log(model.fitted_.values) + 0.05 * np.array([1, -1, 1, 1, 0.01, 1])
    found = minimize(lost, start, method="Nelder-Mead", options={"maxiter": 4000, "fatol": 1e-10})
    assert -model.fit_report().log_likelihood <= found.fun + 1e-6
    np.testing.assert_allclose(np.log(model.fitted_.values), found.x, rtol=1e-2, atol=2e-3)


def test_intervals_of_coefficients_hold_as_often_as_they_say():
    inside = 0
    for seed in range(60):
        _truth, X = simulated(NBD, 250, seed=seed, effects={"purchase": {"age": 0.02}})
        model = NBD(purchase_columns=["age"]).fit(X)
        error = model.standard_errors()["purchase:age"] / model.fitted_.values[-1]
        inside += abs(np.log(model.fitted_.values[-1]) - 0.02) < 1.96 * error
    assert 51 <= inside <= 60  # of 60; 57 on average, 51 or fewer once in two hundred


def test_units_of_a_number_do_not_matter():
    _, X = simulated(MBGNBD, 800)
    one = MBGNBD(purchase_columns=["age"], leave_columns=["age"]).fit(X)
    other = MBGNBD(purchase_columns=["age"], leave_columns=["age"]).fit(
        X.assign(age=(X["age"] - 30.0) / 1e4)
    )
    np.testing.assert_allclose(
        np.log(one.fitted_.values[4:]) * 1e4, np.log(other.fitted_.values[4:]), rtol=1e-6
    )
    moved = X.assign(age=(X["age"] - 30.0) / 1e4)
    np.testing.assert_allclose(one.predict(X, 10), other.predict(moved, 10), rtol=1e-7)


def test_one_coefficient_in_both_processes():
    told = {"purchase": {"age": 0.02, "plan": {"a": 0.0, "b": 0.4}}, "leave": {"age": 0.02}}
    truth = ParetoNBD.from_params(
        r=0.6, alpha=6.0, s=0.7, beta=12.0, effects=told, equal_columns=["age"]
    )
    assert truth.fitted_.effects.names == ("purchase=leave:age", "purchase:plan=b")
    C = people(1500).replace({"plan": {"basic": "a", "pro": "b", "trial": "b"}})
    X = truth.sample_histories(1500, 40.0, customers=C, random_state=2)
    how = {"purchase_columns": ["age", "plan"], "leave_columns": ["age"]}
    free, tied = ParetoNBD(**how).fit(X), ParetoNBD(**how, equal_columns=["age"]).fit(X)
    assert tied.fitted_.names[4:] == ("purchase=leave:age", "purchase:plan=b")
    assert tied.fit_report().n_parameters == free.fit_report().n_parameters - 1
    lost = free.fit_report().log_likelihood - tied.fit_report().log_likelihood
    assert 0.0 <= lost < 8.0
    same = ParetoNBD.from_dict(tied.to_dict())
    np.testing.assert_array_equal(same.predict(X, 10), tied.predict(X, 10))


def test_a_ridge_pulls_effects_to_nothing():
    _, X = simulated(NBD, 500)
    sizes = []
    for ridge in (0.0, 100.0, 1e7):
        model = NBD(purchase_columns=["age", "plan"], ridge=ridge).fit(X)
        effects = model.fitted_.effects
        sizes.append(np.linalg.norm(np.array(effects.values) * effects.spread))
    assert sizes[0] > sizes[1] > 100.0 * sizes[2]
    np.testing.assert_allclose(model.params_, NBD().fit(X).params_, rtol=1e-2)


def test_a_prior_speaks_of_the_average_customer():
    _, X = simulated(NBD, 300)
    prior = cv.purchase.Prior(customers=1e9, order_rate=0.5)
    model = NBD(prior=prior, purchase_columns=["age"]).fit(X)
    assert model.new_customer(1.0) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("name", ["BGNBD", "ParetoNBD", "BGBB"])
def test_weights_and_compressed_tables_say_the_same(name):
    kind = PURCHASE_MODELS[name]
    told = dict.fromkeys(kind.law.processes, PLAN)
    _, X = simulated(kind, 1200, effects=told)
    how = {f"{p}_columns": ["plan"] for p in told}
    small = cv.compress(X, by=["frequency", "recency", "T", "plan"])
    assert len(small) < len(X)
    whole = kind(**how).fit(X)
    rows = kind(**how).fit(small, sample_weight=small["weight"])
    np.testing.assert_allclose(rows.fitted_.values, whole.fitted_.values, rtol=1e-6)
    w = np.random.default_rng(0).integers(0, 3, len(X))
    weighted = kind(**how).fit(X, sample_weight=w)
    repeated = kind(**how).fit(X.loc[np.repeat(X.index, w)])
    np.testing.assert_allclose(weighted.fitted_.values, repeated.fitted_.values, rtol=1e-5)


def test_kinds_of_customers_are_those_of_pandas():
    rng = np.random.default_rng(0)
    Z = rng.integers(0, 3, (500, 4)).astype(float)
    wanted = {tuple(v) for v in pd.DataFrame(Z).groupby([0, 1, 2, 3]).indices.values() for v in [v]}
    assert {tuple(rows) for rows in kinds_of(Z)} == wanted
    assert kinds_of(rng.random((500, 1))) is None


def test_many_customers_are_searched_on_samples_first():
    _, X = simulated(NBD, 40_000, effects={"purchase": {"age": 0.02}})
    model = NBD(purchase_columns=["age"]).fit(X)
    assert model.fit_report().evaluations <= 3
    assert model.fit_report().gradient_norm < 1e-3
    assert np.log(model.fitted_.values[-1]) == pytest.approx(0.02, abs=0.003)


# ---- answers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted():
    _, X = simulated(ParetoNBD, 2500)
    return ParetoNBD(purchase_columns=["age", "plan"], leave_columns=["plan"]).fit(X), X


def test_one_row_is_answered_as_among_others(fitted):
    model, X = fitted
    batch = model.predict(X, horizon=10), model.predict_alive(X), model.score_samples(X)
    for i in (0, 7, 2499):
        row = X.iloc[[i]]
        alone = model.predict(row, horizon=10), model.predict_alive(row), model.score_samples(row)
        for one, many in zip(alone, batch, strict=True):
            assert one[0] == pytest.approx(many[i], rel=1e-10)
        score, told = model.scorer(10), X.loc[i, ["age", "plan"]].to_dict()
        history = X.loc[i, ["frequency", "recency", "T"]]
        assert score(*history, **told) == pytest.approx(batch[0][i], rel=1e-10)
        assert score.alive(*history, **told) == pytest.approx(batch[1][i], rel=1e-10)
    shuffled = pl.from_pandas(X.sample(frac=1.0, random_state=0).assign(more="x"))
    np.testing.assert_allclose(
        np.sort(model.predict(shuffled, horizon=10)), np.sort(batch[0]), rtol=1e-12
    )


def test_a_fitted_model_travels(fitted):
    model, X = fitted
    text = json.dumps(model.to_dict(), allow_nan=False)
    for copy in (ParetoNBD.from_dict(json.loads(text)), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy.predict(X, 10), model.predict(X, 10))
        pd.testing.assert_frame_equal(copy.covariance(), model.covariance())
    assert list(model.feature_names_in_) == ["frequency", "recency", "T", "age", "plan"]
    assert model.n_features_in_ == 5


def test_moved_factors_draws_and_bootstrap_go_by_name(fitted):
    model, X = fitted
    name = "purchase:plan=pro"
    moved = model.with_params(**{name: 2.0, "r": 0.5})
    assert moved.params_.r == 0.5
    assert dict(zip(moved.fitted_.names, moved.fitted_.values, strict=True))[name] == 2.0
    draws = model.bootstrap(X, n_draws=6, random_state=0)
    assert list(draws) == list(model.fitted_.names)
    assert ((draws / model.fitted_.values).std() > 0).all()
    many = model.parameter_draws(4000, random_state=0)
    np.testing.assert_allclose(
        np.log(many).std(axis=0), np.sqrt(np.diag(model.fitted_.spread)), rtol=0.1
    )
    table = alive_interval(model, X.head(40), draws)
    np.testing.assert_allclose(table["alive"], model.predict_alive(X.head(40)))
    assert (table["standard_error"] > 0).any()


def test_profile_intervals_hold_factors_too():
    _, X = simulated(NBD, 300, effects={"purchase": PLAN})
    model = NBD(purchase_columns=["plan"]).fit(X)
    table = model.confidence_interval(X)
    row = table.loc["purchase:plan=pro"]
    assert row["lower"] < row["estimate"] < row["upper"]
    # Wald's interval in logs is near, the likelihood of an effect being nearly a parabola
    error = model.standard_errors()["purchase:plan=pro"] / row["estimate"]
    assert np.log(row["upper"] / row["estimate"]) == pytest.approx(1.96 * error, rel=0.2)


def test_the_average_customer_is_the_new_one(fitted):
    model, _X = fitted
    effects = model.fitted_.effects
    C = pd.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [0.0], "plan": ["basic"],
                      "age": [effects.mean[0]]})  # fmt: skip
    low = model.predict(C, 10)[0], model.predict(C.assign(plan="pro"), 10)[0]
    assert min(low) < model.new_customer(10) < max(low)


# ---- refusals -----------------------------------------------------------------------------------


def refused(X, match, *, purchase=("age",), leave=(), kind=NBD, **more):
    how = {"purchase_columns": list(purchase), "leave_columns": list(leave) or None, **more}
    with pytest.raises(DataContractError, match=match):
        kind(**how).fit(X)


def test_columns_that_teach_nothing_are_refused_by_name():
    _, X = simulated(NBD, 400)
    refused(X.assign(age=3.0), "constant-column: column 'age'")
    refused(X.assign(twice=2.0 * X["age"]), "collinear-columns: column 'twice' is made up of 'age'",
            purchase=["age", "twice"])  # fmt: skip
    refused(X.assign(pro=X["plan"] == "pro"), "'pro=True' is made up of 'plan=pro'",
            purchase=["plan", "pro"])  # fmt: skip
    refused(X.assign(age=2.4e6 + X["age"]), "far-from-zero: .*Subtract 2.4")
    refused(X.assign(plan=[f"id {i}" for i in range(len(X))]), "too-many-categories: .*400",
            purchase=["plan"])  # fmt: skip
    refused(
        X, "missing-column: NBD's X has no column 'agee'.*Did you mean 'age'", purchase=["agee"]
    )
    with pytest.raises(DataContractError) as error:
        NBD(purchase_columns=["age", "plan", "none"]).fit(
            X.assign(age=np.where(X.index < 3, np.nan, X["age"]), plan=None)
        )
    assert len(error.value.problems) == 3  # together


def test_a_column_that_separates_customers_completely_is_refused():
    _, X = simulated(NBD, 400)
    never = X["frequency"] == 0
    rare = X.assign(plan=np.where(never & (X.index < 40), "rare", X["plan"]))
    refused(rare, "complete-separation: column 'plan' .*all with 'rare' are without a repeat order",
            purchase=["plan"])  # fmt: skip
    tells = X.assign(age=np.where(never, -1.0, 1.0) * (1.0 + X["age"].abs()))
    refused(tells, "complete-separation: column 'age'")
    model = NBD(purchase_columns=["plan"], ridge=10.0).fit(rare)
    assert np.isfinite(model.fitted_.values).all()
    kept = ShiftedBetaGeometric.from_params(alpha=0.8, beta=2.5).sample_histories(
        300, 5.0, random_state=0
    )
    kept["good"] = kept["alive"] & (np.arange(300) % 2 == 0)
    with pytest.raises(DataContractError, match="all with 'True' are still there"):
        ShiftedBetaGeometric(leave_columns=["good"]).fit(kept)


def test_an_effect_without_end_is_said():
    # nobody of a kind is seen to leave: silence never comes
    _truth, X = simulated(BGNBD, 600, effects={"leave": PLAN}, a=0.8, b=1.5)
    steady = X["plan"] == "pro"
    X.loc[steady, "frequency"] = 60.0
    X.loc[steady, "recency"] = X.loc[steady, "T"]
    with pytest.warns(BoundaryFitWarning, match="'plan=pro' separates customers, its effect on l"):
        model = BGNBD(leave_columns=["plan"]).fit(X)
    assert "leave:plan=pro" in model.fit_report().undefined


def test_what_was_known_only_after_the_order_is_refused_or_named():
    _, X = simulated(NBD, 400)
    refused(X, "known-after-the-order: column 'frequency' is made of the orders",
            purchase=["frequency"])  # fmt: skip
    second = np.where(X["frequency"] > 0, X["age"], np.nan)
    refused(X.assign(age=second), "known-after-the-order: column 'age' is missing for just the",
            missing="encode")  # fmt: skip
    refused(X.assign(age=10.0 * X["frequency"]), "known-after-the-order: column 'age' tells the n")
    points = X.assign(age=10.0 * X["frequency"] + np.arange(len(X)) % 20.0)
    with pytest.warns(DataWarning, match="'age' goes with the number of orders almost one to one"):
        NBD(purchase_columns=["age"]).fit(points)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BoundaryFitWarning")
def test_what_tells_when_somebody_was_last_seen_is_named():
    X = simulated(BGNBD, 600)[1]
    came = X["T"].max() - X["T"]  # when somebody came is known from then on
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        BGNBD(leave_columns=["age"]).fit(X.assign(age=came / 10.0))
        BGNBD(leave_columns=["age"]).fit(X)
    for after in (X["recency"], X["T"] - X["recency"], 3.0 * X["recency"] + came % 5.0):
        with pytest.warns(DataWarning, match="'age' goes with the time of the last order almost"):
            BGNBD(leave_columns=["age"]).fit(X.assign(age=after))


def test_categories_unseen_and_missing_values_at_predict(fitted):
    model, X = fitted
    some = X.head(4).assign(plan=["pro", "gold", "basic", "silver"])
    with pytest.raises(DataContractError, match=r"unseen-category: .*'gold', 'silver'.*2 rows"):
        model.predict(some, 10)
    with pytest.warns(DataWarning, match="unseen-category"):
        flagged = model.predict(some, 10, on_invalid="flag")
    assert np.isnan(flagged).tolist() == [False, True, False, True]
    table = cv.check_rows(model.predict, some, 10)
    assert table["valid"].tolist() == [True, False, True, False]
    with pytest.raises(DataContractError, match="missing-trait: column 'age'"):
        model.predict(X.head(2).assign(age=[np.nan, 1.0]), 10)
    with pytest.raises(DataContractError, match="'age' was fitted as numbers"):
        model.predict(X.head(2).assign(age=["a", "b"]), 10)
    with pytest.raises(ValueError, match="reads 'age', 'plan' by name"):
        model.predict(X[["frequency", "recency", "T"]].to_numpy(), 10)


def test_missing_values_may_be_a_kind_of_their_own():
    _, X = simulated(NBD, 900)
    lost = np.random.default_rng(0).random(900) < 0.2
    X["age"] = X["age"].where(~lost)
    X["plan"] = X["plan"].where(np.random.default_rng(1).random(900) > 0.1)
    refused(X, "missing-trait: column 'age'.*missing='encode'")
    model = NBD(purchase_columns=["age", "plan"], missing="encode").fit(X)
    names = model.fitted_.effects.names
    assert "purchase:age=missing" in names
    assert "purchase:plan=missing" in names
    assert np.isfinite(model.predict(X, 10)).all()
    by_hand = X.assign(age=X["age"].fillna(X["age"].mean()), gone=X["age"].isna())
    other = NBD(purchase_columns=["age", "gone", "plan"]).fit(by_hand.fillna({"plan": "missing"}))
    assert model.fit_report().log_likelihood == pytest.approx(
        other.fit_report().log_likelihood, rel=1e-10
    )


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"leave_columns": ["age"]}, ValueError, "NBD has no such process; NBD takes purchase_col"),
        ({"purchase_columns": "age"}, TypeError, "must be a list of names"),
        ({"purchase_columns": ["age", "age"]}, ValueError, "names 'age' twice"),
        ({"purchase_columns": ["age"], "equal_columns": ["age"]}, ValueError, "leave_columns"),
        ({"purchase_columns": ["age"], "ridge": -1}, ValueError, "ridge=-1 must be"),
        ({"purchase_columns": ["age"], "missing": "drop"}, ValueError, "missing='drop'"),
    ],
)
def test_options_of_the_wrong_kind_are_said(options, error, match):
    _, X = simulated(NBD, 50)
    with pytest.raises(error, match=match):
        NBD(**options).fit(X)


def test_stated_effects_are_checked():
    how = {"r": 1.0, "alpha": 5.0}
    with pytest.raises(ValueError, match="NBD has purchase"):
        NBD.from_params(**how, effects={"leave": {"age": 0.1}})
    with pytest.raises(ValueError, match="first category is the base"):
        NBD.from_params(**how, effects={"purchase": {"plan": {"a": 0.1, "b": 0.2}}})
    with pytest.raises(ValueError, match="say what the columns do, effects="):
        NBD.from_params(**how, purchase_columns=["age"])
    with pytest.raises(ValueError, match="customers= must be a table of 5 rows with 'age'"):
        NBD.from_params(**how, effects={"purchase": AGE}).sample_histories(5, 10.0)


def test_bgbb_and_sbg_read_columns_of_their_own_tables():
    truth, _X = simulated(BGBB, 800)
    log = truth.sample(200, 6, customers=people(200), random_state=0)
    assert {"age", "plan"} <= set(log)
    model = ShiftedBetaGeometric.from_params(
        alpha=0.7, beta=3.8, effects={"leave": {"plan": {"m": 0.0, "y": -1.0}}}
    )
    zero = pd.DataFrame({"frequency": [0.0] * 2, "recency": [0.0] * 2, "T": [0.0] * 2,
                         "plan": ["m", "y"]})  # fmt: skip
    # sBG eq. 8: mean chance of leaving at the first renewal, alpha / (alpha + beta)
    stays = model.predict_alive(zero, at=1)
    wanted = [3.8 / 4.5, 3.8 * np.e / (0.7 + 3.8 * np.e)]
    np.testing.assert_allclose(stays, wanted, rtol=1e-12)


def test_what_has_no_columns_says_so_and_is_not_silent():
    pytest.importorskip("sqlglot")
    from custvalue.distributed import score_sql
    from custvalue.exceptions import NotSupportedError

    told = {"leave": {"plan": {"m": 0.0, "y": -1.0}}}
    contracts = ShiftedBetaGeometric.from_params(alpha=0.7, beta=3.8, unit="Y", effects=told)
    for ask in (
        lambda: contracts.retention_rate([1, 2]),
        lambda: contracts.survival_curve("3Y"),
        lambda: contracts.predict_survivors([100, 80], "3Y"),
    ):
        with pytest.raises(NotSupportedError, match="columns give every customer an own curve"):
            ask()
    orders = NBD.from_params(r=1.0, alpha=5.0, unit="W", effects={"purchase": AGE})
    spend = cv.spend.GammaGamma.from_params(p=6.0, q=4.0, gamma=15.0)
    for model in (orders, cv.CustomerValue.from_fitted(orders, spend)):
        with pytest.raises(NotSupportedError, match="reads columns of customers"):
            score_sql(model, "summary", customer="who", horizon="4W")
