"""Chinese of the funnel's sentences."""

ZH: dict[str, str] = {
    "Sales funnel: {source}": "销售漏斗：{source}",
    "Deals": "机会点",
    "Deals seen": "机会点总数",
    "Deals and pipeline": "机会点与漏斗",
    "Pipeline": "漏斗",
    "What open deals will bring, where deals are lost, and which sit too long.": (
        "在途机会点将带来多少，在哪里丢单，哪些停留过久。"
    ),
    "Open deals": "在途机会点",
    "{face} face value": "账面金额{face}",
    "{share} have an amount of their own": "{share}有自身金额",
    "Expected wins, next {span}": "未来{span}预期赢单",
    "{share} of the open deals": "占在途机会点的{share}",
    "Expected money, next {span}": "未来{span}预期金额",
    "New deals that are won": "新机会点赢单率",
    "Won within {span} of coming": "新机会点在{span}内赢单",
    "{days} days until the outcome": "到结果平均{days}天",
    "no deal was ever seen lost": "尚无丢单记录",
    "Overdue": "超期",
    "{share} of the open deals, longer in their stage than 80 % of the winners were": (
        "占在途机会点的{share}，在本阶段停留超过80%赢单者"
    ),
    "Length: how many new deals get this far. Beside it: median days in the stage.": (
        "条长：新机会点到达此阶段的比例。条旁：停留天数中位数。"
    ),
    "The stages": "各阶段",
    "Stage of the deal": "阶段",
    "Entered": "进入",
    "Open now": "在途",
    "Get this far": "到达",
    "Go on": "转化",
    "Won from here": "由此赢单",
    "Median days": "停留天数中位数",
    "Open deals by {by}": "按{by}的在途机会点",
    "Expected wins": "预期赢单",
    "Expected money": "预期金额",
    "Spread of chance": "偶然波动（标准差）",
    "All": "合计",
    "What comes, period by period": "逐期预测",
    "Until": "截至",
    "Wins of open deals": "在途赢单",
    "Wins of new deals": "新增赢单",
    "Money": "金额",
    "The deals that sit longest beyond the winners' time": "超期最久的机会点",
    "Deal": "机会点",
    "Days over": "超期天数",
    "Chance": "赢单可能性",
    "How forecasts of past pipelines did": "对过去漏斗的预测检验",
    "Method": "方法",
    "at past dates {share} of the wins foretold came": "过去各日期的预测赢单中，{share}实际成交",
    "Wins foretold": "预测赢单",
    "Wins that came": "实际赢单",
    "Too high by": "高估",
    "Error of the chances": "概率误差（Brier）",
    "At {n} past dates the chain foretold {predicted} wins within {span} and {actual} came; what "
    "came lay within the 80 % range at {covered} of them.": (
        "在过去{n}个日期，模型预测{span}内赢单{predicted}，实际{actual}；"
        "其中{covered}次落在80%区间内。"
    ),
    "The past contradicts this forecast: it promised too much. Read it as an upper end.": (
        "过去的检验与该预测不符：预测偏高，宜当作上限看待。"
    ),
    "The past contradicts this forecast: it promised too little. Read it as a lower end.": (
        "过去的检验与该预测不符：预测偏低，宜当作下限看待。"
    ),
    "The log is too short to test the forecast on its own past.": (
        "日志过短，无法用其自身的过去检验预测。"
    ),
    "Where one point of chance moved from lost to the next stage wins most: {stage}, {wins} wins a "
    "period more.": "每把一个百分点的丢单转为下一阶段，收益最大的阶段：{stage}，每期多赢{wins}单。",
    "Sales velocity: {n} wins a period by the deals open now, {own} by the chain. Little's law "
    "would have {little} deals open; there are {open}.": (
        "销售速度：按在途数每期赢单{n}，按模型{own}。按利特尔法则在途应有{little}，实有{open}。"
    ),
    "A deal longer than {span} in one stage counts as lost.": (
        "在同一阶段停留超过{span}的机会点计为丢单。"
    ),
    "{share} of the open deals sit where no deal was ever seen to move: they count as stalled.": (
        "{share}的在途机会点停留在从未有机会点移动过的位置：计为停滞。"
    ),
    "{rows} rows in = {used} used + {repeated} repeats + {left} left out; {deals} deals.": (
        "读入{rows}行 = 使用{used} + 重复{repeated} + 剔除{left}；机会点{deals}个。"
    ),
    "Left out: {list}.": "剔除：{list}。",
    "The amounts won are {share} of the last amounts while open.": (
        "成交金额为最后在途金额的{share}。"
    ),
    "Made by custvalue {version}. The tables beside this page hold every open deal.": (
        "由 custvalue {version} 生成。旁附表格含全部在途机会点。"
    ),
    "{n} open deals, {wins} wins and {money} expected in the next {span}": (
        "在途机会点{n}个，未来{span}预期赢单{wins}，金额{money}"
    ),
    "{n} deals are overdue": "超期机会点{n}个",
}
