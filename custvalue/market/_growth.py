"""Where the change of revenue came from: old and new customers, old and new products.

Ansoff, H. I. (1957), Strategies for diversification, Harvard Business Review 35(5).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from custvalue import _frames
from custvalue._words import MARKET, Language, check_language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, nearest
from custvalue.market._columns import check_columns

# quadrant, part: what a customer and a product were, and what became of the pair
PARTS = (
    ("market penetration", "same product, more"),
    ("market penetration", "same product, less"),
    ("market penetration", "cross-sell"),
    ("market penetration", "product dropped"),
    ("market penetration", "customer lost"),
    ("product development", "new product, existing customer"),
    ("market development", "existing product, new customer"),
    ("diversification", "new product, new customer"),
)


def growth_table(
    sales: Any,
    *,
    customer: str,
    product: str,
    period: str,
    value: str,
    base: Any,
    now: Any,
    new: str = "base",
    detail: bool = True,
    language: Language = "en",
) -> Any:
    """Split the change of revenue by existing and new customers and products; it adds up.

    Parameters
    ----------
    sales : frame
        Rows of sales.
    customer, product, period, value : str
        Its columns.
    base, now : object
        The two periods compared, as they stand in ``period``.
    new : {"base", "ever"}, default="base"
        A customer or product is new if it had no sale in the base period, or in no period before
        ``now`` (periods must then sort).
    detail : bool, default=True
        Whether penetration is told in its five parts; else one row a quadrant.
    language : {"en", "zh"}, default="en"
        Language.

    Returns
    -------
    frame of the kind of ``sales``
        ``quadrant`` (market penetration 市场渗透, product development 产品开发, market
        development 市场开发, diversification 多元化), with ``detail`` also ``part``;
        ``customers`` (who bought in either period), ``base``, ``now``, ``change``,
        ``change_share`` of the whole change (NaN where that is zero). Columns add up to the
        revenue of both periods.

    Raises
    ------
    DataContractError
        If columns or values are missing.
    ValueError
        If a period has no rows, or both are the same.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.market import growth_table
    >>> sales = pd.DataFrame({"who": ["a", "a", "b"], "what": ["p", "p", "p"],
    ...                       "year": [1, 2, 2], "paid": [100.0, 110.0, 60.0]})
    >>> growth_table(sales, customer="who", product="what", period="year", value="paid",
    ...              base=1, now=2, detail=False)[["quadrant", "base", "now", "change"]]
                  quadrant   base    now  change
    0   market penetration  100.0  110.0    10.0
    1  product development    0.0    0.0     0.0
    2   market development    0.0   60.0    60.0
    3      diversification    0.0    0.0     0.0
    """
    language = check_language(language)
    if new not in ("base", "ever"):
        raise ValueError(f"new={new!r} must be 'base' or 'ever'.")
    rows = _rows(sales, {"customer": customer, "product": product, "period": period}, value)
    known = list(pd.unique(rows["period"]))
    for name, at in (("base", base), ("now", now)):
        if not (rows["period"] == at).any():
            raise ValueError(
                f"{name}={at!r}: no row of {period!r} says so; it has {known[:10]}."
                f"{nearest(at, known)}"
            )
    if base == now:
        raise ValueError(f"base and now are both {base!r}: there is no change to tell.")
    before = rows[rows["period"] == base] if new == "base" else rows[rows["period"] < now]
    table = pd.DataFrame(
        {
            "base": rows[rows["period"] == base].groupby(["customer", "product"])["value"].sum(),
            "now": rows[rows["period"] == now].groupby(["customer", "product"])["value"].sum(),
        }
    )
    seen = pd.MultiIndex.from_frame(before[["customer", "product"]].drop_duplicates())
    had = table.index.isin(seen) | table["base"].notna().to_numpy()
    table = table.fillna(0.0)
    who, what = table.index.get_level_values(0), table.index.get_level_values(1)
    old_customer = who.isin(before["customer"].unique())
    old_product = what.isin(before["product"].unique())
    came = rows[rows["period"] == now]["customer"].unique()
    bought = table.index.isin(
        pd.MultiIndex.from_frame(rows.loc[rows["period"] == now, ["customer", "product"]])
    )
    change = (table["now"] - table["base"]).to_numpy()
    part = np.select(
        [
            had & ~who.isin(came),
            had & ~bought,
            had & (change >= 0),
            had,
            old_customer & old_product,
            old_customer,
            old_product,
        ],
        [4, 3, 0, 1, 2, 5, 6],
        7,
    )
    code = part
    names: tuple[tuple[str, str], ...] = PARTS
    quadrants = list(dict.fromkeys(quadrant for quadrant, _ in PARTS))
    if not detail:
        code = np.array([quadrants.index(quadrant) for quadrant, _ in PARTS])[part]
        names = tuple((quadrant, "") for quadrant in quadrants)
    k = len(names)
    sums = {name: np.bincount(code, weights=table[name], minlength=k) for name in ("base", "now")}
    moved = sums["now"] - sums["base"]
    whole = float(moved.sum())
    out: dict[str, Any] = {"quadrant": [MARKET.name(quadrant, language) for quadrant, _ in names]}
    if detail:
        out["part"] = [MARKET.name(word, language) for _, word in names]
    heads = pd.DataFrame({"part": code, "who": who}).drop_duplicates()["part"]
    out["customers"] = np.bincount(heads, minlength=k)
    out |= sums
    out["change"] = moved
    out["change_share"] = moved / whole if whole else np.full(k, np.nan)
    return _frames.new_table(sales, MARKET.table(out, language))


def _rows(sales: Any, columns: dict[str, str], value: str) -> pd.DataFrame:
    check_columns(sales, {**columns, "value": value}, "sales")
    problems = []
    rows = pd.DataFrame(
        {what: np.asarray(_frames.column(sales, name)) for what, name in columns.items()}
    )
    for what, name in columns.items():
        lacking = np.flatnonzero(rows[what].isna())
        if len(lacking):
            problems.append(
                ContractProblem(
                    f"missing-{what}",
                    f"column {name!r} has missing values",
                    "Name them, or drop these rows.",
                    len(lacking),
                    first_ids(lacking),
                )
            )
    if problems:
        raise DataContractError(problems)
    rows["value"] = _frames.float_columns(sales, [value], caller="growth_table's sales")[:, 0]
    return rows
