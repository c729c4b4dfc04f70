"""Trade records: who buys from whom, at what price, in which rhythm; customs data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custvalue._dates import read_date
from custvalue._units import Span, in_units
from custvalue._warn import warn_caller
from custvalue._words import MARKET, Language, check_language
from custvalue.data import summarize
from custvalue.exceptions import DataWarning, nearest
from custvalue.market._company_names import merged_names
from custvalue.market._market_table import herfindahl
from custvalue.market._trade_rows import shipment_rows, usual_price
from custvalue.silence import SilenceScorer

ODD = 10.0  # times the product's median price, or a part of it


@dataclass(frozen=True)
class TradeProfile:
    """Buyers, their suppliers, prices, ports and months, from records of shipments.

    Made by :func:`trade_profile`. All tables are pandas; ``language="zh"`` gives Chinese columns.

    Parameters
    ----------
    rows : DataFrame
        The shipments in one vocabulary: ``buyer``, ``supplier``, ``product``, ``time``,
        ``quantity``, ``value``, ``price``, ``usual_price`` (of its product, quarter where asked),
        ``odd`` (price beyond ten times the product's median either way); ``port``, ``country``.
    summary : DataFrame
        One row a buyer, as ``custvalue.summarize`` makes it, in days.
    merges : DataFrame
        Spellings that were taken for another: ``what``, ``spelling``, ``merged_into``, ``rows``.
    as_of : Timestamp
    ours : str or None
        The supplier that is us.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.market import trade_profile
    >>> shipments = pd.DataFrame({"buyer": ["K", "K", "L"], "supplier": ["S1", "S2", "S2"],
    ...     "what": ["bolt"] * 3, "on": pd.to_datetime(["2024-01-05", "2024-03-05", "2024-02-01"]),
    ...     "pieces": [100, 80, 50], "paid": [1000.0, 720.0, 475.0]})
    >>> profile = trade_profile(shipments, buyer="buyer", supplier="supplier", product="what",
    ...     time="on", quantity="pieces", value="paid", as_of="2024-04-01")
    >>> profile.buyer_table()[["buyer", "value", "rank", "shipments", "suppliers"]]
      buyer   value  rank  shipments  suppliers
    0     K  1720.0     1          2          2
    1     L   475.0     2          1          1
    """

    rows: pd.DataFrame
    summary: pd.DataFrame
    merges: pd.DataFrame
    as_of: pd.Timestamp
    ours: str | None = None

    def buyer_table(self, *, language: Language = "en") -> pd.DataFrame:
        """One row a buyer, the largest first.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``buyer``, ``value``, ``rank``, ``market_share``, ``shipments``, ``months_active`` (with
            a shipment), ``last`` shipment, ``silence`` in days, ``silence_score`` (S: silence over
            the longest own gap, of a buyer with one order over the usual longest gap; NaN where
            nobody ordered on two days), ``next_due`` (last order plus the mean own gap; missing
            with one order), ``suppliers``, ``concentration`` of their shares, ``main_supplier``,
            ``main_share``, ``longest_supplier``, ``newest_supplier``, ``newest_share``,
            ``price_index`` (what the buyer paid over what the market paid for the same goods).
        """
        by = self.rows.groupby("buyer")
        table = pd.DataFrame({"value": by["value"].sum()})
        table["rank"] = table["value"].rank(ascending=False, method="min").astype(int)
        whole = table["value"].sum()
        table["market_share"] = table["value"] / whole if whole else np.nan
        table["shipments"] = by.size()
        month = self.rows["time"].dt.to_period("M")
        table["months_active"] = month.groupby(self.rows["buyer"]).nunique()
        table["last"] = by["time"].max()
        table = table.join(self._rhythm())
        links = self.supplier_table()
        best = links.groupby("buyer")
        table["suppliers"] = best.size()
        table["concentration"] = best["value"].agg(herfindahl)
        for what, column, highest in (
            ("main", "value", True),
            ("longest", "span_days", True),
            ("newest", "first", True),
        ):
            top = links.sort_values([column, "value"], ascending=[not highest, False])
            top = top.drop_duplicates("buyer").set_index("buyer")
            table[f"{what}_supplier"] = top["supplier"]
            if what != "longest":
                table[f"{what}_share"] = top["share"]
        table["price_index"] = self._price_index("buyer")
        table = table.reset_index().sort_values(["rank", "buyer"], ignore_index=True)
        return _labelled(table, language)

    def _rhythm(self) -> pd.DataFrame:
        """Silence, S and next due date of each buyer."""
        facts = self.summary
        table = pd.DataFrame({"silence": facts["silence"].to_numpy()}, index=facts["buyer"])
        table["silence_score"] = np.nan
        repeated = facts["n_gaps"].to_numpy() > 0
        if repeated.any():
            scorer = SilenceScorer(words=False).fit(facts)
            table["silence_score"] = scorer.transform(facts)["silence_score"].to_numpy()
        days = pd.to_timedelta(facts["gap_mean"].where(repeated).to_numpy(), unit="D")
        last = self.as_of.normalize() - pd.to_timedelta(facts["silence"].to_numpy(), unit="D")
        table["next_due"] = (last + days).round("D")
        return table

    def _price_index(self, by: str | list[str]) -> pd.Series:
        """Money paid over what the usual price would have been; odd prices are left out."""
        fair = self.rows[~self.rows["odd"]]
        usual = (fair["quantity"] * fair["usual_price"]).groupby([fair[c] for c in _list(by)])
        return fair.groupby(by)["value"].sum() / usual.sum()

    def supplier_table(
        self, buyer: str | None = None, *, language: Language = "en"
    ) -> pd.DataFrame:
        """Share of each supplier in what each buyer buys (供货份额).

        Parameters
        ----------
        buyer : str, optional
            Only this one.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``buyer``, ``supplier``, ``value``, ``share``, ``shipments``, ``first``, ``last``,
            ``span_days`` between them, ``price_index``; largest share first.
        """
        by = self.rows.groupby(["buyer", "supplier"])
        table = by["value"].sum().to_frame()
        table["share"] = table["value"] / table.groupby("buyer")["value"].transform("sum")
        table["shipments"] = by.size()
        table["first"], table["last"] = by["time"].min(), by["time"].max()
        table["span_days"] = (table["last"] - table["first"]).dt.days
        table["price_index"] = self._price_index(["buyer", "supplier"])
        table = table.reset_index().sort_values(
            ["buyer", "value", "supplier"], ascending=[True, False, True], ignore_index=True
        )
        return _labelled(self._of(table, buyer), language)

    def price_table(self, buyer: str | None = None, *, language: Language = "en") -> pd.DataFrame:
        """Prices that each buyer paid each supplier for each product (心理承受价位).

        Parameters
        ----------
        buyer : str, optional
            Only this one.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``buyer``, ``product``, ``supplier``, ``quantity``, ``mean_price``, ``lowest_price``,
            ``last_price``, ``market_price`` (of the product, all buyers), ``price_index``. Odd
            prices are in :meth:`odd_price_table` and not in here.
        """
        fair = self.rows[~self.rows["odd"]].sort_values("time", kind="stable")
        key = ["buyer", "product", "supplier"]
        by = fair.groupby(key)
        table = by[["quantity", "value"]].sum()
        table["mean_price"] = table["value"] / table["quantity"]
        table["lowest_price"] = by["price"].min()
        table["last_price"] = by["price"].last()
        market = fair.groupby("product")[["value", "quantity"]].sum()
        price = market["value"] / market["quantity"]
        table["market_price"] = price.reindex(table.index.get_level_values("product")).to_numpy()
        table["price_index"] = self._price_index(key)
        table = table.drop(columns="value").reset_index()
        return _labelled(self._of(table, buyer), language)

    def prospect_table(
        self, *, by: str | None = None, due_within: Span = "90D", language: Language = "en"
    ) -> pd.DataFrame:
        """Buyers who do not buy from us yet, those due soon first.

        Parameters
        ----------
        by : str, optional
            Column of :meth:`buyer_table` to rank by, largest first; default: value times (1 -
            concentration), large buyers who are not in one supplier's hands.
        due_within : span, default="90D"
            Who is due within this time of the end of observation, or overdue by less than it, is
            due soon.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``buyer``, ``score``, ``due_soon``, ``next_due``, ``value``, ``suppliers``,
            ``concentration``, ``main_supplier``, ``main_share``, ``price_index``,
            ``silence_score``.

        Raises
        ------
        ValueError
            If the profile was made without ``ours``, or ``by`` is no column with numbers.
        """
        if self.ours is None:
            raise ValueError("who are we? trade_profile(..., ours='our name as a supplier').")
        table = self.buyer_table()
        numbers = [name for name in table.columns if table[name].dtype.kind in "iuf"]
        if by is not None and by not in numbers:
            raise ValueError(f"by={by!r} must be one of {numbers}.{nearest(by, numbers)}")
        ours = set(self.rows.loc[self.rows["supplier"] == self.ours, "buyer"])
        table = table[~table["buyer"].isin(ours)].copy()
        table["score"] = table[by] if by else table["value"] * (1.0 - table["concentration"])
        days = in_units(due_within, "D", "due_within")
        away = (table["next_due"] - self.as_of.normalize()).dt.days.abs()
        table["due_soon"] = (away <= days).to_numpy()
        table = table.sort_values(
            ["due_soon", "score"], ascending=False, kind="stable", ignore_index=True
        )
        shown = ["buyer", "score", "due_soon", "next_due", "value", "suppliers", "concentration",
                 "main_supplier", "main_share", "price_index", "silence_score"]  # fmt: skip
        return _labelled(table[shown], language)

    def port_table(self, *, language: Language = "en") -> pd.DataFrame:
        """Volume by port or place of origin: where makers gather (厂家聚集地).

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``port``, ``value``, ``share``, ``shipments``, ``suppliers``, ``buyers``.
        """
        self._needs("port", "port_table")
        by = self.rows.groupby("port")
        table = by["value"].sum().to_frame()
        table["share"] = table["value"] / table["value"].sum()
        table["shipments"] = by.size()
        table["suppliers"], table["buyers"] = by["supplier"].nunique(), by["buyer"].nunique()
        table = table.sort_values("value", ascending=False, kind="stable").reset_index()
        return _labelled(table, language)

    def season_table(self, *, language: Language = "en") -> pd.DataFrame:
        """Share of each calendar month in the value, by country where there is one.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``country`` (where the profile has it), ``month`` (1 to 12), ``value``, ``share``,
            ``full_years``. Only whole calendar years count; of less than one all months do.

        Warns
        -----
        DataWarning
            If there are fewer than two whole calendar years: a habit cannot be told from a chance.
        """
        time = self.rows["time"]
        first, last = time.min(), max(time.max(), self.as_of)
        start = first.year + ((first.month, first.day) != (1, 1))
        end = last.year - ((last.month, last.day) != (12, 31))
        years = max(end - start + 1, 0)
        if years < 2:
            warn_caller(
                f"the records hold {years} whole calendar years: a season cannot be told from "
                "chance with fewer than two.",
                DataWarning,
            )
        whole = time.dt.year.between(start, end) if years else time.notna()
        rows = self.rows[whole].assign(month=time[whole].dt.month)
        key = ["country"] if "country" in rows else []
        table = rows.groupby([*key, "month"])["value"].sum().rename("value").reset_index()
        total = table.groupby(key)["value"].transform("sum") if key else table["value"].sum()
        table["share"] = table["value"] / total
        return _labelled(table.assign(full_years=years), language)

    def odd_price_table(self, *, language: Language = "en") -> pd.DataFrame:
        """Shipments whose price is beyond ten times the product's median, either way, or nothing.

        They count in volumes and shares, but in no price.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``row`` (position in the records, from 0), ``buyer``, ``supplier``, ``product``,
            ``quantity``, ``value``, ``price``, ``median_price``.
        """
        median = self.rows.groupby("product")["price"].transform("median")
        table = self.rows.assign(row=np.arange(len(self.rows)), median_price=median)
        shown = ["row", "buyer", "supplier", "product", "quantity", "value", "price",
                 "median_price"]  # fmt: skip
        return _labelled(table.loc[table["odd"], shown].reset_index(drop=True), language)

    def _of(self, table: pd.DataFrame, buyer: str | None) -> pd.DataFrame:
        if buyer is None:
            return table
        known = set(self.rows["buyer"])
        if buyer not in known:
            raise ValueError(f"nobody is called {buyer!r}.{nearest(buyer, known)}")
        return table[table["buyer"] == buyer].reset_index(drop=True)

    def _needs(self, column: str, caller: str) -> None:
        if column not in self.rows:
            raise ValueError(f"{caller} needs trade_profile(..., {column}='name of the column').")


def trade_profile(
    shipments: Any,
    *,
    buyer: str,
    supplier: str,
    product: str,
    time: str,
    quantity: str,
    value: str,
    quantity_unit: str | None = None,
    port: str | None = None,
    country: str | None = None,
    ours: str | None = None,
    quarterly: bool = False,
    as_of: Any = None,
    time_format: str | None = None,
) -> TradeProfile:
    """Read records of shipments: buyers, suppliers' shares, prices, prospects, ports, season.

    Names of buyers and suppliers are folded: case, spaces, punctuation and legal forms (Ltd, GmbH,
    有限公司) make no other company. Nothing else is guessed; every merge is listed.

    Parameters
    ----------
    shipments : frame
        One row a shipment of a product.
    buyer, supplier, product, time, quantity, value : str
        Its columns.
    quantity_unit : str, optional
        Column with the unit of the quantity; a product in two units is refused.
    port, country : str, optional
        Columns for :meth:`TradeProfile.port_table` and :meth:`TradeProfile.season_table`.
    ours : str, optional
        We as a supplier; for :meth:`TradeProfile.prospect_table`.
    quarterly : bool, default=False
        Whether a price is held against the product's price of the same quarter.
    as_of : date, optional
        End of observation; default: the last shipment. Later rows are refused.
    time_format : str, optional
        How to read times that are text and not ISO 8601, e.g. ``"%d-%b-%y"``.

    Returns
    -------
    TradeProfile

    Raises
    ------
    DataContractError
        All at once: missing columns, values or unreadable times; quantities not above zero or
        values below it; a product in more than one unit; shipments after ``as_of``.
    ValueError
        If ``ours`` is no supplier.

    Warns
    -----
    DataWarning
        If spellings were merged, or prices are odd: how many, and where they are listed.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.market import trade_profile
    >>> shipments = pd.DataFrame({"buyer": ["K", "K"], "supplier": ["S1", "S2"],
    ...     "what": ["bolt"] * 2, "on": ["2024-01-05", "2024-03-05"], "pieces": [100, 80],
    ...     "paid": [1000.0, 720.0]})
    >>> profile = trade_profile(shipments, buyer="buyer", supplier="supplier", product="what",
    ...     time="on", quantity="pieces", value="paid")
    >>> profile.supplier_table()[["supplier", "share"]].round(3)
      supplier  share
    0       S1  0.581
    1       S2  0.419
    """
    columns = {"buyer": buyer, "supplier": supplier, "product": product, "time": time}
    extra = {"quantity_unit": quantity_unit, "port": port, "country": country}
    columns |= {what: name for what, name in extra.items() if name is not None}
    end = None if as_of is None else read_date(as_of)
    rows = shipment_rows(shipments, columns, quantity, value, time_format, end)
    merges = []
    for what in ("buyer", "supplier"):
        rows[what], merged = merged_names(rows[what].to_numpy())
        merges.append(merged.assign(what=what))
    table = pd.concat(merges, ignore_index=True)[["what", "spelling", "merged_into", "rows"]]
    if len(table):
        first = ", ".join(f"{a!r} = {b!r}" for a, b in table.iloc[:3, 1:3].to_numpy())
        warn_caller(
            f"{len(table):,} spellings were taken for another ({first}); all are in .merges.",
            DataWarning,
        )
    if ours is not None:
        suppliers = set(rows["supplier"])
        known = dict(zip(table["spelling"], table["merged_into"], strict=True))
        ours = known.get(ours, ours)
        if ours not in suppliers:
            raise ValueError(f"ours={ours!r} is no supplier.{nearest(ours, suppliers)}")
    rows["price"] = rows["value"] / rows["quantity"]
    median = rows.groupby("product")["price"].transform("median")
    rows["odd"] = ~((rows["price"] <= ODD * median) & (rows["price"] * ODD >= median))
    rows["odd"] |= rows["price"] <= 0
    if rows["odd"].any():
        warn_caller(
            f"{int(rows['odd'].sum()):,} shipments have a price beyond {ODD:g} times the median of "
            "their product, or none; they count in no price: odd_price_table() lists them.",
            DataWarning,
        )
    rows["usual_price"] = usual_price(rows, quarterly)
    end = rows["time"].max() if end is None else end
    summary = summarize(
        rows[["buyer", "time", "value"]],
        customer="buyer",
        time="time",
        amount="value",
        as_of=end.normalize(),
        zero_amounts="keep",  # what was given away was shipped all the same
    )
    return TradeProfile(rows, summary, table, end, ours)


def _list(by: str | list[str]) -> list[str]:
    return [by] if isinstance(by, str) else by


def _labelled(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    language = check_language(language)
    return table.set_axis(
        list(MARKET.table(dict.fromkeys(map(str, table.columns)), language)), axis=1
    )
