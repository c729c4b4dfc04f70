"""Columns that change in time: what they cost, whether the truth is found, what they forecast.

``python -m benchmarks.bench_varying speed``, ``recovery`` or ``forecast``, or all three. Seconds
are of the processor.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from custvalue.data import TransactionLog
from custvalue.purchase import BGNBD, ParetoNBD, VaryingBGNBD, VaryingParetoNBD

START = pd.Timestamp("2022-01-03")
NAMES = {"customer": "who", "time": "day", "amount": "paid"}
LAWS: dict[Any, dict[str, Any]] = {
    VaryingParetoNBD: {
        "params": {"r": 1.0, "alpha": 12.0, "s": 0.8, "beta": 30.0},
        "effects": {
            "purchase": {"contacts": 0.5, "price": -0.3},
            "leave": {"contacts": -0.3, "price": 0.4},
        },
    },
    VaryingBGNBD: {
        "params": {"r": 1.0, "alpha": 12.0, "a": 0.8, "b": 3.0},
        "effects": {"purchase": {"contacts": 0.5, "price": -0.3}, "leave": {"club": -0.6}},
    },
}


def world(kind: Any, n: int, weeks: int, ahead: int = 0, seed: int = 0) -> tuple[Any, Any, Any]:
    """A simulated log of so many weeks (and some ahead), its table of weeks, and the truth."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(START, periods=weeks + ahead, freq="7D")
    index = pd.MultiIndex.from_product([range(n), dates], names=["who", "week"])
    table = index.to_frame(index=False)
    table["contacts"] = rng.poisson(0.4, len(table)).astype(float)
    own = np.repeat(rng.normal(size=n), len(dates))
    table["price"] = 0.5 * own + 0.5 * rng.normal(size=len(table))
    table["club"] = np.repeat((rng.random(n) < 0.4).astype(float), len(dates))
    came = START + pd.to_timedelta(rng.integers(0, 7 * weeks // 4, n), unit="D")
    end = dates[-1] + pd.Timedelta(days=6)
    first = TransactionLog(
        pd.DataFrame({"who": np.arange(n), "day": came, "paid": 1.0}), **NAMES, as_of=end
    )
    truth = kind.from_params(**LAWS[kind]["params"], effects=LAWS[kind]["effects"], unit="W")
    drawn = truth.sample(first.walks(table, period="week", unit="W"), random_state=seed)
    log = TransactionLog(drawn.rename(columns={"date": "day"}).assign(paid=1.0), **NAMES, as_of=end)
    return log, table, truth


def asking(kind: Any) -> dict[str, list[str]]:
    """Ask for the columns that moved the process."""
    return {f"{p}_columns": list(each) for p, each in LAWS[kind]["effects"].items()}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of the work, and what it gave."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def speed() -> pd.DataFrame:
    """Seconds to lay the walks, of one likelihood with gradient and Hessian, of fit and predict."""
    rows = []
    for n, weeks in ((250, 82), (600, 313), (10_000, 52), (10_000, 104)):
        for kind in LAWS:
            log, table, truth = world(kind, n, weeks, 9)
            log = log.until(START + pd.Timedelta(days=7 * weeks - 1))
            log.summary("W")
            walking, walks = timed(lambda log=log, t=table: log.walks(t, period="week", unit="W"))
            made = truth._rows(walks)
            law = truth._fitted_law(made)
            at = law.from_logs(np.log(truth.fitted_.values))
            value, _ = timed(
                lambda law=law, v=truth.fitted_.values, m=made: law.log_likelihoods(v, m)
            )
            objective = law.objective_of(made)
            once, _ = timed(lambda objective=objective, at=at: objective(at))
            fit, model = timed(lambda kind=kind, w=walks: kind(**asking(kind)).fit(w))
            forecast, _ = timed(lambda model=model, w=walks: model.predict(w, "8W"))
            rows.append((kind.__name__, n, weeks, walking, value, once, fit, forecast))
    names = ["law", "customers", "weeks", "walks", "likelihood", "with derivatives", "fit"]
    return pd.DataFrame(rows, columns=[*names, "predict"]).round(3)


def recovery(worlds: int = 12, n: int = 1500) -> pd.DataFrame:
    """Means of the estimates, how they spread, what they say of it, and how often it holds."""
    rows = []
    for kind in LAWS:
        found, errors, truth = [], [], None
        for seed in range(worlds):
            log, table, truth = world(kind, n, 78, seed=seed)
            model = kind(**asking(kind)).fit(log.walks(table, period="week", unit="W"))
            found.append(np.log(model.fitted_.values))
            errors.append(np.sqrt(np.diag(model.covariance())))
        logs, error, true = np.array(found), np.array(errors), np.log(truth.fitted_.values)
        inside = np.abs(logs - true) < 1.96 * error
        for i, name in enumerate(truth.fitted_.names):
            rows.append(
                (kind.__name__, name, true[i], logs[:, i].mean(), logs[:, i].std(ddof=1),
                 np.nanmean(error[:, i]), inside[:, i].mean())
            )  # fmt: skip
    names = ["law", "log of", "truth", "mean", "spread", "standard error", "95 % held"]
    return pd.DataFrame(rows, columns=names).round(3)


def forecast(worlds: int = 3, n: int = 4000) -> pd.DataFrame:
    """Errors of 13 weeks ahead, the contacts of which are planned; by the week and of the whole."""
    rows = []
    for kind, plain in ((VaryingParetoNBD, ParetoNBD), (VaryingBGNBD, BGNBD)):
        for seed in range(worlds):
            log, table, truth = world(kind, n, 78, 13, seed)
            cut = START + pd.Timedelta(days=7 * 78 - 1)
            rng = np.random.default_rng(1000 + seed)
            # a campaign: in the time ahead a third of the customers get two contacts a week
            mailed = np.repeat(rng.random(n) < 1 / 3, 91)
            ahead = (table["week"] > cut).to_numpy()
            table.loc[ahead & mailed, "contacts"] = 2.0
            past = log.until(cut)
            walks = past.walks(table, period="week", unit="W")
            came = truth.sample_future(walks, "13W", random_state=2000 + seed)[:, 0]
            model = kind(**asking(kind)).fit(walks)
            summary = past.summary("W")
            got = mailed[::91]
            for name, said in (
                ("truth", truth.predict(walks, "13W")),
                (kind.__name__, model.predict(walks, "13W")),
                (plain.__name__, plain().fit(summary).predict(summary, "13W")),
            ):
                rows.append(
                    (kind.__name__, name, np.abs(said - came).mean(),
                     np.sqrt(np.mean((said - came) ** 2)), said[got].sum() / came[got].sum() - 1,
                     said[~got].sum() / came[~got].sum() - 1)
                )  # fmt: skip
    names = ["shop by", "forecast by", "mean absolute", "root mean square", "total of mailed",
             "total of others"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    return table.groupby(names[:2], sort=False).mean().round(3).reset_index()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # fits of small worlds on a boundary
    parts = {"speed": speed, "recovery": recovery, "forecast": forecast}
    for name in sys.argv[1:] or parts:
        print(f"\n## {name}\n\n{parts[name]().to_string(index=False)}", flush=True)
