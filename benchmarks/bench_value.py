"""Twelve-month discounted value of each customer, against lifetimes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._race import Job
from custvalue._frames import TableFacts, with_facts
from custvalue.purchase import BGNBD
from custvalue.spend import GammaGamma
from custvalue.value import CustomerValue

ORDERS = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
SPEND = {"p": 6.25, "q": 3.74, "gamma": 15.44}
MONTHLY = 0.01


def customers(n: int) -> pd.DataFrame:
    """Repeat buyers of n simulated customers, on a day grid, with their mean spend."""
    rng = np.random.default_rng(1)
    model = BGNBD.from_params(**ORDERS, unit="W")
    table = model.sample_histories(n, rng.uniform(27, 39, n), random_state=1)
    for name in ("recency", "T"):
        table[name] = np.rint(table[name] * 7)
    table = table[(table["frequency"] > 0) & (table["recency"] > 0)].reset_index(drop=True)
    x = table["frequency"].to_numpy()
    spend = rng.gamma(SPEND["p"] * x) / rng.gamma(SPEND["q"], 1 / SPEND["gamma"], x.size) / x
    table = table.assign(monetary_value=spend, customer=np.arange(x.size)).drop(columns="alive")
    return with_facts(table, TableFacts("summary", "customer", "D", "2020-01-01"))


def ours(timing: str) -> Any:
    orders = BGNBD.from_params(**{**ORDERS, "alpha": ORDERS["alpha"] * 7}, unit="D")
    return CustomerValue.from_fitted(
        orders,
        GammaGamma.from_params(**SPEND),
        annual_discount_rate=(1 + MONTHLY) ** 12 - 1,
        timing=timing,  # type: ignore[arg-type]
        period="30D",
        orders="repeat",
    )


def theirs() -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter, GammaGammaFitter
    orders, spend = BetaGeoFitter(), GammaGammaFitter()
    orders.params_ = pd.Series({**ORDERS, "alpha": ORDERS["alpha"] * 7})
    spend.params_ = pd.Series({"p": SPEND["p"], "q": SPEND["q"], "v": SPEND["gamma"]})
    from lifetimes.fitters import BaseFitter  # noqa: F401

    orders.predict = orders.conditional_expected_number_of_purchases_up_to_time
    return orders, spend


def lifetimes_value(table: Any) -> Any:
    orders, spend = theirs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return spend.customer_lifetime_value(
            orders,
            table["frequency"],
            table["recency"],
            table["T"],
            table["monetary_value"],
            time=12,
            discount_rate=MONTHLY,
            freq="D",
        ).to_numpy()


def same(found: dict[str, Any]) -> None:
    if "lifetimes" in found:
        # their month of 30 days is discounted as a twelfth of a year, ours as 30 days
        np.testing.assert_allclose(found["custvalue"], found["lifetimes"], rtol=2e-3)


JOBS = [
    Job(
        f"12-month discounted value, {n:,} customers simulated, repeat buyers",
        lambda n=n: customers(n),
        {
            "custvalue": lambda t: ours("end").predict(t, "360D"),
            "custvalue, continuous": lambda t: ours("continuous").predict(t, "360D"),
            "lifetimes": lifetimes_value,
        },
        agree=same,
        against="lifetimes",
        ask=ask,
        repeats_of={"lifetimes": 3},
    )
    for n, ask in ((100_000, 80), (1_000_000, None))
]
