"""Words of indicators and levers in Chinese."""

from __future__ import annotations

from typing import Any

import pandas as pd

from custvalue._words import check_language

ZH: dict[str, str] = {
    # columns
    "name": "名称",
    "indicator": "指标",
    "input": "构成项",
    "leaf": "基础指标",
    "period": "期间",
    "group": "分组",
    "start": "期初",
    "end": "期末",
    "change": "变化",
    "contribution": "贡献",
    "share": "占比",
    "sampling_error": "抽样误差",
    "standard_error": "标准误",
    "z": "z 值",
    "marked": "显著",
    "actual": "实际值",
    "floor": "底线",
    "target": "目标",
    "weight": "权重",
    "owner": "负责人",
    "score": "得分",
    "total": "合计",
    # levers
    "lead_cost": "赢得成本",
    "cost_to_sell": "销售成本",
    "cost_to_serve": "服务成本",
    "close_rate": "成交率",
    "order_size": "每单收入",
    "retention": "保留率",
    "leads": "线索数",
    "orders": "每期订单数",
    "margin": "毛利率",
    "discount_rate": "折现率",
    "multiple": "价值倍数",
    "margin_a_period": "每期贡献",
    "value": "客户价值",
    # positioning
    "satisfaction": "满意度",
    "market_share": "市场份额",
    "penetration_share": "渗透份额",
    "share_of_requirements": "客户占有率",
    "heavy_usage": "重度使用指数",
    "buyers": "本品牌购买者",
    "market_buyers": "品类购买者",
    "units": "本品牌购买量",
    "buyers_units": "本品牌购买者的品类购买量",
    "market_units": "品类购买量",
    "sales": "销售额",
    "profit": "利润",
    "profit_rate": "利润率",
    "awareness": "知名度",
    "favour": "美誉度",
    "asked": "受访人数",
    "aware": "知晓人数",
    "favourable": "好评人数",
    "sales and profit": "销售额与利润率",
    "awareness and favour": "知名度与美誉度",
    # telesales
    "leads_a_day": "日均线索",
    "deals_a_day": "日均成交",
    "calls": "日均外呼",
    "hit_rate": "命中率",
    # three parties
    "customers": "顾客",
    "shareholders": "股东",
    "employees": "员工",
}


def say(word: Any, language: str) -> Any:
    """``word`` in the language asked for; a word of the user's own stays as it is.

    Examples
    --------
    >>> from custvalue.value._indicator_words import say
    >>> say("retention", "zh"), say("footfall", "zh")
    ('保留率', 'footfall')
    """
    return word if check_language(language) == "en" else ZH.get(word, word)


def said(
    table: pd.DataFrame, language: str, words: tuple[str, ...] = (), keep: tuple[str, ...] = ()
) -> pd.DataFrame:
    """``table`` with its headings (not ``keep``), and the cells of ``words``, in the language."""
    if check_language(language) == "en":
        return table
    cells = {name: [say(cell, language) for cell in table[name]] for name in words}
    out = table.assign(**cells)
    return out.rename(columns={c: say(c, language) for c in out.columns if c not in keep})
