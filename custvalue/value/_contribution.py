"""What each customer brings after all costs: contribution, margin, the cumulative profit curve.

Wyner, G. A. (1996), Customer profitability: linking behavior to economics, Marketing Research 8(2):
a part of the customers earns more than the whole profit, the rest lose some of it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._labels import check_language, translate
from custvalue._units import check_share
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, no_column

Array = npt.NDArray[np.float64]
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
    >>> log = pd.DataFrame({"id": ["a", "a", "b"], "paid": [60.0, 40.0, 30.0]})
    >>> found = contribution(log, customer="id", amount="paid", cost=0.6, cost_to_serve=15.0)
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

    def labelled(self, labels: str = "en") -> Any:
        """Return the table with its column names in another language.

        Parameters
        ----------
        labels : {"en", "zh"}, default="en"

        Returns
        -------
        frame
        """
        return _labelled(self.table, labels)

    def group_table(self, labels: str = "en") -> Any:
        """Return the groups of ``by=`` with their column names in another language.

        Parameters
        ----------
        labels : {"en", "zh"}, default="en"

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
        return _labelled(self.groups, labels)

    def __str__(self) -> str:
        n = len(self.curve)
        text = (
            f"{n:,} customers contribute {self.total:,.2f}. {self.below_zero:,} of them "
            f"({self.below_zero / n:.0%}) are below zero and lose {-self.loss:,.2f}; without them "
            f"it would be {self.peak:,.2f}."
        )
        if self.total > 0:
            text += f" The best 20 % bring {self.share_of(0.2):.0%}."
        if not np.isnan(others := self.cost_share_of(0.2)):
            text += f" The other 80 % take {others:.0%} of the cost to serve and acquisition."
        return text


COLUMNS = ("orders", "revenue", "cost", "gross_profit", "cost_to_serve", "acquisition_cost",
           "contribution", "margin")  # fmt: skip
GROUP_COLUMNS = (*COLUMNS, "group", "customers", "contribution_share", "below_zero")


def _labelled(table: Any, labels: str) -> Any:
    language = check_language(labels)
    names = _frames.column_names(table) or []
    new = {translate(n, language) if n in GROUP_COLUMNS else n: n for n in names}
    return _frames.frame_like(table, {k: _frames.column(table, n) for k, n in new.items()})


def contribution(
    X: Any,
    *,
    customer: str | None = None,
    amount: str | None = None,
    cost: Amount = None,
    cost_to_serve: Amount = None,
    acquisition_cost: Amount = None,
    order: str | None = None,
    by: str | npt.ArrayLike | None = None,
) -> Contribution:
    """Tell what each customer brings after cost of goods, cost to serve and acquisition.

    Parameters
    ----------
    X : frame
        A transaction log (one row an order line; name its columns), or a summary made by
        ``custvalue.summarize``.
    customer, amount : str, optional
        Columns of a log; a summary knows its customer, and its revenue is ``total_value``.
    cost : float or str, optional
        Cost of goods: a share of revenue (0.6 is 60 %), or a column with money. None: 0, or in a
        summary that has ``total_profit``: revenue less profit.
    cost_to_serve : float or str, optional
        Money an order, or a column with money.
    acquisition_cost : float or str, optional
        Money a customer, or a column with money (in a log: each customer's largest value counts
        once).
    order : str, optional
        Column of a log that holds the order's id; without it each row is an order.
    by : str or array-like of shape (n_rows,), optional
        Groups to add up: a column, or one name a row of ``X``. A customer stands in one group.

    Returns
    -------
    Contribution
        Its totals add up to the log's: nothing is dropped, refunds count as they are.

    Raises
    ------
    DataContractError
        Missing columns or values, all at once; a share of revenue outside [0, 1]; a customer
        without a group, or in two.

    Examples
    --------
    >>> import custvalue as cv
    >>> table = cv.summarize(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                      amount="amount", as_of="1998-06-30")
    >>> found = cv.value.contribution(table, cost=0.6, cost_to_serve=3.0, acquisition_cost=8.0)
    >>> print(found)
    2,349 customers contribute 58,780.78. 879 of them (37%) are below zero and lose ...
    """
    facts = _frames.facts_of(X)
    have = _frames.column_names(X) or []
    is_summary = amount is None and "total_value" in have and "n_orders" in have
    if is_summary:
        customer = customer or (facts.customer if facts is not None else None)
        amount = "total_value"
    costs = (cost, cost_to_serve, acquisition_cost)
    _check(X, have, customer, amount, costs, order, by if isinstance(by, str) else None)
    assert customer is not None
    assert amount is not None
    names = [amount, *(a for a in (cost, cost_to_serve, acquisition_cost) if isinstance(a, str))]
    table = _frames.float_columns(X, names, caller="contribution's X")
    money = dict(zip(names, table.T, strict=True))
    ids = _frames.column(X, customer)
    code, index = np.arange(len(ids)), None
    if not is_summary:
        code, ids = pd.factorize(ids)
        index = pd.RangeIndex(len(ids))  # a log's index says nothing of customers
    n = len(ids)

    def total(values: Array) -> Array:
        return np.bincount(code, weights=values, minlength=n).astype(float)

    revenue = total(money[amount])
    if is_summary:
        orders = _frames.float_columns(X, ["n_orders"])[:, 0]
    elif order is None:
        orders = total(np.ones(code.size))
    else:
        pairs = pd.DataFrame({"c": code, "o": _frames.column(X, order)}).drop_duplicates()
        orders = np.bincount(pairs["c"], minlength=n).astype(float)
    if cost is None and is_summary and "total_profit" in have:
        goods = revenue - _frames.float_columns(X, ["total_profit"])[:, 0]
    else:
        goods = total(money[cost]) if isinstance(cost, str) else revenue * float(cost or 0.0)
    serve = (
        total(money[cost_to_serve])
        if isinstance(cost_to_serve, str)
        else orders * float(cost_to_serve or 0.0)
    )
    if isinstance(acquisition_cost, str):
        won = np.full(n, -np.inf)
        np.maximum.at(won, code, money[acquisition_cost])
    else:
        won = np.full(n, float(acquisition_cost or 0.0))
    left = revenue - goods - serve - won
    groups = None
    if by is not None:
        rows = _frames.column(X, by) if isinstance(by, str) else np.asarray(by)
        groups = _groups(_group_of(rows, code, ids), {
            "orders": orders, "revenue": revenue, "cost": goods, "gross_profit": revenue - goods,
            "cost_to_serve": serve, "acquisition_cost": won, "contribution": left,
        })  # fmt: skip
    some = revenue != 0
    columns = {
        customer: ids,
        "orders": orders,
        "revenue": revenue,
        "cost": goods,
        "gross_profit": revenue - goods,
        "cost_to_serve": serve,
        "acquisition_cost": won,
        "contribution": left,
        "margin": np.where(some, left / np.where(some, revenue, 1.0), np.nan),
    }
    return Contribution(
        _frames.frame_like(X, columns, index=index),
        _curve(left),
        float(left.sum()),
        float(left[left > 0].sum()),
        int((left < 0).sum()),
        float(left[left < 0].sum()),
        groups,
    )


