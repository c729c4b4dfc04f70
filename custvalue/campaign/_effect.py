"""Whether a campaign brought more than no campaign, and which effect its groups can show at all.

Spend since a campaign is mostly zeros with a long tail, and control groups are small: their mean
and their spread are too small together whenever they hold few buyers, so that an interval from the
observed spread (Welch's, or percentiles of a bootstrap) sees gains that are noise. Here no effect
is found where there is none in 5 % of campaigns at a confidence of 95 %, whatever spend looks like:
shares by the score interval, money by shuffling the customers over the groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from custvalue._units import check_share
from custvalue._warn import warn_caller
from custvalue.exceptions import SmallSampleWarning

Floats = npt.NDArray[np.float64]
Method = Literal["auto", "score", "permutation", "bootstrap", "welch"]
FEWEST = 20  # outcomes that are not zero, in a group
STEP = 1e-12  # of a share
ROUNDING = 1e-12  # of the spread: a difference below it is none


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
    >>> from custvalue.campaign import CampaignEffect
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
    method: Method = "auto",
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

    Raises
    ------
    ValueError
        If a group has fewer than two customers or a missing outcome.

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

    References
    ----------
    Miettinen, O. & Nurminen, M. (1985), Comparative analysis of two rates, Statistics in Medicine
    4(2), 213-226. Janssen, A. (1997), Studentized permutation tests for non-i.i.d. hypotheses and
    the generalized Behrens-Fisher problem, Statistics & Probability Letters 36(1), 9-21. Blaker, H.
    (2000), Confidence curves and improved exact confidence intervals for discrete distributions,
    Canadian Journal of Statistics 28(4), 783-798.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.campaign import campaign_effect
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
    if method not in get_args(Method):
        raise ValueError(f"method={method!r} must be one of {list(get_args(Method))}.")
    if n_draws < 1:
        raise ValueError(f"n_draws={n_draws!r} must be 1 or more.")
    effect = float(a.mean() - b.mean())
    unit = _one_size(a, b)
    if method == "score" and unit is None:
        raise ValueError(
            "method='score' compares shares: every outcome must be 0 or one and the same positive "
            "number. Use method='permutation' for money."
        )
    if unit is not None and method in ("auto", "score"):
        low, high = _score_interval(a, b, unit, confidence)
    elif method == "welch":
        low, high = _welch_interval(a, b, confidence)
    else:
        rng = np.random.default_rng(seed)
        low, high = _null_interval(a, b, confidence, n_draws, rng, method == "bootstrap")
    buyers = int(np.count_nonzero(a)), int(np.count_nonzero(b))
    if min(buyers) < FEWEST:
        warn_caller(
            f"{len(a):,} treated and {len(b):,} control customers, of whom {buyers[0]:,} and "
            f"{buyers[1]:,} brought anything: with fewer than {FEWEST} of them in a group only a "
            "large effect can be seen. A larger holdout or a longer wait shows more.",
            SmallSampleWarning,
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


def detectable_response(
    n_treated: int,
    n_control: int,
    order_anyway: float,
    *,
    power: float = 0.8,
    confidence: float = 0.95,
) -> float:
    """Return the smallest mean response that a campaign of this size shows with chance ``power``.

    The share ``order_anyway + response`` of the treated against ``order_anyway`` of the control
    group, by the two-sided score test.

    Parameters
    ----------
    n_treated, n_control : int
    order_anyway : float
        Share that orders without a contact, 0 to below 1.
    power : float, default=0.8
    confidence : float, default=0.95

    Returns
    -------
    float
        Infinite where not even a response of everybody else would be seen.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Fleiss, J. L., Levin, B. & Paik, M. C. (2003), Statistical Methods for Rates and Proportions,
    3rd ed., Wiley, equation 4.14 with two group sizes.

    Examples
    --------
    >>> from custvalue.campaign import detectable_response
    >>> detectable_response(900, 100, 0.05).__round__(3)
    0.091
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    if not 0 <= order_anyway < 1:
        raise ValueError(f"order_anyway={order_anyway!r} must lie between 0 and below 1.")
    if not (0 < power < 1 and 0 < confidence < 1):
        raise ValueError(f"power={power!r} and confidence={confidence!r} must lie between 0 and 1.")
    if min(n_treated, n_control) < 1:
        return float("inf")
    total = n_treated + n_control
    z, z_power = norm.ppf(0.5 + confidence / 2), norm.ppf(power)

    def seen(response: float) -> float:
        p = order_anyway + response
        pooled = (n_treated * p + n_control * order_anyway) / total
        none = pooled * (1 - pooled) * (1 / n_treated + 1 / n_control)
        some = p * (1 - p) / n_treated + order_anyway * (1 - order_anyway) / n_control
        return float(response - z * np.sqrt(none) - z_power * np.sqrt(some))

    most = 1.0 - order_anyway
    if seen(most) < 0:
        return float("inf")
    return float(brentq(seen, 0.0, most))


