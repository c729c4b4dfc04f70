"""Stages that have names already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Preset(NamedTuple):
    """Stages in order, and what winning is called.

    Examples
    --------
    >>> from custvalue.funnel import PRESETS
    >>> PRESETS["account"].stages, PRESETS["account"].won
    (('early lead', 'early project', 'contract'), 'paid')
    """

    stages: tuple[str, ...]
    won: str
    source: str


PRESETS: Mapping[str, Preset] = {
    "buygrid": Preset(
        (
            "problem recognition",
            "need description",
            "product specification",
            "supplier search",
            "proposal acquisition",
            "supplier selection",
            "order routine",
            "performance review",
        ),
        "won",
        "Robinson, Faris & Wind (1967), Industrial Buying and Creative Marketing",
    ),
    "decision": Preset(
        ("content", "unease", "resolve to act", "evaluation", "choice", "negotiation"),
        "implementation",
        "the buyer's state of mind, from content with what there is to putting the new in place",
    ),
    "account": Preset(
        ("early lead", "early project", "contract"),
        "paid",
        "an account from the first lead to the payment received",
    ),
    "calls": Preset(("dialled", "connected", "call lead", "meeting"), "closed", "outbound calls"),
    "attitude": Preset(
        ("awareness", "opinion", "stance"), "action", "from knowing a supplier to acting"
    ),
}
