"""Sections about tables that are given to the report, in Chinese: sentence by sentence."""

from __future__ import annotations

ZH: dict[str, str] = {
    # -- target markets --
    "Market": "市场",
    "Rank": "名次",
    "Priority": "优先级得分",
    "Attractiveness": "吸引力",
    "Resource fit": "资源匹配度",
    "Advice": "建议",
    "First by any weights": "任意权重下居首",
    "Markets by attractiveness and fit": "市场的吸引力与匹配度",
    "How to read: up is what makes a market attractive, right is how well our resources fit it.": (
        "读法：越靠上市场越有吸引力，越靠右与本公司资源越匹配。"
    ),
    "Markets": "目标市场",
    "Which markets first": "先做哪些市场",
    "Markets in order of priority, with the share of all possible weights at which each comes "
    "first": "按优先级排列的市场，以及在所有可能的权重中居首的比例",
    "{market} comes first by almost any weights ({share}).": (
        "几乎无论怎样取权重，{market}都居首（{share}）。"
    ),
    "{market} comes first with the weights given, and with {share} of all possible weights: "
    "what counts how much decides.": (
        "按给定权重{market}居首；在所有可能的权重中，它居首的占{share}：结论取决于各准则的轻重。"
    ),
    "No market is both attractive and fitting enough to invest in.": (
        "没有市场的吸引力与匹配度都高到值得重点开发。"
    ),
    "To invest in: {list}.": "重点开发：{list}。",
    "The markets in numbers": "各市场的数字",
    "Markets in numbers": "各市场的规模与份额",
    "{market} is the largest market, {share} of all.": "{market}是最大的市场，占全部的 {share}。",
    "Our share is largest in {market}: {share}.": "本公司份额最高的市场是{market}：{share}。",
    "What is known of each market.": "各市场的已知情况。",
    "Size": "规模",
    "Growth a year": "年增长率",
    "Suppliers": "供应商数",
    "HHI": "HHI",
    "Our share": "本公司份额",
    "Penetration": "渗透率",
    "BDI": "BDI",
    "CDI": "CDI",
    "Offers won": "成交率",
    "Value of a customer": "客户价值",
    "HHI is the sum of the suppliers' squared shares: 1 is a single supplier.": (
        "HHI（集中度）为各供应商份额的平方和：1 表示只有一家供应商。"
    ),
    "BDI: our share of sales over the share of people, 100 is even; CDI is the same of all "
    "suppliers.": (
        "BDI（品牌发展指数）：本公司销售占比与人口占比之比，100 为持平；CDI（品类发展指数）按全部"
        "供应商计算。"
    ),
    "Offers won is drawn to the mean of all markets where offers are few.": (
        "报价次数少时，成交率向全部市场的均值收缩。"
    ),
    # -- growth --
    "Growth": "增长",
    "Where growth came from": "增长从何而来",
    "Revenue went from {base} to {now}, {share} of the base.": (
        "收入由 {base} 变为 {now}，较基期 {share}。"
    ),
    "Most was won by {quadrant}: {money}.": "增长最多的是{quadrant}：{money}。",
    "{quadrant} lost {money}.": "{quadrant}减少了 {money}。",
    "Source of growth": "增长来源",
    "Of which": "其中",
    "Base period": "基期",
    "This period": "本期",
    "Of the base": "占基期",
    "Revenue by existing and new customers and products; the rows add up to the whole": (
        "按新老客户与新老产品划分的收入；各行之和即合计"
    ),
    "A customer who bought in several ways is counted in each; money is counted once.": (
        "以多种方式购买的客户在各行分别计数；金额只计一次。"
    ),
    # -- trade --
    "Trade": "贸易记录",
    "Who buys from whom": "谁向谁采购",
    "{buyer} is the largest buyer, {share} of the market; {part} of it comes from {supplier}.": (
        "{buyer}是最大的采购商，占市场的 {share}；其中 {part} 来自 {supplier}。"
    ),
    "Buyers": "采购商数",
    "the largest {n} take {share}": "最大的 {n} 家占 {share}",
    "Shipments": "发货次数",
    "Buyer": "采购商",
    "Value": "金额",
    "Share of the market": "市场占比",
    "Main supplier": "主要供应商",
    "Its share": "其份额",
    "Price index": "价格指数",
    "Days quiet": "沉默天数",
    "Next due": "预计下次采购",
    "The largest buyers": "最大的采购商",
    "Due soon": "即将采购",
    "yes": "是",
    "no": "否",
    "Buyers who do not buy from us, those due soon first": (
        "尚未向本公司采购的采购商，即将采购者在前"
    ),
    "Price index: what a buyer paid over what the market paid for the same goods.": (
        "价格指数：采购商所付金额与市场购买同样货物所付金额之比。"
    ),
    "{n} shipments have a price beyond ten times the product's median, or none: they count in "
    "volume and in no price.": (
        "{n} 次发货的价格超出该产品中位价的十倍，或没有价格：计入数量，不计入价格。"
    ),
    "{n} spellings of names were taken for another; the profile's merges list them.": (
        "{n} 种名称写法被并入另一种；merges 表逐一列出。"
    ),
    # -- profiles of segments --
    "Profiles": "细分画像",
    "What is typical of each segment": "各细分的特征",
    "{n} segments, each held against all other customers.": ("{n} 个细分，各与其余全部客户相比。"),
    "What sets it apart": "显著特征",
    "In the segment": "本细分",
    "In the rest": "其余客户",
    "Index (100 is all)": "指数（全体为 100）",
    "Standard deviations apart": "相差标准差",
    "What is typical of each segment: its {n} clearest differences": (
        "各细分的特征：最明显的 {n} 项差异"
    ),
    "{k} of {n} comparisons hold with at most {share} false discoveries among them (p values "
    "adjusted by Benjamini and Hochberg).": (
        "{n} 项比较中有 {k} 项成立，其中误报预计不超过 {share}（Benjamini-Hochberg 校正 p 值）。"
    ),
    "They say how segments differ, not why.": "只说明细分之间有何不同，不说明原因。",
    "Nothing sets apart: {list}.": "没有显著特征：{list}。",
    # -- indicators --
    "Indicators": "指标",
    "What moved the indicators": "指标变动的来源",
    "Indicators of {period}.": "{period} 的指标。",
    "{indicator} went from {start} to {end}; {leaf} moved it most ({part}).": (
        "{indicator}由 {start} 变为 {end}，影响最大的是{leaf}（{part}）。"
    ),
    "Indicators then and now": "指标的前后对比",
    "Indicator": "指标名称",
    "More than chance": "超出偶然波动",
    "Leaf": "基础指标",
    "Contribution": "贡献",
    "Share of the change": "占变化",
    "What moved {indicator}": "{indicator}变动的来源",
    "{indicator}: the change by leaf; the rows add up to it": (
        "{indicator}：变化按基础指标分解，各行之和即总变化"
    ),
    "Heading": "类别",
    "Reached": "实际值",
    "Floor": "底线",
    "Target": "目标",
    "Weight": "权重",
    "Score": "得分",
    "Owner": "负责人",
    "Score of all": "总得分",
    "mean by weight": "按权重平均",
    "Scores against floor and target": "相对底线与目标的得分",
    "A contribution is what moving one leaf adds, averaged over all orders of moving them "
    "(Shapley's value). It says which number moved the indicator, not who or what moved the "
    "number.": (
        "贡献是改变一个基础指标所增加的量，按全部先后次序平均（夏普利值）。它说明是哪个数字使指标变动，"
        "不说明数字为何变动。"
    ),
    "A score is 0 at the floor and 1 at the target.": "得分在底线处为 0，在目标处为 1。",
    "Not drawn: {list}.": "未绘图：{list}。",
    # -- a past campaign --
    "{share}, measured ({low} to {high})": "{share}，实测（{low} 至 {high}）",
    "At both ends of what was measured, and between": "实测区间两端与中间值",
    "Measured in a past campaign with {n} treated customers: {share} more of them ordered than of "
    "the control group ({low} to {high}). That holds for customers and a contact like those of "
    "that campaign. It raises everybody's odds of an order by the same factor; expected gain is "
    "response times worth, less the contact.": (
        "由过去一次活动的 {n} 位处理组客户实测：其下单比例比对照组高 {share}（{low} 至 {high}）。"
        "该结果适用于与那次活动相似的客户与联系方式。联系使所有人下单的几率按同一倍数提高；预期收益为"
        "响应率乘以价值，再减联系成本。"
    ),
    "The interval holds none as well: the contact may bring nothing.": (
        "区间也包含零：联系可能毫无作用。"
    ),
    # -- subscriptions --
    "Subscriptions": "订阅",
    "Subscriptions won and lost": "订阅的增减",
    "Subscribers": "订户数",
    "Period": "时期",
    "Money a period": "每期收入",
    "at the end of {period}": "{period} 期末",
    "lost in the period: {n}": "本期流失 {n} 户",
    "Net revenue retention": "净收入留存率",
    "gross {share}": "毛留存率 {share}",
    "Value of contracts": "合同价值",
    "of contracts that run, next {span}": "现有合同，未来 {span}",
    "At its start": "期初",
    "New": "新增",
    "Won back": "赢回",
    "Expanded": "增购",
    "Contracted": "减购",
    "Lost": "流失",
    "At its end": "期末",
    "Gross retention": "毛留存率",
    "Net retention": "净留存率",
    "Where the money a period came from and went to": "每期收入的来源与去向",
    "Subscribers paid {money} a period at the end of {period}: {n} were there, {lost} had been "
    "lost in it.": ("{period} 期末有 {n} 个订户，每期收入 {money}；本期流失 {lost} 户。"),
    "A period is looked at on its last day; at its start + new + won back + expanded - "
    "contracted - lost = at its end. Net retention counts neither new customers nor those "
    "who came back.": (
        "每期按最后一天统计：期初 + 新增 + 赢回 + 增购 − 减购 − 流失 = 期末。"
        "净留存率不计新客户与赢回的客户。"
    ),
    "The value is each coming payment times the chance that the contract is still there.": (
        "合同价值为未来每次付款乘以届时合同仍有效的概率。"
    ),
}
