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
    # -- silence --
    # -- RFM segments --
    # -- grades, matrices, contribution --
    # -- columns --
    # -- report and pictures --
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
