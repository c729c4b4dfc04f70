"""Laws that every model of spend obeys, ours and third parties'.

Each law is a function of a model class and a set of parameters; it asserts. They need no published
digits: they tie the functions of a law to each other, to simulation and to scikit-learn's manners.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from custvalue._kernels import by_differences, legendre
from custvalue.spend import SpendLaw, SpendModel
from custvalue.testing._checks import near, run_laws
from custvalue.testing._columns import example_effects, people, processes_of

Kind = type[SpendModel]
Check = Callable[[Kind, dict[str, float]], None]


def example_spend_params(law: SpendLaw) -> dict[str, float]:
    """Parameters to try a law of spend with: 20 where they are money, 4 where they are none.

    Parameters
    ----------
    law : SpendLaw

    Returns
    -------
    dict

    Examples
    --------
    >>> from custvalue.spend import GammaGamma
    >>> example_spend_params(GammaGamma.law)
    {'p': 4.0, 'q': 4.0, 'gamma': 20.0}
    """
    return {k: 20.0 if law.dimensions[k] == "money" else 4.0 for k in law.names}


def _table(kind: Kind, x: Any, zbar: Any) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(kind.columns, (x, zbar), strict=True)), dtype=float)


def _customers(kind: Kind) -> pd.DataFrame:
    """Nobody knows the first; the others bought once or often, for little and for much."""
    return _table(kind, [0, 1, 1, 2, 7, 40, 300], [np.nan, 3.0, 200.0, 18.0, 25.0, 9.5, 60.0])


def _sample(kind: Kind, params: dict[str, float], n: int, seed: int = 1) -> pd.DataFrame:
    """Simulated customers with one order to many, levels from the population."""
    rng, law, values = np.random.default_rng(seed), kind.law, tuple(params.values())
    x = rng.geometric(0.3, n).astype(float)
    level = law.simulate(*values, np.zeros(n), np.zeros(n), rng)
    return _table(kind, x, law.simulate_orders(*values, level, x, rng))


def spend_stays_in_range(kind: Kind, params: dict[str, float]) -> None:
    """Money is finite and positive, quantiles rise, the median lies among them."""
    X = _customers(kind)
    model = kind.from_params(**params)
    assert ((model.predict(X) > 0) & np.isfinite(model.predict(X))).all()
    levels = [0.01, 0.2, 0.5, 0.8, 0.99]
    ends = np.array([model.predict_quantile(X, q) for q in levels])
    assert ((ends > 0) & np.isfinite(ends)).all()
    assert (np.diff(ends, axis=0) > 0).all()
    np.testing.assert_array_equal(model.predict_interval(X, level=0.6).T, ends[[1, 3]])


def many_orders_are_believed(kind: Kind, params: dict[str, float]) -> None:
    """The more orders, the nearer to the customer's own mean; more spend never forecasts less."""
    model = kind.from_params(**params)
    for zbar in (4.0, 100.0):
        x = np.array([1, 2, 5, 20, 100, 10**6])
        miss = np.abs(np.log(model.predict(_table(kind, x, np.full(6, zbar))) / zbar))
        assert (np.diff(miss) <= 1e-12).all()
        assert miss[-1] < 1e-2
    z = np.array([1.0, 5.0, 20.0, 80.0, 1000.0])
    assert (np.diff(model.predict(_table(kind, np.full(5, 3), z))) > 0).all()


def money_may_be_counted_in_anything(kind: Kind, params: dict[str, float]) -> None:
    """In cents all amounts are a hundred times as large: parameters scale, the optimum stays."""
    model, X = kind.from_params(**params), _customers(kind)
    name = kind.columns[1]
    cents = X.assign(**{name: 100.0 * X[name]})
    other = kind.from_params(**kind.law.rescaled(model.params_, money=100.0)._asdict())
    np.testing.assert_allclose(other.predict(cents), 100.0 * model.predict(X), rtol=1e-9)
    X = _sample(kind, params, 800)
    cents = X.assign(**{name: 100.0 * X[name]})
    one, more = kind().fit(X), kind().fit(cents)
    if one.fit_report().status == "interior":
        scaled = kind.law.rescaled(one.params_, money=100.0)
        np.testing.assert_allclose(scaled, more.params_, rtol=1e-5)
    np.testing.assert_allclose(more.predict(cents), 100.0 * one.predict(X), rtol=1e-4)
    if kind.law.log_likelihood is not None:
        gone = one.fit_report().log_likelihood - more.fit_report().log_likelihood
        np.testing.assert_allclose(gone, len(X) * np.log(100.0), rtol=1e-7)


