"""What is said of one customer: the value, why, what moved, and what to do."""

from __future__ import annotations

ZH: dict[str, str] = {
    # names of the parts, columns of the table
    "part": "组成",
    "now": "现在",
    "then": "当时",
    "change": "变化",
    "contribution": "贡献",
    "what is known": "所知情况",
    "mean of all customers": "全体客户均值",
    "number of orders": "订单数",
    "silence against own rhythm": "相对自身节奏的沉默",
    "spend per order": "每单金额",
    "beside customers alike": "与相似客户相比",
    "value": "价值",
    # what is known
    "orders: {n:,.0f}": "订单数：{n:,.0f}",
    "days since the last order: {days:,.0f}; usual gap {gap:,.0f}": (
        "距末次订单 {days:,.0f} 天；通常间隔 {gap:,.0f} 天"
    ),
    "{money:,.2f} per order": "每单 {money:,.2f}",
    "others alike: {n:,}; such a customer is worth {money:,.2f}": (
        "其他相似客户：{n:,} 位；此类客户价值 {money:,.2f}"
    ),
    "; margin so far {own:.0%}, of all {all:.0%}": "；至今利润率 {own:.0%}，全体为 {all:.0%}",
    # the story
    "{customer}: value {value:,.2f} over the next {horizon}": (
        "{customer}：今后{horizon}的价值为 {value:,.2f}"
    ),
    " (8 of 10 such customers end between {low:,.2f} and {high:,.2f})": (
        "（十位此类客户中有八位在 {low:,.2f} 至 {high:,.2f} 之间）"
    ),
    " ({level:.0%} of such customers end between {low:,.2f} and {high:,.2f})": (
        "（{level:.0%} 的此类客户在 {low:,.2f} 至 {high:,.2f} 之间）"
    ),
    "; chance of an order {chance:.0%}": "；下单可能性 {chance:.0%}",
    ". Mean of all customers {mean:,.2f}; the difference: ": (
        "。全体客户均值 {mean:,.2f}；差额来自："
    ),
    "{name} {part:+,.2f} ({known})": "{name} {part:+,.2f}（{known}）",
    "; ": "；",
    ".": "。",
    " On {date} the value was {value:,.2f}; it moved by {change:+,.2f}: ": (
        "{date} 时价值为 {value:,.2f}，变化 {change:+,.2f}："
    ),
    "{name} {part:+,.2f}": "{name} {part:+,.2f}",
    " Orders since: {orders:,.0f}, spend {money:,.2f}.": "此后订单 {orders:,.0f} 次，金额 "
    "{money:,.2f}。",
    " On {date} the customer had no order yet; all of the value is new.": (
        "{date} 时该客户尚无订单；全部价值都是新增的。"
    ),
    " What to do: {advice}": "建议：{advice}",
    # advice
    "The first order is young: bring the second one soon.": "首单不久：尽快促成第二单。",
    "One order and long silent: only cheap channels, and test them first.": (
        "只有一单且沉默已久：仅用低成本渠道，并先行测试。"
    ),
    "In rhythm: no reason to discount; offer the next product.": (
        "节奏正常：无需折扣；推荐下一件产品。"
    ),
    "Later than usual: a small reason to come back, now rather than later.": (
        "比平常晚：尽早给一个回来的小理由。"
    ),
    "Far out of rhythm, and orders are worth much: call or write personally, and ask why.": (
        "远离平常节奏，而订单价值较高：亲自致电或致信，了解原因。"
    ),
    "Far out of rhythm, and little is to be won: only cheap channels, and test them first.": (
        "远离平常节奏，可挽回的不多：仅用低成本渠道，并先行测试。"
    ),
    # lengths of time
    "{n} days": "{n}天",
    "{n} weeks": "{n}周",
    "{n} months": "{n}个月",
    "{n} years": "{n}年",
    "{n} hours": "{n}小时",
    "all time": "所有时间",
    "units of time": "个时间单位",
}
