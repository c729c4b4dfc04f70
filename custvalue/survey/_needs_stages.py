"""What the stages of a relationship ask for, and what coverage of needs allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._typing import Floats
from custvalue._words import HOUSE, SURVEY, Language, check_language
from custvalue.survey._needs import Need

# what each stage asks for (六个阶段); both languages
ASKS = {
    "new": (
        "core needs in full, and nothing more: promise no extras",
        "核心需求全部满足，不要答应额外要求",
    ),
    "established": (
        "core needs in full, additional needs step by step; begin to look for latent needs",
        "核心需求全部满足，逐步满足附加需求，开始寻找潜在需求",
    ),
    "core": (
        "core needs in full, additional needs as far as possible",
        "核心需求全部满足，尽量满足附加需求",
    ),
    "strategic": (
        "joint development: additional needs nearly in full, a latent need met",
        "共同开发：附加需求基本满足，至少满足一项潜在需求",
    ),
}


def stage_needs(*, language: Language = "en") -> pd.DataFrame:
    """List what each stage of the relationship asks for.

    Parameters
    ----------
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame
        ``stage``, ``asks_for``.

    Examples
    --------
    >>> from custvalue.survey import stage_needs
    >>> stage_needs().loc[0].tolist()
    ['new', 'core needs in full, and nothing more: promise no extras']
    """
    english = check_language(language) == "en"
    rows = [
        {"stage": _stage_word(stage, language), "asks_for": texts[0 if english else 1]}
        for stage, texts in ASKS.items()
    ]
    return SURVEY.table(pd.DataFrame(rows), language)


def _stage_word(stage: str, language: Language) -> str:
    """Name of a stage; "core" is a customer here, not a layer."""
    return SURVEY.name("none", language) if stage == "none" else HOUSE.name(stage, language)


def weighted_means(met: Floats, weight: Floats) -> Floats:
    """Weighted mean of what was asked in each row; NaN where nothing was."""
    known = ~np.isnan(met)
    below = known @ weight
    top = np.where(known, met, 0.0) @ weight
    out = np.divide(top, below, out=np.full(len(met), np.nan), where=below > 0)
    # all met is 1, whatever the rounding of the weights
    return np.where(np.where(known, met, 1.0).min(axis=1, initial=1.0) >= 1.0, out.round(12), out)


def stage_rows(
    met: Floats,
    needs: Mapping[str, Need],
    stages: npt.NDArray[Any],
    core_additional: float,
    strategic_additional: float,
    language: Language,
) -> dict[str, list[str]]:
    """Own stage, the stage that coverage allows, what is missing for the own one, and surplus."""
    names = list(needs)
    layer = np.array([need.layer for need in needs.values()], dtype=object)
    weight = np.array([need.importance for need in needs.values()], dtype=np.float64)
    extra, core = layer == "additional", met[:, layer == "core"]
    additional = weighted_means(met[:, extra], weight[extra])
    latent = np.asarray((met[:, layer == "latent"] >= 1.0).any(axis=1))
    asked = ~np.isnan(core)
    full = (np.where(asked, core, 1.0) >= 1.0).all(axis=1) & asked.any(axis=1)
    # a comparison with NaN is False: what was not asked is not taken for met
    like_core = additional >= core_additional
    like_strategic = (additional >= strategic_additional) & latent
    reached = np.select(
        [~full, like_strategic, like_core], ["none", "strategic", "core"], "established"
    )
    asks = {"core": core_additional, "strategic": strategic_additional}
    wants, surplus = [], []
    for i, own in enumerate(stages):
        lacking = []
        if own in ASKS or own == "problem":
            lacking = [n for n, m in zip(names, met[i], strict=True) if m < 1.0]
            lacking = [n for n in lacking if needs[n].layer == "core"]
            if not core.shape[1]:
                lacking.append(SURVEY.name("no core need is named", language))
        if own in asks and not additional[i] >= asks[own]:
            have = "–" if np.isnan(additional[i]) else f"{additional[i]:.2f}"
            lacking.append(f"{SURVEY.name('additional', language)} {have} < {asks[own]:.2f}")
        if own == "strategic" and not latent[i]:
            lacking.append(SURVEY.name("a latent need", language))
        wants.append(", ".join(lacking))
        beyond = [n for n, m in zip(names, met[i], strict=True) if m > 0 and own == "new"]
        surplus.append(", ".join(n for n in beyond if needs[n].layer != "core"))
    return {
        "stage": [_stage_word(str(stage), language) for stage in stages],
        "stage_by_needs": [_stage_word(str(stage), language) for stage in reached],
        "wants": wants,
        "surplus": surplus,
    }
