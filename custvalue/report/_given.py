"""Tables that are given to the report, a section each: growth, markets, trade, segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from custvalue import _frames
from custvalue._words import MARKET
from custvalue.exceptions import ContractProblem, DataContractError, nearest
from custvalue.market._for_rooms import PARTS, TradeProfile
from custvalue.report._blocks import Block, Column, Shown, section, table, tile
from custvalue.report._collect import to_pandas
from custvalue.report._words import Words

TOP = 10
TYPICAL = 5  # differences shown of each segment
DOUBT = 0.05  # share of false discoveries among them

_GROWTH = ("quadrant", "customers", "base", "now", "change")
_PROFILE = ("segment", "column", "category", "customers", "inside", "rest", "everyone", "index",
            "difference", "z", "p_adjusted")  # fmt: skip
_MARKETS = {
    "size": ("Size", "money"),
    "growth": ("Growth a year", "share"),
    "suppliers": ("Suppliers", "int"),
    "concentration": ("HHI", "number"),
    "our_share": ("Our share", "bar"),
    "penetration": ("Penetration", "share"),
    "bdi": ("BDI", "int"),
    "cdi": ("CDI", "int"),
    "close_rate": ("Offers won", "share"),
    "customer_value": ("Value of a customer", "money"),
}
_BUYERS = ("buyer", "value", "market_share", "shipments", "suppliers", "concentration",
           "main_supplier", "main_share", "price_index", "silence", "next_due")  # fmt: skip


def in_english(
    given: Any, wanted: Sequence[str], maker: str, also: Iterable[str] = ()
) -> pd.DataFrame:
    """Read a table that the library made, in either language, under its English headings.

    Parameters
    ----------
    given : frame
    wanted : sequence of str
        Columns that it must have.
    maker : str
        Function that makes such tables; named in the error.
    also : iterable of str
        Columns that it may have.

    Raises
    ------
    DataContractError
        Naming every column that is missing.
    TypeError
        If it is no table.
    """
    if _frames.column_names(given) is None:
        raise TypeError(f"expected the table that {maker} makes, not {type(given).__name__}.")
    frame = to_pandas(given)
    headings = {MARKET.name(name, "zh"): name for name in (*wanted, *also)}
    frame = frame.rename(columns={c: headings.get(c, c) for c in frame.columns})
    lacking = [name for name in wanted if name not in frame]
    if lacking:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"the table lacks {', '.join(map(repr, lacking))}; it has "
                f"{', '.join(map(repr, map(str, frame.columns)))}",
                f"Pass what {maker} returns.{nearest(lacking[0], frame.columns)}",
            )
        )
    return frame.reset_index(drop=True)


# -- growth --------------------------------------------------------------------------------------


def growth_section(growth: Any, w: Words) -> Block:
    """Say where the change of revenue came from.

    Parameters
    ----------
    growth : frame
        What `custvalue.market.growth_table` returns, in either language.
    w : Words
    """
    frame = in_english(growth, _GROWTH, "growth_table", ["part"])
    english = {MARKET.name(word, "zh"): word for pair in PARTS for word in pair}
    for name in ("quadrant", "part"):
        if name in frame:
            frame[name] = [english.get(word, word) for word in frame[name]]
    base, now = float(frame["base"].sum()), float(frame["now"].sum())
    by = frame.groupby("quadrant", sort=False)["change"].sum()
    rows: list[dict[str, Any]] = []
    for row in _rows(frame):
        words: dict[str, Any] = {
            name: MARKET.name(row[name], w.language) for name in ("quadrant", "part") if name in row
        }
        rows.append({**row, **words, "share": row["change"] / base if base else float("nan")})
    whole: dict[str, Any] = dict.fromkeys(frame.columns, "")
    whole |= {"quadrant": w("All"), "customers": float("nan"), "base": base, "now": now}
    whole |= {"change": now - base, "share": (now - base) / base if base else float("nan")}
    part: list[Column] = [("part", w("Of which"), "text")] if "part" in frame else []
    columns: list[Column] = [
        ("quadrant", w("Source of growth"), "text"),
        *part,
        ("customers", w("Customers"), "int"),
        ("base", w("Base period"), "money"),
        ("now", w("This period"), "money"),
        ("change", w("Change"), "money"),
        ("share", w("Of the base"), "share"),
    ]
    caption = w("Revenue by existing and new customers and products; the rows add up to the whole")
    won, lost = by.sort_values().iloc[-1], by.sort_values().iloc[0]
    ahead, behind = str(by.idxmax()), str(by.idxmin())
    lead = w(
        "Revenue went from {base} to {now}, {share} of the base.",
        base=w.money(base),
        now=w.money(now),
        share=_signed(now - base, base, w),
    )
    if won > 0:
        lead += w(" ") + w("Most was won by {quadrant}: {money}.", money=w.money(won),
                           quadrant=MARKET.name(ahead, w.language))  # fmt: skip
    if lost < 0:
        lead += w(" ") + w("{quadrant} lost {money}.", money=w.money(-lost),
                           quadrant=MARKET.name(behind, w.language).capitalize())  # fmt: skip
    notes = [
        w("A customer who bought in several ways is counted in each; money is counted once."),
    ]
    return section(
        "growth",
        w("Growth"),
        w("Where growth came from"),
        lead,
        [table("growth-table", caption, columns, [*rows, whole], w), _notes(notes)],
    )


def _signed(change: float, base: float, w: Words) -> str:
    if not base:
        return w.cell(None, "share")
    return ("+" if change > 0 else "") + w.cell(change / base, "share")


# -- markets -------------------------------------------------------------------------------------


def is_market_table(markets: Any) -> bool:
    """Whether a table has what `custvalue.market.market_table` alone makes."""
    have = _frames.column_names(markets) or []
    return any(MARKET.name("our_share", language) in have for language in ("en", "zh"))


def market_numbers(markets: Any, w: Words) -> Block:
    """Table of the numbers of each market, as `custvalue.market.market_table` returns it."""
    frame = in_english(markets, ("market",), "market_table", _MARKETS)
    frame["market"] = frame["market"].astype(str)
    columns: list[Column] = [("market", w("Market"), "text")]
    for name in frame.columns:
        if name in _MARKETS:
            heading, kind = _MARKETS[name]
            columns.append((name, w(heading), kind))
        elif name != "market" and frame[name].dtype.kind in "iuf":
            columns.append((name, str(name), "int" if frame[name].dtype.kind in "iu" else "number"))
    if "size" in frame:
        frame = frame.sort_values("size", ascending=False, kind="stable")
    return table("market-numbers", w("The markets in numbers"), columns, _rows(frame), w)


def market_numbers_section(markets: Any, w: Words) -> Block:
    """Section about markets that nobody has ranked: their numbers."""
    frame = in_english(markets, ("market",), "market_table", _MARKETS)
    lead = []
    if "size" in frame and len(frame):
        top = frame.sort_values("size", kind="stable").iloc[-1]
        whole = float(frame["size"].sum())
        text = "{market} is the largest market, {share} of all."
        share = w.cell(float(top["size"]) / whole if whole else None, "share")
        lead.append(w(text, market=str(top["market"]), share=share))
    if "our_share" in frame and frame["our_share"].notna().any():
        top = frame.sort_values("our_share", na_position="first", kind="stable").iloc[-1]
        text = "Our share is largest in {market}: {share}."
        share = w.cell(float(top["our_share"]), "share")
        lead.append(w(text, market=str(top["market"]), share=share))
    return section(
        "markets",
        w("Markets"),
        w("Markets in numbers"),
        w(" ").join(lead) or w("What is known of each market."),
        [market_numbers(markets, w), _notes(_market_notes(frame, w))],
    )


def _market_notes(frame: pd.DataFrame, w: Words) -> list[str]:
    said = {
        "concentration": "HHI is the sum of the suppliers' squared shares: 1 is a single supplier.",
        "bdi": "BDI: our share of sales over the share of people, 100 is even; CDI is the same of "
        "all suppliers.",
        "close_rate": "Offers won is drawn to the mean of all markets where offers are few.",
    }
    return [w(text) for name, text in said.items() if name in frame]


# -- trade ---------------------------------------------------------------------------------------


def trade_section(trade: Any, w: Words) -> Block:
    """Say who buys from whom.

    Parameters
    ----------
    trade : TradeProfile or frame
        What `custvalue.market.trade_profile` returns, or its ``buyer_table()`` in either language.
    w : Words
    """
    profile = trade if isinstance(trade, TradeProfile) else None
    given = trade if profile is None else profile.buyer_table()
    buyers = in_english(given, _BUYERS, "trade_profile(...).buyer_table()")
    buyers = buyers.sort_values("value", ascending=False, kind="stable")
    value = float(buyers["value"].sum())
    top = buyers.head(TOP)
    tiles = [
        tile(w("Buyers"), w.cell(len(buyers), "int"),
             w("the largest {n} take {share}", n=len(top),
               share=w.cell(float(top["value"].sum()) / value if value else None, "share"))),
        tile(w("Shipments"), w.cell(int(buyers["shipments"].sum()), "int"), w.money(value)),
    ]  # fmt: skip
    if profile is not None:
        count = w.cell(profile.rows["supplier"].nunique(), "int")
        tiles.insert(1, tile(w("Suppliers"), count, ""))
    columns: list[Column] = [
        ("buyer", w("Buyer"), "text"),
        ("value", w("Value"), "money"),
        ("market_share", w("Share of the market"), "bar"),
        ("shipments", w("Shipments"), "int"),
        ("suppliers", w("Suppliers"), "int"),
        ("main_supplier", w("Main supplier"), "text"),
        ("main_share", w("Its share"), "share"),
        ("price_index", w("Price index"), "number"),
        ("silence", w("Days quiet"), "int"),
        ("next_due", w("Next due"), "date"),
    ]
    blocks: list[Block] = [{"type": "tiles", "tiles": tiles}]
    caption = w("The largest buyers")
    blocks.append(table("trade-buyers", caption, columns, _dated(top), w))
    if profile is not None and profile.ours is not None:
        found = profile.prospect_table().head(TOP)
        if len(found):
            blocks.append(_prospects(found, w))
    notes = [w("Price index: what a buyer paid over what the market paid for the same goods.")]
    if profile is not None:
        notes += _trade_notes(profile, w)
    blocks.append(_notes(notes))
    first = buyers.iloc[0]
    lead = w(
        "{buyer} is the largest buyer, {share} of the market; {part} of it comes from {supplier}.",
        buyer=str(first["buyer"]),
        share=w.cell(float(first["market_share"]), "share"),
        part=w.cell(float(first["main_share"]), "share"),
        supplier=str(first["main_supplier"]),
    )
    return section("trade", w("Trade"), w("Who buys from whom"), lead, blocks)


def _prospects(found: pd.DataFrame, w: Words) -> Block:
    rows = _dated(found)
    for row in rows:
        row["soon"] = w("yes") if row["due_soon"] else w("no")
    columns: list[Column] = [
        ("buyer", w("Buyer"), "text"),
        ("soon", w("Due soon"), "text"),
        ("next_due", w("Next due"), "date"),
        ("value", w("Value"), "money"),
        ("main_supplier", w("Main supplier"), "text"),
        ("main_share", w("Its share"), "share"),
        ("price_index", w("Price index"), "number"),
    ]
    caption = w("Buyers who do not buy from us, those due soon first")
    return table("trade-prospects", caption, columns, rows, w)


def _trade_notes(profile: TradeProfile, w: Words) -> list[str]:
    notes = []
    if odd := int(profile.rows["odd"].sum()):
        text = (
            "{n} shipments have a price beyond ten times the product's median, or none: they count "
            "in volume and in no price."
        )
        notes.append(w(text, n=w.cell(odd, "int")))
    if n := len(profile.merges):
        text = "{n} spellings of names were taken for another; the profile's merges list them."
        notes.append(w(text, n=w.cell(n, "int")))
    return notes


def _dated(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows whose ``next_due`` is a day in words, or none."""
    due = pd.to_datetime(frame["next_due"])
    days = [None if pd.isna(day) else str(day.date()) for day in due]
    rows = _rows(frame)
    for row, day in zip(rows, days, strict=True):
        row["next_due"] = day
    return rows


