"""What a past campaign measured: the response that the next one is planned with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from custvalue import _frames
from custvalue.campaign._for_rooms import CampaignEffect, CampaignEffects
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.report._collect import to_pandas

WANTED = ("n_treated", "mean_treated", "effect", "low", "high")
# CampaignEffects.table() with nothing in it: its headings in both languages
_EMPTY = CampaignEffects((("", CampaignEffect(2, 2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.95, 1.0, 0.0)),))


class Measured(NamedTuple):
    """Share more of the treated than of the control customers who ordered, and its interval."""

    response: float
    low: float
    high: float
    n_treated: int


def measured_response(given: Any) -> Measured:
    """Read the effect of a past campaign on ordering.

    Parameters
    ----------
    given : CampaignEffect or frame
        What `custvalue.campaign.campaign_effect` found with outcomes of 0 and 1; or a table of one
        such campaign, as ``custvalue campaign measure --out`` writes it, in either language.

    Raises
    ------
    DataContractError
        If the table is another one, or has several campaigns.
    TypeError
        If it is neither.
    ValueError
        If it is no effect on a share of customers, or no gain.
    """
    if isinstance(given, CampaignEffect):
        if given.ratio:
            raise ValueError(_not_a_share("it is the effect on a ratio"))
        found = [float(getattr(given, name)) for name in WANTED]
        shares = (given.mean_treated, given.mean_control)
    else:
        found = _of_table(given)
        shares = (found[1], abs(found[2]))
    n_treated, _, effect, low, high = found
    if not all(0.0 <= share <= 1.0 for share in shares):
        raise ValueError(_not_a_share(f"the treated brought {shares[0]:.4g} each"))
    if not effect > 0.0:
        raise ValueError(
            f"measured={effect:.4g} is no gain ({low:.4g} to {high:.4g}): no contact pays with "
            "such a response. Leave it out, or give the response= that is hoped for."
        )
    return Measured(effect, low, high, int(n_treated))


def _of_table(given: Any) -> list[float]:
    if _frames.column_names(given) is None:
        raise TypeError(
            f"measured must be a CampaignEffect or the table of one, not {type(given).__name__}."
        )
    frame = to_pandas(given)
    english = dict(zip(_EMPTY.table("zh").columns, _EMPTY.table().columns, strict=True))
    frame = frame.rename(columns={name: english.get(name, name) for name in frame.columns})
    lacking = [name for name in WANTED if name not in frame]
    problems = []
    if lacking:
        text = f"the table lacks {', '.join(map(repr, lacking))}"
        cure = "Pass what custvalue campaign measure --out writes, or CampaignEffects.table()."
        problems.append(ContractProblem("missing-column", text, cure))
    if len(frame) != 1:
        text = f"the table of measured effects has {len(frame)} rows"
        cure = "Keep the row of the campaign that the next one is like."
        problems.append(ContractProblem("several-campaigns", text, cure))
    if problems:
        raise DataContractError(problems)
    values = np.concatenate(_frames.float_vectors(frame, list(WANTED), caller="the table"))
    return [float(value) for value in values]


def _not_a_share(why: str) -> str:
    return (
        f"measured must be the effect on who ordered, with outcomes of 0 and 1; {why}. A response "
        "is a share of customers: run campaign_effect on orders, not on money."
    )
