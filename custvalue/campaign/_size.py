"""Which effect groups of a size can show, and how large they must be to show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custvalue._units import check_share
from custvalue._warn import warn_caller
from custvalue._words import CAMPAIGN, Language
from custvalue.campaign._shares import one_size
from custvalue.exceptions import ContractProblem, DataContractError, SmallSampleWarning

FEWEST = 20  # buyers in a group


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


@dataclass(frozen=True)
class CampaignPlan:
    """Sizes of a campaign's groups and what they can show; ``print`` shows it in words.

    Parameters
    ----------
    n_treated, n_control : int
        Customers of each campaign and of the control group.
    effect : float
        Smallest mean effect a customer that is shown with chance ``power``.
    power, confidence : float
    mean, spread : float
        Mean and standard deviation of the past outcomes.
    correlation : float
        Of the covariates with the outcome.
    n_campaigns : int

    Examples
    --------
    >>> print(CampaignPlan(900, 100, 12.0, 0.8, 0.95, 20.0, 40.0, 0.0, 1))
    900 customers a campaign and 100 in control show an effect of 12 a customer (60.0 % of
    20) in 80 % of tests at 95 % confidence.
    """

    n_treated: int
    n_control: int
    effect: float
    power: float
    confidence: float
    mean: float
    spread: float
    correlation: float
    n_campaigns: int

    @property
    def n_customers(self) -> int:
        """All customers of the test."""
        return self.n_campaigns * self.n_treated + self.n_control

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self, language: Language = "en") -> str:
        """Say the plan in words.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        text = CAMPAIGN(
            "{n:,} customers a campaign and {m:,} in control show an effect of "
            "{effect:.4g} a customer ({lift:.1f} % of\n{mean:.4g}) in {power:.0f} % of "
            "tests at {level:.4g} % confidence.",
            language,
        )
        return text.format(
            n=self.n_treated,
            m=self.n_control,
            effect=self.effect,
            lift=100 * self.effect / self.mean if self.mean else float("nan"),
            mean=self.mean,
            power=100 * self.power,
            level=100 * self.confidence,
        )


