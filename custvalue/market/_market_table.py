"""Numbers of each market: size, growth, rivalry, our share, brand and category development."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._typing import Floats
from custvalue._words import MARKET, Language, check_language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, nearest
from custvalue.market._columns import check_columns
from custvalue.purchase import BetaBinomialResponse


def herfindahl(shares: npt.ArrayLike) -> float:
    """Herfindahl-Hirschman index of concentration, the sum of squared shares.

    Parameters
    ----------
    shares : array-like of shape (n,)
        Shares or amounts, none below zero; scaled to sum to one.

    Returns
    -------
    float
        1/n for n equal suppliers, 1 for a single one; NaN where all are zero.

    Raises
    ------
    ValueError
        If an amount is negative or not finite.

    Examples
    --------
    >>> round(herfindahl([0.4, 0.3, 0.2, 0.1]), 12)
    0.3
    """
    amount = np.asarray(shares, dtype=np.float64)
    if not (np.isfinite(amount) & (amount >= 0)).all():
        raise ValueError("shares must be finite and not negative.")
    total = amount.sum()
    return float(((amount / total) ** 2).sum()) if total > 0 else float("nan")


def market_table(
    sales: Any,
    markets: Any = None,
    *,
    market: str,
    value: str,
    supplier: str,
    ours: str,
    year: str | None = None,
    people: str | None = None,
    customers: str | None = None,
    offers: str | None = None,
    wins: str | None = None,
    language: Language = "en",
) -> Any:
    """Describe each market by what was sold there, by whom, and to how many.

    Parameters
    ----------
    sales : frame
        Rows of sales, ours and our rivals': market, supplier, value, and with ``year`` the year.
    markets : frame, optional
        One row a market, with the columns named below; its further numbers (such as
        ``customer_value`` from a model) are handed through.
    market, value, supplier : str
        Columns of ``sales``; ``market`` is that of ``markets``, too.
    ours : str
        The supplier that is us.
    year : str, optional
        Column of ``sales`` with whole years; the last one is described, and growth is from the
        first to it. Without it all rows are one period and there is no growth.
    people : str, optional
        Column of ``markets``: people, households or companies that could buy.
    customers : str, optional
        Column of ``markets``: how many of them are our customers.
    offers, wins : str, optional
        Columns of ``markets``: offers made and won; both or none.
    language : {"en", "zh"}, default="en"
        Language.

    Returns
    -------
    frame of the kind of ``sales``
        One row a market, sorted by name: ``market``; ``size`` (sales of all suppliers in the last
        year); ``growth`` a year (compound; NaN where a market had no sales in the first year);
        ``suppliers``; ``concentration`` (Herfindahl-Hirschman); ``our_share``; where columns were
        named, ``penetration`` (customers / people), ``bdi`` and ``cdi`` (brand and category
        development index: share of our sales, or of all sales, over the share of people, times
        100), ``close_rate`` (wins / offers drawn to the mean of all markets as far as offers are
        few: beta-binomial); then further numbers of ``markets``.

    Raises
    ------
    DataContractError
        If columns are missing, amounts negative or missing, a market of ``sales`` is not in
        ``markets`` or stands there twice, or ``wins`` exceed ``offers``: all at once.
    ValueError
        If ``ours`` sold nothing, or only one of ``offers`` and ``wins`` is named.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.market import market_table
    >>> sales = pd.DataFrame({"place": ["x", "x", "y"], "who": ["we", "they", "they"],
    ...                       "sold": [20.0, 60.0, 120.0]})
    >>> places = pd.DataFrame({"place": ["x", "y"], "people": [10, 30]})
    >>> market_table(sales, places, market="place", value="sold", supplier="who", ours="we",
    ...              people="people")[["market", "our_share", "bdi", "cdi"]]
      market  our_share    bdi    cdi
    0      x       0.25  400.0  160.0
    1      y       0.00    0.0   80.0
    """
    language = check_language(language)
    if (offers is None) != (wins is None):
        raise ValueError("offers and wins go together: name both or none.")
    asked = {"people": people, "customers": customers, "offers": offers, "wins": wins}
    wanted = {what: name for what, name in asked.items() if name is not None}
    if wanted and markets is None:
        raise ValueError(f"{', '.join(wanted)} are columns of markets; pass that table too.")
    sold = {"market": market, "supplier": supplier, "value": value, "year": year}
    check_columns(sales, sold, "sales")
    if markets is not None:
        check_columns(markets, {"market": market, **wanted}, "markets")
    years = [year] if year is not None else []
    numbers = _frames.float_columns(sales, [value, *years], caller="market_table's sales")
    rows = pd.DataFrame({"value": numbers[:, 0]})
    for what, name in (("market", market), ("supplier", supplier)):
        rows[what] = np.asarray(_frames.column(sales, name), dtype=object)
    rows["year"] = numbers[:, 1] if years else 0.0
    problems = _problems_of(rows, value, year)
    about = None
    if markets is not None:
        about, found = _about(markets, market, rows["market"], wanted)
        problems += found
    if problems:
        raise DataContractError(problems)
    if ours not in set(rows["supplier"]):
        raise ValueError(
            f"ours={ours!r} sold nothing; suppliers are {sorted(set(rows['supplier']))[:10]}."
            f"{nearest(ours, set(rows['supplier']))}"
        )
    first, last = rows["year"].min(), rows["year"].max()
    now = rows[rows["year"] == last]
    names = sorted(set(rows["market"]) if about is None else set(about.index))
    size = now.groupby("market")["value"].sum().reindex(names, fill_value=0.0)
    mine = now[now["supplier"] == ours].groupby("market")["value"].sum()
    mine = mine.reindex(names, fill_value=0.0)
    by_supplier = now.groupby(["market", "supplier"])["value"].sum()
    by_supplier = by_supplier[by_supplier > 0]
    out: dict[str, Any] = {"market": names, "size": size.to_numpy()}
    if year is not None:
        start = rows[rows["year"] == first].groupby("market")["value"].sum().reindex(names)
        out["growth"] = _growth(start.to_numpy(), size.to_numpy(), float(last - first))
    grouped = by_supplier.groupby("market")
    out["suppliers"] = grouped.size().reindex(names, fill_value=0).to_numpy()
    out["concentration"] = grouped.apply(herfindahl).reindex(names).to_numpy(dtype=float)
    out["our_share"] = _ratio(mine.to_numpy(), size.to_numpy())
    if about is not None:
        out |= _per_head(about.loc[names], wanted, mine.to_numpy(), size.to_numpy())
        if offers is not None and wins is not None:
            out["close_rate"] = _close_rate(about.loc[names, [offers, wins]].to_numpy())
        for name in about.columns:
            if name not in wanted.values():
                out[str(name)] = about.loc[names, name].to_numpy()
    return _frames.new_table(sales, MARKET.table(out, language))


def _problems_of(rows: pd.DataFrame, value: str, year: str | None) -> list[ContractProblem]:
    problems = []
    for what in ("market", "supplier"):
        lacking = np.flatnonzero(rows[what].isna())
        if len(lacking):
            problems.append(
                ContractProblem(
                    f"missing-{what}",
                    f"sales has rows without a {what}",
                    "Name it, or drop these rows.",
                    len(lacking),
                    first_ids(lacking),
                )
            )
    below = np.flatnonzero(rows["value"] < 0)
    if len(below):
        problems.append(
            ContractProblem(
                "negative-value",
                f"sales has negative values in {value!r}",
                "Take returns off the sales they belong to, so that shares mean something.",
                len(below),
                first_ids(below),
            )
        )
    broken = np.flatnonzero(rows["year"] != np.floor(rows["year"]))
    if len(broken):
        problems.append(
            ContractProblem(
                "year",
                f"sales has fractions in {year!r}",
                "Give whole years.",
                len(broken),
                first_ids(broken),
            )
        )
    return problems


def _about(
    markets: Any, market: str, sold: pd.Series, wanted: dict[str, str]
) -> tuple[pd.DataFrame | None, list[ContractProblem]]:
    """Numbers of each market, and what is wrong with them."""
    names = np.asarray(_frames.column(markets, market), dtype=object)
    problems = []
    twice = np.flatnonzero(pd.Series(names).duplicated())
    if len(twice):
        problems.append(
            ContractProblem(
                "market-twice",
                "markets has a market more than once",
                "One row a market.",
                len(twice),
                first_ids(names[twice]),
            )
        )
    unknown = sorted(set(sold.dropna()) - set(names))
    if unknown:
        problems.append(
            ContractProblem(
                "unknown-market",
                "sales has markets that markets has not",
                "Add a row for each.",
                len(unknown),
                first_ids(unknown),
            )
        )
    have = _frames.column_names(markets) or []
    columns = {
        name: _frames.column(markets, name)
        for name in have
        if name != market and _frames.column(markets, name).dtype.kind in "iufb"
    }
    checked = (
        _frames.float_columns(markets, list(wanted.values()), caller="markets") if wanted else None
    )
    if checked is not None:
        for (what, name), column in zip(wanted.items(), checked.T, strict=True):
            bad = np.flatnonzero(column <= 0 if what == "people" else column < 0)
            if len(bad):
                least = "above zero" if what == "people" else "not negative"
                problems.append(
                    ContractProblem(
                        "count",
                        f"markets: {name!r} must be {least}",
                        "Correct these rows.",
                        len(bad),
                        first_ids(names[bad]),
                    )
                )
        if "offers" in wanted:
            places = list(wanted)
            over = checked[:, places.index("wins")] > checked[:, places.index("offers")]
            if over.any():
                problems.append(
                    ContractProblem(
                        "wins-over-offers",
                        f"markets has more {wanted['wins']!r} than {wanted['offers']!r}",
                        "An offer is won once.",
                        int(over.sum()),
                        first_ids(names[over]),
                    )
                )
    if twice.size:
        return None, problems
    return pd.DataFrame(columns, index=pd.Index(names)), problems


def _growth(start: Floats, end: Floats, years: float) -> Floats:
    """Compound growth a year; NaN where it began with nothing or there is no second year."""
    if not years > 0:
        return np.full(len(end), np.nan)
    some = start > 0
    ratio = np.divide(end, start, out=np.full(len(end), np.nan), where=some)
    return ratio ** (1.0 / years) - 1.0


def _per_head(
    about: pd.DataFrame, wanted: dict[str, str], mine: Floats, size: Floats
) -> dict[str, Floats]:
    if "people" not in wanted:
        return {}
    people = about[wanted["people"]].to_numpy(dtype=float)
    share = people / people.sum()
    out = {}
    if "customers" in wanted:
        out["penetration"] = about[wanted["customers"]].to_numpy(dtype=float) / people
    out["bdi"] = 100.0 * _ratio(mine, np.full(len(mine), mine.sum())) / share
    out["cdi"] = 100.0 * _ratio(size, np.full(len(size), size.sum())) / share
    return out


def _close_rate(counts: npt.NDArray[Any]) -> Floats:
    """Chance that the next offer is won: each market's own record, drawn to that of all."""
    offers, wins = counts.T.astype(np.float64)
    rows = np.column_stack([wins, wins, offers])
    return np.asarray(BetaBinomialResponse().fit(rows).predict(rows, horizon=1))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
