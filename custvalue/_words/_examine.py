"""What the data doctor says: of each finding what is wrong and what to do, and its page."""

from __future__ import annotations

# code -> (what, cure); a place in braces is filled with the finding's own values
FINDINGS: dict[str, tuple[str, str]] = {
    "amount-is-time": (
        "Column {column!r} has numbers that look like {looks} (median {median:,.0f}), not money.",
        "Name the column with the money in amount=.",
    ),
    "amount-is-id": (
        (
            "Column {column!r} has whole numbers that look like numbers of orders or customers "
            "({why}), not money."
        ),
        "Name the column with the money in amount=.",
    ),
    "amount-is-quantity": (
        (
            "Column {column!r} looks like a number of pieces (whole numbers, 9 of 10 at most "
            "{most:,.0f}), not money{instead}."
        ),
        "Name the column with the money in amount=, or a product such as 'Quantity*Price'.",
    ),
    "amount-is-price": (
        (
            "Column {column!r} looks like the price of one piece: column {quantity!r} says how "
            "many, "
            "and most of the money is in more than one."
        ),
        "Use the product: amount='{quantity}*{column}'.",
    ),
    "amount-is-constant": (
        "Every amount is {value:,.2f}, so that spend says no more than the number of orders.",
        "Right for a fee that is the same for all; else name the column with the money.",
    ),
    "cents-and-units": (
        (
            "Amounts have two scales, as cents among whole units have: medians of {high:,.2f} "
            "and {low:,.2f}, {ratio:,.0f} times as much (rows of the larger: {rows:,})."
        ),
        "Divide those rows by 100 if they are in cents; look at where they came from.",
    ),
    "mixed-currencies": (
        "Amounts are in several currencies: {which}.",
        "Convert all to one currency first, or examine and report each alone.",
    ),
    "amount-as-text": (
        (
            "Amounts of column {column!r} are text with signs or marks, such as {example!r}; "
            "they are "
            "read here as {value:,.2f}."
        ),
        "Write them as plain numbers, or say --decimal and --thousands to the report.",
    ),
    "missing-customer": (
        "Rows that name no customer: {rows:,}.",
        (
            "They are left out of everything; find out who they are, or count them as a shop of "
            "their own."
        ),
    ),
    "missing-amount": (
        "Rows without an amount that is a number: {rows:,}.",
        "They are left out; fill them in, or find out why they are empty.",
    ),
    "missing-time": (
        "Rows without a time that can be read: {rows:,}.",
        "They are left out; fill them in, or say how times are written with time_format=.",
    ),
    "time-not-iso": (
        "Times are written in the form {style!r}, e.g. {example!r}.",
        "Say time_format={style!r} (--time-format on the command line).",
    ),
    "day-or-month": (
        (
            "Times such as {example!r} can be read day first or month first; they are read here in "
            "the form {style!r}."
        ),
        "Ask who wrote the file, and say time_format=.",
    ),
    "time-as-numbers": (
        "Column {column!r} has numbers that look like {looks}, e.g. {example}.",
        "Turn them into dates first: {how}.",
    ),
    "future-dates": (
        "Rows dated after today, up to {last}: {rows:,}.",
        "Correct the dates, or leave these rows out with as_of=.",
    ),
    "odd-dates": (
        "Rows dated {start} to {end}, {years:,.0f} years away from all others: {rows:,}.",
        "Correct the dates, or leave these rows out.",
    ),
    "test-customers": (
        (
            "Ids that look like tests, collective accounts or nobody: {customers:,}, with "
            "{share:.1%} "
            "of the money."
        ),
        "Leave them out before anything is counted if they are not one person each.",
    ),
    "everyday-customer": (
        (
            "Customer {who} orders on {share:.0%} of all days with orders, as a cash desk or a "
            "collective account does."
        ),
        "Leave it out if it is not one customer.",
    ),
    "ids-by-spelling": (
        (
            "Ids that differ by spelling alone (case, blanks, leading zeros, wide letters, '.0'): "
            "{customers:,}, customers too many: {fewer:,}; {example}."
        ),
        "Write each id in one way before the log is read.",
    ),
    "customer-holds-money": (
        "Customer {who} holds {share:.1%} of the money.",
        "Look whether it is one customer; report the others without it, for it moves every mean.",
    ),
    "period-holds-money": (
        "{period} holds {share:.1%} of the money, {times:,.1f} times the usual {length}.",
        "Find out what happened then; a forecast takes it for a habit, or for a season.",
    ),
    "day-holds-rows": (
        (
            "The day {period} holds {share:.1%} of the orders, {times:,.0f} times the usual "
            "day, as a "
            "date of import does."
        ),
        "Look whether these orders were made on that day.",
    ),
    "outlier-orders": (
        "Orders above {limit:,.0f}, far above the usual {median:,.2f}: {n:,}.",
        "Look at them one by one: a slip of the keyboard, a dealer, a payment for a year.",
    ),
    "duplicate-rows": (
        "Rows that repeat an earlier one in every column: {rows:,}.",
        (
            "duplicates='drop' counts each once; right where rows have an order number or a "
            "time of "
            "day, else they may be two equal purchases."
        ),
    ),
    "refunds": (
        "Rows below 0: {rows:,}, {share:.1%} of the money.",
        "Say how to count them: refunds='net_occasion', 'net_order' (with order=) or 'drop'.",
    ),
    "refunds-without-purchase": (
        "Refunds without an earlier purchase of their customer in the log: {rows:,}.",
        (
            "The log begins after these purchases, or ids differ; leave them out with "
            "refunds='drop' "
            "or take an earlier log."
        ),
    ),
    "zero-amounts": (
        "Rows with an amount of 0: {rows:,}.",
        "They are left out unless zero_amounts='keep' says that they are orders.",
    ),
    "unfinished-period": (
        "The last {length}, {period}, is not over: {seen:,} of {whole:,} days are in the log.",
        "Do not compare it with whole ones; as_of={end!r} ends with a whole {length}.",
    ),
    "quiet-end": (
        (
            "The log falls silent: its last {days:,} days have {few:,.1f} rows a day, the eight "
            "weeks "
            "before {usual:,.1f}."
        ),
        "The export may be unfinished; everybody would look silent. as_of={end!r} ends before.",
    ),
    "gaps-in-dates": (
        (
            "Gaps without any order: {n:,}, the longest {when} (days: {longest:,}); by the "
            "weeks around, "
            "rows missing: about {rows:,}."
        ),
        (
            "Find out whether the shop was shut or the export lost days; silence is counted there, "
            "too."
        ),
    ),
    "growth": (
        "Money grew by {change:.0%}: the last {n:,} whole months against as many before.",
        (
            "Forecasts take a steady shop; test them on earlier dates, and do not read newcomers' "
            "growth as loyalty."
        ),
    ),
    "decline": (
        "Money fell by {change:.0%}: the last {n:,} whole months against as many before.",
        (
            "Forecasts take a steady shop; test them on earlier dates, and look whether "
            "newcomers or "
            "old customers stay away."
        ),
    ),
    "no-newcomers": (
        "Nearly all customers have their first order by {date}; there are hardly newcomers later.",
        "Read it as a cohort: totals by period fall because nobody joins.",
    ),
    "log-cut": (
        (
            "The log begins in the middle of the shop's life: first orders in its first four weeks "
            "{customers:,}, in four later ones {usual:,.0f}."
        ),
        "Take an earlier log, or do not call them new: their age is too short.",
    ),
    "midnight-mixed": (
        "Rows at midnight exactly, where the others have a time of day: {rows:,} ({share:.0%}).",
        "Two sources were joined; those of midnight are days alone, perhaps of another zone.",
    ),
    "midnight-only": (
        "Every time is midnight: the log knows days alone.",
        "Several orders of a customer on a day count as one.",
    ),
    "short-log": (
        "The log is short (days: {days:,}).",
        "Hardly anybody can have come back yet: what a report says of the future is a guess.",
    ),
    "few-customers": (
        "The log has few customers: {customers:,}.",
        "Shares and forecasts of so few are chance; look at each of them instead.",
    ),
    "columns-proposed": (
        (
            "Columns were chosen by their names and kinds: customer {customer!r}, time {time!r}, "
            "amount {amount!r}."
        ),
        "Look whether they are right; name others in customer=, time=, amount=.",
    ),
}


