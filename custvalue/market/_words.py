"""The room's English words and their Chinese; words of other rooms come from theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from custvalue import _frames
from custvalue._labels import check_language, translate_if_known
from custvalue.exceptions import ContractProblem, DataContractError

ZH: dict[str, str] = {
    # -- target markets --
    "market": "市场",
    "resource_fit": "资源匹配度",
    "priority": "优先级得分",
    "rank": "名次",
    "cell": "单元格",
    "advice": "建议",
    "expected_rank": "期望名次",
    "side": "方面",
    "criterion": "准则",
    "weight": "权重",
    "low": "下限",
    "high": "上限",
    "better": "方向",
    "more": "越大越好",
    "less": "越小越好",
    "switches_at": "转折权重",
    "new_first": "届时首位",
    "first_now": "当前首位",
    "attractiveness_weight": "吸引力权重",
    # -- segments --
    "all customers": "全部客户",
    "everybody": "所有人",
    "other": "其他",
    "({n} customers)": "（{n} 位客户）",
    "shrunk_mean": "收缩均值",
    "joined": "并入类别",
    "groups": "组数",
    "eta_squared": "解释比例 η²",
    "f": "F 值",
    "segments": "细分数",
    "adjusted_rand": "调整兰德指数",
    "stable": "是否稳定",
    "chosen": "是否选用",
    "all together": "全部特征",
    "balanced_accuracy": "平衡准确率",
    "by_chance": "随机水平",
    # -- markets and growth --
    "size": "规模",
    "growth": "年增长率",
    "suppliers": "供应商数",
    "concentration": "集中度 HHI",
    "our_share": "本公司份额",
    "penetration": "渗透率",
    "bdi": "品牌发展指数 BDI",
    "cdi": "品类发展指数 CDI",
    "close_rate": "成交率",
    "customer_value": "客户价值",
    "part": "构成",
    "base": "基期",
    "now": "本期",
    "change_share": "变化占比",
    "market penetration": "市场渗透",
    "product development": "产品开发",
    "market development": "市场开发",
    "diversification": "多元化",
    "same product, more": "同产品增加",
    "same product, less": "同产品减少",
    "cross-sell": "交叉销售",
    "product dropped": "停购产品",
    "customer lost": "客户流失",
    "new product, existing customer": "新产品、老客户",
    "existing product, new customer": "老产品、新客户",
    "new product, new customer": "新产品、新客户",
    # -- trade records --
    "buyer": "采购商",
    "supplier": "供应商",
    "product": "产品",
    "market_share": "市场占比",
    "shipments": "发货次数",
    "months_active": "活跃月数",
    "first": "首次",
    "last": "最近一次",
    "silence_score": "沉默得分",
    "next_due": "预计下次采购",
    "main_supplier": "主要供应商",
    "main_share": "主要供应商份额",
    "longest_supplier": "合作最久供应商",
    "newest_supplier": "最新供应商",
    "newest_share": "最新供应商份额",
    "price_index": "价格指数",
    "share": "份额",
    "span_days": "合作天数",
    "quantity": "数量",
    "mean_price": "平均价格",
    "lowest_price": "最低价格",
    "last_price": "最近价格",
    "market_price": "市场价格",
    "median_price": "中位价格",
    "price": "价格",
    "score": "得分",
    "due_soon": "即将采购",
    "port": "港口",
    "buyers": "采购商数",
    "country": "国家",
    "full_years": "完整年数",
    "month": "月份",
    "row": "行号",
    # -- ready classes --
    "manufacturing": "制造业",
    "retail": "零售业",
    "finance": "金融业",
    "services": "服务业",
    "local": "本地",
    "regional": "区域",
    "national": "全国",
    "international": "国际",
    "small": "小型",
    "medium": "中型",
    "large": "大型",
    "potential kind": "潜在型",
    "wandering kind": "游离型",
    "loyal kind": "忠诚型",
}


def say(word: str, language: str) -> str:
    """One word of this room or of the house; a word of the user's own stays as it is."""
    if check_language(language) == "en":
        return word
    return ZH.get(word) or translate_if_known(word, language)


def named(columns: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Columns under their names in the language asked for."""
    return {say(name, language): column for name, column in columns.items()}


def nearest(word: object, known: Iterable[object]) -> str:
    """Give a hint: the known name most like ``word``, or nothing."""
    close = get_close_matches(str(word), [str(name) for name in known], n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def check_columns(X: Any, columns: Mapping[str, str | None], table: str) -> None:
    """Refuse a table that lacks some of ``columns`` (what it is for: its name), all at once.

    Raises
    ------
    TypeError
        If ``X`` is no frame.
    DataContractError
        Naming every missing column, with the nearest one that is there.
    """
    have = _frames.column_names(X)
    if have is None:
        raise TypeError(f"{table} must be a frame with named columns, not {type(X).__name__}.")
    problems = [
        ContractProblem(
            "missing-column",
            f"{table} has no column {name!r}; it has {have}",
            f"Name it: {what}=.{nearest(name, have)}",
        )
        for what, name in columns.items()
        if name is not None and name not in have
    ]
    if problems:
        raise DataContractError(problems)
