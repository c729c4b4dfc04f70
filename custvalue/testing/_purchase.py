"""Laws that every purchase model obeys, ours and third parties'.

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

from custvalue._kernels import by_differences, compress
from custvalue.exceptions import DataContractError
from custvalue.purchase import PurchaseLaw, PurchaseModel
from custvalue.testing._checks import near, run_laws
from custvalue.testing._columns import COLUMN_LAWS, processes_of

Kind = type[PurchaseModel]
Law = Callable[[Kind, dict[str, float]], None]


def example_params(law: PurchaseLaw, which: str = "usual") -> dict[str, float]:
    """Parameters to try a law with: ``"usual"`` ones, or some at which formulas break.

    The ``"edge"`` set has a drop-out shape of exactly 1, where the classical expectation is 0 / 0;
    the ``"small"`` set has two beta parameters that add up to less than 1.

    Parameters
    ----------
    law : PurchaseLaw
    which : {"usual", "edge", "small"}, default="usual"

    Returns
    -------
    dict

    Examples
    --------
    >>> from custvalue.purchase import BGNBD
    >>> example_params(BGNBD.law, "edge")["a"]
    1.0
    """
    values = {
        "usual": {"gamma order": (0.6, 6.0), "gamma": (0.7, 12.0), "beta order": (1.2, 0.8),
                  "beta": (0.8, 2.5)},
        "edge": {"gamma order": (1.0, 4.0), "gamma": (1.0, 9.0), "beta order": (1.0, 1.0),
                 "beta": (1.0, 2.0)},
        "small": {"gamma order": (0.3, 3.0), "gamma": (0.3, 3.0), "beta order": (0.4, 0.5),
                  "beta": (0.3, 0.5)},
    }[which]  # fmt: skip
    usual = {"time": 12.0, "1/time": 1.0 / 12.0, "money": 20.0, "none": 1.0}
    params = {name: usual[law.dimensions[name]] for name in law.names}
    for m in law.mixing:
        key = m.kind if m.what == "dropout" else f"{m.kind} order"
        params[m.first], params[m.second] = values[key]
    return params


def histories(kind: Kind) -> pd.DataFrame:
    """A few legal histories: one-time buyers, steady buyers, quiet ones, bought just now.

    Of a common list, those that the model reads: a contract knows no skipped renewal, for example.

    Parameters
    ----------
    kind : type
        Class of a purchase model.

    Returns
    -------
    DataFrame
        ``frequency``, ``recency``, ``T``, ``litt``.

    Examples
    --------
    >>> from custvalue.purchase import BGNBD, ShiftedBetaGeometric
    >>> from custvalue.testing._purchase import histories
    >>> len(histories(BGNBD)), len(histories(ShiftedBetaGeometric))
    (10, 8)
    """
    rows: list[tuple[float, float, float]]
    if kind.law.discrete:
        rows = [
            (0, 0, 1), (0, 0, 6), (1, 1, 1), (1, 1, 6), (1, 6, 6), (3, 3, 3), (3, 4, 6),
            (5, 5, 6), (6, 6, 6), (20, 40, 52), (52, 52, 52),
        ]  # fmt: skip
    else:
        rows = [
            (0, 0, 0), (0, 0, 0.5), (0, 0, 39), (1, 0.01, 39), (1, 39, 39), (2, 30.4, 38.9),
            (7, 29.4, 38.9), (26, 30.9, 31), (40, 10, 39), (200, 38, 40),
        ]  # fmt: skip
    X = pd.DataFrame(rows, columns=["frequency", "recency", "T"], dtype=float)
    x = X["frequency"]
    with np.errstate(divide="ignore", invalid="ignore"):  # gaps all alike
        X["litt"] = (x * np.log(X["recency"] / x)).fillna(0.0)
    return _legal(kind, X)


def _legal(kind: Kind, X: pd.DataFrame) -> pd.DataFrame:
    """Rows that the model's law knows; which ones those are, its own reading says."""
    keep = []
    for i in range(len(X)):
        try:
            kind()._read(X.iloc[[i]], reset=True)
        except DataContractError:
            continue
        keep.append(i)
    return X.iloc[keep].reset_index(drop=True)


