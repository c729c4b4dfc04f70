"""Amounts that are no money, or not all of one scale; outliers and refunds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from custvalue._frames import opened
from custvalue._typing import Floats, Mask
from custvalue.data._examination import Finding
from custvalue.data._loose import amounts_of, counts_time
from custvalue.data._money import net
from custvalue.data._proposal import (
    AMOUNT,
    CUSTOMER,
    PRICE,
    QUANTITY,
    Proposal,
    bare_name,
    named_as,
)
from custvalue.data._rows import LooseRows
from custvalue.exceptions import first_ids

_ENOUGH = 20  # rows tell what a column holds
_FAR = 6.0  # robust standard deviations of the logarithm
_CENTS = (70.0, 140.0)
_ID_NAMES = ("invoiceno", "invoice", "invoiceid", "orderid", "orderno", "ordernumber",
             "transactionid", "订单号", "订单编号", "单号", "流水号")  # fmt: skip


def amount_findings(frame: Any, rows: LooseRows, chosen: Proposal) -> list[Finding]:
    """Everything that the amounts themselves show."""
    if not len(rows.at):
        return []
    wrong = _no_money(frame, rows, chosen)
    found = [wrong] if wrong is not None else [*_scales(rows), *_outliers(rows)]
    return [*found, *_refunds(rows)]


def _no_money(frame: Any, rows: LooseRows, chosen: Proposal) -> Finding | None:
    """Say what the column holds instead of money, None where it may well be money."""
    money, name = rows.m, chosen.amount
    every = rows.whole(np.ones(len(money), dtype=bool))
    if looks := _as_time(money, len(rows.ids)):
        median = float(np.median(money))
        return rows.found("amount-is-time", every, first=_cells(money), column=name, looks=looks,
                          median=median)  # fmt: skip
    if why := _as_ids(rows, chosen):
        return rows.found("amount-is-id", every, first=_cells(money), column=name, why=why)
    if len(money) >= _ENOUGH and float(money.min()) == float(money.max()):
        return rows.found("amount-is-constant", every, value=float(money[0]))
    return _as_pieces(frame, rows, chosen, every)


def _cells(money: Floats) -> tuple[str, ...]:
    return first_ids(f"{value:.15g}" for value in money[:5])


def _as_time(money: Floats, customers: int) -> str:
    # money may be 20,000 to 80,000, too; seconds and longer counts are far from any
    looks = counts_time(money)
    return "" if looks == "days of a spreadsheet" and not _days_alike(money) else looks


def _days_alike(money: Floats) -> bool:
    """Whether whole numbers of a spreadsheet's days lie within thirty years, all of them."""
    return bool(len(money) >= _ENOUGH and (money == np.rint(money)).all() and np.ptp(money) < 11_000
                and 35_000 < float(np.median(money)) < 60_000)  # fmt: skip


def _as_ids(rows: LooseRows, chosen: Proposal) -> str:
    """Why amounts look like ids; empty where they do not."""
    money, name = rows.m, bare_name(chosen.amount)
    if chosen.amount == chosen.customer:
        return "they are the ids of the customers"
    if len(money) < _ENOUGH or (money != np.rint(money)).any():
        return ""
    ids = np.asarray(pd.to_numeric(pd.Series(rows.ids), errors="coerce"), dtype=np.float64)
    if (money == ids[rows.c]).all():
        return "they are the ids of the customers"
    if name in CUSTOMER or name in _ID_NAMES:
        return "its name says so"
    kinds, _of = np.unique(money, return_inverse=True)
    many = len(kinds) / len(money)
    narrow = money.min() > 0 and money.max() < 20.0 * money.min() and money.min() >= 100
    order = np.lexsort((money, rows.when[rows.at]))
    steps = np.diff(money[order])
    if len(kinds) >= _ENOUGH and (steps >= 0).mean() > 0.98 and many > 0.3:
        return "they rise with time"
    if many > 0.98 and narrow and np.ptp(money) < 3 * len(money):
        return "nearly every row has another one"
    # every customer one number of their own, and most come back
    if len(rows.ids) >= _ENOUGH and len(money) > 1.5 * len(rows.ids):
        low = np.full(len(rows.ids), np.inf)
        high = np.full(len(rows.ids), -np.inf)
        np.minimum.at(low, rows.c, money)
        np.maximum.at(high, rows.c, money)
        here = rows.counts > 0
        if (low[here] == high[here]).all() and len(kinds) > 0.95 * here.sum():
            return "each customer has one of their own"
    return ""


def _as_pieces(frame: Any, rows: LooseRows, chosen: Proposal, every: Mask) -> Finding | None:
    """Numbers of pieces, or prices of one piece beside a number of pieces."""
    names = [str(name) for name in opened(frame, eager_only=True).columns]
    if chosen.amount not in names:
        return None  # a product
    money, name = rows.m, bare_name(chosen.amount)
    others = [one for one in names if one not in chosen]
    if name in PRICE or "unitprice" in name or "单价" in name:
        for quantity in named_as(others, QUANTITY):
            pieces = np.abs(amounts_of(frame, quantity).money[rows.at])
            with np.errstate(all="ignore"):
                worth = np.abs(money) * pieces
            good = np.isfinite(worth)
            several = float(worth[good & (pieces > 1)].sum())
            if several > 0.5 * float(worth[good].sum()) > 0:
                return rows.found("amount-is-price", every, column=chosen.amount, quantity=quantity)
    if len(money) < _ENOUGH or (money != np.rint(money)).any():
        return None
    most = float(np.quantile(np.abs(money), 0.9))
    better = [one for one in (*named_as(others, AMOUNT), *named_as(others, PRICE))
              if (amounts_of(frame, one).money % 1.0 > 0).mean() > 0.05]  # fmt: skip
    called = name in QUANTITY or "quantity" in name or "qty" in name or "数量" in name
    if called or (most <= 50 and len(np.unique(money)) <= 100 and better):
        instead: Any = ("; column {name!r} looks like money", better[0]) if better else ""
        return rows.found("amount-is-quantity", every, first=_cells(money), column=chosen.amount,
                          most=most, instead=instead)  # fmt: skip
    return None


