"""A simulated shop whose truth is known: for tests, teaching, and honest comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from custvalue._dates import read_date

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal[
    "plain", "frequent", "panel", "durable", "subscription", "seasonal", "heavy", "regular"
]
REGIONS = ("north", "south", "east", "west")


@dataclass(frozen=True)
class SimulatedShop:
    """A log, and what no log tells.

    Parameters
    ----------
    log : DataFrame
        One row an order or refund: ``customer_id``, ``date``, ``amount`` (below 0 for a refund);
        with covariates also ``region``.
    customers : DataFrame
        The truth, one row a customer, indexed by ``customer_id``: ``born`` (first order), ``left``
        (end of the relation, perhaps after the log), ``orders_per_year`` while it lasts (without
        season and growth), ``spend`` (median of an order); with covariates also ``region`` and
        ``loyalty_card``.
    contacts : DataFrame
        One row a message sent: ``customer_id``, ``date``; empty without contacts.
    settings : dict
        The arguments of :func:`make_shop`.

    Examples
    --------
    >>> from custvalue.datasets import make_shop
    >>> shop = make_shop(n_customers=50, random_state=1)
    >>> list(shop.log.columns)
    ['customer_id', 'date', 'amount']
    """

    log: pd.DataFrame
    customers: pd.DataFrame
    contacts: pd.DataFrame
    settings: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        first, last = (self.log["date"].agg(f).date() for f in ("min", "max"))
        return (
            f"SimulatedShop({self.settings['kind']}: {len(self.customers):,} customers, "
            f"{len(self.log):,} rows, {first} to {last})"
        )


def make_shop(
    kind: Kind = "plain",
    n_customers: int = 2500,
    *,
    days: int = 1096,
    start: Any = "2021-01-01",
    season: float | None = None,
    growth: float | None = None,
    refunds: float = 0.0,
    covariates: bool = False,
    contacts: float = 0.0,
    random_state: int = 0,
) -> SimulatedShop:
    """Simulate a shop in which no model of the library is true.

    Customers arrive all the time, order at rates of their own, and leave for good at a Weibull
    time, unseen. Their orders lie around a level of their own.

    Parameters
    ----------
    kind : str, default="plain"
        ``"plain"``: log-normal rates of about four orders a year. ``"frequent"``: a grocer's, one
        a week. ``"panel"``: plain, but everybody came long before the log begins (left-truncated).
        ``"durable"``: a replacement cycle of about a year and a half. ``"subscription"``: every 30
        days to the day until it is cancelled. ``"seasonal"``: rates swing by 70 % over the year
        and grow by 30 % (in logs) a year. ``"heavy"``: Pareto rates and wide spend.
        ``"regular"``: gaps of gamma shape 6.
    n_customers : int, default=2500
    days : int, default=1096
        Length of the log.
    start : str or datetime64, default="2021-01-01"
    season : float or None, default=None
        Swing of all rates over the year, 0 to below 1, highest at the end of March; None is the
        kind's own.
    growth : float or None, default=None
        Change of the log of all rates a year; None is the kind's own.
    refunds : float, default=0.0
        Share of orders that come back within 30 days as a negative amount.
    covariates : bool, default=False
        Whether a region (a column of the log) and a loyalty card raise or lower rates.
    contacts : float, default=0.0
        Messages a customer and year; an order is half again as likely in the week after one.
    random_state : int, default=0

    Returns
    -------
    SimulatedShop

    Raises
    ------
    ValueError
        If the kind is unknown or a number is out of range.

    Examples
    --------
    >>> from custvalue.datasets import make_shop
    >>> shop = make_shop("subscription", 100, days=400, random_state=3)
    >>> gaps = shop.log.groupby("customer_id")["date"].diff().dropna()
    >>> sorted(gaps.dt.days.unique().tolist())
    [30]
    >>> bool((shop.customers["left"] >= shop.customers["born"]).all())
    True
    """
    import pandas as pd

    if kind not in get_args(Kind):
        raise ValueError(f"kind={kind!r} must be one of {', '.join(get_args(Kind))}.")
    if int(n_customers) < 1 or int(days) < 2:
        raise ValueError(f"n_customers={n_customers!r} and days={days!r} must be positive.")
    swing = (0.7 if kind == "seasonal" else 0.0) if season is None else float(season)
    trend = (0.3 if kind == "seasonal" else 0.0) if growth is None else float(growth)
    if not 0.0 <= swing < 1.0 or not 0.0 <= float(refunds) <= 1.0 or not float(contacts) >= 0.0:
        raise ValueError(
            f"season={season!r} must lie in [0, 1), refunds={refunds!r} in [0, 1], and "
            f"contacts={contacts!r} be 0 or more."
        )
    n, days = int(n_customers), int(days)
    rng = np.random.default_rng(random_state)
    born = np.sort(
        rng.integers(-3 * 365 if kind == "panel" else 0, 1 if kind == "panel" else days, n)
    )
    rate, shape = _rates(kind, n, rng)
    left = born + rng.weibull(0.8, n) * (365.0 if kind == "subscription" else 500.0)
    level = rng.lognormal(3.2 if kind == "heavy" else 3.5, 1.2 if kind == "heavy" else 0.7, n)
    region = rng.integers(0, len(REGIONS), n)
    card = rng.random(n) < 0.3
    if covariates:
        rate = rate * np.array([1.6, 1.0, 0.7, 0.4])[region] * np.where(card, 1.5, 1.0)
    sent = _contacts(n, days, float(contacts), rng)

    rows = [(np.arange(n), born)]
    day, alive = born.astype(float), np.arange(n)
    while len(alive):
        if kind == "subscription":
            day[alive] += 30.0
        else:
            gap = rng.gamma(shape, 1.0 / (rate[alive] * shape))
            years = day[alive] / 365.25
            pace = np.exp(trend * years) * (1.0 + swing * np.sin(2.0 * np.pi * years))
            pace *= np.where(_lately(sent, alive, day[alive]), 1.5, 1.0)
            day[alive] += np.maximum(1.0, np.ceil(gap / np.maximum(pace, 0.05)))
        alive = alive[(day[alive] < days) & (day[alive] < left[alive])]
        rows.append((alive, day[alive].astype(int)))
    who, when = (np.concatenate(part) for part in zip(*rows, strict=True))
    paid = np.maximum(level[who] * rng.lognormal(-0.125, 0.5, len(who)), 0.01).round(2)
    if kind == "subscription":
        paid = level[who].round(2)
    back = rng.random(len(who)) < float(refunds)
    who = np.concatenate([who, who[back]])
    when = np.concatenate([when, when[back] + rng.integers(1, 31, int(back.sum()))])
    paid = np.concatenate([paid, -paid[back]])
    inside = (when >= 0) & (when < days)
    first = read_date(start, "start").tz_localize(None).normalize()
    log = pd.DataFrame(
        {
            "customer_id": who[inside],
            "date": first + pd.to_timedelta(when[inside], unit="D"),
            "amount": paid[inside],
        }
    )
    truth = pd.DataFrame(
        {
            "born": first + pd.to_timedelta(born, unit="D"),
            "left": first + pd.to_timedelta(np.floor(left), unit="D"),
            "orders_per_year": 365.25 * rate,
            "spend": level * np.exp(-0.125),
        },
        index=pd.RangeIndex(n, name="customer_id"),
    )
    if covariates:
        names = np.asarray(REGIONS, dtype=object)
        log["region"] = names[region[log["customer_id"]]]
        truth["region"], truth["loyalty_card"] = names[region], card
    messages = pd.DataFrame(
        {
            "customer_id": sent[0],
            "date": first + pd.to_timedelta(sent[1], unit="D"),
        }
    )
    return SimulatedShop(
        log.sort_values(["date", "customer_id"], kind="stable", ignore_index=True),
        truth,
        messages,
        {
            "kind": kind,
            "n_customers": n,
            "days": days,
            "start": str(first.date()),
            "season": swing,
            "growth": trend,
            "refunds": float(refunds),
            "covariates": bool(covariates),
            "contacts": float(contacts),
            "random_state": random_state,
        },
    )


def _rates(kind: str, n: int, rng: np.random.Generator) -> tuple[Any, float]:
    """Orders a day of each customer, and the gamma shape of gaps."""
    if kind == "frequent":
        return rng.lognormal(-2.2, 0.6, n), 1.5
    if kind == "durable":
        return rng.lognormal(-6.3, 0.3, n), 4.0
    if kind == "subscription":
        return np.full(n, 1.0 / 30.0), 1.0
    if kind == "heavy":
        return np.minimum(rng.pareto(1.3, n) * 0.006 + 0.001, 0.5), 1.0
    if kind == "regular":
        return rng.lognormal(-3.6, 0.4, n), 6.0
    return rng.lognormal(-4.6, 1.0, n), 1.0


def _contacts(n: int, days: int, a_year: float, rng: np.random.Generator) -> tuple[Any, Any]:
    count = rng.poisson(a_year * days / 365.25, n)
    who = np.repeat(np.arange(n), count)
    when = rng.integers(0, days, len(who))
    order = np.lexsort((when, who))
    return who[order], when[order]


def _lately(sent: tuple[Any, Any], who: Any, day: Any) -> Any:
    """Whether each customer had a message in the week before the day."""
    owner, when = sent
    if len(owner) == 0:
        return np.zeros(len(who), dtype=bool)
    key = owner * 10_000_000.0 + when
    at = np.searchsorted(key, who * 10_000_000.0 + day, side="right") - 1
    found = np.maximum(at, 0)
    return (at >= 0) & (owner[found] == who) & (day - when[found] <= 7.0)
