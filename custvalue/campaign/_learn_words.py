"""Sentences about what was learned from campaigns, in English and Chinese."""

from __future__ import annotations

from typing import Any

from custvalue._words import Language, check_language

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "ranks": (
            "It ranks who answers: a customer who answered stands before one who did not with a "
            "chance of {auc:.3f} ({low:.3f} to {high:.3f}; 0.5 is chance), out of fold."
        ),
        "unproven": (
            "It is not shown to rank who answers (chance {auc:.3f}, {low:.3f} to {high:.3f}; 0.5 "
            "is chance): say the same for all until more have answered."
        ),
        "brier": (
            "Its squared error is {gain:.1%} below saying {rate:.2%} of everybody ({low:.1%} to "
            "{high:.1%})."
        ),
        "not won": (
            "Who answers is not who is won: some would have come anyway. What a mailing adds is "
            "learned from a random control group (UpliftModel)."
        ),
        "learned": "Learned by {learner} from {n:,} customers, {answers:,} of whom answered.",
        "uplift ranks": (
            "{arm}: choosing by this order brings {gain:.4g} a customer more than choosing at "
            "random ({low:.4g} to {high:.4g}), on average over all shares, out of fold."
        ),
        "uplift unproven": (
            "{arm}: it is not shown that the effect differs between customers (order over chance "
            "{gain:.4g} a customer, {low:.4g} to {high:.4g}): treat all or none."
        ),
        "effect": (
            "{arm}: {value:.4g} a customer more than the control group ({low:.4g} to {high:.4g}), "
            "{n:,} treated, {m:,} controls."
        ),
    },
    "zh": {
        "ranks": (
            "它能排出谁会响应：响应者排在未响应者之前的可能性为{auc:.3f}（{low:.3f}至{high:.3f}，"
            "0.5为随机），折外检验。"
        ),
        "unproven": (
            "尚未证明它能排出谁会响应（可能性{auc:.3f}，{low:.3f}至{high:.3f}，0.5为随机）："
            "在响应者更多之前，请视人人相同。"
        ),
        "brier": "其平方误差比“人人{rate:.2%}”低{gain:.1%}（{low:.1%}至{high:.1%}）。",
        "not won": (
            "会响应的不等于被争取来的：有些人本来就会来。邮寄增加了多少，要用随机对照组学习"
            "（UpliftModel）。"
        ),
        "learned": "由{learner}从{n:,}位客户学得，其中{answers:,}位响应。",
        "uplift ranks": (
            "{arm}：按此次序选择，每位客户比随机选择多带来{gain:.4g}（{low:.4g}至{high:.4g}），"
            "为各种比例的平均，折外检验。"
        ),
        "uplift unproven": (
            "{arm}：尚未证明效果因客户而异（次序比随机每位客户多{gain:.4g}，{low:.4g}至"
            "{high:.4g}）：要么全部联系，要么都不联系。"
        ),
        "effect": (
            "{arm}：每位客户比对照组多{value:.4g}（{low:.4g}至{high:.4g}），处理组{n:,}位，"
            "对照组{m:,}位。"
        ),
    },
}


def said(key: str, language: Language, **figures: Any) -> str:
    """Sentence ``key`` with its figures, in a language."""
    text = WORDS[check_language(language)][key].format(**figures)
    return text.replace("%", " %") if language == "en" else text