def _scales(rows: LooseRows) -> list[Finding]:
    """Cents among whole units."""
    money = rows.m
    above = money > 0
    if above.sum() < 2 * _ENOUGH:
        return []
    large = _whole_among_broken(money, above)
    if large is None:
        large = _two_humps(money, above)
    if large is None:
        return []
    high, low = (float(np.median(money[part])) for part in (large, above & ~large))
    return [rows.found("cents-and-units", rows.whole(large), high=high, low=low, ratio=high / low)]


def _whole_among_broken(money: Floats, above: Mask) -> Mask | None:
    """Whole numbers a hundred times as large as those that have cents."""
    near = np.abs(money - np.rint(money)) <= 1e-9 * np.abs(money)  # 100 x 23.45 is not quite whole
    broken, whole = above & ~near, above & near
    if broken.sum() < _ENOUGH or whole.sum() < _ENOUGH:
        return None
    usual = float(np.median(money[broken]))
    zone = above & (money > 10.0 * usual)
    large = whole & zone
    # decimals end in .00 now and then, and so would large ones
    if large.sum() < max(_ENOUGH, 0.001 * len(money)) or large.sum() < 0.7 * zone.sum():
        return None
    if (whole & ~zone).sum() > 0.3 * (above & ~zone).sum():
        return None
    if (np.rint(money[large]) % 10 == 0).mean() > 0.4:
        return None  # prices of dear things are round, cents are not
    ratio = float(np.median(money[large])) / usual
    return large if 0.5 * _CENTS[0] < ratio < 2.0 * _CENTS[1] else None


def _two_humps(money: Floats, above: Mask) -> Mask | None:
    """Two humps of the logarithm, about two decades apart, with hardly anything between."""
    digits = np.log10(money[above])
    low, high = np.quantile(digits, [0.001, 0.999])
    if high - low < 1.5:
        return None
    edges = np.arange(np.floor(low * 5.0) / 5.0, high + 0.4, 0.2)
    count = np.histogram(digits, edges)[0].astype(float)
    count = np.convolve(count, [0.25, 0.5, 0.25], mode="same")
    below, over = np.cumsum(count), np.cumsum(count[::-1])[::-1]
    for i in np.argsort(count[1:-1], kind="stable") + 1:
        left, right = int(np.argmax(count[:i])), i + int(np.argmax(count[i:]))
        floor = min(count[left], count[right])
        if below[i] < 0.01 * len(digits) or over[i] < 0.01 * len(digits):
            continue
        if count[i] > 0.25 * floor:
            return None  # the emptiest place between is not empty enough
        cut = 10.0 ** float((edges[i] + edges[i + 1]) / 2.0)
        large = above & (money > cut)
        ratio = float(np.median(money[large]) / np.median(money[above & ~large]))
        if _CENTS[0] < ratio < _CENTS[1]:
            return large
    return None


def _outliers(rows: LooseRows) -> list[Finding]:
    """Orders far above all others, by the logarithm's own spread."""
    _, _, worth, of = rows.orders
    above = worth > 0
    if above.sum() < 2 * _ENOUGH:
        return []
    logs = np.log(worth[above])
    low, mid, high = np.quantile(logs, [0.25, 0.5, 0.75])
    spread = max(float(high - low) / 1.349, float(high - mid) / 0.6745, 0.35)
    limit = float(np.exp(mid + _FAR * spread))
    # an order as large as its largest row: one that was cancelled on its day is none of the usual
    most = worth.copy()
    np.maximum.at(most, of, rows.m)
    far = most > limit
    if not far.any():
        return []
    largest = np.argsort(-most, kind="stable")[: min(5, int(far.sum()))]
    who = rows.orders[0][largest]
    first = first_ids(f"{rows.ids[c]}: {most[i]:,.2f}" for c, i in zip(who, largest, strict=True))
    mask = rows.whole(far[of])
    return [rows.found("outlier-orders", mask, first=first, n=int(far.sum()), limit=limit,
                       median=float(np.exp(mid)))]  # fmt: skip


def _refunds(rows: LooseRows) -> list[Finding]:
    below = rows.m < 0
    found = [rows.found("zero-amounts", rows.whole(rows.m == 0))]
    if not below.any():
        return found
    gross = net(rows.m[rows.m > 0])
    share = -net(rows.m[below]) / gross if gross else 1.0
    found.append(rows.found("refunds", rows.whole(below), share=share))
    never = np.iinfo(np.int64).max
    began = np.full(len(rows.ids), never)
    when = rows.when[rows.at].astype("datetime64[us]").astype(np.int64)
    np.minimum.at(began, rows.c[rows.m > 0], when[rows.m > 0])
    lone = below & (when < began[rows.c])
    found.append(rows.found("refunds-without-purchase", rows.whole(lone)))
    return found
