"""The report in Chinese: sentence by sentence."""

from __future__ import annotations

from custvalue._words._report_funnel import ZH as FUNNEL_ZH
from custvalue._words._report_given import ZH as GIVEN_ZH
from custvalue._words._report_names import ZH as NAMES_ZH
from custvalue._words._report_playbooks import ZH as PLAYBOOK_ZH
from custvalue._words._report_survey import ZH as SURVEY_ZH

ZH: dict[str, str] = {
    **FUNNEL_ZH,
    **GIVEN_ZH,
    **PLAYBOOK_ZH,
    **NAMES_ZH,
    **SURVEY_ZH,
    # -- rules and numbers --
    ", ": "，",
    "; or ": "；或",
    "{n:,.0f} days": "{n:,.0f} 天",
    "{n} hours": "{n} 小时",
    "{n} days": "{n} 天",
    "{n} weeks": "{n} 周",
    "{n} months": "{n} 个月",
    "{n} years": "{n} 年",
    "last order at most {days:,.0f} days ago": "末次订单在 {days:,.0f} 天以内",
    "last order over {days:,.0f} days ago": "末次订单在 {days:,.0f} 天以前",
    "last order over {low:,.0f}, at most {high:,.0f} days ago": (
        "末次订单在 {low:,.0f} 天以前、{high:,.0f} 天以内"
    ),
    "one order": "仅一次订单",
    "at most {n:,.0f} orders": "订单至多 {n:,.0f} 次",
    "at least {n:,.0f} orders": "订单至少 {n:,.0f} 次",
    "{n:,.0f} orders": "订单 {n:,.0f} 次",
    "{low:,.0f} to {high:,.0f} orders": "订单 {low:,.0f} 至 {high:,.0f} 次",
    "spent at most {money}": "消费不超过 {money}",
    "spent over {money}": "消费超过 {money}",
    "spent over {low}, at most {high}": "消费超过 {low}、不超过 {high}",
    # -- frame --
    "Customer value report: {source}": "客户价值报告：{source}",
    "As of": "截至",
    "Looking ahead": "展望期",
    "Margin": "利润率",
    "Discount rate a year": "年贴现率",
    "Orders since": "订单起始",
    "not given: value is spend": "未给出：价值即消费额",
    "sort by this column": "按此列排序",
    "skip to the report": "跳至报告正文",
    "contents": "目录",
    "Made by custvalue {version}. The tables beside this page hold every customer; numbers here "
    "are sums and means of them.": (
        "由 custvalue {version} 生成。同目录的数据表包含每一位客户；本页数字是其合计与均值。"
    ),
    "{rows} rows in = {used} used + {left} left out; {customers} customers, as of {as_of}": (
        "{rows} 行 = 采用 {used} 行 + 剔除 {left} 行；客户 {customers} 位，截至 {as_of}"
    ),
    "expected in the next {span}: {orders} orders of {buyers} customers, {worth} {value}": (
        "未来 {span}预期：{buyers} 位客户下单 {orders} 次，{worth} {value}"
    ),
    "{n} customers ({share}) are quiet": "{n} 位客户（{share}）已沉默",
    # -- the base --
    "The base": "总览",
    "The base on a page": "客户总览",
    "Who the customers are and what they bring. Value means {meaning}, over the next {span}, "
    "discounted to {as_of}.": (
        "客户是谁，带来多少。价值指未来 {span}的{meaning}，贴现至 {as_of}。"
    ),
    "spend (no margin was given)": "消费额（未给出利润率）",
    "{share} so far, by column {column}": "至今 {share}，据“{column}”列",
    "{share} of spend": "占消费额的 {share}",
    "Profit so far": "累计利润",
    "profit: spend at the margins that the rows tell (column {column})": (
        "利润：消费额乘以各行所示的利润率（“{column}”列）"
    ),
    "{n} customers have brought a loss so far, {loss} together. Losses count as losses, and orders "
    "at a loss as orders.": (
        "至今有 {n} 位客户带来亏损，合计 {loss}。亏损计为亏损，亏损的订单仍是订单。"
    ),
    "{n} customers are expected to bring a loss: their value is below 0.": (
        "预期 {n} 位客户将带来亏损：其价值低于 0。"
    ),
    "Earlier dates tested the spend that was forecast. Its margins are those of the past: each "
    "customer's own as far as the orders tell, else everybody's.": (
        "较早日期检验的是消费额预测。利润率取自过去：订单足以说明者用客户自身的，否则用全体的。"
    ),
    "spend times the margin of {margin}": "消费额乘以利润率 {margin}",
    "future profit": "未来利润",
    "future spend": "未来消费",
    "Customers": "客户数",
    "{share} bought only once": "其中 {share} 仅购买一次",
    "Orders": "订单数",
    "{mean} per order on average": "平均每单 {mean}",
    "Spend so far": "累计消费",
    "the best 20 % of customers bring {share}": "最好的 20% 客户带来 {share}",
    "Bought in the last {days} days": "近 {days} 天有购买",
    "{share} of all customers": "占全部客户的 {share}",
    "Customers expected to order, next {span}": "未来 {span}预期下单客户",
    "of all customers known today; {orders} orders": "来自今日已有的全部客户；订单 {orders} 次",
    "not known": "无法判断",
    "at earlier dates {ratios} of what was forecast came": "在较早日期，实际为预测的 {ratios}",
    "Expected {worth}, next {span}": "未来 {span}预期{worth}",
    "80 % range {low} to {high}": "80% 区间 {low} 至 {high}",
    "How to read: the further the curve bends up, the fewer customers carry the base.": (
        "读法：曲线越向上弯，支撑整体的客户越少。"
    ),
    "Spend in periods of {period}; right of the dotted line, what today's customers are expected "
    "to spend, before discount.": (
        "每期（{period}）的消费额；虚线右侧为现有客户的预期消费，未贴现。"
    ),
    # -- by a column --
    "By {column}": "按{column}",
    "Customers by {column}": "按{column}划分的客户",
    "The same customers, money and forecast as in the rest of this report, cut by the column "
    "{column}; expected values are for the next {span}.": (
        "与本报告其余部分相同的客户、金额与预测，按“{column}”列划分；预期值为未来 {span}。"
    ),
    "Groups by {column}: their sums are the totals of this page": (
        "按{column}分组：各组之和即本页合计"
    ),
    "Show one group": "显示一组",
    "all groups": "全部分组",
    "all customers": "全部客户",
    "all other values": "其余各值",
    "no value": "无此值",
    "{column}: {value}": "{column}：{value}",
    "{low} to {high}": "{low} 至 {high}",
    "80 % range": "80% 区间",
    "Share of the value to come": "未来价值占比",
    "Expected to order": "预期下单",
    "Quiet": "沉默",
    "{orders} orders": "订单 {orders} 次",
    "nobody of this group": "本组无人",
    "{share} of this group; active, worth {worth} more": (
        "占本组的 {share}；若恢复活跃，价值增加 {worth}"
    ),
    "{n} customers have more than one value of {column}; the one of their last order counts.": (
        "{n} 位客户的“{column}”不止一个值，以末次订单的值为准。"
    ),
    "{n} customers have no value of {column}; they are a group of their own.": (
        "{n} 位客户没有“{column}”的值，单独成组。"
    ),
    "{column} has {n} different values; those that brought most have a group each, the others are "
    "one.": "“{column}”有 {n} 个不同的值；带来最多者各成一组，其余合为一组。",
    "The band holds what comes in 8 of 10 cases: by chance, by what forecasts missed at earlier "
    "dates, and by the ups and downs of the periods so far.": (
        "色带为十次中八次的实际范围：计入偶然、较早日期预测的偏差，以及以往各期的起伏。"
    ),
    "The band allows for chance and for the ups and downs of the periods so far, not for an error "
    "of the method, which no earlier date could test.": (
        "色带计入偶然与以往各期的起伏，未计入方法本身的误差：没有较早日期可以检验。"
    ),
    "The season of the past years is in the line; its sum is that of the forecast.": (
        "曲线含以往各年的季节变化，其合计即预测合计。"
    ),
    # -- segments --
    "Segments": "细分",
    "Segments: who is alike": "客户细分：谁与谁相似",
    "Each box is a segment: its area is customers, its colour spend each.": (
        "每个方块是一个细分：面积为客户数，颜色为人均消费。"
    ),
    "Future value of one customer; the line is the 80 % range of the mean.": (
        "每位客户的未来价值；横线为均值的 80% 区间。"
    ),
    "{n} customers, {share}": "{n} 位客户，{share}",
    "1 customer, {share}": "1 位客户，{share}",
    "share of spend": "消费占比",
    "usual silence": "沉默中位数",
    "orders each": "人均订单",
    "future value each": "人均未来价值",
    "Segment": "细分",
    "Share": "占比",
    "Share of spend": "消费占比",
    "Usual silence": "沉默中位数",
    "Future value": "未来价值",
    "Segments by size, spend so far and future value": "各细分的规模、累计消费与未来价值",
    "Keep close: early access, referrals, no discounts needed.": (
        "保持亲近：优先体验、转介绍，无须折扣。"
    ),
    "Offer the next product; thank them.": "推荐下一件产品，并致谢。",
    "Bring the next order soon after the last one.": "趁热促成下一单。",
    "Welcome, explain, bring the second order.": "欢迎、说明，促成第二单。",
    "A small reason to come back now.": "给一个现在回来的小理由。",
    "Call or write personally: they were worth it.": "亲自致电或致信：值得挽回。",
    "Only cheap channels; test first.": "只用低成本渠道，先做测试。",
    "Test one message on a part, keep a control group.": "先在部分客户上测试，保留对照组。",
    # -- who is quiet --
    "Who is quiet": "沉默客户",
    "Who is quiet, and what winning them back is worth": "谁已沉默，挽回值多少",
    "{n} customers ({share}) are quiet by their own rhythm. Together they have spent {spend} so "
    "far; as active customers they would be worth {worth} more.": (
        "按各自的购买节奏，{n} 位客户（{share}）已沉默，累计消费 {spend}；若恢复活跃，价值将增加 "
        "{worth}。"
    ),
    "Grade": "等级",
    "Chance of an order in {days} days": "{days} 天内下单可能性",
    "Customer": "客户",
    "Last order": "末次订单",
    "Usual gap": "平均间隔",
    "Silence": "沉默时长",
    "Chance of an order": "下单可能性",
    "Worth of winning back": "挽回价值",
    "Customers by time since their last order, and how many order again.": (
        "按距末次订单的天数统计的客户数，及其再次下单的可能性。"
    ),
    "Money spent so far by customers of each grade of silence.": "各沉默等级客户的累计消费。",
    "Grades of silence": "沉默等级",
    "Quiet customers worth winning back first (the first {n})": (
        "最值得先挽回的沉默客户（前 {n} 位）"
    ),
    "Worth of winning back: the future value of an active customer with the same frequency and "
    "money scores, less the customer's own; 0 where nobody alike is active.": (
        "挽回价值：频率分与金额分相同的活跃客户的未来价值，减去该客户自身的未来价值；"
        "没有同类活跃客户者为 0。"
    ),
    "Response": "响应率",
    "Contacted": "值得联系",
    "Cost": "成本",
    "Expected gain": "预期收益",
    "What if another share responds?": "若响应率不同，结果如何？",
    "Response needed": "所需响应率",
    "Group": "分组",
    "To contact": "应联系",
    "at {cost} each: {total} in all": "每位 {cost}，共 {total}",
    "after contacts, if {share} of those contacted respond": (
        "扣除联系成本，假定被联系者有 {share} 回应"
    ),
    "nobody is contacted": "无人需联系",
    "Response, mean of all quiet": "响应率（全部沉默客户的均值）",
    "Respond, of those contacted": "被联系者的响应率",
    "{share}, mean of all quiet": "{share}，全部沉默客户的均值",
    "A mean of {share} over all quiet customers is one of {more} over those contacted, who are the "
    "likelier ones.": ("故全部沉默客户的 {share} 相当于被联系者的 {more}：后者较可能响应。"),
    "The budget of {money} does not end the list: {cost} of it is spent, and nobody else is worth "
    "a contact.": "预算 {money} 未用尽：已用 {cost}，其余客户均不值得联系。",
    "Control group": "对照组",
    "drawn at random: do not contact, compare later": "随机抽取：不联系，事后比较",
    "Response needed: cost of a contact divided by the worth of winning back. The contact pays "
    "where more respond than that who would not have come anyway.": (
        "所需响应率：联系成本除以挽回价值。因联系而回来（否则不会回来）的客户多于此比例，"
        "联系才划算。"
    ),
    "No response was given, so nobody is called worth a contact. The list starts with the "
    "customers of most worth, who pay at the lowest response.": (
        "未给出响应率，故不判断谁值得联系。名单按挽回价值排序：在前者所需响应率最低。"
    ),
    "No response and no cost of a contact were given. The list assumes that who is more likely "
    "to order anyway is also easier to win back: worth times chance of an order. With response "
    "and cost (--response, --contact-cost) the report says whom to contact, what that brings, and "
    "draws a control group.": (
        "未给出响应率与联系成本。名单假定本来就较可能下单者也较易挽回：按挽回价值乘以下单可能性"
        "排序。给出响应率与成本（--response、--contact-cost）后，报告将说明应联系谁、"
        "收益几何，并抽取对照组。"
    ),
    "Assumed, not measured: a contact wins back {share} of the quiet customers who would not have "
    "come anyway. It raises everybody's odds of an order by the same factor, so that who is all "
    "but gone responds less. Expected gain is response times worth, less the contact; measure it "
    "with the control group.": (
        "此为假定而非实测：联系可挽回 {share} 本不会回来的沉默客户。联系使每位客户下单的优势比"
        "（odds）按同一倍数提高，故几乎流失者响应较少。预期收益为响应率乘以挽回价值，减去联系成本；"
        "请用对照组实测。"
    ),
    "Response assumed": "假定响应率",
    "Contact cost": "联系成本",
    "No cost of a contact was given: contacts count as free.": "未给出联系成本：联系视为免费。",
    "The budget of {money} ends the list: {n} more would pay.": (
        "预算 {money} 用尽即止：另有 {n} 位也值得联系。"
    ),
    "The table campaign has every quiet customer with the group drawn; {share} of those worth a "
    "contact are held out. {n} customers are not worth a contact.": (
        "campaign 数据表列出每位沉默客户及其分组；值得联系者中留出 {share} 作对照。"
        "{n} 位客户不值得联系。"
    ),
    # -- in short --
    "In short": "要点",
    " ": "",
    "{money} in the log's own currency": "{money}（以记录的货币计）",
    "Today's customers are expected to bring {value} in the next {span}.": (
        "现有客户未来 {span}预期带来 {value}。"
    ),
    "The past had too few buyers, or too few days, to test that on it.": (
        "历史上买家太少或天数太少，无法用历史检验。"
    ),
    "How much today's customers will bring cannot be told: at earlier dates {ratios} of what was "
    "forecast came.": "今日的客户将带来多少无法判断：在较早日期，实际为预测的 {ratios}。",
    "In the last {span} they brought {value}.": "过去 {span}他们带来 {value}。",
    "At earlier dates {ratios} of what such a forecast said came.": (
        "在较早日期，实际为此类预测的 {ratios}。"
    ),
    "{n} customers ({share}) are quiet; active, they would be worth {worth} more.": (
        "{n} 位客户（{share}）已沉默；若恢复活跃，价值将增加 {worth}。"
    ),
    "If {share} respond, none of them is worth a contact.": (
        "若有 {share} 回应，其中无人值得联系。"
    ),
    "The budget of {money} pays for none of the {n} who are worth a contact.": (
        "预算 {money} 不足以联系值得联系的 {n} 位中的任何一位。"
    ),
    "Contacting {n} of them for {cost} gains {gain}, if {share} of those contacted respond.": (
        "以 {cost} 联系其中 {n} 位，若被联系者有 {share} 回应，可获收益 {gain}。"
    ),
    "Upgrades due: {due}, overdue: {overdue}. Problem customers: {share}, above the ceiling of "
    "{ceiling}.": (
        "应升级 {due} 位，已逾期 {overdue} 位；问题客户占 {share}，超过 {ceiling} 的上限。"
    ),
    "Upgrades due: {due}, overdue: {overdue}. Problem customers: {share}, within the ceiling of "
    "{ceiling}.": (
        "应升级 {due} 位，已逾期 {overdue} 位；问题客户占 {share}，未超过 {ceiling} 的上限。"
    ),
    # -- stages --
    "Stages": "阶段",
    "Stages of the relationship, and upgrades due": "客户关系阶段与应升级客户",
    "Where each relationship stands by its orders, and what to say to it.": (
        "依订单判断每段关系所处的阶段，以及应传递的信息。"
    ),
    "Stage": "阶段",
    "Future value each": "人均未来价值",
    "Message": "沟通要点",
    "Stages of the relationship": "关系阶段",
    "Upgrade early": "未到期",
    "Upgrade due": "应升级",
    "Upgrade overdue": "已逾期",
    "Problem customers are {share} of those present, above the ceiling of {ceiling}: diagnose "
    "why established customers went quiet, the most valuable first.": (
        "问题客户占现有客户的 {share}，超过 {ceiling} 的上限："
        "请从最有价值者开始，查明老客户为何沉默。"
    ),
    "Problem customers are {share} of those present, within the ceiling of {ceiling}.": (
        "问题客户占现有客户的 {share}，未超过 {ceiling} 的上限。"
    ),
    "Potential and target customers have no order yet, strategic partners a joint project: a log "
    "of orders alone shows none of them.": (
        "潜在客户与目标客户尚无订单，战略合作者有共同项目：仅凭订单记录无法看出。"
    ),
    "Potential and target customers have no order yet, and strategic partners are told by more "
    "than orders: a log of orders alone shows none of them.": (
        "潜在客户与目标客户尚无订单，战略合作者也不能只看订单：仅凭订单记录无法看出。"
    ),
    "What to do": "建议",
    "Where customers stood on the first date, and where they stand now.": (
        "客户在前一日期所处的阶段，以及现在的阶段。"
    ),
    "Next step": "下一步",
    "Customers by time in their stage, against its usual window": "客户在本阶段的时间与通常期限",
    "Due: within the stage's usual window; overdue: longer in the stage than usual. The table "
    "customers says for each what is missing for the next stage.": (
        "应升级：处于本阶段的通常期限之内；已逾期：停留超过通常期限。"
        "customers 数据表列出每位客户升级尚缺的条件。"
    ),
    # -- forecast --
    "Forecast": "预测",
    "The forecast, and how far to trust it": "预测及其可信度",
    "Customers in groups by forecast: a dot on its bar's end is a right forecast.": (
        "客户按预测分组：圆点落在柱顶即预测准确。"
    ),
    "Group, lowest forecast first": "组（预测由低到高）",
    "Forecast each": "人均预测",
    "Came each": "人均实际",
    "Method": "方法",
    "Forecast / actual": "预测／实际",
    "Ranking (Gini, 1 is perfect)": "排序（基尼，1 为完美）",
    "Mean error each": "人均误差",
    "Spend of its best tenth, of the true best": "所选最好十分之一与真实最好者的消费之比",
    "The same test for each method": "各方法同场比较",
    "Known until": "已知截至",
    "Days ahead": "预测天数",
    "Came": "实际",
    "The forecast at earlier dates": "在较早日期所作的预测",
    "Forecast against outcome": "预测与结果",
    "Future value and the chance of an order are of one forecast, chosen by the log's own past; "
    "discounted at {rate} a year.": (
        "未来价值与下单机会出自同一预测，由本记录自身的过去选出；年贴现率 {rate}。"
    ),
    "The forecast was fitted on orders until {date} and asked of this log; its tests and its "
    "verdict are of that day.": (
        "预测以截至 {date} 的订单拟合，再用于本记录；其检验与结论均属当日。"
    ),
    "The range of a customer holds the mean, and what will really come in 8 of 10 such cases.": (
        "客户的区间包含均值，十个同类客户中八个的实际结果落在其中。"
    ),
    "The range of the total allows for chance, for the error of what was estimated and for what "
    "the method missed at earlier dates; no range knows that the future may differ from the "
    "past.": (
        "合计的区间已计入偶然、估计误差，以及该方法在较早日期的偏差；"
        "未来可能不同于过去，任何区间都无法计入。"
    ),
    "The range of the total allows for chance and for the error of what was estimated, not for an "
    "error of the method, which is not known.": (
        "合计的区间已计入偶然与估计的误差，未计入方法本身的误差：其大小未知。"
    ),
    # -- moves --
    "Moves": "流动",
    "Who moves where": "客户流向",
    "Segments one period apart ({period}), over the whole log: each row of the picture says where "
    "the customers of a segment are one period later.": (
        "全部记录中相隔一期（{period}）的细分：图中每行是该细分客户一期之后的去向。"
    ),
    "They are counted on {n} customers, drawn fairly of all.": (
        "流向按从全部客户中随机抽取的 {n} 位统计。"
    ),
    "No customer has two periods yet.": "尚无客户有两期记录。",
    "Technical note: {note}": "技术说明（英文）：{note}",
    "Note: {note}": "技术说明：{note}",
    "There is one customer: segments, scores and shares compare with nobody, and the forecast is a "
    "law's guess.": "只有一位客户：细分、分值与占比无从比较，预测仅为规律的估计。",
    "Nobody has ordered twice. When customers come back, and whether they do, this log cannot "
    "tell: a forecast of no orders says that none has come back yet.": (
        "没有客户下过两次单。客户何时回来、是否回来，本记录无法说明：预测无订单仅表示尚无人回来。"
    ),
    "All customers spend the same per order: what a customer is worth differs by the number of "
    "orders alone.": "所有客户每单消费相同：客户价值之差仅来自订单数。",
    "Most customers order in a fixed rhythm, as subscribers do. An order that does not come in "
    "time is more likely an end than a pause, and laws of chance purchases see the end too late.": (
        "多数客户按固定节奏下单，如同订阅。逾期未到的订单更可能是终止而非暂停；"
        "随机购买规律较晚才能察觉终止。"
    ),
    "The log covers {n:,.0f} days, less than half of the {span} that are forecast: the forecast "
    "goes beyond what was seen, and no earlier date can test it in full.": (
        "记录只有 {n:,.0f} 天，不到预测期 {span}的一半：预测超出所见范围，"
        "没有较早日期可以完整检验。"
    ),
    "A response of {share} cannot be: {chance} of the quiet customers are expected to order "
    "without a contact, so fewer than that are left to be won. No campaign is planned.": (
        "{share} 的响应率不可能：预期 {chance} 的沉默客户无须联系也会下单，"
        "可挽回者少于此数。故未作联系计划。"
    ),
    "Per cent of a segment's customers, one period later.": "细分客户一期之后的去向占比（%）。",
    "From": "原细分",
    "To": "现细分",
    "The largest moves": "最大的流动",
    "Times": "次数",
    # -- data --
    "Data": "数据",
    "The data: every row accounted for": "数据：每一行都有着落",
    "Rows in the log = rows used + rows left out, each with its reason.": (
        "记录行数 = 采用行数 + 剔除行数，剔除各有原因。"
    ),
    "{rows} rows used make {orders} orders of {customers} customers: all rows of a customer on one "
    "day are one order.": (
        "采用的 {rows} 行合为 {customers} 位客户的 {orders} 次订单："
        "同一客户同一天的记录算作一次订单。"
    ),
    "rows in the log": "记录行数",
    "rows used": "采用行数",
    "What": "项目",
    "Rows": "行数",
    "Net amount": "净金额",
    "One by one": "逐个客户",
    "Customers one by one, and why": "逐个客户及其缘由",
    "The first customers ({n}) by value or worth of winning back. The parts of each add up to "
    "the value less the mean of all customers, {mean}.": (
        "价值或挽回价值最高的客户（{n} 位）。各组成之和等于价值减去全体客户均值 {mean}。"
    ),
    "In brackets: what moved since {since}.": "括号内为自 {since} 以来的变化。",
    "Parts are shares of the mean values of customers alike in number of orders, silence "
    "against their own rhythm and spend per order; they say what a value goes with, not "
    "what would happen if the customer did otherwise.": (
        "各组成是订单数、相对自身节奏的沉默和每单金额相似的客户均值的分摊；说明价值与什么相伴，"
        "而非客户改变行为的后果。"
    ),
    "{value} ({low} to {high}), chance of an order {chance}": (
        "{value}（{low} 至 {high}），下单可能性 {chance}"
    ),
    "no order yet on {date}": "{date} 时尚无订单",
    "A look at the log found nothing odd.": "对记录的检查未发现异常。",
    "How bad": "程度",
    "What is odd about the log": "记录的异常之处",
    "What is odd about the log, before any model": "建模之前对记录的检查",
    "error": "错误",
    "warning": "警告",
    "note": "提示",
    "Row ledger": "行账",
    "left out: no customer id": "剔除：无客户编号",
    "left out: time missing or unreadable": "剔除：时间缺失或无法识别",
    "left out: amount missing or not finite": "剔除：金额缺失或无效",
    "left out: margin, cost or profit missing or not finite": "剔除：利润率、成本或利润缺失或无效",
    "left out: repeats an earlier row": "剔除：重复行",
    "left out: after the as-of date": "剔除：晚于截至日",
    "left out: negative amount": "剔除：负金额",
    "left out: amount zero": "剔除：金额为零",
    "left out: order nets to nothing or less": "剔除：订单净额不为正",
    "left out: day nets to nothing or less": "剔除：当日净额不为正",
    # -- pictures --
    "spend per period ({currency})": "每期消费（{currency}）",
    "spend per customer ({currency})": "人均消费（{currency}）",
    "spend so far ({currency})": "累计消费（{currency}）",
    "days since the last order": "距末次订单天数",
    "customers": "客户数",
    "chance of an order in {days} days (%)": "{days} 天内下单可能性（%）",
    "Concentration of spend": "消费集中度",
    "Spend by period and forecast": "各期消费与预测",
    "Segments by size and spend": "各细分的规模与消费",
    "Future value by segment": "各细分的未来价值",
    "Customers by silence": "按沉默时长统计的客户",
    "Spend by grade of silence": "各沉默等级的消费",
    "Stages then and now": "阶段的前后对比",
    "Moves between segments": "细分之间的流动",
    "Forecast against outcome by group": "各组预测与结果",
}
