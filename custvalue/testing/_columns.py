"""Laws of columns of customers that move parameters, for every law that has a process for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from custvalue._kernels import rows_by_differences
from custvalue.testing._checks import near

Check = Callable[[Any, dict[str, float]], None]


def processes_of(kind: Any) -> list[str]:
    """Processes of a law for which the estimator takes columns.

    Examples
    --------
    >>> from custvalue.purchase import BGNBD
    >>> from custvalue.testing._columns import processes_of
    >>> processes_of(BGNBD)
    ['purchase', 'leave']
    """
    return [p for p in kind.law.processes if f"{p}_columns" in kind().get_params()]


def people(n: int, seed: int = 0) -> pd.DataFrame:
    """Columns of so many customers: a number, categories, truth values.

    Examples
    --------
    >>> from custvalue.testing._columns import people
    >>> list(people(3))
    ['age', 'plan', 'member']
    """
    rng = np.random.default_rng(seed)
    plan = rng.choice(["basic", "pro", "trial"], n, p=[0.5, 0.3, 0.2])
    age = rng.normal(40.0, 12.0, n).round(1)
    return pd.DataFrame({"age": age, "plan": plan, "member": rng.random(n) < 0.4})


def example_effects(kind: Any, size: float = 1.0) -> dict[str, dict[str, Any]]:
    """Effects of a number and of categories on every process.

    Examples
    --------
    >>> from custvalue.purchase import NBD
    >>> from custvalue.testing._columns import example_effects
    >>> example_effects(NBD)
    {'purchase': {'age': 0.02, 'plan': {'basic': 0.0, 'pro': 0.5, 'trial': -0.4}}}
    """
    more = {"age": 0.02 * size, "plan": {"basic": 0.0, "pro": 0.5 * size, "trial": -0.4 * size}}
    late = {"age": -0.01 * size, "plan": {"basic": 0.0, "pro": -0.6 * size, "trial": 0.3 * size}}
    return {p: late if p == "leave" else more for p in processes_of(kind)}


def _asking(kind: Any) -> dict[str, list[str]]:
    return {f"{p}_columns": ["age", "plan"] for p in processes_of(kind)}


def _truth(kind: Any, params: dict[str, float]) -> Any:
    return kind.from_params(**params, effects=example_effects(kind))


def _sample(kind: Any, params: dict[str, float], n: int, T: Any, seed: int = 1) -> pd.DataFrame:
    drawn = _truth(kind, params).sample_histories(n, T, customers=people(n), random_state=seed)
    found: pd.DataFrame = drawn
    return found


def columns_of_no_effect_change_nothing(kind: Any, params: dict[str, float]) -> None:
    """With coefficients of 0 every answer is the plain law's."""
    T = 6.0 if kind.law.discrete else 30.0
    X = _sample(kind, params, 40, T)
    plain, model = (
        kind.from_params(**params),
        kind.from_params(**params, effects=example_effects(kind, 0.0)),
    )
    asks: list[Callable[[Any], Any]] = [
        lambda m: m.predict(X, horizon=7),
        lambda m: m.predict_alive(X, at=3),
        lambda m: m.predict_proba_any(X, horizon=7),
        lambda m: m.predict_pmf(X, horizon=7, n_max=4),
        lambda m: m.predict_next_order(X)["q50"].to_numpy(),
        lambda m: m.score_samples(X),
    ]
    for ask in asks:
        np.testing.assert_allclose(ask(model), ask(plain), rtol=1e-10, atol=1e-13)


def derivatives_by_row_are_right(kind: Any, params: dict[str, float]) -> None:
    """Where parameters differ from row to row, derivatives are those of the density."""
    X = _sample(kind, params, 60, 6.0 if kind.law.discrete else 30.0)
    columns = list(X[["frequency", "recency", "T"]].to_numpy(dtype=float).T.copy())
    rng, law = np.random.default_rng(0), kind.law
    moved = {name for process in law.processes.values() for name in process.parameters}
    logs = [
        np.log(v) + (0.4 * rng.normal(size=len(X)) if k in moved else 0.0)
        for k, v in params.items()
    ]
    value, slopes, bends = law.derivatives_of(logs, columns)
    density, s, b = rows_by_differences(lambda *p: law.log_likelihood(*p, *columns), logs)
    np.testing.assert_allclose(value, density, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(slopes, s, rtol=1e-6, atol=1e-6)
    for pair, wanted in b.items():
        np.testing.assert_allclose(bends.get(pair, 0.0 * wanted), wanted, rtol=1e-4, atol=1e-4)


def simulated_kinds_of_customers_agree(kind: Any, params: dict[str, float]) -> None:
    """Customers of each kind order, and stay, as often as the formulas say of them."""
    n, T = 9000, 6.0 if kind.law.discrete else 20.0
    who, truth = people(n).assign(age=30.0), _truth(kind, params)
    drawn = truth.sample_histories(n, T, customers=who, random_state=3)
    new = who.assign(frequency=0.0, recency=0.0, T=0.0)
    orders, alive = truth.predict(new, horizon=T), truth.predict_alive(new, at=T)
    for plan in ("basic", "pro", "trial"):
        some = (who["plan"] == plan).to_numpy()
        near(drawn["frequency"].to_numpy()[some], orders[some][0], f"orders of {plan}")
        near(drawn["alive"].to_numpy()[some], alive[some][0], f"share alive of {plan}")


def effects_found_rise_above_the_truth(kind: Any, params: dict[str, float]) -> None:
    """A fit is at least as likely as the true effects, near them, and travels as JSON."""
    n, rng = 2000, np.random.default_rng(1)
    T = rng.integers(4, 9, n) if kind.law.discrete else rng.integers(25, 60, n)
    X, truth = _sample(kind, params, n, T.astype(float)), _truth(kind, params)
    model = kind(**_asking(kind)).fit(X)
    report = model.fit_report()
    assert model.fitted_.names == truth.fitted_.names
    assert report.log_likelihood >= truth.score_samples(X).sum() - 1e-6
    np.testing.assert_allclose(model.score_samples(X).sum(), report.log_likelihood, rtol=1e-9)
    if report.status == "interior":
        assert report.gradient_norm < 1e-5
        miss = np.log(model.fitted_.values / truth.fitted_.values)
        spread = np.asarray(report.log_covariance)
        # the truth lies inside the ellipsoid that holds it in all but 1 of 10^5 samples
        assert miss @ np.linalg.solve(spread, miss) < 4.0 * len(miss) + 30.0
    copy = kind.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(copy.predict(X, horizon=5), model.predict(X, horizon=5))


COLUMN_LAWS: tuple[Check, ...] = (
    columns_of_no_effect_change_nothing,
    derivatives_by_row_are_right,
    simulated_kinds_of_customers_agree,
    effects_found_rise_above_the_truth,
)
