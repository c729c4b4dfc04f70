"""Stages that have names already, and the funnel's words in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from custvalue._labels import check_language, translate_if_known


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

# The funnel has a block of its own: a lost deal is 丢单, a lost customer 流失客户.
ZH: dict[str, str] = {
    # stages of the presets
    "problem recognition": "认识需求",
    "need description": "确定需求",
    "product specification": "说明需求",
    "supplier search": "寻找供应商",
    "proposal acquisition": "征求方案",
    "supplier selection": "选择供应商",
    "order routine": "签订订单",
    "performance review": "绩效评价",
    "content": "满意",
    "unease": "认识不足",
    "resolve to act": "决定行动",
    "evaluation": "评估",
    "choice": "选择",
    "negotiation": "谈判",
    "implementation": "实施",
    "early lead": "早期商机",
    "early project": "前期项目",
    "contract": "中期合同",
    "paid": "后期回款",
    "dialled": "拨打",
    "connected": "接通",
    "call lead": "线索",
    "meeting": "约见",
    "closed": "成交",
    "awareness": "知晓",
    "opinion": "看法",
    "stance": "态度",
    "action": "行动",
    "open": "进行中",
    # outcomes
    "won": "赢单",
    "lost": "丢单",
    "stalled": "停滞",
    # columns
    "deal": "机会点",
    "stage": "阶段",
    "next": "下一阶段",
    "outcome": "结果",
    "entered": "进入数",
    "entered_on": "进入日期",
    "opened_on": "开启日期",
    "age": "停留期数",
    "days": "停留天数",
    "open_now": "在途数",
    "open_amount": "在途金额",
    "amount": "金额",
    "own_amount": "有自身金额",
    "mean_days": "平均停留天数",
    "median_days": "停留天数中位数",
    "reach": "到达率",
    "conversion": "转化率",
    "won_from_here": "由此赢单率",
    "lost_from_here": "由此丢单率",
    "stalled_from_here": "由此停滞率",
    "days_left": "预计剩余天数",
    "visits": "平均经历期数",
    "lost_here": "在此丢单",
    "gain": "每单位转化增益",
    "wins_per_point": "每提高一个百分点每期增加赢单",
    "money_per_point": "每提高一个百分点每期增加金额",
    "bottleneck": "瓶颈",
    "value_early": "早介入价值",
    "value_late": "晚介入价值",
    "cost": "其间成本",
    "net_gain": "净增益",
    "deals": "机会点数",
    "face": "账面金额",
    "expected_wins": "预期赢单数",
    "expected_money": "预期金额",
    "sd_outcome": "结果标准差",
    "sd_parameter": "参数标准差",
    "sd": "标准差",
    "all": "合计",
    "limit_days": "时限（天）",
    "days_over": "超期天数",
    "chance": "赢单可能性",
    "low": "下限",
    "high": "上限",
    "gate": "控制标准",
    "verdict": "判定",
    "meets": "达标",
    "below gate": "未达标",
    "not sure": "尚难判断",
    "no gate": "未设标准",
    "beyond": "超期数",
    "money_beyond": "超期金额",
    "period": "期",
    "from": "起",
    "to": "止",
    "wins_open": "在途赢单",
    "wins_new": "新增赢单",
    "wins": "赢单合计",
    "money_open": "在途金额回收",
    "money_new": "新增金额回收",
    "money": "金额合计",
    "quantity": "指标",
    "value": "数值",
    "unit": "单位",
    "per period": "每期",
    "per day": "每天",
    "periods": "期",
    "share": "占比",
    "deals open now": "在途机会点",
    "deals that enter": "每期新增机会点",
    "time until the outcome": "到结果的平均时间",
    "deals open by Little's law": "按利特尔法则应有的在途数",
    "open now / Little's law": "在途数与利特尔法则之比",
    "win rate": "赢单率",
    "mean amount won": "平均赢单金额",
    "wins by the chain": "按模型每期赢单",
    "wins by velocity": "按销售速度每期赢单",
    "wins seen": "实际每期赢单",
    "money by velocity": "销售速度（金额）",
    "amount won / last amount open": "成交金额与最后报价之比",
    "factor": "因素",
    "level": "水平",
    "win_rate": "赢单率",
    "shrunk": "收缩后赢单率",
    "importance": "重要性",
    # the ledger
    "deal id is missing": "缺少机会点编号",
    "stage is missing": "缺少阶段",
    "date is missing or unreadable": "日期缺失或无法读取",
    "the outcome is dated before the first stage": "结果日期早于首个阶段",
    "there is an outcome, but no stage was entered": "有结果而无进入记录",
    "there are events after the outcome": "结果之后仍有记录",
    "a later stage is dated before an earlier one": "后一阶段日期早于前一阶段",
    "won or lost without a date, or a date of closing without either": "结果与关闭日期不符",
    "after the as-of date": "晚于截止日",
    # backtest
    "FunnelChain": "漏斗链",
    "won / decided": "赢单/已定",
    "won / all": "赢单/全部",
    "stage rate": "阶段赢单率",
    # pictures
    "share of deals that get this far (%)": "到达此阶段的机会点占比（%）",
    "Beside the bar: median days in the stage": "条旁：停留天数中位数",
    "{reach:.0f} % · {days} days": "{reach:.0f}% · {days} 天",
    # account tools
    "contact": "联系人",
    "role": "角色",
    "user": "使用者",
    "influencer": "影响者",
    "decider": "决策者",
    "buyer": "采购者",
    "gatekeeper": "把关者",
    "approver": "审批者",
    "influence": "影响力",
    "unknown": "生疏",
    "first impression": "建立印象",
    "trust": "信任和好感",
    "alliance": "心理同盟",
    "account": "客户",
    "contacts": "联系人数",
    "coverage": "覆盖度",
    "blocked": "受阻",
    "weakest": "最薄弱联系人",
    "watch": "需关注",
    "early": "窗口期之前",
    "in the window": "窗口期之内",
    "late": "窗口期之后",
    "no order yet": "尚无订单",
    "timing": "时机",
}


def say(word: Any, language: str) -> Any:
    """Word of the funnel in a language; a name of the user's own stays as it is."""
    if check_language(language) == "en" or not isinstance(word, str):
        return word
    return ZH.get(word) or translate_if_known(word, language)


def spoken(
    columns: Mapping[str, Any], language: str, *, words: Sequence[str] = ("stage",)
) -> dict[str, Any]:
    """Columns under their names in a language, the cells of ``words`` said in it too."""
    return {
        say(name, language): ([say(cell, language) for cell in cells] if name in words else cells)
        for name, cells in columns.items()
    }
