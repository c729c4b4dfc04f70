"""Who forecasts best: ``python -m benchmarks.accuracy [scenario ...] [--differences] [--regret]``.

Every method that is installed, on every scenario; ``--differences`` compares each with the one
named by ``--against``; ``--regret`` ends with one table: by scenario and score how far that one
lies behind the best of all rows, with the bootstrap interval. ``--verdicts`` runs the default
forecast alone and holds what it says beforehand that it may be used for to what then came.
Scenarios:

* ``cdnow``: cutoff week 39, horizon 39 weeks, 23,500 customers;
* ``online_retail``: cutoff day 189, horizon 182 days (refunds netted within the day; rows without
  a customer left out);
* ``cdnow_rolling``, ``online_retail_rolling``: three earlier and later origins each, so that a
  default that suits one date only shows;
* ``retail_transactions``, ``retail_transactions_rolling``: four years of steady buyers;
* ``superstore``, ``superstore_rolling``: a sample shop whose customers can hardly be ranked;
* ``shop_plain``, ``shop_frequent``, ``shop_panel``, ``shop_durable``, ``shop_subscription``,
  ``shop_seasonal``, ``shop_heavy``, ``shop_regular``: ``datasets.make_shop``, two years known, 52
  weeks forecast; ``shop`` stands for all of them;
* ``quarters``: the seasonal shop, four years of it, a high quarter and a low one forecast;
* ``simulated_plain``, ``_growth``, ``_decline``, ``_season``, ``_regular``, ``_heavy`` and
  ``_cohort``: shops in whose data no method has its own model (see ``benchmarks/shops.py``);
  ``simulated`` stands for all of them.

What is no part of the library is read from the folder named by CUSTVALUE_DATA, or ``shared/data``
beside the project; a scenario is skipped with the reason where its file is not there.
"""

from __future__ import annotations

import argparse
import os
import platform
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import custvalue as cv
from benchmarks.peers import EXCLUDED, PACKAGES, Clvkit, Lifetimes, installed
from benchmarks.shops import CUTOFF, KINDS, START, shop
from custvalue.datasets import make_shop
from custvalue.evaluation import BacktestResult, BestValue, CalibratedTotal, backtest
from custvalue.evaluation._verdict import (
    COVER_GOOD,
    DECILES_GOOD,
    GINI_GOOD,
    TOTAL_GOOD,
    Verdict,
)
from custvalue.markov import MarkovCLVEstimator
from custvalue.metrics import decile_calibration_error

MARKOV = "MarkovCLVEstimator"
BEST = "BestValue"
REGRETTED = {"gini": 1, "tweedie": -1, "absolute_total_bias": -1}  # 1: more is better
SHOWN = [
    "gini",
    "ratio",
    "tweedie",
    "mae",
    "rmse",
    "decile_calibration",
    "top_decile",
    "brier",
    "coverage",
    "seconds",
]
ROUNDED = {"ratio": 2, "mae": 1, "rmse": 1, "seconds": 2}


@dataclass(frozen=True)
class Scenario:
    """A log, its origins and its horizon."""

    log: pd.DataFrame
    names: dict[str, Any]
    cutoffs: list[Any]
    horizon: str


def cdnow() -> Scenario:
    return Scenario(cv.datasets.load_cdnow(), _CDNOW, ["1997-09-30"], "39W")


def cdnow_rolling() -> Scenario:
    days = ["1997-06-30", "1997-09-30", "1997-12-30"]
    return Scenario(cv.datasets.load_cdnow(), _CDNOW, days, "26W")


def online_retail() -> Scenario:
    log, first = _online_retail()
    return Scenario(log, _RETAIL, [first + pd.Timedelta(days=189)], "182D")


def online_retail_rolling() -> Scenario:
    log, first = _online_retail()
    days = [first + pd.Timedelta(days=d) for d in (130, 190, 250)]
    return Scenario(log, _RETAIL, days, "120D")


