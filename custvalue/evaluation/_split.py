"""Splits for cross-validation in which nothing is learned from a test row's future."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold

from custvalue._frames import column
from custvalue._typing import Places
from custvalue._units import Span, span_days


class OutOfTimeSplit:
    """Learn on earlier dates, test on a later one whose past holds every training target.

    For each date to test, the training rows are those whose date plus ``horizon`` is not after
    it: their targets were complete by then.

    Parameters
    ----------
    time : str, default="as_of"
        Column of X with the dates.
    horizon : str or timedelta
        How far the target of a row looks.
    n_splits : int or None, default=None
        Take the latest so many dates; None takes all that have rows to learn from.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.evaluation import OutOfTimeSplit
    >>> X = pd.DataFrame({"as_of": pd.to_datetime(["2024-01-01"] * 2 + ["2024-03-01"] * 2)})
    >>> [(a.tolist(), b.tolist()) for a, b in OutOfTimeSplit(horizon="60D").split(X)]
    [([0, 1], [2, 3])]
    """

    def __init__(self, time: str = "as_of", *, horizon: Span, n_splits: int | None = None) -> None:
        self.time = time
        self.horizon = horizon
        self.n_splits = n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Places, Places]]:
        """Yield (train, test) positions, earlier dates first.

        Parameters
        ----------
        X : frame with the time column
        y, groups : None
        """
        dates, pairs = self._pairs(X)
        for test, ready in pairs:
            yield np.flatnonzero(dates <= ready), np.flatnonzero(dates == test)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Count the splits.

        Parameters
        ----------
        X : frame with the time column
            Needed where ``n_splits`` is None.
        y, groups : None
        """
        if X is None:
            if self.n_splits is None:
                raise ValueError("the number of splits is that of dates: pass X, or set n_splits.")
            return self.n_splits
        return len(self._pairs(X)[1])

    def _pairs(self, X: Any) -> tuple[npt.NDArray[Any], list[tuple[Any, Any]]]:
        """Dates of the rows, and for each test date the latest date to learn from."""
        dates = np.asarray(column(X, self.time), dtype="datetime64[us]")
        wait = np.timedelta64(round(span_days(self.horizon) * 86_400e6), "us")
        distinct = np.unique(dates)
        pairs = [(date, date - wait) for date in distinct if distinct[0] <= date - wait]
        if not pairs or len(pairs) < (self.n_splits or 1):
            raise ValueError(
                f"{len(pairs)} of {len(distinct)} dates have an earlier one at least "
                f"{self.horizon} before them; {self.n_splits or 1} wanted. Make cutoffs further "
                "apart, or shorten the horizon."
            )
        return dates, pairs[-self.n_splits :] if self.n_splits else pairs


class CustomerTimeSplit(OutOfTimeSplit):
    """As :class:`OutOfTimeSplit`, and no customer is both learned from and tested.

    For each date and each fold of customers: test the fold's rows of that date, learn from the
    other customers' rows whose targets were complete by then.

    Parameters
    ----------
    customer : str
        Column of X with the customer.
    time : str, default="as_of"
        Column of X with the dates.
    horizon : str or timedelta
        How far the target of a row looks.
    n_folds : int, default=5
        Folds of customers.
    n_splits : int or None, default=None
        Latest so many dates; None takes all that have rows to learn from.
    random_state : int, default=0
        Deals customers to folds.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.evaluation import CustomerTimeSplit
    >>> X = pd.DataFrame({"who": ["a", "b"] * 2,
    ...                   "as_of": pd.to_datetime(["2024-01-01"] * 2 + ["2024-03-01"] * 2)})
    >>> splitter = CustomerTimeSplit("who", horizon="60D", n_folds=2)
    >>> [(a.tolist(), b.tolist()) for a, b in splitter.split(X)]
    [([0], [3]), ([1], [2])]
    """

    def __init__(
        self,
        customer: str,
        time: str = "as_of",
        *,
        horizon: Span,
        n_folds: int = 5,
        n_splits: int | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(time, horizon=horizon, n_splits=n_splits)
        self.customer = customer
        self.n_folds = n_folds
        self.random_state = random_state

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Places, Places]]:
        """Yield (train, test) positions, earlier dates first, then by fold.

        Parameters
        ----------
        X : frame with the customer and time columns
        y, groups : None
        """
        people, who = np.unique(column(X, self.customer), return_inverse=True)
        fold_of = np.empty(len(people), dtype=np.intp)
        folds = KFold(self.n_folds, shuffle=True, random_state=self.random_state)
        for number, (_, members) in enumerate(folds.split(people)):
            fold_of[members] = number
        fold = fold_of[who]
        for train, test in super().split(X):
            for number in range(self.n_folds):
                known, asked = train[fold[train] != number], test[fold[test] == number]
                if len(known) and len(asked):
                    yield known, asked

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Count the splits.

        Parameters
        ----------
        X : frame with the customer and time columns
            Needed where ``n_splits`` is None.
        y, groups : None
        """
        if X is None:
            return super().get_n_splits() * self.n_folds
        return sum(1 for _ in self.split(X))
