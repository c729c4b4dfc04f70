"""Whether a campaign brought more than no campaign.

Spend since a campaign is mostly zeros with a long tail, and control groups are small: their mean
and their spread are too small together whenever they hold few buyers, so that an interval from the
observed spread (Welch's, or percentiles of a bootstrap) sees gains that are noise. Here no effect
is found where there is none in 5 % of campaigns at a confidence of 95 %, whatever spend looks like:
shares by the score interval, money by shuffling the customers over the groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, overload

import numpy as np
import numpy.typing as npt

from custvalue._units import check_share
from custvalue._warn import warn_caller
from custvalue.campaign._compare import FEWEST, How, Method, by_group, compare
from custvalue.campaign._customers import Customers, Reading, pair
from custvalue.campaign._result import CampaignEffect, CampaignEffects
from custvalue.exceptions import SmallSampleWarning


@overload
def campaign_effect(
    treated: Mapping[str, Any],
    control: npt.ArrayLike,
    *,
    before: Any = ...,
    per: Any = ...,
    groups: Any = ...,
    margin: float = ...,
    contact_cost: float = ...,
    confidence: float = ...,
    method: Method = ...,
    seed: int = ...,
    n_draws: int = ...,
) -> CampaignEffects: ...


@overload
def campaign_effect(
    treated: npt.ArrayLike,
    control: npt.ArrayLike,
    *,
    before: Any = ...,
    per: Any = ...,
    groups: Any = ...,
    margin: float = ...,
    contact_cost: float = ...,
    confidence: float = ...,
    method: Method = ...,
    seed: int = ...,
    n_draws: int = ...,
) -> CampaignEffect: ...


def campaign_effect(
    treated: npt.ArrayLike | Mapping[str, Any],
    control: npt.ArrayLike,
    *,
    before: tuple[Any, Any] | None = None,
    per: tuple[Any, Any] | None = None,
    groups: tuple[Any, Any] | None = None,
    margin: float = 1.0,
    contact_cost: float = 0.0,
    confidence: float = 0.95,
    method: Method = "auto",
    seed: int = 0,
    n_draws: int = 5000,
) -> CampaignEffect | CampaignEffects:
    """Compare what treated and control customers brought since the campaign.

    Parameters
    ----------
    treated, control : array-like of shape (n_treated,), (n_control,)
        Spend (or 0/1 for ordered) of every customer of the group since the campaign, zeros
        included: also of those who did not open, click or answer. A pandas Series whose index names
        customers is checked for customers in both groups. ``treated`` may be a mapping of names to
        such arrays: several campaigns against one control group.
    before : (array-like, array-like) or None, default=None
        What was known of the treated and of the control customers before the campaign: arrays of
        shape (n,) or (n, n_covariates), or tables. Best of all is a forecast of the outcome by one
        of the library's models; past spend is next. The effect is then adjusted (analysis of
        covariance, CUPED), its variance falls by the square of the correlation.
    per : (array-like, array-like) or None, default=None
        Counts that outcomes are divided by: with spend and orders the effect is that on spend an
        order, all spend of a group over all its orders.
    groups : (array-like, array-like) or None, default=None
        Group (segment, region) of each customer: `CampaignEffect.group_table` has the effect of
        each.
    margin : float, default=1
        Share of the spend that is kept.
    contact_cost : float, default=0
        Cost of one contact.
    confidence : float, default=0.95
    method : {"auto", "score", "permutation", "bootstrap", "welch"}, default="auto"
        ``"score"``: Miettinen and Nurminen's interval for the difference of two shares; outcomes
        must be 0 or one other number. ``"permutation"``: Welch's statistic, its critical values
        from shuffling all customers over the two groups. ``"bootstrap"``: the same, but customers
        drawn with replacement. ``"welch"``: critical values of Student's t, right only for outcomes
        that are nearly normal; with mostly zeros and a small control group it finds gains where
        there are none in up to a third of campaigns. ``"auto"``: score where it can be, else
        permutation.
    seed : int, default=0
        Of the shuffles.
    n_draws : int, default=5000
        Number of shuffles.

    Returns
    -------
    CampaignEffect
        `CampaignEffects`, a mapping of names to it, where ``treated`` is a mapping.

    Raises
    ------
    DataContractError
        If a group has fewer than two customers, an outcome or a covariate is missing, lengths
        differ or a customer is in two groups; all of it together.
    ValueError
        If an option makes no sense.

    Warns
    -----
    SmallSampleWarning
        If a group has fewer than 20 outcomes that are not zero.

    Notes
    -----
    The interval leaves out zero in ``1 - confidence`` of campaigns without effect, evenly on both
    sides where it can. With a handful of buyers in both groups together it does so less often:
    there are too few ways to split them for any test to reach 5 %. Unused error of one side is
    given to the other, as Blaker does for counts: a control group with one expected buyer can never
    show a gain, so the whole 5 % is on the side of losses.

    Each end is the observed effect less a critical value times the observed standard error. Where a
    group has under 20 buyers its own spread says too little; ends are then moved out to those of
    the score interval, with money counted in typical orders (``sum of squares / sum``), unless that
    crosses zero. Where nobody in either group brought anything, outcomes are taken for 0/1: the
    size of an order is then unknown.

    Covariates: the effect is ``y* = y - theta (x - mean of x)``, treated less control, ``theta``
    the slope within the groups. Residuals of a regression that is not told the groups are shuffled,
    so the test is exact however many covariates there are. ``method="welch"`` is Welch's interval
    of ``y*``, which takes ``theta`` as known.

    A ratio has the error of the delta method, ``(y - R n) / mean of n`` a customer; every shuffle
    has its own ratios and errors. The test for no effect is exact. With covariates the parts that
    customers have in the ratio of both groups together are shuffled instead; the interval of an
    effect then misses it somewhat more often than it says while a group is small.

    Of ``k`` campaigns against one control group, ``simultaneous`` has the intervals of confidence
    ``1 - (1 - confidence) / k`` (Bonferroni).

    References
    ----------
    Miettinen, O. & Nurminen, M. (1985), Comparative analysis of two rates, Statistics in Medicine
    4(2), 213-226. Janssen, A. (1997), Studentized permutation tests for non-i.i.d. hypotheses and
    the generalized Behrens-Fisher problem, Statistics & Probability Letters 36(1), 9-21. Blaker, H.
    (2000), Confidence curves and improved exact confidence intervals for discrete distributions,
    Canadian Journal of Statistics 28(4), 783-798. Deng, A., Xu, Y., Kohavi, R. & Walker, T. (2013),
    Improving the sensitivity of online controlled experiments by utilizing pre-experiment data,
    WSDM, 123-132.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.campaign import campaign_effect
    >>> rng = np.random.default_rng(4)
    >>> found = campaign_effect(rng.exponential(12, 900), rng.exponential(9, 100))
    >>> found.low < 3 < found.high
    True
    """
    _check_options(margin, contact_cost, confidence, method, n_draws, per is not None)
    several = isinstance(treated, Mapping)
    named: Mapping[str, Any] = treated if isinstance(treated, Mapping) else {"treated": treated}
    if not named:
        raise ValueError("treated has no campaign: pass one array of outcomes a campaign.")
    if several and "control" in named:
        raise ValueError("treated has a campaign called 'control'; call it otherwise.")
    beside = [_of_arms(v, n, list(named), several) for v, n in
              ((before, "before"), (per, "per"), (groups, "groups"))]  # fmt: skip
    reading = Reading()
    base = reading.customers("control", control, *(b["control"] for b in beside))
    arms = {n: reading.customers(n, y, *(b[n] for b in beside)) for n, y in named.items()}
    reading.done()
    assert base is not None
    levels = [confidence] + [1 - (1 - confidence) / len(named)] * several
    covariates = reading.covariates or ()
    how = How(levels, method, seed, n_draws)
    out = []
    for name, arm in arms.items():
        assert arm is not None
        made = compare(arm, base, covariates, how)
        _warn_of_few(arm, base)
        effect = CampaignEffect(
            len(arm.y),
            len(base.y),
            made.means[0],
            made.means[1],
            made.effect,
            *made.ends[0],
            confidence,
            float(margin),
            float(contact_cost),
            made.error,
            made.adjusted,
            by_group(arm, base, covariates, how._replace(levels=[confidence])) if groups else (),
            per is not None,
            made.ends[1] if several else None,
        )
        out.append((name, effect))
    return CampaignEffects(tuple(out)) if several else out[0][1]


def _check_options(
    margin: float, contact_cost: float, confidence: float, method: str, n_draws: int, ratio: bool
) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r} must lie between 0 and 1.")
    check_share(margin, "margin", low=-np.inf)
    if not np.isfinite([margin, contact_cost]).all():
        raise ValueError(f"margin={margin!r} and contact_cost={contact_cost!r} must be finite.")
    if contact_cost < 0:
        raise ValueError(
            f"contact_cost={contact_cost!r} must be 0 or more: a cost is not negative."
        )
    if method not in get_args(Method):
        raise ValueError(f"method={method!r} must be one of {list(get_args(Method))}.")
    if n_draws < 1:
        raise ValueError(f"n_draws={n_draws!r} must be 1 or more.")
    if ratio and (margin != 1.0 or contact_cost != 0.0):
        raise ValueError(
            "margin= and contact_cost= are of spend a customer, not of a ratio (per=)."
        )


def _of_arms(values: Any, name: str, arms: list[str], several: bool) -> dict[str, Any]:
    """Give each campaign, and the control group, what belongs to it."""
    if values is None:
        return dict.fromkeys([*arms, "control"])
    treated, control = pair(values, name)
    if not several:
        return {arms[0]: treated, "control": control}
    if not isinstance(treated, Mapping) or set(treated) != set(arms):
        raise ValueError(f"{name} must be a pair of a mapping with the keys {arms} and an array.")
    return {**treated, "control": control}


def _warn_of_few(arm: Customers, base: Customers) -> None:
    buyers = int(np.count_nonzero(arm.y)), int(np.count_nonzero(base.y))
    if min(buyers) < FEWEST:
        warn_caller(
            f"{len(arm.y):,} {arm.name} and {len(base.y):,} control customers, of whom "
            f"{buyers[0]:,} and {buyers[1]:,} brought anything: with fewer than {FEWEST} of them "
            "in a group only a large effect can be seen. A larger holdout or a longer wait shows "
            "more.",
            SmallSampleWarning,
        )
