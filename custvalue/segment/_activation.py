"""Whom to win back under a budget, with a random control group, and whether it worked."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from custvalue._frames import column, column_names, frame_like, is_frame, same_rows
from custvalue._labels import ZH, check_language, translate
from custvalue._units import check_share
from custvalue.exceptions import SmallSampleWarning, first_ids
from custvalue.segment._silence import Floats
from custvalue.segment._silence_options import GRADES as SILENCE_GRADES

GROUPS = ("treat", "control", "out of budget", "not worth it", "not silent")
FEWEST = 30


def activation_plan(
    scores: Any,
    value: npt.ArrayLike,
    *,
    response: float | npt.ArrayLike,
    margin: float | npt.ArrayLike,
    contact_cost: float | npt.ArrayLike,
    seed: int,
    budget: float | None = None,
    holdout: float = 0.1,
    grades: Collection[str] | None = ("silent", "deeply silent"),
    customers: npt.ArrayLike | None = None,
    labels: Literal["en", "zh"] = "en",
) -> Any:
    """Rank silent customers by what winning them back is worth, and draw a control group.

    Expected gain = response x value x margin - contact cost. Of the customers whose gain is
    positive a random share is held out; the others are treated from the top until the budget is
    spent. The control group is the held-out customers above that line, so that it is like the
    treated one.

    Parameters
    ----------
    scores : frame or array-like
        What ``SilenceScorer.transform`` gave; its ``grade`` says who is silent. Only the number of
        rows counts with ``grades=None``.
    value : array-like of shape (n,)
        Future value of a customer who is won back, before margin.
    response : float or array-like of shape (n,)
        Chance that the contact wins the customer back who would not have come anyway, 0 to 1. That
        is not the chance of an order; estimate it from an earlier campaign's control group.
    margin : float or array-like of shape (n,)
        Share of the value that is kept.
    contact_cost : float or array-like of shape (n,)
        Cost of contacting one customer.
    seed : int
        Of the control group's draw.
    budget : float, optional
        Most that contacts may cost together. Default: no limit.
    holdout : float, default=0.1
        Share of the customers worth contacting that is held out, 0 to below 1.
    grades : collection of str or None, default=("silent", "deeply silent")
        Grades to win back (English or Chinese words are both understood); None: every row.
    customers : array-like of shape (n,), optional
        Ids. Default: row positions, from 0.
    labels : {"en", "zh"}, default="en"
        Language of ``group``.

    Returns
    -------
    frame
        One row a row of ``scores``, the best first: ``customer``, ``group`` (treat, control, out of
        budget, not worth it, not silent), ``expected_gain``, ``response``,
        ``break_even_response`` (the response at which the contact just pays), ``value``,
        ``contact_cost``, ``cost_so_far`` (of the treated). Of the kind of ``scores``.

    Raises
    ------
    ValueError
        If lengths differ, a number is missing or out of range, or ``scores`` has no ``grade``.

    Examples
    --------
    >>> from custvalue.segment import activation_plan
    >>> plan = activation_plan([[1.5], [2.5], [3.5]], [100.0, 400.0, 20.0], response=0.1,
    ...                        margin=0.5, contact_cost=2.0, budget=3.0, holdout=0.0, grades=None,
    ...                        seed=1)
    >>> plan[["customer", "group", "expected_gain", "break_even_response"]]
       customer          group  expected_gain  break_even_response
    0         1          treat           18.0                 0.01
    1         0  out of budget            3.0                 0.04
    2         2   not worth it           -1.0                 0.20
    """
    check_language(labels)
    value, response, margin, contact_cost, customers = (
        same_rows(scores, given, name)
        for given, name in (
            (value, "value"),
            (response, "response"),
            (margin, "margin"),
            (contact_cost, "contact_cost"),
            (customers, "customers"),
        )
    )
    worth = np.asarray(value, dtype=np.float64)
    n = len(scores)
    if worth.shape != (n,):
        raise ValueError(f"value has shape {worth.shape}; scores has {n:,} rows.")
    chance = _spread(response, n, "response", 0.0, 1.0)
    keep = check_share(_spread(margin, n, "margin", 0.0, np.inf), "margin")
    cost = _spread(contact_cost, n, "contact_cost", 0.0, np.inf)
    _spread(worth, n, "value", -np.inf, np.inf)
    check_share(holdout, "holdout", below=True)
    if budget is not None and not budget >= 0:
        raise ValueError(f"budget={budget!r} must be 0 or more.")
    ids = np.arange(n) if customers is None else np.asarray(customers)
    if ids.shape != (n,):
        raise ValueError(f"customers has shape {ids.shape}; scores has {n:,} rows.")

    gain = chance * worth * keep - cost
    quiet = np.ones(n, dtype=bool) if grades is None else _of_grades(scores, grades)
    order = np.lexsort((np.arange(n), -gain, ~quiet))
    rank_worth = (quiet & (gain > 0))[order]
    group = np.where(quiet[order], 3, 4)
    able = np.flatnonzero(rank_worth)
    rng = np.random.default_rng(seed)
    held = np.zeros(n, dtype=bool)
    held[rng.choice(able, round(holdout * len(able)), replace=False)] = True
    spending = np.where(rank_worth & ~held, cost[order], 0.0).cumsum()
    within = spending <= (np.inf if budget is None else budget)
    # the budget ends at the first customer who no longer fits: nobody below takes their place
    within = np.minimum.accumulate(within)
    treated = rank_worth & ~held & within
    group[rank_worth] = 2
    group[treated] = 0
    group[held & within] = 1
    words = np.asarray([translate(g, labels) for g in GROUPS], dtype=object)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        even = np.where(worth * keep > 0, cost / (worth * keep), np.inf)
    return frame_like(
        scores,
        {
            "customer": ids[order],
            "group": words[group],
            "expected_gain": gain[order],
            "response": chance[order],
            "break_even_response": even[order],
            "value": worth[order],
            "contact_cost": cost[order],
            "cost_so_far": np.where(treated, cost[order], 0.0).cumsum(),
        },
        index=range(n),
    )


@dataclass(frozen=True)
class CampaignEffect:
    """What a campaign brought more than no campaign; ``print`` shows it in words.

    Parameters
    ----------
    n_treated, n_control : int
    mean_treated, mean_control : float
        Mean outcome a customer.
    effect, low, high : float
        Difference of the means and its confidence interval.
    confidence : float
    margin, contact_cost : float

    Examples
    --------
    >>> from custvalue.segment import CampaignEffect
    >>> print(CampaignEffect(900, 100, 12.0, 9.0, 3.0, 1.0, 5.0, 0.95, 0.5, 0.4))
    900 treated customers brought 12 each, 100 control customers 9.
    Effect 3 a customer (95 % interval 1 to 5); after margin and contact cost 1.1 (0.1 to 2.1), in
    total 990 (90 to 1,890).
    """

    n_treated: int
    n_control: int
    mean_treated: float
    mean_control: float
    effect: float
    low: float
    high: float
    confidence: float
    margin: float
    contact_cost: float

    @property
    def net(self) -> tuple[float, float, float]:
        """Effect a treated customer after margin and contact cost, and its interval."""
        net = np.array([self.effect, self.low, self.high]) * self.margin - self.contact_cost
        return float(net[0]), float(net[1]), float(net[2])

    @property
    def total(self) -> tuple[float, float, float]:
        """Net effect of all treated customers together, and its interval."""
        net, low, high = self.net
        return net * self.n_treated, low * self.n_treated, high * self.n_treated

    def __str__(self) -> str:
        net, total = self.net, self.total
        return (
            f"{self.n_treated:,} treated customers brought {self.mean_treated:.4g} each, "
            f"{self.n_control:,} control customers {self.mean_control:.4g}.\n"
            f"Effect {self.effect:.4g} a customer ({self.confidence:.0%} interval {self.low:.4g} "
            f"to {self.high:.4g}); after margin and contact cost {net[0]:.4g} ({net[1]:.4g} to "
            f"{net[2]:.4g}), in\ntotal {total[0]:,.0f} ({total[1]:,.0f} to {total[2]:,.0f})."
        ).replace("%", " %")


def campaign_effect(
    treated: npt.ArrayLike,
    control: npt.ArrayLike,
    *,
    margin: float = 1.0,
    contact_cost: float = 0.0,
    confidence: float = 0.95,
    method: Literal["welch", "bootstrap"] = "welch",
    seed: int = 0,
    n_draws: int = 5000,
) -> CampaignEffect:
    """Compare what treated and control customers brought since the campaign.

    Parameters
    ----------
    treated, control : array-like of shape (n_treated,), (n_control,)
        Spend (or 0/1 for ordered) of every customer of the group since the campaign, zeros
        included: also of those who did not open, click or answer.
    margin : float, default=1
        Share of the spend that is kept.
    contact_cost : float, default=0
        Cost of one contact.
    confidence : float, default=0.95
    method : {"welch", "bootstrap"}, default="welch"
        Welch's t interval for the difference of means, or percentiles of resampled differences,
        which suit very skewed spend better.
    seed : int, default=0
        Of the bootstrap.
    n_draws : int, default=5000
        Of the bootstrap.

    Returns
    -------
    CampaignEffect

    Raises
    ------
    ValueError
        If a group has fewer than two customers or a missing outcome.

    Warns
    -----
    SmallSampleWarning
        If a group has fewer than 30 customers.

    References
    ----------
    Welch, B. L. (1947), The generalization of "Student's" problem when several different
    population variances are involved, Biometrika 34, 28-35.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.segment import campaign_effect
    >>> rng = np.random.default_rng(4)
    >>> found = campaign_effect(rng.exponential(12, 900), rng.exponential(9, 100))
    >>> found.low < 3 < found.high
    True
    """
    a, b = (_outcomes(x, name) for x, name in ((treated, "treated"), (control, "control")))
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r} must lie between 0 and 1.")
    check_share(margin, "margin", low=-np.inf)
    if not np.isfinite([margin, contact_cost]).all():
        raise ValueError(f"margin={margin!r} and contact_cost={contact_cost!r} must be finite.")
    effect = float(a.mean() - b.mean())
    if method == "welch":
        va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
        half = 0.0
        if va + vb > 0:
            freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
            half = float(student.ppf(0.5 + confidence / 2, freedom) * np.sqrt(va + vb))
        low, high = effect - half, effect + half
    elif method == "bootstrap":
        rng = np.random.default_rng(seed)
        draws = _resampled_means(a, n_draws, rng) - _resampled_means(b, n_draws, rng)
        tail = (1 - confidence) / 2
        low, high = (float(v) for v in np.quantile(draws, [tail, 1 - tail]))
    else:
        raise ValueError(f"method={method!r} must be 'welch' or 'bootstrap'.")
    if min(len(a), len(b)) < FEWEST:
        warnings.warn(
            f"{len(a):,} treated and {len(b):,} control customers: with fewer than {FEWEST} in a "
            "group the interval is rough.",
            SmallSampleWarning,
            stacklevel=2,
        )
    return CampaignEffect(
        len(a),
        len(b),
        float(a.mean()),
        float(b.mean()),
        effect,
        low,
        high,
        confidence,
        float(margin),
        float(contact_cost),
    )


def _spread(x: float | npt.ArrayLike, n: int, name: str, low: float, high: float) -> Floats:
    given = np.asarray(x, dtype=np.float64)
    if given.shape not in ((), (n,)):
        raise ValueError(f"{name} has shape {given.shape}; scores has {n:,} rows.")
    values = np.broadcast_to(given, (n,))
    bad = ~(np.isfinite(values) & (values >= low) & (values <= high))
    if bad.any():
        limits = f"between {low:g} and {high:g}" if np.isfinite(high) else f"at least {low:g}"
        limits = "finite" if np.isinf(low) else f"finite and {limits}"
        raise ValueError(
            f"{name} must be {limits}; {int(bad.sum()):,} rows are not, first: "
            f"{', '.join(first_ids(np.flatnonzero(bad)))}."
        )
    return np.asarray(values)


def _of_grades(scores: Any, grades: Collection[str]) -> npt.NDArray[np.bool_]:
    if not is_frame(scores) or "grade" not in (column_names(scores) or []):
        raise ValueError(
            "scores must be a frame with a column 'grade', as SilenceScorer gives it for a "
            "summary; or pass grades=None to plan for every row."
        )
    legal = {word for g in SILENCE_GRADES for word in (g, ZH[g])}
    if unknown := sorted(set(grades) - legal):
        raise ValueError(f"grades has {unknown}; there are {list(SILENCE_GRADES)}.")
    known = {word for g in grades for word in (g, ZH.get(g, g))}
    return np.isin(np.asarray(column(scores, "grade"), dtype=object).astype(str), list(known))


def _outcomes(x: npt.ArrayLike, name: str) -> Floats:
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(
            f"{name} must hold the outcome of at least two customers, 0 for those who brought "
            f"nothing, none missing; got shape {values.shape}."
        )
    return values


def _resampled_means(x: Floats, n_draws: int, rng: np.random.Generator) -> Floats:
    return np.array([x[rng.integers(0, len(x), len(x))].mean() for _ in range(n_draws)])
