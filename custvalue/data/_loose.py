"""Columns of a log read as far as they can be: what is odd in them is found, not refused.

Every other part of the library reads by the door, which refuses what it would have to guess. Here a
log is only looked at, so that texts with currency signs, dates in other forms and dates written as
numbers are read by the likeliest reading, and which one that was is told.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custvalue._dates import ZONED
from custvalue._frames import NOTHING, missing_ids, opened
from custvalue._typing import Dates, Floats, Ints, Objects

WORDS = (nw.String, nw.Categorical, nw.Enum)
# how dates are written that are not ISO; the first that reads most of a column is taken
STYLES = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d", "%Y年%m月%d日",
    "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y",
    "%B %d, %Y", "%d-%b-%y",
)  # fmt: skip
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_SAMPLE = 2_000
# signs and codes of money -> currency
CURRENCIES = {
    "$": "USD", "US$": "USD", "USD": "USD", "€": "EUR", "EUR": "EUR", "EURO": "EUR", "£": "GBP",
    "GBP": "GBP", "¥": "CNY", "CNY": "CNY", "RMB": "CNY", "元": "CNY", "人民币": "CNY",
    "CN¥": "CNY", "JPY": "JPY", "円": "JPY", "JP¥": "JPY", "日元": "JPY", "₹": "INR", "RS": "INR",
    "INR": "INR", "₩": "KRW", "KRW": "KRW", "₽": "RUB", "RUB": "RUB", "R$": "BRL", "BRL": "BRL",
    "HK$": "HKD", "HKD": "HKD", "港元": "HKD", "港币": "HKD", "NT$": "TWD", "TWD": "TWD",
    "A$": "AUD", "AU$": "AUD", "AUD": "AUD", "C$": "CAD", "CA$": "CAD", "CAD": "CAD",
    "S$": "SGD", "SGD": "SGD", "CHF": "CHF", "SEK": "SEK", "NOK": "NOK", "DKK": "DKK",
    "KR": "SEK", "PLN": "PLN", "ZŁ": "PLN", "CZK": "CZK", "KČ": "CZK", "HUF": "HUF", "FT": "HUF",
    "TRY": "TRY", "₺": "TRY", "MXN": "MXN", "ZAR": "ZAR", "R": "ZAR", "THB": "THB", "฿": "THB",
    "IDR": "IDR", "MYR": "MYR", "RM": "MYR", "PHP": "PHP", "₱": "PHP", "VND": "VND", "₫": "VND",
    "ILS": "ILS", "₪": "ILS", "AED": "AED", "SAR": "SAR", "EGP": "EGP", "NGN": "NGN", "₦": "NGN",
    "KES": "KES", "UAH": "UAH", "₴": "UAH", "RON": "RON", "NZD": "NZD", "NZ$": "NZD", "ARS": "ARS",
    "CLP": "CLP", "COP": "COP", "PEN": "PEN", "美元": "USD", "欧元": "EUR", "英镑": "GBP",
}  # fmt: skip
_MONEY = re.compile(r"^([^\d+\-(.,]*)([+\-]?)\s*([^\d+\-(.,]*)([\d.,'\s]*\d[\d.,'\s]*)(.*)$")


class Times(NamedTuple):
    """Times of a column, and how they were read.

    ``style`` is the form of texts that are not ISO, ``looks`` what numbers seem to be (both empty
    where neither was needed), ``example`` the first text or number, ``either`` whether day and
    month could be told apart; ``clock`` whether texts have a time of day.
    """

    when: Dates
    style: str = ""
    looks: str = ""
    example: str = ""
    either: bool = False
    clock: bool = False


class Amounts(NamedTuple):
    """Amounts of a column, and the currency of each row (-1 where it has no sign).

    ``example`` is a text that is no plain number, ``value`` what it was read as, ``decimal`` the
    mark before its decimals.
    """

    money: Floats
    currency: Ints
    currencies: tuple[str, ...] = ()
    example: str = ""
    value: float = 0.0
    decimal: str = "."


def texts_of(frame: Any, name: str) -> Objects | None:
    """Cells of a column of words or objects, None for a column of another kind."""
    series = opened(frame, eager_only=True)[name]
    if any(series.dtype == kind for kind in WORDS):
        series = series.cast(nw.String) if series.dtype != nw.String else series
        return np.asarray(series.to_numpy(), dtype=object)
    return series.to_numpy().astype(object) if series.dtype == nw.Object else None


def times_of(frame: Any, name: str, style: str | None = None, zone: str | None = None) -> Times:
    """Read a column as times on the wall clock, NaT where it cannot be."""
    series = opened(frame, eager_only=True)[name]
    texts = texts_of(frame, name)
    if texts is None and series.dtype.is_temporal():
        if series.dtype == nw.Datetime and series.dtype.time_zone is not None:
            series = series.dt.convert_time_zone(zone) if zone is not None else series
            series = series.dt.replace_time_zone(None)
        raw = series.to_numpy()
        good = raw.dtype.kind in "MO" and series.dtype != nw.Duration and series.dtype != nw.Time
        when = raw.astype("datetime64[us]") if good else _never(len(raw))
        return Times(when)
    if texts is None:
        numbers = _plain_numbers(series)
        if numbers is None:
            return Times(_never(len(series)))
        return _numbers_as_times(numbers, style)
    codes, kinds = pd.factorize(texts)
    kinds = np.asarray(kinds, dtype=object)
    read = _texts_as_times(kinds, style, zone)
    return read._replace(when=np.append(read.when, np.datetime64("NaT", "us"))[codes])


def offsets_of(frame: Any, name: str) -> set[str]:
    """Offsets from UTC that texts of a column of times have, looked for in a sample of them."""
    texts = texts_of(opened(frame, eager_only=True).head(50_000).to_native(), name)
    if texts is None:
        return set()
    zoned = (one for one in pd.unique(texts) if isinstance(one, str) and re.search(ZONED, one))
    found = (re.search(r"(?:Z|[+-][0-9:]+)$", one) for one in zoned)
    return {match[0].replace(":", "").ljust(5, "0") for match in found if match is not None}


def _never(n: int) -> Dates:
    return np.full(n, "NaT", dtype="datetime64[us]")


def _texts_as_times(kinds: Objects, style: str | None, zone: str | None) -> Times:
    """Different texts (or date objects) as times."""
    plain = pd.Series([" ".join(k.split()) if isinstance(k, str) else k for k in kinds.tolist()],
                      dtype=object)  # fmt: skip
    plain = plain.mask(missing_ids(plain))
    given = plain.dropna()
    if not len(given):
        return Times(_never(len(kinds)))
    sample = given.iloc[:: max(1, len(given) // _SAMPLE)]
    example, clock = str(sample.iloc[0]), bool(sample.map(lambda k: ":" in str(k)).any())
    if style is not None:
        return Times(_parsed(plain, style, zone), example=example, clock=clock)
    known = _parsed(sample, "ISO8601", zone)
    if np.isnat(known).mean() < 0.5:
        whole = _parsed(plain, "ISO8601", zone)
        return Times(whole, example=example, clock=clock)
    numbers = pd.to_numeric(sample, errors="coerce")
    if float(numbers.notna().mean()) > 0.5:
        every = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float)
        return _numbers_as_times(every, None)
    best, reads = "", 0.0
    for form in (day + clock_form for day in STYLES for clock_form in CLOCKS):
        share = 1.0 - float(np.isnat(_parsed(sample, form, zone)).mean())
        if share > reads + 1e-12:
            best, reads = form, share
    if reads <= 0.5:
        return Times(_never(len(kinds)), example=example)
    when = _parsed(plain, best, zone)
    example = str(plain[~np.isnat(when)].iloc[0])
    other = best.replace("%d/%m", "%m/%d").replace("%d-%m", "%m-%d")
    either = other != best and bool((np.isnat(_parsed(plain, other, zone)) == np.isnat(when)).all())
    return Times(when, style=best, example=example, either=either, clock=clock)


def _parsed(texts: Any, form: str, zone: str | None) -> Dates:
    column = pd.Series(texts)
    try:
        made = pd.to_datetime(column, format=form, errors="coerce", utc=False)
    except (ValueError, TypeError):
        made = None
    if made is None or made.dtype == object:  # of several zones
        made = pd.to_datetime(column, format=form, errors="coerce", utc=True)
    if getattr(made.dt, "tz", None) is not None:
        made = (made.dt.tz_convert(zone) if zone is not None else made).dt.tz_localize(None)
    return made.to_numpy().astype("datetime64[us]")


_COUNTED = (
    ("seconds since 1970", 2e8, 5e9, "s"),
    ("milliseconds since 1970", 2e11, 5e12, "ms"),
    ("microseconds since 1970", 2e14, 5e15, "us"),
    ("nanoseconds since 1970", 2e17, 5e18, "ns"),
)
DIGITS, SHEET = "dates such as 20240131", "days of a spreadsheet"


def counts_time(numbers: Floats) -> str:
    """Say what numbers look like as times: by their middle, near which nearly all lie."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return ""
    low, mid, high = np.quantile(known, [0.05, 0.5, 0.95])
    if low >= 19_000_101 and high <= 21_001_231 and _mostly_days(known):
        return DIGITS
    for looks, least, most, _ in _COUNTED:
        if least <= low and high <= most and high < 4.0 * low:
            return looks
    if low >= 20_000 and high <= 80_000 and mid == np.rint(mid) and high - low < 20_000:
        return SHEET
    return ""


