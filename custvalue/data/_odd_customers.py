"""Customers who are none: tests, collective accounts, one customer under several ids."""

from __future__ import annotations

import heapq
import re
import unicodedata

import numpy as np
import pandas as pd

from custvalue._typing import Floats, Ints, Mask, Objects
from custvalue.data._examination import Finding
from custvalue.data._money import net
from custvalue.data._rows import LooseRows
from custvalue.exceptions import first_ids

# words that no customer's id has
_NOBODY = frozenset(
    {
        "test", "tests", "testing", "tester", "testuser", "testcustomer", "demo",
        "dummy", "fake", "sample", "example", "tmp", "temp", "unknown",
        "unk", "anonymous", "anon", "walkin", "nobody", "noname",
        "placeholder", "notset",
        "undefined", "xxx", "asdf", "qwerty",
    }
)  # fmt: skip
# words that may be part of a name, and alone are an account of the house
_HOUSE = frozenset(
    {
        "null", "nil", "nan", "none", "na", "guest",
        "cash", "counter", "retail", "misc", "miscellaneous", "internal", "staff",
        "admin", "default", "other", "others", "house", "customer", "client",
        "user", "pos", "till", "shop", "store", "various", "walk",
        "general",
    }
)  # fmt: skip
_FILLERS = frozenset(
    {
        "customer", "client", "user", "account", "acct", "sale", "sales",
        "id", "no", "in", "customers",
    }
)  # fmt: skip
_CHINESE = re.compile(
    "测试|试用|演示|未知|匿名|散客|散户|现金|零售客|游客|路人|无名|内部|虚拟|默认"
)
_TOKENS, _DIGIT = re.compile(r"[a-z]+"), re.compile(r"\d")
_ANY = re.compile("|".join([*sorted(_NOBODY | _HOUSE), _CHINESE.pattern]))
_MANY = 10.0  # times the usual customer: too much for a number such as 0 or 9999
_LEAST = 50  # customers, or one of them rightly holds much


def customer_findings(rows: LooseRows) -> list[Finding]:
    """Everything that the ids show, and what single customers hold."""
    if not len(rows.at):
        return []
    of_names: list[Finding] = []
    if rows.ids.dtype.kind in "iu":
        of_names += _nobodies(rows, _odd_numbers(rows))
    else:
        folded = _folded(rows.ids)
        of_names += _spellings(rows, _plain(folded))
        of_names += _nobodies(rows, _names_nobody(folded) | _odd_numbers(rows))
    found = [*of_names, *_holders(rows), *_everyday(rows)]
    n = int((rows.counts > 0).sum())
    if n < _LEAST:
        few = rows.whole(np.ones(len(rows.at), dtype=bool))
        found.append(rows.found("few-customers", few))
    return found


def plain_ids(ids: Objects) -> list[str]:
    """Spell ids in one way: narrow letters, no case, no blanks, leading zeros or ``.0``.

    Parameters
    ----------
    ids : ndarray of shape (n_customers,)
        As text.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._odd_customers import plain_ids
    >>> plain_ids(np.array([" 007", "7.0", "Ab 1", "ＡＢ１", "0"], dtype=object))
    ['7', '7', 'ab1', 'ab1', '0']
    """
    return _plain(_folded(ids))


_BLANK, _ZERO = re.compile(r"[^\S\n]"), re.compile(r"(?:^|\n)0")


def _plain(whole: str) -> list[str]:
    """Ids from their folded lines, each mended only where some line needs it."""
    plain = whole.split("\n")
    if _BLANK.search(whole):
        plain = ["".join(text.split()) for text in plain]
    if ".0" in whole:
        plain = [
            text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text for text in plain
        ]
    if _ZERO.search("\n".join(plain)):
        plain = [text.lstrip("0") or "0" for text in plain]
    return plain


def _folded(ids: Objects) -> str:
    """Texts in narrow letters without case, a line each, made in one go: there may be a million."""
    texts = ids.tolist()
    whole = "\n".join(texts)
    if whole.count("\n") >= len(texts) > 0:  # some id has a line of its own
        whole = "\n".join(text.replace("\n", " ") for text in texts)
    if not whole.isascii():
        whole = unicodedata.normalize("NFKC", whole)
    return whole.casefold()


def _spellings(rows: LooseRows, plain: list[str]) -> list[Finding]:
    if len(set(plain)) == len(plain):
        return []
    codes, kinds = pd.factorize(np.array(plain, dtype=object))
    here = rows.of_customers(np.ones(len(rows.ids), dtype=bool))
    size = np.bincount(codes, minlength=len(kinds))
    several = size[codes] > 1
    pairs = heapq.nsmallest(5, [(plain[i], str(rows.ids[i])) for i in np.flatnonzero(several)])
    first = first_ids(spelt for _, spelt in pairs)
    example = " = ".join(repr(spelt) for name, spelt in pairs[:3] if name == pairs[0][0])
    mask = rows.of_customers(several) & here
    fewer = int((size[size > 1] - 1).sum())
    return [rows.found("ids-by-spelling", mask, first=first, fewer=fewer, example=example)]


