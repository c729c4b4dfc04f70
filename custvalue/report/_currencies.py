"""Amounts in several currencies -> amounts in one, by a table of rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from custvalue.data._for_rooms import currency_of
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.report._cells import MoneyRead, clock_times, money_of
from custvalue.report._sources import FileWords, joined, opened_tables

if TYPE_CHECKING:
    import pandas as pd

Rates: TypeAlias = "Mapping[str, float] | pd.DataFrame | str | Path"
_CALLED = {
    "currency", "currencycode", "ccy", "curr", "währung", "waehrung", "devise", "moneda", "valuta",
    "币种", "货币", "货币代码",
}  # fmt: skip


def currency_columns(have: Sequence[str]) -> list[str]:
    """Columns that are called as a currency's are.

    Examples
    --------
    >>> from custvalue.report._currencies import currency_columns
    >>> currency_columns(["who", "Currency Code", "paid"])
    ['Currency Code']
    """
    return [
        name for name in have
        if "".join(c for c in name.casefold() if c.isalpha()) in _CALLED
    ]  # fmt: skip


def rates_of(rates: Rates | None) -> pd.DataFrame | None:
    """Table of rates with ``currency``, ``rate`` and ``date`` (NaT: always), checked.

    Raises
    ------
    DataContractError
        If columns are missing, a rate is no number above 0, or one stands twice.
    """
    import pandas as pd

    if rates is None:
        return None
    file = "rates"
    if isinstance(rates, Mapping):
        table = pd.DataFrame({"currency": list(rates), "rate": list(rates.values())})
    elif isinstance(rates, (str, Path)):
        tables = opened_tables(rates, FileWords())
        file = tables[0].file
        table = joined(tables, tables[0].have, {"currency", "date"})
    else:
        table = pd.DataFrame(rates).copy()
    lost = [name for name in ("currency", "rate") if name not in table.columns]
    if lost:
        raise DataContractError(
            ContractProblem(
                "rates",
                f"the table of rates has no column {' and no '.join(map(repr, lost))}; it has "
                f"{', '.join(repr(str(name)) for name in table.columns)}",
                "It needs currency and rate, and may have date, from which day on a rate holds.",
            )
        )
    names = [currency_of(one) or str(one).strip().upper() for one in table["currency"]]
    rate = money_of(table["rate"], "rate", file).values.to_numpy()
    date = np.full(len(table), "NaT", dtype="datetime64[us]")
    if "date" in table.columns:
        date = clock_times(table["date"], "date")
    made = pd.DataFrame({"currency": names, "rate": rate, "date": date})
    problems = []
    bad = ~(np.isfinite(rate) & (rate > 0))
    if bad.any():
        problems.append(
            ContractProblem(
                "rates", "rates must be numbers above 0", "Mend the table of rates.",
                int(bad.sum()), first_ids(made["currency"][bad]),
            )
        )  # fmt: skip
    twice = made.duplicated(["currency", "date"])
    if twice.any():
        problems.append(
            ContractProblem(
                "rates", "the table of rates has currencies more than once",
                "Leave one rate of each, or give the dates from which they hold.",
                int(twice.sum()), first_ids(made["currency"][twice]),
            )
        )  # fmt: skip
    if problems:
        raise DataContractError(problems)
    return made


def exchanged(
    frame: pd.DataFrame,
    time: str,
    read: Mapping[str, MoneyRead],
    factors: Sequence[str],
    coded: Sequence[str],
    rates: pd.DataFrame | None,
    file: str,
) -> dict[str, Any]:
    """Columns of money in one currency; the first factor that is paid in one is turned.

    Raises
    ------
    DataContractError
        If there are several currencies and no rates, or a currency has none.
    """
    values: dict[str, Any] = {name: one.values for name, one in read.items()}
    signed = [name for name, one in read.items() if one.currencies]
    codes, named = _codes(frame, read, coded, signed)
    if rates is None:
        if len(named) > 1:
            raise DataContractError(
                ContractProblem(
                    "mixed-currencies",
                    f"{file} has amounts in several currencies ({', '.join(named[:8])}), whose sum "
                    "means nothing",
                    "Give rates= (--rates), what one unit of each is worth in one of them; "
                    "currency_column= (--currency-column) names the column that tells them.",
                )
            )
        return values
    if not named:
        raise DataContractError(
            ContractProblem(
                "rates",
                f"nothing in {file} tells the currency of a row, of which rates= has several",
                "Say currency_column= (--currency-column), or leave the rates out.",
            )
        )
    factor = _factor(frame, time, codes, named, rates, file)
    turned = [name for name in (signed or factors) if name in factors][-1:] or list(factors[-1:])
    more = [name for name in values if name not in factors and _is_money(name, values)]
    for name in [*turned, *more]:
        values[name] = values[name] * factor
    return values


def _is_money(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a further column is money, not a share of it (a margin)."""
    known = values[name].dropna().abs()
    return bool(len(known)) and float(known.max()) > 1.0


