"""Names of benefits and sacrifices that the literature lists; names only, no numbers."""

from __future__ import annotations

import pandas as pd

from custvalue._words import SURVEY, Language, check_language

_BENEFITS, _SACRIFICES = "benefit", "sacrifice"
PRESETS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "benefits": (
        (_BENEFITS, "functional", "功能"),
        (_BENEFITS, "economic", "经济"),
        (_BENEFITS, "emotional", "情感"),
    ),
    "ravald_gronroos": (
        (_BENEFITS, "physical attributes", "物态"),
        (_BENEFITS, "service attributes", "服务"),
        (_BENEFITS, "technical support", "技术支持"),
        (_SACRIFICES, "price", "价格"),
        (_SACRIFICES, "acquisition", "获取"),
        (_SACRIFICES, "transportation", "交通"),
        (_SACRIFICES, "installation", "安装"),
        (_SACRIFICES, "order handling", "订单处理"),
        (_SACRIFICES, "repairs and maintenance", "维修"),
        (_SACRIFICES, "risk of failure", "失灵风险"),
    ),
    "delivered": (
        (_BENEFITS, "product value", "产品价值"),
        (_BENEFITS, "service value", "服务价值"),
        (_BENEFITS, "personnel value", "人员价值"),
        (_BENEFITS, "image value", "形象价值"),
        (_SACRIFICES, "money cost", "货币成本"),
        (_SACRIFICES, "time cost", "时间成本"),
        (_SACRIFICES, "energy cost", "体力成本"),
        (_SACRIFICES, "psychic cost", "精神成本"),
    ),
    "perval": (
        (_BENEFITS, "quality", "质量价值"),
        (_BENEFITS, "emotional value", "情感价值"),
        (_BENEFITS, "social value", "社会价值"),
        (_SACRIFICES, "price", "价格"),
    ),
}


def dimensions(kind: str, *, language: Language = "en") -> pd.DataFrame:
    """Benefits and sacrifices that a source names, to build a questionnaire on.

    Parameters
    ----------
    kind : {"benefits", "ravald_gronroos", "delivered", "perval"}
        Functional, economic and emotional benefits; the three benefits and seven sacrifices of
        Ravald & Grönroos (1996), after Monroe (1991); Kotler's delivered value (客户让渡价值); the
        four dimensions of PERVAL (Sweeney & Soutar 2001), whose price counts as a sacrifice here.
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame
        ``side`` (benefit or sacrifice), ``attribute``.

    Raises
    ------
    ValueError
        If ``kind`` is unknown.

    References
    ----------
    Ravald, A. & Grönroos, C. (1996). The value concept and relationship marketing. European
    Journal of Marketing 30(2). Sweeney, J. & Soutar, G. (2001). Consumer perceived value. Journal
    of Retailing 77(2).

    Examples
    --------
    >>> from custvalue.survey import dimensions
    >>> dimensions("benefits")["attribute"].tolist()
    ['functional', 'economic', 'emotional']
    """
    if kind not in PRESETS:
        raise ValueError(f"kind={kind!r} must be one of {', '.join(map(repr, PRESETS))}.")
    english = check_language(language) == "en"
    rows = [{"side": side, "attribute": en if english else zh} for side, en, zh in PRESETS[kind]]
    return SURVEY.table(pd.DataFrame(rows), language, cells=("side",))
