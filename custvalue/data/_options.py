"""What a call asks for, checked once: column names, policies, grain of time, unit."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias, TypeVar, get_args

import numpy as np

from custvalue._dates import check_zone
from custvalue._units import check_share, days_per, span_days
from custvalue.exceptions import ContractProblem, DataContractError

Refunds: TypeAlias = Literal["error", "net_occasion", "net_order", "drop"]
ZeroAmounts: TypeAlias = Literal["drop", "keep"]
Duplicates: TypeAlias = Literal["keep", "drop", "error"]
Invalid: TypeAlias = Literal["drop", "error"]
Unit: TypeAlias = "str | timedelta | np.timedelta64"
_F = TypeVar("_F", bound=Callable[..., Any])

DAY = 86_400
_SECONDS = {"d": DAY, "w": 7 * DAY, "h": 3600, "min": 60, "s": 1}
_GRAIN = re.compile(r"^\s*(\d*)\s*([A-Za-z]+)\s*$")


@dataclass(frozen=True)
class LogOptions:
    """How a log is read: the names of its columns and the policies. All is spelled here, once.

    Parameters
    ----------
    customer, time, amount : str
        Names of the columns with the customer's id (any kind), the time and the money.
    keep : str or sequence of str, default=()
        Columns that tell of the customer (country, segment, ...), kept in the summary: the value at
        the customer's last order that has one, the largest where rows of that order disagree.
    occasion : str or timedelta, default="1d"
        Grain of time within which rows are one purchase: days, weeks (from Monday), or a part that
        divides a day.
    refunds : {"error", "net_occasion", "net_order", "drop"}, default="error"
        Negative amounts: refuse; net within the occasion; net within the order given by ``order``;
        leave out.
    zero_amounts : {"drop", "keep"}, default="drop"
        Whether a row of amount zero is left out, or makes an occasion.
    duplicates : {"keep", "drop", "error"}, default="keep"
        Rows that repeat an earlier one in every column of the log.
    invalid : {"drop", "error"}, default="drop"
        Rows without a customer, a readable time or a finite amount: left out with a warning that
        counts them, or refused.
    order : str, optional
        Column with the order's id, for ``refunds="net_order"``.
    margin : float or str, optional
        Share of the amount that is profit, or the column that has it. Adds ``total_profit``.
    cost : str, optional
        Column with the cost of the row; profit is amount less cost. Adds ``total_profit``.
    profit : str, optional
        Column with the profit of the row; below 0 it is a loss, and the row is an order all the
        same. Adds ``total_profit``.
    time_format : str, optional
        How to read times that are text and not ISO 8601, e.g. ``"%d/%m/%Y"``; refused where it
        leaves more than 5 % of a column unread. Whole numbers such as 20240105 are read by one that
        begins with the year, ``"%Y%m%d"``. Without it text must be a whole date, year first:
        ``2024-01-05``, ``2024/01/05`` or ``20240105``, then perhaps ``10:30``, ``10:30:59.5`` after
        a ``T`` or a blank, then perhaps a zone (``Z``, ``+08``, ``+0800``, ``+08:00``).
    time_zone : str, optional
        Zone in which days are cut, where times have a zone; without it their own.
    carry : bool, default=False
        Whether a summary carries each customer's gaps in a column ``gaps`` (whole numbers of the
        occasion's grain, oldest first), so that :func:`custvalue.update_summary` can go on from it
        whatever comes.

    Raises
    ------
    ValueError
        If an option is unknown or options contradict each other.

    Examples
    --------
    >>> from custvalue.data import LogOptions
    >>> LogOptions("who", "when", "paid", refunds="net_occasion", cost="cost").columns
    ['who', 'when', 'paid', 'cost']
    """

    customer: str
    time: str
    amount: str
    keep: str | Sequence[str] = ()
    occasion: str | timedelta = "1d"
    refunds: Refunds = "error"
    zero_amounts: ZeroAmounts = "drop"
    duplicates: Duplicates = "keep"
    invalid: Invalid = "drop"
    order: str | None = None
    margin: float | str | None = None
    cost: str | None = None
    profit: str | None = None
    time_format: str | None = None
    time_zone: str | None = None
    carry: bool = False

    def __post_init__(self) -> None:
        kept = (self.keep,) if isinstance(self.keep, str) else tuple(self.keep)
        object.__setattr__(self, "keep", tuple(dict.fromkeys(kept)))
        for name, value, legal in (
            ("refunds", self.refunds, get_args(Refunds)),
            ("zero_amounts", self.zero_amounts, get_args(ZeroAmounts)),
            ("duplicates", self.duplicates, get_args(Duplicates)),
            ("invalid", self.invalid, get_args(Invalid)),
        ):
            if value not in legal:
                raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, legal))}.")
        if self.refunds == "net_order" and self.order is None:
            raise ValueError(
                "refunds='net_order' nets a refund against its order, so it needs order=, the "
                "column with the order id; without one use refunds='net_occasion'."
            )
        given = [n for n in ("margin", "cost", "profit") if getattr(self, n) is not None]
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(f'{n}=' for n in given)} tell the same profit in different ways; "
                "give margin= (a share of the amount), cost= or profit= (money), not both."
            )
        if not (self.margin is None or isinstance(self.margin, str)):
            check_share(self.margin, "margin", low=-np.inf)
        check_zone(self.time_zone)

    @property
    def columns(self) -> list[str]:
        """Names of the log's columns that this call reads."""
        extra = [self.cost, self.profit, self.margin if isinstance(self.margin, str) else None]
        if self.refunds == "net_order":
            extra.append(self.order)
        names = [self.customer, self.time, self.amount, *extra, *self.keep]
        return list(dict.fromkeys(name for name in names if name is not None))

    @property
    def has_profit(self) -> bool:
        """Whether profit differs from spend."""
        return not (self.margin is None and self.cost is None and self.profit is None)

    @property
    def rules(self) -> dict[str, Any]:
        """What decides which rows count, as plain JSON values: a later batch is read by the same.

        Names of columns are left out, and what only says which rows cannot be read.
        """
        margin = self.margin
        return {
            "occasion_seconds": self.grain,
            "refunds": self.refunds,
            "zero_amounts": self.zero_amounts,
            "duplicates": self.duplicates,
            "keep": list(self.keep),
            "margin": margin if margin is None or isinstance(margin, str) else float(margin),
            "cost": self.cost,
            "profit": self.profit,
            "time_zone": self.time_zone,
        }

    @property
    def grain(self) -> int:
        """Seconds in one occasion."""
        return grain_seconds(self.occasion)

    @property
    def fine(self) -> int:
        """Seconds in the grain that rows are cut by: an occasion, and a day at most."""
        return min(self.grain, DAY)


