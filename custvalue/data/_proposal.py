"""Which columns of a table are customer, time and amount: by their names and by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custvalue._frames import missing_ids, opened
from custvalue.data._loose import amounts_of, counts_time, money_text, texts_of, times_of
from custvalue.exceptions import ContractProblem, DataContractError

_LOOKED_AT = 5_000  # rows tell a column's kind

# names of columns, best first, as they are without blanks, marks and case
CUSTOMER = (
    "customerid", "custid", "clientid", "memberid", "userid", "buyerid", "customerno",
    "customernumber", "customercode", "accountid", "customerkey", "householdkey", "householdid",
    "donorid", "contactid", "customer", "cust", "client", "member", "user", "buyer", "account",
    "donor", "household", "uid", "visitorid", "cardid", "cardno", "cid", "email", "phone",
    "customername", "kundennummer", "kunde", "客户编号", "客户id", "客户号", "客户代码", "顾客编号",
    "顾客id", "会员编号", "会员id", "会员号", "会员卡号", "用户编号", "用户id", "买家id", "买家",
    "客户", "顾客", "会员", "用户", "卡号", "客户名称", "手机号", "who", "id",
)  # fmt: skip
TIME = (
    "orderdate", "invoicedate", "transactiondate", "transdate", "purchasedate", "orderedat",
    "orderdatetime", "ordertime", "paymenttime", "paidat", "createdat", "date", "datetime",
    "timestamp", "time", "day", "closedate", "purchasetime", "transactiontime", "when", "month",
    "event_time", "eventtime", "shipdate", "deliverydate", "datum", "订单日期", "下单时间",
    "下单日期", "交易时间", "交易日期", "支付时间", "付款时间", "购买时间", "购买日期", "消费时间",
    "消费日期", "订单时间", "日期", "时间", "创建时间",
)  # fmt: skip
AMOUNT = (
    "amount", "orderamount", "totalamount", "tranamount", "transactionamount", "netamount",
    "amountpaid", "paidamount", "paid", "payment", "paymentamount", "orderTotal", "ordertotal",
    "ordervalue", "total", "totalprice", "totalvalue", "linetotal", "sales", "salesamount",
    "revenue", "turnover", "spend", "spent", "grandtotal", "subtotal", "netsales", "grosssales",
    "money", "closevalue", "value", "price", "cost", "sum", "betrag", "umsatz", "实付金额",
    "订单金额", "支付金额", "交易金额", "消费金额", "销售金额", "付款金额", "总金额", "金额",
    "销售额",
    "实付", "应付金额", "总价", "消费额", "成交金额", "营业额", "价格",
)  # fmt: skip
QUANTITY = (
    "quantity", "qty", "units", "unitssold", "pieces", "count", "items", "numitems",
    "numberofitems", "itemcount", "menge", "数量", "件数", "购买数量", "商品数量",
)  # fmt: skip
PRICE = (
    "unitprice", "priceperunit", "itemprice", "priceeach", "price", "listprice", "sellingprice",
    "stückpreis", "单价", "商品单价", "价格", "售价",
)  # fmt: skip
_ID_PARTS = ("id", "no", "number", "code", "key", "nr", "编号", "单号", "代码", "号")
_DATED = re.compile(r"date|time|datum|日期|时间")
_PAID = re.compile(r"amount|sales|revenue|spend|spent|paid|value|total|金额|销售额|实付")
_WHO = re.compile(r"customer|client|member|^user|buyer|客户|顾客|会员|用户|买家")
_NOT_MONEY = re.compile(
    r"insurance|discount|tax|shipping|折扣|税|运费|qty|quantity|rate|percent|year"
)


class Proposal(NamedTuple):
    """Names of the columns that were chosen; ``amount`` may be a product ``'Quantity*Price'``."""

    customer: str
    time: str
    amount: str


def bare_name(name: object) -> str:
    """Return a name without case, blanks and marks.

    Examples
    --------
    >>> from custvalue.data._proposal import bare_name
    >>> bare_name("Customer_ID "), bare_name("订单 日期")
    ('customerid', '订单日期')
    """
    return re.sub(r"[\W_]+", "", str(name).casefold())


def named_as(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Those of ``names`` that are among ``known``, the best known first."""
    plain = {name: bare_name(name) for name in names}
    found = [name for name in names if plain[name] in known]
    return sorted(found, key=lambda name: known.index(plain[name]))


