"""The library's frequent notes on a log and its fits, in Chinese, for pages."""

from __future__ import annotations

import re

_BOUNDS = (
    ("no spread in order rates: one rate for all customers", "所有客户的下单频率相同"),
    ("no spread in order chances: one chance for all customers", "所有客户的下单可能性相同"),
    ("no spread in drop-out: one value for all customers", "所有客户的流失可能性相同"),
    ("nobody orders again", "无人再次下单"),
    ("everybody leaves at once", "客户随即流失"),
    ("nobody leaves", "无人流失"),
)
_ROWS = (
    ("customer id is missing", "无客户编号"),
    ("time is missing or unreadable", "时间缺失或无法识别"),
    ("amount is missing or not finite", "金额缺失或无效"),
    ("margin, cost or profit is missing or not finite", "利润率、成本或利润缺失或无效"),
)
_NOTES = (
    (
        r"as_of not given; using the last order's date, (\S+)\. A quiet end .*",
        r"未给出截至日（as_of），以末次订单日 \1 为准；记录末尾若无订单，会被误认为活跃。",
    ),
    (
        r"(\w+) \(([RFM])\): (\d+) % of .* value (\S+); (\d+) bins asked, (\d+) .*: ([\d, ]+)\.",
        r"\1（\2）：\3% 的客户同为 \4；要求分 \5 档，只能分 \6 档，所用分值：\7。",
    ),
    (
        r"no customer can ever be in (.+): the fitted cut points .*",
        r"没有客户会落入 \1：分点使相应分值为空。可减少档数，或另设分点与规则。",
    ),
    (
        r"no customer has two periods yet, so that no move .*",
        "尚无客户有两期记录，故无法统计状态间的流动；缩短期长（period）可显示一些。",
    ),
    (
        r"rows left out: (.+)\. They are in the row ledger; .*",
        r"剔除的行：\1。详见行账。",
    ),
    (
        r"(\S+) ended on a boundary: (.+) \(.*\)\. Forecasts .*; standard errors of (.+) are .*",
        r"\1 的拟合落在边界：\2。预测可用，\3 的标准误无定义。",
    ),
)


def note_in_chinese(text: str) -> str | None:
    """Say a note of the library in Chinese; None where it is none of the frequent ones.

    Examples
    --------
    >>> from custvalue._words._notes import note_in_chinese
    >>> note_in_chinese("rows left out: customer id is missing: 3. They are in the row ledger; x")
    '剔除的行：无客户编号: 3。详见行账。'
    >>> note_in_chinese("something rare") is None
    True
    """
    for pattern, said in _NOTES:
        found = re.fullmatch(pattern, text)
        if found:
            made = found.expand(said)
            for english, chinese in (*_BOUNDS, *_ROWS):
                made = made.replace(english, chinese)
            return made
    return None
