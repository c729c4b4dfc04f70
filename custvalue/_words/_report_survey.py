"""The page about perceived value in Chinese: sentence by sentence."""

from __future__ import annotations

ZH: dict[str, str] = {
    "Perceived value: {source}": "感知价值：{source}",
    "Respondents at most": "最多受访者数",
    "Brands": "品牌数",
    "Weight of benefits": "利得权重",
    "Made by custvalue {version}. The tables beside this page hold all numbers.": (
        "由 custvalue {version} 生成。同目录的数据表包含全部数字。"
    ),
    "Highest net value: {brand}, {value} ({low} to {high}).": (
        "感知净值最高：{brand}，{value}（{low} 至 {high}）。"
    ),
    "{brand} gives more than fair value for its price.": (
        "就其价格而言，{brand} 的价值高于公允水平。"
    ),
    "{brand} gives less than fair value for its price.": (
        "就其价格而言，{brand} 的价值低于公允水平。"
    ),
    "{brand} cannot be told from fair value for its price.": (
        "就其价格而言，{brand} 的价值与公允水平无法区分。"
    ),
    "To claim, important and better than {other}: {list}.": (
        "可作价值主张（重要且优于{other}）：{list}。"
    ),
    "To mend first, important and worse than {other}: {list}.": (
        "应先改进（重要且不如{other}）：{list}。"
    ),
    "Nothing that weighs much sets {brand} apart from {other}.": (
        "{brand} 在重要属性上没有明显优势（对比：{other}）。"
    ),
    "the others": "其他品牌",
    "Value map": "价值图",
    "How to read: right of and below the line a brand gives more than fair value; a bar that "
    "crosses the line says that the two cannot be told apart.": (
        "读法：线的右下方优于公允价值；竖线穿过公允价值线，说明两者无法区分。"
    ),
    "Importance and performance": "重要性与表现",
    "How to read: up is what weighs most in value, right is what {brand} is rated best for.": (
        "读法：越靠上对价值越重要，越靠右 {brand} 的评分越高。"
    ),
    "Wave": "轮次",
    "Brand": "品牌",
    "Relative quality": "相对质量",
    "Relative price": "相对价格",
    "Fair relative price": "公允相对价格",
    "Advantage": "价值优势",
    "from": "下限",
    "to": "上限",
    "Benefit": "感知利得",
    "Burden": "感知利失",
    "Net value": "感知净值",
    "Rated highest by": "评为最高的占比",
    "Respondents": "受访者数",
    "Brands by what they give and take: benefits, burdens and net value": (
        "各品牌的利得、利失与净值"
    ),
    "Attribute": "属性",
    "Side": "得失",
    "Weight in value": "占价值权重",
    "Weight on its side": "本侧权重",
    "What value is made of": "价值的构成",
    "Change": "变化",
    "Answered both": "两轮均答",
    "Net value from wave to wave": "各轮感知净值",
    "Indexes run from 0 to 100. Net value is benefit times {q} less burden times {rest}.": (
        "指数范围为 0 至 100。感知净值 = 利得 × {q} − 利失 × {rest}。"
    ),
    "Ranges hold {level} of {draws} draws of respondents; those of differences within respondents "
    "are Student's.": (
        "下限与上限：{draws} 次受访者重抽样结果的 {level} 区间；同一受访者内的差异用 t 区间。"
    ),
    "The attributes explain {r2} of the differences in {outcome}. That describes; it does not "
    "promise what a change would bring.": (
        "各属性解释了 {outcome} 差异的 {r2}。这只是描述，不保证改变某个属性就会带来相应结果。"
    ),
    "Weights come from {rows} rows; {missing} lack an answer, and {single} respondents rated one "
    "brand only and cannot be compared within.": (
        "权重来自 {rows} 行；{missing} 行有未答项，"
        "{single} 位受访者只评价了一个品牌，无法在其内部比较。"
    ),
    "Perceived value": "感知价值",
    "Perceived value: what customers get for what they give": "感知价值：客户所得与所失",
    "Each brand as its raters see it: benefits against sacrifices, and what price is fair.": (
        "评价者眼中的各品牌：利得与利失，以及怎样的价格才公允。"
    ),
    "Adds to value": "净值贡献",
    "One point more adds": "每提升一分",
    "What it is": "类别",
    "Difference": "差异",
    "Rated both": "两者均评人数",
    "Where the difference in net value comes from; the rows add up to the total": (
        "净值差异的来源；各行之和即合计"
    ),
    "Points of difference, parity and contention, within the same respondents": (
        "差异点、相同点与争议点（同一受访者内比较）"
    ),
    "Compared": "逐项对比",
    "{brand} against {other}": "逐项对比：{brand} 与{other}",
    "A point of difference is rated higher than the other's beyond chance; one that weighs much "
    "in value is what to claim.": (
        "差异点：评分高于对方，且差距不止是偶然；其中对价值影响大的，就是应当主张的价值。"
    ),
    "{brand} comes {rank} of {n} by net value, {value} ({low} to {high}).": (
        "{brand} 的感知净值在 {n} 个品牌中列第 {rank}，为 {value}（{low} 至 {high}）。"
    ),
    "Quality against price: what is fair, and what is more or less": "质量与价格：公允、偏优与偏劣",
}
