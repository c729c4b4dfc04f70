"""Stage rules as sentences: of the written rules, and of a tree that learned its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._units import DAYS_PER, days_per
from custvalue._words import HOUSE, Language
from custvalue.lifecycle._stages import RULES, STAGES, VIEW, VIEW_OF, StageThresholds

_PHRASE_OF = {
    "n_orders": "number of orders",
    "recency": "span of orders",
    "silence": "silence",
    "gap_max": "longest gap",
    "gap_mean": "mean gap",
    "gap_std": "spread of gaps",
    "total_value": "total value",
    "silence_ratio": "silence / longest gap",
    "irregularity": "irregularity of gaps",
    "in_plan": "in development plan",
    "contacted": "contacted",
    "open_dispute": "open dispute",
    "terminated": "relationship ended",
    "joint_project": "joint project",
    "satisfaction": "satisfaction",
    "return_chance": "chance of return",
}
_SPANS = {"recency", "silence", "gap_max", "gap_mean", "gap_std"}
_FLAGS = {"in_plan", "contacted", "open_dispute", "terminated", "joint_project"}


def stage_names(view: str, language: Language) -> list[str]:
    """Names of the eight stages, or of the four that they fall into, by stage code.

    Raises
    ------
    ValueError
        If ``view`` is neither ``"eight"`` nor ``"four"``.
    """
    if view not in ("eight", "four"):
        raise ValueError(f"view={view!r} must be 'eight' or 'four'.")
    words = STAGES if view == "eight" else tuple(VIEW[i] for i in VIEW_OF)
    return [HOUSE(word, language) for word in words]


def span_words(length: float, unit: str | None, language: Language = "en") -> str:
    """Write a span of time in the largest unit in which it is a plain number.

    Examples
    --------
    >>> from custvalue.lifecycle._lifecycle_words import span_words
    >>> span_words(60.875, "D"), span_words(12.0, "W"), span_words(365.25, "D")
    ('2 months', '12 weeks', '1 year')
    """
    if unit is None:
        return f"{length:.4g}"
    days = length * days_per(unit)
    for code, many, one in (
        ("Y", "years", "year"),
        ("M", "months", "month"),
        ("W", "weeks", "week"),
        ("D", "days", "day"),
    ):
        count = days / DAYS_PER[code]
        if code == "D" or (count >= 1 and abs(count - round(count)) < 1e-6):
            word = one if f"{count:.4g}" == "1" else many
            space = " " if language == "en" else ""
            return f"{count:.4g}{space}{HOUSE(word, language)}"
    raise AssertionError("unreachable: days always end the search")


def rule_words(at: StageThresholds, language: Language = "en") -> list[str]:
    """Every rule of ``RULES`` as a sentence with its thresholds, in order of precedence."""
    more = []
    if at.core_irregularity is not None:
        more.append(
            HOUSE("gaps no more irregular than {n}", language).format(
                n=f"{at.core_irregularity:.4g}"
            )
        )
    if at.core_value is not None:
        more.append(HOUSE("total value from {n} on", language).format(n=f"{at.core_value:,.6g}"))
    if at.satisfied_from is not None:
        more.append(
            HOUSE("satisfaction from {n} on", language).format(n=f"{at.satisfied_from:.4g}")
        )
    comma = ", " if language == "en" else "，"

    def span(length: float) -> str:
        return span_words(length, at.unit, language)

    fill: dict[str, Any] = {
        "exit_chance": f"{at.exit_chance:.4g}",
        "exit_after": span(at.exit_after),
        "exit_ratio": f"{at.exit_ratio:.4g}",
        "quiet_after": span(at.quiet_after),
        "quiet_ratio": f"{at.quiet_ratio:.4g}",
        "strategic_span": span(at.strategic_span),
        "core_span": span(at.core_span),
        "established_span": span(at.established_span),
        "core_orders": at.core_orders,
        "established_orders": at.established_orders,
        "core_more": "".join(comma + part for part in more),
    }
    return [HOUSE(rule.words, language).format(**fill) for rule in RULES]


def leaf_words(
    tree: Any,
    names: tuple[str, ...],
    unit: str | None,
    language: Language = "en",
    may_lack: frozenset[str] = frozenset(),
) -> dict[int, str]:
    """For every leaf of a fitted scikit-learn tree, its conditions as one sentence.

    ``may_lack`` names the columns that had missing values when the tree learned: only there is it
    worth saying which way an unknown value goes.
    """
    inner = tree.tree_
    missing_left = getattr(inner, "missing_go_to_left", np.zeros(inner.node_count, dtype=bool))
    out: dict[int, str] = {}
    joint = f" {HOUSE('and', language)} " if language == "en" else HOUSE("and", language)

    def walk(node: int, bounds: dict[str, tuple[float, float, bool]]) -> None:
        left, right = inner.children_left[node], inner.children_right[node]
        if left == right:
            parts = [
                _bound(name, low, high, unknown and name in may_lack, unit, language)
                for name, (low, high, unknown) in bounds.items()
            ]
            out[node] = joint.join(parts) or HOUSE("every customer", language)
            return
        name = names[inner.feature[node]]
        cut = float(inner.threshold[node])
        low, high, unknown = bounds.get(name, (-np.inf, np.inf, True))
        goes_left = bool(missing_left[node])
        walk(left, {**bounds, name: (low, min(high, cut), unknown and goes_left)})
        walk(right, {**bounds, name: (max(low, cut), high, unknown and not goes_left)})

    walk(0, {})
    return out


def _bound(
    name: str, low: float, high: float, unknown: bool, unit: str | None, language: Language
) -> str:
    what = HOUSE(_PHRASE_OF[name], language) if name in _PHRASE_OF else name
    # a tree that splits on what is missing alone has a threshold without end
    if low == np.inf or high == -np.inf:
        return HOUSE("{what} unknown", language).format(what=what)
    if low == -np.inf and high == np.inf:
        return HOUSE("{what} known", language).format(what=what)
    if name in _FLAGS:
        text = HOUSE("{what}" if low > -np.inf else "no {what}", language).format(what=what)
        return text + (HOUSE(" or unknown", language) if unknown else "")

    def number(value: float) -> str:
        if name in _SPANS and unit is not None:
            return span_words(value, unit, language)
        return f"{value:,.4g}"

    if high == np.inf:
        text = HOUSE("{what} over {low}", language).format(what=what, low=number(low))
    elif low == -np.inf:
        text = HOUSE("{what} at most {high}", language).format(what=what, high=number(high))
    else:
        text = HOUSE("{what} over {low} up to {high}", language).format(
            what=what, low=number(low), high=number(high)
        )
    return text + (HOUSE(" or unknown", language) if unknown else "")


_COLUMN_OF_RULE = {
    "terminated": "terminated",
    "dispute": "open_dispute",
    "in_plan": "in_plan",
    "contacted": "contacted",
    "no_return": "return_chance",
    "joint_project": "joint_project",
}


def unused_rules(columns: tuple[str, ...]) -> set[str]:
    """Codes of the rules whose CRM column is not among ``columns``."""
    return {rule for rule, column in _COLUMN_OF_RULE.items() if column not in columns}