def _model(kind: Kind, params: dict[str, float], **extra: Any) -> Any:
    return kind.from_params(**{**params, **extra})


def _sample(kind: Kind, params: dict[str, float], n: int, seed: int = 1) -> pd.DataFrame:
    """Simulated histories with T spread over a year."""
    rng = np.random.default_rng(seed)
    T = rng.integers(4, 9, n) if kind.law.discrete else rng.integers(20, 40, n)
    model = _model(kind, params)
    return model.sample_histories(n, T.astype(float), random_state=rng).drop(columns="alive")


def numbers_stay_in_range(kind: Kind, params: dict[str, float]) -> None:
    """No NaN, no infinity, no negative count, no probability outside [0, 1]."""
    model, X = _model(kind, params), histories(kind)
    for t in (0, 1, 13, 1000):
        orders = model.predict(X, horizon=t)
        assert ((orders >= 0) & (orders < np.inf)).all(), f"predict at {t}: {orders}"
        chances = [model.predict_proba_any(X, horizon=t), model.predict_alive(X, at=t)]
        chances += [model.predict_pmf(X, horizon=t, n_max=3), model.predict_alive(X)]
        for chance in chances:
            assert ((chance >= 0) & (chance <= 1)).all(), f"a chance at {t}: {chance}"
    assert np.isfinite(model.score_samples(X)).all()
    assert (model.predict(X, horizon=0) == 0).all()
    assert (model.predict_proba_any(X, horizon=0) <= 1e-12).all()


def total_probability_is_one(kind: Kind, params: dict[str, float]) -> None:
    """The chances of 0, 1, 2, ... orders add up to 1, and their mean is the expected number."""
    model = _model(kind, params)
    X = histories(kind)
    X = X[X["T"] > 3]
    pmf = model.predict_pmf(X, horizon=5, n_max=900)
    np.testing.assert_allclose(pmf.sum(axis=1), 1.0, rtol=0, atol=1e-8)
    mean = pmf @ np.arange(901.0)
    np.testing.assert_allclose(mean, model.predict(X, horizon=5), rtol=1e-6)
    np.testing.assert_allclose(
        1.0 - pmf[:, 0], model.predict_proba_any(X, horizon=5), rtol=0, atol=1e-12
    )


def silence_is_the_likelihood_without_orders(kind: Kind, params: dict[str, float]) -> None:
    """P(no order in t) is the likelihood of the same history observed t longer, over its own."""
    model, X = _model(kind, params), histories(kind)
    for t in (1.0, 20.0):
        later = X.assign(T=X["T"] + t)
        ratio = np.exp(model.score_samples(later) - model.score_samples(X))
        np.testing.assert_allclose(
            ratio, 1.0 - model.predict_proba_any(X, horizon=t), rtol=1e-7, atol=1e-9
        )


def longer_silence_never_means_more_alive(kind: Kind, params: dict[str, float]) -> None:
    """P(alive) falls as time passes without an order."""
    model = _model(kind, params)
    for x, t_x in ((0, 0), (1, 1), (3, 3), (3, 5), (9, 10)):
        T = t_x + np.arange(1.0, 60.0)
        X = _legal(kind, pd.DataFrame({"frequency": float(x), "recency": float(t_x), "T": T}))
        if len(X):
            assert (np.diff(model.predict_alive(X)) <= 1e-12).all()


def longer_horizon_never_means_less(kind: Kind, params: dict[str, float]) -> None:
    """Expected orders and the chance of one grow with the horizon, P(alive) later falls."""
    model, X = _model(kind, params), histories(kind)
    ends = [0, 1, 2, 5, 10, 50, 200, 1000]
    for method, sign in (("predict", 1), ("predict_proba_any", 1)):
        values = np.array([getattr(model, method)(X, horizon=t) for t in ends])
        assert (sign * np.diff(values, axis=0) >= -1e-9).all(), method
    alive = np.array([model.predict_alive(X, at=t) for t in ends])
    assert (np.diff(alive, axis=0) <= 1e-9).all()
    np.testing.assert_allclose(alive[0], model.predict_alive(X), rtol=1e-12)


