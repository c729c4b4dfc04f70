"""Whether intervals and tests keep what they say: ``python -m benchmarks.honesty [table ...]``.

Tables ``campaign`` (how often a campaign without effect is called a gain or a loss), ``effect``
(how often the interval holds a true effect), ``adjusted`` (both for effects adjusted by covariates,
of ratios and of units that start at different times), ``parameters`` (intervals of a law's
parameters on samples of that law), ``alive`` (intervals of P(alive), and what the point alone says
of those below .2), ``summits`` (fits below the best of 20 searches from random
starts), ``spend`` (Gamma-Gamma fits of frequent buyers that fail or warn), ``chain`` (tests of
order and homogeneity where both are true) and ``rmse`` (differences of a backtest's errors). A few
minutes by default; ``--full`` takes as many samples as the error of the figures deserves. The last
column is the Monte Carlo standard error of a rate at its nominal value.

Where a handful of customers order, no test reaches 5 %: 40 against 40 of whom one in a hundred
orders can hardly ever differ, and the rate is near 0. Such cells are marked thin.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from custvalue._kernels import compress, maximise
from custvalue.campaign import campaign_effect, crm_effect
from custvalue.chains._tests import homogeneity, order_one_against_two
from custvalue.evaluation import BacktestResult
from custvalue.exceptions import CustvalueWarning, FitFailedError
from custvalue.purchase import BGNBD, MBGNBD, NBD, ParetoNBD, alive_interval
from custvalue.spend import GammaGamma

LAWS: dict[Any, dict[str, float]] = {
    NBD: {"r": 0.385, "alpha": 12.07},
    BGNBD: {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    MBGNBD: {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    ParetoNBD: {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7},
}
SIZES = ((900, 100), (5000, 500), (100, 30), (40, 40))
THIN = 10.0  # expected buyers of both groups below which no test of 5 % exists
Line = tuple[Any, ...]
Spend = Callable[[int, np.random.Generator], np.ndarray]

SPEND: dict[str, tuple[float, Spend]] = {
    "share of 5 %": (0.05, lambda n, r: (r.random(n) < 0.05).astype(float)),
    "normal": (1.0, lambda n, r: r.normal(100, 30, n)),
    "5 % order": (0.05, lambda n, r: (r.random(n) < 0.05) * r.gamma(2, 30, n)),
    "10 %, lognormal": (0.1, lambda n, r: (r.random(n) < 0.1) * r.lognormal(3, 1.3, n)),
    "Pareto 1.8": (1.0, lambda n, r: r.pareto(1.8, n)),
    "1 % order": (0.01, lambda n, r: (r.random(n) < 0.01) * r.gamma(2, 30, n)),
}


def campaign(full: bool) -> Iterator[Line]:
    yield "spend", "groups", "says gain", "says loss", "either", "error", ""
    reps = 4000 if full else 300
    for name, (share, spend) in SPEND.items():
        for sizes in SIZES:
            rng = np.random.default_rng(1)
            found = [
                campaign_effect(spend(sizes[0], rng), spend(sizes[1], rng), n_draws=499)
                for _ in range(reps)
            ]
            gain = np.mean([f.low > 0 for f in found])
            loss = np.mean([f.high < 0 for f in found])
            thin = "thin" if share * sum(sizes) < THIN else ""
            yield name, f"{sizes[0]}/{sizes[1]}", gain, loss, gain + loss, _error(reps), thin


def effect(full: bool) -> Iterator[Line]:
    yield "orders treated, control", "groups", "holds the effect", "error"
    reps = 2000 if full else 200
    for p, q in ((0.10, 0.05), (0.05, 0.10), (0.3, 0.2), (0.02, 0.02)):
        for sizes in SIZES[:2]:
            rng, held = np.random.default_rng(2), 0
            for _ in range(reps):
                x = (rng.random(sizes[0]) < p) * rng.gamma(2, 30, sizes[0])
                y = (rng.random(sizes[1]) < q) * rng.gamma(2, 30, sizes[1])
                found = campaign_effect(x, y, n_draws=499)
                held += found.low <= 60 * (p - q) <= found.high
            yield f"{p:g}, {q:g}", f"{sizes[0]}/{sizes[1]}", held / reps, _error(reps)


def adjusted(full: bool) -> Iterator[Line]:
    """Errors without an effect and misses of a true one, both 5 % at best."""
    yield "what", "groups", "says effect", "misses effect", "error"
    reps = 2000 if full else 200
    for name, make in ADJUSTED.items():
        for sizes in SIZES:
            rng = np.random.default_rng(4)
            wrong = missed = 0
            for i in range(reps):
                wrong += not _in(make(sizes, 0.0, rng, i), 0.0)
                missed += not _in(make(sizes, 3.0, rng, i), 3.0)
            yield name, f"{sizes[0]}/{sizes[1]}", wrong / reps, missed / reps, _error(reps)
    for sizes in ((12, 12), (8, 7, 9), (40, 30, 30)):
        for method in ("permutation", "welch"):
            rng, wrong, missed = np.random.default_rng(5), 0, 0
            for i in range(reps):
                wrong += not _in(_started(sizes, 0.0, method, rng, i), 0.0)
                missed += not _in(_started(sizes, 2.0, method, rng, i), 2.0)
            told = "/".join(map(str, sizes))
            yield f"starts, {method}", told, wrong / reps, missed / reps, _error(reps)


def _in(found: Any, effect: float) -> bool:
    return bool(found.low <= effect <= found.high)


def _with_covariates(k: int) -> Callable[..., Any]:
    def make(sizes: tuple[int, int], effect: float, rng: np.random.Generator, seed: int) -> Any:
        n, m = sizes
        x = rng.gamma(1.0, 20.0, (n + m, k))
        y = (rng.random(n + m) < 0.3) * rng.gamma(2.0, 0.5 * x.mean(axis=1) + 1.0)
        y[:n] += effect
        return campaign_effect(y[:n], y[n:], before=(x[:n], x[n:]), n_draws=499, seed=seed)

    return make


def _ratio(sizes: tuple[int, int], effect: float, rng: np.random.Generator, seed: int) -> Any:
    n, m = sizes
    orders = rng.poisson(0.7, n + m).astype(float)
    spend = orders * rng.gamma(4.0, 5.0, n + m)
    spend[:n] += effect * orders[:n]
    per = orders[:n], orders[n:]
    return campaign_effect(spend[:n], spend[n:], per=per, n_draws=499, seed=seed)


def _started(
    sizes: tuple[int, ...], effect: float, method: Any, rng: np.random.Generator, seed: int
) -> Any:
    """Random walks of units; the last group never starts."""
    import pandas as pd

    n, starts = sum(sizes), [3.0, 4.0, np.nan] if len(sizes) == 3 else [4.0, np.nan]
    start = np.repeat(starts, sizes)
    walk = rng.normal(size=(n, 6)).cumsum(axis=1)
    walk += effect * (np.arange(1, 7) >= np.nan_to_num(start, nan=9.0)[:, None])
    panel = pd.DataFrame({"unit": np.repeat(np.arange(n), 6), "month": np.tile(range(1, 7), n),
                          "y": walk.ravel(), "start": np.repeat(start, 6)})  # fmt: skip
    return crm_effect(panel, unit="unit", period="month", metrics=["y"], adopted="start",
                      method=method, seed=seed, n_draws=499)["y"]  # fmt: skip


ADJUSTED: dict[str, Callable[..., Any]] = {
    "1 covariate": _with_covariates(1),
    "20 covariates": _with_covariates(20),
    "spend an order": _ratio,
}


def parameters(full: bool) -> Iterator[Line]:
    yield "law", "customers", "holds each parameter", "error"
    reps = 300 if full else 30
    for model, n in ((NBD, 200), (BGNBD, 200), (MBGNBD, 200), (ParetoNBD, 200)):
        held = []
        truth = np.array(list(LAWS[model].values()))
        for seed in range(reps if model is not ParetoNBD or full else 10):
            X = _histories(model, n, seed)
            held.append(_holds(model().fit(X).confidence_interval(X), truth))
        yield (
            model.__name__,
            n,
            " ".join(f"{v:.3f}" for v in np.mean(held, axis=0)),
            _error(len(held)),
        )


def alive(full: bool) -> Iterator[Line]:
    yield "law", "customers", "P(alive) within 80 %", "the point alone says", "is", "error"
    reps = 60 if full else 8
    for model in LAWS:
        if model is NBD:
            continue  # nobody leaves
        for n in (200, 1000):
            inside, said, true = [], [], []
            for seed in range(reps):
                X = _histories(model, n, 50_000 + seed)
                right = model.from_params(**LAWS[model]).predict_alive(X)
                fitted = model().fit(X)
                draws = fitted.bootstrap(X, n_draws=60, random_state=seed)
                table = alive_interval(fitted, X, draws, level=0.8)
                quiet = (X["frequency"] > 0) & (table["alive"] < 0.2)
                known = X["frequency"] > 0  # BG/NBD is certain of the others
                inside.append(
                    np.mean(((table["lower"] <= right) & (right <= table["upper"]))[known])
                )
                said += table["alive"][quiet].tolist()
                true += right[quiet].tolist()
            error = float(np.std(inside) / np.sqrt(reps))
            yield model.__name__, n, np.mean(inside), np.mean(said), np.mean(true), error


def summits(full: bool) -> Iterator[Line]:
    yield "law", "customers", "samples", "lower by more than 0.01", "largest gap"
    for model in LAWS:
        for n in (30, 100, 200, 500):
            reps = (750 if full else 6) if model is not ParetoNBD or full else 3
            gaps = [_gap(model, _histories(model, n, 10_000 + seed), seed) for seed in range(reps)]
            low = sum(g > 0.01 for g in gaps)
            yield model.__name__, n, reps, low, max(0.0, *gaps)


def spend(full: bool) -> Iterator[Line]:
    yield "orders a customer", "customers", "fits", "failed or short of the maximum"
    reps = 40 if full else 10
    for orders in ((1, 20), (50, 200), (200, 1000), (1000, 5000), (10**5, 10**6)):
        for n in (50, 200, 2000):
            bad = 0
            for seed in range(reps):
                rng = np.random.default_rng(seed)
                x = rng.integers(orders[0], orders[1] + 1, n).astype(float)
                mean = rng.gamma(6.25 * x) / rng.gamma(3.74, 1 / 15.44, n) / x
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always")
                    try:
                        GammaGamma().fit(np.column_stack([x, mean]))
                    except FitFailedError:
                        bad += 1
                bad += any("Convergence" in w.category.__name__ for w in said)
            yield f"{orders[0]}-{orders[1]}", n, reps, bad


def chain(full: bool) -> Iterator[Line]:
    yield "states", "customers", "homogeneity rejected", "order 1 rejected", "error"
    for states, n in ((3, 500), (8, 500), (20, 500), (20, 2000)):
        reps = (400 if states == 20 else 1500) if full else 40
        same, first = [], []
        for seed in range(reps):
            rng = np.random.default_rng(seed)
            matrix = rng.dirichlet(np.full(states, 0.5), states)
            path = np.empty((n, 10), dtype=np.int64)
            path[:, 0] = rng.integers(0, states, n)
            for h in range(1, 10):
                below = matrix[path[:, h - 1]].cumsum(axis=1)[:, :-1]
                path[:, h] = (rng.random(n)[:, None] > below).sum(axis=1)
            period = np.broadcast_to(np.arange(9), (n, 9)).ravel()
            before, after = path[:, :-1].ravel(), path[:, 1:].ravel()
            same.append(homogeneity(before, after, period).p_value <= 0.05)
            at = np.arange(path.size).reshape(path.shape)
            test = order_one_against_two(path.ravel(), at[:, :-1].ravel(), at[:, 1:].ravel())
            first.append(test.p_value <= 0.05)
        yield states, n, np.mean(same), np.mean(first), _error(reps)


def rmse(full: bool) -> Iterator[Line]:
    import pandas as pd

    yield "customers", "methods", "holds the difference of RMSE", "error"
    reps = 250 if full else 40
    for n in (300, 1500):
        for worse in (False, True):
            rng, held = np.random.default_rng(3), 0
            truth = _rmse_gap(_forecasts(2_000_000, worse, rng))
            for _ in range(reps):
                rows = _forecasts(n, worse, rng)
                table = pd.DataFrame({"estimator": ["one", "other"]})
                frame = pd.DataFrame({"id": np.arange(n), "cutoff": 0, **rows})
                result = BacktestResult(table, frame, "52W", "id")
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", CustvalueWarning)
                    found = result.differences(against="one", metrics=["rmse"], n_resamples=300)
                held += found["lower"].iloc[0] <= truth <= found["upper"].iloc[0]
            yield n, "one is worse" if worse else "equal", held / reps, _error(reps)


def _forecasts(n: int, worse: bool, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Mostly zero, skewed outcomes, and two forecasts that err alike or not."""
    mean = rng.gamma(0.5, 100.0, n)
    actual = (rng.random(n) < 0.4) * mean * rng.lognormal(0.5, 1.0, n)
    one, other = (mean * rng.lognormal(0.0, 0.4, n) for _ in range(2))
    return {"actual": actual, "one": one, "other": other * (1.6 if worse else 1.0)}


