"""Potential value: what is still to come, against the run rate and the best of one's kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._units import Span, check_share
from custvalue._words import HOUSE, Language, check_language
from custvalue.value._naive import RateForward

COLUMNS = ("run_rate", "future_value", "change", "group", "best_comparable", "gap", "trend")


def potential_value(
    model: Any,
    X: Any,
    *,
    horizon: Span,
    by: npt.ArrayLike | str | None = None,
    best: float = 0.9,
    margin: float = 1.0,
    language: Language = "en",
) -> Any:
    """Compare each customer's expected future value with the run rate and with the best of a kind.

    Parameters
    ----------
    model : fitted estimator
        ``predict(X, horizon=)`` in money, for example `CustomerValue`.
    X : frame of shape (n_customers, n_columns)
        A customer summary (``total_value``, ``T``, and ``mean_value`` unless ``by`` is given).
    horizon : str, timedelta or number
    by : array-like of shape (n_customers,), str or None, default=None
        Who is comparable: a group for each customer, or a column of ``X``; None: thirds of time as
        a customer x thirds of mean order value.
    best : float, default=0.9
        The best comparable customer is this quantile of a group's expected future value.
    margin : float, default=1.0
        Applied to the run rate, so that it is in the same money as the model's value.
    language : {"en", "zh"}, default="en"
        Language of the column names.

    Returns
    -------
    frame of the kind of X
        The customer column (where known), ``run_rate`` (spend so far, carried on at the same rate
        over the horizon), ``future_value``, ``change`` (the second less the first), ``trend``
        (future value over run rate), ``group``, ``best_comparable`` and ``gap`` (what is missing to
        it, 0 at least); same rows, same order.

    Raises
    ------
    ValueError
        If ``best`` is no probability or ``by`` has another length.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.purchase import MBGNBD
    >>> from custvalue.value import CustomerValue, potential_value
    >>> table = cv.summarize(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                      amount="amount", as_of="1997-09-30", unit="W")
    >>> model = CustomerValue(purchases=MBGNBD()).fit(table)
    >>> found = potential_value(model, table, horizon="12M")
    >>> bool((found["gap"] >= 0).all())
    True
    """
    check_language(language)
    check_share(best, "best", above=True, below=True)
    check_share(margin, "margin", low=-np.inf)
    future = np.asarray(model.predict(X, horizon), dtype=float)
    unit = getattr(model, "unit_", None)
    run_rate = RateForward(margin=margin, unit=unit).fit(X).predict(X, horizon)
    group = _groups(X, by, future.size)
    code, names = pd.factorize(group)
    top = np.array([np.quantile(future[code == i], best) for i in range(len(names))])[code]
    some = run_rate > 0
    columns: dict[str, Any] = {
        "run_rate": run_rate,
        "future_value": future,
        "change": future - run_rate,
        "trend": np.where(some, future / np.where(some, run_rate, 1.0), np.nan),
        "group": group,
        "best_comparable": top,
        "gap": np.maximum(top - future, 0.0),
    }
    columns = {HOUSE(k, language): v for k, v in columns.items()}
    facts = _frames.facts_of(X)
    if facts is not None and facts.customer in (_frames.column_names(X) or ()):
        columns = {facts.customer: _frames.column(X, facts.customer), **columns}
    return _frames.frame_like(X, columns)


def _groups(X: Any, by: npt.ArrayLike | str | None, n: int) -> Any:
    if isinstance(by, str):
        return np.asarray(_frames.column(X, by))
    if by is not None:
        group = np.asarray(by)
        if group.shape != (n,):
            raise ValueError(f"by has shape {group.shape}; expected ({n},), a group a row.")
        return group
    values = _frames.float_columns(X, ["T", "mean_value"])
    third = [
        np.searchsorted(np.unique(np.quantile(v, [1 / 3, 2 / 3])), v, side="left") + 1
        for v in values.T
    ]
    return np.array([f"tenure {a}, order value {b}" for a, b in zip(*third, strict=True)])
