"""One customer's silence in a sentence, in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from custvalue._typing import Floats
from custvalue._units import NAME_OF
from custvalue._words import HOUSE, Language, agree
from custvalue.silence._methods import SilenceMethod, typical_gap
from custvalue.silence._return_chance import Alike
from custvalue.silence._silence import GapFacts

ZH_UNIT = {"D": "天", "W": "周", "M": "个月", "Y": "年"}


class SilenceFacts(NamedTuple):
    """What is known of one customer's silence; None where it is not."""

    customer: str
    n_orders: int
    silence: float
    mean_gap: float | None
    longest_gap: float | None
    typical_longest_gap: float
    score: float
    ratio: float
    grade: str
    window: float | None
    chance: float | None
    alike: Alike | None
    threshold: float | None = None


def silence_facts(
    customer: str,
    facts: GapFacts,
    found: Mapping[str, Floats],
    learned: SilenceMethod,
    grade: str,
) -> SilenceFacts:
    """Gather what is said of the one customer in ``facts``, measured as ``found``."""
    n_gaps, chance = int(facts.n_gaps[0]), learned.return_chance()
    again = None if chance is None else float(found["prob_order"][0])
    return SilenceFacts(
        customer=customer,
        n_orders=n_gaps + 1,
        silence=float(facts.silence[0]),
        mean_gap=float(facts.gap_sum[0]) / n_gaps if n_gaps else None,
        longest_gap=float(facts.gap_max[0]) if n_gaps else None,
        typical_longest_gap=typical_gap(learned.longest_gaps),
        score=float(found["silence_score"][0]),
        ratio=float(found["rank_ratio"][0]),
        grade=grade,
        window=None if chance is None else chance.window,
        chance=again,
        alike=None if chance is None or again is None else chance.alike_to(again),
        threshold=learned.begins(),
    )


def sentence(facts: SilenceFacts, unit: str | None, language: Language) -> str:
    """Put the facts into words."""
    return _chinese(facts, unit) if language == "zh" else _english(facts, unit)


def _english(f: SilenceFacts, unit: str | None) -> str:
    time = NAME_OF.get(unit or "", f"units of {unit}" if unit else "units of time")
    last = f"last order {f.silence:.4g} {time} ago"
    if f.threshold is not None:
        text = (
            f"{f.customer}: {f.n_orders} order{'s' if f.n_orders > 1 else ''}, {last}; silence "
            f"begins at {f.threshold:.4g} {time}"
        )
    elif f.longest_gap is None:
        text = (
            f"{f.customer}: 1 order, {last}. No gap of their own to compare with; the longest gap "
            f"of a typical repeat customer is {f.typical_longest_gap:.4g} {time}"
        )
    else:
        text = (
            f"{f.customer}: {f.n_orders} orders, usual gap {f.mean_gap:.4g} {time} (longest "
            f"{f.longest_gap:.4g}), {last}. "
            + ("At least as long as any earlier gap" if f.score >= 1 else "Within earlier gaps")
        )
    text += f" (silence score {f.score:.2f}, rank ratio {f.ratio:.2f}): {f.grade}."
    if f.chance is not None:
        text += f" Chance of an order in the next {f.window:.4g} {time}: {f.chance:.0%}"
        if f.alike is not None:
            n, back = f.alike.customers, f.alike.came_back
            text += f"; of {n:,} similar customers before, {back:,} came back"
        text += "."
    return agree(text.replace("%", " %"))


def _chinese(f: SilenceFacts, unit: str | None) -> str:
    time = ZH_UNIT.get(unit or "", unit or "")
    last = f"距上次购买{f.silence:.4g}{time}"
    if f.threshold is not None:
        text = f"{f.customer}：购买{f.n_orders}次，{last}；沉默自{f.threshold:.4g}{time}起算"
    elif f.longest_gap is None:
        text = (
            f"{f.customer}：仅购买1次，{last}。没有自身间隔可比；"
            f"一般回头客的最长间隔为{f.typical_longest_gap:.4g}{time}"
        )
    else:
        text = (
            f"{f.customer}：购买{f.n_orders}次，通常间隔{f.mean_gap:.4g}{time}"
            f"（最长{f.longest_gap:.4g}{time}），{last}。"
            + ("不短于以往任何间隔" if f.score >= 1 else "仍在以往间隔之内")
        )
    text += f"（沉默得分{f.score:.2f}，秩次比{f.ratio:.2f}）：{HOUSE(f.grade, 'zh')}。"
    if f.chance is not None:
        text += f"今后{f.window:.4g}{time}内购买的概率为{f.chance:.0%}"
        if f.alike is not None:
            text += f"；以往相似的{f.alike.customers:,}位客户中有{f.alike.came_back:,}位回来购买"
        text += "。"
    return text
