"""The jobs that no peer has, in plain pandas, as an analyst writes them from a definition."""

from __future__ import annotations

import numpy as np
import pandas as pd

R_MAX = 3
F_CUTS = [0, 1, 2, 4, 8, np.inf]
DAYS = 28


def purchase_days(log: pd.DataFrame) -> pd.DataFrame:
    paid = log.groupby(["customer_id", "date"], as_index=False)["amount"].sum()
    return paid[paid["amount"] > 0]


def chain(log: pd.DataFrame, as_of: str, periods: int) -> pd.Series:
    """Money of the next periods by customer, from a chain over (R, F, M) by counting."""
    days = purchase_days(log)
    days["back"] = (pd.Timestamp(as_of) - days["date"]).dt.days // DAYS
    cells = days.groupby(["customer_id", "back"])["amount"].agg(["size", "sum"])
    wide = cells.unstack("back", fill_value=0).sort_index(axis=1, ascending=[True, False])
    wide = wide.reindex(
        columns=pd.MultiIndex.from_product(
            [["size", "sum"], range(int(days["back"].max()), -1, -1)], names=[None, "back"]
        ),
        fill_value=0,
    )
    rows = wide.stack("back", future_stack=True).reset_index()
    rows = rows.sort_values(["customer_id", "back"], ascending=[True, False])
    by = rows.groupby("customer_id")
    rows["n"] = by["size"].cumsum()
    rows["mean"] = by["sum"].cumsum() / rows["n"]
    rows = rows[rows["n"] > 0]
    last = rows["back"].where(rows["size"] > 0).groupby(rows["customer_id"]).ffill()
    rows["R"] = (last - rows["back"]).clip(upper=R_MAX).astype(int)
    rows["F"] = pd.cut(rows["n"], F_CUTS, labels=False)
    cuts = np.quantile(rows["mean"], [1 / 3, 2 / 3], method="lower")
    rows["M"] = pd.cut(rows["mean"], [-np.inf, *cuts, np.inf], labels=False)
    rows["state"] = rows["R"] * 100 + rows["F"] * 10 + rows["M"]
    by = rows.groupby("customer_id")
    rows["next"] = by["state"].shift(-1)
    rows["earned"] = by["sum"].shift(-1)
    moved = rows.dropna(subset=["next"])
    states = sorted(rows["state"].unique())
    counts = pd.crosstab(moved["state"], moved["next"]).reindex(states, columns=states).fillna(0)
    matrix = counts.div(counts.sum(axis=1), axis=0)
    reward = moved.groupby("state")["earned"].mean().reindex(states)
    value = reward * 0.0
    for _ in range(periods):
        value = reward + matrix @ value
    latest = rows.groupby("customer_id").tail(1).set_index("customer_id")
    return latest["state"].map(value)


def silence(log: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """S and TrF of every customer: sort, differences within customers, maxima and counts."""
    frame = purchase_days(log).sort_values(["customer_id", "date"])
    frame["gap"] = frame.groupby("customer_id")["date"].diff().dt.days
    by = frame.groupby("customer_id")
    table = by.agg(last=("date", "last"), n=("date", "size"), longest=("gap", "max"))
    quiet = (pd.Timestamp(as_of) - table["last"]).dt.days
    shorter = frame["gap"] <= frame["customer_id"].map(quiet)
    rank = shorter.groupby(frame["customer_id"]).sum() + 1
    return pd.DataFrame({"S": quiet / table["longest"], "TrF": rank / table["n"]})


def silence_one_by_one(log: pd.DataFrame, as_of: str) -> pd.DataFrame:
    """The rule as it is told, customer by customer."""
    end = pd.Timestamp(as_of)

    def of_one(days: pd.Series) -> pd.Series:
        gaps = days.diff().dropna().dt.days
        quiet = (end - days.iloc[-1]).days
        rank = pd.concat([gaps, pd.Series([quiet])]).rank(method="max").iloc[-1]
        longest = gaps.max() if len(gaps) else np.nan
        return pd.Series({"S": quiet / longest, "TrF": rank / (len(gaps) + 1)})

    days = purchase_days(log).sort_values(["customer_id", "date"])
    return days.groupby("customer_id")["date"].apply(of_one).unstack()
