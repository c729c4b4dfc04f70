"""lifetimes and clvkit against custvalue on CDNOW: 23,500 customers known after 39 weeks.

Every fit is checked to end at the same optimum: the log-likelihood of each one's parameters, by
custvalue's law, may not be better than ours by more than 1e-6 a customer; a peer that stops short
of it is named. Jobs that no peer has run against plain pandas, with the same answers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import custvalue as cv
from benchmarks import naive
from benchmarks._race import Job
from benchmarks.peers import EXCLUDED, installed
from custvalue import purchase
from custvalue.markov import MarkovCLVEstimator, PanelStates
from custvalue.silence import rank_ratio, silence_score
from custvalue.spend import GammaGamma
from custvalue.value import CustomerValue

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
AS_OF = "1997-09-30"
WEEKS = 39
NAME_OF = {  # ours -> lifetimes', clvkit's
    "BGNBD": ("BetaGeoFitter", "BGNBD"),
    "MBGNBD": ("ModifiedBetaGeoFitter", "MBGNBD"),
    "ParetoNBD": ("ParetoNBDFitter", None),
}


class Data:
    """The log, our summary, and each peer's own."""

    def __init__(self) -> None:
        log = cv.datasets.load_cdnow()
        self.log = log[(log["date"] <= AS_OF) & (log["amount"] > 0)].reset_index(drop=True)
        self.table = ours_summary(self)
        self.repeat = self.table[self.table["frequency"] > 0]
        self.base = quiet(clvkit_summary)(self) if installed("clvkit") else None


def quiet(method: Callable[[Data], Any]) -> Callable[[Data], Any]:
    def run(data: Data) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return method(data)

    return run


def ours_summary(data: Data) -> pd.DataFrame:
    return cv.summarize(data.log, **NAMES, as_of=AS_OF, unit="W")


def lifetimes_summary(data: Data) -> pd.DataFrame:
    from lifetimes.utils import summary_data_from_transaction_data

    return summary_data_from_transaction_data(
        data.log,
        "customer_id",
        "date",
        monetary_value_col="amount",
        observation_period_end=AS_OF,
        freq="D",
    )


def clvkit_summary(data: Data) -> Any:
    import clvkit

    return clvkit.CustomerBase.from_transactions(
        data.log, time_unit="W", collapse="D", observation_period_end=AS_OF
    )


def same_summaries(results: dict[str, Any]) -> None:
    ours = results["custvalue"]
    if "lifetimes" in results:
        theirs = results["lifetimes"]
        np.testing.assert_array_equal(ours["frequency"], theirs["frequency"])
        np.testing.assert_allclose(ours["T"] * 7, theirs["T"])
    if "clvkit" in results:
        theirs = results["clvkit"].to_pandas().reindex(ours["customer_id"])
        np.testing.assert_array_equal(ours["frequency"], theirs["frequency"])


def fit_job(law: str) -> Job:
    model = getattr(purchase, law)
    in_lifetimes, in_clvkit = NAME_OF[law]
    methods: dict[str, Callable[[Data], Any]] = {
        "custvalue": lambda data: model().fit(data.table),
    }
    if installed("lifetimes"):
        methods["lifetimes"] = quiet(lambda data: lifetimes_fit(data, in_lifetimes))
    if installed("clvkit") and in_clvkit:
        methods["clvkit"] = quiet(lambda data: clvkit_fit(data, in_clvkit))

    def agree(results: dict[str, Any]) -> None:
        table = PREPARED.table
        best = model.from_params(**results["custvalue"].params_._asdict(), unit="W").score(table)
        for name in methods:
            if name == "custvalue":
                continue
            theirs = model.from_params(**peer_params(results[name]), unit="W").score(table)
            note_optimum(law, name, best, theirs)

    return Job(f"{law} fit", prepared, methods, agree, repeats_of={"lifetimes": 3, "clvkit": 3})


def note_optimum(law: str, name: str, best: float, theirs: float) -> None:
    """Refuse a table in which a peer has the better fit; say how close it came."""
    assert best >= theirs - 1e-6, (law, name, best, theirs)
    word = "same optimum" if theirs >= best - 1e-6 else "stops short of the optimum"
    NOTES.append(
        f"{law}, {name}: {word}; log-likelihood {theirs - best:+.1e} a customer from ours."
    )


def lifetimes_fit(data: Data, fitter: str) -> Any:
    import lifetimes

    table = data.table
    return getattr(lifetimes, fitter)().fit(table["frequency"], table["recency"], table["T"])


def clvkit_fit(data: Data, model: str) -> Any:
    import clvkit

    return getattr(clvkit, model)().fit(data.base)


def peer_params(fitted: Any) -> dict[str, float]:
    params = fitted.params_
    return {str(k): float(v) for k, v in dict(params).items()}


def value_job() -> Job:
    """Fitted models ready; expected money of 39 weeks, not discounted."""
    methods: dict[str, Callable[[Data], Any]] = {
        "custvalue": lambda data: MODELS["custvalue"].predict(data.table, horizon=f"{WEEKS}W"),
    }
    if installed("lifetimes"):
        methods["lifetimes"] = quiet(lifetimes_value)
    if installed("clvkit"):
        methods["clvkit"] = quiet(
            lambda data: MODELS["clvkit"].predict(horizon=WEEKS).to_pandas()["clv"]
        )

    def agree(results: dict[str, Any]) -> None:
        ours = float(np.sum(results["custvalue"]))
        for name, value in results.items():
            assert abs(float(np.sum(value)) / ours - 1) < 5e-3, (name, float(np.sum(value)), ours)

    return Job("value of 39 weeks (BG/NBD x Gamma-Gamma), fitted", fitted, methods, agree)