def _group_of(rows: npt.NDArray[Any], code: npt.NDArray[Any], ids: Any) -> pd.Series:
    """One group a customer, or an error that names who has none or two."""
    if rows.shape != code.shape:
        raise ValueError(f"by has shape {rows.shape}; it must be one group a row, {code.shape}.")
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


def _groups(group: pd.Series, columns: dict[str, Array]) -> pd.DataFrame:
    by = pd.DataFrame(columns).groupby(group.to_numpy())
    table = by.sum()
    some = table["revenue"] != 0
    table["margin"] = table["contribution"].div(table["revenue"].where(some))
    total = float(table["contribution"].sum())
    table["contribution_share"] = table["contribution"] / total if total > 0 else np.nan
    table["below_zero"] = by["contribution"].agg(lambda left: int((left < 0).sum()))
    table.insert(0, "customers", by.size())
    table = table.sort_values("contribution", ascending=False, kind="stable")
    return table.rename_axis("group").reset_index()


def _curve(values: Array) -> pd.DataFrame:
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


def _check(
    X: Any,
    have: list[str],
    customer: str | None,
    amount: str | None,
    costs: tuple[Amount, ...],
    order: str | None,
    by: str | None,
) -> None:
    problems = []
    for what, name in (("customer", customer), ("amount", amount)):
        if name is None:
            problems.append(
                ContractProblem(
                    f"no-{what}", f"the {what} column is not known",
                    f'Name it: contribution(log, {what}="..."), or pass a summary.',
                )
            )  # fmt: skip
    wanted = [n for n in (customer, amount, order, by, *costs) if isinstance(n, str)]
    problems += [no_column(n, have, "X") for n in wanted if n not in have]
    if isinstance(costs[0], (int, float)):
        try:
            check_share(costs[0], "cost")
        except ValueError as error:
            cure = "Give a column for costs in money."
            problems.append(ContractProblem("cost-share", str(error).rstrip("."), cure))
    if customer in have:
        missing = _frames.missing_ids(_frames.column(X, str(customer)))
        if missing.any():
            problems.append(
                ContractProblem(
                    "missing-customer", f"column {customer!r} has missing ids",
                    "Drop these rows or give them a customer.", int(missing.sum()),
                )
            )  # fmt: skip
    if problems:
        raise DataContractError(problems)
