"""What a log says about itself before any model: rhythm, one-time buyers, span, heavy buyers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._frames import column, float_columns
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import known_at
from custvalue.grades import pareto
from custvalue.metrics import spearman_score

if TYPE_CHECKING:
    pass

_Z = 1.959963984540054
RHYTHM = 1.3  # regularity above which customers keep a rhythm
TWO_YEARS = 2 * 365.25


class Regularity(NamedTuple):
    """Wheat & Morrison's estimate of the shape of inter-purchase times.

    ``k`` is 1 where customers buy at random (Poisson), 2 and more where they keep a rhythm, below
    1 where purchases come in bursts; ``lower`` and ``upper`` are a 95 % interval, ``n_customers``
    those with at least two gaps. All but the last are NaN where nobody has two gaps.

    Examples
    --------
    >>> Regularity(1.1, 0.9, 1.3, 500).k
    1.1
    """

    k: float
    lower: float
    upper: float
    n_customers: int


def regularity(gaps: npt.ArrayLike, owner: npt.ArrayLike) -> Regularity:
    """Shape k of gamma-distributed gaps between purchases, whatever each customer's own rate.

    For two gaps of one customer, M = gap / (gap + next gap) is Beta(k, k), so its variance is
    1 / (4 (2k + 1)) and k = (1 - 4 v) / (8 v); v is the mean squared distance of M from 1/2 over
    a customer's disjoint pairs of gaps, averaged over customers.

    Parameters
    ----------
    gaps : array-like of shape (n_gaps,)
        Gaps in time order within each customer, all customers one after the other; above 0.
    owner : array-like of shape (n_gaps,)
        Customer of each gap; a customer's gaps stand together.

    Returns
    -------
    Regularity

    References
    ----------
    Wheat, R. D. & Morrison, D. G. (1990), Estimating purchase regularity with two interpurchase
    times, Journal of Marketing Research 27(1), 87-93.

    Examples
    --------
    Equal gaps are as regular as can be; these differ a little:

    >>> from custvalue.evaluation._facts import regularity
    >>> found = regularity([10, 11, 30, 28], ["ann", "ann", "bob", "bob"])
    >>> round(found.k), found.n_customers
    (289, 2)
    """
    gap, who = np.asarray(gaps, dtype=np.float64), np.asarray(owner)
    if len(gap) == 0:
        return Regularity(np.nan, np.nan, np.nan, 0)
    first = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    size = np.diff(np.r_[first, len(who)])
    customer = np.repeat(np.arange(len(first)), size)
    within = np.arange(len(gap)) - first[customer]
    start = np.flatnonzero((within % 2 == 0) & (within + 1 < size[customer]))
    if len(start) == 0:
        return Regularity(np.nan, np.nan, np.nan, 0)
    off = (gap[start] / (gap[start] + gap[start + 1]) - 0.5) ** 2
    pairs = np.bincount(customer[start], minlength=len(first))
    summed = np.bincount(customer[start], weights=off, minlength=len(first))
    per_customer = summed[pairs > 0] / pairs[pairs > 0]
    n = len(per_customer)
    spread = float(per_customer.mean())
    error = float(per_customer.std(ddof=1) / np.sqrt(n)) if n > 1 else np.inf

    def shape(v: float) -> float:
        return (1.0 - 4.0 * v) / (8.0 * v) if v > 0 else np.inf

    low, high = min(spread + _Z * error, 0.25), max(spread - _Z * error, 0.0)
    return Regularity(shape(spread), shape(low), shape(high), n)


class LogFacts(NamedTuple):
    """Facts that decide which method suits a log.

    Parameters
    ----------
    n_customers, n_orders : int
    span_days : float
        First row to the end of observation.
    one_time_share : float
        Customers with one order only.
    regularity : Regularity
    top_share : float
        Share of all money that the top 1 % of customers brought.
    median_gap_days : float
        NaN where nobody came back.
    frequency_spend_correlation : float
        Spearman correlation of number of orders and mean spend among repeat buyers; the purchase
        laws times Gamma-Gamma take it to be 0. NaN with fewer than 3 repeat buyers.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> facts = log_facts(TransactionLog(cv.datasets.load_cdnow("sample"),
    ...                                  customer="customer_id", time="date", amount="amount"))
    >>> facts.n_customers, round(facts.one_time_share, 2), round(facts.regularity.k, 1)
    (2349, 0.52, 1.0)
    """

    n_customers: int
    n_orders: int
    span_days: float
    one_time_share: float
    regularity: Regularity
    top_share: float
    median_gap_days: float
    frequency_spend_correlation: float


def log_facts(log: TransactionLog) -> LogFacts:
    """Look at a log as a whole.

    Parameters
    ----------
    log : TransactionLog

    Returns
    -------
    LogFacts

    Raises
    ------
    DataContractError
        If the log has no usable order.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.data import TransactionLog
    >>> rows = pd.DataFrame({"who": [1, 1, 2], "when": ["2024-01-01", "2024-01-09", "2024-01-20"],
    ...                      "paid": [5.0, 7.0, 9.0]})
    >>> facts = log_facts(TransactionLog(rows, customer="who", time="when", amount="paid"))
    >>> facts.n_orders, facts.one_time_share, facts.median_gap_days
    (3, 0.5, 8.0)
    """
    names = ["n_orders", "total_value", "mean_value"]
    known = known_at(log, log.as_of)
    orders, value, mean = float_columns(known.summary(), names).T
    between = known.gaps("D")
    gaps, owner = float_columns(between, ["gap"])[:, 0], column(between, log.customer)
    again = orders > 1
    return LogFacts(
        n_customers=len(orders),
        n_orders=int(orders.sum()),
        span_days=log.span_days,
        one_time_share=float(np.mean(orders == 1)),
        regularity=regularity(gaps, owner),
        top_share=pareto(value, top=0.01).top_share,
        median_gap_days=float(np.median(gaps)) if len(gaps) else np.nan,
        frequency_spend_correlation=(
            spearman_score(orders[again], mean[again]) if again.sum() >= 3 else np.nan
        ),
    )


def in_words(facts: LogFacts) -> list[str]:
    """One sentence a fact: what it is and what it means for the choice."""
    k = facts.regularity
    said = [
        (
            f"{facts.n_customers:,} customers, {facts.n_orders:,} orders in "
            f"{facts.span_days / 7:,.0f} weeks."
        ),
        f"{facts.one_time_share:.0%} bought once"
        + (
            ": most forecasts rest on what similar customers did, so a method must treat one-time "
            "buyers well."
            if facts.one_time_share > 0.5
            else "."
        ),
    ]
    if np.isfinite(k.k):
        said.append(f"Regularity {k.k:.2f} [{k.lower:.2f}, {k.upper:.2f}] (1 = at random): ")
        if k.lower > RHYTHM:
            said[-1] += (
                "customers keep a rhythm, which Poisson purchase laws do not know: take "
                "MBGCNBD(k='auto'), which does, for forecasts and the date of the next order, and "
                "silence against the own rhythm."
            )
        elif k.upper < 0.8:
            said[-1] += (
                "orders come in bursts, so the laws see too many quick returns and too few long "
                "absences; trust the backtest more than their intervals."
            )
        else:
            said[-1] += "about what the purchase laws (NBD, BG/NBD, Pareto/NBD) take for granted."
    else:
        said.append("Nobody has two gaps between orders, so regularity cannot be told.")
    said.append(
        f"The top 1 % of customers brought {facts.top_share:.0%} of all money"
        + (
            ": totals and errors hang on a few; look at them one by one."
            if facts.top_share > 0.25
            else "."
        )
    )
    rho = facts.frequency_spend_correlation
    if np.isfinite(rho) and abs(rho) > 0.2:
        said.append(
            f"Spend per order goes with the number of orders (rank correlation {rho:+.2f}), which "
            "laws times Gamma-Gamma take to be unrelated."
        )
    if facts.span_days < TWO_YEARS:
        said.append(
            f"The history is {facts.span_days / 365.25:.1f} years: under two, so a season cannot "
            "be told from a trend. A horizon in another season than the months before it will be "
            "off for every method; compare like months once there are two years."
        )
    return said
