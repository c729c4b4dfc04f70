"""The date of each customer's next order, and the window in which it falls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._dates import read_date
from custvalue._fitted import check_level
from custvalue._frames import frame_like
from custvalue._open_table import open_table
from custvalue._typing import Dates, Floats
from custvalue._units import days_per
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.purchase import _forecast

if TYPE_CHECKING:
    from custvalue.purchase._base import PurchaseModel

FAR = 100_000.0  # days from which on a date says nothing


def next_order_dates(model: PurchaseModel, X: Any, *, level: float = 0.8) -> Any:
    """Say by which date each customer orders next, and from when to when, if there is a next order.

    Parameters
    ----------
    model : fitted purchase model
    X : summary
        It must say its unit and as-of date, as ``summarize`` has it do.
    level : float, default=0.8
        Chance of the window, given that the customer orders again at all.

    Returns
    -------
    table of the kind of X
        Dates ``next_order`` (as likely before as after), ``earliest``, ``latest``, each the day by
        which the order has come with that chance, missing where it lies beyond any horizon; and
        ``chance`` of ordering again at all.

    Raises
    ------
    DataContractError
        If the table does not say its unit and as-of date.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.purchase import MBGCNBD, next_order_dates
    >>> table = cv.summarize(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                      amount="amount", as_of="1997-09-30", unit="W")
    >>> dates = next_order_dates(MBGCNBD(k="auto").fit(table), table)
    >>> bool((dates["earliest"] <= dates["next_order"]).all())
    True
    """
    table = open_table(X)
    past, params = model._past(table)
    scale = table.scale
    if scale is None or not scale.as_of:
        raise DataContractError(
            ContractProblem(
                "no-as-of",
                "the table does not say its unit and as-of date, from which dates are counted",
                "Pass what custvalue.summarize returned, or use predict_next_order.",
            )
        )
    tail = (1.0 - check_level(level)) / 2.0
    ever = 1.0 - _forecast.never_again(model.law, params, past)
    today, days = read_date(scale.as_of).to_datetime64(), days_per(scale.unit)

    def by(share: float) -> Dates:
        wait: Floats = np.ceil(days * _forecast.next_order(model.law, params, past, share * ever))
        known = wait < FAR
        date = today.astype("datetime64[D]") + np.where(known, wait, 0.0).astype(np.int64)
        return np.where(known, date.astype("datetime64[us]"), np.datetime64("NaT", "us"))

    columns = {"next_order": by(0.5), "earliest": by(tail), "latest": by(1.0 - tail)}
    return frame_like(table.given, {**columns, "chance": ever})