def spend_weights_equal_repetition(kind: Kind, params: dict[str, float]) -> None:
    """A row of weight 3 is three rows; a row of weight 0 is none; order does not matter."""
    X = _sample(kind, params, 500)
    w = np.random.default_rng(3).integers(0, 4, len(X))
    weighted = kind().fit(X, sample_weight=w)
    repeated = kind().fit(X.loc[np.repeat(X.index, w)].sample(frac=1.0, random_state=0))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-5)
    if weighted.fit_report().status == "interior":
        np.testing.assert_allclose(weighted.params_, repeated.params_, rtol=1e-5)


def one_customer_equals_the_same_in_a_batch(kind: Kind, params: dict[str, float]) -> None:
    """Every method answers a row alone as it answers it among others, whatever else is there."""
    model, X = kind.from_params(**params), _customers(kind)
    mixed = X.assign(name="x")[["name", *reversed(kind.columns)]]
    for i in range(len(X)):
        row = X.iloc[[i]]
        np.testing.assert_allclose(model.predict(row)[0], model.predict(mixed)[i], rtol=1e-12)
        alone, batch = model.predict_quantile(row, 0.3)[0], model.predict_quantile(mixed, 0.3)[i]
        np.testing.assert_allclose(alone, batch, rtol=1e-12)


def simulated_spend_agrees(kind: Kind, params: dict[str, float]) -> None:
    """Draws given a history have the mean, the quantiles and the capped mean of the formulas."""
    model, X, n = kind.from_params(**params), _customers(kind), 20_000
    draws = model.sample(X, n, random_state=5)
    for cap in (15.0, 400.0):
        capped = kind.law.capped_spend(*model.params_, *X.to_numpy().T, cap)
        for i, value in enumerate(capped):
            near(np.minimum(draws[:, i], cap), value, f"mean spend capped at {cap:g}")
    for q in (0.1, 0.5, 0.9):
        for i, value in enumerate(model.predict_quantile(X, q)):
            near(draws[:, i] <= value, q, f"share below the {q:g}-quantile")
    last = model.predict(X)[3:]  # of three orders on, the variance exists
    for i, value in enumerate(last):
        near(draws[:, 3 + i], value, "own mean")


def spend_forecasts_average_to_the_truth(kind: Kind, params: dict[str, float]) -> None:
    """The tower law: customers bring, on average, what is forecast from their first orders."""
    law, n, rng = kind.law, 20_000, np.random.default_rng(7)
    if law.log_likelihood is None:  # the population has no law of its own
        return
    values = tuple(params.values())
    level = law.simulate(*values, np.zeros(n), np.zeros(n), rng)
    x = rng.integers(1, 6, n).astype(float)
    seen = law.simulate_orders(*values, level, x, rng)
    later = law.simulate_orders(*values, level, np.ones(n), rng)
    # in the middle of the population's law, where no tail rules the mean
    usual = (seen > law.quantile(*values, 0.0, 0.0, 0.05)) & (
        seen < law.quantile(*values, 0.0, 0.0, 0.9)
    )
    expected = law.expected_spend(*values, x, seen)
    near((later - expected)[usual], 0.0, "spend and its forecast")


def densities_add_up_to_one(kind: Kind, params: dict[str, float]) -> None:
    """The density of the mean of x orders has the integral 1, and an amount has a dimension."""
    law, values = kind.law, tuple(params.values())
    if law.log_likelihood is None:
        return
    low, high = np.log(1e-9), np.log(1e12)
    nodes, weights = legendre(16, 40)
    z = np.exp(low + (high - low) * nodes)
    for x in (1.0, 3.0, 12.0):
        mass = np.exp(law.log_likelihood(*values, np.full(z.shape, x), z)) * z
        np.testing.assert_allclose((high - low) * weights @ mass, 1.0, atol=1e-5)


