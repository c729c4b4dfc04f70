"""How the report writes numbers, and its sentences in English and Chinese."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from custvalue._words import HOUSE, REPORT, Language, check_language

DEAR = 1.0  # an order that brings as much: less than half a hundredth is nothing beside it


@dataclass(frozen=True)
class Words:
    """Texts and numbers in one language.

    Parameters
    ----------
    language : {"en", "zh"}
    currency : str
        Put before money; a word such as USD gets a space.
    usual : float, default=0.0
        What an order usually brings; 0 where that is not known.
    """

    language: Language
    currency: str = ""
    usual: float = 0.0

    def __post_init__(self) -> None:
        check_language(self.language)

    def __call__(self, text: str, *items: Any, **values: Any) -> str:
        """Say a sentence of the report; every sentence has a translation (a test)."""
        return REPORT(text, self.language, *items, **values)

    def name(self, word: str) -> str:
        """Name of a segment, stage or grade; the user's own names stay as they are."""
        return str(HOUSE.name(word, self.language))

    def advice(self, text: str) -> str:
        """Say what to do: the library's own texts in this language, the reader's as they are."""
        return self(text) if text in REPORT.zh else self.name(text)

    def cell(self, value: Any, kind: str) -> str:
        """Write one value: ``int``, ``money``, ``share``, ``number``, ``fine``, ``days``, text."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "–"
        if isinstance(value, float) and math.isinf(value):
            return "∞" if value > 0 else "−∞"
        if kind == "int":
            return _minus(f"{value:,.0f}")
        if kind == "money":
            return self.money(value)
        if kind == "share":
            digits = 1 if 0 < abs(value) < 0.0995 else 0
            return _minus(f"{100 * value:.{digits}f}{' %' if self.language == 'en' else '%'}")
        if kind in ("number", "fine"):
            return _minus(f"{value:,.{2 if kind == 'number' else 3}f}")
        if kind == "days":
            return self("{n:,.0f} days", n=value)
        return str(value)

    def money(self, value: float, digits: int | None = None) -> str:
        """Money with its currency; cents only where they matter, or so many digits."""
        size = abs(value)
        if digits is not None:
            return self._priced(value, f"{size:,.{digits}f}")
        text = f"{size:,.0f}" if size >= 100 else f"{size:,.2f}"
        # coins of a currency in which all is cheap; less is nothing, and so is it beside large sums
        if 1e-15 < size < 0.005 and self.usual < DEAR:
            text = f"{size:.2g}"
        return self._priced(value, text)

    def _priced(self, value: float, digits: str) -> str:
        gap = " " if self.currency.isalpha() and self.currency.isascii() else ""
        return ("−" if value < 0 else "") + self.currency + gap + digits


def _minus(text: str) -> str:
    """Write the sign of a number, but not that of what rounds to nothing."""
    return text.replace("-", "−" if any(digit in text for digit in "123456789") else "")
