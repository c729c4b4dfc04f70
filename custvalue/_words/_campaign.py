"""The campaign room's words: what a campaign brought, who answers, whom it moves."""

from __future__ import annotations

ZH: dict[str, str] = {
    # columns
    "campaign": "活动",
    "group": "分组",
    "n_treated": "处理组人数",
    "n_control": "对照组人数",
    "mean_treated": "处理组均值",
    "mean_control": "对照组均值",
    "effect": "效果",
    "low": "区间下限",
    "high": "区间上限",
    "low_of_all": "同时区间下限",
    "high_of_all": "同时区间上限",
    "standard_error": "标准误",
    "shrunk": "收缩后效果",
    "shrunk_low": "收缩区间下限",
    "shrunk_high": "收缩区间上限",
    "verdict": "结论",
    "note": "说明",
    "covariate": "协变量",
    "alike": "是否相近",
    "expected": "应有客户数",
    "metric": "指标",
    "what": "性质",
    "start": "启用期",
    "period": "期间",
    "since": "启用后期数",
    "estimate": "估计值",
    "placebo": "安慰剂检验",
    "placebo_low": "安慰剂区间下限",
    "placebo_high": "安慰剂区间上限",
    # cells
    "no placebo: no period before to test": "无安慰剂检验：启用前期数不足",
    "one unit a start: nothing to tell chance from": "每个启用期仅一个单位，无从判断偶然性",
    "too few units to tell chance from": "单位过少，无从判断偶然性",
    "no control: no effect": "无对照，不能称为效果",
    "gain": "增益",
    "loss": "损失",
    "not seen": "未见效果",
    "fewer than two customers in a group": "某组不足两位客户",
    "fewer than three groups tell nothing of how much they differ": (
        "分组不足三个，无法判断组间差异"
    ),
    "equal outcomes: nothing to tell chance from": "结果全部相同，无从判断偶然性",
    # sentences
    "{metric} changed by {estimate:.4g} ({level:.4g} % interval {low:.4g} to {high:.4g}, "
    "{n_treated:,} units). There is no control, so this is no effect.": (
        "{metric} 变化 {estimate:.4g}（{level:.4g}% 区间 {low:.4g} 至 {high:.4g}，"
        "{n_treated:,} 个单位）。没有对照，不能称为效果。"
    ),
    "Effect on {metric} {estimate:.4g} ({level:.4g} % interval {low:.4g} to {high:.4g}, "
    "{n_treated:,} treated and {n_control:,} other units).": (
        "对 {metric} 的效果 {estimate:.4g}（{level:.4g}% 区间 {low:.4g} 至 {high:.4g}，"
        "启用 {n_treated:,} 个、其他 {n_control:,} 个单位）。"
    ),
    " Before the start they went apart ({p:.4g}): doubt it.": (
        "启用前两组已不平行（{p:.4g}）：结论存疑。"
    ),
    " Before the start they went together ({p:.4g}).": "启用前两组走势一致（{p:.4g}）。",
    "{k} covariates, the largest difference {d:.2f} standard deviations ({worst})": (
        "{k} 个协变量，最大差异 {d:.2f} 个标准差（{worst}）"
    ),
    "; all together p = {p:.3g}": "；联合检验 p = {p:.3g}",
    ".": "。",
    "{n:,} customers a campaign and {m:,} in control show an effect of {effect:.4g} a customer "
    "({lift:.1f} % of\n{mean:.4g}) in {power:.0f} % of tests at {level:.4g} % confidence.": (
        "每个活动 {n:,} 位、对照组 {m:,} 位客户，可在 {level:.4g}% 置信度下以 {power:.0f}% 的把握\n"
        "发现人均 {effect:.4g} 的效果（{mean:.4g} 的 {lift:.1f}%）。"
    ),
    "{n:,} treated customers brought {mean:.4g} each, {m:,} control customers {base:.4g}.\n"
    "Effect {effect:.4g} a customer ({level:.4g} % interval {low:.4g} to {high:.4g}); after margin "
    "and contact cost {net:.4g} ({net_low:.4g} to {net_high:.4g}), in\ntotal {all:,.0f} "
    "({all_low:,.0f} to {all_high:,.0f}).": (
        "{n:,} 位处理组客户人均 {mean:.4g}，{m:,} 位对照组客户人均 {base:.4g}。\n"
        "人均效果 {effect:.4g}（{level:.4g}% 区间 {low:.4g} 至 {high:.4g}）；"
        "扣除利润率与接触成本后 {net:.4g}（{net_low:.4g} 至 {net_high:.4g}），\n合计 {all:,.0f}"
        "（{all_low:,.0f} 至 {all_high:,.0f}）。"
    ),
    "{n:,} treated customers: {mean:.4g} a count, {m:,} control customers {base:.4g}.\n"
    "Effect {effect:.4g} a count ({level:.4g} % interval {low:.4g} to {high:.4g}).": (
        "{n:,} 位处理组客户：每单位 {mean:.4g}，{m:,} 位对照组客户 {base:.4g}。\n"
        "每单位效果 {effect:.4g}（{level:.4g}% 区间 {low:.4g} 至 {high:.4g}）。"
    ),
    "What was known before tells nothing of the outcome (correlation {r:.2f}): no gain by "
    "adjusting.": "活动前信息与结果几乎无关（相关系数 {r:.2f}）：调整无益。",
    "Adjusted by what was known before (correlation {r:.2f}, unadjusted {plain:.4g}): {saved:.0f} "
    "% fewer\ncustomers for the same answer.": (
        "已按活动前信息调整（相关系数 {r:.2f}，未调整效果 {plain:.4g}）："
        "同样的精度可少用 {saved:.0f}% 的客户。"
    ),
    "{k} campaigns against one control group: each interval holds in {level:.4g} % of tests, all "
    "together in fewer; those of the table's last columns hold together.": (
        "{k} 个活动对同一对照组：单个区间的置信度为 {level:.4g}%，同时成立的置信度更低；"
        "表中最后几列为同时成立的区间。"
    ),
    # -- what was learned of past campaigns --
    "It ranks who answers: a customer who answered stands before one who did not with a "
    "chance of {auc:.3f} ({low:.3f} to {high:.3f}; 0.5 is chance), out of fold.": (
        "它能排出谁会响应：响应者排在未响应者之前的可能性为{auc:.3f}（{low:.3f}至{high:.3f}，"
        "0.5为随机），折外检验。"
    ),
    "It is not shown to rank who answers (chance {auc:.3f}, {low:.3f} to {high:.3f}; 0.5 "
    "is chance): say the same for all until more have answered.": (
        "尚未证明它能排出谁会响应（可能性{auc:.3f}，{low:.3f}至{high:.3f}，"
        "0.5为随机）：在响应者更多之前，请视人人相同。"
    ),
    "Its squared error is {gain:.1f} % below saying {rate:.2f} % of everybody ({low:.1f} % "
    "to {high:.1f} %).": (
        "其平方误差比“人人{rate:.2f}%”低{gain:.1f}%（{low:.1f}%至{high:.1f}%）。"
    ),
    "Who answers is not who is won: some would have come anyway. What a mailing adds is "
    "learned from a random control group (UpliftModel).": (
        "会响应的不等于被争取来的：有些人本来就会来。邮寄增加了多少，"
        "要用随机对照组学习（UpliftModel）。"
    ),
    "Learned by {learner} from {n:,} customers, {answers:,} of whom answered.": (
        "由{learner}从{n:,}位客户学得，其中{answers:,}位响应。"
    ),
    "{arm}: choosing by this order brings {gain:.4g} a customer more than choosing at "
    "random ({low:.4g} to {high:.4g}), on average over all shares, out of fold.": (
        "{arm}：按此次序选择，每位客户比随机选择多带来{gain:.4g}（{low:.4g}至{high:.4g}）"
        "，为各种比例的平均，折外检验。"
    ),
    "{arm}: it is not shown that the effect differs between customers (order over chance "
    "{gain:.4g} a customer, {low:.4g} to {high:.4g}): treat all or none.": (
        "{arm}：尚未证明效果因客户而异（次序比随机每位客户多{gain:.4g}，"
        "{low:.4g}至{high:.4g}）：要么全部联系，"
        "要么都不联系。"
    ),
    "{arm}: {value:.4g} a customer more than the control group ({low:.4g} to {high:.4g}), "
    "{n:,} treated, {m:,} controls.": (
        "{arm}：每位客户比对照组多{value:.4g}（{low:.4g}至{high:.4g}）"
        "，处理组{n:,}位，对照组{m:,}位。"
    ),
    # -- what a plan would have brought --
    "policy": "方案",
    "arm": "处理",
    "treated": "处理比例",
    "error": "标准误差",
    "value": "价值",
    "lower": "区间下限",
    "upper": "区间上限",
    "gain_error": "增益标准误差",
    "gain_lower": "增益区间下限",
    "gain_upper": "增益区间上限",
    "plan": "计划",
    "nobody": "都不联系",
    "everybody": "全部联系",
    "random of the same size": "随机选同样多",
    # -- picture --
    "greatest predicted effect first": "按预测效果由高到低",
    "as many at random": "随机选同样多",
    "share of customers treated (%)": "处理客户占比（%）",
    "gain per customer of all": "全体客户人均增益",
}
