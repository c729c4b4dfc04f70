"""The whole report cut by a property of the customer: groups whose sums are the page's totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from custvalue.report._blocks import Block, Column, Shown, section, span, table, tile
from custvalue.report._campaign import QUIET
from custvalue.report._short import total_holds, total_refuted
from custvalue.report._words import Words

if TYPE_CHECKING:
    from custvalue._typing import Ints
    from custvalue.data import TransactionLog
    from custvalue.evaluation import BestValue
    from custvalue.report._collect import Asked

MOST = 8  # groups of their own; the rest is one
VALUE, OTHERS, NONE = "value", "others", "none"
PARTS = {"segments": "segment", "stages": "stage", "silence": "silence_grade"}


@dataclass(frozen=True)
class Cut:
    """Customers in groups by a column of the log.

    Parameters
    ----------
    column : str
        Of the log.
    labels : Series
        Value of each customer as text; missing where there is none.
    kinds, names : tuple of str
        Of each group: ``"value"``, ``"others"`` or ``"none"``, and its value; the group with most
        spend first, others and none last.
    at : ndarray of shape (n_customers,)
        Group of each customer.
    ends : ndarray of shape (n_groups, 2)
        Interval of each group's future value.
    n_values, several, missing : int
        Different values; customers with more than one, of whom the last counts; and with none.
    """

    column: str
    labels: pd.Series
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    at: Ints
    ends: Any
    n_values: int
    several: int
    missing: int


def cut_by(
    asked: Asked,
    summary: pd.DataFrame,
    log: TransactionLog,
    model: BestValue,
    rows: Any,
    level: float,
) -> Cut:
    """Put the customers into groups, and ask the model for each group's total.

    Parameters
    ----------
    asked : Asked
        ``by`` is one of the log's columns.
    summary : DataFrame
        With that column.
    log : TransactionLog
    model : BestValue
        Fitted.
    rows : OpenedTable
        The log as the model has read it.
    level : float
        Of the intervals.
    """
    assert asked.by is not None
    labels = as_text(summary[asked.by])
    spend = summary["total_value"].groupby(labels.to_numpy()).sum()
    spend = spend.sort_values(ascending=False, kind="stable")
    own = list(spend.index[: MOST if len(spend) > MOST + 1 else MOST + 1])
    kinds, names = [VALUE] * len(own), list(own)
    place = {name: k for k, name in enumerate(own)}
    at = labels.map(place).to_numpy(dtype=float, na_value=np.nan).copy()
    missing = labels.isna().to_numpy()
    rest = np.isnan(at) & ~missing
    for kind, here in ((OTHERS, rest), (NONE, missing)):
        if here.any():
            at[here] = len(kinds)
            kinds.append(kind)
            names.append("")
    group = at.astype(np.int64)
    return Cut(
        asked.by,
        labels,
        tuple(kinds),
        tuple(names),
        group,
        group_ranges(model, rows, group, len(kinds), level),
        len(spend),
        len(log.several(asked.by)),
        int(missing.sum()),
    )


def as_text(values: pd.Series) -> pd.Series:
    """Values as people write them: whole numbers without a point, dates without a midnight.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.report._by import as_text
    >>> as_text(pd.Series([1.0, None, 2.5])).tolist()
    ['1', nan, '2.5']
    """
    missing = values.isna().to_numpy()
    if values.dtype.kind == "M":
        said = values.astype(str).str.removesuffix(" 00:00:00")
    elif values.dtype.kind == "f":
        said = values.map(lambda v: f"{v:.12g}")
    else:
        said = values.astype(object).map(lambda v: str(v).strip())
    nothing = missing | (said == "").to_numpy(dtype=bool)
    return said.astype(object).mask(nothing, np.nan).reset_index(drop=True)


def group_ranges(model: Any, rows: Any, at: Ints, n_groups: int, level: float) -> Any:
    """Interval of each group's future value, shape (n_groups, 2)."""
    totals = model.predict_total(rows, groups=at, level=level)
    if "lower" in totals:
        return totals[["lower", "upper"]].to_numpy(dtype=float)
    # spend whose variance is infinite, or a fit without standard errors: outcomes can be drawn
    drawn = [
        np.bincount(at, weights=one, minlength=n_groups)
        for seed in range(20)
        for one in model.draws(rows, n_draws=20, random_state=seed)
    ]
    low, high = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    value = totals["value"].to_numpy(dtype=float)
    return np.column_stack([np.minimum(low, value), np.maximum(high, value)])