def spend_derivatives_are_right(kind: Kind, params: dict[str, float]) -> None:
    """An analytic objective agrees with its own differences and with the log-likelihood."""
    law = kind.law
    if law.objective is None:
        return
    model = kind.from_params(**params)
    rows: Any = model._rows(_sample(kind, params, 400))
    counted = law.counted(rows, law.units(rows))
    here = np.log(np.asarray(law.rescaled(model.params_, money=1.0 / rows.unit)))
    theta = law.from_logs(here) + 0.1
    evaluate = law.objective_of(counted)
    value, gradient, hessian = evaluate(theta)
    moved = law.params(*np.exp(law.to_logs(theta)))
    np.testing.assert_allclose(value, law.log_likelihoods(moved, counted).mean(), rtol=1e-10)
    _, g, h = by_differences(lambda t: evaluate(t)[0])(theta)
    np.testing.assert_allclose(gradient, g, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(hessian, h, rtol=1e-4, atol=1e-5)


def spend_fits_rise_above_the_truth(kind: Kind, params: dict[str, float]) -> None:
    """The fitted likelihood is at least that of the true parameters; the slope there is none."""
    if kind.law.log_likelihood is None:
        return
    X = _sample(kind, params, 3000)
    model = kind().fit(X)
    report = model.fit_report()
    assert report.log_likelihood >= kind.from_params(**params).score_samples(X).sum() - 1e-6
    np.testing.assert_allclose(model.score_samples(X).sum(), report.log_likelihood, rtol=1e-9)
    if report.status == "interior":
        assert report.gradient_norm < 1e-4
        miss = np.log(np.array(model.params_) / np.array(list(params.values())))
        spread = model.fitted_.covariance
        # the truth lies inside the ellipsoid that holds it in all but 1 of 10^5 samples
        assert miss @ np.linalg.solve(spread, miss) < 4.0 * len(miss) + 30.0


def a_fitted_spend_model_travels(kind: Kind, params: dict[str, float]) -> None:
    """JSON, pickle and clone: small, without rows of customers, same forecasts afterwards."""
    X = _sample(kind, params, 300)
    model = kind().fit(X)
    text = json.dumps(model.to_dict(), allow_nan=False)
    assert len(text) < 10_000
    for copy in (kind.from_dict(json.loads(text)), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert not hasattr(clone(model), "params_")
    given = model.with_params()
    assert given.params_ == model.params_
    assert given.fit_report().status == "given"


def columns_scale_spend(kind: Kind, params: dict[str, float]) -> None:
    """A factor on spend is one on money: the customer's history over it, the answer times it."""
    if not processes_of(kind):
        return
    X = _customers(kind)
    X = X.assign(**people(len(X)))
    effects = example_effects(kind)
    one, told = kind.from_params(**params, effects=effects), effects["spend"]
    own = np.exp(told["age"] * X["age"] + X["plan"].map(told["plan"])).to_numpy()
    money = kind.columns[1]
    plain, scaled = kind.from_params(**params), X.assign(**{money: X[money] / own})
    np.testing.assert_allclose(one.predict(X), own * plain.predict(scaled), rtol=1e-9)
    seen = (X[kind.columns[0]] > 0).to_numpy()
    np.testing.assert_allclose(
        one.score_samples(X), plain.score_samples(scaled) - seen * np.log(own), rtol=1e-9, atol=1e-9
    )


def effects_on_spend_are_found(kind: Kind, params: dict[str, float]) -> None:
    """A fit with columns is at least as likely as the true effects, and near them."""
    if not processes_of(kind):
        return
    X, effects = _sample(kind, params, 2000), example_effects(kind)
    X = X.assign(**people(len(X)))
    told = effects["spend"]
    own = np.exp(told["age"] * X["age"] + X["plan"].map(told["plan"]))
    X[kind.columns[1]] *= own
    model = kind(spend_columns=["age", "plan"]).fit(X)
    truth, report = kind.from_params(**params, effects=effects), model.fit_report()
    assert report.log_likelihood >= truth.score_samples(X).sum() - 1e-6
    if report.status == "interior":
        miss = np.log(model.fitted_.values / truth.fitted_.values)
        assert miss @ np.linalg.solve(model.fitted_.covariance, miss) < 4.0 * len(miss) + 30.0


SPEND_LAWS: tuple[Check, ...] = (
    spend_stays_in_range,
    many_orders_are_believed,
    money_may_be_counted_in_anything,
    spend_weights_equal_repetition,
    one_customer_equals_the_same_in_a_batch,
    simulated_spend_agrees,
    spend_forecasts_average_to_the_truth,
    densities_add_up_to_one,
    spend_derivatives_are_right,
    spend_fits_rise_above_the_truth,
    a_fitted_spend_model_travels,
    columns_scale_spend,
    effects_on_spend_are_found,
)


def check_spend_model(model: SpendModel, params: dict[str, float] | None = None) -> None:
    """Run every law of the field on a model of spend, with columns that count and without.

    Parameters
    ----------
    model : SpendModel
        An unfitted estimator.
    params : dict, optional
        Parameters to try it with, at which customers have a mean and a variance; 20 where they are
        money and 4 where they are none unless given.

    Raises
    ------
    AssertionError
        Naming every law that is broken, and how.

    Examples
    --------
    >>> from custvalue.spend import OwnMean
    >>> from custvalue.testing import check_spend_model
    >>> check_spend_model(OwnMean())
    """
    kind = type(model)
    run_laws(kind, SPEND_LAWS, example_spend_params(kind.law) if params is None else params)
