"""Look at a log before any model: what is odd in it, in rows and money, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custvalue._dates import check_zone, read_day
from custvalue._frames import eager, is_frame, missing_ids, opened
from custvalue.data._examination import SEVERITIES, Examination, Finding
from custvalue.data._intake import _repeated
from custvalue.data._log import TransactionLog
from custvalue.data._loose import (
    DIGITS,
    SHEET,
    Amounts,
    Times,
    amounts_of,
    currency_codes,
    offsets_of,
    texts_of,
    times_of,
)
from custvalue.data._money import net
from custvalue.data._odd_amounts import amount_findings
from custvalue.data._odd_customers import customer_findings
from custvalue.data._odd_times import time_findings
from custvalue.data._proposal import propose_columns
from custvalue.data._rows import LooseRows
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, no_column

_ORDER = {name: i for i, name in enumerate(SEVERITIES)}
# what read_log calls them
_FORMATS = {
    DIGITS: "%Y%m%d",
    SHEET: "excel",
    "seconds since 1970": "unix",
    "milliseconds since 1970": "unix-ms",
    "microseconds since 1970": "unix-us",
    "nanoseconds since 1970": "unix-ns",
}
_HOW = {
    DIGITS: "time_format='%Y%m%d'",
    SHEET: "pandas.to_datetime(column, unit='D', origin='1899-12-30')",
}


def examine(
    log: Any,
    *,
    customer: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    as_of: Any = None,
    time_format: str | None = None,
    time_zone: str | None = None,
    today: Any = None,
) -> Examination:
    """Look for what is odd about a log, before anything is fitted on it.

    Nothing is changed and nothing is refused: columns are read by their likeliest reading, and each
    finding says how many rows, customers and how much money it concerns, names the first of them,
    and says what to do. Looked for are: amounts that are no money (times, numbers of orders,
    pieces, prices of one piece, all equal), cents among units, several currencies, texts for
    numbers; rows without a customer, time or amount; dates in the future, far away or written as
    numbers; tests, collective accounts, ids that differ by spelling; a customer, a period or a day
    that holds the money or the orders; outliers, repeated rows, refunds without a purchase; an
    unfinished last period, a quiet end, gaps in dates, growth or decline, a cohort without
    newcomers, a log cut in the middle of the shop's life, days without a time of day.

    Parameters
    ----------
    log : TransactionLog or frame
        One row an order or order line; any table the library reads, or a log, whose columns are
        known.
    customer, time, amount : str, optional
        Names of the columns; those not given are chosen by their names (English and Chinese) and by
        what they hold. ``amount`` may be a product such as ``"Quantity*UnitPrice"``.
    as_of : date, datetime or ISO str, optional
        End of observation; later rows are not looked at, but for dates in the future.
    time_format, time_zone : str, optional
        As in :class:`LogOptions`; without a format the likeliest is found.
    today : date, datetime or ISO str, optional
        What the future is told by; default: the machine's clock.

    Returns
    -------
    Examination
        Findings, errors first; ``print`` it, or ask ``table("en" or "zh")``.

    Raises
    ------
    DataContractError
        If a column named is not there, no column looks like what was not named, or there are no
        rows.
    TypeError
        If ``log`` is no table, or columns are named beside a ``TransactionLog``.

    Notes
    -----
    The work is linear in the rows, but for one sort of them by customer and day. Limits are rules
    of thumb: a finding is a question to whoever knows the shop, not a proof.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.datasets.load_cdnow("sample")
    >>> found = cv.examine(log, customer="customer_id", time="date", amount="amount")
    >>> found["no-newcomers"].what()
    'Nearly all customers have their first order by 1997-03-24; there are hardly newcomers later.'
    >>> found["zero-amounts"].rows
    8
    """
    return look_at(
        log, customer, time, amount, as_of, time_format, time_zone, today, repeated=True
    )  # fmt: skip


def look_at(
    log: Any,
    customer: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    as_of: Any = None,
    time_format: str | None = None,
    time_zone: str | None = None,
    today: Any = None,
    *,
    repeated: bool,
) -> Examination:
    """Do the work of `examine`; rows that repeat an earlier one need every column of the log.

    Parameters
    ----------
    repeated : bool
        Whether they are looked for.
    """
    if isinstance(log, TransactionLog):
        if not (customer is time is amount is time_format is time_zone is None):
            raise TypeError(
                "a TransactionLog knows its columns and how its times are read; examine it without "
                "naming them."
            )
        known = log.options
        customer, time, amount = known.customer, known.time, known.amount
        time_format, time_zone = known.time_format, known.time_zone
        as_of = log._end if as_of is None else as_of
        log = log.frame if log._held is None else log._held.frame
    if not is_frame(log):
        raise TypeError(f"examine takes a table or a TransactionLog, not {type(log).__name__}.")
    frame = eager(log)
    _check_columns(frame, customer, time, amount)
    chosen = propose_columns(frame, customer, time, amount)
    found: list[Finding] = []
    if None in (customer, time, amount):
        values = tuple(chosen._asdict().items())
        found.append(Finding("columns-proposed", "note", values=values))
    times = times_of(frame, chosen.time, time_format, check_zone(time_zone))
    money, texts = _money(frame, chosen.amount)
    rows = _rows(
        frame,
        chosen.customer,
        times,
        money,
        np.datetime64("today", "D") if today is None else read_day(today, "today"),
        None if as_of is None else read_day(as_of, "as_of"),
    )
    found += _unreadable(rows, times, chosen.time, time_format)
    found += _currencies(frame, rows, texts, chosen.amount)
    if repeated:
        found.append(_duplicates(frame, rows, times))
    found += amount_findings(frame, rows, chosen)
    found += customer_findings(rows)
    found += time_findings(rows, times)
    found = [one for one in found if one.rows or one.code in _WITHOUT_ROWS]
    found.sort(key=lambda one: (_ORDER[one.severity], -one.rows))
    dated = rows.when[~np.isnat(rows.when)]
    return Examination(
        findings=tuple(found),
        rows=rows.n,
        customers=len(rows.ids),
        money=net(rows.money[np.isfinite(rows.money)]),
        first=str(dated.min().astype("datetime64[D]")) if len(dated) else "",
        last=str(dated.max().astype("datetime64[D]")) if len(dated) else "",
        customer=chosen.customer,
        time=chosen.time,
        amount=chosen.amount,
        options=_options(frame, chosen.time, found, times, time_format, time_zone, texts),
    )


# of the log as a whole, or of rows that are not there
_WITHOUT_ROWS = {"columns-proposed", "gaps-in-dates", "quiet-end"}


def _check_columns(frame: Any, customer: str | None, time: str | None, amount: str | None) -> None:
    table = opened(frame, eager_only=True)
    have = [str(name) for name in table.columns]
    factors = [] if amount is None else [amount]
    if amount is not None and amount not in have:
        factors = [part.strip() for part in amount.split("*")]
    wanted = [name for name in (customer, time, *factors) if name is not None]
    problems = [
        no_column(name, have, "the log", "Name the log's own columns, or leave them out.")
        for name in dict.fromkeys(wanted)
        if name not in have
    ]
    if not problems and not len(table):
        text = "the log has no rows, so there is nothing to look at"
        problems = [ContractProblem("no-rows", text, "Pass the log with its orders in it.")]
    if problems:
        raise DataContractError(problems)


def _money(frame: Any, amount: str) -> tuple[np.ndarray, Amounts]:
    """Amounts of a column, or of a product of several; and how the first was read."""
    if amount in opened(frame, eager_only=True).columns:
        read = amounts_of(frame, amount)
        return read.money, read
    parts = [amounts_of(frame, part.strip()) for part in amount.split("*")]
    signed = next((part for part in parts if part.example), parts[0])
    return np.prod([part.money for part in parts], axis=0), signed


def _rows(frame: Any, customer: str, times: Times, money: Any, today: Any, as_of: Any) -> LooseRows:
    series = opened(frame, eager_only=True)[customer]
    texts = texts_of(frame, customer)
    if texts is None:
        gone = np.asarray(series.is_null().to_numpy(), dtype=bool)
        # a missing id beside whole numbers would make them floats, which are not exact
        whole = series.dtype.is_integer() and bool(gone.any())
        values = (series.fill_null(0) if whole else series).to_numpy()
        codes, kinds = pd.factorize(values)
        gone = gone | (codes < 0)  # no number, which is not null everywhere
        if kinds.dtype.kind == "f" and (kinds == np.rint(kinds)).all() and _fits(kinds):
            kinds = kinds.astype(np.int64)
        if kinds.dtype.kind not in "iu":
            kinds = np.array([str(one) for one in kinds.tolist()], dtype=object)
    else:
        codes, kinds = pd.factorize(texts)
        gone = np.append(missing_ids(pd.Series(kinds, dtype=object)), True)[codes]
        kinds = np.array([str(one) for one in np.asarray(kinds, dtype=object).tolist()], object)
    codes = np.where(gone, -1, codes)
    # without those that name nobody
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=1)) if len(kinds) else codes[:0]
    place = np.full(len(kinds) + 1, -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    return LooseRows(
        code=place[codes],
        ids=kinds[used],
        when=times.when,
        money=money,
        today=today,
        as_of=as_of,
        file_lines=_lines(frame),
    )


def _fits(kinds: np.ndarray) -> bool:
    return not len(kinds) or float(np.abs(kinds).max()) < 2.0**53


def _lines(frame: Any) -> Any:
    """Lines of a file that the rows stand in, where the table's index says so."""
    if nw.dependencies.is_pandas_dataframe(frame) and frame.index.name == "line":
        return frame.index.to_numpy()
    return None