def simulated(kind: str) -> Scenario:
    cutoff = START + pd.Timedelta(days=CUTOFF - 1)
    return Scenario(shop(kind), _CDNOW, [cutoff], "52W")


def retail_transactions() -> Scenario:
    return Scenario(_stored("retail_transactions"), _STEADY, ["2014-03-16"], "52W")


def retail_transactions_rolling() -> Scenario:
    days = ["2013-03-16", "2013-09-16", "2014-09-10"]
    return Scenario(_stored("retail_transactions"), _STEADY, days, "26W")


def superstore() -> Scenario:
    return Scenario(_stored("superstore"), _SUPERSTORE, ["2018-12-30"], "52W")


def superstore_rolling() -> Scenario:
    days = ["2017-12-30", "2018-06-30", "2019-06-30"]
    return Scenario(_stored("superstore"), _SUPERSTORE, days, "26W")


def made(kind: Any) -> Scenario:
    cutoff = START + pd.Timedelta(days=CUTOFF - 1)
    log = make_shop(kind, 2500, days=1096, start=START, random_state=7).log
    return Scenario(log, _CDNOW, [cutoff], "52W")


def quarters() -> Scenario:
    log = make_shop("seasonal", 1500, days=1461, start="2021-01-01", random_state=7).log
    return Scenario(log, _CDNOW, ["2024-02-29", "2024-08-31"], "91D")


_SUPERSTORE = {"customer": "Customer ID", "time": "Order Date", "amount": "Sales"}
_STEADY = {"customer": "customer_id", "time": "trans_date", "amount": "tran_amount"}
MADE = (
    "plain",
    "frequent",
    "panel",
    "durable",
    "subscription",
    "seasonal",
    "heavy",
    "regular",
)
_CDNOW = {"customer": "customer_id", "time": "date", "amount": "amount"}
_RETAIL = {
    "customer": "CustomerID",
    "time": "InvoiceDate",
    "amount": "amount",
    "refunds": "net_occasion",
}
SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "cdnow": cdnow,
    "online_retail": online_retail,
    "cdnow_rolling": cdnow_rolling,
    "online_retail_rolling": online_retail_rolling,
    "retail_transactions": retail_transactions,
    "retail_transactions_rolling": retail_transactions_rolling,
    "superstore": superstore,
    "superstore_rolling": superstore_rolling,
    "quarters": quarters,
    **{f"shop_{kind}": partial(made, kind) for kind in MADE},
    **{f"simulated_{kind}": partial(simulated, kind) for kind in KINDS},
}


def _stored(name: str) -> pd.DataFrame:
    folder = os.environ.get("CUSTVALUE_DATA", Path(__file__).parents[2] / "shared" / "data")
    path = Path(folder) / f"{name}.parquet"
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is not here; set CUSTVALUE_DATA to its folder")
    return pd.read_parquet(path)


def _online_retail() -> tuple[pd.DataFrame, pd.Timestamp]:
    log = _stored("online_retail")
    first = log["InvoiceDate"].min().normalize()
    log["amount"] = log["Quantity"] * log["UnitPrice"]
    log = log.loc[log["CustomerID"].notna(), ["CustomerID", "InvoiceDate", "amount"]]
    return log, first