def _in_days(X: pd.DataFrame) -> pd.DataFrame:
    """The same histories, time in sevenths of its unit."""
    logs = {"litt": X["litt"] + X["frequency"] * np.log(7.0)} if "litt" in X else {}
    return X.assign(recency=7 * X["recency"], T=7 * X["T"], **logs)


def days_and_weeks_give_the_same_forecast(kind: Kind, params: dict[str, float]) -> None:
    """Time may be counted in anything: parameters scale, forecasts and the optimum stay."""
    if kind.law.discrete:
        return
    X = histories(kind)
    days = _in_days(X)
    weekly = _model(kind, params)
    daily = _model(kind, kind.law.rescaled(weekly.params_, 7.0)._asdict())
    np.testing.assert_allclose(daily.predict(days, 91), weekly.predict(X, 13), rtol=1e-9)
    np.testing.assert_allclose(daily.predict_alive(days), weekly.predict_alive(X), rtol=1e-9)
    X = _sample(kind, params, 600)
    days = _in_days(X)
    one, other = kind().fit(X), kind().fit(days)
    if one.fit_report().status == "interior":
        np.testing.assert_allclose(kind.law.rescaled(one.params_, 7.0), other.params_, rtol=1e-5)
    np.testing.assert_allclose(one.predict(X, 13), other.predict(days, 91), rtol=1e-4)


def what_the_future_depends_on_is_what_it_reads(kind: Kind, params: dict[str, float]) -> None:
    """Futures are computed once for equal (x, T) only where the last order's time is not read."""
    if kind.law.future_reads_recency:
        return
    x, T = np.array([2.0, 5.0]), np.array([9.0, 9.0])
    early, late = (
        kind.law.alive(*params.values(), x, t_x, T) for t_x in (np.full(2, 6.0), np.full(2, 9.0))
    )
    for one, other in zip(early, late, strict=True):
        np.testing.assert_array_equal(one, other)


def weights_equal_repetition(kind: Kind, params: dict[str, float]) -> None:
    """A row of weight 3 is three rows; a row of weight 0 is none; order does not matter."""
    X = _sample(kind, params, 500)
    w = np.random.default_rng(3).integers(0, 4, len(X))
    weighted = kind().fit(X, sample_weight=w)
    repeated = kind().fit(X.loc[np.repeat(X.index, w)].sample(frac=1.0, random_state=0))
    assert (
        abs(weighted.fit_report().log_likelihood - repeated.fit_report().log_likelihood)
        < 1e-6 * w.sum()
    )
    if weighted.fit_report().status == "interior":
        np.testing.assert_allclose(weighted.params_, repeated.params_, rtol=1e-5)


def one_row_equals_the_same_row_in_a_batch(kind: Kind, params: dict[str, float]) -> None:
    """Every method answers a row alone as it answers it among others, whatever else is there."""
    model = _model(kind, params)
    X = pd.concat([histories(kind), _sample(kind, params, 3000)], ignore_index=True)
    mixed = X.assign(name="x")[["T", "name", "litt", "frequency", "recency"]]
    score = model.scorer(horizon=7)
    batch = {
        "predict": model.predict(mixed, horizon=7),
        "predict_alive": model.predict_alive(mixed, at=3),
        "predict_proba_any": model.predict_proba_any(mixed, horizon=7),
        "predict_pmf": model.predict_pmf(mixed, horizon=7, n_max=4),
        "score_samples": model.score_samples(mixed),
    }
    some = [0, 2, 5, 1500, len(X) - 1]
    for i in some:
        row = X.iloc[[i]]
        kw: dict[str, dict[str, Any]] = {
            "predict": {"horizon": 7}, "predict_alive": {"at": 3},
            "predict_proba_any": {"horizon": 7}, "predict_pmf": {"horizon": 7, "n_max": 4},
        }  # fmt: skip
        for method, values in batch.items():
            alone = getattr(model, method)(row, **kw.get(method, {}))[0]
            np.testing.assert_allclose(alone, values[i], rtol=1e-10, atol=1e-13, err_msg=method)
        np.testing.assert_allclose(
            score(*X.loc[i, ["frequency", "recency", "T"]]),
            batch["predict"][i],
            rtol=1e-10,
            atol=1e-13,
        )


