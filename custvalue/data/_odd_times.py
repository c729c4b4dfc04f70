"""What the dates of a log show: where it begins and ends, what it lacks, what holds the money."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue._log_start import BLOCK, old_customers
from custvalue._typing import Floats, Ints
from custvalue.data._examination import Finding
from custvalue.data._loose import Times
from custvalue.data._options import DAY
from custvalue.data._rows import LooseRows
from custvalue.data._times import tick_date
from custvalue.exceptions import first_ids

_SHORT = 90  # days of log
_RECENT, _BEFORE = 7, 56  # days of a quiet end, and of what is usual
_SURE = 20.0  # rows that should be there: chance leaves none of them out
_GROWS = 1.25


def time_findings(rows: LooseRows, times: Times) -> list[Finding]:
    """Everything that the dates show."""
    found = [rows.found("future-dates", rows.future, last=_latest(rows))]
    if rows.odd is not None:
        odd = rows.odd
        dates = [tick_date(day, DAY) for day in (odd.first, odd.last)]
        found.append(
            rows.found("odd-dates", rows.far, start=dates[0], end=dates[1], years=odd.gap / 365.25)
        )
    if not len(rows.at):
        return found
    first, last = int(rows.d.min()), int(rows.d.max())
    end = last
    if rows.as_of is not None:
        end = max(last, min(int(rows.as_of.astype(np.int64)), last + 3653))
    days = np.bincount(rows.d - first, minlength=end - first + 1)
    found += [
        *_last_period(rows, days, first, end),
        *_quiet(rows, days, first),
        *_gaps(rows, days, first, last),
        *_growth(rows, last),
        *_heavy_period(rows, days, first),
        *_start(rows, first, end),
        *_midnight(rows, times),
    ]
    if any(one.code == "no-newcomers" for one in found):  # a cohort's money falls by itself
        found = [one for one in found if one.code != "decline"]
    if end - first + 1 < _SHORT:
        found.append(rows.found("short-log", _all(rows), first=(), days=end - first + 1))
    return found


def _all(rows: LooseRows) -> Any:
    return rows.whole(np.ones(len(rows.at), dtype=bool))


def _latest(rows: LooseRows) -> str:
    late = rows.when[rows.future]
    return str(late.max().astype("datetime64[D]")) if len(late) else ""


def _month(day: int) -> tuple[int, int]:
    """First day and number of days of the month that a day since 1970 lies in."""
    month = np.datetime64(day, "D").astype("datetime64[M]")
    start = int(month.astype("datetime64[D]").astype(np.int64))
    return start, int((month + 1).astype("datetime64[D]").astype(np.int64)) - start


def _usual_gap(days: Ints) -> float:
    """Days between two days with orders, nine times of ten at most."""
    steps = np.diff(np.flatnonzero(days))
    return float(np.quantile(steps, 0.9)) if len(steps) else 1.0


def _last_period(rows: LooseRows, days: Ints, first: int, end: int) -> list[Finding]:
    """Month (week of a short log) that the log ends in before it is over."""
    if end - first + 1 >= 60:
        start, whole = _month(end)
        length, name = "month", tick_date(start, DAY)[:7]
    elif end - first + 1 >= 15:
        start, whole = end - (end + 3) % 7, 7  # weeks begin on Monday
        length, name = "week", tick_date(start, DAY)
    else:
        return []
    seen = end - start + 1
    # a shop that is shut on Sundays ends its month on the 30th
    if whole - seen < max(_usual_gap(days), 1.0) or start <= first:
        return []
    last = tick_date(start - 1, DAY)
    return [rows.found("unfinished-period", rows.whole(rows.d >= start), first=(name,),
                       length=length, period=name, seen=seen, whole=whole, end=last)]  # fmt: skip


def _quiet(rows: LooseRows, days: Ints, first: int) -> list[Finding]:
    """Far fewer rows at the end than in the weeks before."""
    if len(days) < _RECENT + _BEFORE:
        return []
    best: tuple[float, int, float] | None = None
    for recent in (28, 14, _RECENT):  # the quietest of them, and the longest of these
        if len(days) < recent + _BEFORE:
            continue
        few = float(days[-recent:].sum()) / recent
        usual = float(days[-recent - _BEFORE : -recent].sum()) / _BEFORE
        quiet = few < 0.25 * usual and usual * recent > _SURE
        if quiet and (best is None or few < best[0]):
            best = few, recent, usual
    if best is None:
        return []
    few, recent, usual = best
    start = first + len(days) - recent
    return [
        rows.found("quiet-end", rows.whole(rows.d >= start), first=(tick_date(start, DAY),),
                   days=recent, few=few, usual=usual, end=tick_date(start - 1, DAY))
    ]  # fmt: skip


def _gaps(rows: LooseRows, days: Ints, first: int, last: int) -> list[Finding]:
    """Find runs of days without an order that chance does not make."""
    active = np.flatnonzero(days)
    steps = np.diff(active)
    if len(active) < 20:
        return []
    usual = float(np.quantile(steps, 0.95))
    running = np.concatenate([[0], np.cumsum(days)])

    def around(at: Ints) -> Floats:
        """Rows a day in the eight weeks before and after a gap, the fewer of both."""
        end, begin = active[at] + 1, active[at + 1]
        low, high = np.maximum(end - _BEFORE, 0), np.minimum(begin + _BEFORE, len(days))
        before = (running[end] - running[low]) / (end - low)
        after = (running[high] - running[begin]) / (high - begin)
        return np.asarray(np.minimum(before, after), dtype=np.float64)

    long = np.flatnonzero((steps - 1 >= 3) & (steps > 3.0 * usual))
    lost = around(long) * (steps[long] - 1)
    long, lost = long[lost > _SURE / 2], lost[lost > _SURE / 2]
    if not len(long):
        return []
    order = np.argsort(-steps[long], kind="stable")
    names = [_between(first + int(active[i]) + 1, first + int(active[i + 1]) - 1)
             for i in long[order][:5]]  # fmt: skip
    missing = round(float(lost.sum()))
    each = rows.total / len(rows.at)
    return [
        Finding(
            "gaps-in-dates", "warning", missing, 0, missing * each, first_ids(names),
            (("n", len(long)), ("longest", int(steps[long].max()) - 1), ("when", names[0])),
        )
    ]  # fmt: skip


def _between(start: int, end: int) -> str:
    return f"{tick_date(start, DAY)}..{tick_date(end, DAY)}"


def _months(rows: LooseRows) -> tuple[Ints, Floats, int]:
    """Month of each row from 0 on, money of each month, and which month is the first."""
    months = rows.when[rows.at].astype("datetime64[M]").astype(np.int64)
    low = int(months.min())
    return months - low, rows.sums(months - low), low


def _growth(rows: LooseRows, last: int) -> list[Finding]:
    """Money of the last whole months against as many before."""
    month, money, low = _months(rows)
    ends = _month(last)
    whole = len(money) - (last - ends[0] + 1 < ends[1] - 2)
    skip = int(_month(int(rows.d.min()))[0] < int(rows.d.min()) - 2)  # begins within a month
    n = min((whole - skip) // 2, 12)
    if n < 3:
        return []
    before, after = money[whole - 2 * n : whole - n].sum(), money[whole - n : whole].sum()
    if before <= 0:
        return []
    ratio = float(after / before)
    if 1.0 / _GROWS < ratio < _GROWS:
        return []
    late = rows.whole((month >= whole - n) & (month < whole))
    code = "growth" if ratio > 1.0 else "decline"
    start = str(np.datetime64(low + whole - n, "M"))
    return [rows.found(code, late, first=(start,), change=abs(ratio - 1.0), n=n)]


def _heavy_period(rows: LooseRows, days: Ints, first: int) -> list[Finding]:
    """Find the month (week, day) with much more money than any, and the day with the orders."""
    found: list[Finding] = []
    total = rows.total
    money = rows.sums(rows.d - first, len(days))
    month, by_month, low = _months(rows)
    if total > 0:
        options: list[tuple[str, Floats, Any]] = [
            ("month", by_month, month),
            ("week", _weekly(money), (rows.d - first) // 7),
            ("day", money, rows.d - first),
        ]
        for length, each, of in options:
            known = each[each > 0]
            if len(known) < 6:
                continue
            best = int(np.argmax(each))
            share, times = float(each[best]) / total, float(each[best] / np.median(known))
            least = {"month": max(0.2, 3.0 / len(known)), "week": 0.15, "day": 0.1}[length]
            if share < least or times < 4.0:
                continue
            start = first + best * {"week": 7, "day": 1}.get(length, 0)
            name = {
                "month": str(np.datetime64(low + best, "M")),
                "week": _between(start, start + 6),
                "day": tick_date(start, DAY),
            }[length]
            found.append(rows.found("period-holds-money", rows.whole(of == best), first=(name,),
                                    period=name, share=share, times=times,
                                    length=length))  # fmt: skip
            break
    who, day, _, _ = rows.orders
    orders = np.bincount(day - first, minlength=len(days))
    active = orders[orders > 0]
    best = int(np.argmax(orders))
    share, times = float(orders[best]) / len(who), float(orders[best] / np.median(active))
    if len(active) >= 30 and share >= max(0.05, 3.0 / len(active)) and times >= 10.0:
        name = tick_date(first + best, DAY)
        found.append(rows.found("day-holds-rows", rows.whole(rows.d - first == best), first=(name,),
                                period=name, share=share, times=times))  # fmt: skip
    return found


def _weekly(money: Floats) -> Floats:
    return np.add.reduceat(money, np.arange(0, len(money), 7))


def _start(rows: LooseRows, first: int, end: int) -> list[Finding]:
    """Tell a log cut in the middle of a shop's life, or one of a cohort."""
    here = np.flatnonzero(rows.counts > 0)
    began = np.full(len(rows.ids), np.iinfo(np.int64).max)
    np.minimum.at(began, rows.c, rows.d)
    began = began[here]
    cut = old_customers((end - began).astype(np.float64))
    if cut is not None:
        early = np.zeros(len(rows.ids), dtype=bool)
        early[here[began < first + BLOCK]] = True
        return [rows.found("log-cut", rows.of_customers(early), usual=cut.usual)]
    if end - first < 180 or len(here) < 50:
        return []
    joined = int(np.quantile(began, 0.98, method="higher"))
    if joined - first > 0.4 * (end - first) or not (rows.d > joined).mean() > 0.1:
        return []
    name = tick_date(joined, DAY)
    return [rows.found("no-newcomers", _all(rows), first=(name,), date=name)]


def _midnight(rows: LooseRows, times: Times) -> list[Finding]:
    when = rows.when[rows.at].astype("datetime64[us]").astype(np.int64)
    bare = when % 86_400_000_000 == 0
    share = float(bare.mean())
    if share == 1.0:
        return [rows.found("midnight-only", _all(rows), first=())] if times.clock else []
    if share > 0.02 and bare.sum() >= 20:
        return [rows.found("midnight-mixed", rows.whole(bare), share=share)]
    return []