def _mostly_days(numbers: Floats) -> bool:
    whole = np.rint(numbers)
    month, day = whole // 100 % 100, whole % 100
    good = (whole == numbers) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(good.mean() > 0.95)


def _numbers_as_times(numbers: Floats, style: str | None) -> Times:
    looks = counts_time(numbers)
    good = np.isfinite(numbers)
    example = f"{numbers[good][0]:.15g}" if good.any() else ""
    if looks == DIGITS or style is not None:
        text = pd.Series(np.where(good, numbers, 0.0)).astype(np.int64).astype(str)
        when = _parsed(text.where(good), style or "%Y%m%d", None)
        return Times(when, looks="" if style else DIGITS, example=example)
    when = _never(len(numbers))
    if looks:
        unit, origin = next(((u, 0) for n, _, _, u in _COUNTED if n == looks), ("D", -25_569))
        per = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3, "D": 86_400e6}[unit]
        count = np.where(good, (numbers + origin) * per, 0.0)
        when = np.where(good, count.astype(np.int64).astype("datetime64[us]"), when)
    return Times(when, looks=looks, example=example)


def _plain_numbers(series: Any) -> Floats | None:
    if series.dtype == nw.Boolean or series.dtype.is_temporal():
        return None
    try:
        values = series.to_numpy()
        return None if values.dtype.kind == "c" else np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def amounts_of(frame: Any, name: str) -> Amounts:
    """Read a column as money, NaN where it cannot be."""
    series = opened(frame, eager_only=True)[name]
    n = len(series)
    texts = texts_of(frame, name)
    bare = np.full(n, -1, dtype=np.int64)
    if texts is None:
        numbers = _plain_numbers(series)
        return Amounts(np.full(n, np.nan) if numbers is None else numbers, bare)
    codes, kinds = pd.factorize(texts)
    kinds = np.asarray(kinds, dtype=object)
    numbers = np.array(pd.to_numeric(pd.Series(kinds, dtype=object), errors="coerce"), dtype=float)
    numbers[[isinstance(k, bool) for k in kinds.tolist()]] = np.nan
    odd = np.flatnonzero(~np.isfinite(numbers) & ~missing_ids(pd.Series(kinds, dtype=object)))
    sign = np.full(len(kinds), -1, dtype=np.int64)
    known: dict[str, int] = {}
    example, value = "", 0.0
    found = [money_text(kinds[i]) for i in odd]
    decimal = _decimal_mark([one[0] for one in found if one is not None])
    for i, one in zip(odd.tolist(), found, strict=True):
        if one is None:
            continue
        number, minus, currency = one
        try:
            numbers[i] = float(_pointed(number, decimal)) * (-1.0 if minus else 1.0)
        except ValueError:
            continue
        if currency:
            sign[i] = known.setdefault(currency, len(known))
        if not example:
            example, value = str(kinds[i]), float(numbers[i])
    money = np.append(numbers, np.nan)[codes]
    return Amounts(money, np.append(sign, -1)[codes], tuple(known), example, value, decimal)