def propose_columns(
    frame: Any, customer: str | None = None, time: str | None = None, amount: str | None = None
) -> Proposal:
    """Choose the columns that were not named.

    Raises
    ------
    DataContractError
        Naming what no column looks like.
    """
    head = opened(frame, eager_only=True).head(_LOOKED_AT).to_native()
    names = [str(name) for name in opened(head, eager_only=True).columns]
    taken = [name for name in (customer, time) if name is not None]
    if amount is not None:
        taken += [amount, *(part.strip() for part in amount.split("*"))]
    free = [name for name in names if name not in taken]
    if time is None:
        time = _time(head, free)
        free = [name for name in free if name != time]
    if customer is None:
        customer = _customer(head, free, amount is None)
        free = [name for name in free if name != customer]
    if amount is None:
        amount = _amount(head, free)
    problems = [
        ContractProblem(
            "no-such-column",
            f"no column of the log looks like {what}; it has {', '.join(map(repr, names[:20]))}",
            f"Say which one it is: {option}=.",
        )
        for what, option, found in (
            ("a customer's id", "customer", customer),
            ("a time", "time", time),
            ("money", "amount", amount),
        )
        if found is None
    ]
    if problems:
        raise DataContractError(problems)
    assert customer is not None
    assert time is not None
    assert amount is not None
    return Proposal(customer, time, amount)


def _time(head: Any, names: list[str]) -> str | None:
    ordered = named_as(names, TIME)
    ordered += [n for n in names if n not in ordered and _DATED.search(bare_name(n))]
    dates = [n for n in names if opened(head, eager_only=True)[n].dtype.is_temporal()]
    # a column of dates needs no name; text and numbers are asked by name first
    ordered += [n for n in dates if n not in ordered]
    ordered += [n for n in names if n not in ordered and texts_of(head, n) is not None]
    for least in (0.9, 0.5):
        for name in ordered:
            read = times_of(head, name)
            if len(read.when) and (~np.isnat(read.when)).mean() >= least:
                return name
    return None


def _customer(head: Any, names: list[str], spare_money: bool) -> str | None:
    ordered = named_as(names, CUSTOMER)
    ordered += [n for n in names if n not in ordered and _WHO.search(bare_name(n))]
    named = [
        name for name in ordered if _can_be_id(head, name) and not _DATED.search(bare_name(name))
    ]
    # a number of its own in every row names the row
    for name in named:
        if bare_name(name) != "id" or _share_of_kinds(head, name) < 0.98:
            return name
    # neither money nor nearly alone in its row: who comes back has several rows
    best, most = None, 0.0
    for name in names:
        if not _can_be_id(head, name) or _DATED.search(bare_name(name)):
            continue
        if spare_money and (bare_name(name) in AMOUNT or bare_name(name) in QUANTITY):
            continue
        different = _share_of_kinds(head, name)
        score = different if different < 0.95 else 0.05
        if different > 0.02 and score > most:
            best, most = name, score
    return named[0] if best is None and named else best


def _share_of_kinds(head: Any, name: str) -> float:
    """How many different values a column has, as a share of its rows."""
    values = pd.Series(opened(head, eager_only=True)[name].to_numpy())
    return values.nunique() / max(len(values), 1)


def _can_be_id(head: Any, name: str) -> bool:
    series = opened(head, eager_only=True)[name]
    if series.dtype.is_temporal() or series.dtype == nw.Boolean or not len(series):
        return False
    if series.dtype.is_float():
        values = series.to_numpy().astype(float)
        known = values[np.isfinite(values)]
        return bool(len(known)) and bool((known == np.rint(known)).all())
    texts = texts_of(head, name)
    if texts is None:
        return True
    if missing_ids(pd.Series(texts, dtype=object)).all():
        return False
    numbers = amounts_of(head, name).money
    known = numbers[np.isfinite(numbers)]
    cents = int((known != np.rint(known)).sum())
    signs = sum(1 for told in map(money_text, texts) if told is not None and told[2])
    return max(cents, signs) <= 0.05 * len(texts)  # ids have neither


def _amount(head: Any, names: list[str]) -> str | None:
    def is_money(name: str) -> bool:
        if opened(head, eager_only=True)[name].dtype.is_temporal():
            return False
        money = amounts_of(head, name).money
        return bool(len(money)) and bool(np.isfinite(money).mean() > 0.5)

    ordered = [n for n in named_as(names, AMOUNT) if is_money(n)]
    quantity = [n for n in named_as(names, QUANTITY) if is_money(n)]
    price = [n for n in named_as(names, PRICE) if is_money(n)]
    if price and quantity and (not ordered or ordered[0] in price):
        return f"{quantity[0]}*{price[0]}"
    if ordered:
        return ordered[0]
    hinted = [n for n in names if _PAID.search(bare_name(n)) and is_money(n)]
    if hinted:
        return hinted[0]
    best, most = None, 0.0
    for name in names:
        plain = bare_name(name)
        if name in quantity or _NOT_MONEY.search(plain) or not is_money(name):
            continue
        if plain.endswith(_ID_PARTS) or counts_time(amounts_of(head, name).money):
            continue
        money = amounts_of(head, name).money
        known = money[np.isfinite(money)]
        # money has cents, or many values
        broken = float((known != np.rint(known)).mean())
        different = len(np.unique(known)) / len(known)
        score = 1.0 + broken if broken > 0.05 else min(different, 0.9)
        if score > most and len(np.unique(known)) > 1:
            best, most = name, score
    if best is None and quantity:
        return quantity[0]
    return best