def _unreadable(rows: LooseRows, times: Times, name: str, time_format: str | None) -> list[Finding]:
    """Rows that lack something, and times that the door would refuse."""
    found = [
        rows.found("missing-customer", rows.code < 0, first=rows.places(rows.code < 0)),
        rows.found("missing-time", np.isnat(rows.when)),
        rows.found("missing-amount", ~np.isfinite(rows.money)),
    ]
    read = ~np.isnat(rows.when)
    if times.looks:
        how = _HOW.get(times.looks)
        if how is None:
            unit = {"s": "s", "m": "ms", "n": "ns"}[times.looks[0]]
            unit = "us" if times.looks.startswith("micro") else unit
            how = f"pandas.to_datetime(column, unit={unit!r})"
        found.append(
            rows.found(
                "time-as-numbers", read, first=(times.example,),
                column=name, looks=times.looks, example=times.example, how=how,
            )
        )  # fmt: skip
    if times.style and time_format is None:
        code = "day-or-month" if times.either else "time-not-iso"
        found.append(
            rows.found(code, read, first=(times.example,), style=times.style, example=times.example)
        )
    return found


def _duplicates(frame: Any, rows: LooseRows, times: Times) -> Finding:
    """Rows that repeat an earlier one; days and money alone may do so by chance."""
    table = opened(frame, eager_only=True)
    found = rows.found("duplicate-rows", _repeated(table))
    day = times.when.astype("datetime64[D]") == times.when
    plain = len(table.columns) <= 3 and bool((day | np.isnat(times.when)).all())
    return replace(found, severity="note") if plain else found