def lifetimes_value(data: Data) -> np.ndarray:
    orders, money = MODELS["lifetimes"]
    table = data.table
    expected = orders.conditional_expected_number_of_purchases_up_to_time(
        WEEKS, table["frequency"], table["recency"], table["T"]
    )
    spend = money.conditional_expected_average_profit(
        table["frequency"], table["monetary_value"].fillna(0.0)
    )
    return np.asarray(expected, float) * np.asarray(spend, float)


def gamma_gamma_job() -> Job:
    methods: dict[str, Callable[[Data], Any]] = {
        "custvalue": lambda data: GammaGamma().fit(data.table)
    }
    if installed("lifetimes"):
        methods["lifetimes"] = quiet(lifetimes_money)
    if installed("clvkit"):
        methods["clvkit"] = quiet(clvkit_money)

    def agree(results: dict[str, Any]) -> None:
        table = PREPARED.table
        best = GammaGamma.from_params(**results["custvalue"].params_._asdict()).score(table)
        for name in methods:
            if name == "custvalue":
                continue
            theirs = peer_params(results[name])
            if "v" in theirs:  # lifetimes' name of it
                theirs["gamma"] = theirs.pop("v")
            note_optimum("Gamma-Gamma", name, best, GammaGamma.from_params(**theirs).score(table))

    return Job("Gamma-Gamma fit", prepared, methods, agree)


def lifetimes_money(data: Data) -> Any:
    import lifetimes

    return lifetimes.GammaGammaFitter().fit(data.repeat["frequency"], data.repeat["monetary_value"])


def clvkit_money(data: Data) -> Any:
    import clvkit

    return clvkit.GammaGamma().fit(data.base)


NOTES = ["", *EXCLUDED, "No job draws random numbers: the data are the CDNOW log itself.", ""]
PREPARED: Any = None
MODELS: dict[str, Any] = {}


def prepared() -> Data:
    global PREPARED
    if PREPARED is None:
        PREPARED = Data()
    return PREPARED


def fitted() -> Data:
    data = prepared()
    MODELS["custvalue"] = CustomerValue(purchases=purchase.BGNBD()).fit(data.table)
    if installed("lifetimes"):
        MODELS["lifetimes"] = (
            quiet(lambda d: lifetimes_fit(d, "BetaGeoFitter"))(data),
            quiet(lifetimes_money)(data),
        )
    if installed("clvkit"):
        import clvkit

        clv = clvkit.CLV(clvkit.BGNBD(), check_independence=False)
        MODELS["clvkit"] = quiet(lambda d: clv.fit(d.base))(data)
    return data


def summary_job() -> Job:
    methods: dict[str, Callable[[Data], Any]] = {"custvalue": ours_summary}
    if installed("lifetimes"):
        methods["lifetimes"] = quiet(lifetimes_summary)
    if installed("clvkit"):
        methods["clvkit"] = quiet(clvkit_summary)
    return Job("summary of the CDNOW log", prepared, methods, same_summaries)


def chain_by_counts(data: Data) -> pd.Series:
    """Money of the next 40 weeks by customer, from the log, as ``naive.chain`` counts it."""
    panel = cv.panel(data.log, **NAMES, as_of=AS_OF, period="4W")
    model = MarkovCLVEstimator(
        PanelStates(recency_max=naive.R_MAX, monetary_classes=3),
        transitions="counts",
        horizon="40W",
    ).fit(panel)
    latest = panel.groupby("customer_id").tail(1)
    return pd.Series(model.predict(latest), index=latest["customer_id"].to_numpy())


def silence(data: Data) -> pd.DataFrame:
    table = cv.summarize(data.log, **NAMES, as_of=AS_OF, unit="D")
    return pd.DataFrame(
        {
            "S": silence_score(table["silence"], table["gap_max"]),
            "TrF": rank_ratio(table["n_gaps"], table["n_gaps_shorter"]),
        }
    )


def same_values(results: dict[str, Any]) -> None:
    ours, theirs = results["custvalue"], results["pandas"]
    np.testing.assert_allclose(ours, theirs.reindex(ours.index), rtol=1e-9)


def same_silence(results: dict[str, Any]) -> None:
    for name in ("pandas vectorised", "pandas by customer"):
        np.testing.assert_allclose(results["custvalue"], results[name], rtol=1e-12)


def jobs_without_peers() -> list[Job]:
    return [
        Job(
            "chain over (R, F, M) by counts, value of 40 weeks, from the log",
            prepared,
            {
                "custvalue": chain_by_counts,
                "pandas": lambda data: naive.chain(data.log, AS_OF, 10),
            },
            same_values,
        ),
        Job(
            "silence (S and TrF) of every customer, from the log",
            prepared,
            {
                "custvalue": silence,
                "pandas vectorised": lambda data: naive.silence(data.log, AS_OF),
                "pandas by customer": lambda data: naive.silence_one_by_one(data.log, AS_OF),
            },
            same_silence,
            repeats_of={"pandas by customer": 3},
        ),
    ]


JOBS = [
    summary_job(),
    fit_job("BGNBD"),
    fit_job("MBGNBD"),
    fit_job("ParetoNBD"),
    gamma_gamma_job(),
    value_job(),
    *jobs_without_peers(),
]