def _rmse_gap(rows: dict[str, np.ndarray]) -> float:
    one, other = (
        float(np.sqrt(np.mean((rows[k] - rows["actual"]) ** 2))) for k in ("one", "other")
    )
    return other - one


def _histories(model: Any, n: int, seed: int) -> Any:
    T = np.random.default_rng(900_000 + seed).uniform(10, 40, n)
    return model.from_params(**LAWS[model]).sample_histories(n, T=T, random_state=seed)


def _holds(table: Any, truth: np.ndarray) -> np.ndarray:
    return np.asarray((table["lower"] <= truth) & (truth <= table["upper"]))


def _gap(model: Any, X: Any, seed: int) -> float:
    """Return how far a fit ends below the best of 20 searches from random starts."""
    reached = model().fit(X).fit_report().log_likelihood
    x, t_x, T = X[["frequency", "recency", "T"]].to_numpy().T
    law, rows = model.law, compress(x, t_x, T, None, None)
    units = law.units(rows)
    counted = law.counted(rows, units)
    objective, plan = law.objective_of(counted), law.plan(counted)
    rng, best = np.random.default_rng(seed), -np.inf
    for _ in range(20):
        start = rng.normal(0.0, 2.0, len(law.names))
        found = maximise(objective, start, plan.lower, plan.upper, tol=1e-12)
        best = max(best, found.value if np.isfinite(found.value) else -np.inf)
    return best * rows.n - float(rows.w @ law.log_unit(rows, units)) - reached


def _error(reps: int) -> float:
    return float(np.sqrt(0.05 * 0.95 / reps))


TABLES = {
    f.__name__: f
    for f in (campaign, effect, adjusted, parameters, alive, summits, spend, chain, rmse)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], help="default: all")
    parser.add_argument("--full", action="store_true", help="as many samples as it deserves")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", CustvalueWarning)
    for name in asked.tables or TABLES:
        print(f"\n## {name}\n")
        for i, line in enumerate(TABLES[name](asked.full)):
            cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in line)
            print("| " + " | ".join(cells) + " |", flush=True)
            if i == 0:
                print("|" + " --- |" * len(line))


if __name__ == "__main__":
    main()