def _outcomes(x: npt.ArrayLike, name: str) -> Floats:
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(
            f"{name} must hold the outcome of at least two customers, 0 for those who brought "
            f"nothing, none missing; got shape {values.shape}."
        )
    return values


# ---- shares --------------------------------------------------------------------------------------


def _one_size(a: Floats, b: Floats) -> float | None:
    """Return the one positive number that outcomes other than 0 are, if there is one; else 1."""
    largest = float(max(a.max(), b.max()))
    if all(((x == 0) | (x == largest)).all() for x in (a, b)):
        return largest if largest > 0 else 1.0
    return None


def _score_interval(a: Floats, b: Floats, unit: float, confidence: float) -> tuple[float, float]:
    """Differences of shares that the data do not contradict, times the size of an order.

    The variance is that of the likeliest two shares with the difference in question (Miettinen &
    Nurminen 1985, equation 8), not of the observed ones: a group without buyers has one.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    n_a, n_b = len(a), len(b)
    p_a, p_b = (min(float(x.mean() / unit), 1.0) for x in (a, b))
    z = float(norm.ppf(0.5 + confidence / 2))
    total = n_a + n_b

    def beyond(delta: float) -> float:
        """Square of the score less that of the critical value; below 0 inside the interval."""
        q_b = _likeliest(p_a, n_a, p_b, n_b, delta)
        q_a = q_b + delta
        variance = (q_a * (1 - q_a) / n_a + q_b * (1 - q_b) / n_b) * total / (total - 1)
        return float((p_a - p_b - delta) ** 2 - z * z * variance)

    seen = p_a - p_b
    # where nobody ordered the score is 0 / 0 at the observed difference: step beside it
    low = brentq(beyond, -1.0, seen - STEP) if beyond(-1.0) > 0 else -1.0
    high = brentq(beyond, seen + STEP, 1.0) if beyond(1.0) > 0 else 1.0
    return float(low) * unit, float(high) * unit


def _likeliest(p_a: float, n_a: int, p_b: float, n_b: int, delta: float) -> float:
    """Control share that maximises the binomial likelihood given the difference of the shares.

    Its score, times the two shares and their complements, is a cubic with one root between the
    limits.
    """
    from scipy.optimize import brentq

    least, most = max(0.0, -delta), min(1.0, 1.0 - delta)

    def score(q: float) -> float:
        r = q + delta
        return n_a * (p_a - r) * q * (1 - q) + n_b * (p_b - q) * r * (1 - r)

    if most - least < 1e-15:
        return least
    # at a limit the cubic is 0 where no data speak against it
    edge = 1e-13 * (most - least)
    if score(least + edge) <= 0:
        return least
    if score(most - edge) >= 0:
        return most
    return float(brentq(score, least + edge, most - edge, xtol=1e-15))


# ---- money ---------------------------------------------------------------------------------------


class Groups(NamedTuple):
    """Sums and sums of squares of both groups, as observed and in each draw."""

    a: Floats
    a_squares: Floats
    b: Floats
    b_squares: Floats


def _null_interval(
    a: Floats,
    b: Floats,
    confidence: float,
    n_draws: int,
    rng: np.random.Generator,
    with_replacement: bool,
) -> tuple[float, float]:
    """Effects that the data do not contradict: critical values from groups drawn from everybody."""
    effect = a.mean() - b.mean()
    centre = np.concatenate([a, b]).mean()  # squares of centred outcomes keep their digits
    x, y = a - centre, b - centre
    draw = _resampled if with_replacement else _shuffled
    drawn = draw(x, y, n_draws, rng)
    seen = (x.sum(), x @ x, y.sum(), y @ y)
    both = Groups(*(np.append(v, s) for v, s in zip(drawn, seen, strict=True)))
    t, error = _welch(both, len(a), len(b))
    least, most = _accepted(t, 1 - confidence)
    gain, loss = t[-1] > most, t[-1] < least
    low, high = (effect - c * error[-1] if error[-1] > 0 else effect for c in (most, least))
    # equal outcomes in a group, and ties: the test says whether zero is in
    low, high = low if gain else min(low, 0.0), high if loss else max(high, 0.0)
    few = min(np.count_nonzero(a), np.count_nonzero(b)) < FEWEST
    if few and min(a.min(), b.min()) >= 0:
        order = float((a @ a + b @ b) / (a.sum() + b.sum()))
        wide = _score_interval(a, b, order, confidence)
        low = min(low, wide[0]) if wide[0] > 0 or not gain else low
        high = max(high, wide[1]) if wide[1] < 0 or not loss else high
    return float(low), float(high)


def _welch(groups: Groups, n_a: int, n_b: int) -> tuple[Floats, Floats]:
    """Difference of the means over its standard error, and the error."""
    mean_a, mean_b = groups.a / n_a, groups.b / n_b
    within_a = np.maximum(groups.a_squares - groups.a * mean_a, 0.0) / (n_a - 1) / n_a
    within_b = np.maximum(groups.b_squares - groups.b * mean_b, 0.0) / (n_b - 1) / n_b
    gap, error = mean_a - mean_b, np.sqrt(within_a + within_b)
    rounding = ROUNDING * np.sqrt(groups.a_squares[-1] + groups.b_squares[-1])
    gap, error = (np.where(np.abs(v) <= rounding, 0.0, v) for v in (gap, error))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(gap == 0, 0.0, gap / error)
    # one split of the customers summed in two orders differs by rounding, and is one statistic
    return t.astype(np.float32).astype(np.float64), error


def _accepted(t: Floats, error: float) -> tuple[float, float]:
    """Smallest and largest statistic whose p-value exceeds ``error`` (Blaker 2000).

    The p-value is the chance of a statistic whose smaller tail is no larger than the observed one:
    both tails get half of the error where there are tails, and one gets what the other cannot use.
    """
    t = np.sort(t)
    below = np.searchsorted(t, t, side="right")
    above = len(t) - np.searchsorted(t, t, side="left")
    tail = np.minimum(below, above)
    p = np.searchsorted(np.sort(tail), tail, side="right") / len(t)
    accepted = t[p > error]
    return float(accepted[0]), float(accepted[-1])


def _shuffled(a: Floats, b: Floats, n_draws: int, rng: np.random.Generator) -> Groups:
    """Split all customers anew; every shuffle is cut into as many smaller groups as it holds."""
    everybody = np.concatenate([a, b])
    size = min(len(a), len(b))
    cuts = len(everybody) // size
    one, squares = np.empty((2, -(-n_draws // cuts), cuts))
    for i in range(len(one)):
        groups = rng.permutation(everybody)[: cuts * size].reshape(cuts, size)
        one[i] = groups.sum(axis=1)
        squares[i] = np.einsum("ij,ij->i", groups, groups)
    small = one.ravel()[:n_draws], squares.ravel()[:n_draws]
    rest = everybody.sum() - small[0], everybody @ everybody - small[1]
    return Groups(*small, *rest) if len(a) == size else Groups(*rest, *small)


def _resampled(a: Floats, b: Floats, n_draws: int, rng: np.random.Generator) -> Groups:
    """Draw both groups with replacement from all customers together."""
    everybody = np.concatenate([a, b])
    sums = np.empty((4, n_draws))
    for i in range(n_draws):
        x, y = (everybody[rng.integers(0, len(everybody), len(g))] for g in (a, b))
        sums[:, i] = x.sum(), x @ x, y.sum(), y @ y
    return Groups(*sums)


def _welch_interval(a: Floats, b: Floats, confidence: float) -> tuple[float, float]:
    from scipy.stats import t as student

    effect = float(a.mean() - b.mean())
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    half = 0.0
    if va + vb > 0:
        freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
        half = float(student.ppf(0.5 + confidence / 2, freedom) * np.sqrt(va + vb))
    return effect - half, effect + half
