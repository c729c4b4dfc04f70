"""What was known at an earlier date and what happened next, without a leak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._dates import read_day
from custvalue._frames import column, facts_of, time_scale_of
from custvalue._units import Span, span_days
from custvalue.exceptions import ContractProblem, DataContractError, first_ids


class LearningSet(NamedTuple):
    """An earlier date's customers, who of them ordered next, and today's customers.

    Parameters
    ----------
    known : frame
        Summary at the earlier date, ``as_of - window``.
    ordered : ndarray of shape (n_known,), bool
        Whether each of its customers ordered within the window after that date.
    today : frame
        Summary at ``as_of``.

    Examples
    --------
    >>> LearningSet._fields
    ('known', 'ordered', 'today')
    """

    known: Any
    ordered: npt.NDArray[np.bool_]
    today: Any


def learning_set(
    summary_at: Callable[[str], Any], *, as_of: Any, window: Span, customer: str | None = None
) -> LearningSet:
    """Make the table and the response that ``SilenceScorer(method="calibrated")`` learns on.

    Both tables are made by the same function from the same log, each blind to everything after
    its date, so that nothing can leak from the window into what was known before it.

    Parameters
    ----------
    summary_at : callable
        Takes an ISO date and returns the summary as of that date, e.g.
        ``lambda as_of: custvalue.summarize(log, ..., as_of=as_of)``.
    as_of : str or date
        Today: the end of the window.
    window : str or timedelta
        E.g. ``"90D"``, in whole days.
    customer : str, optional
        Column of the ids; tables made by ``summarize`` know it.

    Returns
    -------
    LearningSet

    Raises
    ------
    DataContractError
        If the customer column is not known.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.silence import learning_set
    >>> log = cv.datasets.load_cdnow("sample")
    >>> columns = {"customer": "customer_id", "time": "date", "amount": "amount"}
    >>> known, ordered, today = learning_set(
    ...     lambda as_of: cv.summarize(log, as_of=as_of, **columns),
    ...     as_of="1997-12-31", window="90D")
    >>> len(known) == len(ordered), round(float(ordered.mean()), 3)
    (True, 0.17)
    >>> model = cv.SilenceScorer(method="calibrated", window="90D").fit(known, ordered)
    >>> model.transform(today).columns[:4].tolist()
    ['silence_score', 'rank_ratio', 'prob_longer_gap', 'prob_order']
    """
    days = round(span_days(window, "window"))
    end = read_day(as_of)
    known, today = summary_at(str(end - np.timedelta64(days, "D"))), summary_at(str(end))
    return LearningSet(known, ordered_between(known, today, customer=customer), today)


def ordered_between(earlier: Any, later: Any, *, customer: str | None = None) -> Any:
    """Who of the earlier table's customers ordered before the later table's date.

    Parameters
    ----------
    earlier, later : frame
        Summaries of one log at two dates, with ``n_orders``.
    customer : str, optional
        Column of the ids; tables made by ``summarize`` know it.

    Returns
    -------
    ndarray of shape (n_earlier,), bool
        In the order of ``earlier``. Customers who are new in ``later`` have no say.

    Raises
    ------
    DataContractError
        If the customer column is not known, or the later date is not after the earlier one.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.silence._learning import ordered_between
    >>> then = pd.DataFrame({"id": ["a", "b"], "n_orders": [1, 4]})
    >>> now = pd.DataFrame({"id": ["b", "a", "c"], "n_orders": [4, 2, 1]})
    >>> ordered_between(then, now, customer="id")
    array([ True, False])
    """
    import pandas as pd

    facts = facts_of(earlier)
    name = customer or (facts.customer if facts is not None else None)
    if name is None:
        text = "the customer column is not known"
        raise DataContractError(ContractProblem("no-customer", text, "Pass customer=."))
    before, after = (scale.as_of if (scale := time_scale_of(X)) else "" for X in (earlier, later))
    if before and after and not _date(after) > _date(before):
        text = f"the later table ends on {after}, the earlier one on {before}"
        cure = "Pass the earlier table first."
        raise DataContractError(ContractProblem("dates-swapped", text, cure))
    at = pd.Index(column(later, name)).get_indexer(pd.Index(column(earlier, name)))
    then = np.asarray(column(earlier, "n_orders"))
    now = np.asarray(column(later, "n_orders"))
    # a customer whose orders were all refunded since is gone from the later table
    return (at >= 0) & (now[at] > then)


def has_ordered(outcome: npt.ArrayLike, n: int) -> npt.NDArray[np.bool_]:
    """Read whether each of ``n`` customers ordered: true, or a number above 0.

    Parameters
    ----------
    outcome : array-like of shape (n,)
        True or False, or orders or money within the window.
    n : int

    Returns
    -------
    ndarray of shape (n,), bool

    Raises
    ------
    ValueError
        If there is not one number a customer, or one is missing.

    Examples
    --------
    >>> from custvalue.silence._learning import has_ordered
    >>> has_ordered([0, 2, 0.5], 3)
    array([False,  True,  True])
    """
    values = np.asarray(outcome)
    wanted = (
        f"y must hold {n:,} values, one a customer: did the customer order within the window? True "
        "or False, or orders or money, of which anything above 0 is an order."
    )
    if values.shape != (n,):
        raise ValueError(f"{wanted} Got shape {values.shape}.")
    try:
        if values.dtype.kind in "cmM":
            raise TypeError("not a number above or below 0")
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{wanted} Got {values.dtype} values such as {values[0]!r}.") from error
    missing = np.flatnonzero(np.isnan(numbers))
    if len(missing):
        raise ValueError(
            f"{wanted} {len(missing):,} are missing, first: row {', '.join(first_ids(missing))}."
        )
    return numbers > 0


def _date(text: str) -> np.datetime64:
    return np.datetime64(text.replace(" ", "T")[:26].rstrip("Z"))