def simulated_means_agree(kind: Kind, params: dict[str, float]) -> None:
    """Simulated customers order, and stay, as often as the formulas say (five standard errors)."""
    model, n = _model(kind, params), 20_000
    T = 8.0 if kind.law.discrete else 20.0
    drawn = model.sample_histories(n, T, random_state=5)
    near(drawn["frequency"].to_numpy(), model.new_customer(T), "orders of new customers")
    new = pd.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [0.0]})
    near(drawn["alive"].to_numpy(), model.predict_alive(new, at=T)[0], "share alive")
    pmf = model.predict_pmf(new, horizon=T, n_max=3)[0]
    for k in range(4):
        near(drawn["frequency"].to_numpy() == k, pmf[k], f"share with {k} orders")
    X = histories(kind).iloc[[2, 5]]
    draws = model.sample_future(X, horizon=T, size=4000, random_state=6)
    for i, expected in enumerate(model.predict(X, horizon=T)):
        near(draws[i], expected, "orders of known customers")


def forecasts_average_to_the_unconditional_forecast(kind: Kind, params: dict[str, float]) -> None:
    """The tower law: forecasts for simulated histories average to what is forecast without them."""
    model, n = _model(kind, params), 20_000
    T, t = (6.0, 4.0) if kind.law.discrete else (25.0, 13.0)
    drawn = model.sample_histories(n, T, random_state=7)
    whole = model.new_customer(T + t) - model.new_customer(T)
    near(model.predict(drawn, horizon=t), whole, "expected orders")
    near(model.predict_alive(drawn) - drawn["alive"].to_numpy(), 0.0, "P(alive) and the truth")


def next_order_quantiles_are_quantiles(kind: Kind, params: dict[str, float]) -> None:
    """The chance of an order by the q-quantile of the next order's time is q, or it never is."""
    model, X = _model(kind, params), histories(kind)
    table = model.predict_next_order(X, q=(0.05, 0.5))
    ever = 1.0 - table["never"].to_numpy()
    for q, name in ((0.05, "q5"), (0.5, "q50")):
        when = table[name].to_numpy()
        assert (np.isfinite(when) == (ever > q)).all()
        for i in map(int, np.flatnonzero(np.isfinite(when))):
            reached = model.predict_proba_any(X.iloc[[i]], horizon=when[i])[0]
            if not kind.law.discrete:
                assert abs(reached - q) < 1e-8, f"{name}: {reached}"
                continue
            before = model.predict_proba_any(X.iloc[[i]], horizon=when[i] - 1.0)[0]
            assert when[i] == np.rint(when[i]), f"{name}: {when[i]} opportunities"
            assert before < q <= reached + 1e-8, f"{name}: {before}, {reached}"


def dert_is_the_discounted_sum(kind: Kind, params: dict[str, float]) -> None:
    """Discounting at the ends and at the starts of short steps brackets the infinite sum."""
    unit = "Y" if kind.law.discrete else "W"
    model = _model(kind, params, unit=unit)
    X = histories(kind)
    rate, years, steps = 0.5, 80, 80 if kind.law.discrete else 1600
    late = model.discounted_orders(X, f"{years}Y", annual_discount_rate=rate, steps=steps)
    value = model.dert(X, annual_discount_rate=rate)
    if kind.law.discrete:
        np.testing.assert_allclose(value, late, rtol=1e-8)
        return
    early = late * (1.0 + rate) ** (years / steps)
    assert (value >= late * (1 - 1e-9)).all()
    assert (value <= early * (1 + 1e-9)).all()


