"""What to tell and what to do at each stage: the source's value messages and next steps."""

from __future__ import annotations

from typing import Any

import pandas as pd

from custvalue._words import HOUSE, Language, check_language
from custvalue.lifecycle._stages import STAGES, VIEW, VIEW_OF

# stage -> (value message, next step); both have a Chinese twin in ``_words``
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
        "widen the use of the product, leave rivals no opening, begin to look for latent needs",
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


# stage -> (kinds of value to speak of, when, by which medium); kinds follow the messages above,
# windows are those of the stages, media are our reading: the source names none
_HOW = {
    "potential": (("brand",), "any time", "advertising, fairs, the web"),
    "target": (
        ("people and team", "brand"),
        "from the first contact until the first order",
        "visits and calls",
    ),
    "new": (
        ("product", "service"),
        "within 2 to 4 months of the first order",
        "delivery and follow-up visits",
    ),
    "established": (
        ("brand", "technology", "customer network"),
        "within 3 months to a year of becoming established",
        "regular visits, trainings, references",
    ),
    "core": (
        ("product", "service", "marketing and management"),
        "about a year after becoming core",
        "account team, joint reviews",
    ),
    "strategic": (
        ("technology", "marketing and management"),
        "throughout the joint project",
        "joint teams and meetings of the heads",
    ),
    "problem": (("service", "people and team"), "within days", "a visit in person"),
    "exited": (
        ("brand", "history"),
        "at regular intervals",
        "letters, greetings, news",
    ),
}
# the nine kinds of value of a company
VALUE_KINDS = (
    "product",
    "service",
    "people and team",
    "marketing and management",
    "technology",
    "customer network",
    "brand",
    "society",
    "history",
)


def playbook(*, language: Language = "en", view: str = "eight") -> Any:
    """Value message, next step, kinds of value, timing and medium of every stage.

    Parameters
    ----------
    language : {"en", "zh"}, default="en"
        Language of the table.
    view : {"eight", "four"}, default="eight"
        ``"four"`` puts the coarse stage in front; the advice stays that of the eight.

    Returns
    -------
    DataFrame
        ``stage``, ``value_message``, ``next_step``, ``value_kinds`` (of the nine kinds of value a
        company has: product, service, people and team, marketing and management, technology,
        customer network, brand, society, history), ``timing``, ``medium``; with ``view="four"``
        also ``group``.

    Raises
    ------
    ValueError
        If ``language`` or ``view`` is unknown.

    Examples
    --------
    >>> from custvalue.lifecycle import playbook
    >>> playbook().loc[7, "value_message"]
    'care goes on'
    """
    check_language(language)
    if view not in ("eight", "four"):
        raise ValueError(f"view={view!r} must be 'eight' or 'four'.")
    rows = []
    for code, stage in enumerate(STAGES):
        message, step = _PLAYS[stage]
        row = {"group": VIEW[VIEW_OF[code]]} if view == "four" else {}
        kinds, timing, medium = _HOW[stage]
        comma = ", " if language == "en" else "、"
        row |= {"stage": stage, "value_message": message, "next_step": step}
        said = {HOUSE(k, language): HOUSE(v, language) for k, v in row.items()}
        said[HOUSE("value_kinds", language)] = comma.join(
            HOUSE(f"{kind} value", language) if language == "zh" else kind for kind in kinds
        )
        said[HOUSE("playbook timing", language) if language == "zh" else "timing"] = HOUSE(
            timing, language
        )
        said[HOUSE("medium", language)] = HOUSE(medium, language)
        rows.append(said)
    return pd.DataFrame(rows)
