"""Does spend per order go with the number of orders? What it does, in money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue.exceptions import IndependenceWarning
from custvalue.spend._law import SpendLaw

ENOUGH = 10_000  # customers that show a total for what it is


@dataclass(frozen=True)
class Independence:
    """How far spend per order goes with the number of orders.

    Parameters
    ----------
    correlation, lower, upper : float
        Pearson correlation of ``frequency`` and ``monetary_value``, with its interval (Fisher's z).
    rank_correlation, rank_lower, rank_upper : float
        Spearman's, which single large customers do not move.
    n_customers : int
        Customers with repeat orders.
    by_frequency : DataFrame
        One row a decile of frequency (fewer where frequencies tie): ``customers``,
        ``frequency_from``, ``frequency_to``, ``orders``, ``actual_spend`` (per order),
        ``population_spend`` (what independence says of everybody), ``predicted_spend`` (shrunk to
        each customer), ``error_per_order`` (predicted - actual) and ``error_total``, in money.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.spend import GammaGamma
    >>> model = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44)
    >>> X = np.column_stack([np.arange(1, 41), np.linspace(20.0, 30.0, 40)])
    >>> float(round(model.check_independence(X).correlation, 2))
    1.0
    """

    correlation: float
    lower: float
    upper: float
    rank_correlation: float
    rank_lower: float
    rank_upper: float
    n_customers: int
    by_frequency: pd.DataFrame

    def __str__(self) -> str:
        off = float(self.by_frequency["error_total"].sum())
        worst = float(self.by_frequency["error_per_order"].abs().max())
        if self.correlation > 0.5:
            verdict = "monetary_value looks like a total, not a mean per order."
        elif self.lower <= 0.0 <= self.upper or abs(self.correlation) <= 0.1:
            verdict = "Weak enough for the law."
        else:
            verdict = "Look at by_frequency before you trust the law for the heaviest buyers."
        return (
            f"correlation of orders and spend per order {self.correlation:+.3f} "
            f"({self.lower:+.3f} to {self.upper:+.3f}), by ranks {self.rank_correlation:+.3f}, "
            f"{self.n_customers:,} customers. Predicted less actual spend: {off:+,.2f} in total, "
            f"at most {worst:,.2f} an order in a decile of frequency. {verdict}"
        )


def independence(law: SpendLaw, x: Floats, zbar: Floats, params: Any, level: float) -> Independence:
    """Correlations with intervals, and predicted against actual spend by decile of frequency."""
    rho, low, high = _with_interval(x, zbar, level)
    ranks = _with_interval(_ranks(x), _ranks(zbar), level)
    cuts = np.unique(np.quantile(x, np.linspace(0.1, 0.9, 9), method="inverted_cdf"))
    bin_of = np.searchsorted(cuts, x, side="left")
    predicted = law.expected_spend(*params, x, zbar)
    population = float(np.mean(law.expected_spend(*params, 0, 0)))
    table = (
        pd.DataFrame(
            {"bin": bin_of, "x": x, "actual": x * zbar, "predicted": x * predicted, "one": 1}
        )
        .groupby("bin")
        .agg(
            customers=("one", "sum"),
            frequency_from=("x", "min"),
            frequency_to=("x", "max"),
            orders=("x", "sum"),
            actual_spend=("actual", "sum"),
            predicted_spend=("predicted", "sum"),
        )
        .reset_index(drop=True)
    )
    for name in ("actual_spend", "predicted_spend"):
        table[name] /= table["orders"]
    table.insert(5, "population_spend", population)
    table["error_per_order"] = table["predicted_spend"] - table["actual_spend"]
    table["error_total"] = table["error_per_order"] * table["orders"]
    return Independence(rho, low, high, *ranks, n_customers=int(x.size), by_frequency=table)


def warn_of_totals(x: Floats, zbar: Floats, w: Floats | None) -> None:
    """Warn where ``monetary_value`` goes with ``frequency`` as a total would."""
    if x.size < 30:
        return
    if x.size > 2 * ENOUGH:
        pick = np.random.default_rng(x.size).integers(0, x.size, ENOUGH)
        x, zbar, w = x[pick], zbar[pick], None if w is None else w[pick]
    rho = _correlation(x, zbar, w)
    if rho > 0.5 and abs(_correlation(x, zbar / x, w)) < rho:
        warn_caller(
            f"monetary_value looks like a total, not a mean per order: its correlation with "
            f"frequency is {rho:.2f}, and that of monetary_value / frequency is smaller. "
            "custvalue.summarize gives the mean per repeat order.",
            IndependenceWarning,
        )


def _correlation(a: Floats, b: Floats, w: Floats | None = None) -> float:
    da, db = a - np.average(a, weights=w), b - np.average(b, weights=w)
    wa = da if w is None else w * da
    wb = db if w is None else w * db
    size = np.sqrt(float(np.sum(wa * da)) * float(np.sum(wb * db)))
    return float(np.sum(wa * db)) / size if size > 0 else 0.0


def _with_interval(a: Floats, b: Floats, level: float) -> tuple[float, float, float]:
    from scipy.special import ndtri

    rho = _correlation(a, b)
    if a.size <= 3:
        return rho, -1.0, 1.0
    z = np.arctanh(np.clip(rho, -1 + 1e-15, 1 - 1e-15))
    wide = float(ndtri(0.5 + level / 2.0)) / np.sqrt(a.size - 3.0)
    return rho, float(np.tanh(z - wide)), float(np.tanh(z + wide))


def _ranks(a: Floats) -> Floats:
    _, at, counts = np.unique(a, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    out: Floats = (ends - (counts - 1) / 2.0)[at]
    return out
