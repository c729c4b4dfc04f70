"""What `crm_effect` found, as values that speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custvalue._words import CAMPAIGN, Language
from custvalue.campaign._balance import Balance
from custvalue.exceptions import NotSupportedError


@dataclass(frozen=True)
class Estimate:
    """One number with its interval: of a metric, over all or at one start and period.

    Parameters
    ----------
    metric : str
    what : {"effect", "change"}
        "change" where no unit without the change was there to compare with.
    start, period : object
        First period of the units and the period that is told; None where all are taken together.
    since : int or None
        Periods since the start; negative ones are placebos.
    estimate, standard_error, low, high : float
        NaN where ``note`` says why.
    n_treated, n_control : int
    note : str

    Examples
    --------
    >>> Estimate("calls", "effect", None, None, None, 2.0, 0.5, 1.0, 3.0, 12, 9, "").effect
    2.0
    """

    metric: str
    what: str
    start: object
    period: object
    since: int | None
    estimate: float
    standard_error: float
    low: float
    high: float
    n_treated: int
    n_control: int
    note: str

    @property
    def effect(self) -> float:
        """The estimate, where it is one of an effect.

        Raises
        ------
        NotSupportedError
            Without a control: then nobody knows what would have happened anyway.
        """
        if self.what != "effect":
            raise NotSupportedError(
                f"{self.metric} changed by {self.estimate:.6g}, but there was no control: what "
                "would have happened anyway is not known, so neither is the effect. `estimate` has "
                "the change."
            )
        return self.estimate


@dataclass(frozen=True)
class CrmEffect:
    """What `crm_effect` found; ``print`` shows it in words.

    Parameters
    ----------
    overall, placebos : tuple of Estimate
        One a metric: after the start; and before it, where nothing should be found. No placebo
        where all units started in their second period, or without control.
    cells : tuple of Estimate
        One a metric, start and period, placebos among them.
    since : tuple of Estimate
        One a metric and number of periods since the start.
    balance : Balance
        How the treated and the others differed before the start; after weighting, where asked.
        None without control or with several starts.
    confidence : float
    n_eff : float or None
        Number of controls that the weighted ones are worth.

    Examples
    --------
    See `crm_effect`.

    >>> CrmEffect((), (), (), (), None, 0.95, None).table().empty
    True
    """

    overall: tuple[Estimate, ...]
    placebos: tuple[Estimate, ...]
    cells: tuple[Estimate, ...]
    since: tuple[Estimate, ...]
    balance: Balance | None
    confidence: float
    n_eff: float | None

    def __getitem__(self, metric: str) -> Estimate:
        for one in self.overall:
            if one.metric == metric:
                return one
        raise KeyError(f"{metric!r}; there are {[one.metric for one in self.overall]}")

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row a metric, with the placebo beside it.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``metric``, ``what`` ("effect" or "change"), ``estimate``, ``standard_error``, ``low``,
            ``high``, ``n_treated``, ``n_control``, ``placebo``, ``placebo_low``, ``placebo_high``,
            ``note``.
        """
        before = {one.metric: one for one in self.placebos}
        rows = []
        for one in self.overall:
            placebo = before.get(one.metric)
            rows.append(
                {
                    "metric": one.metric,
                    "what": one.what,
                    "estimate": one.estimate,
                    "standard_error": one.standard_error,
                    "low": one.low,
                    "high": one.high,
                    "n_treated": one.n_treated,
                    "n_control": one.n_control,
                    "placebo": placebo.estimate if placebo else np.nan,
                    "placebo_low": placebo.low if placebo else np.nan,
                    "placebo_high": placebo.high if placebo else np.nan,
                    "note": one.note or ("" if placebo else "no placebo: no period before to test"),
                }
            )
        return CAMPAIGN.table(pd.DataFrame(rows), language, cells=("what", "note") if rows else ())

    def cell_table(self, language: Language = "en") -> pd.DataFrame:
        """One row a metric, start and period; periods before the start are placebos.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        return _rows(self.cells, language, ("start", "period", "since"))

    def since_table(self, language: Language = "en") -> pd.DataFrame:
        """One row a metric and number of periods since the start.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        return _rows(self.since, language, ("since",))

    def balance_table(self, language: Language = "en") -> pd.DataFrame:
        """How the groups differed before the start, one row a metric.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Raises
        ------
        NotSupportedError
            Without control, or with several starts.
        """
        if self.balance is None:
            raise NotSupportedError(
                "balance is of one start against units that never started; with several starts "
                "look at the placebos of cell_table()."
            )
        return self.balance.table(language)

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self, language: Language = "en") -> str:
        """Say the result in words.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        told = []
        placebos = {one.metric: one for one in self.placebos}
        for one in self.overall:
            numbers: dict[str, Any] = {**vars(one), "level": 100 * self.confidence}
            if one.what == "change":
                told.append(
                    CAMPAIGN(
                        "{metric} changed by {estimate:.4g} ({level:.4g} % interval {low:.4g} to "
                        "{high:.4g}, {n_treated:,} units). There is no control, so this is no "
                        "effect.",
                        language,
                    ).format(**numbers)
                )
                continue
            text = CAMPAIGN(
                "Effect on {metric} {estimate:.4g} ({level:.4g} % interval {low:.4g} to "
                "{high:.4g}, {n_treated:,} treated and {n_control:,} other units).",
                language,
            ).format(**numbers)
            placebo = placebos.get(one.metric)
            if placebo is not None:
                apart = placebo.low > 0 or placebo.high < 0
                went = (
                    " Before the start they went apart ({p:.4g}): doubt it."
                    if apart
                    else " Before the start they went together ({p:.4g})."
                )
                text += CAMPAIGN(went, language, p=placebo.estimate)
            told.append(text)
        return "\n".join(told)


def _rows(
    estimates: Sequence[Estimate], language: Language, where: tuple[str, ...]
) -> pd.DataFrame:
    names = ["metric", "what", *where, "estimate", "standard_error", "low", "high",
             "n_treated", "n_control", "note"]  # fmt: skip
    table = pd.DataFrame(
        [{name: vars(e)[name] for name in names} for e in estimates], columns=names
    )
    return CAMPAIGN.table(table, language, cells=("what", "note"))
