"""What each customer brings after all costs: contribution, margin, the cumulative profit curve.

Wyner, G. A. (1996), Customer profitability: linking behavior to economics, Marketing Research 8(2):
a part of the customers earns more than the whole profit, the rest lose some of it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._typing import Floats
from custvalue._units import check_share
from custvalue._words import HOUSE, Language, check_language
from custvalue.data._build import build_table
from custvalue.data._intake import take_in
from custvalue.data._money import sums
from custvalue.data._occasions import find, fold
from custvalue.data._options import LogOptions
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, no_column

Amount = float | str | None


@dataclass(frozen=True)
class Contribution:
    """What each customer brings after all costs.

    Parameters
    ----------
    table : frame
        One row a customer: the customer column, ``orders``, ``revenue``, ``cost`` (of goods),
        ``gross_profit``, ``cost_to_serve``, ``acquisition_cost``, ``contribution``, ``margin``
        (contribution / revenue; NaN where there is no revenue). Money in the log's currency.
    curve : DataFrame
        The cumulative profit ("whale") curve, best customers first: ``customers``,
        ``customer_share``, ``cumulative_contribution``, ``contribution_share`` (of the net total;
        NaN where that is not positive).
    total : float
        Sum of the contributions.
    peak : float
        Largest cumulative contribution: what would remain if nobody were below zero.
    below_zero : int
        Customers whose contribution is negative.
    loss : float
        Their contributions together (0 or negative): ``peak + loss = total``.
    groups : frame or None
        With ``by=``: one row a group, its name under ``group``, ``customers``, the sums of the
        money columns of ``table``, ``margin``, ``contribution_share`` of the total (NaN where that
        is not positive) and ``below_zero``; the most profitable first. They add up to ``total``.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.value import contribution
    >>> log = pd.DataFrame({"id": ["a", "a", "b"], "paid": [60.0, 40.0, 30.0],
    ...                     "day": ["2024-01-05", "2024-01-19", "2024-01-20"]})
    >>> found = contribution(log, customer="id", time="day", amount="paid", as_of="2024-01-31",
    ...                      cost=0.6, cost_to_serve=15.0)
    >>> found.total, found.below_zero, found.loss
    (7.0, 1, -3.0)
    """

    table: Any
    curve: pd.DataFrame
    total: float
    peak: float
    below_zero: int
    loss: float
    groups: pd.DataFrame | None = None

    @classmethod
    def of_summary(
        cls,
        X: Any,
        *,
        customer: str | None = None,
        cost: Amount = None,
        cost_to_serve: Amount = None,
        acquisition_cost: Amount = None,
        by: str | npt.ArrayLike | None = None,
    ) -> Contribution:
        """Tell what each row of a summary brings; see `custvalue.value.contribution`.

        Parameters
        ----------
        X : frame
            With ``total_value`` and ``n_orders``.
        customer : str, optional
            Its customer column; a table made by ``summarize`` knows it.
        cost, cost_to_serve, acquisition_cost : float or str, optional
        by : str or array-like of shape (n_rows,), optional

        Returns
        -------
        Contribution
        """
        facts = _frames.facts_of(X)
        customer = customer or (facts.customer if facts is not None and facts.customer else None)
        have = _frames.column_names(X) or []
        costs = (cost, cost_to_serve, acquisition_cost)
        wanted = ["total_value", "n_orders", *(n for n in (customer, *costs) if isinstance(n, str))]
        _check(have, wanted, cost, by, "the summary")
        if (
            customer is not None
            and (nobody := _frames.missing_ids(_frames.column(X, customer))).any()
        ):
            text = f"column {customer!r} has missing ids"
            cure = "Drop these rows or give them a customer."
            at = np.flatnonzero(nobody)
            raise DataContractError(ContractProblem.at("missing-customer", text, cure, at))
        profit = ["total_profit"] if cost is None and "total_profit" in have else []
        names = ["total_value", "n_orders", *profit, *(n for n in costs if isinstance(n, str))]
        table = _frames.float_columns(X, names, caller="contribution's summary")
        money = dict(zip(names, table.T, strict=True))
        revenue, n = money["total_value"], len(table)
        if profit:
            goods = revenue - money["total_profit"]
        else:
            goods = money[cost] if isinstance(cost, str) else revenue * float(cost or 0.0)
        serve = _given(cost_to_serve, money, money["n_orders"])
        won = _given(acquisition_cost, money, np.ones(n))
        ids = np.arange(n) if customer is None else _frames.column(X, customer)
        columns = _columns(money["n_orders"], revenue, goods, serve, won)
        groups = None
        if by is not None:
            groups = _groups(_group_of(_rows_of(X, by, n), np.arange(n), ids), columns)
        own = {} if customer is None else {customer: _frames.native_column(X, customer)}
        return _told(_frames.frame_like(X, {**own, **columns}), columns, groups)

    def share_of(self, customer_share: float) -> float:
        """Return the best customers' share of the total contribution.

        Parameters
        ----------
        customer_share : float
            For example 0.2 for the best fifth.

        Returns
        -------
        float
            May exceed 1: the rest then lose part of it again. NaN where the total is not positive.
        """
        if not self.total > 0:
            return float("nan")
        x = np.concatenate([[0.0], self.curve["customer_share"]])
        y = np.concatenate([[0.0], self.curve["contribution_share"]])
        return float(np.interp(customer_share, x, y))

    def cost_share_of(self, customer_share: float) -> float:
        """Return what all but the best customers take of the cost to serve and acquisition.

        Parameters
        ----------
        customer_share : float
            For example 0.2: the best fifth by contribution bring much of the profit; this is the
            share of those costs that goes to the other 80 %.

        Returns
        -------
        float
            Between 0 and 1; NaN where there are no such costs. Customers of equal contribution
            share their costs.
        """
        if not 0.0 <= customer_share <= 1.0:
            raise ValueError(f"customer_share={customer_share!r} must lie between 0 and 1.")
        spent, left = (
            sum(np.asarray(_frames.column(self.table, name), dtype=np.float64) for name in names)
            for names in (("cost_to_serve", "acquisition_cost"), ("contribution",))
        )
        total = float(np.sum(spent))
        if not total > 0:
            return float("nan")
        cost = pd.Series(spent).groupby(-np.asarray(left)).transform("mean").to_numpy()
        running = np.cumsum(cost[np.argsort(-np.asarray(left), kind="stable")])
        x = np.arange(len(running) + 1) / len(running)
        best = float(np.interp(customer_share, x, np.concatenate([[0.0], running])))
        return 1.0 - best / total

    def labelled(self, language: Language = "en") -> Any:
        """Return the table with its column names in another language.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame
        """
        return _labelled(self.table, language)

    def group_table(self, language: Language = "en") -> Any:
        """Return the groups of ``by=`` with their column names in another language.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame

        Raises
        ------
        ValueError
            If the contribution was made without ``by=``.
        """
        if self.groups is None:
            raise ValueError("there are no groups: contribution(..., by='region').")
        return _labelled(self.groups, language)

    def __str__(self) -> str:
        n = len(self.curve)
        text = (
            f"{n:,} customers contribute {self.total:,.2f}. {self.below_zero:,} of them "
            f"({self.below_zero / n:.0%}) are below zero and lose {abs(self.loss):,.2f}; without "
            f"them it would be {self.peak:,.2f}."
        )
        if self.total > 0:
            text += f" The best 20 % bring {self.share_of(0.2):.0%}."
        if not np.isnan(others := self.cost_share_of(0.2)):
            text += f" The other 80 % take {others:.0%} of the cost to serve and acquisition."
        return text


COLUMNS = ("orders", "revenue", "cost", "gross_profit", "cost_to_serve", "acquisition_cost",
           "contribution", "margin")  # fmt: skip
GROUP_COLUMNS = (*COLUMNS, "group", "customers", "contribution_share", "below_zero")


def _labelled(table: Any, language: Language) -> Any:
    language = check_language(language)
    names = _frames.column_names(table) or []
    new = {HOUSE(n, language) if n in GROUP_COLUMNS else n: n for n in names}
    return _frames.frame_like(table, {k: _frames.column(table, n) for k, n in new.items()})


def contribution_of_rows(
    frame: Any,
    options: LogOptions,
    as_of: Any,
    *,
    cost: Amount = None,
    cost_to_serve: Amount = None,
    acquisition_cost: Amount = None,
    by: str | npt.ArrayLike | None = None,
) -> Contribution:
    """Tell it of the rows of a log that count, orders and revenue as in its summary."""
    have = _frames.column_names(frame) or []
    costs = (cost_to_serve, acquisition_cost)
    names = [n for n in costs if isinstance(n, str)]
    _check(have, [*names, *([cost] if isinstance(cost, str) else [])], cost, by, "the log")
    if isinstance(cost, str):
        options = replace(options, cost=cost, margin=None, profit=None)
    rows = take_in(frame, options, as_of, quiet=True)
    code, row = rows.code.copy(), slice(None) if rows.row is None else rows.row
    folded, _ = fold(rows, options)
    who, parts = folded.code, folded.parts
    none = np.empty(0)
    revenue = np.concatenate([none, *(rows.money.worth(sums(p.spend, p.start)) for p in parts)])
    orders = np.concatenate([none, *(p.size for p in parts)]).astype(np.float64)
    goods = revenue * float(cost) if isinstance(cost, (int, float)) else np.zeros(len(who))
    if cost is None or isinstance(cost, str):
        gain = rows.profit
        if gain is not None:
            gains = (gain.worth(sums(p.profit, p.start)) for p in parts if p.profit is not None)
            goods = revenue - np.concatenate([none, *gains])
    at, there = find(code, who)
    at = at[there]
    table = _frames.float_columns(frame, names, caller="contribution's log") if names else none
    given = {name: table[:, i][row][there] for i, name in enumerate(names)}
    served = {k: np.bincount(at, v, len(who)).astype(np.float64) for k, v in given.items()}
    serve = _given(cost_to_serve, served, orders)
    if isinstance(acquisition_cost, str):  # stands in each row of a customer: its largest counts
        won = np.full(len(who), -np.inf)
        np.maximum.at(won, at, given[acquisition_cost])
    else:
        won = np.full(len(who), float(acquisition_cost or 0.0))
    columns = _columns(orders, revenue, goods, serve, won)
    groups = None
    if by is not None:
        group = _rows_of(frame, by, _frames.n_rows(frame))[row][there]
        ids = rows.ids(who.copy()).to_numpy()
        groups = _groups(_group_of(group, at, ids), columns)
    return _told(build_table(frame, options.customer, rows.ids(who), columns), columns, groups)


def _given(amount: Amount, columns: dict[str, Floats], times: Floats) -> Floats:
    return columns[amount] if isinstance(amount, str) else times * float(amount or 0.0)


def _columns(
    orders: Floats, revenue: Floats, goods: Floats, serve: Floats, won: Floats
) -> dict[str, Floats]:
    left = revenue - goods - serve - won
    some = revenue != 0
    return {
        "orders": orders,
        "revenue": revenue,
        "cost": goods,
        "gross_profit": revenue - goods,
        "cost_to_serve": serve,
        "acquisition_cost": won,
        "contribution": left,
        "margin": np.where(some, left / np.where(some, revenue, 1.0), np.nan),
    }


def _told(table: Any, columns: dict[str, Floats], groups: pd.DataFrame | None) -> Contribution:
    left = columns["contribution"]
    return Contribution(
        table,
        _curve(left),
        float(left.sum()),
        float(left[left > 0].sum()),
        int((left < 0).sum()),
        float(left[left < 0].sum()),
        groups,
    )


def _rows_of(X: Any, by: str | npt.ArrayLike, n: int) -> npt.NDArray[Any]:
    """One group a row."""
    rows = _frames.column(X, by) if isinstance(by, str) else np.asarray(by)
    if rows.shape != (n,):
        raise ValueError(f"by has shape {rows.shape}; it must be one group a row, ({n},).")
    return rows


def _group_of(rows: npt.NDArray[Any], code: npt.NDArray[Any], ids: Any) -> pd.Series:
    """One group a customer, or an error that names who has none or two."""
    pairs = pd.DataFrame({"code": code, "group": rows}).drop_duplicates()
    problems = []
    lacking = pairs.loc[pairs["group"].isna(), "code"].to_numpy()
    twice = pairs.loc[pairs["code"].duplicated(), "code"].unique()
    for name, text, cure, bad in (
        ("missing-group", "some customers have no group", "Give them one.", lacking),
        ("two-groups", "some customers stand in two groups", "Give each customer one.", twice),
    ):
        if len(bad):
            who = first_ids(np.asarray(ids)[bad])
            problems.append(ContractProblem(name, text, cure, len(bad), who))
    if problems:
        raise DataContractError(problems)
    return pairs.set_index("code")["group"].sort_index()


def _groups(group: pd.Series, columns: dict[str, Floats]) -> pd.DataFrame:
    by = pd.DataFrame(columns).drop(columns="margin").groupby(group.to_numpy())
    table = by.sum()
    some = table["revenue"] != 0
    table["margin"] = table["contribution"].div(table["revenue"].where(some))
    total = float(table["contribution"].sum())
    table["contribution_share"] = table["contribution"] / total if total > 0 else np.nan
    table["below_zero"] = by["contribution"].agg(lambda left: int((left < 0).sum()))
    table.insert(0, "customers", by.size())
    table = table.sort_values("contribution", ascending=False, kind="stable")
    return table.rename_axis("group").reset_index()


def _curve(values: Floats) -> pd.DataFrame:
    best = np.sort(values)[::-1]
    running = np.cumsum(best)
    total = float(values.sum())
    count = np.arange(1, best.size + 1)
    return pd.DataFrame(
        {
            "customers": count,
            "customer_share": count / best.size,
            "cumulative_contribution": running,
            "contribution_share": running / total if total > 0 else np.nan,
        }
    )


def _check(have: list[str], wanted: Sequence[str], cost: Amount, by: Any, table: str) -> None:
    named = [*wanted, *([by] if isinstance(by, str) else [])]
    problems = [no_column(n, have, table) for n in named if n not in have]
    if isinstance(cost, (int, float)):
        try:
            check_share(cost, "cost")
        except ValueError as error:
            cure = "Give a column for costs in money."
            problems.append(ContractProblem("cost-share", str(error).rstrip("."), cure))
    if problems:
        raise DataContractError(problems)
