"""What to tell and what to do at each stage: the source's value messages and next steps."""

from __future__ import annotations

from typing import Any

import pandas as pd

from custvalue._labels import check_language, translate
from custvalue.segment._stages import STAGES, VIEW, VIEW_OF

# stage -> (value message, next step); both have a Chinese twin in ``_labels``
_PLAYS = {
    "potential": (
        "image and brand",
        "make the name known and find the first point of contact",
    ),
    "target": (
        "personal relations, people and brand",
        "win mutual interest and a first trial order",
    ),
    "new": (
        "product value: core needs only, the agreed way of working held",
        "deliver the trial without a fault and ask for the repeat order",
    ),
    "established": (
        "brand, technology and network value: additional needs step by step",
        "widen the use of the product and leave competitors no opening",
    ),
    "core": (
        "core needs fully and additional needs as far as possible",
        "keep out of price competition and look for a joint project",
    ),
    "strategic": (
        "joint development",
        "develop tailored products or services together",
    ),
    "problem": (
        "diagnose and convert fast",
        "find the cause of the conflict or the silence and settle it within days",
    ),
    "exited": (
        "care goes on",
        "part on good terms, stay in touch and keep the door open",
    ),
}


def play_of(stage: str, labels: str) -> tuple[str, str]:
    """Value message and next step of one stage."""
    message, step = _PLAYS[stage]
    return translate(message, labels), translate(step, labels)


def playbook(*, labels: str = "en", view: str = "eight") -> Any:
    """Value message and next step of every stage.

    Parameters
    ----------
    labels : {"en", "zh"}, default="en"
        Language of the table.
    view : {"eight", "four"}, default="eight"
        ``"four"`` puts the coarse stage in front; the advice stays that of the eight.

    Returns
    -------
    DataFrame
        ``stage``, ``value_message``, ``next_step``; with ``view="four"`` also ``group``.

    Raises
    ------
    ValueError
        If ``labels`` or ``view`` is unknown.

    Examples
    --------
    >>> from custvalue.segment import playbook
    >>> playbook().loc[7, "value_message"]
    'care goes on'
    """
    check_language(labels)
    if view not in ("eight", "four"):
        raise ValueError(f"view={view!r} must be 'eight' or 'four'.")
    rows = []
    for code, stage in enumerate(STAGES):
        message, step = _PLAYS[stage]
        row = {"group": VIEW[VIEW_OF[code]]} if view == "four" else {}
        rows.append(row | {"stage": stage, "value_message": message, "next_step": step})
    return pd.DataFrame(
        [{translate(k, labels): translate(v, labels) for k, v in row.items()} for row in rows]
    )