ZH: dict[str, str] = {
    # columns and cells of the table
    "code": "代码",
    "severity": "程度",
    "what": "发现",
    "rows": "行数",
    "customers": "客户数",
    "money": "金额",
    "first": "首批涉及",
    "cure": "处理办法",
    "error": "错误",
    "warning": "警告",
    "note": "提示",
    # parts of sentences
    "month": "个月",
    "week": "周",
    "day": "天",
    "seconds since 1970": "自 1970 年起的秒数",
    "milliseconds since 1970": "自 1970 年起的毫秒数",
    "microseconds since 1970": "自 1970 年起的微秒数",
    "nanoseconds since 1970": "自 1970 年起的纳秒数",
    "days of a spreadsheet": "电子表格的日期序号",
    "dates such as 20240131": "形如 20240131 的日期",
    "they are the ids of the customers": "与客户编号相同",
    "they rise with time": "随时间递增",
    "its name says so": "列名如此",
    "each customer has one of their own": "每位客户各有一个固定的数",
    "nearly every row has another one": "几乎每行都不同",
    "; column {name!r} looks like money": "；列 {name!r} 像是金额",
    # the page
    "Examined: rows {rows:,}, customers {customers:,}, {first} to {last}, money {money:,.2f}.": (
        "已检查 {rows:,} 行、{customers:,} 位客户，{first} 至 {last}，金额 {money:,.2f}。"
    ),
    "Nothing was found.": "未发现问题。",
    "rows {rows:,} ({row_share:.1%}), customers {customers:,}, money {money:,.2f} "
    "({money_share:.1%})": (
        "{rows:,} 行（{row_share:.1%}），{customers:,} 位客户，金额 {money:,.2f}"
        "（{money_share:.1%}）"
    ),
    "first: {first}": "首批涉及：{first}",
    "What to do: {cure}": "处理办法：{cure}",
    "Next: {command}": "下一步：{command}",
    # what and cure of each finding
    FINDINGS["amount-is-time"][0]: (
        "列 {column!r} 的数看起来是{looks}（中位数 {median:,.0f}），不是金额。"
    ),
    "Name the column with the money in amount=.": "请在 amount= 中写明金额所在的列。",
    FINDINGS["amount-is-id"][0]: (
        "列 {column!r} 的整数看起来是订单号或客户编号（{why}），不是金额。"
    ),
    FINDINGS["amount-is-quantity"][0]: (
        "列 {column!r} 看起来是件数（整数，九成不超过 {most:,.0f}），不是金额{instead}。"
    ),
    FINDINGS["amount-is-quantity"][1]: (
        "请在 amount= 中写明金额所在的列，或写成乘积，如 'Quantity*Price'。"
    ),
    FINDINGS["amount-is-price"][0]: (
        "列 {column!r} 看起来是单价：列 {quantity!r} 记有件数，且大部分金额来自多于一件的行。"
    ),
    FINDINGS["amount-is-price"][1]: "请用乘积：amount='{quantity}*{column}'。",
    FINDINGS["amount-is-constant"][0]: (
        "所有金额都是 {value:,.2f}，因此消费额并不比订单数多说明什么。"
    ),
    FINDINGS["amount-is-constant"][1]: "若人人费用相同则没有问题；否则请写明金额所在的列。",
    FINDINGS["cents-and-units"][0]: (
        "金额有两种尺度：{rows:,} 行的中位数为 {high:,.2f}，其余为 {low:,.2f}，相差 "
        "{ratio:,.0f} 倍，"
        "像是分与元混在一起。"
    ),
    FINDINGS["cents-and-units"][1]: "若这些行以分为单位，请除以 100；并查明其来源。",
    FINDINGS["mixed-currencies"][0]: "金额有多种币种：{which}。",
    FINDINGS["mixed-currencies"][1]: "请先换算为同一币种，或按币种分别检查和出报告。",
    FINDINGS["amount-as-text"][0]: (
        "列 {column!r} 的金额是带符号或分隔符的文字，如 {example!r}；此处读作 {value:,.2f}。"
    ),
    FINDINGS["amount-as-text"][1]: "请写成纯数字，或在出报告时用 --decimal 和 --thousands 说明。",
    FINDINGS["missing-customer"][0]: "{rows:,} 行没有客户编号。",
    FINDINGS["missing-customer"][1]: "这些行一概不计入；请查明是谁，或另作一店统计。",
    FINDINGS["missing-amount"][0]: "{rows:,} 行没有可用的金额。",
    FINDINGS["missing-amount"][1]: "这些行不计入；请补全，或查明为何为空。",
    FINDINGS["missing-time"][0]: "{rows:,} 行没有可读的时间。",
    FINDINGS["missing-time"][1]: "这些行不计入；请补全，或用 time_format= 说明写法。",
    FINDINGS["time-not-iso"][0]: "时间写作 {style!r} 的形式，如 {example!r}。",
    FINDINGS["time-not-iso"][1]: "请写 time_format={style!r}（命令行为 --time-format）。",
    FINDINGS["day-or-month"][0]: (
        "{example!r} 这类时间可以读作日在前，也可以读作月在前；此处按 {style!r} 读取。"
    ),
    FINDINGS["day-or-month"][1]: "请向提供文件的人确认，并写明 time_format=。",
    FINDINGS["time-as-numbers"][0]: "列 {column!r} 的数看起来是{looks}，如 {example}。",
    FINDINGS["time-as-numbers"][1]: "请先转换为日期：{how}。",
    FINDINGS["future-dates"][0]: "{rows:,} 行的日期在今天之后，最晚为 {last}。",
    FINDINGS["future-dates"][1]: "请更正日期，或用 as_of= 排除这些行。",
    FINDINGS["odd-dates"][0]: (
        "{rows:,} 行的日期为 {start} 至 {end}，与其余相隔 {years:,.0f} 年。"
    ),
    FINDINGS["odd-dates"][1]: "请更正日期，或去掉这些行。",
    FINDINGS["test-customers"][0]: (
        "{customers:,} 位客户的编号像是测试、公共账户或无名者，占金额的 {share:.1%}。"
    ),
    FINDINGS["test-customers"][1]: "若不是单个的人，请在统计之前去掉。",
    FINDINGS["everyday-customer"][0]: (
        "客户 {who} 在 {share:.0%} 的有单日都有订单，像是收银台或公共账户。"
    ),
    FINDINGS["everyday-customer"][1]: "若不是一位客户，请去掉。",
    FINDINGS["ids-by-spelling"][0]: (
        "{customers:,} 个编号只是写法不同（大小写、空格、前导零、全角字符、'.0'），"
        "合并后客户将少 {fewer:,} 位：{example}。"
    ),
    FINDINGS["ids-by-spelling"][1]: "请在读取之前统一每个编号的写法。",
    FINDINGS["customer-holds-money"][0]: "客户 {who} 占金额的 {share:.1%}。",
    FINDINGS["customer-holds-money"][1]: (
        "请确认它是否为一位客户；另出一份不含它的报告，因为它左右所有平均数。"
    ),
    FINDINGS["period-holds-money"][0]: (
        "{period} 占金额的 {share:.1%}，为一般每{length}的 {times:,.1f} 倍。"
    ),
    FINDINGS["period-holds-money"][1]: "请查明当时发生了什么；预测会把它当作习惯或季节。",
    FINDINGS["day-holds-rows"][0]: (
        "{period} 一天占订单的 {share:.1%}，为一般每天的 {times:,.0f} 倍，像是导入日期。"
    ),
    FINDINGS["day-holds-rows"][1]: "请确认这些订单是否确实在当天发生。",
    FINDINGS["outlier-orders"][0]: (
        "{n:,} 个订单高于 {limit:,.0f}，远高于其余订单（中位数 {median:,.2f}）。"
    ),
    FINDINGS["outlier-orders"][1]: "请逐一核对：输入错误、经销商，还是一年一付。",
    FINDINGS["duplicate-rows"][0]: "{rows:,} 行与之前某行各列完全相同。",
    FINDINGS["duplicate-rows"][1]: (
        "duplicates='drop' 各计一次；若行中有订单号或时刻则适用，否则也可能是两次相同的购买。"
    ),
    FINDINGS["refunds"][0]: "{rows:,} 行为负数，占金额的 {share:.1%}。",
    FINDINGS["refunds"][1]: (
        "请说明如何计算：refunds='net_occasion'、'net_order'（配合 order=）或 'drop'。"
    ),
    FINDINGS["refunds-without-purchase"][0]: "{rows:,} 笔退款在记录中没有该客户更早的购买。",
    FINDINGS["refunds-without-purchase"][1]: (
        "记录开始于这些购买之后，或编号不一致；请用 refunds='drop' 去掉，或取更早的记录。"
    ),
    FINDINGS["zero-amounts"][0]: "{rows:,} 行的金额为 0。",
    FINDINGS["zero-amounts"][1]: "除非 zero_amounts='keep' 说明它们是订单，否则不计入。",
    FINDINGS["unfinished-period"][0]: (
        "最后一{length}（{period}）尚未结束：{whole:,} 天中记录了 {seen:,} 天。"
    ),
    FINDINGS["unfinished-period"][1]: (
        "请勿与完整的期间比较；as_of={end!r} 恰好结束于完整的一{length}。"
    ),
    FINDINGS["quiet-end"][0]: (
        "记录在末尾趋于沉寂：最后 {days:,} 天每天 {few:,.1f} 行，之前八周每天 {usual:,.1f} 行。"
    ),
    FINDINGS["quiet-end"][1]: ("导出可能不完整，届时人人都显得沉默。as_of={end!r} 结束于此之前。"),
    FINDINGS["gaps-in-dates"][0]: (
        "有 {n:,} 段日期没有任何订单，最长 {longest:,} 天（{when}）；按前后日期估计约缺 "
        "{rows:,} 行。"
    ),
    FINDINGS["gaps-in-dates"][1]: "请查明是停业还是导出缺失；其间也会计为沉默。",
    FINDINGS["growth"][0]: "金额增长 {change:.0%}：最近 {n:,} 个完整月份与之前同样长的时间相比。",
    FINDINGS["growth"][1]: (
        "预测假定经营平稳；请在较早日期上检验，不要把新客户带来的增长当作忠诚。"
    ),
    FINDINGS["decline"][0]: "金额下降 {change:.0%}：最近 {n:,} 个完整月份与之前同样长的时间相比。",
    FINDINGS["decline"][1]: (
        "预测假定经营平稳；请在较早日期上检验，并查明是新客户减少还是老客户不来。"
    ),
    FINDINGS["no-newcomers"][0]: "几乎所有客户的首单都在 {date} 之前，此后几乎没有新客户。",
    FINDINGS["no-newcomers"][1]: "请按同期群解读：无人加入，各期总额自然下降。",
    FINDINGS["log-cut"][0]: (
        "{customers:,} 位客户的首单在最初四周，此后每四周为 {usual:,.0f} 位：记录从经营中途开始。"
    ),
    FINDINGS["log-cut"][1]: "请取更早的记录，或不要称其为新客户：其客龄偏短。",
    FINDINGS["midnight-mixed"][0]: "{rows:,} 行（{share:.0%}）恰为零点，其余有具体时刻。",
    FINDINGS["midnight-mixed"][1]: "应是两个来源合并；零点的行只有日期，时区可能也不同。",
    FINDINGS["midnight-only"][0]: "所有时间都是零点：记录只有日期。",
    FINDINGS["midnight-only"][1]: "同一客户一天内的多个订单计为一个。",
    FINDINGS["short-log"][0]: "记录只有 {days:,} 天。",
    FINDINGS["short-log"][1]: "几乎无人来得及复购：报告对未来的说法只是猜测。",
    FINDINGS["few-customers"][0]: "记录只有 {customers:,} 位客户。",
    FINDINGS["few-customers"][1]: "客户太少，占比和预测多为偶然；请逐一查看。",
    FINDINGS["columns-proposed"][0]: (
        "列按名称和类型选定：客户 {customer!r}，时间 {time!r}，金额 {amount!r}。"
    ),
    FINDINGS["columns-proposed"][1]: (
        "请确认是否正确；如不正确，请在 customer=、time=、amount= 中写明。"
    ),
}
