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
        "plan response": (
            "Gains rest on who answers: some would have come without the contact, so they are an "
            "upper limit. What the contact adds is seen only against the control group."
        ),
        "plan uplift": "Gains rest on effects measured against a random control group.",
        "plan given": "Gains rest on the response that was given; nothing was measured.",
        "plan size": (
            "{treated:,} to treat, {control:,} held out; cost {cost:,.2f}, expected gain "
            "{gain:,.2f}; no plan within this budget gains more than {bound:,.2f}."
        ),
        "plan detectable": (
            "Groups of these sizes show a mean response of {detectable:.2%} with a chance of 80 %."
        ),
        "plan detectable never": "Without a control group no response can be shown.",
        "policy": (
            "The plan treats {share:.1%} of {n:,} customers and is worth {value:.4g} a customer "
            "({low:.4g} to {high:.4g})."
        ),
        "policy against": "{name}: {value:+.4g} a customer ({low:+.4g} to {high:+.4g}).",
        "nobody": "more than treating nobody",
        "everybody": "more than treating everybody",
        "everybody with": "more than {arm} for everybody",
        "random": "more than as many at random",
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
        "plan response": (
            "收益以谁会响应为依据：有些人不联系也会来，所以这是上限。联系增加了多少，只有与对照组"
            "比较才能看出。"
        ),
        "plan uplift": "收益以对照随机对照组测得的效果为依据。",
        "plan given": "收益以给定的响应率为依据；没有测量。",
        "plan size": (
            "联系{treated:,}位，保留对照{control:,}位；成本{cost:,.2f}，预期收益{gain:,.2f}；"
            "在此预算内任何方案的收益都不超过{bound:,.2f}。"
        ),
        "plan detectable": "这样大小的两组有80%的把握显示出{detectable:.2%}的平均响应。",
        "plan detectable never": "没有对照组就无法显示任何响应。",
        "policy": (
            "该方案联系{n:,}位客户中的{share:.1%}，每位客户值{value:.4g}（{low:.4g}至{high:.4g}）。"
        ),
        "policy against": "{name}：每位客户{value:+.4g}（{low:+.4g}至{high:+.4g}）。",
        "nobody": "比都不联系多",
        "everybody": "比全部联系多",
        "everybody with": "比全部用{arm}多",
        "random": "比随机联系同样多客户多",
    },
}


def said(key: str, language: Language, **figures: Any) -> str:
    """Sentence ``key`` with its figures, in a language."""
    text = WORDS[check_language(language)][key].format(**figures)
    return text.replace("%", " %") if language == "en" else text