def money_text(text: Any) -> tuple[str, bool, str] | None:
    """Digits with their marks, whether below 0, and the currency of a text."""
    if not isinstance(text, str):
        return None
    plain = unicodedata.normalize("NFKC", text).strip()
    booked = plain.startswith("(") and plain.endswith(")")  # below 0, as accountants write it
    match = _MONEY.match(plain[1:-1].strip() if booked else plain)
    if match is None:
        return None
    before, minus, between, digits, after = (part.strip() for part in match.groups())
    named = "".join((before or between or after).upper().split())
    named = named.strip(".:")
    if after and after != "-" and (before or between):
        return None  # words on both sides: no amount
    if named and named not in CURRENCIES and named != "-":
        return None
    below = booked or minus == "-" or after == "-" or before == "-"
    return digits, below, CURRENCIES.get(named, "")


def _decimal_mark(digits: list[str]) -> str:
    """Mark before the decimals in texts such as ``1.234,50`` (``,``) or ``1,234`` (``.``)."""
    for text in digits:
        if "," in text and "." in text:
            return max(",.", key=text.rfind)
    comma = [text for text in digits if "," in text]
    grouped = all(re.fullmatch(r"\d{1,3}(,\d{3})+", text) for text in comma)
    return "," if comma and not grouped else "."


