"""Records of shipments in one vocabulary, checked: all that is wrong is said at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from custvalue import _frames
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.market._columns import check_columns


def shipment_rows(
    shipments: Any,
    columns: dict[str, str],
    quantity: str,
    value: str,
    time_format: str | None,
    end: pd.Timestamp | None,
) -> pd.DataFrame:
    """Shipments in one vocabulary, or everything that is wrong with them."""
    check_columns(shipments, {**columns, "quantity": quantity, "value": value}, "shipments")
    problems = []
    rows = pd.DataFrame(
        {
            what: np.asarray(_frames.column(shipments, name), dtype=object)
            for what, name in columns.items()
            if what != "time"
        }
    )
    rows["time"] = _frames.wall_times(shipments, columns["time"], time_format=time_format)
    numbers = _frames.float_columns(
        shipments, [quantity, value], allow_missing=[quantity, value], caller="shipments"
    )
    rows["quantity"], rows["value"] = numbers.T
    names = {**columns, "quantity": quantity, "value": value}
    wrong = {
        f"missing-{what}": (
            f"{name!r} is missing or cannot be read",
            rows[what].isna(),
            "Fill it in, or drop these rows.",
        )
        for what, name in names.items()
    }
    wrong |= {
        "quantity": (f"{quantity!r} is zero or below", rows["quantity"] <= 0, "Drop these rows."),
        "value": (f"{value!r} is below zero", rows["value"] < 0, "Drop returns, or net them."),
    }
    if end is not None:
        late = rows["time"].dt.normalize() > end.normalize()
        wrong["after-as-of"] = (f"{columns['time']!r} is after as_of={end:%Y-%m-%d}", late,
                                "Leave out what was not known then.")  # fmt: skip
    if "quantity_unit" in rows:
        units = rows.groupby("product")["quantity_unit"].transform("nunique")
        wrong["two-units"] = ("a product is counted in more than one unit", units > 1,
                              "Convert quantities, or tell the products apart.")  # fmt: skip
    for code, (message, bad, cure) in wrong.items():
        if bad.any():
            where = first_ids(np.flatnonzero(bad))
            problems.append(ContractProblem(code, message, cure, int(bad.sum()), where))
    if not len(rows):
        problems.append(ContractProblem("empty", "shipments has no rows", "Pass some."))
    if problems:
        raise DataContractError(problems)
    return rows


def usual_price(rows: pd.DataFrame, quarterly: bool) -> pd.Series:
    """Value over quantity of all that was sold of the product, odd prices left out."""
    key = [rows["product"]] + ([rows["time"].dt.to_period("Q")] if quarterly else [])
    fair = rows[["value", "quantity"]].where(~rows["odd"], 0.0)
    sums = fair.groupby(key).transform("sum")
    return sums["value"] / sums["quantity"].where(sums["quantity"] > 0)