def by_facts(cut: Cut, customers: pd.DataFrame, total: tuple[float, float]) -> dict[str, Any]:
    """Numbers of the section, plain JSON values.

    Parameters
    ----------
    cut : Cut
    customers : DataFrame
        The report's table.
    total : (float, float)
        Interval of all customers' value.
    """
    groups = []
    for k, (kind, name) in enumerate(zip(cut.kinds, cut.names, strict=True)):
        part = customers[cut.at == k]
        ends = (float(cut.ends[k, 0]), float(cut.ends[k, 1]))
        groups.append({"kind": kind, "name": name, **_figures(part, ends), **_parts(part)})
    whole = _figures(customers, total)
    for row in groups:
        row["customer_share"] = row["customers"] / whole["customers"]
        row["value_share"] = row["value"] / whole["value"] if whole["value"] else None
        future = whole["future_value"]
        row["future_share"] = row["future_value"] / future if future > 0.0 else None
    return {
        "column": cut.column,
        "groups": groups,
        "whole": {**whole, "customer_share": 1.0, "value_share": 1.0, "future_share": 1.0},
        "n_values": cut.n_values,
        "several": cut.several,
        "missing": cut.missing,
    }


def _figures(part: pd.DataFrame, ends: tuple[float, float]) -> dict[str, Any]:
    quiet = part["silence_grade"].isin(QUIET)
    future = float(part["future_value"].sum())
    return {
        "customers": len(part),
        "orders": int(part["n_orders"].sum()),
        "value": float(part["total_value"].sum()),
        "profit": float(part["total_profit"].sum()) if "total_profit" in part else None,
        "expected_buyers": float(part["chance_of_order"].sum()),
        "expected_orders": float(part["expected_orders"].sum()),
        "future_value": future,
        "future_low": ends[0],
        "future_high": ends[1],
        "future_each": future / len(part),
        "quiet": int(quiet.sum()),
        "quiet_share": float(quiet.mean()),
        "at_stake": float(part["at_stake"].sum()),
    }