def plan_test(
    past: npt.ArrayLike,
    *,
    effect: float | None = None,
    n_customers: int | None = None,
    power: float = 0.8,
    confidence: float = 0.95,
    control_share: float = 0.5,
    correlation: float = 0.0,
    n_campaigns: int = 1,
) -> CampaignPlan:
    """Find how many customers a test needs, or which effect it can show, before it is made.

    Parameters
    ----------
    past : array-like of shape (n,)
        Outcomes of customers like those of the campaign, over a time as long as the campaign will
        be watched, zeros included.
    effect : float or None, default=None
        Smallest mean effect a customer that is worth knowing.
    n_customers : int or None, default=None
        All customers there are. With ``effect`` as well the plan says the power; without, the
        effect that is shown with chance ``power``.
    power : float, default=0.8
    confidence : float, default=0.95
    control_share : float, default=0.5
        Share of all customers that are held out.
    correlation : float, default=0
        Of what is known before with the outcome: `campaign_effect` with ``before=`` on a past
        period says it (``adjusted.correlation``).
    n_campaigns : int, default=1
        Campaigns against one control group, judged together (Bonferroni); they share the rest of
        the customers equally.

    Returns
    -------
    CampaignPlan

    Raises
    ------
    ValueError
        If neither ``effect`` nor ``n_customers`` is given, or a number is out of range.
    DataContractError
        If past outcomes are missing or all equal.

    Warns
    -----
    SmallSampleWarning
        If a group is expected to have fewer than 20 buyers.

    Notes
    -----
    Shares are planned by the two-sided score test (Fleiss, Levin & Paik 2003, equation 4.14), money
    as if the treated spread as the past did: where a campaign brings new buyers, they spread more.
    The plan counts on normal means. Long tails and a small control group cost some power, as the
    test then asks for more than 1.96 standard errors of a gain: of 80 % planned, exponential spend
    with 30 % of 340 customers held out left 75 %.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.campaign import plan_test
    >>> past = np.repeat([0.0, 1.0], [950, 50])
    >>> plan_test(past, effect=0.01).n_customers
    16316
    >>> plan_test(past, n_customers=16316).effect.__round__(4)
    0.01
    >>> plan_test(past, effect=0.01, n_customers=8000).power.__round__(2)
    0.5
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    y = np.asarray(past, dtype=float)
    if y.ndim != 1 or len(y) < 2 or not np.isfinite(y).all():
        rows = np.flatnonzero(~np.isfinite(y)) if y.ndim == 1 else np.empty(0, dtype=int)
        raise DataContractError(
            ContractProblem.at(
                "past-outcomes",
                f"past must hold one finite outcome a customer, of two or more; shape {y.shape}",
                "Who brought nothing has 0.",
                rows,
            )
        )
    if not y.std() > 0:
        raise DataContractError(
            ContractProblem(
                "equal-outcomes",
                f"all past outcomes are {y[0]:g}: nothing says how they spread",
                "Take a period in which customers bought.",
            )
        )
    if effect is None and n_customers is None:
        raise ValueError("say effect= (smallest worth knowing), n_customers=, or both.")
    if not (0 < power < 1 and 0 < confidence < 1):
        raise ValueError(f"power={power!r} and confidence={confidence!r} must lie between 0 and 1.")
    check_share(control_share, "control_share", above=True, below=True)
    if not -1 < correlation < 1:
        raise ValueError(f"correlation={correlation!r} must lie between -1 and 1.")
    if n_campaigns < 1:
        raise ValueError(f"n_campaigns={n_campaigns!r} must be 1 or more.")
    if effect is not None and not (np.isfinite(effect) and effect != 0):
        raise ValueError(f"effect={effect!r} must be finite and not 0.")
    treated_share = (1.0 - control_share) / n_campaigns
    if n_customers is not None and n_customers * min(control_share, treated_share) < 1:
        raise ValueError(f"n_customers={n_customers!r} leaves a group empty.")
    unit = one_size(y, y)
    noise = 1.0 - correlation**2
    z = float(norm.ppf(1 - (1 - confidence) / n_campaigns / 2))
    z_power = float(norm.ppf(power))

    def spreads(delta: float) -> tuple[float, float]:
        """Spread of the difference, one customer in all, without the effect and with it."""
        if unit is None:
            both = float(np.sqrt(noise * y.var(ddof=1) * (1 / treated_share + 1 / control_share)))
            return both, both
        q = y.mean() / unit
        p = q + delta / unit
        if not 0 <= p <= 1:
            raise ValueError(
                f"effect={delta:g} would make the share that buys {p:.4g}; it is {q:.4g} now."
            )
        mixed = (treated_share * p + control_share * q) / (treated_share + control_share)
        none = mixed * (1 - mixed) * (1 / treated_share + 1 / control_share)
        some = p * (1 - p) / treated_share + q * (1 - q) / control_share
        return float(unit * np.sqrt(noise * none)), float(unit * np.sqrt(noise * some))

    if n_customers is None:
        assert effect is not None
        none, some = spreads(effect)
        needed = ((z * none + z_power * some) / effect) ** 2
        sizes = int(np.ceil(needed * treated_share)), int(np.ceil(needed * control_share))
    else:
        sizes = int(n_customers * treated_share), round(n_customers * control_share)
        root = np.sqrt(n_customers)
        if effect is not None:
            none, some = spreads(effect)
            power = float(norm.cdf((abs(effect) * root - z * none) / some)) if some > 0 else 1.0
        elif unit is None:
            none, some = spreads(0.0)
            effect = (z * none + z_power * some) / float(root)
        else:
            most = float(unit - y.mean())

            def seen(delta: float) -> float:
                none, some = spreads(delta)
                return float(delta * root - z * none - z_power * some)

            effect = float(brentq(seen, 0.0, most)) if seen(most) >= 0 else float("inf")
    buyers = np.mean(y != 0) * np.array(sizes)
    if buyers.min() < FEWEST:
        warn_caller(
            f"groups of {sizes[0]:,} and {sizes[1]:,} are expected to have {buyers[0]:.0f} and "
            f"{buyers[1]:.0f} customers who bring anything: below {FEWEST} the plan is rough.",
            SmallSampleWarning,
        )
    return CampaignPlan(
        *sizes,
        float(effect),
        float(power),
        float(confidence),
        float(y.mean()),
        float(y.std(ddof=1)),
        float(correlation),
        int(n_campaigns),
    )
