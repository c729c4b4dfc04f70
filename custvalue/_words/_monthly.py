"""What changed from one month to the next."""

from __future__ import annotations

ZH: dict[str, str] = {
    # the bridge
    "part": "组成",
    "customers": "客户数",
    "value": "价值",
    "value then": "当时的价值",
    "value now": "现在的价值",
    "customers gone": "已不在的客户",
    "new customers": "新客户",
    "number of orders": "订单数",
    "silence against own rhythm": "相对自身节奏的沉默",
    "spend per order": "每单金额",
    "beside customers alike": "与相似客户相比",
    "the new model": "新模型",
    # the inputs
    "frequency": "复购次数",
    "mean_value": "平均每单金额",
    # sentences
    " ": "",
    "; ": "；",
    "{part} {value:+,.2f}": "{part} {value:+,.2f}",
    "From {then} to {now} ({days} days) the value of all customers moved by {change:+,.2f}, from "
    "{before:,.2f} to {after:,.2f}.": (
        "从 {then} 到 {now}（{days} 天），全体客户价值变动 {change:+,.2f}，由 {before:,.2f} 变为 "
        "{after:,.2f}。"
    ),
    "Of that: {parts}.": "其中：{parts}。",
    "Of the customers of {then} {said:,.2f} were expected by {now}, and {came:,.2f} came.": (
        "对 {then} 的客户，预期到 {now} 带来 {said:,.2f}，实际为 {came:,.2f}。"
    ),
    "Nine of ten such totals lie between {low:,.2f} and {high:,.2f}.": (
        "十个此类合计中有九个在 {low:,.2f} 至 {high:,.2f} 之间。"
    ),
    "Keep the model.": "模型可以继续使用。",
    "Look at it before the next month.": "下月之前请先查看。",
    "Fit the model again.": "请重新拟合模型。",
    "What came is {ratio:.0%} of what was expected.": "实际为预期的 {ratio:.0%}。",
    "Nothing came of what was expected.": "预期的金额全未实现。",
    "{name} has moved (stability index {psi:.2f}).": ("{name}已发生变化（稳定性指数 {psi:.2f}）。"),
    "{share:.0%} of the customers are beyond all that the fit saw.": (
        "{share:.0%} 的客户超出拟合时所见的范围。"
    ),
    "Nothing is beyond chance, and no input has moved much.": ("没有超出偶然的变化。"),
    "No input has moved much; what came was not held to what was expected.": (
        "各项输入变化不大；实际结果未与预期对照。"
    ),
    "The scores are of two models, and what the new one says otherwise of the same customers is "
    "not known: it is in the parts above.": (
        "两次评分来自不同模型；新模型对同一批客户的差异无法单独得知，已计入上述各项。"
    ),
    "Customers without a value, by their status: {n:,}.": (
        "没有价值的客户（原因见状态）：{n:,} 位。"
    ),
    # the chapter of the report
    "What changed": "变化",
    "What changed since the earlier scores": "自上次评分以来的变化",
    "The value then, what moved it, and the value now: the sum of the rows above": (
        "当时的价值、引起变动的因素，以及现在的价值（上面各行之和）"
    ),
    "What was expected of the customers of then, and what came, by tenths": (
        "对当时客户的预期与实际，按预测分十组"
    ),
    "Customers whose value moved most": "价值变动最大的客户",
    "How far inputs and value have moved: up to 0.1 is little, above 0.25 much": (
        "各项输入与价值的变动：0.1 以下为小，0.25 以上为大"
    ),
    "Values of this section are those of the model that made the earlier scores.": (
        "本节的价值由作出上次评分的模型给出。"
    ),
    "tenth by forecast": "预测十分组",
    "expected": "预期",
    "came": "实际",
    "move": "变动",
    "change": "变化",
    "stayed": "仍在",
    "new": "新客户",
    "gone": "已不在",
    "input": "输入",
    "stability index": "稳定性指数",
    "recency": "首末单间隔",
    "silence": "沉默",
    "T": "客龄",
}
