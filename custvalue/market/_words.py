"""The room's English words and their Chinese; words of other rooms come from theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from custvalue._labels import check_language, translate_if_known

ZH: dict[str, str] = {
    # -- target markets --
    "market": "市场",
    "attractiveness": "吸引力",
    "resource_fit": "资源匹配度",
    "priority": "优先级得分",
    "rank": "名次",
    "cell": "单元格",
    "advice": "建议",
    "invest": "重点开发",
    "select": "选择发展",
    "harvest": "收获或放弃",
    "expected_rank": "期望名次",
    "side": "方面",
    "criterion": "准则",
    "weight": "权重",
    "low": "下限",
    "high": "上限",
    "better": "方向",
    "more": "越大越好",
    "less": "越小越好",
    "switches_at": "转折权重",
    "new_first": "届时首位",
    "first_now": "当前首位",
    "attractiveness_weight": "吸引力权重",
}


def say(word: str, language: str) -> str:
    """One word of this room or of the house; a word of the user's own stays as it is."""
    if check_language(language) == "en":
        return word
    return ZH.get(word) or translate_if_known(word, language)


def named(columns: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Columns under their names in the language asked for."""
    return {say(name, language): column for name, column in columns.items()}


def nearest(word: object, known: Iterable[object]) -> str:
    """Give a hint: the known name most like ``word``, or nothing."""
    close = get_close_matches(str(word), [str(name) for name in known], n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
