"""What a campaign brought, as a value that speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custvalue._words import CAMPAIGN, Language
from custvalue.campaign._adjust import Adjustment
from custvalue.exceptions import NotSupportedError

LITTLE = 0.02  # of the variance: covariates that take less of it bring nothing worth a word


@dataclass(frozen=True)
class GroupEffect:
    """Effect in one group of customers, by itself and drawn towards those of the others.

    Parameters
    ----------
    group : object
    n_treated, n_control : int
    effect, low, high, standard_error : float
        Of this group's customers alone; NaN where ``note`` says why.
    shrunk, shrunk_low, shrunk_high : float
        Drawn towards the other groups as far as their differences are chance.
    note : str
        Why a number is missing; empty where none is.

    Examples
    --------
    >>> GroupEffect("north", 900, 100, 3.0, -1.0, 7.0, 2.0, 1.4, -1.0, 3.8).shrunk
    1.4
    """

    group: object
    n_treated: int
    n_control: int
    effect: float
    low: float
    high: float
    standard_error: float
    shrunk: float
    shrunk_low: float
    shrunk_high: float
    note: str = ""


@dataclass(frozen=True)
class CampaignEffect:
    """What a campaign brought more than no campaign; ``print`` shows it in words.

    Parameters
    ----------
    n_treated, n_control : int
    mean_treated, mean_control : float
        Mean outcome a customer; of a ratio, outcomes over counts of the whole group.
    effect, low, high : float
        Difference of the means, adjusted where covariates were given, and its confidence interval.
    confidence : float
    margin, contact_cost : float
    standard_error : float or None, default=None
        None for shares, whose interval has none.
    adjusted : Adjustment or None, default=None
        What covariates known before the campaign did.
    groups : tuple of GroupEffect, default=()
        Effects by group of customers, where groups were given.
    ratio : bool, default=False
        Whether the means are of a ratio such as spend an order.
    simultaneous : (float, float) or None, default=None
        Of one of several campaigns against one control group: ends that hold for all together.

    Examples
    --------
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
    standard_error: float | None = None
    adjusted: Adjustment | None = None
    groups: tuple[GroupEffect, ...] = ()
    ratio: bool = False
    simultaneous: tuple[float, float] | None = None

    @property
    def net(self) -> tuple[float, float, float]:
        """Effect a treated customer after margin and contact cost, and its interval.

        Raises
        ------
        NotSupportedError
            For a ratio: spend an order may rise while orders fall.
        """
        if self.ratio:
            raise NotSupportedError(
                "a ratio is no gain a customer: it rises too where fewer orders are left. Compare "
                "spend a customer, without per=."
            )
        net = np.array([self.effect, self.low, self.high]) * self.margin - self.contact_cost
        return float(net[0]), float(net[1]), float(net[2])

    @property
    def total(self) -> tuple[float, float, float]:
        """Net effect of all treated customers together, and its interval."""
        net, low, high = self.net
        return net * self.n_treated, low * self.n_treated, high * self.n_treated

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self, language: Language = "en") -> str:
        """Say the result in words.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Examples
        --------
        >>> found = CampaignEffect(900, 100, 12.0, 9.0, 3.0, 1.0, 5.0, 0.95, 0.5, 0.4)
        >>> print(found.sentence("zh").splitlines()[0])
        900 位处理组客户人均 12，100 位对照组客户人均 9。
        """
        numbers: dict[str, Any] = {
            "n": self.n_treated,
            "m": self.n_control,
            "mean": self.mean_treated,
            "base": self.mean_control,
            "effect": self.effect,
            "low": self.low,
            "high": self.high,
            "level": 100 * self.confidence,
        }
        if self.ratio:
            told = [
                CAMPAIGN(
                    "{n:,} treated customers: {mean:.4g} a count, {m:,} control customers "
                    "{base:.4g}.\nEffect {effect:.4g} a count ({level:.4g} % interval {low:.4g} to "
                    "{high:.4g}).",
                    language,
                )
            ]
        else:
            net, total = self.net, self.total
            numbers |= {"net": net[0], "net_low": net[1], "net_high": net[2]}
            numbers |= {"all": total[0], "all_low": total[1], "all_high": total[2]}
            told = [
                CAMPAIGN(
                    "{n:,} treated customers brought {mean:.4g} each, {m:,} control customers "
                    "{base:.4g}.\nEffect {effect:.4g} a customer ({level:.4g} % interval {low:.4g} "
                    "to {high:.4g}); after margin and contact cost {net:.4g} ({net_low:.4g} to "
                    "{net_high:.4g}), in\ntotal {all:,.0f} ({all_low:,.0f} to {all_high:,.0f}).",
                    language,
                )
            ]
        if self.adjusted is not None:
            numbers |= {
                "r": self.adjusted.correlation,
                "plain": self.adjusted.unadjusted,
                "saved": 100 * self.adjusted.customers_saved,
            }
            if self.adjusted.customers_saved < LITTLE:
                told.append(
                    CAMPAIGN(
                        "What was known before tells nothing of the outcome (correlation {r:.2f}): "
                        "no gain by adjusting.",
                        language,
                    )
                )
            else:
                told.append(
                    CAMPAIGN(
                        "Adjusted by what was known before (correlation {r:.2f}, unadjusted "
                        "{plain:.4g}): {saved:.0f} % fewer\ncustomers for the same answer.",
                        language,
                    )
                )
        return "\n".join(told).format(**numbers)

    def group_table(self, language: Language = "en") -> pd.DataFrame:
        """Effects by group of customers, own and shrunk.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            One row a group: ``group``, ``n_treated``, ``n_control``, ``effect``, ``low``, ``high``,
            ``standard_error``, ``shrunk``, ``shrunk_low``, ``shrunk_high``, ``note``.

        Raises
        ------
        NotSupportedError
            If no groups were given.
        """
        if not self.groups:
            raise NotSupportedError("no groups were given; pass groups=(of treated, of control).")
        table = pd.DataFrame([vars(g) for g in self.groups])
        return CAMPAIGN.table(table, language, cells=("note",))