def _pointed(digits: str, decimal: str) -> str:
    other = "." if decimal == "," else ","
    bare = re.sub(r"[\s']", "", digits).replace(other, "")
    return bare.replace(decimal, ".")


def currency_of(text: Any) -> str:
    """Code of the currency that a sign, code or name stands for, "" where it is none known.

    Examples
    --------
    >>> from custvalue.data._loose import currency_of
    >>> currency_of("€"), currency_of("usd "), currency_of("pieces")
    ('EUR', 'USD', '')
    """
    return CURRENCIES.get(unicodedata.normalize("NFKC", str(text)).upper().strip(), "")


def currency_codes(frame: Any, name: str) -> tuple[Ints, tuple[str, ...]] | None:
    """Currency of each row where a column holds nothing but currencies, else None."""
    sample = texts_of(opened(frame, eager_only=True).head(_SAMPLE).to_native(), name)
    if sample is None or len(pd.unique(sample)) > 40:
        return None
    texts = texts_of(frame, name)
    assert texts is not None  # as in the sample
    codes, kinds = pd.factorize(texts)
    if not 0 < len(kinds) <= 60:
        return None
    named = [currency_of(k) for k in kinds]
    missing = [str(k).strip() in NOTHING for k in kinds]
    if not any(named) or not all(n or m for n, m in zip(named, missing, strict=True)):
        return None
    known = {one: i for i, one in enumerate(dict.fromkeys(n for n in named if n))}
    place = np.array([known.get(n, -1) for n in named] + [-1], dtype=np.int64)
    return place[codes], tuple(known)
