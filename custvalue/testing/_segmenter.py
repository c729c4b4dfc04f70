"""What every classifier of customers must obey, as one check."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from custvalue._typing import Objects

ANSWERS = ("segments", "grade", "quadrants", "predict", "transform")
TABLES = ("segment_table", "stage_table", "grade_table", "quadrant_table")


def check_segmenter(segmenter: Any, customers: pd.DataFrame) -> None:
    """Check that an estimator classes customers as the library promises.

    Parameters
    ----------
    segmenter : estimator
        Unfitted: ``RFMTransformer``, ``SilenceScorer``, ``LifecycleClassifier``, ``ValueGrades``,
        ``ActivityLoyaltyMatrix``, ``MarketSegments``, or one of your own that answers by
        ``predict`` (or ``segments``, ``grade``, ``quadrants``, ``transform``).
    customers : DataFrame
        At least ten rows, as :func:`custvalue.summarize` gives them.

    Raises
    ------
    AssertionError
        Naming the law that does not hold: a class each row, in order; a customer's class depends
        on no other row and on no further column, and stays when asked again, after pickling, and
        in the table for people; only the library's own words are said in another language.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.testing import check_segmenter
    >>> log = cv.datasets.load_cdnow("sample")
    >>> customers = cv.summarize(log, customer="customer_id", time="date", amount="amount",
    ...                          as_of="1998-06-30")
    >>> check_segmenter(cv.LifecycleClassifier(), customers)
    """
    if len(customers) < 10:
        raise ValueError(f"{len(customers)} customers are too few to check on; give ten or more.")
    before = customers.copy()
    fitted = clone(segmenter).fit(customers)
    said = _answer(fitted, customers)
    _hold(len(said) == len(customers), "one class a row")
    _hold(customers.equals(before), "the table is left as it was")

    turned = customers.iloc[::-1]
    _hold((_answer(fitted, turned) == said[::-1]).all(), "rows in another order, classes too")
    for i in np.linspace(0, len(customers) - 1, 5).astype(int):
        alone = _answer(fitted, customers.iloc[[i]])
        _hold((alone[0] == said[i]).all(), f"row {i} alone is what it is among others")
    more = customers.assign(a_column_that_nobody_knows="x")
    _hold((_answer(fitted, more) == said).all(), "further columns change nothing")
    _hold((_answer(fitted, customers) == said).all(), "asked again, the same")
    again = pickle.loads(pickle.dumps(fitted))
    _hold((_answer(again, customers) == said).all(), "pickled and read, the same")
    _hold((_answer(clone(fitted).fit(customers), customers) == said).all(), "fitted again, alike")
    _check_tables(fitted, customers, said)


def _check_tables(fitted: Any, customers: pd.DataFrame, said: Objects) -> None:
    for name in TABLES:
        make = getattr(fitted, name, None)
        if make is None:
            continue
        english, chinese = make(customers), make(customers, language="zh")
        _hold(english.shape == chinese.shape, f"{name} has the same cells in either language")
        if len(english) == len(customers):
            _hold(english.index.equals(customers.index), f"{name} keeps the rows' index")
        numbers = [i for i, kind in enumerate(english.dtypes) if kind.kind in "if"]
        same = all(
            np.array_equal(english.iloc[:, i], chinese.iloc[:, i], equal_nan=True) for i in numbers
        )
        _hold(same, f"{name} has the same numbers in either language")


def _answer(fitted: Any, customers: Any) -> Objects:
    how = next((getattr(fitted, name) for name in ANSWERS if hasattr(fitted, name)), None)
    if how is None:
        raise TypeError(f"{type(fitted).__name__} answers by none of {', '.join(ANSWERS)}.")
    return np.asarray(how(customers), dtype=object).reshape(len(customers), -1)


def _hold(law: bool, what: str) -> None:
    if not law:
        raise AssertionError(f"does not hold: {what}.")
