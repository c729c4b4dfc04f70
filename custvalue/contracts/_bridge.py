"""Where the money a period went between two days, and what is left of each cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from custvalue._typing import Dates, Floats, Ints
from custvalue.contracts._calendar import Calendar
from custvalue.contracts._intake import Contracts

if TYPE_CHECKING:
    import pandas as pd

Of: TypeAlias = Literal["money", "gross", "customers", "survivors"]
MOVES = ("new", "reactivation", "expansion", "contraction", "churn")
CENTS = 1e6  # money is summed as whole millionths where it is such


def _exact(money: Floats) -> tuple[Floats, float]:
    """Money as whole numbers, whose sums are exact, and the size of one; as it is where not."""
    whole = np.rint(money * CENTS)
    fits = np.abs(whole - money * CENTS).max(initial=0.0) <= 1e-3
    if fits and whole.sum() < 2.0**53:
        return whole, CENTS
    return money, 1.0


def bridge_of(
    contracts: Contracts,
    calendar: Calendar,
    as_of: np.datetime64,
    groups: tuple[npt.NDArray[Any], Ints] | None,
    name: str,
) -> pd.DataFrame:
    """Say of each period what came to the money a period at its start, and what left."""
    import pandas as pd

    money, size = _exact(contracts.money)
    contracts = Contracts(
        contracts.ids, contracts.who, contracts.start, contracts.end, money, contracts.row
    )
    n, first = len(contracts.ids), contracts.first
    ends = calendar.ends(first.min(), as_of)
    names, at = (np.array(["all"]), np.zeros(n, dtype=np.int64)) if groups is None else groups
    k = len(names)
    before, was = np.zeros(n), np.zeros(n, dtype=bool)
    opened = np.datetime64(first.min() - 1, "D")
    rows = []
    for label, end in zip(calendar.names(ends), ends, strict=True):
        day = min(end, as_of)
        now, here = contracts.at(day)
        old = first <= opened
        masks = {
            "new": here & ~was & ~old,
            "reactivation": here & ~was & old,
            "expansion": here & was & (now > before),
            "contraction": here & was & (now < before),
            "churn": was & ~here,
        }
        seen = np.zeros(n, dtype=bool)
        seen[contracts.who[(contracts.start > opened) & (contracts.start <= day)]] = True
        change = now - before
        frame: dict[str, Any] = {"period": label, "end": day}
        if groups is not None:
            frame[name] = names
        frame["opening"] = np.bincount(at, before, k) / size
        for move in MOVES:
            change_here = np.where(masks[move], np.abs(change), 0.0)
            frame[move] = np.bincount(at, change_here, k) / size
        frame["closing"] = np.bincount(at, now, k) / size
        frame["opening_customers"] = np.bincount(at[was], minlength=k)
        for move in MOVES:
            frame[f"{move}_customers"] = np.bincount(at[masks[move]], minlength=k)
        frame["closing_customers"] = np.bincount(at[here], minlength=k)
        frame["came_and_left"] = np.bincount(at[seen & ~was & ~here], minlength=k)
        frame["finished"] = bool(end <= as_of)
        rows.append(pd.DataFrame(frame, index=range(k)))
        before, was, opened = now, here, day
    table = pd.concat(rows, ignore_index=True)
    base = table["opening"].where(table["opening"] > 0)
    lost = table["churn"] + table["contraction"]
    table["gross_retention"] = 1.0 - lost / base
    table["net_retention"] = 1.0 + (table["expansion"] - lost) / base
    people = table["opening_customers"].where(table["opening_customers"] > 0)
    table["customer_retention"] = 1.0 - table["churn_customers"] / people
    table["end"] = table["end"].astype("datetime64[us]")
    return table


def retention_of(
    contracts: Contracts,
    calendar: Calendar,
    as_of: np.datetime64,
    groups: tuple[npt.NDArray[Any], Ints],
    of: Of,
    share: bool,
) -> pd.DataFrame:
    """Say what is left of each cohort after 0, 1, 2, ... periods with each customer's own start."""
    import pandas as pd

    if of not in get_args(Of):
        raise ValueError(f"of={of!r} must be one of {', '.join(map(repr, get_args(Of)))}.")
    first, (names, at) = contracts.first, groups
    ages = int(calendar.whole(first, as_of).max()) + 1
    youngest = np.full(len(names), first.min())
    np.maximum.at(youngest, at, first)
    out = np.full((len(names), ages), np.nan)
    least, stayed = np.full(len(first), np.inf), np.ones(len(first), dtype=bool)
    for age in range(ages):
        money, here = contracts.at(calendar.after(first, np.full(len(first), age)))
        least, stayed = np.minimum(least, money), stayed & here
        left = {"money": money, "gross": least, "customers": here, "survivors": stayed}[of]
        total = np.bincount(at, left.astype(np.float64), len(names))
        done = calendar.after(youngest, np.full(len(names), age)) <= as_of
        out[done, age] = total[done]
    if share:
        start = np.where(out[:, :1] > 0, out[:, :1], np.nan)
        out = out / start
    index = pd.Index(names, name="cohort")
    return pd.DataFrame(out, index, pd.RangeIndex(ages, name="age"))


def cohorts_of_starts(first: Dates, calendar: Calendar) -> tuple[npt.NDArray[Any], Ints]:
    """Name the calendar period in which each customer began, and the place of each in them."""
    ends = calendar.ends(first.min(), first.max())
    at = np.searchsorted(ends, first)
    some, place = np.unique(at, return_inverse=True)
    names = np.array(calendar.names(ends), dtype=object)[some]
    return names, place.astype(np.int64)
