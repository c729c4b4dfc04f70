"""English words of tables and labels, and their Chinese; one word, one translation."""

from __future__ import annotations

from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]

# One block a room, so that a room's words are found together.
ZH: dict[str, str] = {
    # -- lifecycle stages (the source's own terms) --
    "potential": "潜在客户",
    "target": "目标客户",
    "new": "新客户",
    "established": "老客户",
    "core": "核心客户",
    "strategic": "战略合作者",
    "problem": "问题客户",
    "exited": "退出客户",
    # -- the four-stage view --
    "mature": "成熟客户",
    "declining": "衰退客户",
    # -- stage rules: templates, filled with thresholds --
    "the relationship was ended": "关系已终止",
    "open dispute": "存在未决争议",
    "no order yet, in the development plan": "尚无订单，已列入开发计划",
    "no order yet, in contact": "尚无订单，已有接触",
    "no order yet, known by name only": "尚无订单，仅知其名",
    "chance of return below {exit_chance}": "回购可能性低于{exit_chance}",
    "silent for {exit_after} or longer and over {exit_ratio} times the longest own gap": (
        "沉默达{exit_after}以上且超过自身最长间隔的{exit_ratio}倍"
    ),
    "was established, now silent for {quiet_after} or longer and over {quiet_ratio} times "
    "the longest own gap": (
        "曾为老客户，现沉默达{quiet_after}以上且超过自身最长间隔的{quiet_ratio}倍"
    ),
    "joint project after orders over {strategic_span} or longer": (
        "订货跨度达{strategic_span}以上且有共同开发项目"
    ),
    "{core_orders} or more orders over {core_span} or longer{core_more}": (
        "订单{core_orders}次以上，跨度达{core_span}以上{core_more}"
    ),
    "{established_orders} or more orders over {established_span} or longer": (
        "订单{established_orders}次以上，跨度达{established_span}以上"
    ),
    "trial orders": "试订货",
    "gaps no more irregular than {n}": "间隔不规则度不超过{n}",
    "total value from {n} on": "累计金额不低于{n}",
    "satisfaction from {n} on": "满意度不低于{n}",
    # -- learned rules --
    "number of orders": "订单数",
    "span of orders": "订货跨度",
    "silence": "沉默时长",
    "longest gap": "最长间隔",
    "mean gap": "平均间隔",
    "spread of gaps": "间隔离散度",
    "total value": "累计金额",
    "silence / longest gap": "沉默时长与最长间隔之比",
    "irregularity of gaps": "间隔不规则度",
    "in development plan": "列入开发计划",
    "contacted": "已接触",
    "relationship ended": "关系已终止",
    "joint project": "共同开发项目",
    "satisfaction": "满意度",
    "chance of return": "回购可能性",
    "{what}": "{what}",
    "no {what}": "非{what}",
    "{what} over {low}": "{what}大于{low}",
    "{what} at most {high}": "{what}不超过{high}",
    "{what} over {low} up to {high}": "{what}大于{low}且不超过{high}",
    " or unknown": "或未知",
    "and": "且",
    "every customer": "全部客户",
    # -- spans of time --
    "years": "年",
    "year": "年",
    "months": "个月",
    "month": "个月",
    "weeks": "周",
    "hours": "小时",
    "week": "周",
    "days": "天",
    "day": "天",
    " (not used: no such column)": "（未使用：无此列）",
    # -- time in a stage and what the next one wants --
    "no window": "无期限",
    "early": "未到期",
    "due": "到期",
    "overdue": "逾期",
    "unknown": "未知",
    "estimated": "估计",
    "exact": "准确",
    "a place in the development plan": "列入开发计划",
    "a first order": "首次订货",
    "more orders": "更多订单",
    "orders over a longer span": "更长的订货跨度",
    "more regular orders": "更规律的订货",
    "a higher total value": "更高的累计金额",
    "more satisfaction": "更高的满意度",
    "a joint project": "共同开发项目",
    "an end to the dispute": "解决争议",
    "an order after the silence": "沉默后再次订货",
    "a new beginning": "重新建立关系",
    "first seen": "首次出现",
    # -- the playbook: value messages and next steps --
    "image and brand": "企业形象与品牌",
    "make the name known and find the first point of contact": "提高知名度，找到首个接触点",
    "personal relations, people and brand": "人际关系、人员与品牌",
    "win mutual interest and a first trial order": "建立双向意向，争取首次试订货",
    "product value: core needs only, the agreed way of working held": (
        "产品价值：只满足核心需求，遵守约定的合作方式"
    ),
    "deliver the trial without a fault and ask for the repeat order": (
        "试订货零差错交付，并争取再次订货"
    ),
    "brand, technology and network value: additional needs step by step": (
        "品牌、技术与网络价值：逐步满足附加需求"
    ),
    "widen the use of the product, leave rivals no opening, begin to look for latent needs": (
        "扩大产品使用范围，不给竞争者机会，开始寻找潜在需求"
    ),
    "core needs fully and additional needs as far as possible": (
        "充分满足核心需求，尽量满足附加需求"
    ),
    "keep out of price competition and look for a joint project": (
        "避开价格竞争，寻找共同开发项目"
    ),
    "joint development": "共同开发",
    "develop tailored products or services together": "共同开发定制的产品或服务",
    "diagnose and convert fast": "诊断原因，尽快转化",
    "find the cause of the conflict or the silence and settle it within days": (
        "查明冲突或沉默的原因，数日内解决"
    ),
    "care goes on": "继续关怀",
    "part on good terms, stay in touch and keep the door open": ("好聚好散，保持联系，留有余地"),
    "value_kinds": "价值种类",
    "playbook timing": "时机",
    "medium": "媒介",
    "product value": "产品",
    "service value": "服务",
    "people and team value": "人员和团队",
    "marketing and management value": "营销和管理模式",
    "technology value": "技术资源",
    "customer network value": "客户资源",
    "brand value": "品牌",
    "society value": "社会",
    "history value": "历史",
    "any time": "随时",
    "from the first contact until the first order": "首次接触至首次订货",
    "within 2 to 4 months of the first order": "首次订货后2至4个月内",
    "within 3 months to a year of becoming established": "成为老客户后3个月至1年内",
    "about a year after becoming core": "成为核心客户后约1年",
    "throughout the joint project": "共同开发项目全程",
    "within days": "数日内",
    "at regular intervals": "定期",
    "advertising, fairs, the web": "广告、展会、网络",
    "visits and calls": "拜访与电话",
    "delivery and follow-up visits": "交付与回访",
    "regular visits, trainings, references": "定期拜访、培训、客户见证",
    "account team, joint reviews": "客户团队、联合评审",
    "joint teams and meetings of the heads": "联合团队与高层会晤",
    "a visit in person": "当面拜访",
    "letters, greetings, news": "信函、问候、资讯",
    # -- portraits --
    "Customer {id}": "客户 {id}",
    "{n} customers": "{n} 位客户",
    "No order yet.": "尚无订单。",
    "One order of {total}, {ago} ago.": "{ago}前订货一次，金额{total}。",
    "{n} orders over {span}, {total} in all, {mean} an order.": (
        "{span}内订货{n}次，合计{total}，每次平均{mean}。"
    ),
    "Usual gap {mean}, longest {longest}; last order {ago} ago, {judged}.": (
        "平均间隔{mean}，最长{longest}；最近一次订货在{ago}前，{judged}。"
    ),
    "longer than any earlier gap": "已超过以往任何间隔",
    "within the own rhythm": "仍在自身节奏之内",
    "Spent more than {share} of all customers.": "累计金额高于{share}的客户。",
    "{share} of all customers, {value} of the value: {total} in all, {mean} a customer.": (
        "占客户总数{share}，占金额{value}：合计{total}，每位客户平均{mean}。"
    ),
    "Half of them have {n} orders or more; {once} ordered once.": (
        "半数客户订货{n}次以上；{once}只订货一次。"
    ),
    "Half of them ordered within the last {span}.": "半数客户在最近{span}内订过货。",
    "Stage: {stage} ({rule}).": "阶段：{stage}（{rule}）。",
    "about {span}": "约{span}",
    "{span}": "{span}",
    "In this stage for {time}: {timing}.": "处于该阶段{time}：{timing}。",
    "For {next}: {wants}.": "升为{next}尚需：{wants}。",
    "Say: {message}. Do: {step}.": "价值诉求：{message}。行动：{step}。",
    "Stages: {list}.": "阶段构成：{list}。",
    "Value grade {g}: {kind}.": "价值等级{g}：{kind}。",
    "Value grades: {list}.": "价值等级构成：{list}。",
    "{what}: {number}.": "{what}：{number}。",
    "{what}: {number} (the rest {rest}).": "{what}：{number}（其余客户{rest}）。",
    "{what}: {list}.": "{what}：{list}。",
    "{what}: {list}; over-represented: {over}.": "{what}：{list}；偏高：{over}。",
    # -- where a rule's evidence comes from --
    "orders": "订单",
    "crm": "客户关系记录",
    "model": "模型",
    "learned": "习得",
    # -- silence --
    "active": "活跃",
    "watch": "关注",
    "silent": "沉默",
    "deeply silent": "深度沉默",
    "own gaps": "自身间隔",
    "one own gap": "仅一个自身间隔",
    "population": "总体间隔",
    "one own gap and population": "一个自身间隔与总体",
    "own gaps and population": "自身间隔与总体",
    "threshold": "统一阈值",
    "treat": "激活",
    "control": "对照",
    "out of budget": "超出预算",
    "not worth it": "不值得激活",
    "not silent": "未沉默",
    # -- RFM segments --
    "champions": "冠军客户",
    "loyal customers": "忠诚客户",
    "potential loyalists": "潜力忠诚客户",
    "new customers": "新客户",
    "promising": "有望客户",
    "need attention": "需关注客户",
    "about to sleep": "即将沉睡客户",
    "at risk": "流失风险客户",
    "cannot lose": "不可流失客户",
    "lost": "流失客户",
    "nobody now": "目前无人",
    "out of reach": "无法到达",
    # -- grades, matrices, contribution --
    "key customer": "重点客户",
    "general customer": "一般客户",
    "active and loyal": "活跃且忠诚",
    "active, not loyal": "活跃不忠诚",
    "loyal, not active": "忠诚不活跃",
    "neither active nor loyal": "不活跃不忠诚",
    "high contribution and potential": "高贡献高潜力",
    "high contribution, low potential": "高贡献低潜力",
    "dark horse": "黑马",
    "low contribution and potential": "低贡献低潜力",
    "high {first}, high {second}": "高{first}、高{second}",
    "high {first}, low {second}": "高{first}、低{second}",
    "low {first}, high {second}": "低{first}、高{second}",
    "low {first}, low {second}": "低{first}、低{second}",
    "grade": "等级",
    "customer_kind": "客户类别",
    "value_from": "金额下限",
    "value": "金额",
    "activity": "活跃度",
    "loyalty": "忠诚度",
    "quadrant": "象限",
    # -- columns --
    "stage": "阶段",
    "rule": "判定规则",
    "source": "依据",
    "order": "次序",
    "customers": "客户数",
    "customer_share": "客户占比",
    "total_value": "累计金额",
    "value_share": "金额占比",
    "mean_value": "平均金额",
    "mean_orders": "人均订单数",
    "order_rate": "单位时间人均订单数",
    "gap_mean": "平均间隔",
    "used": "是否使用",
    "stage_since": "阶段起始日",
    "since_is": "起始日性质",
    "time_in_stage": "阶段时长",
    "window_from": "期限下限",
    "window_to": "期限上限",
    "timing": "期限状态",
    "next_stage": "下一阶段",
    "orders_missing": "尚缺订单数",
    "span_missing": "尚缺跨度",
    "wants": "升级所缺",
    "from": "原阶段",
    "date": "日期",
    "group": "大类",
    "contribution_per_period": "每期贡献",
    "future_value": "未来价值",
    "total_future_value": "未来价值合计",
    "customer_periods": "客户期数",
    "value_message": "价值诉求",
    "next_step": "下一步",
    # -- contribution and potential value --
    "revenue": "收入",
    "cost": "成本",
    "gross_profit": "毛利",
    "cost_to_serve": "服务成本",
    "acquisition_cost": "获客成本",
    "contribution": "贡献度",
    "margin": "利润率",
    "contribution_share": "贡献占比",
    "below_zero": "亏损客户数",
    "run_rate": "当前水平",
    "change": "变化",
    "trend": "趋势",
    "best_comparable": "同类最佳",
    "gap": "潜在价值",
    # -- profiles of segments --
    "segment": "细分",
    "column": "特征",
    "category": "类别",
    "missing": "缺失",
    "inside": "本组",
    "rest": "其余",
    "everyone": "全体",
    "index": "指数",
    "difference": "标准化差异",
    "z": "z 值",
    "p_adjusted": "校正 p 值",
    # -- target markets --
    "attractiveness": "吸引力",
    "resource fit": "资源匹配度",
    "invest": "重点开发",
    "select": "选择发展",
    "harvest": "收获或放弃",
    "Area of a circle: size of the market": "圆面积：市场规模",
    # -- pictures of perceived value, importance and performance --
    "relative quality": "相对质量",
    "relative price": "相对价格",
    "fair value": "公允价值线",
    "more than fair value": "优于公允价值",
    "less than fair value": "劣于公允价值",
    "importance": "重要性",
    "performance": "表现",
    "concentrate here": "重点改进",
    "keep up": "继续保持",
    "low priority": "低优先",
    "possible overkill": "过度供给",
    # -- report and pictures --
    "money": "金额",
    "not yet a customer": "尚非客户",
    "per customer": "人均",
    "value per customer": "人均价值",
    "Area: number of customers. Darker: worth more per customer.": (
        "面积：客户数。颜色越深：人均价值越高。"
    ),
    "Customers of each cell": "各格客户数",
    "mean M score": "平均 M 分",
    "F score (1 to best)": "F 分（1 至最高）",
    "R score (1 to best)": "R 分（1 至最高）",
    "% of customers": "客户占比（%）",
    "state now": "当前状态",
    "state one period later": "一期之后的状态",
    "before": "之前",
    "after": "之后",
    "share of customers, best first (%)": "客户占比，由高到低（%）",
    "share of value (%)": "价值占比（%）",
    "cumulative share of profit (%)": "累计利润占比（%）",
    "{customers:.0f} % of customers bring {value:.0f} %": (
        "{customers:.0f}% 的客户带来 {value:.0f}%"
    ),
    "actual": "实际",
    "forecast": "预测",
    "cumulative": "累计",
    "end of period": "期末",
    "group of customers, lowest forecast first": "客户分组，预测由低到高",
    "false alarms (of those who came back)": "误报（占回购客户）",
    "misses (of those who stayed away)": "漏报（占未回购客户）",
    "chosen cut": "选定阈值",
    "silence score: silent from here on": "沉默得分：由此起判为沉默",
    "share of customers (%)": "客户占比（%）",
    "today": "今日",
    "chance of an order within {window} (%)": "{window} 内下单的可能性（%）",
    "chance of still being a customer": "仍为客户的可能性",
    "expected orders": "预期订单数",
    "Dotted: forecast": "虚框：预测",
    "Dotted: the month is not over": "虚框：当月未结束",
    "months since the first order": "首次订单以来的月数",
    "cohort: month of the first order": "同期群：首次订单月份",
    "customers with an order": "下单客户数",
    "customers with an order (%)": "下单客户占比（%）",
    "orders per customer": "人均订单",
    "money per customer": "人均金额",
    "Too small to name": "过小未标名",
    "repeat orders": "重复订单数",
    "last order, time since the first one": "末次订单距首次订单的时间",
}


def check_language(labels: str) -> Language:
    """Return ``labels`` if it is a language that the library speaks.

    Raises
    ------
    ValueError
        If it is neither ``"en"`` nor ``"zh"``.
    """
    if labels not in ("en", "zh"):
        raise ValueError(f"labels={labels!r} must be 'en' or 'zh'.")
    return labels  # type: ignore[return-value]


def translate_if_known(word: str, labels: str = "en") -> str:
    """One word in the language asked for; a word of the user's own stays as it is.

    Examples
    --------
    >>> from custvalue._labels import translate_if_known
    >>> translate_if_known("core", "zh"), translate_if_known("region", "zh")
    ('核心客户', 'region')
    """
    return word if check_language(labels) == "en" else ZH.get(word, word)


def translate(word: str, labels: str = "en") -> str:
    """One word in the language asked for.

    Raises
    ------
    KeyError
        If the word has no translation: every label shown must have one.

    Examples
    --------
    >>> from custvalue._labels import translate
    >>> translate("core", "zh")
    '核心客户'
    """
    return word if check_language(labels) == "en" else ZH[word]
