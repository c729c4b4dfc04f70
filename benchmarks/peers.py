"""Other people's packages behind ``fit`` and ``predict``, so that they can take part.

Each reads a :class:`custvalue.data.TransactionLog` and answers money within a horizon. What
is not installed is left out of the tables and named. ``python -m benchmarks.peers`` prints what
lifetimes finds on the CDNOW sample, whose digits stand in the manual beside custvalue's.
"""

from __future__ import annotations

import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from custvalue._units import in_units
from custvalue.data import TransactionLog

PACKAGES = ("lifetimes", "clvkit")
# Named in every table, so that nobody takes an absence for a defeat.
EXCLUDED = (
    "Not raced: pymc-marketing. From 0.19.3 on it needs Python 3.12 and brings pymc along (56",
    "packages); it samples a posterior where the others maximise a likelihood, so that no common",
    "optimum could be checked. A class with `fit` and `predict` in benchmarks/peers.py lets it in.",
)


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


class Lifetimes:
    """lifetimes: a purchase model in weeks, times Gamma-Gamma."""

    reads_table = "log"

    def __init__(self, fitter: str) -> None:
        self.fitter = fitter

    def fit(self, known: TransactionLog) -> Lifetimes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import lifetimes

            table = known.summary("W")
            self.orders = getattr(lifetimes, self.fitter)()
            self.orders.fit(table["frequency"], table["recency"], table["T"])
            repeat = table[table["frequency"] > 0]
            self.money = lifetimes.GammaGammaFitter()
            self.money.fit(repeat["frequency"], repeat["monetary_value"])
        return self

    def predict(self, known: TransactionLog, horizon: Any) -> np.ndarray:
        table = known.summary("W")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            orders = self.orders.conditional_expected_number_of_purchases_up_to_time(
                in_units(horizon, "W"), table["frequency"], table["recency"], table["T"]
            )
            spend = self.money.conditional_expected_average_profit(
                table["frequency"], table["monetary_value"].fillna(0.0)
            )
        return np.asarray(orders, float) * np.asarray(spend, float)


class Clvkit:
    """clvkit: its CLV over BG/NBD or MBG/NBD and Gamma-Gamma, in weeks, days as occasions."""

    reads_table = "log"

    def __init__(self, model: str) -> None:
        self.model = model

    def fit(self, known: TransactionLog) -> Clvkit:
        import clvkit

        self.base = self._base(known)
        self.clv = clvkit.CLV(getattr(clvkit, self.model)(), check_independence=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.clv.fit(self.base)
        return self

    def predict(self, known: TransactionLog, horizon: Any) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self.clv.predict(horizon=round(in_units(horizon, "W"))).to_pandas()
        return found["clv"].reindex(known.customers()).to_numpy(float)

    @staticmethod
    def _base(known: TransactionLog) -> Any:
        import clvkit

        rows = known.frame[[known.customer, known.time, known.amount]].copy()
        rows[known.time] = rows[known.time].dt.normalize()  # it refuses rows later on its last day
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return clvkit.CustomerBase.from_transactions(
                rows,
                customer_id_col=known.customer,
                datetime_col=known.time,
                amount_col=known.amount,
                time_unit="W",
                collapse="D",
                observation_period_end=str(known.as_of.astype("datetime64[D]")),
            )


def digits() -> None:
    """Parameters and expected orders of each law of lifetimes, CDNOW sample to 1997-09-30."""
    import lifetimes

    import custvalue as cv

    table = cv.summarize(
        cv.datasets.load_cdnow("sample"),
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        unit="W",
        zero_amounts="keep",
    )
    seen = table["frequency"], table["recency"], table["T"]
    for name in ("BetaGeoFitter", "ModifiedBetaGeoFitter", "ParetoNBDFitter"):
        law = getattr(lifetimes, name)().fit(*seen)
        orders = law.conditional_expected_number_of_purchases_up_to_time(39, *seen).sum()
        print(name, law.params_.round(4).to_dict(), f"{orders:,.1f} orders in 39 weeks")
    repeat = table[(table["frequency"] > 0) & (table["monetary_value"] > 0)]
    money = lifetimes.GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])
    print("GammaGammaFitter", money.params_.round(4).to_dict())


if __name__ == "__main__":
    print(f"lifetimes {installed('lifetimes')}")
    digits()
