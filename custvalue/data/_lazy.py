"""Summary, panel and split as one lazy plan on polars or DuckDB, through narwhals.

Two queries: a scan of the log, run at once (contract, ledger, last order, digits of the money), and
the plan that is returned, which runs when its owner asks. Money is added in whole minor units where
amounts are decimals, so that totals do not depend on how an engine cuts the log up.

Rule that narwhals' back ends impose: aggregate bare columns only; write every condition into a
column first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import narwhals.stable.v2 as nw

from custvalue._frames import NOTHING
from custvalue._warn import warn_caller
from custvalue.data._far_dates import Alone, alone
from custvalue.data._intake import (
    missing_columns,
    refund_problem,
    share_problem,
    warn_dates,
    warn_invalid,
)
from custvalue.data._ledger import WORDS, Dropped, RowLedger
from custvalue.data._money import MoneySeen, money_facts
from custvalue.data._native import is_polars, with_ticks
from custvalue.data._options import DAY, LogOptions, refuse_reserved
from custvalue.data._panel import panel_names
from custvalue.data._summary import summary_names
from custvalue.data._times import End, last_order_text, read_end
from custvalue.exceptions import AsOfWarning, ContractProblem, DataContractError, first_ids

TICK, DAY_TICK, PAID, GAIN, ORDER = "__tick", "__day", "__paid", "__gain", "__order"
KEEP = "__keep"  # and a number
_REASON = "__reason"
_WORDS = (
    *("tick", "day", "paid", "gain", "order", "reason", "least", "size", "rows", "gap", "silent"),
    *("square", "shorter", "repeat", "log", "logs", "first", "start", "total", "last", "end"),
)
INNER = frozenset(f"__{word}" for word in _WORDS)
_SLACK = 4.0 * 2.0**-52  # as in _money: quantity x price may miss its decimal by this much
_EXACT = 2.0**53

_SCALES = (100.0, 10_000.0)
_INVALID = ("missing_customer", "missing_time", "bad_amount", "bad_profit")
_LATER = ("after_as_of", "refund", "zero_amount")
_CODE = {reason: i for i, reason in enumerate((*_INVALID, *_LATER), 1)}


class Scale(NamedTuple):
    """Minor units in one unit of money, and whether sums of them are exact."""

    size: float
    exact: bool


class LazyLog:
    """The rows of a lazy log that count, and what one scan told of the whole.

    Attributes
    ----------
    rows : narwhals lazy frame
        Customer, ``__tick``, ``__paid`` (minor units), ``__gain`` where profit differs.
    book : RowLedger
    end : End
        End of observation.
    fine : str
        Name of the ticks that rows are cut by: ``__day`` where an occasion is longer than a day.
    first, last : int or None
        First row that counts in ticks, last one in ticks that rows are cut by.
    """

    def __init__(self, log: Any, options: LogOptions, as_of: Any, *, quiet: bool = False) -> None:
        self.options = options
        frame = nw.from_native(log)
        names = list(frame.collect_schema().names())
        problems = missing_columns(names, options) or _inner_names(frame, names, options)
        if problems:
            raise DataContractError(problems)
        self.fine = TICK if options.fine == options.grain else DAY_TICK
        frame, problems = with_ticks(frame, TICK, DAY_TICK, options)
        problems += self._not_numeric(frame)
        if problems:
            raise DataContractError(problems)
        if isinstance(options.margin, str):
            most = frame.select(nw.col(options.margin).max()).collect()[options.margin][0]
            if most is not None and float(most) > 1.0:
                raise DataContractError(share_problem(options.margin, float(most)))
        frame = self._with_money(frame)
        frame = frame.with_columns(
            self._reason_code(self._invalid_conditions(frame)).alias(_REASON)
        )
        repeated: tuple[int, float] | None = None
        if options.duplicates != "keep":
            raw = self._count(frame)
            valid = frame.filter(nw.col(_REASON) == 0).unique(subset=names, keep="any")
            frame = nw.concat([frame.filter(nw.col(_REASON) > 0), valid])
            rest = self._count(frame)
            repeated = (raw[0] - rest[0], raw[1] - rest[1])
        self.given = read_end(as_of, options, None)
        later = self._later_conditions()
        frame = frame.with_columns(
            nw.when(nw.col(_REASON) > 0)
            .then(nw.col(_REASON))
            .otherwise(self._reason_code(later))
            .alias(_REASON)
        )
        table = self._scan(frame)
        self._read(table, frame, repeated, as_of, quiet)

    def _not_numeric(self, frame: Any) -> list[ContractProblem]:
        schema, options = frame.collect_schema(), self.options
        money = [options.amount, options.cost, options.profit]
        money.append(options.margin if isinstance(options.margin, str) else None)
        return [
            ContractProblem(
                "not-numeric", f"column {name!r} is not numeric", "Convert it to numbers first."
            )
            for name in money
            if name is not None and not schema[name].is_numeric()
        ]

    def _with_money(self, frame: Any) -> Any:
        options = self.options
        paid = nw.col(options.amount).cast(nw.Float64)
        made = [paid.alias(PAID)]
        if options.cost is not None:
            made.append(_difference(paid, nw.col(options.cost).cast(nw.Float64)).alias(GAIN))
        elif options.profit is not None:
            made.append(nw.col(options.profit).cast(nw.Float64).alias(GAIN))
        elif isinstance(options.margin, str):
            made.append((paid * nw.col(options.margin).cast(nw.Float64)).alias(GAIN))
        elif options.margin is not None:
            made.append((paid * float(options.margin)).alias(GAIN))
        return frame.with_columns(*made)

    def _invalid_conditions(self, frame: Any) -> dict[str, Any]:
        customer = nw.col(self.options.customer)
        no_id = customer.is_null()
        if frame.collect_schema()[self.options.customer].is_float():
            no_id = no_id | customer.is_nan()
        elif _is_text(frame, self.options.customer):
            no_id = no_id | customer.cast(nw.String).is_in(NOTHING)
        found = {
            "missing_customer": no_id,
            "missing_time": nw.col(TICK).is_null(),
            "bad_amount": _not_finite(PAID),
        }
        if self.options.has_profit:
            found["bad_profit"] = _not_finite(GAIN)
        return found

    def _later_conditions(self) -> dict[str, Any]:
        options = self.options
        found = {}
        if self.given is not None:
            found["after_as_of"] = nw.col(self.fine) > self.given.last
        if options.refunds in ("drop", "error"):
            found["refund"] = nw.col(PAID) < 0
        if options.zero_amounts == "drop":
            found["zero_amount"] = nw.col(PAID) == 0
        return found

    def _reason_code(self, conditions: dict[str, Any]) -> Any:
        reason_code = nw.lit(0)
        for reason, condition in reversed(conditions.items()):
            reason_code = nw.when(condition).then(nw.lit(_CODE[reason])).otherwise(reason_code)
        return reason_code

    def _count(self, frame: Any) -> tuple[int, float]:
        finite = frame.with_columns(_finite(PAID).alias(PAID))
        row = finite.select(nw.len().alias("rows"), nw.col(PAID).sum()).collect()
        return int(row["rows"][0]), float(row[PAID][0] or 0.0)

    def _scan(self, frame: Any) -> Any:
        """One row a reason_code: counts, sums, and whether amounts are decimals."""
        aggregates = [nw.len().alias("rows")]
        frame = frame.with_columns(*(_finite(name).alias(f"{name}m") for name in self.monies))
        columns = [
            nw.when(nw.col(PAID) < 0).then(nw.lit(1)).otherwise(nw.lit(0)).alias("negative"),
        ]
        for name in self.monies:
            money = nw.col(f"{name}m")
            for i, scale in enumerate(_SCALES):
                scaled = money * scale
                whole = scaled.round(0)
                columns.append(whole.alias(f"{name}w{i}"))
                error = (scaled - whole).abs() - scaled.abs() * _SLACK
                columns.append(error.alias(f"{name}e{i}"))
            columns.append(money.abs().alias(f"{name}s"))
            aggregates += [nw.col(f"{name}{k}").sum() for k in ("m", "w0", "w1", "s")]
            aggregates += [nw.col(f"{name}e{i}").max() for i in range(2)]
        aggregates += [nw.col("negative").sum()]
        aggregates += [nw.col(TICK).min().alias("first"), nw.col(self.fine).max().alias("last")]
        made = frame.with_columns(*columns).group_by(_REASON).agg(*aggregates).collect("pandas")
        return made.to_native().set_index(_REASON)

    @property
    def monies(self) -> list[str]:
        """Columns that hold money."""
        return [PAID, GAIN] if self.options.has_profit else [PAID]

    def _read(
        self, table: Any, frame: Any, repeated: tuple[int, float] | None, as_of: Any, quiet: bool
    ) -> None:
        """Ledger, as-of date, scales; raise what breaks the contract."""
        options = self.options
        problems: list[ContractProblem] = []
        self.money = _scale(table, PAID)
        self.gain = _scale(table, GAIN) if options.has_profit else None
        self.money_facts = money_facts(
            *(
                _seen(table, name, scale)
                for name, scale in zip(self.monies, (self.money, self.gain), strict=False)
            )
        )
        dropped = []
        for reason, code in _CODE.items():
            if reason == "after_as_of" and repeated is not None and repeated[0]:
                dropped.append(Dropped("duplicate", repeated[0], repeated[1]))
            if code in table.index:
                row = table.loc[code]
                first = (
                    ()
                    if reason == "missing_customer"
                    else self.names_in(frame.filter(nw.col(_REASON) == code))
                )
                dropped.append(Dropped(reason, int(row["rows"]), self._amount(row), first))
        for entry in dropped:
            if entry.reason in _INVALID and options.invalid == "error":
                problems.append(
                    ContractProblem(
                        entry.reason.replace("_", "-"),
                        f"the log's {WORDS[entry.reason]}",
                        "Repair these rows, or choose invalid='drop' to leave them out and count "
                        "them.",
                        entry.rows,
                        entry.first,
                    )
                )
            if entry.reason == "refund" and options.refunds == "error":
                problems.append(refund_problem(options, entry.rows, entry.first))
            if entry.reason == "duplicate" and options.duplicates == "error":
                problems.append(
                    ContractProblem(
                        "duplicates",
                        "rows repeat an earlier one in every column",
                        "Choose duplicates='drop' or 'keep'.",
                        entry.rows,
                    )
                )
        valid = table[~table.index.isin([_CODE[r] for r in _INVALID])] if len(table) else table
        if self.given is None and not len(valid):
            problems.append(
                ContractProblem(
                    "no-rows",
                    "the log has no usable row to take the as-of date from",
                    "Give as_of=.",
                )
            )
        if problems:
            raise DataContractError(problems)
        self.end = self.given or End.at(int(valid["last"].max()), options)
        if self.given is None and not quiet:
            warn_caller(last_order_text(self.end), AsOfWarning)
        if not quiet:
            warn_invalid(dropped)
        used = table.loc[0] if 0 in table.index else None
        self.first = None if used is None else int(used["first"])
        self.last = None if used is None else int(used["last"])
        self.negative = used is not None and int(used["negative"]) > 0
        amount = 0.0 if used is None else self._amount(used)
        rows = 0 if used is None else int(used["rows"])
        self.book = RowLedger(
            rows_in=rows + sum(d.rows for d in dropped),
            rows_used=rows,
            amount_in=amount + sum(d.amount for d in dropped),
            amount_used=amount,
            dropped=tuple(dropped),
        )
        kept = frame.filter(nw.col(_REASON) == 0)
        made = [nw.col(name) for name in dict.fromkeys((options.customer, TICK, self.fine))]
        if options.refunds == "net_order":
            order = nw.col(str(options.order))
            if _is_text(frame, str(options.order)):
                order = nw.when(~order.cast(nw.String).is_in(NOTHING)).then(order)
            made.append(order.alias(ORDER))
        for name, scale in zip(self.monies, (self.money, self.gain), strict=False):
            assert scale is not None
            value = nw.col(name)
            made.append(((value * scale.size).round(0) if scale.exact else value).alias(name))
        made += [nw.col(name).alias(f"{KEEP}{i}") for i, name in enumerate(options.keep)]
        self.rows = kept.select(*made)
        self.alone: Alone | None = None
        if not quiet and self.first is not None and self.last is not None:
            self.alone = alone(*self._days())
            warn_dates(self.alone, self.last, self.end)

    def _days(self) -> tuple[Any, Any]:
        """Different days of the rows that count, and rows of each."""
        per_day = DAY // self.options.fine
        day = nw.col(self.fine) if per_day == 1 else nw.col(self.fine) // per_day
        rows = self.rows.with_columns(day.alias("__first")).group_by("__first")
        made = rows.agg(nw.len().alias("__rows")).collect("pandas").to_native()
        made = made.sort_values("__first").astype("int64")
        return made["__first"].to_numpy(), made["__rows"].to_numpy()

    def _amount(self, row: Any) -> float:
        if not self.money.exact:
            return float(row[f"{PAID}m"])
        which = _SCALES.index(self.money.size)
        return float(row[f"{PAID}w{which}"]) / self.money.size

    def names_in(self, rows: Any) -> tuple[str, ...]:
        """First five different customers of the rows, in no order."""
        ids = rows.select(self.options.customer).head(50).collect()[self.options.customer]
        return first_ids(dict.fromkeys(ids.to_list()))


def _inner_names(frame: Any, names: list[str], options: LogOptions) -> list[ContractProblem]:
    """Columns whose names the plan needs for itself, or the engine cannot carry."""
    sql = not is_polars(frame)
    if sql:
        made = [*summary_names(options), *panel_names(), "orders", "spend", "profit"]
        refuse_reserved(options.customer, made, any_case=True)
    inner = [n for n in names if (n.casefold() if sql else n) in INNER]
    carried = names if options.duplicates != "keep" else [options.customer]
    odd = [n for n in carried if sql and ("." in n or "*" in n)]
    return [
        ContractProblem("reserved-name", f"column {name!r} {why}", "Rename it first.")
        for some, why in (
            (inner, "has a name that the plan needs for itself"),
            (odd, "has a name with a point or star, which DuckDB takes for more"),
        )
        for name in some
    ]


def _finite(name: str) -> Any:
    return nw.when(~_not_finite(name)).then(nw.col(name)).otherwise(nw.lit(0.0))


def _is_text(frame: Any, name: str) -> bool:
    kind = frame.collect_schema()[name]
    return any(kind == words for words in (nw.String, nw.Categorical, nw.Enum))


def _not_finite(name: str) -> Any:
    # NaN is larger than every number in SQL, and no comparison with it holds in polars
    return ~(nw.col(name).abs() <= 1.7976931348623157e308).fill_null(False)


def _seen(table: Any, name: str, scale: Scale | None) -> MoneySeen | None:
    """How large all amounts are, those of rows that do not count among them."""
    if scale is None or not scale.exact:
        return None
    total = float(table[f"{name}s"].sum()) if len(table) else 0.0
    return MoneySeen(scale.size, round(total * scale.size))


def _difference(one: Any, other: Any) -> Any:
    """``_money.difference``: of decimals the float that is nearest to the true one."""
    size = _SCALES[-1]
    scaled = [amount * size for amount in (one, other)]
    whole = [amount.round(0) for amount in scaled]
    meant = [(s - w).abs() <= s.abs() * _SLACK for s, w in zip(scaled, whole, strict=True)]
    return nw.when(meant[0] & meant[1]).then((whole[0] - whole[1]) / size).otherwise(one - other)


def _scale(table: Any, name: str) -> Scale:
    for i, scale in enumerate(_SCALES):
        if not len(table) or (
            table[f"{name}e{i}"].max() <= 0 and table[f"{name}s"].sum() * scale < _EXACT
        ):
            return Scale(scale, True)
    return Scale(1.0, False)
