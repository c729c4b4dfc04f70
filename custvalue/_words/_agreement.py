"""English that agrees with its numbers: one customer is, two customers are; 432 days, not 432 D.

A catalogue's English is written for many. Where the number that is put in is one, the word that
counts it, and the verb behind it, are those of one. Only the catalogue's own words change, never
what is put in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter
from typing import Any

# what is counted anywhere; a test looks for counted words that are missing here
ONE = {
    "campaigns": "campaign",
    "cells": "cell",
    "columns": "column",
    "comparisons": "comparison",
    "controls": "control",
    "covariates": "covariate",
    "customers": "customer",
    "dates": "date",
    "days": "day",
    "deals": "deal",
    "differences": "difference",
    "discoveries": "discovery",
    "draws": "draw",
    "gaps": "gap",
    "groups": "group",
    "hours": "hour",
    "lines": "line",
    "months": "month",
    "offers": "offer",
    "orders": "order",
    "periods": "period",
    "repeats": "repeat",
    "respondents": "respondent",
    "rows": "row",
    "segments": "segment",
    "shipments": "shipment",
    "spellings": "spelling",
    "times": "time",
    "units": "unit",
    "values": "value",
    "weeks": "week",
    "wins": "win",
    "years": "year",
}
# verbs that stand behind a counted word
_VERB = {"are": "is", "have": "has", "were": "was", "make": "makes", "lack": "lacks", "pay": "pays"}
_BETWEEN = r"(?:(?:clearest|control|different|earlier|false|more|open|other|past|treated|whole) )"
_WORD = "|".join(sorted(ONE, key=len, reverse=True))
_VERBS = "|".join(_VERB)
_COUNTED = re.compile(rf"^(\s{_BETWEEN}{{0,2}})({_WORD})\b(?:( used| in)? ({_VERBS})\b)?")
_VERB_BEHIND = re.compile(rf"^(\)? )({_VERBS})\b")
_DONE = re.compile(rf"(?<![\w.,/:-])1 ({_BETWEEN}{{0,2}})({_WORD})\b(?: ({_VERBS})\b)?")


def say(template: str, *items: Any, **values: Any) -> str:
    """Fill an English template so that its words agree with the numbers put in.

    Parameters
    ----------
    template : str
        As for ``str.format``.
    *items, **values
        What is put in: numbers, or numbers written already.

    Returns
    -------
    str

    Examples
    --------
    >>> from custvalue._words._agreement import say
    >>> say("{n} customers ({share}) are quiet for {d:,.0f} days", n="1", share="5 %", d=1.0)
    '1 customer (5 %) is quiet for 1 day'
    >>> say("{n} customers of {name}", n=21, name="1 days")
    '21 customers of 1 days'
    """
    whole = template.format(*items, **values)
    if "1" not in whole:
        return whole
    said: list[str] = []
    last, bracket, at = "", False, 0  # what was put in last; a verb may come behind a bracket
    for literal, field, spec, conversion in _parts(template):
        text = literal
        if last == "1" and (found := _COUNTED.match(text)):
            text = _of_one(found) + text[found.end() :]
            bracket = found[4] is None and text.endswith("(")
        else:
            if bracket and (found := _VERB_BEHIND.match(text)):
                text = found[1] + _VERB[found[2]] + text[found.end() :]
            bracket = False
        said.append(text)
        last = ""
        if field is not None:
            name, at = (str(at), at + 1) if field == "" else (field, at)
            value = Formatter().get_field(name, items, values)[0]
            value = Formatter().convert_field(value, conversion) if conversion else value
            last = format(value, spec or "")
            said.append(last)
    return "".join(said)


def agree(text: str) -> str:
    """Make the counted words of a finished English sentence agree, such as a warning's.

    Examples
    --------
    >>> from custvalue._words._agreement import agree
    >>> agree("rows left out: 1 rows; 1 earlier dates, 21 days")
    'rows left out: 1 row; 1 earlier date, 21 days'
    """
    return _DONE.sub(lambda m: f"1 {m[1]}{ONE[m[2]]}" + (f" {_VERB[m[3]]}" if m[3] else ""), text)


def disagreements(text: str) -> list[str]:
    """Find counted words for many behind the number one.

    Examples
    --------
    >>> from custvalue._words._agreement import disagreements
    >>> disagreements("1 customers in 1 week, 11 days, 432 D")
    ['1 customers', '432 D']
    """
    found = [f"1 {m[1]}{m[2]}" for m in _DONE.finditer(text)]
    return found + re.findall(r"(?<![\w.,-])[\d,.]*\d [DWMYH]\b(?!\w)", text)


def _of_one(found: re.Match[str]) -> str:
    between, word, link, verb = found.groups()
    text = between + ONE[word]
    return text if verb is None else f"{text}{link or ''} {_VERB[verb]}"


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(Formatter().parse(template))
