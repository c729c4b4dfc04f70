"""The section about subscriptions: what was won and lost, what is left, what it is worth."""

from __future__ import annotations

from typing import Any

from custvalue._warn import heard
from custvalue.contracts import ContractValue, SubscriptionTable
from custvalue.exceptions import (
    BoundaryFitWarning,
    ConvergenceWarning,
    DataContractError,
    FitFailedError,
)
from custvalue.report._blocks import Block, Column, section, span, table, tile
from custvalue.report._words import Words

LAST = 12  # periods shown
MOVES = (
    ("opening", "At its start"),
    ("new", "New"),
    ("reactivation", "Won back"),
    ("expansion", "Expanded"),
    ("contraction", "Contracted"),
    ("churn", "Lost"),
    ("closing", "At its end"),
)


def contracts_section(contracts: Any, horizon: str, annual_discount_rate: float, w: Words) -> Block:
    """Say how the money of subscriptions moved, and what those that run are worth.

    Parameters
    ----------
    contracts : SubscriptionTable
    horizon : str
    annual_discount_rate : float
    w : Words

    Raises
    ------
    TypeError
        If it is none.
    """
    if not isinstance(contracts, SubscriptionTable):
        raise TypeError(f"contracts must be a SubscriptionTable, not {type(contracts).__name__}.")
    bridge = contracts.bridge()
    shown = bridge[bridge["finished"]].tail(LAST)
    shown = bridge.tail(1) if shown.empty else shown
    last = shown.iloc[-1]
    worth = _worth(contracts, horizon, annual_discount_rate)
    money = w.money(float(last["closing"]))
    tiles = [
        tile(w("Money a period"), money, w("at the end of {period}", period=last["period"])),
        tile(
            w("Subscribers"),
            w.cell(int(last["closing_customers"]), "int"),
            w("lost in the period: {n}", n=w.cell(int(last["churn_customers"]), "int")),
        ),
        tile(
            w("Net revenue retention"),
            w.cell(float(last["net_retention"]), "share"),
            w("gross {share}", share=w.cell(float(last["gross_retention"]), "share")),
        ),
    ]
    notes = [
        w(
            "A period is looked at on its last day; at its start + new + won back + expanded - "
            "contracted - lost = at its end. Net retention counts neither new customers nor those "
            "who came back."
        )
    ]
    if worth is not None:
        ahead = w("of contracts that run, next {span}", span=span(horizon, w))
        tiles.append(tile(w("Value of contracts"), w.money(worth), ahead))
        notes.append(
            w("The value is each coming payment times the chance that the contract is still there.")
        )
    columns: list[Column] = [("period", w("Period"), "text")]
    columns += [(name, w(heading), "money") for name, heading in MOVES]
    columns += [
        ("closing_customers", w("Subscribers"), "int"),
        ("gross_retention", w("Gross retention"), "share"),
        ("net_retention", w("Net retention"), "share"),
    ]
    caption = w("Where the money a period came from and went to")
    rows: list[dict[str, Any]] = [
        {str(k): v for k, v in row.items()} for row in shown.to_dict("records")
    ]
    lead = w(
        "Subscribers paid {money} a period at the end of {period}: {n} were there, {lost} had been "
        "lost in it.",
        n=w.cell(int(last["closing_customers"]), "int"),
        money=money,
        period=last["period"],
        lost=w.cell(int(last["churn_customers"]), "int"),
    )
    return section(
        "contracts",
        w("Subscriptions"),
        w("Subscriptions won and lost"),
        lead,
        [
            {"type": "tiles", "tiles": tiles},
            table("contracts-bridge", caption, columns, rows, w),
            {"type": "notes", "notes": notes},
        ],
    )


def _worth(contracts: SubscriptionTable, horizon: str, rate: float) -> float | None:
    """Value of the contracts that run; None where too little has been seen to say."""
    model = ContractValue(horizon=horizon, annual_discount_rate=rate)
    try:
        with heard(BoundaryFitWarning, ConvergenceWarning):
            model.fit(contracts.contracts(spells=True))
    except (DataContractError, FitFailedError):
        return None
    return float(model.predict(contracts.contracts()).sum())
