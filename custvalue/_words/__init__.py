"""What people read, in English and Chinese: one machine, a catalogue a room.

Inside the library there are codes and one English vocabulary; a table, sentence, picture or page
for people is said in its reader's language by the catalogue of its room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from custvalue._words import (
    _audit,
    _campaign,
    _effects,
    _examine,
    _explain,
    _funnel,
    _house,
    _indicators,
    _market,
    _monthly,
    _report,
    _survey,
)
from custvalue._words._agreement import agree, disagreements, say
from custvalue._words._notes import note_in_chinese

Language: TypeAlias = Literal["en", "zh"]


def check_language(language: str) -> Language:
    """Return ``language`` if it is one that the library speaks.

    Raises
    ------
    ValueError
        If it is neither ``"en"`` nor ``"zh"``.
    """
    if language not in ("en", "zh"):
        raise ValueError(f"language={language!r} must be 'en' or 'zh'.")
    return "en" if language == "en" else "zh"


@dataclass(frozen=True)
class Catalogue:
    """A room's English words and sentences, and their Chinese.

    Parameters
    ----------
    zh : mapping of str to str
        Chinese of every English text.
    rest : Catalogue, optional
        Where a text is looked up that this one has not.
    """

    zh: Mapping[str, str]
    rest: Catalogue | None = None

    def __call__(self, text: str, language: str = "en", /, *items: Any, **values: Any) -> str:
        """One of the library's own texts, with its places filled; English agrees with numbers.

        Raises
        ------
        KeyError
            If it has no Chinese: everything that is shown must have one.

        Examples
        --------
        >>> from custvalue._words import HOUSE
        >>> HOUSE("core", "zh"), HOUSE("{n} customers", "zh", n=3)
        ('核心客户', '3 位客户')
        """
        if check_language(language) == "en":
            return say(text, *items, **values) if items or values else text
        said = self._found(text)
        if said is None:
            raise KeyError(text)
        return said.format(*items, **values) if items or values else said

    def name(self, word: Any, language: str = "en") -> Any:
        """One word that may be the user's own: such a word, and what is no text, stays as it is.

        Examples
        --------
        >>> from custvalue._words import HOUSE
        >>> HOUSE.name("core", "zh"), HOUSE.name("region", "zh")
        ('核心客户', 'region')
        """
        if check_language(language) == "en" or not isinstance(word, str):
            return word
        said = self._found(word)
        return word if said is None else said

    def table(self, table: Any, language: str = "en", *, cells: Any = (), keep: Any = ()) -> Any:
        """Say a table: its headings, and the cells of some columns.

        Parameters
        ----------
        table : dict of columns, or pandas.DataFrame
        language : {"en", "zh"}
        cells : sequence of str
            Columns whose cells are words of the library.
        keep : sequence of str
            Columns with names of the user's own, whatever they are.
        """
        if check_language(language) == "en":
            return table
        cells = [name for name in cells if name in table]
        said = {name: [self.name(cell, language) for cell in table[name]] for name in cells}
        headings = {name: name if name in keep else self.name(name, language) for name in table}
        if isinstance(table, Mapping):
            return {headings[name]: said.get(name, column) for name, column in table.items()}
        return table.assign(**said).rename(columns=headings)

    def _found(self, text: str) -> str | None:
        if text in self.zh or self.rest is None:
            return self.zh.get(text)
        return self.rest._found(text)


HOUSE = Catalogue(_house.ZH)
AUDIT = Catalogue(_audit.ZH, HOUSE)
CAMPAIGN = Catalogue(_campaign.ZH, HOUSE)
EFFECTS = Catalogue(_effects.ZH, HOUSE)
EXAMINE = Catalogue(_examine.ZH, HOUSE)
EXPLAIN = Catalogue(_explain.ZH, HOUSE)
MONTHLY = Catalogue(_monthly.ZH, HOUSE)
FINDINGS = _examine.FINDINGS
FUNNEL = Catalogue(_funnel.ZH, HOUSE)
INDICATORS = Catalogue(_indicators.ZH, HOUSE)
MARKET = Catalogue(_market.ZH, HOUSE)
SURVEY = Catalogue(_survey.ZH, HOUSE)
REPORT = Catalogue(_report.ZH)

__all__ = [
    "AUDIT",
    "CAMPAIGN",
    "EFFECTS",
    "FUNNEL",
    "HOUSE",
    "INDICATORS",
    "MARKET",
    "REPORT",
    "SURVEY",
    "Catalogue",
    "Language",
    "agree",
    "check_language",
    "disagreements",
    "note_in_chinese",
    "say",
]
