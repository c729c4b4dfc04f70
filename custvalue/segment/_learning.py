"""What was known at an earlier date and what happened next, without a leak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._frames import column, facts_of
from custvalue._units import Span, span_days
from custvalue.exceptions import ContractProblem, DataContractError


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
    >>> from custvalue.segment import LearningSet
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
    >>> from custvalue.segment import learning_set
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
    end = np.datetime64(as_of, "D")
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
    >>> from custvalue.segment import ordered_between
    >>> then = pd.DataFrame({"id": ["a", "b"], "n_orders": [1, 4]})
    >>> now = pd.DataFrame({"id": ["b", "a", "c"], "n_orders": [4, 2, 1]})
    >>> ordered_between(then, now, customer="id")
    array([ True, False])
    """
    import pandas as pd

    before, after = facts_of(earlier), facts_of(later)
    name = customer or (before.customer if before is not None else None)
    if name is None:
        text = "the customer column is not known"
        raise DataContractError(ContractProblem("no-customer", text, "Pass customer=."))
    if before is not None and after is not None and not _date(after.as_of) > _date(before.as_of):
        text = f"the later table ends on {after.as_of}, the earlier one on {before.as_of}"
        cure = "Pass the earlier table first."
        raise DataContractError(ContractProblem("dates-swapped", text, cure))
    at = pd.Index(column(later, name)).get_indexer(pd.Index(column(earlier, name)))
    then = np.asarray(column(earlier, "n_orders"))
    now = np.asarray(column(later, "n_orders"))
    # a customer whose orders were all refunded since is gone from the later table
    return (at >= 0) & (now[at] > then)


def _date(text: str) -> np.datetime64:
    return np.datetime64(text.replace(" ", "T")[:26].rstrip("Z"))