POLICIES = tuple(f.name for f in fields(LogOptions))[3:]


def log_options(customer: str, time: str, amount: str, **policies: Any) -> LogOptions:
    """Options of a call; a policy of an unknown name is refused with the nearest known one."""
    for name in policies:
        if name not in POLICIES:
            near = get_close_matches(name, POLICIES, 1)
            cure = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(POLICIES)}."
            raise TypeError(f"a log has no option {name!r}. {cure}")
    return LogOptions(customer, time, amount, **policies)


def names_policies(function: _F) -> _F:
    """Show the policies that ``**policies`` stands for in the signature that ``help`` prints."""
    own = inspect.signature(function)
    known = inspect.signature(LogOptions).parameters
    given = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    there = {p.name for p in given}
    more = [known[n].replace(kind=inspect.Parameter.KEYWORD_ONLY) for n in POLICIES]
    shown = [*given, *(p for p in more if p.name not in there)]
    named: Any = function  # a signature is no part of a callable's type
    named.__signature__ = own.replace(parameters=shown)
    return function


def grain_seconds(occasion: str | timedelta) -> int:
    """Seconds in one occasion's grain of time.

    Raises
    ------
    ValueError
        If it is not a whole number of seconds that divides a day, or of whole days.

    Examples
    --------
    >>> from custvalue.data._options import grain_seconds
    >>> grain_seconds("1d"), grain_seconds("6h"), grain_seconds("1w")
    (86400, 21600, 604800)
    """
    seconds = 0.0
    if isinstance(occasion, timedelta):
        seconds = occasion.total_seconds()
    elif isinstance(occasion, str):
        match = _GRAIN.match(occasion)
        if match is not None and match.group(2).lower() in _SECONDS:
            seconds = int(match.group(1) or 1) * _SECONDS[match.group(2).lower()]
    whole = int(seconds)
    if whole != seconds or whole <= 0 or (DAY % whole and whole % DAY):
        raise ValueError(
            f"occasion={occasion!r} must be a whole number of days or weeks ('1d', '1w') or a part "
            "that divides a day ('6h', '15min', '1s')."
        )
    return whole


def origin(grain: int) -> int:
    """Second at which tick 0 begins: 1970, and for weeks the Monday before.

    Examples
    --------
    >>> from custvalue.data._options import origin
    >>> origin(86_400), origin(604_800) / 86_400
    (0, -3.0)
    """
    return -3 * DAY if grain % (7 * DAY) == 0 else 0


def unit_name(unit: Unit, name: str = "unit") -> str:
    """Write the unit as text that ``days_per`` reads back: ``"W"``, ``"4W"``, ``"10.5D"``.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from custvalue.data._options import unit_name
    >>> unit_name("w"), unit_name("4w"), unit_name(timedelta(days=10))
    ('W', '4W', '10D')
    """
    days_per(unit, name)
    if isinstance(unit, str):
        return unit.strip().upper()
    return f"{span_days(unit, name):.12g}D"


def refuse_reserved(
    customer: str,
    made: Sequence[str],
    *,
    any_case: bool = False,
    what: str = "the customer column",
) -> None:
    """Raise where the customer column would be lost among the columns of the result.

    ``any_case`` where an engine takes ``t`` and ``T`` for one name, as SQL does.
    """
    plain = {name.casefold(): name for name in made} if any_case else {name: name for name in made}
    lost = plain.get(str(customer).casefold() if any_case else customer)
    if lost is not None:
        raise DataContractError(
            ContractProblem(
                "reserved-name",
                f"{what} is called {customer!r}, as the column {lost!r} of the result is",
                "Rename it first, e.g. to 'customer_id'.",
            )
        )