# -- segments ------------------------------------------------------------------------------------


def profile_section(profile: Any, w: Words) -> Block:
    """Say what is typical of each segment.

    Parameters
    ----------
    profile : frame
        What `custvalue.market.profile_table` returns, in either language.
    w : Words
    """
    frame = in_english(profile, _PROFILE, "profile_table")
    frame["category"] = ["" if pd.isna(word) else str(word) for word in frame["category"]]
    firm = frame[frame["p_adjusted"] < DOUBT].copy()
    firm["strength"] = firm["z"].abs()
    order = list(dict.fromkeys(frame["segment"].astype(str)))
    rows = []
    for segment in order:
        mine = firm[firm["segment"].astype(str) == segment]
        clearest = _rows(mine.sort_values("strength", ascending=False).head(TYPICAL))
        rows += [_typical(row, segment, w) for row in clearest]
    plain = [name for name in order if name not in {row["segment"] for row in rows}]
    columns: list[Column] = [
        ("segment", w("Segment"), "text"),
        ("what", w("What sets it apart"), "text"),
        ("inside", w("In the segment"), "shown"),
        ("rest", w("In the rest"), "shown"),
        ("index", w("Index (100 is all)"), "int"),
        ("difference", w("Standard deviations apart"), "number"),
    ]
    caption = w("What is typical of each segment: its {n} clearest differences", n=TYPICAL)
    notes = [
        w(
            "{k} of {n} comparisons hold with at most {share} false discoveries among them (p "
            "values adjusted by Benjamini and Hochberg).",
            k=w.cell(len(firm), "int"),
            n=w.cell(len(frame), "int"),
            share=w.cell(DOUBT, "share"),
        ),
        w("They say how segments differ, not why."),
    ]
    if plain:
        notes.insert(0, w("Nothing sets apart: {list}.", list=w(", ").join(plain)))
    blocks = [_notes(notes)]
    if rows:
        blocks.insert(0, table("profile-table", caption, columns, rows, w))
    return section(
        "profile",
        w("Profiles"),
        w("What is typical of each segment"),
        w("{n} segments, each held against all other customers.", n=len(order)),
        blocks,
    )


def _typical(row: dict[str, Any], segment: str, w: Words) -> dict[str, Any]:
    category = row["category"]
    kind = "share" if category else "int" if abs(row["everyone"]) >= 100 else "number"
    what = f"{row['column']}: {category}" if category else str(row["column"])
    return {
        "segment": segment,
        "what": what,
        "inside": Shown(w.cell(row["inside"], kind), row["inside"]),
        "rest": Shown(w.cell(row["rest"], kind), row["rest"]),
        "index": row["index"],
        "difference": row["difference"],
    }


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _notes(notes: list[str]) -> Block:
    return {"type": "notes", "notes": notes}