@dataclass(frozen=True)
class CampaignEffects(Mapping[str, CampaignEffect]):
    """Effects of several campaigns against one control group; a mapping of names to effects.

    Parameters
    ----------
    effects : tuple of (str, CampaignEffect)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.campaign import campaign_effect
    >>> rng = np.random.default_rng(4)
    >>> arms = {"letter": rng.exponential(12, 900), "call": rng.exponential(9, 900)}
    >>> found = campaign_effect(arms, rng.exponential(9, 900))
    >>> list(found), found["letter"].low > 0
    (['letter', 'call'], True)
    >>> found.table()[["campaign", "verdict"]].to_numpy().tolist()
    [['letter', 'gain'], ['call', 'not seen']]
    """

    effects: tuple[tuple[str, CampaignEffect], ...]

    def __getitem__(self, name: str) -> CampaignEffect:
        return dict(self.effects)[name]

    def __iter__(self) -> Any:
        return iter(dict(self.effects))

    def __len__(self) -> int:
        return len(self.effects)

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self, language: Language = "en") -> str:
        """Say every result in words, and that several were looked at.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        told = [f"{name}: {found.sentence(language)}" for name, found in self.effects]
        return "\n".join([*told, self._of_many(language)])

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row a campaign, with the interval of its own and the one that holds for all.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``campaign``, ``n_treated``, ``mean_treated``, ``effect``, ``low``, ``high``,
            ``low_of_all``, ``high_of_all`` and ``verdict``: "gain" or "loss" where the interval
            that holds for all leaves zero out, else "not seen".
        """
        rows = []
        for name, found in self.effects:
            low, high = found.simultaneous or (found.low, found.high)
            rows.append(
                {
                    "campaign": name,
                    "n_treated": found.n_treated,
                    "mean_treated": found.mean_treated,
                    "effect": found.effect,
                    "low": found.low,
                    "high": found.high,
                    "low_of_all": low,
                    "high_of_all": high,
                    "verdict": "gain" if low > 0 else "loss" if high < 0 else "not seen",
                }
            )
        return CAMPAIGN.table(pd.DataFrame(rows), language, cells=("verdict",))

    def _of_many(self, language: Language) -> str:
        confidence = self.effects[0][1].confidence
        text = CAMPAIGN(
            "{k} campaigns against one control group: each interval holds in {level:.4g} % "
            "of tests, all together in fewer; those of the table's last columns hold "
            "together.",
            language,
        )
        return text.format(k=len(self.effects), level=100 * confidence)