def _nobodies(rows: LooseRows, mask: Mask) -> list[Finding]:
    if not mask.any():
        return []
    money = net(rows.each[mask])
    share = money / rows.total if rows.total > 0 else 0.0
    largest = np.argsort(-np.where(mask, rows.each, -np.inf), kind="stable")[: mask.sum()]
    first = first_ids(rows.ids[largest])
    return [rows.found("test-customers", rows.of_customers(mask), first=first, share=share)]


def names_nobody(ids: Objects) -> Mask:
    """Which ids are words for tests, collective accounts or no name.

    Parameters
    ----------
    ids : ndarray of shape (n_customers,)
        As text.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.data._odd_customers import names_nobody
    >>> names_nobody(np.array(["Test-1", "cash sale", "Johnny Cash", "散客", "17"])).tolist()
    [True, True, False, True, False]
    """
    return _names_nobody(_folded(ids)) if len(ids) else np.zeros(0, dtype=bool)


def _names_nobody(whole: str) -> Mask:
    """Which of the folded lines are such words."""
    # one search through all of them finds the few that are worth a look
    hits = [match.start() for match in _ANY.finditer(whole)]
    plain = whole.split("\n")
    out = np.zeros(len(plain), dtype=bool)
    if not hits:
        return out
    ends = np.cumsum([len(text) + 1 for text in plain])
    for i in np.unique(np.searchsorted(ends, hits, side="right")).tolist():
        words = _TOKENS.findall(plain[i])
        of_house = {word for word in words if word not in _FILLERS}
        out[i] = (
            not _NOBODY.isdisjoint(words)
            or (of_house and of_house <= _HOUSE and not _DIGIT.search(plain[i]))
            or _CHINESE.search(plain[i]) is not None
        )
    return out


def _odd_numbers(rows: LooseRows) -> Mask:
    """Numbers such as 0, -1, 9999 that hold far more than a customer, or stand far from others."""
    number = rows.ids.astype(np.float64) if rows.ids.dtype.kind in "iu" else _as_numbers(rows.ids)
    with np.errstate(invalid="ignore", divide="ignore"):
        digits = np.floor(np.log10(np.maximum(number, 1.0))) + 1.0
        nines = (number >= 999) & (number == 10.0**digits - 1.0)
        counted = (digits >= 4) & (np.floor(number / 10.0 ** (digits - 4.0)) == 1234)
        none, below = number == 0, number < 0
    odd = nines | counted | none | below
    if not odd.any() or odd.all():
        return np.zeros(len(rows.ids), dtype=bool)
    usual = max(float(np.median(rows.counts[~odd])), 1.0)
    worth = max(float(np.median(rows.each[~odd])), 1e-12)
    much = (rows.counts > _MANY * usual) | (rows.each > _MANY * worth)
    others = number[~odd & np.isfinite(number)]
    alone = none & (not len(others) or float(others.min()) > 1)
    return np.asarray(odd & (much | below | alone))


def _as_numbers(ids: Objects) -> Floats:
    return np.asarray(pd.to_numeric(pd.Series(ids, dtype=object), errors="coerce"), np.float64)


def _holders(rows: LooseRows) -> list[Finding]:
    n = int((rows.counts > 0).sum())
    if rows.total <= 0 or n < _ENOUGH_CUSTOMERS:
        return []
    limit = max(0.05, min(0.1, 50.0 / n), 5.0 / n)
    best = int(np.argmax(rows.each))
    share = float(rows.each[best]) / rows.total
    if share < limit:
        return []
    mask = np.zeros(len(rows.ids), dtype=bool)
    mask[best] = True
    who = str(rows.ids[best])
    largest = np.argsort(-rows.each, kind="stable")[:5]
    first = first_ids(rows.ids[i] for i in largest if rows.each[i] >= limit * rows.total)
    return [rows.found("customer-holds-money", rows.of_customers(mask), first=first, who=who,
                       share=share)]  # fmt: skip


_ENOUGH_CUSTOMERS = 6


def _everyday(rows: LooseRows) -> list[Finding]:
    """Who has an order on nearly every day that has any."""
    who, days, _, _ = rows.orders
    active = int(np.count_nonzero(np.bincount(days - days.min())))
    each: Ints = np.bincount(who, minlength=len(rows.ids))
    best = int(np.argmax(each))
    usual = np.median(each[each > 0])
    if active < 60 or each[best] < 0.8 * active or each[best] < 20.0 * usual:
        return []
    mask = np.zeros(len(rows.ids), dtype=bool)
    mask[best] = True
    return [rows.found("everyday-customer", rows.of_customers(mask), who=str(rows.ids[best]),
                       share=float(each[best]) / active)]  # fmt: skip