def derivatives_are_right(kind: Kind, params: dict[str, float]) -> None:
    """An analytic objective agrees with its own differences and with the log-likelihood."""
    if kind.law.objective is None:
        return
    X = _sample(kind, params, 400)
    x, t_x, T = X[["frequency", "recency", "T"]].to_numpy().T.copy()
    rows = compress(x, t_x, T)
    theta = np.log(np.array(list(params.values()))) + 0.1
    evaluate = kind.law.objective(rows)
    value, gradient, hessian = evaluate(theta)
    ll = kind.law.log_likelihoods(np.exp(theta), rows)
    np.testing.assert_allclose(value, np.average(ll, weights=rows.w), rtol=1e-11)
    _, g, h = by_differences(lambda t: evaluate(t)[0])(theta)
    np.testing.assert_allclose(gradient, g, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(hessian, h, rtol=1e-4, atol=1e-5)


def fits_rise_above_the_truth(kind: Kind, params: dict[str, float]) -> None:
    """The fitted likelihood is at least that of the true parameters; the slope there is none."""
    X = _sample(kind, params, 1500)
    model = kind().fit(X)
    truth = _model(kind, params).score_samples(X).sum()
    report = model.fit_report()
    assert report.status in {"interior", "boundary"}
    assert report.log_likelihood >= truth - 1e-6
    np.testing.assert_allclose(model.score_samples(X).sum(), report.log_likelihood, rtol=1e-9)
    if report.status == "interior":
        assert report.gradient_norm < 1e-6
        miss = np.log(np.array(model.params_) / np.array(list(params.values())))
        spread = np.asarray(report.log_covariance)
        # the truth lies inside the ellipsoid that holds it in all but 1 of 10^5 samples
        assert miss @ np.linalg.solve(spread, miss) < 4.0 * len(miss) + 30.0


def a_fitted_model_travels(kind: Kind, params: dict[str, float]) -> None:
    """JSON, pickle and clone: small, without rows of customers, same forecasts afterwards."""
    X = _sample(kind, params, 300)
    model = kind().fit(X)
    text = json.dumps(model.to_dict(), allow_nan=False)
    assert len(text) < 10_000
    for copy in (kind.from_dict(json.loads(text)), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy.predict(X, horizon=5), model.predict(X, horizon=5))
        assert copy.fit_report().log_likelihood == model.fit_report().log_likelihood
    fresh = clone(kind(horizon=5))
    assert fresh.get_params()["horizon"] == 5
    assert not hasattr(fresh, "params_")


PURCHASE_LAWS: tuple[Law, ...] = (
    numbers_stay_in_range,
    total_probability_is_one,
    silence_is_the_likelihood_without_orders,
    longer_silence_never_means_more_alive,
    longer_horizon_never_means_less,
    days_and_weeks_give_the_same_forecast,
    what_the_future_depends_on_is_what_it_reads,
    weights_equal_repetition,
    one_row_equals_the_same_row_in_a_batch,
    simulated_means_agree,
    forecasts_average_to_the_unconditional_forecast,
    next_order_quantiles_are_quantiles,
    dert_is_the_discounted_sum,
    derivatives_are_right,
    fits_rise_above_the_truth,
    a_fitted_model_travels,
)


def check_purchase_model(model: PurchaseModel, params: dict[str, float] | None = None) -> None:
    """Run every law of the field on a model, with columns of customers that count and without.

    Parameters
    ----------
    model : PurchaseModel
        An unfitted estimator. Its class is what is checked, so that options stay at their defaults:
        for another, make a subclass that has it as default.
    params : dict, optional
        Parameters to try it with; chosen by what its law says of them unless given.

    Raises
    ------
    AssertionError
        Naming every law that is broken, and how.
    ValueError
        If an option is not at its default.

    Examples
    --------
    >>> from custvalue.purchase import NBD
    >>> from custvalue.testing import check_purchase_model
    >>> check_purchase_model(NBD())
    """
    kind = type(model)
    usual = kind().get_params(deep=False)
    given = {k: v for k, v in model.get_params(deep=False).items() if v != usual[k]}
    if given:
        shown = ", ".join(f"{k}={v!r}" for k, v in given.items())
        raise ValueError(
            f"check_purchase_model checks {kind.__name__} with its default options, not {shown}: "
            "make a subclass that has them as defaults."
        )
    laws = (*PURCHASE_LAWS, *(COLUMN_LAWS if processes_of(kind) else ()))
    run_laws(kind, laws, example_params(kind.law) if params is None else params)