def _codes(
    frame: pd.DataFrame, read: Mapping[str, MoneyRead], coded: Sequence[str], signed: Sequence[str]
) -> tuple[Any, list[str]]:
    """Currency of each row, by a column or by signs, and the different ones."""
    import pandas as pd

    if coded:
        texts = frame[coded[0]].astype(object)
        kinds = {
            one: currency_of(one) or str(one).strip().upper() for one in texts.dropna().unique()
        }
        codes = texts.map(kinds).to_numpy(dtype=object)
        codes = np.where(pd.isna(codes), "", codes)
    elif signed:
        codes = read[signed[0]].currency
        for name in signed[1:]:
            codes = np.where(codes == "", read[name].currency, codes)
    else:
        return np.full(len(frame), "", dtype=object), []
    return codes, [one for one in dict.fromkeys(codes.tolist()) if one]


def _factor(
    frame: pd.DataFrame, time: str, codes: Any, named: list[str], rates: pd.DataFrame, file: str
) -> Any:
    """Look up what one unit of each row's currency is worth."""
    import pandas as pd

    lost = [one for one in named if one not in set(rates["currency"])]
    if lost:
        count = int(np.isin(codes, lost).sum())
        raise DataContractError(
            ContractProblem(
                "rates",
                f"{file} has amounts in {', '.join(lost)}, which the table of rates does not have",
                "Add what one unit of it is worth.",
                count,
            )
        )
    bare = codes == ""
    home = rates.loc[rates["rate"] == 1.0, "currency"].unique()
    if bare.any() and len(home) != 1:
        raise DataContractError(
            ContractProblem(
                "rates",
                f"rows of {file} name no currency, and no single one has rate 1",
                "Say which currency they are in, or give the one of all amounts the rate 1.",
                int(bare.sum()),
                first_ids(str(at) for at in frame.index[bare][:5]),
            )
        )
    factor = np.ones(len(frame))
    dated = rates["date"].notna()
    days = None
    for one in named:
        here = codes == one
        mine = rates[(rates["currency"] == one)].sort_values("date", na_position="first")
        if not dated[mine.index].any():
            factor[here] = float(mine["rate"].iloc[0])
            continue
        if days is None:
            days = clock_times(frame[time], time)
        start = mine["date"].fillna(pd.Timestamp("1900-01-01")).to_numpy().astype("datetime64[us]")
        at = np.searchsorted(start, days[here], side="right") - 1
        if (at[~np.isnat(days[here])] < 0).any():
            raise DataContractError(
                ContractProblem(
                    "rates",
                    f"{file} has amounts in {one} before {str(start[0])[:10]}, the first day of "
                    "its rates",
                    "Add an earlier rate.",
                    int((at < 0).sum()),
                )
            )
        factor[here] = mine["rate"].to_numpy()[np.maximum(at, 0)]
    return factor
