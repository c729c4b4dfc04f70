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
from custvalue.exceptions import ContractProblem, DataContractError, no_column

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

    def labelled(self, labels: str = "en") -> Any:
        """Return the table with its column names in another language.

        Parameters
        ----------
        labels : {"en", "zh"}, default="en"

        Returns
        -------
        frame
        """
        language = check_language(labels)
        names = _frames.column_names(self.table) or []
        new = {translate(n, language) if n in COLUMNS else n: n for n in names}
        return _frames.frame_like(self.table, {k: _frames.column(self.table, n)
                                               for k, n in new.items()})  # fmt: skip

    def __str__(self) -> str:
        n = len(self.curve)
        text = (
            f"{n:,} customers contribute {self.total:,.2f}. {self.below_zero:,} of them "
            f"({self.below_zero / n:.0%}) are below zero and lose {-self.loss:,.2f}; without them "
            f"it would be {self.peak:,.2f}."
        )
        if self.total > 0:
            text += f" The best 20 % bring {self.share_of(0.2):.0%}."
        return text


COLUMNS = ("orders", "revenue", "cost", "gross_profit", "cost_to_serve", "acquisition_cost",
           "contribution", "margin")  # fmt: skip


def contribution(
    X: Any,
    *,
    customer: str | None = None,
    amount: str | None = None,
    cost: Amount = None,
    cost_to_serve: Amount = None,
    acquisition_cost: Amount = None,
    order: str | None = None,
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

    Returns
    -------
    Contribution
        Its totals add up to the log's: nothing is dropped, refunds count as they are.

    Raises
    ------
    DataContractError
        Missing columns or values, all at once; a share of revenue outside [0, 1].

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
    _check(X, have, customer, amount, (cost, cost_to_serve, acquisition_cost), order)
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
    )


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
    wanted = [n for n in (customer, amount, order, *costs) if isinstance(n, str)]
    problems += [no_column(n, have, "X") for n in wanted if n not in have]
    if isinstance(costs[0], (int, float)):
        try:
            check_share(costs[0], "cost")
        except ValueError as error:
            cure = "Give a column for costs in money."
            problems.append(ContractProblem("cost-share", str(error).rstrip("."), cure))
    if customer in have:
        missing = pd.isna(_frames.column(X, str(customer)))
        if missing.any():
            problems.append(
                ContractProblem(
                    "missing-customer", f"column {customer!r} has missing ids",
                    "Drop these rows or give them a customer.", int(missing.sum()),
                )
            )  # fmt: skip
    if problems:
        raise DataContractError(problems)