def _parts(part: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Segments, stages and grades of a group, the largest first."""
    made = {}
    for name, column in PARTS.items():
        each = part.groupby(column, sort=False)
        sums = each[["total_value", "future_value"]].sum().assign(customers=each.size())
        sums = sums.sort_values("customers", ascending=False, kind="stable")
        made[name] = [
            {
                "name": str(key),
                "customers": int(row["customers"]),
                "share": float(row["customers"]) / len(part),
                "value": float(row["total_value"]),
                "future_value": float(row["future_value"]),
            }
            for key, row in sums.iterrows()
        ]
    return made


def group_tables(by: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables beside the page: a row a group, and a row a group and segment, stage or grade."""
    rows = [
        {"group": row["name"] or f"({row['kind']})", **{k: v for k, v in row.items()
         if k not in (*PARTS, "name") and v is not None}}
        for row in by["groups"]
    ]  # fmt: skip
    parts = [
        {"group": row["name"] or f"({row['kind']})", "kind": column, **one}
        for row in by["groups"]
        for part, column in PARTS.items()
        for one in row[part]
    ]
    return pd.DataFrame(rows), pd.DataFrame(parts)


# ---- on the page --------------------------------------------------------------------------------

MONEY = ("value", "profit", "future_value", "at_stake")
COUNTS = ("customers", "orders", "expected_buyers", "expected_orders", "quiet")


def by_section(facts: dict[str, Any], w: Words) -> Block:
    """Show groups side by side, and one after another to choose from."""
    by, holds = facts["by"], total_holds(facts["forecast"])
    ahead = span(facts["about"]["horizon"], w)
    rows = _written([*by["groups"], by["whole"]], w)
    for row, group in zip(rows, [*by["groups"], by["whole"]], strict=True):
        row["name"] = _name(group, w)
    expected: list[Column] = [
        ("expected_buyers", w("Expected to order"), "int"),
        ("future_value", w("Future value"), "money"),
        ("range", w("80 % range"), "text"),
    ]
    profit: list[Column] = [("profit", w("Profit so far"), "money")]
    columns: list[Column] = [
        ("name", by["column"], "text"),
        ("customers", w("Customers"), "int"),
        ("customer_share", w("Share"), "bar"),
        ("value", w("Spend so far"), "money"),
        *(profit if by["whole"]["profit"] is not None else []),
        *(expected if holds else [("future_share", w("Share of the value to come"), "bar")]),
        ("quiet", w("Quiet"), "int"),
    ]
    caption = w("Groups by {column}: their sums are the totals of this page", column=by["column"])
    panels = [
        _panel(k, group, row, by, holds, w)
        for k, (group, row) in enumerate(zip(by["groups"], rows, strict=False))
    ]
    blocks: list[Block] = [table("by-table", caption, columns, rows, w)]
    notes = _notes(by, w)
    if not holds:
        notes.insert(0, total_refuted(facts["forecast"], w))
    if notes:
        blocks.append({"type": "notes", "notes": notes})
    blocks.append(
        {
            "type": "panels",
            "label": w("Show one group"),
            "all": w("all groups"),
            "panels": panels,
        }
    )
    return section(
        "by",
        w("By {column}", column=by["column"]),
        w("Customers by {column}", column=by["column"]),
        w(
            "The same customers, money and forecast as in the rest of this report, cut by the "
            "column {column}; expected values are for the next {span}.",
            column=by["column"],
            span=ahead,
        ),
        blocks,
    )


def _written(rows: list[dict[str, Any]], w: Words) -> list[dict[str, Any]]:
    """Rows whose counts and money are written such that they add up to the last, the whole."""
    made = [dict(row) for row in rows]
    for key in (*MONEY, *COUNTS):
        values = [row[key] for row in rows]
        if None in values:
            continue
        is_money = key in MONEY
        digits = 2 if is_money and abs(values[-1]) < 100 else 0
        for row, shown, value in zip(made, adding_up(values, digits), values, strict=True):
            text = w.money(shown, digits) if is_money else w.cell(shown, "int")
            row[key] = Shown(text, value)
            row["written"] = {**row.get("written", {}), key: shown}
    for row, exact in zip(made, rows, strict=True):
        row["range"] = w(
            "{low} to {high}", low=w.money(exact["future_low"]), high=w.money(exact["future_high"])
        )
    return made


def _parts_written(
    parts: list[dict[str, Any]], written: dict[str, float], w: Words
) -> list[dict[str, Any]]:
    """Rows of a group's parts whose money is written such that it adds up to what is of it."""
    made = [dict(row) for row in parts]
    for key in ("value", "future_value"):
        values = [row[key] for row in parts]
        digits = 2 if abs(written[key]) < 100 else 0
        for row, shown in zip(made, adding_up([*values, written[key]], digits), strict=False):
            row[key] = Shown(w.money(shown, digits), row[key])
    return made


def adding_up(values: list[float], digits: int) -> list[float]:
    """Round all numbers such that all but the last add up to the last: by largest remainders.

    Parameters
    ----------
    values : list of float
        The last is the sum of the others.
    digits : int
        Behind the point.

    Returns
    -------
    list of float
        Each less than one unit of the last digit from its value.

    Examples
    --------
    >>> from custvalue.report._by import adding_up
    >>> adding_up([1.4, 1.4, 1.4, 4.2], 0)
    [2.0, 1.0, 1.0, 4.0]
    """
    scale = 10.0**digits
    parts = np.asarray(values[:-1], dtype=float) * scale
    down = np.floor(parts)
    short = round(round(values[-1], digits) * scale - float(down.sum()))
    first = np.argsort(down - parts, kind="stable")
    up = np.zeros(len(parts))
    if 0 <= short <= len(parts):  # else the last is no sum of the others: each as it is
        up[first[:short]] = 1.0
    else:
        down = np.round(parts)
    return [*((down + up) / scale).tolist(), round(float(values[-1]), digits)]


def _name(group: dict[str, Any], w: Words) -> str:
    if "kind" not in group:
        return w("all customers")
    said = {OTHERS: w("all other values"), NONE: w("no value")}
    return str(said.get(group["kind"], group["name"]))


def _notes(by: dict[str, Any], w: Words) -> list[str]:
    notes = []
    if by["several"]:
        notes.append(
            w(
                "{n} customers have more than one value of {column}; the one of their last order "
                "counts.",
                n=w.cell(by["several"], "int"),
                column=by["column"],
            )
        )
    if by["missing"]:
        notes.append(
            w(
                "{n} customers have no value of {column}; they are a group of their own.",
                n=w.cell(by["missing"], "int"),
                column=by["column"],
            )
        )
    if any(group["kind"] == OTHERS for group in by["groups"]):
        notes.append(
            w(
                "{column} has {n} different values; those that brought most have a group each, the "
                "others are one.",
                n=w.cell(by["n_values"], "int"),
                column=by["column"],
            )
        )
    return notes


def _panel(
    k: int, group: dict[str, Any], row: dict[str, Any], by: dict[str, Any], holds: bool, w: Words
) -> Block:
    """Show one group: tiles, then its segments, stages and grades of silence."""
    tiles = [
        tile(
            w("Customers"),
            row["customers"].text,
            w("{share} of all customers", share=w.cell(group["customer_share"], "share")),
        ),
        tile(
            w("Spend so far"),
            row["value"].text,
            w("{share} of spend", share=w.cell(group["value_share"], "share")),
        ),
        tile(
            w("Quiet"),
            row["quiet"].text,
            w(
                "{share} of this group; active, worth {worth} more",
                share=w.cell(group["quiet_share"], "share"),
                worth=row["at_stake"].text,
            )
            if group["quiet"]
            else w("nobody of this group"),
        ),
    ]
    if group["profit"] is not None:
        share = group["profit"] / group["value"] if group["value"] else None
        note = w("{share} of spend", share=w.cell(share, "share"))
        tiles.insert(2, tile(w("Profit so far"), row["profit"].text, note))
    if holds:
        tiles.append(
            tile(
                w("Future value"),
                row["future_value"].text,
                w(
                    "80 % range {low} to {high}",
                    low=w.money(group["future_low"]),
                    high=w.money(group["future_high"]),
                ),
            )
        )
        tiles.append(
            tile(
                w("Expected to order"),
                row["expected_buyers"].text,
                w("{orders} orders", orders=row["expected_orders"].text),
            )
        )
    captions = {"segments": w("Segments"), "stages": w("Stages"), "silence": w("Grades of silence")}
    heads = {"segments": w("Segment"), "stages": w("Stage"), "silence": w("Grade")}
    tables = []
    for part in PARTS:
        columns: list[Column] = [
            ("name", heads[part], "name"),
            ("customers", w("Customers"), "int"),
            ("share", w("Share"), "bar"),
            ("value", w("Spend so far"), "money"),
        ]
        if holds:
            columns.append(("future_value", w("Future value"), "money"))
        rows = _parts_written(group[part], row["written"], w)
        tables.append(table(f"by-{k}-{part}", captions[part], columns, rows, w))
    title = w("{column}: {value}", column=by["column"], value=_name(group, w))
    return {"id": f"by-{k}", "title": title, "tiles": tiles, "tables": tables}