def _currencies(frame: Any, rows: LooseRows, texts: Amounts, amount: str) -> list[Finding]:
    """Several currencies, by signs in the amounts or by a column of codes."""
    found = []
    signed = [("", texts.currency, texts.currencies)] if texts.currencies else []
    for name in opened(frame, eager_only=True).columns:
        coded = currency_codes(frame, name)
        if coded is not None:
            signed.append((name, *coded))
    for column, code, names in signed:
        if len(names) < 2:
            continue
        count = np.bincount(code[code >= 0], minlength=len(names))
        order = np.argsort(-count, kind="stable")
        other = (code >= 0) & (code != order[0])
        which = ", ".join(f"{names[i]} ({count[i]:,})" for i in order[:8])
        found.append(
            rows.found(
                "mixed-currencies", other, first=first_ids(names[i] for i in order),
                n=len(names), which=which, column=column,
            )
        )  # fmt: skip
        break
    if texts.example:
        odd = texts.currency >= 0 if texts.currencies else np.isfinite(rows.money)
        found.append(
            rows.found(
                "amount-as-text", odd, first=(texts.example,),
                column=amount, example=texts.example, value=texts.value,
            )
        )  # fmt: skip
    return found


def _options(
    frame: Any,
    time: str,
    found: list[Finding],
    times: Times,
    time_format: str | None,
    time_zone: str | None,
    texts: Amounts,
) -> tuple[tuple[str, str], ...]:
    """Say what a report of this log has to be told, as far as its rows show it."""
    codes = {one.code: one for one in found}
    options = []
    style = time_format or times.style or _FORMATS.get(times.looks, "")
    if style:
        options.append(("time_format", style))
    if time_zone is None and len(offsets_of(frame, time)) > 1:
        options.append(("time_zone", "UTC"))  # days have to be cut somewhere
    if "refunds" in codes:
        options.append(("refunds", "net_occasion"))
    if texts.example:  # marks, which a report can be told of
        options.append(("decimal", texts.decimal))
        options.append(("thousands", "." if texts.decimal == "," else ","))
    if "mixed-currencies" in codes:
        column = dict(codes["mixed-currencies"].values).get("column")
        if column:
            options.append(("currency_column", str(column)))
        options.append(("rates", "rates.csv"))  # to be written first
    return tuple(options)