def methods(*, peers: bool = True, calibrated: bool = False) -> dict[str, Any]:
    """All methods by the name they have in the table; the compared one first."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline

    from custvalue import purchase, spend, value

    named: dict[str, Any] = {
        MARKOV: MarkovCLVEstimator(),
        "CustomerValue": value.CustomerValue(),
        # the row that explains the ranking of all that follow a customer's own spend
        "law x own mean of all orders": value.CustomerValue(spend=spend.OwnMean()),
        "law x Gamma-Gamma, all orders": value.CustomerValue(spend=spend.GammaGamma()),
    }
    for law in ("ParetoNBD", "BGNBD", "MBGNBD", "NBD"):
        named[f"{law} x GammaGamma, repeat orders"] = value.CustomerValue(
            purchases=getattr(purchase, law)(), spend=spend.GammaGamma(), orders="repeat"
        )
    named["retention (Dwyer)"] = value.RetentionValue()
    named["recency migration (Berger & Nasr 5)"] = value.RecencyMigration()
    named["RFM cell means (Hughes)"] = value.CellMeans()
    named["same for all"] = value.SameForAll()
    named["learner"] = value.LearnedValue()
    named[BEST] = BestValue()
    named["chain of counts"] = MarkovCLVEstimator(transitions="counts")
    named["chain of RFM scores"] = make_pipeline(cv.RFMTransformer(), MarkovCLVEstimator())
    named["gradient boosting"] = HistGradientBoostingRegressor(max_iter=100, random_state=0)
    if calibrated:
        named["CustomerValue, total calibrated"] = CalibratedTotal(value.CustomerValue())
    if peers and installed("lifetimes"):
        named["lifetimes Pareto/NBD x GG"] = Lifetimes("ParetoNBDFitter")
        named["lifetimes BG/NBD x GG"] = Lifetimes("BetaGeoFitter")
    if peers and installed("clvkit"):
        named["clvkit BG/NBD x GG"] = Clvkit("BGNBD")
    return named


def run(scenario: Scenario, estimators: dict[str, Any], progress: bool = False) -> BacktestResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each method's own remarks would drown the table
        return backtest(
            estimators,
            scenario.log,
            cutoffs=scenario.cutoffs,
            horizon=scenario.horizon,
            unit="W",
            on_error="note",
            progress=progress,
            **scenario.names,
        )


def table(result: BacktestResult) -> pd.DataFrame:
    scores = result.scores()
    scores["ratio"] = 1.0 + scores["total_bias"]
    scores["seconds"] = scores["fit_seconds"] + scores["predict_seconds"]
    return scores[SHOWN].round({name: ROUNDED.get(name, 3) for name in SHOWN})


def verdicts(result: BacktestResult, against: str) -> pd.DataFrame:
    """Each other method against one of them: its difference, interval and verdict."""
    found = result.differences(against=against, n_resamples=300)
    found["interval"] = [
        f"{d:+.4g} [{low:+.4g}, {high:+.4g}] {word}"
        for d, low, high, word in zip(
            found["difference"], found["lower"], found["upper"], found["verdict"], strict=True
        )
    ]
    return found.pivot(index="estimator", columns="metric", values="interval")


def regret(result: BacktestResult, of: str) -> dict[str, Any]:
    """How far a method lies behind the best row: Gini, share of the deviance, log of the total.

    In brackets the 95 % bootstrap interval of the difference to that row.
    """
    scores = result.scores()
    scores["absolute_total_bias"] = scores["abs_total_bias"]
    whole = [name for name in result.estimators if not result.predictions[name].isna().any()]
    row: dict[str, Any] = {}
    if of not in whole:
        return {"failed": True}
    for metric, sign in REGRETTED.items():
        best = (sign * scores.loc[whole, metric]).idxmax()
        unit = scores.loc[best, metric] if metric == "tweedie" else 1.0
        told = f"{abs(scores.loc[of, metric] - scores.loc[best, metric]) / unit:.3f}"
        if best != of:
            found = result.differences(against=best, metrics=[metric], n_resamples=200)
            mine = found[found["estimator"] == of].iloc[0]
            told += f" [{-sign * mine['upper'] / unit:+.3f}, {-sign * mine['lower'] / unit:+.3f}]"
            if sign < 0:
                told = told.split(" [")[0] + (
                    f" [{mine['lower'] / unit:+.3f}, {mine['upper'] / unit:+.3f}]"
                )
        row[metric] = f"{told} {best}"
    row["total / actual"] = round(float(1.0 + scores.loc[of, "total_bias"]), 2)
    row["coverage"] = round(float(scores.loc[of, "coverage"]), 2)
    return row


class Remembered(BestValue):
    """The default forecast, whose verdict is still known after the backtest has dropped it."""

    last: Verdict

    def fit(self, X: Any, y: Any = None) -> Remembered:
        super().fit(X, y)
        Remembered.last = self.verdict()
        return self


def held(scenario: Scenario) -> dict[str, Any]:
    """What the default said beforehand that it may be used for, and what came.

    A use that was called good and missed its own bound for good, or one that was refused and would
    have kept it, is marked.
    """
    result = run(scenario, {BEST: Remembered()})
    said, came = Remembered.last, result.scores().loc[BEST]
    ratio = 1.0 + came["total_bias"]
    actual, predicted = result.predictions["actual"], result.predictions[BEST]
    tenths = decile_calibration_error(actual, predicted / ratio)  # once the total is right
    inside = COVER_GOOD[0] <= came["coverage"] <= COVER_GOOD[1]
    kept = {
        "budget": abs(np.log(ratio)) <= TOTAL_GOOD,
        "list": came["gini"] >= GINI_GOOD,
        "customer": tenths <= DECILES_GOOD and inside,
    }
    missed = [use for use, word in said.uses.items() if word == "good" and not kept[use]]
    shy = [use for use, word in said.uses.items() if word == "no" and kept[use]]
    return {
        "altogether": said.overall,
        **said.uses,
        "total / actual": round(float(ratio), 2),
        "gini": round(float(came["gini"]), 2),
        "tenths off": round(float(tenths), 2),
        "coverage": round(float(came["coverage"]), 2),
        "called good, was not": ", ".join(missed),
        "refused, was good": ", ".join(shy),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", nargs="*", default=list(SCENARIOS)[:2])
    parser.add_argument("--differences", action="store_true", help="bootstrap intervals too")
    parser.add_argument("--against", default=BEST, help="whom differences and regret are of")
    parser.add_argument("--regret", action="store_true", help="one table of regret at the end")
    parser.add_argument("--verdicts", action="store_true", help="what the default says it is for")
    parser.add_argument("--without-peers", action="store_true", help="custvalue's methods alone")
    parser.add_argument("--calibrated", action="store_true", help="a total calibrated, too")
    parser.add_argument("--only", nargs="*", default=[], help="names of the methods to run")
    chosen = parser.parse_args(arguments)
    packages = {name: installed(name) or "not installed" for name in PACKAGES}
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, custvalue {cv.__version__}, numpy {np.__version__}, "
        f"pandas {pd.__version__}, " + ", ".join(f"{k} {v}" for k, v in packages.items())
    )
    print("\n".join(EXCLUDED))
    shops = [name for name in SCENARIOS if name.startswith("simulated_")]
    groups = {"simulated": shops, "shop": [f"shop_{kind}" for kind in MADE]}
    wanted = [name for part in chosen.scenario for name in groups.get(part, [part])]
    regrets, told = {}, {}
    for name in wanted:
        try:
            scenario = SCENARIOS[name]()
        except FileNotFoundError as reason:
            print(f"\n## {name}: skipped ({reason})")
            continue
        if chosen.verdicts:
            told[name] = held(scenario)
            print(pd.DataFrame({name: told[name]}).T.to_string(), flush=True)
            continue
        named = methods(peers=not chosen.without_peers, calibrated=chosen.calibrated)
        named = {k: v for k, v in named.items() if not chosen.only or k in chosen.only}
        result = run(scenario, named, progress=True)
        print(f"\n## {name}: horizon {scenario.horizon}, {len(scenario.cutoffs)} origins")
        print(table(result).to_string())
        if chosen.regret:
            regrets[name] = regret(result, chosen.against)
            print(pd.DataFrame({name: regrets[name]}).T.to_string(), flush=True)
        if chosen.differences:
            print(f"\nagainst {chosen.against} (95 % bootstrap interval):")
            print(verdicts(result, chosen.against).to_string())
    if regrets:
        print(f"\n## regret of {chosen.against} against the best row")
        print(pd.DataFrame(regrets).T.to_string())
    if told:
        print("\n## what the default said beforehand, and what came")
        print(pd.DataFrame(told).T.to_string())


if __name__ == "__main__":
    pd.set_option("display.width", 250)
    main()
