"""What columns of customers do, in words: to ordering, to leaving, to spend."""

from __future__ import annotations

ZH: dict[str, str] = {
    "process": "过程",
    "column": "列",
    "category": "类别",
    "base": "基准类别",
    "coefficient": "系数",
    "standard_error": "标准误",
    "factor": "倍数",
    "lower": "下限",
    "upper": "上限",
    "p_value": "p 值",
    "words": "说明",
    "purchase": "下单",
    "leave": "流失",
    "spend": "消费",
    "purchase=leave": "下单与流失",
    "{column} = {category} (against {base})": "{column} = {category}（相对 {base}）",
    "each unit more of {column}": "{column} 每增加一个单位",
    "customers order {size} more often": "下单频率高 {size}",
    "customers order {size} less often": "下单频率低 {size}",
    "customers leave {size} later": "流失时间晚 {size}",
    "customers leave {size} sooner": "流失时间早 {size}",
    "customers spend {size} more an order": "每单金额高 {size}",
    "customers spend {size} less an order": "每单金额低 {size}",
    "{who}: {what} ({level} interval {low} to {high})": (
        "{who}：{what}（{level} 区间 {low} 至 {high}）"
    ),
    "{who}: {what}": "{who}：{what}",
    "; it may be nothing": "；可能没有影响",
}
