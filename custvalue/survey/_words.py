"""English words of the room's tables and their Chinese: the sources' own terms."""

from __future__ import annotations

from typing import Any

import pandas as pd

from custvalue._labels import ZH as COMMON
from custvalue._labels import check_language

# A word here goes before the library's: "core" is a layer of needs in this room, a stage elsewhere.
ZH: dict[str, str] = {
    # -- perceived value --
    "brand": "品牌",
    "respondent": "受访者",
    "wave": "轮次",
    "attribute": "属性",
    "side": "得失",
    "benefit": "感知利得",
    "burden": "感知利失",
    "sacrifice": "感知利失",
    "benefit_index": "感知利得指数",
    "burden_index": "感知利失指数",
    "net_value": "感知净值",
    "relative_value": "相对感知净值",
    "net_value_low": "净值下限",
    "net_value_high": "净值上限",
    "relative_quality": "相对质量",
    "price_competitiveness": "价格竞争力",
    "relative_price": "相对价格",
    "fair_relative_price": "公允相对价格",
    "advantage": "价值优势",
    "advantage_low": "优势下限",
    "advantage_high": "优势上限",
    "price": "价格",
    "advantage_money": "价值优势（金额）",
    "respondents": "受访者数",
    "highest_share": "评价最高占比",
    "weight": "权重",
    "focal": "我方",
    "against": "对比方",
    "the others": "其他品牌",
    "difference": "差异",
    "low": "下限",
    "high": "上限",
    "contribution": "净值贡献",
    "improve": "每提升一分",
    "total": "合计",
    "pairs": "配对数",
    "kind": "类别",
    "important": "是否重要",
    "point of difference": "差异点",
    "point of parity": "相同点",
    "point of contention": "争议点",
    "not comparable": "无法比较",
    # -- answers and measures --
    "item": "题项",
    "measure": "指标",
    "value": "数值",
    "standard_error": "标准误",
    "n": "样本量",
    "n_eff": "有效样本量",
    "missing": "未答",
    "reason": "说明",
    "change": "变化",
    "change_low": "变化下限",
    "change_high": "变化上限",
    "z": "z 值",
    "n_both": "两轮均答",
    "mean": "均值",
    "index": "满意度指数",
    "net_promoter": "净推荐值",
    "top_box": "高分占比",
    "share": "占比",
    "expected": "期望",
    "perceived": "感知",
    "gap": "差距",
    "quadrant": "象限",
    "opportunity": "机会分",
    "not asked": "未询问",
    "alpha": "克隆巴赫系数",
    "alpha_without": "删除该项后的系数",
    "awareness": "知名度",
    "favourability": "美誉度",
    "share_of_mind": "头脑份额",
    "position": "位置",
    "known and liked": "高知名高美誉",
    "known, not liked": "高知名低美誉",
    "liked, not known": "低知名高美誉",
    "neither known nor liked": "低知名低美誉",
    "relative_importance": "相对重要性",
    "r2_share": "解释份额",
    "r2_low": "份额下限",
    "r2_high": "份额上限",
    "correlation": "相关系数",
    # -- Kano --
    "category": "类别",
    "attractive": "魅力型",
    "one-dimensional": "期望型",
    "must-be": "必备型",
    "indifferent": "无差异型",
    "reverse": "反向型",
    "questionable": "可疑",
    "mixed": "混合",
    "answers": "回答数",
    # -- needs --
    "need": "需求",
    "layer": "层次",
    "core": "核心需求",
    "additional": "附加需求",
    "latent": "潜在需求",
    "required": "要求水平",
    "level": "现有水平",
    "met": "满足度",
    "unmet": "未满足",
    "order": "次序",
    "voiced": "是否显性",
    "customer": "客户",
    "core_coverage": "核心需求满足度",
    "core_full": "核心需求全满足",
    "core_asked": "核心需求已问占比",
    "additional_coverage": "附加需求满足度",
    "additional_asked": "附加需求已问占比",
    "latent_coverage": "潜在需求满足度",
    "latent_asked": "潜在需求已问占比",
    "coverage": "总满足度",
    "asked": "已问占比",
    "ours": "我方",
    "rival": "对手",
    "rival_met": "对手满足度",
    "only_ours": "独有价值",
    "value_kind": "价值类别",
    "serves": "所应需求",
    "no core need is named": "未列核心需求",
    "a latent need": "一项潜在需求",
    "score": "得分",
    "stage": "阶段",
    "stage_by_needs": "需求所及阶段",
    "wants": "尚缺",
    "surplus": "超出本阶段",
    "asks_for": "本阶段所需",
    "means were given, not answers": "只有均值，没有回答",
    "nobody answered": "无人回答",
    "fewer than 2 answers": "回答不足 2 份",
    "tangibles": "有形性",
    "reliability": "可靠性",
    "responsiveness": "响应性",
    "assurance": "保证性",
    "empathy": "移情性",
    "none": "无",
    "complaint": "现象",
    "mentions": "提及客户数",
}


def say(word: str, labels: str = "en") -> str:
    """``word`` in the language asked for; a word of the user's own stays as it is.

    Examples
    --------
    >>> from custvalue.survey._words import say
    >>> say("core", "zh"), say("taste", "zh")
    ('核心需求', 'taste')
    """
    return word if check_language(labels) == "en" else ZH.get(word, COMMON.get(word, word))


def said(
    table: pd.DataFrame, labels: str, words: tuple[str, ...] = (), keep: tuple[str, ...] = ()
) -> pd.DataFrame:
    """``table`` with its headings, and the cells of the columns ``words``, in the language.

    ``keep`` are columns with names of the user's own, whatever they are.
    """
    if check_language(labels) == "en":
        return table
    out = table.copy()
    for name in words:
        if name in out:
            out[name] = [_cell(value, labels) for value in out[name]]
    return out.rename(columns={c: say(c, labels) for c in out.columns if c not in keep})


def _cell(value: Any, labels: str) -> Any:
    return say(value, labels) if isinstance(value, str) else value
